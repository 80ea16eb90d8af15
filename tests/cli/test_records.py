"""Commands over files of any format: records are named, read in order, and put back where they stood."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from unspin import copies, formats
from unspin.cli import unspin
from unspin.commands import clean
from unspin.commands import index as index_command
from unspin.commands.collection import Collection, OnDisk
from unspin.commands.terminal import Failures
from unspin.files import Source
from unspin.formats import Reading
from unspin.model import Restoration
from unspin.pipeline import default_lexicon, restore
from unspin.spin import spin

SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. Negotiations proceed, "
    "in keeping with a number of diplomats, however each side stays cautious about it all."
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(unspin, [str(one) for one in arguments])


# clean


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", SPUN),
        ("a.jsonl", json.dumps({"text": SPUN}) + "\n"),
        ("a.csv", f'text\n"{SPUN}"\n'),
    ],
)
def test_clean_does_not_write_over_what_changed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: str
) -> None:
    path = tmp_path / name
    path.write_text(data)

    def slow(text: str, **options: Any) -> Restoration:
        path.write_text(data + data)
        return restore(text, **options)

    monkeypatch.setattr(clean, "restore", slow)
    result = run("clean", "--ranker", "none", "--write", path)
    assert result.exit_code == 3 and "changed while it was worked on; not written" in result.stderr
    assert [one.name for one in tmp_path.iterdir()] == [name] and path.read_text() == data + data


# dedupe, index


OTHER = "The council of the town met on Tuesday, and nobody there could say what the new bridge would cost in the end."
THIRD = "Heavy rain flooded several streets of Bergen in the night, and the ferry to Stavanger left two hours late."
FOURTH = "Nine ships lie without a crew in the old harbour of Talvik, and no buyer was found for any of them this year."
ROWS = [
    {"id": "one", "text": OTHER, "n": 1},
    {"text": SPUN, "n": 2},
    {"id": 3, "text": THIRD, "n": [3]},
    {"id": "four", "text": SPUN, "n": 4},
]
LONG = [row | {"text": f"{row['text']}\n\n{SPUN}"} for row in ROWS]


def laid(folder: Path, name: str, rows: list[dict[str, Any]], *, stray: str = "") -> Path:
    """The rows in a file of any format; `stray` is a line that is none."""
    path = folder / name
    if name.endswith(".parquet"):
        pq.write_table(
            pa.Table.from_pylist([row | {"id": str(row.get("id", "")), "n": str(row["n"])} for row in rows]), path
        )
        return path
    if name.endswith((".csv", ".tsv")):
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["id", "text", "n"], delimiter="," if name.endswith(".csv") else "\t")
            writer.writeheader()
            writer.writerows(rows)
        return path
    data = "".join(json.dumps(row) + "\n" + stray for row in rows).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def read(path: Path) -> list[tuple[str, str]]:
    """The ids and texts of a file."""
    found = [one for one in formats.reader(Source(path, Path(path.name))) if isinstance(one, formats.Record)]
    return [(one.id.rpartition("/")[2], one.text) for one in found]


@pytest.mark.parametrize("memory", [(), ("--memory", "50M")], ids=["in memory", "spilled"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.tsv", "a.parquet"])
def test_copies_among_records_are_told_and_left_out(tmp_path: Path, name: str, memory: tuple[str, ...]) -> None:
    path, out = laid(tmp_path, name, ROWS), tmp_path / "out"
    before = path.read_bytes()
    result = run("dedupe", "--keep", "first", "--format", "jsonl", *memory, "-o", out, path)
    assert result.exit_code == 0, result.stderr
    (group,) = map(json.loads, result.stdout.splitlines())
    assert group["kept"]["name"] == f"{path}#1" and group["kept"]["text"] == SPUN
    assert [(one["name"], one["text"]) for one in group["copies"]] == [(f"{path}#four", SPUN)]
    assert "3 texts of 4 written to" in result.stderr
    assert [text for _, text in read(out / name)] == [str(row["text"]) for row in ROWS[:3]]
    assert path.read_bytes() == before


@pytest.mark.parametrize("memory", [(), ("--memory", "50M")], ids=["in memory", "spilled"])
def test_copied_paragraphs_go_from_records_and_the_rest_of_the_file_stays(
    tmp_path: Path, memory: tuple[str, ...]
) -> None:
    path, out = laid(tmp_path, "a.jsonl", LONG, stray="no record\n"), tmp_path / "out"
    result = run("dedupe", "--keep", "first", "--level", "paragraph", "--min-words", "5", *memory, "-o", out, path)
    assert result.exit_code == 3 and "line 2: no JSON" in result.stderr
    texts = [f"{OTHER}\n\n{SPUN}", "", THIRD, ""]
    lines = [json.dumps(row | {"text": text}) + "\nno record\n" for row, text in zip(LONG, texts, strict=True)]
    assert (out / "a.jsonl").read_text() == "".join(lines)
    assert f"keep  {path}#one:{len(OTHER) + 2}-" in result.stdout
    assert result.stdout.count(f"  exact  {path}#2:") == result.stdout.count(f"  exact  {path}#four:") == 2


def test_what_is_removed_can_be_put_back(tmp_path: Path) -> None:
    """The report has every passage with its place, so that the files before can be made from the files after."""
    path, out = laid(tmp_path, "a.jsonl", LONG), tmp_path / "out"
    result = run("dedupe", "--level", "paragraph", "--min-words", "5", "--format", "jsonl", "-o", out, path)
    texts = {f"{path}#{row.get('id', number)}": str(row["text"]) for number, row in enumerate(LONG)}
    told = [one for line in result.stdout.splitlines() for one in json.loads(line)["copies"]]
    assert len(told) == 5
    for one in told:
        assert texts[one["name"]][one["start"] : one["end"]] == one["text"]


def test_copies_are_found_across_formats(tmp_path: Path) -> None:
    page = f"<html><body><article><p>{OTHER}</p><p class='x'>{SPUN}</p><p>That is all.</p></article></body></html>"
    (tmp_path / "a.txt").write_text(f"{SPUN}\n")
    (tmp_path / "b.md").write_text(f"# News\n\n{SPUN.replace('struggle', '**struggle**')}\n\nThat is all.\n")
    (tmp_path / "c.html").write_text(page)
    laid(tmp_path, "d.jsonl", LONG[:1])
    files = [tmp_path / name for name in ("a.txt", "b.md", "c.html", "d.jsonl")]
    wanted = ["--keep", "first", "--level", "paragraph", "--min-words", "15", "--html", "inplace"]
    result = run("dedupe", *wanted, "--format", "jsonl", "-o", tmp_path / "out", *files)
    assert result.exit_code == 0, result.stderr
    groups = [json.loads(line) for line in result.stdout.splitlines()]
    assert [[Path(one["name"]).name for one in (group["kept"], *group["copies"])] for group in groups] == [
        ["a.txt", "b.md", "c.html", "d.jsonl#one"],
        ["c.html", "d.jsonl#one"],
    ]
    assert groups[0]["copies"][0]["text"] == SPUN.replace("struggle", "**struggle**")
    assert (tmp_path / "out/b.md").read_text() == "# News\n\nThat is all.\n"
    assert (tmp_path / "out/c.html").read_text() == page.replace(SPUN, "")
    assert read(tmp_path / "out/d.jsonl") == [("one", "")]


@pytest.mark.parametrize("memory", [(), ("--memory", "50M")], ids=["in memory", "spilled"])
@pytest.mark.parametrize("level", ["document", "paragraph", "sentence"])
def test_records_are_compared_as_files_of_their_texts_are(tmp_path: Path, level: str, memory: tuple[str, ...]) -> None:
    parts = [OTHER, SPUN, THIRD, FOURTH, SPUN.replace("yr", "12 months"), f"{OTHER} {THIRD}", ""]
    chance = random.Random(3)
    texts = ["\n\n".join(chance.sample(parts, chance.randint(1, 4))) for _ in range(40)]
    (tmp_path / "texts").mkdir()
    for number, text in enumerate(texts):
        (tmp_path / "texts" / f"{number:02}").write_text(text)
        os.utime(tmp_path / "texts" / f"{number:02}", (0, 0))
    laid(tmp_path, "texts.jsonl", [{"id": f"{number:02}", "text": text, "n": 0} for number, text in enumerate(texts)])
    options = ["--level", level, "--min-words", "4", "--format", "jsonl", "--diff", *memory]
    files = sorted((tmp_path / "texts").iterdir())
    apart = run("dedupe", *options, "-o", tmp_path / "out", *files)
    together = run("dedupe", *options, "-o", tmp_path / "out", tmp_path / "texts.jsonl")
    assert apart.exit_code == together.exit_code == 0
    assert together.stdout.replace("texts.jsonl#", "texts/") == apart.stdout and apart.stdout.count("\n") >= 3
    left = {one.name: one.read_text() for one in (tmp_path / "out").iterdir() if one.name != "texts.jsonl"}
    assert dict(read(tmp_path / "out" / "texts.jsonl")) == left


def test_a_file_of_copies_is_left_out_and_one_without_records_stays(tmp_path: Path) -> None:
    first, second = laid(tmp_path, "a.jsonl", ROWS[1:2]), laid(tmp_path, "b.jsonl", [ROWS[1], ROWS[3]])
    (tmp_path / "c.jsonl").write_bytes(b"")
    (tmp_path / "d.txt").write_bytes(b"\0\0\1")
    result = run("dedupe", "-o", tmp_path / "out", first, second, tmp_path / "c.jsonl", tmp_path / "d.txt")
    assert result.exit_code == 3 and result.stderr.count("binary file") == 1
    assert {one.name: one.read_bytes() for one in (tmp_path / "out").iterdir()} == {
        "a.jsonl": first.read_bytes(),
        "c.jsonl": b"",
    }


@pytest.mark.parametrize("memory", [(), ("--memory", "50M")], ids=["in memory", "spilled"])
def test_standard_input_is_written_back_without_its_copies(tmp_path: Path, memory: tuple[str, ...]) -> None:
    data = laid(tmp_path, "a.jsonl.gz", ROWS).read_bytes()
    out = tmp_path / "out"
    result = CliRunner().invoke(unspin, ["dedupe", *memory, "--keep", "first", "-o", str(out), "-"], input=data)
    assert result.exit_code == 0, result.stderr
    assert "stdin#four" in result.stdout
    assert read(out / "stdin.jsonl.gz") == [
        ("one", ROWS[0]["text"]),
        ("stdin.jsonl.gz#1", SPUN),
        ("3", ROWS[2]["text"]),
    ]


@pytest.mark.parametrize("change", ["a record more", "a record less", "another text"])
def test_a_file_that_changes_meanwhile_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    path, other = laid(tmp_path, "a.jsonl", ROWS), laid(tmp_path, "b.jsonl", ROWS[:1])
    rows = {
        "a record more": [*ROWS, ROWS[0]],
        "a record less": ROWS[:3],
        "another text": [*ROWS[:3], {"id": "four", "text": "Another one.", "n": 4}],
    }
    found = copies.dedupe

    def slow(*texts: Any, **options: Any) -> Any:
        laid(tmp_path, "a.jsonl", rows[change])
        return found(*texts, **options)

    monkeypatch.setattr("unspin.commands.dedupe.dedupe", slow)
    result = run("dedupe", "--keep", "first", "--level", "sentence", "-o", tmp_path / "out", path, other)
    assert result.exit_code == 3 and f"{path}: was changed meanwhile" in result.stderr
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["b.jsonl"]


def test_a_long_collection_is_not_held(tmp_path: Path) -> None:
    """Names, texts and digests of a spilled collection are on the disk: 24 bytes of a record stay."""
    chance = random.Random(1)
    words = [f"{a}{b}{c}" for a in "bdfgklm" for b in "aeiou" for c in "nrstvz"]
    path = tmp_path / "a.jsonl"
    with path.open("w") as file:
        for number in range(20_000):
            row = {"id": f"{'x' * 200}{number}", "text": " ".join(chance.choices(words, k=100))}
            file.write(json.dumps(row) + "\n")
    with OnDisk.opened(tmp_path) as shelf:
        collection = Collection(Reading(), shelf)
        tracemalloc.start()
        try:
            count = sum(1 for _ in collection.read([Source(path, Path("a.jsonl"))], Failures(), again=True))
            held, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert count == len(collection) == 20_000
        assert held < 20_000 * 24 * 1.5 + 500_000 and peak < 3_000_000
        assert collection.name(19_999) == f"{path}#{'x' * 200}19999"


# index


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.parquet"])
def test_an_index_takes_records_and_tells_of_those_of_later_files(tmp_path: Path, name: str) -> None:
    seen, path = tmp_path / "seen", laid(tmp_path, name, ROWS)
    built = run("index", "build", seen, "--format", "jsonl", path)
    assert built.exit_code == 0 and "4 texts added, 4 passages: 1 copy" in built.stderr
    rows = [json.loads(line) for line in built.stdout.splitlines()]
    assert [row["name"] for row in rows] == [f"{path}#{known}" for known in ("one", "1", "3", "four")]
    again = run("index", "add", seen, "--format", "jsonl", path)
    assert again.exit_code == 0 and "0 texts added, 4 texts there already" in again.stderr and not again.stdout
    (tmp_path / "new").mkdir()
    later = laid(tmp_path / "new", name, [ROWS[1], {"id": "x", "text": FOURTH, "n": 7}, ROWS[3]])
    queried = run("index", "query", seen, "-o", tmp_path / "out", "--format", "jsonl", later)
    assert queried.exit_code == 0 and "1 text of 3 written" in queried.stderr
    told = [json.loads(line) for line in queried.stdout.splitlines()]
    assert [(row["kind"], row["text"]) for row in told if row["kind"] == "exact"] == [("exact", SPUN)] * 2
    assert {row["kept"]["name"] for row in told if row["kind"] == "exact"} == {f"{path}#1"}
    assert read(tmp_path / "out" / name) == [("x", FOURTH)]


def test_what_is_new_is_written_file_by_file(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    assert run("index", "build", seen, "--level", "paragraph", laid(tmp_path, "old.jsonl", ROWS[1:2])).exit_code == 0
    (tmp_path / "a.txt").write_text(f"{OTHER}\n\n{SPUN}\n")
    (tmp_path / "empty.jsonl").write_bytes(b"")
    laid(tmp_path, "b.jsonl", LONG, stray="no record\n")
    (tmp_path / "broken.jsonl.gz").write_bytes(gzip.compress(b'{"text": "one"}\n' * 9)[:-9])
    files = [tmp_path / name for name in ("a.txt", "empty.jsonl", "b.jsonl", "broken.jsonl.gz")]
    result = run("index", "query", seen, "-o", tmp_path / "out", *files)
    assert result.exit_code == 3
    out = tmp_path / "out"
    assert sorted(one.name for one in out.iterdir()) == ["a.txt", "b.jsonl", "broken.jsonl.gz", "empty.jsonl"]
    assert (out / "a.txt").read_text() == f"{OTHER}\n"
    lines = (out / "b.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines[::2]] == [OTHER, "", THIRD, ""]
    assert lines[1::2] == ["no record"] * 4


def test_records_that_were_added_are_not_held_when_they_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"text": f"{OTHER} {number}", "n": number} for number in range(50)]
    assert run("index", "build", tmp_path / "seen", laid(tmp_path, "a.jsonl", rows)).exit_code == 0
    most = 0
    found = index_command._Incoming.drop

    def counted(self: Any, number: int) -> None:
        nonlocal most
        most = max(most, len(self.texts))
        found(self, number)

    monkeypatch.setattr(index_command._Incoming, "drop", counted)
    assert run("index", "add", tmp_path / "seen", tmp_path / "a.jsonl").exit_code == 0
    assert most == 1


# spin


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_records_are_spun_where_they_stand(tmp_path: Path, name: str) -> None:
    rows = [{"id": "a", "text": "The war goes on.", "n": 1}, {"id": "b", "text": "The war goes on.", "n": 2}]
    path = laid(tmp_path, name, rows)
    result = run("spin", "--seed", "7", path)
    assert result.exit_code == 0 and f"{path}#b: " in result.stderr
    (tmp_path / "spun").mkdir()
    (tmp_path / "spun" / name).write_bytes(result.stdout_bytes)
    lexicon = default_lexicon()
    texts = [spin("The war goes on.", lexicon, seed=seed).text for seed in (7, 8)]
    assert [text for _, text in read(tmp_path / "spun" / name)] == texts
    assert run("spin", "--seed", "7", "-q", "-o", tmp_path / "out", path).exit_code == 0
    assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "spun" / name).read_bytes()


def test_markup_stays_when_a_text_is_spun(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("# The war\n\nThe war `war` [goes](http://war.org/war) on.\n")
    result = run("spin", "--seed", "1", path)
    assert "`war`" in result.stdout and "(http://war.org/war)" in result.stdout and result.stdout.startswith("# The ")
    assert result.stdout != path.read_text()


def test_a_record_whose_swaps_cannot_be_marked_is_left_out(tmp_path: Path) -> None:
    path = laid(tmp_path, "a.jsonl", [{"text": "a [[b]] war", "n": 1}, {"text": "The peace.", "n": 2}])
    result = run("spin", "--markup", path)
    assert result.exit_code == 3 and "#0" in result.stderr
    assert [json.loads(line)["n"] for line in result.stdout.splitlines()] == [2]


def test_of_several_tables_none_goes_to_standard_output(tmp_path: Path) -> None:
    files = [laid(tmp_path, "a.parquet", ROWS), laid(tmp_path, "b.parquet", ROWS)]
    for command in ("spin", "clean"):
        result = run(command, *files)
        assert result.exit_code == 2 and "parquet of several files needs -o DIR" in result.stderr
