"""Applying and inverting edits, case, articles and removals."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from unspin import edit as editing
from unspin.edit import (
    _first_spoken,
    _settings,
    apply,
    carry_case,
    cleaned,
    invert,
    mend_articles,
    removals,
    sounds_vowel,
)
from unspin.errors import EditConflict
from unspin.model import (
    DecidedBy,
    Document,
    DuplicateGroup,
    DuplicateKind,
    Edit,
    Entry,
    Repeat,
    Restoration,
    Sentence,
    Signature,
    SpinEvidence,
)
from unspin.text import segment


def edit(text: str, before: str, after: str, *, at: int = 0, confidence: float = 0.9) -> Edit:
    start = text.index(before, at)
    entry = Entry(before.lower(), after.lower() if before.isupper() else after, 0.5) if after else None
    return Edit(start, start + len(before), before, after, entry, confidence, DecidedBy.DECODER)


def raw(start: int, before: str, after: str, confidence: float = 1.0) -> Edit:
    return Edit(start, start + len(before), before, after, None, confidence, DecidedBy.DECODER)


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    """No test is answered from what another one asked."""
    carry_case.cache_clear()
    _first_spoken.cache_clear()


# apply, invert


def test_apply_changes_what_it_should_and_nothing_else() -> None:
    text = "The\u00a0struggle \u201cis not any nearer\u201d\r\n to a decision\u2026\n"
    edits = [edit(text, "decision", "resolution"), edit(text, "struggle", "war"), edit(text, "not any", "no")]
    assert apply(text, edits) == "The\u00a0war \u201cis no nearer\u201d\r\n to a resolution\u2026\n"


def test_no_edits_give_the_text_itself() -> None:
    assert apply("a\r\nb\ud800", []) == "a\r\nb\ud800"


def test_a_stretch_of_a_text_is_read_as_its_edits_make_it() -> None:
    assert apply("abcdef", [raw(3, "d", "x")], start=2, end=5) == "cxe"
    assert apply("abcdef", [], start=2, end=5) == "cde"


def test_insertions_stand_where_they_say() -> None:
    assert apply("ac", [raw(1, "", "b"), raw(2, "", "d")]) == "abcd"
    assert apply("abc", [raw(2, "", "x"), raw(0, "ab", "y")]) == "yxc"


@pytest.mark.parametrize(
    ("edits", "place", "problem"),
    [
        ([raw(0, "ab", "x"), raw(1, "bc", "y")], (1, 3), "meets the edit at 0:2"),
        ([raw(1, "bcd", "x"), raw(2, "c", "y")], (2, 3), "meets the edit at 1:4"),
        ([raw(1, "", "x"), raw(1, "", "y")], (1, 1), "meets the edit at 1:1"),
        ([raw(1, "b", "x"), raw(1, "", "y")], (1, 2), "meets the edit at 1:1"),
        ([raw(2, "", "x"), raw(1, "bc", "y")], (2, 2), "meets the edit at 1:3"),
        ([raw(3, "de", "x")], (3, 5), "the text ends at 4"),
        ([raw(5, "", "x")], (5, 5), "the text ends at 4"),
        ([raw(1, "B", "x")], (1, 2), "quotes 'B', the text reads 'b'"),
    ],
)
def test_conflicts_are_refused_with_their_place(edits: list[Edit], place: tuple[int, int], problem: str) -> None:
    for order in (edits, edits[::-1]):
        with pytest.raises(EditConflict, match=problem) as failure:
            apply("abcd", order)
        assert (failure.value.start, failure.value.end) == place


def test_invert_refuses_overlaps() -> None:
    with pytest.raises(EditConflict):
        invert([raw(0, "ab", "x"), raw(1, "b", "y")])


def test_invert_moves_with_what_stands_before() -> None:
    text = "a struggle and a decision"
    edits = (edit(text, "struggle", "war"), edit(text, "decision", "resolution"))
    assert [(e.start, e.before, e.after) for e in invert(edits)] == [
        (2, "war", "struggle"),
        (12, "resolution", "decision"),
    ]
    assert [e.confidence for e in invert(edits)] == [0.9, 0.9]


def test_invert_joins_neighbours_that_would_start_together() -> None:
    edits = [raw(0, "abc", "", 0.7), raw(3, "de", "xy", 0.9)]
    (back,) = invert(edits)
    assert (back.start, back.before, back.after, back.confidence) == (0, "xy", "abcde", 0.7)
    assert invert([raw(0, "ab", ""), raw(2, "c", "abc")]) == ()
    assert apply("abc", [raw(0, "ab", ""), raw(2, "c", "abc")]) == "abc"


def test_an_inverse_that_joins_two_is_of_no_entry_and_as_sure_as_the_less_sure() -> None:
    removed = raw(0, "a", "", 0.7)
    (joined,) = invert([removed, Edit(1, 2, "b", "c", Entry("b", "c", 0.5), 0.9, DecidedBy.DECODER)])
    assert (joined.before, joined.after, joined.entry, joined.confidence) == ("c", "ab", None, 0.7)


def test_many_edits_on_a_long_text_take_linear_time() -> None:
    text = "struggle " * 200_000
    edits = [raw(i * 9, "struggle", "war") for i in range(200_000)]
    begin = time.process_time()
    changed = apply(text, edits)
    assert apply(changed, invert(edits)) == text
    assert time.process_time() - begin < 10  # about 1 s; quadratic: minutes


# case


@pytest.mark.parametrize(
    ("before", "after", "start", "expected"),
    [
        ("struggle", "war", False, "war"),
        ("struggle", "war", True, "war"),  # a text in lower case stays so
        ("Struggle", "war", True, "War"),
        ("Struggle", "war", False, "War"),
        ("STRUGGLE", "war", False, "WAR"),
        ("DON'T", "do not", False, "DO NOT"),
        ("WARS", "fights", False, "FIGHTS"),
        ("WAR", "fight", False, "fight"),
        ("U.S.A.F.", "air force", False, "air force"),
        ("US US", "we we", False, "WE WE"),
        ("IN OPPOSITION TO", "against", False, "AGAINST"),
        ("Ensure", "make sure", False, "Make sure"),
        ("Ensure", "make sure", True, "Make sure"),
        ("Actual Property", "real estate", False, "Real Estate"),
        ("Actual Property", "real estate", True, "Real Estate"),
        ("Regardless Of", "in spite of", False, "In Spite Of"),
        ("Conscious of", "aware of", True, "Aware of"),
        ("Can I", "may I", True, "May I"),
        ("I've obtained", "I have", False, "I have"),
        ("I'm", "I am", True, "I am"),
        ("A lot of", "many", True, "Many"),
        ("struggle", "United States", False, "United States"),
        ("people", "Americans", False, "Americans"),
        ("US", "United States", False, "United States"),
        ("SEO", "search engine optimization", False, "search engine optimization"),
        ("SEO", "search engine optimization", True, "Search engine optimization"),
        ("U.S.", "America", False, "America"),
        ("Cellphone", "iPhone", True, "iPhone"),
        ("Cellphone Gross Sales", "iPhone sales", False, "iPhone Sales"),
        ("iPhone", "phone", False, "phone"),
        ("Two", "2 of", True, "2 of"),
        ("Nineties", "'90s", True, "'90s"),
        ("Road", "stra\u00dfe", True, "Stra\u00dfe"),
        ("ROAD", "stra\u00dfe", True, "STRASSE"),
        ("\u24d0", "war", False, "war"),
        ("\u24b6", "war", False, "war"),
        ("?", "war", True, "war"),
        ("Struggle", "", True, ""),
    ],
)
def test_carry_case(before: str, after: str, start: bool, expected: str) -> None:
    assert carry_case(before, after, sentence_start=start) == expected


# articles


AN = """apple hour honest honour Honor heir heirloom umbrella uninformed unidentified unimportant urgent usher onion
    onerous only MRI FBI NBA FBI's HTML NCAA NAACP NYPD MRIs MP3 mRNA eBay iPhone L.A. F-16 X-ray SUV EU 8 80 8,000
    8th 11 18 18th 11,000 1800s \u00e9lan Yvonne uber upper utter ugly hourglass OPEC
    Xbox e-mail 'unusual A" I.""".split()
