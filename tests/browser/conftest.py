"""A review served to a real browser: a ledger with a bit of everything, a server in a thread, pages."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unspin.model import (
    Candidate,
    DecidedBy,
    DuplicateGroup,
    DuplicateKind,
    Edit,
    Entry,
    Held,
    HeldReason,
    Option,
    Repeat,
    Restoration,
    Signature,
    SpinEvidence,
)
from unspin.review.ledger import Ledger
from unspin.review.web.desk import Desk
from unspin.review.web.guard import Guard
from unspin.review.web.serve import listen, server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

WAR = Entry("struggle", "war", 0.26, 347, source="learned")
FIGHT = Entry("struggle", "fight", 0.1, 12, source="learned")
FOUR = Entry("4", "four", 0.87, 970, source="learned")
MORE = Entry("extra", "more", 0.98, 8922, source="learned")
EXTRAORDINARY = Entry("unprecedented", "extraordinary", 0.4, 31, source="learned")
FIRST = "The struggle was a unprecedented one. 4 officials appeared on it in 2022."
TEXT = f"{FIRST}\n\nReal property costs extra & the struggle <goes> on.\n\n{FIRST}\n\nSo ends the struggle.\n"
OTHER = "Another struggle began.\n"
SIGNATURE = Signature("1", "a", "b", ())
SPUN = SpinEvidence(0.9, 1.1, 30, True)


def edit(text: str, words: str, entry: Entry, confidence: float, *, nth: int = 0) -> Edit:
    """The undoing of the nth occurrence of an entry's words."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return Edit(start, start + len(words), words, entry.original, entry, confidence, DecidedBy.DECODER)


def candidate(at: Edit, *others: Option) -> Candidate:
    """An edit's place with its options."""
    options = (Option(at.after, at.entry, 0.97), *others, Option(at.before, None, 0.01))
    return Candidate(at.start, at.end, at.before, options)


def restored() -> tuple[Restoration, list[Candidate]]:
    """TEXT with swaps, one of them with a choice, something held, and a repeated paragraph."""
    edits = [
        edit(TEXT, "struggle", WAR, 0.92),
        edit(TEXT, "unprecedented", EXTRAORDINARY, 0.7),
        edit(TEXT, "extra", MORE, 0.95),
        edit(TEXT, "struggle", WAR, 0.85, nth=1),
        edit(TEXT, "struggle", WAR, 0.6, nth=3),
    ]
    four = TEXT.index("4 ")
    held = Held(Candidate(four, four + 1, "4", (Option("four", FOUR, 0.6), Option("4", None, 0.4))), HeldReason.NUMBER)
    again = TEXT.rindex(FIRST)
    repeat = Repeat(again, again + len(FIRST), DuplicateKind.EXACT, 1.0)
    group = DuplicateGroup(0, len(FIRST), (repeat,))
    choices = [candidate(edits[0], Option("fight", FIGHT, 0.02))]
    return Restoration(TEXT, SPUN, (group,), tuple(edits), (held,), SIGNATURE), choices


@dataclass
class Served:
    """A review that a browser can open."""

    desk: Desk
    guard: Guard
    stop: Callable[[], None]

    @property
    def ledger(self) -> Ledger:
        """What it is kept in."""
        return self.desk.ledger

    def text(self, number: int = 1) -> str:
        """The address of a text."""
        return f"{self.guard.address}texts/{number}"


def serve(desk: Desk) -> Served:
    """Answer in a thread."""
    opened = listen()
    answering, guard = server(desk, opened.getsockname()[1])
    thread = threading.Thread(target=answering.run, kwargs={"sockets": [opened]})
    thread.start()

    def stop() -> None:
        answering.should_exit = True
        thread.join()

    return Served(desk, guard, stop)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """TEXT as "a.txt" and OTHER as "b.txt"."""
    with Ledger(tmp_path / "unspin.db") as opened:
        opened.add("a.txt", *restored())
        opened.add("b.txt", Restoration(OTHER, SPUN, (), (edit(OTHER, "struggle", WAR, 0.9),), (), SIGNATURE))
        yield opened


@pytest.fixture
def served(ledger: Ledger, tmp_path: Path) -> Iterator[Served]:
    """A review of both texts by anna."""
    running = serve(Desk(ledger, "anna", own=tmp_path / "unspin.tsv"))
    yield running
    running.stop()


@pytest.fixture(scope="module")  # its event loop runs as long, and others want one, too
def browser() -> Iterator[Browser]:
    """Debian's chromium, driven by Playwright."""
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu", "--disable-quic"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page, on which nothing may go wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on(
        "console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None
    )
    yield opened
    context.close()
    expected = ("409 (Conflict)", "ERR_CONNECTION_REFUSED")
    assert [problem for problem in problems if not any(words in problem for words in expected)] == []
