"""The model of the neural ranker, in torch: encoder, spans and options; its first weights, and its ONNX file.

In come sizes and, if at hand, the weights of a BERT-like encoder; out goes a model to train and, in the end, the
bytes of a file that `ranker.NeuralRanker` reads.

The model reads a window of spun text. For every span of candidates it compares a query, made from the states of the
span's first and last piece, with a vector of each option, made from the option's pieces: what the lexicon offers,
and the span itself, left alone. The channel's rates enter as features. Options that it has never seen are thus
judged by their pieces, as unseen words are.
"""

from __future__ import annotations

import json
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from unspin.errors import FormatError
from unspin.neural.ranker import FORMAT, OPTION
from unspin.neural.wordpiece import WINDOW, Pieces


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the encoder."""

    layers: int = 6
    width: int = 384
    heads: int = 12
    inner: int = 1536


class Layer(nn.Module):
    """A transformer layer, normalised after each half, as in BERT."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)
        self.after = nn.LayerNorm(shape.width, eps=1e-12)
        self.up = nn.Linear(shape.width, shape.inner)
        self.down = nn.Linear(shape.inner, shape.width)
        self.last = nn.LayerNorm(shape.width, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, length, width = x.shape
        parts = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        scale = (width // self.heads) ** -0.25  # on both sides, so that products stay small
        # Written out, for torch's own is exported with guards against rows masked whole: a tenth of the time.
        shares = (query * scale @ (key * scale).transpose(2, 3) + mask).softmax(dim=3)
        mixed = shares @ value
        x = self.after(x + self.out(mixed.transpose(1, 2).reshape(batch, length, width)))
        return cast(Tensor, self.last(x + self.down(functional.gelu(self.up(x)))))


class Judge(nn.Module):
    """Encoder, spans' queries and options' vectors."""

    def __init__(self, shape: Shape, pieces: int) -> None:
        super().__init__()
        width = shape.width
        self.words = nn.Embedding(pieces, width)
        self.places = nn.Embedding(WINDOW, width)
        self.cases = nn.Embedding(3, width)
        nn.init.zeros_(self.cases.weight)
        self.begin = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.query = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, width))
        self.option = nn.Sequential(nn.Linear(3 * width, width), nn.GELU(), nn.LayerNorm(width))
        self.kind = nn.Embedding(2, width)  # of an option: a swap undone, or left alone
        self.bias = nn.Linear(width, 1)
        self.rates = nn.Parameter(torch.tensor([0.5, 0.5]))  # of ln P(alternate | head), of ln P(left alone)

    def states(self, ids: Tensor, cases: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.begin(self.words(ids) + self.places(places) + self.cases(cases))
        mask = torch.zeros(ids.shape, device=ids.device).masked_fill(ids == 0, -math.inf)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        return cast(Tensor, x)

    def queries(self, ids: Tensor, cases: Tensor, first: Tensor, last: Tensor) -> Tensor:
        """Per span, [spans, width]; `first` and `last` count columns through all windows."""
        flat = self.states(ids, cases).reshape(-1, self.words.embedding_dim)
        return cast(Tensor, self.query(torch.cat([flat[first], flat[last]], dim=1)))

    def options(self, pieces: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors [options, width] and biases [options] of options, as pieces [options, OPTION] padded with 0."""
        known = (pieces != 0).unsqueeze(2)
        found = self.words(pieces) * known
        size = known.sum(dim=1).clamp(min=1)
        mean = found.sum(dim=1) / size
        end = found.gather(1, (size - 1).unsqueeze(2).expand(-1, 1, found.shape[2])).squeeze(1)
        vectors = self.option(torch.cat([mean, found[:, 0], end], dim=1)) + self.kind(kinds)
        return vectors / math.sqrt(vectors.shape[1]), self.bias(vectors).squeeze(1)

    def forward(
        self, ids: Tensor, cases: Tensor, first: Tensor, last: Tensor, pieces: Tensor, kinds: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What is exported: queries of spans, vectors and biases of options."""
        return self.queries(ids, cases, first, last), *self.options(pieces, kinds)


def started(shape: Shape, pieces: int, weights: Path | None, *, seed: int) -> Judge:
    """A model with random weights or, as far as they reach, those of a BERT in a safetensors file.

    Raises FormatError if the file holds no such weights.
    """
    torch.manual_seed(seed)
    judge = Judge(shape, pieces)
    for module in judge.modules():
        if isinstance(module, nn.Linear | nn.Embedding) and module is not judge.cases:
            nn.init.normal_(module.weight, std=0.02)
    if weights is not None:
        try:
            judge.load_state_dict(_from_bert(load_file(weights), shape), strict=False)
        except (OSError, SafetensorError, LookupError, RuntimeError) as error:
            raise FormatError(weights, f"holds no weights of a BERT encoder of these sizes: {error}") from error
    return judge


def _from_bert(bert: Mapping[str, Tensor], shape: Shape) -> dict[str, Tensor]:
    """The names that BERT's weights have here."""
    inside = "embeddings."
    kind = bert[f"{inside}token_type_embeddings.weight"][0]
    found = {
        "words.weight": bert[f"{inside}word_embeddings.weight"],
        "places.weight": bert[f"{inside}position_embeddings.weight"][:WINDOW] + kind,
        "begin.weight": bert[f"{inside}LayerNorm.weight"],
        "begin.bias": bert[f"{inside}LayerNorm.bias"],
    }
    names = {
        "out": "attention.output.dense", "after": "attention.output.LayerNorm", "up": "intermediate.dense",
        "down": "output.dense", "last": "output.LayerNorm",
    }  # fmt: skip
    for number in range(shape.layers):
        theirs, ours = f"encoder.layer.{number}.", f"layers.{number}."
        for end in ("weight", "bias"):
            three = [bert[f"{theirs}attention.self.{part}.{end}"] for part in ("query", "key", "value")]
            found[f"{ours}qkv.{end}"] = torch.cat(three)
            found |= {f"{ours}{mine}.{end}": bert[f"{theirs}{name}.{end}"] for mine, name in names.items()}
    return found


def exported(judge: Judge, pieces: Pieces, settings: Mapping[str, Sequence[float]], folder: Path) -> bytes:
    """The bytes of the ONNX file of a model, its weights a byte each; `folder` takes what is written on the way."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    judge.to("cpu").eval()
    plain, packed = folder / "plain.onnx", folder / "packed.onnx"
    ids = torch.ones((2, 5), dtype=torch.long)
    some = torch.ones(3, dtype=torch.long)
    arguments = (ids, ids, some, some, torch.ones((4, OPTION), dtype=torch.long), torch.ones(4, dtype=torch.long))
    names = ["ids", "cases", "first", "last", "pieces", "kinds"]
    axes = {name: {0: name} for name in names[2:]} | {name: {0: "batch", 1: "length"} for name in names[:2]}
    with _silence():
        torch.onnx.export(
            judge, arguments, str(plain), input_names=names, output_names=["queries", "vectors", "biases"],
            dynamic_axes=axes, opset_version=17, dynamo=False,
        )  # fmt: skip
        # Rounding looks at all that is computed together: an option's vector must not depend on the others asked for.
        names = [node.name for node in onnx.load(plain).graph.node if node.name.startswith(("/option/", "/bias/"))]
        exact = [*names, *(f"{name}_MatMul" for name in names)]  # what it makes of a Gemm first
        quantize_dynamic(
            plain, packed, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True, nodes_to_exclude=exact
        )
    model = onnx.load(packed)
    rates = {"rates": [float(rate) for rate in judge.rates.tolist()]}
    about = {"format": FORMAT, "pieces": "\n".join(pieces.names), "settings": json.dumps({**settings, **rates})}
    onnx.helper.set_model_props(model, about)
    return bytes(model.SerializeToString(deterministic=True))


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what exporters say to their developers from those who train a model."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
