"""`unspin review --web` as a process: where it listens, whom it tells, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from samples import WAR, edit, restoration

from unspin.review.ledger import Ledger

UNSPIN = [sys.executable, "-c", "from unspin.cli import main; main()"]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
TEXT = "The struggle began.\n"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a ledger that holds one text."""
    with Ledger(tmp_path / "unspin.db") as ledger:
        ledger.add("a.txt", restoration(TEXT, edit(TEXT, WAR, 0.9)))
    return tmp_path


def run(folder: Path, *options: str, code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"{code}\nfrom unspin.cli import main; main()", "review", "--web", *options]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, cwd=folder, timeout=60)


@contextmanager
def served(folder: Path, *options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address that it tells."""
    process = subprocess.Popen(
        [*UNSPIN, "review", "--web", "--reviewer", "anna", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT | environment,
        cwd=folder,
    )
    try:
        assert process.stderr
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+", line)
        assert found, line + process.stderr.read()
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


def test_it_answers_on_this_machine_and_ends_with_ctrl_c(folder: Path) -> None:
    with served(folder, "--no-open") as (process, address):
        page = httpx.get(address)
        assert page.status_code == 200
        assert "<del>struggle</del>" in page.text  # of one text, the address is that text's
        assert httpx.get(address.rpartition("/texts/")[0].rpartition("/")[0] + "/").status_code == 403
        token = re.search('name="csrf" content="([^"]+)"', page.text)
        assert token
        origin = "/".join(address.split("/")[:3])
        answered = httpx.post(
            "/".join(address.split("/")[:4]) + "/items/1",
            json={"answer": "accept", "expected": "proposed"},
            headers={"Origin": origin, "X-CSRF-Token": token[1]},
        )
        assert answered.status_code == 200
        process.send_signal(signal.SIGINT)
        output, told = process.communicate(timeout=30)
        assert (process.returncode, output) == (0, "")
        assert "Traceback" not in told
        assert "every answer is in unspin.db" in told
    with Ledger(folder / "unspin.db") as ledger:
        assert (ledger.item(1).state, ledger.history()[0].reviewer.name) == ("accepted", "anna")


def test_no_answer_is_lost_when_it_is_killed(folder: Path) -> None:
    with served(folder, "--no-open") as (process, address):
        token = re.search('name="csrf" content="([^"]+)"', httpx.get(address).text)
        assert token
        head = {"Origin": "/".join(address.split("/")[:3]), "X-CSRF-Token": token[1]}
        body = {"words": "fight", "expected": "proposed"}
        assert httpx.post("/".join(address.split("/")[:4]) + "/items/1", json=body, headers=head).status_code == 200
        process.kill()
        process.communicate()
    with Ledger(folder / "unspin.db") as ledger:
        assert ledger.item(1).after == "fight"


def test_only_this_machine_is_listened_to(folder: Path) -> None:
    own = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    with served(folder, "--no-open") as (_, address):
        port = int(address.split(":")[2].split("/")[0])
        for other in {"127.0.0.2", *own} - {"127.0.0.1"}:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((str(other), port), timeout=5).close()


def test_the_browser_is_sent_through_a_door_that_opens_once(folder: Path) -> None:
    browser, told = folder / "browser", folder / "told"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {told}.new && mv {told}.new {told}\n')
    browser.chmod(0o755)
    with served(folder, BROWSER=f"{browser} %s") as (_, address):
        for _ in range(200):
            if told.exists():
                break
            httpx.get(address)  # some time goes by
        door = told.read_text()
        assert address.split("/")[3] not in door  # others see the command that opens the browser
        first = httpx.get(door, follow_redirects=True)
        assert (first.status_code, str(first.url)) == (200, address)
        assert httpx.get(door, follow_redirects=True).status_code == 403


def test_a_port_that_is_taken_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run(folder, "--no-open", "--port", str(port))
    assert ran.returncode == 3
    assert f"port {port} cannot be had (Address already in use); give another --port" in ran.stderr


def test_without_the_extra_it_says_what_to_install(folder: Path) -> None:
    code = "import sys; sys.modules['uvicorn'] = None"
    ran = run(folder, "--no-open", code=code)
    assert ran.returncode == 3
    assert "--web needs uvicorn: pip install 'unspin[web]'" in ran.stderr


def test_second_opinions_are_the_terminals(folder: Path) -> None:
    ran = run(folder, "--second-opinion", "0.5")
    assert (ran.returncode, "leave out --web" in ran.stderr) == (2, True)
