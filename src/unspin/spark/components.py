"""Connected components by joins: which nodes chains of edges join.

In come edges, out goes for each node but the first of its component that first one. Large stars and small stars take
turns (Kiveris et al. 2014, "Connected components in MapReduce and beyond"): each node tells its neighbours of the first
node it knows, so that rounds grow with the logarithm of the longest chain. Nothing is refused.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from unspin.spark.scratch import Scratch

NODE, FIRST = "node", "component"


def components(edges: DataFrame, scratch: Scratch) -> DataFrame:
    """Per node of some edges (`first` < `second`) the first of its component; that one itself is not told."""
    found = edges.select(f.col("second").alias(NODE), f.col("first").alias(FIRST))
    found, state = _saved(found, scratch, 0)
    for turn in range(1, 1 << 30):
        found, new = _saved(_small_star(_large_star(found)), scratch, turn)
        scratch.drop(_name(turn - 1))
        if new == state:
            return found
        state = new
    raise AssertionError("unreachable")


def _name(turn: int) -> str:
    return f"components-{turn}"


def _saved(edges: DataFrame, scratch: Scratch, turn: int) -> tuple[DataFrame, tuple[int, int]]:
    """Distinct edges, saved, and what tells whether they changed: how many they are, and a sum of their hashes."""
    saved = scratch.saved(edges.distinct(), _name(turn))
    digest = f.sum(f.xxhash64(NODE, FIRST).cast("decimal(38,0)"))
    row = saved.agg(f.count("*").alias("count"), f.coalesce(digest, f.lit(0)).alias("digest")).first()
    assert row is not None  # an aggregate has a row
    return saved, (int(row["count"]), int(row["digest"]))


def _large_star(edges: DataFrame) -> DataFrame:
    """Each node tells those after it of the first that it knows."""
    both = edges.union(edges.select(FIRST, NODE)).toDF("center", "other")
    least = both.groupBy("center").agg(f.min("other").alias("least"))
    least = least.select("center", f.least("center", "least").alias(FIRST))
    later = both.where("other > center").join(least, "center")
    return later.select(f.col("other").alias(NODE), FIRST)


def _small_star(edges: DataFrame) -> DataFrame:
    """Each node tells those before it, and itself, of the first that it knows."""
    least = edges.groupBy(NODE).agg(f.min(FIRST).alias("least"))
    others = edges.join(least, NODE).select(f.col(FIRST).alias(NODE), f.col("least").alias(FIRST))
    return others.where(f.col(NODE) != f.col(FIRST)).union(least.select(NODE, f.col("least").alias(FIRST)))
