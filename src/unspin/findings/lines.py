"""Findings as lines: `path:line:column: message [rule]`, or GitHub's workflow commands, which annotate the lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from unspin.diff.pieces import visible
from unspin.findings import Finding


class LineReport:
    """A line for each finding; it has no beginning and no end."""

    def __init__(self, line: Callable[[Finding], str]) -> None:
        self.line = line

    def opening(self) -> str:
        """Nothing."""
        return ""

    def added(self, findings: Iterable[Finding]) -> str:
        """The lines of a text."""
        return "".join(map(self.line, findings))

    def closing(self, *, succeeded: bool) -> str:
        """Nothing."""
        return ""


def text_line(finding: Finding) -> str:
    """As compilers and grep write it, so that editors jump to the place."""
    place = f"{visible(finding.name)}:{finding.region.start_line}:{finding.region.start_column}"
    return f"{place}: {finding.message} [{finding.rule}]\n"


def github_line(finding: Finding) -> str:
    """A workflow command. Columns only where they mean something: on one line. `endColumn` is one past the last."""
    region = finding.region
    fields = {"file": finding.name, "line": str(region.start_line), "endLine": str(region.end_line)}
    if region.start_line == region.end_line:
        fields |= {"col": str(region.start_column), "endColumn": str(region.end_column)}
    fields["title"] = f"unspin: {finding.rule}"
    parts = ",".join(f"{key}={_field(value)}" for key, value in fields.items())
    return f"::warning {parts}::{_escaped(finding.message)}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _field(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
