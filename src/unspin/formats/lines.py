"""Lines of a stream, exact to the last character, in bounded memory.

In comes an input; out come its lines with their line breaks. A line that is longer than the limit comes as None.
Bytes that are not in the encoding come as surrogates, so that the lines encode to what was read: `encoded`. Refused,
by `InputError`: an encoding that does not exist, a file in none that fits. Where the stream ends before its end,
`Broken` is raised.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from unspin.errors import InputError
from unspin.files import decode
from unspin.formats.streams import Broken, Input

_ESCAPE = "surrogateescape"
_REST = 1 << 16  # characters of a line that is too long, passed over at a time
_MOST_BLANK = 1 << 20  # characters of blank lines in a row that are kept; it bounds memory


@dataclass(frozen=True, slots=True)
class Unit:
    """One or more lines that make a record, from the line `place` on, from 1; None if they are too long."""

    place: int
    raw: str | None
    cells: tuple[str, ...] = ()


def encoding_of(opened: Input, told: str | None) -> str:
    """The encoding that an input's lines are in: as told or, by how it begins, as `files.decode` finds. If some of them
    are in UTF-8, and not only in ASCII, all should be. Raises InputError."""
    if told:
        with suppress(LookupError):
            return codecs.lookup(told).name
        raise InputError(opened.source.name, f"there is no encoding {told}")
    head = opened.head
    with suppress(UnicodeDecodeError):
        codecs.getincrementaldecoder("utf-8")().decode(head)
        if b"\0" not in head:
            return "utf-8"
    if b"\0" not in head and any(map(_is_telling, head.splitlines())):
        return "utf-8"
    whole = head[: head.rfind(b"\n") + 1] or head  # a character may be cut in two
    with suppress(InputError):
        return decode(whole, name=opened.source.name).encoding
    return decode(head[: len(head) - len(head) % 4], name=opened.source.name).encoding


def _is_telling(line: bytes) -> bool:
    """Is this UTF-8, and nothing else that text is in?"""
    with suppress(UnicodeDecodeError):
        return not line.isascii() and bool(line.decode("utf-8"))
    return False


def lines(opened: Input, encoding: str, limit: int, *, universal: bool = False) -> Iterator[str | None]:
    """The lines of an input; `universal`: a carriage return ends one, too. Raises Broken."""
    with opened.opened() as stream:
        newline = "" if universal else "\n"
        text = io.TextIOWrapper(stream, encoding, errors=_ESCAPE, newline=newline)
        try:
            while line := text.readline(limit + 1):
                if len(line) <= limit:
                    yield line
                    continue
                while line and not line.endswith(("\n", "\r") if universal else "\n"):
                    line = text.readline(_REST)
                yield None
        except UnicodeDecodeError as error:
            raise Broken(f"not {encoding}: {error.reason}", 0) from error
        finally:
            text.detach()


def encoded(text: str, encoding: str) -> bytes:
    """The bytes of what was read, changed or not. Raises UnicodeEncodeError."""
    return text.encode(encoding, _ESCAPE)


def stray_byte(line: str) -> int | None:
    """Where in a line a byte stands that is not in its encoding, counted in characters from 0."""
    try:
        line.encode("utf-8")
    except UnicodeEncodeError as error:
        return error.start
    return None


def gathered(units: Iterable[Unit], blank: str) -> Iterator[Unit]:
    """The units that hold more than characters of `blank`; the raw text of those that do not goes with the unit
    before them or, where there is none, with the one after."""
    held: Unit | None = None
    loose: list[str] = []
    size = 0
    for unit in units:
        if unit.raw is not None and not unit.raw.strip(blank):
            size += len(unit.raw)
            loose += [unit.raw] if size < _MOST_BLANK else []
            continue
        if held:
            yield _joined(held, loose)
        elif unit.raw is not None:
            unit = replace(unit, raw="".join([*loose, unit.raw]))
        held, loose, size = unit, [], 0
    if held:
        yield _joined(held, loose)


def _joined(unit: Unit, loose: list[str]) -> Unit:
    return unit if unit.raw is None or not loose else replace(unit, raw="".join([unit.raw, *loose]))
