"""The hooks as shipped: pre-commit makes an environment, installs unspin from its repository, and runs it from there.

What unspin depends on is borrowed, so that no index is asked; `tests/cli/test_hooks.py` has what the hooks do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import yaml

from .conftest import ROOT, copy

MANIFEST = ".pre-commit-hooks.yaml"
SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. "
    "Negotiations proceed, in keeping with a number of diplomats, however each side stays cautious.\n"
)
CASE = "label = 'a'\nwhy = 'w'\norigin = 'o'\ninput = 'The council met on Tuesday.'\n"


def environment(folder: Path) -> dict[str, str]:
    """Nobody's own settings; pip takes what it needs to build from this Python, and nothing from an index."""
    who = {f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    pip = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "false", "PIP_CONFIG_FILE": os.devnull}
    own = {"PRE_COMMIT_HOME": str(folder / "cache"), "PYTHONPATH": sysconfig.get_path("purelib")}
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return {"PATH": os.environ["PATH"], "HOME": str(folder)} | who | pip | own | git


def committed(folder: Path) -> None:
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "First"], ["tag", "v1"]):
        subprocess.run(["git", *command], cwd=folder, env=environment(folder.parent), check=True)


def test_pre_commit_installs_both_hooks_and_runs_them(tmp_path: Path) -> None:
    hooks, project = copy(tmp_path / "hooks"), tmp_path / "project"
    shutil.copyfile(ROOT / MANIFEST, hooks / MANIFEST)
    committed(hooks)
    wanted = [{"id": "unspin-check"}, {"id": "unspin-clean"}]
    project.mkdir()
    config = {"repos": [{"repo": str(hooks), "rev": "v1", "hooks": wanted}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (project / "scraped.txt").write_text(SPUN)
    (project / "a.case.toml").write_text(CASE)
    committed(project)
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose"],
        cwd=project,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Initializing environment" in done.stdout or "Installing environment" in done.stdout
    assert "- hook id: unspin-check" in done.stdout and "Passed" in done.stdout
    assert "- hook id: unspin-clean" in done.stdout and "files were modified by this hook" in done.stdout
    assert (project / "scraped.txt").read_text().startswith("The war has lasted more than a year")
    assert [*(tmp_path / "cache").glob("repo*/py_env-*/bin/unspin")]
