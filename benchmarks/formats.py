"""What reading and writing each format costs, beside restoring the texts in it.

    python benchmarks/formats.py --clean FILE [--documents 2000] [--spun 0.2]
    python benchmarks/formats.py --memory

FILE is clean text, a paragraph a line, perhaps gzipped. Documents are made of five paragraphs each; a share of them is
spun. They are restored once, without a ranker, and that is timed: the least that restoring can take. Then the same
documents are read and written in each format with those restorations, three times, the best of which counts. The
baseline is one plain text file for all of them, cut at empty lines. Overhead is what a format takes longer than that,
restoring included: as fast as it was here, and as fast as FASTER words a second, for the day when it is.

`--memory` prints the peak memory of processes that read and write files of 30 and of 300 MB, a fifth of the texts
changed.
"""

from __future__ import annotations

import csv
import gzip
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd

from unspin import formats
from unspin.edit import cleaned
from unspin.files import Source, write_atomic
from unspin.formats import Record
from unspin.lexicon import Lexicon
from unspin.pipeline import restore
from unspin.rank import load_ranker
from unspin.spin import spin

PARAGRAPHS = 5
TIMES = 3
PACKED = 200  # records in a row group
FASTER = (60_000, 300_000)  # words a second


def _documents(path: Path, number: int, spun: float) -> Iterator[str]:
    lexicon = Lexicon.load()
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        paragraphs = (line.strip() for line in file if len(line.split()) >= 20)
        for count in range(number):
            text = "\n".join(islice(paragraphs, PARAGRAPHS))
            is_spun = int(count * spun) != int((count + 1) * spun)
            yield spin(text, lexicon, seed=count).text if is_spun else text


def _made(folder: Path, texts: Sequence[str]) -> list[Path]:
    """The documents in every format."""
    rows = [{"id": f"doc-{n}", "text": text, "url": f"https://a.b/{n}", "n": n} for n, text in enumerate(texts)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    for name, data in (("a.jsonl", lines), ("a.jsonl.gz", gzip.compress(lines)), ("a.jsonl.zst", zstd.compress(lines))):
        (folder / name).write_bytes(data)
    for name, delimiter in (("a.csv", ","), ("a.tsv", "\t")):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
            table.writeheader()
            table.writerows(rows)
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet", row_group_size=PACKED)
    return [folder / name for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.csv", "a.tsv", "a.parquet")]


def _plain(path: Path, restored: dict[str, str]) -> None:
    texts = path.read_text(encoding="utf-8").split("\n\n")
    write_atomic(path.with_name("out.txt"), "\n\n".join(restored[text] for text in texts).encode())


def _format(path: Path, restored: dict[str, str]) -> None:
    reader = formats.reader(Source(path, Path(path.name)))
    with formats.writer(path.with_name(f"out-{path.name}"), reader) as writer:
        for record in reader:
            assert isinstance(record, Record)
            writer.write(record, restored[record.text])


def _files(folder: Path, restored: dict[str, str]) -> None:
    """A file for each document, which has to be on the disk before the next is written."""
    for path in sorted(folder.iterdir()):
        reader = formats.reader(Source(path, Path(path.name)))
        (record,) = reader
        assert isinstance(record, Record)
        with formats.writer(path, reader) as writer:
            writer.write(record, restored.get(record.text, record.text))


def _best(work: Callable[[], None]) -> float:
    """The shortest of several times, in seconds."""
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _show(name: str, seconds: float, baseline: float, words: int, paces: Sequence[float]) -> None:
    overheads = ((pace + seconds) / (pace + baseline) - 1 for pace in paces)
    print(f"{name:12} {seconds:10.2f} s {words / seconds:12,.0f}" + "".join(f"{one:11.1%}" for one in overheads))


def _rows(number: int) -> Iterator[dict[str, object]]:
    text = "The council met on Tuesday to hear about the plans. " * 30
    return ({"id": count, "text": f"{count} {text}"} for count in range(number))


def _large(path: Path, number: int) -> None:
    """A file of about 1.5 kB times `number`, its Parquet in row groups of 10,000."""
    if path.suffix == ".jsonl":
        with path.open("w") as file:
            file.writelines(json.dumps(row) + "\n" for row in _rows(number))
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, ("id", "text"))
            table.writeheader()
            table.writerows(_rows(number))
    else:
        schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
        rows = _rows(number)
        with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as file:
            while group := list(islice(rows, 10_000)):
                file.write_table(pa.Table.from_pylist(group, schema))


def _measured(path: Path) -> None:
    """In a process of its own: read, change, write, say how much memory that took."""
    reader = formats.reader(Source(path, Path(path.name)))
    with formats.writer(path.with_name(f"out-{path.name}"), reader) as writer:
        for record in reader:
            assert isinstance(record, Record)
            writer.write(record, record.text + ("" if record.number % PARAGRAPHS else "!"))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def _memory() -> None:
    with TemporaryDirectory() as name:
        for kind in ("jsonl", "csv", "parquet"):
            for number in (20_000, 200_000):
                path = Path(name, f"a.{kind}")
                _large(path, number)
                run = [sys.executable, __file__, "--measured", str(path)]
                peak = subprocess.run(run, capture_output=True, check=True, text=True).stdout.strip()
                print(f"{kind:8} {path.stat().st_size // 2**20:4} MB  peak {peak:>4} MB")


@click.command()
@click.option("--clean", type=click.Path(path_type=Path))
@click.option("--memory", is_flag=True)
@click.option("--measured", type=click.Path(path_type=Path), hidden=True)
@click.option("--documents", default=2_000, show_default=True)
@click.option("--spun", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="The share that is spun.")
def main(clean: Path | None, documents: int, spun: float, memory: bool, measured: Path | None) -> None:
    """Print a table: seconds of reading and writing, words a second, overhead over plain text."""
    if measured:
        _measured(measured)
    elif memory:
        _memory()
    elif clean:
        _overheads(clean, documents, spun)
    else:
        raise click.UsageError("give --clean FILE or --memory")


def _overheads(clean: Path, documents: int, spun: float) -> None:
    texts = list(_documents(clean, documents, spun))
    words = sum(len(text.split()) for text in texts)
    ranker = load_ranker("none")
    restore(texts[0], ranker=ranker)  # loads the models
    start = time.perf_counter()
    restored = {text: cleaned(restore(text, ranker=ranker)) for text in texts}
    took = time.perf_counter() - start
    print(f"{len(texts):,} documents, {words:,} words, {took:.1f} s to restore without a ranker")
    paces = (took, *(words / pace for pace in FASTER))
    titles = ("overhead", *(f"at {pace // 1_000}k/s" for pace in FASTER))
    print(f"{'':12} {'read + write':>12} {'words/s':>12}" + "".join(f"{title:>11}" for title in titles))
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.txt").write_text("\n\n".join(texts), encoding="utf-8")
        baseline = _best(lambda: _plain(folder / "a.txt", restored))
        print(f"{'one text':12} {baseline:10.2f} s {words / baseline:12,.0f}")
        for path in _made(folder, texts):
            seconds = _best(lambda path=path: _format(path, restored))  # type: ignore[misc]
            _show(path.name, seconds, baseline, words, paces)
        (folder / "each").mkdir()
        for number, text in enumerate(texts):
            (folder / "each" / f"{number}.txt").write_text(text, encoding="utf-8")
        _show("a file each", _best(lambda: _files(folder / "each", restored)), baseline, words, paces)


if __name__ == "__main__":
    main()
