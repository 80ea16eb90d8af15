"""Where what `unspin clean` and `unspin apply` make goes: standard output, a folder, into the files, or a report."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from operator import attrgetter
from pathlib import Path
from typing import Any

import click

from unspin.commands import options, terminal
from unspin.commands.options import Command
from unspin.commands.terminal import Failures, counted, product, say
from unspin.diff import DiffStyle, render
from unspin.edit import cleaned
from unspin.errors import OutputError, reason
from unspin.files import Source, SourceText, Stamp, write_atomic
from unspin.findings import find
from unspin.findings.lines import LineReport, github_line, text_line
from unspin.findings.sarif import SarifLog
from unspin.model import DecidedBy, Restoration
from unspin.pipeline import release

FOUND_WORK = 1  # exit code of --check
REPORTS = ("text", "github", "sarif")
_SUFFIXES = {
    DiffStyle.WORDS: ".words",
    DiffStyle.UNIFIED: ".diff",
    DiffStyle.HTML: ".html",
    DiffStyle.JSON: ".jsonl",
    DiffStyle.DOCX: ".docx",
    DiffStyle.MARKDOWN: ".critic.md",
    DiffStyle.M2: ".m2",
}
_SINGLE = (DiffStyle.HTML, DiffStyle.JSON, DiffStyle.DOCX, DiffStyle.MARKDOWN)  # two in one file make no sense

_OPTIONS = (
    options.output_option("Write here."),
    click.option("--write", is_flag=True, help="Change the files in place."),
    click.option("--check", is_flag=True, help="Change nothing; exit 1 if anything would change."),
    click.option(
        "--format",
        "report",
        type=click.Choice(REPORTS),
        help="With --check: report every change to make, in this format.",
    ),
    click.option("--diff", type=click.Choice([*map(str, DiffStyle)]), help="Show the changes, in this style."),
    options.schema_option("edit", of="a line of --diff json"),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where restored texts and diffs go: to standard output, unless one of the others is set."""

    output: Path | None
    write: bool
    check: bool
    report: LineReport | SarifLog | None
    diff: DiffStyle | None
    date: datetime | None
    colour: bool
    force: bool
    quiet: bool

    def __post_init__(self) -> None:
        if (self.output is not None) + self.write + self.check > 1:
            raise click.UsageError("--check, --write and -o exclude one another")
        if self.report and (not self.check or self.diff):
            raise click.UsageError("--format reports what --check finds, and goes without --diff")
        if self.diff is DiffStyle.DOCX and self.output is None and terminal.is_terminal(sys.stdout):
            raise click.UsageError("--diff docx makes a Word file, no text: give -o DIR, or write it to a file with >")

    @property
    def is_silent(self) -> bool:
        """Whether nothing goes to standard output."""
        return self.output is not None or self.write or (self.check and not self.diff and not self.report)

    def targets(self, place: Path) -> tuple[Path, ...]:
        """The files below the output directory: the text and, if one is made, its diff."""
        if self.output is None:
            return ()
        text = self.output / place
        return (text, beside(text, self.diff)) if self.diff else (text,)

    def plan(self, found: Sequence[Source], place: Callable[[Source], Path] = attrgetter("place")) -> None:
        """Refuses, before any work is done, what cannot end well; `place` says where below the output directory."""
        if self.write and (others := [source for source in found if source.path is None]):
            raise click.UsageError(f"--write changes files; {others[0].url or 'standard input'} is none")
        if self.diff in _SINGLE and self.output is None and len(found) > 1:
            raise click.UsageError(f"--diff {self.diff} of several texts needs -o DIR, a file for each")
        targets = (target for source in found for target in self.targets(place(source)))
        refuse_targets(found, targets, force=self.force, advice="choose another DIR, or --write")

    @contextmanager
    def reported(self, failures: Failures) -> Iterator[None]:
        """What a report needs before and after the texts."""
        if self.report:
            product(self.report.opening())
        yield
        if self.report:
            product(self.report.closing(succeeded=not failures.count))

    def deliver(self, source: Source, text: SourceText, restoration: Restoration, *, several: bool) -> bool:
        """Put everything where it belongs. Does the restoration change the text?"""
        after = cleaned(restoration)
        changes = after != text.text
        if paths := self.targets(source.place):
            self._save(paths, source, text, restoration)
        elif self.report:
            product(self.report.added(find(restoration, name=path_of(source))))
        elif self.diff:
            self._show(source, restoration, several=several)
        elif not (self.write or self.check):
            product(after)
        if self.write and changes and source.path:
            save(source.path, after, text.encoding, stamp=text.stamp)
        if not self.quiet:
            verb = "would change: " if self.check and changes else ""
            say(f"{source.name}: {verb}{summary(restoration)}")
        return changes

    def _save(self, paths: Sequence[Path], source: Source, text: SourceText, restoration: Restoration) -> None:
        save(paths[0], cleaned(restoration), text.encoding)
        if self.diff:
            save(paths[1], render(restoration, style=self.diff, name=source.name, date=self.date))

    def _show(self, source: Source, restoration: Restoration, *, several: bool) -> None:
        assert self.diff
        shown = render(restoration, style=self.diff, name=source.name, colour=self.colour, date=self.date)
        if several and isinstance(shown, str) and self.diff is DiffStyle.WORDS:
            shown = f"==> {terminal.legible(source.name)} <==\n{shown}" + ("" if shown.endswith("\n") else "\n")
        product(shown)


