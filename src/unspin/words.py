"""Words of many texts as numbers, without a Python object for each.

Texts come in; out go `Words`: per word the number of its normal form, whether it is written like a name and whether it
opens a sentence; and per text a hash of its characters, white space apart, by which exact copies are found. Characters
are classed and words hashed whole blocks at a time (numpy), and only a word that no block had before becomes a string.
Nothing is refused. Time and memory grow in proportion to the texts, however long one of them is.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

from unspin.model import Progress
from unspin.text import INVISIBLE, normalise

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Flags = NDArray[np.bool_]

STOPS = '.!?…\n:;"“(—–'  # a word after one opens a sentence, where a capital need not mean a name
NAMED, OPENS = 1, 2  # marks of a word: it has a capital inside a sentence; it opens one
BLOCK = 1 << 17  # characters read at a time: so many fit the caches
LONG = 64  # characters: the hash of a longer word takes more care
FEWEST_SLOTS = 1 << 17  # for words; a power of two
REPORT_EVERY = 32  # blocks

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

_INVISIBLE = re.compile(f"[{INVISIBLE}]")

# Classes of characters. A clitic's apostrophe is marked once it is found.
_ALNUM, _APOSTROPHE, _STOP, _S, _UNDERSCORE, _SEEN, _CLITIC = 1, 2, 4, 8, 16, 32, 64
_BASE = 0x9E3779B97F4A7C15  # of the polynomial that hashes words; odd, so that it has an inverse
_RING = 1 << 64
_SPREAD = 0xC2B2AE3D27D4EB4F  # makes every bit of a hash bear on its slot


@dataclass(frozen=True, slots=True)
class Words:
    """Words of texts. `bounds[i]:bounds[i + 1]` are the places of text i in `numbers` and `marks`.

    `numbers` are those of the normal forms in `norms`. `seen` is a hash of each text's characters, white space and
    invisible ones apart: texts of different hashes differ, and those of equal ones are to be compared.
    """

    numbers: Ints
    marks: Bytes
    bounds: Longs
    norms: Mapping[str, int]
    seen: Hashes

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def taken(self, chosen: Longs) -> Words:
        """Some of the texts, in their order."""
        if len(chosen) == len(self):
            return self
        stays = np.zeros(len(self), np.bool_)
        stays[chosen] = True
        lengths = np.diff(self.bounds)
        words = np.repeat(stays, lengths)
        bounds = np.append(0, np.cumsum(lengths[stays]))
        return Words(self.numbers[words], self.marks[words], bounds, self.norms, self.seen[stays])


def bare(text: str) -> str:
    """A text without white space and invisible characters: what `Words.seen` is a hash of.

    >>> bare(" so\u200bme  words\\n")
    'somewords'
    """
    if len(text) > BLOCK:  # to split it makes a string of every word
        return "".join(bare(text[start : start + BLOCK]) for start in range(0, len(text), BLOCK))
    text = "".join(text.split())
    return _INVISIBLE.sub("", text) if _INVISIBLE.search(text) else text


def norm(word: str) -> str:
    """The normal form, with numbers in digits: a spinner writes "3" for "three", and 3 for 4 is another fact."""
    found = normalise(word)
    return _AS_DIGITS.get(found, found)


def split(texts: Iterable[str], *, count: int = 0, progress: Progress | None = None) -> Words:
    """The words of texts; `count` says how many texts there are, for `progress` only.

    A word is a run of letters and digits, apostrophes inside it included, but a clitic "'s" is a word of its own.
    Words whose hashes collide are taken for one: among ten million different ones, one chance in ten thousand.
    """
    vocabulary = _Vocabulary()
    numbers, marks, lengths, seen = array("i"), array("B"), array("q"), array("Q")
    passed = 0  # characters of the last text
    for turn, (strings, continues) in enumerate(_blocks(texts)):
        if progress and turn % REPORT_EVERY == 0:
            progress("reading", len(lengths), max(len(lengths), count))
        block = _read(strings)
        found = vocabulary.look_up(block)
        numbers.frombytes((found >> 1).tobytes())
        marks.frombytes(np.where(block.opens, OPENS, found & NAMED).astype(np.uint8).tobytes())
        if continues:
            lengths[-1] += int(block.lengths[0])
            seen[-1] = (seen[-1] + int(block.seen[0]) * pow(_BASE, passed, _RING)) % _RING
        else:
            lengths.frombytes(block.lengths.tobytes())
            seen.frombytes(block.seen.tobytes())
            passed = 0
        passed += int(block.visible[-1])
    bounds = np.append(0, np.cumsum(np.frombuffer(lengths, np.int64)))
    return Words(
        np.frombuffer(numbers, np.int32),
        np.frombuffer(marks, np.uint8),
        bounds,
        vocabulary.norms,
        np.frombuffer(seen, np.uint64),
    )


def merged(parts: Sequence[Words]) -> Words:
    """The texts of all parts, as if they had been split at once; each but the first starts where a block does."""
    norms = dict(parts[0].norms)
    numbers, bounds = [parts[0].numbers], [parts[0].bounds]
    for part in parts[1:]:
        number_of = np.array([norms.setdefault(norm, len(norms)) for norm in part.norms], np.int32)
        numbers.append(number_of[part.numbers])
        bounds.append(bounds[-1][-1] + part.bounds[1:])
    marks, seen = np.concatenate([part.marks for part in parts]), np.concatenate([part.seen for part in parts])
    return Words(np.concatenate(numbers), marks, np.concatenate(bounds), norms, seen)


def shares(sizes: Sequence[int], count: int) -> list[int]:
    """Where to part texts of given sizes, so that `merged` parts are what `split` makes of all; `count` at most."""
    share = sum(sizes) // count + 1
    edges, passed, block = [0], 0, 0
    for number, size in enumerate(sizes):
        starts = block > 0 and block + size >= BLOCK  # as in `_blocks`
        if starts and passed >= share * len(edges):
            edges.append(number)
        block = 0 if size >= BLOCK else size + 1 if starts else block + size + 1
        passed += size
    return [*edges, len(sizes)]


def spans(text: str) -> tuple[Longs, Longs]:
    """Where the words of a text start and end, as `split` finds them."""
    starts, ends, passed = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for piece in _pieces(text):
        block = _read([piece])
        starts.append(block.starts + (passed - 1))  # it is read after a character of its own
        ends.append(block.ends + (passed - 1))
        passed += len(piece)
    return np.concatenate(starts), np.concatenate(ends)


def _blocks(texts: Iterable[str]) -> Iterator[tuple[list[str], bool]]:
    """Texts by the block. A longer one comes in pieces, alone, and from the second on the piece continues it."""
    block: list[str] = []
    size = 0
    for text in texts:
        if block and size + len(text) >= BLOCK:
            yield block, False
            block, size = [], 0
        if len(text) < BLOCK:
            block.append(text)
            size += len(text) + 1
        else:
            for number, piece in enumerate(_pieces(text)):
                yield [piece], number > 0
    if block:
        yield block, False


def _pieces(text: str) -> Iterator[str]:
    """A long text in pieces that end with a stop, or else with a space, unless there is none for a whole block."""
    start = 0
    while len(text) - start >= BLOCK:
        end = start + BLOCK - 1
        cut = max(text.rfind(stop, start, end) for stop in STOPS)
        cut = cut if cut >= 0 else text.rfind(" ", start, end)
        cut = cut + 1 if cut >= 0 else end
        yield text[start:cut]
        start = cut
    yield text[start:]


class _Block(NamedTuple):
    """The words of some texts: where each stands in `text`, its hash, and whether it opens a sentence.

    And per text how many words and how many visible characters it has, and the hash of these.
    """

    text: str
    starts: Longs
    ends: Longs
    hashes: Hashes
    opens: Flags
    lengths: Longs
    visible: Longs
    seen: Hashes


def _read(texts: Sequence[str]) -> _Block:
    text = "\0" + "\0".join(texts) + "\0\0"
    characters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    edges = np.append(0, np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1))
    kinds = _kinds().take(characters)
    kinds[edges] = _STOP
    in_word, clitics = _in_words(kinds)
    opening, closing = in_word.copy(), in_word.copy()
    opening[1:] &= ~in_word[:-1]
    closing[:-1] &= ~in_word[1:]
    opening[clitics] = True
    closing[clitics - 1] = in_word[clitics - 1]
    tokens = np.flatnonzero(opening | ((kinds & _STOP) != 0))  # words and stops
    are_words = in_word[tokens]
    opens = ~are_words[:-1][are_words[1:]]  # the first token is the stop at the very start
    starts, ends = tokens[are_words], np.flatnonzero(closing) + 1

    # The hash of characters c, d, e is c + d x + e x², for places of visible characters only; 1 / x is in the ring.
    powers, inverses = _powers(BLOCK + 8)
    visible = (kinds & _SEEN) != 0
    rank = np.cumsum(visible, dtype=np.int32)
    sums = np.cumsum(characters * powers.take(rank) * visible)
    hashes = (sums[ends - 1] - sums[starts - 1]) * inverses[rank[starts]]
    for place in np.flatnonzero(ends - starts > LONG).tolist():  # of very long ones, some collide for any x
        hashes[place] = xxhash.xxh64_intdigest(text[starts[place] : ends[place]].encode("utf-8", "surrogatepass"))
    return _Block(
        text,
        starts,
        ends,
        hashes,
        opens,
        lengths=np.diff(np.searchsorted(starts, edges)),
        visible=np.diff(rank[edges]).astype(np.int64),
        seen=np.diff(sums[edges]) * inverses[rank[edges[:-1]]],
    )


def _in_words(kinds: Bytes) -> tuple[Flags, Longs]:
    """Which characters belong to words, and where clitics start."""
    in_word = (kinds & _ALNUM).view(np.bool_)
    places = np.flatnonzero((kinds & _APOSTROPHE) != 0)
    is_clitic = ((kinds[places + 1] & _S) != 0) & ((kinds[places + 2] & (_ALNUM | _UNDERSCORE)) == 0)
    clitics = places[is_clitic]
    kinds[clitics] |= _CLITIC
    joins = in_word[places - 1] & in_word[places + 1] & ~is_clitic & ((kinds[places - 2] & _CLITIC) == 0)
    in_word[places[joins]] = True
    in_word[clitics] = True
    return in_word, clitics


@lru_cache(maxsize=1)
def _kinds() -> Bytes:
    """The class of each code point."""
    every = np.arange(0x110000, dtype=np.uint32).view("U1")
    kinds = np.where(np.char.isalnum(every), _ALNUM, 0).astype(np.uint8)
    kinds[~np.char.isspace(every)] |= _SEEN
    for marked, kind in ((STOPS, _STOP), ("'’", _APOSTROPHE), ("s", _S), ("_", _UNDERSCORE)):
        kinds[[ord(character) for character in marked]] |= kind
    kinds[[ord(character) for character in INVISIBLE]] &= ~np.uint8(_SEEN)
    return kinds


@lru_cache(maxsize=2)
def _powers(size: int) -> tuple[Hashes, Hashes]:
    """The powers of x and of its inverse, modulo 2 ** 64."""
    bases = np.array([[_BASE], [pow(_BASE, -1, _RING)]], np.uint64).repeat(size, axis=1)
    bases[:, 0] = 1
    first, second = np.cumprod(bases, axis=1, dtype=np.uint64)
    return first, second


class _Vocabulary:
    """Numbers normal forms as they come.

    A word's value is twice the number of its normal form, and 1 more if it has a capital. It is found by the word's
    hash, in a table with a slot for each; of words of one slot one has it, and the others are in a dictionary.
    """

    def __init__(self) -> None:
        self.norms: dict[str, int] = {}
        self._others: dict[int, int] = {}
        self._make(FEWEST_SLOTS)

    def _make(self, size: int) -> None:
        self._shift = 65 - size.bit_length()
        self._keys, self._values = np.zeros(size, np.uint64), np.full(size, -1, np.int32)

    def look_up(self, block: _Block) -> Ints:
        """The value of each of a block's words."""
        slots = self._slots(block.hashes)
        found = self._values[slots]
        unknown = np.flatnonzero((self._keys[slots] != block.hashes) | (found < 0))
        if len(unknown):
            keys, first, inverse = np.unique(block.hashes[unknown], return_index=True, return_inverse=True)
            places = unknown[first]
            starts, ends = block.starts[places].tolist(), block.ends[places].tolist()
            words = (block.text[start:end] for start, end in zip(starts, ends, strict=True))
            values = np.array(list(map(self._value, keys.tolist(), words)), np.int32)
            found[unknown] = values[inverse]
            self._remember(keys, values)
        return found

    def _value(self, key: int, word: str) -> int:
        if (value := self._others.get(key)) is not None:
            return value
        is_capital = word[0].isupper() and word != "I" and word[:2] not in ("I'", "I’")
        return 2 * self.norms.setdefault(norm(word), len(self.norms)) + is_capital

    def _slots(self, hashes: Hashes) -> Hashes:
        return (hashes * np.uint64(_SPREAD)) >> np.uint64(self._shift)

    def _remember(self, keys: Hashes, values: Ints) -> None:
        if 2 * len(self.norms) > len(self._keys):
            is_full = self._values >= 0
            keys, values = np.append(self._keys[is_full], keys), np.append(self._values[is_full], values)
            self._make(4 * len(self._keys))
        slots = self._slots(keys)
        is_free = self._values[slots] < 0
        self._keys[slots[is_free]], self._values[slots[is_free]] = keys[is_free], values[is_free]
        lost = self._keys[slots] != keys
        self._others.update(zip(keys[lost].tolist(), values[lost].tolist(), strict=True))
