"""Laws of debris, for every text and every set of edits that do not meet."""

from hypothesis import assume, given
from hypothesis import strategies as st

from unspin.debris import mend
from unspin.edit import apply, invert
from unspin.model import DecidedBy, Edit
from unspin.text import segment

WORDS = st.sampled_from(
    "three.5 two,000 five a\u00a0couple of.5 gained't will may't 'll't up up out video video video {hi|hello} {a|{b|c "
    "that \u201cend\u201d of Up \n , . \U0001f600 3 { } |".split(" ")
)
TEXTS = st.lists(WORDS, max_size=24).map(" ".join) | st.text(max_size=30)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text and edits on it, each within one paragraph: replacements, deletions and insertions, touching ones too."""
    text = draw(TEXTS)
    edits: list[Edit] = []
    for paragraph in segment(text).paragraphs:
        cuts = sorted(draw(st.lists(st.integers(paragraph.start, paragraph.end - 1), max_size=8)))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False):
            before, after = text[start:end], draw(WORDS)
            if before != after and not (edits and edits[-1].start == start):
                edits.append(Edit(start, end, before, after, None, 0.5, DecidedBy.DECODER))
    return text, edits


@given(edited(), st.booleans())
def test_mended_edits_apply_and_invert(case: tuple[str, list[Edit]], is_spun: bool) -> None:
    text, edits = case
    made, _ = mend(segment(text), edits, is_spun=is_spun)
    assert list(made) == sorted(made, key=lambda edit: edit.start)
    assert apply(apply(text, made), invert(made)) == text


@given(edited())
def test_what_is_held_quotes_the_text_and_meets_no_edit(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    made, held = mend(segment(text), edits, is_spun=True)
    for candidate in (waiting.candidate for waiting in held):
        assert text[candidate.start : candidate.end] == candidate.before
        assert all(edit.end <= candidate.start or candidate.end <= edit.start for edit in made)
        assert abs(sum(option.posterior for option in candidate.options) - 1.0) < 1e-9


@given(edited())
def test_without_spin_evidence_no_edit_is_added(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    made, _ = mend(segment(text), edits, is_spun=False)
    assert set(made) <= set(edits)


@given(TEXTS)
def test_mending_twice_equals_once(text: str) -> None:
    once = apply(text, mend(segment(text), (), is_spun=True)[0])
    assert apply(once, mend(segment(once), (), is_spun=True)[0]) == once


@given(edited())
def test_mending_reads_the_restored_text(case: tuple[str, list[Edit]]) -> None:
    """Debris in what the edits make is mended as if the text had been written so, doubled words apart."""
    text, edits = case
    assume(all(edit.after.count("'") < 2 for edit in edits))  # no entry's original is "'ll't"
    made, held = mend(segment(text), edits, is_spun=True)
    if not held and not any("{" in word for word in (text, *(edit.after for edit in edits))):
        again, _ = mend(segment(text), made, is_spun=True)
        assert apply(text, again) == apply(text, made)
