"""The distributions, built once, and an environment of its own with the wheel installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT_FROM = ("src", "lexicons", "pyproject.toml", ".gitignore", "README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md")
# Python says what it is about to do, and may be told not to: <https://peps.python.org/pep-0578/>.
NO_NETWORK = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise RuntimeError(f"the network is asked for: {event} {arguments}")

sys.addaudithook(refuse)
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the wheel in it, and nothing of the checkout."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, *command: str | Path, at: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment in a folder, as a user would type it."""
        known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        known["PATH"] = os.pathsep.join([str(self.folder / "bin"), known.get("PATH", os.defpath)])
        return subprocess.run(
            command, cwd=at, env=known | environment, capture_output=True, text=True, timeout=120, check=False
        )


def build(source: Path, target: Path) -> list[Path]:
    """The wheel and the source distribution of a source tree, in this order."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--sdist",
        "--wheel",
        "--outdir",
        target,
        source,
    ]
    subprocess.run(command, check=True, capture_output=True, env=environment | {"SOURCE_DATE_EPOCH": "1700000000"})
    return sorted(target.iterdir())


def copy(target: Path) -> Path:
    """What is built from, elsewhere and written anew."""
    for name in BUILT_FROM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, copy_function=shutil.copyfile)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)
    return target


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return build(copy(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def installed(distributions: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed; what it depends on is borrowed, and the network refused."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    environment = Installed(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        environment.python,
        "install",
        "--quiet",
        "--no-deps",
    ]
    subprocess.run([*command, "--no-index", distributions[0]], check=True, capture_output=True)
    (site / "no_network.py").write_text(NO_NETWORK, encoding="utf-8")
    (site / "borrowed.pth").write_text(f"import no_network\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return environment
