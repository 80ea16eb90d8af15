"""The same tests, with the newest versions of what we depend on, on every Python that `unspin` is for.

    python release/pythons.py [VERSION…]

Versions are those that `pyproject.toml` names, unless some are given. Each is looked for on the path, among pyenv's and
among uv's. The tests of `floors.py` run in an environment of its own, in build/pythons; at the end all of them
restore the seed, which must come out in the same bytes. A version that is not at hand is told, and a failure.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from floors import ROOT, install, named, passes

PLACE = ROOT / "build" / "pythons"
COMPARED = "tests/cli/test_same_everywhere.py"
_CLASSIFIER = re.compile(r"Programming Language :: Python :: (3\.\d+)")
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def versions(project: dict[str, object]) -> list[str]:
    """The versions of Python that a project says it is for.

    >>> versions({"classifiers": ["Typing :: Typed", "Programming Language :: Python :: 3.11"]})
    ['3.11']
    """
    classifiers = project["classifiers"]
    assert isinstance(classifiers, list)
    return [match[1] for match in map(_CLASSIFIER.fullmatch, classifiers) if match]


def interpreter(version: str) -> str | None:
    """A Python of this version, if there is one."""
    return next((python for python in _possible(version) if _said([python, "-c", _VERSION]) == version), None)


def _possible(version: str) -> Iterator[str]:
    """Where it may be, the likeliest first; what pyenv puts on the path need not run."""
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True))
    yield _said([sys.executable, "-m", "uv", "python", "find", "--managed-python", "--no-python-downloads", version])


def _said(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # there is no such file
        return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="*", metavar="VERSION", help="such as 3.12 [default: all]")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = parser.parse_args().versions or versions(project)
    found = {version: interpreter(version) for version in wanted}
    if missing := [version for version, python in found.items() if python is None]:
        sys.exit(f"no Python {', '.join(missing)} on the path, among pyenv's or uv's; name the versions that you have")
    made: list[str] = []
    for version, python in found.items():
        assert python is not None
        print(f"Python {version}: {python}", flush=True)
        inside = install([str(requirement) for requirement in named(project)], python, PLACE / version)
        made.append(str(inside))
        if not passes(inside):
            sys.exit(f"tests failed on Python {version}")
    first, *others = made
    if others and not passes(
        Path(first), [COMPARED, "-k", "versions_of_python"], UNSPIN_PYTHONS=os.pathsep.join(others)
    ):
        sys.exit("the seed does not come out in the same bytes")


if __name__ == "__main__":
    main()
