"""How commands read the records of files: each has a name, and what cannot be read is told of, and passed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unspin import formats
from unspin.commands.terminal import Failures, say
from unspin.errors import InputError
from unspin.files import Source
from unspin.formats import Failure, Reader, Reading, Record, Whole


def label(reader: Reader, record: Record) -> str:
    """What a record is called: the file, if that is the record, or else `FILE#ID`."""
    if formats.is_single(reader.format):
        return reader.name
    return record.id if record.id.startswith(f"{reader.name}#") else f"{reader.name}#{record.id}"


def opened(found: Iterable[Source], reading: Reading, failures: Failures, *, quiet: bool = False) -> Iterator[Reader]:
    """The files that can be opened, one at a time."""
    for source in found:
        reader = None
        with failures.told():
            reader = formats.reader(source, reading)
        if reader is not None:
            if reader.is_guessed and not quiet:
                say(f"{source.name}: not UTF-8, read as {reader.encoding}")
            yield reader


def items(reader: Reader, failures: Failures, *, quiet: bool = False) -> Iterator[Record | Failure]:
    """All that stands in a file; of what cannot be read, and of a text whose encoding was guessed, is told."""
    with failures.told():
        for one in reader:
            if isinstance(one, Failure):
                failures.add(one)
            elif not quiet:
                tell_guess(reader, one)
            yield one


def records(reader: Reader, failures: Failures, *, quiet: bool = False) -> Iterator[Record]:
    """What can be read of a file."""
    return (one for one in items(reader, failures, quiet=quiet) if isinstance(one, Record))


def tell_guess(reader: Reader, record: Record) -> None:
    """Say so if nothing in a text told its encoding."""
    if isinstance(record.origin, Whole) and record.origin.is_guessed:
        say(f"{label(reader, record)}: not UTF-8, read as {record.origin.encoding}")


def refuse_whole(reader: Reader, failure: Failure) -> None:
    """Raises InputError if the file is what cannot be read, so that nothing of it is left."""
    if formats.is_single(reader.format):
        raise InputError(reader.name, ": ".join(filter(None, (failure.place, failure.reason))))


def is_numbered(reader: Reader, record: Record) -> bool:
    """Has a record no id of its own, so that it is called by its number?"""
    return record.id == formats.numbered(reader.name, record.number)


def is_called(reader: Reader, record: Record, name: str) -> bool:
    """Does a name mean a record: its id, its label or, where it has no id of its own, its number?"""
    number = name.rpartition("#")[2] if is_numbered(reader, record) else None
    return name in (record.id, label(reader, record)) or number == str(record.number)
