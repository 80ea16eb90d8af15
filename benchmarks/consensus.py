"""What siblings are worth: `python benchmarks/consensus.py --pairs DEV.jsonl.gz [--limit N] [--clean NEWS.txt.gz]`.

Restores first spun copies alone and with siblings: the second copy and the original, whole or damaged (sentences gone,
put in, moved), edited by somebody, or of another passage; and prints a Markdown table. The second row says what the
other copy could be worth: as if every swap were restored right that reads otherwise there. The time includes that of
reading the siblings. A second table has more and more siblings, originals spun by `unspin spin`; a third the collection
of all texts. With clean paragraphs, it prints what looking for copies among them costs.
"""

from __future__ import annotations

import argparse
import gzip
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, cycle, islice
from pathlib import Path

import unspin
from unspin.align import Pair, read_pairs
from unspin.calibration import judge
from unspin.consensus import Sibling
from unspin.errors import FormatError
from unspin.evaluate import Outcome, Score, score, total
from unspin.gold import Gold, markup_from_pair, parse_markup
from unspin.language import default_model
from unspin.model import DecidedBy, Restoration
from unspin.pipeline import default_lexicon
from unspin.siblings import related
from unspin.spin import markup, spin
from unspin.text import segment

GONE = 0.2  # of a thinned copy's sentences
EDITED = 0.1  # of an edited copy's words of four letters or more
SPINS = (0, 1, 2, 3, 4, 6)
PARAGRAPHS = 8  # of clean text, that make a document
Passage = tuple[Pair, Gold]
Choose = Callable[[int], list[str]]


def passages(path: Path, limit: int | None) -> Iterator[Passage]:
    """The pairs with the gold of their first copy; those that markup cannot express are passed over."""
    for pair in islice(read_pairs(path), limit):
        try:
            yield pair, parse_markup(markup_from_pair(pair.original, pair.spun[0]), name="pair")
        except FormatError:
            continue


def sentences(text: str) -> list[str]:
    """What stands in each."""
    return [text[s.start : s.end] for p in segment(text).paragraphs for s in p.sentences]


def thinned(text: str, *, seed: int) -> str:
    """The text with a fifth of its sentences dropped and the rest shuffled."""
    chance = random.Random(seed)
    kept = [sentence for sentence in sentences(text) if chance.random() >= GONE]
    chance.shuffle(kept)
    return " ".join(kept)


def moved(text: str, *, seed: int) -> str:
    """The text with its sentences shuffled."""
    return " ".join(random.Random(seed).sample(found := sentences(text), len(found)))


def padded(text: str, other: str) -> str:
    """The text with a sentence of another one after each of its own."""
    return " ".join(chain.from_iterable(zip(sentences(text), cycle(sentences(other)), strict=False)))


