"""Several at one ledger: processes that are killed, reviewers who reach for the same item, and how far they agree."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from unspin.model import Candidate, Restoration
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, EVERYTHING, REJECT, Answer, Order, Reviewer, State
from unspin.review.session import Session

Restored = Callable[..., tuple[Restoration, list[Candidate]]]
ANNA, BERT = Reviewer("anna"), Reviewer("bert")
TEXTS = 12  # of five items each

# Answers everything, and says which item is answered once that is committed.
ANSWERING = """
import sys
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, Order, Reviewer
from unspin.review.session import Session
with Ledger(sys.argv[1]) as ledger, Session(ledger, Reviewer(sys.argv[2]), order=Order(sys.argv[3])) as session:
    while session.next():
        session.answer(ACCEPT)
        print(session.current.id, flush=True)
"""


def fill(ledger: Ledger, restored: Restored, number: int = TEXTS) -> None:
    for n in range(number):
        text = restored()[0].original
        ledger.add(f"{n}.txt", *restored(f"Number {n}. {text}"))


def answering(database: str, name: str, order: Order = Order.RISK) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ANSWERING, database, name, order]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("seed", range(2))
def test_what_was_answered_survives_kill(database: str, restored: Restored, seed: int) -> None:
    with Ledger(database) as ledger:
        fill(ledger, restored)
    process = answering(database, "anna")
    assert process.stdout
    told = [int(process.stdout.readline()) for _ in range(random.Random(seed).randrange(1, 40))]
    process.send_signal(signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().split()]
    process.wait()
    with Ledger(database) as ledger:
        answered = {item.id for item in ledger.items() if item.state is State.ACCEPTED}
        assert set(told) <= answered
        assert len(answered) <= len(told) + 1  # one may be committed and not told of
        assert {decision.item for decision in ledger.history()} == answered
        assert ledger.count() == 5 * TEXTS


@pytest.mark.parametrize("order", [Order.RISK, Order.POSITION])
def test_processes_share_a_queue_without_meeting(database: str, restored: Restored, order: Order) -> None:
    with Ledger(database) as ledger:
        fill(ledger, restored)
    processes = [answering(database, name, order) for name in ("anna", "bert")]
    told = [[int(line) for line in process.communicate(timeout=300)[0].split()] for process in processes]
    assert all(process.returncode == 0 for process in processes)
    every = [number for numbers in told for number in numbers]
    assert len(every) == len(set(every)) == 5 * TEXTS
    with Ledger(database) as ledger:
        assert len(ledger.history()) == 5 * TEXTS


def test_threads_share_a_ledger_without_meeting(database: str, restored: Restored) -> None:
    with Ledger(database) as ledger:
        fill(ledger, restored, 10)

        def claim(number: int) -> list[int]:
            found = []
            for turn in range(10):
                item = ledger.claim(f"{number}.{turn}")
                assert item
                found.append(item.id)
            return found

        with ThreadPoolExecutor(4) as pool:
            claimed = [number for numbers in pool.map(claim, range(4)) for number in numbers]
        assert len(set(claimed)) == 40


def test_a_claim_lapses(database: str, restored: Restored) -> None:
    now = 0
    with Ledger(database, clock=lambda: now) as ledger:
        ledger.add("a.txt", *restored())
        first = ledger.claim("one", lease=60)
        other = ledger.claim("other", lease=60)
        assert first and other and first.id != other.id
        now = 59_999
        assert ledger.claim("third") != first
        now = 60_000
        assert ledger.claim("third") == first


def test_a_claim_ends_with_its_session(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    with Session(ledger, ANNA) as session:
        first = session.next()
    assert ledger.claim("another") == first


def test_what_another_has_before_him_is_left_to_him(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    mine = ledger.claim("anna")
    assert mine
    assert ledger.decide_all(EVERYTHING, ACCEPT, by=BERT, holder="bert") == 4
    assert ledger.item(mine.id).state is mine.state


def test_a_clock_that_is_put_back_does_not_change_what_was_last(database: str, restored: Restored) -> None:
    now = 2_000_000
    with Ledger(database, clock=lambda: now) as ledger:
        ledger.add("a.txt", *restored())
        first, *_ = ledger.items()
        ledger.decide(first.id, ACCEPT, by=ANNA)
        now = 1_000_000
        ledger.decide(first.id, REJECT, by=ANNA)
        ledger.undo(by=ANNA)
        assert ledger.item(first.id).state is State.ACCEPTED
        assert [decision.act for decision in ledger.history(item=first.id)] == ["undo", "decide", "decide"]


def test_agreement(ledger: Ledger, restored: Restored) -> None:
    pytest.importorskip("nltk", reason="the extra agreement is not installed")
    fill(ledger, restored, 2)
    words = sorted(ledger.items(), key=lambda item: item.duplicate is not None)
    answers = [ACCEPT] * 4 + [Answer(State.REPLACED, "fight")] + [REJECT] * 5
    for item, answer in zip(words, answers, strict=True):
        ledger.decide(item.id, answer, by=ANNA)
    for item, answer in zip(words, [*answers[:4], Answer(State.REPLACED, "war"), ACCEPT, *answers[6:]], strict=True):
        ledger.decide(item.id, answer, by=BERT, is_opinion=True)
    (agreement,) = ledger.status().agreement
    assert (agreement.one, agreement.other, agreement.items, agreement.equal) == ("anna", "bert", 10, 0.8)
    # By hand: anna accepts 4, rejects 5, replaces 1; bert accepts 5, rejects 4, replaces otherwise 1.
    by_chance = 0.4 * 0.5 + 0.5 * 0.4
    assert agreement.kappa() == pytest.approx((0.8 - by_chance) / (1 - by_chance))
    assert ledger.status().fields()["agreement"][0]["equal"] == 0.8


def test_kappa_is_undefined_where_all_say_the_same(ledger: Ledger, restored: Restored) -> None:
    pytest.importorskip("nltk", reason="the extra agreement is not installed")
    ledger.add("a.txt", *restored())
    ledger.decide_all(EVERYTHING, ACCEPT, by=ANNA)
    for item in ledger.items():
        ledger.decide(item.id, ACCEPT, by=BERT, is_opinion=True)
    (agreement,) = ledger.status().agreement
    assert (agreement.equal, agreement.kappa()) == (1.0, None)


def test_an_opinion_that_is_taken_back_does_not_count(ledger: Ledger, restored: Restored) -> None:
    ledger.add("a.txt", *restored())
    first, *_ = ledger.items()
    ledger.decide(first.id, ACCEPT, by=ANNA)
    ledger.decide(first.id, REJECT, by=BERT, is_opinion=True)
    assert ledger.status().agreement[0].equal == 0.0
    ledger.undo(by=BERT)
    assert ledger.status().agreement == ()
    assert ledger.item(first.id).state is State.ACCEPTED
