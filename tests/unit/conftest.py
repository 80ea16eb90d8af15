"""What tests of the review share: databases (a file, and a PostgreSQL server that lives in a folder), and a text."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from samples import EXTRAORDINARY, FIGHT, MORE, WAR, candidate, edit, held_number, repeated, restoration, span

from unspin.model import Candidate, DecidedBy, Edit, Restoration
from unspin.review.ledger import Ledger

Restored = Callable[..., tuple[Restoration, list[Candidate]]]

_numbers = itertools.count()


def _programs() -> Path | None:
    """Where the server's programs are: Debian keeps them out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    beside = shutil.which("initdb")
    return found[-1].parent if found else Path(beside).parent if beside else None


def _as_ordinary_user(folder: Path) -> dict[str, Any]:
    """How to start what refuses to run as root; the folder is that user's then."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server, without a database's name; no port is open, it listens in a folder."""
    programs = _programs()
    if programs is None or find_spec("psycopg") is None:
        pytest.skip("PostgreSQL (Debian's package postgresql) or psycopg is not installed")
    folder = Path(tempfile.mkdtemp(prefix="unspin-postgres-"))
    how = _as_ordinary_user(folder)
    data = folder / "data"
    quiet = ["--auth=trust", "--username=unspin", "--no-sync", "--encoding=UTF8", "--locale=C"]
    subprocess.run([programs / "initdb", *quiet, data], check=True, capture_output=True, cwd=folder, **how)
    settings = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    with (folder / "log").open("wb") as log:
        command = [str(programs / "postgres"), "-D", str(data), *settings]
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **how)
    try:
        url = f"postgresql://unspin@/{{}}?host={folder}"
        _await(url.format("postgres"), server)
        yield url
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown
        server.wait(60)
        shutil.rmtree(folder)


def fresh_database(url: str) -> str:
    """The URL of a new database on the server."""
    import psycopg

    name = f"unspin{next(_numbers)}"
    with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload,unused-ignore]
    return url.format(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a ledger, in each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "unspin.db")
    return fresh_database(request.getfixturevalue("postgres"))


TEXT = (
    "The struggle was a unprecedented one. 4 officials appeared on it in 2022.\n\n"
    "Real property costs extra.\n\n"
    "The struggle was a unprecedented one. 4 officials appeared on it in 2022.\n"
)


def _restored(text: str = TEXT) -> tuple[Restoration, list[Candidate]]:
    """A restoration with a bit of everything."""
    article = text.index("a unprecedented")
    edits = (
        edit(text, WAR, 0.92),
        Edit(article, article + 1, "a", "an", None, 0.7, DecidedBy.AGREEMENT),
        edit(text, EXTRAORDINARY, 0.7),
        edit(text, MORE, 0.95),
    )
    held = held_number(text)
    made = restoration(text, *edits, held=(held,), repeats=(repeated(text, "The struggle"),))
    return made, [candidate(span(text, "struggle"), WAR, FIGHT), held.candidate]


@pytest.fixture(scope="session")
def restored() -> Restored:
    """A function that gives a text with a bit of everything, restored, with its candidates."""
    return _restored


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with Ledger(database) as opened:
        yield opened
