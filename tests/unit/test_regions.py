"""Words between sites: every path through them is a reading, and every reading is a path."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin import regions
from unspin.channel import Matches, find
from unspin.language import START
from unspin.lexicon import Lexicon
from unspin.model import Entry
from unspin.regions import END, NONE, OPTION, Emissions, Words, emissions

LEXICON = Lexicon(
    Entry(spun, original, 0.3 - 0.01 * place)
    for place, (spun, original) in enumerate(
        [
            ("struggle", "war"),
            ("actual property", "real estate"),
            ("property", "land"),
            ("is aware of", "knows"),
            ("find out", "learn how to"),
            ("struggle", "hard long fight"),
        ]
    )
)


def laid(*sentences: str) -> tuple[Words, Matches, Emissions]:
    words = Words([sentence.split() for sentence in sentences], LEXICON)
    found, _ = find(words.known, words.stop, LEXICON)
    return words, found, emissions(words, found)


def paths(words: Words, laid: Emissions) -> list[list[str]]:
    """The words along every path, region by region."""
    names = {**dict(enumerate(words.words)), NONE: "-", END: "."}
    following: dict[int, list[int]] = {}
    for number, site in enumerate(laid.start.tolist()):
        following.setdefault(site, []).append(number)
    ends = {*laid.end.tolist()}
    found: list[list[str]] = []

    def walk(site: int, read: list[str]) -> None:
        if site not in following:
            found.append(read)
        for number in following.get(site, ()):
            walk(int(laid.end[number]), [*read, names[int(laid.word[number])]])

    for site in sorted(following.keys() - ends):
        walk(site, [])
    return found


def test_a_region_holds_its_readings_between_two_words_on_either_side() -> None:
    assert paths(*laid("the long struggle is over now")[::2]) == [
        ["the", "long", "struggle", "is", "over"],
        ["the", "long", "war", "is", "over"],
        ["the", "long", "hard", "long", "fight", "is", "over"],
    ]


def test_sentences_start_with_a_mark_and_nothing_is_asked_behind_them() -> None:
    assert paths(*laid("quiet", "struggle")[::2])[0] == ["-", START, "struggle", ".", "."]


def test_overlapping_matches_share_a_region_and_distant_ones_do_not() -> None:
    words, _, found = laid("actual property that he is aware of a struggle", "property")
    read = paths(words, found)
    assert ["-", START, "actual", "land", "that", "he"] in read
    assert ["that", "he", "knows", "a", "war", ".", "."] in read
    assert ["-", START, "land", ".", "."] in read
    assert len(read) == 3 + 2 * 3 + 2


def test_emissions_say_what_they_stand_for() -> None:
    words, found, made = laid("to find out more")
    (match,) = found
    option = slice(int(made.first[0]), None)
    assert [words.words[n] for n in made.word[option]] == ["learn", "how", "to"]
    assert set(made.token[option].tolist()) == {OPTION}
    assert {*zip(made.begin[option].tolist(), made.stop[option].tolist(), strict=True)} == {(match.start, match.end)}
    plain = made.token != OPTION
    kept = made.begin[plain] >= 0
    assert made.begin[plain][kept].tolist() == made.token[plain][kept].tolist() == [1, 2, 3]


@given(st.lists(st.lists(st.sampled_from("a struggle actual property is aware of find out".split())), min_size=1))
def test_depth_rises_along_every_word(sentences: list[list[str]]) -> None:
    words = Words(sentences, LEXICON)
    found, _ = find(words.known, words.stop, LEXICON)
    if found:
        made = emissions(words, found)
        assert (made.depth[made.start] < made.depth[made.end]).all()
        assert sorted({*made.start.tolist(), *made.end.tolist()}) == list(range(len(made.depth)))


def test_of_several_sentences_a_long_run_is_cut_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "LONGEST_REGION", 10)
    long = " ".join(["struggle"] * 15)
    for sentences in ((long, "struggle"), ("struggle", long), ("quiet words go by struggle", long, "a struggle")):
        _, _, made = laid(*sentences)
        starts = [n for n in range(len(made.start)) if made.start[n] not in made.end]
        assert len(starts) == len(sentences) + 1


def test_long_runs_are_cut_where_no_match_crosses(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(["struggle", "actual property", "struggle"] * 9)
    monkeypatch.setattr(regions, "LONGEST_REGION", 10)
    _, found, made = laid(text)
    starts = [n for n in range(len(made.start)) if made.start[n] not in made.end]
    places = [int(made.token[n]) + 2 for n in starts]  # the first token behind the two words before a region
    assert made.word[starts[0]] == NONE and len(starts) > 2
    assert all(10 < b - a <= 12 for a, b in itertools.pairwise(places[1:]))
    assert not any(match.start < place < match.end for match in found for place in places[1:])
