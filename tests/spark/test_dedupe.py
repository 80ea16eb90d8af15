"""Copies found on a cluster: the groups of one machine, and nothing but counts on the driver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from unspin import copies
from unspin.copies import dedupe
from unspin.lexicon import Lexicon
from unspin.model import Copy, CopyGroup, DuplicateKind, Keep, Level, Place

pytest.importorskip("pyspark", reason="needs pyspark: pip install 'unspin[spark]'")


from unspin import spark as on_spark

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Mixed = Callable[[int, int], tuple[list[str], Lexicon]]


def frame(spark: SparkSession, texts: Sequence[str], dates: Sequence[float]) -> DataFrame:
    rows = [(f"n{number}", text, date) for number, (text, date) in enumerate(zip(texts, dates, strict=True))]
    return spark.createDataFrame(spark.sparkContext.parallelize(rows, 3), "name string, body string, date double")


def groups(rows: Sequence[Row]) -> tuple[CopyGroup, ...]:
    """Rows as values, in order."""
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["group"]].append(row)
    return tuple(_group(found[number]) for number in sorted(found))


def _group(rows: list[Row]) -> CopyGroup:
    def place(row: Row) -> Place:
        return Place(int(row["id"][1:]), row["start"], row["end"])

    def copy(row: Row) -> Copy:
        return Copy(place(row), DuplicateKind(row["kind"]), row["score"], row["rule"])

    (kept,) = (row for row in rows if row["kind"] == "kept")
    assert {row["kept_id"] for row in rows} == {kept["id"]}
    ordered = sorted(rows, key=lambda row: (place(row).text, row["start"]))
    first, second = sorted((row for row in rows if row["weakest"]), key=lambda row: int(row["weakest"]))
    return CopyGroup(
        kept=place(kept),
        copies=tuple(copy(row) for row in ordered if row["kind"] not in ("kept", "overlap")),
        weakest=(place(first), place(second)),
        weakest_score=kept["weakest_score"],
        overlaps=tuple(copy(row) for row in ordered if row["kind"] == "overlap"),
    )


@contextmanager
def only_counts(spark: SparkSession) -> Iterator[None]:
    """What comes to the driver is a row of numbers, or it is an error."""
    kind = type(spark.range(1))
    collect: Callable[[DataFrame], list[Row]] = kind.collect

    def counts(self: DataFrame) -> list[Row]:
        rows = collect(self)
        assert len(rows) == 1
        assert all(isinstance(value, int | Decimal) for value in rows[0])
        return rows

    def refused(*_: Any) -> None:
        raise AssertionError("rows go to the driver")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "collect", counts)
        for name in ("foreach", "foreachPartition", "toLocalIterator", "toPandas"):
            patch.setattr(kind, name, refused)
        yield


@pytest.mark.parametrize(
    ("level", "keep", "min_words"), [(Level.DOCUMENT, Keep.ORIGINAL, 0), (Level.PARAGRAPH, Keep.NEWEST, 8)]
)
def test_hundreds_of_mixed_paragraphs_are_grouped_as_on_one_machine(
    spark: SparkSession, mixed: Mixed, level: Level, keep: Keep, min_words: int
) -> None:
    texts, lexicon = mixed(600, len(level))
    if level is Level.PARAGRAPH:
        texts = ["\n".join(texts[n : n + 5]) for n in range(0, len(texts), 5)]
    dates = [float(n * 7919 % 1013) for n in range(len(texts))]
    expected = dedupe(texts, level=level, keep=keep, dates=dates, lexicon=lexicon, min_words=min_words)
    kinds = {copy.kind for group in expected for copy in (*group.copies, *group.overlaps)}
    assert len(expected) > 100
    assert len(kinds) >= 5
    given = frame(spark, texts, dates)
    with only_counts(spark):
        found = on_spark.dedupe(
            given, "body", "name", level=level, keep=keep, date_col="date", lexicon=lexicon, min_words=min_words
        )
        left = on_spark.without(given, found, "body", "name")
    assert groups(found.collect()) == expected
    places: defaultdict[int, list[Place]] = defaultdict(list)
    for copy in (copy for group in expected for copy in group.copies):
        places[copy.place.text].append(copy.place)
    kept = {f"n{n}": copies.without(text, places[n]) if n in places else text for n, text in enumerate(texts)}
    gone = {name for name, text in kept.items() if int(name[1:]) in places and not text.strip()}
    assert {row["name"]: row["body"] for row in left.collect()} == {n: t for n, t in kept.items() if n not in gone}
