"""Cases and what became of them, as values. No input, no output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from unspin.decide import MIN_CONFIDENCE
from unspin.evaluate import Detail, Score
from unspin.gold import Gold
from unspin.model import Restoration

SUFFIX = ".case.toml"


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the swaps of a case: also the floor that is recorded of them."""

    restored: int = 0
    wrong: int = 0
    missed: int = 0
    spurious: int = 0

    def __post_init__(self) -> None:
        if min(self.restored, self.wrong, self.missed, self.spurious) < 0:
            raise ValueError("counts cannot be negative")

    @classmethod
    def of(cls, score: Score) -> Counts:
        """The counts of a score."""
        return cls(score.restored, score.wrong, score.missed, score.spurious)

    @property
    def faults(self) -> int:
        """What is not as it should be."""
        return self.wrong + self.missed + self.spurious

    def is_below(self, floor: Counts) -> bool:
        """Is anything worse? What got better elsewhere makes up for nothing.

        >>> Counts(restored=9, missed=1).is_below(Counts(restored=8, missed=2))
        False
        >>> Counts(restored=9, spurious=1).is_below(Counts(restored=8, missed=2))
        True
        """
        return (
            self.restored < floor.restored
            or self.wrong > floor.wrong
            or self.missed > floor.missed
            or self.spurious > floor.spurious
        )

    def __str__(self) -> str:
        return f"{self.restored} restored, {self.wrong} wrong, {self.missed} missed, {self.spurious} spurious"

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.restored + other.restored,
            self.wrong + other.wrong,
            self.missed + other.missed,
            self.spurious + other.spurious,
        )


def total(counts: Iterable[Counts]) -> Counts:
    """All counts added up."""
    return sum(counts, Counts())


@dataclass(frozen=True, slots=True)
class Settings:
    """What a case is restored with, as `unspin.restore` takes it. No lexicons and no ranker: the shipped ones.

    Lexicons and the ranker are names of shipped ones, or paths that start at the case's folder.
    """

    lexicons: tuple[str, ...] = ()
    ranker: str = ""
    min_confidence: float = MIN_CONFIDENCE
    keep_duplicates: bool = False
    assume_spun: bool = False
    siblings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A golden example: a text, what it must restore to, why that matters and where the text comes from.

    `output` is the whole cleaned text, if the case gives it; a text without gold spans must be left alone. Without a
    `floor` everything must be right. `xfail` says why it is not, and will not be soon.
    """

    path: Path
    label: str
    why: str
    origin: str
    gold: Gold
    output: str | None = None
    settings: Settings = field(default_factory=Settings)
    floor: Counts | None = None
    xfail: str = ""

    def __post_init__(self) -> None:
        if self.xfail and self.floor:
            raise ValueError("a known failure has no floor: it fails until all is right")

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.name.removesuffix(SUFFIX)

    @property
    def exact(self) -> str | None:
        """The one text that is right to the last character, if there is one."""
        return self.gold.text if self.output is None and not self.gold.spans else self.output


class Verdict(StrEnum):
    """How a case compares with what is expected of it."""

    PASSED = "passed"
    IMPROVED = "improved"  # above its floor: time to record that
    REGRESSED = "regressed"  # below its floor; without one, not all is right
    KNOWN = "known failure"
    FIXED = "fixed"  # a known failure in which all is right: it must not be called one any longer


FAILING = frozenset({Verdict.REGRESSED, Verdict.FIXED})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case: `expected` is what it accepts that is most like `got`, `seconds` what it took."""

    case: Case
    restoration: Restoration
    got: str
    expected: str
    score: Score
    seconds: float

    @property
    def counts(self) -> Counts:
        """What counts against the floor."""
        return Counts.of(self.score)

    @property
    def faults(self) -> tuple[Detail, ...]:
        """Each thing that is not as it should be."""
        return self.score.details

    @property
    def verdict(self) -> Verdict:
        """How it compares with what is expected."""
        if self.case.xfail:
            return Verdict.KNOWN if self.counts.faults else Verdict.FIXED
        floor = self.case.floor
        if floor is None:
            return Verdict.REGRESSED if self.counts.faults else Verdict.PASSED
        if self.counts.is_below(floor):
            return Verdict.REGRESSED
        return Verdict.PASSED if self.counts == floor else Verdict.IMPROVED

    @property
    def is_failure(self) -> bool:
        """Must somebody look?"""
        return self.verdict in FAILING


@dataclass(frozen=True, slots=True)
class Refused:
    """A case that could not be run."""

    path: Path
    problem: str
