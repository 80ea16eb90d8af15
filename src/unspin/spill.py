"""Copies across a collection that is larger than memory.

Texts come in, one after the other; the `CopyGroup`s that `unspin.copies.dedupe` would find come out, in the same order.
Passages go to a store in a temporary directory, their keys to sorted segments. The segments are joined slice by slice;
pairs that share enough rare grams are compared, with their texts read from the store again; what chains of matches hang
together is then grouped as `dedupe` does it, some of it at a time. So at most about `memory` bytes are held beside the
interpreter and the lexicon, whatever the collection, as long as that is enough for its longest text, for all that
one chain of matches holds together, and for a few bytes a passage. Refused, by ValueError: dates that are missing or
not one a text. A temporary directory that cannot be written raises OutputError.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspin.blocking import COMMON, COMMON_PAIR, SHARED, SHARED_RATE, joined
from unspin.canon import Canon, canon
from unspin.chains import grouped, placed, verified
from unspin.lexicon import Lexicon
from unspin.model import Copy, CopyGroup, DuplicateKind, Keep, Level, Place, Progress
from unspin.passages import Block, blocks, digest_keys, gram_keys
from unspin.postings import KIND_BITS, Kind, Numbers, Rows, Spool, lookup, run_starts, span, within
from unspin.store import PassageRow, Store, writing
from unspin.words import Hashes, Longs

FIXED = 20_000_000  # bytes that are held whatever is asked for,
PER_CHARACTER = 20  # those that reading and comparing takes for a character of text,
PER_ROW = 150  # and joining for a gram
CHARACTERS = 6  # of a symbol, with the space after it


class Groups:
    """Groups of copies on disk: iterate for all of them, in the order of their kept passages, as often as you like."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(
            "pragma journal_mode=off; pragma synchronous=off; begin;"
            "create table groups (kept integer primary key, data text);"
            "create table gone (text integer, start integer, stop integer, primary key (text, start)) without rowid;"
        )

    def add(self, kept: int, group: CopyGroup) -> None:
        """Add a group, with the number of its kept passage."""
        self._connection.execute("insert into groups values (?, ?)", (kept, json.dumps(_fields(group))))
        places = [(copy.place.text, copy.place.start, copy.place.end) for copy in group.copies]
        self._connection.executemany("insert into gone values (?, ?, ?)", places)

    def __iter__(self) -> Iterator[CopyGroup]:
        for (data,) in self._connection.execute("select data from groups order by kept"):
            yield _group(*json.loads(data))

    def gone(self, text: int) -> list[Place]:
        """The copies in a text, in order."""
        rows = self._connection.execute("select start, stop from gone where text = ? order by start", [text])
        return [Place(text, start, end) for start, end in rows]

    def close(self) -> None:
        """Let go of them."""
        self._connection.close()


def _fields(group: CopyGroup) -> list[Any]:
    """A group as numbers and words; `_group` makes it again."""
    copies, overlaps = (
        [(*_numbers(one.place), one.kind, one.score, one.rule) for one in some]
        for some in (group.copies, group.overlaps)
    )
    weakest = [_numbers(place) for place in group.weakest]
    return [_numbers(group.kept), copies, weakest, group.weakest_score, overlaps]


def _numbers(place: Place) -> tuple[int, int, int]:
    return place.text, place.start, place.end


def _group(kept: list[int], copies: list[Any], weakest: list[Any], score: float, overlaps: list[Any]) -> CopyGroup:
    made, over = (
        tuple(Copy(Place(*where), DuplicateKind(kind), share, rule) for *where, kind, share, rule in some)
        for some in (copies, overlaps)
    )
    first, second = (Place(*place) for place in weakest)
    return CopyGroup(Place(*kept), made, (first, second), score, over)


