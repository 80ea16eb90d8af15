"""What a spinner leaves around its swaps: what is mended, what is held, what stays."""

import time

import pytest

from unspin.debris import LONGEST_GROUP, MOST_READINGS, mend
from unspin.edit import apply
from unspin.errors import EditConflict
from unspin.model import DecidedBy, Document, Edit, Entry, Held
from unspin.text import segment


def edit(text: str, before: str, after: str, *, confidence: float = 0.9) -> Edit:
    start = text.index(before)
    entry = Entry(before, after, 0.5)
    return Edit(start, start + len(before), before, after, entry, confidence, DecidedBy.DECODER)


def mended(text: str, *edits: Edit, is_spun: bool = True) -> str:
    return apply(text, mend(segment(text), edits, is_spun=is_spun)[0])


def held(text: str, *edits: Edit, is_spun: bool = True) -> tuple[Held, ...]:
    return mend(segment(text), edits, is_spun=is_spun)[1]


MENDED = [
    ("a low of three.5% again", "a low of 3.5% again"),
    ("Nineteen,000 units, two,216 answers", "19,000 units, 2,216 answers"),
    ("two.13 and twenty.8 and fifty,000", "2.13 and 20.8 and 50,000"),
    ("open twenty-four/7 until five:30 p.m.", "open 24/7 until 5:30 p.m."),
    ("a couple of.5 million, one.9%", "2.5 million, 1.9%"),
    ("from 2:00PM-five:30PM", "from 2:00PM-5:30PM"),
    ("three hundred,000 miles", "300,000 miles"),
    ("It gained't work, they received\u2019t come", "It won't work, they won\u2019t come"),
    ("You may't, we will't, it could\u2019t", "You can't, we can't, it can\u2019t"),
    ("It might possibly't and may well't", "It can't and can't"),
    ("We are able to't, they'll't, you'll be able to't", "We can't, they can't, you can't"),
    ("To search out out what it seems to be like like", "To search out what it seems to be like"),
    ("Up up to now, together with with respect", "Up to now, together with respect"),
]


@pytest.mark.parametrize(("text", "right"), MENDED)
def test_certain_debris_is_mended_in_spun_texts_only(text: str, right: str) -> None:
    assert mended(text) == right
    assert mended(text, is_spun=False) == text
    assert not held(text)


KEPT = [
    "I know that that was what it is is, and they had had it; it is very very far, a long long way, bye bye.",
    "what is going on on the ground, a web page of the the kind",
    "Duran Duran played in New York, New York. Pago Pago, Baden Baden, Boutros Boutros-Ghali.",
    "He came with, with us; video, video. Video\nvideo",
    "a video-video link, video videos, video.video video's video's, ha ha, blah blah blah",
    "mind over over over, out out out",
    "It went three, 3.5 and thirty-five. In nineteen. 23 people. At five, 30 came; 3,000 of three.",
    "two,5 and ten:7 and freelance.5 and www.one.2.com and http://a.example/three.5",
    "can't won't isn't gov't the gained, 'tis and received 't",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_authors_write_stays(text: str) -> None:
    assert mended(text) == text
    assert not held(text)


CODE = [
    "while while (upon upon) { return return; }",
    r"\textbf{upon upon} and $\{x|y\}$",
    '{"upon upon": "a|b"}',
    "<p>into into</p>",
    "print() into into",
    "${HOME|x} set{a|b} %{a|b} {a: string|number} {x | x > 0} {n|m}",
    "{{cite web|url}} {{ name | upper }} {name} {} {|} | { }",
    "{first\n|second}",
    "{first|second, {third",
]


@pytest.mark.parametrize("text", CODE)
def test_code_formulas_and_templates_stay(text: str) -> None:
    assert mended(text) == text
    assert not held(text)


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("He plays video video games.", "video video", "video"),
        ("Dietary dietary supplements", "Dietary dietary", "Dietary"),
        ("with lots of of us", "of of", "of"),
    ],
)
def test_a_word_that_may_have_been_another_is_held(text: str, before: str, after: str) -> None:
    (waiting,) = held(text)
    assert mended(text) == text
    assert not held(text, is_spun=False)
    assert waiting.candidate.before == before == text[waiting.candidate.start : waiting.candidate.end]
    assert [option.after for option in waiting.candidate.options] == [after, before]


