"""`unspin review` in the terminal: one candidate after the other, and a key for each answer.

In come a ledger and what is wanted of it; answers go into the ledger, each before the next page is shown. Refused, by
`click.UsageError`: to ask where nobody sits.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import click

from unspin.commands.review_keys import Act, NoSuchKey, meant
from unspin.commands.review_layout import Row, Style, fitted, painted, shown, wrapped
from unspin.commands.review_ledger import place_of
from unspin.commands.review_screen import Draw, Terminal
from unspin.commands.review_view import NARROWEST, WIDEST, Page, help_rows, question, rows, standing
from unspin.commands.terminal import counted, is_terminal, say, wants_colour
from unspin.errors import Overtaken, UnspinError
from unspin.model import Entry
from unspin.review import overlay
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, REJECT, Answer, Decision, Filter, Item, Order, Reviewer, State
from unspin.review.overlay import Silenced
from unspin.review.session import Session

WELCOME = "Every answer is kept at once. ? explains the keys, q leaves."
_YES = "y"


class Screen(Protocol):
    """What a review asks through."""

    def key(self, draw: Draw) -> str:
        """Show a page and return the key that was pressed."""

    def line(self, prompt: str, text: str = "") -> str | None:
        """Return a line that was typed, `text` to begin with; None: it was broken off."""


def require_terminal() -> None:
    """Raises UsageError unless somebody sits before standard input and output."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise click.UsageError(
            "a review asks a person, and needs a terminal on standard input and output; "
            "`unspin review status` and --web go without"
        )


def run(
    ledger: Ledger,
    *,
    reviewer: Reviewer,
    wanted: Filter,
    order: Order,
    second_opinion: float | None = None,
    lexicons: Sequence[str] = (),
    colour: bool | None = None,
) -> None:
    """Ask about one candidate after the other, until all are answered or the reviewer leaves.

    `second_opinion`: judge a share, in (0, 1], of what others decided. `lexicons`: those that the proposals come from.
    Raises UsageError without a terminal; KeyboardInterrupt when it is interrupted, with nothing lost.
    """
    require_terminal()
    own = place_of(ledger.name) / overlay.NAME
    opinion = second_opinion is not None
    with Session(
        ledger, reviewer, wanted=wanted, order=order, second_opinion=opinion, share=second_opinion or 1.0
    ) as session:
        if not session.total:
            say("nothing to judge a second time" if opinion else "nothing is left to review; `unspin apply` writes")
            return
        screen = Terminal()
        review = Review(session, screen, own=own, colour=wants_colour(colour))
        try:
            with screen:
                review.run()
        except KeyboardInterrupt:
            _tell(review, lexicons)
            raise
        _tell(review, lexicons)


def _tell(review: Review, lexicons: Sequence[str]) -> None:
    for line in review.summary(lexicons):
        say(line)


