"""What a text is found again by, however its content words were swapped.

Texts come in; out goes a `Corpus`: their words as numbers, the swappable phrases among them read as one *symbol*
each (`Canon`), and per text the hashes of its *grams*: five symbols in a row of its skeleton, which keeps function
words, numbers and names and drops the content words that a spinner swaps, and pairs of rare symbols that stand side
by side. Hashes are xxh64 of normal forms, mixed: equal in every process and version, and fit to be stored. Nothing
is refused; a text without words has no grams. Time and memory grow in proportion to the texts.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import xxhash
from numpy.typing import NDArray

from unspin.lexicon import Lexicon
from unspin.model import Progress
from unspin.text import is_negated, normalise

Phrase = tuple[str, ...]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Flags = NDArray[np.bool_]

GRAM = 5  # symbols of the skeleton
CLASS_SIZE = 40  # phrases that one symbol may stand for: more, and unlike texts look alike
BLOCK = 1 << 20  # symbols hashed at a time, to bound memory
REPORT_EVERY = 4096  # texts

# A clitic "'s" is a word of its own; a run of stops says where a sentence ends.
_WORD = re.compile(r"[^\W_]+(?:['’](?!s\b)[^\W_]+)*+|['’]s\b|[.!?…\n:;\"“(—–]")
_FIRST_PERSON = re.compile(r"I\b")
_FUNCTION = frozenset(
    "the a an of to in and for on at by with from as is was are were be been being that this these those it its 's he "
    "she they his her their our we you i who which what where when how not no or but if than then so such into about "
    "after before over under between during through against without within there here has have had do does did will "
    "would can could may might must shall should all any both each some more most other only also very just while "
    "because since until though although whether either neither nor up out off down again him them us me my your one "
    "ones upon among per via toward towards whom whose why s t".split()
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_COUNTED = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen".split()
)
_ORDERED = (
    "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth".split()
)
_AS_DIGITS = {
    **{word: str(n) for n, word in enumerate(_COUNTED, 2)},
    **{word: f"{10 * n}" for n, word in enumerate(_TENS, 2)},
    **{word: f"{n}{'rd' if n == 3 else 'th'}" for n, word in enumerate(_ORDERED, 3)},
    **{word[:-1] + "ieth": f"{10 * n}th" for n, word in enumerate(_TENS, 2)},
}  # neither "one" nor "second": they are no numbers more often
_MAGNITUDES = frozenset("hundred thousand million billion trillion".split())
STOPS = '.!?…\n:;"“(—–'  # a word after one opens a sentence, where a capital need not mean a name
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def _norm(word: str) -> str:
    """The normal form, with numbers in digits: a spinner writes "3" for "three", and 3 for 4 is another fact."""
    norm = normalise(word)
    return _AS_DIGITS.get(norm, norm)


def _phrase(text: str) -> Phrase:
    return tuple(_norm(word) for word in _WORD.findall(text) if word not in STOPS)


class _Numbers(dict[str, int]):
    """Numbers words as they come."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


@dataclass(frozen=True, slots=True)
class Canon:
    """Phrases that a spinner swaps for one another, each with the name of its class; and how each leans.

    It leans 1 if it is only ever swapped, -1 if it only ever stands for another, and 0 if both.
    """

    classes: Mapping[Phrase, str] = field(default_factory=dict)
    leaning: Mapping[Phrase, int] = field(default_factory=dict)


