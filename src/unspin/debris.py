"""What a spinner leaves around its swaps: broken figures and contractions, doubled words, spintax.

In come a document and the edits decided for it; out come these edits with the debris mended, and what waits
for a person. The rules read the *restored* text, so that they also see the debris that edits make or leave half
done; a mending that meets an edit replaces it. Refused, by `EditConflict`: edits that overlap or do not quote
the text.

- A number word inside a figure ("three.5%", "a couple of:30") becomes digits, a broken contraction
  ("gained't") what it was. No edited text has either.
- A word that the spinner doubled, because a head's alternate holds the word beside it, stays once: for certain
  if it is a particle ("find out out"), else it is held ("video video games" was "video games", but "the total
  total" may have been "the whole total"). What English doubles ("that that", "really really"), names and code
  are left alone.
- Spintax that was never expanded (`{hi|hello}`) is held with what it may read as, in any text: it is evidence
  by itself.

Stray braces and blanks, "just a few" and "of interest" have no rule: the former do not occur, the latter are
swaps, which decoding undoes. A word that an edit doubles has none either: the edit is right as often as not.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from unspin.decide import quantities
from unspin.edit import apply
from unspin.model import Candidate, DecidedBy, Document, Edit, Held, HeldReason, Option

# How often a mending brought spun texts nearer to their originals; what is less sure than 0.9 is held. Doubled words
# were counted with half of the lexicon away, as if it did not know the topic.
FIGURE = 0.99
CONTRACTION = 0.99
PARTICLE = 0.98
DOUBTFUL = 0.79

MOST_READINGS = 24  # of one spintax group; further ones are not listed
LONGEST_GROUP = 400  # code points

_UNIT = "one|two|three|four|five|six|seven|eight|nine"
_TEENS = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_SMALL = rf"(?:(?:{_TENS})[ -])?(?:{_UNIT})|{_TEENS}|{_TENS}|(?:(?:{_UNIT}) )?hundred"
_FIGURE = re.compile(
    rf"(?<![\w.,:/])(?:a (?:pair|couple) of|{_SMALL})(?=,\d{{3}}(?!\d)|\.\d|:[0-5]\d(?!\d)|/\d)", re.IGNORECASE
)

_MAY = r"(?:may|might|could|will)(?: (?:possibly|probably|well|actually))?|(?:is|are|am) able to"
_NOT = r"(?=['\u2019]t\b)"
_CONTRACTIONS = (
    (re.compile(rf"\b(?:gained|received){_NOT}"), "won"),
    (re.compile(rf"\b(?:{_MAY}){_NOT}"), "can"),
    (re.compile(rf"(?:['\u2019]ll| will)(?: be able to)?{_NOT}"), " can"),
)

_DOUBLE = re.compile(  # a run of three is an author's: then the second group is no word
    r"(?<![\w'\u2019.@#/-])([^\W\d_]++)[ \u00a0]+(\1(?:[ \u00a0]+\1)*)(?![\w@/-]|['\u2019.][^\W\d_])", re.IGNORECASE
)
_PARTICLES = frozenset("as down ever into like out up upon with".split())
# Edited text doubles these, by grammar or for emphasis; shorter words it doubles too often ("had had", "ha ha").
_DOUBLES = frozenset(
    "about after again always another autoplay being clack could first great knock later never other please really "
    "right should still their there these those under until which where while whoa would yadda".split()
)
_LEAST_LETTERS = 5  # of a word that is held; "of" alone is shorter
_CODE = re.compile(r"[{}\\<>=`_|]|\(\)|;$")

_TEXT = r"[^{}\n\\<>=:;_$\[\]]"  # no code, no formula, no template
_INNER = re.compile(rf"\{{({_TEXT}*+)\}}")
_MIDDLE = rf"\{{(?:{_TEXT}++|\{{{_TEXT}*+\}})*+\}}"
_SPINTAX = re.compile(rf"(?<![\w\\$#%^:=/])\{{(?:{_TEXT}++|{_MIDDLE})*+\}}")


class _Mending(NamedTuple):
    """`[start, end)` of a restored text ought to read `after`."""

    start: int
    end: int
    after: str
    confidence: float


class _Place(NamedTuple):
    """`[start, end)` of a restored text, the edits there, and `[source, source_end)` of the original behind it."""

    start: int
    end: int
    source: int
    source_end: int
    edits: tuple[Edit, ...]


class _Restored:
    """A stretch of text as its edits make it read, and where each piece of it comes from."""

    def __init__(self, original: str, start: int, end: int, edits: Sequence[Edit]) -> None:
        self.original, self.edits = original, edits
        self.text = apply(original, edits, start=start, end=end)
        self._starts, self._ends = array("q"), array("q")
        self._shifts = array("q", [start])  # what leads back into the original: before all edits, and behind each
        for edit in edits:
            self._starts.append(edit.start - self._shifts[-1])
            self._ends.append(self._starts[-1] + len(edit.after))
            self._shifts.append(edit.end - self._ends[-1])

    def place(self, start: int, end: int) -> _Place:
        """The place `[start, end)`, widened to the edits that it meets or that end where it starts."""
        first, last = bisect_left(self._ends, start), bisect_left(self._starts, end)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        return _Place(start, end, start + self._shifts[first], end + self._shifts[last], tuple(self.edits[first:last]))

    def mended(self, mendings: Sequence[_Mending]) -> list[Edit]:
        """The edits with the mendings made: one that meets edits replaces them, or undoes them."""
        if not mendings:
            return list(self.edits)
        gone: set[int] = set()  # where edits start that are no more
        made: list[Edit] = []
        position = -1
        for mending in sorted(mendings):
            place = self.place(mending.start, mending.end)
            if place.source <= position:
                continue
            position = place.source_end
            before = self.original[place.source : place.source_end]
            after = self.text[place.start : mending.start] + mending.after + self.text[mending.end : place.end]
            confidence = min([mending.confidence, *(edit.confidence for edit in place.edits)])
            gone.update(edit.start for edit in place.edits)
            if before != after:
                made.append(Edit(place.source, position, before, after, None, confidence, DecidedBy.DEBRIS))
        made += (edit for edit in self.edits if edit.start not in gone)
        return sorted(made, key=lambda edit: edit.start)


def mend(
    document: Document, edits: Iterable[Edit], *, is_spun: bool, min_confidence: float = 0.0
) -> tuple[tuple[Edit, ...], tuple[Held, ...]]:
    """The edits, in text order, with the spinner's debris mended, and what of it waits for a person.

    Only the document's paragraphs are looked at: leave out those that are to be removed. An edit lies in one
    paragraph. Without spin evidence (`is_spun` false) nothing is mended, and only spintax is held. Mendings less
    sure than `min_confidence` are held, too.
    """
    made: list[Edit] = []
    held: list[Held] = []
    ordered = sorted(edits, key=lambda edit: edit.start)
    done = 0
    for paragraph in document.paragraphs:
        first = bisect_left(ordered, paragraph.start, key=lambda edit: edit.start)
        last = bisect_left(ordered, paragraph.end, key=lambda edit: edit.start)
        span = document.text, paragraph.start, paragraph.end
        own, waiting = _mended(*span, ordered[first:last], is_spun=is_spun, min_confidence=min_confidence)
        made += [*ordered[done:first], *own]
        held += waiting
        done = last
    return (*made, *ordered[done:]), tuple(held)


def _mended(
    text: str, start: int, end: int, edits: list[Edit], *, is_spun: bool, min_confidence: float
) -> tuple[list[Edit], list[Held]]:
    held = list(_spintax(text, start, end))
    groups = [waiting.candidate for waiting in held]
    edits = [edit for edit in edits if not _meets(edit.start, edit.end, groups)]
    if not is_spun:
        return edits, held
    restored = _Restored(text, start, end, edits)
    if mendings := [mending for mending in _broken(restored.text) if not _waits(restored, mending, groups)]:
        held += [_held(restored, mending) for mending in mendings if mending.confidence < min_confidence]
        mendings = [mending for mending in mendings if mending.confidence >= min_confidence]
        restored = _Restored(text, start, end, restored.mended(mendings))
    certain, doubtful = (
        [mending for mending in found if not _waits(restored, mending, groups)] for found in _doubled(restored)
    )
    doubtful += [mending for mending in certain if mending.confidence < min_confidence]
    certain = [mending for mending in certain if mending.confidence >= min_confidence]
    return restored.mended(certain), held + [_held(restored, mending) for mending in doubtful]


def _meets(start: int, end: int, groups: Sequence[Candidate]) -> bool:
    number = bisect_right(groups, start, key=lambda group: group.end)
    return number < len(groups) and groups[number].start < end


def _waits(restored: _Restored, mending: _Mending, groups: Sequence[Candidate]) -> bool:
    """Does a mending lie in spintax, which waits for a person as a whole?"""
    place = restored.place(mending.start, mending.end)
    return _meets(place.source, place.source_end, groups)


def _broken(text: str) -> Iterator[_Mending]:
    """Figures and contractions that no author writes."""
    for match in _FIGURE.finditer(text):
        yield _Mending(*match.span(), _digits(match.group().lower()), FIGURE)
    for pattern, stem in _CONTRACTIONS:
        for match in pattern.finditer(text):
            yield _Mending(*match.span(), stem, CONTRACTION)


def _digits(number: str) -> str:
    """Two ("a pair of") or a number in words, as digits; `quantities` takes "one" for a pronoun."""
    return "2" if number.endswith("of") else str(next(iter(quantities(number)), 1))


def _doubled(restored: _Restored) -> tuple[list[_Mending], list[_Mending]]:
    """Where a word that the text doubles may stay once: for certain, and perhaps."""
    certain: list[_Mending] = []
    doubtful: list[_Mending] = []
    for match in () if _CODE.search(restored.text) else _DOUBLE.finditer(restored.text):
        word, again = match.groups()
        if not again.islower() or word not in (again, again.capitalize()):
            continue
        place = restored.place(*match.span())
        if again in _PARTICLES and _DOUBLE.search(restored.original, place.source, place.source_end):
            certain.append(_Mending(*match.span(), word, PARTICLE))
        elif not place.edits and (again == "of" or (len(again) >= _LEAST_LETTERS and again not in _DOUBLES)):
            doubtful.append(_Mending(*match.span(), word, DOUBTFUL))
    return certain, doubtful


def _held(restored: _Restored, mending: _Mending) -> Held:
    place = restored.place(mending.start, mending.end)
    before = restored.original[place.source : place.source_end]
    options = Option(mending.after, None, mending.confidence), Option(before, None, 1.0 - mending.confidence)
    return Held(Candidate(place.source, place.source_end, before, options), HeldReason.DEBRIS)


def _spintax(text: str, start: int, end: int) -> Iterator[Held]:
    """The spintax groups of a stretch of text, with what they may read as."""
    for match in _SPINTAX.finditer(text, start, end):
        group = match.group()
        if len(group) > LONGEST_GROUP or "|" not in _INNER.sub("", _INNER.sub("", group[1:-1])):
            continue
        readings = dict.fromkeys(islice(_readings(group), MOST_READINGS))
        if any(len(reading) > 1 for reading in readings):
            options = *(Option(reading, None, 1.0 / len(readings)) for reading in readings), Option(group, None, 0.0)
            yield Held(Candidate(*match.span(), group, options), HeldReason.DEBRIS)


def _readings(group: str) -> Iterator[str]:
    """All that a spintax group may read as; what an inner group does not touch comes again for each choice of it.

    >>> list(_readings("{{good|fine} day|hi}"))
    ['good day', 'hi', 'fine day', 'hi']
    """
    inner = _INNER.search(group)
    if inner is None:
        yield group
        return
    for choice in inner[1].split("|"):
        yield from _readings(group[: inner.start()] + choice + group[inner.end() :])
