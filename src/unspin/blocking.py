"""Which texts of a collection are worth comparing.

In comes a `Corpus`; out go pairs of its texts that share two or more rare grams, the *candidates*. This is called
blocking in record linkage. Nothing is refused; a text without grams has no candidates.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unspin.fingerprint import Corpus, Hashes, Longs, grams, pairs
from unspin.model import Progress

# The figures below were chosen on spun passages among clean ones: `benchmarks/copies.py` prints what they find.
MIN_SYMBOLS = 10  # shorter texts leave too little to compare
COMMON = 50  # a gram of more texts tells nothing
COMMON_PAIR = 8  # and so does a pair of symbols
NEXT = 16  # of the texts that share a gram, each is tried with so many after it
SHARED = 2  # grams that make a candidate
SHARED_RATE = 0.02  # and so many for each symbol of the shorter text: long texts share some by chance
SLICES = 16  # of all grams, joined one after the other to bound memory


def candidates(corpus: Corpus, *, progress: Progress | None = None) -> tuple[Longs, Longs, Longs]:
    """Pairs of texts, the lower number first, that share enough rare grams, and how many they share.

    Of the texts that share a gram, each is tried with the `NEXT` after it; where they are too many for the gram to tell
    much, with the next one only, so that very many copies of one text still hang together. Time and memory grow in
    proportion to the texts.
    """
    size = len(corpus)
    found: list[Longs] = []
    for number, (source, common) in enumerate(((grams, COMMON), (pairs, COMMON_PAIR))):
        keys = source(corpus)
        top = (keys.hashes >> np.uint64(60)).astype(np.uint8)
        for part in range(SLICES):
            here = np.flatnonzero(top == part)
            order = here[np.argsort(keys.hashes[here], kind="stable")]
            found += joined(keys.hashes[order], keys.texts[order].astype(np.int64), common, size, drop=number == 1)
            if progress:
                progress("matching", number * SLICES + part + 1, 2 * SLICES)
    both, counts = np.unique(np.concatenate(found), return_counts=True)
    first, second = both // max(1, size), both % max(1, size)
    lengths = np.diff(corpus.bounds)
    shorter = np.minimum(lengths[first], lengths[second])
    enough = (counts >= np.maximum(SHARED, SHARED_RATE * shorter)) & (shorter >= MIN_SYMBOLS)
    return first[enough], second[enough], counts[enough]


def joined(hashes: Hashes, texts: Longs, common: int, size: int, *, drop: bool) -> Iterator[Longs]:
    """Pairs of texts that share a gram, as one number each. Common grams join neighbours, or `drop` out."""
    starts = np.flatnonzero(np.append(True, hashes[1:] != hashes[:-1])[: len(hashes)])
    counts = np.diff(np.append(starts, len(hashes)))
    is_rare = np.repeat(counts <= common, counts)
    if drop:
        hashes, texts, is_rare = hashes[is_rare], texts[is_rare], is_rare[is_rare]
    for step in range(1, min(NEXT, len(hashes))):
        left, right = texts[:-step], texts[step:]  # in rising order, for the sort was stable
        share = (hashes[step:] == hashes[:-step]) & (left != right)
        if step > 1:
            share &= is_rare[step:]
        yield left[share] * size + right[share]
    yield np.empty(0, np.int64)
