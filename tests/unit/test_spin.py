"""The spinner: what it swaps, what it spares, and that every swap is known."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.edit import apply, invert
from unspin.errors import FormatError
from unspin.gold import gold_tokens, parse_markup
from unspin.lexicon import Lexicon
from unspin.model import DecidedBy, Edit, Entry, Status
from unspin.spin import Spun, markup, spin
from unspin.text import normalise

SURE = Lexicon(
    Entry(spun, original, 1.0)
    for spun, original in [
        ("struggle", "war"),
        ("actual property", "real estate"),
        ("actual", "real"),
        ("is", "was"),
        ("be sure that", "make sure that"),
        ("that's", "that is"),
        ("individuals", "Americans"),
        ("to america", "to the United States"),
        ("america", "the United States"),
        ("the us", "the U.S."),
        ("usa", "United States"),
        ("fb", "Facebook"),
        ("shopper", "user"),
        ("focused", "centered"),
        ("do not", "don't"),
        ("extraordinary", "unprecedented"),
        ("coronary heart", "heart"),
        ("pc", "percent"),
        ("percent", "%"),
    ]
)
DRAWN = Lexicon(
    Entry(spun, original, rate)
    for spun, original, rate in [
        ("struggle", "war", 0.4),
        ("battle", "war", 0.4),
        ("war", "conflict", 0.5),
        ("peace talks", "talks", 0.6),
        ("discussions", "peace talks", 0.7),
        ("speak", "talks", 0.2),
        ("Us", "U.S.", 0.9),
        ("can not", "can't", 0.5),
    ]
)

SPINNER = DecidedBy.SPINNER

words = st.sampled_from(
    "war War WAR conflict Conflict peace talks U.S. can't can\u2019t the [ ]] | . , \u201c -\n".split(" ")
)
texts = st.lists(st.tuples(words, st.sampled_from(["", " ", "  ", "\u00a0", "\n"]))).map(
    lambda pieces: "".join(word + gap for word, gap in pieces)
) | st.text(max_size=40)
seeds = st.integers(-5, 10_000)
rates = st.floats(0.0, 1.0)


def spun(text: str) -> str:
    return spin(text, SURE).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The war was over.", "The struggle is over."),
        ("War is war.", "Struggle is struggle."),
        ("Real estate is real.", "Actual property is actual."),  # long heads first
        ("Make sure that is so.", "Be sure that is so."),  # "that is" is taken: a swap is not spun again
        ("real  estate", "actual property"),
        ("user-centered, 5%", "shopper-focused, 5percent"),
        ("the heart's war", "the coronary heart's struggle"),
        ("an unprecedented war", "an extraordinary struggle"),
        ("a unprecedented war", "a extraordinary struggle"),  # debris stays
        ("Americans came to the United States", "Individuals came to America"),
        ("In the United States", "In america"),
        ("The U.S. and the U.S.", "The us and the us"),
        ("A United States ship.", "A USA ship."),
        ("On Facebook", "On Fb"),
    ],
)
def test_heads_are_swapped(text: str, expected: str) -> None:
    assert spun(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "WAR",
        "don\u2019t",
        "warfare, postwar",
        "americans",
        "https://war.example/war war@war.org @war #war",
    ],
)
def test_some_things_are_spared(text: str) -> None:
    assert spin(text, SURE) == Spun(text, ())


def test_titles_are_spun_word_by_word() -> None:
    assert spun("Real Estate") == "Actual Estate"


def test_a_longer_head_goes_first_though_it_stands_later() -> None:
    lexicon = Lexicon([Entry("this's", "this is", 1.0), Entry("matters", "is an issue", 1.0)])
    assert spin("this is an issue", lexicon).text == "this matters"


def test_what_a_long_head_leaves_is_open_to_short_ones() -> None:
    lexicon = Lexicon([Entry("x", "i think", 1e-9), Entry("assume", "think", 1.0)])
    assert spin("i think", lexicon).text == "i assume"


def test_entries_that_are_off_do_nothing() -> None:
    assert spin("war", Lexicon([Entry("struggle", "war", 1.0, status=Status.OFF)])).edits == ()


def test_rates_are_drawn_as_they_stand() -> None:
    lexicon = Lexicon([Entry("struggle", "war", 0.6), Entry("battle", "war", 0.2)])
    many = 4000
    drawn = [spin("war", lexicon, seed=seed, rate=0.5).text for seed in range(many)]
    assert drawn.count("struggle") / many == pytest.approx(0.3, abs=0.03)
    assert drawn.count("battle") / many == pytest.approx(0.1, abs=0.02)


def test_both_spellings_of_a_head_are_drawn_apart() -> None:
    lexicon = Lexicon([Entry("struggle", "war", 0.5), Entry("battle", "war", 0.5)])
    drawn = {spin("war War", lexicon, seed=seed).text for seed in range(40)}
    assert drawn == {"struggle Struggle", "struggle Battle", "battle Struggle", "battle Battle"}


def test_a_seed_means_the_same_in_every_process() -> None:
    text = "war conflict peace talks War Conflict. Talks"
    program = (
        "from unspin.spin import spin; from unspin.lexicon import Lexicon; from unspin.model import Entry;"
        f"lexicon = Lexicon([Entry(*e) for e in {[(e.spun, e.original, e.rate) for e in DRAWN.entries]}]);"
        f"print([spin({text!r}, lexicon, seed=seed).text for seed in range(20)])"
    )
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == str([spin(text, DRAWN, seed=seed).text for seed in range(20)])


def test_draws_stay_the_same_between_versions() -> None:
    drawn = [spin("war talks", DRAWN, seed=seed).text for seed in range(4)]
    assert drawn == ["battle talks", "battle peace talks", "war speak", "war peace talks"]


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_impossible_rates_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="not in"):
        spin("war", SURE, rate=rate)


@given(texts, seeds, rates)
def test_equal_seeds_give_equal_texts(text: str, seed: int, rate: float) -> None:
    assert spin(text, DRAWN, seed=seed, rate=rate) == spin(text, DRAWN, seed=seed, rate=rate)


@given(texts, seeds)
def test_rate_zero_changes_nothing(text: str, seed: int) -> None:
    assert spin(text, DRAWN, seed=seed, rate=0.0) == Spun(text, ())


@given(texts, seeds, rates)
def test_every_swap_is_known_and_can_be_undone(text: str, seed: int, rate: float) -> None:
    made = spin(text, DRAWN, seed=seed, rate=rate)
    assert apply(text, made.edits) == made.text
    assert apply(made.text, invert(made.edits)) == text
    for edit in made.edits:
        assert edit.entry in DRAWN.entries
        assert normalise(edit.after) == normalise(edit.entry.spun)
        assert normalise("".join(edit.before.split())) == normalise("".join(edit.entry.original.split()))
        assert edit.decided_by is SPINNER


@given(texts, seeds, rates)
def test_a_head_gets_one_alternate(text: str, seed: int, rate: float) -> None:
    made: dict[tuple[str, ...], str] = {}
    for edit in spin(text, DRAWN, seed=seed, rate=rate).edits:
        assert made.setdefault(tuple(edit.before.split()), edit.after) == edit.after


@given(texts, seeds)
def test_markup_holds_the_spun_text_and_its_original(text: str, seed: int) -> None:
    made = spin(text, DRAWN, seed=seed)
    try:
        gold = parse_markup(markup(made), name="made")
    except FormatError:
        assert any(sign in text for sign in "[]|")
        return
    assert gold.text == made.text
    pieces = [Edit(s.start, s.end, gold.text[s.start : s.end], s.accepted[0], None, 1.0, SPINNER) for s in gold.spans]
    assert gold_tokens(apply(gold.text, pieces).lower()) == gold_tokens(text.lower())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a war.", "a [[struggle|war]]."),
        ("real estate, war", "[[actual property|real estate]], [[struggle|war]]"),
        ("real estate war zone", "[[actual property struggle|real estate war]] zone"),
        ("user-centered war", "[[shopper-focused struggle|user-centered war]]"),
        ("non-user-centered", "[[non-shopper-focused|non-user-centered]]"),
        ("user-friendly", "[[shopper-friendly|user-friendly]]"),
        ("heart\u2019s", "[[coronary heart\u2019s|heart\u2019s]]"),
        ("5%.", "[[5percent|5%]]."),
        ("\u201cwar\u201d-war", "\u201c[[struggle|war]]\u201d-[[struggle|war]]"),
    ],
)
def test_markup_marks_whole_words_and_runs_of_swaps(text: str, expected: str) -> None:
    assert markup(spin(text, SURE)) == expected


@pytest.mark.parametrize("text", ["[[war]]", "[war]", "war [[", "[[peace|truce]]"])
def test_markup_refuses_what_would_read_as_markup(text: str) -> None:
    with pytest.raises(FormatError, match=r"^mine"):
        markup(spin(text, SURE), name="mine")
