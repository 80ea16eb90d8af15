"""Lattices by hand: totals, shares, best paths, ties, and what must not overflow."""

from __future__ import annotations

import time

import numpy as np
import pytest

from unspin.lattice import Lattice

NEVER = -1e30  # a log-weight that stands for zero


def lattice(*arcs: tuple[int, int]) -> Lattice:
    """A lattice whose nodes are numbered in an order that rises along every arc."""
    ends = np.asarray(arcs, dtype=np.int64).reshape(-1, 2)
    return Lattice(ends[:, 0], ends[:, 1], np.arange(ends.max(initial=0) + 1))


DIAMOND = lattice((0, 1), (0, 2), (1, 3), (2, 3), (0, 3))
WEIGHTS = np.log([0.5, 0.25, 0.5, 0.5, 0.125])  # paths of 0.25, 0.125 and 0.125


def test_totals_sum_over_all_paths() -> None:
    assert DIAMOND.forward(WEIGHTS) == pytest.approx(np.log([1.0, 0.5, 0.25, 0.5]))
    assert DIAMOND.backward(WEIGHTS) == pytest.approx(np.log([0.5, 0.5, 0.5, 1.0]))


def test_posteriors_are_shares_of_the_total() -> None:
    assert DIAMOND.posteriors(WEIGHTS) == pytest.approx([0.5, 0.25, 0.5, 0.25, 0.25])


def test_the_best_path_is_marked_arc_by_arc() -> None:
    assert DIAMOND.best(WEIGHTS).tolist() == [True, False, True, False, False]
    assert DIAMOND.best(np.log([0.1, 0.1, 0.1, 0.1, 0.9])).tolist() == [False, False, False, False, True]


def test_one_graph_serves_many_weightings() -> None:
    first = DIAMOND.forward(WEIGHTS)
    DIAMOND.forward(np.zeros(5))
    assert DIAMOND.forward(np.zeros(5))[3] == pytest.approx(np.log(3))
    assert DIAMOND.forward(WEIGHTS).tolist() == first.tolist()


def test_weights_are_not_written_to() -> None:
    weights = WEIGHTS.copy()
    DIAMOND.posteriors(weights)
    DIAMOND.best(weights)
    assert weights.tolist() == WEIGHTS.tolist()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_on_ties_the_arc_given_first_wins(order: tuple[int, ...]) -> None:
    parallel = lattice((0, 1), (0, 1), (0, 1))
    weights = np.asarray([-1.0, -1.0, -2.0])[list(order)]
    assert np.flatnonzero(parallel.best(weights)).tolist() == [int(np.argmax(weights))]


def test_parallel_arcs_are_different_paths() -> None:
    double = lattice((0, 1), (0, 1), (1, 2))
    assert double.forward(np.zeros(3))[2] == pytest.approx(np.log(2))
    assert double.posteriors(np.log([0.75, 0.25, 1.0])) == pytest.approx([0.75, 0.25, 1.0])


def test_an_impossible_arc_carries_nothing() -> None:
    weights = WEIGHTS.copy()
    weights[[0, 4]] = NEVER
    assert DIAMOND.posteriors(weights) == pytest.approx([0.0, 1.0, 0.0, 1.0, 0.0])
    assert DIAMOND.best(weights).tolist() == [False, True, False, True, False]
    assert DIAMOND.backward(weights)[0] == pytest.approx(np.log(0.125))


def test_where_every_path_is_impossible_nothing_is_nan() -> None:
    assert np.isfinite(DIAMOND.posteriors(np.full(5, NEVER))).all()
    assert DIAMOND.best(np.full(5, NEVER)).sum() >= 1


@pytest.mark.parametrize("weight", [-1000.0, 1000.0])
def test_long_chains_neither_overflow_nor_underflow(weight: float) -> None:
    steps = 10_000
    chain = lattice(*((i, i + 1) for i in range(steps) for _ in range(2)))
    weights = np.tile([weight, weight + np.log(3)], steps)
    assert chain.backward(weights)[0] == pytest.approx(steps * (weight + np.log(4)))
    assert chain.posteriors(weights) == pytest.approx(np.tile([0.25, 0.75], steps), abs=1e-6)
    assert chain.best(weights).tolist() == [False, True] * steps


def test_lattices_side_by_side_cost_no_more_than_their_longest() -> None:
    """One sweep per level, whatever the number of lattices: 20,000 arcs in 10 levels are quick."""
    side = 2_000
    source = np.arange(side * 11).reshape(side, 11)[:, :-1].ravel()
    many = Lattice(source, source + 1, np.tile(np.arange(11), side))
    began = time.perf_counter()
    assert many.forward(np.full(side * 10, -1.0))[10::11] == pytest.approx(np.full(side, -10.0))
    assert time.perf_counter() - began < 2.0
