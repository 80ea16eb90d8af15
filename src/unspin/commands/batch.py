"""`unspin batch`: a whole scrape in, in whatever formats; a folder with the cleaned scrape, and what was done, out."""

from __future__ import annotations

import os
from pathlib import Path

import click

from unspin import endpoint as chat
from unspin.batch.folder import Folder
from unspin.batch.model import Copies, Plan, Settings, Tally
from unspin.batch.runner import run
from unspin.commands import options, terminal
from unspin.commands.config import Configured
from unspin.commands.meter import meter
from unspin.commands.terminal import FAILED, counted, say
from unspin.errors import InputError
from unspin.files import Source
from unspin.formats import SUFFIXES, Format

_SCHEMAS = {"edits": "edit", "held": "held", "duplicates": "duplicates", "errors": "errors"}


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def refuse(found: list[Source], output: Path) -> None:
    """Before any work is done: inputs that lie in the output, and two that would become one file."""
    inside, places = os.path.realpath(output), dict[Path, Source]()
    for source in found:
        if source.path and Path(os.path.realpath(source.path)).is_relative_to(inside):
            raise click.UsageError(f"{source.name} lies in the output, {output}; choose another DIR")
        other = places.setdefault(source.place, source)
        if other is not source:
            raise click.UsageError(
                f"{other.name} and {source.name} would become one file, {source.place}; clean them one after the other"
            )


def told(tally: Tally, output: Path) -> None:
    """Sum a batch up."""
    spun = f"{tally.spun:,} spun" if tally.documents else "none"
    also = f", {tally.known:,} of them before" if tally.known else ""
    say(f"{output}: {counted(tally.documents, 'document')}{also}; {spun}, {counted(tally.words, 'word')}")
    done = [counted(tally.swaps, "swap") + " restored", f"{tally.held:,} held"]
    done += [counted(tally.repeats, "repeated paragraph") + " removed"] if tally.repeats else []
    done += [counted(tally.copies, "copy", "copies") + " among the documents"] if tally.copies else []
    say(f"{output}: {', '.join(done)}")
    if tally.errors:
        say(f"{output}: {counted(tally.errors, 'error')}, in {Folder(output).errors}")


@click.command("batch", cls=Configured)
@options.inputs_options
@options.out_format_option
@options.output_option("Write here; what an earlier run did here is not done again.", required=True)
@options.schemas_option(_SCHEMAS, of="a line of such a file in DIR")
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Worker processes. [default: one a processor]"
)
@click.option(
    "--copies",
    type=click.Choice([*map(str, Copies)]),
    default=str(Copies.ALONE),
    show_default=True,
    help="Read each document alone, in one pass; together with its copies, which are found first; or the same, and "
    "remove copies.",
)
@options.confidence_option
@options.keep_duplicates_option
@options.screen_option
@click.option("--max-errors", type=click.IntRange(min=0), metavar="N", help="Stop after more than so many errors.")
@options.search_option
@options.stages_options
@click.option("--force", is_flag=True, help="Begin anew in a DIR that was made otherwise.")
@options.quiet_option
def command(
    inputs: options.Inputs,
    out: str | None,
    output: Path,
    jobs: int | None,
    copies: str,
    min_confidence: float,
    keep_duplicates: bool,
    screen: bool,
    max_errors: int | None,
    memory: int,
    lexicons: tuple[str, ...],
    model: Path | None,
    ranker: str,
    force: bool,
    quiet: bool,
) -> None:
    """Clean a whole scrape.

    FILES are texts, Markdown, pages, JSON Lines, CSV, TSV, Parquet or WARC, packed (.gz, .zst) or not, patterns, URLs,
    directories of such, or "-" (standard input). The restored texts go to DIR/cleaned, in the formats they came
    in and at the same places; DIR/edits has every change, DIR/held what waits for a person, as JSON Lines;
    DIR/duplicates.jsonl tells of copies, DIR/errors.jsonl of what could not be read or restored. One document that
    fails does not keep the others back; the exit code is 3 then.

    A batch may be stopped at any moment. The same command goes on where it stopped, and the output is the same as if it
    had never stopped, with however many workers. Documents whose words look clean are not decoded; --no-screen decodes
    them, too. Standard input may be endless: it is cleaned as it comes, into one file for every 10,000 documents.

    \b
    Examples:
      unspin batch -o cleaned scrape/
      unspin batch -o cleaned --jobs 8 --copies together scrape/ more.jsonl.gz
      zcat scrape.jsonl.gz | unspin batch -o cleaned -
      unspin batch --schema held > held.schema.json
    """
    if chat.is_url(ranker):
        raise click.UsageError("a URL decides what is held, for `unspin clean --ranker URL` alone")
    found, errors = inputs.found(skip=output, walked=SUFFIXES)
    refuse(found, output)
    plan = Plan(
        output=output,
        settings=Settings(lexicons, str(model or ""), ranker, min_confidence, keep_duplicates, screen),
        reading=inputs.reading,
        out=Format(out) if out else None,
        copies=Copies(copies),
        jobs=jobs or cores(),
        max_errors=max_errors,
        memory=memory,
    )
    tally = _run(found, errors, plan, force=force, quiet=quiet)
    if not quiet:
        told(tally, output)
    click.get_current_context().exit(FAILED if tally.errors else 0)


def _run(found: list[Source], errors: list[InputError], plan: Plan, *, force: bool, quiet: bool) -> Tally:
    """Run the batch behind a progress bar; say how to go on where it is stopped."""
    try:
        with meter(found, shown=not quiet) as shown, terminal.progress("copies", shown=not quiet) as searched:
            return run(found, plan, failed=errors, force=force, told=shown, progress=searched)
    except (KeyboardInterrupt, SystemExit):
        say(f"{plan.output}: stopped; the same command goes on from here")
        raise
