"""`unspin batch` and `unspin report` as processes: signals, kills, full disks, terminals, exit codes."""

from __future__ import annotations

import json
import os
import pty
import random
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

SEED = (Path(__file__).parents[2] / "seeds" / "seed.txt").read_text(encoding="utf-8")
UNSPIN = [sys.executable, "-c", "from unspin.cli import main; main()"]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
KILLS = 4  # `benchmarks/batch.py` has fifty

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits as POSIX has them")


def batch(output: Path, *inputs: Path | str, jobs: int = 2) -> list[str]:
    return [*UNSPIN, "batch", "--ranker", "none", "-j", str(jobs), "-o", str(output), *map(str, inputs)]


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, env=ENVIRONMENT, timeout=120, **options)  # type: ignore[call-overload, no-any-return]


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".work" not in path.parts)
    return {str(p.relative_to(folder)): p.read_bytes() for p in files if not p.name.startswith("manifest")}


@pytest.fixture
def scrape(tmp_path: Path) -> Path:
    """Enough for a few seconds of two workers."""
    folder = tmp_path / "in"
    folder.mkdir()
    paragraphs = [line for line in SEED.splitlines() if len(line.split()) > 60]
    lines = (json.dumps({"id": n, "text": f"{paragraphs[n % 6]} No. {n}."}) for n in range(240))
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n")
    for n in range(20):
        (folder / f"{n:02}.txt").write_text(f"{SEED}\nNo. {n}.\n")
    return folder


def test_killed_at_any_moment_it_ends_as_if_it_had_never_been(scrape: Path, tmp_path: Path) -> None:
    assert run(batch(tmp_path / "whole", scrape, jobs=1)).returncode == 0
    moments = random.Random(7)
    killed = 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            batch(tmp_path / "out", scrape), env=ENVIRONMENT, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(moments.uniform(0.5, 4.0))
        killed += process.poll() is None
        whom = process.pid if moments.random() < 0.5 else -process.pid  # the parent alone, or all of them
        with suppress(ProcessLookupError):
            os.kill(whom, signal.SIGKILL) if whom > 0 else os.killpg(-whom, signal.SIGKILL)
        process.wait(30)
    done = run(batch(tmp_path / "out", scrape))
    assert done.returncode == 0, done.stderr
    assert killed
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_it_and_it_goes_on(scrape: Path, tmp_path: Path, sent: signal.Signals, code: int) -> None:
    process = subprocess.Popen(batch(tmp_path / "out", scrape), env=ENVIRONMENT, stderr=subprocess.PIPE)
    while not (tmp_path / "out" / "manifest.sqlite").exists():
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(sent)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == code
    assert stderr.decode().rstrip() + "\n" == f"{tmp_path / 'out'}: stopped; the same command goes on from here\n"
    assert not list((tmp_path / "out").rglob("*.tmp"))
    assert run(batch(tmp_path / "out", scrape)).returncode == 0


def test_a_full_disk_ends_it_and_it_goes_on_when_there_is_room(scrape: Path, tmp_path: Path) -> None:
    assert run(batch(tmp_path / "whole", scrape)).returncode == 0

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    full = run(batch(tmp_path / "out", scrape), preexec_fn=limit)
    assert full.returncode == 3
    assert b"cannot be written" in full.stderr and b"Traceback" not in full.stderr
    assert run(batch(tmp_path / "out", scrape)).returncode == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_two_at_a_time_are_one_too_many(scrape: Path, tmp_path: Path) -> None:
    first = subprocess.Popen(batch(tmp_path / "out", scrape), env=ENVIRONMENT, stderr=subprocess.PIPE)
    while not (tmp_path / "out" / "manifest.sqlite").exists():
        time.sleep(0.05)
    second = run(batch(tmp_path / "out", scrape))
    first.communicate(timeout=120)
    assert (first.returncode, second.returncode) == (0, 3)
    assert b"another batch is at work here" in second.stderr


def test_failures_are_an_exit_code_and_unreadable_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "Fine."}\n{"txt": "What?"}\n')
    done = run(batch(tmp_path / "out", tmp_path / "a.jsonl", tmp_path / "gone.txt"))
    assert done.returncode == 3
    assert f"2 errors, in {tmp_path / 'out' / 'errors.jsonl'}" in done.stderr.decode()
    again = run(batch(tmp_path / "out", tmp_path / "a.jsonl"))
    assert again.returncode == 3  # a line of it still could not be read


def test_what_cannot_end_well_is_refused_at_once(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("One.\n")
    collides = run(batch(tmp_path / "out", tmp_path / "one", tmp_path / "two"))
    assert collides.returncode == 2 and b"would become one file, a.txt" in collides.stderr
    inside = run(batch(tmp_path / "one", tmp_path / "one" / "a.txt"))
    assert inside.returncode == 2 and b"lies in the output" in inside.stderr
    assert run([*UNSPIN, "batch", str(tmp_path / "one")]).returncode == 2
    assert (tmp_path / "one" / "a.txt").read_text() == "One.\n"


def test_the_output_may_lie_in_the_input(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.\n")
    for _ in range(2):
        assert run(batch(tmp_path / "out", tmp_path)).returncode == 0
    assert sorted(contents(tmp_path / "out")) == ["cleaned/a.txt", "duplicates.jsonl", "errors.jsonl", "summary.json"]


def test_an_endless_pipe_is_cleaned_as_it_comes(tmp_path: Path) -> None:
    process = subprocess.Popen(batch(tmp_path / "out", "-"), env=ENVIRONMENT, stdin=subprocess.PIPE)
    assert process.stdin is not None
    line = json.dumps({"text": "My grandmother kept bees at the end of her garden for forty years."}) + "\n"
    first = tmp_path / "out" / "cleaned" / "stdin" / "00000.jsonl"
    for _ in range(400):
        process.stdin.write(line.encode() * 1_000)
        if first.exists():
            break
    else:
        pytest.fail("no file of 10,000 documents after 400,000 of them")
    process.send_signal(signal.SIGINT)
    process.stdin.close()
    assert process.wait(30) == 130
    assert first.read_bytes().count(b"\n") == 10_000


def test_on_a_terminal_progress_is_drawn(scrape: Path, tmp_path: Path) -> None:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        batch(tmp_path / "out", scrape), env=ENVIRONMENT | {"TERM": "xterm"}, stdin=child, stdout=child, stderr=child
    )
    os.close(child)
    shown = b""
    while True:
        try:
            data = os.read(parent, 1 << 16)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(parent)
    assert process.wait(60) == 0
    assert b"words/s" in shown and b"swaps restored" in shown and b"260 documents" in shown


def test_a_report_is_a_page(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SEED)
    assert run(batch(tmp_path / "out", tmp_path / "a.txt")).returncode == 0
    done = run([*UNSPIN, "report", str(tmp_path / "out")])
    assert done.returncode == 0 and done.stdout.startswith(b"<!DOCTYPE html>")
    for code in (0, 3):  # what is there is not overwritten
        assert run([*UNSPIN, "report", "-o", str(tmp_path / "r.html"), str(tmp_path / "out")]).returncode == code
    assert (tmp_path / "r.html").read_bytes() == done.stdout
    nothing = run([*UNSPIN, "report", str(tmp_path)])
    assert nothing.returncode == 3 and b"no batch's output" in nothing.stderr
