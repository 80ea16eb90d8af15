"""Bytes in, unpacked as they are read; bytes out, packed, and there as a whole or not at all.

In come sources; out go streams in bounded memory, whatever a packed file unpacks to. Where a file breaks off or is
damaged, `Broken` says where; what came before has been read by then.
"""

from __future__ import annotations

import gzip
import io
import shutil
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from unspin import files, remote
from unspin.errors import InputError, UnspinError, reason
from unspin.files import Source, Stamp
from unspin.formats.model import Packing

HEAD = 1 << 16  # bytes by which a format and an encoding are recognised, and
ENOUGH = 1 << 12  # how many of them are waited for
_MAGIC = ((b"\x1f\x8b", Packing.GZIP), (b"\x28\xb5\x2f\xfd", Packing.ZSTD))
_GZIP_LEVEL = 6  # that of gzip itself; Python's 9 takes twice the time for 1 % less


class Broken(Exception):
    """A stream that cannot be read on, after `position` unpacked bytes."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"byte {position}: {reason}")
        self.reason = reason
        self.position = position


def _zstd() -> Any:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as error:
        raise UnspinError("files in Zstandard need backports.zstd: pip install 'unspin[formats]'") from error
    return zstd


def _unpacked(packing: Packing, stream: IO[bytes]) -> tuple[IO[bytes], tuple[type[Exception], ...]]:
    """The stream behind a packed one, and what it raises where that is damaged."""
    match packing:
        case Packing.GZIP:
            return gzip.GzipFile(fileobj=stream), (EOFError, OSError, zlib.error)  # type: ignore[return-value]
        case Packing.ZSTD:
            zstd = _zstd()
            return zstd.ZstdFile(stream), (EOFError, OSError, zstd.ZstdError)
        case Packing.NONE:
            return stream, (OSError,)


class Unpacked(io.RawIOBase):
    """What a stream unpacks to. Reading raises Broken where it cannot go on."""

    def __init__(self, packing: Packing, stream: IO[bytes]) -> None:
        self.position = 0
        self._stream, self._damages = _unpacked(packing, stream)

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def readinto(self, buffer: Any) -> int:
        try:
            read = getattr(self._stream, "read1", self._stream.read)
            data: bytes = read(len(buffer))
        except self._damages as error:
            breaks = isinstance(error, EOFError)
            problem = "breaks off" if breaks else f"damaged: {reason(error)}"
            raise Broken(problem, self.position) from error
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)


class _Rejoined(io.RawIOBase):
    """A stream of which the beginning was read already."""

    def __init__(self, head: bytes, rest: IO[bytes], *, is_recorded: bool = False) -> None:
        self._head = head
        self._rest = rest
        self._taken: bytearray | None = bytearray() if is_recorded else None

    def taken_and_left(self) -> bytes:
        """What was read so far, if that is recorded, and what is left of the beginning."""
        return bytes(self._taken or b"") + self._head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._head:
            data, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        else:
            data = getattr(self._rest, "read1", self._rest.read)(len(buffer))
        if self._taken is not None:
            self._taken += data
        buffer[: len(data)] = data
        return len(data)


def _beginning(stream: IO[bytes]) -> bytes:
    """What is there to read, up to HEAD: of a pipe that is slow to fill, enough to tell the format."""
    read = getattr(stream, "read1", stream.read)
    start = b""
    while len(start) < ENOUGH and (more := read(HEAD - len(start))):
        start += more
    return start


class Input:
    """A source's bytes, which can be read many times; those of standard input and of pipes once, unless they are kept.

    `head` is how they begin, unpacked; `stamp` tells the file as it was then from what it may have become.
    """

    def __init__(self, source: Source) -> None:
        """Raises InputError if the source cannot be read."""
        self.source = source
        self.stamp: Stamp | None = None
        self._once: IO[bytes] | None = None
        self._copy: IO[bytes] | None = None
        try:
            with ExitStack() as stack:
                stream = stack.enter_context(files.opened(source))
                self._start = self.head = _beginning(stream)
                self.packing = next((how for magic, how in _MAGIC if self._start.startswith(magic)), Packing.NONE)
                if self.packing:
                    self.head = self._unpacked_head(stream)
                if source.path and files.is_regular(stream):
                    self.stamp = files.stamp_of(stream)
                elif not source.url:
                    self._once, self._open = stream, stack.pop_all()  # a pipe that is closed is gone
        except OSError as error:
            raise InputError(source.name, reason(error)) from error

    def _unpacked_head(self, stream: IO[bytes]) -> bytes:
        """What the beginning unpacks to; for that, more of the stream may have to be read."""
        packed = _Rejoined(self._start, stream, is_recorded=True)
        try:
            return io.BufferedReader(Unpacked(self.packing, io.BufferedReader(packed)), HEAD).read1(HEAD)
        except Broken:
            return b""
        finally:
            self._start = packed.taken_and_left()

    @property
    def is_again(self) -> bool:
        """Can it be read again?"""
        return self._once is None or self._copy is not None

    @property
    def is_changed(self) -> bool:
        """Is the file no longer what it was when it was opened first?"""
        assert self.source.path or not self.stamp
        path = self.source.path
        return path is not None and self.stamp is not None and self.stamp != files.stamp_at(path)

    def keep(self, folder: Path | None = None) -> None:
        """Copy what can be read once only to a temporary file, so that it can be read again. Raises InputError."""
        if not self.is_again:
            copy = TemporaryFile(dir=folder)  # noqa: SIM115 - it stays open as long as this does
            with self.raw() as stream:
                shutil.copyfileobj(stream, copy)
            self._copy = copy

    @contextmanager
    def raw(self) -> Iterator[IO[bytes]]:
        """The bytes as they stand there. Raises InputError."""
        if self._copy:
            self._copy.seek(0)
            yield self._copy
        elif self._once:
            yield io.BufferedReader(_Rejoined(self._start, self._once))
        else:
            with files.opened(self.source) as stream:
                yield stream

    @contextmanager
    def opened(self) -> Iterator[io.BufferedReader]:
        """The unpacked bytes; reading them raises Broken. Raises InputError."""
        with self.raw() as stream:
            yield io.BufferedReader(Unpacked(self.packing, stream), HEAD)

    @contextmanager
    def seekable(self) -> Iterator[IO[bytes]]:
        """The unpacked bytes, to read in any order; for that, a packed file is unpacked on the disk, and what can be
        read once only is kept there. Raises Broken."""
        self.keep()
        if not self.packing:
            with self.raw() as stream:
                yield stream
            return
        with TemporaryFile() as copy:
            with self.opened() as stream:
                shutil.copyfileobj(stream, copy)
            copy.seek(0)
            yield copy


Target = Path | str | IO[bytes]


@contextmanager
def created(target: Target, packing: Packing, *, stamp: Stamp | None = None) -> Iterator[IO[bytes]]:
    """A stream that packs what is written; its file is there once the block ends well, unless the one whose place it
    takes is no longer as `stamp` says. Raises OutputError."""
    with _replacing(target, stamp) as stream:
        match packing:
            case Packing.NONE:
                yield stream
            case Packing.GZIP:  # no name and no time: equal contents make equal files
                with gzip.GzipFile("", "wb", _GZIP_LEVEL, stream, mtime=0) as packed:
                    yield packed  # type: ignore[misc]  # a stream but for its name
            case Packing.ZSTD:
                with _zstd().ZstdFile(stream, "wb") as packed:
                    yield packed


@contextmanager
def _replacing(target: Target, stamp: Stamp | None) -> Iterator[IO[bytes]]:
    if isinstance(target, str) and remote.is_url(target):
        with remote.replacing(target) as stream:
            yield stream
    elif isinstance(target, str | Path):
        with files.replacing(Path(target), stamp=stamp) as stream:
            yield stream
    else:
        yield target


def named(name: str) -> Packing:
    """How a file of this name is packed."""
    return next((packing for packing in Packing if packing and name.lower().endswith(packing)), Packing.NONE)
