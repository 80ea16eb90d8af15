"""`unspin review`: texts into a ledger, and the terminal or the browser over it; its status, export and import."""

from __future__ import annotations

import getpass
import io
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import click

from unspin.commands import options, terminal
from unspin.commands.clean import can_be_together, read_together, readable
from unspin.commands.options import Stages
from unspin.commands.review_ledger import ledger_option, name_of, place_of
from unspin.commands.review_status import command as status_command
from unspin.commands.terminal import Failures, counted, product, say
from unspin.consensus import Sibling
from unspin.errors import InputError, reason
from unspin.files import STDIN, Source, SourceText
from unspin.pipeline import examine, sign
from unspin.review.ledger import Ledger
from unspin.review.model import Added, Filter, Interface, Order, Reviewer
from unspin.review.overlay import with_own
from unspin.sources import sources

LINES = 1_000  # of an export, written at a time
START = "start"  # what `unspin review` does with words that are no command of its own


class _StartsWithFiles(click.Group):
    """A group whose own words are commands, and any other word is a file for START."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in context.help_option_names):
            args = [START, *args]
        return super().parse_args(context, args)

    def format_help(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        start = self.commands[START]
        formatter.write_usage(context.command_path, " ".join(start.collect_usage_pieces(context)))
        start.format_help_text(context, formatter)
        start.format_options(context, formatter)
        self.format_commands(context, formatter)


@click.group("review", cls=_StartsWithFiles)
def command() -> None:
    """Review texts, and look after the ledger of a review."""


def _reviewer(name: str | None, *, web: bool) -> Reviewer:
    try:
        name = name or getpass.getuser()
    except (KeyError, OSError) as error:  # no name for this user
        raise click.UsageError("say who reviews: --reviewer NAME") from error
    return Reviewer(name, Interface.WEB if web else Interface.TERMINAL)


class _Range(click.ParamType):  # type: ignore[type-arg]  # generic in later versions only
    """Two probabilities, "0.2..0.8"; one may be left out."""

    name = "range"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[float, float]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d*\.?\d*)\.\.(\d*\.?\d*)", value)
        low, high = (
            (float(part or default) for part, default in zip(found.groups(), (0, 1), strict=True)) if found else (1, 0)
        )
        if not 0.0 <= low <= high <= 1.0:
            self.fail(f"{value!r} is no range in 0..1, such as 0.2..0.8 or ..0.5", parameter, context)
        return low, high


def _filter(
    ledger: Ledger, target: str, confidence: tuple[float, float] | None, entries: Sequence[str], document: Path | None
) -> Filter:
    low, high = confidence or (None, None)
    number = None
    if document is not None:
        found = ledger.find(name=name_of(document, target)) or ledger.find(name=str(document))
        if found is None:
            raise InputError(document, f"is not in {ledger.name}; give it as one of FILES")
        number = found.id
    wanted = tuple(entry for words in entries for entry in ledger.entries(words)) if entries else None
    return Filter(document=number, entries=wanted, min_confidence=low, max_confidence=high)


def _add(
    ledger: Ledger, name: str, text: SourceText, copies: Sequence[Sibling], stages: Stages, how: dict[str, Any]
) -> Added:
    """Put a text and its proposals into the ledger; what is there already is not examined anew."""
    known = ledger.find(text=text.text)
    if known and known.names and known.signature == str(sign(**stages, **how, siblings=copies)):
        return ledger.rename(known.id, name, encoding=text.encoding)
    return ledger.add(name, *examine(text.text, **stages, **how, siblings=copies), encoding=text.encoding)


def _tell(ledger: Ledger, source: Source, added: Added, *, quiet: bool) -> None:
    counts = ledger.document(added.document).counts
    parts = [f"{counts.undecided:,} of {counted(counts.total, 'candidate')} to review"]
    if added.stale:
        parts.append(f"{counted(added.stale, 'answer')} to an earlier text or proposal no longer in force")
    if added.stale or not quiet:
        say(f"{source.name}: {', '.join(parts)}")


def _put(
    ledger: Ledger,
    target: str,
    found: Sequence[Source],
    stages: Stages,
    failures: Failures,
    *,
    together: bool,
    quiet: bool,
    **how: Any,
) -> int:
    """Put texts into the ledger, read together with their copies if so. How many were they?"""
    done = 0
    with terminal.progress("review", shown=len(found) > terminal.MANY) as report:
        texts = readable(found, failures, quiet=quiet)
        alone = ((source, text, list[Sibling]()) for source, text in texts)
        for source, text, copies in read_together(texts, stages, report) if together else alone:
            report("texts", done, len(found))
            with failures.told():
                assert source.path
                added = _add(ledger, name_of(source.path, target), text, copies, stages, how)
                _tell(ledger, source, added, quiet=quiet)
                done += 1
    return done


def _found(files: Sequence[str]) -> tuple[list[Source], Failures]:
    """The files to review; refused is what nobody can come back to."""
    if STDIN in files:
        raise click.UsageError("'-' cannot be reviewed: the ledger needs a file to come back to")
    found, errors = sources(files)
    if elsewhere := [source.url for source in found if source.url]:
        raise click.UsageError(f"{elsewhere[0]} cannot be reviewed: the ledger needs a file to come back to")
    return found, Failures(errors)


def _interface(*, web: bool, second_opinion: float | None) -> Any:
    """The module that shows a review. Refused, before any work is done, is what it cannot show."""
    interface: Any = import_module("unspin.commands.review_web" if web else "unspin.commands.review_terminal")
    if web:
        interface.require_page(second_opinion=second_opinion)
    else:
        interface.require_terminal()
    return interface


@command.command(START)
@click.argument("files", nargs=-1, metavar="[FILES]...", shell_complete=options.complete_paths)
@ledger_option
@click.option("--reviewer", metavar="NAME", envvar="UNSPIN_REVIEWER", help="Who decides. [default: the user's name]")
@click.option(
    "--order",
    type=click.Choice([*map(str, Order)]),
    help="Candidates come by the harm they may do, as they are read, or entry by entry. "
    "[default: risk; with --web: position]",
)
@click.option("--confidence", type=_Range(), metavar="LO..HI", help="Only candidates that are this sure.")
@click.option(
    "--entry",
    "entries",
    multiple=True,
    metavar="WORDS",
    help='Only entries with this phrase ("struggle"), or one entry ("struggle=war"); repeatable.',
)
@click.option("--document", type=click.Path(path_type=Path), metavar="FILE", help="Only what is in this text.")
@click.option(
    "--second-opinion",
    is_flag=False,
    flag_value=1.0,
    type=click.FloatRange(0.0, 1.0, min_open=True),
    metavar="[SHARE]",
    help="Judge anew what others decided, or a share of it, so that agreement can be told.",
)
@options.confidence_option
@options.keep_duplicates_option
@options.no_siblings_option
@options.stages_options
@options.colour_option
@click.option("--web", is_flag=True, help="Review in the browser. Needs: pip install 'unspin[web]'")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="PORT", help="With --web. [default: any that is free]"
)
@click.option("--no-open", is_flag=True, help="With --web: say where the page is, and open no browser.")
@options.quiet_option
def start_command(
    files: tuple[str, ...],
    ledger: str,
    reviewer: str | None,
    order: str | None,
    confidence: tuple[float, float] | None,
    entries: tuple[str, ...],
    document: Path | None,
    second_opinion: float | None,
    min_confidence: float,
    keep_duplicates: bool,
    no_siblings: bool,
    lexicons: tuple[str, ...],
    model: Path | None,
    ranker: str,
    colour: bool | None,
    web: bool,
    port: int,
    no_open: bool,
    quiet: bool,
) -> None:
    """Review proposed corrections: see each in its sentence, accept, reject, replace, undo.

    FILES are texts, or directories, which are walked for *.txt and *.md. Their candidates go into the ledger, which
    keeps every answer at once; without FILES the review goes on with what is there. Texts are changed by
    `unspin apply` alone.

    A file whose name is a command below is given as ./NAME.

    \b
    Examples:
      unspin review articles/
      unspin review --order entry --confidence 0.3..0.8
      unspin review --second-opinion 0.1 --reviewer bert
      unspin review --web scraped.txt
    """
    found, failures = _found(files)
    by = _reviewer(reviewer, web=web)
    interface = _interface(web=web, second_opinion=second_opinion)
    how_shown: dict[str, Any] = {"port": port, "open_browser": not no_open} if web else {}
    how = {"min_confidence": min_confidence, "keep_duplicates": keep_duplicates}
    with Ledger(ledger, create=bool(found)) as opened:
        done = 0
        if found:
            stages = options.stages(with_own(lexicons, place_of(ledger)), model, ranker)
            together = not no_siblings and can_be_together(found, quiet=quiet)
            done = _put(opened, ledger, found, stages, failures, together=together, quiet=quiet, **how)
        if done or not files:
            interface.run(
                opened,
                reviewer=by,
                wanted=_filter(opened, ledger, confidence, entries, document),
                order=Order(order or (Order.POSITION if web else Order.RISK)),
                second_opinion=second_opinion,
                lexicons=lexicons,
                colour=colour,
                **how_shown,
            )
    failures.exit()


command.add_command(status_command)


# export, import


@command.command("export")
@ledger_option
@options.schema_option("review", of="a line")
def export_command(ledger: str) -> None:
    """Write a ledger to standard output, as JSON Lines: texts, what is proposed for them, and every decision.

    \b
    Examples:
      unspin review export > review.jsonl
      unspin review export | jq -r 'select(.kind == "decision") | .reviewer' | sort | uniq -c
    """
    with Ledger(ledger, create=False) as opened:
        lines = opened.exported()
        while some := "".join(islice(lines, LINES)):
            product(some)


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file, or of standard input ("-"). Raises InputError."""
    try:
        if str(path) == STDIN:
            yield from io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="\n")
        else:
            with path.open(encoding="utf-8", newline="\n") as file:
                yield from file
    except OSError as error:
        raise InputError(path, reason(error)) from error
    except UnicodeDecodeError as error:
        raise InputError(path, f"cannot be read as UTF-8 ({error.reason} at byte {error.start})") from error


@command.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True), metavar="FILES...")
@ledger_option
def import_command(files: tuple[Path, ...], ledger: str) -> None:
    """Add exported ledgers to this one.

    What is here already is not added again. Of several decisions on a candidate the latest is in force, so that people
    may review apart from one another and join what they decided. A file is added as a whole or, if any line is wrong,
    not at all.

    \b
    Examples:
      unspin review import anna.jsonl bert.jsonl
      unspin review export --ledger old.db | unspin review import -
    """
    failures = Failures()
    with Ledger(ledger) as opened:
        for path in files:
            with failures.told():
                new = opened.take_in(_lines(path), name=str(path))
                parts = (
                    counted(new.documents, "text"),
                    counted(new.items, "candidate"),
                    counted(new.decisions, "decision"),
                )
                say(f"{path}: new are {', '.join(parts)}")
    failures.exit()
