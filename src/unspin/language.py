"""Language models: P(word | the two tokens before it).

In come token trigrams, many at a time; out come natural-log probabilities. A model is anything with
`score` and a `digest`. The default is a packed model that this package ships (`ngrams.py`): counts of clean
text, averaged with the trigrams of English that the package pocketsphinx carries. That one can also be used
alone, as can any ARPA file. All fall back on wordfreq for words they do not know, so that a rare word
still beats a rarer one.
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
PUNCTUATION = math.log(0.05)  # what a model without punctuation gives to each mark
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
    """A trigram model read by pocketsphinx: its own of English (72,000 words), or an ARPA file.

    Punctuation that the model does not know is read across.
    """

    def __init__(self, path: Path | None = None) -> None:
        from pocketsphinx import LogMath, NGramModel, get_model_path, set_loglevel

        set_loglevel("FATAL")  # its library would write to stderr by itself
        self._path = path or Path(get_model_path()) / "en-us" / "en-us.lm.bin"
        try:
            self._model: NGramModel = NGramModel.readfile(str(self._path))
        except ValueError as error:
            raise InputError(self._path, "not a language model (a packed trigram or ARPA file)") from error
        self._log: LogMath = LogMath()
        self._scale = self._log.log_to_ln(1_000_000) / 1_000_000
        self._unknown_below = -200_000_000  # what the library answers for words outside its vocabulary

    def knows(self, word: str) -> bool:
        """Is the word in the model's vocabulary?"""
        return word != START and self._model.prob((word,)) > self._unknown_below

    @cached_property
    def digest(self) -> str:
        return f"{self._path.stem}-{hashlib.sha256(self._path.read_bytes()).hexdigest()[:12]}"

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        prob, scale = self._model.prob, self._scale
        spoken = [word if word == START or self.knows(word) else None for word in words]
        is_mark = [s is None and not any(c.isalnum() for c in w) for s, w in zip(spoken, words, strict=True)]
        scores = np.empty(len(trigrams))
        for row, (a, b, c) in enumerate(trigrams.tolist()):
            word = spoken[c]
            if word is None:
                scores[row] = PUNCTUATION if is_mark[c] else unknown(words[c])
                continue
            if b >= 0 and is_mark[b]:
                a, b = -1, a
            near = spoken[b] if b >= 0 else None
            far = spoken[a] if a >= 0 and near is not None else None
            scores[row] = prob((word,) if near is None else (word, near) if far is None else (word, near, far)) * scale
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
        return "+".join(model.digest for model in self._models)

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        scores = [m.score(words, trigrams) + share for m, share in zip(self._models, self._shares, strict=True)]
        return np.logaddexp.reduce(scores)


def load_model(path: Path) -> LanguageModel:
    """The model in a file: packed trigrams, or ARPA. Raises InputError or FormatError."""
    from unspin.ngrams import MAGIC, PackedTrigrams

    try:
        with path.open("rb") as file:
            is_packed = file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise InputError(path, f"cannot be read as a language model ({error.strerror})") from error
    return PackedTrigrams(path) if is_packed else PocketSphinx(path)


@cache
def default_model() -> LanguageModel:
    """The model that decoding uses unless told otherwise, loaded once."""
    from unspin.ngrams import PackedTrigrams

    with resources.as_file(resources.files("unspin") / "models" / "en.ngrams") as path:
        return PackedTrigrams(path)
