"""The records of many files, for a second look: what each is called, its text, and how to read its file once more.

In come sources; out go their texts, in order, and later, by number, names and texts: from memory, or from a temporary
file, so that what is held does not grow with the collection. Refused, by `InputError`: a file that is not what it was.
"""

from __future__ import annotations

import sqlite3
import zlib
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol

import xxhash

from unspin import formats
from unspin.commands.records import label, opened, records
from unspin.commands.terminal import Failures
from unspin.errors import InputError, OutputError
from unspin.files import Source
from unspin.formats import Failure, Reader, Reading, Record
from unspin.model import Place

AT_HAND = 64  # texts kept after they were read
_DIGEST = 16  # bytes


class Shelf(Protocol):
    """Where names and texts are kept."""

    def add(self, name: str, text: str) -> None: ...

    def name(self, number: int) -> str: ...

    def text(self, number: int) -> str: ...


class InMemory:
    """A shelf in memory."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._texts: list[str] = []

    def add(self, name: str, text: str) -> None:
        self._names.append(name)
        self._texts.append(text)

    def name(self, number: int) -> str:
        return self._names[number]

    def text(self, number: int) -> str:
        return self._texts[number]


class OnDisk:
    """A shelf in a temporary file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._connection.executescript(
            "pragma journal_mode=off; pragma synchronous=off;"
            "create table texts (number integer primary key, name blob, text blob); begin;"
        )
        self._count = 0
        self.text = lru_cache(AT_HAND)(self._text)

    @classmethod
    @contextmanager
    def opened(cls, folder: Path | None) -> Iterator[OnDisk]:
        """For as long as the `with` statement lasts. Raises OutputError."""
        with TemporaryDirectory(prefix="unspin-", dir=folder, ignore_cleanup_errors=True) as name:
            path = Path(name, "texts")
            try:
                with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                    yield cls(connection)
            except sqlite3.OperationalError as error:
                raise OutputError(path, f"cannot be written: {error}") from error

    def add(self, name: str, text: str) -> None:
        row = (self._count, _packed(name), _packed(text))
        self._connection.execute("insert into texts values (?, ?, ?)", row)
        self._count += 1

    def name(self, number: int) -> str:
        return self._cell("name", number)

    def _text(self, number: int) -> str:
        return self._cell("text", number)

    def _cell(self, column: str, number: int) -> str:
        (data,) = self._connection.execute(f"select {column} from texts where number = ?", [number]).fetchone()
        return zlib.decompress(data).decode("utf-8", "surrogatepass")


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


class _File(NamedTuple):
    """A file whose records have the numbers from `first` on; the reader of one that can be opened once only."""

    source: Source
    reader: Reader | None
    first: int


class Collection:
    """The records that could be read, by number, counted from 0 over all files."""

    def __init__(self, reading: Reading, shelf: Shelf) -> None:
        self.dates = array("d")  # when the file of each was last changed; what is no file is newer than any
        self._reading = reading
        self._shelf = shelf
        self._files: list[_File] = []
        self._digests = bytearray()

    def __len__(self) -> int:
        return len(self.dates)

    def read(
        self, found: Iterable[Source], failures: Failures, *, again: bool, folder: Path | None = None
    ) -> Iterator[str]:
        """Read all texts, once; if they will be read `again`, pipes are kept below `folder`."""
        for reader in opened(found, self._reading, failures):
            source, is_pipe = reader.source, not reader.input.is_again
            if again:
                reader.input.keep(folder)
            date = source.path.stat().st_mtime if source.path else float("inf")
            self._files.append(_File(source, reader if is_pipe else None, len(self)))
            for record in records(reader, failures):
                self._shelf.add(label(reader, record), record.source)
                self._digests += _digest(record)
                self.dates.append(date)
                yield record.text

    def again(self, failures: Failures) -> Iterator[tuple[Reader, Iterator[tuple[int, Record | Failure]]]]:
        """All files once more, with what stands in them, records with their numbers."""
        ends = [*(file.first for file in self._files[1:]), len(self)]
        for file, end in zip(self._files, ends, strict=True):
            with failures.told():
                reader = file.reader or formats.reader(file.source, self._reading)
                yield reader, self._numbered(reader, range(file.first, end))

    def _numbered(self, reader: Reader, numbers: range) -> Iterator[tuple[int, Record | Failure]]:
        """What stands in a file. Raises InputError if it is not what it was."""
        number = numbers.start
        for one in reader:
            if isinstance(one, Record) and (number >= numbers.stop or not self._is_same(number, one)):
                break
            yield number, one
            number += isinstance(one, Record)
        else:
            if number == numbers.stop:
                return
        raise InputError(reader.name, "was changed meanwhile")

    def _is_same(self, number: int, record: Record) -> bool:
        return self._digests[number * _DIGEST : (number + 1) * _DIGEST] == _digest(record)

    def quoted(self, place: Place) -> str:
        """A passage as it stands in its file."""
        return self._shelf.text(place.text)[place.start : place.end]

    def name(self, number: int) -> str:
        """What a record is called."""
        return self._shelf.name(number)


def _digest(record: Record) -> bytes:
    return xxhash.xxh3_128_digest(record.source.encode("utf-8", "surrogatepass"))
