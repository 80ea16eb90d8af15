"""Units in, the output out: the texts, their edits, and what the manifest says of them.

In come units with their outcomes, in the order of the inputs; out go files, each whole or not at all, and rows. Only
when all files of a part are there does the manifest say that it is finished. A document that failed, and what could
not be read, goes into the output as it stood, if the format has room for it: nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, NamedTuple, Self

from unspin.batch.folder import Folder, Lines, line
from unspin.batch.manifest import DocumentRow, ErrorRow, Manifest
from unspin.batch.model import Outcome, Part, Tally, Unit
from unspin.formats import Failure, Format, Record, Writer, is_single, writer


class CopyOf(NamedTuple):
    """A document says what another one says, which is kept: its file and id, and how alike the two are."""

    file: str
    record: str
    kind: str
    score: float
    rule: str


class _Open:
    """A part in the course of being written."""

    def __init__(self, part: Part, folder: Folder, out: Format | None) -> None:
        self.part, self.out = part, out
        self.target = folder.cleaned / part.target
        self.stack = ExitStack()
        self.tally = Tally(sources=1)
        self.is_cut = False  # has a document been left out?
        self.is_read = part.reader is not None  # or could nothing be read of it?
        self.writer: Writer | None = None
        name = f"{part.target}.jsonl"
        self.edits = self.stack.enter_context(Lines(folder.edits / name))
        self.held = self.stack.enter_context(Lines(folder.held / name))

    def texts(self) -> Writer:
        """Where texts go. Raises OutputError."""
        assert self.part.reader is not None
        if self.writer is None:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self.writer = self.stack.enter_context(writer(self.target, self.part.reader, out=self.out))
            if self.is_cut:
                self.writer.leave_out()
        return self.writer

    def keep(self, failure: Failure) -> None:
        """What could not be read goes into the output as it stood, or, if it is all there is, there is no output."""
        if self.part.reader is None or (is_single(self.part.reader.format) and failure.origin is None):
            self.is_read = False
        else:
            self.texts().keep(failure)

    def leave_out(self) -> None:
        """A record does not go into the output; a file of nothing else is not there at all."""
        self.is_cut = True
        if self.writer is not None:
            self.writer.leave_out()

    def close(self) -> str:
        """Let the files appear. Returns the target, or "" if there is none."""
        if self.writer is None and self.is_read and not self.is_cut:
            self.texts()  # an empty file stays one
        self.stack.close()
        return str(self.part.target) if self.writer is not None else ""


class Sink:
    """Where units go, for as long as the `with` statement lasts; what is half written then goes with it.

    `copy_of` says of a document, by its part and number, what it is a copy of; if `removes`, it is left out.
    """

    def __init__(
        self,
        folder: Folder,
        manifest: Manifest,
        *,
        out: Format | None,
        copy_of: Callable[[Part, int], CopyOf | None],
        removes: bool,
    ) -> None:
        self.folder, self.manifest, self.out = folder, manifest, out
        self.copy_of, self.removes = copy_of, removes
        self._open: _Open | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is not None:
            self._open.stack.__exit__(kind or KeyboardInterrupt, error or KeyboardInterrupt(), trace)

    def take(self, unit: Unit) -> Tally:
        """Put a unit into the output, and return what it comes to. Raises OutputError, BatchError."""
        part = unit.part
        if unit.is_first:
            self.manifest.begin(part.place, part.position, part.name)
            self._open = _Open(part, self.folder, self.out)
        assert self._open is not None and self._open.part is part
        told = self._put(self._open, unit)
        self._open.tally.add(told)
        if unit.is_last:
            target, is_read = self._open.close(), self._open.is_read
            self.manifest.finish(
                part.place,
                stamp=part.stamp,
                target=target,
                tally=self._open.tally,
                is_finished=is_read,
            )
            self._open = None
            told.sources += 1
        return told

    def _put(self, into: _Open, unit: Unit) -> Tally:
        rows = _Rows(unit.part, Tally(), is_known=unit.is_known)
        outcomes = iter(unit.outcomes)
        for item in unit.items:
            if isinstance(item, Failure):
                rows.fail(item)
                into.keep(item)
                continue
            outcome = next(outcomes)
            copied = self.copy_of(unit.part, item.number)
            rows.add(item, outcome, copied, is_gone=self.removes)
            if copied and self.removes:
                into.leave_out()
                continue
            into.texts().write(item, item.source if outcome.after is None else outcome.after)
            into.edits.add(outcome.edits)
            into.held.add(outcome.held)
        self.manifest.add(rows.documents, rows.errors, rows.duplicates)
        return rows.tally


class _Rows:
    """What the manifest is told of a unit."""

    def __init__(self, part: Part, tally: Tally, *, is_known: bool) -> None:
        self.part, self.tally, self.is_known = part, tally, is_known
        self.documents: list[DocumentRow] = []
        self.errors: list[ErrorRow] = []
        self.duplicates: list[tuple[str, int, str]] = []

    def fail(self, failure: Failure) -> None:
        """A record that could not be read."""
        self.tally.errors += 1
        self._error(failure.number, "", failure.place, failure.reason)

    def _error(self, number: int, record: str, location: str, reason: str) -> None:
        self.errors.append(ErrorRow(self.part.place, number, self.part.name, record, location, reason))

    def add(self, record: Record, outcome: Outcome, copied: CopyOf | None, *, is_gone: bool) -> None:
        """A document, and what became of it."""
        is_gone = is_gone and copied is not None
        if outcome.error:
            self._error(record.number, record.id, "", outcome.error)
        for *spans, kind, score in outcome.repeats if not is_gone else ():
            self._duplicate(record, spans, kind, score)
        if copied:
            kept = {"file": copied.file, "record": copied.record}
            row = {"kind": copied.kind, "score": copied.score, "rule": copied.rule, "removed": is_gone, "kept": kept}
            self._line(record, row)
        self._count(record, outcome, is_copy=copied is not None, is_gone=is_gone)

    def _duplicate(self, record: Record, spans: list[Any], kind: str, score: float) -> None:
        kept_start, kept_end, start, end = spans
        kept = {"file": self.part.name, "record": record.id, "start": kept_start, "end": kept_end}
        self._line(record, {"start": start, "end": end, "kind": kind, "score": score, "removed": True, "kept": kept})

    def _line(self, record: Record, row: dict[str, Any]) -> None:
        told = line({"file": self.part.name, "record": record.id} | row)
        self.duplicates.append((self.part.place, record.number, told))

    def _count(self, record: Record, outcome: Outcome, *, is_copy: bool, is_gone: bool) -> None:
        is_changed = outcome.after is not None and not is_gone
        self.documents.append(
            DocumentRow(
                self.part.place,
                record.number,
                record.id,
                outcome.words,
                outcome.rate,
                outcome.evidence,
                outcome.is_spun,
                is_changed,
                outcome.swaps,
                outcome.waiting,
                len(outcome.repeats),
                is_copy,
                outcome.error,
            )
        )
        tally = self.tally
        tally.documents += 1
        tally.words += outcome.words
        tally.known += self.is_known
        tally.restored += 0 if self.is_known else outcome.words
        tally.spun += outcome.is_spun
        tally.changed += is_changed
        tally.copies += is_copy
        tally.errors += bool(outcome.error)
        if not is_gone:
            tally.swaps += outcome.swaps
            tally.held += outcome.waiting
            tally.repeats += len(outcome.repeats)
