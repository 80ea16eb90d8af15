"""Which stretches of a text stand in another one, whatever was swapped in them, and which are new.

Two texts come in, as strings with a character for each symbol (`unspin.fingerprint`); out go the symbols that align,
and stretches of them whose alignment speaks for a copy, or against one. A symbol speaks by whether it aligns: function
words of a copy nearly all do, its content words unless they were swapped, and those of unlike text hardly ever
(weights of Fellegi and Sunter 1969, summed along the text after Page 1954). Nothing is refused; texts longer than
`ALIGNED` are compared by pairs of symbols, without order, for alignment takes the product of two lengths.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, pairwise
from math import log
from typing import NamedTuple

from rapidfuzz.distance import Indel, LCSseq

# Measured on the candidates that `benchmarks/copies.py` makes: shares of symbols that align.
UNLIKE_CONTENT, UNLIKE_FUNCTION = 0.1, 0.2  # in unlike texts
COPIED_CONTENT, COPIED_FUNCTION = 0.5, 0.85  # in copies 30 % of whose words an unknown spinner swapped
MOST = 8  # tenths of the content words that are expected to align, at most
EVIDENCE = 6.0  # log odds that make a copied stretch, and a fall by which ends any
AGAIN = 2.0  # and that do so in texts of which other stretches are copied
NEWS = 8.0  # log odds that make a new one,
USUAL = 25  # in a text of so many symbols: a longer one has more places where as much differs by chance
SLACK = 6  # symbols that may be added or left out between runs that align
ALONE = 4  # symbols of a run that needs no other beside it
PASSES = 8  # alignments of what was moved, at most
LEAST_REST = 6  # symbols that are worth another
ALIGNED = 20_000  # symbols


class Stretch(NamedTuple):
    """Symbols `start:end` of a text; `evidence` are log odds for what it was looked for as."""

    start: int
    end: int
    evidence: float


# A symbol that aligns has the first bit, a function word the second; log odds of copied over unlike text for each code.
ALIGNS, FUNCTION = 1, 2
_ALIGNING = bytes(code | ALIGNS for code in range(256))
Weights = tuple[float, float, float, float]


def _weights(content: float) -> Weights:
    return (
        log((1 - content) / (1 - UNLIKE_CONTENT)),
        log(content / UNLIKE_CONTENT),
        log((1 - COPIED_FUNCTION) / (1 - UNLIKE_FUNCTION)),
        log(COPIED_FUNCTION / UNLIKE_FUNCTION),
    )


@lru_cache
def _against(tenths: int) -> Weights:
    a, b, c, d = _weights(tenths / 10)
    return -a, -b, -c, -d


_COPIED = _weights(COPIED_CONTENT)


def gaps(first: Sequence[Hashable], second: Sequence[Hashable]) -> Iterator[tuple[int, int, int, int]]:
    """What lies between the runs of equal words in the longest common subsequence.

    Words `a:b` of the one stand where the other has its words `c:d`; either may be none.
    """
    a = c = 0
    for op in Indel.opcodes(first, second):
        if op.tag == "equal":
            if op.src_start > a or op.dest_start > c:
                yield a, op.src_start, c, op.dest_start
            a, c = op.src_end, op.dest_end
    if len(first) > a or len(second) > c:
        yield a, len(first), c, len(second)


def aligned(texts: Sequence[str], functions: Sequence[bytes]) -> list[bytearray]:
    """The codes of two texts' symbols: those align that are in the longest common subsequence; of long texts, in pairs.

    Short runs that stand far from those before and after them align by chance, and do not count: in a long text there
    is a "the" for every other one. `functions` say of each text which symbols are function words (`FUNCTION`, else 0).
    """
    (first, second), codes = texts, [bytearray(function) for function in functions]
    here, there = (function.translate(_ALIGNING) for function in functions)
    if max(len(first), len(second)) > ALIGNED:
        _align_pairs(codes[0], here, first, second)
        _align_pairs(codes[1], there, second, first)
        return codes
    blocks = LCSseq.editops(first, second).as_matching_blocks()  # the last one is empty
    is_far = True
    for (a, c, size), (b, d, _) in pairwise(blocks):
        was_far, is_far = is_far, b == len(first) or abs(d - c - b + a) > SLACK
        if size >= ALONE or not (was_far and is_far):
            codes[0][a : a + size] = here[a : a + size]
            codes[1][c : c + size] = there[c : c + size]
    return codes


def _align_pairs(codes: bytearray, aligning: bytes, text: str, other: str) -> None:
    known = set(pairwise(other))
    for place, pair in enumerate(pairwise(text)):
        if pair in known:
            codes[place : place + 2] = aligning[place : place + 2]


def realigned(texts: Sequence[str], functions: Sequence[bytes]) -> tuple[list[bytearray], list[list[Stretch]]]:
    """How two texts align, and which stretches of each are copied.

    What is no copied stretch in order is aligned again with what is none in the other text. That finds sentences that
    were moved: the longest run of them that is in order first, then the next.
    """
    found = aligned(texts, functions)
    stretches = [list(copied(found[0])), []]
    if stretches[0]:  # where it has none, as most candidates, the other one has hardly any
        stretches[1] += copied(found[1])
    if not all(stretches) or max(map(len, texts)) > ALIGNED:
        return found, stretches
    rests: list[Sequence[int]] = [range(len(text)) for text in texts]
    fresh, is_moved = stretches, False
    for _ in range(PASSES):
        if min(_left(those, len(text)) for those, text in zip(fresh, texts, strict=True)) < LEAST_REST:
            break
        cuts = [_outside(those, len(text)) for those, text in zip(fresh, texts, strict=True)]
        texts = ["".join(map(text.__getitem__, cut)) for text, cut in zip(texts, cuts, strict=True)]
        functions = [b"".join(map(function.__getitem__, cut)) for function, cut in zip(functions, cuts, strict=True)]
        parts = aligned(texts, functions)
        fresh = [list(_stretches(parts[0], _COPIED, AGAIN))]
        if not fresh[0]:
            break
        fresh.append(list(_stretches(parts[1], _COPIED, AGAIN)))
        if not fresh[1]:
            break
        is_moved = True
        rests = [list(chain.from_iterable(map(rest.__getitem__, cut))) for rest, cut in zip(rests, cuts, strict=True)]
        for whole, part, rest, those in zip(found, parts, rests, fresh, strict=True):
            for start, end, _ in those:
                for place in range(start, end):
                    whole[rest[place]] = part[place]
    return found, [list(copied(codes)) for codes in found] if is_moved else stretches


def _left(stretches: Iterable[Stretch], size: int) -> int:
    return size - sum(end - start for start, end, _ in stretches)


def _outside(stretches: Sequence[Stretch], size: int) -> list[slice]:
    """What lies between the stretches of a text of that size."""
    edges = [0, *(edge for start, end, _ in stretches for edge in (start, end)), size]
    return [slice(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def copied(codes: bytes | bytearray) -> Iterator[Stretch]:
    """The stretches of a text that stand in the other one."""
    return _stretches(codes, _COPIED, EVIDENCE)


def new(codes: bytes | bytearray, stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    """The stretches of a text that nothing in the other one explains.

    The more content words align in the `stretches` that are copied, the more one tells that does not.
    """
    aligning = sum(codes.count(ALIGNS, start, end) for start, end, _ in stretches)
    content = aligning + sum(codes.count(0, start, end) for start, end, _ in stretches)
    tenths = 10 * aligning // max(1, content)
    least = NEWS + log(max(1.0, len(codes) / USUAL))
    return _stretches(codes, _against(max(round(10 * COPIED_CONTENT), min(MOST, tenths))), least)


def _stretches(codes: bytes | bytearray, weights: Weights, least: float) -> Iterator[Stretch]:
    """Sums weights from left to right, starting afresh below 0; a stretch ends where the sum was highest."""
    start = end = 0
    total = highest = 0.0
    for place, code in enumerate(codes, 1):
        total += weights[code]
        if total > highest:
            highest, end = total, place
        elif total <= 0.0 or total <= highest - EVIDENCE:
            if highest >= least:
                yield Stretch(start, end, highest)
            start, total, highest = place, 0.0, 0.0
    if highest >= least:
        yield Stretch(start, end, highest)
