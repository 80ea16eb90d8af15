"""How far two reviewers agree where both judged.

In come the answers that stand; out go, for each two reviewers, what they said to the same items. Cohen's kappa is
`nltk.metrics`'s, which the extra `agreement` brings.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import Connection, func, select

from unspin.review.model import Act, State
from unspin.review.queue import not_undone
from unspin.review.tables import ACTS, STATES, decisions, reviewers


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two reviewers said to the items that both judged: how often each pair of answers was given.

    Answers are `accepted`, `rejected` and `replaced`; two who replace by different words disagree, and the second's
    answer counts as "replaced otherwise".
    """

    one: str
    other: str
    answers: tuple[tuple[str, str, int], ...]

    @property
    def items(self) -> int:
        """How many both judged."""
        return sum(number for _, _, number in self.answers)

    @property
    def equal(self) -> float:
        """The share of equal answers, in [0, 1]."""
        return sum(number for one, other, number in self.answers if one == other) / self.items

    def kappa(self) -> float | None:
        """Cohen's kappa (1960), at most 1; None where both always say the same one thing, which leaves it undefined.

        Raises ImportError without nltk.
        """
        from nltk.metrics import AnnotationTask

        if len({answer for one, other, _ in self.answers for answer in (one, other)}) < 2:
            return None
        pairs = [(one, other) for one, other, number in self.answers for _ in range(number)]
        rows = [row for item, (one, other) in enumerate(pairs) for row in ((0, item, one), (1, item, other))]
        return float(AnnotationTask(data=rows).kappa_pairwise(0, 1))


def agreements(connection: Connection) -> tuple[Agreement, ...]:
    """The agreement of every two reviewers who judged the same items, in order of their names."""
    name = {row.id: row.name for row in connection.execute(select(reviewers.c.id, reviewers.c.name))}
    pairs: defaultdict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for judged in _judged(connection):
        said = sorted((name[reviewer], answer) for reviewer, answer in judged.items())
        for (one, first), (other, second) in combinations(said, 2):
            pairs[one, other][_label(first), _label(second, beside=first)] += 1
    return tuple(
        Agreement(one, other, tuple((a, b, n) for (a, b), n in sorted(answers.items())))
        for (one, other), answers in sorted(pairs.items())
    )


_Said = tuple[int, int | None]  # the codes of state and words


def _label(said: _Said, *, beside: _Said | None = None) -> str:
    state = STATES[said[0]]
    if state is State.REPLACED and beside is not None and beside[0] == said[0] and beside[1] != said[1]:
        return "replaced otherwise"
    return str(state)


def _judged(connection: Connection) -> Iterable[dict[int, _Said]]:
    """Per item that several judged, the last answer of each that stands."""
    several = (
        select(decisions.c.item)
        .group_by(decisions.c.item)
        .having(func.min(decisions.c.reviewer) < func.max(decisions.c.reviewer))
    )
    lines = (
        select(decisions.c.item, decisions.c.reviewer, decisions.c.new, decisions.c.answer)
        .where(decisions.c.item.in_(several), decisions.c.act != ACTS.index(Act.UNDO), not_undone())
        .order_by(decisions.c.at, decisions.c.id)
    )
    if connection.execute(select(func.count()).select_from(reviewers)).scalar_one() < 2:
        return ()
    found: defaultdict[int, dict[int, _Said]] = defaultdict(dict)
    for item, reviewer, new, answer in connection.execute(lines):
        found[item][reviewer] = (new, answer)
    return (judged for judged in found.values() if len(judged) > 1)
