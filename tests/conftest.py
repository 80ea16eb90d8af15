"""What all tests share."""

from __future__ import annotations

import gc
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from samples import EXTRAORDINARY, FIGHT, FOUR, MORE, WAR, candidate, repeated, restoration

from unspin.lexicon import Lexicon
from unspin.model import Candidate, DecidedBy, Edit, Entry, Held, HeldReason, Restoration
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
ENTRIES = {"struggle": (WAR, FIGHT), "unprecedented": (EXTRAORDINARY,), "extra": (MORE,), "4": (FOUR,)}


def _restored(text: str) -> tuple[Restoration, list[Candidate]]:
    """What a restoration of REVIEWED or OTHER might be, with its candidates."""
    first, _, rest = text.partition("\n\n")
    last = text.rindex(first) if rest else len(text)
    edits, held, candidates = [], [], []
    for found in re.finditer("|".join(ENTRIES), text[:last]):
        start, end, entry = *found.span(), ENTRIES[found.group()][0]
        candidates.append(candidate((start, end, found.group()), *ENTRIES[found.group()]))
        if entry is FOUR:
            held.append(Held(candidates[-1], HeldReason.NUMBER))
        else:
            sure = 0.85 if entry is EXTRAORDINARY else 0.95
            edits.append(Edit(start, end, found.group(), entry.original, entry, sure, DecidedBy.DECODER))
    repeats = (repeated(text, first),) if rest else ()
    return restoration(text, *edits, held=tuple(held), repeats=repeats), candidates


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
