"""What a review shows in the terminal: an item in its sentence, its options, the evidence. No input, no output.

In comes a `Page`; out go rows of styled text, no wider than asked for, or the string that paints them. Every character
that could drive a terminal or deceive a reader is shown as a sign for it. Nothing is said by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise

from rapidfuzz.distance.Levenshtein import opcodes
from rich.cells import cell_len

from unspin.commands.review_keys import HELP, offered
from unspin.commands.review_layout import NO_BREAK, Piece, Row, Style, fitted, shown, wrapped
from unspin.edit import mend_articles
from unspin.model import DecidedBy, DuplicateKind, Edit, HeldReason, Status
from unspin.review.context import REACH, Context
from unspin.review.model import Choice, Item, State
from unspin.text import segment

WIDEST = 100  # columns that are used, of a wider terminal: longer lines are hard to read
NARROWEST = 40  # a narrower terminal breaks lines itself
LEAST_ROWS = 3  # of the sentence, however low the terminal
_INDENT = 2
_SAME = 6  # words that are shown on either side of a difference between two passages


@dataclass(frozen=True, slots=True)
class Page:
    """All that is shown of one item. `paragraphs`: for a repeated passage, the text it repeats and the number of the
    paragraph, counted from 1, where that begins."""

    item: Item
    context: Context
    document: str
    done: int
    total: int
    paragraphs: tuple[str, int] = ("", 0)
    second_opinion: bool = False


def percent(confidence: float) -> str:
    """A probability as a person reads it; never 0 or 100 unless it is.

    >>> percent(0.986), percent(0.999), percent(0.0004), percent(1.0)
    ('99 %', '>99 %', '<1 %', '100 %')
    """
    if 0.0 < confidence < 0.005:
        return "<1 %"
    return ">99 %" if 0.995 <= confidence < 1.0 else f"{confidence:.0%}".replace("%", " %")


def _change(before: str, after: str, *, colour: bool) -> list[Piece]:
    """A change as `unspin clean --diff words` shows it."""
    before, after = shown(before), shown(after)
    old: list[Piece] = [(before if colour else f"[-{before}-]", Style.BEFORE)] if before else []
    new: list[Piece] = [(after if colour else f"{{+{after}+}}", Style.AFTER)] if after else []
    gap: list[Piece] = [(" ", Style.PLAIN)] if colour and old and new else []
    return [*old, *gap, *new]


# the parts of a page


def rows(page: Page, *, width: int, height: int, colour: bool) -> list[Row]:
    """A page, but for the question at its foot: at most `height` rows, if that leaves room for what matters."""
    foot = _options(page, width)
    room = max(LEAST_ROWS, height - len(foot) - 4)
    if page.item.duplicate is not None:
        body = _passage(page, width, room, colour=colour)
    else:
        body = _sentence(page, width, room, colour=colour)
    blank: Row = []
    return [*_head(page, width), blank, *body, blank, *foot]


def _head(page: Page, width: int) -> list[Row]:
    done = f"{page.done:,}/{page.total:,}"
    why = "second opinion" if page.second_opinion else standing(page.item)
    name = fitted(shown(page.document), max(4, width - len(done) - cell_len(why) - 6), end=True)
    gap = " " * max(2, width - len(done) - 2 - cell_len(name) - cell_len(why))
    bar = round(width * min(1.0, page.done / page.total)) if page.total else 0
    head: Row = [(done, Style.STRONG), ("  ", Style.PLAIN), (name, Style.PLAIN), (gap + why, Style.FAINT)]
    return [head, [("━" * bar, Style.STRONG), ("─" * (width - bar), Style.FAINT)]]


_WHY = {
    DecidedBy.DUPLICATE: "a paragraph repeated",
    DecidedBy.DEBRIS: "proposed: left behind by the spinner",
    DecidedBy.ENDPOINT: "proposed by a language model",
    DecidedBy.SIBLING: "proposed: a copy has it so",
    HeldReason.CONFIDENCE: "held: not sure enough",
    HeldReason.DEBRIS: "held: authors write it, too",
    HeldReason.STATUS: "held: its entry is for review",
    HeldReason.NUMBER: "held: it changes a number",
    HeldReason.NEGATION: "held: it changes a negation",
    HeldReason.NAME: "held: it changes a name",
}


def standing(item: Item) -> str:
    """Where an item's decision stands, in a few words."""
    match item.state:
        case State.ACCEPTED:
            return "accepted"
        case State.REJECTED:
            return "left as it stands"
        case State.REPLACED:
            return f"replaced: {fitted(shown(item.answer or 'nothing'), 30)}"
        case _:
            return _WHY.get(item.why, "proposed")


