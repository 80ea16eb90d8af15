"""Which edits are right, and whether confidences say so."""

from __future__ import annotations

import pytest

from unspin.calibration import Judged, expected_calibration_error, judge, reliability, roc_auc
from unspin.errors import EditConflict
from unspin.gold import parse_markup
from unspin.model import DecidedBy, Edit


def right(markup: str, *swaps: tuple[str, str]) -> list[bool]:
    """Judge swaps given as (before, after), each at the first place where `before` stands."""
    gold = parse_markup(markup, name="markup")
    edits = [edit(gold.text.index(before), before, after) for before, after in swaps]
    return [judged.correct for judged in judge(gold, edits)]


def edit(start: int, before: str, after: str, decided_by: DecidedBy = DecidedBy.DECODER) -> Edit:
    return Edit(start, start + len(before), before, after, None, 0.5, decided_by)


PAIR = "sealing [[enterprise offers|business deals|business contracts]] now"


@pytest.mark.parametrize(
    ("markup", "swaps", "expected"),
    [
        ("the [[struggle|war|conflict]] ends", [("struggle", "conflict")], [True]),
        ("the [[Struggle|war]]’s", [("Struggle", "War")], [True]),
        ("the [[struggle|war]] ends", [("struggle", "fight")], [False]),
        ("the [[struggle|war]] ends", [("ends", "stops")], [False]),  # it touches no gold span
        # Parts of one span: judged together, and each by what it does.
        (PAIR, [("enterprise", "business"), ("offers", "deals")], [True, True]),
        (PAIR, [("enterprise", "business"), ("offers", "gifts")], [True, False]),
        (PAIR, [("offers", "contracts")], [True]),
        (PAIR, [("enterprise", "deals")], [False]),
        (PAIR, [("offers", "business deals")], [False]),
        (PAIR, [("enterprise", "business deals")], [False]),
        ("[[a b c|x y z]]", [("b", "y")], [True]),
        ("[[a b c|x y z]]", [("b", "z")], [False]),
        ("[[coronary heart|heart]]", [("coronary ", "")], [True]),
        ("[[coronary heart|heart]]", [("coronary ", ""), ("heart", "lung")], [True, False]),
        ("[[big old house|small home]]", [("big", "small"), ("old ", ""), ("house", "home")], [True, True, True]),
        ("[[coronary heart|heart]]", [("coronary", "big"), (" heart", "")], [False, False]),
        # An edit may be wider than the span, or touch several.
        ("[[Is aware of find out|knows]] how to win", [("Is aware of find out how to", "Knows how to")], [True]),
        ("he [[is aware of find out|knows]] how to win", [("is aware of find out how to", "knows to")], [False]),
        ("the [[struggle|war]] ends", [("struggle ends", "war")], [False]),
        ("the [[struggle|war]] ends", [("the struggle", "war")], [False]),
        ("[[enterprise|business]] [[offers|deals]]", [("enterprise offers", "business deals")], [True]),
        ("[[enterprise|business]] [[offers|deals]]", [("enterprise offers", "business gifts")], [False]),
        ("[[enterprise|business]] [[offers|deals]]", [("enterprise", "business"), ("offers", "gifts")], [True, False]),
        # It may cut a possessive off.
        ("the [[heart’s|coronary heart's]] end", [("heart", "coronary heart")], [True]),
        ("[[an extraordinary|a rare]] end", [("an", "a"), ("extraordinary", "rare")], [True, True]),
    ],
)
def test_an_edit_is_right_if_its_span_reads_as_accepted(
    markup: str, swaps: list[tuple[str, str]], expected: list[bool]
) -> None:
    assert right(markup, *swaps) == expected


def test_judgements_come_in_reading_order_without_duplicates() -> None:
    gold = parse_markup("[[a|b]] c [[d|e]]\n[[a|b]] c", name="markup")
    repeat = edit(6, "a c", "", DecidedBy.DUPLICATE)
    assert judge(gold, [repeat, edit(4, "d", "e"), edit(0, "a", "x")]) == (Judged(0.5, False), Judged(0.5, True))


def test_edits_of_another_text_are_refused() -> None:
    with pytest.raises(EditConflict, match="4:5"):
        judge(parse_markup("a b [[c|d]]", name="markup"), [edit(4, "x", "y")])


def test_overlapping_edits_are_refused() -> None:
    with pytest.raises(EditConflict, match="2:5"):
        judge(parse_markup("a b [[c|d]]", name="markup"), [edit(2, "b c", "d"), edit(0, "a b", "d")])


JUDGED = [Judged(0.95, True), Judged(1.0, True), Judged(0.9, False), Judged(0.25, False), Judged(0.0, False)]


def test_reliability_bins_hold_their_lower_edge_and_the_last_one_holds_one() -> None:
    table = reliability(JUDGED)
    assert [(b.lower, b.upper, b.count, b.accuracy) for b in table] == [
        (0.0, 0.1, 1, 0.0),
        (0.2, 0.3, 1, 0.0),
        (0.9, 1.0, 3, pytest.approx(2 / 3)),
    ]
    assert table[2].confidence == pytest.approx(0.95)
    assert [b.count for b in reliability(JUDGED, bins=1)] == [5]
    with pytest.raises(ValueError, match="0 bins"):
        reliability(JUDGED, bins=0)


def test_expected_calibration_error_weighs_bins_by_count() -> None:
    assert expected_calibration_error(JUDGED) == pytest.approx((0.0 + 0.25 + 3 * (0.95 - 2 / 3)) / 5)
    assert expected_calibration_error([]) == 0.0


@pytest.mark.parametrize(
    ("positives", "negatives", "area"),
    [([2, 3], [0, 1], 1.0), ([0, 1], [2, 3], 0.0), ([1, 1], [1], 0.5), ([1, 3], [0, 2, 3], 0.5 + 0.5 / 6)],
)
def test_roc_auc_counts_ties_by_half(positives: list[float], negatives: list[float], area: float) -> None:
    assert roc_auc(positives, negatives) == pytest.approx(area)


def test_roc_auc_needs_both_sides() -> None:
    with pytest.raises(ValueError, match="positives and negatives"):
        roc_auc([], [1.0])
