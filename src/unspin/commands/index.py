"""`unspin index`: texts in; what an index of earlier ones says of their passages out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from unspin.commands import options
from unspin.commands.dedupe import MIN_WORDS, refuse_targets, save
from unspin.commands.terminal import Failures, counted, legible, product, progress, say
from unspin.files import Source, SourceText
from unspin.index import Added, Index, describe
from unspin.lexicon import Lexicon
from unspin.model import Answer, DuplicateKind, Level, NamedText, Place
from unspin.pipeline import default_lexicon
from unspin.sources import sources
from unspin.units import UNITS

_index = click.argument("index", type=click.Path(path_type=Path), metavar="INDEX")
_format = click.option("--format", "style", type=click.Choice(("text", "jsonl")), default="text", show_default=True)
_schema = options.schema_option("answer", of="a line of --format jsonl")
_quiet = click.option("-q", "--quiet", is_flag=True, help="No summary line.")
_min_words_help = "Leave shorter passages alone."
_BY_LEVEL = "[default: 0 for documents, 25 for paragraphs, 12 for sentences]"


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


class _Incoming:
    """Texts as they are read, kept until all has been said of them."""

    def __init__(self, found: list[Source], failures: Failures) -> None:
        self.found, self.failures = found, failures
        self.texts: dict[int, tuple[Source, SourceText]] = {}

    def __iter__(self) -> Iterator[NamedText]:
        number = 0
        for source in self.found:
            with self.failures.told():
                text = options.read_aloud(source)
                self.texts[number] = source, text
                number += 1
                yield NamedText(source.name, text.text, source.path.stat().st_mtime if source.path else 0.0)

    def past(self, number: int) -> Iterator[tuple[int, Source, SourceText]]:
        """Texts before one with a number, which are forgotten."""
        for known in [known for known in self.texts if known < number]:
            yield known, *self.texts.pop(known)


# report


def _render(incoming: _Incoming, answer: Answer, style: str) -> str:
    source, text = incoming.texts[answer.place.text]
    passage = text.text[answer.place.start : answer.place.end]
    if style == "jsonl":
        return json.dumps(_row(source, passage, answer), ensure_ascii=False) + "\n"
    if not answer.kept:
        return ""
    here = f"{legible(source.name)}:{answer.place.start}-{answer.place.end}"
    there = f"{legible(answer.kept.name)}:{answer.kept.start}-{answer.kept.end}"
    return f"{answer.kind}  {here}  {there}  {answer.rule}\n"


def _row(source: Source, passage: str, answer: Answer) -> dict[str, Any]:
    place = {"name": source.name, "start": answer.place.start, "end": answer.place.end, "text": passage}
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
@options.texts_argument
@click.option(
    "--level",
    type=click.Choice([*map(str, UNITS)]),
    default=str(Level.DOCUMENT),
    show_default=True,
    help="What is compared: whole texts, their paragraphs, or their sentences.",
)
@click.option("--min-words", type=click.IntRange(min=0), help=f"{_min_words_help} {_BY_LEVEL}")
@_format
@_schema
@options.lexicon_option
@_quiet
def build_command(
    index: Path,
    files: tuple[str, ...],
    level: str,
    min_words: int | None,
    style: str,
    lexicons: tuple[str, ...],
    quiet: bool,
) -> None:
    """Make an index of texts.

    FILES are texts, "-" (standard input), or directories, which are walked for *.txt and *.md. INDEX must not be there
    yet; it appears when all texts are in it. Passages that are copies of earlier ones are told on standard output.

    \b
    Examples:
      unspin index build seen/ monday/
      unspin index build seen/ --level paragraph monday/ tuesday/
      unspin index build seen/ --format jsonl monday/ > copies.jsonl
    """
    found, errors = sources(files, skip=index)
    failures = Failures(errors)
    incoming = _Incoming(found, failures)
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
    for _ in incoming.past(answer.place.text):
        pass
    if line := _render(incoming, answer, style):
        product(line)


@command.command("add")
@_index
@options.texts_argument
@_format
@_schema
@options.lexicon_option
@_quiet
def add_command(index: Path, files: tuple[str, ...], style: str, lexicons: tuple[str, ...], quiet: bool) -> None:
    """Add texts to an index, and tell which of their passages are copies.

    All of them are added or, if the command is ended in any way, none. Others may ask the index meanwhile; one process
    at a time may add. A text that was added before, under the same name with the same characters, is skipped; a text
    that has changed is added beside its earlier version. The lexicon must be the one that the index was built with.

    \b
    Examples:
      unspin index add seen/ tuesday/
      unspin index add seen/ tuesday/ --format jsonl > said.jsonl
    """
    found, errors = sources(files, skip=index)
    failures = Failures(errors)
    incoming = _Incoming(found, failures)
    with Index.open(index, lexicon=_lexicon(lexicons)) as opened, progress("index") as report:
        added = opened.add(incoming, tell=lambda answer: _tell(incoming, answer, style), progress=report)
    if not quiet:
        say(_added(index, added))
    failures.exit()


@command.command("query")
@_index
@options.texts_argument
@_format
@_schema
@click.option("--level", type=click.Choice([*map(str, UNITS)]), help="What is looked for. [default: as in the index]")
@click.option("--min-words", type=click.IntRange(min=0), help=f"{_min_words_help} [default: as in the index]")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the texts here, without the passages that are copies.",
)
@options.lexicon_option
@options.force_option
@_quiet
def query_command(
    index: Path,
    files: tuple[str, ...],
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
    found, errors = sources(files, skip=output)
    failures = Failures(errors)
    if output:
        refuse_targets(found, output, force=force)
    incoming = _Incoming(found, failures)
    with Index.open(index, lexicon=_lexicon(lexicons)) as opened, progress("query", shown=output is not None) as report:
        wanted = Level(level) if level else opened.level
        answers = opened.query(incoming, level=wanted, min_words=min_words, progress=report)
        passages, kinds, written = _answered(incoming, answers, style, output, wanted)
    if output and not quiet:
        say(f"{counted(written, 'text')} of {len(found):,} written to {output}")
    if not quiet:
        say(_summary(passages, kinds))
    failures.exit()


def _answered(
    incoming: _Incoming, answers: Iterable[Answer], style: str, output: Path | None, level: Level
) -> tuple[int, Counter[DuplicateKind], int]:
    """Report on all passages, and write what is new: how many passages there are, of what kinds, and texts written."""
    passages, written, kinds = 0, 0, Counter[DuplicateKind]()
    gone: dict[int, list[Place]] = {}

    def write(before: int) -> int:
        count = 0
        for number, source, text in incoming.past(before):
            count += bool(output and save(source, text, gone.pop(number, []), output, level=level))
        return count

    for answer in answers:
        written += write(answer.place.text)
        passages += 1
        if answer.kind:
            kinds[answer.kind] += 1
        if answer.is_copy:
            gone.setdefault(answer.place.text, []).append(answer.place)
        if line := _render(incoming, answer, style):
            product(line)
    return passages, kinds, written + write(len(incoming.found))


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