def _proposed(item: Item, *, second_opinion: bool) -> Choice:
    """What the sentence shows: the answer in words of one's own, else the first choice."""
    if item.state is State.REPLACED and not second_opinion and item.answer != item.before:
        return Choice(item.answer or "", None, 1.0)
    return item.choices[0]


def _sentence(page: Page, width: int, room: int, *, colour: bool) -> list[Row]:
    """The sentence with the change in it, and with "a" and "an" as they follow from it."""
    item, context = page.item, page.context
    choice = _proposed(item, second_opinion=page.second_opinion)
    whole = context.left + context.words + context.right
    start = len(context.left)
    swap = Edit(start, start + len(context.words), context.words, choice.after, choice.entry, 1.0, DecidedBy.REVIEWER)
    edits = mend_articles(segment(whole), [swap])
    middle: list[Piece] = []
    for edit, following in pairwise([*edits, None]):
        assert edit is not None
        middle += _change(edit.before, edit.after, colour=colour)
        if following is not None:
            middle.append((shown(whole[edit.end : following.start]), Style.PLAIN))
    left, right = shown(whole[: edits[0].start]), shown(whole[edits[-1].end :])
    left = "…" + left if start >= REACH and context.start else left
    cells = room * (width - 2 * _INDENT) - sum(cell_len(text) for text, _ in middle)
    left, right = _around(left, right, max(2, cells - room * 4))
    return wrapped([(left, Style.PLAIN), *middle, (right, Style.PLAIN)], width - _INDENT, indent=_INDENT)


def _around(left: str, right: str, cells: int) -> tuple[str, str]:
    """What stands around a change, cut so that both together take no more than `cells` columns."""
    half = cells // 2
    wide_left, wide_right = cell_len(left), cell_len(right)
    if wide_left + wide_right <= cells:
        return left, right
    room = max(half, cells - wide_right)
    gap = " " if left.endswith(" ") else ""
    left = fitted(left.rstrip(), room, end=True) + gap
    opening = " " if right.startswith(" ") else ""
    return left, opening + fitted(right.lstrip(), max(2, cells - min(room, wide_left)))


_ALIKE = {
    DuplicateKind.EXACT: "word for word",
    DuplicateKind.NORMALISED: "but for capitals and punctuation",
    DuplicateKind.NEAR: "with small changes",
    DuplicateKind.RESPUN: "spun anew",
}


def _passage(page: Page, width: int, room: int, *, colour: bool) -> list[Row]:
    """A repeated passage, where it differs from what it repeats."""
    assert page.item.duplicate is not None
    repeat = page.item.duplicate.repeat
    kept, number = page.paragraphs
    alike = _ALIKE.get(repeat.kind, str(repeat.kind))
    exact = repeat.kind is DuplicateKind.EXACT
    how = alike if exact else f"{alike} ({percent(repeat.score).replace(' ', NO_BREAK)} alike)"
    say = f"This paragraph repeats paragraph {number:,}, which stays, {how}:"
    title = wrapped([(say, Style.PLAIN)], width - _INDENT, indent=_INDENT)
    here = shown(page.item.before)
    body = [(here, Style.PLAIN)] if kept.split() == here.split() else _compared(kept, here, colour=colour)
    lines = wrapped(body, width - _INDENT, indent=2 * _INDENT)
    room = max(LEAST_ROWS, room - len(title) - 1)
    if len(lines) > room:
        first = (room + 1) // 2
        dots: Row = [(" " * 2 * _INDENT + "…", Style.FAINT)]
        lines = [*lines[:first], dots, *lines[len(lines) - (room - first - 1) :]] if room > 2 else [*lines[:room], dots]
    return [*title, [], *lines]


