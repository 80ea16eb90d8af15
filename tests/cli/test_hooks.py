"""The hooks for pre-commit, in a repository that uses them.

The hooks come from a copy of the manifest in which they run what is installed here: as shipped, pre-commit would build
an environment for each of them first, from an index of packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. "
    "Negotiations proceed, in keeping with a number of diplomats, however each side stays cautious.\n"
)
CLEAN = "# Notes\n\nThe council met on Tuesday. It was raining.\n"
CASE = "label = 'a'\nwhy = 'w'\norigin = 'o'\ninput = 'The council met on {}.'\n"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Without anybody's own settings; `unspin` is the one beside this Python."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT", "PYTEST"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    who = {f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    own = {"PATH": path, "PRE_COMMIT_HOME": str(tmp_path / "cache"), "GIT_CONFIG_GLOBAL": os.devnull}
    return kept | who | own | {"GIT_CONFIG_NOSYSTEM": "1"}


def run(folder: Path, environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def repository(folder: Path, environment: dict[str, str], **files: str) -> None:
    """A repository that holds these files, by their names with `_` for the dot."""
    folder.mkdir()
    for name, text in files.items():
        folder.joinpath(name).write_text(text)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "First"], ["tag", "v1"]):
        assert run(folder, environment, "git", *command).returncode == 0


@pytest.fixture
def project(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A repository with a spun text, a clean one, a case and both hooks."""
    hooks: list[dict[str, Any]] = yaml.safe_load(MANIFEST.read_text())
    manifest = yaml.safe_dump([hook | {"language": "system"} for hook in hooks])
    repository(tmp_path / "hooks", environment, **{".pre-commit-hooks.yaml": manifest})
    wanted = [{"id": hook["id"]} for hook in hooks]
    config = {"repos": [{"repo": str(tmp_path / "hooks"), "rev": "v1", "hooks": wanted}]}
    texts = {"scraped.txt": SPUN, "notes.md": CLEAN, "program.py": SPUN, "a.case.toml": CASE.format("Tuesday")}
    repository(tmp_path / "project", environment, **texts, **{".pre-commit-config.yaml": yaml.safe_dump(config)})
    return tmp_path / "project"


def commit(project: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(project, environment, sys.executable, "-m", "pre_commit", "run", "--all-files", *arguments)


def test_a_spun_text_is_restored_once_and_then_passes(project: Path, environment: dict[str, str]) -> None:
    first = commit(project, environment)
    assert first.returncode == 1
    assert "unspin check" in first.stdout
    assert "files were modified by this hook" in first.stdout
    assert "swaps restored" in first.stdout
    assert (project / "scraped.txt").read_text().startswith("The war has lasted more than a year")
    assert (project / "notes.md").read_text() == CLEAN
    assert (project / "program.py").read_text() == SPUN
    second = commit(project, environment)
    assert second.returncode == 0, second.stdout
    assert second.stdout.count("Passed") == 2


def test_told_to_check_the_hook_changes_nothing(project: Path, environment: dict[str, str]) -> None:
    config = project / ".pre-commit-config.yaml"
    found = yaml.safe_load(config.read_text())
    found["repos"][0]["hooks"] = [{"id": "unspin-clean", "args": ["--check"]}]
    config.write_text(yaml.safe_dump(found))
    done = commit(project, environment)
    assert done.returncode == 1
    assert "scraped.txt: would change: " in done.stdout
    assert "files were modified" not in done.stdout
    assert (project / "scraped.txt").read_text() == SPUN


def test_a_case_that_regressed_fails(project: Path, environment: dict[str, str]) -> None:
    (project / "a.case.toml").write_text(CASE.format("[[Tuesday|Wednesday]]"))
    done = commit(project, environment, "unspin-check")
    assert done.returncode == 1
    assert '"Tuesday" still stands for "Wednesday"' in done.stdout


def test_the_manifest_as_shipped_is_valid_and_builds_its_environment() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(MANIFEST)]
    assert subprocess.run(command, check=False, timeout=60).returncode == 0
    hooks = yaml.safe_load(MANIFEST.read_text())
    assert [hook["id"] for hook in hooks] == ["unspin-check", "unspin-clean"]
    assert {hook["language"] for hook in hooks} == {"python"}
