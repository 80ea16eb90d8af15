"""Phrases found in running text, at all places at once.

In come phrases, and later text as numbers of their words; out go the places where a phrase stands. Nothing is
refused: a word that no phrase has stands in none. The phrases lie in a trie whose edges are sorted, so that one binary
search takes every place that is still on its way to a phrase a word further.

Source: E. Fredkin, "Trie memory" (1960).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unspin.lattice import Ints

UNKNOWN = -1  # the number of a word that no phrase has


class Trie:
    """Phrases by the numbers of their words; `words` are all of these, in the order of their numbers."""

    def __init__(self, phrases: Sequence[Sequence[str]]) -> None:
        self.numbers: dict[str, int] = {}
        for phrase in phrases:
            for word in phrase:
                self.numbers.setdefault(word, len(self.numbers))
        self.words = tuple(self.numbers)
        self._size = len(self.words) + 1
        sizes = np.fromiter(map(len, phrases), np.int64, len(phrases))
        flat = np.fromiter((self.numbers[word] for phrase in phrases for word in phrase), np.int64, int(sizes.sum()))
        self._lay(flat, sizes)

    def _lay(self, flat: Ints, sizes: Ints) -> None:
        """The nodes level by level, each level in the order of its edges (node above, word): so all edges are sorted.

        The root is node 0, and the edge numbered n leads to node n + 1.
        """
        first = np.cumsum(sizes) - sizes
        at = np.zeros(len(sizes), dtype=np.int64)  # per phrase, the node that its words so far lead to
        levels: list[Ints] = []
        above = 1  # nodes so far
        for depth in range(int(sizes.max(initial=0))):
            on = np.flatnonzero(sizes > depth)
            edges, place = np.unique(self._edge(at[on], flat[first[on] + depth]), return_inverse=True)
            at[on] = above + place
            levels.append(edges)
            above += len(edges)
        self._edges = np.concatenate([np.zeros(0, dtype=np.int64), *levels])
        self._phrase = np.full(above, UNKNOWN)
        self._phrase[at] = np.arange(len(sizes))
        self._goes_on = np.zeros(above, dtype=bool)
        self._goes_on[self._edges // self._size] = True

    def _edge(self, node: Ints, word: Ints) -> Ints:
        return node * self._size + word + 1

    def _step(self, node: Ints, word: Ints) -> tuple[Ints, Ints]:
        """Which nodes have an edge for their word, and the nodes that these lead to."""
        wanted = self._edge(node, word)
        place = np.searchsorted(self._edges[:-1], wanted)
        on = np.flatnonzero(self._edges[place] == wanted)
        return on, place[on] + 1

    def find(self, words: Ints, stop: Ints) -> tuple[Ints, Ints, Ints]:
        """Start, end and number of each phrase that stands in a text, sorted by start, then end.

        `words`: numbers, or UNKNOWN; `stop`: per place, the end of the sentence that it lies in.
        """
        none = np.zeros(0, dtype=np.int64)
        parts = [(none, none, none)]
        at, node = np.arange(len(words)), np.zeros(len(words), dtype=np.int64)
        size = 0
        while len(at) and len(self._edges):
            on, node = self._step(node, words[at + size])
            at, size = at[on], size + 1
            phrase = self._phrase[node]
            whole = np.flatnonzero(phrase != UNKNOWN)
            parts.append((at[whole], at[whole] + size, phrase[whole]))
            on = np.flatnonzero(self._goes_on[node] & (at + size < stop[at]))
            at, node = at[on], node[on]
        start, end, phrase = map(np.concatenate, zip(*parts, strict=True))
        order = np.lexsort((end, start))
        return start[order], end[order], phrase[order]
