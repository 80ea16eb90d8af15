"""Commands over files of any format: records are named, read in order, and put back where they stood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from unspin.cli import unspin
from unspin.commands import clean
from unspin.model import Restoration
from unspin.pipeline import restore

SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. Negotiations proceed, "
    "in keeping with a number of diplomats, however each side stays cautious about it all."
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(unspin, [str(one) for one in arguments])


# clean


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", SPUN),
        ("a.jsonl", json.dumps({"text": SPUN}) + "\n"),
        ("a.csv", f'text\n"{SPUN}"\n'),
    ],
)
def test_clean_does_not_write_over_what_changed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: str
) -> None:
    path = tmp_path / name
    path.write_text(data)

    def slow(text: str, **options: Any) -> Restoration:
        path.write_text(data + data)
        return restore(text, **options)

    monkeypatch.setattr(clean, "restore", slow)
    result = run("clean", "--ranker", "none", "--write", path)
    assert result.exit_code == 3 and "changed while it was worked on; not written" in result.stderr
    assert [one.name for one in tmp_path.iterdir()] == [name] and path.read_text() == data + data
