"""Cases, run: restore each as its settings say, and compare.

In comes a `Case`, out goes a `Result`. Capitals count, unlike in `unspin evaluate`; where a case says what the
whole text must be, every character does. Refused, as `unspin.lexicon` and `unspin.rank` refuse it: a lexicon or a
ranker that cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from time import perf_counter

from unspin.cases.model import Case, Result
from unspin.edit import cleaned
from unspin.evaluate import Detail, Outcome, Score, nearest, score
from unspin.lexicon import Lexicon
from unspin.model import Restoration
from unspin.pipeline import restore
from unspin.rank import Ranker, load_ranker

_lexicon: Callable[..., Lexicon] = cache(Lexicon.load)
_ranker: Callable[[str], Ranker] = cache(load_ranker)


def restored(case: Case) -> Restoration:
    """The restoration of a case. What it needs besides the shipped models is loaded once a process."""
    settings = case.settings
    return restore(
        case.gold.text,
        lexicon=_lexicon(*settings.lexicons) if settings.lexicons else None,
        ranker=_ranker(settings.ranker) if settings.ranker else None,
        min_confidence=settings.min_confidence,
        keep_duplicates=settings.keep_duplicates,
        assume_spun=settings.assume_spun,
        siblings=settings.siblings,
    )


def run_case(case: Case) -> Result:
    """What becomes of a case. Raises InputError or FormatError."""
    started = perf_counter()
    restoration = restored(case)
    return judged(case, restoration, seconds=perf_counter() - started)


def judged(case: Case, restoration: Restoration, *, seconds: float = 0.0) -> Result:
    """The result of a case that was restored."""
    got = cleaned(restoration)
    found = score(case.gold, got, cased=True)
    expected = nearest(case.gold, got) if case.exact is None else case.exact
    if case.exact not in (None, got) and not found.details:
        found = _misspelt(found, expected, got)
    return Result(case, restoration, got, expected, found, seconds)


def _misspelt(found: Score, expected: str, got: str) -> Score:
    """The score of a text in which all words are right, but not every character: that is one change too many."""
    start = next(
        (n for n, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b), min(len(expected), len(got))
    )
    around = slice(max(0, start - 20), start + 20)
    detail = Detail(Outcome.SPURIOUS, expected[around], got[around], (), "white space or quotation marks")
    return replace(found, spurious=found.spurious + 1, details=(*found.details, detail))
