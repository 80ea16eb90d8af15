"""Texts in the formats in which scrapes come: read as records, restored, written back where they stood.

In comes a source (a file, a URL, standard input); out come its records, one by one, and what could not be read, as
values. A writer puts the restored texts where the texts were, or into another format. Reading and writing hold a few
records at a time, whatever the size of the file; heavy packages are imported when a format needs them.

>>> from unspin.files import Source
>>> from pathlib import Path
>>> import tempfile
>>> path = Path(tempfile.mkdtemp(), "scrape.jsonl")
>>> _ = path.write_text('{"id": "a", "text": "The struggle ended."}')
>>> read = reader(Source(path, Path("scrape.jsonl")))
>>> with writer(path, read) as written:
...     for record in read:
...         written.write(record, record.text.replace("struggle", "war"))
>>> path.read_text()
'{"id": "a", "text": "The war ended."}'
"""

from __future__ import annotations

from unspin.files import Source
from unspin.formats.documents import Whole
from unspin.formats.model import (
    LIMIT,
    OUTPUTS,
    SINGLE,
    Failure,
    Format,
    HtmlMode,
    Packing,
    Reading,
    Record,
    numbered,
)
from unspin.formats.prose import Prose
from unspin.formats.reading import Reader, expected_format
from unspin.formats.sniffing import SUFFIXES, suffixes
from unspin.formats.streams import Target
from unspin.formats.writing import Writer, expected_place, output_format, target_place

__all__ = [
    "LIMIT",
    "OUTPUTS",
    "SINGLE",
    "SUFFIXES",
    "Failure",
    "Format",
    "HtmlMode",
    "Packing",
    "Prose",
    "Reader",
    "Reading",
    "Record",
    "Target",
    "Whole",
    "Writer",
    "expected_format",
    "expected_place",
    "is_single",
    "numbered",
    "output_format",
    "reader",
    "suffixes",
    "target_place",
    "writer",
]


def reader(source: Source, reading: Reading | None = None) -> Reader:
    """The records of a source. Raises InputError if it cannot be opened, and UnspinError, when it is read, if a package
    is missing."""
    return Reader(source, reading or Reading())


def writer(target: Target, reader: Reader, *, out: Format | None = None) -> Writer:
    """What writes the records of a reader to a path, a URL or a stream, in their own format or in another."""
    return Writer(target, reader, out=out)


def is_single(kind: Format) -> bool:
    """Is a file of this format one record?"""
    return kind in SINGLE
