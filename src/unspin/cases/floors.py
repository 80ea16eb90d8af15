"""Floors, recorded in the case files themselves, whose comments and layout stay.

In come a case file and counts; out goes the same file with another `[floor]`. Refused, by `InputError` and
`OutputError`: a file that cannot be read or written.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from unspin.cases.model import Case, Counts, Result, Verdict
from unspin.errors import InputError, reason
from unspin.files import write_atomic


def floor_to_record(result: Result, *, allow_regression: bool) -> Counts | None:
    """The floor that a result deserves, if another than stands there; a known failure has none."""
    match result.verdict:
        case Verdict.IMPROVED:
            return result.counts
        case Verdict.REGRESSED if allow_regression:
            return result.counts
        case _:
            return None


def record(case: Case, floor: Counts) -> None:
    """Write a floor into the case's file, all of it or, on any failure, nothing."""
    write_atomic(case.path, with_floor(_read(case.path), floor).encode())


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise InputError(path, reason(error)) from error


def with_floor(text: str, floor: Counts) -> str:
    """The text of a case file with this floor; nothing else in it changes.

    >>> print(with_floor("label = 'a'  # short" + chr(10), Counts(restored=2)))
    label = 'a'  # short
    <BLANKLINE>
    [floor]
    restored = 2
    wrong = 0
    missed = 0
    spurious = 0
    <BLANKLINE>
    """
    import tomlkit  # slow to import, and seldom needed

    mark, text = text[: text.startswith("\ufeff")], text.removeprefix("\ufeff")
    ends = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += ends
    document = tomlkit.parse(text)
    if "floor" in document:
        table = document["floor"]
        for key, count in asdict(floor).items():
            table[key] = count
        made = document.as_string()
    else:
        lines = [f"{key} = {count}" for key, count in asdict(floor).items()]
        made = text + ends.join(["", "[floor]", *lines, ""])
    return mark + made
