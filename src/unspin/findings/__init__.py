"""What `--check` found, as linters report it: each change that a text calls for, with its place in lines and columns.

In comes a `Restoration`; out go findings, one for each edit and each repeated paragraph, and reports of them: lines of
text, GitHub annotations, or a SARIF log. What is held is no finding: it changes nothing until a person says so.
Refused, by `EditConflict`: edits that make no cleaned text.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from unspin.diff.pieces import Removed, changes, removed, visible
from unspin.model import DecidedBy, Edit, Restoration

_QUOTED = 60  # characters of a passage that a message quotes
_AROUND = 20  # characters to either side that a fingerprint rests on


class Rule(StrEnum):
    """What kind of trace a spinner or a scraper left."""

    SWAP = "swap"
    ARTICLE = "article"
    DEBRIS = "debris"
    DUPLICATE = "duplicate"

    @property
    def description(self) -> str:
        """The rule in a sentence."""
        match self:
            case Rule.SWAP:
                return "A spinner swapped this phrase for a synonym."
            case Rule.ARTICLE:
                return "Once the swap beside it is undone, this article no longer agrees."
            case Rule.DEBRIS:
                return "A spinner left this around its swaps."
            case Rule.DUPLICATE:
                return "This paragraph says what an earlier one says."
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class Region:
    """A span of a text. Lines and columns count from 1 in code points, `end_column` is one past the last.

    Lines end with "\\n". A byte-order mark counts for nothing here, as editors have it; offsets start at 0.
    """

    start: int
    end: int
    start_line: int
    start_column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A change that a text calls for. `name` is the text's path; `region` is what is shown, `replaced` what `edit`
    replaces, `kept` the start of the paragraph that is repeated. `fingerprint` stays when text elsewhere changes."""

    name: str
    rule: Rule
    message: str
    edit: Edit
    region: Region
    replaced: Region
    kept: Region | None
    fingerprint: str


class _Lines:
    def __init__(self, text: str) -> None:
        self.mark = int(text.startswith("\ufeff"))
        self.starts = [self.mark]
        while next_one := text.find("\n", self.starts[-1]) + 1:
            self.starts.append(next_one)

    def place(self, offset: int) -> tuple[int, int]:
        line = max(bisect_right(self.starts, offset), 1)
        return line, max(offset - self.starts[line - 1], 0) + 1

    def region(self, start: int, end: int) -> Region:
        return Region(max(start - self.mark, 0), end - self.mark, *self.place(start), *self.place(end))


def find(restoration: Restoration, *, name: str) -> Iterator[Finding]:
    """The findings in a text, in order. Raises EditConflict."""
    text = restoration.original
    lines = _Lines(text)
    passages = {one.edit.start: one for one in removed(restoration)}
    seen: Counter[str] = Counter()
    for edit in changes(restoration):
        rule = _rule(edit.decided_by)
        passage = passages.get(edit.start) if rule is Rule.DUPLICATE else None  # none in a page, where tags stay
        shown = passage.repeat if passage else edit
        key = _fingerprint(text, edit, rule)
        seen[key] += 1
        yield Finding(
            name=name,
            rule=rule,
            message=_message(rule, edit, passage),
            edit=edit,
            region=lines.region(shown.start, shown.end),
            replaced=lines.region(edit.start, edit.end),
            kept=lines.region(passage.kept, passage.kept) if passage else None,
            fingerprint=f"{key}:{seen[key]}",
        )


def _rule(decided_by: DecidedBy) -> Rule:
    match decided_by:
        case DecidedBy.DECODER | DecidedBy.ENDPOINT | DecidedBy.SIBLING | DecidedBy.SPINNER | DecidedBy.REVIEWER:
            return Rule.SWAP
        case DecidedBy.AGREEMENT:
            return Rule.ARTICLE
        case DecidedBy.DEBRIS:
            return Rule.DEBRIS
        case DecidedBy.DUPLICATE:
            return Rule.DUPLICATE
        case _:
            assert_never(decided_by)


def _message(rule: Rule, edit: Edit, passage: Removed | None) -> str:
    before, after = _quoted(edit.before), _quoted(edit.after)
    match rule:
        case Rule.SWAP:
            return f"{before} was {after} (confidence {edit.confidence:.2f})"
        case Rule.ARTICLE:
            return f"{before} would be {after} once its neighbour is restored"
        case Rule.DEBRIS:
            return f"{before} is left from spinning" + (f"; it was {after}" if edit.after else "")
        case Rule.DUPLICATE:
            return str(passage or f"{before} repeats an earlier paragraph (score {edit.confidence:.2f})")
        case _:
            assert_never(rule)


def _quoted(text: str) -> str:
    line = " ".join(visible(text).split())
    return f'"{line[:_QUOTED]}…"' if len(line) > _QUOTED else f'"{line}"'


def _fingerprint(text: str, edit: Edit, rule: Rule) -> str:
    around = text[max(edit.start - _AROUND, 0) : edit.start], text[edit.end : edit.end + _AROUND]
    parts = (rule.value, edit.before, edit.after, *(("", "") if rule is Rule.DUPLICATE else around))
    data = "\0".join(" ".join(part.split()) for part in parts)
    return hashlib.sha256(data.encode("utf-8", "surrogatepass")).hexdigest()[:16]
