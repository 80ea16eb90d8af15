"""`unspin doctor`: what it tells, and what it makes of an installation that is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

import unspin.doctor as doctor
from unspin.cli import unspin
from unspin.doctor import Checkup, examine
from unspin.schemas import schema


@pytest.fixture(scope="module")
def checkup() -> Checkup:
    return examine()


def test_a_sound_installation_passes(checkup: Checkup) -> None:
    assert checkup.self_test == ""
    assert not [part.problem for part in (*checkup.lexicons, *checkup.models) if part.problem]
    assert {"en-autoblog", "en-autoblog.curated"} <= {lexicon.name for lexicon in checkup.lexicons}
    assert {"en.ngrams", "en.onnx", "en.vectors", "language model", "ranker"} == {
        model.name for model in checkup.models
    }


def test_the_signature_holds_the_digests_that_are_listed(checkup: Checkup) -> None:
    listed = {model.name: model.digest for model in checkup.models}
    assert f"model:{listed['language model']}|ranker:{listed['ranker']}|" in checkup.signature


def test_dependencies_and_extras_are_told_apart(checkup: Checkup) -> None:
    own = {package.name for package in checkup.packages if not package.extra}
    assert {"numpy", "click", "onnxruntime"} <= own
    assert {"web", "endpoint"} <= checkup.extras.keys() and "dev" not in checkup.extras


def test_text_and_json_tell_the_same() -> None:
    told, found = (CliRunner().invoke(unspin, ["doctor", *options]) for options in ([], ["--json"]))
    assert told.exit_code == found.exit_code == 0
    row = json.loads(found.stdout)
    Draft202012Validator(json.loads(schema("checkup"))).validate(row)
    assert row["is_well"] and row["signature"] in told.stdout and "self-test: passed" in told.stdout
    assert json.loads(CliRunner().invoke(unspin, ["doctor", "--schema"]).stdout) == json.loads(schema("checkup"))


def test_a_failed_self_test_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "RESTORED", "Something else.")
    result = CliRunner().invoke(unspin, ["doctor"])
    assert result.exit_code == 3 and "self-test: FAILED: restored as" in result.stdout


@pytest.mark.parametrize("broken", ["numpy", "onnxruntime", "pocketsphinx"])
def test_what_cannot_be_imported_is_told_not_raised(broken: str, tmp_path: Path) -> None:
    (tmp_path / f"{broken}.py").write_text("raise ImportError('libsomething.so: no such file')\n")
    source = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from unspin.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", source, "doctor", "--json"], capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 3, done.stderr
    row = json.loads(done.stdout)
    assert "libsomething.so" in row["self_test"] or "needs onnxruntime" in row["self_test"]
    assert [p["problem"] for p in row["packages"] if p["name"] == broken] == [
        "ImportError: libsomething.so: no such file"
    ]
