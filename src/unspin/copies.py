"""Copies across a collection: exact, normalised, near, respun and contained passages.

Texts come in; `CopyGroup`s come out, in the order of their kept passages. Passages of the same characters or words
are one from the start; the others are compared where `unspin.match` finds candidates. Every copy was compared with the
passage that is kept, never with another copy only, so that no chain of small changes joins unlike texts. A group
always keeps one passage, a longer text never goes for an excerpt of it, and what says more is an overlap and stays.
Passages too short to compare are found only if they have the same words. Refused, by ValueError: dates that are missing
or not one a text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from heapq import heappop, heappush
from itertools import combinations

import numpy as np

from unspin.blocking import candidates
from unspin.canon import Canon, canon
from unspin.edit import apply, removals
from unspin.lexicon import Lexicon
from unspin.match import SHARED_GRAMS, Match, Matcher, Rule
from unspin.model import Copy, CopyGroup, DuplicateGroup, DuplicateKind, Keep, Level, Place, Progress, Repeat
from unspin.processes import uncollected
from unspin.stretches import gaps
from unspin.text import tokens
from unspin.units import Passages, characters_digest, read_passages
from unspin.verbatim import find_passages
from unspin.words import Longs

PASSAGE_WORDS = 50
SPIN_MARGIN = 0.03  # of originality: so near to the best, a text is as good an original
MAX_DIFFED = 20_000  # words: alignment takes the product of two lengths
BLANKS = (" ", "\t")
EVERY_PAIR = 40  # members of a group, all of whose pairs are compared for the weakest
LEADERS = 8  # of a chain of matches, each compared with all that is left of it

SAME_CHARACTERS = "the same characters, white space apart"
SAME_WORDS = "the same words, case and punctuation apart"
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
    jobs: int = 1,
    progress: Progress | None = None,
) -> tuple[CopyGroup, ...]:
    """The passages of `texts` that say the same, each group with the one to keep.

    `level` says what is compared: whole texts, their paragraphs (lines) or their sentences; or, at `Level.PASSAGE`,
    runs of `min_words` words (if 0, of `PASSAGE_WORDS`) that are the same, wherever they start and end. `dates` are one
    number a text, greater is newer; `Keep.NEWEST` needs them. `lexicon` names phrases that are swapped for one another;
    without one, only the skeleton finds what was spun. Passages under `min_words` words are passed over, and so are
    empty ones. `jobs` is how many processors read and compare passages, and changes nothing else. Raises ValueError if
    dates are missing, or not one a text.

    Time and memory grow in proportion to the texts, but for passages that have very many copies of other kinds than
    exact and normalised.
    """
    if keep is Keep.NEWEST and dates is None:
        raise ValueError("to keep the newest needs dates")
    if dates is not None and len(dates) != len(texts):
        raise ValueError(f"{len(dates)} dates for {len(texts)} texts")
    if level is Level.PASSAGE:
        order = _text_order(texts, keep, dates)
        return find_passages(texts, min_words=min_words or PASSAGE_WORDS, order=order, progress=progress)
    table = canon(lexicon) if lexicon else Canon()
    with uncollected():
        passages = read_passages(texts, level, table, min_words=min_words, jobs=jobs, progress=progress)
        policy = Policy(keep, dates or (), passages)
        graph = Graph(Matcher(passages.corpus, jobs=jobs))
        graph.learn(*candidates(passages.corpus, progress=progress), progress=progress)
        groups = groups_of(passages, policy, graph)
        return tuple(sorted(groups, key=lambda group: (group.kept.text, group.kept.start)))


def _text_order(
    texts: Sequence[str], keep: Keep, dates: Sequence[float] | None
) -> Callable[[int], tuple[float, float, int]]:
    """The order in which texts keep what several have; copies that are equal are all as original."""

    def order(number: int) -> tuple[float, float, int]:
        date, length = dates[number] if dates else 0.0, len(texts[number])
        match keep:
            case Keep.FIRST:
                return 0.0, 0.0, number
            case Keep.LONGEST:
                return -length, date, number
            case Keep.NEWEST:
                return -date, -length, number
            case Keep.ORIGINAL:
                return date, -length, number

    return order


class _Characters:
    """Compared by a digest, which is made when that is needed: most passages differ in length."""

    __slots__ = ("digest",)

    def __init__(self, digest: Callable[[], bytes]) -> None:
        self.digest = digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Characters) and self.digest() == other.digest()

    def __lt__(self, other: _Characters) -> bool:
        return self.digest() < other.digest()


_Order = tuple[float, float, _Characters, int]


class Policy:
    """Which passage stays."""

    def __init__(self, keep: Keep, dates: Sequence[float], passages: Passages) -> None:
        self.keep, self.dates, self.passages = keep, dates, passages
        self._digest = cache(lambda form: characters_digest(passages.quoted(form)))

    def place(self, unit: int) -> int:
        """The best of a unit's passages."""
        passages = self.passages.of(unit)
        return min(passages, key=self._order) if len(passages) > 1 else passages[0]

    def rank(self, unit: int) -> _Order:
        """Of units that are as original, that of the lowest rank is best."""
        return self._order(self.place(unit))

    def originality(self, unit: int) -> np.float32:
        """Of several units, those are best that are within `SPIN_MARGIN` of the most original."""
        return self.passages.corpus.originality[unit] if self.keep is Keep.ORIGINAL else np.float32(0)

    def _order(self, number: int) -> _Order:
        text, start, end = self.passages.places[number].tolist()
        digest = _Characters(partial(self._digest, int(self.passages.forms[number])))
        date = self.dates[text] if self.dates else 0.0
        length = end - start
        match self.keep:
            case Keep.FIRST:
                return number, 0.0, digest, number
            case Keep.LONGEST:
                return -length, date, digest, number
            case Keep.NEWEST:
                return -date, -length, digest, number
            case Keep.ORIGINAL:
                return date, -length, digest, number


