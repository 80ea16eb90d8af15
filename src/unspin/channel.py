"""The spinner as a noisy channel: where it could have acted, and what each reading costs.

In come a sentence's tokens and a lexicon; out go the swaps that could have been made there and the heads
that stand unspun. The spinner walks its table of head phrases, long ones first, and replaces each with one of
a few alternates. A text spun at rate r in [0, 1] shows, for a head h with an alternate a,

    P(a | h) = r * rate(a | h)        P(h left alone | h) = 1 - r * (1 - kept(h))

and a word that is no head is always left alone. So a head that still stands is evidence against a high
spin rate or, at a high rate, evidence that it is another head's alternate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspin.lattice import Floats, Ints
from unspin.lexicon import Lexicon
from unspin.model import Token
from unspin.text import OPENERS

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


def matches(words: Sequence[str], lexicon: Lexicon) -> tuple[list[Match], list[Head]]:
    """All swaps that could have made a sentence's words, and all heads that stand in it.

    `words` are normal forms. Both may overlap, and come in order of start. Every head that stands counts: the
    spinner tries long ones first, but what it leaves of a long head is open to the shorter ones inside.
    """
    found: list[Match] = []
    heads: list[Head] = []
    by_spun, kept, reach = lexicon.by_spun, lexicon.kept, lexicon.reach
    for start, word in enumerate(words):
        for end in range(start + 1, min(start + reach.get(word, 0), len(words)) + 1):
            key = tuple(words[start:end])
            if key in by_spun:
                found += [Match(start, end, entry) for entry in by_spun[key][:MOST_OPTIONS]]
            if key in kept:
                heads.append(Head(start, end, kept[key]))
    return found, heads


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
    tokens: Sequence[Token], found: Iterable[Match], heads: Iterable[Head], names: Mapping[int, bool], *, mixed: bool
) -> tuple[list[Match], list[Head]]:
    """The matches and heads of a sentence that are written as the spinner would have written, or found, them.

    It carries capitals over, so that a name has one, or lowers them (`names`: entries, and which of the two), and
    spares WORDS IN CAPITALS. In a `mixed` text it wrote the straight apostrophes and never touched the curly ones.
    """
    shouted = [token.text.isupper() and len(token.text) > 1 for token in tokens]
    curly = [mixed and "\u2019" in token.text for token in tokens]
    matches_ = [
        match
        for match in found
        if not any(curly[match.start : match.end])
        and not any(shouted[n] and len(tokens[n].text) > LONGEST_ACRONYM for n in range(match.start, match.end))
        and (match.entry not in names or _is_cased(tokens, match, capital=names[match.entry]))
    ]
    spared = [shout or bent for shout, bent in zip(shouted, curly, strict=True)]
    heads_ = [head for head in heads if not any(spared[head.start : head.end])]
    if mixed:
        straight = {
            match.start for match in matches_ if "'" in tokens[match.start].text and match.end - match.start == 1
        }
        heads_ += [Head(start, start + 1, LEAST_KEPT) for start in sorted(straight)]
    return matches_, heads_


def _is_cased(tokens: Sequence[Token], match: Match, *, capital: bool) -> bool:
    """Does a name's alternate have a capital, or else none but a sentence's first?"""
    words = [token.text for token in tokens[match.start : match.end]]
    if not capital and (match.start == 0 or tokens[match.start - 1].text in OPENERS):
        words[0] = words[0][1:]
    return any(word != word.lower() for word in words) is capital


def rates_shown(entry: Ints, upper: NDArray[np.bool_], posterior: Floats, lexicon: Lexicon, *, weight: float) -> Floats:
    """Per match, its rate as the document's other matches show it: a head that was given one alternate gets no other.

    `entry`: the matches' entries; `upper`: are they capitalised, for such heads choose separately; `weight`: how many
    occurrences the lexicon's own rates count for.
    """
    rates = np.asarray([lexicon.active[number].rate for number in entry.tolist()])
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
