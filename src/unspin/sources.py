"""What arguments name: files, standard input, patterns, directories, URLs, and lists of any of these.

In come names as a person types them, or as a file lists them; out go sources, in order. Nothing is opened but
directories and lists. Refused, by `InputError`: directories that cannot be listed or hold no texts, patterns that
nothing matches, lists that cannot be read. A file that is missing is a source all the same, refused when it is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from unspin import remote
from unspin.errors import InputError, reason
from unspin.files import STDIN, Source, contents, exists

SUFFIXES = (".txt", ".md")  # what is taken for a text in a directory, unless more is asked for
_PATTERN = re.compile(r"[*?\[]")


def sources(
    arguments: Sequence[str],
    *,
    skip: Path | None = None,
    suffixes: tuple[str, ...] = SUFFIXES,
    lists: Sequence[str] = (),
) -> tuple[list[Source], list[InputError]]:
    """The texts that arguments name: files, "-", patterns ("news/**/*.txt"), URLs, and directories, walked for
    `suffixes` in order of name; then those that the files `lists` name, one on each line or, so that a name may hold
    any character, with a NUL after each.

    Hidden files and directories are passed over, and so is `skip`, an output directory from an earlier run.
    Directories that cannot be listed, patterns and directories without a text, and lists that cannot be read, come
    back as errors.
    """
    found: list[Source] = []
    errors: list[InputError] = []
    for argument in arguments:
        try:
            found += _named(argument, Path(Path(argument).name), suffixes, skip, errors)
        except InputError as error:
            errors.append(error)
    for name in lists:
        try:
            for argument in _listed(name):
                found += _named(argument, _below(argument), suffixes, skip, errors)
        except InputError as error:
            errors.append(error)
    return found, errors


def _named(
    argument: str, place: Path, suffixes: tuple[str, ...], skip: Path | None, errors: list[InputError]
) -> Iterator[Source]:
    path = Path(argument)
    if argument == STDIN:
        yield Source(None, Path("stdin.txt"))
    elif remote.is_url(argument):
        inside = [Source(None, _below(below), url) for url, below in remote.listed(argument, suffixes)]
        yield from _some(inside, argument, "nothing there")
    elif exists(path) and path.is_dir():
        known = len(errors)
        inside = [
            Source(p, p.relative_to(path)) for p in _walk(path, suffixes, errors) if not skip or not _lies_in(p, skip)
        ]
        if inside or len(errors) == known:
            yield from _some(inside, argument, f"no texts in this directory ({', '.join(suffixes)})")
    elif _PATTERN.search(argument) and not exists(path):
        base, matches = _matching(argument)
        inside = [Source(p, p.relative_to(base)) for p in matches if not skip or not _lies_in(p, skip)]
        yield from _some(inside, argument, "no file matches this pattern")
    else:
        yield Source(path, place)


def _some(inside: list[Source], name: str, problem: str) -> list[Source]:
    if not inside:
        raise InputError(name, problem)
    return inside


def _matching(pattern: str) -> tuple[Path, list[Path]]:
    """The folder in which a pattern begins, and the files that match it; links to folders are not followed."""
    parts = Path(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if _PATTERN.search(part))
    base = Path(*parts[:fixed])
    try:
        found = sorted(base.glob(str(Path(*parts[fixed:]))))
    except (OSError, ValueError) as error:
        raise InputError(pattern, str(error).lower()) from error
    return base, [path for path in found if not path.is_dir() and not _is_hidden(path.relative_to(base))]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _listed(name: str) -> list[str]:
    """The arguments that a file holds."""
    data, _ = contents(Source(None if name == STDIN else Path(name), Path(name)))
    return [os.fsdecode(line) for line in (data.split(b"\0") if b"\0" in data else data.splitlines()) if line]


def _below(argument: str) -> Path:
    """Where a listed file goes below an output directory: by its whole path, for lists name files of many folders."""
    return Path(*(part for part in Path(argument).parts if part not in (Path(argument).anchor, "..")))


def _walk(directory: Path, suffixes: tuple[str, ...], errors: list[InputError]) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        errors.append(InputError(error.filename or directory, reason(error)))

    for folder, subfolders, names in os.walk(directory, onerror=refuse):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(suffixes) and not name.startswith("."):
                yield Path(folder, name)


def _lies_in(path: Path, directory: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(directory))
