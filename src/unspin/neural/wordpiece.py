"""Text as a neural model reads it: word pieces, in windows of whole sentences.

In come tokens; out go the numbers of their pieces, laid into windows that a model reads in one pass, and where in
them each token stands. Words without a piece become [UNK]; nothing is refused but a vocabulary that lacks the four
special pieces. Source: the greedy longest-match-first pieces of M. Schuster, K. Nakajima, "Japanese and Korean voice
search" (ICASSP 2012), as J. Devlin et al. use them in "BERT" (NAACL 2019).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspin.model import Token

WINDOW = 128  # pieces that are read together, [CLS] and [SEP] among them
LONGEST_WORD = 40  # characters; longer ones are no words
REMEMBERED = 1 << 14  # words whose pieces are
PAD, UNKNOWN, FIRST, LAST = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
LOWER, CAPITALISED, UPPER = 0, 1, 2  # how a token is written
_ATOMS = re.compile(r"\w+|[^\w\s]")

Small = NDArray[np.int32]


class Pieces:
    """A vocabulary of word pieces, in lower case; what goes on inside a word begins with ##."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._numbers = {name: number for number, name in enumerate(self.names)}
        if missing := [name for name in (PAD, UNKNOWN, FIRST, LAST) if name not in self._numbers]:
            raise ValueError(f"the vocabulary lacks {', '.join(missing)}")
        if self._numbers[PAD]:
            raise ValueError(f"the vocabulary does not begin with {PAD}")
        self.pad, self.unknown, self.first, self.last = (self._numbers[n] for n in (PAD, UNKNOWN, FIRST, LAST))
        self._known = lru_cache(REMEMBERED)(self._found)

    def of(self, word: str) -> tuple[int, ...]:
        """The pieces of a word or phrase; at least one."""
        return self._known(word) if len(word) <= LONGEST_WORD else self._found(word)

    def _found(self, word: str) -> tuple[int, ...]:
        plain = "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(c))
        return tuple(n for atom in _ATOMS.findall(plain) for n in self._split(atom)) or (self.unknown,)

    def _split(self, atom: str) -> list[int]:
        pieces: list[int] = []
        start = 0
        while start < len(atom) <= LONGEST_WORD:
            mark = "##" if start else ""
            for end in range(len(atom), start, -1):
                if (number := self._numbers.get(mark + atom[start:end])) is not None:
                    break
            else:
                return [self.unknown]
            pieces.append(number)
            start = end
        return pieces or [self.unknown]


def case(text: str) -> int:
    """LOWER, CAPITALISED or UPPER."""
    if not text[:1].isupper():
        return LOWER
    return UPPER if len(text) > 1 and text.isupper() else CAPITALISED


class Windows(NamedTuple):
    """Tokens as windows of pieces.

    `ids` [windows, length] piece numbers, padded; `cases` of the same shape; per token `window`, and `first` and
    `last`, the columns of its pieces (inclusive).
    """

    ids: Small
    cases: Small
    window: Small
    first: Small
    last: Small


def windows(tokens: Sequence[Token], starts: Sequence[int], pieces: Pieces, *, length: int = WINDOW) -> Windows:
    """Lay tokens, whose sentences begin at `starts`, into as few windows as hold whole sentences.

    A sentence that no window holds is cut between tokens; a token of more pieces than a window is cut short.
    """
    found = [pieces.of(token.norm)[: length - 2] for token in tokens]
    rows: list[list[int]] = []
    cases: list[list[int]] = []
    place = np.zeros((3, len(tokens)), dtype=np.int32)
    for begin, end in _runs([len(one) for one in found], starts, length - 2):
        row, written = [pieces.first], [LOWER]
        for n in range(begin, end):
            place[:, n] = len(rows), len(row), len(row) + len(found[n]) - 1
            row += found[n]
            written += [case(tokens[n].text)] * len(found[n])
        rows.append([*row, pieces.last])
        cases.append([*written, LOWER])
    longest = max(map(len, rows), default=2)
    ids = np.full((len(rows), longest), pieces.pad, dtype=np.int32)
    written_ = np.zeros_like(ids)
    for number, (row, marks) in enumerate(zip(rows, cases, strict=True)):
        ids[number, : len(row)], written_[number, : len(row)] = row, marks
    return Windows(ids, written_, *place)


def _runs(sizes: Sequence[int], starts: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """The tokens [begin, end) of each window: whole sentences where they fit."""
    begin = used = 0
    for start, end in pairwise([*starts, len(sizes)]):
        size = sum(sizes[start:end])
        if used and used + size > room:
            yield begin, start
            begin, used = start, 0
        if size <= room:
            used += size
            continue
        for n in range(start, end):
            if used + sizes[n] > room:
                yield begin, n
                begin, used = n, 0
            used += sizes[n]
    if begin < len(sizes):
        yield begin, len(sizes)
