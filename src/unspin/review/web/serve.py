"""The page's server: a socket on this machine alone, until Ctrl-C.

In come a desk and a port; out go requests' answers, on 127.0.0.1. Refused, by `OSError`: a port that is taken.
"""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from unspin.review.web.app import application
from unspin.review.web.desk import Desk
from unspin.review.web.guard import HOST, Guard

PATIENCE = 2  # seconds that an answer under way has when the server ends


def listen(port: int = 0) -> socket.socket:
    """A socket on this machine alone; port 0 is any that is free. Raises OSError."""
    # The protocol is named, or else asyncio leaves Nagle's algorithm on, and each answer waits 40 ms for the browser's
    # acknowledgement of its first half.
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((HOST, port))
        opened.listen(128)
    except BaseException:
        opened.close()
        raise
    return opened


def server(desk: Desk, port: int, *, path: str = "") -> tuple[uvicorn.Server, Guard]:
    """What answers on a port, not yet running, and who may ask. `path`: where the page begins, below its key."""
    guard = Guard(port, path=path)
    config = uvicorn.Config(
        application(desk, guard),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=PATIENCE,
    )
    return uvicorn.Server(config), guard


def serve(
    desk: Desk,
    opened: socket.socket,
    *,
    path: str = "",
    open_browser: bool = True,
    tell: Callable[[str], None] = lambda address: None,
) -> None:
    """Answer on a socket until Ctrl-C, which ends it quietly. `tell` is given the page's address."""
    answering, guard = server(desk, opened.getsockname()[1], path=path)
    tell(guard.address)
    if open_browser:  # the socket listens already: what comes early waits there
        threading.Thread(target=webbrowser.open, args=(guard.door,), daemon=True).start()
    with suppress(KeyboardInterrupt):  # uvicorn has ended in good order, and passes the signal on
        answering.run(sockets=[opened])
