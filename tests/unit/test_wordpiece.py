from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.neural.wordpiece import (
    CAPITALISED,
    FIRST,
    LAST,
    LONGEST_WORD,
    LOWER,
    PAD,
    REMEMBERED,
    UNKNOWN,
    UPPER,
    Pieces,
    case,
    windows,
)
from unspin.text import segment

PIECES = Pieces([PAD, UNKNOWN, FIRST, LAST, *"abc.-", "##a", "##b", "##c", "ab", "##bc", "cab"])


def names(word: str) -> list[str]:
    return [PIECES.names[n] for n in PIECES.of(word)]


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("abc", ["ab", "##c"]),  # the longest piece first, though "a" + "##bc" would do
        ("cabbc", ["cab", "##bc"]),
        ("ABC", ["ab", "##c"]),
        ("\u00e1b", ["ab"]),  # accents are taken off
        ("ab-c.", ["ab", "-", "c", "."]),  # punctuation stands alone
        ("ab c", ["ab", "c"]),
        ("abx", [UNKNOWN]),  # one character that no piece has
        ("", [UNKNOWN]),
        ("a" * 41, [UNKNOWN]),
    ],
)
def test_pieces(word: str, pieces: list[str]) -> None:
    assert names(word) == pieces


def test_a_vocabulary_needs_its_special_pieces() -> None:
    with pytest.raises(ValueError, match=r"lacks \[PAD\], \[CLS\]"):
        Pieces([UNKNOWN, LAST, "a"])
    with pytest.raises(ValueError, match=r"begin with \[PAD\]"):
        Pieces([UNKNOWN, LAST, FIRST, PAD])


@pytest.mark.parametrize(
    ("text", "expected"), [("word", LOWER), ("Word", CAPITALISED), ("WORD", UPPER), ("I", CAPITALISED), ("9", LOWER)]
)
def test_case(text: str, expected: int) -> None:
    assert case(text) == expected


def laid_out(text: str, length: int) -> tuple[list[str], list[str], list[int]]:
    """The windows as text, the tokens as the windows have them, and the window of each token."""
    sentences = [s for p in segment(text).paragraphs for s in p.sentences]
    tokens = [token for sentence in sentences for token in sentence.tokens]
    starts = [sum(len(s.tokens) for s in sentences[:n]) for n in range(len(sentences))]
    laid = windows(tokens, starts, PIECES, length=length)
    rows = [" ".join(PIECES.names[n] for n in row) for row in laid.ids.tolist()]
    read = [
        " ".join(PIECES.names[n] for n in laid.ids[window, first : last + 1].tolist())
        for window, first, last in zip(laid.window, laid.first, laid.last, strict=True)
    ]
    assert read == [" ".join(names(token.norm)[: length - 2]) for token in tokens]
    return rows, read, laid.window.tolist()


def test_whole_sentences_share_a_window_as_long_as_there_is_room() -> None:
    rows, _, window = laid_out("A b. C a. B c a.\n", 8)
    assert rows == ["[CLS] a b . c a . [SEP]", "[CLS] b c a . [SEP] [PAD] [PAD]"]
    assert window == [0] * 6 + [1] * 4


def test_a_sentence_longer_than_a_window_is_cut_between_tokens() -> None:
    rows, _, _ = laid_out("a abc abc abc a b.\n", 6)
    assert rows == ["[CLS] a ab ##c [SEP]" + " [PAD]", "[CLS] ab ##c ab ##c [SEP]", "[CLS] a b . [SEP] [PAD]"]


def test_no_tokens_no_windows() -> None:
    assert windows([], [], PIECES).ids.shape[0] == 0


@given(st.text(alphabet="abcx. \nA", max_size=80), st.integers(3, 12))
def test_every_token_lies_in_one_window_in_order(text: str, length: int) -> None:
    _, _, window = laid_out(text, length)
    assert all(0 <= b - a <= 1 for a, b in pairwise(window)) and window[:1] in ([], [0])


def test_only_so_many_words_are_remembered_and_none_that_is_none() -> None:
    pieces = Pieces(PIECES.names)
    for number in range(REMEMBERED + 10):
        pieces.of(f"a{number}")
    assert pieces._known.cache_info().currsize == REMEMBERED
    asked = pieces._known.cache_info().misses
    pieces.of("a" * (LONGEST_WORD + 1))
    assert pieces._known.cache_info().misses == asked
