"""Laws of the review: a selection is what sorting by hand gives, a state what the decisions add up to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from unspin.edit import cleaned
from unspin.errors import Overtaken
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
)
from unspin.review import queue
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, EVERY_WHY, REJECT, Act, Answer, Filter, Item, Order, Reviewer, State

ENTRIES = [Entry(f"spun{n}", f"original{n}", 0.5, n, source="learned") for n in range(6)]
UNDECIDED = (State.PROPOSED, State.HELD)


def article(seed: int, number: int) -> tuple[Restoration, list[Candidate]]:
    """A text of `number` candidates, proposed and held for every reason."""
    chance = random.Random(seed)
    text, edits, held, candidates = f"Text {seed}.", [], [], []
    for entry in chance.choices(ENTRIES, k=number):
        text += f" and {entry.spun}"
        span = len(text) - len(entry.spun), len(text), entry.spun
        sure = chance.choice([0.1, 0.25, 0.5, 0.9, 0.9, 1.0])
        options = Option(entry.original, entry, sure), Option(entry.spun, None, 1.0 - sure)
        candidates.append(Candidate(*span, options))
        if chance.random() < 0.4:
            held.append(Held(candidates[-1], chance.choice(list(HeldReason))))
        else:
            by = chance.choice([DecidedBy.DECODER, DecidedBy.ENDPOINT, DecidedBy.SIBLING])
            edits.append(Edit(*span, entry.original, entry, sure, by))
    spin, signature = SpinEvidence(0.9, 1.0, 10, True), Signature("1", "a", "b", ())
    return Restoration(text, spin, (), tuple(edits), tuple(held), signature), candidates


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with TemporaryDirectory() as folder, Ledger(Path(folder) / "unspin.db") as opened:
        for seed in range(8):
            opened.add(f"{seed}.txt", *article(seed, 12))
        everything = opened.items()
        for item in random.Random(1).sample(everything, 20):
            opened.decide(item.id, random.Random(item.id).choice([ACCEPT, REJECT]), by=Reviewer("anna"))
        yield opened


confidences = st.none() | st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.6241, 0.9, 1.0])
filters = st.builds(
    Filter,
    document=st.none() | st.integers(1, 9),
    entries=st.none() | st.lists(st.integers(1, 7), unique=True, max_size=4).map(tuple),
    min_confidence=confidences,
    max_confidence=confidences,
    states=st.none() | st.lists(st.sampled_from(State), unique=True).map(tuple),
    why=st.none() | st.lists(st.sampled_from(EVERY_WHY), unique=True, max_size=6).map(tuple),
)


@pytest.fixture(scope="module")
def everything(ledger: Ledger) -> list[Item]:
    return ledger.items()


@pytest.fixture(scope="module")
def number(ledger: Ledger) -> dict[Entry, int]:
    """The ids of the entries."""
    return {entry: ledger.entry_id(entry) or 0 for entry in ENTRIES}


def by_hand(
    everything: list[Item], number: dict[Entry, int], wanted: Filter, order: Order, *, undecided: bool
) -> list[int]:
    def passes(item: Item) -> bool:
        assert item.entry
        return (
            (not undecided or item.state in UNDECIDED)
            and (wanted.document is None or item.document == wanted.document)
            and (wanted.entries is None or number[item.entry] in wanted.entries)
            and (wanted.min_confidence is None or item.confidence >= wanted.min_confidence)
            and (wanted.max_confidence is None or item.confidence <= wanted.max_confidence)
            and (wanted.states is None or item.state in wanted.states)
            and (wanted.why is None or any(item.why is why for why in wanted.why))
        )

    def key(item: Item) -> tuple[Any, ...]:
        assert item.entry
        risk = round(-item.risk, 6)
        match order:
            case Order.RISK:
                return risk, item.id
            case Order.POSITION:
                return item.document, item.start
            case Order.ENTRY:
                return number[item.entry], risk, item.id

    return [item.id for item in sorted(filter(passes, everything), key=key)]


@given(wanted=filters, order=st.sampled_from(Order), rare=st.sampled_from([0, 5, 2000]), data=st.data())
@settings(
    max_examples=150, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)  # shrinking takes minutes
def test_a_selection_is_what_sorting_by_hand_gives(
    ledger: Ledger,
    everything: list[Item],
    number: dict[Entry, int],
    wanted: Filter,
    order: Order,
    rare: int,
    data: st.DataObject,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queue, "RARE", rare)
        queue._counted.cache_clear()
        for undecided in (True, False):
            expected = by_hand(everything, number, wanted, order, undecided=undecided)
            assert [item.id for item in ledger.items(wanted, order=order, undecided=undecided)] == expected
            assert ledger.count(wanted, undecided=undecided) == len(expected)
            every = by_hand(everything, number, Filter(), order, undecided=False)
            place = data.draw(st.integers(0, len(every) - 1))
            behind = [one for one in expected if every.index(one) > place]
            ahead = [one for one in expected if every.index(one) < place]
            after = ledger.items(wanted, order=order, undecided=undecided, after=every[place], limit=3)
            before = ledger.items(wanted, order=order, undecided=undecided, before=every[place], limit=3)
            assert [item.id for item in after] == behind[:3]
            assert [item.id for item in before] == ahead[::-1][:3]
        claimed = ledger.claim("law", wanted, order=order)
        assert (claimed and claimed.id) == next(iter(by_hand(everything, number, wanted, order, undecided=True)), None)
        ledger.release("law")


def folded(ledger: Ledger, item: Item) -> tuple[State, str | None]:
    """What the record says of an item: its last decision that nobody took back."""
    history = ledger.history(item=item.id)
    undone = {decision.undoes for decision in history}
    for decision in history:
        if decision.act is Act.DECIDE and decision.id not in undone:
            return decision.new, decision.after
    return (State.HELD if isinstance(item.why, HeldReason) else State.PROPOSED), None


answers = st.sampled_from([ACCEPT, REJECT, Answer(State.REPLACED, "words"), Answer(State.REPLACED, "others")])
people = st.sampled_from([Reviewer("anna"), Reviewer("bert")])
deeds = st.one_of(
    st.tuples(st.just("decide"), people, st.integers(0, 7), answers),
    st.tuples(st.just("opinion"), people, st.integers(0, 7), answers),
    st.tuples(st.just("all"), people, st.sampled_from([0.2, 0.6, 0.95]), st.sampled_from([ACCEPT, REJECT])),
    st.tuples(st.just("undo"), people, st.just(0), st.just(ACCEPT)),
    st.tuples(st.just("add"), people, st.integers(4, 8), st.just(ACCEPT)),
)


def do(ledger: Ledger, deed: tuple[Any, ...], known: list[int]) -> None:
    kind, by, what, answer = deed
    try:
        match kind:
            case "decide" | "opinion":
                ledger.decide(known[what], answer, by=by, is_opinion=kind == "opinion")
            case "all":
                ledger.decide_all(Filter(min_confidence=what), answer, by=by)
            case "undo":
                ledger.undo(by=by)
            case "add":  # fewer proposals of the same text, or all of them again
                restoration, candidates = article(1, 8)
                fewer = Restoration(
                    restoration.original,
                    restoration.spin,
                    (),
                    restoration.edits[: what - 4],
                    restoration.held[: what - 4],
                    restoration.signature,
                )
                ledger.add("a.txt", restoration if what == 8 else fewer, candidates)
    except Overtaken:
        pass


@given(st.lists(deeds, max_size=14))
@settings(max_examples=40, deadline=None)
def test_states_are_what_decisions_add_up_to(done: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as folder, Ledger(Path(folder) / "unspin.db") as opened:
        opened.add("a.txt", *article(1, 8))
        known = [item.id for item in opened.items()]
        for deed in done:
            do(opened, deed, known)
        for number in known:
            item = opened.item(number)
            assert (item.state, item.answer) == folded(opened, item)
        lines = list(opened.exported())
        with Ledger(Path(folder) / "other.db") as other:
            other.take_in(lines, name="export")
            assert list(other.exported()) == lines
            assert other.status().counts == opened.status().counts
            assert cleaned(other.restoration(1)) == cleaned(opened.restoration(1))


@given(st.integers(0, 10_000), st.integers(0, 20))
@settings(max_examples=30, deadline=None)
def test_undecided_texts_come_out_as_they_were_restored(seed: int, number: int) -> None:
    restoration, candidates = article(seed, number)
    with TemporaryDirectory() as folder, Ledger(Path(folder) / "unspin.db") as opened:
        document = opened.add("a.txt", restoration, candidates).document
        found = opened.restoration(document, min_confidence=0.0)
        assert {edit.start for edit in restoration.edits} <= {edit.start for edit in found.edits}
        assert cleaned(opened.restoration(document, min_confidence=2.0)) == restoration.original
