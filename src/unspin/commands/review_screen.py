"""A terminal that shows pages and reads single keys. POSIX; elsewhere keys are read as click reads them.

In come functions that draw a page at a given size; out go keys, and lines that a person typed. A page is drawn anew
when the terminal's size changes and when the program comes back to the foreground. Whatever ends the program, except
`kill -9`, the terminal is put back as it was. Refused, by EOFError: to read from a terminal that is gone.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Self

import click

if os.name == "posix":
    import termios

HUNG_UP = 129  # exit code: 128 + SIGHUP, as shells have it
CALM = 18  # rows: the question stays in its place, unless a page needs more
TALLEST = 30  # rows that are used
LOOK = 0.2  # seconds between looks at the terminal's size
_LULL = 0.05  # seconds in which the rest of a special key comes
_OTHER_SCREEN, _FIRST_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST = "\x1b[H", "\x1b[K", "\x1b[J"

# Rows for a width and a height; and, for below them, what the last key did and what is asked.
Draw = Callable[[int, int], tuple[Sequence[str], Sequence[str], str]]


class Terminal:
    """The terminal on standard input and output, while a `with` statement lasts."""

    def __init__(self) -> None:
        self._is_plain = os.environ.get("TERM", "dumb") == "dumb"  # pages follow one another
        self._cooked: list[Any] | None = None
        self._handlers: dict[int, Any] = {}
        self._is_stale = False

    def __enter__(self) -> Self:
        if os.name == "posix":
            self._handlers = {
                signal.SIGTSTP: signal.signal(signal.SIGTSTP, self._pause),
                signal.SIGHUP: signal.signal(signal.SIGHUP, self._hang_up),
            }
        self._take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._give_back()

    def key(self, draw: Draw) -> str:
        """Show a page, and wait for a key: a character, or the sequence of a special key. Raises EOFError."""
        size = self._show(draw)
        while not self._is_pressed():
            if self._is_stale or self._size() != size:
                self._is_stale = False
                size = self._show(draw)
        try:
            return self._read()
        except OSError as error:
            raise EOFError from error

    def line(self, prompt: str, text: str = "") -> str | None:
        """A line that a person types below the page, `text` to begin with. None: it was broken off (Ctrl-C, Ctrl-D)."""
        self._write(("\n" if self._is_plain else "\r") + (_REST_OF_LINE if not self._is_plain else ""))
        with self._as_found(), _prefilled(text):
            try:
                return input(prompt)
            except (EOFError, KeyboardInterrupt):
                return None

    # showing

    def _size(self) -> os.terminal_size:
        return shutil.get_terminal_size()

    def _show(self, draw: Draw) -> os.terminal_size:
        size = self._size()
        most = max(1, min(size.lines, TALLEST) - 3)
        rows, said, question = draw(size.columns, most)
        if self._is_plain:
            self._write("\n".join(["", *rows, "", *said, question]))
            return size
        most = max(0, most + 1 - len(said))
        gap = [""] * (min(CALM, most) - len(rows))
        lines = [*rows[:most], "", *gap, *said, question][-size.lines :]
        self._write(_HOME + "\r\n".join(line + _REST_OF_LINE for line in lines) + _REST)
        return size

    def _write(self, text: str) -> None:
        try:
            data = memoryview(text.encode("utf-8", "surrogateescape"))
            while data:
                data = data[os.write(sys.stdout.fileno(), data) :]
        except OSError as error:  # the terminal is gone
            raise EOFError from error

    # reading

    def _is_pressed(self) -> bool:
        return os.name != "posix" or bool(select.select([sys.stdin], [], [], LOOK)[0])

    def _read(self) -> str:
        """One key, and no more: what was typed ahead stays for whoever reads next."""
        if os.name != "posix":
            return click.getchar()
        data = self._byte()
        if data == b"\x1b":
            while select.select([sys.stdin], [], [], _LULL)[0]:
                data += self._byte()
                if (len(data) > 2 and data[-1:].isalpha()) or data[-1:] == b"~":
                    break
        for _ in range((data[0] >= 0xC0) + (data[0] >= 0xE0) + (data[0] >= 0xF0)):  # the rest of a UTF-8 character
            data += self._byte()
        return data.decode("utf-8", "replace").replace("\x1bO", "\x1b[")

    def _byte(self) -> bytes:
        data = os.read(sys.stdin.fileno(), 1)
        if not data:
            raise EOFError
        return data

    # the terminal's state

    def _take(self) -> None:
        """Keys come one by one, unseen; pages have a screen of their own."""
        if os.name == "posix":
            self._cooked = termios.tcgetattr(sys.stdin)
            changed = termios.tcgetattr(sys.stdin)
            changed[3] &= ~(termios.ECHO | termios.ICANON)
            changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, changed)  # not TCSAFLUSH: what was typed ahead counts
        if not self._is_plain:
            self._write(_OTHER_SCREEN)

    def _give_back(self) -> None:
        with suppress(EOFError, OSError, *([termios.error] if os.name == "posix" else [])):  # it may be gone
            self._write("\n" if self._is_plain else _FIRST_SCREEN)
        with suppress(OSError, *([termios.error] if os.name == "posix" else [])):
            self._cook()

    def _cook(self) -> None:
        if os.name == "posix" and self._cooked is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._cooked)

    @contextmanager
    def _as_found(self) -> Iterator[None]:
        """Lines can be typed and edited, as everywhere else."""
        found = termios.tcgetattr(sys.stdin) if os.name == "posix" else None
        self._cook()
        try:
            yield
        finally:
            if found is not None:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, found)

    # signals

    def _pause(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: leave the terminal to the shell, and take it again when the shell says so (`fg`)."""
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._take()
        self._is_stale = True

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        """The terminal is gone: end in order, so that what is claimed is given back."""
        sys.exit(HUNG_UP)


@contextmanager
def _prefilled(text: str) -> Iterator[None]:
    """The next line that is read begins with a text, where Python can edit lines."""
    try:
        import readline
    except ImportError:
        yield
        return
    readline.set_startup_hook(lambda: readline.insert_text(text))
    try:
        yield
    finally:
        readline.set_startup_hook(None)
