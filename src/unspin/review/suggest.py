"""Lessons into a lexicon: which entries should have another status, and which pairs are new.

In come a lexicon's file and what people decided; out go changes of single lines, which a person can read as a patch.

An entry's share of right answers is judged by the ends of its Wilson score interval (1927) at 95 %: what is surely
right more often than not is `auto`, what is surely wrong as often is `review`, and what is hardly ever right is `off`.
So a few answers change nothing. Above each changed entry stands, as a comment, what was counted, with two sentences.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from unspin.edit import carry_case
from unspin.lexicon import LONGEST, Line, order, written
from unspin.model import DecidedBy, Edit, Entry, Status
from unspin.review.lessons import EXAMPLES, Lessons, Swap, Tally
from unspin.text import phrase

HALF = 0.5  # share of right answers at which a swap does as much good as harm
HARDLY = 0.2
Z = 1.96  # standard deviations on either side of 95 %
SURE = 2  # times that a new pair was typed, from which on it is `auto`
RATE = 0.3  # of a new entry, if the rates of its original leave so much: near the shipped lexicon's median
LEAST_RATE = 0.01
SOURCE = "review"
MARK = "# review: "  # what comments of ours begin with
LONGEST_SENTENCE = 300  # code points of a negative example


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A line to change (`old`), or to add (None), and why."""

    old: Entry | None
    new: Entry
    comments: tuple[str, ...]


def wilson(right: int, judged: int) -> tuple[float, float]:
    """The ends of the Wilson score interval of a share, at 95 %.

    >>> [round(end, 2) for end in wilson(0, 16)], [round(end, 2) for end in wilson(8, 10)]
    ([0.0, 0.19], [0.49, 0.94])
    """
    if not judged:
        return 0.0, 1.0
    share, weight = right / judged, Z * Z / judged
    middle = (share + weight / 2) / (1 + weight)
    reach = math.sqrt(share * (1 - share) * weight + weight * weight / 4) / (1 + weight)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def better(status: Status, tally: Tally) -> Status:
    """The status that an entry should have, from its present one and how it was judged."""
    low, high = wilson(tally.accepted, tally.judged)
    if low >= HALF:
        return Status.AUTO
    if high < HARDLY:
        return Status.OFF
    if high < HALF and status is Status.AUTO:
        return Status.REVIEW
    return status


def suggestions(lines: Sequence[Line], lessons: Lessons) -> Iterator[Suggestion]:
    """What should change in a lexicon, in its order: statuses by what was judged, and new pairs that people typed."""
    entries = {_key(line.entry.spun, line.entry.original): line.entry for line in lines if line.entry}
    typed = _typed(lessons)
    tallies = {_key(*swap): tally for swap, tally in lessons.tallies.items()}
    for key in typed.keys() & entries.keys():  # the lexicon knows it, and did not offer it
        tally = tallies.get(key, Tally(0, 0, 0, ()))
        tallies[key] = replace(tally, accepted=tally.accepted + len(typed[key].sentences))
    found = [
        *_statuses(entries, tallies),
        *_pairs(entries, [typed[key] for key in sorted(typed.keys() - entries.keys())]),
    ]
    yield from sorted(found, key=lambda one: order(one.new))


_Key = tuple[tuple[str, ...], tuple[str, ...]]


def _key(spun: str, original: str) -> _Key:
    return phrase(spun), phrase(original)


@dataclass(frozen=True, slots=True)
class _Typed:
    spun: str
    original: str
    sentences: tuple[str, ...]


def _typed(lessons: Lessons) -> dict[_Key, _Typed]:
    """What people typed, as entries would have it."""
    found: dict[_Key, _Typed] = {}
    for (before, after), sentences in sorted(lessons.typed.items()):
        if swap := minimal(before, after):
            known = found.get(_key(*swap), _Typed(*swap, ()))
            found[_key(*swap)] = replace(known, sentences=known.sentences + sentences)
    return found


def _statuses(entries: Mapping[_Key, Entry], tallies: Mapping[_Key, Tally]) -> Iterator[Suggestion]:
    for key in sorted(tallies.keys() & entries.keys()):
        entry, tally = entries[key], tallies[key]
        if (status := better(entry.status, tally)) != entry.status:
            said = f"{MARK}{tally.accepted} of {tally.judged} right, so {entry.status} became {status}"
            wrong = (f"{MARK}not right: {sentence}" for sentence in tally.examples)
            yield Suggestion(entry, replace(entry, status=status), (said, *wrong))


