"""The four styles, each against what it promises: readable words, a patch that applies, a page that is
inert, lines that obey the schema."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from unspin.diff import DiffStyle, render
from unspin.diff.unified import patch
from unspin.edit import apply, cleaned
from unspin.errors import EditConflict
from unspin.model import (
    Attestation,
    Candidate,
    DecidedBy,
    DuplicateGroup,
    DuplicateKind,
    Edit,
    Entry,
    Held,
    HeldReason,
    Option,
    Repeat,
    Restoration,
    Signature,
    SpinEvidence,
)
from unspin.schemas import schema

ENTRY = Entry("struggle", "war", 0.25, 7, source="learned")


def edit(text: str, before: str, after: str, *, confidence: float = 0.9, entry: Entry | None = None) -> Edit:
    start = text.index(before)
    return Edit(start, start + len(before), before, after, entry, confidence, DecidedBy.DECODER)


def held(text: str, before: str, after: str) -> Held:
    start = text.index(before)
    options = (Option(after, Entry(before, after, 0.5), 0.6), Option(before, None, 0.4))
    return Held(Candidate(start, start + len(before), before, options), HeldReason.CONFIDENCE)


def restored(
    text: str, *edits: Edit, repeats: tuple[DuplicateGroup, ...] = (), waits: tuple[Held, ...] = ()
) -> Restoration:
    spin = SpinEvidence(0.5, 0.25, 12, is_spun=True)
    return Restoration(text, spin, repeats, edits, waits, Signature("1", "lex", "lm", ()))


def repeat_of(text: str, kept: str, gone: str, kind: DuplicateKind = DuplicateKind.EXACT) -> DuplicateGroup:
    start, again = text.index(kept), text.rindex(gone)
    return DuplicateGroup(start, start + len(kept), (Repeat(again, again + len(gone), kind, 1.0),))


SPUN = "The struggle began.\nIt went on.\nThe struggle began.\nIt is over.\n"
RESTORED = restored(
    SPUN,
    edit(SPUN, "struggle", "war", entry=ENTRY),
    repeats=(repeat_of(SPUN, "The struggle began.", "The struggle began."),),
    waits=(held(SPUN, "over", "finished"),),
)


def parsed(restoration: Restoration) -> list[dict[str, Any]]:
    return [json.loads(line) for line in render(restoration, style=DiffStyle.JSON).splitlines()]


# words


def test_words_show_changes_inline_and_a_removal_as_one_line() -> None:
    assert render(RESTORED, style=DiffStyle.WORDS) == (
        "The [-struggle-]{+war+} began.\n"
        "It went on.\n"
        "[-- paragraph removed: repeats paragraph 1 (exact, score 1.00) --]\n"
        "It is over.\n"
    )


@pytest.mark.parametrize(
    ("before", "after", "shown"), [("b", "", "a [-b-] c"), ("", "x", "{+x+}a b c"), ("b", "y", "a [-b-]{+y+} c")]
)
def test_words_leave_out_an_empty_side(before: str, after: str, shown: str) -> None:
    assert render(restored("a b c", edit("a b c", before, after)), style=DiffStyle.WORDS) == shown


def test_coloured_words_are_the_same_words() -> None:
    coloured = render(RESTORED, style=DiffStyle.WORDS, colour=True)
    assert "\x1b[31m\x1b[9mstruggle\x1b[0m" in coloured
    assert "\x1b[32m\x1b[4mwar\x1b[0m" in coloured
    plain = re.sub("\x1b\\[[0-9;]*m", "", coloured)
    assert plain == re.sub(r"\[-(\w+)-\]\{\+(\w+)\+\}", r"\1\2", render(RESTORED, style=DiffStyle.WORDS))


def test_words_never_drive_the_terminal() -> None:
    text = "red \x1b[31m, \x9b2J, \u202ebackwards, over\rwritten, a tab\t and CRLF\r\n"
    assert render(restored(text), style=DiffStyle.WORDS) == (
        "red ␛[31m, ⟨U+009B⟩2J, ⟨U+202E⟩backwards, over␍written, a tab\t and CRLF\r\n"
    )


@pytest.mark.parametrize("style", DiffStyle)
def test_edits_that_make_no_cleaned_text_are_refused(style: DiffStyle) -> None:
    start = SPUN.rindex("struggle")
    inside = Edit(start, start + 8, "struggle", "war", ENTRY, 0.9, DecidedBy.DECODER)
    with pytest.raises(EditConflict):
        render(restored(SPUN, inside, repeats=RESTORED.duplicates), style=style)


# unified


def applied(tool: list[str], folder: Path, text: str, changes: str, name: str) -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    ran = subprocess.run(tool, cwd=folder, input=changes.encode(), capture_output=True, check=False)
    assert ran.returncode == 0, (ran.stdout + ran.stderr).decode()
    return file.read_bytes().decode()


TOOLS = [["patch", "-p1", "--fuzz=0"], ["git", "apply"]]


@pytest.mark.parametrize("tool", TOOLS, ids=["patch", "git"])
@pytest.mark.parametrize("name", ["text", "a folder/some text.txt", 'say "when"\\now', "tab\there", "ünïcode.txt"])
def test_a_patch_finds_its_file_by_name(tool: list[str], name: str, tmp_path: Path) -> None:
    changes = render(RESTORED, style=DiffStyle.UNIFIED, name=name)
    assert applied(tool, tmp_path, SPUN, changes, name) == "The war began.\nIt went on.\nIt is over.\n"


def test_a_patch_reads_like_diff_u() -> None:
    assert render(RESTORED, style=DiffStyle.UNIFIED, name="/news/a.txt") == (
        "--- a/news/a.txt\n+++ b/news/a.txt\n@@ -1,4 +1,3 @@\n"
        "-The struggle began.\n+The war began.\n It went on.\n-The struggle began.\n It is over.\n"
    )


def test_far_changes_make_two_hunks_and_near_ones_share_one() -> None:
    def hunks(between: int) -> list[str]:
        text = "spun\n" + "same\n" * between + "also\n"
        edits = (edit(text, "spun", "one\ntwo"), edit(text, "also", "end"))
        return re.findall("^@@.*", patch(text, edits, name="t"), re.MULTILINE)

    assert hunks(6) == ["@@ -1,8 +1,9 @@"]
    assert hunks(7) == ["@@ -1,4 +1,5 @@", "@@ -6,4 +7,4 @@"]


@pytest.mark.parametrize("tool", TOOLS, ids=["patch", "git"])
@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("all of it\n", "all of it\n", ""),  # the file stays, empty
        ("no break", "no", "a"),
        ("one\ntwo", "\ntwo", ""),
        ("one\n", "\n", ""),
        ("one\r\ntwo\r\n", "one", "1"),
        ("one\rtwo\u2028three\n", "two", "2"),
        ("-- a\n++ b\n", "a", "c"),
    ],
)
def test_a_patch_keeps_line_breaks_as_they_are(
    tool: list[str], text: str, before: str, after: str, tmp_path: Path
) -> None:
    changes = patch(text, [edit(text, before, after)], name="t")
    assert applied(tool, tmp_path, text, changes, "t") == text.replace(before, after)


# "\n" is what ends a line; the others may not be mistaken for that.
TEXTS = st.lists(st.sampled_from([*"ab", "\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", " ", "é"]), max_size=40).map(
    "".join
)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, tuple[Edit, ...]]:
    text = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=10)))
    edits: list[Edit] = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        before = text[start:end]
        after = draw(st.sampled_from(["", "x", "x\n", "\n", "\nx", before[:-1], before + "\n"]))
        if after != before and not (edits and edits[-1].start == start):
            edits.append(Edit(start, end, before, after, None, 1.0, DecidedBy.DECODER))
    return text, tuple(edits)


@pytest.mark.parametrize("tool", TOOLS, ids=["patch", "git"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=edited())
def test_a_patch_applies_exactly(tool: list[str], tmp_path: Path, case: tuple[str, tuple[Edit, ...]]) -> None:
    text, edits = case
    changes = patch(text, edits, name="t")
    assert bool(changes) == (apply(text, edits) != text)
    if changes:
        assert applied(tool, tmp_path, text, changes, "t") == apply(text, edits)


@settings(max_examples=400, deadline=None)
@given(case=edited())
def test_a_patch_replayed_by_hand_gives_the_edited_text(case: tuple[str, tuple[Edit, ...]]) -> None:
    text, edits = case
    assert replayed(text, patch(text, edits, name="t")) == apply(text, edits)


def replayed(text: str, changes: str) -> str:
    """Apply a patch by the letter, checking every count and every context line."""
    lines, out, position = re.findall(r"[^\n]*\n|[^\n]+", text), [], 0
    changes = changes.replace("\n\\ No newline at end of file\n", "\0")
    body = re.findall(r"[^\n\0]*[\n\0]", changes)[2:]
    while body:
        header = re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n", body.pop(0))
        assert header
        start, old, new_start, new = (1 if g is None else int(g) for g in header.groups())
        out += lines[position : start - (old > 0)]
        position = start - (old > 0)
        assert len(out) == new_start - (new > 0)
        while old or new:
            line = body.pop(0).removesuffix("\0")
            sign, content = line[0], line[1:]
            if sign in " -":
                assert lines[position] == content
                position, old = position + 1, old - 1
            if sign in " +":
                out.append(content)
                new -= 1
    return "".join(out + lines[position:])


def test_a_long_line_with_many_edits_takes_linear_time() -> None:
    many = 100_000
    text = "word " * many + "x" * 4_000_000
    edits = [Edit(i * 5, i * 5 + 4, "word", "term", None, 1.0, DecidedBy.DECODER) for i in range(many)]
    began = perf_counter()
    changes = patch(text, edits, name="t")
    assert perf_counter() - began < 5  # a fraction of a second; most of a minute if each edit looks for the line's end
    assert changes.count("term") == many


# json


def test_lines_quote_the_text_and_say_why() -> None:
    first, second = parsed(RESTORED)
    text = hashlib.sha256(RESTORED.original.encode()).hexdigest()
    assert {(line.pop("signature"), line.pop("text")) for line in (first, second)} == {(str(RESTORED.signature), text)}
    assert first == {
        "start": 4,
        "end": 12,
        "before": "struggle",
        "after": "war",
        "entry": {"spun": "struggle", "original": "war", "rate": 0.25, "source": "learned"},
        "confidence": 0.9,
        "decided_by": "decoder",
    }
    assert (second["after"], second["entry"], second["decided_by"]) == ("", None, "duplicate")


def test_lines_obey_the_schema_and_the_schema_names_every_decider() -> None:
    document = json.loads(schema("edit"))
    Draft202012Validator.check_schema(document)
    validator = Draft202012Validator(document)
    lines = parsed(RESTORED)
    assert [list(validator.iter_errors(line)) for line in lines] == [[], []]
    assert list(validator.iter_errors({**lines[0], "start": -1}))
    assert list(validator.iter_errors({k: v for k, v in lines[0].items() if k != "entry"}))
    assert set(document["properties"]["decided_by"]["enum"]) == set(DecidedBy)


def test_what_siblings_said_is_told_and_where_none_did_lines_are_as_ever() -> None:
    there = Attestation("b <1>.txt", 4, 12, "conflict")
    told = replace(
        RESTORED, edits=tuple(replace(e, attested_by=(there,)) for e in RESTORED.edits), siblings=("b <1>.txt",)
    )
    first, second = parsed(told)
    assert [Attestation(**one) for one in first.pop("attested_by")] == [there]
    assert [first, second] == parsed(RESTORED)
    validator = Draft202012Validator(json.loads(schema("edit")))
    assert not list(validator.iter_errors(parsed(told)[0]))
    assert list(validator.iter_errors({**first, "attested_by": []}))
    (hover,) = (attributes["title"] or "" for _, attributes in page(told).elements if attributes.get("id") == "e1")
    assert hover.endswith("decided by decoder\nb <1>.txt has “conflict”")
    assert "Siblings read along" not in render(RESTORED, style=DiffStyle.HTML)


@given(case=edited())
def test_lines_rebuild_the_cleaned_text(case: tuple[str, tuple[Edit, ...]]) -> None:
    text, edits = case
    restoration = restored(text, *edits)
    out = text
    for line in reversed(parsed(restoration)):  # str.splitlines, so a raw U+2028 would break a line
        assert out[line["start"] : line["end"]] == line["before"]
        out = out[: line["start"]] + line["after"] + out[line["end"] :]
    assert out == cleaned(restoration)


# html


class Page(HTMLParser):
    """The elements of a page, and what stands in each kind of them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "input", "wbr"}:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closes what is not open"

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data

    def attributes(self, name: str) -> list[str]:
        return [value or "" for _, attrs in self.elements if (value := attrs.get(name)) is not None]


