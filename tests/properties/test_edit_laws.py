"""Laws of edits, for every text and every set of edits that do not meet."""

import random

from hypothesis import given
from hypothesis import strategies as st

from unspin.edit import apply, carry_case, invert, mend_articles, removals
from unspin.model import DecidedBy, DuplicateGroup, DuplicateKind, Edit, Repeat
from unspin.text import segment

WORDS = st.sampled_from(
    ["a", "an", "A", "AN", "An", "war", "effort", "unit", "hour", "\u201cend\u201d", "\n", "FBI", "\U0001f600"]
)
TEXTS = st.lists(WORDS, max_size=20).map(" ".join) | st.text(max_size=40)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text and edits on it: replacements, deletions and insertions, touching ones among them."""
    text = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    edits: list[Edit] = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        before, after = text[start:end], draw(TEXTS)
        if before != after and not (edits and edits[-1].start == start):
            edits.append(Edit(start, end, before, after, None, 0.5, DecidedBy.DECODER))
    return text, edits


@given(edited())
def test_an_inverse_turns_the_text_back(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    assert apply(apply(text, edits), invert(edits)) == text


@given(edited(), st.randoms(use_true_random=False))
def test_the_order_of_edits_does_not_matter(case: tuple[str, list[Edit]], chance: random.Random) -> None:
    text, edits = case
    shuffled = chance.sample(edits, len(edits))
    assert apply(text, shuffled) == apply(text, edits)
    assert invert(shuffled) == invert(edits)


@given(edited())
def test_the_text_outside_edits_is_untouched(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    changed = apply(text, edits)
    position = shift = 0
    for edit in edits:
        assert changed[position + shift : edit.start + shift] == text[position : edit.start]
        assert changed.startswith(edit.after, edit.start + shift)
        position, shift = edit.end, shift + len(edit.after) - len(edit.before)
    assert changed[position + shift :] == text[position:]


@given(edited())
def test_mending_touches_articles_only_and_once(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    mended = mend_articles(segment(text), edits)
    apply(text, mended)
    theirs = {(edit.start, edit.end) for edit in edits}
    new = [edit for edit in mended if (edit.start, edit.end) not in theirs]
    assert all(edit.before.lower() in ("a", "an") and edit.after.lower() in ("a", "an") for edit in new)
    assert list(mended) == sorted(mended, key=lambda edit: edit.start)


@given(st.text(max_size=30), st.text(max_size=30), st.booleans())
def test_case_changes_case_only(before: str, after: str, start: bool) -> None:
    carried = carry_case(before, after, sentence_start=start)
    assert carried.upper() == after.upper()
    assert before.isupper() or not before.islower() or carried == after


@given(
    st.lists(st.sampled_from(["One.", "Two.", "Three."]), min_size=1),
    st.sampled_from(["\n", "\n\n", "\r\n"]),
    st.booleans(),
)
def test_removals_keep_the_firsts_and_the_layout(lines: list[str], between: str, final: bool) -> None:
    text = between.join(lines) + (between if final else "")
    first: dict[str, int] = {}
    repeats: list[Repeat] = []
    for p in segment(text).paragraphs:
        line = text[p.start : p.end]
        if first.setdefault(line, p.start) != p.start:
            repeats.append(Repeat(p.start, p.end, DuplicateKind.EXACT, 1.0))
    groups = [DuplicateGroup(0, 1, (repeat,)) for repeat in repeats]
    assert apply(text, removals(groups, text)) == between.join(first) + (between if final else "")
