"""Copies in a collection that is larger than memory: the same groups as in memory, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.copies import dedupe
from unspin.errors import OutputError
from unspin.lexicon import Lexicon
from unspin.model import Keep, Level
from unspin.spill import spilled
from unspin.units import UNITS

Mixed = Callable[[int, int], tuple[list[str], Lexicon]]

LEAST = 1  # byte of memory: as little as can be at a time
LITTLE = 30_000_000


@pytest.mark.parametrize(
    ("level", "keep", "min_words"),
    [
        (Level.DOCUMENT, Keep.ORIGINAL, 0),
        (Level.DOCUMENT, Keep.NEWEST, 8),
        (Level.PARAGRAPH, Keep.FIRST, 8),
        (Level.SENTENCE, Keep.LONGEST, 5),
    ],
)
def test_thousands_of_mixed_paragraphs_are_grouped_as_in_memory(
    tmp_path: Path, mixed: Mixed, level: Level, keep: Keep, min_words: int
) -> None:
    texts, lexicon = mixed(2400, len(level))
    if level is not Level.DOCUMENT:
        texts = ["\n".join(texts[n : n + 5]) for n in range(0, len(texts), 5)]
    dates = [float(n * 7919 % 1013) for n in range(len(texts))]
    expected = dedupe(texts, level=level, keep=keep, dates=dates, lexicon=lexicon, min_words=min_words)
    kinds = {copy.kind for group in expected for copy in (*group.copies, *group.overlaps)}
    assert len(expected) > 500
    assert len(kinds) >= 5
    with spilled(
        iter(texts),
        memory=LITTLE,
        folder=tmp_path,
        level=level,
        keep=keep,
        dates=dates,
        lexicon=lexicon,
        min_words=min_words,
    ) as groups:
        assert tuple(groups) == expected
        for number in range(len(texts)):
            places = [c.place for group in expected for c in group.copies if c.place.text == number]
            assert groups.gone(number) == sorted(places, key=lambda place: place.start)
    assert list(tmp_path.iterdir()) == []


WORDS = st.sampled_from(
    "the a of red Paris 12 runs slowly over green hills and not two rivers north Smith in which old boats lie".split()
)
TEXTS = st.lists(WORDS, min_size=0, max_size=40).map(" ".join)


@settings(deadline=None, max_examples=25)
@given(st.data(), st.sampled_from(UNITS), st.sampled_from((LEAST, 20_000, LITTLE)), st.integers(0, 20))
def test_any_texts_are_grouped_as_in_memory(data: st.DataObject, level: Level, memory: int, min_words: int) -> None:
    sources = data.draw(st.lists(TEXTS, min_size=1, max_size=5))
    separators = st.sampled_from((" ", "", ", ", "\n"))
    texts = data.draw(st.lists(st.tuples(st.sampled_from(sources), separators, TEXTS).map("".join), max_size=25))
    with spilled(texts, memory=memory, level=level, min_words=min_words) as groups:
        assert tuple(groups) == dedupe(texts, level=level, min_words=min_words)


def test_dates_are_asked_for() -> None:
    with pytest.raises(ValueError, match="needs dates"), spilled(["one"], memory=LITTLE, keep=Keep.NEWEST):
        pass
    with pytest.raises(ValueError, match="2 dates for 1 texts"), spilled(["one"], memory=LITTLE, dates=[1.0, 2.0]):
        pass


def test_a_disk_that_is_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("unspin.postings.write", full)
    with pytest.raises(OutputError, match="no space left"), spilled(["one two"], memory=LITTLE, folder=tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_whatever_ends_it_leaves_no_files(tmp_path: Path) -> None:
    def failing() -> Iterator[str]:
        yield "one two three"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), spilled(failing(), memory=LEAST, folder=tmp_path):
        pass
    with pytest.raises(ZeroDivisionError), spilled(["one"], memory=LEAST, folder=tmp_path):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_no_files(tmp_path: Path, mixed: Mixed, ending: signal.Signals) -> None:
    texts, _ = mixed(3000, 1)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "all.txt").write_text("\n".join(texts), encoding="utf-8")
    (tmp_path / "scratch").mkdir()
    command = "from unspin.cli import main; main()"
    options = ["--level", "sentence", "--memory", "50M", "--temp-dir", str(tmp_path / "scratch")]
    process = subprocess.Popen(
        [sys.executable, "-c", command, "dedupe", *options, tmp_path / "in"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "scratch").rglob("keys-*")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(ending)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[ending], stderr
    assert b"Traceback" not in stderr
    assert list((tmp_path / "scratch").iterdir()) == []
