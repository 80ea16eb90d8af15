"""`unspin index`: texts in; what an index of earlier ones says of their passages out."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import click

from unspin.commands import options
from unspin.commands.dedupe import MIN_WORDS
from unspin.commands.options import Inputs
from unspin.commands.records import items, label, opened
from unspin.commands.remainder import Destination, Remainder
from unspin.commands.terminal import Failures, counted, legible, product, progress, say
from unspin.files import Source
from unspin.formats import Failure, Reader, Reading, Record
from unspin.index import Added, Index, describe
from unspin.lexicon import Lexicon
from unspin.model import Answer, DuplicateKind, Level, NamedText, Place
from unspin.pipeline import default_lexicon
from unspin.units import UNITS

_index = click.argument("index", type=click.Path(path_type=Path), metavar="INDEX")
_format = options.style_option("text", "jsonl")
_schema = options.schema_option("answer", of="a line of --format jsonl")


@click.group("index")
def command() -> None:
    """Check texts against all that were seen before, without reading those again.

    INDEX is a directory of its own. It keeps every passage that said something new when it was added, so that nothing
    else is needed to tell what a new text repeats: as it was, with small edits, spun, or cut out of a longer one.

    \b
    Examples:
      unspin index build seen/ monday/
      unspin index query seen/ tuesday/
      unspin index add seen/ tuesday/
    """


class _Item(NamedTuple):
    """What stands in a file; `number` counts texts, of others it is that of the next. `one` None: the file begins."""

    reader: Reader
    number: int
    one: Record | Failure | None


class _Incoming:
    """Texts as they are read, kept until all has been said of them; if they are written, whole files are."""

    def __init__(self, found: list[Source], reading: Reading, failures: Failures, *, are_written: bool = False) -> None:
        self.found, self.reading, self.failures = found, reading, failures
        self.count = 0
        self.texts: dict[int, tuple[str, Record]] = {}
        self._first = 0  # of the texts that are not forgotten
        self._items: deque[_Item] = deque()
        self._are_written = are_written

    def __iter__(self) -> Iterator[NamedText]:
        for reader in opened(self.found, self.reading, self.failures):
            source = reader.source
            date = source.path.stat().st_mtime if source.path else 0.0
            self._keep(reader, None)
            for one in items(reader, self.failures):
                self._keep(reader, one)
                if isinstance(one, Record):
                    name = label(reader, one)
                    self.texts[self.count] = name, one
                    self.count += 1
                    yield NamedText(name, one.text, date)

    def _keep(self, reader: Reader, one: Record | Failure | None) -> None:
        if self._are_written:
            self._items.append(_Item(reader, self.count, one))

    def forget(self, number: int) -> None:
        """Nothing more is said of the texts before this one."""
        for known in range(self._first, number):
            self.texts.pop(known, None)
        self._first = max(self._first, number)

    def drop(self, number: int) -> None:
        """Nothing is said of this text."""
        del self.texts[number]

    def past(self, number: int | None = None) -> Iterator[_Item]:
        """What is to be written of all before a text, or of all there are."""
        while self._items and (number is None or self._items[0].number < number):
            yield self._items.popleft()


class _Outgoing:
    """Writes what is new, file by file, as it goes past; the last file is there once the `with` block ends well."""

    def __init__(self, destination: Destination | None) -> None:
        self.gone: dict[int, list[Place]] = {}  # the copies in texts that have not gone past
        self.written = 0
        self._destination = destination
        self._rest: Remainder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def take(self, items: Iterable[_Item]) -> None:
        """Write what is new of some texts."""
        for reader, number, one in items:
            if one is None:
                self._begin(reader)
            elif isinstance(one, Failure):
                self._rest.keep(one)
            else:
                self.written += self._rest.put(one, self.gone.pop(number, []))

    def _begin(self, reader: Reader) -> None:
        assert self._destination
        self._stack.close()  # the file before is done
        self._rest = self._stack.enter_context(Remainder(reader, self._destination))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


# report


def _render(incoming: _Incoming, answer: Answer, style: str) -> str:
    name, record = incoming.texts[answer.place.text]
    if style == "jsonl":
        passage = record.source[answer.place.start : answer.place.end]
        return json.dumps(_row(name, passage, answer), ensure_ascii=False) + "\n"
    if not answer.kept:
        return ""
    here = f"{legible(name)}:{answer.place.start}-{answer.place.end}"
    there = f"{legible(answer.kept.name)}:{answer.kept.start}-{answer.kept.end}"
    return f"{answer.kind}  {here}  {there}  {answer.rule}\n"


def _row(name: str, passage: str, answer: Answer) -> dict[str, Any]:
    place = {"name": name, "start": answer.place.start, "end": answer.place.end, "text": passage}
    if not (kept := answer.kept):
        return place | {"kind": "new"}
    where = {"name": kept.name, "start": kept.start, "end": kept.end, "text": kept.text, "incoming": kept.is_incoming}
    return place | {"kind": answer.kind, "score": answer.score, "rule": answer.rule, "kept": where}


def _summary(passages: int, kinds: Counter[DuplicateKind]) -> str:
    copies = sum(count for kind, count in kinds.items() if kind is not DuplicateKind.OVERLAP)
    overlaps = kinds[DuplicateKind.OVERLAP]
    parts = [f"{kinds[kind]:,} {kind}" for kind in DuplicateKind if kinds[kind] and kind is not DuplicateKind.OVERLAP]
    said = counted(copies, "copy", "copies") + (f" ({', '.join(parts)})" if parts else "")
    also = f", of which {counted(overlaps, 'overlap')} with what is kept" if overlaps else ""
    return f"{counted(passages, 'passage')}: {said}, {passages - copies:,} new{also}"


# commands


def _lexicon(names: tuple[str, ...]) -> Lexicon:
    return Lexicon.load(*names) if names else default_lexicon()


def _added(path: Path, added: Added) -> str:
    skipped = f"{counted(added.skipped, 'text')} there already; " if added.skipped else ""
    return f"{path}: {counted(added.texts - added.skipped, 'text')} added, {skipped}" + _summary(
        added.passages, added.kinds
    )


@command.command("build")
@_index
@options.inputs_options
@options.level_option(UNITS)
@options.min_words_option("0 for documents, 25 for paragraphs, 12 for sentences")
@_format
@_schema
@options.lexicon_option
@options.quiet_option
def build_command(
    index: Path,
    inputs: Inputs,
    level: str,
    min_words: int | None,
    style: str,
    lexicons: tuple[str, ...],
    quiet: bool,
) -> None:
    """Make an index of texts.

    FILES are what `unspin clean` takes; a record of a file of several is called FILE#ID. INDEX must not be there yet;
    it appears when all texts are in it. Passages that are copies of earlier ones are told on standard output.

    \b
    Examples:
      unspin index build seen/ monday/
      unspin index build seen/ --level paragraph monday.jsonl.gz tuesday.parquet
      unspin index build seen/ --format jsonl monday/ > copies.jsonl
    """
    found, errors = inputs.found(skip=index)
    failures = Failures(errors)
    incoming = _Incoming(found, inputs.reading, failures)
    with progress("index") as report:
        added = Index.build(
            index,
            incoming,
            level=Level(level),
            min_words=MIN_WORDS[Level(level)] if min_words is None else min_words,
            lexicon=_lexicon(lexicons),
            tell=lambda answer: _tell(incoming, answer, style),
            progress=report,
        )
    if not quiet:
        say(_added(index, added))
    failures.exit()


def _tell(incoming: _Incoming, answer: Answer, style: str) -> None:
    incoming.forget(answer.place.text)
    if line := _render(incoming, answer, style):
        product(line)


@command.command("add")
@_index
@options.inputs_options
@_format
@_schema
@options.lexicon_option
@options.quiet_option
def add_command(index: Path, inputs: Inputs, style: str, lexicons: tuple[str, ...], quiet: bool) -> None:
    """Add texts to an index, and tell which of their passages are copies.

    All of them are added or, if the command is ended in any way, none. Others may ask the index meanwhile; one process
    at a time may add. A text that was added before, under the same name with the same characters, is skipped; a text
    that has changed is added beside its earlier version. The lexicon must be the one that the index was built with.

    \b
    Examples:
      unspin index add seen/ tuesday/
      unspin index add seen/ tuesday/ --format jsonl > said.jsonl
    """
    found, errors = inputs.found(skip=index)
    failures = Failures(errors)
    incoming = _Incoming(found, inputs.reading, failures)
    with Index.open(index, lexicon=_lexicon(lexicons)) as opened, progress("index") as report:
        added = opened.add(
            incoming,
            tell=lambda answer: _tell(incoming, answer, style),
            skip=incoming.drop,
            progress=report,
        )
    if not quiet:
        say(_added(index, added))
    failures.exit()


@command.command("query")
@_index
@options.inputs_options
@_format
@_schema
@click.option("--level", type=click.Choice([*map(str, UNITS)]), help="What is looked for. [default: as in the index]")
@options.min_words_option("as in the index")
@options.output_option("Write what was read here, without the passages that are copies.")
@options.lexicon_option
@options.force_option
@options.quiet_option
def query_command(
    index: Path,
    inputs: Inputs,
    style: str,
    level: str | None,
    min_words: int | None,
    output: Path | None,
    lexicons: tuple[str, ...],
    force: bool,
    quiet: bool,
) -> None:
    """Tell which passages of texts an index has, or were among the texts before; change nothing.

    A line for each copy and overlap: its kind, where it stands (code points), where what is kept stands, and the rule.
    JSON is an object per passage, new ones too, with the texts of both. With -o, what is new is written to DIR under
    the same names; overlaps say something new, and stay.

    \b
    Examples:
      unspin index query seen/ tuesday/
      unspin index query seen/ -o new/ tuesday/
      curl -s example.com/feed.txt | unspin index query seen/ --format jsonl -
    """
    found, errors = inputs.found(skip=output)
    failures = Failures(errors)
    incoming = _Incoming(found, inputs.reading, failures, are_written=output is not None)
    with Index.open(index, lexicon=_lexicon(lexicons)) as opened, progress("query", shown=output is not None) as report:
        wanted = Level(level) if level else opened.level
        destination = Destination.planned(output, wanted, found, inputs.reading, force=force)
        answers = opened.query(incoming, level=wanted, min_words=min_words, progress=report)
        passages, kinds, written = _answered(incoming, answers, style, destination)
    if output and not quiet:
        say(f"{counted(written, 'text')} of {incoming.count:,} written to {output}")
    if not quiet:
        say(_summary(passages, kinds))
    failures.exit()


def _answered(
    incoming: _Incoming, answers: Iterable[Answer], style: str, destination: Destination | None
) -> tuple[int, Counter[DuplicateKind], int]:
    """Report on all passages, and write what is new: how many passages there are, of what kinds, and texts written."""
    passages, kinds = 0, Counter[DuplicateKind]()
    with _Outgoing(destination) as outgoing:
        for answer in answers:
            incoming.forget(answer.place.text)
            outgoing.take(incoming.past(answer.place.text))
            passages += 1
            if answer.kind:
                kinds[answer.kind] += 1
            if answer.is_copy and destination:
                outgoing.gone.setdefault(answer.place.text, []).append(answer.place)
            if line := _render(incoming, answer, style):
                product(line)
        outgoing.take(incoming.past())
    return passages, kinds, outgoing.written


@command.command("info")
@_index
@click.option("--check", is_flag=True, help="Read all of it, and fail if anything is damaged.")
def info_command(index: Path, check: bool) -> None:
    """Show what an index holds and how it was made.

    \b
    Examples:
      unspin index info seen/
      unspin index info --check seen/
    """
    for name, value in describe(index, check=check).items():
        product(f"{name:10} {value:,}\n" if isinstance(value, int) else f"{name:10} {value}\n")
    if check:
        say(f"{index}: nothing is damaged")
