"""What arguments name: files in order, and errors for what names none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unspin.sources import sources


def test_sources_walk_in_order_and_pass_over_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.MD", "a/y.txt", ".x.txt", ".git/x.txt", "c.dat", "out/o.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found, errors = sources([str(tmp_path), "-", "lone.dat"], skip=tmp_path / "out")
    assert errors == []
    assert [str(s.place) for s in found] == ["b.txt", "a/y.txt", "a/z.MD", "stdin.txt", "lone.dat"]
    assert [s.name for s in found[-2:]] == ["stdin", "lone.dat"]


def test_every_directory_without_texts_is_an_error(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    found, errors = sources([str(tmp_path / "one"), str(tmp_path / "two")])
    assert found == []
    assert [error.problem for error in errors] == ["no texts in this directory (.txt, .md)"] * 2


def test_patterns_name_files_below_where_they_begin(tmp_path: Path) -> None:
    for name in ("news/a.txt", "news/b/c.txt", "news/b/d.dat", "news/.git/e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "news" / "loop").symlink_to("..")
    found, errors = sources([f"{tmp_path}/*/**/*.txt", f"{tmp_path}/*.html"])
    assert [str(source.place) for source in found] == ["news/a.txt", "news/b/c.txt"]
    assert [str(error) for error in errors] == [f"{tmp_path}/*.html: no file matches this pattern"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a[1].txt").write_text("")
    found, errors = sources([str(tmp_path / "a[1].txt")])
    assert ([source.path for source in found], errors) == ([tmp_path / "a[1].txt"], [])


@pytest.mark.parametrize("argument", ["a**b", "[", "**/"])
def test_odd_patterns_are_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str) -> None:
    monkeypatch.chdir(tmp_path)
    found, errors = sources([argument])
    assert not found and len(errors) == 1


def test_lists_name_files_a_line_each_or_before_each_nul(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("by-line").write_text("news/a.txt\n../b.txt\n\n/c.txt\n")
    Path("by-nul").write_bytes(b"news/two\nlines.txt\0\xff.txt\0")
    found, errors = sources([], lists=["by-line", "by-nul", "missing"])
    assert [str(source.place) for source in found] == [
        "news/a.txt",
        "b.txt",
        "c.txt",
        "news/two\nlines.txt",
        os.fsdecode(b"\xff.txt"),
    ]
    assert [str(error) for error in errors] == ["missing: no such file or directory"]


def test_other_suffixes_are_walked_for(tmp_path: Path) -> None:
    for name in ("a.txt", "b.jsonl.GZ"):
        (tmp_path / name).write_text("")
    found, _ = sources([str(tmp_path)], suffixes=(".jsonl.gz",))
    assert [source.place.name for source in found] == ["b.jsonl.GZ"]
