"""The keys of a review in the terminal, as in `git add -p`: what each means. No input, no output.

In come a key and the item before the reviewer; out goes what to do. Refused, by `NoSuchKey`, which says why: a key that
means nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from unspin.review.model import MOST_CHOICES, Item

CONTROL_D = "\x04"


class Act(StrEnum):
    """What a key asks for; the value is the key."""

    ACCEPT = "y"
    REJECT = "n"
    CHOOSE = "1"
    EDIT = "e"
    SKIP = "s"
    ACCEPT_HERE = "a"
    ACCEPT_ALL = "A"
    REJECT_HERE = "d"
    REJECT_ALL = "D"
    NEVER = "N"
    UNDO = "u"
    NEXT = "j"
    BACK = "k"
    SEARCH = "/"
    HELP = "?"
    QUIT = "q"


HELP: tuple[tuple[str, str], ...] = (
    ("y", "make the change: what stands beside 1 goes into the text"),
    ("n", "leave the text as it stands"),
    (f"1-{MOST_CHOICES}", "put what stands beside this number"),
    ("e", "type what shall stand there"),
    ("s", "skip: leave it open, go on"),
    ("a", "accept all open ones of this entry in this document"),
    ("A", "accept all open ones of this entry in all documents"),
    ("d D", "the same, but leave the text as it stands"),
    ("N", "never again: D, and the entry goes off in your lexicon"),
    ("u", "undo the last answer, or all that a, A, d, D or N did"),
    ("k j", "back, and forward again, without an answer (arrow keys, too)"),
    ("/", "go to the next open one with these words"),
    ("?", "this page"),
    ("q", "quit; every answer is kept already"),
)

_OF_ENTRIES = (Act.ACCEPT_HERE, Act.ACCEPT_ALL, Act.REJECT_HERE, Act.REJECT_ALL, Act.NEVER)
_ALIASES = {
    "\x1b[A": Act.BACK,
    "\x1b[D": Act.BACK,
    "\x1b[B": Act.NEXT,
    "\x1b[C": Act.NEXT,
    CONTROL_D: Act.QUIT,
}
_KEY = re.compile(r"\x1b[\[O][0-9;]*[A-Za-z~]|.", re.DOTALL)


class NoSuchKey(ValueError):
    """A key that means nothing for this item; the message says why."""


def split(typed: str) -> Iterator[str]:
    """The keys that were pressed: one character each, or the sequence that a special key sends.

    >>> list(split("y" + chr(27) + "[A" + "n"))
    ['y', '\\x1b[A', 'n']
    """
    return (found.group().replace("\x1bO", "\x1b[") for found in _KEY.finditer(typed))


def offered(item: Item, *, second_opinion: bool = False) -> tuple[str, ...]:
    """The keys that mean something for an item, as a prompt lists them."""
    keys: list[str] = [Act.ACCEPT, Act.REJECT]
    if item.duplicate is None:
        count = len(item.choices)
        keys += ["1" if count == 1 else f"1-{count}", Act.EDIT]
    keys.append(Act.SKIP)
    if item.entry is not None and not second_opinion:
        keys += _OF_ENTRIES
    return (*keys, "u", "j", "k", "/", "q", "?")


def meant(key: str, item: Item, *, second_opinion: bool = False) -> Act | int:
    """What a key asks for; a number is that of a choice, counted from 1. Raises NoSuchKey."""
    if key.isascii() and key.isdigit() and key != "0":
        return _choice(int(key), item)
    try:
        act = _ALIASES.get(key) or Act(key)
    except ValueError:
        raise NoSuchKey("that key means nothing here; ? explains the keys") from None
    if act is Act.EDIT and item.duplicate is not None:
        raise NoSuchKey("a repeated paragraph goes (y) or stays (n)")
    if act in _OF_ENTRIES:
        if second_opinion:
            raise NoSuchKey("a second opinion is given one by one")
        if item.entry is None:
            raise NoSuchKey("no lexicon entry is behind this one; answer it by itself (y, n)")
        if act is Act.NEVER and item.state.is_decided:
            raise NoSuchKey("this one is answered: take that back (u), or go to an open one (j)")
    return act


def _choice(number: int, item: Item) -> int:
    if item.duplicate is not None:
        raise NoSuchKey("a repeated paragraph goes (y) or stays (n)")
    if number > len(item.choices):
        raise NoSuchKey(f"there is no {number} here; e lets you type what shall stand there")
    return number
