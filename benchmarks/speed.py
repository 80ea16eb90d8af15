"""Speed, memory and start-up: `python benchmarks/speed.py [--pairs DEV.jsonl.gz]`.

Prints one figure a line, `name<TAB>value<TAB>unit`: medians of RUNS runs, warm unless it says cold. Texts are the
seed article repeated (its repeats kept, so that every word is decoded, and once more with repeats removed)
and, if given, the first spun copies of a pairs file, one document each.
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import unspin
from unspin.align import Pair, read_pairs
from unspin.decode import decode
from unspin.language import default_model
from unspin.pipeline import default_lexicon
from unspin.rank import Ranker, context_ranker, neural_ranker
from unspin.text import segment

RUNS = 5
SEED = Path(__file__).parent.parent / "seeds" / "seed.txt"
STEPS = (125_000, 250_000, 500_000, 1_000_000)  # characters


def median_seconds(run: Callable[[], object]) -> float:
    """The median of RUNS timings of `run`, in processor seconds of this one thread."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return statistics.median(times)


def words_per_second(texts: Sequence[str], ranker: Ranker, *, keep_duplicates: bool = True) -> float:
    words = sum(len(text.split()) for text in texts)
    return words / median_seconds(
        lambda: [unspin.restore(text, ranker=ranker, keep_duplicates=keep_duplicates) for text in texts]
    )


def rankers(seed: str, pairs: Sequence[Pair]) -> None:
    """Loading and speed of each ranker; the pairs' originals show what clean text costs."""
    for name, load in (("context", context_ranker), ("neural", neural_ranker)):
        start = time.perf_counter()
        ranker = load()
        show(f"{name}.load", time.perf_counter() - start, "s")
        unspin.restore(seed, ranker=ranker)
        for size in STEPS:
            text = (seed * (size // len(seed) + 1))[:size]
            show(f"{name}.seed.{size // 1000}kB", words_per_second([text], ranker), "words/s")
        without = words_per_second([text], ranker, keep_duplicates=False)
        show(f"{name}.seed.{size // 1000}kB.repeats_removed", without, "words/s")
        if pairs:
            show(f"{name}.pairs", words_per_second([pair.spun[0] for pair in pairs], ranker), "words/s")
            show(f"{name}.clean", words_per_second([pair.original for pair in pairs], ranker), "words/s")


def decoder(pairs: Sequence[Pair]) -> None:
    """The decoder by itself, with no ranker, on long texts: all passages as one, spun and not."""
    lexicon, model = default_lexicon(), default_model()
    for name, texts in (("spun", [pair.spun[0] for pair in pairs]), ("clean", [pair.original for pair in pairs])):
        text = "\n".join(texts)
        sentences = [s for paragraph in segment(text).paragraphs for s in paragraph.sentences]
        seconds = median_seconds(partial(decode, sentences, lexicon, model))
        show(f"decoder.{name}", len(text.split()) / seconds, "words/s")


def cold_seconds(*arguments: str) -> float:
    """The median wall time of RUNS fresh processes."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "unspin", *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def show(name: str, value: float, unit: str) -> None:
    print(f"{name}\t{value:,.2f}\t{unit}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, help="aligned pairs; their first spun copies are restored")
    arguments = parser.parse_args()
    seed = SEED.read_text(encoding="utf-8")
    show("cold.help", cold_seconds("--help"), "s")
    show("cold.clean_seed", cold_seconds("clean", str(SEED)), "s")
    unspin.restore(seed)
    gc.freeze()  # as the command line does: what is loaded stays, and need not be looked at for garbage
    pairs = [*read_pairs(arguments.pairs)] if arguments.pairs else []
    if pairs:
        decoder(pairs)
    rankers(seed, pairs)
    show("memory.peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, "MB")


if __name__ == "__main__":
    main()
