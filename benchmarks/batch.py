"""Batches: `python benchmarks/batch.py --pairs TRAIN.jsonl.gz --clean NEWS.txt.gz [--documents N] [--kills N]`.

Makes a scrape in JSON Lines, four documents in five clean and the fifth spun, and prints Markdown tables: what a loop
over the library in one process does with it, and batches with one worker, two, and so on; what is lost between the two;
the memory of workers while a pipe of `--long` documents is cleaned, as their proportional share (PSS) and what is
theirs alone; and whether a batch that was killed at `--kills` random moments ends as one that was not. Processor time
is told beside wall-clock time, for a machine that has something else to do.
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
from collections.abc import Iterator
from itertools import chain, cycle, islice
from pathlib import Path

import unspin
from unspin.align import read_pairs
from unspin.batch.manifest import Manifest
from unspin.files import chunks
from unspin.rank import load_ranker

PARAGRAPHS = 8  # of a clean document
SPUN = 5  # one document in so many
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


def memory(lines: Iterator[str], documents: int, ranker: str, workers: int) -> None:
    print("\n| documents | MB of text | PSS of a worker, MB | private, MB | parent, MB |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        command = [*BATCH, "--ranker", ranker, "-j", str(workers), "-o", f"{folder}/out", "-"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE)
        assert process.stdin is not None
        fed = 0
        for number, line in enumerate(islice(lines, documents), 1):
            data = line.encode()
            process.stdin.write(data)
            fed += len(data)
            if number % (documents // 20 or 1) == 0:
                pss, private = map(max, zip(*map(memory_of, children(process.pid)), strict=True))
                row = [number, *(size // 1_000_000 for size in (fed, pss, private, memory_of(process.pid)[0]))]
                print("| " + " | ".join(f"{cell:,}" for cell in row) + " |", flush=True)
        process.stdin.close()
        process.wait()


def kills(path: Path, ranker: str, count: int, workers: int) -> None:
    """Kill a batch, the parent alone or all of its processes, and start it again; a new one when it has ended."""
    moments, ended, left = random.Random(count), 0, count
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
    print(f"\n{count:,} kills, {ended:,} batches ended: every output is that of a batch that was not disturbed")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".work" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.suffix != ".sqlite"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, help="aligned pairs")
    parser.add_argument("--clean", type=Path, help="clean text, a paragraph a line")
    parser.add_argument("--documents", type=int, default=2_000, help="of the scrape; 0: no table of speeds")
    parser.add_argument("--long", type=int, default=0, help="documents that are piped in while memory is watched")
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
        memory(lines, arguments.long, arguments.ranker, arguments.workers)


if __name__ == "__main__":
    main()
