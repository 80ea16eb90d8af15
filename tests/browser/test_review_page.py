"""The review in a real browser: every answer reaches the ledger, and the page shows what the ledger holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from unspin.edit import cleaned
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, REJECT, Filter, Interface, Item, Reviewer, State
from unspin.review.web.desk import Desk
from unspin.review.web.guard import Guard

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, expect
else:
    expect = sync_api.expect

BERT = Reviewer("bert", Interface.TERMINAL)


class Served(Protocol):
    """A review that a browser can open: see conftest."""

    desk: Desk
    guard: Guard
    ledger: Ledger

    def stop(self) -> None: ...

    def text(self, number: int = 1) -> str: ...


def state(served: Served, place: int) -> tuple[State, str]:
    """The state of the item at a place of the first text, and what stands there."""
    item = items(served)[place]
    return item.state, item.after


def items(served: Served) -> list[Item]:
    return served.ledger.items(Filter(document=1))


def mark(page: Page, place: int) -> Locator:
    return page.locator("#article .mark").nth(place)


def current(page: Page) -> Locator:
    return page.locator("#article .mark[aria-current]")


def opened(page: Page, served: Served, number: int = 1) -> Page:
    """A text's page, with the first item's panel."""
    page.goto(served.text(number))
    expect(page.locator("#card h2")).to_be_visible()
    return page


def said(page: Page, words: str) -> None:
    expect(page.get_by_role("status").first).to_contain_text(words)


def test_the_list_tells_of_evidence_and_progress(page: Page, served: Served) -> None:
    served.ledger.decide(items(served)[0].id, ACCEPT, by=BERT)
    page.goto(served.guard.address)
    card = page.locator("li.card").first
    expect(card.get_by_role("heading")).to_have_text("a.txt")
    expect(card).to_contain_text("spun 90 % of swappable phrases swapped · 1.10 nats a word · 30 words")
    expect(card).to_contain_text("1 of 7 decided")
    expect(page.get_by_role("progressbar", name="Decided in all texts")).to_have_attribute("max", "8")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("a.txt")


def test_y_accepts_and_goes_on(page: Page, served: Served) -> None:
    opened(page, served)
    page.keyboard.press("y")
    expect(mark(page, 0)).to_have_attribute("data-state", "accepted")
    said(page, "struggle becomes war. Accepted. 1 of 7 decided.")
    assert state(served, 0) == (State.ACCEPTED, "war")
    decision = served.ledger.history(limit=1)[0]
    assert decision.reviewer == Reviewer("anna", Interface.WEB)
    expect(mark(page, 1)).to_be_focused()
    expect(page.locator("#progress")).to_have_text("1 of 7")


def test_n_rejects_and_the_article_follows(page: Page, served: Served) -> None:
    opened(page, served)
    lead = page.locator(f"#l{items(served)[1].id}")
    expect(lead.locator("ins")).to_have_text("an")
    expect(lead).to_have_attribute("data-made", "yes")
    mark(page, 1).click()
    page.keyboard.press("n")
    said(page, "unprecedented stays. Rejected.")
    assert state(served, 1) == (State.REJECTED, "unprecedented")
    expect(lead).to_have_attribute("data-made", "no")
    page.keyboard.press("u")
    said(page, "Taken back")
    expect(lead).to_have_attribute("data-made", "yes")


def test_numbers_and_buttons_choose(page: Page, served: Served) -> None:
    opened(page, served)
    page.keyboard.press("2")
    expect(mark(page, 0).locator("ins")).to_have_text("fight")
    assert state(served, 0) == (State.REPLACED, "fight")
    mark(page, 0).click()
    expect(page.get_by_role("button", name="2 fight")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="1 war").click()
    expect(mark(page, 0)).to_have_attribute("data-state", "accepted")
    page.keyboard.press("9")
    said(page, "There is no option 9.")


def test_words_of_ones_own(page: Page, served: Served) -> None:
    opened(page, served)
    page.keyboard.press("e")
    field = page.get_by_label("What should stand there")
    expect(field).to_be_focused()
    expect(field).to_have_value("war")
    field.fill("y n u <b>conflict</b>")
    page.keyboard.press("Enter")
    expect(mark(page, 0).locator("ins")).to_have_text("y n u <b>conflict</b>")
    assert state(served, 0) == (State.REPLACED, "y n u <b>conflict</b>")
    page.keyboard.press("k")
    page.keyboard.press("e")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    expect(mark(page, 0)).to_be_focused()


def test_undo_takes_back_what_was_answered_last(page: Page, served: Served) -> None:
    opened(page, served)
    for key in "ynu":
        page.keyboard.press(key)
    said(page, "Taken back")
    assert [item.state for item in items(served)[:2]] == [State.ACCEPTED, State.PROPOSED]
    expect(mark(page, 1)).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(mark(page, 0)).to_have_attribute("data-state", "proposed")
    page.keyboard.press("u")
    said(page, "There is nothing left to take back.")


def test_keys_faster_than_answers_are_answered_in_turn(page: Page, served: Served) -> None:
    opened(page, served)
    press = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"
    page.evaluate(f"for (const key of 'ynyny') {press}")
    expect(page.locator("#progress")).to_have_text("5 of 7")
    assert [item.state.value for item in items(served)[:5]] == ["accepted", "rejected"] * 2 + ["accepted"]


def test_a_reload_shows_what_was_answered(page: Page, served: Served) -> None:
    opened(page, served)
    for key in "yn2":
        page.keyboard.press(key)
    expect(page.locator("#progress")).to_have_text("2 of 7")
    before = page.locator("#article").inner_html()
    page.reload()
    expect(current(page)).to_have_attribute("data-id", str(items(served)[2].id))
    expect(page.locator("#progress")).to_have_text("2 of 7")
    assert page.locator("#article").inner_html() == before


@pytest.mark.parametrize("keys", ["", "ynyynyy", "nnnnnnn", "2"])
def test_the_cleaned_view_is_what_will_be_written(page: Page, served: Served, keys: str) -> None:
    opened(page, served)
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("#progress")).to_have_text(f"{len(keys)} of 7")
    page.get_by_label("Cleaned").check(force=True)
    assert lines(page) == [line for line in cleaned(served.ledger.restoration(1)).split("\n") if line]
    page.get_by_label("Original").check(force=True)
    assert lines(page) == [line for line in served.ledger.text(1).split("\n") if line]


def lines(page: Page) -> list[str]:
    """The article's paragraphs, as they can be seen."""
    found = page.locator("#article > [data-number]").all()
    return [paragraph.inner_text().strip() for paragraph in found if paragraph.is_visible()]


