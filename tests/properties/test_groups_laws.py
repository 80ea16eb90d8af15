"""Which copies of a chain of matches stay: whatever is done to save time, as if each were looked at each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.canon import Canon
from unspin.copies import LEADERS, SPIN_MARGIN, Graph, Policy, _stars
from unspin.fingerprint import read
from unspin.match import Match, Matcher, Rule
from unspin.model import Keep, Level
from unspin.units import read_passages

Edge = tuple[int, int, bool, tuple[bool, bool]]


class Drawn(Graph):
    """Units whose matches are given; what is compared later never matches."""

    def __init__(self, lengths: list[int], edges: Iterable[Edge]) -> None:
        super().__init__(Matcher(read([], Canon())))
        self.matcher.lengths = np.array(lengths)
        for a, b, is_part, adds in edges:
            if a != b:
                match = Match(Rule.CONTAINED if is_part else Rule.IN_ORDER, 0.9, (1, 1), adds)
                self.known[a][b], self.known[b][a] = match, match.turned

    def compare(self, one: int, others: Iterable[int]) -> None:
        self.compared = [*others]


def plainly(graph: Graph, policy: Policy) -> Iterator[tuple[int, list[int]]]:
    """What `_stars` does, in time that grows with the square of a component."""

    def best(units: Iterable[int]) -> int:
        chosen = list(units)
        most = max(map(policy.originality, chosen))
        return min((unit for unit in chosen if policy.originality(unit) >= most - SPIN_MARGIN), key=policy.rank)

    for component in graph.components():
        left = set(component)
        while len(left) > 1:
            excerpts = {a for a in left for b in graph.known[a] if b in left and graph.is_excerpt(a, b)}
            kept = best(left - excerpts or left)
            copies = sorted(unit for unit in left - {kept} if graph.can_go(unit, kept))
            left -= {kept, *copies}
            if copies:
                yield kept, copies


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Drawn, Policy]:
    size = draw(st.integers(2, 9))
    units = st.integers(0, size - 1)
    edges = draw(st.lists(st.tuples(units, units, st.booleans(), st.tuples(st.booleans(), st.booleans())), max_size=20))
    graph = Drawn(draw(st.lists(st.integers(1, 4), min_size=size, max_size=size)), edges)
    passages = read_passages([f"w{n}" for n in range(size)], Level.DOCUMENT, Canon())
    shares = draw(st.lists(st.sampled_from([0, 0.01, 0.02, 0.04, 0.05, 0.5]), min_size=size, max_size=size))
    passages.corpus.originality[:] = shares
    dates = draw(st.lists(st.integers(0, 2).map(float), min_size=size, max_size=size))
    return graph, Policy(draw(st.sampled_from(Keep)), dates, passages)


@given(graphs())
@settings(max_examples=400)
def test_the_same_stay_and_go(drawn: tuple[Drawn, Policy]) -> None:
    graph, policy = drawn
    assert list(_stars(graph, policy)) == list(plainly(graph, policy))


def test_a_long_chain_has_few_leaders() -> None:
    """Only these are compared with all that is left."""
    graph = Drawn([1] * 100, [(n, n + 1, False, (False, False)) for n in range(99)])
    calls: list[int] = []
    graph.compare = lambda one, others: calls.append(one)  # type: ignore[method-assign]
    policy = Policy(Keep.FIRST, (), read_passages([f"w{n}" for n in range(100)], Level.DOCUMENT, Canon()))
    assert len(list(_stars(graph, policy))) == 50
    assert len(calls) == LEADERS
