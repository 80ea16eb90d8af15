"""Laws of segmentation, for every string."""

from hypothesis import given
from hypothesis import strategies as st

from unspin.text import INVISIBLE, normalise, phrase, segment, tokens

# Pieces that meet in scraped text, and any character at all, lone surrogates among them.
PIECES = st.sampled_from(
    [
        *"aAzs19 .,'\u2019\"\u201d-_@#!?()\n\r\u00a0\u00ad\u200b\u0301\u0130\U0001f600\u2028",
        "U.S.",
        "e.g. ",
        "'s ",
        "it's",
        *["https://x.y/?z", "www.", "a@b.c", "Mr. ", "The ", ". ", ".\u201d ", "\r\n", "war", "\ufe0f"],
    ]
)
ANY = st.characters(exclude_categories=())
TEXTS = st.lists(PIECES | ANY, max_size=40).map("".join)


def is_nothing(gap: str) -> bool:
    return all(c.isspace() or c in INVISIBLE for c in gap)


@given(TEXTS)
def test_tokens_cover_all_but_white_space_and_invisible_characters(text: str) -> None:
    position = 0
    for token in tokens(text):
        assert position <= token.start < token.end
        assert text[token.start : token.end] == token.text
        assert token.norm == normalise(token.text)
        assert is_nothing(text[position : token.start])
        assert not any(c.isspace() for c in token.text)
        position = token.end
    assert is_nothing(text[position:])


@given(TEXTS)
def test_units_nest_and_lose_nothing(text: str) -> None:
    document = segment(text)
    position = 0
    for paragraph in document.paragraphs:
        assert is_nothing(text[position : paragraph.start])
        assert position <= paragraph.start
        assert len(text[paragraph.start : paragraph.end].splitlines()) == 1
        inner = paragraph.start
        for sentence in paragraph.sentences:
            assert is_nothing(text[inner : sentence.start])
            assert inner <= sentence.start == sentence.tokens[0].start
            assert sentence.tokens[-1].end == sentence.end <= paragraph.end
            inner = sentence.end
        assert is_nothing(text[inner : paragraph.end])
        position = paragraph.end
    assert is_nothing(text[position:])
    lines = (tokens(text, p.start, p.end) for p in document.paragraphs)
    assert document.tokens == tuple(token for line in lines for token in line)


@given(TEXTS)
def test_the_normal_form_is_final(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_case_does_not_move_a_boundary(text: str) -> None:
    assert phrase(text.upper()) == phrase(text.lower()) == phrase(text)
