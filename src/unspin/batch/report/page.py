"""The page itself: `Facts` in, HTML out, complete in itself; it loads nothing, and what the texts hold cannot run.

The list of documents and their diffs are packed, and unpacked by the browser when they are looked at, so that tens of
thousands of documents open at once.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from unspin.batch.report.charts import bars
from unspin.batch.report.facts import BINS, MOST_ROWS, SWAPS, Facts
from unspin.diff.pieces import visible

TOGETHER = 200  # diffs that are packed as one
_CHARTED = 15  # swaps


def page(facts: Facts, name: str) -> str:
    """`name` is the page's title. Raises UnspinError."""
    style, script = _resource("page.css"), _resource("page.js")
    return Template(_resource("page.html")).substitute(
        style=style,
        style_hash=_digest(style),
        script=script,
        script_hash=_digest(script),
        name=_escape(name),
        verdict=_verdict(facts),
        figures="".join(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in _figures(facts)),
        sections="\n".join(filter(None, _sections(facts))),
        data="\n".join(_data(facts)),
        signature=_escape(facts.settings.get("signature", "")),
    )


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _escape(text: str) -> str:
    return escape(visible(text))


def _verdict(facts: Facts) -> str:
    documents, spun = facts.counts["documents"], facts.counts["spun"]
    if not documents:
        return "No documents yet."
    return f"{spun:,} of {documents:,} documents were spun."


def _figures(facts: Facts) -> Iterator[tuple[str, str]]:
    counts = facts.counts
    yield "Documents", f"{counts['documents']:,}"
    share = counts["spun"] / max(1, counts["documents"])
    yield "Spun", f"{counts['spun']:,} <small>{share:.1%}</small>"
    yield "Words", f"{counts['words']:,}"
    yield "Swaps restored", f"{counts['swaps']:,}"
    yield "Held", f"{counts['held']:,}"
    yield "Repeated paragraphs", f"{counts['repeats']:,}"
    if counts["copies"]:
        yield "Copies", f"{counts['copies']:,}"
    yield "Errors", f"{counts['errors']:,}"
    seconds, words = (sum(getattr(run, name) for run in facts.runs) for name in ("seconds", "words"))
    if seconds and words:
        yield "Words a second", f"{words / seconds:,.0f}"


def _sections(facts: Facts) -> Iterator[str]:
    edges = [f"{n / BINS:.2f}" for n in range(BINS)]
    if sum(facts.rates) or sum(facts.confidences):
        rates = _figure("Spin rate of spun documents", "rates", edges, facts.rates, "from")
        sure = _figure("Confidence of edits", "confidences", edges, facts.confidences, "from")
        yield f'<section class="pair">{rates}{sure}</section>'
    if facts.swaps:
        top = [(f"{spun} ← {original}", count) for (spun, original), count in facts.swaps.most_common(SWAPS)]
        names = [f"{name}  {count:,}" for name, count in top[:_CHARTED]]
        counts = [count for _, count in top[:_CHARTED]]
        chart = _image("Swaps undone most often", "swaps", names, counts, flat=True)
        yield _section("Swaps", chart + _folded("Swaps", ("Spun ← original", "Times"), top, facts.swaps))
    if facts.held:
        held = [(before, after, reason, count) for (before, after, reason), count in facts.held.most_common(MOST_ROWS)]
        reasons = ", ".join(f"{count:,} for {reason}" for reason, count in facts.reasons.most_common())
        table = _folded("Held candidates", ("Text", "Best reading", "Why", "Times"), held, facts.held)
        yield _section("Held for a person", f"<p>{_escape(reasons)}.</p>{table}")
    if facts.groups:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in facts.duplicates.most_common())
        rows = [(kept, len(copies), "; ".join(copies[:20])) for kept, copies in facts.groups]
        table = _folded("Groups", ("Kept", "Copies", "Which"), rows, range(facts.counts["groups"]))
        yield _section("Duplicates", f"<p>{_escape(kinds)}.</p>{table}")
    if facts.errors:
        failed = [(row.path, row.record, row.location, row.reason) for row in facts.errors]
        total = range(facts.counts["errors"])
        yield _section("Errors", _folded("Errors", ("File", "Document", "Place", "Reason"), failed, total))
    if facts.runs:
        runs = [
            (
                f"{run.documents:,}",
                f"{run.words:,}",
                f"{run.seconds:,.1f}",
                run.jobs,
                f"{_speed(run.words, run.seconds)}",
            )
            for run in facts.runs
        ]
        heads = ("Documents", "Words", "Seconds", "Workers", "Words a second")
        yield _section("Throughput", _folded("Runs", heads, runs, facts.runs))


