"""`unspin dedupe`: texts in; a report of their copies, or the texts without them, out."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypedDict, Unpack

import click
import xxhash

from unspin.commands import options
from unspin.commands.config import Configured
from unspin.commands.terminal import Failures, counted, legible, product, progress, say
from unspin.copies import PASSAGE_WORDS, changes, dedupe, without
from unspin.errors import InputError, OutputError, reason
from unspin.files import Source, SourceText, read, write_atomic
from unspin.lexicon import Lexicon
from unspin.model import Copy, CopyGroup, DuplicateKind, Keep, Level, Place, Progress
from unspin.pipeline import default_lexicon
from unspin.sources import sources
from unspin.spill import spilled
from unspin.verbatim import SHORTEST

# Shorter ones repeat on purpose.
MIN_WORDS = {Level.DOCUMENT: 0, Level.PARAGRAPH: 25, Level.SENTENCE: 12, Level.PASSAGE: PASSAGE_WORDS}
AGAIN = 8  # texts that are not held, and are kept at hand
OPENING = 70  # characters of a passage that a report in words shows


class _Wanted(TypedDict):
    """What `dedupe` and `spilled` take by these names."""

    level: Level
    keep: Keep
    lexicon: Lexicon
    min_words: int
    progress: Progress


class _Collection:
    """The texts that could be read, and where they come from; if not `held`, files are read again for each look."""

    def __init__(self, *, held: bool) -> None:
        self.found: list[Source] = []
        self.dates: list[float] = []  # when each file was last changed; standard input is newer than any
        self._digests: list[bytes] = []
        self._held: dict[int, SourceText] = {}
        self._is_held = held
        self._again = lru_cache(maxsize=AGAIN)(self._read)

    def __len__(self) -> int:
        return len(self.found)

    def read(self, found: Iterable[Source], failures: Failures) -> Iterator[str]:
        """Read all texts, once."""
        for source in found:
            with failures.told():
                text = options.read_aloud(source)
                if self._is_held or source.path is None:
                    self._held[len(self)] = text
                self.dates.append(source.path.stat().st_mtime if source.path else float("inf"))
                self._digests.append(_digest(text))
                self.found.append(source)
                yield text.text

    def text(self, number: int) -> SourceText:
        """A text. Raises InputError if its file is not what it was."""
        return self._held[number] if number in self._held else self._again(number)

    def _read(self, number: int) -> SourceText:
        text = read(self.found[number])
        if _digest(text) != self._digests[number]:
            raise InputError(self.found[number].name, "was changed meanwhile")
        return text

    def quoted(self, place: Place) -> str:
        return self.text(place.text).text[place.start : place.end]

    def name(self, place: Place) -> str:
        return f"{self.found[place.text].name}:{place.start}-{place.end}"


def _digest(text: SourceText) -> bytes:
    return xxhash.xxh3_128_digest(text.text.encode("utf-8", "surrogatepass"))


def refuse_targets(found: Sequence[Source], output: Path, *, force: bool) -> None:
    """Refuses, before any work is done, to write over inputs, over each other and over what exists."""
    inputs = {source.path.resolve() for source in found if source.path}
    planned: set[Path] = set()
    for source in found:
        target = output / source.place
        if target.resolve() in inputs:
            raise click.UsageError(f"{target} is an input; choose another DIR")
        if target in planned:
            raise click.UsageError(f"two texts would become {target}; give them one after the other")
        planned.add(target)
        options.refuse_existing(target, force=force)


# report


def _place(collection: _Collection, place: Place) -> dict[str, Any]:
    return {"name": collection.found[place.text].name, "start": place.start, "end": place.end}


def _json(collection: _Collection, group: CopyGroup, *, diff: bool) -> str:
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


def _words(collection: _Collection, group: CopyGroup, *, diff: bool) -> str:
    kept = collection.quoted(group.kept)
    lines = [f"keep  {legible(collection.name(group.kept))}  {legible(kept)[:OPENING]}"]
    for one in (*group.copies, *group.overlaps):
        lines.append(f"  {one.kind}  {legible(collection.name(one.place))}  {one.rule}")
        if diff and one.kind not in (DuplicateKind.EXACT, DuplicateKind.NORMALISED):
            found = changes(kept, collection.quoted(one.place))
            lines.append("    " + legible(" ".join(_marked(before, after) for before, after in found)))
    return "\n".join(lines) + "\n"


def _marked(before: str, after: str) -> str:
    return (f"[-{before}-]" if before else "") + (f"{{+{after}+}}" if after else "")


# texts


def _save(collection: _Collection, gone: Callable[[int], Sequence[Place]], output: Path, *, level: Level) -> int:
    """Write what stays of each text; a text of which nothing stays is not written. Returns how many are."""
    return sum(
        save(source, collection.text(number), gone(number), output, level=level)
        for number, source in enumerate(collection.found)
    )


def save(source: Source, text: SourceText, gone: Sequence[Place], output: Path, *, level: Level) -> bool:
    """Write a text without some passages, below `output`; not one that is gone as a whole. Raises OutputError."""
    if level is Level.DOCUMENT and gone:
        return False
    target = output / source.place
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(target.parent, f"cannot be made: {reason(error)}") from error
    write_atomic(target, without(text.text, gone).encode(text.encoding))
    return True


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
    found: Iterable[Source],
    collection: _Collection,
    failures: Failures,
    *,
    memory: int | None,
    folder: Path | None,
    **wanted: Unpack[_Wanted],
) -> Iterator[tuple[Iterable[CopyGroup], Callable[[int], Sequence[Place]]]]:
    """The groups, and what is gone from each text: in memory, or on disk for as long as the `with` statement lasts."""
    texts = collection.read(found, failures)
    if memory is not None:
        with spilled(texts, memory=memory, folder=folder, dates=collection.dates, **wanted) as groups:
            yield groups, groups.gone
        return
    in_memory = dedupe(list(texts), dates=collection.dates, jobs=os.cpu_count() or 1, **wanted)
    gone: defaultdict[int, list[Place]] = defaultdict(list)
    for copy in (copy for group in in_memory for copy in group.copies):
        gone[copy.place.text].append(copy.place)
    yield in_memory, lambda number: gone.get(number, [])


@click.command("dedupe", cls=Configured)
@options.texts_argument
@click.option(
    "--level",
    type=click.Choice([*map(str, Level)]),
    default=str(Level.DOCUMENT),
    show_default=True,
    help="What is compared: whole texts, their paragraphs, their sentences, or any runs of the same words.",
)
@click.option(
    "--keep",
    type=click.Choice([*map(str, Keep)]),
    default=str(Keep.ORIGINAL),
    show_default=True,
    help="Which copy stays. original: the least spun, then the earliest file, then the longest.",
)
@click.option(
    "--min-words",
    type=click.IntRange(min=0),
    help="Leave shorter passages alone. [default: 0 for documents, 25 for paragraphs, 12 for sentences, "
    "50 for passages]",
)
@click.option("--format", "style", type=click.Choice(("text", "jsonl")), default="text", show_default=True)
@options.schema_option("copies", of="a line of --format jsonl")
@click.option("--diff", is_flag=True, help="Show the words in which each copy differs from what is kept.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the texts here, without the copies.",
)
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
@click.option("-q", "--quiet", is_flag=True, help="No summary line.")
def command(
    files: tuple[str, ...],
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

    FILES are texts, "-" (standard input), or directories, which are walked for *.txt and *.md. The report goes to
    standard output: for each group what is kept, and for each copy of it where it stands (code points), its kind, and
    the rule that makes it one. JSON is an object per group, with the copies' texts and scores. "Newest" and "earliest"
    go by the time when a file was last changed.

    --level passage finds long runs of the same words (50 or more) inside texts that differ otherwise.

    With -o, the texts go to DIR under the same names, without the copies; a text that is a copy as a whole is left
    out. Overlaps share much with what is kept and say more: they stay. No input is changed, and no group loses its
    last copy. With --memory, collections that are larger than memory are done, with the same result; an index
    (`unspin index`) spares reading the old texts again when new ones come.

    \b
    Examples:
      unspin dedupe articles/
      unspin dedupe --level paragraph --format jsonl --diff articles/ > copies.jsonl
      unspin dedupe --level passage -o unique articles/
      unspin dedupe --memory 2G --level paragraph -o unique crawl/
    """
    if level == Level.PASSAGE and memory is not None:
        raise click.UsageError("--level passage holds all in memory; leave --memory out")
    if level == Level.PASSAGE and min_words is not None and min_words < SHORTEST:
        raise click.UsageError(f"--level passage needs --min-words {SHORTEST} or more")
    if folder and memory is None:
        raise click.UsageError("--temp-dir needs --memory")
    found, errors = sources(files, skip=output)
    failures = Failures(errors)
    if output:
        refuse_targets(found, output, force=force)
    collection, counts, unit = _Collection(held=memory is None), _Counts(), Level(level)
    render = _json if style == "jsonl" else _words
    with progress("dedupe", shown=output is not None) as tell:
        wanted = _Wanted(
            level=unit,
            keep=Keep(keep),
            lexicon=Lexicon.load(*lexicons) if lexicons else default_lexicon(),
            min_words=MIN_WORDS[unit] if min_words is None else min_words,
            progress=tell,
        )
        with _groups(found, collection, failures, memory=memory, folder=folder, **wanted) as (groups, gone):
            for group in groups:
                product(render(collection, group, diff=diff))
                counts.add(group)
            written = _save(collection, gone, output, level=unit) if output else 0
    if not quiet:
        if output:
            say(f"{counted(written, 'text')} of {len(collection):,} written to {output}")
        say(counts.summary(level))
    failures.exit()
