"""What a review shows: nothing too wide, nothing lost, nothing that deceives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from unspin.commands.review_keys import HELP, Act, NoSuchKey, meant, offered, split
from unspin.commands.review_layout import NO_BREAK, Style, fitted, painted, shown, wrapped
from unspin.commands.review_view import Page, evidence, help_rows, percent, question, rows, standing
from unspin.model import DecidedBy, DuplicateKind, Entry, HeldReason, Repeat, Status
from unspin.review.context import context
from unspin.review.model import Choice, Duplicate, Item, State

WAR = Entry("struggle", "war", 0.2574, 347, source="learned")
EITHER = Entry("struggle", "fight", 0.33, 0, Status.REVIEW, "curated: sport")
TEXT = "The struggle was long."
WIDE = "戦争は終わらない。"
texts = st.text(st.characters(codec="utf-8"), max_size=120)


def item(text: str = TEXT, words: str = "struggle", after: str = "war", **changes: Any) -> Item:
    start = text.index(words)
    made = Item(
        start,
        start + len(words),
        words,
        (Choice(after, WAR, 0.9312, 0.4121), Choice("fight", EITHER, 0.04)),
        0.0004,
        DecidedBy.DECODER,
        id=1,
        document=1,
    )
    return replace(made, **changes)


def page(one: Item, text: str = TEXT, **changes: Any) -> Page:
    made = Page(one, context(text, one.start, one.end), "a.txt", 12, 117)
    return replace(made, **changes)


def drawn(shown: Page, *, width: int = 80, height: int = 20, colour: bool = False) -> str:
    lines = painted(rows(shown, width=width, height=height, colour=colour), colour=colour)
    assert colour or all(cell_len(line) <= width for line in lines), lines
    assert len(lines) <= max(height, 16)  # a low terminal shows what it can
    return "\n".join(lines)


# layout


@given(st.lists(st.tuples(texts, st.sampled_from(Style)), max_size=4), st.integers(4, 90), st.integers(0, 3))
def test_rows_are_never_too_wide_and_lose_no_word(pieces: list[tuple[str, Style]], width: int, indent: int) -> None:
    told = [(shown(text), style) for text, style in pieces]
    lines = painted(wrapped(told, width, indent=indent), colour=False)
    assert all(cell_len(line) <= max(width, indent + 2) for line in lines)
    assert "".join("".join(lines).split()) == "".join("".join(text for text, _ in told).split())


@given(texts, st.integers(2, 60), st.booleans())
def test_what_is_cut_fits_and_says_so(text: str, cells: int, end: bool) -> None:
    told = shown(text)
    cut = fitted(told, cells, end=end)
    assert cell_len(cut) <= cells
    assert cut == told or "…" in cut


@given(texts)
def test_what_is_shown_is_one_line_of_what_can_be_seen(text: str) -> None:
    told = shown(text)
    assert len(told.splitlines()) <= 1
    assert all(c.isprintable() or c in "\u200c\u200d" for c in told)


def test_a_row_does_not_end_at_a_space_that_holds_words_together() -> None:
    lines = painted(
        wrapped([(f"rate 0.26, ranker{NO_BREAK}0.41{NO_BREAK}→{NO_BREAK}0.93", Style.FAINT)], 26), colour=False
    )
    assert lines == ["rate 0.26,", "ranker 0.41 → 0.93"]


# pages


def test_a_page_without_colour() -> None:
    assert drawn(page(item())).splitlines() == [
        "12/117  a.txt                                                           proposed",
        "━" * 8 + "─" * 72,
        "",
        "  The [-struggle-]{+war+} was long.",
        "",
        "  1   93 %  war       struggle ← war, rate 0.26, seen 347, learned,",
        "                      ranker 0.41 → 0.93",
        "  2    4 %  fight     struggle ← fight, rate 0.33, curated: sport, review",
        "  n   <1 %  struggle  as it stands",
    ]


def test_colour_is_never_all_that_tells() -> None:
    shown = drawn(page(item()), colour=True)
    assert "\x1b[31;9mstruggle\x1b[0m \x1b[32;4mwar\x1b[0m was long." in shown


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "proposed"),
        ({"why": HeldReason.NEGATION}, "held: it changes a negation"),
        ({"why": DecidedBy.SIBLING}, "proposed: a copy has it so"),
        ({"state": State.ACCEPTED}, "accepted"),
        ({"state": State.REJECTED}, "left as it stands"),
        ({"state": State.REPLACED, "answer": "strife\x1b"}, "replaced: strife␛"),
        ({"state": State.REPLACED, "answer": ""}, "replaced: nothing"),
    ],
)
def test_where_a_decision_stands(changes: dict[str, Any], expected: str) -> None:
    assert standing(item(**changes)) == expected
    assert drawn(page(item(**changes))).splitlines()[0].endswith(expected)


def test_every_reason_has_words() -> None:
    held = {standing(item(why=why)) for why in HeldReason}
    assert len(held) == len(HeldReason) and all(words.startswith("held: ") for words in held)


def test_articles_follow() -> None:
    text = "It was a struggle, and a long one."
    assert "It was [-a-]{+an+} [-struggle-]{+ordeal+}, and a long one." in drawn(page(item(text, after="ordeal"), text))
    text = "He spoke of an struggle."
    assert "of [-an-]{+a+} [-struggle-]{+war+}." in drawn(page(item(text), text))


def test_own_words_stand_in_the_sentence() -> None:
    one = item(state=State.REPLACED, answer="strife")
    assert "The [-struggle-]{+strife+} was" in drawn(page(one))
    assert "The [-struggle-]{+war+} was" in drawn(page(one, second_opinion=True))
    assert "second opinion" in drawn(page(one, second_opinion=True))


def test_an_option_to_leave_the_words_out() -> None:
    one = item(choices=(Choice("", None, 0.7),), why=DecidedBy.DEBRIS)
    shown = drawn(page(one))
    assert "The [-struggle-] was long." in shown
    assert "  1   70 %  (nothing)  what spinners leave behind" in shown
    assert question(page(one), 80) == "Change it [y,n,1,e,s,u,j,k,/,q,?]? "


@pytest.mark.parametrize("height", [6, 10, 20])
@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_long_sentences_are_cut_around_the_change(width: int, height: int) -> None:
    text = "so it goes on and on, " * 60 + "until the struggle is over " + "and there is nothing left to say " * 60
    shown = drawn(page(item(text), text), width=width, height=height)
    assert "[-struggle-]{+war+}" in shown.replace("\n  ", "")
    assert "…" in shown


def test_wide_characters_take_two_columns() -> None:
    text = f"{WIDE * 12} struggle {WIDE * 12}"
    shown = drawn(page(item(text), text), width=60)
    assert "[-struggle-]{+war+}" in shown.replace("\n  ", "")
    assert WIDE in shown.replace("\n  ", "")


def test_what_drives_a_terminal_is_shown_as_a_sign() -> None:
    evil = "The \x1b[31m\x07 strug\u202egle \u2028 of\t\x9b2J."
    one = item(evil, "strug\u202egle", choices=(Choice("w\x1bar", WAR, 0.9),))
    shown = drawn(page(one, evil, document="\x1b]0;x\x07.txt"))
    assert "The ␛[31m␇ [-strug⟨U+202E⟩gle-]{+w␛ar+}" in shown
    assert "␛]0;x␇.txt" in shown
    assert not set(shown) & set("\x1b\x07\x9b\u202e\u2028\t")


# repeated passages

KEPT = "Officials met in the capital on Monday to talk about the bridge, which has been closed since the flood."


def repeated(here: str, kind: DuplicateKind, score: float, *, kept: str = KEPT, **changes: Any) -> Page:
    text = f"First.\n\n{kept}\n\n{here}\n"
    start, first = text.rindex(here), text.index(kept)
    duplicate = Duplicate(first, first + len(kept), Repeat(start, start + len(here), kind, score))
    one = item(
        text,
        here,
        choices=(Choice("", None, score),),
        why=DecidedBy.DUPLICATE,
        duplicate=duplicate,
        start=start,
        end=start + len(here),
        **changes,
    )
    return page(one, text, paragraphs=(kept, 2))


def test_a_repeated_paragraph_says_what_it_repeats() -> None:
    shown = drawn(repeated(KEPT, DuplicateKind.EXACT, 1.0))
    assert "  This paragraph repeats paragraph 2, which stays, word for word:\n\n    Officials met in the" in shown
    assert shown.splitlines()[-2:] == ["  y  remove it", "  n  keep it"]
    assert "a paragraph repeated" in shown.splitlines()[0]


def test_a_paragraph_that_differs_shows_where() -> None:
    here = KEPT.replace("capital", "main city").replace("flood", "deluge")
    shown = drawn(repeated(here, DuplicateKind.RESPUN, 0.87))
    assert "stays, spun anew (87 % alike):" in shown
    assert "[-capital-]{+main city+}" in shown
    assert "[-flood.-]{+deluge.+}" in shown
    assert "on Monday to talk about the … bridge" not in shown


def test_long_paragraphs_are_cut_in_the_middle_and_alike_stretches_left_out() -> None:
    long = " ".join(f"word{n}" for n in range(500))
    shown = drawn(repeated(long, DuplicateKind.EXACT, 1.0, kept=long), height=16)
    assert "word0 " in shown and "word499" in shown and "    …\n" in shown
    changed = drawn(repeated(long.replace("word250", "sign"), DuplicateKind.NEAR, 0.99, kept=long), height=16)
    assert "… word244 word245 word246 word247 word248 word249 [-word250-]{+sign+} word251" in changed.replace(
        "\n    ", " "
    )


# words


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [(0.0, "0 %"), (0.001, "<1 %"), (0.5, "50 %"), (0.994, "99 %"), (0.9999, ">99 %"), (1.0, "100 %")],
)
def test_percent(confidence: float, expected: str) -> None:
    assert percent(confidence) == expected


def test_evidence() -> None:
    one = item()
    told = [evidence(one, choice).replace(NO_BREAK, " ") for choice in (*one.choices, Choice("x", None, 1.0))]
    assert told == [
        "struggle ← war, rate 0.26, seen 347, learned, ranker 0.41 → 0.93",
        "struggle ← fight, rate 0.33, curated: sport, review",
        "no lexicon entry",
    ]


@pytest.mark.parametrize("width", range(40, 101, 20))
def test_the_question_fits(width: int) -> None:
    for words in ("war", "a very long replacement indeed, and then some more of it", WIDE * 4):
        assert cell_len(question(page(item(after=words)), width)) <= width


@pytest.mark.parametrize("width", [40, 80])
def test_the_help_fits_and_tells_every_key(width: int) -> None:
    lines = painted(help_rows(width), colour=False)
    assert all(cell_len(line) <= width for line in lines)
    told = " ".join(key for key, _ in HELP).split()
    assert {act.value for act in Act} - {"1"} <= set(told)


# keys


@pytest.mark.parametrize(("typed", "keys"), [("yn", "y n"), ("\x1b[Ay", "\x1b[A y"), ("\x1bOBé", "\x1b[B é")])
def test_keys_are_told_apart(typed: str, keys: str) -> None:
    assert list(split(typed)) == keys.split(" ")


@pytest.mark.parametrize(
    ("key", "expected"), [("y", Act.ACCEPT), ("2", 2), ("\x1b[A", Act.BACK), ("\x1b[B", Act.NEXT), ("\x04", Act.QUIT)]
)
def test_what_keys_mean(key: str, expected: Act | int) -> None:
    assert meant(key, item()) == expected


@pytest.mark.parametrize("key", ["3", "9", "0", "Y", " ", "", "²", "\x1b[5~", "é"])
def test_keys_that_mean_nothing_say_so(key: str) -> None:
    with pytest.raises(NoSuchKey):
        meant(key, item())


def test_what_is_offered_means_something() -> None:
    for one in (item(), item(choices=(Choice("", None, 0.7),)), repeated(KEPT, DuplicateKind.EXACT, 1.0).item):
        for second_opinion in (False, True):
            for key in offered(one, second_opinion=second_opinion):
                assert meant(key[0], one, second_opinion=second_opinion) is not None
