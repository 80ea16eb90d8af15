"""The lines of an exported ledger: values as JSON objects, and back.

In come documents, items and decisions; out go objects that `schemas/review.schema.json` describes, and the other way
round. Refused, by ValueError, which names the field: whatever that schema does not allow, and a digest that is not the
text's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from unspin.model import DecidedBy, DuplicateKind, Entry, HeldReason, Repeat, SpinEvidence, Status
from unspin.review.adding import digest
from unspin.review.model import Act, Choice, Decision, Document, Duplicate, Interface, Item, Proposal, Reviewer, State

Value = TypeVar("Value")
Kind = TypeVar("Kind", bound=StrEnum)
_DIGEST = re.compile("[0-9a-f]{64}")
_UNDECIDED = (State.PROPOSED, State.HELD)


@dataclass(frozen=True, slots=True)
class Place:
    """What a decision is bound to: a text's digest, a span in it, and the entry of what is proposed there."""

    digest: str
    start: int
    end: int
    entry: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A text, as it was added."""

    digest: str
    names: tuple[tuple[str, str], ...]
    text: str
    signature: str
    spin: SpinEvidence


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """What is proposed for a text."""

    digest: str
    proposal: Proposal
    is_stale: bool


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision. Its number, and those it refers to, count within a file."""

    number: int
    place: Place
    reviewer: Reviewer
    at: datetime
    act: Act
    old: State
    new: State
    after: str | None
    undoes: int | None
    batch: int | None


Record = DocumentRecord | ItemRecord | DecisionRecord


# out


def document_fields(document: Document, text: str) -> dict[str, Any]:
    """A document as an object."""
    spin = document.spin
    return {
        "kind": "document",
        "digest": document.digest,
        "names": [{"name": name, "encoding": encoding} for name, encoding in document.names],
        "text": text,
        "signature": document.signature,
        "spin": {"rate": spin.rate, "evidence": spin.evidence, "words": spin.words, "is_spun": spin.is_spun},
    }


def item_fields(item: Item, digest: str) -> dict[str, Any]:
    """An item as an object; its state follows from the decisions."""
    duplicate = item.duplicate
    return {
        "kind": "item",
        "document": digest,
        "start": item.start,
        "end": item.end,
        "before": item.before,
        "choices": [
            {"after": c.after, "entry": _entry_fields(c.entry), "confidence": c.confidence, "prior": c.prior}
            for c in item.choices
        ],
        "alone": item.alone,
        "why": item.why.value,
        "held": isinstance(item.why, HeldReason),
        "duplicate": duplicate
        and {
            "kind": duplicate.repeat.kind.value,
            "score": duplicate.repeat.score,
            "start": duplicate.start,
            "end": duplicate.end,
        },
        "stale": item.is_stale,
    }


def _entry_fields(entry: Entry | None) -> dict[str, Any] | None:
    keys = ("spun", "original", "rate", "seen", "status", "source")
    return {key: getattr(entry, key) for key in keys} if entry else None


def decision_fields(decision: Decision, place: Place, number: Mapping[int, int]) -> dict[str, Any]:
    """A decision as an object; `number` maps the ledger's ids to numbers within the file."""
    return {
        "kind": "decision",
        "number": number[decision.id],
        "document": place.digest,
        "start": place.start,
        "end": place.end,
        "entry": place.entry and {"spun": place.entry[0], "original": place.entry[1]},
        "reviewer": decision.reviewer.name,
        "interface": decision.reviewer.interface.value,
        "at": decision.at.isoformat(timespec="milliseconds"),
        "act": decision.act.value,
        "old": decision.old.value,
        "new": decision.new.value,
        "after": decision.after,
        "undoes": decision.undoes and number[decision.undoes],
        "batch": decision.batch and number[decision.batch],
    }


# in


def read_record(fields: object) -> Record:
    """The value behind an object. Raises ValueError."""
    record = _Fields(fields)
    kind = record.text("kind")
    if kind not in _READERS:
        raise ValueError(f"kind: {kind!r} is none of {', '.join(_READERS)}")
    found = _READERS[kind](record)
    record.done()
    return found


