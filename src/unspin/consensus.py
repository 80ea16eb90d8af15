"""Siblings: several copies of one original, read together.

In come sibling texts and, as a ranker does, the context of a text in the course of decoding; out goes what the
siblings say of each swap that could be undone there. Nothing is refused: a sibling that has nothing in common with
the text says nothing, and neither does one that was spun in the same run.

A spun sibling is evidence: what the author wrote must explain *every* copy. Forward-backward over the product of the
two texts' lattices (`unspin.intersect`) tells how much likelier each swap makes the sibling than leaving its words
alone does, and that is its score. The word of an unspun sibling needs no weighing: `unspin.witness`.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, pairwise

import numpy as np

from unspin.channel import SPIN_RATES, Match, keep_cost, rates_shown, swap_cost
from unspin.decide import EVIDENCE
from unspin.decode import CONSISTENCY, Decoding, Reading, decode
from unspin.intersect import Lattices, Product, Text, undecided
from unspin.language import LanguageModel
from unspin.lattice import Floats, ranges
from unspin.lexicon import Lexicon
from unspin.model import Attestation, Edit, Entry, Sentence, Token
from unspin.pairing import Stretch, stretches
from unspin.rank import Context, Ranker
from unspin.text import segment

# The figures below were chosen on aligned pairs: `benchmarks/consensus.py` prints what they do.
WEIGHT = 2.0  # of the evidence beside language model and ranker, which are surer than they are right
MOST = 12.0  # nats that one sibling can say for or against a swap
LEAST_SAID = 1.0  # nats for a swap; who says less is not named as one who attests it
LEAST_LIKELY = 0.02  # of a swap that may tell whether two copies were spun as one
LEAST_SHARE = 1e-4  # of a reading in the first pass; a sibling may revive what seemed impossible
OTHERWISE = 0.02  # of the swaps of copies that were spun as one, those that differ nevertheless
CLEAN = 0.1  # nats of spin evidence a word; an unspun text shows less


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
    regions = [region for stretch in shared for region in undecided(stretch, ours, theirs)]
    made = zip(context.found, context.share[context.first].tolist(), strict=True)
    if not regions or _is_one_run(made, ours.words, shared, sibling, context.lexicon):
        return scores
    numbers: dict[str, int] = {}
    asking = Lattices(ours, [(r.start, r.end) for r in regions], numbers)
    answering = Lattices(theirs, [(r.other, r.other_end) for r in regions], numbers)
    said = _log(Product(asking, answering, regions, len(numbers)).posteriors()) - _log(asking.posteriors())
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


def _asking(context: Context) -> Text:
    """The text that is decoded, its ways weighed as the first pass of decoding did."""
    sizes = context.lexicon.arrays.size[context.found.entry]
    is_kept = context.begin >= 0
    is_kept[ranges(context.first, context.first + sizes)[1]] = False
    share = np.ones(len(context.tokens))
    share[context.begin[is_kept]] = context.share[is_kept]
    swap, keep = (np.log(np.maximum(shares, LEAST_SHARE)) for shares in (context.share[context.first], share))
    return Text([token.norm for token in context.tokens], list(context.found), swap, keep, context.lexicon)


def _answering(sibling: Sibling, lexicon: Lexicon) -> Text:
    """A sibling, its ways weighed by the channel alone: what the language thinks of them has been said once."""
    found = [match for match, _ in sibling.readings]
    entry = np.asarray([match.entry for match in found], dtype=np.int64)
    upper = np.asarray([sibling.tokens[match.start].text[0].isupper() for match in found], dtype=bool)
    posterior = np.asarray([reading.posterior for _, reading in sibling.readings])
    rates = rates_shown(entry, upper, posterior, lexicon, weight=CONSISTENCY)
    words = [token.norm for token in sibling.tokens]
    kept = np.asarray([lexicon.kept.get((word,), 1.0) for word in words])
    return Text(words, found, swap_cost(rates, sibling.spin_rate), keep_cost(kept, sibling.spin_rate), lexicon)
