"""`unspin review` and `unspin apply` from the command line, on a ledger with decisions."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from unspin.cli import main
from unspin.pipeline import examine
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, REJECT, Filter, Reviewer, State

SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. "
    "Negotiations proceed, in keeping with a number of diplomats, however each side stays cautious.\n"
)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `unspin` in the folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    for name in ("UNSPIN_LEDGER", "UNSPIN_REVIEWER", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["unspin", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsysbinary.readouterr()
        assert b"Traceback" not in err
        assert isinstance(ended.value.code, int)
        return ended.value.code, out.decode(), err.decode()

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a spun text, reviewed in part."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(SPUN)
    with Ledger(tmp_path / "unspin.db") as ledger:
        ledger.add("texts/a.txt", *examine(SPUN))
        by = Reviewer("anna")
        war = next(item for item in ledger.items() if item.before == "struggle")
        ledger.decide(war.id, war.saying("conflict"), by=by)
        year = next(item for item in ledger.items() if item.before == "yr")
        ledger.decide(year.id, REJECT, by=by)
    return tmp_path


def test_status(folder: Path, run: Run) -> None:
    code, out, _ = run("review", "status")
    assert code == 0
    assert "texts/a.txt" in out
    assert "struggle <- war" in out
    assert "anna" in out
    code, out, _ = run("review", "status", "--format", "json")
    fields = json.loads(out)
    assert (fields["counts"]["replaced"], fields["counts"]["rejected"]) == (1, 1)
    assert fields["reviewers"] == [{"name": "anna", "answers": 2}]


def test_apply_makes_what_was_decided_and_what_is_sure(folder: Path, run: Run) -> None:
    code, out, err = run("apply")
    assert code == 0
    assert out.startswith("The conflict has lasted more than a yr, ")
    assert "as reviewed" in err
    again = run("apply")
    assert again == (code, out, err)
    assert run("apply", "--decided-only")[1] == SPUN.replace("struggle", "conflict")


def test_apply_keeps_folders_and_overwrites_nothing_unasked(folder: Path, run: Run) -> None:
    assert run("apply", "-o", "out", "--diff", "unified")[0] == 0
    assert (folder / "out/texts/a.txt").read_text() == run("apply", "-q")[1]
    assert "+++ " in (folder / "out/texts/a.txt.diff").read_text()
    code, _, err = run("apply", "-o", "out")
    assert code == 3
    assert "exists; --force overwrites it" in err
    assert run("apply", "-o", "out", "--force")[0] == 0


def test_apply_in_place_and_check(folder: Path, run: Run) -> None:
    assert run("apply", "--check")[0] == 1
    expected = run("apply", "-q")[1]
    assert run("apply", "--write", "texts/a.txt")[0] == 0
    assert (folder / "texts/a.txt").read_text() == expected
    code, _, err = run("apply", "--write", "texts/a.txt")  # it is another text now
    assert code == 3
    assert "texts/a.txt: has changed since it was reviewed" in err


def test_apply_takes_the_text_of_a_file_that_is_gone(folder: Path, run: Run) -> None:
    expected = run("apply")
    (folder / "texts/a.txt").unlink()
    assert run("apply") == expected
    assert run("apply", "texts/a.txt") == expected


def test_apply_refuses_what_was_not_reviewed(folder: Path, run: Run) -> None:
    (folder / "texts/b.txt").write_text("Well.\n")
    code, out, err = run("apply", "texts")
    assert code == 3
    assert "texts/b.txt: is not in unspin.db" in err
    assert out.startswith("The conflict")


def test_export_and_import(folder: Path, run: Run) -> None:
    _, exported, _ = run("review", "export")
    (folder / "export.jsonl").write_text(exported)
    code, _, err = run("review", "import", "--ledger", "other.db", "export.jsonl")
    assert code == 0
    assert "export.jsonl: new are 1 text, " in err
    assert run("review", "export", "--ledger", "other.db")[1] == exported
    assert "2 decisions" in err
    assert "0 decisions" in run("review", "import", "--ledger", "other.db", "export.jsonl")[2]


def test_a_broken_export_is_named_and_others_still_come_in(folder: Path, run: Run) -> None:
    lines = run("review", "export")[1].splitlines(keepends=True)
    (folder / "good.jsonl").write_text("".join(lines))
    (folder / "broken.jsonl").write_text("".join([*lines[:3], "{", *lines[3:]]))
    (folder / "latin.jsonl").write_bytes(b'{"kind": "\xe9"}\n')
    code, _, err = run(
        "review", "import", "--ledger", "new.db", "broken.jsonl", "gone.jsonl", "latin.jsonl", "good.jsonl"
    )
    assert code == 3
    assert "broken.jsonl:4: not JSON" in err
    assert "gone.jsonl: no such file or directory" in err
    assert "latin.jsonl: cannot be read as UTF-8" in err
    assert run("review", "export", "--ledger", "new.db")[1] == "".join(lines)


def test_the_schema_is_printed(run: Run) -> None:
    code, out, _ = run("review", "export", "--schema")
    assert code == 0
    assert json.loads(out)["title"] == "A line of an exported review"


@pytest.mark.parametrize(
    "command", [("review", "status"), ("review", "export"), ("review", "--web"), ("apply",)], ids=" ".join
)
def test_without_a_ledger(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    code, _, err = run(*command)
    assert code == 3
    assert "unspin.db: no such ledger; `unspin review FILES` makes one" in err
    assert list(tmp_path.iterdir()) == []


def test_words_that_are_no_command_are_files(run: Run) -> None:
    code, _, err = run("review", "--web", "missing")
    assert code == 3
    assert "missing: no such file or directory" in err


def test_help_is_that_of_the_review(run: Run) -> None:
    code, out, _ = run("review", "--help")
    assert code == 0
    assert "unspin review [OPTIONS] [FILES]..." in out
    for word in ("--order", "--second-opinion", "status", "export", "import"):
        assert word in out


@pytest.mark.parametrize("wrong", ["0.9", "0.9..0.2", "..2", "a..b"])
def test_a_range_that_is_none(run: Run, wrong: str) -> None:
    code, _, err = run("review", "--confidence", wrong)
    assert code == 2
    assert "is no range" in err


def test_standard_input_cannot_be_reviewed(run: Run) -> None:
    assert run("review", "-")[0] == 2


def test_reviewing_again_examines_nothing_anew(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from unspin.commands import review

    shown: list[Filter] = []

    class Interface:
        @staticmethod
        def require_terminal() -> None:
            pass

        @staticmethod
        def run(ledger: Ledger, *, wanted: Filter, **further: object) -> None:
            shown.append(wanted)
            for item in ledger.items(wanted, undecided=True):
                ledger.decide(item.id, ACCEPT, by=Reviewer("bert"))

    monkeypatch.setattr(review, "import_module", lambda name: Interface)
    code, _, err = run("review", "texts", "--confidence", "0.9..")
    assert code == 0
    assert "to review" in err
    assert shown[0].min_confidence == 0.9
    with Ledger(folder / "unspin.db") as ledger:
        before = ledger.history()
    monkeypatch.setattr(review, "examine", None)
    assert run("review", "texts", "-q") == (0, "", "")
    (folder / "texts" / "copy.txt").write_text(SPUN)
    assert run("review", "texts/copy.txt", "--document", "texts/copy.txt")[0] == 0
    with Ledger(folder / "unspin.db") as ledger:
        (document,) = ledger.documents()
        assert [name for name, _ in document.names] == ["texts/a.txt", "texts/copy.txt"]
        assert len(ledger.history()) > len(before)
        assert not ledger.count(Filter(states=(State.PROPOSED, State.HELD)))
    code, _, err = run("review", "--document", "texts/none.txt")
    assert code == 3
    assert "is not in unspin.db" in err
