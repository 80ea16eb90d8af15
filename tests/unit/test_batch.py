"""A batch, run: what comes out, whatever the workers, the interruptions and the inputs."""

from __future__ import annotations

import gzip
import io
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from unspin import cleaned, restore, restore_all
from unspin.batch import pool, runner, worker
from unspin.batch.folder import Folder
from unspin.batch.manifest import Manifest
from unspin.batch.model import Copies, Outcome, Part, Plan, Settings, Tally, Task, Unit
from unspin.batch.pool import AHEAD, Pool
from unspin.batch.runner import run
from unspin.batch.worker import Restorer
from unspin.errors import BatchError, InputError, OutputError, UnspinError
from unspin.files import Source
from unspin.formats import SUFFIXES, Format, Prose, Reading
from unspin.model import Restoration
from unspin.pipeline import default_lexicon
from unspin.rank import UNRANKED
from unspin.schemas import schema
from unspin.sources import sources
from unspin.spin import spin

SEED = (Path(__file__).parents[2] / "seeds" / "seed.txt").read_text(encoding="utf-8")
SPUN = [line for line in SEED.splitlines() if len(line.split()) > 60][:4]
CLEAN = (
    "My grandmother kept bees at the end of her garden for forty years. She talked to them every morning, and "
    "when my grandfather died she went down to the hives before she told any of us."
)
SETTINGS = Settings(ranker="none")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks")


def rows(texts: Iterable[str]) -> str:
    return "".join(json.dumps({"id": f"d{n}", "text": text, "n": n}) + "\n" for n, text in enumerate(texts))


@pytest.fixture
def scrape(tmp_path: Path) -> Path:
    """A folder of several formats; seven documents are spun, four not, one says what another says."""
    folder = tmp_path / "scrape"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.jsonl").write_text(rows([*SPUN, CLEAN, f"{CLEAN} {CLEAN}"]))
    (folder / "b.txt").write_text(SEED)
    (folder / "sub" / "c.csv").write_text(f'id,text\nx,"{CLEAN}"\ny,"{SPUN[0][:300]}"\n')
    (folder / "sub" / "e.jsonl").write_text(rows([SPUN[1], "Nothing."]))
    return folder


@pytest.fixture(autouse=True)
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that there are several of them."""
    monkeypatch.setattr(runner, "UNIT", 1_000)


def found(folder: Path) -> list[Source]:
    listed, errors = sources([str(folder)], suffixes=SUFFIXES)
    assert not errors
    return listed


def plan(output: Path, **others: object) -> Plan:
    return replace(Plan(output, SETTINGS), **others)  # type: ignore[arg-type]


def contents(folder: Path, *, but: tuple[str, ...] = ("manifest.sqlite", ".work")) -> dict[str, bytes]:
    """All files of an output that must be the same, however it came about."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    named = {str(path.relative_to(folder)): path for path in files}
    return {name: path.read_bytes() for name, path in named.items() if not name.startswith(but)}


def read_rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_document_is_restored_as_if_alone(scrape: Path, tmp_path: Path) -> None:
    tally = run(found(scrape), plan(tmp_path / "out"))
    assert (tally.sources, tally.documents, tally.errors, tally.known) == (4, 11, 0, 0)
    written = tmp_path / "out" / "cleaned"
    for name in ("a.jsonl", "sub/e.jsonl"):
        before, after = read_rows(scrape / name), read_rows(written / name)
        texts = [cleaned(restore(str(row["text"]), ranker=UNRANKED, screened=True)) for row in before]
        assert after == [row | {"text": text} for row, text in zip(before, texts, strict=True)]
    assert (written / "b.txt").read_text() == cleaned(restore(SEED, ranker=UNRANKED, screened=True))
    restored = restore(SPUN[0], ranker=UNRANKED)
    edits = [row for row in read_rows(tmp_path / "out/edits/a.jsonl.jsonl") if row["record"] == "d0"]
    assert [(e["start"], e["after"]) for e in edits] == [(e.start, e.after) for e in restored.edits]
    held = read_rows(tmp_path / "out/held/b.txt.jsonl")
    assert [row["before"] for row in held] == [h.candidate.before for h in restore(SEED, ranker=UNRANKED).held]
    duplicates = read_rows(tmp_path / "out" / "duplicates.jsonl")
    assert [(row["kind"], row["removed"]) for row in duplicates] == [("exact", True)] * 2
    assert (tmp_path / "out" / "errors.jsonl").read_bytes() == b""
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["counts"]["documents"] == 11 and "screened:true" in summary["made_with"]["signature"]


