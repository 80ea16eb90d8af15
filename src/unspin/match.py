"""Which pairs of texts are copies, and of what kind.

In comes a `Corpus` and candidate pairs of its texts; out go *matches*, the candidates that are copies. A copy agrees
in enough of its symbols in order (longest common subsequence); or, where sentences were moved or left out, window by
window of the shorter text. No number and hardly a name of the shorter text is missing in the longer one: a template
filled with other facts is no copy. Nor are texts that share a long passage while the rest of the shorter stands
nowhere in the longer. Nothing is refused.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from math import log
from statistics import median
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Indel, LCSseq

from unspin.blocking import MIN_SYMBOLS
from unspin.fingerprint import FACT, NUMBER, Corpus
from unspin.model import Progress
from unspin.repeats import gaps
from unspin.words import OPENS, Flags, Ints, Longs

# The figures below were chosen on spun passages among clean ones: `benchmarks/copies.py` prints what they find.
SIMILARITY = 0.6  # share of symbols that agree in order
DOUBTFUL = 0.5  # and share from which a second look, window by window, is worth while
ALIKE = 0.85  # and that needs none
SHORTER = 0.55  # a text of a smaller share of the other's length is compared window by window only
WHOLE = 0.8  # and one of a smaller share than this says less: it may go for the longer, the longer never for it
SHARED_WINDOWS = 3  # grams that make it worth while to compare windows
WINDOW = 12  # symbols at least, to the next sentence if that is near
STRAY = 0.62  # share of the mean similarity below which a window stands nowhere in the longer text,
STRAYED = 0.4  # and the share of the shorter text that may
WINDOWED = 0.52  # mean similarity of the shorter text's windows with what is most like them in the longer one,
CONTAINED = 0.6  # and if the longer one is much longer, for then much is like some of it
NAMES = 0.34  # share of the shorter text's names that may be missing,
DOUBTFUL_NAMES = 0.1  # and where the similarity is below SIMILARITY
NEAR = 0.92  # share of equal words
FEW = 6  # symbols (about eight words) that a copy may add in all, whatever its length,
FEW_RATE = 0.1  # or so many for each symbol that it has,
FEW_MOST = 24  # but never a paragraph's worth
CHANCE = 0.3  # share of the symbols of unlike text that align all the same
AGREEING = (0.55, 0.85)  # share that aligns in a copy, at least and at most: half of its windows tell
UNLIKE = 6.0  # log odds at which a stretch of symbols is unlike text rather than copied
PLACED = 0.6  # share of a window's symbols in order from which it is not looked for elsewhere
FITTING = 0.4  # and share that must align there
DENIAL = 4  # words at most on each side of a place where a negation turns the meaning
NEARBY = 2  # words that keep two differing places apart
ALIGNED = 20_000  # symbols: alignment takes the product of two lengths; beyond, pairs of symbols tell
LONGEST = 50_000  # symbols: comparison takes the product of two lengths; longer texts are compared without order
REMEMBERED = 1000  # texts whose content is
CODES = 0x110000  # characters there are
CHUNK = 4_000_000  # symbols compared at a time, to bound memory

_UTF_32 = f"utf-32-{sys.byteorder[0]}e"


class Rule(Enum):
    """What makes two texts copies; the text is for people."""

    NEAR = "{:.0%} of the words are equal, in order"
    IN_ORDER = "{:.0%} of the words are equal or swaps of one another, in order"
    MOVED = "{:.0%} of the words are equal or swaps of one another, sentences moved"
    CONTAINED = "{:.0%} of it stands in the longer text, equal or as swaps"
    OVERLAP = "{:.0%} of it stands in the other text; the rest is new"


class Match(NamedTuple):
    """Why two texts are copies; `score` in (0, 1] is the share that the rule names."""

    rule: Rule
    score: float


@dataclass(frozen=True, slots=True)
class _Content:
    names: frozenset[int]
    numbers: frozenset[int]
    symbols: frozenset[int]


class Matcher:
    """Compares texts of a corpus, on `jobs` processors."""

    def __init__(self, corpus: Corpus, *, jobs: int = 1) -> None:
        self.corpus, self.jobs = corpus, jobs
        self.lengths = np.diff(corpus.bounds)
        self._content = lru_cache(REMEMBERED)(self._count)
        self._folds = len(corpus.hashes) > CODES

    def symbols(self, text: int) -> str:
        """A text's symbols, one character each."""
        return self._characters(self._numbers(text))

    def words(self, text: int) -> str:
        """A text's words, one character each."""
        return self._characters(self._spoken(text))

    def _characters(self, numbers: Ints) -> str:
        """A character for each number: strings are what is compared fastest. Numbers beyond a million share them."""
        return (numbers % CODES if self._folds else numbers).tobytes().decode(_UTF_32, "surrogatepass")

    def similarity(self, first: int, second: int) -> float:
        """The share of equal words, in [0, 1]; of very long texts, of equal words in any order."""
        a, b = self.words(first), self.words(second)
        if max(len(a), len(b)) > LONGEST:
            return 2 * (Counter(a) & Counter(b)).total() / max(1, len(a) + len(b))
        return Indel.normalized_similarity(a, b)

    def matches(
        self, first: Longs, second: Longs, shared: Longs, *, progress: Progress | None = None
    ) -> Iterator[tuple[int, int, Match]]:
        """Those of the given pairs that are copies; `shared` says how many grams each shares."""
        for part in self._chunks(first, second):
            if progress:
                progress("verifying", part.start, len(first))
            rows = self._promising(first[part], second[part], shared[part])
            for a, b, count, agree in zip(*(row.tolist() for row in rows), strict=True):
                if match := self._match(a, b, count, agree):
                    yield a, b, match

    def _chunks(self, first: Longs, second: Longs) -> Iterator[slice]:
        ends = np.cumsum(self.lengths[first] + self.lengths[second])
        edges = np.flatnonzero(np.diff(ends // CHUNK)) + 1
        for start, end in pairwise([0, *edges.tolist(), len(first)]):
            yield slice(start, end)

    def _promising(self, first: Longs, second: Longs, shared: Longs) -> tuple[Longs, Longs, Longs, Longs]:
        """The pairs that share enough or agree enough to be looked at, and how many symbols agree in order."""
        agreeing = self._agreeing(first, second)
        both = self.lengths[first] + self.lengths[second]
        shorter = np.minimum(self.lengths[first], self.lengths[second])
        in_order = np.where(shorter >= SHORTER * (both - shorter), 2 * agreeing / np.maximum(1, both), 0.0)
        stays = (shorter >= MIN_SYMBOLS) & ((shared >= SHARED_WINDOWS) | (in_order >= DOUBTFUL))
        return first[stays], second[stays], shared[stays], agreeing[stays]

    def _agreeing(self, first: Longs, second: Longs) -> Longs:
        """How many symbols agree in order; 0 for texts too long to tell."""
        is_long = np.maximum(self.lengths[first], self.lengths[second]) > LONGEST
        lefts, rights = (
            ["" if long else self.symbols(text) for text, long in zip(texts.tolist(), is_long.tolist(), strict=True)]
            for texts in (first, second)
        )
        return process.cpdist(lefts, rights, scorer=LCSseq.similarity, dtype=np.int64, workers=self.jobs)

    def _match(self, a: int, b: int, shared: int, agree: int) -> Match | None:
        short, long = (b, a) if self._is_longer(a, b) else (a, b)
        shorter, both = int(self.lengths[short]), int(self.lengths[a] + self.lengths[b])
        is_whole = shorter >= SHORTER * (both - shorter)
        in_order = 2 * agree / both if is_whole else 0.0
        found = None
        if in_order >= ALIKE:
            found = Match(Rule.IN_ORDER, in_order)
        elif shared >= SHARED_WINDOWS or in_order >= DOUBTFUL:
            found = self._by_windows(short, long, in_order)
        if found is None or shorter < MIN_SYMBOLS or not self._states_the_same(short, long, found.score):
            return None
        if self._denies(short, long):
            return None
        if shorter < WHOLE * (both - shorter):
            return Match(Rule.CONTAINED, agree / shorter if found.rule is Rule.IN_ORDER else found.score)
        if found.rule is Rule.IN_ORDER and (equal := self.similarity(a, b)) >= NEAR:
            return Match(Rule.NEAR, equal)
        return found

    def _is_longer(self, a: int, b: int) -> bool:
        """Of two texts of one length it is one by its symbols, whatever the numbers of the texts."""
        if self.lengths[a] != self.lengths[b]:
            return bool(self.lengths[a] > self.lengths[b])
        first, second = (self.corpus.hashes[self._numbers(text)].tobytes() for text in (a, b))
        return first > second

    def _by_windows(self, short: int, long: int, in_order: float) -> Match | None:
        """A match unless part of the shorter text stands nowhere in the longer one: long equal quotes are no copy."""
        windows = list(self._windows(short, long))
        size = max(1, sum(length for _, length in windows))
        score = sum(alike * length for alike, length in windows) / size
        if sum(length for alike, length in windows if alike < STRAY * score) > STRAYED * size:
            return None
        if in_order >= SIMILARITY:
            return Match(Rule.IN_ORDER, in_order)
        least = WINDOWED if size >= SHORTER * self.lengths[long] else CONTAINED
        return Match(Rule.MOVED, score) if score >= least else None

    def _windows(self, short: int, long: int) -> Iterator[tuple[float, int]]:
        """The shorter text in windows: how like each is to what is most like it in the longer one, and its length."""
        text, whole = self.symbols(short), self.symbols(long)
        if len(whole) > LONGEST:
            yield (Counter(text) & Counter(whole)).total() / max(1, len(text)), len(text)
            return
        for start, end in pairwise(self._edges(short)):
            yield fuzz.partial_ratio(text[start:end], whole) / 100, end - start

    def _edges(self, text: int) -> list[int]:
        """Where windows of a text start, at the starts of sentences if they can, and where the last one ends."""
        size, edges = int(self.lengths[text]), [0]
        opens = np.flatnonzero(self.corpus.marks[self.corpus.bounds[text] : self.corpus.bounds[text + 1]] & OPENS)
        for place in (*opens.tolist(), size):
            while place > edges[-1] + 2 * WINDOW:  # a long sentence
                edges.append(edges[-1] + WINDOW)
            if edges[-1] + WINDOW <= place <= size - WINDOW // 2:
                edges.append(place)
        return [*edges, size]

    def new(self, member: int, kept: int) -> int:
        """How many symbols of a text stand in stretches of it that nothing in the other one explains."""
        found = self._found(member, kept)
        windows = [found[n : n + WINDOW] for n in range(0, max(1, len(found) - WINDOW // 2), WINDOW // 2)]
        least, most = AGREEING
        agreeing = min(max(median(sum(window) / max(1, len(window)) for window in windows), least), most)
        return sum(end - start for start, end in _unlike(found, agreeing))

    def says_new(self, member: int, kept: int) -> bool:
        """Does a text say more than a few words that the other one does not?"""
        return self.new(member, kept) > max(FEW, min(FEW_MOST, FEW_RATE * int(self.lengths[member])))

    def _found(self, member: int, kept: int) -> bytearray:
        """Which symbols of a text (1, else 0) align with the other one: in order, or where their window fits best."""
        text, whole = self.symbols(member), self.symbols(kept)
        if max(len(text), len(whole)) > ALIGNED:
            known = set(pairwise(whole))
            return bytearray(pair in known for pair in pairwise(text))
        found = _agree(text, whole)
        for start, end in pairwise(self._edges(member)):
            placed = sum(found[start:end])
            if placed < PLACED * (end - start) and end - start <= len(whole):
                best = fuzz.partial_ratio_alignment(text[start:end], whole)
                there = _agree(text[start:end], whole[best.dest_start : best.dest_end]) if best else b""
                if sum(there) > max(placed, FITTING * (end - start)):
                    found[start:end] = there
        return found

    def _denies(self, first: int, second: int) -> bool:
        """Is there a place where the texts differ in few words, and only one has a negation?"""
        if max(self.lengths[first], self.lengths[second]) > ALIGNED:
            return False
        negated = self.corpus.negated
        flags = negated[self._numbers(first)], negated[self._numbers(second)]
        if not _denies(self.symbols(first), self.symbols(second), *flags, most=DENIAL):
            return False
        # and a negation it is by its words: a class may be named after another phrase that holds one
        flags = negated[self._spoken(first)], negated[self._spoken(second)]
        return _denies(self.words(first), self.words(second), *flags, most=LONGEST)

    def _spoken(self, text: int) -> Ints:
        return self.corpus.words[self.corpus.word_bounds[text] : self.corpus.word_bounds[text + 1]]

    def _numbers(self, text: int) -> Ints:
        return self.corpus.symbols[self.corpus.bounds[text] : self.corpus.bounds[text + 1]]

    def _states_the_same(self, shorter: int, longer: int, score: float) -> bool:
        """Are the shorter text's numbers, and most of its names, in the longer one?"""
        stated, known = self._content(shorter), self._content(longer).symbols
        most = NAMES if score >= SIMILARITY else DOUBTFUL_NAMES
        return stated.numbers <= known and len(stated.names - known) <= most * len(stated.names)

    def _count(self, text: int) -> _Content:
        here = slice(self.corpus.bounds[text], self.corpus.bounds[text + 1])
        symbols, marks = self.corpus.symbols[here], self.corpus.marks[here] & (FACT | NUMBER)
        names, numbers = symbols[marks == FACT].tolist(), symbols[marks == FACT | NUMBER].tolist()
        return _Content(frozenset(names), frozenset(numbers), frozenset(symbols.tolist()))


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


def _agree(text: str, whole: str) -> bytearray:
    """Which symbols of a text (1, else 0) are in its longest common subsequence with another."""
    found = bytearray(len(text))
    for op in LCSseq.opcodes(text, whole):
        if op.tag == "equal":
            found[op.src_start : op.src_end] = b"\1" * (op.src_end - op.src_start)
    return found


def _unlike(found: Sequence[int], agreeing: float) -> Iterator[tuple[int, int]]:
    """The stretches whose symbols align as seldom as those of unlike text.

    Log odds of unlike over copied text, in which a share `agreeing` aligns, are summed from left to right and start
    afresh below 0 (Page 1954); a stretch ends where the sum was highest, once it has fallen by `UNLIKE`.
    """
    gain, loss = log((1 - CHANCE) / (1 - agreeing)), log(agreeing / CHANCE)
    start = end = 0
    total = highest = 0.0
    for place, is_found in enumerate(found, 1):
        total += -loss if is_found else gain
        if total > highest:
            highest, end = total, place
        if total <= 0 or total <= highest - UNLIKE:
            if highest >= UNLIKE:
                yield start, end
            start, total, highest = place, 0.0, 0.0
    if highest >= UNLIKE:
        yield start, end
