"""Passages on disk, and what they are found again by: documents and passages in SQLite, keys in sorted segments.

A `Store` is a directory: `passages.sqlite` holds documents, passages, settings and the list of segments, and
`segments/` the segments that it names. What is added shows with one commit, all of it or nothing: a process that is
killed leaves the store as it was, and files that no list names go with the next addition. One process adds at a time,
others read meanwhile. Rows are numbered from 0 as they come and never change, so that a reader who holds to the numbers
below those he found sees the store as it was then. Refused, by IndexFault: what is no store, damaged, of another
format, or being added to; and by OutputError, what cannot be written.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

from unspin.errors import IndexFault, OutputError
from unspin.postings import Rows, Segment, crowded, merged, write

FORMAT = 1  # of the tables, the segments and the keys: another one cannot be read
MARK = 0x756E7370  # "unsp": SQLite's own field for whose file it is
DATABASE = "passages.sqlite"
SEGMENTS = "segments"
PATIENCE = 10.0  # seconds that a reader waits for a commit

_TABLES = """
create table {0}.documents (number integer primary key, name blob, date real, digest blob);
create table {0}.passages (
    number integer primary key, document integer, start integer, stop integer, length integer, exact blob, words blob,
    kept integer, kind text, score real, rule text, text blob
);
"""
_LISTS = """
create index documents_by_digest on documents (digest);
create table settings (name text primary key, value text);
create table segments (position integer primary key, name text, count integer, checksum text);
"""


_NAME = re.compile("[0-9a-f]{16}")  # of a segment


class DocumentRow(NamedTuple):
    """A document that was added; `digest` tells its name and text from others."""

    number: int
    name: str
    date: float
    digest: bytes


class PassageRow(NamedTuple):
    """A passage that was added, where it stands in its document, and the digests of its characters and words.

    `length` counts its symbols. A copy has no text, but the number of the passage that is kept instead, and why.
    """

    number: int
    document: int
    start: int
    stop: int
    length: int
    exact: bytes
    words: bytes
    kept: int | None = None
    kind: str | None = None
    score: float = 1.0
    rule: str = ""
    text: str | None = None


class Store:
    """An open store: close it, or use it in a `with` statement.

    `documents` and `passages` say how many there are, `base` how many of each were there when it was opened.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._where, self._folder = "main", path / SEGMENTS
        self.settings: Mapping[str, str] = {}
        self.segments: list[Segment] = []
        self.documents = self.passages = 0
        self._refresh()

    # open and close

    @classmethod
    def create(cls, path: Path, settings: Mapping[str, str], *, durable: bool = True) -> Store:
        """A new store, in a directory that is not there yet; not `durable`: for this process only.

        Raises OutputError.
        """
        with writing(path):
            (path / SEGMENTS).mkdir(parents=True)
            connection = sqlite3.connect(path / DATABASE, isolation_level=None)
            connection.executescript(
                f"pragma journal_mode={'wal' if durable else 'off'}; pragma synchronous={'full' if durable else 'off'};"
                f"pragma application_id={MARK}; pragma user_version={FORMAT};"
            )
            connection.executescript(_TABLES.format("main") + _LISTS)
            connection.executemany("insert into settings values (?, ?)", settings.items())
            return cls(path, connection)

    @classmethod
    def open(cls, path: Path) -> Store:
        """A store that is there. Raises IndexFault."""
        database = path / DATABASE
        if not database.is_file():
            there = "is no index" if path.exists() else "there is no index here"
            raise IndexFault(path, f"{there}; `unspin index build` makes one")
        with writing(path), _read(database):  # readers write, too: SQLite keeps a file of locks
            connection = _connected(database)
            if connection.execute("pragma application_id").fetchone() != (MARK,):
                raise IndexFault(database, "is a database, but no index of unspin")
            (found,) = connection.execute("pragma user_version").fetchone()
            if found != FORMAT:
                problem = f"has format {found}, and this version of unspin reads {FORMAT}; build the index anew"
                raise IndexFault(database, problem)
            return cls(path, connection)

    def close(self) -> None:
        """Let go of it; what was not committed is gone."""
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _refresh(self) -> None:
        with _read(self.path / DATABASE):
            self.settings = dict(self._connection.execute("select name, value from settings"))
            rows = self._connection.execute("select name, count, checksum from segments order by position").fetchall()
            if not all(_is_segment(*row) for row in rows):
                raise IndexFault(self.path / DATABASE, "is damaged: it lists files that are none; build the index anew")
            self.segments = [Segment(self.path / SEGMENTS / name, count, check) for name, count, check in rows]
            self.documents, self.passages = self._next("documents"), self._next("passages")
        self.base = {"documents": self.documents, "passages": self.passages}

    def _next(self, table: str) -> int:
        (last,) = self._connection.execute(f"select max(number) from main.{table}").fetchone()
        return 0 if last is None else last + 1

    def map(self) -> None:
        """Hold on to all segments, whatever is merged from now on. Raises IndexFault if one is missing or cut off."""
        while True:
            try:
                for segment in self.segments:
                    _ = segment.keys, segment.numbers
                return
            except IndexFault:
                names = [segment.path for segment in self.segments]
                self._refresh()
                if names == [segment.path for segment in self.segments]:  # not merged since the list was read
                    raise

    def check(self) -> None:
        """Read everything. Raises IndexFault if something is not what was written."""
        database = self.path / DATABASE
        with _read(database):
            (verdict,) = self._connection.execute("pragma quick_check(1)").fetchone()
            if verdict != "ok":
                raise IndexFault(database, f"is damaged ({verdict}); copy the index again, or build it anew")
        self.map()
        for segment in self.segments:
            segment.check()

    # add

    @contextmanager
    def adding(self) -> Iterator[None]:
        """What is added inside shows when it ends; on any failure nothing does. Raises IndexFault, OutputError."""
        self._refuse_two()
        with writing(self.path):
            self._lock()
            try:
                self._refresh()
                self._sweep()
                before = self.segments
                yield
                self._commit()
            except BaseException:
                if self._connection.in_transaction:  # SQLite may have ended it already
                    self._connection.execute("rollback")
                self._refresh()
                self._sweep()
                raise
            with suppress(OSError):  # where a reader's map holds one, it goes with the next addition
                for segment in before:
                    if segment not in self.segments:
                        segment.remove()

    def _refuse_two(self) -> None:
        if self._where != "main" or self._connection.in_transaction:
            raise IndexFault(self.path, "one query or addition at a time: end the last one first, or open it again")

    def _lock(self) -> None:
        self._connection.execute("pragma busy_timeout=0")
        try:
            self._connection.execute("begin immediate")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise IndexFault(self.path, "another process is adding to it; try again when it is done") from error
            raise

    def _sweep(self) -> None:
        """Remove the files of additions that were never finished."""
        named = {file for segment in self.segments for file in segment.files}
        for file in self._folder.iterdir():
            if file not in named:
                with suppress(OSError):
                    file.unlink()

    def _commit(self) -> None:
        rows = [(n, s.path.name, s.count, s.checksum) for n, s in enumerate(self.segments)]
        self._connection.execute("delete from segments")
        self._connection.executemany("insert into segments values (?, ?, ?, ?)", rows)
        _settle(self._folder)
        self._connection.execute("commit")
        self.base = {"documents": self.documents, "passages": self.passages}

    @contextmanager
    def trying(self) -> Iterator[None]:
        """What is added inside goes to temporary files, and is gone when it ends. Raises IndexFault, OutputError."""
        self._refuse_two()
        self.map()
        before = self.segments, self.documents, self.passages
        folder = Path(mkdtemp(prefix="unspin-"))
        with writing(folder):
            try:
                self._connection.executescript(_TABLES.format("temp"))
                self._where, self._folder = "temp", folder
                yield
            finally:
                self._connection.executescript(
                    "drop table if exists temp.documents; drop table if exists temp.passages;"
                )
                self._where, self._folder = "main", self.path / SEGMENTS
                self.segments, self.documents, self.passages = before
                shutil.rmtree(folder, ignore_errors=True)

    def add_documents(self, rows: Iterable[DocumentRow]) -> None:
        """Documents, numbered from `documents` on."""
        data = [(row.number, _packed(row.name), row.date, row.digest) for row in rows]
        self._connection.executemany(f"insert into {self._where}.documents values (?, ?, ?, ?)", data)
        self.documents += len(data)

    def add_passages(self, rows: Iterable[PassageRow]) -> None:
        """Passages, numbered from `passages` on."""
        data = [(*row[:-1], None if row.text is None else _packed(row.text)) for row in rows]
        marks = ", ".join("?" * len(PassageRow._fields))
        self._connection.executemany(f"insert into {self._where}.passages values ({marks})", data)
        self.passages += len(data)

    def post(self, rows: Rows) -> None:
        """A segment of keys; what has become too many segments is merged."""
        self.segments = [*self.segments, write(self._new_path(), [rows])]
        while count := crowded([segment.count for segment in self.segments]):
            old = self.segments[-count:]
            self.segments = [*self.segments[:-count], merged(self._new_path(), old)]

    def _new_path(self) -> Path:
        return self._folder / secrets.token_hex(8)

    # read

    def has_document(self, digest: bytes) -> bool:
        """Was it added?"""
        query = "select exists (select 1 from main.documents where digest = ?)"
        return bool(self._connection.execute(query, [digest]).fetchone() == (1,))

    def kept(self) -> int:
        """How many passages are kept, that is, no copies."""
        with _read(self.path / DATABASE):
            (count,) = self._connection.execute("select count(*) from main.passages where kept is null").fetchone()
            return int(count)

    def passage_rows(self, numbers: Iterable[int], *, text: bool = True) -> dict[int, PassageRow]:
        """Passages by number, with or without their texts. Raises IndexFault."""
        columns = ", ".join(PassageRow._fields[:-1]) + (", text" if text else ", null")
        with _read(self.path / DATABASE):
            found = self._rows("passages", columns, numbers)
            return {row[0]: _passage(row) for row in found}

    def document_rows(self, numbers: Iterable[int]) -> dict[int, DocumentRow]:
        """Documents by number. Raises IndexFault."""
        columns = ", ".join(DocumentRow._fields)
        with _read(self.path / DATABASE):
            rows = self._rows("documents", columns, numbers)
            return {row[0]: DocumentRow(row[0], _unpacked(row[1]), *row[2:]) for row in rows}

    def _rows(self, table: str, columns: str, numbers: Iterable[int]) -> Iterator[tuple[Any, ...]]:
        wanted = sorted(set(numbers))
        old = [number for number in wanted if number < self.base[table]]
        parts = [("main", old), (self._where, wanted[len(old) :])]
        with _read(self.path / DATABASE):
            for where, part in parts:
                if part:
                    query = f"select {columns} from {where}.{table} where number in (select value from json_each(?))"
                    found = self._connection.execute(query, [json.dumps(part)]).fetchall()
                    if len(found) != len(part):
                        raise IndexFault(self.path / DATABASE, f"is damaged: {table} are missing; build the index anew")
                    yield from found


