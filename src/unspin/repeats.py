"""Repeated paragraphs inside one document.

A `Document` comes in; `DuplicateGroup`s come out, in reading order. The first occurrence is kept, later
ones are repeats, and every repeat was compared with the kept paragraph itself, never with another repeat.

- *exact*: the same characters, white space and invisible characters apart.
- *near*: a few words differ, and the repeat says nothing new.
- *respun*: the same original spun differently, or one of the two unspun: what differs are swaps that the
  lexicon explains. Without a lexicon, many short substitutions spread evenly over the paragraph.

Kept on purpose, however often they repeat: paragraphs under `MIN_WORDS` words (headings, refrains, lines
of a song), list items, quotations and dialogue, tables and code. Kept too is whatever could say something
else: the later paragraph brings a number or a name that the kept one lacks at that place, a negation
stands on one side only, or more words were added than an edit adds. A template filled with other facts is
no copy; a repeat may say less than the kept paragraph, never more. Nothing is refused: a document without
repeats gives no groups.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import Indel

from unspin.model import Document, DuplicateGroup, DuplicateKind, Paragraph, Repeat
from unspin.text import INVISIBLE, is_negated

Phrase = tuple[str, ...]
Variants = Mapping[Phrase, Collection[Phrase]]

# The figures below were chosen on real spun passages and clean articles: `benchmarks/repeats.py` prints
# what they find and what they wrongly remove.
MIN_WORDS = 25  # shorter paragraphs repeat on purpose, and their swaps leave too little to compare
NEAR_SIMILARITY = 0.92  # share of equal words
NEAR_CHANGED = 3  # words in a row that an edit may replace or bring; it may strike out more
NEAR_WORDS_PER_CHANGE = 25  # one replaced phrase in so many words is an edit, two are another text
RESPUN_SCORE = 0.8  # share of words that are equal or that the lexicon explains
RESPUN_ADDED = 8
SPREAD_SCORE = 0.5  # without a lexicon
SPREAD_CHANGES = 5  # different ones
SPREAD_ADDED = 5
SPREAD_RUN = 0.25  # longest run of equal words, as a share of the paragraph: a template's fixed part is longer
LOWEST_SIMILARITY = 0.35  # share of equal words; the least alike true pairs have 0.39

SHARED_BIGRAMS = 2  # so many make a candidate
COMMON = 32  # a bigram of more kept paragraphs tells nothing
CANDIDATES = 8  # kept paragraphs compared with each later one
MAX_WORDS = 20_000  # alignment takes the product of two lengths; longer paragraphs are compared exactly only
LONGEST_SWAP = 7  # words

_UNSEEN = str.maketrans(dict.fromkeys(INVISIBLE))
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
_SENTENCE_OPENERS = frozenset("\"“”‘'([:—–")
_FIRST_PERSON = frozenset(("i", "i'm", "i've", "i'd", "i'll"))
_DIGITS = {word: str(n) for n, word in enumerate("zero one two three four five six seven eight nine ten".split())}
_NUMBER_WORDS = frozenset(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion "
    "trillion first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth fortieth fiftieth".split()
)  # "one" is left out: it is a pronoun more often
_COMPARISONS = frozenset(
    "more less most least higher lower highest lowest high low over under above below before after earlier later "
    "up down rise rises rose risen fall falls fell fallen increase increases increased decrease decreases "
    "decreased gain gains gained lose loses lost win wins won with without except unless only than first last".split()
)


@dataclass(frozen=True, slots=True)
class _Passage:
    """A paragraph's words (normal forms), and what each states as a fact: a number, a name, or ""."""

    start: int
    end: int
    words: Phrase
    facts: Phrase
    opens: tuple[bool, ...]  # the word opens a sentence, where a capital need not mean a name


@dataclass(frozen=True, slots=True)
class _Change:
    """Words `a:b` of the kept paragraph stand where the later one has its words `c:d`; either may be none."""

    a: int
    b: int
    c: int
    d: int

    @property
    def size(self) -> int:
        return self.b - self.a + self.d - self.c

    @property
    def is_replacement(self) -> bool:
        return self.b > self.a and self.d > self.c


@dataclass(frozen=True, slots=True)
class _Verdict:
    kept: int
    kind: DuplicateKind
    score: float


@dataclass(slots=True)
class _Index:
    """The kept paragraphs, found again by the word pairs they share with another one."""

    passages: list[_Passage] = field(default_factory=list)
    postings: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def add(self, passage: _Passage) -> None:
        number = len(self.passages)
        self.passages.append(passage)
        for bigram in _bigrams(passage):
            posting = self.postings.setdefault(bigram, [])
            if len(posting) <= COMMON:
                posting.append(number)

    def candidates(self, passage: _Passage) -> Iterator[int]:
        """The kept paragraphs that share most with `passage`, best first, at most `CANDIDATES`."""
        shared: Counter[int] = Counter()
        for bigram in _bigrams(passage):
            posting = self.postings.get(bigram, ())
            if len(posting) <= COMMON:
                shared.update(posting)
        for number, count in shared.most_common(CANDIDATES):
            if count >= SHARED_BIGRAMS:
                yield number


