"""The ledger: texts, what is proposed for them, and every decision that a person made, durably.

In come restorations and answers; out go items in any order, counts, and the restoration that the decisions make.
Refused: by `LedgerError`, a database that cannot be used; by `Overtaken`, an answer to what has changed since; by
`KeyError`, a number that is no item's or document's.

- A text is known by its digest, an item by its text, span and lexicon entry. Where any of these changes, its decisions
  are *stale*: kept, and in force no more. Where it comes back, so do they.
- Decisions are only ever added. An undo is a decision, too. An item's state is what its decisions add up to.
- Each method is one transaction: when it returns, what it did survives the death of the process.

Methods may be called from many threads, and many processes may share a ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, select

from unspin.decide import MIN_CONFIDENCE
from unspin.model import Candidate, Entry, Restoration, Signature
from unspin.review.adding import add, digest, rename
from unspin.review.applying import applied
from unspin.review.claiming import claim, count_opinions, holders, next_opinion, release
from unspin.review.context import Context, context
from unspin.review.deciding import decide, decide_all, undo
from unspin.review.earlier import earlier
from unspin.review.exchange import Imported, exported, imported
from unspin.review.model import (
    EVERYTHING,
    Added,
    Answer,
    Decision,
    Document,
    Filter,
    Item,
    Order,
    Reviewer,
    State,
)
from unspin.review.propose import proposals
from unspin.review.queue import chosen, count, key_of, listed, queued
from unspin.review.reading import DECISION, ITEM, read_decisions, read_documents, read_in_order, read_item, read_items
from unspin.review.status import Status, status
from unspin.review.store import Store
from unspin.review.tables import decisions, documents, items, names
from unspin.text import phrase

DEFAULT = "unspin.db"  # the ledger of a folder


def _now() -> int:
    return time.time_ns() // 1_000_000


class Ledger:
    """An open ledger; close it, or use it in a `with` statement."""

    def __init__(self, target: str | Path = DEFAULT, *, create: bool = True, clock: Callable[[], int] = _now) -> None:
        """Open the ledger in a file or, by URL, in PostgreSQL; make it where none is, if `create`.

        `clock` tells milliseconds since 1970. Raises LedgerError.
        """
        self._store = Store(target, create=create)
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    @property
    def name(self) -> str:
        """What messages call it."""
        return self._store.name

    # texts

    def add(
        self, name: str, restoration: Restoration, candidates: Iterable[Candidate] = (), *, encoding: str = "utf-8"
    ) -> Added:
        """Record a text under a name, with what its restoration changes and holds. Both as `unspin.pipeline.examine`
        returns them: `candidates` are what a person may choose from.

        The same text again keeps its decisions. Another text under the same name leaves those of the earlier one
        behind: they are stale, and nothing is carried over.
        """
        found = proposals(restoration, candidates)
        with self._store.write() as connection:
            return add(
                self._store,
                connection,
                name=name,
                encoding=encoding,
                text=restoration.original,
                spin=restoration.spin,
                signature=str(restoration.signature),
                proposals=found,
            )

    def rename(self, document: int, name: str, *, encoding: str = "utf-8") -> Added:
        """Let a name mean a text that is here under some name; what it meant before is left behind, as by `add`.

        Raises ValueError for an earlier version that has no name: what is proposed for it must be added anew.
        """
        with self._store.write() as connection:
            found = self._document(connection, document)
            if not found.names:
                raise ValueError(f"document {document} has no name; add its text")
            left = rename(self._store, connection, name, encoding, document)
        return Added(document, 0, found.counts.total, left)

    def documents(self) -> list[Document]:
        """All texts under review with their counts, in order of name."""
        with self._store.read() as connection:
            return read_documents(connection)

    def document(self, number: int) -> Document:
        """One text; it may be an earlier version."""
        with self._store.read() as connection:
            return self._document(connection, number)

    def find(self, *, text: str | None = None, name: str | None = None) -> Document | None:
        """The document of a text, or of a name."""
        with self._store.read() as connection:
            if text is not None:
                statement = select(documents.c.id).where(documents.c.digest == digest(text))
            else:
                statement = select(names.c.document).where(names.c.name == name, names.c.is_current)
            number = connection.execute(statement).scalar()
            return None if number is None else self._document(connection, number)

    def text(self, document: int) -> str:
        """The text of a document, as it was added."""
        with self._store.read() as connection:
            return self._store.text(connection, document)

    def _document(self, connection: Connection, number: int) -> Document:
        found = read_documents(connection, ids=[number], only_current=False)
        if not found:
            raise KeyError(number)
        return found[0]

    # items

    def item(self, number: int) -> Item:
        """One item, stale or not. Raises KeyError."""
        with self._store.read() as connection:
            return read_item(self._store, connection, number)

    def items(
        self,
        wanted: Filter = EVERYTHING,
        *,
        order: Order = Order.POSITION,
        limit: int | None = None,
        after: int | None = None,
        before: int | None = None,
        undecided: bool = False,
    ) -> list[Item]:
        """Items that a filter lets through, in order; none that is stale.

        `after`, `before`: only those that come after, or before, this item; with `before`, the nearest come first.
        `undecided`: only those that wait for a person. Nothing is claimed.
        """
        with self._store.read() as connection:
            first = None if after is None else key_of(connection, order, after)
            last = None if before is None else key_of(connection, order, before)
            if undecided:
                found = queued(connection, wanted, order, limit=limit, after=first, before=last)
                return read_in_order(self._store, connection, found)
            return read_items(
                self._store, connection, listed(ITEM, wanted, order, limit=limit, after=first, before=last)
            )

    def count(self, wanted: Filter = EVERYTHING, *, undecided: bool = False) -> int:
        """How many items a filter lets through."""
        with self._store.read() as connection:
            return count(connection, wanted, undecided=undecided)

    def count_unjudged(self, reviewer: str, wanted: Filter = EVERYTHING, *, share: float = 1.0) -> int:
        """How many decided items, of a `share` of all, wait for a second opinion by a reviewer."""
        with self._store.write() as connection:
            number = self._store.reviewer_id(connection, reviewer)
            return count_opinions(connection, wanted, number, share=share)

    def entries(self, words: str) -> tuple[int, ...]:
        """The ids of all entries with this spun or original phrase ("struggle"), or of one ("struggle=war")."""
        spun, _, original = words.partition("=")
        with self._store.read() as connection:
            found = self._store.every_entry(connection)
        if original:
            pair = phrase(spun), phrase(original)
            return tuple(n for n, e in found.items() if (phrase(e.spun), phrase(e.original)) == pair)
        return tuple(n for n, e in found.items() if phrase(spun) in (phrase(e.spun), phrase(e.original)))

    def entry_id(self, entry: Entry) -> int | None:
        """The id of an entry, for filters; None if no item ever had it."""
        with self._store.read() as connection:
            found = self._store.every_entry(connection)
        return next((n for n, e in found.items() if (e.spun, e.original) == (entry.spun, entry.original)), None)

    def context(self, item: Item) -> Context:
        """The sentence in which an item stands."""
        return context(self.text(item.document), item.start, item.end)

    def earlier(self, item: Item) -> Decision | None:
        """What was once decided on the same words in the same sentence, in a text that has changed since, for the same
        entry; to be shown, not carried over."""
        with self._store.read() as connection:
            return earlier(self._store, connection, item)

    # the queue

    def claim(
        self,
        holder: str,
        wanted: Filter = EVERYTHING,
        *,
        order: Order = Order.RISK,
        after: int | None = None,
        lease: float = 600.0,
        second_opinion_of: str | None = None,
        share: float = 1.0,
    ) -> Item | None:
        """The next undecided item that nobody else has before him, for `holder` (any name of a session) alone.

        It stays his for `lease` seconds, until it is decided, or until he claims another. `after`: what comes after
        this item. None: nothing is left.

        `second_opinion_of`: instead, the next item that was decided and that this reviewer has not judged, out of a
        `share`, in (0, 1], of all items; in order of number, and claimed by nobody.
        """
        with self._store.write() as connection:
            store, now = self._store, self._clock()
            if second_opinion_of is None:
                number = claim(
                    store, connection, holder, wanted, order, after=after, now=now, lease=round(lease * 1000)
                )
            else:
                reviewer = store.reviewer_id(connection, second_opinion_of)
                number = next_opinion(connection, wanted, reviewer, share=share, after=after)
            return None if number is None else read_item(store, connection, number)

    def release(self, holder: str) -> None:
        """Give back what `holder` claimed."""
        with self._store.write() as connection:
            release(connection, holder)

    def holders(self) -> list[str]:
        """Who claimed something, by the names that `claim` was given."""
        with self._store.read() as connection:
            return holders(connection)

    # decisions

    def decide(
        self,
        item: int,
        answer: Answer,
        *,
        by: Reviewer,
        expected: State | None = None,
        is_opinion: bool = False,
    ) -> Decision:
        """Record an answer. A second opinion (`is_opinion`) is recorded and compared, and changes nothing.

        `expected`: the state in which the reviewer saw the item. Raises Overtaken if it is another by now, or the item
        is stale; KeyError; ValueError if a repeated passage is to be replaced by words.
        """
        with self._store.write() as connection:
            return decide(
                self._store,
                connection,
                item,
                answer,
                by=by,
                now=self._clock(),
                expected=expected,
                is_opinion=is_opinion,
            )

    def decide_all(self, wanted: Filter, answer: Answer, *, by: Reviewer, holder: str = "") -> int:
        """Accept or reject all items that a filter lets through, and say how many: the undecided ones, unless the
        filter names states. What others have before them is left to them. One `undo` takes all of them back."""
        with self._store.write() as connection:
            return decide_all(self._store, connection, wanted, answer, by=by, now=self._clock(), holder=holder)

    def undo(self, *, by: Reviewer) -> list[Decision]:
        """Take back the reviewer's last answer that stands, or his last bulk decision as a whole.

        Returns the decisions that do so; none if there is nothing left to take back. Raises Overtaken if somebody has
        decided the item anew since.
        """
        with self._store.write() as connection:
            return undo(self._store, connection, by=by, now=self._clock())

    def history(self, *, item: int | None = None, limit: int | None = None) -> list[Decision]:
        """Decisions, the last first: all of them, or those on one item."""
        statement = DECISION.order_by(decisions.c.id.desc()).limit(limit)
        if item is not None:
            statement = statement.where(decisions.c.item == item)
        with self._store.read() as connection:
            return read_decisions(connection, statement)

    def exported(self) -> Iterator[str]:
        """The whole ledger as JSON Lines: see `unspin.review.exchange`."""
        with self._store.read() as connection:
            yield from exported(self._store, connection)

    def take_in(self, lines: Iterable[str], *, name: str) -> Imported:
        """Add what an exported ledger holds and this one does not; `name` is what messages call it.

        Raises FormatError, with the line, at the first that is wrong; then nothing is added.
        """
        with self._store.write() as connection:
            return imported(self._store, connection, lines, name=name)

    # what comes of it

    def status(self) -> Status:
        """Counts by state, document, entry and reviewer."""
        with self._store.read() as connection:
            return status(self._store, connection)

    def restoration(self, document: int, *, min_confidence: float = MIN_CONFIDENCE) -> Restoration:
        """The restoration that the decisions make of a text: see `unspin.review.applying`."""
        with self._store.read() as connection:
            text = self._store.text(connection, document)
            found = self._document(connection, document)
            own = ITEM.where(chosen(Filter(document=document))).order_by(items.c.start)
            listed = read_items(self._store, connection, own)
        signature = Signature.parse(found.signature)
        return applied(text, listed, spin=found.spin, signature=signature, min_confidence=min_confidence)
