"""What unspin does on a Spark cluster: rates with one worker and with two, shuffles, skew, and what a crawl would take.

    python benchmarks/spark.py --pairs DEV.jsonl.gz --clean CLEAN.txt.gz [--restored 1000] [--compared 20000]

A standalone master and so many workers are started on this machine, each worker with one task at a time and one
processor of its own (Linux), 1 GB for its executor's JVM, and the texts as Parquet. Of the documents that are restored,
four fifths are clean, five paragraphs of the files each; a fifth are spun copies of the pairs. Of those that are
compared, a tenth are spun copies of others. What loads the models is not counted.

Rates are words a second on the clock, and by the processor time of the workers and all that they start (Linux), which
other programs on the machine change little. Shuffled is what tasks wrote for one another, saved what they wrote to
stay, both by Spark's event log. Skew is the longest task of the longest stage by its median, Python the memory of the
largest Python process at its peak: its proportional share (PSS), what is its own, and all that it sees (RSS). What a
crawl would take is computed from how processor time grows from a tenth of the documents to all of them: a job's fixed
costs, which are most of it here, are nothing there.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, cycle, islice, repeat
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple, Self

import click

from unspin.lexicon import Lexicon
from unspin.spin import spin

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SEED = 7
PARAGRAPHS = 5  # of a clean document
LOOPBACK = "127.0.0.1"
PARTITIONS = 8
SECONDS = 120  # that a process may take to come up
HOURS = 3600
LOOK = 0.25  # seconds between two looks at memory


class Tasks(NamedTuple):
    """What the tasks of a job wrote: bytes for one another, bytes saved; and how uneven they were."""

    shuffled: float
    saved: float
    skew: float


class Job(NamedTuple):
    """What one job took on the clock and of processors, in seconds, for so many words and bytes of text."""

    name: str
    workers: int
    words: int
    size: int
    wall: float
    used: float
    memory: tuple[float, float, float]  # MB, of the largest Python process: its share, its own, all
    tasks: Tasks

    def __str__(self) -> str:
        rate = f"{self.words / self.wall:8,.0f} words/s, {self.words / self.used:8,.0f} by processor time"
        shuffled, saved = self.tasks.shuffled / self.size, self.tasks.saved / self.size
        moved = f"shuffled {shuffled:.2f}, saved {saved:.2f} times the text, skew {self.tasks.skew:.1f}"
        moved += ", Python {:,.0f} MB, {:,.0f} its own, {:,.0f} with all that is shared".format(*self.memory)
        return f"{self.name:7} {self.words:>10,} words, {self.workers} workers: {self.wall:6.1f} s, {rate}; {moved}"


# texts


def shuffled(texts: Sequence[str]) -> list[str]:
    found = list(texts)
    random.Random(SEED).shuffle(found)
    return found


def clean_documents(paths: Sequence[Path]) -> Iterator[str]:
    """So many paragraphs of the files in a row each, again and again."""
    for path in chain.from_iterable(repeat(paths)):
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as file:
            while lines := list(islice(file, PARAGRAPHS)):
                yield "".join(lines)


def spun_documents(path: Path) -> Iterator[str]:
    """The first of the spun copies of each pair."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)["spun"][0]


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
def daemon(folder: Path, processor: int | None, kind: str, *arguments: str) -> Iterator[tuple[int, str]]:
    """A Spark daemon, until the `with` statement ends: its session, and what it logged when it came up."""
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
        own = sorted(os.sched_getaffinity(0))[processor]
        os.sched_setaffinity(process.pid, {own})  # all that it starts inherits it
    try:
        deadline = time.monotonic() + SECONDS
        while not re.search(r"ALIVE|registered with master", log.read_text()):
            if time.monotonic() > deadline:
                raise click.ClickException(log.read_text())
            time.sleep(0.1)
        yield process.pid, log.read_text()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[tuple[SparkSession, list[int]]]:
    """A session on a cluster of so many workers, and the sessions of these, as Linux has them."""
    from pyspark.sql import SparkSession

    with ExitStack() as stack:
        _, told = stack.enter_context(daemon(folder, None, "master.Master", "--port", "0", "--webui-port", "0"))
        url = re.findall(r"spark://[\d.]+:\d+", told)[-1]
        sessions = []
        for number in range(workers):
            work = str(folder / f"work-{number}")
            options = ("--cores", "1", "--memory", "2g", "--webui-port", "0", "--work-dir", work)
            sessions.append(stack.enter_context(daemon(folder, number, "worker.Worker", *options, url))[0])
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
            yield spark, sessions
        finally:
            spark.stop()


def tasks(folder: Path, since: float) -> Tasks:
    """Those that started since then, by the event log."""
    time.sleep(1)  # it is written behind
    moved = saved = 0
    stages: defaultdict[int, list[float]] = defaultdict(list)
    for log in folder.glob("app-*"):
        for line in log.read_text().splitlines():
            event = json.loads(line) if '"SparkListenerTaskEnd"' in line else None
            if event and event["Task Info"]["Launch Time"] >= since * 1000:
                info, metrics = event["Task Info"], event["Task Metrics"]
                moved += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                saved += metrics["Output Metrics"]["Bytes Written"]
                stages[event["Stage ID"]].append((info["Finish Time"] - info["Launch Time"]) / 1000)
    longest = max(stages.values(), key=sum)
    return Tasks(moved, saved, max(longest) / max(0.001, median(longest)))


