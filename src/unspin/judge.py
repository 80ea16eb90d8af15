"""Whether passages are copies of those that a store keeps, or of one another.

In comes a block of passages; out goes a `Verdict` for each, in order, and those that say something new are kept in the
store, with the keys that they are found again by. Each is compared with the kept ones before it that share enough rare
grams (as in `unspin.blocking`), by the rules of `unspin.match`; what has the words of an earlier passage gets its
verdict. A gram is rare if few passages kept before have it: where the blocks end changes nothing. Raises what the
store raises.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unspin.blocking import MIN_SYMBOLS, SHARED, SHARED_RATE
from unspin.canon import Canon
from unspin.copies import KINDS, SAME_CHARACTERS, SAME_WORDS, Graph, overlap
from unspin.fingerprint import read
from unspin.match import Matcher
from unspin.model import DuplicateKind, Place
from unspin.passages import Block, combined, digest_keys, gram_keys
from unspin.postings import MOST, Found, Kind, Rows, lookup, ordered, within
from unspin.store import PassageRow, Store
from unspin.words import Hashes, Longs


class Verdict(NamedTuple):
    """The number of the kept passage that one is a copy of, or shares much with, if there is one; and why."""

    kept: int | None = None
    kind: DuplicateKind | None = None
    score: float = 1.0
    rule: str = ""


NEW = Verdict()


def judged(store: Store, block: Block, canon: Canon, *, min_words: int) -> Iterator[tuple[Place, Verdict]]:
    """The verdicts on passages of `min_words` words or more; they are in the store when all have been given."""
    walk = _Walk(store, block, canon)
    words, sizes = block.words_digests(), block.sizes.tolist()
    for place, exact, text in zip(block.places, block.digests, block.text_of, strict=True):
        if sizes[text] >= min_words:
            yield place, walk.verdict(place, exact, words[text], text)
    walk.save()


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of one kind in a block: which texts have them, and which kept passages in the store."""

    keys: Hashes  # of the block, in rising order
    rows: tuple[Longs, Longs]  # places in `keys`, texts
    common: int
    found: Found  # in the store
    before: list[int]  # per key: how many kept passages have it
    numbers: dict[int, list[int]]  # and which, if they are not too many
    repeated: dict[int, list[int]]  # per text: the keys that other texts of the block have, too


def _keys(store: Store, block: Block, kind: Kind) -> _Keys:
    hashes, texts = gram_keys(kind, block.corpus)
    long = block.lengths[texts] >= MIN_SYMBOLS
    keys, places = np.unique(hashes[long], return_inverse=True)
    width = max(1, len(block.texts))
    once = np.unique(places.astype(np.int64) * width + texts[long])  # a gram counts once a text
    rows: tuple[Longs, Longs] = once // width, once % width
    common = MOST[kind]
    found = lookup(store.segments, keys, most=common)
    numbers: dict[int, list[int]] = defaultdict(list)
    for place, number in zip(found.places.tolist(), found.numbers.tolist(), strict=True):
        numbers[place].append(number)
    shared = (np.bincount(rows[0], minlength=len(keys)) > 1) & (found.counts <= common)
    repeated: dict[int, list[int]] = defaultdict(list)
    for place, text in zip(*(column[shared[rows[0]]].tolist() for column in rows), strict=True):
        repeated[text].append(place)
    return _Keys(keys, rows, common, found, found.counts.tolist(), numbers, repeated)


