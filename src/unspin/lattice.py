"""Weighted lattices: best paths, total weights and posteriors, many lattices at once.

In comes a directed acyclic graph whose arcs carry log-weights; out go, in one vectorised sweep per
level, the log of the sum over all paths (forward-backward) and the best path (Viterbi). Learning and
decoding both run on it: the same graph serves any number of weightings.

Source: L. R. Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77 (1989), in the log semiring
and on graphs instead of chains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def ranges(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """All pairs (i, n) with first[i] <= n < last[i], as two arrays."""
    many = np.maximum(0, last - first)
    row = np.repeat(np.arange(len(first)), many)
    return row, first[row] + np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)


def join(key: Ints, wanted: Ints, size: int) -> tuple[Ints, Ints]:
    """All pairs (i, j) with key[i] == wanted[j]; keys lie in [0, size). Sorted by j."""
    order = np.argsort(key, kind="stable")
    count = np.bincount(key, minlength=size)
    begin = np.cumsum(count) - count
    right, place = ranges(begin[wanted], begin[wanted] + count[wanted])
    return order[place], right


@dataclass(frozen=True, slots=True)
class _Sweep:
    """Arcs ordered so that all arcs into (or out of) one node lie together, level after level."""

    order: Ints  # arcs in sweeping order
    far: Ints  # per ordered arc, the node it brings its weight from
    near: Ints  # per group, the node that collects
    starts: Ints  # per group, its first arc, counted from the first of its level
    group: Ints  # per ordered arc, its group, counted from the first of its level
    levels: tuple[tuple[int, int, int, int], ...]  # per level: arcs [a, b), groups [g, h)


def _sweep(near: Ints, far: Ints, level: Ints) -> _Sweep:
    order = np.lexsort((near, level))
    near, far, level = near[order], far[order], level[order]
    starts = np.flatnonzero(np.diff(near, prepend=-1))
    edges = np.append(np.flatnonzero(np.diff(level, prepend=level[:1] - 1)), len(level))
    groups = np.searchsorted(starts, edges)
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(near))))
    arcs_in, groups_in = np.diff(edges), np.diff(groups)
    levels = tuple(zip(edges[:-1].tolist(), edges[1:].tolist(), groups[:-1].tolist(), groups[1:].tolist(), strict=True))
    return _Sweep(
        order,
        far,
        near[starts],
        starts - np.repeat(edges[:-1], groups_in),
        group - np.repeat(groups[:-1], arcs_in),
        levels,
    )


class Lattice:
    """The graph of one or many lattices.

    `source`, `target`: per arc, its end nodes; `depth`: per node, a level that rises along every arc.
    Nodes without arcs into them are starts (log-weight 0), one per lattice; nodes without arcs out of them are
    ends. Weights are given per arc, shape (arcs,), or for several weightings at once, shape (arcs, n).
    """

    def __init__(self, source: Ints, target: Ints, depth: Ints) -> None:
        self.source, self.target, self.nodes = source, target, len(depth)
        self._forward = _sweep(target, source, depth[target])
        self._backward = _sweep(source, target, -depth[source])

    def _collect(self, sweep: _Sweep, weights: Floats) -> Floats:
        """Log of the summed weight of all paths between the outer end and each node."""
        total = np.zeros((self.nodes, *weights.shape[1:]))
        ordered = weights[sweep.order]
        far, near, starts, group = sweep.far, sweep.near, sweep.starts, sweep.group
        for a, b, g, h in sweep.levels:
            x = total[far[a:b]]
            x += ordered[a:b]
            peak = np.maximum.reduceat(x, starts[g:h])
            x -= peak[group[a:b]]
            np.exp(x, out=x)
            total[near[g:h]] = np.log(np.add.reduceat(x, starts[g:h])) + peak
        return total

    def forward(self, weights: Floats) -> Floats:
        """Per node, the log of the summed weight of all paths from its lattice's start to it."""
        return self._collect(self._forward, weights)

    def backward(self, weights: Floats) -> Floats:
        """Per node, the log of the summed weight of all paths from it to its lattice's end."""
        return self._collect(self._backward, weights)

    def posteriors(self, weights: Floats) -> Floats:
        """Per arc the share of its lattice's summed path weight that runs through it, in [0, 1]."""
        forward, backward = self.forward(weights), self.backward(weights)
        total = self._totals(backward)
        through = forward[self.source]
        through += weights
        through += backward[self.target]
        through -= total[self.source]
        return np.exp(through, out=through)

    def _totals(self, backward: Floats) -> Floats:
        """Per node, the log of its whole lattice's weight: its start's, handed along the arcs."""
        total = backward.copy()
        sweep = self._forward
        first = sweep.far[np.repeat([a for a, *_ in sweep.levels], [h - g for *_, g, h in sweep.levels]) + sweep.starts]
        for _, _, g, h in sweep.levels:
            total[sweep.near[g:h]] = total[first[g:h]]
        return total

    def best(self, weights: Floats) -> NDArray[np.bool_]:
        """Per arc, whether it lies on its lattice's best path; on ties the arc given first wins."""
        sweep = self._forward
        score = np.zeros(self.nodes)
        chosen = np.full(self.nodes, -1, dtype=np.int64)
        ordered = weights[sweep.order]
        for a, b, g, h in sweep.levels:
            x = score[sweep.far[a:b]]
            x += ordered[a:b]
            starts = sweep.starts[g:h]
            peak = np.maximum.reduceat(x, starts)
            hits = np.flatnonzero(x == peak[sweep.group[a:b]])
            score[sweep.near[g:h]] = peak
            chosen[sweep.near[g:h]] = sweep.order[a + hits[np.searchsorted(hits, starts)]]
        return self._trace(chosen)

    def _trace(self, chosen: Ints) -> NDArray[np.bool_]:
        on_path = np.zeros(len(self.source), dtype=bool)
        is_end = np.ones(self.nodes, dtype=bool)
        is_end[self.source] = False
        at = chosen[np.flatnonzero(is_end)]
        while len(at := at[at >= 0]):
            on_path[at] = True
            at = chosen[self.source[at]]
        return on_path
