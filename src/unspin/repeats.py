"""Repeated paragraphs inside one document.

A `Document` comes in; `DuplicateGroup`s come out, in reading order. The first occurrence is kept, later
ones are repeats, and every repeat was compared with the kept paragraph itself, never with another repeat.

- *exact*: the same characters, white space and invisible characters apart.
- *near*: a few words differ, and the repeat says nothing new.
- *respun*: the same original spun differently, or one of the two unspun: what differs are swaps that the
  lexicon explains, or sentences stand in another order. Without a lexicon, many short substitutions spread evenly
  over the paragraph.

What is compared, and what makes a copy, is `unspin.match`'s, as across a collection; here more is asked of it, for
authors repeat on purpose. Kept, however often they repeat, are paragraphs under `MIN_WORDS` words (headings, refrains,
lines of a song), list items, quotations and dialogue, tables and code. Kept too is whatever could say something
else: the later paragraph brings a number or a name that the kept one lacks at that place, a negation
stands on one side only, or more words were added than an edit adds. A template filled with other facts is
no copy; a repeat may say less than the kept paragraph, never more. Nothing is refused: a document without
repeats gives no groups.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import xxhash
from rapidfuzz.distance import Indel

from unspin.blocking import candidates
from unspin.canon import Canon, canon
from unspin.fingerprint import FACT, read
from unspin.lexicon import Lexicon
from unspin.match import SHARED_GRAMS, Matcher, Rule
from unspin.model import Document, DuplicateGroup, DuplicateKind, Paragraph, Repeat
from unspin.stretches import gaps
from unspin.text import INVISIBLE
from unspin.words import OPENS, Ints, Longs, bare

# The figures below were chosen on real spun passages and clean articles: `benchmarks/repeats.py` prints
# what they find and what they wrongly remove.
MIN_WORDS = 25  # shorter paragraphs repeat on purpose, and their swaps leave too little to compare
COMPARED = 12  # paragraphs of which each is compared with each; of more, those that share rare grams are
RELATED = 0.4  # of the longer paragraph that the other one has, swapped words and all; what has less is no repeat
NEAR_SIMILARITY = 0.92  # share of equal words
NEAR_CHANGED = 3  # words in a row that an edit may replace or bring; it may strike out more
NEAR_WORDS_PER_CHANGE = 25  # one replaced phrase in so many words is an edit, two are another text
RESPUN_SCORE = 0.8  # share of symbols that are equal
RESPUN_ADDED = 8
SPREAD_SCORE = 0.5  # without a lexicon
SPREAD_CHANGES = 5
SPREAD_ADDED = 5
SPREAD_RUN = 0.25  # longest run of equal words, as a share of the paragraph: a template's fixed part is longer

_UNSEEN = re.compile(f"[{INVISIBLE}]")
_LIST_ITEM = re.compile(
    r"""\#
      | [*+•▪◦‣·-]\s
      | \\?\(?(?:\d{1,3}|[A-Za-z]|[ivxlc]{1,6})\\?[.)]\s   # 1.  (a)  iv)  and their Markdown escapes
      | [A-Z][a-z]*\.?\s\d{1,3}[.:)]\s                     # Step 4.  Sec. 2.  Slide 2:
    """,
    re.VERBOSE,
)
_SAID = re.compile(r"“[^”]*(?:”|$)|\"[^\"]*(?:\"|$)|«[^»]*(?:»|$)|‘.*’")
_TABLE_OR_CODE = re.compile(r"\S\s*\t.*\t|\|.*\||[{}]\s*$")
_SYMBOLS = re.compile(r"[][{}<>=|\\^~$_*+@]")
SYMBOLS = 0.05  # of a paragraph's characters: more is code
# Words that turn a comparison.
_COMPARISONS = (
    "more less most least higher lower highest lowest high low over under above below before after earlier later "
    "up down rise rises rose risen fall falls fell fallen increase increases increased decrease decreases "
    "decreased gain gains gained lose loses lost win wins won with without except unless only than first second 1st "
    "last nearly almost"
).split()


class _Change(NamedTuple):
    """Symbols `a:b` of the kept paragraph stand where the later one has its symbols `c:d`; either may be none."""

    a: int
    b: int
    c: int
    d: int

    @property
    def is_replacement(self) -> bool:
        return self.b > self.a and self.d > self.c


@dataclass(frozen=True, slots=True)
class _Verdict:
    kept: int
    kind: DuplicateKind
    score: float


def without_repeats(document: Document, groups: Iterable[DuplicateGroup]) -> Document:
    """The document without the paragraphs that go: nothing is decided there."""
    removed = {repeat.start for group in groups for repeat in group.repeats}
    return Document(document.text, tuple(p for p in document.paragraphs if p.start not in removed))


def find_repeats(document: Document, *, lexicon: Lexicon | None = None) -> tuple[DuplicateGroup, ...]:
    """The paragraphs that repeat an earlier one, grouped by the one that is kept.

    With a `lexicon`, a respun repeat needs at least as many explained swaps as other differences; without it, respun
    copies are found only where their swaps are many and evenly spread.

    A repeat's score is 1 if exact, the share of equal words if near, and the share of words that are equal
    or explained if respun. Time and memory grow in proportion to the document.
    """
    said: defaultdict[str, list[Paragraph]] = defaultdict(list)
    for paragraph in document.paragraphs if len(document.paragraphs) > 1 else ():
        text = document.text[paragraph.start : paragraph.end]
        if not _repeats_on_purpose(text, paragraph):
            said[bare(text)].append(paragraph)
    passages = list(said.values())
    verdicts = _verdicts([document.text[same[0].start : same[0].end] for same in passages], lexicon)
    repeats: defaultdict[int, list[Repeat]] = defaultdict(list)
    for number, same in enumerate(passages):
        found = verdicts.get(number, _Verdict(number, DuplicateKind.EXACT, 1.0))
        gone = same if number in verdicts else same[1:]
        repeats[found.kept] += [Repeat(p.start, p.end, found.kind, found.score) for p in gone]
    return tuple(
        DuplicateGroup(kept.start, kept.end, tuple(sorted(group, key=lambda repeat: repeat.start)))
        for (kept, *_), group in ((passages[number], group) for number, group in sorted(repeats.items()))
        if group
    )


def _repeats_on_purpose(text: str, paragraph: Paragraph) -> bool:
    """Is it of a form that authors repeat: short, a list item, a quotation, dialogue, a table or code?"""
    words = (token for sentence in paragraph.sentences for token in sentence.tokens if token.is_word)
    if sum(1 for _ in islice(words, MIN_WORDS)) < MIN_WORDS:
        return True
    seen = _UNSEEN.sub("", text).strip()
    if _LIST_ITEM.match(seen) or seen[0] in ">—–" or _TABLE_OR_CODE.search(seen):
        return True
    if len(_SYMBOLS.findall(seen)) > SYMBOLS * len(seen):
        return True
    return seen[0] in '"“«‘' and 2 * sum(map(len, _SAID.findall(seen))) >= len(seen)


def _verdicts(texts: Sequence[str], lexicon: Lexicon | None) -> dict[int, _Verdict]:
    """How texts repeat earlier ones, by number. No two have the same characters."""
    if len(texts) < 2:
        return {}
    plain = Matcher(read(texts, Canon()))
    pairs = sorted(plain.related(*_pairs(plain), share=RELATED), key=itemgetter(1, 0))
    if not pairs:  # most documents repeat nothing, and a lexicon's classes take longer to make than all of this
        return {}
    chosen = sorted({number for pair in pairs for number in pair})
    place = {number: n for n, number in enumerate(chosen)}
    readings = _readings([texts[number] for number in chosen], lexicon)
    verdicts: dict[int, _Verdict] = {}
    for kept, later in pairs:
        if kept not in verdicts and later not in verdicts:
            found = next(filter(None, (reading.repeats(place[kept], place[later]) for reading in readings)), None)
            verdicts |= {later: _Verdict(kept, *found)} if found else {}
    return verdicts


def _readings(texts: Sequence[str], lexicon: Lexicon | None) -> list[_Reading]:
    """Texts as words; and by the lexicon, if there is one."""
    plain = Matcher(read(texts, Canon()))
    found = [_Reading(plain, plain, Canon(), is_known=lexicon is not None)]
    if lexicon:
        table = canon(lexicon)
        found.append(_Reading(Matcher(read(texts, table)), plain, table, is_known=True))
    return found


def _pairs(plain: Matcher) -> tuple[Longs, Longs, Longs]:
    if len(plain.lengths) > COMPARED:
        return candidates(plain.corpus)
    first, second = np.triu_indices(len(plain.lengths), 1)
    return first, second, np.full(len(first), SHARED_GRAMS)


class _Reading:
    """Texts as symbols of a canon, and how they repeat one another; `plain` are the same texts as words.

    Where no lexicon `is_known`, swaps show by their number and spread alone.
    """

    def __init__(self, matcher: Matcher, plain: Matcher, table: Canon, *, is_known: bool) -> None:
        self.matcher, self.plain, self.is_known = matcher, plain, is_known
        names = [name for word in _COMPARISONS for name in (word, f"\0{table.classes.get((word,))}")]
        self.comparisons = frozenset(xxhash.xxh64_intdigest(name.encode()) for name in names)

    def repeats(self, kept: int, later: int) -> tuple[DuplicateKind, float] | None:
        """How a text repeats another one, and its score; None if it does not."""
        match = self.matcher.compare(kept, later)
        if match is None or match.rule is Rule.OVERLAP or match.adds[1]:
            return None
        left = self._changes(kept, later)
        if any(self._says_other(kept, later, change) for change in left):
            return None
        score = Indel.normalized_similarity(self.matcher.symbols(kept), self.matcher.symbols(later))
        is_small = score >= NEAR_SIMILARITY and self._are_small(kept, later, left)
        if is_small and (similarity := self.plain.similarity(kept, later)) >= NEAR_SIMILARITY:
            return DuplicateKind.NEAR, similarity
        return (DuplicateKind.RESPUN, score) if is_small or self._are_swaps(kept, later, left, score) else None

    def _changes(self, kept: int, later: int) -> list[_Change]:
        return [_Change(*edges) for edges in gaps(self.matcher.symbols(kept), self.matcher.symbols(later))]

    def _says_other(self, kept: int, later: int, change: _Change) -> bool:
        """Does the change bring a number or a name, or turn a statement into its negation?"""
        before, after = self._replaced(kept, later, change)
        negated = self.matcher.corpus.negated
        if bool(negated[before].any()) != bool(negated[after].any()):
            return True
        marks = self.matcher.marks(later)[change.c : change.d]
        new = {fact for fact, mark in zip(after.tolist(), marks, strict=True) if mark & FACT and not mark & OPENS}
        return not new <= set(before.tolist())

    def _replaced(self, kept: int, later: int, change: _Change) -> tuple[Ints, Ints]:
        return self.matcher.numbers(kept)[change.a : change.b], self.matcher.numbers(later)[change.c : change.d]

    def _are_small(self, kept: int, later: int, changes: Sequence[_Change]) -> bool:
        """Are the changes such as an editor makes, few and small and without weight?"""
        replaced = [change for change in changes if change.is_replacement]
        words = self.matcher.symbols(later)
        return (
            len(replaced) * NEAR_WORDS_PER_CHANGE <= len(words)
            # the same words put in twice are a template's filling
            and len({words[change.c : change.d] for change in replaced}) == len(replaced)
            and all(change.b - change.a <= NEAR_CHANGED for change in replaced)
            and all(change.d - change.c <= NEAR_CHANGED for change in changes)
            and not any(self._has_weight(kept, later, change) for change in changes)
        )

    def _has_weight(self, kept: int, later: int, change: _Change) -> bool:
        """Does a comparison turn, or is a fact or the first word of a sentence (a template's subject) replaced?"""
        words = np.concatenate(self._replaced(kept, later, change))
        if not self.comparisons.isdisjoint(self.matcher.corpus.hashes[words].tolist()):
            return True
        marks, others = self.matcher.marks(kept), self.matcher.marks(later)
        return change.is_replacement and (
            bool(marks[change.a] & others[change.c] & OPENS) or any(mark & FACT for mark in marks[change.a : change.b])
        )

    def _are_swaps(self, kept: int, later: int, left: Sequence[_Change], score: float) -> bool:
        """Does the lexicon explain most of the changes; or, if none is known, do they look like swaps?"""
        if not self.is_known:
            return score >= SPREAD_SCORE and self._are_spread(kept, later, left)
        explained = sum(1 for _ in gaps(self.plain.symbols(kept), self.plain.symbols(later))) - len(left)
        return (
            score >= RESPUN_SCORE
            and explained >= max(2, len(left))
            and all(change.d - change.c <= RESPUN_ADDED for change in left)
        )

    def _are_spread(self, kept: int, later: int, changes: Sequence[_Change]) -> bool:
        """Do short changes cover the paragraph evenly, as a spinner's do and an author's do not?"""
        size, words = int(self.matcher.lengths[kept]), self.matcher.symbols(later)
        edges = [0, *(edge for c in changes for edge in (c.a, c.b)), size]
        longest = max(right - left for left, right in zip(edges[::2], edges[1::2], strict=True))
        return (
            len({words[c.c : c.d] for c in changes}) >= SPREAD_CHANGES
            and all(max(c.b - c.a, c.d - c.c) <= SPREAD_ADDED for c in changes)
            and longest <= SPREAD_RUN * size
        )