def test_a_repeated_paragraph_is_folded_and_can_be_restored(page: Page, served: Served) -> None:
    opened(page, served)
    repeat = page.get_by_role("region", name="Paragraph 3, a repetition")
    expect(repeat).to_contain_text("Removed: repeats paragraph 1")
    expect(repeat.locator(".passage")).to_be_hidden()
    repeat.get_by_role("button", name="Show it").click()
    expect(repeat.locator(".passage")).to_be_visible()
    repeat.get_by_role("button", name="Paragraph removed").click()
    expect(page.locator("#card")).to_contain_text("Paragraph 1, which is kept")
    page.get_by_role("button", name="Keep").click()
    expect(repeat).to_contain_text("Kept: repeats paragraph 1")
    assert served.ledger.item(5 + 1).state is State.REJECTED
    page.keyboard.press("u")
    expect(repeat).to_contain_text("Removed")


def test_many_at_once_by_confidence_with_a_live_count(page: Page, served: Served) -> None:
    opened(page, served)
    page.get_by_role("button", name="Many").click()
    dialog = page.get_by_role("dialog", name="Many at once")
    number = dialog.locator("#bulk-count")
    expect(number).to_have_text("2")
    expect(page.locator(".mark.touched")).to_have_count(2)
    dialog.get_by_role("slider").fill("65")
    expect(number).to_have_text("4")
    dialog.get_by_label("held").check()
    dialog.get_by_role("slider").fill("0")
    expect(number).to_have_text("6")
    dialog.get_by_label("all texts").check()
    expect(number).to_have_text("7")
    dialog.get_by_label("this text").check()
    dialog.get_by_label("held").uncheck()
    dialog.get_by_role("slider").fill("80")
    expect(number).to_have_text("3")
    dialog.get_by_role("button", name="Accept 3 corrections").click()
    expect(page.locator("#progress")).to_have_text("3 of 7")
    assert served.ledger.count(Filter(states=(State.ACCEPTED,))) == 3
    page.keyboard.press("u")
    said(page, "Taken back: 3 answers.")
    expect(page.locator("#progress")).to_have_text("0 of 7")


