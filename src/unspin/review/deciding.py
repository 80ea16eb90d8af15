"""Answers into decisions: one item, many at once, and back.

In come items and what a person says to them; out go the decisions, as they were added to the record. The record only
grows. Refused, by `Overtaken`: an answer to what is stale, or what somebody else decided in the meantime.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, literal, select, update

from unspin.errors import Overtaken
from unspin.model import DecidedBy
from unspin.review.model import Act, Answer, Decision, Filter, Reviewer, State
from unspin.review.queue import chosen, not_undone, unclaimed
from unspin.review.reading import DECISION, moment, read_decisions
from unspin.review.store import MANY, Store
from unspin.review.tables import (
    ACTS,
    INTERFACES,
    SHELVED,
    STATES,
    UNDECIDED,
    decisions,
    items,
    reviewers,
    state_code,
    state_of,
    why_code,
)

# What every answer takes is put together once: that costs more than the database does.
_LATEST = select(func.max(decisions.c.at)).where(decisions.c.item == items.c.id).scalar_subquery().label("latest")
_GET = select(items.c.state, items.c.why, _LATEST).where(items.c.id == bindparam("number")).with_for_update(of=items)
_SET = update(items).where(items.c.id == bindparam("number")).values(state=bindparam("now"), answer=bindparam("words"))
_ADD = insert(decisions).returning(decisions.c.id)
_DECIDE, _UNDO, _OPINION = map(ACTS.index, (Act.DECIDE, Act.UNDO, Act.OPINION))


def decide(
    store: Store,
    connection: Connection,
    item: int,
    answer: Answer,
    *,
    by: Reviewer,
    now: int,
    expected: State | None = None,
    is_opinion: bool = False,
) -> Decision:
    """Record an answer; unless it is a second opinion, it takes effect. `now`: milliseconds since 1970."""
    row = _locked(connection, item)
    old = state_of(row.state, row.why)
    if expected is not None and old is not expected:
        raise Overtaken(f"item {item} has been {old} by {_last_reviewer(connection, item)} in the meantime; look again")
    if answer.after is not None and row.why == why_code(DecidedBy.DUPLICATE):
        raise ValueError("a repeated passage goes or stays; it is not replaced")
    words = None if answer.after is None else store.phrase_ids(connection, [answer.after])[answer.after]
    new, at = state_code(answer.state), max(now, 1 + (row.latest or 0))
    if not is_opinion:
        connection.execute(_SET, {"number": item, "now": new, "words": words})
    act = Act.OPINION if is_opinion else Act.DECIDE
    line = {"item": item, "act": ACTS.index(act), "old": row.state, "new": new, "answer": words}
    number = connection.execute(_ADD, _shared(store, connection, by, at) | line).scalar_one()
    return Decision(number, item, by, moment(at), act, old, answer.state, answer.after)


def _locked(connection: Connection, item: int) -> Row[*tuple[Any, ...]]:
    """The item, which no one else may change until the transaction ends."""
    row = connection.execute(_GET, {"number": item}).first()
    if row is None:
        raise KeyError(item)
    if row.state >= SHELVED:
        raise Overtaken(f"item {item} is stale: its text, or what is proposed for it, has changed since")
    return row


def _last_reviewer(connection: Connection, item: int) -> str:
    found = select(reviewers.c.name).join(decisions, decisions.c.reviewer == reviewers.c.id)
    return str(connection.execute(found.where(decisions.c.item == item).order_by(decisions.c.id.desc())).scalar())


def _shared(store: Store, connection: Connection, by: Reviewer, at: int) -> dict[str, Any]:
    """What all lines of one act have in common."""
    interface = INTERFACES.index(by.interface)
    return {"reviewer": store.reviewer_id(connection, by.name), "interface": interface, "at": at}


def _add_batch(connection: Connection, lines: Sequence[dict[str, Any]]) -> int:
    """Add lines as one batch, which is called by the number of its first."""
    batch: int = connection.execute(_ADD, lines[0]).scalar_one()
    connection.execute(update(decisions).where(decisions.c.id == batch).values(batch=batch))
    for first in range(1, len(lines), 10 * MANY):
        rows = [line | {"batch": batch} for line in lines[first : first + 10 * MANY]]
        connection.execute(insert(decisions), rows)
    return batch


def decide_all(
    store: Store, connection: Connection, wanted: Filter, answer: Answer, *, by: Reviewer, now: int, holder: str = ""
) -> int:
    """Accept or reject all that a filter lets through, undecided unless it names other states. How many were they?

    What another reviewer has before him is left to him.
    """
    if answer.after is not None:
        raise ValueError("many items are accepted or rejected; each is replaced by itself")
    where = [chosen(wanted, undecided=wanted.states is None), unclaimed(holder, now)]
    found = select(items.c.id, items.c.state).where(*where)
    first = connection.execute(found.order_by(items.c.id).limit(1).with_for_update()).first()
    if first is None:
        return 0
    said = decisions.c.item.in_(select(items.c.id).where(*where))
    now = max(now, 1 + (connection.execute(select(func.max(decisions.c.at)).where(said)).scalar() or 0))
    new = state_code(answer.state)
    line = _shared(store, connection, by, now) | {"act": _DECIDE, "new": new, "answer": None}
    batch = _add_batch(connection, [line | {"item": first.id, "old": first.state}])
    others = found.where(items.c.id != first.id).with_for_update().subquery()
    columns = [others.c.id, others.c.state, *(literal(value, decisions.c[name].type) for name, value in line.items())]
    adding = insert(decisions).from_select(
        ["item", "old", *line, "batch"], select(*columns, literal(batch, decisions.c.batch.type)).order_by(others.c.id)
    )
    connection.execute(adding)
    touched = items.c.id.in_(select(decisions.c.item).where(decisions.c.batch == batch))
    return connection.execute(update(items).where(touched).values(state=new, answer=None)).rowcount


def undo(store: Store, connection: Connection, *, by: Reviewer, now: int) -> list[Decision]:
    """Take back the reviewer's last answer that stands, or all of his last batch. The lines added; none: nothing left.

    Of a batch, items that somebody decided anew, and stale ones, stay as they are. Raises Overtaken if none is left.
    """
    lines = _last(connection, store.reviewer_id(connection, by.name))
    taken = [line for line in lines if line.act == _OPINION or _stands(connection, line)]
    if lines and not taken:
        raise Overtaken(f"item {lines[0].item} has been decided anew, or is stale; nothing is taken back")
    if not taken:
        return []
    now = max(now, 1 + max(line.at for line in taken))
    shared = _shared(store, connection, by, now)
    added = [shared | _taking_back(connection, line) for line in taken]
    for line, new in zip(taken, added, strict=True):
        if line.act != _OPINION:
            connection.execute(_SET, {"number": line.item, "now": new["new"], "words": new["answer"]})
    if len(added) == 1:
        number = connection.execute(_ADD, added[0]).scalar_one()
        return read_decisions(connection, DECISION.where(decisions.c.id == number))
    batch = _add_batch(connection, added)
    return read_decisions(connection, DECISION.where(decisions.c.batch == batch).order_by(decisions.c.id))


def _last(connection: Connection, reviewer: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """The lines of a reviewer's last act that was not undone."""
    stands = not_undone()
    own = (decisions.c.reviewer == reviewer, decisions.c.act.in_((_DECIDE, _OPINION)))
    last = connection.execute(select(decisions).where(*own, stands).order_by(decisions.c.id.desc()).limit(1)).first()
    if last is None or last.batch is None:
        return [last] if last else []
    batch = select(decisions).where(decisions.c.batch == last.batch, stands).order_by(decisions.c.id)
    return connection.execute(batch).all()


