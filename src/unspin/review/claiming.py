"""Who has which item before him, so that no two reviewers get the same one.

In comes the name of a session and what it wants; out goes an item that is its own for a while. A claim is a row whose
key is the item: where two reach for it at once, the database lets one of them have it.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select

from unspin.review.model import Act, Filter, Order
from unspin.review.queue import chosen, key_of, not_undone, queued
from unspin.review.store import Store
from unspin.review.tables import ACTS, UNDECIDED, claims, decisions, items

_SCATTER, _SAMPLES = 7919, 1000  # neighbours fall far from one another


def unclaimed(holder: str, now: int) -> ColumnElement[bool]:
    """Nobody but `holder` has the item before him. `now`: milliseconds since 1970."""
    others = and_(claims.c.item == items.c.id, claims.c.holder != holder, claims.c.until > now)
    return ~exists().where(others)


def release(connection: Connection, holder: str) -> None:
    """Give back what `holder` claimed."""
    connection.execute(delete(claims).where(claims.c.holder == holder))


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
    release(connection, holder)
    key = None if after is None else key_of(connection, order, after)
    free = unclaimed(holder, now)
    while found := queued(connection, wanted, order, limit=1, after=key, where=[free]):
        if _taken(store, connection, found[0], holder, now, lease) and _is_open(connection, found[0]):
            return found[0]
    return None


def _taken(store: Store, connection: Connection, item: int, holder: str, now: int, lease: int) -> bool:
    """Did `holder` get the item? Not if somebody else was faster."""
    row = {"holder": holder, "until": now + lease}
    lapsed = or_(claims.c.until <= now, claims.c.holder == holder)
    statement = store.insert(claims).values(item=item, **row)
    statement = statement.on_conflict_do_update(index_elements=[claims.c.item], set_=row, where=lapsed)
    return connection.execute(statement.returning(claims.c.item)).first() is not None


def _is_open(connection: Connection, item: int) -> bool:
    """Nobody decided the item while it was being claimed."""
    return bool(connection.execute(select(items.c.state).where(items.c.id == item)).scalar_one() == UNDECIDED)


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
