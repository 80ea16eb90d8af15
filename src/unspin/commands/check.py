"""`unspin check`: golden cases in; what became of each, out."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from unspin.cases.floors import floor_to_record, record
from unspin.cases.junit import junit
from unspin.cases.model import Refused, Result, Verdict, total
from unspin.cases.reading import find_cases, read_case
from unspin.cases.running import run_case
from unspin.cases.telling import explained, headline
from unspin.commands import options, terminal
from unspin.commands.delivery import FOUND_WORK, save
from unspin.commands.terminal import Failures, counted, legible, product, say
from unspin.errors import UnspinError

_THINGS = {
    Verdict.PASSED: "{:,} passed",
    Verdict.IMPROVED: "{:,} improved",
    Verdict.KNOWN: "{:,} failed as known",
    Verdict.REGRESSED: "{:,} regressed",
    Verdict.FIXED: "{:,} known to fail and did not",
}


def _run(path: Path, failures: Failures) -> Result | Refused:
    """What becomes of a case; if it cannot be run, that is told at once."""
    done: Result | Refused = Refused(path, "")
    with failures.told():
        try:
            done = run_case(read_case(path))
        except UnspinError as error:
            done = Refused(path, str(error))
            raise
    return done


def _text(result: Result, *, colour: bool, verbose: bool) -> str:
    line = f"{legible(str(result.case.path))}: {legible(headline(result))}\n"
    is_told = result.is_failure or (verbose and result.faults)
    return line + (explained(result, colour=colour) if is_told else "")


def _json(done: Sequence[Result | Refused]) -> str:
    results = [one for one in done if isinstance(one, Result)]
    document = {
        "cases": [_row(one) for one in results],
        "total": asdict(total(one.counts for one in results)),
        "refused": [{"file": str(one.path), "problem": one.problem} for one in done if isinstance(one, Refused)],
    }
    return json.dumps(document, indent=2) + "\n"


def _row(result: Result) -> dict[str, Any]:
    case = result.case
    return {
        "file": str(case.path),
        "label": case.label,
        "verdict": result.verdict.value,
        **asdict(result.counts),
        "floor": asdict(case.floor) if case.floor else None,
        "xfail": case.xfail or None,
        "got": result.got,
        "expected": result.expected,
        "faults": [asdict(fault) for fault in result.faults],
    }


def _update(results: Sequence[Result], failures: Failures, *, allow_regression: bool) -> set[Path]:
    """Record floors. The cases whose verdict is settled by that."""
    settled = set()
    for result in results:
        floor = floor_to_record(result, allow_regression=allow_regression)
        if floor:
            with failures.told():
                record(result.case, floor)
                settled.add(result.case.path)
                say(f"{result.case.path}: floor recorded: {floor}")
        elif result.verdict is Verdict.REGRESSED:
            say(f"{result.case.path}: its floor is not lowered; --allow-regression does that")
    return settled


def _summary(results: Sequence[Result], *, updated: bool) -> str:
    every = Counter(result.verdict for result in results)
    parts = [words.format(every[verdict]) for verdict, words in _THINGS.items() if every[verdict]]
    told = f"{counted(len(results), 'case')}: {', '.join(parts) or 'nothing done'}; "
    hint = "; --update records what improved" if every[Verdict.IMPROVED] and not updated else ""
    return told + str(total(result.counts for result in results)) + hint


@click.command("check")
@click.argument("cases", nargs=-1, required=True, metavar="CASES...", type=click.Path(path_type=Path))
@click.option(
    "--update", is_flag=True, help="Record in the case files what was reached, where that is more than before."
)
@click.option("--allow-regression", is_flag=True, help="With --update: also where it is less.")
@click.option(
    "--junit", "report", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit XML, too."
)
@options.style_option("text", "json")
@options.schema_option("check", of="what --format json prints")
@click.option("-v", "--verbose", is_flag=True, help="Tell of the faults of cases that pass, too.")
@click.option("-q", "--quiet", is_flag=True, help="Print failing cases only, and no summary.")
@options.colour_option
@options.force_option
def command(
    cases: tuple[Path, ...],
    update: bool,
    allow_regression: bool,
    report: Path | None,
    style: str,
    verbose: bool,
    quiet: bool,
    colour: bool | None,
    force: bool,
) -> None:
    """Run golden cases: texts with what they must restore to.

    CASES are files, *.case.toml, or directories, which are walked for them. Every case says how many of its swaps
    were restored, restored wrongly or missed, and how many changes were spurious. A case regresses if any of these is
    worse than the floor that it records or, where it records none, if anything is wrong. A known failure (xfail)
    must fail. Exit code 1 if a case regressed, or a known failure did not fail; 3 if one cannot be read.

    --update writes floors into the case files, whose comments and layout stay. It lowers none, unless
    --allow-regression says so.

    \b
    Examples:
      unspin check tests/cases
      unspin check -v tests/cases/seed.case.toml
      unspin check --junit cases.xml --format json tests/cases
      unspin check --update tests/cases
    """
    if allow_regression and not update:
        raise click.UsageError("--allow-regression needs --update")
    if report:
        options.refuse_existing(report, force=force)
    paths, errors = find_cases(cases)
    failures = Failures(errors)
    coloured = terminal.wants_colour(colour)
    done: list[Result | Refused] = [Refused(Path(error.path), error.problem) for error in errors]
    shows_bar = len(paths) > terminal.MANY and (style == "json" or quiet or not terminal.is_terminal(sys.stdout))
    with terminal.progress("check", shown=shows_bar) as told:
        for number, path in enumerate(paths):
            told("cases", number, len(paths))
            done.append(one := _run(path, failures))
            if style == "text" and isinstance(one, Result) and (one.is_failure or not quiet):
                product(_text(one, colour=coloured, verbose=verbose))
    results = [one for one in done if isinstance(one, Result)]
    if style == "json":
        product(_json(done))
    if report:
        save(report, junit(done))
    settled = _update(results, failures, allow_regression=allow_regression) if update else set()
    if not quiet:
        say(_summary(results, updated=update))
    failures.exit(FOUND_WORK if any(r.is_failure and r.case.path not in settled for r in results) else 0)
