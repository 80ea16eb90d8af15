"""Which items, in which order: filters and orders in SQL.

In come values of `unspin.review.model`; out go conditions and selections over the table `items`, and counts.

Among a million items the next one must be found by looking at few, whatever the filter. So a selection is put together
from stretches of indexes: in order of risk, one for each reason, within which risk and confidence go together; for
entries, one for each entry. Where a filter leaves little (one text, few items), that is sorted; else the order's index
is walked, and soon meets what is wanted. `column + 0` keeps a database from choosing another index than is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    tuple_,
    union_all,
)

from unspin.review.model import EVERY_WHY, Filter, Order, State, Why
from unspin.review.tables import (
    FIRST_HELD,
    SCALE,
    STATES,
    UNDECIDED,
    decisions,
    items,
    rank,
    state_code,
    units,
    why_code,
)

RARE = 2_000  # items that are sorted rather than walked past
MOST_STRETCHES = 60  # of one selection; more entries than these are sorted

Key = tuple[int, ...]
_COLUMNS: dict[Order, tuple[Column[int], ...]] = {
    Order.RISK: (items.c.rank, items.c.id),
    Order.POSITION: (items.c.document, items.c.start, items.c.id),
    Order.ENTRY: (items.c.entry, items.c.rank, items.c.id),
}


def chosen(wanted: Filter, *, undecided: bool = False) -> ColumnElement[bool]:
    """What a filter lets through, of items that are not stale; of the undecided ones alone, if so."""
    parts = [_states(wanted.states, undecided=undecided), *_rest(wanted)]
    if wanted.document is not None:
        parts.append(items.c.document == wanted.document)
    if wanted.entries is not None:
        parts.append(items.c.entry.in_(wanted.entries))
    return and_(*parts)


def _rest(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    """Conditions that no index begins with."""
    if wanted.min_confidence is not None:
        yield items.c.confidence >= units(wanted.min_confidence)
    if wanted.max_confidence is not None:
        yield items.c.confidence <= units(wanted.max_confidence)
    if wanted.why is not None:
        yield (items.c.why + 0).in_([why_code(why) for why in wanted.why])


def _states(states: Sequence[State] | None, *, undecided: bool) -> ColumnElement[bool]:
    if states is None:
        # Not a range: only for single values an index on the state and more is of use.
        return items.c.state == UNDECIDED if undecided else items.c.state.in_(range(len(STATES)))
    parts = [] if undecided else [items.c.state == state_code(state) for state in states if state.is_decided]
    if State.PROPOSED in states and State.HELD in states:
        parts.append(items.c.state == UNDECIDED)
    elif State.PROPOSED in states:
        parts.append(and_(items.c.state == UNDECIDED, items.c.why + 0 < FIRST_HELD))
    elif State.HELD in states:
        parts.append(and_(items.c.state == UNDECIDED, items.c.why + 0 >= FIRST_HELD))
    return or_(false(), *parts)


def count(connection: Connection, wanted: Filter, *, undecided: bool = False) -> int:
    """How many items a filter lets through; of the undecided ones, if so."""
    return int(connection.execute(select(func.count()).where(chosen(wanted, undecided=undecided))).scalar_one())


def key_of(connection: Connection, order: Order, item: int) -> Key:
    """The place of an item in an order. Raises KeyError."""
    row = connection.execute(select(*_COLUMNS[order]).where(items.c.id == item)).first()
    if row is None:
        raise KeyError(item)
    return tuple(row)


def _reasons(wanted: Filter) -> list[ColumnElement[bool]]:
    """A stretch of the index on risk for each reason: confidences there are ranks."""
    low = units(wanted.min_confidence or 0.0)
    high = SCALE if wanted.max_confidence is None else units(wanted.max_confidence)
    stretches: list[ColumnElement[bool]] = []
    for why in wanted.why or EVERY_WHY:
        if _may_be(why, wanted.states):
            first, last = sorted((rank(why, low), rank(why, high)))
            stretches.append(and_(items.c.why == why_code(why), items.c.rank >= first, items.c.rank <= last))
    return stretches


def _may_be(why: Why, states: Sequence[State] | None) -> bool:
    return states is None or (State.PROPOSED if why_code(why) < FIRST_HELD else State.HELD) in states


def _is_rare(connection: Connection, wanted: Filter) -> bool:
    """Does a filter leave so few items that sorting them is quicker than walking to the first?"""
    if wanted.document is not None:
        return True
    found: list[ColumnElement[bool]]
    if wanted.entries is not None:
        found = [items.c.entry.in_(wanted.entries)]
    elif any(limit is not None for limit in (wanted.min_confidence, wanted.max_confidence, wanted.why, wanted.states)):
        found = _reasons(wanted)
    else:
        return False
    left = RARE
    for stretch in found:
        some = select(items.c.id).where(items.c.state == UNDECIDED, stretch).limit(left).subquery()
        left -= connection.execute(select(func.count()).select_from(some)).scalar_one()
        if left <= 0:
            return False
    return True


def queued(
    connection: Connection,
    wanted: Filter,
    order: Order,
    *,
    limit: int | None,
    after: Key | None = None,
    before: Key | None = None,
    where: Sequence[ColumnElement[bool]] = (),
) -> list[int]:
    """The numbers of undecided items that a filter lets through, in order; `before`: the nearest first.

    `after`, `before`: keys of the order. `where`: further conditions.
    """
    columns = _COLUMNS[order]
    place = _between(columns, after, before)
    state = _states(wanted.states, undecided=True)
    if stretches := _stretches(wanted, order):
        parts = [[state, stretch, *_rest(wanted), *place, *where] for stretch in stretches]
        statement = _merged(columns, parts, limit, backwards=before is not None)
    else:
        keys = [c + 0 for c in columns] if _is_rare(connection, wanted) else columns
        conditions = [chosen(wanted, undecided=True), *place, *where]
        statement = select(items.c.id).where(*conditions).limit(limit)
        statement = statement.order_by(*(key.desc() if before is not None else key for key in keys))
    return [int(row[0]) for row in connection.execute(statement)]


def listed(
    columns: Select[Any], wanted: Filter, order: Order, *, limit: int | None, after: Key | None, before: Key | None
) -> Select[Any]:
    """A selection of what a filter lets through in any state, in order."""
    keys = _COLUMNS[order]
    statement = columns.where(chosen(wanted), *_between(keys, after, before)).limit(limit)
    return statement.order_by(*(key.desc() if before is not None else key for key in keys))


def _between(columns: Sequence[Column[int]], after: Key | None, before: Key | None) -> list[ColumnElement[bool]]:
    here = tuple_(*columns)
    bounds = [] if after is None else [here > tuple_(*after)]
    return bounds if before is None else [*bounds, here < tuple_(*before)]


def _stretches(wanted: Filter, order: Order) -> list[ColumnElement[bool]]:
    """Conditions, one for each stretch of an index that holds a part of what is wanted in the order that is wanted."""
    if wanted.document is not None or order is Order.POSITION:
        return []
    if wanted.entries is not None:
        return [items.c.entry == n for n in wanted.entries] if 0 < len(wanted.entries) <= MOST_STRETCHES else []
    return _reasons(wanted) if order is Order.RISK else []


def _merged(
    columns: Sequence[Column[int]],
    parts: Sequence[Sequence[ColumnElement[bool]]],
    limit: int | None,
    *,
    backwards: bool,
) -> Select[Any]:
    """What several stretches hold, in one order."""

    def ordered(keys: Any) -> list[Any]:
        return [key.desc() if backwards else key for key in keys]

    wanted = columns if items.c.id in columns else (*columns, items.c.id)
    single = [
        select(select(*wanted).where(*part).order_by(*ordered(columns)).limit(limit).subquery()) for part in parts
    ]
    merged = union_all(*single).subquery()
    keys = [merged.c[column.name] for column in columns]
    return select(merged.c.id).order_by(*ordered(keys)).limit(limit)


def not_undone() -> ColumnElement[bool]:
    """A decision that nobody took back."""
    undo = decisions.alias()
    return ~exists().where(undo.c.undoes == decisions.c.id)
