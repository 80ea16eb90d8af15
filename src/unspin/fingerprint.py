"""What a text is found again by, however its content words were swapped.

Texts come in; out goes a `Corpus`: their words as numbers, the swappable phrases among them read as one *symbol*
each (`Canon`), and per text the hashes of its *grams*: five symbols in a row of its skeleton, which keeps function
words, numbers and names and drops the content words that a spinner swaps, and pairs of rare symbols that stand side
by side. Hashes are xxh64 of normal forms, mixed: equal in every process and version, and fit to be stored. Nothing
is refused; a text without words has no grams. Time and memory grow in proportion to the texts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

from unspin.lexicon import Lexicon
from unspin.model import Progress
from unspin.text import is_negated
from unspin.words import NAMED, OPENS, Bytes, Flags, Hashes, Ints, Longs, Words, split

Phrase = tuple[str, ...]

GRAM = 5  # symbols of the skeleton
CLASS_SIZE = 40  # phrases that one symbol may stand for: more, and unlike texts look alike
BLOCK = 1 << 16  # symbols hashed at a time: so many fit the caches
# Marks of a symbol; `OPENS` is one, too.
FACT = 4  # a number or a name
NUMBER = 8
KEPT = 16  # it belongs to the skeleton

_FUNCTION = frozenset(
    "the a an of to in and for on at by with from as is was are were be been being that this these those it its 's he "
    "she they his her their our we you i who which what where when how not no or but if than then so such into about "
    "after before over under between during through against without within there here has have had do does did will "
    "would can could may might must shall should all any both each some more most other only also very just while "
    "because since until though although whether either neither nor up out off down again him them us me my your one "
    "ones upon among per via toward towards whom whose why s t".split()
)
_MAGNITUDES = frozenset("hundred thousand million billion trillion".split())
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MAY_DENY = re.compile(r"\b(?:n[eo]|cannot|with)|'t")  # of a single word


@dataclass(frozen=True, slots=True)
class Canon:
    """Phrases that a spinner swaps for one another, each with the name of its class; and how each leans.

    It leans 1 if it is only ever swapped, -1 if it only ever stands for another, and 0 if both. The classes that
    `deny` say "not" in most of their phrases, those that `count` hold numbers only ("200", "2 hundred"), and
    `function` are those that hold a function word.
    """

    classes: Mapping[Phrase, str] = field(default_factory=dict)
    leaning: Mapping[Phrase, int] = field(default_factory=dict)
    deny: frozenset[str] = frozenset()
    count: frozenset[str] = frozenset()
    function: frozenset[str] = frozenset()
    index: Mapping[str, Sequence[Phrase]] = field(default_factory=dict)  # the phrases by their longest words


@lru_cache(maxsize=4)
def canon(lexicon: Lexicon) -> Canon:
    """The classes of a lexicon: heads joined with their alternates, what was seen most often first.

    A class stops growing at `CLASS_SIZE` phrases, for a chain of swaps joins unlike words in the end. It is named
    after its commonest head.
    """
    entries = list(lexicon.active)
    alternates, heads = _phrases_of(entry.spun for entry in entries), _phrases_of(entry.original for entry in entries)
    ranks = ((-entry.seen, -entry.rate) for entry in entries)
    parent: dict[Phrase, Phrase] = {}
    size: dict[Phrase, int] = {}

    def root(phrase: Phrase) -> Phrase:
        parent.setdefault(phrase, phrase)
        while parent[phrase] != phrase:
            parent[phrase] = phrase = parent[parent[phrase]]
        return phrase

    for _, spun, original in sorted(zip(ranks, alternates, heads, strict=True)):
        if not spun or not original:
            continue
        a, b = root(original), root(spun)
        if a != b and size.get(a, 1) + size.get(b, 1) <= CLASS_SIZE:
            parent[b] = a
            size[a] = size.get(a, 1) + size.get(b, 1)
    swapped, written = set(heads), set(alternates)
    leaning = {phrase: (phrase in swapped) - (phrase in written) for phrase in swapped | written}
    classes = {phrase: " ".join(root(phrase)) for phrase in sorted(parent)}
    balance: Counter[str] = Counter()  # "regardless of", "without regard to": most of a class must deny
    for phrase, name in classes.items():
        balance[name] += 1 if is_negated(" ".join(phrase)) else -1
    deny = frozenset(name for name, count in balance.items() if count > 0)
    function = frozenset(name for phrase, name in classes.items() if len(phrase) == 1 and phrase[0] in _FUNCTION)
    index: dict[str, list[Phrase]] = {}
    for phrase in classes:
        index.setdefault(max(phrase, key=len), []).append(phrase)
    other = {name for phrase, name in classes.items() if not _is_count(phrase)}
    return Canon(classes, leaning, deny, frozenset(classes.values()) - other, function, index)


def _phrases_of(texts: Iterable[str]) -> list[Phrase]:
    words = split(texts)
    norms = list(words.norms)
    return [tuple(norms[n] for n in words.numbers[a:b].tolist()) for a, b in pairwise(words.bounds.tolist())]


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
    leaning: Ints


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
    classes: dict[str, int] = {}
    single = np.arange(len(known), dtype=np.int32)
    leaning = np.zeros(len(known), np.int8)
    by_length: defaultdict[int, dict[tuple[int, ...], tuple[int, int]]] = defaultdict(dict)
    # a short text has fewer words than the canon phrases
    for phrase in chain.from_iterable(canon.index.get(word, ()) for word in min(known, canon.index, key=len)):
        name = canon.classes[phrase]
        spelt = tuple(known.get(word, -1) for word in phrase)
        if -1 in spelt:
            continue
        symbol = len(known) + classes.setdefault(name, len(classes))
        if len(spelt) == 1:
            single[spelt], leaning[spelt] = symbol, canon.leaning[phrase]
        else:
            by_length[len(spelt)][spelt] = symbol, canon.leaning[phrase]
    first, second = np.zeros((2, len(known)), np.uint16)
    for length, phrases in by_length.items():
        for a, b, *_ in phrases:
            first[a] |= _bit(length)
            second[b] |= _bit(length)
    plain = np.zeros(len(known) + len(classes), np.uint8)
    # "1" stands in classes ("part 1", "part one") that say no number
    numbers = [number for word, number in known.items() if _is_number(word)]
    numbers += [len(known) + number for name, number in classes.items() if name in canon.count]
    plain[numbers] = NUMBER | FACT | KEPT
    function = [number for word, number in known.items() if word in _FUNCTION]
    function += [len(known) + number for name, number in classes.items() if name in canon.function]
    plain[function] |= KEPT
    named = plain.copy()
    named[: len(known)] |= FACT | KEPT  # what the spinner swaps may be missing in a copy, so that it tells nothing
    named[function] = plain[function]
    denying = [number for word, number in known.items() if _MAY_DENY.search(word) and is_negated(word)]
    denying += [len(known) + number for name, number in classes.items() if name in canon.deny]
    negated = np.zeros(len(plain), np.bool_)
    negated[denying] = True
    names = chain(known, ("\0" + name for name in classes))
    hashes = np.fromiter(map(xxhash.xxh64_intdigest, map(str.encode, names)), np.uint64, len(plain))
    found = [_phrases(length, by_length[length]) for length in sorted(by_length, reverse=True)]
    return _Table(single, leaning, first, second, found, plain, named, negated, hashes)


def _phrases(length: int, phrases: Mapping[tuple[int, ...], tuple[int, int]]) -> _Phrases:
    hashes = _row_hashes(np.asarray(list(phrases), np.int32))
    order = np.argsort(hashes)
    beginnings = np.zeros(1 << 16, np.bool_)
    beginnings[hashes >> np.uint64(48)] = True
    symbols, leaning = np.asarray(list(phrases.values()), np.int32)[order].T
    return _Phrases(length, hashes[order], beginnings, symbols, leaning)


def _bit(length: int) -> int:
    return 1 << min(length, 15)


def _is_count(phrase: Phrase) -> bool:
    """Is it a number, or several ("20 first")?"""
    return any(map(_is_number, phrase)) and all(_is_number(word) or word in ("first", "second") for word in phrase)


def _is_number(word: str) -> bool:
    return word in _MAGNITUDES or (not word.isalpha() and any(map(str.isdigit, word)))


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


def _found(numbers: Ints, bounds: Longs, table: _Table) -> Iterator[tuple[Longs, int, Ints, Ints]]:
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
