"""Siblings: several copies of one original, read together.

In come sibling texts and, as a ranker does, the context of a text in the course of decoding; out goes what the
siblings say of each swap that could be undone there. Nothing is refused: a sibling that has nothing in common with
the text says nothing, and neither does one that was spun in the same run.

A spun sibling is evidence: what the author wrote must explain *every* copy. The lattices of the text and of the
sibling are intersected, word by word, along their alignment; a word that only one of them can have costs UNSHARED
a token, for lexicons are incomplete and people edit. Forward-backward over the product tells how much likelier each
swap makes the sibling than leaving its words alone does, and that is its score. The word of an unspun sibling needs
no weighing: `unspin.witness`.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise

import numpy as np

from unspin.channel import SPIN_RATES, Match, keep_cost, rates_shown, swap_cost
from unspin.decide import EVIDENCE
from unspin.decode import CONSISTENCY, Decoding, Reading, decode
from unspin.language import LanguageModel
from unspin.lattice import Floats, Ints, Lattice, join
from unspin.lexicon import Lexicon
from unspin.model import Attestation, Edit, Entry, Sentence, Token
from unspin.pairing import Stretch, stretches
from unspin.rank import Context, Ranker
from unspin.text import segment

# The figures below were chosen on aligned pairs: `benchmarks/consensus.py` prints what they do.
UNSHARED = -4.0  # nats for a token that only one copy can have
SLACK = 2  # tokens by which an alignment may be wrong
WEIGHT = 2.0  # of the evidence beside language model and ranker, which are surer than they are right
MOST = 12.0  # nats that one sibling can say for or against a swap
LEAST_SAID = 1.0  # nats for a swap; who says less is not named as one who attests it
LEAST_LIKELY = 0.02  # of a swap that may tell whether two copies were spun as one
LEAST_SHARE = 1e-4  # of a reading in the first pass; a sibling may revive what seemed impossible
OTHERWISE = 0.02  # of the swaps of copies that were spun as one, those that differ nevertheless
CLEAN = 0.1  # nats of spin evidence a word; an unspun text shows less
_FINE = 8  # depth units between two tokens


class Sibling:
    """A copy of the same original. It is read when first asked for, once, and serves any number of texts."""

    def __init__(self, text: str, lexicon: Lexicon, model: LanguageModel, *, name: str = "") -> None:
        """`name` is what edits call it; without one, its digest."""
        self.text, self.name = text, name or digest(text)
        self.lexicon, self._model = lexicon, model

    @cached_property
    def _units(self) -> list[Sentence]:
        return [sentence for paragraph in segment(self.text).paragraphs for sentence in paragraph.sentences]

    @cached_property
    def decoding(self) -> Decoding:
        """How it was spun. No ranker has a say: that would take five times as long, and gains nothing."""
        return decode(self._units, self.lexicon, self._model)

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """All tokens in reading order."""
        return tuple(chain.from_iterable(sentence.tokens for sentence in self._units))

    @cached_property
    def words(self) -> list[list[str]]:
        """The normal forms of each sentence's tokens."""
        return [[token.norm for token in sentence.tokens] for sentence in self._units]

    @cached_property
    def readings(self) -> list[tuple[Match, Reading]]:
        """The swaps that could have been made, in order, with where they stand."""
        place = {token.start: number for number, token in enumerate(self.tokens)}
        readings = sorted(self.decoding.readings, key=lambda reading: reading.tokens[0].start)
        return [
            (Match(n := place[reading.tokens[0].start], n + len(reading.tokens), reading.entry), reading)
            for reading in readings
        ]

    @property
    def swaps(self) -> Iterator[tuple[Match, float]]:
        """The same, each with its posterior."""
        return ((match, reading.posterior) for match, reading in self.readings)

    @cached_property
    def is_unspun(self) -> bool:
        """Is it certain that no spinner wrote it: do heads enough stand, and do hardly any alternates?"""
        gains = self.decoding.gains
        return gains[-1] <= -EVIDENCE and max(gains) < CLEAN * self.decoding.words

    @property
    def spin_rate(self) -> float:
        """The likeliest, if it was spun."""
        return SPIN_RATES[int(np.argmax(self.decoding.gains))]


