"""Texts from files, and files that are written whole or not at all.

In come sources; out go texts, exact to the last character, with the encoding to write them back in. A byte-order mark
and the line breaks are part of the text, so whatever is not edited stays byte-identical. Refused, by `InputError`: what
is missing, unreadable, binary, or in no encoding that fits. Refused, by `OutputError`: a target that cannot be
written; it stays as it was.
"""

from __future__ import annotations

import codecs
import errno
import gzip
import os
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO

from unspin import remote
from unspin.errors import InputError, OutputError, reason

Stamp = tuple[int, int, int]  # of a file: its number, its size, and when it was last changed

STDIN = "-"
STALE = 60.0  # seconds after which what a writer has left behind may go
CHUNK_LINES = 2_000  # of a long text, handed on at a time

_MARKS = (  # the longer first: that of UTF-32 LE begins like that of UTF-16 LE
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Encodings in which scraped pages come, besides UTF-8; without the list, short texts are taken for curiosities.
_WESTERN = "cp1252"
_CYRILLIC = ("cp1251", "koi8_r")
_ASIAN = ("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr")
_LEGACY = (_WESTERN, "cp1250", *_CYRILLIC, "cp1253", "cp1254", "cp1255", "cp1256", "mac_roman", *_ASIAN)
# Without a mark: the width of a character and the places in it that are NUL in Western text; the wider first.
_WIDE = (
    ("utf-32-le", 4, (1, 2, 3)),
    ("utf-32-be", 4, (0, 1, 2)),
    ("utf-16-le", 2, (1,)),
    ("utf-16-be", 2, (0,)),
)
_HEAD = 4096  # bytes of a file that are looked at for that
_MOST_NULS = 0.9  # of the bytes at such a place: curly quotes and dashes have none
_CONTROLS = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a\x1b"})  # no text holds these
_MOST_CONTROLS = 0.01  # of a file's bytes; a scraped text may hold a stray one


@dataclass(frozen=True, slots=True)
class Source:
    """Where a text comes from: a `path`, a `url` or, without either, standard input; `place` is its path below an
    output directory."""

    path: Path | None
    place: Path
    url: str = ""

    @property
    def name(self) -> str:
        """What messages and patches call it."""
        return self.url or (str(self.path) if self.path else "stdin")


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text as it was read; `is_guessed` if nothing in the file says that this is its encoding.

    `stamp` tells the file as it was then from what it may have become.
    """

    text: str
    encoding: str
    is_guessed: bool
    stamp: Stamp | None = field(default=None, compare=False)


def exists(path: Path) -> bool:
    """Whether something is there. Never raises: what may not be asked about is refused when it is read or written."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises for closed folders and for endless names


def read(source: Source) -> SourceText:
    """A text in UTF-8, UTF-16, UTF-32 (Western text, if without a byte-order mark) or a legacy encoding that fits.

    Raises InputError.
    """
    data, stamp = contents(source)
    return replace(decode(data, name=source.name), stamp=stamp)


def contents(source: Source) -> tuple[bytes, Stamp | None]:
    """What a source holds and, of a file, its stamp. Raises InputError."""
    try:
        with opened(source) as stream:
            stamp = stamp_of(stream) if source.path else None
            data = stream.read()
            if source.path and stamp != stamp_of(stream):
                raise InputError(source.name, "changed while it was read; try again")
            return data, stamp
    except OSError as error:
        raise InputError(source.name, reason(error)) from error


@contextmanager
def opened(source: Source) -> Iterator[IO[bytes]]:
    """A source's bytes, to read; standard input stays open. Raises InputError if it cannot be opened."""
    if source.url:
        with remote.opened(source.url) as stream:
            yield stream
    elif source.path is None:
        if sys.stdin is None:  # `<&-` in a shell
            raise InputError(source.name, "is closed")
        yield sys.stdin.buffer
    else:
        try:
            stream = source.path.open("rb")
        except OSError as error:
            raise InputError(source.name, reason(error)) from error
        with stream:
            yield stream


def read_text(path: Path) -> str:
    """The text of a file, as `read` finds it. Raises InputError."""
    return read(Source(path, Path(path.name))).text


def decode(data: bytes, *, name: str, encoding: str | None = None, declared: str = "") -> SourceText:
    """Bytes as text, such that encoding it again gives the same bytes. Raises InputError, which says `name`.

    `encoding` is the one to take, right or wrong; `declared` one to try before guessing, if it is not UTF-8.
    """
    if encoding:
        return _as_told(data, name, encoding)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return SourceText(data.decode(encoding), encoding, False)
            except UnicodeDecodeError as error:
                raise InputError(name, f"begins as {encoding} and breaks off at byte {error.start}") from error
    if _is_binary(data):
        wide = _wide(data)
        if wide is None:
            raise InputError(name, "binary file, not text")
        return wide
    try:
        return SourceText(data.decode("utf-8"), "utf-8", False)
    except UnicodeDecodeError as error:
        if declared:
            with suppress(InputError):
                return _as_told(data, name, declared)
        return _guessed(data, name, error.start)


def _as_told(data: bytes, name: str, encoding: str) -> SourceText:
    try:
        text = data.decode(encoding)
        if text.encode(encoding) == data:
            return SourceText(text, encoding, False)
    except UnicodeDecodeError as error:
        raise InputError(name, f"is not {encoding}: byte {error.start}") from error
    except (LookupError, UnicodeError) as error:
        raise InputError(name, f"cannot be read as {encoding} ({error})") from error
    raise InputError(name, f"is not {encoding}, or not as any program would write it")


def _is_binary(data: bytes) -> bool:
    return b"\0" in data or len(data) - len(data.translate(None, _CONTROLS)) > _MOST_CONTROLS * len(data)


def _wide(data: bytes) -> SourceText | None:
    head = data[:_HEAD]
    for encoding, width, places in _WIDE:
        columns = [head[place::width] for place in places]
        if all(column and column.count(0) >= _MOST_NULS * len(column) for column in columns):
            with suppress(UnicodeDecodeError):
                text = data.decode(encoding)
                if not _is_binary(text.encode()):
                    return SourceText(text, encoding, True)
    return None


def _guessed(data: bytes, name: str, bad: int) -> SourceText:
    from charset_normalizer import from_bytes  # slow to import, and seldom needed

    matches = from_bytes(data, cp_isolation=list(_LEGACY))
    best = matches.best()
    if best is None:
        raise InputError(name, f"not text: byte {bad} is not UTF-8, and no other encoding fits")
    # A short text fits several: among equals the one that most English texts are in.
    equals = (m for m in matches if (m.chaos, m.coherence) == (best.chaos, best.coherence))
    encoding = _WESTERN if any(_WESTERN in m.could_be_from_charset for m in equals) else best.encoding
    with suppress(UnicodeError):
        text = data.decode(encoding)
        if text.encode(encoding) == data:
            return SourceText(text, encoding, True)
    raise InputError(name, f"looks like {encoding} but is damaged; convert it to UTF-8")


def chunks(path: Path, *, start: float = 0.0, stop: float = 1.0) -> Iterator[str]:
    """A UTF-8 text, plain or gzipped (`.gz`), in runs of CHUNK_LINES lines; bounds memory.

    `start`, `stop`: the share of its lines to begin and to end at, so that the rest can be kept for measuring.
    Raises InputError.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        first, last = 0, sys.maxsize
        if (start, stop) != (0.0, 1.0):
            with opener(path, "rt", encoding="utf-8") as file:
                count = sum(1 for _ in file)
            first, last = int(start * count), int(stop * count)
        with opener(path, "rt", encoding="utf-8") as file:
            wanted = islice(file, first, last)
            while lines := list(islice(wanted, CHUNK_LINES)):
                yield "".join(lines)
    except OSError as error:
        raise InputError(path, reason(error)) from error
    except (EOFError, UnicodeDecodeError) as error:
        raise InputError(path, f"cannot be read as UTF-8 ({error})") from error


def write_atomic(path: Path, data: bytes, *, stamp: Stamp | None = None) -> None:
    """Put `data` in place of a file, all of it or, on any failure, nothing. Raises OutputError as `replacing` does."""
    with replacing(path, stamp=stamp) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, *, stamp: Stamp | None = None) -> Iterator[IO[bytes]]:
    """A stream whose content takes the place of a file once the block ends well; if not, the file stays as it was.

    Links are followed, its mode is kept. The new content has no name, or where the system cannot do that one of its own
    beside the file, until it is on the disk; what a process that was killed has left there goes. A file that may not be
    written is not replaced either, and neither is what is no file, or one that is no longer as `stamp` says it was
    read. Raises OutputError.
    """
    target = Path(os.path.realpath(path))
    if exists(target) and not target.is_file():
        raise OutputError(path, "cannot be written: not a regular file")
    temporary = target.with_name(f".unspin-{secrets.token_hex(8)}.tmp")
    try:
        if exists(target) and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with _fresh(temporary) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            _take_over(target, file.fileno())
            if stamp and stamp != stamp_at(target):
                raise OutputError(path, "changed while it was worked on; not written")
            is_nameless = not exists(temporary)
            if is_nameless:
                _name(file, temporary)
                temporary.replace(target)  # at once: what dies in between leaves the name
        if not is_nameless:
            temporary.replace(target)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {reason(error)}") from error
    finally:
        with suppress(OSError):  # gone already, if all went well
            temporary.unlink()
    sweep(target.parent)


def _fresh(path: Path) -> IO[bytes]:
    """A new file, locked: without a name until it is linked, where the system can do that, so that it goes with the
    process; or else with the one given."""
    if hasattr(os, "O_TMPFILE") and exists(Path("/proc/self/fd")):
        with suppress(OSError):
            return os.fdopen(os.open(path.parent, os.O_TMPFILE | os.O_RDWR, 0o666), "w+b")
    file = path.open("xb")
    _is_locked(file.fileno())
    return file


def _name(file: IO[bytes], path: Path) -> None:
    """Give a file without a name one; where the system cannot do that, copy it."""
    try:  # with a folder, Python follows the link in /proc; without one, it would be linked itself
        os.link(f"/proc/self/fd/{file.fileno()}", path, src_dir_fd=file.fileno())
    except OSError:
        with path.open("xb") as named:
            file.seek(0)
            shutil.copyfileobj(file, named)
            named.flush()
            os.fsync(named.fileno())
            os.fchmod(named.fileno(), stat.S_IMODE(os.fstat(file.fileno()).st_mode))


def _is_locked(number: int) -> bool:
    """Lock a file, as long as it is open. Does somebody else have it?"""
    try:
        import fcntl
    except ImportError:  # Windows: nothing is known, so nothing is swept
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def sweep(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder: files of theirs, old enough, that nobody holds."""
    with suppress(OSError):
        for path in folder.glob(".unspin-*.tmp"):
            with suppress(OSError):
                if path.is_file() and time.time() - path.stat().st_mtime > STALE:
                    with path.open("rb") as file:
                        if not _is_locked(file.fileno()):
                            path.unlink()


def is_regular(stream: IO[bytes]) -> bool:
    """Is this a file, and no pipe, which can be read once only?"""
    return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)


def stamp_of(stream: IO[bytes]) -> Stamp:
    """The stamp of an open file."""
    return _stamp(os.fstat(stream.fileno()))


def stamp_at(path: Path) -> Stamp | None:
    """The stamp of the file that is there, if any is."""
    with suppress(OSError):
        return _stamp(path.stat())
    return None


def _stamp(state: os.stat_result) -> Stamp:
    return state.st_ino, state.st_size, state.st_mtime_ns


def _take_over(target: Path, file: int) -> None:
    """Mode and, as far as allowed, owner of the file that is about to be replaced."""
    with suppress(FileNotFoundError):
        state = target.stat()
        if hasattr(os, "chown"):
            with suppress(OSError):
                os.chown(file, state.st_uid, state.st_gid)
        os.chmod(file, stat.S_IMODE(state.st_mode))
