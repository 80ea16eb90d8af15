from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unspin.channel import matches
from unspin.errors import FormatError
from unspin.lexicon import Lexicon
from unspin.model import Entry
from unspin.neural.data import Examples, examples, made, respun
from unspin.neural.wordpiece import FIRST, LAST, PAD, UNKNOWN, WINDOW, Pieces
from unspin.text import phrase

LEXICON = Lexicon(
    [
        Entry("struggle", "war", 0.5),
        Entry("struggle", "fight", 0.3),
        Entry("real property", "real estate", 0.4),
        Entry("property", "estate", 0.2),
        Entry("within the", "in the", 0.5),
        Entry("is aware of", "knows", 0.4),
        Entry("offers", "deals", 0.4),
    ]
)
PIECES = Pieces(
    [PAD, UNKNOWN, FIRST, LAST, *"abcdefghijklmnopqrstuvwxyz.", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz")]
)


def undone(original: str, spun: str) -> set[tuple[str, str]]:
    words = phrase(spun)
    found, _ = matches(words, LEXICON)
    chosen = made(phrase(original), words, found, LEXICON)
    return {(LEXICON.active[m.entry].spun, LEXICON.active[m.entry].original) for m in chosen}


@pytest.mark.parametrize(
    ("original", "spun", "expected"),
    [
        ("a war began", "a struggle began", {("struggle", "war")}),
        ("a fight began", "a struggle began", {("struggle", "fight")}),
        ("a struggle began", "a struggle began", set()),
        ("a brawl began", "a struggle began", set()),  # what no entry explains was no swap
        ("real estate deals", "real property offers", {("real property", "real estate"), ("offers", "deals")}),
        ("the war in the north", "the struggle within the north", {("struggle", "war"), ("within the", "in the")}),
        ("he knows war", "he is aware of struggle", {("is aware of", "knows"), ("struggle", "war")}),
        ("", "a struggle", set()),
        ("a war", "", set()),
    ],
)
def test_the_swaps_that_explain_a_copy(original: str, spun: str, expected: set[tuple[str, str]]) -> None:
    assert undone(original, spun) == expected


def test_few_swaps_explain_better_than_many() -> None:
    """ "real property" is one swap, though "property" alone would do."""
    assert undone("the real estate here", "the real property here") == {("real property", "real estate")}


def test_the_same_word_swapped_here_and_kept_there() -> None:
    words = phrase("struggle and struggle")
    found, _ = matches(words, LEXICON)
    assert {m.start for m in made(phrase("war and struggle"), words, found, LEXICON)} == {0}


def labels(found: Examples) -> list[tuple[int, list[str]]]:
    return [
        (label, [LEXICON.active[n].original for n in found.entry[begin:end]])
        for label, begin, end in zip(found.label, found.begin, found.begin[1:], strict=False)
    ]


def test_examples_hold_every_span_with_its_entries_and_what_was_made() -> None:
    found = examples("A war.\n\nThe struggle.", "A struggle.\n\nThe struggle.", LEXICON, PIECES)
    assert labels(found) == [(1, ["war", "fight"]), (0, ["war", "fight"])]
    read = [[PIECES.names[n] for n in found.ids[0, a : b + 1]] for a, b in zip(found.first, found.last, strict=True)]
    assert read == [["s", *(f"##{c}" for c in "truggle")]] * 2
    assert found.ids.shape == (1, WINDOW) and found.cases[0, 1] == 1


def test_paragraphs_must_correspond() -> None:
    with pytest.raises(ValueError, match="shorter"):
        examples("A war.\n\nMore.", "A struggle.", LEXICON, PIECES)


def test_joined_saved_and_loaded(tmp_path: Path) -> None:
    parts = [examples(f"A {word}.", "A struggle.", LEXICON, PIECES) for word in ("war", "fight", "struggle")]
    path = tmp_path / "examples.npz"
    path.write_bytes(Examples.joined(parts).save())
    found = Examples.load(path)
    assert [label for label, _ in labels(found)] == [1, 2, 0]
    assert found.window.tolist() == [0, 1, 2] and found.begin.tolist() == [0, 2, 4, 6]


def test_damaged_examples_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "examples.npz"
    path.write_bytes(b"no examples")
    with pytest.raises(FormatError, match=r"examples\.npz.*remove it"):
        Examples.load(path)


def test_examples_cut_short_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "examples.npz"
    whole = examples("A war.", "A struggle.", LEXICON, PIECES).save()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match=r"examples\.npz.*remove it"):
        Examples.load(path)


def test_clean_texts_are_spun_and_every_tenth_is_not() -> None:
    texts = ["The war, the deals, real estate in the north."] * 20
    found = list(respun(texts, LEXICON, PIECES, held_out=frozenset(), seed=1))
    swaps = [int((one.label > 0).sum()) for one in found]
    assert swaps[0] == swaps[10] == 0 and sum(swaps) > 20
    again = list(respun(texts, LEXICON, PIECES, held_out=frozenset(), seed=1))
    assert all(
        np.array_equal(a.ids, b.ids) and np.array_equal(a.label, b.label) for a, b in zip(found, again, strict=True)
    )


def test_what_must_stay_unseen_is_left_out() -> None:
    text = "The war went on for many years in the north of the country."
    run = phrase(text)[:10]
    assert list(respun([text], LEXICON, PIECES, held_out=frozenset([run]), seed=1)) == []
