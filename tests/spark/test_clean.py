"""Texts restored on a cluster: what one machine makes of them, whatever else stands in the rows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import unspin
from unspin.diff.pieces import changes
from unspin.edit import apply, cleaned
from unspin.errors import InputError
from unspin.language import load_model
from unspin.lexicon import Lexicon
from unspin.model import DecidedBy, Edit, Entry, Restoration
from unspin.pipeline import default_lexicon, restore, restore_all
from unspin.rank import load_ranker
from unspin.spin import spin

pytest.importorskip("pyspark", reason="needs pyspark: pip install 'unspin[spark]'")

from unspin import spark as on_spark

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. "
    "Negotiations proceed, in keeping with a number of diplomats, however each side stays cautious."
)
CLEAN = "The council met on Tuesday and approved the budget. Nobody spoke against it, Zoë said — “at last” 🙂."
REPEATED = f"{SPUN}\n\n{CLEAN}\n\n{SPUN}\n"
BEES = (
    "My grandmother kept bees at the end of her garden for forty years. She talked to them every morning, and when "
    "my grandfather died she went down to the hives before she told any of us. They knew how to find their way "
    "home in the rain, she said, and that is more than most people can do."
)
FERRY = (
    "The old ferry was sold last week, after the new bridge had taken most of its passengers. Its captain, who had "
    "made the crossing more than forty thousand times, said that he would miss the people, but not the cold. The town "
    "wants to keep the landing stage as a place to swim."
)
MODELS = Path(unspin.__file__).parent / "models"


def frame(spark: SparkSession, texts: list[str | None]) -> DataFrame:
    rows = [(f"n{number}", text, number * 1.5) for number, text in enumerate(texts)]
    return spark.createDataFrame(spark.sparkContext.parallelize(rows, 2), "id string, text string, score double")


def edits_of(row: Row) -> list[Edit]:
    return [
        Edit(e["start"], e["end"], e["before"], e["after"], None, e["confidence"], DecidedBy(e["decided_by"]))
        for e in row["edits"]
    ]


def agrees(row: Row, restoration: Restoration) -> bool:
    """Does a row tell what was restored on this machine?"""
    expected = [(e.start, e.end, e.before, e.after, e.confidence, e.decided_by) for e in changes(restoration)]
    return (
        row["restored"] == cleaned(restoration) == apply(row["text"], edits_of(row))
        and [(e.start, e.end, e.before, e.after, e.confidence, e.decided_by) for e in edits_of(row)] == expected
        and (row["is_spun"], row["spin_rate"]) == (restoration.spin.is_spun, restoration.spin.rate)
        and (row["held"], tuple(row["siblings"])) == (len(restoration.held), restoration.siblings)
        and row["error"] is None
    )


def test_rows_are_restored_as_on_one_machine(spark: SparkSession) -> None:
    texts = [SPUN, CLEAN, REPEATED, "", BEES]
    rows = on_spark.clean(frame(spark, [*texts])).collect()
    carried = [(f"n{number}", text, number * 1.5) for number, text in enumerate(texts)]
    assert [(row["id"], row["text"], row["score"]) for row in rows] == carried
    assert all(agrees(row, restore(text)) for row, text in zip(rows, texts, strict=True))
    assert [row["is_spun"] for row in rows] == [True, False, True, False, False]


def test_a_row_that_fails_says_why_and_the_others_are_done(spark: SparkSession) -> None:
    broken = spark.sql("select 'broken' as id, cast(X'41ff42' as string) as text, 0d as score")
    rows = on_spark.clean(frame(spark, [CLEAN, None]).union(broken), ranker="none").collect()
    assert [row["restored"] for row in rows] == [CLEAN, None, None]
    encoded = "ValueError: not UTF-8: invalid start byte at byte 1"
    assert [row["error"] for row in rows] == [None, "ValueError: no text", encoded]


def test_options_lexicon_and_models_of_your_own_are_used(spark: SparkSession, tmp_path: Path) -> None:
    lexicon = Lexicon([Entry("struggle", "war", 0.9), Entry("signal", "sign", 0.9)], name="mine")
    model, ranker = tmp_path / "my.ngrams", tmp_path / "my.vectors"
    shutil.copy(MODELS / "en.ngrams", model)
    shutil.copy(MODELS / "en.vectors", ranker)
    options: dict[str, Any] = {"min_confidence": 0.3, "keep_duplicates": True, "assume_spun": True, "screened": True}
    rows = on_spark.clean(
        frame(spark, [REPEATED]), out_col="text2", lexicon=lexicon, model=model, ranker=str(ranker), **options
    ).withColumnRenamed("text2", "restored")
    expected = restore(REPEATED, lexicon=lexicon, model=load_model(model), ranker=load_ranker(str(ranker)), **options)
    assert {edit.before for edit in expected.edits} >= {"struggle", "signal"}
    assert all(agrees(row, expected) for row in rows.collect())


def test_texts_may_be_screened(spark: SparkSession) -> None:
    text = FERRY.replace("keep the", "maintain the").replace("a place", "a spot")  # two words of a spinner's
    rates = []
    for screened in (False, True):
        (row,) = on_spark.clean(frame(spark, [text]), ranker="none", screened=screened).collect()
        assert agrees(row, restore(text, ranker=load_ranker("none"), screened=screened))
        rates.append(row["spin_rate"])
    assert rates == [0.25, 0.0]


def test_copies_are_read_together_as_on_one_machine(spark: SparkSession) -> None:
    lexicon = default_lexicon()
    both = [f"{spin(BEES, lexicon, seed=n).text}\n{spin(FERRY, lexicon, seed=n).text}" for n in range(3)]
    texts = [*both, FERRY, CLEAN, spin(BEES, lexicon, seed=9).text, both[0]]
    names = [f"n{number}" for number in range(len(texts))]
    rows = on_spark.clean(frame(spark, [*texts]), id_col="id", siblings=True, ranker="none").collect()
    expected = restore_all(texts, names=names, ranker=load_ranker("none"))
    found = {row["id"]: row for row in rows}
    assert all(agrees(found[name], restoration) for name, restoration in zip(names, expected, strict=True))
    assert found["n0"]["siblings"][0] in ("n1", "n2", "n3")
    assert any(edit["attested_by"] for edit in found["n0"]["edits"])


def test_what_cannot_be_done_is_refused_before_a_job_runs(spark: SparkSession, tmp_path: Path) -> None:
    texts = frame(spark, [CLEAN])
    with pytest.raises(ValueError, match="no column 'body'; there are: id, text, score"):
        on_spark.clean(texts, "body")
    with pytest.raises(ValueError, match="column 'score' is double; texts are strings"):
        on_spark.clean(texts, "score")
    with pytest.raises(ValueError, match="a column 'Text' already"):
        on_spark.clean(texts, out_col="Text")
    with pytest.raises(ValueError, match=r"min_confidence 1\.1 is not in"):
        on_spark.clean(texts, min_confidence=1.1)
    with pytest.raises(ValueError, match="siblings need id_col"):
        on_spark.clean(texts, siblings=True)
    with pytest.raises(ValueError, match="cast it"):
        on_spark.clean(texts, siblings=True, id_col="score")
    with pytest.raises(InputError, match=r"nothing\.onnx: is no file on the driver"):
        on_spark.clean(texts, ranker=str(tmp_path / "nothing.onnx"))
