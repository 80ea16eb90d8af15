"""What a text is found again by, however its content words were swapped.

Texts come in; out goes a `Corpus`: their words as numbers, the swappable phrases among them read as one *symbol*
each (`Canon`), and per text the hashes of its *grams*: five symbols in a row of its skeleton, which keeps function
words, numbers and names and drops the content words that a spinner swaps, and pairs of rare symbols that stand side
by side. Hashes are xxh64 of normal forms, mixed: equal in every process and version, and fit to be stored. Nothing
is refused; a text without words has no grams. Time and memory grow in proportion to the texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspin.canon import FUNCTION_WORDS, Canon, hashed, is_number
from unspin.model import Progress
from unspin.text import is_negated
from unspin.words import NAMED, OPENS, Bytes, Flags, Hashes, Ints, Longs, Words, split

GRAM = 5  # symbols of the skeleton
BLOCK = 1 << 16  # symbols hashed at a time: so many fit the caches
# Marks of a symbol; `OPENS` is one, too.
FACT = 4  # a number or a name
NUMBER = 8
KEPT = 16  # it belongs to the skeleton

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_DENYING = ("ne", "no", "cannot", "with")
_MAY_DENY = re.compile(r"\b(?:n[eo]|cannot|with)|'t")  # of a single word


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts as symbols. `bounds[i]:bounds[i + 1]` are the places of text i in the arrays that have one per symbol.

    `symbols` are numbers below `len(hashes)`; `negated` says which hold a negation. `marks` say what stands at each
    place: a `FACT` (a number or a name), a `NUMBER`, what is `KEPT` in the skeleton, what `OPENS` a sentence. `words`
    are the normal forms before phrases were joined, by number; text i has those between `word_bounds[i]` and the next.

    `originality` is, per text, how much it reads as an original rather than as its spun copy, in [-1, 1]: the share of
    words in phrases that a spinner would have swapped, less that of words in phrases that it writes; phrases of both
    kinds are neither. This takes no language model, and compares copies of one text only.
    """

    symbols: Ints
    marks: Bytes
    bounds: Longs
    words: Ints
    word_bounds: Longs
    originality: NDArray[np.float32]
    hashes: Hashes
    negated: Flags

    def __len__(self) -> int:
        return len(self.bounds) - 1


@dataclass(frozen=True, slots=True)
class _Phrases:
    """Phrases of one length, in the order of their hashes."""

    length: int
    hashes: Hashes
    beginnings: Flags  # of 16 bits, those with which a hash begins: that spares most of the search
    symbols: Ints
    leaning: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class _Table:
    """Symbols: the normal forms of the texts, then the classes; a phrase is looked up by its words' numbers."""

    single: Ints  # per normal form
    leaning: NDArray[np.int8]  # per normal form
    first: NDArray[np.uint16]  # per normal form: a bit for each length of phrases that begin with it,
    second: NDArray[np.uint16]  # and of those in which it stands second
    phrases: list[_Phrases]  # the longest first
    plain: Bytes  # marks of each symbol,
    named: Bytes  # and where it is written like a name
    is_negated: Flags
    hashes: Hashes


def _table(known: Mapping[str, int], canon: Canon) -> _Table:
    spelling = canon.spelling
    number_of = np.full(len(spelling.words), -1, np.int32)
    for word in known.keys() & spelling.words.keys():
        number_of[spelling.words[word]] = known[word]
    spelt = [(number_of[phrases.words], phrases) for phrases in spelling.phrases]
    are_known = [(numbers >= 0).all(axis=1) for numbers, _ in spelt]
    is_used = np.zeros(len(spelling.hashes), np.bool_)
    for (_, phrases), here in zip(spelt, are_known, strict=True):
        is_used[phrases.classes[here]] = True
    symbol_of = (np.cumsum(is_used, dtype=np.int32) + (len(known) - 1)).astype(np.int32)
    single, leaning = np.arange(len(known), dtype=np.int32), np.zeros(len(known), np.int8)
    first, second = np.zeros((2, len(known)), np.uint16)
    found = []
    for (numbers, phrases), here in zip(spelt, are_known, strict=True):
        numbers, symbols, leans = numbers[here], symbol_of[phrases.classes[here]], phrases.leaning[here]
        if numbers.shape[1] == 1:
            single[numbers[:, 0]], leaning[numbers[:, 0]] = symbols, leans
        elif len(numbers):
            first[numbers[:, 0]] |= _bit(numbers.shape[1])
            second[numbers[:, 1]] |= _bit(numbers.shape[1])
            found.append(_phrases(numbers, symbols, leans))
    plain, named, negated = _marked(known)
    marks = np.where(spelling.count, NUMBER | FACT | KEPT, 0) | np.where(spelling.function, KEPT, 0)
    return _Table(
        single,
        leaning,
        first,
        second,
        found,
        np.append(plain, marks[is_used]).astype(np.uint8),
        np.append(named, marks[is_used]).astype(np.uint8),
        np.append(negated, spelling.deny[is_used]),
        np.append(hashed(known), spelling.hashes[is_used]),
    )


