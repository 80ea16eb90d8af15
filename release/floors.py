"""Tests with the oldest versions that `pyproject.toml` allows.

    python release/floors.py [--python PYTHON] [--group small|spark|examples] [PYTEST ARGUMENTS…]

An environment is made in build/floors, with the lowest version of all that `unspin` and its small extras name
themselves, and the newest of what those need in turn. The tests run there that come nearest to those packages. A floor
that fails is to be raised. Each heavy extra has an environment of its own: the lowest versions of what it names, and of
all else the lowest that go with these.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "floors"
# Training a neural ranker takes torch, 200 MB and more in any version; peers are compared with, not depended on.
LEFT_OUT = {"bench", "dev", "neural-train"}
# Heavy extras, and what tests them; Spark's needs Java.
HEAVY = {"examples": ("tests/examples",), "spark": ("tests/spark/test_clean.py", "tests/spark/test_dedupe.py")}
SMALL = "small"
RUNNERS = ("pytest", "pytest-xdist", "hypothesis", "jsonschema", "pyte")  # what tests need, in any version
TESTS = (
    "tests/cases",
    "tests/cli/test_cases.py",
    "tests/unit/test_diff_formats.py",
    "tests/unit/test_endpoint.py",
    "tests/unit/test_files.py",
    "tests/unit/test_inflect.py",
    "tests/unit/test_language.py",
    "tests/unit/test_ledger.py",
    "tests/unit/test_neural_ranker.py",
    "tests/unit/test_pipeline.py",
    "tests/unit/test_plot.py",
    "tests/unit/test_rank.py",
    "tests/unit/test_train.py",
)


# The neural ranker's last digits are those of the onnxruntime that golden files were made with, which is newer.
NEWER = ("tests/cli/test_cases.py::test_case[clean_diff_markdown]",)


def named(project: dict[str, object]) -> list[Requirement]:
    """All that the project and its small extras name."""
    always, optional = project["dependencies"], project["optional-dependencies"]
    assert isinstance(always, list) and isinstance(optional, dict)
    small = (lines for extra, lines in optional.items() if extra not in LEFT_OUT and extra not in HEAVY)
    return [Requirement(line) for line in dict.fromkeys((*always, *(line for lines in small for line in lines)))]


def floors(project: dict[str, object]) -> list[str]:
    """The lower bound of everything that is named, as a requirement of just that version.

    >>> floors({"dependencies": ["a>=1.2", "b[c]>=3,<5"], "optional-dependencies": {"dev": ["d>=1"], "x": ["e>=2"]}})
    ['a==1.2', 'b[c]==3', 'e==2']
    """
    return sorted({_floor(requirement) for requirement in named(project)})


def heavy(project: dict[str, object], extra: str) -> list[str]:
    """The lower bounds of a heavy extra, and what goes with it.

    >>> heavy({"dependencies": ["a>=1.2"], "optional-dependencies": {"spark": ["d>=1"]}}, "spark")
    ['a>=1.2', 'd==1']
    """
    always, optional = project["dependencies"], project["optional-dependencies"]
    assert isinstance(always, list) and isinstance(optional, dict)
    return [*always, *(_floor(Requirement(line)) for line in optional[extra])]


def _floor(requirement: Requirement) -> str:
    bounds = [bound.version for bound in requirement.specifier if bound.operator in (">=", "==", "~=")]
    if len(bounds) != 1:
        raise SystemExit(f"{requirement}: name one lower bound")
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f"; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{extras}=={bounds[0]}{marker}"


def install(wanted: list[str], python: str, place: Path, *, oldest: bool = False) -> Path:
    """An environment with what is wanted, in the newest versions that go together or in the `oldest`, and the tests'
    own needs; where its Python is."""
    subprocess.run([python, "-m", "venv", "--clear", place], check=True)
    inside = place / "bin" / "python"
    names = {canonicalize_name(Requirement(line).name) for line in wanted}
    runners = [runner for runner in RUNNERS if runner not in names]
    command: list[str | Path] = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", inside]
    # Spark comes as source alone, though nothing of it is compiled.
    binary = ["--only-binary", ":all:", "--no-binary", "pyspark"]
    resolution = ["--resolution", "lowest-direct"] if oldest else []
    subprocess.run([*command, *binary, *resolution, *wanted], check=True)
    subprocess.run([*command, *binary, *runners], check=True)
    subprocess.run([*command, "--no-deps", "--editable", ROOT], check=True)
    return inside


def passes(inside: Path, arguments: Sequence[str] = TESTS, **environment: str) -> bool:
    """Run tests in an environment, as pytest is told. Did all pass?"""
    command: list[str | Path] = [inside, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    command += [f"--deselect={test}" for test in NEWER]
    source = {"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"} | environment
    return subprocess.run(command, cwd=ROOT, env=source, check=False).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="the interpreter [default: this one]")
    parser.add_argument(
        "--group", choices=(SMALL, *HEAVY), action="append", help="of extras; repeatable [default: all]"
    )
    known, arguments = parser.parse_known_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for group in known.group or (SMALL, *HEAVY):
        wanted = floors(project) if group == SMALL else heavy(project, group)
        print(f"{group}:", *wanted, sep="\n  ", flush=True)
        inside = install(wanted, known.python, PLACE / group, oldest=True)
        if not passes(inside, arguments or HEAVY.get(group, TESTS)):
            sys.exit(f"a floor of {group} is too low")


if __name__ == "__main__":
    main()
