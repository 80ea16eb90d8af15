"""The values of reading and writing: formats, options, records and failures.

No input, no output. A `Record` is a text and all that is needed to put a restored one in its place; a `Failure` is
one that could not be read, as a value, so that the rest of a scrape is still done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from unspin.formats.prose import Prose

LIMIT = 64 * 2**20  # bytes of a record, unpacked; what is larger is a failure


class Format(StrEnum):
    """How texts stand in a file; the values are the suffixes of its name."""

    TEXT = "txt"
    MARKDOWN = "md"
    HTML = "html"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    WARC = "warc"


SINGLE = frozenset((Format.TEXT, Format.MARKDOWN, Format.HTML))  # the file is the record
OUTPUTS = (Format.TEXT, Format.JSONL, Format.CSV, Format.TSV, Format.PARQUET)  # what others can be turned into


class Packing(StrEnum):
    """How a file is compressed."""

    NONE = ""
    GZIP = ".gz"
    ZSTD = ".zst"


class HtmlMode(StrEnum):
    """What of a page is restored."""

    MAIN = "main"  # its main text, which comes out as plain text
    INPLACE = "inplace"  # the words of its text nodes; the page stays


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read. `format` and `encoding` None are found out; `limit` is in bytes of one record, unpacked."""

    format: Format | None = None
    text_field: str = "text"
    id_field: str = "id"
    encoding: str | None = None
    html: HtmlMode = HtmlMode.MAIN
    limit: int = LIMIT

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(f"limit {self.limit} holds no record")


class Origin(Protocol):
    """What a record was read from, as its format has it; its writer knows what to do with it."""

    def fields(self) -> Mapping[str, Any]:
        """What stood beside the text, by name, the text left out."""


def numbered(file: str, number: int) -> str:
    """What a record that has no id of its own is called."""
    return f"{file}#{number}"


@dataclass(frozen=True, slots=True)
class Record:
    """A text of a file. `id` is its own, or as `numbered` says; `number` its place in the file, from 0, failures
    counted."""

    id: str
    number: int
    prose: Prose
    origin: Origin | None = None

    @property
    def text(self) -> str:
        """What is restored."""
        return self.prose.text

    @property
    def source(self) -> str:
        """What the restored text takes the place of: the same, unless markup stands around the words."""
        return self.prose.source


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that could not be read, or where a file breaks off.

    `place` says where: "line 3", "row 7", "record 2", "byte 4096"; "" is the whole file. `origin` is what stood
    there, if a writer can keep it.
    """

    path: str
    number: int
    place: str
    reason: str
    origin: object = None

    def __str__(self) -> str:
        return ": ".join(part for part in (self.path, self.place, self.reason) if part)
