"""Language models: pocketsphinx's trigrams, files by path, mixtures, and the fall-back on frequencies."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from itertools import islice, takewhile
from pathlib import Path

import numpy as np
import pytest
from pocketsphinx import LogMath, NGramModel, get_model_path, set_loglevel
from wordfreq import get_frequency_dict

from unspin.backoff import BackoffTrigrams, embedded, read_trie
from unspin.errors import FormatError, InputError, UnspinError
from unspin.language import (
    LEAST_FREQUENCY,
    MARK,
    START,
    UNKNOWN_SHARE,
    LanguageModel,
    Mixture,
    default_model,
    load_model,
    unknown,
)
from unspin.lattice import Floats, Ints
from unspin.ngrams import compile_trigrams


class Constant:
    """Every word has one probability."""

    def __init__(self, chance: float, digest: str = "constant") -> None:
        self.chance, self.digest = chance, digest

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        return np.full(len(trigrams), math.log(self.chance))


class Sphinx:
    """A trigram model in ARPA format, or pocketsphinx's own, read and asked through pocketsphinx itself."""

    def __init__(self, path: Path) -> None:
        from pocketsphinx import LogMath, NGramModel

        set_loglevel("FATAL")  # its library would write to stderr by itself
        self._model: NGramModel = NGramModel.readfile(str(path))
        log: LogMath = LogMath()
        self._scale = log.log_to_ln(1_000_000) / 1_000_000
        self._least = log.get_zero()  # what the library answers for words outside its vocabulary

    def _knows(self, word: str) -> bool:
        return word == START or self._model.prob((word,)) > self._least

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        known = [self._knows(word) for word in words]
        is_mark = [not (k or any(c.isalnum() for c in w)) for k, w in zip(known, words, strict=True)]
        scores = np.empty(len(trigrams))
        for row, (far, near, word) in enumerate(trigrams.tolist()):
            if not known[word]:
                scores[row] = MARK if is_mark[word] else unknown(words[word])
                continue
            history = [n for n in (near, far) if n >= 0 and not is_mark[n]]
            spoken = takewhile(known.__getitem__, history)
            scores[row] = self._model.prob((words[word], *(words[n] for n in spoken))) * self._scale
        return scores


def scores(model: LanguageModel, *contexts: tuple[str, str, str]) -> list[float]:
    """ln P(third | first, second); an empty word is no word."""
    words = sorted({word for context in contexts for word in context if word})
    rows = [[words.index(word) if word else -1 for word in context] for context in contexts]
    return [float(score) for score in model.score(words, np.asarray(rows))]


@pytest.fixture(scope="module")
def sphinx() -> BackoffTrigrams:
    return embedded()


@pytest.fixture(scope="module")
def trie() -> Path:
    """The file that `embedded` reads."""
    return Path(get_model_path()) / "en-us" / "en-us.lm.bin"


ENGLISH = [
    (("the", "united", "states"), ("the", "united", "stones")),
    (("end", "the", "war"), ("end", "the", "warm")),
    (("", START, "the"), ("", START, "of")),
    (("as", "well", "as"), ("as", "well", "at")),
    (("real", "estate", "market"), ("real", "estate", "banana")),
]


