"""Findings as a SARIF 2.1.0 log (OASIS), a result on each line, each with the fix that makes its edit.

Columns and offsets are in code points. Paths are relative to where unspin ran, percent-encoded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from unspin.findings import Finding, Region, Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"  # what GitHub and others take for the root of the repository


class SarifLog:
    """A log that is written as texts are done: `opening`, `added` for each text, `closing`."""

    def __init__(self, *, version: str) -> None:
        self.version = version
        self.is_empty = True

    def opening(self) -> str:
        """All that stands before the results."""
        rules = [{"id": rule.value, "shortDescription": {"text": rule.description}} for rule in Rule]
        driver = {"name": "unspin", "version": self.version, "rules": rules}
        run = {
            "tool": {"driver": driver},
            "columnKind": "unicodeCodePoints",
            "newlineSequences": ["\r\n", "\n"],
            "originalUriBaseIds": {ROOT: {"description": {"text": "The directory in which unspin ran."}}},
        }
        head = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
        return json.dumps(head).removesuffix("}]}") + ', "results": ['

    def added(self, findings: Iterable[Finding]) -> str:
        """The results of a text."""
        lines = ["\n" + json.dumps(_result(finding)) for finding in findings]
        glue = "" if self.is_empty or not lines else ","
        self.is_empty &= not lines
        return glue + ",".join(lines)

    def closing(self, *, succeeded: bool) -> str:
        """All that stands after the results; `succeeded` if every text could be checked."""
        return '\n], "invocations": ' + json.dumps([{"executionSuccessful": succeeded}]) + "}]}\n"


def _result(finding: Finding) -> dict[str, Any]:
    edit = finding.edit
    replacement: dict[str, Any] = {"deletedRegion": _region(finding.replaced)}
    if edit.after:
        replacement["insertedContent"] = {"text": edit.after}
    result = {
        "ruleId": finding.rule.value,
        "ruleIndex": [*Rule].index(finding.rule),
        "level": "warning",
        "message": {"text": _message(finding.message)},
        "locations": [_location(finding, finding.region)],
        "partialFingerprints": {"contextHash/v1": finding.fingerprint},
        "rank": round(100 * edit.confidence, 2),
        "fixes": [{"artifactChanges": [{"artifactLocation": _artifact(finding.name), "replacements": [replacement]}]}],
    }
    if finding.kept:
        result["relatedLocations"] = [_location(finding, finding.kept) | {"message": {"text": "It is kept here."}}]
    return result


def _message(text: str) -> str:
    """Text in which nothing of the article is taken for a placeholder, `{0}`, or a link, `[text](target)`."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _location(finding: Finding, region: Region) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(finding.name), "region": _region(region)}}


def _artifact(name: str) -> dict[str, str]:
    path = Path(name)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(os.fsencode(path.as_posix())), "uriBaseId": ROOT}


def _region(region: Region) -> dict[str, int]:
    return {
        "startLine": region.start_line,
        "startColumn": region.start_column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
        "charOffset": region.start,
        "charLength": region.end - region.start,
    }
