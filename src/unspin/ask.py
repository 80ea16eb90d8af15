"""Held candidates, decided by somebody who chooses among their options: a language model, as a rule.

In come a restoration and a chooser, which is shown a sentence and the options of the candidate in it: what the lexicon
says may have stood there, leaving it alone included. Out goes the restoration with what was chosen. A choice is the
place of an option, so that nothing but the lexicon's words can get into a text. What is held for its number or
negation, or as debris, is not asked about; no option is offered that would change a number or a negation.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from unspin.decide import calibrated, guard
from unspin.edit import apply, mend_articles
from unspin.model import Candidate, DecidedBy, Document, Edit, HeldReason, Option, Restoration, Sentence, Signature
from unspin.repeats import without_repeats
from unspin.text import segment

REACH = 400  # code points of a sentence to either side of the candidate; some "sentences" are whole pages
OPEN_REASONS = frozenset((HeldReason.CONFIDENCE, HeldReason.STATUS, HeldReason.NAME))
GUARDED = frozenset((HeldReason.NUMBER, HeldReason.NEGATION))  # what nobody may overrule without looking


@dataclass(frozen=True, slots=True)
class Question:
    """A sentence with the words in question in [[double brackets]], and what may have stood there."""

    sentence: str
    options: tuple[str, ...]


class Chooser(Protocol):
    """What decides: an `Endpoint`, or anything else that picks options."""

    @property
    def digest(self) -> str:
        """Names it in signatures."""
        ...

    def choose(self, questions: Sequence[Question]) -> Sequence[int | None]:
        """Per question the place of an option, from 0; None for no answer."""
        ...


class _Asked(NamedTuple):
    place: int  # among the held
    candidate: Candidate
    options: tuple[Option, ...]
    question: Question


def decide_held(restoration: Restoration, endpoint: Chooser) -> Restoration:
    """The restoration with the candidates decided that are held for confidence, status or the case of a name.

    A chosen option becomes an edit by `DecidedBy.ENDPOINT`. Its confidence is the calibrated probability of that option
    before the endpoint was asked: what an endpoint's word adds has not been measured, so nothing is added for
    it. A candidate that is to be left alone is held no more. Without an answer it stays held, and so does one whose
    other options would all change a number or a negation. Articles follow the new edits. Pure, given the endpoint;
    raises what it raises.
    """
    document = without_repeats(segment(restoration.original), restoration.duplicates)
    asked = list(_asked(restoration, document))
    answers = endpoint.choose([one.question for one in asked]) if asked else ()
    decided: set[int] = set()
    made: list[Edit] = []
    for one, answer in zip(asked, answers, strict=True):
        if answer is None or not 0 <= answer < len(one.options):
            continue
        decided.add(one.place)
        at, option = one.candidate, one.options[answer]
        if option.after != at.before:
            confidence = calibrated(option.posterior)
            made.append(Edit(at.start, at.end, at.before, option.after, option.entry, confidence, DecidedBy.ENDPOINT))
    edits = restoration.edits
    if made:  # articles anew: one of them may stand inside what was held
        edits = mend_articles(document, [*_firm(edits), *made])
    held = tuple(one for place, one in enumerate(restoration.held) if place not in decided)
    return replace(restoration, edits=edits, held=held, signature=_signed(restoration, endpoint))


def _firm(edits: Sequence[Edit]) -> list[Edit]:
    """The edits that are not only made for the sake of others."""
    return [edit for edit in edits if edit.decided_by is not DecidedBy.AGREEMENT]


def _signed(restoration: Restoration, endpoint: Chooser) -> Signature:
    signature = restoration.signature
    options = tuple((k, f"{v}+{endpoint.digest}" if k == "ranker" else v) for k, v in signature.options)
    return replace(signature, options=options)


def _asked(restoration: Restoration, document: Document) -> Iterator[_Asked]:
    """The questions to ask, in text order; none about a candidate that meets an edit or one asked about before."""
    sentences = [sentence for paragraph in document.paragraphs for sentence in paragraph.sentences]
    firm = _Edits(_firm(restoration.edits))
    every = _Edits(restoration.edits)
    position = 0
    for place, held in enumerate(restoration.held):
        at, options = held.candidate, offered(held.candidate)
        if held.reason not in OPEN_REASONS or len(options) < 2:
            continue
        if at.start < position or not firm.spare(at.start, at.end):
            continue
        position = at.end
        number = bisect_right(sentences, at.start, key=lambda sentence: sentence.start) - 1
        marked = _marked(restoration.original, sentences[number], at, every)
        yield _Asked(place, at, options, Question(marked, tuple(option.after for option in options)))


def offered(candidate: Candidate) -> tuple[Option, ...]:
    """The options that may be chosen: the lexicon's that keep numbers and negations, and leaving it alone."""
    found: dict[str, Option] = {}
    for option in candidate.options:
        if option.entry is None:
            is_allowed = option.after == candidate.before
        else:
            is_allowed = guard(candidate.before, option.entry.original, option.after) not in GUARDED
        if is_allowed:
            found.setdefault(option.after, option)
    return tuple(found.values())


class _Edits:
    """Edits in text order, found by their places."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits, self._starts = edits, [edit.start for edit in edits]

    def spare(self, start: int, end: int) -> bool:
        """Whether none of them meets `[start, end)`."""
        before = bisect_left(self._starts, end)
        return before == 0 or self._edits[before - 1].end <= start

    def applied(self, text: str, start: int, end: int) -> str:
        """`text[start:end]` with the edits made that lie in it."""
        found = self._edits[bisect_left(self._starts, start) : bisect_left(self._starts, end)]
        return apply(text, (edit for edit in found if edit.end <= end), start=start, end=end)


def _marked(text: str, sentence: Sentence, at: Candidate, edits: _Edits) -> str:
    """The sentence as restored so far, on one line, with the candidate in double brackets."""
    left = edits.applied(text, max(sentence.start, at.start - REACH), at.start)
    right = edits.applied(text, at.end, max(at.end, min(sentence.end, at.end + REACH)))
    return " ".join(f"{left}[[{at.before}]]{right}".split())
