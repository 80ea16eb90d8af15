"""Reading and writing the formats of scrapes: what is found in a file, and what of it changes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from unspin import formats
from unspin.errors import InputError, OutputError, UnspinError
from unspin.files import Source
from unspin.formats import Failure, Format, HtmlMode, Packing, Reader, Reading, Record, streams
from unspin.formats.sniffing import by_content, by_name

ROWS = [{"id": f"a{n}", "text": f"The struggle, part {n}\n", "n": n, "tags": ["x"]} for n in range(600)]
PAGE = """<!doctype html><html><head><meta charset=iso-8859-1><title>News</title></head><body>
<nav><a href="/">Home</a> <a href="/more">More</a></nav>
<article><h1>The struggle</h1><p>The struggle has lasted more than a year, and there is no sign of a caf\u00e9
in sight. Talks go on, say diplomats, yet each side stays cautious about what the other may do.</p></article>
<script>var struggle = "<p>struggle</p>";</script></body></html>"""


def opened(path: Path, **reading: object) -> Reader:
    return formats.reader(Source(path, Path(path.name)), Reading(**reading))  # type: ignore[arg-type]


def records(found: Iterable[Record | Failure]) -> list[Record]:
    every = list(found)
    assert not [one for one in every if isinstance(one, Failure)], every
    return [one for one in every if isinstance(one, Record)]


def restored(text: str) -> str:
    return text.replace("struggle", "war")


def rewritten(read: Reader, target: Path, made: Callable[[str], str] = restored, out: Format | None = None) -> bytes:
    with formats.writer(target, read, out=out) as written:
        for one in read:
            if isinstance(one, Failure):
                written.keep(one)
            else:
                written.write(one, made(one.source))
    return target.read_bytes()


def unchanged(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", Format.TEXT),
        ("a.MD.gz", Format.MARKDOWN),
        ("a.htm", Format.HTML),
        ("a.ndjson.zst", Format.JSONL),
        ("a.csv", Format.CSV),
        ("a.tsv", Format.TSV),
        ("a.parquet", Format.PARQUET),
        ("a.warc.gz", Format.WARC),
        ("a.dat", None),
        ("gz", None),
    ],
)
def test_a_name_tells_the_format(name: str, expected: Format | None) -> None:
    assert by_name(name) is expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", Format.TEXT),
        (b"{braces} begin this text", Format.TEXT),
        (b'{"text": 1}\n{', Format.JSONL),
        (b'\xef\xbb\xbf {"text": "a"}', Format.JSONL),
        (b'{"text": "' + b"long" * 100, Format.JSONL),  # the line is longer than what was read
        (b'["a list"]', Format.TEXT),
        (b"<!-- made by hand -->\n<!DOCTYPE html><p>", Format.HTML),
        (b'<?xml version="1.0"?><html xmlns="x">', Format.HTML),
        (b"<p>no page, but perhaps Markdown", Format.TEXT),
        (b"PAR1\x15\x04", Format.PARQUET),
        (b"WARC/1.0\r\n", Format.WARC),
    ],
)
def test_a_beginning_tells_the_format(head: bytes, expected: Format) -> None:
    assert by_content(head) is expected


def test_standard_input_tells_its_format_and_is_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = b"".join(b'{"text": "The struggle %d"}\n' % n for n in range(9_000))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(data))))
    read = formats.reader(Source(None, Path("stdin.txt")))
    assert (read.format, read.packing, read.name) == (Format.JSONL, Packing.GZIP, "stdin")
    assert formats.target_place(read) == Path("stdin.jsonl.gz")
    found = rewritten(read, tmp_path / "out.jsonl.gz")
    assert gzip.decompress(found) == data.replace(b"struggle", b"war")
    with pytest.raises(InputError, match=r"^stdin: can be read once only$"):
        iter(read)


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_json_lines(tmp_path: Path, suffix: str) -> None:
    pack: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstd.compress}
    unpack: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.decompress, ".zst": zstd.decompress}
    lines = (
        b'\xef\xbb\xbf\n{"n": 1e3, "text" : "The struggle \\u00e9", "id": 7}\r\n'
        b'\n{"text":"caf\xc3\xa9","b":{"text":"struggle"}}'
    )
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(pack[suffix](lines))
    read = opened(path)
    assert [(one.id, one.number, one.text) for one in records(read)] == [
        ("7", 0, "The struggle \u00e9"),
        (f"{path}#1", 1, "caf\u00e9"),
    ]
    assert rewritten(read, tmp_path / "same", unchanged) == path.read_bytes()
    changed = unpack[suffix](rewritten(read, tmp_path / "changed"))
    assert changed == lines.replace(b"The struggle", b"The war")


def test_of_several_fields_of_one_name_the_last_is_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a struggle", "t\\u0065xt": "the struggle"}\n')
    assert [one.text for one in records(opened(path))] == ["the struggle"]
    assert rewritten(opened(path), path) == b'{"text": "a struggle", "t\\u0065xt": "the war"}\n'


def test_fields_of_other_names(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"url": "http://a.b/c", "body": "The struggle"}\n')
    assert [(one.id, one.text) for one in records(opened(path, text_field="body", id_field="url"))] == [
        ("http://a.b/c", "The struggle")
    ]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("a.csv", 'id,text,n\r\n1,"The ""struggle""\r\ngoes on",x\r\n\r\n2,struggle,"y, z"\r\n'),
        ("a.csv", "id;text;n\n1;struggle, and more;'x'\n"),
        ("a.csv", "\ufefftext,n\nstruggle,1\n2nd struggle,2"),
        ("a.csv", '\ufeff"text",n\nstruggle,1\n'),
        ("a.tsv", 'id\ttext\n1\tThe "struggle" of 5" pipes\n2\t\n'),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_tables(tmp_path: Path, name: str, table: str, encoding: str) -> None:
    path = tmp_path / name
    text = table if encoding == "utf-8" else "\ufeff" + table.removeprefix("\ufeff")
    path.write_bytes(text.encode(encoding))
    read = opened(path)
    assert records(read)
    assert rewritten(read, tmp_path / "same", unchanged).decode(encoding) == text
    assert rewritten(read, tmp_path / "changed").decode(encoding) == text.replace("struggle", "war")


def test_a_cell_is_quoted_when_it_must_be(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,n\nstruggle,1\n")
    assert rewritten(opened(path), path, lambda _: 'war, "or"\npeace') == b'text,n\n"war, ""or""\npeace",1\n'


def test_parquet_keeps_all_but_the_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    packings = {"id": "gzip", "text": "zstd", "n": "none", "tags.list.element": "snappy"}
    table = pa.Table.from_pylist(ROWS).replace_schema_metadata({"made by": "a crawler"})
    pq.write_table(table, path, row_group_size=250, compression=packings)
    read = opened(path)
    assert [(one.id, one.text) for one in records(read)] == [(row["id"], row["text"]) for row in ROWS]
    assert rewritten(read, tmp_path / "same.parquet", unchanged) == path.read_bytes()
    target = tmp_path / "changed.parquet"
    rewritten(read, target, lambda text: restored(text) if "7" in text else text)
    found = pq.ParquetFile(target)
    assert found.read().to_pylist() == [
        row | {"text": restored(str(row["text"])) if "7" in str(row["text"]) else row["text"]} for row in ROWS
    ]
    assert found.schema_arrow.equals(pq.read_schema(path), check_metadata=True)
    assert [found.metadata.row_group(n).num_rows for n in range(3)] == [250, 250, 100]
    columns = [found.metadata.row_group(0).column(n).compression for n in range(4)]
    assert columns == ["GZIP", "ZSTD", "UNCOMPRESSED", "SNAPPY"]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_parquet_of_other_kinds_of_text(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": pa.array(["struggle", None, "peace"], pa.string()).cast(kind)}), path)
    read = opened(path)
    _, missing, _ = read
    assert isinstance(missing, Failure) and str(missing) == f"{path}: row 2: no text"
    rewritten(read, tmp_path / "b.parquet")
    found = pq.read_table(tmp_path / "b.parquet")
    assert found.schema.field("text").type == kind
    assert found.column("text").to_pylist() == ["war", None, "peace"]


def test_a_page_changes_in_its_words_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(PAGE.encode("cp1252"))
    (record,) = records(opened(path, html=HtmlMode.INPLACE))
    assert record.source == PAGE
    assert "The struggle has" in record.text and "var struggle" not in record.text and "href" not in record.text
    assert rewritten(opened(path, html=HtmlMode.INPLACE), tmp_path / "b.html", unchanged) == path.read_bytes()


def test_the_main_text_of_a_page_becomes_a_text(tmp_path: Path) -> None:
    path = tmp_path / "a.html.gz"
    path.write_bytes(gzip.compress(PAGE.encode("cp1252")))
    read = opened(path)
    (record,) = records(read)
    assert "a caf\u00e9 in sight" in record.text and "Home" not in record.text
    assert formats.target_place(read) == Path("a.html.txt.gz")
    written = gzip.decompress(rewritten(read, tmp_path / "b.txt.gz")).decode()
    assert written == restored(record.text) + "\n"


def warc(*pages: bytes, headers: bytes = b"Content-Type: text/html", status: bytes = b"200 OK") -> bytes:
    parts = []
    for number, page in enumerate(pages):
        http = b"HTTP/1.1 " + status + b"\r\n" + headers + b"\r\n\r\n" + page
        head = (
            f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.b/{number}\r\n"
            "WARC-Date: 2024-02-03T04:05:06Z\r\n"
            f"WARC-Record-ID: <urn:uuid:{number}>\r\nContent-Type: application/http; msgtype=response\r\n"
            f"Content-Length: {len(http)}\r\n\r\n"
        )
        parts.append(head.encode() + http + b"\r\n\r\n")
    return b"".join(parts)


def test_warc_gives_the_main_text_of_each_page(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    page = PAGE.encode("cp1252")
    parts = (
        warc(page, page),
        warc(page, status=b"404 Not Found"),
        warc(b"{}", headers=b"Content-Type: application/json"),
        warc(gzip.compress(page), headers=b"Content-Type: text/html\r\nContent-Encoding: gzip"),
        warc(b"5\r\n" + page[:5] + b"\r\n%x\r\n" % len(page[5:]) + page[5:] + b"\r\n0\r\n\r\n",
             headers=b"Content-Type: text/html; charset=latin-1\r\nTransfer-Encoding: chunked"),
    )  # fmt: skip
    path.write_bytes(b"".join(map(gzip.compress, parts)))
    read = opened(path)
    found = records(read)
    assert [one.number for one in found] == [0, 1, 4, 5]
    assert {one.text for one in found} == {found[0].text} and "a caf\u00e9 in sight" in found[0].text
    assert found[1].id == "http://a.b/1 urn:uuid:1"
    lines = gzip.decompress(rewritten(read, tmp_path / formats.target_place(read))).decode().splitlines()
    assert [json.loads(line)["url"] for line in lines] == [f"http://a.b/{n}" for n in (0, 1, 0, 0)]
    assert json.loads(lines[0])["text"] == restored(found[0].text)
    assert json.loads(lines[0])["date"] == "2024-02-03T04:05:06Z"


@dataclass(frozen=True)
class Converted:
    """What a file becomes in another format."""

    out: Format
    place: str
    content: bytes


@pytest.mark.parametrize(
    "to",
    [
        Converted(Format.TEXT, "a.jsonl.txt", b"The war\n\nof caf\xc3\xa9s,\n"),
        Converted(Format.CSV, "a.jsonl.csv", b'id,n,text\n1,"[1, ""x""]",The war\nb,,"of caf\xc3\xa9s,\n"\n'),
        Converted(Format.TSV, "a.jsonl.tsv", b'id\tn\ttext\n1\t"[1, ""x""]"\tThe war\nb\t\t"of caf\xc3\xa9s,\n"\n'),
    ],
    ids=lambda to: to.out,
)
def test_conversions(tmp_path: Path, to: Converted) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "The struggle", "n": [1, "x"], "id": 1}\n{"id": "b", "text": "of caf\u00e9s,\\n"}\n')
    read = opened(path)
    assert formats.target_place(read, out=to.out) == Path(to.place)
    assert formats.expected_place(read.source, read.reading, out=to.out) == Path(to.place)
    assert rewritten(read, tmp_path / "out", out=to.out) == to.content


def test_conversion_to_json_lines_and_parquet_and_back(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    rewritten(opened(path), tmp_path / "a.parquet", unchanged, out=Format.PARQUET)
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == ROWS
    back = rewritten(opened(tmp_path / "a.parquet"), tmp_path / "b.jsonl", unchanged, out=Format.JSONL)
    assert [json.loads(line) for line in back.splitlines()] == ROWS


@pytest.mark.parametrize("out", [Format.CSV, Format.PARQUET])
def test_records_that_do_not_fit_into_a_table(tmp_path: Path, out: Format) -> None:
    path = tmp_path / "a.jsonl"
    rows = [{"text": "a"}] * 1_000 + [{"text": "b", "more": 1}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(OutputError, match=r"'more', which the first .*; choose jsonl$"):
        rewritten(opened(path), tmp_path / "out", out=out)
    assert [one.name for one in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_text_that_the_encoding_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text\ncaf\u00e9 struggle\n".encode("cp1252"))
    with pytest.raises(OutputError, match=r"cp1252 cannot hold '\u6230'; convert the text to UTF-8 first$"):
        rewritten(opened(path, encoding="cp1252"), path, lambda text: text + "\u6230")
    assert path.read_bytes() == "text\ncaf\u00e9 struggle\n".encode("cp1252")


def test_half_a_character_stays_what_it_is_in_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "caf\xc3\xa9 \\ud800 struggle"}\n')
    assert json.loads(rewritten(opened(path), tmp_path / "b.jsonl")) == {"text": "caf\u00e9 \ud800 war"}
    with pytest.raises(OutputError, match=r"utf-8 cannot hold '\\ud800'; only jsonl can$"):
        rewritten(opened(path), tmp_path / "b.csv", out=Format.CSV)


def test_nothing_is_there_before_the_end(tmp_path: Path) -> None:
    path, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    path.write_text('{"text": "a"}\n' * 3)
    target.write_text("before")

    def interrupted(text: str) -> str:
        assert target.read_text() == "before"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rewritten(opened(path), target, interrupted)
    assert target.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 2


class Endless(io.RawIOBase):
    """A stream of records without an end, and how much of it was read."""

    taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        line = b'{"text": "%s"}\n' % (b"x" * 86)
        buffer[:] = (line * (2 + len(buffer) // len(line)))[self.taken % len(line) :][: len(buffer)]
        self.taken += len(buffer)
        return len(buffer)


def test_a_reader_reads_little_more_than_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Endless()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(stream)))
    found = iter(formats.reader(Source(None, Path("stdin.txt"))))
    for _ in range(2_000):
        assert isinstance(next(found), Record)
    assert stream.taken < 600_000


@pytest.mark.parametrize(
    ("name", "package", "module"),
    [
        ("a.jsonl.zst", "backports.zstd", "backports"),
        ("a.parquet", "pyarrow", "pyarrow"),
        ("a.warc", "fastwarc", "fastwarc.warc"),
        ("a.html", "trafilatura", "trafilatura"),
    ],
)
def test_a_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str, module: str
) -> None:
    path = tmp_path / name
    path.write_bytes(zstd.compress(b'{"text": "a"}') if name.endswith("zst") else b"<html><p>text</p></html>")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UnspinError, match=rf"needs? {package}: pip install 'unspin\[formats\]'$"):
        list(opened(path))


FILES = {
    "a.txt": b"The struggle\n",
    "a.md": b"# The struggle\n",
    "a.html": b"<html><p>The struggle</p></html>",
    "a.jsonl": b'{"text": "The struggle"}\n',
    "a.jsonl.gz": gzip.compress(b'{"text": "The struggle"}\n'),
    "a.csv": b"text,n\nThe struggle,1\n",
    "a.tsv": b"text\tn\nThe struggle\t1\n",
    "a.parquet": b"",
}


def laid(folder: Path, name: str) -> Path:
    """A file of one record."""
    path = folder / name
    path.write_bytes(FILES[name])
    if name.endswith(".parquet"):
        pq.write_table(pa.table({"text": ["The struggle"]}), path)
    return path


@pytest.mark.parametrize("when", ["before it is read", "after it was read"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_changed_since_it_was_opened_is_not_written_over(tmp_path: Path, name: str, when: str) -> None:
    path = laid(tmp_path, name)
    read = opened(path, html=HtmlMode.INPLACE)
    line = b'{"text": "theirs"}'
    theirs = {"a.jsonl.gz": gzip.compress(line), "a.parquet": path.read_bytes()}.get(name, line)

    def changed() -> None:
        path.unlink()
        path.write_bytes(theirs)

    with (
        pytest.raises((OutputError, InputError), match=f"^{path}: changed while it was "),
        formats.writer(path, read) as written,
    ):
        if when.startswith("before"):
            changed()
        for one in read:
            if isinstance(one, Failure):
                raise InputError(one.path, one.reason)
            written.write(one, restored(one.source))
        changed()
    assert path.read_bytes() == theirs
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_did_not_change_is_written_over(tmp_path: Path, name: str) -> None:
    path = laid(tmp_path, name)
    (before,) = records(opened(path, html=HtmlMode.INPLACE))
    rewritten(opened(path, html=HtmlMode.INPLACE), path)
    (after,) = records(opened(path, html=HtmlMode.INPLACE))
    assert after.source == restored(before.source) != before.source


def piped(folder: Path, data: bytes) -> Path:
    """A pipe with a name, of which somebody writes these bytes into the other end, once."""
    path = folder / "pipe"
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(data,), daemon=True).start()
    return path


@pytest.mark.parametrize("data", [b"The struggle\n", b'{"text": "The struggle"}\n' * 20_000], ids=["text", "records"])
def test_of_a_pipe_with_a_name_nothing_is_lost(tmp_path: Path, data: bytes) -> None:
    read = opened(piped(tmp_path, data))
    assert rewritten(read, tmp_path / "out") == restored(data.decode()).encode()
    with pytest.raises(InputError, match="can be read once only"):
        iter(read)


def test_what_is_kept_can_be_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"text": ["The struggle"] * 9_000}), tmp_path / "a.parquet")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((tmp_path / "a.parquet").read_bytes())))
    read = formats.reader(Source(None, Path("stdin.txt")))
    read.input.keep()
    assert [len(records(read)) for _ in range(2)] == [9_000, 9_000]
    assert formats.target_place(read) == Path("stdin.parquet")


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "packed"])
def test_parquet_of_standard_input_is_written_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: Callable[[bytes], bytes]
) -> None:
    """Its writer needs the schema, which stands at the end, before the first row is read."""
    texts = [f"The struggle {number} {hash_of(number)}" for number in range(9_000)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", compression="none", use_dictionary=False)
    data = packed((tmp_path / "a.parquet").read_bytes())
    assert len(data) > 2 * streams.HEAD
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    read = formats.reader(Source(None, Path("stdin.txt")))
    rewritten(read, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").column("text").to_pylist() == list(map(restored, texts))


def hash_of(number: int) -> str:
    """Letters that do not pack well."""
    return hashlib.sha256(str(number).encode()).hexdigest()
