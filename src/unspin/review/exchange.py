"""A ledger as JSON Lines, and back.

In comes an open ledger's store; out goes a line for each document, item and decision (`schemas/review.schema.json`),
and the same lines come in again: all of a file or, on any error, nothing. What is there already is not added twice, so
that a file may be imported any number of times, and the reviews of several people may be joined.

What the importing ledger itself proposes for a text counts: items that only the file has are stale, with their
decisions. Of several decisions on an item the latest is in force, wherever it was made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from unspin.errors import FormatError
from unspin.review.adding import Key, put_document, put_items, put_names
from unspin.review.deciding import settle
from unspin.review.reading import DECISION, EVERY_STATE, ITEM, read_decisions, read_documents, read_items
from unspin.review.records import (
    DecisionRecord,
    DocumentRecord,
    ItemRecord,
    Place,
    Record,
    decision_fields,
    document_fields,
    item_fields,
    read_record,
)
from unspin.review.store import MANY, Store
from unspin.review.tables import ACTS, INTERFACES, decisions, items, state_code

PENDING = 1_000  # decisions that are added at a time


@dataclass(frozen=True, slots=True)
class Imported:
    """How much of a file was new."""

    documents: int
    items: int
    decisions: int


def exported(store: Store, connection: Connection) -> Iterator[str]:
    """The ledger's lines: each document with its items, then all decisions as they were made."""
    digests: dict[int, str] = {}
    for document in read_documents(connection, only_current=False):
        digests[document.id] = document.digest
        yield _line(document_fields(document, store.text(connection, document.id)))
        own = ITEM.where(items.c.document == document.id, EVERY_STATE)
        found = read_items(store, connection, own)
        for item in sorted(found, key=lambda i: (i.start, i.end, i.entry.spun + i.entry.original if i.entry else "")):
            yield _line(item_fields(item, document.digest))
    entry = store.every_entry(connection)
    ordered = select(decisions.c.id).order_by(decisions.c.at, decisions.c.id)
    ids = [row[0] for row in connection.execute(ordered)]
    number = {one: place for place, one in enumerate(ids, 1)}
    for first in range(0, len(ids), MANY):
        wanted = ids[first : first + MANY]
        places = select(decisions.c.id, items.c.document, items.c.start, items.c.stop, items.c.entry).join(items)
        at = {
            row[0]: Place(digests[row[1]], row[2], row[3], _pair(entry.get(row[4])))
            for row in connection.execute(places.where(decisions.c.id.in_(wanted)))
        }
        for decision in sorted(
            read_decisions(connection, DECISION.where(decisions.c.id.in_(wanted))), key=lambda d: number[d.id]
        ):
            yield _line(decision_fields(decision, at[decision.id], number))


def _pair(entry: Any) -> tuple[str, str] | None:
    return (entry.spun, entry.original) if entry else None


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields) + "\n"


def imported(store: Store, connection: Connection, lines: Iterable[str], *, name: str) -> Imported:
    """Add what the lines of the file `name` hold. Raises FormatError, with the line, at the first that is wrong."""
    work = _Import(store, connection)
    number = 0
    try:
        for line in lines:
            number += 1
            if line.strip():
                work.take(read_record(_parsed(line)))
        work.flush()
    except ValueError as error:
        raise FormatError(name, str(error), line=number) from error
    return work.end()


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at column {error.colno})") from None
    except RecursionError as error:  # brackets without end
        raise ValueError(f"not JSON that can be read ({error})") from None


