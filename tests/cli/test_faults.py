"""What goes wrong around unspin: full disks, closed doors, files that change, processes that are killed.

The target is the old file or the new one, never a mixture, and nothing is left beside it.
"""

from __future__ import annotations

import ctypes
import os
import random
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kills import COMMANDS, LEXICON, SPUN, killed

from unspin import files
from unspin.errors import InputError, OutputError
from unspin.files import STALE, Source, read, sweep, write_atomic
from unspin.index import Index
from unspin.model import NamedText
from unspin.pipeline import default_lexicon

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits, owners and /proc as Linux has them")

UNSPIN = [sys.executable, "-c", "from unspin.cli import main; main()"]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
PAIR = '{"original": "The war lasted more than a year.", "spun": "The struggle lasted greater than a yr."}\n'
WRITING = {
    "clean --write": ["clean", "--ranker", "none", "--write", "a.txt"],
    "clean -o": ["clean", "--ranker", "none", "-o", "out", "--force", "a.txt"],
    "learn": ["learn", "--seen", "1", "pairs.jsonl", "-o", "out/a.txt", "--force"],
    "lexicon format": ["lexicon", "format", "--write", "l.tsv"],
    "lexicon merge": ["lexicon", "merge", "l.tsv", "-o", "out/a.txt", "--force"],
    "dedupe -o": ["dedupe", "a.txt", "c.txt", "b.txt", "-o", "out", "--force"],
    "index add": ["index", "add", "seen", "b.txt"],
    "index build": ["index", "build", "out/new", "a.txt"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(SPUN * 40, encoding="utf-8")
    (tmp_path / "b.txt").write_text(SPUN.replace("struggle", "war") * 2, encoding="utf-8")
    (tmp_path / "c.txt").write_text(SPUN * 40, encoding="utf-8")
    (tmp_path / "l.tsv").write_text(LEXICON, encoding="utf-8")
    (tmp_path / "pairs.jsonl").write_text(PAIR * 3, encoding="utf-8")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("old", encoding="utf-8")
    Index.build(tmp_path / "seen", [NamedText("a", SPUN)], lexicon=default_lexicon())
    return tmp_path


def run(
    arguments: list[str], folder: Path, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*UNSPIN, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        timeout=120,
        preexec_fn=before,
        check=False,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """All files, but what SQLite keeps for its readers."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def _no_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))


def _without_rights() -> None:
    """Root may write everywhere; not so without the capabilities to overrule what files and folders allow."""
    prctl, drop = ctypes.CDLL(None).prctl, 24  # PR_CAPBSET_DROP
    for capability in (1, 2):  # to overrule permissions, and those of folders
        prctl(drop, capability, 0, 0, 0)


@pytest.mark.parametrize("name", WRITING)
def test_a_full_disk_leaves_everything_as_it_was(name: str, folder: Path) -> None:
    before = contents(folder)
    done = run(WRITING[name], folder, _no_room)
    assert done.returncode == 3, done.stderr
    assert b"cannot be written" in done.stderr and b"Traceback" not in done.stderr
    after = contents(folder)
    assert after.keys() == before.keys()
    assert {key for key in after if after[key] != before[key] and not key.startswith("seen/")} == set()


@pytest.mark.parametrize("name", WRITING)
def test_a_closed_door_leaves_everything_as_it_was(name: str, folder: Path) -> None:
    before = contents(folder)
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        done = run(WRITING[name], folder, _without_rights)
    finally:
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert done.returncode == 3, done.stderr
    assert b"Traceback" not in done.stderr
    assert contents(folder) == before


def test_a_run_without_faults_changes_what_it_should(folder: Path) -> None:
    """Else the two above could not fail."""
    for name, arguments in WRITING.items():
        before = contents(folder)
        done = run(arguments, folder)
        assert done.returncode == 0, done.stderr
        assert contents(folder) != before or name == "lexicon format"


# killed


@pytest.mark.parametrize(
    ("name", "kills"), [("write", 6), ("clean --write", 12), ("lexicon format", 3), ("index add", 2)]
)
def test_a_kill_leaves_the_old_or_the_new_and_nothing_else(name: str, kills: int) -> None:
    """What is left between two system calls, once in some hundred kills, goes with the next run."""
    found = killed(COMMANDS[name], kills, random.Random(name))
    assert found["else"] == found["unfinished"] == 0
    assert found["old"] + found["new"] + found["some"] == kills


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path: Path) -> None:
    left, young, held = (tmp_path / f".unspin-{name}.tmp" for name in ("left", "young", "held"))
    for path in (left, young, held):
        path.write_bytes(b"half")
    for path in (left, held):
        os.utime(path, (time.time() - 2 * STALE,) * 2)
    with held.open("rb") as file:
        files._is_locked(file.fileno())
        write_atomic(tmp_path / "a.txt", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".unspin-held.tmp", ".unspin-young.tmp", "a.txt"]
    sweep(tmp_path / "missing")


def test_where_a_file_needs_a_name_it_is_written_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    write_atomic(tmp_path / "a.txt", b"new")
    monkeypatch.delattr(os, "O_TMPFILE")
    write_atomic(tmp_path / "b.txt", b"new")
    assert contents(tmp_path) == {"a.txt": b"new", "b.txt": b"new"}


def test_an_index_that_was_never_finished_goes_with_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".unspin-left.tmp"
    Index.build(left, [NamedText("a", SPUN)])
    Index.build(tmp_path / "one", [NamedText("a", SPUN)])
    assert left.exists()  # it is young
    for path in (left, *left.iterdir()):
        os.utime(path, (time.time() - 2 * STALE,) * 2)
    Index.build(tmp_path / "two", [NamedText("a", SPUN)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


# files that change


def test_a_text_that_changed_since_it_was_read_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"One.")
    found = read(Source(path, Path("a.txt")))
    path.write_bytes(b"Two, by somebody else.")
    with pytest.raises(OutputError, match="changed while it was worked on"):
        write_atomic(path, b"Three.", stamp=found.stamp)
    assert contents(tmp_path) == {"a.txt": b"Two, by somebody else."}
    write_atomic(path, b"Three.", stamp=read(Source(path, Path("a.txt"))).stamp)
    assert path.read_bytes() == b"Three."


def test_a_text_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"The council met on Tuesday.\n" * 3_000_000)
    stop = threading.Event()

    def grow() -> None:
        with path.open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"x")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(InputError, match="changed while it was read"):
            for _ in range(20):
                read(Source(path, Path("a.txt")))
    finally:
        stop.set()
        writer.join()
