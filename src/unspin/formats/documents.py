"""Files that are one text each: plain text, Markdown, pages.

In comes an input; out comes one record, or a failure if it is too large, breaks off, is no text or, of a page, has no
main text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from unspin.errors import InputError
from unspin.files import SourceText, decode
from unspin.formats import page
from unspin.formats.model import Failure, Format, HtmlMode, Reading, Record
from unspin.formats.prose import Prose
from unspin.formats.streams import Broken, Input


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that is one text; `encoding` is what it came in, `is_guessed` if nothing in it says so."""

    encoding: str
    is_guessed: bool

    def fields(self) -> Mapping[str, Any]:
        return {}

    def rewritten(self, text: str) -> str:
        """The file with another text."""
        return text


def records(opened: Input, kind: Format, reading: Reading) -> Iterator[Record | Failure]:
    """The one record of an input."""
    name = opened.source.name
    try:
        found = _text(opened, kind, reading)
        origin = Whole(found.encoding, found.is_guessed)
        yield Record(name, 0, _prose(found.text, kind, reading.html, name), origin)
    except InputError as error:
        yield Failure(name, 0, "", error.problem)
    except Broken as error:
        yield Failure(name, 0, f"byte {error.position}", error.reason)


def _text(opened: Input, kind: Format, reading: Reading) -> SourceText:
    with opened.opened() as stream:
        data = stream.read(reading.limit + 1)
    if len(data) > reading.limit:
        raise InputError(opened.source.name, f"larger than {reading.limit:,} bytes")
    if opened.is_changed:
        raise InputError(opened.source.name, "changed while it was read; try again")
    declared = page.declared(data) if kind is Format.HTML else ""
    return decode(data, name=opened.source.name, encoding=reading.encoding, declared=declared)


def _prose(text: str, kind: Format, html: HtmlMode, name: str) -> Prose:
    if kind is Format.MARKDOWN:
        from unspin.formats import markdown  # whose parser takes as long to import as all the rest

        return markdown.prose(text)
    if kind is Format.HTML and html is HtmlMode.INPLACE:
        return page.prose(text)
    if kind is Format.HTML:
        if main := page.main_text(text):
            return Prose.plain(main)
        raise InputError(name, "no main text in this page")
    return Prose.plain(text)
