"""An index of passages: what it says, what it refuses, and that nothing is lost."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from unspin.copies import dedupe
from unspin.errors import IndexFault, InputError, OutputError
from unspin.index import Index, describe
from unspin.lexicon import Lexicon
from unspin.model import Answer, DuplicateKind, Entry, Keep, Level, NamedText, Place
from unspin.postings import Kind
from unspin.store import Store

ORIGINAL = (
    "The company said on Monday that its new factory in Ohio will start making batteries next year, because "
    "demand for electric cars has grown quickly and many customers now wait for months. However, the city "
    "council has not yet approved the plan, and several people who live nearby fear the noise."
)
SPUN = (
    "The corporate stated on Monday that its new manufacturing facility in Ohio will begin making batteries "
    "subsequent yr, as a result of demand for electrical vehicles has grown shortly and lots of customers now "
    "wait for months. However, the city council has not yet approved the plan, and several folks who live nearby "
    "fear the noise."
)
SWAPS = (
    "corporate=company stated=said manufacturing_facility=factory begin=start subsequent=next yr=year "
    "as_a_result_of=because electrical=electric vehicles=cars shortly=quickly lots_of=many folks=people"
)
LEXICON = Lexicon(
    Entry(spun.replace("_", " "), original, 0.5) for spun, original in (swap.split("=") for swap in SWAPS.split())
)
OTHER = (
    "Heavy rain flooded several streets in the old harbour of Bergen during the night, and the ferry to Stavanger "
    "left two hours late. Nobody was hurt, but a bakery that opened in 1921 lost its ovens to the water."
)
MORE = (
    "Mayor Anna Lund, who took office in March, promised every shop on the quay 4,000 crowns and said that the wall "
    "against the sea, planned since 1987, would be finished before winter."
)


def texts(*found: str) -> list[NamedText]:
    return [NamedText(f"{number}.txt", text, float(number)) for number, text in enumerate(found)]


def built(path: Path, *found: str, **options: object) -> list[Answer]:
    answers: list[Answer] = []
    Index.build(path, texts(*found), tell=answers.append, **options)  # type: ignore[arg-type]
    return answers


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("copy", "kind"),
    [
        (f"  {ORIGINAL}\n", DuplicateKind.EXACT),
        (ORIGINAL.upper().replace(",", ""), DuplicateKind.NORMALISED),
        (ORIGINAL.replace("Monday", "Monday morning"), DuplicateKind.NEAR),
        (SPUN, DuplicateKind.RESPUN),
        (ORIGINAL.split(" However")[0], DuplicateKind.CONTAINED),
        (f"{ORIGINAL} {MORE}", DuplicateKind.OVERLAP),
        (MORE, None),
    ],
)
def test_kinds_scores_and_rules_are_those_of_dedupe(tmp_path: Path, copy: str, kind: DuplicateKind | None) -> None:
    assert [answer.kept for answer in built(tmp_path / "i", OTHER, ORIGINAL, lexicon=LEXICON)] == [None, None]
    with Index.open(tmp_path / "i", lexicon=LEXICON) as index:
        (answer,) = index.query([NamedText("new.txt", copy)])
    assert (answer.place, answer.kind) == (Place(0, 0, len(copy)), kind)
    if kind is None:
        assert answer.kept is None
        return
    assert answer.kept is not None
    assert (answer.kept.name, answer.kept.date, answer.kept.text) == ("1.txt", 1.0, ORIGINAL)
    assert (answer.kept.start, answer.kept.end, answer.kept.is_incoming) == (0, len(ORIGINAL), False)
    assert answer.is_copy == (kind is not DuplicateKind.OVERLAP)
    if answer.is_copy:
        (group,) = dedupe([ORIGINAL, copy], keep=Keep.FIRST, lexicon=LEXICON)
        (expected,) = group.copies
        assert (answer.kind, answer.score, answer.rule) == (expected.kind, expected.score, expected.rule)


def test_what_has_the_words_of_a_copy_is_a_copy_of_what_is_kept(tmp_path: Path) -> None:
    answers = built(tmp_path / "i", ORIGINAL, SPUN, SPUN.upper(), SPUN, lexicon=LEXICON)
    assert [answer.kind and str(answer.kind) for answer in answers] == [None, "respun", "respun", "respun"]
    assert {answer.kept.name for answer in answers if answer.kept} == {"0.txt"}


def test_copies_within_a_scrape_are_told_apart_from_those_in_the_index(tmp_path: Path) -> None:
    built(tmp_path / "i", ORIGINAL)
    with Index.open(tmp_path / "i") as index:
        answers = list(index.query(texts(OTHER, ORIGINAL, OTHER.lower())))
        assert [(a.kept.is_incoming, a.kept.name) for a in answers if a.kept] == [(False, "0.txt"), (True, "0.txt")]
        assert [a.kind for a in index.query(texts(OTHER))] == [None], "a query leaves nothing behind"
    assert describe(tmp_path / "i")["passages"] == 1


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
@pytest.mark.parametrize(("known", "kind"), [(2, "contained"), (3, None)])
def test_what_too_many_kept_passages_have_tells_nothing_wherever_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int, known: int, kind: str | None
) -> None:
    monkeypatch.setattr("unspin.judge.MOST", {Kind.GRAM: 2, Kind.PAIR: 2})
    monkeypatch.setattr("unspin.postings.MOST", {Kind.GRAM: 2, Kind.PAIR: 2})
    reports = [
        f"Report {n} of May {n} from town {n} on {n} cases, {n} of them new: {OTHER}" for n in range(11, 11 + known)
    ]
    answers: list[Answer] = []
    every = texts(*reports, OTHER)
    Index.build(tmp_path / "i", every[:cut], tell=answers.append)
    with Index.open(tmp_path / "i") as index:
        index.add(every[cut:], tell=answers.append)
    assert [answer.is_copy for answer in answers[:-1]] == [False] * known
    assert answers[-1].kind == kind


def test_one_thing_at_a_time(tmp_path: Path) -> None:
    built(tmp_path / "i", ORIGINAL)
    with Index.open(tmp_path / "i") as index:
        answers = index.query(texts(OTHER, MORE))
        next(answers)
        with pytest.raises(IndexFault, match="one query or addition at a time"):
            index.add(texts(OTHER))
        with pytest.raises(IndexFault, match="one query or addition at a time"):
            list(index.query(texts(OTHER)))
        assert [answer.kind for answer in answers] == [None]
        assert index.add(texts(OTHER)).kept == 1


def test_levels(tmp_path: Path) -> None:
    built(tmp_path / "i", f"{ORIGINAL}\n\n{OTHER}", level=Level.PARAGRAPH, min_words=10)
    with Index.open(tmp_path / "i") as index:
        assert (index.level, index.min_words) == (Level.PARAGRAPH, 10)
        text = f"Only nine words, and so it is left alone.\n{OTHER}\n{MORE}"
        answers = list(index.query(texts(text)))
        assert [(text[a.place.start : a.place.end], a.kind) for a in answers] == [(OTHER, "exact"), (MORE, None)]
        sentences = list(index.query(texts(OTHER), level=Level.SENTENCE, min_words=5))
        assert [answer.kind for answer in sentences] == ["contained", "contained"]


def test_a_text_that_was_added_is_skipped_and_another_of_its_name_is_a_version(tmp_path: Path) -> None:
    built(tmp_path / "i", ORIGINAL)
    changed = f"{ORIGINAL} {MORE}"
    with Index.open(tmp_path / "i") as index:
        added = index.add([NamedText("0.txt", ORIGINAL), NamedText("0.txt", changed), NamedText("0.txt", changed)])
        assert (added.texts, added.skipped, added.passages, added.kept) == (3, 2, 1, 1)
        kept = [answer.kept for answer in index.query(texts(ORIGINAL, changed))]
    assert [one and one.text for one in kept] == [ORIGINAL, changed]


def test_strange_texts(tmp_path: Path) -> None:
    strange = ["", " \n", "\u200b", "one", "...", "\udcff lone", "the of and to in " * 20, "\0", "one"]
    answers = built(tmp_path / "i", *strange)
    assert [answer.place.text for answer in answers] == [3, 4, 5, 6, 7, 8]
    assert [answer.kind for answer in answers] == [None] * 5 + ["exact"]
    with Index.open(tmp_path / "i") as index:
        assert all(answer.kind == "exact" for answer in index.query(texts(*strange)))


def test_very_many_texts_of_one_kind_take_bounded_time(tmp_path: Path) -> None:
    chance = random.Random(1)
    many = [f"{ORIGINAL} {chance.random()}" for _ in range(3000)]
    start = time.process_time()
    answers = built(tmp_path / "i", *many)
    assert time.process_time() - start < 60
    assert len(answers) == len(many)


# what is refused


def test_no_index(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IndexFault, match=r"folder: is no index; `unspin index build`"):
        Index.open(tmp_path / "folder")
    with pytest.raises(IndexFault, match="there is no index here"):
        Index.open(tmp_path / "nothing")
    with pytest.raises(OutputError, match="exists"):
        Index.build(tmp_path / "folder")


def test_another_lexicon(tmp_path: Path) -> None:
    built(tmp_path / "i", ORIGINAL)
    with pytest.raises(IndexFault, match=r"another lexicon \(none\); give that one, or build it anew"):
        Index.open(tmp_path / "i", lexicon=LEXICON)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("pragma user_version = 99", "has format 99"),
        ("pragma application_id = 7", "no index of unspin"),
        ("update settings set value = 'other' where name = 'reading'", "reads texts otherwise"),
        ("drop table segments", "cannot be read"),
        ("delete from passages", "missing"),
    ],
)
def test_an_index_of_another_kind(tmp_path: Path, change: str, told: str) -> None:
    built(tmp_path / "i", ORIGINAL)
    connection = sqlite3.connect(tmp_path / "i" / "passages.sqlite")
    connection.execute(change)
    connection.commit()
    connection.close()
    with pytest.raises(IndexFault, match=told), Index.open(tmp_path / "i") as index:
        list(index.query(texts(ORIGINAL)))


@pytest.mark.parametrize("name", ["passages.sqlite", ".keys", ".numbers"])
@pytest.mark.parametrize("how", ["missing", "empty", "cut", "changed"])
def test_damage_is_told_with_the_file(tmp_path: Path, name: str, how: str) -> None:
    built(tmp_path / "i", *(f"{ORIGINAL} {OTHER[n:]}" for n in range(90)))
    (path,) = (p for p in (tmp_path / "i").rglob("*") if p.name.endswith(name))
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        middle = len(data) // 2
        noise = bytes(byte ^ 0x5A for byte in data[middle : middle + 4096])
        kept = {"empty": b"", "cut": data[:middle], "changed": data[:middle] + noise + data[middle + 4096 :]}
        path.write_bytes(kept[how])
    with pytest.raises(IndexFault, match="passages.sqlite" if name == "passages.sqlite" and how != "missing" else "i"):
        describe(tmp_path / "i", check=True)


# nothing is lost


def test_whatever_fails_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    built(tmp_path / "i", ORIGINAL)
    before = contents(tmp_path / "i")

    def failing() -> Iterator[NamedText]:
        yield from texts(*(f"{OTHER} {number}" for number in range(20)))
        raise InputError("next.txt", "cannot be read")

    with Index.open(tmp_path / "i") as index:
        with pytest.raises(InputError):
            index.add(failing())
        assert [answer.kind for answer in index.query(texts(OTHER, ORIGINAL))] == [None, "exact"]
    assert contents(tmp_path / "i") == before
    with pytest.raises(InputError):
        Index.build(tmp_path / "j", failing())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["i"]


def test_a_disk_that_is_full_leaves_the_index_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built(tmp_path / "i", ORIGINAL)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with Index.open(tmp_path / "i") as index:
        monkeypatch.setattr("unspin.store.write", full)
        with pytest.raises(OutputError, match="no space left on device; nothing was added"):
            index.add(texts(OTHER))
        monkeypatch.undo()
        assert [answer.kind for answer in index.query(texts(OTHER))] == [None]
    with Store.open(tmp_path / "i") as store:
        store._connection.execute("pragma max_page_count = 12")
        index = Index(store, Index.open(tmp_path / "i")._canon)
        with pytest.raises(OutputError, match="full"):
            index.add(texts(*(f"{OTHER} {number}" for number in range(500))))
    assert describe(tmp_path / "i", check=True)["texts"] == 1


def test_one_adds_and_others_read(tmp_path: Path) -> None:
    built(tmp_path / "i", ORIGINAL)
    with Index.open(tmp_path / "i") as one, Index.open(tmp_path / "i") as other:

        def incoming() -> Iterator[NamedText]:
            yield NamedText("first", OTHER)
            assert [answer.kind for answer in other.query(texts(ORIGINAL, OTHER))] == ["exact", None]
            with pytest.raises(IndexFault, match="another process is adding"):
                other.add(texts(MORE))
            yield NamedText("second", MORE)

        one.add(incoming())
        answers = other.query(texts(ORIGINAL, MORE))
        next(answers)
        for number in range(20):  # enough for segments to be merged while `other` is asked
            one.add([NamedText(str(number), f"{OTHER} {MORE} {number} {number}")])
        assert [answer.kind for answer in answers] == [None], "it sees the index as it was opened"
    with Index.open(tmp_path / "i") as index:
        assert [answer.kind for answer in index.query(texts(ORIGINAL, MORE))] == ["exact", "exact"]


ADDING = """
import sys
from pathlib import Path
from unspin.index import Index
from unspin.model import NamedText
with Index.open(Path(sys.argv[1])) as index:
    print("ready", flush=True)
    index.add(NamedText(f"{n}", f"{sys.argv[2]} {n} " * 9) for n in range(int(sys.argv[3])))
    print("done", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX has it")
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.3, 0.6, 1.0, 1.5])
def test_a_process_that_is_killed_loses_nothing(tmp_path: Path, delay: float) -> None:
    path = tmp_path / "i"
    built(path, ORIGINAL)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [
        sys.executable,
        "-c",
        ADDING.replace("index.add", "import unspin.index; unspin.index.BLOCK = 20000; index.add"),
    ]
    process = subprocess.Popen([*command, path, OTHER, "6000"], env=environment, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    time.sleep(delay)
    process.kill()
    is_done = b"done" in process.stdout.read()
    process.wait()
    process.stdout.close()
    assert describe(path, check=True)["texts"] in ((6001,) if is_done else (1, 6001))
    with Index.open(path) as index:
        assert [answer.kind for answer in index.query(texts(ORIGINAL))] == ["exact"]
        index.add(texts(OTHER))
    named = {file.path.name for file in Store.open(path).segments}
    assert {file.stem for file in (path / "segments").iterdir()} == named, "what the killed one left is swept away"
