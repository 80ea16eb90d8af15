"""The same text gives the same bytes: in other processes, with other hash seeds, threads and versions of Python.

And no byte leaves the machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from unspin.copies import dedupe
from unspin.lexicon import Lexicon

ROOT = Path(__file__).parents[2]
SEED = ROOT / "seeds" / "seed.txt"
RUN = "from unspin.cli import main; main()"
JSON = ["clean", "--diff", "json", str(SEED)]
PYTHONS = [*filter(None, os.environ.get("UNSPIN_PYTHONS", "").split(os.pathsep))]  # `make pythons` names them
SPUN = "The struggle lasted greater than a yr, in keeping with officers who had been there, and it price lives. "


def output(arguments: list[str], *, python: str = sys.executable, **environment: str) -> bytes:
    path = os.pathsep.join([str(ROOT / "src"), *(sys.path if python == sys.executable else [])])
    whole = os.environ | {"PYTHONPATH": path} | environment
    done = subprocess.run([python, "-c", RUN, *arguments], env=whole, capture_output=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def usual() -> bytes:
    return output(JSON, PYTHONHASHSEED="0")


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4294967295", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        {"OMP_NUM_THREADS": "7", "OPENBLAS_NUM_THREADS": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
    ],
    ids=lambda environment: " ".join(environment),
)
def test_other_processes_give_the_same_bytes(usual: bytes, environment: dict[str, str]) -> None:
    assert output(JSON, **environment) == usual


if PYTHONS:

    @pytest.mark.parametrize("python", PYTHONS)
    def test_other_versions_of_python_give_the_same_bytes(usual: bytes, python: str) -> None:
        assert unversioned(output(JSON, python=python)) == unversioned(usual)


def unversioned(lines: bytes) -> bytes:
    """Without the version of unspin, which may be installed for one and run from its source tree by another."""
    return re.sub(rb"unspin:[^|]*", b"", lines)


@pytest.mark.parametrize("jobs", [2, 3])
def test_any_number_of_processors_finds_the_same_copies(jobs: int) -> None:
    texts = [SPUN * 3 + f"Number {n % 7} is told here, and nothing more than that of it." for n in range(60)]
    assert dedupe(texts, lexicon=Lexicon.load(), jobs=jobs) == dedupe(texts, lexicon=Lexicon.load(), jobs=1)


REFUSING = """
import socket, sys
def refuse(*_, **__):
    raise AssertionError("a socket was opened")
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = socket.socket.bind = refuse
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse
def watch(event, arguments):
    if event.startswith("socket.") and event not in ("socket.gethostname",):
        raise AssertionError(event)
sys.addaudithook(watch)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["clean", str(SEED)],
        ["inspect", str(SEED)],
        ["explain", str(SEED)],
        ["dedupe", str(SEED), str(ROOT / "seeds" / "seed.cleaned.txt")],
        ["doctor"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_nothing_goes_to_the_network(arguments: list[str]) -> None:
    whole = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", REFUSING + RUN, *arguments], env=whole, capture_output=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_refusal_works() -> None:
    source = f"{REFUSING}socket.create_connection(('127.0.0.1', 9))"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, timeout=60, check=False)
    assert done.returncode != 0 and b"AssertionError" in done.stderr
