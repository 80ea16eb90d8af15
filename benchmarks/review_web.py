"""How fluent the review's page is in a real browser, with 2,000 candidates in one text.

    python benchmarks/review_web.py [--candidates 2000] [--decisions 200]

Fills a ledger with a made-up article, serves it, opens it in chromium and prints, in wall-clock milliseconds: how long
the server takes for the page, when the browser painted first, when the page could be used, how long a decision takes
from the key to the patched mark and counters (the round trip alone, and until the next frame is painted), and how long
a bulk decision over all of them takes. Targets: first paint under 1,000 ms, a decision under 100 ms.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Page, sync_playwright

from unspin.model import DecidedBy, Edit, Restoration, Signature, SpinEvidence
from unspin.pipeline import default_lexicon
from unspin.review.ledger import Ledger
from unspin.review.web.desk import Desk
from unspin.review.web.serve import listen, server

FILLERS = "the of and to in a that was for on with as by it an at from this which many said".split()
EVERY = 8  # words from one candidate to the next; spun texts have one in four
LOADS = 5

# From the key to the mark that changed, and to the frame that shows it.
PRESS = """async (key) => {
  const mark = document.querySelector(".mark[aria-current]");
  const state = mark.dataset.state;
  const start = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  await new Promise((done) => new MutationObserver((_, watch) => (watch.disconnect(), done())).observe(
    mark, { attributes: true, attributeFilter: ["data-state"] }));
  const patched = performance.now() - start;
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const painted = performance.now() - start;
  while (document.querySelector("#card").ariaBusy === "true") await new Promise((done) => setTimeout(done, 1));
  return [patched, painted, performance.now() - start];
}"""


def article(candidates: int) -> Restoration:
    """A made-up text with so many swaps of the shipped lexicon, 8 to a paragraph."""
    chance = random.Random(1)
    entries = [entry for entry in default_lexicon().entries if entry.status == "auto"]
    chosen = chance.choices(entries, [1 + entry.seen for entry in entries], k=candidates)
    text, edits = "", []
    for number, entry in enumerate(chosen, 1):
        text += " ".join(chance.choices(FILLERS, k=EVERY)) + " "
        span = len(text), len(text) + len(entry.spun)
        edits.append(Edit(*span, entry.spun, entry.original, entry, chance.uniform(0.5, 0.98), DecidedBy.DECODER))
        text += entry.spun + (".\n\n" if number % 8 == 0 else " ")
    return Restoration(text, SpinEvidence(0.9, 1.0, len(text.split()), True), (), tuple(edits), (), SIGNATURE)


SIGNATURE = Signature("1", "made up", "made up", ())


def loaded(page: Page, address: str) -> tuple[float, float]:
    """Milliseconds to the first paint of an address, and until its first panel is there."""
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("#card h2")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return float(paint), float(page.evaluate("performance.now()"))


def told(name: str, values: Sequence[float], target: float | None = None) -> None:
    """One line of figures."""
    last = quantiles(values, n=100)[98] if len(values) > 10 else max(values)
    print(
        f"{name:<44} median {median(values):7.1f} ms   worst percent {last:7.1f} ms"
        + (f"   target {target:,.0f}" if target else "")
    )


def measure(page: Page, address: str, decisions: int) -> None:
    """Open the page, answer, and print."""
    started = time.perf_counter()
    size = len(page.request.get(address).body())
    print(f"{'the page from the server':<44} {(time.perf_counter() - started) * 1000:14.1f} ms   {size / 1e6:.1f} MB")
    loads = [loaded(page, address) for _ in range(LOADS)]
    told("first paint", [paint for paint, _ in loads], 1000)
    told("until it can be used (panel filled)", [usable for _, usable in loads])
    pressed = [page.evaluate(PRESS, "ynyy2"[i % 4]) for i in range(decisions)]
    told("a decision, until mark and counters say so", [one[0] for one in pressed], 100)
    told("a decision, until that is painted", [one[1] for one in pressed], 100)
    told("a decision, until the next panel is there", [one[2] for one in pressed])
    page.keyboard.press("b")
    page.locator("#least").fill("0")
    button = page.locator("#bulk-do:has-text('corrections')")
    button.wait_for()
    started = time.perf_counter()
    button.click()
    page.wait_for_selector(".finished")
    print(f"{'all others at once':<44} {(time.perf_counter() - started) * 1000:14.1f} ms")


def main() -> None:
    """Fill, serve, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=2000)
    parser.add_argument("--decisions", type=int, default=200)
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "unspin.db") as ledger:
        ledger.add("article.txt", article(given.candidates))
        opened = listen()
        answering, guard = server(Desk(ledger, "bench"), opened.getsockname()[1])
        thread = threading.Thread(target=answering.run, kwargs={"sockets": [opened]})
        thread.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu"])
            page = browser.new_page(viewport={"width": 1360, "height": 850})
            measure(page, f"{guard.address}texts/1", given.decisions)
            browser.close()
        answering.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
