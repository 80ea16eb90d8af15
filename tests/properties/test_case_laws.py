"""Laws of golden cases: gold from any pair of texts, and floors written into any layout."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from unspin.cases.floors import with_floor
from unspin.cases.model import Counts
from unspin.evaluate import nearest, score
from unspin.gold import gold_from_pair, gold_tokens

WORDS = st.lists(st.sampled_from(["the", "The", "war", "war-torn", "it's", "it’s", ".", ",", "a", "\n\n"]), max_size=14)
COUNTS = st.builds(Counts, *[st.integers(0, 500)] * 4)
LINES = ["# A comment.", "", "  # Another.", "[options]", "[ options ]  # what with", "[options.more]"]


@given(WORDS, WORDS)
def test_an_original_restores_every_span_of_the_gold_that_it_makes(original: list[str], spun: list[str]) -> None:
    one, other = " ".join(original), " ".join(["It", *spun])
    gold = gold_from_pair(one, other, cased=True)
    assert gold.text == other
    found = score(gold, one, cased=True)
    assert (found.restored, found.details) == (len(gold.spans), ())
    assert gold_tokens(nearest(gold, one)) == gold_tokens(one)


@given(WORDS, WORDS)
def test_a_spun_text_that_stays_is_missed_in_every_span(original: list[str], spun: list[str]) -> None:
    one, other = " ".join(original), " ".join(["It", *spun])
    gold = gold_from_pair(one, other, cased=True)
    found = score(gold, other, cased=True)
    assert (found.missed, found.wrong, found.spurious, found.restored) == (len(gold.spans), 0, 0, 0)


@given(COUNTS, COUNTS)
def test_of_two_counts_that_differ_one_is_below_the_other_at_least(one: Counts, other: Counts) -> None:
    assert not one.is_below(one)
    assert one == other or one.is_below(other) or other.is_below(one)


@given(
    st.lists(st.sampled_from(LINES[:3]), max_size=3),
    st.lists(st.sampled_from(LINES), max_size=1),
    st.sampled_from(["\n", "\r\n"]),
    COUNTS,
    COUNTS,
)
def test_a_floor_changes_nothing_else_and_the_last_one_counts(
    head: list[str], tail: list[str], end: str, first: Counts, second: Counts
) -> None:
    text = end.join([*head, "label = 'a'  # of that", *tail, ""])
    once = with_floor(text, first)
    assert once.startswith(text)
    twice = with_floor(once, second)
    assert with_floor(twice, first) == once
    assert tomllib.loads(twice).pop("floor")["missed"] == second.missed
    assert {**tomllib.loads(twice), "floor": None} == {**tomllib.loads(text), "floor": None}
