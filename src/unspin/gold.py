"""Gold: a spun text whose swaps are marked, with what each may read as.

In comes markup, `[[spun|accepted|accepted...]]` in a text that is otherwise spun text as it stands, or an
original with its spun copy; out comes `Gold`, or markup. Malformed markup, and pairs that markup cannot
express, are refused with `FormatError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz.distance import Levenshtein

from unspin.errors import FormatError

# Words keep inner periods, apostrophes and hyphens: a compound restored by half is wrong. These are not
# `unspin.text`'s finer tokens, so that figures stay comparable when those change.
_TOKEN = re.compile(r"\w+(?:[.'-]\w+)*|[^\w\s]")
_SPAN = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
_STRAIGHT = str.maketrans("\u2019\u2018\u201c\u201d", "''\"\"")  # one to one, so that offsets stay


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A swap: its code-point span in the spun text, and what it may read as ("" if it may go)."""

    start: int
    end: int
    accepted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gold:
    """A spun text as it reads, and its gold spans in order."""

    text: str
    spans: tuple[GoldSpan, ...]

    def __post_init__(self) -> None:
        edges = [edge for span in self.spans for edge in (span.start, span.end)]
        if any(a > b for a, b in pairwise([0, *edges, len(self.text)])):
            raise ValueError("gold spans must stand in order, apart, inside the text")
        if any(not self.text[span.start : span.end].strip() or not span.accepted for span in self.spans):
            raise ValueError("a gold span needs spun text and an accepted alternative")


def gold_tokens(text: str) -> list[str]:
    """The tokens that scores count, with straight quotes.

    >>> gold_tokens("Kyiv\u2019s U.S.-led side.")
    ["Kyiv's", 'U.S', '.', '-', 'led', 'side', '.']
    """
    return _TOKEN.findall(text.translate(_STRAIGHT))


def parse_markup(markup: str, *, name: str) -> Gold:
    """Gold from markup; `name` is for messages only. A blank alternative means that the phrase may go.

    Raises `FormatError` for a span that is not closed, holds another, is empty or has no alternative.

    >>> parse_markup("a [[struggle|war|conflict]]", name="example")
    Gold(text='a struggle', spans=(GoldSpan(start=2, end=10, accepted=('war', 'conflict')),))
    """
    pieces: list[str] = []
    spans: list[GoldSpan] = []
    position = length = 0
    for match in _SPAN.finditer(markup):
        spun, *accepted = match[1].split("|")
        if problem := _problem(match[1], spun, accepted):
            raise _malformed(markup, match.start(), name, problem)
        pieces += markup[position : match.start()], spun
        start = length + match.start() - position
        length, position = start + len(spun), match.end()
        spans.append(GoldSpan(start, length, tuple(accepted)))
    unclosed = markup.find("[[", position)
    if unclosed >= 0:
        raise _malformed(markup, unclosed, name, "'[[' without ']]'; close the span")
    return Gold("".join([*pieces, markup[position:]]), tuple(spans))


def _problem(inside: str, spun: str, accepted: list[str]) -> str | None:
    if "[[" in inside:
        return "'[[' opens another span before this one is closed; close it with ']]'"
    if not spun.strip():
        return "empty span; write [[spun|accepted]]"
    return None if accepted else f"no alternative for {spun!r}; write [[{spun}|accepted]]"


def _malformed(markup: str, offset: int, name: str, problem: str) -> FormatError:
    line = markup.count("\n", 0, offset) + 1
    return FormatError(name, problem, line=line, column=offset - markup.rfind("\n", 0, offset))


