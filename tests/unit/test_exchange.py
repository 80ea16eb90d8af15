"""A ledger goes out as JSON Lines and comes in again; what is wrong in a file is named, and nothing of it is added."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import jsonschema
import pytest

from unspin.errors import FormatError
from unspin.model import Candidate, Restoration
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, REJECT, Answer, Filter, Reviewer, State
from unspin.review.records import read_record
from unspin.schemas import schema

A_MOMENT = 0.005  # seconds; decisions are timed by milliseconds

Restored = Callable[..., tuple[Restoration, list[Candidate]]]
ANNA, BERT = Reviewer("anna"), Reviewer("bert")


def _review(ledger: Ledger, restored: Restored) -> None:
    """Let everything happen once."""
    text = restored()[0].original
    ledger.add("a.txt", *restored())
    ledger.add("b.txt", *restored(f"Well. {text}"), encoding="cp1252")
    first, second, *_ = ledger.items()
    ledger.decide(first.id, Answer(State.REPLACED, "fi\u2028ght"), by=ANNA)
    ledger.decide(second.id, REJECT, by=BERT)
    ledger.undo(by=BERT)
    ledger.decide(first.id, REJECT, by=BERT, is_opinion=True)
    ledger.decide_all(Filter(min_confidence=0.9), ACCEPT, by=BERT)
    ledger.undo(by=BERT)
    ledger.decide_all(Filter(min_confidence=0.9), ACCEPT, by=BERT)
    ledger.add("b.txt", *restored(f"Oh. {text}"))


@pytest.fixture
def reviewed(ledger: Ledger, restored: Restored) -> Ledger:
    """A ledger in which everything has happened once."""
    _review(ledger, restored)
    return ledger


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, restored: Restored) -> tuple[str, ...]:
    """The lines of such a ledger."""
    with Ledger(tmp_path_factory.mktemp("ledger") / "unspin.db") as ledger:
        _review(ledger, restored)
        return tuple(ledger.exported())


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "other.db") as opened:
        yield opened


def test_a_round_trip_keeps_everything(reviewed: Ledger, other: Ledger) -> None:
    lines = list(reviewed.exported())
    new = other.take_in(lines, name="export")
    assert (new.documents, new.items, new.decisions) == (3, 15, len(reviewed.history()))
    assert list(other.exported()) == lines
    ours, theirs = reviewed.status(), other.status()
    assert (ours.counts, ours.entries, ours.reviewers, ours.stale, ours.agreement) == (
        theirs.counts,
        theirs.entries,
        theirs.reviewers,
        theirs.stale,
        theirs.agreement,
    )
    for document in reviewed.documents():
        found = other.find(text=reviewed.text(document.id))
        assert found
        assert other.restoration(found.id) == reviewed.restoration(document.id)


def test_a_second_import_adds_nothing(reviewed: Ledger, other: Ledger) -> None:
    lines = list(reviewed.exported())
    other.take_in(lines, name="export")
    assert other.take_in(lines, name="export") == reviewed.take_in(lines, name="export")
    assert other.take_in(lines, name="export").decisions == 0
    assert list(other.exported()) == list(reviewed.exported()) == lines


def test_later_exports_bring_what_is_new(reviewed: Ledger, other: Ledger) -> None:
    other.take_in(reviewed.exported(), name="export")
    undone = reviewed.undo(by=BERT)
    reviewed.decide(reviewed.items()[1].id, ACCEPT, by=ANNA)
    assert other.take_in(reviewed.exported(), name="export").decisions == len(undone) + 1
    assert list(other.exported()) == list(reviewed.exported())


def test_of_two_reviews_the_later_decision_is_in_force(ledger: Ledger, other: Ledger, restored: Restored) -> None:
    for one in (ledger, other):
        one.add("a.txt", *restored())
    first, second, *_ = ledger.items()
    ledger.decide(first.id, ACCEPT, by=ANNA)
    sleep(A_MOMENT)
    other.decide(first.id, REJECT, by=BERT)
    other.decide(second.id, ACCEPT, by=BERT)
    sleep(A_MOMENT)
    ledger.decide(second.id, REJECT, by=ANNA)
    there, here = list(other.exported()), list(ledger.exported())
    ledger.take_in(there, name="bert")
    other.take_in(here, name="anna")
    for one in (ledger, other):
        assert [item.state for item in one.items()[:2]] == [State.REJECTED, State.REJECTED]
        assert len(one.status().agreement) == 1
    assert list(ledger.exported()) == list(other.exported())


def test_what_another_lexicon_proposed_is_stale_here(reviewed: Ledger, other: Ledger, restored: Restored) -> None:
    restoration, candidates = restored()
    fewer = replace(restoration, edits=())
    other.add("a.txt", fewer, candidates)
    other.take_in(reviewed.exported(), name="export")
    document = other.find(name="a.txt")
    assert document
    assert document.counts.total == 2
    assert other.status().stale > 0


def test_every_line_is_as_the_schema_says(exported: tuple[str, ...]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema("review")))
    kinds = set()
    for line in exported:
        validator.validate(json.loads(line))
        kinds.add(json.loads(line)["kind"])
        assert line.isascii()
    assert kinds == {"document", "item", "decision"}


def _spoilt(value: Any, spoil: Callable[[Any], Any]) -> Iterator[Any]:
    """The value with each part of it spoilt, one at a time."""
    yield spoil(value)
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            yield from ({**value, key: part} for part in _spoilt(value[key], spoil))
        yield {**value, "further": 1}
    if isinstance(value, list) and value:
        yield from ([part, *value[1:]] for part in _spoilt(value[0], spoil))


@pytest.mark.parametrize("wrong", [None, True, -1, 0, 1.5, 7, "", "x", [], {}], ids=repr)
def test_what_the_schema_refuses_is_refused(exported: tuple[str, ...], wrong: object) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema("review")))
    samples: dict[str, Any] = {}
    for line in exported:
        record = json.loads(line)
        samples[f"{record['kind']} {record.get('act')} {record.get('duplicate') and 1}"] = record
    assert len(samples) == 6
    refused = 0
    for sample in samples.values():
        for spoilt in _spoilt(sample, lambda value: wrong):
            if not validator.is_valid(spoilt):
                refused += 1
                with pytest.raises(ValueError, match=r"\w"):
                    read_record(spoilt)
    assert refused > 100


def changed(line: str, **fields: object) -> str:
    return json.dumps(json.loads(line) | fields)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda line: line[:-9], r"not JSON \("),
        (lambda line: "[1]", "not an object"),
        (lambda line: '{"kind": "verdict"}', "'verdict' is none of document, item, decision"),
        (lambda line: changed(line, at="yesterday"), "at: 'yesterday' is no time"),
        (lambda line: changed(line, at="2025-01-31T12:00:00"), "no time zone"),
        (lambda line: changed(line, start=3), "no line before this one has such an item"),
        (lambda line: changed(line, entry={"spun": "a", "original": "b"}), "has such an item"),
        (lambda line: changed(line, document="0" * 64), "document: no line before this one has it"),
        (lambda line: changed(line, number=1), "number: 1 is there twice"),
        (lambda line: changed(line, act="undo", undoes=77), "it refers to decision 77"),
        (lambda line: changed(line, act="undo", undoes=None), "undoes: there if"),
        (lambda line: changed(line, new="held"), "new: held is no answer"),
        (lambda line: changed(line, new="replaced", after=None), "after: there if"),
        (lambda line: changed(line, reviewer=" "), "reviewer: empty"),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_added(
    exported: tuple[str, ...], other: Ledger, restored: Restored, spoil: Callable[[str], str], problem: str
) -> None:
    lines = list(exported)
    other.add("mine.txt", *restored("Mine. " + restored()[0].original))
    before = list(other.exported())
    lines[-1] = spoil(lines[-1])
    with pytest.raises(FormatError, match=problem) as refused:
        other.take_in(lines, name="export.jsonl")
    assert str(refused.value).startswith(f"export.jsonl:{len(lines)}: ")
    assert list(other.exported()) == before


@pytest.mark.parametrize(
    ("kind", "fields", "problem"),
    [
        ("document", {"text": "another text"}, "digest: it is another text's"),
        ("item", {"before": "conflict"}, "before: 'conflict' is not what the text has"),
        ("item", {"choices": []}, "0 choices"),
        ("item", {"start": 9, "end": 9}, "holds nothing"),
        ("item", {"before": "peace"}, "does not fill the span"),
        ("item", {"alone": 1.5}, "alone: 1.5 is out of range"),
        ("item", {"why": "moon"}, "why: 'moon' is none of"),
    ],
)
def test_a_broken_text_or_item_is_named(
    exported: tuple[str, ...], other: Ledger, kind: str, fields: dict[str, object], problem: str
) -> None:
    lines = list(exported)
    place = next(n for n, line in enumerate(lines) if json.loads(line)["kind"] == kind)
    lines[place] = changed(lines[place], **fields)
    with pytest.raises(FormatError, match=problem) as refused:
        other.take_in(lines, name="export.jsonl")
    assert refused.value.line == place + 1
    assert list(other.exported()) == []


def test_an_item_before_its_text_is_refused(exported: tuple[str, ...], other: Ledger) -> None:
    lines = list(exported)
    with pytest.raises(FormatError, match="document: no line before this one has it"):
        other.take_in([lines[1], lines[0]], name="export.jsonl")
