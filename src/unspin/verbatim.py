"""Long passages that stand word for word in several places, inside texts that may have nothing else in common.

Texts come in; `CopyGroup`s come out, in the order of their kept passages. Every run of `min_words` words that stood
before, in the same text or in one that goes before it, belongs to a copy, and every copy to one place where it stood
(as Lee et al. 2022 remove repeated substrings). Runs are found by hashes of normal forms and compared word by word;
places take the marks around them that are the same. Refused, by ValueError: runs of less than `SHORTEST` words. Time
and memory grow in proportion to the texts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import xxhash

from unspin.model import Copy, CopyGroup, DuplicateKind, Place, Progress
from unspin.words import Flags, Hashes, Ints, Longs, bare, spans, split

SHORTEST = 8  # words: shorter runs are idioms
BLOCK = 1 << 18  # words hashed at a time
SLICES = 16  # of all runs, sorted one after the other to bound memory
CHUNK = 1 << 8  # words compared at first, and twice as many each time that all are equal
REMEMBERED = 256  # texts of which the places of words are

_BASE = np.uint64(0x9E3779B97F4A7C15)  # of the polynomial that hashes runs; odd, so that it has an inverse
_MARKS = re.compile(r"[^\w\s]*")


class _Run(NamedTuple):
    """Words `start:start + size`, counted over all texts, also stand from `source` on."""

    start: int
    source: int
    size: int


def find_passages(
    texts: Sequence[str],
    *,
    min_words: int,
    order: Callable[[int], Any] | None = None,
    progress: Progress | None = None,
) -> tuple[CopyGroup, ...]:
    """The passages of `min_words` words or more that stand in several places.

    A passage is kept in the text that comes first by `order`, a key of its number, or else as they are given.
    """
    if min_words < SHORTEST:
        raise ValueError(f"passages of {min_words} words are too short; give {SHORTEST} or more")
    ranked = sorted(range(len(texts)), key=order)
    words = split((texts[number] for number in ranked), count=len(texts), progress=progress)
    hashes, is_whole = _hashed(words.numbers, words.bounds, _names(words.norms), min_words)
    found = _repeated(hashes, is_whole, min_words, progress)
    runs = _runs(*found, words.numbers, words.bounds, min_words)
    return _groups(runs, _Texts(texts, ranked, words.bounds))


def _names(norms: Iterable[str]) -> Hashes:
    return np.fromiter((xxhash.xxh64_intdigest(norm.encode()) for norm in norms), np.uint64)


def _hashed(numbers: Ints, bounds: Longs, names: Hashes, size: int) -> tuple[Hashes, Flags]:
    """For each word a hash of the run of `size` words that starts there, and whether the run is of one text."""
    inverse = np.uint64(pow(int(_BASE), -1, 1 << 64))
    steps = np.ones((2, BLOCK + size), np.uint64)
    steps[:, 1:] = np.array([[_BASE], [inverse]])
    powers, inverses = np.cumprod(steps, axis=1, dtype=np.uint64)
    hashes, is_whole = np.zeros(len(numbers), np.uint64), np.zeros(len(numbers), np.bool_)
    for start in range(0, max(0, len(numbers) - size + 1), BLOCK):
        part = names[numbers[start : start + BLOCK + size - 1]]
        sums = np.append(np.uint64(0), np.cumsum(part * powers[: len(part)]))
        count = len(part) - size + 1
        hashes[start : start + count] = (sums[size:] - sums[:count]) * inverses[:count]
        firsts = np.arange(start, start + count)
        is_whole[start : start + count] = firsts + size <= bounds[np.searchsorted(bounds, firsts, side="right")]
    return hashes, is_whole


def _repeated(hashes: Hashes, is_whole: Flags, size: int, progress: Progress | None) -> tuple[Longs, Longs]:
    """Where runs start that stood before, in rising order, and where they first did."""
    starts, sources = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    part_of = (hashes >> np.uint64(60)).astype(np.uint8)
    for part in range(SLICES):
        here = np.flatnonzero(is_whole & (part_of == part))
        here = here[np.argsort(hashes[here], kind="stable")]
        opens = np.flatnonzero(np.append(True, np.diff(hashes[here]) != 0)[: len(here)])
        first = np.repeat(here[opens], np.diff(np.append(opens, len(here))))
        apart = here - first >= size
        starts.append(here[apart])
        sources.append(first[apart])
        if progress:
            progress("matching", part + 1, SLICES)
    start, source = np.concatenate(starts), np.concatenate(sources)
    order = np.argsort(start)
    return start[order], source[order]


def _runs(starts: Longs, sources: Longs, numbers: Ints, bounds: Longs, size: int) -> Iterator[_Run]:
    """Runs as long as they can be, each from where the one before it ends."""
    turn = done = 0
    while turn < len(starts):
        start, source = int(starts[turn]), int(sources[turn])
        ends = bounds[np.searchsorted(bounds, (start, source), side="right")]
        longest = _equal(numbers, start, source, min(int(ends[0]) - start, int(ends[1]) - source, start - source))
        if longest < size:  # only the hashes are equal
            turn += 1
            continue
        begin, end = max(start, done), start + longest
        if end > begin:
            yield _Run(begin, source + begin - start, end - begin)
        done = end
        turn = int(np.searchsorted(starts, end - size, side="right"))


def _equal(numbers: Ints, first: int, second: int, most: int) -> int:
    """How many words from two places on are equal."""
    size, chunk = 0, CHUNK
    while size < most:
        count = min(chunk, most - size)
        here, there = (numbers[start + size : start + size + count] for start in (first, second))
        if not np.array_equal(here, there):
            return size + int(np.argmax(here != there))
        size, chunk = size + count, 2 * chunk
    return most


class _Texts:
    """Where words stand. `ranked` are the numbers of the texts in the order in which words are counted."""

    def __init__(self, texts: Sequence[str], ranked: Sequence[int], bounds: Longs) -> None:
        self.texts, self.ranked, self.bounds = texts, ranked, bounds
        self._spans = lru_cache(REMEMBERED)(lambda number: spans(texts[number]))

    def place(self, start: int, size: int) -> Place:
        """Of some words of one text."""
        rank = int(np.searchsorted(self.bounds, start, side="right")) - 1
        first = start - int(self.bounds[rank])
        starts, ends = self._spans(self.ranked[rank])
        return Place(self.ranked[rank], int(starts[first]), int(ends[first + size - 1]))

    def quoted(self, place: Place) -> str:
        return self.texts[place.text][place.start : place.end]

    def places(self, run: _Run) -> tuple[Place, Place]:
        """Where a run stands and where it stood before, with the marks after it if they are the same."""
        pair = self.place(run.start, run.size), self.place(run.source, run.size)
        after, before = (_marks(self.texts[place.text], place.end) for place in pair)
        more = len(after) if after == before else 0
        copy, source = (Place(place.text, place.start, place.end + more) for place in pair)
        return copy, source


def _marks(text: str, start: int) -> str:
    found = _MARKS.match(text, start)
    return found.group() if found else ""


def _groups(runs: Iterable[_Run], texts: _Texts) -> tuple[CopyGroup, ...]:
    copies: defaultdict[Place, list[Copy]] = defaultdict(list)
    for run in runs:
        place, source = texts.places(run)
        is_exact = bare(texts.quoted(place)) == bare(texts.quoted(source))
        kind = DuplicateKind.EXACT if is_exact else DuplicateKind.NORMALISED
        copies[source].append(Copy(place, kind, 1.0, f"the same {run.size:,} words in a row"))
    ordered = sorted(copies, key=lambda place: (place.text, place.start, place.end))
    return tuple(CopyGroup(kept, tuple(copies[kept]), (kept, copies[kept][0].place), 1.0) for kept in ordered)
