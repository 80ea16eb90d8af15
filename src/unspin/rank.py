"""Context rankers: which word fits the sentence and the topic, beyond the language model's two words.

In comes what a first pass of decoding knows of a text; out goes a log-score for every word that some
reading puts somewhere, to be added to the decoder's own. A ranker is anything with `score` and a `digest`; it
sees a whole block of sentences at once, so that one which reads a sentence in a single pass fits as well.

The ranker here compares word vectors. They are the best low-rank picture of how much more often two words stand
near each other than chance would have it, so that the product of two vectors estimates the log of that ratio.
Source: O. Levy, Y. Goldberg, "Neural word embedding as implicit matrix factorization" (NIPS 2014).
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from tokenize import TokenError
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from unspin.channel import Matches
from unspin.errors import FormatError, InputError
from unspin.lattice import Floats, Ints
from unspin.lexicon import Lexicon
from unspin.model import Token

WINDOW = 25  # tokens on either side that make up a word's near context
CONTEXT, NEURAL = "context", "neural"  # the names of the shipped rankers
NEURAL_SUFFIX = ".onnx"
DEFAULT = NEURAL
SHORTEST_SENTENCE = 4  # words; shorter ones, and those mostly capitalised, are titles
OPENERS = frozenset("\"'\u2018\u201c\u2014:(")  # what the first word of a quotation or a clause stands after
LEAST_CASE = 0.02  # no word is always written in one way
# What numpy raises on archives that are none, cut short or damaged.
DAMAGED = (
    *(AttributeError, LookupError, ValueError, TypeError, EOFError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, TokenError),
)
FUNCTION_WORDS = 100  # the most frequent words: they fit everywhere, and say nothing of a topic


@dataclass(frozen=True, slots=True)
class Context:
    """A block of text in the course of decoding.

    `starts`: the tokens that begin its sentences, in order. An *emission* is a word that a reading puts in the
    place of tokens [`begin`, `end`): `word` is its number in `words` (below 0: none), `share` its posterior so far,
    `is_first` whether it is the reading's first word. A token that no reading touches has no emission, or one that
    is certain. `found` are the swaps that could be undone, of entries of `lexicon`, `first` the emission that each
    begins with.
    """

    tokens: Sequence[Token]
    starts: Sequence[int]
    words: Sequence[str]
    word: Ints
    begin: Ints
    end: Ints
    share: Floats
    is_first: NDArray[np.bool_]
    found: Matches
    first: Ints
    lexicon: Lexicon


class Scales(NamedTuple):
    """How a ranker wants the decoder's own scores weighed beside its own, for their errors are not independent.

    `language`, `channel` and `keep` multiply the scores of the language model, of swaps and of heads left alone;
    `length` is added, in nats, for each word by which a swap's original is longer than what stands there.
    """

    language: float = 1.0
    channel: float = 1.0
    keep: float = 1.0
    length: float = 0.0


AS_THEY_ARE = Scales()


class Ranker(Protocol):
    """Scores words by their context, in nats."""

    @property
    def scales(self) -> Scales:
        """What the decoder's own scores count beside the ranker's."""
        ...

    @property
    def digest(self) -> str:
        """Names the ranker in signatures; changes whenever a score could."""
        ...

    def score(self, context: Context) -> Floats:
        """Per emission, what its word gains by standing in this context; 0 where nothing is known."""
        ...


def runtime(ranker: Ranker) -> str:
    """What computes a ranker's scores, in so far as another release of it may round otherwise: a `runtime` that the
    ranker names ("onnxruntime-1.32.0"); "" for none."""
    return str(getattr(ranker, "runtime", ""))


class Unranked:
    """The ranker that has no opinion."""

    digest, scales = "none", AS_THEY_ARE

    def score(self, context: Context) -> Floats:
        return np.zeros(len(context.word))


UNRANKED = Unranked()


class Weights(NamedTuple):
    """What each view of the context counts, in nats per unit, and what the decoder's own scores do (see `Scales`)."""

    near: float = 0.0
    case: float = 0.0
    language: float = 1.0
    channel: float = 1.0
    length: float = 0.0