@pytest.mark.parametrize(("english", "other"), ENGLISH)
def test_pocketsphinx_knows_english(
    sphinx: BackoffTrigrams, english: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    better, worse = scores(sphinx, english, other)
    assert 0.0 >= better > worse + 1.0


@pytest.mark.parametrize(("english", "other"), ENGLISH)
def test_so_does_the_default_model(english: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    better, worse = scores(default_model(), english, other)
    assert 0.0 >= better > worse + 1.0


def test_read_into_arrays_it_answers_as_pocketsphinx_itself_does(sphinx: BackoffTrigrams, trie: Path) -> None:
    """Seen trigrams, seen and unseen bigrams, sentence starts, unknown words and punctuation in any place."""
    common = ["the", "of", "end", "war", "and", "a", "united", "states", "to", "in", "is", "was", "new", "york", "one"]
    words = [START, *common, "xqzzy", "\u2014", ","]
    rows = np.asarray(list(itertools.product(range(-1, len(words)), repeat=3)))
    far, near, last = rows.T
    rows = rows[(last > 0) & ~((near < 1) & (far >= 0))]  # nothing stands before a start, nor is one asked for
    theirs, ours = Sphinx(trie).score(words, rows), sphinx.score(words, rows)
    assert len(rows) > 5_000
    assert ours == pytest.approx(theirs, abs=0.002)  # theirs are rounded


def test_it_reads_across_punctuation(sphinx: BackoffTrigrams) -> None:
    mark, bare = scores(sphinx, ("united", "\u2014", "states"), ("", "united", "states"))
    assert mark == bare
    (punctuation,) = scores(sphinx, ("the", "end", "\u2014"))
    assert math.exp(punctuation) == pytest.approx(0.05)


def test_it_falls_back_for_words_that_it_does_not_know(sphinx: BackoffTrigrams) -> None:
    assert scores(sphinx, ("the", "old", "xqzzy")) == pytest.approx([unknown("xqzzy")])
    after, without = scores(sphinx, ("the", "xqzzy", "war"), ("", "", "war"))
    assert after == without


@pytest.mark.parametrize("share", [0.0, 1e-6, 1e-5, 0.01, 0.2, 0.6, 0.9, 0.99])
def test_a_trie_cut_short_is_refused(tmp_path: Path, trie: Path, share: float) -> None:
    data = trie.read_bytes()
    cut = tmp_path / "cut.lm.bin"
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FormatError) as caught:
        read_trie(cut, nats=1e-4)
    assert caught.value.path == str(cut)


def test_a_trie_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="reinstall"):
        read_trie(tmp_path / "missing.lm.bin", nats=1e-4)


def test_models_answer_row_by_row(sphinx: BackoffTrigrams) -> None:
    rows = [("the", "united", "states"), ("", "", "war"), ("a", "b", "xqzzy"), ("", START, "the"), ("of", ",", "war")]
    for model in (sphinx, default_model(), Mixture(sphinx, default_model())):
        assert scores(model, *rows) == pytest.approx([scores(model, row)[0] for row in rows])
        assert len(model.score(["a"], np.zeros((0, 3), dtype=np.int64))) == 0


def test_frequencies_are_those_of_wordfreq() -> None:
    known = get_frequency_dict("en", "best")
    for word in [*islice(known, 0, None, 5_000), "xqzzy", "", "\ud800"]:
        frequency = max(known.get(word, 0.0), LEAST_FREQUENCY)
        assert unknown(word) == UNKNOWN_SHARE + math.log(frequency * 1e3)


def test_unknown_words_share_little_and_the_common_ones_most_of_it() -> None:
    assert 0 > UNKNOWN_SHARE > unknown("government") > unknown("gubernatorial") > unknown("xqzzy")
    assert unknown("xqzzy") == unknown("xqzzyx") == pytest.approx(UNKNOWN_SHARE + math.log(LEAST_FREQUENCY * 1e3))


@pytest.mark.parametrize(("weights", "mean"), [(None, 0.3), ([1.0, 1.0], 0.3), ([3.0, 1.0], 0.4), ([0.1, 0.3], 0.2)])
def test_a_mixture_is_the_weighted_mean_of_probabilities(weights: list[float] | None, mean: float) -> None:
    mixture = Mixture(Constant(0.5, "half"), Constant(0.1, "tenth"), weights=weights)
    assert np.exp(scores(mixture, ("a", "b", "c"), ("", "", "c"))) == pytest.approx([mean, mean])


def test_a_mixture_of_one_is_that_one() -> None:
    row = ("the", "united", "states")
    assert scores(Mixture(default_model()), row) == pytest.approx(scores(default_model(), row))


@pytest.mark.parametrize("weights", [[1.0], [1.0, 1.0, 1.0], [1.0, 0.0], [1.0, -1.0], []])
def test_a_mixture_needs_as_many_positive_weights_as_models(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Mixture(Constant(0.5), Constant(0.1), weights=weights)


def test_a_mixture_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="models"):
        Mixture()


