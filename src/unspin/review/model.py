"""The values of a review. No input, no output.

An *item* is a candidate as the ledger holds it: what would be changed, why, how sure, and where its decision stands.
An *answer* is what a person says to it; a *decision* is the record of an answer, kept for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from unspin.model import DecidedBy, Entry, HeldReason, Repeat, SpinEvidence

MOST_CHOICES = 9  # of an item: what the keys 1 to 9 can pick

Why = DecidedBy | HeldReason
EVERY_WHY: tuple[Why, ...] = (*DecidedBy, *HeldReason)
# What a wrong decision costs, beside a wrong word: a number or a negation turns what the text says into its opposite, a
# passage that is gone is not missed by who reads on.
COSTS: dict[Why, int] = {
    HeldReason.NUMBER: 3,
    HeldReason.NEGATION: 3,
    HeldReason.NAME: 2,
    DecidedBy.DUPLICATE: 5,
}


class State(StrEnum):
    """Where the decision on an item stands."""

    PROPOSED = "proposed"  # nobody decided; it is made unless somebody objects
    HELD = "held"  # nobody decided; the text stays as it is unless somebody does
    ACCEPTED = "accepted"  # a person wants the first choice
    REJECTED = "rejected"  # a person wants the text as it stands
    REPLACED = "replaced"  # a person wants something else: another choice, or words of their own

    @property
    def is_decided(self) -> bool:
        """Has a person decided?"""
        return self not in (State.PROPOSED, State.HELD)


class Interface(StrEnum):
    """Where a decision was made."""

    TERMINAL = "terminal"
    WEB = "web"
    PYTHON = "python"


class Act(StrEnum):
    """What a line of the record is."""

    DECIDE = "decide"
    UNDO = "undo"
    OPINION = "opinion"  # a second reviewer's answer: recorded and compared, without effect


class Order(StrEnum):
    """In what order items come."""

    RISK = "risk"  # where the automatic decision would do most harm first
    POSITION = "position"  # document by document, as they are read
    ENTRY = "entry"  # one lexicon entry after the other, the riskiest of each first


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who answers, and where."""

    name: str
    interface: Interface = Interface.PYTHON

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("a reviewer needs a name")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says to an item. `after` is what shall stand there, for REPLACED alone; it may be empty."""

    state: State
    after: str | None = None

    def __post_init__(self) -> None:
        if not self.state.is_decided:
            raise ValueError(f"{self.state} is no answer; undo takes an answer back")
        if (self.state is State.REPLACED) != (self.after is not None):
            raise ValueError("an answer has words of its own if, and only if, it replaces")


ACCEPT = Answer(State.ACCEPTED)
REJECT = Answer(State.REJECTED)


@dataclass(frozen=True, slots=True)
class Choice:
    """What may stand in an item's place. `confidence` in [0, 1]; `prior` is what it was before a ranker looked at the
    context and the document's other swaps were known, None where nobody ranked."""

    after: str
    entry: Entry | None
    confidence: float
    prior: float | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A repeated passage and `[start, end)` of the kept one that it repeats."""

    start: int
    end: int
    repeat: Repeat


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate on its way into the ledger: see `Item`, which has an id and a state besides."""

    start: int
    end: int
    before: str
    choices: tuple[Choice, ...]
    alone: float
    why: Why
    duplicate: Duplicate | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.choices) <= MOST_CHOICES:
            raise ValueError(f"{len(self.choices)} choices; an item has 1 to {MOST_CHOICES}")
        if not 0 <= self.start < self.end:
            raise ValueError(f"span {self.start}:{self.end} holds nothing")
        if len(self.before) != self.end - self.start:
            raise ValueError(f"before {self.before!r:.40} does not fill the span {self.start}:{self.end}")

    @property
    def entry(self) -> Entry | None:
        """The lexicon entry that the first choice undoes. A decision is bound to it."""
        return self.choices[0].entry

    @property
    def confidence(self) -> float:
        """The probability that the first choice is right, in [0, 1]; for a duplicate, how alike the passages are."""
        return self.choices[0].confidence

    @property
    def risk(self) -> float:
        """How likely the automatic decision is wrong, times what that would cost (see COSTS)."""
        is_made = isinstance(self.why, DecidedBy)
        return COSTS.get(self.why, 1) * (1.0 - self.confidence if is_made else self.confidence)


@dataclass(frozen=True, slots=True)
class Item(Proposal):
    """A candidate of the ledger.

    `start`, `end`: its span in the document's text, in code points. `choices`: what may stand there, the proposed one
    first (number 1). `alone`: the probability that the text is right as it stands. `why`: who proposed it
    (`DecidedBy`), or why it was held (`HeldReason`). `answer`: what a person put there, if `state` is REPLACED.
    `is_stale`: its text, or what is proposed for it, has changed since; it is in no queue.
    """

    id: int = 0
    document: int = 0
    state: State = State.PROPOSED
    answer: str | None = None
    is_stale: bool = False

    @property
    def after(self) -> str:
        """What stands there as things are: the answer, else what is proposed; the text itself if held or rejected."""
        match self.state:
            case State.REPLACED:
                return self.answer or ""
            case State.HELD | State.REJECTED:
                return self.before
            case _:
                return self.choices[0].after

    def saying(self, text: str) -> Answer:
        """The answer that puts `text` there: accepts, rejects or replaces, as it must."""
        if text == self.before:
            return REJECT
        return ACCEPT if text == self.choices[0].after else Answer(State.REPLACED, text)


@dataclass(frozen=True, slots=True)
class Decision:
    """A line of the record. `batch` is common to all lines of one bulk decision; `undoes` is the line taken back."""

    id: int
    item: int
    reviewer: Reviewer
    at: datetime
    act: Act
    old: State
    new: State
    after: str | None
    undoes: int | None = None
    batch: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items are meant; what is left out (None) does not matter.

    `entries`: ids of entries, as `Ledger.entries` finds them. Confidences are in [0, 1], both ends included.
    `states` and `why` name what is wanted; undecided items alone come out of a queue, whatever they say.
    """

    document: int | None = None
    entries: tuple[int, ...] | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    states: tuple[State, ...] | None = None
    why: tuple[Why, ...] | None = None

    @property
    def is_void(self) -> bool:
        """Can nothing pass?"""
        low, high = self.min_confidence, self.max_confidence
        return () in (self.entries, self.states, self.why) or (low is not None and high is not None and low > high)


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of items by state."""

    proposed: int = 0
    held: int = 0
    accepted: int = 0
    rejected: int = 0
    replaced: int = 0

    @property
    def undecided(self) -> int:
        """What waits for a person."""
        return self.proposed + self.held

    @property
    def decided(self) -> int:
        """What a person decided."""
        return self.accepted + self.rejected + self.replaced

    @property
    def total(self) -> int:
        """All items."""
        return self.undecided + self.decided


@dataclass(frozen=True, slots=True)
class Document:
    """A text under review, known by its digest. `names`: the files that hold it now, with their encodings; without
    any, it is an earlier version of something, and its items are stale."""

    id: int
    digest: str
    names: tuple[tuple[str, str], ...]
    spin: SpinEvidence
    signature: str
    counts: Counts

    @property
    def name(self) -> str:
        """The first of its names; its digest, if none is left."""
        return self.names[0][0] if self.names else self.digest[:12]


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a text that was added. `fresh`: items that are new; `kept`: items that were there already, with
    their decisions; `stale`: decided items of this name that its new text, or what is proposed now, leaves behind."""

    document: int
    fresh: int
    kept: int
    stale: int