def _marked(known: Mapping[str, int]) -> tuple[Bytes, Bytes, Flags]:
    """The marks of words, those that they have where they are written like names, and which are negations."""
    plain, negated = np.zeros(len(known), np.uint8), np.zeros(len(known), np.bool_)
    # "1" stands in classes ("part 1", "part one") that say no number
    plain[[number for word, number in known.items() if is_number(word)]] = NUMBER | FACT | KEPT
    function = [known[word] for word in FUNCTION_WORDS & known.keys()]
    plain[function] |= KEPT
    named = plain | np.uint8(FACT | KEPT)  # what the spinner swaps may be missing in a copy, so that it tells nothing
    named[function] = plain[function]
    may_deny = (word for word in known if word.startswith(_DENYING) or "'" in word)
    negated[[known[word] for word in may_deny if _MAY_DENY.search(word) and is_negated(word)]] = True
    return plain, named, negated


def _phrases(numbers: Ints, symbols: Ints, leaning: NDArray[np.int8]) -> _Phrases:
    hashes = _row_hashes(numbers)
    order = np.argsort(hashes)
    beginnings = np.zeros(1 << 16, np.bool_)
    beginnings[hashes >> np.uint64(48)] = True
    return _Phrases(numbers.shape[1], hashes[order], beginnings, symbols[order], leaning[order])


def _bit(length: int) -> int:
    return 1 << min(length, 15)


def read(texts: Sequence[str], canon: Canon, *, progress: Progress | None = None) -> Corpus:
    """The texts as symbols."""
    return joined(split(texts, count=len(texts), progress=progress), canon)


def joined(words: Words, canon: Canon) -> Corpus:
    """Words as symbols: the phrases of the canon become one each."""
    table = _table(words.norms, canon)
    symbols, marks = np.empty(len(words.numbers), np.int32), np.empty(len(words.numbers), np.uint8)
    bounds, originality = np.zeros(len(words) + 1, np.int64), np.zeros(len(words), np.float32)
    size = first = 0
    while first < len(words):
        last = int(np.searchsorted(words.bounds, words.bounds[first] + BLOCK, side="right")) - 1
        last = max(first + 1, last)
        part = _joined(words, first, last, table)
        new = size + len(part.symbols)
        symbols[size:new], marks[size:new] = part.symbols, part.marks
        bounds[first : last + 1] = part.bounds + size
        originality[first:last] = part.originality
        size, first = new, last
    return Corpus(
        symbols[:size], marks[:size], bounds, words.numbers, words.bounds, originality, table.hashes, table.is_negated
    )


class _Part(NamedTuple):
    symbols: Ints
    marks: Bytes
    bounds: Longs
    originality: NDArray[np.float32]


def _joined(words: Words, first: int, last: int, table: _Table) -> _Part:
    """Some of the texts."""
    start, end = words.bounds[first], words.bounds[last]
    numbers, marks, bounds = words.numbers[start:end], words.marks[start:end], words.bounds[first : last + 1] - start
    symbols, leaning = table.single[numbers], table.leaning[numbers]
    stays = np.ones(len(symbols), np.bool_)
    for places, length, found, leans in _found(numbers, bounds, table):
        symbols[places] = found
        for offset in range(length):
            stays[places + offset] &= offset == 0
            leaning[places + offset] = leans
    sums = np.zeros(len(leaning) + 1, np.int32)
    np.cumsum(leaning, out=sums[1:])
    originality = np.diff(sums[bounds]) / np.maximum(1, np.diff(bounds))
    symbols, marks = symbols[stays], marks[stays]
    marks = np.where(marks & NAMED, table.named[symbols], table.plain[symbols]) | (marks & OPENS)
    bounds = bounds - np.searchsorted(np.flatnonzero(~stays), bounds)
    return _Part(symbols, marks, bounds, originality.astype(np.float32))


