"""Copies across a collection: what is found, what stays apart, and which copy is kept."""

from __future__ import annotations

import random
import time

import pytest

import unspin
from unspin.copies import EVERY_PAIR, changes, dedupe, without
from unspin.lexicon import Lexicon
from unspin.model import Copy, CopyGroup, DuplicateKind, Entry, Keep, Level, Place

ORIGINAL = (
    "The company said on Monday that its new factory in Ohio will start making batteries next year, because "
    "demand for electric cars has grown quickly and many customers now wait for months. However, the city "
    "council has not yet approved the plan, and several people who live nearby fear the noise."
)
SPUN = (
    "The corporate stated on Monday that its new manufacturing facility in Ohio will begin making batteries "
    "subsequent yr, as a result of demand for electrical vehicles has grown shortly and lots of prospects now "
    "wait for months. Nevertheless, the town council has not but authorised the plan, and a number of folks "
    "who stay close by concern the noise."
)
RESPUN = (
    "The agency mentioned on Monday that its new manufacturing unit in Ohio will begin making batteries "
    "subsequent 12 months, as a result of demand for electrical automobiles has grown shortly and plenty of "
    "clients now wait for months. Nonetheless, the town council has not but authorized the plan, and a number "
    "of individuals who reside close by concern the noise."
)
SWAPS = """corporate=company agency=company stated=said mentioned=said manufacturing_facility=factory
    manufacturing_unit=factory begin=start subsequent=next yr=year 12_months=year as_a_result_of=because
    electrical=electric vehicles=cars automobiles=cars shortly=quickly lots_of=many plenty_of=many
    prospects=customers clients=customers nevertheless=however nonetheless=however town=city but=yet
    authorised=approved authorized=approved a_number_of=several folks=people individuals=people stay=live
    reside=live close_by=nearby concern=fear"""
OTHER = (
    "Heavy rain flooded several streets in the old harbour of Bergen during the night, and the ferry to Stavanger "
    "left two hours late. Nobody was hurt, but a bakery that opened in 1921 lost its ovens to the water."
)
REPORT = (
    "{0} reported earnings of {1} cents a share for the quarter, compared with {2} cents a year earlier. Revenue rose "
    "{3} percent to ${4} million, and shares of {0} closed at ${5} on the exchange after the report came out."
)
LEXICON = Lexicon(
    Entry(spun.replace("_", " "), original, 0.5) for spun, original in (swap.split("=") for swap in SWAPS.split())
)


def shape(groups: tuple[CopyGroup, ...]) -> list[tuple[int, list[tuple[int, str]]]]:
    return [(g.kept.text, [(c.place.text, c.kind.value) for c in g.copies]) for g in groups]


@pytest.mark.parametrize(
    ("copy", "kind"),
    [
        (f"  {ORIGINAL}\n", DuplicateKind.EXACT),
        (ORIGINAL.replace(" on ", "\u200b  on\n"), DuplicateKind.EXACT),
        (ORIGINAL.upper().replace(",", ""), DuplicateKind.NORMALISED),
        (ORIGINAL.replace("Monday", "Monday morning"), DuplicateKind.NEAR),
        (SPUN, DuplicateKind.RESPUN),
        (RESPUN, DuplicateKind.RESPUN),
        (ORIGINAL.split(" However")[0], DuplicateKind.CONTAINED),
    ],
)
def test_kinds(copy: str, kind: DuplicateKind) -> None:
    (group,) = dedupe([OTHER, ORIGINAL, copy], keep=Keep.FIRST, lexicon=LEXICON)
    assert group.kept.text == 1
    assert [(c.place, c.kind) for c in group.copies] == [(Place(2, 0, len(copy)), kind)]
    assert group.weakest_score <= group.copies[0].score == pytest.approx(1.0, abs=0.5)


def test_two_spun_copies_are_found_without_their_original() -> None:
    assert shape(dedupe([SPUN, OTHER, RESPUN], lexicon=LEXICON)) == [(2, [(0, "respun")])]


def test_a_spun_excerpt_is_contained_wherever_it_stood() -> None:
    long = f"{OTHER} {ORIGINAL} {OTHER.replace('Bergen', 'Oslo').replace('1921', '1888')}"
    (group,) = dedupe([SPUN, long], lexicon=LEXICON)
    assert shape((group,)) == [(1, [(0, "contained")])]
    assert "stands in the longer text" in group.copies[0].rule


