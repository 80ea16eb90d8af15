"""Texts beside their copies among the others, for `clean`.

A DataFrame comes in; the same rows come out, each with the texts that share most with its own, as
`unspin.siblings.related` chooses them. What comes in was checked by the caller.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as f

from unspin.siblings import LEAST_WORDS, MOST
from unspin.spark.dedupe import links
from unspin.spark.scratch import Scratch
from unspin.spark.shipping import Shipped

SIBLINGS = "unspin_siblings"  # a column that is there for the time of a job


def accompanied(df: DataFrame, text_col: str, id_col: str, shipped: Shipped) -> DataFrame:
    """The rows with their siblings: `name` and `text`, the most useful first; null if there are none."""
    texts = df.select(f.col(id_col).alias("id"), f.col(text_col).alias("text"))
    scratches = {level: Scratch(df.sparkSession) for level in LEAST_WORDS}
    found = None
    for level, least in LEAST_WORDS.items():
        with scratches[level] as scratch:
            shared = links(texts, scratch, shipped=shipped, level=level, min_words=least)
            total = shared.groupBy("id", "other", "digest").agg(f.sum("size").alias("size"))
            saved = scratch.saved(total, "links", stays=True)
        found = saved if found is None else found.union(saved)
    assert found is not None  # there are levels
    shared = found.groupBy("id", "other", "digest").agg(f.max("size").alias("size"))  # a paragraph of a copy is no news
    order = Window.partitionBy("id").orderBy(f.desc("size"), "digest", "other")
    best = shared.withColumn("rank", f.row_number().over(order)).where(f.col("rank") <= MOST)
    others = best.join(texts.toDF("other", "other_text"), "other")
    each = f.struct("rank", f.col("other").cast("string").alias("name"), f.col("other_text").alias("text"))
    lists = others.groupBy(f.col("id").alias(id_col)).agg(f.sort_array(f.collect_list(each)).alias("all"))
    read = lists.select(id_col, f.transform("all", lambda one: one.dropFields("rank")).alias(SIBLINGS))
    return df.join(read, id_col, "left").select(*df.columns, SIBLINGS)
