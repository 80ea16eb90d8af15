"""A review in a real terminal: a person presses keys, and reads what the screen shows."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyte
import pytest

from unspin.review.ledger import Ledger
from unspin.review.model import Order, Reviewer, State

pytestmark = pytest.mark.skipif(os.name != "posix", reason="terminals as POSIX has them")

PATIENCE = 60.0  # seconds to wait for something to appear
UNSPIN = (sys.executable, "-c", "from unspin.cli import main; main()")
REVIEW = ("review", "--reviewer", "anna", "--order", "position")
OPEN = "pppphppp"
SPUN = (
    "The struggle is not any nearer to a decision. Officials at the moment are conscious that the struggle will "
    "proceed, and that a lot of the cash comes from overseas.\n\n"
)
NONE: Mapping[str, str] = {}
LEFT = b"\x1b[?1049l"  # the screen of pages is left
VARIABLES = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "UNSPIN_LEDGER", "UNSPIN_REVIEWER")


class Person:
    """Sits before `unspin` in a terminal of `columns` by `lines`; use it in a `with` statement."""

    def __init__(
        self, *args: str | Path, folder: Path, columns: int = 80, lines: int = 24, variables: Mapping[str, str] = NONE
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self._master, self._slave = pty.openpty()
        self.resize(columns, lines)
        found = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._found = termios.tcgetattr(self._slave)
        self.process = subprocess.Popen(
            [*UNSPIN, *map(str, args)],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            cwd=folder,
            env=found | path | {"TERM": "xterm-256color"} | dict(variables),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
        )

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for one in (self._master, self._slave):
            if one >= 0:
                os.close(one)

    @property
    def screen(self) -> str:
        """What is on the screen, without the blanks at the ends of lines."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._screen.resize(lines, columns)

    def press(self, keys: str | bytes) -> None:
        """Press keys, without waiting for anything."""
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def sees(self, *wanted: str, gone: Sequence[str] = ()) -> str:
        """Wait until the screen shows all that is wanted, and nothing that should be gone; what it shows then."""
        deadline = time.monotonic() + PATIENCE
        while not all(text in self.screen for text in wanted) or any(text in self.screen for text in gone):
            assert time.monotonic() < deadline, f"never seen: {wanted}, or never gone: {gone}; but\n{self.screen}"
            self._look()
        return self.screen

    def _look(self) -> bool:
        """Take in what was written. False: nothing comes any more."""
        if not select.select([self._master], [], [], 0.05)[0]:
            return self.process.poll() is None
        data = os.read(self._master, 65536)
        self.raw += data
        before, left, after = data.rpartition(LEFT)
        self._stream.feed(before)
        if left:
            self._screen.reset()  # pyte knows one screen only
        self._stream.feed(after)
        return True

    def leaves(self) -> int:
        """Wait until the program has ended; its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._look():
            assert time.monotonic() < deadline, f"it goes on:\n{self.screen}"
        return self.process.wait(PATIENCE)

    def hangs_up(self) -> int:
        """Close the terminal; the program's exit code."""
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1
        return self.process.wait(PATIENCE)

    @property
    def is_put_back(self) -> bool:
        """Are keys echoed again, and lines edited, as before?"""
        return termios.tcgetattr(self._slave) == self._found


@pytest.fixture
def anna(a_review: Path) -> Iterator[Person]:
    with Person(*REVIEW, folder=a_review) as person:
        person.sees("0/8  a.txt", "[-struggle-]" if "NO_COLOR" in os.environ else "struggle war")
        yield person


def states(folder: Path) -> str:
    """The states of all items, a letter each: proposed, held, accepted, left (rejected), replaced."""
    letters = dict(zip(State, "phalr", strict=True))
    with Ledger(folder / "unspin.db", create=False) as ledger:
        return "".join(letters[item.state] for item in ledger.items())


def test_keys_answer_without_enter(anna: Person, a_review: Path) -> None:
    anna.press("y")
    anna.sees("1/8", "accepted: struggle → war", "an unprecedented extraordinary")
    anna.press("n")
    anna.sees("2/8", "left as it stands: unprecedented")
    anna.press("2")
    anna.sees("3/8", "replaced: fight: for struggle")
    anna.press("s")
    anna.sees("3/8", "held: it changes a number")
    assert states(a_review) == "alrphppp"
    anna.press("q")
    assert anna.leaves() == 0
    anna.sees("1 accepted, 1 rejected, 1 replaced; 5 left to review", "`unspin review` goes on")
    assert anna.is_put_back


