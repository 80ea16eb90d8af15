"""What became of a case, in words: a line, its faults, and the text as it came out against what was expected.

In comes a `Result`, out goes text for people. Nothing is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from textwrap import indent
from typing import assert_never

from unspin.cases.model import Result, Verdict
from unspin.diff.pieces import visible
from unspin.diff.words import words
from unspin.evaluate import Detail, Outcome
from unspin.gold import gold_from_pair
from unspin.model import DecidedBy, Edit


def headline(result: Result) -> str:
    """The counts and the verdict, in one line."""
    return f"{result.counts}: {_verdict(result)}"


def _verdict(result: Result) -> str:
    case, verdict = result.case, result.verdict
    match verdict:
        case Verdict.PASSED:
            return verdict.value
        case Verdict.KNOWN:
            return f"{verdict} ({case.xfail})"
        case Verdict.FIXED:
            return f"{verdict}: all is right, so it is no known failure; take xfail out"
        case Verdict.IMPROVED | Verdict.REGRESSED:
            return f"{verdict} (floor: {case.floor or 'all right'})"
        case _:
            assert_never(verdict)


def explained(result: Result, *, colour: bool = False) -> str:
    """Label, reason, each fault on a line, and the words that differ: `[-what came out-]{+what was expected+}`."""
    case = result.case
    lines = [f"{case.label}: {case.why}", *map(_fault, result.faults)]
    if result.faults:
        lines.append(words_against_expected(result, colour=colour).strip("\n"))
    return indent("\n".join(lines), "    ") + "\n"


def _fault(fault: Detail) -> str:
    spun, chosen = visible(fault.spun), visible(fault.chosen)
    wanted = " or ".join(f'"{visible(one)}"' for one in fault.accepted)
    return f"{fault.kind}: {_said(fault.kind, spun, chosen, wanted)}, in: {visible(fault.context)}"


def _said(kind: Outcome, spun: str, chosen: str, wanted: str) -> str:
    if kind is Outcome.MISSED:
        return f'"{spun}" still stands for {wanted}'
    became = f'"{spun}" became "{chosen}"' if spun else f'"{chosen}" came in'
    return f"{became}, not {wanted}" if wanted else became


def words_against_expected(result: Result, *, colour: bool = False) -> str:
    """The text as it came out, with what was expected instead marked in it."""
    edits = tuple(_changes(result.got, result.expected))
    shown = replace(result.restoration, original=result.got, edits=edits, duplicates=(), held=())
    return words(shown, colour=colour)


def _changes(got: str, expected: str) -> Iterator[Edit]:
    if not got.strip():
        yield Edit(0, len(got), got, expected, None, 1.0, DecidedBy.REVIEWER)
        return
    for span in gold_from_pair(expected, got, cased=True).spans:
        before = got[span.start : span.end]
        yield Edit(span.start, span.end, before, span.accepted[0], None, 1.0, DecidedBy.REVIEWER)
