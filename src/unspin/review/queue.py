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
    """A stretch of an index that is in order of risk: the items of one reason, or of one entry, from `low` to `high`.

    Both ends are a rank and an item's number, and outside of it.
    """

    value: int
    low: tuple[int, int]
    high: tuple[int, int]


_LAST = (RISKIEST + 1, 0)  # behind every rank


def _stretches(wanted: Filter) -> tuple[list[_Stretch], bool]:
    """Stretches that hold what a filter lets through, and whether they are of entries; none, if it asks for no few."""
    if wanted.document is not None:
        return [], False
    if wanted.entries is not None:
        few = wanted.entries if len(wanted.entries) <= MOST_STRETCHES else ()
        return [_Stretch(entry, (0, 0), _LAST) for entry in few], True
    low = units(wanted.min_confidence or 0.0)
    high = SCALE if wanted.max_confidence is None else units(wanted.max_confidence)
    found = []
    for why in EVERY_WHY if wanted.why is None else wanted.why:
        state = State.PROPOSED if why_code(why) < FIRST_HELD else State.HELD
        if wanted.states is None or state in wanted.states:
            first, last = sorted((rank(why, low), rank(why, high)))  # confidences of one reason are ranks
            found.append(_Stretch(why_code(why), (first, 0), (last + 1, 0)))
    return found, False


def _cut(stretch: _Stretch, order: Order, after: Key | None, before: Key | None) -> _Stretch:
    """What of a stretch lies between two keys of an order."""

    def end(key: Key) -> tuple[int, int]:
        if order is Order.ENTRY and key[0] != stretch.value:
            return (0, 0) if key[0] < stretch.value else _LAST
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
    if wanted.is_void:
        return []
    stretches, is_by_entry = _stretches(wanted)
    ask = _Ask(
        dialect=connection.dialect.name,
        wanted=replace(wanted, entries=None) if is_by_entry and stretches else wanted,
        order=order,
        limit=limit,
        bounds=(after is not None, before is not None),
        is_claimed=holder is not None,
        number=len(stretches),
        is_by_entry=is_by_entry,
    )
    given: dict[str, Any] = {"holder": holder, "now": now}
    given |= {f"after{place}": value for place, value in enumerate(after or ())}
    given |= {f"before{place}": value for place, value in enumerate(before or ())}
    if stretches and order in ((Order.RISK, Order.ENTRY) if is_by_entry else (Order.RISK,)):
        statement, values = _merged(ask)
        given |= _ends(_cut(stretch, order, after, before) for stretch in stretches)
    elif stretches and wanted != EVERYTHING and _are_few(connection, ask, ends := _ends(stretches)):
        statement, values = _gathered(ask)
        given |= ends
    else:
        statement, values = _walked(ask._replace(wanted=wanted))
    return [int(row[0]) for row in connection.execute(statement, values | given)]


def _ends(stretches: Iterable[_Stretch]) -> dict[str, int]:
    """The values of stretches, as selections call them."""
    names = ("value", "low0", "low1", "high0", "high1")
    return {
        f"{name}_{place}": number
        for place, (value, low, high) in enumerate(stretches)
        for name, number in zip(names, (value, *low, *high), strict=True)
    }


def _are_few(connection: Connection, ask: _Ask, ends: dict[str, int]) -> bool:
    """Do stretches hold so little that sorting it is quicker than walking an index to the first?"""
    statement, values = _counted(ask)
    return bool(connection.execute(statement, values | ends).scalar_one() < RARE)


# Putting a selection together takes far longer than running it, so it is kept as SQL. The values that change from one
# item to the next stay open.


class _Ask(NamedTuple):
    """What makes a selection."""

    dialect: str
    wanted: Filter
    order: Order
    limit: int | None
    bounds: tuple[bool, bool]  # whether it begins after a key, and ends before one
    is_claimed: bool
    number: int  # of stretches
    is_by_entry: bool


_Sql = tuple[TextClause, dict[str, Any]]


def _as_sql(statement: Select[Any], dialect: str) -> _Sql:
    """The SQL, and the values in it that are settled."""
    make = SQLiteDialect if dialect == "sqlite" else PGDialect
    compiled = statement.compile(dialect=make(paramstyle="named"), compile_kwargs={"render_postcompile": True})
    return text(str(compiled)), {name: value for name, value in compiled.params.items() if value is not None}


def _open(name: str) -> Any:
    return bindparam(name, None, type_=String() if name == "holder" else BigInteger())


def _ordered(ask: _Ask, keys: Iterable[Any]) -> list[Any]:
    return [key.desc() if ask.bounds[1] else key for key in keys]


