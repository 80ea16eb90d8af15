"""Collections that would take a careless `dedupe` hours: many copies, long texts, chains, rubbish."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np
import pytest

from unspin import blocking, match, units, words
from unspin.blocking import COMMON, COMMON_PAIR, MIN_SYMBOLS, NEXT, SHARED, candidates
from unspin.canon import Canon
from unspin.copies import EVERY_PAIR, dedupe
from unspin.fingerprint import grams, pairs, read
from unspin.model import CopyGroup, DuplicateKind, Keep

PARAGRAPH = (
    "The company said on Monday that its new factory in Ohio will start making batteries next year, because demand for "
    "electric cars has grown quickly and many customers now wait for months. However, the city council has not yet "
    "approved the plan, and several people who live nearby fear the noise."
)
REPORT = "{} earned {} cents a share in the quarter, compared with {} cents a year earlier, and {} shares were sold."
WORDS = [f"{a}{b}{c}" for a in "bcdfg" for b in "aeiou" for c in "lmnprst"]


def identical(count: int) -> list[str]:
    return [PARAGRAPH] * count


def alike(count: int) -> list[str]:
    """The same words, in other characters."""
    return [PARAGRAPH.upper() if n % 2 else PARAGRAPH.replace(" ", "  ", n % 30) for n in range(count)]


def short(count: int) -> list[str]:
    return [("", "word", "Word.", f"word{n}")[n % 4] for n in range(count)]


def template(count: int) -> list[str]:
    chance = random.Random(1)
    return [REPORT.format(*(chance.randrange(10**9) for _ in range(4))) for _ in range(count)]


def variants(count: int) -> list[str]:
    chance = random.Random(2)
    words = PARAGRAPH.split()
    return [" ".join(word if chance.random() < 0.95 else word[::-1] for word in words) for _ in range(count)]


def linked(count: int) -> list[str]:
    """Each text is like the one before it, and unlike those long before."""
    chance = random.Random(3)
    words = chance.choices(WORDS, k=count + 40)
    return [" ".join(words[n : n + 40]) for n in range(count)]


def inside(count: int) -> list[str]:
    """A long text, and paragraphs of it."""
    chance = random.Random(4)
    parts = [" ".join(f"{word}{n % 97}" for word in chance.choices(WORDS, k=40)) + "." for n in range(count)]
    return [" ".join([*parts, *(f"{word}{n}" for n in range(30_000 // len(WORDS)) for word in WORDS)]), *parts[:200]]


def function(count: int) -> list[str]:
    chance = random.Random(5)
    return [
        " ".join(chance.choices("the a of to in and for on at by with from as is".split(), k=50)) for _ in range(count)
    ]


def rubbish(count: int) -> list[str]:
    chance = random.Random(6)
    return ["".join(map(chr, chance.choices(range(0x110000), k=200))) for _ in range(count)]


def seconds(texts: list[str]) -> float:
    start = time.process_time()
    dedupe(texts)
    return time.process_time() - start


@pytest.mark.parametrize(
    ("made", "count"),
    [
        (identical, 5000),
        (alike, 5000),
        (short, 5000),
        (template, 2000),
        (variants, 150),
        (linked, 300),
        (inside, 400),
        (function, 500),
        (rubbish, 500),
    ],
)
def test_time_grows_no_faster_than_the_collection(made: Callable[[int], list[str]], count: int) -> None:
    dedupe(made(10))
    least = max(0.05, min(seconds(made(count)) for _ in range(2)))
    assert seconds(made(4 * count)) < 10 * least  # 4 if in proportion, 16 if each is compared with each


def kinds(groups: tuple[CopyGroup, ...]) -> Counter[DuplicateKind]:
    return Counter(copy.kind for group in groups for copy in group.copies)


def test_copies_of_one_text_are_one_group() -> None:
    (group,) = dedupe(identical(1000), keep=Keep.FIRST)
    assert kinds((group,)) == {DuplicateKind.EXACT: 999}
    (group,) = dedupe(alike(1000), keep=Keep.FIRST)
    assert kinds((group,)) == {DuplicateKind.EXACT: 499, DuplicateKind.NORMALISED: 500}
    (group,) = dedupe(short(1000), keep=Keep.FIRST)
    assert kinds((group,)) == {DuplicateKind.EXACT: 249, DuplicateKind.NORMALISED: 250}


def test_other_facts_and_rubbish_make_no_copies() -> None:
    assert dedupe(template(500)) == ()
    assert dedupe(rubbish(300)) == ()


def test_paragraphs_of_a_very_long_text_go_and_it_stays() -> None:
    texts = inside(300)
    (group,) = dedupe(texts)
    assert group.kept.text == 0
    assert kinds((group,)) == {DuplicateKind.CONTAINED: 200}
    assert all(copy.score > 0.95 for copy in group.copies)
    unlike = " ".join(random.Random(9).sample(texts[0].split(), k=60))
    assert dedupe([texts[0], unlike]) == ()


def test_a_text_that_overlaps_with_very_many_others() -> None:
    """So many that not all pairs of them are compared for the least similar."""
    chance = random.Random(4)

    def passage() -> str:
        return " ".join("".join(chance.choices("bcdfgaeiou", k=7)) for _ in range(40))

    parts = [passage() for _ in range(EVERY_PAIR + 5)]
    (group,) = dedupe([" ".join(parts), *(f"{part} {passage()}" for part in parts)])
    assert not group.copies and len(group.overlaps) == len(parts)
    first, second = group.weakest
    assert first == group.kept and second in {overlap.place for overlap in group.overlaps}
    assert 0.0 < group.weakest_score < 0.1


def test_every_copy_in_a_chain_is_like_the_kept_one() -> None:
    texts = linked(400)
    for group in dedupe(texts):
        kept = texts[group.kept.text].split()
        for copy in group.copies:
            assert len({*kept} & {*texts[copy.place.text].split()}) >= 30


def test_copies_are_the_same_on_any_number_of_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "CHUNK", 2000)
    monkeypatch.setattr(units, "SHARE", 2000)
    monkeypatch.setattr(words, "BLOCK", 1000)
    texts = [*variants(60), *linked(60), *template(60)]
    assert dedupe(texts, jobs=2) == dedupe(texts)


def test_candidates_share_enough_rare_grams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the definition, one gram at a time; and counted in small parts."""
    corpus = read([*variants(6), *linked(12), *template(5), *linked(9)[::-1]], Canon())
    expected: Counter[tuple[int, int]] = Counter()
    for found, common, drops in ((grams(corpus), COMMON, False), (pairs(corpus), COMMON_PAIR, True)):
        texts_of: defaultdict[int, list[int]] = defaultdict(list)
        for gram, text in zip(found.hashes.tolist(), found.texts.tolist(), strict=True):
            texts_of[gram].append(text)
        for texts in texts_of.values():
            steps = NEXT if len(texts) <= common else 1 if drops else 2
            near = ((a, b) for n, a in enumerate(texts) for b in texts[n + 1 : n + steps])
            expected.update((a, b) for a, b in near if a != b)
    lengths = np.diff(corpus.bounds)
    enough = {
        pair: count for pair, count in expected.items() if count >= SHARED and min(lengths[[*pair]]) >= MIN_SYMBOLS
    }
    for pending in (10, 10**6):
        monkeypatch.setattr(blocking, "PENDING", pending)
        first, second, counts = (column.tolist() for column in candidates(corpus))
        assert dict(zip(zip(first, second, strict=True), counts, strict=True)) == enough
