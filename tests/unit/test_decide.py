"""From readings to edits and held candidates: thresholds, guards, and what never becomes an edit."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from unspin.decide import (
    EVIDENCE,
    EVIDENCE_PER_WORD,
    INTERCEPT,
    MOST_ODDS,
    SLOPE,
    calibrated,
    candidates,
    decide,
    evidence,
    guard,
    quantities,
    unsure,
)
from unspin.decode import Decoding, Reading
from unspin.lexicon import Lexicon
from unspin.model import DecidedBy, Edit, Entry, Held, HeldReason, Restoration, Signature, SpinEvidence, Status
from unspin.text import is_negated, segment

LEXICON = Lexicon(
    [
        Entry("struggle", "war", 0.6),
        Entry("struggle", "fight", 0.3),
        Entry("struggle", "effort", 0.1, status=Status.REVIEW),
        Entry("in opposition to", "against", 0.9),
        Entry("4", "four", 0.5),
        Entry("5", "four", 0.1),
        Entry("by no means", "never", 0.5),
        Entry("all the time", "never", 0.1),
        Entry("usa", "United States", 0.5),
        Entry("us", "we", 0.5),
        Entry("iphone", "phone", 0.5),
    ]
)
RATES = (0.5, 1.0)


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    """No test is answered from what another one asked."""
    guard.cache_clear()
    quantities.cache_clear()


def reading(text: str, spun: str, original: str, posterior: float = 0.9, *, is_best: bool = True) -> Reading:
    """The swap of the first place where `spun` stands."""
    start = text.index(spun)
    found = tuple(t for t in segment(text).tokens if start <= t.start < start + len(spun))
    key = (" ".join(token.norm for token in found), original)
    (entry,) = (n for n, e in enumerate(LEXICON.active) if (e.spun, e.original) == key)
    return Reading(found, entry, posterior, is_best, start == 0)


def decided(text: str, *readings: Reading, min_confidence: float = 0.5) -> tuple[tuple[Edit, ...], tuple[Held, ...]]:
    return decide(text, readings, LEXICON, min_confidence=min_confidence)


def test_a_sure_reading_becomes_an_edit_that_quotes_the_text() -> None:
    text = "He stood in\u00a0opposition to it."
    (edit,), held = decided(text, reading(text, "in\u00a0opposition to", "against", 0.75))
    assert (edit.start, edit.end) == (9, 25)
    assert edit.before == text[9:25]
    assert (edit.after, edit.confidence, edit.decided_by) == ("against", calibrated(0.75), DecidedBy.DECODER)
    assert edit.entry is not None and edit.entry.original == "against"
    assert held == ()


def test_only_the_best_path_is_followed() -> None:
    text = "a struggle"
    (edit,), held = decided(
        text,
        reading(text, "struggle", "war", 0.3),
        reading(text, "struggle", "fight", 0.6, is_best=False),
        min_confidence=0.2,
    )
    assert (edit.after, held) == ("war", ())
    assert decided(text, reading(text, "struggle", "war", 0.99, is_best=False)) == ((), ())


@pytest.mark.parametrize(("posterior", "above", "is_made"), [
    (0.7, 0.0, True), (0.7, 0.001, False), (0.6, 0.0, True), (1.0, 0.0, True), (1.0, 0.001, False),
])  # fmt: skip
def test_the_threshold_is_inclusive(posterior: float, above: float, is_made: bool) -> None:
    text, min_confidence = "a struggle", calibrated(posterior) + above
    edits, held = decided(text, reading(text, "struggle", "war", posterior), min_confidence=min_confidence)
    assert (len(edits), [h.reason for h in held]) == ((1, []) if is_made else (0, [HeldReason.CONFIDENCE]))


def test_confidence_rises_with_the_posterior_and_is_never_certainty() -> None:
    confidences = [calibrated(n / 100) for n in range(101)]
    assert confidences == sorted(confidences)
    assert 0.0 < confidences[0] < 0.1 and 0.9 < confidences[-1] < 1.0


def test_what_was_held_for_its_confidence_can_be_judged_all_the_same() -> None:
    text = "a struggle for 5 years"
    edits, held = decided(
        text, reading(text, "struggle", "war", 0.6), reading(text, "5", "four", 0.9), min_confidence=0.99
    )
    spin = SpinEvidence(1.0, 1.0, 5, True)
    restoration = Restoration(text, spin, (), edits, held, Signature("", "", "", ()))
    (edit,) = unsure(restoration)
    assert (edit.before, edit.after, edit.confidence) == ("struggle", "war", calibrated(0.6))
    assert edit.entry is not None and (edit.entry.original, edit.decided_by) == ("war", DecidedBy.DECODER)


def test_an_entry_for_review_is_held_however_sure() -> None:
    text = "a struggle"
    edits, (held,) = decided(text, reading(text, "struggle", "effort", 1.0), min_confidence=0.0)
    assert (edits, held.reason) == ((), HeldReason.STATUS)


def test_what_is_held_shows_every_option_of_its_span_by_posterior() -> None:
    text = "a struggle"
    _, (held,) = decided(
        text,
        reading(text, "struggle", "war", 0.38),
        reading(text, "struggle", "fight", 0.33, is_best=False),
        reading(text, "struggle", "effort", 0.05, is_best=False),
    )
    assert held.candidate.before == "struggle"
    assert [(o.after, o.posterior) for o in held.candidate.options] == [
        ("war", 0.38),
        ("fight", 0.33),
        ("struggle", pytest.approx(0.24)),
        ("effort", 0.05),
    ]
    assert [o.entry is None for o in held.candidate.options] == [False, False, True, False]


@pytest.mark.parametrize(
    ("text", "spun", "original", "reason"),
    [
        ("for 5 years", "5", "four", HeldReason.NUMBER),
        ("it works all the time", "all the time", "never", HeldReason.NEGATION),
        ("the USA won", "USA", "United States", None),
        ("for 4 years", "4", "four", None),
        ("it by no means works", "by no means", "never", None),
        ("my iPhone rang", "iPhone", "phone", HeldReason.NAME),
        ("the US won", "US", "we", HeldReason.NAME),
    ],
)
def test_numbers_negations_and_names_are_guarded(
    text: str, spun: str, original: str, reason: HeldReason | None
) -> None:
    edits, held = decided(text, reading(text, spun, original, 1.0))
    assert [h.reason for h in held] == ([reason] if reason else [])
    assert len(edits) == (reason is None)


def test_guards_come_before_status_and_threshold() -> None:
    text = "for 5 years"
    _, (held,) = decided(text, reading(text, "5", "four", 0.6), min_confidence=0.9)
    assert held.reason == HeldReason.NUMBER


def test_where_nothing_would_change_there_is_no_edit_and_nothing_to_hold() -> None:
    """Once its case is carried over, a swap may read as the text does already."""
    proper = Lexicon([Entry("march", "March", 0.5)])
    token = segment("March!").tokens[:1]
    assert decide("March!", [Reading(token, 0, 1.0, True, True)], proper, min_confidence=0.0) == ((), ())


def test_case_is_carried_over() -> None:
    text = "Struggle is hell"
    ((edit,), _) = decided(text, reading(text, "Struggle", "war"))
    assert edit.after == "War"


def test_a_capital_inside_a_sentence_is_no_first_word() -> None:
    """An abbreviation keeps the lexicon's case, unless it begins the sentence."""
    capital = Lexicon([Entry("us", "we", 0.5)])
    (token,) = segment("US").tokens
    for at_start, after in ((True, "We"), (False, "we")):
        (found,) = candidates("US", [Reading((token,), 0, 0.9, True, at_start, 0.4)], capital)
        assert (found.best.after, found.best.posterior, found.best.prior) == (after, 0.9, 0.4)


