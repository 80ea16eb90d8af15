"""Case files: what is read, what is refused, and floors written into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from unspin.cases.floors import record, with_floor
from unspin.cases.model import Case, Counts, Settings
from unspin.cases.reading import find_cases, read_case
from unspin.errors import FormatError, InputError, OutputError
from unspin.gold import Gold, GoldSpan

HEAD = 'label = "a"\nwhy = "b"\norigin = "c"\n'
FLOOR = Counts(restored=3, missed=1)


def written(folder: Path, text: str, name: str = "one.case.toml") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def read(folder: Path, text: str) -> Case:
    return read_case(written(folder, HEAD + text))


def test_markup_says_what_must_be_restored(tmp_path: Path) -> None:
    case = read(tmp_path, "input = 'The [[struggle|war|fight]] ended.'")
    assert case.gold == Gold("The struggle ended.", (GoldSpan(4, 12, ("war", "fight")),))
    assert (case.label, case.why, case.origin) == ("a", "b", "c")
    assert (case.output, case.exact, case.floor, case.xfail) == (None, None, None, "")
    assert case.name == "one"


def test_a_text_without_marks_must_be_left_alone(tmp_path: Path) -> None:
    case = read(tmp_path, "input = 'Left alone.'")
    assert case.gold.spans == ()
    assert case.exact == "Left alone."


def test_with_the_whole_output_brackets_are_text(tmp_path: Path) -> None:
    case = read(tmp_path, "input = 'if [[ -n $x ]] struggle'\noutput = 'if [[ -n $x ]] war'")
    assert case.gold.text == "if [[ -n $x ]] struggle"
    assert [case.gold.text[s.start : s.end] for s in case.gold.spans] == ["struggle"]
    assert case.exact == "if [[ -n $x ]] war"


def test_texts_may_stand_in_files_beside_the_case(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "in.txt").write_text("The struggle.\n")
    (tmp_path / "out.txt").write_text("The war.\n")
    case = read(
        tmp_path,
        'input = { file = "texts/in.txt" }\noutput = { file = "out.txt" }\n'
        '[options]\nsiblings = ["Inline.", { file = "out.txt" }]',
    )
    assert (case.gold.text, case.output) == ("The struggle.\n", "The war.\n")
    assert case.settings.siblings == ("Inline.", "The war.\n")


def test_options_are_those_of_restore(tmp_path: Path) -> None:
    (tmp_path / "mine.tsv").touch()
    case = read(
        tmp_path,
        "input = ''\n[options]\nlexicon = ['en-autoblog', 'mine.tsv', '../other.tsv']\nranker = 'context'\n"
        "min_confidence = 1\nkeep_duplicates = true\nassume_spun = true",
    )
    assert case.settings == Settings(
        lexicons=("en-autoblog", str(tmp_path / "mine.tsv"), str(tmp_path / "../other.tsv")),
        ranker="context",
        min_confidence=1.0,
        keep_duplicates=True,
        assume_spun=True,
    )


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    text = "\ufeff" + (HEAD + "input = '''\na\nb'''\n").replace("\n", "\r\n")
    assert read_case(written(tmp_path, text)).gold.text == "a\nb"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("input = 'a'\ncolour = 1", "colour: unknown key"),
        ("", "no 'input': a case needs"),
        ("input = 7", "input: a string or"),
        ("input = { file = 7 }", "input: a string or"),
        ("input = { file = 'a', encoding = 'b' }", "input: a string or"),
        ("input = { file = '../../etc/hosts' }", "does not stand beside the case"),
        ("input = { file = '/etc/hosts' }", "does not stand beside the case"),
        ('input = { file = "a\\u0000b" }', "does not stand beside the case"),
        ("input = ''\noutput = 'war'", "only the original|no words"),
        ("input = 'a'\noutput = ['a']", "output: a string or"),
        ("input = 'a [[struggle'", r"input:1:3: '\[\[' without"),
        ("input = 'a'\noptions = 3", "options: a table belongs here"),
        ("input = 'a'\n[options]\ncolour = 1", "options.colour: unknown key"),
        ("input = 'a'\n[options]\nmin_confidence = 2", "options.min_confidence: a number from 0 to 1"),
        ("input = 'a'\n[options]\nmin_confidence = nan", "options.min_confidence: a number from 0 to 1"),
        ("input = 'a'\n[options]\nmin_confidence = true", "options.min_confidence: a number from 0 to 1"),
        ("input = 'a'\n[options]\nassume_spun = 1", "options.assume_spun: true or false"),
        ("input = 'a'\n[options]\nlexicon = [3]", "options.lexicon: a name or a path"),
        ("input = 'a'\n[options]\nranker = 'http://localhost'", "options.ranker: .* without a network"),
        ("input = 'a'\n[options]\nranker = ''", "options.ranker: empty"),
        ("input = 'a'\n[options]\nsiblings = [3]", "options.siblings: a string or"),
        ("input = 'a'\n[floor]\nrestored = 1", "floor.wrong: missing"),
        ("input = 'a'\n[floor]\nrestored = true\nwrong = 0\nmissed = 0\nspurious = 0", "floor.restored: a count"),
        ("input = 'a'\n[floor]\nrestored = -1\nwrong = 0\nmissed = 0\nspurious = 0", "floor.restored: a count cannot"),
        ("input = 'a'\n[floor]\nrestored = 1\nright = 0", "floor.right: unknown key"),
        ("input = 'a'\nxfail = ' '", "xfail: empty"),
        ("input = 'a'\nxfail = 'x'\nfloor = { restored = 1, wrong = 0, missed = 0, spurious = 0 }", "has no floor"),
        ("input = " + "[" * 5000, "nested too deeply|not TOML"),
        ("input = " + "9" * 5000, "not TOML"),
    ],
)
def test_what_is_wrong_with_a_case_is_said(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=problem) as caught:
        read(tmp_path, text)
    assert "one.case.toml" in str(caught.value)


def test_the_line_of_malformed_toml_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        read(tmp_path, "input = 'a'\nwhat is this")
    assert (caught.value.line, caught.value.column) == (5, 6)


@pytest.mark.parametrize("data", [b"label = '\xff'", b"\xff\xfel\x00"])
def test_what_is_not_utf_8_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "one.case.toml"
    path.write_bytes(data)
    with pytest.raises(FormatError, match="not UTF-8"):
        read_case(path)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_case(tmp_path / "no.case.toml")
    with pytest.raises(InputError, match=r"no\.txt: no such file"):
        read(tmp_path, "input = { file = 'no.txt' }")


def test_a_link_that_leads_away_is_no_file_beside_the_case(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.txt").write_text("secret")
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "link.txt").symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(FormatError, match="does not stand beside"):
        read(tmp_path / "cases", "input = { file = 'link.txt' }")


def test_cases_are_found_in_order_and_once(tmp_path: Path) -> None:
    for name in ("b.case.toml", "a.case.toml", "no.toml", "sub/c.case.toml", ".hidden/d.case.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    found, errors = find_cases([tmp_path / "b.case.toml", tmp_path, tmp_path / "empty", tmp_path / "no.toml"])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "b.case.toml",
        "a.case.toml",
        "sub/c.case.toml",
        "no.toml",
    ]
    assert [error.problem for error in errors] == ["no cases in this directory (*.case.toml)"]


COMMENTED = """\
# About this case.
label = "a"   # short
why = 'b'
origin = '''
c'''

