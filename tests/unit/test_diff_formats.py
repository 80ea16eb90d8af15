"""Word, CriticMarkup and M2: accepting what they mark gives the cleaned text, rejecting it the original one.

Each is read back here by a few lines that know the format and nothing of how it was written; Word files are opened
in LibreOffice, too.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.diff import DiffStyle, render
from unspin.edit import cleaned, removals
from unspin.errors import EditConflict
from unspin.model import (
    Candidate,
    DecidedBy,
    DuplicateGroup,
    DuplicateKind,
    Edit,
    Held,
    HeldReason,
    Option,
    Repeat,
    Restoration,
    Signature,
    SpinEvidence,
)
from unspin.text import INVISIBLE, segment


def restored(
    text: str, *edits: Edit, repeats: tuple[DuplicateGroup, ...] = (), waits: tuple[Held, ...] = ()
) -> Restoration:
    signature = Signature("1", "lex", "lm", ())
    return Restoration(text, SpinEvidence(0.5, 0.2, 9, is_spun=True), repeats, edits, waits, signature)


def edit(text: str, before: str, after: str, *, by: DecidedBy = DecidedBy.DECODER) -> Edit:
    start = text.index(before)
    return Edit(start, start + len(before), before, after, None, 0.9, by)


def held(text: str, start: int, end: int) -> Held:
    before = text[start:end]
    return Held(Candidate(start, end, before, (Option("x--}", None, 0.6), Option(before, None, 0.4))), HeldReason.NAME)


SPUN = "The struggle began. It went\ton.\n\nA offer & <more>.\nThe struggle began. It went\ton.\n\nIt is over.\n"
AGAIN = SPUN.rindex("The struggle")
RESTORED = restored(
    SPUN,
    edit(SPUN, "struggle", "war"),
    edit(SPUN, "A offer", "An  offer"),
    edit(SPUN, "more", "more or\nless"),
    edit(SPUN, " is", ""),
    repeats=(DuplicateGroup(0, 31, (Repeat(AGAIN, AGAIN + 31, DuplicateKind.EXACT, 1.0),)),),
    waits=(held(SPUN, SPUN.index("over"), SPUN.index("over") + 4),),
)

PARTS = "{++ ++} {-- --} {~~ ~> ~~} {>> <<} {== ==} { } ~ > + - & # &#38; &#62; ; \\ a b It . ! ' | |||".split(" ")
OTHERS = [
    " ",
    " ",
    "\t",
    "\n",
    "\n",
    "\r\n",
    "\x0b",
    "\x1b",
    "\x85",
    "\u2028",
    "\u00ad",
    "\ufeff",
    "\ufffe",
    "\U0001f600",
]
TEXTS = st.lists(st.sampled_from([*PARTS, *OTHERS]), max_size=25).map("".join)


@st.composite
def restorations(draw: st.DrawFn) -> Restoration:
    """Texts with repeated lines, edits of all kinds outside them, and held candidates."""
    text = draw(TEXTS)
    first: dict[str, int] = {}
    repeats: list[DuplicateGroup] = []
    for paragraph in segment(text).paragraphs:
        start, end = paragraph.start, paragraph.end
        kept = first.setdefault(text[start:end], start)
        if kept != start and draw(st.booleans()):
            repeat = Repeat(start, end, DuplicateKind.EXACT, 1.0)
            repeats.append(DuplicateGroup(kept, kept + end - start, (repeat,)))
    gone = removals(repeats, text)
    places = st.integers(0, len(text)).filter(lambda at: text[at - 1 : at + 1] != "\r\n")
    cuts = sorted(draw(st.lists(places, max_size=8)))
    edits: list[Edit] = []
    waits: list[Held] = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        before, after = text[start:end], draw(st.sampled_from(["", "x", "x y", "\n", *PARTS]))
        if any(start <= one.end and one.start <= end for one in gone) or (edits and edits[-1].start == start):
            continue
        if start < end and draw(st.booleans()):
            waits.append(held(text, start, end))
        elif before != after:
            edits.append(Edit(start, end, before, after, None, 0.5, draw(st.sampled_from(DecidedBy))))
    return restored(text, *edits, repeats=tuple(repeats), waits=tuple(waits))


# Word

OFFICE = shutil.which("soffice")
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def word(restoration: Restoration) -> bytes:
    return render(restoration, style=DiffStyle.DOCX, name="a.txt")


def part(data: bytes, name: str) -> ElementTree.Element:
    with ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        return ElementTree.fromstring(package.read(name))


def read_word(data: bytes, *, accept: bool) -> str:
    """The text with all tracked changes accepted, or all rejected."""
    gone = f"{W}del" if accept else f"{W}ins"
    out = ""
    for paragraph in part(data, "word/document.xml").iter(f"{W}p"):
        for child in paragraph:
            for run in () if child.tag == gone else child.iter(f"{W}r"):
                for inner in run:
                    out += "\t" if inner.tag == f"{W}tab" else inner.text or ""
        if paragraph.find(f"{W}pPr/{W}rPr/{gone}") is None:
            out += "\n"
    return out[:-1]


def in_word(text: str) -> str:
    """What a Word file can hold of a text."""
    lines = re.sub("\r\n|\r", "\n", text)
    signed = re.sub("[\0-\x08\x0b\x0c\x0e-\x1f]", lambda c: chr(0x2400 + ord(c.group())), lines)
    return re.sub("[\ud800-\udfff\ufffe\uffff]", "\ufffd", signed)


@given(restorations())
def test_word_holds_both_texts(restoration: Restoration) -> None:
    data = word(restoration)
    assert read_word(data, accept=True) == in_word(cleaned(restoration))
    assert read_word(data, accept=False) == in_word(restoration.original)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_a_line_is_a_paragraph_in_word(line_break: str) -> None:
    text = line_break.join(("One", "two", "", "three", ""))
    restoration = restored(text, edit(text, f"two{line_break}", ""), edit(text, "three", f"3{line_break}4"))
    assert read_word(word(restoration), accept=False) == "One\ntwo\n\nthree\n"
    assert read_word(word(restoration), accept=True) == "One\n\n3\n4\n"


def test_word_says_who_changed_what_and_why() -> None:
    data = word(RESTORED)
    document = part(data, "word/document.xml")
    marked = [one for one in document.iter() if one.tag in (f"{W}ins", f"{W}del")]
    assert {one.get(f"{W}author") for one in marked} == {"unspin"}
    assert len({one.get(f"{W}id") for one in marked}) == len(marked) > 10
    notes = ["".join(one.itertext()) for one in part(data, "word/comments.xml")]
    assert notes == ["repeats paragraph 1 (exact, score 1.00)", "held (name): x--} 0.60, over 0.40"]
    # A comment on what goes must go with it.
    references = [parent.tag for parent in document.iter() if parent.find(f"{W}r/{W}commentReference") is not None]
    assert references == [f"{W}del", f"{W}p"]


def test_word_lists_every_part_it_has() -> None:
    data = word(RESTORED)
    with ZipFile(io.BytesIO(data)) as package:
        names = {name for name in package.namelist() if not name.endswith(".rels")} - {"[Content_Types].xml"}
    types = part(data, "[Content_Types].xml")
    assert {"/" + name for name in names} == {one.get("PartName") for one in types if one.get("PartName")}
    targets = [one.get("Target") for one in part(data, "word/_rels/document.xml.rels")]
    assert {f"word/{target}" for target in targets} | {"word/document.xml", "docProps/core.xml"} == names


def test_word_bytes_depend_on_nothing_but_the_restoration() -> None:
    assert word(RESTORED) == word(RESTORED)
    assert b"date" not in ElementTree.tostring(part(word(RESTORED), "word/document.xml"))
    dated = render(RESTORED, style=DiffStyle.DOCX, date=datetime(2020, 2, 3, tzinfo=UTC))
    dates = {
        one.get(f"{W}date") for one in part(dated, "word/document.xml").iter() if one.tag in (f"{W}ins", f"{W}del")
    }
    assert dates == {"2020-02-03T00:00:00Z"}


def test_a_hostile_name_is_no_markup_in_word() -> None:
    data = render(RESTORED, style=DiffStyle.DOCX, name="</dc:title>\x1b\udce9")
    assert part(data, "docProps/core.xml")[0].text == "</dc:title>␛\ufffd"


# LibreOffice shows a document without its deletions (0) or without its insertions (3), and writes what it shows.
SHOW = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1" script:language="StarBasic">
Sub Show(source, target, kind)
  Dim hidden(0) As New com.sun.star.beans.PropertyValue
  hidden(0).Name = "Hidden" : hidden(0).Value = True
  document = StarDesktop.loadComponentFromURL(source, "_blank", 0, hidden())
  document.setPropertyValue("RedlineDisplayType", CInt(kind))
  Dim plain(1) As New com.sun.star.beans.PropertyValue
  plain(0).Name = "FilterName" : plain(0).Value = "Text (encoded)"
  plain(1).Name = "FilterOptions" : plain(1).Value = "UTF8,LF,,,"
  document.storeToURL(target, plain())
  document.close(True)
End Sub
</script:module>
"""


