"""Laws of lattices: what the sweeps find is what listing every path finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.lattice import Floats, Lattice

NEVER = -1e30  # a log-weight that stands for zero

Path = tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """Arcs between numbered nodes; the first node is the start, the last the end."""

    arcs: tuple[tuple[int, int], ...]
    weights: tuple[float, ...]

    @property
    def nodes(self) -> int:
        return max(target for _, target in self.arcs) + 1

    def lattice(self) -> Lattice:
        source, target = np.asarray(self.arcs, dtype=np.int64).T
        return Lattice(source, target, np.arange(self.nodes))

    def paths(self, start: int, end: int) -> Iterator[Path]:
        """Every path, as numbers of arcs."""
        if start == end:
            yield ()
        for number, (source, target) in enumerate(self.arcs):
            if source == start:
                yield from ((number, *rest) for rest in self.paths(target, end))

    def total(self, start: int, end: int) -> float:
        sums = [sum(self.weights[arc] for arc in path) for path in self.paths(start, end)]
        return float(np.logaddexp.reduce(sums))


ANY_WEIGHT = st.floats(-30.0, 5.0) | st.just(NEVER)
WHOLE = st.integers(-3, 3).map(float)  # sums are exact, ties frequent


@st.composite
def graphs(draw: st.DrawFn, weight: st.SearchStrategy[float] = ANY_WEIGHT) -> Graph:
    """Every node lies on a path of possible arcs from start to end; others, parallel ones too, come in any order."""
    nodes = draw(st.integers(2, 6))
    pairs = st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1)).filter(lambda p: p[0] < p[1])
    arcs = [(i, i + 1, draw(st.integers(-3, 3).map(float))) for i in range(nodes - 1)]
    arcs += [(*pair, draw(weight)) for pair in draw(st.lists(pairs, max_size=8))]
    arcs = draw(st.permutations(arcs))
    return Graph(tuple((a, b) for a, b, _ in arcs), tuple(w for _, _, w in arcs))


def weights(graph: Graph) -> Floats:
    return np.asarray(graph.weights)


@settings(deadline=None)
@given(graphs())
def test_totals_are_sums_over_all_paths(graph: Graph) -> None:
    last = graph.nodes - 1
    forward, backward = graph.lattice().forward(weights(graph)), graph.lattice().backward(weights(graph))
    assert forward == pytest.approx([graph.total(0, node) for node in range(graph.nodes)], abs=1e-9)
    assert backward == pytest.approx([graph.total(node, last) for node in range(graph.nodes)], abs=1e-9)


@settings(deadline=None)
@given(graphs())
def test_posteriors_are_the_shares_of_the_paths_through_an_arc(graph: Graph) -> None:
    total = graph.total(0, graph.nodes - 1)
    shares = np.zeros(len(graph.arcs))
    for path in graph.paths(0, graph.nodes - 1):
        shares[list(path)] += np.exp(sum(graph.weights[arc] for arc in path) - total)
    assert graph.lattice().posteriors(weights(graph)) == pytest.approx(shares, abs=1e-9)


@settings(deadline=None)
@given(graphs())
def test_what_goes_into_a_node_comes_out_of_it(graph: Graph) -> None:
    posterior = graph.lattice().posteriors(weights(graph))
    assert posterior.min() >= 0.0 and posterior.max() <= 1.0 + 1e-9
    for node in range(1, graph.nodes - 1):
        entering = sum(p for p, (_, target) in zip(posterior, graph.arcs, strict=True) if target == node)
        leaving = sum(p for p, (source, _) in zip(posterior, graph.arcs, strict=True) if source == node)
        assert entering == pytest.approx(leaving, abs=1e-9)


@settings(deadline=None)
@given(graphs(WHOLE))
def test_the_best_path_is_the_heaviest_and_on_ties_the_first_given(graph: Graph) -> None:
    paths = list(graph.paths(0, graph.nodes - 1))
    heaviest = max(sum(graph.weights[arc] for arc in path) for path in paths)
    tied = [path for path in paths if sum(graph.weights[arc] for arc in path) == heaviest]
    best = np.flatnonzero(graph.lattice().best(weights(graph))).tolist()
    # Ties are settled at each node for the arcs into it, so the last arc counts first.
    assert best == sorted(min(path[::-1] for path in tied))


@settings(deadline=None)
@given(st.lists(graphs(), min_size=2, max_size=4))
def test_several_lattices_at_once_are_as_one_by_one(several: list[Graph]) -> None:
    offsets = np.cumsum([0, *(graph.nodes for graph in several)])
    ends = np.concatenate([np.asarray(g.arcs) + o for g, o in zip(several, offsets, strict=False)])
    depth = np.concatenate([np.arange(graph.nodes) for graph in several])
    together, all_weights = Lattice(ends[:, 0], ends[:, 1], depth), np.concatenate([weights(g) for g in several])
    alone = [(graph.lattice(), weights(graph)) for graph in several]
    assert together.forward(all_weights) == pytest.approx(np.concatenate([g.forward(w) for g, w in alone]))
    assert together.backward(all_weights) == pytest.approx(np.concatenate([g.backward(w) for g, w in alone]))
    posteriors = np.concatenate([g.posteriors(w) for g, w in alone])
    assert together.posteriors(all_weights) == pytest.approx(posteriors, abs=1e-9)
    assert together.best(all_weights).tolist() == np.concatenate([g.best(w) for g, w in alone]).tolist()


@settings(deadline=None)
@given(graphs(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_several_weightings_at_once_are_as_one_by_one(graph: Graph, columns: int, chance: random.Random) -> None:
    several = np.asarray([chance.sample(graph.weights, len(graph.weights)) for _ in range(columns)]).T
    lattice = graph.lattice()
    forward, backward = lattice.forward(several), lattice.backward(several)
    for column in range(columns):
        assert forward[:, column] == pytest.approx(lattice.forward(several[:, column]))
        assert backward[:, column] == pytest.approx(lattice.backward(several[:, column]))
