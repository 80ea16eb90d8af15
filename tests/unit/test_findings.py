"""Findings: where they are, in lines and columns, and the reports of them: text, GitHub annotations, SARIF."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from unspin.edit import cleaned
from unspin.findings import Region, Rule, find
from unspin.findings.lines import github_line, text_line
from unspin.findings.sarif import SarifLog
from unspin.model import (
    DecidedBy,
    DuplicateGroup,
    DuplicateKind,
    Edit,
    Repeat,
    Restoration,
    Signature,
    SpinEvidence,
)

SCHEMA = json.loads((Path(__file__).parents[1] / "data/sarif-2.1.0-rtm.4.json").read_text(encoding="utf-8"))


def restored(text: str, *edits: Edit, repeats: tuple[DuplicateGroup, ...] = ()) -> Restoration:
    return Restoration(
        text, SpinEvidence(0.5, 0.2, 9, is_spun=True), repeats, edits, (), Signature("1", "lex", "lm", ())
    )


def edit(text: str, before: str, after: str, *, by: DecidedBy = DecidedBy.DECODER) -> Edit:
    start = text.index(before)
    return Edit(start, start + len(before), before, after, None, 0.9, by)


SPUN = "A struggle began.\nIt went on.\nA struggle began.\nIt is over }.\n"
AGAIN = SPUN.rindex("A struggle")
RESTORED = restored(
    SPUN,
    edit(SPUN, "struggle", "war"),
    edit(SPUN, "on", "onward"),
    edit(SPUN, " }", "", by=DecidedBy.DEBRIS),
    repeats=(DuplicateGroup(0, 17, (Repeat(AGAIN, AGAIN + 17, DuplicateKind.EXACT, 1.0),)),),
)


def places(restoration: Restoration) -> list[tuple[int, int, int, int]]:
    regions = [finding.region for finding in find(restoration, name="a.txt")]
    return [(one.start_line, one.start_column, one.end_line, one.end_column) for one in regions]


def test_each_change_is_a_finding_with_its_place() -> None:
    found = list(find(RESTORED, name="a.txt"))
    assert [text_line(finding) for finding in found] == [
        'a.txt:1:3: "struggle" was "war" (confidence 0.90) [swap]\n',
        'a.txt:2:9: "on" was "onward" (confidence 0.90) [swap]\n',
        "a.txt:3:1: repeats paragraph 1 (exact, score 1.00) [duplicate]\n",
        'a.txt:4:11: "}" is left from spinning [debris]\n',
    ]
    # What is shown is the passage; what goes, the line break with it.
    assert (found[2].region, found[2].replaced) == (Region(30, 47, 3, 1, 3, 18), Region(30, 48, 3, 1, 4, 1))
    assert found[2].kept == Region(0, 0, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("before", "place"),
    [
        ("yr", (1, 1, 1, 3)),
        ("offers", (1, 6, 1, 12)),  # a character beyond the first plane is one column
        ("rain", (2, 1, 2, 5)),
        ("rain\r\n", (2, 1, 3, 1)),
        ("end", (3, 1, 3, 4)),
    ],
)
def test_columns_count_code_points_and_no_byte_order_mark(before: str, place: tuple[int, int, int, int]) -> None:
    for mark in ("", "\ufeff"):
        text = f"{mark}yr \U0001f600 offers\nrain\r\nend"
        assert places(restored(text, edit(text, before, "x"))) == [place]
        (found,) = find(restored(text, edit(text, before, "x")), name="a")
        assert text.removeprefix("\ufeff")[found.region.start : found.region.end] == before


@given(st.text(st.sampled_from("ab \n\r\u2028\U0001f600"), max_size=30), st.data())
def test_line_and_column_find_the_place_again(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    (found,) = find(restored(text, Edit(start, end, text[start:end], "x", None, 1.0, DecidedBy.DECODER)), name="a")
    lines = re.findall("[^\n]*\n|[^\n]*$", text)

    def offset(line: int, column: int) -> int:
        return sum(map(len, lines[: line - 1])) + column - 1

    region = found.region
    assert offset(region.start_line, region.start_column) == start
    assert offset(region.end_line, region.end_column) == end


@pytest.mark.parametrize("decided_by", DecidedBy)
def test_every_decision_falls_under_a_rule_that_says_what_it_is(decided_by: DecidedBy) -> None:
    if decided_by is DecidedBy.DUPLICATE:
        (finding,) = find(restored(SPUN, repeats=RESTORED.duplicates), name="a")
    else:
        (finding,) = find(restored("a b", edit("a b", "a", "an", by=decided_by)), name="a")
    assert finding.rule.description.endswith(".")
    assert finding.message


# Fingerprints


def prints(text: str, *edits: Edit) -> list[str]:
    return [finding.fingerprint for finding in find(restored(text, *edits), name="a")]


def test_a_fingerprint_stays_when_text_elsewhere_changes() -> None:
    text = "It began long ago, and the struggle went on for a hundred and twenty years."
    (one,) = prints(text, edit(text, "struggle", "war"))
    moved = f"New.\n\n{text.replace('It began', 'They began')}"
    assert prints(moved, edit(moved, "struggle", "war")) == [one]
    assert prints(text, edit(text, "struggle", "fight")) != [one]


def test_equal_findings_have_fingerprints_of_their_own() -> None:
    line = "It began long ago, and the struggle went on for a hundred and twenty years.\n"
    text = line * 3
    edits = [Edit(at, at + 8, "struggle", "war", None, 0.9, DecidedBy.DECODER) for at in (27, 103, 179)]
    one, two, three = prints(text, *edits)
    assert {fingerprint.partition(":")[0] for fingerprint in (one, two, three)} == {one.partition(":")[0]}
    assert [fingerprint.partition(":")[2] for fingerprint in (one, two, three)] == ["1", "2", "3"]


# GitHub


def github(text: str, before: str, *, name: str = "a.txt", after: str = "x") -> str:
    (finding,) = find(restored(text, edit(text, before, after)), name=name)
    return github_line(finding)


def test_an_annotation_says_where_and_what() -> None:
    assert github("The struggle.", "struggle") == (
        "::warning file=a.txt,line=1,endLine=1,col=5,endColumn=13,title=unspin%3A swap::"
        '"struggle" was "x" (confidence 0.90)\n'
    )


def test_an_annotation_over_lines_has_no_columns() -> None:
    line = github("The\nend of it", "The\nend")
    assert line.startswith("::warning file=a.txt,line=1,endLine=2,title=")


def test_nothing_in_a_text_or_a_name_breaks_an_annotation() -> None:
    line = github("::error::100%\r\n::stop", "::error::100%\r\n", name="a,b:c%\n.txt", after="50%")
    assert line.count("\n") == 1
    fields, _, message = line.removeprefix("::warning ").rstrip("\n").partition("::")
    assert dict(field.split("=") for field in fields.split(","))["file"] == "a%2Cb%3Ac%25%0A.txt"
    assert message == '"::error::100%25" was "50%25" (confidence 0.90)'


# SARIF


def sarif(*restorations: tuple[str, Restoration], succeeded: bool = True) -> dict[str, Any]:
    log = SarifLog(version="1.2")
    parts = [log.opening(), *(log.added(find(one, name=name)) for name, one in restorations)]
    made: dict[str, Any] = json.loads("".join([*parts, log.closing(succeeded=succeeded)]))
    assert [error.message for error in Draft4Validator(SCHEMA).iter_errors(made)] == []
    return made


def results(log: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = log["runs"][0]["results"]
    return found


def test_the_schema_is_that_of_sarif_and_is_strict() -> None:
    Draft4Validator.check_schema(SCHEMA)
    assert "SARIF" in SCHEMA["title"]
    broken = sarif(("a.txt", RESTORED))
    results(broken)[0]["locations"][0]["physicalLocation"]["region"]["startColumn"] = 0
    assert list(Draft4Validator(SCHEMA).iter_errors(broken))


def test_a_log_holds_the_results_of_all_texts() -> None:
    clean = restored("One.")
    log = sarif(("a.txt", clean), ("b.txt", RESTORED), ("c.txt", clean), ("d.txt", RESTORED))
    uris = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results(log)]
    assert uris == ["b.txt"] * 4 + ["d.txt"] * 4
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [*Rule]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in results(log))


def test_a_log_of_nothing_is_a_log() -> None:
    log = sarif(succeeded=False)
    assert results(log) == []
    assert log["runs"][0]["invocations"] == [{"executionSuccessful": False}]


def test_the_fixes_make_the_cleaned_text() -> None:
    out = SPUN
    for result in reversed(results(sarif(("a.txt", RESTORED)))):
        (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
        start = replacement["deletedRegion"]["charOffset"]
        end = start + replacement["deletedRegion"]["charLength"]
        out = out[:start] + replacement.get("insertedContent", {"text": ""})["text"] + out[end:]
    assert out == cleaned(RESTORED)


@pytest.mark.parametrize(
    "name", ["a b.txt", "50%.txt", "a:b.txt", "ünïcode/#1?.txt", "caf\udce9.txt", "./here.txt", "../there.txt"]
)
def test_paths_are_relative_and_percent_encoded(name: str) -> None:
    (result, *_) = results(sarif((name, RESTORED)))
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert re.fullmatch(r"[\w./~%-]+", location["uri"], re.ASCII)
    assert unquote_to_bytes(location["uri"]) == name.removeprefix("./").encode("utf-8", "surrogateescape")
    assert location["uriBaseId"] == "%SRCROOT%"


def test_a_path_elsewhere_is_a_file_uri() -> None:
    (result, *_) = results(sarif(("/else where/a.txt", RESTORED)))
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "file:///else%20where/a.txt"}


def test_nothing_in_a_text_is_taken_for_a_link_or_a_placeholder() -> None:
    text = "See [here](http://example.org) and {0}."
    log = sarif(("a", restored(text, edit(text, "[here](http://example.org) and {0}", "x"))))
    message = results(log)[0]["message"]["text"]
    assert message == '"[here] (http://example.org) and {{0}}" was "x" (confidence 0.90)'


@given(
    st.lists(st.tuples(st.text(max_size=20), st.text(max_size=8)).filter(lambda pair: pair[0] != pair[1]), max_size=4)
)
def test_any_text_makes_a_valid_log(changes: list[tuple[str, str]]) -> None:
    spun = [restored(old, Edit(0, len(old), old, new, None, 0.5, DecidedBy.DECODER)) for old, new in changes]
    assert len(results(sarif(*((str(number), one) for number, one in enumerate(spun))))) == len(changes)
