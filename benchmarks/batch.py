"""Batches: `python benchmarks/batch.py --pairs TRAIN.jsonl.gz --clean NEWS.txt.gz [--documents N] [--kills N]`.

Makes a scrape in JSON Lines, four documents in five clean and the fifth spun, and prints Markdown tables: what a loop
over the library in one process does with it, and batches with one worker, two, and so on; what is lost between the two;
and whether a batch that was killed at `--kills` random moments ends as one that was not. Processor time is told beside
wall-clock time, for a machine that has something else to do.

`--long MB` pipes so many millions of bytes of JSON Lines into a batch, made as they are read, and prints the memory
of its processes on the way (Linux): of the largest worker the proportional share (PSS) and what is its own, and of the
parent. A row has the most since the row before. One document in `--spun` is spun, all if that is 1; each is put
together from paragraphs drawn at random, so that none comes twice. `--plot FILE.svg` draws it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count, cycle, islice
from pathlib import Path
from typing import NamedTuple

import unspin
from unspin.align import read_pairs
from unspin.batch.manifest import Manifest
from unspin.files import chunks
from unspin.rank import load_ranker

PARAGRAPHS = 8  # of a clean document
SPUN = 5  # one document in so many
LONG, SHORT = 20, 5  # paragraphs of a clean and of a spun document of a stream ...
SHORTEST = 60  # ... and characters of each of them, at the least
ROWS, LOOKS = 40, 400  # how often memory is told, and how often it is looked at
PROMISED = 350  # MB a worker
BATCH = [sys.executable, "-m", "unspin", "batch", "--quiet"]


def scrape(pairs: Path, clean: Path) -> Iterator[str]:
    """Lines of a mixed scrape, without end."""
    spun = cycle(copy for pair in list(read_pairs(pairs)) for copy in pair.spun)
    news = [line for line in chain.from_iterable(map(str.splitlines, islice(chunks(clean), 20))) if line.strip()]
    paragraphs = cycle(news)
    for number in range(sys.maxsize):
        text = next(spun) if number % SPUN == 0 else "\n\n".join(islice(paragraphs, PARAGRAPHS))
        yield json.dumps({"id": number, "text": text}) + "\n"


def words_of(lines: list[str]) -> int:
    return sum(len(json.loads(line)["text"].split()) for line in lines)


def loop(path: Path, ranker: str) -> None:
    """What a person would write. Prints the seconds of wall-clock and of processor time, without those of loading."""
    with_ = load_ranker(ranker)
    unspin.restore("The struggle has lasted greater than a yr, and it is the identical.", ranker=with_, screened=True)
    start, spent = time.perf_counter(), time.process_time()
    with path.open(encoding="utf-8") as source, tempfile.TemporaryFile("w") as target:
        for line in source:
            row = json.loads(line)
            row["text"] = unspin.cleaned(unspin.restore(row["text"], ranker=with_, screened=True))
            target.write(json.dumps(row) + "\n")
    print(time.perf_counter() - start, time.process_time() - spent)


def spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def speed(path: Path, words: int, ranker: str, workers: int) -> None:
    command = [sys.executable, __file__, "--loop", str(path), "--ranker", ranker]
    wall, processor = map(float, subprocess.run(command, check=True, capture_output=True).stdout.split())
    alone = words / processor
    print("\n| | words/s | words a second of processor time | of the loop's |\n| --- | ---: | ---: | ---: |")
    print(f"| loop in one process | {words / wall:,.0f} | {alone:,.0f} | 100 % |", flush=True)
    nothing = path.with_name("nothing.jsonl")
    nothing.touch()
    for jobs in range(1, workers + 1):
        with tempfile.TemporaryDirectory() as folder:
            seconds = []
            for source in (nothing, path):
                before = spent()
                target = Path(folder, source.stem)
                subprocess.run([*BATCH, "--ranker", ranker, "-j", str(jobs), "-o", target, source], check=True)
                seconds.append(spent() - before)
            with Manifest(target / "manifest.sqlite") as manifest:
                wall = manifest.runs()[-1].seconds
        each = words / (seconds[1] - seconds[0])  # without what starting takes
        named = f"{jobs} worker{'s' * (jobs > 1)}"
        print(f"| {named} | {words / wall:,.0f} | {each:,.0f} | {each / alone:.0%} |", flush=True)


def memory_of(pid: int) -> tuple[int, int]:
    """The proportional share and the private part of a process's memory, in bytes."""
    rows = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    sizes = {row[0]: int(row[1]) * 1024 for row in rows}
    return sizes["Pss:"], sizes["Private_Clean:"] + sizes["Private_Dirty:"]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def paragraphs(texts: Iterable[str]) -> list[str]:
    """The paragraphs of texts, each as JSON has it inside a string."""
    return [json.dumps(line)[1:-1] for text in texts for line in text.splitlines() if len(line) >= SHORTEST]


def stream(pairs: Path, clean: Path, one_in: int) -> Iterator[bytes]:
    """Lines of a scrape without end of which one in so many documents is spun, and no two are the same."""
    spun = paragraphs(copy for pair in read_pairs(pairs) for copy in pair.spun)
    news = paragraphs(chunks(clean)) if one_in > 1 else []
    chance = random.Random(0)
    for number in count():
        some = chance.choices(news, k=LONG) if number % one_in else chance.choices(spun, k=SHORT)
        text = "\\n\\n".join(dict.fromkeys(some))
        yield f'{{"id": {number}, "text": "{text}"}}\n'.encode()


