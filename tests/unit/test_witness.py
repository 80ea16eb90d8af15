"""An unspun sibling's word: what becomes an edit, what is held, and what is left alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from unspin import Lexicon, apply, cleaned, restore
from unspin.channel import SPIN_RATES
from unspin.consensus import Sibling
from unspin.decode import Decoding
from unspin.lattice import Floats, Ints
from unspin.model import DecidedBy, Edit, Entry, Held, HeldReason
from unspin.pipeline import default_lexicon
from unspin.text import segment
from unspin.witness import EXPLAINED, UNEXPLAINED, overrule

LEXICON = Lexicon([Entry("struggle", "war", 0.3), Entry("with out", "without", 0.9), Entry("1", "one", 0.4)])
ORIGINAL = "The war went on for years, and no one knew how to end it. The town was without water. Nobody came to help."
SPUN = "The struggle went on for years, and no 1 knew how to end it. The city was with out water. Nobody came to help."


class Even:
    """A language model without opinion."""

    digest = "even"

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        return np.full(len(trigrams), -5.0)


def copy(text: str, *, unspun: bool = True) -> Sibling:
    """A sibling, as if it had been decoded."""
    sibling = Sibling(text, LEXICON, Even(), name="there.txt")
    sibling.decoding = Decoding((), (-99.0 if unspun else 99.0,) * len(SPIN_RATES), len(sibling.tokens))
    return sibling


def told(
    text: str, *siblings: Sibling, edits: Sequence[Edit] = (), held: Sequence[Held] = (), min_confidence: float = 0.5
) -> tuple[tuple[Edit, ...], tuple[Held, ...]]:
    sentences = [s for p in segment(text).paragraphs for s in p.sentences]
    options = {"siblings": siblings, "lexicon": LEXICON, "min_confidence": min_confidence}
    return overrule(text, sentences, edits, held, **options)  # type: ignore[arg-type]


def test_its_words_win_with_the_lexicons_reason_where_there_is_one() -> None:
    edits, held = told(SPUN, copy(ORIGINAL))
    assert apply(SPUN, edits) == ORIGINAL
    assert held == ()
    assert {edit.decided_by for edit in edits} == {DecidedBy.SIBLING}
    for edit in edits:
        (there,) = edit.attested_by
        assert (there.sibling, there.text) == ("there.txt", edit.after)
        assert ORIGINAL[there.start : there.end] == there.text
    found = [(e.before, e.after, e.entry.original if e.entry else None, e.confidence) for e in edits]
    assert found == [
        ("struggle", "war", "war", EXPLAINED),
        ("1", "one", "one", EXPLAINED),
        ("city", "town", None, UNEXPLAINED),
        ("with out", "without", "without", EXPLAINED),
    ]


def test_a_spun_one_is_no_witness() -> None:
    assert told(SPUN, copy(ORIGINAL, unspun=False)) == ((), ())


def test_its_word_takes_the_place_of_the_decoders() -> None:
    wrong = Edit(4, 12, "struggle", "fight", None, 0.9, DecidedBy.DECODER)
    never = Edit(13, 17, "went", "was", None, 0.9, DecidedBy.DECODER)
    edits, _ = told(SPUN, copy(ORIGINAL), edits=[wrong, never])
    assert apply(SPUN, edits) == ORIGINAL


def test_where_it_says_nothing_the_decoders_edits_stay() -> None:
    text = SPUN + " Later the struggle moved to the hills and nobody spoke of it again."
    at = text.rindex("struggle")
    own = Edit(at, at + 8, "struggle", "war", None, 0.9, DecidedBy.DECODER)
    edits, _ = told(text, copy(ORIGINAL), edits=[own])
    assert own in edits and len(edits) == 5


def test_what_people_put_in_or_left_out_is_left_alone() -> None:
    shorter = ORIGINAL.replace(" for years", "").replace("Nobody came", "Sadly, nobody at all came")
    edits, held = told(SPUN, copy(shorter))
    assert apply(SPUN, edits) == ORIGINAL
    assert held == ()


def test_another_sentence_in_the_same_place_is_no_spelling_of_ours() -> None:
    text = "The struggle went on for years, and no 1 knew. It was a cold day. Nobody at all came to help them there."
    other = "The war went on for years, and no one knew. Prices had a rise. Nobody at all came to help them there."
    edits, held = told(text, copy(other))
    assert apply(text, edits) == text.replace("struggle", "war").replace("no 1", "no one")
    assert held == ()


@pytest.mark.parametrize(
    ("spun", "original", "reason"),
    [
        ("In the end there were 4 ships in the port.", "In the end there were 5 ships in the port.", HeldReason.NUMBER),
        (
            "As a child she had always spoken to him of it.",
            "As a child she had never spoken to him of it.",
            HeldReason.NEGATION,
        ),
    ],
)
def test_other_facts_are_held(spun: str, original: str, reason: HeldReason) -> None:
    edits, held = told(spun, copy(original))
    assert edits == ()
    assert [one.reason for one in held] == [reason]
    assert held[0].candidate.best.after in original


def test_what_is_not_sure_enough_is_held() -> None:
    edits, held = told(SPUN, copy(ORIGINAL), min_confidence=0.97)
    assert [edit.before for edit in edits] == ["struggle", "1", "with out"]
    assert [(one.candidate.before, one.reason) for one in held] == [("city", HeldReason.CONFIDENCE)]


def test_of_several_the_first_that_has_the_place_decides() -> None:
    first, second = ORIGINAL.split(". ", 1)[0] + ".", ORIGINAL.replace("war", "siege")
    edits, _ = told(SPUN, copy(first), copy(second))
    assert apply(SPUN, edits) == ORIGINAL


def test_no_edit_reaches_over_a_line() -> None:
    text = "The struggle went on for years.\nAnd the city was with out water."
    edits, _ = told(text, copy(text.replace("\n", " ").replace("struggle", "war").replace("years. And", "years, and")))
    assert all("\n" not in edit.before + edit.after for edit in edits)


def test_a_witness_restores_what_the_decoder_would_not() -> None:
    original = (
        "My grandmother kept bees at the end of her garden for forty years. She talked to them every morning, and when "
        "my grandfather died she went down to the hives before she told any of us. They knew how to find their way "
        "home in the rain, she said, and that is more than most people can do."
    )
    spun = (
        "My grandmother saved bees on the finish of her backyard for forty years. She talked to them each morning, and "
        "when my grandfather died she went right down to the hives earlier than she instructed any of us. They knew "
        "tips on how to discover their manner residence within the rain, she stated, and that's greater than most "
        "individuals can do."
    )
    alone, together = restore(spun), restore(spun, siblings=[original])
    assert cleaned(alone) != original == cleaned(together)
    assert restore(original, siblings=[spun]).edits == ()  # the gate stays shut
    known = {(e.spun, e.original) for e in default_lexicon().active}
    explained = [e.entry for e in together.edits if e.decided_by is DecidedBy.SIBLING and e.entry]
    assert explained and all((e.spun, e.original) in known for e in explained)
