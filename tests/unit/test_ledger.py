"""The ledger: what goes in comes out, in every order, and nothing that was answered is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from unspin.edit import cleaned
from unspin.errors import Overtaken
from unspin.model import (
    Candidate,
    DecidedBy,
    HeldReason,
    Restoration,
)
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, REJECT, Answer, Counts, Filter, Order, Reviewer, State
from unspin.review.session import Session

ANNA, BERT = Reviewer("anna"), Reviewer("bert")
Restored = Callable[..., tuple[Restoration, list[Candidate]]]


def test_what_goes_in_comes_out(ledger: Ledger, restored: Restored) -> None:
    restoration, candidates = restored()
    added = ledger.add("a.txt", restoration, candidates)
    assert (added.fresh, added.kept, added.stale) == (5, 0, 0)
    (document,) = ledger.documents()
    assert (document.name, document.spin, document.counts) == ("a.txt", restoration.spin, Counts(proposed=4, held=1))
    assert ledger.text(document.id) == restoration.original
    first, _, four, _, repeat = ledger.items()
    assert (first.before, first.entry, first.state, first.why) == (
        "struggle",
        candidates[0].best.entry,
        State.PROPOSED,
        DecidedBy.DECODER,
    )
    assert [choice.after for choice in first.choices] == ["war", "fight"]
    assert first.choices[0].confidence == 0.92
    assert (four.state, four.why, four.after) == (State.HELD, HeldReason.NUMBER, "4")
    assert repeat.duplicate is not None
    assert (repeat.duplicate.start, repeat.duplicate.repeat) == (0, restoration.duplicates[0].repeats[0])
    assert ledger.context(first).words == "struggle"
    assert cleaned(ledger.restoration(document.id)) == cleaned(restoration)


def test_decisions_make_the_text(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    war, extraordinary, four, more, repeat = ledger.items()
    ledger.decide(war.id, war.saying("fight"), by=ANNA)
    ledger.decide(extraordinary.id, REJECT, by=ANNA)
    ledger.decide(four.id, ACCEPT, by=BERT)
    ledger.decide(repeat.id, REJECT, by=BERT)
    assert cleaned(ledger.restoration(more.document)) == (
        "The fight was a unprecedented one. four officials appeared on it in 2022.\n\n"
        "Real property costs more.\n\n"
        "The struggle was a unprecedented one. 4 officials appeared on it in 2022.\n"
    )
    assert cleaned(ledger.restoration(more.document, min_confidence=1.1)).count("extra.") == 1
    assert ledger.status().counts == Counts(proposed=1, accepted=1, rejected=2, replaced=1)


def test_undo_is_a_decision_too(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    war, *_ = ledger.items()
    ledger.decide(war.id, Answer(State.REPLACED, "fight"), by=ANNA)
    ledger.decide(war.id, REJECT, by=ANNA)
    assert ledger.undo(by=BERT) == []
    ledger.undo(by=ANNA)
    assert (ledger.item(war.id).state, ledger.item(war.id).answer) == (State.REPLACED, "fight")
    ledger.undo(by=ANNA)
    assert ledger.item(war.id) == war
    assert ledger.undo(by=ANNA) == []
    assert [decision.act for decision in ledger.history(item=war.id)] == ["undo", "undo", "decide", "decide"]


def test_undo_does_not_touch_what_others_decided_since(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    war, *_ = ledger.items()
    ledger.decide(war.id, ACCEPT, by=ANNA)
    ledger.decide(war.id, REJECT, by=BERT)
    with pytest.raises(Overtaken, match="decided anew"):
        ledger.undo(by=ANNA)
    assert ledger.item(war.id).state is State.REJECTED


def test_many_at_once_and_back(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    first, *_ = ledger.items()
    ledger.decide(first.id, REJECT, by=ANNA)
    assert ledger.decide_all(Filter(min_confidence=0.9), ACCEPT, by=ANNA) == 2
    assert ledger.status().counts == Counts(proposed=1, held=1, accepted=2, rejected=1)
    assert len(ledger.undo(by=ANNA)) == 2
    assert ledger.status().counts == Counts(proposed=3, held=1, rejected=1)


def test_an_answer_to_what_has_changed_is_refused(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    first, *_ = ledger.items()
    ledger.decide(first.id, REJECT, by=ANNA)
    with pytest.raises(Overtaken, match="rejected by anna"):
        ledger.decide(first.id, ACCEPT, by=BERT, expected=first.state)
    with pytest.raises(KeyError):
        ledger.decide(99, ACCEPT, by=BERT)


def test_two_reviewers_never_have_the_same_item(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    with Session(ledger, ANNA) as one, Session(ledger, BERT) as other:
        seen = []
        while (mine := one.next()) and (theirs := other.next()):
            assert mine.id != theirs.id
            seen += [mine.id, theirs.id]
            one.answer(ACCEPT)
        assert len(seen) == len(set(seen))


def test_another_text_leaves_decisions_behind_and_its_return_brings_them_back(
    ledger: Ledger, restored: Restored
) -> None:
    ledger.add("a.txt", *restored())
    first, *_ = ledger.items()
    ledger.decide(first.id, ACCEPT, by=ANNA)
    longer = f"Well. {restored()[0].original}"
    moved, candidates = restored(longer)
    added = ledger.add("a.txt", moved, candidates)
    assert (added.fresh, added.stale) == (5, 1)
    assert ledger.status().counts == Counts(proposed=4, held=1)
    assert ledger.item(first.id).is_stale
    with pytest.raises(Overtaken, match="stale"):
        ledger.decide(first.id, REJECT, by=ANNA)
    again = ledger.add("a.txt", *restored())
    assert (again.fresh, again.kept, again.stale) == (0, 5, 0)
    assert ledger.item(first.id).state is State.ACCEPTED


def test_an_earlier_answer_to_the_same_sentence_can_be_shown(ledger: Ledger, restored: Restored) -> None:
    text = restored()[0].original
    ledger.add("a.txt", *restored())
    war, extraordinary, *_ = ledger.items()
    ledger.decide(war.id, war.saying("fight"), by=ANNA)
    ledger.decide(extraordinary.id, REJECT, by=ANNA)
    ledger.undo(by=ANNA)
    ledger.add("a.txt", *restored(text.replace("costs extra", "will cost extra")))
    war, extraordinary, *_ = ledger.items()
    earlier = ledger.earlier(war)
    assert earlier
    assert (earlier.new, earlier.after, earlier.reviewer) == (State.REPLACED, "fight", ANNA)
    assert war.state is State.PROPOSED
    assert ledger.earlier(extraordinary) is None
    ledger.add("a.txt", *restored(f"Well. {text}".replace("The struggle was", "The struggle is")))
    assert ledger.earlier(ledger.items()[0]) is None


def test_one_text_under_two_names_is_reviewed_once(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    ledger.add("b.txt", *restored())
    (document,) = ledger.documents()
    assert [name for name, _ in document.names] == ["a.txt", "b.txt"]
    ledger.add("a.txt", *restored(f"Well. {restored()[0].original}"))
    assert [d.name for d in ledger.documents()] == ["a.txt", "b.txt"]
    assert ledger.count() == 10


def test_what_is_proposed_no_more_is_stale(ledger: Ledger, restored: Restored) -> None:
    restoration, candidates = restored()
    ledger.add("a.txt", restoration, candidates)
    first, *_ = ledger.items()
    ledger.decide(first.id, ACCEPT, by=ANNA)
    fewer = replace(restoration, edits=restoration.edits[1:])
    assert ledger.add("a.txt", fewer, candidates).stale == 1
    assert ledger.count() == 4


@pytest.mark.parametrize("order", Order)
def test_items_come_page_by_page_as_they_come_at_once(ledger: Ledger, restored: Restored, order: Order) -> None:
    ledger.add("a.txt", *restored())
    whole = [item.id for item in ledger.items(order=order)]
    pages: list[int] = []
    while page := ledger.items(order=order, limit=2, after=pages[-1] if pages else None):
        pages += [item.id for item in page]
    assert pages == whole
    assert [item.id for item in ledger.items(order=order, before=whole[3])] == whole[2::-1]


def test_filters(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    assert [i.before for i in ledger.items(Filter(entries=ledger.entries("struggle")))] == ["struggle"]
    assert [i.before for i in ledger.items(Filter(entries=ledger.entries("struggle=fight")))] == []
    assert [i.before for i in ledger.items(Filter(states=(State.HELD,)))] == ["4"]
    assert [i.before for i in ledger.items(Filter(max_confidence=0.8))] == ["unprecedented", "4"]
    assert ledger.items(Filter(document=7)) == []
    assert len(ledger.items(Filter(why=(DecidedBy.DUPLICATE,)))) == 1


def test_a_second_opinion_changes_nothing(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    ledger.decide_all(Filter(), ACCEPT, by=ANNA)
    with Session(ledger, BERT, second_opinion=True) as session:
        assert session.total == 5
        while session.next():
            session.answer(REJECT)
        assert session.done == 5
    assert ledger.status().counts.accepted == 5
    with Session(ledger, BERT, second_opinion=True) as session:
        assert session.next() is None
