"""`unspin lexicon suggest`: what a review says about a lexicon, as a patch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unspin.commands import examples
from unspin.commands.terminal import counted, product, say
from unspin.diff.unified import patch
from unspin.edit import apply
from unspin.files import exists, read_text, write_atomic
from unspin.lexicon import DEFAULT, find, read
from unspin.model import DecidedBy, Edit, Status

if TYPE_CHECKING:
    from unspin.review.suggest import Suggestion


def _told(path: Path, found: list[Suggestion], sentences: int) -> str:
    changed = [one for one in found if one.old]
    parts = [counted(len(found) - len(changed), "new entry", "new entries")]
    parts += [f"{sum(one.new.status is status for one in changed):,} to {status}" for status in Status]
    return f"{path}: {', '.join(parts)}; {counted(sentences, 'negative example')}"


@click.command("suggest")
@click.argument("lexicon", default=DEFAULT)
@click.option("--from", "ledger", default="unspin.db", show_default=True, metavar="FILE|URL", help="The ledger.")
@click.option("--write", is_flag=True, help="Change the lexicon, and the examples beside it, in place.")
def suggest_command(lexicon: str, ledger: str, write: bool) -> None:
    """Learn from a review: propose changes to a lexicon, as a patch.

    Entries that reviewers mostly accept become `auto`, those that they mostly reject `review` or `off`; pairs that they
    typed become new entries (source: review), and sentences with false alarms become examples that must be left
    alone. Each change has a comment with what was counted and two sentences. Few answers change nothing.

    \b
    Examples:
      unspin lexicon suggest mine.tsv --from unspin.db
      unspin lexicon suggest mine.tsv --from unspin.db | git apply
      unspin lexicon suggest mine.tsv --write && unspin lexicon check mine.tsv
    """
    from unspin.review.ledger import Ledger  # brings a database, which other commands of lexicons do not need
    from unspin.review.suggest import changes, negative_examples, suggestions

    path = find(lexicon)
    _, lines = read(path)
    with Ledger(ledger, create=False) as opened:
        lessons = opened.lessons()
    found = list(suggestions(lines, lessons))
    text, beside = path.read_text(encoding="utf-8"), examples.beside(path)
    edits = changes(text, found)
    present = read_text(beside) if exists(beside) else ""
    added = negative_examples(present, lessons)
    further = [Edit(len(present), len(present), "", added, None, 1.0, DecidedBy.REVIEWER)] if added else []
    for file, before, change in ((path, text, edits), (beside, present, further)):
        if write and change:
            write_atomic(file, apply(before, change).encode())
        elif change:
            product(patch(before, change, name=str(file)))
    say(_told(path, found, sum(bool(row.strip()) and not row.startswith("#") for row in added.splitlines())))
