"""The seed's cleaned text and diff, as golden files: a change of behaviour shows in review, word by word.

`make golden` writes them anew.
"""

from __future__ import annotations

from pathlib import Path

from unspin.diff import DiffStyle, render
from unspin.edit import cleaned
from unspin.pipeline import restore

SEEDS = Path(__file__).parents[2] / "seeds"


def golden(name: str) -> str:
    return (SEEDS / name).read_bytes().decode()


def test_the_seed_is_cleaned_as_the_golden_files_say() -> None:
    restoration = restore(golden("seed.txt"))
    assert cleaned(restoration) == golden("seed.cleaned.txt")
    assert render(restoration, style=DiffStyle.UNIFIED, name="seeds/seed.txt") == golden("seed.diff")