def half(text: str) -> str:
    """The first half of its sentences."""
    return " ".join((found := sentences(text))[: len(found) // 2])


def edited(text: str, words: Sequence[str], *, seed: int) -> str:
    """The text with a tenth of its longer words replaced by others, as no spinner would."""
    chance = random.Random(seed)
    return re.sub(r"\b[a-z]{4,}\b", lambda m: chance.choice(words) if chance.random() < EDITED else m[0], text)


def ceiling(alone: Score, gold: Gold, sibling: str) -> Score:
    """The score alone, with every fault mended that stands where the sibling reads otherwise."""
    same = {detail.context for detail in score(gold, sibling).details if detail.kind is Outcome.MISSED}
    counts = Counter(detail.kind for detail in alone.details if detail.context not in same)
    wrong, missed = counts[Outcome.WRONG], counts[Outcome.MISSED]
    left = replace(alone, wrong=alone.wrong - wrong, missed=alone.missed - missed)
    return replace(left, restored=alone.restored + wrong + missed)


def row(name: str, scores: Sequence[Score], words_per_second: float | None = None) -> str:
    """A row of the table."""
    whole = total(scores)
    figures = " | ".join(f"{getattr(whole, figure):.3f}" for figure in ("precision", "recall", "f05"))
    return f"| {name} | {figures} | " + (f"{words_per_second:,.0f} |" if words_per_second else " |")


def told(restorations: Sequence[Restoration], golds: Sequence[Gold]) -> Iterator[str]:
    """How often what unspun siblings decided was right: what the confidences of such edits should be."""
    tally: Counter[tuple[bool, bool]] = Counter()
    for restoration, gold in zip(restorations, golds, strict=True):
        for edit, judged in zip(restoration.edits, judge(gold, restoration.edits), strict=True):
            if edit.decided_by is DecidedBy.SIBLING:
                tally[edit.entry is not None, judged.correct] += 1
    for name, explained in (("explained by the lexicon", True), ("unexplained", False)):
        made = tally[explained, True] + tally[explained, False]
        yield f"edits by unspun siblings, {name}: {tally[explained, True]:,} of {made:,} right"


def spun_often(originals: Sequence[str], words: int) -> Iterator[str]:
    """The rows for texts that `unspin spin` made, with other spins of their originals."""
    lexicon, model = default_lexicon(), default_model()
    golds = [parse_markup(markup(spin(text, lexicon, seed=0)), name="spun") for text in originals]
    others = [[spin(text, lexicon, seed=seed).text for seed in range(1, max(SPINS) + 1)] for text in originals]
    for many in SPINS:
        start = time.process_time()
        siblings = [[Sibling(text, lexicon, model) for text in texts[:many]] for texts in others]
        restored = [unspin.restore(gold.text, siblings=read) for gold, read in zip(golds, siblings, strict=True)]
        speed = words / (time.process_time() - start)
        scores = [score(gold, unspin.cleaned(one)) for gold, one in zip(golds, restored, strict=True)]
        yield row(f"siblings: {many}", scores, speed)


def together(pairs: Sequence[Pair], golds: Sequence[Gold], *, original: bool) -> str:
    """The row for a collection of all first and second copies, and originals or not, scored on the first."""
    copies = [[gold.text, pair.spun[1], pair.original][: 2 + original] for gold, pair in zip(golds, pairs, strict=True)]
    texts = list(chain.from_iterable(copies))
    start = time.process_time()
    restored = list(unspin.restore_all(texts))[:: 2 + original]
    speed = sum(len(text.split()) for text in texts) / (time.process_time() - start)
    scores = [score(gold, unspin.cleaned(one)) for gold, one in zip(golds, restored, strict=True)]
    return row("both copies" + " and the original" * original, scores, speed)


def search(path: Path, limit: int) -> str:
    """What looking for copies costs where there are hardly any."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [line.strip() for line in islice(file, PARAGRAPHS * limit)]
    texts = ["\n".join(lines[n : n + PARAGRAPHS]) for n in range(0, len(lines), PARAGRAPHS)]
    start = time.process_time()
    found = sum(map(bool, related(texts, default_lexicon())))
    searched = time.process_time() - start
    some = texts[: limit // 10]
    start = time.process_time()
    for text in some:
        unspin.restore(text)
    restored = (time.process_time() - start) * len(texts) / len(some)
    words = sum(len(text.split()) for text in texts)
    share = searched / restored
    return (
        f"{len(texts):,} clean texts: {words / searched:,.0f} words/s, {share:.0%} of restoring them; {found} related"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--clean", type=Path)
    parser.add_argument("--documents", type=int, default=5_000)
    arguments = parser.parse_args()
    found = list(passages(arguments.pairs, arguments.limit))
    pairs, golds = [pair for pair, _ in found], [gold for _, gold in found]
    stages = default_lexicon(), default_model()
    vocabulary = sorted({word for pair in pairs for word in re.findall(r"\b[a-z]{4,}\b", pair.original)})
    kinds: dict[str, Choose] = {
        "alone": lambda n: [],
        "with the other copy": lambda n: [pairs[n].spun[1]],
        "... its sentences shuffled": lambda n: [moved(pairs[n].spun[1], seed=n)],
        "... a fifth of them gone, the others shuffled": lambda n: [thinned(pairs[n].spun[1], seed=n)],
        "... another text's after each": lambda n: [padded(pairs[n].spun[1], pairs[n - 1].spun[1])],
        "... half of it, and another text": lambda n: [half(pairs[n].spun[1]) + "\n" + pairs[n - 1].spun[1]],
        "... a tenth of its words edited": lambda n: [edited(pairs[n].spun[1], vocabulary, seed=n)],
        "with the original": lambda n: [pairs[n].original],
        "... a fifth of its sentences gone, the others shuffled": lambda n: [thinned(pairs[n].original, seed=n)],
        "... another text's sentence after each": lambda n: [padded(pairs[n].original, pairs[n - 1].original)],
        "... a tenth of its words edited ": lambda n: [edited(pairs[n].original, vocabulary, seed=n)],
        "with both": lambda n: [pairs[n].spun[1], pairs[n].original],
        "with another passage's copy": lambda n: [pairs[n - 1].spun[1]],
        "with another passage's original": lambda n: [pairs[n - 1].original],
        "with itself, a tenth of its words edited": lambda n: [edited(golds[n].text, vocabulary, seed=n)],
    }
    head = "precision | recall | F0.5 | words/s |\n|---| ---: | ---: | ---: | ---: |"
    words = sum(len(gold.text.split()) for gold in golds)
    print(f"| | {head}")
    for name, choose in kinds.items():
        start = time.process_time()
        siblings = [[Sibling(text, *stages) for text in choose(number)] for number in range(len(golds))]
        restored = [unspin.restore(gold.text, siblings=read) for gold, read in zip(golds, siblings, strict=True)]
        speed = words / (time.process_time() - start)
        scores = [score(gold, unspin.cleaned(one)) for gold, one in zip(golds, restored, strict=True)]
        print(row(name, scores, speed), flush=True)
        if name == "alone":
            best = map(ceiling, scores, golds, (pair.spun[1] for pair in pairs))
            print(row("alone, were all right where the copies differ", list(best)))
        if name == "with the original":
            notes = list(told(restored, golds))
    print("\n" + "\n".join(notes))
    print(f"\n| spun by `unspin spin` | {head}")
    for line in spun_often([pair.original for pair in pairs], words):
        print(line, flush=True)
    print(f"\n| collection | {head}")
    print(together(pairs, golds, original=False))
    print(together(pairs, golds, original=True))
    if arguments.clean:
        print("\n" + search(arguments.clean, arguments.documents))


if __name__ == "__main__":
    main()
