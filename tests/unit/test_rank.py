"""Scores by context, worked out by hand; ranker files; and that the decoder listens."""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin import rank
from unspin.channel import Matches
from unspin.decode import decode
from unspin.errors import FormatError, InputError, UnspinError
from unspin.lattice import Floats, Ints
from unspin.lexicon import Lexicon
from unspin.model import Entry, Token
from unspin.rank import FUNCTION_WORDS, LEAST_CASE, UNRANKED, WINDOW, Context, VectorRanker, Weights, written
from unspin.text import segment

FILLERS = tuple(f"filler{n}" for n in range(FUNCTION_WORDS - 1))
# "the" is a function word, though its vector is as long as any.
VECTORS = {"the": (9, 9), "alpha": (1, 0), "beta": (0, 1), "gamma": (2, 2), "delta": (3, -1)}
NEAR, CASE = Weights(near=1.0), Weights(case=1.0)


def ranker(
    weights: Weights,
    vectors: Mapping[str, tuple[float, float]] = VECTORS,
    *,
    signs: tuple[int, int] = (1, -1),
    capital: Mapping[str, float] | None = None,
) -> VectorRanker:
    words = (*FILLERS, *vectors)
    return VectorRanker(
        words,
        np.asarray([*[(0, 0)] * len(FILLERS), *vectors.values()], dtype=np.float32),
        np.asarray(signs, dtype=np.float32),
        np.asarray([(capital or {}).get(word, 0.5) for word in words], dtype=np.float32),
        weights=weights,
    )


# word, begin, end, share; an empty word is none
Emission = tuple[str, int, int, float]


def context(text: str, *emissions: Emission, is_first: bool = True) -> Context:
    sentences = [s for p in segment(text).paragraphs for s in p.sentences]
    tokens = [token for sentence in sentences for token in sentence.tokens]
    starts = [sum(len(s.tokens) for s in sentences[:n]) for n in range(len(sentences))]
    words = sorted({word for word, *_ in emissions if word})
    return Context(
        tokens=tokens,
        starts=starts,
        words=words,
        word=np.asarray([words.index(e[0]) if e[0] else -1 for e in emissions], dtype=np.int64),
        begin=np.asarray([e[1] for e in emissions], dtype=np.int64),
        end=np.asarray([e[2] for e in emissions], dtype=np.int64),
        share=np.asarray([e[3] for e in emissions], dtype=np.float64),
        is_first=np.full(len(emissions), is_first),
        found=Matches(*np.zeros((3, 0), dtype=np.int64)),
        first=np.zeros(0, dtype=np.int64),
        lexicon=Lexicon([]),
    )


# What fits. delta with alpha is 3, with beta 1, with gamma 6 + 2 = 8 (the second dimension counts negatively).


def test_a_word_scores_its_mean_product_with_the_others() -> None:
    scores = ranker(NEAR).score(context("alpha beta gamma beta", ("delta", 1, 2, 0.5)))
    assert scores == pytest.approx([(3 + 8 + 1) / 3])


def test_the_words_own_span_is_no_context() -> None:
    emissions = [("beta", 1, 2, 1.0), ("gamma", 2, 3, 1.0), ("delta", 1, 3, 0.0)]
    assert ranker(NEAR).score(context("alpha beta gamma beta", *emissions))[2] == pytest.approx((3 + 1) / 2)
    alone = ranker(NEAR).score(context("delta", ("delta", 0, 1, 1.0)))
    assert alone.tolist() == [0.0]


def test_weights_are_per_unit_and_add_up() -> None:
    found = context("They saw alpha Invoice gamma", ("delta", 3, 4, 0.5))
    both = ranker(Weights(near=2.0, case=0.5), capital={"delta": 0.9}).score(found)
    assert both == pytest.approx([2.0 * (3 + 8) / 2 + 0.5 * math.log(0.9)])


