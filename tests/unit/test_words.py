"""Words of many texts as numbers."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin import words
from unspin.words import NAMED, OPENS, STOPS, Words, bare, merged, norm, shares, split

# The rule, read one text at a time: what `split` does to whole blocks.
WORD = re.compile(r"[^\W_]+(?:['’](?!s\b)[^\W_]+)*+|['’]s\b|[" + re.escape(STOPS) + "]")
TEXTS = st.lists(st.text(st.sampled_from("ab sS'’_.İ\n\0é9\u200b\ud800𝒳")) | st.text(), max_size=8)


def told(found: Words) -> list[list[tuple[str, int]]]:
    norms = list(found.norms)
    numbers, marks = found.numbers.tolist(), found.marks.tolist()
    read = [(norms[number], mark) for number, mark in zip(numbers, marks, strict=True)]
    return [read[a:b] for a, b in pairwise(found.bounds.tolist())]


def expected(text: str) -> list[tuple[str, int]]:
    found = []
    opens = True
    for word in WORD.findall(text):
        if word not in STOPS:
            is_named = word[0].isupper() and not re.match(r"I\b", word)
            found.append((norm(word), OPENS if opens else NAMED if is_named else 0))
        opens = word in STOPS
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The dog's tail", ["the", "dog", "'s", "tail"]),
        ("It’s the dogs' O'Brien's", ["it", "'s", "the", "dogs", "o'brien", "'s"]),
        ("rock'n'roll 's'b a's'b", ["rock'n'roll", "'s", "b", "a", "'s", "b"]),
        ("'sorry' a_b's", ["sorry", "a", "b", "'s"]),
        ("twenty-third of Three", ["20", "3rd", "of", "3"]),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert [word for word, _ in told(split([text]))[0]] == found


@given(TEXTS)
def test_blocks_are_read_as_single_texts_are(texts: list[str]) -> None:
    assert told(split(texts)) == [expected(text) for text in texts]


@given(TEXTS, st.integers(4, 20))
@settings(max_examples=50)
def test_a_long_text_in_pieces_has_the_same_words(texts: list[str], size: int) -> None:
    texts = [" ".join(text.replace("_", "").split()).replace(" ", " . ") for text in texts]
    texts = [text for text in texts if max(map(len, text.split(" . "))) < size - 3]
    whole = split(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "BLOCK", size)
        pieces = split(texts)
    assert told(pieces) == told(whole)
    assert pieces.seen.tolist() == whole.seen.tolist()


@given(st.lists(st.text(st.sampled_from("aAbB .é'1"))), st.integers(4, 20), st.integers(1, 4))
def test_parts_become_what_all_of_it_is(texts: list[str], size: int, count: int) -> None:
    """Numbers, too, whatever forms a word has and where they stand: nothing must depend on how work was shared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "BLOCK", size)
        edges = shares(list(map(len, texts)), count)
        assert edges[0] == 0 and edges[-1] == len(texts) and len(edges) <= count + 1
        found, whole = merged([split(texts[a:b]) for a, b in pairwise(edges)]), split(texts)
        assert found.norms == whole.norms and list(found.norms) == list(whole.norms)
        for name in ("numbers", "marks", "bounds", "seen"):
            assert getattr(found, name).tolist() == getattr(whole, name).tolist()


@given(st.text(), st.text())
def test_hashes_are_those_of_what_is_seen(first: str, second: str) -> None:
    spaced = " \u200b".join(first) + "\n"
    one, other, third = split([first, spaced, second]).seen.tolist()
    assert one == other
    if one == third:
        assert bare(first).strip("\0") == bare(second).strip("\0")


def test_many_different_words_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of words grows, and words that fell on one slot are told apart."""
    monkeypatch.setattr(words, "FEWEST_SLOTS", 4)
    monkeypatch.setattr(words, "BLOCK", 100)
    texts = [f"w{n % 700} W{n % 41} {'x' * (60 + n % 9)}" for n in range(2000)]
    assert told(split(texts)) == [expected(text) for text in texts]


def test_progress_is_told() -> None:
    calls: list[tuple[str, int, int]] = []
    split(["a text"] * 5, count=5, progress=lambda *call: calls.append(call))
    assert calls == [("reading", 0, 5)]
