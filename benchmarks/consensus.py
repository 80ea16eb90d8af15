"""What siblings are worth: `python benchmarks/consensus.py --pairs DEV.jsonl.gz [--limit N]`.

Restores first spun copies alone, with the second copy and with the original as siblings, whole, thinned out (a fifth
of the sentences gone, the rest shuffled) or of another passage, and prints a Markdown table. The second row says
what the other copy could be worth: as if every swap were restored right that reads otherwise there. The time
includes that of reading the siblings.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
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
from unspin.text import segment

GONE = 0.2  # of a thinned copy's sentences
Passage = tuple[Pair, Gold]
Choose = Callable[[int], list[str]]


def passages(path: Path, limit: int | None) -> Iterator[Passage]:
    """The pairs with the gold of their first copy; those that markup cannot express are passed over."""
    for pair in islice(read_pairs(path), limit):
        try:
            yield pair, parse_markup(markup_from_pair(pair.original, pair.spun[0]), name="pair")
        except FormatError:
            continue


def thinned(text: str, *, seed: int) -> str:
    """The text with a fifth of its sentences dropped and the rest shuffled."""
    spans = [(s.start, s.end) for p in segment(text).paragraphs for s in p.sentences]
    chance = random.Random(seed)
    kept = [text[start:end] for start, end in spans if chance.random() >= GONE]
    chance.shuffle(kept)
    return " ".join(kept)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    found = list(passages(arguments.pairs, arguments.limit))
    pairs, golds = [pair for pair, _ in found], [gold for _, gold in found]
    stages = default_lexicon(), default_model()
    kinds: dict[str, Choose] = {
        "alone": lambda n: [],
        "with the other copy": lambda n: [pairs[n].spun[1]],
        "with the other copy, thinned": lambda n: [thinned(pairs[n].spun[1], seed=n)],
        "with the original": lambda n: [pairs[n].original],
        "with the original, thinned": lambda n: [thinned(pairs[n].original, seed=n)],
        "with both": lambda n: [pairs[n].spun[1], pairs[n].original],
        "with another passage's copy": lambda n: [pairs[n - 1].spun[1]],
        "with another passage's original": lambda n: [pairs[n - 1].original],
    }
    print("| | precision | recall | F0.5 | words/s |\n|---| ---: | ---: | ---: | ---: |")
    for name, choose in kinds.items():
        siblings = [[Sibling(text, *stages) for text in choose(number)] for number in range(len(golds))]
        start = time.process_time()
        restored = [unspin.restore(gold.text, siblings=read) for gold, read in zip(golds, siblings, strict=True)]
        speed = sum(len(gold.text.split()) for gold in golds) / (time.process_time() - start)
        scores = [score(gold, unspin.cleaned(one)) for gold, one in zip(golds, restored, strict=True)]
        print(row(name, scores, speed), flush=True)
        if name == "alone":
            best = map(ceiling, scores, golds, (pair.spun[1] for pair in pairs))
            print(row("alone, were all right where the copies differ", list(best)))
        if name == "with the original":
            notes = list(told(restored, golds))
    print("\n" + "\n".join(notes))


if __name__ == "__main__":
    main()
