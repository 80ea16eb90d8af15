"""Which stretches of two texts say the same: order, gaps, insertions, and the laws of the pieces."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.pairing import COMMON, LONGEST_CHANGE, stretches

STORY = [
    "the mayor opened a new bridge across the river on monday .".split(),
    "it cost nine million and took three years to build .".split(),
    "critics said that the old ferry had served the town well enough .".split(),
    "a brass band played while children waved paper flags from the bank .".split(),
    "fishermen complained about the noise of the trucks at night .".split(),
    "next spring the council will vote on a second lane for bicycles .".split(),
]
OTHER = [
    "whisk two eggs with sugar until pale and thick .".split(),
    "fold in flour , then bake until golden brown .".split(),
]
WORDS = st.sampled_from("the a of war peace river town bridge , . old new".split())
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=12), max_size=8)


def flat(sentences: list[list[str]]) -> list[str]:
    return [word for words in sentences for word in words]


def shared(left: list[list[str]], right: list[list[str]]) -> dict[int, int]:
    """Which token of the right text each token of the left equals."""
    found = (piece for stretch in stretches(left, right) for piece in stretch.pieces if piece.is_same)
    return {piece.start + n: piece.other + n for piece in found for n in range(piece.end - piece.start)}


def test_a_text_and_itself_are_one_stretch() -> None:
    (stretch,) = stretches(STORY, STORY)
    size = len(flat(STORY))
    assert stretch.span == (0, size, 0, size)
    assert len(stretch.pieces) == 1


def test_texts_that_have_nothing_in_common_have_no_stretch() -> None:
    assert list(stretches(STORY, OTHER)) == list(stretches(STORY, [])) == list(stretches([], STORY)) == []


@pytest.mark.parametrize("seed", range(10))
def test_sentences_are_found_wherever_they_stand(seed: int) -> None:
    moved = [*STORY, *OTHER]
    random.Random(seed).shuffle(moved)
    found = shared(STORY, moved)
    theirs = flat(moved)
    assert sorted(found) == list(range(len(flat(STORY))))
    assert all(theirs[there] == here for here, there in zip(flat(STORY), found.values(), strict=True))


@pytest.mark.parametrize("gone", range(len(STORY)))
def test_what_one_of_them_lacks_costs_the_others_nothing(gone: int) -> None:
    fewer = STORY[:gone] + STORY[gone + 1 :]
    for left, right in ((STORY, fewer), (fewer, STORY), (fewer, [*STORY[:2], *OTHER, *STORY[2:]])):
        assert len(shared(left, right)) >= len(flat(fewer))


def test_what_differs_for_long_parts_two_stretches() -> None:
    before, after = "one two three four five".split(), "six seven eight nine ten".split()
    news = [f"w{n}" for n in range(LONGEST_CHANGE + 1)]
    assert len(list(stretches([before + after], [before + news[1:] + after]))) == 1
    assert [s.span for s in stretches([before + after], [before + news + after])] == [(0, 5, 0, 5), (5, 10, 18, 23)]


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_pieces_follow_one_another_and_tell_the_truth(left: list[list[str]], right: list[list[str]]) -> None:
    ours, theirs = flat(left), flat(right)
    end = 0
    for stretch in stretches(left, right):
        assert stretch.pieces[0].start >= end
        for before, piece in zip(stretch.pieces, stretch.pieces[1:], strict=False):
            assert (before.end, before.other_end) == (piece.start, piece.other)
            assert before.is_same != piece.is_same
        for is_same, a, b, c, d in stretch.pieces:
            assert (ours[a:b] == theirs[c:d]) == is_same
        end = stretch.pieces[-1].end
        assert end <= len(ours) and 0 <= stretch.pieces[0].other <= stretch.pieces[-1].other_end <= len(theirs)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_the_boundaries_leave_a_way_along(left: list[list[str]], right: list[list[str]]) -> None:
    for stretch in stretches(left, right):
        start, end, other, other_end = stretch.span
        low, high = stretch.boundaries()
        assert len(low) == len(high) == end - start + 1
        assert low[0] == other and high[-1] == other_end
        assert (low <= high).all()
        assert (low[1:] >= low[:-1]).all() and (low[1:] <= high[:-1] + 1).all()


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_every_token_has_its_place(left: list[list[str]], right: list[list[str]]) -> None:
    ours, theirs = flat(left), flat(right)
    for stretch in stretches(left, right):
        start, end, other, other_end = stretch.span
        places = list(zip(*(edges.tolist() for edges in stretch.places()), strict=True))
        assert len(places) == end - start
        assert all(other <= first <= last <= other_end for first, last in places)
        same = [n for piece in stretch.pieces if piece.is_same for n in range(piece.start, piece.end)]
        assert all([ours[n]] == theirs[slice(*places[n - start])] for n in same)


def test_time_is_linear_however_often_a_sentence_comes() -> None:
    many = [["the", "same", "words", "again", "."]] * (20 * COMMON) + STORY * 200
    endless = [[f"w{n}" for n in range(50_000)]]
    start = time.process_time()
    list(stretches(many, many))
    assert shared(endless, endless) == {n: n for n in range(50_000)}
    assert time.process_time() - start < 3.0
