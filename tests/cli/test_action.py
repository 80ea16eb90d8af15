"""The GitHub Action, step by step as a runner would take it, in a repository that uses it.

The steps' shell is run as it stands in `action.yml`; what other actions would do is only noted.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. "
    "Negotiations proceed, in keeping with a number of diplomats, however each side stays cautious.\n"
)
CASE = "label = 'a'\nwhy = 'w'\norigin = 'o'\ninput = 'The council met on {}.'\n"


@dataclass(slots=True)
class Job:
    """What a run of the action did: its exit code, its outputs, the actions it called, all that it printed."""

    code: int = 0
    outputs: dict[str, str] = field(default_factory=dict)
    called: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    printed: str = ""


def value(name: str, inputs: dict[str, str], job: Job) -> str:
    kind, *rest = name.split(".")
    match kind, rest:
        case "inputs", [key]:
            return inputs[key]
        case "steps", ["texts", "outputs", key]:
            return job.outputs.get(key, "")
        case "github", ["action_path"]:
            return str(ROOT)
    raise AssertionError(f"nobody knows {name}")


def holds(condition: str, inputs: dict[str, str], job: Job) -> bool:
    for part in condition.split(" && "):
        match = re.fullmatch(r"(\S+) (==|!=) '(\w*)'", part)
        assert match, part
        if (value(match[1], inputs, job) == match[3]) != (match[2] == "=="):
            return False
    return True


def filled(text: str, inputs: dict[str, str], job: Job) -> str:
    return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: value(found[1], inputs, job), text)


def run(folder: Path, *, path: str = "", **given: str) -> Job:
    """Take the steps with these inputs, `_` for `-`, until one fails."""
    inputs = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
    inputs |= {"install": "false"} | {name.replace("_", "-"): one for name, one in given.items()}
    job = Job()
    for step in ACTION["runs"]["steps"]:
        if not holds(step.get("if", "inputs.install != ''"), inputs, job):
            continue
        if "uses" in step:
            job.called.append((step["uses"], {key: filled(one, inputs, job) for key, one in step["with"].items()}))
            continue
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an input in a script could be a command"
        _take(
            step,
            folder,
            {key: filled(one, inputs, job) for key, one in step["env"].items()} if "env" in step else {},
            job,
            path,
        )
        if job.code:
            break
    return job


def _take(step: dict[str, Any], folder: Path, own: dict[str, str], job: Job, path: str) -> None:
    outputs = folder.parent / "outputs"
    outputs.touch()
    places = [path] * bool(path) + [str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = os.environ | own | {"GITHUB_OUTPUT": str(outputs), "PATH": os.pathsep.join(places)}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    job.code, job.printed = done.returncode, job.printed + done.stdout + done.stderr
    job.outputs = dict(line.split("=", 1) for line in outputs.read_text().splitlines())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "articles").mkdir(parents=True)
    (folder / "articles" / "scraped.txt").write_text(SPUN)
    (folder / "notes.md").write_text("# Notes\n\nThe council met on Tuesday.\n")
    (folder / "a.case.toml").write_text(CASE.format("Tuesday"))
    return folder


def test_findings_are_written_uploaded_and_fail_the_job(project: Path) -> None:
    job = run(project)
    assert job.code == 1
    assert job.outputs == {"found": "true"}
    assert job.called == [
        ("github/codeql-action/upload-sarif@v4", {"sarif_file": "unspin.sarif", "category": "unspin"})
    ]
    assert "::error title=unspin::" in job.printed
    log = json.loads((project / "unspin.sarif").read_text())
    schema = json.loads((ROOT / "tests" / "data" / "sarif-2.1.0-rtm.4.json").read_text())
    assert list(Draft7Validator(schema).iter_errors(log)) == []
    places = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in log["runs"][0]["results"]
    }
    assert places == {"articles/scraped.txt"}
    assert (project / "articles" / "scraped.txt").read_text() == SPUN


def test_findings_may_be_told_without_failing(project: Path) -> None:
    job = run(project, fail="false", upload="false", sarif="found.sarif", paths="articles\nnotes.md\n")
    assert (job.code, job.outputs, job.called) == (0, {"found": "true"}, [])
    assert (project / "found.sarif").exists()


def test_names_may_hold_blanks_and_empty_lines_say_nothing(project: Path) -> None:
    (project / "articles" / "scraped.txt").rename(project / "articles" / "a b.txt")
    job = run(project, paths="\n  \narticles/a b.txt\n\nnotes.md\n", fail="false")
    assert (job.code, job.outputs) == (0, {"found": "true"})


def test_clean_texts_pass(project: Path) -> None:
    job = run(project, paths="notes.md")
    assert (job.code, job.outputs) == (0, {"found": "false"})
    assert json.loads((project / "unspin.sarif").read_text())["runs"][0]["results"] == []


def test_min_confidence_reaches_unspin(project: Path) -> None:
    assert run(project, min_confidence="1").outputs == {"found": "false"}


def test_what_cannot_be_read_fails_the_job_whatever_is_asked_for(project: Path) -> None:
    job = run(project, paths="nowhere.txt", fail="false")
    assert job.code == 3
    assert job.called == []


def test_cases_are_run_and_fail_the_job_if_one_regressed(project: Path) -> None:
    job = run(project, paths="", cases="a.case.toml\n")
    assert (job.code, job.called, job.outputs) == (0, [], {})
    (project / "b.case.toml").write_text(CASE.format("[[Tuesday|Wednesday]]"))
    job = run(project, paths="", cases=".", fail="false")
    assert job.code == 1
    assert "regressed" in job.printed
    assert 'tests="2" failures="1"' in (project / "unspin-cases.xml").read_text()


@pytest.mark.parametrize("names", [("paths",), ("sarif", "min_confidence"), ("cases", "junit")])
def test_an_input_is_never_a_command(names: tuple[str, ...], project: Path) -> None:
    harmless = {"paths": "" if "cases" in names else "notes.md"}
    run(project, **harmless | dict.fromkeys(names, "$(touch pwned); touch pwned `touch pwned`"))
    assert not list(project.rglob("pwned"))


def test_the_action_installs_itself(project: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/typed\n')
    python.chmod(0o755)
    assert run(project, path=str(python.parent), install="true", paths="notes.md").code == 0
    typed = (tmp_path / "typed").read_text().splitlines()
    assert typed[:3] == ["-m", "pip", "install"]
    assert typed[-1] == str(ROOT)


def test_the_action_obeys_the_schema_of_actions() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions"]
    done = subprocess.run([*command, str(ROOT / "action.yml")], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