def markup_from_pair(original: str, spun: str, *, name: str = "pair") -> str:
    """Gold markup from an original and its spun copy whose lines correspond.

    Each run of differing tokens becomes one span with one alternative. A pure insertion or deletion takes an
    equal neighbour in, so that neither side is empty. Case, curly quotes and white space are no difference.

    Raises `FormatError` for what markup cannot express: unequal numbers of lines, a line with text on one
    side only, or brackets and bars that would read as markup. The caller drops such a pair.

    >>> markup_from_pair("The war goes on.", "The struggle continues.")
    'The [[struggle continues|war goes on]].'
    """
    olds, news = original.split("\n"), spun.split("\n")
    if len(olds) != len(news):
        raise FormatError(name, f"{len(olds)} lines against {len(news)}; lines must correspond")
    lines = enumerate(zip(olds, news, strict=True), 1)
    return "\n".join(_marked(old, new, name=name, line=line) for line, (old, new) in lines)


def gold_from_pair(original: str, spun: str, *, cased: bool = False) -> Gold:
    """Gold from an original and its spun copy, whatever they are: each run of differing tokens is a span.

    Insertions and deletions take an equal neighbour in, so that a passage that is to go is one span. Curly quotes and
    white space are no difference, nor is case unless `cased`. Raises ValueError if only the original has words.

    >>> gold_from_pair("It ended.", "It ended. It ended.").spans
    (GoldSpan(start=8, end=19, accepted=('.',)),)
    """
    new, old = (list(_TOKEN.finditer(side.translate(_STRAIGHT))) for side in (spun, original))
    keys = ([m[0] if cased else m[0].lower() for m in side] for side in (new, old))
    spans = []
    for a0, a1, b0, b1 in _differences(*keys):
        if a0 == a1:
            raise ValueError("the spun text has no words, and the original has some")
        accepted = original[old[b0].start() : old[b1 - 1].end()] if b0 < b1 else ""
        spans.append(GoldSpan(new[a0].start(), new[a1 - 1].end(), (accepted,)))
    return Gold(spun, tuple(spans))


def _marked(original: str, spun: str, *, name: str, line: int) -> str:
    new, old = (list(_TOKEN.finditer(side.translate(_STRAIGHT))) for side in (spun, original))
    pieces: list[str] = []
    position = 0
    for a0, a1, b0, b1 in _differences([m[0].lower() for m in new], [m[0].lower() for m in old]):
        if a0 == a1 or b0 == b1:
            raise FormatError(name, "text on one side only; lines must correspond", line=line)
        start, end = new[a0].start(), new[a1 - 1].end()
        sides = f"{spun[start:end]}|{original[old[b0].start() : old[b1 - 1].end()]}"
        # Not only "[[" and "]]": a bracket at the edge of a span would melt with the span's own.
        if re.search(r"[\[\]]|\|.*\|", sides) or spun[position:start].endswith("["):
            raise FormatError(name, "brackets or bars that would read as markup", line=line, column=start + 1)
        pieces += spun[position:start], f"[[{sides}]]"
        position = end
    if "[[" in spun:
        raise FormatError(name, "'[[' would read as markup", line=line, column=spun.index("[[") + 1)
    return "".join([*pieces, spun[position:]])


def _differences(new: list[str], old: list[str]) -> list[list[int]]:
    """Differing runs as [new start, new end, old start, old end], no side empty where that can be."""
    ops = Levenshtein.opcodes(new, old)
    runs = _joined([o.src_start, o.src_end, o.dest_start, o.dest_end] for o in ops if o.tag != "equal")
    for run in runs:
        a0, a1, b0, b1 = run
        if a0 < a1 and b0 < b1:
            continue
        # The word before, rather than a full stop or a comma; failing that, what there is.
        if a0 > 0 and (new[a0 - 1][-1].isalnum() or a1 == len(new)):
            run[:] = a0 - 1, a1, b0 - 1, b1
        elif a1 < len(new):
            run[:] = a0, a1 + 1, b0, b1 + 1
    return _joined(runs)


def _joined(runs: Iterable[list[int]]) -> list[list[int]]:
    """Runs with nothing between them made one."""
    joined: list[list[int]] = []
    for run in runs:
        if joined and run[0] <= joined[-1][1]:
            joined[-1][1::2] = max(joined[-1][1], run[1]), max(joined[-1][3], run[3])
        else:
            joined.append(run)
    return joined
