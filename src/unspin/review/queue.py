"""Which items, in which order: filters and orders in SQL.

In come values of `unspin.review.model`; out go conditions and selections over the table `items`, and counts.

Among a million items the next one must be found by looking at few, whatever the filter. So a selection is put together
from stretches of indexes: in order of risk, one for each reason, within which risk and confidence go together; for
entries, one for each entry. Where a filter leaves little (one text, few items), that is sorted; else the order's index
is walked, and soon meets what is wanted. `column + 0` keeps a database from choosing another index than is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
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
from sqlalchemy.types import TypeEngine

from unspin.review.model import EVERY_WHY, EVERYTHING, Filter, Order, State
from unspin.review.tables import (
    FIRST_HELD,
    RISKIEST,
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


class _Stretch(NamedTuple):
    """A stretch of an index that is in order of risk: the items with one value of `column`, from `low` to `high`.

    Both ends are a rank and an item's number, and outside of it.
    """

    value: int
    low: tuple[int, int]
    high: tuple[int, int]


def _reasons(wanted: Filter) -> list[_Stretch]:
    """What is wanted of each reason: confidences there are ranks."""
    low = units(wanted.min_confidence or 0.0)
    high = SCALE if wanted.max_confidence is None else units(wanted.max_confidence)
    stretches = []
    for why in wanted.why or EVERY_WHY:
        state = State.PROPOSED if why_code(why) < FIRST_HELD else State.HELD
        if wanted.states is None or state in wanted.states:
            first, last = sorted((rank(why, low), rank(why, high)))
            stretches.append(_Stretch(why_code(why), (first, 0), (last + 1, 0)))
    return stretches


def _stretches(wanted: Filter, order: Order, after: Key | None, before: Key | None) -> list[_Stretch]:
    """The few stretches of one index that hold all that is wanted, each in the order that is wanted; none, if so."""
    if wanted.document is not None or order is Order.POSITION:
        return []
    if wanted.entries is not None:
        if len(wanted.entries) > MOST_STRETCHES:
            return []
        found = [_Stretch(entry, (0, 0), (RISKIEST + 1, 0)) for entry in wanted.entries]
    elif order is Order.RISK:
        found = _reasons(wanted)
    else:
        return []
    return [_cut(stretch, order, after, before) for stretch in found]


def _cut(stretch: _Stretch, order: Order, after: Key | None, before: Key | None) -> _Stretch:
    """What of a stretch lies between two keys of an order."""

    def end(key: Key) -> tuple[int, int]:
        if order is Order.ENTRY and key[0] != stretch.value:
            return (0, 0) if key[0] < stretch.value else (RISKIEST + 1, 0)
        return key[-2], key[-1]

    low = stretch.low if after is None else max(stretch.low, end(after))
    high = stretch.high if before is None else min(stretch.high, end(before))
    return stretch._replace(low=low, high=high)


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
    dialect = connection.dialect.name
    given: dict[str, Any] = {"holder": holder, "now": now} if holder is not None else {}
    backwards = before is not None
    if stretches := _stretches(wanted, order, after, before):
        wanted = replace(wanted, entries=None) if wanted.entries is not None else EVERYTHING
        by_entry = wanted is not EVERYTHING
        statement, values = _merged(dialect, wanted, order, len(stretches), by_entry, limit, backwards, bool(given))
        for place, (value, low, high) in enumerate(stretches):
            ends = zip(("value", "low0", "low1", "high0", "high1"), (value, *low, *high), strict=True)
            given |= {f"{name}_{place}": number for name, number in ends}
    else:
        sort = _is_rare(connection, wanted)
        bounds = after is not None, backwards
        statement, values = _walked(dialect, wanted, order, bounds, limit, sort, bool(given))
        for name, key in (("after", after), ("before", before)):
            given |= {f"{name}{place}": value for place, value in enumerate(key or ())}
    return [int(row[0]) for row in connection.execute(statement, values | given)]


def _is_rare(connection: Connection, wanted: Filter) -> bool:
    """Does a filter leave so few items that sorting them is quicker than walking to the first?"""
    if wanted.document is not None:
        return True
    found: list[ColumnElement[bool]]
    if wanted.entries is not None:
        found = [items.c.entry.in_(wanted.entries)]
    elif wanted != EVERYTHING:
        found = [
            and_(items.c.why == value, items.c.rank >= low[0], items.c.rank < high[0])
            for value, low, high in _reasons(wanted)
        ]
    else:
        return False
    left = RARE
    for stretch in found:
        some = select(items.c.id).where(items.c.state == UNDECIDED, stretch).limit(left).subquery()
        left -= connection.execute(select(func.count()).select_from(some)).scalar_one()
        if left <= 0:
            return False
    return True


# Putting a selection together takes far longer than running it, so what it says is kept as SQL. The values that change
# from one item to the next stay open.


def _as_sql(statement: Select[Any], dialect: str) -> tuple[TextClause, dict[str, Any]]:
    """The SQL, and the values in it that are settled."""
    make = SQLiteDialect if dialect == "sqlite" else PGDialect
    compiled = statement.compile(dialect=make(paramstyle="named"), compile_kwargs={"render_postcompile": True})
    return text(str(compiled)), {name: value for name, value in compiled.params.items() if value is not None}


def _open(name: str, kind: TypeEngine[Any] | None = None) -> Any:
    return bindparam(name, None, type_=kind or BigInteger())


def _free() -> ColumnElement[bool]:
    return unclaimed(_open("holder", String()), _open("now"))


@lru_cache(maxsize=256)
def _merged(
    dialect: str,
    wanted: Filter,
    order: Order,
    number: int,
    by_entry: bool,
    limit: int | None,
    backwards: bool,
    free: bool,
) -> tuple[TextClause, dict[str, Any]]:
    """What a number of stretches hold, in one order."""

    def ordered(keys: Iterable[Any]) -> list[Any]:
        return [key.desc() if backwards else key for key in keys]

    column, place = items.c.entry if by_entry else items.c.why, tuple_(items.c.rank, items.c.id)
    parts = []
    for n in range(number):
        where: list[ColumnElement[bool]] = [
            items.c.state == UNDECIDED,
            column == _open(f"value_{n}"),
            place > tuple_(_open(f"low0_{n}"), _open(f"low1_{n}")),
            place < tuple_(_open(f"high0_{n}"), _open(f"high1_{n}")),
            *([chosen(wanted, undecided=True)] if by_entry else []),
            *([_free()] if free else []),
        ]
        part = select(*_COLUMNS[order]).where(*where).order_by(*ordered((items.c.rank, items.c.id))).limit(limit)
        parts.append(select(part.subquery()))
    merged = union_all(*parts).subquery()
    keys = [merged.c[key.name] for key in _COLUMNS[order]]
    return _as_sql(select(merged.c.id).order_by(*ordered(keys)).limit(limit), dialect)


@lru_cache(maxsize=256)
def _walked(
    dialect: str, wanted: Filter, order: Order, bounds: tuple[bool, bool], limit: int | None, sort: bool, free: bool
) -> tuple[TextClause, dict[str, Any]]:
    """What a filter lets through, sorted, or as an index has it."""
    keys = [column + 0 for column in _COLUMNS[order]] if sort else list(_COLUMNS[order])
    after, before = (tuple_(*(_open(f"{name}{n}") for n in range(len(keys)))) for name in ("after", "before"))
    where = [
        chosen(wanted, undecided=True),
        *([tuple_(*keys) > after] if bounds[0] else []),
        *([tuple_(*keys) < before] if bounds[1] else []),
        *([_free()] if free else []),
    ]
    ordered = [key.desc() for key in keys] if bounds[1] else keys
    return _as_sql(select(items.c.id).where(*where).order_by(*ordered).limit(limit), dialect)


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


def not_undone() -> ColumnElement[bool]:
    """A decision that nobody took back."""
    undo = decisions.alias()
    return ~exists().where(undo.c.undoes == decisions.c.id)
