"""Parquet: a row a record, one of its columns the text.

In comes an input; out come records, read a batch at a time; a writer takes them, a row group at a time. Schema, other
columns, compression and the bounds of row groups are kept; a row group that unpacks to more than the limit is cut.
Failures: a file that is no Parquet or breaks off, one without the column, rows without a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from unspin.errors import UnspinError, reason
from unspin.formats.jsonl import identity
from unspin.formats.model import Failure, Reading, Record, numbered
from unspin.formats.prose import Prose
from unspin.formats.streams import Broken, Input

BATCH = 256  # rows read at a time
_LARGEST = 256 * 2**20  # bytes of a row group that is held to be written


def arrow() -> Any:
    """The package pyarrow, with what reads Parquet."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UnspinError("Parquet needs pyarrow: pip install 'unspin[formats]'") from error
    return pyarrow


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a row stands: in which batch of which row group. `column` is the text's."""

    batch: Any
    row: int
    group: int
    column: str

    def fields(self) -> Mapping[str, Any]:
        names = (name for name in self.batch.schema.names if name != self.column)
        return {name: self.batch.column(name)[self.row].as_py() for name in names}


def records(opened: Input, reading: Reading) -> Iterator[Record | Failure]:
    """The records of an input, each when it is asked for."""
    name, number = opened.source.name, 0
    pyarrow = arrow()
    try:
        with opened.seekable() as stream, pyarrow.parquet.ParquetFile(stream) as file:
            if problem := _problem(pyarrow, file.schema_arrow, reading.text_field):
                yield Failure(name, 0, "", problem)
                return
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(BATCH, row_groups=[group]):
                    yield from _rows(batch, group, name, number, reading)
                    number += len(batch)
    except Broken as error:
        yield Failure(name, number, f"byte {error.position}", error.reason)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:  # the last in the names of columns
        yield Failure(name, number, f"row {number + 1}" if number else "", reason(error).rstrip("."))


def _problem(pyarrow: Any, schema: Any, column: str) -> str:
    if column not in schema.names:
        return f"no column {column!r}; it has {', '.join(map(repr, schema.names))}"
    found = schema.field(column).type
    types = pyarrow.types
    plain = found.value_type if types.is_dictionary(found) else found
    is_text = types.is_string(plain) or types.is_large_string(plain) or types.is_string_view(plain)
    return "" if is_text else f"column {column!r} holds no text but {found}"


def _rows(batch: Any, group: int, name: str, first: int, reading: Reading) -> Iterator[Record | Failure]:
    texts = batch.column(reading.text_field)
    has_id = reading.id_field in batch.schema.names
    ids = batch.column(reading.id_field) if has_id else None
    for row in range(len(batch)):
        number, cell = first + row, Cell(batch, row, group, reading.text_field)
        try:
            text = texts[row].as_py()
            known = identity(ids[row].as_py()) if ids is not None else ""
        except UnicodeDecodeError:
            yield Failure(name, number, f"row {number + 1}", "not UTF-8", cell)
            continue
        if text is None:
            yield Failure(name, number, f"row {number + 1}", "no text", cell)
        elif len(text) > reading.limit:
            yield Failure(name, number, f"row {number + 1}", f"longer than {reading.limit:,} characters", cell)
        else:
            yield Record(known or numbered(name, number), number, Prose.plain(text), cell)


class Rows:
    """Rows on their way to a file, with the schema and the compression of the one that they are from."""

    def __init__(self, target: IO[bytes], opened: Input, column: str) -> None:
        """Raises OutputError if the input is no Parquet any more."""
        self._pyarrow = arrow()
        with opened.seekable() as stream, self._pyarrow.parquet.ParquetFile(stream) as file:
            self._schema, packing = file.schema_arrow, _packing(file.metadata)
        self._file = self._pyarrow.parquet.ParquetWriter(target, self._schema, compression=packing)
        self._column = column
        self._group = 0
        self._batch: Any = None
        self._texts: list[str | None] = []
        self._rows: list[int] = []
        self._batches: list[Any] = []
        self._held = 0

    def write(self, cell: Cell, text: str | None) -> None:
        """Add a row with this text; None leaves the one that it has."""
        if cell.batch is not self._batch:
            self._end_batch()
        if cell.group != self._group or self._held > _LARGEST:
            self._end_group()
        self._batch, self._group = cell.batch, cell.group
        self._rows.append(cell.row)
        self._texts.append(text)

    def _end_batch(self) -> None:
        if not self._rows:
            return
        pyarrow, batch = self._pyarrow, self._batch
        if self._rows != list(range(len(batch))):
            batch = batch.take(pyarrow.array(self._rows))
        if any(text is not None for text in self._texts):
            index = self._schema.get_field_index(self._column)
            old = batch.column(index).cast(pyarrow.large_string()).to_pylist()
            texts = [was if text is None else text for was, text in zip(old, self._texts, strict=True)]
            field = self._schema.field(index)
            batch = batch.set_column(index, field, pyarrow.array(texts, pyarrow.large_string()).cast(field.type))
        self._batches.append(batch)
        self._held += batch.nbytes
        self._batch, self._rows, self._texts = None, [], []

    def _end_group(self) -> None:
        if self._batches:
            table = self._pyarrow.Table.from_batches(self._batches, self._schema)
            self._file.write_table(table, row_group_size=len(table))
        self._batches, self._held = [], 0

    def close(self) -> None:
        """Write what is left, and the file's end."""
        self._end_batch()
        self._end_group()
        self._file.close()

    def drop(self) -> None:
        """End without what is left; otherwise pyarrow does so when the stream is gone."""
        with suppress(OSError):
            self._file.close()


def _packing(metadata: Any) -> dict[str, str] | str:
    """How each column is compressed."""
    if not metadata.num_row_groups:
        return "snappy"
    group = metadata.row_group(0)
    columns = (group.column(number) for number in range(group.num_columns))
    return {column.path_in_schema: _NAMES.get(column.compression, column.compression) for column in columns}


_NAMES = {"UNCOMPRESSED": "NONE", "LZ4_RAW": "LZ4"}
