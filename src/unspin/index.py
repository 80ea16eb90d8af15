"""An index of passages on disk: tomorrow's scrape is checked against yesterday's without reading that again.

Texts come in; out goes an `Answer` for each of their passages: new, or a copy of which kept passage, and why. Passages
are judged in their order, each against those that were kept before it: in the index, or earlier in the same scrape. The
rules, kinds and scores are those of `unspin.copies`, and what says something new is kept. Answers do not depend on how
texts were split into additions. Refused, by IndexFault: what is no index, damaged, or made with another lexicon; by
OutputError, an index that cannot be written. Whatever fails, the index stays as it was.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from secrets import token_hex

import xxhash

from unspin.canon import Canon, canon
from unspin.errors import IndexFault, OutputError, reason
from unspin.files import STALE
from unspin.judge import judged
from unspin.lexicon import Lexicon
from unspin.model import Answer, DuplicateKind, KnownPassage, Level, NamedText, Place, Progress
from unspin.passages import blocks, signature
from unspin.store import DATABASE, DocumentRow, Store

BLOCK = 2_000_000  # characters judged at a time


@dataclass(slots=True)
class Added:
    """What an addition found. `skipped` texts were there already, under the same name with the same characters."""

    texts: int = 0
    skipped: int = 0
    passages: int = 0
    kinds: Counter[DuplicateKind] = field(default_factory=Counter)

    @property
    def kept(self) -> int:
        """Passages that are no copies."""
        return self.passages - self.kinds.total() + self.kinds[DuplicateKind.OVERLAP]


class Index:
    """An open index: close it, or use it in a `with` statement. Not for several threads at once."""

    def __init__(self, store: Store, canon: Canon) -> None:
        self._store, self._canon = store, canon
        self.level = Level(store.settings["level"])
        self.min_words = int(store.settings["min_words"])

    @classmethod
    def build(
        cls,
        path: Path,
        texts: Iterable[NamedText] = (),
        *,
        level: Level = Level.DOCUMENT,
        min_words: int = 0,
        lexicon: Lexicon | None = None,
        tell: Callable[[Answer], None] | None = None,
        progress: Progress | None = None,
    ) -> Added:
        """A new index of some texts; it is there when all of them are in it. See `dedupe` for the other parameters.

        Raises OutputError if something stands at `path` or nothing can be written there.
        """
        if path.exists() or path.is_symlink():
            raise OutputError(path, "exists; `unspin index add` adds to an index")
        table = canon(lexicon) if lexicon else Canon()
        settings = {
            "level": str(level),
            "min_words": str(min_words),
            "reading": signature(Canon()),
            "canon": signature(table),
            "lexicon": lexicon.name if lexicon else "none",
            "unspin": _version(),
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        for left in path.parent.glob(".unspin-*.tmp"):
            if _is_abandoned(left):  # by a process that was killed
                shutil.rmtree(left, ignore_errors=True)
        beside = path.with_name(f".unspin-{token_hex(8)}.tmp")
        try:
            with Store.create(beside, settings) as store:
                added = cls(store, table).add(texts, tell=tell, progress=progress)
            try:
                beside.rename(path)
            except OSError as error:
                raise OutputError(path, f"cannot be written: {reason(error)}") from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return added

    @classmethod
    def open(cls, path: Path, *, lexicon: Lexicon | None = None) -> Index:
        """An index that is there. Raises IndexFault, also if it was made with another lexicon."""
        store = Store.open(path)
        table = canon(lexicon) if lexicon else Canon()
        try:
            if store.settings["reading"] != signature(Canon()):
                made = store.settings["unspin"]
                raise IndexFault(path, f"was made by unspin {made}, which reads texts otherwise; build it anew")
            if store.settings["canon"] != signature(table):
                made = store.settings["lexicon"]
                raise IndexFault(path, f"was made with another lexicon ({made}); give that one, or build it anew")
        except BaseException:
            store.close()
            raise
        return cls(store, table)

    def close(self) -> None:
        """Let go of it."""
        self._store.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(
        self,
        texts: Iterable[NamedText],
        *,
        tell: Callable[[Answer], None] | None = None,
        skip: Callable[[int], None] | None = None,
        progress: Progress | None = None,
    ) -> Added:
        """Add texts, all of them or, on any failure, none; `tell` is called with what is said of each passage.

        A text that is there already under its name is skipped, and `skip` called with its place among the texts; other
        text under a known name is another version, and both stay. Time grows in proportion to what is added. Raises
        IndexFault, OutputError, and what `texts` raises.
        """
        added = Added()
        with self._store.adding():
            for answer in self._judged(self._entered(self._fresh(texts, added, skip)), progress=progress):
                added.passages += 1
                if answer.kind:
                    added.kinds[answer.kind] += 1
                if tell:
                    tell(answer)
        return added

    def query(
        self,
        texts: Iterable[NamedText],
        *,
        level: Level | None = None,
        min_words: int | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Answer]:
        """What would be said of each passage, in order, if the texts were added; the index stays as it is.

        `level` and `min_words` are those of the index, unless others are given: sentences may be looked for in an index
        of paragraphs. Raises IndexFault, OutputError for temporary files, and what `texts` raises.
        """
        with self._store.trying():
            numbered = self._entered(enumerate(texts))
            yield from self._judged(numbered, level=level, min_words=min_words, progress=progress)

    def _judged(
        self,
        texts: Iterable[tuple[int, int, str]],
        *,
        level: Level | None = None,
        min_words: int | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Answer]:
        """Answers, given the numbers of documents in the store, those of the texts that came in, and the texts."""
        came: dict[int, int] = {}

        def numbered() -> Iterator[tuple[int, str]]:
            for document, number, text in texts:
                came[document] = number
                yield document, text

        least = self.min_words if min_words is None else min_words
        for block in blocks(numbered(), level=level or self.level, canon=self._canon, size=BLOCK):
            verdicts = list(judged(self._store, block, self._canon, min_words=least))
            kept = self._kept({verdict.kept for _, verdict in verdicts if verdict.kept is not None})
            for place, verdict in verdicts:
                here = Place(came[place.text], place.start, place.end)
                passage = None if verdict.kept is None else kept[verdict.kept]
                yield Answer(here, passage, verdict.kind, verdict.score, verdict.rule)
            last = block.places[-1].text
            for document in [document for document in came if document < last]:
                del came[document]
            if progress:
                progress("texts", came.get(last, 0) + 1, 0)

    def _kept(self, numbers: set[int]) -> dict[int, KnownPassage]:
        store = self._store
        rows = store.passage_rows(numbers)
        documents = store.document_rows({row.document for row in rows.values()})
        found = {}
        for number, row in rows.items():
            document = documents[row.document]
            is_incoming = number >= store.base["passages"]
            text = row.text or ""
            found[number] = KnownPassage(document.name, row.start, row.stop, document.date, text, is_incoming)
        return found

    def _fresh(
        self, texts: Iterable[NamedText], added: Added, skip: Callable[[int], None] | None
    ) -> Iterator[tuple[int, NamedText]]:
        """Texts that are not in the index under their names, with their places among all."""
        for number, text in enumerate(texts):
            added.texts += 1
            if self._store.has_document(_digest(text)):
                added.skipped += 1
                if skip:
                    skip(number)
            else:
                yield number, text

    def _entered(self, texts: Iterable[tuple[int, NamedText]]) -> Iterator[tuple[int, int, str]]:
        """Puts documents into the store."""
        store = self._store
        for number, text in texts:
            document = store.documents
            store.add_documents([DocumentRow(document, text.name, text.date, _digest(text))])
            yield document, number, text.text


def describe(path: Path, *, check: bool = False) -> dict[str, str | int]:
    """What an index holds and how it was made, for people; it may be of any lexicon. `check` reads all of it.

    Raises IndexFault.
    """
    with Store.open(path) as store:
        if check:
            store.check()
        else:
            store.map()
        return {
            "texts": store.documents,
            "passages": store.passages,
            "kept": store.kept(),
            "keys": sum(segment.count for segment in store.segments),
            "segments": len(store.segments),
            "bytes": sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
            **store.settings,
        }


def _is_abandoned(path: Path) -> bool:
    """Is it a store that was being made, by a process that is no more? One that is young, or held, is not."""
    database = path / DATABASE
    try:
        if time.time() - max(file.stat().st_mtime for file in (path, *path.iterdir())) < STALE:
            return False
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)) as held:
            held.execute("pragma busy_timeout=0")
            held.execute("begin immediate")
    except (OSError, ValueError, sqlite3.Error):
        return False
    return True


def _digest(text: NamedText) -> bytes:
    """Of the name and the text."""
    return xxhash.xxh3_128_digest("\0".join((text.name, text.text)).encode("utf-8", "surrogatepass"))


def _version() -> str:
    try:
        return version("unspin")
    except PackageNotFoundError:
        return "0"
