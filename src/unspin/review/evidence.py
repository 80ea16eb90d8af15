"""What a review's answers say about lexicon entries.

In comes a ledger; out go, per entry, how often people wanted it and how often they did not, the swaps that they typed,
and sentences that are settled as a whole. Answers that are not in force (undone, stale, second opinions) say nothing,
and neither do repeated passages and debris, which no entry stands behind. Nothing is refused: what cannot be an
entry comes out with the reason (`Unfit`).
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from unspin.align import INSIDE
from unspin.decide import MIN_CONFIDENCE, guard
from unspin.edit import cleaned
from unspin.lexicon import LONGEST, Phrase
from unspin.model import DecidedBy, Edit, Entry, HeldReason
from unspin.review.context import REACH, Context, context
from unspin.review.ledger import Ledger
from unspin.review.model import Filter, Item, State
from unspin.review.overlay import key_of
from unspin.text import phrase, tokens

SHOWN = 2  # sentences that are kept of an entry, for and against it each
BESIDE = 60  # code points of a sentence that are shown on either side of a swap
ALL_DECIDED = 2.0  # a confidence that no automatic decision reaches: see `unspin.review.applying`

Key = tuple[Phrase, Phrase]


class Unfit(StrEnum):
    """Why words that a reviewer typed are no lexicon entry."""

    EMPTY = "nothing was put there"
    SAME = "the words are the same"
    LONG = f"more than {LONGEST} tokens"
    MARKS = "holds punctuation"
    NUMBER = "changes a number"
    NEGATION = "adds or takes away a negation"
    NAME = "changes the case pattern of a name"
    OFF = "the lexicon has it off"
    LOOP = "the lexicon has it the other way round"
    FULL = "the rates of the original leave it no room"
    RARE = "the original nearly always stands as it is"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What people said of one entry.

    `accepted`: how often they wanted it; `refused`: how often it would have been made, and they wanted something else;
    `unwanted`: the same, also where the decoder was not sure enough to make it; `left`: how often they then left the
    text alone. `is_typed`: reviewers brought it up. `speaking`: sentences for it, and `against`, with the place marked.
    """

    entry: Entry
    accepted: int = 0
    refused: int = 0
    unwanted: int = 0
    left: int = 0
    is_typed: bool = False
    speaking: tuple[str, ...] = ()
    against: tuple[str, ...] = ()

    @property
    def asked(self) -> int:
        """How many answers count for and against it."""
        return self.accepted + self.refused

    @property
    def key(self) -> Key:
        """By what the entry is known."""
        return key_of(self.entry.spun, self.entry.original)


@dataclass(frozen=True, slots=True)
class Settled:
    """A sentence in which everything is decided, in gold markup, and the entries that make it worth keeping: those that
    people refused there, or typed."""

    markup: str
    keys: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Heard:
    """All that was gathered; `unfit` counts what was typed and is no entry, as (spun, original, reason)."""

    evidence: tuple[Evidence, ...]
    settled: tuple[Settled, ...]
    unfit: tuple[tuple[str, str, Unfit, int], ...]


@dataclass(slots=True)
class _Tally:
    entry: Entry | None = None
    typed: Counter[tuple[str, str]] = field(default_factory=Counter)  # as it was written
    counts: Counter[str] = field(default_factory=Counter)
    speaking: list[str] = field(default_factory=list)
    against: list[str] = field(default_factory=list)

    def evidence(self) -> Evidence:
        entry = self.entry
        if entry is None:
            spun, original = min(self.typed, key=lambda pair: (-self.typed[pair], pair))
            entry = Entry(spun, original, 1.0, source="review")
        counts = {name: self.counts[name] for name in ("accepted", "refused", "unwanted", "left")}
        shown = tuple(self.speaking[:SHOWN]), tuple(self.against[:SHOWN])
        return Evidence(entry, **counts, is_typed=bool(self.typed), speaking=shown[0], against=shown[1])


