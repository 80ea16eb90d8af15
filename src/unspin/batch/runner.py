"""A batch from its first file to its last: read, restore in workers, write, remember.

In come sources and a plan; out go the output folder and a tally. What an earlier run finished is passed over, and what
it had restored is looked up, so that stopping at any moment costs no more than the documents that were in work. The
output depends on the inputs and the plan, not on the number of workers or on interruptions. Refused, by `BatchError`:
a folder in use, or made in another way; and, after `max_errors`, to go on.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from unspin.batch.copies import Collection, Document, find
from unspin.batch.folder import Folder, Lines, line
from unspin.batch.manifest import Manifest, Run
from unspin.batch.model import Copies, Part, Plan, Tally, Task, Unit
from unspin.batch.pool import Pool
from unspin.batch.sink import CopyOf, Sink
from unspin.batch.worker import GIVEN_BACK, tables
from unspin.errors import BatchError, InputError, OutputError, UnspinError, reason
from unspin.files import Source
from unspin.formats import Failure, Reader, Record, is_single, reader, target_place
from unspin.heap import give_back
from unspin.model import Progress

UNIT = 50_000  # characters of text, a second's work where they are spun ...
MOST = 200  # ... and records, at the most
SHARD = 10_000  # records of standard input that go into one file
PIPED, WHOLE = "-", "whole"  # the place and the stamp of standard input that was read to its end

Told = Callable[[Tally, Unit], None]


class Batch(NamedTuple):
    """What a run works on."""

    sources: Sequence[Source]
    failed: Sequence[InputError]
    plan: Plan
    folder: Folder
    manifest: Manifest
    signature: str
    is_piped: bool  # is standard input among the sources?


def run(
    sources: Sequence[Source],
    plan: Plan,
    *,
    failed: Sequence[InputError] = (),
    force: bool = False,
    told: Told = lambda tally, unit: None,
    progress: Progress | None = None,
) -> Tally:
    """Clean the sources into the plan's output folder. Returns what the batch has come to.

    `failed` are inputs that could not even be listed; they are recorded with the others' errors. `force` lets what
    stands in the folder go, if it was made otherwise. `told` hears of the tally with every unit, `progress` of the
    search for copies. Raises BatchError, OutputError, InputError and FormatError.
    """
    folder = Folder(plan.output)
    with ExitStack() as stack:
        stack.enter_context(folder.locked(force=force))
        manifest = stack.enter_context(Manifest(folder.manifest))
        pool = stack.enter_context(Pool(plan.settings, plan.jobs))
        manifest.claim(_settings(plan, pool.signature), force=force)
        is_piped = any(map(_is_stdin, sources))
        if is_piped and not force and manifest.finished(PIPED, WHOLE):
            problem = "standard input was cleaned into it already; choose another DIR, or --force it anew"
            raise BatchError(folder.path, problem)  # for what comes now may be something else
        if plan.copies is not Copies.ALONE:
            sources = [_spooled(folder) if _is_stdin(source) else source for source in sources]
        batch = Batch(sources, failed, plan, folder, manifest, pool.signature, is_piped)
        tally = Tally()
        collection = stack.enter_context(_collected(batch, progress))
        with _accounted(batch, tally):
            _clean(batch, collection, pool, tally, told)
        _finish(batch, tally)
    return tally


def _clean(batch: Batch, collection: Collection | None, pool: Pool, tally: Tally, told: Told) -> None:
    """Read, restore, write. Raises BatchError after too many errors."""
    most = batch.plan.max_errors

    def copy_of(part: Part, number: int) -> CopyOf | None:
        return collection.copy_of(part.position, number) if collection else None

    def keep(unit: Unit) -> None:
        batch.manifest.keep(unit.key, unit.part.place, unit.outcomes)

    removes = batch.plan.copies is Copies.REMOVE
    with Sink(batch.folder, batch.manifest, out=batch.plan.out, copy_of=copy_of, removes=removes) as sink:
        taken = 0
        for unit in pool.ordered(_units(batch, collection, tally), keep):
            tally.add(sink.take(unit))
            told(tally, unit)
            taken += unit.size
            if taken >= GIVEN_BACK:
                taken = 0
                give_back()
            if most is not None and tally.errors > most:
                raise BatchError(batch.folder.path, f"stopped at {tally.errors:,} errors; --max-errors is {most:,}")


# before and after


def _settings(plan: Plan, signature: str) -> dict[str, str]:
    """All that the output depends on besides the inputs, by the names of the options."""
    reading = plan.reading
    return {
        "signature": signature,
        "copies": plan.copies.value,
        "out-format": plan.out.value if plan.out else "",
        "format": reading.format.value if reading.format else "",
        "text-field": reading.text_field,
        "id-field": reading.id_field,
        "encoding": reading.encoding or "",
        "html": reading.html.value,
    }


def _is_stdin(source: Source) -> bool:
    return source.path is None and not source.url


def _spooled(folder: Folder) -> Source:
    """Standard input in a file, for it is read twice. Raises InputError, OutputError."""
    path = folder.work / "stdin"
    if sys.stdin is None:
        raise InputError("stdin", "is closed")
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {reason(error)}") from error
    found = reader(Source(path, Path("stdin")))
    return Source(path, Path(f"stdin.{found.format}{found.packing}"))


@contextmanager
def _accounted(batch: Batch, tally: Tally) -> Iterator[None]:
    """However the run ends, its time, its errors and its duplicates are told."""
    started, clock = time.time(), time.perf_counter()
    try:
        yield
    except BaseException:
        with suppress(UnspinError):  # it fails for another reason, which is told
            _tell(batch, tally, started, clock)
        raise
    _tell(batch, tally, started, clock)


def _tell(batch: Batch, tally: Tally, started: float, clock: float) -> None:
    seconds, folder = time.perf_counter() - clock, batch.folder
    batch.manifest.add_run(Run(started, seconds, batch.plan.jobs, tally.documents - tally.known, tally.restored))
    with Lines(folder.errors, always=True) as errors, Lines(folder.duplicates, always=True) as duplicates:
        for row in batch.manifest.errors():
            named = {"file": row.path, "record": row.record, "place": row.location, "reason": row.reason}
            errors.add(line({key: value for key, value in named.items() if value}))
        for duplicate in batch.manifest.duplicates():
            duplicates.add(duplicate)


def _finish(batch: Batch, tally: Tally) -> None:
    """Everything was read to its end: what only a resumption needs goes."""
    batch.manifest.forget_units()
    if batch.is_piped:
        batch.manifest.begin(PIPED, 0, PIPED)
        batch.manifest.finish(PIPED, stamp=WHOLE, target="", tally=Tally())
    with Lines(batch.folder.summary) as summary:
        counts = {name: count for name, count in asdict(tally).items() if name not in ("known", "restored")}
        summary.add(line({"counts": counts, "made_with": batch.manifest.settings}))
    for path in batch.folder.work.iterdir():
        if path.name != batch.folder.lock.name:
            with suppress(OSError):
                path.unlink()


# copies


@contextmanager
def _collected(batch: Batch, progress: Progress | None) -> Iterator[Collection | None]:
    """The copies among all documents, if they are asked for; what an interrupted run found is found again."""
    if batch.plan.copies is Copies.ALONE:
        yield None
        return
    path = batch.folder.work / f"copies-{_fingerprint(batch)}.sqlite"
    if not path.exists():
        lexicon, _ = tables(batch.plan.settings)
        find(path, _documents(batch), lexicon=lexicon, memory=batch.plan.memory, progress=progress)
    with Collection.opened(path) as collection:
        yield collection


def _fingerprint(batch: Batch) -> str:
    """Changes when a document, or what is taken for a copy, does."""
    told = [repr(batch.plan.reading), batch.signature]
    for source in batch.sources:
        told += [source.name, stamp(source) or str(time.time_ns())]
    return hashlib.sha256("\0".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _documents(batch: Batch) -> Iterator[Document]:
    for position, source in enumerate(batch.sources):
        with suppress(UnspinError):  # it is recorded when it is cleaned
            for item in reader(source, batch.plan.reading):
                if isinstance(item, Record):
                    yield Document(position, item.number, source.name, item.id, item.text)


# units


def stamp(source: Source) -> str:
    """Changes when a file does; "" where that cannot be told."""
    if source.path is None:
        return ""
    try:
        state = source.path.stat()
    except OSError:
        return ""
    return f"{state.st_size}-{state.st_mtime_ns}"


def _units(batch: Batch, collection: Collection | None, tally: Tally) -> Iterator[Unit]:
    """All that is to be done, in order; what an earlier run did has its outcomes, or is counted and passed over."""
    batch.manifest.forget_unfinished()
    for error in batch.failed:
        yield _refused(Part(f"//{error.path}", 0, error.path, "", Path(), None), error)
    for position, source in enumerate(batch.sources):
        place, mark = str(source.place), stamp(source)
        known = batch.manifest.finished(place, f"{mark}/{_company(batch)}") if mark else None
        if known and (not known[0] or (batch.folder.cleaned / known[0]).exists()):
            tally.add(replace(known[1], known=known[1].documents, restored=0))
            continue
        part = Part(place, position, source.name, mark and f"{mark}/{_company(batch)}", Path(), None)
        try:
            found = reader(source, batch.plan.reading)
            target = target_place(found, out=batch.plan.out)
        except UnspinError as error:
            yield _refused(replace(part, stamp=""), error)
            continue
        is_endless = _is_stdin(source) and not is_single(found.format)
        yield from _cut(batch, replace(part, target=target, reader=found), found, collection, is_endless=is_endless)


def _company(batch: Batch) -> str:
    """What a document is read together with, as far as the scrape goes: another collection, another output."""
    return _fingerprint(batch) if batch.plan.copies is not Copies.ALONE else ""


def _refused(part: Part, error: UnspinError) -> Unit:
    """A source that cannot be opened."""
    reason = error.problem if isinstance(error, InputError) else str(error)
    return Unit(part, (Failure(part.name, 0, "", reason),), (), is_first=True, is_last=True)


def _cut(batch: Batch, part: Part, found: Reader, collection: Collection | None, *, is_endless: bool) -> Iterator[Unit]:
    """A source's records in units; an endless one's in parts, too."""
    before: Unit | None = None
    parts: dict[int, Part] = {}  # the one that is read now
    for items in _runs(_readable(found), each=SHARD if is_endless else 0):
        shard = items[0].number // SHARD if is_endless and items else 0
        is_first = shard not in parts
        if is_first:
            parts = {shard: _shard(part, shard) if is_endless else part}
        unit = _unit(batch, parts[shard], items, collection)
        unit.is_first = is_first
        if before is not None:
            before.is_last = is_first
            yield before
        before = unit
    if before is not None:
        before.is_last = True
        yield before


def _readable(found: Reader) -> Iterator[Record | Failure]:
    """A source's records, and what keeps it from being read further."""
    number = -1
    try:
        for item in found:
            number = item.number
            yield item
    except UnspinError as error:
        yield Failure(found.name, number + 1, "", error.problem if isinstance(error, InputError) else str(error))


