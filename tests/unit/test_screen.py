"""The screen: what it passes, what it must not, and what the pipeline makes of it."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest

from unspin import Lexicon, cleaned, restore
from unspin.language import default_model
from unspin.lattice import Floats, Ints
from unspin.model import DecidedBy, Entry
from unspin.pipeline import default_lexicon
from unspin.screen import COMPARED, THRESHOLD, Screen, is_plain, screen
from unspin.spin import spin

SEED = (Path(__file__).parents[2] / "seeds" / "seed.txt").read_text(encoding="utf-8")
CLEAN = (
    "My grandmother kept bees at the end of her garden for forty years. She talked to them every morning, and "
    "when my grandfather died she went down to the hives before she told any of us. One of my uncles has them "
    "now. He says that the bees know when it is going to rain, because they come home an hour before the first "
    "drops, and that he has never been stung by a bee that he had not frightened first. The honey was better when "
    "she made it, everybody in the family says so, but then the meadow behind the house is gone, and they have "
    "built a road where it was.\n"
)


class Coin:
    """A language model for which all words are alike."""

    digest = "coin"

    def score(self, words: object, trigrams: Ints) -> Floats:
        return np.full(len(trigrams), math.log(0.01))


@pytest.fixture(scope="module")
def shipped() -> Screen:
    return screen(default_lexicon(), default_model())


def test_clean_text_passes_and_the_same_text_spun_does_not(shipped: Screen) -> None:
    assert shipped.looks_clean(CLEAN)
    assert not shipped.looks_clean(SEED)
    for seed in range(20):
        assert not shipped.looks_clean(spin(CLEAN, lexicon=default_lexicon(), seed=seed).text)


def test_alternates_weigh_for_and_heads_against() -> None:
    found = Screen(Lexicon([Entry("struggle", "war", 0.5)]), Coin())
    head, alternate, other = (found.score(word) for word in ("war", "struggle", "bees"))
    assert head == pytest.approx(math.log(0.5) + 0.5)
    assert alternate == pytest.approx(math.log(1.5) + 0.5)
    assert other == 0.5
    assert found.score("War\u2019s end") == found.score("WAR'S END")  # case and curly apostrophes are nothing to it


def test_a_word_cannot_decide_alone() -> None:
    entries = [Entry("struggle", f"war{'s' * n}", 1.0) for n in range(1, 60)]
    assert Screen(Lexicon(entries), Coin()).score("struggle") == 3.5


def test_short_texts_are_decoded(shipped: Screen) -> None:
    assert not shipped.looks_clean("")
    assert not shipped.looks_clean("…")
    assert not shipped.looks_clean("One of us.")


def test_another_language_is_not_taken_for_clean_english(shipped: Screen) -> None:
    assert shipped.score("Die Bienen wissen, wann der Regen kommt. " * 50) > THRESHOLD


def test_what_passes_is_restored_as_without_the_screen_but_for_the_evidence() -> None:
    spintax = f"{CLEAN}\n{CLEAN}\nThe {{big|large}} road is there to stay.\n"
    screened, decoded = restore(spintax, screened=True), restore(spintax)
    assert screened.duplicates == decoded.duplicates != ()
    assert cleaned(screened) == cleaned(decoded)
    assert [held.candidate.before for held in screened.held] == ["{big|large}"]
    assert screened.spin.words == decoded.spin.words
    assert (screened.spin.rate, screened.spin.evidence, screened.spin.is_spun) == (0.0, 0.0, False)


def test_what_is_plain_has_no_repeats_and_no_spintax() -> None:
    others = [line for line in SEED.splitlines() if len(line.split()) > 60][:2]
    assert is_plain("\n\n".join(others))
    assert is_plain("Short and short.\nShort and short.\n")
    assert not is_plain(f"{CLEAN}\n\n{others[0]}\n\n{CLEAN}")
    for seed in range(10):
        assert not is_plain(f"{CLEAN}\n{spin(CLEAN, lexicon=default_lexicon(), seed=seed).text}")
    assert not is_plain("A {b|c}.")
    assert restore("\n\n".join([CLEAN, *others]), screened=True).original.startswith(CLEAN)


def test_what_does_not_pass_is_restored_as_without_it() -> None:
    screened, decoded = restore(SEED, screened=True), restore(SEED)
    assert screened.edits == decoded.edits != ()
    assert dict(screened.signature.options) == {**dict(decoded.signature.options), "screened": "true"}


def test_an_open_gate_and_siblings_are_stronger() -> None:
    text = f"{CLEAN} The struggle has lasted greater than a yr."
    assert screen(default_lexicon(), default_model()).looks_clean(text)
    assert not restore(text, screened=True).edits
    assert any(e.decided_by is DecidedBy.DECODER for e in restore(text, screened=True, assume_spun=True).edits)
    with_sibling = restore(text, screened=True, siblings=[CLEAN])
    assert with_sibling.spin.evidence == restore(text, siblings=[CLEAN]).spin.evidence


def test_it_is_made_once_and_fast(shipped: Screen) -> None:
    assert screen(default_lexicon(), default_model()) is shipped
    text = CLEAN * 200
    start = time.process_time()
    shipped.looks_clean(text)
    assert len(text.split()) / (time.process_time() - start) > 300_000


def test_a_lexicon_without_entries_has_nothing_to_go_by() -> None:
    assert not Screen(Lexicon([]), Coin()).looks_clean(CLEAN)


def test_of_very_many_paragraphs_not_each_is_compared_with_each() -> None:
    lines = [" ".join(str(number * 25 + place) for place in range(25)) for number in range(COMPARED + 1)]
    assert is_plain("\n".join(lines[:COMPARED]))
    assert not is_plain("\n".join(lines))