def written(tokens: Sequence[Token], starts: Sequence[int]) -> NDArray[np.int8]:
    """Per token of sentences that begin at `starts`: 1 if it is capitalised, -1 if it is not.

    0 where that says nothing: at the start of a sentence or a quotation, in a title, in what is no word.
    """
    case = np.zeros(len(tokens), dtype=np.int8)
    for start, end in pairwise([*starts, len(tokens)]):
        words = [n for n in range(start, end) if tokens[n].is_word and tokens[n].text[0].isalpha()]
        upper = [n for n in words if tokens[n].text[0].isupper()]
        if 2 * len(upper) > len(words) or len(words) < SHORTEST_SENTENCE:
            continue
        inside = [n for n in words if n > start and tokens[n - 1].text not in OPENERS]
        case[inside] = -1
        case[sorted({*inside} & {*upper})] = 1
    return case


class VectorRanker:
    """Word vectors, and how often each word is capitalised inside a sentence.

    `vectors` [words, dimensions] with `signs` [dimensions] in {-1, 1}: the product of two words is
    sum(signs * x * y). `capital` [words] in [0, 1]. The weights: `near` of the mean product with the words within
    WINDOW, `case` of the log-probability that the word is written as the
    spun one is, for the spinner carries capitals over: "Invoice" inside a sentence was Bill, "could" was not May.
    """

    def __init__(
        self,
        words: Sequence[str],
        vectors: NDArray[np.float32],
        signs: NDArray[np.float32],
        capital: NDArray[np.float32],
        *,
        weights: Weights,
    ) -> None:
        self.words = tuple(words)
        self.scales = Scales(weights.language, weights.channel, 1.0, weights.length)
        self._numbers = {word: number for number, word in enumerate(words)}
        self.vectors, self.signs, self.capital, self.weights = vectors, signs, capital, weights
        arrays = b"".join(array.tobytes() for array in (vectors, signs, capital))
        content = hashlib.sha256(repr((self.words, weights)).encode() + arrays)
        self.digest = f"vectors-{content.hexdigest()[:12]}"

    def _number(self, words: Sequence[str]) -> Ints:
        """Numbers of the words that say something; below 0 for the others."""
        numbers = np.fromiter((self._numbers.get(word, -1) for word in words), np.int64, len(words))
        return np.where(numbers >= FUNCTION_WORDS, numbers, -1)

    def score(self, context: Context) -> Floats:
        scores: Floats = self.weights.near * self._fit(context) + self.weights.case * self._case(context)
        return scores

    def _case(self, context: Context) -> Floats:
        """Per emission, the log-probability of the case it stands in; 0 where case says nothing."""
        case = written(context.tokens, context.starts)
        number = np.fromiter((self._numbers.get(word, -1) for word in (*context.words, "")), np.int64)
        number = number[np.maximum(context.word, -1)]
        known = np.flatnonzero((number >= 0) & (context.begin >= 0) & context.is_first)
        known = known[case[context.begin[known]] != 0]
        capital = np.clip(self.capital[number[known]], LEAST_CASE, 1.0 - LEAST_CASE)
        scores = np.zeros(len(context.word))
        scores[known] = np.log(np.where(case[context.begin[known]] > 0, capital, 1.0 - capital))
        return scores

    def _fit(self, context: Context) -> Floats:
        """Per emission, the mean product of its word with those of its near context."""
        number = np.append(self._number(context.words), -1)[np.maximum(context.word, -1)]
        known = np.flatnonzero((number >= 0) & (context.begin >= 0))
        begin, end = context.begin[known], context.end[known]
        sums, counts = self._running(context, known, number[known])
        vectors = self.vectors[number[known]] * self.signs
        first, last = np.maximum(0, begin - WINDOW), np.minimum(len(context.tokens), end + WINDOW)
        around = sums[last] - sums[end] + sums[begin] - sums[first]
        many = counts[last] - counts[end] + counts[begin] - counts[first]
        scores = np.zeros(len(context.word))
        scores[known] = np.einsum("nd,nd->n", vectors, around) / np.maximum(many, 1.0)
        return scores

    def _running(self, context: Context, known: Ints, number: Ints) -> tuple[NDArray[np.float32], Floats]:
        """Running sums, over the tokens, of the expected vectors of the original's words, and of their count."""
        size = len(context.tokens)
        sums = np.zeros((size + 1, self.vectors.shape[1]), dtype=np.float32)
        counts = np.zeros(size + 1)
        certain = self._number([token.norm for token in context.tokens])
        certain[context.begin[context.begin >= 0]] = -1
        plain = np.flatnonzero(certain >= 0)
        sums[plain + 1] = self.vectors[certain[plain]]
        counts[plain + 1] = 1.0
        share = context.share[known]
        likely = share > 0.01
        place, weight = context.begin[known][likely] + 1, share[likely]
        np.add.at(sums, place, self.vectors[number[likely]] * weight[:, None].astype(np.float32))
        np.add.at(counts, place, weight)
        return np.cumsum(sums, axis=0), np.cumsum(counts)


