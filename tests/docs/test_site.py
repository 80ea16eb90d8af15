"""The documentation site: built without a warning, from all pages, and complete without the network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .blocks import ROOT

OUTSIDE = {"benchmarks", "contributing", "conduct", "changelog", "security"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_every_page_is_on_it(site: Path) -> None:
    names = {page.stem for page in (ROOT / "docs").glob("*.md")} | {
        "benchmarks",
        "contributing",
        "changelog",
        "security",
    }
    home = (site / "index.html").read_text(encoding="utf-8")
    for name in names - {"index"}:
        assert (site / name / "index.html").is_file()
        assert f'href="{name}/"' in home, f"{name} is not in the navigation"


def test_what_stands_elsewhere_is_taken_in(site: Path) -> None:
    text = (site / "how-it-works" / "index.html").read_text(encoding="utf-8")
    assert "forward-backward" in text  # from the README
    assert 'href="../rankers/"' in text  # its links fit
    assert "README.md#" not in text
    assert "noisy" not in (site / "limits" / "index.html").read_text(encoding="utf-8")  # one section, no more


def test_the_library_is_described(site: Path) -> None:
    text = (site / "api" / "index.html").read_text(encoding="utf-8")
    assert 'id="unspin.restore"' in text
    assert "Raises" in text


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(
            r'<(?:script|img|iframe|source)[^>]+src="([^"]+)"|<link(?=[^>]+rel="(?:stylesheet|icon|preload)")[^>]+href="([^"]+)"',
            text,
        )
        assert not [one for found in loaded for one in found if re.match(r"(https?:)?//", one)], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_the_page_of_commands_says_what_they_do() -> None:
    command = [sys.executable, str(ROOT / "release" / "commands.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
