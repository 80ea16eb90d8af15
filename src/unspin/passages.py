"""Texts as passages, block by block, with the digests and keys that they are found again by on disk.

Texts come in, as many as there are; out come `Block`s of about so many characters. What is in a block does not depend
on what is in the others: digests and keys are equal for equal passages in every process, as far as they are read with
the same `Canon`, which `signature` tells. Nothing is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xxhash

from unspin.canon import Canon
from unspin.fingerprint import Corpus, grams, pairs, read
from unspin.model import Level, Place
from unspin.postings import Kind, keyed
from unspin.units import characters_digest, spans
from unspin.words import Hashes, Ints, Longs

OVERHEAD = 50  # characters that a passage counts for besides its own
_PROBE = "The 3 men who were in Ohio on 12 May said it's not true: because of the rain, the Smiths' two boats sank."


@dataclass(frozen=True, slots=True)
class Block:
    """Passages. Equal ones are one text of the corpus: passage n is its text `text_of[n]`."""

    places: list[Place]
    digests: list[bytes]  # per passage, of its characters without white space
    text_of: list[int]
    texts: list[str]
    corpus: Corpus

    @property
    def sizes(self) -> Longs:
        """Words per text."""
        return np.diff(self.corpus.word_bounds)

    @property
    def lengths(self) -> Longs:
        """Symbols per text."""
        return np.diff(self.corpus.bounds)

    def words_digests(self) -> list[bytes]:
        """Per text: equal for the same words; of a text without words, that of its characters."""
        hashes = self.corpus.hashes[self.corpus.words]
        bounds = self.corpus.word_bounds.tolist()
        digest_of = dict(zip(self.text_of, self.digests, strict=True))
        return [
            xxhash.xxh3_128_digest(hashes[start:end].tobytes()) if end > start else digest_of[number]
            for number, (start, end) in enumerate(pairwise(bounds))
        ]


def blocks(texts: Iterable[tuple[int, str]], *, level: Level, canon: Canon, size: int) -> Iterator[Block]:
    """The passages of numbered texts, those without characters left out, in blocks of about `size` characters."""
    held: dict[str, int] = {}
    found: list[tuple[Place, bytes, int]] = []
    used = 0
    for number, text in texts:
        for start, end in spans(text, level):
            passage = text[start:end]
            used += len(passage) + OVERHEAD
            if digest := characters_digest(passage):
                found.append((Place(number, start, end), digest, held.setdefault(passage, len(held))))
            if used >= size and found:
                yield _block(found, list(held), canon)
                held, found, used = {}, [], 0
    if found:
        yield _block(found, list(held), canon)


def _block(found: list[tuple[Place, bytes, int]], texts: list[str], canon: Canon) -> Block:
    places, digests, text_of = map(list, zip(*found, strict=True))
    return Block(places, digests, text_of, texts, read(texts, canon))


def digest_keys(kind: Kind, digests: Iterable[bytes]) -> Hashes:
    """Keys of digests."""
    return keyed(kind, np.frombuffer(b"".join(digest[:8] for digest in digests), "<u8"))


def gram_keys(kind: Kind, corpus: Corpus) -> tuple[Hashes, Ints]:
    """Keys of a corpus's grams or pairs, and the number of the text that each stands in, as they come."""
    found = (grams if kind is Kind.GRAM else pairs)(corpus)
    return keyed(kind, found.hashes), found.texts


def combined(first: Corpus, second: Corpus) -> Corpus:
    """The texts of both, those of the second after those of the first."""
    hashes = np.unique(np.concatenate([first.hashes, second.hashes]))
    numbers = [np.searchsorted(hashes, corpus.hashes).astype(np.int32) for corpus in (first, second)]
    negated = np.zeros(len(hashes), np.bool_)
    for corpus, number in zip((first, second), numbers, strict=True):
        negated[number] = corpus.negated
    one, other = numbers
    return Corpus(
        symbols=np.concatenate([one[first.symbols], other[second.symbols]]),
        bounds=np.concatenate([first.bounds, first.bounds[-1] + second.bounds[1:]]),
        marks=np.concatenate([first.marks, second.marks]),
        words=np.concatenate([one[first.words], other[second.words]]),
        word_bounds=np.concatenate([first.word_bounds, first.word_bounds[-1] + second.word_bounds[1:]]),
        originality=np.concatenate([first.originality, second.originality]),
        hashes=hashes,
        negated=negated,
    )


def signature(canon: Canon) -> str:
    """Equal for what reads every text the same: a digest of the canon, and of what a text is read as."""
    total = xxhash.xxh3_64()
    for phrase in sorted(canon.classes):
        total.update(repr((phrase, canon.classes[phrase], canon.leaning[phrase])).encode())
    corpus = read([_PROBE], canon)
    for kind in (Kind.GRAM, Kind.PAIR):
        total.update(gram_keys(kind, corpus)[0].tobytes())
    return total.hexdigest()