@contextmanager
def spilled(
    texts: Iterable[str],
    *,
    memory: int,
    folder: Path | None = None,
    level: Level = Level.DOCUMENT,
    keep: Keep = Keep.ORIGINAL,
    dates: Sequence[float] | None = None,
    lexicon: Lexicon | None = None,
    min_words: int = 0,
    progress: Progress | None = None,
) -> Iterator[Groups]:
    """The groups of `dedupe`, for as long as the `with` statement lasts; at most about `memory` bytes are held.

    `folder` is where temporary files go, three to ten times the size of the texts; they are gone in the end. `dates`
    are not asked for before all texts have been read. The other parameters are those of `dedupe`. Raises ValueError as
    it does, and OutputError.
    """
    if keep is Keep.NEWEST and dates is None:
        raise ValueError("to keep the newest needs dates")
    with TemporaryDirectory(prefix="unspin-", dir=folder, ignore_cleanup_errors=True) as name:
        path = Path(name)
        with closing(Groups(path / "groups")) as groups:
            with writing(path), Store.create(path / "store", {}, durable=False) as store:
                spill = _Spill(path, store, canon(lexicon) if lexicon else Canon(), memory)
                count = spill.fill(texts, level, min_words, progress)
                if dates is not None and len(dates) != count:
                    raise ValueError(f"{len(dates)} dates for {count} texts")
                spill.unite()
                spill.block(progress)
                spill.match(progress)
                spill.group(groups, progress, keep=keep, dates=dates)
            yield groups