class _Queue:
    """Units, the best first, of those that are `left`. What was added may leave that set at any time."""

    def __init__(self, policy: Policy, left: set[int]) -> None:
        self.policy, self.left = policy, left
        self._all: list[tuple[np.float32, int]] = []  # the most original first
        self._less: list[tuple[np.float32, int]] = []  # the same, without those that are among the best
        self._best: list[tuple[_Order, int]] = []

    def add(self, unit: int) -> None:
        entry = -self.policy.originality(unit), unit
        heappush(self._all, entry)
        heappush(self._less, entry)

    def pop(self) -> int:
        while self._all and self._all[0][1] not in self.left:
            heappop(self._all)
        if not self._all:  # each of those that are left is an excerpt of another one
            everything = _Queue(self.policy, self.left)
            for unit in self.left:
                everything.add(unit)
            return everything.pop()
        floor = -self._all[0][0] - SPIN_MARGIN
        while self._less and -self._less[0][0] >= floor:
            unit = heappop(self._less)[1]
            heappush(self._best, (self.policy.rank(unit), unit))
        while True:
            unit = heappop(self._best)[1]
            if unit in self.left and self.policy.originality(unit) >= floor:
                return unit
            if unit in self.left:  # a more original one came since
                heappush(self._less, (-self.policy.originality(unit), unit))


class Graph:
    """Which units match, and how; `known[a][b]` is the match of a with b."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self.known: defaultdict[int, dict[int, Match]] = defaultdict(dict)

    def learn(self, first: Longs, second: Longs, shared: Longs, *, progress: Progress | None = None) -> None:
        for a, b, match in self.matcher.matches(first, second, shared, progress=progress):
            self.known[a][b] = match
            self.known[b][a] = match.turned

    def compare(self, one: int, others: Iterable[int]) -> None:
        """Compare a unit with all of some others."""
        if new := [other for other in others if other not in self.known[one]]:
            self.learn(np.full(len(new), one), np.asarray(new, np.int64), np.full(len(new), SHARED_GRAMS))

    def can_go(self, unit: int, kept: int) -> bool:
        """Is the unit a copy of the kept one that says nothing new, nor the longer one of which that is an excerpt?"""
        match = self.known[unit].get(kept)
        if match is None or match.adds[0]:
            return False
        return match.rule is not Rule.CONTAINED or not self._is_shorter(kept, unit)

    def is_excerpt(self, unit: int, other: int) -> bool:
        """Does the other one say all that the unit does, and more?"""
        match = self.known[unit][other]
        says_more = match.adds[1] or (match.rule is Rule.CONTAINED and self._is_shorter(unit, other))
        return says_more and self.can_go(unit, other)

    def _is_shorter(self, a: int, b: int) -> bool:
        return bool(self.matcher.lengths[a] < self.matcher.lengths[b])

    def components(self) -> Iterator[set[int]]:
        """Units that chains of copies join."""
        seen: set[int] = set()
        for start in sorted(self.known):
            if start in seen:
                continue
            component, front = {start}, [start]
            while front:
                unit = front.pop()
                new = {one for one in self.known[unit] if self.can_go(unit, one) or self.can_go(one, unit)} - component
                component |= new
                front += new
            seen |= component
            yield component


def _stars(graph: Graph, policy: Policy) -> Iterator[tuple[int, list[int]]]:
    """Kept units, each with its copies: the best first, and what is no copy of it among themselves."""
    for left in graph.components():
        queue = _Queue(policy, left)
        excerpts = _Excerpts(graph, queue)
        leaders = 0
        while len(left) > 1:
            kept = queue.pop()
            if leaders < LEADERS:
                graph.compare(kept, sorted(left - {kept}))
            leaders += 1
            copies = sorted(unit for unit in graph.known[kept] if unit in left and graph.can_go(unit, kept))
            left.difference_update(copies, (kept,))
            excerpts.free(kept, *copies)
            if copies:
                yield kept, copies


class _Excerpts:
    """Keeps excerpts of other units out of a queue for as long as one of these is left."""

    def __init__(self, graph: Graph, queue: _Queue) -> None:
        self.graph, self.queue = graph, queue
        self._of: defaultdict[int, list[tuple[int, Iterator[int]]]] = defaultdict(list)
        for unit in sorted(queue.left):
            self._place(unit, iter(list(graph.known[unit])))

    def _place(self, unit: int, others: Iterator[int]) -> None:
        """Wait for the first of some others of which it is an excerpt; what was passed over once, is for ever."""
        for other in others:
            if other in self.queue.left and self.graph.is_excerpt(unit, other):
                self._of[other].append((unit, others))
                return
        self.queue.add(unit)

    def free(self, *gone: int) -> None:
        """These have left the queue."""
        for other in gone:
            for unit, others in self._of.pop(other, ()):
                if unit in self.queue.left:
                    self._place(unit, others)


def groups_of(passages: Passages, policy: Policy, graph: Graph) -> Iterator[CopyGroup]:
    """The groups that the graph's matches make, and those of passages of the same words."""
    copies_of = dict(_stars(graph, policy))
    gone = {unit for copies in copies_of.values() for unit in copies}
    repeated = np.flatnonzero(np.diff(passages.bounds) > 1).tolist()
    for unit in {*graph.known, *repeated} - gone:
        # each pair of overlapping passages is told once
        matches = graph.known.get(unit, ())
        overlaps = sorted(other for other in matches if other > unit and other not in gone)
        copies = copies_of.get(unit, [])
        if copies or overlaps or len(passages.of(unit)) > 1:
            yield _group(passages, policy, graph, unit, copies, overlaps)


