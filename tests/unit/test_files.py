"""Reading texts in whatever encoding they come, and writing whole files or none."""

from __future__ import annotations

import gzip
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin import files
from unspin.errors import InputError, OutputError
from unspin.files import Source, chunks, decode, read, read_text, write_atomic
from unspin.sources import sources

ENGLISH = "He said \u201cthe struggle goes on\u201d \u2014 Moscow\u2019s caf\u00e9 is na\u00efve.\r\n"
RUSSIAN = "Борьба продолжалась много лет, и никто не знал почему. " * 3
CHINESE = "斗争持续了多年，没有人知道为什么没有结束。" * 3
posix = pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that an unprivileged user may use, too: pytest's own are its user's alone."""
    if os.geteuid() != 0:
        yield tmp_path
        return
    with TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@contextmanager
def unprivileged() -> Iterator[None]:
    """As a user whom permissions bind: the superuser may do anything."""
    is_root = os.geteuid() == 0
    if is_root:
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        if is_root:
            os.setresuid(0, 0, 0)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_what_is_read_encodes_to_the_same_bytes(text: str, encoding: str) -> None:
    data = text.encode(encoding)
    found = decode(data, name="x")
    assert found.text.removeprefix("\ufeff") == text.removeprefix("\ufeff")
    assert found.text.encode(found.encoding) == data
    assert not found.is_guessed


@given(st.binary())
def test_any_bytes_are_read_exactly_or_refused(data: bytes) -> None:
    try:
        found = decode(data, name="x")
    except InputError:
        return
    assert found.text.encode(found.encoding) == data


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        (ENGLISH, "utf-8-sig", "utf-8"),
        *((ENGLISH, wide, wide) for wide in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")),
        (RUSSIAN, "utf-16-le", "binary"),  # without a byte-order mark nothing tells it from binary
        (ENGLISH, "cp1252", "cp1252"),
        ("caf\u00e9\n", "latin-1", "cp1252"),
        ("The na\u00efve fianc\u00e9e waited in the caf\u00e9 by the sea for a long time.\n", "latin-1", "cp1252"),
        (
            RUSSIAN,
            "cp1251",
            "cp1251",
        ),
        (
            CHINESE,
            "gb18030",
            "gb18030",
        ),
    ],
)
def test_encodings(text: str, encoding: str, expected: str) -> None:
    if expected == "binary":
        with pytest.raises(InputError, match=r"^x: binary file, not text$"):
            decode(text.encode(encoding), name="x")
        return
    found = decode(text.encode(encoding), name="x")
    assert (found.text.removeprefix("\ufeff"), found.encoding) == (text, expected)
    assert found.is_guessed == (expected != "utf-8")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a\0b", "binary file"),  # begins like UTF-16 and breaks off
        (bytes(64), "binary file"),
        (b"".join(bytes((n, 0)) for n in range(64)), "binary file"),  # small numbers of two bytes each
        (b"PNG\r\n" + bytes(7) + b"header" + bytes(7), "binary file"),
        (bytes(range(1, 9)) * 4, "binary file"),
        (b"\xff\xfea", "begins as utf-16-le and breaks off at byte 2"),
        (bytes(range(128, 256)) * 2, "not text: byte 0 is not UTF-8|looks like"),
    ],
)
def test_what_is_no_text(data: bytes, problem: str) -> None:
    with pytest.raises(InputError, match=f"^x: ({problem})"):
        decode(data, name="x")


def test_a_stray_control_character_is_no_binary() -> None:
    assert decode(b"page one\x02" + b" and more text" * 20, name="x").text.startswith("page one\x02")


def test_reading_a_file_keeps_line_breaks(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\r\ntwo\rthree\n")
    assert read_text(tmp_path / "a.txt") == "one\r\ntwo\rthree\n"


def test_reading_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.txt: no such file or directory$"):
        read(Source(tmp_path / "nothing.txt", Path("nothing.txt")))


@posix
def test_reading_what_is_unreadable(folder: Path) -> None:
    (folder / "a.txt").write_text("one")
    (folder / "a.txt").chmod(0)
    with unprivileged(), pytest.raises(InputError, match="permission denied"):
        read_text(folder / "a.txt")


@posix
def test_a_closed_folder_and_an_endless_name_are_said_when_it_comes_to_reading(folder: Path) -> None:
    closed, endless = folder / "closed", folder / ("n" * 300)
    closed.mkdir(mode=0o600)
    with unprivileged():
        found, errors = sources([str(closed / "a.txt"), str(endless)], skip=closed / "out")
        assert errors == []
        for source, problem in zip(found, ("permission denied", "file name too long"), strict=True):
            with pytest.raises(InputError, match=f"{problem}$"):
                read(source)
            assert source.path is not None
            with pytest.raises(OutputError, match=f"cannot be written: {problem}$"):
                write_atomic(source.path, b"after")
    assert list(folder.iterdir()) == [closed]


@posix
def test_links_in_a_circle_are_said_when_it_comes_to_reading(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to("a.txt")
    found, errors = sources([str(tmp_path)], skip=tmp_path / "out")
    assert len(found) == 1 and errors == []
    with pytest.raises(InputError, match="symbolic links"):
        read(found[0])


def test_a_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match=r"^stdin: is closed$"):
        read(Source(None, Path("stdin.txt")))


def test_chunks_are_whole_lines_and_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CHUNK_LINES", 3)
    text = "".join(f"line number {n}\n" for n in range(10)) + "no break at the end"
    (tmp_path / "t.txt").write_text(text)
    (tmp_path / "t.txt.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("t.txt", "t.txt.gz"):
        parts = list(chunks(tmp_path / name))
        assert "".join(parts) == text
        assert len(parts) > 3
        assert all(part.endswith("\n") for part in parts[:-1])
        halves = ["".join(chunks(tmp_path / name, stop=0.5)), "".join(chunks(tmp_path / name, start=0.5))]
        assert "".join(halves) == text and halves[0].endswith("line number 4\n")


# Each case has a name, for a gzip file holds the time at which it was made, and pytest-xdist asks that every worker
# collects tests of the same names.
@pytest.mark.parametrize(
    "data",
    [gzip.compress(b"a long text" * 100)[:30], b"no gzip", gzip.compress(b"\xff\xfe")],
    ids=["cut short", "no gzip", "no UTF-8"],
)
def test_chunks_of_a_damaged_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.txt.gz").write_bytes(data)
    with pytest.raises(InputError, match=r"t\.txt\.gz: "):
        list(chunks(tmp_path / "t.txt.gz"))


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """A file that must stand there, alone and whole, whatever happens."""
    path = tmp_path / "target.txt"
    path.write_bytes(b"before")
    yield path
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_writing_replaces_the_content_and_keeps_the_mode(target: Path) -> None:
    target.chmod(0o640)
    write_atomic(target, b"after")
    assert target.read_bytes() == b"after"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
def test_a_new_file_gets_the_mode_that_new_files_get(tmp_path: Path) -> None:
    write_atomic(tmp_path / "new.txt", b"after")
    (tmp_path / "plain.txt").write_bytes(b"")
    assert (tmp_path / "new.txt").stat().st_mode == (tmp_path / "plain.txt").stat().st_mode


def test_writing_follows_links(target: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(target.name)
    write_atomic(link, b"after")
    assert link.is_symlink()
    assert target.read_bytes() == b"after"


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_target_as_it_was(
    target: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, step: str
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(os, step, fail)
    expected = OutputError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(expected):
        write_atomic(target, b"after")
    assert target.read_bytes() == b"before"


@posix
def test_a_read_only_file_is_not_replaced(folder: Path) -> None:
    target = folder / "a.txt"
    target.write_bytes(b"before")
    target.chmod(0o444)
    with unprivileged(), pytest.raises(OutputError, match="permission denied"):
        write_atomic(target, b"after")
    assert target.read_bytes() == b"before"
    assert list(folder.iterdir()) == [target]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="not a regular file"):
        write_atomic(tmp_path, b"after")
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OutputError, match="not a regular file"):
            write_atomic(tmp_path / "pipe", b"after")


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: no such file or directory"):
        write_atomic(tmp_path / "nowhere" / "a.txt", b"after")


@pytest.mark.parametrize(
    ("data", "encoding", "problem"),
    [
        (b"caf\xe9", "utf-8", "is not utf-8: byte 3"),
        (b"a", "unheard-of", r"cannot be read as unheard-of \(unknown encoding: unheard-of\)"),
        (b"+AGE-", "utf-7", "is not utf-7, or not as any program would write it"),
    ],
)
def test_a_told_encoding_that_is_wrong(data: bytes, encoding: str, problem: str) -> None:
    with pytest.raises(InputError, match=f"^x: {problem}$"):
        decode(data, name="x", encoding=encoding)


def test_a_declared_encoding_is_tried_before_guessing() -> None:
    assert decode(b"caf\xe9", name="x", declared="cp1250") == files.SourceText("caf\u00e9", "cp1250", False)
    assert decode("caf\u00e9".encode(), name="x", declared="cp1250").encoding == "utf-8"
    assert decode(b"caf\xe9", name="x", declared="ascii").encoding == "cp1252"