class _Import:
    """An import under way: what waits to be added, and what the file's numbers mean here."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self.store, self.connection = store, connection
        self.new = {"documents": 0, "items": 0, "decisions": 0}
        self.documents: dict[str, tuple[int, str, bool]] = {}  # id, text, and whether it counts here what is proposed
        self.items: dict[str, dict[Key, int]] = {}
        self.numbers: dict[int, int] = {}  # of the file's decisions, here
        self.waiting_items: list[ItemRecord] = []
        self.waiting: list[DecisionRecord] = []
        self.touched: set[int] = set()

    def take(self, record: Record) -> None:
        match record:
            case DocumentRecord():
                self.flush()
                self._document(record)
            case ItemRecord():
                if record.digest not in self.documents:
                    raise ValueError("document: no line before this one has it")
                self._check(record)
                self.waiting_items.append(record)
            case DecisionRecord():
                self._decision(record)

    def _document(self, record: DocumentRecord) -> None:
        number, is_new = put_document(
            self.store, self.connection, record.text, spin=record.spin, signature=record.signature
        )
        is_named = put_names(self.store, self.connection, number, record.names)
        self.documents[record.digest] = (number, record.text, is_new and is_named)
        self.new["documents"] += is_new

    def _check(self, record: ItemRecord) -> None:
        text, proposal = self.documents[record.digest][1], record.proposal
        if text[proposal.start : proposal.end] != proposal.before:
            raise ValueError(f"before: {proposal.before!r:.40} is not what the text has from start to end")

    def _decision(self, record: DecisionRecord) -> None:
        if self.waiting_items:
            self._flush_items()
        if record.number in self.numbers or any(one.number == record.number for one in self.waiting):
            raise ValueError(f"number: {record.number} is there twice")
        for reference in (record.undoes, record.batch):
            if reference is not None and reference not in self.numbers and reference != record.number:
                self._flush_decisions()
                if reference not in self.numbers:
                    raise ValueError(f"it refers to decision {reference}, which no line before this one has")
        self.waiting.append(record)
        if len(self.waiting) >= PENDING or record.batch == record.number:
            self._flush_decisions()

    def flush(self) -> None:
        """Add what waits."""
        self._flush_items()
        self._flush_decisions()

    def end(self) -> Imported:
        """Let all decisions take effect. What was new?"""
        settle(self.connection, self.touched)
        return Imported(**self.new)

    def _flush_items(self) -> None:
        by_document: dict[str, list[ItemRecord]] = {}
        for record in self.waiting_items:
            by_document.setdefault(record.digest, []).append(record)
        self.waiting_items = []
        for digest, records in by_document.items():
            number, _, counts = self.documents[digest]
            proposed = [(record.proposal, record.is_stale or not counts) for record in records]
            self.new["items"] += put_items(self.store, self.connection, number, proposed)
            self.items.pop(digest, None)

    def _place(self, place: Place) -> int:
        if place.digest not in self.documents:
            raise ValueError("document: no line before this one has it")
        if place.digest not in self.items:
            number = self.documents[place.digest][0]
            columns = (items.c.start, items.c.stop, items.c.entry, items.c.id)
            found = self.connection.execute(select(*columns).where(items.c.document == number, EVERY_STATE))
            self.items[place.digest] = {(start, stop, entry): item for start, stop, entry, item in found}
        entry = self.store.entry_number(self.connection, place.entry) if place.entry else 0
        item = self.items[place.digest].get((place.start, place.end, entry or 0))
        if item is None or entry is None:
            raise ValueError("start, end, entry: no line before this one has such an item")
        return item

    def _flush_decisions(self) -> None:
        records, self.waiting = self.waiting, []
        rows = [self._row(record) for record in records]
        known = self._known({row["item"] for row in rows})
        fresh: list[tuple[DecisionRecord, dict[str, Any]]] = []
        for record, row in zip(records, rows, strict=True):
            here = known.get((row["item"], row["reviewer"], row["at"], row["act"]))
            if here is None:
                fresh.append((record, row))
            else:
                self.numbers[record.number] = here
        self._add(fresh)

    def _row(self, record: DecisionRecord) -> dict[str, Any]:
        words = record.after
        return {
            "item": self._place(record.place),
            "reviewer": self.store.reviewer_id(self.connection, record.reviewer.name),
            "interface": INTERFACES.index(record.reviewer.interface),
            "at": round(record.at.timestamp() * 1000),
            "act": ACTS.index(record.act),
            "old": state_code(record.old),
            "new": state_code(record.new),
            "answer": None if words is None else self.store.phrase_ids(self.connection, [words])[words],
            "undoes": None if record.undoes is None else self.numbers[record.undoes],
            "batch": None if record.batch in (None, record.number) else self.numbers[record.batch],
        }

    def _known(self, wanted: Iterable[int]) -> dict[tuple[int, int, int, int], int]:
        found: dict[tuple[int, int, int, int], int] = {}
        ids = sorted(wanted)
        columns = (decisions.c.item, decisions.c.reviewer, decisions.c.at, decisions.c.act, decisions.c.id)
        for first in range(0, len(ids), MANY):
            some = select(*columns).where(decisions.c.item.in_(ids[first : first + MANY]))
            found |= {(item, who, at, act): number for item, who, at, act, number in self.connection.execute(some)}
        return found

    def _add(self, fresh: Sequence[tuple[DecisionRecord, dict[str, Any]]]) -> None:
        if not fresh:
            return
        adding = insert(decisions).returning(decisions.c.id, sort_by_parameter_order=True)
        numbers = self.connection.execute(adding, [row for _, row in fresh]).scalars().all()
        heads = []
        for (record, row), number in zip(fresh, numbers, strict=True):
            self.numbers[record.number] = number
            self.touched.add(row["item"])
            heads += [{"number": number}] if record.batch == record.number else []
        if heads:
            own = update(decisions).where(decisions.c.id == bindparam("number")).values(batch=bindparam("number"))
            self.connection.execute(own, heads)
        self.new["decisions"] += len(numbers)