@pytest.mark.parametrize(("text", "after"), [
    ("gained 5% more", " percent"), ("gained % more", "percent"), ("gained 5 % more", "percent"), ("% more", "percent"),
    ("x5% more", " percent"),
])  # fmt: skip
def test_a_word_for_a_sign_is_parted_from_what_it_stands_behind(text: str, after: str) -> None:
    signs = Lexicon([Entry("%", "percent", 0.5)])
    (token,) = (token for token in segment(text).tokens if token.text == "%")
    (found,) = candidates(text, [Reading((token,), 0, 0.9, True, False)], signs)
    assert found.best.after == after


def test_a_sign_for_a_word_and_a_word_for_a_word_bring_no_blank() -> None:
    signs = Lexicon([Entry("percent", "%", 0.5), Entry("percent", "p", 0.2)])
    text = "5percent"
    found = Reading(tuple(segment("percent").tokens), 0, 0.5, True, False)
    places = [token._replace(start=token.start + 1, end=token.end + 1) for token in found.tokens]
    (candidate,) = candidates(text, [Reading(tuple(places), n, 0.4, n == 0, False) for n in (0, 1)], signs)
    assert [option.after for option in candidate.options] == ["%", "p", "percent"]


def test_candidates_come_in_reading_order_and_their_options_share_one() -> None:
    text = "in opposition to a struggle"
    found = list(
        candidates(
            text,
            [
                reading(text, "struggle", "fight", 0.1),
                reading(text, "struggle", "war", 0.7),
                reading(text, "in opposition to", "against", 1.0),
            ],
            LEXICON,
        )
    )
    assert [(c.start, c.end, c.before, c.best.after) for c in found] == [
        (0, 16, "in opposition to", "against"),
        (19, 27, "struggle", "war"),
    ]
    for candidate in found:
        assert sum(option.posterior for option in candidate.options) == pytest.approx(1.0)
        posteriors = [option.posterior for option in candidate.options]
        assert posteriors == sorted(posteriors, reverse=True)
        assert [option.after for option in candidate.options if option.entry is None] == [candidate.before]


