"""The lexicon of one's own: an entry goes off, everything else stays, and it can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import WAR

from unspin.errors import LexiconError, OutputError
from unspin.lexicon import Lexicon, check, read
from unspin.model import Entry, Status
from unspin.review.overlay import NAME, is_silenced, restore, silence, with_own

HEAD = "spun\toriginal\trate\tseen\tstatus\tsource\tnote\n"
MINE = (
    f"# mine\n{HEAD}"
    "# about extra\n"
    "extra\tmore\t0.980\t8922\tauto\tlearned\t\n"
    "# about time\n"
    "time period\tterm\t0.4455\t8\tauto\tlearned\tkeep\n"
    "# the end\n"
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / NAME


def test_an_entry_is_off_in_a_file_of_its_own_which_goes_when_it_is_taken_back(own: Path) -> None:
    done = silence(own, WAR)
    assert own.read_text() == HEAD + "struggle\twar\t0.26\t347\toff\tlearned\tnever again\n"
    assert is_silenced(own, WAR)
    assert done is not None and restore(done)
    assert not own.exists()


def test_what_stands_there_stays_as_it_is(own: Path) -> None:
    own.write_text(MINE)
    done = silence(own, WAR)
    added = "struggle\twar\t0.26\t347\toff\tlearned\tnever again\n"
    assert own.read_text() == MINE.replace("# about time\n", f"{added}# about time\n")
    assert [problem.message for problem in check(read(own)[1])] == []
    assert done and restore(done)
    assert own.read_text() == MINE


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_entry_that_is_there_changes_its_status_alone(own: Path, end: str) -> None:
    own.write_bytes(MINE.replace("\n", end).encode())
    done = silence(own, Entry("Time Period", "term", 0.1, source="learned"))
    assert own.read_bytes().decode() == MINE.replace("8\tauto", "8\toff").replace("\n", end)
    assert silence(own, Entry("time period", "term", 0.1, source="learned")) is None
    assert done and restore(done)
    assert own.read_bytes().decode() == MINE.replace("\n", end)


def test_a_line_that_was_changed_since_is_left_alone(own: Path) -> None:
    done = silence(own, WAR)
    changed = own.read_text().replace("never again", "but why?")
    own.write_text(changed)
    assert done and not restore(done)
    assert own.read_text() == changed


def test_a_file_that_is_no_lexicon_is_refused_and_stays(own: Path) -> None:
    own.write_text("hello\n")
    with pytest.raises(LexiconError, match="must name the columns"):
        silence(own, WAR)
    assert own.read_text() == "hello\n"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        silence(tmp_path / "gone" / NAME, WAR)


def test_it_overrules_the_other_lexicons(own: Path) -> None:
    theirs = own.with_name("theirs.tsv")
    theirs.write_text(HEAD + "struggle\twar\t0.26\t347\tauto\tlearned\t\n")
    assert with_own([str(theirs)], own.parent) == (str(theirs),)
    assert with_own([], own.parent) == ()
    silence(own, WAR)
    assert with_own([], own.parent) == ("en-autoblog", str(own))
    lexicon = Lexicon.load(*with_own([str(theirs)], own.parent))
    assert [entry.status for entry in lexicon.entries] == [Status.OFF]
    assert lexicon.active == ()


@settings(deadline=None, max_examples=30)  # files are written
@given(st.lists(st.sampled_from(["war", "fight", "battle", "War", "strife"]), min_size=1, unique=True))
def test_taking_all_back_in_turn_leaves_nothing(tmp_path_factory: pytest.TempPathFactory, heads: list[str]) -> None:
    path = tmp_path_factory.mktemp("own") / NAME
    done = [silence(path, Entry("struggle", head, 0.5, source="learned")) for head in heads]
    assert not list(check(read(path)[1]))
    for one in reversed([one for one in done if one]):
        assert restore(one)
    assert not path.exists()
