"""Texts as passages, and passages of the same words as one unit.

Texts come in; out go `Passages`: where each stands (a document, a paragraph or a sentence), which have the same
characters, and which the same words, with a `Corpus` of what differs. Nothing is refused: empty passages and those of
too few words belong to no unit. Time and memory grow in proportion to the texts.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xxhash

from unspin.canon import Canon
from unspin.fingerprint import Corpus, joined
from unspin.model import Level, Place, Progress
from unspin.processes import can_fork, forked
from unspin.text import segment
from unspin.words import Hashes, Longs, Words, bare, merged, shares, split

UNITS = (Level.DOCUMENT, Level.PARAGRAPH, Level.SENTENCE)  # levels at which a text falls into its passages
ROWS = 1 << 16  # places made Python's at a time
SHARE = 1 << 23  # characters that are worth a process: far fewer are read in the time that it takes to fork one


@dataclass(frozen=True, slots=True)
class Passages:
    """What is compared. Passages of the same words are one *unit*; the corpus has a text for each.

    Passages that have the same characters, white space apart, are of one *form*, named after the first of them.
    """

    texts: Sequence[str]
    places: Longs
    forms: Longs  # of each passage
    order: Longs  # the passages of the first unit, of the second …
    bounds: Longs  # unit i has those between `bounds[i]` and the next
    corpus: Corpus

    def place(self, number: int) -> Place:
        return Place(*self.places[number].tolist())

    def quoted(self, number: int) -> str:
        text, start, end = map(int, self.places[number])
        return self.texts[text][start:end]

    def of(self, unit: int) -> list[int]:
        """The passages of a unit."""
        found: list[int] = self.order[self.bounds[unit] : self.bounds[unit + 1]].tolist()
        return found


def read_passages(
    texts: Sequence[str],
    level: Level,
    canon: Canon,
    *,
    min_words: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Passages:
    """The passages of texts, without those that are empty or have fewer than `min_words` words."""
    places = places_in(texts, level)

    def quoted(number: int) -> str:
        text, start, end = map(int, places[number])
        return texts[text][start:end]

    def are_same(one: int, other: int) -> bool:
        a, b = quoted(one), quoted(other)
        return a == b or bare(a) == bare(b)

    words = _split(texts, places, jobs, progress)
    forms, lengths = _firsts(words.seen, are_same), np.diff(words.bounds)
    is_read = (forms == np.arange(len(forms))) & (lengths >= min_words)
    for number in np.flatnonzero(is_read & (lengths == 0)).tolist():
        is_read[number] = bool(bare(quoted(number)))
    chosen = np.flatnonzero(is_read)
    words = words.taken(chosen)
    alike = _alike(words)
    firsts = np.flatnonzero(alike == np.arange(len(alike)))
    unit_of = np.full(len(places), -1)
    unit_of[chosen] = np.searchsorted(firsts, alike)
    unit_of = unit_of[forms]
    order = np.lexsort((forms, unit_of))
    bounds = np.searchsorted(unit_of, np.arange(len(firsts) + 1), sorter=order)
    return Passages(texts, places, forms, order, bounds, joined(words.taken(firsts), canon))


def _split(texts: Sequence[str], places: Longs, jobs: int, progress: Progress | None) -> Words:
    """The words of the passages; large collections are shared with `jobs - 1` other processes."""

    def words(first: int, last: int, progress: Progress | None = None) -> Words:
        strings = (texts[text][start:end] for text, start, end in _rows(places[first:last]))
        return split(strings, count=last - first, progress=progress)

    sizes = places[:, 2] - places[:, 1]
    jobs = min(jobs, int(sizes.sum()) // SHARE) if can_fork else 1
    if jobs < 2:
        return words(0, len(places), progress)
    first, *others = pairwise(shares(sizes.tolist(), jobs))
    with forked(words, jobs) as call:
        found = [call(*share) for share in others]
        return merged([words(*first, progress), *(part.result() for part in found)])


def spans(text: str, level: Level) -> Iterator[tuple[int, int]]:
    """Where the passages of a text start and end. Raises ValueError for a level that is none of `UNITS`."""
    if level not in UNITS:
        raise ValueError(f"a {level} may start and end anywhere; only `dedupe` finds it")
    if level is Level.DOCUMENT:
        yield 0, len(text)
    elif level is Level.PARAGRAPH:
        start = 0
        for line in text.splitlines(keepends=True):
            if held := line.strip():
                first = start + line.index(held[0])
                yield first, first + len(held)
            start += len(line)
    else:
        for paragraph in segment(text).paragraphs:
            yield from ((sentence.start, sentence.end) for sentence in paragraph.sentences)


def places_in(texts: Sequence[str], level: Level) -> Longs:
    """The text, the start and the end of each passage."""
    found = array("q")
    for number, text in enumerate(texts):
        for start, end in spans(text, level):
            found.extend((number, start, end))
    return np.frombuffer(found, np.int64).reshape(-1, 3)


def _rows(places: Longs) -> Iterator[tuple[int, int, int]]:
    for start in range(0, len(places), ROWS):
        texts, starts, ends = places[start : start + ROWS].T.tolist()  # no list for each: garbage is looked for in all
        yield from zip(texts, starts, ends, strict=True)


def _firsts(keys: Hashes, are_same: Callable[[int, int], bool]) -> Longs:
    """For each the number of the first that is the same, which it can be only if their keys are equal."""
    found = np.arange(len(keys))
    order = np.argsort(keys, kind="stable")
    for place in np.flatnonzero(keys[order[1:]] == keys[order[:-1]]).tolist():
        first, number = found[order[place]], order[place + 1]
        if are_same(first, number):
            found[number] = first
    return found


def _alike(words: Words) -> Longs:
    """For each text the first that has the same words; one that has none is like no other."""
    numbers, bounds = words.numbers.data, words.bounds.tolist()

    def are_same(one: int, other: int) -> bool:
        a, b = (numbers[bounds[text] : bounds[text + 1]] for text in (one, other))
        return len(a) > 0 and a == b

    keys = (xxhash.xxh3_64_intdigest(numbers[a:b]) for a, b in pairwise(bounds))
    return _firsts(np.fromiter(keys, np.uint64, len(words)), are_same)


def characters_digest(text: str) -> bytes:
    """Equal for texts of the same characters, white space and what is not seen apart; empty if there are none."""
    seen = bare(text)
    return xxhash.xxh3_128_digest(seen.encode("utf-8", "surrogatepass")) if seen else b""
