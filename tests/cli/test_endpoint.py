"""`--ranker URL`, against a real server process that speaks the protocol, and that misbehaves in every way."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from unspin import cleaned, restore
from unspin.ask import Question, decide_held
from unspin.cli import main
from unspin.endpoint import RETRIES, Endpoint, EndpointError, cache_path
from unspin.errors import UnspinError
from unspin.model import DecidedBy

SERVER = Path(__file__).with_name("chat_server.py")
KEY, MODEL = "sesame-0123", "tiny-1"
SPUN = (
    "The struggle has gone on for greater than a yr, and no one is aware of find out how to finish it. "
    "Despite the fact that they are saying they need peace, they have by no means been keen to speak.\n"
)
CLEAN = "Anna and Peter met Maria in Berlin on 3 May 1998.\n"
ASKED = [
    Question("The [[struggle]] ended.", ("war", "struggle")),
    Question("They [[finish]] it.", ("end", "finish", "complete")),
    Question("It is [[keen]].", ("keen", "eager")),
]


@dataclass
class Server:
    """The process, and what it heard."""

    port: int
    log: Path
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, mode: str) -> str:
        """A URL of this mode that no other test has."""
        return f"http://127.0.0.1:{self.port}/{mode}/{next(self.numbers)}/v1"

    def heard(self, url: str, path: str = "/chat/completions") -> list[dict[str, Any]]:
        """The requests to a URL."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        wanted = url.partition(str(self.port))[2] + path
        return [one for one in map(json.loads, lines) if one["path"] == wanted]

    def sentences(self, url: str) -> list[str]:
        """What sentences it was sent, in order."""
        bodies = [json.loads(one["body"]) for one in self.heard(url)]
        items = [json.loads(body["messages"][1]["content"]) for body in bodies]
        return [item["sentence"] for batch in items for item in batch.values()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("server") / "log"
    with subprocess.Popen([sys.executable, SERVER, log], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), log)
        process.terminate()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache of one's own, no keys, no proxies."""
    for name in list(os.environ):
        if name in ("UNSPIN_API_KEY", "OPENAI_API_KEY") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


class Done(NamedTuple):
    code: object
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Run:
    """Runs `unspin clean` in a folder of its own, holding every swap, and asking at once, unless told otherwise."""

    def run(*args: str, stdin: str = SPUN, command: str = "clean") -> Done:
        monkeypatch.chdir(tmp_path)
        is_asking = any(arg.startswith("http") for arg in args) and "--batch" not in args
        told = ["--min-confidence", "1", *(["--batch", "99"] if is_asking else [])]
        monkeypatch.setattr(sys, "argv", ["unspin", command, *(told if command == "clean" else []), *args])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as ended:
            main()
        stdout, stderr = (part.decode() for part in capsysbinary.readouterr())
        assert "Traceback" not in stderr
        return Done(ended.value.code, stdout, stderr)

    return run


def plain(clean: Run, text: str = SPUN) -> str:
    """What comes out when nobody is asked."""
    return clean(stdin=text).stdout


# The command


def test_what_is_held_is_decided(server: Server, clean: Run) -> None:
    url = server.url("first")
    before, done = clean(), clean("--ranker", url)
    held = int(re.findall(r"(\d+) held", before.stderr)[0])
    assert before.stdout == SPUN and held > 3
    assert done.code == 0
    assert "war has" in done.stdout and "how to end it" in done.stdout
    assert f"stdin: the endpoint restored {held} and left 0 alone of {held} held\n" in done.stderr
    assert f"stdin: {held} swaps restored, 0 held" in done.stderr
    assert "are sent to" not in done.stderr  # it stays on this machine
    assert len(server.sentences(url)) == held


def test_what_it_leaves_alone_is_held_no_more(server: Server, clean: Run) -> None:
    done = clean("--ranker", server.url("keep"))
    assert (done.code, done.stdout) == (0, SPUN)
    assert "restored 0 and left" in done.stderr and ", 0 held" in done.stderr