class Siblings:
    """A ranker that adds what spun siblings say to the scores of another, and knows afterwards who spoke for what.

    For one text: what was said is remembered by the places of that text.
    """

    def __init__(self, base: Ranker, siblings: Sequence[Sibling]) -> None:
        self.base = base
        self.siblings = tuple(siblings)
        self.scales = base.scales
        self.digest = "+".join([base.digest, *(f"sibling-{digest(sibling.text)}" for sibling in siblings)])
        self._attested: defaultdict[tuple[int, int, Entry | None], list[Attestation]] = defaultdict(list)

    @cached_property
    def _spun(self) -> tuple[Sibling, ...]:
        return _independent(sibling for sibling in self.siblings if not sibling.is_unspun)

    def score(self, context: Context) -> Floats:
        """Per emission, what the base says and, for the first word of a swap, what the siblings say of it."""
        scores = self.base.score(context)
        for sibling in self._spun:
            shared = list(stretches(_sentences(context), sibling.words))
            said = heard(context, sibling, shared)
            scores[context.first] += WEIGHT * np.clip(said, -MOST, MOST)
            self._note(context, sibling, shared, said)
        return scores

    def _note(self, context: Context, sibling: Sibling, shared: Iterable[Stretch], said: Floats) -> None:
        first, last = np.zeros((2, len(context.tokens)), dtype=np.int64)
        for stretch in shared:
            begin, end, *_ = stretch.span
            first[begin:end], last[begin:end] = stretch.places()
        for number in np.flatnonzero(said >= LEAST_SAID).tolist():
            begin, end, entry = context.found[number]
            there = sibling.tokens[first[begin:end].min() : last[begin:end].max()]
            if there:
                span = there[0].start, there[-1].end
                key = context.tokens[begin].start, context.tokens[end - 1].end, context.lexicon.active[entry]
                self._attested[key].append(Attestation(sibling.name, *span, sibling.text[slice(*span)]))

    def attested(self, edits: Iterable[Edit]) -> Iterator[Edit]:
        """The edits, each with what the spun siblings that spoke for it have there."""
        for edit in edits:
            yield replace(edit, attested_by=tuple(self._attested.get((edit.start, edit.end, edit.entry), ())))


