"""Language models: P(word | the two tokens before it).

In come token trigrams, many at a time; out come natural-log probabilities. A model is anything with
`score` and a `digest`. The default is a mixture of two: the English trigrams that the package pocketsphinx
carries (`backoff.py`) and a packed model compiled from clean text that this package ships (`ngrams.py`). All
fall back on wordfreq for words they do not know, so that a rare word still beats a rarer one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from unspin.errors import InputError
from unspin.lattice import Floats, Ints

if TYPE_CHECKING:
    from pocketsphinx import LogMath, NGramModel

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
def _frequencies() -> dict[str, float]:
    from wordfreq import get_frequency_dict  # slow to import

    return get_frequency_dict("en", "best")


def unknown(word: str) -> float:
    """ln P(word) for a word outside a model's vocabulary, from its frequency on the web (wordfreq)."""
    return UNKNOWN_SHARE + math.log(max(_frequencies().get(word, 0.0), LEAST_FREQUENCY) * 1e3)


class Arpa:
    """A trigram model in ARPA format, read and asked through pocketsphinx: slower, but any tool's.

    Punctuation that the model does not know is read across.
    """

    def __init__(self, path: Path) -> None:
        from pocketsphinx import LogMath, NGramModel, set_loglevel

        set_loglevel("FATAL")  # its library would write to stderr by itself
        try:
            self._model: NGramModel = NGramModel.readfile(str(path))
        except ValueError as error:
            raise InputError(path, "not a language model (a packed trigram or ARPA file)") from error
        log: LogMath = LogMath()
        self._scale = log.log_to_ln(1_000_000) / 1_000_000
        self._least = log.get_zero()  # what the library answers for words outside its vocabulary
        self.digest = f"{path.stem}-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"

    def _knows(self, word: str) -> bool:
        return word == START or self._model.prob((word,)) > self._least

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        known = [self._knows(word) for word in words]
        is_mark = [not (k or any(c.isalnum() for c in w)) for k, w in zip(known, words, strict=True)]
        scores = np.empty(len(trigrams))
        for row, (far, near, word) in enumerate(trigrams.tolist()):
            if not known[word]:
                scores[row] = MARK if is_mark[word] else unknown(words[word])
                continue
            history = [n for n in (near, far) if n >= 0 and not is_mark[n]]
            spoken = takewhile(known.__getitem__, history)
            scores[row] = self._model.prob((words[word], *(words[n] for n in spoken))) * self._scale
        return scores


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
    from unspin.ngrams import MAGIC, load

    try:
        with path.open("rb") as file:
            is_packed = file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise InputError(path, f"cannot be read as a language model ({error.strerror})") from error
    return load(path) if is_packed else Arpa(path)


@cache
def default_model() -> LanguageModel:
    """The model that decoding uses unless told otherwise, loaded once."""
    from unspin.backoff import embedded
    from unspin.ngrams import load, shipped

    return Mixture(embedded(), load(shipped()))
