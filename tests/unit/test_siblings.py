"""Which texts of a collection are read together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from unspin import cleaned, restore, restore_all
from unspin.consensus import Sibling
from unspin.language import default_model
from unspin.model import DecidedBy
from unspin.pipeline import default_lexicon
from unspin.siblings import MOST, Collection, related
from unspin.spin import spin

BEES = (
    "My grandmother kept bees at the end of her garden for forty years. She talked to them every morning, and when "
    "my grandfather died she went down to the hives before she told any of us. They knew how to find their way "
    "home in the rain, she said, and that is more than most people can do."
)
FERRY = (
    "The old ferry was sold last week, after the new bridge had taken most of its passengers. Its captain, who had "
    "made the crossing more than forty thousand times, said that he would miss the people, but not the cold. The town "
    "wants to keep the landing stage as a place to swim."
)
SCHOOL = (
    "Every child in the village learned to read in this room. The stove stood in the middle, and whoever came first in "
    "the morning had to light it. When the school was closed, the teacher took the clock home with her, and nobody "
    "asked for it until last year."
)
LEXICON = default_lexicon()


def spun(text: str, seed: int) -> str:
    return spin(text, LEXICON, seed=seed).text


def of(*texts: str) -> tuple[tuple[int, ...], ...]:
    return related(texts, LEXICON)


def test_copies_find_one_another_and_others_do_not() -> None:
    assert of(spun(BEES, 1), FERRY, spun(BEES, 2), SCHOOL, spun(FERRY, 3)) == ((2,), (4,), (0,), (), (1,))


def test_texts_that_share_a_paragraph_are_related() -> None:
    one, other = f"{spun(BEES, 1)}\n{spun(FERRY, 1)}", f"{spun(SCHOOL, 2)}\n{spun(BEES, 2)}"
    assert of(one, other) == ((1,), (0,))


def test_who_shares_more_comes_first() -> None:
    text, whole, part = (f"{spun(BEES, n)}\n{spun(FERRY, n)}" for n in range(3))
    assert of(text, part.splitlines()[0], whole)[0] == (2, 1)


@pytest.mark.parametrize("again", [BEES, BEES.upper(), BEES.replace(". ", ".  "), f" {BEES}\n"])
def test_the_same_words_again_are_no_sibling(again: str) -> None:
    assert of(BEES, again, again) == ((), (), ())


@pytest.mark.parametrize("texts", [(), ("",), ("", "", " "), ("one", "one"), ("\ufeff", "the of and", "\0")])
def test_texts_with_nothing_to_share(texts: Sequence[str]) -> None:
    assert of(*texts) == ((),) * len(texts)
    assert [cleaned(one) for one in restore_all(texts)] == list(texts)


def test_of_a_crowd_some_speak_for_all_and_the_least_spun_first() -> None:
    crowd = [spun(BEES, seed) for seed in range(1, 40)]
    found = of(*crowd, BEES)
    assert all(len(others) <= MOST and others[0] == len(crowd) for others in found[:-1])
    assert all(number not in others for number, others in enumerate(found))
    assert len({other for others in found for other in others}) <= MOST + 1
    collection = Collection([*crowd, BEES], LEXICON, default_model())
    assert len(collection.siblings(0)) == MOST
    assert collection.siblings(0)[0].is_unspun


def test_a_collection_is_restored_together() -> None:
    texts = [spun(BEES, 1), FERRY, BEES, spun(SCHOOL, 1)]
    together = list(restore_all(texts, names=("a", "b", "c", "d")))
    assert [cleaned(one) for one in together[:3]] == [BEES, FERRY, BEES]
    assert [one.siblings for one in together] == [("c",), (), (), ()]
    assert together[0].edits and all(edit.attested_by[0].sibling == "c" for edit in together[0].edits)
    assert {edit.decided_by for edit in together[0].edits} == {DecidedBy.SIBLING}
    alone = [restore(text) for text in texts]
    assert together[1::2] == alone[1::2]  # they have no copies
    assert replace(together[2], signature=alone[2].signature) == alone[2]


def edited(text: str, every: int) -> str:
    """With another word in place of every so manieth."""
    words = text.split(" ")
    return " ".join("granite" if n % every == every - 1 else word for n, word in enumerate(words))


@pytest.mark.parametrize("every", [7, 15, 40])
def test_a_copy_of_the_same_run_proves_nothing_however_it_was_edited(every: int) -> None:
    text = f"{spun(BEES, 1)}\n{spun(SCHOOL, 1)}"
    assert restore(text, siblings=[edited(text, every)]).edits == restore(text).edits


def test_the_same_witness_is_heard_once() -> None:
    text, other = (f"{spun(BEES, n)}\n{spun(SCHOOL, n)}" for n in (1, 2))
    once, again = restore(text, siblings=[other]), restore(text, siblings=[other, edited(other, 40)])
    assert again.edits == once.edits


def test_of_a_copy_that_was_written_anew_only_what_the_lexicon_explains_counts() -> None:
    text, rewritten = f"{spun(BEES, 1)}\n{spun(SCHOOL, 1)}", edited(f"{BEES}\n{SCHOOL}", 6)
    restoration = restore(text, siblings=[rewritten])
    assert Sibling(rewritten, LEXICON, default_model()).is_unspun
    told = [edit for edit in restoration.edits if edit.decided_by is DecidedBy.SIBLING]
    assert told and all(edit.entry for edit in told)
    assert "granite" not in cleaned(restoration)


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("other", [FERRY, spun(FERRY, 2), f"{FERRY}\n{spun(SCHOOL, 3)}"], ids=["clean", "spun", "both"])
def test_other_texts_change_nothing(seed: int, other: str) -> None:
    text = spun(BEES, seed)
    assert restore(text, siblings=[other]).edits == restore(text).edits


def test_names_are_one_a_text() -> None:
    with pytest.raises(ValueError, match="1 names for 2 texts"):
        restore_all(["One.", "Two."], names=["a"])