def test_a_clean_text_is_not_sent(server: Server, clean: Run) -> None:
    url = server.url("first")
    done = clean("--ranker", url, stdin=CLEAN)
    assert (done.stdout, done.stderr) == (CLEAN, "stdin: no spin evidence, unchanged\n")
    assert server.heard(url) == []
    assert len(server.heard(url, "/models")) == 1


def test_edits_say_that_it_decided(server: Server, clean: Run) -> None:
    lines = clean("--ranker", server.url("first"), "--diff", "json").stdout.splitlines()
    edits = [json.loads(line) for line in lines]
    assert {edit["decided_by"] for edit in edits} == {"endpoint"}
    assert all(edit["entry"] and 0 < edit["confidence"] < 1 for edit in edits)


def test_pages_and_patches_know_it(server: Server, clean: Run) -> None:
    page = clean("--ranker", server.url("first"), "--diff", "html").stdout
    assert "decided by endpoint" in page and f"+127.0.0.1:{server.port}/{MODEL}" in page
    assert "+The war has" in clean("--ranker", server.url("first"), "--diff", "unified").stdout


@pytest.mark.parametrize("arguments", [["-o", "out"], ["--write"], ["--check"], []])
def test_several_texts(server: Server, clean: Run, tmp_path: Path, arguments: list[str]) -> None:
    for name, text in (("a.txt", SPUN), ("b.txt", CLEAN), ("c.txt", "It was an struggle. " + SPUN)):
        (tmp_path / name).write_text(text)
    done = clean("--ranker", server.url("first"), *arguments, "a.txt", "b.txt", "c.txt")
    assert done.code == (1 if "--check" in arguments else 0)
    assert done.stderr.count("the endpoint restored") == 2
    found = done.stdout
    if "--write" in arguments or "-o" in arguments:
        folder = tmp_path / "out" if "-o" in arguments else tmp_path
        found = "".join((folder / name).read_text() for name in ("a.txt", "b.txt", "c.txt"))
        assert done.stdout == ""
    if "--check" not in arguments:
        assert "The war has" in found and "It was a war." in found and CLEAN in found


def test_the_models_name(server: Server, clean: Run) -> None:
    named, first = server.url("first"), server.url("first")
    clean("--ranker", named, "--ranker-model", "big-2")
    clean("--ranker", first)
    assert [json.loads(one["body"])["model"] for one in server.heard(named)] == ["big-2"]
    assert server.heard(named, "/models") == []
    assert [json.loads(one["body"])["model"] for one in server.heard(first)] == [MODEL]


def test_a_bare_address_will_do(server: Server, clean: Run) -> None:
    address = f"http://127.0.0.1:{server.port}"
    assert "The war" in clean("--ranker", address).stdout
    assert "The war" in clean("--ranker", f"{address}/v1/chat/completions", "--no-cache").stdout


# What leaves the machine


def test_only_sentences_with_candidates_are_sent(server: Server, clean: Run) -> None:
    url = server.url("first")
    clean("--ranker", url, stdin=SPUN + "\n" + CLEAN)
    sent = server.sentences(url)
    assert sent and all(one.count("[[") == 1 for one in sent)
    assert {re.sub(r"\[\[|\]\]", "", one) for one in sent} <= {one.strip() for one in re.split(r"(?<=\.)\s", SPUN)}


def test_another_machine_is_told_of(server: Server, clean: Run) -> None:
    url = server.url("first").replace("127.0.0.1", "0.0.0.0")  # no loopback address, and yet this machine
    done = clean("-q", "--ranker", url)
    assert done.code == 0 and "The war" in done.stdout
    assert done.stderr == f"sentences that hold undecided candidates, with their options, are sent to {url}\n"


