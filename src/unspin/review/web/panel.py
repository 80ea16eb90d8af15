"""What the side panel says of an item: options, evidence, the passage it repeats, other occurrences, its history.

In come a desk and an item; out goes a JSON value whose texts come in pieces, plain text and signs in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from unspin.model import HeldReason
from unspin.review.model import ACCEPT, Decision, Filter, Item, State
from unspin.review.web.article import Article
from unspin.review.web.desk import EVERY_KIND, Bulk, Desk
from unspin.review.web.shown import pieces
from unspin.review.web.words import KINDS, REASONS, STATES, percent

OCCURRENCES = 8  # shown
ANSWERS = 10  # shown
COMPARED = 2_000  # words of a passage; longer ones are shown as they are
_REACH = 60  # code points of the sentence to either side of an occurrence


def panel(desk: Desk, number: int) -> dict[str, Any]:
    """All of it. Raises KeyError."""
    item = desk.ledger.item(number)
    article = desk.known(item.document)
    (mark,) = article.marks([item])
    return {
        "id": item.id,
        "state": item.state.value,
        "status": _status(item),
        "before": pieces(item.before),
        "after": pieces(mark.after),
        "words": item.after,
        "choices": [
            {
                "words": choice.after,
                "shown": pieces(choice.after),
                "confidence": choice.confidence,
                "percent": percent(choice.confidence),
                "prior": None if choice.prior is None else percent(choice.prior),
                "chosen": item.state.is_decided and choice.after == item.after,
            }
            for choice in item.choices
        ],
        "alone": {"confidence": item.alone, "percent": percent(item.alone), "chosen": item.state is State.REJECTED},
        "entry": item.entry and [pieces(item.entry.spun), pieces(item.entry.original)],
        "evidence": [[term, pieces(text)] for term, text in _evidence(item)],
        "repeats": _repeats(item, article),
        "occurrences": _occurrences(desk, item),
        "history": [_line(decision) for decision in desk.ledger.history(item=item.id, limit=ANSWERS)],
        "stale": item.is_stale,
    }


def _status(item: Item) -> str:
    """How things stand, in a sentence."""
    if item.is_stale:
        return "The text has changed since: load the page again."
    match item.state:
        case State.PROPOSED:
            return "Proposed: made, unless you object."
        case State.HELD:
            return f"Held: stays as written, unless you accept. {_sentence(REASONS[item.why])}"
        case _:
            return f"{STATES[item.state]}."


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _evidence(item: Item) -> Iterator[tuple[str, str]]:
    entry = item.entry
    yield "Why", REASONS[item.why]
    if entry is not None:
        yield "Entry", f"{entry.spun} ← {entry.original}"
        yield "Rate", f"{percent(entry.rate)} of “{entry.original}” are spun to this"
        yield "Seen", f"{entry.seen:,} times" if entry.seen else "never counted: curated"
        if entry.source:
            yield "Source", entry.source
        if entry.status != "auto" and item.why is not HeldReason.STATUS:
            yield "Status", entry.status.value
    prior, sure = item.choices[0].prior, item.confidence
    if prior is not None:
        yield "Context", f"{percent(prior)} before the ranker read the sentence, {percent(sure)} after"
    if item.duplicate:
        repeat = item.duplicate.repeat
        yield "Alike", f"{KINDS[repeat.kind]} ({repeat.kind}, {repeat.score:.2f})"


def _repeats(item: Item, article: Article) -> dict[str, Any] | None:
    """The kept passage, in stretches that the removed one has, too, and such as it lacks."""
    if item.duplicate is None:
        return None
    kept = article.text[item.duplicate.start : item.duplicate.end]
    return {
        "number": article.number(item.duplicate.start),
        "kept": [[same, pieces(text)] for same, text in _compared(kept, item.before)],
    }


def _compared(kept: str, removed: str) -> Iterator[tuple[bool, str]]:
    mine, other = kept.split(" "), removed.split(" ")
    if max(len(mine), len(other)) > COMPARED:  # comparing takes the product of the two
        yield True, kept
        return
    position = 0
    for block in SequenceMatcher(None, mine, other, autojunk=False).get_matching_blocks():
        if block.a > position:
            yield False, " ".join(mine[position : block.a])
        if block.size:
            yield True, " ".join(mine[block.a : block.a + block.size])
        position = block.a + block.size


def _occurrences(desk: Desk, item: Item) -> dict[str, Any] | None:
    entry = desk.entry_of(item)
    if entry is None:
        return None
    everywhere = Filter(entries=(entry,))
    here = replace(everywhere, document=item.document)
    found = {one.id: one for one in desk.ledger.items(here, limit=OCCURRENCES + 1)}
    if len(found) <= OCCURRENCES:  # then some of other texts
        found |= {one.id: one for one in desk.ledger.items(everywhere, limit=2 * OCCURRENCES + 1)}
    others = [one for one in found.values() if one.id != item.id][:OCCURRENCES]
    return {
        "here": desk.ledger.count(here),
        "total": desk.ledger.count(everywhere),
        "open_here": desk.count(Bulk(ACCEPT, document=item.document, entry_of=item.id, kinds=EVERY_KIND)),
        "open": desk.count(Bulk(ACCEPT, entry_of=item.id, kinds=EVERY_KIND)),
        "shown": [_occurrence(desk, one, item) for one in others],
    }


def _occurrence(desk: Desk, other: Item, item: Item) -> dict[str, Any]:
    around = desk.ledger.context(other)
    left = around.left if len(around.left) <= _REACH else "…" + around.left[-_REACH:]
    right = around.right if len(around.right) <= _REACH else around.right[:_REACH] + "…"
    is_here = other.document == item.document
    return {
        "id": other.id,
        "document": other.document,
        "name": None if is_here else pieces(desk.name(other.document)),
        "left": pieces(left),
        "before": pieces(around.words),
        "after": pieces(other.after),
        "right": pieces(right),
        "state": other.state.value,
        "status": STATES[other.state],
    }


def _line(decision: Decision) -> dict[str, Any]:
    return {
        "act": decision.act.value,
        "new": STATES[decision.new],
        "after": None if decision.after is None else pieces(decision.after),
        "reviewer": pieces(decision.reviewer.name),
        "interface": decision.reviewer.interface.value,
        "at": decision.at.isoformat(timespec="seconds"),
    }
