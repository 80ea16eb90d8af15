"""Sorted keys on disk: which passages have which gram, which characters, which words.

In come keys, each with a number (of a passage); out go *segments*: two files side by side, the keys in
rising order and the numbers in the same order, which are never changed once written. A key holds in its upper bits
what `Kind` of thing it is. Few segments are searched at once (`lookup`), or read from the lowest key to the highest
with so many rows in memory at a time (`slices`), which is how they are merged and joined. Refused, by IndexFault: a
segment that is missing, cut off or changed. Failures to write are OSErrors, for the caller to name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from itertools import takewhile
from math import log
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

from unspin.blocking import COMMON, COMMON_PAIR
from unspin.errors import IndexFault
from unspin.words import Hashes, Longs

Numbers = NDArray[np.uint32]

KIND_BITS = 2
CHECKED = 1 << 20  # rows read at a time where all are
TIER = 8  # segments of about one size, that are merged into one
FEW = 16  # segments of a spool at most: each slice looks into all of them
SUFFIXES = (".keys", ".numbers")


class Kind(IntEnum):
    """What a key is the hash of."""

    EXACT = 0  # a passage's characters, without white space
    WORDS = 1  # its words
    GRAM = 2
    PAIR = 3


# What more passages have tells nothing: the first of them are enough to know that they are too many.
MOST = {Kind.GRAM: COMMON, Kind.PAIR: COMMON_PAIR}


def keyed(kind: Kind, hashes: Hashes) -> Hashes:
    """Keys of one kind."""
    return (hashes >> np.uint64(KIND_BITS)) | np.uint64(kind << (64 - KIND_BITS))


def span(kind: Kind) -> tuple[int, int]:
    """The lowest key of a kind, and the lowest above all of its keys."""
    return kind << (64 - KIND_BITS), (kind + 1) << (64 - KIND_BITS)


class Rows(NamedTuple):
    """Keys in rising order, and their numbers."""

    keys: Hashes
    numbers: Numbers


@dataclass(frozen=True)
class Segment:
    """Two files of `count` rows, `path` with each of `SUFFIXES`; `checksum` is the xxh3 of both."""

    path: Path
    count: int
    checksum: str

    @property
    def files(self) -> tuple[Path, Path]:
        """Keys (uint64) and numbers (uint32), both little-endian."""
        keys, numbers = (self.path.with_name(self.path.name + suffix) for suffix in SUFFIXES)
        return keys, numbers

    @cached_property
    def keys(self) -> Hashes:
        """All keys, mapped."""
        return self._mapped(self.files[0], "<u8")

    @cached_property
    def numbers(self) -> Numbers:
        """All numbers, mapped."""
        return self._mapped(self.files[1], "<u4")

    def again(self) -> Segment:
        """The same segment, not mapped yet: what is mapped counts as memory in use until it is let go of."""
        return replace(self)

    def _mapped(self, path: Path, kind: str) -> NDArray[Any]:
        if not self.count:
            return np.empty(0, kind)
        self._measure(path, np.dtype(kind).itemsize)
        return np.memmap(path, kind, "r", shape=(self.count,))

    def _measure(self, path: Path, width: int) -> None:
        if not path.exists():
            raise IndexFault(path, "is missing; copy the whole index again, or build it anew")
        if path.stat().st_size != width * self.count:
            raise IndexFault(path, f"is cut off or changed: {path.stat().st_size} bytes, not {width * self.count}")

    def part(self, start: int, stop: int) -> Rows:
        """Rows as they were written; read, not mapped, so that what is held is what was asked for."""
        keys, numbers = self.files
        self._measure(keys, 8)
        self._measure(numbers, 4)
        return Rows(
            np.fromfile(keys, "<u8", stop - start, offset=8 * start),
            np.fromfile(numbers, "<u4", stop - start, offset=4 * start),
        )

    def check(self) -> None:
        """Read all of it. Raises IndexFault if it is not what was written."""
        total = xxhash.xxh3_128()
        for start in range(0, self.count, CHECKED):
            _checked(total, self.part(start, min(start + CHECKED, self.count)))
        if total.hexdigest() != self.checksum:
            raise IndexFault(self.path, "is damaged: its checksum differs; copy the index again, or build it anew")

    def remove(self) -> None:
        """Delete both files, as far as they are there and the system lets them go."""
        for path in self.files:
            path.unlink(missing_ok=True)


def _checked(total: xxhash.xxh3_128, rows: Rows) -> None:
    total.update(rows.keys.tobytes())
    total.update(rows.numbers.tobytes())


def write(path: Path, parts: Iterable[Rows], *, durable: bool = True) -> Segment:
    """A segment of rows that come in rising order of their keys. Raises OSError; then no file is left.

    Rows are checked in parts of `CHECKED`, so that the checksum does not depend on how they came. A segment that is not
    `durable` is for this process only: it has no checksum.
    """
    total, count = xxhash.xxh3_128(), 0
    segment = Segment(path, 0, "")
    try:
        with segment.files[0].open("xb") as keys, segment.files[1].open("xb") as numbers:
            for rows in _even(parts) if durable else parts:
                keys.write(rows.keys.astype("<u8", copy=False).tobytes())
                numbers.write(rows.numbers.astype("<u4", copy=False).tobytes())
                if durable:
                    _checked(total, rows)
                count += len(rows.keys)
            for file in (keys, numbers):
                file.flush()
                if durable:
                    os.fsync(file.fileno())
    except BaseException:
        segment.remove()
        raise
    return Segment(path, count, total.hexdigest())


def _even(parts: Iterable[Rows]) -> Iterator[Rows]:
    """The same rows, `CHECKED` at a time."""
    held: list[Rows] = []
    for part in parts:
        held.append(part)
        while sum(len(rows.keys) for rows in held) >= CHECKED:
            keys, numbers = (np.concatenate(column) for column in zip(*held, strict=True))
            yield Rows(keys[:CHECKED], numbers[:CHECKED])
            held = [Rows(keys[CHECKED:], numbers[CHECKED:])]
    if held:
        keys, numbers = (np.concatenate(column) for column in zip(*held, strict=True))
        yield Rows(keys, numbers)


def ordered(keys: Hashes, numbers: Numbers) -> Rows:
    """Rows in rising order of their keys; those of one key stay in the order they are in."""
    order = np.argsort(keys, kind="stable")
    return Rows(keys[order], numbers[order].astype(np.uint32, copy=False))


def slices(segments: Sequence[Segment], *, low: int = 0, high: int = 1 << 64, rows: int = CHECKED) -> Iterator[Rows]:
    """All rows with keys in [low, high), in rising order; about `rows` at a time, those of one key together.

    The rows of one key are in the order of the segments.
    """
    starts = [_place(segment, low) for segment in segments]
    ends = [_place(segment, high) for segment in segments]
    for cut in [*_cuts(segments, starts, ends, rows), high]:
        stops = [min(_place(s, cut), end) for s, end in zip(segments, ends, strict=True)]
        parts = [s.part(a, b) for s, a, b in zip(segments, starts, stops, strict=True) if b > a]
        if parts:
            yield ordered(np.concatenate([p.keys for p in parts]), np.concatenate([p.numbers for p in parts]))
        starts = stops


def _place(segment: Segment, key: int) -> int:
    """Where a key stands or would stand."""
    return segment.count if key >= 1 << 64 else int(np.searchsorted(segment.again().keys, np.uint64(key)))


def _cuts(segments: Sequence[Segment], starts: Sequence[int], ends: Sequence[int], rows: int) -> list[int]:
    """Keys between which stand `rows` at most: every so many-th key of each segment, and every so many-th of those."""
    step = max(1, rows // (2 * max(1, len(segments))))
    found = [s.again().keys[a:b:step].copy() for s, a, b in zip(segments, starts, ends, strict=True)]
    keys = np.sort(np.concatenate([*found, np.empty(0, np.uint64)]))
    every = max(1, len(segments))
    return sorted(set(map(int, keys[every::every])))


class Spool:
    """Rows in no order, which go to sorted segments, for this process only, as they become more than `rows`.

    Raises OSError.
    """

    def __init__(self, path: Path, rows: int) -> None:
        self._path, self._rows = path, rows
        self._held: list[Rows] = []
        self._size = 0
        self._segments: list[Segment] = []
        self._written = 0

    def add(self, keys: NDArray[Any], numbers: NDArray[Any]) -> None:
        """Add rows of any integers."""
        self._held.append(Rows(keys.astype(np.uint64), numbers.astype(np.uint32)))
        self._size += len(keys)
        if self._size >= self._rows:
            self._flush()

    def add_later(self, rows: Rows) -> Numbers:
        """Add the numbers that are not the first with their keys, by the one that is. Returns them."""
        starts = run_starts(rows.keys)
        first = np.repeat(rows.numbers[starts], np.diff(np.append(starts, len(rows.keys))))
        later = first != rows.numbers
        numbers: Numbers = rows.numbers[later]
        self.add(first[later], numbers)
        return numbers

    def _flush(self) -> None:
        keys, numbers = (np.concatenate(column) for column in zip(*self._held, strict=True))
        self._segments.append(self._write([ordered(keys, numbers)]))
        self._held, self._size = [], 0

    def _write(self, parts: Iterable[Rows]) -> Segment:
        self._written += 1
        return write(self._path.with_name(f"{self._path.name}-{self._written}"), parts, durable=False)

    def _merged(self, segments: Sequence[Segment]) -> Segment:
        found = self._write(slices(segments, rows=self._rows))
        for segment in segments:
            segment.remove()
        return found

    def slices(self, low: int = 0, high: int = 1 << 64) -> Iterator[Rows]:
        """All rows so far with keys in [low, high), in order."""
        return slices(self.segments, low=low, high=high, rows=self._rows)

    @property
    def segments(self) -> list[Segment]:
        """All rows so far."""
        if self._held:
            self._flush()
        while len(self._segments) > FEW:  # neighbours, so that rows of one key stay in order
            runs = (self._segments[start : start + FEW] for start in range(0, len(self._segments), FEW))
            self._segments = [self._merged(run) for run in runs]
        return [segment.again() for segment in self._segments]


class Found(NamedTuple):
    """What a search found: how many rows each key has; and, of keys that are not too common, the rows.

    A row is the place of its key among those sought, and its number.
    """

    counts: Longs
    places: Longs
    numbers: Numbers


def lookup(segments: Sequence[Segment], keys: Hashes, *, most: int | None = None) -> Found:
    """The numbers of keys, which come in rising order; only how many there are if more than `most`."""
    counts = np.zeros(len(keys), np.int64)
    hits: list[tuple[Segment, Longs, Longs, Longs]] = []
    for segment in segments:
        if not segment.count or not len(keys):
            continue
        left = np.searchsorted(segment.keys, keys)
        hit = np.flatnonzero(segment.keys[np.minimum(left, segment.count - 1)] == keys)
        right = np.searchsorted(segment.keys, keys[hit], side="right")
        counts[hit] += right - left[hit]
        hits.append((segment, hit, left[hit], right))
    places, numbers = [np.empty(0, np.int64)], [np.empty(0, np.uint32)]
    for segment, hit, left, right in hits:
        rare = counts[hit] <= most if most is not None else np.ones(len(hit), np.bool_)
        places.append(np.repeat(hit[rare], (right - left)[rare]))
        numbers.append(segment.numbers[within(left[rare], right[rare])])
    return Found(counts, np.concatenate(places), np.concatenate(numbers))


def run_starts(keys: Hashes) -> Longs:
    """Where the runs of equal keys start.

    >>> run_starts(np.array([3, 3, 8], np.uint64)).tolist()
    [0, 2]
    """
    return np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])


def within(starts: Longs, ends: Longs) -> Longs:
    """All places in some spans, span by span.

    >>> within(np.array([3, 8]), np.array([5, 9])).tolist()
    [3, 4, 8]
    """
    sizes = ends - starts
    before = np.cumsum(sizes) - sizes
    places: Longs = np.arange(int(sizes.sum())) + np.repeat(starts - before, sizes)
    return places


def merged(path: Path, segments: Sequence[Segment], *, durable: bool = True) -> Segment:
    """One segment of several that follow one another; of keys that are too common, as many rows as show it.

    Memory is bounded. Raises IndexFault if one of them is damaged, and OSError.
    """
    for segment in segments:
        segment.check()
    return write(path, map(_trimmed, slices(segments)), durable=durable)


def _trimmed(rows: Rows) -> Rows:
    """Without the rows of a key after those that show that it is too common."""
    limits = np.full(1 << KIND_BITS, np.iinfo(np.int64).max)
    for kind, most in MOST.items():
        limits[kind] = most + 1
    first = run_starts(rows.keys)
    rank = np.arange(len(rows.keys)) - np.repeat(first, np.diff(np.append(first, len(rows.keys))))
    stays = rank < limits[(rows.keys >> np.uint64(64 - KIND_BITS)).astype(np.int64)]
    return Rows(rows.keys[stays], rows.numbers[stays])


def crowded(sizes: Sequence[int]) -> int:
    """How many of the last segments are to be merged, by their sizes: 0, or `TIER` and more.

    A tier is what lies between two powers of `TIER`. The last segments that are of no higher tier than the last one
    are merged once they are so many: each row is written again once a tier, and a large segment only by what is as
    large (the log-structured merge-tree of O'Neil et al. 1996).

    >>> crowded([5000, *[70] * 7]), crowded([5000, *[70] * 8])
    (0, 8)
    """
    tiers = [int(log(max(1, size), TIER)) for size in sizes]
    run = len(list(takewhile(lambda tier: tier <= tiers[-1], reversed(tiers))))
    return run if run >= TIER else 0
