"""Which format a file has: by its name or, if that says nothing, by how it begins.

In come a name and the first unpacked bytes; out goes a format. What looks like nothing in particular is plain text.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress

from unspin.formats.model import Format, Packing

_BY_SUFFIX = {
    ".txt": Format.TEXT,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".xhtml": Format.HTML,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".tsv": Format.TSV,
    ".parquet": Format.PARQUET,
    ".warc": Format.WARC,
}
_PACKINGS = tuple(map(str, Packing))
SUFFIXES = tuple(suffix + packing for suffix in _BY_SUFFIX for packing in _PACKINGS)  # of all that can be read
_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)


def suffixes(wanted: Format) -> tuple[str, ...]:
    """What names of files in this format end in."""
    return tuple(suffix + packing for suffix, one in _BY_SUFFIX.items() for packing in _PACKINGS if one is wanted)


def by_name(name: str) -> Format | None:
    """The format that a name tells, whether packed or not.

    >>> by_name("scrape/a.JSONL.gz"), by_name("notes")
    (<Format.JSONL: 'jsonl'>, None)
    """
    plain = name.lower()
    for packing in _PACKINGS:
        plain = plain.removesuffix(packing) if packing else plain
    return next((found for suffix, found in _BY_SUFFIX.items() if plain.endswith(suffix)), None)


def by_content(head: bytes) -> Format:
    """The format in which a file begins.

    >>> by_content(b'{"text": "It began."}'), by_content(b"<!doctype html><p>It"), by_content(b"It began.")
    (<Format.JSONL: 'jsonl'>, <Format.HTML: 'html'>, <Format.TEXT: 'txt'>)
    """
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    if head.startswith((b"WARC/1.", b"WARC/0.")):
        return Format.WARC
    if _PAGE.match(head):
        return Format.HTML
    return Format.JSONL if _is_json(head.removeprefix(b"\xef\xbb\xbf").lstrip()) else Format.TEXT


def _is_json(head: bytes) -> bool:
    line, ended, _ = head.partition(b"\n")
    if not line.startswith(b"{"):
        return False
    with suppress(ValueError):
        return isinstance(json.loads(line), dict)
    return not ended and re.match(rb'\{\s*"(?:[^"\\]|\\.)*"\s*:', line) is not None  # longer than what was read
