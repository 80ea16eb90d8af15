"""`unspin review status`: a ledger in; how far its review has come, and how far reviewers agree, out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from unspin.commands import options, terminal
from unspin.commands.review_ledger import ledger_option
from unspin.commands.terminal import counted, legible, product, say
from unspin.review.ledger import Ledger
from unspin.review.model import Counts

if TYPE_CHECKING:
    from rich.table import Table

    from unspin.review.status import Status


def _row(counts: Counts) -> tuple[str, ...]:
    numbers = (counts.total, counts.proposed, counts.held, counts.accepted, counts.rejected, counts.replaced)
    return tuple(f"{number:,}" for number in numbers)


_STATES = ("#all", "#proposed", "#held", "#accepted", "#rejected", "#replaced")


def _status_tables(status: Status, *, top: int, colour: bool) -> str:
    documents = terminal.table("document", *_STATES, title="By document")
    for document in status.documents[:top]:
        documents.add_row(legible(document.name), *_row(document.counts))
    if len(status.documents) > top:
        documents.add_row(f"and {len(status.documents) - top:,} more")
    documents.add_row("all", *_row(status.counts))
    entries = terminal.table("entry", *_STATES, title="By entry")
    for entry, counts in status.entries[:top]:
        name = f"{entry.spun} <- {entry.original}" if entry else "(no entry: repeated passages, debris)"
        entries.add_row(legible(name), *_row(counts))
    if len(status.entries) > top:
        entries.add_row(f"and {len(status.entries) - top:,} more")
    reviewers = terminal.table("reviewer", "#answers", title="By reviewer")
    for name, number in status.reviewers:
        reviewers.add_row(legible(name), f"{number:,}")
    shown = (documents, entries, reviewers, _agreement_table(status))
    return "\n".join(terminal.drawn(made, colour=colour) for made in shown if made.rows)


def _agreement_table(status: Status) -> Table:
    made = terminal.table("reviewers", "#both judged", "#equal", "#kappa", title="Agreement")
    for pair in status.agreement:
        try:
            kappa = pair.kappa()
        except ImportError:
            say("Cohen's kappa needs nltk: pip install 'unspin[agreement]'")
            kappa = None
        told = "-" if kappa is None else f"{kappa:.2f}"
        made.add_row(legible(f"{pair.one}, {pair.other}"), f"{pair.items:,}", f"{pair.equal:.2f}", told)
    return made


@click.command("status")
@ledger_option
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Rows of each table.")
@options.style_option("table", "json")
@options.schema_option("review-status", of="--format json")
@options.colour_option
def command(ledger: str, top: int, style: str, colour: bool | None) -> None:
    """Show how far a review has come: by document, entry and reviewer, and how far reviewers agree.

    Agreement is told where two judged the same candidates (`unspin review --second-opinion`): the share of equal
    answers, and Cohen's kappa, which is 0 for what chance would give and 1 for full agreement. Kappa needs nltk:
    pip install 'unspin[agreement]'

    \b
    Examples:
      unspin review status
      unspin review status --format json | jq .counts
    """
    with Ledger(ledger, create=False) as opened:
        status = opened.status()
    if style == "json":
        product(json.dumps(status.fields(), ensure_ascii=False) + "\n")
        return
    product(_status_tables(status, top=top, colour=terminal.wants_colour(colour)))
    if status.stale:
        say(f"no longer in force, since texts or proposals changed: {counted(status.stale, 'answer')}")