def _free(ask: _Ask) -> list[ColumnElement[bool]]:
    return [unclaimed(_open("holder"), _open("now"))] if ask.is_claimed else []


def _within(ask: _Ask, number: int) -> list[ColumnElement[bool]]:
    """What is wanted of the stretch of this number."""
    place = tuple_(items.c.rank, items.c.id)
    return [
        items.c.state == UNDECIDED,
        (items.c.entry if ask.is_by_entry else items.c.why) == _open(f"value_{number}"),
        place > tuple_(_open(f"low0_{number}"), _open(f"low1_{number}")),
        place < tuple_(_open(f"high0_{number}"), _open(f"high1_{number}")),
        *([chosen(ask.wanted, undecided=True)] if ask.is_by_entry else []),
    ]


def _bounded(ask: _Ask, keys: Sequence[ColumnElement[int]]) -> list[ColumnElement[bool]]:
    """Between the keys where the selection begins and ends."""
    after, before = (tuple_(*(_open(f"{name}{n}") for n in range(len(keys)))) for name in ("after", "before"))
    return [
        *([tuple_(*keys) > after] if ask.bounds[0] else []),
        *([tuple_(*keys) < before] if ask.bounds[1] else []),
    ]


@lru_cache(maxsize=256)
def _merged(ask: _Ask) -> _Sql:
    """The first of every stretch, and of these the first."""
    inner = _ordered(ask, (items.c.rank, items.c.id))
    parts = [
        select(*_COLUMNS[ask.order]).where(*_within(ask, n), *_free(ask)).order_by(*inner).limit(ask.limit)
        for n in range(ask.number)
    ]
    merged = union_all(*(select(part.subquery()) for part in parts)).subquery()
    keys = [merged.c[key.name] for key in _COLUMNS[ask.order]]
    return _as_sql(select(merged.c.id).order_by(*_ordered(ask, keys)).limit(ask.limit), ask.dialect)


@lru_cache(maxsize=256)
def _gathered(ask: _Ask) -> _Sql:
    """All that the stretches hold, sorted."""
    columns = [(column + 0).label(column.name) for column in _COLUMNS[ask.order]]
    parts = [select(*columns).where(*_within(ask, n), *_free(ask)) for n in range(ask.number)]
    gathered = union_all(*parts).subquery()
    keys = [gathered.c[key.name] for key in _COLUMNS[ask.order]]
    statement = select(gathered.c.id).where(*_bounded(ask, keys)).order_by(*_ordered(ask, keys)).limit(ask.limit)
    return _as_sql(statement, ask.dialect)


@lru_cache(maxsize=256)
def _counted(ask: _Ask) -> _Sql:
    """How many the stretches hold; no more than RARE are counted."""
    parts = [select(items.c.id).where(*_within(ask, n)) for n in range(ask.number)]
    some = select(union_all(*parts).subquery()).limit(RARE).subquery()
    return _as_sql(select(func.count()).select_from(some), ask.dialect)


@lru_cache(maxsize=256)
def _walked(ask: _Ask) -> _Sql:
    """What a filter lets through, as the order's index has it; that of one text, sorted."""
    keys = [column + 0 if ask.wanted.document is not None else column for column in _COLUMNS[ask.order]]
    where = [chosen(ask.wanted, undecided=True), *_bounded(ask, keys), *_free(ask)]
    return _as_sql(select(items.c.id).where(*where).order_by(*_ordered(ask, keys)).limit(ask.limit), ask.dialect)


def unclaimed(holder: Any, now: Any) -> ColumnElement[bool]:
    """Nobody but `holder` has the item before him. `now`: milliseconds since 1970."""
    others = and_(claims.c.item == items.c.id, claims.c.holder != holder, claims.c.until > now)
    return ~exists().where(others)


def listed(
    columns: Select[Any], wanted: Filter, order: Order, *, limit: int | None, after: Key | None, before: Key | None
) -> Select[Any]:
    """A selection of what a filter lets through in any state, in order."""
    keys = _COLUMNS[order]
    where = [chosen(wanted)]
    if after is not None:
        where.append(tuple_(*keys) > tuple_(*after))
    if before is not None:
        where.append(tuple_(*keys) < tuple_(*before))
    return columns.where(*where).order_by(*(key.desc() if before is not None else key for key in keys)).limit(limit)


def not_undone() -> ColumnElement[bool]:
    """A decision that nobody took back."""
    undo = decisions.alias()
    return ~exists().where(undo.c.undoes == decisions.c.id)
