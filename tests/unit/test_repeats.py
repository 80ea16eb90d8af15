"""What counts as a repeat, and what is kept on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from unspin.lexicon import Lexicon
from unspin.model import DuplicateKind, Entry
from unspin.repeats import find_repeats
from unspin.text import segment

SEED = Path(__file__).parents[2] / "seeds" / "seed.txt"

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


LEXICON = Lexicon(
    Entry(spun.replace("_", " "), original, 0.5) for spun, original in (swap.split("=") for swap in SWAPS.split())
)


def kinds(*paragraphs: str, lexicon: Lexicon | None = None) -> list[DuplicateKind]:
    groups = find_repeats(segment("\n".join(paragraphs)), lexicon=lexicon)
    return [repeat.kind for group in groups for repeat in group.repeats]


def test_the_seed_repeats_its_first_two_paragraphs_and_nothing_else() -> None:
    document = segment(SEED.read_text(encoding="utf-8"))
    spans = [(p.start, p.end) for p in document.paragraphs]
    groups = find_repeats(document)
    found = [((g.start, g.end), [(r.start, r.end, r.kind, r.score) for r in g.repeats]) for g in groups]
    assert found == [
        (spans[0], [(*spans[2], DuplicateKind.EXACT, 1.0)]),
        (spans[1], [(*spans[3], DuplicateKind.EXACT, 1.0)]),
    ]


@pytest.mark.parametrize("text", ["", "   ", "One line.", f"{ORIGINAL}\n{SPUN[:60]}"])
def test_nothing_repeats(text: str) -> None:
    assert find_repeats(segment(text)) == ()


def test_white_space_and_invisible_characters_do_not_count() -> None:
    other = ORIGINAL.replace("factory in", "fac\u00adtory \u200b\u00a0 in")
    assert kinds(ORIGINAL, f"  {other} ") == [DuplicateKind.EXACT]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("wait", "wiat"),
        ("now wait", "wait"),
        ("next year,", "next year"),
        ("The company", "the COMPANY"),
        ("several people", "several of the people"),
        ("quickly", "fast"),
        ("Ohio will", "will"),  # says less
    ],
)
def test_small_edits_are_near(old: str, new: str) -> None:
    assert old in ORIGINAL
    assert kinds(ORIGINAL, ORIGINAL.replace(old, new)) == [DuplicateKind.NEAR]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Ohio", "Iowa"),
        ("Monday", "Tuesday"),
        ("The company", "Ford"),
        ("several people", "12 people"),
        ("several people", "twelve people"),
        ("next year", "next year at a cost of 5 billion"),
        ("has not yet", "has"),
        ("start making", "not start making"),
        ("will start", "won't start"),
        ("who live nearby", "who live nearby and own houses there too"),
        ("nearby fear", "above it fear"),
        ("next year", "early next year after more talks"),
        ("The company said", "The company and Jones-Smith said"),
    ],
)
@pytest.mark.parametrize("lexicon", [None, LEXICON], ids=["plain", "lexicon"])
def test_a_template_with_other_facts_is_no_copy(old: str, new: str, lexicon: Lexicon | None) -> None:
    assert old in ORIGINAL
    assert kinds(ORIGINAL, ORIGINAL.replace(old, new), lexicon=lexicon) == []


def test_a_word_replaced_throughout_is_a_template() -> None:
    one = (
        "For each kind of cheese, write down the price in the shop and the price at the market, then work out how "
        "much you would pay over a whole month and say whether the walk is worth it for you, since the market is far "
        "away and the cheese there is sold by the pound, so that you often buy too much of it."
    )
    assert kinds(one, one.replace("of cheese", "of bread")) == [DuplicateKind.NEAR]
    assert kinds(one, one.replace("cheese", "bread")) == []
    many = " ".join(f"word{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10]}" if n % 8 else "cheese" for n in range(100))
    assert kinds(many, many.replace("cheese", "bread")) == []


WEATHER = (
    "{} will be sunny and dry on {}, with a high of {} degrees in the afternoon and a light wind from the north, "
    "while the night stays clear and the low falls to {} degrees."
)


def test_weather_reports_are_all_kept() -> None:
    rows = [
        ("Paris", "Monday", 21, 11),
        ("Rome", "Monday", 21, 11),
        ("Paris", "Friday", 21, 11),
        ("Paris", "Monday", 2, 1),
    ]
    assert kinds(*(WEATHER.format(*row) for row in rows), lexicon=LEXICON) == []


@pytest.mark.parametrize("first", [ORIGINAL, SPUN])
@pytest.mark.parametrize("second", [SPUN, RESPUN, ORIGINAL])
def test_the_same_original_spun_differently_is_respun(first: str, second: str) -> None:
    expected = DuplicateKind.EXACT if first == second else DuplicateKind.RESPUN
    assert kinds(first, second, lexicon=LEXICON) == [expected]


def test_a_respun_score_counts_explained_words() -> None:
    (group,) = find_repeats(segment(f"{ORIGINAL}\n{SPUN}"), lexicon=LEXICON)
    assert group.repeats[0].score == 1.0


def test_facts_hold_among_explained_swaps() -> None:
    assert kinds(ORIGINAL, SPUN.replace("Ohio", "Iowa"), lexicon=LEXICON) == []
    assert kinds(ORIGINAL, SPUN.replace("has not but", "has"), lexicon=LEXICON) == []


def test_without_a_lexicon_evenly_spread_changes_are_respun() -> None:
    one = (
        "we started the project with a small group of people who wanted to help their neighbours, and over time "
        "it grew into a large network that offers food, clothes and advice to anyone who asks for them."
    )
    two = (
        "we began the venture with a tiny group of folks who wished to assist their neighbours, and over years "
        "it grew into a massive network that provides food, garments and recommendation to anybody who asks for them."
    )
    assert kinds(one, two) == [DuplicateKind.RESPUN]


def test_without_a_lexicon_a_changed_tail_is_no_copy() -> None:
    assert kinds(ORIGINAL, ORIGINAL[:180] + SPUN[190:]) == []


def test_a_swap_may_keep_a_word_of_what_it_replaced() -> None:
    one = ORIGINAL.replace("fear the noise", "ask for a week of rest")
    two = SPUN.replace("concern the noise", "ask for a 7 day week of rest")
    assert kinds(one, two, lexicon=LEXICON) == []
    assert kinds(one, two, lexicon=Lexicon([*LEXICON.active, Entry("7 day week", "week", 0.5)])) == [
        DuplicateKind.RESPUN
    ]


@pytest.mark.parametrize(
    "kept",
    [
        "A Heading Without a Full Stop",
        "Row, row, row your boat, gently down the stream.",
        f"- {ORIGINAL}",
        f"• {ORIGINAL}",
        f"12. {ORIGINAL}",
        f"(b) {ORIGINAL}",
        f"Step 3. {ORIGINAL}",
        f"> {ORIGINAL}",
        f"— {ORIGINAL}",
        f"“{ORIGINAL}”",
        f'"{ORIGINAL}" he said.',
        f"“{ORIGINAL}",
        f"| {ORIGINAL} | 3 |",
        ORIGINAL.replace(" on ", "\t").replace(" in ", "\t"),
        f"if (x) {{ {ORIGINAL} }}",
        ORIGINAL.replace(" the ", " $x == _y[] "),
    ],
)
def test_kept_on_purpose(kept: str) -> None:
    assert kinds(kept, kept, kept) == []


def test_a_paragraph_that_only_contains_a_quotation_is_removed() -> None:
    text = f"He said “no” twice. {ORIGINAL}"
    assert kinds(text, text) == [DuplicateKind.EXACT]


def test_no_chaining() -> None:
    near = ORIGINAL.replace("quickly", "fast").replace("batteries", "cells")
    further = near.replace("people", "folk").replace("noise", "dust")
    assert kinds(ORIGINAL, near) == [DuplicateKind.NEAR]
    assert kinds(near, further) == [DuplicateKind.NEAR]
    assert kinds(ORIGINAL, near, further) == [DuplicateKind.NEAR]


def test_groups_are_in_reading_order_and_copies_of_a_repeat_join_its_group() -> None:
    near = ORIGINAL.replace("quickly", "fast")
    other = WEATHER.format("Paris", "Monday", 21, 11)
    document = segment(f"{ORIGINAL}\n{other}\n{other}\n{near}\n{near}\n{ORIGINAL}")
    spans = [(p.start, p.end) for p in document.paragraphs]
    first, second = find_repeats(document)
    assert (first.start, first.end) == spans[0]
    assert [(r.start, r.end) for r in first.repeats] == [spans[3], spans[4], spans[5]]
    assert [r.kind for r in first.repeats] == [DuplicateKind.NEAR, DuplicateKind.NEAR, DuplicateKind.EXACT]
    assert (second.start, second.end) == spans[1]


def test_common_word_pairs_do_not_hide_a_copy() -> None:
    """Two hundred fillings of a template make its word pairs common; the rare pairs still find the copies."""
    reports = [WEATHER.format(f"Town{n}", "Monday", n, n + 7) for n in range(200)]
    near = ORIGINAL.replace("quickly", "fast")
    assert kinds(*reports, ORIGINAL, *reports[:3], near) == [*[DuplicateKind.EXACT] * 3, DuplicateKind.NEAR]


def test_a_huge_paragraph_is_compared_exactly_only() -> None:
    huge = " ".join(f"word{n}" for n in range(20_001))
    assert kinds(huge, huge, huge + " more") == [DuplicateKind.EXACT]
