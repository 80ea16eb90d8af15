"""`unspin dedupe`: texts in; a report of their copies, or the texts without them, out."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from unspin.commands import options
from unspin.commands.terminal import Failures, counted, legible, product, progress, say
from unspin.copies import changes, dedupe, without
from unspin.errors import OutputError
from unspin.files import Source, SourceText, sources, write_atomic
from unspin.lexicon import Lexicon
from unspin.model import Copy, CopyGroup, DuplicateKind, Keep, Level, Place
from unspin.pipeline import default_lexicon

MIN_WORDS = {Level.DOCUMENT: 0, Level.PARAGRAPH: 25, Level.SENTENCE: 12}  # shorter ones repeat on purpose
OPENING = 70  # characters of a passage that a report in words shows


@dataclass(frozen=True, slots=True)
class _Collection:
    """The texts that could be read, and where they come from."""

    found: list[Source]
    texts: list[SourceText]

    @property
    def dates(self) -> list[float]:
        """When each file was last changed; standard input is newer than any."""
        return [s.path.stat().st_mtime if s.path else float("inf") for s in self.found]

    def quoted(self, place: Place) -> str:
        return self.texts[place.text].text[place.start : place.end]

    def name(self, place: Place) -> str:
        return f"{self.found[place.text].name}:{place.start}-{place.end}"


def _read(found: Iterable[Source], failures: Failures) -> _Collection:
    collection = _Collection([], [])
    for source in found:
        with failures.told():
            collection.texts.append(options.read_aloud(source))
            collection.found.append(source)
    return collection


def _targets(found: Sequence[Source], output: Path, *, force: bool) -> None:
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


def _save(collection: _Collection, groups: Sequence[CopyGroup], output: Path, *, level: Level) -> int:
    """Write what stays of each text; a text of which nothing stays is not written. Returns how many are."""
    gone: defaultdict[int, list[Place]] = defaultdict(list)
    for group in groups:
        for copy in group.copies:
            gone[copy.place.text].append(copy.place)
    written = 0
    for number, (source, text) in enumerate(zip(collection.found, collection.texts, strict=True)):
        if level is Level.DOCUMENT and gone[number]:
            continue
        target = output / source.place
        encoding = text.encoding
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(target.parent, f"cannot be made: {(error.strerror or str(error)).lower()}") from error
        write_atomic(target, without(text.text, gone[number]).encode(encoding))
        written += 1
    return written


def _summary(groups: Sequence[CopyGroup], passages: str) -> str:
    kinds = Counter(copy.kind for group in groups for copy in group.copies)
    overlaps = sum(len(group.overlaps) for group in groups)
    also = f"; {counted(overlaps, 'overlap')} left alone" if overlaps else ""
    if not kinds:
        return f"no {passages} is a copy of another{also}"
    parts = ", ".join(f"{kinds[kind]:,} {kind}" for kind in DuplicateKind if kinds[kind])
    kept = sum(bool(group.copies) for group in groups)
    return f"{counted(kinds.total(), 'copy', 'copies')} of {counted(kept, passages)}: {parts}{also}"


@click.command("dedupe")
@options.texts_argument
@click.option(
    "--level",
    type=click.Choice([*map(str, Level)]),
    default=str(Level.DOCUMENT),
    show_default=True,
    help="What is compared: whole texts, their paragraphs, or their sentences.",
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
    help="Leave shorter passages alone. [default: 0 for documents, 25 for paragraphs, 12 for sentences]",
)
@click.option("--format", "style", type=click.Choice(("text", "jsonl")), default="text", show_default=True)
@click.option("--diff", is_flag=True, help="Show the words in which each copy differs from what is kept.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the texts here, without the copies.",
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
    lexicons: tuple[str, ...],
    force: bool,
    quiet: bool,
) -> None:
    """Find copies across texts: exact, normalised, near, respun and contained; and overlaps.

    FILES are texts, "-" (standard input), or directories, which are walked for *.txt and *.md. The report goes to
    standard output: for each group what is kept, and for each copy of it where it stands (code points), its kind, and
    the rule that makes it one. JSON is an object per group, with the copies' texts and scores. "Newest" and "earliest"
    go by the time when a file was last changed.

    With -o, the texts go to DIR under the same names, without the copies; a text that is a copy as a whole is left
    out. Overlaps share much with what is kept and say more: they stay. No input is changed, and no group loses its
    last copy.

    \b
    Examples:
      unspin dedupe articles/
      unspin dedupe --level paragraph --format jsonl --diff articles/ > copies.jsonl
      unspin dedupe --keep longest -o unique articles/
    """
    found, errors = sources(files, skip=output)
    failures = Failures(errors)
    if output:
        _targets(found, output, force=force)
    collection = _read(found, failures)
    wanted = Level(level)
    with progress("dedupe", shown=output is not None) as tell:
        groups = dedupe(
            [text.text for text in collection.texts],
            level=wanted,
            keep=Keep(keep),
            dates=collection.dates,
            lexicon=Lexicon.load(*lexicons) if lexicons else default_lexicon(),
            min_words=MIN_WORDS[wanted] if min_words is None else min_words,
            jobs=os.cpu_count() or 1,
            progress=tell,
        )
    render = _json if style == "jsonl" else _words
    for group in groups:
        product(render(collection, group, diff=diff))
    if output:
        written = _save(collection, groups, output, level=wanted)
        if not quiet:
            say(f"{counted(written, 'text')} of {len(collection.texts):,} written to {output}")
    if not quiet:
        say(_summary(groups, wanted))
    failures.exit()
