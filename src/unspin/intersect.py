"""The ways through two texts at once: every pair of originals, one of each, word by word.

In come two texts with what each can have been, and the stretches that say the same; out go the shares of the ways
that take each word. The lattices of the two are intersected along their alignment; a word that only one of them can
have costs UNSHARED a token, for lexicons are incomplete and people edit. Nothing is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unspin.channel import Match
from unspin.lattice import Floats, Ints, Lattice, join, ranges
from unspin.lexicon import Lexicon
from unspin.pairing import Stretch

# Chosen on aligned pairs: `benchmarks/consensus.py` prints what they do.
UNSHARED = -4.0  # nats for a token that only one copy can have
SLACK = 2  # tokens by which an alignment may be wrong
_FINE = 8  # depth units between two tokens


class Text:
    """What one text can have been: its words, its matches in order of start, and what each costs to take or keep."""

    def __init__(self, words: list[str], found: list[Match], swap: Floats, keep: Floats, lexicon: Lexicon) -> None:
        self.words, self.found, self.swap, self.keep = words, found, swap, keep
        self.outputs = [lexicon.originals[match.entry] for match in found]
        # per boundary between tokens: the matches that start before it, and whether one reaches across it
        self.begun = np.searchsorted([match.start for match in found], np.arange(len(words) + 1))
        inside = np.asarray([(match.start + 1, match.end) for match in found], dtype=np.int64).reshape(-1, 2)
        opened, closed = (np.bincount(edge, minlength=len(words) + 1) for edge in inside.T)
        self.is_crossed = np.cumsum(opened - closed) > 0


@dataclass(frozen=True, slots=True)
class Region:
    """Our tokens `[start, end)` and the sibling's `[other, other_end)`, between two places where nothing crosses.

    `low`, `high`: per boundary of ours, where it falls in the sibling, at least and at most.
    """

    start: int
    end: int
    other: int
    other_end: int
    low: Ints
    high: Ints


def undecided(stretch: Stretch, ours: Text, theirs: Text) -> Iterator[Region]:
    """The parts of a stretch in which there is something to decide."""
    start, end, other, other_end = stretch.span
    low, high = stretch.boundaries()
    is_same = np.zeros(end - start + 2, dtype=bool)  # per token, with one before the first and one behind the last
    for piece in stretch.pieces:
        is_same[piece.start - start + 1 : piece.end - start + 1] = piece.is_same
    is_cut = is_same[:-1] & is_same[1:] & (low == high)
    is_cut &= ~ours.is_crossed[start : end + 1] & ~theirs.is_crossed[low]
    is_cut[[0, -1]] = True
    low[0], high[-1] = other, other_end  # what the sibling puts in at the ends belongs to the stretch
    for a, b in pairwise(np.flatnonzero(is_cut).tolist()):
        if ours.begun[start + b] > ours.begun[start + a]:
            inside = slice(a, b + 1)
            yield Region(start + a, start + b, int(low[a]), int(high[b]), low[inside], high[inside])


class Lattices:
    """The lattices of one text, one for each of some spans of its tokens; they have no word in common.

    A lattice goes from site to site by *emissions*: arrays of `word` (as numbered), `region`, `source` and `target`
    site, `owner` (the token that is kept or, counted on from the last token, the match that begins; -1 within one),
    `begin` and `end` token, `weight`, and for how many tokens it stands (`span`). The sites between tokens come first.
    """

    def __init__(self, text: Text, spans: Sequence[tuple[int, int]], numbers: dict[str, int]) -> None:
        sizes = np.asarray([end - start + 1 for start, end in spans])
        self.base: Ints = np.cumsum(sizes) - sizes  # per region, its first site
        self.depth = [depth for size in sizes.tolist() for depth in range(0, _FINE * size, _FINE)]
        self._numbers = numbers
        self._rows: list[tuple[int, ...]] = []
        self._costs: list[tuple[float, float]] = []
        for region, (start, end) in enumerate(spans):
            self._fill(text, region, start, end)
        table = np.asarray(self._rows, dtype=np.int64).reshape(-1, 7)
        self.word, self.region, self.source, self.target, self.owner, self.begin, self.end = table.T
        self.weight, self.span = np.asarray(self._costs).reshape(-1, 2).T

    def _fill(self, text: Text, region: int, start: int, end: int) -> None:
        shift = int(self.base[region]) - start
        for t in range(start, end):
            self._emit(text.words[t], region, t + shift, t + 1 + shift, t, t, t + 1)
            self._costs.append((float(text.keep[t]), 1.0))
        for m in range(int(text.begun[start]), int(text.begun[end])):
            begin, stop, _ = text.found[m]
            if stop > end:  # it reaches out of the stretch
                continue
            at, owner, weight, output = begin + shift, len(text.words) + m, float(text.swap[m]), text.outputs[m]
            for place, word in enumerate(output, 1):
                to = stop + shift if place == len(output) else len(self.depth)
                if place < len(output):
                    self.depth.append(_FINE * (begin - start) + _FINE * (stop - begin) * place // len(output))
                self._emit(word, region, at, to, owner, begin, stop)
                self._costs.append((weight, (stop - begin) / len(output)))
                at, owner, weight = to, -1, 0.0

    def _emit(self, word: str, *row: int) -> None:
        self._rows.append((self._numbers.setdefault(word, len(self._numbers)), *row))

    def posteriors(self) -> Floats:
        """Per emission, the share of the ways that take it."""
        return Lattice(self.source, self.target, np.asarray(self.depth, dtype=np.int64)).posteriors(self.weight)


class Product:
    """The ways through both texts' lattices at once, region by region, along the alignment.

    A node is a site of ours with one of theirs. An arc is a word that both have, or one that only one of them has.
    """

    def __init__(self, ours: Lattices, theirs: Lattices, regions: Sequence[Region], words: int) -> None:
        self.ours, self.theirs = ours, theirs
        self.edges = np.asarray([(r.start, r.end, r.other, r.other_end) for r in regions], dtype=np.int64)
        start, end, other, other_end = self.edges.T
        region = np.repeat(np.arange(len(regions)), end - start + 1)  # per site between our tokens
        self.shift = theirs.base - other
        self.low = np.maximum(np.concatenate([r.low for r in regions]) - SLACK, other[region])
        self.high = np.minimum(np.concatenate([r.high for r in regions]) + SLACK, other_end[region])
        site = ours.base[ours.region] - start[ours.region]
        self.lowest, self.highest = self.low[ours.begin + site], self.high[ours.end + site]
        self._collect([self._shared(len(regions), words), self._ours_alone(), self._theirs_alone(region)])
        first, last = ours.base, ours.base + end - start
        self._prune(self._node(first, theirs.base), self._node(last, theirs.base + other_end - other))

    def _node(self, site: Ints, place: Ints) -> Ints:
        return site * len(self.theirs.depth) + place

    def _collect(self, parts: Sequence[tuple[Ints, Ints, Floats, Ints]]) -> None:
        source, target, weight, owner = (np.concatenate(column) for column in zip(*parts, strict=True))
        self.source, self.target, self.weight, self.owner = source, target, weight, owner

    def _shared(self, regions: int, words: int) -> tuple[Ints, Ints, Floats, Ints]:
        ours, theirs = self.ours, self.theirs
        key, wanted = (side.word * regions + side.region for side in (ours, theirs))
        row, column = join(key, wanted, words * regions)
        near = (theirs.begin[column] >= self.lowest[row]) & (theirs.end[column] <= self.highest[row])
        row, column = row[near], column[near]
        source = self._node(ours.source[row], theirs.source[column])
        target = self._node(ours.target[row], theirs.target[column])
        return source, target, ours.weight[row] + theirs.weight[column], row

    def _ours_alone(self) -> tuple[Ints, Ints, Floats, Ints]:
        ours = self.ours
        row, place = ranges(self.lowest, self.highest + 1)
        place += self.shift[ours.region[row]]
        weight = ours.weight[row] + UNSHARED * ours.span[row]
        return self._node(ours.source[row], place), self._node(ours.target[row], place), weight, row

    def _theirs_alone(self, region: Ints) -> tuple[Ints, Ints, Floats, Ints]:
        site, place = ranges(self.low, self.high)
        place += self.shift[region[site]]
        nobody = np.full(len(site), len(self.ours.word))
        return self._node(site, place), self._node(site, place + 1), np.full(len(site), UNSHARED), nobody

    def _prune(self, first: Ints, last: Ints) -> None:
        """Leave out what leads nowhere or comes from nowhere; a lattice has one start and one end."""
        while True:
            comes = np.isin(self.source, self.target) | np.isin(self.source, first)
            alive = comes & (np.isin(self.target, self.source) | np.isin(self.target, last))
            if alive.all():
                return
            self._collect([(self.source[alive], self.target[alive], self.weight[alive], self.owner[alive])])

    def posteriors(self) -> Floats:
        """Per emission of ours, the share of the ways that take it."""
        nodes, ends = np.unique(np.concatenate([self.source, self.target]), return_inverse=True)
        site, place = np.divmod(nodes, len(self.theirs.depth))
        depth = np.asarray(self.ours.depth)[site] + np.asarray(self.theirs.depth)[place]
        posterior = Lattice(ends[: len(self.source)], ends[len(self.source) :], depth).posteriors(self.weight)
        return np.bincount(self.owner, weights=posterior, minlength=len(self.ours.word) + 1)[:-1].astype(np.float64)
