"""The neural ranker: a small transformer that judges every candidate of a window of sentences in one pass.

In comes a block in the course of decoding; out goes, per swap that could be undone, the log of how much likelier the
model thinks its original than leaving the span alone. It reads the text as it stands, spun, both ways, and compares
each span with each of its options; what it thinks is added to the language model's view, which counts less beside it.
A model is an ONNX file, which cannot execute anything but arithmetic; a damaged one is refused. Needs
onnxruntime; `train` makes such files.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from unspin.channel import LEAST_KEPT
from unspin.errors import FormatError, InputError, UnspinError
from unspin.heap import give_back
from unspin.lattice import Floats, Ints
from unspin.lexicon import Lexicon
from unspin.neural.wordpiece import Pieces, Windows, windows
from unspin.rank import Context, Ranker, Scales
from unspin.text import phrase

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FORMAT = "unspin-neural-1"
OPTION = 8  # pieces of an option that are looked at
CHUNK = 256  # options that are computed together
SURE = 8.0  # nats; a model is never surer than this

Vectors = NDArray[np.float32]


class Options(NamedTuple):
    """What a lexicon offers, as a model sees it.

    `pieces` [options, OPTION], padded with 0, and `kinds`: 0 for originals, 1 for phrases left alone. Per active
    entry: its original (`undone`) and its phrase left alone (`alone`) among the options, and the channel's rates as
    features, ln P(alternate | head) (`rate`) and ln P(left alone | head) (`left`).
    """

    pieces: Ints
    kinds: Ints
    undone: Ints
    alone: Ints
    rate: Floats
    left: Floats

    @classmethod
    def of(cls, lexicon: Lexicon, pieces: Pieces) -> Options:
        """The options of a lexicon; training and reading number and cut them alike."""
        places: dict[tuple[str, int], int] = {}
        undone = [places.setdefault((entry.original, 0), len(places)) for entry in lexicon.active]
        alone = [places.setdefault((entry.spun, 1), len(places)) for entry in lexicon.active]
        rows = np.zeros((len(places), OPTION), dtype=np.int64)
        for row, (name, _) in zip(rows, places, strict=True):
            found = pieces.of(name)[:OPTION]
            row[: len(found)] = found
        kinds = np.asarray([kind for _, kind in places], dtype=np.int64)
        rate = np.log([entry.rate for entry in lexicon.active])
        kept = np.asarray([lexicon.kept.get(phrase(entry.spun), 1.0) for entry in lexicon.active])
        left = np.log(np.maximum(kept, LEAST_KEPT))
        return cls(rows, kinds, np.asarray(undone), np.asarray(alone), rate, left)


class _Known(NamedTuple):
    """A lexicon's options with their `vectors` [options, width] and `biases`."""

    options: Options
    vectors: Vectors
    biases: Vectors


