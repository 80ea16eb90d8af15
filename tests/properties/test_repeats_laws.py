"""Laws of repeated-paragraph detection."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.model import Document, DuplicateKind
from unspin.repeats import MIN_WORDS, find_repeats
from unspin.text import segment

WORDS = st.sampled_from("the a of red Paris 12 runs slowly over green hills and not two rivers north Smith".split(" "))
PARAGRAPHS = st.lists(WORDS, min_size=MIN_WORDS - 5, max_size=MIN_WORDS + 15).map(" ".join)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Few paragraphs, repeated with and without small changes."""
    sources = draw(st.lists(PARAGRAPHS, min_size=1, max_size=4))
    lines = []
    for source in draw(st.lists(st.sampled_from(sources), min_size=1, max_size=12)):
        words = source.split(" ")
        for place, word in draw(st.lists(st.tuples(st.integers(0, len(words) - 1), WORDS), max_size=2)):
            words[place] = word
        lines.append(" ".join(words))
    return segment("\n".join(lines))


def pieces(document: Document) -> dict[tuple[int, int], str]:
    return {(p.start, p.end): document.text[p.start : p.end] for p in document.paragraphs}


@settings(deadline=None)
@given(documents())
def test_groups_are_disjoint_in_order_and_keep_the_first(document: Document) -> None:
    groups = find_repeats(document)
    spans = pieces(document)
    kept = [(group.start, group.end) for group in groups]
    gone = [(repeat.start, repeat.end) for group in groups for repeat in group.repeats]
    assert kept == sorted(kept)
    assert len({*kept, *gone}) == len(kept) + len(gone)
    assert {*kept, *gone} <= spans.keys()
    for group in groups:
        starts = [group.start, *(repeat.start for repeat in group.repeats)]
        assert starts == sorted(starts)


@settings(deadline=None)
@given(documents())
def test_every_repeat_also_repeats_the_kept_paragraph_alone(document: Document) -> None:
    spans = pieces(document)
    for group in find_repeats(document):
        for repeat in group.repeats:
            first, second = spans[group.start, group.end], spans[repeat.start, repeat.end]
            (alone,) = find_repeats(segment(f"{first}\n{second}"))
            assert [(r.kind, r.score) for r in alone.repeats] == [(repeat.kind, repeat.score)]


@settings(deadline=None)
@given(documents())
def test_what_is_left_has_no_repeats(document: Document) -> None:
    gone = {(repeat.start, repeat.end) for group in find_repeats(document) for repeat in group.repeats}
    left = "\n".join(text for span, text in pieces(document).items() if span not in gone)
    assert find_repeats(segment(left)) == ()


@settings(deadline=None)
@given(documents())
def test_exact_means_the_same_characters(document: Document) -> None:
    spans = pieces(document)
    for group in find_repeats(document):
        for repeat in group.repeats:
            same = spans[group.start, group.end] == spans[repeat.start, repeat.end]
            assert same == (repeat.kind is DuplicateKind.EXACT)
            assert 0.0 < repeat.score <= 1.0


@settings(deadline=None)
@given(documents(), st.integers(2, 3))
def test_a_document_said_again_loses_the_second_saying(document: Document, times: int) -> None:
    once = {(g.start, g.end) for g in find_repeats(document)}
    again = find_repeats(segment("\n".join([document.text] * times)))
    assert all(group.end <= len(document.text) for group in again)
    assert once <= {(group.start, group.end) for group in again}


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=300))
def test_any_text_is_accepted_and_kept_if_short(text: str) -> None:
    document = segment(text)
    groups = find_repeats(document)
    assert all(document.text[g.start : g.end].strip() for g in groups)
    if len(document.tokens) < 2 * MIN_WORDS:
        assert groups == ()
