"""A restoration as something to read or to replay: words, a patch, a page, or JSON Lines.

In comes a `Restoration`; out goes a string, empty where a style has nothing to say (a patch or the
JSON Lines of a text without edits). All styles tell of the same changes, removed paragraphs among
them. Refused, by `EditConflict`: edits that make no cleaned text.

`words` and `html` are for people, so characters that could deceive a reader or drive a terminal
(control characters, bidirectional overrides) are shown as visible signs there. `unified` and `json`
are for programs and quote the text exactly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from html import escape
from importlib.resources import files
from itertools import count
from operator import attrgetter
from string import Template
from typing import NamedTuple, assert_never

import click

from unspin.edit import apply, removals
from unspin.model import DecidedBy, DuplicateGroup, Edit, Held, Repeat, Restoration
from unspin.patch import patch

# Code points that act instead of being seen: C0 (tab and line breaks apart), DEL, C1, bidi overrides.
_DECEPTIVE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")
_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")  # what ends a paragraph, as in `unspin.text`
# JSON allows these raw, yet they end a line for many readers of JSON Lines.
_JSON_BREAKS = str.maketrans({c: f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"})


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
            return "".join(_word_piece(piece, colour=colour) for piece in _pieces(restoration))
        case DiffStyle.UNIFIED:
            return patch(restoration.original, _changes(restoration), name=name)
        case DiffStyle.HTML:
            return _page(restoration, name)
        case DiffStyle.JSON:
            return "".join(map(_json_line, _changes(restoration)))
        case _:
            assert_never(style)


def schema() -> str:
    """The JSON Schema (draft 2020-12) of one line of the `json` style."""
    return _resource("edits.schema.json")


def _resource(name: str) -> str:
    return files("unspin").joinpath(name).read_text(encoding="utf-8")


# What changes


class _Removed(NamedTuple):
    """A repeated passage on its way out; `number` and `repeats` count paragraphs from 1."""

    repeat: Repeat
    text: str
    number: int
    repeats: int

    def __str__(self) -> str:
        return f"repeats paragraph {self.repeats} ({self.repeat.kind}, score {self.repeat.score:.2f})"


_Piece = str | Edit | Held | _Removed


def _changes(restoration: Restoration) -> list[Edit]:
    """The removals and the edits, in order; together they make the cleaned text."""
    text = restoration.original
    edits = sorted((*removals(restoration.duplicates, text), *restoration.edits), key=attrgetter("start"))
    apply(text, edits)  # for its refusals: a diff of edits that do not fit would lie
    return edits


def _pieces(restoration: Restoration) -> Iterator[_Piece]:
    """The original text cut at its changes and at the held candidates that touch none of them."""
    text = restoration.original
    removed = _removed(text, restoration.duplicates)
    position = 0
    for mark in _marks(_changes(restoration), restoration.held):
        start, end = _span(mark)
        if start < position:
            continue  # of held candidates that overlap, the first is shown
        yield text[position:start]
        position = end
        if isinstance(mark, Held) or mark.decided_by is not DecidedBy.DUPLICATE:
            yield mark
            continue
        while removed and removed[-1].repeat.start < end:
            passage = removed.pop()
            yield text[start : passage.repeat.start]  # line breaks that go with it; they keep its line apart
            yield passage
            start = passage.repeat.end
        yield text[start:end]
    yield text[position:]


def _marks(edits: Sequence[Edit], held: Iterable[Held]) -> list[Edit | Held]:
    starts = [edit.start for edit in edits]

    def is_free(start: int, end: int) -> bool:
        before = bisect_left(starts, end)
        return before == 0 or edits[before - 1].end <= start

    return sorted([*edits, *(h for h in held if is_free(*_span(h)))], key=_span)


def _span(mark: Edit | Held) -> tuple[int, int]:
    place = mark.candidate if isinstance(mark, Held) else mark
    return place.start, place.end


def _removed(text: str, groups: Iterable[DuplicateGroup]) -> list[_Removed]:
    """All repeats, the last first."""
    starts, position = [], 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            starts.append(position)
        position += len(line)
    found = [
        _Removed(r, text[r.start : r.end], bisect_right(starts, r.start), bisect_right(starts, group.start))
        for group in groups
        for r in group.repeats
    ]
    return sorted(found, key=lambda removed: removed.number, reverse=True)


def _visible(text: str) -> str:
    """The text with every deceptive character replaced by a sign for it: U+001B by its picture."""
    return _DECEPTIVE.sub(_sign, text)


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"


# words


def _word_piece(piece: _Piece, *, colour: bool) -> str:
    match piece:
        case str():
            return _visible(piece)
        case Held():
            return _visible(piece.candidate.before)  # it changes nothing
        case _Removed():
            note = f"[-- paragraph removed: {piece} --]"
            return click.style(note, fg="red") if colour else note
        case Edit():
            before, after = _visible(piece.before), _visible(piece.after)
            if colour:
                deleted = click.style(before, fg="red", strikethrough=True)
                inserted = click.style(after, fg="green", underline=True)
            else:
                deleted, inserted = f"[-{before}-]", f"{{+{after}+}}"
            return (deleted if before else "") + (inserted if after else "")
        case _:
            assert_never(piece)


# json


def _json_line(edit: Edit) -> str:
    entry = edit.entry
    keys = ("spun", "original", "rate", "source")
    line = {
        "start": edit.start,
        "end": edit.end,
        "before": edit.before,
        "after": edit.after,
        "entry": {key: getattr(entry, key) for key in keys} if entry else None,
        "confidence": edit.confidence,
        "decided_by": edit.decided_by.value,
    }
    if edit.attested_by:
        line["attested_by"] = [asdict(copy) for copy in edit.attested_by]
    return json.dumps(line, ensure_ascii=False).translate(_JSON_BREAKS) + "\n"


# html


def _page(restoration: Restoration, name: str) -> str:
    style = _resource("diff.css")
    pieces = list(_pieces(restoration))
    return Template(_resource("diff.html")).substitute(
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        name=_escape(name),
        verdict="This text was spun." if restoration.spin.is_spun else "This text shows no sign of spinning.",
        figures="".join(
            f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in _figures(restoration, pieces)
        ),
        article="\n".join(_blocks_of(pieces)),
        tables=_table(
            "Edits",
            "e",
            ("Before", "After", "Confidence", "Lexicon entry", "Source", "Decided by"),
            [_edit_row(piece) for piece in pieces if isinstance(piece, Edit)],
        )
        + _table(
            "Held for review",
            "h",
            ("Text", "Why", "Options"),
            [_held_row(piece) for piece in pieces if isinstance(piece, Held)],
        ),
        signature=_escape(str(restoration.signature)),
    )


def _escape(text: str) -> str:
    return escape(_visible(text))


def _figures(restoration: Restoration, pieces: Sequence[_Piece]) -> Iterator[tuple[str, str]]:
    spin = restoration.spin
    edits = [piece for piece in pieces if isinstance(piece, Edit)]
    mended = sum(edit.decided_by in (DecidedBy.AGREEMENT, DecidedBy.DEBRIS) for edit in edits)
    yield "Spin rate", f"{spin.rate:.0%}"
    yield "Evidence per word", f"{spin.evidence:.2f} <small>nats</small>"
    yield "Words", f"{spin.words:,}"
    yield "Swaps restored", f"{len(edits) - mended:,}" + (f" <small>+ {mended:,} mended</small>" if mended else "")
    yield "Held", f"{sum(isinstance(piece, Held) for piece in pieces):,}"
    yield "Paragraphs removed", f"{sum(isinstance(piece, _Removed) for piece in pieces):,}"
    if restoration.siblings:
        yield "Siblings read along", f"{len(restoration.siblings):,}"


def _blocks_of(pieces: Iterable[_Piece]) -> Iterator[str]:
    """The article's paragraphs; a line break ends one, a removed one stands folded."""
    line: list[str] = []
    number = 0  # of the paragraph last finished
    edits, held = count(1), count(1)

    def finished() -> Iterator[str]:
        nonlocal number
        if "".join(line).strip():
            number += 1
            yield f'<p id="p{number}">{"".join(line)}</p>'
        line.clear()

    for piece in pieces:
        match piece:
            case str():
                first, *others = _BREAK.split(piece)
                line.append(_escape(first))
                for other in others:
                    yield from finished()
                    line.append(_escape(other))
            case _Removed():
                yield from finished()
                number = piece.number
                yield _folded(piece)
            case Edit():
                line.append(_inline_edit(piece, next(edits)))
            case Held():
                line.append(_inline_held(piece, next(held)))
            case _:
                assert_never(piece)
    yield from finished()


