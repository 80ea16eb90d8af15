"""The stages of the search for copies that run in executors: record batches in, record batches out.

They are those of `unspin.spill`: passages with their digests, keys, pairs that share rare grams, pairs that match.
Texts are read in blocks, so that memory is bounded. Nothing is refused; what is no text has no passages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import xxhash
from pyspark import TaskContext

from unspin.blocking import COMMON, COMMON_PAIR, joined
from unspin.canon import canon
from unspin.chains import verified
from unspin.consensus import digest
from unspin.fingerprint import read
from unspin.model import Level
from unspin.passages import blocks, gram_keys
from unspin.postings import KIND_BITS, Kind, run_starts
from unspin.spark.frames import Batches, built, strings
from unspin.spark.shipping import Shipped, load_lexicon
from unspin.words import Hashes, Longs

SIZE = 2_000_000  # characters read at a time
ROWS = 1 << 17  # keys joined at a time
TASK_BITS = 33  # below a task's number: passages that it may have

PASSAGE = (
    "passage long, document long, id {id}, start integer, end integer, date double, text string, digest string, "
    "raw binary, exact binary, words binary"
)
KEY = "key long, passage long, length integer"
PAIR = "first long, second long, shared long, shorter integer"
MATCH = "first long, second long, shared long"


def passages(
    batches: Batches, *, shipped: Shipped, level: Level, min_words: int, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The passages of texts (columns `id`, `date` and `text`), numbered in the order of the whole DataFrame.

    Each with the digests of its characters (`raw`), of those without white space (`exact`) and of its words (`words`),
    and the name of its text's content (`digest`).
    """
    context = TaskContext.get()
    number = (context.partitionId() if context else 0) << TASK_BITS
    base, known = number, _Known()
    table = canon(load_lexicon(shipped))
    for block in blocks(known.texts(batches), level=level, canon=table, size=SIZE):
        words, sizes = block.words_digests(), block.sizes.tolist()
        rows = []
        for place, exact, text in zip(block.places, block.digests, block.text_of, strict=True):
            if sizes[text] < min_words:
                continue
            quoted = block.texts[text]
            name, date, content = known.rows[place.text]
            raw = xxhash.xxh3_128_digest(quoted.encode("utf-8", "surrogatepass"))
            span = place.start, place.end
            rows.append((number, base + place.text, name, *span, date, quoted, content, raw, exact, words[text]))
            number += 1
        known.forget(block.places[-1].text)
        yield built(rows, schema)


class _Known:
    """Texts as they are read, and what is known of those that are under way."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[str | int, float | None, str]] = {}

    def texts(self, batches: Batches) -> Iterator[tuple[int, str]]:
        number = 0
        for batch in batches:
            names, dates = batch.column("id").to_pylist(), batch.column("date").to_pylist()
            for name, date, text in zip(names, dates, strings(batch.column("text")), strict=True):
                if isinstance(text, str):
                    self.rows[number] = name, date, digest(text)
                    yield number, text
                number += 1

    def forget(self, last: int) -> None:
        """All before a text."""
        for number in [number for number in self.rows if number < last]:
            del self.rows[number]


def keys(batches: Batches, *, shipped: Shipped, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The keys of passages (columns `passage` and `text`), each with how many symbols its passage has."""
    table = canon(load_lexicon(shipped))
    for numbers, texts in _blocks(batches):
        corpus = read(texts, table)
        lengths = np.diff(corpus.bounds).astype(np.int32)
        for kind in (Kind.GRAM, Kind.PAIR):
            hashes, places = gram_keys(kind, corpus)
            arrays = [hashes.view(np.int64), numbers[places], lengths[places]]
            yield pa.RecordBatch.from_arrays([pa.array(array) for array in arrays], schema=schema)


def _blocks(batches: Batches) -> Iterator[tuple[Longs, list[str]]]:
    numbers: list[int] = []
    texts: list[str] = []
    size = 0
    for batch in batches:
        for number, text in zip(batch.column("passage").to_pylist(), batch.column("text").to_pylist(), strict=True):
            numbers.append(number)
            texts.append(text)
            size += len(text)
            if size >= SIZE:
                yield np.asarray(numbers, np.int64), texts
                numbers, texts, size = [], [], 0
    if texts:
        yield np.asarray(numbers, np.int64), texts


