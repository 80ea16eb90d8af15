"""Files at URLs (s3, gs, http, memory, file and what else fsspec knows), for which `pip install 'unspin[fsspec]'`.

In come URLs; out go the files below them, what they hold, and files that are put there whole or not at all. Nothing
is sent or fetched unless a URL was given. Refused, by `InputError` and `OutputError`: what is not there, may not be
read or written, or speaks a protocol whose package is not installed, which the message names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from unspin.errors import InputError, OutputError, UnspinError, reason

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # not C:\
_MAGIC = re.compile(r"[*?\[]")
_ISSUES = (OSError, ValueError, ImportError)  # an unknown protocol, one that is not installed


def is_url(argument: str) -> bool:
    """Is this a URL, and no path?"""
    return _URL.match(argument) is not None


def _located(url: str, *, is_own: bool = False) -> tuple[Any, str]:
    """The file system that a URL means, shared with others or not, and the path there."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise UnspinError(f"{url}: URLs need fsspec: pip install 'unspin[fsspec]'") from error
    file_system, path = url_to_fs(url, skip_instance_cache=is_own)
    return file_system, path


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and not error.strerror:
        return "no such file or directory"
    return reason(error)


def listed(url: str, suffixes: tuple[str, ...]) -> list[tuple[str, str]]:
    """The files that a URL names, as URLs with their paths below it: itself, those it matches as a pattern, or, of a
    directory, those that end in `suffixes` and are not hidden, by name. Raises InputError."""
    try:
        file_system, path = _located(url)
        if _MAGIC.search(path) and not file_system.exists(path):
            found = [name for name in file_system.glob(path) if file_system.isfile(name)]
            base = path[: path.rindex("/", 0, _MAGIC.search(path).start()) + 1]  # type: ignore[union-attr]
        elif file_system.isdir(path):
            base = path.rstrip("/") + "/"
            found = [name for name in file_system.find(path) if _is_wanted(name.removeprefix(base), suffixes)]
        else:
            return [(url, path.rsplit("/", 1)[-1])]
        return [(file_system.unstrip_protocol(name), name.removeprefix(base)) for name in sorted(found)]
    except _ISSUES as error:
        raise InputError(url, _reason(error)) from error


def _is_wanted(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.lower().endswith(suffixes) and not any(part.startswith(".") for part in name.split("/"))


def opened(url: str) -> IO[bytes]:
    """What stands at a URL, to read; seekable where its protocol allows. Raises InputError."""
    try:
        file_system, path = _located(url)
        stream: IO[bytes] = file_system.open(path, "rb")
    except _ISSUES as error:
        raise InputError(url, _reason(error)) from error
    return stream


def exists(url: str) -> bool:
    """Whether something is there. Raises InputError if that cannot be said."""
    try:
        file_system, path = _located(url)
        return bool(file_system.exists(path))
    except _ISSUES as error:
        raise InputError(url, _reason(error)) from error


@contextmanager
def replacing(url: str) -> Iterator[IO[bytes]]:
    """A stream whose content stands at the URL once the block ends well, and not before. Raises OutputError."""
    try:
        file_system, path = _located(url, is_own=True)  # for a transaction is of all that is written through it
        with suppress(OSError, NotImplementedError):  # where there are no folders, none is made
            file_system.makedirs(path.rpartition("/")[0], exist_ok=True)
        with file_system.transaction, file_system.open(path, "wb") as stream:
            yield stream
    except _ISSUES as error:
        raise OutputError(url, f"cannot be written: {_reason(error)}") from error