def test_a_proxy_does_not_see_what_stays_here(
    server: Server, clean: Run, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")
    assert clean("--ranker", server.url("first")).code == 0


def test_sentences_do_not_follow_a_redirection(server: Server, clean: Run) -> None:
    url = server.url("moved")
    done = clean("--ranker", url, "--ranker-model", MODEL)
    assert (done.code, done.stdout) == (3, "")
    assert f"unspin: error: {url}: answered 307\n" in done.stderr
    assert server.heard(url.replace("moved", "first")) == []


# Keys


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(
    server: Server, clean: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.url("locked")
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    refused = clean("--ranker", url)
    monkeypatch.setenv("UNSPIN_API_KEY", KEY)
    done = clean("--ranker", url, "--diff", "html")
    assert refused.code == 3 and refused.stderr == f"unspin: error: {url}: refuses the key in OPENAI_API_KEY\n"
    assert {one["key"] for one in server.heard(url)} == {f"Bearer {KEY}"}
    assert done.code == 0
    assert KEY not in done.stdout + done.stderr
    assert KEY.encode() not in cache_path().read_bytes()


def test_a_server_that_repeats_the_key_does_not_give_it_away(
    server: Server, clean: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNSPIN_API_KEY", KEY)
    done = clean("--ranker", server.url("once"), "--batch", "1")
    assert "answered 400: the context is full; your key is Bearer …" in done.stderr
    assert KEY not in done.stderr


def test_a_missing_key_is_asked_for(server: Server, clean: Run) -> None:
    url = server.url("locked")
    assert clean("--ranker", url).stderr == f"unspin: error: {url}: wants a key; put it in UNSPIN_API_KEY\n"


# Hostile and useless answers


@pytest.mark.parametrize("mode", "nonsense silent wrong rewrite chatty cut list twice deep".split())
def test_what_is_no_number_of_an_option_is_no_answer(server: Server, clean: Run, mode: str) -> None:
    done = clean("--ranker", server.url(mode))
    assert (done.code, done.stdout) == (0, plain(clean))
    assert "the endpoint restored 0 and left 0 alone" in done.stderr
    assert re.search(r"^held for want of a usable answer: \d+ candidates$", done.stderr, re.MULTILINE)


def test_part_of_an_answer_is_used(server: Server, clean: Run) -> None:
    done = clean("--ranker", server.url("half"))
    found = re.search(r"restored (\d+) and left 0 alone of (\d+) held", done.stderr)
    assert found is not None
    assert 0 < int(found[1]) < int(found[2])
    assert f"{int(found[2]) - int(found[1])} held" in done.stderr


# Failures


@pytest.fixture(scope="module")
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("model", [[], ["--ranker-model", MODEL]])
def test_an_unreachable_endpoint_is_named_and_nothing_is_written(
    clean: Run, tmp_path: Path, closed_port: int, model: list[str]
) -> None:
    (tmp_path / "a.txt").write_text(SPUN)
    done = clean("--write", "--ranker", f"http://127.0.0.1:{closed_port}", *model, "a.txt")
    assert (done.code, done.stdout) == (3, "")
    assert f"unspin: error: http://127.0.0.1:{closed_port}/v1: cannot be reached (" in done.stderr
    assert (tmp_path / "a.txt").read_text() == SPUN
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("down", "answered 503: overloaded"),
        ("page", "answered with no JSON; is it an OpenAI-compatible endpoint?"),
        ("broken", "answered with no JSON; is it an OpenAI-compatible endpoint?"),
        ("strange", "answered with no chat completion; is it an OpenAI-compatible endpoint?"),
        ("torn", "broke off ("),
        ("missing", f"knows no model '{MODEL}', or no chat completions: model '{MODEL}' not found"),
    ],
)
def test_what_goes_wrong_is_said(server: Server, clean: Run, tmp_path: Path, mode: str, message: str) -> None:
    (tmp_path / "a.txt").write_text(SPUN)
    url = server.url(mode)
    done = clean("--write", "--ranker", url, "--ranker-model", MODEL, "a.txt")
    assert done.code == 3
    assert f"unspin: error: {url}: {message}" in done.stderr
    assert (tmp_path / "a.txt").read_text() == SPUN


def test_an_endpoint_without_models_wants_a_name(server: Server, clean: Run) -> None:
    assert "lists no model; name one with --ranker-model" in clean("--ranker", server.url("empty")).stderr
    assert "lists no models; give the URL up to /v1" in clean("--ranker", f"http://127.0.0.1:{server.port}/x").stderr


def test_texts_done_before_it_failed_stay_done_and_the_rest_is_not_tried(
    server: Server, clean: Run, tmp_path: Path
) -> None:
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(SPUN if name == "a" else f"It was {name} struggle. {SPUN}")
    url = server.url("once")
    done = clean("--write", "--ranker", url, "a.txt", "b.txt", "c.txt")
    assert done.code == 3
    assert "b.txt: not done, and none after it" in done.stderr
    assert done.stderr.count("unspin: error") == 1
    assert "The war" in (tmp_path / "a.txt").read_text()
    assert all("struggle" in (tmp_path / f"{name}.txt").read_text() for name in "bc")
    assert len(server.heard(url)) == 2


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_while_it_waits_ends_it_quietly(server: Server, tmp_path: Path) -> None:
    url, text = server.url("hang"), tmp_path / "a.txt"
    text.write_text(SPUN)
    command = [sys.executable, "-c", "from unspin.cli import main; main()", "clean", "--write", "--ranker", url]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    arguments = [*command, "--min-confidence", "1", str(text)]
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 30
        while not server.heard(url) and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert len(server.heard(url)) == 1
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    assert text.read_text() == SPUN
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget", "3"], "--budget needs --ranker URL"),
        (["--no-cache"], "--cache needs --ranker URL"),
        (["--ranker", "none", "--ranker-model", "m"], "--ranker-model needs --ranker URL"),
        (["--batch", "0"], "0 is not in the range"),
    ],
)
def test_options_of_the_endpoint_need_one(clean: Run, arguments: list[str], message: str) -> None:
    done = clean(*arguments)
    assert done.code == 2 and message in done.stderr


