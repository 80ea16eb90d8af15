"""The neural half of `unspin train`: spun texts in; an ONNX file and its model card out."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from unspin.align import Pair, golds, read_pairs
from unspin.commands.terminal import say
from unspin.errors import FormatError, InputError, UnspinError
from unspin.files import chunks, exists, write_atomic
from unspin.language import LanguageModel
from unspin.lexicon import Lexicon, Phrase
from unspin.model import Progress
from unspin.neural.data import Examples, examples, respun
from unspin.neural.wordpiece import FIRST, LAST, PAD, UNKNOWN, Pieces
from unspin.ngrams import load as load_trigrams
from unspin.ngrams import shipped, usable
from unspin.train import spun_golds

if TYPE_CHECKING:
    from unspin.neural.model import Shape
    from unspin.neural.train import Tuned, Verdict

READ, JUDGED = (
    0.93,
    0.95,
)  # shares of each text's lines: to learn from, and from there on to judge by and to tune on
DOCUMENT = 12  # paragraphs that are spun as one text
EVERY = 50  # of so many pairs one is kept to judge by
STEP, STEP_FROM_NOTHING = 2e-4, 1e-3  # of an encoder that is started from, or of none
SIZE, SIZE_ON_GPU = 32, 256  # windows a step
JUDGES, TUNED = 300, 100  # documents of clean text that judge the model, and that it is tuned on, beside pairs
PIECES_A_CHARACTER = 0.22  # in English
VOCABULARY = 30_000  # words that are pieces, where no encoder is started from


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked for; see the options of `unspin train`."""

    texts: tuple[Path, ...]
    pairs: tuple[Path, ...]
    tune: tuple[Path, ...]
    start: Path | None
    output: Path
    lexicon: Lexicon
    language: LanguageModel
    unseen: frozenset[Phrase]
    budget: int
    layers: int
    seed: int
    device: str


def train_neural(task: Task, progress: Progress) -> str:
    """Prepare, train, tune, write; returns a line on how it went. What is done already is not done again."""
    try:
        from unspin.neural import model, train
    except ImportError as error:
        raise UnspinError(f'training needs {error.name}: pip install "unspin[neural-train]"') from error
    pieces, shape, weights = _encoder(task)
    seen, held_back = _prepared(task, pieces, progress)
    judge = model.started(shape, len(pieces.names), weights, seed=task.seed)
    batches, others = (train.Batches(found, task.lexicon, pieces) for found in (seen, held_back))
    step = STEP if task.start else STEP_FROM_NOTHING
    size, threads = (SIZE, 1) if task.device == "cpu" else (SIZE_ON_GPU, os.cpu_count() or 1)
    plan = train.Plan(task.budget, size, step, task.seed, task.device, threads)
    checkpoint = _beside(task.output, "checkpoint.safetensors")
    best = _beside(task.output, "best.safetensors")
    for read, verdict in train.train(judge, batches, others, plan, checkpoint, progress):
        say(f"{read:,} pieces: cross-entropy {verdict.loss:.3f} nats, F0.5 {verdict.f05:.3f} span by span")
        if verdict.f05 >= max((row["f05"] for row in _curve(task.output)), default=0.0):
            train.keep(judge, best)
        _log(task.output, read, verdict)
    train.take(judge, best)  # as in early stopping, the best stays
    held = _evenly(list(_documents(task.texts, READ, JUDGED)), TUNED)
    known = [*golds(chain.from_iterable(map(read_pairs, task.tune))), *spun_golds(held, task.lexicon, task.seed)]
    with TemporaryDirectory() as folder:
        tuned = train.tuned(judge, pieces, known, task.lexicon, task.language, Path(folder), progress)
    write_atomic(task.output, tuned.model)
    write_atomic(task.output.with_name(f"{task.output.name}.md"), _card(task, shape, tuned).encode())
    for name in ("checkpoint.safetensors", "best.safetensors", "curve.jsonl", "train.npz", "held-back.npz"):
        _beside(task.output, name).unlink(missing_ok=True)
    score = f"; F0.5 {tuned.score.f05:.3f} on {len(known)} texts it was tuned on" if known else ""
    return f"{task.output}: {len(tuned.model) / 1e6:.1f} MB{score}"


def _beside(output: Path, name: str) -> Path:
    return output.with_name(f"{output.name}.{name}")


