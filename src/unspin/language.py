"""Language models: P(word | the two tokens before it).

In come token trigrams, many at a time; out come natural-log probabilities. A model is anything with
`score` and a `digest`. The default is a mixture of two: the English trigrams that the package pocketsphinx
carries (`backoff.py`) and a packed model compiled from clean text that this package ships (`ngrams.py`). All
fall back on wordfreq for words they do not know, so that a rare word still beats a rarer one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np
import xxhash
from numpy.typing import NDArray

from unspin.errors import InputError
from unspin.lattice import Floats, Ints

START = "<s>"  # stands before the first token of a sentence
UNKNOWN_SHARE = math.log(2e-3)  # the probability that all words unknown to a model share
MARK = math.log(0.05)  # what a model without punctuation gives to each mark
LEAST_FREQUENCY = 1e-9  # of a word that wordfreq does not know either


class LanguageModel(Protocol):
    """P(word | history), in nats."""

    @property
    def digest(self) -> str:
        """Names the model in signatures; changes whenever a score could."""
        ...

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        """ln P(words[c] | words[a], words[b]) for each row (a, b, c) of `trigrams`, shape (n, 3).

        `words` are normal forms (`text.normalise`), or START.
        """
        ...


@cache
def _frequencies() -> tuple[NDArray[np.uint64], Floats]:
    """The words that wordfreq knows, as hashes in order, and how frequent each is: a tenth of a dict's size."""
    from wordfreq import cB_to_freq, get_frequency_list  # slow to import

    buckets = get_frequency_list.__wrapped__("en", "best")  # by falling frequency; unread, for that would be kept
    hashes = np.fromiter(map(_hash, chain.from_iterable(buckets)), np.uint64)
    shares = np.repeat([cB_to_freq(-number) for number in range(len(buckets))], [*map(len, buckets)])
    order = np.argsort(hashes)
    return hashes[order], shares[order]


def _hash(word: str) -> int:
    return xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))


def _frequency(word: str) -> float:
    """How much of all text a word is, 0 if wordfreq does not know it."""
    hashes, shares = _frequencies()
    wanted = np.uint64(_hash(word))
    place = int(np.searchsorted(hashes[:-1], wanted))
    return float(shares[place]) if hashes[place] == wanted else 0.0


def unknown(word: str) -> float:
    """ln P(word) for a word outside a model's vocabulary, from its frequency on the web (wordfreq)."""
    return UNKNOWN_SHARE + math.log(max(_frequency(word), LEAST_FREQUENCY) * 1e3)


class Mixture:
    """The weighted arithmetic mean of several models' probabilities."""

    def __init__(self, *models: LanguageModel, weights: Sequence[float] | None = None) -> None:
        shares = np.asarray(weights if weights is not None else [1.0] * len(models))
        if len(shares) != len(models) or not len(models) or (shares <= 0).any():
            raise ValueError("a mixture needs as many positive weights as models")
        self._models = models
        self._shares = np.log(shares / shares.sum())

    @property
    def digest(self) -> str:
        shares = np.exp(self._shares).tolist()
        return "+".join(f"{share:.3g}*{model.digest}" for share, model in zip(shares, self._models, strict=True))

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        scores = [m.score(words, trigrams) + share for m, share in zip(self._models, self._shares, strict=True)]
        mean: Floats = np.logaddexp.reduce(scores)
        return mean


def load_model(path: Path) -> LanguageModel:
    """The model in a file: packed trigrams, or ARPA. Raises InputError or FormatError."""
    from unspin import arpa
    from unspin.ngrams import MAGIC, load

    try:
        with path.open("rb") as file:
            is_packed = file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise InputError(path, f"cannot be read as a language model ({error.strerror})") from error
    return load(path) if is_packed else arpa.load(path)


@cache
def default_model() -> LanguageModel:
    """The model that decoding uses unless told otherwise, loaded once."""
    from unspin.backoff import embedded
    from unspin.ngrams import load, shipped

    return Mixture(embedded(), load(shipped()))
