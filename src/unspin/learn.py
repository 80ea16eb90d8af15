"""From aligned pairs of an original and its spun copies to a lexicon.

In come texts and their spun copies, whose paragraphs correspond line by line; out come entries: minimal
swaps with P(spun | original) and how often each was seen. Pairs that cannot be read are refused with
file and line.

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

import gzip
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from sys import intern

import numpy as np
from rapidfuzz.distance import Levenshtein

from unspin.errors import FormatError, InputError
from unspin.lattice import Floats, Ints, Lattice
from unspin.model import Entry, Token
from unspin.text import tokens

MAX_PHRASE = 7  # tokens on either side of a swap
CONTEXT = 2  # unchanged tokens beside a region that a swap may take in ("a new" -> "a brand new")
GAP = 2  # unchanged tokens between two regions that one swap may bridge
ITERATIONS = 12
PRUNE_EVERY = 4  # iterations between two searches for compounds
LEAST_RATE = 0.02  # below it, a "swap" is a misalignment: the spinner draws evenly among few alternates
LEAST_SHARE = 0.15  # the same, of the rate of its head's likeliest alternate
NAME_SHARE = 0.9  # of a phrase's occurrences that are capitalised alike, for it to be a name
STARTS_SENTENCE = frozenset('.!?:"\u201c\u201d\u2014\u2022')
DISCOUNT = 0.5  # taken off every expected count, so that of two equal rates the better attested wins
CAUTION = 2.0  # added to a swap's denominator for each token beyond the first, on either side
EDGE = 3.0  # the same for each unchanged token at its edges: "many" in "many countries" <- "many nations"
INSIDE = frozenset("-%&$#+")  # punctuation that a phrase of the spinner's table may hold
UNEXPLAINED = -14.0  # log-weight, per token, of a region that no recurring swap explains

Ids = tuple[int, ...]
Region = tuple[int, int, int, int]  # original [a, b) became spun [c, d)
Progress = Callable[[str, int, int], None]  # stage, steps done, steps in all


@dataclass(frozen=True, slots=True)
class Pair:
    """An original and its spun copies; line i of a copy is line i of the original, spun."""

    original: str
    spun: tuple[str, ...]


def read_pairs(path: Path) -> Iterator[Pair]:
    """The pairs of a JSON Lines file (`.gz` or not): `{"original": text, "spun": [copy, ...]}` a line.

    Raises InputError if it cannot be read and FormatError, with the line, if a row is malformed.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for number, row in enumerate(file, 1):
                if row.strip():
                    yield _pair(path, number, row)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(path, f"cannot be read as JSON Lines ({error})") from error


def _pair(path: Path, number: int, row: str) -> Pair:
    try:
        fields = json.loads(row)
    except json.JSONDecodeError as error:
        raise FormatError(path, f"not JSON: {error.msg}", line=number, column=error.colno) from error
    original, spun = (fields.get(key) for key in ("original", "spun")) if isinstance(fields, dict) else (None, None)
    copies = [spun] if isinstance(spun, str) else spun
    if not isinstance(original, str) or not isinstance(copies, list) or not all(isinstance(c, str) for c in copies):
        raise FormatError(path, 'expected {"original": text, "spun": [text, ...]}', line=number)
    lines = original.count("\n")
    if any(copy.count("\n") != lines for copy in copies):
        raise FormatError(path, "the spun copies need as many lines as the original", line=number)
    return Pair(original, tuple(copies))


