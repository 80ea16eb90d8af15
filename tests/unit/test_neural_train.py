"""A model small enough to be trained in a second: what it learns, that it goes on where it stopped, its file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from unspin.cli import main
from unspin.commands import train_neural
from unspin.decode import decode
from unspin.lexicon import COLUMNS, Lexicon
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
    path.write_bytes(exported(judge, PIECES, {"scales": (0.5, 0.7, 1.0, 1.0, 0.0)}, tmp_path))
    ranker = load(path, base=UNRANKED)
    assert (ranker.weight, ranker.scales.language) == (0.5, 0.7)
    given = batches()
    with torch.no_grad():
        scores = logits(judge.eval(), given.batch(np.asarray([0]), "cpu"))
    expected = (scores[0, 1:] - scores[0, 0]).tolist()
    assert _judgements(ranker, TEXTS[0][1]) == pytest.approx(expected, abs=0.35)  # a byte a weight


def _judgements(ranker: object, text: str) -> list[float]:
    """What a ranker says of each swap while a text is decoded."""
    from unspin.rank import AS_THEY_ARE, Context

    seen: list[float] = []

    class Listener:
        digest, scales = "listener", AS_THEY_ARE

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


@pytest.fixture
def type_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """A folder with a little text and a few pairs, and the command line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_neural, "VOCABULARY", 300)  # small checkpoints
    monkeypatch.setattr(training, "JUDGED_EVERY", 3)
    article = "The war went on in {}. Soldiers saw the fight, and boxers {} deals there."
    (tmp_path / "text.txt").write_text("".join(article.format(n, n + 1) + "\n" for n in range(200)))
    row = {"original": "The war was long.\nHe saw deals.", "spun": ["The struggle was long.\nHe saw offers."] * 2}
    (tmp_path / "pairs.jsonl").write_text(f"{json.dumps(row)}\n" * 60)
    lines = [f"{e.spun}\t{e.original}\t{e.rate}\t9\tauto\ttest\t" for e in LEXICON.entries]
    (tmp_path / "mine.tsv").write_text("\n".join(["\t".join(COLUMNS), *lines]) + "\n")

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["unspin", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(str(ended.value.code or 0))

    return run


TRAIN = (
    *("train", "--ranker", "neural", "text.txt", "--pairs", "pairs.jsonl", "--tune", "pairs.jsonl"),
    *("--lexicon", "mine.tsv", "--layers", "1", "--budget", "2000", "-o", "mine.onnx"),
)


def test_the_command_trains_and_its_file_is_used(
    type_in: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    assert type_in(*TRAIN) == 0
    assert {path.name for path in tmp_path.iterdir()} - before == {"mine.onnx", "mine.onnx.md"}
    card = (tmp_path / "mine.onnx.md").read_text()
    assert "- pairs.jsonl\n- text.txt\n" in card and "1 layers" in card and "random weights" in card
    assert card.count("\n| ") == 1 + training.JUDGED_EVERY
    assert "mine.onnx: " in capsys.readouterr().err
    assert type_in("clean", "--ranker", "mine.onnx", "--lexicon", "mine.tsv", "text.txt") == 0
    assert capsys.readouterr().out == (tmp_path / "text.txt").read_text()


def test_a_command_that_was_stopped_goes_on(
    type_in: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(train_neural, "_log", stop)
        assert type_in(*TRAIN) == 130
    assert (tmp_path / "mine.onnx.checkpoint.safetensors").exists() and not (tmp_path / "mine.onnx").exists()
    capsys.readouterr()
    assert type_in(*TRAIN) == 0
    assert capsys.readouterr().err.count(" pieces: ") == training.JUDGED_EVERY - 1


@pytest.mark.parametrize(("name", "content"), [("config.json", "{"), ("vocab.txt", "a\nb\n"), ("", "")])
def test_an_encoder_that_is_none_is_refused(
    type_in: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str
) -> None:
    sizes = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
    folder = tmp_path / "bert"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(sizes))
    (folder / "vocab.txt").write_text("\n".join(PIECES.names) + "\n")
    (folder / "model.safetensors").write_bytes(b"no weights")
    if name:
        (folder / name).write_text(content)
    assert type_in(*TRAIN, "--start", "bert") == 3
    assert "bert" in capsys.readouterr().err
    assert not (tmp_path / "mine.onnx").exists()