class _Fields:
    """An object's fields, each asked for once and checked."""

    def __init__(self, fields: object, name: str = "") -> None:
        if not isinstance(fields, dict):
            raise ValueError(f"{name or 'the line'}: not an object")
        self._fields, self._name = dict(fields), name

    def _take(self, key: str, kind: type[Value], what: str) -> Value:
        if key not in self._fields:
            raise ValueError(f"{self._name}{key}: missing")
        value = self._fields.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"{self._name}{key}: {value!r:.40} is not {what}")
        return value

    def text(self, key: str) -> str:
        return self._take(key, str, "a text")

    def name(self, key: str) -> str:
        if not (value := self.text(key)).strip():
            raise ValueError(f"{self._name}{key}: empty")
        return value

    def digest(self, key: str) -> str:
        if not _DIGEST.fullmatch(value := self.text(key)):
            raise ValueError(f"{self._name}{key}: {value!r:.40} is no SHA-256 in hexadecimal digits")
        return value

    def count(self, key: str) -> int:
        return self.whole(key, least=1)

    def flag(self, key: str) -> bool:
        return self._take(key, bool, "true or false")

    def whole(self, key: str, *, least: int = 0) -> int:
        value = self._take(key, int, "a whole number")
        if not least <= value < 1 << 53:
            raise ValueError(f"{self._name}{key}: {value} is not {least} or more")
        return value

    def real(self, key: str, *, most: float | None = None) -> float:
        value = float(self._take(key, (int, float), "a number"))  # type: ignore[arg-type]
        if not value >= 0.0 or (most is not None and value > most):
            raise ValueError(f"{self._name}{key}: {value} is out of range")
        return value

    def one_of(self, key: str, kind: type[Kind]) -> Kind:
        value = self.text(key)
        try:
            return kind(value)
        except ValueError:
            raise ValueError(f"{self._name}{key}: {value!r} is none of {', '.join(kind)}") from None

    def object(self, key: str) -> _Fields:
        return _Fields(self._take(key, dict, "an object"), f"{self._name}{key}.")

    def objects(self, key: str) -> list[_Fields]:
        values = self._take(key, list, "a list")
        return [_Fields(value, f"{self._name}{key}[{place}].") for place, value in enumerate(values)]

    def optional(self, key: str, read: Callable[[str], Value]) -> Value | None:
        if self._fields.get(key, ...) is None:
            del self._fields[key]
            return None
        return read(key)

    def done(self) -> None:
        """Refuse what nobody asked for."""
        for key in self._fields:
            raise ValueError(f"{self._name}{key}: unknown field")


def _document(record: _Fields) -> DocumentRecord:
    spin = record.object("spin")
    found = DocumentRecord(
        digest=record.digest("digest"),
        names=tuple(_file(one) for one in record.objects("names")),
        text=record.text("text"),
        signature=record.text("signature"),
        spin=SpinEvidence(
            spin.real("rate", most=1.0), spin.real("evidence"), spin.whole("words"), spin.flag("is_spun")
        ),
    )
    spin.done()
    if digest(found.text) != found.digest:
        raise ValueError("digest: it is another text's; was the text edited?")
    return found


def _file(record: _Fields) -> tuple[str, str]:
    found = record.name("name"), record.name("encoding")
    record.done()
    return found


def _entry(record: _Fields) -> Entry:
    found = Entry(
        record.text("spun"),
        record.text("original"),
        record.real("rate", most=1.0),
        record.whole("seen"),
        record.one_of("status", Status),
        record.text("source"),
    )
    record.done()
    return found


def _choice(record: _Fields) -> Choice:
    entry = record.optional("entry", record.object)
    found = Choice(
        record.text("after"),
        _entry(entry) if entry else None,
        record.real("confidence", most=1.0),
        record.optional("prior", lambda key: record.real(key, most=1.0)),
    )
    record.done()
    return found


def _item(record: _Fields) -> ItemRecord:
    start, end = record.whole("start"), record.whole("end")
    duplicate = record.optional("duplicate", record.object)
    is_held = record.flag("held")
    proposal = Proposal(
        start,
        end,
        record.text("before"),
        tuple(_choice(one) for one in record.objects("choices")),
        record.real("alone", most=1.0),
        record.one_of("why", HeldReason) if is_held else record.one_of("why", DecidedBy),
        _duplicate(duplicate, start, end) if duplicate else None,
    )
    return ItemRecord(record.digest("document"), proposal, record.flag("stale"))


def _duplicate(record: _Fields, start: int, end: int) -> Duplicate:
    repeat = Repeat(start, end, record.one_of("kind", DuplicateKind), record.real("score", most=1.0))
    found = Duplicate(record.whole("start"), record.whole("end"), repeat)
    record.done()
    return found


def _decision(record: _Fields) -> DecisionRecord:
    entry = record.optional("entry", record.object)
    pair = (entry.text("spun"), entry.text("original")) if entry else None
    if entry:
        entry.done()
    found = DecisionRecord(
        number=record.count("number"),
        place=Place(record.digest("document"), record.whole("start"), record.whole("end"), pair),
        reviewer=Reviewer(record.name("reviewer"), record.one_of("interface", Interface)),
        at=_moment(record.text("at")),
        act=record.one_of("act", Act),
        old=record.one_of("old", State),
        new=record.one_of("new", State),
        after=record.optional("after", record.text),
        undoes=record.optional("undoes", record.count),
        batch=record.optional("batch", record.count),
    )
    if (found.after is not None) != (found.new is State.REPLACED):
        raise ValueError("after: there if, and only if, new is replaced")
    if (found.undoes is not None) != (found.act is Act.UNDO):
        raise ValueError("undoes: there if, and only if, act is undo")
    if found.act is not Act.UNDO and found.new in _UNDECIDED:
        raise ValueError(f"new: {found.new} is no answer")
    return found


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"at: {text!r} is no time, such as 2025-01-31T12:00:00.000+00:00") from None
    if found.tzinfo is None:
        raise ValueError(f"at: {text!r} has no time zone")
    return found.astimezone(UTC)


_READERS: dict[str, Callable[[_Fields], Record]] = {"document": _document, "item": _item, "decision": _decision}
