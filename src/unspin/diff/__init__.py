"""A restoration as something to read, to replay, or to hand to other programs, in one of seven styles.

In comes a `Restoration`; out goes a string, or the bytes of a Word document; a patch and the JSON Lines of a text
without edits are empty. All styles tell of the same changes, removed paragraphs among them. Refused, by
`EditConflict`: edits that make no cleaned text.

`words` and `html` are for people, so characters that could deceive a reader or drive a terminal
(control characters, bidirectional overrides) are shown as visible signs there. The others hold the text exactly,
as far as their format can; their modules say how far.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal, assert_never, overload

from unspin.diff.docx import docx
from unspin.diff.json_lines import json_lines
from unspin.diff.m2 import m2
from unspin.diff.markdown import markdown
from unspin.diff.page import page
from unspin.diff.pieces import changes
from unspin.diff.unified import patch
from unspin.diff.words import words
from unspin.model import Restoration


class DiffStyle(StrEnum):
    """How a restoration is shown."""

    WORDS = "words"  # the article, changes inline
    UNIFIED = "unified"  # a patch
    HTML = "html"  # a stand-alone page
    JSON = "json"  # one edit per line
    DOCX = "docx"  # tracked changes
    MARKDOWN = "markdown"  # CriticMarkup
    M2 = "m2"  # sentences and edits in tokens


TextStyle = Literal[
    DiffStyle.WORDS, DiffStyle.UNIFIED, DiffStyle.HTML, DiffStyle.JSON, DiffStyle.MARKDOWN, DiffStyle.M2
]


@overload
def render(
    restoration: Restoration, *, style: TextStyle, name: str = ..., colour: bool = ..., date: datetime | None = ...
) -> str: ...
@overload
def render(
    restoration: Restoration,
    *,
    style: Literal[DiffStyle.DOCX],
    name: str = ...,
    colour: bool = ...,
    date: datetime | None = ...,
) -> bytes: ...
@overload
def render(
    restoration: Restoration, *, style: DiffStyle, name: str = ..., colour: bool = ..., date: datetime | None = ...
) -> str | bytes: ...
def render(
    restoration: Restoration,
    *,
    style: DiffStyle,
    name: str = "text",
    colour: bool = False,
    date: datetime | None = None,
) -> str | bytes:
    """Show what a restoration changes: bytes for `docx`, a string for every other style.

    `name` is what the text is called: the path in a patch, the title of a page or a document. `colour` adds ANSI
    colours to `words`; whether the reader wants them is the caller's question. `date` (UTC) is when the changes
    of a `docx` are said to be made; without one they bear none. Raises `EditConflict` where `unspin.edit.cleaned`
    does.
    """
    match style:
        case DiffStyle.WORDS:
            return words(restoration, colour=colour)
        case DiffStyle.UNIFIED:
            return patch(restoration.original, changes(restoration), name=name)
        case DiffStyle.HTML:
            return page(restoration, name)
        case DiffStyle.JSON:
            return json_lines(restoration)
        case DiffStyle.DOCX:
            return docx(restoration, name=name, date=date)
        case DiffStyle.MARKDOWN:
            return markdown(restoration)
        case DiffStyle.M2:
            return m2(restoration)
        case _:
            assert_never(style)
