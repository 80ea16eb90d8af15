"""The last stage of the search for copies: chains of matches, each as a whole, become groups.

In come rows in the order of their `component`: members (passages), and matches among them, which have an `other`. Out
go the groups, a row for each of their passages, or what texts have in common with which others. Some chains are read at
a time; one of them is held as a whole, with the text of each passage that differs from those before. Nothing is
refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from unspin.canon import canon
from unspin.chains import grouped, placed
from unspin.model import CopyGroup, Keep, Place
from unspin.siblings import links
from unspin.spark.frames import Batches, built
from unspin.spark.shipping import Shipped, load_lexicon
from unspin.spark.stages import SIZE

# `like` is the first passage with the same characters, which alone brings the `text`
MEMBER = (
    "component long, passage long, other long, shared long, like long, is_unit boolean, document long, id {id}, "
    "start integer, end integer, date double, text string, digest string"
)
GROUP = (
    "group long, kind string, id {id}, start integer, end integer, score double, rule string, kept_id {id}, "
    "weakest integer, weakest_score double"
)
LINK = "id {id}, other {id}, size long, digest string"
KEPT = "kept"
OVERHEAD = 200  # characters that a member counts for besides its text

Row = dict[str, Any]


class _Chains(NamedTuple):
    """Whole chains of matches."""

    members: list[Row]
    matches: list[Row]


def _chains(batches: Batches) -> Iterator[_Chains]:
    """Some at a time, cut where a component ends."""
    members: list[Row] = []
    matches: list[Row] = []
    size, last = 0, None
    for row in (row for batch in batches for row in batch.to_pylist()):
        if row["component"] != last and size >= SIZE:
            yield _Chains(members, matches)
            members, matches, size = [], [], 0
        last = row["component"]
        (members if row["other"] is None else matches).append(row)
        size += OVERHEAD + len(row["text"] or "")
    if members:
        yield _Chains(members, matches)


class _Found(NamedTuple):
    """A group, and its places in the collection: which member stands there."""

    group: CopyGroup
    at: dict[Place, Row]
    texts: dict[int, str]

    def quoted(self, place: Place) -> str:
        return self.texts[self.at[place]["like"]]


def _found(chains: _Chains, *, shipped: Shipped, keep: Keep, dated: bool) -> Iterator[_Found]:
    """The groups of some chains."""
    members = sorted(chains.members, key=itemgetter("passage"))
    texts = {row["passage"]: row["text"] for row in members if row["text"] is not None}
    units = np.asarray([row["passage"] for row in members if row["is_unit"]], np.int64)
    columns = [[row[name] for row in chains.matches] for name in ("passage", "other", "shared")]
    first, second, shared = np.asarray(columns, np.int64).reshape(3, -1)
    order = np.lexsort((second, first))
    matches = np.searchsorted(units, first[order]), np.searchsorted(units, second[order]), shared[order]
    places = [Place(row["document"], row["start"], row["end"]) for row in members]
    at = dict(zip(places, members, strict=True))
    for group in grouped(
        [texts[row["like"]] for row in members],
        matches,
        keep=keep,
        dates=[row["date"] for row in members] if dated else (),
        canon=canon(load_lexicon(shipped)),
    ):
        yield _Found(placed(group, places), at, texts)


def groups(
    batches: Batches, *, shipped: Shipped, keep: Keep, dated: bool, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The groups that `unspin.dedupe` finds, a row for each of their passages."""
    for chains in _chains(batches):
        found = _found(chains, shipped=shipped, keep=keep, dated=dated)
        yield built([row for one in found for row in _rows(one)], schema)


def _rows(found: _Found) -> Iterator[tuple[Any, ...]]:
    """The kept passage, and the others in the order of their places."""
    group, at = found.group, found.at
    kept = at[group.kept]

    def row(place: Place, kind: str, score: float, rule: str | None) -> tuple[Any, ...]:
        here = at[place]
        weakest = group.weakest.index(place) + 1 if place in group.weakest else None
        span = here["id"], here["start"], here["end"]
        return kept["passage"], kind, *span, score, rule, kept["id"], weakest, group.weakest_score

    yield row(group.kept, KEPT, 1.0, None)
    for copy in (*group.copies, *group.overlaps):
        yield row(copy.place, copy.kind.value, copy.score, copy.rule)


def linked(batches: Batches, *, shipped: Shipped, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Which texts share passages with which others, and how much, as `unspin.siblings` counts it."""
    for chains in _chains(batches):
        names = {row["document"]: row["id"] for row in chains.members}
        digests = {row["document"]: row["digest"] for row in chains.members}
        rows = [
            (names[one], names[other], size, digests[other])
            for found in _found(chains, shipped=shipped, keep=Keep.ORIGINAL, dated=False)
            for one, other, size in links(found.group, found.quoted, digests)
        ]
        yield built(rows, schema)