def _shard(part: Part, number: int) -> Part:
    """A part of an endless source: its files lie in a folder of their own."""
    stem, _, suffixes = part.target.name.partition(".")
    return replace(part, place=f"{part.place}/{number:05d}", target=Path(stem, f"{number:05d}.{suffixes}"))


def _runs(items: Iterable[Record | Failure], *, each: int) -> Iterator[tuple[Record | Failure, ...]]:
    """Items as many at a time as make a unit, and never across a multiple of `each`; one run, at least."""
    held: list[Record | Failure] = []
    size, count = 0, 0
    for item in items:
        if held and (size >= UNIT or len(held) >= MOST or (each and item.number % each == 0)):
            yield tuple(held)
            held, size, count = [], 0, count + 1
        held.append(item)
        size += len(item.source) if isinstance(item, Record) else 0
    if held or not count:
        yield tuple(held)


def _unit(batch: Batch, part: Part, items: tuple[Record | Failure, ...], collection: Collection | None) -> Unit:
    records = [item for item in items if isinstance(item, Record)]
    tasks = tuple(
        Task(one.id, one.prose, collection.siblings(part.position, one.number) if collection else ()) for one in records
    )
    unit = Unit(part, items, tasks, key=_key(batch.signature, tasks))
    if known := batch.manifest.outcomes(unit.key):
        unit.outcomes, unit.is_known = known, True
    return unit


def _key(signature: str, tasks: Sequence[Task]) -> bytes:
    """Equal keys, equal outcomes."""
    key = hashlib.sha256(signature.encode())
    for task in tasks:
        prose = task.prose
        told = [task.id, prose.source, "" if prose.text == prose.source else prose.text, repr(prose.protected)]
        told += [part for sibling in task.siblings for part in sibling]
        for part in told:
            data = part.encode("utf-8", "surrogatepass")
            key.update(len(data).to_bytes(8, "little") + data)
        key.update(b"\0")
    return key.digest()
