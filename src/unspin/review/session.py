"""One reviewer's way through the queue: next, back, answer, undo, search.

In comes a ledger with a reviewer, an order and a filter; out come items one by one, each claimed for this reviewer, and
his answers go into the ledger at once. What is shown has been claimed, what is answered has been committed.
"""

from __future__ import annotations

import os
import platform
import secrets
from dataclasses import replace
from typing import Self

from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, EVERYTHING, Answer, Decision, Filter, Item, Order, Reviewer

PAGE = 500  # items looked through at a time in a search
_HOST = platform.node()


class Session:
    """A walk through the undecided items of a ledger, or, for `second_opinion`, through what others decided.

    `current` is the item before the reviewer; None before the first `next`, and when nothing is left. `done` counts the
    items that this session decided, of the `total` that were open when it began.
    """

    def __init__(
        self,
        ledger: Ledger,
        reviewer: Reviewer,
        *,
        wanted: Filter = EVERYTHING,
        order: Order = Order.RISK,
        second_opinion: bool = False,
        share: float = 1.0,
    ) -> None:
        """`share`, in (0, 1]: of the items that others decided, how many are judged a second time."""
        self.ledger, self.reviewer, self.wanted, self.order = ledger, reviewer, wanted, order
        self.is_second_opinion, self.share = second_opinion, share
        self.holder = f"{_HOST} {os.getpid()} {secrets.token_hex(8)}"
        self.current: Item | None = None
        self.done = 0
        _release_forsaken(ledger)
        if second_opinion:
            self.total = ledger.count_unjudged(reviewer.name, wanted, share=share)
        else:
            self.total = ledger.count(wanted, undecided=True)
        self._trail: list[int] = []  # what was shown, in turn
        self._place = -1  # of the current one

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave what was not answered to others."""
        self.ledger.release(self.holder)

    def next(self) -> Item | None:
        """The next item: after a step back what came then, else the next that nobody else has; None at the end."""
        if self._place + 1 < len(self._trail):
            return self._show(self._place + 1)
        last = self._trail[-1] if self._trail else None
        return self._claimed(last)

    def restart(self) -> Item | None:
        """Begin anew with what was skipped, and what came in since."""
        return self._claimed(None)

    def back(self) -> Item | None:
        """The item before this one in what was shown, with its answer; the first one again, if there is none."""
        return self._show(max(0, self._place - 1)) if self._trail else None

    def search(self, words: str) -> Item | None:
        """The next open item whose text, choices or sentence hold the words, whatever their case; None: none does."""
        needle = words.casefold()
        after = self._trail[-1] if self._trail else None
        while page := self.ledger.items(self.wanted, order=self.order, limit=PAGE, after=after, undecided=True):
            for item in page:
                if self._holds(item, needle):
                    return self.show(item.id)
            after = page[-1].id
        return None

    def show(self, number: int) -> Item:
        """Turn to an item, whatever its state. Raises KeyError."""
        self._trail = [*self._trail[: self._place + 1], number]
        return self._show(len(self._trail) - 1)

    def answer(self, answer: Answer) -> Decision:
        """Answer the current item, which stays current until `next`. Raises Overtaken."""
        assert self.current, "there is nothing to answer"
        was_open = self.is_second_opinion or not self.current.state.is_decided
        decision = self.ledger.decide(
            self.current.id,
            answer,
            by=self.reviewer,
            expected=self.current.state,
            is_opinion=self.is_second_opinion,
        )
        self.done += was_open
        if not self.is_second_opinion:
            self.current = replace(self.current, state=answer.state, answer=answer.after)
        return decision

    def answer_all(self, answer: Answer = ACCEPT, *, everywhere: bool = False) -> int:
        """Accept or reject all open items with the current one's entry: in its document, or everywhere. How many were
        they? Without an entry, it is this one alone."""
        assert self.current, "there is nothing to answer"
        if self.current.entry is None:
            self.answer(answer)
            return 1
        number = self.ledger.entry_id(self.current.entry)
        assert number is not None
        wanted = Filter(document=None if everywhere else self.current.document, entries=(number,))
        answered = self.ledger.decide_all(wanted, answer, by=self.reviewer, holder=self.holder)
        self.done += answered
        self.current = self.ledger.item(self.current.id)
        return answered

    def undo(self) -> list[Decision]:
        """Take back the last answer, and turn to its item. Raises Overtaken."""
        taken = self.ledger.undo(by=self.reviewer)
        self.done = max(0, self.done - len(taken))
        if taken:
            self.show(taken[0].item)
        return taken

    def _claimed(self, after: int | None) -> Item | None:
        found = self.ledger.claim(
            self.holder,
            self.wanted,
            order=self.order,
            after=after,
            second_opinion_of=self.reviewer.name if self.is_second_opinion else None,
            share=self.share,
        )
        self.current = found
        if found:
            self._trail.append(found.id)
            self._place = len(self._trail) - 1
        return found

    def _show(self, place: int) -> Item:
        self._place = place
        self.current = self.ledger.item(self._trail[place])
        return self.current

    def _holds(self, item: Item, needle: str) -> bool:
        around = self.ledger.context(item)
        texts = (around.left + around.words + around.right, *(choice.after for choice in item.choices))
        return any(needle in text.casefold() for text in texts)


def _release_forsaken(ledger: Ledger) -> None:
    """Give back what sessions claimed whose process died before it could (`kill -9`), on this machine."""
    for holder in ledger.holders():
        host, _, rest = holder.rpartition(" ")[0].rpartition(" ")
        if host == _HOST and rest.isdigit() and not _is_alive(int(rest)):
            ledger.release(holder)


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # elsewhere asking might end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True
