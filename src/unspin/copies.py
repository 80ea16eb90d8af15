"""Copies across a collection: exact, normalised, near, respun and contained passages.

Texts come in; `CopyGroup`s come out, in the order of their kept passages. Passages of the same characters or words
are one from the start; the others are compared where `unspin.match` finds candidates. Every copy was compared with the
passage that is kept, never with another copy only, so that no chain of small changes joins unlike texts. A group
always keeps one passage, a longer text never goes for an excerpt of it, and what says more is an overlap and stays.
Passages too short to compare are found only if they have the same words. Refused, by ValueError: dates that are missing
or not one a text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import xxhash

from unspin.blocking import candidates
from unspin.edit import apply, removals
from unspin.fingerprint import Canon, Corpus, Longs, canon, read
from unspin.lexicon import Lexicon
from unspin.match import SHARED_WINDOWS, Match, Matcher, Rule
from unspin.model import Copy, CopyGroup, DuplicateGroup, DuplicateKind, Keep, Level, Place, Progress, Repeat
from unspin.repeats import gaps
from unspin.text import INVISIBLE, segment, tokens

SPIN_MARGIN = 0.03  # of originality: so near to the best, a text is as good an original
MAX_DIFFED = 20_000  # words: alignment takes the product of two lengths
EVERY_PAIR = 40  # members of a group, all of whose pairs are compared for the weakest
LEADERS = 8  # of a chain of matches, each compared with all that is left of it

SAME_CHARACTERS = "the same characters, white space apart"
SAME_WORDS = "the same words, case and punctuation apart"

# Pairs of texts of a corpus, and how many grams each shares; takes the corpus, and `progress` by name.
Blocking = Callable[..., tuple[Longs, Longs, Longs]]

_UNSEEN = re.compile(f"[{INVISIBLE}]")
KINDS = {
    Rule.NEAR: DuplicateKind.NEAR,
    Rule.IN_ORDER: DuplicateKind.RESPUN,
    Rule.MOVED: DuplicateKind.RESPUN,
    Rule.CONTAINED: DuplicateKind.CONTAINED,
}


def dedupe(
    texts: Sequence[str],
    *,
    level: Level = Level.DOCUMENT,
    keep: Keep = Keep.ORIGINAL,
    dates: Sequence[float] | None = None,
    lexicon: Lexicon | None = None,
    min_words: int = 0,
    blocking: Blocking = candidates,
    progress: Progress | None = None,
) -> tuple[CopyGroup, ...]:
    """The passages of `texts` that say the same, each group with the one to keep.

    `level` says what is compared: whole texts, their paragraphs (lines) or their sentences. `dates` are one number a
    text, greater is newer; `Keep.NEWEST` needs them. `lexicon` names phrases that are swapped for one another;
    without one, only the skeleton finds what was spun. Passages under `min_words` words are passed over, and so are
    empty ones. `blocking` finds the pairs that are worth comparing. Raises ValueError if dates are missing, or not one
    a text.

    Time and memory grow in proportion to the texts, but for passages that have very many copies of other kinds than
    exact and normalised.
    """
    if keep is Keep.NEWEST and dates is None:
        raise ValueError("to keep the newest needs dates")
    if dates is not None and len(dates) != len(texts):
        raise ValueError(f"{len(dates)} dates for {len(texts)} texts")
    table = canon(lexicon) if lexicon else Canon()
    passages = _passages(texts, places_in(texts, level), table, min_words, progress)
    policy = _Policy(keep, dates or (), passages)
    graph = Graph(Matcher(passages.corpus))
    graph.learn(*blocking(passages.corpus, progress=progress), progress=progress)
    groups = _groups(passages, policy, graph)
    return tuple(sorted(groups, key=lambda group: (group.kept.text, group.kept.start)))


def places_in(texts: Sequence[str], level: Level) -> Iterator[Place]:
    for number, text in enumerate(texts):
        if level is Level.DOCUMENT:
            yield Place(number, 0, len(text))
        elif level is Level.PARAGRAPH:
            start = 0
            for line in text.splitlines(keepends=True):
                if bare := line.strip():
                    first = start + line.index(bare[0])
                    yield Place(number, first, first + len(bare))
                start += len(line)
        else:
            for paragraph in segment(text).paragraphs:
                yield from (Place(number, s.start, s.end) for s in paragraph.sentences)


@dataclass(frozen=True, slots=True)
class _Passages:
    """What is compared. Passages of the same words are one *unit*; the corpus has a text for each."""

    places: list[Place]
    digests: list[bytes]  # per place: equal if the characters are, white space apart
    units: list[list[int]]  # the places of each
    corpus: Corpus


def _passages(
    texts: Sequence[str], places: Iterable[Place], table: Canon, min_words: int, progress: Progress | None
) -> _Passages:
    exact: dict[bytes, list[int]] = {}
    found: list[Place] = []
    digests: list[bytes] = []
    different: list[str] = []
    for place in places:
        text = texts[place.text][place.start : place.end]
        if not (digest := characters_digest(text)):
            continue
        if digest not in exact:
            different.append(text)
        exact.setdefault(digest, []).append(len(found))
        digests.append(digest)
        found.append(place)
    corpus = read(different, table, progress=progress)
    bounds = corpus.word_bounds.tolist()
    units: dict[bytes, list[int]] = {}
    chosen: list[int] = []
    for number, (digest, same) in enumerate(exact.items()):
        if (count := bounds[number + 1] - bounds[number]) >= min_words:
            words = corpus.words[bounds[number] : bounds[number + 1]]
            key = xxhash.xxh3_128_digest(words.tobytes()) if count else digest
            if key not in units:
                chosen.append(number)
            units.setdefault(key, []).extend(same)
    return _Passages(found, digests, list(units.values()), corpus.taken(chosen))


def characters_digest(text: str) -> bytes:
    """Equal for texts of the same characters, white space and what is not seen apart; empty if there are none."""
    bare = "".join((_UNSEEN.sub("", text) if _UNSEEN.search(text) else text).split())
    return xxhash.xxh3_128_digest(bare.encode("utf-8", "surrogatepass")) if bare else b""


class _Policy:
    """Which passage stays."""

    def __init__(self, keep: Keep, dates: Sequence[float], passages: _Passages) -> None:
        self.keep, self.dates, self.passages = keep, dates, passages

    def place(self, unit: int) -> int:
        """The best of a unit's passages."""
        return min(self.passages.units[unit], key=self._order)

    def unit(self, units: Iterable[int]) -> int:
        """The best of several."""
        chosen = list(units)
        if self.keep is Keep.ORIGINAL:
            originality = self.passages.corpus.originality
            most = max(originality[unit] for unit in chosen)
            chosen = [unit for unit in chosen if originality[unit] >= most - SPIN_MARGIN]
        return min(chosen, key=lambda unit: self._order(self.place(unit)))

    def _order(self, number: int) -> tuple[float, float, bytes, int]:
        place, digest = self.passages.places[number], self.passages.digests[number]
        date = self.dates[place.text] if self.dates else 0.0
        length = place.end - place.start
        match self.keep:
            case Keep.FIRST:
                return 0.0, 0.0, b"", number
            case Keep.LONGEST:
                return -length, date, digest, number
            case Keep.NEWEST:
                return -date, -length, digest, number
            case Keep.ORIGINAL:
                return date, -length, digest, number


