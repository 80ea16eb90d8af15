"""Stages of the search for copies, one by one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from unspin.blocking import COMMON, COMMON_PAIR, NEXT
from unspin.errors import SparkFault
from unspin.model import Keep, Level
from unspin.postings import KIND_BITS, Kind

pytest.importorskip("pyspark", reason="needs pyspark: pip install 'unspin[spark]'")

import pyarrow as pa

from unspin import spark as on_spark
from unspin.spark import stages
from unspin.spark.components import components
from unspin.spark.scratch import Scratch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHARED = pa.schema([("first", pa.int64()), ("second", pa.int64()), ("shared", pa.int64()), ("shorter", pa.int32())])
Keyed = tuple[Kind, int, int]  # and a number of its own, and the passage


def joined_one_by_one(rows: list[Keyed]) -> Counter[tuple[int, int]]:
    """What pairs share, by the words of `unspin.blocking`."""
    found: Counter[tuple[int, int]] = Counter()
    runs: dict[tuple[Kind, int], list[int]] = {}
    for kind, number, passage in rows:
        runs.setdefault((kind, number), []).append(passage)
    for (kind, _), run in runs.items():
        run.sort()
        common = len(run) > (COMMON if kind is Kind.GRAM else COMMON_PAIR)
        if common and kind is Kind.PAIR:
            continue
        for place, one in enumerate(run):
            for other in run[place + 1 : place + (2 if common else NEXT)]:
                found[one, other] += one != other
    return +found


def batches(rows: list[Keyed], size: int) -> Iterator[pa.RecordBatch]:
    """In the order of keys and passages, as Spark hands them over."""
    keys = [((kind << (64 - KIND_BITS)) | number) - (1 << 64) for kind, number, _ in rows]
    ordered = sorted(zip(keys, (passage for *_, passage in rows), strict=True))
    for start in range(0, len(ordered), size):
        key, passage = np.asarray(ordered[start : start + size], np.int64).T
        arrays = [pa.array(key), pa.array(passage), pa.array((passage % 90).astype(np.int32))]
        yield pa.RecordBatch.from_arrays(arrays, names=["key", "passage", "length"])


@pytest.mark.parametrize("seed", range(5))
def test_keys_are_joined_alike_however_many_rows_are_held(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "ROWS", 4 * COMMON)
    chance = random.Random(seed)
    rows: list[Keyed] = []
    for kind in (Kind.GRAM, Kind.PAIR):
        for size in (1, 2, 7, 8, 9, 30, 49, 50, 51, 199, 3000, 200, 1, 5):
            number = chance.getrandbits(61)
            rows += [(kind, number, (chance.randrange(3000) << 33) | 5) for _ in range(size)]
    found: Counter[tuple[int, int]] = Counter()
    for batch in stages.pairs(batches(rows, 37), schema=SHARED):
        for first, second, shared, shorter in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            found[first, second] += shared
            assert shorter == min(first % 90, second % 90)
    assert found == joined_one_by_one(rows)


def test_components_are_found_whatever_their_shape(spark: SparkSession) -> None:
    chance = random.Random(3)
    chain = [(n, n + 1) for n in range(40)]
    star = [(100, n) for n in range(101, 130)]
    tangle = [tuple(sorted(chance.sample(range(200, 230), 2))) for _ in range(25)]
    edges = [*chain, *star, *tangle, (1 << 50, 1 << 51)]
    expected = {node: node for edge in edges for node in edge}
    for _ in range(len(edges)):
        for one, other in edges:
            expected[one] = expected[other] = min(expected[one], expected[other])
    with Scratch(spark) as scratch:
        rows = components(spark.createDataFrame(edges, "first long, second long"), scratch).collect()
    found = {row["node"]: row["component"] for row in rows}
    assert len(rows) == len(found)
    assert found == {node: first for node, first in expected.items() if node != first}


def test_nothing_stays_but_the_result(spark: SparkSession) -> None:
    base = Path((spark.sparkContext.getCheckpointDir() or "").removeprefix("file:"))
    before = set(base.iterdir())
    found = on_spark.dedupe(spark.createDataFrame([], "id long, text string"))
    assert (found.count(), found.schema["id"].dataType.typeName()) == (0, "long")
    (made,) = set(base.iterdir()) - before
    assert [path.name for path in made.iterdir()] == ["groups"]


def test_what_cannot_be_done_is_refused_before_a_job_runs(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = spark.createDataFrame([(1, "one", b"")], "id long, text string, seen binary")
    with pytest.raises(ValueError, match="at the level 'passage' are found on one machine only"):
        on_spark.dedupe(texts, level=Level.PASSAGE)
    with pytest.raises(ValueError, match="needs date_col"):
        on_spark.dedupe(texts, keep=Keep.NEWEST)
    with pytest.raises(ValueError, match="column 'seen' is binary; dates are"):
        on_spark.dedupe(texts, date_col="seen")
    with pytest.raises(ValueError, match="no column 'name'"):
        on_spark.dedupe(texts, id_col="name")
    monkeypatch.setattr(spark.sparkContext, "getCheckpointDir", lambda: None)
    with pytest.raises(SparkFault, match="no checkpoint directory is set"):
        on_spark.dedupe(texts)
