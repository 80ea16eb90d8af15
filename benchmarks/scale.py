"""How fast `dedupe` is beside rensa, how its time and memory grow, and what hostile collections cost.

    python benchmarks/scale.py --clean FILE... --speed [--count 20000]
    python benchmarks/scale.py --clean FILE... --growth 10000 --growth 100000 [--plot growth.svg]
    python benchmarks/scale.py --hostile [--count 1000000]

The clean files have a paragraph a line and may be gzipped; paragraphs of 25 words or more are taken, and every tenth
one is an earlier one with 15 % of its words swapped for others about as frequent. Where the files do not have enough,
more are made: words that follow one another as they do in the files (a Markov chain of first order, seeded), in
paragraphs as long as those of the files. So they repeat as few runs of words as text does that was written.

Speed is paragraphs a second on the clock and by processor time, children included; unspin with all processors, unspin
with one and rensa take turns, and the median counts. Growth and hostile collections are measured in a fresh process
each. Memory is by how much the process grew at its peak while it ran, the texts being there before; so many times the
text means its UTF-8 bytes. `--plot` needs matplotlib, `--speed` needs rensa (`pip install rensa`).
"""

from __future__ import annotations

import gzip
import os
import random
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click
from swappers import Strangers

from unspin.copies import dedupe
from unspin.lexicon import Lexicon

MIN_WORDS = 25
SEED = 5
TURNS = 3
CORES = os.cpu_count() or 1
SAMPLE = 5000  # paragraphs whose words are swapped for one another
PARAGRAPH = (
    "The company said on Monday that its new factory in Ohio will start making batteries next year, because demand for "
    "electric cars has grown quickly and many customers now wait for months. However, the city council has not yet "
    "approved the plan, and several people who live nearby fear the noise."
)
TEMPLATE = (
    "{} reported earnings of {} cents a share for the quarter, compared with {} cents a year earlier. Revenue rose {} "
    "percent to ${} million, and shares of {} closed at ${} on the exchange after the report came out on Tuesday."
)
SYLLABLES = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"]
FUNCTION = "the a of to in and for on at by with from as is was it its that this he they not or but if than so".split()


class Cost(NamedTuple):
    """Of one run: seconds on the clock and of processor time, growth of memory and size of the texts in MB."""

    texts: int
    wall: float
    used: float
    memory: float
    size: float
    groups: int
    copies: int

    def __str__(self) -> str:
        rate = f"{self.texts / self.wall:9,.0f} a second ({self.texts / self.used:,.0f} by processor time)"
        memory = f"{self.memory:7,.0f} MB, {self.memory / max(self.size, 1e-6):5.1f} times the text"
        return f"{self.texts:>9,} texts  {self.wall:7.1f} s  {rate}  {memory}  {self.copies:,} copies"


# texts


def lines(paths: Sequence[Path]) -> Iterator[str]:
    """The paragraphs of clean files that are long enough."""
    for path in paths:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as file:
            yield from (line.rstrip("\n") for line in file if len(line.split()) >= MIN_WORDS)


def chained(texts: Sequence[str]) -> Iterator[str]:
    """Endless paragraphs as long as those given, in which words follow one another as they do there."""
    chance = random.Random(SEED)
    followers: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        words = text.split()
        for word, follower in zip(words, [*words[1:], words[0]], strict=True):
            followers[word].append(follower)
    while True:
        words = chance.choice(texts).split()
        word = words[0]
        yield " ".join(word := chance.choice(followers[word]) for _ in words)