def page(restoration: Restoration, name: str = "text") -> Page:
    return Page(render(restoration, style=DiffStyle.HTML, name=name))


def test_a_page_shows_each_kind_of_change() -> None:
    shown = page(RESTORED)
    assert shown.open == []
    assert shown.texts["del"] == ["spun", "struggle", "The struggle began."]  # the first is the legend's
    assert shown.texts["ins"][-1] == "war"
    assert shown.texts["mark"] == ["held", "over"]
    assert "Paragraph 3 removed: repeats paragraph 1 (exact, score 1.00)" in shown.texts["summary"]
    assert "struggle ← war (source: learned)\nconfidence 0.90, decided by decoder" in shown.attributes("title")
    assert "held (confidence); options:\nfinished 0.60\nover 0.40" in shown.attributes("title")


def test_a_page_gives_the_figures() -> None:
    shown = page(RESTORED)
    figures = dict(zip(shown.texts["dt"], shown.texts["dd"], strict=True))
    assert figures == {
        "Spin rate": "50%",
        "Evidence per word": "0.25 ",
        "Words": "12",
        "Swaps restored": "1",
        "Held": "1",
        "Paragraphs removed": "1",
    }
    assert shown.texts["code"] == [str(RESTORED.signature)]


def test_every_link_of_a_page_has_its_target_in_it() -> None:
    shown = page(RESTORED)
    ids = shown.attributes("id")
    assert len(ids) == len(set(ids))
    assert shown.attributes("href") == ["#p1", "#e1", "#h1"]
    assert {link.removeprefix("#") for link in shown.attributes("href")} <= set(ids)


