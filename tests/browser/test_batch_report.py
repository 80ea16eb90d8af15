"""The page about a batch of 50,000 documents in a real browser: it opens at once, is found through, and shows diffs."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unspin.batch.manifest import DocumentRow, Run
from unspin.batch.report.facts import Facts, Segment
from unspin.batch.report.page import page as made

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DOCUMENTS = 50_000
PWN = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"


def row(number: int) -> DocumentRow:
    spun, failed = number % 5 == 0, number == 7
    rate, evidence = (1.0, 1.4) if spun else (0.0, 0.0)
    error = f"ValueError: {PWN}" if failed else ""
    name = f"doc-{number}" if number else PWN
    return DocumentRow("a.jsonl", number, name, 400, rate, evidence, spun, spun, number % 97, 1, 0, False, error)


def diff(number: int) -> list[Segment]:
    filler = f"The council of town {number} met on Tuesday to talk of the bridge. " * 20
    return [
        f"{filler}The ",
        ("struggle", "war", 0.97, "decoder"),
        f" of {PWN} was ",
        ("lengthy", "long", 0.8, "decoder"),
    ]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [(0, row(number)) for number in range(DOCUMENTS)]
    facts = Facts(
        settings={"signature": "unspin:1"},
        runs=[Run(0.0, 300.0, 2, DOCUMENTS, 400 * DOCUMENTS)],
        counts=Counter(documents=DOCUMENTS, words=400 * DOCUMENTS, spun=DOCUMENTS // 5, swaps=9, held=1, errors=1),
        rates=[0] * 19 + [DOCUMENTS // 5],
        confidences=list(range(20)),
        swaps=Counter({("struggle", "war"): 7, (PWN, "war"): 2}),
        reasons=Counter(number=1),
        held=Counter({("4", "four", "number"): 1}),
        duplicates=Counter(exact=1),
        groups=[("kept", [PWN])],
        files=["a.jsonl"],
        documents=rows,
        diffs={number: diff(number) for number, (_, one) in enumerate(rows) if one.is_changed},
    )
    target = tmp_path_factory.mktemp("page") / "report.html"
    target.write_text(made(facts, "scrape"), encoding="utf-8")
    return target


@pytest.fixture
def opened(page: Page, path: Path) -> Page:
    """The page, with its list."""
    from playwright.sync_api import expect

    start = time.monotonic()
    page.goto(path.as_uri())
    expect(page.locator("#documents tbody tr")).to_have_count(100, timeout=20_000)
    assert time.monotonic() - start < 10  # a second or two, on a machine with nothing else to do
    return page


def test_it_opens_and_pages_are_turned(opened: Page) -> None:
    assert opened.text_content("#count") == "50,000 documents"
    assert opened.text_content("#page") == "Page 1 of 500"
    opened.click("#last")
    assert opened.text_content("#page") == "Page 500 of 500"
    assert "doc-49999" in (opened.text_content("#documents tbody") or "")
    assert opened.is_disabled("#next") and opened.is_enabled("#previous")
    opened.click("#previous")
    assert opened.text_content("#page") == "Page 499 of 500"


def test_documents_are_found_sorted_and_chosen(opened: Page) -> None:
    from playwright.sync_api import expect

    opened.fill("#query", "DOC-4999")
    expect(opened.locator("#count")).to_have_text("11 documents")
    opened.fill("#query", "")
    opened.select_option("#kind", "errors")
    assert opened.text_content("#count") == "1 document"
    opened.select_option("#kind", "spun")
    assert opened.text_content("#count") == "10,000 documents"
    opened.select_option("#order", "swaps")
    assert opened.text_content("#documents tbody tr:first-child td:nth-child(5)") == "96"


def test_a_diff_opens_and_closes_by_key(opened: Page) -> None:
    opened.select_option("#kind", "changed")
    button = opened.locator("#documents tbody button").nth(1)
    button.focus()
    opened.keyboard.press("Enter")
    opened.wait_for_selector("dialog[open] ins")
    assert opened.text_content("#diff-name") == "doc-5"
    assert opened.text_content("#diff-text del") == "struggle"
    assert PWN in (opened.text_content("#diff-text") or "")
    assert opened.get_attribute("#diff-text ins", "title") == "confidence 0.97, decided by decoder"
    opened.keyboard.press("Escape")
    assert not opened.is_visible("dialog")
    assert button.evaluate("one => one === document.activeElement")
    assert opened.title() == "scrape: a batch of unspin"


def test_charts_are_drawn_by_day_and_by_night(browser: Browser, path: Path) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(path.as_uri())
        sizes = page.eval_on_selector_all("img", "all => all.map(one => one.complete && one.naturalWidth)")
        assert sizes == [640] * 3
        context.close()


def test_every_control_has_a_name(opened: Page) -> None:
    nameless = opened.eval_on_selector_all(
        "button, input, select, img, [role=region]",
        "all => all.filter(one => !(one.labels?.length || one.textContent.trim() || one.alt "
        "|| one.getAttribute('aria-label') || one.getAttribute('aria-labelledby'))).map(one => one.outerHTML)",
    )
    assert nameless == []
