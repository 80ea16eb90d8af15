"""Which items, in which order, and who has which before him: filters, orders and claims in SQL.

In come values of `unspin.review.model`; out go conditions over the table `items`, counts, and the next item for a
reviewer. Every order is a stretch of one index.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Connection, and_, delete, exists, false, func, or_, select, tuple_

from unspin.review.model import Act, Filter, Order, State
from unspin.review.store import Store
from unspin.review.tables import (
    ACTS,
    FIRST_HELD,
    STATES,
    UNDECIDED,
    claims,
    decisions,
    items,
    state_code,
    units,
    why_code,
)

_SCATTER, _SAMPLES = 7919, 1000  # neighbours fall far from one another

_COLUMNS: dict[Order, tuple[Column[int], ...]] = {
    Order.RISK: (items.c.rank, items.c.id),
    Order.POSITION: (items.c.document, items.c.start, items.c.id),
    Order.ENTRY: (items.c.entry, items.c.rank, items.c.id),
}


def ordered(order: Order) -> tuple[Column[int], ...]:
    """The columns to sort by."""
    return _COLUMNS[order]


def past(order: Order, key: Sequence[int], *, backwards: bool = False) -> ColumnElement[bool]:
    """Behind a place in an order, given the place's values of the columns; or before it."""
    here, place = tuple_(*_COLUMNS[order]), tuple_(*key)
    return here < place if backwards else here > place


def chosen(wanted: Filter, *, undecided: bool = False) -> ColumnElement[bool]:
    """What a filter lets through, of items that are not stale; of the undecided ones alone, if so."""
    parts = [items.c.state == UNDECIDED if undecided else _states(wanted.states)]
    if undecided and wanted.states is not None:
        parts.append(_states(wanted.states))
    if wanted.document is not None:
        parts.append(items.c.document == wanted.document)
    if wanted.entries is not None:
        parts.append(
            items.c.entry == wanted.entries[0] if len(wanted.entries) == 1 else items.c.entry.in_(wanted.entries)
        )
    if wanted.min_confidence is not None:
        parts.append(items.c.confidence >= units(wanted.min_confidence))
    if wanted.max_confidence is not None:
        parts.append(items.c.confidence <= units(wanted.max_confidence))
    if wanted.why is not None:
        parts.append(items.c.why.in_([why_code(why) for why in wanted.why]))
    return and_(*parts)


def _states(states: Sequence[State] | None) -> ColumnElement[bool]:
    if states is None:
        return items.c.state.in_(range(len(STATES)))  # not a range: so that an index on state and more is used
    if not states:
        return false()
    parts = [items.c.state == state_code(state) for state in states if state.is_decided]
    if State.PROPOSED in states and State.HELD in states:
        parts.append(items.c.state == UNDECIDED)
    elif State.PROPOSED in states:
        parts.append(and_(items.c.state == UNDECIDED, items.c.why < FIRST_HELD))
    elif State.HELD in states:
        parts.append(and_(items.c.state == UNDECIDED, items.c.why >= FIRST_HELD))
    return or_(*parts)


def unclaimed(holder: str, now: int) -> ColumnElement[bool]:
    """Nobody but `holder` has the item before him. `now`: milliseconds since 1970."""
    others = and_(claims.c.item == items.c.id, claims.c.holder != holder, claims.c.until > now)
    return ~exists().where(others)


def second_opinion(wanted: Filter, reviewer: int, *, share: float) -> ColumnElement[bool]:
    """What was decided and waits for a second opinion by the reviewer of this number."""
    return and_(chosen(wanted), items.c.state != UNDECIDED, unjudged(reviewer), sampled(share))


def unjudged(reviewer: int) -> ColumnElement[bool]:
    """The reviewer of this number has never answered the item, or took the answer back."""
    own = and_(decisions.c.item == items.c.id, decisions.c.reviewer == reviewer)
    return ~exists().where(and_(own, decisions.c.act != ACTS.index(Act.UNDO), not_undone()))


def not_undone() -> ColumnElement[bool]:
    """A decision that nobody took back."""
    undo = decisions.alias()
    return ~exists().where(undo.c.undoes == decisions.c.id)


def sampled(share: float) -> ColumnElement[bool]:
    """A share, in [0, 1], of all items: the same ones for everybody."""
    return (items.c.id * _SCATTER) % _SAMPLES < round(share * _SAMPLES)


def count(connection: Connection, wanted: Filter, *, undecided: bool = False) -> int:
    """How many items a filter lets through; of the undecided ones, if so."""
    return int(connection.execute(select(func.count()).where(chosen(wanted, undecided=undecided))).scalar_one())


def keyed(connection: Connection, order: Order, item: int) -> tuple[int, ...]:
    """The place of an item in an order. Raises KeyError."""
    row = connection.execute(select(*_COLUMNS[order]).where(items.c.id == item)).first()
    if row is None:
        raise KeyError(item)
    return tuple(row)


def claim(
    store: Store,
    connection: Connection,
    holder: str,
    wanted: Filter,
    *,
    order: Order,
    after: int | None,
    now: int,
    lease: int,
    second_opinion_of: str | None,
    share: float,
) -> int | None:
    """The number of the item that `holder` gets, for `lease` milliseconds from `now` on: see `Ledger.claim`."""
    connection.execute(delete(claims).where(claims.c.holder == holder))
    where = [unclaimed(holder, now)]
    if after is not None:
        where.append(past(order, keyed(connection, order, after)))
    if second_opinion_of is None:
        where.append(chosen(wanted, undecided=True))
    else:
        where.append(second_opinion(wanted, store.reviewer_id(connection, second_opinion_of), share=share))
    free = select(items.c.id).where(*where).order_by(*_COLUMNS[order]).limit(1)
    taking = store.insert(claims)
    row = {"holder": holder, "until": now + lease}
    # Two may see the same item free; the key of `claims` lets one of them have it.
    on_claimed = taking.on_conflict_do_update(
        index_elements=[claims.c.item],
        set_=row,
        where=or_(claims.c.until <= now, claims.c.holder == holder),
    ).returning(claims.c.item)
    while (found := connection.execute(free.with_for_update(skip_locked=True, of=items)).scalar()) is not None:
        taken = connection.execute(on_claimed, {"item": found, **row}).scalar()
        if taken is not None:
            return int(taken)
    return None
