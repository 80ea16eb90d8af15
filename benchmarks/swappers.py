"""Spinners whose thesaurus unspin's lexicon does not know, for benchmarks: a text in, out the text with words swapped.

`Synonyms` swaps words as spinners do that use WordNet; `Strangers` swaps them for any word about as frequent, which
no spinner does and which is harder to see through. Both leave alone what is short, a function word, a number, a
negation or capitalised. Refused, by OSError: a folder without WordNet's files.
"""

from __future__ import annotations

import random
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

WORDNET = Path("/usr/share/wordnet")  # where Debian puts it
SEED = 5
FREQUENT = 100  # words that are no content words
PARTS = {"noun": "NOUN", "verb": "VERB", "adj": "ADJ", "adv": "ADV"}
COMPARED = ("JJR", "JJS", "RBR", "RBS")  # tags of what few words have a form for
# Another number is no synonym, nor is what denies nothing; WordNet takes "has" and "are" for nouns, too.
NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty seventy "
    "eighty ninety hundred thousand million billion trillion first second third fourth fifth sixth seventh eighth "
    "half dozen zero".split()
)
UNSWAPPED = frozenset(NUMBERS) | frozenset(
    "never none nor neither nobody nothing cannot without don doesn didn isn aren wasn weren won not "
    "the and for from with are was were been being has have had having does did done doing will would can could may "
    "might must shall should about over under between through against within here there all any both each some more "
    "most other only also very just while because since until than then but how when where who what which that this "
    "these those they them their she her him his its our you your out off down again few such same too now once upon "
    "per via yet into after before above below".split()
)
_NUMBER = re.compile(rf"\d|\b(?:{'|'.join(NUMBERS)})\b")
_WORD = re.compile(r"(\b[a-z]{3,}\b)")


class Swapper(ABC):
    """Swaps a share of a text's words. Chance starts from `SEED`, so that each run prints the same figures."""

    def __init__(self) -> None:
        self.random = random.Random(SEED)

    def __call__(self, text: str, rate: float) -> str:
        """The text with a share `rate` of its words swapped, or all that can be."""
        pieces = _WORD.split(text)
        places = [n for n in range(1, len(pieces), 2) if self.can_swap(pieces[n])]
        for place in self.random.sample(places, min(len(places), round(rate * len(text.split())))):
            pieces[place] = self.other(pieces[place])
        return "".join(pieces)

    @abstractmethod
    def can_swap(self, word: str) -> bool: ...

    @abstractmethod
    def other(self, word: str) -> str:
        """What is to stand for a word that can be swapped."""


class Strangers(Swapper):
    """Words about as frequent in some texts, whatever they mean."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        counts = Counter(word for text in texts for word in _WORD.findall(text))
        frequent = {word for word, _ in counts.most_common(FREQUENT)}
        self.ranked: list[str] = [word for word, _ in counts.most_common() if word not in UNSWAPPED | frequent]
        self.ranks = {word: rank for rank, word in enumerate(self.ranked)}

    def can_swap(self, word: str) -> bool:
        return word in self.ranks

    def other(self, word: str) -> str:
        rank = self.ranks[word]
        near = max(0, min(len(self.ranked) - 1, rank + self.random.randint(-20, 20) or 1))
        return self.ranked[near] if near != rank else self.ranked[near - 1]


class Synonyms(Swapper):
    """Synonyms in any sense of a word's commonest part of speech, by WordNet; inflected as the word was.

    Inflection is lemminflect's (`pip install lemminflect`). Synonyms of several words are inflected at their verb or
    their last word; none are taken that hold a number.
    """

    def __init__(self, folder: Path = WORDNET) -> None:
        super().__init__()
        self.synonyms: dict[tuple[str, str], list[str]] = {}  # by part of speech and lemma
        self.seen: Counter[tuple[str, str]] = Counter()  # senses of it that were tagged in texts
        for name, part in PARTS.items():
            # a line's fields: offset, file, part, number of words (in hexadecimal), then word and id in turn
            synsets = {line[0]: line[4 : 4 + 2 * int(line[3], 16) : 2] for line in _lines(folder / f"data.{name}")}
            for line in _lines(folder / f"index.{name}"):
                words = (
                    word.partition("(")[0].replace("_", " ") for at in line[-int(line[2]) :] for word in synsets[at]
                )
                known = dict.fromkeys(word for word in words if word.islower() and word != line[0].replace("_", " "))
                self.synonyms[part, line[0]] = [word for word in known if not _NUMBER.search(word)]
                self.seen[part, line[0]] = int(line[-int(line[2]) - 1])
        self.forms = lru_cache(maxsize=None)(self._forms)

    def can_swap(self, word: str) -> bool:
        return word not in UNSWAPPED and bool(self.forms(word))

    def other(self, word: str) -> str:
        return self.random.choice(list(self.forms(word)))

    def _forms(self, word: str) -> tuple[str, ...]:
        """All that may stand for a word."""
        from lemminflect import getAllInflections, getAllLemmas

        lemmas = [(part, lemma) for part, found in getAllLemmas(word).items() for lemma in found]
        known = [one for one in lemmas if self.synonyms.get(one)]
        if not known:
            return ()
        part, lemma = max(known, key=self.seen.__getitem__)
        tags = [tag for tag, found in getAllInflections(lemma).items() if word in found] if word != lemma else [""]
        if not tags or tags[0] in COMPARED:
            return ()
        forms = (_inflected(synonym, part, tags[0]) for synonym in self.synonyms[part, lemma])
        return tuple(dict.fromkeys(form for form in forms if form != word))


def _inflected(synonym: str, part: str, tag: str) -> str:
    from lemminflect import getInflection

    words = synonym.split(" ")
    place = 0 if part == "VERB" else -1
    if tag and (found := getInflection(words[place], tag)):
        words[place] = found[0]
    return " ".join(words)


def _lines(path: Path) -> Iterator[list[str]]:
    """The fields of a WordNet file's lines, but for the licence above them, which is indented."""
    with path.open(encoding="utf-8") as lines:
        yield from (line.split() for line in lines if not line.startswith(" "))
