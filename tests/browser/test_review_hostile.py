"""Hostile texts, names and entries in the review's page: shown as what they are, and nothing of them comes alive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from unspin.model import DecidedBy, DuplicateGroup, DuplicateKind, Edit, Entry, Repeat, Restoration, Signature
from unspin.model import SpinEvidence as Spin
from unspin.review.ledger import Ledger
from unspin.review.model import Answer, Reviewer, State

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
if TYPE_CHECKING:
    from playwright.sync_api import Page, expect
else:
    expect = sync_api.expect

SCRIPT = "<script>document.title='pwned'</script>"
IMAGE = "\"'><img src=x onerror=\"document.title='pwned'\"><svg onload=\"document.title='pwned'\">"
TEMPLATE = "{{ 7*7 }}{% raw %}${7*7}</textarea></title><!--"
OVERRIDE = "\u202egnp.exe\u2066\u202c"
CONTROLS = "\x00\x1b[31m\x07\u200b\ufeff"
PWN = SCRIPT + IMAGE + TEMPLATE + OVERRIDE + CONTROLS
LINE = f"The struggle {PWN} began and the article went on for a while."
TEXT = f"{LINE}\n\n{LINE}\n"


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    """A text, its name, its entry, its reviewers and their words, all hostile."""
    entry = Entry(f"struggle {PWN}", f"war {PWN}", 0.5, 1, source=PWN)
    start, end = 4, LINE.index(" began")
    edit = Edit(start, end, TEXT[start:end], entry.original, entry, 0.9, DecidedBy.DECODER)
    again = TEXT.rindex(LINE)
    group = DuplicateGroup(0, len(LINE), (Repeat(again, again + len(LINE), DuplicateKind.EXACT, 1.0),))
    restoration = Restoration(TEXT, Spin(1.0, 1.0, 9, True), (group,), (edit,), (), Signature("1", "a", "b", ()))
    with Ledger(tmp_path / "unspin.db") as opened:
        opened.add(f"{PWN}.txt".replace("\0", ""), restoration)
        words = Answer(State.REPLACED, f"fight {PWN}")
        opened.decide(opened.items()[0].id, words, by=Reviewer(PWN))
        yield opened


@pytest.mark.parametrize("view", ["Original", "Changes", "Cleaned"])
def test_nothing_in_a_text_comes_alive(page: Page, served: Any, view: str) -> None:
    page.goto(served.guard.address)
    expect(page.locator("h2")).to_contain_text("<script>document.title='pwned'</script>")
    page.goto(served.text())
    page.locator("#article .mark").first.click()
    expect(page.locator("#card .history")).to_contain_text("onerror=")
    page.get_by_label(view).check(force=True)
    page.keyboard.press("u")
    page.keyboard.press("e")
    expect(page.get_by_label("What should stand there")).to_have_value(f"fight {PWN}")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Escape")
    page.keyboard.press("N")
    page.keyboard.press("Escape")
    page.locator("[data-fold]").first.evaluate("button => button.click()")
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.locator("#card .kept")).to_contain_text("${7*7}")
    assert page.locator("img, svg, textarea, main script, aside script").count() == 0
    assert page.title() == f"{shown_in_title()}.txt: review"


def shown_in_title() -> str:
    """What a title makes of PWN: every hidden character is named."""
    named = {c: f"⟨U+{ord(c):04X}⟩" for c in "\x1b\x07\u200b\ufeff\u202e\u2066\u202c"}
    return " ".join("".join(named.get(c, c) for c in PWN.replace("\0", "")).split())


def test_what_reorders_or_hides_is_boxed(page: Page, served: Any) -> None:
    page.goto(served.text())
    signs = page.locator("#article del .sign")
    expect(signs.first).to_have_text("U+202E")
    expect(signs.first).to_have_attribute("title", "right-to-left override")
    codes = ["U+202E", "U+2066", "U+202C", "U+0000", "U+001B", "U+0007", "U+200B", "U+FEFF"]
    assert signs.all_text_contents()[: len(codes)] == codes
    article = page.locator("#article").inner_html()
    assert not {"\u202e", "\u2066", "\x1b", "\u200b"} & set(article)


def test_markup_that_got_in_would_run_nothing(page: Page, served: Any) -> None:
    """The policy holds even if the escaping failed: no inline script, no handler, no HTML made of strings."""
    context = page.context.browser
    assert context
    own = context.new_context()
    probe = own.new_page()
    breach = f"<main id='article'>{SCRIPT}<img src=x onerror=\"document.title='pwned'\">"

    def breached(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("<main", f"{breach}<main", 1))

    probe.route(served.text(), breached)
    probe.goto(served.text())
    expect(probe.locator("img")).to_have_count(1)
    assert "pwned" not in probe.title().replace(shown_in_title(), "")
    refused = probe.evaluate("try { document.body.innerHTML = '<b>x</b>'; 'let in' } catch (error) { error.name }")
    assert refused == "TypeError"
    own.close()