def _is_segment(name: object, count: object, checksum: object) -> bool:
    """Can this stand in the list of segments? A name that leads elsewhere must never be read, or deleted."""
    named = isinstance(name, str) and _NAME.fullmatch(name) is not None
    return named and isinstance(count, int) and count >= 0 and isinstance(checksum, str)


def _packed(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _unpacked(data: object) -> str:
    try:
        if isinstance(data, bytes):
            return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        pass
    raise sqlite3.DatabaseError("a text in it is none")


def _passage(columns: tuple[Any, ...]) -> PassageRow:
    row = PassageRow._make((*columns[:-1], None if columns[-1] is None else _unpacked(columns[-1])))
    if not all(isinstance(number, int) for number in (row.document, row.start, row.stop, row.length)):
        raise sqlite3.DatabaseError("a passage in it is none")
    return row


def _connected(database: Path) -> sqlite3.Connection:
    """A connection; where nothing can be written, not even the locks of readers, one that takes none."""
    address = database.resolve().as_uri()
    connection = sqlite3.connect(f"{address}?mode=rw", uri=True, isolation_level=None, timeout=PATIENCE)
    try:
        connection.execute("select 1 from sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        return sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True, isolation_level=None)
    return connection


@contextmanager
def _read(database: Path) -> Iterator[None]:
    """Names what SQLite finds wrong with a database that is read."""
    try:
        yield
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # SQLite quotes what is no text, too
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in _WRITING:
            raise
        raise IndexFault(database, f"cannot be read ({error}); copy the whole index again, or build it anew") from error


_WRITING = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Names what the system or SQLite finds wrong with writing."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OutputError(path, f"cannot be written: {reason.lower()}; nothing was added") from error
    except sqlite3.DatabaseError as error:
        raise IndexFault(path, f"is damaged ({error}); copy the whole index again, or build it anew") from error


def _settle(folder: Path) -> None:
    """Put the names of new files on the disk, where the system can."""
    with suppress(OSError):
        place = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)
