"""How far a batch has come: a bar on a terminal, a line now and then elsewhere.

In come tallies as the work goes on; out go, on standard error, documents, words a second, edits, errors and the time
left, which is judged by bytes of the inputs, where these are known.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING

from unspin.batch.model import Tally, Unit
from unspin.commands.terminal import counted, is_fit_for_bars, say
from unspin.files import Source

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

EVERY = 30.0  # seconds between two lines
DRAWN = 0.2  # seconds between two drawings
PACKED = 3.0  # characters in a byte of a compressed file, about


class _Clock:
    """How much of the input is done, in bytes, and how long it took."""

    def __init__(self, sources: Sequence[Source]) -> None:
        sizes = [_size(source) for source in sources]
        self._before = [0, *accumulate(sizes)]
        self.total = 0 if 0 in sizes else self._before[-1]
        self.start = time.monotonic()
        self.done, self._position, self._inside = 0, -1, 0.0
        self._known = 0.0  # bytes that were passed over, for an earlier run did them

    def tick(self, unit: Unit) -> None:
        position = unit.part.position
        if position != self._position:
            if position != self._position + 1:
                self._known += self._before[position] - self._before[self._position + 1]
            self._position, self._inside = position, 0.0
        is_packed = unit.part.reader is not None and bool(unit.part.reader.packing)
        self._inside += unit.size / (PACKED if is_packed else 1.0)
        size = self._before[position + 1] - self._before[position]
        self.done = self._before[position] + int(min(self._inside, size))

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return max(1e-3, time.monotonic() - self.start)

    @property
    def left(self) -> float | None:
        """Seconds to the end, if that can be told."""
        done = self.done - self._known
        return self.elapsed * (self.total - self.done) / done if self.total and done > 0 else None


def _size(source: Source) -> int:
    try:
        return source.path.stat().st_size if source.path else 0
    except OSError:
        return 0


def line(tally: Tally, *, elapsed: float, left: float | None) -> str:
    """How far it has come, in words.

    >>> line(Tally(documents=1200, words=600000, restored=600000, swaps=40, errors=1), elapsed=20.0, left=90.0)
    '1,200 documents, 30,000 words/s, 40 swaps restored, 1 error, 2 minutes left'
    """
    parts = [counted(tally.documents, "document"), f"{tally.restored / elapsed:,.0f} words/s"]
    parts.append(counted(tally.swaps, "swap") + " restored")
    parts += [counted(tally.errors, "error")] if tally.errors else []
    if left is not None:
        minutes = round(left / 60)
        parts.append("less than a minute left" if minutes < 1 else counted(minutes, "minute") + " left")
    return ", ".join(parts)


@contextmanager
def meter(sources: Sequence[Source], *, shown: bool) -> Iterator[Callable[[Tally, Unit], None]]:
    """A function to tell of every unit."""
    clock = _Clock(sources)
    if shown and is_fit_for_bars():
        with _bars() as (bars, task):
            yield _drawer(clock, bars, task)
        return
    said = time.monotonic()

    def told(tally: Tally, unit: Unit) -> None:
        nonlocal said
        clock.tick(unit)
        if shown and time.monotonic() - said >= EVERY:
            said = time.monotonic()
            say(line(tally, elapsed=clock.elapsed, left=clock.left))

    yield told


@contextmanager
def _bars() -> Iterator[tuple[Bars, TaskID]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn())
    # Without a thread of its own: workers are forked while it is shown.
    with Progress(*columns, console=Console(file=sys.stderr), transient=True, auto_refresh=False) as bars:
        yield bars, bars.add_task("starting", total=None)


def _drawer(clock: _Clock, bars: Bars, task: TaskID) -> Callable[[Tally, Unit], None]:
    drawn = 0.0

    def told(tally: Tally, unit: Unit) -> None:
        nonlocal drawn
        clock.tick(unit)
        if (now := time.monotonic()) - drawn < DRAWN:
            return
        drawn = now
        told = line(tally, elapsed=clock.elapsed, left=clock.left)
        bars.update(task, description=told, completed=clock.done, total=clock.total or None)
        bars.refresh()

    return told
