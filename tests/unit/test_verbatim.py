"""Long passages that stand word for word in several texts."""

from __future__ import annotations

import time

import pytest

from unspin.copies import PASSAGE_WORDS, dedupe, without
from unspin.model import CopyGroup, DuplicateKind, Keep, Level, Place
from unspin.verbatim import SHORTEST, find_passages

PASSAGE = (
    "The ferry leaves the harbour at six in the morning, when the fog still lies on the water, and whoever wants to "
    "see the islands before the crowds arrive does well to be on board; the captain, who has made the crossing for "
    "thirty years, tells the passengers at each rock which ship once struck it and what became of her crew."
)
FIRST = f"Tickets are sold at the quay. {PASSAGE} Coffee is served below deck."
SECOND = f"We were told this by our hosts: {PASSAGE} Then it began to rain, and nobody spoke."


def quoted(texts: list[str], place: Place) -> str:
    return texts[place.text][place.start : place.end]


def passages(texts: list[str], **options: object) -> tuple[CopyGroup, ...]:
    return dedupe(texts, level=Level.PASSAGE, **{"keep": Keep.FIRST} | options)  # type: ignore[arg-type]


def test_a_passage_inside_two_texts_is_found_with_the_marks_around_it() -> None:
    texts = [FIRST, SECOND]
    (group,) = passages(texts)
    (copy,) = group.copies
    assert quoted(texts, group.kept) == quoted(texts, copy.place) == PASSAGE
    assert (group.kept.text, copy.place.text, copy.kind, copy.score) == (0, 1, DuplicateKind.EXACT, 1.0)
    assert copy.rule == "the same 62 words in a row"
    assert without(SECOND, [copy.place]) == "We were told this by our hosts: Then it began to rain, and nobody spoke."


def test_case_and_punctuation_do_not_count() -> None:
    texts = [FIRST, SECOND.upper().replace(",", "")]
    (group,) = passages(texts)
    assert group.copies[0].kind is DuplicateKind.NORMALISED
    assert quoted(texts, group.copies[0].place) == PASSAGE.upper().replace(",", "")


@pytest.mark.parametrize(("keep", "kept"), [(Keep.FIRST, 0), (Keep.ORIGINAL, 2), (Keep.LONGEST, 1), (Keep.NEWEST, 0)])
def test_policies(keep: Keep, kept: int) -> None:
    texts = [FIRST, f"{SECOND} {SECOND[-40:]}", FIRST.replace("Coffee", "Tea")]
    groups = passages(texts, keep=keep, dates=[3.0, 2.0, 1.0])
    assert {group.kept.text for group in groups} >= {kept}
    assert all(copy.place.text != kept for group in groups for copy in group.copies)


def test_shorter_passages_are_left_alone() -> None:
    words = PASSAGE.split()
    assert PASSAGE_WORDS == 50
    assert passages([FIRST, f"Now {' '.join(words[:49])} stop"]) == ()
    assert len(passages([FIRST, f"Now {' '.join(words[:50])} stop"])) == 1
    assert len(passages([FIRST, f"Now {' '.join(words[:12])} stop"], min_words=12)) == 1
    with pytest.raises(ValueError, match="7 words are too short"):
        find_passages([FIRST], min_words=SHORTEST - 1)


def test_a_passage_repeated_in_one_text_is_kept_once() -> None:
    (group,) = passages([f"{FIRST} {FIRST}"])
    assert (group.kept.start, group.copies[0].place.start) == (0, len(FIRST) + 1)
    text = "one two three " * 60
    left = without(text, [copy.place for group in passages([text]) for copy in group.copies])
    assert 50 <= len(left.split()) < 100


def test_what_stands_in_two_earlier_texts_is_told_in_pieces() -> None:
    """The first half is kept in one text, the second in another, and only together are they long enough there."""
    words = [f"w{n}" for n in range(90)]
    texts = [" ".join(words[:60]), " ".join(["new", *words[10:]]), " ".join(["other", *words])]
    gone = [copy.place for group in passages(texts) for copy in group.copies if copy.place.text == 2]
    assert without(texts[2], gone).split() == ["other"]


@pytest.mark.parametrize("texts", [[], [""], ["", " "], ["\ud800 word " * 5], ["one"], [PASSAGE]])
def test_nothing_repeats(texts: list[str]) -> None:
    assert passages(texts) == ()


def test_boilerplate_in_very_many_texts_takes_bounded_time() -> None:
    start = time.process_time()
    texts = [f"Text {n} says {n * n}. {PASSAGE} And {n} ends." for n in range(5_000)]
    (group,) = passages(texts)
    assert len(group.copies) == 4_999
    assert time.process_time() - start < 60


def test_progress_is_told() -> None:
    told: list[str] = []
    passages([FIRST, SECOND], progress=lambda stage, done, total: told.append(stage))
    assert set(told) == {"reading", "matching"}