class Review:
    """One reviewer's talk with the ledger, through a screen."""

    def __init__(self, session: Session, screen: Screen, *, own: Path, colour: bool = False) -> None:
        """`own`: the lexicon that "never again" is written to."""
        self.session, self.screen, self.own, self.colour = session, screen, own, colour
        self.ledger = session.ledger
        self.message = WELCOME
        self.tally: Counter[State] = Counter()
        self.silenced: dict[int, Silenced] = {}  # by the decision that came with it
        self._last: Item | None = None  # that was shown
        self._documents: dict[int, str] = {}
        self._acts: dict[Act, Callable[[Item], object]] = {
            Act.ACCEPT: lambda item: self._answer(item, ACCEPT),
            Act.REJECT: lambda item: self._answer(item, REJECT),
            Act.EDIT: self._edit,
            Act.SKIP: lambda item: self.session.next(),
            Act.NEXT: lambda item: self.session.next(),
            Act.BACK: lambda item: self.session.back(),
            Act.ACCEPT_HERE: lambda item: self._answer_all(item, ACCEPT, everywhere=False),
            Act.ACCEPT_ALL: lambda item: self._answer_all(item, ACCEPT, everywhere=True),
            Act.REJECT_HERE: lambda item: self._answer_all(item, REJECT, everywhere=False),
            Act.REJECT_ALL: lambda item: self._answer_all(item, REJECT, everywhere=True),
            Act.NEVER: self._never,
            Act.UNDO: lambda item: self._undo(),
            Act.SEARCH: lambda item: self._search(),
            Act.HELP: lambda item: self._help(),
        }

    def run(self) -> None:
        """Ask until nothing is left, or the reviewer leaves."""
        self.session.next()
        while True:
            item = self.session.current
            self._last = item or self._last
            try:
                if not (self._ask(item) if item else self._ask_at_the_end()):
                    return
            except EOFError:
                return
            except Overtaken as error:
                self.message = str(error)
                self.session.next()
            except UnspinError as error:  # nothing was changed; the same key may be pressed again
                self.message = str(error)

    # asking

    def _ask(self, item: Item) -> bool:
        """Show an item and do what the key says. False: the reviewer leaves."""
        key = self.screen.key(self._drawing(self._page(item)))
        self.message = ""
        try:
            act = meant(key, item, second_opinion=self.session.is_second_opinion)
        except NoSuchKey as error:
            self.message = str(error)
            return True
        if act is Act.QUIT:
            return False
        if isinstance(act, int):
            self._answer(item, item.saying(item.choices[act - 1].after))
        else:
            self._acts[act](item)
        return True

    def _ask_at_the_end(self) -> bool:
        left = self._left()
        said = "All candidates have been shown."
        told = f"{counted(left, 'candidate')} skipped, or before somebody else." if left else "Nothing is left open."
        keys = "[s,k,u,q]" if left else "[k,u,q]"
        key = self.screen.key(self._notice((said, told), ("See them again? " if left else "") + keys + "? "))
        self.message = ""
        if key == Act.UNDO:
            self._undo()
        elif key == Act.BACK and self._last:
            self.session.show(self._last.id)
        elif left and key in (Act.SKIP, _YES):
            self.session.restart()
            return self.session.current is not None
        else:
            return key not in (Act.QUIT, "\x04", "\r", "\n")
        return True

    def _confirmed(self, told: str) -> bool:
        """Is the next key a yes?"""
        item = self.session.current
        assert item
        page = self._page(item)
        draw = self._drawing(page)
        answer = self.screen.key(lambda width, height: (*draw(width, height)[:2], fitted(told, width - 8) + " [y,n]? "))
        if answer != _YES:
            self.message = "nothing was done"
        return answer == _YES

    # answering

    def _answer(self, item: Item, answer: Answer) -> None:
        decision = self.session.answer(answer)
        self._count([decision.new], undone=[decision.old])
        done = self.session.current
        assert done
        if self.session.is_second_opinion:
            self.message = "recorded"
        else:
            self.message = f"{standing(done)}: {_brief(done)}"
        self.session.next()

    def _edit(self, item: Item) -> None:
        words = item.after if item.after != item.before else item.choices[0].after
        typed = self.screen.line("Put there: ", words if words.isprintable() else "")
        if typed is None:
            self.message = "nothing was done"
            return
        if not typed.strip() and not self._confirmed(f"Take “{shown(item.before)}” out of the text, for nothing"):
            return
        self._answer(item, item.saying(typed.strip()))

    def _answer_all(self, item: Item, answer: Answer, *, everywhere: bool) -> None:
        assert item.entry
        count = self._open(item, everywhere=everywhere)
        where = "all documents" if everywhere else shown(self._name(item))
        verb = "Accept" if answer is ACCEPT else "Leave alone"
        if not count:
            self.message = f"no open {_swap(item.entry)} in {where}"
        elif self._confirmed(f"{verb} {counted(count, 'open one', 'open ones')} of {_swap(item.entry)} in {where}"):
            done = self.session.answer_all(answer, everywhere=everywhere)
            self._count([answer.state] * done)
            verb = "accepted" if answer is ACCEPT else "left as it stands"
            self.message = f"{verb}: {_swap(item.entry)}, {counted(done, 'time')}; u takes it back"
            self.session.next()

    def _never(self, item: Item) -> None:
        """Answer all that an entry proposes, and see to it that it proposes nothing again."""
        assert item.entry
        count = self._open(item, everywhere=True)
        left = counted(count, "open one", "open ones")
        if not self._confirmed(f"Never again {_swap(item.entry)}: off in {self.own.name}, {left} left alone"):
            return
        silenced = overlay.silence(self.own, item.entry)
        try:
            done = self.session.answer_all(REJECT, everywhere=True)
        except UnspinError:
            if silenced:
                overlay.restore(silenced)
            raise
        self._count([State.REJECTED] * done)
        decision = self.ledger.history(item=item.id, limit=1)[0]
        if silenced:
            self.silenced[decision.id] = silenced
        self.message = f"never again: {_swap(item.entry)}, off in {self.own.name}; {done:,} left alone"
        self.session.next()

    def _undo(self) -> None:
        try:
            taken = self.session.undo()
        except Overtaken as error:
            self.message = str(error)
            return
        if not taken:
            self.message = "nothing is left to undo"
            return
        self._count((), undone=[decision.old for decision in taken])
        item = self.session.current
        assert item
        self.message = (
            f"taken back: {counted(len(taken), 'answer')}" if len(taken) > 1 else f"taken back: {_brief(item)}"
        )
        self.message += self._unsilenced(taken, item)

    def _unsilenced(self, taken: Iterable[Decision], item: Item) -> str:
        """Take back what "never again" did to the lexicon; what is to be said of it."""
        found = next((self.silenced.pop(d.undoes) for d in taken if d.undoes in self.silenced), None)
        if found is not None:
            done = overlay.restore(found)
            return f"; {self.own.name}, too" if done else f"; the line in {self.own.name} was changed since, and stays"
        if item.entry and overlay.is_silenced(self.own, item.entry):
            return f"; {_swap(item.entry)} stays off in {self.own.name}"
        return ""

    # moving

    def _search(self) -> None:
        words = self.screen.line("/")
        if words and words.strip() and not self.session.search(words.strip()):
            self.message = f"no open one further on holds “{shown(words.strip())}”"

    def _help(self) -> None:
        self.screen.key(lambda width, height: (self._painted(help_rows(_used(width))), [""], "Any key goes back. "))

    # what is known

    def _open(self, item: Item, *, everywhere: bool) -> int:
        assert item.entry
        number = self.ledger.entry_id(item.entry)
        assert number is not None
        wanted = Filter(document=None if everywhere else item.document, entries=(number,))
        return self.ledger.count(wanted, undecided=True)

    def _left(self) -> int:
        session = self.session
        if session.is_second_opinion:
            return self.ledger.count_unjudged(session.reviewer.name, session.wanted, share=session.share)
        return self.ledger.count(session.wanted, undecided=True)

    def _name(self, item: Item) -> str:
        if item.document not in self._documents:
            self._documents[item.document] = self.ledger.document(item.document).name
        return self._documents[item.document]

    def _count(self, new: Iterable[State], *, undone: Iterable[State] = ()) -> None:
        self.tally.update(new)
        for state in undone:
            self.tally[state] = max(0, self.tally[state] - 1)

    def summary(self, lexicons: Sequence[str] = ()) -> list[str]:
        """What was done, what is left, and how to go on."""
        tally = self.tally
        parts = [f"{tally[state]:,} {state}" for state in (State.ACCEPTED, State.REJECTED, State.REPLACED)]
        told = [f"{', '.join(parts)}; {self._left():,} left to review in {self.ledger.name}"]
        if self.silenced:
            told.append(
                f"{counted(len(self.silenced), 'entry', 'entries')} off in {self.own}, which every review here reads; "
                f"elsewhere: --lexicon {' --lexicon '.join(lexicons or ['en-autoblog'])} --lexicon {self.own.name}"
            )
        return [*told, "`unspin review` goes on, `unspin apply` writes the texts"]

    # drawing

    def _page(self, item: Item) -> Page:
        session = self.session
        return Page(
            item=item,
            context=self.ledger.context(item),
            document=self._name(item),
            done=min(session.done, session.total),  # bulk answers reach beyond a filter
            total=session.total,
            paragraphs=self._repeated(item),
            second_opinion=session.is_second_opinion,
        )

    def _repeated(self, item: Item) -> tuple[str, int]:
        if item.duplicate is None:
            return "", 0
        text = self.ledger.text(item.document)
        start, end = item.duplicate.start, item.duplicate.end
        return text[start:end], 1 + sum(1 for line in text[:start].splitlines() if line.strip())

    def _drawing(self, page: Page) -> Draw:
        def draw(width: int, height: int) -> tuple[list[str], list[str], str]:
            width = _used(width)
            drawn = rows(page, width=width, height=height, colour=self.colour)
            return self._painted(drawn), self._said(width), question(page, width)

        return draw

    def _notice(self, lines: Iterable[str], asked: str) -> Draw:
        drawn: list[Row] = [[(line, Style.PLAIN)] for line in lines]
        return lambda width, height: (self._painted(drawn), self._said(_used(width)), asked)

    def _said(self, width: int) -> list[str]:
        """What the last key did."""
        return self._painted(wrapped([(shown(self.message), Style.STRONG)], width)) or [""]

    def _painted(self, drawn: Sequence[Row]) -> list[str]:
        return painted(drawn, colour=self.colour)


def _used(width: int) -> int:
    return max(NARROWEST, min(width, WIDEST))


def _swap(entry: Entry) -> str:
    return f"“{shown(entry.spun)} ← {shown(entry.original)}”"


def _brief(item: Item) -> str:
    """An item in a few words."""
    if item.duplicate is not None:
        return "a repeated paragraph"
    before, after = (fitted(shown(words), 30) for words in (item.before, item.choices[0].after))
    return f"{before} → {after}" if item.state is not State.REPLACED else f"for {before}"
