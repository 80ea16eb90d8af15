"""Scores of restorations against gold.

In come gold and output texts; out come counts, their ratios and the faults, as frozen values. Nothing is
refused: any text can be scored.

Each gold span counts once: *restored* (it reads as accepted), *wrong* (changed to something else: a false
positive and a false negative), *missed* (left as spun) or *optional_kept* (left as spun, which is
accepted); a change that touches no gold span is *spurious*. Curly quotes do not count, nor does case unless asked for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from unspin.gold import Gold, gold_tokens

_CONTEXT = 3  # tokens shown on each side of a detail
_WILD = 6  # most tokens of a wrong reading among right ones, and most parts of a run in which it is looked for
_WRONG, _KEPT, _ACCEPTED = range(3)  # marks of a gold span; the best reading has the greatest sum

Stretch = tuple[int, int]  # half-open, in tokens or in code points
_Fold = Callable[[Iterable[str]], list[str]]  # tokens as they are compared
_Paths = dict[int, tuple[int, tuple[tuple[int, int], ...]]]  # place reached -> (minus the sum, (rank, mark) a step)


class Outcome(StrEnum):
    """What became of a gold span, or of a change outside them."""

    RESTORED = "restored"
    WRONG = "wrong"
    MISSED = "missed"
    SPURIOUS = "spurious"
    OPTIONAL_KEPT = "optional_kept"


@dataclass(frozen=True, slots=True)
class Detail:
    """One fault: what stood there, what the output has there, what was accepted, the words around it.

    Where swaps and changes run together, `chosen` is the reading of the whole run. `accepted` is empty
    for spurious changes.
    """

    kind: Outcome
    spun: str
    chosen: str
    accepted: tuple[str, ...]
    context: str


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one or more documents; `tokens` is the length of the spun text. Ratios are in [0, 1]."""

    restored: int = 0
    wrong: int = 0
    missed: int = 0
    spurious: int = 0
    optional_kept: int = 0
    tokens: int = 0
    details: tuple[Detail, ...] = ()

    @property
    def precision(self) -> float:
        """Restored spans among all changes; 0 where nothing was changed."""
        return _ratio(self.restored, self.restored + self.wrong + self.spurious)

    @property
    def recall(self) -> float:
        """Restored spans among those that had to be restored; 0 where there were none."""
        return _ratio(self.restored, self.restored + self.wrong + self.missed)

    @property
    def f05(self) -> float:
        """F0.5: precision weighs twice as much as recall."""
        return _ratio(1.25 * self.precision * self.recall, 0.25 * self.precision + self.recall)


@dataclass(frozen=True, slots=True)
class Confusion:
    """What was chosen for a spun phrase instead of what was accepted, and how often."""

    spun: str
    chosen: str
    accepted: tuple[str, ...]
    count: int


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


class _Op(NamedTuple):
    tag: str
    a0: int
    a1: int
    b0: int
    b1: int


class Run(NamedTuple):
    """Gold spans (by number) with the changes that touch them (by number)."""

    spans: range
    changes: list[int]


class _Alignment:
    """Spun tokens against output tokens, and where a stretch of the one falls in the other."""

    def __init__(self, source: Sequence[str], target: Sequence[str]) -> None:
        self.ops = [_Op(*op) for op in Levenshtein.opcodes(source, target)]
        self._ends = [op.a1 for op in self.ops]
        self._length = len(target)

    def stretch(self, start: int, end: int) -> slice:
        """Target tokens of `source[start:end]`, with what is inserted at its edges."""
        return slice(self._left(start), self._right(end))

    def _left(self, i: int) -> int:
        k = bisect_left(self._ends, i)
        while k < len(self.ops) and self.ops[k].a0 < self.ops[k].a1 == i:
            k += 1
        if k == len(self.ops):
            return self._length
        op = self.ops[k]
        return op.b0 + (i - op.a0 if op.tag == "equal" else 0)

    def _right(self, i: int) -> int:
        k = bisect_right(self._ends, i)
        if k < len(self.ops) and self.ops[k].a0 < i:
            op = self.ops[k]
            return op.b0 + i - op.a0 if op.tag == "equal" else op.b1
        return self.ops[k - 1].b1 if k else 0


