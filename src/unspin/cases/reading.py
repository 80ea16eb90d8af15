"""Case files, read: TOML in, `Case` out.

Texts stand in the file or, as `{ file = "name" }`, in one beside it. Refused, by `InputError`: what cannot be read,
and folders without cases. Refused, by `FormatError`, with the key and, where the reader of TOML knows it, the line:
malformed TOML or markup, keys that are unknown or missing, values of the wrong kind.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from unspin.cases.model import SUFFIX, Case, Counts, Settings
from unspin.errors import FormatError, InputError, reason
from unspin.files import exists, read_text
from unspin.gold import Gold, gold_from_pair, parse_markup

Value = TypeVar("Value")

_NEEDED = frozenset({"label", "why", "origin", "input"})
_KNOWN = _NEEDED | {"output", "options", "floor", "xfail"}
_COUNTS = ("restored", "wrong", "missed", "spurious")
_PLACE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


def find_cases(arguments: Sequence[str | Path]) -> tuple[list[Path], list[InputError]]:
    """The case files that arguments name: files, and folders, walked in order of name; each once.

    Hidden folders are passed over. Folders without cases, and those that cannot be listed, come back as errors.
    """
    found: dict[str, Path] = {}
    errors: list[InputError] = []
    for argument in map(Path, arguments):
        inside = [argument]
        if exists(argument) and argument.is_dir():
            known = len(errors)
            inside = list(_walk(argument, errors))
            if not inside and len(errors) == known:
                errors.append(InputError(argument, f"no cases in this directory (*{SUFFIX})"))
        for path in inside:
            found.setdefault(os.path.realpath(path), path)
    return list(found.values()), errors


def _walk(directory: Path, errors: list[InputError]) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        errors.append(InputError(error.filename or directory, reason(error)))

    for folder, subfolders, names in os.walk(directory, onerror=refuse):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(SUFFIX))


def read_case(path: Path) -> Case:
    """The case of a file. Raises InputError or FormatError."""
    table = _Table(path, _toml(path), "")
    table.refuse_unknown(_KNOWN)
    for key in sorted(_NEEDED - table.values.keys()):
        raise FormatError(path, f"no {key!r}: a case needs {', '.join(sorted(_NEEDED))}")
    output = table.prose("output") if "output" in table.values else None
    options, floor = table.inner("options"), table.inner("floor")
    try:
        return Case(
            path=path,
            label=table.words("label"),
            why=table.words("why"),
            origin=table.words("origin"),
            gold=gold_of(table.prose("input"), output, name=f"{path}: input"),
            output=output,
            settings=_settings(options) if options else Settings(),
            floor=_floor(floor) if floor else None,
            xfail=table.words("xfail") if "xfail" in table.values else "",
        )
    except ValueError as error:
        raise FormatError(path, str(error)) from error


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputError(path, reason(error)) from error
    except UnicodeDecodeError as error:
        raise FormatError(path, f"not UTF-8 (byte {error.start})") from error
    except RecursionError as error:
        raise FormatError(path, "nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and numbers too long to read
        place = _PLACE.fullmatch(str(error))
        if not place:
            raise FormatError(path, f"not TOML: {error}") from error
        raise FormatError(path, f"not TOML: {place[1]}", line=int(place[2]), column=int(place[3])) from error


def gold_of(text: str, output: str | None, *, name: str) -> Gold:
    """What a text must restore to: it is markup, unless the whole output is given; then brackets are text.

    Raises FormatError, or ValueError if only the output has words.
    """
    if output is None:
        return parse_markup(text, name=name)
    return gold_from_pair(output, text, cased=True)


class _Table:
    """A table of a case file; knows what to call its keys."""

    def __init__(self, path: Path, values: dict[str, Any], prefix: str) -> None:
        self.path, self.values, self.prefix = path, values, prefix

    def refuse(self, key: str, problem: str) -> FormatError:
        return FormatError(self.path, f"{self.prefix}{key}: {problem}")

    def refuse_unknown(self, known: frozenset[str]) -> None:
        for key in self.values:
            if key not in known:
                raise self.refuse(key, f"unknown key; known are {', '.join(sorted(known))}")

    def get(self, key: str, kind: type[Value], called: str) -> Value:
        value = self.values[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.refuse(key, f"{called} belongs here, not {value!r:.60}")
        return value

    def words(self, key: str) -> str:
        """A string that says something."""
        value = self.get(key, str, "a string")
        if not value.strip():
            raise self.refuse(key, "empty")
        return value

    def prose(self, key: str) -> str:
        """A text, here or in a file beside the case."""
        return self.text(key, self.values[key])

    def text(self, key: str, value: object) -> str:
        if isinstance(value, str):
            return value
        if not isinstance(value, dict) or value.keys() != {"file"} or not isinstance(value["file"], str):
            raise self.refuse(key, f'a string or {{ file = "name" }} belongs here, not {value!r:.60}')
        return read_text(self.beside(key, value["file"]))

    def beside(self, key: str, name: str) -> Path:
        """A file in the case's folder or below it: a case takes nothing from elsewhere."""
        folder = self.path.parent
        if "\0" in name or not Path(os.path.realpath(folder / name)).is_relative_to(os.path.realpath(folder)):
            raise self.refuse(key, f"{name!r} does not stand beside the case")
        return folder / name

    def each(self, key: str, one: Callable[[str, object], str]) -> tuple[str, ...]:
        """A value, or several."""
        value = self.values[key]
        return tuple(one(key, item) for item in (value if isinstance(value, list) else [value]))

    def inner(self, key: str) -> _Table | None:
        """A table inside."""
        if key not in self.values:
            return None
        values: dict[str, Any] = self.get(key, dict, "a table")
        return _Table(self.path, values, f"{key}.")


def _settings(table: _Table) -> Settings:
    readers: dict[str, Callable[[str], Any]] = {
        "lexicon": lambda key: table.each(key, lambda _, value: _name(table, key, value)),
        "ranker": lambda key: _name(table, key, table.words(key)),
        "min_confidence": lambda key: _share(table, key),
        "keep_duplicates": lambda key: table.get(key, bool, "true or false"),
        "assume_spun": lambda key: table.get(key, bool, "true or false"),
        "siblings": lambda key: table.each(key, table.text),
    }
    table.refuse_unknown(frozenset(readers))
    fields = {"lexicons" if key == "lexicon" else key: readers[key](key) for key in table.values}
    return Settings(**fields)


def _name(table: _Table, key: str, value: object) -> str:
    """The name of something shipped as it stands; a path, from the case's folder on."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise table.refuse(key, f"a name or a path belongs here, not {value!r:.60}")
    if "://" in value:
        raise table.refuse(key, "a case is restored without a network")
    inside = table.path.parent / value
    return str(inside) if exists(inside) or len(Path(value).parts) > 1 else value


def _share(table: _Table, key: str) -> float:
    value = table.values[key]
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0.0 <= value <= 1.0:
        raise table.refuse(key, f"a number from 0 to 1 belongs here, not {value!r:.60}")
    return float(value)


def _floor(table: _Table) -> Counts:
    table.refuse_unknown(frozenset(_COUNTS))
    for key in _COUNTS:
        if key not in table.values:
            raise table.refuse(key, f"missing; a floor has {', '.join(_COUNTS)}")
        if table.get(key, int, "a count") < 0:
            raise table.refuse(key, "a count cannot be negative")
    return Counts(**table.values)
