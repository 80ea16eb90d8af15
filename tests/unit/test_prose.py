"""The words of Markdown and of pages, apart from their markup; and restorations that land where the words stand."""

from __future__ import annotations

import re

import pytest

from unspin.edit import cleaned
from unspin.formats import markdown, page
from unspin.formats.prose import HIDDEN, Prose
from unspin.model import (
    Candidate,
    DecidedBy,
    DuplicateGroup,
    DuplicateKind,
    Edit,
    Held,
    HeldReason,
    Option,
    Repeat,
    Restoration,
    Signature,
    SpinEvidence,
)
from unspin.pipeline import restore

SPUN = (
    "The struggle has gone on for greater than a yr, and no one is aware of find out how to finish it. "
    "Despite the fact that they are saying they need peace, they have by no means been keen to speak."
)
UNSPUN = (
    "The war has gone on for more than a year, and nobody knows how to end it. "
    "Even though they say they want peace, they have never been willing to talk."
)


def shown(prose: Prose) -> str:
    """What a person would see of it, with a dot for what is hidden."""
    return prose.text.replace(HIDDEN, "\u00b7")


def protected(prose: Prose) -> list[str]:
    """What may not change and holds a word."""
    return [text for start, end in prose.protected if re.search(r"\w", text := prose.source[start:end])]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("A *war* and **peace**, a_b_c\n", "A ·war· and ··peace··, a_b_c\n"),
        ("2 * 3 * 4\n", "2 * 3 * 4\n"),
        (
            "see [the *war*](http://a.b 'x') [now][a] [b]\n\n[a]: c\n",
            "see ·the ·war·················· ·now···· [b]\n\n······\n",
        ),
        ("![a war](b.png) war\n", "··············· war\n"),
        ("one\ntwo  \nthree\\\nfour\r\nfive\n", "one two  \nthree·\nfour  five\n"),
        ("> one\n> two\n", "> one · two\n"),
        ("* one\n  two\n", "* one   two\n"),
        ("# one #\n\ntwo\n===\n", "# one #\n\ntwo\n···\n"),
        ("AT&amp;T <b>war</b> \\*war\\*\n", "AT&····T ···war···· ·*war·*\n"),
        ("```\nwar\n```\n    war\n\n<div>war</div>\n", "···\n···\n···\n·······\n\n··············\n"),
        ("---\ntitle: war\n---\nwar\n", "···\n··········\n···\nwar\n"),
        ("\ufeff+++\na = 1\n+++\n# war\n", "····\n·····\n···\n# war\n"),
        ("| war | `x` war |\n|---|---|\n| war \\| war | b |\n", "| war | `x` war |\n·········\n| war \\| war | b |\n"),
    ],
)
def test_the_words_of_markdown(source: str, expected: str) -> None:
    assert shown(markdown.prose(source)) == expected


def test_what_of_markdown_is_protected() -> None:
    source = "1. the `struggle` of <http://struggle.com>\n\n| a `b` | c |\n|---|---|\n| d\\|e | f |\n"
    assert protected(markdown.prose(source)) == [
        "1. ",
        "`struggle`",
        "<http://struggle.com>\n\n| ",
        "`b` | ",
        " |\n|---|---|\n| d\\|e | ",
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>The <b>war</b></p>", "\n··The ···war····\n···"),
        ("a\r\nb<br>c", "a  b\n···c"),
        ("<a href='x>y' b = c>war</a>", "····················war····"),
        (
            "<script>war</script><style>war</style>a",
            "\n··········\n········\n·········\n·······a",
        ),
        ("<!-- war --> <?war?> <!doctype war> </ war>a", "············ ······· ·············· ·······a"),
        ("<!-- war", "········"),
        ("a <b war", "a ······"),
        ("1 < 2 <3 & 4&amp;5&nbsp;6&#8217;s", "1 < 2 <3 & 4&····5\u00a0·····6\u2019······s"),
        ("&fjlig; &bogus; &#0;", "fj····· &bogus; \ufffd···"),
        ("<svg><text>war</text></svg>a", None),
        ("<pre>war</pre><title>The\nwar</title>", "\n·······\n·····\n······The war\n·······"),
        ("<ScRiPt>'</b>'</sCript >war", None),
    ],
)
def test_the_words_of_a_page(source: str, expected: str | None) -> None:
    found = page.prose(source)
    if expected is None:
        words = re.findall(r"\w+", found.text)
        assert words == (["a"] if "svg" in source else ["war"])
    else:
        assert shown(found) == expected


def test_code_in_a_page_is_seen_and_protected() -> None:
    found = page.prose("<p>the <code>struggle <code>of</code> x</code> struggle</p>")
    assert protected(found) == ["struggle ", "of", " x"]


