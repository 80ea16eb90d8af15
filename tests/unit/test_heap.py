"""What was freed goes back to the system."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from unspin import heap

# Blocks too small to be returned by themselves, every other one freed: holes, which no allocator closes unasked.
HOLES = """
from pathlib import Path
from unspin.heap import give_back

def resident():
    rows = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("VmRSS"))

held = [bytearray(50_000) for _ in range(2_000)]
del held[::2]
before = resident()
give_back()
print(before - resident())
"""


def test_holes_are_given_back() -> None:
    if platform.libc_ver()[0] != "glibc":
        assert heap._trim() is None
        return
    done = subprocess.run([sys.executable, "-c", HOLES], check=True, capture_output=True)
    assert int(done.stdout) > 30_000  # of 50,000 kB


class NoTrim:
    """A C library that has nothing to give back with."""

    def __init__(self, name: None) -> None: ...


def broken(name: None) -> None:
    raise OSError("no shared libraries here")


@pytest.mark.parametrize("library", [NoTrim, broken])
def test_another_c_library_is_let_be(library: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", library)
    monkeypatch.setattr(heap, "_trim", heap._trim.__wrapped__)
    assert heap._trim() is None
    heap.give_back()