def test_all_of_an_entry_here_and_everywhere(page: Page, served: Served) -> None:
    opened(page, served)
    expect(page.locator("#card")).to_contain_text("Other occurrences: 2 here, 1 in other texts")
    page.keyboard.press("a")
    expect(page.locator("#progress")).to_have_text("3 of 7")
    assert served.ledger.count(Filter(document=2, states=(State.ACCEPTED,))) == 0
    page.keyboard.press("u")
    expect(page.locator("#progress")).to_have_text("0 of 7")
    page.get_by_role("button", name="Accept 4 everywhere").click()
    said(page, "Accepted 4 corrections in all texts.")
    assert served.ledger.count(Filter(document=2, states=(State.ACCEPTED,))) == 1


def test_never_again_goes_to_the_lexicon_and_back(page: Page, served: Served, tmp_path: Path) -> None:
    opened(page, served)
    page.keyboard.press("N")
    dialog = page.get_by_role("dialog", name="Never again?")
    expect(dialog).to_contain_text("“struggle ← war” goes off in unspin.tsv, and 4 undecided corrections")
    dialog.get_by_role("button", name="Never again").click()
    said(page, "Never again: off in unspin.tsv, 4 corrections rejected.")
    assert "struggle\twar\t0.26\t347\toff" in (tmp_path / "unspin.tsv").read_text()
    page.keyboard.press("u")
    said(page, "Taken back: 4 answers, and the line in unspin.tsv.")
    assert not (tmp_path / "unspin.tsv").exists()
    assert served.ledger.count(undecided=True) == 8


def test_search_order_and_occurrences_lead_there(page: Page, served: Served) -> None:
    opened(page, served)
    page.keyboard.press("/")
    page.keyboard.type("more")
    page.keyboard.press("Enter")
    expect(current(page)).to_have_text("extramore")
    page.get_by_label("Find a correction").fill("officials")  # in the text around it
    page.keyboard.press("Enter")
    expect(current(page)).to_have_attribute("data-why", "duplicate")
    page.get_by_label("Find a correction").fill("nowhere")
    page.keyboard.press("Enter")
    said(page, "No correction holds “nowhere”.")
    page.keyboard.press("Escape")
    page.get_by_label("In the order").select_option("riskiest first")
    expect(current(page)).to_have_attribute("data-why", "number")
    page.get_by_label("In the order").select_option("as read")
    mark(page, 0).click()
    page.locator("#card .elsewhere a").first.click()
    expect(current(page)).to_have_attribute("data-id", str(items(served)[4].id))
    page.locator("#card .elsewhere a").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("b.txt")
    expect(current(page)).to_have_count(1)


def test_another_tab_sees_what_was_answered_in_this_one(page: Page, served: Served) -> None:
    opened(page, served)
    other = page.context.new_page()
    opened(other, served)
    page.keyboard.press("y")
    expect(mark(other, 0)).to_have_attribute("data-state", "accepted")
    expect(other.locator("#progress")).to_have_text("1 of 7")


