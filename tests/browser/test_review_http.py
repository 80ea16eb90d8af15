"""The review's page without a browser: who is answered, with what, and that all that is said agrees with the ledger."""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.edit import cleaned
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, REJECT, Filter, Order, Reviewer, State
from unspin.review.web.app import application
from unspin.review.web.article import Lead, Mark, Paragraph
from unspin.review.web.desk import Bulk, Desk, patches
from unspin.review.web.guard import HEADERS, MOST_BYTES, Guard
from unspin.review.web.serve import listen
from unspin.review.web.shown import pieces, plain, shown

PORT = 8123
HOST = f"127.0.0.1:{PORT}"


class Client:
    """Asks an application, as a browser would from its own page unless told otherwise."""

    def __init__(self, ledger: Ledger, **how: Any) -> None:
        self.desk = Desk(ledger, "anna", **how)
        self.guard = Guard(PORT)
        self.app = application(self.desk, self.guard)

    def ask(self, method: str, path: str, *, key: bool = True, content: bytes = b"", **headers: str) -> httpx.Response:
        """An answer; headers are named with underscores, and "" leaves one out."""
        sent = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items() if value]
        address = f"http://{HOST}{f'/{self.guard.key}' if key else ''}{path}"

        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as client:
                return await client.request(method, address, content=content, headers=sent)

        return asyncio.run(asked())

    def get(self, path: str, **how: Any) -> httpx.Response:
        """As the page itself asks."""
        return self.ask("GET", path, **({"sec_fetch_site": "same-origin"} | how))

    def post(self, path: str, body: Any, **how: Any) -> httpx.Response:
        """As the page itself sends."""
        ours = {
            "origin": f"http://{HOST}",
            "sec_fetch_site": "same-origin",
            "x_csrf_token": self.guard.csrf,
            "content_type": "application/json",
        }
        return self.ask("POST", path, content=json.dumps(body).encode(), **(ours | how))


@pytest.fixture
def client(ledger: Ledger, tmp_path: Path) -> Client:
    return Client(ledger, own=tmp_path / "unspin.tsv")


def states(ledger: Ledger) -> list[str]:
    return [item.state.value for item in ledger.items(Filter(document=1))]


# who is answered


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"127.0.0.1.evil.example:{PORT}",
        f"127.0.0.1:{PORT}.evil.example",
        f"0.0.0.0:{PORT}",
        f"[::1]:{PORT}",
        f"user@127.0.0.1:{PORT}",
    ],
)
def test_another_hosts_name_is_refused(client: Client, host: str) -> None:
    assert client.get("/", host=host).status_code == HTTPStatus.MISDIRECTED_REQUEST
    item = client.post("/items/1", {"answer": "accept", "expected": "proposed"}, host=host, origin=f"http://{host}")
    assert item.status_code == HTTPStatus.MISDIRECTED_REQUEST
    assert client.desk.ledger.history() == []


@pytest.mark.parametrize("host", [HOST, f"localhost:{PORT}", f"LOCALHOST:{PORT}"])
def test_the_names_of_this_machine_are_answered(client: Client, host: str) -> None:
    assert client.get("/", host=host).status_code == HTTPStatus.OK


