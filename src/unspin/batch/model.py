"""The values of a batch: what is asked for, what goes to a worker, what comes back, and how it all adds up.

No input, no output. What travels between processes is small and plain: text, numbers, and tuples of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from unspin.decide import MIN_CONFIDENCE
from unspin.formats import Failure, Format, Prose, Reader, Reading, Record
from unspin.rank import DEFAULT as DEFAULT_RANKER


class Copies(StrEnum):
    """How the documents of a collection are read."""

    ALONE = "alone"  # each by itself, in one pass
    TOGETHER = "together"  # each with its copies among the others, which are found first
    REMOVE = "remove"  # the same, and copies of whole documents are left out


@dataclass(frozen=True, slots=True)
class Settings:
    """What every document is restored with: all that its restoration depends on, and a worker must load."""

    lexicons: tuple[str, ...] = ()
    model: str = ""  # a path; "" is the shipped one
    ranker: str = DEFAULT_RANKER
    min_confidence: float = MIN_CONFIDENCE
    keep_duplicates: bool = False
    screened: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for besides the inputs. `memory` is in bytes, for the search for copies; `jobs` are workers;
    `max_errors` None is any number."""

    output: Path
    settings: Settings = field(default_factory=Settings)
    reading: Reading = field(default_factory=Reading)
    out: Format | None = None
    copies: Copies = Copies.ALONE
    jobs: int = 1
    max_errors: int | None = None
    memory: int = 1_000_000_000

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise ValueError(f"{self.jobs} workers do no work")


@dataclass(frozen=True, slots=True)
class Task:
    """A document on its way to a worker. `siblings` are the names and texts of its copies."""

    id: str
    prose: Prose
    siblings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a document. `after` is its cleaned text, None if that is what it was; `edits` and `held` are JSON
    Lines; `repeats` are its repeated paragraphs: kept start and end, start and end, kind, score. With an `error`, it
    stays as it is."""

    after: str | None = None
    edits: str = ""
    held: str = ""
    repeats: tuple[tuple[int, int, int, int, str, float], ...] = ()
    words: int = 0
    rate: float = 0.0
    evidence: float = 0.0
    is_spun: bool = False
    swaps: int = 0
    waiting: int = 0
    error: str = ""


def dumped(outcomes: Sequence[Outcome]) -> bytes:
    """Outcomes as bytes, for the manifest."""
    return json.dumps([asdict(outcome) for outcome in outcomes], ensure_ascii=False).encode("utf-8", "surrogatepass")


def loaded(data: bytes) -> list[Outcome]:
    """The outcomes that were `dumped`."""
    rows: list[dict[str, Any]] = json.loads(data.decode("utf-8", "surrogatepass"))
    return [Outcome(**row | {"repeats": tuple(map(tuple, row["repeats"]))}) for row in rows]


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes one file of the output: a source or, of an endless one, a run of records.

    `place` names it in the manifest, `position` counts the sources from 0, `name` is what a person calls the source,
    and `target` where the output goes, below the folder of cleaned texts. `stamp` changes when the source does; "" if
    that cannot be told. `reader` None could not be opened.
    """

    place: str
    position: int
    name: str
    stamp: str
    target: Path
    reader: Reader | None


@dataclass(slots=True)
class Unit:
    """A run of a part's records: what a worker is given at once, and what is done, or not, after a crash.

    `tasks` are the records that are restored, in their order; `outcomes` belong to them, and grow to the same number.
    `lost` counts the workers that died over the next of them.
    """

    part: Part
    items: tuple[Record | Failure, ...]
    tasks: tuple[Task, ...]
    key: bytes = b""
    is_first: bool = False
    is_last: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    lost: int = 0
    is_known: bool = False  # did an earlier run do it?

    @property
    def is_done(self) -> bool:
        """Has every task its outcome?"""
        return len(self.outcomes) == len(self.tasks)

    @property
    def size(self) -> int:
        """Characters of text."""
        return sum(len(task.prose.source) for task in self.tasks)


@dataclass(slots=True)
class Tally:
    """What a batch has come to: counts of documents, words and so on. `known` documents were done by an earlier run,
    `restored` words by this one."""

    sources: int = 0
    documents: int = 0
    known: int = 0
    words: int = 0
    restored: int = 0
    spun: int = 0
    changed: int = 0
    swaps: int = 0
    held: int = 0
    repeats: int = 0
    copies: int = 0
    errors: int = 0

    def add(self, other: Tally) -> None:
        """Count another tally's."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