def test_other_commands_ask_nobody(server: Server, clean: Run) -> None:
    url = server.url("first")
    done = clean("--ranker", url, command="inspect")
    assert done.code == 2 and "for `unspin clean --ranker URL` alone" in done.stderr
    assert server.heard(url, "/models") == []


def test_a_missing_package_is_named(clean: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    done = clean("--ranker", "http://localhost:1")
    assert done.code == 3
    assert done.stderr == "unspin: error: --ranker URL needs httpx: pip install 'unspin[endpoint]'\n"


# Budget and cache


def test_when_the_budget_is_spent_the_rest_stays_held(server: Server, clean: Run) -> None:
    url = server.url("first")
    done = clean("--ranker", url, "--batch", "2", "--budget", "2")
    assert len(server.heard(url)) == 2 and len(server.sentences(url)) == 4
    assert "the endpoint restored 4 and" in done.stderr
    assert re.search(r"^held, not asked about: \d+ candidates; the budget of 2 requests is spent", done.stderr, re.M)


def test_the_same_text_asks_nothing_twice(server: Server, clean: Run) -> None:
    url = server.url("first")
    first = clean("--ranker", url)
    assert len(server.heard(url)) == 1
    assert clean("--ranker", url, "--batch", "3") == first
    assert len(server.heard(url)) == 1
    assert clean("--ranker", url, "--budget", "0") == first
    assert clean("--ranker", url, "--no-cache") == first
    assert len(server.heard(url)) == 2


def test_what_was_asked_before_the_budget_was_spent_is_not_asked_again(server: Server, clean: Run) -> None:
    url = server.url("first")
    clean("--ranker", url, "--batch", "2", "--budget", "1")
    clean("--ranker", url, "--batch", "2", "--budget", "1")
    sent = server.sentences(url)
    assert len(sent) == len(set(sent)) == 4


def test_without_a_budget_nothing_is_asked(server: Server, clean: Run) -> None:
    url = server.url("first")
    done = clean("--ranker", url, "--budget", "0")
    assert done.stdout == SPUN and "the budget of 0 requests is spent" in done.stderr
    assert server.heard(url) == []


def test_another_model_or_url_is_asked_anew(server: Server, clean: Run) -> None:
    url, other = server.url("first"), server.url("first")
    clean("--ranker", url)
    clean("--ranker", url, "--ranker-model", "big-2")
    clean("--ranker", other)
    assert (len(server.heard(url)), len(server.heard(other))) == (2, 1)


def test_a_useless_answer_is_not_remembered(server: Server, clean: Run) -> None:
    url = server.url("nonsense")
    clean("--ranker", url)
    clean("--ranker", url)
    assert len(server.heard(url)) == 2


def test_the_cache_holds_no_text_and_a_forged_one_does_no_harm(server: Server, clean: Run) -> None:
    url = server.url("first")
    clean("--ranker", url)
    data = cache_path().read_bytes()
    assert not any(word in data for word in (b"struggle", b"war", b"127.0.0.1", MODEL.encode()))
    with sqlite3.connect(cache_path()) as file:
        file.execute("UPDATE answers SET answer = 99 WHERE rowid % 2")
        file.execute("UPDATE answers SET answer = 'EVIL' WHERE NOT rowid % 2")
    file.close()
    done = clean("--ranker", url, "--budget", "0")
    assert (done.code, done.stdout) == (0, SPUN)


def test_a_damaged_cache_is_an_error_that_names_it(server: Server, clean: Run) -> None:
    cache_path().parent.mkdir()
    cache_path().write_text("no database, and long enough to be seen as none " * 100)
    done = clean("--ranker", server.url("first"))
    assert done.code == 3
    assert f"unspin: error: {cache_path()}: cannot keep answers (file is not a database); --no-cache" in done.stderr
    assert clean("--ranker", server.url("first"), "--no-cache").code == 0


# The library


def test_a_restoration_is_decided(server: Server) -> None:
    restoration = restore(SPUN, min_confidence=1.0)
    with Endpoint(server.url("first")) as endpoint:
        decided = decide_held(restoration, endpoint)
    assert "The war has" in cleaned(decided)
    assert {edit.decided_by for edit in decided.edits} == {DecidedBy.ENDPOINT}
    ranker = dict(restoration.signature.options)["ranker"]
    assert dict(decided.signature.options)["ranker"] == f"{ranker}+127.0.0.1:{server.port}/{MODEL}"


def test_a_busy_endpoint_is_asked_again(server: Server) -> None:
    url = server.url("flaky")
    with Endpoint(url, model=MODEL) as endpoint:
        assert endpoint.choose(ASKED) == [0, 0, 1]
        assert endpoint.requests == len(server.heard(url)) == 3


def test_it_is_not_asked_for_ever(server: Server) -> None:
    url = server.url("down")
    with Endpoint(url, model=MODEL) as endpoint, pytest.raises(EndpointError, match="answered 503: overloaded"):
        endpoint.choose(ASKED)
    assert endpoint.is_lost
    assert len(server.heard(url)) == RETRIES + 1


def test_retries_are_paid_from_the_budget(server: Server) -> None:
    url = server.url("down")
    with Endpoint(url, model=MODEL, budget=2) as endpoint, pytest.raises(EndpointError, match="503"):
        endpoint.choose(ASKED)
    assert len(server.heard(url)) == 2


def test_pauses_grow_unless_the_endpoint_says_how_long(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    endpoint = Endpoint(server.url("first"), model=MODEL, backoff=0.5)
    for wanted in ({}, {"Retry-After": "7"}, {"Retry-After": "9999"}, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}):
        answers = iter([httpx.Response(429, headers=wanted)] * 2)
        monkeypatch.setattr(endpoint, "_sent", lambda *_, a=answers: next(a, httpx.Response(200, json={"ok": True})))
        endpoint._call("models")
    assert pauses == [0.5, 1.0, 7.0, 7.0, 30.0, 30.0, 0.5, 1.0]


def test_it_is_not_waited_for_for_ever(server: Server) -> None:
    told = pytest.raises(EndpointError, match=r"no answer in 0\.2 s; ask less at once with --batch")
    with Endpoint(server.url("hang"), model=MODEL, timeout=0.2) as endpoint, told:
        endpoint.choose(ASKED)


def test_candidates_are_asked_about_in_batches_and_equal_ones_once(server: Server) -> None:
    url = server.url("first")
    with Endpoint(url, batch=2) as endpoint:
        assert endpoint.choose([*ASKED, *ASKED]) == [0, 0, 1, 0, 0, 1]
    assert [one.count("[[") for one in server.sentences(url)] == [1, 1, 1]
    assert len(server.heard(url)) == 2


def test_requests_are_reproducible(server: Server) -> None:
    url = server.url("first")
    with Endpoint(url) as endpoint:
        endpoint.choose(ASKED)
    body = json.loads(server.heard(url)[0]["body"])
    assert (body["temperature"], body["seed"]) == (0, 0)


def test_any_text_can_be_sent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSPIN_API_KEY", raising=False)
    odd = Question("A lone \udc80 surrogate, \u2028 and [[\u201cwar\u201d]].", ("\u201cwar\u201d", "\udc80"))
    with Endpoint(server.url("first")) as endpoint:
        assert endpoint.choose([odd]) == [1]


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://localhost:8080", True),
        ("http://LOCALHOST/v1", True),
        ("http://a.localhost", True),
        ("http://127.1.2.3/v1", True),
        ("http://[::1]:11434", True),
        ("http://192.168.0.5:8080", False),
        ("http://localhost.example.org", False),
        ("https://api.example.org/v1", False),
    ],
)
def test_what_is_this_machine(url: str, is_local: bool) -> None:
    with Endpoint(url, model="m") as endpoint:
        assert endpoint.is_local is is_local