def digest(text: str) -> str:
    """Names a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def heard(context: Context, sibling: Sibling, shared: Sequence[Stretch]) -> Floats:
    """Per match of the context, ln P(sibling | swap) - ln P(sibling | its words left alone); 0 if it says nothing.

    `shared` are the stretches that both texts have.
    """
    scores = np.zeros(len(context.found))
    ours, theirs = _asking(context), _answering(sibling, context.lexicon)
    regions = [region for stretch in shared for region in _regions(stretch, ours, theirs)]
    made = zip(context.found, context.share[context.first].tolist(), strict=True)
    if not regions or _is_one_run(made, ours.words, shared, sibling, context.lexicon):
        return scores
    numbers: dict[str, int] = {}
    asking = _Lattices(ours, [(r.start, r.end) for r in regions], numbers)
    answering = _Lattices(theirs, [(r.other, r.other_end) for r in regions], numbers)
    said = _log(_Product(asking, answering, regions, len(numbers)).posteriors()) - _log(asking.posteriors())
    kept = (asking.owner >= 0) & (asking.owner < len(ours.words))
    alone = np.zeros(len(ours.words))
    alone[asking.owner[kept]] = said[kept]
    swap = asking.owner >= len(ours.words)
    for number, score in zip((asking.owner[swap] - len(ours.words)).tolist(), said[swap].tolist(), strict=True):
        start, end, _ = ours.found[number]
        scores[number] = score - alone[start:end].min()
    return scores


def _is_one_run(
    swaps: Iterable[tuple[Match, float]],
    words: Sequence[str],
    shared: Iterable[Stretch],
    other: Sibling,
    lexicon: Lexicon,
) -> bool:
    """Was another copy spun together with these words, and edited since? Then its agreement proves nothing.

    `swaps` are those that can have been made in `words`, each with its share of the readings. Of copies that were spun
    apart, one has the other's alternate only as often as the spinner chooses it; of copies of one run, it always has
    but for OTHERWISE. Words of the other copy that no spinner would have written there are somebody's edit, and say
    nothing.
    """
    first = np.full(len(words), -1)
    last = first.copy()
    for stretch in shared:
        begin, end, *_ = stretch.span
        first[begin:end], last[begin:end] = stretch.places()
    gain, agrees = 0.0, False
    for (begin, end, number), share in swaps:
        if share >= LEAST_LIKELY and first[begin:end].min() >= 0:
            entry = lexicon.active[number]
            there = tuple(token.norm for token in other.tokens[first[begin:end].min() : last[begin:end].max()])
            if there == tuple(words[begin:end]):
                gain -= share * math.log(entry.rate)
                agrees = True
            elif there == lexicon.originals[number] or _writes(there, entry.original, lexicon):
                gain += share * math.log(OTHERWISE / max(OTHERWISE, 1.0 - entry.rate))
    return agrees and gain >= 0.0


def _writes(spun: tuple[str, ...], original: str, lexicon: Lexicon) -> bool:
    return any(lexicon.active[number].original == original for number in lexicon.by_spun.get(spun, ()))


def _independent(siblings: Iterable[Sibling]) -> tuple[Sibling, ...]:
    """Those that are not, for the most part, what an earlier one says: once more is no second witness."""
    chosen: list[Sibling] = []
    for sibling in siblings:
        for other in chosen:
            shared = list(stretches(sibling.words, other.words))
            size = sum(stretch.span[1] - stretch.span[0] for stretch in shared)
            words = [token.norm for token in sibling.tokens]
            if 2 * size >= len(words) and _is_one_run(sibling.swaps, words, shared, other, sibling.lexicon):
                break
        else:
            chosen.append(sibling)
    return tuple(chosen)


def _log(shares: Floats) -> Floats:
    logs: Floats = np.log(np.maximum(shares, 1e-300))
    return logs


def _sentences(context: Context) -> list[list[str]]:
    words = [token.norm for token in context.tokens]
    return [words[start:end] for start, end in pairwise([*context.starts, len(words)])]


class _Text:
    """What one text can have been: its words, its matches in order of start, and what each costs to take or keep."""

    def __init__(self, words: list[str], found: list[Match], swap: Floats, keep: Floats, lexicon: Lexicon) -> None:
        self.words, self.found, self.swap, self.keep = words, found, swap, keep
        self.outputs = [lexicon.originals[match.entry] for match in found]
        # per boundary between tokens: the matches that start before it, and whether one reaches across it
        self.begun = np.searchsorted([match.start for match in found], np.arange(len(words) + 1))
        inside = np.asarray([(match.start + 1, match.end) for match in found], dtype=np.int64).reshape(-1, 2)
        opened, closed = (np.bincount(edge, minlength=len(words) + 1) for edge in inside.T)
        self.is_crossed = np.cumsum(opened - closed) > 0


def _asking(context: Context) -> _Text:
    """The text that is decoded, its ways weighed as the first pass of decoding did."""
    sizes = np.asarray([len(context.lexicon.originals[match.entry]) for match in context.found])
    is_kept = context.begin >= 0
    is_kept[_ranges(context.first, context.first + sizes)[1]] = False
    share = np.ones(len(context.tokens))
    share[context.begin[is_kept]] = context.share[is_kept]
    swap, keep = (np.log(np.maximum(shares, LEAST_SHARE)) for shares in (context.share[context.first], share))
    return _Text([token.norm for token in context.tokens], list(context.found), swap, keep, context.lexicon)


def _answering(sibling: Sibling, lexicon: Lexicon) -> _Text:
    """A sibling, its ways weighed by the channel alone: what the language thinks of them has been said once."""
    found = [match for match, _ in sibling.readings]
    entry = np.asarray([match.entry for match in found], dtype=np.int64)
    upper = np.asarray([sibling.tokens[match.start].text[0].isupper() for match in found], dtype=bool)
    posterior = np.asarray([reading.posterior for _, reading in sibling.readings])
    rates = rates_shown(entry, upper, posterior, lexicon, weight=CONSISTENCY)
    words = [token.norm for token in sibling.tokens]
    kept = np.asarray([lexicon.kept.get((word,), 1.0) for word in words])
    return _Text(words, found, swap_cost(rates, sibling.spin_rate), keep_cost(kept, sibling.spin_rate), lexicon)


@dataclass(frozen=True, slots=True)
class _Region:
    """Our tokens `[start, end)` and the sibling's `[other, other_end)`, between two places where nothing crosses.

    `low`, `high`: per boundary of ours, where it falls in the sibling, at least and at most.
    """

    start: int
    end: int
    other: int
    other_end: int
    low: Ints
    high: Ints


def _regions(stretch: Stretch, ours: _Text, theirs: _Text) -> Iterator[_Region]:
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
            yield _Region(start + a, start + b, int(low[a]), int(high[b]), low[inside], high[inside])


class _Lattices:
    """The lattices of one text, one for each of some spans of its tokens; they have no word in common.

    A lattice goes from site to site by *emissions*: arrays of `word` (as numbered), `region`, `source` and `target`
    site, `owner` (the token that is kept or, counted on from the last token, the match that begins; -1 within one),
    `begin` and `end` token, `weight`, and for how many tokens it stands (`span`). The sites between tokens come first.
    """

    def __init__(self, text: _Text, spans: Sequence[tuple[int, int]], numbers: dict[str, int]) -> None:
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

    def _fill(self, text: _Text, region: int, start: int, end: int) -> None:
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


class _Product:
    """The ways through both texts' lattices at once, region by region, along the alignment.

    A node is a site of ours with one of theirs. An arc is a word that both have, or one that only one of them has.
    """

    def __init__(self, ours: _Lattices, theirs: _Lattices, regions: Sequence[_Region], words: int) -> None:
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
        row, place = _ranges(self.lowest, self.highest + 1)
        place += self.shift[ours.region[row]]
        weight = ours.weight[row] + UNSHARED * ours.span[row]
        return self._node(ours.source[row], place), self._node(ours.target[row], place), weight, row

    def _theirs_alone(self, region: Ints) -> tuple[Ints, Ints, Floats, Ints]:
        site, place = _ranges(self.low, self.high)
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


def _ranges(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """All pairs (i, n) with first[i] <= n < last[i], as two arrays."""
    many = np.maximum(0, last - first)
    row = np.repeat(np.arange(len(first)), many)
    return row, first[row] + np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