def test_context_is_the_window_on_either_side() -> None:
    between = " ".join(["unknown"] * (WINDOW - 1))
    found = context(f"gamma alpha {between} beta {between} beta gamma", ("delta", WINDOW + 1, WINDOW + 2, 1.0))
    assert ranker(NEAR).score(found) == pytest.approx([(3 + 1) / 2])


def test_a_certain_token_counts_fully_and_a_reading_by_its_share() -> None:
    found = context("alpha delta beta", ("delta", 1, 2, 1.0), ("beta", 2, 3, 0.25), ("gamma", 2, 3, 0.75))
    assert ranker(NEAR).score(found)[0] == pytest.approx((3 + 0.25 * 1 + 0.75 * 8) / 2)


def test_words_that_say_nothing_score_nothing_and_are_no_context() -> None:
    emissions = [("the", 1, 2, 1.0), ("nowhere", 1, 2, 1.0), ("", 1, 2, 1.0), ("delta", -1, 0, 1.0)]
    assert ranker(NEAR).score(context("alpha beta", *emissions)).tolist() == [0.0] * 4
    assert ranker(NEAR).score(context("the alpha delta nowhere", ("delta", 2, 3, 1.0))) == pytest.approx([3.0])


def test_nothing_to_score() -> None:
    assert len(ranker(Weights(1.0, 1.0)).score(context("alpha"))) == 0
    assert UNRANKED.score(context("alpha beta", ("delta", 1, 2, 1.0))).tolist() == [0.0]


# How words are written.


def case_of(text: str) -> list[int]:
    (paragraph,) = segment(text).paragraphs
    tokens: list[Token] = []
    starts = []
    for sentence in paragraph.sentences:
        starts.append(len(tokens))
        tokens += sentence.tokens
    found: list[int] = written(tokens, starts).tolist()
    return found


@pytest.mark.parametrize(
    ("text", "case"),
    [
        ("They told Bill of it.", [0, -1, 1, -1, -1, 0]),
        ("Now they rest there. Then they told Bill.", [0, -1, -1, -1, 0, 0, -1, -1, 1, 0]),
        ("they told Bill of it", [0, -1, 1, -1, -1]),
        ("Invoice Dudley And The Struggle", [0] * 5),  # a title
        ("we paid Bill", [0] * 3),  # too short to tell
        ("They said \u201cInvoice came\u201d to us", [0, -1, 0, 0, -1, 0, -1, -1]),  # a quotation opens
        ('They said "Invoice came" to us', [0, -1, 0, 0, -1, 0, 0, -1]),  # or closes, which straight ones do not tell
        ("They said this: Bill did it", [0, -1, -1, 0, 0, -1, -1]),
        ("In May 2014 they came over", [0, 1, 0, -1, -1, -1]),
    ],
)
def test_case_tells_only_inside_sentences(text: str, case: list[int]) -> None:
    assert case_of(text) == case


CAPITAL = {"alpha": 0.9, "beta": 0.05, "gamma": 0.0, "the": 0.2}


def test_a_word_is_as_likely_as_it_is_written_so() -> None:
    names = ranker(CASE, capital=CAPITAL)
    inside = [(word, 2, 3, 1.0) for word in ("alpha", "beta", "gamma", "the", "nowhere")]
    upper = names.score(context("They paid Invoice for it.", *inside))
    assert upper == pytest.approx([math.log(0.9), math.log(0.05), math.log(LEAST_CASE), math.log(0.2), 0.0], abs=1e-6)
    lower = names.score(context("They paid invoice for it.", *inside))
    assert lower == pytest.approx(
        [math.log(0.1), math.log(0.95), math.log(1 - LEAST_CASE), math.log(0.8), 0.0], abs=1e-6
    )


def test_case_says_nothing_at_a_sentences_start_in_titles_and_past_the_first_word() -> None:
    names = ranker(CASE, capital=CAPITAL)
    assert names.score(context("Invoice came to them all.", ("alpha", 0, 1, 1.0))).tolist() == [0.0]
    assert names.score(context("The Invoice Of All Men", ("alpha", 1, 2, 1.0))).tolist() == [0.0]
    second = context("They paid Invoice for it.", ("alpha", 2, 3, 1.0), is_first=False)
    assert names.score(second).tolist() == [0.0]