def test_another_reviewers_answer_comes_in_by_itself(page: Page, served: Served) -> None:
    opened(page, served)
    served.ledger.decide(items(served)[1].id, REJECT, by=BERT)
    expect(mark(page, 1)).to_have_attribute("data-state", "rejected")


def test_an_answer_to_what_changed_meanwhile_is_not_taken(page: Page, served: Served) -> None:
    opened(page, served)
    page.route("**/states*", lambda route: route.abort())  # nothing comes in by itself
    served.ledger.decide(items(served)[0].id, REJECT, by=BERT)
    page.unroute("**/states*")
    page.keyboard.press("y")
    said(page, "Meanwhile rejected by bert. Look again, then decide.")
    expect(mark(page, 0)).to_have_attribute("data-state", "rejected")
    assert state(served, 0)[0] is State.REJECTED
    expect(page.locator("#card .history")).to_contain_text("rejected · bert · terminal")
    page.keyboard.press("y")
    expect(mark(page, 0)).to_have_attribute("data-state", "accepted")


def test_the_keyboard_alone_is_enough(page: Page, served: Served) -> None:
    page.goto(served.guard.address)
    while page.evaluate("document.activeElement.textContent") != "a.txt":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#card h2")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the article")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(mark(page, 0)).to_be_focused()
    page.keyboard.press("Tab")
    expect(mark(page, 1)).to_be_focused()
    expect(page.locator("#card h2")).to_contain_text("extraordinary")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Accept")).to_be_focused()
    page.keyboard.press("Escape")
    expect(mark(page, 1)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(mark(page, 1)).to_have_attribute("data-state", "rejected")
    expect(mark(page, 2)).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    expect(page.get_by_label("Cleaned")).to_be_checked()
    page.keyboard.press("q")
    expect(page.get_by_role("heading", name="Texts to review")).to_be_visible()


def test_a_screen_reader_is_told_what_each_mark_means(page: Page, served: Served) -> None:
    opened(page, served)
    names = page.locator("#article").aria_snapshot()
    assert "struggle becomes war. Proposed, 92 % sure." in names
    assert re.search("4 stays for now; perhaps four. Held, [0-9]+ % sure.", names)
    assert "Paragraph removed: repeats paragraph 1. Proposed." in names
    for control in page.locator("button, input, select, progress, a").all():
        name = control.evaluate(
            "e => (e.ariaLabel || e.textContent || [...(e.labels ?? [])].map(l => l.textContent).join('')).trim()"
        )
        assert name, control


def test_letters_can_be_switched_off_as_keys(page: Page, served: Served) -> None:
    opened(page, served)
    page.keyboard.press("?")
    page.get_by_label("Single letters work as keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("y")
    page.get_by_role("button", name="Reject").first.click()
    expect(mark(page, 0)).to_have_attribute("data-state", "rejected")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_unless_chosen(browser: Browser, served: Served, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(served.guard.address)
    assert is_dark(page) is (scheme == "dark")
    page.get_by_role("button", name="Theme: auto").click()
    page.get_by_role("button", name="Theme: light").click()
    assert is_dark(page)
    page.goto(served.text())
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert is_dark(page)
    context.close()


def is_dark(page: Page) -> bool:
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return max(map(int, re.findall(r"\d+", colour)[:3])) < 64


def test_when_the_server_is_gone_the_page_says_so(page: Page, served: Served) -> None:
    opened(page, served)
    served.stop()
    page.keyboard.press("y")
    said(page, "unspin does not answer. Does it still run? What you answered so far is kept.")
    expect(mark(page, 0)).to_have_attribute("data-state", "proposed")


def test_when_all_is_decided_the_page_says_so(page: Page, served: Served) -> None:
    opened(page, served, 2)
    page.keyboard.press("y")
    expect(page.locator(".finished")).to_contain_text("All 1 correction of this text are decided.")
    page.get_by_role("link", name="Back to the texts").click()
    expect(page.locator("li.card").nth(1)).to_contain_text("✓ all 1 decided")
