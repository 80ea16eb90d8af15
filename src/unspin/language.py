"""Language models: P(word | the two tokens before it).

In come token trigrams, many at a time; out come natural-log probabilities. A model is anything with
`score` and a `digest`. Two are built in and mixed by default: the trigrams of English that the package
pocketsphinx carries, and a packed model compiled from clean text (`ngrams.py`) that this package ships. Both
fall back on wordfreq for words they do not know, so that a rare word still beats a rarer one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from unspin.errors import InputError

if TYPE_CHECKING:
    from pocketsphinx import LogMath, NGramModel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

START = "<s>"  # stands before the first token of a sentence
UNKNOWN_SHARE = math.log(2e-3)  # the probability that all words unknown to a model share
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


class PocketSphinx:
    """The trigram model of spoken and written English that pocketsphinx installs (72,000 words).

    It knows no punctuation: a history is read across it.
    """

    def __init__(self) -> None:
        from pocketsphinx import LogMath, NGramModel, get_model_path

        path = Path(get_model_path()) / "en-us" / "en-us.lm.bin"
        if not path.is_file():
            raise InputError(path, "pocketsphinx is installed without its English model; reinstall it")
        self._model: NGramModel = NGramModel.readfile(str(path))
        self._log: LogMath = LogMath()
        self._scale = self._log.log_to_ln(1_000_000) / 1_000_000
        self._unknown_below = -200_000_000  # what the library answers for words outside its vocabulary
        self._path = path

    @cached_property
    def digest(self) -> str:
        return f"sphinx-{self._path.stat().st_size}"

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        prob, scale = self._model.prob, self._scale
        known = [prob((word,)) > self._unknown_below for word in words]
        spoken: list[str | None] = [word if ok else None for word, ok in zip(words, known, strict=True)]
        spoken = [START if word == START else s for word, s in zip(words, spoken, strict=True)]
        is_word = [word == START or any(c.isalnum() for c in word) for word in words]
        scores = np.empty(len(trigrams))
        for row, (a, b, c) in enumerate(trigrams.tolist()):
            word = spoken[c]
            if word is None:
                scores[row] = unknown(words[c]) if is_word[c] else PUNCTUATION
                continue
            if not is_word[b]:
                a, b = -1, a
            near = spoken[b] if b >= 0 else None
            if near is None:
                scores[row] = prob((word,)) * scale
            else:
                far = spoken[a] if a >= 0 and is_word[a] else None
                scores[row] = prob((word, near) if far is None else (word, near, far)) * scale
        return scores


PUNCTUATION = math.log(0.05)  # what a model without punctuation gives to each mark


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
        return "+".join(model.digest for model in self._models)

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        scores = [m.score(words, trigrams) + share for m, share in zip(self._models, self._shares, strict=True)]
        return np.logaddexp.reduce(scores)


@cache
def default_model() -> LanguageModel:
    """The model that decoding uses unless told otherwise, loaded once."""
    from unspin.ngrams import PackedTrigrams

    with resources.as_file(resources.files("unspin") / "models" / "en.ngrams") as path:
        return PackedTrigrams(path)
