"""Scores against gold: each gold span counts once, under fixed rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from unspin.evaluate import Detail, Outcome, Score, confusions, outcomes, score, total
from unspin.gold import markup_from_pair, parse_markup

SEED = Path(__file__).parents[2] / "seeds" / "seed.markup.txt"


def scored(markup: str, output: str) -> Score:
    return score(parse_markup(markup, name="markup"), output)


def counts(found: Score) -> dict[str, int]:
    return {kind.value: n for kind in Outcome if (n := getattr(found, kind))}


@pytest.mark.parametrize(
    ("markup", "output", "expected"),
    [
        ("the [[struggle|war|conflict]] is over", "the conflict is over", {"restored": 1}),
        ("the [[struggle|war]] is over", "the fight is over", {"wrong": 1}),
        ("the [[struggle|war]] is over", "the is over", {"wrong": 1}),
        ("the [[struggle|war]] is over", "the struggle is over", {"missed": 1}),
        ("the [[struggle|war|struggle]] is over", "the struggle is over", {"optional_kept": 1}),
        ("the [[struggle|war]] is over", "the war is finished", {"restored": 1, "spurious": 1}),
        ("the [[struggle|war]] is", "so the war is", {"restored": 1, "spurious": 1}),
        ("[[Whereas|While]] it’s", "WHILE IT'S", {"restored": 1}),  # case and curly quotes do not count
        ("[[so|]] it is", "it is", {"restored": 1}),
        # Touching spans that change together are read together.
        ("[[enterprise|business]] [[offers|deals]] now", "business deals now", {"restored": 2}),
        ("[[enterprise|business]] [[offers|deals]] now", "business offers now", {"restored": 1, "missed": 1}),
        ("[[enterprise|business]] [[offers|deals]] now", "business gifts now", {"restored": 1, "wrong": 1}),
        ("[[is aware of|knows]] [[find out how to|how to]] win", "knows how to win", {"restored": 2}),
        ("[[struggle|war]] is over", "struggle was over", {"missed": 1, "spurious": 1}),
        ("so is the [[struggle|war]]", "so was that struggle", {"missed": 1, "spurious": 1}),
        # What is inserted beside a span belongs to it.
        ("the [[struggle|war of all]] is", "the struggle of all is", {"wrong": 1}),
        ("the [[struggle|old war]] is", "the old struggle is", {"wrong": 1}),
        # A change that reaches beyond a span and breaks what stands around it costs the span.
        ("[[one|two]] and [[a b|c]]", "two or c", {"wrong": 2}),
        ("a [[b|c d]] e", "a c d e", {"restored": 1}),
        ("a [[b|c d]] e", "a c d d e", {"wrong": 1}),
        # A possessive belongs to the word in the output, whatever the markup cuts.
        ("[[enterprise's|business's]] end", "business’s end", {"restored": 1}),
        ("", "new words", {"spurious": 1}),
        ("[[a|b]]", "", {"wrong": 1}),
        ("plain text", "plain text", {}),
    ],
)
def test_each_gold_span_counts_once(markup: str, output: str, expected: dict[str, int]) -> None:
    assert counts(scored(markup, output)) == expected


def test_in_a_long_run_only_whole_readings_count() -> None:
    words = "abcdefg"
    markup = "".join(f"[[{w}|{w}{w}]] " for w in words)
    assert counts(scored(markup, " ".join(w * 2 for w in words))) == {"restored": 7}
    assert counts(scored(markup, " ".join(w * 2 for w in words[:-1]) + " z")) == {"wrong": 7}
    assert counts(scored(markup, "aa b c d e ff gg")) == {"restored": 3, "missed": 4}


def test_ratios() -> None:
    found = Score(restored=6, wrong=2, missed=4, spurious=2)
    assert (found.precision, found.recall) == (0.6, 0.5)
    assert found.f05 == pytest.approx(1.25 * 0.6 * 0.5 / (0.25 * 0.6 + 0.5))
    assert (Score().precision, Score().recall, Score().f05) == (0.0, 0.0, 0.0)


def test_outcomes_stand_in_the_order_of_the_spans() -> None:
    gold = parse_markup("a [[b|c]] [[d|e]] and [[f|g]] or [[h|i|h]] so [[k|l]]", name="markup")
    assert outcomes(gold, "a c d and x or h so l") == (
        Outcome.RESTORED,
        Outcome.MISSED,
        Outcome.WRONG,
        Outcome.OPTIONAL_KEPT,
        Outcome.RESTORED,
    )
    assert outcomes(parse_markup("plain text", name="markup"), "other words") == ()


def test_details_tell_what_was_chosen_and_where() -> None:
    found = scored(
        "It ended the [[Struggle|war|conflict]] in one [[yr|year]], he said.",
        "It finished the fight in one yr, he said.",
    )
    assert found.details == (
        Detail(Outcome.SPURIOUS, "ended", "finished", (), "It [ended] the Struggle in"),
        Detail(Outcome.WRONG, "Struggle", "fight", ("war", "conflict"), "It ended the [Struggle] in one yr"),
        Detail(Outcome.MISSED, "yr", "yr", ("year",), "Struggle in one [yr] , he said"),
    )
    assert found.tokens == 11


def test_total_is_a_micro_average() -> None:
    one, two = scored("[[a|b]] [[c|d]]", "b c"), scored("[[e|f]] and [[g|h]] so i", "x and h so j")
    both = total([one, two])
    assert counts(both) == {"restored": 2, "wrong": 1, "missed": 1, "spurious": 1}
    assert (both.tokens, both.details) == (7, one.details + two.details)
    assert (both.precision, both.recall) == (0.5, 0.5)
    assert total([]) == Score()


def test_confusions_put_the_frequent_first() -> None:
    found = scored("a [[b|c]] a [[B|C]] a [[d|e]] a", "a x a x a d a")
    assert [(c.spun, c.chosen, c.accepted, c.count) for c in confusions(found.details)] == [
        ("b", "x", ("c",), 2),
        ("d", "d", ("e",), 1),
    ]


def test_the_seed_left_alone_restores_nothing_and_filled_restores_all() -> None:
    gold = parse_markup(SEED.read_text(encoding="utf-8"), name="seed")
    optional = sum(gold.text[s.start : s.end] in s.accepted for s in gold.spans)
    left = score(gold, gold.text)
    assert (left.restored, left.spurious, left.optional_kept) == (0, 0, optional)
    pieces, position = [], 0
    for span in gold.spans:
        pieces += [gold.text[position : span.start], span.accepted[-1]]
        position = span.end
    assert score(gold, "".join([*pieces, gold.text[position:]])).f05 == 1.0


def test_the_original_of_a_pair_scores_full_marks() -> None:
    original, spun = (
        "He’s sure the war ends, as\nall say: now.",
        "He is certain that the struggle ends, as\nevery one says, now.",
    )
    gold = parse_markup(markup_from_pair(original, spun), name="pair")
    assert (score(gold, original).f05, score(gold, spun).restored) == (1.0, 0)
