"""Edits as JSON Lines, for programs: one edit a line, as `schemas/edit.schema.json` says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from unspin.diff.pieces import changes
from unspin.model import Edit, Restoration

# JSON allows these raw, yet they end a line for many readers of JSON Lines.
_BREAKS = str.maketrans({c: f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"})


def json_lines(restoration: Restoration, *, record: str = "") -> str:
    """A line for each change, with the signature and the text's digest, by which it can be made again; the text is
    quoted exactly. `record` is the id of the one of a file's texts that they are of. Raises EditConflict."""
    whose = {"record": record} if record else {}
    signed = {"signature": str(restoration.signature), "text": text_digest(restoration.original)}
    lines = (json.dumps(whose | fields(edit) | signed, ensure_ascii=False) for edit in changes(restoration))
    return "".join(line.translate(_BREAKS) + "\n" for line in lines)


def text_digest(text: str) -> str:
    """Names a text: SHA-256 of its characters."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def fields(edit: Edit) -> dict[str, Any]:
    """An edit as an object."""
    entry = edit.entry
    keys = ("spun", "original", "rate", "source")
    line: dict[str, Any] = {
        "start": edit.start,
        "end": edit.end,
        "before": edit.before,
        "after": edit.after,
        "entry": {key: getattr(entry, key) for key in keys} if entry else None,
        "confidence": edit.confidence,
        "decided_by": edit.decided_by.value,
    }
    if edit.attested_by:
        line["attested_by"] = [asdict(copy) for copy in edit.attested_by]
    return line