def _lower(tokens: Iterable[str]) -> list[str]:
    return [token.lower() for token in tokens]


class _Judgement(NamedTuple):
    """What became of each gold span, all faults, and the tokens of the spun text."""

    kinds: list[Outcome]
    details: list[Detail]
    tokens: int


def score(gold: Gold, output: str, *, cased: bool = False) -> Score:
    """Compare a restored text with its gold. It takes as long as one bit-parallel alignment of their tokens.

    Details tell of spurious changes first, then of wrong and missed spans in reading order. `cased`: capitals count.
    """
    kinds, details, tokens = _judge(gold, output, list if cased else _lower)
    counts = Counter(kinds)
    counts[Outcome.SPURIOUS] = sum(detail.kind is Outcome.SPURIOUS for detail in details)
    return Score(**{kind.value: counts[kind] for kind in Outcome}, tokens=tokens, details=tuple(details))


def outcomes(gold: Gold, output: str) -> tuple[Outcome, ...]:
    """What became of each gold span, in order, as `score` counts it."""
    return tuple(_judge(gold, output, _lower).kinds)


def nearest(gold: Gold, output: str) -> str:
    """What gold accepts that is most like the output: each span in the way that the output reads there, if it may."""
    source, edges = _source(gold)
    out = gold_tokens(output)
    alignment = _Alignment(source, out)
    pieces: list[str] = []
    position = 0
    for span, edge in zip(gold.spans, edges, strict=True):
        likeness = partial(_likeness, out[alignment.stretch(*edge)])
        pieces += gold.text[position : span.start], max(span.accepted, key=likeness)
        position = span.end
    return "".join([*pieces, gold.text[position:]])


def _likeness(got: list[str], accepted: str) -> float:
    return Levenshtein.normalized_similarity(gold_tokens(accepted), got)


def _judge(gold: Gold, output: str, fold: _Fold) -> _Judgement:
    source, edges = _source(gold)
    out = gold_tokens(output)
    low = fold(source)
    alignment = _Alignment(low, fold(out))
    changes = [op for op in alignment.ops if op.tag != "equal"]
    runs, stray = group(edges, [op[1:3] for op in changes])
    strays = [changes[c] for c in stray]
    details = [_detail(Outcome.SPURIOUS, source, op[1:3], " ".join(out[op.b0 : op.b1]), ()) for op in strays]
    kinds: list[Outcome] = []
    for run in runs:
        around = hull([edges[g] for g in run.spans] + [changes[c][1:3] for c in run.changes])
        got = out[alignment.stretch(*around)]
        marks = _marks(gold, run.spans, edges, around, low, fold(got), fold) if run.changes else [_KEPT]
        chosen = " ".join(got)
        for g, mark in zip(run.spans, marks, strict=True):
            accepted = gold.spans[g].accepted
            kinds.append(kind := _outcome(mark, low[slice(*edges[g])], accepted, fold))
            if kind in (Outcome.WRONG, Outcome.MISSED):
                details.append(_detail(kind, source, edges[g], chosen, accepted))
    return _Judgement(kinds, details, len(source))


def total(scores: Iterable[Score]) -> Score:
    """The scores of many documents as one: counts are added up, so that ratios are micro-averages."""
    every = list(scores)
    counts = {name: sum(getattr(s, name) for s in every) for name in (*Outcome, "tokens")}
    return Score(**counts, details=tuple(d for s in every for d in s.details))


