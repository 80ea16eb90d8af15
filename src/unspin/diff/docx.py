"""A Word document with tracked changes, to accept or reject one by one; comments say what is held, and what repeats.

In comes a `Restoration`; out go the bytes of a .docx (ECMA-376), the same for the same restoration. Accepting all
changes gives the cleaned text, rejecting them the original: a line is a paragraph, whatever ends it in the text.
Characters that XML cannot hold (control characters, lone surrogates) are shown as visible signs.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count
from typing import Literal, assert_never
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from unspin.diff.pieces import Piece, Removed, pieces, readings
from unspin.model import Edit, Held, Restoration

AUTHOR = "unspin"

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SCHEMAS = "http://schemas.openxmlformats.org"
_TYPES = "application/vnd.openxmlformats-"
_CORE = "package/2006/metadata/core-properties"
_PARTS = ("comments", "settings", "styles")  # word/NAME.xml, beside word/document.xml
_SETTINGS = (  # without it Word opens the file in a mode for older versions
    '<w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" '
    'w:val="15"/></w:compat>'
)
_STYLES = (
    '<w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" w:cs="Calibri"/>'
    '<w:sz w:val="22"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after="120"/></w:pPr></w:pPrDefault>'
    "</w:docDefaults>"
)
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the first that ZIP knows: equal restorations make equal bytes

_BREAK = re.compile("\r\n|[\r\n]")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_Change = Literal["del", "ins"]


def docx(restoration: Restoration, *, name: str, date: datetime | None = None) -> bytes:
    """`name` is the document's title, `date` (UTC) when the changes are said to be made. Raises EditConflict."""
    body = _Body(date)
    for piece in pieces(restoration):
        body.add(piece)
    inner = {"comments": "".join(body.comments), "settings": _SETTINGS, "styles": _STYLES}
    parts = {f"word/{part}.xml": _part(part, inner[part]) for part in _PARTS}
    return _zipped(
        {
            "[Content_Types].xml": _content_types(),
            "_rels/.rels": _relationships(
                (
                    (f"{_SCHEMAS}/officeDocument/2006/relationships/officeDocument", "word/document.xml"),
                    (f"{_SCHEMAS}/package/2006/relationships/metadata/core-properties", "docProps/core.xml"),
                )
            ),
            "docProps/core.xml": _properties(name, str(restoration.signature)),
            "word/document.xml": _part("document", f"<w:body>{body}</w:body>"),
            "word/_rels/document.xml.rels": _relationships(
                (f"{_SCHEMAS}/officeDocument/2006/relationships/{part}", f"{part}.xml") for part in _PARTS
            ),
            **parts,
        }
    )


# The text


class _Body:
    """Paragraphs of runs, and the comments on them; as a string, the paragraphs."""

    def __init__(self, date: datetime | None) -> None:
        self.by = f'w:author="{AUTHOR}"' + (f' w:date="{date:%Y-%m-%dT%H:%M:%SZ}"' if date else "")
        self.paragraphs: list[str] = []
        self.runs: list[str] = []
        self.comments: list[str] = []
        self.numbers = count(1)  # of changes and comments

    def __str__(self) -> str:
        return "".join((*self.paragraphs, _paragraph("", self.runs)))

    def add(self, piece: Piece) -> None:
        match piece:
            case str():
                self.write(piece)
            case Edit():
                self.write(piece.before, "del")
                self.write(piece.after, "ins")
            case Removed():
                before, passage, after = piece.parts
                self.write(before, "del")
                self.comment(passage, str(piece), "del")
                self.write(after, "del")
            case Held():
                self.comment(piece.candidate.before, f"held ({piece.reason}): {', '.join(readings(piece))}")
            case _:
                assert_never(piece)

    def write(self, text: str, change: _Change | None = None) -> None:
        """Text as it stays or changes; each line break ends a paragraph, and changes with it."""
        first, *others = _BREAK.split(text)
        self.run(_text(first, "delText" if change == "del" else "t"), change)
        for line in others:
            mark = f"<w:pPr><w:rPr>{self.tag(change)}/></w:rPr></w:pPr>" if change else ""
            self.paragraphs.append(_paragraph(mark, self.runs))
            self.runs = []
            self.run(_text(line, "delText" if change == "del" else "t"), change)

    def run(self, inner: str, change: _Change | None) -> None:
        if inner:
            run = f"<w:r>{inner}</w:r>"
            self.runs.append(f"{self.tag(change)}>{run}</w:{change}>" if change else run)

    def tag(self, change: _Change) -> str:
        return f'<w:{change} w:id="{next(self.numbers)}" {self.by}'

    def comment(self, text: str, note: str, change: _Change | None = None) -> None:
        """Text with a comment, which goes where the text goes."""
        key = f'w:id="{next(self.numbers)}"'
        note = _paragraph("", [f"<w:r>{_text(note, 't')}</w:r>"])
        self.comments.append(f'<w:comment {key} {self.by} w:initials="u">{note}</w:comment>')
        self.runs.append(f"<w:commentRangeStart {key}/>")
        self.write(text, change)
        self.runs.append(f"<w:commentRangeEnd {key}/>")
        self.run(f"<w:commentReference {key}/>", change)


def _paragraph(properties: str, runs: Iterable[str]) -> str:
    return f"<w:p>{properties}{''.join(runs)}</w:p>"


def _text(text: str, tag: str) -> str:
    """What a run holds: texts, with tabs between them."""
    parts = (f'<w:{tag} xml:space="preserve">{_legible(part)}</w:{tag}>' if part else "" for part in text.split("\t"))
    return "<w:tab/>".join(parts)


def _legible(text: str) -> str:
    return escape(_NO_XML.sub(lambda c: chr(0x2400 + ord(c.group())) if c.group() < " " else "\ufffd", text))


# The package


def _part(name: str, inner: str) -> str:
    return f'{_XML}<w:{name} xmlns:w="{_SCHEMAS}/wordprocessingml/2006/main">{inner}</w:{name}>'


def _relationships(targets: Iterable[tuple[str, str]]) -> str:
    rows = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_SCHEMAS}/package/2006/relationships">{rows}</Relationships>'


def _content_types() -> str:
    def overrides() -> Iterator[tuple[str, str]]:
        yield "/docProps/core.xml", "package.core-properties+xml"
        yield "/word/document.xml", "officedocument.wordprocessingml.document.main+xml"
        for part in _PARTS:
            yield f"/word/{part}.xml", f"officedocument.wordprocessingml.{part}+xml"

    rows = "".join(f'<Override PartName="{part}" ContentType="{_TYPES}{kind}"/>' for part, kind in overrides())
    return (
        f'{_XML}<Types xmlns="{_SCHEMAS}/package/2006/content-types">'
        f'<Default Extension="rels" ContentType="{_TYPES}package.relationships+xml"/>{rows}</Types>'
    )


def _properties(title: str, description: str) -> str:
    return (
        f'{_XML}<cp:coreProperties xmlns:cp="{_SCHEMAS}/{_CORE}" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{_legible(title)}</dc:title><dc:creator>{AUTHOR}</dc:creator>"
        f"<dc:description>{_legible(description)}</dc:description></cp:coreProperties>"
    )


def _zipped(parts: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as package:
        for path, xml in parts.items():
            package.writestr(ZipInfo(path, _NO_TIME), xml.encode(), ZIP_DEFLATED)
    return file.getvalue()