def without_repeats(document: Document, groups: Iterable[DuplicateGroup]) -> Document:
    """The document without the paragraphs that go: nothing is decided there."""
    removed = {repeat.start for group in groups for repeat in group.repeats}
    return Document(document.text, tuple(p for p in document.paragraphs if p.start not in removed))


def find_repeats(document: Document, *, variants: Variants | None = None) -> tuple[DuplicateGroup, ...]:
    """The paragraphs that repeat an earlier one, grouped by the one that is kept.

    `variants` maps a spun phrase (its tokens' normal forms) to the originals it may stand for. With it, a
    respun repeat needs at least as many explained swaps as other differences; without it, respun copies
    are found only where their swaps are many and evenly spread.

    A repeat's score is 1 if exact, the share of equal words if near, and the share of words that are equal
    or explained if respun. Time and memory grow in proportion to the document.
    """
    index = _Index()
    seen: dict[str, _Verdict] = {}
    repeats: dict[int, list[Repeat]] = {}
    for paragraph in document.paragraphs:
        text = document.text[paragraph.start : paragraph.end]
        if _repeats_on_purpose(text, paragraph):
            continue
        key = "".join(text.translate(_UNSEEN).split())
        if key not in seen:
            passage = _passage(paragraph)
            verdict = _first_match(passage, index, variants)
            seen[key] = verdict or _Verdict(len(index.passages), DuplicateKind.EXACT, 1.0)
            if verdict is None:
                index.add(passage)
                continue
        found = seen[key]
        repeats.setdefault(found.kept, []).append(Repeat(paragraph.start, paragraph.end, found.kind, found.score))
    return tuple(
        DuplicateGroup(index.passages[kept].start, index.passages[kept].end, tuple(group))
        for kept, group in sorted(repeats.items())
    )


def _repeats_on_purpose(text: str, paragraph: Paragraph) -> bool:
    """Is it of a form that authors repeat: short, a list item, a quotation, dialogue, a table or code?"""
    if sum(token.is_word for sentence in paragraph.sentences for token in sentence.tokens) < MIN_WORDS:
        return True
    bare = text.translate(_UNSEEN).strip()
    if _LIST_ITEM.match(bare) or bare[0] in ">—–" or _TABLE_OR_CODE.search(bare):
        return True
    if len(_SYMBOLS.findall(bare)) > SYMBOLS * len(bare):
        return True
    return bare[0] in '"“«‘' and 2 * sum(map(len, _SAID.findall(bare))) >= len(bare)


def _passage(paragraph: Paragraph) -> _Passage:
    words, facts, opens = [], [], []
    for sentence in paragraph.sentences:
        opening = True
        for token in sentence.tokens:
            if token.is_word:
                words.append(token.norm)
                facts.append(_fact(token.text, token.norm))
                opens.append(opening)
                opening = False
            else:
                opening = opening or token.text in _SENTENCE_OPENERS
    return _Passage(paragraph.start, paragraph.end, tuple(words), tuple(facts), tuple(opens))


def _fact(text: str, norm: str) -> str:
    if any(map(str.isdigit, norm)) or norm in _NUMBER_WORDS:
        return _DIGITS.get(norm, norm)
    return norm if text[0].isupper() and norm not in _FIRST_PERSON else ""


def _bigrams(passage: _Passage) -> dict[tuple[str, str], None]:
    # a dictionary and not a set: its order, and so which of equal candidates comes first, is the text's
    return dict.fromkeys(zip(passage.words, passage.words[1:], strict=False))


def _first_match(later: _Passage, index: _Index, variants: Variants | None) -> _Verdict | None:
    for number in index.candidates(later):
        match = _compare(index.passages[number], later, variants)
        if match is not None:
            return _Verdict(number, *match)
    return None


def _compare(kept: _Passage, later: _Passage, variants: Variants | None) -> tuple[DuplicateKind, float] | None:
    """How `later` repeats `kept`, and its score; None if it does not."""
    if max(len(kept.words), len(later.words)) > MAX_WORDS:
        return None
    similarity = Indel.normalized_similarity(kept.words, later.words, score_cutoff=LOWEST_SIMILARITY)
    if similarity < LOWEST_SIMILARITY:
        return None
    changes = _changes(kept, later)
    left = [c for c in changes if not (variants and _is_explained(kept.words, later.words, c, variants))]
    if any(_says_other(kept, later, change) for change in left):
        return None
    score = 1 - sum(c.size for c in left) / (len(kept.words) + len(later.words))
    if _are_small(kept, later, left, score):
        return (DuplicateKind.NEAR, similarity) if similarity >= NEAR_SIMILARITY else (DuplicateKind.RESPUN, score)
    if _are_swaps(left, score, len(changes) - len(left)) or (not variants and _are_spread(kept, later, left, score)):
        return DuplicateKind.RESPUN, score
    return None


