"""A database that holds a ledger: SQLite, one file per workspace, or PostgreSQL by URL.

In comes a path or a URL; out go transactions, and the numbers that stand for phrases, entries and reviewers. Refused,
by `LedgerError`: what is no ledger, was written by a newer version, is locked, read-only or out of reach.

SQLite runs with a write-ahead log. A transaction that is committed survives the death of the process at once; a power
failure may take back the last ones, but never damages the file (`synchronous=NORMAL`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from unspin.errors import LedgerError, reason
from unspin.files import exists
from unspin.model import Entry
from unspin.review.tables import (
    STATUSES,
    VERSION,
    documents,
    entries,
    metadata,
    phrases,
    reviewers,
    unpacked,
    workspace,
)

PATIENCE = 10.0  # seconds to wait for another writer
MANY = 500  # parameters in one statement
TEXTS = 64  # kept at hand
LARGEST_LOG = 16_000_000  # bytes that a write-ahead log keeps when all of it is in the file
_MAGIC = b"SQLite format 3\0"

# What brings a ledger of version n (from 1) to version n + 1.
MIGRATIONS: tuple[Callable[[Connection], None], ...] = ()


def is_url(target: str | Path) -> bool:
    """Does a target name a database server, not a file?"""
    return "://" in str(target)


class Store:
    """An open database. May be used from several threads; each transaction has a connection of its own."""

    def __init__(self, target: str | Path, *, create: bool = True) -> None:
        """Open a ledger, or make one where none is, if `create`. Raises LedgerError."""
        self.target = str(target)
        self._engine = _server(self.target) if is_url(target) else _file(Path(target), create=create)
        self._writing = Lock()
        self._forget()
        try:
            self._prepare(create=create)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @property
    def name(self) -> str:
        """What messages call it; without a password."""
        return make_url(self.target).render_as_string() if is_url(self.target) else self.target

    @property
    def is_sqlite(self) -> bool:
        """Is it a file?"""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises LedgerError."""
        with self._named(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction, committed as a whole or not at all; one at a time. Raises LedgerError."""
        with self._writing, self._named():
            try:
                with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
                    yield connection
            except BaseException:
                self._forget()  # numbers that the transaction gave out are void
                raise

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise LedgerError(self.name, _problem(error)) from error

    def _forget(self) -> None:
        self._phrase_ids: dict[str, int] = {}
        self._phrases: dict[int, str] = {}
        self._entry_ids: dict[tuple[str, str], int] = {}
        self._entries: dict[int, Entry] = {}
        self._reviewer_ids: dict[str, int] = {}
        self._texts: dict[int, str] = {}

    def _prepare(self, *, create: bool) -> None:
        """Make the tables, or bring them up to date."""
        with self.read() as connection:
            version = _version(connection, self.name)
        if self.is_sqlite and (version is not None or create):  # not before: a database of others stays as it is
            with self._named(), self._engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")  # inside a transaction the mode cannot change
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                connection.exec_driver_sql("BEGIN")
        if version == VERSION:
            return
        if version is None and not create:
            raise LedgerError(self.name, "holds no review yet; `unspin review FILES` begins one")
        with self.write() as connection:
            version = _version(connection, self.name)  # somebody else may have been faster
            if version is None:
                metadata.create_all(connection)
                connection.execute(workspace.insert().values(key="version", value=str(VERSION)))
            elif version < VERSION:
                for migrate in MIGRATIONS[version - 1 :]:
                    migrate(connection)
                connection.execute(workspace.update().where(workspace.c.key == "version").values(value=str(VERSION)))

    def insert_new(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows, but those that would repeat a unique key."""
        if rows:
            connection.execute(insert(table, is_sqlite=self.is_sqlite).on_conflict_do_nothing(), rows)

    # numbers for what is said often

    def phrase_ids(self, connection: Connection, wanted: Iterable[str]) -> dict[str, int]:
        """The numbers of phrases, given now if need be. `connection` must write."""
        known = self._phrase_ids
        unknown = sorted({text for text in wanted if text not in known})
        for first in range(0, len(unknown), MANY):
            some = unknown[first : first + MANY]
            self.insert_new(connection, phrases, [{"text": text} for text in some])
            found = connection.execute(select(phrases.c.text, phrases.c.id).where(phrases.c.text.in_(some)))
            known.update((text, number) for text, number in found)
        return known

    def phrases(self, connection: Connection, wanted: Iterable[int]) -> dict[int, str]:
        """The phrases behind their numbers."""
        known = self._phrases
        unknown = sorted({number for number in wanted if number not in known})
        for first in range(0, len(unknown), MANY):
            some = unknown[first : first + MANY]
            found = connection.execute(select(phrases.c.id, phrases.c.text).where(phrases.c.id.in_(some)))
            known.update((number, text) for number, text in found)
        return known

    def entry_ids(self, connection: Connection, wanted: Iterable[Entry]) -> dict[tuple[str, str], int]:
        """The numbers of entries by (spun, original), given now if need be; rates, counts and statuses are brought up
        to date. `connection` must write."""
        if not self._entries:
            self._load_entries(connection)
        known = self._entry_ids
        changed = {
            (e.spun, e.original): e
            for e in wanted
            if not _is_same(self._entries.get(known.get((e.spun, e.original), 0)), e)
        }
        if not changed:
            return known
        texts = (text for e in changed.values() for text in (e.spun, e.original, e.source))
        number = self.phrase_ids(connection, texts)
        rows = [
            {
                "spun": number[e.spun],
                "original": number[e.original],
                "rate": e.rate,
                "seen": e.seen,
                "status": STATUSES.index(e.status),
                "source": number[e.source],
            }
            for _, e in sorted(changed.items())
        ]
        statement = insert(entries, is_sqlite=self.is_sqlite)
        fields = {name: statement.excluded[name] for name in ("rate", "seen", "status", "source")}
        key = [entries.c.spun, entries.c.original]
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=fields), rows)
        self._load_entries(connection)
        return known

    def entry_number(self, connection: Connection, swap: tuple[str, str]) -> int | None:
        """The number of an entry by (spun, original); None for one that the ledger does not know."""
        if swap not in self._entry_ids:
            self._load_entries(connection)
        return self._entry_ids.get(swap)

    def entries(self, connection: Connection, wanted: Iterable[int]) -> dict[int, Entry]:
        """The entries behind their numbers."""
        if any(number and number not in self._entries for number in wanted):
            self._load_entries(connection)
        return self._entries

    def every_entry(self, connection: Connection) -> dict[int, Entry]:
        """All entries by their numbers."""
        self._load_entries(connection)
        return dict(self._entries)

    def _load_entries(self, connection: Connection) -> None:
        spun, original, source = phrases.alias(), phrases.alias(), phrases.alias()
        found = connection.execute(
            select(
                entries.c.id,
                spun.c.text,
                original.c.text,
                entries.c.rate,
                entries.c.seen,
                entries.c.status,
                source.c.text,
            )
            .join(spun, spun.c.id == entries.c.spun)
            .join(original, original.c.id == entries.c.original)
            .join(source, source.c.id == entries.c.source)
        )
        for number, one, other, rate, seen, status, origin in found:
            self._entry_ids[one, other] = number
            self._entries[number] = Entry(one, other, rate, seen, STATUSES[status], origin)

    def text(self, connection: Connection, document: int) -> str:
        """The text of a document. Raises KeyError."""
        found = self._texts.get(document)
        if found is None:
            row = connection.execute(select(documents.c.text).where(documents.c.id == document)).scalar()
            if row is None:
                raise KeyError(document)
            found = unpacked(row)
            if len(self._texts) >= TEXTS:
                self._texts = {}
            self._texts[document] = found
        return found

    def reviewer_id(self, connection: Connection, name: str) -> int:
        """The number of a reviewer, given now if need be. `connection` must write."""
        if name not in self._reviewer_ids:
            self.insert_new(connection, reviewers, [{"name": name}])
            number = connection.execute(select(reviewers.c.id).where(reviewers.c.name == name)).scalar_one()
            self._reviewer_ids[name] = number
        return self._reviewer_ids[name]