def office(profile: Path, *args: str | Path) -> None:
    assert OFFICE
    subprocess.run(
        [OFFICE, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        timeout=180,
    )


@pytest.mark.skipif(OFFICE is None, reason="no LibreOffice (soffice) on the PATH")
def test_libreoffice_reads_both_texts_and_who_changed_them(tmp_path: Path) -> None:
    source = tmp_path / "a.docx"
    source.write_bytes(word(RESTORED))
    profile = tmp_path / "profile"
    office(profile, "--convert-to", "fodt", "--outdir", tmp_path, source)  # makes the profile, too
    opened = (tmp_path / "a.fodt").read_text(encoding="utf-8")
    assert set(re.findall("<dc:creator>(.*?)</dc:creator>", opened)) == {"unspin"}
    assert opened.count("<text:deletion>") >= 5 and opened.count("<text:insertion>") >= 3
    assert "held (name): x--} 0.60, over 0.40" in opened
    (profile / "user/basic/Standard/Module1.xba").write_text(SHOW, encoding="utf-8")
    for kind, wanted in ((0, cleaned(RESTORED)), (3, SPUN)):
        target = tmp_path / f"{kind}.txt"
        office(profile, f'macro:///Standard.Module1.Show("{source.as_uri()}","{target.as_uri()}","{kind}")')
        # It starts with a byte-order mark and ends every paragraph, the last, too.
        assert target.read_text(encoding="utf-8-sig") == wanted + "\n"


# CriticMarkup


def critic(restoration: Restoration) -> str:
    return render(restoration, style=DiffStyle.MARKDOWN)


def read_critic(text: str, *, accept: bool) -> str:
    """By the letter of CriticMarkup, which knows no escapes; then the four entities."""
    marks = re.compile(
        r"\{\+\+(?P<ins>.*?)\+\+\}|\{--(?P<del>.*?)--\}|\{~~(?P<old>.*?)~>(?P<new>.*?)~~\}"
        r"|\{>>.*?<<\}|\{==(?P<mark>.*?)==\}",
        re.DOTALL,
    )
    kept = ("ins", "new", "mark") if accept else ("del", "old", "mark")
    plain = marks.sub(lambda mark: "".join(mark[kind] or "" for kind in kept), text)
    return re.sub(r"&#(38|62|123|125);", lambda entity: chr(int(entity[1])), plain)


@given(restorations())
def test_criticmarkup_holds_both_texts(restoration: Restoration) -> None:
    text = critic(restoration)
    assert read_critic(text, accept=True) == cleaned(restoration)
    assert read_critic(text, accept=False) == restoration.original


def test_criticmarkup_reads_like_the_article() -> None:
    assert critic(RESTORED) == (
        "The {~~struggle~>war~~} began. It went\ton.\n\n"
        "{~~A offer~>An  offer~~} & <{~~more~>more or\nless~~}>."
        "{--\nThe struggle began. It went\ton.--}{>>repeats paragraph 1 (exact, score 1.00)<<}\n\n"
        "It{-- is--} {==over==}{>>held (name): x--&#125; 0.60, over 0.40<<}.\n"
    )


def test_text_without_marks_is_left_as_it_is() -> None:
    text = "A & B -- {c} > d ~ e; f() { return a++; } &amp; &#169"
    assert critic(restored(text)) == text.replace("&#", "&#38;#")


# M2


def blocks(restoration: Restoration) -> list[tuple[list[str], list[list[str]]]]:
    """The tokens of each sentence, and the fields of its edits."""
    found = []
    for block in render(restoration, style=DiffStyle.M2).split("\n\n")[:-1]:
        first, *edits = block.split("\n")
        assert first.startswith("S ")
        assert all(line.startswith("A ") for line in edits)
        found.append((first[2:].split(" ") if first != "S " else [], [line[2:].split("|||") for line in edits]))
    return found


def read_m2(restoration: Restoration, *, accept: bool) -> str:
    out: list[str] = []
    for tokens, edits in blocks(restoration):
        assert edits, "a sentence says noop if it has no edits"
        for span, kind, correction, *others in reversed(edits):
            start, end = map(int, span.split(" "))
            assert others == ["REQUIRED", "-NONE-", "0"]
            if kind == "noop":
                assert (start, end, correction, len(edits)) == (-1, -1, "-NONE-", 1)
            elif accept:
                assert kind[0] == ("M" if start == end else "R" if correction else "U")
                tokens[start:end] = [correction.replace("&#124;", "|")]
        out += tokens
    return written("".join(out))


def written(text: str) -> str:
    """What stands in tokens of a text: no white space, and nothing that is not seen."""
    return re.sub(rf"[\s{INVISIBLE}]", "", text)


@given(restorations())
def test_m2_holds_the_tokens_of_both_texts(restoration: Restoration) -> None:
    assert read_m2(restoration, accept=True) == written(cleaned(restoration))
    assert read_m2(restoration, accept=False) == written(restoration.original)


def test_m2_has_a_block_for_each_sentence() -> None:
    assert render(RESTORED, style=DiffStyle.M2) == (
        "S The struggle began .\nA 1 2|||R:SPIN|||war|||REQUIRED|||-NONE-|||0\n\n"
        "S It went on .\nA -1 -1|||noop|||-NONE-|||REQUIRED|||-NONE-|||0\n\n"
        "S A offer & < more > .\n"
        "A 0 2|||R:SPIN|||An offer|||REQUIRED|||-NONE-|||0\n"
        "A 4 5|||R:SPIN|||more or less|||REQUIRED|||-NONE-|||0\n\n"
        "S The struggle began .\nA 0 4|||U:DUPLICATE||||||REQUIRED|||-NONE-|||0\n\n"
        "S It went on .\nA 0 4|||U:DUPLICATE||||||REQUIRED|||-NONE-|||0\n\n"
        "S It is over .\nA 1 2|||U:SPIN||||||REQUIRED|||-NONE-|||0\n\n"
    )


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("heart", "it", ["A 1 3|||R:SPIN|||it's|||REQUIRED|||-NONE-|||0"]),  # "it's" is one token
        (" ", "", ["A 0 2|||R:SPIN|||Theheart|||REQUIRED|||-NONE-|||0"]),
        (".", " |", ["A 4 5|||R:SPIN|||&#124;|||REQUIRED|||-NONE-|||0"]),
        (".", ". Or\nnot.", ["A 4 5|||R:SPIN|||. Or not .|||REQUIRED|||-NONE-|||0"]),
        ("beats", "www.a|||b", ["A 3 4|||R:SPIN|||www.a&#124;&#124;&#124;b|||REQUIRED|||-NONE-|||0"]),
    ],
)
def test_m2_edits_whole_tokens(before: str, after: str, lines: list[str]) -> None:
    text = "The heart's beats."
    shown = render(restored(text, edit(text, before, after)), style=DiffStyle.M2)
    assert shown == "\n".join(["S The heart 's beats .", *lines]) + "\n\n"


