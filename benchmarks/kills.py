"""Killed at a random moment: is the target the old file or the new one, and is nothing left beside it?

    python benchmarks/kills.py [--kills 200] [--seed 0] [COMMAND...]

Each command is first run to its end, to know what it writes and how long it takes; then again and again, from the same
state, and killed (SIGKILL) at a random moment around that at which it writes, which is sought: later after all was
old, sooner after all was new. The table has what was found afterwards: all old, all new, of several files some old and
some new, anything else; and whether files were left that do not belong there. Where something was left, and where
a command that goes on where it stopped (`batch`, `index`) was not done, it runs once more, to its end: "unfinished"
counts where that did not give the new content, or left what the kill had left. Exit code 1 if there was anything
else, or unfinished. POSIX only.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from unspin.errors import UnspinError
from unspin.files import STALE
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
PAIR = '{"original": "The war lasted more than a year.", "spun": "The struggle lasted greater than a yr."}\n'
# In a process of its own, again and again until it is killed: what all commands write with.
_WRITE = (
    "import sys; from pathlib import Path; from unspin.files import write_atomic\n"
    "old, new = (Path(name).read_bytes() for name in ('old.bin', 'new.bin'))\n"
)
_WRITER = f"{_WRITE}while True: write_atomic(Path('target.bin'), new); write_atomic(Path('target.bin'), old)"
_ONCE = f"{_WRITE}write_atomic(Path('target.bin'), new)"

SPREAD = 0.2  # of the time until it writes, to kill it sooner or later
_STEPS = {"old": 1.04, "new": 0.96}

Files = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Command:
    """Something that writes. `files` are there before it runs, and `before` has been run; `targets` are the files and
    folders that it makes or replaces. `again` is what runs after a kill, where not the same. `goes_on` if that
    must always end in the new state."""

    name: str
    arguments: tuple[str, ...]
    files: Files
    targets: tuple[str, ...]
    before: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    goes_on: bool = False

    @property
    def is_endless(self) -> bool:
        """Does it write the same again and again?"""
        return bool(self.again)


def _unspin(line: str) -> tuple[str, ...]:
    return ("-m", "unspin", *line.split())


_TEXTS: Files = tuple((f"{n}.txt", f"{SPUN * 3}\nNo. {n}.\n") for n in range(80))
_NAMES = tuple(name for name, _ in _TEXTS)
_TARGET = ("target.bin", "old" * 99_999)
_SCRAPE: Files = (("0.jsonl", "".join(f'{{"text": "{SPUN.strip()} No. {n}."}}\n' for n in range(60))), *_TEXTS[1:6])
COMMANDS = {
    command.name: command
    for command in (
        Command(
            "write",
            ("-c", _WRITER),
            (("old.bin", "old" * 99_999), ("new.bin", "new!" * 99_999), _TARGET),
            ("target.bin",),
            again=("-c", _ONCE),
        ),
        Command(
            "clean --write",
            _unspin(f"clean --write --no-siblings --ranker none {' '.join(_NAMES)}"),
            _TEXTS,
            _NAMES,
        ),
        Command(
            "clean -o",
            _unspin(f"clean -o out --force --no-siblings --diff json --ranker none {' '.join(_NAMES)}"),
            (*_TEXTS, *((f"out/{name}", "old") for name in _NAMES)),
            ("out",),
        ),
        Command("learn", _unspin("learn --seen 1 p.jsonl -o l.tsv"), (("p.jsonl", PAIR * 3),), ("l.tsv",)),
        Command("lexicon format", _unspin("lexicon format --write l.tsv"), (("l.tsv", LEXICON),), ("l.tsv",)),
        Command("dedupe -o", _unspin(f"dedupe -o out {' '.join(_NAMES)}"), _TEXTS, ("out",)),
        Command("index build", _unspin("index build seen 0.txt"), _TEXTS, ("seen",), goes_on=True),
        Command(
            "index add",
            _unspin("index add seen 1.txt 2.txt"),
            _TEXTS,
            ("seen",),
            before=_unspin("index build seen 0.txt"),
            goes_on=True,
        ),
        Command("batch", _unspin("batch -j 1 -o out --ranker none ."), _SCRAPE, ("out",), goes_on=True),
    )
}


def _run(arguments: tuple[str, ...], folder: Path) -> bool:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, check=False, capture_output=True)
    return done.returncode == 0


def _prepared(command: Command, folder: Path) -> None:
    for name, content in command.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    if command.before and not _run(command.before, folder):
        raise SystemExit(f"{command.name}: cannot be prepared")


def _state(command: Command, folder: Path) -> dict[str, object]:
    """What the targets hold: the bytes of each file, the figures of an index. What a batch keeps for itself is not
    the same in any two runs."""
    found: dict[str, object] = {}
    for path in (folder / name for name in command.targets):
        if path.name == "seen" and path.exists():
            try:
                figures = describe(path, check=True)
                found["seen"] = tuple(figures[key] for key in ("texts", "passages", "kept"))
            except UnspinError as error:
                found["seen"] = str(error)
        else:
            files = path.rglob("*") if path.is_dir() else [path]
            kept = (one for one in files if one.is_file() and not _is_own(one.relative_to(folder)))
            found |= {str(one.relative_to(folder)): one.read_bytes() for one in kept}
    return found


def _is_own(path: Path) -> bool:
    """Is a file a batch's own, or one that is half written?"""
    return ".work" in path.parts or path.name.startswith(("manifest.sqlite", ".unspin-"))


