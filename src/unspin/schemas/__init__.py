"""JSON Schemas (draft 2020-12) of everything that programs read from unspin, or write for it.

Each is a file beside this one, complete in itself; the commands print theirs with `--schema`.
"""

from __future__ import annotations

from importlib.resources import files

_SUFFIX = ".schema.json"


def names() -> list[str]:
    """The names of all schemas, in order."""
    return sorted(f.name.removesuffix(_SUFFIX) for f in files(__package__).iterdir() if f.name.endswith(_SUFFIX))


def schema(name: str) -> str:
    """A schema as JSON text. Raises FileNotFoundError if there is none of this name."""
    return files(__package__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")