@pytest.mark.parametrize("path", ["/", "/texts/1", "/items/1", "/static/review.css", "//", "/wrong/texts/1", "/é"])
def test_without_the_key_nothing_is_told(client: Client, path: str) -> None:
    answer = client.get(path, key=False)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "struggle" not in answer.text
    assert client.guard.key not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": f"https://{HOST}"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": f"http://localhost:{PORT}"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"x_csrf_token": ""},
        {"x_csrf_token": "guess"},
        {"x_csrf_token": "é"},
        {"content_type": "text/plain"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": ""},
    ],
)
@pytest.mark.parametrize("path", ["/items/1", "/items/1/never", "/bulk", "/undo", "/count"])
def test_what_another_site_sends_changes_nothing(client: Client, path: str, headers: dict[str, str]) -> None:
    body = {"answer": "accept", "expected": "proposed", "text": 1}
    answer = client.post(path, body, **headers)
    assert answer.status_code in (HTTPStatus.FORBIDDEN, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    assert client.desk.ledger.history() == []


def test_another_sites_page_reads_nothing_but_may_link_here(client: Client) -> None:
    for path in ("/", "/items/1", "/static/review.js"):
        for site in ("cross-site", "same-site"):
            asked = client.get(path, sec_fetch_site=site, sec_fetch_mode="no-cors")
            assert asked.status_code == HTTPStatus.FORBIDDEN
    assert client.get("/", sec_fetch_site="cross-site", sec_fetch_mode="navigate").status_code == HTTPStatus.OK


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    assert client.ask(method, "/items/1").status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_what_is_too_long_is_refused(client: Client) -> None:
    body = {"words": "x" * MOST_BYTES, "expected": "proposed"}
    assert client.post("/items/1", body).status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_every_answer_carries_the_headers(client: Client) -> None:
    answers = [
        client.get("/"),
        client.get("/texts/1"),
        client.get("/items/1"),
        client.get("/static/review.js"),
        client.get("/nothing"),
        client.get("/", key=False),
        client.get("/", host="evil.example"),
        client.post("/undo", {"text": 1}),
    ]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "set-cookie" not in answer.headers
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_the_door_opens_once(client: Client) -> None:
    path = client.guard.door.removeprefix(f"http://{HOST}")
    first, second = client.get(path, key=False), client.get(path, key=False)
    assert (first.status_code, first.headers["location"]) == (HTTPStatus.SEE_OTHER, f"/{client.guard.key}/")
    assert second.status_code == HTTPStatus.FORBIDDEN
    assert client.guard.key not in client.guard.door


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """asyncio switches Nagle's algorithm off for sockets that name their protocol: 40 ms for each answer."""
    with listen() as opened:
        assert opened.proto == socket.IPPROTO_TCP
        assert opened.getsockname()[0] == "127.0.0.1"


def test_pages_hold_no_inline_script_or_style(client: Client) -> None:
    for path in ("/", "/texts/1"):
        page = client.get(path).text
        assert " style=" not in page
        assert "<style" not in page
        assert not re.search(r"<[^>]*\son\w+\s*=", page)
        assert page.count("<script") == page.count('<script type="module" src="/') == 1


# what is answered


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/items/99", {"answer": "accept", "expected": "proposed"}, HTTPStatus.NOT_FOUND),
        (f"/items/{2**70}", {"answer": "accept", "expected": "proposed"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/items/1", {"answer": "accept", "expected": "held"}, HTTPStatus.CONFLICT),
        ("/items/1", {"answer": "accept"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/items/1", {"answer": "shrug", "expected": "proposed"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/items/1", {"expected": "proposed"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/items/1", {"words": 7, "expected": "proposed"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/items/1", [], HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/items/6", {"words": "x", "expected": "proposed"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/items/6/never", {"text": 1}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/bulk", {"answer": "replace", "text": 1}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/bulk", {"kinds": ["all"], "text": 1}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/bulk", {"kinds": "held", "text": 1}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/bulk", {"min_confidence": 2, "text": 1}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/bulk", {"entry_of": 6, "text": 1}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/count", {"document": "1"}, HTTPStatus.UNPROCESSABLE_ENTITY),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(client: Client, path: str, body: Any, status: int) -> None:
    answer = client.post(path, body)
    assert (answer.status_code, list(answer.json())) == (status, ["message"])
    assert client.desk.ledger.history() == []


def test_an_earlier_version_of_a_text_is_told_of_as_stale(client: Client, ledger: Ledger) -> None:
    restoration = ledger.restoration(2)
    ledger.add("a.txt", restoration)
    answer = client.post("/items/1", {"answer": "accept", "expected": "proposed"})
    assert answer.status_code == HTTPStatus.CONFLICT
    assert answer.json()["message"] == "The text has changed since you opened it. Load the page again."


def test_a_lexicon_that_cannot_be_written_leaves_all_as_it_was(ledger: Ledger, tmp_path: Path) -> None:
    own = tmp_path / "unspin.tsv"
    own.write_text("no lexicon\n")
    client = Client(ledger, own=own)
    answer = client.post("/items/1/never", {"text": 1})
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "unspin.tsv" in answer.json()["message"]
    assert ledger.history() == []


def test_a_page_that_is_not_there(client: Client) -> None:
    for path in ("/texts/99", "/texts/x", "/static/../app.py", "/static/nothing.js", "/items/99"):
        assert client.get(path).status_code == HTTPStatus.NOT_FOUND


def test_only_what_a_review_is_about_is_counted_and_decided(ledger: Ledger) -> None:
    client = Client(ledger, wanted=Filter(document=1, min_confidence=0.8), order=Order.RISK)
    page = client.get("/texts/1").text
    assert 'max="4"' in page
    assert page.count("data-aside") == 3
    assert '<option value="risk" selected>' in page
    assert "b.txt" not in client.get("/").text
    assert client.post("/count", {"kinds": ["proposed"]}).json() == {"count": 3}
    told = client.post("/bulk", {"answer": "reject", "kinds": ["proposed"], "text": 1}).json()
    assert told["count"] == 3
    assert states(ledger).count("rejected") == 3
    assert ledger.items(Filter(document=2))[0].state is State.PROPOSED


# what is shown agrees with what is written


def article_text(desk: Desk) -> str:
    """The cleaned text's paragraphs, as the page's marks have them."""
    article = desk.article(1)
    lines = []
    for block in article.blocks(desk.marks(article)):
        if isinstance(block, Paragraph):
            lines.append("".join(piece if isinstance(piece, str) else piece.after for piece in block.pieces))
        elif not block.mark.is_made:
            lines.append(block.mark.item.before)
    return "\n".join(lines)


def without_blanks(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if line)


@pytest.mark.parametrize("seed", range(8))
def test_marks_after_any_answers_are_what_will_be_written(ledger: Ledger, seed: int) -> None:
    """And a page that was patched answer by answer looks like one that is loaded anew."""
    desk, chance = Desk(ledger, "anna"), random.Random(seed)
    article = desk.article(1)
    shown_now = {mark["id"]: mark for mark in patches(desk.marks(article))}
    for _ in range(12):
        item = chance.choice(ledger.items(Filter(document=1)))
        if item.duplicate or chance.random() < 0.5:
            _, marks = desk.decide(item.id, chance.choice(["accept", "reject"]), expected=item.state)
        elif chance.random() < 0.7:
            words = chance.choice(["apple", "an", "a unit", "hour", item.before, ""])
            _, marks = desk.decide(item.id, None, expected=item.state, words=words)
        else:
            taken, _ = desk.undo()
            marks = desk.around(ledger.item(taken[0].item)) if taken else []
        shown_now |= {mark["id"]: mark for mark in patches(marks)}
        assert shown_now == {mark["id"]: mark for mark in patches(desk.marks(article))}
        assert article_text(desk) == without_blanks(cleaned(ledger.restoration(1)))


def test_blocks_hold_the_whole_text(client: Client) -> None:
    article = client.desk.article(1)
    marks = client.desk.marks(article)
    lines = [
        "".join(p if isinstance(p, str) else p.before if isinstance(p, Lead) else p.item.before for p in block.pieces)
        if isinstance(block, Paragraph)
        else block.mark.item.before
        for block in article.blocks(marks)
    ]
    assert "\n".join(lines) == without_blanks(article.text)
    assert (
        sum(isinstance(piece, Mark) for b in article.blocks(marks) if isinstance(b, Paragraph) for piece in b.pieces)
        == 6
    )


def test_undo_of_many_tells_of_all_marks_and_undo_of_one_of_few(client: Client, ledger: Ledger) -> None:
    client.post("/items/1", {"answer": "accept", "expected": "proposed"})
    client.post("/bulk", {"answer": "reject", "text": 1})
    assert client.post("/undo", {"text": 1}).json()["last"] == ledger.history(limit=1)[0].id
    assert states(ledger)[0] == "accepted"
    told = client.post("/undo", {"text": 2}).json()
    assert (told["marks"], told["text"], told["item"]) == ([], 1, 1)
    assert client.post("/undo", {"text": 1}).json()["item"] is None


def test_undo_of_what_somebody_decided_anew_is_refused(client: Client, ledger: Ledger) -> None:
    client.post("/items/1", {"answer": "accept", "expected": "proposed"})
    ledger.decide(1, REJECT, by=Reviewer("bert"))
    answer = client.post("/undo", {"text": 1})
    assert answer.status_code == HTTPStatus.CONFLICT
    assert "decided anew" in answer.json()["message"]


def test_states_are_told_only_if_something_was_decided(client: Client, ledger: Ledger) -> None:
    assert client.get("/texts/1/states?since=0").json() == {"last": 0, "marks": []}
    last = ledger.decide(1, ACCEPT, by=Reviewer("bert")).id
    told = client.get("/texts/1/states?since=0").json()
    assert (told["last"], len(told["marks"]), told["marks"][0]["state"]) == (last, 7, "accepted")


def test_never_is_undone_unless_the_line_was_changed(ledger: Ledger, tmp_path: Path) -> None:
    own = tmp_path / "unspin.tsv"
    desk = Desk(ledger, "anna", own=own)
    assert desk.never(1) == 4
    own.write_text(own.read_text().replace("never again", "my own words"))
    _, message = desk.undo()
    assert message == "Taken back: 4 answers. The line in unspin.tsv was changed since, and stays."
    assert "my own words" in own.read_text()


def test_what_an_entry_proposes_is_decided_whatever_the_review_is_about(ledger: Ledger) -> None:
    desk = Desk(ledger, "anna", wanted=Filter(document=1, min_confidence=0.9))
    assert desk.count(Bulk(ACCEPT, entry_of=1)) == 4
    assert desk.count(Bulk(ACCEPT, kinds=("proposed",))) == 2


# signs


@given(st.text(st.characters() | st.sampled_from("\u202e\u2066\0\x1b\r\n\t<>&\"'\ud800")))
def test_signs_stand_for_what_hides_and_nothing_else_is_lost(text: str) -> None:
    found = pieces(text)
    assert len(found) % 2
    back = "".join(chr(int(piece[2:], 16)) if odd % 2 else piece for odd, piece in enumerate(found))
    assert back == text.replace("\r\n", "\n")
    for told in (str(shown(text)), plain(text)):
        assert not set(told) & set("\0\x1b\u202e\u2066\r\ud800")
        told.encode()  # no lone surrogate
    assert "<" not in str(shown(text)).replace('<span class="sign"', "").replace("</span>", "")