def test_the_number_of_workers_changes_nothing(scrape: Path, tmp_path: Path) -> None:
    for jobs in (1, 2, 3):
        run(found(scrape), plan(tmp_path / str(jobs), jobs=jobs))
    assert contents(tmp_path / "1") == contents(tmp_path / "2") == contents(tmp_path / "3") != {}


class _Stopped(Exception):
    pass


@pytest.mark.parametrize("copies", [Copies.ALONE, Copies.REMOVE])
def test_what_is_done_is_not_done_again(
    scrape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copies: Copies
) -> None:
    run(found(scrape), plan(tmp_path / "whole", copies=copies))

    def stop(tally: Tally, unit: Unit) -> None:
        if unit.tasks and not unit.is_known:
            raise _Stopped

    restored: list[int] = []
    for _ in range(40):
        try:
            tally = run(found(scrape), plan(tmp_path / "out", copies=copies), told=stop)
        except _Stopped:
            with Manifest(Folder(tmp_path / "out").manifest) as manifest:
                restored.append(manifest.runs()[-1].words)
            continue
        break
    else:
        pytest.fail("it never ended")
    assert len(restored) > 4
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert (tally.known, tally.restored) == (11, 0)
    assert sum(restored) <= tally.words


def test_a_batch_that_is_finished_needs_no_work(scrape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run(found(scrape), plan(tmp_path / "out"))
    first = contents(tmp_path / "out")

    def fail(self: Restorer, task: Task) -> Restoration:
        raise AssertionError("nothing is to be restored")

    monkeypatch.setattr(Restorer, "restored", fail)
    again = run(found(scrape), plan(tmp_path / "out"))
    assert again == replace(before, known=before.documents, restored=0)
    assert contents(tmp_path / "out") == first


def test_a_source_that_changed_is_done_again(scrape: Path, tmp_path: Path) -> None:
    run(found(scrape), plan(tmp_path / "out"))
    (scrape / "b.txt").write_text("Something else altogether.\n")
    tally = run(found(scrape), plan(tmp_path / "out"))
    assert tally.known == 10
    assert (tmp_path / "out/cleaned/b.txt").read_text() == "Something else altogether.\n"
    assert not (tmp_path / "out/edits/b.txt.jsonl").exists()


def test_an_output_that_went_is_made_again(scrape: Path, tmp_path: Path) -> None:
    run(found(scrape), plan(tmp_path / "out"))
    first = contents(tmp_path / "out")
    (tmp_path / "out/cleaned/b.txt").unlink()
    run(found(scrape), plan(tmp_path / "out"))
    assert contents(tmp_path / "out") == first


def _hurt(self: Restorer, task: Task) -> Restoration:
    if "KILL" in task.prose.text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "RAISE" in task.prose.text:
        raise ValueError("too sad a story")
    return restore(task.prose.text, ranker=UNRANKED, lexicon=self.lexicon, model=self.model)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_fails_and_what_kills_workers_does_not_keep_the_others_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr(Restorer, "restored", _hurt)
    texts = [SPUN[0], "KILL me.", SPUN[1], "RAISE me.", SPUN[2], "KILL me, too.", SPUN[3]]
    (tmp_path / "a.jsonl").write_text(rows(texts))
    tally = run([Source(tmp_path / "a.jsonl", Path("a.jsonl"))], plan(tmp_path / "out", jobs=jobs))
    assert (tally.documents, tally.errors, tally.spun) == (7, 3, 4)
    after = [row["text"] for row in read_rows(tmp_path / "out/cleaned/a.jsonl")]
    assert after == [t if len(t) < 20 else cleaned(restore(t, ranker=UNRANKED)) for t in texts]
    errors = read_rows(tmp_path / "out" / "errors.jsonl")
    assert [error["record"] for error in errors] == ["d1", "d3", "d5"]
    assert errors[0]["reason"] == "two workers died over it: SIGKILL, perhaps for want of memory"
    assert errors[1]["reason"] == "ValueError: too sad a story"


def test_every_line_is_as_its_schema_says(scrape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what goes wrong: a line that is no record, a file that breaks off, one that is not there, a document."""
    monkeypatch.setattr(Restorer, "restored", _hurt)
    (scrape / "i.txt").write_text("RAISE me.")
    (scrape / "f.jsonl").write_text(f'no record\n{{"text": "{CLEAN}", "id": "again"}}\n')
    (scrape / "g.jsonl.gz").write_bytes(gzip.compress(rows([CLEAN] * 9).encode())[:-9])
    (scrape / "h.txt").write_bytes(b"\0\1")
    sources = [*found(scrape), Source(tmp_path / "missing.txt", Path("missing.txt"))]
    failed = [InputError(tmp_path / "closed", "permission denied")]
    for copies in Copies:
        out = tmp_path / copies
        run(sources, plan(out, copies=copies), failed=failed)
        lines = {
            "edit": [row for path in (out / "edits").rglob("*.jsonl") for row in read_rows(path)],
            "held": [row for path in (out / "held").rglob("*.jsonl") for row in read_rows(path)],
            "duplicates": read_rows(out / "duplicates.jsonl"),
            "errors": read_rows(out / "errors.jsonl"),
        }
        for name, found_rows in lines.items():
            assert found_rows, name
            validator = Draft202012Validator(json.loads(schema(name)))
            for row in found_rows:
                validator.validate(row)
        assert len(lines["errors"]) == 6
        told = {tuple(row) for row in lines["errors"]}
        assert told == {("file", "reason"), ("file", "place", "reason"), ("file", "record", "reason")}
        whole = [row for row in lines["duplicates"] if "rule" in row]
        assert bool(whole) == (copies is not Copies.ALONE)
        assert {row["removed"] for row in whole} <= {copies is Copies.REMOVE}


def test_workers_that_cannot_start_end_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(self: Restorer, settings: Settings) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(Restorer, "__init__", die)
    with pytest.raises(UnspinError, match="workers die as they start: SIGKILL"):
        run([], plan(tmp_path / "out"))


def test_what_no_worker_can_load_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.tsv"):
        run([], plan(tmp_path / "out", settings=Settings(lexicons=("nothing.tsv",))))
    with pytest.raises(UnspinError, match=r"nothing\.onnx"):
        run([], plan(tmp_path / "out", settings=Settings(ranker="nothing.onnx")))


def test_bad_input_is_recorded_and_the_rest_is_done(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "bad.jsonl").write_text('{"text": "Fine."}\n{bad\n{"id": 2}\n{"text": "Good."}\n')
    (folder / "binary.txt").write_bytes(bytes(range(256)))
    (folder / "cut.jsonl.gz").write_bytes(bytes.fromhex("1f8b0800000000000003") + b"\x05")
    (folder / "empty.txt").touch()
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
    (folder / "name\nwith a break.txt").write_text(SEED)
    missing = InputError("gone", "no such file or directory")
    tally = run(found(folder), plan(tmp_path / "out"), failed=[missing])
    assert (tally.documents, tally.spun) == (4, 1)
    told = [(str(row["file"]).rpartition("/")[2], row.get("place")) for row in read_rows(tmp_path / "out/errors.jsonl")]
    assert told[:3] == [("gone", None), ("bad.jsonl", "line 2"), ("bad.jsonl", "line 3")]
    assert {name for name, _ in told[3:]} == {"binary.txt", "cut.jsonl.gz", "loop.txt"}
    assert tally.errors == len(told) == 6
    written = tmp_path / "out" / "cleaned"
    assert not (written / "binary.txt").exists()
    assert (written / "bad.jsonl").read_bytes() == (folder / "bad.jsonl").read_bytes()
    assert (written / "empty.txt").read_bytes() == b""
    assert (written / "name\nwith a break.txt").read_text() != SEED
    assert not run([], plan(tmp_path / "out")).errors
    assert len(read_rows(tmp_path / "out/errors.jsonl")) == 3  # of those that were read, which are in the output


def test_too_many_errors_end_it(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("bad\n" * 5 + rows([CLEAN]))
    listed = [Source(tmp_path / "a.jsonl", Path("a.jsonl"))]
    with pytest.raises(BatchError, match="stopped at 5 errors; --max-errors is 4"):
        run(listed, plan(tmp_path / "out", max_errors=4))
    assert len(read_rows(tmp_path / "out/errors.jsonl")) == 5
    assert run(listed, plan(tmp_path / "out", max_errors=5)).errors == 5


def test_copies_are_read_together(tmp_path: Path) -> None:
    originals = [restore(text, ranker=UNRANKED).original for text in SPUN[:2]]
    texts = [
        *originals,
        *(spin(cleaned(restore(text, ranker=UNRANKED)), lexicon=default_lexicon(), seed=3).text for text in originals),
        CLEAN,
    ]
    (tmp_path / "a.jsonl").write_text(rows(texts))
    listed = [Source(tmp_path / "a.jsonl", Path("a.jsonl"))]
    run(listed, plan(tmp_path / "out", copies=Copies.TOGETHER, memory=100_000_000))
    together = [cleaned(one) for one in restore_all(texts, ranker=UNRANKED)]
    assert [row["text"] for row in read_rows(tmp_path / "out/cleaned/a.jsonl")] == together
    assert together != [cleaned(restore(text, ranker=UNRANKED)) for text in texts]
    copies = read_rows(tmp_path / "out/duplicates.jsonl")
    assert copies and not any(row["removed"] for row in copies)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_copies_are_left_out(tmp_path: Path, name: str) -> None:
    import gzip

    data = rows([CLEAN, "Something else altogether.", CLEAN]).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    (tmp_path / "copy.txt").write_text(CLEAN)
    listed = [Source(tmp_path / name, Path(name)), Source(tmp_path / "copy.txt", Path("copy.txt"))]
    tally = run(listed, plan(tmp_path / "out", copies=Copies.REMOVE))
    assert (tally.documents, tally.copies) == (4, 2)
    written = (tmp_path / "out" / "cleaned" / name).read_bytes()
    texts = [json.loads(line) for line in (gzip.decompress(written) if name.endswith(".gz") else written).splitlines()]
    assert [row["id"] for row in texts] == ["d0", "d1"]
    assert not (tmp_path / "out" / "cleaned" / "copy.txt").exists()
    told = read_rows(tmp_path / "out" / "duplicates.jsonl")
    assert [(str(row["record"]).rpartition("/")[2], row["removed"]) for row in told] == [
        ("d2", True),
        ("copy.txt", True),
    ]
    assert {str(row["kept"]["record"]) for row in told} == {"d0"}  # type: ignore[index]


def test_formats_are_converted(scrape: Path, tmp_path: Path) -> None:
    run(found(scrape), plan(tmp_path / "out", out=Format.JSONL))
    assert len(read_rows(tmp_path / "out/cleaned/sub/c.csv.jsonl")) == 2
    assert not (tmp_path / "out/cleaned/sub/c.csv").exists()


def _piped(monkeypatch: pytest.MonkeyPatch, text: str) -> Source:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    return Source(None, Path("stdin.txt"))


def test_standard_input_goes_into_files_of_some_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "SHARD", 3)
    texts = [*SPUN, CLEAN, *SPUN[:2]]
    tally = run([_piped(monkeypatch, rows(texts))], plan(tmp_path / "out"))
    assert tally.documents == 7
    shards = sorted((tmp_path / "out/cleaned/stdin").iterdir())
    assert [path.name for path in shards] == ["00000.jsonl", "00001.jsonl", "00002.jsonl"]
    after = [row["text"] for path in shards for row in read_rows(path)]
    assert after == [cleaned(restore(text, ranker=UNRANKED)) for text in texts]
    with pytest.raises(BatchError, match="standard input was cleaned into it already"):
        run([_piped(monkeypatch, rows(texts))], plan(tmp_path / "out"))
    run([_piped(monkeypatch, rows(texts[:1]))], plan(tmp_path / "out"), force=True)


def test_standard_input_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "SHARD", 2)
    texts = [*SPUN, CLEAN]
    run([_piped(monkeypatch, rows(texts))], plan(tmp_path / "whole"))

    def stop(tally: Tally, unit: Unit) -> None:
        if tally.documents == 4:
            raise _Stopped

    with pytest.raises(_Stopped):
        run([_piped(monkeypatch, rows(texts))], plan(tmp_path / "out"), told=stop)
    tally = run([_piped(monkeypatch, rows(texts))], plan(tmp_path / "out"))
    assert tally.known >= 4
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_standard_input_may_have_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _piped(monkeypatch, rows([CLEAN, "Else.", CLEAN]))
    assert run([source], plan(tmp_path / "out", copies=Copies.REMOVE)).copies == 1
    assert [row["id"] for row in read_rows(tmp_path / "out/cleaned/stdin.jsonl")] == ["d0", "d1"]
    assert [path.name for path in (tmp_path / "out/.work").iterdir()] == ["lock"]


def test_two_batches_do_not_write_into_one_folder(scrape: Path, tmp_path: Path) -> None:
    with (
        Folder(tmp_path / "out").locked(),
        pytest.raises(BatchError, match="another batch is at work here; wait for it"),
    ):
        run(found(scrape), plan(tmp_path / "out"))


def test_what_was_made_otherwise_stays_unless_forced(scrape: Path, tmp_path: Path) -> None:
    run(found(scrape), plan(tmp_path / "out"))
    other = plan(tmp_path / "out", reading=Reading(text_field="n"))
    with pytest.raises(BatchError, match=r"was made otherwise \(text-field\)"):
        run(found(scrape), other)
    surer = plan(tmp_path / "out", settings=replace(SETTINGS, min_confidence=0.9))
    with pytest.raises(BatchError, match=r"otherwise \(signature: the option min_confidence was '0.5' and is '0.9'\)"):
        run(found(scrape), surer)
    assert run(found(scrape), surer, force=True).known == 0


def test_another_runtime_is_another_way_to_make_it(
    scrape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one restored and what the other did must not stand side by side as if they were the same."""
    sources = found(scrape)[1:2]
    model = Path(str(resources.files("unspin"))) / "models" / "en.onnx"
    neural = plan(tmp_path / "out", settings=replace(SETTINGS, ranker=str(model)))
    run(sources, neural)
    monkeypatch.setattr("onnxruntime.__version__", "1.0")
    with pytest.raises(BatchError, match=r"signature: the runtime was 'onnxruntime-[\d.]+' and is 'onnxruntime-1.0'\)"):
        run(sources, neural)


def test_a_folder_with_other_things_is_refused(scrape: Path, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="is not empty, and no batch's output"):
        run([], plan(scrape))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        run([], plan(tmp_path / "file"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.sqlite").write_bytes(b"no database at all, but long enough to be one" * 40)
    with pytest.raises(BatchError, match="not a database"):
        run([], plan(tmp_path / "out"))


def test_what_a_killed_run_left_half_written_goes(scrape: Path, tmp_path: Path) -> None:
    run(found(scrape), plan(tmp_path / "out"))
    left = tmp_path / "out" / "cleaned" / "sub" / ".unspin-0123.tmp"
    left.touch()
    run(found(scrape), plan(tmp_path / "out"))
    assert not left.exists()


def test_reading_does_not_run_ahead_of_an_endless_input() -> None:
    read = 0

    def endless() -> Iterator[Unit]:
        nonlocal read
        while True:
            part = Part("p", 0, "p", "", Path("p"), None)
            read += 1
            yield Unit(part, (), (Task(str(read), Prose.plain("The end.")),))

    with Pool(SETTINGS, 2) as working:
        done = working.ordered(endless(), lambda unit: None)
        for number in range(1, 60):
            unit = next(done)
            assert unit.tasks[0].id == str(number) and unit.is_done
            assert read - number <= AHEAD * 2


def test_without_fork_workers_load_for_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "context", lambda: multiprocessing.get_context("spawn"))
    (tmp_path / "a.txt").write_text(SPUN[0])
    run([Source(tmp_path / "a.txt", Path("a.txt"))], plan(tmp_path / "out"))
    assert (tmp_path / "out/cleaned/a.txt").read_text() == cleaned(restore(SPUN[0], ranker=UNRANKED))


def test_workers_do_not_outlive_the_pool() -> None:
    with Pool(SETTINGS, 2) as working:
        pids = working.pids
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_failed_document_is_told_by_its_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    restorer = Restorer(SETTINGS)
    monkeypatch.setattr(Restorer, "restored", _hurt)
    assert restorer.outcome(Task("d", Prose.plain("RAISE"))) == Outcome(error="ValueError: too sad a story")


class Asked:
    """The pipe of a worker that is asked for so many texts, one after the other, and then no more."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._tasks = ((Task("a", Prose.plain(text)),) for text in texts)
        self.said: list[Outcome] = []

    def recv(self) -> tuple[Task, ...]:
        try:
            return next(self._tasks)
        except StopIteration:
            raise EOFError from None

    def send(self, said: Outcome) -> None:
        self.said.append(said)


class Idle:
    """A restorer that restores nothing."""

    def outcome(self, task: Task) -> Outcome:
        return Outcome(words=len(task.prose.text))


def test_a_worker_gives_back_what_was_freed_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    pipe = Asked("x" * size for size in (3, 6, 1, 9, 10, 30, 2))
    monkeypatch.setattr(worker, "GIVEN_BACK", 10)
    monkeypatch.setattr(worker, "give_back", lambda: given.append(len(pipe.said)))
    with pytest.raises(EOFError):
        worker.work(Idle(), pipe)  # type: ignore[arg-type]  # they are as good
    assert [outcome.words for outcome in pipe.said] == [3, 6, 1, 9, 10, 30, 2]
    assert given == [3, 5, 6]
