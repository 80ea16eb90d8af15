"""What is published: the same bytes whenever and wherever it is built, all that is needed, and nothing else."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

from .conftest import BUILT_FROM, ROOT, build, copy

WHEEL_MB, SOURCE_MB = 40, 40  # the models make up most of it; an index takes 100 MB at most
DATA = (
    "py.typed",
    "lexicons/en-autoblog.tsv",
    "lexicons/en-autoblog.curated.tsv",
    "lexicons/en-autoblog.examples.tsv",
    "models/en.ngrams",
    "models/en.onnx",
    "models/en.vectors",
    "schemas/edit.schema.json",
    "diff/page.html",
    "review/web/templates/text.html",
    "review/web/static/review.js",
)
KINDS = {".py", ".typed", ".tsv", ".json", ".md", ".ngrams", ".onnx", ".vectors", ".css", ".html", ".js", ".svg"}


def _digests(files: list[Path]) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _in_source(files: list[Path]) -> list[str]:
    with tarfile.open(files[1]) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def test_equal_sources_make_equal_bytes(distributions: list[Path], tmp_path: Path) -> None:
    """Built again, from a copy elsewhere, of another day and with other permissions."""
    source = copy(tmp_path / "another place")
    for path in source.rglob("*"):
        os.utime(path, (10**9, 10**9))
        path.chmod(0o700 if path.is_dir() else 0o600)
    (tmp_path / "dist").mkdir()
    assert _digests(build(source, tmp_path / "dist")) == _digests(distributions)


def test_the_wheel_holds_what_the_source_does(distributions: list[Path]) -> None:
    with ZipFile(distributions[0]) as wheel:
        names = {name.removeprefix("unspin/") for name in wheel.namelist() if name.startswith("unspin/")}
    sources = {str(path.relative_to(ROOT / "src/unspin")) for path in (ROOT / "src/unspin").rglob("*.py")}
    assert sources | set(DATA) <= names
    assert {Path(name).suffix for name in names} <= KINDS, "a kind of file that was never shipped: is it meant?"
    assert not [name for name in names if re.search(r"(^|/)(tests?/|test_|conftest|\.)|cache|~$|\.orig", name)]


def test_the_source_distribution_builds_and_holds_no_more(distributions: list[Path]) -> None:
    names = _in_source(distributions)
    assert {"LICENSE", "README.md", "SECURITY.md", "pyproject.toml", "PKG-INFO"} <= set(names)
    assert {name.split("/")[0] for name in names} <= {*BUILT_FROM, "PKG-INFO"}


def test_they_fit_their_budget(distributions: list[Path]) -> None:
    wheel, source = (file.stat().st_size / 1_000_000 for file in distributions)
    assert 20 < wheel < WHEEL_MB  # less, and a model would be missing
    assert 20 < source < SOURCE_MB


def test_the_metadata_is_what_an_index_takes(distributions: list[Path]) -> None:
    command: list[str | Path] = [sys.executable, "-m", "twine", "check", "--strict", *distributions]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    with ZipFile(distributions[0]) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
        metadata = message_from_string(wheel.read(name).decode())
        assert name.replace("METADATA", "licenses/LICENSE") in wheel.namelist()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
