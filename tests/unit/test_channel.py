"""Where the spinner could have acted, and what each reading costs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.channel import LEAST_KEPT, MOST_OPTIONS, SPIN_RATES, Head, keep_cost, matches, swap_cost
from unspin.lexicon import Lexicon
from unspin.model import Entry, Status


def lexicon(*swaps: tuple[str, str, float]) -> Lexicon:
    return Lexicon(Entry(spun, original, rate) for spun, original, rate in swaps)


LEXICON = lexicon(
    ("struggle", "war", 0.6),
    ("wrestle", "struggle", 0.8),
    ("in opposition to", "against", 0.9),
    ("actual property", "real estate", 0.7),
    ("precise", "real", 0.5),
    ("actual", "real", 0.25),
    ("property", "estate", 0.5),
)


def matched(words: str, using: Lexicon = LEXICON) -> list[tuple[int, int, str]]:
    found, _ = matches(words.split(), using)
    return [(m.start, m.end, using.active[m.entry].original) for m in found]


def standing(words: str, using: Lexicon = LEXICON) -> list[Head]:
    return matches(words.split(), using)[1]


def test_swaps_are_found_on_spans_of_any_length_and_overlapping() -> None:
    assert matched("his struggle in opposition to actual property") == [
        (1, 2, "war"),
        (2, 5, "against"),
        (5, 6, "real"),
        (5, 7, "real estate"),
        (6, 7, "estate"),
    ]


def test_a_phrase_cut_off_by_the_sentence_end_is_none() -> None:
    assert matched("in opposition") == []
    assert matched("in opposition of to") == []


def test_one_span_offers_the_likeliest_alternates_first_and_not_without_end() -> None:
    crowd = lexicon(*(("thing", f"thing{n}", n / 1000) for n in range(1, MOST_OPTIONS + 5)))
    found = matched("thing", crowd)
    assert len(found) == MOST_OPTIONS
    assert [original for _, _, original in found][:2] == [f"thing{MOST_OPTIONS + 4}", f"thing{MOST_OPTIONS + 3}"]


def test_every_standing_head_counts_also_inside_longer_ones() -> None:
    """What the spinner leaves of a long head is open to the shorter ones."""
    kept = LEXICON.kept
    assert standing("a real estate war") == [
        Head(1, 2, kept["real",]),
        Head(1, 3, kept["real", "estate"]),
        Head(2, 3, kept["estate",]),
        Head(3, 4, kept["war",]),
    ]


def test_what_the_spinner_leaves_is_what_its_alternates_do_not_take() -> None:
    (head,) = standing("real")
    assert head.kept == pytest.approx(1 - 0.5 - 0.25)
    assert standing("nothing here") == []


def test_a_word_can_be_a_swap_and_a_head() -> None:
    assert matched("struggle") == [(0, 1, "war")]
    assert [head.kept for head in standing("struggle")] == [pytest.approx(0.2)]


def test_entries_that_are_off_are_neither_swaps_nor_heads() -> None:
    off = Lexicon([Entry("struggle", "war", 0.6, status=Status.OFF)])
    assert matches(["struggle", "war"], off) == ([], [])


def test_an_empty_sentence_and_an_empty_lexicon() -> None:
    assert matches([], LEXICON) == ([], [])
    assert matches(["struggle"], Lexicon([])) == ([], [])


def test_costs_are_the_logs_of_the_channels_probabilities() -> None:
    assert swap_cost(np.asarray([0.5, 0.2]), 0.5) == pytest.approx([math.log(0.25), math.log(0.1)])
    assert keep_cost(np.asarray([0.2, 0.8]), 0.5) == pytest.approx([math.log(0.6), math.log(0.9)])
    assert keep_cost(np.asarray([0.0]), 1.0) == pytest.approx([math.log(LEAST_KEPT)])
    assert keep_cost(np.asarray([0.2, 0.8]), 0.0).tolist() == [0.0, 0.0]


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=5), st.sampled_from(SPIN_RATES))
def test_swapping_and_keeping_a_head_are_all_that_can_happen_to_it(rates: list[float], spin_rate: float) -> None:
    rates = [rate / max(1.0, sum(rates) / 0.95) for rate in rates]
    swapped = float(np.exp(swap_cost(np.asarray(rates), spin_rate)).sum())
    kept = float(np.exp(keep_cost(np.asarray([1.0 - sum(rates)]), spin_rate))[0])
    assert swapped + kept == pytest.approx(1.0)


def test_the_grid_of_spin_rates_rises_to_always() -> None:
    assert list(SPIN_RATES) == sorted(set(SPIN_RATES))
    assert SPIN_RATES[0] > 0.0 and SPIN_RATES[-1] == 1.0