def test_what_is_typed_ahead_counts(anna: Person, a_review: Path) -> None:
    anna.press("ynyyyyyyq")
    assert anna.leaves() == 0
    assert states(a_review) == "alaaaaaa"


def test_an_edit_starts_from_what_is_proposed(anna: Person, a_review: Path) -> None:
    anna.press("e")
    anna.sees("Put there: war")
    anna.press("fare\n")
    anna.sees("replaced: warfare: for struggle")
    anna.press("e")
    anna.sees("Put there: extraordinary")
    anna.press("\x15unheard-of ✓\n")
    anna.sees("replaced: unheard-of ✓")
    anna.press("e")
    anna.sees("Put there: war")
    anna.press("\x03")
    anna.sees("nothing was done")
    anna.press("/")
    anna.sees("\n/")
    anna.press("2022\n")
    anna.sees("held: it changes a number")
    anna.press("q")
    assert anna.leaves() == 0
    assert states(a_review) == "rrpphppp"
    with Ledger(a_review / "unspin.db") as ledger:
        assert [item.answer for item in ledger.items()[:2]] == ["warfare", "unheard-of ✓"]


def test_a_key_and_its_line_may_be_typed_ahead(anna: Person, a_review: Path) -> None:
    anna.press("e\x15strife\nyq")
    assert anna.leaves() == 0
    assert states(a_review) == "rapphppp"


def test_bulk_never_and_undo(anna: Person, a_review: Path) -> None:
    anna.press("A")
    anna.sees("Accept 3 open ones of “struggle ← war” in all documents [y,n]?")
    anna.press("n")
    anna.sees("nothing was done")
    anna.press("ay")
    anna.sees("2/8", "accepted: “struggle ← war”, 2 times; u takes it back")
    anna.press("u")
    anna.sees("0/8", "taken back: 2 answers")
    anna.press("Ny")
    anna.sees("3/8", "never again: “struggle ← war”, off in unspin.tsv; 3 left alone")
    assert "struggle\twar\t0.26\t347\toff" in (a_review / "unspin.tsv").read_text()
    anna.press("u")
    anna.sees("0/8", "taken back: 3 answers; unspin.tsv, too")
    assert not (a_review / "unspin.tsv").exists()
    assert states(a_review) == OPEN


def test_moving_about(anna: Person) -> None:
    anna.press("j")
    anna.sees("Put “extraordinary”")
    anna.press("\x1b[A")  # the arrow up
    anna.sees("The struggle war")
    anna.press("\x1bOB")  # and down, as some terminals send it
    anna.sees("Put “extraordinary”")
    anna.press("k?")
    anna.sees("make the change", "quit; every answer is kept already")
    anna.press(" ")
    anna.sees("The struggle war", gone=["make the change"])
    anna.press("é\x1b")
    anna.sees("that key means nothing here")


def test_ctrl_c_loses_nothing(anna: Person, a_review: Path) -> None:
    anna.press("y")
    anna.sees("1/8")
    anna.press("\x03")
    assert anna.leaves() == 130
    anna.sees("1 accepted, 0 rejected, 0 replaced; 7 left to review")
    assert "Traceback" not in anna.screen
    assert anna.is_put_back
    assert states(a_review) == "appphppp"
    assert _is_unclaimed(a_review)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_other_signals_end_it_in_order(anna: Person, a_review: Path, sent: signal.Signals, code: int) -> None:
    anna.press("y")
    anna.sees("1/8")
    anna.process.send_signal(sent)
    assert anna.leaves() == code
    assert anna.is_put_back
    assert "Traceback" not in anna.raw.decode()
    assert _is_unclaimed(a_review)


def test_a_lost_terminal_loses_nothing(anna: Person, a_review: Path) -> None:
    anna.press("y")
    anna.sees("1/8")
    assert anna.hangs_up() == 129
    assert states(a_review) == "appphppp"
    assert _is_unclaimed(a_review)


def test_the_end_of_input_is_a_way_out(anna: Person, a_review: Path) -> None:
    anna.press("y\x04")
    assert anna.leaves() == 0
    assert states(a_review) == "appphppp"


def test_killed_in_the_middle_it_goes_on_where_it_was(anna: Person, a_review: Path) -> None:
    anna.press("yn")
    anna.sees("2/8")
    anna.process.kill()
    anna.process.wait()
    assert states(a_review) == "alpphppp"
    with Person(*REVIEW, folder=a_review) as again:
        again.sees("0/6  a.txt")
        again.press("yyyyyyq")
        assert again.leaves() == 0
    assert states(a_review) == "alaaaaaa"  # with what was on the screen of the one that was killed


