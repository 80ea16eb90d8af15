"""`unspin review --web`: the review as a page in the browser, served on this machine alone until Ctrl-C.

In come a ledger and what is wanted of it; answers go into the ledger as they are given. Refused, by `UnspinError`: to
serve without the extra `web`, or on a port that is taken; by `click.UsageError`: second opinions, which the terminal
asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import click

from unspin.commands.review_ledger import place_of
from unspin.commands.terminal import say
from unspin.errors import UnspinError
from unspin.review import overlay
from unspin.review.ledger import Ledger
from unspin.review.model import Filter, Order, Reviewer

_NEEDS = ("starlette", "jinja2", "uvicorn")


def require_page(*, second_opinion: float | None = None) -> None:
    """Raises UnspinError unless the page can be served, UsageError for a second opinion."""
    if second_opinion is not None:
        raise click.UsageError("--second-opinion is asked for in the terminal; leave out --web")
    try:
        for package in _NEEDS:
            import_module(package)
    except ImportError as error:
        raise UnspinError(f"--web needs {package}: pip install 'unspin[web]'") from error


def run(
    ledger: Ledger,
    *,
    reviewer: Reviewer,
    wanted: Filter,
    order: Order,
    second_opinion: float | None = None,
    lexicons: Sequence[str] = (),
    colour: bool | None = None,
    port: int = 0,
    open_browser: bool = True,
) -> None:
    """Serve the page until Ctrl-C, which ends it in good order.

    `port`: 0 is any that is free. `open_browser`: open the page for the reviewer, too. `lexicons` and `colour` are the
    terminal's. Raises UnspinError or UsageError.
    """
    require_page(second_opinion=second_opinion)
    from unspin.review.web.desk import Desk
    from unspin.review.web.serve import listen, serve

    desk = Desk(ledger, reviewer.name, wanted=wanted, order=order, own=place_of(ledger.name) / overlay.NAME)
    documents = desk.documents()
    path = f"texts/{documents[0].id}" if len(documents) == 1 else ""
    try:
        opened = listen(port)
    except OSError as error:
        raise UnspinError(f"port {port} cannot be had ({error.strerror}); give another --port, or none") from error
    serve(desk, opened, path=path, open_browser=open_browser, tell=_tell)
    say(f"every answer is in {ledger.name}; `unspin review` goes on, `unspin apply` writes the texts")


def _tell(address: str) -> None:
    say(f"the review is at {address}")
    say("whoever has this address on this machine can answer; Ctrl-C ends the review, and every answer is kept")
