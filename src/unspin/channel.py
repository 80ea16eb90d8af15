"""The spinner as a noisy channel: where it could have acted, and what each reading costs.

In come a sentence's tokens and a lexicon; out go the swaps that could have been made there and the heads
that stand unspun. The spinner walks its table of head phrases, long ones first, and replaces each with one of
a few alternates. A text spun at rate r in [0, 1] shows, for a head h with an alternate a,

    P(a | h) = r * rate(a | h)        P(h left alone | h) = 1 - r * (1 - kept(h))

and a word that is no head is always left alone. So a head that still stands is evidence against a high
spin rate or, at a high rate, evidence that it is another head's alternate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspin.lattice import Floats, Ints, ranges
from unspin.lexicon import Lexicon
from unspin.model import Token
from unspin.text import OPENERS
from unspin.trie import UNKNOWN

SPIN_RATES = (0.25, 0.5, 0.75, 1.0)  # the grid, beside 0
LEAST_KEPT = 0.02  # no head is replaced always: lexicons are incomplete, quotations are spared
LONGEST_ACRONYM = 3  # letters; the spinner writes "US" and "TV"
MOST_OPTIONS = 24  # of one span; the rarest beyond are dropped, so that no entry can stall decoding


class Match(NamedTuple):
    """A lexicon entry's spun phrase stands at tokens `[start, end)`; `entry` indexes `Lexicon.active`."""

    start: int
    end: int
    entry: int


class Head(NamedTuple):
    """A head stands unspun at tokens `[start, end)`; the spinner leaves it with probability `kept`."""

    start: int
    end: int
    kept: float


@dataclass(frozen=True, slots=True)
class Matches:
    """Matches in columns, in order of start, then end, the likeliest first."""

    start: Ints
    end: Ints
    entry: Ints

    def __len__(self) -> int:
        return len(self.start)

    def __iter__(self) -> Iterator[Match]:
        return map(Match, self.start.tolist(), self.end.tolist(), self.entry.tolist())

    def __getitem__(self, number: int) -> Match:
        return Match(int(self.start[number]), int(self.end[number]), int(self.entry[number]))

    def at(self, which: Ints | NDArray[np.bool_]) -> Matches:
        """Some of them."""
        return Matches(self.start[which], self.end[which], self.entry[which])


class Heads(NamedTuple):
    """Heads in columns."""

    start: Ints
    end: Ints
    kept: Floats


def matches(words: Sequence[str], lexicon: Lexicon) -> tuple[list[Match], list[Head]]:
    """All swaps that could have made the words of one sentence, and all heads that stand in it."""
    numbers = lexicon.arrays.trie.numbers
    known = np.asarray([numbers.get(word, UNKNOWN) for word in words], dtype=np.int64)
    found, heads = find(known, np.full(len(words), len(words)), lexicon)
    return list(found), list(map(Head, *(column.tolist() for column in heads)))


def find(words: Ints, stop: Ints, lexicon: Lexicon) -> tuple[Matches, Heads]:
    """All swaps that could have made a text, and all heads that stand in it.

    `words` are numbers of normal forms in the lexicon's trie, or UNKNOWN, `stop` says where each one's sentence ends.
    Both may overlap, and come in order of start. Every head that stands counts: the
    spinner tries long ones first, but what it leaves of a long head is open to the shorter ones inside.
    """
    table = lexicon.arrays
    start, end, phrase = table.trie.find(words, stop)
    first = table.first[phrase]
    row, place = ranges(first, first + np.minimum(table.count[phrase], MOST_OPTIONS))
    kept = table.kept[phrase]
    is_head = ~np.isnan(kept)
    return Matches(start[row], end[row], table.entry[place]), Heads(start[is_head], end[is_head], kept[is_head])


