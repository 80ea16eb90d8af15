"""What only a real process shows: signals, closed pipes, full disks, how fast the help comes, a terminal."""

from __future__ import annotations

import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

SEED = Path(__file__).parents[2] / "seeds" / "seed.txt"
UNSPIN = [sys.executable, "-c", "from unspin.cli import main; main()"]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and pipes as POSIX has them")


def run(*args: str | Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*UNSPIN, *args], capture_output=True, env=ENVIRONMENT, timeout=60, **options)  # type: ignore[call-overload, no-any-return]


def start(*args: str | Path, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*UNSPIN, *args], env=ENVIRONMENT, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_quietly_and_leaves_the_file_whole(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    text = tmp_path / "long.txt"
    text.write_bytes(SEED.read_bytes() * 400)
    process = start("clean", "--write", text, stderr=subprocess.PIPE)
    time.sleep(2)  # in the middle: 2.6 MB take much longer
    process.send_signal(sent)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == code
    assert b"Traceback" not in stderr
    assert [p.name for p in tmp_path.iterdir()] == ["long.txt"]
    assert text.read_bytes() == SEED.read_bytes() * 400


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_ends_it_quietly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbuffered: str) -> None:
    monkeypatch.setitem(ENVIRONMENT, "PYTHONUNBUFFERED", unbuffered)
    long = tmp_path / "long.txt"
    long.write_text("The council met on Tuesday.\n" * 10_000)
    process = start("clean", long, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_a_failure() -> None:
    with Path("/dev/full").open("wb") as full:
        process = start("clean", "-q", SEED, SEED, stdout=full, stderr=subprocess.PIPE)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert stderr == b"unspin: error: standard output: cannot be written: no space left on device\n"


@pytest.mark.parametrize(
    ("redirection", "code", "told"),
    [
        ("clean - <&-", 3, b"unspin: error: stdin: is closed\n"),
        ("clean <&-", 3, b"unspin: error: stdin: is closed\n"),
        ("clean one.txt >&-", 3, b"unspin: error: standard output: is closed\n"),
        ("clean --write one.txt >&-", 0, b"one.txt: no spin evidence, unchanged\n"),
        ("clean one.txt 2>&-", 0, b""),
        ("clean missing.txt 2>&-", 3, b""),
    ],
)
def test_closed_streams(tmp_path: Path, redirection: str, code: int, told: bytes) -> None:
    (tmp_path / "one.txt").write_text("One.\n")
    line = f"{shlex.join(UNSPIN)} {redirection}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, env=ENVIRONMENT, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stderr) == (code, told)


def test_an_endless_name_is_said_to_be_wrong(tmp_path: Path) -> None:
    endless = "n" * 300
    for args in (["clean", endless], ["lexicon", "check", endless], ["clean", "--ranker", endless, os.devnull]):
        done = run(*args, cwd=tmp_path)
        assert done.returncode == 3
        assert done.stderr.startswith(b"unspin: error: " + endless.encode()), args


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, unspin.cli as c\ntry: c.main()\nfinally: print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, env=ENVIRONMENT, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.decode().splitlines()[-1].split()}
    assert "click" in loaded
    assert loaded.isdisjoint({"numpy", "nltk", "pocketsphinx", "rapidfuzz", "wordfreq", "rich", "charset_normalizer"})


def test_a_file_name_that_is_no_text_is_named_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\x1b.txt")
    (tmp_path / name).write_text("One.\n")
    done = run("inspect", "--format", "json", name, cwd=tmp_path)
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout + done.stderr


def _on_a_terminal(*args: str | Path, environment: dict[str, str], cwd: Path | None = None) -> bytes:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [*UNSPIN, *args], env=ENVIRONMENT | environment, stdin=child, stdout=child, stderr=child, cwd=cwd
    )
    os.close(child)
    shown = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:  # all ends are closed
            break
        if not part:
            break
        shown += part
    os.close(parent)
    process.wait(60)
    return shown


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"TERM": "xterm", "NO_COLOR": ""}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_a_terminal_gets_colours_unless_it_says_no(environment: dict[str, str], coloured: bool) -> None:
    shown = _on_a_terminal("clean", "--diff", "words", SEED, environment=environment)
    assert (b"\x1b[31m" in shown) == coloured
    assert b"2 paragraphs removed" in shown


def test_a_terminal_shows_progress_over_many_texts(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text("The council met on Tuesday.\n")
    shown = _on_a_terminal("clean", "--write", ".", environment={"TERM": "xterm", "NO_COLOR": ""}, cwd=tmp_path)
    assert b"clean: files" in shown
    assert shown.count(b"no spin evidence") == 5


def test_a_terminal_without_files_is_a_usage_error() -> None:
    assert b"give FILES, or pipe a text in" in _on_a_terminal("clean", environment={"TERM": "xterm"})


def test_a_word_file_is_piped_with_the_date_of_the_build_and_kept_off_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "SOURCE_DATE_EPOCH", "1580688000")
    done = run("clean", "--diff", "docx", SEED)
    with ZipFile(BytesIO(done.stdout)) as package:
        assert b'w:author="unspin" w:date="2020-02-03T00:00:00Z"' in package.read("word/document.xml")
    shown = _on_a_terminal("clean", "--diff", "docx", SEED, environment={"TERM": "xterm", "COLUMNS": "200"})
    assert b"--diff docx makes a Word file, no text: give -o DIR" in shown


def test_a_patch_makes_the_cleaned_text(tmp_path: Path) -> None:
    text = tmp_path / "seed.txt"
    text.write_bytes(SEED.read_bytes())
    patch = run("clean", "--diff", "unified", "seed.txt", cwd=tmp_path).stdout
    wanted = run("clean", "seed.txt", cwd=tmp_path).stdout
    subprocess.run(["patch", "-s", "-p1"], input=patch, cwd=tmp_path, check=True)
    assert text.read_bytes() == wanted


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32", "cp1252"])
def test_writing_keeps_the_encoding_and_the_line_breaks(tmp_path: Path, encoding: str) -> None:
    text = tmp_path / "seed.txt"
    original = SEED.read_text(encoding="utf-8").replace("\n", "\r\n")
    text.write_bytes(original.encode(encoding))
    assert run("clean", "--write", text).returncode == 0
    written = text.read_bytes()
    assert written[:2] == original.encode(encoding)[:2] or encoding == "cp1252"
    after = written.decode(encoding)
    assert "Russia-Ukraine war" in after
    assert after.count("\n") == after.count("\r\n") > 4
