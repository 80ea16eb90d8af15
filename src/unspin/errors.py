"""Named failures: one root, each saying where it happened and what to do next.

The command line turns every `UnspinError` into one line on stderr and exit code 3 (2 for `UsageError`);
nothing else is caught, so that a bug in unspin itself is never dressed up as bad input.
"""

from __future__ import annotations

from pathlib import Path


def reason(error: Exception) -> str:
    """What went wrong, in words that fit a sentence of ours."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


class UnspinError(Exception):
    """The root of all failures that unspin names."""


class InputError(UnspinError):
    """A text that cannot be read: missing, unreadable, binary or in an unknown encoding."""

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = str(path)
        self.problem = problem


class FormatError(UnspinError):
    """A file of ours (lexicon, pairs, markup, model) that is malformed at a known place.

    `line` and `column` count from 1; 0 means the whole file or the whole line.
    """

    def __init__(self, path: Path | str, problem: str, *, line: int = 0, column: int = 0) -> None:
        place = ":".join([str(path), *(str(n) for n in (line, column) if n)])
        super().__init__(f"{place}: {problem}")
        self.path = str(path)
        self.problem = problem
        self.line = line
        self.column = column


class LexiconError(FormatError):
    """A malformed lexicon."""


class EditConflict(UnspinError):
    """Edits that overlap, lie outside the text, or do not quote the text they replace."""

    def __init__(self, start: int, end: int, problem: str) -> None:
        super().__init__(f"edit at {start}:{end}: {problem}")
        self.start = start
        self.end = end


class OutputError(UnspinError):
    """A result that cannot be written; whatever stood at the target still stands there."""

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = str(path)


class LedgerError(UnspinError):
    """A review's ledger that cannot be used: not one, locked, read-only, written by a newer version, out of reach."""

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = str(path)
        self.problem = problem


class IndexFault(UnspinError):
    """An index of passages that cannot be used: missing, damaged, in use, or made in another way; nothing is lost."""

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = str(path)
        self.problem = problem


class ConfigError(UnspinError):
    """Settings in a file that are none: not TOML, or with keys or values that no option has."""

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = str(path)
        self.problem = problem


class BatchError(UnspinError):
    """A batch that cannot go on: its output is in use, made in another way, or not a batch's; nothing is lost."""

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = str(path)
        self.problem = problem


class SparkFault(UnspinError):
    """A Spark session that lacks what a job needs, with what to do about it."""


class Overtaken(UnspinError):
    """An answer that comes too late: somebody else decided in the meantime, or the text is another by now."""
