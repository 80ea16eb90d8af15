"""The guide's Python runs, from the session to what is written, with folders in the place of a cluster's."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "spark.md").read_text(encoding="utf-8")
SEED = (ROOT / "seeds" / "seed.txt").read_text(encoding="utf-8")
FAR = "hdfs:///"  # where the guide's files are


def test_the_guide_runs(spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(name, text, datetime(2024, 1, day)) for day, (name, text) in enumerate({"a": SEED, "b": SEED}.items(), 1)]
    spark.createDataFrame(rows, ["id", "text", "fetched"]).write.parquet(str(tmp_path / "scrape"))
    blocks = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len(blocks) > 3
    before = spark.sparkContext._jsc.sc().getCheckpointDir().get()
    names: dict[str, Any] = {}
    try:
        for block in blocks:
            exec(compile(block.replace(FAR, f"{tmp_path}/"), "docs/spark.md", "exec"), names)
    finally:
        spark.sparkContext.setCheckpointDir(str(Path(before.removeprefix("file:")).parent))
    assert "exact" in capsys.readouterr().out
    written = spark.read.parquet(str(tmp_path / "cleaned")).select("restored", "is_spun").collect()
    assert written and all(row.is_spun and "war" in row.restored for row in written)
