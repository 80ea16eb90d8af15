"""The output of a batch: where things lie in its folder, who may write there, and files of lines that appear whole.

    cleaned/         the restored texts, at the places and in the formats that they came in
    edits/, held/    per text, what was changed and what waits for a person, as JSON Lines; no file for nothing
    errors.jsonl     what could not be read or restored
    duplicates.jsonl repeated paragraphs, and copies among documents
    summary.json     counts, and what the output was made with
    manifest.sqlite  what is done
    .work/           what a run needs while it lasts

Refused, by `BatchError`: a folder in which another batch is at work, and one with contents of another kind.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from unspin.errors import BatchError, OutputError, reason

TEMPORARY = ".unspin-*.tmp"  # what an interrupted run leaves behind


class Folder:
    """The paths in an output folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cleaned, self.edits, self.held, self.work = (path / n for n in ("cleaned", "edits", "held", ".work"))
        self.lock = self.work / "lock"
        self.errors, self.duplicates = path / "errors.jsonl", path / "duplicates.jsonl"
        self.summary, self.manifest = path / "summary.json", path / "manifest.sqlite"

    @contextmanager
    def locked(self, *, force: bool = False) -> Iterator[None]:
        """Make the folder, if it is not there, and keep other batches out of it. Raises BatchError, OutputError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            is_ours = self.manifest.exists() or force
            if not is_ours and any(entry.name != ".work" for entry in self.path.iterdir()):
                raise BatchError(self.path, "is not empty, and no batch's output; choose another DIR, or --force")
            self.work.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(self.path, f"cannot be made: {reason(error)}") from error
        # A lock of SQLite's is there on every system, and ends with the process, however that ends.
        with closing(sqlite3.connect(self.lock, timeout=0.0, isolation_level=None)) as lock:
            try:
                lock.execute("begin exclusive")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                    problem = "another batch is at work here; wait for it, or choose another DIR"
                    raise BatchError(self.path, problem) from error
                raise OutputError(self.path, f"cannot be locked: {error}") from error
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove what a run that was killed left half written."""
        for folder in (self.path, *(path for path in (self.cleaned, self.edits, self.held) if path.is_dir())):
            for path in folder.glob(TEMPORARY) if folder == self.path else folder.rglob(TEMPORARY):
                with suppress(OSError):
                    path.unlink()


class Lines:
    """A file of lines that is there, all of it, when its `with` statement ends well; without a line, it is there only
    `always`. Raises OutputError.
    """

    def __init__(self, path: Path, *, always: bool = False) -> None:
        self.path, self._always = path, always
        self._temporary = path.with_name(f".unspin-{secrets.token_hex(8)}.tmp")
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def add(self, lines: str) -> None:
        """Add lines, each with its line break."""
        if lines:
            with self._told():
                self._opened().write(lines.encode("utf-8", "surrogatepass"))

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._temporary.open("xb")
        return self._file

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(self.path, f"cannot be written: {reason(error)}") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with self._told():
                    self._appear()
        finally:
            if self._file is not None:
                with suppress(OSError):
                    self._file.close()
                with suppress(OSError):  # gone already, if all went well
                    self._temporary.unlink()

    def _appear(self) -> None:
        if self._file is None and not self._always:
            self.path.unlink(missing_ok=True)
            return
        file = self._opened()
        file.flush()
        os.fsync(file.fileno())
        file.close()
        self._temporary.replace(self.path)


def line(row: dict[str, Any]) -> str:
    """A row as a line of JSON that every program reads: stray surrogates and odd line breaks are escaped."""
    return json.dumps(row, ensure_ascii=True) + "\n"