def confusions(details: Iterable[Detail]) -> tuple[Confusion, ...]:
    """The faults that recur, in lower case, most frequent first. Missed spans were "chosen" as they stand."""
    counts = Counter((d.spun.lower(), d.chosen.lower(), tuple(map(str.lower, d.accepted))) for d in details)
    return tuple(Confusion(*key, n) for key, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _source(gold: Gold) -> tuple[list[str], list[Stretch]]:
    """The tokens of the spun text, cut at the edges of gold spans, and these spans in tokens."""
    source: list[str] = []
    edges: list[Stretch] = []
    position = 0
    for span in gold.spans:
        source += gold_tokens(gold.text[position : span.start])
        start = len(source)
        source += gold_tokens(gold.text[span.start : span.end])
        edges.append((start, len(source)))
        position = span.end
    return source + gold_tokens(gold.text[position:]), edges


def _outcome(mark: int, spun: list[str], accepted: Iterable[str], fold: _Fold) -> Outcome:
    if mark == _KEPT:
        return Outcome.OPTIONAL_KEPT if any(spun == fold(gold_tokens(a)) for a in accepted) else Outcome.MISSED
    return Outcome.RESTORED if mark == _ACCEPTED else Outcome.WRONG


def _detail(kind: Outcome, source: list[str], edge: Stretch, chosen: str, accepted: tuple[str, ...]) -> Detail:
    start, end = edge
    spun = " ".join(source[start:end])
    around = *source[max(0, start - _CONTEXT) : start], f"[{spun}]", *source[end : end + _CONTEXT]
    return Detail(kind, spun, spun if kind is Outcome.MISSED else chosen, accepted, " ".join(around))


def touching(starts: Sequence[int], ends: Sequence[int], change: Stretch) -> range:
    """Numbers of the spans that a change touches; an insertion touches what it stands next to."""
    a0, a1 = change
    if a0 == a1:
        return range(bisect_left(ends, a0), bisect_right(starts, a0))
    return range(bisect_right(ends, a0), bisect_left(starts, a1))


def group(edges: Sequence[Stretch], changes: Sequence[Stretch]) -> tuple[list[Run], list[int]]:
    """All spans, grouped where a change touches several, each group with its changes; and stray changes.

    Spans and changes come in order and do not overlap their like.
    """
    starts, ends = [start for start, _ in edges], [end for _, end in edges]
    runs: list[Run] = []
    strays: list[int] = []
    done = 0
    for c, change in enumerate(changes):
        touched = touching(starts, ends, change)
        if not touched:
            strays.append(c)
            continue
        runs += (Run(range(g, g + 1), []) for g in range(done, touched.start))
        if touched.start < done:
            last = runs.pop()
            runs.append(Run(range(last.spans.start, touched.stop), [*last.changes, c]))
        else:
            runs.append(Run(touched, [c]))
        done = runs[-1].spans.stop
    return [*runs, *(Run(range(g, g + 1), []) for g in range(done, len(edges)))], strays


def hull(edges: Sequence[Stretch]) -> Stretch:
    return min(start for start, _ in edges), max(end for _, end in edges)


def _marks(
    gold: Gold, spans: range, edges: Sequence[Stretch], hull: Stretch, low: list[str], got: list[str], fold: _Fold
) -> list[int]:
    """How each span of a run reads in `got`, what the run's hull became: the reading with the greatest sum.

    Where the hull reads as no sequence of readings, every span is wrong.
    """
    paths: _Paths = {0: (0, ())}
    position = hull[0]
    for g in spans:
        start, end = edges[g]
        options = [(_ACCEPTED, fold(gold_tokens(accepted))) for accepted in gold.spans[g].accepted]
        options.append((_KEPT, low[start:end]))
        paths = _onward(paths, got, low[position:start], options, wild=len(spans) < _WILD)
        position = end
    whole = [path for at, path in paths.items() if got[at:] == low[position : hull[1]]]
    return [mark for _, mark in min(whole)[1]] if whole else [_WRONG] * len(spans)


def _onward(
    paths: _Paths, got: list[str], gap: list[str], options: list[tuple[int, list[str]]], *, wild: bool
) -> _Paths:
    """The best path to each place of `got` that can be reached over a gap and a span."""
    onward: _Paths = {}
    for at, (loss, path) in paths.items():
        if got[at : at + len(gap)] != gap:
            continue
        at += len(gap)
        steps = [(mark, at + len(option)) for mark, option in options if got[at : at + len(option)] == option]
        if wild:
            steps += [(_WRONG, at + n) for n in range(min(len(got) - at, _WILD) + 1)]
        for rank, (mark, to) in enumerate(steps):
            longer = loss - mark, (*path, (rank, mark))  # among equal sums the first option counts
            onward[to] = min(longer, onward.get(to, longer))
    return onward
