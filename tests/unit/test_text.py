"""Tokens, sentences and paragraphs of the texts that scraping brings."""

import time
import tracemalloc

import pytest

from unspin.text import normalise, phrase, segment, tokens


def words(text: str) -> list[str]:
    return [token.text for token in tokens(text)]


def sentences(text: str) -> list[str]:
    return [text[s.start : s.end] for p in segment(text).paragraphs for s in p.sentences]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Moscow\u2014and", "Moscow|\u2014|and"),
        ("well--known", "well|-|-|known"),
        ("U.S.-led 28-point", "U.S.|-|led|28|-|point"),
        ("user-centered COVID-19", "user|-|centered|COVID|-|19"),
        ("Mr. Putin, Ph.D.", "Mr|.|Putin|,|Ph|.|D|."),
        ("e.g. 5 p.m. a.k.a. U.S.A.", "e.g.|5|p.m.|a.k.a.|U.S.A."),
        ("3,000 1st 2.5 $5 10km", "3|,|000|1st|2|.|5|$|5|10km"),
        ("\u201cHi\u201d \u2018so\u2019", "\u201c|Hi|\u201d|\u2018|so|\u2019"),
        ("(war) [a] {b}", "(|war|)|[|a|]|{|b|}"),
        ("snake_case", "snake|_|case"),
        ("a\u00a0b\u2009c\u3000d", "a|b|c|d"),
        ("war... what?!", "war|.|.|.|what|?|!"),
        ("\U0001f600ok\U0001f469\u200d\U0001f4bb", "\U0001f600|ok|\U0001f469|\U0001f4bb"),
        ("I \u2764\ufe0f it", "I|\u2764\ufe0f|it"),
        ("caf\u00e9 cafe\u0301s nai\u0308ve", "caf\u00e9|cafe\u0301s|nai\u0308ve"),
        ("\u0939\u093f\u0928\u094d\u0926\u0940 \u05e9\u05b8\u05dc\u05d5\u05b9\u05dd", None),
        ("a \ud800 b\udfff", "a|\ud800|b|\udfff"),
        ("\u0130stanbul stra\u00dfe", "\u0130stanbul|stra\u00dfe"),
    ],
)
def test_tokens(text: str, expected: str | None) -> None:
    assert words(text) == (text.split() if expected is None else expected.split("|"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("heart's Heart\u2019s HEART'S", "heart|'s|Heart|\u2019s|HEART|'S"),
        ("workers' James's", "workers|'|James|'s"),
        ("U.S.'s 1990's cafe\u0301's soft\u00ad's", "U.S.|'s|1990|'s|cafe\u0301|'s|soft|'s"),
        ("it's It\u2019s THAT'S who's let\u02bcs", "it's|It\u2019s|THAT'S|who's|let\u02bcs"),
        ("bit's waits unit's", "bit|'s|waits|unit|'s"),
        ("don't we\u2019re O'Brien o'clock I'd've", "don't|we\u2019re|O'Brien|o'clock|I'd've"),
        ("rock 'n' roll '90s", "rock|'|n|'|roll|'|90s"),
        ("it's's", "it's|'s"),
    ],
)
def test_apostrophes(text: str, expected: str) -> None:
    assert words(text) == expected.split("|")


@pytest.mark.parametrize(
    ("text", "opaque"),
    [
        ("See https://en.wikipedia.org/wiki/War?a=b&c=d#e.", "https://en.wikipedia.org/wiki/War?a=b&c=d#e"),
        ("(www.example.com),", "www.example.com"),
        ("\u201cHTTP://X.com/a\u201d", "HTTP://X.com/a"),
        ("<a.b+c@mail-box.example.co.uk>.", "a.b+c@mail-box.example.co.uk"),
        ("by @handle_1!", "@handle_1"),
        ("so #tagged", "#tagged"),
    ],
)
def test_addresses_are_one_token_and_no_word(text: str, opaque: str) -> None:
    assert [t.text for t in tokens(text) if not t.is_word and len(t.text) > 1] == [opaque]


@pytest.mark.parametrize("text", ["a@b", "www.", "http://", "@", "mail @ home", "c#"])
def test_what_only_looks_like_an_address_is_not_one(text: str) -> None:
    assert all(t.is_word or len(t.text) == 1 for t in tokens(text))


def test_invisible_characters_inside_a_word_are_part_of_its_span_only() -> None:
    text = "\ufeffst\u00adrug\u200bgle\u200b \u200e war\u2060"
    first, second = tokens(text)
    assert (first.text, first.norm) == ("st\u00adrug\u200bgle", "struggle")
    assert (second.text, second.norm) == ("war", "war")


def test_spans_survive_letters_whose_lower_case_is_longer() -> None:
    text = "\u0130\u0130 war"
    last = list(tokens(text))[-1]
    assert (last.start, last.end, text[last.start : last.end]) == (3, 6, "war")


