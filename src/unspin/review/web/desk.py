"""What the page asks of a ledger, and what the ledger says, as the page understands it.

In come a ledger and what the page sends, already read; out go pages' contents and JSON values. Refused: by `KeyError`
what is not there, by `Overtaken` an answer to what changed since, by `ValueError` what makes no sense.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from unspin.errors import UnspinError
from unspin.model import DecidedBy, HeldReason
from unspin.review import overlay
from unspin.review.ledger import Ledger
from unspin.review.model import (
    ACCEPT,
    EVERYTHING,
    REJECT,
    Answer,
    Decision,
    Document,
    Filter,
    Interface,
    Item,
    Order,
    Reviewer,
    State,
    Why,
)
from unspin.review.web.article import Article, Mark
from unspin.review.web.shown import pieces, plain

NEAR = 2  # items to either side that a decision may touch: articles look one word ahead
KEPT = 16  # articles at hand

_SWAPS: tuple[Why, ...] = tuple(why for why in DecidedBy if why is not DecidedBy.DUPLICATE)
KINDS: dict[str, tuple[Why, ...]] = {
    "proposed": _SWAPS,
    "held": tuple(HeldReason),
    "repeats": (DecidedBy.DUPLICATE,),
}
EVERY_KIND = tuple(KINDS)


@dataclass(frozen=True, slots=True)
class Bulk:
    """Many items at once. `document`, `entry_of` (the number of an item): None is all of them. `kinds`: of KINDS."""

    answer: Answer
    document: int | None = None
    entry_of: int | None = None
    min_confidence: float = 0.0
    kinds: tuple[str, ...] = ("proposed",)


class Desk:
    """One reviewer's ledger, seen through a filter. May be used from many threads."""

    def __init__(
        self,
        ledger: Ledger,
        reviewer: str,
        *,
        wanted: Filter = EVERYTHING,
        order: Order = Order.POSITION,
        own: Path | None = None,
    ) -> None:
        """`own`: the lexicon that "never again" is written to; None: nothing is."""
        self.ledger, self.by = ledger, Reviewer(reviewer, Interface.WEB)
        self.wanted, self.order, self.own = wanted, order, own
        self._silenced: dict[int, overlay.Silenced] = {}  # by a decision that came with it
        self._articles: dict[int, Article] = {}
        self._entry_ids: dict[tuple[str, str], int] = {}
        self._names: dict[int, str] = {}

    # pages

    def documents(self) -> list[Document]:
        """All texts that the review is about."""
        only = self.wanted.document
        return [document for document in self.ledger.documents() if only in (None, document.id)]

    @cached_property
    def has_several(self) -> bool:
        """Were there several texts when it was first asked?"""
        return len(self.documents()) > 1

    def article(self, document: int) -> Article:
        """A text, cut into paragraphs; the document in it has the counts of now."""
        found = self.ledger.document(document)
        article = self._articles.get(document)
        if article is None or article.document.signature != found.signature:
            if len(self._articles) >= KEPT:
                self._articles = {}
            article = self._articles[document] = Article(found, self.ledger.text(document))
        article.document = found
        return article

    def known(self, document: int) -> Article:
        """The same, but its counts may be older."""
        article = self._articles.get(document)
        return article if article else self.article(document)

    def items(self, article: Article) -> tuple[list[Item], set[int]]:
        """All items of a text, and the numbers of those that this review is about."""
        number = article.document.id
        items = self.ledger.items(Filter(document=number))
        chosen = items if self.wanted == EVERYTHING else self.ledger.items(replace(self.wanted, document=number))
        return items, {item.id for item in chosen}

    def marks(self, article: Article) -> list[Mark]:
        """All marks of a text."""
        items, chosen = self.items(article)
        return list(article.marks(items, is_open=chosen))

    def last(self) -> int:
        """The number of the last decision; it grows with every one."""
        return next((decision.id for decision in self.ledger.history(limit=1)), 0)

    def name(self, document: int) -> str:
        """What a text is called."""
        if document not in self._names:
            self._names[document] = self.ledger.document(document).name
        return self._names[document]

    # decisions

    def decide(
        self, number: int, said: str | None, *, expected: State | None, words: str | None = None
    ) -> tuple[Decision, list[Mark]]:
        """Accept or reject an item (`said`), or put `words` there. Also: the marks that may look different by now."""
        item = self.ledger.item(number)
        match said:
            case "accept":
                answer = ACCEPT
            case "reject":
                answer = REJECT
            case None if words is not None:
                answer = item.saying(words)
            case _:
                raise ValueError("an answer is to accept, to reject, or words of your own")
        decision = self.ledger.decide(number, answer, by=self.by, expected=expected)
        return decision, self.around(self.ledger.item(number))

    def around(self, item: Item) -> list[Mark]:
        """The marks of an item and of its neighbours in the same paragraph."""
        article, own = self.known(item.document), Filter(document=item.document)
        before = self.ledger.items(own, before=item.id, limit=NEAR)
        after = self.ledger.items(own, after=item.id, limit=NEAR)
        first, last = article.span(item.start)
        near = [one for one in (*reversed(before), item, *after) if first <= one.start < last]
        return list(article.marks(near))

    def filter(self, bulk: Bulk) -> Filter:
        """The items that a bulk decision is about: an entry's, all of them; else those that this review is about."""
        wanted = self.wanted if bulk.entry_of is None else EVERYTHING
        entries = wanted.entries
        if bulk.entry_of is not None:
            own = self.entry_of(self.ledger.item(bulk.entry_of))
            if own is None:
                raise ValueError("this has no lexicon entry")
            entries = (own,)
        why = tuple(reason for kind in bulk.kinds for reason in KINDS[kind])
        return replace(
            wanted,
            document=wanted.document if bulk.document is None else bulk.document,
            entries=entries,
            min_confidence=max(bulk.min_confidence, wanted.min_confidence or 0.0),
            why=why if wanted.why is None else tuple(set(why) & set(wanted.why)),
        )

    def count(self, bulk: Bulk) -> int:
        """How many items a bulk decision would decide."""
        return self.ledger.count(self.filter(bulk), undecided=True)

    def decide_all(self, bulk: Bulk) -> int:
        """Decide them. How many were they?"""
        return self.ledger.decide_all(self.filter(bulk), bulk.answer, by=self.by)

    def never(self, number: int) -> int:
        """Reject all that an item's entry proposes anywhere, and set it `off` in the lexicon of one's own, so that it
        proposes nothing again. How many were rejected? Raises LexiconError, InputError or OutputError."""
        item = self.ledger.item(number)
        if item.entry is None or self.own is None:
            raise ValueError("this has no lexicon entry")
        silenced = overlay.silence(self.own, item.entry)
        try:
            done = self.decide_all(Bulk(REJECT, entry_of=number, kinds=EVERY_KIND))
        except UnspinError:
            if silenced:
                overlay.restore(silenced)
            raise
        if done and silenced:
            self._silenced[self.ledger.history(limit=1)[0].id] = silenced
        return done

    def undo(self) -> tuple[list[Decision], str]:
        """Take back the reviewer's last answer, and what came of it. What was taken back, and what to say of it."""
        taken = self.ledger.undo(by=self.by)
        if not taken:
            return [], "There is nothing left to take back."
        words = f"{len(taken):,} answers" if len(taken) > 1 else _brief(self.ledger.item(taken[0].item))
        silenced = next((self._silenced.pop(d.undoes) for d in taken if d.undoes in self._silenced), None)
        if silenced is None:
            return taken, f"Taken back: {words}."
        file = plain(silenced.path.name)
        if overlay.restore(silenced):
            return taken, f"Taken back: {words}, and the line in {file}."
        return taken, f"Taken back: {words}. The line in {file} was changed since, and stays."

    def entry_of(self, item: Item) -> int | None:
        """The number of an item's entry."""
        if item.entry is None:
            return None
        pair = item.entry.spun, item.entry.original
        if pair not in self._entry_ids:
            found = self.ledger.entry_id(item.entry)
            if found is None:
                return None
            self._entry_ids[pair] = found
        return self._entry_ids[pair]


def patches(marks: Iterable[Mark]) -> list[dict[str, Any]]:
    """Marks as the page's script takes them."""
    return [
        {
            "id": mark.item.id,
            "state": mark.item.state.value,
            "made": mark.is_made,
            "after": pieces(mark.after if mark.is_made else mark.item.choices[0].after),
            "label": mark.label,
            "lead": mark.lead and {"before": pieces(mark.lead.before), "after": pieces(mark.lead.after)},
        }
        for mark in marks
    ]


def _brief(item: Item) -> str:
    return f"the answer to “{plain(item.before)[:60]}”"
