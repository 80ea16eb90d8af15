"""The forms for issues are such as the platform takes, and the pages for contributors are there and linked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from .blocks import ROOT

FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
KINDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


def _form(path: Path) -> dict[str, Any]:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(form, dict)
    return form


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_is_well_made(path: Path) -> None:
    form = _form(path)
    assert {"name", "description", "body"} <= form.keys() <= {"name", "description", "body", "labels", "title"}
    for part in form["body"]:
        assert part["type"] in KINDS
        wanted = "value" if part["type"] == "markdown" else "label"
        assert part["attributes"][wanted].strip()
    named = [part["id"] for part in form["body"] if "id" in part]
    assert len(named) == len(set(named)) == sum(part["type"] != "markdown" for part in form["body"])


def test_contributors_find_the_way() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for page in ("CODE_OF_CONDUCT.md", "SECURITY.md", "docs/release.md"):
        assert f"({page})" in text
        assert (ROOT / page).is_file()
