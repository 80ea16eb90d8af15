"""What a review's answers say about a lexicon: the rules, and the file's lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import WAR

from unspin.edit import apply
from unspin.lexicon import COLUMNS, check, read
from unspin.model import Entry, Status
from unspin.review.evidence import Evidence, Unfit, hear, swap
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, REJECT, Answer, Filter, Reviewer, State
from unspin.review.patching import edits
from unspin.review.revision import Reviser
from unspin.review.suggest import Change, lower_bound, status_of, suggest, upper_bound

HEAD = "\t".join(COLUMNS)
ANNA = Reviewer("anna")


def said(entry: Entry = WAR, *, yes: int = 0, no: int = 0, unsure: int = 0, typed: bool = False) -> Evidence:
    return Evidence(entry, accepted=yes, refused=no, unwanted=no + unsure, left=no, is_typed=typed)


@given(st.integers(0, 200), st.integers(1, 200))
def test_bounds_enclose_the_share_and_close_in(part: int, whole: int) -> None:
    part = min(part, whole)
    share = pytest.approx(part / whole)
    low, high = lower_bound(part, whole), upper_bound(part, whole)
    assert 0.0 <= low <= high <= 1.0
    assert low <= part / whole or low == share
    assert high >= part / whole or high == share
    assert lower_bound(10 * part, 10 * whole) >= lower_bound(part, whole) - 1e-12
    assert upper_bound(10 * part, 10 * whole) <= upper_bound(part, whole) + 1e-12


@pytest.mark.parametrize(
    ("now", "evidence", "then"),
    [
        (Status.REVIEW, said(yes=3), Status.AUTO),
        (Status.REVIEW, said(yes=2), Status.REVIEW),  # too few answers
        (Status.REVIEW, said(yes=4, no=3), Status.REVIEW),  # not surely
        (Status.AUTO, said(no=3), Status.REVIEW),
        (Status.AUTO, said(no=2), Status.AUTO),
        (Status.AUTO, said(yes=1, no=5), Status.AUTO),
        (Status.AUTO, said(yes=1, no=6), Status.REVIEW),
        (Status.AUTO, said(unsure=5), Status.AUTO),  # nobody would have made them
        (Status.AUTO, said(no=9), Status.OFF),
        (Status.AUTO, said(unsure=9), Status.OFF),
        (Status.REVIEW, said(yes=1, no=20), Status.REVIEW),  # right sometimes: a person decides
        (Status.OFF, said(yes=20), Status.OFF),  # a person said so
    ],
)
def test_status_follows_what_is_sure(now: Status, evidence: Evidence, then: Status) -> None:
    assert status_of(evidence, now) is then


@pytest.mark.parametrize(
    ("before", "typed", "found"),
    [
        ("struggle", "campaign", ("struggle", "campaign")),
        ("Struggle", "Campaign", ("struggle", "campaign")),
        ("america", "U.S.", ("america", "U.S.")),
        ("additionally confirmed", "also confirmed", ("additionally", "also")),
        ("i\u2019m", "I am", ("i'm", "I am")),
        ("struggle", " ", Unfit.EMPTY),
        ("struggle", "Struggle", Unfit.SAME),
        ("struggle", "war, then", Unfit.MARKS),
        ("struggle", "a b c d e f g h", Unfit.LONG),
        ("4 officials", "three officials", Unfit.NUMBER),
        ("struggle", "no war", Unfit.NEGATION),
    ],
)
def test_what_is_typed_is_a_swap_or_there_is_a_reason(before: str, typed: str, found: tuple[str, str] | Unfit) -> None:
    assert swap(before, typed) == found


def typed(spun: str, original: str, times: int) -> Evidence:
    return said(Entry(spun, original, 1.0, source="review"), yes=times, typed=True)


def test_a_typed_pair_waits_for_review_until_it_is_sure() -> None:
    for times, status in ((1, Status.REVIEW), (3, Status.AUTO)):
        (change,), _ = suggest([typed("struggle", "campaign", times)], [WAR], {("campaign",): 4})
        assert (change.before, change.entry.status, change.entry.source) == (None, status, "review")
        assert (change.entry.seen, change.entry.note) == (times, f"review: {times} of {times}")
        assert change.entry.rate == pytest.approx(lower_bound(times, 4), rel=1e-3)


@pytest.mark.parametrize(
    ("known", "times", "reason"),
    [
        (Entry("struggle", "campaign", 0.2, status=Status.OFF, source="review"), 5, Unfit.OFF),
        (Entry("campaign", "struggle", 0.2, source="learned"), 2, Unfit.LOOP),
        (Entry("campaign", "struggle", 0.2, source="learned"), 3, None),
        (Entry("campaign", "struggle", 0.2, status=Status.OFF, source="learned"), 1, None),
    ],
)
def test_what_the_lexicon_contradicts_is_refused(known: Entry, times: int, reason: Unfit | None) -> None:
    changes, refused = suggest([typed("struggle", "campaign", times)], [known], {})
    assert [one.reason for one in refused] == ([reason] if reason else [])
    assert len(changes) == (reason is None)


@pytest.mark.parametrize(
    ("times", "rate", "found", "reason"),
    [
        (1, 0.5, 400, Unfit.RARE),  # "a" was once "now": no reason to doubt every "now"
        (1, 0.5, 4, None),
        (2, 1.0, 4, Unfit.FULL),
        (3, 1.0, 4, None),
    ],
)
def test_what_would_hardly_be_made_is_refused(times: int, rate: float, found: int, reason: Unfit | None) -> None:
    known = Entry("fight", "campaign", rate, 50, source="learned")
    _, refused = suggest([typed("struggle", "campaign", times)], [known], {("campaign",): found})
    assert [one.reason for one in refused] == ([reason] if reason else [])


def test_a_name_of_several_words_always_waits() -> None:
    (change,), _ = suggest([typed("fairly girl", "Pretty Woman", 9)], [], {})
    assert change.entry.status is Status.REVIEW


def test_a_new_alternate_takes_no_more_than_is_left() -> None:
    full = Entry("fight", "campaign", 0.999, 50, source="learned")
    changes, _ = suggest([typed("struggle", "campaign", 9)], [full], {("campaign",): 9})
    rates = {change.entry.spun: change.entry.rate for change in changes}
    assert rates["struggle"] == 0.01
    assert rates["fight"] == pytest.approx(0.99)
    half = Entry("fight", "campaign", 0.5, 50, source="learned")
    (change,), _ = suggest([typed("struggle", "campaign", 9)], [half], {("campaign",): 9})
    assert change.entry.rate == pytest.approx(0.5)


def test_what_is_left_out_stays() -> None:
    evidence = said(no=5)
    assert suggest([evidence], [WAR], {})[0]
    assert suggest([evidence], [WAR], {}, without={evidence.key}) == ((), ())


ENTRIES = [Entry(word, "war", 0.1, 3, source="learned", note="pairs: 1 of 9") for word in ("a b", "c", "d e", "g")]


@given(
    st.lists(st.sampled_from(ENTRIES), unique=True),
    st.lists(st.sampled_from(["a", "b", "c d", "h"]), unique=True),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_edits_change_these_lines_alone_and_keep_order(
    changed: list[Entry], new: list[str], ending: str, ends: bool
) -> None:
    lines = [HEAD, *(f"{e.spun}\twar\t0.10\t3\tauto\tlearned\tpairs: 1 of 9" for e in ENTRIES)]
    text = ending.join(lines) + (ending if ends else "")
    off = [Change(Entry(e.spun, "war", 0.1, 3, Status.OFF, "learned"), e, "auto -> off", ("one",)) for e in changed]
    added = [Change(Entry(word, "war", 0.1, 1, source="review"), None, "new") for word in new]
    result = apply(text, edits(text.split("\n"), [*off, *added]))
    rows = [row.removesuffix("\r") for row in result.split("\n") if row]
    entries = [row.split("\t") for row in rows[1:] if not row.startswith("#")]
    assert [row[0] for row in entries] == sorted([e.spun for e in ENTRIES] + new)
    assert {row[0] for row in entries if row[4] == "off"} == {e.spun for e in changed}
    untouched = [f"{e.spun}\twar\t0.10\t3\tauto\tlearned\tpairs: 1 of 9" for e in ENTRIES if e not in changed]
    assert set(untouched) <= set(rows)
    assert result.count("# review: ") == len(changed) + len(new)


def test_reasons_of_an_earlier_review_give_way() -> None:
    rows = [
        HEAD,
        "# kept",
        "# review: auto -> review: old",
        "#   old",
        "struggle\twar\t0.26\t347\treview\tlearned\t",
        "",
    ]
    before = Entry("struggle", "war", 0.26, 347, Status.REVIEW, "learned")
    change = Change(WAR, before, "review -> auto: accepted 3 of 3", ("said [[struggle|war]].",))
    assert apply("\n".join(rows), edits(rows, [change])).split("\n")[1:-2] == [
        "# kept",
        "# review: review -> auto: accepted 3 of 3",
        "#   said [[struggle|war]].",
    ]


def decide(folder: Path, *answers: tuple[str, Answer]) -> None:
    """Answer the first open items of these words."""
    with Ledger(folder / "unspin.db") as ledger:
        for words, answer in answers:
            item = next(i for i in ledger.items(undecided=True) if i.before == words)
            ledger.decide(item.id, answer, by=ANNA)


def test_a_ledger_is_heard(a_review: Path) -> None:
    campaign = Answer(State.REPLACED, "campaign")
    decide(a_review, ("struggle", ACCEPT), ("struggle", Answer(State.REPLACED, "fight")), ("struggle", campaign))
    decide(a_review, ("unprecedented", REJECT), ("4", REJECT))
    with Ledger(a_review / "unspin.db") as ledger:
        found = {(one.entry.spun, one.entry.original): one for one in hear(ledger).evidence}
    war = found["struggle", "war"]
    assert (war.accepted, war.refused, war.unwanted, war.left) == (1, 2, 2, 0)
    assert (found["struggle", "fight"].accepted, found["struggle", "campaign"].is_typed) == (1, True)
    assert found["unprecedented", "extraordinary"].left == 1
    assert "[[unprecedented|unprecedented]]" in found["unprecedented", "extraordinary"].against[0]
    assert (found["4", "four"].refused, found["4", "four"].unwanted) == (0, 1)  # held whatever its status


def test_an_answer_that_was_undone_says_nothing(a_review: Path) -> None:
    decide(a_review, ("struggle", REJECT))
    with Ledger(a_review / "unspin.db") as ledger:
        ledger.undo(by=ANNA)
        assert hear(ledger).evidence == ()


def test_a_settled_sentence_has_everything_decided(a_review: Path) -> None:
    decide(a_review, ("struggle", ACCEPT), ("unprecedented", REJECT))
    with Ledger(a_review / "unspin.db") as ledger:
        assert hear(ledger).settled == ()
    decide(a_review, ("struggle", ACCEPT))
    with Ledger(a_review / "unspin.db") as ledger:
        (one,) = hear(ledger).settled
    assert one.markup == "The [[struggle|war]] was a unprecedented one, and the [[struggle|war]] goes on."


def test_asking_twice_changes_nothing_more(a_review: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.tsv"
    row = "struggle\twar\t0.26\t347\tauto\tlearned\t"
    path.write_text(f"{HEAD}\n{row}\n")
    campaign = Answer(State.REPLACED, "campaign")
    decide(a_review, *[("struggle", campaign)] * 3)
    with Ledger(a_review / "unspin.db") as ledger:
        assert ledger.count(Filter(states=(State.REPLACED,))) == 3
        first = Reviser(ledger, path).revision()
        path.write_text(apply(first.text, first.edits))
        assert [change.entry.status for change in first.changes] == [Status.AUTO, Status.REVIEW]
        assert Reviser(ledger, path).revision().edits == ()
    lines = read(path)[1]
    assert not [problem for problem in check(lines) if problem.is_error]
