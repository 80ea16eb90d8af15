"""What becomes of a case: verdicts, what is told of them, and JUnit XML."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from unspin.cases.floors import floor_to_record
from unspin.cases.junit import junit
from unspin.cases.model import Case, Counts, Refused, Result, Settings, Verdict, total
from unspin.cases.reading import gold_of
from unspin.cases.running import judged, restored, run_case
from unspin.cases.telling import explained, headline, words_against_expected
from unspin.lexicon import Lexicon
from unspin.model import DecidedBy, Edit, Restoration, Signature, SpinEvidence

SCHEMA = xmlschema.XMLSchema(Path(__file__).parents[1] / "data" / "junit-10.xsd")
MARKED = "The [[struggle|war|conflict]] was [[extra|more]] or less over."


def result(text: str, *swaps: tuple[str, str], output: str | None = None, **more: object) -> Result:
    """A case whose text was restored by these swaps."""
    gold = gold_of(text, output, name="text")
    edits = []
    for before, after in swaps:
        start = gold.text.index(before)
        edits.append(Edit(start, start + len(before), before, after, None, 1.0, DecidedBy.DECODER))
    case = Case(Path("a/b.case.toml"), "a label", "a reason", "a source", gold, output, **more)  # type: ignore[arg-type]
    spin, signature = SpinEvidence(1.0, 1.0, 5, True), Signature("1", "a", "b", ())
    return judged(case, Restoration(gold.text, spin, (), tuple(edits), (), signature), seconds=0.25)


GOOD = ("struggle", "conflict"), ("extra", "more")


def test_any_accepted_alternative_restores() -> None:
    done = result(MARKED, *GOOD)
    assert (done.counts, done.verdict, done.is_failure) == (Counts(restored=2), Verdict.PASSED, False)
    assert done.expected == done.got == "The conflict was more or less over."


@pytest.mark.parametrize(
    ("swaps", "counts"),
    [
        ([("struggle", "war")], Counts(restored=1, missed=1)),
        ([("struggle", "fight"), ("extra", "more")], Counts(restored=1, wrong=1)),
        ([("struggle", "War"), ("extra", "more")], Counts(restored=1, wrong=1)),
        ([*GOOD, ("over", "done")], Counts(restored=2, spurious=1)),
        ([*GOOD, ("less", "Less")], Counts(restored=2, spurious=1)),
    ],
)
def test_every_fault_counts_capitals_among_them(swaps: list[tuple[str, str]], counts: Counts) -> None:
    done = result(MARKED, *swaps)
    assert (done.counts, done.verdict) == (counts, Verdict.REGRESSED)
    assert len(done.faults) == counts.faults


def test_a_case_with_its_whole_output_is_exact_to_the_last_character() -> None:
    spaced = result("So it's  over.", ("  ", " "), output="So it's  over.")
    assert (spaced.counts, spaced.verdict) == (Counts(spurious=1), Verdict.REGRESSED)
    assert result("So it's  over.", output="So it’s  over.").counts == Counts(spurious=1)
    assert result("So it's  over.", output="So it's  over.").verdict is Verdict.PASSED
    assert result("So it's  over.", ("  ", " ")).verdict is Verdict.REGRESSED, "without marks, nothing may change"


def test_a_passage_that_is_to_go_counts_as_one() -> None:
    text = "It ended.\nIt ended.\n"
    assert result(text, output="It ended.\n").counts == Counts(missed=1)
    assert result(text, ("\nIt ended.", ""), output="It ended.\n").counts == Counts(restored=1)


@pytest.mark.parametrize(
    ("floor", "verdict"),
    [
        (Counts(restored=1, missed=1), Verdict.PASSED),
        (Counts(restored=0, missed=2), Verdict.IMPROVED),
        (Counts(restored=1, missed=2), Verdict.IMPROVED),
        (Counts(restored=2), Verdict.REGRESSED),
        (Counts(restored=1, wrong=1), Verdict.REGRESSED),
    ],
)
def test_a_floor_is_what_may_not_get_worse(floor: Counts, verdict: Verdict) -> None:
    assert result(MARKED, ("struggle", "war"), floor=floor).verdict is verdict


def test_a_known_failure_must_fail() -> None:
    assert result(MARKED, xfail="too hard").verdict is Verdict.KNOWN
    fixed = result(MARKED, *GOOD, xfail="too hard")
    assert (fixed.verdict, fixed.is_failure) == (Verdict.FIXED, True)
    assert "take xfail out" in headline(fixed)


def test_floors_are_raised_and_lowered_only_if_that_is_allowed() -> None:
    better = result(MARKED, *GOOD, floor=Counts(restored=1, missed=1))
    worse = result(MARKED, floor=Counts(restored=1, missed=1))
    same, known = result(MARKED, *GOOD), result(MARKED, xfail="too hard")
    for allowed in (False, True):
        assert floor_to_record(better, allow_regression=allowed) == Counts(restored=2)
        assert floor_to_record(same, allow_regression=allowed) is None
        assert floor_to_record(known, allow_regression=allowed) is None
    assert floor_to_record(worse, allow_regression=False) is None
    assert floor_to_record(worse, allow_regression=True) == Counts(missed=2)


def test_the_words_that_differ_are_shown_inline() -> None:
    done = result(MARKED, ("struggle", "fight"), ("over", "done"))
    assert words_against_expected(done) == "The [-fight-]{+war+} was [-extra-]{+more+} or less [-done-]{+over+}."
    assert "\x1b[31m" in words_against_expected(done, colour=True)
    assert explained(done).splitlines() == [
        "    a label: a reason",
        '    spurious: "over" became "done", in: extra or less [over] .',
        '    wrong: "struggle" became "fight", not "war" or "conflict", in: The [struggle] was extra or',
        '    missed: "extra" still stands for "more", in: The struggle was [extra] or less over',
        "    The [-fight-]{+war+} was [-extra-]{+more+} or less [-done-]{+over+}.",
    ]
    assert headline(done).endswith("regressed (floor: all right)")


def test_a_text_of_which_nothing_is_left_is_shown_too() -> None:
    done = result("All gone.", ("All gone.", ""), output="All gone.")
    assert words_against_expected(done) == "{+All gone.+}"


def test_what_acts_on_a_terminal_is_shown_as_a_sign() -> None:
    assert "\x1b" not in explained(result("A \x1b[2J[[struggle|war]]."))


def test_settings_are_what_a_text_is_restored_with(tmp_path: Path) -> None:
    lexicon = tmp_path / "mine.tsv"
    lexicon.write_text("spun\toriginal\trate\tseen\tstatus\tsource\tnote\nblorf\tbread\t0.9\t1\tauto\ttest\t\n")
    gold = gold_of("The blorf was good. " * 4, None, name="text")
    plain = Case(tmp_path / "a.case.toml", "a", "b", "c", gold)
    own = Settings(
        lexicons=(str(lexicon),), ranker="none", assume_spun=True, keep_duplicates=True, siblings=("Bread.",)
    )
    case = Case(tmp_path / "a.case.toml", "a", "b", "c", gold, settings=own)
    signature = restored(case).signature
    assert signature.lexicon == Lexicon.load(str(lexicon)).digest != restored(plain).signature.lexicon
    options = dict(signature.options)
    assert (options["ranker"], options["assume_spun"], options["keep_duplicates"]) == ("none", "true", "true")
    assert "siblings" in options
    assert run_case(plain).verdict is Verdict.PASSED


def test_counts_add_up() -> None:
    assert total([Counts(1, 2, 3, 4), Counts(restored=1)]) == Counts(2, 2, 3, 4)
    assert str(total([])) == "0 restored, 0 wrong, 0 missed, 0 spurious"


DONE: list[Result | Refused] = [
    result(MARKED, *GOOD),
    result(MARKED, xfail="too \x00 hard"),
    result(MARKED, ("struggle", "<war>\ud800\ufffe&\x1b"), ("extra", "more")),
    result(MARKED, *GOOD, xfail="no longer"),
    Refused(Path("/x/c.case.toml"), "c.case.toml: no 'why'"),
]


def test_junit_xml_obeys_the_schema_of_servers() -> None:
    document = junit(DONE)
    SCHEMA.validate(document.decode())
    suite = ET.fromstring(document).find("testsuite")
    assert suite is not None
    told = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped", "time")}
    assert told == {"tests": "5", "failures": "2", "errors": "1", "skipped": "1", "time": "1.000"}
    found = [(one.get("classname"), one.get("name"), [inner.tag for inner in one]) for one in suite]
    assert found == [
        ("a", "b", []),
        ("a", "b", ["skipped"]),
        ("a", "b", ["failure"]),
        ("a", "b", ["failure"]),
        ("x", "c", ["error"]),
    ]
    failure = suite[2][0]
    assert "<war>\ufffd\ufffd&\u241b-]{+The war+}" in (failure.text or "")


def test_junit_xml_of_nothing_obeys_the_schema() -> None:
    SCHEMA.validate(junit([]).decode())
