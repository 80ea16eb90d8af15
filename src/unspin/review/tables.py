"""The ledger's tables, and how states, reasons and choices are written in them.

Compact, since a ledger holds millions of items: strings stand once (`phrases`), probabilities are whole numbers of
ten-thousandths, choices are a line of numbers. Texts are deflated. Nothing here talks to a database.

An item's `state` is 0 as long as nobody decided, so that every order of the queue is a stretch of one index; whether it
is proposed or held follows from `why`. What is stale has SHELVED added to its state and is in no queue.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from unspin.model import DecidedBy, DuplicateKind, HeldReason, Status
from unspin.review.model import COSTS, Act, Duplicate, Interface, State, Why

VERSION = 1  # of this schema
SCALE = 10_000  # what stands for a probability of 1
RISKIEST = 10 * SCALE  # `rank` is this less the risk: ascending, so that ties fall to the lower number
UNDECIDED, SHELVED = 0, 8

metadata = MetaData()
_id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself for INTEGER alone

workspace = Table("workspace", metadata, Column("key", String, primary_key=True), Column("value", Text, nullable=False))
phrases = Table(
    "phrases", metadata, Column("id", Integer, primary_key=True), Column("text", Text, nullable=False, unique=True)
)
entries = Table(
    "entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("spun", ForeignKey("phrases.id"), nullable=False),
    Column("original", ForeignKey("phrases.id"), nullable=False),
    Column("rate", Float, nullable=False),
    Column("seen", Integer, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("source", ForeignKey("phrases.id"), nullable=False),
    Index("entries_swap", "spun", "original", unique=True),
)
documents = Table(
    "documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("text", LargeBinary, nullable=False),
    Column("signature", Text, nullable=False),
    Column("is_spun", Boolean, nullable=False),
    Column("rate", Float, nullable=False),
    Column("evidence", Float, nullable=False),
    Column("words", Integer, nullable=False),
)
names = Table(
    "names",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("document", ForeignKey("documents.id"), nullable=False),
    Column("encoding", String, nullable=False),
    Column("is_current", Boolean, nullable=False),  # earlier texts of a name stay on record
    Index("names_once", "name", "document", unique=True),
    Index("names_current", "name", unique=True, sqlite_where=text("is_current"), postgresql_where=text("is_current")),
    Index("names_document", "document"),
)
items = Table(
    "items",
    metadata,
    Column("id", _id, primary_key=True),
    Column("document", ForeignKey("documents.id"), nullable=False),
    Column("start", Integer, nullable=False),
    Column("stop", Integer, nullable=False),  # "end" is a keyword
    Column("entry", Integer, nullable=False),  # of the first choice; 0 for none
    Column("why", SmallInteger, nullable=False),
    Column("confidence", SmallInteger, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("choices", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("answer", Integer),  # phrase that a person put there
    Index("items_risk", "state", "why", "rank", "id"),
    Index("items_position", "state", "document", "start", "id", "why"),
    Index("items_entry", "state", "entry", "rank", "id", "why", "confidence"),
)
reviewers = Table(
    "reviewers", metadata, Column("id", Integer, primary_key=True), Column("name", Text, nullable=False, unique=True)
)
decisions = Table(
    "decisions",
    metadata,
    Column("id", _id, primary_key=True),
    Column("item", ForeignKey("items.id"), nullable=False),
    Column("reviewer", ForeignKey("reviewers.id"), nullable=False),
    Column("interface", SmallInteger, nullable=False),
    Column("at", BigInteger, nullable=False),  # milliseconds since 1970, UTC
    Column("act", SmallInteger, nullable=False),
    Column("old", SmallInteger, nullable=False),
    Column("new", SmallInteger, nullable=False),
    Column("answer", Integer),
    Column("undoes", _id),
    Column("batch", _id),
    Index("decisions_item", "item", "reviewer"),
    Index("decisions_reviewer", "reviewer", "act", "id"),
    Index(
        "decisions_undoes",
        "undoes",
        sqlite_where=text("undoes IS NOT NULL"),
        postgresql_where=text("undoes IS NOT NULL"),
    ),
    Index(
        "decisions_batch", "batch", sqlite_where=text("batch IS NOT NULL"), postgresql_where=text("batch IS NOT NULL")
    ),
)
claims = Table(
    "claims",
    metadata,
    Column("item", ForeignKey("items.id"), primary_key=True),
    Column("holder", String, nullable=False),
    Column("until", BigInteger, nullable=False),  # milliseconds since 1970, UTC
    Index("claims_holder", "holder"),
)

# Codes are places in these tuples: append only.
_DECIDED_BY = (
    DecidedBy.DECODER,
    DecidedBy.AGREEMENT,
    DecidedBy.DUPLICATE,
    DecidedBy.DEBRIS,
    DecidedBy.ENDPOINT,
    DecidedBy.SIBLING,
    DecidedBy.SPINNER,
    DecidedBy.REVIEWER,
)
_HELD = (
    HeldReason.CONFIDENCE,
    HeldReason.DEBRIS,
    HeldReason.STATUS,
    HeldReason.NUMBER,
    HeldReason.NEGATION,
    HeldReason.NAME,
)
FIRST_HELD = 64  # what lies below proposes, what lies above holds
STATUSES = (Status.AUTO, Status.REVIEW, Status.OFF)
INTERFACES = (Interface.TERMINAL, Interface.WEB, Interface.PYTHON)
ACTS = (Act.DECIDE, Act.UNDO, Act.OPINION)
DUPLICATES = (
    DuplicateKind.EXACT,
    DuplicateKind.NORMALISED,
    DuplicateKind.NEAR,
    DuplicateKind.RESPUN,
    DuplicateKind.CONTAINED,
    DuplicateKind.OVERLAP,
)
STATES = (None, State.ACCEPTED, State.REJECTED, State.REPLACED)

_WHY_CODE: dict[tuple[type, str], int] = {(DecidedBy, why): code for code, why in enumerate(_DECIDED_BY)}
_WHY_CODE |= {(HeldReason, why): FIRST_HELD + code for code, why in enumerate(_HELD)}


def why_code(why: Why) -> int:
    """The number that stands for a reason."""
    return _WHY_CODE[type(why), why]


def why_of(code: int) -> Why:
    """The reason behind its number."""
    return _DECIDED_BY[code] if code < FIRST_HELD else _HELD[code - FIRST_HELD]


def state_code(state: State) -> int:
    """The number that stands for a state; both undecided ones are UNDECIDED."""
    return STATES.index(state) if state.is_decided else UNDECIDED


def state_of(code: int, why: int) -> State:
    """The state behind its number, given that of the item's reason."""
    return STATES[code % SHELVED] or (State.PROPOSED if why < FIRST_HELD else State.HELD)


