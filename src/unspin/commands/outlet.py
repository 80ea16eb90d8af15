"""Where the records of one file go: standard output, a folder, back into the file, or into a diff or a report."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import click

from unspin import formats
from unspin.commands.delivery import Delivery, beside, folder_for, path_of, summary
from unspin.commands.options import Inputs, refuse_existing
from unspin.commands.records import label, refuse_whole
from unspin.commands.terminal import counted, legible, product, say
from unspin.diff import DiffStyle, render
from unspin.diff.json_lines import json_lines
from unspin.edit import cleaned
from unspin.errors import InputError, OutputError
from unspin.files import Source, replacing
from unspin.findings import find
from unspin.formats import Failure, Format, Reader, Record, Writer
from unspin.model import DecidedBy, Restoration

_OF_MANY = (DiffStyle.WORDS, DiffStyle.JSON, DiffStyle.MARKDOWN, DiffStyle.M2)  # texts may follow one another
TABLES = (Format.CSV, Format.TSV, Format.PARQUET)  # one after the other they are none
_SWAPS = (DecidedBy.DECODER, DecidedBy.ENDPOINT, DecidedBy.SIBLING)


class Product(io.RawIOBase):
    """Standard output, as a stream."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        product(bytes(data))
        return len(data)


class Outlet:
    """Takes the records of a file one by one; files are there once the `with` block ends well."""

    def __init__(self, delivery: Delivery, reader: Reader, *, out: Format | None, several: bool) -> None:
        self.changes = False  # is there anything to change?
        self._delivery = delivery
        self._reader = reader
        self._out = out
        self._several = several
        self._is_single = formats.is_single(reader.format)
        self._counts: Counter[str] = Counter()
        self._stack = ExitStack()
        self._writer: Writer | None = None
        self._beside: IO[bytes] | None = None

    def __enter__(self) -> Self:
        if not self._is_single and self._delivery.diff and self._delivery.diff not in _OF_MANY:
            raise InputError(self._reader.name, f"holds several texts; --diff {self._delivery.diff} shows one")
        with ExitStack() as stack:
            if self._delivery.output is not None:
                self._open_in(self._delivery.output, stack)
            elif self._delivery.write:
                self._open_in_place(stack)
            elif self._is_on_stdout and not (self._is_single and self._out is None):
                product_stream: Any = Product()
                self._writer = stack.enter_context(formats.writer(product_stream, self._reader, out=self._out))
            self._stack = stack.pop_all()
        return self

    @property
    def _is_on_stdout(self) -> bool:
        """Do the texts themselves go to standard output?"""
        return not (self._delivery.is_silent or self._delivery.diff or self._delivery.check)

    def _open_in(self, output: Path, stack: ExitStack) -> None:
        target = output / formats.target_place(self._reader, out=self._out)
        folder_for(target)
        refuse_existing(target, force=self._delivery.force)
        if self._delivery.diff:
            self._beside = stack.enter_context(replacing(beside(target, self._delivery.diff)))
        self._writer = stack.enter_context(formats.writer(target, self._reader, out=self._out))

    def _open_in_place(self, stack: ExitStack) -> None:
        reader = self._reader
        if formats.output_format(reader.format, reader.reading) is not reader.format:
            told = "use -o DIR, or --html inplace" if reader.format is Format.HTML else "use -o DIR"
            raise OutputError(reader.name, f"is not changed in place, for only its main text is read; {told}")
        assert reader.source.path
        self._writer = stack.enter_context(formats.writer(reader.source.path, reader))

    def put(self, record: Record, restoration: Restoration) -> None:
        """Put everything that comes of a record where it belongs; the restoration is of `record.text`."""
        duplicates, restoration = restoration.duplicates, record.prose.landed(restoration)
        after, name = cleaned(restoration), label(self._reader, record)
        changed = after != record.source
        self.changes |= changed
        delivery = self._delivery
        if delivery.report:
            called = path_of(self._reader.source) if self._is_single else name
            product(delivery.report.added(find(restoration, name=called)))
        elif delivery.diff:
            self._show(self._diff(record, restoration, name))
        elif self._is_on_stdout and not self._writer:
            product(after)
        if self._writer:
            self._writer.write(record, after)
        told = replace(restoration, duplicates=duplicates)  # of which a page keeps the tags
        if self._is_single and not delivery.quiet:
            say(f"{name}: {'would change: ' if delivery.check and changed else ''}{summary(told)}")
        self._count(told, changed=changed)

    def keep(self, failure: Failure) -> None:
        """Put what could not be read back as it stood. Raises OutputError if the file would lose it."""
        refuse_whole(self._reader, failure)
        if self._delivery.write and failure.origin is None:
            raise OutputError(self._reader.name, "left as it is, for a part of it cannot be read")
        if self._writer:
            self._writer.keep(failure)
        self._counts["failed"] += 1

    def _diff(self, record: Record, restoration: Restoration, name: str) -> str | bytes:
        delivery = self._delivery
        assert delivery.diff
        if delivery.diff is DiffStyle.JSON:
            return json_lines(restoration, record="" if self._is_single else record.id)
        colour = delivery.colour and not self._beside
        shown = render(restoration, style=delivery.diff, name=name, colour=colour, date=delivery.date)
        is_one = self._is_single and (self._beside is not None or not self._several)
        if is_one or not isinstance(shown, str) or delivery.diff is not DiffStyle.WORDS:
            return shown
        return f"==> {legible(name)} <==\n{shown}" + ("" if shown.endswith("\n") else "\n")

    def _show(self, shown: str | bytes) -> None:
        if self._beside:
            self._beside.write(shown if isinstance(shown, bytes) else shown.encode("utf-8", "surrogateescape"))
        else:
            product(shown)

    def _count(self, restoration: Restoration, *, changed: bool) -> None:
        decided = Counter(edit.decided_by for edit in restoration.edits)
        self._counts["texts"] += 1
        self._counts["changed"] += changed
        self._counts["swaps"] += sum(decided[by] for by in _SWAPS)
        self._counts["mended"] += decided[DecidedBy.AGREEMENT] + decided[DecidedBy.DEBRIS]
        self._counts["removed"] += sum(len(group.repeats) for group in restoration.duplicates)
        self._counts["held"] += len(restoration.held)

    def _sum(self) -> str:
        """What was done to a file of several texts, in one line."""
        counts = self._counts
        would = "would change" if self._delivery.check else "changed"
        parts = [f"{counts['changed']:,} of {counted(counts['texts'], 'text')} {would}"]
        parts += [counted(counts["removed"], "paragraph") + " removed"] * bool(counts["removed"])
        parts += [counted(counts["swaps"], "swap") + " restored"] * bool(counts["swaps"])
        parts += [f"{counts['mended']:,} mended"] * bool(counts["mended"])
        parts += [f"{counts['held']:,} held"] * bool(counts["held"])
        parts += [f"{counts['failed']:,} not read"] * bool(counts["failed"])
        return ", ".join(parts)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._writer and self._delivery.write and not self.changes:
            self._writer.drop()  # the file stays, with its date
            self._stack.pop_all()
        else:
            self._stack.__exit__(kind, error, trace)
        if kind is None and not self._is_single and not self._delivery.quiet:
            say(f"{self._reader.name}: {self._sum()}")


def require_one_table(found: Sequence[Source], inputs: Inputs, out: Format | None, delivery: Delivery) -> None:
    """Refuses, before any work is done, several tables on standard output."""
    if out and delivery.write:
        raise click.UsageError("--out-format makes other files; --write changes those that are there")
    if out and delivery.output is None and (delivery.diff or delivery.check):
        raise click.UsageError("--out-format is of restored texts, and none are written here")
    if not (delivery.is_silent or delivery.diff or delivery.check):
        refuse_tables(found, inputs, out)


def refuse_tables(found: Sequence[Source], inputs: Inputs, out: Format | None = None) -> None:
    """Refuses, before any work is done, several files on standard output if one is a table."""
    for kind in (out or formats.expected_format(source, inputs.reading) for source in found):
        if kind in TABLES and len(found) > 1:
            option = "--out-format " if out else ""
            raise click.UsageError(f"{option}{kind} of several files needs -o DIR, a file for each")
