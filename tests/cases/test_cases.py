"""The golden cases beside this file, sorted by kind of evidence; `unspin check` and the pytest plugin run each of them.

`in_the_wild` is what a spinner really wrote, `synthetic` was spun by hand or by `unspin spin`, `negative` is clean
and must be left alone, `known_failures` must fail. Here stands what is true of a folder as a whole.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unspin import restore
from unspin.cases.model import Case
from unspin.cases.reading import find_cases, read_case

CASES = Path(__file__).parent
SEED = CASES.parents[1] / "seeds" / "seed.markup.txt"
KINDS = ("in_the_wild", "synthetic", "negative", "known_failures")


def cases(kind: str) -> list[Case]:
    return [read_case(path) for path in find_cases([CASES / kind])[0]]


def named(case: Case) -> str:
    return case.name


def test_the_plugin_runs_the_cases(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("unspin"), "unspin is installed without its entry points"


def test_every_case_stands_in_a_folder_of_its_kind() -> None:
    found, _ = find_cases([CASES])
    assert {path.parent for path in found} == {CASES / kind for kind in KINDS}
    assert not [path for path in CASES.rglob("*.toml") if path not in found]


@pytest.mark.parametrize("case", cases("negative"), ids=named)
def test_clean_text_is_not_called_spun(case: Case) -> None:
    """Besides being left alone, which the case itself says."""
    assert not case.gold.spans
    assert case.output is None
    assert case.floor is None
    restoration = restore(case.gold.text)
    assert not restoration.spin.is_spun
    assert (restoration.held, restoration.duplicates) == ((), ())


def test_at_least_a_hundred_texts_of_all_kinds_must_be_left_alone() -> None:
    texts = {case.gold.text for case in cases("negative")}
    lengths = [len(re.findall(r"\w+", text)) for text in texts]
    assert len(texts) == len(cases("negative"))
    assert sum(40 <= length <= 150 for length in lengths) >= 100
    assert len(texts) >= len(cases("in_the_wild")) + len(cases("synthetic")) > 0


def test_only_known_failures_are_known_to_fail() -> None:
    assert {kind: {bool(case.xfail) for case in cases(kind)} for kind in KINDS} == {
        kind: {kind == "known_failures"} for kind in KINDS
    }


def test_the_seed_is_there_paragraph_by_paragraph() -> None:
    paragraphs = SEED.read_text(encoding="utf-8").splitlines()
    files = sorted((CASES / "in_the_wild").glob("seed_paragraph_*.case.toml"))
    assert len(files) == len(paragraphs)
    for path, paragraph in zip(files, paragraphs, strict=True):
        assert f"'''\n{paragraph}'''\n" in path.read_text(encoding="utf-8")
