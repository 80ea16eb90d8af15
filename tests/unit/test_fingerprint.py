"""What a text is found again by."""

from __future__ import annotations

import pytest

from unspin.canon import CLASS_SIZE, Canon, canon
from unspin.fingerprint import FACT, grams, pairs, read
from unspin.lexicon import Lexicon
from unspin.model import Entry

LEXICON = Lexicon(
    [
        Entry("as a result of", "because", 0.5, seen=9),
        Entry("within the", "in the", 0.5, seen=5),
        Entry("struggle", "war", 0.5, seen=5),
        Entry("battle", "war", 0.5, seen=5),
        Entry("12 months", "year", 0.5, seen=5),
    ]
)


def symbols(text: str, table: Canon | None = None) -> list[int]:
    corpus = read([text], table or canon(LEXICON))
    return list(map(int, corpus.hashes[corpus.symbols]))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The war went on because of rain", "the BATTLE went on as a result of of rain"),
        ("A struggle within the party", "A battle in the party"),
        ("It took a year", "It took a 12 months"),
        ("Don’t go", "don't go"),
        ("three men, the third day", "3 men the 3rd day"),
    ],
)
def test_swaps_have_one_symbol(first: str, second: str) -> None:
    assert symbols(first) == symbols(second)


def test_a_phrase_ends_with_its_text() -> None:
    corpus = read(["within", "the"], canon(LEXICON))
    assert corpus.bounds.tolist() == [0, 1, 2]
    assert corpus.hashes[corpus.symbols].tolist() == symbols("within") + symbols("the")


def test_facts_are_numbers_and_names_that_no_spinner_swaps() -> None:
    corpus = read(["Yesterday Smith saw 40 ships in the War. I said: Nothing."], canon(LEXICON))
    stated = [bool(marks & FACT) for marks in corpus.marks]
    #           Yesterday Smith saw  40  ships  in the War  I said Nothing
    assert stated == [False, True, False, True, False, False, False, False, False, False]


def test_originality_falls_with_every_swap() -> None:
    texts = ["The war began in the spring", "The struggle began in the spring", "The struggle began within the spring"]
    first, second, third = read(texts, canon(LEXICON)).originality.tolist()
    assert 1 >= first > second > third >= -1
    assert read([""], canon(LEXICON)).originality.tolist() == [0.0]


def test_grams_skip_content_words() -> None:
    table = Canon()
    first, second = "the cat of a man in the house", "the dog of a woman in the street"
    corpus = read([first, second, "the cat"], table)
    found = grams(corpus)
    assert len(found.hashes) == 2
    assert found.hashes[0] == found.hashes[1]
    assert found.texts.tolist() == [0, 1]
    assert len(pairs(corpus).hashes) == 7 + 7 + 1


def test_hashes_stay_the_same_across_versions() -> None:
    """An index on a disk outlives the program that wrote it."""
    found = grams(read(["the cat of a man in the house"], Canon()))
    assert [f"{value:016x}" for value in found.hashes.tolist()] == ["3438c10ce14d1f46"]


def test_no_class_grows_without_bound() -> None:
    chain = Lexicon(Entry(f"w{'x' * n}", f"w{'x' * (n + 1)}", 0.5) for n in range(200))
    classes = list(canon(chain).classes.values())
    assert max(map(classes.count, classes)) <= CLASS_SIZE


def test_nothing_gives_nothing() -> None:
    for texts in ([], [""], ["...", "\0"]):
        corpus = read(texts, canon(LEXICON))
        assert len(corpus) == len(texts)
        assert len(grams(corpus).hashes) == 0


def test_blocks_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = read(["the cat of a man in the house and on the hill", "", "of a man in the house"] * 3, Canon())
    whole = grams(corpus), pairs(corpus)
    monkeypatch.setattr("unspin.fingerprint.BLOCK", 3)
    for before, after in zip(whole, (grams(corpus), pairs(corpus)), strict=True):
        assert before.hashes.tolist() == after.hashes.tolist()
        assert before.texts.tolist() == after.texts.tolist()
