"""A chat endpoint for tests: speaks OpenAI's protocol as far as needed, and misbehaves on request.

    python chat_server.py LOG

prints its port, listens on this machine alone, and notes every request in LOG, a JSON object to a line. URLs are
/MODE/TEST/v1/models and /MODE/TEST/v1/chat/completions; without MODE and TEST, the mode is `first`.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

KEY = "sesame-0123"
MODEL = "tiny-1"
HANG = 60.0  # seconds


def _numbers(mode: str, items: dict[str, Any]) -> dict[str, Any]:
    """What to answer per item."""
    wrong = (0, -1, 99, True, "1", 1.0, None, [1], {"1": 1})
    answers: dict[str, Any] = {}
    for number, (name, item) in enumerate(items.items()):
        options = item["options"]
        marked = re.search(r"\[\[(.*?)\]\]", item["sentence"])
        assert marked is not None
        match mode:
            case "keep":
                answers[name] = next(int(place) for place, text in options.items() if text == marked[1])
            case "wrong":
                answers[name] = wrong[number % len(wrong)]
            case "rewrite":
                answers[name] = f"EVIL {number}"
            case "half" if number % 2:
                continue
            case _:
                answers[name] = next(int(place) for place, text in options.items() if text != marked[1])
    return answers


def _content(mode: str, items: dict[str, Any]) -> str | None:
    answers = json.dumps(_numbers(mode, items))
    match mode:
        case "nonsense":
            return "The first option fits best, I think."
        case "silent":
            return None
        case "rewrite":
            return json.dumps({**_numbers(mode, items), "text": "EVIL", "options": {"1": "EVIL"}})
        case "chatty":
            return f"Sure! {answers}"
        case "cut":
            return answers[: len(answers) // 2]
        case "list":
            return json.dumps(list(json.loads(answers).items()))
        case "twice":
            return answers[:-1] + ", " + answers[1:]
        case "deep":
            return "[" * 100_000
    return answers


class Handler(BaseHTTPRequestHandler):
    """One request."""

    log: Path
    seen: ClassVar[Counter[str]] = Counter()  # requests by path

    def log_message(self, *_: object) -> None:
        pass

    def _note(self, body: str) -> None:
        heard = {"path": self.path, "key": self.headers.get("authorization"), "body": body}
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(heard) + "\n")

    def _send(self, code: int, data: bytes, header: tuple[str, str] | None = None, *, missing: int = 0) -> None:
        self.send_response(code)
        if header:
            self.send_header(*header)
        self.send_header("Content-Length", str(len(data) + missing))
        self.end_headers()
        self.wfile.write(data)

    def _json(self, code: int, found: object) -> None:
        self._send(code, json.dumps(found).encode())

    def _error(self, code: int, message: str) -> None:
        self._send(code, json.dumps({"error": {"message": message, "code": code}}).encode(), ("Retry-After", "0"))

    @property
    def mode(self) -> str:
        first = self.path.split("/")[1]
        return "first" if first == "v1" else first

    def _is_refused(self) -> bool:
        """Whether the request was answered already, for what the mode does whatever is asked."""
        key = self.headers.get("authorization")
        self.seen[self.path] += 1
        match self.mode, self.seen[self.path]:
            case "locked", _ if key != f"Bearer {KEY}":
                self._error(401, f"Incorrect API key provided: {key}")
            case "down", _:
                self._error(503, "overloaded")
            case "page", _:
                self._send(200, b"<html>Welcome to nginx</html>")
            case "moved", _:
                self._send(307, b"", ("Location", self.path.replace("/moved/", "/first/")))
            case _ if "/v1/" not in self.path:
                self._send(404, b"nothing here")
            case "strange", _:
                self._json(200, ["hello"])
            case _:
                return False
        return True

    def do_GET(self) -> None:
        self._note("")
        if self._is_refused():
            return
        names = [] if self.mode == "empty" else [MODEL, "big-2"]
        self._json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in names]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._note(body)
        if self._is_refused():
            return
        request = json.loads(body)
        items = json.loads(request["messages"][1]["content"])
        message = {"role": "assistant", "content": _content(self.mode, items)}
        answer = json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": message}]}).encode()
        match self.mode, self.seen[self.path]:
            case "flaky", 1:
                self._error(500, "out of luck")
            case "flaky", 2:
                self._error(429, "slow down")
            case "once", times if times > 1:
                self._error(400, f"the context is full; your key is {self.headers.get('authorization')}")
            case "missing", _:
                self._error(404, f"model {request['model']!r} not found")
            case "hang", _:
                time.sleep(HANG)
            case "broken", _:
                self._send(200, answer[: len(answer) // 2])
            case "torn", _:
                self._send(200, answer[: len(answer) // 2], missing=len(answer))
            case _:
                self._send(200, answer)


if __name__ == "__main__":
    Handler.log = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
