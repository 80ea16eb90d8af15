"""What a batch has done, on disk: a SQLite file that survives whatever ends the process.

Units come in as workers finish them, under a key made of all they depend on; documents, errors and duplicates come in
as they are put into the output, and stand for certain once their source is finished. After a crash, finished sources
are passed over, finished units are looked up, and the rest is done: nothing twice, nothing not at all. Refused, by
`BatchError`: a file that is no manifest, one of another version, and one whose output was made in another way. A full
disk is an `OutputError`.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any, NamedTuple, Self

from unspin.batch.model import Outcome, Tally, dumped, loaded
from unspin.errors import BatchError, OutputError
from unspin.model import Signature
from unspin.replay import differences

FORMAT = 1  # of the tables
MARK = 0x756E6261  # "unba": SQLite's own field for whose file it is
_LEVEL = 1  # of compression: outcomes are looked at once

_TABLES = """
create table settings (name text primary key, value text);
create table units (key blob primary key, place text, outcomes blob) without rowid;
create table sources (
    place text primary key, position integer, path text, stamp text, target text, tally text, is_finished integer
);
create table documents (
    place text, number integer, id text, words integer, rate real, evidence real, is_spun integer, is_changed integer,
    swaps integer, held integer, repeats integer, is_copy integer, error text, primary key (place, number)
) without rowid;
create table errors (place text, number integer, path text, record text, location text, reason text);
create index errors_by_place on errors (place);
create table duplicates (place text, number integer, line text);
create index duplicates_by_place on duplicates (place);
create table runs (started real, seconds real, jobs integer, documents integer, words integer);
"""


class DocumentRow(NamedTuple):
    """A document in the output: where it is from, what was found, what was done. `error` says why nothing was."""

    place: str
    number: int
    id: str
    words: int
    rate: float
    evidence: float
    is_spun: bool
    is_changed: bool
    swaps: int
    held: int
    repeats: int
    is_copy: bool
    error: str


class ErrorRow(NamedTuple):
    """What went wrong: `path` and `location` say where as a person would, `record` is the document if it is one."""

    place: str
    number: int
    path: str
    record: str
    location: str
    reason: str


class Run(NamedTuple):
    """One run of the program over a batch; times in seconds."""

    started: float
    seconds: float
    jobs: int
    documents: int
    words: int


def _change(name: str, was: str, now: str) -> str:
    """What of a setting is another, as far as it can be said in a line."""
    with suppress(ValueError):
        if name == "signature":
            return f"signature: {'; '.join(differences(Signature.parse(was), Signature.parse(now)))}"
    return name


class Manifest:
    """An open manifest: close it, or use it in a `with` statement."""

    def __init__(self, path: Path) -> None:
        """Raises BatchError, OutputError."""
        self.path = path
        with self._told():
            # In autocommit mode, so that `begin` is said where it is meant.
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=10.0)
            try:
                self._open()
            except BaseException:
                self._connection.close()
                raise

    def _open(self) -> None:
        (mark,) = self._one("pragma application_id")
        (version,) = self._one("pragma user_version")
        if mark == 0 and version == 0 and not self._one("select count(*) from sqlite_master")[0]:
            self._execute("pragma journal_mode=wal")
            self._connection.executescript(
                f"begin immediate; {_TABLES} pragma application_id={MARK}; pragma user_version={FORMAT}; commit;"
            )
        elif mark != MARK:
            raise BatchError(self.path, "not a manifest of a batch")
        elif version != FORMAT:
            raise BatchError(self.path, f"made by another version of unspin (format {version}, not {FORMAT})")
        self._execute("pragma synchronous=normal")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_READONLY):
                raise OutputError(self.path, f"cannot be written: {error}") from error
            raise BatchError(self.path, str(error)) from error

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        with self._told():
            return self._connection.execute(statement, values)

    def _one(self, statement: str, values: Sequence[Any] = ()) -> Any:
        return self._execute(statement, values).fetchone()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside stands all of it, or not at all."""
        self._execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._execute("commit")

    # how the output is made

    @property
    def settings(self) -> dict[str, str]:
        """How the output is made, by name."""
        return dict(self._execute("select name, value from settings order by name").fetchall())

    def claim(self, settings: dict[str, str], *, force: bool) -> None:
        """Say how the output is made. Raises BatchError if it was made otherwise, unless it may go."""
        known = self.settings
        changed = [name for name in settings if known.get(name, settings[name]) != settings[name]]
        if changed and not force:
            names = ", ".join(_change(name, known[name], settings[name]) for name in changed)
            raise BatchError(self.path.parent, f"was made otherwise ({names}); choose another DIR, or --force it anew")
        with self.together():
            if changed:
                for table in ("units", "sources", "documents", "errors", "duplicates", "settings", "runs"):
                    self._execute(f"delete from {table}")
            for row in settings.items():
                self._execute("insert or replace into settings values (?, ?)", row)

    # units

    def keep(self, key: bytes, place: str, outcomes: Sequence[Outcome]) -> None:
        """Remember what became of a unit."""
        row = (key, place, zlib.compress(dumped(outcomes), _LEVEL))
        self._execute("insert or replace into units values (?, ?, ?)", row)

    def outcomes(self, key: bytes) -> list[Outcome] | None:
        """What became of a unit, if it was done already."""
        row = self._one("select outcomes from units where key = ?", [key])
        return loaded(zlib.decompress(row[0])) if row else None

    # sources

    def finished(self, place: str, stamp: str) -> tuple[str, Tally] | None:
        """Where the output of a source is ("": there is none) and what it came to, if it is finished and the same."""
        row = self._one(
            "select target, tally from sources where place = ? and stamp = ? and is_finished", [place, stamp]
        )
        return (row[0], Tally(**json.loads(row[1]))) if row else None

    def begin(self, place: str, position: int, path: str) -> None:
        """A source is put into the output, from its first record."""
        with self.together():
            for table in ("documents", "errors", "duplicates"):
                self._execute(f"delete from {table} where place = ?", [place])
            row = (place, position, path, "", "", "", False)
            self._execute("insert or replace into sources values (?, ?, ?, ?, ?, ?, ?)", row)

    def forget_unfinished(self) -> None:
        """What an earlier run began, or could not open, is begun anew, or is not asked for any more."""
        with self.together():
            for table in ("documents", "errors", "duplicates", "sources"):
                unfinished = "select place from sources where not is_finished"
                self._execute(f"delete from {table} where place in ({unfinished})")

    def add(
        self, documents: Sequence[DocumentRow], errors: Sequence[ErrorRow], duplicates: Sequence[tuple[str, int, str]]
    ) -> None:
        """Rows of the source that is put into the output."""
        with self.together(), self._told():
            marks = ", ".join("?" * len(DocumentRow._fields))
            self._connection.executemany(f"insert or replace into documents values ({marks})", documents)
            self._connection.executemany("insert into errors values (?, ?, ?, ?, ?, ?)", errors)
            self._connection.executemany("insert into duplicates values (?, ?, ?)", duplicates)

    def finish(self, place: str, *, stamp: str, target: str, tally: Tally, is_finished: bool = True) -> None:
        """A source is in the output, unless it could not be read at all. What became of its units is not needed any
        more, if its `stamp` tells it again."""
        names = list(Tally.__dataclass_fields__)
        told = json.dumps(dict(zip(names, astuple(tally), strict=True)))
        with self.together():
            self._execute(
                "update sources set stamp = ?, target = ?, tally = ?, is_finished = ? where place = ?",
                [stamp, target, told, is_finished, place],
            )
            if stamp:
                self._execute("delete from units where place = ?", [place])

    def forget_units(self) -> None:
        """All sources have been read to their ends."""
        self._execute("delete from units")

    # what was done

    def add_run(self, run: Run) -> None:
        """Remember how long a run took."""
        self._execute("insert into runs values (?, ?, ?, ?, ?)", run)

    def runs(self) -> list[Run]:
        """All runs, the first one first."""
        return [Run(*row) for row in self._execute("select * from runs order by started")]

    def sources(self) -> Iterator[tuple[str, str, str]]:
        """Place, path and target of all sources, in order."""
        yield from self._execute("select place, path, target from sources order by position, place")

    def documents(self) -> Iterator[DocumentRow]:
        """All documents, in the order of the output."""
        query = "select d.* from documents d join sources s using (place) order by s.position, d.place, d.number"
        return (DocumentRow(*row) for row in self._execute(query))

    def errors(self) -> Iterator[ErrorRow]:
        """All errors, in the order of the output."""
        query = "select e.* from errors e join sources s using (place) order by s.position, e.place, e.number, e.rowid"
        return (ErrorRow(*row) for row in self._execute(query))

    def duplicates(self) -> Iterator[str]:
        """All duplicates, as lines of JSON, in the order of the output."""
        query = "select line from duplicates d join sources s using (place) order by s.position, d.place, d.rowid"
        return (line for (line,) in self._execute(query))
