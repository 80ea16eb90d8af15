"""A review served to a real browser: a ledger with a bit of everything, a server in a thread, pages."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from samples import EXTRAORDINARY, FIGHT, MORE, WAR, candidate, edit, held_number, repeated, restoration, span

from unspin.model import Candidate, Restoration
from unspin.review.ledger import Ledger
from unspin.review.web.desk import Desk
from unspin.review.web.guard import Guard
from unspin.review.web.serve import listen, server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

FIRST = "The struggle was a unprecedented one. 4 officials appeared on it in 2022."
TEXT = f"{FIRST}\n\nReal property costs extra & the struggle <goes> on.\n\n{FIRST}\n\nSo ends the struggle.\n"
OTHER = "Another struggle began.\n"


def restored() -> tuple[Restoration, list[Candidate]]:
    """TEXT with swaps, one of them with a choice, something held, and a repeated paragraph."""
    edits = [
        edit(TEXT, WAR, 0.92),
        edit(TEXT, EXTRAORDINARY, 0.7),
        edit(TEXT, MORE, 0.95),
        edit(TEXT, WAR, 0.85, nth=1),
        edit(TEXT, WAR, 0.6, nth=3),
    ]
    made = restoration(TEXT, *edits, held=(held_number(TEXT),), repeats=(repeated(TEXT, FIRST),))
    return made, [candidate(span(TEXT, "struggle"), WAR, FIGHT)]


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
        opened.add("b.txt", restoration(OTHER, edit(OTHER, WAR, 0.9)))
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
