"""Results as JUnit XML, in the dialect of Jenkins and of pytest's `xunit2`, for servers that build and test.

In come results and cases that could not be run; out goes a document. Known failures are skipped, a case that could not
be run is an error. Characters that XML cannot hold are shown as signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from unspin.cases.model import SUFFIX, Refused, Result, Verdict
from unspin.cases.telling import explained, headline
from unspin.diff.pieces import visible

SUITE = "unspin check"


def junit(done: Sequence[Result | Refused]) -> bytes:
    """The document, in UTF-8."""
    results = [one for one in done if isinstance(one, Result)]
    failures = sum(one.is_failure for one in results)
    counts = {"tests": len(done), "failures": failures, "errors": len(done) - len(results)}
    seconds = f"{sum(one.seconds for one in results):.3f}"
    figures = {key: str(count) for key, count in counts.items()} | {"time": seconds}
    known = sum(one.verdict is Verdict.KNOWN for one in results)
    root = ET.Element("testsuites", {"name": SUITE} | figures)
    suite = ET.SubElement(root, "testsuite", {"name": SUITE} | figures | {"skipped": str(known)})
    for one in done:
        _add(suite, one)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add(suite: ET.Element, one: Result | Refused) -> None:
    path = one.case.path if isinstance(one, Result) else one.path
    place = {"classname": _legible(_dotted(path.parent)), "name": _legible(path.name.removesuffix(SUFFIX))}
    if isinstance(one, Refused):
        case = ET.SubElement(suite, "testcase", place)
        _tell(case, "error", kind="refused", message=one.problem)
        return
    case = ET.SubElement(suite, "testcase", place | {"time": f"{one.seconds:.3f}"})
    if one.is_failure:
        _tell(case, "failure", kind=one.verdict, message=headline(one), text=explained(one))
    elif one.verdict is Verdict.KNOWN:
        _tell(case, "skipped", kind="xfail", message=one.case.xfail)


def _dotted(folder: Path) -> str:
    return ".".join(part for part in folder.parts if part not in (folder.anchor, ".", "..")) or "cases"


def _tell(case: ET.Element, tag: str, *, kind: str, message: str, text: str = "") -> None:
    told = ET.SubElement(case, tag, {"type": kind, "message": _legible(message)})
    told.text = _legible(text) or None


def _legible(text: str) -> str:
    return "".join(c if _fits(c) else "\ufffd" for c in visible(text))


def _fits(character: str) -> bool:
    return not ("\ud800" <= character <= "\udfff" or character in "\ufffe\uffff")
