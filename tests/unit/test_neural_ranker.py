from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import unspin
from unspin.decode import decode
from unspin.errors import FormatError, InputError
from unspin.lattice import Floats, Ints
from unspin.lexicon import Lexicon
from unspin.model import Entry
from unspin.neural import ranker as neural
from unspin.neural.ranker import NeuralRanker, load
from unspin.neural.wordpiece import FIRST, LAST, PAD, UNKNOWN
from unspin.rank import AS_THEY_ARE, UNRANKED, Context, Ranker, Scales, context_ranker, load_ranker, neural_ranker
from unspin.text import segment

LEXICON = Lexicon([Entry("struggle", "war", 0.5), Entry("struggle", "fight", 0.25), Entry("big apple", "city", 0.5)])
PIECES = [PAD, UNKNOWN, FIRST, LAST, *"abcdefghijklmnopqrstuvwxyz.", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz")]


class Session:
    """In the place of onnxruntime's: a query tells the columns of its span, a vector the first piece of its option."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def get_modelmeta(self) -> SimpleNamespace:
        return SimpleNamespace(custom_metadata_map={"pieces": "\n".join(PIECES)})

    def run(self, outputs: list[str], feed: dict[str, Any]) -> list[Any]:
        self.asked.append(feed)
        queries = np.stack([np.ones(len(feed["first"])), feed["last"] - feed["first"]], axis=1)
        vectors = np.stack([feed["pieces"][:, 0], feed["kinds"]], axis=1)
        made = {"queries": queries, "vectors": vectors, "biases": np.where(feed["kinds"] == 1, 0.5, 0.0)}
        return [made[name].astype(np.float32) for name in outputs]


class Listener:
    """Decodes with another ranker, and keeps what it was given."""

    digest, scales = "listener", AS_THEY_ARE

    def __init__(self, ranker: NeuralRanker) -> None:
        self.ranker = ranker
        self.heard: list[tuple[Context, Floats]] = []

    def score(self, context: Context) -> Floats:
        self.heard.append((context, self.ranker.judge(context)))
        return self.ranker.score(context)


class Even:
    digest = "even"

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        return np.full(len(trigrams), -5.0)


def ranker(session: Session | None = None, weight: float = 1.0, scales: Scales = AS_THEY_ARE) -> NeuralRanker:
    given: Any = session or Session()
    return NeuralRanker(given, base=UNRANKED, weight=weight, scales=scales, rates=[1.0, 2.0], name="test")


def judged(text: str, with_: NeuralRanker, lexicon: Lexicon = LEXICON) -> dict[tuple[int, str], float]:
    """Per match of a text, by its first token and its original, what the ranker says of it."""
    listener = Listener(with_)
    sentences = [s for p in segment(text).paragraphs for s in p.sentences]
    decode(sentences, lexicon, Even(), listener, assume_spun=True)
    ((context, scores),) = listener.heard
    return {
        (match.start, lexicon.active[match.entry].original): score
        for match, score in zip(context.found, scores.tolist(), strict=True)
    }


def number(letter: str) -> int:
    return PIECES.index(letter)


def test_a_swap_is_judged_against_leaving_its_span_alone() -> None:
    found = judged("A struggle.", ranker())
    size = len("struggle") - 1
    # Query (1, size) times vector (first piece, kind), biases 0 and 0.5, and the rate's logarithm once.
    expected = number("w") - (number("s") + size + 0.5) + np.log(0.5)
    assert found[1, "war"] == pytest.approx(expected, abs=1e-5)
    assert found[1, "fight"] - found[1, "war"] == pytest.approx(number("f") - number("w") + np.log(0.5), abs=1e-5)


def test_a_head_that_stands_makes_leaving_alone_less_likely() -> None:
    both = Lexicon([Entry("struggle", "war", 0.5), Entry("effort", "struggle", 0.8)])
    alone, kept = judged("A struggle.", ranker()), judged("A struggle.", ranker(), both)
    assert kept[1, "war"] - alone[1, "war"] == pytest.approx(-2.0 * np.log(0.2), abs=1e-5)


def test_a_span_of_several_tokens_is_asked_from_its_first_piece_to_its_last() -> None:
    session = Session()
    judged("The big apple.", ranker(session))
    feed = next(f for f in session.asked if len(f["ids"][0]) > 2)
    read = [PIECES[n] for n in feed["ids"][0]]
    assert (read[int(feed["first"][0])], read[int(feed["last"][0])]) == ("b", "##e")


def test_scores_stand_at_a_swaps_first_word_weighed_and_bounded() -> None:
    lexicon = Lexicon([Entry("big apple", "city of lights", 0.5)])
    listener = Listener(ranker(weight=0.5))
    sentences = [s for p in segment("The big apple.").paragraphs for s in p.sentences]
    decode(sentences, lexicon, Even(), listener, assume_spun=True)
    ((context, (judgement,)),) = listener.heard
    scores = listener.ranker.score(context)
    assert scores[context.first[0]] == pytest.approx(0.5 * np.clip(judgement, -neural.SURE, neural.SURE))
    assert np.count_nonzero(scores) == 1


def test_a_span_across_two_windows_is_not_judged() -> None:
    words = ["a"] * 123 + ["big", "apple"]  # 126 pieces fill a window
    assert judged(" ".join(words), ranker()) == {(123, "city"): 0.0}


def test_windows_are_read_one_by_one_and_each_span_finds_its_own() -> None:
    session = Session()
    text = "\n\n".join(f"{'a ' * (60 + n % 50)} struggle {'b ' * (n % 7)} big apple." for n in range(40))
    found = judged(text, ranker(session))
    alone = judged("A struggle big apple.", ranker())
    assert len(found) == 120 and {round(v, 4) for v in found.values()} == {round(v, 4) for v in alone.values()}
    assert max(len(feed["ids"]) for feed in session.asked) == 1


def test_a_lexicons_options_are_asked_once_and_do_not_depend_on_what_was_asked_before() -> None:
    session = Session()
    some = ranker(session)
    first = judged("A struggle.", some)
    asked = len(session.asked)
    assert judged("A struggle.", some) == first and len(session.asked) == asked + 2  # heard, and scored
    judged("A struggle.", some, Lexicon([Entry("struggle", "fight", 0.25)]))
    assert judged("The struggle. The big apple.", some)[1, "war"] == first[1, "war"]


def test_a_text_is_judged_alike_whatever_was_judged_before() -> None:
    shipped = neural_ranker()
    assert isinstance(shipped, NeuralRanker)
    text = "Thousands of soldiers died when the army lost that struggle for the big apple."
    before = judged(text, shipped)
    fresh = load(Path(neural.__file__).parents[1] / "models" / "en.onnx", base=context_ranker())
    judged("The big apple is far away. Nobody knows why.", fresh)
    assert judged(text, fresh) == before


def test_digests_tell_settings_apart() -> None:
    digests = {ranker().digest, ranker(weight=0.5).digest, ranker(scales=Scales(language=0.5)).digest}
    assert len(digests) == 3 and ranker().digest in digests


def test_nothing_to_judge() -> None:
    assert judged("A struggle.", ranker(), Lexicon([Entry("x", "struggle", 0.1), Entry("struggle", "war", 0.5)])) != {}
    text = "Nothing here."
    assert unspin.restore(text, lexicon=LEXICON, ranker=ranker(), assume_spun=True).edits == ()


@pytest.mark.parametrize("name", ["neural", "context"])
def test_shipped_rankers_are_loaded_once(name: str) -> None:
    assert load_ranker(name) is load_ranker(name) is {"neural": neural_ranker, "context": context_ranker}[name]()


def test_the_shipped_model_reads_the_sentence() -> None:
    """What no two words to either side tell: which original, and whether there was a swap at all."""
    lexicon = Lexicon([Entry("struggle", "war", 0.5), Entry("struggle", "fight", 0.5)])
    shipped = neural_ranker()
    assert isinstance(shipped, NeuralRanker)
    troops = judged("Thousands of soldiers died when the army lost that struggle.", shipped, lexicon)
    boxers = judged("Both boxers trained for months, and the champion won the struggle.", shipped, lexicon)
    assert troops[9, "war"] - troops[9, "fight"] > boxers[11, "war"] - boxers[11, "fight"]


def test_a_path_is_a_ranker_too(tmp_path: Path) -> None:
    copy = tmp_path / "mine.onnx"
    copy.write_bytes((Path(neural.__file__).parents[1] / "models" / "en.onnx").read_bytes())
    mine: Ranker = load_ranker(str(copy))
    assert mine.digest == neural_ranker().digest


@pytest.mark.parametrize("damage", ["empty", "noise", "cut", "other"])
def test_what_is_no_model_is_refused_with_its_name(tmp_path: Path, damage: str) -> None:
    shipped = (Path(neural.__file__).parents[1] / "models" / "en.onnx").read_bytes()
    path = tmp_path / "mine.onnx"
    data = {
        "empty": b"",
        "noise": bytes(range(256)) * 40,
        "cut": shipped[: len(shipped) // 2],
        "other": shipped.replace(neural.FORMAT.encode(), b"unspin-neural-0"),
    }[damage]
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"mine\.onnx.*not a neural ranker"):
        load(path, base=UNRANKED)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.onnx.*cannot be read as a ranker"):
        load_ranker(str(tmp_path / "none.onnx"))