@pytest.mark.parametrize("keep", list(Keep))
def test_no_policy_removes_the_longer_text_for_its_excerpt(keep: Keep) -> None:
    excerpt = ORIGINAL.split(" However")[0]
    (group,) = dedupe([excerpt, ORIGINAL], keep=keep, dates=[2.0, 1.0], lexicon=LEXICON)
    assert group.kept.text == 1


NEW = (
    "Meanwhile a retired teacher from Toledo has collected four hundred signatures against parking fees at the lake, "
    "where anglers and swimmers quarrel every summer about boats."
)


@pytest.mark.parametrize("keep", list(Keep))
def test_what_is_half_new_overlaps_and_stays(keep: Keep) -> None:
    spun = SPUN.split(" Nevertheless, ")[0]
    (group,) = dedupe([ORIGINAL, f"{spun} {NEW}"], keep=keep, dates=[1.0, 2.0], lexicon=LEXICON)
    assert group.copies == ()
    (overlap,) = group.overlaps
    assert overlap.kind is DuplicateKind.OVERLAP
    assert {group.kept.text, overlap.place.text} == {0, 1}
    assert 0.2 < overlap.score < 0.9
    assert overlap.rule.endswith("the rest is new")


@pytest.mark.parametrize("keep", list(Keep))
def test_a_text_with_a_new_sentence_stays_and_what_it_says_in_full_goes(keep: Keep) -> None:
    (group,) = dedupe([ORIGINAL, f"{SPUN} {NEW}"], keep=keep, dates=[2.0, 1.0], lexicon=LEXICON)
    assert group.kept.text == 1
    assert [copy.place.text for copy in group.copies] == [0]


def test_a_copy_may_add_a_few_words() -> None:
    (group,) = dedupe([ORIGINAL, f"{SPUN} So much for today."], keep=Keep.FIRST, lexicon=LEXICON)
    assert group.kept.text == 0 and not group.overlaps


def test_an_overlap_is_never_among_copies() -> None:
    place = Place(0, 0, 1)
    with pytest.raises(ValueError, match="no copy"):
        CopyGroup(place, (Copy(place, DuplicateKind.OVERLAP, 0.5, ""),), (place, place), 0.5)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("will start", "will not start"),
        ("has not yet approved", "has now approved"),
        ("demand for electric cars has grown", "demand for electric cars hasn't grown"),
        ("several people", "nobody among people"),
    ],
)
@pytest.mark.parametrize("base", [ORIGINAL, SPUN])
def test_a_negation_on_one_side_only_makes_no_copy(before: str, after: str, base: str) -> None:
    assert dedupe([base, ORIGINAL.replace(before, after)], lexicon=LEXICON) == ()


def test_negations_that_swaps_explain_are_none() -> None:
    text = ORIGINAL.replace("will start", "will remember to start")
    lexicon = Lexicon([*LEXICON.active, Entry("do not forget to", "remember to", 0.5)])
    assert dedupe([text, SPUN.replace("will begin", "will do not forget to begin")], lexicon=lexicon)


def test_sentences_may_stand_in_another_order() -> None:
    first, second = ORIGINAL.split(" However, ")
    assert shape(dedupe([ORIGINAL, f"The {second} {first}"], lexicon=LEXICON)) == [(0, [(1, "respun")])]


def test_a_template_with_other_facts_is_no_copy() -> None:
    chance = random.Random(1)
    names = ["Acmeron", "Borvik", "Celdar", "Dunmor", "Elvaro", "Forsten"]
    texts = [REPORT.format(name, *(chance.randrange(11, 99) for _ in range(5))) for name in names]
    assert dedupe(texts, lexicon=LEXICON) == ()


def test_another_number_is_another_fact_but_digits_are_not() -> None:
    text = ORIGINAL.replace("wait for months", "wait for three months")
    assert dedupe([text, text.replace("three", "four")], lexicon=LEXICON) == ()
    assert shape(dedupe([text, text.replace("three", "3")], lexicon=LEXICON)) == [(0, [(1, "normalised")])]


@pytest.mark.parametrize("keep", list(Keep))
def test_no_text_goes_that_states_a_number_of_its_own(keep: Keep) -> None:
    text = ORIGINAL.replace("for months", "for 9 months")
    (group,) = dedupe([ORIGINAL, text], keep=keep, dates=[1.0, 2.0], lexicon=LEXICON)
    assert group.kept.text == 1
    assert [copy.place.text for copy in group.copies] == [0]


