"""Which ledger a review is kept in, and what it calls the files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from unspin.commands import options
from unspin.review.ledger import DEFAULT
from unspin.review.store import is_url

ledger_option: options.Decorator[Any] = click.option(
    "--ledger",
    "ledger",
    default=DEFAULT,
    show_default=True,
    envvar="UNSPIN_LEDGER",
    metavar="FILE|URL",
    help="Where decisions are kept: a file, or a team's PostgreSQL (postgresql://user@host/name).",
)


def place_of(ledger: str) -> Path:
    """The folder that names of documents are relative to: that of the ledger's file, or the current one."""
    return Path.cwd() if is_url(ledger) else Path(os.path.realpath(ledger)).parent


def name_of(path: Path, ledger: str) -> str:
    """What a ledger calls a file: its path from the ledger's folder, so that both can move together."""
    return Path(os.path.relpath(os.path.realpath(path), place_of(ledger))).as_posix()
