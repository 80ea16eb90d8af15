"""Styled text in rows of a terminal. No input, no output.

In come pieces of text with their styles; out go rows no wider than asked for, measured in the columns that characters
take, and the strings that paint them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import accumulate

from rich.cells import cell_len, set_cell_size

NO_BREAK = "\xa0"  # a space at which no row ends; texts that went through `shown` have none
_JOINERS = "\u200c\u200d"  # unseen, yet words and signs are made with them


class Style(StrEnum):
    """How a piece of text is painted; the value is its ANSI code."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    BEFORE = "31;9"  # red, struck through
    AFTER = "32;4"  # green, underlined


Piece = tuple[str, Style]
Row = list[Piece]


def shown(text: str) -> str:
    """The text on one line, with a sign for every character that is not seen.

    >>> shown("a" + chr(27) + "[2J" + chr(10) + "b " + chr(0x202E) + "c")
    'a␛[2J b ⟨U+202E⟩c'
    """
    return text if text.isprintable() else "".join(map(_sign, text))


def _sign(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    if character.isspace():
        return " "
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"


def fitted(text: str, cells: int, *, end: bool = False) -> str:
    """The beginning of a text, or its end, cut at a word if it takes more than `cells` columns.

    >>> fitted("one two three", 9), fitted("one two three", 9, end=True), fitted("one two three", 13)
    ('one two …', '… three', 'one two three')
    """
    if cell_len(text) <= cells:
        return text
    room = max(0, cells - 2)
    if end:
        cut = set_cell_size(text[::-1], room)[::-1]
        whole = cut.partition(" ")[2] if len(text) > len(cut) and not text[-len(cut) - 1].isspace() else cut
        return "… " + (whole.strip() or cut.strip())
    cut = set_cell_size(text, room)
    whole = cut.rpartition(" ")[0] if not text[len(cut) : len(cut) + 1].isspace() else cut
    return (whole.strip() or cut.strip()) + " …"


def wrapped(pieces: Iterable[Piece], width: int, *, indent: int = 0, hanging: int | None = None) -> list[Row]:
    """Pieces as rows of at most `width` columns, broken between words; a word that is too long, within."""
    kept = list(pieces)
    plain = "".join(text for text, _ in kept)
    ends = list(accumulate(len(text) for text, _ in kept))
    starts = [0, *ends]
    rows: list[Row] = []
    margin = indent
    hanging = indent if hanging is None else hanging
    for start, end in _lines(plain, width - indent, width - hanging):
        row: Row = [(" " * margin, Style.PLAIN)]
        row += [
            (text[max(0, start - first) : end - first], style)
            for (text, style), first in zip(kept, starts, strict=False)
            if first < end and start < first + len(text)
        ]
        rows.append(row)
        margin = hanging
    return rows


def _lines(plain: str, first: int, others: int) -> Iterator[tuple[int, int]]:
    """The spans of lines that take no more columns than `first` and, after that one, `others`."""
    start = end = 0
    room = max(1, first)
    for word in re.finditer(r"[^ ]+", plain):
        if cell_len(plain[start : word.end()]) > room:
            if end > start:
                yield start, end
                room = max(1, others)
            start = word.start()
            while cell_len(plain[start : word.end()]) > room:
                size = max(1, len(set_cell_size(plain[start : word.end()], room).rstrip()))
                yield start, start + size
                start, room = start + size, max(1, others)
        end = word.end()
    if end > start:
        yield start, end


def painted(rows: Sequence[Row], *, colour: bool) -> list[str]:
    """Rows as strings; with ANSI codes, if in colour."""
    return [
        "".join(_paint(text, style, colour=colour) for text, style in row).rstrip().replace(NO_BREAK, " ")
        for row in rows
    ]


def _paint(text: str, style: Style, *, colour: bool) -> str:
    return f"\x1b[{style.value}m{text}\x1b[0m" if colour and style.value and text else text
