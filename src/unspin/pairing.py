"""Which stretches of two texts say the same, token by token, whatever was dropped, put in or moved.

In come the sentences of two texts, as normal forms; out come *stretches*, each a run of tokens of the one and the
run of the other that says the same, and how the tokens inside correspond. Sentences find one another by the words
and pairs of words that they share, so that their order may differ; neighbours that went the same way are aligned
as one. Nothing is refused: texts that have nothing in common have no stretches. Time is linear in the texts, for
words that many sentences share are passed over and no alignment is longer than LONGEST tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Indel, Levenshtein

from unspin.lattice import Ints

Sentences = Sequence[Sequence[str]]

COMMON = 16  # a word or pair of words in more sentences tells nothing
LEAST_SHARED = 0.2  # of a sentence's words and pairs of words that tell something
STEP = 3  # sentences that may have been dropped or put in between two neighbours
LONGEST = 400  # tokens aligned at once; a longer sentence is cut
LEAST_SIMILARITY = 0.4  # share of equal tokens; two spun copies have 0.8, an original and a copy 0.6
LONGEST_CHANGE = 12  # tokens; what differs for longer was written anew, not swapped


class Piece(NamedTuple):
    """Tokens `[start, end)` of the one text and `[other, other_end)` of the other, equal or not; one may be none."""

    is_same: bool
    start: int
    end: int
    other: int
    other_end: int

    def shifted(self, base: int, other: int) -> Piece:
        """The same piece of longer texts."""
        return Piece(self.is_same, self.start + base, self.end + base, self.other + other, self.other_end + other)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Runs of tokens that say the same, as pieces that are equal and pieces that differ, in turn."""

    pieces: tuple[Piece, ...]

    @property
    def span(self) -> tuple[int, int, int, int]:
        """Where it stands: `[start, end)` in the one text, `[other, other_end)` in the other."""
        first, last = self.pieces[0], self.pieces[-1]
        return first.start, last.end, first.other, last.other_end

    def places(self) -> tuple[Ints, Ints]:
        """Where each token stands in the other text, `[first, last)`: its equal, or all of what differs there."""
        pieces = [piece for piece in self.pieces if piece.end > piece.start]
        first = [np.arange(p.other, p.other_end) if p.is_same else np.full(p.end - p.start, p.other) for p in pieces]
        last = [f + 1 if p.is_same else np.full(len(f), p.other_end) for p, f in zip(pieces, first, strict=True)]
        return np.concatenate(first), np.concatenate(last)

    def boundaries(self) -> tuple[Ints, Ints]:
        """Where each boundary between tokens falls in the other text, at least and at most.

        One place between equal tokens, anywhere in a change at its edges and inside, so that there is a way along.
        The first boundary stands before the first token, the last behind the last.
        """
        start, end, other, other_end = self.span
        low = np.full(end - start + 1, other_end, dtype=np.int64)
        high = np.full(end - start + 1, other, dtype=np.int64)
        for is_same, a, b, c, d in self.pieces:
            edges = slice(a - start, b - start + 1)
            least, most = np.full(b - a + 1, c), np.full(b - a + 1, d)
            if is_same:
                least = most = np.arange(c, d + 1)
            low[edges] = np.minimum(low[edges], least)
            high[edges] = np.maximum(high[edges], most)
        return low, high


def _grams(words: Sequence[str]) -> set[object]:
    return {*words, *pairwise(words)}


def _partners(left: Sentences, right: Sentences) -> Iterator[int]:
    """Per sentence of the left text, the one of the right that shares most with it; -1 if none shares enough.

    Of equals, the first after the last partner counts: a text goes on where it was.
    """
    postings: dict[object, list[int]] = {}
    for number, words in enumerate(right):
        for gram in _grams(words):
            if len(posting := postings.setdefault(gram, [])) <= COMMON:
                posting.append(number)
    last = -1
    for words in left:
        shared: Counter[int] = Counter()
        telling = 0
        for gram in _grams(words):
            if len(posting := postings.get(gram, [])) <= COMMON:
                telling += 1
                shared.update(posting)
        most = max(shared.values(), default=0)
        best = [number for number, count in shared.items() if count == most]
        if not best or most < LEAST_SHARED * telling:
            yield -1
            continue
        last = min(best, key=lambda number: (number <= last, number))
        yield last


def _runs(left: Sentences, right: Sentences) -> Iterator[tuple[int, int, int, int]]:
    """Runs of sentences `[a, b)` and `[c, d)` that went the same way; what was put in between goes along."""
    run: tuple[int, int, int, int] | None = None
    size = 0
    for number, partner in enumerate(_partners(left, right)):
        if partner < 0:
            continue
        if run is not None:
            a, b, c, d = run
            near = number - b < STEP and -1 <= partner - d < STEP
            size += sum(map(len, left[b : number + 1]))
            if near and size <= LONGEST:
                run = (a, number + 1, c, max(d, partner + 1))
                continue
            yield run
        run, size = (number, number + 1, partner, partner + 1), len(left[number])
    if run is not None:
        yield run


def _cut(sentences: Sentences) -> Sentences:
    """The sentences, with the endless ones in parts."""
    return [words[n : n + LONGEST] for words in sentences for n in range(0, len(words), LONGEST)]


def stretches(left: Sentences, right: Sentences) -> Iterator[Stretch]:
    """The stretches of the left text that the right one has, too, in the left one's order."""
    left, right = _cut(left), _cut(right)
    lefts = [0, *accumulate(map(len, left))]
    rights = [0, *accumulate(map(len, right))]
    for a, b, c, d in _runs(left, right):
        ours = [word for words in left[a:b] for word in words]
        theirs = [word for words in right[c:d] for word in words]
        if Indel.normalized_similarity(ours, theirs, score_cutoff=LEAST_SIMILARITY):
            yield from _aligned(ours, theirs, lefts[a], rights[c])


def _aligned(ours: Sequence[str], theirs: Sequence[str], base: int, other: int) -> Iterator[Stretch]:
    """The stretches between changes that are too long to be swaps."""
    part: list[Piece] = []
    for piece in (*_pieces(ours, theirs), None):
        if piece and (piece.is_same or max(piece.end - piece.start, piece.other_end - piece.other) <= LONGEST_CHANGE):
            part.append(piece.shifted(base, other))
            continue
        if any(piece.is_same for piece in part):
            yield Stretch(tuple(part))
        part = []


def _pieces(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[Piece]:
    """Equal and differing runs in turn."""
    a = c = 0
    for op in Levenshtein.opcodes(ours, theirs):
        if op.tag == "equal":
            if op.src_start > a or op.dest_start > c:
                yield Piece(False, a, op.src_start, c, op.dest_start)
            yield Piece(True, op.src_start, op.src_end, op.dest_start, op.dest_end)
            a, c = op.src_end, op.dest_end
    if len(ours) > a or len(theirs) > c:
        yield Piece(False, a, len(ours), c, len(theirs))
