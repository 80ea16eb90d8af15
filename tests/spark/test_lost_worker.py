"""A worker that is killed in the middle of a job: the other one finishes it, and the answer is the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from unspin.copies import dedupe
from unspin.edit import cleaned
from unspin.lexicon import Lexicon
from unspin.pipeline import restore
from unspin.rank import load_ranker

pytest.importorskip("pyspark", reason="needs pyspark: pip install 'unspin[spark]'")

from unspin import spark as on_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. "
    "Negotiations proceed, in keeping with a number of diplomats, however each side stays cautious."
)
SECONDS = 60


@pytest.fixture
def victim(cluster: Any) -> Iterator[Callable[[], None]]:
    """Kills one of the two workers, with its executor; another takes its place for the tests that follow."""
    yield lambda: cluster.kill("two")
    assert "two" not in cluster.processes, "it was not killed"
    cluster.start_worker("two")


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_rows_are_restored_nevertheless(spark: SparkSession, victim: Callable[[], None]) -> None:
    kinds = ["\n".join(f"{number}, {line}. {SPUN}" for line in range(60)) for number in range(5)]
    texts = [kinds[number % 5] for number in range(256)]
    frame = spark.createDataFrame(spark.sparkContext.parallelize(list(enumerate(texts)), 32), "id long, text string")
    restored = on_spark.clean(frame, ranker="none", keep_duplicates=True)
    tracker = spark.sparkContext.statusTracker()

    def is_under_way() -> bool:
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        return any(stage and stage.numCompletedTasks and stage.numActiveTasks == 2 for stage in stages)

    with ThreadPoolExecutor(1) as pool:
        rows = pool.submit(restored.collect)
        wait(is_under_way)
        victim()
        assert not rows.done()
        found = {row["id"]: row["restored"] for row in rows.result()}
    expected = [cleaned(restore(text, ranker=load_ranker("none"), keep_duplicates=True)) for text in kinds]
    assert not set(expected) & set(kinds)
    assert found == {number: expected[number % 5] for number in range(256)}


def test_copies_are_found_nevertheless(
    spark: SparkSession, victim: Callable[[], None], mixed: Callable[[int, int], tuple[list[str], Lexicon]]
) -> None:
    texts, lexicon = mixed(1500, 9)
    base = Path((spark.sparkContext.getCheckpointDir() or "").removeprefix("file:"))
    before = set(base.iterdir())
    frame = spark.createDataFrame(spark.sparkContext.parallelize(list(enumerate(texts)), 6), "id long, text string")
    with ThreadPoolExecutor(1) as pool:
        groups = pool.submit(on_spark.dedupe, frame, lexicon=lexicon)
        wait(lambda: any((made / "pairs").exists() for made in set(base.iterdir()) - before))
        victim()
        assert not groups.done()
        rows = groups.result().collect()
    kept = {row["group"]: row["id"] for row in rows if row["kind"] == "kept"}
    told = {(kept[row["group"]], row["id"], row["kind"], row["score"]) for row in rows if row["kind"] != "kept"}
    expected = dedupe(texts, lexicon=lexicon)
    assert sorted(kept.values()) == [group.kept.text for group in expected]
    assert told == {
        (group.kept.text, copy.place.text, copy.kind.value, copy.score)
        for group in expected
        for copy in (*group.copies, *group.overlaps)
    }
