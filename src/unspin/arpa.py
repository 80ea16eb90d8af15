"""Trigram models in ARPA format, as any tool writes them, read into arrays.

In comes a text file of n-grams with their log-probabilities; out goes a `BackoffTrigrams`. Orders above three are
passed over. A file that is no such model is refused by `InputError`, one that is damaged by `FormatError`, with the
line: the readers at hand trust what the file says of its own sizes, and a wrong one ends the process.
"""

from __future__ import annotations

import hashlib
import math
import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from unspin.backoff import WORD_BITS, BackoffTrigrams, Level
from unspin.errors import FormatError, InputError
from unspin.lattice import Floats, Ints

ORDERS = 3
LN10 = math.log(10)
LEAST = -99.0  # log10 of a probability of nothing, as tools write it
_SECTION = re.compile(r"\\([1-9])-grams:")
_COUNT = re.compile(r"ngram\s+([1-9])\s*=\s*(\d{1,12})")


@dataclass(slots=True)
class _Grams:
    """The n-grams of one order as they come: word numbers, log10 of probability and of back-off weight."""

    words: array[int] = field(default_factory=lambda: array("q"))
    share: array[float] = field(default_factory=lambda: array("d"))
    backoff: array[float] = field(default_factory=lambda: array("d"))

    def table(self, order: int) -> tuple[Ints, Floats, Floats]:
        """Words [n-grams, order], and natural logs."""
        words = np.frombuffer(self.words, np.int64) if self.words else np.empty(0, np.int64)
        share, backoff = (np.asarray(logs, dtype=np.float64) * LN10 for logs in (self.share, self.backoff))
        return words.reshape(-1, order), share, backoff


def load(path: Path) -> BackoffTrigrams:
    """The model in an ARPA file. Raises InputError or FormatError."""
    numbers: dict[str, int] = {}
    found = [_Grams() for _ in range(ORDERS)]
    try:
        with path.open("rb") as file:
            digest = f"{path.stem}-{hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"
        with path.open(encoding="utf-8") as lines:
            for number, order, row in _rows(lines):
                try:
                    _take(found[order - 1], order, row, numbers)
                except ValueError as error:
                    raise FormatError(path, str(error), line=number) from error
        return _model(digest, numbers, [grams.table(order) for order, grams in enumerate(found, 1)])
    except OSError as error:
        raise InputError(path, f"cannot be read as a language model ({error.strerror})") from error
    except (UnicodeDecodeError, StopIteration) as error:
        raise InputError(path, "not a language model (a packed trigram or ARPA file)") from error
    except ValueError as error:
        raise FormatError(path, str(error)) from error


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, int, list[str]]]:
    """The n-grams of up to ORDERS words: number of the line, order, fields.

    Raises StopIteration where no model begins and ValueError where one ends too early, or with other counts.
    """
    numbered = ((number, line.strip()) for number, line in enumerate(lines, 1))
    while next(numbered)[1] != "\\data\\":
        pass
    return _listed(numbered)


def _listed(numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[int, int, list[str]]]:
    counts: dict[int, int] = {}
    seen: dict[int, int] = {}
    order = 0
    for number, line in numbered:
        if line == "\\end\\":
            break
        if match := _SECTION.fullmatch(line):
            order = int(match[1])
        elif not order and (match := _COUNT.fullmatch(line)):
            counts[int(match[1])] = int(match[2])
        elif line and order:
            seen[order] = seen.get(order, 0) + 1
            if order <= ORDERS:
                yield number, order, line.split()
        elif line:
            raise ValueError("neither a count of n-grams nor a section")
    else:
        raise ValueError("cut short: it does not end with \\end\\")
    if seen != {order: count for order, count in counts.items() if count} or not counts.get(1):
        raise ValueError("it holds other numbers of n-grams than it says")


def _take(grams: _Grams, order: int, row: list[str], numbers: dict[str, int]) -> None:
    if not order + 1 <= len(row) <= order + 2:
        raise ValueError(f"a {order}-gram is a log-probability, {order} words and perhaps a back-off weight")
    share, *weight = (max(float(number), LEAST) for number in (row[0], *row[order + 1 :]))
    if not all(map(math.isfinite, (share, *weight))):
        raise ValueError("a log-probability that is none")
    for word in row[1 : order + 1]:
        if order == 1 and numbers.setdefault(word, len(numbers)) != len(grams.share):
            raise ValueError(f"{word!r} stands there twice")
        if word not in numbers:
            raise ValueError(f"{word!r} is not among the 1-grams")
        grams.words.append(numbers[word])
    grams.share.append(share)
    grams.backoff.append(weight[0] if weight else 0.0)


def _model(digest: str, numbers: dict[str, int], found: list[tuple[Ints, Floats, Floats]]) -> BackoffTrigrams:
    if len(numbers) >= 1 << WORD_BITS:
        raise ValueError(f"more than {1 << WORD_BITS:,} words; give a smaller model")
    (_, unigram, unigram_backoff), (pairs, share2, backoff2), (triples, share3, _) = found
    key2 = pairs[:, 0] << WORD_BITS | pairs[:, 1]
    order = np.argsort(key2, kind="stable")
    key2, backoff2 = key2[order], backoff2[order]
    history = triples[:, 0] << WORD_BITS | triples[:, 1]
    place = np.searchsorted(key2, history)
    if (np.append(key2, -1)[place] != history).any():
        raise ValueError("a 3-gram whose first two words are no 2-gram")
    key3 = place << WORD_BITS | triples[:, 2]
    order3 = np.argsort(key3, kind="stable")
    return BackoffTrigrams(
        digest=digest,
        numbers=numbers,
        unigram=unigram,
        unigram_backoff=unigram_backoff,
        bigram=_level(key2, share2[order]),
        bigram_backoff=(np.arange(len(key2), dtype=np.uint32), backoff2),
        trigram=_level(key3[order3], share3[order3]),
    )


def _level(key: Ints, share: Floats) -> Level:
    return Level(key, np.arange(len(key), dtype=np.uint32), share)
