"""Columns of DataFrames and batches of rows: asked for by name, read and built as Arrow has them.

In come frames and record batches, out go the columns that a stage asks for. Refused, by ValueError: columns that are
missing, of another type, or in the way of new ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import ByteType, DataType, IntegerType, LongType, ShortType, StringType, StructType

Batches = Iterable[pa.RecordBatch]

INTEGERS = (ByteType, ShortType, IntegerType, LongType)


def struct(columns: str) -> StructType:
    """A row's type: names and kinds of columns, as in "id string, start integer".

    >>> struct("id string, start integer").simpleString()
    'struct<id:string,start:int>'
    """
    made = StructType()
    for column in columns.split(", "):
        name, kind = column.split(" ")
        made.add(name, kind)
    return made


def refuse_missing(frame: DataFrame, column: str, kinds: Sequence[type[DataType]], told: str) -> DataType:
    """The type of a column. Raises ValueError if it is not there, or of none of some types."""
    types = {field.name: field.dataType for field in frame.schema.fields}
    if column not in types:
        raise ValueError(f"no column {column!r}; there are: {', '.join(types)}")
    kind = types[column]
    if not isinstance(kind, tuple(kinds)):
        raise ValueError(f"column {column!r} is {kind.simpleString()}; {told}")
    return kind


def refuse_texts(frame: DataFrame, column: str) -> None:
    """Raises ValueError if there is no such column of strings."""
    refuse_missing(frame, column, (StringType,), "texts are strings")


def refuse_ids(frame: DataFrame, column: str) -> DataType:
    """The type of a column of names for texts. Raises ValueError if there is none."""
    return refuse_missing(frame, column, (StringType, *INTEGERS), "texts are named by strings or integers; cast it")


def refuse_taken(frame: DataFrame, columns: Iterable[str]) -> None:
    """Raises ValueError if a frame has one of some columns already; to Spark, case is nothing."""
    taken = {name.lower() for name in frame.columns}
    if both := [name for name in columns if name.lower() in taken]:
        raise ValueError(f"there is a column {both[0]!r} already; rename it, or drop it")


def strings(column: pa.Array) -> Iterator[str | UnicodeDecodeError | None]:
    """The strings of a column; Spark does not check that they are UTF-8."""
    try:
        yield from column.to_pylist()
    except UnicodeDecodeError:
        for value in column:
            try:
                yield value.as_py()
            except UnicodeDecodeError as error:
                yield error


def built(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Rows as a batch."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    arrays = [pa.array(list(column), field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def parts(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    """A batch, so many rows at a time."""
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)
