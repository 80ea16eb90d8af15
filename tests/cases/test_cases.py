"""Golden cases, one TOML file each, sorted by kind of evidence.

    label = 'what it is'        why = 'what it guards'        origin = 'where the text comes from'
    input = '''the text'''
    expected = '''the cleaned text'''            # at least one of these three; none of them for a negative
    edits = [['before', 'after']]                # edits that must be made
    reads = ['phrases that the cleaned text must hold']
    options = { min_confidence = 0.5 }           # of `restore`, if any
    reason = 'why it fails today'                # known failures only

A negative is left alone: not called spun, no edit, nothing held, nothing removed. A known failure that comes
to pass fails the suite until its file moves to another folder.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from unspin import cleaned, restore

CASES = Path(__file__).parent
KINDS = ("in_the_wild", "synthetic", "negative", "known_failures")
NEEDED = {"label", "why", "origin", "input"}
FINDINGS = {"expected", "edits", "reads"}

Case = dict[str, Any]


def cases(kind: str) -> dict[str, Case]:
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((CASES / kind).glob("*.toml"))}


def parameters(*kinds: str) -> list[Any]:
    return [pytest.param(case, id=f"{kind}/{name}") for kind in kinds for name, case in cases(kind).items()]


def problems(case: Case) -> list[str]:
    """What the restoration of a case misses."""
    restoration = restore(case["input"], **case.get("options", {}))
    text = cleaned(restoration)
    made = [[edit.before, edit.after] for edit in restoration.edits]
    found = [f"no edit {edit!r}" for edit in case.get("edits", []) if edit not in made]
    found += [f"does not read {words!r}" for words in case.get("reads", []) if words not in text]
    if case.get("expected", text) != text:
        found.append(f"expected {case['expected']!r}")
    return [*found, f"got {text!r}"] if found else []


@pytest.mark.parametrize("case", parameters("in_the_wild", "synthetic"))
def test_spun_text_is_restored(case: Case) -> None:
    assert problems(case) == []


@pytest.mark.parametrize("case", parameters("negative"))
def test_clean_text_is_left_alone(case: Case) -> None:
    restoration = restore(case["input"])
    assert cleaned(restoration) == case["input"]
    assert not restoration.spin.is_spun
    assert (restoration.edits, restoration.held, restoration.duplicates) == ((), (), ())


@pytest.mark.parametrize("case", parameters("known_failures"))
def test_known_failures_fail_still(case: Case, request: pytest.FixtureRequest) -> None:
    request.applymarker(pytest.mark.xfail(reason=case["reason"], strict=True))
    assert problems(case) == []


@pytest.mark.parametrize("kind", KINDS)
def test_cases_are_well_formed(kind: str) -> None:
    for name, case in cases(kind).items():
        fields = set(case)
        assert fields >= NEEDED, name
        assert fields <= NEEDED | FINDINGS | {"options", "reason"}, name
        assert bool(fields & FINDINGS) != (kind == "negative"), name
        assert ("reason" in fields) == (kind == "known_failures"), name


def test_at_least_as_many_texts_must_be_left_alone_as_restored() -> None:
    assert len(cases("negative")) >= len(cases("in_the_wild")) + len(cases("synthetic")) > 0
