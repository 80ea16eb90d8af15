"""The application: addresses, pages, and the JSON that the page's script asks for and sends.

In come requests that `guard` let through; out go pages (escaped by their templates), JSON in ASCII, and the files of
`static`. A failure that has a name is told in JSON: 404 what is not there, 409 what changed since (with how it looks
now), 422 what makes no sense, 503 a ledger or a lexicon that cannot be used.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from unspin.errors import Overtaken, UnspinError
from unspin.model import Entry
from unspin.review.model import ACCEPT, REJECT, Counts, State
from unspin.review.web.desk import EVERY_KIND, KINDS, Bulk, Desk, patches
from unspin.review.web.guard import Guard
from unspin.review.web.panel import panel
from unspin.review.web.shown import plain, shown
from unspin.review.web.words import KINDS as LIKENESSES
from unspin.review.web.words import STATES, percent

THEMES = ("light", "dark")
PIECES = 500  # of a page that are sent together: the browser paints the first while the others are made
_ANSWERS = {"accept": ACCEPT, "reject": REJECT}

Body = dict[str, Any]


class Json(Response):
    """JSON in ASCII: a text may hold what UTF-8 cannot."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The value as bytes."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def application(desk: Desk, guard: Guard) -> ASGIApp:
    """The guarded application over a desk."""
    pages = _Pages(desk, guard)
    routes = [
        Route("/", pages.texts),
        Route("/texts/{text:int}", pages.text),
        Route("/texts/{text:int}/states", _told(pages.states)),
        Route("/items/{item:int}", _told(pages.item), methods=["GET"]),
        Route("/items/{item:int}", _changing(pages.decide), methods=["POST"]),
        Route("/items/{item:int}/never", _changing(pages.never), methods=["POST"]),
        Route("/count", _changing(pages.count), methods=["POST"]),
        Route("/bulk", _changing(pages.bulk), methods=["POST"]),
        Route("/undo", _changing(pages.undo), methods=["POST"]),
        Mount("/static", StaticFiles(packages=[("unspin.review.web", "static")])),
    ]
    missing = {HTTPStatus.NOT_FOUND.value: _missing}
    return guard.around(Starlette(routes=[Mount(f"/{guard.key}", routes=routes)], exception_handlers=missing))


def _missing(request: Request, error: Exception) -> Response:
    return PlainTextResponse("There is nothing at this address.\n", HTTPStatus.NOT_FOUND)


def _named(answer: Callable[[], Any]) -> Response:
    """What an answer says, or the failure it ended in."""
    try:
        return Json(answer())
    except Overtaken as error:
        return Json({"message": str(error)}, HTTPStatus.CONFLICT)
    except KeyError:
        return Json({"message": "It is not there any more. Load the page again."}, HTTPStatus.NOT_FOUND)
    except (ValueError, TypeError, OverflowError) as error:
        return Json({"message": plain(str(error))}, HTTPStatus.UNPROCESSABLE_ENTITY)
    except UnspinError as error:
        return Json({"message": plain(str(error))}, HTTPStatus.SERVICE_UNAVAILABLE)


