"""`dedupe`: the copies in a column of texts, by joins; `without`: the texts without them.

A DataFrame comes in; the groups that `unspin.dedupe` finds among its texts come out, a row for each of their passages.
The stages are those of `unspin.spill`, each of them a job whose result is saved below the checkpoint directory. Keys
are joined in order, so that however common one is, few of its rows are in memory. Refused, by ValueError: columns that
are missing or of another type, a level that a text does not fall into, dates that are missing; by SparkFault: a session
without a checkpoint directory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as f
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import DateType, DecimalType, DoubleType, FloatType, TimestampType

from unspin import copies
from unspin.blocking import MIN_SYMBOLS, SHARED, SHARED_RATE
from unspin.lexicon import Lexicon
from unspin.model import DuplicateKind, Keep, Level, Place
from unspin.spark import grouping, stages
from unspin.spark.components import FIRST, NODE, components
from unspin.spark.frames import (
    INTEGERS,
    Batches,
    refuse_ids,
    refuse_missing,
    refuse_taken,
    refuse_texts,
    strings,
    struct,
)
from unspin.spark.scratch import Scratch
from unspin.spark.shipping import Shipped, ship
from unspin.units import UNITS

DATES = (*INTEGERS, FloatType, DoubleType, DecimalType, DateType, TimestampType)
GONE = "unspin_gone"  # a column that is there for the time of a join


def dedupe(
    df: DataFrame,
    text_col: str = "text",
    id_col: str = "id",
    *,
    level: Level = Level.DOCUMENT,
    keep: Keep = Keep.ORIGINAL,
    date_col: str | None = None,
    lexicon: Lexicon | None = None,
    min_words: int = 0,
) -> DataFrame:
    """The passages of texts that say the same, in the groups that `unspin.dedupe` forms of texts in their order here.

    A row is a passage: its `group`, which is equal for all of a group and rises with the places of the kept passages;
    its `kind` ("kept", or how it is a copy of that one, or "overlap"), `id`, `start` and `end` (code points of its
    text), `score` and `rule`; `kept_id`; and `weakest`, 1 and 2 for the two least similar of a group, which share
    `weakest_score` of their words. Ids are unique; texts that are null, or no UTF-8, are passed over. A date is a
    number, a day or a time; null is the earliest. `lexicon` names
    phrases that are swapped for one another, as it does for `unspin.dedupe`.

    The search runs at once, as several jobs; its result stays below the checkpoint directory. Raises ValueError and
    SparkFault.
    """
    if level not in UNITS:
        raise ValueError(
            f"copies at the level {str(level)!r} are found on one machine only; Spark has: {', '.join(UNITS)}"
        )
    if keep is Keep.NEWEST and date_col is None:
        raise ValueError("to keep the newest needs date_col")
    refuse_texts(df, text_col)
    id_type = refuse_ids(df, id_col).typeName()
    if date_col:
        refuse_missing(df, date_col, DATES, "dates are numbers, days or times")
    date = _seconds(df, date_col) if date_col else f.lit(None).cast("double")
    texts = df.select(f.col(id_col).alias("id"), date.alias("date"), f.col(text_col).alias("text"))
    shipped = ship(df.sparkSession, lexicon=lexicon if lexicon is not None else Lexicon(()))
    schema = grouping.GROUP.format(id=id_type)
    formed = partial(grouping.groups, shipped=shipped, keep=keep, dated=date_col is not None)
    with Scratch(df.sparkSession) as scratch:
        members = chains(texts, scratch, shipped=shipped, level=level, min_words=min_words)
        return scratch.saved(_mapped(members, formed, schema), "groups", stays=True)


def _seconds(df: DataFrame, column: str) -> Any:
    """A column as numbers, of which the greater is newer."""
    is_day = isinstance(df.schema[column].dataType, DateType)
    date = f.col(column).cast("timestamp") if is_day else f.col(column)
    return f.coalesce(date.cast("double"), f.lit(float("-inf")))


def _mapped(frame: DataFrame, stage: Callable[..., Iterator[pa.RecordBatch]], columns: str) -> DataFrame:
    """What a stage makes of a frame."""
    kinds = struct(columns)
    return frame.mapInArrow(partial(stage, schema=to_arrow_schema(kinds)), kinds)


def chains(texts: DataFrame, scratch: Scratch, *, shipped: Shipped, level: Level, min_words: int) -> DataFrame:
    """Chains of matches, as `unspin.spark.grouping` reads them, of texts (columns `id`, `date` and `text`)."""
    named = texts.schema["id"].dataType.typeName()
    read = partial(stages.passages, shipped=shipped, level=level, min_words=min_words)
    passages = scratch.saved(_mapped(texts, read, stages.PASSAGE.format(id=named)), "passages")
    same = scratch.saved(_same(passages), "same")
    pairs = scratch.saved(_pairs(passages, same, shipped), "pairs")
    matches = scratch.saved(_matches(passages, pairs, shipped), "matches")
    scratch.drop("pairs")
    found = components(matches.select("first", "second"), scratch)
    return _members(passages, same, matches, found)


def _same(passages: DataFrame) -> DataFrame:
    """Passages that have the same words as an earlier one, their `unit`; `like` is the first of the same characters."""
    narrow = passages.select("passage", "raw", "exact", "words")
    raws = narrow.groupBy("raw").agg(f.min(f.struct("passage", "exact", "words")).alias("a"))
    raws = raws.select("raw", f.col("a.passage").alias("like"), "a.exact", "a.words")
    forms = raws.groupBy("exact").agg(f.min(f.struct("like", "words")).alias("a"))
    forms = forms.select("exact", f.col("a.like").alias("form"), "a.words")
    units = forms.groupBy("words").agg(f.min("form").alias("unit"))
    unit_of = raws.drop("words").join(forms.join(units, "words").select("exact", "unit"), "exact")
    found = narrow.select("passage", "raw").join(unit_of.select("raw", "like", "unit"), "raw")
    return found.where("passage != unit").select("passage", "like", "unit")


def _pairs(passages: DataFrame, same: DataFrame, shipped: Shipped) -> DataFrame:
    """Pairs of units that share enough rare grams to be compared, and how many, as `unspin.blocking` chooses them."""
    units = passages.select("passage", "text").join(same, "passage", "left_anti")
    keys = _mapped(units, partial(stages.keys, shipped=shipped), stages.KEY)
    ordered = keys.repartition("key").sortWithinPartitions("key", "passage")
    shared = _mapped(ordered, stages.pairs, stages.PAIR)
    total = shared.groupBy("first", "second").agg(f.sum("shared").alias("shared"), f.min("shorter").alias("shorter"))
    enough = (f.col("shared") >= SHARED) & (f.col("shared") >= SHARED_RATE * f.col("shorter"))
    return total.where(enough & (f.col("shorter") >= MIN_SYMBOLS)).select("first", "second", "shared")


def _matches(passages: DataFrame, pairs: DataFrame, shipped: Shipped) -> DataFrame:
    """Those of the pairs that match."""
    texts = passages.select("passage", "text")
    second = pairs.join(texts.toDF("second", "second_text"), "second")
    both = texts.toDF("first", "first_text").join(second, "first")
    columns = both.select("first", "second", "shared", "first_text", "second_text")
    return _mapped(columns, partial(stages.matches, shipped=shipped), stages.MATCH)


def _members(passages: DataFrame, same: DataFrame, matches: DataFrame, found: DataFrame) -> DataFrame:
    """All passages that need a group, and the matches among them, by component."""
    firsts = found.select(f.col(NODE).alias("unit"), FIRST)
    roots = found.select(FIRST).distinct().select(f.col(FIRST).alias("unit"), FIRST)
    repeated = same.select("unit").distinct().join(firsts, "unit", "left")
    units = firsts.union(roots).union(repeated.select("unit", f.coalesce(FIRST, "unit"))).distinct()
    unit_rows = units.select(f.col("unit").alias("passage"), f.col("unit").alias("like"), FIRST, f.lit(True))
    copies = same.join(firsts, "unit", "left")
    copy_rows = copies.select("passage", "like", f.coalesce(FIRST, "unit"), f.lit(False))
    members = unit_rows.union(copy_rows).toDF("passage", "like", FIRST, "is_unit").join(passages, "passage")
    text = f.when(f.col("passage") == f.col("like"), f.col("text"))
    none = f.lit(None).cast("long")
    rows = members.select(
        FIRST,
        "passage",
        none.alias("other"),
        none.alias("shared"),
        "like",
        "is_unit",
        "document",
        "id",
        "start",
        "end",
        "date",
        text.alias("text"),
        "digest",
    )
    first = matches.withColumnRenamed("first", "unit").join(firsts, "unit", "left")
    pairs = first.select(
        f.coalesce(FIRST, "unit").alias(FIRST),
        f.col("unit").alias("passage"),
        f.col("second").alias("other"),
        "shared",
    )
    together = rows.unionByName(pairs, allowMissingColumns=True)
    return together.repartition(FIRST).sortWithinPartitions(FIRST, "passage", "other")


def links(df: DataFrame, scratch: Scratch, *, shipped: Shipped, level: Level, min_words: int) -> DataFrame:
    """Which texts (columns `id` and `text`) share passages with which others, and how much."""
    texts = df.select("id", f.lit(None).cast("double").alias("date"), "text")
    members = chains(texts, scratch, shipped=shipped, level=level, min_words=min_words)
    schema = grouping.LINK.format(id=df.schema["id"].dataType.typeName())
    return _mapped(members, partial(grouping.linked, shipped=shipped), schema)


def without(df: DataFrame, groups: DataFrame, text_col: str = "text", id_col: str = "id") -> DataFrame:
    """The rows of a DataFrame without the copies in their texts; a row goes of whose text nothing stays.

    `groups` is what `dedupe` found in it; overlaps stay, as they do there. Raises ValueError.
    """
    refuse_texts(df, text_col)
    refuse_ids(df, id_col)
    refuse_taken(df, [GONE])
    copied = groups.where(~f.col("kind").isin(grouping.KEPT, DuplicateKind.OVERLAP.value))
    places = f.collect_list(f.struct("start", "end")).alias(GONE)
    gone = copied.groupBy(f.col("id").alias(id_col)).agg(places)
    joined = df.join(gone, id_col, "left").select(*df.columns, GONE)
    cut = joined.where(f.col(GONE).isNotNull()).mapInArrow(partial(_cut, text_col=text_col), df.schema)
    return joined.where(f.col(GONE).isNull()).select(*df.columns).union(cut)


def _cut(batches: Batches, *, text_col: str) -> Iterator[pa.RecordBatch]:
    """Texts without the places that are gone, in an executor."""
    for batch in batches:
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        gone = columns.pop(GONE).to_pylist()
        found = [
            copies.without(text, [Place(0, place["start"], place["end"]) for place in places])
            for text, places in zip(strings(columns[text_col]), gone, strict=True)
            if isinstance(text, str)
        ]
        columns[text_col] = pa.array(found, pa.string())
        made = pa.RecordBatch.from_arrays([*columns.values()], names=[*columns])
        yield made.filter(pa.array([bool(text.strip()) for text in found]))
