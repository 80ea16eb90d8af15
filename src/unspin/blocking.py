"""Which texts of a collection are worth comparing.

In comes a `Corpus`; out go pairs of its texts that share two or more rare grams, the *candidates*. This is called
blocking in record linkage. Nothing is refused; a text without grams has no candidates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from unspin.fingerprint import Corpus, Grams, gram_blocks, pair_blocks
from unspin.model import Progress
from unspin.words import Hashes, Longs

# The figures below were chosen on spun passages among clean ones: `benchmarks/copies.py` prints what they find.
MIN_SYMBOLS = 10  # shorter texts leave too little to compare
COMMON = 50  # a gram of more texts tells nothing
COMMON_PAIR = 12  # and so does a pair of symbols
NEXT = 16  # of the texts that share a gram, each is tried with so many after it
SHARED = 2  # grams that make a candidate
SHARED_RATE = 0.02  # and so many for each symbol of the shorter text: long texts share some by chance
SLICES = 16  # of all grams, joined one after the other to bound memory; a power of two
PENDING = 1 << 18  # pairs of texts counted at a time, to bound memory


def candidates(corpus: Corpus, *, progress: Progress | None = None) -> tuple[Longs, Longs, Longs]:
    """Pairs of texts, the lower number first, that share enough rare grams, and how many they share.

    Of the texts that share a gram, each is tried with the `NEXT` after it; where they are too many for the gram to tell
    much, with the next one only, so that very many copies of one text still hang together. Time and memory grow in
    proportion to the texts.
    """
    bits = max(1, len(corpus).bit_length())
    found = _Tally(len(corpus) << bits)
    for number, (blocks, common) in enumerate(((gram_blocks(corpus), COMMON), (pair_blocks(corpus), COMMON_PAIR))):
        for part, keys in enumerate(_slices(blocks, bits)):
            for pairs in joined(keys, bits, common, drop=number == 1):
                found.add(pairs)
            if progress:
                progress("matching", number * SLICES + part + 1, 2 * SLICES)
    both, counts = found.often(SHARED)
    first, second = both >> bits, both & ((1 << bits) - 1)
    lengths = np.diff(corpus.bounds)
    shorter = np.minimum(lengths[first], lengths[second])
    enough = (counts >= SHARED_RATE * shorter) & (shorter >= MIN_SYMBOLS)
    return first[enough], second[enough], counts[enough]


def _slices(blocks: Iterable[Grams], bits: int) -> Iterator[Hashes]:
    """Grams in order, some at a time, as one number each: the top of the hash, and `bits` for the text's number.

    So grams sort fast and without an index; by the rest of their hashes they differ well enough.
    """
    text = np.uint64((1 << bits) - 1)
    edges = np.arange(1, SLICES, dtype=np.uint64) << np.uint64(65 - SLICES.bit_length())
    parts: list[list[Hashes]] = [[] for _ in range(SLICES)]
    for block in blocks:
        keys = np.sort((block.hashes & ~text) | block.texts.astype(np.uint64))
        for part, some in zip(parts, np.split(keys, np.searchsorted(keys, edges)), strict=True):
            part.append(some)
    for part in parts:
        keys = np.concatenate([np.empty(0, np.uint64), *part])
        part.clear()
        keys.sort()
        yield keys


def joined(keys: Hashes, bits: int, common: int, *, drop: bool) -> Iterator[Longs]:
    """Pairs of texts that share a gram, as one number each. Common grams join neighbours, or `drop` out."""
    hashes = keys >> np.uint64(bits)
    equal = hashes[1:] == hashes[:-1]
    again = np.append(False, equal) | np.append(equal, False)  # most grams stand in one text
    hashes, texts = hashes[again[: len(keys)]], (keys[again[: len(keys)]] & np.uint64((1 << bits) - 1)).astype(np.int64)
    starts = np.flatnonzero(np.append(True, hashes[1:] != hashes[:-1])[: len(hashes)])
    counts = np.diff(np.append(starts, len(hashes)))
    is_rare = np.repeat(counts <= common, counts)
    if drop:
        hashes, texts, is_rare = hashes[is_rare], texts[is_rare], is_rare[is_rare]
    for step in range(1, min(NEXT, len(hashes))):
        left, right = texts[:-step], texts[step:]  # in rising order
        share = hashes[step:] == hashes[:-step]
        if not share.any():  # nor do any that stand farther apart
            return
        share &= left != right
        if step > 1:
            share &= is_rare[step:]
        yield (left[share] << bits) | right[share]


class _Tally:
    """Counts pairs of texts, which are numbers below `limit`: most pairs come once, so that there are many."""

    def __init__(self, limit: int) -> None:
        self._edges = np.linspace(0, limit, SLICES + 1).astype(np.int64)[1:-1]
        self._parts = [(np.empty(0, np.int64), np.empty(0, np.int32))] * SLICES
        self._pending: list[Longs] = []
        self._size = 0  # of what is pending

    def add(self, pairs: Longs) -> None:
        self._pending.append(pairs)
        self._size += len(pairs)
        if self._size > max(PENDING, sum(len(pairs) for pairs, _ in self._parts) // 2):
            self._settle()

    def _settle(self) -> None:
        new = np.concatenate([np.empty(0, np.int64), *self._pending])
        self._pending, self._size = [], 0
        new.sort()
        for number, part in enumerate(np.split(new, np.searchsorted(new, self._edges))):
            pairs, counts = self._parts[number]
            pairs = np.concatenate((pairs, part))
            counts = np.concatenate((counts, np.ones(len(part), np.int32)))
            order = np.argsort(pairs)
            pairs, counts = pairs[order], counts[order]
            starts = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)])
            self._parts[number] = pairs[starts], np.add.reduceat(counts, starts, dtype=np.int32)

    def often(self, least: int) -> tuple[Longs, Longs]:
        """The pairs that were added so often, in order, and how often each was."""
        self._settle()
        stays = [counts >= least for _, counts in self._parts]
        pairs = [pairs[stay] for (pairs, _), stay in zip(self._parts, stays, strict=True)]
        counts = [counts[stay] for (_, counts), stay in zip(self._parts, stays, strict=True)]
        return np.concatenate(pairs), np.concatenate(counts).astype(np.int64)