def _told(answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
    """An endpoint that reads; it runs in a thread."""

    @wraps(answer)
    def endpoint(request: Request) -> Response:
        return _named(lambda: answer(request))

    return endpoint


def _changing(answer: Callable[[Request, Body], Any]) -> Callable[[Request], Any]:
    """An endpoint that is sent a JSON object; what it does, it does in a thread."""

    @wraps(answer)
    async def endpoint(request: Request) -> Response:
        data = await request.body()

        def told() -> Any:
            body = json.loads(data)
            if not isinstance(body, dict):
                raise ValueError("a JSON object is expected")
            return answer(request, body)

        return await run_in_threadpool(_named, told)

    return endpoint


class _Pages:
    """The endpoints."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self.desk, self.guard = desk, guard
        self.templates = Environment(
            loader=PackageLoader("unspin.review.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.templates.filters |= {"shown": shown, "plain": plain, "percent": percent}
        self.templates.globals |= {"states": STATES, "likenesses": LIKENESSES}

    def _page(self, request: Request, name: str, **values: Any) -> Response:
        theme = request.cookies.get("theme")
        page = self.templates.get_template(name).stream(
            at=f"/{self.guard.key}",
            csrf=self.guard.csrf,
            theme=theme if theme in THEMES else "auto",
            reviewer=self.desk.by.name,
            ledger=self.desk.ledger.name,
            **values,
        )
        page.enable_buffering(PIECES)
        return StreamingResponse((part.encode() for part in page), media_type="text/html")

    def texts(self, request: Request) -> Response:
        """The list of texts."""
        documents = self.desk.documents()
        return self._page(request, "texts.html", documents=documents, total=_sum([d.counts for d in documents]))

    def text(self, request: Request) -> Response:
        """A text."""
        try:
            article = self.desk.article(request.path_params["text"])
        except KeyError:
            return _missing(request, KeyError())
        last = self.desk.last()  # before the marks, so that what is decided meanwhile is asked for again
        items, chosen = self.desk.items(article)
        numbers: dict[Entry | None, int] = {}
        return self._page(
            request,
            "text.html",
            document=article.document,
            blocks=article.blocks(article.marks(items, is_open=chosen)),
            entries={item.id: numbers.setdefault(item.entry, len(numbers)) for item in items},
            total=len(chosen),
            decided=sum(item.state.is_decided and item.id in chosen for item in items),
            is_filtered=len(chosen) < len(items),
            several=self.desk.has_several,
            order=self.desk.order.value,
            own=self.desk.own and self.desk.own.name,
            last=last,
        )

    def states(self, request: Request) -> Any:
        """The marks of a text, if anything was decided since a decision."""
        last = self.desk.last()
        if last == int(request.query_params.get("since", "-1")):
            return {"last": last, "marks": []}
        return self._all(request.path_params["text"])

    def _all(self, document: int) -> dict[str, Any]:
        """All marks of a text, and the last decision that they tell of."""
        last = self.desk.last()  # before the marks, so that what is decided meanwhile is asked for again
        return {"last": last, "marks": patches(self.desk.marks(self.desk.article(document)))}

    def item(self, request: Request) -> Any:
        """The side panel of an item."""
        return panel(self.desk, request.path_params["item"])

    def decide(self, request: Request, body: Body) -> Any:
        """An answer to an item."""
        number = request.path_params["item"]
        expected, said, words = State(str(body.get("expected"))), body.get("answer"), body.get("words")
        if not isinstance(words, str | None):
            raise ValueError("words are a string")
        try:
            decision, marks = self.desk.decide(number, said, expected=expected, words=words)
            return {"decision": decision.id, "marks": patches(marks)}
        except Overtaken as error:
            raise Overtaken(_meanwhile(self.desk, number, str(error))) from error

    def count(self, request: Request, body: Body) -> Any:
        """How many items a bulk decision would decide."""
        return {"count": self.desk.count(_bulk(body))}

    def bulk(self, request: Request, body: Body) -> Any:
        """Many items at once."""
        return {"count": self.desk.decide_all(_bulk(body))} | self._all(_number(body.get("text")))

    def undo(self, request: Request, body: Body) -> Any:
        """Take back the last answer."""
        taken, message = self.desk.undo()
        if not taken:
            return {"message": message, "marks": [], "item": None}
        item, text = self.desk.ledger.item(taken[0].item), _number(body.get("text"))
        told = {"message": message, "item": item.id, "text": item.document}
        if len(taken) > 1:
            return told | self._all(text)
        marks = self.desk.around(item) if item.document == text else []
        return told | {"decision": taken[0].id, "marks": patches(marks)}

    def never(self, request: Request, body: Body) -> Any:
        """Never propose an item's entry again."""
        return {"count": self.desk.never(request.path_params["item"])} | self._all(_number(body.get("text")))


def _meanwhile(desk: Desk, number: int, problem: str) -> str:
    item = desk.ledger.item(number)
    if item.is_stale:
        return "The text has changed since you opened it. Load the page again."
    last = next(iter(desk.ledger.history(item=number, limit=1)), None)
    who = f" by {plain(last.reviewer.name)}" if last else ""
    return f"Meanwhile {STATES[item.state].lower()}{who}. Look again, then decide."


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError("a number is expected")
    return value


def _bulk(body: Body) -> Bulk:
    said, kinds, least = (
        body.get("answer", "accept"),
        body.get("kinds", list(EVERY_KIND)),
        body.get("min_confidence", 0),
    )
    document, entry = body.get("document"), body.get("entry_of")
    if said not in _ANSWERS or not isinstance(kinds, list) or not set(kinds) <= set(KINDS):
        raise ValueError("such an answer, or such kinds of items, are not known")
    if not isinstance(least, int | float) or not 0.0 <= least <= 1.0:
        raise ValueError("a confidence lies between 0 and 1")
    return Bulk(
        _ANSWERS[said],
        document=None if document is None else _number(document),
        entry_of=None if entry is None else _number(entry),
        min_confidence=float(least),
        kinds=tuple(kinds),
    )


def _sum(counts: list[Counts]) -> Counts:
    names = ("proposed", "held", "accepted", "rejected", "replaced")
    return Counts(**{name: sum(getattr(one, name) for one in counts) for name in names})
