"""Who has which item before him, so that no two reviewers get the same one.

In comes the name of a session and what it wants; out goes an item that is its own for a while. A claim is a row whose
key is the item: where two reach for it at once, the database lets one of them have it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, func, or_, select
from sqlalchemy.sql.dml import ReturningInsert

from unspin.review.model import Act, Filter, Order
from unspin.review.queue import chosen, key_of, not_undone, queued
from unspin.review.store import Store, insert
from unspin.review.tables import ACTS, UNDECIDED, claims, decisions, items

_SCATTER, _SAMPLES = 7919, 1000  # neighbours fall far from one another
_STATE = select(items.c.state).where(items.c.id == bindparam("number"))
_RELEASE = delete(claims).where(claims.c.holder == bindparam("whose"))


def release(connection: Connection, holder: str) -> None:
    """Give back what `holder` claimed."""
    connection.execute(_RELEASE, {"whose": holder})


def holders(connection: Connection) -> list[str]:
    """Who claimed something."""
    return list(connection.execute(select(claims.c.holder).distinct()).scalars())


def claim(
    store: Store,
    connection: Connection,
    holder: str,
    wanted: Filter,
    order: Order,
    *,
    after: int | None,
    now: int,
    lease: int,
) -> int | None:
    """The number of the next undecided item that is free, for `lease` milliseconds from `now` on; None: none is."""
    connection.execute(_RELEASE, {"whose": holder})
    key = None if after is None else key_of(connection, order, after)
    while found := queued(connection, wanted, order, limit=1, after=key, holder=holder, now=now):
        if _taken(store, connection, found[0], holder, now, lease) and _is_open(connection, found[0]):
            return found[0]
    return None


def _taken(store: Store, connection: Connection, item: int, holder: str, now: int, lease: int) -> bool:
    """Did `holder` get the item? Not if somebody else was faster."""
    row = {"item": item, "holder": holder, "until": now + lease, "now": now}
    return connection.execute(_taking(store.is_sqlite), row).first() is not None


@cache
def _taking(is_sqlite: bool) -> ReturningInsert[Any]:
    statement = insert(claims, is_sqlite=is_sqlite).values({column: bindparam(column.name) for column in claims.c})
    new = statement.excluded
    lapsed = or_(claims.c.until <= bindparam("now"), claims.c.holder == new.holder)
    set_ = {"holder": new.holder, "until": new.until}
    statement = statement.on_conflict_do_update(index_elements=[claims.c.item], set_=set_, where=lapsed)
    return statement.returning(claims.c.item)


def _is_open(connection: Connection, item: int) -> bool:
    """Nobody decided the item while it was being claimed."""
    return bool(connection.execute(_STATE, {"number": item}).scalar_one() == UNDECIDED)


def second_opinion(wanted: Filter, reviewer: int, *, share: float) -> ColumnElement[bool]:
    """What was decided, in a `share` of all items that is the same for everybody, and waits for the reviewer of this
    number: he has never answered it, or took the answer back."""
    own = and_(decisions.c.item == items.c.id, decisions.c.reviewer == reviewer)
    answered = exists().where(and_(own, decisions.c.act != ACTS.index(Act.UNDO), not_undone()))
    sampled = (items.c.id * _SCATTER) % _SAMPLES < round(share * _SAMPLES)
    return and_(chosen(wanted), items.c.state != UNDECIDED, sampled, ~answered)


def next_opinion(
    connection: Connection, wanted: Filter, reviewer: int, *, share: float, after: int | None
) -> int | None:
    """The next item, by number, for a second opinion. It is not claimed: many may have one."""
    where = [second_opinion(wanted, reviewer, share=share)]
    if after is not None:
        where.append(items.c.id > after)
    found = connection.execute(select(items.c.id).where(*where).order_by(items.c.id).limit(1)).scalar()
    return None if found is None else int(found)


def count_opinions(connection: Connection, wanted: Filter, reviewer: int, *, share: float) -> int:
    """How many items wait for a second opinion by the reviewer of this number."""
    where = second_opinion(wanted, reviewer, share=share)
    return int(connection.execute(select(func.count()).select_from(items).where(where)).scalar_one())
