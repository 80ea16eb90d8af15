"""A stand-alone page: the article with its changes, removed passages folded, tables of edits and of what is held.

In comes a `Restoration`; out goes HTML that loads nothing and runs nothing. Characters that could deceive a
reader are shown as visible signs.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from itertools import count
from string import Template
from typing import assert_never

from unspin.diff.pieces import Piece, Removed, pieces, readings, visible
from unspin.model import DecidedBy, Edit, Held, Restoration

_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")  # what ends a paragraph, as in `unspin.text`


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def page(restoration: Restoration, name: str) -> str:
    """`name` is the page's title. Raises EditConflict."""
    style = _resource("page.css")
    shown = list(pieces(restoration))
    return Template(_resource("page.html")).substitute(
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        name=_escape(name),
        verdict="This text was spun." if restoration.spin.is_spun else "This text shows no sign of spinning.",
        figures="".join(
            f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in _figures(restoration, shown)
        ),
        article="\n".join(_blocks_of(shown)),
        tables=_table(
            "Edits",
            "e",
            ("Before", "After", "Confidence", "Lexicon entry", "Source", "Decided by"),
            [_edit_row(piece) for piece in shown if isinstance(piece, Edit)],
        )
        + _table(
            "Held for review",
            "h",
            ("Text", "Why", "Options"),
            [_held_row(piece) for piece in shown if isinstance(piece, Held)],
        ),
        signature=_escape(str(restoration.signature)),
    )


def _escape(text: str) -> str:
    return escape(visible(text))


def _figures(restoration: Restoration, shown: Sequence[Piece]) -> Iterator[tuple[str, str]]:
    spin = restoration.spin
    edits = [piece for piece in shown if isinstance(piece, Edit)]
    mended = sum(edit.decided_by in (DecidedBy.AGREEMENT, DecidedBy.DEBRIS) for edit in edits)
    yield "Spin rate", f"{spin.rate:.0%}"
    yield "Evidence per word", f"{spin.evidence:.2f} <small>nats</small>"
    yield "Words", f"{spin.words:,}"
    yield "Swaps restored", f"{len(edits) - mended:,}" + (f" <small>+ {mended:,} mended</small>" if mended else "")
    yield "Held", f"{sum(isinstance(piece, Held) for piece in shown):,}"
    yield "Paragraphs removed", f"{sum(isinstance(piece, Removed) for piece in shown):,}"
    if restoration.siblings:
        yield "Siblings read along", f"{len(restoration.siblings):,}"


def _blocks_of(shown: Iterable[Piece]) -> Iterator[str]:
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

    def plain(text: str) -> Iterator[str]:
        first, *others = _BREAK.split(text)
        line.append(_escape(first))
        for other in others:
            yield from finished()
            line.append(_escape(other))

    for piece in shown:
        match piece:
            case str():
                yield from plain(piece)
            case Removed():
                before, _, after = piece.parts
                yield from plain(before)
                yield from finished()
                number = piece.number
                yield _folded(piece)
                yield from plain(after)
            case Edit():
                line.append(_inline_edit(piece, next(edits)))
            case Held():
                line.append(_inline_held(piece, next(held)))
            case _:
                assert_never(piece)
    yield from finished()


def _folded(removed: Removed) -> str:
    kept = f'<a href="#p{removed.repeats}">Go to paragraph {removed.repeats}</a>, which is kept.'
    return (
        f'<details class="removed" id="p{removed.number}">'
        f"<summary>Paragraph {removed.number} removed: {removed}</summary>"
        f"<p><del>{_escape(removed.parts[1])}</del></p><p>{kept}</p></details>"
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


def _inline_held(held: Held, number: int) -> str:
    title = "\n".join((f"held ({held.reason}); options:", *readings(held)))
    return f'<mark id="h{number}" title="{_escape(title)}">{_escape(held.candidate.before)}</mark>'


def _edit_row(edit: Edit) -> tuple[str, ...]:
    entry = f"{edit.entry.spun} ← {edit.entry.original}" if edit.entry else "—"
    source = edit.entry.source if edit.entry else ""
    decided = "; ".join((edit.decided_by.value, *_attested(edit)))
    return edit.before, edit.after, f"{edit.confidence:.2f}", entry, source or "—", decided


def _held_row(held: Held) -> tuple[str, ...]:
    return held.candidate.before, held.reason.value, " · ".join(readings(held))


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
