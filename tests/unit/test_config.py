"""Options from a file: where it is looked for, what it may say, and what is said of what it may not."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from unspin.cli import unspin
from unspin.commands.config import COMMANDS, load
from unspin.errors import ConfigError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one inside it, in which the commands run."""
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    return tmp_path


def told(*args: str) -> Result:
    return CliRunner().invoke(unspin, args)


def shown(*args: str) -> dict[str, Any]:
    result = told(*args, "--show-config")
    assert result.exit_code == 0, result.output
    return tomllib.loads(result.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_is_found_upward(project: Path, command: str) -> None:
    assert shown(command).get("ranker", "neural") == "neural"
    (project / "pyproject.toml").write_text('[tool.unspin]\nlexicon = ["a", "b"]\n')
    assert shown(command)["lexicon"] == ["a", "b"]
    (project / "inside" / "pyproject.toml").write_text("[tool.other]\n")
    assert shown(command)["lexicon"] == ["a", "b"]
    (project / "inside" / "unspin.toml").write_text(f'[{command}]\nlexicon = ["c"]\n')
    assert shown(command)["lexicon"] == ["c"]


def test_what_is_typed_wins_and_each_says_where_it_is_from(project: Path) -> None:
    (project / "unspin.toml").write_text("min-confidence = 0.9\nkeep-duplicates = true\n[batch]\njobs = 7\n")
    text = told("batch", "--jobs", "3", "--show-config").stdout
    assert "jobs = 3  # command line\n" in text
    assert f"min-confidence = 0.9  # {project / 'unspin.toml'}\n" in text
    assert "screen = true  # default\n" in text
    assert "# max-errors is not set\n" in text
    assert shown("clean")["keep-duplicates"] is True
    assert "jobs" not in shown("clean")


def test_a_command_takes_what_is_set(project: Path) -> None:
    (project / "inside" / "a.txt").write_text("The struggle has lasted greater than a yr.\n")
    (project / "unspin.toml").write_text("quiet = true\nmin-confidence = 1.0\n")
    result = told("clean", "a.txt")
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("jbs = 3\n", "jbs: no option; there are: "),
        ("[batch]\nsiblings = []\n", "batch.siblings: no option of `unspin batch`; there are: "),
        ("[review]\n", "review: no option; there are: "),
        ("batch = 1\n", "batch: a table of its options belongs here"),
        ("write = true\n", "write: no option; there are: "),
        ("min-confidence = 7\n", "min-confidence: 7.0 is not in the range"),
        ('[clean]\ndiff = "fancy"\n', "diff: 'fancy' is not one of"),
        ("jobs = \n", "cannot be read: Invalid value (at line 1"),
    ],
)
def test_what_it_may_not_say_is_a_usage_error(project: Path, text: str, problem: str) -> None:
    (project / "unspin.toml").write_text(text)
    (project / "inside" / "a.txt").write_text("One.\n")
    result = told("clean", "a.txt")
    assert result.exit_code == 2
    assert f"{project / 'unspin.toml'}: {problem}" in result.stderr


def test_of_pyproject_only_the_own_table_counts(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool]\nunspin = 3\n")
    with pytest.raises(ConfigError, match=r"tool\.unspin: a table belongs here"):
        load(project)
    (project / "pyproject.toml").write_text("[tool.unspin.batch]\njobs = 2\n")
    assert load(project / "inside").settings == {"batch": {"jobs": 2}}


def test_paths_are_those_beside_the_file(project: Path) -> None:
    (project / "mine.tsv").touch()
    (project / "unspin.toml").write_text('lexicon = ["mine.tsv", "en-autoblog"]\noutput = "out"\n')
    assert shown("batch")["lexicon"] == [str(project / "mine.tsv"), "en-autoblog"]
    assert shown("batch")["output"] == str(project / "out")


def test_help_needs_no_file_in_order(project: Path) -> None:
    (project / "unspin.toml").write_text("is broken\n")
    assert "--show-config" in told("inspect", "--help").stdout
    assert isinstance(unspin.get_command(click.Context(unspin), "batch"), click.Command)
