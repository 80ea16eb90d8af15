"""A model small enough to be trained in a second: what it learns, that it goes on where it stopped, its file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from unspin.decode import decode
from unspin.lexicon import Lexicon
from unspin.model import Entry
from unspin.neural.data import Examples, examples
from unspin.neural.wordpiece import FIRST, LAST, PAD, UNKNOWN, Pieces
from unspin.rank import UNRANKED
from unspin.text import segment

torch = pytest.importorskip("torch", reason='needs torch: pip install "unspin[neural-train]"')
pytest.importorskip("onnx", reason='needs onnx: pip install "unspin[neural-train]"')

from unspin.neural import train as training  # noqa: E402
from unspin.neural.model import Judge, Shape, exported, started  # noqa: E402
from unspin.neural.ranker import load  # noqa: E402
from unspin.neural.train import Batches, Plan, Verdict, judged, logits, train  # noqa: E402

# Which original "struggle" had is told by the word before it; "offers" is never a swap after "she".
LEXICON = Lexicon([Entry("struggle", "war", 0.5), Entry("struggle", "fight", 0.5), Entry("offers", "deals", 0.5)])
WORDS = "a the soldiers boxers she he saw struggle war fight offers deals . big long".split()
PIECES = Pieces([PAD, UNKNOWN, FIRST, LAST, *WORDS])
SHAPE = Shape(layers=1, width=32, heads=2, inner=64)
TEXTS = [
    ("The soldiers saw a war.", "The soldiers saw a struggle."),
    ("The boxers saw a fight.", "The boxers saw a struggle."),
    ("She saw offers.", "She saw offers."),
    ("He saw deals.", "He saw offers."),
    ("The soldiers saw a long war.", "The soldiers saw a long struggle."),
    ("The boxers saw a long fight.", "The boxers saw a long struggle."),
]


def batches() -> Batches:
    found = Examples.joined([examples(original, spun, LEXICON, PIECES) for original, spun in TEXTS])
    return Batches(found, LEXICON, PIECES)


def trained(folder: Path, budget: int = 8_000, stop: int | None = None) -> tuple[Judge, list[tuple[int, Verdict]]]:
    judge = started(SHAPE, len(PIECES.names), None, seed=3)
    verdicts = []
    plan = Plan(budget, size=len(TEXTS), step=3e-3, seed=3)
    for read, verdict in train(judge, batches(), batches(), plan, folder / "checkpoint", lambda *_: None):
        verdicts.append((read, verdict))
        if stop and len(verdicts) == stop:
            break
    return judge, verdicts


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """More only wait for each other, with a model as small as this."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Judge, list[tuple[int, Verdict]]]:
    return trained(tmp_path_factory.mktemp("whole"))


def test_it_learns_what_the_context_tells(whole: tuple[Judge, list[tuple[int, Verdict]]]) -> None:
    untrained = judged(started(SHAPE, len(PIECES.names), None, seed=3), batches(), "cpu")
    assert untrained.f05 < 0.7
    _, verdicts = whole
    assert len(verdicts) == training.JUDGED_EVERY
    assert verdicts[-1][1].precision == verdicts[-1][1].recall == 1.0 and verdicts[-1][1].loss < 0.1


def test_training_goes_on_where_it_stopped(whole: tuple[Judge, list[tuple[int, Verdict]]], tmp_path: Path) -> None:
    _, first = trained(tmp_path, stop=7)
    judge, rest = trained(tmp_path)
    assert [read for read, _ in first + rest] == [read for read, _ in whole[1]]
    for name, value in judge.state_dict().items():
        assert torch.allclose(value, whole[0].state_dict()[name], atol=1e-5), name


def test_weights_of_a_bert_are_taken_over(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    draw = torch.Generator().manual_seed(1)
    width, inner = SHAPE.width, SHAPE.inner
    sizes = {
        "embeddings.word_embeddings.weight": (len(PIECES.names), width),
        "embeddings.position_embeddings.weight": (512, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
    }
    for name, shape in {
        "attention.self.query": (width, width), "attention.self.key": (width, width),
        "attention.self.value": (width, width), "attention.output.dense": (width, width),
        "attention.output.LayerNorm": (width,), "intermediate.dense": (inner, width),
        "output.dense": (width, inner), "output.LayerNorm": (width,),
    }.items():  # fmt: skip
        sizes |= {f"encoder.layer.0.{name}.weight": shape, f"encoder.layer.0.{name}.bias": shape[:1]}
    given = {name: torch.randn(shape, generator=draw) for name, shape in sizes.items()}
    save_file(given, tmp_path / "model.safetensors")
    judge = started(SHAPE, len(PIECES.names), tmp_path / "model.safetensors", seed=0)
    found = judge.state_dict()
    assert torch.equal(found["words.weight"], given["embeddings.word_embeddings.weight"])
    kind = given["embeddings.token_type_embeddings.weight"][0]
    assert torch.equal(found["places.weight"][5], given["embeddings.position_embeddings.weight"][5] + kind)
    key = given["encoder.layer.0.attention.self.key.weight"]
    assert torch.equal(found["layers.0.qkv.weight"][width : 2 * width], key)
    assert torch.equal(found["layers.0.last.bias"], given["encoder.layer.0.output.LayerNorm.bias"])


def test_forgetting_an_entry_makes_it_no_swap() -> None:
    given = batches()
    rows = np.arange(len(TEXTS))
    assert int((given.batch(rows, "cpu").label > 0).sum()) == 5
    none = given.batch(rows, "cpu", forget=1.0)
    assert not none.label.any() and not none.known[:, 1:].any() and none.known[:, 0].all()


def test_options_that_are_none_score_nothing() -> None:
    given = batches()
    batch = given.batch(np.arange(len(TEXTS)), "cpu")
    scores = logits(started(SHAPE, len(PIECES.names), None, seed=1), batch)
    assert torch.equal(torch.isinf(scores), ~batch.known)


def test_the_exported_file_judges_as_the_model_does(
    whole: tuple[Judge, list[tuple[int, Verdict]]], tmp_path: Path
) -> None:
    judge, _ = whole
    path = tmp_path / "mine.onnx"
    path.write_bytes(exported(judge, PIECES, {"scales": (0.5, 1.0)}, tmp_path))
    ranker = load(path, base=UNRANKED)
    assert ranker.scales == (0.5, 1.0) and ranker.scale == 0.5
    given = batches()
    with torch.no_grad():
        scores = logits(judge.eval(), given.batch(np.asarray([0]), "cpu"))
    expected = (scores[0, 1:] - scores[0, 0]).tolist()
    assert _judgements(ranker, TEXTS[0][1]) == pytest.approx(expected, abs=0.35)  # a byte a weight


def _judgements(ranker: object, text: str) -> list[float]:
    """What a ranker says of each swap while a text is decoded."""
    from unspin.rank import Context

    seen: list[float] = []

    class Listener:
        digest, scale = "listener", 1.0

        def score(self, context: Context) -> np.ndarray:
            seen.extend(ranker.judge(context).tolist())  # type: ignore[attr-defined]
            return np.zeros(len(context.word))

    class Even:
        digest = "even"

        def score(self, words: list[str], trigrams: np.ndarray) -> np.ndarray:
            return np.full(len(trigrams), -5.0)

    sentences = [s for p in segment(text).paragraphs for s in p.sentences]
    decode(sentences, LEXICON, Even(), Listener())  # type: ignore[arg-type]
    return seen