class _Rows(NamedTuple):
    """Keys in order, with their passages, in order, and these passages' lengths."""

    keys: Longs
    passages: Longs
    lengths: Longs

    def taken(self, chosen: slice | Longs) -> _Rows:
        return _Rows(self.keys[chosen], self.passages[chosen], self.lengths[chosen])


def pairs(batches: Batches, *, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Pairs of passages that share rare grams, and how many: of rows in the order of `key` and `passage`.

    A pair may come several times. However common a key is, only so many of its rows are held.
    """
    held: list[_Rows] = []
    size = 0
    for batch in batches:
        held.append(
            _Rows(*(batch.column(name).to_numpy(zero_copy_only=False) for name in ("key", "passage", "length")))
        )
        size += batch.num_rows
        if size >= ROWS:
            rows = _Rows(*map(np.concatenate, zip(*held, strict=True)))
            last = int(np.searchsorted(rows.keys, rows.keys[-1]))
            yield _shared(rows.taken(slice(last)), schema)
            rest = rows.taken(slice(last, None))
            if len(rest.keys) >= ROWS // 2:
                yield _shared(rest, schema)
                # it is common, and stays so: all that it may do is to join the last passage with the next one
                rest = rest.taken(np.full(COMMON + 1, -1))
            held, size = [rest], len(rest.keys)
    if size:
        yield _shared(_Rows(*map(np.concatenate, zip(*held, strict=True))), schema)


def _shared(rows: _Rows, schema: pa.Schema) -> pa.RecordBatch:
    """Pairs that share keys, all of whose rows are here, as `unspin.blocking` joins them."""
    numbers, firsts, texts = np.unique(rows.passages, return_index=True, return_inverse=True)
    bits = max(1, len(numbers).bit_length())
    starts = run_starts(rows.keys.view(np.uint64))
    ranks = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(rows.keys))))
    kinds = rows.keys.view(np.uint64) >> np.uint64(64 - KIND_BITS)
    found = [np.empty(0, np.int64)]
    for kind, common in ((Kind.GRAM, COMMON), (Kind.PAIR, COMMON_PAIR)):
        here = kinds == kind
        packed: Hashes = ((ranks[here] << bits) | texts[here]).astype(np.uint64)
        found += joined(packed, bits, common, drop=kind is Kind.PAIR)
    both, counts = np.unique(np.concatenate(found), return_counts=True)
    first, second = both >> bits, both & ((1 << bits) - 1)
    lengths = rows.lengths[firsts]
    columns = numbers[first], numbers[second], counts, np.minimum(lengths[first], lengths[second])
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=schema)


def matches(batches: Batches, *, shipped: Shipped, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Those of some pairs that match; their texts are in columns `first_text` and `second_text`."""
    table = canon(load_lexicon(shipped))
    for numbers, texts, rows in _compared(batches):
        first, second, shared = rows
        a, b = np.searchsorted(numbers, first), np.searchsorted(numbers, second)
        found = verified(texts, a, b, shared, table)
        columns = first[found], second[found], shared[found]
        yield pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=schema)


def _compared(batches: Batches) -> Iterator[tuple[Longs, list[str], Longs]]:
    """Pairs, so many at a time that their texts, each of which is held once, are a block; texts in order."""
    texts: dict[int, str] = {}
    rows: list[tuple[int, int, int]] = []
    size = 0
    for batch in batches:
        for first, second, shared, *quoted in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            for number, text in zip((first, second), quoted, strict=True):
                size += len(text) * (number not in texts)
                texts[number] = text
            rows.append((first, second, shared))
            if size >= SIZE:
                yield *_ordered(texts), np.asarray(rows, np.int64).T
                texts, rows, size = {}, [], 0
    if rows:
        yield *_ordered(texts), np.asarray(rows, np.int64).T


def _ordered(texts: dict[int, str]) -> tuple[Longs, list[str]]:
    numbers = sorted(texts)
    return np.asarray(numbers, np.int64), [texts[number] for number in numbers]
