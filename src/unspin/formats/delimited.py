"""CSV and TSV: a row a record, one of its columns the text.

In comes an input; out come records, in which a restored text takes the place of that one cell: delimiter, quoting
and line ends of all others stay. Failures: a header without the column, rows without its cell, in another encoding
or too long, quotation marks that nothing closes.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from unspin.formats.jsonl import identity
from unspin.formats.lines import Unit, gathered, lines, stray_byte
from unspin.formats.model import Failure, Format, Reading, Record, numbered
from unspin.formats.prose import Prose
from unspin.formats.streams import Broken, Input

_DELIMITERS = {Format.CSV: ",;\t|", Format.TSV: "\t"}  # the first of these that shows the column
_QUOTE = '"'
_BLANK = "\ufeff \r\n"  # a byte-order mark may stand before the header


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stood, with the blank lines around it; without a `column`, it holds no text to replace."""

    raw: str
    delimiter: str = ","
    column: int = -1
    others: Mapping[str, str] | None = None

    def fields(self) -> Mapping[str, str]:
        return self.others or {}

    def rewritten(self, text: str) -> str:
        """The row with another text in its cell, in quotation marks if the old one was, or if it needs them."""
        start, end = _cell(self.raw, self.delimiter, self.column)
        old = self.raw[start:end]
        has_bare = _QUOTE in old[1:] and not old.startswith(_QUOTE)  # as in: 5" pipes
        needs = text.startswith(_QUOTE) or (_QUOTE in text and not has_bare)
        needs |= old.startswith(_QUOTE) or any(c in text for c in (self.delimiter, "\r", "\n"))
        new = f"{_QUOTE}{text.replace(_QUOTE, 2 * _QUOTE)}{_QUOTE}" if needs else text
        return self.raw[:start] + new + self.raw[end:]


@dataclass(frozen=True, slots=True)
class Header:
    """The first row of a file: its raw text, with what stands before it, and what it says."""

    raw: str
    names: tuple[str, ...]
    delimiter: str


def header(opened: Input, kind: Format, reading: Reading, encoding: str) -> Header | None:
    """The header, if the text's column is in it; with that, the delimiter is known."""
    decoded = codecs.getincrementaldecoder(encoding)("replace").decode(opened.head)
    for delimiter in _DELIMITERS[kind]:
        rows = _rows(io.StringIO(decoded, newline=""), delimiter, reading.limit)
        first = next(gathered(rows, _BLANK), None)
        if first and first.raw is not None and reading.text_field in (names := _names(first)):
            return Header(first.raw, names, delimiter)
    return None


def _names(first: Unit) -> tuple[str, ...]:
    """The names of the columns; quotation marks around the first are read over if a byte-order mark stands before."""
    name, *names = first.cells or ("",)
    return (name.strip(_BLANK).strip(_QUOTE) if name.startswith("\ufeff") else name, *names)


class _Feed(Iterator[str]):
    """Lines for a reader of CSV, which asks for as many as make a row; `raw` is what it was given."""

    def __init__(self, found: Iterator[str | None], limit: int) -> None:
        self.raw: list[str] = []
        self.place = 0
        self.is_over = False
        self._found = found
        self._left = self._limit = limit

    def __next__(self) -> str:
        self.is_over = True
        line = next(self._found)
        self.is_over = False
        self.place += 1
        self._left -= len(line or "")
        if line is None or self._left < 0:
            raise OverflowError
        self.raw.append(line)
        return line

    def begin(self) -> None:
        """The next line begins a row."""
        self.raw, self._left = [], self._limit


def _rows(found: Iterator[str | None] | Iterator[str], delimiter: str, limit: int) -> Iterator[Unit]:
    """The rows, blank ones too. One that is too long has no raw text, one that is not closed no cells."""
    csv.field_size_limit(max(csv.field_size_limit(), limit))
    feed = _Feed(found, limit)
    reader = csv.reader(feed, delimiter=delimiter)
    while True:
        feed.begin()
        place = feed.place + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except OverflowError:
            yield Unit(place, None)
        else:
            # lines that end inside a row: a quotation mark was never closed
            yield Unit(place, "".join(feed.raw), () if feed.is_over else tuple(cells))


class _Unfit(ValueError):
    """Why a row holds no text."""


def records(opened: Input, reading: Reading, encoding: str, header: Header | None) -> Iterator[Record | Failure]:
    """The records of an input, each when it is asked for."""
    name, number = opened.source.name, -1
    if header is None:
        if opened.head.removeprefix(codecs.BOM_UTF8).strip():
            yield Failure(name, 0, "line 1", f"no column {reading.text_field!r}")
        return
    try:
        rows = _rows(lines(opened, encoding, reading.limit, universal=True), header.delimiter, reading.limit)
        for number, unit in enumerate(islice(gathered(rows, _BLANK), 1, None)):
            if unit.raw is None:
                told = f"longer than {reading.limit:,} characters, or a quotation mark is not closed"
                yield Failure(name, number, f"line {unit.place}", told)
                continue
            try:
                yield _record(unit.raw, unit.cells, name, number, header, reading)
            except _Unfit as error:
                yield Failure(name, number, f"line {unit.place}", str(error), Row(unit.raw))
    except Broken as error:
        yield Failure(name, number + 1, f"byte {error.position}", error.reason)


def _record(raw: str, cells: tuple[str, ...], name: str, number: int, header: Header, reading: Reading) -> Record:
    if (place := stray_byte(raw)) is not None:
        raise _Unfit(f"not in the encoding of the file (character {place + 1})")
    if not cells:
        raise _Unfit("a quotation mark is not closed")
    column = header.names.index(reading.text_field)
    if column >= len(cells):
        raise _Unfit(f"{len(cells)} cells and none of column {reading.text_field!r}, which is number {column + 1}")
    others = dict(zip(header.names, cells, strict=False))
    text = others.pop(reading.text_field)
    known = identity(others.get(reading.id_field, "")) or numbered(name, number)
    return Record(known, number, Prose.plain(text), Row(raw, header.delimiter, column, others))


def _cell(raw: str, delimiter: str, column: int) -> tuple[int, int]:
    """Where a cell stands in a row, its quotation marks included."""
    end = len(raw) - len(raw.lstrip("\r\n")) - 1  # blank lines before the first row
    for _ in range(column + 1):
        start = end + 1
        end = _cell_end(raw, start, delimiter)
    return start, end


def _cell_end(raw: str, position: int, delimiter: str) -> int:
    if raw.startswith(_QUOTE, position):
        position = raw.index(_QUOTE, position + 1) + 1
        while raw.startswith(_QUOTE, position):  # two of them are one
            position = raw.index(_QUOTE, position + 1) + 1
    stops = (raw.find(stop, position) for stop in (delimiter, "\r", "\n"))
    return min((stop for stop in stops if stop >= 0), default=len(raw))
