"""What a ledger's decisions say about the lexicon.

In comes a ledger's connection; out go, for each entry that was judged, how often it was right, with sentences; the
pairs that people typed; and sentences with false alarms, as they should stay. Stale decisions count, too: a person
judged the swap in the text as it was then.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from unspin.edit import apply, mend_articles
from unspin.model import DecidedBy, Edit
from unspin.review.context import Context, context
from unspin.review.model import Item, State
from unspin.review.reading import EVERY_STATE, ITEM, read_items
from unspin.review.store import Store
from unspin.review.tables import SHELVED, STATES, items, read_choices
from unspin.text import segment

EXAMPLES = 2  # sentences of each entry

Swap = tuple[str, str]  # spun, original


@dataclass(frozen=True, slots=True)
class Tally:
    """How often an entry was judged: right, wrong, and passed over for something else that was right."""

    accepted: int
    rejected: int
    passed_over: int
    examples: tuple[str, ...]  # sentences in which it was not right, marked as [[words|entry's original]]

    @property
    def judged(self) -> int:
        """All answers."""
        return self.accepted + self.rejected + self.passed_over


@dataclass(frozen=True, slots=True)
class Lessons:
    """`tallies`: of entries, as the ledger knows them. `typed`: what people wrote that no choice offered, as it stood
    in the text and as they wrote it, with the sentences. `false_alarms`: sentences with all decisions made, by the
    entry that must leave them alone."""

    tallies: dict[Swap, Tally]
    typed: dict[Swap, tuple[str, ...]]
    false_alarms: dict[Swap, tuple[str, ...]]


def _codes(state: State) -> tuple[int, int]:
    code = STATES.index(state)
    return code, code + SHELVED


def lessons(store: Store, connection: Connection) -> Lessons:
    """All that was decided so far, read as lessons."""
    entry = {number: (e.spun, e.original) for number, e in store.every_entry(connection).items()}
    accepted = _counts(connection, State.ACCEPTED)
    rejected = _counts(connection, State.REJECTED)
    passed: Counter[int] = Counter()
    typed: defaultdict[Swap, list[str]] = defaultdict(list)
    wrong: defaultdict[int, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in _rows(connection, State.REPLACED):
        line = read_choices(row.choices)
        chosen = next((number for words, number, *_ in line.choices if words == row.answer), None)
        if row.entry:
            passed[row.entry] += 1
            wrong[row.entry].append(row)
        if chosen:
            accepted[chosen] += 1
        elif chosen is None and row.answer:
            around = _around(store, connection, row)
            words = store.phrases(connection, [row.answer])[row.answer]
            typed[around.words, words].append(_marked(around, words))
    for row in _rows(connection, State.REJECTED, EXAMPLES):
        if row.entry:
            wrong[row.entry].append(row)
    tallies = {
        entry[number]: Tally(
            accepted[number],
            rejected[number],
            passed[number],
            tuple(_marked(_around(store, connection, row), entry[number][1]) for row in wrong[number][:EXAMPLES]),
        )
        for number in {*accepted, *rejected, *passed}
        if number in entry
    }
    alarms = {entry[number]: _alarms(store, connection, rows) for number, rows in wrong.items() if rejected[number]}
    return Lessons(tallies, {swap: tuple(found) for swap, found in typed.items()}, alarms)


def _counts(connection: Connection, state: State) -> Counter[int]:
    statement = select(items.c.entry, func.count()).where(items.c.state.in_(_codes(state))).group_by(items.c.entry)
    return Counter({number: count for number, count in connection.execute(statement) if number})


def _rows(connection: Connection, state: State, most: int = 0) -> Iterator[Row[*tuple[Any, ...]]]:
    """Items in a state, the latest first; no more than `most` of each entry, if so."""
    columns = (*ITEM.selected_columns, items.c.entry)
    statement = select(*columns).where(items.c.state.in_(_codes(state)))
    if most:
        place = func.row_number().over(partition_by=items.c.entry, order_by=items.c.id.desc()).label("place")
        ranked = statement.add_columns(place).subquery()
        statement = select(ranked).where(ranked.c.place <= most)
        yield from connection.execute(statement.order_by(ranked.c.id.desc()))
    else:
        yield from connection.execute(statement.order_by(items.c.id.desc()))


def _around(store: Store, connection: Connection, row: Row[*tuple[Any, ...]]) -> Context:
    return context(store.text(connection, row.document), row.start, row.stop)


def _marked(around: Context, original: str) -> str:
    """The sentence on one line, with what the entry would make of its words."""
    return " ".join(f"{around.left}[[{around.words}|{original}]]{around.right}".split())


def _alarms(store: Store, connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[str, ...]:
    """Sentences with all decisions made, where all that is proposed in them is decided."""
    found: list[str] = []
    for row in rows:
        if STATES[row.state % SHELVED] is State.REJECTED and row.state < SHELVED:
            around = _around(store, connection, row)
            inside = items.c.start.between(around.start, around.end - 1)
            statement = ITEM.where(items.c.document == row.document, EVERY_STATE, items.c.state < SHELVED, inside)
            found += _settled(around, read_items(store, connection, statement.order_by(items.c.start)))
    return tuple(dict.fromkeys(found))


def _settled(around: Context, inside: Sequence[Item]) -> Iterator[str]:
    """The sentence as it was decided, if all of it was."""
    whole = around.left + around.words + around.right
    if not all(item.state.is_decided and not item.duplicate and item.end <= around.end for item in inside):
        return
    edits = [
        Edit(i.start - around.start, i.end - around.start, i.before, i.after, i.entry, 1.0, DecidedBy.REVIEWER)
        for i in inside
        if i.after != i.before
    ]
    sentence = apply(whole, mend_articles(segment(whole), edits))
    if sentence == " ".join(sentence.split()) and not {"[[", "]]", "\t"} & {sentence, *sentence.split()}:
        yield sentence
