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

from unspin.model import (
    Candidate,
    DecidedBy,
    DuplicateGroup,
    DuplicateKind,
    Edit,
    Entry,
    Held,
    HeldReason,
    Option,
    Repeat,
    Restoration,
    Signature,
    SpinEvidence,
)
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
WAR = Entry("struggle", "war", 0.26, 347, source="learned")
FIGHT = Entry("struggle", "fight", 0.1, 12, source="learned")
FOUR = Entry("4", "four", 0.87, 970, source="learned")
MORE = Entry("extra", "more", 0.98, 8922, source="learned")
EXTRAORDINARY = Entry("unprecedented", "extraordinary", 0.4, 31, source="learned")
SIGNATURE = Signature("1", "a", "b", (("ranker", "c"),))


def _at(words: str, text: str = TEXT) -> tuple[int, int, str]:
    start = text.index(words)
    return start, start + len(words), words


def _restored(text: str = TEXT) -> tuple[Restoration, list[Candidate]]:
    """A restoration with a bit of everything."""
    struggle = Option("war", WAR, 0.97), Option("fight", FIGHT, 0.02), Option("struggle", None, 0.01)
    four = Option("four", FOUR, 0.6), Option("4", None, 0.4)
    edits = (
        Edit(*_at("struggle", text), "war", WAR, 0.92, DecidedBy.DECODER),
        Edit(
            *_at("a unprecedented", text)[:1],
            _at("a unprecedented", text)[0] + 1,
            "a",
            "an",
            None,
            0.7,
            DecidedBy.AGREEMENT,
        ),
        Edit(*_at("unprecedented", text), "extraordinary", EXTRAORDINARY, 0.7, DecidedBy.DECODER),
        Edit(*_at("extra", text), "more", MORE, 0.95, DecidedBy.DECODER),
    )
    held = (Held(Candidate(*_at("4", text), four), HeldReason.NUMBER),)
    first, last = text.partition("\n")[0], text.rindex("The struggle")
    again = text[last:].partition("\n")[0]
    group = DuplicateGroup(0, len(first), (Repeat(last, last + len(again), DuplicateKind.EXACT, 1.0),))
    spin = SpinEvidence(0.9, 1.1, 30, True)
    return (
        Restoration(text, spin, (group,), edits, held, SIGNATURE),
        [Candidate(*_at("struggle", text), struggle), Candidate(*_at("4", text), four)],
    )


@pytest.fixture(scope="session")
def restored() -> Restored:
    """A function that gives a text with a bit of everything, restored, with its candidates."""
    return _restored


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with Ledger(database) as opened:
        yield opened
