"""What each key of a review does, without a terminal: a script presses the keys."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from unspin.commands.review_screen import Draw
from unspin.commands.review_terminal import Review
from unspin.edit import cleaned
from unspin.errors import LedgerError
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, REJECT, Answer, Filter, Interface, Order, Reviewer, State
from unspin.review.session import Session

ANNA, BERT = Reviewer("anna", Interface.TERMINAL), Reviewer("bert")


class Script:
    """A screen on which keys are pressed as written; a line to type stands in angle brackets after its key."""

    def __init__(self, keys: str, *, before: dict[int, Callable[[], object]] | None = None) -> None:
        self.keys, self.before, self.pressed = keys, before or {}, 0
        self.pages: list[str] = []
        self.offered: list[str] = []

    def key(self, draw: Draw) -> str:
        rows, said, asked = draw(80, 20)
        assert all(len(line) <= 80 for line in (*rows, *said, asked))
        self.pages.append("\n".join([*rows, *said, asked]))
        self.before.pop(self.pressed, lambda: None)()
        if not self.keys:
            raise EOFError
        key, self.keys = self.keys[0], self.keys[1:]
        self.pressed += 1
        return key

    def line(self, prompt: str, text: str = "") -> str | None:
        self.offered.append(text)
        assert self.keys.startswith("<")
        typed, _, self.keys = self.keys[1:].partition(">")
        return None if typed == "^C" else typed


@pytest.fixture
def ledger(a_review: Path) -> Iterator[Ledger]:
    with Ledger(a_review / "unspin.db") as opened:
        yield opened


def play(ledger: Ledger, keys: str, *, order: Order = Order.POSITION, **options: object) -> tuple[Script, Review]:
    """Press keys, and see what the screen showed."""
    wanted = options.pop("wanted", Filter())
    script = Script(keys, before=options.pop("before", None))  # type: ignore[arg-type]
    with Session(ledger, ANNA, wanted=wanted, order=order, **options) as session:  # type: ignore[arg-type]
        review = Review(session, script, own=Path(ledger.name).parent / "unspin.tsv")
        review.run()
    return script, review


def text(ledger: Ledger, number: int = 1) -> str:
    return cleaned(ledger.restoration(number))


def states(ledger: Ledger) -> str:
    """The states of all items, a letter each: proposed, held, accepted, left (rejected), replaced."""
    letters = dict(zip(State, "phalr", strict=True))
    return "".join(letters[item.state] for item in ledger.items())


OPEN = "pppphppp"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("y", "appphppp"),
        ("n", "lppphppp"),
        ("1", "appphppp"),
        ("2", "rppphppp"),
        ("3", OPEN),
        ("0xZ\x1b", OPEN),
        ("e<war>", "appphppp"),
        ("e<struggle>", "lppphppp"),
        ("e< strife >", "rppphppp"),
        ("e<^C>", OPEN),
        ("e<>y", "rppphppp"),
        ("e<>n", OPEN),
        ("sy", "papphppp"),
        ("jy", "papphppp"),
        ("jky", "appphppp"),
        ("ykn", "lppphppp"),
        ("yynu", "aapphppp"),
        ("yynuuu", OPEN),
        ("u", OPEN),
        ("ay", "apaphppp"),
        ("an", OPEN),
        ("Ay", "apaphpap"),
        ("dy", "lplphppp"),
        ("Dy", "lplphplp"),
        ("Ayu", OPEN),
        ("Ayuy", "appphppp"),
        ("Ny", "lplphplp"),
        ("Nn", OPEN),
        ("Nyu", OPEN),
        ("/<2022>y", "ppppappp"),
        ("/<MORE>y", "pppahppp"),
        ("/<nowhere>y", "appphppp"),
        ("/<^C>y", "appphppp"),
        ("?qy", "appphppp"),
        ("qy", OPEN),
        ("\x04y", OPEN),
    ],
)
def test_what_keys_do(ledger: Ledger, keys: str, expected: str) -> None:
    play(ledger, keys)
    assert states(ledger) == expected


def test_every_answer_in_turn_makes_the_texts(ledger: Ledger) -> None:
    script, review = play(ledger, "yn2yyyyn")
    assert states(ledger) == "alraaaal"
    assert text(ledger) == (
        "The war was a unprecedented one, and the fight goes on. It costs more.\n\n"
        "four officials appeared on it in 2022.\n"
    )
    assert "All candidates have been shown.\nNothing is left open." in script.pages[-1]
    assert review.summary()[0].startswith("5 accepted, 2 rejected, 1 replaced; 0 left to review")


def test_a_page_says_what_is_known(ledger: Ledger) -> None:
    script, _ = play(ledger, "y")
    first, second = script.pages
    assert first.startswith("0/8  a.txt") and "proposed" in first.splitlines()[0]
    assert "  The [-struggle-]{+war+} was a unprecedented one, and the struggle goes on.\n" in first
    assert "  1   95 %  war       struggle ← war, rate 0.26, seen 347, learned" in first
    assert "  n    1 %  struggle  as it stands" in first
    assert first.endswith("Put “war” [y,n,1-2,e,s,a,A,d,D,N,u,j,k,/,q,?]? ")
    assert second.startswith("1/8  a.txt")
    assert "was [-a-]{+an+} [-unprecedented-]{+extraordinary+} one" in second
    assert "accepted: struggle → war" in second


def test_a_repeated_paragraph_goes_or_stays(ledger: Ledger) -> None:
    script, _ = play(ledger, "sssss1eaNn")
    assert "This paragraph repeats paragraph 1, which stays, word for word:" in script.pages[5]
    assert script.pages[5].endswith("Remove it [y,n,s,u,j,k,/,q,?]? ")
    assert all("goes (y) or stays (n)" in page for page in script.pages[6:8])
    assert all("no lexicon entry is behind" in page for page in script.pages[8:10])
    assert states(ledger) == "pppphlpp"


def test_bulk_answers_are_counted_first(ledger: Ledger) -> None:
    script, review = play(ledger, "AnayuDyNn")
    told = "\n".join(script.pages)
    assert "Accept 3 open ones of “struggle ← war” in all documents [y,n]?" in told
    assert "Accept 2 open ones of “struggle ← war” in a.txt [y,n]?" in told
    assert "accepted: “struggle ← war”, 2 times; u takes it back" in told
    assert "taken back: 2 answers" in told
    assert "Leave alone 3 open ones of “struggle ← war” in all documents [y,n]?" in told
    assert review.tally == {State.ACCEPTED: 0, State.REJECTED: 3}


def test_never_again_writes_the_lexicon_and_undo_takes_it_back(ledger: Ledger) -> None:
    own = Path(ledger.name).parent / "unspin.tsv"
    script, review = play(ledger, "Ny")
    assert own.read_text().splitlines()[1:] == ["struggle\twar\t0.26\t347\toff\tlearned\tnever again"]
    assert "Never again “struggle ← war”: off in unspin.tsv, 3 open ones left alone [y,n]?" in script.pages[1]
    assert f"1 entry off in {own}" in review.summary()[1]
    again, _ = play(ledger, "u")
    assert "taken back: 3 answers; “struggle ← war” stays off in unspin.tsv" in again.pages[-1]
    own.unlink()
    play(ledger, "NyyuuNyu")
    assert not own.exists()
    assert states(ledger) == OPEN


def test_never_again_does_nothing_where_the_lexicon_cannot_be_written(ledger: Ledger) -> None:
    own = Path(ledger.name).parent / "unspin.tsv"
    own.write_text("no lexicon\n")
    script, _ = play(ledger, "Ny")
    assert "line must name the columns: spun" in script.pages[-1]
    assert states(ledger) == OPEN
    assert own.read_text() == "no lexicon\n"


def test_never_again_spares_the_lexicon_where_the_ledger_refuses(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise LedgerError("unspin.db", "is locked")

    monkeypatch.setattr(ledger, "decide_all", refuse)
    script, _ = play(ledger, "Ny")
    assert "unspin.db: is locked" in script.pages[-1]
    assert not (Path(ledger.name).parent / "unspin.tsv").exists()


def test_what_somebody_else_decided_meanwhile_is_said_and_passed_over(ledger: Ledger) -> None:
    def bert() -> None:
        ledger.decide(1, REJECT, by=BERT)

    script, review = play(ledger, "yy", before={0: bert})
    assert "has been rejected by bert in the meantime" in script.pages[1]
    assert "extraordinary" in script.pages[1]
    assert states(ledger) == "lapphppp"
    assert review.tally[State.ACCEPTED] == 1


def test_an_undo_that_comes_too_late_stays_where_it_is(ledger: Ledger) -> None:
    script, _ = play(ledger, "yu", before={1: lambda: ledger.decide(1, REJECT, by=BERT)})
    assert "has been decided anew" in script.pages[-1]
    assert "extraordinary" in script.pages[-1]
    assert states(ledger) == "lppphppp"


def test_a_ledger_that_refuses_may_be_asked_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    decide = ledger.decide
    refusals = iter([LedgerError("unspin.db", "is locked by another program")])

    def refuse_once(*args: object, **options: object) -> object:
        for error in refusals:
            raise error
        return decide(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ledger, "decide", refuse_once)
    script, _ = play(ledger, "yy")
    assert "is locked by another program" in script.pages[1]
    assert states(ledger) == "appphppp"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("yyyyyyyy" + "u", "aaaaaaap"),
        ("yyyyyyyy" + "kn", "aaaaaaal"),
        ("syyyyyyy" + "sy", "aaaaaaaa"),
        ("syyyyyyy" + "yn", "laaaaaaa"),
        ("syyyyyyy" + "x" + "q", "paaaaaaa"),
        ("syyyyyyy" + "q" + "sy", "paaaaaaa"),
        ("ssssssss" + "syyyyyyyy", "aaaaaaaa"),
    ],
)
def test_after_the_last_one(ledger: Ledger, keys: str, expected: str) -> None:
    play(ledger, keys)
    assert states(ledger) == expected


def test_skipped_ones_are_offered_again(ledger: Ledger) -> None:
    script, _ = play(ledger, "syyyyyyy")
    assert "1 candidate skipped, or before somebody else." in script.pages[-1]
    assert script.pages[-1].endswith("See them again? [s,k,u,q]? ")


def test_back_shows_the_answer(ledger: Ledger) -> None:
    script, _ = play(ledger, "2nkk")
    assert "left as it stands" in script.pages[3].splitlines()[0]
    assert "replaced: fight" in script.pages[4].splitlines()[0]
    assert "The [-struggle-]{+fight+} was" in script.pages[4]


def test_an_answered_one_takes_no_never_again(ledger: Ledger) -> None:
    script, _ = play(ledger, "ykN")
    assert "this one is answered" in script.pages[-1]
    assert not (Path(ledger.name).parent / "unspin.tsv").exists()


def test_editing_starts_from_what_stands_there(ledger: Ledger) -> None:
    script, _ = play(ledger, "e<strife>ke<^C>jjjje<^C>")
    assert script.offered == ["war", "strife", "four"]


def test_a_second_opinion_is_blind_and_changes_nothing(ledger: Ledger) -> None:
    ledger.decide(1, ACCEPT, by=BERT)
    ledger.decide(4, Answer(State.REPLACED, "dear"), by=BERT)
    script, _ = play(ledger, "Any", second_opinion=True)
    assert script.pages[0].startswith("0/2  a.txt") and "second opinion" in script.pages[0]
    assert "one by one" in script.pages[1]
    assert "It costs [-extra-]{+more+}." in script.pages[2] and "dear" not in "".join(script.pages)
    assert states(ledger) == "appr" + OPEN[4:]
    assert [d.new for d in ledger.history(limit=2)] == [State.ACCEPTED, State.REJECTED]


@pytest.mark.parametrize(
    ("order", "shown"), [(Order.RISK, "{+four+}"), (Order.POSITION, "{+war+}"), (Order.ENTRY, "paragraph repeats")]
)
def test_the_order_is_the_one_asked_for(ledger: Ledger, order: Order, shown: str) -> None:
    script, _ = play(ledger, "y", order=order)
    assert shown in script.pages[0]


def test_a_filter_is_heeded(ledger: Ledger) -> None:
    script, _ = play(ledger, "yyyy", wanted=Filter(document=2))
    assert script.pages[0].startswith("0/2  b.txt")
    assert states(ledger) == "pppphpaa"


@pytest.mark.parametrize("size", [(40, 3), (40, 8), (80, 24), (300, 100)])
def test_every_size_of_terminal_is_enough(ledger: Ledger, size: tuple[int, int]) -> None:
    class Small(Script):
        def key(self, draw: Draw) -> str:
            rows, said, asked = draw(*size)
            assert all(len(line) <= size[0] for line in (*rows, *said, asked))
            return super().key(draw)

    with Session(ledger, ANNA) as session:
        Review(session, Small("yyysss?qnu"), own=Path("unspin.tsv")).run()
    assert ledger.status().counts.decided == 3


def test_what_a_dead_session_had_before_it_is_free_again(ledger: Ledger) -> None:
    with Session(ledger, BERT, order=Order.POSITION) as alive:
        shown = alive.next()
        assert shown and shown.id == 1
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        ledger.claim(f"{platform.node()} {ended.pid} 0123", order=Order.POSITION)
        ledger.claim("elsewhere 1 0123", order=Order.POSITION)
        with Session(ledger, ANNA, order=Order.POSITION) as session:
            found = session.next()
            assert found and found.id == 2
