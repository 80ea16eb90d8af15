"""A lexicon of one's own over the others: what a reviewer never wants to be asked about again.

In comes an entry; out goes NAME, a lexicon file in the folder of the ledger, in which it is `off`. Reviews read it
after all other lexicons, so that it overrules them; shipped lexicons, and those asked for, are never written. Whatever
else stands in the file stays as it is, comments and order included. Refused: by LexiconError or InputError a
file that is no lexicon, by OutputError one that cannot be written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unspin.errors import InputError, OutputError
from unspin.files import exists, write_atomic
from unspin.lexicon import COLUMNS, DEFAULT, order, read, written
from unspin.model import Entry, Status
from unspin.text import phrase

NAME = "unspin.tsv"
NOTE = "never again"  # of lines that are added
_HEAD = "\t".join(COLUMNS)


@dataclass(frozen=True, slots=True)
class Silenced:
    """What was done to a lexicon: the line `after` stands where `before` stood; None: where no line was."""

    path: Path
    entry: Entry
    before: str | None
    after: str


def with_own(names: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The lexicons to review with, by path or name: those asked for or the shipped one, then a folder's own if it has
    one."""
    own = folder / NAME
    return (*(names or (DEFAULT,)), str(own)) if exists(own) else tuple(names)


def silence(path: Path, entry: Entry) -> Silenced | None:
    """Set an entry `off` in a lexicon file, which is made if there is none. None: it is off already.

    Raises LexiconError, InputError or OutputError; then nothing was changed.
    """
    rows = rows_of(path)
    key = key_of(entry.spun, entry.original)
    at = next(
        (number for number, row in enumerate(rows) if fields_of(row) and key_of(*fields_of(row)[:2]) == key), None
    )
    ending = "\r" if rows[0].endswith("\r") else ""
    if at is not None:
        before, fields = rows[at], fields_of(rows[at])
        if fields[4] == Status.OFF:
            return None
        rows[at] = "\t".join((*fields[:4], Status.OFF, *fields[5:])) + ending
        done = Silenced(path, entry, before, rows[at])
    else:
        off = replace(entry, status=Status.OFF, source=entry.source or "review", note=NOTE)
        done = Silenced(path, entry, None, written(off) + ending)
        rows.insert(place_of(rows, off), done.after)
    _write(path, rows)
    return done


def restore(done: Silenced) -> bool:
    """Take back what `silence` did. False: the line has been changed since, and is left alone. Raises as `silence`."""
    rows = rows_of(done.path)
    if done.after not in rows:
        return False
    at = rows.index(done.after)
    rows[at : at + 1] = [] if done.before is None else [done.before]
    if rows == [_HEAD, ""]:
        _remove(done.path)
    else:
        _write(done.path, rows)
    return True


def is_silenced(path: Path, entry: Entry) -> bool:
    """Is the entry `off` in a lexicon file? Raises LexiconError or InputError."""
    key = key_of(entry.spun, entry.original)
    found = (fields for row in rows_of(path) if (fields := fields_of(row)))
    return any(key_of(*fields[:2]) == key and fields[4] == Status.OFF for fields in found)


def rows_of(path: Path) -> list[str]:
    """The lines of a lexicon file, as they are; of an empty one, where there is none."""
    if not exists(path):
        return [_HEAD, ""]
    read(path)  # for its refusals
    try:
        return path.read_bytes().decode().split("\n")
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error


def _write(path: Path, rows: Sequence[str]) -> None:
    write_atomic(path, "\n".join(rows).encode())


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise OutputError(path, f"cannot be removed: {error.strerror}") from error


def fields_of(row: str) -> list[str]:
    """The fields of an entry's line; nothing for the columns' names, a comment or an empty line."""
    fields = row.removesuffix("\r").split("\t")
    return fields if len(fields) == len(COLUMNS) and not row.startswith("#") and fields != list(COLUMNS) else []


def key_of(spun: str, original: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """By what an entry is known."""
    return phrase(spun), phrase(original)


def place_of(rows: Sequence[str], entry: Entry) -> int:
    """Where a new line goes: before the first that sorts after it, and the comments above that; else after the last."""
    entries = [(number, fields) for number, row in enumerate(rows) if (fields := fields_of(row))]
    for number, fields in entries:
        if tuple(fields[:2]) > order(entry):
            while rows[number - 1].startswith("#"):
                number -= 1
            return number
    if entries:
        return entries[-1][0] + 1
    return next(n for n, row in enumerate(rows) if row.removesuffix("\r").removeprefix("\ufeff") == _HEAD) + 1
