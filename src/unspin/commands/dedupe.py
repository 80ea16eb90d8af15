"""`unspin dedupe`: texts in; a report of their copies, or the texts without them, out."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, Unpack

import click

from unspin.commands import options
from unspin.commands.collection import Collection, InMemory, OnDisk, Shelf
from unspin.commands.config import Configured
from unspin.commands.options import Inputs
from unspin.commands.remainder import Destination, Remainder
from unspin.commands.terminal import Failures, counted, legible, product, progress, say
from unspin.copies import PASSAGE_WORDS, changes, dedupe
from unspin.formats import Failure, Reader, Record
from unspin.lexicon import Lexicon
from unspin.model import Copy, CopyGroup, DuplicateKind, Keep, Level, Place, Progress
from unspin.pipeline import default_lexicon
from unspin.spill import spilled
from unspin.verbatim import SHORTEST

# Shorter ones repeat on purpose.
MIN_WORDS = {Level.DOCUMENT: 0, Level.PARAGRAPH: 25, Level.SENTENCE: 12, Level.PASSAGE: PASSAGE_WORDS}
OPENING = 70  # characters of a passage that a report in words shows


Gone = Callable[[int], Sequence[Place]]  # of a text, by its number: the passages that go


class _Wanted(TypedDict):
    """What `dedupe` and `spilled` take by these names."""

    level: Level
    keep: Keep
    lexicon: Lexicon
    min_words: int
    progress: Progress


# report


def _place(collection: Collection, place: Place) -> dict[str, Any]:
    return {"name": collection.name(place.text), "start": place.start, "end": place.end}


def _json(collection: Collection, group: CopyGroup, *, diff: bool) -> str:
    kept = collection.quoted(group.kept)

    def copy(one: Copy) -> dict[str, Any]:
        text = collection.quoted(one.place)
        row = _place(collection, one.place) | {"kind": one.kind, "score": one.score, "rule": one.rule, "text": text}
        return row | ({"changes": [list(change) for change in changes(kept, text)]} if diff else {})

    row = {
        "kept": _place(collection, group.kept) | {"text": kept},
        "copies": [copy(one) for one in group.copies],
        "overlaps": [copy(one) for one in group.overlaps],
        "weakest": [_place(collection, place) for place in group.weakest],
        "weakest_score": group.weakest_score,
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def _where(collection: Collection, place: Place) -> str:
    return legible(f"{collection.name(place.text)}:{place.start}-{place.end}")


def _words(collection: Collection, group: CopyGroup, *, diff: bool) -> str:
    kept = collection.quoted(group.kept)
    lines = [f"keep  {_where(collection, group.kept)}  {legible(kept)[:OPENING]}"]
    for one in (*group.copies, *group.overlaps):
        lines.append(f"  {one.kind}  {_where(collection, one.place)}  {one.rule}")
        if diff and one.kind not in (DuplicateKind.EXACT, DuplicateKind.NORMALISED):
            found = changes(kept, collection.quoted(one.place))
            lines.append("    " + legible(" ".join(_marked(before, after) for before, after in found)))
    return "\n".join(lines) + "\n"


def _marked(before: str, after: str) -> str:
    return (f"[-{before}-]" if before else "") + (f"{{+{after}+}}" if after else "")


# texts


def _save(collection: Collection, gone: Gone, destination: Destination, failures: Failures) -> int:
    """Write what stays of each file. Returns how many texts were written."""
    written = 0
    for reader, items in collection.again(failures):
        with failures.told():
            written += _save_file(reader, items, gone, destination)
    return written


def _save_file(
    reader: Reader, items: Iterable[tuple[int, Record | Failure]], gone: Gone, destination: Destination
) -> int:
    written = 0
    with Remainder(reader, destination) as rest:
        for number, one in items:
            if isinstance(one, Failure):
                rest.keep(one)
            else:
                written += rest.put(one, gone(number))
    return written


@dataclass(slots=True)
class _Counts:
    """What was found, for the summary."""

    kinds: Counter[DuplicateKind] = field(default_factory=Counter)
    kept: int = 0

    def add(self, group: CopyGroup) -> None:
        self.kinds.update(copy.kind for copy in (*group.copies, *group.overlaps))
        self.kept += bool(group.copies)

    def summary(self, passages: str) -> str:
        kinds = [kind for kind in DuplicateKind if self.kinds[kind] and kind is not DuplicateKind.OVERLAP]
        overlaps = self.kinds[DuplicateKind.OVERLAP]
        also = f"; {counted(overlaps, 'overlap')} left alone" if overlaps else ""
        if not kinds:
            return f"no {passages} is a copy of another{also}"
        parts = ", ".join(f"{self.kinds[kind]:,} {kind}" for kind in kinds)
        copies = counted(sum(self.kinds[kind] for kind in kinds), "copy", "copies")
        return f"{copies} of {counted(self.kept, passages)}: {parts}{also}"


@contextmanager
def _groups(
    texts: Iterable[str], collection: Collection, *, memory: int | None, folder: Path | None, **wanted: Unpack[_Wanted]
) -> Iterator[tuple[Iterable[CopyGroup], Gone]]:
    """The groups, and what is gone from each text: in memory, or on disk for as long as the `with` statement lasts."""
    if memory is not None:
        with spilled(texts, memory=memory, folder=folder, dates=collection.dates, **wanted) as groups:
            yield groups, groups.gone
        return
    in_memory = dedupe(list(texts), dates=collection.dates, jobs=os.cpu_count() or 1, **wanted)
    gone: defaultdict[int, list[Place]] = defaultdict(list)
    for copy in (copy for group in in_memory for copy in group.copies):
        gone[copy.place.text].append(copy.place)
    yield in_memory, lambda number: gone.get(number, [])


@contextmanager
def _shelf(memory: int | None, folder: Path | None) -> Iterator[Shelf]:
    """Where texts are kept for the report."""
    if memory is None:
        yield InMemory()
        return
    with OnDisk.opened(folder) as shelf:
        yield shelf


@click.command("dedupe", cls=Configured)
@options.inputs_options
@options.level_option(Level)
@options.keep_option
@options.min_words_option("0 for documents, 25 for paragraphs, 12 for sentences, 50 for passages")
@options.style_option("text", "jsonl")
@options.schema_option("copies", of="a line of --format jsonl")
@click.option("--diff", is_flag=True, help="Show the words in which each copy differs from what is kept.")
@options.output_option("Write what was read here, without the copies.")
@options.memory_option
@click.option(
    "--temp-dir",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where temporary files go; they take up to ten times the size of the texts. [default: TMPDIR, or /tmp]",
)
@options.lexicon_option
@options.force_option
@options.quiet_option
def command(
    inputs: Inputs,
    level: str,
    keep: str,
    min_words: int | None,
    style: str,
    diff: bool,
    output: Path | None,
    memory: int | None,
    folder: Path | None,
    lexicons: tuple[str, ...],
    force: bool,
    quiet: bool,
) -> None:
    """Find copies across texts: exact, normalised, near, respun and contained; and overlaps.

    FILES are what `unspin clean` takes; a record of a file of several is called FILE#ID. The report goes to standard
    output: for each group what is kept, and for each copy of it where it stands (code points), its kind, and the rule
    that makes it one. JSON is an object per group, with the copies' texts and scores. "Newest" and "earliest" go by the
    time when a file was last changed.

    --level passage finds long runs of the same words (50 or more) inside texts that differ otherwise.

    With -o, the files go to DIR under the same names, without the copies; a text that is a copy as a whole is left
    out, and so is a file of nothing else. Overlaps share much with what is kept and say more: they stay. No input is
    changed, and no group loses its last copy. With --memory, collections that are larger than memory are done, with the
    same result; an index (`unspin index`) spares reading the old texts again when new ones come.

    \b
    Examples:
      unspin dedupe articles/
      unspin dedupe --level paragraph --format jsonl --diff articles/ > copies.jsonl
      unspin dedupe --level passage -o unique articles/
      unspin dedupe --memory 2G --text-field body -o unique crawl.jsonl.gz
    """
    _refuse(level, min_words, memory, folder)
    found, errors = inputs.found(skip=output)
    failures, unit = Failures(errors), Level(level)
    destination = Destination.planned(output, unit, found, inputs.reading, force=force)
    render, counts, written = _json if style == "jsonl" else _words, _Counts(), 0
    with progress("dedupe", shown=output is not None) as tell, _shelf(memory, folder) as shelf:
        collection = Collection(inputs.reading, shelf)
        texts = collection.read(found, failures, again=destination is not None, folder=folder)
        wanted = _Wanted(
            level=unit,
            keep=Keep(keep),
            lexicon=Lexicon.load(*lexicons) if lexicons else default_lexicon(),
            min_words=MIN_WORDS[unit] if min_words is None else min_words,
            progress=tell,
        )
        with _groups(texts, collection, memory=memory, folder=folder, **wanted) as (groups, gone):
            for group in groups:
                product(render(collection, group, diff=diff))
                counts.add(group)
            written = _save(collection, gone, destination, failures) if destination else 0
    if output and not quiet:
        say(f"{counted(written, 'text')} of {len(collection):,} written to {output}")
    if not quiet:
        say(counts.summary(level))
    failures.exit()


def _refuse(level: str, min_words: int | None, memory: int | None, folder: Path | None) -> None:
    """Refuses options that do not go together."""
    if level == Level.PASSAGE and memory is not None:
        raise click.UsageError("--level passage holds all in memory; leave --memory out")
    if level == Level.PASSAGE and min_words is not None and min_words < SHORTEST:
        raise click.UsageError(f"--level passage needs --min-words {SHORTEST} or more")
    if folder and memory is None:
        raise click.UsageError("--temp-dir needs --memory")