def test_ordinals_are_numbers_however_the_lexicon_writes_them() -> None:
    lexicon = Lexicon([*LEXICON.active, Entry("5th", "fifth", 0.5), Entry("9th", "ninth", 0.5)])
    first, second = (ORIGINAL.replace("Monday", f"the {day} of May") for day in ("fifth", "ninth"))
    assert dedupe([first, second], lexicon=lexicon) == ()


def test_a_sentence_that_is_new_keeps_a_text_however_it_was_spun() -> None:
    sentences = SPUN.split(". ")
    text = ". ".join([sentences[0], NEW.removesuffix("."), *sentences[1:]])
    (group,) = dedupe([ORIGINAL, text], keep=Keep.FIRST, lexicon=LEXICON)
    assert [(group.kept.text, copy.place.text) for copy in group.copies] == [(1, 0)]


@pytest.mark.parametrize("around", ["{new} {part}", "{part} {new}"])
def test_half_a_copy_beside_other_words_overlaps(around: str) -> None:
    part = SPUN.split(" Nevertheless, ")[0]
    (group,) = dedupe([ORIGINAL, around.format(part=part, new=f"{NEW} {OTHER}")], lexicon=LEXICON)
    assert not group.copies and len(group.overlaps) == 1


def test_a_long_equal_quotation_makes_an_overlap_and_no_copy() -> None:
    quote = "we have always believed that a river belongs to everybody who lives beside it and to nobody who does not"
    first = f"In the morning the mayor opened the bridge with a short speech and many flags, and said {quote}."
    second = f"Farmers upstream, whose wells have run dry since the dam, answered angrily when they heard it: {quote}."
    (group,) = dedupe([first, second], lexicon=LEXICON)
    assert not group.copies and len(group.overlaps) == 1


def test_what_an_unknown_spinner_swapped_is_found_without_a_lexicon() -> None:
    words = ORIGINAL.split(" ")
    for place in (1, 8, 13, 22, 27, 40):
        words[place] = "zzword" + str("abcdef"[place % 6])
    assert shape(dedupe([ORIGINAL, " ".join(words), OTHER], keep=Keep.FIRST)) == [(0, [(1, "respun")])]


@pytest.mark.parametrize(("keep", "kept"), [(Keep.ORIGINAL, 2), (Keep.FIRST, 0), (Keep.LONGEST, 1), (Keep.NEWEST, 3)])
def test_policies(keep: Keep, kept: int) -> None:
    texts = [RESPUN, f"{SPUN} And so on and so forth.", ORIGINAL, SPUN]
    (group,) = dedupe(texts, keep=keep, dates=[2.0, 1.0, 3.0, 4.0], lexicon=LEXICON)
    assert group.kept.text == kept
    assert {copy.place.text for copy in group.copies} == {0, 1, 2, 3} - {kept}


def test_equally_original_copies_are_told_apart_by_date_then_length() -> None:
    longer = ORIGINAL.replace("Monday", "Monday morning")
    assert dedupe([longer, ORIGINAL], dates=[2.0, 1.0], lexicon=LEXICON)[0].kept.text == 1
    assert dedupe([ORIGINAL, longer], lexicon=LEXICON)[0].kept.text == 1


def test_dates_are_checked() -> None:
    with pytest.raises(ValueError, match="newest needs dates"):
        dedupe([ORIGINAL], keep=Keep.NEWEST)
    with pytest.raises(ValueError, match="1 dates for 2 texts"):
        dedupe([ORIGINAL, SPUN], dates=[1.0])


def test_paragraphs_and_sentences_have_spans() -> None:
    texts = [f"{OTHER}\r\n\n  {ORIGINAL} \n", f"Short.\n{SPUN}"]
    (group,) = dedupe(texts, level=Level.PARAGRAPH, lexicon=LEXICON)
    places = [group.kept, group.copies[0].place]
    assert [texts[p.text][p.start : p.end] for p in places] == [ORIGINAL, SPUN]
    groups = dedupe(texts, level=Level.SENTENCE, lexicon=LEXICON)
    quoted = [[texts[p.text][p.start : p.end] for p in (g.kept, g.copies[0].place)] for g in groups]
    assert [[one.split()[0] for one in two] for two in quoted] == [["The", "The"], ["However,", "Nevertheless,"]]


