"""The JSON Schemas themselves: sound, strict, and in step with the values they tell of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from unspin.align import read_pairs
from unspin.cases.model import Verdict
from unspin.errors import FormatError
from unspin.evaluate import Outcome
from unspin.model import DecidedBy, DuplicateKind, HeldReason, Status
from unspin.schemas import names, schema


def loaded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schema(name))
    return found


def objects(part: object) -> Iterator[dict[str, Any]]:
    """Every subschema that tells of an object."""
    if isinstance(part, dict):
        if part.get("type") == "object":
            yield part
        for inner in part.values():
            yield from objects(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from objects(inner)


@pytest.mark.parametrize("name", names())
def test_a_schema_is_sound_and_says_what_it_is_of(name: str) -> None:
    document = loaded(name)
    Draft202012Validator.check_schema(document)
    assert document["title"] and document["description"]


@pytest.mark.parametrize("name", sorted({*names()} - {"pair"}))
def test_what_is_printed_holds_nothing_that_the_schema_does_not_tell(name: str) -> None:
    assert all(one["additionalProperties"] is False for one in objects(loaded(name)))


def enums(part: object) -> Iterator[set[str]]:
    if isinstance(part, dict):
        if "enum" in part:
            yield set(part["enum"])
        for inner in part.values():
            yield from enums(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from enums(inner)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("edit", [set(DecidedBy)]),
        ("inspection", [set(DuplicateKind)]),
        ("held", [set(HeldReason)]),
        ("duplicates", [set(DuplicateKind) - {DuplicateKind.OVERLAP}] * 2),
        ("answer", [{*DuplicateKind, "new"}]),
        ("copies", [set(DuplicateKind) - {DuplicateKind.OVERLAP}, {DuplicateKind.OVERLAP}]),
        ("check", [set(Verdict), {Outcome.WRONG, Outcome.MISSED, Outcome.SPURIOUS}]),
        ("lexicon-stats", [set(Status) - {Status.OFF}]),
    ],
)
def test_closed_vocabularies_are_those_of_the_model(name: str, values: list[set[str]]) -> None:
    assert list(enums(loaded(name))) == values


@pytest.mark.parametrize(
    ("row", "is_pair"),
    [
        ({"original": "a", "spun": "b"}, True),
        ({"original": "a", "spun": ["b", "c"], "id": 7}, True),
        ({"original": "a", "spun": []}, True),
        ({"original": "a"}, False),
        ({"original": 1, "spun": "b"}, False),
        ({"original": "a", "spun": [1]}, False),
        (["a", "b"], False),
    ],
)
def test_the_schema_of_pairs_takes_what_the_reader_takes(row: object, is_pair: bool, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    assert Draft202012Validator(loaded("pair")).is_valid(row) == is_pair
    if is_pair:
        assert len(list(read_pairs(path))) == 1
    else:
        with pytest.raises(FormatError):
            list(read_pairs(path))
