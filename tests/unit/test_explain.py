"""What a change was decided from, and recorded edits made again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from unspin.cli import unspin
from unspin.diff import DiffStyle, render
from unspin.errors import FormatError, InputError
from unspin.explain import Explanation, explain
from unspin.lexicon import Lexicon
from unspin.model import Edit, Entry, Held, HeldReason
from unspin.pipeline import restore
from unspin.rank import UNRANKED
from unspin.replay import read_edits
from unspin.schemas import schema

SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. Negotiations proceed, "
    "in keeping with a number of diplomats, however each side stays cautious about it all."
)
TEXT = f"{SPUN}\nIt has price 4 officers their posts.\n{SPUN}\n"


@pytest.fixture(scope="module")
def found() -> tuple[Explanation, ...]:
    return explain(TEXT)[1]


def at(found: tuple[Explanation, ...], words: str) -> Explanation:
    return next(one for one in found if TEXT[one.start : one.end] == words)


def test_what_is_explained_is_what_is_restored(found: tuple[Explanation, ...]) -> None:
    restoration = restore(TEXT)
    assert explain(TEXT)[0] == restoration
    decided = [one.decided for one in found if one.decided and one.repeat is None]
    assert [one for one in decided if isinstance(one, Edit)] == list(restoration.edits)
    assert [one for one in decided if isinstance(one, Held)] == list(restoration.held)


def test_every_option_has_what_speaks_for_it(found: tuple[Explanation, ...]) -> None:
    one = at(found, "greater than")
    first, *_, last = one.options
    assert first.option.after == "more than" and first.option.entry is not None
    assert first.language > 1.0 and first.ranker is not None and first.ranker > 0.5
    assert -1.0 < first.channel < 0.0  # P(greater than | more than) is high, but "greater than" is no head
    assert last.option.entry is None and (last.channel, last.language, last.ranker) == (0.0, 0.0, 0.0)
    assert TEXT[slice(*one.sentence)].startswith("The struggle") and TEXT[slice(*one.sentence)].endswith("settlement.")


def test_a_guard_is_named() -> None:
    lexicon = Lexicon([Entry("4", "four", 0.9), Entry("never", "ever", 0.9), Entry("struggle", "war", 0.9)])
    _, found = explain("It never was a struggle.", lexicon=lexicon, ranker=UNRANKED, assume_spun=True)
    guards = {weighed.option.after: weighed.guard for one in found for weighed in one.options if weighed.option.entry}
    assert guards == {"ever": HeldReason.NEGATION, "war": None}


def test_a_removed_paragraph_tells_of_the_one_that_stays(found: tuple[Explanation, ...]) -> None:
    gone = found[-1]
    assert gone.repeat is not None and gone.repeat.kind == "exact" and gone.kept == (0, len(SPUN))


def test_of_a_clean_text_what_could_have_been_is_explained() -> None:
    restoration, found = explain("The war has lasted for more than a year. They met inside the hall.")
    assert not restoration.spin.is_spun
    assert [one.decided for one in found] == [None] * len(found) and found


# the command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(unspin, ["explain", *arguments])
    return result.exit_code, result.stdout, f"{result.stderr}{result.exception or ''}"


def test_one_word_is_shown(folder: Path) -> None:
    code, told, _ = run("a.txt", "--at", "yr")
    assert code == 0
    assert "yr -> year" in told and "entry: yr <- year, rate" in told and "struggle ->" not in told
    assert "ranker:neural-" in told


def test_json_is_as_its_schema_says(folder: Path) -> None:
    code, told, _ = run("a.txt", "--format", "json")
    rows = [json.loads(line) for line in told.splitlines()]
    assert code == 0 and len(rows) > 5
    validator = Draft202012Validator(json.loads(schema("explanation")))
    for row in rows:
        validator.validate(row)
    assert {row["start"] for row in map(json.loads, run("a.txt", "--at", "4", "--format", "json")[1].splitlines())} == {
        4
    }


@pytest.mark.parametrize(
    ("place", "problem"), [("0", "nothing at '0'"), ("99999", "the text ends at"), ("xqz", "nothing")]
)
def test_a_place_without_a_swap_is_told(folder: Path, place: str, problem: str) -> None:
    code, _, told = run("a.txt", "--at", place)
    assert code != 0 and problem in told


# replay


def edits(folder: Path, **changed: object) -> Path:
    path = folder / "edits.jsonl"
    lines = [json.loads(line) for line in render(restore(TEXT), style=DiffStyle.JSON).splitlines()]
    path.write_text("".join(json.dumps(line | changed) + "\n" for line in lines), encoding="utf-8")
    return path


def test_edits_are_made_again(folder: Path) -> None:
    edits(folder)
    code, told, talk = run("a.txt", "--replay", "edits.jsonl")
    assert (code, told) == (0, "")
    assert "made again" in talk


def signature(**parts: str) -> str:
    found = str(restore(TEXT).signature)
    for old, new in parts.items():
        assert f"{old}:" in found
        head, _, rest = found.partition(f"{old}:")
        found = f"{head}{old}:{new}" + ("|" + rest.partition("|")[2] if "|" in rest else "")
    return found


@pytest.mark.parametrize(
    ("part", "value", "told"),
    [
        ("unspin", "9", "the version was '9' and is"),
        ("lexicon", "x", "the lexicon was 'x' and is 'en-autoblog-"),
        ("model", "x", "the model was 'x' and is"),
        ("ranker", "x", "the ranker was 'x' and is 'neural-"),
        ("ranker", "x|runtime:y", "the ranker was 'x' and is 'neural-"),
        ("assume_spun", "false|colour:red", "the option colour was 'red' and is 'none'"),
        ("assume_spun", "false|siblings:abc", "the siblings was 'abc' and is 'none'"),
        ("assume_spun", "maybe", "does not say with what options"),
        ("min_confidence", "5.5", "does not say with what options"),
        ("min_confidence", "nan", "does not say with what options"),
    ],
)
def test_what_of_a_signature_differs_is_said(folder: Path, part: str, value: str, told: str) -> None:
    edits(folder, signature=signature(**{part: value}))
    code, said, _ = run("a.txt", "--replay", "edits.jsonl")
    assert code == 3
    assert all(told in line for line in said.splitlines()) and said


def test_another_runtime_is_told_and_is_no_failure(folder: Path) -> None:
    edits(folder, signature=signature(runtime="onnxruntime-1.0"))
    code, told, talk = run("a.txt", "--replay", "edits.jsonl")
    assert (code, told) == (0, "")
    assert "the runtime was onnxruntime-1.0 and is onnxruntime-" in talk and "which may round otherwise" in talk


def test_what_another_runtime_may_have_done_is_said_where_an_edit_differs(folder: Path) -> None:
    edits(folder, signature=signature(runtime="onnxruntime-1.0"), confidence=0.25)
    code, said, _ = run("a.txt", "--replay", "edits.jsonl")
    assert code == 3
    assert all("not 0.25; the runtime was onnxruntime-1.0 and is" in line for line in said.splitlines()) and said


def test_a_signature_of_before_runtimes_were_told_is_replayed(folder: Path) -> None:
    found = str(restore(TEXT).signature)
    edits(folder, signature=re.sub(r"\|runtime:[^|]*", "", found))
    code, told, talk = run("a.txt", "--replay", "edits.jsonl")
    assert (code, told) == (0, "")
    assert "the runtime was not told and is onnxruntime-" in talk


def test_another_ranker_is_no_matter_of_rounding(folder: Path) -> None:
    lines = render(restore(TEXT, ranker=UNRANKED), style=DiffStyle.JSON)
    (folder / "edits.jsonl").write_text(lines, encoding="utf-8")
    code, said, talk = run("a.txt", "--replay", "edits.jsonl")
    assert code == 3 and "the ranker was 'none' and is 'neural-" in said
    assert "round" not in said + talk


def test_edits_of_a_screened_text_are_made_again(folder: Path) -> None:
    lines = render(restore(TEXT, screened=True), style=DiffStyle.JSON)
    assert "|screened:true" in lines
    (folder / "edits.jsonl").write_text(lines, encoding="utf-8")
    assert run("a.txt", "--replay", "edits.jsonl")[:2] == (0, "")


def test_the_options_of_the_signature_are_those_it_is_made_with(folder: Path) -> None:
    lines = render(restore(TEXT, min_confidence=0.987, keep_duplicates=True), style=DiffStyle.JSON)
    (folder / "edits.jsonl").write_text(lines, encoding="utf-8")
    assert run("a.txt", "--replay", "edits.jsonl")[:2] == (0, "")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"text": "0" * 64}, "it was made for another text"),
        ({"after": "peace"}, "it comes out otherwise: after is "),
        ({"confidence": 0.25}, "it comes out otherwise: confidence is "),
        ({"start": 1}, "no edit is made there"),
        ({"decided_by": "reviewer"}, "cannot be made again: a person decided it"),
        ({"decided_by": "endpoint"}, "cannot be made again: an endpoint decided it"),
    ],
)
def test_what_comes_out_otherwise_is_said(folder: Path, changed: dict[str, object], told: str) -> None:
    edits(folder, **changed)
    code, said, _ = run("a.txt", "--replay", "edits.jsonl")
    assert code == 3
    assert all(told in line for line in said.splitlines()) and said


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        '{"start": 1}',
        "[" * 100_000,
        '{"start":0,"end":1,"before":"a","after":"b","confidence":1,"decided_by":"x"}',
    ],
)
def test_lines_that_are_no_edits_are_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "edits.jsonl"
    path.write_text("\n" + line, encoding="utf-8")
    with pytest.raises(FormatError, match=r"edits\.jsonl:2"):
        list(read_edits(path))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        list(read_edits(tmp_path / "missing.jsonl"))


def test_replay_takes_no_options_of_its_own(folder: Path) -> None:
    edits(folder)
    assert "goes without --format" in run("a.txt", "--replay", "edits.jsonl", "--format", "json")[2]


def test_a_sibling_is_part_of_what_an_edit_was_made_with(folder: Path) -> None:
    other = SPUN.replace("struggle", "war").replace("greater than a yr", "more than a year")
    (folder / "b.txt").write_text(other, encoding="utf-8")
    made = CliRunner().invoke(unspin, ["clean", "-q", "--siblings", "b.txt", "--diff", "json", "a.txt"])
    (folder / "edits.jsonl").write_text(made.stdout, encoding="utf-8")
    assert run("a.txt", "--siblings", "b.txt", "--replay", "edits.jsonl")[:2] == (0, "")
    code, told, _ = run("a.txt", "--replay", "edits.jsonl")
    assert code == 3 and "the siblings was" in told


# files of several texts, and markup


CLEAN = "The council of the town met on Tuesday, and nobody there could say what the new bridge would cost."
ROWS = [{"id": "a", "text": SPUN}, {"text": CLEAN}, {"id": "b", "text": SPUN.replace("yr", "12 months")}]


def lines(folder: Path, rows: list[dict[str, str]], name: str = "a.jsonl") -> None:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def cleaned_lines(*arguments: str) -> str:
    result = CliRunner().invoke(unspin, ["clean", "-q", "--diff", "json", *arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_of_a_file_of_several_texts_each_is_explained_with_its_id(folder: Path) -> None:
    lines(folder, ROWS)
    code, told, _ = run("a.jsonl")
    assert code == 0
    assert [line.partition(":")[0] for line in told.splitlines() if "nats/word" in line] == [
        "a.jsonl#a",
        "a.jsonl#1",
        "a.jsonl#b",
    ]
    code, told, _ = run("a.jsonl", "--format", "json")
    rows = [json.loads(line) for line in told.splitlines()]
    validator = Draft202012Validator(json.loads(schema("explanation")))
    for row in rows:
        validator.validate(row)
        text = next(one["text"] for one in ROWS if one.get("id") == row["record"])
        assert text[row["start"] : row["end"]] == row["before"]
    assert {row["record"] for row in rows} == {"a", "b"}


@pytest.mark.parametrize(
    ("name", "called"), [("b", "#b"), ("a.jsonl#b", "#b"), ("#1", "#1"), ("1", "#1"), ("a.jsonl#1", "#1")]
)
def test_one_record_is_named(folder: Path, name: str, called: str) -> None:
    lines(folder, ROWS)
    code, told, _ = run("a.jsonl", "--id", name)
    assert code == 0 and told.count("nats/word") == 1 and told.startswith(f"a.jsonl{called}: ")


def test_a_word_is_looked_for_in_one_record(folder: Path) -> None:
    lines(folder, ROWS)
    code, told, _ = run("a.jsonl", "--id", "a", "--at", "yr", "--format", "json")
    assert code == 0 and [json.loads(line)["before"] for line in told.splitlines()] == ["yr"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "problem"),
    [
        (["a.jsonl", "--at", "yr"], 2, "--at is of one text: say with --id which of them"),
        (["a.jsonl", "--siblings", "a.txt"], 2, "--siblings is of one text"),
        (["a.txt", "--id", "a"], 2, "--id names one of several texts, and a.txt is one"),
        (["a.jsonl", "--id", "c"], 1, "a.jsonl: holds no record 'c'"),
        (["a.jsonl", "--id", "a", "--replay", "a.jsonl"], 2, "goes without --id"),
        (["."], 2, ". names 2 files; give one"),
        (["*.nothing"], 1, "no file matches"),
        (["a.jsonl", "--text-field", "body"], 3, "line 1: no field 'body'"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, arguments: list[str], exit_code: int, problem: str) -> None:
    lines(folder, ROWS)
    (folder / "b.txt").write_text(TEXT)
    code, _, told = run(*arguments)
    assert code == exit_code and problem in told


def test_what_would_change_markup_is_left_alone(folder: Path) -> None:
    marked = SPUN.replace("greater than", "greater **than**").replace("yr", "*yr*")
    (folder / "a.md").write_text(f"{marked}\n\n- {marked}\n", encoding="utf-8")
    edits = [json.loads(line) for line in cleaned_lines("a.md").splitlines()]
    told = [json.loads(line) for line in run("a.md", "--format", "json")[1].splitlines()]
    keys = ("start", "end", "before", "after", "decided_by")
    assert [[row["edit"][key] for key in keys] for row in told if row["edit"]] == [
        [edit[key] for key in keys] for edit in edits
    ]
    assert {"yr"} <= {edit["before"] for edit in edits} and "greater **than**" not in {edit["before"] for edit in edits}
    at = str(marked.index("greater"))
    _, alone = map(json.loads, run("a.md", "--at", at, "--format", "json")[1].splitlines())  # after "greater"
    assert alone["edit"] is None and alone["before"] == "greater **than" and alone["options"][0]["after"] == "more than"


def test_of_a_repeated_paragraph_of_a_page_the_words_go(folder: Path) -> None:
    (folder / "a.html").write_text(f"<p>{SPUN}</p>\n<p>It ended.</p>\n<p>{SPUN.replace('yr', '<b>yr</b>')}</p>\n")
    edits = [json.loads(line) for line in cleaned_lines("--html", "inplace", "a.html").splitlines()]
    told = [json.loads(line) for line in run("a.html", "--html", "inplace", "--format", "json")[1].splitlines()]
    removed = [(row["start"], row["end"], row["before"]) for row in told if row["repeat"]]
    assert removed == [
        (edit["start"], edit["end"], edit["before"]) for edit in edits if edit["decided_by"] == "duplicate"
    ]
    assert len(removed) == 3


@pytest.mark.parametrize("name", ["a.md", "a.html"])
def test_edits_of_markup_are_made_again(folder: Path, name: str) -> None:
    (folder / name).write_text(f"# News\n\n{SPUN.replace('yr', '*yr*')}\n\n<p>{SPUN}</p>\n")
    (folder / "edits.jsonl").write_text(cleaned_lines("--html", "inplace", name), encoding="utf-8")
    code, told, said = run(name, "--html", "inplace", "--replay", "edits.jsonl")
    assert (code, told) == (0, "") and "made again" in said and not said.startswith("0 ")


def test_edits_of_records_are_made_again_with_the_copies_among_them(folder: Path) -> None:
    original = SPUN.replace("struggle", "war").replace("greater than a yr", "more than a year")
    lines(folder, [*ROWS, {"id": "c", "text": original}, {"id": "a", "text": TEXT}])
    (folder / "edits.jsonl").write_text(cleaned_lines("a.jsonl"), encoding="utf-8")
    made = [json.loads(line) for line in (folder / "edits.jsonl").read_text().splitlines()]
    assert any("siblings:" in edit["signature"] for edit in made)
    code, told, said = run("a.jsonl", "--replay", "edits.jsonl")
    assert (code, told) == (0, "") and f"{len(made)} edits of {len(made)} made again" in said
    result = CliRunner().invoke(
        unspin, ["explain", "--replay", "edits.jsonl", "-"], input=(folder / "a.jsonl").read_bytes()
    )
    assert (result.exit_code, result.stdout) == (0, "")


def test_edits_of_a_batch_are_made_again(folder: Path) -> None:
    lines(folder, ROWS)
    done = CliRunner().invoke(unspin, ["batch", "-q", "-j", "1", "-o", "out", "a.jsonl"])
    assert done.exit_code == 0
    code, told, _ = run("a.jsonl", "--replay", "out/edits/a.jsonl.jsonl")
    assert (code, told) == (0, "")


def test_an_edit_of_no_record_or_another_is_told(folder: Path) -> None:
    lines(folder, ROWS)
    edits = [json.loads(line) for line in cleaned_lines("a.jsonl").splitlines()]
    moved = [edits[0] | {"record": "x"}, edits[1] | {"record": "b"}, edits[-1]]
    (folder / "edits.jsonl").write_text("".join(json.dumps(edit) + "\n" for edit in moved))
    code, told, said = run("a.jsonl", "--replay", "edits.jsonl")
    first, second = told.splitlines()
    assert code == 3 and "1 edit of 3 made again" in said
    assert "there is no record 'x'" in first and "it was made for another text" in second


def test_records_without_ids_are_found_by_their_numbers_wherever_the_file_is(folder: Path) -> None:
    lines(folder, [{"text": SPUN}, {"text": CLEAN}])
    (folder / "edits.jsonl").write_text(cleaned_lines("a.jsonl"), encoding="utf-8")
    assert run(str(folder / "a.jsonl"), "--replay", "edits.jsonl")[:2] == (0, "")
