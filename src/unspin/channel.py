"""The spinner as a noisy channel: where it could have acted, and what each reading costs.

In come a sentence's tokens and a lexicon; out go the swaps that could have been made there and the heads
that stand unspun. The spinner walks its table of head phrases, long ones first, and replaces each with one of
a few alternates. A text spun at rate r in [0, 1] shows, for a head h with an alternate a,

    P(a | h) = r * rate(a | h)        P(h left alone | h) = 1 - r * (1 - kept(h))

and a word that is no head is always left alone. So a head that still stands is evidence against a high
spin rate or, at a high rate, evidence that it is another head's alternate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from unspin.lattice import Floats
from unspin.lexicon import Lexicon

SPIN_RATES = (0.25, 0.5, 0.75, 0.9, 1.0)  # the grid, beside 0
LEAST_KEPT = 0.02  # no head is replaced always: lexicons are incomplete, quotations are spared
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


def swap_cost(rate: Floats, spin_rate: float) -> Floats:
    """ln P(alternate | head) at a spin rate above 0."""
    return np.log(np.maximum(rate * spin_rate, 1e-12))


def keep_cost(kept: Floats, spin_rate: float) -> Floats:
    """ln P(left alone | head) at a spin rate."""
    return np.log(1.0 - spin_rate * (1.0 - np.maximum(kept, LEAST_KEPT)))
