"""The channel as a generator: spin a text as the spinner would, and know every swap.

In come a text and a lexicon; out go the spun text and its swaps as edits, or gold markup of it, for training,
tests and benchmarks. Nothing is refused but a rate outside [0, 1] and, by `FormatError`, a text whose brackets
would read as markup. Pure and deterministic: a seed gives the same text in every process and version.

The habits are those that aligned pairs show. Heads are matched as they are spelled, or with a first capital:
WORDS IN CAPITALS, Phrases In Titles and curly apostrophes are spared, though a title's single words are not. Long
heads go first, wherever they stand in the sentence, and what one of them leaves is open to shorter ones. In one
text a spelling of a head gets one alternate, or none, everywhere. "a" and "an" are left as they were.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate
from typing import NamedTuple

from unspin.edit import apply, carry_case, invert
from unspin.gold import markup_from_pair
from unspin.lexicon import Lexicon, Phrase, is_name, keeps_capital
from unspin.model import DecidedBy, Edit, Entry, Token
from unspin.text import segment, tokens


@dataclass(frozen=True, slots=True)
class Spun:
    """A spun text, and the edits of the original that made it, in order."""

    text: str
    edits: tuple[Edit, ...]


class _Table(NamedTuple):
    entries: dict[Phrase, tuple[Entry, ...]]  # per spelling of a head, its alternates
    reach: dict[str, int]  # per first token of a spelling, the length of the longest


def _spellings(head: str) -> set[Phrase]:
    return {tuple(token.text for token in tokens(form)) for form in (head, head[0].upper() + head[1:])}


@lru_cache(maxsize=4)
def _table(lexicon: Lexicon) -> _Table:
    entries: defaultdict[Phrase, list[Entry]] = defaultdict(list)
    reach: dict[str, int] = {}
    for entry in lexicon.active:
        for form in _spellings(entry.original):
            entries[form].append(entry)
            reach[form[0]] = max(reach.get(form[0], 0), len(form))
    return _Table({form: tuple(found) for form, found in entries.items()}, reach)


def _draws(seed: int, form: Phrase) -> tuple[float, float]:
    """Two numbers, evenly from [0, 1), that depend on nothing but the arguments."""
    digest = sha256("\0".join((str(seed), *form)).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6]) / 2**48, int.from_bytes(digest[6:12]) / 2**48


def _choice(form: Phrase, entries: Sequence[Entry], *, seed: int, rate: float) -> Entry | None:
    """What becomes of a head throughout a text; None leaves it alone."""
    sums = list(accumulate(entry.rate for entry in entries))
    whether, which = _draws(seed, form)
    if whether >= rate * min(1.0, sums[-1]):
        return None
    return next(entry for entry, bound in zip(entries, sums, strict=True) if which * sums[-1] < bound)


def _alternate(before: str, entry: Entry) -> str:
    """The alternate in the case of what it replaces; a name's keeps its capital, becomes an acronym or is lowered."""
    if is_name(entry) and not keeps_capital(entry):
        is_first = entry.original[0].islower() and before[0].isupper()  # "The U.S."
        return entry.spun[0].upper() + entry.spun[1:] if is_first else entry.spun
    if " " in before and is_name(entry) and entry.spun.startswith("".join(w[0].lower() for w in before.split())):
        return entry.spun.upper()  # "United States" became "US" or "USA"
    after = carry_case(before, entry.spun, sentence_start=True)
    if after != after.lower() or entry.original == entry.original.lower():
        return after
    kept = {token.norm for token in tokens(before)}
    return re.sub(r"\S+", lambda word: word[0] if word[0] in kept else word[0][0].upper() + word[0][1:], after)


class _Walk:
    """One text's walk through the table: the choices made so far."""

    def __init__(self, table: _Table, *, seed: int, rate: float) -> None:
        self.table, self.seed, self.rate = table, seed, rate
        self.chosen: dict[Phrase, Entry | None] = {}

    def swaps(self, found: Sequence[Token]) -> Iterator[tuple[int, int, Entry]]:
        """The swaps of a sentence, long heads first: its tokens [start, end) and the entry."""
        taken = [False] * len(found)
        for start, end, form in sorted(self._heads(found), key=lambda head: (head[0] - head[1], head[0])):
            if not any(taken[start:end]) and (entry := self._entry(form)):
                taken[start:end] = [True] * (end - start)
                yield start, end, entry

    def _heads(self, found: Sequence[Token]) -> Iterator[tuple[int, int, Phrase]]:
        words = [token.text for token in found]
        for start, word in enumerate(words):
            for end in range(start + 1, min(start + self.table.reach.get(word, 0), len(words)) + 1):
                if (form := tuple(words[start:end])) in self.table.entries:
                    yield start, end, form

    def _entry(self, form: Phrase) -> Entry | None:
        if form not in self.chosen:
            self.chosen[form] = _choice(form, self.table.entries[form], seed=self.seed, rate=self.rate)
        return self.chosen[form]


def spin(text: str, lexicon: Lexicon, *, seed: int = 0, rate: float = 1.0) -> Spun:
    """Spin a text with a lexicon at a spin rate in [0, 1]; raises ValueError for another.

    A head is swapped in this text with probability `rate` times the sum of its entries' rates, for an alternate
    drawn by these rates. Give each text of a collection a seed of its own, or all get the same alternates.

    >>> spin("The war and the War of 1812.", Lexicon([Entry("struggle", "war", 1.0)])).text
    'The struggle and the Struggle of 1812.'
    """
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"rate {rate} is not in [0, 1]")
    walk = _Walk(_table(lexicon), seed=seed, rate=rate)
    edits: list[Edit] = []
    for sentence in (s for paragraph in segment(text).paragraphs for s in paragraph.sentences):
        for first, last, entry in sorted(walk.swaps(sentence.tokens)):
            start, end = sentence.tokens[first].start, sentence.tokens[last - 1].end
            before = text[start:end]
            if (after := _alternate(before, entry)) != before:
                edits.append(Edit(start, end, before, after, entry, 1.0, DecidedBy.SPINNER))
    return Spun(apply(text, edits), tuple(edits))


def markup(spun: Spun, *, name: str = "text") -> str:
    """The spun text with its swaps written `[[spun|original]]`; `name` is for messages only.

    Spans are cut as in markup from any other pair, so that scores compare: they hold whole words, and swaps that
    stand side by side are one. Raises `FormatError` where the text's own brackets or bars would read as markup.

    >>> markup(spin("A war-weary people.", Lexicon([Entry("struggle", "war", 1.0)])))
    'A [[struggle-weary|war-weary]] people.'
    """
    return markup_from_pair(apply(spun.text, invert(spun.edits)), spun.text, name=name)
