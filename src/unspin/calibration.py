"""Are confidences probabilities, and does spin evidence tell spun from clean?

In come gold and edits of its spun text, or plain numbers; out come judgements, tables and ratios. Edits that
overlap or do not quote the gold's spun text are refused with `EditConflict`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from unspin.errors import EditConflict
from unspin.evaluate import group, hull, touching
from unspin.gold import Gold
from unspin.model import DecidedBy, Edit
from unspin.text import normalise, phrase


class Judged(NamedTuple):
    """An edit's confidence in [0, 1] and whether it was right."""

    confidence: float
    correct: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """A row of a reliability table: edits with confidence in [lower, upper) (the last one includes 1)."""

    lower: float
    upper: float
    count: int
    confidence: float  # the mean
    accuracy: float  # the share that was right


def judge(gold: Gold, edits: Iterable[Edit]) -> tuple[Judged, ...]:
    """Which edits of the gold's spun text are right, in reading order; removed duplicates are passed over.

    An edit is right if the gold spans it touches read as accepted with it alone or with all edits that
    touch them, or if it does its part of one span: its words stand in an accepted alternative, at the
    beginning, in the middle or at the end, where it stands in the span.

    Raises `EditConflict` for an edit that overlaps another or does not quote the gold's spun text.
    """
    swaps = sorted((e for e in edits if e.decided_by is not DecidedBy.DUPLICATE), key=lambda e: (e.start, e.end))
    _check(gold, swaps)
    edges = [(span.start, span.end) for span in gold.spans]
    starts, ends = [span.start for span in gold.spans], [span.end for span in gold.spans]
    right: set[int] = set()
    for run in group(edges, [(e.start, e.end) for e in swaps])[0]:
        together = bool(run.changes) and _reads(gold, run.spans, [swaps[c] for c in run.changes])
        for c in run.changes:
            touched = touching(starts, ends, (swaps[c].start, swaps[c].end))
            if together or _reads(gold, touched, [swaps[c]]) or _fits(gold, touched, swaps[c]):
                right.add(c)
    return tuple(Judged(edit.confidence, c in right) for c, edit in enumerate(swaps))


def _check(gold: Gold, swaps: Sequence[Edit]) -> None:
    end = 0
    for edit in swaps:
        if gold.text[edit.start : edit.end] != edit.before:
            raise EditConflict(edit.start, edit.end, "it does not quote the gold's spun text")
        if edit.start < end:
            raise EditConflict(edit.start, edit.end, "it overlaps another edit")
        end = edit.end


def _reads(gold: Gold, spans: range, edits: Sequence[Edit]) -> bool:
    """Do these spans read as accepted, and what lies around them as it stood, after the edits?"""
    text, inside = gold.text, gold.spans[spans.start : spans.stop]
    lo, hi = hull([(span.start, span.end) for span in inside] + [(edit.start, edit.end) for edit in edits])
    pattern, position = "", lo
    for span in inside:
        options = "|".join(re.escape(_bare(accepted)) for accepted in span.accepted)
        pattern += f"{re.escape(_bare(text[position : span.start]))}(?:{options})"
        position = span.end
    pattern += re.escape(_bare(text[position:hi]))
    after, position = "", lo
    for edit in edits:
        after += text[position : edit.start] + edit.after
        position = edit.end
    return re.fullmatch(pattern, _bare(after + text[position:hi])) is not None


def _bare(text: str) -> str:
    # Without white space, rather than in tokens: an edit may cut a token ("heart" of "heart's").
    return "".join(normalise(text).split())


def _fits(gold: Gold, spans: range, edit: Edit) -> bool:
    span, after = gold.spans[spans.start], phrase(edit.after)
    if not after or edit.start < span.start or edit.end > span.end:
        return False
    first = not gold.text[span.start : edit.start].strip()
    last = not gold.text[edit.end : span.end].strip()
    return any(
        words[i : i + len(after)] == after and (i == 0) == first and (i + len(after) == len(words)) == last
        for words in map(phrase, span.accepted)
        for i in range(len(words) - len(after) + 1)
    )


def reliability(judged: Iterable[Judged], *, bins: int = 10) -> tuple[Bin, ...]:
    """Confidence against accuracy in bins of equal width; empty bins are left out."""
    if bins < 1:
        raise ValueError(f"{bins} bins; at least one is needed")
    filled: dict[int, list[Judged]] = {}
    for one in judged:
        filled.setdefault(min(int(one.confidence * bins), bins - 1), []).append(one)
    return tuple(
        Bin(
            k / bins,
            (k + 1) / bins,
            len(inside),
            sum(one.confidence for one in inside) / len(inside),
            sum(one.correct for one in inside) / len(inside),
        )
        for k, inside in sorted(filled.items())
    )


def expected_calibration_error(judged: Iterable[Judged], *, bins: int = 10) -> float:
    """The mean gap between confidence and accuracy, bins weighted by count, in [0, 1]; 0 for no edits.

    Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", 2015; Guo et al., "On
    calibration of modern neural networks", 2017.
    """
    table = reliability(judged, bins=bins)
    gaps = sum(b.count * abs(b.confidence - b.accuracy) for b in table)
    return gaps / sum(b.count for b in table) if table else 0.0


def roc_auc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """The probability that a positive scores above a negative, ties counting half (Mann-Whitney U).

    Raises `ValueError` if either side is empty.

    >>> roc_auc([3.0, 1.0], [1.0, 0.0])
    0.875
    """
    if not positives or not negatives:
        raise ValueError("the area under the curve needs positives and negatives")
    ranked = sorted(negatives)
    wins = sum(bisect_left(ranked, p) + bisect_right(ranked, p) for p in positives)
    return wins / (2 * len(positives) * len(negatives))