A = """war house honey Honolulu history unit union unique university unilateral unanimous useful usual user European
    euphoria eulogy one once one-time ubiquitous utility utopian Ukrainian Ugandan uranium U.S. U.S.-led UN UK UFO
    UNESCO UEFA UCLA NATO NASA FIFA FEMA SWAT RAM NASCAR SaaS USB BBC TV PhD U-turn 1 7 9 10 100 110 180 118 1,000 12
    year yellow York xenon ewe T-shirt - ? ...""".split()


@pytest.mark.parametrize("word", AN)
def test_takes_an(word: str) -> None:
    assert sounds_vowel(word)


@pytest.mark.parametrize("word", [*A, ""])
def test_takes_a(word: str) -> None:
    assert not sounds_vowel(word)


@pytest.mark.parametrize(
    ("text", "before", "after", "expected"),
    [
        ("in a unprecedented move", "unprecedented", "extraordinary", "in an extraordinary move"),
        ("is an struggle now", "struggle", "war", "is a war now"),
        ("is an struggle now", "struggle", "effort", "is an effort now"),
        ("A finish of it", "finish", "end", "An end of it"),
        ("Yes. A finish of it", "finish", "end", "Yes. An end of it"),
        ("Head\nA finish of it", "finish", "end", "Head\nAn end of it"),
        ("THIS IS A FINISH OF IT", "FINISH", "END", "THIS IS AN END OF IT"),
        ("AN EFFORT NOW", "EFFORT", "NEW WAR", "A NEW WAR NOW"),
        ("An effort now", "effort", "war", "A war now"),
        ("a \u201cfinish\u201d of it", "finish", "end", "an \u201cend\u201d of it"),
        ("a finish of it", "finish", "hour", "an hour of it"),
        ("an effort", "effort", "union", "a union"),
        ("an effort", "effort", "one-time thing", "a one-time thing"),
        ("a bureau agent", "bureau", "FBI", "an FBI agent"),
        ("a quantity", "quantity", "80 percent", "an 80 percent"),
        ("a very unusual war", "very ", "", "an unusual war"),
        ("a brand new end", "a brand new", "a", "an end"),
        ("see a lot of end", "a lot of", "an", "see an end"),
        ("take a finish", "take", "find a", "find a a finish"),  # an article is no word to agree with
        ("with out war", "out war", "a effort", "with an effort"),
        ("WITH OUT WAR", "OUT WAR", "A EFFORT", "WITH AN EFFORT"),
        ("out war", "out war", "a end of a effort", "an end of an effort"),
        ("a finish", " finish", " end", "an end"),
        ("war \u2014 A finish", "finish", "end", "war \u2014 An end"),
        ("in the U.S. A finish", "finish", "end", "in the U.S. An end"),
    ],
)
def test_articles_follow_the_word_that_now_stands_there(text: str, before: str, after: str, expected: str) -> None:
    assert apply(text, mend_articles(segment(text), [edit(text, before, after)])) == expected


