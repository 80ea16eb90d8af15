"""The command line, case by case: `cases/*.toml` say what is typed, what stands in the folder, and what comes of it.

    args     what is typed after `unspin`
    first    what was typed before that, if anything was
    stdin    standard input (none: an empty one)
    copy     files of the repository: name = path
    files    files with their text; `hex`: files with their bytes
    exit     the exit code
    stdout, stderr    patterns, each of which must be found; `stdout_is`: all of standard output
    schema   the JSON Schema that all JSON on standard output obeys, by its name
    after    what files hold then; `absent`: files that must not be there

Every case also checks that there is no traceback, no temporary file, and no change but to the files in `after`.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import pytest
from click import Context, Group
from jsonschema import Draft202012Validator

from unspin.cli import main, unspin
from unspin.schemas import names, schema

ROOT = Path(__file__).parents[2]
CASES = sorted(Path(__file__).with_name("cases").glob("*.toml"))


def _prepare(case: dict[str, Any], folder: Path) -> None:
    for name, text in case.get("files", {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")
    for name, digits in case.get("hex", {}).items():
        (folder / name).write_bytes(bytes.fromhex(digits))
    for name, source in case.get("copy", {}).items():
        (folder / name).write_bytes((ROOT / source).read_bytes())
    for name in case.get("folders", ()):
        (folder / name).mkdir(parents=True)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    _prepare(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    if "first" in case:
        unspin.main(case["first"], standalone_mode=False)
        capsysbinary.readouterr()
    before = _contents(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in case.get("environment", {}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["unspin", *case["args"]])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(case.get("stdin", "").encode())))
    with pytest.raises(SystemExit) as ended:
        main()
    stdout, stderr = (part.decode("utf-8", "surrogateescape") for part in capsysbinary.readouterr())

    assert ended.value.code == case["exit"], stderr
    assert "Traceback" not in stderr
    for pattern in case.get("stdout", ()):
        assert re.search(pattern, stdout, re.MULTILINE), f"{pattern!r} is not in {stdout!r}"
    for pattern in case.get("stderr", ()):
        assert re.search(pattern, stderr, re.MULTILINE), f"{pattern!r} is not in {stderr!r}"
    if "schema" in case:
        validator = Draft202012Validator(json.loads(schema(case["schema"])))
        rows = list(_json_in(stdout))
        assert rows
        assert [error.message for row in rows for error in validator.iter_errors(row)] == []
    if "stdout_is" in case:
        assert stdout == case["stdout_is"]
    if "stderr_is" in case:
        assert stderr == case["stderr_is"]
    after, expected = _contents(tmp_path), case.get("after", {})
    for name, pattern in expected.items():
        assert re.search(pattern, after[name].decode("utf-8", "surrogateescape"), re.MULTILINE), name
    others = {name: data for name, data in after.items() if name not in expected}
    assert others == {name: data for name, data in before.items() if name not in expected}


def _json_in(text: str) -> Iterator[Any]:
    """The values of JSON Lines, or of one long value."""
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        yield value
        text = text[end:]


def test_every_schema_of_what_is_printed_is_checked_by_a_case() -> None:
    checked = {tomllib.loads(path.read_text(encoding="utf-8")).get("schema") for path in CASES}
    elsewhere = {"pair", "held", "duplicates", "errors"}  # one is read; the others go to files, which test_batch checks
    assert checked - {None} == set(names()) - elsewhere


def test_there_are_cases() -> None:
    assert len(CASES) > 40


def test_every_command_has_examples() -> None:
    def commands(group: Group) -> list[tuple[str, str]]:
        found = []
        for name in group.list_commands(Context(group)):
            command = group.get_command(Context(group), name)
            assert command is not None
            found += commands(command) if isinstance(command, Group) else [(name, command.help or "")]
        return found

    every = commands(unspin)
    assert len(every) >= 11
    for name, text in every:
        examples = cleandoc(text).partition("\b\nExamples:\n")[2].splitlines()
        assert 2 <= len(examples) <= 4, name
        assert all(name in line or "unspin" in line for line in examples), name