@pytest.mark.parametrize("is_spun", [True, False])
@pytest.mark.parametrize(
    ("text", "group", "readings"),
    [
        ("Say {hi|hello}, world", "{hi|hello}", ["hi", "hello"]),
        ("A {very |}nice day", "{very |}", ["very ", ""]),
        ("{{hi|hello} you|hey}!", "{{hi|hello} you|hey}", ["hi you", "hey", "hello you"]),
        ("{a {b|{c|d} e} f|g h}", "{a {b|{c|d} e} f|g h}", ["a b f", "g h", "a c e f", "a d e f"]),
        ("{fine|fine|good}", "{fine|fine|good}", ["fine", "good"]),
    ],
)
def test_spintax_is_held_with_its_readings(text: str, group: str, readings: list[str], is_spun: bool) -> None:
    (waiting,) = held(text, is_spun=is_spun)
    *options, left = waiting.candidate.options
    assert [option.after for option in options] == readings
    assert sum(option.posterior for option in options) == pytest.approx(1.0)
    assert (left.after, left.posterior) == (group, 0.0)
    assert text[waiting.candidate.start : waiting.candidate.end] == waiting.candidate.before == group
    assert mended(text, is_spun=is_spun) == text


def test_edits_inside_spintax_go() -> None:
    text = "a {battle|struggle} and a struggle"
    inside, outside = edit(text, "battle", "war"), edit(text, "and a struggle", "and a war")
    assert mend(segment(text), [inside, outside], is_spun=True)[0] == (outside,)


def test_spintax_lists_so_many_readings_and_no_group_is_endless() -> None:
    (waiting,) = held("{" + "|".join(f"word {n}" for n in range(40)) + "}")
    assert len(waiting.candidate.options) == MOST_READINGS + 1
    assert not held("{a|" + "word " * LONGEST_GROUP + "}")


def test_groups_side_by_side_are_held_apart() -> None:
    assert [w.candidate.before for w in held("{hi|hello}{ you| there} {good|fine}")] == [
        "{hi|hello}", "{ you| there}", "{good|fine}",
    ]  # fmt: skip


# With edits


def test_an_edit_that_breaks_a_figure_is_undone() -> None:
    text = "a reach of 5,073 people"
    assert mend(segment(text), [edit(text, "5", "five")], is_spun=True) == ((), ())


def test_a_mending_that_meets_an_edit_replaces_it() -> None:
    text = "he has to deal with with of it"
    (one,) = mend(segment(text), [edit(text, "deal with", "cope with", confidence=0.7)], is_spun=True)[0]
    assert (one.before, one.after) == ("deal with with", "cope with")
    assert (one.confidence, one.decided_by, one.entry) == (0.7, DecidedBy.DEBRIS, None)


def test_debris_that_an_edit_clears_needs_no_mending() -> None:
    text = "They received't find out out why three.5% fell"
    edits = (
        edit(text, "received't", "won't"),
        edit(text, "find out out", "find out"),
        edit(text, "three", "3"),
    )
    assert mend(segment(text), edits, is_spun=True) == (edits, ())


def test_other_edits_and_a_word_that_an_edit_doubles_stay() -> None:
    text = "The struggle will draw a whole total, three.5% of it, and a decision."
    edits = edit(text, "struggle", "war"), edit(text, "whole", "total"), edit(text, "decision", "resolution")
    made, waiting = mend(segment(text), edits, is_spun=True)
    assert apply(text, made) == "The war will draw a total total, 3.5% of it, and a resolution."
    assert [e for e in made if e.decided_by is DecidedBy.DECODER] == list(edits)
    assert not waiting


def test_only_the_documents_paragraphs_are_mended() -> None:
    text = "It was three.5%.\nIt was three.5%.\nThe end end."
    document = segment(text)
    kept = Document(text, document.paragraphs[1:])
    assert apply(text, mend(kept, (), is_spun=True)[0]) == "It was three.5%.\nIt was 3.5%.\nThe end end."


def test_edits_that_meet_are_refused() -> None:
    text = "the struggle goes on"
    with pytest.raises(EditConflict):
        mend(segment(text), [edit(text, "struggle", "war"), edit(text, "struggle goes", "war goes")], is_spun=True)


@pytest.mark.parametrize(
    "piece", ["{a", "{a|b", "{{{", "a ", "up up ", "video video ", "aaaa", "three,", "will ", "{a|b}{", "{a|b} "]
)
def test_one_long_line_takes_time_in_proportion(piece: str) -> None:
    def seconds(size: int) -> float:
        document = segment(piece * (size // len(piece)))
        start = time.perf_counter()
        mend(document, (), is_spun=True)
        return time.perf_counter() - start

    assert seconds(400_000) < 8 * max(seconds(100_000), 0.02)


def test_what_lies_in_spintax_waits_with_it() -> None:
    text = "{a|{b|c three.5 }"
    made, (held,) = mend(segment(text), [], is_spun=True)
    assert made == () and held.candidate.before == text[held.candidate.start : held.candidate.end]