@lru_cache(maxsize=4)
def canon(lexicon: Lexicon) -> Canon:
    """The classes of a lexicon: heads joined with their alternates, what was seen most often first.

    A class stops growing at `CLASS_SIZE` phrases, for a chain of swaps joins unlike words in the end. It is named
    after its commonest head.
    """
    edges = sorted(
        ((-entry.seen, -entry.rate, _phrase(entry.spun), _phrase(entry.original)) for entry in lexicon.active),
    )
    parent: dict[Phrase, Phrase] = {}
    size: dict[Phrase, int] = {}

    def root(phrase: Phrase) -> Phrase:
        parent.setdefault(phrase, phrase)
        while parent[phrase] != phrase:
            parent[phrase] = phrase = parent[parent[phrase]]
        return phrase

    for _, _, spun, original in edges:
        if not spun or not original:
            continue
        a, b = root(original), root(spun)
        if a != b and size.get(a, 1) + size.get(b, 1) <= CLASS_SIZE:
            parent[b] = a
            size[a] = size.get(a, 1) + size.get(b, 1)
    alternates = {_phrase(entry.spun) for entry in lexicon.active}
    heads = {_phrase(entry.original) for entry in lexicon.active}
    leaning = {phrase: (phrase in heads) - (phrase in alternates) for phrase in heads | alternates}
    return Canon({phrase: " ".join(root(phrase)) for phrase in sorted(parent)}, leaning)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts as symbols. `bounds[i]:bounds[i + 1]` are the places of text i in the arrays that have one per symbol.

    `symbols` are numbers below `len(hashes)`; `negated` says which hold a negation. `facts` says where a number or a
    name stands, `numbers` where a number, `kept` what belongs to the skeleton, `opens` what follows a stop. `words` are
    the normal forms before phrases were joined, by number; text i has those between `word_bounds[i]` and the next.

    `originality` is, per text, how much it reads as an original rather than as its spun copy, in [-1, 1]: the share of
    words in phrases that a spinner would have swapped, less that of words in phrases that it writes; phrases of both
    kinds are neither. This takes no language model, and compares copies of one text only.
    """

    symbols: Ints
    bounds: Longs
    facts: Flags
    numbers: Flags
    kept: Flags
    opens: Flags
    words: Ints
    word_bounds: Longs
    originality: NDArray[np.float32]
    hashes: Hashes
    negated: Flags

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def taken(self, chosen: Sequence[int]) -> Corpus:
        """The corpus of some of its texts, in their order."""
        stays = np.zeros(len(self), np.bool_)
        stays[np.asarray(chosen, np.int64)] = True
        symbols, words = np.repeat(stays, np.diff(self.bounds)), np.repeat(stays, np.diff(self.word_bounds))
        return Corpus(
            symbols=self.symbols[symbols],
            bounds=np.append(0, np.cumsum(np.diff(self.bounds)[stays])),
            facts=self.facts[symbols],
            numbers=self.numbers[symbols],
            kept=self.kept[symbols],
            opens=self.opens[symbols],
            words=self.words[words],
            word_bounds=np.append(0, np.cumsum(np.diff(self.word_bounds)[stays])),
            originality=self.originality[stays],
            hashes=self.hashes,
            negated=self.negated,
        )


@dataclass(frozen=True, slots=True)
class _Table:
    """Symbols: the normal forms of the texts, then the classes; a phrase is looked up by its words' numbers."""

    classes: int  # the number of the first class
    single: Ints  # per normal form
    leaning: NDArray[np.int8]  # per normal form
    phrases: dict[tuple[int, ...], tuple[int, int]]  # symbol, leaning
    is_number: Flags
    is_function: Flags
    is_negated: Flags
    hashes: Hashes


def _table(norms: Sequence[str], canon: Canon) -> _Table:
    known = {word: number for number, word in enumerate(norms)}
    classes: dict[str, int] = {}
    single = np.arange(len(norms), dtype=np.int32)
    leaning = np.zeros(len(norms), np.int8)
    phrases: dict[tuple[int, ...], tuple[int, int]] = {}
    functional: set[int] = set()
    denying: Counter[str] = Counter()  # "regardless of", "without regard to": most of a class must deny
    for phrase, name in canon.classes.items():
        if all(word in known for word in phrase):
            symbol = len(norms) + classes.setdefault(name, len(classes))
            if len(phrase) == 1:
                single[known[phrase[0]]] = symbol
                leaning[known[phrase[0]]] = canon.leaning[phrase]
            else:
                phrases[tuple(known[word] for word in phrase)] = symbol, canon.leaning[phrase]
    for phrase, name in canon.classes.items():  # also by members that stand in no text: one class, one nature
        if name in classes:
            denying[name] += 1 if is_negated(" ".join(phrase)) else -1
            if len(phrase) == 1 and phrase[0] in _FUNCTION:
                functional.add(len(norms) + classes[name])
    names = [*norms, *("\0" + name for name in classes)]
    size = len(names)
    return _Table(
        classes=len(norms),
        single=single,
        leaning=leaning,
        phrases=phrases,
        # "1" stands in classes ("part 1", "part one") that say no number
        is_number=np.fromiter((n < len(norms) and _is_number(word) for n, word in enumerate(names)), np.bool_, size),
        is_function=np.fromiter((n in functional or word in _FUNCTION for n, word in enumerate(names)), np.bool_, size),
        is_negated=np.fromiter((*map(is_negated, norms), *(denying[name] > 0 for name in classes)), np.bool_, size),
        hashes=np.fromiter(map(_hash, names), np.uint64, size),
    )


def _hash(name: str) -> int:
    return xxhash.xxh64_intdigest(name.encode("utf-8", "surrogatepass"))


def _is_number(word: str) -> bool:
    return word in _MAGNITUDES or any(map(str.isdigit, word))


