"""Laws of passages that stand word for word in several texts, beside a search of every run of words."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.copies import dedupe
from unspin.model import CopyGroup, Keep, Level
from unspin.verbatim import SHORTEST

PIECES = st.lists(st.sampled_from("red boats lie in a row".split()), min_size=3, max_size=20)


@st.composite
def collections(draw: st.DrawFn) -> list[str]:
    """Texts made of few pieces."""
    pieces = draw(st.lists(PIECES, min_size=1, max_size=4))
    made = st.lists(st.sampled_from(pieces), max_size=4).map(
        lambda those: " ".join(" ".join(those_) for those_ in those)
    )
    return draw(st.lists(made, max_size=5))


def covered(texts: list[str]) -> set[tuple[int, int]]:
    """Text and place of each word in a run that stood before, without overlap."""
    first: dict[tuple[str, ...], int] = {}
    found: set[tuple[int, int]] = set()
    passed = 0
    for number, text in enumerate(texts):
        words = text.split()
        for place in range(len(words) - SHORTEST + 1):
            earliest = first.setdefault(tuple(words[place : place + SHORTEST]), passed + place)
            if passed + place - earliest >= SHORTEST:
                found |= {(number, place + n) for n in range(SHORTEST)}
        passed += len(words)
    return found


def found_in(texts: list[str]) -> tuple[CopyGroup, ...]:
    return dedupe(texts, level=Level.PASSAGE, keep=Keep.FIRST, min_words=SHORTEST)


@settings(deadline=None)
@given(collections())
def test_every_word_of_a_run_that_stood_before_goes_once_and_no_other(texts: list[str]) -> None:
    gone: list[tuple[int, int]] = []
    for group in found_in(texts):
        for copy in group.copies:
            text = texts[copy.place.text]
            before = len(text[: copy.place.start].split())
            gone += [(copy.place.text, before + n) for n in range(len(text[copy.place.start : copy.place.end].split()))]
    assert len(gone) == len(set(gone))
    assert set(gone) == covered(texts)


@settings(deadline=None)
@given(collections())
def test_every_copy_says_what_the_kept_passage_says(texts: list[str]) -> None:
    for group in found_in(texts):
        kept = texts[group.kept.text][group.kept.start : group.kept.end]
        for copy in group.copies:
            assert texts[copy.place.text][copy.place.start : copy.place.end] == kept
            assert (group.kept.text, group.kept.end) < (copy.place.text, copy.place.end)