def hear(ledger: Ledger) -> Heard:
    """All that the answers in force say. Time and memory grow with the decided texts, a text at a time."""
    tallies: defaultdict[Key, _Tally] = defaultdict(_Tally)
    unfit: Counter[tuple[str, str, Unfit]] = Counter()
    settled: list[Settled] = []
    for document in ledger.documents():
        if document.counts.decided:
            text, items = ledger.text(document.id), ledger.items(Filter(document=document.id))
            worth: dict[int, Key] = {}  # items that make their sentence worth keeping
            for item in items:
                if item.state.is_decided and item.entry:
                    _count(item, item.entry, context(text, item.start, item.end), tallies, unfit, worth)
            if worth:
                edits = ledger.restoration(document.id, min_confidence=ALL_DECIDED).edits
                settled += _settled(text, items, edits, worth)
    evidence = sorted((tally.evidence() for tally in tallies.values()), key=lambda one: one.key)
    return Heard(tuple(evidence), tuple(settled), tuple((*key, number) for key, number in sorted(unfit.items())))


def _count(
    item: Item,
    proposed: Entry,
    around: Context,
    tallies: defaultdict[Key, _Tally],
    unfit: Counter[tuple[str, str, Unfit]],
    worth: dict[int, Key],
) -> None:
    """Add one answer to what is known."""
    said = item.after if item.state is not State.REJECTED else item.before
    first = key_of(proposed.spun, proposed.original)
    wanted = next((c.entry for c in item.choices if c.entry and phrase(c.after) == phrase(said)), None)
    shown = _shown(around, said)
    if wanted is not None:
        key = key_of(wanted.spun, wanted.original)
        tally = tallies[key]
        tally.entry = wanted
        # An unsure proposal is made by nobody: that it was right says nothing about those that are.
        tally.counts["accepted"] += key != first or _is_sure(item)
        tally.speaking.append(shown) if len(tally.speaking) < SHOWN else None
    elif item.state is State.REPLACED:
        pair = swap(item.before, said)
        if isinstance(pair, Unfit):
            unfit[item.before, said, pair] += 1
        else:
            key = key_of(*pair)
            tally = tallies[key]
            tally.typed[pair] += 1
            tally.counts["accepted"] += 1
            tally.speaking.append(shown) if len(tally.speaking) < SHOWN else None
            worth[item.id] = key
    if wanted is None or key_of(wanted.spun, wanted.original) != first:
        tally = tallies[first]
        tally.entry = proposed
        tally.counts["unwanted"] += 1
        tally.counts["refused"] += _is_sure(item)
        tally.counts["left"] += item.state is State.REJECTED
        tally.against.append(shown) if len(tally.against) < SHOWN else None
        worth.setdefault(item.id, first)


def _is_sure(item: Item) -> bool:
    """Was it made unasked, or would have been, had its entry's status not kept it back?"""
    return isinstance(item.why, DecidedBy) or (item.why is HeldReason.STATUS and item.confidence >= MIN_CONFIDENCE)


def _shown(around: Context, said: str) -> str:
    """A sentence with what was said of the words in it, on one line, shortened, harmless in a terminal."""
    left, right = around.left, around.right
    left = left if len(left) <= BESIDE else "…" + left[-BESIDE:].partition(" ")[2]
    right = right if len(right) <= BESIDE else right[:BESIDE].rpartition(" ")[0] + "…"
    line = " ".join(f"{left}[[{around.words}|{said}]]{right}".split())
    return "".join(c if c.isprintable() else "\ufffd" for c in line)


# what was typed


