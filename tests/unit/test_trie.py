"""Phrases found at all places at once, against looking at every span."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.trie import UNKNOWN, Trie

Found = list[tuple[int, int, int]]


def found(phrases: list[tuple[str, ...]], *sentences: list[str]) -> Found:
    trie = Trie(phrases)
    words = np.asarray([trie.numbers.get(word, UNKNOWN) for words in sentences for word in words], dtype=np.int64)
    ends = np.cumsum([len(words) for words in sentences], dtype=np.int64)
    columns = trie.find(words, np.repeat(ends, [len(words) for words in sentences]))
    return list(zip(*(column.tolist() for column in columns), strict=True))


PHRASES = [("real", "estate"), ("real",), ("estate", "deals"), ("in", "front", "of")]


def test_phrases_are_found_where_they_overlap_sorted_by_start_then_end() -> None:
    assert found(PHRASES, "the real estate deals in front of it".split()) == [
        (1, 2, 1),
        (1, 3, 0),
        (2, 4, 2),
        (4, 7, 3),
    ]


def test_no_phrase_reaches_across_the_end_of_a_sentence() -> None:
    assert found(PHRASES, ["the", "real"], ["estate", "in", "front"], ["of"]) == [(1, 2, 1)]


def test_a_word_that_no_phrase_has_stands_in_none() -> None:
    """Its number must not be taken for the edge beside it."""
    assert found([("a", "b"), ("b", "c"), ("c",)], ["x", "a", "x", "b", "x"]) == []


@pytest.mark.parametrize("sentences", [[[]], [], [["real"]]])
def test_nothing_is_found_in_nothing_nor_by_no_phrases(sentences: list[list[str]]) -> None:
    assert found([], *sentences) == []
    assert found(PHRASES, *sentences) == [(0, 1, 1)] * sentences.count(["real"])


WORDS = st.sampled_from("abcdx")


@given(
    st.lists(st.lists(WORDS, min_size=1, max_size=4).map(tuple), max_size=12, unique=True),
    st.lists(st.lists(WORDS, max_size=9), max_size=4),
)
def test_all_phrases_are_found_and_nothing_else(phrases: list[tuple[str, ...]], sentences: list[list[str]]) -> None:
    spans: Found = []
    base = 0
    for words in sentences:
        for start in range(len(words)):
            for end in range(start + 1, len(words) + 1):
                if (span := tuple(words[start:end])) in phrases:
                    spans.append((base + start, base + end, phrases.index(span)))
        base += len(words)
    assert found(phrases, *sentences) == spans
