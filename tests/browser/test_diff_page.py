"""The page in a real browser: it shows its changes, and nothing in a hostile text comes alive."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from unspin.diff import DiffStyle, render
from unspin.model import (
    DecidedBy,
    DuplicateGroup,
    DuplicateKind,
    Edit,
    Entry,
    Repeat,
    Restoration,
    Signature,
    SpinEvidence,
)

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on the PATH")

PWN = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
TEXT = f"The struggle began. {PWN}\nIt went on.\nThe struggle began. {PWN}\n"


def rendered(html: str, folder: Path) -> str:
    """The document as it stands once the browser has read it and run what it would run."""
    page = folder / "page.html"
    page.write_text(html, encoding="utf-8")
    assert BROWSER
    ran = subprocess.run(
        [BROWSER, *QUIET, f"--user-data-dir={folder / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True,
        check=True,
        timeout=120,
    )
    return ran.stdout.decode()


def page(text: str) -> str:
    line = text.index("\n")
    again = text.rindex(text[:line])
    entry = Entry("struggle", "war", 0.2, source=PWN)
    edit = Edit(4, 12, "struggle", "war", entry, 0.9, DecidedBy.DECODER)
    group = DuplicateGroup(0, line, (Repeat(again, again + line, DuplicateKind.EXACT, 1.0),))
    signature = Signature("1", "lex", "lm", ())
    restoration = Restoration(text, SpinEvidence(0.5, 0.2, 9, is_spun=True), (group,), (edit,), (), signature)
    return render(restoration, style=DiffStyle.HTML, name=PWN)


@pytest.fixture(scope="module")
def dom(tmp_path_factory: pytest.TempPathFactory) -> str:
    return rendered(page(TEXT), tmp_path_factory.mktemp("browser"))


def test_the_browser_runs_scripts_at_all(tmp_path: Path) -> None:
    assert "<title>pwned</title>" in rendered(f"<!DOCTYPE html><title>calm</title>{PWN}", tmp_path)


def test_a_hostile_text_runs_nothing(dom: str) -> None:
    assert "<title>&lt;script&gt;" in dom
    assert "<title>pwned" not in dom
    assert not re.search("<(script|img)", dom)


def test_even_markup_that_got_in_would_run_nothing(tmp_path: Path) -> None:
    breached = page(TEXT).replace("<main", f"{PWN}<main")
    assert PWN in breached
    assert "<title>pwned" not in rendered(breached, tmp_path)


def test_changes_and_the_removal_are_there(dom: str) -> None:
    assert "<del>struggle</del><wbr><ins>war</ins>" in dom
    assert re.search(r"<details[^>]*><summary>Paragraph 3 removed: repeats paragraph 1 \(exact, score 1.00\)", dom)


def test_the_style_is_let_in_by_the_policy(tmp_path: Path) -> None:
    probe = page("The struggle began.\nThe struggle began.\n")
    # The policy allows one style sheet, by its hash. A probe that may run reads what the browser made of it.
    probe = probe.replace("default-src 'none'; style-src", "script-src 'unsafe-inline'; style-src")
    script = "<script>document.title = getComputedStyle(document.querySelector('main del')).textDecorationLine</script>"
    assert "<title>line-through</title>" in rendered(probe.replace("</body>", f"{script}</body>"), tmp_path)
