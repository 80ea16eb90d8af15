"""Work shared with forked processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from unspin.processes import forked


def test_children_see_what_the_parent_holds_and_results_come_back() -> None:
    held = {"words": ["a", "b"]}
    with forked(lambda number: (held["words"] * number, os.getpid()), 2) as call:
        futures = [call(number) for number in range(4)]
        found = [future.result() for future in futures]
    assert [words for words, _ in found] == [["a", "b"] * number for number in range(4)]
    assert os.getpid() not in {process for _, process in found}


def test_what_a_child_raises_the_parent_raises() -> None:
    with pytest.raises(ZeroDivisionError), forked(lambda number: 1 // number, 1) as call:
        call(0).result()


def test_what_waits_is_given_up_when_the_parent_fails(tmp_path: Path) -> None:
    def work(number: int) -> None:
        (tmp_path / str(number)).touch()
        time.sleep(0.05)

    with pytest.raises(KeyboardInterrupt), forked(work, 1) as call:
        futures = [call(number) for number in range(40)]
        futures[0].result()
        raise KeyboardInterrupt
    assert 1 <= len(list(tmp_path.iterdir())) < 40