def used(sessions: Sequence[int]) -> float:
    """Seconds of processor time that the processes of some sessions used, with what they started and saw end."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) in sessions:
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


class Watch(Thread):
    """Looks at the Python processes of some sessions, for as long as the `with` statement lasts.

    `most` is what the largest of them held, in MB: the proportional share (PSS), what is its own, and all that it sees.
    """

    def __init__(self, sessions: Sequence[int]) -> None:
        super().__init__(daemon=True)
        self.most = (0.0, 0.0, 0.0)
        self._sessions = sessions
        self._ended = Event()

    def run(self) -> None:
        while not self._ended.wait(LOOK):
            for path in Path("/proc").glob("[0-9]*"):
                with suppress(OSError, KeyError):  # it ended meanwhile
                    name, fields = (path / "comm").read_text(), (path / "stat").read_text().rpartition(")")[2].split()
                    if int(fields[3]) in self._sessions and name.startswith("python"):
                        rows = (row.split() for row in (path / "smaps_rollup").read_text().splitlines()[1:])
                        held = {row[0]: int(row[1]) / 1000 for row in rows}
                        now = held["Pss:"], held["Private_Clean:"] + held["Private_Dirty:"], held["Rss:"]
                        self.most = max(self.most, now)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self.join()


def run(workers: int, restored: Sequence[str], compared: Sequence[str]) -> Iterator[Job]:
    """The jobs, on a cluster of so many workers: on a tenth of the texts, then on all."""
    from unspin import spark as on_spark

    def clean(texts: DataFrame, path: str) -> None:
        on_spark.clean(texts).write.mode("overwrite").parquet(path)

    def dedupe(texts: DataFrame, path: str) -> None:
        on_spark.dedupe(texts, lexicon=Lexicon.load()).write.mode("overwrite").parquet(path)

    with TemporaryDirectory() as name:
        folder = Path(name)
        for job, texts in ((clean, restored), (dedupe, compared)):
            with cluster(workers, folder) as (spark, sessions):  # another one, for processes keep what they have loaded
                for share in (100, 10, 1):
                    path = folder / f"{job.__name__}-{share}"
                    words, size = written(texts[::share], path)
                    started, clock, before = time.time(), time.perf_counter(), used(sessions)
                    with Watch(sessions) as watch:
                        job(spark.read.parquet(str(path)), f"{path}-done")
                    wall, processor = time.perf_counter() - clock, used(sessions) - before
                    if share < 100:  # which loads the models
                        done = tasks(folder, started)
                        yield Job(job.__name__, workers, words, size, wall, processor, watch.most, done)


def crawl(small: Job, large: Job, *, size: float, cores: int, price: float) -> str:
    """What texts of so many bytes would take, by how a job's costs grow."""
    times = size / (large.size - small.size)
    moved, saved = (times * (after - before) for after, before in zip(large.tasks[:2], small.tasks[:2], strict=True))
    hours = times * (large.used - small.used) / HOURS
    rate = (large.words - small.words) / (large.used - small.used)
    cost = f"{hours:,.0f} core-hours, {price * hours:,.0f} dollars, {hours / cores:,.1f} hours on {cores:,} cores"
    terabytes = f"{moved / 1e12:.1f} TB shuffled, {saved / 1e12:.1f} TB saved"
    return f"{large.name:7} {size / 1e12:g} TB at {rate:,.0f} words/s a core: {cost}; {terabytes}"


@click.command()
@click.option("--pairs", type=click.Path(path_type=Path), required=True)
@click.option("--clean", type=click.Path(path_type=Path), multiple=True, required=True)
@click.option("--restored", default=1000, show_default=True, help="Documents for `clean`.")
@click.option("--compared", default=20_000, show_default=True, help="Documents for `dedupe`.")
@click.option("--workers", type=int, multiple=True, default=(1, 2), show_default=True)
@click.option("--crawl", "size", default=1e12, show_default=True, help="Bytes of text in the crawl.")
@click.option("--cores", default=512, show_default=True, help="Of the cluster that reads it.")
@click.option("--price", default=0.04, show_default=True, help="Dollars for an hour of one.")
def main(
    pairs: Path,
    clean: tuple[Path, ...],
    restored: int,
    compared: int,
    workers: tuple[int, ...],
    size: float,
    cores: int,
    price: float,
) -> None:
    """Print rates, shuffles and skew, and what a crawl would take."""
    source = clean_documents(clean)
    spun = list(islice(cycle(spun_documents(pairs)), restored // 5))
    first = shuffled([*islice(source, restored - len(spun)), *spun])
    originals = list(islice(source, compared - compared // 10))
    lexicon = Lexicon.load()
    copies = [spin(text, lexicon, seed=n).text for n, text in enumerate(originals[: compared // 10])]
    second = shuffled([*originals, *copies])
    found = []
    for number in workers:
        for job in run(number, first, second):
            click.echo(str(job))
            found.append(job)
    for name in ("clean", "dedupe"):
        same = [job for job in found if job.name == name]
        click.echo(crawl(*same[-2:], size=size, cores=cores, price=price))
        if len(workers) > 1:
            faster, more = same[1].wall / same[-1].wall, same[-1].used / same[1].used
            compared_with = f"{faster:.2f} times as fast as {workers[0]}, for {more:.2f} times the processor time"
            click.echo(f"{name:7} {workers[-1]} workers are {compared_with}")


if __name__ == "__main__":
    main()
