"""A text's regions: the stretches in which there is something to decide, laid out as words between sites.

In come the words of some sentences and the swaps that could be undone; out come *emissions*, the words that
stand on arcs between *sites*: each token of a region as it is, each swap's original beside the tokens that it would
replace, and two words before and behind as they are. Nothing is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspin.channel import Matches
from unspin.language import START
from unspin.lattice import Ints, ranges
from unspin.lexicon import Lexicon
from unspin.trie import UNKNOWN

LONGEST_REGION = 60  # tokens; longer runs of candidates are cut, so that time stays linear
NONE, END = -1, -2  # word numbers: nothing stands there, and no probability is asked
OPTION = -2  # in the place of the token that an emission keeps: it is part of an option
AROUND = 2  # words before a region, and behind it
_FINE = 8  # depth units between two tokens


class Words:
    """The tokens of some sentences as numbers: of `words`, all that stand there or could have, and of a lexicon's trie.

    `known` [tokens] are the trie's numbers, or UNKNOWN; `sentence` [tokens] says which each lies in, `stop` [tokens]
    where that ends; `starts` [sentences].
    """

    def __init__(self, sentences: Sequence[Sequence[str]], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        sizes = np.asarray([*map(len, sentences)], dtype=np.int64)
        self.starts: Ints = np.cumsum(sizes) - sizes
        self.sentence = np.repeat(np.arange(len(sizes)), sizes)
        self.stop = (self.starts + sizes)[self.sentence]
        numbers = {START: 0}
        self.number = np.asarray([numbers.setdefault(w, len(numbers)) for s in sentences for w in s], dtype=np.int64)
        self.words = list(numbers)
        names = lexicon.arrays.trie.numbers
        self._known = np.asarray([names.get(word, UNKNOWN) for word in self.words], dtype=np.int64)
        self.known: Ints = self._known[self.number]

    def __len__(self) -> int:
        return len(self.number)

    def originals(self, entries: Ints) -> tuple[Ints, Ints]:
        """The words of several entries' originals, one after another, and how many each has.

        `words` grows by those that do not stand in the text.
        """
        table = self._lexicon.arrays
        size = table.size[entries]
        begin = table.begin[entries]
        known = table.original[ranges(begin, begin + size)[1]]
        number = np.full(len(table.trie.words) + 1, UNKNOWN)  # a place more, for UNKNOWN itself
        number[self._known] = np.arange(len(self._known))
        new = np.unique(known[number[known] == UNKNOWN])
        number[new] = np.arange(len(self.words), len(self.words) + len(new))
        self.words += [table.trie.words[n] for n in new.tolist()]
        return number[known], size

    def padded(self) -> tuple[Ints, Ints]:
        """Word and token per place of a text in which AROUND places stand before and behind each sentence."""
        place = np.arange(len(self)) + self.shift(self.sentence)
        word = np.full(len(self) + 2 * AROUND * len(self.starts), END)
        token = np.full(len(word), NONE)
        begins = self.starts + self.shift(np.arange(len(self.starts)))
        word[begins - 2], word[begins - 1] = NONE, 0  # START
        word[place], token[place] = self.number, np.arange(len(self))
        return word, token

    def shift(self, sentence: Ints) -> Ints:
        """How far behind its number a token of a sentence lies in that text."""
        return AROUND + 2 * AROUND * sentence


@dataclass(frozen=True, slots=True)
class Emissions:
    """Words on arcs between sites, in columns: of one region after the other, what stands there before what may have.

    Per emission: `word`; the sites `start` and `end`; the `token` it keeps, OPTION, or NONE; the tokens
    `[begin, stop)` that it is the whole of, or a word of. `depth`: per site. `first`: per match its first emission.
    """

    word: Ints
    start: Ints
    end: Ints
    token: Ints
    begin: Ints
    stop: Ints
    depth: Ints
    first: Ints


def _begins(found: Matches, sentence: Ints) -> NDArray[np.bool_]:
    """Per match, whether it begins a region: AROUND unambiguous tokens stand before it, or one would be too long."""
    before = np.append(-AROUND, np.maximum.accumulate(found.end)[:-1])  # where what came before ends
    begins: NDArray[np.bool_] = (found.start - before >= AROUND) | (np.diff(sentence[found.start], prepend=-1) != 0)
    edges = np.append(np.flatnonzero(begins), len(found))
    long = np.flatnonzero(found.start[edges[1:] - 1] - found.start[edges[:-1]] > LONGEST_REGION)
    for first, last in zip(edges[long].tolist(), edges[long + 1].tolist(), strict=True):
        begin = found.start[first]
        for number in (first + np.flatnonzero(found.start[first:last] >= before[first:last])).tolist():
            if found.start[number] - begin > LONGEST_REGION:
                begins[number], begin = True, found.start[number]
    return begins


class _Plan:
    """Where the emissions and sites of each region come to lie: first those of its words as they stand.

    `head`: per region, its first match; `region`: per match. Per region `low`, its first token, and the numbers of its
    `plain` emissions, and where they begin (`emitted`), its sites (`placed`), and where the site before token 0 would
    be (`origin`). Per match the `size` of its original, its `first` emission, and the first site inside it (`inner`).
    """

    def __init__(self, words: Words, found: Matches) -> None:
        begins = _begins(found, words.sentence)
        self.head, self.region = np.flatnonzero(begins), np.cumsum(begins) - 1
        self.low = found.start[self.head]
        self.option, self.size = words.originals(found.entry)
        self.plain = np.maximum.reduceat(found.end, self.head) - self.low + 2 * AROUND
        sites = self.plain + 1
        options, within = np.cumsum(self.size) - self.size, np.cumsum(self.size - 1) - (self.size - 1)
        self.emitted = np.cumsum(self.plain) - self.plain + options[self.head]
        self.placed = np.cumsum(sites) - sites + within[self.head]
        self.origin = self.placed + AROUND - self.low
        self.first, self.inner = np.cumsum(self.plain)[self.region] + options, np.cumsum(sites)[self.region] + within
        self.emissions = int(self.plain.sum() + self.size.sum())
        self.sites = int(sites.sum() + (self.size - 1).sum())


def emissions(words: Words, found: Matches) -> Emissions:
    """All words that the readings of a text put anywhere. There must be a match."""
    plan = _Plan(words, found)
    table = np.empty((6, plan.emissions), dtype=np.int64)
    depth = np.empty(plan.sites, dtype=np.int64)
    _lay_plain(table, depth, plan, words)
    _lay_options(table, depth, plan, found)
    word, start, end, token, begin, stop = table
    return Emissions(word, start, end, token, begin, stop, depth, plan.first)


def _lay_plain(table: Ints, depth: Ints, plan: _Plan, words: Words) -> None:
    """The words of each region as they stand, from one site to the next."""
    row, step = _steps(plan.plain)
    word, token = words.padded()
    at = (plan.low + words.shift(words.sentence[plan.low]) - AROUND)[row] + step
    kept = np.where(step < AROUND, NONE, token[at])  # the words before a region are no part of it
    site = plan.placed[row] + step
    table[:, plan.emitted[row] + step] = word[at], site, site + 1, token[at], kept, kept + 1
    row, step = _steps(plan.plain + 1)
    depth[plan.placed[row] + step] = _FINE * step


def _lay_options(table: Ints, depth: Ints, plan: _Plan, found: Matches) -> None:
    """The words of each swap's original, from the site before what it would replace to that behind it."""
    row, step = _steps(plan.size)
    size, start, end = plan.size[row], found.start[row], found.end[row]
    before = plan.origin[plan.region[row]] + start
    source = np.where(step == 0, before, plan.inner[row] + step - 1)
    target = np.where(step == size - 1, before + end - start, plan.inner[row] + step)
    table[:, plan.first[row] + step] = plan.option, source, target, np.full(len(row), OPTION), start, end
    depth[target] = depth[before] + _FINE * (end - start) * (step + 1) // size  # behind the last word as it was


def _steps(many: Ints) -> tuple[Ints, Ints]:
    """All pairs (i, n) with 0 <= n < many[i]."""
    return ranges(np.zeros(len(many), dtype=np.int64), many)
