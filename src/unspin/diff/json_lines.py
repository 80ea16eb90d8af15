"""Edits as JSON Lines, for programs: one edit a line, as `schemas/edit.schema.json` says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from unspin.model import Edit

# JSON allows these raw, yet they end a line for many readers of JSON Lines.
_BREAKS = str.maketrans({c: f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"})


def json_lines(edits: Iterable[Edit], *, record: str = "") -> str:
    """A line for each edit; the text is quoted exactly. `record` is the id of the one of a file's texts that they are
    of."""
    return "".join(_line(edit, {"record": record} if record else {}) for edit in edits)


def _line(edit: Edit, whose: dict[str, str]) -> str:
    entry = edit.entry
    keys = ("spun", "original", "rate", "source")
    line: dict[str, object] = whose | {
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
    return json.dumps(line, ensure_ascii=False).translate(_BREAKS) + "\n"