def swap(before: str, typed: str) -> tuple[str, str] | Unfit:
    """The swap that words in a person's answer undo, as a lexicon writes it; or why there is none.

    What both have at their ends is no part of it. Case follows the text, so that it is kept only where it must be:
    "america" was "U.S.", but "Invoice" was "bill", and is "Bill" where it stands.

    >>> swap("additionally confirmed", "also confirmed")
    ('additionally', 'also')
    """
    if not typed.strip():
        return Unfit.EMPTY
    spun, original = _trimmed(_plain(before), _plain(typed))
    keys = phrase(spun), phrase(original)
    if keys[0] == keys[1] or not all(keys):
        return Unfit.SAME
    if max(map(len, keys)) > LONGEST:
        return Unfit.LONG
    if any(not token.is_word and token.text not in INSIDE for token in (*tokens(spun), *tokens(original))):
        return Unfit.MARKS
    reason = guard(spun, original, original)
    if reason is not None:
        return Unfit[reason.name]
    return spun.lower(), original if spun == spun.lower() else _lowered(original)


def _plain(words: str) -> str:
    """As a lexicon writes: NFC, straight apostrophes, single spaces."""
    return unicodedata.normalize("NFC", " ".join(words.split())).replace("\u2019", "'").replace("\u2018", "'")


def _trimmed(spun: str, original: str) -> tuple[str, str]:
    """Both without the tokens that they share at their ends; each keeps one at least."""
    one, other = list(tokens(spun)), list(tokens(original))
    if not one or not other:
        return spun, original
    while min(len(one), len(other)) > 1 and one[0].norm == other[0].norm:
        one, other = one[1:], other[1:]
    while min(len(one), len(other)) > 1 and one[-1].norm == other[-1].norm:
        one, other = one[:-1], other[:-1]
    return spun[one[0].start : one[-1].end], original[other[0].start : other[-1].end]


def _lowered(words: str) -> str:
    """Without first capitals; those inside a word, and "I", stay."""
    kept = (w if w[1:] != w[1:].lower() or w.split("'")[0] == "I" else w.lower() for w in words.split(" "))
    return " ".join(kept)


# sentences


def _settled(text: str, items: Sequence[Item], edits: Sequence[Edit], worth: dict[int, Key]) -> Iterator[Settled]:
    """The sentences of items that are worth it, where nothing is left open."""
    found: dict[tuple[int, int], set[Key]] = {}
    for item in items:
        if item.id in worth:
            around = context(text, item.start, item.end)
            found.setdefault((around.start, around.end), set()).add(worth[item.id])
    for (start, end), keys in found.items():
        inside = [item for item in items if item.start < end and start < item.end]
        made = [edit for edit in edits if edit.start < end and start < edit.end]
        is_open = any(not item.state.is_decided or item.entry is None for item in inside)
        is_cut = end - start >= REACH or any(edit.start < start or edit.end > end for edit in made)
        if not (is_open or is_cut) and (markup := _markup(text, start, end, made)):
            yield Settled(markup, frozenset(keys))


def _markup(text: str, start: int, end: int, edits: Iterable[Edit]) -> str | None:
    """A sentence as a line of an examples file; None if it would be read otherwise."""
    parts: list[str] = []
    position = start
    for edit in sorted(edits, key=lambda edit: edit.start):
        if not edit.before or not edit.after or "|" in edit.before + edit.after:
            return None
        parts += text[position : edit.start], f"[[{edit.before}|{edit.after}]]"
        position = edit.end
    line = "".join([*parts, text[position:end]])
    is_odd = "[[" in text[start:end] or "]]" in text[start:end] or line.startswith("#") or not line.isprintable()
    return None if is_odd else line


def occurrences(ledger: Ledger, wanted: Container[Phrase]) -> Counter[Phrase]:
    """How often phrases stand in the texts that people judged, as these read now: what a spinner could have swapped."""
    found: Counter[Phrase] = Counter()
    for document in ledger.documents():
        if document.counts.decided:
            words = phrase(cleaned(ledger.restoration(document.id)))
            for length in range(1, LONGEST + 1):
                grams = (words[at : at + length] for at in range(len(words) - length + 1))
                found.update(gram for gram in grams if gram in wanted)
    return found