def _encoder(task: Task) -> tuple[Pieces, Shape, Path | None]:
    """The vocabulary, the sizes and, if there is one, the file of weights to start from."""
    from unspin.neural.model import Shape

    if task.start is None:
        return _own_pieces(), Shape(layers=task.layers), None
    names, config = task.start / "vocab.txt", task.start / "config.json"
    try:
        pieces = Pieces(names.read_text(encoding="utf-8").removesuffix("\n").split("\n"))
        told = json.loads(config.read_text(encoding="utf-8"))
        inner = told["intermediate_size"]
        shape = Shape(
            min(task.layers, told["num_hidden_layers"]), told["hidden_size"], told["num_attention_heads"], inner
        )
    except OSError as error:
        raise InputError(task.start, f"is no folder of a BERT encoder ({error.strerror}: {error.filename})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(task.start, f"holds no BERT encoder that is understood: {error}") from error
    return pieces, shape, task.start / "model.safetensors"


def _own_pieces() -> Pieces:
    """The language model's words and all their characters, as pieces."""
    words = list(load_trigrams(shipped()).numbers)[1 : VOCABULARY + 1]
    characters = sorted({character for word in words for character in word})
    marks = [PAD, UNKNOWN, FIRST, LAST, *characters, *(f"##{character}" for character in characters)]
    return Pieces(list(dict.fromkeys([*marks, *words])))


def _prepared(task: Task, pieces: Pieces, progress: Progress) -> tuple[Examples, Examples]:
    """Examples to train on and to judge by, kept beside the output, so that they are made once."""
    files = _beside(task.output, "train.npz"), _beside(task.output, "held-back.npz")
    if not all(map(exists, files)):
        seen: list[Examples] = []
        held_back: list[Examples] = []
        for number, (pair, spun) in enumerate(_usable_pairs(task)):
            kept = held_back if number % (2 * EVERY) < 2 else seen
            kept.append(examples(pair.original, spun, task.lexicon, pieces))
            progress("prepare", len(seen), 0)
        clean = list(_documents(task.texts, 0.0, READ))
        passes = _passes(clean, task.budget - _size(seen))
        judging = _evenly(list(_documents(task.texts, READ, JUDGED)), JUDGES)
        seen *= len(passes)
        for kept, texts, seed in [(held_back, judging, -1), *((seen, texts, n) for n, texts in enumerate(passes))]:
            seed = task.seed + seed * len(clean)
            for found in respun(texts, task.lexicon, pieces, held_out=task.unseen, seed=seed + len(clean)):
                kept.append(found)
                progress("prepare", len(seen), 0)
        if not seen or not held_back:
            raise UnspinError("too little text to train on")
        for file, kept in zip(files, (seen, held_back), strict=True):
            write_atomic(file, Examples.joined(kept).save())
    return Examples.load(files[0]), Examples.load(files[1])


def _size(found: Sequence[Examples]) -> int:
    return sum(int((one.ids > 0).sum()) for one in found)


def _passes(clean: Sequence[str], pieces: int) -> list[Sequence[str]]:
    """The clean texts as often as so many pieces need, each pass to be spun anew; less than one: evenly chosen ones."""
    there = PIECES_A_CHARACTER * sum(map(len, clean))
    if pieces < there:
        return [_evenly(clean, int(len(clean) * max(0.05, pieces / there)))]
    return [clean] * math.ceil(pieces / max(1.0, there))


def _evenly(texts: Sequence[str], wanted: int) -> Sequence[str]:
    wanted = min(wanted, len(texts))
    return [texts[n * len(texts) // wanted] for n in range(wanted)]


def _usable_pairs(task: Task) -> Iterator[tuple[Pair, str]]:
    """Each pair with each of its copies, without the lines that must stay unseen."""
    for pair in chain.from_iterable(map(read_pairs, task.pairs)):
        lines = pair.original.split("\n")
        kept = [n for n, line in enumerate(lines) if any(usable(line, task.unseen))]
        original = Pair("\n".join(lines[n] for n in kept), ())
        for copy in pair.spun:
            if kept:
                yield original, "\n".join(copy.split("\n")[n] for n in kept)


def _documents(texts: Sequence[Path], start: float, stop: float) -> Iterator[str]:
    for path in texts:
        lines = (line for part in chunks(path, start=start, stop=stop) for line in part.splitlines())
        while document := "\n".join(islice(lines, DOCUMENT)):
            yield document


def _log(output: Path, read: int, verdict: Verdict) -> None:
    """The curve is kept beside the checkpoint, for training that was stopped and goes on."""
    with _beside(output, "curve.jsonl").open("a", encoding="utf-8") as file:
        json.dump({"pieces": read, "loss": verdict.loss, "f05": verdict.f05}, file)
        file.write("\n")


def _curve(output: Path) -> list[dict[str, Any]]:
    file = _beside(output, "curve.jsonl")
    return [json.loads(row) for row in file.read_text(encoding="utf-8").splitlines()] if exists(file) else []


def _card(task: Task, shape: Shape, tuned: Tuned) -> str:
    curve = "\n".join(f"| {r['pieces']:,} | {r['loss']:.3f} | {r['f05']:.3f} |" for r in _curve(task.output))
    names = "\n".join(f"- {path.name}" for path in (*task.pairs, *task.texts))
    weight, language, channel, keep, length = tuned.settings
    begun = f"the encoder in `{task.start.name}`" if task.start else "random weights"
    return f"""# Neural ranker

A bidirectional transformer of {shape.layers} layers, {shape.width} wide, {shape.heads} heads, whose inner layers are
{shape.inner} wide; started from {begun}; weights of one byte.
Made on {datetime.now(UTC):%Y-%m-%d} by

    unspin train --ranker neural TEXTS --pairs PAIRS --start FOLDER -o FILE --budget {task.budget} --seed {task.seed}

from {task.budget:,} pieces of

{names}

with the lexicon {task.lexicon.digest}. It counts {weight:g}; beside it the language model counts {language:g}, swaps
{channel:g}, heads left alone {keep:g}, and each word by which an original is longer {length:g} nats. Texts it was
tuned on it restores with precision {tuned.score.precision:.3f}, recall {tuned.score.recall:.3f} and F0.5
{tuned.score.f05:.3f}.

The curve, on texts held back, span by span and unaided by the language model:

| pieces read | cross-entropy, nats | F0.5 |
|---:|---:|---:|
{curve}

The file holds weights, no text. It knows the English of its training texts.
"""
