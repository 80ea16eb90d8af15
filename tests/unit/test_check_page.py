"""What docs/check.md shows is read, runs and obeys the schemas of those who read it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from unspin.cases.model import Counts, Verdict
from unspin.cases.reading import read_case
from unspin.cases.running import run_case
from unspin.pytest_plugin import Unspin

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_case_passes_and_its_options_and_floor_are_read(tmp_path: Path) -> None:
    case, options, floor = blocks("toml")
    (tmp_path / "mine.tsv").touch()
    (tmp_path / "other-copy.txt").write_text("The war goes on.")
    path = tmp_path / "a.case.toml"
    path.write_text(case, encoding="utf-8")
    assert run_case(read_case(path)).verdict is Verdict.PASSED
    path.write_text(case + options + floor, encoding="utf-8")
    read = read_case(path)
    assert read.settings.lexicons == ("en-autoblog", str(tmp_path / "mine.tsv"))
    assert (read.settings.ranker, read.settings.siblings) == ("context", ("The war goes on.",))
    assert read.floor == Counts(7, 1, 0, 0)


def test_the_test_runs() -> None:
    (block,) = blocks("python")
    names: dict[str, object] = {}
    exec(compile(block, "docs/check.md", "exec"), names)
    test = names["test_an_article"]
    assert callable(test)
    test(Unspin())


@pytest.mark.parametrize(
    ("number", "checker"),
    [
        (0, ["pre_commit", "validate-config"]),
        (1, ["check_jsonschema", "--builtin-schema", "vendor.github-workflows"]),
    ],
)
def test_the_configurations_are_valid(number: int, checker: list[str], tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(blocks("yaml")[number], encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", *checker, str(path)], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


def test_the_tables_name_every_verdict_and_every_input() -> None:
    assert set(re.findall(r"^\| (\w[\w ]*) \|[^|]*\| [01] \|$", PAGE, re.MULTILINE)) == set(Verdict)
    action = (ROOT / "action.yml").read_text(encoding="utf-8").partition("\noutputs:")[0]
    inputs = re.findall(r"^  ([\w-]+):$", action.partition("\ninputs:")[2], re.MULTILINE)
    assert inputs
    for name in inputs:
        assert f"`{name}`" in PAGE
