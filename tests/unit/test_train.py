"""Counting, vectors and weights on small corpora of two topics; and `unspin train` from end to end."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin import train
from unspin.cli import main
from unspin.commands import train as command
from unspin.edit import cleaned
from unspin.errors import FormatError, UnspinError
from unspin.evaluate import score, total
from unspin.gold import parse_markup
from unspin.lattice import Floats, Ints
from unspin.lexicon import COLUMNS, Lexicon
from unspin.model import Entry
from unspin.ngrams import compile_trigrams, withheld
from unspin.pipeline import restore
from unspin.rank import FUNCTION_WORDS, UNRANKED, Ranker, VectorRanker, Weights, load, save
from unspin.spin import markup, spin
from unspin.train import LEAST_COUNT, REACH, SMOOTHING, Counts, tune, vectors

FIGHTS = tuple("war army troops soldiers battle weapons".split())
GAMES = tuple("match team goal players season league".split())
TOPICS = (FIGHTS, GAMES)
PLAIN = tuple("the and of in a on to it".split())
WORDS = (*PLAIN, *FIGHTS, *GAMES)


def paragraphs(count: int, seed: int = 0) -> list[str]:
    """Of one topic each, in turn."""
    draw = random.Random(seed)

    def sentence(topic: Sequence[str]) -> str:
        a, b, c, d = draw.sample(topic, 4)
        return f"The {a} and the {b} of it in a {c} on to the {d}."

    return [" ".join(sentence(TOPICS[n % 2]) for _ in range(3)) for n in range(count)]


def quiet(stage: str, done: int, total: int) -> None:
    pass


def counted(chunks: Iterable[str], words: Sequence[str] = WORDS, **held: Iterable[str]) -> Counts:
    return Counts.empty(words).add(chunks, name="text", held_out=withheld(held.get("held_out", ())), progress=quiet)


def pairs(counts: Counts) -> dict[tuple[str, str], float]:
    size = len(counts.words)
    return {
        (counts.words[key // size], counts.words[key % size]): count
        for key, count in zip(counts.key.tolist(), counts.count.tolist(), strict=True)
    }


def assert_same(found: Counts, wanted: Counts) -> None:
    assert found.words == wanted.words
    for name in ("key", "count", "cased"):
        assert getattr(found, name).tolist() == getattr(wanted, name).tolist(), name


# Counting.


def test_pairs_within_reach_are_counted_and_others_not() -> None:
    assert pairs(counted(["war army war"])) == {("war", "army"): 2, ("war", "war"): 1}
    between = " ".join(["unknown"] * (REACH - 1))
    assert pairs(counted([f"war {between} army"])) == {("war", "army"): 1}
    assert pairs(counted([f"war unknown {between} army"])) == {}
    assert pairs(counted(["War ended. Army left."])) == {("war", "army"): 1}  # across sentences,
    assert pairs(counted(["War ended.\nArmy left."])) == {}  # not across paragraphs


def test_capitals_are_counted_where_they_tell() -> None:
    seen, upper = counted(["War came to the Army, not the army.\nWar In The Army\nHe said: War came now."]).cased
    said = {word: (seen[n], upper[n]) for n, word in enumerate(WORDS) if seen[n]}
    assert said == {"to": (1, 0), "the": (2, 0), "army": (2, 1)}


LINES = paragraphs(12)
WHOLE = counted(["\n".join(LINES)])


@settings(deadline=None, max_examples=20)
@given(st.sets(st.integers(1, len(LINES) - 1)), st.sampled_from([1, 60, 10**6]))
def test_in_however_many_chunks_a_text_comes_its_counts_are_the_same(cuts: set[int], batch: int) -> None:
    places = [0, *sorted(cuts), len(LINES)]
    parts = ["\n".join(LINES[a:b]) for a, b in pairwise(places)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "BATCH", batch)
        assert_same(counted(parts), WHOLE)


def test_counting_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = Counts.empty(WORDS).add(["\n".join(LINES[:5])], name="one", held_out=frozenset(), progress=quiet)
    path = tmp_path / "counts.npz"
    path.write_bytes(first.save())
    again = Counts.load(path)
    assert_same(again, first)
    assert again.done == ("one",)
    both = again.add(["\n".join(LINES[5:])], name="two", held_out=frozenset(), progress=quiet)
    assert_same(both, WHOLE)
    assert both.done == ("one", "two")
    assert again.done == first.done == ("one",)
    assert_same(again, first)  # nothing was added in place


def test_no_counts_can_be_saved_too(tmp_path: Path) -> None:
    path = tmp_path / "counts.npz"
    path.write_bytes(Counts.empty(WORDS).save())
    assert Counts.load(path).done == ()
    assert_same(Counts.load(path), Counts.empty(WORDS))


def test_damaged_counts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "counts.npz"
    for size in (0, 3, 100, len(WHOLE.save()) - 30):
        path.write_bytes(WHOLE.save()[:size])
        with pytest.raises(FormatError, match="remove it to start again"):
            Counts.load(path)


def test_paragraphs_that_share_a_run_with_the_held_out_are_not_counted() -> None:
    lines = [" ".join(random.Random(n).sample(WORDS, 20)) for n in range(12)]  # none shares a run with another
    whole = counted(["\n".join(lines)])
    rest = counted(["\n".join(line for n, line in enumerate(lines) if n not in (3, 8))])
    ten, nine = (" ".join(lines[8].split()[5:end]) for end in (15, 14))
    assert_same(counted(["\n".join(lines)], held_out=[lines[3], f"They said: {ten}."]), rest)
    assert_same(counted(["\n".join(lines)], held_out=[nine]), whole)
    assert rest.count.sum() < whole.count.sum()


# Vectors.

MANY = counted(["\n".join(paragraphs(200))])


def test_a_topics_words_are_nearer_to_each_other() -> None:
    made = vectors(MANY)
    product = (made.vectors * made.signs) @ made.vectors.T
    for one, other in (TOPICS, TOPICS[::-1]):
        for word in one:
            row = {w: product[WORDS.index(word), WORDS.index(w)] for w in (*one, *other) if w != word}
            assert min(row[w] for w in one if w != word) > max(row[w] for w in other)


def test_products_estimate_the_positive_log_ratio() -> None:
    """With as many dimensions as there are words (but one), hardly anything is lost."""
    together = np.zeros((len(WORDS), len(WORDS)))
    for (first, second), count in pairs(MANY).items():
        together[WORDS.index(first), WORDS.index(second)] += count
        together[WORDS.index(second), WORDS.index(first)] += count
    often = together.sum(axis=0)
    chance = np.outer(often**SMOOTHING, often**SMOOTHING) * often.sum() / (often**SMOOTHING).sum() ** 2
    ratio = np.maximum(np.log(np.maximum(np.where(together < LEAST_COUNT, 0, together), 1e-9) / chance), 0)
    made = vectors(MANY)
    assert (made.vectors * made.signs) @ made.vectors.T == pytest.approx(ratio, abs=0.05)
    assert ratio.max() > 0.3
    assert set(made.signs.tolist()) <= {-1.0, 1.0}
    assert made.weights == Weights()


def test_a_rare_words_capitals_lean_on_the_usual() -> None:
    words = ("army", "war", "gone")
    made = vectors(counted(["They told the Army of war.\n" * 4 + "They see the Army, the war.\n" * 96], words))
    assert made.capital.tolist() == pytest.approx([102 / 104, 2 / 104, 2 / 4])


def test_the_same_text_gives_the_same_bytes() -> None:
    again = counted(["\n".join(paragraphs(200))])
    assert save(vectors(again)) == save(vectors(MANY))
    assert save(vectors(counted(["\n".join(paragraphs(200, seed=1))]))) != save(vectors(MANY))


# Weights.


class Even:
    """A language model without opinion, but that nobody says "thing"."""

    digest = "even"

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        return np.where(np.asarray([words[n] == "thing" for n in trigrams[:, 2].tolist()], dtype=bool), -30.0, -5.0)


TIED = Lexicon([Entry("thing", "war", 0.9), Entry("thing", "match", 0.9)])
# As the shipped one, it takes the most frequent words for function words.
VOCABULARY = (*(f"filler{n}" for n in range(FUNCTION_WORDS)), *FIGHTS, *GAMES)
TEXTS = [
    f"We saw {a} and {b} there. The {c} was long gone by then."
    for topic, other in (TOPICS, TOPICS[::-1])
    for a, b, c in [(*topic[1:3], topic[0]), (*topic[3:5], topic[0]), (topic[2], topic[4], topic[0])]
]


def topical(first: float = 2.0) -> VectorRanker:
    made = np.zeros((len(VOCABULARY), 2), dtype=np.float32)
    made[-12:-6, 0] = made[-6:, 1] = first
    capital = np.full(len(VOCABULARY), 0.5, dtype=np.float32)
    return VectorRanker(VOCABULARY, made, np.ones(2, dtype=np.float32), capital, weights=Weights())


def f05(texts: Sequence[str], using: Ranker, seed: int) -> float:
    golds = [
        parse_markup(markup(spin(text, TIED, seed=seed + number)), name="text") for number, text in enumerate(texts)
    ]
    return total(
        score(gold, cleaned(restore(gold.text, lexicon=TIED, model=Even(), ranker=using, assume_spun=True)))
        for gold in golds
    ).f05


def test_where_context_decides_it_is_given_weight() -> None:
    told: list[tuple[str, int, int]] = []
    chosen, found = tune(topical(), TEXTS, TIED, Even(), seed=3, progress=lambda *step: told.append(step))
    assert chosen.weights.near > 0
    assert found.f05 == f05(TEXTS, chosen, seed=3) == 1.0
    assert f05(TEXTS, UNRANKED, seed=3) < 0.9
    assert np.array_equal(chosen.vectors, topical().vectors)
    assert told[-1][1:] == (len(told), len(told))


def test_where_nothing_helps_no_weight_is_given() -> None:
    chosen, found = tune(topical(0.0), TEXTS, TIED, Even(), seed=3)
    assert chosen.weights == Weights()
    assert found.f05 == f05(TEXTS, UNRANKED, seed=3)


def test_texts_that_markup_cannot_express_are_passed_over() -> None:
    _, found = tune(topical(), [*TEXTS, "Look [[here]]: the war."], TIED, Even(), seed=3)
    assert found == tune(topical(), TEXTS, TIED, Even(), seed=3)[1]
    assert found.tokens > 0


# The command.


@pytest.fixture
def type_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """A folder with two texts, a lexicon and a language model, and `unspin train` with fewer words."""
    (tmp_path / "one.txt").write_text("\n".join(paragraphs(100)) + "\n")
    (tmp_path / "two.txt").write_text("\n".join(paragraphs(100, seed=1)) + "\n")
    rows = ["\t".join(COLUMNS)]
    rows += [f"thing\t{word}\t0.9\t0\tauto\ta test\t" for word in ("match", "war")]
    (tmp_path / "mine.tsv").write_text("\n".join(rows) + "\n")
    (tmp_path / "mine.ngrams").write_bytes(compile_trigrams(["\n".join(paragraphs(60, seed=2))]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "WORDS", 4_100)  # that many hold all of WORDS
    monkeypatch.setattr(train, "DIMENSIONS", 8)  # no more than so small a text has

    def typed(*args: str) -> int:
        monkeypatch.setattr(sys, "argv", ["unspin", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return typed


ARGUMENTS = ("--lexicon", "mine.tsv", "--model", "mine.ngrams", "--documents", "4")


def test_a_ranker_is_trained_and_used(
    type_in: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    assert type_in("train", "one.txt", "two.txt", *ARGUMENTS, "-o", "my.vectors") == 0
    assert {path.name for path in tmp_path.iterdir()} - before == {"my.vectors", "my.vectors.md"}
    made = load(tmp_path / "my.vectors")
    assert len(made.words) == 4_100
    assert made.vectors.shape == (4_100, 8)
    card = (tmp_path / "my.vectors.md").read_text()
    assert "- one.txt\n- two.txt\n" in card
    assert Lexicon.load("mine.tsv").digest in card
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("my.vectors: near ")
    assert "spun texts" in err
    assert type_in("clean", "--ranker", "my.vectors", "--model", "mine.ngrams", "one.txt") == 0
    assert capsys.readouterr().out == (tmp_path / "one.txt").read_text()


def test_the_last_lines_are_never_read(type_in: Callable[..., int], tmp_path: Path) -> None:
    assert type_in("train", "one.txt", *ARGUMENTS, "-o", "my.vectors") == 0
    lines = (tmp_path / "one.txt").read_text().splitlines()
    lines[95:] = [" ".join(WORDS)] * 5
    (tmp_path / "one.txt").write_text("\n".join(lines) + "\n")
    before = (tmp_path / "my.vectors").read_bytes()
    assert type_in("train", "one.txt", *ARGUMENTS, "-o", "my.vectors", "--force") == 0
    assert (tmp_path / "my.vectors").read_bytes() == before
    lines[:5] = lines[95:]
    (tmp_path / "one.txt").write_text("\n".join(lines) + "\n")
    assert type_in("train", "one.txt", *ARGUMENTS, "-o", "my.vectors", "--force") == 0
    assert (tmp_path / "my.vectors").read_bytes() != before


def test_stopped_and_started_again_it_goes_on(type_in: Callable[..., int], tmp_path: Path) -> None:
    assert type_in("train", "one.txt", "two.txt", *ARGUMENTS, "-o", "straight.vectors") == 0
    two = (tmp_path / "two.txt").read_bytes()
    (tmp_path / "two.txt").write_bytes(b"\xff\xff")
    assert type_in("train", "one.txt", "two.txt", *ARGUMENTS, "-o", "again.vectors") == 3
    assert not (tmp_path / "again.vectors").exists()
    assert (tmp_path / "again.vectors.counts.npz").exists()
    (tmp_path / "two.txt").write_bytes(two)
    lines = (tmp_path / "one.txt").read_text().splitlines()
    lines[:90] = ["Nothing."] * 90  # counted already, so nobody looks
    (tmp_path / "one.txt").write_text("\n".join(lines) + "\n")
    assert type_in("train", "one.txt", "two.txt", *ARGUMENTS, "-o", "again.vectors") == 0
    assert (tmp_path / "again.vectors").read_bytes() == (tmp_path / "straight.vectors").read_bytes()
    assert not (tmp_path / "again.vectors.counts.npz").exists()


def test_too_little_text_is_refused() -> None:
    counts = Counts.empty(["a", "b", "c"])
    with pytest.raises(UnspinError, match="too little text"):
        vectors(counts)
