"""A text with its items, cut into what a page shows: paragraphs, marks in them, and repeated paragraphs.

In come a text and its items in order; out go blocks, or the marks of a few items after a decision. What stands at a
mark is what `unspin apply` would write there, articles ("a", "an") included. Nothing is refused.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby

from unspin.decide import MIN_CONFIDENCE
from unspin.model import Signature
from unspin.review.applying import applied
from unspin.review.model import Document, Duplicate, Item
from unspin.review.web.words import label

_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")  # what ends a paragraph, as in `unspin.text`
_ARTICLE = re.compile(r"(?<![^\W_])(an?)(?=\s[\s\"'“‘(\[{]*\Z)", re.IGNORECASE)
_REACH = 12  # code points before an item in which its article stands


@dataclass(frozen=True, slots=True)
class Lead:
    """The article before an item, at `start` in the text; it follows the item's words. `item` is the item's number."""

    item: int
    start: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An item as it is shown: `after` is what stands there as things are. `is_open`: is it one of those that this
    review is about? `repeats`: for a duplicate, the number of the paragraph that it repeats."""

    item: Item
    after: str
    lead: Lead | None = None
    is_open: bool = True
    repeats: int | None = None

    @property
    def is_made(self) -> bool:
        """Is the text changed here?"""
        return self.after != self.item.before

    @property
    def strength(self) -> str:
        """How sure the proposal is, in one word; as in the pages of `unspin clean --diff html`."""
        sure = self.item.confidence
        return "sure" if sure >= 0.95 else "likely" if sure >= 0.8 else "unsure"

    @property
    def label(self) -> str:
        """The mark in a sentence."""
        return label(self.item, self.after, repeats=self.repeats)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph and its number, counted from 1: text, articles and marks in turn."""

    number: int
    pieces: tuple[str | Lead | Mark, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A paragraph that repeats another."""

    number: int
    mark: Mark


class Article:
    """A text under review. Cuts it once; texts do not change."""

    def __init__(self, document: Document, text: str) -> None:
        self.document, self.text = document, text
        self._signature = Signature.parse(document.signature)
        options = dict(self._signature.options)
        self._least = float(options.get("min_confidence", MIN_CONFIDENCE))
        self._lines = list(_lines(text))
        self._starts = [start for start, _ in self._lines]

    def number(self, position: int) -> int:
        """The number of the paragraph at a position, counted from 1."""
        return bisect_right(self._starts, position)

    def span(self, position: int) -> tuple[int, int]:
        """The paragraph at a position."""
        return self._lines[max(0, self.number(position) - 1)]

    def marks(self, items: Iterable[Item], *, is_open: Container[int] | None = None) -> Iterator[Mark]:
        """Items of this text, in order and without gaps between them, as they are shown. `is_open`: the numbers of
        those that the review is about; None: all."""
        floor = 0
        for _, group in groupby(items, key=lambda item: self.number(item.start)):
            own = list(group)
            after = self._after(own)
            for item in own:
                now = after.get((item.start, item.end), item.before)
                repeats = self.number(item.duplicate.start) if item.duplicate else None
                is_in = is_open is None or item.id in is_open
                yield Mark(item, now, self._lead(item, floor, after), is_in, repeats)
                floor = item.end

    def _after(self, items: Sequence[Item]) -> dict[tuple[int, int], str]:
        """What stands at which span of a paragraph once the decisions on its items are applied, where that is another
        text. Articles look no further than the paragraph, so that a page can show its first one at once."""
        first, last = self.span(items[0].start)[0], self.span(max(items[0].start, items[-1].end - 1))[1]
        made = applied(
            self.text[first:last],
            [_moved(item, -first) for item in items],
            spin=self.document.spin,
            signature=self._signature,
            min_confidence=self._least,
        )
        found = {(edit.start + first, edit.end + first): edit.after for edit in made.edits}
        gone = {(r.start + first, r.end + first): "" for group in made.duplicates for r in group.repeats}
        return found | gone

    def _lead(self, item: Item, floor: int, after: Mapping[tuple[int, int], str]) -> Lead | None:
        """The article before an item, if there is one and it is in no other item."""
        found = _ARTICLE.search(self.text, max(floor, item.start - _REACH), item.start)
        if item.duplicate or not found or _BREAK.search(self.text, found.end(), item.start):
            return None
        return Lead(item.id, found.start(), found[1], after.get(found.span(1), found[1]))

    def blocks(self, marks: Iterable[Mark]) -> Iterator[Paragraph | Repeated]:
        """The whole text, given the marks of all its items."""
        upcoming = chain(marks, (None,))
        mark, floor = next(upcoming), 0
        for number, (start, end) in enumerate(self._lines, 1):
            own = []
            while mark and mark.item.start < end:
                own.append(mark)
                mark = next(upcoming)
            if own and own[0].item.duplicate:
                yield Repeated(number, own[0])
            else:
                yield Paragraph(number, tuple(self._pieces(max(start, floor), end, own)))
            floor = own[-1].item.end if own else floor

    def _pieces(self, position: int, end: int, marks: Sequence[Mark]) -> Iterator[str | Lead | Mark]:
        for mark in marks:
            if mark.lead:
                yield self.text[position : mark.lead.start]
                yield mark.lead
                position = mark.lead.start + len(mark.lead.before)
            yield self.text[position : mark.item.start]
            yield mark
            position = mark.item.end
        yield self.text[position:end]


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """The lines that are not blank."""
    position = 0
    for match in _BREAK.finditer(text):
        if text[position : match.start()].strip():
            yield position, match.start()
        position = match.end()
    if text[position:].strip():
        yield position, len(text)


def _moved(item: Item, by: int) -> Item:
    if not by:
        return item
    duplicate = item.duplicate
    if duplicate:
        repeat = replace(duplicate.repeat, start=item.start + by, end=item.end + by)
        duplicate = Duplicate(duplicate.start, duplicate.end, repeat)
    return replace(item, start=item.start + by, end=item.end + by, duplicate=duplicate)
