"""What a ledger suggests for one lexicon file.

In come a ledger and the path of a lexicon, which may not be there yet; out go the changes, and the file's edits that
make them. Refused: by LexiconError or InputError, a file that is no lexicon; by LedgerError, a ledger that fails.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from unspin.files import exists
from unspin.lexicon import Line, read
from unspin.model import Edit, Entry
from unspin.review.evidence import Heard, Key, hear, occurrences
from unspin.review.ledger import Ledger
from unspin.review.overlay import key_of, rows_of
from unspin.review.patching import edits
from unspin.review.suggest import ANSWERS, Change, Refused, is_fresh, suggest


@dataclass(frozen=True, slots=True)
class Revision:
    """A lexicon file's text with its edits, the changes that they make, and what was not taken."""

    path: Path
    text: str
    edits: tuple[Edit, ...]
    changes: tuple[Change, ...]
    refused: tuple[Refused, ...]


class Reviser:
    """A ledger read once, for a lexicon; what it suggests can then be asked for without some of the changes."""

    def __init__(self, ledger: Ledger, path: Path, *, answers: int = ANSWERS) -> None:
        """`answers`: how many there must be of an entry before its status changes."""
        self.path, self.answers = path, answers
        self.rows = rows_of(path)
        self.lines: tuple[Line, ...] = read(path)[1] if exists(path) else ()
        self.heard: Heard = hear(ledger)
        entries: dict[Key, Entry] = {key_of(e.spun, e.original): e for line in self.lines if (e := line.entry)}
        fresh = {one.key[1] for one in self.heard.evidence if is_fresh(one, entries.get(one.key))}
        self._entries = tuple(entries.values())
        self._occurrences = occurrences(ledger, fresh) if fresh else {}

    def revision(self, *, without: Container[Key] = ()) -> Revision:
        """What is suggested, but for the entries `without`."""
        changes, refused = suggest(
            self.heard.evidence, self._entries, self._occurrences, answers=self.answers, without=without
        )
        text = "\n".join(self.rows)
        return Revision(self.path, text, edits(self.rows, changes), changes, refused)
