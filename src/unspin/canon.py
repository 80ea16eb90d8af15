"""Which phrases a spinner swaps for one another: the classes that a lexicon makes.

A `Lexicon` comes in, out goes a `Canon`: its phrases, each with the class that it is of and how it leans, and the same
as numbers. Nothing is refused; a lexicon without entries has no classes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np
import xxhash
from numpy.typing import NDArray

from unspin.lexicon import Lexicon
from unspin.text import is_negated
from unspin.words import Flags, Hashes, Ints, split

Phrase = tuple[str, ...]

CLASS_SIZE = 40  # phrases that one symbol may stand for: more, and unlike texts look alike

FUNCTION_WORDS = frozenset(
    "the a an of to in and for on at by with from as is was are were be been being that this these those it its 's he "
    "she they his her their our we you i who which what where when how not no or but if than then so such into about "
    "after before over under between during through against without within there here has have had do does did will "
    "would can could may might must shall should all any both each some more most other only also very just while "
    "because since until though although whether either neither nor up out off down again him them us me my your one "
    "ones upon among per via toward towards whom whose why s t".split()
)
_MAGNITUDES = frozenset("hundred thousand million billion trillion".split())


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases of one length, a row each."""

    words: Ints
    classes: Ints
    leaning: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Spelling:
    """A canon's phrases as numbers: those of their words, and of their classes."""

    words: Mapping[str, int] = field(default_factory=dict)
    phrases: Sequence[Phrases] = ()  # the longest first
    hashes: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))  # of the classes;
    deny: Flags = field(default_factory=lambda: np.empty(0, np.bool_))  # those that say "not" in most of their phrases,
    count: Flags = field(default_factory=lambda: np.empty(0, np.bool_))  # that hold numbers only ("200", "2 hundred"),
    function: Flags = field(default_factory=lambda: np.empty(0, np.bool_))  # and that hold a function word


@dataclass(frozen=True, slots=True)
class Canon:
    """Phrases that a spinner swaps for one another, each with the name of its class; and how each leans.

    It leans 1 if it is only ever swapped, -1 if it only ever stands for another, and 0 if both.
    """

    classes: Mapping[Phrase, str] = field(default_factory=dict)
    leaning: Mapping[Phrase, int] = field(default_factory=dict)
    spelling: Spelling = field(default_factory=Spelling, repr=False, compare=False)  # the same as numbers


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
    return Canon(classes, leaning, _spelling(classes, leaning))


def _spelling(classes: Mapping[Phrase, str], leaning: Mapping[Phrase, int]) -> Spelling:
    names = list(dict.fromkeys(classes.values()))
    number_of = {name: number for number, name in enumerate(names)}
    deny, count, function = (np.zeros(len(names), np.bool_) for _ in range(3))
    balance: Counter[str] = Counter()  # "regardless of", "without regard to": most of a class must deny
    words: dict[str, int] = {}
    by_length: defaultdict[int, list[Phrase]] = defaultdict(list)
    for phrase, name in classes.items():
        balance[name] += 1 if is_negated(" ".join(phrase)) else -1
        by_length[len(phrase)].append(phrase)
    deny[[number_of[name] for name, surplus in balance.items() if surplus > 0]] = True
    count[:] = True
    count[[number_of[name] for phrase, name in classes.items() if not _is_count(phrase)]] = False
    heads = ((phrase[0], name) for phrase, name in classes.items() if len(phrase) == 1)
    function[[number_of[name] for word, name in heads if word in FUNCTION_WORDS]] = True
    phrases = [
        Phrases(
            np.array([[words.setdefault(word, len(words)) for word in phrase] for phrase in found], np.int32),
            np.array([number_of[classes[phrase]] for phrase in found], np.int32),
            np.array([leaning[phrase] for phrase in found], np.int8),
        )
        for _, found in sorted(by_length.items(), reverse=True)
    ]
    return Spelling(words, phrases, hashed("\0" + name for name in names), deny, count, function)


def hashed(names: Iterable[str]) -> Hashes:
    """What words and classes are known by, in every process and version."""
    return np.fromiter(map(xxhash.xxh64_intdigest, map(str.encode, names)), np.uint64)


def _phrases_of(texts: Iterable[str]) -> list[Phrase]:
    words = split(texts)
    norms = list(words.norms)
    return [tuple(norms[n] for n in words.numbers[a:b].tolist()) for a, b in pairwise(words.bounds.tolist())]


def _is_count(phrase: Phrase) -> bool:
    """Is it a number, or several ("20 first")?"""
    return any(map(is_number, phrase)) and all(is_number(word) or word in ("first", "second") for word in phrase)


def is_number(word: str) -> bool:
    return word in _MAGNITUDES if word.isalpha() else any(map(str.isdigit, word))
