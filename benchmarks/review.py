"""How fast a review's ledger is, and how large.

    python benchmarks/review.py [--items 1000000] [--ledger postgresql://…]

Fills a ledger with made-up articles of 300 candidates each, spread over the shipped lexicon's entries as they were
seen, and prints: filling it, the status, the next candidate in every order under every filter, answers one by one, an
answer to all others, and the size of the file before and after. Times are of the processor, and on the wall clock.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unspin.model import (
    Candidate,
    DecidedBy,
    Edit,
    Entry,
    Held,
    HeldReason,
    Option,
    Restoration,
    Signature,
    SpinEvidence,
)
from unspin.pipeline import default_lexicon
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, Filter, Order, Reviewer
from unspin.review.session import Session

ARTICLE = 300  # candidates, 1,800 words
HELD = 0.1  # of the candidates
WORDS = "the of and to in a is that for it as was with be by on not he his at are this have from but".split()


def article(
    random_: random.Random, entries: list[Entry], weights: list[float], number: int
) -> tuple[Restoration, list[Candidate]]:
    """A text and what is proposed for it; five other words stand before each candidate."""
    parts: list[str] = [f"Article {number}."]
    edits: list[Edit] = []
    held: list[Held] = []
    candidates: list[Candidate] = []
    position = len(parts[0])
    chosen = random_.choices(entries, cum_weights=weights, k=ARTICLE)
    for place, entry in enumerate(chosen):
        lead = f" {' '.join(random_.choices(WORDS, k=5))} "
        if place % 8 == 0:
            lead = f".\n\nThen{lead}"
        parts += lead, entry.spun
        start = position + len(lead)
        position = start + len(entry.spun)
        sure = round(random_.betavariate(5, 1), 4)
        others = tuple(Option(other.original, other, (1 - sure) / 4, 0.3) for other in random_.sample(entries, 2))
        options = Option(entry.original, entry, sure, 0.5), *others, Option(entry.spun, None, (1 - sure) / 2)
        candidate = Candidate(start, position, entry.spun, options)
        candidates.append(candidate)
        if random_.random() < HELD:
            held.append(Held(candidate, random_.choice(list(HeldReason))))
        else:
            edits.append(Edit(start, position, entry.spun, entry.original, entry, sure, DecidedBy.DECODER))
    spin = SpinEvidence(0.9, 1.2, 6 * ARTICLE, True)
    signature = Signature("0", "benchmark", "none", ())
    return Restoration("".join(parts), spin, (), tuple(edits), tuple(held), signature), candidates


class Watch:
    """Milliseconds of the processor and of the wall clock that each of several things took."""

    def __init__(self) -> None:
        self.processor: list[float] = []
        self.wall: list[float] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        processor, wall = time.process_time(), time.perf_counter()
        yield
        self.processor.append(1000 * (time.process_time() - processor))
        self.wall.append(1000 * (time.perf_counter() - wall))

    def first_and_slowest(self) -> str:
        clocks = ((self.processor, "processor"), (self.wall, "wall clock"))
        return ", ".join(f"{name}: first {t[0]:7.2f}, slowest {max(t):7.2f} ms" for t, name in clocks)

    def typical(self) -> str:
        clocks = ((self.processor, "processor"), (self.wall, "wall clock"))
        return ", ".join(
            f"{name}: median {statistics.median(t):.2f}, 99th percentile {statistics.quantiles(t, n=100)[-1]:.2f} ms"
            for t, name in clocks
        )


@contextmanager
def timed(what: str, *, per: int = 1) -> Iterator[None]:
    """Print what a block took, or what each of `per` things in it took."""
    watch = Watch()
    with watch.running():
        yield
    print(f"{what:<60} {watch.processor[0] / per:,.2f} ms, {watch.wall[0] / per:,.2f} ms wall clock", flush=True)


def fill(ledger: Ledger, number: int) -> None:
    random_ = random.Random(1)
    entries = [entry for entry in default_lexicon().active if entry.seen]
    total = 0.0
    weights = [total := total + entry.seen for entry in entries]
    articles = number // ARTICLE
    with timed(f"fill: {articles * ARTICLE:,} candidates in {articles:,} texts, each", per=articles * ARTICLE):
        for n in range(articles):
            ledger.add(f"articles/{n:06}.txt", *article(random_, entries, weights, n))


def nexts(ledger: Ledger, repeats: int) -> None:
    """The next candidate, first and further on, in every order under every filter."""
    documents = ledger.documents()
    entries = sorted(((counts.total, entry) for entry, counts in ledger.status().entries if entry), key=lambda e: -e[0])
    common, rare = ledger.entry_id(entries[0][1]), ledger.entry_id(entries[-1][1])
    assert common and rare
    filters = {
        "all": Filter(),
        "confidence 0.2..0.3": Filter(min_confidence=0.2, max_confidence=0.3),
        "confidence 0.999..1": Filter(min_confidence=0.999),
        "the commonest entry": Filter(entries=(common,)),
        "the rarest entry": Filter(entries=(rare,)),
        "the last document": Filter(document=documents[-1].id),
        "the last document, confidence 0.2..0.3": Filter(documents[-1].id, min_confidence=0.2, max_confidence=0.3),
        "what is held": Filter(why=tuple(HeldReason)),
    }
    for order in Order:
        for name, wanted in filters.items():
            watch, after = Watch(), None
            for _ in range(repeats):
                with watch.running():
                    item = ledger.claim("benchmark", wanted, order=order, after=after)
                after = item.id if item else None
            print(f"next by {order:<8} {name:<38} {watch.first_and_slowest()}", flush=True)
    ledger.release("benchmark")


def answers(ledger: Ledger, number: int) -> None:
    with Session(ledger, Reviewer("anna")) as session:
        watch = Watch()
        for _ in range(number):
            with watch.running():
                session.next()
                session.answer(ACCEPT)
    print(f"{number:,} answers, each with the next candidate: {watch.typical()}", flush=True)


def size(path: Path, what: str) -> None:
    total = sum(part.stat().st_size for part in path.parent.glob(path.name + "*"))
    print(f"size {what}: {total / 1e6:,.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--answers", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--ledger", help="a PostgreSQL URL; a temporary file, if not given")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "unspin.db"
        with Ledger(arguments.ledger or path) as ledger:
            fill(ledger, arguments.items)
        size(path, "with nothing decided")
        with Ledger(arguments.ledger or path) as ledger:
            for which in ("first", "again"):
                with timed(f"status, {which}"):
                    status = ledger.status()
            print(f"{status.counts.total:,} candidates, {len(status.entries):,} entries")
            nexts(ledger, arguments.repeats)
            answers(ledger, arguments.answers)
            with timed("accept all others"):
                ledger.decide_all(Filter(), ACCEPT, by=Reviewer("anna"))
            with timed("status, all decided"):
                ledger.status()
        size(path, "with all decided")


if __name__ == "__main__":
    main()
