"""Where restored records go: a file of the format they came in, or of another.

In come records, in the order in which they were read, with their restored texts; out goes a file that is there as a
whole or not at all. In the same format everything but the restored texts stays as it was; where no text changed, the
file is the same, byte for byte. Refused, by `OutputError`: what cannot be written, and texts that the encoding of the
file cannot hold.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from unspin.errors import OutputError
from unspin.files import Source, Stamp
from unspin.formats.conversion import converter
from unspin.formats.delimited import Row
from unspin.formats.documents import Whole
from unspin.formats.jsonl import Line
from unspin.formats.lines import encoded
from unspin.formats.model import Failure, Format, HtmlMode, Packing, Reading, Record
from unspin.formats.parquet import Cell, Rows
from unspin.formats.reading import Reader, expected_format
from unspin.formats.streams import Target, created, named
from unspin.remote import is_url


class Sink(Protocol):
    """What puts records into an open stream."""

    def write(self, record: Record, text: str) -> None: ...

    def keep(self, failure: Failure) -> None: ...

    def close(self) -> None:
        """Write what is left."""

    def drop(self) -> None:
        """Nothing of it is wanted: the stream goes."""


class _Dropped(Exception):
    """Ends a stream whose content is not wanted."""


def output_format(kind: Format, reading: Reading, out: Format | None = None) -> Format:
    """The format that records are written in: `out`, or else their own; main texts are plain text, and those of a WARC
    file JSON Lines, for neither can be put back."""
    if out:
        return out
    if kind is Format.WARC:
        return Format.JSONL
    return Format.TEXT if kind is Format.HTML and reading.html is HtmlMode.MAIN else kind


def target_place(reader: Reader, *, out: Format | None = None) -> Path:
    """Where the output of a file goes below an output directory: its place, with one more suffix if its format is
    another."""
    is_named = reader.source.path or reader.source.url
    place = reader.source.place if is_named else Path(f"stdin.{reader.format}{reader.packing}")
    return _suffixed(place, reader.format, output_format(reader.format, reader.reading, out), reader.packing)


def expected_place(source: Source, reading: Reading, *, out: Format | None = None) -> Path:
    """What `target_place` will be, as far as the name of a file tells."""
    kind = expected_format(source, reading)
    return _suffixed(source.place, kind, output_format(kind, reading, out), named(source.place.name))


def _suffixed(place: Path, kind: Format, made: Format, packing: Packing) -> Path:
    if made is kind:
        return place
    name = place.name.removesuffix(packing) if packing else place.name
    return place.with_name(f"{name}.{made}{'' if made is Format.PARQUET else packing}")


class Writer:
    """Records on their way to a file, which is there once the `with` block ends well, and not before.

    The file that was read is not written over if it has changed since.
    """

    def __init__(self, target: Target, reader: Reader, *, out: Format | None = None) -> None:
        self._target = target
        self._reader = reader
        self._out = output_format(reader.format, reader.reading, out)
        self._is_same = self._out is reader.format
        self.is_changed = False  # did any text change?
        self._written = self._lost = 0  # what was put there, and what could not be
        self._stack = ExitStack()
        self._sink: Sink | None = None

    def __enter__(self) -> Self:
        is_file = isinstance(self._target, str | Path)
        packing = self._reader.packing if is_file and self._out is not Format.PARQUET else Packing.NONE
        with ExitStack() as stack:
            stream = stack.enter_context(created(self._target, packing, stamp=self._stamp))
            self._sink = _sink(stream, self._reader, self._out)
            self._stack = stack.pop_all()
        return self

    def write(self, record: Record, text: str) -> None:
        """Put `text` where `record.source` stood. Raises OutputError."""
        self.is_changed |= text != record.source
        assert self._sink, "a writer is used in a with block"
        self._written += 1
        try:
            self._sink.write(record, text)
        except UnicodeEncodeError as error:
            bad = error.object[error.start : error.end]
            whole = record.origin.encoding if isinstance(record.origin, Whole) else self._reader.encoding
            encoding = whole if self._is_same else "utf-8"
            advice = "only jsonl can" if encoding.startswith("utf") else "convert the text to UTF-8 first"
            problem = f"{encoding} cannot hold {bad!r}; {advice}"
            raise OutputError(self._name, problem) from error

    def keep(self, failure: Failure) -> None:
        """Put what could not be read there as it stood, if the format is the same and it can. Raises OutputError."""
        assert self._sink, "a writer is used in a with block"
        self._lost += failure.origin is None
        self._sink.keep(failure)

    def leave_out(self) -> None:
        """A record that was read is left out: the file is another, though no text changed."""
        self.is_changed = True

    @property
    def _stamp(self) -> Stamp | None:
        """What the target must be like, if it is the file that was read."""
        path = self._reader.source.path
        if path is None or not isinstance(self._target, str | Path) or is_url(str(self._target)):
            return None
        return self._reader.input.stamp if os.path.realpath(path) == os.path.realpath(self._target) else None

    @property
    def _name(self) -> str:
        return str(self._target) if isinstance(self._target, str | Path) else "output"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._sink
        if kind:
            self._sink.drop()
            self._stack.__exit__(kind, error, trace)
        elif self._can_be_copied():
            self.drop()
            with created(self._target, Packing.NONE, stamp=self._stamp) as stream, self._reader.input.raw() as original:
                shutil.copyfileobj(original, stream)
        else:
            with self._stack:
                self._close()

    def _close(self) -> None:
        assert self._sink
        try:
            self._sink.close()
        except BaseException:
            self._sink.drop()
            raise

    def drop(self) -> None:
        """Leave the target as it was: what was written is not wanted."""
        assert self._sink
        self._sink.drop()
        self._stack.__exit__(_Dropped, _Dropped(), None)

    def _can_be_copied(self) -> bool:
        """Did no text change, while what was written may still not be, byte for byte, what was read?"""
        is_opaque = self._reader.packing is not Packing.NONE or self._out is Format.PARQUET
        is_partial = self._lost > 0 or not self._written
        is_possible = isinstance(self._target, str | Path) and self._is_same and self._reader.input.is_again
        return is_possible and not self.is_changed and (is_opaque or is_partial)


def _sink(stream: IO[bytes], reader: Reader, out: Format) -> Sink:
    if out is not reader.format:
        return converter(stream, out, reader.reading)
    return _Rows(stream, reader) if out is Format.PARQUET else _Rewritten(stream, reader)


class _Rewritten:
    """Records in a file of characters, each where it was."""

    def __init__(self, stream: IO[bytes], reader: Reader) -> None:
        self._stream = stream
        self._encoding = reader.encoding
        if reader.header:
            stream.write(encoded(reader.header.raw, reader.encoding))

    def write(self, record: Record, text: str) -> None:
        origin = record.origin
        match origin:
            case Line() | Row():
                raw = origin.raw if text == record.source else origin.rewritten(text)
                self._stream.write(encoded(raw, self._encoding))
            case Whole():
                self._stream.write(encoded(text, origin.encoding))

    def keep(self, failure: Failure) -> None:
        if isinstance(failure.origin, Line | Row):
            self._stream.write(encoded(failure.origin.raw, self._encoding))

    def close(self) -> None:
        self._stream.flush()

    def drop(self) -> None:
        """Nothing is held."""


class _Rows:
    """Rows in a Parquet file."""

    def __init__(self, stream: IO[bytes], reader: Reader) -> None:
        self._rows = Rows(stream, reader.input, reader.reading.text_field)

    def write(self, record: Record, text: str) -> None:
        assert isinstance(record.origin, Cell)
        self._rows.write(record.origin, None if text == record.source else text)

    def keep(self, failure: Failure) -> None:
        if isinstance(failure.origin, Cell):
            self._rows.write(failure.origin, None)

    def close(self) -> None:
        self._rows.close()

    def drop(self) -> None:
        self._rows.drop()
