"""What is no ledger, or cannot be used, is refused by name, and stays as it was."""

from __future__ import annotations

import os
import pwd
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from unspin.errors import LedgerError
from unspin.model import Candidate, Restoration
from unspin.review import store
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, Answer, Filter, Proposal, Reviewer, State

Restored = Callable[..., tuple[Restoration, list[Candidate]]]


def other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE other (id)")


def of_version(version: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        Ledger(path).close()
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE workspace SET value = ? WHERE key = 'version'", [version])

    return make


def damaged(path: Path) -> None:
    Ledger(path).close()
    data = path.read_bytes()
    path.write_bytes(data[:2048] + b"\xa5" * (len(data) - 2048))


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda path: path.write_text("spun\toriginal\n"), "no review's ledger", id="text"),
        pytest.param(
            lambda path: path.write_bytes(b"SQLite format 3\0" + b"x" * 4000), "no review's ledger", id="half"
        ),
        pytest.param(other_database, "holds no review", id="another database"),
        pytest.param(of_version("99"), "newer unspin .ledger version 99", id="newer"),
        pytest.param(of_version("first"), "holds no review", id="version of what"),
        pytest.param(damaged, "damaged|no review's ledger", id="damaged"),
        pytest.param(lambda path: path.mkdir(), "cannot be read", id="folder"),
    ],
)
def test_what_is_no_ledger_is_refused_and_stays_as_it_was(
    tmp_path: Path, make: Callable[[Path], object], problem: str
) -> None:
    path = tmp_path / "unspin.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(LedgerError, match=problem) as refused:
        Ledger(path).status()
    assert str(path) in str(refused.value)
    assert before is None or path.read_bytes() == before


def test_a_ledger_that_is_not_there_is_not_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no such ledger"):
        Ledger(tmp_path / "unspin.db", create=False)
    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger(tmp_path / "nowhere" / "unspin.db")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_is_no_ledger_until_it_is_made_one(database: str) -> None:
    if "://" not in database:
        Path(database).touch()
    with pytest.raises(LedgerError, match="holds no review yet"):
        Ledger(database, create=False)
    Ledger(database).close()
    Ledger(database, create=False).close()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://localhost/unspin", "kept in PostgreSQL"),
        ("://", "no database URL"),
        ("postgresql://nobody@127.0.0.1:1/unspin", "refuses|refused"),
    ],
)
def test_what_is_no_server_is_refused(url: str, problem: str) -> None:
    with pytest.raises(LedgerError, match=problem):
        Ledger(url)


def test_a_password_is_not_told() -> None:
    with pytest.raises(LedgerError) as refused:
        Ledger("postgresql://anna:secret@127.0.0.1:1/unspin")
    assert "secret" not in str(refused.value)


def test_an_old_ledger_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restored: Restored
) -> None:
    path = tmp_path / "unspin.db"
    with Ledger(path) as ledger:
        ledger.add("a.txt", *restored())

    def migrate(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE reviewers ADD COLUMN mail TEXT"))

    monkeypatch.setattr(store, "VERSION", 2)
    monkeypatch.setattr(store, "MIGRATIONS", (migrate,))
    for _ in range(2):  # the second time there is nothing to do
        with Ledger(path) as ledger:
            assert ledger.count() == 5
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute("SELECT value FROM workspace WHERE key = 'version'").fetchone() == ("2",)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "unspin.db"
    Ledger(path).close()

    def migrate(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE reviewers ADD COLUMN mail TEXT"))
        connection.execute(text("ALTER TABLE nothing ADD COLUMN mail TEXT"))

    monkeypatch.setattr(store, "VERSION", 2)
    monkeypatch.setattr(store, "MIGRATIONS", (migrate,))
    with pytest.raises(LedgerError):
        Ledger(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute("SELECT value FROM workspace").fetchall() == [("1",)]
        assert "mail" not in str(connection.execute("SELECT sql FROM sqlite_master").fetchall())


def test_a_locked_ledger_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restored: Restored) -> None:
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    path = tmp_path / "unspin.db"
    with Ledger(path) as ledger:
        ledger.add("a.txt", *restored())
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert ledger.status().counts.total == 5  # reading goes on
        with pytest.raises(LedgerError, match="locked by another program"):
            ledger.decide(1, ACCEPT, by=Reviewer("anna"))
        other.execute("ROLLBACK")
        other.close()
        ledger.decide(1, ACCEPT, by=Reviewer("anna"))


# As another user, since root may write anything; a ledger is opened before, since another may not read all modules.
READING = """
import os, sys
sys.path[:] = eval(sys.argv[3])
from unspin.errors import LedgerError
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, Reviewer
Ledger(sys.argv[1]).close()
if os.geteuid() == 0:
    os.setuid(int(sys.argv[2]))
try:
    ledger = Ledger(sys.argv[1], create=False)
    print(ledger.status().counts.total)
    ledger.decide(1, ACCEPT, by=Reviewer("anna"))
except LedgerError as error:
    print(error)
"""


@pytest.mark.parametrize(("mode", "total"), [(0o777, ["5"]), (0o555, [])], ids=["file", "folder"])
def test_a_ledger_that_is_read_only_says_so(restored: Restored, mode: int, total: list[str]) -> None:
    """The file can still be read; in a folder where nothing may be written, SQLite cannot even do that."""
    reader = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger" / "unspin.db"
        path.parent.mkdir()
        path.parent.parent.chmod(0o755)
        with Ledger(path) as ledger:
            ledger.add("a.txt", *restored())
        path.chmod(0o444)
        path.parent.chmod(mode)
        command = [sys.executable, "-c", READING, str(path), str(reader), repr(sys.path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        path.parent.chmod(0o755)
        assert ran.returncode == 0, ran.stderr
        *told, refusal = ran.stdout.splitlines()
        assert told == total
        assert refusal.startswith(f"{path}: is read-only")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Reviewer(" "),
        lambda: Answer(State.PROPOSED),
        lambda: Answer(State.REPLACED),
        lambda: Answer(State.ACCEPTED, "war"),
        lambda: Proposal(3, 3, "", (), 0.0, None),  # type: ignore[arg-type]
    ],
)
def test_values_that_make_no_sense(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        make()


def test_answers_that_make_no_sense(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    repeat = next(item for item in ledger.items() if item.duplicate)
    with pytest.raises(ValueError, match="goes or stays"):
        ledger.decide(repeat.id, Answer(State.REPLACED, "words"), by=Reviewer("anna"))
    with pytest.raises(ValueError, match="by itself"):
        ledger.decide_all(Filter(), Answer(State.REPLACED, "words"), by=Reviewer("anna"))
    assert ledger.history() == []
    with pytest.raises(KeyError):
        ledger.text(9)
    with pytest.raises(KeyError):
        ledger.document(9)
    with pytest.raises(KeyError):
        ledger.items(after=99)
