"""What the package weighs: its files, an installation with each extra, and how fast it starts.

    python benchmarks/package.py --wheel dist/unspin-0.1.0-py3-none-any.whl [--extra web …] [--installer uv]

Each extra is installed in a fresh environment, from wheels alone and with no compiler on the path, and what it is for
is imported there, from another folder. Prints a table: packages, megabytes on disk, of which how many are more than
without the extra, seconds to install (packages that were fetched before come from the installer's cache), and to
import. Fails if an extra cannot be installed or imported, or if the wheel is larger than its budget.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

BUDGET = 40_000_000  # bytes of the wheel
RUNS = 5
PURE = "pyspark"  # comes as source alone, though nothing of it is compiled
LEFT_OUT = {"bench", "dev", "neural-train"}  # unless they are named: tools, and some gigabytes of torch
# What an extra is for: a module of ours that imports all it brings, or else its packages.
IMPORTS = {
    "agreement": "nltk, unspin.review.agreement",
    "bench": "codespell_lib, symspellpy, rensa",
    "dev": "pytest, mypy, playwright",
    "endpoint": "httpx, unspin.endpoint",
    "examples": "datasets, datatrove, orjson",
    "formats": "fastwarc, pyarrow.parquet, trafilatura",
    "fsspec": "fsspec",
    "lexicon": "lemminflect, unspin.inflect",
    "neural-train": "unspin.neural.train",
    "plot": "matplotlib.pyplot, unspin.commands.plot",
    "postgres": "psycopg, unspin.review.ledger",
    "report": "pygal, unspin.batch.report",
    "spark": "unspin.spark",
    "train": "scipy.optimize, unspin.train",
    "web": "unspin.review.web.serve",
}


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation, weighed."""

    extra: str
    megabytes: float
    seconds: float
    packages: int
    import_seconds: float


def extras(wheel: Path) -> list[str]:
    """The extras that a wheel names."""
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name)).get_all("Provides-Extra") or []


def _size(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e6


def _bare() -> dict[str, str]:
    """An environment in which no compiler is found, nor anything else by its name."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "HOME", "SSL_"))}
    return kept | {"PATH": ""}


def _installer(name: str, python: Path) -> list[str | Path]:
    if name == "uv":
        return [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python]
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def install(wheel: Path, extra: str, *, installer: str, folder: Path) -> Installation:
    """A fresh environment in a folder, with one extra ("": none)."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python, before = folder / "bin" / "python", _size(folder)
    wanted = f"{wheel.resolve()}[{extra}]" if extra else str(wheel.resolve())
    started = time.perf_counter()
    command = [*_installer(installer, python), "--only-binary", ":all:", "--no-binary", PURE, wanted]
    subprocess.run(command, check=True, env=_bare(), cwd=folder)
    seconds = time.perf_counter() - started
    weight, names = _size(folder) - before, len(list(folder.glob("lib/*/site-packages/*.dist-info")))
    modules = IMPORTS.get(extra, "unspin.cli") if extra else "unspin"
    return Installation(extra, weight, seconds, names, timed([python, "-c", f"import {modules}"], at=folder))


def timed(command: Sequence[str | Path], *, at: Path) -> float:
    """Seconds that a command takes, the median of some runs after a first one, which writes bytecode."""
    taken = []
    for _ in range(1 + RUNS):
        started = time.perf_counter()
        subprocess.run(command, check=True, env=_bare(), cwd=at, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--extra", action="append", help="repeatable [default: all but the heaviest]")
    parser.add_argument("--installer", choices=("pip", "uv"), default="pip")
    known = parser.parse_args()
    size = known.wheel.stat().st_size
    print(f"wheel: {size / 1e6:.1f} MB")
    named = known.extra or sorted(set(extras(known.wheel)) - LEFT_OUT)
    print("| extra | packages | MB | of these for the extra | install, s | import, s |\n|---|---:|---:|---:|---:|---:|")
    alone = 0.0
    for extra in ["", *named]:
        with tempfile.TemporaryDirectory() as folder:
            found = install(known.wheel, extra, installer=known.installer, folder=Path(folder))
            alone = alone or found.megabytes
            more, mark = found.megabytes - alone, f"`{extra}`" if extra else "none"
            figures = f"{found.packages} | {found.megabytes:.0f} | {more:.0f} | {found.seconds:.0f}"
            print(f"| {mark} | {figures} | {found.import_seconds:.2f} |", flush=True)
            if not extra:
                start = timed([Path(folder, "bin", "unspin"), "--help"], at=Path(folder))
    print(f"`unspin --help`: {start:.2f} s")
    sys.exit(f"the wheel is larger than {BUDGET / 1e6:.0f} MB" if size > BUDGET else 0)


if __name__ == "__main__":
    main()
