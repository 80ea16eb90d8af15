"""An unspun sibling's word: where it says what a spun text says, its words win.

In come a spun text's sentences, the edits and held candidates decided for it, and its siblings; out come these with
the unspun siblings' words in place of the spinner's. What differs for so long that no swap explains it, and what
one text alone has, is left as it is: people edit copies, too. A swap of the lexicon is an edit with its entry; other
words are an edit without one or, where they would change a number or a negation, held.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspin.consensus import Sibling
from unspin.decide import guard
from unspin.intersect import SLACK
from unspin.lexicon import Lexicon
from unspin.model import Attestation, Candidate, DecidedBy, Edit, Entry, Held, HeldReason, Option, Sentence, Token
from unspin.pairing import Stretch, stretches

# How often such an edit was exactly right on aligned pairs (`benchmarks/consensus.py`).
EXPLAINED = 0.99
UNEXPLAINED = 0.95
# Of the places that a spinner wrote, how many must have the sibling's words for heads. Of originals 0.96 or more have.
# A copy that a person or another spinner wrote anew has not, and only those words of it count that are explained.
TRUSTED = 0.96
GROUND = 3  # tokens in a row that are equal or explained
UNEXPLAINED_COST = 2.0  # of a token lost or put in, where a swap costs from 1 (rate 1) to 2 (rate 0)


class _Step(NamedTuple):
    """Tokens `[start, end)` stand where the sibling has `[other, other_end)`: equal, by an entry or unexplained."""

    start: int
    end: int
    other: int
    other_end: int
    entry: Entry | None
    is_equal: bool

    @property
    def is_known(self) -> bool:
        """Is it equal or explained?"""
        return self.is_equal or self.entry is not None

    def shifted(self, base: int, other: int) -> _Step:
        """The same step of longer texts."""
        places = self.start + base, self.end + base, self.other + other, self.other_end + other
        return _Step(*places, self.entry, self.is_equal)


def overrule(
    text: str,
    sentences: Sequence[Sentence],
    edits: Sequence[Edit],
    held: Iterable[Held],
    *,
    siblings: Sequence[Sibling],
    lexicon: Lexicon,
    min_confidence: float,
) -> tuple[tuple[Edit, ...], tuple[Held, ...]]:
    """The edits and what is held as the unspun siblings have it; the first that speaks of a place counts.

    `sentences` are those that may be changed, `edits` and `held` what was decided in them. Edits less sure than
    `min_confidence` are held.
    """
    tokens = list(chain.from_iterable(sentence.tokens for sentence in sentences))
    words = [[token.norm for token in sentence.tokens] for sentence in sentences]
    is_settled, swapped = np.zeros((2, len(text)), dtype=bool)
    for edit in edits:
        swapped[edit.start : edit.end] = True
    made: list[Edit] = []
    waiting: list[Held] = []
    for sibling in siblings:
        if not sibling.is_unspun:
            continue
        said = list(_said(text, tokens, words, sibling, lexicon, swapped))
        for edit in (edit for edit, start, end in said if edit and not is_settled[start:end].any()):
            if reason := _doubt(edit, min_confidence):
                waiting.append(_held(edit, reason))
            else:
                made.append(edit)
        for _, start, end in said:
            is_settled[start:end] = True
    made += [edit for edit in edits if not is_settled[edit.start : edit.end].any()]
    waiting += [one for one in held if not is_settled[one.candidate.start : one.candidate.end].any()]
    return (
        tuple(sorted(made, key=lambda edit: edit.start)),
        tuple(sorted(waiting, key=lambda one: (one.candidate.start, one.candidate.end))),
    )


def _doubt(edit: Edit, min_confidence: float) -> HeldReason | None:
    reason = guard(edit.before, edit.after, edit.after) if edit.entry is None else None
    return HeldReason.CONFIDENCE if reason is None and edit.confidence < min_confidence else reason


def _held(edit: Edit, reason: HeldReason) -> Held:
    options = Option(edit.after, edit.entry, edit.confidence), Option(edit.before, None, 1.0 - edit.confidence)
    return Held(Candidate(edit.start, edit.end, edit.before, options), reason)


def _said(
    text: str,
    tokens: Sequence[Token],
    words: Sequence[Sequence[str]],
    sibling: Sibling,
    lexicon: Lexicon,
    swapped: NDArray[np.bool_],
) -> Iterator[tuple[Edit | None, int, int]]:
    """What an unspun sibling says: per span of ours, the edit that follows or, where it has the same words, none.

    `swapped`: per character, what the decoder takes for the spinner's.
    """
    shared = list(stretches(words, sibling.words))
    ways = (
        _sure(list(_joined(_steps(one, tokens, sibling.tokens, lexicon))), tokens, sibling.tokens) for one in shared
    )
    steps = list(chain.from_iterable(ways))
    spans = {step: (tokens[step.start].start, tokens[step.end - 1].end) for step in steps}
    explained = sum(step.entry is not None for step in steps)
    contradicted = sum(not step.is_known and bool(swapped[slice(*spans[step])].any()) for step in steps)
    is_trusted = explained >= TRUSTED * (explained + contradicted)
    for step in steps:
        edit = None if step.is_equal else _edit(text, tokens, step, sibling)
        if step.is_equal or (edit and (step.entry or is_trusted)):
            yield edit, *spans[step]


def _sure(steps: Sequence[_Step], ours: Sequence[Token], theirs: Sequence[Token]) -> Iterator[_Step]:
    """The steps that stand on firm ground: what is equal or explained for GROUND tokens, and words between such runs.

    Where nearly nothing agrees, two sentences that are not the same were aligned.
    """
    runs = [list(run) for _, run in groupby(steps, key=lambda step: step.is_known)]
    is_firm = [False, *(run[-1].end - run[0].start >= GROUND and run[0].is_known for run in runs), False]
    for before, firm, after, run in zip(is_firm, is_firm[1:], is_firm[2:], runs, strict=False):
        if firm:
            yield from run
        elif before and after:
            (step,) = run
            sides = ours[step.start : step.end], theirs[step.other : step.other_end]
            if all(any(token.is_word for token in side) for side in sides):
                yield step


def _steps(stretch: Stretch, ours: Sequence[Token], theirs: Sequence[Token], lexicon: Lexicon) -> list[_Step]:
    """The cheapest way from the sibling's words to ours, along the alignment: words kept, swapped, lost or put in."""
    start, end, other, other_end = stretch.span
    low, high = (edge.tolist() for edge in stretch.boundaries())
    spun, original = tuple(t.norm for t in ours[start:end]), tuple(t.norm for t in theirs[other:other_end])
    best: list[dict[int, tuple[float, _Step | None]]] = [{} for _ in range(len(spun) + 1)]
    best[0][0] = 0.0, None

    def take(cost: float, i: int, j: int, i2: int, j2: int, entry: Entry | None, is_equal: bool) -> None:
        if j2 <= len(original) and cost < best[i2].get(j2, (math.inf, None))[0]:
            best[i2][j2] = cost, _Step(i, i2, j, j2, entry, is_equal)

    for i in range(len(spun) + 1):
        for j in range(max(0, low[i] - other - SLACK), min(len(original), high[i] - other + SLACK) + 1):
            if j not in best[i]:
                continue
            cost = best[i][j][0]
            take(cost + UNEXPLAINED_COST, i, j, i, j + 1, None, False)
            if i == len(spun):
                continue
            take(cost + UNEXPLAINED_COST, i, j, i + 1, j, None, False)
            if j < len(original) and spun[i] == original[j]:
                take(cost, i, j, i + 1, j + 1, None, True)
            for i2 in range(i + 1, min(i + lexicon.reach.get(spun[i], 0), len(spun)) + 1):
                for number in lexicon.by_spun.get(spun[i:i2], ()):
                    output = lexicon.originals[number]
                    if original[j : j + len(output)] == output:
                        entry = lexicon.active[number]
                        take(cost + 2.0 - entry.rate, i, j, i2, j + len(output), entry, False)
    steps: list[_Step] = []
    i, j = len(spun), len(original)
    while step := best[i][j][1]:
        steps.append(step.shifted(start, other))
        i, j = step.start, step.other
    return steps[::-1]


def _joined(steps: Iterable[_Step]) -> Iterator[_Step]:
    """The steps, with those in a row that nothing explains as one."""
    last: _Step | None = None
    for step in steps:
        if last and not last.is_known and not step.is_known:
            last = _Step(last.start, step.end, last.other, step.other_end, None, False)
            continue
        if last:
            yield last
        last = step
    if last:
        yield last


def _edit(text: str, tokens: Sequence[Token], swap: _Step, sibling: Sibling) -> Edit | None:
    """The sibling's words, as they stand there, in place of ours; none where a line ends in between."""
    start, end = tokens[swap.start].start, tokens[swap.end - 1].end
    there = sibling.tokens[swap.other].start, sibling.tokens[swap.other_end - 1].end
    before = text[start:end]
    after = sibling.text[slice(*there)]
    if before == after or len(before.splitlines()) > 1 or len(after.splitlines()) > 1:
        return None
    confidence = EXPLAINED if swap.entry else UNEXPLAINED
    attested = (Attestation(sibling.name, *there, after),)
    return Edit(start, end, before, after, swap.entry, confidence, DecidedBy.SIBLING, attested)
