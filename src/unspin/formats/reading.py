"""A file of texts as a stream of records and failures, whatever its format.

In comes a source; out come its records one by one, in bounded memory, and, as values, what could not be read.
Refused, by `InputError`: a source that is missing or cannot be opened. What needs a package that is not installed
says which, by `UnspinError`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from unspin.errors import InputError
from unspin.files import Source
from unspin.formats import delimited, documents, jsonl, parquet, warc
from unspin.formats.lines import encoding_of
from unspin.formats.model import Failure, Format, Packing, Reading, Record
from unspin.formats.sniffing import by_content, by_name
from unspin.formats.streams import Input


def _by_name(source: Source) -> Format | None:
    return by_name(source.url or str(source.path or ""))


def expected_format(source: Source, reading: Reading) -> Format:
    """The format of a file, as far as its name tells; plain text if it does not."""
    return reading.format or _by_name(source) or Format.TEXT


class Reader:
    """The records of a file. Iterating reads them from the beginning; those of standard input once only."""

    def __init__(self, source: Source, reading: Reading) -> None:
        """Raises InputError."""
        self.source = source
        self.reading = reading
        self.input = Input(source)
        self.format = reading.format or _by_name(source) or by_content(self.input.head)
        self.encoding = "utf-8"
        self.header: delimited.Header | None = None
        if self.format in (Format.JSONL, Format.CSV, Format.TSV):
            self.encoding = encoding_of(self.input, reading.encoding)
        if self.format in (Format.CSV, Format.TSV):
            self.header = delimited.header(self.input, self.format, reading, self.encoding)
        self._is_read = False

    @property
    def is_guessed(self) -> bool:
        """Is the encoding of its lines one that nothing in the file says?"""
        return not self.reading.encoding and not self.encoding.startswith("utf")

    @property
    def name(self) -> str:
        """What messages call the file."""
        return self.source.name

    @property
    def packing(self) -> Packing:
        """How the file is compressed."""
        return self.input.packing

    def __iter__(self) -> Iterator[Record | Failure]:
        if self._is_read and not self.input.is_again:
            raise InputError(self.name, "can be read once only")
        self._is_read = True
        match self.format:
            case Format.TEXT | Format.MARKDOWN | Format.HTML:
                return documents.records(self.input, self.format, self.reading)
            case Format.JSONL:
                return jsonl.records(self.input, self.reading, self.encoding)
            case Format.CSV | Format.TSV:
                return delimited.records(self.input, self.reading, self.encoding, self.header)
            case Format.PARQUET:
                return parquet.records(self.input, self.reading)
            case Format.WARC:
                return warc.records(self.input, self.reading)
            case _:
                assert_never(self.format)
