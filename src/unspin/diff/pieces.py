"""A restoration cut into what stays, what changes and what waits: what every style tells of.

In comes a `Restoration`; out go its changes, or its original text as a sequence of pieces. Refused, by
`EditConflict`: edits that make no cleaned text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from unspin.edit import apply, removals
from unspin.model import DuplicateGroup, Edit, Held, Repeat, Restoration

# Code points that act instead of being seen: C0 (tab and line breaks apart), DEL, C1, bidi overrides.
_DECEPTIVE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")


class Removed(NamedTuple):
    """A repeated passage on its way out; `number` and `repeats` count paragraphs from 1.

    `edit` removes it with the line breaks before or after it; `kept` is where the passage it repeats starts.
    """

    repeat: Repeat
    edit: Edit
    kept: int
    number: int
    repeats: int

    def __str__(self) -> str:
        return f"repeats paragraph {self.repeats} ({self.repeat.kind}, score {self.repeat.score:.2f})"

    @property
    def parts(self) -> tuple[str, str, str]:
        """What goes: line breaks, the passage, line breaks."""
        before, start = self.edit.before, self.repeat.start - self.edit.start
        end = start + self.repeat.end - self.repeat.start
        return before[:start], before[start:end], before[end:]


Mark = Edit | Held | Removed
Piece = str | Mark


def changes(restoration: Restoration) -> list[Edit]:
    """The removals and the edits, in order; together they make the cleaned text. Raises EditConflict."""
    text = restoration.original
    edits = sorted((*removals(restoration.duplicates, text), *restoration.edits), key=attrgetter("start"))
    apply(text, edits)  # for its refusals: a diff of edits that do not fit would lie
    return edits


def pieces(restoration: Restoration) -> Iterator[Piece]:
    """The original text cut at its changes and at the held candidates that touch none of them.

    Between two strings stands a change or a held candidate. Raises EditConflict.
    """
    text = restoration.original
    edits = changes(restoration)
    marks: list[Mark] = [*restoration.edits, *removed(restoration), *_free(edits, restoration.held)]
    position = 0
    for mark in sorted(marks, key=span):
        start, end = span(mark)
        if start < position:
            continue  # of held candidates that overlap, the first is shown
        yield text[position:start]
        yield mark
        position = end
    yield text[position:]


def span(mark: Mark) -> tuple[int, int]:
    """Where a mark stands in the original text."""
    match mark:
        case Held():
            return mark.candidate.start, mark.candidate.end
        case Removed():
            return mark.edit.start, mark.edit.end
        case Edit():
            return mark.start, mark.end


def _free(edits: Sequence[Edit], held: Iterable[Held]) -> Iterator[Held]:
    """The held candidates that touch no edit."""
    starts = [edit.start for edit in edits]
    for one in held:
        start, end = span(one)
        before = bisect_left(starts, end)
        if before == 0 or edits[before - 1].end <= start:
            yield one


def removed(restoration: Restoration) -> list[Removed]:
    """All repeats, in text order."""
    text, groups = restoration.original, restoration.duplicates
    starts, position = [], 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            starts.append(position)
        position += len(line)
    return [
        Removed(repeat, edit, kept, bisect_right(starts, repeat.start), bisect_right(starts, kept))
        for (repeat, kept), edit in zip(_repeats(groups), removals(groups, text), strict=True)
    ]


def _repeats(groups: Iterable[DuplicateGroup]) -> list[tuple[Repeat, int]]:
    """Repeats in text order, each with the start of what it repeats."""
    return sorted(((r, group.start) for group in groups for r in group.repeats), key=lambda pair: pair[0].start)


def readings(held: Held) -> list[str]:
    """The options of a held candidate, each with its posterior."""
    return [f"{option.after} {option.posterior:.2f}" for option in held.candidate.options]


def visible(text: str) -> str:
    """The text with every deceptive character replaced by a sign for it: U+001B by its picture."""
    return _DECEPTIVE.sub(_sign, text)


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"