def test_what_changes_nothing_and_what_is_likelier_left_alone_stop_nothing() -> None:
    text = "March for a struggle, 4 us"
    lexicon = Lexicon([Entry("struggle", "war", 0.5), Entry("march", "March", 0.1), Entry("us", "we", 0.5)])
    entries = [entry.spun for entry in lexicon.active]
    by_text = {token.text: token for token in segment(text).tokens}

    def found(spun: str, posterior: float) -> Reading:
        return Reading((by_text[spun],), entries.index(spun.lower()), posterior, True, False)

    readings = [found("March", 1.0), found("us", 0.3), found("struggle", 0.9)]
    edits, held = decide(text, readings, lexicon, min_confidence=0.5)
    assert ([edit.before for edit in edits], held) == (["struggle"], ())


def test_an_option_that_is_as_likely_as_leaving_it_alone_is_held() -> None:
    text = "a struggle"
    _, (held,) = decided(text, reading(text, "struggle", "war", 0.5), min_confidence=0.8)
    assert held.reason == HeldReason.CONFIDENCE
    assert decided(text, reading(text, "struggle", "war", 0.49), min_confidence=0.8) == ((), ())
    assert len(decided(text, reading(text, "struggle", "war", 0.4), min_confidence=calibrated(0.4))[0]) == 1


@pytest.mark.parametrize(("before", "option", "after", "is_kept"), [
    ("iPhone", "phone", "phone", False), ("the iPhone", "a phone", "a phone", False), ("NATO", "pact", "pact", False),
    ("NATO", "pact", "PACT", True), ("NATO", "Pact", "Pact", True), ("Nato", "pact", "pact", True),
    ("Two words", "one", "one", True), ("iP", "phone", "phone", False), ("US", "usual", "Usual", False),
])  # fmt: skip
def test_acronyms_and_inner_capitals_stay(before: str, option: str, after: str, is_kept: bool) -> None:
    assert (guard(before.replace("Two", "Few").replace("one", "x"), option, after) is None) is is_kept


def test_confidence_is_the_fitted_line_in_log_odds() -> None:
    assert calibrated(0.5) == pytest.approx(1 / (1 + math.exp(-INTERCEPT)))
    assert calibrated(0.9) == pytest.approx(1 / (1 + math.exp(-(SLOPE * math.log(9) + INTERCEPT))))
    assert calibrated(1.0) == pytest.approx(1 / (1 + math.exp(-(SLOPE * MOST_ODDS + INTERCEPT))))