def _folded(removed: _Removed) -> str:
    kept = f'<a href="#p{removed.repeats}">Go to paragraph {removed.repeats}</a>, which is kept.'
    return (
        f'<details class="removed" id="p{removed.number}">'
        f"<summary>Paragraph {removed.number} removed: {removed}</summary>"
        f"<p><del>{_escape(removed.text)}</del></p><p>{kept}</p></details>"
    )


def _inline_edit(edit: Edit, number: int) -> str:
    source = f" (source: {edit.entry.source})" if edit.entry and edit.entry.source else ""
    entry = f"{edit.entry.spun} ← {edit.entry.original}{source}\n" if edit.entry else ""
    title = "\n".join((f"{entry}confidence {edit.confidence:.2f}, decided by {edit.decided_by}", *_attested(edit)))
    parts = (("del", edit.before), ("ins", edit.after))
    inner = "<wbr>".join(f"<{tag}>{_escape(text)}</{tag}>" for tag, text in parts if text)
    return f'<span id="e{number}" class="{_strength(edit.confidence)}" title="{_escape(title)}">{inner}</span>'


def _attested(edit: Edit) -> Iterator[str]:
    return (f"{copy.sibling} has “{copy.text}”" for copy in edit.attested_by)


def _strength(confidence: float) -> str:
    return "sure" if confidence >= 0.95 else "likely" if confidence >= 0.8 else "unsure"


def _options(held: Held) -> list[str]:
    return [f"{option.after} {option.posterior:.2f}" for option in held.candidate.options]


def _inline_held(held: Held, number: int) -> str:
    title = "\n".join((f"held ({held.reason}); options:", *_options(held)))
    return f'<mark id="h{number}" title="{_escape(title)}">{_escape(held.candidate.before)}</mark>'


def _edit_row(edit: Edit) -> tuple[str, ...]:
    entry = f"{edit.entry.spun} ← {edit.entry.original}" if edit.entry else "—"
    source = edit.entry.source if edit.entry else ""
    decided = "; ".join((edit.decided_by.value, *_attested(edit)))
    return edit.before, edit.after, f"{edit.confidence:.2f}", entry, source or "—", decided


def _held_row(held: Held) -> tuple[str, ...]:
    return held.candidate.before, held.reason.value, " · ".join(_options(held))


def _table(caption: str, anchor: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A folded list of what is marked in the article, each row linked to its mark; empty for no rows."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{title}</th>' for title in ("Place", *heads))
    body = "\n".join(
        f'<tr><td><a href="#{anchor}{number}">{number}</a></td>'
        + "".join(f"<td>{_escape(cell)}</td>" for cell in row)
        + "</tr>"
        for number, row in enumerate(rows, 1)
    )
    return (
        f"<details><summary>{caption} ({len(rows):,})</summary>"
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div></details>\n"
    )
