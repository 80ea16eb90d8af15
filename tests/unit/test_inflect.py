"""Proposed inflections: which forms, on what evidence, at what rates, and how good they are said to be."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin import inflect
from unspin.errors import UnspinError
from unspin.inflect import MIN_RATE, MIN_SEEN, PREFIX, Part, Tally, measured, propose
from unspin.lexicon import order
from unspin.model import Entry, Status
from unspin.text import phrase


def curated(spun: str, original: str, rate: float = 0.5) -> Entry:
    return Entry(spun, original, rate, 0, Status.AUTO, "curated: test")


def learned(spun: str, original: str, rate: float = 0.9, seen: int = 100) -> Entry:
    return Entry(spun, original, rate, seen, Status.AUTO, "learned")


def proposed(*entries: Entry) -> set[tuple[str, str]]:
    return {(p.entry.spun, p.entry.original) for p in propose(entries)}


@pytest.mark.parametrize(
    ("spun", "original", "expected"),
    [
        ("proceed", "continue", "proceeds continues, proceeded continued, proceeding continuing"),
        ("proceeded", "continued", "proceed continue, proceeds continues, proceeding continuing"),
        ("purchase", "buy", "purchases buys, purchased bought, purchasing buying"),
        ("automobile", "car", "automobiles cars"),
        ("youngsters", "children", "youngster child"),
        ("large", "big", "larger bigger, largest biggest"),
        ("quickly", "rapidly", ""),
        ("of", "for", ""),
    ],
)
def test_both_sides_take_the_same_forms(spun: str, original: str, expected: str) -> None:
    pairs = {tuple(pair.split()) for pair in expected.split(", ") if pair}
    assert proposed(curated(spun, original)) == pairs


def test_a_verb_phrase_is_inflected_at_its_first_word() -> None:
    found = proposed(curated("take part in", "participate in"))
    assert {("takes part in", "participates in"), ("taking part in", "participating in")} <= found
    assert ("take part ins", "participate ins") not in found


def test_a_noun_phrase_is_inflected_at_its_last_word() -> None:
    assert proposed(curated("movie theater", "picture house")) == {("movie theaters", "picture houses")}


@pytest.mark.parametrize(
    ("spun", "original"),
    [
        ("America", "United States"),  # a name
        ("a struggle", "a war"),  # "a wars"
        ("of fine", "of good"),
        ("data", "information"),  # no plural
        ("e-book", "book"),  # not plain words
        ("is conscious", "is aware"),  # "to be" agrees in person
    ],
)
def test_what_has_no_forms_is_left_alone(spun: str, original: str) -> None:
    assert not proposed(curated(spun, original))


def test_a_form_that_hardly_anyone_writes_is_not_proposed() -> None:
    found = proposed(curated("struggle", "war"))
    assert ("struggles", "wars") in found
    assert not any(original.startswith("warr") for _, original in found)


def test_one_learned_form_is_enough_for_plain_nouns_only() -> None:
    assert proposed(learned("automobile", "car")) == {("automobiles", "cars")}
    assert not proposed(learned("proceed", "continue"))
    assert not proposed(learned("movie theater", "cinema"))


def test_two_learned_forms_lead_to_the_others() -> None:
    found = proposed(learned("proceed", "continue"), learned("proceeds", "continues"))
    assert found == {("proceeded", "continued"), ("proceeding", "continuing")}


@pytest.mark.parametrize(
    "entry",
    [
        learned("automobile", "car", seen=MIN_SEEN - 1),
        learned("automobile", "car", rate=MIN_RATE / 2),
        replace(curated("automobile", "car"), status=Status.OFF),
        replace(curated("automobile", "car"), source=PREFIX + "autos <- cars"),  # a guess breeds no guesses
    ],
)
def test_weak_entries_are_no_source(entry: Entry) -> None:
    assert not proposed(entry)


@pytest.mark.parametrize("status", Status)
def test_what_the_lexicon_has_in_any_status_is_not_proposed(status: Status) -> None:
    there = replace(curated("automobiles", "cars", rate=0.01), status=status)
    assert not proposed(curated("automobile", "car"), there)


def test_a_head_that_is_replaced_already_keeps_its_alternates() -> None:
    assert ("automobiles", "cars") not in proposed(curated("automobile", "car"), curated("autos", "cars", rate=0.91))
    assert ("automobiles", "cars") in proposed(curated("automobile", "car"), curated("autos", "cars", rate=0.89))


def test_a_head_seen_often_without_the_swap_does_not_have_it() -> None:
    others = learned("autos", "cars", rate=0.5, seen=4)
    assert ("automobiles", "cars") in proposed(curated("automobile", "car"), others)
    assert ("automobiles", "cars") not in proposed(curated("automobile", "car"), replace(others, seen=400))


def test_a_form_that_often_stands_in_the_originals_is_no_head() -> None:
    entries = [curated("automobile", "car", rate=0.5)]
    assert propose(entries, originals=["Cars, cars, cars!"] * 9)
    assert not propose(entries, originals=["Cars pass."] * 10)


def test_rates_are_the_sources_scaled_to_what_is_left() -> None:
    (single,) = propose([curated("automobile", "car", rate=0.3)])
    assert single.entry.rate == 0.3
    room = curated("autos", "cars", rate=0.4)
    rates = {
        p.entry.spun: p.entry.rate
        for p in propose([curated("automobile", "car", rate=0.6), curated("vehicle", "car", rate=0.3), room])
    }
    assert rates.pop("auto", None) is not None  # the base of what makes the room
    assert rates == pytest.approx({"automobiles": 0.4, "vehicles": 0.2})


def test_a_proposal_says_where_it_comes_from() -> None:
    (proposal,) = propose([curated("automobile", "car")])
    assert proposal.entry == Entry("automobiles", "cars", 0.5, 0, Status.REVIEW, "inflected: automobile <- car")
    assert (proposal.part, proposal.tag, proposal.witnesses) == (Part.NOUN, "NNS", 1)


def statuses(*entries: Entry) -> dict[str, Status]:
    return {p.entry.spun: p.entry.status for p in propose(entries)}


def test_only_what_two_forms_attest_is_auto() -> None:
    assert statuses(learned("purchases", "buys"), learned("purchasing", "buying"))["purchase"] == Status.AUTO
    assert statuses(curated("purchases", "buys", rate=0.9))["purchase"] == Status.REVIEW
    assert statuses(learned("purchases", "buys", 0.4), learned("purchasing", "buying", 0.4)) == {
        "purchase": Status.REVIEW,
        "purchased": Status.REVIEW,
    }


def test_a_form_of_two_words_is_for_review() -> None:
    found = statuses(learned("founds", "establishes"), learned("founding", "establishing"))
    assert found["found"] == Status.REVIEW  # also "find"


POOL = [
    make(spun, original, rate)
    for make in (curated, learned)
    for spun, original in (
        *(("purchase", "buy"), ("purchases", "buys"), ("purchased", "bought"), ("acquire", "buy"), ("get", "buy")),
        *(("automobile", "car"), ("cars", "autos"), ("vehicle", "car"), ("vehicles", "cars"), ("auto", "car")),
        *(("buy", "purchase"), ("set", "put"), ("put", "set"), ("sets", "puts"), ("greater", "bigger")),
        *(("large", "big"), ("take part", "compete"), ("leaves", "departs"), ("leaves", "leafs")),
    )
    for rate in (0.3, 0.9)
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(POOL), unique_by=order))
def test_proposals_are_new_possible_and_in_order(entries: list[Entry]) -> None:
    found = [proposal.entry for proposal in propose(entries)]
    keys = [(phrase(entry.spun), phrase(entry.original)) for entry in found]
    assert not {(phrase(entry.spun), phrase(entry.original)) for entry in entries}.intersection(keys)
    assert len(set(keys)) == len(keys)
    assert all(spun != original for spun, original in keys)
    assert [order(entry) for entry in found] == sorted(order(entry) for entry in found)
    total: defaultdict[str, float] = defaultdict(float)
    for entry in (*entries, *found):
        total[entry.original] += entry.rate
    assert all(total[entry.original] <= 1.0 + 1e-9 for entry in found)


def test_the_measure_hides_a_head_and_counts_what_the_others_lead_to() -> None:
    entries = [
        *(learned("automobile", "car"), learned("automobiles", "cars")),  # lead to each other
        *(learned("firm", "company"), learned("corporations", "companies")),  # both lead astray
        learned("outcomes", "results", seen=MIN_SEEN - 1),  # not known well
    ]
    found = measured(entries)
    assert found == {(Part.NOUN, Status.REVIEW): Tally(proposed=4, right=2, found=1, hidden=2)}
    assert (found[Part.NOUN, Status.REVIEW].precision, found[Part.NOUN, Status.REVIEW].recall) == (0.5, 0.5)


def test_the_measure_counts_forms_that_are_no_heads_if_it_knows_the_originals() -> None:
    entries = [learned("automobile", "car")]
    assert measured(entries) == {}
    texts = ["Cars pass."] * MIN_SEEN
    assert measured(entries, originals=texts)[Part.NOUN, Status.REVIEW] == Tally(1, 0, 0, 0)


def test_without_lemminflect_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lemminflect", None)
    inflect._readings.cache_clear()
    with pytest.raises(UnspinError, match=r"pip install 'unspin\[lexicon\]'"):
        propose([curated("automobile", "car")])
