"""Learning back the table of a synthetic spinner, and refusing malformed pairs."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

from unspin.align import Pair, read_pairs
from unspin.errors import FormatError, InputError
from unspin.learn import learn
from unspin.lexicon import order
from unspin.model import Entry

# Heads of one to five words, some inside others, with the alternates among which an article draws once.
TABLE = {
    "war": ("struggle", "battle"),
    "deals": ("offers",),
    "business": ("enterprise", "commerce"),
    "knows": ("is aware of",),
    "how to": ("find out how to",),
    "against": ("in opposition to",),
    "even though": ("despite the fact that",),
    "never": ("by no means",),
    "real estate": ("actual property",),
    "heart": ("coronary heart", "core"),
    "a new": ("a brand new",),
    "new": ("recent",),
    "year": ("yr", "12 months"),
    "as well as": ("in addition to",),
    "one of the": ("one of many",),
    "is trying to": ("is attempting to", "is making an attempt to"),
    "big": ("large", "huge", "massive"),
    "side": ("aspect", "facet"),
    "at the end of the": ("on the finish of the",),
    "end": ("finish",),
}
TRUE = {(spun, original) for original, alternates in TABLE.items() for spun in alternates}
# What no head holds, and the parts of heads, which stay as they are where they stand alone.
FILLERS = (
    "the", "a", "of", "man", "house", "river", "slowly", "town", "stone walks", "under", "red", "quiet", "by the",
    "from", "and", "tree", "paper", "his", "old door", "city", "real", "estate", "even", "though", "how", "to", "at",
    "at the", "at the man", "in", "well", "as", "as well", "is trying", "trying to", "trying", "is", "one of", "one",
    "the fact", "of the", "of the house", "at the end by", "the end", "how slowly", "is trying hard",
)  # fmt: skip
POSSESSIVE = ("heart", "war", "year")
Table = Mapping[str, tuple[str, ...]]


def sentence(table: Table, chance: random.Random) -> str:
    words = []
    for _ in range(chance.randint(8, 16)):
        word = chance.choice(list(table) if chance.random() < 0.35 else FILLERS)
        words.append(f"{word}'s" if word in POSSESSIVE and chance.random() < 0.3 else word)
    return " ".join(words) + "."


def spun(text: str, table: Table, chance: random.Random, spin_rate: float = 1.0) -> str:
    """Every head, long ones first, by one alternate per text."""
    choice = {head: chance.choice(alternates) for head, alternates in table.items()}
    heads = re.compile(r"\b(" + "|".join(sorted(table, key=len, reverse=True)) + r")\b")
    return heads.sub(lambda m: choice[m[1]] if chance.random() < spin_rate else m[1], text)


def corpus(texts: int, *, seed: int = 1, table: Table = TABLE, spin_rate: float = 1.0, copies: int = 1) -> list[Pair]:
    chance = random.Random(seed)
    originals = ["\n".join(sentence(table, chance) for _ in range(4)) for _ in range(texts)]
    return [Pair(text, tuple(spun(text, table, chance, spin_rate) for _ in range(copies))) for text in originals]


@cache
def learned(seed: int = 1, spin_rate: float = 1.0) -> dict[tuple[str, str], Entry]:
    return by_swap(learn(corpus(200, seed=seed, spin_rate=spin_rate)))


def by_swap(entries: Iterable[Entry]) -> dict[tuple[str, str], Entry]:
    return {(entry.spun, entry.original): entry for entry in entries}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nine_in_ten_swaps_are_recovered_minimal(seed: int) -> None:
    assert len(TRUE & learned(seed).keys()) >= 0.9 * len(TRUE)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nine_in_ten_of_what_is_learned_is_true(seed: int) -> None:
    """By the counts, and nearly so by the entries."""
    entries = learned(seed)
    true = sum(entry.seen for key, entry in entries.items() if key in TRUE)
    assert true >= 0.9 * sum(entry.seen for entry in entries.values())
    assert len(TRUE & entries.keys()) >= 0.8 * len(entries)


@pytest.mark.parametrize("spin_rate", [1.0, 0.6])
def test_rates_are_shares_of_all_occurrences(spin_rate: float) -> None:
    heads: defaultdict[str, float] = defaultdict(float)
    for (spun_, original), entry in learned(1, spin_rate).items():
        if (spun_, original) in TRUE:
            assert entry.rate == pytest.approx(spin_rate / len(TABLE[original]), abs=0.2), (spun_, original)
            heads[original] += entry.rate
    whole = [head for head in heads if len(head.split()) == 1]
    assert sum(heads[head] for head in whole) / len(whole) == pytest.approx(spin_rate, abs=0.05)


def test_counts_are_those_of_the_corpus() -> None:
    pairs = corpus(200)
    made = Counter(word for pair in pairs for word in re.findall(r"\w+", pair.spun[0]))
    for spun_, original in [("offers", "deals"), ("yr", "year"), ("core", "heart"), ("massive", "big")]:
        assert learned()[spun_, original].seen == pytest.approx(made[spun_], rel=0.05)


def test_long_heads_hide_the_short_ones_in_them() -> None:
    """ "a new" becomes "a brand new", so "new" after "a" is no evidence against "recent"."""
    assert learned()["recent", "new"].rate > 0.75
    assert learned()["a brand new", "a new"].rate > 0.75


@pytest.mark.parametrize(("left", "right"), [("business", "deals"), ("knows", "how to"), ("never", "knows")])
def test_adjacent_swaps_come_apart(left: str, right: str) -> None:
    """However often two heads stand side by side, theirs are two swaps."""
    chance, text = random.Random(5), f"{left} {right} here"
    beside = [Pair(text, (spun(text, TABLE, chance),)) for _ in range(20)]
    entries = by_swap(learn([*corpus(100), *beside]))
    assert {(TABLE[left][0], left), (TABLE[right][0], right)} <= entries.keys()
    assert f"{left} {right}" not in {original for _, original in entries}


@pytest.mark.parametrize("head", [head for head in TABLE if " " in head and head != "at the end of the"])
def test_swaps_of_several_words_stay_whole(head: str) -> None:
    for alternate in TABLE[head]:
        assert learned()[alternate, head].seen >= 30


@pytest.mark.parametrize("head", POSSESSIVE)
def test_a_possessive_is_no_part_of_the_swap(head: str) -> None:
    for alternate in TABLE[head]:
        assert learned()[alternate, head].rate == pytest.approx(1 / len(TABLE[head]), abs=0.2)
        assert (f"{alternate}'s", f"{head}'s") not in learned()


def test_punctuation_is_no_part_of_a_swap() -> None:
    assert not [key for key in learned() if re.search(r"[.,;:]", "".join(key))]


def test_names_are_written_as_the_originals_write_them() -> None:
    names = {"United States": ("USA",), "American": ("US",), "war": ("struggle",)}
    entries = by_swap(learn(corpus(100, table=names)))
    assert set(entries) == {("usa", "United States"), ("us", "American"), ("struggle", "war")}


def test_no_entry_reads_as_a_comment() -> None:
    """A lexicon file would lose it."""
    entries = learn(corpus(60, table={"number one": ("#1",), "war": ("struggle",)}))
    assert ("struggle", "war") in by_swap(entries)
    assert not [entry for entry in entries if entry.spun.startswith("#")]


def test_each_copy_counts() -> None:
    (one,), (three,) = (learn(corpus(60, table={"war": ("struggle",)}, spin_rate=0.5, copies=n)) for n in (1, 3))
    assert three.seen == pytest.approx(3 * one.seen, rel=0.1)
    assert three.rate == pytest.approx(one.rate, abs=0.1)


def test_rare_swaps_are_left_out() -> None:
    twice = [Pair(f"{words} here", (f"{words.replace('war', 'struggle')} here",)) for words in ("old war", "a war")]
    pairs = [*corpus(40, table={"big": ("large",)}), *twice]
    assert [e.spun for e in learn(pairs)] == ["large"]
    assert [e.spun for e in learn(pairs, seen=2)] == ["large", "struggle"]


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [Pair("", ("",))],
        [Pair("no change here", ("no change here",))] * 5,
        [Pair("seen once as a war", ("seen once as a struggle",))],
        [Pair("all gone", ("",))] * 5,
        [Pair("", ("all new",))] * 5,
        [Pair("no copies", ())],
    ],
    ids=["nothing", "empty", "unchanged", "once", "deleted", "inserted", "no copies"],
)
def test_where_nothing_recurs_nothing_is_learned(pairs: list[Pair]) -> None:
    assert learn(pairs) == ()


def test_entries_come_sorted_with_their_source_and_the_same_every_time() -> None:
    pairs = corpus(30, seed=4)
    first = learn(pairs, source="synthetic")
    assert list(first) == sorted(first, key=order)
    assert {entry.source for entry in first} == {"synthetic"}
    assert learn(pairs, source="synthetic") == first


def test_progress_is_reported_to_the_end_of_every_stage() -> None:
    last: dict[str, tuple[int, int]] = {}
    learn(corpus(5), progress=lambda stage, done, total: last.update({stage: (done, total)}))
    assert last["align"] == (5, 0)
    assert len(last) > 1
    assert all(done == total for stage, (done, total) in last.items() if total)


def rows(path: Path, *lines: str) -> Path:
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


GOOD = json.dumps({"id": 1, "original": "a war", "spun": ["a struggle", "a battle"]})


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.jsonl.gz"])
def test_pairs_are_read_plain_or_compressed_and_blank_lines_skipped(tmp_path: Path, name: str) -> None:
    path = rows(tmp_path / name, GOOD, "", json.dumps({"original": "x\ny", "spun": "x\nz"}))
    assert list(read_pairs(path)) == [Pair("a war", ("a struggle", "a battle")), Pair("x\ny", ("x\nz",))]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("{", "not JSON"),
        ('{"original": "a", "spun": ["b"]', "not JSON"),
        ("[1]", "expected"),
        ("3", "expected"),
        ('{"spun": ["a"]}', "expected"),
        ('{"original": "a"}', "expected"),
        ('{"original": "a", "spun": null}', "expected"),
        ('{"original": "a", "spun": [1]}', "expected"),
        ('{"original": ["a"], "spun": ["a"]}', "expected"),
        ('{"original": "a\\nb", "spun": ["a\\nb", "a"]}', "as many lines"),
        ('{"original": "a", "spun": ["a\\n"]}', "as many lines"),
    ],
)
def test_a_malformed_row_is_named_by_file_and_line(tmp_path: Path, row: str, problem: str) -> None:
    path = rows(tmp_path / "pairs.jsonl", GOOD, GOOD, row)
    with pytest.raises(FormatError, match=problem) as caught:
        list(read_pairs(path))
    assert caught.value.line == 3
    assert str(caught.value).startswith(f"{path}:3")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join([GOOD] * 500).encode())
    contents = {"cut.jsonl.gz": whole[: len(whole) // 2], "plain.jsonl.gz": b"{}", "latin.jsonl": b'"caf\xe9"\n'}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    for name in (*contents, "missing.jsonl", "missing.jsonl.gz", "."):
        with pytest.raises(InputError, match="cannot be read") as caught:
            list(read_pairs(tmp_path / name))
        assert caught.value.path == str(tmp_path / name)


def test_damage_inside_a_compressed_file_is_named(tmp_path: Path) -> None:
    data = bytearray(gzip.compress("\n".join(f'{{"original": "{n}", "spun": "{n * 7}"}}' for n in range(500)).encode()))
    data[len(data) // 2 : len(data) // 2 + 8] = b"\xff" * 8
    path = tmp_path / "damaged.jsonl.gz"
    path.write_bytes(bytes(data))
    with pytest.raises((InputError, FormatError)):
        list(read_pairs(path))