def _compared(kept: str, here: str, *, colour: bool) -> list[Piece]:
    """How a passage differs from the kept one, word by word; long stretches without a difference are left out."""
    old, new = shown(kept).split(), here.split()
    pieces: list[Piece] = []
    for is_same, group in groupby(opcodes(old, new), key=lambda change: change.tag == "equal"):
        changes = list(group)
        first, last = changes[0], changes[-1]
        words = new[first.dest_start : last.dest_end]
        if pieces:
            pieces.append((" ", Style.PLAIN))
        if is_same:
            words = [*words[:_SAME], "…", *words[-_SAME:]] if len(words) > 2 * _SAME + 2 else words
            pieces.append((" ".join(words), Style.PLAIN))
        else:
            pieces += _change(" ".join(old[first.src_start : last.src_end]), " ".join(words), colour=colour)
    return pieces


# options


def evidence(item: Item, choice: Choice) -> str:
    """What speaks for a choice: its lexicon entry, the source and rate of that, what the ranker saw."""
    if choice.entry is None:
        return {DecidedBy.DEBRIS: "what spinners leave behind", HeldReason.DEBRIS: "what spinners leave behind"}.get(
            item.why, "no lexicon entry"
        )
    entry = choice.entry
    parts = [f"{shown(entry.spun)} ← {shown(entry.original)}", f"rate {entry.rate:.2g}"]
    if entry.seen:
        parts.append(f"seen {entry.seen:,}")
    parts.append(shown(entry.source))
    if entry.status is not Status.AUTO:
        parts.append(entry.status)
    if choice.prior is not None:
        parts.append(f"ranker {choice.prior:.2f} → {choice.confidence:.2f}")
    return ", ".join(part.replace(" ", NO_BREAK) for part in parts if part)


def _options(page: Page, width: int) -> list[Row]:
    item = page.item
    if item.duplicate is not None:
        return [
            [(f"  {key}  ", Style.STRONG), (act, Style.PLAIN)] for key, act in (("y", "remove it"), ("n", "keep it"))
        ]
    listed = [
        (str(number), percent(choice.confidence), choice.after, evidence(item, choice))
        for number, choice in enumerate(item.choices, 1)
    ]
    listed.append(("n", percent(item.alone), item.before, "as it stands"))
    names = [fitted(shown(words) or "(nothing)", max(8, width // 3)) for _, _, words, _ in listed]
    column = max(map(cell_len, names))
    made: list[Row] = []
    for (key, sure, _, why), name in zip(listed, names, strict=True):
        words = name + " " * (column - cell_len(name) + 2)
        lead: Row = [(f"  {key}  ", Style.STRONG), (f"{sure:>5}  ", Style.FAINT), (words, Style.PLAIN)]
        margin = sum(cell_len(text) for text, _ in lead)
        first, *others = wrapped([(why, Style.FAINT)], width, indent=margin)
        made += [lead + first[1:], *others]
    return made


# the foot


def question(page: Page, width: int) -> str:
    """What is asked, with the keys that answer it; no wider than `width`."""
    item = page.item
    keys = f"[{','.join(offered(item, second_opinion=page.second_opinion))}]? "
    words = shown(item.choices[0].after)
    ways = ["Remove it "] if item.duplicate is not None else [f"Put “{words}” "] * bool(words) + ["Change it "]
    return next((way + keys for way in ways if cell_len(way + keys) <= width), keys)


def help_rows(width: int) -> list[Row]:
    """The keys, each with what it does."""
    made: list[Row] = [[("Keys", Style.STRONG)], []]
    for key, meaning in HELP:
        made += wrapped([(f"{key:>5}  ", Style.STRONG), (meaning, Style.PLAIN)], width, hanging=7)
    signs = "[-before-]{+after+}; %: how sure; ranker 0.41 → 0.93: how sure before and after it read the context"
    return [*made, [], *wrapped([(signs, Style.FAINT)], width)]
