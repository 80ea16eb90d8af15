"""The page about a batch: what it counts, what it quotes, and what it shows of texts that would like to run."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from unspin.batch.model import Copies, Plan, Settings
from unspin.batch.report import facts as gathering
from unspin.batch.report.charts import bars
from unspin.batch.report.facts import Facts, excerpts, gather
from unspin.batch.report.page import page
from unspin.batch.runner import run
from unspin.errors import BatchError, InputError
from unspin.files import Source

SEED = (Path(__file__).parents[2] / "seeds" / "seed.txt").read_text(encoding="utf-8")
BEGINNING, END = SEED[: len(SEED) // 2], SEED.rstrip()[-1500:]
PWN = "<script>document.title='pwned'</script><img src=x onerror=alert(1)>"
CLEAN = "My grandmother kept bees at the end of her garden for forty years, and talked to them every morning."


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch of a spun text, of texts that are copies, and of one that cannot be read."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "seed.txt").write_text(BEGINNING)
    rows = [{"id": PWN, "text": f"{END}\n{PWN}\n"}, {"id": "b", "text": CLEAN}, {"id": "c", "text": f"{CLEAN} "}]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "broken\n")
    sources = [Source(folder / name, Path(name)) for name in ("seed.txt", "a.jsonl")]
    plan = Plan(folder / "out", Settings(ranker="none"), copies=Copies.REMOVE)
    run(sources, plan, failed=[InputError(f"gone{PWN}", "no such file")])
    return folder / "out"


@pytest.fixture(scope="module")
def facts(output: Path) -> Facts:
    return gather(output)


def unpacked(html: str, name: str) -> Any:
    found = re.search(rf'<script type="application/gzip" id="{name}">([^<]*)</script>', html)
    assert found
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


def test_the_counts_are_those_of_the_batch(facts: Facts, output: Path) -> None:
    told = json.loads((output / "summary.json").read_text())["counts"]
    for name in ("documents", "words", "spun", "changed", "swaps", "held", "repeats", "copies", "errors"):
        assert facts.counts[name] == told[name], name
    assert sum(facts.rates) == told["spun"] == 2
    assert sum(facts.reasons.values()) == told["held"]
    assert sum(facts.swaps.values()) <= told["swaps"] <= sum(facts.confidences)
    assert facts.counts["groups"] == sum(1 for _ in facts.groups)


def test_diffs_lead_from_the_cleaned_text_to_the_original(facts: Facts) -> None:
    number = next(n for n, (_, row) in enumerate(facts.documents) if row.id.endswith("seed.txt"))
    before = "".join(one if isinstance(one, str) else one[0] for one in facts.diffs[number])
    for piece in before.split("…"):
        assert piece.strip() in BEGINNING


def test_without_texts_the_changes_alone_are_shown(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "_texts", lambda path, numbers: {})
    diff = next(iter(gather(output).diffs.values()))
    assert diff and not any(isinstance(one, str) for one in diff)


def edit(start: int, before: str, after: str) -> dict[str, Any]:
    return {"start": start, "before": before, "after": after, "confidence": 0.9, "decided_by": "decoder"}


def test_long_stretches_are_cut() -> None:
    cleaned = f"{'a ' * 100}war {'b ' * 100}end {'c ' * 100}"
    shown = excerpts(cleaned, [edit(200, "fight", "war"), edit(406, "ending", "end")])
    texts = [one for one in shown if isinstance(one, str)]
    assert [text.count("…") for text in texts] == [1, 1, 1, 1]
    assert all(len(text) <= gathering.CONTEXT + 2 for text in texts)
    assert [one[1] for one in shown if not isinstance(one, str)] == ["war", "end"]


def test_edits_of_another_text_are_shown_without_it() -> None:
    assert excerpts("Something else.", [edit(0, "fight", "war")]) == [("fight", "war", 0.9, "decoder")]
    assert excerpts("Something else.", []) == []


def test_nothing_in_it_can_run_or_is_fetched(facts: Facts) -> None:
    html = page(facts, PWN)
    assert PWN not in html
    assert "://" not in re.sub(r'<script type="application/gzip".*?</script>|data:[^"]*', "", html)
    for source in re.findall(r'<img src="data:image/svg\+xml;base64,([^"]*)"', html):
        assert "script" not in base64.b64decode(source).decode()
    listed = unpacked(html, "list")
    assert PWN in listed["id"]  # which the page's own script puts in as text
    assert len(listed["id"]) == listed["total"] == 4
    diffs = unpacked(html, "diffs-0")
    assert {int(n) for n in diffs} == {n for n, part in enumerate(listed["diff"]) if part == 0}


def test_the_same_batch_gives_the_same_page(facts: Facts) -> None:
    assert page(facts, "out") == page(facts, "out")
    assert bars("a", ["x"], [1]) == bars("a", ["x"], [1]) != bars("a", ["x"], [2])


def test_more_than_a_page_holds_is_said(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_DOCUMENTS", 2)
    monkeypatch.setattr(gathering, "MOST_DIFFS", 1)
    cut = gather(output)
    assert (len(cut.documents), len(cut.diffs), cut.counts["documents"]) == (2, 1, 4)
    assert unpacked(page(cut, "out"), "list")["total"] == 4


def test_what_is_no_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="no batch's output"):
        gather(tmp_path)


def test_an_empty_batch_has_a_page(tmp_path: Path) -> None:
    run([], Plan(tmp_path / "out", Settings(ranker="none")))
    assert "No documents yet." in page(gather(tmp_path / "out"), "out")
