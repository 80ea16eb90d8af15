"""The installed package, as its users have it: from any folder, without the network, with types, with completion."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import ROOT, Installed

SEED = ROOT / "seeds" / "seed.txt"

# What a user of the library may write; that `found` is no text must be seen.
PROGRAM = '''
"""Restore texts, and say what was done."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import unspin
from unspin import Edit, Held, Lexicon, Restoration, UnspinError
from unspin.diff import DiffStyle, render


def swaps(restoration: Restoration) -> Iterator[tuple[int, int, str, str, float]]:
    for edit in restoration.edits:
        yield edit.start, edit.end, edit.before, edit.after, edit.confidence


def undone(text: str, edits: Sequence[Edit]) -> str:
    return unspin.apply(text, unspin.invert(edits))


def main(paths: Sequence[str]) -> int:
    lexicon: Lexicon = unspin.Lexicon.load("en-autoblog")
    for path in map(Path, paths):
        try:
            restoration = unspin.restore(path.read_text(encoding="utf-8"), lexicon=lexicon, min_confidence=0.6)
        except UnspinError as error:
            print(error, file=sys.stderr)
            return 3
        cleaned: str = unspin.cleaned(restoration)
        held: tuple[Held, ...] = restoration.held
        print(cleaned, render(restoration, style=DiffStyle.UNIFIED), len(held), list(swaps(restoration)))
    with unspin.spilled(["Said once.", "said once"], memory=500_000_000) as groups:
        print(sum(len(group.copies) for group in groups))
    found = unspin.dedupe(["Said once.", "said once"])
    reveal_type(found)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
'''


def _checked(program: str, installed: Installed, folder: Path) -> str:
    (folder / "program.py").write_text(program, encoding="utf-8")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--python-executable",
        installed.python,
        "program.py",
    ]
    return installed.run(*command, at=folder).stdout


def test_a_users_program_is_checked_strictly(installed: Installed, tmp_path: Path) -> None:
    said = _checked(PROGRAM, installed, tmp_path)
    assert "Success" in said, said
    assert "CopyGroup" in said  # which only the package's own types can tell
    wrong = _checked(PROGRAM.replace("held: tuple[Held, ...]", "held: str"), installed, tmp_path)
    assert "Incompatible types in assignment" in wrong


def test_it_runs_from_any_folder_without_the_network(installed: Installed, tmp_path: Path) -> None:
    result = installed.run("unspin", "clean", SEED, at=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == (ROOT / "seeds" / "seed.cleaned.txt").read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == []
    found = installed.run("python", "-c", "import unspin; print(unspin.__file__)", at=tmp_path)
    assert Path(found.stdout.strip()).is_relative_to(installed.folder)
    refused = installed.run("python", "-c", "import socket; socket.create_connection(('127.0.0.1', 9))", at=tmp_path)
    assert "the network is asked for" in refused.stderr


def test_it_tells_its_version(installed: Installed, tmp_path: Path) -> None:
    result = installed.run("unspin", "--version", at=tmp_path)
    assert result.stdout.startswith("unspin 0."), result
    assert installed.run("python", "-m", "unspin", "--version", at=tmp_path).stdout == result.stdout


COMPLETED = (
    ("unspin cle", ["clean"]),
    ("unspin lexicon st", ["stats"]),
    ("unspin clean --min", ["--min-confidence"]),
    ("unspin clean --diff ma", ["markdown"]),
    ("unspin clean --lexicon en-autoblog.c", ["en-autoblog.curated"]),
    ("unspin clean scr", ["scraped.txt"]),
)


@pytest.mark.parametrize(("typed", "expected"), COMPLETED)
def test_bash_completes(installed: Installed, tmp_path: Path, typed: str, expected: list[str]) -> None:
    """What bash would insert: its own machinery calls our function, and falls back to file names where it says so."""
    (tmp_path / "scraped.txt").touch()
    script = f"""
eval "$(unspin completion bash)"
compopt() {{ [ "$1 $2" = "-o default" ] && files=yes; return 0; }}  # a builtin that only works while one presses Tab
COMP_WORDS=({typed}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
complete -p unspin | grep -q -- '-F _unspin_completion' || exit 9
_unspin_completion unspin
[ "${{files-}}" = yes ] && mapfile -t COMPREPLY < <(compgen -f -- "${{COMP_WORDS[-1]}}")
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    result = installed.run("bash", "--norc", "-c", script, at=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == expected


# In a terminal, where Tab is pressed; ^X writes down what then stands on the line.
ZSHRC = """
autoload -Uz compinit && compinit -u -D
eval "$(unspin completion zsh)"
bindkey '^I' expand-or-complete
note() { print -r -- "$BUFFER" >| noted }
zle -N note && bindkey '^X' note
zle-line-init() { : >| ready }
zle -N zle-line-init
"""


def _appeared(path: Path) -> str:
    """What is written into a file, once it is there. Fails after a minute."""
    end = time.monotonic() + 60
    while not (path.exists() and (path.name == "ready" or path.read_text())):
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.02)
    return path.read_text()


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
@pytest.mark.parametrize(("typed", "expected"), COMPLETED)
def test_zsh_completes(installed: Installed, tmp_path: Path, typed: str, expected: list[str]) -> None:
    (tmp_path / ".zshrc").write_text(ZSHRC)
    (tmp_path / "scraped.txt").touch()
    ours, theirs = pty.openpty()
    environment = {"PATH": f"{installed.folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb"}
    shell = subprocess.Popen(
        ["zsh", "-d", "-i"],
        cwd=tmp_path,
        env=environment | {"HOME": str(tmp_path), "ZDOTDIR": str(tmp_path)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    try:
        _appeared(tmp_path / "ready")
        os.write(ours, f"{typed}\t\x18".encode())
        assert _appeared(tmp_path / "noted").split() == [*typed.split()[:-1], *expected]
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
        os.close(theirs)


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize(("typed", "expected"), COMPLETED)
def test_fish_completes(installed: Installed, tmp_path: Path, typed: str, expected: list[str]) -> None:
    """`complete -C` is what fish does where Tab is pressed; what a word means stands behind a tab."""
    (tmp_path / "scraped.txt").touch()
    script = f"unspin completion fish | source; complete -C '{typed}'"
    result = installed.run("fish", "--no-config", "-c", script, at=tmp_path, HOME=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == expected