def is_mixed(tokens: Iterable[Token]) -> bool:
    """Does a text write apostrophes both curly and straight? The spinner's table has straight ones only."""
    curly = straight = False
    for token in tokens:
        if token.is_word and len(token.text) > 1:
            curly |= "\u2019" in token.text
            straight |= "'" in token.text
            if curly and straight:
                return True
    return False


def written(
    tokens: Sequence[Token], starts: Set[int], found: Matches, heads: Heads, lexicon: Lexicon, *, mixed: bool
) -> tuple[Matches, Heads]:
    """The matches and heads of sentences that are written as the spinner would have written, or found, them.

    It carries capitals over, so that a name has one, or lowers them (`Lexicon.names`), and spares WORDS IN CAPITALS. In
    a `mixed` text it wrote the straight apostrophes and never touched the curly ones. `starts` are the tokens that
    sentences begin with.
    """
    shouted = np.asarray([token.text.isupper() and len(token.text) > 1 for token in tokens], dtype=bool)
    spared = shouted & np.asarray([len(token.text) > LONGEST_ACRONYM for token in tokens], dtype=bool)
    if mixed:
        curly = np.asarray(["\u2019" in token.text for token in tokens], dtype=bool)
        shouted |= curly
        spared |= curly
    fits = _touches_none(found.start, found.end, spared)
    for number in np.flatnonzero(fits & lexicon.arrays.is_name[found.entry]).tolist():
        match = found[number]
        fits[number] = _is_cased(tokens, starts, match, capital=lexicon.names[match.entry])
    found = found.at(fits)
    left = _touches_none(heads.start, heads.end, shouted)
    start, end, kept = heads.start[left], heads.end[left], heads.kept[left]
    if mixed:
        single = np.unique(found.start[found.end - found.start == 1])
        straight = np.asarray([n for n in single.tolist() if "'" in tokens[n].text], dtype=np.int64)
        start, end = np.append(start, straight), np.append(end, straight + 1)
        kept = np.append(kept, np.full(len(straight), LEAST_KEPT))
    return found, Heads(start, end, kept)


def _touches_none(start: Ints, end: Ints, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which spans hold no marked token."""
    before = np.append(0, np.cumsum(marked))
    free: NDArray[np.bool_] = before[start] == before[end]
    return free


def _is_cased(tokens: Sequence[Token], starts: Set[int], match: Match, *, capital: bool) -> bool:
    """Does a name's alternate have a capital, or else none but a sentence's first?"""
    words = [token.text for token in tokens[match.start : match.end]]
    if not capital and (match.start in starts or tokens[match.start - 1].text in OPENERS):
        words[0] = words[0][1:]
    return any(word != word.lower() for word in words) is capital


def rates_shown(entry: Ints, upper: NDArray[np.bool_], posterior: Floats, lexicon: Lexicon, *, weight: float) -> Floats:
    """Per match, its rate as the document's other matches show it: a head that was given one alternate gets no other.

    `entry`: the matches' entries; `upper`: are they capitalised, for such heads choose separately; `weight`: how many
    occurrences the lexicon's own rates count for.
    """
    rates = lexicon.arrays.rate[entry]
    _, alternate = np.unique(entry * 2 + upper, return_inverse=True)
    _, choice = np.unique(lexicon.head_numbers[entry] * 2 + upper, return_inverse=True)
    made = np.bincount(alternate, weights=posterior)[alternate] - posterior
    all_made = np.bincount(choice, weights=posterior)[choice] - posterior
    shown: Floats = (made + weight * rates) / (all_made + weight)
    return shown


def swap_cost(rate: Floats, spin_rate: float) -> Floats:
    """ln P(alternate | head) at a spin rate above 0."""
    return np.log(np.maximum(rate * spin_rate, 1e-12))


def keep_cost(kept: Floats, spin_rate: float) -> Floats:
    """ln P(left alone | head) at a spin rate."""
    return np.log(1.0 - spin_rate * (1.0 - np.maximum(kept, LEAST_KEPT)))
