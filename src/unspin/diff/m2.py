"""M2, the format of grammatical error correction: sentences in tokens, and edits on them.

In comes a `Restoration`; out goes a block for each sentence of the original: `S` and its tokens, an `A` for each edit,
or one that says `noop`. Making a block's edits gives the tokens of the cleaned text. Tokens and sentences are those
of `unspin.text`. A type is ERRANT's operation (M missing, U unnecessary, R replacement) and what the edit mends.
The format is that of Dahlmeier and Ng 2012, as ERRANT (Bryant et al. 2017) writes it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from unspin.diff.pieces import changes
from unspin.edit import apply
from unspin.model import DecidedBy, Document, Edit, Restoration
from unspin.text import segment

_NOOP = "A -1 -1|||noop|||-NONE-|||REQUIRED|||-NONE-|||0\n"
_MENDED = {DecidedBy.AGREEMENT: "DET", DecidedBy.DEBRIS: "DEBRIS", DecidedBy.DUPLICATE: "DUPLICATE"}
_SWAP, _GLUED = "SPIN", "OTHER"  # an edit may part or join tokens beside it


class _Cut(NamedTuple):
    """A place in the original, `before`, and in the cleaned text, `after`; `kind` is of the edit that follows."""

    before: int
    after: int
    kind: str = ""
    starts_sentence: bool = False


class _Segment(NamedTuple):
    """The same stretch of both texts, in tokens."""

    before: list[str]
    after: list[str]
    kind: str


class _Tokens:
    """A text's tokens, found by their places."""

    def __init__(self, document: Document) -> None:
        self.found = document.tokens
        self.starts = [token.start for token in self.found]

    def are_parted(self, place: int) -> bool:
        last = bisect_left(self.starts, place) - 1
        return last < 0 or self.found[last].end <= place

    def between(self, start: int, end: int) -> list[str]:
        return [token.text for token in self.found[bisect_left(self.starts, start) : bisect_left(self.starts, end)]]


def m2(restoration: Restoration) -> str:
    """A block for each sentence; sentences that an edit runs across share one. Raises EditConflict."""
    edits = changes(restoration)
    document = segment(restoration.original)
    sentences = [s.start for paragraph in document.paragraphs for s in paragraph.sentences]
    cuts = sorted((*_edit_cuts(edits), *_sentence_cuts(sentences, edits)), key=lambda cut: (*cut[:2], bool(cut.kind)))
    after = segment(apply(restoration.original, edits))
    segments = _segments(_Tokens(document), _Tokens(after), [*cuts, _Cut(len(document.text), len(after.text))])
    return "".join(_block(sentence) for sentence in segments if any(s.before or s.after for s in sentence))


def _edit_cuts(edits: Iterable[Edit]) -> Iterator[_Cut]:
    shift = 0
    for edit in edits:
        yield _Cut(edit.start, edit.start + shift, _MENDED.get(edit.decided_by, _SWAP))
        shift += len(edit.after) - len(edit.before)
        yield _Cut(edit.end, edit.end + shift)


def _sentence_cuts(starts: Iterable[int], edits: Sequence[Edit]) -> Iterator[_Cut]:
    """Where sentences start. One that starts inside a replacement has no place in the cleaned text."""
    shift = number = 0
    for start in starts:
        while number < len(edits) and edits[number].end <= start and edits[number].start < start:
            shift += len(edits[number].after) - len(edits[number].before)
            number += 1
        inside = edits[number] if number < len(edits) and edits[number].start < start else None
        if inside is None:
            yield _Cut(start, start + shift, starts_sentence=True)
        elif not inside.after:
            yield _Cut(start, inside.start + shift, _MENDED.get(inside.decided_by, _SWAP), starts_sentence=True)


def _segments(before: _Tokens, after: _Tokens, cuts: Iterable[_Cut]) -> Iterator[list[_Segment]]:
    """Sentence by sentence, what stands between those cuts that part the tokens of both texts."""
    sentence: list[_Segment] = []
    last, kind, is_glued = _Cut(0, 0), "", False
    for cut in cuts:
        if not (before.are_parted(cut.before) and after.are_parted(cut.after)):
            kind, is_glued = kind or cut.kind, True
            continue
        stretch = _Segment(before.between(last[0], cut[0]), after.between(last[1], cut[1]), kind)
        sentence += _narrowed(stretch) if is_glued or not kind else [stretch]
        if cut.starts_sentence:
            yield sentence
            sentence = []
        last, kind, is_glued = cut, cut.kind, False
    yield sentence


def _narrowed(stretch: _Segment) -> Iterator[_Segment]:
    """What stays, what changes, and what stays."""
    before, after, kind = stretch
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    yield _Segment(before[:head], after[:head], "")
    yield _Segment(before[head : len(before) - tail], after[head : len(after) - tail], kind or _GLUED)
    yield _Segment(before[len(before) - tail :], after[len(after) - tail :], "")


def _common(some: Sequence[str], others: Sequence[str]) -> int:
    pairs = enumerate(zip(some, others, strict=False))
    return next((i for i, (one, other) in pairs if one != other), min(len(some), len(others)))


def _block(sentence: Iterable[_Segment]) -> str:
    words: list[str] = []
    lines = ""
    for before, after, kind in sentence:
        if before != after:
            lines += _line(len(words), before, after, kind)
        words += before
    return f"S {' '.join(words)}\n{lines or _NOOP}\n"


def _line(position: int, before: Sequence[str], after: Sequence[str], kind: str) -> str:
    operation = "R" if before and after else "U" if before else "M"
    correction = " ".join(after)
    if "|||" in f"||{correction}||":  # that parts the fields; Moses writes it so
        correction = correction.replace("|", "&#124;")
    return f"A {position} {position + len(before)}|||{operation}:{kind}|||{correction}|||REQUIRED|||-NONE-|||0\n"
