"""An earlier answer to the same question: same sentence, same place in it, same entry, in a text that has changed.

In comes an item; out goes what a person once said to its like. It is for showing: nothing is carried over by itself.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from unspin.review.context import Context, context
from unspin.review.deciding import effective
from unspin.review.model import Decision, Item
from unspin.review.reading import DECISION, ITEM, read_decisions, read_items
from unspin.review.store import Store
from unspin.review.tables import SHELVED, STATES, UNDECIDED, decisions, items

MOST = 200  # stale items of an entry that are looked at, the latest first

_DECIDED = [SHELVED + code for code in range(len(STATES)) if code != UNDECIDED]


def earlier(store: Store, connection: Connection, item: Item) -> Decision | None:
    """The last decision on a stale item that reads like this one; None if there is none."""
    entry = select(items.c.entry).where(items.c.id == item.id).scalar_subquery()
    alike = ITEM.where(items.c.state.in_(_DECIDED), items.c.entry == entry).order_by(items.c.id.desc()).limit(MOST)
    wanted = _read(store, connection, item)
    for other in read_items(store, connection, alike):
        if other.before == item.before and _read(store, connection, other) == wanted:
            line = effective(connection, other.id)
            assert line
            return read_decisions(connection, DECISION.where(decisions.c.id == line.id))[0]
    return None


def _read(store: Store, connection: Connection, item: Item) -> tuple[str, str]:
    """What stands to the left and to the right in the sentence."""
    found: Context = context(store.text(connection, item.document), item.start, item.end)
    return found.left, found.right