class NeuralRanker:
    """A model whose scores count `weight`, beside a ranker of another kind whose scores are added: `base`.

    `runtime` names what runs it: its releases differ in the last digits, so that signatures tell it.
    """

    def __init__(
        self,
        session: InferenceSession,
        *,
        base: Ranker,
        weight: float,
        scales: Scales,
        rates: Sequence[float],
        name: str,
        runtime: str = "",
    ) -> None:
        self._session = session
        self._pieces = Pieces(session.get_modelmeta().custom_metadata_map["pieces"].split("\n"))
        self._known: WeakKeyDictionary[Lexicon, _Known] = WeakKeyDictionary()
        self.base, self.weight, self.scales, self._rates = base, weight, scales, tuple(rates)
        self.runtime = runtime
        content = repr((name, base.digest, weight, scales, self._rates))
        self.digest = f"neural-{hashlib.sha256(content.encode()).hexdigest()[:12]}"

    def score(self, context: Context) -> Floats:
        """Per emission, in nats; a swap's whole score stands at the first word of its original."""
        return combined(context, self.base, self.weight, self.judge(context))

    def judge(self, context: Context) -> Floats:
        """Per match of the context, ln P(its original) - ln P(left alone); 0 where a window ends inside it."""
        laid = windows(context.tokens, context.starts, self._pieces)
        start, end = context.found.start, context.found.end - 1
        whole = np.flatnonzero(laid.window[start] == laid.window[end])
        judged = np.zeros(len(context.found))
        if not len(whole):
            return judged
        keys, span = np.unique(start[whole] * len(context.tokens) + end[whole], return_inverse=True)
        queries = self._queries(laid, keys // len(context.tokens), keys % len(context.tokens))
        judged[whole] = self._compared(queries[span], context.found.entry[whole], context.lexicon)
        return judged

    def _compared(self, queries: Vectors, entries: Ints, lexicon: Lexicon) -> Floats:
        """Queries, one per match, against the vectors of its original and of its phrase left alone."""
        if (known := self._known.get(lexicon)) is None:
            give_back()  # what loading took for a moment, and then what this takes: nothing else takes as much
            known = self._known[lexicon] = self._know(lexicon)
            give_back()
        options, vectors, biases = known
        undone, alone = options.undone[entries], options.alone[entries]
        made, left = self._rates
        costs = made * options.rate[entries] - left * options.left[entries]
        products = np.einsum("nd,nd->n", queries, vectors[undone] - vectors[alone])
        scores: Floats = products + biases[undone] - biases[alone] + costs
        if not np.isfinite(scores).all():
            raise UnspinError("the neural ranker is damaged: what it says are no numbers")
        return scores

    def _know(self, lexicon: Lexicon) -> _Known:
        """All of a lexicon's options at once: how sums are rounded depends on what is summed beside them."""
        options = Options.of(lexicon, self._pieces)
        arrays: list[Vectors] = []
        for start in range(0, len(options.kinds), CHUNK):
            some = slice(start, start + CHUNK)
            made = self._run(["vectors", "biases"], pieces=options.pieces[some], kinds=options.kinds[some])
            arrays = arrays or [np.empty((len(options.kinds), *one.shape[1:]), one.dtype) for one in made]
            for whole, part in zip(arrays, made, strict=True):
                whole[some] = part
        return _Known(options, *arrays)

    def _queries(self, laid: Windows, start: Ints, end: Ints) -> Vectors:
        """Per span of tokens [start, end], both inside one window, its query; spans in order of their windows.

        Each window is read by itself: nothing is padded, and how sums are rounded depends on no other window.
        """
        window = laid.window[start]
        size = (laid.ids != self._pieces.pad).sum(axis=1)
        edges = [*np.flatnonzero(np.diff(window, prepend=-1)).tolist(), len(window)]
        parts = []
        for first, last in pairwise(edges):
            row, spans = slice(window[first], window[first] + 1), slice(first, last)
            length = int(size[row][0])
            parts += self._run(
                ["queries"],
                ids=laid.ids[row, :length],
                cases=laid.cases[row, :length],
                first=laid.first[start[spans]],
                last=laid.last[end[spans]],
            )
        return np.concatenate(parts)

    def _run(self, outputs: list[str], **given: NDArray[Any]) -> list[NDArray[Any]]:
        feed = {name: np.zeros(shape, dtype=np.int64) for name, shape in _EMPTY.items()}
        feed |= {name: array.astype(np.int64) for name, array in given.items()}
        try:
            return list(self._session.run(outputs, feed))
        except Exception as error:  # onnxruntime's own errors share no base but this
            raise UnspinError(f"the neural ranker is damaged: it cannot be run ({error})") from error


def combined(context: Context, base: Ranker, weight: float, judged: Floats) -> Floats:
    """The scores of a ranker and of a model's judgements, one per match, which count `weight`."""
    scores = base.score(context)
    np.add.at(scores, context.first, weight * np.clip(judged, -SURE, SURE))
    return scores


_SLOW = "SkipLayerNormFusion"  # from onnxruntime 1.28 on, one step takes longer than the two that it is made of
_EMPTY = {"ids": (1, 2), "cases": (1, 2), "first": (1,), "last": (1,), "pieces": (1, OPTION), "kinds": (1,)}


def load(path: Path, *, base: Ranker) -> NeuralRanker:
    """The ranker in an ONNX file, with another beside it. Raises InputError, or FormatError if it is damaged."""
    try:
        import onnxruntime
    except ImportError as error:
        raise UnspinError("the neural ranker needs onnxruntime: pip install onnxruntime") from error
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(path, f"cannot be read as a ranker ({error.strerror or error})") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # documents are done side by side instead
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False  # else what the largest run took is kept
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"], disabled_optimizers=[_SLOW]
        )
        about = session.get_modelmeta().custom_metadata_map
        if about.get("format") != FORMAT or {i.name for i in session.get_inputs()} != _EMPTY.keys():
            raise ValueError("another kind of model")
        settings = json.loads(about["settings"])
        weight, *others = map(float, settings["scales"])
        scales, rates = Scales(*others), [float(rate) for rate in settings["rates"]]
        if not all(map(math.isfinite, (weight, *scales, *rates))) or len(rates) != 2:
            raise ValueError("impossible settings")
        name = hashlib.sha256(data).hexdigest()
        runtime = f"onnxruntime-{onnxruntime.__version__}"
        return NeuralRanker(session, base=base, weight=weight, scales=scales, rates=rates, name=name, runtime=runtime)
    except Exception as error:  # onnxruntime's own errors share no base but this
        raise FormatError(path, "not a neural ranker of this version, or damaged") from error
