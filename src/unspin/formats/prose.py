"""The prose of a document: the words that may be restored, apart from the markup that they stand in.

In come a source and a text of the same length, in which markup is hidden by invisible characters, so that offsets
into the one are offsets into the other, and what decodes the text sees only words. Out go restorations of the source.
Left out are edits that would change markup.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from unspin.edit import apply
from unspin.model import Candidate, DecidedBy, Edit, Restoration

HIDDEN = "\u2060"  # what stands for a character of markup: it is no white space, and no part of a word
_SHOWN = re.compile(f"[^{HIDDEN}\n]+")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Prose:
    """`text` is restored in place of `source`, at the same offsets; nothing is changed inside `protected` spans.

    `is_page`: the source is HTML, of which only text nodes may change.
    """

    source: str
    text: str
    protected: tuple[tuple[int, int], ...] = ()
    is_page: bool = False

    def __post_init__(self) -> None:
        if len(self.source) != len(self.text):
            raise ValueError(f"a source of {len(self.source)} characters and a text of {len(self.text)}")
        if any(left[1] > right[0] for left, right in pairwise(self.protected)):
            raise ValueError("protected spans are not in order")

    @classmethod
    def plain(cls, text: str) -> Prose:
        """A text without markup."""
        return cls(text, text)

    def landed(self, restoration: Restoration) -> Restoration:
        """A restoration of `text` as one of `source`: what would change markup is left out.

        A repeated paragraph goes with the markup inside it; of one in a page only the words go.
        """
        if self.source is self.text:
            return restoration
        edits, duplicates = self.placed(restoration.edits), restoration.duplicates
        if self.is_page:
            repeats = [one for group in duplicates for one in group.repeats]
            removed = [edit for one in repeats for edit in self._emptied(one.start, one.end, one.score)]
            edits, duplicates = tuple(sorted((*edits, *removed), key=lambda edit: edit.start)), ()
        held = tuple(
            replace(one, candidate=candidate) for one in restoration.held if (candidate := self.requoted(one.candidate))
        )
        return replace(restoration, original=self.source, edits=edits, duplicates=duplicates, held=held)

    def placed(self, edits: Iterable[Edit]) -> tuple[Edit, ...]:
        """Edits of `text`, in order, as edits of `source`: what would change markup is left out."""
        return tuple(self._landed(edits)) if self.source is not self.text else tuple(edits)

    def _landed(self, edits: Iterable[Edit]) -> Iterator[Edit]:
        found = [(edit, self._placed(edit)) for edit in sorted(edits, key=lambda edit: edit.start)]
        followers = [placed for _, placed in found[1:]]
        for (edit, placed), follower in zip_longest(found, followers):
            is_orphan = edit.decided_by is DecidedBy.AGREEMENT and follower is None
            if placed and not is_orphan:  # "a" agrees with the edit behind it, which is not made
                yield placed

    def _placed(self, edit: Edit) -> Edit | None:
        """The edit as the source has it, or None if it would change markup."""
        before = self._quoted(edit.start, edit.end, edit.before)
        if before is None:
            return None
        after = html.escape(edit.after, quote=False) if self.is_page else edit.after
        if before != edit.before:  # across a line break, which stays where there is still a space
            after = after.replace(" ", _line_break(before), 1)
        return replace(edit, before=before, after=after) if before != after else None

    def _quoted(self, start: int, end: int, before: str) -> str | None:
        found = self.source[start:end]
        before_end = bisect_left(self.protected, (max(end, start + 1),))
        if before_end and self.protected[before_end - 1][1] > start:
            return None
        return found if found == before or _SPACE.sub(" ", found) == _SPACE.sub(" ", before) else None

    def requoted(self, candidate: Candidate) -> Candidate | None:
        """The candidate as the source has it, or None if it runs across markup."""
        before = self._quoted(candidate.start, candidate.end, candidate.before)
        return None if before is None else replace(candidate, before=before)

    def emptied(self, spans: Iterable[tuple[int, int]]) -> str:
        """The source without the words in some spans; markup stays."""
        return apply(self.source, [edit for start, end in sorted(spans) for edit in self._emptied(start, end, 1.0)])

    def _emptied(self, first: int, last: int, score: float) -> Iterator[Edit]:
        for match in _SHOWN.finditer(self.text, first, last):
            start, end = match.span()
            before = self.source[start:end]
            if before.strip():
                yield Edit(start, end, before, "", None, score, DecidedBy.DUPLICATE)


def _line_break(before: str) -> str:
    return next(space.group() for space in _SPACE.finditer(before) if space.group() != " ")