def _found(numbers: Ints, bounds: Longs, table: _Table) -> Iterator[tuple[Longs, int, Ints, NDArray[np.int8]]]:
    """Where phrases stand, by length, the longest first; their symbols, and how they lean. None overlap.

    Of phrases of one length that overlap, one that follows closely on another gives way.
    """
    can = table.first[numbers[:-1]] & table.second[numbers[1:]]
    starts = np.flatnonzero(can)
    can = can[starts]
    free = np.ones(len(numbers), np.bool_)
    for phrases in table.phrases:
        length = phrases.length
        places = starts[(can & _bit(length)) != 0]
        places = places[places + length <= len(numbers)]
        for offset in range(length):
            places = places[free[places + offset]]
        here = _row_hashes(numbers[places[:, None] + np.arange(length)])
        likely = phrases.beginnings[here >> np.uint64(48)]
        places, here = places[likely], here[likely]
        at = np.minimum(np.searchsorted(phrases.hashes, here), len(phrases.hashes) - 1)
        inside = bounds[np.searchsorted(bounds, places, side="right")] >= places + length
        hits = (phrases.hashes[at] == here) & inside
        places, at = places[hits], at[hits]
        apart = np.diff(places, prepend=-length) >= length
        places, at = places[apart], at[apart]
        for offset in range(length):
            free[places + offset] = False
        yield places, length, phrases.symbols[at], phrases.leaning[at]


def _row_hashes(rows: Ints | Hashes) -> Hashes:
    """A hash of each row, its order included."""
    total = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        total = _mixed(total * _FACTOR + column.astype(np.uint64))
    return total


def _mixed(values: Hashes) -> Hashes:
    """The finaliser of splitmix64 (Steele et al. 2014): every bit of a sum bears on every bit of its hash."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class Grams:
    """Per gram its hash, and the number of the text that it stands in; texts in rising order."""

    hashes: Hashes
    texts: Ints


def grams(corpus: Corpus) -> Grams:
    """Five symbols in a row of each text's skeleton."""
    return _whole(gram_blocks(corpus))


def pairs(corpus: Corpus) -> Grams:
    """Two symbols in a row."""
    return _whole(pair_blocks(corpus))


def gram_blocks(corpus: Corpus) -> Iterator[Grams]:
    """The `grams`, some at a time, as many do not fit in memory."""
    return _runs(corpus, KEPT, GRAM)


def pair_blocks(corpus: Corpus) -> Iterator[Grams]:
    """The `pairs`, some at a time."""
    return _runs(corpus, 0, 2)


def _whole(blocks: Iterable[Grams]) -> Grams:
    found = [Grams(np.empty(0, np.uint64), np.empty(0, np.int32)), *blocks]
    return Grams(np.concatenate([part.hashes for part in found]), np.concatenate([part.texts for part in found]))


def _runs(corpus: Corpus, mark: int, length: int) -> Iterator[Grams]:
    """Runs of `length` symbols of those that have a mark, if it is not 0; runs of different lengths differ."""
    first = _mixed(np.array([length], np.uint64) * _FACTOR + corpus.hashes)
    before = np.empty(0, np.int64)  # symbols with which runs may begin that end in the next block
    for start in range(0, len(corpus.symbols), BLOCK):
        here = slice(start, start + BLOCK)
        new = np.flatnonzero((corpus.marks[here] & mark) == mark) + start
        places = np.concatenate((before, new))
        before = places[max(0, len(places) - length + 1) :]
        text_of = _text_of(corpus, places)
        count = max(0, len(places) - length + 1)
        inside = np.flatnonzero(text_of[:count] == text_of[len(places) - count :])
        symbols = corpus.symbols[places]
        total = first[symbols[inside]]
        for offset in range(1, length):
            total = _mixed(total * _FACTOR + corpus.hashes[symbols[inside + offset]])
        yield Grams(total, text_of[inside])


def _text_of(corpus: Corpus, places: Longs) -> Ints:
    """The text that each of some rising places stands in."""
    if not len(places):
        return np.empty(0, np.int32)
    low, high = np.searchsorted(corpus.bounds, places[[0, -1]], side="right")
    edges = np.searchsorted(places, corpus.bounds[low:high])
    return np.repeat(np.arange(low - 1, high, dtype=np.int32), np.diff(edges, prepend=0, append=len(places)))
