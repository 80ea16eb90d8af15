"""What unspin does on a Spark cluster: rates with one worker and with two, shuffles, skew, and what a crawl would take.

    python benchmarks/spark.py --pairs DEV.jsonl.gz --clean CLEAN.txt.gz [--documents 1000] [--workers 1 --workers 2]

A standalone master and so many workers are started on this machine, each worker with one task at a time and one
processor of its own (Linux), 1 GB for its executor's JVM, and the texts as Parquet. Four fifths of the documents are
clean, five paragraphs of the files each; a fifth are spun copies of the pairs. Restored are these; deduplicated are
twice as many, the pairs' other copies among them. Jobs run twice, and the second run counts: the first loads models.

Rates are words a second on the clock. Shuffles are what tasks wrote for one another, and scratch what `dedupe` saved,
by Spark's own event log and on disk. Skew is the longest task of the longest stage by its median. A core-hour's price
and the size of a crawl are options; what is computed for it grows in proportion, as the rates do.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice, repeat
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PARAGRAPHS = 5  # of a clean document
LOOPBACK = "127.0.0.1"
PARTITIONS = 8
SECONDS = 120  # that a process may take to come up
HOURS = 3600


class Job(NamedTuple):
    """What one job took: seconds, and bytes that tasks wrote for one another; and how uneven its longest stage was."""

    name: str
    workers: int
    words: int
    size: int  # of the texts, in bytes
    wall: float
    shuffled: int
    scratch: int
    skew: float

    @property
    def rate(self) -> float:
        return self.words / self.wall / self.workers

    def __str__(self) -> str:
        shuffle = f"shuffle {self.shuffled / self.size:5.2f}, scratch {self.scratch / self.size:5.2f} times the text"
        rate = f"{self.words / self.wall:8,.0f} words a second"
        return f"{self.name:22} {self.workers} workers {self.wall:7.1f} s {rate}  {shuffle}  skew {self.skew:.1f}"


# texts


def clean_documents(paths: Sequence[Path]) -> Iterator[str]:
    """So many paragraphs of the files in a row each, again and again."""
    for path in chain.from_iterable(repeat(paths)):
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as file:
            while lines := list(islice(file, PARAGRAPHS)):
                yield "".join(lines)


def spun_documents(path: Path, copy: int) -> Iterator[str]:
    """One of the spun copies of each pair."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            copies = json.loads(line)["spun"]
            yield copies[min(copy, len(copies) - 1)]


def written(texts: Sequence[str], path: Path) -> tuple[int, int]:
    """Write texts as Parquet. Returns how many words and bytes they have."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.mkdir()
    for part in range(PARTITIONS):
        some = texts[part::PARTITIONS]
        table = pa.table({"id": [f"{part}-{n}" for n in range(len(some))], "text": some})
        pq.write_table(table, path / f"{part}.parquet")
    return sum(len(text.split()) for text in texts), sum(len(text.encode()) for text in texts)


# the cluster


@contextmanager
def daemon(folder: Path, processor: int | None, kind: str, *arguments: str) -> Iterator[str]:
    """A Spark daemon, until the `with` statement ends; what it logged when it came up."""
    import pyspark

    home = Path(pyspark.__file__).parent
    environment = os.environ | {
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": LOOPBACK,
    }
    log = folder / f"{kind}-{processor}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [home / "bin" / "spark-class", f"org.apache.spark.deploy.{kind}", "--host", LOOPBACK, *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=file,
            start_new_session=True,
        )
    if processor is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, {sorted(os.sched_getaffinity(0))[processor]})  # all that it starts inherits it
    try:
        deadline = time.monotonic() + SECONDS
        while not re.search(r"ALIVE|registered with master", log.read_text()):
            if time.monotonic() > deadline:
                raise click.ClickException(log.read_text())
            time.sleep(0.1)
        yield log.read_text()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[SparkSession]:
    """A session on a cluster of so many workers."""
    from contextlib import ExitStack

    from pyspark.sql import SparkSession

    with ExitStack() as stack:
        told = stack.enter_context(daemon(folder, None, "master.Master", "--port", "0", "--webui-port", "0"))
        url = re.findall(r"spark://[\d.]+:\d+", told)[-1]
        for number in range(workers):
            options = ("--cores", "1", "--memory", "2g", "--webui-port", "0", "--work-dir", str(folder / f"work-{number}"))
            stack.enter_context(daemon(folder, number, "worker.Worker", *options, url))
        builder = SparkSession.builder.master(url).appName("benchmark")
        for key, value in {
            "spark.driver.bindAddress": LOOPBACK,
            "spark.driver.host": LOOPBACK,
            "spark.eventLog.dir": folder.as_uri(),
            "spark.eventLog.enabled": "true",
            "spark.executor.memory": "1g",
            "spark.sql.shuffle.partitions": str(PARTITIONS),
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }.items():
            builder = builder.config(key, value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        spark.sparkContext.setCheckpointDir(str(folder / "checkpoints"))
        try:
            yield spark
        finally:
            spark.stop()


def tasks(folder: Path, since: float) -> tuple[int, float]:
    """Of the tasks that started since then: bytes shuffled, and the skew of the longest stage."""
    shuffled = 0
    stages: defaultdict[int, list[float]] = defaultdict(list)
    for log in folder.glob("app-*"):
        for line in log.read_text().splitlines():
            event = json.loads(line) if '"SparkListenerTaskEnd"' in line else None
            if event and event["Task Info"]["Launch Time"] >= since * 1000:
                info = event["Task Info"]
                shuffled += event["Task Metrics"]["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                stages[event["Stage ID"]].append(info["Finish Time"] - info["Launch Time"])
    longest = max(stages.values(), key=sum)
    return shuffled, max(longest) / max(1.0, median(longest))


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def run(workers: int, restored: Sequence[str], deduplicated: Sequence[str]) -> Iterator[Job]:
    """The jobs, on a cluster of so many workers."""
    from unspin import spark as on_spark
    from unspin.pipeline import default_lexicon

    with TemporaryDirectory() as name:
        folder = Path(name)
        sizes = {"clean": written(restored, folder / "clean"), "dedupe": written(deduplicated, folder / "dedupe")}
        with cluster(workers, folder) as spark:
            for turn in range(2):
                started, clock = time.time(), time.perf_counter()
                rows = spark.read.parquet(str(folder / "clean"))
                on_spark.clean(rows).write.mode("overwrite").parquet(str(folder / "restored"))
                wall = time.perf_counter() - clock
                if turn:
                    yield Job("clean", workers, *sizes["clean"], wall, *_told(folder, started, 0))
            for turn in range(2):
                shutil.rmtree(folder / "checkpoints", ignore_errors=True)
                spark.sparkContext.setCheckpointDir(str(folder / "checkpoints"))
                started, clock = time.time(), time.perf_counter()
                rows = spark.read.parquet(str(folder / "dedupe"))
                on_spark.dedupe(rows, lexicon=default_lexicon()).count()
                wall = time.perf_counter() - clock
                if turn:
                    yield Job("dedupe", workers, *sizes["dedupe"], wall, *_told(folder, started, 0))


def _told(folder: Path, started: float, scratch: int) -> tuple[int, int, float]:
    time.sleep(1)  # the event log is written behind
    shuffled, skew = tasks(folder, started)
    return shuffled, scratch, skew