def effective(connection: Connection, item: int, *, but: int | None = None) -> Row[*tuple[Any, ...]] | None:
    """The last decision on an item that was not undone; without this line, if so."""
    found = select(decisions).where(decisions.c.item == item, decisions.c.act == _DECIDE, not_undone())
    if but is not None:
        found = found.where(decisions.c.id != but)
    return connection.execute(found.order_by(decisions.c.at.desc(), decisions.c.id.desc()).limit(1)).first()


def _stands(connection: Connection, line: Row[*tuple[Any, ...]]) -> bool:
    """Is the item still as this line left it?"""
    state = connection.execute(select(items.c.state).where(items.c.id == line.item).with_for_update()).scalar_one()
    last = effective(connection, line.item)
    return state < SHELVED and last is not None and last.id == line.id


def _taking_back(connection: Connection, line: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    answer = None
    if line.act != _OPINION and STATES[line.old] is State.REPLACED:
        earlier = effective(connection, line.item, but=line.id)
        answer = earlier.answer if earlier else None
    return {
        "item": line.item,
        "act": _UNDO,
        "old": line.new if line.act != _OPINION else line.old,
        "new": line.old,
        "answer": answer,
        "undoes": line.id,
    }


def settle(connection: Connection, touched: Iterable[int]) -> None:
    """Let items be in the state that the record says, after lines were added to it that are not the latest."""
    for item in sorted(touched):
        state = connection.execute(select(items.c.state).where(items.c.id == item).with_for_update()).scalar_one()
        last = effective(connection, item)
        new, words = (last.new, last.answer) if last else (UNDECIDED, None)
        shelf = SHELVED if state >= SHELVED else 0
        connection.execute(_SET, {"number": item, "now": new + shelf, "words": words})