def test_a_text_in_markdown_is_restored_around_its_marks() -> None:
    body = (
        SPUN.replace("The struggle", "The **struggle**")
        .replace("a yr", "[a yr](http://a.b/struggle)")
        .replace(". ", ".\n")
    )
    source = f"---\ntitle: The struggle\n---\n\n# The struggle\n\n{body}\n\n    struggle = yr\n"
    found = cleaned(markdown.prose(source).landed(restore(markdown.prose(source).text)))
    body = (
        UNSPUN.replace("The war", "The **war**").replace("a year", "[a year](http://a.b/struggle)").replace(". ", ".\n")
    )
    assert found == f"---\ntitle: The struggle\n---\n\n# The war\n\n{body}\n\n    struggle = yr\n"


def test_a_page_is_restored_around_its_tags() -> None:
    def marked(text: str, word: str, end: str) -> str:
        words = text.replace(word, f"<b>{word}</b>").replace(f"to {end}", f"to&#32;{end}")
        return f'<html><p class="struggle">{words}</p>'

    found = page.prose(marked(SPUN, "struggle", "finish"))
    assert cleaned(found.landed(restore(found.text))) == marked(UNSPUN, "war", "end")


def edit(text: str, before: str, after: str, decided_by: DecidedBy = DecidedBy.DECODER) -> Edit:
    start = text.index(before)
    return Edit(start, start + len(before), before, after, None, 0.9, decided_by)


def restoration(
    text: str, *edits: Edit, held: tuple[Held, ...] = (), duplicates: tuple[DuplicateGroup, ...] = ()
) -> Restoration:
    return Restoration(text, SpinEvidence(1.0, 1.0, 9, True), duplicates, edits, held, Signature("1", "a", "b", ()))


def test_an_edit_that_would_change_markup_is_left_out_and_the_article_before_it() -> None:
    found = markdown.prose("a greater **than** word, a `struggle` of a struggle\n")
    text = found.text
    landed = found.landed(
        restoration(
            text,
            edit(text, "a ", "an ", DecidedBy.AGREEMENT),
            edit(text, f"greater {HIDDEN * 2}than", "above"),
            edit(text, "`struggle`", "war"),
            Edit(len(text) - 9, len(text) - 1, "struggle", "war", None, 0.9, DecidedBy.DECODER),
        )
    )
    assert cleaned(landed) == "a greater **than** word, a `struggle` of a war\n"


def test_an_edit_across_a_line_break_keeps_it_where_it_can() -> None:
    found = markdown.prose("find out\r\nhow, greater\nthan\n")
    landed = found.landed(
        restoration(
            found.text, edit(found.text, "find out  how", "know how"), edit(found.text, "greater than", "above")
        )
    )
    assert cleaned(landed) == "know\r\nhow, above\n"


def test_what_is_put_into_a_page_is_escaped() -> None:
    found = page.prose("<p>r and d</p>")
    assert cleaned(found.landed(restoration(found.text, edit(found.text, "r and d", "R&D<")))) == "<p>R&amp;D&lt;</p>"


def test_held_candidates_quote_the_source_or_are_left_out() -> None:
    found = markdown.prose("greater\nthan, greater **than**\n")
    text = found.text

    def held(before: str) -> Held:
        start = text.index(before)
        options = (Option("above", None, 0.5), Option(before, None, 0.5))
        return Held(Candidate(start, start + len(before), before, options), HeldReason.CONFIDENCE)

    landed = found.landed(restoration(text, held=(held("greater than"), held(f"greater {HIDDEN}"))))
    assert [one.candidate.before for one in landed.held] == ["greater\nthan"]


def test_a_repeated_paragraph_goes_with_its_marks_and_from_a_page_without_its_tags() -> None:
    def repeated(prose: Prose, words: str) -> str:
        first, second = (match.span() for match in re.finditer(words, prose.text))
        group = DuplicateGroup(*first, (Repeat(*second, DuplicateKind.EXACT, 1.0),))
        return cleaned(prose.landed(restoration(prose.text, duplicates=(group,))))

    assert (
        repeated(markdown.prose("It *was*.\n\nIt **was**.\n\nEnd\n"), f"It {HIDDEN}+was{HIDDEN}+\\.")
        == "It *was*.\n\nEnd\n"
    )
    assert repeated(page.prose("<p>It was.</p><p class=x>It was.</p>"), r"It was\.") == "<p>It was.</p><p class=x></p>"
    assert (
        repeated(page.prose("<p>It <b>was</b>.</p>\n<p>It <i>was</i>.</p>"), f"It {HIDDEN}+was{HIDDEN}+\\.")
        == "<p>It <b>was</b>.</p>\n<p><i></i></p>"
    )


def test_a_prose_is_checked_at_birth() -> None:
    with pytest.raises(ValueError, match="a source of 2 characters and a text of 1"):
        Prose("ab", "a")
    with pytest.raises(ValueError, match="not in order"):
        Prose("abc", "abc", ((1, 3), (2, 3)))
