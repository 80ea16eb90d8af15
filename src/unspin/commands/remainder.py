"""What stays of files without the copies in them: written where they would be restored to, in the formats they came in.

In come the records of a file, in order, each with its passages that are copies; out goes a file that is there as a
whole or not at all. A record that is a copy as a whole is left out, and so is a file of nothing else. What cannot be
read stays as it stood. Refused, by `OutputError`: what cannot be written or exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from unspin import formats
from unspin.commands.delivery import folder_for, refuse_targets
from unspin.commands.options import refuse_existing
from unspin.copies import without
from unspin.files import Source
from unspin.formats import Failure, Reader, Reading, Record, Writer
from unspin.model import Level, Place


@dataclass(frozen=True, slots=True)
class Destination:
    """Where what stays is written: a directory. `level` is that of the copies."""

    folder: Path
    level: Level
    force: bool

    @classmethod
    def planned(
        cls, output: Path | None, level: Level, found: Sequence[Source], reading: Reading, *, force: bool
    ) -> Destination | None:
        """The destination, if there is an output. Refuses, before any work is done, what cannot end well."""
        if output is None:
            return None
        targets = (output / formats.expected_place(source, reading) for source in found)
        refuse_targets(found, targets, force=force)
        return cls(output, level, force)


class Remainder:
    """Takes what stands in a file, one by one; what stays is there once the `with` block ends well."""

    def __init__(self, reader: Reader, destination: Destination) -> None:
        self._reader = reader
        self._destination = destination
        self._is_single = formats.is_single(reader.format)
        self._is_cut = False  # is anything left out?
        self._writer: Writer | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def _opened(self) -> Writer:
        if self._writer is None:
            target = self._destination.folder / formats.target_place(self._reader)
            folder_for(target)
            refuse_existing(target, force=self._destination.force)
            self._writer = self._stack.enter_context(formats.writer(target, self._reader))
            if self._is_cut:
                self._writer.leave_out()
        return self._writer

    def put(self, record: Record, gone: Sequence[Place]) -> bool:
        """A record without some passages; nothing of one that is gone as a whole. Is any of it written?"""
        if gone and self._destination.level is Level.DOCUMENT:
            self._leave_out()
            return False
        self._opened().write(record, _less(record, gone))
        return True

    def keep(self, failure: Failure) -> None:
        """What cannot be read; of a text that is all there is, nothing is written."""
        if self._is_single:
            self._leave_out()
        else:
            self._opened().keep(failure)

    def _leave_out(self) -> None:
        self._is_cut = True
        if self._writer:
            self._writer.leave_out()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and not self._is_cut:
            self._opened()  # an empty file stays one
        self._stack.__exit__(kind, error, trace)


def _less(record: Record, gone: Sequence[Place]) -> str:
    """A record's source without some passages; of a page, the words go and the tags stay."""
    if gone and record.prose.is_page:
        return record.prose.emptied((place.start, place.end) for place in gone)
    return without(record.source, gone)