def verdict(*gains: float, words: int) -> bool:
    return evidence(Decoding((), gains, words), RATES).is_spun


def test_evidence_is_the_best_gain_per_word_and_its_rate() -> None:
    found = evidence(Decoding((), (50.0, 20.0), 100), RATES)
    assert (found.rate, found.evidence, found.words, found.is_spun) == (0.5, 0.5, 100, True)


def test_of_equal_gains_the_lower_rate_is_taken_and_every_gain_has_its_rate() -> None:
    assert evidence(Decoding((), (20.0, 20.0), 10), RATES).rate == 0.5
    with pytest.raises(ValueError, match="zip"):
        evidence(Decoding((), (20.0,), 10), RATES)


def test_a_little_gain_counts_but_the_noise_of_sums_does_not() -> None:
    small = evidence(Decoding((), (0.0, 0.5), 1), RATES)
    assert (small.rate, small.evidence) == (1.0, 0.5)
    assert evidence(Decoding((), (0.0, 9e-7), 1), RATES).rate == 0.0
    assert evidence(Decoding((), (0.0, 1e-6), 1), RATES).rate == 1.0


def test_without_a_gain_the_rate_is_zero() -> None:
    assert evidence(Decoding((), (-1.0, -2.0), 100), RATES).evidence == 0.0
    assert evidence(Decoding((), (-1.0, -2.0), 100), RATES).rate == 0.0
    assert evidence(Decoding((), (0.0, 0.0), 100), RATES).rate == 0.0
    nothing = evidence(Decoding((), (0.0, 0.0), 0), RATES)
    assert (nothing.rate, nothing.evidence, nothing.is_spun) == (0.0, 0.0, False)


def test_spun_takes_enough_evidence_in_all_and_per_word() -> None:
    enough = EVIDENCE * 1.01
    assert verdict(0.0, enough, words=20)
    assert not verdict(0.0, EVIDENCE * 0.99, words=20)
    assert not verdict(0.0, enough, words=int(enough / EVIDENCE_PER_WORD) + 1)
    assert verdict(0.0, EVIDENCE, words=1)
    assert verdict(0.0, EVIDENCE_PER_WORD * 100, words=100)


@pytest.mark.parametrize(("one", "other"), [
    ("four years", "4 years"), ("3,000", "3,000"), ("twenty-one", "21"), ("two hundred", "200"), ("year", "12 months"),
    ("day", "24 hours"), ("the one", "the only"), ("struggle", "war"), ("", "nothing at all"),
    ("the Nineties", "the 1990s"), ("Nineteen Twenties", "1920s"), ("in their nineties", "in their time"),
])  # fmt: skip
def test_quantities_that_are_equal(one: str, other: str) -> None:
    assert quantities(one) == quantities(other)


@pytest.mark.parametrize(("one", "other"), [
    ("four", "five"), ("4", "40"), ("four years", "years"), ("24 hours", "25 hours"), ("two", "2,000"),
    ("a million", "a billion"), ("two two", "two"), ("seven", "many"),
    ("the Nineties", "the 1890s"), ("Nineteen Twenties", "1930s"), ("in their nineties", "in their 1990s"),
])  # fmt: skip
def test_quantities_that_differ(one: str, other: str) -> None:
    assert quantities(one) != quantities(other)


def test_quantities_are_counted() -> None:
    assert quantities("2 of 2 and seven") == Counter({2: 2, 7: 1})


@pytest.mark.parametrize("words", ["not", "is not any", "by no means", "isn\u2019t", "Cannot", "without it", "nor"])
def test_negations(words: str) -> None:
    assert is_negated(words)


@pytest.mark.parametrize("words", ["knot", "notable", "nominal", "another", "now", "north", "", "whether or not"])
def test_no_negations(words: str) -> None:
    assert not is_negated(words)


def test_a_guard_is_silent_where_neither_side_has_what_it_guards() -> None:
    assert guard("struggle", "war", "war") is None
    assert guard("isn't any closer", "is no closer", "is no closer") is None
