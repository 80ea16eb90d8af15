"""Which pairs of texts are copies, and of what kind.

In comes a `Corpus` and candidate pairs of its texts; out go *matches*, the candidates that are copies or overlap. The
two are aligned in order and, where sentences were moved or left out, window by window; a copy has stretches that hardly
align by chance, and they make up most of it. No number, and hardly a name, may differ in them: a template filled with
other facts is no copy. Two texts that share a long passage while the rest of each is its own overlap. Nothing is
refused.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from itertools import pairwise
from math import inf, log
from typing import Any, NamedTuple

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Indel, LCSseq

from unspin.blocking import MIN_SYMBOLS
from unspin.fingerprint import FACT, KEPT, NUMBER, Corpus
from unspin.model import Progress
from unspin.processes import can_fork, forked
from unspin.stretches import ALIGNED, ALIGNS, FUNCTION, Stretch, copied, gaps, new, realigned
from unspin.words import Flags, Ints, Longs

# The figures below were chosen on spun passages among clean ones: `benchmarks/copies.py` prints what they find.
SIMILARITY = 0.6  # share of symbols that agree in order
DOUBTFUL = 0.5  # and share from which an alignment is worth while
ALIKE = 0.85  # and that needs none
SHORTER = 0.55  # a text of a smaller share of the other's length is not compared as a whole
WHOLE = 0.8  # and one of a smaller share than this says less: it may go for the longer, the longer never for it
SHARED_GRAMS = 4  # grams that make an alignment worth while, however few symbols agree in order
COPIED = 9.0  # log odds of the stretches that stand in the other text,
COVERED = 0.7  # and share of the shorter text that they make up in a copy
CONTAINED = 0.55  # share of its symbols that stand in a much longer text
SHARED = 20  # symbols that make an overlap
NAMES = 0.34  # share of the names in them that may be missing in the other text,
DOUBTFUL_NAMES = 0.1  # and where the similarity is below SIMILARITY
NEAR = 0.92  # share of equal words
FEW = 7  # symbols (about nine words) that a copy may add in all
DENIAL = 4  # words at most on each side of a place where a negation turns the meaning
NEARBY = 2  # words that keep two differing places apart
LONGEST = 50_000  # symbols: comparison takes the product of two lengths; longer texts are compared without order
REMEMBERED = 1000  # texts whose content is,
REMEMBERED_LONG = 16  # and long texts, whose pairs of symbols and counts of words are
CODES = 0x110000  # characters there are
CHUNK = 400_000  # symbols compared at a time,
SHARES = 16  # and so many chunks for each process, so that all end at about the same time, if they are not tiny

_UTF_32 = f"utf-32-{sys.byteorder[0]}e"

_STATED = bytes(NUMBER if marks & NUMBER else marks & FACT for marks in range(256))
_FUNCTION = bytes(FUNCTION if marks & KEPT and not marks & FACT else 0 for marks in range(256))


class Rule(Enum):
    """What makes two texts copies; the text is for people."""

    NEAR = "{:.0%} of the words are equal, in order"
    IN_ORDER = "{:.0%} of the words are equal or swaps of one another, in order"
    MOVED = "{:.0%} of the words are equal or swaps of one another, sentences moved"
    CONTAINED = "{:.0%} of it stands in the longer text, equal or as swaps"
    OVERLAP = "{:.0%} of it stands in the other text; the rest is new"


class Match(NamedTuple):
    """Why two texts are copies or overlap; `score` in (0, 1] is the share that the rule names.

    `new` says of each of the two how many of its symbols the other one does not explain; `adds` whether these are so
    many, or such, that it may not go for the other one.
    """

    rule: Rule
    score: float
    new: tuple[int, int]
    adds: tuple[bool, bool]

    @property
    def turned(self) -> Match:
        """The match of the second text with the first."""
        return self._replace(new=self.new[::-1], adds=self.adds[::-1])


@dataclass(frozen=True, slots=True)
class _Content:
    names: tuple[tuple[int, int], ...]  # places and symbols
    numbers: tuple[tuple[int, int], ...]
    symbols: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Side:
    """One of two texts that are compared: how its symbols align (`stretches`), and which stretches of it are copied."""

    text: int
    codes: bytearray
    copied: list[Stretch]

    @property
    def is_unread(self) -> bool:
        """Is it so long that only the other text was looked at?"""
        return not self.codes and not self.copied

    @property
    def size(self) -> int:
        return sum(stretch.end - stretch.start for stretch in self.copied)

    @property
    def evidence(self) -> float:
        return sum(stretch.evidence for stretch in self.copied)

    @property
    def aligning(self) -> int:
        return self.codes.count(ALIGNS) + self.codes.count(ALIGNS | FUNCTION)

    def own(self, facts: Iterable[tuple[int, int]], known: Collection[int]) -> set[int]:
        """Those of the text's facts in the stretches that the other one does not know."""
        missing = [(place, fact) for place, fact in facts if fact not in known]
        return {fact for place, fact in missing if any(a <= place < b for a, b, _ in self.copied)}


