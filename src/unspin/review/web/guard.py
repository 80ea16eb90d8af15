"""Who may talk to the page: the browser that was given its address, from the page itself, and nobody else.

In come requests; refused, with an answer that names no text: another host's name (a foreign site that had its name
point here), an address without the key, anything that another site's page sends, a change without the page's token. All
answers carry headers that keep scripts, frames, caches and referrers out.

The key stands in the path and not in a cookie, because a browser sends the cookies of 127.0.0.1 to every port of the
machine, so to the servers of other people on it; and because a request without a cookie has nothing to forge. The
command that opens the browser can be seen by others, too; so it names a door that opens once, and not the key.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "127.0.0.1"
CSRF_HEADER = "x-csrf-token"
MOST_BYTES = 1 << 20  # of a request; an edit is a few words

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",  # no script of ours makes HTML of a string; so none can
            "trusted-types 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Lets an application see only what its own page sends. `port` is where it listens, `path` is where the page begins
    below its key."""

    def __init__(self, port: int, *, path: str = "") -> None:
        self.port, self._path = port, path
        self.key = secrets.token_urlsafe(32)
        self.csrf = secrets.token_urlsafe(32)
        self._door: str | None = secrets.token_urlsafe(32)

    @property
    def address(self) -> str:
        """Where the page is, for a person to copy."""
        return f"http://{HOST}:{self.port}{self._start}"

    @property
    def _start(self) -> str:
        return f"/{self.key}/{self._path}"

    @property
    def door(self) -> str:
        """Where a browser that is opened for the person goes; it leads to `address` once."""
        return f"http://{HOST}:{self.port}/open/{self._door}"

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, guarded."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return
            answer = self._refusal(scope) or self._opened(scope) or app
            await answer(scope, receive, _with_headers(send))

        return guarded

    def _opened(self, scope: Scope) -> ASGIApp | None:
        if self._door is None or not _same(scope["path"], f"/open/{self._door}"):
            return None
        self._door = None
        return RedirectResponse(self._start, HTTPStatus.SEE_OTHER)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers, path = Headers(scope=scope), scope["path"]
        host = headers.get("host", "").lower()
        if host not in self._hosts():
            return _refused(HTTPStatus.MISDIRECTED_REQUEST, "This is not the host you asked for.")
        key = path.split("/")[1]
        if not _same(key, self.key) and not (self._door and _same(path, f"/open/{self._door}")):
            return _refused(
                HTTPStatus.FORBIDDEN, "The address lacks its key. Copy the whole of it from where unspin runs."
            )
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and POST are answered.")
        is_ours = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        if scope["method"] == "POST":
            return self._unwanted(headers, host, is_ours=is_ours)
        if not is_ours and headers.get("sec-fetch-mode") != "navigate":
            return _refused(HTTPStatus.FORBIDDEN, "Another site's page asks.")
        return None

    def _hosts(self) -> set[str]:
        names = (HOST, "localhost")
        return {f"{name}:{self.port}" for name in names} | (set(names) if self.port == 80 else set())

    def _unwanted(self, headers: Headers, host: str, *, is_ours: bool) -> ASGIApp | None:
        """Why a change is refused, if it is."""
        if not is_ours or headers.get("origin") != f"http://{host}":
            return _refused(HTTPStatus.FORBIDDEN, "Another site's page asks.")
        if not _same(headers.get(CSRF_HEADER, ""), self.csrf):
            return _refused(HTTPStatus.FORBIDDEN, "The page's token is missing or old. Load the page again.")
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Changes are sent as JSON.")
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdecimal() and int(length) <= MOST_BYTES):
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is too long.")
        return None


def _same(one: str, other: str) -> bool:
    """Compare in a time that tells nothing of where they differ."""
    return secrets.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())


def _refused(status: HTTPStatus, reason: str) -> ASGIApp:
    return PlainTextResponse(reason + "\n", status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return sending
