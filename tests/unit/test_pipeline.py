"""The whole story: the seed, options, signatures, threads and hash seeds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest

from unspin import Lexicon, cleaned, inspect, restore
from unspin.channel import SPIN_RATES
from unspin.evaluate import score
from unspin.gold import parse_markup
from unspin.language import default_model
from unspin.model import DecidedBy, DuplicateKind, Entry, HeldReason, Restoration, Status
from unspin.pipeline import default_lexicon
from unspin.rank import UNRANKED, context_ranker
from unspin.text import segment

SEEDS = Path(__file__).parents[2] / "seeds"
SEED = (SEEDS / "seed.txt").read_text(encoding="utf-8")
SPUN = (
    "The struggle has gone on for greater than a yr, and no one is aware of find out how to finish it. "
    "Despite the fact that they are saying they need peace, they have by no means been keen to speak."
)
CLEAN = (
    "My grandmother kept bees at the end of her garden for forty years. She talked to them every morning, and "
    "when my grandfather died she went down to the hives before she told any of us."
)


@pytest.fixture(scope="module")
def seed() -> Restoration:
    return restore(SEED)


def test_the_seed_is_restored_as_well_as_promised(seed: Restoration) -> None:
    gold = parse_markup((SEEDS / "seed.markup.txt").read_text(encoding="utf-8"), name="seed.markup.txt")
    found = score(gold, cleaned(seed))
    assert found.f05 >= 0.88
    assert found.precision >= 0.90


def test_of_the_seed_the_two_repeated_paragraphs_go_and_nothing_else(seed: Restoration) -> None:
    first, second, third, fourth, *rest = segment(SEED).paragraphs
    assert [(g.start, g.end, [(r.start, r.end, r.kind, r.score) for r in g.repeats]) for g in seed.duplicates] == [
        (first.start, first.end, [(third.start, third.end, DuplicateKind.EXACT, 1.0)]),
        (second.start, second.end, [(fourth.start, fourth.end, DuplicateKind.EXACT, 1.0)]),
    ]
    assert len(segment(cleaned(seed)).paragraphs) == 2 + len(rest)
    assert cleaned(seed).endswith("\n")


def test_the_seed_is_spun_and_its_restoration_is_not(seed: Restoration) -> None:
    assert seed.spin.is_spun and seed.spin.rate >= 0.75
    assert not restore(cleaned(seed)).spin.is_spun


def test_a_spun_text_is_restored_and_a_clean_one_left_alone() -> None:
    assert "knows how to end it" in cleaned(restore(SPUN))
    restoration = restore(CLEAN)
    assert cleaned(restoration) == CLEAN
    assert not restoration.spin.is_spun and restoration.spin.rate == 0.0
    assert (restoration.edits, restoration.held) == ((), ())


def test_edits_say_by_whom_how_sure_and_from_which_entry(seed: Restoration) -> None:
    for edit in seed.edits:
        assert SEED[edit.start : edit.end] == edit.before != edit.after
        assert (edit.entry is not None) == (edit.decided_by == DecidedBy.DECODER)
    assert [e.start for e in seed.edits] == sorted(e.start for e in seed.edits)


def test_an_article_follows_the_sound_of_what_was_restored() -> None:
    restoration = restore(SPUN + " It was an struggle.")
    assert re.search(r"It was a (war|fight|battle|conflict)\.$", cleaned(restoration))
    assert restoration.edits[-2].decided_by == DecidedBy.AGREEMENT


def test_nothing_is_decided_inside_a_removed_paragraph(seed: Restoration) -> None:
    removed = [(r.start, r.end) for g in seed.duplicates for r in g.repeats]
    for start, end in removed:
        assert not [edit for edit in seed.edits if start <= edit.start < end]
        assert not [held for held in seed.held if start <= held.candidate.start < end]


def test_a_higher_confidence_holds_more_and_edits_less() -> None:
    found = {at: restore(SEED, min_confidence=at) for at in (0.0, 0.5, 0.9, 1.0)}
    made = {at: {e.start for e in r.edits if e.decided_by == DecidedBy.DECODER} for at, r in found.items()}
    assert made[0.0] >= made[0.5] >= made[0.9] >= made[1.0]
    assert len(made[0.0]) > len(made[0.9])
    for at, restoration in found.items():
        assert all(e.confidence >= at for e in restoration.edits if e.decided_by == DecidedBy.DECODER)
        doubted = [h for h in restoration.held if h.reason == HeldReason.CONFIDENCE]
        assert {h.candidate.start for h in doubted} <= made[0.0] - made[at]


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_outside_its_range_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="min_confidence"):
        restore("", min_confidence=confidence)


def test_duplicates_are_kept_on_request() -> None:
    restoration = restore(SEED, keep_duplicates=True)
    assert restoration.duplicates == ()
    assert len(segment(cleaned(restoration)).paragraphs) == len(segment(SEED).paragraphs)


def test_repeats_go_from_clean_texts_too() -> None:
    twice = f"{CLEAN}\n\nIn between stands another paragraph.\n\n{CLEAN}"
    restoration = restore(twice)
    assert not restoration.spin.is_spun
    assert cleaned(restoration) == f"{CLEAN}\n\nIn between stands another paragraph."


def test_a_lexicon_of_ones_own_decides() -> None:
    entries = default_lexicon().entries
    review = Lexicon(replace(entry, status=Status.REVIEW) for entry in entries)
    restoration = restore(SPUN, lexicon=review)
    assert restoration.spin.is_spun and restoration.edits == ()
    assert {held.reason for held in restoration.held} >= {HeldReason.STATUS}
    off = restore(SPUN, lexicon=Lexicon(replace(entry, status=Status.OFF) for entry in entries))
    assert (off.edits, off.held, off.spin.is_spun) == ((), (), False)
    assert cleaned(restore(SPUN, lexicon=Lexicon([]))) == SPUN


def test_signatures_name_what_a_restoration_depends_on() -> None:
    first = restore("a").signature
    assert first == restore("b").signature
    assert default_lexicon().digest in str(first) and default_model().digest in str(first)
    others = [
        restore("a", min_confidence=0.6).signature,
        restore("a", keep_duplicates=True).signature,
        restore("a", lexicon=Lexicon([Entry("x", "y", 0.5)])).signature,
    ]
    assert len({first, *others}) == 4


def test_signatures_name_the_runtime_of_a_ranker_that_has_one() -> None:
    named = ("runtime", f"onnxruntime-{onnxruntime.__version__}")
    assert named in restore("a").signature.options
    assert named in inspect("a").signature.options
    for ranker in (context_ranker(), UNRANKED):
        assert "runtime" not in dict(restore("a", ranker=ranker).signature.options)


def test_inspecting_shows_what_restoring_decides_on(seed: Restoration) -> None:
    seen = inspect(SEED)
    assert (seen.spin, seen.duplicates) == (seed.spin, seed.duplicates)
    assert [rate for rate, _ in seen.gains] == list(SPIN_RATES)
    spans = {(c.start, c.end) for c in seen.candidates}
    assert {(e.start, e.end) for e in seed.edits if e.decided_by == DecidedBy.DECODER} <= spans
    assert {(h.candidate.start, h.candidate.end) for h in seed.held} <= spans
    assert set(seed.held) == {h for h in seed.held if h.candidate in seen.candidates}


def test_inspecting_a_clean_text_still_shows_its_candidates() -> None:
    seen = inspect("The struggle for a seat on the council was hard.")
    assert not seen.spin.is_spun
    assert "struggle" in {candidate.before for candidate in seen.candidates}


@pytest.mark.parametrize("text", ["", " ", "\n\n\r\n", "\t", "word", "\U0001f600", "\u200b", "...", "\0", "\ud800"])
def test_texts_of_next_to_nothing(text: str) -> None:
    restoration = restore(text)
    assert cleaned(restoration) == text
    assert (restoration.edits, restoration.held, restoration.duplicates) == ((), (), ())
    assert not restoration.spin.is_spun
    assert inspect(text).spin == restoration.spin


def test_threads_give_the_same_answers() -> None:
    texts = [SPUN, CLEAN, SEED[:3000], SPUN.upper(), CLEAN + "\n" + SPUN] * 4
    serial = [restore(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(restore, texts)) == serial


def test_threads_may_share_a_fresh_lexicon() -> None:
    lexicon = Lexicon(default_lexicon().entries)  # its look-ups are not built yet
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: cleaned(restore(SPUN, lexicon=lexicon)), range(16)))
    assert found == {cleaned(restore(SPUN))}


def test_answers_do_not_hang_on_the_hash_seed() -> None:
    source = "import sys; from unspin import restore; sys.stdout.buffer.write(repr(restore(sys.stdin.read())).encode())"
    answers = set()
    for hash_seed in ("0", "1", "31337"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONUTF8": "1"}
        run = [sys.executable, "-c", source]
        answers.add(subprocess.run(run, env=environment, input=SEED.encode(), capture_output=True, check=True).stdout)
    assert len(answers) == 1
    assert b"Restoration(" in answers.pop()


FILLER = (
    "The commission met on Tuesday to hear what the farmers of the valley had to say of the new road "
    "and of the price of milk, and took a vitamin a"
)


def test_an_article_at_the_end_of_a_paragraph_is_no_neighbour_of_the_next() -> None:
    spun = (
        "Individuals proceed to have a look at the struggle in opposition to corruption, as a result of it is a should."
    )
    text = f"{FILLER}\n{spun}\n{FILLER}\n{spun.replace('Individuals', 'Particular person negotiations')}\n"
    restoration = restore(text, assume_spun=True)
    assert cleaned(restoration).count("vitamin a\n") == 1  # and no EditConflict: the second is removed


def test_min_confidence_binds_mended_debris_too() -> None:
    text = "The struggle has taken greater than a yr. Nobody is aware of find out out how to win three.5% of it."
    sure = restore(text, assume_spun=True, min_confidence=1.0)
    assert sure.edits == ()
    assert any(edit.decided_by == DecidedBy.DEBRIS for edit in restore(text, assume_spun=True).edits)


def test_a_text_read_in_blocks_is_restored_as_one_that_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (SEED + "\n") * 2
    whole = restore(text, ranker=UNRANKED)
    monkeypatch.setattr("unspin.text.LONG", 0)
    monkeypatch.setattr("unspin.decode.HELD", 0)
    assert restore(text, ranker=UNRANKED) == whole
    assert whole.edits and whole.duplicates


def test_a_clean_text_is_weighed_and_never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("unspin.decode._Block.decode", refuse)
    assert not restore("The war has lasted for more than a year, and nobody knows how it will end.").edits
    with pytest.raises(AssertionError, match="decoded"):
        restore(SEED)
