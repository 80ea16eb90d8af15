"""`unspin spark`, in processes of its own on this machine, by itself and through spark-submit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from unspin.cli import unspin
from unspin.copies import dedupe
from unspin.edit import cleaned
from unspin.lexicon import Lexicon
from unspin.pipeline import restore
from unspin.rank import load_ranker

pyspark = pytest.importorskip("pyspark", reason="needs pyspark: pip install 'unspin[spark]'")
pa = pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'unspin[spark]'")
parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow: pip install 'unspin[spark]'")

pytestmark = pytest.mark.skipif(shutil.which("java") is None, reason="no Java on the PATH")

SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. "
    "Negotiations proceed, in keeping with a number of diplomats, however each side stays cautious."
)
OTHER = "The council met on Tuesday and approved the budget for the year, and nobody in the room spoke against it."
ENVIRONMENT = os.environ | {
    "PYSPARK_PYTHON": sys.executable,
    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    "SPARK_LOCAL_IP": "127.0.0.1",
}
SETTINGS = (
    "spark.ui.enabled=false",
    "spark.sql.shuffle.partitions=2",
    "spark.driver.memory=512m",
    "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command], capture_output=True, text=True, env=ENVIRONMENT, timeout=120, check=False)


def spark(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    settings = [word for setting in SETTINGS for word in ("--conf", setting)]
    return run(sys.executable, "-m", "unspin", "spark", *arguments, "--master", "local[1]", *settings)


def test_clean_through_spark_submit(tmp_path: Path) -> None:
    given = tmp_path / "in.jsonl"
    given.write_text(json.dumps({"n": 1, "body": SPUN}) + '\n{"n": 2}\n' + json.dumps({"n": 3, "body": OTHER}) + "\n")
    file = CliRunner().invoke(unspin, ["spark", "--submit-file"]).output.strip()
    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    settings = [word for setting in SETTINGS for word in ("--conf", setting)]
    options = ("--format", "jsonl", "--text-field", "body", "--ranker", "none", "-o", tmp_path / "out")
    done = run(submit, "--master", "local[1]", *settings, file, "clean", given, *options)
    assert done.returncode == 3, done.stderr
    assert "3 texts, 1 spun, 1 failed" in done.stdout  # spark-submit makes one stream of both
    rows = [json.loads(line) for part in (tmp_path / "out").glob("part-*") for line in part.read_text().splitlines()]
    found = {row["n"]: row for row in rows}
    assert found[1]["restored"] == cleaned(restore(SPUN, ranker=load_ranker("none")))
    assert (found[2]["error"], found[3]["restored"]) == ("ValueError: no text", OTHER)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out"]


def test_dedupe(tmp_path: Path) -> None:
    texts = [f"{SPUN} {OTHER}", OTHER, f"{OTHER}\n", SPUN.upper(), SPUN]
    given, out, groups = tmp_path / "in.parquet", tmp_path / "out", tmp_path / "groups"
    parquet.write_table(pa.table({"id": range(5), "text": texts, "more": list("abcde")}), given)
    done = spark("dedupe", given, "-o", out, "--groups", groups, "--keep", "first")
    assert done.returncode == 0, done.stderr
    expected = dedupe(texts, lexicon=Lexicon.load())
    gone = {copy.place.text for group in dedupe(texts, lexicon=Lexicon.load()) for copy in group.copies}
    left = parquet.read_table(out).to_pylist()
    assert {row["id"]: row["text"] for row in left} == {n: t for n, t in enumerate(texts) if n not in gone}
    told = parquet.read_table(groups).to_pylist()
    assert {(row["kept_id"], row["id"]) for row in told if row["kind"] not in ("kept", "overlap")} == {
        (group.kept.text, copy.place.text) for group in expected for copy in group.copies
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["groups", "in.parquet", "out"]
    again = spark("dedupe", given, "-o", out)
    assert (again.returncode, f"{out}: exists; --force overwrites it" in again.stderr) == (3, True)


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    none = spark("clean", tmp_path / "nothing", "-o", tmp_path / "out")
    assert none.returncode == 3
    assert "unspin: error: [PATH_NOT_FOUND] Path does not exist" in none.stderr
    assert "Traceback" not in none.stderr
    assert list(tmp_path.iterdir()) == []
    nowhere = CliRunner().invoke(unspin, ["spark", "dedupe", "in"])
    assert (nowhere.exit_code, "give -o, --groups, or both" in nowhere.output) == (2, True)
