"""Laws of the whole, with the shipped lexicon and model."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unspin import apply, cleaned, inspect, invert, restore
from unspin.cases.reading import read_case
from unspin.edit import removals
from unspin.pipeline import default_lexicon
from unspin.text import segment

ROOT = Path(__file__).parents[2]
SEED = (ROOT / "seeds" / "seed.txt").read_text(encoding="utf-8")
CASES = [read_case(path).gold.text for path in sorted(ROOT.glob("tests/cases/*/*.case.toml"))]
PARAGRAPHS = [line for text in (SEED, *CASES) for line in text.splitlines() if line]

# Spun phrases of the shipped lexicon among plain words: texts that are spun, clean, or neither.
SWAPS = sorted({entry.spun for entry in default_lexicon().active if entry.rate > 0.1})
PLAIN = [
    "the", "a", "an", "of", "It", "was", "in", "He said", "\u201cNo,\u201d", "and", ",", ".", "\n\n", "\r\n", "  ", "3",
    "4,000", "NATO", "not", "-", "\u2014", "'s", "\U0001f600", "\u200b", "\u00a0", "<b>", "https://example.org/war",
]  # fmt: skip
PIECES = st.sampled_from(SWAPS) | st.sampled_from(PLAIN)
TEXTS = st.lists(PIECES, max_size=40).map(" ".join) | st.text(max_size=60)
FEW = settings(deadline=None, max_examples=60)


@FEW
@given(TEXTS, st.floats(0.0, 1.0))
def test_text_outside_edits_is_byte_identical(text: str, min_confidence: float) -> None:
    restoration = restore(text, min_confidence=min_confidence)
    changes = sorted([*restoration.edits, *removals(restoration.duplicates, text)], key=lambda edit: edit.start)
    position = 0
    kept = []
    for edit in changes:
        assert text[edit.start : edit.end] == edit.before
        kept.append(text[position : edit.start])
        position = edit.end
    kept.append(text[position:])
    rest = cleaned(restoration)
    for piece, after in zip(kept, [*(edit.after for edit in changes), ""], strict=True):
        assert rest.startswith(piece + after)
        rest = rest[len(piece) + len(after) :]
    assert rest == ""


@FEW
@given(TEXTS)
def test_a_restoration_can_be_undone(text: str) -> None:
    restoration = restore(text)
    changes = [*restoration.edits, *removals(restoration.duplicates, text)]
    assert apply(text, changes) == cleaned(restoration)
    assert apply(apply(text, changes), invert(changes)) == text


@FEW
@given(TEXTS)
def test_paragraphs_and_white_space_stay(text: str) -> None:
    """No edit reaches across a paragraph or changes its ends."""
    restoration = restore(text, keep_duplicates=True)
    before, after = segment(text).paragraphs, segment(cleaned(restoration)).paragraphs
    assert len(before) == len(after)
    for edit in restoration.edits:
        assert edit.after == edit.after.strip() or edit.after[1:] == edit.after.strip()
        assert any(p.start <= edit.start and edit.end <= p.end for p in before)


@FEW
@given(TEXTS)
def test_posteriors_share_one_in_every_candidate(text: str) -> None:
    found = inspect(text)
    for candidate in found.candidates:
        posteriors = [option.posterior for option in candidate.options]
        assert sum(posteriors) == pytest.approx(1.0, abs=1e-6)
        assert all(0.0 <= posterior <= 1.0 for posterior in posteriors)
        assert candidate.before == text[candidate.start : candidate.end]


@FEW
@given(st.text())
def test_any_string_at_all_is_taken(text: str) -> None:
    assert isinstance(cleaned(restore(text)), str)


@given(st.integers(0, 10**6), st.sampled_from(["\n\n", "\n", "\r\n\r\n"]))
@settings(deadline=None, max_examples=10)
def test_the_same_text_gives_the_same_answer(cut: int, gap: str) -> None:
    text = SEED[: cut % len(SEED)] + gap + SEED[cut % len(SEED) :]
    assert restore(text) == restore(text)


@pytest.mark.parametrize("text", [SEED, *SEED.splitlines(), *CASES], ids=lambda text: text[:30])
def test_cleaning_twice_equals_once(text: str) -> None:
    once = cleaned(restore(text))
    assert cleaned(restore(once)) == once


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(PARAGRAPHS), min_size=1, max_size=4))
@example(SEED.splitlines()[4:6])
def test_cleaning_any_paragraphs_twice_equals_once(paragraphs: list[str]) -> None:
    once = cleaned(restore("\n\n".join(paragraphs)))
    assert cleaned(restore(once)) == once