class _Spill:
    """The stages, in their order, and what they leave for the next ones. Passages are named by their numbers."""

    def __init__(self, path: Path, store: Store, canon: Canon, memory: int) -> None:
        self.store, self.canon = store, canon
        free = max(1, memory // 10, memory - FIXED)
        self.characters = max(1, free // PER_CHARACTER)  # held as text at a time
        rows = max(1, free // PER_ROW)
        self.keys, self.forms, self.units, self.pairs, self.matches, self.chains = (
            Spool(path / name, rows) for name in ("keys", "forms", "units", "pairs", "matches", "chains")
        )
        self.sizes = np.empty(0, np.uint8)  # per passage: see `_size`
        self.is_unit = np.empty(0, np.bool_)  # per passage: is it the first of those with the same words?

    @property
    def bits(self) -> int:
        """So many hold the number of a passage; two numbers are stored as one, the first in its upper bits."""
        return max(1, len(self.sizes).bit_length())

    def fill(self, texts: Iterable[str], level: Level, min_words: int, progress: Progress | None) -> int:
        """Put all passages into the store, and their keys on the spool. Returns how many texts there are."""
        read_so_far = 0

        def counted() -> Iterator[tuple[int, str]]:
            nonlocal read_so_far
            for text in texts:
                yield read_so_far, text
                read_so_far += 1

        sizes = array("B")
        with self.store.adding():
            for block in blocks(counted(), level=level, canon=self.canon, size=self.characters):
                sizes.frombytes(_size(block.lengths[block.text_of]).tobytes())
                self._enter(block, min_words)
                if progress:
                    progress("reading", read_so_far, 0)
        self.sizes = np.frombuffer(sizes, np.uint8) if sizes else self.sizes
        return read_so_far

    def _enter(self, block: Block, min_words: int) -> None:
        start = self.store.passages
        words = block.words_digests()
        rows = zip(block.places, block.digests, block.text_of, strict=True)
        self.store.add_passages(
            PassageRow(start + n, place.text, place.start, place.end, 0, exact, words[text], text=block.texts[text])
            for n, (place, exact, text) in enumerate(rows)
        )
        _, firsts = np.unique(block.text_of, return_index=True)
        numbers = start + firsts  # per text
        self.keys.add(digest_keys(Kind.EXACT, block.digests), start + np.arange(len(block.digests)))
        long = np.flatnonzero(block.sizes >= min_words)
        self.keys.add(digest_keys(Kind.WORDS, [words[text] for text in long.tolist()]), numbers[long])
        for kind in (Kind.GRAM, Kind.PAIR):
            keys, texts = gram_keys(kind, block.corpus)
            self.keys.add(keys, numbers[texts])

    def unite(self) -> None:
        """Put the passages of the same characters on the spool by the first of them; and these, by their words."""
        is_first = np.ones(len(self.sizes), np.bool_)
        for rows in self.keys.slices(*span(Kind.EXACT)):
            is_first[self.forms.add_later(rows)] = False
        self.is_unit = np.zeros(len(is_first), np.bool_)
        for rows in self.keys.slices(*span(Kind.WORDS)):
            here = is_first[rows.numbers]
            rows = Rows(rows.keys[here], rows.numbers[here])
            self.is_unit[rows.numbers] = True
            self.is_unit[self.units.add_later(rows)] = False

    def block(self, progress: Progress | None) -> None:
        """Put pairs of units on the spool that share rare grams, as `unspin.blocking` does."""
        for kind, common in ((Kind.GRAM, COMMON), (Kind.PAIR, COMMON_PAIR)):
            low, high = span(kind)
            for rows in self.keys.slices(low, high):
                here = self.is_unit[rows.numbers]
                grams = (rows.keys[here] << np.uint64(KIND_BITS)) & ~np.uint64((1 << self.bits) - 1)
                found = joined(np.sort(grams | rows.numbers[here]), self.bits, common, drop=kind is Kind.PAIR)
                pairs, counts = np.unique(np.concatenate([np.empty(0, np.int64), *found]), return_counts=True)
                self.pairs.add(pairs, counts)
                if progress and len(rows.keys):
                    progress(f"matching {kind.name.lower()}s", int(rows.keys[-1]) - low, high - low)

    def match(self, progress: Progress | None) -> None:
        """Compare these pairs; put matches on the spool, and all units that need a group, by the chain they are of."""
        is_held = np.zeros(len(self.sizes), np.bool_)
        for first, second, shared in self._candidates():
            a, b, shared = self._verified(first, second, shared)
            self.matches.add((a << self.bits) | b, shared)
            is_held[a] = is_held[b] = True
            if progress:
                progress("verifying", int(first[-1]), len(self.sizes))
        for spool in (self.forms, self.units):
            for rows in spool.slices():
                is_held[rows.keys[self.is_unit[rows.keys]]] = True
        units = np.flatnonzero(is_held).astype(np.uint32)
        root = np.arange(len(units), dtype=np.uint32)
        for rows in self.matches.slices():
            _join(root, *(np.searchsorted(units, numbers) for numbers in self._both(rows.keys)))
        self.chains.add(units[_roots(root)], units)

    def _candidates(self) -> Iterator[tuple[Longs, Longs, Longs]]:
        """Pairs that may share enough grams, and how many; about as much text at a time as may be held."""
        for rows in self.pairs.slices():
            starts = run_starts(rows.keys)
            counts = np.add.reduceat(rows.numbers.astype(np.int64), starts)
            first, second = self._both(rows.keys[starts])
            sizes = np.stack((self.sizes[first], self.sizes[second]))
            enough = (counts >= SHARED) & (counts >= SHARED_RATE * _least(sizes.min(axis=0)))
            first, second, counts, sizes = first[enough], second[enough], counts[enough], sizes[:, enough]
            again = np.append(False, first[1:] == first[:-1])[: len(first)]
            held = np.where(again, 0, _most(sizes[0])) + _most(sizes[1])
            for part in _parts(held, self._symbols):
                yield first[part], second[part], counts[part]

    def _both(self, keys: Hashes) -> tuple[Longs, Longs]:
        """The two numbers that each of some keys holds."""
        pairs = keys.astype(np.int64)
        return pairs >> self.bits, pairs & ((1 << self.bits) - 1)

    @property
    def _symbols(self) -> int:
        """Symbols of text held at a time."""
        return max(1, self.characters // CHARACTERS)

    def _verified(self, first: Longs, second: Longs, shared: Longs) -> tuple[Longs, Longs, Longs]:
        """Those of some pairs that match."""
        numbers = np.unique(np.concatenate((first, second)))
        rows = self.store.passage_rows(numbers.tolist())
        texts = [rows[number].text or "" for number in numbers.tolist()]
        a, b = np.searchsorted(numbers, first), np.searchsorted(numbers, second)
        found = verified(texts, a, b, shared, self.canon)
        return first[found], second[found], shared[found]

    def _members(self, units: Numbers) -> list[int]:
        """All passages of some units, in order."""
        firsts = np.unique(np.concatenate((units, lookup(self.units.segments, units.astype(np.uint64)).numbers)))
        others = lookup(self.forms.segments, firsts.astype(np.uint64)).numbers
        members: list[int] = np.sort(np.concatenate((firsts, others))).tolist()
        return members

    def group(
        self,
        groups: Groups,
        progress: Progress | None,
        *,
        keep: Keep,
        dates: Sequence[float] | None,
    ) -> None:
        """Form the groups, of some chains of matches at a time."""
        for units in self._batches():
            numbers = self._members(units)
            known = self.store.passage_rows(numbers)
            rows = [known[number] for number in numbers]
            same: dict[str, str] = {}
            texts = [same.setdefault(row.text, row.text) for row in rows if row.text]
            when = [dates[row.document] for row in rows] if dates is not None else ()
            places = [Place(row.document, row.start, row.stop) for row in rows]
            for group in grouped(texts, self._known(units), keep=keep, dates=when, canon=self.canon):
                groups.add(numbers[group.kept.text], placed(group, places))
            if progress:
                progress("grouping", int(units[0]), len(self.sizes))

    def _batches(self) -> Iterator[Numbers]:
        """Units, whole chains of them, in order; about as much text at a time as may be held."""
        for rows in self.chains.slices():
            order = np.argsort(rows.numbers)
            units = rows.numbers[order].astype(np.uint64)
            counts = np.ones(len(order), np.int64)
            for spool in (self.forms, self.units):
                counts[order] += lookup(spool.segments, units).counts
            starts = run_starts(rows.keys)
            ends = np.append(starts[1:], len(order))
            held = np.add.reduceat(_most(self.sizes[rows.numbers]) * counts, starts)
            for part in _parts(held, self._symbols):
                yield np.sort(rows.numbers[starts[part][0] : ends[part][-1]])

    def _known(self, units: Numbers) -> tuple[Longs, Longs, Longs]:
        """The matches among units, by their places, to be compared again."""
        parts = [Rows(np.empty(0, np.uint64), np.empty(0, np.uint32))]
        edges = np.stack((units, units + 1)).astype(np.uint64) << np.uint64(self.bits)
        for segment in self.matches.segments:
            places = within(*np.searchsorted(segment.keys, edges))
            parts.append(Rows(segment.keys[places], segment.numbers[places]))
        keys, shared = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(keys)
        first, second = self._both(keys[order])
        return np.searchsorted(units, first), np.searchsorted(units, second), shared[order].astype(np.int64)


def _size(lengths: Longs) -> NDArray[np.uint8]:
    """Lengths in a byte each, to an eighth of a power of two: enough to pass over most pairs, and to bound memory."""
    found: NDArray[np.uint8] = np.floor(8 * np.log2(lengths + 1)).astype(np.uint8)
    return found


def _least(sizes: NDArray[np.uint8]) -> Longs:
    """The least lengths that have these sizes."""
    return (2 ** (sizes / 8) - 1.001).astype(np.int64)


def _most(sizes: NDArray[np.uint8]) -> Longs:
    """And the greatest, or one more."""
    return (2 ** ((sizes + 1.0) / 8)).astype(np.int64)


def _parts(sizes: Longs, most: int) -> Iterator[slice]:
    """Cuts in a row of things, so that what is between them is no larger than `most`, or hardly."""
    bins = np.cumsum(sizes) // most
    edges = [*run_starts(bins.astype(np.uint64)).tolist(), len(sizes)]
    yield from (slice(start, end) for start, end in pairwise(edges))


def _join(root: Numbers, first: Longs, second: Longs) -> None:
    """Units that match are of one chain: union-find, with paths halved (van Leeuwen and Tarjan 1984)."""
    for pair in zip(first.tolist(), second.tolist(), strict=True):
        a, b = pair
        while root[a] != a:
            root[a] = a = root[root[a]]
        while root[b] != b:
            root[b] = b = root[root[b]]
        root[max(a, b)] = min(a, b)


def _roots(root: Numbers) -> Numbers:
    """The first units of the chains."""
    while (root[root] != root).any():
        root = root[root]
    return root
