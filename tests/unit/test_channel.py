"""Where the spinner could have acted, and what each reading costs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.channel import (
    LEAST_KEPT,
    MOST_OPTIONS,
    SPIN_RATES,
    Head,
    find,
    is_mixed,
    keep_cost,
    matches,
    swap_cost,
    written,
)
from unspin.lexicon import Lexicon
from unspin.model import Entry, Status, Token
from unspin.regions import Words
from unspin.text import segment


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


def tokens_of(text: str) -> tuple[Token, ...]:
    (paragraph,) = segment(text).paragraphs
    return tuple(token for sentence in paragraph.sentences for token in sentence.tokens)


@pytest.mark.parametrize(
    ("text", "mixed"),
    [
        ("It\u2019s here and they don't know", True),
        ("They don't know that it\u2019s here", True),
        ("It\u2019s here and they don\u2019t know", False),
        ("It's here and they don't know", False),
        ("The spinner\u2019s table isn't ours", True),  # a possessive tells as well
        ("It\u2019s \u2018here\u2019 and 'there'", False),  # quotation marks tell nothing
        ("nothing", False),
    ],
)
def test_apostrophes_of_both_kinds_make_a_text_mixed(text: str, mixed: bool) -> None:
    assert is_mixed(tokens_of(text)) == mixed


APOSTROPHES = lexicon(
    ("don't", "do not", 0.6), ("it's", "it is", 0.6), ("can't", "cannot", 0.5), ("struggle", "war", 0.5)
)
NAMES = Lexicon([Entry("invoice", "Bill", 0.5), Entry("invoice", "receipt", 0.4)])


def as_written(text: str, using: Lexicon = LEXICON, *, mixed: bool = False) -> tuple[list[tuple[int, str]], list[Head]]:
    """The originals of the matches that stay, with their place, and the heads."""
    tokens = tokens_of(text)
    words = Words([[token.norm for token in tokens]], using)
    found, heads = written(tokens, {0}, *find(words.known, words.stop, using), using, mixed=mixed)
    standing = [Head(*row) for row in zip(*(column.tolist() for column in heads), strict=True)]
    return [(match.start, using.active[match.entry].original) for match in found], standing


def test_words_in_capitals_were_spared_but_acronyms_tell_little() -> None:
    shouting, heads = as_written("A STRUGGLE IN OPPOSITION TO WAR")
    assert (shouting, heads) == ([], [])
    short = lexicon(("us", "america", 0.5))
    assert as_written("US", short)[0] == [(0, "america")]
    assert as_written("USA", lexicon(("usa", "america", 0.5)))[0] == [(0, "america")]
    assert as_written("NATO", lexicon(("nato", "alliance", 0.5)))[0] == []
    assert as_written("US", lexicon(("myself", "us", 0.5)))[1] == []
    assert as_written("A Struggle")[0] == [(1, "war")]
    assert len(as_written("A War")[1]) == 1
    assert as_written("I", lexicon(("myself", "i", 0.5)))[1] == [Head(0, 1, 0.5)]  # no shout


def test_a_name_has_a_capital_somewhere() -> None:
    assert as_written("an invoice", NAMES)[0] == [(1, "receipt")]
    assert as_written("an Invoice", NAMES)[0] == [(1, "Bill"), (1, "receipt")]


LOWERED = lexicon(("america", "the United States", 0.5), ("the us", "the U.S.", 0.5), ("web optimization", "SEO", 0.2))


def test_some_names_were_written_without_capitals() -> None:
    assert as_written("in america the us wants web optimization", LOWERED)[0] == [
        (1, "the United States"),
        (2, "the U.S."),
        (5, "SEO"),
    ]
    assert as_written("In America the US and The Us want Web Optimization", LOWERED)[0] == []
    for opening in ("America wins", "The us wins", "Web optimization wins"):
        for text in (opening, f'It says: "{opening}'):
            assert len(as_written(text, LOWERED)[0]) == 1
    assert as_written("the U.Okay.", lexicon(("U.Okay.", "U.K.", 0.5)))[0] == [(1, "U.K.")]  # the table has a capital


def test_in_a_mixed_text_curly_words_are_the_authors() -> None:
    text = "They don\u2019t struggle"
    assert as_written(text, APOSTROPHES)[0] == [(1, "do not"), (2, "war")]
    assert as_written(text, APOSTROPHES, mixed=True)[0] == [(2, "war")]
    head = lexicon(("do not", "don't", 0.5))
    assert len(as_written(text, head)[1]) == 1
    assert as_written(text, head, mixed=True)[1] == []
    assert as_written("They don\u2019t STRUGGLE in WAR", APOSTROPHES, mixed=True) == ([], [])


def test_in_a_mixed_text_straight_words_are_the_spinners() -> None:
    """It costs as much to keep one as to keep a head that is always swapped; counted once, with whatever reading."""
    assert as_written("They don't struggle", APOSTROPHES)[1] == []
    found, heads = as_written("They don't struggle", APOSTROPHES, mixed=True)
    assert found == [(1, "do not"), (2, "war")]
    assert heads == [Head(1, 2, LEAST_KEPT)]
    assert as_written("They won't go", APOSTROPHES, mixed=True)[1] == []  # none of its table