@pytest.mark.parametrize(
    ("url", "base", "digest"),
    [
        ("http://localhost:8080", "http://localhost:8080/v1", "localhost:8080/m"),
        ("http://localhost:8080/", "http://localhost:8080/v1", "localhost:8080/m"),
        ("https://Example.ORG/api/v1/", "https://example.org/api/v1", "example.org/m"),
        ("https://example.org/v1/chat/completions", "https://example.org/v1", "example.org/m"),
    ],
)
def test_urls(url: str, base: str, digest: str) -> None:
    with Endpoint(url, model="m") as endpoint:
        assert (endpoint.url, endpoint.digest) == (base, digest)


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "https:///v1",
        "http://[::1",
        "http://host:port",
        "http://user:secret@localhost",
        "http://localhost/v1?key=secret",
        "http://localhost/v1#secret",
        f"http://{'a' * 300}.org\x00",
    ],
)
def test_urls_that_are_none_or_may_hold_a_key(url: str) -> None:
    with pytest.raises(EndpointError) as refused:
        Endpoint(url, model="m")
    assert "secret" not in str(refused.value)


def test_a_key_that_is_none_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSPIN_API_KEY", "sécret\n1")
    with pytest.raises(UnspinError, match="UNSPIN_API_KEY holds characters") as refused:
        Endpoint("http://localhost", model="m")
    assert "cret" not in str(refused.value)


@pytest.mark.parametrize("options", [{"batch": 0}, {"budget": -1}])
def test_numbers_that_make_no_sense(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="is below"):
        Endpoint("http://localhost", model="m", **options)  # type: ignore[arg-type]


def test_the_place_of_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert cache_path() == tmp_path / "elsewhere" / "unspin" / "endpoint.sqlite"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the XDG specification says to ignore
    assert cache_path() == tmp_path / ".cache" / "unspin" / "endpoint.sqlite"
