"""Which items, in which order: filters and orders in SQL.

In come values of `unspin.review.model`; out go conditions and selections over the table `items`, and counts.

Among a million items the next one must be found by looking at few, whatever the filter. So a selection is put together
from stretches of indexes: in order of risk, one for each reason, within which risk and confidence go together; for
entries, one for each entry. Where a filter leaves little (one text, few items), that is sorted; else the order's index
is walked, and soon meets what is wanted. `column + 0` keeps a database from choosing another index than is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    TextClause,
    and_,
    bindparam,
    exists,
    false,
    func,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from unspin.review.model import EVERY_WHY, Filter, Order, State, Why
from unspin.review.tables import (
    FIRST_HELD,
    SCALE,
    STATES,
    UNDECIDED,
    claims,
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


def _is_rare(connection: Connection, wanted: Filter, order: Order) -> bool:
    """Does a filter leave so few items that sorting them is quicker than walking to the first?"""
    if wanted.document is not None:
        return True
    if _has_stretches(wanted, order):
        return False
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
    holder: str | None = None,
    now: int = 0,
) -> list[int]:
    """The numbers of undecided items that a filter lets through, in order; `before`: the nearest first.

    `after`, `before`: keys of the order. `holder`: without what others have claimed at `now`.
    """
    asked = _Asked(
        connection.dialect.name,
        wanted,
        order,
        limit,
        after is not None,
        before is not None,
        holder is not None,
        _is_rare(connection, wanted, order),
    )
    statement, values = _prepared(asked)
    given: dict[str, Any] = {"holder": holder, "now": now} if holder is not None else {}
    for name, key in (("after", after), ("before", before)):
        given |= {f"{name}{place}": value for place, value in enumerate(key or ())}
    return [int(row[0]) for row in connection.execute(statement, values | given)]


class _Asked(NamedTuple):
    """What makes a selection; the values of its keys do not."""

    dialect: str
    wanted: Filter
    order: Order
    limit: int | None
    has_after: bool
    has_before: bool
    is_claimed: bool
    is_rare: bool


@lru_cache(maxsize=256)
def _prepared(asked: _Asked) -> tuple[TextClause, dict[str, Any]]:
    """The selection as SQL with the values in it: putting it together takes far longer than running it."""
    make = SQLiteDialect if asked.dialect == "sqlite" else PGDialect
    compiled = _selection(asked).compile(dialect=make(paramstyle="named"), compile_kwargs={"render_postcompile": True})
    names = {"holder", "now"} | {f"{name}{n}" for name in ("after", "before") for n in range(3)}
    return text(str(compiled)), {name: value for name, value in compiled.params.items() if name not in names}


def _selection(asked: _Asked) -> Select[Any]:
    wanted, order, backwards = asked.wanted, asked.order, asked.has_before
    columns, here = _COLUMNS[order], tuple_(*_COLUMNS[order])
    where: list[ColumnElement[bool]] = []
    if asked.has_after:
        where.append(
            here > tuple_(*(bindparam(f"after{n}", type_=Integer, required=False) for n in range(len(columns))))
        )
    if asked.has_before:
        where.append(
            here < tuple_(*(bindparam(f"before{n}", type_=Integer, required=False) for n in range(len(columns))))
        )
    if asked.is_claimed:
        holder = bindparam("holder", type_=String, required=False)
        where.append(unclaimed(holder, bindparam("now", type_=BigInteger, required=False)))
    if _has_stretches(wanted, order):
        state = _states(wanted.states, undecided=True)
        stretches = _reasons(wanted) if wanted.entries is None else [items.c.entry == n for n in wanted.entries]
        parts = [[state, stretch, *_rest(wanted), *where] for stretch in stretches]
        return _merged(columns, parts, asked.limit, backwards=backwards)
    keys = [column + 0 for column in columns] if asked.is_rare else columns
    statement = select(items.c.id).where(chosen(wanted, undecided=True), *where).limit(asked.limit)
    return statement.order_by(*(key.desc() if backwards else key for key in keys))


def unclaimed(holder: Any, now: Any) -> ColumnElement[bool]:
    """Nobody but `holder` has the item before him. `now`: milliseconds since 1970."""
    others = and_(claims.c.item == items.c.id, claims.c.holder != holder, claims.c.until > now)
    return ~exists().where(others)


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


def _has_stretches(wanted: Filter, order: Order) -> bool:
    """Do a few stretches of one index hold all that is wanted, each in the order that is wanted?"""
    if wanted.document is not None or order is Order.POSITION:
        return False
    if wanted.entries is not None:
        return 0 < len(wanted.entries) <= MOST_STRETCHES
    return order is Order.RISK and any(_may_be(why, wanted.states) for why in wanted.why or EVERY_WHY)


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
