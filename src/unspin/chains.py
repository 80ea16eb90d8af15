"""Pairs of passages compared, and chains of matches grouped, for collections that are not held as a whole.

In come texts, as many as are held at a time, with the pairs among them that share rare grams or are known to match; out
go the pairs that match, or `CopyGroup`s. Answers do not depend on what else is held, so that a collection larger than
memory gets those of `unspin.copies.dedupe`. Nothing is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from unspin.blocking import MIN_SYMBOLS, SHARED_RATE
from unspin.canon import Canon
from unspin.copies import Graph, Policy, groups_of
from unspin.fingerprint import read
from unspin.match import Matcher
from unspin.model import Copy, CopyGroup, Keep, Level, Place
from unspin.units import read_passages
from unspin.words import Longs


def verified(texts: Sequence[str], first: Longs, second: Longs, shared: Longs, canon: Canon) -> Longs:
    """Which of some pairs of texts match, by their places; a pair is two places among the texts."""
    matcher = Matcher(read(texts, canon))
    shorter = np.minimum(matcher.lengths[first], matcher.lengths[second])
    enough = np.flatnonzero((shared >= SHARED_RATE * shorter) & (shorter >= MIN_SYMBOLS))
    a, b = first[enough], second[enough]
    places = {
        pair: place for place, pair in zip(enough.tolist(), zip(a.tolist(), b.tolist(), strict=True), strict=True)
    }
    found = [places[one, other] for one, other, _ in matcher.matches(a, b, shared[enough])]
    return np.asarray(found, np.int64)


def grouped(
    texts: Sequence[str],
    matches: tuple[Longs, Longs, Longs],
    *,
    keep: Keep,
    dates: Sequence[float],
    canon: Canon,
) -> Iterator[CopyGroup]:
    """The groups of passages that are given as texts: whole chains of matches, with all that have the same words.

    Passages of the same words are one unit; `matches` are pairs of units, which are numbered by their first passages,
    and how many grams they share.
    """
    passages = read_passages(texts, Level.DOCUMENT, canon)
    graph = Graph(Matcher(passages.corpus))
    graph.learn(*matches)
    return groups_of(passages, Policy(keep, dates, passages), graph)


def placed(group: CopyGroup, places: Sequence[Place]) -> CopyGroup:
    """A group of passages that were given as texts, where they really stand."""

    def copy(one: Copy) -> Copy:
        return replace(one, place=places[one.place.text])

    first, second = group.weakest
    return replace(
        group,
        kept=places[group.kept.text],
        copies=tuple(map(copy, group.copies)),
        overlaps=tuple(map(copy, group.overlaps)),
        weakest=(places[first.text], places[second.text]),
    )
