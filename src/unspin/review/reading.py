"""Rows of the ledger as values.

In comes a connection and what is wanted; out go items, documents and decisions. Nothing is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, func, select

from unspin.model import Entry, Repeat, SpinEvidence
from unspin.review.model import Choice, Counts, Decision, Document, Duplicate, Item, Reviewer, State
from unspin.review.store import MANY, Store
from unspin.review.tables import (
    ACTS,
    FIRST_HELD,
    INTERFACES,
    SHELVED,
    STATES,
    UNDECIDED,
    Line,
    decisions,
    documents,
    items,
    names,
    phrases,
    read_choices,
    reviewers,
    state_of,
    why_of,
)

ITEM = select(
    items.c.id,
    items.c.document,
    items.c.start,
    items.c.stop,
    items.c.why,
    items.c.choices,
    items.c.state,
    items.c.answer,
)
# Stale or not; value by value, so that an index on state and document is of use.
EVERY_STATE = items.c.state.in_([code + shelf for shelf in (0, SHELVED) for code in range(len(STATES))])
_ONE = ITEM.where(items.c.id == bindparam("number"))


def read_items(
    store: Store, connection: Connection, statement: Select[Any], values: Mapping[str, Any] | None = None
) -> list[Item]:
    """The items that a selection of ITEM's columns finds."""
    rows = connection.execute(statement, values or {}).all()
    lines = [read_choices(row.choices) for row in rows]
    wanted = {number for line in lines for number, *_ in line.choices} | {row.answer for row in rows if row.answer}
    texts = store.phrases(connection, wanted)
    entries = store.entries(connection, {entry for line in lines for _, entry, *_ in line.choices})
    return [
        _item(row, line, store.text(connection, row.document), texts, entries)
        for row, line in zip(rows, lines, strict=True)
    ]


def _item(
    row: Row[*tuple[Any, ...]], line: Line, text: str, texts: Mapping[int, str], entries: Mapping[int, Entry]
) -> Item:
    span = (row.start, row.stop)
    choices = tuple(Choice(texts[p], entries[e] if e else None, sure, prior) for p, e, sure, prior in line.choices)
    duplicate = None
    if line.duplicate:
        kind, score, start, end = line.duplicate
        duplicate = Duplicate(start, end, Repeat(*span, kind, score))
    return Item(
        *span,
        before=text[row.start : row.stop],
        choices=choices,
        alone=line.alone,
        why=why_of(row.why),
        duplicate=duplicate,
        id=row.id,
        document=row.document,
        state=state_of(row.state, row.why),
        answer=texts[row.answer] if row.answer else None,
        is_stale=row.state >= SHELVED,
    )


def read_item(store: Store, connection: Connection, number: int) -> Item:
    """One item. Raises KeyError."""
    found = read_items(store, connection, _ONE, {"number": number})
    if not found:
        raise KeyError(number)
    return found[0]


def read_in_order(store: Store, connection: Connection, ids: Sequence[int]) -> list[Item]:
    """The items of these numbers, in their order."""
    found: dict[int, Item] = {}
    for first in range(0, len(ids), MANY):
        some = ITEM.where(items.c.id.in_(ids[first : first + MANY]))
        found |= {item.id: item for item in read_items(store, connection, some)}
    return [found[number] for number in ids]


def counts_by(connection: Connection, column: Any, wanted: Sequence[int] | None = None) -> dict[int, Counts]:
    """Numbers of items, those that are not stale, by the values of a column; for some values of it, if so."""
    held = func.sum(case((items.c.why >= FIRST_HELD, 1), else_=0))
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for code, state in enumerate(STATES):
        where = items.c.state == code
        fields = [column, func.count()] + ([held] if code == UNDECIDED else [])
        statement = select(*fields).where(where).group_by(column)
        if wanted is not None:
            statement = statement.where(column.in_(wanted))
        for value, number, *some in connection.execute(statement):
            if state is None:
                found[value] |= {"held": int(some[0]), "proposed": number - int(some[0])}
            else:
                found[value][state.value] = number
    return {value: Counts(**numbers) for value, numbers in found.items()}


def read_documents(
    connection: Connection, *, ids: Iterable[int] | None = None, only_current: bool = True
) -> list[Document]:
    """Documents with their names and counts, in order of name."""
    wanted = None if ids is None else list(ids)
    statement = select(*(column for column in documents.c if column is not documents.c.text))
    named = select(names.c.document, names.c.name, names.c.encoding).where(names.c.is_current).order_by(names.c.name)
    if wanted is not None:
        statement = statement.where(documents.c.id.in_(wanted))
        named = named.where(names.c.document.in_(wanted))
    by_document: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for document, name, encoding in connection.execute(named):
        by_document[document].append((name, encoding))
    counts = counts_by(connection, items.c.document, wanted)
    found = [
        Document(
            row.id,
            row.digest,
            tuple(by_document[row.id]),
            SpinEvidence(row.rate, row.evidence, row.words, row.is_spun),
            row.signature,
            counts.get(row.id, Counts()),
        )
        for row in connection.execute(statement)
        if row.id in by_document or not only_current
    ]
    return sorted(found, key=lambda document: (not document.names, document.name))


DECISION = (
    select(
        decisions.c.id,
        decisions.c.item,
        reviewers.c.name,
        decisions.c.interface,
        decisions.c.at,
        decisions.c.act,
        decisions.c.old,
        decisions.c.new,
        phrases.c.text,
        decisions.c.undoes,
        decisions.c.batch,
        items.c.why,
    )
    .join(reviewers, reviewers.c.id == decisions.c.reviewer)
    .join(items, items.c.id == decisions.c.item)
    .outerjoin(phrases, phrases.c.id == decisions.c.answer)
)


def moment(at: int) -> datetime:
    """A time as it is stored, in milliseconds since 1970."""
    return datetime.fromtimestamp(at / 1000, UTC)


def read_decisions(connection: Connection, statement: Select[Any]) -> list[Decision]:
    """The decisions that a selection of DECISION's columns finds."""
    return [
        Decision(
            id=row.id,
            item=row.item,
            reviewer=Reviewer(row.name, INTERFACES[row.interface]),
            at=moment(row.at),
            act=ACTS[row.act],
            old=state_of(row.old, row.why),
            new=state_of(row.new, row.why),
            after=row.text if state_of(row.new, row.why) is State.REPLACED else None,
            undoes=row.undoes,
            batch=row.batch,
        )
        for row in connection.execute(statement)
    ]
