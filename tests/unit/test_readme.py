"""What the README shows runs: its Python, and its commands on the seed."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from unspin.cli import unspin
from unspin.pipeline import examine
from unspin.review.ledger import Ledger

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ").split("#")[0].split(">")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ unspin ")
]


def test_the_python_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert "war" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "articles").mkdir()
    (tmp_path / "seeds").mkdir()
    for target in ("scraped.txt", "articles/one.txt", "article.txt"):
        (tmp_path / target).write_bytes((ROOT / "seeds" / "seed.txt").read_bytes())
    (tmp_path / "seeds/seed.markup.txt").write_bytes((ROOT / "seeds" / "seed.markup.txt").read_bytes())
    shutil.copytree(ROOT / "tests" / "cases" / "in_the_wild", tmp_path / "tests" / "cases")
    _, *arguments = shlex.split(command)
    _before(arguments, tmp_path)
    result = CliRunner().invoke(unspin, arguments)
    if arguments[0] == "review":  # which asks a person
        assert result.exit_code == 2
        assert "needs a terminal" in result.output
    else:
        assert result.exit_code == (1 if "--check" in arguments else 0), result.output


def _before(arguments: list[str], folder: Path) -> None:
    """What must have been done before a command can run."""
    if arguments[0] == "index":
        assert CliRunner().invoke(unspin, ["index", "build", arguments[2], "article.txt"]).exit_code == 0
    elif arguments[0] == "apply":
        text = (folder / "article.txt").read_text(encoding="utf-8")
        with Ledger(str(folder / "unspin.db"), create=True) as ledger:
            ledger.add("article.txt", *examine(text), encoding="utf-8")


def test_the_makefile_has_what_the_readme_promises() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\$ make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("page", [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "README.md"])
def test_no_placeholder_is_left_and_no_link_is_broken(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"\b(?:FIGURES|TODO|TBD|To follow)\b", text)
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target