def test_no_chain_joins_unlike_texts() -> None:
    """Each text swaps another sixth of the words: neighbours are alike, the ends are not."""
    chance = random.Random(3)
    words = " ".join([ORIGINAL, OTHER]).lower().replace("1921", "long ago").split()
    chain, order = [], list(range(len(words)))
    chance.shuffle(order)
    for step in range(7):
        words = list(words)
        for place in order[step * 14 : (step + 1) * 14]:
            words[place] = f"w{chr(97 + step)}{chr(97 + place % 26)}x"
        chain.append(" ".join(words))
    groups = dedupe(chain, keep=Keep.FIRST)
    assert len(groups) > 1
    for group in groups:
        for copy in group.copies:
            assert dedupe([chain[group.kept.text], chain[copy.place.text]], keep=Keep.FIRST)


def test_the_weakest_pair_is_the_least_similar_of_all() -> None:
    (group,) = dedupe([ORIGINAL, SPUN, RESPUN, ORIGINAL.replace("Monday", "Monday morning")], lexicon=LEXICON)
    assert group.weakest_score < 0.7
    assert 3 in {place.text for place in group.weakest} or 0 in {place.text for place in group.weakest}
    many = [f"{ORIGINAL} {word}" for word in "abcdefghijklmnopqrstuvwxyz" + "äöüßéèêáàâíìîóòôú"]
    assert len(many) > EVERY_PAIR
    assert dedupe(many, lexicon=LEXICON)[0].weakest_score > 0.9


def test_changes_and_without() -> None:
    assert changes("The war is over.", "Now the battle is over.") == (("", "Now"), ("war", "battle"))
    assert changes(ORIGINAL, ORIGINAL) == ()
    long = "word " * 20_001
    assert changes(long, long + "more") == ((long, long + "more"),)
    text = f"One.\n\n{OTHER}\n\nTwo.\n"
    assert without(text, [Place(0, 6, 6 + len(OTHER))]) == "One.\n\nTwo.\n"
    assert without(text, []) == text
    assert without("Here.  There. Where.\n", [Place(0, 7, 13)]) == "Here.  Where.\n"
    assert without("Here. There. \nWhere.", [Place(0, 6, 12), Place(0, 0, 5)]) == "Where."


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["", " \n", "\u200b"],
        ["one"],
        ["\0\x01\x02", "\0\x01\x03"],
        ["of the and to in " * 40, "to of in and the " * 40],
        ["\ud800 stray", "…", "!!!"],
    ],
)
def test_bad_input_without_copies(texts: list[str]) -> None:
    assert dedupe(texts) == ()


def test_one_word_and_binary_copies_are_found() -> None:
    texts = ["one", "\0\x01\x02", "", "one ", "\0\x01\x02", "One!", "!!!", "!!!"]
    assert shape(dedupe(texts, keep=Keep.FIRST)) == [
        (0, [(3, "exact"), (5, "normalised")]),
        (1, [(4, "exact")]),
        (6, [(7, "exact")]),
    ]
    assert dedupe(texts, keep=Keep.FIRST, min_words=2) == ()


def test_very_many_identical_and_very_many_similar_texts_take_bounded_time() -> None:
    start = time.process_time()
    (group,) = dedupe(["The same short text."] * 50_000)
    assert len(group.copies) == 49_999
    similar = [f"{ORIGINAL} Number {n}." for n in range(2_000)]  # every gram is common
    assert dedupe(similar, lexicon=LEXICON) == ()
    function_words = [f"of the and to in that it is {'a ' * (n % 50)}was for {'the ' * (n % 61)}" for n in range(2_000)]
    dedupe(function_words)
    assert time.process_time() - start < 30


def test_very_many_copies_of_one_text_are_one_group() -> None:
    copies = [f"{ORIGINAL} {first}{second}" for first in "abcdefghij" for second in "uvwxyzäöü"]
    (group,) = dedupe(copies, lexicon=LEXICON)
    assert len(group.copies) == len(copies) - 1


def test_one_very_long_text_takes_bounded_time() -> None:
    chance = random.Random(2)
    words = [f"{a}{b}" for a in "abcdefghijk" for b in "lmnopqrstuv"]
    long = " ".join(chance.choices(words, k=300_000))
    start = time.process_time()
    assert shape(dedupe([long, f"{long} end", ORIGINAL], lexicon=LEXICON))[0][0] == 1
    assert time.process_time() - start < 30


def test_progress_is_told() -> None:
    told: list[str] = []
    dedupe([ORIGINAL, SPUN], lexicon=LEXICON, progress=lambda stage, done, total: told.append(stage))
    assert set(told) == {"reading", "matching", "verifying"}


def test_the_door_has_it() -> None:
    assert unspin.dedupe is dedupe