def _group(
    passages: Passages, policy: Policy, graph: Graph, kept: int, units: list[int], overlaps: list[int]
) -> CopyGroup:
    stays = policy.place(kept)
    copies = [_same(passages, number, stays) for number in passages.of(kept) if number != stays]
    for unit in units:
        match = graph.known[unit][kept]
        rule = match.rule.value.format(match.score)
        copies += [Copy(passages.place(n), KINDS[match.rule], match.score, rule) for n in passages.of(unit)]
    shared = [overlap(passages.place(policy.place(unit)), graph, unit, kept) for unit in overlaps]
    members = [kept, *(units if copies else overlaps)]
    pairs = combinations(members, 2) if len(members) <= EVERY_PAIR else ((kept, unit) for unit in members[1:])
    alike = ((graph.matcher.similarity(a, b), a, b) for a, b in pairs)
    score, a, b = min(alike, default=(1.0, kept, kept))
    first, second = (passages.place(policy.place(unit)) for unit in (a, b))
    if a == b:
        second = copies[0].place
    ordered = tuple(sorted(copies, key=_where))
    return CopyGroup(passages.place(stays), ordered, (first, second), score, tuple(sorted(shared, key=_where)))


def overlap(place: Place, graph: Graph, unit: int, kept: int) -> Copy:
    """A passage that shares much with the kept one and says more; its score is the share that is not new."""
    score = 1 - graph.known[unit][kept].new[0] / int(graph.matcher.lengths[unit])
    return Copy(place, DuplicateKind.OVERLAP, score, Rule.OVERLAP.value.format(score))


def _same(passages: Passages, number: int, kept: int) -> Copy:
    """A passage of the same words as the kept one."""
    if passages.forms[number] == passages.forms[kept]:
        return Copy(passages.place(number), DuplicateKind.EXACT, 1.0, SAME_CHARACTERS)
    return Copy(passages.place(number), DuplicateKind.NORMALISED, 1.0, SAME_WORDS)


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
    """The text without some of its passages, which do not overlap, and without the gaps that they leave."""
    repeats: list[Repeat] = []
    for place in sorted(copies, key=lambda place: place.start):
        start, end = place.start, place.end
        while text[end : end + 1] in BLANKS:
            end += 1
        if text[end : end + 1] in ("", "\n", "\r"):  # nothing follows in its line
            least = repeats[-1].end if repeats else 0
            while start > least and text[start - 1] in BLANKS:
                start -= 1
        repeats.append(Repeat(start, end, DuplicateKind.EXACT, 1.0))
    return apply(text, removals([DuplicateGroup(0, 0, tuple(repeats))], text)) if repeats else text
