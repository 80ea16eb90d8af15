"""What a neural ranker learns from: spun text with every candidate, and which swap, if any, was made there.

In come originals with their spun copies (aligned pairs, or clean text that the channel spins); out go `Examples`:
arrays that a training step reads without another look at a text, kept in plain files. Pairs whose paragraphs do not
correspond are refused by whoever reads them; what a copy changes beyond the lexicon counts as left alone.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from unspin.channel import Match, find, is_mixed, written
from unspin.errors import FormatError
from unspin.lexicon import Lexicon, Phrase
from unspin.model import Token
from unspin.neural.wordpiece import WINDOW, Pieces, windows
from unspin.ngrams import usable
from unspin.rank import DAMAGED
from unspin.regions import Words
from unspin.spin import spin
from unspin.text import segment

REACH = 6  # equal tokens around a difference within which swaps are looked for
UNEXPLAINED = 1.0  # cost of a token that no swap explains ...
SWAP = 0.2  # ... and of a swap, so that few explain much ...
RARITY = 0.02  # ... and, per nat, of its rarity, which settles ties


@dataclass(frozen=True, slots=True)
class Examples:
    """Windows of pieces and their candidates.

    `ids` and `cases` [windows, WINDOW] as in `wordpiece.Windows`. Per span of candidates its `window`, `first` and
    `last` column, `begin` of its entries in `entry` (one more than spans), and `label`: 0 if it was no swap, n if its
    n-th entry was made there. `entry` numbers entries of `Lexicon.active`.
    """

    ids: NDArray[np.uint16]
    cases: NDArray[np.uint8]
    window: NDArray[np.int32]
    first: NDArray[np.uint8]
    last: NDArray[np.uint8]
    begin: NDArray[np.int64]
    label: NDArray[np.uint8]
    entry: NDArray[np.int32]

    @classmethod
    def joined(cls, parts: Sequence[Examples]) -> Examples:
        """Several as one, in order."""
        offsets = np.cumsum([0, *(len(part.ids) for part in parts)])
        entries = np.cumsum([0, *(len(part.entry) for part in parts)])
        together = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)}
        together["window"] = np.concatenate([p.window + o for p, o in zip(parts, offsets, strict=False)])
        begins = [p.begin[:-1] + o for p, o in zip(parts, entries, strict=False)]
        together["begin"] = np.concatenate([*begins, entries[-1:]])
        return cls(**together)

    def save(self) -> bytes:
        """The bytes of a file of these examples."""
        file = io.BytesIO()
        arrays: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        np.savez(file, **arrays)
        return file.getvalue()

    @classmethod
    def load(cls, path: Path) -> Examples:
        """The examples in a file; FormatError if it is damaged."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(**{f.name: arrays[f.name] for f in fields(cls)})
        except (OSError, *DAMAGED) as error:
            raise FormatError(path, f"no prepared examples ({error}); remove it to prepare them again") from error


def made(original: Sequence[str], spun: Sequence[str], found: Iterable[Match], lexicon: Lexicon) -> set[Match]:
    """The swaps, of those found in a spun text, that together explain best how it came from its original.

    Both are normal forms. A shortest path through each stretch where the two differ, as an edit distance is, with
    swaps as further steps.
    """
    at: dict[int, list[Match]] = {}
    for match in found:
        at.setdefault(match.start, []).append(match)
    chosen: set[Match] = set()
    for a, b, c, d in _stretches(original, spun):
        chosen.update(_explain(original[a:b], spun[c:d], c, at, lexicon))
    return chosen


