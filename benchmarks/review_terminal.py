"""From key to next prompt: `python benchmarks/review_terminal.py [--candidates 1000] [--keys y]`.

Reviews a new ledger in a temporary folder with keys from a script, in a terminal of 80 columns that nobody reads: each
time runs from a key's arrival to the moment when the next page, with its question, has been written. The answer has
been committed by then. Texts are the seed article, its repeats kept, under many names with a line of their own. Prints
one figure a line, `name<TAB>value<TAB>unit`: processor and wall time of each answer.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice, pairwise
from pathlib import Path

from unspin.commands.review_screen import Draw, Terminal
from unspin.commands.review_terminal import Review
from unspin.pipeline import examine
from unspin.review.ledger import Ledger
from unspin.review.model import Interface, Order, Reviewer
from unspin.review.session import Session

SEED = Path(__file__).parent.parent / "seeds" / "seed.txt"
SIZE = os.terminal_size((80, 24))


class Script(Terminal):
    """A terminal whose keys come from a script, and whose pages go nowhere."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__()
        self._is_plain = False
        self._keys = iter(keys)
        self._nowhere = os.open(os.devnull, os.O_WRONLY)
        self.processor: list[float] = []
        self.wall: list[float] = []

    def key(self, draw: Draw) -> str:
        self._show(draw)
        self.processor.append(time.process_time())
        self.wall.append(time.perf_counter())
        key = next(self._keys, None)
        if key is None:
            raise EOFError
        return key

    def _size(self) -> os.terminal_size:
        return SIZE

    def _write(self, text: str) -> None:
        os.write(self._nowhere, text.encode())


def filled(ledger: Ledger, candidates: int) -> None:
    """Texts with so many candidates, at least."""
    seed, count, number = SEED.read_text(encoding="utf-8"), 0, 0
    while count < candidates:
        number += 1
        text = f"Article {number}.\n\n{seed}"
        count += ledger.add(f"{number}.txt", *examine(text, keep_duplicates=True)).fresh


def show(name: str, times: Sequence[float]) -> None:
    milliseconds = sorted(1000 * (after - before) for before, after in pairwise(times))
    figures = {
        "mean": statistics.fmean(milliseconds),
        "median": statistics.median(milliseconds),
        "p99": milliseconds[int(0.99 * len(milliseconds))],
        "most": milliseconds[-1],
    }
    for what, value in figures.items():
        print(f"{name}.{what}\t{value:.2f}\tms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--keys", default="yn1", help="pressed in turn, over and over")
    parser.add_argument("--order", choices=[*map(str, Order)], default=str(Order.RISK))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder, "unspin.db")) as ledger:
        filled(ledger, options.candidates)
        script = Script(list(islice(cycle(options.keys), options.candidates)))
        by = Reviewer("benchmark", Interface.TERMINAL)
        with Session(ledger, by, order=Order(options.order)) as session:
            Review(session, script, own=Path(folder, "unspin.tsv"), colour=True).run()
        print(f"answered\t{session.done}\t")
        show("processor", script.processor)
        show("wall", script.wall)


if __name__ == "__main__":
    main()
