"""`unspin clean`: files of texts in; restored texts, diffs, or reports of what would change, out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import click

from unspin import formats
from unspin.commands import options, terminal
from unspin.commands.asking import Asking, account, asked, asking_options
from unspin.commands.config import Configured
from unspin.commands.delivery import FOUND_WORK, Delivery, delivery_options
from unspin.commands.options import Inputs, Stages
from unspin.commands.outlet import Outlet, require_one_table
from unspin.commands.records import label, opened, tell_guess
from unspin.commands.terminal import Failures, counted, say
from unspin.consensus import Sibling
from unspin.endpoint import Endpoint
from unspin.files import Source, SourceText, exists, read_text
from unspin.formats import Failure, Format, Reader, Reading, Record
from unspin.model import Progress, Restoration
from unspin.pipeline import restore
from unspin.siblings import Collection

UNPACKED = 5  # times the size of a packed file
MOST_TOGETHER = 200_000_000  # bytes of text in which copies are looked for; it takes about a dozen times as much memory


def _read_siblings(paths: Sequence[Path], stages: Stages, *, quiet: bool) -> list[Sibling]:
    """The siblings of the one text. Says what each is good for. Raises InputError."""
    copies = [Sibling(read_text(path), stages["lexicon"], stages["model"], name=str(path)) for path in paths]
    for path, copy in zip(paths, copies, strict=True):
        if not quiet:
            say(f"{path}: a sibling, " + ("unspun: its words win" if copy.is_unspun else "read as a spun one"))
    return copies


def readable(found: Sequence[Source], failures: Failures, *, quiet: bool) -> Iterator[tuple[Source, SourceText]]:
    """The texts that can be read, one at a time."""
    for source in found:
        text = None
        with failures.told():
            text = options.read_aloud(source, quiet=quiet)
        if text is not None:
            yield source, text


def read_together(
    texts: Iterable[tuple[Source, SourceText]], stages: Stages, progress: Progress
) -> Iterator[tuple[Source, SourceText, list[Sibling]]]:
    """The texts, each with its copies among the others; for that, all are read first."""
    read = list(texts)
    names = [source.name for source, _ in read]
    collection = Collection(
        [text.text for _, text in read], stages["lexicon"], stages["model"], names=names, progress=progress
    )
    for number, (source, text) in enumerate(read):
        yield source, text, collection.siblings(number)


_Item = tuple[Record | Failure, Sequence[Sibling]]


def _records_together(
    readers: Iterable[Reader], stages: Stages, failures: Failures, progress: Progress
) -> Iterator[tuple[Reader, Iterable[_Item]]]:
    """The files with their records, each with its copies among the others; for that, all are read first."""
    read: list[tuple[Reader, list[Record | Failure]]] = []
    for reader in readers:
        with failures.told():
            read.append((reader, list(reader)))
    named = [(label(reader, one), one.text) for reader, items in read for one in items if isinstance(one, Record)]
    names, texts = [name for name, _ in named], [text for _, text in named]
    collection = Collection(texts, stages["lexicon"], stages["model"], names=names, progress=progress)
    numbers = count()
    for reader, items in read:
        yield reader, [(one, collection.siblings(next(numbers)) if isinstance(one, Record) else ()) for one in items]


@dataclass(slots=True)
class _Work:
    """What is done with the records of all files, and how much of it was done."""

    restored: Callable[..., Restoration]
    delivery: Delivery
    out: Format | None
    failures: Failures
    endpoint: Endpoint | None = None
    records: int = 0
    accompanied: int = 0
    changes: bool = False  # is there anything to change?

    def all(self, read: Iterable[tuple[Reader, Iterable[_Item]]], files: int, told: Progress) -> None:
        """Restore the records of all files. An endpoint that is lost would fail for the others, too."""
        for done, (reader, items) in enumerate(read):
            told("files", done, files)
            with self.failures.told(), Outlet(self.delivery, reader, out=self.out, several=files > 1) as outlet:
                self._file(reader, items, outlet)
                self.changes |= outlet.changes
            if self.endpoint and self.endpoint.is_lost:
                say(f"{reader.name}: not done, and none after it")
                break

    def _file(self, reader: Reader, items: Iterable[_Item], outlet: Outlet) -> None:
        for one, copies in items:
            if isinstance(one, Failure):
                outlet.keep(one)
                self.failures.add(one)
            else:
                outlet.put(one, self._restored(reader, one, copies))

    def _restored(self, reader: Reader, record: Record, copies: Sequence[Sibling]) -> Restoration:
        quiet = self.delivery.quiet
        if not quiet:
            tell_guess(reader, record)
        restoration = self.restored(record.text, siblings=copies)
        self.records += 1
        self.accompanied += bool(restoration.siblings)
        return asked(restoration, self.endpoint, label(reader, record), quiet=quiet) if self.endpoint else restoration

    def sum_up(self) -> None:
        """Say how many texts were read together with others."""
        if self.accompanied and not self.delivery.quiet:
            among = f"{self.accompanied:,} of {counted(self.records, 'text')}"
            say(f"{among} read together with copies of them among the others")


@click.command("clean", cls=Configured)
@options.inputs_options
@options.out_format_option
@delivery_options
@options.confidence_option
@options.keep_duplicates_option
@options.siblings_option
@options.no_siblings_option
@options.lexicon_option
@options.model_option
@asking_options
@options.colour_option
@options.force_option
@options.quiet_option
def command(
    inputs: Inputs,
    out: str | None,
    delivery: Delivery,
    min_confidence: float,
    keep_duplicates: bool,
    siblings: tuple[Path, ...],
    no_siblings: bool,
    lexicons: tuple[str, ...],
    model: Path | None,
    asking: Asking,
) -> None:
    """Remove repeated paragraphs and map swaps back.

    FILES are texts, Markdown, pages, JSON Lines, CSV, TSV, Parquet or WARC, packed (.gz, .zst) or not; "-" is standard
    input. Patterns and URLs name files, too; directories are walked for *.txt and *.md, or for what --in-format says.
    The restored texts go to standard output, texts in UTF-8, records in the format they came in; a line for each file
    on standard error sums up. A text without spin evidence keeps its words. With --write, files are changed in place;
    with -o, they go to DIR under the same names; either way in the encoding they came in, and whole or not at all.
    Records that cannot be read are told of and stay as they stood.

    With --diff, a diff takes the restored text's place on standard output; with -o both are written, the diff as
    NAME.words, .diff, .html, .jsonl, .docx (tracked changes), .critic.md (CriticMarkup) or .m2. The offsets in JSON
    count code points, a byte-order mark included; of a file of several texts, each line names its record.
    With --check --format, every change to make is reported.

    Copies of the same original are read together: what was written must explain every copy, and where one was not
    spun, its words win. They are found among the texts of all files, unless --no-siblings has each read alone; for a
    single text, --siblings names them.

    With --ranker URL, a language model decides what would be held for its confidence, its entry's status or a name:
    it chooses among the lexicon's options, and can write nothing else. The sentences around these candidates
    are sent to the URL; without a URL nothing is ever sent. A key is taken from UNSPIN_API_KEY or, without
    it, from OPENAI_API_KEY. If the endpoint fails, so does the command, and texts not yet written stay as they are.

    \b
    Examples:
      unspin clean scraped.txt > restored.txt
      unspin clean --check --format sarif articles/ > unspin.sarif
      unspin clean -o restored --text-field body scrape.jsonl.gz
      unspin clean --ranker http://localhost:8080 --min-confidence 0.9 scraped.txt
    """
    wanted = Format(out) if out else None
    found, failures = _planned(inputs, delivery, wanted)
    together = _are_together(found, inputs.reading, delivery, given=bool(siblings), none=no_siblings)
    stages = options.stages(lexicons, model, asking.ranker)
    given = _read_siblings(siblings, stages, quiet=delivery.quiet)
    restored = partial(restore, **stages, min_confidence=min_confidence, keep_duplicates=keep_duplicates)
    work = _Work(restored, delivery, wanted, failures)
    shown = terminal.progress("clean", shown=_is_long(found, delivery))
    with asking.endpoint() as work.endpoint, delivery.reported(failures), shown as told:
        readers = opened(found, inputs.reading, failures, quiet=delivery.quiet)
        alone = ((reader, ((one, given) for one in reader)) for reader in readers)
        work.all(_records_together(readers, stages, failures, told) if together else alone, len(found), told)
        if work.endpoint:
            account(work.endpoint)
    if together:
        work.sum_up()
    failures.exit(FOUND_WORK if delivery.check and work.changes else 0)


def _planned(inputs: Inputs, delivery: Delivery, out: Format | None) -> tuple[list[Source], Failures]:
    """The files; refused, before any work is done, is what cannot end well."""
    found, errors = inputs.found(skip=delivery.output)
    failures = Failures(errors)
    require_one_table(found, inputs, out, delivery)
    delivery.plan(found, partial(formats.expected_place, reading=inputs.reading, out=out))
    return found, failures


def _are_together(found: Sequence[Source], reading: Reading, delivery: Delivery, *, given: bool, none: bool) -> bool:
    """Are the texts read together with their copies among them? Siblings are `given` for a single text only."""
    holds_many = any(not formats.is_single(formats.expected_format(source, reading)) for source in found)
    if given and (none or holds_many or len(found) != 1):
        raise click.UsageError(f"--siblings {'are read or not' if none else 'are copies of one text; give one FILE'}")
    return not none and can_be_together(found, quiet=delivery.quiet, holds_many=holds_many)


def _sizes(found: Sequence[Source]) -> list[int]:
    """Of the files, in bytes."""
    files = (source.path for source in found if source.path and exists(source.path))
    return [path.stat().st_size for path in files if path.is_file()]


def _unpacked_size(source: Source) -> int:
    """Of the text in a file, in bytes; a guess where it is packed."""
    is_packed = source.place.suffix.lower() in (".gz", ".zst", ".parquet")
    return sum(_sizes([source])) * (UNPACKED if is_packed else 1)


def can_be_together(found: Sequence[Source], *, quiet: bool, holds_many: bool = False) -> bool:
    """Are there several texts (`holds_many`: even if there is one file), and can all be held in memory?"""
    if len(found) == 1 and not (holds_many and found[0].path):  # of standard input nobody knows how much comes
        return False
    if (fits := sum(map(_unpacked_size, found)) <= MOST_TOGETHER) or quiet:
        return fits
    say(f"more than {MOST_TOGETHER // 1_000_000:,} MB: copies among the texts are not looked for; clean them in parts")
    return False


def _is_long(found: Sequence[Source], delivery: Delivery) -> bool:
    """Long enough for a progress bar, which would stand in the way of a text on the same terminal."""
    is_long = len(found) > terminal.MANY or max(_sizes(found), default=0) > terminal.LARGE
    return is_long and (delivery.is_silent or not terminal.is_terminal(sys.stdout))
