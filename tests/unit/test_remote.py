"""Files at URLs: listed, read, written whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from unspin import formats, remote
from unspin.errors import InputError, OutputError, UnspinError
from unspin.files import Source, read
from unspin.formats import Record
from unspin.sources import sources


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    """The file system that lives in memory, empty."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system
    system.store.clear()


def test_what_is_a_url() -> None:
    assert [remote.is_url(name) for name in ("s3://a/b", "memory://x", "C:\\a", "a/b://c", "./a.txt", "-")] == [
        True, True, False, False, False, False
    ]  # fmt: skip


def test_urls_name_files_directories_and_patterns(memory: fsspec.AbstractFileSystem) -> None:
    for name in ("/news/b.txt", "/news/a/c.txt", "/news/.hidden.txt", "/news/d.dat", "/e.txt"):
        memory.pipe(name, b"text of " + name.encode())
    found, errors = sources(["memory://news", "memory://news/*.dat", "memory://e.txt"])
    assert errors == []
    assert [str(source.place) for source in found] == ["a/c.txt", "b.txt", "d.dat", "e.txt"]
    assert [read(source).text for source in found][1:3] == ["text of /news/b.txt", "text of /news/d.dat"]
    assert found[3].name == "memory://e.txt"


def test_urls_that_name_nothing(memory: fsspec.AbstractFileSystem) -> None:
    memory.makedirs("/empty")
    found, errors = sources(["memory://empty", "memory://none*", "memory://none.txt", "unheard-of://x"])
    assert [str(error) for error in errors] == [
        "memory://empty: nothing there",
        "memory://none*: nothing there",
        "unheard-of://x: protocol not known: unheard-of",
    ]
    with pytest.raises(InputError, match=r"memory://none\.txt: no such file or directory"):
        read(found[0])


def test_a_protocol_whose_package_is_missing_is_named() -> None:
    assert "s3fs" not in sys.modules
    with pytest.raises(InputError, match="s3fs"):
        remote.opened("s3://bucket/a.txt")


def test_without_fsspec_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(UnspinError, match=r"memory://a: URLs need fsspec: pip install 'unspin\[fsspec\]'"):
        remote.opened("memory://a")


@pytest.mark.parametrize("protocol", ["memory", "file"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_records_are_read_and_written(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, protocol: str, name: str
) -> None:
    base = "memory://scrape" if protocol == "memory" else f"file://{tmp_path}"
    local = tmp_path / "local.jsonl"
    local.write_text('{"id": "a", "text": "the struggle"}\n{"id": "b", "text": "the talks"}\n')
    begin = formats.reader(Source(local, Path("local.jsonl")))
    kind = formats.Format.PARQUET if name.endswith("parquet") else None
    with formats.writer(f"{base}/{name}", begin, out=kind) as writer:
        for one in begin:
            assert isinstance(one, Record)
            writer.write(one, one.text)
    (source,), _ = sources([f"{base}/{name}"])
    reader = formats.reader(source)
    with formats.writer(f"{base}/out/{name}", reader) as writer:
        for one in reader:
            assert isinstance(one, Record)
            writer.write(one, one.text.replace("struggle", "war"))
    (target,), _ = sources([f"{base}/out/{name}"])
    assert [one.text for one in formats.reader(target) if isinstance(one, Record)] == ["the war", "the talks"]


@pytest.mark.parametrize("protocol", ["memory", "file"])
def test_nothing_is_there_before_the_end(memory: fsspec.AbstractFileSystem, tmp_path: Path, protocol: str) -> None:
    url = "memory://a/b.txt" if protocol == "memory" else f"file://{tmp_path}/a/b.txt"

    def interrupted() -> None:
        with remote.replacing(url) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not remote.exists(url)
    with remote.replacing(url) as stream:
        stream.write(b"whole")
    assert remote.opened(url).read() == b"whole"
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert remote.opened(url).read() == b"whole"


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("no folder")
    with pytest.raises(OutputError, match="cannot be written"), remote.replacing(f"file://{tmp_path}/a/b") as stream:
        stream.write(b"x")
