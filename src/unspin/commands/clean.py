"""`unspin clean`: texts in; restored texts, diffs, or reports of what would change, out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import click

from unspin.ask import decide_held
from unspin.commands import options, terminal
from unspin.commands.config import Configured
from unspin.commands.delivery import FOUND_WORK, Delivery, delivery_options
from unspin.commands.options import Stages
from unspin.commands.terminal import Failures, counted, say
from unspin.consensus import Sibling
from unspin.endpoint import Endpoint, is_url
from unspin.files import Source, SourceText, exists, read_text, sources
from unspin.model import DecidedBy, Progress, Restoration
from unspin.pipeline import restore
from unspin.rank import DEFAULT as DEFAULT_RANKER
from unspin.siblings import Collection

MOST_TOGETHER = 200_000_000  # bytes of text in which copies are looked for; it takes about a dozen times as much memory


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


@click.command("clean", cls=Configured)
@options.texts_argument
@delivery_options
@options.confidence_option
@click.option("--keep-duplicates", is_flag=True, help="Leave repeated paragraphs alone.")
@click.option(
    "--siblings",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Another copy of the same original, spun otherwise or not at all, to read along; repeatable, for one text.",
)
@click.option("--no-siblings", is_flag=True, help="Read each of several texts alone.")
@options.lexicon_option
@options.model_option
@options.endpoint_options
@options.colour_option
@options.force_option
@click.option("-q", "--quiet", is_flag=True, help="No summary lines.")
def command(
    files: tuple[str, ...],
    delivery: Delivery,
    min_confidence: float,
    keep_duplicates: bool,
    siblings: tuple[Path, ...],
    no_siblings: bool,
    lexicons: tuple[str, ...],
    model: Path | None,
    ranker: str,
    ranker_model: str | None,
    batch: int,
    budget: int,
    cache: bool,
) -> None:
    """Remove repeated paragraphs and map swaps back.

    FILES are texts, "-" (standard input), or directories, which are walked for *.txt and *.md. The restored texts go
    to standard output, in UTF-8; a line for each on standard error sums up. A text without spin evidence keeps its
    words. With --write, files are changed in place; with -o, they go to DIR under the same names; either way
    in the encoding they came in, and whole or not at all.

    With --diff, a diff takes the restored text's place on standard output; with -o both are written, the diff as
    NAME.words, .diff, .html, .jsonl, .docx (tracked changes), .critic.md (CriticMarkup) or .m2. The offsets in JSON
    count code points, a byte-order mark included. With --check --format, every change to make is reported.

    Copies of the same original are read together: what was written must explain every copy, and where one was not
    spun, its words win. They are found among the texts, unless --no-siblings has each read alone; for a single
    text, --siblings names them.

    With --ranker URL, a language model decides what would be held for its confidence, its entry's status or a name:
    it chooses among the lexicon's options, and can write nothing else. The sentences around these candidates
    are sent to the URL; without a URL nothing is ever sent. A key is taken from UNSPIN_API_KEY or, without
    it, from OPENAI_API_KEY. If the endpoint fails, so does the command, and texts not yet written stay as they are.

    \b
    Examples:
      unspin clean scraped.txt > restored.txt
      unspin clean -o restored --diff docx articles/
      unspin clean --check --format sarif articles/ > unspin.sarif
      unspin clean --ranker http://localhost:8080 --min-confidence 0.9 scraped.txt
    """
    found, errors = sources(files, skip=delivery.output)
    failures = Failures(errors)
    delivery.plan(found)
    quiet = delivery.quiet
    if siblings and (no_siblings or len(found) != 1):
        wrong = "are read or not" if no_siblings else "are copies of one text; give one FILE"
        raise click.UsageError(f"--siblings {wrong}")
    together = not no_siblings and can_be_together(found, quiet=quiet)
    stages = options.stages(lexicons, model, DEFAULT_RANKER if is_url(ranker) else ranker)
    given = _read_siblings(siblings, stages, quiet=quiet)
    restored = partial(restore, **stages, min_confidence=min_confidence, keep_duplicates=keep_duplicates)
    changed, accompanied = False, 0
    asking = options.endpoint(ranker, model=ranker_model, batch=batch, budget=budget, cache=cache)
    with (
        asking as endpoint,
        delivery.reported(failures),
        terminal.progress("clean", shown=_is_long(found, delivery)) as told,
    ):
        texts = readable(found, failures, quiet=quiet)
        alone = ((source, text, given) for source, text in texts)
        for done, (source, text, copies) in enumerate(read_together(texts, stages, told) if together else alone):
            told("texts", done, len(found))
            with failures.told():
                restoration = restored(text.text, siblings=copies)
                accompanied += bool(restoration.siblings)
                if endpoint:
                    restoration = _asked(restoration, endpoint, source.name, quiet=quiet)
                changed |= delivery.deliver(source, text, restoration, several=len(found) > 1)
            if endpoint and endpoint.is_lost:  # it would fail for the others, too
                say(f"{source.name}: not done, and none after it")
                break
        if endpoint:
            _account(endpoint)
    if together and accompanied and not quiet:
        say(f"{accompanied:,} of {counted(len(found), 'text')} read together with copies of them among the others")
    failures.exit(FOUND_WORK if delivery.check and changed else 0)


def _sizes(found: Sequence[Source]) -> list[int]:
    """Of the files, in bytes."""
    files = (source.path for source in found if source.path and exists(source.path))
    return [path.stat().st_size for path in files if path.is_file()]


def can_be_together(found: Sequence[Source], *, quiet: bool) -> bool:
    """Are there several texts, and can all be held in memory?"""
    if len(found) == 1:
        return False
    if (fits := sum(_sizes(found)) <= MOST_TOGETHER) or quiet:
        return fits
    say(f"more than {MOST_TOGETHER // 1_000_000:,} MB: copies among the texts are not looked for; clean them in parts")
    return False


def _is_long(found: Sequence[Source], delivery: Delivery) -> bool:
    """Long enough for a progress bar, which would stand in the way of a text on the same terminal."""
    is_long = len(found) > terminal.MANY or max(_sizes(found), default=0) > terminal.LARGE
    return is_long and (delivery.is_silent or not terminal.is_terminal(sys.stdout))
