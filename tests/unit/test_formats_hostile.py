"""Scrapes as they are: cut off, damaged, mixed, far too large. What can be read is given, the rest is told of."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from unspin import formats
from unspin.errors import InputError
from unspin.files import Source
from unspin.formats import Failure, Reading, Record

PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstd.compress}
LINES = b"".join(b'{"id": %d, "text": "%s"}\n' % (n, os.urandom(8).hex().encode()) for n in range(20_000))
PAGE = b"<html><body><article><p>%s</p></article></body></html>" % (b"The talks went on until the morning. " * 12)


def read(path: Path, **reading: object) -> tuple[list[Record], list[str]]:
    """The records, and what is told of the failures, without the path."""
    made = list(formats.reader(Source(path, Path(path.name)), Reading(**reading)))  # type: ignore[arg-type]
    assert [one.number for one in made] == sorted(one.number for one in made)
    told = [str(one).removeprefix(f"{path}: ") for one in made if isinstance(one, Failure)]
    return [one for one in made if isinstance(one, Record)], told


def kept(path: Path) -> bytes:
    """What the file is when it was read and nothing changed."""
    reader = formats.reader(Source(path, Path(path.name)))
    with formats.writer(path.with_name("kept"), reader) as writer:
        for one in reader:
            if isinstance(one, Failure):
                writer.keep(one)
            else:
                writer.write(one, one.source)
    return path.with_name("kept").read_bytes()


@pytest.mark.parametrize("suffix", PACK)
def test_a_packed_file_that_breaks_off(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.jsonl{suffix}"
    packed = PACK[suffix](LINES)
    path.write_bytes(packed[: len(packed) // 2])
    found, told = read(path)
    assert 1_000 < len(found) < 19_000
    assert [one.id for one in found] == [str(n) for n in range(len(found))]
    assert told[-1].startswith("byte ") and told[-1].endswith(": breaks off")
    assert kept(path) == path.read_bytes()


@pytest.mark.parametrize("suffix", PACK)
def test_a_packed_file_that_is_damaged(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.jsonl{suffix}"
    packed = bytearray(PACK[suffix](LINES))
    packed[len(packed) // 2 :] = bytes(reversed(packed[len(packed) // 2 :]))
    path.write_bytes(packed)
    _, told = read(path)
    assert told and all(line.startswith(("byte ", "line ")) for line in told)


@pytest.mark.parametrize("suffix", PACK)
def test_a_text_that_breaks_off_is_none(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(PACK[suffix](LINES)[:-20])
    found, told = read(path)
    assert not found and len(told) == 1 and told[0].endswith("breaks off")


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.jsonl", "a.csv"])
def test_a_small_file_that_unpacks_to_a_large_one(tmp_path: Path, suffix: str, name: str) -> None:
    path = tmp_path / f"{name}{suffix}"
    path.write_bytes(PACK[suffix](b"text\n" + b" " * 40_000_000))
    tracemalloc.start()
    try:
        found, told = read(path, limit=100_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not found
    assert len(told) == (2 if name == "a.jsonl" else 1)  # "text" is no JSON
    assert told[-1].endswith(("larger than 100,000 bytes", "longer than 100,000 characters", "is not closed"))
    assert peak < 8_000_000


def test_after_a_line_that_is_too_long_comes_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a"}\n{"text": "' + b"x" * 200_000 + b'"}\n{"text": "b"}\n')
    found, told = read(path, limit=1_000)
    assert [(one.text, one.number) for one in found] == [("a", 0), ("b", 2)]
    assert told == ["line 2: longer than 1,000 characters"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "no JSON: expecting property name enclosed in double quotes at character 2"),
        (b'{"text": "a"} {"text": "b"}', "no JSON: something stands after the value at character 14"),
        (b'{"text": "a"', "no JSON: expecting ',' delimiter at character 13"),
        (b'"text"', "no JSON object"),
        (b"null", "no JSON object"),
        (b"{}", "no field 'text'; it has none"),
        (b'{"body": "a"}', "no field 'text'; it has 'body'"),
        (b'{"text": null}', "field 'text' holds no text: null"),
        (b'{"text": ["a"]}', "field 'text' holds no text: [\"a\"]"),
        (b'{"text": "caf\xe9"}', "not in the encoding of the file (character 14)"),
        (b'{"a": ' * 100_000, "nested too deeply"),
        (b'{"text": 1' + b"0" * 5_000 + b"}", "no JSON: Exceeds the limit"),
    ],
)
def test_lines_that_hold_no_text(tmp_path: Path, line: bytes, problem: str) -> None:
    path = tmp_path / "a.jsonl"
    good = b'{"text": "caf\xc3\xa9"}\n'
    path.write_bytes(good + line + b"\n\n" + good)
    found, told = read(path)
    assert [one.text for one in found] == ["caf\u00e9", "caf\u00e9"]
    assert len(told) == 1 and told[0].startswith(f"line 2: {problem}")
    assert kept(path) == path.read_bytes()


@pytest.mark.parametrize(
    ("table", "problems"),
    [
        (b"", []),
        (b"\xef\xbb\xbf\r\n", []),
        (b"a,b\n1,2\n", ["line 1: no column 'text'"]),
        (b"text,b\n", []),
        (b"b,text\n1\n2,x\n", ["line 2: 1 cells and none of column 'text', which is number 2"]),
        (b'text\n"a\nb\n', ["line 2: a quotation mark is not closed"]),
        (b"text\n\xff\xfe\x81\n", ["line 2: not in the encoding of the file (character 1)"]),
    ],
)
def test_tables_that_hold_no_text(tmp_path: Path, table: bytes, problems: list[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(table)
    _, told = read(path, encoding="utf-8")
    assert told == problems
    if b"\xff" not in table:
        assert kept(path) == table


def test_of_a_table_in_a_legacy_encoding_the_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        "text,n\nThe caf\u00e9 closed its doors for a year \u2014 \u201cat last\u201d,1\n".encode("cp1252")
    )
    found, told = read(path)
    assert (found[0].text, told) == ("The caf\u00e9 closed its doors for a year \u2014 \u201cat last\u201d", [])


def test_parquet_that_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [os.urandom(20).hex() for _ in range(3_000)]}), path, row_group_size=1_000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    found, told = read(path)
    assert not found and len(told) == 1 and "parquet" in told[0].lower()
    damaged = bytearray(whole)
    damaged[len(whole) // 2 : len(whole) // 2 + 500] = bytes(500)  # in the second of three row groups
    path.write_bytes(damaged)
    found, told = read(path)
    assert len(found) >= 1_000 and len(told) <= 1 and all(line.startswith("row ") for line in told)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"no Parquet"])
def test_what_is_no_parquet(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(data)
    found, told = read(path)
    assert not found and len(told) == 1


def test_parquet_without_the_column_or_with_one_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": ["a"], "text": [1]}), path)
    assert read(path)[1] == ["column 'text' holds no text but int64"]
    assert read(path, text_field="words")[1] == ["no column 'words'; it has 'body', 'text'"]


def response(number: int, page: bytes, headers: bytes = b"Content-Type: text/html") -> bytes:
    http = b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n\r\n" + page
    return (
        b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.b/%d\r\nWARC-Record-ID: <urn:uuid:%d>\r\n"
        b"Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n" % (number, number, len(http))
    ) + http + b"\r\n\r\n"  # fmt: skip


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.95])
def test_warc_that_breaks_off(tmp_path: Path, pack: Callable[[bytes], bytes], share: float) -> None:
    path = tmp_path / "a.warc"
    whole = b"".join(pack(response(number, PAGE)) for number in range(10))
    path.write_bytes(whole[: int(share * len(whole))])
    found, told = read(path)
    assert len(found) in (int(10 * share), int(10 * share) - 1)
    assert len(told) <= 2 and {one.text for one in found} == {found[0].text}


def test_of_damaged_responses_each_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    html = b"Content-Type: text/html\r\nContent-Encoding: "
    parts = [
        response(0, PAGE),
        response(1, b"not gzip", html + b"gzip"),
        response(2, gzip.compress(PAGE)[:-30], html + b"gzip"),
        response(3, PAGE, html + b"pack200"),
        response(4, gzip.compress(bytes(3_000_000)), html + b"gzip"),
        response(5, b"x" * 2_000_000),
        response(6, b"<html></html>"),
        response(7, bytes(range(256))),
        response(8, PAGE),
    ]
    path.write_bytes(b"".join(parts))
    found, told = read(path, limit=1_000_000)
    assert [one.number for one in found] == [0, 8]
    assert [line.partition(" ")[2].partition(": ")[2] for line in told] == [
        "damaged: error -3 while decompressing data: incorrect header check",
        "damaged: the packed body breaks off",
        "damaged: packed as pack200, which is not known",
        "damaged: unpacks to more than 1,000,000 bytes",
        "larger than 1,000,000 bytes",
        "no main text in this page",
        "binary file, not text",
    ]
    assert told[0].startswith("record 2 (http://a.b/1): ")


@pytest.mark.parametrize(
    "data", [b"", b"no WARC", bytes(1000), b"WARC/1.1\r\n\r\n", b"WARC/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_what_is_no_warc(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(data)
    found, told = read(path)
    assert not found and len(told) <= 1


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.jsonl", "a.csv", "a.tsv", "a.warc"])
def test_empty_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    found, told = read(path)
    assert len(found) == (name in ("a.txt", "a.md"))
    assert told == (["no main text in this page"] if name == "a.html" else [])
    if name in ("a.txt", "a.md", "a.jsonl", "a.csv"):
        assert kept(path) == b""


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.parquet", "a.warc"])
def test_binary_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(bytes(range(256)) * 40)
    try:
        found, told = read(path)
    except InputError as error:
        assert str(error) == f"{path}: binary file, not text"
    else:
        assert not found and told


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.jsonl").symlink_to("loop.jsonl")
    for name, problem in (("none.jsonl", "no such file"), ("loop.jsonl", "symbolic links"), ("", "is a directory")):
        with pytest.raises(InputError, match=problem):
            read(tmp_path / name)


@pytest.mark.parametrize(
    "piece", ["<a ", "<", "<!--", "&", "<a b='", '<a b="', "<p>", "</", "<script>", "<code>", "a=' "]
)
def test_a_page_takes_time_in_proportion(tmp_path: Path, piece: str) -> None:
    """Quadratic time would be hours."""
    from unspin.formats.page import prose

    assert len(prose(f"<p>{piece * 300_000}").text) == 3 + 300_000 * len(piece)
