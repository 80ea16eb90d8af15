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
from itertools import accumulate, pairwise
from typing import NamedTuple

from unspin.edit import apply, carry_case, invert
from unspin.errors import FormatError
from unspin.gold import parse_markup
from unspin.lexicon import Lexicon, Phrase
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
    """The alternate in the case of what it replaces. A lexicon has no capitals in "america": a name keeps one."""
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


# A place inside one of the words that scores count: "user|-centered", "heart|'s" (see `gold.gold_tokens`).
_INSIDE = re.compile("(?<=\\w)(?=[.'\u2019\u2018-]?\\w)|(?<=\\w[.'\u2019\u2018-])(?=\\w)")


def _runs(original: str, spun: Spun) -> list[list[int]]:
    """The swaps as [spun start, spun end, original start, original end], widened to whole words of a score."""

    def is_inside(new: int, old: int) -> bool:
        return bool(_INSIDE.match(spun.text, new) or _INSIDE.match(original, old))

    swaps = [[n.start, n.end, o.start, o.end] for n, o in zip(invert(spun.edits), spun.edits, strict=True)]
    runs: list[list[int]] = []
    for run, (limit, *_) in pairwise([*swaps, [len(spun.text)]]):
        floor = runs[-1][1] if runs else 0
        while run[0] > floor and is_inside(run[0], run[2]):
            run[0], run[2] = run[0] - 1, run[2] - 1
        if runs and run[0] == floor and is_inside(run[0], run[2]):  # two swaps in one word
            runs[-1][1::2] = run[1::2]
        else:
            runs.append(run)
        run = runs[-1]
        while run[1] < limit and is_inside(run[1], run[3]):
            run[1], run[3] = run[1] + 1, run[3] + 1
    return runs


def markup(spun: Spun, *, name: str = "text") -> str:
    """The spun text with every swap written `[[spun|original]]`; `name` is for messages only.

    Raises `FormatError` for a text whose own brackets or bars would read as markup.

    >>> markup(spin("A war-weary people.", Lexicon([Entry("struggle", "war", 1.0)])))
    'A [[struggle-weary|war-weary]] people.'
    """
    original = apply(spun.text, invert(spun.edits))
    pieces: list[str] = []
    position = 0
    runs = _runs(original, spun)
    for start, end, old_start, old_end in runs:
        pieces += spun.text[position:start], f"[[{spun.text[start:end]}|{original[old_start:old_end]}]]"
        position = end
    made = "".join([*pieces, spun.text[position:]])
    gold = parse_markup(made, name=name)
    read = [[span.start, span.end, span.accepted] for span in gold.spans]
    if gold.text != spun.text or read != [[a, b, (original[c:d],)] for a, b, c, d in runs]:
        raise FormatError(name, "brackets or bars that would read as markup")
    return made
