"""What a page about a batch tells: read from its output folder, counted, and cut to what a browser can hold.

In comes a folder that `unspin batch` wrote, finished or not; out go `Facts`. Diffs are made from the cleaned texts and
the edits, so that the scrape itself need not be at hand; of a document, the stretches around its changes are shown.
Refused, by `BatchError`: a folder that is no batch's output. Edits that do not fit a text are shown without it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unspin.batch.folder import Folder
from unspin.batch.manifest import DocumentRow, ErrorRow, Manifest, Run
from unspin.batch.model import Copies
from unspin.errors import BatchError, UnspinError
from unspin.files import Source
from unspin.formats import Record, reader

MOST_DOCUMENTS = 200_000  # that are listed
MOST_DIFFS = 20_000  # documents whose diffs are held
MOST_ROWS = 200  # of each table
SWAPS = 100  # the commonest
CONTEXT = 80  # characters beside a change
BINS = 20  # of a histogram of rates and confidences in [0, 1]

Segment = str | tuple[str, str, float, str]  # text, or before, after, confidence, decided by
Edit = Mapping[str, Any]


@dataclass(slots=True)
class Facts:
    """All that the page tells. `diffs` are stretches of documents by their numbers in `documents`; a stretch that
    does not begin where the one before it ends begins with "…"."""

    settings: Mapping[str, str] = field(default_factory=dict)
    runs: Sequence[Run] = ()
    counts: Counter[str] = field(default_factory=Counter)
    rates: list[int] = field(default_factory=lambda: [0] * BINS)
    confidences: list[int] = field(default_factory=lambda: [0] * BINS)
    swaps: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    held: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    groups: list[tuple[str, list[str]]] = field(default_factory=list)
    errors: list[ErrorRow] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    documents: list[tuple[int, DocumentRow]] = field(default_factory=list)
    diffs: dict[int, list[Segment]] = field(default_factory=dict)

    @property
    def removes(self) -> bool:
        """Are copies left out of the output?"""
        return self.settings.get("copies") == Copies.REMOVE


def gather(path: Path) -> Facts:
    """The facts about the batch in a folder. Raises BatchError, OutputError."""
    folder = Folder(path)
    if not folder.manifest.exists():
        raise BatchError(path, "no batch's output")
    facts = Facts()
    with Manifest(folder.manifest) as manifest:
        facts.settings, facts.runs = manifest.settings, manifest.runs()
        for error in manifest.errors():
            facts.counts["errors"] += 1
            if len(facts.errors) < MOST_ROWS:
                facts.errors.append(error)
        targets = list(manifest.sources())
        _list(facts, manifest.documents(), {place: (number, name) for number, (place, name, _) in enumerate(targets)})
        facts.files = [name for _, name, _ in targets]
        _group(facts, manifest.duplicates())
    numbers: dict[str, list[int]] = {}
    for number, (_, row) in enumerate(facts.documents):
        if not (row.is_copy and facts.removes):
            numbers.setdefault(row.place, []).append(number)
    for place, _, target in targets:
        if target:
            _changes(facts, folder, Path(target), numbers.get(place, []))
            _waiting(facts, folder.held / f"{target}.jsonl")
    return facts


def _list(facts: Facts, rows: Iterable[DocumentRow], files: Mapping[str, tuple[int, str]]) -> None:
    for row in rows:
        if len(facts.documents) < MOST_DOCUMENTS:
            facts.documents.append((files[row.place][0], row))
        counts = {"words": row.words, "spun": row.is_spun, "changed": row.is_changed, "copies": row.is_copy}
        if not (row.is_copy and facts.removes):
            counts |= {"swaps": row.swaps, "held": row.held, "repeats": row.repeats}
        facts.counts.update({name: int(count) for name, count in counts.items()})
        facts.counts["documents"] += 1
        if row.is_spun:
            facts.rates[_bin(row.rate)] += 1


def _bin(share: float) -> int:
    return min(BINS - 1, int(share * BINS))


def _group(facts: Facts, lines: Iterable[str]) -> None:
    """Duplicates by what is kept, the largest groups first."""
    groups: dict[str, list[str]] = {}
    for line in lines:
        row = json.loads(line)
        facts.duplicates[row["kind"]] += 1
        kept, copy = _named(row["kept"]), f"{_named(row)} ({row['kind']}, {row['score']:.2f})"
        if kept in groups or len(groups) < 50 * MOST_ROWS:
            groups.setdefault(kept, []).append(copy)
    facts.counts["groups"] = len(groups)
    largest = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    facts.groups = [(kept, copies) for kept, copies in largest[:MOST_ROWS]]


def _named(row: Mapping[str, Any]) -> str:
    """What a person calls a document, or a passage of it."""
    record, file = str(row["record"]), str(row["file"])
    name = record if record.startswith(file) else f"{file}: {record}"
    return f"{name}, {row['start']:,}-{row['end']:,}" if "start" in row else name


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with suppress(FileNotFoundError), path.open(encoding="utf-8", errors="surrogatepass") as file:
        for line in file:
            yield json.loads(line)


def _waiting(facts: Facts, path: Path) -> None:
    for row in _rows(path):
        facts.reasons[row["reason"]] += 1
        best = next((o["after"] for o in row["options"] if o["after"] != row["before"]), "")
        facts.held[row["before"], best, row["reason"]] += 1


def _changes(facts: Facts, folder: Folder, target: Path, numbers: Sequence[int]) -> None:
    """Count the edits of a target, and cut the diffs of its documents."""
    edits: dict[str, list[Edit]] = {}
    for row in _rows(folder.edits / f"{target}.jsonl"):
        edits.setdefault(row["record"], []).append(row)
        entry = row["entry"]
        if entry:
            facts.swaps[entry["spun"], entry["original"]] += 1
        if row["decided_by"] != "duplicate":
            facts.confidences[_bin(row["confidence"])] += 1
    changed = [n for n in numbers if facts.documents[n][1].is_changed]
    if not changed or len(facts.diffs) >= MOST_DIFFS:
        return
    texts = _texts(folder.cleaned / target, numbers)
    for number in changed[: MOST_DIFFS - len(facts.diffs)]:
        made = edits.get(facts.documents[number][1].id, [])
        facts.diffs[number] = excerpts(texts.get(number), made)


def _texts(path: Path, numbers: Sequence[int]) -> dict[int, str]:
    """The cleaned texts of documents; they stand in the order of their numbers."""
    with suppress(UnspinError):
        found = (item for item in reader(Source(path, Path(path.name))) if isinstance(item, Record))
        return {number: record.source for number, record in zip(numbers, found, strict=False)}
    return {}


def excerpts(cleaned: str | None, edits: Sequence[Edit]) -> list[Segment]:
    """A cleaned text as its changes with what stands around them, or the changes alone if it does not bear them.

    >>> edit = {"start": 4, "before": "struggle", "after": "war", "confidence": 0.9, "decided_by": "decoder"}
    >>> excerpts("The war ended.", [edit])
    ['The ', ('struggle', 'war', 0.9, 'decoder'), ' ended.']
    """
    segments: list[Segment] = []
    shift = position = 0  # what leads from the original into the cleaned text, and how far that is told
    for edit in edits:
        start = edit["start"] + shift
        end = start + len(edit["after"])
        if cleaned is None or start < position or cleaned[start:end] != edit["after"]:
            return [_change(edit) for edit in edits]
        segments += _between(cleaned[position:start], is_first=not segments)
        segments.append(_change(edit))
        shift += len(edit["after"]) - len(edit["before"])
        position = end
    return [*segments, _head((cleaned or "")[position:])] if segments else []


def _change(edit: Edit) -> Segment:
    return edit["before"], edit["after"], round(edit["confidence"], 2), edit["decided_by"]


def _between(text: str, *, is_first: bool) -> list[Segment]:
    """What stands between two changes, its middle left out if that is long."""
    if len(text) <= 2 * CONTEXT:
        return [text]
    tail = "… " + text[-CONTEXT:].partition(" ")[2]
    return [tail] if is_first else [_head(text), tail]


def _head(text: str) -> str:
    return text if len(text) <= CONTEXT else text[:CONTEXT].rpartition(" ")[0] + " …"
