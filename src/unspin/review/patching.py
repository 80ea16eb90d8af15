"""Changes to a lexicon as edits of its file.

In come the file's lines and changes; out go edits, which leave every other line as it is, comments and order included.
Above a changed line stand its reason and sentences, as comments; those of an earlier review give way. Nothing is
written, and nothing is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from unspin.model import DecidedBy, Edit
from unspin.review.overlay import fields_of, key_of, place_of
from unspin.review.suggest import Change

MARK = "# review: "  # begins a comment of ours
QUOTE = "#   "  # goes before a sentence


def edits(rows: Sequence[str], changes: Iterable[Change]) -> tuple[Edit, ...]:
    """Edits of the text whose lines are `rows` ("\\n".join(rows)), in order."""
    ending = "\r" if rows[0].endswith("\r") else ""
    at = {key_of(*fields[:2]): number for number, row in enumerate(rows) if (fields := fields_of(row))}
    added: defaultdict[int, list[str]] = defaultdict(list)
    replaced: dict[int, tuple[int, list[str]]] = {}  # first line -> the line after the last, and what comes there
    for change in changes:
        lines = [*_comments(change), _row(change, rows[at[change.key]] if change.key in at else None)]
        lines = [line + ending for line in lines]
        if change.key in at:
            number = at[change.key]
            replaced[_first(rows, number)] = number + 1, lines
        else:
            added[place_of(rows, change.entry)] += lines
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row) + 1)
    return tuple(_edit(rows, starts, place, added[place], replaced.get(place)) for place in sorted({*added, *replaced}))


def _edit(
    rows: Sequence[str], starts: Sequence[int], place: int, added: list[str], replaced: tuple[int, list[str]] | None
) -> Edit:
    last, lines = replaced or (place, [])
    before = "".join(f"{row}\n" for row in rows[place:last])
    after = "".join(f"{line}\n" for line in (*added, *lines))
    start = starts[place]
    if last == len(rows):  # the file does not end with a line break
        before, after = before[:-1], after[:-1]
        if place == len(rows):
            start, after = start - 1, f"\n{after}"
    return Edit(start, start + len(before), before, after, None, 1.0, DecidedBy.REVIEWER)


def _first(rows: Sequence[str], number: int) -> int:
    """Where the comments of an earlier review on a line begin; the line itself, if there are none."""
    first = number
    while rows[first - 1].startswith(QUOTE):
        first -= 1
    return first - 1 if rows[first - 1].startswith(MARK) else number


def _comments(change: Change) -> list[str]:
    return [f"{MARK}{change.why}", *(f"{QUOTE}{sentence}" for sentence in change.sentences)]


def _row(change: Change, row: str | None) -> str:
    """The entry's line; of one that is there, only what changes is written anew."""
    entry, before = change.entry, change.before
    fields = fields_of(row) if row is not None else [entry.spun, entry.original, "", "", "", entry.source, ""]
    if before is None or before.rate != entry.rate:
        fields[2] = f"{entry.rate:.4g}"
    fields[3:5] = str(entry.seen), entry.status
    fields[6] = entry.note
    return "\t".join(fields)