def refuse_targets(
    found: Sequence[Source], targets: Iterable[Path], *, force: bool, advice: str = "choose another DIR"
) -> None:
    """Refuses, before any work is done, to write over inputs, over each other and over what exists."""
    inputs = {os.path.realpath(source.path) for source in found if source.path}
    known: set[Path] = set()
    for target in targets:
        if os.path.realpath(target) in inputs:
            raise click.UsageError(f"{target} is an input; {advice}")
        if target in known:
            raise click.UsageError(f"two texts would become {target}; give them one after the other")
        known.add(target)
        options.refuse_existing(target, force=force)


def delivery_options(command: Command) -> Command:
    """The options that say where things go, as one parameter, `delivery`."""

    @wraps(command)
    def collected(
        *args: Any,
        output: Path | None,
        write: bool,
        check: bool,
        report: str | None,
        diff: str | None,
        colour: bool | None,
        force: bool,
        quiet: bool,
        **others: Any,
    ) -> Any:
        style = DiffStyle(diff) if diff else None
        made = _report(report) if report else None
        coloured = terminal.wants_colour(colour)
        delivery = Delivery(output, write, check, made, style, _date(), coloured, force, quiet)
        return command(*args, delivery=delivery, **others)

    made: Command = options.decorated(collected, _OPTIONS)
    return made


def _report(name: str) -> LineReport | SarifLog:
    if name == "sarif":
        return SarifLog(version=release())
    return LineReport(github_line if name == "github" else text_line)


def _date() -> datetime | None:
    """The time that reproducible builds are given instead of that of the day."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        return datetime.fromtimestamp(int(seconds), UTC) if seconds else None
    except (ValueError, OverflowError, OSError) as error:
        raise click.UsageError(f"SOURCE_DATE_EPOCH={seconds} is no number of seconds since 1970") from error


def path_of(source: Source) -> str:
    """What a report calls a text: its path from here, if it lies below."""
    path = source.path
    if path and path.is_absolute() and path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return source.name


def beside(text: Path, diff: DiffStyle) -> Path:
    """Where the diff of a text stands."""
    return text.with_name(text.name + _SUFFIXES[diff])


def folder_for(path: Path) -> None:
    """Make the folders that a file lies in. Raises OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(path.parent, f"cannot be made: {reason(error)}") from error


def save(path: Path, content: str | bytes, encoding: str = "utf-8", *, stamp: Stamp | None = None) -> None:
    """Write a file, and the folders it lies in; `encoding` is of text, `stamp` of the file as it was read.

    Raises OutputError.
    """
    folder_for(path)
    try:
        errors = "surrogateescape" if encoding == "utf-8" else "strict"
        write_atomic(path, content if isinstance(content, bytes) else content.encode(encoding, errors), stamp=stamp)
    except UnicodeEncodeError as error:
        bad = error.object[error.start : error.end]
        raise OutputError(path, f"{encoding} cannot hold {bad!r}; convert the text to UTF-8 first") from error


def summary(restoration: Restoration) -> str:
    """What was done to a text, in one line."""
    made = [edit.decided_by for edit in restoration.edits]
    removed = sum(len(group.repeats) for group in restoration.duplicates)
    spin = restoration.spin
    parts = [counted(removed, "paragraph") + " removed"] if removed else []
    if spin.is_spun:
        told = made.count(DecidedBy.SIBLING)
        swaps = made.count(DecidedBy.DECODER) + made.count(DecidedBy.ENDPOINT) + told
        parts.append(counted(swaps, "swap") + " restored" + _credit(restoration))
    if reviewed := made.count(DecidedBy.REVIEWER):
        parts.append(f"{reviewed:,} as reviewed")
    if mended := made.count(DecidedBy.AGREEMENT) + made.count(DecidedBy.DEBRIS):
        parts.append(f"{mended:,} mended")
    if spin.is_spun or restoration.held:
        parts.append(f"{len(restoration.held):,} held")
    if not spin.is_spun:
        return ", ".join(["no spin evidence", *(parts or ["unchanged"])])
    return ", ".join([*parts, f"spin rate {spin.rate:.2f}", f"evidence {spin.evidence:.2f} nats/word"])


def _credit(restoration: Restoration) -> str:
    """What siblings had to do with it."""
    told = sum(edit.decided_by is DecidedBy.SIBLING for edit in restoration.edits)
    backed = sum(bool(edit.attested_by) for edit in restoration.edits) - told
    parts = [f"{told:,} as siblings have it"] * bool(told) + [f"{backed:,} with their support"] * bool(backed)
    return f" ({', '.join(parts)})" if parts else ""
