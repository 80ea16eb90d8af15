"""Train the context ranker from clean text alone.

In come clean texts and the words to know; out come word vectors, and the weights at which they undo best what the
channel does to clean text that the vectors have not seen. Deterministic; the counting can be taken up again
where it stopped (`Counts.save`).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unspin.edit import cleaned
from unspin.errors import FormatError, UnspinError
from unspin.evaluate import Score, score, total
from unspin.gold import Gold, parse_markup
from unspin.language import LanguageModel
from unspin.lexicon import Lexicon, Phrase
from unspin.model import Progress
from unspin.ngrams import usable
from unspin.pipeline import restore
from unspin.rank import DAMAGED, VectorRanker, Weights, written
from unspin.spin import markup, spin

WORDS = 30_000  # the most frequent ones have vectors
DIMENSIONS = 128
REACH = 8  # tokens to either side that count as near
LEAST_COUNT = 4  # pairs of words seen together less often say nothing
BATCH = 3_000_000  # tokens counted at a time: merging costs as much as counting
SMOOTHING = 0.875  # exponent on word frequencies, so that rare words are not near everything
FEW = 4.0  # a word seen so often inside a sentence is capitalised half as its own counts say, half as words are
# Weights tried, one after the other and round again: each with the others at their best so far.
TRIED = (
    ("near", (1.0, 2.0, 3.0, 4.0, 6.0)),
    ("case", (0.3, 0.6, 1.0)),
    ("language", (0.6, 0.7, 0.8)),
    ("length", (-0.2, -0.4)),
    ("channel", (0.8, 1.2)),
    ("near", (2.0, 3.0, 4.0, 5.0, 6.0)),
    ("case", (0.3, 0.6, 1.0)),
)


@dataclass(slots=True)
class Counts:
    """How often words stand near each other: sparse, as sorted keys `first * size + second`; and how often each
    stands inside a sentence, and is capitalised there: `cased`, shape (2, words)."""

    words: tuple[str, ...]
    key: NDArray[np.int64]
    count: NDArray[np.float32]
    cased: NDArray[np.float64]
    done: tuple[str, ...] = ()  # names of the texts counted

    @classmethod
    def empty(cls, words: Sequence[str]) -> Counts:
        """No counts yet, for these words."""
        return cls(tuple(words), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32), np.zeros((2, len(words))))

    def add(self, chunks: Iterable[str], *, name: str, held_out: Set[Phrase], progress: Progress) -> Counts:
        """These counts and those of one more text, given in chunks of whole paragraphs."""
        numbers = {word: number for number, word in enumerate(self.words)}
        key, count, cased = self.key, self.count, self.cased.copy()
        running: list[int] = []
        for step, chunk in enumerate(chunks):
            for paragraph in usable(chunk, held_out):
                for sentence in paragraph.sentences:
                    found = [numbers.get(token.norm, -1) for token in sentence.tokens]
                    running += found
                    _count_case(cased, np.asarray(found), written(sentence.tokens, [0]))
                running += [-1] * REACH
            if len(running) > BATCH:
                key, count = _merged(key, count, *_near(np.asarray(running, dtype=np.int64), len(self.words)))
                running = []
            progress("count", step + 1, 0)
        key, count = _merged(key, count, *_near(np.asarray(running, dtype=np.int64), len(self.words)))
        return Counts(self.words, key, count, cased, (*self.done, name))

    def save(self) -> bytes:
        """The bytes of a file from which counting can go on."""
        file = io.BytesIO()
        words, done = (np.frombuffer("\n".join(n).encode(), dtype=np.uint8) for n in (self.words, self.done))
        np.savez(file, key=self.key, count=self.count, cased=self.cased, words=words, done=done)
        return file.getvalue()

    @classmethod
    def load(cls, path: Path) -> Counts:
        """The counts in a file; FormatError if it is damaged."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                words, done = (tuple(arrays[n].tobytes().decode().split("\n")) for n in ("words", "done"))
                done = tuple(name for name in done if name)
                return cls(words, arrays["key"], arrays["count"], arrays["cased"], done)
        except (OSError, *DAMAGED) as error:
            raise FormatError(path, f"no counts to go on from ({error}); remove it to start again") from error