def _stretches(original: Sequence[str], spun: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Where two texts differ: original [a, b) and spun [c, d), with REACH equal tokens around."""
    merged: list[list[int]] = []
    for op in Levenshtein.opcodes(original, spun):
        if op.tag == "equal":
            continue
        if merged and op.src_start - merged[-1][1] <= REACH:
            merged[-1][1], merged[-1][3] = op.src_end, op.dest_end
        else:
            merged.append([op.src_start, op.src_end, op.dest_start, op.dest_end])
    for number, (a, b, c, d) in enumerate(merged):
        left = min(a - (merged[number - 1][1] if number else 0), REACH)
        right = min((merged[number + 1][0] if number + 1 < len(merged) else len(original)) - b, REACH)
        yield a - left, b + right, c - left, d + right


def _explain(
    original: Sequence[str], spun: Sequence[str], offset: int, at: dict[int, list[Match]], lexicon: Lexicon
) -> Iterator[Match]:
    """The swaps on the cheapest path from nothing to the whole of both sequences."""
    wide = len(original) + 1
    cost = [math.inf] * (wide * (len(spun) + 1))
    came: list[tuple[int, Match | None]] = [(-1, None)] * len(cost)
    cost[0] = 0.0

    def step(to: int, price: float, source: int, match: Match | None) -> None:
        if price < cost[to]:
            cost[to], came[to] = price, (source, match)

    for j in range(len(spun) + 1):
        swaps = [m for m in at.get(offset + j, ()) if m.end <= offset + len(spun)] if j < len(spun) else []
        for i in range(wide):
            here = j * wide + i
            if (so_far := cost[here]) == math.inf:
                continue
            if i + 1 < wide:
                step(here + 1, so_far + UNEXPLAINED, here, None)
            if j < len(spun):
                step(here + wide, so_far + UNEXPLAINED, here, None)
                if i + 1 < wide:
                    same = original[i] == spun[j]
                    step(here + wide + 1, so_far + (0.0 if same else UNEXPLAINED), here, None)
            for match in swaps:
                output = lexicon.originals[match.entry]
                if tuple(original[i : i + len(output)]) == output:
                    price = SWAP - RARITY * math.log(lexicon.active[match.entry].rate)
                    step((match.end - offset) * wide + i + len(output), so_far + price, here, match)
    place = len(cost) - 1
    while place > 0:
        place, match_ = came[place]
        if match_ is not None:
            yield match_


def examples(original: str, spun: str, lexicon: Lexicon, pieces: Pieces) -> Examples:
    """The candidates of one spun text, paragraph by paragraph of its original, and what was made of them.

    Raises ValueError if the two have different numbers of paragraphs.
    """
    tokens: list[Token] = []
    starts: list[int] = []
    found: list[Match] = []
    swaps: set[Match] = set()
    document = segment(spun)
    mixed = is_mixed(document.tokens)
    for before, after in zip(segment(original).paragraphs, document.paragraphs, strict=True):
        first = len(tokens)
        tokens += [token for sentence in after.sentences for token in sentence.tokens]
        words = Words([[token.norm for token in sentence.tokens] for sentence in after.sentences], lexicon)
        begins = words.starts.tolist()
        here, _ = written(tokens[first:], {*begins}, *find(words.known, words.stop, lexicon), lexicon, mixed=mixed)
        starts += [first + begin for begin in begins]
        norms = [token.norm for sentence in before.sentences for token in sentence.tokens]
        chosen = made(norms, [token.norm for token in tokens[first:]], here, lexicon)
        swaps.update(Match(m.start + first, m.end + first, m.entry) for m in chosen)
        found += [Match(m.start + first, m.end + first, m.entry) for m in here]
    return _laid_out(tokens, starts, found, swaps, pieces)


def _laid_out(
    tokens: Sequence[Token], starts: Sequence[int], found: Sequence[Match], swaps: Set[Match], pieces: Pieces
) -> Examples:
    laid = windows(tokens, starts, pieces)
    wide = ((0, 0), (0, WINDOW - laid.ids.shape[1]))
    spans: list[tuple[int, int, int, int, int]] = []
    entries: list[int] = []
    last: tuple[int, int] | None = None
    for match in found:
        window = int(laid.window[match.start])
        if laid.window[match.end - 1] != window:
            continue
        if (match.start, match.end) != last:
            columns = int(laid.first[match.start]), int(laid.last[match.end - 1])
            spans.append((window, *columns, len(entries), 0))
            last = match.start, match.end
        entries.append(match.entry)
        if match in swaps:
            spans[-1] = (*spans[-1][:4], len(entries) - spans[-1][3])
    window_, first, end, begin, label = np.asarray(spans, dtype=np.int64).reshape(-1, 5).T
    return Examples(
        ids=np.pad(laid.ids, wide, constant_values=pieces.pad).astype(np.uint16),
        cases=np.pad(laid.cases, wide).astype(np.uint8),
        window=window_.astype(np.int32),
        first=first.astype(np.uint8),
        last=end.astype(np.uint8),
        begin=np.append(begin, len(entries)),
        label=label.astype(np.uint8),
        entry=np.asarray(entries, dtype=np.int32),
    )


def respun(
    texts: Iterable[str], lexicon: Lexicon, pieces: Pieces, *, held_out: Set[Phrase], seed: int
) -> Iterator[Examples]:
    """Examples of clean texts, each spun at a rate drawn evenly from [0.5, 1], and every tenth not at all."""
    draw = np.random.default_rng(seed)
    for number, text in enumerate(texts):
        kept = "\n".join(text[p.start : p.end] for p in usable(text, held_out))
        rate = 0.0 if number % 10 == 0 else float(draw.uniform(0.5, 1.0))
        if kept:
            yield examples(kept, spin(kept, lexicon, seed=seed + number, rate=rate).text, lexicon, pieces)
