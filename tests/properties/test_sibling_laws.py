"""Laws of siblings, with the shipped lexicon and models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from unspin import apply, cleaned, invert, restore, restore_all
from unspin.cases.reading import read_case
from unspin.edit import removals
from unspin.model import Restoration
from unspin.pipeline import default_lexicon
from unspin.spin import spin
from unspin.text import segment

ROOT = Path(__file__).parents[2]
SEED = (ROOT / "seeds" / "seed.txt").read_text(encoding="utf-8")
CASES = [read_case(path).gold.text for path in sorted(ROOT.glob("tests/cases/*/*.case.toml"))]
PARAGRAPHS = sorted({line for text in (SEED, *CASES) for line in text.splitlines() if len(line) > 100})
FEW = settings(deadline=None, max_examples=25)


def unsigned(restoration: Restoration) -> Restoration:
    return replace(restoration, signature=restore("").signature, siblings=())


def told(text: str, *siblings: str) -> Restoration:
    return unsigned(restore(text, siblings=siblings))


@FEW
@given(st.sampled_from(PARAGRAPHS), st.text(max_size=60))
def test_a_sibling_without_a_word_in_common_changes_nothing(text: str, other: str) -> None:
    words = {token.norm for token in segment(text).tokens}
    if words.isdisjoint(token.norm for token in segment(other).tokens):
        assert told(text, other) == unsigned(restore(text))


@FEW
@given(st.sampled_from(PARAGRAPHS), st.randoms(use_true_random=False))
def test_the_same_copy_once_more_changes_nothing(text: str, chance) -> None:  # type: ignore[no-untyped-def]
    """Whole or in another order."""
    alone = restore(text)
    if alone.spin.is_spun:
        sentences = [text[s.start : s.end] for p in segment(text).paragraphs for s in p.sentences]
        chance.shuffle(sentences)
        assert told(text, text) == told(text, " ".join(sentences)) == unsigned(alone)


@FEW
@given(st.sampled_from(PARAGRAPHS), st.lists(st.sampled_from(PARAGRAPHS) | st.text(max_size=80), max_size=3))
def test_a_restoration_with_siblings_can_be_undone(text: str, siblings: list[str]) -> None:
    restoration = told(text, *siblings)
    changes = [*restoration.edits, *removals(restoration.duplicates, text)]
    assert apply(text, changes) == cleaned(restoration)
    assert apply(apply(text, changes), invert(changes)) == text


@FEW
@given(st.sampled_from(PARAGRAPHS))
def test_a_restored_copy_is_followed(text: str) -> None:
    """What was restored once, and is long enough to count as unspun, is what comes out again."""
    once = cleaned(restore(text))
    assert len(segment(cleaned(told(text, once))).tokens) == len(segment(once).tokens)


@FEW
@given(st.sampled_from(PARAGRAPHS), st.sampled_from(PARAGRAPHS))
def test_a_text_without_spin_evidence_keeps_its_words(text: str, other: str) -> None:
    if not restore(text).spin.is_spun:
        assert told(text, other).edits == restore(text).edits


@settings(deadline=None, max_examples=10)
@given(
    st.lists(st.sampled_from(PARAGRAPHS), min_size=1, max_size=3, unique=True),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=2, max_size=6, unique=True),
    st.randoms(use_true_random=False),
)
def test_a_collection_does_not_depend_on_its_order(sources, picks, chance) -> None:  # type: ignore[no-untyped-def]
    """Texts spun anew and not (seed 0), alone and behind one another."""
    pieces = [(sources[n % len(sources)], seed) for n, seed in picks]
    texts = [spin(text, default_lexicon(), seed=seed).text if seed else text for text, seed in pieces]
    texts = sorted({*texts, "\n".join(texts[:2])})
    shuffled = chance.sample(texts, len(texts))
    there = dict(zip(shuffled, restore_all(shuffled), strict=True))
    assert [there[text] for text in texts] == list(restore_all(texts))