@pytest.mark.parametrize(
    ("text", "before", "after", "expected"),
    [
        ("a unprecedented struggle", "struggle", "war", "a unprecedented war"),  # its neighbour did not change
        ("Plan A finishes", "finishes", "ends", "Plan A ends"),
        ("vitamin A finish", "finish", "end", "vitamin A end"),
        ("a-finish", "finish", "end", "a-end"),
        ("a, finish", "finish", "end", "a, end"),
        ('the letter "a" finish', "finish", "end", 'the letter "a" end'),
        ("an historical war", "historical", "historic", "an historic war"),
        ("a finish", "finish", "?", "a ?"),
        ("an effort", "effort", "?", "an ?"),
        ("see it", "it", "an", "see an"),
        ("take a\nfinish", "finish", "end", "take a\nend"),
        ("than finish", "finish", "end", "than end"),
        ("finish", "finish", "end", "end"),
    ],
)
def test_other_articles_are_left_alone(text: str, before: str, after: str, expected: str) -> None:
    assert apply(text, mend_articles(segment(text), [edit(text, before, after)])) == expected


def test_a_mended_article_says_who_decided() -> None:
    text = "a finish"
    article, neighbour = mend_articles(segment(text), [edit(text, "finish", "end", confidence=0.6)])
    assert article == Edit(0, 1, "a", "an", None, 0.6, DecidedBy.AGREEMENT)
    assert neighbour == edit(text, "finish", "end", confidence=0.6)


