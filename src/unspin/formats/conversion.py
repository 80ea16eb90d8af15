"""Records of one format as a file of another: plain text, JSON Lines, CSV, TSV or Parquet.

In come records with their restored texts; what stood beside a text goes with it, plain text excepted, and each record
has its id. What could not be read has no place there. Refused, by `OutputError`: records that do not fit into a table
with those before them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

from unspin.errors import OutputError
from unspin.formats.jsonl import written
from unspin.formats.model import Failure, Format, Reading, Record
from unspin.formats.parquet import arrow

_TOGETHER = 1_000  # rows of a table that are written at a time; the first of them say what types the columns have
_OUTPUT = "output"


def fields(record: Record, text: str, reading: Reading) -> dict[str, Any]:
    """A record as names and values: its id, what stood beside the text, the text."""
    others = record.origin.fields() if record.origin else {}
    return {reading.id_field: record.id} | dict(others) | {reading.text_field: text}


class _Converter:
    """What all have in common: no place for what could not be read."""

    def __init__(self, stream: IO[bytes], reading: Reading) -> None:
        self._stream = stream
        self._reading = reading

    def keep(self, failure: Failure) -> None:
        """Nothing to do: it is no record."""

    def close(self) -> None:
        self._stream.flush()

    def drop(self) -> None:
        """Nothing is held that matters."""


class _Texts(_Converter):
    """One text after the other, an empty line between two."""

    _is_first = True

    def write(self, record: Record, text: str) -> None:
        gap = "" if self._is_first else "\n"
        end = "" if text.endswith("\n") else "\n"
        self._stream.write((gap + text + end).encode())
        self._is_first = False


class _JsonLines(_Converter):
    def write(self, record: Record, text: str) -> None:
        self._stream.write((written(fields(record, text, self._reading)) + "\n").encode())


class _Delimited(_Converter):
    """A table, whose columns are the fields of the first record."""

    def __init__(self, stream: IO[bytes], reading: Reading, delimiter: str) -> None:
        super().__init__(stream, reading)
        self._delimiter = delimiter
        self._names: tuple[str, ...] = ()

    def write(self, record: Record, text: str) -> None:
        row = fields(record, text, self._reading)
        if not self._names:
            self._names = tuple(row)
            self._line(self._names)
        if more := row.keys() - set(self._names):
            told = ", ".join(sorted(map(repr, more)))
            raise OutputError(_OUTPUT, f"{record.id} has {told}, which the first record lacks; choose jsonl")
        self._line([_plain(row.get(name)) for name in self._names])

    def _line(self, cells: Any) -> None:
        line = io.StringIO()
        csv.writer(line, delimiter=self._delimiter, lineterminator="\n").writerow(cells)
        self._stream.write(line.getvalue().encode())


def _plain(value: Any) -> Any:
    """A value as a cell shows it; what is nested, as JSON."""
    return written(value) if isinstance(value, Mapping | list | bool) else value


class _Table(_Converter):
    """A Parquet file, whose columns and types are those of the first records."""

    def __init__(self, stream: IO[bytes], reading: Reading) -> None:
        super().__init__(stream, reading)
        self._arrow = arrow()
        self._file: Any = None
        self._waiting: list[dict[str, Any]] = []

    def write(self, record: Record, text: str) -> None:
        self._waiting.append(fields(record, text, self._reading))
        if len(self._waiting) == _TOGETHER:
            self._flush()

    def _flush(self) -> None:
        try:
            if self._file is None:
                self._file = self._arrow.parquet.ParquetWriter(self._stream, self._schema(), compression="zstd")
            table = self._arrow.Table.from_pylist(self._waiting, self._file.schema)
        except (self._arrow.ArrowException, TypeError, ValueError) as error:
            raise OutputError(_OUTPUT, f"records that do not fit into one table ({error}); choose jsonl") from error
        known = set(self._file.schema.names)
        if more := {name for row in self._waiting for name in row} - known:
            told = ", ".join(sorted(map(repr, more)))
            raise OutputError(_OUTPUT, f"a record has {told}, which the first {_TOGETHER:,} lack; choose jsonl")
        self._file.write_table(table)
        self._waiting = []

    def _schema(self) -> Any:
        """The names of all fields so far; those without a value may hold text later."""
        pyarrow = self._arrow
        names = dict.fromkeys(name for row in self._waiting for name in row) or {
            self._reading.id_field: None,
            self._reading.text_field: None,
        }
        columns = {name: pyarrow.array([row.get(name) for row in self._waiting]).type for name in names}
        return pyarrow.schema(
            [(name, pyarrow.string() if found == pyarrow.null() else found) for name, found in columns.items()]
        )

    def close(self) -> None:
        if self._waiting or self._file is None:
            self._flush()
        self._file.close()

    def drop(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()


def converter(stream: IO[bytes], out: Format, reading: Reading) -> _Texts | _JsonLines | _Delimited | _Table:
    """What writes records in the format `out`. Raises OutputError for one that cannot be written anew."""
    match out:
        case Format.TEXT:
            return _Texts(stream, reading)
        case Format.JSONL:
            return _JsonLines(stream, reading)
        case Format.CSV | Format.TSV:
            return _Delimited(stream, reading, "," if out is Format.CSV else "\t")
        case Format.PARQUET:
            return _Table(stream, reading)
        case Format.MARKDOWN | Format.HTML | Format.WARC:
            raise OutputError(_OUTPUT, f"nothing can be turned into {out}")
