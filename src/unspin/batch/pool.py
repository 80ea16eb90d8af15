"""Worker processes that live on: units of work go in, the same units with their outcomes come out, in the same order.

The queue is bounded, so that an endless input takes no more memory than a long one. A worker that dies is replaced; the
document it died over is tried once more, and has failed if that kills a worker, too. Refused, by `UnspinError`:
settings with which no worker can work.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from typing import Self

from unspin.batch.model import Outcome, Settings, Unit
from unspin.batch.worker import serve, tables
from unspin.errors import UnspinError
from unspin.heap import give_back

AHEAD = 4  # units a worker that are read before the oldest one is done ...
CHARACTERS = 2_000_000  # ... as long as they hold no more than this a worker
TRIES = 2  # workers that may die over a document
STARTS = 3  # workers in a row that may die before their first word
PATIENCE = 10.0  # seconds that a worker is given to end


@dataclass(slots=True, eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    unit: Unit | None = None
    is_ready: bool = False

    @property
    def is_idle(self) -> bool:
        return self.is_ready and self.unit is None


def context() -> ForkContext | SpawnContext:
    """How workers are made: forked, where that is safe, so that they share what was loaded before."""
    if "fork" in multiprocessing.get_all_start_methods() and os.uname().sysname != "Darwin":
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("spawn")


class Pool:
    """Some workers with the same settings, for as long as the `with` statement lasts."""

    def __init__(self, settings: Settings, jobs: int) -> None:
        self.settings, self.jobs = settings, jobs
        self.signature = ""
        self._context = context()
        self._workers: list[_Worker] = []
        self._deaths = 0  # in a row, before the first word

    def __enter__(self) -> Self:
        """Start the workers, and wait for the first. Raises InputError, FormatError or UnspinError."""
        if isinstance(self._context, ForkContext):
            tables(self.settings)
            gc.collect()
            give_back()
            gc.freeze()
        try:
            for _ in range(self.jobs):
                self._start()
            while not self.signature:
                self._receive(None)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        for worker in self._workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(PATIENCE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        is_forked = isinstance(self._context, ForkContext)
        inherited = [ours, *(worker.pipe for worker in self._workers)] if is_forked else []
        process = self._context.Process(target=serve, args=(self.settings, theirs, inherited), daemon=True)
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))

    @property
    def pids(self) -> list[int]:
        """The processes that work now."""
        return [worker.process.pid for worker in self._workers if worker.process.pid]

    def ordered(self, units: Iterable[Unit], finished: Callable[[Unit], None]) -> Iterator[Unit]:
        """The units, done, in their order; `finished` hears of each as soon as it is done here.

        Units that come with all their outcomes pass through. Whoever stops listening leaves units undone.
        """
        coming = iter(units)
        ahead: deque[Unit] = deque()  # all that were read and not handed on
        undone: deque[Unit] = deque()  # those of them that no worker has
        is_over = False
        while True:
            while ahead and ahead[0].is_done:
                yield ahead.popleft()
            if is_over and not ahead:
                return
            may_read = not is_over and len(undone) < self.jobs and self._has_room(ahead)
            if may_read:
                unit = next(coming, None)
                is_over = unit is None
                if unit is not None:
                    ahead.append(unit)
                    undone.extend([] if unit.is_done else [unit])
            self._assign(undone)
            if any(worker.unit or not worker.is_ready for worker in self._workers):
                for done in self._receive(0.0 if may_read else None, undone):
                    finished(done)

    def _has_room(self, ahead: Iterable[Unit]) -> bool:
        sizes = [unit.size for unit in ahead]
        return len(sizes) < AHEAD * self.jobs and sum(sizes) < CHARACTERS * self.jobs

    def _assign(self, undone: deque[Unit]) -> None:
        for worker in self._workers:
            if undone and worker.is_idle:
                worker.unit = undone.popleft()
                with suppress(OSError):  # it died: whoever reads from it will see
                    worker.pipe.send(worker.unit.tasks[len(worker.unit.outcomes) :])

    def _receive(self, timeout: float | None, undone: deque[Unit] | None = None) -> list[Unit]:
        """Take what workers have to say, and return the units that are done by it; wait for a word if there is none."""
        pipes = {worker.pipe: worker for worker in self._workers}
        done = []
        for pipe in wait(list(pipes), timeout):
            assert isinstance(pipe, Connection)
            worker = pipes[pipe]
            try:
                said = pipe.recv()
            except (EOFError, OSError):
                done += self._bury(worker, undone)
                continue
            unit = worker.unit
            if unit is None:
                self._welcome(worker, *said)
            else:
                unit.outcomes.append(said)
                unit.lost = 0
                if unit.is_done:
                    worker.unit = None
                    done.append(unit)
        return done

    def _welcome(self, worker: _Worker, can_work: bool, said: str) -> None:
        if not can_work:
            raise UnspinError(said)
        worker.is_ready, self.signature, self._deaths = True, said, 0

    def _bury(self, worker: _Worker, undone: deque[Unit] | None) -> list[Unit]:
        """Replace a worker that died, and return its unit if that is done for."""
        worker.pipe.close()
        worker.process.join(PATIENCE)
        self._workers.remove(worker)
        cause = _cause(worker.process.exitcode)
        self._deaths += not worker.is_ready
        if self._deaths >= STARTS:
            raise UnspinError(f"workers die as they start: {cause}; try fewer --jobs")
        self._start()
        unit = worker.unit
        if unit is None:
            return []
        unit.lost += 1
        if unit.lost >= TRIES:
            unit.outcomes.append(Outcome(error=f"two workers died over it: {cause}"))
            unit.lost = 0
        if unit.is_done:
            return [unit]
        assert undone is not None
        undone.appendleft(unit)
        return []


def _cause(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    name = signal.Signals(-exit_code).name
    return f"{name}, perhaps for want of memory" if -exit_code == signal.SIGKILL else name
