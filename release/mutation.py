"""The mutation score: of all changes that can be made to the heart of the program, how many do its tests notice?

    python release/mutation.py [--least 0.85] [MUTANT…]

mutmut makes the changes that `pyproject.toml` asks for, one at a time, and runs the tests that reach them; what an
earlier run found of unchanged code is kept. Out go, for each module, how many were noticed, and those that were not by
name; `mutmut show NAME` prints one. A change after which tests never end is noticed, one that no test reaches is not.
The exit code is 1 if the score of any module is below --least, and mutmut's own if it cannot run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTICED = {"killed", "timeout", "segfault", "caught by type check"}
UNDECIDED = {"not checked", "skipped", "check was interrupted by user"}


def found(lines: Iterable[str]) -> dict[str, dict[str, str]]:
    """What `mutmut results` says of each mutant, by module.

    >>> found(["    unspin.edit.x_apply__mutmut_1: killed", "", "    unspin.edit.x_apply__mutmut_2: survived"])
    {'unspin.edit': {'unspin.edit.x_apply__mutmut_1': 'killed', 'unspin.edit.x_apply__mutmut_2': 'survived'}}
    """
    modules: dict[str, dict[str, str]] = defaultdict(dict)
    for line in lines:
        name, _, status = line.strip().partition(": ")
        if status and status not in UNDECIDED:
            modules[name.rpartition(".")[0]][name] = status
    return dict(modules)


def score(statuses: Iterable[str]) -> float:
    """The share that was noticed.

    >>> score(["killed", "timeout", "survived", "no tests"])
    0.5
    """
    counts = Counter(status in NOTICED for status in statuses)
    return counts[True] / counts.total()


def _mutmut(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("mutmut")), *arguments]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mutants", nargs="*", metavar="MUTANT", help="names or patterns [default: all]")
    parser.add_argument("--least", type=float, default=0.85, metavar="SHARE", help="[default: %(default)s]")
    known = parser.parse_args()
    if code := subprocess.run(_mutmut("run", *known.mutants), cwd=ROOT, check=False).returncode:
        sys.exit(code)
    told = subprocess.run(_mutmut("results", "--all", "true"), cwd=ROOT, check=True, capture_output=True, text=True)
    modules = found(told.stdout.splitlines())
    if not modules:
        sys.exit("no mutant was checked")
    for mutants in modules.values():
        unnoticed = (f"{name}: {status}" for name, status in mutants.items() if status not in NOTICED)
        print(*unnoticed, sep="\n")
    print("module\tmutants\tnoticed\tscore")
    scores = {module: score(mutants.values()) for module, mutants in modules.items()}
    for module, mutants in modules.items():
        noticed = sum(status in NOTICED for status in mutants.values())
        print(f"{module}\t{len(mutants):,}\t{noticed:,}\t{scores[module]:.3f}")
    if low := [module for module, share in scores.items() if share < known.least]:
        sys.exit(f"below {known.least:g}: {', '.join(low)}")


if __name__ == "__main__":
    main()
