"""Killed at a random moment: is the target the old file or the new one, and is nothing left beside it?

    python benchmarks/kills.py [--kills 200] [--seed 0] [COMMAND...]

Each command is first run to its end, to know what it writes and how long it takes; then again and again, from the same
state, and killed (SIGKILL) at a random moment, most of them in the last part of the run, where it writes. The table
has what was found afterwards: the old content, the new one, anything else, and files that do not belong there. Exit
code 1 if there was anything else, or something left. The kills are shared out among the commands. POSIX only.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from unspin.errors import UnspinError
from unspin.index import describe

SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. Negotiations proceed, "
    "in keeping with a number of diplomats, however each side stays cautious.\n"
)
LEXICON = (
    "spun\toriginal\trate\tseen\tstatus\tsource\tnote\n"
    "yr\tyear\t0.41\t9\tauto\tx\t\n"
    "struggle\twar\t0.26\t3\tauto\tx\t\n"
)
# In a process of its own, again and again until it is killed: what all commands write with.
_WRITER = (
    "import sys; from pathlib import Path; from unspin.files import write_atomic\n"
    "old, new = (Path(name).read_bytes() for name in ('old.bin', 'new.bin'))\n"
    "while True: write_atomic(Path('target.bin'), new); write_atomic(Path('target.bin'), old)"
)


@dataclass(frozen=True, slots=True)
class Command:
    """Something that writes. `files` are there before it runs, `target` is what it makes or replaces."""

    name: str
    arguments: tuple[str, ...]
    files: tuple[tuple[str, str], ...]
    target: str
    is_endless: bool = False


_TEXTS = (("a.txt", SPUN), ("b.txt", SPUN.replace("struggle", "war")))
COMMANDS = {
    command.name: command
    for command in (
        Command(
            "write", ("-c", _WRITER), (("old.bin", "old" * 99_999), ("new.bin", "new!" * 99_999)), "target.bin", True
        ),
        Command("clean --write", ("-m", "unspin", "clean", "--write", "--ranker", "none", "a.txt"), _TEXTS, "a.txt"),
        Command(
            "clean -o", ("-m", "unspin", "clean", "-o", "out", "--force", "--ranker", "none", "a.txt"), _TEXTS, "out"
        ),
        Command(
            "lexicon format", ("-m", "unspin", "lexicon", "format", "--write", "l.tsv"), (("l.tsv", LEXICON),), "l.tsv"
        ),
        Command("dedupe -o", ("-m", "unspin", "dedupe", "-o", "out", "a.txt", "b.txt"), _TEXTS, "out"),
        Command("index build", ("-m", "unspin", "index", "build", "seen", "a.txt"), _TEXTS, "seen"),
        Command("index add", ("-m", "unspin", "index", "add", "seen", "b.txt"), _TEXTS, "seen"),
    )
}


def _prepared(command: Command, folder: Path) -> None:
    for name, content in command.files:
        (folder / name).write_text(content, encoding="utf-8")
    if command.name == "index add":
        subprocess.run(
            [sys.executable, "-m", "unspin", "index", "build", "seen", "a.txt"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
    if command.is_endless:
        shutil.copy(folder / "old.bin", folder / command.target)


def _state(path: Path) -> object:
    """What a target holds: bytes, the files of a folder, the figures of an index."""
    if not path.exists():
        return None
    if path.is_file():
        return path.read_bytes()
    if path.name == "seen":
        try:
            found = describe(path, check=True)
        except UnspinError as error:
            return str(error)
        return tuple(found[key] for key in ("texts", "passages", "kept"))
    return tuple(sorted((file.name, file.read_bytes()) for file in path.rglob("*") if file.is_file()))


def _others(command: Command, folder: Path) -> list[str]:
    """Files that neither the user nor the command put there to stay."""
    known = {name for name, _ in command.files} | {command.target}
    found = [path for path in folder.iterdir() if path.name not in known]
    if command.target == "out" and (folder / "out").is_dir():
        found += [path for path in (folder / "out").rglob(".*") if path.is_file()]
    return [path.name for path in found]


def killed(command: Command, kills: int, chance: random.Random) -> Counter[str]:
    """What was found after so many kills."""
    found: Counter[str] = Counter()
    with TemporaryDirectory() as base:
        start, end = Path(base, "start"), Path(base, "end")
        start.mkdir()
        _prepared(command, start)
        shutil.copytree(start, end)
        began = time.perf_counter()
        if command.is_endless:
            shutil.copy(end / "new.bin", end / command.target)
        else:
            subprocess.run([sys.executable, *command.arguments], cwd=end, check=True, capture_output=True)
        seconds = 2.0 if command.is_endless else time.perf_counter() - began
        old, new = _state(start / command.target), _state(end / command.target)
        for number in range(kills):
            folder = Path(base, str(number))
            shutil.copytree(start, folder)
            process = subprocess.Popen(
                [sys.executable, *command.arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(seconds * chance.uniform(0.6, 1.1))
            process.kill()
            process.wait()
            state = _state(folder / command.target)
            found["old" if state == old else "new" if state == new else _part(state, new)] += 1
            found["left"] += bool(_others(command, folder))
            shutil.rmtree(folder)
    return found


def _part(state: object, new: object) -> str:
    """A folder of several files may hold some of the new ones, each of them whole."""
    if isinstance(state, tuple) and isinstance(new, tuple) and set(state) <= set(new):
        return "some whole files"
    return "else"


def main(tell: Callable[[str], None] = print) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", default="0")
    wanted = parser.parse_args()
    chosen = wanted.commands or list(COMMANDS)
    tell("command\tkills\told\tnew\tsome whole files\telse\tleft behind")
    bad = 0
    for name in chosen:
        kills = wanted.kills // len(chosen)
        found = killed(COMMANDS[name], kills, random.Random(f"{wanted.seed} {name}"))
        row = [found[key] for key in ("old", "new", "some whole files", "else", "left")]
        tell("\t".join(map(str, (name, kills, *row))))
        bad += found["else"] + found["left"]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
