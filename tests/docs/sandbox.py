"""The folder in which the pages' commands run, with the files that they speak of; and what stands in for the world."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
from pathlib import Path
from types import TracebackType

from click.testing import CliRunner
from pytest import MonkeyPatch

from unspin.cli import unspin
from unspin.lexicon import Lexicon
from unspin.pipeline import examine
from unspin.review.ledger import Ledger
from unspin.spin import spin

from .blocks import ROOT

SEED = (ROOT / "seeds" / "seed.txt").read_text(encoding="utf-8").split("\n")
SPUN = "\n".join(SEED[:2]) + "\n"
OTHER = "\n".join(SEED[2:4]) + "\n"
CLEAN = (ROOT / "seeds" / "seed.cleaned.txt").read_text(encoding="utf-8")
MINE = "spun\toriginal\trate\tseen\tstatus\tsource\tnote\nstruggle\twar\t0.26\t347\tauto\tmine\t\n"
TEXTS = {
    "scraped.txt": SPUN,
    "article.txt": SPUN,
    "a.txt": OTHER,
    "articles/one.txt": SPUN,
    "articles/two.txt": OTHER,
    "monday/a.txt": SPUN,
    "tuesday/b.txt": SPUN + OTHER,
    "crawl/a.txt": SPUN,
    "crawl/b.txt": SPUN,
    "copy-a.txt": SPUN,
    "copy-b.txt": SPUN.replace("struggle", "conflict"),
    "copy-c.txt": CLEAN,
    "page.html": f"<html><body><p>{SPUN}</p></body></html>\n",
    "news/2024/note.md": f"# Note\n\n{SPUN}",
    "scrape/one.txt": SPUN,
    "mine.tsv": MINE,
    "unspin.tsv": MINE,
    "yours.tsv": MINE.replace("347", "12"),
}


class ReviewerWhoLeaves:
    """A screen whose reviewer accepts the first candidate, and then goes."""

    def __init__(self) -> None:
        self.keys = iter("y")

    def __enter__(self) -> ReviewerWhoLeaves:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def key(self, draw: object) -> str:
        return next(self.keys, "q")

    def line(self, prompt: str, text: str = "") -> str | None:
        return None


def _compressed(path: Path, lines: list[str]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def prepare(folder: Path) -> None:
    """Lay out everything that pages take for granted, a ledger with two texts in it included."""
    for name, text in TEXTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("seeds", "lexicons"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(ROOT / "tests" / "cases" / "in_the_wild", folder / "tests" / "cases")
    shutil.copy(folder / "tests/cases/seed_sanctions.case.toml", folder / "tests/cases/sanctions.case.toml")
    paragraphs = [line for line in CLEAN.splitlines() if line]
    lexicon = Lexicon.load()
    pairs = [json.dumps({"original": text, "spun": [spin(text, lexicon).text]}) for text in paragraphs * 3]
    _compressed(folder / "pairs.jsonl.gz", pairs)
    _compressed(folder / "dev.jsonl.gz", pairs)
    record = json.dumps({"id": 1, "text": SPUN, "body": OTHER})
    (folder / "scrape.jsonl").write_text(record + "\n", encoding="utf-8")
    _compressed(folder / "scrape.jsonl.gz", [record])
    _compressed(folder / "news.txt.gz", paragraphs * 3)
    with Ledger(str(folder / "unspin.db"), create=True) as ledger:
        for name in ("article.txt", "a.txt"):
            ledger.add(name, *examine(TEXTS[name]), encoding="utf-8")


def build_index(folder: Path) -> None:
    """The index `seen`, for pages that do not make it themselves."""
    result = CliRunner().invoke(unspin, ["index", "build", str(folder / "seen"), str(folder / "monday")])
    assert result.exit_code == 0, result.output


def stand_in(monkeypatch: MonkeyPatch) -> None:
    """Put in place of a person at a terminal one who leaves, and end the page's server as soon as it could answer."""
    from unspin.commands import review_terminal
    from unspin.review.web import serve

    def served(desk: object, opened: socket.socket, **how: object) -> None:
        assert opened.getsockname()[0] == "127.0.0.1"
        opened.close()

    listen = serve.listen
    monkeypatch.setattr(review_terminal, "require_terminal", lambda: None)
    monkeypatch.setattr(review_terminal, "Terminal", ReviewerWhoLeaves)
    monkeypatch.setattr(serve, "serve", served)
    monkeypatch.setattr(serve, "listen", lambda port=0: listen(0))  # the port of a page may be taken here
