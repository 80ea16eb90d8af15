"""What an index and spilling cost: time to add and to ask as the index grows; memory and time of `dedupe --memory`.

    python benchmarks/index.py --clean NEWS.txt.gz --size 100000 --size 1000000 --size 10000000
    python benchmarks/index.py --clean NEWS.txt.gz --spill 50000000 --paragraphs 1600000

An index of a size holds 20,000 paragraphs of news, and as many grams more as that size has, at random: they are
searched like any others, but no text has them. What is added and asked are 10,000 paragraphs, every tenth a copy of one
of the 20,000 with 15 % of its words swapped.
"""

from __future__ import annotations

import random
import resource
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, islice, pairwise
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import click
import numpy as np
from copies import lines
from scale import chained
from swappers import Strangers

from unspin.copies import dedupe
from unspin.index import Index
from unspin.lexicon import Lexicon
from unspin.model import NamedText
from unspin.postings import Rows, write
from unspin.spill import spilled
from unspin.store import SEGMENTS, Store

REAL = 20_000
ADDED = 10_000
GRAMS = 60  # of a paragraph of news
PART = 1 << 20
SEED = 1
SAMPLE = 5_000  # paragraphs that words are taken from

T = TypeVar("T")


def timed(name: str, work: Callable[[], object]) -> None:
    wall, used = time.perf_counter(), time.process_time()
    said = work()
    wall, used = time.perf_counter() - wall, time.process_time() - used
    click.echo(f"  {name:24} {used:7.2f} s of processor time, {wall:7.2f} s on the clock  {said or ''}")


def pad(path: Path, passages: int) -> None:
    """Grams at random, as many as so many passages have, in one segment."""
    count, chance = passages * GRAMS, np.random.default_rng(SEED)
    parts = max(1, count // PART)
    edges = np.linspace(0, 2**64 - 2**12, parts + 1, dtype=np.uint64)

    def rows() -> Iterator[Rows]:
        for low, high in pairwise(edges):
            keys = np.sort(chance.integers(low, high, count // parts, np.uint64))
            yield Rows(keys, np.arange(len(keys), dtype=np.uint32))

    with Store.open(path) as store, store.adding():
        store.segments = [write(path / SEGMENTS / "padding", rows()), *store.segments]


def named(texts: list[str], prefix: str) -> list[NamedText]:
    return [NamedText(f"{prefix}{number}", text) for number, text in enumerate(texts)]


def grown(clean: Path, size: int, lexicon: Lexicon) -> None:
    """An index of a size: what adding to it and asking it takes."""
    texts = list(islice(lines(clean), REAL + ADDED))
    old, new = texts[:REAL], texts[REAL:]
    swap = Strangers(old[:5000])
    new[::10] = [swap(text, 0.15) for text in random.Random(SEED).sample(old, len(new[::10]))]
    with TemporaryDirectory() as folder:
        path = Path(folder, "index")
        click.echo(f"{size:,} paragraphs")
        timed(f"build of {REAL:,}", lambda: Index.build(path, named(old, "old"), lexicon=lexicon).kept)
        if size > REAL:
            pad(path, size - REAL)
        taken = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        click.echo(f"  {taken / 1e6:,.0f} MB on disk")
        for turn in range(2):  # the second time its pages are in memory
            with Index.open(path, lexicon=lexicon) as index:
                timed(f"query of {ADDED:,}, turn {turn + 1}", lambda: asked(index, new))
        with Index.open(path, lexicon=lexicon) as index:
            timed(f"add of {ADDED:,}", lambda: f"{index.add(named(new, 'new')).kept:,} kept")


def asked(index: Index, texts: list[str]) -> str:
    copies = {answer.place.text for answer in index.query(named(texts, "new")) if answer.is_copy}
    return f"{len(copies & set(range(0, len(texts), 10))):,} of {len(texts[::10]):,} copies found"


def peak() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def written(clean: Path, count: int, folder: str) -> Path:
    """Paragraphs in a file, a line each: clean ones, then as many made of their words as are missing.

    Every twentieth stands there again with 15 % of its words swapped, 10,000 lines later.
    """
    path = Path(folder, "texts")
    sample = list(islice(lines(clean), SAMPLE))
    swap, waiting = Strangers(sample), deque[str]()
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(islice(chain(lines(clean), chained(sample)), count)):
            file.write(text + "\n")
            if number % 20 == 0:
                waiting.append(text)
            if len(waiting) > 500:
                file.write(swap(waiting.popleft(), 0.15) + "\n")
    return path


def paragraphs(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line in file)


def measured(path: Path, memory: int | None) -> str:
    """What `dedupe` takes, in a process of its own."""
    lexicon = Lexicon.load()
    dedupe(list(islice(paragraphs(path), 100)), lexicon=lexicon)
    before, start, clock = peak(), time.process_time(), time.perf_counter()
    if memory is None:
        found = sum(len(group.copies) for group in dedupe(list(paragraphs(path)), lexicon=lexicon))
    else:
        with spilled(paragraphs(path), memory=memory, lexicon=lexicon) as groups:
            found = sum(len(group.copies) for group in groups)
    used, wall = time.process_time() - start, time.perf_counter() - clock
    return (
        f"{path.stat().st_size / 1e6:,.0f} MB of text, {found:,} copies, {used:,.0f} s of processor time "
        f"({wall:,.0f} on the clock), peak {peak() - before:,.0f} MB over the {before:,.0f} MB of program and lexicon"
    )


def afresh(function: Callable[..., T], *arguments: object) -> T:
    """Call it in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


@click.command()
@click.option("--clean", type=click.Path(path_type=Path), required=True)
@click.option("--size", "sizes", type=int, multiple=True, help="Grow an index to so many paragraphs.")
@click.option("--spill", type=int, multiple=True, help="Run `dedupe` within so many bytes.")
@click.option("--in-memory", is_flag=True, help="And without such a limit.")
@click.option("--paragraphs", "count", default=100_000, show_default=True, help="In the collection for --spill.")
def main(clean: Path, sizes: tuple[int, ...], spill: tuple[int, ...], in_memory: bool, count: int) -> None:
    """Print what an index and spilling cost."""
    lexicon = Lexicon.load()
    for size in sizes:
        grown(clean, size, lexicon)
    with TemporaryDirectory() as folder:
        path = afresh(written, clean, count, folder) if spill or in_memory else Path()
        for memory in (*spill, *([None] if in_memory else [])):
            said = afresh(measured, path, memory)
            click.echo(f"{f'{memory / 1e6:,.0f} MB' if memory else 'no limit'}: {said}")


if __name__ == "__main__":
    main()