def _changes(kept: _Passage, later: _Passage) -> list[_Change]:
    return [_Change(*edges) for edges in gaps(kept.words, later.words)]


def gaps(kept: Sequence[str], later: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """What lies between the runs of equal words in the longest common subsequence.

    Words `a:b` of the one stand where the other has its words `c:d`; either may be none.
    """
    a = c = 0
    for op in Indel.opcodes(kept, later):
        if op.tag == "equal":
            if op.src_start > a or op.dest_start > c:
                yield a, op.src_start, c, op.dest_start
            a, c = op.src_end, op.dest_end
    if len(kept) > a or len(later) > c:
        yield a, len(kept), c, len(later)


def _says_other(kept: _Passage, later: _Passage, change: _Change) -> bool:
    """Does the change bring a number or a name, or turn a statement into its negation?"""
    before, after = kept.words[change.a : change.b], later.words[change.c : change.d]
    if is_negated(" ".join(before)) != is_negated(" ".join(after)):
        return True
    facts = zip(later.facts[change.c : change.d], later.opens[change.c : change.d], strict=True)
    new = {fact for fact, opens in facts if fact and not opens}
    return not new <= {*kept.facts[change.a : change.b], *(_DIGITS.get(word, word) for word in before)}


def _are_small(kept: _Passage, later: _Passage, changes: list[_Change], score: float) -> bool:
    """Are the changes such as an editor makes, few and small and without weight?"""
    replaced = [change for change in changes if change.is_replacement]
    return (
        score >= NEAR_SIMILARITY
        and len(replaced) * NEAR_WORDS_PER_CHANGE <= len(later.words)
        # the same words put in twice are a template's filling
        and len({later.words[change.c : change.d] for change in replaced}) == len(replaced)
        and all(change.b - change.a <= NEAR_CHANGED for change in replaced)
        and all(change.d - change.c <= NEAR_CHANGED for change in changes)
        and not any(_has_weight(kept, later, change) for change in changes)
    )


def _has_weight(kept: _Passage, later: _Passage, change: _Change) -> bool:
    """Does a comparison turn, or is a fact or the first word of a sentence (a template's subject) replaced?"""
    if not _COMPARISONS.isdisjoint(kept.words[change.a : change.b] + later.words[change.c : change.d]):
        return True
    return change.is_replacement and (
        (kept.opens[change.a] and later.opens[change.c]) or any(kept.facts[change.a : change.b])
    )


def _are_swaps(left: list[_Change], score: float, explained: int) -> bool:
    """Does the lexicon explain most of the changes?"""
    return (
        score >= RESPUN_SCORE
        and explained >= max(2, len(left))
        and all(change.d - change.c <= RESPUN_ADDED for change in left)
    )


def _are_spread(kept: _Passage, later: _Passage, changes: list[_Change], score: float) -> bool:
    """Do short changes cover the paragraph evenly, as a spinner's do and an author's do not?"""
    edges = [0, *(edge for c in changes for edge in (c.a, c.b)), len(kept.words)]
    longest = max(right - left for left, right in zip(edges[::2], edges[1::2], strict=True))
    return (
        score >= SPREAD_SCORE
        and len({later.words[c.c : c.d] for c in changes}) >= SPREAD_CHANGES
        and all(max(c.b - c.a, c.d - c.c) <= SPREAD_ADDED for c in changes)
        and longest <= SPREAD_RUN * len(kept.words)
    )


def _is_explained(kept: Phrase, later: Phrase, change: _Change, variants: Variants) -> bool:
    """Can the lexicon make both sides of the change from one original?

    A swap may share its first or last word with what it replaced ("whether", "whether or not"), so the
    equal neighbour is tried as part of it.
    """
    return any(
        _share_originals(kept[a:b], later[c:d], variants)
        for a, b, c, d in (
            (change.a, change.b, change.c, change.d),
            (max(change.a - 1, 0), change.b, max(change.c - 1, 0), change.d),
            (change.a, change.b + 1, change.c, change.d + 1),
        )
    )


def _share_originals(left: Phrase, right: Phrase, variants: Variants) -> bool:
    """Do the two split into phrases that pairwise share an original?"""
    if not left or not right or max(len(left), len(right)) > 2 * LONGEST_SWAP:
        return False
    reached = {(0, 0)}
    for i in range(len(left)):
        for j in range(len(right)):
            if (i, j) not in reached:
                continue
            for m in range(i + 1, min(i + LONGEST_SWAP, len(left)) + 1):
                first = {left[i:m], *variants.get(left[i:m], ())}
                for n in range(j + 1, min(j + LONGEST_SWAP, len(right)) + 1):
                    if not first.isdisjoint((right[j:n], *variants.get(right[j:n], ()))):
                        reached.add((m, n))
    return (len(left), len(right)) in reached
