"""Random bytes at everything that unspin reads: an input is taken, or refused by name; and what once failed.

Ten million bytes of them: `benchmarks/fuzz.py`, whose targets and mutations these are.
"""

from __future__ import annotations

import random
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

import pytest
from fuzz import fuzzed, mutated
from fuzz_targets import TARGETS, Target
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unspin.errors import UnspinError

REGRESSIONS = sorted(path for path in (Path(__file__).parent / "regressions").rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_failed_is_taken_or_refused(path: Path, folder: Path) -> None:
    with suppress(UnspinError):
        TARGETS[path.parent.name].feed(path.read_bytes(), folder)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_taken(name: str, folder: Path) -> None:
    """Else mutations of them would not get far."""
    taken = 0
    for seed in TARGETS[name].seeds():
        with suppress(UnspinError):
            TARGETS[name].feed(seed, folder)
            taken += 1
    assert taken >= (1 if name == "text" else len(TARGETS[name].seeds()))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1 << 32))
def test_mutations_are_taken_or_refused(name: str, folder: Path, number: int) -> None:
    chance = random.Random(number)
    target = TARGETS[name]
    with suppress(UnspinError):
        target.feed(mutated(chance.choice(target.seeds()), target.words, chance), folder)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_is_restored_and_its_edits_undone(folder: Path, text: str) -> None:
    with suppress(UnspinError):
        TARGETS["text"].feed(text.encode("utf-8", "surrogatepass"), folder)


def _fails(data: bytes, folder: Path) -> None:
    if data == b"good":
        return
    raise KeyError(data)


def _hangs(data: bytes, folder: Path) -> None:
    while True:
        pass


def _swells(data: bytes, folder: Path) -> None:
    bytearray(3_000_000_000)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="processes and their limits as Linux has them")
@pytest.mark.parametrize(
    ("feed", "problem"), [(_fails, "KeyError"), (_hangs, "takes longer than 0.05 s"), (_swells, "MemoryError")]
)
def test_the_fuzzer_sees_what_fails(feed: object, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.BATCH", 5)
    target = Target("one", feed, lambda: [b"good"] * 3)  # type: ignore[arg-type]  # as above
    limits = Namespace(seconds=0.05, memory=1_000, seed="0")
    tally = fuzzed(target, 1, limits)
    assert problem in {outcome.split(" at ")[0] for outcome, _ in tally.failures}
