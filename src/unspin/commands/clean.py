"""`unspin clean`: texts in; restored texts, or diffs, out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from unspin.ask import decide_held
from unspin.commands import options, terminal
from unspin.commands.options import Stages
from unspin.commands.terminal import Failures, counted, product, say
from unspin.consensus import Sibling
from unspin.diff import DiffStyle, render
from unspin.edit import cleaned
from unspin.endpoint import Endpoint, is_url
from unspin.errors import OutputError
from unspin.files import Source, SourceText, exists, read_text, sources, write_atomic
from unspin.model import DecidedBy, Restoration
from unspin.pipeline import restore
from unspin.rank import DEFAULT as DEFAULT_RANKER
from unspin.schemas import schema

FOUND_WORK = 1  # exit code of --check
_SUFFIXES = {
    DiffStyle.WORDS: ".words",
    DiffStyle.UNIFIED: ".diff",
    DiffStyle.HTML: ".html",
    DiffStyle.JSON: ".jsonl",
}


@dataclass(frozen=True, slots=True)
class _Delivery:
    """Where restored texts and diffs go: to standard output, unless one of the others is set."""

    output: Path | None
    write: bool
    check: bool
    diff: DiffStyle | None
    colour: bool
    quiet: bool

    def __post_init__(self) -> None:
        if (self.output is not None) + self.write + self.check > 1:
            raise click.UsageError("--check, --write and -o exclude one another")

    def targets(self, source: Source) -> tuple[Path, ...]:
        """The files below the output directory: the text and, if one is made, its diff."""
        if self.output is None:
            return ()
        text = self.output / source.place
        return (text, text.with_name(text.name + _SUFFIXES[self.diff])) if self.diff else (text,)


def _plan(found: Sequence[Source], delivery: _Delivery, *, force: bool) -> None:
    """Refuses, before any work is done, what cannot end well."""
    if delivery.write and any(source.path is None for source in found):
        raise click.UsageError("--write changes files; standard input is none")
    if delivery.diff in (DiffStyle.HTML, DiffStyle.JSON) and delivery.output is None and len(found) > 1:
        raise click.UsageError(f"--diff {delivery.diff} of several texts needs -o DIR, a file for each")
    inputs = {os.path.realpath(source.path) for source in found if source.path}
    planned: set[Path] = set()
    for source in found:
        for target in delivery.targets(source):
            if os.path.realpath(target) in inputs:
                raise click.UsageError(f"{target} is an input; choose another DIR, or --write")
            if target in planned:
                raise click.UsageError(f"two texts would become {target}; give them one after the other")
            planned.add(target)
            options.refuse_existing(target, force=force)


def summary(restoration: Restoration) -> str:
    """What was done to a text, in one line."""
    made = [edit.decided_by for edit in restoration.edits]
    removed = sum(len(group.repeats) for group in restoration.duplicates)
    spin = restoration.spin
    parts = [counted(removed, "paragraph") + " removed"] if removed else []
    if spin.is_spun:
        told = made.count(DecidedBy.SIBLING)
        swaps = made.count(DecidedBy.DECODER) + made.count(DecidedBy.ENDPOINT) + told
        parts.append(counted(swaps, "swap") + " restored" + (f" ({told:,} as siblings have it)" if told else ""))
    if mended := made.count(DecidedBy.AGREEMENT) + made.count(DecidedBy.DEBRIS):
        parts.append(f"{mended:,} mended")
    if spin.is_spun or restoration.held:
        parts.append(f"{len(restoration.held):,} held")
    if not spin.is_spun:
        return ", ".join(["no spin evidence", *(parts or ["unchanged"])])
    return ", ".join([*parts, f"spin rate {spin.rate:.2f}", f"evidence {spin.evidence:.2f} nats/word"])


def _asked(restoration: Restoration, endpoint: Endpoint, name: str, *, quiet: bool) -> Restoration:
    """The restoration as the endpoint decides what is held."""
    decided = decide_held(restoration, endpoint)
    swaps = [edit.decided_by for edit in decided.edits].count(DecidedBy.ENDPOINT)
    alone = len(restoration.held) - len(decided.held) - swaps
    if restoration.held and not quiet:
        say(f"{name}: the endpoint restored {swaps:,} and left {alone:,} alone of {len(restoration.held):,} held")
    return decided


def _account(endpoint: Endpoint) -> None:
    """What the endpoint did not decide, and why."""
    if endpoint.unanswered:
        say(f"held for want of a usable answer: {counted(endpoint.unanswered, 'candidate')}")
    if endpoint.unasked:
        spent = f"the budget of {counted(endpoint.budget, 'request')} is spent (--budget)"
        say(f"held, not asked about: {counted(endpoint.unasked, 'candidate')}; {spent}")


def _read_siblings(paths: Sequence[Path], found: Sequence[Source], stages: Stages, *, quiet: bool) -> list[Sibling]:
    """The siblings of the one text. Says what each is good for. Raises InputError."""
    if paths and len(found) != 1:
        raise click.UsageError("--siblings are copies of one text; give one FILE")
    copies = [Sibling.read(read_text(path), **stages) for path in paths]
    for path, copy in zip(paths, copies, strict=True):
        if not quiet:
            say(f"{path}: a sibling, " + ("unspun: its words win" if copy.is_unspun else "read as a spun one"))
    return copies


def _save(path: Path, text: str, encoding: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text.encode(encoding, "surrogateescape" if encoding == "utf-8" else "strict"))
    except UnicodeEncodeError as error:
        bad = error.object[error.start : error.end]
        raise OutputError(path, f"{encoding} cannot hold {bad!r}; convert the text to UTF-8 first") from error
    except OSError as error:
        raise OutputError(path.parent, f"cannot be made: {(error.strerror or str(error)).lower()}") from error


def _deliver(source: Source, text: SourceText, restoration: Restoration, delivery: _Delivery, *, several: bool) -> bool:
    """Put everything where it belongs. Does the restoration change the text?"""
    after = cleaned(restoration)
    changes = after != text.text
    style = delivery.diff
    paths = delivery.targets(source)
    on_screen = delivery.colour and not paths
    diff = render(restoration, style=style, name=source.name, colour=on_screen) if style else ""
    if paths:
        _save(paths[0], after, text.encoding)
        if style:
            _save(paths[1], diff, "utf-8")
    elif style:
        title = f"==> {terminal.legible(source.name)} <==\n" if several and style is DiffStyle.WORDS else ""
        product(title + diff + ("\n" if title and not diff.endswith("\n") else ""))
    elif not (delivery.write or delivery.check):
        product(after)
    if delivery.write and changes and source.path:
        _save(source.path, after, text.encoding)
    if not delivery.quiet:
        verb = "would change: " if delivery.check and changes else ""
        say(f"{source.name}: {verb}{summary(restoration)}")
    return changes


def _schema(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        product(schema("edit"))
        context.exit()


@click.command("clean")
@options.texts_argument
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write here.")
@click.option("--write", is_flag=True, help="Change the files in place.")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if anything would change.")
@click.option("--diff", type=click.Choice([*map(str, DiffStyle)]), help="Show the changes, in this style.")
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_schema,
    help="Print the JSON Schema of a line of --diff json, and exit.",
)
@options.confidence_option
@click.option("--keep-duplicates", is_flag=True, help="Leave repeated paragraphs alone.")
@click.option(
    "--siblings",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Another copy of the same original, spun otherwise or not at all, to read along; repeatable, for one text.",
)
@options.lexicon_option
@options.model_option
@options.endpoint_options
@options.colour_option
@options.force_option
@click.option("-q", "--quiet", is_flag=True, help="No summary lines.")
def command(
    files: tuple[str, ...],
    output: Path | None,
    write: bool,
    check: bool,
    diff: str | None,
    min_confidence: float,
    keep_duplicates: bool,
    siblings: tuple[Path, ...],
    lexicons: tuple[str, ...],
    model: Path | None,
    ranker: str,
    ranker_model: str | None,
    batch: int,
    budget: int,
    cache: bool,
    colour: bool | None,
    force: bool,
    quiet: bool,
) -> None:
    """Remove repeated paragraphs and map swaps back.

    FILES are texts, "-" (standard input), or directories, which are walked for *.txt and *.md. The
    restored texts go to standard output, one after the other, in UTF-8; a line for each on standard error
    sums up. A text without spin evidence keeps its words.

    With --write, files are changed in place; with -o, they go to DIR under the same names; either way
    in the encoding they came in, and whole or not at all.

    With --diff, a diff takes the restored text's place on standard output. With -o both are written, the diff
    as NAME.words, NAME.diff, NAME.html or NAME.jsonl. The offsets in JSON count code points of the text,
    a byte-order mark included.

    With --siblings, copies of the same original are read together: what was written must explain every copy, and
    where one was not spun, its words win.

    With --ranker URL, a language model decides what would be held for its confidence, its entry's status or a name:
    it chooses among the lexicon's options, and can write nothing else. The sentences around these candidates
    are sent to the URL; without a URL nothing is ever sent. A key is taken from UNSPIN_API_KEY or, without
    it, from OPENAI_API_KEY. If the endpoint fails, so does the command, and texts not yet written stay as they are.

    \b
    Examples:
      unspin clean scraped.txt > restored.txt
      unspin clean -o restored --diff html articles/
      curl -s https://example.org/text | unspin clean --check -
      unspin clean --ranker http://localhost:8080 --min-confidence 0.9 scraped.txt
    """
    delivery = _Delivery(output, write, check, DiffStyle(diff) if diff else None, terminal.wants_colour(colour), quiet)
    found, errors = sources(files, skip=output)
    failures = Failures(errors)
    _plan(found, delivery, force=force)
    stages = options.stages(lexicons, model, DEFAULT_RANKER if is_url(ranker) else ranker)
    copies = _read_siblings(siblings, found, stages, quiet=quiet)
    restored = partial(
        restore, **stages, min_confidence=min_confidence, keep_duplicates=keep_duplicates, siblings=copies
    )
    changed = False
    asking = options.endpoint(ranker, model=ranker_model, batch=batch, budget=budget, cache=cache)
    with asking as endpoint, terminal.progress("clean", shown=_is_long(found, delivery)) as report:
        for done, source in enumerate(found):
            report("texts", done, len(found))
            with failures.told():
                text = options.read_aloud(source, quiet=quiet)
                restoration = restored(text.text)
                if endpoint:
                    restoration = _asked(restoration, endpoint, source.name, quiet=quiet)
                changed |= _deliver(source, text, restoration, delivery, several=len(found) > 1)
            if endpoint and endpoint.is_lost:  # it would fail for the others, too
                say(f"{source.name}: not done, and none after it")
                break
        if endpoint:
            _account(endpoint)
    failures.exit(FOUND_WORK if check and changed else 0)


def _is_long(found: Sequence[Source], delivery: _Delivery) -> bool:
    """Long enough for a progress bar, which would stand in the way of a text on the same terminal."""
    is_silent = delivery.output is not None or delivery.write or (delivery.check and not delivery.diff)
    files = (source.path for source in found if source.path and exists(source.path))
    sizes = (path.stat().st_size for path in files if path.is_file())
    is_long = len(found) > terminal.MANY or max(sizes, default=0) > terminal.LARGE
    return is_long and (is_silent or not terminal.is_terminal(sys.stdout))
