"""The screen for clean texts: `python benchmarks/screen.py --pairs TRAIN.jsonl.gz --clean NEWS.txt.gz [--texts N]`.

Prints Markdown tables. First, of the pairs' spun passages by the spin rate that decoding estimates, how many the screen
takes for clean, and how many of those the gate would have found spun. Then the same for clean texts of some
paragraphs, spun at given rates. Last, what share of clean texts passes, and at what speed; and in how many of them no
repeats are looked for, because no two paragraphs are alike.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from itertools import chain, islice
from operator import and_
from pathlib import Path

from unspin.align import read_pairs
from unspin.channel import SPIN_RATES
from unspin.files import chunks
from unspin.language import default_model
from unspin.pipeline import default_lexicon, restore
from unspin.rank import context_ranker
from unspin.repeats import find_repeats
from unspin.screen import THRESHOLD, Screen, is_plain, screen
from unspin.spin import spin
from unspin.text import segment

SIZES = (1, 2, 5, 10, 20)  # paragraphs


def texts_of(paragraphs: Sequence[str], size: int, most: int) -> list[str]:
    starts = range(0, len(paragraphs) - size + 1, size)
    return ["\n\n".join(paragraphs[start : start + size]) for start in islice(starts, most)]


def found_spun(text: str) -> tuple[bool, float]:
    spin_ = restore(text, ranker=context_ranker()).spin  # which ranker does not matter to evidence
    return spin_.is_spun, spin_.rate


def of_pairs(path: Path, tried: Screen, every: int) -> None:
    """All spun passages are screened; of every so many, the rate is estimated. What is missed always is looked at."""
    spun = [copy for pair in read_pairs(path) for copy in pair.spun]
    missed = [text for text in spun if tried.looks_clean(text)]
    gone = sum(found_spun(text)[0] for text in missed)
    print(f"{len(spun):,} spun passages: {len(missed):,} pass the screen, {gone:,} of them spun by the gate")
    print(f"the lowest score is {min(map(tried.score, spun)):.3f}; texts below {THRESHOLD} pass")
    print("\n| estimated rate | passages | missed |\n| --- | ---: | ---: |")
    rates: Counter[float] = Counter()
    lost: Counter[float] = Counter()
    for text in spun[::every]:
        is_spun, rate = found_spun(text)
        if is_spun:
            rates[rate] += 1
            lost[rate] += tried.looks_clean(text)
    for rate in SPIN_RATES:
        print(f"| {rate} | {rates[rate]:,} | {lost[rate]:,} |")


def by_rate(paragraphs: Sequence[str], tried: Screen, most: int) -> None:
    print(
        "\n| paragraphs | spun at | texts | spun by the gate | of these missed |\n| ---: | ---: | ---: | ---: | ---: |"
    )
    for size in (2, 5, 10):
        for rate in SPIN_RATES:
            texts = texts_of(paragraphs, size, most)
            made = [spin(text, lexicon=default_lexicon(), seed=n, rate=rate).text for n, text in enumerate(texts)]
            found = [text for text in made if found_spun(text)[0]]
            lost = sum(map(tried.looks_clean, found))
            print(f"| {size} | {rate} | {len(made):,} | {len(found):,} | {lost:,} |", flush=True)


def of_clean(paragraphs: Sequence[str], tried: Screen) -> None:
    print("\n| paragraphs | clean texts | pass | words/s |\n| ---: | ---: | ---: | ---: |")
    for size in SIZES:
        texts = texts_of(paragraphs, size, len(paragraphs))
        words = sum(len(text.split()) for text in texts)
        start = time.process_time()
        passed = sum(map(tried.looks_clean, texts))
        speed = words / (time.process_time() - start)
        print(f"| {size} | {len(texts):,} | {passed / len(texts):.1%} | {speed:,.0f} |", flush=True)


def of_repeats(paragraphs: Sequence[str]) -> None:
    """Texts in which nothing is looked for once they look clean, and those in which something would be found."""
    print("\n| paragraphs | texts | plain | with repeats | of these plain |\n| ---: | ---: | ---: | ---: | ---: |")
    for size in SIZES:
        texts = texts_of(paragraphs, size, 2_000)
        plain = [is_plain(text) for text in texts]
        repeated = [bool(find_repeats(segment(text), lexicon=default_lexicon())) for text in texts]
        lost = sum(map(and_, plain, repeated))
        print(f"| {size} | {len(texts):,} | {sum(plain) / len(texts):.1%} | {sum(repeated)} | {lost} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, help="aligned pairs")
    parser.add_argument("--clean", type=Path, help="clean text, a paragraph a line")
    parser.add_argument("--texts", type=int, default=500, help="spun texts per row")
    parser.add_argument("--every", type=int, default=20, help="estimate the rate of every so many passages")
    arguments = parser.parse_args()
    start = time.process_time()
    tried = screen(default_lexicon(), default_model())
    print(f"lexicon, language model and screen loaded in {time.process_time() - start:.2f} s\n")
    if arguments.pairs:
        of_pairs(arguments.pairs, tried, arguments.every)
    if arguments.clean:
        lines = chain.from_iterable(chunk.split("\n") for chunk in chunks(arguments.clean))
        paragraphs = [*islice((line for line in lines if line.strip()), 20_000)]
        by_rate(paragraphs, tried, arguments.texts)
        of_clean(paragraphs, tried)
        of_repeats(paragraphs)


if __name__ == "__main__":
    main()