# Files.

SOME = ranker(Weights(2.0, 0.3), capital=CAPITAL)


def saved(folder: Path, made: VectorRanker = SOME) -> Path:
    path = folder / "some.vectors"
    path.write_bytes(rank.save(made))
    return path


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_what_is_saved_is_loaded_to_a_bytes_precision(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = (random.normal(size=(6, 4)) * 10.0 ** random.integers(-3, 3, (6, 1))).astype(np.float32)
    vectors[0] = 0.0
    capital = random.random(6).astype(np.float32)
    signs = random.choice([-1.0, 1.0], 4).astype(np.float32)
    words = ("the", "caf\u00e9", "don't", "\U0001f600", "x", "28")
    made = VectorRanker(words, vectors, signs, capital, weights=Weights(1.5, 0.6))
    found = rank.load(saved(tmp_path_factory.mktemp("saved"), made))
    assert (found.words, found.weights) == (made.words, made.weights)
    assert found.signs.tolist() == signs.tolist()
    assert np.all(np.abs(found.vectors - vectors) <= np.abs(vectors).max(axis=1, keepdims=True) / 127 * 0.501)
    assert np.all(np.abs(found.capital - capital) <= 0.501 / 255)


def test_saving_is_deterministic_and_what_was_loaded_scores_the_same(tmp_path: Path) -> None:
    assert rank.save(SOME) == rank.save(SOME)
    path = saved(tmp_path)
    assert rank.load(path).digest == rank.load(path).digest
    found = context("They paid alpha Invoice beta gamma", ("delta", 3, 4, 1.0), ("alpha", 3, 4, 1.0))
    assert rank.load(path).score(found) == pytest.approx(SOME.score(found), abs=0.05)


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    path = saved(tmp_path)
    data = path.read_bytes()
    for size in range(0, len(data), 41):
        path.write_bytes(data[:size])
        with pytest.raises(FormatError, match="not a ranker"):
            rank.load(path)


def test_a_damaged_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    path = saved(tmp_path)
    data = path.read_bytes()
    refused = 0
    for place in range(0, len(data), 3):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            found = rank.load(path)
        except UnspinError:
            refused += 1
        else:  # a time stamp in the archive
            assert found.digest == rank.load(saved(tmp_path)).digest
    assert refused > len(data) // 6


class Bomb:
    """Unpickling it leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.mark,))


def test_pickles_are_refused_and_never_run(tmp_path: Path) -> None:
    path, mark = tmp_path / "evil.vectors", tmp_path / "mark"
    path.write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(FormatError):
        rank.load(path)
    arrays = _arrays()
    arrays["weights"] = np.asarray([Bomb(mark)], dtype=object)
    path.write_bytes(_zipped(arrays))
    with pytest.raises(FormatError):
        rank.load(path)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists()  # it would have shown


def _arrays() -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    with np.load(io.BytesIO(rank.save(SOME))) as arrays:
        return dict(arrays)


def _zipped(arrays: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]  # names of arrays, none of which is an option
    return file.getvalue()


@pytest.mark.parametrize("name", ["vectors", "scale", "signs", "words", "capital", "weights"])
@pytest.mark.parametrize("short", [True, False])
def test_arrays_that_are_missing_or_short_are_refused(tmp_path: Path, name: str, short: bool) -> None:
    arrays = _arrays()
    whole = arrays.pop(name)
    if short:
        # Without its last letter the last word is another word; without two words there are too few.
        arrays[name] = whole[: -len("gamma\ndelta\n")] if name == "words" else whole[:-1]
    path = tmp_path / "some.vectors"
    path.write_bytes(_zipped(arrays))
    if short and name == "weights":
        assert rank.load(path).weights == Weights(*whole.tolist())._replace(length=0.0)  # from before there was one
        return
    with pytest.raises(FormatError, match="not a ranker"):
        rank.load(path)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.vectors", tmp_path):
        with pytest.raises(InputError, match="cannot be read as a ranker"):
            rank.load(path)


def test_rankers_are_found_by_name_and_by_path(tmp_path: Path) -> None:
    assert rank.load_ranker("none") is UNRANKED
    path = saved(tmp_path)
    found = rank.load_ranker(str(path))
    assert found.digest == rank.load(path).digest


def test_the_digest_changes_with_everything_that_scores_hang_on() -> None:
    same = ranker(Weights(2.0, 0.3), capital=CAPITAL)
    assert same.digest == SOME.digest
    renamed = {("omega" if word == "delta" else word): vector for word, vector in VECTORS.items()}
    others = [
        *(ranker(weights, capital=CAPITAL) for weights in (Weights(), NEAR, CASE)),
        ranker(SOME.weights, capital=CAPITAL | {"alpha": 0.91}),
        ranker(SOME.weights, VECTORS | {"alpha": (1, 0.01)}, capital=CAPITAL),
        ranker(SOME.weights, signs=(1, 1), capital=CAPITAL),
        ranker(SOME.weights, renamed, capital=CAPITAL),
    ]
    assert len({SOME.digest, UNRANKED.digest, *(other.digest for other in others)}) == 2 + len(others)


# The decoder listens.


class Even:
    """A language model without opinion, but that nobody says "thing"."""

    digest = "even"

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        last = trigrams[:, 2]
        return np.where(np.asarray([words[n] == "thing" for n in last.tolist()], dtype=bool), -30.0, -5.0)


TOPICS = {"the": (0, 0), "war": (4, 0), "army": (4, 0), "match": (0, 4), "team": (0, 4)}
TIED = Lexicon([Entry("thing", "war", 0.4), Entry("thing", "match", 0.4)])


def readings(text: str, *using: rank.Ranker) -> tuple[dict[str, float], str]:
    """Posterior per original, and what the best path reads."""
    sentences = [s for p in segment(text).paragraphs for s in p.sentences]
    found = decode(sentences, TIED, Even(), *using).readings
    (best,) = (TIED.active[one.entry].original for one in found if one.is_best)
    return {TIED.active[one.entry].original: one.posterior for one in found}, best


@pytest.mark.parametrize(("text", "wanted"), [("The army saw a thing.", "war"), ("The team saw a thing.", "match")])
def test_where_originals_tie_the_context_decides(text: str, wanted: str) -> None:
    for using in ((), (UNRANKED,), (ranker(Weights(), TOPICS, signs=(1, 1)),)):
        tied, _ = readings(text, *using)
        assert tied == pytest.approx({"war": 0.5, "match": 0.5})
    decided, best = readings(text, ranker(NEAR, TOPICS, signs=(1, 1)))
    assert best == wanted
    assert decided[wanted] == pytest.approx(1 / (1 + math.exp(-16)))  # one word of context: a product of 16 nats


@pytest.mark.parametrize(("text", "wanted"), [("They saw Thing on it.", "match"), ("They saw thing on it.", "war")])
def test_where_originals_tie_capitals_decide(text: str, wanted: str) -> None:
    decided, best = readings(text, ranker(CASE, TOPICS, capital={"war": 0.1, "match": 0.6}))
    assert best == wanted
    share = (0.6, 0.1) if wanted == "match" else (0.9, 0.4)
    assert decided[wanted] == pytest.approx(share[0] / sum(share), abs=1e-6)


def test_what_a_sentence_lacks_its_neighbours_tell() -> None:
    using = ranker(NEAR, TOPICS, signs=(1, 1))
    assert readings("The army came. We saw a thing.", using)[1] == "war"
    distant = "The army came. " + "They sat and sat and sat. " * 12 + "We saw a thing."
    assert readings(distant, using)[0]["war"] == pytest.approx(0.5)
