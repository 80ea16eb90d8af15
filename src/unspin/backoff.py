"""Back-off trigram models as sorted arrays, asked for many trigrams at once.

In come the arrays of a model; out go its log-probabilities, by binary search over all questions together.
`embedded` reads the English trigrams that the package pocketsphinx installs straight into such arrays (its
own interface answers one question a call, ten times slower); a file laid out otherwise is refused.

Source of the back-off scheme: S. Katz, "Estimation of probabilities from sparse data" (1987). Layout of the
file: `lm_trie.c` in pocketsphinx, after K. Heafield's KenLM (2011).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspin.errors import FormatError, InputError
from unspin.language import MARK, START, unknown
from unspin.lattice import Floats, Ints

WORD_BITS = 20  # room for a word's number in a key
Codes = NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True)
class Level:
    """The n-grams of one order: sorted keys, and codes into tables of natural logs."""

    key: Ints
    code: Codes
    table: Floats

    def find(self, first: Ints, last: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """Where the keys (first, last) stand, and whether they do; numbers below 0 stand nowhere."""
        wanted = first << WORD_BITS | last
        if not len(self.key):
            return wanted, np.zeros(len(wanted), dtype=bool)
        order = np.argsort(wanted)  # questions in order walk the keys in order, which spares the cache
        place = np.empty_like(wanted)
        place[order] = np.searchsorted(self.key[:-1], wanted[order])
        return place, (self.key[place] == wanted) & (first >= 0) & (last >= 0)


@dataclass(frozen=True, slots=True)
class BackoffTrigrams:
    """A language model (see `language.LanguageModel`) in arrays.

    Keys are (history word, word) and (number of the history's bigram, word); in a suffix model the other
    way round: (word, history word) and (number of that bigram, word before).
    """

    digest: str
    numbers: Mapping[str, int]
    unigram: Floats
    unigram_backoff: Floats
    bigram: Level
    bigram_backoff: tuple[Codes, Floats]
    trigram: Level
    is_suffix: bool = False

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        numbers = np.fromiter((self.numbers.get(word, -1) for word in (*words, "")), np.int64, len(words) + 1)
        is_mark = self._marks(words)
        far, near, word = trigrams.T
        far, near = np.where(is_mark[near], -1, far), np.where(is_mark[near], far, near)
        far, near, last = numbers[far], numbers[near], numbers[word]
        scores = self.unigram[last] + np.where(near >= 0, self.unigram_backoff[near], 0.0)
        place, known = self._bigram(near, last)
        scores[known] = self.bigram.table[self.bigram.code[place[known]]]
        history, is_history = self._bigram(far, near)
        codes, table = self.bigram_backoff
        scores[is_history] += table[codes[history[is_history]]]
        if self.is_suffix:
            place, known = self.trigram.find(np.where(known, place, -1), far)
        else:
            place, known = self.trigram.find(np.where(is_history, history, -1), last)
        scores[known] = self.trigram.table[self.trigram.code[place[known]]]
        return self._rare(words, word, last < 0, is_mark, scores)

    def _bigram(self, near: Ints, word: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        return self.bigram.find(word, near) if self.is_suffix else self.bigram.find(near, word)

    def _marks(self, words: Sequence[str]) -> NDArray[np.bool_]:
        """Punctuation, for a model that knows none: it is read across."""
        if "," in self.numbers:
            return np.zeros(len(words) + 1, dtype=bool)
        return np.asarray([word != START and not any(c.isalnum() for c in word) for word in words] + [False])

    def _rare(
        self, words: Sequence[str], word: Ints, is_rare: NDArray[np.bool_], is_mark: NDArray[np.bool_], scores: Floats
    ) -> Floats:
        numbers, place = np.unique(word[is_rare], return_inverse=True)
        rare = [MARK if is_mark[number] else unknown(words[number]) for number in numbers.tolist()]
        scores[is_rare] = np.asarray(rare)[place]
        return scores


_MAGIC = b"Trie Language Model\x03"
_CODES = 1 << 16  # quantised probabilities, and back-off weights, per order


def _field(packed: NDArray[np.uint8], count: int, stride: int, offset: int, bits: int) -> Ints:
    """One field of `count` bit-packed records: `bits` (at most 25) at bit `offset` of each `stride`.

    Raises ValueError if there are not so many records.
    """
    if not 0 <= count * stride <= (len(packed) - 4) * 8:
        raise ValueError("fewer n-grams than it says")
    at = np.arange(count, dtype=np.int64) * stride + offset
    quads: NDArray[np.uint32] = np.ndarray((len(packed) - 3,), "<u4", packed.tobytes(), strides=(1,))
    values: Ints = quads[at >> 3].astype(np.int64) >> (at & 7) & ((1 << bits) - 1)
    return values


def level_keys(start: Ints, word: Ints) -> Ints:
    """Keys (number of the record above, word) for records that lie grouped under the records above.

    Raises ValueError if `start`, the first record under each, and where the last ones end, cannot be that.
    """
    starts: Ints = start.astype(np.int64)
    sizes = starts[1:] - starts[:-1]
    if not len(start) or start[0] != 0 or (sizes < 0).any() or int(start[-1]) != len(word):
        raise ValueError("its n-grams do not lie under those they begin with")
    above: Ints = np.repeat(np.arange(len(start) - 1, dtype=np.int64), sizes)
    keys: Ints = above << WORD_BITS | word
    return keys


def embedded() -> BackoffTrigrams:
    """The English trigram model (72,000 words, no punctuation) of the installed pocketsphinx.

    Raises InputError if it is missing and FormatError if it is laid out in a way unknown here.
    """
    from pocketsphinx import LogMath, get_model_path

    return read_trie(Path(get_model_path()) / "en-us" / "en-us.lm.bin", nats=LogMath().log_to_ln(1_000_000) / 1e6)


def read_trie(path: Path, *, nats: float) -> BackoffTrigrams:
    """Read a trigram model in pocketsphinx's binary format; `nats` is the size of its unit of log."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(path, f"no language model here; reinstall pocketsphinx ({error.strerror})") from error
    if not data.startswith(_MAGIC):
        raise FormatError(path, "not a trigram model in pocketsphinx's binary format")
    place = len(_MAGIC)

    def take(dtype: Any, count: int) -> NDArray[Any]:
        nonlocal place
        array: NDArray[Any] = np.frombuffer(data, dtype=dtype, count=count, offset=place)
        place += array.nbytes
        return array

    try:
        ones, twos, threes, _ = take("<u4", 4).tolist()
        bins = take("<f4", 3 * _CODES).reshape(3, _CODES).astype(np.float64) * nats
        unigrams = take([("share", "<f4"), ("backoff", "<f4"), ("start", "<u4")], ones + 1)
        word_bits, start_bits = ones.bit_length(), threes.bit_length()
        stride = word_bits + 32 + start_bits
        middle = take("u1", ((1 + twos) * stride + 7) // 8 + 8)
        longest = take("u1", ((1 + threes) * (word_bits + 16) + 7) // 8 + 8)
        words = take("u1", int(take("<u4", 1)[0])).tobytes().decode().split("\0")[:ones]
        if not all(np.isfinite(numbers).all() for numbers in (bins, unigrams["share"], unigrams["backoff"])):
            raise ValueError("probabilities that are none")
        if len(words) != ones:
            raise ValueError("fewer words than it says")
        start1 = unigrams["start"].astype(np.int64)
        twos = int(start1[-1])
        start2 = _field(middle, twos + 1, stride, word_bits + 32, start_bits)
        threes = int(start2[-1])
        key2 = level_keys(start1, _field(middle, twos, stride, 0, word_bits))
        key3 = level_keys(start2, _field(longest, threes, word_bits + 16, 0, word_bits))
        code3 = _field(longest, threes, word_bits + 16, word_bits, 16).astype(np.uint16)
    except ValueError as error:
        raise FormatError(path, f"cut short or of another version: {error}") from error
    order = np.argsort(key3, kind="stable")  # the file keeps a few groups out of order
    return BackoffTrigrams(
        digest=f"{path.name.split('.')[0]}-{hashlib.sha256(data).hexdigest()[:12]}",
        numbers={word: number for number, word in enumerate(words)},
        unigram=unigrams["share"] * nats,
        unigram_backoff=unigrams["backoff"] * nats,
        bigram=Level(key2, _field(middle, twos, stride, word_bits + 16, 16).astype(np.uint16), bins[0]),
        bigram_backoff=(_field(middle, twos, stride, word_bits, 16).astype(np.uint16), bins[1]),
        trigram=Level(key3[order], code3[order], bins[2]),
        is_suffix=True,
    )