input = \"\"\"
The [[struggle|war]].\\
\"\"\"

[options]
min_confidence  =  0.5

# What was reached.
[floor]  # in all
restored = 1  # of four
wrong = 0
missed = 3
spurious = 0
# The end.
"""


def test_a_floor_is_written_over_and_all_else_stays() -> None:
    made = with_floor(COMMENTED, FLOOR)
    assert made == COMMENTED.replace("restored = 1 ", "restored = 3 ").replace("missed = 3", "missed = 1")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_first_floor_goes_to_the_end(end: str, mark: str, tmp_path: Path) -> None:
    lines = (HEAD + "input = 'a'  # b\n[options]\nassume_spun = true").replace("\n", end or "\n")
    made = with_floor(mark + lines + end, FLOOR)
    assert made.startswith(mark + lines)
    assert ("\r\n" in made) == (end == "\r\n")
    assert made.count("\n") == made.count(end or "\n")
    assert read_case(written(tmp_path, made)).floor == FLOOR


@pytest.mark.parametrize(
    "floor",
    [
        "floor = { restored = 0, wrong = 0, missed = 0, spurious = 0 } # inline",
        "floor.restored = 0\nfloor.wrong = 0\nfloor.missed = 0\nfloor.spurious = 0",
        '"floor".restored = 0\nfloor.wrong = 0\nfloor.missed = 0\nfloor.spurious = 0',
    ],
)
def test_floors_of_every_spelling_are_written_over(floor: str, tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + floor + "\ninput = 'a' # last")
    record(read_case(path), FLOOR)
    assert read_case(path).floor == FLOOR
    assert path.read_text().endswith("input = 'a' # last\n")


def test_a_case_that_cannot_be_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, HEAD + "input = 'a'")
    case, before = read_case(path), path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="no space left"):
        record(case, FLOOR)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_counts_cannot_be_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        Counts(wrong=-1)
