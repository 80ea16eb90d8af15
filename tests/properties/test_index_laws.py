"""Laws of an index: how texts were split into additions changes no answer; what it says is what `dedupe` says."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.copies import dedupe
from unspin.index import Index
from unspin.model import Answer, Keep, Level, NamedText
from unspin.postings import MOST, Kind
from unspin.units import UNITS

WORDS = st.sampled_from(
    "the a of red Paris 12 runs slowly over green hills and not two rivers north Smith in which old boats lie".split()
)
# As many passages make a gram common as here; with the usual numbers it takes very many texts.
COMMON = st.fixed_dictionaries({Kind.GRAM: st.integers(1, 50), Kind.PAIR: st.integers(1, 8)})
TEXTS = st.lists(WORDS, min_size=0, max_size=40).map(" ".join)


@st.composite
def collections(draw: st.DrawFn) -> list[str]:
    """Texts, repeated with and without small changes; so many that some grams become common."""
    sources = draw(st.lists(TEXTS, min_size=1, max_size=6))
    texts = []
    for source in draw(st.lists(st.sampled_from(sources), min_size=1, max_size=30)):
        words = source.split(" ")
        for place, word in draw(st.lists(st.tuples(st.integers(0, len(words) - 1), WORDS), max_size=12)):
            words[place] = word
        texts.append(draw(st.sampled_from((" ", "  ", "\n"))).join(words))
    return texts


def named(texts: list[str], start: int = 0) -> list[NamedText]:
    return [NamedText(str(number), text) for number, text in enumerate(texts, start)]


def said(answer: Answer) -> tuple[object, ...]:
    """An answer, wherever the kept passage came from and whatever the number of its text was."""
    kept = answer.kept and (answer.kept.name, answer.kept.start, answer.kept.end, answer.kept.text)
    return answer.place.start, answer.place.end, kept, answer.kind, answer.score, answer.rule


@settings(deadline=None, max_examples=40)
@given(st.data(), collections(), st.sampled_from(UNITS), st.integers(40, 4000))
def test_no_split_changes_an_answer(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, texts: list[str], level: Level, block: int
) -> None:
    folder = tmp_path_factory.mktemp("index")
    whole: list[Answer] = []
    cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=4)))
    parts: list[Answer] = []
    with patch.dict(MOST, data.draw(COMMON)):
        Index.build(folder / "one", named(texts), level=level, tell=whole.append)
        with patch("unspin.index.BLOCK", block):
            _grow(folder / "two", texts, cuts, level, parts)
    assert [said(answer) for answer in parts] == [said(answer) for answer in whole]


def _grow(path: Path, texts: list[str], cuts: list[int], level: Level, parts: list[Answer]) -> None:
    """Add texts by the batch; ask of each before."""
    Index.build(path, level=level)
    with Index.open(path) as index:
        for start, end in zip([0, *cuts], [*cuts, len(texts)], strict=True):
            asked = list(index.query(named(texts[start:end], start)))
            before = len(parts)
            index.add(named(texts[start:end], start), tell=parts.append)
            assert [said(answer) for answer in asked] == [said(answer) for answer in parts[before:]]


@settings(deadline=None, max_examples=40)
@given(TEXTS, TEXTS, st.lists(st.tuples(st.integers(0, 39), WORDS), max_size=6))
def test_of_two_texts_an_index_says_what_dedupe_says(
    tmp_path_factory: pytest.TempPathFactory, first: str, other: str, changed: list[tuple[int, str]]
) -> None:
    words = first.split(" ")
    for place, word in changed:
        words[place % len(words)] = word
    texts = [first, other, " ".join(words)]
    answers: list[Answer] = []
    Index.build(tmp_path_factory.mktemp("index") / "i", named(texts), tell=answers.append)
    copies = {
        (copy.place.text, group.kept.text, copy.kind, copy.score, copy.rule)
        for group in dedupe(texts, keep=Keep.FIRST)
        for copy in group.copies
        if copy.place.text > group.kept.text
    }
    assert {
        (a.place.text, int(a.kept.name), a.kind, a.score, a.rule) for a in answers if a.is_copy and a.kept
    } == copies
