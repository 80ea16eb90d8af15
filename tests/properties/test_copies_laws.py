"""Laws of copies across a collection."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.canon import Canon
from unspin.copies import changes, dedupe, without
from unspin.fingerprint import grams, read
from unspin.model import CopyGroup, DuplicateKind, Keep, Level, Place

WORDS = st.sampled_from(
    "the a of red Paris 12 runs slowly over green hills and not two rivers north Smith in which old boats lie".split()
)
TEXTS = st.lists(WORDS, min_size=0, max_size=40).map(" ".join)


@st.composite
def collections(draw: st.DrawFn) -> list[str]:
    """Few texts, repeated with and without small changes."""
    sources = draw(st.lists(TEXTS, min_size=1, max_size=4))
    texts = []
    for source in draw(st.lists(st.sampled_from(sources), min_size=1, max_size=10)):
        words = source.split(" ")
        for place, word in draw(st.lists(st.tuples(st.integers(0, len(words) - 1), WORDS), max_size=3)):
            words[place] = word
        texts.append(draw(st.sampled_from((" ", "  ", "\n"))).join(words))
    return texts


def members(group: CopyGroup) -> set[Place]:
    return {group.kept, *(copy.place for copy in group.copies)}


@settings(deadline=None, max_examples=60)
@given(collections(), st.sampled_from((Keep.ORIGINAL, Keep.FIRST, Keep.LONGEST)), st.sampled_from(list(Level)))
def test_groups_are_disjoint_and_each_keeps_one(texts: list[str], keep: Keep, level: Level) -> None:
    groups = dedupe(texts, keep=keep, level=level)
    every = [place for group in groups for place in members(group)]
    assert len(every) == len(set(every)) == sum(1 + len(group.copies) for group in groups)
    assert all(texts[place.text][place.start : place.end].strip() for place in every)
    assert [g.kept.text for g in groups] == sorted(g.kept.text for g in groups)
    for group in groups:
        assert group.kept not in {copy.place for copy in group.copies}
        assert set(group.weakest) <= members(group) | {overlap.place for overlap in group.overlaps}
        assert all(one.kind is DuplicateKind.OVERLAP and one.place not in members(group) for one in group.overlaps)
        assert all(0.0 < copy.score <= 1.0 for copy in group.copies)
        assert 0.0 <= group.weakest_score <= 1.0


@settings(deadline=None, max_examples=60)
@given(collections())
def test_exact_copies_are_always_found(texts: list[str]) -> None:
    group_of = {place.text: n for n, group in enumerate(dedupe(texts)) for place in members(group)}
    first: dict[str, int] = {}
    for number, text in enumerate(texts):
        if bare := "".join(text.split()):
            other = first.setdefault(bare, number)
            assert other == number or group_of[other] == group_of[number]


@settings(deadline=None, max_examples=60)
@given(collections(), st.randoms(use_true_random=False), st.sampled_from((Keep.ORIGINAL, Keep.LONGEST)))
def test_the_order_of_texts_changes_no_group(texts: list[str], chance: object, keep: Keep) -> None:
    order = list(range(len(texts)))
    chance.shuffle(order)  # type: ignore[attr-defined]

    def said(of: list[str]) -> set[tuple[str, tuple[str, ...]]]:
        return {
            ("".join(of[g.kept.text].split()), tuple(sorted("".join(of[c.place.text].split()) for c in g.copies)))
            for g in dedupe(of, keep=keep)
        }

    assert said([texts[n] for n in order]) == said(texts)


@settings(deadline=None, max_examples=60)
@given(collections())
def test_every_copy_is_one_of_the_kept_text_alone(texts: list[str]) -> None:
    for group in dedupe(texts, keep=Keep.FIRST):
        for copy in group.copies:
            (alone,) = dedupe([texts[group.kept.text], texts[copy.place.text]], keep=Keep.FIRST)
            assert [(c.kind, c.score) for c in alone.copies] == [(copy.kind, copy.score)]


@settings(deadline=None, max_examples=60)
@given(collections())
def test_without_leaves_what_is_kept_and_changes_are_none_for_equals(texts: list[str]) -> None:
    text = "\n".join(texts)
    for group in dedupe([text], level=Level.PARAGRAPH, keep=Keep.FIRST):
        places = [copy.place for copy in group.copies]
        left = without(text, places)
        assert text[group.kept.start : group.kept.end] in left
        assert (len(left) < len(text)) == bool(group.copies)
        for copy in group.copies:
            found = changes(text[group.kept.start : group.kept.end], text[copy.place.start : copy.place.end])
            assert found == () or copy.kind is not DuplicateKind.EXACT


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(alphabet=st.characters(exclude_categories=()), max_size=60), max_size=6))
def test_any_text_is_accepted(texts: list[str]) -> None:
    for level in Level:
        for group in dedupe(texts, level=level):
            assert group.copies or group.overlaps


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXTS, max_size=5), st.lists(TEXTS, max_size=5))
def test_grams_of_a_text_do_not_depend_on_its_company(texts: list[str], others: list[str]) -> None:
    def hashes(of: list[str], text: int) -> list[int]:
        found = grams(read(of, Canon()))
        return list(map(int, found.hashes[found.texts == text]))

    for number in range(len(texts)):
        assert hashes([*others, *texts], len(others) + number) == hashes(texts, number)
