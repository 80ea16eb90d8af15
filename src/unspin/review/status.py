"""How far a review has come, and how far reviewers agree.

In comes a ledger's connection; out go counts by state, document, entry and reviewer, and agreement where two judged the
same items.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from unspin.model import Entry
from unspin.review.agreement import Agreement, agreements
from unspin.review.model import Act, Counts, Document
from unspin.review.reading import counts_by, read_documents
from unspin.review.store import Store
from unspin.review.tables import ACTS, SHELVED, STATES, UNDECIDED, decisions, items, reviewers


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of the items under review, stale ones left out.

    `entries`: by the entry of what is proposed, the most frequent first; None is what has none (repeated passages,
    debris). `reviewers`: how many answers each gave, second opinions and answers that were undone included.
    `stale`: decided items that are in force no more.
    """

    counts: Counts
    documents: tuple[Document, ...]
    entries: tuple[tuple[Entry | None, Counts], ...]
    reviewers: tuple[tuple[str, int], ...]
    stale: int
    agreement: tuple[Agreement, ...]

    def fields(self) -> dict[str, Any]:
        """All of it in terms of JSON; `kappa` is null where it is undefined, or nltk is not installed."""
        return {
            "counts": asdict(self.counts),
            "documents": [{"name": d.name, "digest": d.digest, **asdict(d.counts)} for d in self.documents],
            "entries": [
                {"spun": e and e.spun, "original": e and e.original, **asdict(counts)} for e, counts in self.entries
            ],
            "reviewers": [{"name": name, "answers": number} for name, number in self.reviewers],
            "stale": self.stale,
            "agreement": [
                {"one": a.one, "other": a.other, "items": a.items, "equal": a.equal, "kappa": _kappa(a)}
                for a in self.agreement
            ],
        }


def _kappa(agreement: Agreement) -> float | None:
    try:
        return agreement.kappa()
    except ImportError:
        return None


def _sum(counts: list[Counts]) -> Counts:
    return Counts(
        proposed=sum(one.proposed for one in counts),
        held=sum(one.held for one in counts),
        accepted=sum(one.accepted for one in counts),
        rejected=sum(one.rejected for one in counts),
        replaced=sum(one.replaced for one in counts),
    )


def status(store: Store, connection: Connection) -> Status:
    """All counts."""
    documents = tuple(read_documents(connection))
    entry = store.every_entry(connection)
    by_entry = [(entry.get(number), counts) for number, counts in counts_by(connection, items.c.entry).items()]
    return Status(
        counts=_sum([document.counts for document in documents]),
        documents=documents,
        entries=tuple(sorted(by_entry, key=lambda one: -one[1].total)),
        reviewers=_answers(connection),
        stale=_stale(connection),
        agreement=agreements(connection),
    )


def _stale(connection: Connection) -> int:
    decided = [SHELVED + code for code in range(len(STATES)) if code != UNDECIDED]
    return int(connection.execute(select(func.count()).where(items.c.state.in_(decided))).scalar_one())


def _answers(connection: Connection) -> tuple[tuple[str, int], ...]:
    number = func.count().label("number")
    statement = (
        select(reviewers.c.name, number)
        .join(decisions, decisions.c.reviewer == reviewers.c.id)
        .where(decisions.c.act != ACTS.index(Act.UNDO))
        .group_by(reviewers.c.name)
        .order_by(number.desc(), reviewers.c.name)
    )
    return tuple((name, count) for name, count in connection.execute(statement))