def _others(command: Command, folder: Path) -> Iterator[Path]:
    """Files and folders that neither the user nor the command put there to stay."""
    known = {Path(name).parts[0] for name, _ in command.files} | {*command.targets}
    for path in folder.iterdir():
        if path.name not in known:
            yield path
        elif path.is_dir():
            yield from (one for one in path.rglob(".unspin-*"))


def _aged(path: Path) -> None:
    """As if the kill had been some time ago: what is young may be somebody's who is at work."""
    for one in (path, *path.rglob("*")):
        with suppress(FileNotFoundError):
            os.utime(one, (time.time() - 2 * STALE,) * 2)


def _is_finished(command: Command, folder: Path, new: dict[str, object]) -> bool:
    """Does the next run give what one gives that was never killed, and take away what was left?"""
    for path in _others(command, folder):
        _aged(path)
    is_done = _run(command.again or command.arguments, folder)
    return is_done and _state(command, folder) == new and not [*_others(command, folder)]


def killed(command: Command, kills: int, chance: random.Random) -> Counter[str]:
    """What was found after so many kills."""
    found: Counter[str] = Counter()
    with TemporaryDirectory() as base:
        start, end = Path(base, "start"), Path(base, "end")
        start.mkdir()
        _prepared(command, start)
        seconds = min(_timed(command, start, end) for _ in range(2))
        old, new = _state(command, start), _state(command, end)
        for number in range(kills):
            folder = Path(base, str(number))
            shutil.copytree(start, folder)
            _kill(command, folder, after=seconds * chance.uniform(1 - SPREAD, 1 + SPREAD))
            state = _state(command, folder)
            kind = _kind(state, old, new)
            found[kind] += 1
            seconds *= _STEPS.get(kind, 1.0)
            is_left = any(_others(command, folder))
            found["left"] += is_left
            if is_left or (command.goes_on and state != new):
                found["unfinished"] += not _is_finished(command, folder, new)
            shutil.rmtree(folder)
    return found


def _timed(command: Command, start: Path, end: Path) -> float:
    """Seconds of a whole run, whose results are at `end`; of what never ends, those that it is let run."""
    shutil.rmtree(end, ignore_errors=True)
    shutil.copytree(start, end)
    began = time.perf_counter()
    if not _run(command.again or command.arguments, end):
        raise SystemExit(f"{command.name}: fails")
    return 1.5 if command.is_endless else time.perf_counter() - began


def _kill(command: Command, folder: Path, *, after: float) -> None:
    """Start a command, and kill it and the workers it has after so many seconds."""
    process = subprocess.Popen(
        [sys.executable, *command.arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(after)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _kind(state: dict[str, object], old: dict[str, object], new: dict[str, object]) -> str:
    """All old, all new, each file the one or the other, or something else."""
    if state == old:
        return "old"
    if state == new:
        return "new"
    names = {*state, *old, *new}
    return "some" if all(state.get(name) in (old.get(name), new.get(name)) for name in names) else "else"


def main(tell: Callable[[str], None] = print) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("--kills", type=int, default=200, help="of each command [default: 200]")
    parser.add_argument("--seed", default="0")
    wanted = parser.parse_args()
    tell("command\tkills\told\tnew\tsome of each\telse\tleft\tunfinished")
    bad = 0
    for name in wanted.commands or COMMANDS:
        found = killed(COMMANDS[name], wanted.kills, random.Random(f"{wanted.seed} {name}"))
        row = [found[key] for key in ("old", "new", "some", "else", "left", "unfinished")]
        tell("\t".join(map(str, (name, wanted.kills, *row))))
        bad += found["else"] + found["unfinished"]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
