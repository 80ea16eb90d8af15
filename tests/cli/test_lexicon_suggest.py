"""`unspin lexicon suggest`: the patch, and what --write makes of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from unspin.cli import unspin
from unspin.lexicon import COLUMNS
from unspin.review.ledger import Ledger
from unspin.review.model import Answer, Filter, Reviewer, State

HEAD = "\t".join(COLUMNS)
OWN = f"# Ours.\n{HEAD}\nstruggle\tfight\t0.33\t270\tauto\tlearned\t\nstruggle\twar\t0.26\t347\tauto\tlearned\tkept\n"
QUICK = ["--ranker", "none"]


def suggest(*arguments: str) -> Result:
    return CliRunner().invoke(unspin, ["lexicon", "suggest", *arguments, *QUICK])


@pytest.fixture
def reviewed(a_review: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a review in which "campaign" was typed for all three struggles, and "extra" was left alone."""
    monkeypatch.chdir(a_review)
    (a_review / "mine.tsv").write_text(OWN)
    with Ledger("unspin.db") as ledger:
        for item in ledger.items(undecided=True):
            if item.before in ("struggle", "extra", "unprecedented"):
                said = {"struggle": "campaign", "extra": "extra", "unprecedented": "extraordinary"}[item.before]
                ledger.decide(item.id, item.saying(said), by=Reviewer("anna"))
    return a_review


def test_the_patch_is_for_people(reviewed: Path) -> None:
    result = suggest("mine.tsv", "--from", "unspin.db")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("--- a/mine.tsv\n+++ b/mine.tsv\n")
    added = [line[1:] for line in result.stdout.splitlines() if line.startswith("+")]
    assert "# review: auto -> review: accepted 0 of 3, other words 3" in added
    assert any(line.startswith("#   The [[struggle|campaign]] was a ") for line in added)
    assert "struggle\twar\t0.26\t347\treview\tlearned\tkept; review: 0 of 3" in added
    assert any(line.startswith("struggle\tcampaign\t") and "\t3\tauto\treview\t" in line for line in added)
    assert (reviewed / "mine.tsv").read_text() == OWN
    assert "mine.tsv: 2 changes (1 auto -> review, 1 new)" in result.stderr


@pytest.mark.parametrize("tool", [["git", "apply"], ["patch", "-p1", "--silent", "-i"]], ids=["git", "patch"])
@pytest.mark.parametrize("lexicon", [["mine.tsv"], []], ids=["a lexicon", "the folder's own"])
def test_the_patch_applied_is_what_write_writes(reviewed: Path, tool: list[str], lexicon: list[str]) -> None:
    if not shutil.which(tool[0]):
        pytest.skip(f"{tool[0]} is not installed")
    patched = reviewed / "patched"
    patched.mkdir()
    shutil.copy("mine.tsv", patched)
    (reviewed / "p.diff").write_text(suggest(*lexicon).stdout)
    subprocess.run([*tool, str(reviewed / "p.diff")], cwd=patched, check=True)
    assert suggest(*lexicon, "--write").exit_code == 0
    for path in patched.iterdir():
        assert path.read_bytes() == (reviewed / path.name).read_bytes()
    assert {path.name for path in patched.iterdir()} == {path.name for path in reviewed.glob("*.tsv")}
    name = lexicon[0] if lexicon else "unspin.tsv"
    checked = CliRunner().invoke(unspin, ["lexicon", "check", name, *QUICK])
    assert checked.exit_code == 0, checked.output
    again = suggest(*lexicon)
    assert (again.exit_code, again.stdout) == (0, "")


def test_false_alarms_become_examples(reviewed: Path) -> None:
    assert "It costs extra." in suggest("mine.tsv").stdout
    assert "examples" not in suggest("mine.tsv", "--no-examples").stdout
    suggest("mine.tsv", "--write")
    text = (reviewed / "mine.examples.tsv").read_text()
    assert text.splitlines()[0] == "# Settled in a review:"
    assert "It costs extra." in text.splitlines()


def test_what_an_example_needs_stays(reviewed: Path) -> None:
    (reviewed / "mine.examples.tsv").write_text("The [[struggle|war]] of 1812 was over.\n")
    only_war = "\n".join(line for line in OWN.splitlines() if "fight" not in line) + "\n"
    (reviewed / "mine.tsv").write_text(only_war)
    first = CliRunner().invoke(unspin, ["lexicon", "check", "mine.tsv", *QUICK])
    assert first.exit_code == 0, first.output
    result = suggest("mine.tsv", "--write")
    assert "struggle <- war: stays as it is; mine.examples.tsv:1 needs it" in result.stderr
    assert (reviewed / "mine.tsv").read_text() == only_war
    assert CliRunner().invoke(unspin, ["lexicon", "check", "mine.tsv", *QUICK]).exit_code == 0


def test_fewer_answers_can_be_enough(reviewed: Path) -> None:
    assert "auto -> review" not in suggest("mine.tsv", "--answers", "4").stderr


def test_a_shipped_lexicon_is_written_by_its_path_alone(reviewed: Path) -> None:
    result = suggest("en-autoblog", "--write")
    assert result.exit_code == 2
    assert "only if it is given by its path" in result.stderr


def test_what_is_not_taken_is_told(reviewed: Path) -> None:
    with Ledger("unspin.db") as ledger:
        item = next(i for i in ledger.items(Filter()) if i.before == "struggle")
        ledger.decide(item.id, Answer(State.REPLACED, "war, or what was one"), by=Reviewer("anna"))
    result = suggest("mine.tsv", "-v")
    assert "typed by reviewers and not taken: holds punctuation 1" in result.stderr
    assert "struggle <- war, or what was one: holds punctuation (1)" in result.stderr


def test_without_a_ledger_or_answers(a_review: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(a_review)
    result = suggest()
    assert (result.exit_code, result.stdout) == (0, "")
    assert "unspin.tsv: nothing to change" in result.stderr
    assert not list(a_review.glob("*.tsv"))
    missing = suggest("--from", "none.db")
    assert missing.exit_code != 0
    assert not (a_review / "none.db").exists()
