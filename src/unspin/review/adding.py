"""Texts and their proposals into the ledger.

In come a text's name and content with what is proposed for it; out goes what became of its items. Decisions are bound
to digest, span and entry: what was there before stays as it is, what is gone is shelved, what comes back returns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, select, update

from unspin.model import SpinEvidence
from unspin.review.model import Added, Proposal
from unspin.review.reading import EVERY_STATE
from unspin.review.store import MANY, Store, insert
from unspin.review.tables import (
    SHELVED,
    UNDECIDED,
    choices_line,
    documents,
    items,
    names,
    packed,
    rank,
    units,
    why_code,
)

Key = tuple[int, int, int]  # start, end, entry


_UPDATE = (
    update(items)
    .where(items.c.id == bindparam("number"))
    .values(
        {column: bindparam(column.name) for column in (items.c.why, items.c.confidence, items.c.rank, items.c.choices)}
    )
)


def digest(text: str) -> str:
    """What a text is known by: SHA-256 of its UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def add(
    store: Store,
    connection: Connection,
    *,
    name: str,
    encoding: str,
    text: str,
    spin: SpinEvidence,
    signature: str,
    proposals: Sequence[Proposal],
) -> Added:
    """Record a text under a name, with what is proposed for it."""
    document, _ = put_document(store, connection, text, spin=spin, signature=signature, is_newer=True)
    left = rename(store, connection, name, encoding, document)
    rows = _rows(store, connection, document, proposals)
    present = _present(connection, document)
    gone = [(row.id, row.state) for key, row in present.items() if key not in rows and row.state < SHELVED]
    stale = _shelve(connection, gone)
    both = present.keys() & rows.keys()
    _shift(connection, [present[key].id for key in both if present[key].state >= SHELVED], -SHELVED)
    changed = [rows[key] | {"number": present[key].id} for key in both if _differs(present[key], rows[key])]
    if changed:
        connection.execute(_UPDATE, changed)
    fresh = [row for key, row in sorted(rows.items()) if key not in present]
    _insert(connection, fresh)
    return Added(document, len(fresh), len(rows) - len(fresh), left + stale)


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    for first in range(0, len(rows), 10 * MANY):
        connection.execute(items.insert(), rows[first : first + 10 * MANY])


def put_document(
    store: Store, connection: Connection, text: str, *, spin: SpinEvidence, signature: str, is_newer: bool = False
) -> tuple[int, bool]:
    """The number of the document of this text, and whether it is new; what is known of it changes only if this
    `is_newer`. On PostgreSQL, it is locked against other writers until the transaction ends."""
    values = {
        "signature": signature,
        "is_spun": spin.is_spun,
        "rate": spin.rate,
        "evidence": spin.evidence,
        "words": spin.words,
    }
    known = documents.c.digest == (key := digest(text))
    row = {"digest": key, "text": packed(text), **values}
    adding = insert(documents, is_sqlite=store.is_sqlite).on_conflict_do_nothing().returning(documents.c.id)
    number = connection.execute(adding, row).scalar()
    if number is not None:
        return int(number), True
    if is_newer:
        connection.execute(update(documents).where(known).values(values))
    return int(connection.execute(select(documents.c.id).where(known).with_for_update()).scalar_one()), False


def put_names(store: Store, connection: Connection, document: int, wanted: Iterable[tuple[str, str]]) -> bool:
    """Give a document names, but those that mean another text here. Has it one?"""
    for name, encoding in wanted:
        taken = select(names.c.document).where(names.c.name == name, names.c.is_current)
        if connection.execute(taken).scalar() is None:
            rename(store, connection, name, encoding, document)
    own = select(func.count()).where(names.c.document == document, names.c.is_current)
    return connection.execute(own).scalar_one() > 0


def put_items(store: Store, connection: Connection, document: int, proposed: Sequence[tuple[Proposal, bool]]) -> int:
    """Add proposals that are not there yet, each with whether it is stale. How many were they?"""
    rows = _rows(store, connection, document, [proposal for proposal, _ in proposed])
    stale = [is_stale for _, is_stale in proposed]
    present = _present(connection, document)
    fresh = [
        row | {"state": SHELVED + UNDECIDED if is_stale else UNDECIDED}
        for (key, row), is_stale in zip(rows.items(), stale, strict=True)
        if key not in present
    ]
    _insert(connection, fresh)
    return len(fresh)


def rename(store: Store, connection: Connection, name: str, encoding: str, document: int) -> int:
    """Let the name mean this document; what it meant before is shelved if it has no other name. Its decided items."""
    is_name = names.c.name == name
    before = connection.execute(select(names.c.document).where(is_name, names.c.is_current)).scalar()
    if before != document:
        connection.execute(update(names).where(is_name, names.c.is_current).values(is_current=False))
    row = {"name": name, "document": document, "encoding": encoding, "is_current": True}
    store.insert_new(connection, names, [row])
    same = and_(is_name, names.c.document == document)
    connection.execute(update(names).where(same).values(is_current=True, encoding=encoding))
    if before is None or before == document:
        return 0
    others = select(func.count()).where(names.c.document == before, names.c.is_current)
    if connection.execute(others).scalar_one():
        return 0
    live = [(row.id, row.state) for row in _present(connection, before).values() if row.state < SHELVED]
    return _shelve(connection, live)


def _present(connection: Connection, document: int) -> dict[Key, Row[*tuple[Any, ...]]]:
    """The document's items in the ledger."""
    columns = (items.c.start, items.c.stop, items.c.entry, items.c.id, items.c.state, items.c.why, items.c.choices)
    found = connection.execute(select(*columns).where(EVERY_STATE, items.c.document == document))
    return {(row.start, row.stop, row.entry): row for row in found}


def _differs(row: Row[*tuple[Any, ...]], new: dict[str, Any]) -> bool:
    """Is something else said of an item now?"""
    return (row.why, row.choices) != (new["why"], new["choices"])


def _shelve(connection: Connection, rows: Sequence[tuple[int, int]]) -> int:
    """Take items out of all queues. How many of them were decided?"""
    _shift(connection, [number for number, _ in rows], SHELVED)
    return sum(state != UNDECIDED for _, state in rows)


def _shift(connection: Connection, ids: Sequence[int], by: int) -> None:
    for first in range(0, len(ids), MANY):
        some = items.c.id.in_(ids[first : first + MANY])
        connection.execute(update(items).where(some).values(state=items.c.state + by))


def _rows(
    store: Store, connection: Connection, document: int, proposals: Sequence[Proposal]
) -> dict[Key, dict[str, Any]]:
    """Proposals as rows of the table, by span and entry."""
    every = [choice for proposal in proposals for choice in proposal.choices]
    phrase = store.phrase_ids(connection, (choice.after for choice in every))
    entry = store.entry_ids(connection, (choice.entry for choice in every if choice.entry))
    found: dict[Key, dict[str, Any]] = {}
    for one in proposals:
        numbers = [
            (phrase[c.after], entry[c.entry.spun, c.entry.original] if c.entry else 0, c.confidence, c.prior)
            for c in one.choices
        ]
        found[one.start, one.end, numbers[0][1]] = {
            "document": document,
            "start": one.start,
            "stop": one.end,
            "entry": numbers[0][1],
            "why": why_code(one.why),
            "confidence": units(one.confidence),
            "rank": rank(one.why, units(one.confidence)),
            "choices": choices_line(one.alone, numbers, one.duplicate),
            "state": UNDECIDED,
        }
    return found
