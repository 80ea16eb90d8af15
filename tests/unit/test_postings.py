"""Sorted keys on disk: searched, sliced, merged; and damage that is seen."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.errors import IndexFault
from unspin.postings import (
    FEW,
    MOST,
    Kind,
    Rows,
    Segment,
    Spool,
    crowded,
    keyed,
    lookup,
    merged,
    ordered,
    slices,
    span,
    write,
)

SEGMENTS = st.lists(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 99)), max_size=60), max_size=5)


def made(folder: Path, *segments: list[tuple[int, int]], kind: Kind = Kind.EXACT) -> list[Segment]:
    found = []
    for number, rows in enumerate(segments):
        keys = keyed(kind, np.asarray([key << 58 for key, _ in rows], np.uint64))
        numbers = np.asarray([number for _, number in rows], np.uint32)
        found.append(write(folder / str(number), [ordered(keys, numbers)]))
    return found


@settings(deadline=None, max_examples=60)
@given(SEGMENTS, st.integers(1, 200))
def test_slices_are_all_rows_in_order_and_hold_no_more_than_asked(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[tuple[int, int]]], size: int
) -> None:
    segments = made(tmp_path_factory.mktemp("slices"), *rows)
    parts = list(slices(segments, rows=size))
    keys = [key for part in parts for key in part.keys.tolist()]
    assert keys == sorted(key << 56 for part in rows for key, _ in part)
    by_key: dict[int, list[int]] = defaultdict(list)
    for part in parts:
        for key, number in zip(part.keys.tolist(), part.numbers.tolist(), strict=True):
            by_key[key].append(number)
    for key, numbers in by_key.items():
        there = [n for part in rows for k, n in part if k << 56 == key]
        assert numbers == there
    edges = [(int(part.keys[0]), int(part.keys[-1])) for part in parts]
    assert all(a[1] < b[0] for a, b in pairwise(edges)), "a key is in two slices"
    most = max((len(numbers) for numbers in by_key.values()), default=0)
    assert all(len(part.keys) <= max(size, 2 * len(segments)) + most for part in parts)


@pytest.mark.parametrize("count", [0, 30, 4000])
def test_a_spool_has_few_segments_however_many_rows_it_holds(tmp_path: Path, count: int) -> None:
    keys = np.random.default_rng(1).integers(0, 500, count, np.uint64)
    spool = Spool(tmp_path / "rows", 10)
    for start in range(0, count, 5):
        spool.add(keys[start : start + 5], np.arange(start, min(count, start + 5)))
    assert len(spool.segments) <= FEW
    assert len(list(tmp_path.iterdir())) == 2 * len(spool.segments), "what was merged is gone"
    parts = list(spool.slices())
    found = [row for part in parts for row in zip(part.keys.tolist(), part.numbers.tolist(), strict=True)]
    assert found == sorted(zip(keys.tolist(), range(count), strict=True))  # of one key in the order they came


@settings(deadline=None, max_examples=60)
@given(SEGMENTS, st.lists(st.integers(0, 45), unique=True).map(sorted), st.integers(0, 6))
def test_a_search_finds_what_is_there(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[tuple[int, int]]], sought: list[int], most: int
) -> None:
    segments = made(tmp_path_factory.mktemp("lookup"), *rows)
    found = lookup(segments, keyed(Kind.EXACT, np.asarray([key << 58 for key in sought], np.uint64)), most=most)
    there = [[n for part in rows for k, n in part if k == key] for key in sought]
    assert found.counts.tolist() == [len(numbers) for numbers in there]
    expected = [(place, n) for place, numbers in enumerate(there) if len(numbers) <= most for n in numbers]
    assert sorted(zip(found.places.tolist(), found.numbers.tolist(), strict=True)) == sorted(expected)


@settings(deadline=None, max_examples=40)
@given(SEGMENTS)
def test_merging_changes_no_answer(tmp_path_factory: pytest.TempPathFactory, rows: list[list[tuple[int, int]]]) -> None:
    folder = tmp_path_factory.mktemp("merged")
    segments = made(folder, *rows, kind=Kind.PAIR)
    (one,) = [merged(folder / "all", segments)]
    keys = keyed(Kind.PAIR, np.arange(45, dtype=np.uint64) << np.uint64(58))
    many, single = (lookup(of, keys, most=MOST[Kind.PAIR]) for of in (segments, [one]))
    assert single.counts.tolist() == [min(count, MOST[Kind.PAIR] + 1) for count in many.counts.tolist()]
    for name in ("places", "numbers"):
        pairs = [sorted(zip(f.places.tolist(), f.numbers.tolist(), strict=True)) for f in (many, single)]
        assert pairs[0] == pairs[1], name


def test_kinds_have_ranges_of_their_own() -> None:
    hashes = np.asarray([0, 1 << 63, (1 << 64) - 1], np.uint64)
    for kind in Kind:
        low, high = span(kind)
        assert all(low <= int(key) < high for key in keyed(kind, hashes))


def test_each_row_is_merged_once_a_tier() -> None:
    sizes: list[int] = []
    written = 0
    for _ in range(4096):
        sizes.append(100)
        while count := crowded(sizes):
            total = sum(sizes[-count:])
            written += total
            sizes[-count:] = [total]
    assert len(sizes) <= 8 * 4
    assert written <= 4 * 100 * 4096, "four powers of eight: each row was written four times at most"


@pytest.mark.parametrize("suffix", [".keys", ".numbers"])
@pytest.mark.parametrize("how", ["missing", "cut off", "damaged"])
def test_damage_is_seen(tmp_path: Path, suffix: str, how: str) -> None:
    (segment,) = made(tmp_path, [(key, key) for key in range(40)])
    segment.check()
    path = segment.path.with_name(segment.path.name + suffix)
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "cut off":
        path.write_bytes(data[:-3])
    else:
        path.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    again = Segment(segment.path, segment.count, segment.checksum)
    with pytest.raises(IndexFault, match=how):
        again.check()
    with pytest.raises(IndexFault, match=how):
        merged(tmp_path / "other", [again])
    assert not (tmp_path / "other.keys").exists()


def test_a_segment_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    def parts() -> object:
        yield Rows(np.arange(5, dtype=np.uint64), np.arange(5, dtype=np.uint32))
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        write(tmp_path / "a", parts())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