def test_tokens_of_a_part_look_at_what_stands_before_it() -> None:
    text = "the heart's war"
    assert [(t.start, t.text) for t in tokens(text, 9, 15)] == [(9, "'s"), (12, "war")]


@pytest.mark.parametrize(
    ("text", "norm"),
    [
        ("Don\u2019t", "don't"),
        ("\u201cHI\u201d", '"hi"'),
        ("Cafe\u0301", "caf\u00e9"),
        ("so\u00adft", "soft"),
        ("\u0130", "i\u0307"),
    ],
)
def test_normal_form(text: str, norm: str) -> None:
    assert normalise(text) == norm


def test_a_phrase_is_the_key_of_its_tokens() -> None:
    assert phrase("In  Opposition\u00a0to\u200b Putin\u2019s") == ("in", "opposition", "to", "putin", "'s")


@pytest.mark.parametrize(
    "text",
    [
        "The U.S. Senate met.|Then it rose.",
        "He left the U.S.|The war went on.",
        "Mr. Putin met Dr. Strange, e.g. this one, at 5 p.m. Monday.|It rained.",
        "J. K. Rowling wrote to John F. Kennedy Jr. about it.",
        "See No. 5 on Jan. 3.|No.|Yes.",
        "He said no.|Putin left.",
        "\u201cWhy?\u201d he asked.|\u201cBecause.\u201d|She left (quickly.)|Good.",
        "It cost 2.5 million.|And 3,000 more!|Really?|Yes.",
        "Then... nothing.|Then...|Nothing.",
        "Go to http://x.com/?(a)!'b now.|Mail a.b@c.org.|Done.",
        "Apples, pears, etc. are fruit.|it was so.",
        "U.S. troops left.",
    ],
)
def test_sentences(text: str) -> None:
    expected = text.split("|")
    assert sentences(" ".join(expected)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t\u00a0\r\n", []),
        ("\ufeff\n\u200b", []),
        ("One.\r\n\r\nTwo.", ["One.", "Two."]),
        ("  One. \n \nTwo.\n", ["  One. ", "Two."]),
        ("a\u2028b\x0bc\x85d\re", ["a", "b", "c", "d", "e"]),
    ],
)
def test_paragraphs(text: str, expected: list[str]) -> None:
    assert [text[p.start : p.end] for p in segment(text).paragraphs] == expected


@pytest.mark.parametrize(
    "unit",
    """. ! - _ @ # ' a 1 \u200b \u0301 \u0130 \u5b57 a. 1. a- a_ a' a@ #a 's it's ." a@a. 1@ www. www.! http:// http://.
    \u2019s a\u200b a\u0301 \U0001f469\u200d .\u200b""".split(),
)
def test_a_long_line_takes_linear_time(unit: str) -> None:
    line = unit * (200_000 // len(unit))
    begin = time.process_time()
    document = segment(line)
    assert time.process_time() - begin < 8  # linear: under 1 s; quadratic: minutes
    assert all(p.end - p.start == len(line) for p in document.paragraphs)


def test_a_five_megabyte_line_is_segmented() -> None:
    line = "word " * 1_000_000
    assert len(segment(line).tokens) == 1_000_000
    assert words("x" * 5_000_000) == ["x" * 5_000_000]


PROSE = "He said (twice) that it was over. “Why?” he asked... Mr. Putin of the U.S. agreed! See No. 5; no. Yes.\n\n" * 9


@pytest.mark.parametrize("text", [PROSE, "a b " * 3_000, "x. " * 3_000, ") ] . ! ” " * 900, "\n \n", ". . . A b"])
def test_sentences_of_a_long_text_are_the_same_and_not_kept(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = segment(text)
    monkeypatch.setattr("unspin.text.LONG", 0)
    unread = segment(text)
    assert [(p.start, p.end, tuple(p.sentences)) for p in unread.paragraphs] == [
        (p.start, p.end, tuple(p.sentences)) for p in kept.paragraphs
    ]
    for paragraph in unread.paragraphs:
        assert not isinstance(paragraph.sentences, tuple)
        assert len(paragraph.sentences) == len([*paragraph.sentences]) and paragraph.sentences[0] == next(
            iter(paragraph.sentences)
        )


def test_no_sentence_is_endless() -> None:
    sentences = [*segment("word " * 5_000).sentences]
    assert [len(sentence.tokens) for sentence in sentences] == [2_000, 2_000, 1_000]


def test_a_long_line_takes_no_memory_in_tokens() -> None:
    text = "The council met on Tuesday and said no more of it. " * 25_000
    tracemalloc.start()
    words = sum(len(sentence.tokens) for sentence in segment(text).sentences)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert words == 300_000
    assert peak < 1_000_000  # kept, they would take a hundred times that
