"""Spun siblings: the product of two lattices against enumeration, and what it does to a text."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from random import Random
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from unspin import Lexicon, cleaned, intersect, restore
from unspin import consensus as consenting
from unspin.channel import matches
from unspin.consensus import Sibling, Siblings, heard
from unspin.decode import decode
from unspin.intersect import Text
from unspin.language import default_model
from unspin.lattice import Floats, Ints
from unspin.model import Attestation, DecidedBy, Entry
from unspin.pairing import stretches
from unspin.pipeline import default_lexicon
from unspin.rank import UNRANKED, Context, Scales
from unspin.text import segment

SWAPS = (
    ("yr", "year", 0.5), ("12 months", "year", 0.4), ("yr", "yard", 0.5), ("backyard", "yard", 0.4),
    ("big", "large", 0.6), ("massive", "large", 0.3), ("big", "great", 0.6), ("actual property", "real estate", 0.5),
    ("property", "estate", 0.5), ("house", "estate", 0.4), ("true", "real", 0.4), ("house", "home", 0.5),
)  # fmt: skip
LEXICON = Lexicon([Entry(*swap) for swap in SWAPS])
WORDS = ["year", "yard", "large", "great", "real", "estate", "home", "big", "property", "house", "the", "of"]


class Even:
    """A language model without opinion."""

    digest = "even"

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        return np.full(len(trigrams), -5.0)


class Listening:
    """A ranker that keeps the context it is shown."""

    digest, scales = "listening", Scales(language=0.5)

    def score(self, context: Context) -> Floats:
        self.context = context
        return np.zeros(len(context.word))


def sibling(text: str) -> Sibling:
    return Sibling(text, LEXICON, Even())


def context(text: str) -> Context:
    ranker = Listening()
    decode([s for p in segment(text).paragraphs for s in p.sentences], LEXICON, Even(), ranker)
    return ranker.context


def heard_of(asked: Context, other: Sibling) -> Floats:
    return heard(asked, other, list(stretches(consenting._sentences(asked), other.words)))


def said(text: str, other: str) -> dict[tuple[str, str], float]:
    """What the other text says of each swap of the first, by spun and original phrase."""
    asked = context(text)
    entries = (LEXICON.active[match.entry] for match in asked.found)
    scores = heard_of(asked, sibling(other)).tolist()
    return {(e.spun, e.original): score for e, score in zip(entries, scores, strict=True)}


def test_an_option_must_explain_every_copy() -> None:
    found = said("He spent a yr of his life there.", "He spent a 12 months of his life there.")
    assert found["yr", "year"] > 5.0 > 1.0 > found["yr", "yard"]
    found = said("He spent a yr of his life there.", "He spent a backyard of his life there.")
    assert found["yr", "yard"] > 5.0 > 1.0 > found["yr", "year"]


def test_a_head_that_stands_there_speaks_for_itself() -> None:
    found = said("They sold the big house by the sea.", "They sold the great house by the sea.")
    assert found["big", "great"] > 5.0 > found["big", "large"]


def test_a_long_head_is_heard_through_its_parts() -> None:
    """Here it was swapped as a whole, there word by word."""
    found = said("He deals in actual property and in cars.", "He deals in true house and in cars.")
    assert found["actual property", "real estate"] > found["property", "estate"] + 2.0 > 5.0


def test_agreement_speaks_for_heads_with_few_alternates() -> None:
    """ "big" was "large" (0.6) or "great" (0.6), or is itself; the copies differ elsewhere, so that they are two."""
    lexicon = Lexicon([Entry("big", "large", 0.9), Entry("big", "great", 0.2), Entry("yr", "year", 0.5)])
    ranker = Listening()
    text = "A big dog lived here for a yr or so."
    decode([s for p in segment(text).paragraphs for s in p.sentences], lexicon, Even(), ranker)
    other = Sibling("A big dog lived here for a year or so.", lexicon, Even())
    scores = heard_of(ranker.context, other)
    by_original = {lexicon.active[m.entry].original: s for m, s in zip(ranker.context.found, scores, strict=True)}
    assert by_original["large"] - by_original["great"] == pytest.approx(math.log(0.9 / 0.2), abs=0.2)


@pytest.mark.parametrize("other", ["", "Whisk two eggs.", "He spent a yr of his life there.", "\n\n", "a"])
def test_who_has_nothing_to_say_says_nothing(other: str) -> None:
    """Nothing in common, or the same copy once more."""
    assert set(said("He spent a yr of his life there.", other).values()) == {0.0}


def test_a_longer_change_than_the_alignment_allows_for_does_not_break_the_way() -> None:
    there = "He spent a very long and in the end quite sad 12 months of his life there, on the old farm."
    found = said("He spent a yr of his life there, on the old farm.", there)
    assert found["yr", "year"] > found["yr", "yard"]


def readings(words: tuple[str, ...], at: int = 0) -> Iterator[tuple[tuple[str, ...], tuple[tuple[int, int, int], ...]]]:
    """Every original of some words, with the matches that it undoes."""
    if at == len(words):
        yield (), ()
        return
    for rest, swaps in readings(words, at + 1):
        yield (words[at], *rest), swaps
    for end in range(at + 1, len(words) + 1):
        for number in LEXICON.by_spun.get(words[at:end], ()):
            for rest, swaps in readings(words, end):
                yield (*LEXICON.originals[number], *rest), ((at, end, number), *swaps)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(WORDS), min_size=2, max_size=5, unique=True), st.randoms(use_true_random=False))
def test_the_product_is_exact(words: list[str], chance: Random) -> None:
    """Against every pair of readings with the same original, where both are spun from one and nothing is unshared."""
    original = tuple(words)
    spun = [" ".join(_spun(original, chance)) for _ in range(2)]
    text, other = (f"Zig zag zog {one} zug zeg zyg" for one in spun)
    assume(matches(text.lower().split(), LEXICON)[0])
    asked, told = context(text), sibling(other)
    apart = patch.multiple(consenting, _is_one_run=lambda *_: False)
    with apart, patch.multiple(intersect, UNSHARED=-200.0, SLACK=9):
        scores = heard_of(asked, told)
    if not scores.any():
        return
    ours, theirs = consenting._asking(asked), consenting._answering(told, LEXICON)
    prior: defaultdict[tuple[int, ...], float] = defaultdict(float)
    joint: defaultdict[tuple[int, ...], float] = defaultdict(float)
    explained: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for reading, swaps in readings(tuple(theirs.words)):
        explained[reading] += math.exp(_weight(theirs, swaps))
    for reading, swaps in readings(tuple(ours.words)):
        weight = math.exp(_weight(ours, swaps))
        covered = {n for start, end, _ in swaps for n in range(start, end)}
        keys = [*swaps, *((n,) for n in range(len(ours.words)) if n not in covered)]
        for key in keys:
            prior[key] += weight
            joint[key] += weight * explained.get(reading, 0.0)
    if not any(joint.values()):
        return
    for match, score in zip(asked.found, scores.tolist(), strict=True):
        if score and all(joint[n,] > 0 for n in range(match.start, match.end)) and joint[tuple(match)] > 0:
            alone = min(math.log(joint[n,] / prior[n,]) for n in range(match.start, match.end))
            assert score == pytest.approx(math.log(joint[tuple(match)] / prior[tuple(match)]) - alone, abs=1e-6)


def _spun(original: tuple[str, ...], chance: Random) -> Iterator[str]:
    at = 0
    while at < len(original):
        size = 2 if original[at : at + 2] == ("real", "estate") else 1
        head = " ".join(original[at : at + size])
        yield chance.choice([spun for spun, one, _ in SWAPS if one == head] or [head])
        at += size


def _weight(text: Text, swaps: tuple[tuple[int, int, int], ...]) -> float:
    number = {tuple(match): n for n, match in enumerate(text.found)}
    covered = {n for start, end, _ in swaps for n in range(start, end)}
    kept = sum(float(text.keep[n]) for n in range(len(text.words)) if n not in covered)
    return kept + sum(float(text.swap[number[swap]]) for swap in swaps)


def test_the_ranker_below_keeps_its_say() -> None:
    asked = context("He spent a yr of his life there.")
    base = Listening()
    told = Siblings(base, [sibling("He spent a 12 months of his life there.")])
    scores = told.score(asked)
    assert base.context is asked
    assert np.flatnonzero(scores).tolist() == sorted(asked.first[np.flatnonzero(scores[asked.first])].tolist())
    assert told.scales == base.scales and told.digest.startswith("listening+sibling-")
    assert told.digest != Siblings(base, [sibling("He spent a yr.")]).digest


SPUN = (
    "The struggle has gone on for greater than a yr, and no one is aware of find out how to finish it. "
    "Despite the fact that they are saying they need peace, they have by no means been keen to speak."
)
RESPUN = (
    "The conflict has gone on for more than a 12 months, and nobody is aware of tips on how to finish it. "
    "Although they are saying they need peace, they've by no means been prepared to talk."
)


def test_a_second_copy_changes_what_is_restored() -> None:
    text, other = "It was a yr of massive change.", "It was a backyard of massive change."
    options = {"lexicon": LEXICON, "model": Even(), "ranker": UNRANKED, "assume_spun": True}
    assert "year" in cleaned(restore(text, siblings=[other.replace("backyard", "12 months")], **options))  # type: ignore[arg-type]
    assert "yard" in cleaned(restore(text, siblings=[other], **options))  # type: ignore[arg-type]


def test_an_edit_names_the_copies_that_spoke_for_it_and_quotes_them() -> None:
    text, others = "It was a yr of massive change.", ("It was a 12 months of big change.", "Whisk two eggs.")
    read = [Sibling(one, LEXICON, Even(), name=name) for one, name in zip(others, ("b.txt", ""), strict=True)]
    restoration = restore(text, lexicon=LEXICON, model=Even(), ranker=UNRANKED, assume_spun=True, siblings=read)
    (year,) = (edit for edit in restoration.edits if edit.before == "yr")
    assert year.after == "year" and year.decided_by is DecidedBy.DECODER
    assert year.attested_by == (Attestation("b.txt", 9, 18, "12 months"),)
    assert restoration.siblings == ("b.txt", consenting.digest(others[1]))
    for edit in restoration.edits:
        assert all(others[0][one.start : one.end] == one.text for one in edit.attested_by)


def test_siblings_are_named_in_the_signature_and_may_be_read_beforehand() -> None:
    alone, told = restore(SPUN), restore(SPUN, siblings=[RESPUN])
    assert "siblings" not in str(alone.signature)
    assert told.signature.options[:-1] == alone.signature.options
    assert told.signature.options[-1][0] == "siblings"
    read = Sibling(RESPUN, default_lexicon(), default_model())
    assert restore(SPUN, siblings=[read]) == told
    assert not read.is_unspun and read.spin_rate > 0.5
