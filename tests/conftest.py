"""What all tests share."""

from __future__ import annotations

import gc
import re
from pathlib import Path

import pytest

from unspin.model import (
    Candidate,
    DecidedBy,
    DuplicateGroup,
    DuplicateKind,
    Edit,
    Entry,
    Held,
    HeldReason,
    Option,
    Repeat,
    Restoration,
    Signature,
    SpinEvidence,
)
from unspin.review.ledger import Ledger


def pytest_collection_finish() -> None:
    """Keep what the suite itself allocated out of garbage collection, whose pauses upset tests of linear time."""
    gc.collect()
    gc.freeze()


REVIEWED = (
    "The struggle was a unprecedented one, and the struggle goes on. It costs extra.\n\n"
    "4 officials appeared on it in 2022.\n\n"
    "The struggle was a unprecedented one, and the struggle goes on. It costs extra.\n"
)
OTHER = "Another struggle costs extra.\n"
ENTRIES = {
    "struggle": (
        Entry("struggle", "war", 0.26, 347, source="learned"),
        Entry("struggle", "fight", 0.33, 270, source="learned"),
    ),
    "unprecedented": (Entry("unprecedented", "extraordinary", 0.4, 31, source="learned"),),
    "extra": (Entry("extra", "more", 0.98, 8922, source="learned"),),
    "4": (Entry("4", "four", 0.87, 970, source="learned"),),
}


def _restored(text: str) -> tuple[Restoration, list[Candidate]]:
    """What a restoration of REVIEWED or OTHER might be, with its candidates."""
    last = text.rindex("\n\n") + 2 if "\n\n" in text else len(text)
    edits, held, candidates = [], [], []
    for found in re.finditer("|".join(ENTRIES), text[:last]):
        entries = ENTRIES[found.group()]
        options = [Option(e.original, e, 0.95 if n == 0 else 0.04) for n, e in enumerate(entries)]
        candidate = Candidate(*found.span(), found.group(), (*options, Option(found.group(), None, 0.01)))
        candidates.append(candidate)
        if found.group() == "4":
            held.append(Held(candidate, HeldReason.NUMBER))
        else:
            sure = 0.95 - 0.1 * (found.group() == "unprecedented")
            after = entries[0].original
            edits.append(Edit(*found.span(), found.group(), after, entries[0], sure, DecidedBy.DECODER))
    repeats = (Repeat(last, len(text) - 1, DuplicateKind.EXACT, 1.0),)
    groups = (DuplicateGroup(0, text.index("\n"), repeats),) if last < len(text) else ()
    spin, signature = SpinEvidence(0.9, 1.1, 30, True), Signature("1", "a", "b", (("ranker", "c"),))
    return Restoration(text, spin, groups, tuple(edits), tuple(held), signature), candidates


@pytest.fixture
def a_review(tmp_path: Path) -> Path:
    """A folder whose ledger holds two texts: struggle (twice, and once), unprecedented, extra (in both), a number that
    is held, and a repeated paragraph."""
    with Ledger(tmp_path / "unspin.db") as ledger:
        for name, text in (("a.txt", REVIEWED), ("b.txt", OTHER)):
            (tmp_path / name).write_text(text)
            ledger.add(name, *_restored(text))
    return tmp_path
