"""Laws of the formats: what no text is changed in comes back byte for byte, and nothing but the text ever changes."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from unspin.errors import InputError
from unspin.files import Source
from unspin.formats import Failure, HtmlMode, Reader, Reading, reader, writer
from unspin.formats.markdown import prose as markdown_prose
from unspin.formats.page import prose as page_prose
from unspin.formats.prose import HIDDEN, Prose
from unspin.model import DecidedBy, Edit, Restoration, Signature, SpinEvidence

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
WORDS = st.text(st.sampled_from("ab c\t\",;'\r\n\\é\u2028\U0001f600"), max_size=12)
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT, st.lists)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=4)
SPACE = st.text(st.sampled_from(" \t"), max_size=2)


def change(text: str) -> str:
    return text.replace("a", 'war, "b"\n')


def through(data: bytes, name: str, made: Callable[[str], str], reading: Reading | None = None) -> tuple[bytes, Reader]:
    """What a file holds after it was read and written back, each text changed so."""
    with TemporaryDirectory() as folder:
        path, target = Path(folder, name), Path(folder, f"out-{name}")
        path.write_bytes(data)
        read = reader(Source(path, Path(name)), reading)
        with writer(target, read) as written:
            for one in read:
                if isinstance(one, Failure):
                    written.keep(one)
                else:
                    written.write(one, made(one.source))
        return target.read_bytes(), read


@st.composite
def json_lines(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """JSON Lines as anybody may write them, and what becomes of them when the texts change."""
    before, after = "", ""
    for number in range(draw(st.integers(0, 4))):
        others = draw(OBJECTS)
        others.pop("text", None)
        text, ascii_only = draw(WORDS), draw(st.booleans())
        members = [(json.dumps(k, ensure_ascii=ascii_only), json.dumps(v)) for k, v in others.items()]
        place = draw(st.integers(0, len(members)))
        quoted = [json.dumps(one, ensure_ascii=ascii_only) for one in (text, change(text))]
        for side, value in enumerate(quoted):
            parts = [*members[:place], ('"text"', value), *members[place:]]
            line = "{" + ", ".join(f"{k}:{v}" for k, v in parts) + "}"
            if side:
                after += line
            else:
                before += line
        end = draw(st.sampled_from(["\n", "\r\n", "\n\n", "\n \n"])) if number < 3 else ""
        before, after = before + end, after + end
    return before.encode(), after.encode()


@given(json_lines())
def test_json_lines_change_in_their_texts_alone(lines: tuple[bytes, bytes]) -> None:
    before, after = lines
    assert through(before, "a.jsonl", lambda text: text)[0] == before
    changed = through(before, "a.jsonl", change)[0]
    assert [json.loads(line) for line in changed.split(b"\n") if line.strip()] == [
        json.loads(line) for line in after.split(b"\n") if line.strip()
    ]


LINES = st.lists(st.sampled_from([b'{"text": "a"}', b"\n", b"{", b"\xff", b'"', b"\r"])).map(b"".join)


@given(st.binary(max_size=200) | LINES)
def test_any_bytes_are_json_lines_or_failures_and_are_kept(data: bytes) -> None:
    try:
        kept, _ = through(data, "a.jsonl", lambda text: text)
    except InputError:  # not in any encoding
        return
    assert kept == data


@given(
    st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=5),
    st.sampled_from(",;\t|"),
    # Python's own writer leaves a lone "\r" bare where lines end in "\n", and the other way round
    st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), *((end, csv.QUOTE_ALL) for end in ("\n", "\r\n", "\r"))]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_tables_change_in_their_texts_alone(
    rows: list[tuple[str, str, str]], delimiter: str, style: tuple[str, Literal[0, 1]], encoding: str
) -> None:
    end, quoting = style

    def table(made: Callable[[str], str]) -> bytes:
        out = io.StringIO(newline="")
        lines = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
        lines.writerows([("name", "text", "more"), *((first, made(text), last) for first, text, last in rows)])
        return out.getvalue().encode(encoding)

    before = table(lambda text: text)
    assert through(before, "a.csv", lambda text: text)[0] == before
    changed = through(before, "a.csv", change)[0].decode(encoding)
    expected = table(change).decode(encoding)
    assert list(csv.reader(io.StringIO(changed, newline=""), delimiter=delimiter)) == list(
        csv.reader(io.StringIO(expected, newline=""), delimiter=delimiter)
    )


ROWS = st.text(st.sampled_from('ab,"\r\n\t '), max_size=60).map(lambda text: f"text,b\n{text}".encode())


@given(st.binary(max_size=100) | ROWS)
def test_any_bytes_are_a_table_or_failures_and_are_kept(data: bytes) -> None:
    try:
        kept, _ = through(data, "a.csv", lambda text: text)
    except InputError:
        return
    assert kept == data


@given(TEXT, st.sampled_from(["", ".gz", ".zst"]), st.sampled_from(["txt", "md", "html"]))
def test_texts_come_back_packed_or_not(text: str, packing: str, suffix: str) -> None:
    pack: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstd.compress}
    data = pack[packing](("ab" + text).encode("utf-8"))
    reading = Reading(html=HtmlMode.INPLACE, encoding="utf-8")
    assert through(data, f"a.{suffix}{packing}", lambda text: text, reading)[0] == data
    unpack: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.decompress, ".zst": zstd.decompress}
    changed = through(data, f"a.{suffix}{packing}", lambda text: text + "!", reading)[0]
    assert unpack[packing](changed) == ("ab" + text + "!").encode("utf-8")


MARKDOWN = st.lists(
    st.sampled_from(
        "# |## |> |* |1. |    |- |\n|\r\n|\n\n|```|~~~|`|*|**|_|__|~~|[a](b)|![a](b)|[|](|]|<b>|</b>|<http://a.b>|&amp;|&|\\|"
        "\\*|  \n|---|===|a | b|war|\t|[a]: b|<!-- |-->|<div>|+++|\ufeff".split("|")
    )
    | st.just("|"),
    max_size=25,
).map("".join)


@settings(max_examples=400)
@given(MARKDOWN | TEXT)
def test_the_prose_of_markdown_stands_where_it_stands(text: str) -> None:
    check(markdown_prose(text))


_TAGS = "<p> </p> <b> </b> <br/> <script> </script> <code> </code> <title> </title> <svg/> <svg> </svg> <pre> </pre>"
_ODD = "<a&#32;href='x>y'> <a&#32;b='c </a> <!-- --> <!--> <!doctype&#32;html> < > <?x </ &#32; \n \" ' = / war a"
_ENTITIES = "&amp; &lt; &#8217; &bogus; &nbsp; &"
PIECES = [piece.replace("&#32;", " ") for piece in f"{_TAGS} {_ODD} {_ENTITIES}".split(" ")]
PAGES = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@settings(max_examples=400)
@given(PAGES | TEXT)
def test_the_prose_of_a_page_stands_where_it_stands(text: str) -> None:
    check(page_prose(text))


def check(found: Prose) -> None:
    """Every character is what it was, a space or line break for white space or markup, or hidden."""
    assert len(found.text) == len(found.source)
    for shown, stood in zip(found.text, found.source, strict=True):
        assert shown in (stood, HIDDEN) or shown.isspace() or stood == "&"
    bounds = [bound for span in found.protected for bound in span]
    assert bounds == sorted(bounds)


@given(PAGES)
def test_no_edit_of_a_page_reaches_its_markup(text: str) -> None:
    """Replace every word: the tags that a parser sees stay the same."""
    found = page_prose(f"<!doctype html><body>{text}")
    edits = tuple(
        Edit(i, i + 3, "war", "fight", None, 1.0, DecidedBy.DECODER)
        for i in range(len(found.text) - 2)
        if found.text[i : i + 3] == "war"
    )
    landed = found.landed(restoration(found.text, edits))
    after = landed.original
    for edit in reversed(landed.edits):
        after = after[: edit.start] + edit.after + after[edit.end :]

    def tags(page: str) -> list[tuple[object, object]]:
        root = LexborHTMLParser(page).root
        assert root
        return [(node.tag, dict(node.attributes or {})) for node in root.traverse(include_text=False)]

    assert tags(after) == tags(found.source)


def restoration(text: str, edits: tuple[Edit, ...]) -> Restoration:
    return Restoration(text, SpinEvidence(1.0, 1.0, 9, True), (), edits, (), Signature("1", "a", "b", ()))
