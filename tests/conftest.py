"""What all tests share."""

from __future__ import annotations

import gc
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from unspin.lexicon import Lexicon
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


FUNCTION = (
    "the a of to in and for on at by with from as is was were be that this it his they which not or if than".split()
)


def _vocabulary(chance: random.Random, size: int = 4000) -> list[str]:
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er")]
    return sorted({"".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(size)})


def _mixed(count: int, seed: int) -> tuple[list[str], Lexicon]:
    """Paragraphs, and copies of some of them in every way; words as often as in language (Zipf)."""
    chance = random.Random(seed)
    words = _vocabulary(chance)
    weights = [1 / rank for rank in range(10, 10 + len(words))]
    swaps = dict(zip(words[::2], words[1::2], strict=False))

    def sentence() -> str:
        found = chance.choices(words, weights, k=chance.randint(5, 16))
        for place in range(1, len(found), 2):
            found[place] = chance.choice(FUNCTION)
        found[chance.randrange(1, len(found))] = chance.choice(
            (str(chance.randint(2, 2030)), chance.choice(words).title())
        )
        return " ".join(found).capitalize() + "."

    texts = [" ".join(sentence() for _ in range(chance.randint(1, 7))) for _ in range(count)]
    for source in chance.sample(texts, count // 3):
        sentences = source.split(". ")
        copies = (
            source,
            "  ".join(source.upper().split()).replace(".", "!"),
            " ".join(swaps.get(word, word) if chance.random() < 0.4 else word for word in source.split()),
            ". ".join(sentences[: max(1, len(sentences) // 2)]),
            ". ".join(chance.sample(sentences, len(sentences))),
            f"{source} {chance.choice(texts)}",
        )
        texts += chance.sample(copies, chance.choice((1, 1, 2)))
    texts += [*["", " \n", "one", "one", "the of and"], *[texts[7]] * 60]
    chance.shuffle(texts)
    return texts, Lexicon(Entry(spun, original, 0.5) for spun, original in swaps.items())


@pytest.fixture
def mixed() -> Callable[[int, int], tuple[list[str], Lexicon]]:
    """Makes so many paragraphs of a seed, and copies of some of them in every way."""
    return _mixed