def insert(table: Table, *, is_sqlite: bool) -> sqlite.Insert:
    """An insertion that may say what to do about unique keys that are taken; both dialects write it alike."""
    make: Callable[[Table], Any] = sqlite.insert if is_sqlite else postgresql.insert
    made: sqlite.Insert = make(table)
    return made


def _is_same(one: Entry | None, other: Entry) -> bool:
    """Do they say the same, as far as the ledger records it?"""
    return one is not None and (one.rate, one.seen, one.status, one.source) == (
        other.rate,
        other.seen,
        other.status,
        other.source,
    )


def _version(connection: Connection, name: str) -> int | None:
    """The version of the schema there; None for an empty database."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    problem = "is a database, but holds no review; give another --ledger"
    if workspace.name not in tables:
        raise LedgerError(name, problem)
    found = connection.execute(select(workspace.c.value).where(workspace.c.key == "version")).scalar()
    if found is None or not found.isdigit():
        raise LedgerError(name, problem)
    if int(found) > VERSION:
        raise LedgerError(
            name, f"was written by a newer unspin (ledger version {found}, this one knows {VERSION}); upgrade unspin"
        )
    return int(found)


def _file(path: Path, *, create: bool) -> Engine:
    if exists(path):
        try:
            with path.open("rb") as file:
                head = file.read(len(_MAGIC))
        except OSError as error:
            raise LedgerError(path, f"cannot be read ({reason(error)})") from error
        if head and head != _MAGIC:
            raise LedgerError(path, "is no review's ledger (not an SQLite database); give another --ledger")
    elif not create:
        raise LedgerError(path, "no such ledger; `unspin review FILES` makes one")
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": PATIENCE, "check_same_thread": False})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # so that `_begin` says how a transaction begins, not the driver
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "cache_size=-65536", f"journal_size_limit={LARGEST_LOG}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """A writer takes the lock before it reads, so that what it read still holds when it writes."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _server(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise LedgerError(url, "is no database URL, such as postgresql://user@host/name") from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise LedgerError(parsed.render_as_string(), "a team's ledger is kept in PostgreSQL (postgresql://…)")
    try:
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    except (ImportError, NoSuchModuleError) as error:
        raise LedgerError(parsed.render_as_string(), "needs a driver: pip install 'unspin[postgres]'") from error
    event.listen(engine, "connect", _hasten)
    return engine


def _hasten(connection: Any, _record: object) -> None:
    """Questions here are small: compiling a plan, or sharing it out to workers, takes longer than answering."""
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
        cursor.execute("SET max_parallel_workers_per_gather = 0")
    connection.commit()


def _problem(error: DBAPIError) -> str:
    """What went wrong, and what to do."""
    said = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
    for sign, problem in (
        ("is locked", "is locked by another program; try again when that is done"),
        ("readonly", "is read-only; copy it, or make it writable"),
        ("not a database", "is no review's ledger (not an SQLite database); give another --ledger"),
        ("malformed", "is damaged; restore a copy, or `unspin review import` an export"),
        ("unable to open", "cannot be opened; is its folder there, and writable?"),
        ("is full", "cannot be written: the disk is full"),
    ):
        if sign in said:
            return problem
    return f"the database refuses: {said}"
