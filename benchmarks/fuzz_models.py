"""Makes the smallest neural ranker there is, for fuzzing: three tables in which its inputs are looked up.

    python benchmarks/fuzz_models.py > tests/fuzz/tiny.onnx

Needs onnx (`pip install 'unspin[neural-train]'`). The file is kept, so that tests need it not.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from unspin.neural.ranker import FORMAT, OPTION
from unspin.neural.wordpiece import FIRST, LAST, PAD, UNKNOWN

WIDTH = 2
LETTERS = "abcdefghijklmnopqrstuvwxyz"
PIECES = [PAD, UNKNOWN, FIRST, LAST, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
INPUTS = {"ids": 2, "cases": 2, "first": 1, "last": 1, "pieces": 2, "kinds": 1}


def tiny_neural() -> bytes:
    """A model whose query of a span is that of its first piece, and whose options are judged by their first piece."""
    table = np.random.default_rng(0).normal(size=(len(PIECES), WIDTH)).astype(np.float32)
    tables: dict[str, Any] = {
        "table": table,
        "flat": np.asarray([-1], np.int64),
        "zero": np.asarray(0, np.int64),
        "bias": table[:2, 0],
    }
    nodes = [
        helper.make_node("Add", ["ids", "cases"], ["mixed"]),
        helper.make_node("Sub", ["mixed", "cases"], ["same"]),
        helper.make_node("Reshape", ["same", "flat"], ["running"]),
        helper.make_node("Max", ["first", "last"], ["place"]),
        helper.make_node("Gather", ["running", "place"], ["piece"]),
        helper.make_node("Gather", ["table", "piece"], ["queries"]),
        helper.make_node("Gather", ["pieces", "zero"], ["option"], axis=1),
        helper.make_node("Gather", ["table", "option"], ["vectors"]),
        helper.make_node("Gather", ["bias", "kinds"], ["biases"]),
    ]
    shapes: dict[str, list[Any]] = {
        name: [f"{name}0", OPTION if name == "pieces" else "length"][:rank] for name, rank in INPUTS.items()
    }
    given = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name, shape in shapes.items()]
    made = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", WIDTH)[:rank])
        for name, rank in (("queries", 2), ("vectors", 2), ("biases", 1))
    ]
    kept = [numpy_helper.from_array(array, name) for name, array in tables.items()]
    graph = helper.make_graph(nodes, "tiny", given, made, kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    settings = json.dumps({"scales": [0.3, 1.0, 1.0, 1.0, 0.0], "rates": [1.0, 1.0]})
    helper.set_model_props(model, {"format": FORMAT, "pieces": "\n".join(PIECES), "settings": settings})
    return bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    sys.stdout.buffer.write(tiny_neural())