def save(ranker: VectorRanker) -> bytes:
    """The bytes of a ranker's file: a zip of plain arrays, a byte per number of a vector."""
    scale = np.maximum(np.abs(ranker.vectors).max(axis=1, keepdims=True), 1e-9) / 127
    arrays = {
        "vectors": np.round(ranker.vectors / scale).astype(np.int8),
        "scale": scale[:, 0].astype(np.float32),
        "signs": ranker.signs.astype(np.float32),
        "words": np.frombuffer("\n".join(ranker.words).encode(), dtype=np.uint8),
        "capital": np.round(ranker.capital * 255).astype(np.uint8),
        "weights": np.asarray(ranker.weights),
    }
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # numbers only; older numpy would take `allow_pickle` for an array
    return file.getvalue()


def load(path: Path) -> VectorRanker:
    """The ranker in a file. Raises InputError, or FormatError if it is damaged; never runs what it reads."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            weights = Weights(*arrays["weights"].tolist())
            capital = arrays["capital"].astype(np.float32) / 255
            vectors = arrays["vectors"].astype(np.float32) * arrays["scale"][:, None]
            words = arrays["words"].tobytes().decode().split("\n")
            if vectors.ndim != 2 or arrays["signs"].shape != vectors.shape[1:]:
                raise ValueError("its arrays do not fit together")
            if not len(words) == len(vectors) == len(capital):
                raise ValueError("its arrays are not of one length")
            if not all(np.isfinite(array).all() for array in (vectors, capital, arrays["signs"], weights)):
                raise ValueError("numbers that are none")
            return VectorRanker(words, vectors, arrays["signs"], capital, weights=weights)
    except OSError as error:
        raise InputError(path, f"cannot be read as a ranker ({error.strerror or error})") from error
    except DAMAGED as error:
        raise FormatError(path, "not a ranker of this version, or damaged") from error


def _shipped(name: str) -> Path:
    return Path(str(resources.files("unspin"))) / "models" / name


@cache
def context_ranker() -> VectorRanker:
    """The shipped word vectors, loaded once."""
    return load(_shipped("en.vectors"))


@cache
def neural_ranker() -> Ranker:
    """The shipped transformer, beside the shipped word vectors, loaded once."""
    from unspin.neural.ranker import load as load_neural

    return load_neural(_shipped(f"en{NEURAL_SUFFIX}"), base=context_ranker())


def default_ranker() -> Ranker:
    """The ranker that decoding uses unless told otherwise."""
    return load_ranker(DEFAULT)


def load_ranker(name: str) -> Ranker:
    """A ranker by name ("neural", "context" or "none") or by path (a neural one's ends in .onnx).

    Raises InputError or FormatError.
    """
    named: dict[str, Callable[[], Ranker]] = {
        UNRANKED.digest: lambda: UNRANKED,
        CONTEXT: context_ranker,
        NEURAL: neural_ranker,
    }
    if name in named:
        return named[name]()
    if name.endswith(NEURAL_SUFFIX):
        from unspin.neural.ranker import load as load_neural

        return load_neural(Path(name), base=context_ranker())
    return load(Path(name))