def test_digests_name_the_model() -> None:
    half, tenth = Constant(0.5, "half"), Constant(0.1, "tenth")
    assert "half" in Mixture(half, tenth).digest and "tenth" in Mixture(half, tenth).digest
    assert default_model().digest == default_model().digest


def test_digests_change_whenever_a_score_could() -> None:
    half, tenth = Constant(0.5, "half"), Constant(0.1, "tenth")
    assert Mixture(half, tenth, weights=[1, 2]).digest != Mixture(half, tenth, weights=[2, 1]).digest


ARPA = """\
\\data\\
ngram 1=4
ngram 2=2

\\1-grams:
-1.0 <s> -0.3
-1.0 </s>
-0.5 war -0.3
-0.7 the -0.3

\\2-grams:
-0.1 the war
-0.2 <s> the

\\end\\
"""


def test_models_are_loaded_by_path_whatever_their_kind(tmp_path: Path) -> None:
    packed, arpa = tmp_path / "tiny.ngrams", tmp_path / "tiny.arpa"
    packed.write_bytes(compile_trigrams(["the war and the sea and the war and the sea. " * 3]))
    arpa.write_text(ARPA, encoding="utf-8")
    assert isinstance(load_model(packed), BackoffTrigrams)
    near, far = scores(load_model(arpa), ("", "the", "war"), ("", "", "war"))
    assert near == pytest.approx(-0.1 * math.log(10), abs=0.01)
    assert far == pytest.approx(-0.5 * math.log(10), abs=0.01)
    assert load_model(arpa).digest != load_model(packed).digest


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("missing.arpa", None),
        ("empty.arpa", b""),
        ("text.arpa", b"no model\n"),
        ("bin.lm", b"\x00\xff" * 99),
        (".", None),
    ],
)
def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path, name: str, data: bytes | None) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UnspinError, match=r"language model") as caught:
        load_model(path)
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, InputError)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("ngram 2=2", "ngram 2=3", "other numbers"),
        ("ngram 1=4", "ngram 1=999999999999", "other numbers"),
        ("\\end\\", "", "cut short"),
        ("-0.1 the war", "-0.1 the sea", "'sea' is not among the 1-grams"),
        ("-0.1 the war", "-0.1 the", "a 2-gram is"),
        ("-0.1 the war", "nan the war", "a log-probability that is none"),
        ("-0.1 the war", "x the war", "could not convert"),
        ("-0.5 war -0.3", "-0.5 the -0.3", "'the' stands there twice"),
        ("ngram 1=4", "mgram 1=4", "neither a count"),
    ],
)
def test_a_damaged_arpa_file_is_refused(tmp_path: Path, before: str, after: str, problem: str) -> None:
    path = tmp_path / "tiny.arpa"
    path.write_text(ARPA.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(FormatError, match=problem):
        load_model(path)


def test_an_arpa_file_answers_as_pocketsphinx_does(tmp_path: Path) -> None:
    path = tmp_path / "tiny.arpa"
    three = "\\3-grams:\n-0.05 <s> the war\n\n\\end\\"
    path.write_text(ARPA.replace("\\end\\", three).replace("ngram 2=2", "ngram 2=2\nngram 3=1"), encoding="utf-8")
    words = [START, "the", "war", "xqzzy", "\u2014"]
    rows = np.asarray(list(itertools.product(range(-1, len(words)), repeat=3)))
    far, near, last = rows.T
    rows = rows[(last > 0) & ~((near < 1) & (far >= 0))]
    assert load_model(path).score(words, rows) == pytest.approx(Sphinx(path).score(words, rows), abs=0.002)


def test_a_trigram_without_its_bigram_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.arpa"
    three = "\\3-grams:\n-0.05 war the war\n\\end\\"
    path.write_text(ARPA.replace("\\end\\", three).replace("ngram 2=2", "ngram 2=2\nngram 3=1"), encoding="utf-8")
    with pytest.raises(FormatError, match="no 2-gram"):
        load_model(path)