def read(texts: Sequence[str], canon: Canon, *, progress: Progress | None = None) -> Corpus:
    """The texts as symbols."""
    surfaces, norms = _Numbers(), _Numbers()
    stream = array("i")
    lengths = np.empty(len(texts), np.int64)
    for number, text in enumerate(texts):
        if progress and number % REPORT_EVERY == 0:
            progress("reading", number, len(texts))
        before = len(stream)
        stream.extend(map(surfaces.__getitem__, _WORD.findall(text)))
        lengths[number] = len(stream) - before
    size = len(surfaces)
    norm_of = np.fromiter((norms[_norm(word)] for word in surfaces), np.int32, size)
    is_capital = np.fromiter((word[0].isupper() and not _FIRST_PERSON.match(word) for word in surfaces), np.bool_, size)
    is_stop = np.fromiter((word in STOPS for word in surfaces), np.bool_, size)
    surface = np.frombuffer(stream, np.int32) if stream else np.empty(0, np.int32)
    text_of = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    stays = ~is_stop[surface]
    opens = np.ones(len(surface), np.bool_)
    opens[1:] = ~stays[:-1] | (text_of[1:] != text_of[:-1])
    surface, opens = surface[stays], opens[stays]
    capital = is_capital[surface] & ~opens
    return _joined(norm_of[surface], text_of[stays], capital, opens, len(texts), _table(list(norms), canon))


def _joined(words: Ints, text_of: Ints, capital: Flags, opens: Flags, count: int, table: _Table) -> Corpus:
    """The phrases of the canon become one symbol each."""
    symbols, leaning = table.single[words], table.leaning[words]
    stays = np.ones(len(words), np.bool_)
    for places, length, found, leans in _phrases(words, text_of, table):
        symbols[places] = found
        for offset in range(length):
            stays[places + offset] &= offset == 0
            leaning[places + offset] = leans
    word_bounds = np.searchsorted(text_of, np.arange(count + 1)).astype(np.int64)
    sums = np.append(0, np.cumsum(leaning, dtype=np.int64))[word_bounds]
    originality = (np.diff(sums) / np.maximum(1, np.diff(word_bounds))).astype(np.float32)
    symbols, text_of, capital = symbols[stays], text_of[stays], capital[stays]
    numbers, function = table.is_number[symbols], table.is_function[symbols]
    # what the spinner swaps may be missing in a copy, so that it tells nothing
    facts = numbers | (capital & ~function & (symbols < table.classes))
    return Corpus(
        symbols=symbols,
        bounds=np.searchsorted(text_of, np.arange(count + 1)).astype(np.int64),
        facts=facts,
        numbers=numbers,
        kept=facts | function,
        opens=opens[stays],
        words=words,
        word_bounds=word_bounds,
        originality=originality,
        hashes=table.hashes,
        negated=table.is_negated,
    )


def _phrases(words: Ints, text_of: Ints, table: _Table) -> Iterator[tuple[Longs, int, Ints, Ints]]:
    """Where phrases stand, by length, the longest first; their symbols, and how they lean. None overlap.

    Of phrases of one length that overlap, one that follows closely on another gives way.
    """
    free = np.ones(len(words), np.bool_)
    by_length: dict[int, dict[tuple[int, ...], tuple[int, int]]] = {}
    for phrase, symbol in table.phrases.items():
        by_length.setdefault(len(phrase), {})[phrase] = symbol
    for length in sorted(by_length, reverse=True):
        keys = np.asarray(list(by_length[length]), np.int32)
        symbols, leaning = np.asarray(list(by_length[length].values()), np.int32).T
        places = np.arange(len(words) - length + 1)
        for offset in range(length):  # most places fall away at the first or second word
            can = np.zeros(len(table.single), np.bool_)
            can[keys[:, offset]] = True
            places = places[can[words[places + offset]] & free[places + offset]]
        places = places[text_of[places] == text_of[places + length - 1]]
        order = np.argsort(_row_hashes(keys))
        known = _row_hashes(keys)[order]
        here = _row_hashes(words[places[:, None] + np.arange(length)])
        at = np.minimum(np.searchsorted(known, here), len(known) - 1)
        hits = known[at] == here
        places, found = places[hits], order[at[hits]]
        apart = np.diff(places, prepend=-length) >= length
        places, found = places[apart], found[apart]
        for offset in range(length):
            free[places + offset] = False
        yield places, length, symbols[found], leaning[found]


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
    return _runs(corpus, np.flatnonzero(corpus.kept), GRAM)


def pairs(corpus: Corpus) -> Grams:
    """Two symbols in a row."""
    return _runs(corpus, np.arange(len(corpus.symbols)), 2)


def _runs(corpus: Corpus, places: Longs, length: int) -> Grams:
    hashes, texts = [np.empty(0, np.uint64)], [np.empty(0, np.int32)]
    for start in range(0, len(places), BLOCK):
        block = places[start : start + BLOCK + length - 1]
        text_of = (np.searchsorted(corpus.bounds, block, side="right") - 1).astype(np.int32)
        count = max(0, len(block) - length + 1)
        inside = np.flatnonzero(text_of[:count] == text_of[len(block) - count :])
        symbols = corpus.hashes[corpus.symbols[block]]
        total = np.full(len(inside), length, np.uint64)  # so that runs of different lengths differ
        for offset in range(length):
            total = _mixed(total * _FACTOR + symbols[inside + offset])
        hashes.append(total)
        texts.append(text_of[inside])
    return Grams(np.concatenate(hashes), np.concatenate(texts))
