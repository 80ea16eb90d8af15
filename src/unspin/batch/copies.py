"""The first of two passes: which documents of a scrape are copies of one another.

In come all documents, in order; out goes a file that says, per document, what to read it together with and what it is a
copy of. Texts, links and answers are kept in that file, and the search itself spills what is more than `memory`, so
that the scrape may be larger than what the machine holds. The file appears when it is complete; the next run of the
same scrape finds it again. The answers are those of `unspin.siblings` and `unspin.dedupe`.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self, overload

from unspin.batch.sink import CopyOf
from unspin.consensus import digest
from unspin.errors import OutputError
from unspin.lexicon import Lexicon
from unspin.model import Level, Place, Progress
from unspin.siblings import LEAST_WORDS, MOST, links
from unspin.spill import spilled

AT_HAND = 64  # texts kept after they were read
_TABLES = """
create table texts (
    number integer primary key, position integer, place integer, file text, record text, digest text, data blob
);
create table links (number integer, other integer, level text, size integer);
create table gone (number integer primary key, kept integer, kind text, score real, rule text);
"""
# Per text, the others that share most with it, as `unspin.siblings.related` has it: a paragraph of two copies is no
# news, so that of the levels the one counts that gives most.
_RANKED = f"""
create table siblings as
select number, other, rank from (
    select number, other, row_number() over (partition by number order by total desc, digest, other) rank from (
        select number, other, max(total) total from (
            select number, other, level, sum(size) total from links group by number, other, level
        ) group by number, other
    ) join (select number other, digest from texts) using (other)
) where rank <= {MOST};
create index siblings_by_number on siblings (number, rank);
create unique index texts_by_place on texts (position, place);
drop table links;
"""


class Document(NamedTuple):
    """A document of a scrape: the position of its source, its place there, what both are called, and its text."""

    position: int
    place: int
    file: str
    record: str
    text: str


class _Column(Sequence[str]):
    """A column of the texts, by number; only some of it is in memory."""

    def __init__(self, connection: sqlite3.Connection, column: str) -> None:
        self._connection = connection
        self._cell = lru_cache(AT_HAND)(self._read)
        self._query = f"select {column} from texts where number = ?"

    def _read(self, number: int) -> str:
        (cell,) = self._connection.execute(self._query, [number]).fetchone()
        return _unpacked(cell) if isinstance(cell, bytes) else cell

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> list[str]: ...
    def __getitem__(self, number: int | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[n] for n in range(*number.indices(len(self)))]
        return self._cell(number)

    def __len__(self) -> int:
        (count,) = self._connection.execute("select count(*) from texts").fetchone()
        return int(count)


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def _unpacked(data: bytes) -> str:
    return zlib.decompress(data).decode("utf-8", "surrogatepass")


def find(
    path: Path, documents: Iterable[Document], *, lexicon: Lexicon, memory: int, progress: Progress | None = None
) -> None:
    """Find the copies among documents, and keep the answers in a file. Raises OutputError."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
            connection.executescript(f"pragma journal_mode=off; pragma synchronous=off; {_TABLES}")
            connection.execute("begin")
            for number, (level, least) in enumerate(LEAST_WORDS.items()):
                texts = _stored(connection, documents) if number == 0 else _again(connection)
                _link(connection, texts, level, least, lexicon, memory, path.parent, progress)
            connection.executescript(_RANKED)  # which commits, first of all
        partial.replace(path)
    except (OSError, sqlite3.OperationalError) as error:
        raise OutputError(path, f"cannot be written: {error}") from error


def _stored(connection: sqlite3.Connection, documents: Iterable[Document]) -> Iterator[str]:
    for number, one in enumerate(documents):
        row: tuple[Any, ...] = (number, *one[:-1], digest(one.text), _packed(one.text))
        connection.execute("insert into texts values (?, ?, ?, ?, ?, ?, ?)", row)
        yield one.text


def _again(connection: sqlite3.Connection) -> Iterator[str]:
    return (_unpacked(data) for (data,) in connection.execute("select data from texts order by number"))


def _link(
    connection: sqlite3.Connection,
    documents: Iterable[str],
    level: Level,
    least: int,
    lexicon: Lexicon,
    memory: int,
    folder: Path,
    progress: Progress | None,
) -> None:
    found = spilled(
        documents, memory=memory, folder=folder, level=level, lexicon=lexicon, min_words=least, progress=progress
    )
    texts, digests = _Column(connection, "data"), _Column(connection, "digest")

    def quoted(place: Place) -> str:
        return texts[place.text][place.start : place.end]

    with found as groups:
        for group in groups:
            rows = ((number, other, level.value, size) for number, other, size in links(group, quoted, digests))
            connection.executemany("insert into links values (?, ?, ?, ?)", rows)
            if level is Level.DOCUMENT:
                gone = ((c.place.text, group.kept.text, c.kind.value, c.score, c.rule) for c in group.copies)
                connection.executemany("insert or ignore into gone values (?, ?, ?, ?, ?)", gone)


class Collection:
    """What was found, for one document after the other."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._text = _Column(self._connection, "data")

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """For as long as the `with` statement lasts."""
        collection = cls(path)
        with closing(collection._connection):
            yield collection

    def siblings(self, position: int, place: int) -> tuple[tuple[str, str], ...]:
        """What to read a document together with, the most useful first: names and texts."""
        query = """
            select other.record, other.number from texts
            join siblings using (number) join texts other on other.number = siblings.other
            where texts.position = ? and texts.place = ? order by rank
        """
        rows = self._connection.execute(query, [position, place]).fetchall()
        return tuple((name, self._text[number]) for name, number in rows)

    def copy_of(self, position: int, place: int) -> CopyOf | None:
        """What a document is a copy of."""
        query = """
            select kept.file, kept.record, kind, score, rule from texts
            join gone using (number) join texts kept on kept.number = gone.kept
            where texts.position = ? and texts.place = ?
        """
        row = self._connection.execute(query, [position, place]).fetchone()
        return CopyOf(*row) if row else None
