"""How commands meet the terminal: product on standard output, talk on standard error, colours, progress.

Product is UTF-8 whatever the locale, and goes out byte for byte. Talk shows no character that could drive the
terminal. Refused, by `OutputError`: a standard output that cannot be written.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import IO, TYPE_CHECKING, NoReturn, TextIO

import click

from unspin.errors import OutputError, UnspinError, reason

if TYPE_CHECKING:
    from rich.progress import TaskID
    from rich.table import Table

    from unspin.model import Progress

STDOUT = "standard output"
FAILED = 3  # exit codes
PIPE_CLOSED = 141  # 128 + SIGPIPE, as shells have it
MANY, LARGE = 3, 1_000_000  # texts and bytes above which progress is shown


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sits at a standard stream; a closed one is None."""
    return stream is not None and stream.isatty()


def product(content: str | bytes) -> None:
    """Write text, in UTF-8, or bytes to standard output."""
    if sys.stdout is None:  # `>&-` in a shell
        raise OutputError(STDOUT, "is closed")
    try:
        _write(sys.stdout.buffer, content)
    except BrokenPipeError:
        _leave()
    except OSError as error:
        raise OutputError(STDOUT, f"cannot be written: {reason(error)}") from error


def _write(stream: IO[bytes], content: str | bytes) -> None:
    # File names come with stray bytes as surrogates: they go out as the bytes they were.
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
    if sys.stdout.isatty() and data and not data.endswith(b"\n"):
        data += b"\n"  # what comes next on the screen starts a line
    left = memoryview(data)
    while left:  # an unbuffered stream (PYTHONUNBUFFERED) may take a part only
        left = left[stream.write(left) :]
    stream.flush()


def _leave() -> NoReturn:
    """End quietly: nobody reads on (`| head`)."""
    # Python flushes the streams once more at exit, which must not fail again.
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        os.dup2(null, stream.fileno())
    sys.exit(PIPE_CLOSED)


def legible(text: str) -> str:
    """One line, with every character that is not seen replaced.

    >>> legible("a" + chr(27) + "[2J  b" + chr(10) + "c")
    'a\ufffd[2J b c'
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))


def counted(number: int, thing: str, things: str = "") -> str:
    """A number of things in words.

    >>> counted(1, "swap"), counted(1200, "entry", "entries")
    ('1 swap', '1,200 entries')
    """
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def say(message: str) -> None:
    """Write a line to standard error, unless that is closed."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(legible(message) + "\n")  # not click.echo, which writes past the progress bar
        sys.stderr.flush()
    except BrokenPipeError:
        _leave()


def complain(error: UnspinError | str) -> None:
    """Tell of a failure on standard error."""
    say(f"unspin: error: {error}")


class Failures:
    """Counts the failures of single texts. Each is told at once, and the other texts are still done."""

    def __init__(self, known: Sequence[UnspinError] = ()) -> None:
        self.count = len(known)
        for error in known:
            complain(error)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Tell of a failure inside, and go on; a standard output that is gone is everybody's failure."""
        try:
            yield
        except UnspinError as error:
            if isinstance(error, OutputError) and error.path == STDOUT:
                raise
            complain(error)
            self.count += 1

    def add(self, failure: object) -> None:
        """Tell of a failure that is a value, and count it."""
        complain(str(failure))
        self.count += 1

    def exit(self, code: int = 0) -> None:
        """End the command with FAILED if anything failed, or else with `code`."""
        click.get_current_context().exit(FAILED if self.count else code)


def wants_colour(choice: bool | None) -> bool:
    """Colours on standard output: as asked for; else by NO_COLOR and FORCE_COLOR; else if it is a terminal."""
    if choice is not None:
        return choice
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb"


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table; a column whose name starts with "#" holds figures."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        figures = column.startswith("#")
        made.add_column(
            column.removeprefix("#"), justify="right" if figures else "left", no_wrap=figures, overflow="fold"
        )
    return made


def drawn(made: Table, *, colour: bool) -> str:
    """A table as text, no wider than the terminal (80 columns where there is none)."""
    from rich.console import Console

    console = Console(
        file=StringIO(),
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
    )
    if made.title:
        console.print(made.title, style="bold", soft_wrap=True)  # not folded to the width of the table
        made.title = None
    console.print(made)
    assert isinstance(console.file, StringIO)
    return "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines())


def is_fit_for_bars() -> bool:
    """Is standard error a terminal on which something can be drawn?"""
    return is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"


@contextmanager
def progress(label: str, *, shown: bool = True) -> Iterator[Progress]:
    """A function to report a stage's name, steps done and steps in all (0: unknown) to.

    Draws bars on standard error if that is a terminal, and nothing otherwise.
    """
    if not shown or not is_fit_for_bars():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(f"{label}: {stage}", total=None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield report
