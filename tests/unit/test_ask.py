"""What is asked about held candidates, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin import apply, cleaned, invert, restore
from unspin.ask import REACH, Question, decide_held, offered
from unspin.decide import calibrated
from unspin.model import (
    Candidate,
    DecidedBy,
    Edit,
    Entry,
    Held,
    HeldReason,
    Option,
    Restoration,
    Signature,
    SpinEvidence,
    Status,
)

SPUN = (
    "The struggle has gone on for greater than a yr, and no one is aware of find out how to finish it. "
    "Despite the fact that they are saying they need peace, they have by no means been keen to speak."
)
HELD = restore(SPUN, min_confidence=1.0)


class Chooser:
    """Answers by a rule, and remembers what it was asked."""

    digest = "host/model"

    def __init__(self, rule: Callable[[Question], int | None]) -> None:
        self.rule = rule
        self.asked: list[Question] = []

    def choose(self, questions: Sequence[Question]) -> list[int | None]:
        self.asked += questions
        return [self.rule(question) for question in questions]


def always(answer: int | None) -> Chooser:
    return Chooser(lambda _: answer)


def entry(spun: str, original: str, status: Status = Status.AUTO) -> Entry:
    return Entry(spun, original, 0.5, status=status)


def held(text: str, before: str, *afters: str, reason: HeldReason = HeldReason.CONFIDENCE) -> Held:
    """A held candidate at the first `before`; options as likely as 0.6, 0.3 and so on, and last leaving it alone."""
    start = text.index(before)
    options = [Option(after, entry(before, after), 0.6 / 2**n) for n, after in enumerate(afters)]
    return Held(Candidate(start, start + len(before), before, (*options, Option(before, None, 0.01))), reason)


def edit(text: str, before: str, after: str, decided_by: DecidedBy = DecidedBy.DECODER) -> Edit:
    start = text.index(before)
    return Edit(start, start + len(before), before, after, None, 0.9, decided_by)


def restoration(text: str, *waiting: Held, edits: Sequence[Edit] = ()) -> Restoration:
    signature = Signature("1", "lexicon", "model", (("ranker", "vectors-1"), ("min_confidence", "0.5")))
    return Restoration(text, SpinEvidence(0.9, 1.0, 9, True), (), tuple(edits), waiting, signature)


def test_a_choice_becomes_an_edit_as_sure_as_it_was_before() -> None:
    text = "They saw the struggle end."
    decided = decide_held(restoration(text, held(text, "struggle", "war", "fight")), always(1))
    (made,) = decided.edits
    assert made == Edit(13, 21, "struggle", "fight", entry("struggle", "fight"), calibrated(0.3), DecidedBy.ENDPOINT)
    assert decided.held == ()
    assert cleaned(decided) == "They saw the fight end."


def test_what_is_left_alone_is_held_no_more() -> None:
    text = "They saw the struggle end."
    before = restoration(text, held(text, "struggle", "war"))
    decided = decide_held(before, always(1))
    assert (decided.edits, decided.held, cleaned(decided)) == ((), (), text)


@pytest.mark.parametrize("answer", [None, -1, 2, 10**30])
def test_without_a_usable_answer_it_stays_held(answer: int | None) -> None:
    text = "They saw the struggle end."
    before = restoration(text, held(text, "struggle", "war"))
    assert decide_held(before, always(answer)).held == before.held


def test_answers_must_be_as_many_as_questions() -> None:
    class Short(Chooser):
        def choose(self, questions: Sequence[Question]) -> list[int | None]:
            return []

    text = "They saw the struggle end."
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        decide_held(restoration(text, held(text, "struggle", "war")), Short(lambda _: 0))


@pytest.mark.parametrize("reason", HeldReason)
def test_guards_are_not_overruled(reason: HeldReason) -> None:
    is_asked = reason in (HeldReason.CONFIDENCE, HeldReason.STATUS, HeldReason.NAME)
    text = "They saw the struggle end."
    before = restoration(text, held(text, "struggle", "war", reason=reason))
    chooser = always(0)
    decided = decide_held(before, chooser)
    assert bool(chooser.asked) is bool(decided.edits) is is_asked
    assert bool(decided.held) is not is_asked


def test_options_that_would_change_a_number_or_a_negation_are_not_offered() -> None:
    text = "It took a couple of years."
    waiting = held(text, "a couple of", "two", "several", "not many", "three")
    assert [option.after for option in offered(waiting.candidate)] == ["several", "a couple of"]
    only = restoration(text, held(text, "a couple of", "two"))
    chooser = always(0)
    assert decide_held(only, chooser).held == only.held
    assert chooser.asked == []


def test_options_that_read_alike_are_offered_once_with_the_likelier_entry() -> None:
    first, second = entry("struggle", "War"), entry("struggle", "war")
    options = (Option("War", first, 0.6), Option("War", second, 0.2), Option("Struggle", None, 0.1))
    waiting = Held(Candidate(0, 8, "Struggle", options), HeldReason.CONFIDENCE)
    assert offered(waiting.candidate) == (options[0], options[2])
    assert decide_held(restoration("Struggle ended.", waiting), always(0)).edits[0].entry == first


def test_the_question_shows_the_sentence_as_restored_so_far() -> None:
    text = "It began.\nThe yr was\u00a0long, an struggle was keen and finish came. It ended."
    edits = (edit(text, "yr", "year"), edit(text, "finish", "end"))
    chooser = always(None)
    decide_held(restoration(text, held(text, "struggle", "war"), edits=edits), chooser)
    marked = "The year was long, an [[struggle]] was keen and end came."
    assert chooser.asked == [Question(marked, ("war", "struggle"))]


def test_of_an_endless_sentence_only_what_is_near_is_shown() -> None:
    text = "word " * 1000 + "struggle" + " word" * 1000
    chooser = always(None)
    decide_held(restoration(text, held(text, "struggle", "war")), chooser)
    (asked,) = chooser.asked
    assert 2 * REACH - 10 < len(asked.sentence) < 2 * REACH + 20


def test_articles_follow() -> None:
    text = "It was an struggle, a honest one."
    decided = decide_held(restoration(text, held(text, "struggle", "war")), always(0))
    assert cleaned(decided) == "It was a war, a honest one."
    assert decided.edits[0].decided_by == DecidedBy.AGREEMENT


def test_an_article_inside_what_was_held_follows_too() -> None:
    text = "It came as an struggle."
    edits = (edit(text, "an", "a", DecidedBy.AGREEMENT), edit(text, "struggle", "war"))
    waiting = held(text, "as an", "like an")
    kept = decide_held(restoration(text, waiting, edits=edits), always(None))
    assert kept.edits == edits
    decided = decide_held(restoration(text, waiting, edits=edits), always(0))
    assert cleaned(decided) == "It came like a war."
    assert [one.decided_by for one in decided.edits] == [DecidedBy.ENDPOINT, DecidedBy.DECODER]


def test_what_meets_an_edit_or_another_candidate_is_not_asked_about() -> None:
    text = "The long struggle over it ended."
    edits = (edit(text, "ended", "went on"),)
    waiting = (
        held(text, "long struggle", "war"),
        held(text, "struggle over", "fight about"),
        held(text, "it ended", "all ended"),
    )
    decided = decide_held(restoration(text, *waiting, edits=edits), always(0))
    assert cleaned(decided) == "The war over it went on."
    assert decided.held == waiting[1:]


def test_nobody_is_asked_about_nothing_and_is_named_all_the_same() -> None:
    class Silent(Chooser):
        def choose(self, questions: Sequence[Question]) -> list[int | None]:
            raise AssertionError

    decided = decide_held(restoration("It ended."), Silent(lambda _: 0))
    assert str(decided.signature).endswith("|ranker:vectors-1+host/model|min_confidence:0.5")


def test_a_removed_paragraph_stays_removed() -> None:
    text = f"{SPUN}\n\n{SPUN}\n"
    before = restore(text, min_confidence=1.0)
    assert before.duplicates
    chooser = always(0)
    decided = decide_held(before, chooser)
    assert len(chooser.asked) == len(HELD.held)
    assert cleaned(decided) == cleaned(decide_held(HELD, always(0))) + "\n"


def test_nothing_else_changes() -> None:
    decided = decide_held(HELD, always(0))
    assert (decided.original, decided.spin, decided.duplicates) == (HELD.original, HELD.spin, HELD.duplicates)
    assert decide_held(HELD, always(0)) == decided
    assert [one.start for one in decided.edits] == sorted(one.start for one in decided.edits)


@given(st.lists(st.none() | st.integers(-2, 9), min_size=99, max_size=99))
def test_whatever_is_answered_only_the_lexicon_s_words_get_in(answers: list[int | None]) -> None:
    left = iter(answers)
    decided = decide_held(HELD, Chooser(lambda _: next(left)))
    options = {(one.candidate.start, option.after) for one in HELD.held for option in offered(one.candidate)}
    made = [one for one in decided.edits if one.decided_by is DecidedBy.ENDPOINT]
    assert all((one.start, one.after) in options for one in made)
    assert {one.decided_by for one in decided.edits} <= {DecidedBy.ENDPOINT, DecidedBy.AGREEMENT}
    assert set(decided.held) <= set(HELD.held)
    assert apply(cleaned(decided), invert(decided.edits)) == SPUN