class Graph:
    """Which units match, and how; what is not known yet is compared when it is asked for."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self.known: defaultdict[int, dict[int, Match]] = defaultdict(dict)
        self.news: dict[tuple[int, int], bool] = {}

    def learn(self, first: Longs, second: Longs, shared: Longs, *, progress: Progress | None = None) -> None:
        for a, b, match in self.matcher.matches(first, second, shared, progress=progress):
            self.known[a][b] = self.known[b][a] = match

    def compare(self, one: int, others: Iterable[int]) -> None:
        """Compare a unit with all of some others."""
        new = [other for other in others if other not in self.known[one]]
        self.learn(np.full(len(new), one), np.asarray(new, np.int64), np.full(len(new), SHARED_WINDOWS))

    def can_go(self, unit: int, kept: int) -> bool:
        """Is the unit a copy of the kept one that says nothing new, nor the longer one of which that is an excerpt?"""
        match = self.known[kept].get(unit)
        if match is None or (match.rule is Rule.CONTAINED and self._is_shorter(kept, unit)):
            return False
        return not self._says_new(unit, kept)

    def _says_new(self, unit: int, kept: int) -> bool:
        if (unit, kept) not in self.news:
            self.news[unit, kept] = self.matcher.says_new(unit, kept)
        return self.news[unit, kept]

    def is_excerpt(self, unit: int, among: set[int]) -> bool:
        """Is there a longer one among these that says all that the unit does, and more?"""
        return any(
            other in among
            and self._is_shorter(unit, other)
            and (match.rule is Rule.CONTAINED or self._says_new(other, unit))
            and self.can_go(unit, other)
            for other, match in self.known[unit].items()
        )

    def _is_shorter(self, a: int, b: int) -> bool:
        return bool(self.matcher.lengths[a] < self.matcher.lengths[b])

    def components(self) -> Iterator[set[int]]:
        """Units that chains of matches join."""
        seen: set[int] = set()
        for start in sorted(self.known):
            if start in seen:
                continue
            component, front = {start}, [start]
            while front:
                new = self.known[front.pop()].keys() - component
                component |= new
                front += new
            seen |= component
            yield component


def _stars(graph: Graph, policy: _Policy) -> Iterator[tuple[int, list[int], list[int]]]:
    """Kept units, each with its copies and overlaps: the best first, and what is no copy of it among themselves."""
    for component in graph.components():
        left = component
        leaders = 0
        while len(left) > 1:
            whole = [unit for unit in left if not graph.is_excerpt(unit, left)]
            kept = policy.unit(sorted(whole))
            if leaders < LEADERS:
                graph.compare(kept, sorted(left - {kept}))
            leaders += 1
            copies = sorted(unit for unit in left - {kept} if graph.can_go(unit, kept))
            left = left - {kept, *copies}
            overlaps = sorted(left & graph.known[kept].keys())
            if copies or overlaps:
                yield kept, copies, overlaps


def _groups(passages: _Passages, policy: _Policy, graph: Graph) -> Iterator[CopyGroup]:
    taken: set[int] = set()
    for kept, copies, overlaps in _stars(graph, policy):
        taken |= {kept, *copies}
        yield _group(passages, policy, graph, kept, copies, overlaps)
    for unit, same in enumerate(passages.units):
        if len(same) > 1 and unit not in taken:
            yield _group(passages, policy, graph, unit, [], [])


def _group(
    passages: _Passages, policy: _Policy, graph: Graph, kept: int, units: list[int], overlaps: list[int]
) -> CopyGroup:
    stays = policy.place(kept)
    copies = [_same(passages, number, stays) for number in passages.units[kept] if number != stays]
    for unit in units:
        match = graph.known[kept][unit]
        rule = match.rule.value.format(match.score)
        copies += [Copy(passages.places[n], KINDS[match.rule], match.score, rule) for n in passages.units[unit]]
    shared = [overlap(passages.places[policy.place(unit)], graph.matcher, unit, kept) for unit in overlaps]
    members = [kept, *(units if copies else overlaps)]
    pairs = combinations(members, 2) if len(members) <= EVERY_PAIR else ((kept, unit) for unit in units)
    alike = ((graph.matcher.similarity(a, b), a, b) for a, b in pairs)
    score, a, b = min(alike, default=(1.0, kept, kept))
    first, second = (passages.places[policy.place(unit)] for unit in (a, b))
    if a == b:
        second = copies[0].place
    ordered = tuple(sorted(copies, key=_where))
    return CopyGroup(passages.places[stays], ordered, (first, second), score, tuple(sorted(shared, key=_where)))


def overlap(place: Place, matcher: Matcher, unit: int, kept: int) -> Copy:
    """A passage that shares much with the kept one and says more; its score is the share that is not new."""
    score = 1 - matcher.new(unit, kept) / max(1, int(matcher.lengths[unit]))
    return Copy(place, DuplicateKind.OVERLAP, score, Rule.OVERLAP.value.format(score))


def _same(passages: _Passages, number: int, kept: int) -> Copy:
    """A passage of the same words as the kept one."""
    if passages.digests[number] == passages.digests[kept]:
        return Copy(passages.places[number], DuplicateKind.EXACT, 1.0, SAME_CHARACTERS)
    return Copy(passages.places[number], DuplicateKind.NORMALISED, 1.0, SAME_WORDS)


def _where(copy: Copy) -> tuple[int, int]:
    return copy.place.text, copy.place.start


def changes(kept: str, copy: str) -> tuple[tuple[str, str], ...]:
    """Where a copy differs from what is kept, word by word: pairs of what stands there in each, in order.

    One of the two may be empty. Differences of case, white space and kinds of quotes are none. Texts of more than
    `MAX_DIFFED` words are compared no further: they differ as a whole, unless they are equal.

    >>> changes("The war is over.", "The battle is over now.")
    (('war', 'battle'), ('', 'now'))
    """
    before, after = list(tokens(kept)), list(tokens(copy))
    if max(len(before), len(after)) > MAX_DIFFED:
        return () if kept == copy else ((kept, copy),)
    found = []
    for a, b, c, d in gaps([t.norm for t in before], [t.norm for t in after]):
        old = kept[before[a].start : before[b - 1].end] if b > a else ""
        found.append((old, copy[after[c].start : after[d - 1].end] if d > c else ""))
    return tuple(found)


def without(text: str, copies: Iterable[Place]) -> str:
    """The text without some of its passages, which do not overlap, and without the line breaks that they leave."""
    repeats = tuple(Repeat(place.start, place.end, DuplicateKind.EXACT, 1.0) for place in copies)
    return apply(text, removals([DuplicateGroup(0, 0, repeats)], text)) if repeats else text
