"""What people decided becomes changes of a lexicon: few, reasoned, sorted, and none a second time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from unspin.cli import main
from unspin.edit import apply
from unspin.lexicon import check, read
from unspin.model import (
    Candidate,
    DecidedBy,
    Edit,
    Entry,
    Option,
    Restoration,
    Signature,
    SpinEvidence,
    Status,
)
from unspin.review.ledger import Ledger
from unspin.review.lessons import Lessons, Tally
from unspin.review.model import ACCEPT, REJECT, Item, Reviewer
from unspin.review.suggest import better, changes, minimal, negative_examples, suggestions, wilson

HEAD = "spun\toriginal\trate\tseen\tstatus\tsource\tnote\n"
ANNA = Reviewer("anna")
WAR, FIGHT = (
    Entry("struggle", "war", 0.26, 347, source="learned"),
    Entry("struggle", "fight", 0.1, 12, source="learned"),
)


def text_of(*sentences: str) -> tuple[Restoration, list[Candidate]]:
    """Sentences with "struggle" in them, which is proposed to have been "war", or else "fight"."""
    text = "\n".join(sentences) + "\n"
    edits, candidates = [], []
    start = text.find("struggle")
    while start >= 0:
        options = Option("war", WAR, 0.8), Option("fight", FIGHT, 0.15), Option("struggle", None, 0.05)
        candidates.append(Candidate(start, start + 8, "struggle", options))
        edits.append(Edit(start, start + 8, "struggle", "war", WAR, 0.8, DecidedBy.DECODER))
        start = text.find("struggle", start + 1)
    spin = SpinEvidence(1.0, 1.0, 50, True)
    return Restoration(text, spin, (), tuple(edits), (), Signature("1", "a", "b", ())), candidates


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "unspin.db")


def reviewed(ledger: Ledger, number: int) -> list[Item]:
    ledger.add("a.txt", *text_of(*(f"The struggle of number {n} ended." for n in range(number))))
    return ledger.items()


def lines_of(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "mine.tsv"
    path.write_text(HEAD + "".join(row + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(("right", "judged"), [(0, 0), (0, 1), (1, 1), (7, 9), (50, 100)])
def test_wilson_holds_the_share(right: int, judged: int) -> None:
    low, high = wilson(right, judged)
    assert 0.0 <= low <= (right / judged if judged else 0.5) <= high <= 1.0


@pytest.mark.parametrize(
    ("status", "accepted", "rejected", "expected"),
    [
        (Status.REVIEW, 3, 0, Status.REVIEW),  # too few to tell
        (Status.REVIEW, 4, 0, Status.AUTO),
        (Status.REVIEW, 50, 30, Status.AUTO),
        (Status.AUTO, 0, 3, Status.AUTO),
        (Status.AUTO, 0, 4, Status.REVIEW),
        (Status.AUTO, 45, 55, Status.AUTO),
        (Status.AUTO, 35, 65, Status.REVIEW),
        (Status.AUTO, 0, 16, Status.OFF),
        (Status.REVIEW, 0, 16, Status.OFF),
        (Status.OFF, 1, 9, Status.OFF),
        (Status.OFF, 9, 0, Status.AUTO),
    ],
)
def test_better(status: Status, accepted: int, rejected: int, expected: Status) -> None:
    assert better(status, Tally(accepted, rejected, 0, ())) is expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("struggle", "war", ("struggle", "war")),
        ("Struggle", "War", ("struggle", "war")),
        ("Bill", "Act of Congress", ("bill", "act of Congress")),
        ("usa", "United States", ("usa", "United States")),
        ("in a struggle", "in a war", ("struggle", "war")),
        ("the the", "the", ("the the", "the")),
        ("war", "war", None),
        ("war", "War", None),
        ("war", "", None),
        ("war", "one two three four five six seven eight", None),
        ("caf\u0065\u0301", "bar", ("caf\u00e9", "bar")),
    ],
)
def test_minimal(before: str, after: str, expected: tuple[str, str] | None) -> None:
    assert minimal(before, after) == expected


def test_what_was_judged_is_counted(ledger: Ledger) -> None:
    for n, item in enumerate(reviewed(ledger, 9)):
        answer = ACCEPT if n < 4 else REJECT if n < 6 else item.saying("fight" if n < 8 else "conflict")
        ledger.decide(item.id, answer, by=ANNA)
    lessons = ledger.lessons()
    war, fight = lessons.tallies["struggle", "war"], lessons.tallies["struggle", "fight"]
    assert (war.accepted, war.rejected, war.passed_over, war.judged) == (4, 2, 3, 9)
    assert (fight.accepted, fight.judged) == (2, 2)
    assert len(war.examples) == 2
    assert "The [[struggle|war]] of number 8 ended." in war.examples
    assert lessons.typed == {("struggle", "conflict"): ("The [[struggle|conflict]] of number 8 ended.",)}
    assert lessons.false_alarms["struggle", "war"] == (
        "The struggle of number 5 ended.",
        "The struggle of number 4 ended.",
    )


def test_a_sentence_is_an_example_only_when_all_of_it_is_decided(ledger: Ledger) -> None:
    ledger.add("a.txt", *text_of("The struggle and a struggle and no struggle ended."))
    first, second, third = ledger.items()
    ledger.decide(first.id, REJECT, by=ANNA)
    ledger.decide(second.id, ACCEPT, by=ANNA)
    assert ledger.lessons().false_alarms["struggle", "war"] == ()
    ledger.decide(third.id, third.saying("end"), by=ANNA)
    assert ledger.lessons().false_alarms["struggle", "war"] == ("The struggle and a war and no end ended.",)


def test_undone_decisions_teach_nothing(ledger: Ledger) -> None:
    (item,) = reviewed(ledger, 1)
    ledger.decide(item.id, item.saying("conflict"), by=ANNA)
    ledger.undo(by=ANNA)
    assert ledger.lessons() == Lessons({}, {}, {})


def test_suggestions_are_lines_with_their_reasons(ledger: Ledger, tmp_path: Path) -> None:
    for n, item in enumerate(reviewed(ledger, 18)):
        ledger.decide(item.id, REJECT if n < 16 else item.saying("conflict"), by=ANNA)
    path = lines_of(
        tmp_path,
        "# about strife",
        "strife\twar\t0.1\t1\tauto\tlearned\t",
        "struggle\tfight\t0.1\t12\tauto\tlearned\t",
        "# our own",
        "# review: 1 of 9 right, so off became review",
        "struggle\twar\t0.26\t347\tauto\tlearned\tmine",
    )
    _, lines = read(path)
    text = path.read_text()
    found = list(suggestions(lines, ledger.lessons()))
    assert [(one.new.spun, one.new.original, one.new.status, one.new.source) for one in found] == [
        ("struggle", "conflict", Status.AUTO, "review"),
        ("struggle", "war", Status.OFF, "learned"),
    ]
    changed = apply(text, changes(text, found))
    assert changed == HEAD + (
        "# about strife\n"
        "strife\twar\t0.1\t1\tauto\tlearned\t\n"
        "# review: typed: The [[struggle|conflict]] of number 17 ended.\n"
        "# review: typed: The [[struggle|conflict]] of number 16 ended.\n"
        "struggle\tconflict\t0.3\t2\tauto\treview\t\n"
        "struggle\tfight\t0.1\t12\tauto\tlearned\t\n"
        "# our own\n"
        "# review: 0 of 18 right, so auto became off\n"
        "# review: not right: The [[struggle|war]] of number 17 ended.\n"
        "# review: not right: The [[struggle|war]] of number 16 ended.\n"
        "struggle\twar\t0.26\t347\toff\tlearned\tmine\n"
    )
    path.write_text(changed)
    _, lines = read(path)
    assert not [problem for problem in check(lines) if problem.is_error]
    assert list(suggestions(lines, ledger.lessons())) == []


def test_a_new_pair_gets_the_rate_that_its_original_has_left(ledger: Ledger, tmp_path: Path) -> None:
    for item, word in zip(reviewed(ledger, 3), ("conflict", "battle", "strife"), strict=True):
        ledger.decide(item.id, item.saying(word), by=ANNA)
    path = lines_of(
        tmp_path,
        "combat\tbattle\t0.875\t1\tauto\tlearned\t",
        "combat\tstrife\t0.995\t1\tauto\tlearned\t",
        "zeal\tconflict\t1\t1\toff\tlearned\t",
    )
    _, lines = read(path)
    found = {one.new.original: one.new.rate for one in suggestions(lines, ledger.lessons())}
    assert found == {"battle": 0.125, "conflict": 0.3}


@pytest.mark.parametrize("end", ["", "\n"])
def test_new_entries_come_into_any_file(ledger: Ledger, tmp_path: Path, end: str) -> None:
    (item,) = reviewed(ledger, 1)
    ledger.decide(item.id, item.saying("conflict"), by=ANNA)
    for rows in ((), ("arms\thands\t0.3\t1\tauto\tlearned\t",), ("zeal\tlove\t0.3\t1\tauto\tlearned\t",)):
        text = HEAD + "\n".join(rows) + (end if rows else "")
        path = tmp_path / "mine.tsv"
        path.write_text(text)
        _, lines = read(path)
        path.write_text(apply(text, changes(text, list(suggestions(lines, ledger.lessons())))))
        _, lines = read(path)
        assert sum(line.entry is not None for line in lines) == len(rows) + 1
        assert not [problem for problem in check(lines) if problem.is_error]


def test_an_entry_that_is_off_and_was_typed_comes_back(ledger: Ledger, tmp_path: Path) -> None:
    for item in reviewed(ledger, 4):
        ledger.decide(item.id, item.saying("conflict"), by=ANNA)
    path = lines_of(tmp_path, "struggle\tconflict\t0.2\t1\toff\tlearned\t")
    (found,) = suggestions(read(path)[1], ledger.lessons())
    assert found.new.status is Status.AUTO
    assert found.comments[0] == "# review: 4 of 4 right, so off became auto"


def test_negative_examples_are_added_once() -> None:
    lessons = Lessons({}, {}, {("a", "b"): ("One is.", "Two are.", "# no", "x" * 301), ("c", "d"): ("One is.",)})
    present = "# mine\nTwo are.\n"
    added = negative_examples(present, lessons)
    assert added == "\n# False alarms, from reviews: to be left alone\nOne is.\n"
    assert negative_examples(present + added, lessons) == ""
    assert negative_examples(present + added, Lessons({}, {}, {("a", "b"): ("Three.",)})) == "\nThree.\n"


def test_the_command_prints_a_patch_or_writes(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for item in reviewed(ledger, 5):
        ledger.decide(item.id, REJECT, by=ANNA)
    path = lines_of(tmp_path, "struggle\twar\t0.26\t347\tauto\tlearned\t")
    before = path.read_text()
    monkeypatch.chdir(tmp_path)

    def run(*further: str) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["unspin", "lexicon", "suggest", "mine.tsv", *further])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        return capsys.readouterr()

    out, err = run()
    assert "--- a/mine.tsv\n+++ b/mine.tsv\n" in out
    assert "-struggle\twar\t0.26\t347\tauto\tlearned\t\n" in out
    assert "+The struggle of number 4 ended.\n" in out
    assert "0 new entries, 0 to auto, 1 to review, 0 to off; 2 negative examples" in err
    assert path.read_text() == before
    assert run("--write", "--from", "unspin.db")[0] == ""
    assert "\treview\tlearned" in path.read_text()
    assert (tmp_path / "mine.examples.tsv").read_text().splitlines()[1:] == [
        "The struggle of number 4 ended.",
        "The struggle of number 3 ended.",
    ]
    assert run() == ("", "mine.tsv: 0 new entries, 0 to auto, 0 to review, 0 to off; 0 negative examples\n")