class _Walk:
    """Goes through a block's passages, with all that they are compared with at hand."""

    def __init__(self, store: Store, block: Block, canon: Canon) -> None:
        self.store, self.block = store, block
        self.keys = [_keys(store, block, kind) for kind in MOST]
        self.posted: list[dict[int, list[int]]] = [defaultdict(list) for _ in self.keys]
        self.kept: dict[int, int] = {}  # text: number
        self.rows: list[PassageRow] = []
        self.shared = self._shared()
        known = store.passage_rows({number for counts in self.shared.values() for number in counts})
        texts = [row.text or "" for row in known.values()]
        corpus = combined(block.corpus, read(texts, canon)) if texts else block.corpus
        self.graph = Graph(Matcher(corpus))
        self.text_of = {number: len(block.texts) + n for n, number in enumerate(known)}
        self.exact = self._same(Kind.EXACT, block.digests)
        self.words = self._same(Kind.WORDS, block.words_digests())
        self.fresh: dict[Kind, list[tuple[bytes, int]]] = {Kind.EXACT: [], Kind.WORDS: []}

    def _shared(self) -> dict[int, Counter[int]]:
        """Per text, the passages of the store that share rare grams with it, and how many."""
        both = [np.empty(0, np.int64)]
        for keys in self.keys:
            places, texts = keys.rows
            start, end = (np.searchsorted(places, keys.found.places, side) for side in ("left", "right"))
            both.append(texts[within(start, end)] << 32 | np.repeat(keys.found.numbers, end - start))
        pairs, counts = np.unique(np.concatenate(both), return_counts=True)
        enough = counts >= SHARED
        shared: dict[int, Counter[int]] = defaultdict(Counter)
        texts, numbers = pairs[enough] >> 32, pairs[enough] & np.int64(0xFFFFFFFF)
        for text, number, count in zip(texts.tolist(), numbers.tolist(), counts[enough].tolist(), strict=True):
            shared[text][number] = count
        return shared

    def _same(self, kind: Kind, digests: list[bytes]) -> dict[bytes, PassageRow]:
        """The first passages of the store that have the same characters or words."""
        keys = np.unique(digest_keys(kind, digests))
        numbers = lookup(self.store.segments, keys).numbers.tolist()
        rows = self.store.passage_rows(numbers, text=False)
        first: dict[bytes, PassageRow] = {}
        for number in sorted(rows):
            first.setdefault(rows[number].exact if kind is Kind.EXACT else rows[number].words, rows[number])
        return first

    def verdict(self, place: Place, exact: bytes, words: bytes, text: int) -> Verdict:
        """The verdict on the next passage."""
        if exact in self.exact:
            verdict = _of_same(self.exact[exact], DuplicateKind.EXACT, SAME_CHARACTERS)
        elif words in self.words:
            verdict = _of_same(self.words[words], DuplicateKind.NORMALISED, SAME_WORDS)
        else:
            verdict = self._compared(place, text)
        self._remember(place, exact, words, text, verdict)
        return verdict

    def _compared(self, place: Place, text: int) -> Verdict:
        counts = self._counts(text)
        numbers = {self._text(number): number for number in sorted(counts)}
        lengths = self.graph.matcher.lengths
        others = [
            (other, counts[number])
            for other, number in numbers.items()
            if counts[number] >= SHARED_RATE * min(lengths[text], lengths[other])
        ]
        if not others:
            return NEW
        second, shared = np.asarray(others, np.int64).T
        self.graph.learn(np.full(len(others), text), second, shared)
        matches = {other: match for other in numbers if (match := self.graph.known[text].get(other))}
        copies = [other for other in matches if self.graph.can_go(text, other)]
        if copies:
            best = max(copies, key=lambda other: matches[other].score)  # the earliest of equals
            rule, score = matches[best].rule, matches[best].score
            return Verdict(numbers[best], KINDS[rule], score, rule.value.format(score))
        overlaps = [(overlap(place, self.graph, text, other), numbers[other]) for other in matches]
        if not overlaps:
            return NEW
        most, number = max(overlaps, key=lambda found: found[0].score)
        return Verdict(number, most.kind, most.score, most.rule)

    def _counts(self, text: int) -> Counter[int]:
        """The kept passages that share enough rare grams with a text, by number, and how many."""
        counts = Counter(self.shared.get(text, {}))
        for keys, posted in zip(self.keys, self.posted, strict=True):
            for place in keys.repeated.get(text, ()):
                if earlier := posted.get(place):
                    if keys.before[place] + len(earlier) <= keys.common:
                        counts.update(earlier)
                    else:
                        counts.subtract(keys.numbers.get(place, ()))
        return _frequent(counts)

    def _text(self, number: int) -> int:
        """The number in the matcher's corpus of a passage."""
        return self.text_of[number]

    def _remember(self, place: Place, exact: bytes, words: bytes, text: int, verdict: Verdict) -> None:
        number = self.store.passages + len(self.rows)
        is_new = verdict.kind in (None, DuplicateKind.OVERLAP)
        why = () if is_new else verdict
        length = int(self.graph.matcher.lengths[text])
        row = PassageRow(number, place.text, place.start, place.end, length, exact, words, *why)
        self.rows.append(row._replace(text=self.block.texts[text]) if is_new else row)
        for kind, digest, known in ((Kind.EXACT, exact, self.exact), (Kind.WORDS, words, self.words)):
            if digest not in known:
                known[digest] = row
                self.fresh[kind].append((digest, number))
        if is_new:
            self.kept[text] = number
            self.text_of[number] = text
            for keys, posted in zip(self.keys, self.posted, strict=True):
                for key in keys.repeated.get(text, ()):
                    posted[key].append(number)

    def save(self) -> None:
        """Put all passages into the store, and the keys of those that are new."""
        self.store.add_passages(self.rows)
        numbers = np.full(len(self.block.texts), -1, np.int64)
        numbers[list(self.kept)] = list(self.kept.values())
        parts = []
        for keys in self.keys:
            places, texts = keys.rows
            kept = numbers[texts] >= 0
            parts.append(Rows(keys.keys[places[kept]], numbers[texts[kept]].astype(np.uint32)))
        for kind, found in self.fresh.items():
            digests = digest_keys(kind, [digest for digest, _ in found])
            parts.append(Rows(digests, np.asarray([number for _, number in found], np.uint32)))
        if any(len(part.keys) for part in parts):
            self.store.post(ordered(*map(np.concatenate, zip(*parts, strict=True))))


def _frequent(counts: Counter[int]) -> Counter[int]:
    return Counter({number: count for number, count in counts.items() if count >= SHARED})


def _of_same(row: PassageRow, kind: DuplicateKind, rule: str) -> Verdict:
    """The verdict on what is the same as an earlier passage: a copy of it, or what that is."""
    if row.kept is None or row.kind is None:
        return Verdict(row.number, kind, 1.0, rule)
    return Verdict(row.kept, DuplicateKind(row.kind), row.score, row.rule)
