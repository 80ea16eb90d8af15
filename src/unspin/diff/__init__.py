"""A restoration as something to read or to replay: words, a patch, a page, or JSON Lines.

In comes a `Restoration`; out goes a string, empty where a style has nothing to say (a patch or the
JSON Lines of a text without edits). All styles tell of the same changes, removed paragraphs among
them. Refused, by `EditConflict`: edits that make no cleaned text.

`words` and `html` are for people, so characters that could deceive a reader or drive a terminal
(control characters, bidirectional overrides) are shown as visible signs there. `unified` and `json`
are for programs and quote the text exactly.
"""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from unspin.diff.json_lines import json_lines
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


def render(restoration: Restoration, *, style: DiffStyle, name: str = "text", colour: bool = False) -> str:
    """Show what a restoration changes.

    `name` is what the text is called: the path in a patch, the title of a page. `colour` adds ANSI
    colours to `words` and means nothing to the other styles; whether the reader wants them is the
    caller's question. Raises `EditConflict` where `unspin.edit.cleaned` does.
    """
    match style:
        case DiffStyle.WORDS:
            return words(restoration, colour=colour)
        case DiffStyle.UNIFIED:
            return patch(restoration.original, changes(restoration), name=name)
        case DiffStyle.HTML:
            return page(restoration, name)
        case DiffStyle.JSON:
            return json_lines(changes(restoration))
        case _:
            assert_never(style)