def mixed(paths: Sequence[Path], count: int) -> Iterator[str]:
    """Distinct paragraphs, then a tenth of all: some of them, swapped."""
    fresh = list(islice(lines(paths), count - count // 10))
    swap = Strangers(fresh[:SAMPLE])
    copied = fresh[:: max(1, len(fresh) // max(1, count // 10))][: count // 10]
    missing = count - len(fresh) - len(copied)
    yield from chain(fresh, islice(chained(fresh[: 10 * SAMPLE]), missing), (swap(text, 0.15) for text in copied))


def written(texts: Iterable[str], folder: str) -> Path:
    path = Path(folder) / "texts"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in texts)
    return path


def read(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="\n") as file:
        return [line.rstrip("\n") for line in file]


def hostile(name: str, count: int) -> list[str]:
    """A collection of one bad kind; where a million says little, a tenth or a twentieth of them."""
    chance = random.Random(SEED)
    match name:
        case "empty and one word":
            return [("", "word", "Word.", f"word{number}")[number % 4] for number in range(count)]
        case "identical":
            return ["".join(PARAGRAPH) for _ in range(count)]
        case "identical but for white space and case":
            return [PARAGRAPH.replace(" ", "  " if n % 2 else " ", n % 40).upper()[n % 2 :] for n in range(count)]
        case "one long text, and its paragraphs":
            parts = [" ".join(chance.choices(PARAGRAPH.split(), k=60)) + "." for _ in range(count // 7)]
            return [" ".join(parts), " ".join(parts[::-1]), *parts[:1000]]
        case "function words":
            return [" ".join(chance.choices(FUNCTION, k=50)) for _ in range(count // 10)]
        case "any code points":
            return ["".join(map(chr, chance.choices(range(0x110000), k=300))) for _ in range(count // 10)]
        case "one template":
            return [TEMPLATE.format(*(chance.randrange(10**6) for _ in range(7))) for _ in range(count)]
        case "variants of one text":
            forms = [(word, word[::-1], word + "s") for word in PARAGRAPH.split()]
            return [" ".join(chance.choices(form, (8, 1, 1))[0] for form in forms) for _ in range(count // 10)]
        case "a chain":
            made = ["".join(chance.choices(SYLLABLES, k=3)) for _ in range(count // 10 + 50)]
            words = [chance.choice((word, chance.choice(FUNCTION))) for word in made]
            return [" ".join(words[n : n + 50]) for n in range(count // 10)]
    raise ValueError(name)


HOSTILE = (
    "empty and one word",
    "identical",
    "identical but for white space and case",
    "one long text, and its paragraphs",
    "function words",
    "any code points",
    "one template",
    "variants of one text",
    "a chain",
)


# measuring


def used() -> float:
    """Seconds of processor time up to now, those of children that ended included."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def status(key: str) -> float:
    """A line of what Linux says of this process, in MB."""
    rows = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    return int(rows[key].split()[0]) / 1024


def cost(texts: Sequence[str]) -> Cost:
    lexicon = Lexicon.load()
    dedupe([PARAGRAPH, TEMPLATE], lexicon=lexicon)
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    memory, wall, processor = status("VmRSS"), time.perf_counter(), used()
    groups = dedupe(texts, lexicon=lexicon, jobs=CORES)
    wall, processor, memory = time.perf_counter() - wall, used() - processor, status("VmHWM") - memory
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) / 2**20
    return Cost(len(texts), wall, processor, memory, size, len(groups), sum(len(group.copies) for group in groups))


def cost_of_file(path: Path) -> Cost:
    return cost(read(path))


def cost_of_hostile(name: str, count: int) -> Cost:
    return cost(hostile(name, count))


def afresh(function: Callable[..., Cost], *args: object) -> Cost:
    """What a function returns in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def speed(texts: Sequence[str]) -> None:
    """Paragraphs a second, in turn with rensa."""
    from rensa import RMinHash, RMinHashLSH

    lexicon = Lexicon.load()
    dedupe(texts[:100], lexicon=lexicon)

    def theirs() -> None:
        index = RMinHashLSH(threshold=0.7, num_perm=128, num_bands=16)
        hashes: list[RMinHash] = []
        for number, text in enumerate(texts):
            words = text.split()
            found = RMinHash(num_perm=128, seed=42)
            found.update([" ".join(words[n : n + 5]) for n in range(max(1, len(words) - 4))])
            for other in index.query(found):
                found.jaccard(hashes[other])
            index.insert(number, found)
            hashes.append(found)

    runs: dict[str, Callable[[], object]] = {
        f"unspin, {CORES} processors": lambda: dedupe(texts, lexicon=lexicon, jobs=CORES),
        "unspin, 1 processor": lambda: dedupe(texts, lexicon=lexicon),
        "rensa, 128 permutations, 5 words, 0.7": theirs,
    }
    taken: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(TURNS):
        for name, run in runs.items():
            wall, processor = time.perf_counter(), used()
            run()
            taken[name].append((time.perf_counter() - wall, used() - processor))
    for name, seconds in taken.items():
        wall, processor = (median(column) for column in zip(*seconds, strict=True))
        rate = f"{len(texts) / wall:9,.0f} a second on the clock, {len(texts) / processor:9,.0f} of processor time"
        click.echo(f"{name:38} {rate}")


def draw(costs: Sequence[Cost], path: Path) -> None:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    for axes, values, label in zip(
        figure.subplots(1, 2),
        ([cost.wall for cost in costs], [cost.memory for cost in costs]),
        (f"seconds, {CORES} processors", "MB of memory"),
        strict=True,
    ):
        counts = [cost.texts for cost in costs]
        axes.plot(counts, values, marker="o", color="#1f5fa8", label="measured")
        line = [values[0] * count / counts[0] for count in counts]
        axes.plot(counts, line, color="0.6", linestyle="--", linewidth=1, label="in proportion")
        axes.set(xscale="log", yscale="log", xlabel="paragraphs", ylabel=label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    with rc_context({"svg.hashsalt": "unspin"}):  # else ids are random
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)


@click.command()
@click.option("--clean", type=click.Path(path_type=Path), multiple=True)
@click.option("--count", type=int, help="Texts: 20,000 for --speed, a million for --hostile.")
@click.option("--speed", "fast", is_flag=True, help="Beside rensa.")
@click.option("--growth", type=int, multiple=True, help="Time and memory for so many paragraphs.")
@click.option("--plot", type=click.Path(path_type=Path), help="A picture of the growth.")
@click.option("--hostile", "bad", is_flag=True, help="Collections of one bad kind.")
@click.option("--only", type=click.Choice(HOSTILE), multiple=True, help="Of these kinds.")
def main(
    clean: tuple[Path, ...],
    count: int | None,
    fast: bool,
    growth: tuple[int, ...],
    plot: Path | None,
    bad: bool,
    only: tuple[str, ...],
) -> None:
    """Print speed, growth, and what hostile collections cost."""
    if (fast or growth) and not clean:
        raise click.UsageError("--speed and --growth need --clean")
    if fast:
        speed(list(mixed(clean, count or 20_000)))
    costs = []
    with TemporaryDirectory() as folder:
        for size in growth:
            costs.append(afresh(cost_of_file, written(mixed(clean, size), folder)))
            click.echo(str(costs[-1]))
    if plot and costs:
        draw(costs, plot)
    for name in (only or HOSTILE) if bad else ():
        click.echo(f"{name:40} {afresh(cost_of_hostile, name, count or 1_000_000)}")


if __name__ == "__main__":
    main()
