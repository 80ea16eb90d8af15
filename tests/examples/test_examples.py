"""The examples run as they stand, without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from unspin.edit import cleaned
from unspin.pipeline import restore

pytest.importorskip("datatrove", reason="needs datatrove: pip install 'unspin[examples]'")
pytest.importorskip("datasets", reason="needs datasets: pip install 'unspin[examples]'")

EXAMPLES = Path(__file__).parents[2] / "examples"
SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. "
    "Negotiations proceed, in keeping with a number of diplomats, however each side stays cautious."
)
CLEAN = "The council met on Tuesday and approved the budget. Nobody spoke against it."


def run(name: str, folder: Path, *arguments: str | Path) -> None:
    """Run an example where it finds no network and no cache but its own."""
    environment = os.environ | {
        "HF_HOME": str(folder / "cache"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def rows(path: Path) -> dict[int, dict[str, object]]:
    return {row["n"]: row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())}


def test_datatrove(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    lines = [{"id": str(n), "text": text} for n, text in enumerate((SPUN, CLEAN))]
    (tmp_path / "in" / "texts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    run("with_datatrove.py", tmp_path, "in", "out")
    (made,) = (tmp_path / "out").iterdir()
    first, second = map(json.loads, made.read_text(encoding="utf-8").splitlines())
    assert first["text"] == cleaned(restore(SPUN)) != SPUN
    assert ["struggle", "war"] in first["metadata"]["edits"]
    assert (second["text"], second["metadata"]["edits"]) == (CLEAN, [])
    counts = json.loads((tmp_path / "out.logs" / "stats.json").read_text())[1]["stats"]
    assert (counts["spun"], counts["clean"]) == (1, 1)


def test_datasets(tmp_path: Path) -> None:
    lines = [{"n": 0, "text": SPUN}, {"n": 1, "text": CLEAN}, {"n": 2, "text": None}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    run("with_datasets.py", tmp_path, "in.jsonl", "out.jsonl", "--processes", "2")
    found = rows(tmp_path / "out.jsonl")
    assert found[0]["restored"] == cleaned(restore(SPUN))
    assert (found[1]["restored"], found[1]["is_spun"]) == (CLEAN, False)
    assert found[2]["restored"] is None
    assert str(found[2]["error"]).startswith("TypeError")
