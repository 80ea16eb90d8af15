"""Recorded edits of the records of a file, made again: which edits are of which record, and what came of each.

In come the lines of `unspin clean --diff json`, or of the edits of a batch; out goes one outcome for each. A file of
one text takes them all. Records that were decided together with others of the same file find these again by the
digests in the signatures. An edit of a record that is not there is a problem, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from unspin import formats
from unspin.commands.options import Stages
from unspin.commands.records import is_numbered
from unspin.consensus import Sibling, digest
from unspin.formats import Reader, Record
from unspin.replay import Outcome, Recorded, replay, roundings


class Replayed:
    """Edits, and what came of them when they were made again."""

    def __init__(self, edits: Sequence[Recorded], stages: Stages, siblings: Sequence[Sibling]) -> None:
        self._edits, self._stages, self._given = edits, stages, siblings
        self._by_record: defaultdict[str, list[Recorded]] = defaultdict(list)
        self._by_number: defaultdict[str, list[Recorded]] = defaultdict(list)
        for edit in edits:
            self._by_record[edit.record].append(edit)
            self._by_number[edit.record.rpartition("#")[2]].append(edit)
        self._outcomes: dict[int, Outcome] = {}  # by line

    def read(self, reader: Reader, records: Iterable[Record]) -> None:
        """Make all edits again that are of the records of a file. Raises InputError."""
        is_single = formats.is_single(reader.format)
        company = {} if is_single else self._company(reader)
        for record in records:
            mine = self._edits if is_single else self._of(reader, record)
            known = {name for edit in mine for name in edit.siblings if name in company}
            others = [Sibling(company[name], self._stages["lexicon"], self._stages["model"]) for name in sorted(known)]
            for outcome in replay(record.prose, mine, **self._stages, siblings=[*self._given, *others]):
                self._take(outcome)

    def _company(self, reader: Reader) -> dict[str, str]:
        """The texts of a file that edits were decided with, by their digests."""
        wanted = {name for edit in self._edits for name in edit.siblings}
        if not wanted:
            return {}
        reader.input.keep()
        texts = (record.text for record in reader if isinstance(record, Record))
        return {name: text for text in texts if (name := digest(text)) in wanted}

    def _of(self, reader: Reader, record: Record) -> list[Recorded]:
        found = self._by_record.get(record.id, [])
        return found or (self._by_number.get(str(record.number), []) if is_numbered(reader, record) else [])

    def _take(self, outcome: Outcome) -> None:
        """Of several records of one id, the one counts for which an edit comes out the same."""
        known = self._outcomes.get(outcome.recorded.line)
        if known is None or known.problem:
            self._outcomes[outcome.recorded.line] = outcome

    def outcomes(self) -> list[Outcome]:
        """What came of each edit, in their order."""
        return list(self._told())

    def roundings(self) -> Iterator[str]:
        """Why edits may come out otherwise though their signatures name the same models, each reason once."""
        told = dict.fromkeys(roundings(edit.signature, self._stages["ranker"]) for edit in self._edits)
        return filter(None, told)

    def _told(self) -> Iterator[Outcome]:
        for edit in self._edits:
            yield self._outcomes.get(edit.line) or Outcome(edit, f"there is no record {edit.record!r}")
