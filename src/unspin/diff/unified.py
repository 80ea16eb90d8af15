"""Edits as a unified patch, for `patch -p1` and `git apply`.

In comes a text with its edits in order; out goes a patch, exact to the last character: a missing final
line break, CRLF and stray separators stay as they are, since a line is what ends with "\\n", as it is
for `patch`. The changed lines follow from the edits, so nothing is compared and the time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from unspin.model import Edit

CONTEXT = 3  # unchanged lines around a change, as `diff -u` has it


class _Block(NamedTuple):
    """Lines `start` to `end` (half-open, from 0) of the original, and the lines that replace them."""

    start: int
    end: int
    lines: list[str]


def patch(text: str, edits: Iterable[Edit], *, name: str) -> str:
    """The patch that makes `text` what the edits make of it; empty if they change nothing.

    `name` is the path that the patch names, under `a/` and `b/`. The edits are in order and do not overlap.
    """
    lines = _lines(text)
    hunks = "".join(_hunks(lines, _blocks(text, edits, lines)))
    return f"--- {_path('a', name)}\n+++ {_path('b', name)}\n{hunks}" if hunks else ""


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _path(side: str, name: str) -> str:
    """A file name as GNU patch and git read it: quoted like a C string, or a tab after one with spaces."""
    path = f"{side}/{name.lstrip('/')}"
    if re.search(r'[\0-\x1f\x7f"\\]', path):
        quoted = re.sub(r'["\\]', r"\\\g<0>", path)
        return '"' + re.sub(r"[\0-\x1f\x7f]", lambda c: f"\\{ord(c.group()):03o}", quoted) + '"'
    return f"{path}\t" if " " in path else path


def _blocks(text: str, edits: Iterable[Edit], lines: Sequence[str]) -> Iterator[_Block]:
    """The changed lines, from the edits: nothing is searched for, so the time is linear."""
    number = position = 0
    for start, end, after in _whole_lines(text, edits):
        number += text.count("\n", position, start)
        first, last, new = number, number + len(_lines(text[start:end])), _lines(after)
        number, position = last, end
        head = _common(lines[first:last], new)
        tail = _common(lines[first + head : last][::-1], new[head:][::-1])
        first, last, new = first + head, last - tail, new[head : len(new) - tail]
        if first < last or new:
            yield _Block(first, last, new)


def _common(some: Sequence[str], others: Sequence[str]) -> int:
    pairs = enumerate(zip(some, others, strict=False))
    return next((i for i, (one, other) in pairs if one != other), min(len(some), len(others)))


def _whole_lines(text: str, edits: Iterable[Edit]) -> Iterator[tuple[int, int, str]]:
    """The spans of whole lines that the edits touch, and what becomes of each: whole lines, too."""
    start = done = end = 0  # the open span, and how far its new text goes
    new: list[str] = []
    for edit in edits:
        if edit.start >= end:
            if new:
                yield start, end, "".join(new) + text[done:end]
            start = done = text.rfind("\n", 0, edit.start) + 1
            new = []
        new += (text[done : edit.start], edit.after)
        done = edit.end
        if done >= end:  # otherwise the line that it ends in is known
            written = next((part for part in reversed(new) if part), "\n")
            is_whole = done == start or text[done - 1] == "\n"
            # A last line without a line break stays open even for what is added at its very end: hence + 1.
            end = done if is_whole and written[-1] == "\n" else (text.find("\n", done) + 1 or len(text) + 1)
    if new:
        yield start, end, "".join(new) + text[done:end]


def _hunks(lines: Sequence[str], blocks: Iterable[_Block]) -> Iterator[str]:
    shift = 0  # how many lines longer the new text is so far
    for near in _groups(blocks):
        hunk, grown = _hunk(lines, near, shift)
        yield hunk
        shift += grown


def _groups(blocks: Iterable[_Block]) -> Iterator[list[_Block]]:
    """Blocks whose context meets go into one hunk."""
    near: list[_Block] = []
    for block in blocks:
        if near and block.start - near[-1].end > 2 * CONTEXT:
            yield near
            near = []
        near.append(block)
    if near:
        yield near


def _hunk(lines: Sequence[str], blocks: Sequence[_Block], shift: int) -> tuple[str, int]:
    first = position = max(0, blocks[0].start - CONTEXT)
    last = min(len(lines), blocks[-1].end + CONTEXT)
    body: list[str] = []
    for block in blocks:
        body += _signed(" ", lines[position : block.start])
        body += _signed("-", lines[block.start : block.end])
        body += _signed("+", block.lines)
        position = block.end
    body += _signed(" ", lines[position:last])
    grown = sum(len(block.lines) - (block.end - block.start) for block in blocks)
    head = f"@@ -{_range(first, last - first)} +{_range(first + shift, last - first + grown)} @@\n"
    return head + "".join(body), grown


def _signed(sign: str, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield sign + line if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _range(start: int, count: int) -> str:
    if count == 1:
        return str(start + 1)
    return f"{start + 1 if count else start},{count}"