def _speed(words: int, seconds: float) -> str:
    return f"{words / seconds:,.0f}" if seconds else ""


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _figure(title: str, name: str, labels: Sequence[str], values: Sequence[int], head: str) -> str:
    """A chart, and its numbers in a table for those who do not see it."""
    rows = [(label, value) for label, value in zip(labels, values, strict=True) if value]
    return _image(title, name, labels, values, after=_folded("Numbers", (head.capitalize(), "Count"), rows, rows))


def _image(
    title: str, name: str, labels: Sequence[str], values: Sequence[int], *, flat: bool = False, after: str = ""
) -> str:
    alive = [visible(label) for label in labels]
    source = bars(name, alive, values, flat=flat)
    alt = f"{title}; the numbers are in the table below"
    return f'<figure><figcaption>{title}</figcaption><img src="{source}" alt="{alt}">{after}</figure>'


def _folded(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Any]], everything: Any) -> str:
    """A table that opens; numbers are set to the right. Of more rows than are shown, their count."""
    total = len(everything)
    some = f"{len(rows):,} of {total:,}" if len(rows) < total else f"{total:,}"
    figures = [all(isinstance(row[n], int) for row in rows) for n in range(len(heads))]
    marks = [' class="n"' if is_figure else "" for is_figure in figures]
    head = "".join(f'<th scope="col"{mark}>{title}</th>' for title, mark in zip(heads, marks, strict=True))
    body = "".join(f"<tr>{''.join(_cells(row, marks))}</tr>" for row in rows)
    return (
        f"<details><summary>{caption} ({some})</summary>"
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )


def _cells(row: Sequence[Any], marks: Sequence[str]) -> Iterator[str]:
    for cell, mark in zip(row, marks, strict=True):
        yield f"<td{mark}>{cell:,}</td>" if isinstance(cell, int) else f"<td{mark}>{_escape(str(cell))}</td>"


def _data(facts: Facts) -> Iterator[str]:
    """What the script reads: the list, and the diffs, some of them at a time."""
    parts = {number: place // TOGETHER for place, number in enumerate(facts.diffs)}
    yield _packed("list", _columns(facts, parts))
    numbers = list(facts.diffs)
    for part in range(0, len(numbers), TOGETHER):
        yield _packed(f"diffs-{part // TOGETHER}", {n: _shown(facts.diffs[n]) for n in numbers[part : part + TOGETHER]})


def _shown(segments: Iterable[Any]) -> list[Any]:
    return [visible(one) if isinstance(one, str) else (visible(one[0]), visible(one[1]), *one[2:]) for one in segments]


def _columns(facts: Facts, parts: dict[int, int]) -> dict[str, Any]:
    rows = [row for _, row in facts.documents]
    return {
        "total": facts.counts["documents"],
        "files": [visible(name) for name in facts.files],
        "file": [file for file, _ in facts.documents],
        "id": [visible(row.id) for row in rows],
        "words": [row.words for row in rows],
        "rate": [row.rate for row in rows],
        "evidence": [round(row.evidence, 2) for row in rows],
        "spun": [int(row.is_spun) for row in rows],
        "changed": [int(row.is_changed) for row in rows],
        "swaps": [row.swaps for row in rows],
        "held": [row.held for row in rows],
        "repeats": [row.repeats for row in rows],
        "copy": [int(row.is_copy) for row in rows],
        "error": [visible(row.error) for row in rows],
        "diff": [parts.get(number, -1) for number in range(len(rows))],
    }


def _packed(name: str, value: Any) -> str:
    """A value that the script unpacks; equal values, equal bytes."""
    data = gzip.compress(json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode(), 6, mtime=0)
    return f'<script type="application/gzip" id="{name}">{base64.b64encode(data).decode()}</script>'
