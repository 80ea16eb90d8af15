"""`unspin lexicon`: look after the table of swaps."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import click

from unspin.align import read_pairs
from unspin.commands import coverage, examples, lexicon_suggest, options, terminal
from unspin.commands.delivery import summary
from unspin.commands.inspect import candidate_table
from unspin.commands.terminal import Failures, counted, legible, product, say
from unspin.diff import DiffStyle, render
from unspin.errors import FormatError
from unspin.files import STDIN, Source, exists, write_atomic
from unspin.inflect import measured, propose
from unspin.lexicon import DEFAULT, Lexicon, Line, Phrase, check, find, formatted, read
from unspin.model import Entry, Status
from unspin.pipeline import inspect, restore
from unspin.text import phrase

FOUND_ERRORS = 1  # exit code of check

_lexicons = click.argument("lexicons", nargs=-1, metavar="[LEXICONS]...", shell_complete=options.complete_lexicons)


@click.group("lexicon")
def command() -> None:
    """Check, format, count, try, look up, inflect and merge lexicons; learn from reviews.

    A lexicon is a table (TSV, UTF-8) of swaps: spun, original, rate, seen, status, source, note. LEXICON is the path
    of one, or the name of a shipped one (en-autoblog, en-autoblog.curated).

    \b
    Examples:
      unspin lexicon check mine.tsv
      unspin lexicon show struggle
      unspin lexicon try "The struggle ended"
    """


command.add_command(lexicon_suggest.command)

# check


def _problems(path: Path, stages: options.Stages) -> Iterator[tuple[bool, str]]:
    """Whether each problem is an error, and what it says with its place."""
    try:
        _, lines = read(path)
        for problem in check(lines):
            yield problem.is_error, str(FormatError(path, problem.message, line=problem.line))
        beside = examples.beside(path)
        if exists(beside):
            lexicon = Lexicon((line.entry for line in lines if line.entry), name=path.stem)
            for failure in examples.failures(beside, lexicon, stages["model"], stages["ranker"]):
                yield True, str(failure)
    except FormatError as error:  # beyond a malformed line there is nothing to check
        yield True, str(error)


@command.command("check")
@_lexicons
@options.model_option
@options.ranker_option
@click.option("-v", "--verbose", is_flag=True, help="Show also what merits a look but is no error, such as loops.")
def check_command(lexicons: tuple[str, ...], model: Path | None, ranker: str, verbose: bool) -> None:
    """Look for errors: form, order, repetition, impossible rates.

    Says file:line:column and what is wrong, and exits 1 if anything is. Runs the examples beside a lexicon, too
    (NAME.examples.tsv): a sentence a line, with [[spun|original]] where it must be restored so, without where it must
    be left alone.

    \b
    Examples:
      unspin lexicon check
      unspin lexicon check -v mine.tsv
    """
    failures = Failures()
    stages = options.stages(model=model, ranker=ranker)
    errors = 0
    for name in lexicons or (DEFAULT,):
        with failures.told():
            path = find(name)
            found = list(_problems(path, stages))
            for is_error, message in found:
                if is_error or verbose:
                    product(message + ("" if is_error else " (no error)") + "\n")
            wrong = sum(is_error for is_error, _ in found)
            errors += wrong
            say(f"{path}: {counted(wrong, 'error')}, {counted(len(found) - wrong, 'remark')}")
    failures.exit(FOUND_ERRORS if errors else 0)


# format, merge


@command.command("format")
@_lexicons
@click.option("--write", is_flag=True, help="Change the files in place.")
def format_command(lexicons: tuple[str, ...], write: bool) -> None:
    """Sort a lexicon, and write its numbers alike; comments stay above their entry.

    \b
    Examples:
      unspin lexicon format mine.tsv > sorted.tsv
      unspin lexicon format --write mine.tsv
    """
    if not write and len(lexicons) > 1:
        raise click.UsageError("several lexicons need --write")
    failures = Failures()
    for name in lexicons or (DEFAULT,):
        with failures.told():
            path = find(name)
            text = formatted(*read(path))
            if not write:
                product(text)
            elif text.encode() != path.read_bytes():
                write_atomic(path, text.encode())
                say(f"{path}: formatted")
    failures.exit()


def _possible(merged: dict[tuple[Phrase, Phrase], Line]) -> Iterator[Line]:
    """Lines whose rates are probabilities: those of one original sum to 1 at most."""
    total: defaultdict[Phrase, float] = defaultdict(float)
    for (_, original), line in merged.items():
        if line.entry and line.entry.status != Status.OFF:
            total[original] += line.entry.rate
    for (_, original), line in merged.items():
        if line.entry and line.entry.status != Status.OFF and total[original] > 1.0:
            line = replace(line, entry=replace(line.entry, rate=line.entry.rate / total[original]))
        yield line


@command.command("merge")
@click.argument("lexicons", nargs=-1, required=True, shell_complete=options.complete_lexicons)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The new lexicon.")
@options.force_option
def merge_command(lexicons: tuple[str, ...], output: Path, force: bool) -> None:
    """Make one lexicon of several; of equal swaps the last one stays.

    Where the rates of one original then sum to more than 1, they are scaled down to 1.

    \b
    Examples:
      unspin lexicon merge en-autoblog mine.tsv -o both.tsv
      unspin lexicon check both.tsv
    """
    options.refuse_existing(output, force=force)
    head = ""
    last: list[Line] = []  # comments at the ends of the files
    merged: dict[tuple[Phrase, Phrase], Line] = {}
    for name in lexicons:
        opening, lines = read(find(name))
        head = head or opening
        last += (line for line in lines if not line.entry)
        merged |= {(phrase(line.entry.spun), phrase(line.entry.original)): line for line in lines if line.entry}
    write_atomic(output, formatted(head, [*_possible(merged), *last]).encode())
    say(f"{output}: {counted(len(merged), 'entry', 'entries')}")


# inflect


def _measure_table(entries: Sequence[Entry], originals: Iterable[str]) -> str:
    made = terminal.table("part of speech", "status", "#proposed", "#right", "#precision", "#recall")
    for (part, status), tally in measured(entries, originals=originals).items():
        figures = (f"{tally.proposed:,}", f"{tally.right:,}", f"{tally.precision:.2f}", f"{tally.recall:.2f}")
        made.add_row(part.name.lower(), status, *figures)
    return terminal.drawn(made, colour=False)


@command.command("inflect")
@click.argument("lexicon", default=DEFAULT, shell_complete=options.complete_lexicons)
@click.option(
    "--pairs",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Aligned pairs that it was learned from, as for `unspin learn`; repeatable.",
)
@click.option("--measure", is_flag=True, help="Propose nothing: show how good proposals are for heads that are known.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where proposals go.")
@options.force_option
def inflect_command(lexicon: str, pairs: tuple[Path, ...], measure: bool, output: Path | None, force: bool) -> None:
    """Propose entries for missing inflected forms: proceeding <- continuing, where there is proceed <- continue.

    Proposals are a lexicon themselves, to be reviewed and merged. A curated entry is enough for them; learned verbs
    and phrases must be there in two forms, since spinners choose alternates form by form. What often stands in the
    originals of --pairs and was never seen swapped is not proposed. Needs lemminflect: pip install 'unspin[lexicon]'.

    \b
    Examples:
      unspin lexicon inflect mine.tsv -o forms.tsv
      unspin lexicon inflect --pairs pairs.jsonl.gz -o forms.tsv
      unspin lexicon inflect --pairs pairs.jsonl.gz --measure
    """
    if output and measure:
        raise click.UsageError("--measure writes no file")
    if output:
        options.refuse_existing(output, force=force)
    entries = Lexicon.load(lexicon).entries
    originals = (pair.original for pair in chain.from_iterable(map(read_pairs, pairs)))
    if measure:
        product(_measure_table(entries, originals))
        return
    proposed = [proposal.entry for proposal in propose(entries, originals=originals)]
    text = formatted("", [Line((), entry) for entry in proposed])
    if output:
        write_atomic(output, text.encode())
    else:
        product(text)
    sure = sum(entry.status == Status.AUTO for entry in proposed)
    say(f"{counted(len(proposed), 'proposal')}: {sure:,} auto, {len(proposed) - sure:,} to review")


# stats, show, try


def _counts(lexicon: Lexicon) -> Iterator[tuple[str, int | float]]:
    entries = lexicon.entries
    heads = Counter(phrase(entry.original) for entry in lexicon.active)
    yield "entries", len(entries)
    statuses = Counter(entry.status for entry in entries)
    yield from ((str(status), statuses[status]) for status in Status)
    yield "seen in all", sum(entry.seen for entry in entries)
    yield "spun phrases", len(lexicon.by_spun)
    yield "heads (originals)", len(heads)
    yield "alternates per head", len(lexicon.active) / max(1, len(heads))
    yield "originals per spun phrase", len(lexicon.active) / max(1, len(lexicon.by_spun))
    yield "heads that are spun phrases, too", len(heads.keys() & lexicon.by_spun.keys())
    yield "loops (each stands for the other)", _loops(lexicon)
    rates = sorted(entry.rate for entry in lexicon.active)
    if rates:
        yield "rate: median", rates[len(rates) // 2]
        yield "rate: least", rates[0]
        yield "rate: greatest", rates[-1]


def _loops(lexicon: Lexicon) -> int:
    swaps = {(phrase(entry.spun), phrase(entry.original)) for entry in lexicon.active}
    return sum((original, spun) in swaps for spun, original in swaps) // 2


def _stats_tables(lexicon: Lexicon, fires: coverage.FalseFires | None, *, top: int, colour: bool) -> str:
    made = terminal.table("what", "#count", title=lexicon.name)
    for what, number in _counts(lexicon):
        made.add_row(what, f"{number:,}" if isinstance(number, int) else f"{number:.3g}")
    tables = [terminal.drawn(made, colour=colour), coverage.topic_table(lexicon, fires, colour=colour)]
    if fires:
        tables.append(coverage.fires_table(lexicon, fires, top=top, colour=colour))
    return "\n".join(tables)


@command.command("stats")
@_lexicons
@click.option(
    "--clean",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Clean text (UTF-8, .gz or not) to count spun phrases in; repeatable.",
)
@click.option("--top", type=click.IntRange(1), default=30, show_default=True, help="False fires in the table.")
@options.style_option("table", "json")
@options.schema_option("lexicon-stats", of="a line of --format json")
@options.colour_option
def stats_command(
    lexicons: tuple[str, ...], clean: tuple[Path, ...], top: int, style: str, colour: bool | None
) -> None:
    """Count entries, statuses, heads, alternates, rates, loops and topics.

    A topic is what follows "curated: " in an entry's source. With --clean, also false fires: how often each spun
    phrase stands in text that nobody spun. JSON is an object per lexicon, with every entry that fires.

    \b
    Examples:
      unspin lexicon stats mine.tsv
      unspin lexicon stats --clean news.txt.gz --clean blog.txt
      unspin lexicon stats --clean news.txt.gz --format json | jq '.clean.entries[:9]'
    """
    failures = Failures()
    for number, name in enumerate(lexicons or (DEFAULT,)):
        with failures.told():
            lexicon, fires = Lexicon.load(name), None
            if clean:
                with terminal.progress("stats") as report:
                    fires = coverage.false_fires(lexicon, clean, progress=report)
            if style == "json":
                row = {"lexicon": lexicon.name, "counts": dict(_counts(lexicon))} | coverage.fields(lexicon, fires)
                product(json.dumps(row) + "\n")
            else:
                tables = _stats_tables(lexicon, fires, top=top, colour=terminal.wants_colour(colour))
                product(("\n" if number else "") + tables)
    failures.exit()


def _entry_table(title: str, entries: Iterable[Entry], *, colour: bool) -> str:
    made = terminal.table("spun", "original", "#rate", "#seen", "status", "source", "note", title=title)
    for entry in sorted(entries, key=lambda entry: -entry.rate):
        cells = (entry.spun, entry.original, f"{entry.rate:.3g}", f"{entry.seen:,}")
        made.add_row(*map(legible, (*cells, entry.status, entry.source, entry.note)))
    return terminal.drawn(made, colour=colour) if made.rows else ""


@command.command("show")
@click.argument("words", metavar="PHRASE", nargs=-1, required=True)
@options.lexicon_option
@options.colour_option
def show_command(words: tuple[str, ...], lexicons: tuple[str, ...], colour: bool | None) -> None:
    """Show the entries of a phrase: what it may stand for, and what stands for it.

    \b
    Examples:
      unspin lexicon show struggle
      unspin lexicon show --lexicon mine.tsv real estate
    """
    wanted = " ".join(words)
    spun, original = Lexicon.load(*lexicons).lookup(wanted)
    coloured = terminal.wants_colour(colour)
    tables = [
        _entry_table(f"What {wanted!r} may stand for", spun, colour=coloured),
        _entry_table(f"What may stand for {wanted!r}", original, colour=coloured),
    ]
    product("\n".join(filter(None, tables)))
    if not spun and not original:
        say(f"{wanted!r}: no entries")


@command.command("try")
@click.argument("words", metavar="TEXT", nargs=-1, required=True)
@options.confidence_option
@options.stages_options
@options.colour_option
def try_command(
    words: tuple[str, ...],
    min_confidence: float,
    lexicons: tuple[str, ...],
    model: Path | None,
    ranker: str,
    colour: bool | None,
) -> None:
    """Restore a text as if it were known to be spun, and show all its candidates.

    TEXT is the text itself, or "-" for standard input.

    \b
    Examples:
      unspin lexicon try "The struggle over actual property goes on."
      unspin lexicon try --lexicon mine.tsv - < scraped.txt
    """
    is_input = words == (STDIN,)
    text = options.read_aloud(Source(None, Path("stdin"))).text if is_input else " ".join(words)
    stages = options.stages(lexicons, model, ranker)
    restoration = restore(text, **stages, min_confidence=min_confidence, assume_spun=True)
    found = inspect(text, **stages).candidates
    coloured = terminal.wants_colour(colour)
    shown = render(restoration, style=DiffStyle.WORDS, colour=coloured)
    product(shown + ("" if shown.endswith("\n") else "\n"))
    if found:
        product("\n" + candidate_table(found, colour=coloured))
    say(summary(restoration))