class Held(NamedTuple):
    """What the processes of a batch hold, in MB, after so many documents and MB of input."""

    documents: int
    fed: float
    worker: float
    own: float
    parent: float

    def most(self, other: Held) -> Held:
        return Held(max(self.documents, other.documents), *map(max, self[1:], other[1:]))


def held(process: int, documents: int, fed: int) -> Held:
    each = [memory_of(pid) for pid in children(process)]
    worker, own = map(max, zip(*each, strict=True)) if each else (0, 0)
    return Held(documents, *(size / 1_000_000 for size in (fed, worker, own, memory_of(process)[0])))


def memory(lines: Iterator[bytes], size: int, ranker: str, workers: int) -> Iterator[Held]:
    """Pipe so many bytes into a batch. Prints and yields what its processes hold, ROWS times, and the rate."""
    print("\n| documents | MB of input | PSS of a worker, MB | its own, MB | parent, MB |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        command = [*BATCH, "--ranker", ranker, "-j", str(workers), "-o", f"{folder}/out", "-"]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.PIPE)
        assert process.stdin is not None
        fed, looked, row, most = 0, 0, 1, Held(0, 0, 0, 0, 0)
        for number, line in enumerate(lines, 1):
            fed += process.stdin.write(line)
            if fed - looked >= size / LOOKS:
                looked, most = fed, most.most(held(process.pid, number, fed))
            if fed >= size * row / ROWS:
                print("| " + " | ".join(f"{cell:,.0f}" for cell in most) + " |", flush=True)
                yield most
                row, most = row + 1, Held(0, 0, 0, 0, 0)
            if fed >= size:
                break
        process.stdin.close()
        if process.wait():
            sys.exit(f"the batch ended with exit code {process.returncode}")
        print(f"\n{fed / 1e6 / (time.perf_counter() - start):,.1f} MB of input a second")


def draw(curve: Sequence[Held], path: Path) -> None:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    columns = {"a worker": "worker", "of it, its own": "own", "parent": "parent"}
    for (label, column), colour in zip(columns.items(), ("#1f5fa8", "#7fb3e0", "0.5"), strict=True):
        values = [getattr(point, column) for point in curve]
        axes.plot([point.fed / 1000 for point in curve], values, color=colour, label=label)
    axes.set(xlabel="GB of input", ylabel="MB of memory (PSS)", xlim=(0, None), ylim=(0, 400))
    axes.axhline(PROMISED, color="0.6", linestyle="--", linewidth=1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    with rc_context({"svg.hashsalt": "unspin"}):  # else ids are random
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)


def kills(path: Path, ranker: str, times: int, workers: int) -> None:
    """Kill a batch, the parent alone or all of its processes, and start it again; a new one when it has ended."""
    moments, ended, left = random.Random(times), 0, times
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, out = folder / "whole", folder / "out"
        command = [*BATCH, "--ranker", ranker, "-j", str(workers), "-o"]
        start = time.monotonic()
        subprocess.run([*command, whole, path], check=True)
        longest = time.monotonic() - start
        while True:
            process = subprocess.Popen([*command, out, path], start_new_session=True)
            try:
                process.wait(moments.uniform(0.0, longest) if left else None)
            except subprocess.TimeoutExpired:
                (os.kill if moments.random() < 0.5 else os.killpg)(process.pid, signal.SIGKILL)
                process.wait()
                left -= 1
                continue
            assert process.returncode == 0 and contents(out) == contents(whole), "the output is another"
            ended += 1
            if not left:
                break
            shutil.rmtree(out)
    print(f"\n{times:,} kills, {ended:,} batches ended: every output is that of a batch that was not disturbed")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".work" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.suffix != ".sqlite"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, help="aligned pairs")
    parser.add_argument("--clean", type=Path, help="clean text, a paragraph a line")
    parser.add_argument("--documents", type=int, default=2_000, help="of the scrape; 0: no table of speeds")
    parser.add_argument("--long", type=int, default=0, help="MB that are piped in while memory is watched")
    parser.add_argument("--spun", type=int, default=200, help="one document in so many of these is spun")
    parser.add_argument("--plot", type=Path, help="a picture of the memory, .svg or .png; needs matplotlib")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ranker", default="neural")
    parser.add_argument("--loop", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.loop:
        loop(arguments.loop, arguments.ranker)
        return
    lines = scrape(arguments.pairs, arguments.clean)
    made = list(islice(lines, arguments.documents))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "scrape.jsonl")
        path.write_text("".join(made), encoding="utf-8")
        if made:
            words = words_of(made)
            print(f"{len(made):,} documents, {words:,} words, one in {SPUN} spun; ranker {arguments.ranker}")
            speed(path, words, arguments.ranker, arguments.workers)
        if arguments.kills:
            path.write_text("".join(made[:400]), encoding="utf-8")
            kills(path, arguments.ranker, arguments.kills, arguments.workers)
    if arguments.long:
        long = stream(arguments.pairs, arguments.clean, arguments.spun)
        curve = list(memory(long, arguments.long * 1_000_000, arguments.ranker, arguments.workers))
        if arguments.plot:
            draw(curve, arguments.plot)


if __name__ == "__main__":
    main()