def test_m2_joins_sentences_that_an_edit_runs_across() -> None:
    text = "It began. Then it went on. So it is."
    ((_, first), (tokens, last)) = blocks(restored(text, edit(text, ". Then", ", and then")))
    assert [one[:3] for one in first] == [["2 4", "R:SPIN", ", and then"]]
    assert (tokens[0], [one[1] for one in last]) == ("So", ["noop"])


def test_m2_types_say_what_is_mended() -> None:
    text = "A offer { stands."
    restoration = restored(
        text, edit(text, "A", "An", by=DecidedBy.AGREEMENT), edit(text, "{ ", "", by=DecidedBy.DEBRIS)
    )
    assert [one[1] for one in blocks(restoration)[0][1]] == ["R:DET", "U:DEBRIS"]


@pytest.mark.parametrize("style", [DiffStyle.DOCX, DiffStyle.MARKDOWN, DiffStyle.M2])
def test_an_empty_text_has_its_formats(style: DiffStyle) -> None:
    assert isinstance(render(restored(""), style=style), bytes if style is DiffStyle.DOCX else str)


@pytest.mark.parametrize("style", [DiffStyle.DOCX, DiffStyle.MARKDOWN, DiffStyle.M2])
def test_edits_that_make_no_cleaned_text_are_refused(style: DiffStyle) -> None:
    inside = edit(SPUN[AGAIN:], "struggle", "war")
    moved = Edit(inside.start + AGAIN, inside.end + AGAIN, "struggle", "war", None, 0.9, DecidedBy.DECODER)
    with pytest.raises(EditConflict):
        render(restored(SPUN, moved, repeats=RESTORED.duplicates), style=style)