def _pairs(entries: Mapping[_Key, Entry], typed: Sequence[_Typed]) -> Iterator[Suggestion]:
    """New entries. The rates of one original sum to 1 at most, so that they get what is left."""
    used: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for (_, original), entry in entries.items():
        used[original] += 0.0 if entry.status is Status.OFF else entry.rate
    for one in typed:
        left = math.floor((1.0 - used[phrase(one.original)]) * 1000) / 1000
        if left >= LEAST_RATE:
            rate = min(RATE, left)
            used[phrase(one.original)] += rate
            status = Status.AUTO if len(one.sentences) >= SURE else Status.REVIEW
            entry = Entry(one.spun, one.original, rate, len(one.sentences), status, SOURCE)
            yield Suggestion(None, entry, tuple(f"{MARK}typed: {sentence}" for sentence in one.sentences[:EXAMPLES]))


def minimal(before: str, after: str) -> Swap | None:
    """The pair that a typed replacement shows: without what both have at their ends, and without a capital that only
    comes from the place. None for what is no entry.

    >>> minimal("The struggle", "The war"), minimal("Struggle", "War"), minimal("is", "was not a thing that one had")
    (('struggle', 'war'), ('struggle', 'war'), None)
    """
    spun, original = (tuple(unicodedata.normalize("NFC", text).split()) for text in (before, after))
    while len(spun) > 1 and len(original) > 1 and spun[0] == original[0]:
        spun, original = spun[1:], original[1:]
    while len(spun) > 1 and len(original) > 1 and spun[-1] == original[-1]:
        spun, original = spun[:-1], original[:-1]
    pair = " ".join(spun), " ".join(original)
    lowered = pair[0][:1].lower() + pair[0][1:], pair[1][:1].lower() + pair[1][1:]
    if pair[0][:1].isupper() and carry_case(pair[0], lowered[1], sentence_start=True) == pair[1]:
        pair = lowered
    sizes = [len(phrase(text)) for text in pair]
    if phrase(pair[0]) == phrase(pair[1]) or not all(1 <= size <= LONGEST for size in sizes):
        return None
    return pair


def changes(text: str, suggested: Sequence[Suggestion]) -> tuple[Edit, ...]:
    """The edits that bring suggestions into a lexicon file's text; entries stay sorted, other lines as they are."""
    rows = text.splitlines(keepends=True)
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    spans: dict[int, tuple[int, str]] = {}  # first row: the row behind, and what takes their place
    for one in suggested:
        if one.old:
            first = _first_comment(rows, one.old.line - 1)
            spans[first] = (one.old.line, _block(one))
    lead = _insertions(rows, [one for one in suggested if not one.old])
    edits = []
    for first in sorted(spans.keys() | lead.keys()):
        last, block = spans.get(first, (first, ""))
        after = lead.get(first, "") + block
        start, end = starts[first], starts[last]
        if start == len(text) and text and not text.endswith("\n"):
            after = "\n" + after
        edits.append(Edit(start, end, text[start:end], after, None, 1.0, DecidedBy.REVIEWER))
    return tuple(edits)


def _block(one: Suggestion) -> str:
    return "".join(f"{row}\n" for row in (*one.comments, written(one.new)))


def _first_comment(rows: Sequence[str], row: int) -> int:
    """The first of our comments above a row: the count of an earlier time gives way."""
    while row and rows[row - 1].startswith(MARK):
        row -= 1
    return row


def _insertions(rows: Sequence[str], new: Sequence[Suggestion]) -> dict[int, str]:
    """What is inserted before which row: before the comments of the entry that comes next."""
    keys: list[tuple[tuple[str, ...], int]] = []
    first = 0  # of the comments above an entry
    for number, row in enumerate(rows):
        if row.startswith("#") or not row.strip():
            continue
        if keys or not row.startswith("spun\toriginal\t"):
            keys.append((tuple(row.split("\t")[:2]), first))
        first = number + 1
    found: defaultdict[int, str] = defaultdict(str)
    for one in sorted(new, key=lambda one: order(one.new)):
        place = bisect_left(keys, order(one.new), key=lambda key: key[0])
        found[keys[place][1] if place < len(keys) else first] += _block(one)
    return found


def negative_examples(present: str, lessons: Lessons) -> str:
    """What is added to an examples file: sentences with false alarms, which must be left alone."""
    known = set(present.splitlines())
    sentences = [
        sentence
        for _, found in sorted(lessons.false_alarms.items())
        for sentence in found
        if len(sentence) <= LONGEST_SENTENCE and not sentence.startswith("#") and sentence not in known
    ]
    if not sentences:
        return ""
    head = "# False alarms, from reviews: to be left alone\n"
    lead = "" if not present or present.endswith("\n\n") else "\n" if present.endswith("\n") else "\n\n"
    return lead + ("" if head in present else head) + "".join(f"{one}\n" for one in dict.fromkeys(sentences))