class Matcher:
    """Compares texts of a corpus, on `jobs` processors."""

    def __init__(self, corpus: Corpus, *, jobs: int = 1) -> None:
        self.corpus, self.jobs = corpus, jobs
        self.lengths = np.diff(corpus.bounds)
        self._content = lru_cache(REMEMBERED)(self._count)
        # of long texts, and those compared with them
        self._known_pairs = lru_cache(REMEMBERED_LONG)(lambda text: np.unique(self._pairs(text)))
        self._known_words = lru_cache(REMEMBERED_LONG)(lambda text: np.unique(self._spoken(text), return_counts=True))
        self._folds = len(corpus.hashes) > CODES
        self._symbols = self._characters(corpus.symbols)

    def symbols(self, text: int) -> str:
        """A text's symbols, one character each."""
        return self._symbols[self.corpus.bounds[text] : self.corpus.bounds[text + 1]]

    def words(self, text: int) -> str:
        """A text's words, one character each."""
        return self._characters(self._spoken(text))

    def _characters(self, numbers: Ints) -> str:
        """A character for each number: strings are what is compared fastest. Numbers beyond a million share them."""
        return (numbers % CODES if self._folds else numbers).tobytes().decode(_UTF_32, "surrogatepass")

    def similarity(self, first: int, second: int) -> float:
        """The share of equal words, in [0, 1]; of very long texts, of equal words in any order."""
        size = len(self._spoken(first)) + len(self._spoken(second))
        if max(len(self._spoken(first)), len(self._spoken(second))) <= LONGEST:
            return Indel.normalized_similarity(self.words(first), self.words(second))
        (a, counts), (b, others) = self._known_words(first), self._known_words(second)
        _, here, there = np.intersect1d(a, b, assume_unique=True, return_indices=True)
        return 2 * float(np.minimum(counts[here], others[there]).sum()) / size

    def matches(
        self, first: Longs, second: Longs, shared: Longs, *, progress: Progress | None = None
    ) -> Iterator[tuple[int, int, Match]]:
        """Those of the given pairs that are copies; `shared` says how many grams each shares."""
        chunks = self._chunks(first, second)
        parts = [[column[start:end] for start, end in pairwise(chunks)] for column in (first, second, shared)]
        with self._workers(len(chunks) - 1) as run:
            for start, found in zip(chunks, run(*parts), strict=False):
                if progress:
                    progress("verifying", start, len(first))
                yield from found

    def _matched(self, first: Longs, second: Longs, shared: Longs) -> list[tuple[int, int, Match]]:
        rows = zip(*(row.tolist() for row in self._promising(first, second, shared)), strict=True)
        return [(a, b, match) for a, b, agree in rows if (match := self._match(a, b, agree))]

    def compare(self, first: int, second: int) -> Match | None:
        """How two texts match, if they do."""
        pair = np.array([first]), np.array([second])
        return next((match for *_, match in self.matches(*pair, np.array([SHARED_GRAMS]))), None)

    def related(self, first: Longs, second: Longs, shared: Longs, *, share: float) -> Iterator[tuple[int, int]]:
        """Those of the given pairs in which copied stretches make up a `share` of the longer, whatever its facts."""
        rows = self._promising(first, second, shared)
        for a, b, _ in zip(*(row.tolist() for row in rows), strict=True):
            short, long = (b, a) if self._is_longer(a, b) else (a, b)
            least = share * float(self.lengths[long])
            if self.lengths[short] >= least and self._sides(short, long)[0].size >= least:
                yield a, b

    def _chunks(self, first: Longs, second: Longs) -> list[int]:
        """Where chunks of pairs start, and where the last one ends."""
        ends = np.cumsum(self.lengths[first] + self.lengths[second])
        size = CHUNK
        if self.jobs > 1 and len(ends) and ends[-1] > CHUNK:
            size = min(CHUNK, max(CHUNK // SHARES, int(ends[-1]) // (SHARES * self.jobs)))
        return [0, *(np.flatnonzero(np.diff(ends // size)) + 1).tolist(), len(first)]

    @contextmanager
    def _workers(self, chunks: int) -> Iterator[Callable[..., Iterable[Any]]]:
        """What compares chunks, in their order: in processes, if there is more than one of each."""
        jobs = min(self.jobs, chunks)
        if jobs < 2 or not can_fork:
            yield partial(map, self._matched)
            return
        with forked(self._matched, jobs) as call:
            yield lambda *parts: (future.result() for future in list(map(call, *parts)))

    def _promising(self, first: Longs, second: Longs, shared: Longs) -> tuple[Longs, Longs, Longs]:
        """The pairs that share enough or agree enough to be looked at, and how many symbols agree in order."""
        both = self.lengths[first] + self.lengths[second]
        shorter = np.minimum(self.lengths[first], self.lengths[second])
        is_whole = (shorter >= SHORTER * (both - shorter)) & (both - shorter <= LONGEST)
        agreeing = self._agreeing(first, second, is_whole)
        in_order = 2 * agreeing / np.maximum(1, both)
        stays = (shorter >= MIN_SYMBOLS) & ((shared >= SHARED_GRAMS) | (in_order >= DOUBTFUL))
        return first[stays], second[stays], agreeing[stays]

    def _agreeing(self, first: Longs, second: Longs, is_whole: Flags) -> Longs:
        """How many symbols agree in order; 0 unless texts are compared as a whole."""
        strings = []
        for texts in (first, second):
            ends = np.where(is_whole, self.corpus.bounds[texts + 1], 0)
            spans = zip(self.corpus.bounds[texts].tolist(), ends.tolist(), strict=True)
            strings.append([self._symbols[start:end] for start, end in spans])
        return process.cpdist(*strings, scorer=LCSseq.similarity, dtype=np.int64)

    def _match(self, a: int, b: int, agree: int) -> Match | None:
        both = int(self.lengths[a] + self.lengths[b])
        shorter = min(int(self.lengths[a]), int(self.lengths[b]))
        in_order = 2 * agree / both if shorter >= SHORTER * (both - shorter) else 0.0
        is_plain = in_order >= ALIKE and both - shorter - agree <= FEW
        turned = self._is_longer(a, b)
        ordered = (b, a) if turned else (a, b)
        short, long = map(self._whole, ordered) if is_plain else self._sides(*ordered)
        if short.evidence < COPIED + log((both - shorter) / shorter):  # a longer text has more places to look like it
            return None
        score = in_order if in_order >= SIMILARITY else short.aligning / shorter
        is_part = short.size < COVERED * shorter or (in_order == 0.0 and score < CONTAINED)
        if (is_part and short.size < SHARED) or not self._states_the_same(short, long, score):
            return None
        if not is_part and self._denies(short.text, long.text):
            return None
        count = self._new(short), self._new(long)
        adds = self._adds(short, long.text, count[0]), self._adds(long, short.text, count[1])
        if all(adds) and max(count) <= FEW:  # nothing but facts
            return None
        if is_part:
            match = Match(Rule.OVERLAP, short.size / shorter, count, (True, True))
        elif shorter < WHOLE * (both - shorter):
            match = Match(Rule.CONTAINED, agree / shorter if in_order >= SIMILARITY else score, count, adds)
        elif in_order >= ALIKE and (equal := self.similarity(a, b)) >= NEAR:
            match = Match(Rule.NEAR, equal, count, adds)
        else:
            match = Match(Rule.IN_ORDER if in_order >= SIMILARITY else Rule.MOVED, score, count, adds)
        return match.turned if turned else match

    def _sides(self, *texts: int) -> list[_Side]:
        if self.lengths[texts[1]] > ALIGNED and self.lengths[texts[0]] < SHORTER * self.lengths[texts[1]]:
            return [self._inside(*texts), _Side(texts[1], bytearray(), [])]
        functions = [self.marks(text).translate(_FUNCTION) for text in texts]
        codes, stretches = realigned([self.symbols(text) for text in texts], functions)
        return [_Side(*side) for side in zip(texts, codes, stretches, strict=True)]

    def _inside(self, text: int, other: int) -> _Side:
        """A side that is compared with a much longer text by its pairs of symbols, in time that it takes itself."""
        pairs, known = self._pairs(text), self._known_pairs(other)
        hits = known[np.minimum(np.searchsorted(known, pairs), len(known) - 1)] == pairs
        found = (np.append(hits, False) | np.append(False, hits)).astype(np.uint8) * np.uint8(ALIGNS)
        function = np.frombuffer(self.marks(text).translate(_FUNCTION), np.uint8)
        codes = bytearray((found | function).tobytes())
        return _Side(text, codes, list(copied(codes)))

    def _pairs(self, text: int) -> Longs:
        numbers: Longs = self.numbers(text).astype(np.int64)
        return numbers[:-1] << 32 | numbers[1:]

    def _whole(self, text: int) -> _Side:
        """A side of which all is copied, and too little does not align to be looked for."""
        return _Side(text, bytearray(), [Stretch(0, int(self.lengths[text]), inf)])

    def _new(self, side: _Side) -> int:
        """How many symbols of a text stand in stretches of it that nothing in the other one explains."""
        if side.is_unread:
            return int(self.lengths[side.text])
        if side.codes.count(0) + side.codes.count(FUNCTION) <= FEW:
            return 0
        return sum(end - start for start, end, _ in new(side.codes, side.copied))

    def _adds(self, side: _Side, other: int, count: int) -> bool:
        """Does a text say more than a few words that the other one does not, or state a number of its own?"""
        if side.is_unread:
            return True
        stated, known = self._content(side.text), self._content(other).symbols
        own = sum(name not in known for _, name in stated.names)
        return count > FEW or own > NAMES * len(stated.names) or any(fact not in known for _, fact in stated.numbers)

    def _is_longer(self, a: int, b: int) -> bool:
        """Of two texts of one length it is one by its symbols, whatever the numbers of the texts."""
        if self.lengths[a] != self.lengths[b]:
            return bool(self.lengths[a] > self.lengths[b])
        first, second = (self.corpus.hashes[self.numbers(text)].tobytes() for text in (a, b))
        return first > second

    def _denies(self, first: int, second: int) -> bool:
        """Is there a place where the texts differ in few words, and only one has a negation?"""
        if max(self.lengths[first], self.lengths[second]) > ALIGNED:
            return False
        negated = self.corpus.negated
        flags = negated[self.numbers(first)], negated[self.numbers(second)]
        if not _denies(self.symbols(first), self.symbols(second), *flags, most=DENIAL):
            return False
        # and a negation it is by its words: a class may be named after another phrase that holds one
        flags = negated[self._spoken(first)], negated[self._spoken(second)]
        return _denies(self.words(first), self.words(second), *flags, most=LONGEST)

    def _spoken(self, text: int) -> Ints:
        return self.corpus.words[self.corpus.word_bounds[text] : self.corpus.word_bounds[text + 1]]

    def numbers(self, text: int) -> Ints:
        return self.corpus.symbols[self.corpus.bounds[text] : self.corpus.bounds[text + 1]]

    def marks(self, text: int) -> bytes:
        return self.corpus.marks[self.corpus.bounds[text] : self.corpus.bounds[text + 1]].tobytes()

    def _states_the_same(self, short: _Side, long: _Side, score: float) -> bool:
        """Do the stretches that both have state the same numbers, and most names? One of the two may leave some out."""
        stated, known = self._content(short.text), self._content(long.text)
        most = NAMES if score >= SIMILARITY else DOUBTFUL_NAMES
        if len(short.own(stated.names, known.symbols)) > most * len(stated.names):
            return False
        numbers = short.own(stated.numbers, known.symbols)
        return not numbers or not (long.is_unread or long.own(known.numbers, stated.symbols))

    def _count(self, text: int) -> _Content:
        symbols = self.numbers(text).tolist()
        names: list[tuple[int, int]] = []
        numbers: list[tuple[int, int]] = []
        marks = self.marks(text).translate(_STATED)
        for found, mark in ((names, FACT), (numbers, NUMBER)):
            place = marks.find(mark)
            while place >= 0:
                found.append((place, symbols[place]))
                place = marks.find(mark, place + 1)
        return _Content(tuple(names), tuple(numbers), frozenset(symbols))


def _denies(first: str, second: str, negated: Flags, also: Flags, *, most: int) -> bool:
    """Is there a place where the texts differ in `most` words at most, and only one has a negation? Flags tell them."""
    if not negated.any() and not also.any():
        return False
    places: list[list[int]] = []
    for a, b, c, d in gaps(first, second):
        if places and a - places[-1][1] <= NEARBY:
            places[-1][1::2] = b, d
        else:
            places.append([a, b, c, d])
    return any(max(b - a, d - c) <= most and bool(negated[a:b].any()) != bool(also[c:d].any()) for a, b, c, d in places)