def units(probability: float) -> int:
    """A probability as a whole number of ten-thousandths."""
    return round(probability * SCALE)


def rank(why: Why, confidence: int) -> int:
    """An item's place by its risk, from its confidence in ten-thousandths: the riskier, the lower.

    Among items of one reason, confidence and rank say the same.
    """
    wrong = SCALE - confidence if why_code(why) < FIRST_HELD else confidence
    return RISKIEST - COSTS.get(why, 1) * wrong


def packed(text: str) -> bytes:
    """A text as it is stored."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"))


def unpacked(data: bytes) -> str:
    """A stored text."""
    return zlib.decompress(data).decode("utf-8", "surrogatepass")


def choices_line(
    alone: float,
    choices: Sequence[tuple[int, int, float, float | None]],
    duplicate: Duplicate | None,
) -> str:
    """Choices (phrase, entry, confidence, prior) as a line of numbers.

    First the probability of leaving the text alone; then `phrase.entry.confidence` and, where known, `.prior` for each
    choice; then, for a duplicate, `=kind.score.start.end`.
    """
    parts = [str(units(alone))]
    for phrase, entry, confidence, prior in choices:
        part = f"{phrase}.{entry}.{units(confidence)}"
        parts.append(part if prior is None else f"{part}.{units(prior)}")
    if duplicate:
        kind = DUPLICATES.index(duplicate.repeat.kind)
        parts.append(f"={kind}.{units(duplicate.repeat.score)}.{duplicate.start}.{duplicate.end}")
    return " ".join(parts)


class Line(NamedTuple):
    """A line of choices, read: phrases and entries are still numbers."""

    alone: float
    choices: tuple[tuple[int, int, float, float | None], ...]
    duplicate: tuple[DuplicateKind, float, int, int] | None


def read_choices(line: str) -> Line:
    """What `choices_line` wrote."""
    first, *parts = line.split(" ")
    found: list[tuple[int, int, float, float | None]] = []
    duplicate = None
    for part in parts:
        numbers = [int(number) for number in part.removeprefix("=").split(".")]
        if part.startswith("="):
            kind, score, start, end = numbers
            duplicate = (DUPLICATES[kind], score / SCALE, start, end)
        else:
            phrase, entry, confidence, *prior = numbers
            found.append((phrase, entry, confidence / SCALE, prior[0] / SCALE if prior else None))
    return Line(int(first) / SCALE, tuple(found), duplicate)
