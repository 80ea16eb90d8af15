"""Work that is shared with processes forked from this one: they see all that it holds, unread and uncopied.

A function and its arguments come in; out come its results, as a process finishes each. What a child raises, its parent
raises. Only results and arguments are sent, so these must be few beside the work. Refused: nothing; where processes are
not forked well, `can_fork` is False, and the caller does the work alone.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

T = TypeVar("T")

can_fork = sys.platform == "linux"  # elsewhere system libraries break in a forked process, or there are none

_work: list[Callable[..., Any]] = []  # in a child: what it was forked for


@contextmanager
def forked(work: Callable[..., T], jobs: int) -> Iterator[Callable[..., Future[T]]]:
    """What calls `work` in one of `jobs` processes."""
    with ProcessPoolExecutor(jobs, get_context("fork"), _begin, (work,)) as pool:
        try:
            yield lambda *arguments: pool.submit(_do, *arguments)
        except BaseException:
            pool.shutdown(cancel_futures=True)  # else all that waits would be done first
            raise


@contextmanager
def uncollected() -> Iterator[None]:
    """No looking for garbage meanwhile, for work that makes very many things and no cycles among them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _begin(work: Callable[..., Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends its children
    gc.disable()  # to look for garbage among what the parent has would copy it
    _work[:] = [work]


def _do(*arguments: Any) -> Any:
    return _work[0](*arguments)