def _count_case(cased: NDArray[np.float64], words: NDArray[np.int64], case: NDArray[np.int8]) -> None:
    told = (case != 0) & (words >= 0)
    np.add.at(cased[0], words[told], 1.0)
    np.add.at(cased[1], words[told & (case > 0)], 1.0)


def _near(running: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Keys and counts of all pairs at most REACH apart, the smaller number first."""
    keys = []
    for distance in range(1, REACH + 1):
        first, second = running[:-distance], running[distance:]
        both = (first >= 0) & (second >= 0)
        low, high = np.minimum(first[both], second[both]), np.maximum(first[both], second[both])
        keys.append(low * size + high)
    key, count = np.unique(np.concatenate(keys), return_counts=True)
    return key, count.astype(np.float32)


def _merged(
    key: NDArray[np.int64], count: NDArray[np.float32], more: NDArray[np.int64], added: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    both, place = np.unique(np.concatenate([key, more]), return_inverse=True)
    summed = np.bincount(place, weights=np.concatenate([count, added]), minlength=len(both))
    return both, summed.astype(np.float32)


def vectors(counts: Counts) -> VectorRanker:
    """The best low-rank picture of the words' positive pointwise mutual information; weights 0 as yet.

    Needs scipy (the extra `train`).
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import eigsh

    size = len(counts.words)
    kept = counts.count >= LEAST_COUNT
    first, second = np.divmod(counts.key[kept], size)
    half = coo_matrix((counts.count[kept].astype(np.float64), (first, second)), shape=(size, size))
    pairs = (half + half.T).tocoo()
    frequency = np.maximum(np.asarray(pairs.sum(axis=1)).ravel(), 1.0)
    smooth = frequency**SMOOTHING
    expected = smooth[pairs.row] * smooth[pairs.col] * frequency.sum() / smooth.sum() ** 2
    pairs.data = np.maximum(np.log(pairs.data / expected), 0.0)
    if not pairs.data.any():
        raise UnspinError("too little text to train on: no two words stand near each other often enough")
    values, axes = eigsh(pairs.tocsr(), k=min(DIMENSIONS, size - 1), which="LM", v0=np.ones(size))
    order = np.argsort(-np.abs(values), kind="stable")
    values[np.abs(values) < 1e-6 * np.abs(values).max()] = 0.0  # noise, where the text has fewer dimensions
    scaled = (axes * np.sqrt(np.abs(values)))[:, order].astype(np.float32)
    seen, upper = counts.cased
    usual = upper.sum() / max(1.0, seen.sum())
    capital = ((upper + FEW * usual) / (seen + FEW)).astype(np.float32)
    signs = np.sign(values[order]).astype(np.float32)
    return VectorRanker(counts.words, scaled, signs, capital, weights=Weights())


def tune(
    ranker: VectorRanker,
    texts: Sequence[str],
    lexicon: Lexicon,
    model: LanguageModel,
    *,
    seed: int,
    progress: Progress = lambda stage, done, total: None,
) -> tuple[VectorRanker, Score]:
    """The ranker with the weights that best undo the spinning of clean texts, and the score it gets."""
    golds = list(spun_golds(texts, lexicon, seed))
    best, chosen = _scored(ranker, golds, lexicon, model), ranker
    tried = 0
    for name, values in TRIED:
        for value in values:
            tried += 1
            weights = chosen.weights._replace(**{name: value})
            candidate = VectorRanker(ranker.words, ranker.vectors, ranker.signs, ranker.capital, weights=weights)
            found = _scored(candidate, golds, lexicon, model)
            if found.f05 > best.f05:
                best, chosen = found, candidate
            progress("tune", tried, sum(len(values) for _, values in TRIED))
    return chosen, best


def spun_golds(texts: Sequence[str], lexicon: Lexicon, seed: int) -> Iterator[Gold]:
    """Each text spun, with its markup; texts that markup cannot express are passed over."""
    for number, text in enumerate(texts):
        with suppress(FormatError):
            yield parse_markup(markup(spin(text, lexicon, seed=seed + number)), name=f"text {number}")


def _scored(ranker: VectorRanker, golds: Sequence[Gold], lexicon: Lexicon, model: LanguageModel) -> Score:
    return total(
        score(gold, cleaned(restore(gold.text, lexicon=lexicon, model=model, ranker=ranker, assume_spun=True)))
        for gold in golds
    )
