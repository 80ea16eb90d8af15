"""Texts and their proposals into the ledger.

In come a text's name and content with what is proposed for it; out goes what became of its items. Decisions are bound
to digest, span and entry: what was there before stays as it is, what is gone is shelved, what comes back returns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, select, update

from unspin.model import SpinEvidence
from unspin.review.model import Added, Proposal
from unspin.review.store import MANY, Store
from unspin.review.tables import (
    SHELVED,
    STATES,
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

_Key = tuple[int, int, int]


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
    document = _document(store, connection, text, spin, signature)
    left = rename(store, connection, name, encoding, document)
    rows = _rows(store, connection, document, proposals)
    present = _present(connection, document)
    gone = {key: row for key, row in present.items() if key not in rows}
    stale = _shelve(connection, [(number, state) for number, state in gone.values() if state < SHELVED])
    _unshelve(connection, [present[key] for key in rows if key in present])
    for key in present.keys() & rows.keys():
        values = {k: rows[key][k] for k in ("why", "confidence", "rank", "choices")}
        connection.execute(update(items).where(items.c.id == present[key][0]).values(values))
    fresh = [row for key, row in sorted(rows.items()) if key not in present]
    for first in range(0, len(fresh), 10 * MANY):
        connection.execute(items.insert(), fresh[first : first + 10 * MANY])
    return Added(document, len(fresh), len(rows) - len(fresh), left + stale)


def _document(store: Store, connection: Connection, text: str, spin: SpinEvidence, signature: str) -> int:
    """The document of this text, which is locked against other writers until the transaction ends."""
    values = {
        "signature": signature,
        "is_spun": spin.is_spun,
        "rate": spin.rate,
        "evidence": spin.evidence,
        "words": spin.words,
    }
    known = documents.c.digest == (key := digest(text))
    store.insert_new(connection, documents, [{"digest": key, "text": packed(text), **values}])
    connection.execute(update(documents).where(known).values(values))
    return int(connection.execute(select(documents.c.id).where(known)).scalar_one())


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
    return _shelve(connection, [row for row in _present(connection, before).values() if row[1] < SHELVED])


def _present(connection: Connection, document: int) -> dict[_Key, tuple[int, int]]:
    """The document's items in the ledger: number and state by span and entry."""
    columns = (items.c.start, items.c.stop, items.c.entry, items.c.id, items.c.state)
    every = items.c.state.in_([code + shelf for shelf in (0, SHELVED) for code in range(len(STATES))])  # for the index
    found = connection.execute(select(*columns).where(every, items.c.document == document))
    return {(start, stop, entry): (number, state) for start, stop, entry, number, state in found}


def _shelve(connection: Connection, rows: Sequence[tuple[int, int]]) -> int:
    """Take items out of all queues. How many of them were decided?"""
    _shift(connection, [number for number, _ in rows], SHELVED)
    return sum(state != UNDECIDED for _, state in rows)


def _unshelve(connection: Connection, rows: Sequence[tuple[int, int]]) -> None:
    _shift(connection, [number for number, state in rows if state >= SHELVED], -SHELVED)


def _shift(connection: Connection, ids: Sequence[int], by: int) -> None:
    for first in range(0, len(ids), MANY):
        some = items.c.id.in_(ids[first : first + MANY])
        connection.execute(update(items).where(some).values(state=items.c.state + by))


def _rows(
    store: Store, connection: Connection, document: int, proposals: Sequence[Proposal]
) -> dict[_Key, dict[str, Any]]:
    """Proposals as rows of the table, by span and entry."""
    every = [choice for proposal in proposals for choice in proposal.choices]
    phrase = store.phrase_ids(connection, (choice.after for choice in every))
    entry = store.entry_ids(connection, (choice.entry for choice in every if choice.entry))
    found: dict[_Key, dict[str, Any]] = {}
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
