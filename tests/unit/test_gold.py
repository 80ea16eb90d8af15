"""Gold markup: what it reads as, what it refuses, and how an aligned pair becomes markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.errors import FormatError
from unspin.gold import Gold, GoldSpan, gold_tokens, markup_from_pair, parse_markup


def test_markup_reads_as_spun_with_spans_into_it() -> None:
    gold = parse_markup("The [[struggle|war|conflict]]’s\n[[finish|end]].", name="m")
    assert gold.text == "The struggle’s\nfinish."
    assert gold.spans == (GoldSpan(4, 12, ("war", "conflict")), GoldSpan(15, 21, ("end",)))


def test_single_brackets_braces_and_late_closers_are_text() -> None:
    gold = parse_markup("[a] {b} c]] [[d|e]]", name="m")
    assert (gold.text, gold.spans) == ("[a] {b} c]] d", (GoldSpan(12, 13, ("e",)),))


def test_blank_alternative_lets_the_phrase_go() -> None:
    assert parse_markup("[[so|]] it", name="m").spans[0].accepted == ("",)


@pytest.mark.parametrize(
    ("markup", "problem", "line", "column"),
    [
        ("ok\nthe [[struggle|war", "without ']]'", 2, 5),
        ("a [[b|c]] [[d", "without ']]'", 1, 11),
        ("a\n\n[[b|c [[d|e]]", "opens another", 3, 1),
        ("a [[|b]]", "empty span", 1, 3),
        ("a [[ \n|b]]", "empty span", 1, 3),
        ("a [[]]", "empty span", 1, 3),
        ("a [[b]]", "no alternative", 1, 3),
    ],
)
def test_malformed_markup_is_refused_with_its_place(markup: str, problem: str, line: int, column: int) -> None:
    with pytest.raises(FormatError, match=r"^seed\.markup:") as caught:
        parse_markup(markup, name="seed.markup")
    assert problem in caught.value.problem
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    "spans",
    [
        (GoldSpan(2, 4, ("x",)), GoldSpan(3, 5, ("x",))),
        (GoldSpan(3, 4, ("x",)), GoldSpan(0, 1, ("x",))),
        (GoldSpan(4, 9, ("x",)),),
        (GoldSpan(2, 3, ("x",)),),
        (GoldSpan(0, 1, ()),),
    ],
)
def test_gold_refuses_spans_that_make_no_sense(spans: tuple[GoldSpan, ...]) -> None:
    with pytest.raises(ValueError, match="gold span"):
        Gold("ab cd", spans)


@pytest.mark.parametrize(
    ("original", "spun", "markup"),
    [
        ("The war ended.", "The struggle ended.", "The [[struggle|war]] ended."),
        (
            "sealing business deals now",
            "sealing enterprise offers now",
            "sealing [[enterprise offers|business deals]] now",
        ),
        ("he knows how to win", "he is aware of find out how to win", "he [[is aware of find out|knows]] how to win"),
        ("It is over.", "Now it is over.", "[[Now it|It]] is over."),  # an insertion at the start
        ("It is over.", "It is all over.", "It [[is all|is]] over."),
        ("Well, it is.", "Well, so it is.", "Well, [[so it|it]] is."),  # a word rather than the comma
        ("It is over now", "It is over", "It is [[over|over now]]"),
        ("\u201cNo,\u201d he said. It’s A", '"no," he said.  It\'s a', '"no," he said.  It\'s a'),
        ("user-centered", "person-centered", "[[person-centered|user-centered]]"),
        ("a war\nthe end", "a struggle\nthe finish", "a [[struggle|war]]\nthe [[finish|end]]"),
        ("it is over", "and it so is over", "[[and it so|it]] is over"),
    ],
)
def test_pairs_become_markup(original: str, spun: str, markup: str) -> None:
    assert markup_from_pair(original, spun) == markup


@pytest.mark.parametrize(
    ("original", "spun", "line", "column"),
    [
        ("a\nb", "a", 0, 0),
        ("a\n", "a\nb", 2, 0),
        ("x\na b", "x\na [[b", 2, 1),
        ("see [[b", "see [[b", 1, 5),
        ("a [b] c", "a [d] c", 1, 4),
        ("a b", "a x|y", 1, 3),
        ("a b|c", "a x", 1, 3),
    ],
)
def test_pairs_that_markup_cannot_express_are_refused(original: str, spun: str, line: int, column: int) -> None:
    with pytest.raises(FormatError) as caught:
        markup_from_pair(original, spun, name="p.jsonl")
    assert (caught.value.path, caught.value.line, caught.value.column) == ("p.jsonl", line, column)


_LINE = st.lists(
    st.sampled_from(["war", "The", "the", "don't", "U.S.-led", ",", ".", "“a", "a”", "[", "]", "|", "\u00a0", "é"])
).map(" ".join)
_TEXT = st.lists(_LINE | st.text(alphabet="ab' -.[]|’"), min_size=1, max_size=3).map("\n".join)


def _filled(gold: Gold) -> str:
    pieces, position = [], 0
    for span in gold.spans:
        pieces += [gold.text[position : span.start], span.accepted[0]]
        position = span.end
    return "".join([*pieces, gold.text[position:]])


def _plain(text: str) -> str:
    return "".join("".join(gold_tokens(text)).lower().split())


@given(_TEXT, _TEXT)
def test_markup_from_a_pair_reads_as_spun_and_fills_to_the_original(original: str, spun: str) -> None:
    try:
        markup = markup_from_pair(original, spun)
    except FormatError:
        return
    gold = parse_markup(markup, name="pair")
    assert gold.text == spun
    assert _plain(_filled(gold)) == _plain(original)