class _Vocabulary:
    """Normal forms as numbers, and which of them no swap contains."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.words: list[str] = []
        self.boundaries: set[int] = set()

    def add(self, line: Iterable[Token]) -> Ids:
        return tuple(self._number(token) for token in line)

    def _number(self, token: Token) -> int:
        number = self.numbers.setdefault(token.norm, len(self.words))
        if number == len(self.words):
            self.words.append(token.norm)
            if not token.is_word and token.text not in INSIDE:
                self.boundaries.add(number)
        return number


@dataclass(slots=True)
class _Corpus:
    vocabulary: _Vocabulary
    originals: Counter[Ids]  # each line of an original, with the number of its copies
    written: dict[Ids, tuple[str, ...]]  # the same lines as they are written
    chains: Counter[tuple[Ids, Ids, tuple[Region, ...]]]  # regions with their neighbourhood, how often


def _align(original: Ids, spun: Ids) -> list[Region]:
    regions: list[Region] = []
    for op in Levenshtein.opcodes(original, spun):
        if op.tag == "equal":
            continue
        region = (op.src_start, op.src_end, op.dest_start, op.dest_end)
        if regions and (regions[-1][1], regions[-1][3]) == (region[0], region[2]):
            region = (regions[-1][0], region[1], regions.pop()[2], region[3])
        regions.append(region)
    return regions


def _chains(original: Ids, spun: Ids) -> Iterator[tuple[Ids, Ids, tuple[Region, ...]]]:
    """Runs of regions close enough for a swap to reach from one to the next, each with its context."""
    runs: list[list[Region]] = []
    for region in _align(original, spun):
        if runs and region[0] - runs[-1][-1][1] <= 2 * CONTEXT:
            runs[-1].append(region)
        else:
            runs.append([region])
    for run in runs:
        left = min(CONTEXT, run[0][0])
        right = min(CONTEXT, len(original) - run[-1][1])
        i, j = run[0][0] - left, run[0][2] - left
        window = original[i : run[-1][1] + right], spun[j : run[-1][3] + right]
        yield *window, tuple((a - i, b - i, c - j, d - j) for a, b, c, d in run)


def _read(pairs: Iterable[Pair], progress: Progress) -> _Corpus:
    corpus = _Corpus(_Vocabulary(), Counter(), {}, Counter())
    for done, pair in enumerate(pairs):
        copies = [copy.split("\n") for copy in pair.spun]
        for place, line in enumerate(pair.original.split("\n")):
            read = list(tokens(line))
            original = corpus.vocabulary.add(read)
            corpus.originals[original] += len(copies)
            corpus.written.setdefault(original, tuple(intern(token.text) for token in read))
            for copy in copies:
                corpus.chains.update(_chains(original, corpus.vocabulary.add(tokens(copy[place]))))
        progress("align", done + 1, 0)
    return corpus


def _swaps(original: Ids, spun: Ids, regions: Sequence[Region], boundaries: Set[int]) -> Iterator[Region]:
    """All phrase pairs that could be one swap: inside a region, or with some of its neighbourhood."""
    for k, (a, b, c, d) in enumerate(regions):
        before = regions[k - 1][1] if k else 0
        after = regions[k + 1][0] if k + 1 < len(regions) else len(original)
        left, right = min(CONTEXT, a - before), min(CONTEXT, after - b)
        inner = [(a, c), (b, d)]
        if b - a <= MAX_PHRASE + 1 and d - c <= MAX_PHRASE + 3:
            inner = [(i, j) for i in range(a, b + 1) for j in range(c, d + 1)]
        starts = [(a - x, c - x) for x in range(left, 0, -1)] + inner
        ends = inner + [(b + x, d + x) for x in range(1, right + 1)]
        places = [(i, i2, j, j2) for i, j in starts for i2, j2 in ends]
        if k + 1 < len(regions) and after - b <= GAP:
            places.append((a, regions[k + 1][1], c, regions[k + 1][3]))
        for i, i2, j, j2 in places:
            if not (0 < i2 - i <= MAX_PHRASE and 0 < j2 - j <= MAX_PHRASE) or original[i:i2] == spun[j:j2]:
                continue
            if boundaries.isdisjoint(original[i:i2]) and boundaries.isdisjoint(spun[j:j2]):
                yield i, i2, j, j2


@dataclass(slots=True)
class _Problem:
    """The lattice of all chains, and per arc which swap it is or which word it keeps."""

    lattice: Lattice
    kind: Ints  # number of a swap; below 0: ~number of a kept word; `swaps` and up: unexplained, by its length
    times: Ints  # how often the arc's chain was seen
    swaps: list[tuple[Ids, Ids]]


def _recurring(corpus: _Corpus, seen: int, progress: Progress) -> set[int]:
    """Hashes of the swaps seen often enough: most phrase pairs occur once, and are never stored."""
    chains, boundaries = corpus.chains, corpus.vocabulary.boundaries
    hashes, times = [], []
    for done, ((original, spun, regions), count) in enumerate(chains.items()):
        for i, i2, j, j2 in _swaps(original, spun, regions, boundaries):
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
        self.arcs: list[tuple[int, int, int, int]] = []  # source, target, kind, times
        self.depths: list[int] = []

    def add(self, original: Ids, spun: Ids, regions: Sequence[Region], times: int) -> None:
        arcs: dict[tuple[int, int, int, int], int | None] = {}
        for i, i2, j, j2 in _swaps(original, spun, regions, self.boundaries):
            pair = (original[i:i2], spun[j:j2])
            if hash(pair) in self.recurring:
                arcs[i, j, i2, j2] = self.swaps.setdefault(pair, len(self.swaps))
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
                self.arcs.append((ends_[0], ends_[1], (1 << 40) + length if kind is None else kind, times))


def _problem(corpus: _Corpus, seen: int, progress: Progress) -> _Problem:
    builder = _Builder(_recurring(corpus, seen, progress), corpus.vocabulary.boundaries)
    for done, ((original, spun, regions), times) in enumerate(corpus.chains.items()):
        builder.add(original, spun, regions, times)
        progress("build", done + 1, len(corpus.chains))
    arcs = np.asarray(builder.arcs, dtype=np.int64)
    lattice = Lattice(arcs[:, 0], arcs[:, 1], np.asarray(builder.depths, dtype=np.int64))
    return _Problem(lattice, arcs[:, 2], arcs[:, 3], list(builder.swaps))


@dataclass(slots=True)
class _Rates:
    """The channel under estimation: P(spun | original) per swap, P(kept | word) per word."""

    head: Ints  # per swap, the number of its original phrase
    within: tuple[Ints, Ints]  # pairs (swap, shorter head that its original phrase covers)
    occurrences: Floats  # per head, how often it stands in the originals
    caution: Floats  # per swap, what is added to its denominator
    word_head: Ints  # per word, its number among the heads
    counts: Floats  # per swap, how often it is believed to have been made
    raw: Floats  # per swap, how often a region could be read as it

    def exposure(self) -> Floats:
        """Per head, how often it was there to be replaced: not inside a longer head that was."""
        swap, head = self.within
        covered = np.bincount(head, weights=self.counts[swap], minlength=len(self.occurrences))
        made = np.bincount(self.head, weights=self.counts, minlength=len(self.occurrences))
        return np.maximum(self.occurrences - covered, made)

    def weights(self, problem: _Problem) -> Floats:
        """Per arc of the problem, its log-weight under the present estimate."""
        exposure = self.exposure()
        discounted = np.maximum(self.counts - DISCOUNT, 1e-9)
        swap = np.log(discounted / (exposure[self.head] + self.caution))
        made = np.bincount(self.head, weights=self.counts, minlength=len(exposure))
        kept = np.clip(1.0 - made / np.maximum(exposure, 1e-9), 1e-3, 1.0)
        word = np.log(kept[self.word_head])
        kind = problem.kind
        is_swap = (kind >= 0) & (kind < len(swap))
        weights = np.where(kind < 0, word[np.where(kind < 0, ~kind, 0)], swap[np.where(is_swap, kind, 0)])
        return np.where(kind >= len(swap), UNEXPLAINED * (kind - (1 << 40)), weights)


def _rates(corpus: _Corpus, problem: _Problem) -> _Rates:
    heads: dict[Ids, int] = {(word,): word for word in range(len(corpus.vocabulary.words))}
    head = [heads.setdefault(original, len(heads)) for original, _ in problem.swaps]
    within = [
        (number, heads[part])
        for number, (original, _) in enumerate(problem.swaps)
        for part in _parts(original)
        if part in heads
    ]
    occurrences = np.zeros(len(heads))
    longest = max(map(len, heads))
    for line, copies in corpus.originals.items():
        for size in range(1, longest + 1):
            for i in range(len(line) - size + 1):
                if (number := heads.get(line[i : i + size])) is not None:
                    occurrences[number] += copies
    is_swap = (problem.kind >= 0) & (problem.kind < len(problem.swaps))
    counts = np.bincount(problem.kind[is_swap], weights=problem.times[is_swap], minlength=len(problem.swaps))
    caution = [1.0 + CAUTION * (len(o) + len(s) - 2) + EDGE * _shared(o, s) for o, s in problem.swaps]
    return _Rates(
        np.asarray(head, dtype=np.int64),
        (np.asarray([w[0] for w in within], dtype=np.int64), np.asarray([w[1] for w in within], dtype=np.int64)),
        occurrences,
        np.asarray(caution),
        np.arange(len(corpus.vocabulary.words)),
        counts.astype(np.float64),
        counts.astype(np.float64),
    )


def _shared(original: Ids, spun: Ids) -> int:
    """How many tokens at the edges a swap leaves as they are."""
    left = next((n for n, (o, s) in enumerate(zip(original, spun, strict=False)) if o != s), 0)
    right = next((n for n, (o, s) in enumerate(zip(original[::-1], spun[::-1], strict=False)) if o != s), 0)
    return left + right


def _compounds(problem: _Problem, rates: _Rates) -> Ints:
    """The swaps that shorter ones explain: seen no more often than those would make them by chance."""
    exposure = rates.exposure()
    made = np.bincount(rates.head, weights=rates.counts, minlength=len(exposure))
    kept = np.clip(1.0 - made / np.maximum(exposure, 1e-9), 0.0, 1.0)
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
    corpus = _read(pairs, progress)
    if not corpus.chains:
        return ()
    problem = _problem(corpus, seen, progress)
    rates = _rates(corpus, problem)
    is_swap = (problem.kind >= 0) & (problem.kind < len(problem.swaps))
    for step in range(iterations):
        posteriors = problem.lattice.posteriors(rates.weights(problem))
        expected = posteriors * problem.times
        rates.counts = np.bincount(
            problem.kind[is_swap], weights=expected[is_swap], minlength=len(problem.swaps)
        ).astype(np.float64)
        if step % PRUNE_EVERY == PRUNE_EVERY - 1 and step < iterations - 1:
            rates.counts[_compounds(problem, rates)] = 0.0
        progress("estimate", step + 1, iterations)
    return _entries(corpus, problem, rates, seen, source)


def _entries(corpus: _Corpus, problem: _Problem, rates: _Rates, seen: int, source: str) -> tuple[Entry, ...]:
    exposure = rates.exposure()
    rate = np.minimum(1.0, rates.counts / np.maximum(exposure[rates.head], 1e-9))
    highest = np.zeros(len(exposure))
    np.maximum.at(highest, rates.head, rate)
    is_true = (rates.counts >= seen - 0.5) & (rate >= LEAST_RATE) & (rate >= LEAST_SHARE * highest[rates.head])
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


def _usual(corpus: _Corpus, phrases: Set[Ids]) -> dict[Ids, str]:
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