@pytest.mark.parametrize(
    ("confidence", "strength"), [(1.0, "sure"), (0.95, "sure"), (0.94, "likely"), (0.8, "likely"), (0.79, "unsure")]
)
def test_confidence_shows_as_strength(confidence: float, strength: str) -> None:
    shown = page(restored("a b", edit("a b", "b", "c", confidence=confidence)))
    assert {attrs["class"] for _, attrs in shown.elements if attrs.get("id") == "e1"} == {strength}


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;$style</style>\u202e"


def test_nothing_in_a_hostile_text_becomes_markup() -> None:
    text = f"{HOSTILE} b c\nkept\n{HOSTILE} b c"
    entry = Entry(HOSTILE, f"{HOSTILE}!", 0.5, source=HOSTILE)
    restoration = restored(
        text,
        edit(text, "b", HOSTILE, entry=entry),
        repeats=(repeat_of(text, f"{HOSTILE} b c", f"{HOSTILE} b c"),),
        waits=(held(text, "kept", HOSTILE),),
    )
    html = render(restoration, style=DiffStyle.HTML, name=HOSTILE)
    plain = page(RESTORED)
    assert {tag for tag, _ in Page(html).elements} == {tag for tag, _ in plain.elements}
    assert not {name for _, attrs in Page(html).elements for name in attrs} - {n for _, a in plain.elements for n in a}
    assert "\u202e" not in html
    assert Page(html).texts["ins"][-1] == HOSTILE.replace("\u202e", "⟨U+202E⟩")


def test_a_page_needs_nothing_from_outside() -> None:
    html = render(RESTORED, style=DiffStyle.HTML)
    assert not re.search(r"https?:|url\(|@import|\bsrc=|<link|<script|\son\w+=|\sstyle=", html)


@given(text=TEXTS)
def test_a_page_of_an_unchanged_text_holds_all_of_it(text: str) -> None:
    paragraphs = [line for line in text.splitlines() if line.strip()]
    assert page(restored(text)).texts.get("p", [])[1:-1] == paragraphs  # between the verdict and the signature
