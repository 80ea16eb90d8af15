"""JSON Lines: an object a line, one of its fields the text.

In comes an input; out come records, in which a restored text takes the place of that one string: every other byte of
its line stays. Failures: lines that are no JSON object, have no such field, hold no text in it, are in another
encoding, or too long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from unspin.formats.lines import Unit, gathered, lines, stray_byte
from unspin.formats.model import Failure, Reading, Record, numbered
from unspin.formats.prose import Prose
from unspin.formats.streams import Broken, Input

_DECODER = json.JSONDecoder()
_BLANK = "\ufeff \t\r\n"  # a byte-order mark may stand before the first line
_SPACE = re.compile(f"[{_BLANK}]*")
# JSON allows these raw, yet they end a line for many readers of JSON Lines.
_BREAKS = str.maketrans({c: f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"})
_SHOWN = 40  # characters of a value, and
_NAMED = 8  # fields, that a message names


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it stood, with the blank ones around it; without a `field`, it holds no text to replace."""

    raw: str
    field: str = ""
    others: Mapping[str, Any] | None = None

    def fields(self) -> Mapping[str, Any]:
        return self.others or {}

    def rewritten(self, text: str) -> str:
        """The line with another text in its field."""
        start, end = _value(self.raw, self.field)
        old = self.raw[start:end]
        new = written(text, is_ascii="\\u" in old and old.isascii())
        return self.raw[:start] + new + self.raw[end:]


def written(value: object, *, is_ascii: bool = False) -> str:
    """A value as JSON that stays on its line; what is no JSON, such as a date, as a string."""
    found = json.dumps(value, ensure_ascii=is_ascii, default=str).translate(_BREAKS)
    return found if stray_byte(found) is None else json.dumps(value, default=str)  # half a character, escaped


class _Unfit(ValueError):
    """Why a line holds no text."""


def records(opened: Input, reading: Reading, encoding: str) -> Iterator[Record | Failure]:
    """The records of an input, each when it is asked for."""
    name, number = opened.source.name, -1
    try:
        units = (Unit(place, line) for place, line in enumerate(lines(opened, encoding, reading.limit), start=1))
        for number, unit in enumerate(gathered(units, _BLANK)):
            if unit.raw is None:
                yield Failure(name, number, f"line {unit.place}", f"longer than {reading.limit:,} characters")
                continue
            try:
                yield _record(unit.raw, name, number, reading)
            except _Unfit as error:
                yield Failure(name, number, f"line {unit.place}", str(error), Line(unit.raw))
    except Broken as error:
        yield Failure(name, number + 1, f"byte {error.position}", error.reason)


def _record(raw: str, name: str, number: int, reading: Reading) -> Record:
    if (place := stray_byte(raw)) is not None:
        raise _Unfit(f"not in the encoding of the file (character {place + 1})")
    values = _parsed(raw)
    if reading.text_field not in values:
        raise _Unfit(f"no field {reading.text_field!r}; {_named(values)}")
    text = values.pop(reading.text_field)
    if not isinstance(text, str):
        raise _Unfit(f"field {reading.text_field!r} holds no text: {json.dumps(text)[:_SHOWN]}")
    known = identity(values.get(reading.id_field)) or numbered(name, number)
    return Record(known, number, Prose.plain(text), Line(raw, reading.text_field, values))


def _named(values: Mapping[str, Any]) -> str:
    names = [repr(name) for name in list(values)[:_NAMED]]
    return f"it has {', '.join(names)}" + (", …" if len(values) > _NAMED else "") if names else "it has none"


def identity(value: object) -> str:
    """The value of an id field as an id; "" if it is none."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _parsed(raw: str) -> dict[str, Any]:
    try:
        values, end = _DECODER.raw_decode(raw, _after_space(raw, 0))
    except RecursionError as error:
        raise _Unfit("nested too deeply") from error
    except json.JSONDecodeError as error:
        place = min(error.pos, len(raw.rstrip())) + 1  # and not after the line
        raise _Unfit(f"no JSON: {error.msg.lower()} at character {place}") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise _Unfit(f"no JSON: {error}") from error
    if raw[end:].strip():
        raise _Unfit(f"no JSON: something stands after the value at character {end + 1}")
    if not isinstance(values, dict):
        raise _Unfit("no JSON object")
    return values


def _after_space(raw: str, position: int) -> int:
    found = _SPACE.match(raw, position)
    return found.end() if found else position


def _value(raw: str, field: str) -> tuple[int, int]:
    """Where the value of a field stands; of several fields of one name the last counts, as for any reader."""
    span = (0, 0)
    position = _after_space(raw, 0)
    while raw[position] != "}":  # "{" and then commas
        name, position = _DECODER.raw_decode(raw, _after_space(raw, position + 1))
        start = _after_space(raw, _after_space(raw, position) + 1)
        _, end = _DECODER.raw_decode(raw, start)
        if name == field:
            span = (start, end)
        position = _after_space(raw, end)
    return span