def test_stopped_and_continued_it_is_drawn_again(anna: Person) -> None:
    anna.press("\x1a")
    _, status = os.waitpid(anna.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert anna.is_put_back
    drawn = len(anna.raw)
    anna.process.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + PATIENCE
    while b"struggle" not in anna.raw[drawn:]:
        assert time.monotonic() < deadline
        anna._look()
    anna.press("y")
    anna.sees("1/8")


def test_another_size_is_heeded_at_once(anna: Person) -> None:
    anna.sees("unprecedented one, and the struggle goes")
    anna.resize(44, 12)
    anna.sees("─" * 44, gone=["─" * 45])
    assert all(len(line) <= 44 for line in anna.screen.splitlines())
    anna.press("y")
    anna.sees("1/8", "an unprecedented")


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colour_words_say_it(a_review: Path, variables: dict[str, str]) -> None:
    with Person(*REVIEW, folder=a_review, variables=variables) as person:
        person.sees("[-struggle-]{+war+}", "1   95 %  war")
        person.press("y")
        person.sees("1/8", "accepted: struggle → war")
        person.press("q")
        assert person.leaves() == 0
        assert b"\x1b[3" not in person.raw and b"\x1b[1m" not in person.raw
        assert "dumb" not in variables.values() or b"\x1b" not in person.raw


def test_hostile_texts_do_not_reach_the_terminal(tmp_path: Path) -> None:
    evil = "The \x1b]0;owned\x07 strug\u202egle\u202c \x9b2J of 戦争 costs \x1b[2J extra \U0001f468\u200d\U0001f469.\n"
    (tmp_path / "a\x1b[2J.txt").write_text(SPUN * 4 + evil)
    with Person("review", "a\x1b[2J.txt", "--order", "position", folder=tmp_path) as person:
        person.sees("a␛[2J.txt", "0/")
        person.press("/")
        person.sees("\n/")
        person.press("owned\n")
        person.sees("The ␛]0;owned␇ strug⟨U+202E⟩gle war⟨U+202C⟩ ⟨U+009B⟩2J of 戦", "争 costs ␛[2J")
        person.press("q")
        assert person.leaves() == 0
        for sequence in (b"\x1b]0;", b"\x1b[2J", "\u202e".encode(), "\x9b".encode()):
            assert sequence not in person.raw


def test_two_reviewers_do_not_answer_the_same(anna: Person, a_review: Path) -> None:
    with Person("review", "--reviewer", "bert", "--order", "position", folder=a_review) as bert:
        bert.sees("Put “extraordinary”")
        with Ledger(a_review / "unspin.db") as ledger:
            ledger.decide(1, ledger.item(1).saying("struggle"), by=Reviewer("carl"))
        anna.press("y")
        anna.sees("has been rejected by carl in the meantime")
        anna.press("y")
        anna.sees("1/8")
        bert.press("y")
        bert.sees("1/8")
    assert states(a_review)[:3] == "laa"


@pytest.mark.parametrize("redirection", ["< /dev/null", "| cat", "> out.txt"])
def test_without_a_terminal_it_refuses_before_any_work(tmp_path: Path, redirection: str) -> None:
    (tmp_path / "a.txt").write_text("One.\n")
    line = f'"$@" review a.txt {redirection}'
    command = ["bash", "-o", "pipefail", "-c", line, "bash", *UNSPIN]
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=os.environ | path, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[-1].startswith("Error: a review asks a person, and needs a terminal")
    assert not (tmp_path / "unspin.db").exists()


def test_from_a_text_to_the_lexicon_and_back(tmp_path: Path) -> None:
    """All of it: a text is examined, an entry goes off, and the next review heeds that."""
    (tmp_path / "a.txt").write_text(SPUN)
    review = ("review", "a.txt", "--entry", "struggle", "--order", "position")
    with Person(*review, folder=tmp_path) as person:
        person.sees("0/2  a.txt", "struggle ← war")
        person.press("Nyq")
        assert person.leaves() == 0
    assert "off" in (tmp_path / "unspin.tsv").read_text()
    with Person("review", "a.txt", "--entry", "struggle=war", folder=tmp_path) as person:
        assert person.leaves() == 0
        person.sees("nothing is left to review")


def _is_unclaimed(folder: Path) -> bool:
    """Can somebody else have every open item?"""
    with Ledger(folder / "unspin.db") as ledger:
        found = ledger.claim("somebody", order=Order.POSITION)
        free = []
        while found is not None:
            free.append(found.id)
            found = ledger.claim("somebody", order=Order.POSITION, after=found.id)
        return free == [item.id for item in ledger.items(undecided=True)]
