"""Aligned pairs of an original and its spun copies: read them, and find where they differ.

In come texts and their spun copies, whose paragraphs correspond line by line; out come *chains*: regions
where a copy differs from its original, close enough together for one swap to reach from one to the next, with
the unchanged words around them; and all phrase pairs in a chain that could be one swap. Pairs that cannot be
read are refused with file and line.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from sys import intern

from rapidfuzz.distance import Levenshtein

from unspin.errors import FormatError, InputError
from unspin.gold import Gold, markup_from_pair, parse_markup
from unspin.model import Progress, Token
from unspin.text import tokens

MAX_PHRASE = 7  # tokens on either side of a swap
CONTEXT = 2  # unchanged tokens beside a region that a swap may take in ("a new" -> "a brand new")
GAP = 2  # unchanged tokens between two regions that one swap may bridge
ENOUGH = 3  # passages after which it no longer matters how many
INSIDE = frozenset("-%&$+")  # punctuation that a phrase of the spinner's table may hold

Ids = tuple[int, ...]
Region = tuple[int, int, int, int]  # original [a, b) became spun [c, d)
Chain = tuple[Ids, Ids, tuple[Region, ...]]  # original, spun, where they differ


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
        problem = getattr(error, "strerror", None) or error
        raise InputError(path, f"cannot be read as JSON Lines ({problem})") from error


def _pair(path: Path, number: int, row: str) -> Pair:
    try:
        fields = json.loads(row)
    except json.JSONDecodeError as error:
        raise FormatError(path, f"not JSON: {error.msg}", line=number, column=error.colno) from error
    except (ValueError, RecursionError) as error:  # endless figures, brackets without end
        raise FormatError(path, f"not JSON that can be read: {error}", line=number) from error
    original, spun = (fields.get(key) for key in ("original", "spun")) if isinstance(fields, dict) else (None, None)
    copies = [spun] if isinstance(spun, str) else spun
    if not isinstance(original, str) or not isinstance(copies, list) or not all(isinstance(c, str) for c in copies):
        raise FormatError(path, 'expected {"original": text, "spun": [text, ...]}', line=number)
    lines = original.count("\n")
    if any(copy.count("\n") != lines for copy in copies):
        raise FormatError(path, "the spun copies need as many lines as the original", line=number)
    return Pair(original, tuple(copies))


def golds(pairs: Iterable[Pair]) -> Iterator[Gold]:
    """The gold of each pair's first copy; pairs that markup cannot express are passed over."""
    for number, pair in enumerate(pairs, 1):
        with suppress(FormatError):
            yield parse_markup(markup_from_pair(pair.original, pair.spun[0]), name=f"pair {number}")


class Vocabulary:
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
class Corpus:
    vocabulary: Vocabulary
    originals: Counter[Ids]  # each line of an original, with the number of its copies
    written: dict[Ids, tuple[str, ...]]  # the same lines as they are written
    copies: Counter[Ids]  # each line of a spun copy
    chains: Counter[Chain]  # how often each was seen
    passages: dict[Chain, set[int]]  # up to ENOUGH of the pairs that each was seen in


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


def chains(original: Ids, spun: Ids) -> Iterator[Chain]:
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


def read(pairs: Iterable[Pair], progress: Progress) -> Corpus:
    corpus = Corpus(Vocabulary(), Counter(), {}, Counter(), Counter(), {})
    for done, pair in enumerate(pairs):
        copies = [copy.split("\n") for copy in pair.spun]
        for place, line in enumerate(pair.original.split("\n")):
            read = list(tokens(line))
            original = corpus.vocabulary.add(read)
            corpus.originals[original] += len(copies)
            corpus.written.setdefault(original, tuple(intern(token.text) for token in read))
            for copy in copies:
                spun = corpus.vocabulary.add(tokens(copy[place]))
                corpus.copies[spun] += 1
                for chain in chains(original, spun):
                    corpus.chains[chain] += 1
                    if len(seen := corpus.passages.setdefault(chain, set())) < ENOUGH:
                        seen.add(done)
        progress("align", done + 1, 0)
    return corpus


def swaps(original: Ids, spun: Ids, regions: Sequence[Region], boundaries: Set[int]) -> Iterator[Region]:
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
            _, end, _, spun_end = regions[k + 1]
            behind = regions[k + 2][0] if k + 2 < len(regions) else len(original)
            outer = [(x, y) for x in range(min(1, left) + 1) for y in range(min(1, behind - end) + 1)]
            places += [(a - x, end + y, c - x, spun_end + y) for x, y in outer]
        for i, i2, j, j2 in places:
            if not (0 < i2 - i <= MAX_PHRASE and 0 < j2 - j <= MAX_PHRASE) or original[i:i2] == spun[j:j2]:
                continue
            if boundaries.isdisjoint(original[i:i2]) and boundaries.isdisjoint(spun[j:j2]):
                yield i, i2, j, j2