def test_articles_look_through_neighbouring_edits() -> None:
    text = "is a brand new finish"
    edits = [edit(text, "finish", "end"), edit(text, "a brand new", "a")]
    assert apply(text, mend_articles(segment(text), edits)) == "is an end"
    edits = [edit(text, "brand ", ""), edit(text, "new", "unusual")]
    assert apply(text, mend_articles(segment(text), edits)) == "is an unusual finish"


def test_an_edit_that_agreement_undoes_is_dropped() -> None:
    text = "an effort"
    assert mend_articles(segment(text), [edit(text, "an", "a")]) == ()


def test_an_insertion_at_the_article_does_not_meet_its_edit() -> None:
    text = "a finish"
    edits = mend_articles(segment(text), [raw(0, "", "is "), edit(text, "finish", "end")])
    assert apply(text, edits) == "is a end"
    edits = mend_articles(segment(f" {text}"), [raw(0, "", "is"), edit(f" {text}", "finish", "end")])
    assert apply(f" {text}", edits) == "is an end"


# removals


def group(text: str, *passages: str) -> DuplicateGroup:
    """A group whose repeats are the second places of the passages."""
    starts = [(text.index(p, text.index(p) + 1), len(p)) for p in passages]
    repeats = tuple(Repeat(s, s + n, DuplicateKind.EXACT, 0.8) for s, n in starts)
    return DuplicateGroup(0, 1, repeats)


@pytest.mark.parametrize(
    ("text", "passages", "expected"),
    [
        ("A\nB\nA\nC\n", "A", "A\nB\nC\n"),
        ("A\n\nB\n\nA\n\nC\n", "A", "A\n\nB\n\nC\n"),
        ("A\r\n\r\nB\r\n\r\nA\r\n\r\nC", "A", "A\r\n\r\nB\r\n\r\nC"),
        ("A\nB\nA\n", "A", "A\nB\n"),
        ("A\nB\nA", "A", "A\nB"),
        ("A\n\nB\n\nA\n", "A", "A\n\nB\n"),
        ("A\n\nB\n\nA\n \n", "A", "A\n\nB\n \n"),
        ("A\n\nB\n\nA\n\nB\n", "AB", "A\n\nB\n"),
        ("A\n\nB\n\nA\n\nB\n\nC", "AB", "A\n\nB\n\nC"),
        ("A\n\nB\nA\n\nC", "A", "A\n\nB\n\nC"),  # the blank line parts B and C
        ("A\n\nB\n\nA\nC", "A", "A\n\nB\n\nC"),
        ("A\nB\nC\nA\nB\n\nD", "AB", "A\nB\nC\n\nD"),
        ("A\nB  \nA\n  C", "A", "A\nB  \n  C"),
        ("A\nB\n \t\nA\nC", "A", "A\nB\n \t\nC"),
        ("A\nA\nA\n", "A", "A\nA\n"),
        ("A\u2028B\u2028A\u2028C", "A", "A\u2028B\u2028C"),
    ],
)
def test_removals_leave_the_layout(text: str, passages: str, expected: str) -> None:
    edits = removals([group(text, *passages)], text)
    assert apply(text, edits) == expected
    assert {(e.after, e.entry, e.confidence, e.decided_by) for e in edits} == {("", None, 0.8, DecidedBy.DUPLICATE)}
    assert len(edits) == len(passages)


