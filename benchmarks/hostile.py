"""Texts that nobody wrote: does time stay in proportion to them, and how much memory do they take?

    python benchmarks/hostile.py CLEAN... [--megabytes 1 5 50] [--ranker neural] [--kind KIND]...

CLEAN are texts to make one endless line of, gzipped or not. Every kind of text is made in every size, in millions of
bytes, and restored by `unspin clean` in a process of its own; the table has seconds of processor time and peak memory
of that process, what a megabyte more costs of both against the size before, and the ratio of each size's seconds a
megabyte to the first one's, without what the program takes to start: 1 is linear.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from unspin.files import chunks
from unspin.lexicon import Lexicon

SEED = Path(__file__).parents[1] / "seeds" / "seed.txt"
SAID = "The council met on Tuesday and said that the road would be closed for repairs until the end of the month. "


def _pieces(piece: str) -> Iterator[str]:
    return cycle([piece])


def _shuffled(words: list[str]) -> Iterator[str]:
    chance = random.Random(0)
    while True:
        yield chance.choice(words) + " "


def _heads() -> Iterator[str]:
    return _shuffled(sorted({entry.original for entry in Lexicon.load().active}))


def _alternates() -> Iterator[str]:
    return _shuffled(sorted({entry.spun for entry in Lexicon.load().active}))


def _categories() -> Iterator[str]:
    """Code points of every category, as many of each; surrogates have no place in a file."""
    found: dict[str, list[str]] = {}
    for point in range(sys.maxunicode + 1):
        if len(some := found.setdefault(unicodedata.category(chr(point)), [])) < 4_000:
            some.append(chr(point))
    kinds = [some for name, some in sorted(found.items()) if name != "Cs"]
    chance = random.Random(0)
    while True:
        yield "".join(chance.choice(chance.choice(kinds)) for _ in range(1_000)).replace("\0", " ")


def _invisible() -> Iterator[str]:
    """Words with something between their letters that is not seen, or that turns the direction of reading."""
    chance = random.Random(0)
    signs = "\u200b\u200c\u200d\u2060\u00ad\u202e\u202c\u2066\u2069\u200f"
    while True:
        yield "".join(letter + chance.choice(signs) for letter in SAID)


KINDS: dict[str, Callable[[], Iterator[str]]] = {
    "short paragraphs, repeated": lambda: _pieces("The council met on Tuesday, and said no more.\n"),
    "long paragraphs, repeated": lambda: _pieces(SAID * 4 + "\n"),
    "the seed in one line": lambda: _pieces(SEED.read_text(encoding="utf-8").replace("\n", " ")),
    "head words": _heads,
    "alternates": _alternates,
    "invisible signs": _invisible,
    "every category": _categories,
    "braces": lambda: _pieces("{a|{b|c} "),
    "dots": lambda: _pieces("."),
    "one word": lambda: _pieces("struggle"),
}


def _line(paths: list[Path]) -> Iterator[str]:
    while True:
        for path in paths:
            yield from (part.replace("\n", " ") for part in chunks(path))


def written(path: Path, pieces: Iterator[str], size: int) -> None:
    """Write so many bytes of pieces, and no half of a character."""
    data, held = bytearray(), 0
    while held < size:
        part = next(pieces).encode("utf-8", "ignore")
        data += part
        held += len(part)
    path.write_bytes(bytes(data[:size]).decode("utf-8", "ignore").encode())


def cleaned(path: Path, ranker: str) -> tuple[float, float, int]:
    """Seconds of processor time, megabytes and exit code of `unspin clean`."""
    command = [sys.executable, "-m", "unspin", "clean", "-q", "--ranker", ranker, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1000, os.waitstatus_to_exitcode(status)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clean", nargs="+", type=Path)
    parser.add_argument("--megabytes", nargs="+", type=float, default=[1, 5, 50])
    parser.add_argument("--ranker", default="neural")
    parser.add_argument("--kind", action="append", choices=["clean text in one line", *KINDS])
    wanted = parser.parse_args()
    kinds = {"clean text in one line": lambda: _line(wanted.clean), **KINDS}
    print("text\tMB\tseconds\tseconds/MB more\tmemory, MB\tmemory/MB more\tratio", flush=True)
    with TemporaryDirectory() as folder:
        path = Path(folder, "hostile.txt")
        path.write_text(SAID)
        start, _, _ = cleaned(path, wanted.ranker)
        for kind in wanted.kind or kinds:
            first = before = (0.0, 0.0, 0.0)
            for size in wanted.megabytes:
                written(path, kinds[kind](), int(size * 1_000_000))
                seconds, memory, code = cleaned(path, wanted.ranker)
                if code:
                    sys.exit(f"{kind}, {size:g} MB: exit code {code}")
                more = [
                    (now - then) / (size - before[0]) for now, then in zip((seconds, memory), before[1:], strict=True)
                ]
                first = first if first[0] else (size, seconds, memory)
                ratio = (seconds - start) / size / ((first[1] - start) / first[0])
                row = (
                    f"{size:g}",
                    f"{seconds:.1f}",
                    f"{more[0]:.2f}",
                    f"{memory:.0f}",
                    f"{more[1]:.0f}",
                    f"{ratio:.2f}",
                )
                print("\t".join((kind, *row)), flush=True)
                before = (size, seconds, memory)


if __name__ == "__main__":
    main()
