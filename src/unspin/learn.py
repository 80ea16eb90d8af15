"""From aligned pairs of an original and its spun copies to a lexicon.

In come aligned pairs (`align.py`); out come entries: minimal swaps with P(spun | original) and how often each
was seen. Nothing is refused: pairs without a recurring swap give no entries.

A word alignment leaves *regions* where the copies differ, and a region is often several swaps side by
side ("business deals" -> "enterprise offers") or part of a longer one ("the" -> "many" in "one of the" ->
"one of many"). Which it is, the whole corpus knows: the spinner replaces a head phrase wherever it
stands, so the true cut of a region is the one whose swaps have the highest *rates* everywhere. So this is
expectation-maximisation over the segmentations of each region and its neighbours, with rates relative to
all occurrences of a head in the originals (those inside a longer head excepted: long heads come first).

Source: D. Marcu, W. Wong, "A phrase-based, joint probability model for statistical machine translation"
(EMNLP 2002), made conditional, with the rate's denominator counted over the corpus and not over the
chosen segments, so that memorising whole regions gains nothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from unspin.align import ENOUGH, MAX_PHRASE, Chain, Corpus, Ids, Pair, read, swaps
from unspin.lattice import Floats, Ints, Lattice
from unspin.model import Entry, Progress

ITERATIONS = 12
PRUNE_EVERY = 4  # iterations between two searches for compounds
LEAST_RATE = 0.02  # below it, a "swap" is a misalignment: the spinner draws evenly among few alternates
LONG_SWAP = 5  # tokens on both sides together; such a swap must be seen in ENOUGH passages
IDLE_EDGE, NEEDED_EDGE = 0.5, 0.25  # how common a swap is without its edges, to how common with them
LEAST_PRECISION = 0.003  # of the places where its spun phrase stands, that a swap must have made
LEAST_SHARE = 0.15  # the same, of the rate of its head's likeliest alternate
NAME_SHARE = 0.9  # of a phrase's occurrences that are capitalised alike, for it to be a name
STARTS_SENTENCE = frozenset('.!?:"\u201c\u201d\u2014\u2022')
DISCOUNT = 0.5  # taken off every expected count, so that of two equal rates the better attested wins
CAUTION = 2.0  # added to a swap's denominator for each token beyond the first, on either side
EDGE = 3.0  # the same for each unchanged token at its edges: "many" in "many countries" <- "many nations"
UNEXPLAINED = -14.0  # log-weight, per token, of a region that no recurring swap explains
BEYOND = 1 << 40  # added to the length of an unexplained region, so that no swap has its number


@dataclass(slots=True)
class _Problem:
    """The lattice of all chains, and per arc which swap it is or which word it keeps."""

    lattice: Lattice
    kind: Ints  # number of a swap; below 0: ~number of a kept word; BEYOND and up: unexplained, by its length
    times: Ints  # how often the arc's chain was seen
    swaps: list[tuple[Ids, Ids]]
    passages: Ints  # per swap, in how many passages it could be, up to ENOUGH

    def per_swap(self, per_arc: Floats | Ints) -> Floats:
        """Values of arcs, summed over the arcs of each swap."""
        is_swap = (self.kind >= 0) & (self.kind < BEYOND)
        sums = np.bincount(self.kind[is_swap], weights=per_arc[is_swap], minlength=len(self.swaps))
        return sums.astype(np.float64)


def _recurring(corpus: Corpus, seen: int, progress: Progress) -> set[int]:
    """Hashes of the swaps seen often enough: most phrase pairs occur once, and are never stored."""
    chains, boundaries = corpus.chains, corpus.vocabulary.boundaries
    hashes, times = [], []
    for done, ((original, spun, regions), count) in enumerate(chains.items()):
        for i, i2, j, j2 in swaps(original, spun, regions, boundaries):
            hashes.append(hash((original[i:i2], spun[j:j2])))
            times.append(count)
        progress("count", done + 1, len(chains))
    unique, inverse = np.unique(np.asarray(hashes, dtype=np.int64), return_inverse=True)
    totals = np.bincount(inverse, weights=np.asarray(times, dtype=np.float64))
    return set(unique[totals >= seen].tolist())


class _Builder:
    """Collects the arcs of chain after chain."""

    def __init__(self, recurring: set[int], boundaries: Set[int]) -> None:
        self.recurring = recurring
        self.boundaries = boundaries
        self.swaps: dict[tuple[Ids, Ids], int] = {}
        self.passages: list[set[int]] = []  # per swap
        self.arcs: list[tuple[int, int, int, int]] = []  # source, target, kind, times
        self.depths: list[int] = []

    def add(self, chain: Chain, times: int, passages: Set[int]) -> None:
        original, spun, regions = chain
        arcs: dict[tuple[int, int, int, int], int | None] = {}
        for i, i2, j, j2 in swaps(original, spun, regions, self.boundaries):
            pair = (original[i:i2], spun[j:j2])
            if hash(pair) in self.recurring:
                arcs[i, j, i2, j2] = number = self.swaps.setdefault(pair, len(self.swaps))
                if number == len(self.passages):
                    self.passages.append(set())
                if len(self.passages[number]) < ENOUGH:
                    self.passages[number] |= passages
        i = j = 0
        for a, b, c, d in [*regions, (len(original), 0, len(spun), 0)]:
            for _ in range(a - i):
                arcs[i, j, i + 1, j + 1] = ~original[i]
                i, j = i + 1, j + 1
            if a < len(original) or b:
                arcs.setdefault((a, c, b, d), None)
                i, j = b, d
        self._number(arcs, times)

    def _number(self, arcs: dict[tuple[int, int, int, int], int | None], times: int) -> None:
        """Nodes reachable from the start and leading to the end, numbered; the rest is dropped."""
        ends = max((arc[2:] for arc in arcs), default=(0, 0))
        forward, backward = {(0, 0)}, {ends}
        ordered = sorted(arcs)
        for arc in ordered:
            if arc[:2] in forward:
                forward.add(arc[2:])
        for arc in sorted(arcs, key=lambda arc: arc[2:], reverse=True):
            if arc[2:] in backward:
                backward.add(arc[:2])
        numbers: dict[tuple[int, ...], int] = {}
        for arc in ordered:
            if arc[:2] in forward and arc[2:] in backward:
                ends_: list[int] = []
                for node in (arc[:2], arc[2:]):
                    if node not in numbers:
                        numbers[node] = len(self.depths)
                        self.depths.append(sum(node))
                    ends_.append(numbers[node])
                kind = arcs[arc]
                length = arc[2] - arc[0] + arc[3] - arc[1]
                self.arcs.append((ends_[0], ends_[1], BEYOND + length if kind is None else kind, times))


def _problem(corpus: Corpus, seen: int, progress: Progress) -> _Problem:
    builder = _Builder(_recurring(corpus, seen, progress), corpus.vocabulary.boundaries)
    for done, (chain, times) in enumerate(corpus.chains.items()):
        builder.add(chain, times, corpus.passages[chain])
        progress("build", done + 1, len(corpus.chains))
    arcs = np.asarray(builder.arcs, dtype=np.int64).reshape(-1, 4)
    lattice = Lattice(arcs[:, 0], arcs[:, 1], np.asarray(builder.depths, dtype=np.int64))
    passages = np.asarray([len(found) for found in builder.passages])
    return _Problem(lattice, arcs[:, 2], arcs[:, 3], list(builder.swaps), passages)


@dataclass(slots=True)
class _Rates:
    """The channel under estimation: P(spun | original) per swap, P(kept | word) per word."""

    head: Ints  # per swap, the number of its original phrase
    within: tuple[Ints, Ints]  # pairs (swap, shorter head that its original phrase covers)
    occurrences: Floats  # per head, how often it stands in the originals
    caution: Floats  # per swap, what is added to its denominator
    heads: dict[Ids, int]  # numbers; words come first, under their own
    counts: Floats  # per swap, how often it is believed to have been made
    raw: Floats  # per swap, how often a region could be read as it

    def exposure(self) -> tuple[Floats, Floats]:
        """Per head, how often it was there to be replaced, not inside a longer head that was; and the share kept."""
        swap, head = self.within
        covered = np.bincount(head, weights=self.counts[swap], minlength=len(self.occurrences))
        made = np.bincount(self.head, weights=self.counts, minlength=len(self.occurrences))
        exposure = np.maximum(self.occurrences - covered, made)
        return exposure, np.clip(1.0 - made / np.maximum(exposure, 1e-9), 0.0, 1.0)

    def weights(self, problem: _Problem) -> Floats:
        """Per arc of the problem, its log-weight under the present estimate."""
        exposure, kept = self.exposure()
        discounted = np.maximum(self.counts - DISCOUNT, 1e-9)
        swap = np.log(discounted / (exposure[self.head] + self.caution))
        word = np.log(np.maximum(kept, 1e-3))
        kind = problem.kind
        weights = np.where(
            kind < 0, word[np.where(kind < 0, ~kind, 0)], swap[np.where((kind < 0) | (kind >= BEYOND), 0, kind)]
        )
        return np.where(kind >= BEYOND, UNEXPLAINED * (kind - BEYOND), weights)


def _rates(corpus: Corpus, problem: _Problem) -> _Rates:
    heads: dict[Ids, int] = {(word,): word for word in range(len(corpus.vocabulary.words))}
    head = [heads.setdefault(original, len(heads)) for original, _ in problem.swaps]
    within = [
        (number, heads[part])
        for number, (original, _) in enumerate(problem.swaps)
        for part in _parts(original)
        if part in heads
    ]
    occurrences = _occurrences(corpus.originals, heads)
    counts = problem.per_swap(problem.times)
    caution = [1.0 + CAUTION * (len(o) + len(s) - 2) + EDGE * sum(_shared(o, s)) for o, s in problem.swaps]
    return _Rates(
        np.asarray(head, dtype=np.int64),
        (np.asarray([w[0] for w in within], dtype=np.int64), np.asarray([w[1] for w in within], dtype=np.int64)),
        occurrences,
        np.asarray(caution),
        heads,
        counts,
        counts.copy(),
    )


def _shared(original: Ids, spun: Ids) -> tuple[int, int]:
    """How many tokens at its left and right edges a swap leaves as they are; never all of a side."""
    most = min(len(original), len(spun))
    left = next((n for n in range(most) if original[n] != spun[n]), most)
    right = next((n for n in range(most - left) if original[-1 - n] != spun[-1 - n]), most - left)
    return left, right


def _edges(problem: _Problem, rates: _Rates) -> tuple[Ints, Ints]:
    """Of the swaps with unchanged words at their edges, those whose edges are idle and those that need them.

    Idle: without the edges the swap is as common elsewhere ("many countries" <- "many nations"). Needed: it
    is hardly ever made elsewhere ("the primary" <- "the first").
    """
    numbers = {swap: number for number, swap in enumerate(problem.swaps)}
    idle, needed = [], []
    for number, (original, spun) in enumerate(problem.swaps):
        left, right = _shared(original, spun)
        core = original[left : len(original) - right], spun[left : len(spun) - right]
        if not left + right or core not in numbers:
            continue
        here, there = rates.occurrences[rates.head[number]], rates.occurrences[rates.heads[core[0]]]
        inside = rates.raw[number] / max(here, 1.0)
        made = rates.raw[numbers[core]] - rates.raw[number]
        outside = made / max(there - here, 1.0)
        if outside >= IDLE_EDGE * inside and made >= 4:
            idle.append(number)
        elif outside <= NEEDED_EDGE * inside and there - here >= 6:
            needed.append(number)
    return np.asarray(idle, dtype=np.int64), np.asarray(needed, dtype=np.int64)


def _compounds(problem: _Problem, rates: _Rates) -> Ints:
    """The swaps that shorter ones explain: seen no more often than those would make them by chance."""
    exposure, kept = rates.exposure()
    rate = rates.counts / np.maximum(exposure[rates.head], 1e-9)
    parts: dict[Ids, dict[Ids, float]] = {}
    for number in np.flatnonzero(rates.counts >= 0.5).tolist():
        original, spun = problem.swaps[number]
        parts.setdefault(original, {})[spun] = rate[number]

    def chance(original: Ids, spun: Ids) -> float:
        return kept[original[0]] if original == spun and len(spun) == 1 else parts.get(original, {}).get(spun, 0.0)

    found = []
    for number in np.flatnonzero(rates.counts >= 0.5).tolist():
        original, spun = problem.swaps[number]
        expected = _composed(original, spun, chance) * rates.occurrences[rates.head[number]]
        if rates.raw[number] <= 1.5 * expected + 2.0 * math.sqrt(expected):
            found.append(number)
    return np.asarray(found, dtype=np.int64)


def _composed(original: Ids, spun: Ids, chance: Callable[[Ids, Ids], float]) -> float:
    """The probability of the best way to make a swap from two or more others, and from kept words."""
    best = {(0, 0): 1.0}
    for i in range(1, len(original) + 1):
        for j in range(1, len(spun) + 1):
            best[i, j] = max(
                (
                    best[a, b] * chance(original[a:i], spun[b:j])
                    for a in range(i)
                    for b in range(j)
                    if best.get((a, b), 0.0) and (i - a, j - b) != (len(original), len(spun))
                ),
                default=0.0,
            )
    return best[len(original), len(spun)]


def _occurrences(lines: Mapping[Ids, int], phrases: Mapping[Ids, int]) -> Floats:
    """How often each of some numbered phrases stands in lines that occur so many times."""
    found = np.zeros(len(phrases))
    longest = max(map(len, phrases))
    for line, times in lines.items():
        for size in range(1, longest + 1):
            for i in range(len(line) - size + 1):
                if (number := phrases.get(line[i : i + size])) is not None:
                    found[number] += times
    return found


def _parts(original: Ids) -> Iterator[Ids]:
    for size in range(1, len(original)):
        for i in range(len(original) - size + 1):
            yield original[i : i + size]


def learn(
    pairs: Iterable[Pair],
    *,
    seen: int = 3,
    iterations: int = ITERATIONS,
    source: str = "learned",
    progress: Progress = lambda stage, done, total: None,
) -> tuple[Entry, ...]:
    """Estimate a channel from aligned pairs and return its swaps as lexicon entries, sorted.

    `seen`: how often a swap must have been made to become an entry. `progress` is called with a stage's
    name, the steps done and the steps in all (0 where unknown).
    """
    corpus = read(pairs, progress)
    if not corpus.chains:
        return ()
    problem = _problem(corpus, seen, progress)
    if not problem.swaps:
        return ()
    rates = _rates(corpus, problem)
    idle, needed = _edges(problem, rates)
    rates.counts[idle] = 0.0
    for step in range(iterations):
        posteriors = problem.lattice.posteriors(rates.weights(problem))
        rates.counts = problem.per_swap(posteriors * problem.times)
        if step % PRUNE_EVERY == PRUNE_EVERY - 1 and step < iterations - 1:
            rates.counts[np.setdiff1d(_compounds(problem, rates), needed)] = 0.0
        progress("estimate", step + 1, iterations)
    return _entries(corpus, problem, rates, seen, source)


def _entries(corpus: Corpus, problem: _Problem, rates: _Rates, seen: int, source: str) -> tuple[Entry, ...]:
    exposure, _ = rates.exposure()
    rate = np.minimum(1.0, rates.counts / np.maximum(exposure[rates.head], 1e-9))
    highest = np.zeros(len(exposure))
    np.maximum.at(highest, rates.head, rate)
    size = np.asarray([len(original) + len(spun) for original, spun in problem.swaps])
    is_true = problem.passages >= np.where(size < LONG_SWAP, 2, ENOUGH)
    is_true &= (rates.counts >= seen - 0.5) & (rate >= LEAST_RATE) & (rate >= LEAST_SHARE * highest[rates.head])
    spun: dict[Ids, int] = {}
    place = np.asarray([spun.setdefault(swap[1], len(spun)) for swap in problem.swaps])
    is_true &= rates.counts >= LEAST_PRECISION * _occurrences(corpus.copies, spun)[place]
    chosen = np.flatnonzero(is_true).tolist()
    usual = _usual(corpus, {problem.swaps[number][0] for number in chosen})
    words = corpus.vocabulary.words
    entries = [
        Entry(
            _join([words[w] for w in problem.swaps[number][1]]),
            usual[problem.swaps[number][0]],
            float(f"{rate[number]:.4g}"),
            seen=round(rates.counts[number]),
            source=source,
        )
        for number in chosen
    ]
    return tuple(sorted(entries, key=lambda e: (e.spun, e.original)))


def _usual(corpus: Corpus, phrases: Set[Ids]) -> dict[Ids, str]:
    """How each phrase is written inside a sentence; capitals only where they nearly always stand."""
    written: dict[Ids, Counter[str]] = {phrase: Counter() for phrase in phrases}
    for line, texts in corpus.written.items():
        for size in range(1, MAX_PHRASE + 1):
            for i in range(1, len(line) - size + 1):
                if (found := written.get(line[i : i + size])) is not None and texts[i - 1] not in STARTS_SENTENCE:
                    found[_join(texts[i : i + size])] += 1
    usual = {}
    for phrase, forms in written.items():
        plain = _join([corpus.vocabulary.words[word] for word in phrase])
        form, count = max(forms.items(), key=lambda item: (item[1], item[0]), default=(plain, 0))
        is_name = count >= 3 and count >= NAME_SHARE * forms.total()
        usual[phrase] = form.replace("\u2019", "'") if is_name else _with_pronoun(plain)
    return usual


def _with_pronoun(words: str) -> str:
    return re.sub(r"\bi\b(?!-)", "I", words)


def _join(words: Sequence[str]) -> str:
    """Tokens as running text: hyphens and clitics closed up, as the tokenizer will split them again."""
    return re.sub(r" (?=['\u2019]s\b)| (?=-)|(?<=-) | (?=%)|(?<=[$#]) ", "", " ".join(words))