def test_a_passage_within_a_line_takes_no_line_break() -> None:
    text = "one two one three\nfour"
    assert apply(text, removals([group(text, "one")], text)) == "one two  three\nfour"


def test_all_that_goes_goes() -> None:
    repeats = tuple(Repeat(i, i + 1, DuplicateKind.NEAR, 1.0) for i in (0, 2))
    assert apply("A\nB\n", removals([DuplicateGroup(9, 10, repeats)], "A\nB\n")).strip() == ""


def test_many_removals_take_linear_time() -> None:
    text = "A\n\n" * 100_000
    repeats = tuple(Repeat(i, i + 1, DuplicateKind.EXACT, 1.0) for i in range(3, len(text), 3))
    begin = time.process_time()
    assert apply(text, removals([DuplicateGroup(0, 1, repeats)], text)) == "A\n\n"
    assert time.process_time() - begin < 10  # about 1 s; quadratic: minutes


# a restoration


def restoration(text: str, edits: tuple[Edit, ...]) -> Restoration:
    spin = SpinEvidence(0.5, 0.1, 3, is_spun=True)
    return Restoration(text, spin, (group(text, "The struggle."),), edits, (), Signature("1", "l", "m", ()))


def test_cleaned_makes_the_edits_and_removes_the_repeats() -> None:
    text = "The struggle.\nPeace.\nThe struggle.\n"
    assert cleaned(restoration(text, (edit(text, "struggle", "war"),))) == "The war.\nPeace.\n"


def test_an_edit_in_a_removed_passage_conflicts() -> None:
    text = "The struggle.\nPeace.\nThe struggle.\n"
    with pytest.raises(EditConflict):
        cleaned(restoration(text, (edit(text, "struggle", "war", at=20),)))


class Read(Sequence[Sentence]):
    """Sentences that count how many of them were read."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self.sentences, self.seen = sentences, 0

    def __iter__(self) -> Iterator[Sentence]:
        for sentence in self.sentences:
            self.seen += 1
            yield sentence

    def __len__(self) -> int:
        return len(self.sentences)

    def __getitem__(self, index: Any) -> Any:
        return self.sentences[index]


def test_a_long_text_is_read_as_its_articles_are_mended() -> None:
    """Its tokens are not held: they would take a hundred times the memory of what they stand for."""
    text = "It was a finish. " * 1000
    (paragraph,) = segment(text).paragraphs
    sentences = Read(paragraph.sentences)
    document = Document(text, (replace(paragraph, sentences=sentences),))
    edits = [edit(text, "finish", "end", at=17 * n) for n in range(1000)]
    places = _settings(document, edits)
    for number in (0, 1, 2, 500):
        next(islice(places, number, None))
        assert sentences.seen < 510
    assert apply(text, mend_articles(document, edits)) == "It was an end. " * 1000


def test_an_article_agrees_across_edits_with_nothing_between_them() -> None:
    text = "a (very) big finish"
    edits = [raw(2, "(very) ", ""), raw(9, "big ", ""), edit(text, "finish", "end")]
    assert apply(text, mend_articles(segment(text), edits)) == "an end"


def test_an_article_is_seen_across_any_number_of_brackets() -> None:
    text = "a " + "(" * 1000 + "finish"
    assert apply(text, mend_articles(segment(text), [edit(text, "finish", "end")])).startswith("an (")


def test_a_text_is_made_of_any_number_of_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editing, "JOINED", 3)
    text = "war" * 10
    for size in range(11):
        edits = [raw(3 * n, "war", "" if n % 3 else "peace") for n in range(size)]
        expected = "".join("" if n % 3 else "peace" for n in range(size)) + "war" * (10 - size)
        assert apply(text, edits) == expected
