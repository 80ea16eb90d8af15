"""Markdown: the words of its headings, paragraphs, list items, quotations, tables and links, where they stand.

In comes CommonMark, with tables and strikethrough as GitHub has them, read by markdown-it; out goes a `Prose` in
which code blocks, HTML, link targets, front matter and the marks of emphasis are hidden, and list markers, number
signs and inline code protected. A line break inside a paragraph is a space. Nothing is refused.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from markdown_it import MarkdownIt, rules_inline
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from unspin.formats.page import shown
from unspin.formats.prose import HIDDEN, Prose

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_FRONT_MATTER = re.compile(r"\ufeff?(---|\+\+\+)[ \t]*\r?\n(?:.*?\r?\n)??(?:\1|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_PROTECTED = re.compile(b"\1+")
_MARKS = "unspin.marks"  # in markdown-it's environment, which hands on what it does not know
_Rule = Callable[[StateInline, bool], bool]


class _Mark(NamedTuple):
    """What is shown at `start` to `end` of a run of inline text, and whether it is protected."""

    start: int
    end: int
    shown: str
    is_protected: bool = False


# What each rule leaves of the text that it took, from `start` to the state's position.


def _hidden(state: StateInline, start: int) -> Iterator[_Mark]:
    yield _Mark(start, state.pos, HIDDEN * (state.pos - start))


def _kept(state: StateInline, start: int) -> Iterator[_Mark]:
    yield _Mark(start, state.pos, state.src[start : state.pos], is_protected=True)


def _delimiter(state: StateInline, start: int) -> Iterator[_Mark]:
    """A run of marks, unless it stands where none can be, as in snake_case."""
    if state.delimiters and (state.delimiters[-1].open or state.delimiters[-1].close):
        yield from _hidden(state, start)


def _entity(state: StateInline, start: int) -> Iterator[_Mark]:
    yield _Mark(start, state.pos, shown(state.src[start : state.pos]))


def _escape(state: StateInline, start: int) -> Iterator[_Mark]:
    yield _Mark(start, start + 1, HIDDEN)


def _newline(state: StateInline, start: int) -> Iterator[_Mark]:
    if not state.src.endswith("  ", 0, start):  # which break the line for the reader, too
        yield _Mark(start, start + 1, " ")


def _link(state: StateInline, start: int) -> Iterator[_Mark]:
    """All but the label, which was read by then."""
    label_end = state.md.helpers.parseLinkLabel(state, start, True)
    yield _Mark(start, start + 1, HIDDEN)
    yield _Mark(label_end, state.pos, HIDDEN * (state.pos - label_end))


_RULES: tuple[tuple[str, _Rule, Callable[[StateInline, int], Iterator[_Mark]]], ...] = (
    ("newline", rules_inline.newline, _newline),
    ("escape", rules_inline.escape, _escape),
    ("backticks", rules_inline.backtick, _kept),
    ("strikethrough", rules_inline.strikethrough.tokenize, _delimiter),
    ("emphasis", rules_inline.emphasis.tokenize, _delimiter),
    ("link", rules_inline.link, _link),
    ("image", rules_inline.image, _hidden),
    ("autolink", rules_inline.autolink, _kept),
    ("html_inline", rules_inline.html_inline, _hidden),
    ("entity", rules_inline.entity, _entity),
)


def _recorded(rule: _Rule, marks: Callable[[StateInline, int], Iterator[_Mark]]) -> _Rule:
    """The rule, which also says where it found something; markdown-it does not keep that."""

    def run(state: StateInline, silent: bool) -> bool:
        start = state.pos
        found = rule(state, silent)
        source, kept = state.env[_MARKS]
        if found and not silent and state.src is source:  # and not the description of an image
            kept.extend(marks(state, start))
        return found

    return run


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("inline")
    for name, rule, marks in _RULES:
        parser.inline.ruler.at(name, _recorded(rule, marks))
    return parser


def prose(source: str) -> Prose:
    """The words of a text in Markdown."""
    parser, page = _parser(), _Page(source)
    references: dict[str, object] = {}
    found = parser.parse(page.body, references)
    for before, token in zip([None, *found], found, strict=False):
        if token.type == "inline" and token.map:
            marks: list[_Mark] = []
            parser.inline.parse(token.content, parser, references | {_MARKS: (token.content, marks)}, [])
            is_cell = before is not None and before.type in ("th_open", "td_open")
            page.show(token, marks, is_cell=is_cell)
    return page.prose()


class _Page:
    """A text whose words are found bit by bit: what is not found stays hidden."""

    def __init__(self, source: str) -> None:
        self.source = source
        lines = [line for line in _LINES.findall(source) if line]
        self._starts = [0, *accumulate(map(len, lines))]
        self._texts = [line.rstrip("\r\n") for line in lines]
        self._chars = list(source)
        self._protected = bytearray(b"\1") * len(source)
        self._read: dict[int, int] = {}  # per line with words, where they end
        matter = _FRONT_MATTER.match(source)
        skipped = bisect_right(self._starts, matter.end() - 1) if matter else 0
        self.body = "\n" * skipped + "\n".join(self._texts[skipped:]).removeprefix("\ufeff")

    def show(self, token: Token, marks: list[_Mark], *, is_cell: bool) -> None:
        """Show a run of inline text, less what is marked."""
        assert token.map
        text, protected = list(token.content), bytearray(len(token.content))
        for mark in marks:
            text[mark.start : mark.end] = mark.shown
            protected[mark.start : mark.end] = bytes([mark.is_protected]) * (mark.end - mark.start)
        position = 0
        for number, line in enumerate(token.content.split("\n"), start=token.map[0]):
            end = position + len(line)
            self._place(number, line, text[position:end], protected[position:end], is_cell=is_cell)
            if position and text[position - 1] == " ":
                self._join(number, line)
            position = end + 1

    def _place(self, number: int, line: str, shown: list[str], protected: bytearray, *, is_cell: bool) -> None:
        """Put a line of inline text where it stands in its line of the source; what stands before it is protected."""
        whole, cursor = self._texts[number], self._read.get(number, 0)
        at = whole.find(line, cursor) if is_cell else whole.rfind(line)
        self._read[number] = max(cursor, at + len(line))
        if at < 0:  # tabs were made spaces, or a cell's "\|" a "|"
            return
        start = self._starts[number] + at
        self._chars[start : start + len(line)] = shown
        self._protected[start : start + len(line)] = protected

    def _join(self, number: int, line: str) -> None:
        """The line break before a line is a space; what stands between it and the words is no word."""
        start, after = self._starts[number - 1] + len(self._texts[number - 1]), self._starts[number]
        prefix = self._texts[number][: max(0, self._texts[number].rfind(line))]
        end = after + len(prefix)
        self._chars[start:end] = " " * (after - start) + "".join(c if c.isspace() else HIDDEN for c in prefix)
        self._protected[start:end] = bytes(end - start)

    def prose(self) -> Prose:
        """What was found."""
        for number, text in enumerate(self._texts):
            if number not in self._read:
                start = self._starts[number]
                self._chars[start : start + len(text)] = HIDDEN * len(text)
        spans = tuple(match.span() for match in _PROTECTED.finditer(self._protected))
        return Prose(self.source, "".join(self._chars), spans)
