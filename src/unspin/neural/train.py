"""Train a neural ranker: batches, steps, verdicts, checkpoints, and its weight beside the language model.

In come prepared examples and a model; out goes the bytes of an ONNX file. Deterministic by seed on one kind of
device; training stops at its budget and can be taken up again from its checkpoint, a plain tensor file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from unspin.edit import cleaned
from unspin.evaluate import Score, total
from unspin.evaluate import score as evaluate
from unspin.gold import Gold
from unspin.language import LanguageModel
from unspin.lattice import Floats
from unspin.lexicon import Lexicon
from unspin.model import Progress
from unspin.neural.data import Examples
from unspin.neural.model import Judge, exported
from unspin.neural.ranker import NeuralRanker, Options, combined, load
from unspin.neural.wordpiece import Pieces
from unspin.pipeline import restore
from unspin.rank import Context, Scales, context_ranker

SHORTEST_STEP = 64  # batches sorted by length together, so that windows of one batch are alike
FORGOTTEN = 0.04  # share of entries dropped in training, so that it learns to judge what the lexicon lacks
WARM_UP = 0.03  # share of the budget in which the step size rises; then it falls to nothing
HEAD_STEP = 1e-3  # AdamW's step size for what no encoder brings
DECAY = 0.01
CLIP = 1.0
JUDGED_EVERY = 20  # times in a budget that the model is judged, and a checkpoint written


class Batch(NamedTuple):
    """One step's windows, spans and options, as tensors. `choice` [spans, most options + 1] indexes the options."""

    ids: Tensor
    cases: Tensor
    first: Tensor
    last: Tensor
    pieces: Tensor
    kinds: Tensor
    choice: Tensor
    known: Tensor  # [spans, most options + 1]: is there such an option?
    rates: Tensor  # [spans, most options + 1]: ln P(alternate | head); in column 0 ln P(left alone | head)
    label: Tensor


class Batches:
    """Examples as batches, in an order that a seed decides. Options are numbered through the whole lexicon."""

    def __init__(self, examples: Examples, lexicon: Lexicon, pieces: Pieces) -> None:
        self.examples = examples
        self.lengths = (examples.ids != pieces.pad).sum(axis=1)
        self.spans = np.searchsorted(examples.window, np.arange(len(examples.ids) + 1))  # per window its first span
        self.options = Options.of(lexicon, pieces)

    def order(self, size: int, *, seed: int) -> list[NDArray[np.int64]]:
        """Windows by batch: shuffled, those of a batch of like length."""
        draw = np.random.default_rng(seed)
        shuffled = draw.permutation(len(self.lengths))
        batches: list[NDArray[np.int64]] = []
        for start in range(0, len(shuffled), size * SHORTEST_STEP):
            run = shuffled[start : start + size * SHORTEST_STEP]
            run = run[np.argsort(self.lengths[run], kind="stable")]
            batches += [run[n : n + size] for n in range(0, len(run), size)]
        return [batches[n] for n in draw.permutation(len(batches)).tolist()]

    def batch(self, rows: NDArray[np.int64], device: str, *, forget: float = 0.0, seed: int = 0) -> Batch:
        """The tensors of some windows; `forget` drops so many of the entries, the right ones among them."""
        found = self.examples
        length = int(self.lengths[rows].max(initial=1))
        begin, end = self.spans[rows], self.spans[rows + 1]
        spans = np.concatenate([np.arange(b, e) for b, e in zip(begin.tolist(), end.tolist(), strict=True)])
        row = np.repeat(np.arange(len(rows)), end - begin)
        start, size = found.begin[spans], np.diff(found.begin)[spans]
        column = np.arange(1 + int(size.max(initial=0)))
        known = column[None, :] <= size[:, None]
        entry = found.entry[np.minimum(start[:, None] + np.maximum(column - 1, 0), len(found.entry) - 1)]
        choice, rates = self.options.undone[entry], self.options.rate[entry]
        choice[:, 0], rates[:, 0] = self.options.alone[entry[:, 0]], self.options.left[entry[:, 0]]
        label = found.label[spans].astype(np.int64)
        if forget:
            draw = np.random.default_rng(seed)
            known[:, 1:] &= draw.random(known[:, 1:].shape) >= forget
            label = np.where(known[np.arange(len(label)), label], label, 0)
        unique, place = np.unique(choice[known], return_inverse=True)
        numbers = np.zeros(choice.shape, dtype=np.int64)
        numbers[known] = place
        arrays = (
            found.ids[rows, :length].astype(np.int64),
            found.cases[rows, :length].astype(np.int64),
            row * length + found.first[spans],
            row * length + found.last[spans],
            self.options.pieces[unique],
            self.options.kinds[unique],
            numbers,
            known,
            rates.astype(np.float32),
            label,
        )
        return Batch(*(torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays))


def logits(judge: Judge, batch: Batch) -> Tensor:
    """Scores [spans, options + 1]; what is no option has -inf."""
    queries, vectors, biases = judge(*batch[:6])
    scores = (queries @ vectors.T + biases).float().gather(1, batch.choice)
    weight = torch.cat([judge.rates[1:], judge.rates[:1].expand(scores.shape[1] - 1)])
    return cast(Tensor, (scores + weight * batch.rates).masked_fill(~batch.known, -torch.inf))


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a model does on examples, span by span: cross-entropy in nats, and what it would do unaided."""

    loss: float
    precision: float
    recall: float

    @property
    def f05(self) -> float:
        return 1.25 * self.precision * self.recall / max(1e-9, 0.25 * self.precision + self.recall)


def judged(judge: Judge, batches: Batches, device: str, *, size: int = 64) -> Verdict:
    """The verdict on examples that the model was not trained on."""
    loss = spans = right = made = swaps = 0.0
    judge.eval()
    with torch.no_grad():
        for rows in batches.order(size, seed=0):
            batch = batches.batch(rows, device)
            if not len(batch.label):
                continue
            with torch.autocast(device, dtype=torch.bfloat16):
                scores = logits(judge, batch)
            best = scores.argmax(dim=1)
            loss += float(functional.cross_entropy(scores, batch.label, reduction="sum"))
            spans += len(best)
            made += float((best > 0).sum())
            swaps += float((batch.label > 0).sum())
            right += float(((best == batch.label) & (best > 0)).sum())
    judge.train()
    return Verdict(loss / max(1.0, spans), right / max(1.0, made), right / max(1.0, swaps))


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to train, in pieces of text read, and how: windows a step, the encoder's step size, the seed, the
    device, and how many threads make batches ready for it."""

    budget: int
    size: int = 32
    step: float = 2e-4
    seed: int = 0
    device: str = "cpu"
    threads: int = 1


def train(
    judge: Judge,
    batches: Batches,
    held_back: Batches,
    plan: Plan,
    checkpoint: Path,
    progress: Progress,
) -> Iterator[tuple[int, Verdict]]:
    """Train in place until the budget is spent; yields the pieces read and the verdict, JUDGED_EVERY times.

    A checkpoint is written before each verdict is given; where one lies, training goes on from it.
    """
    judge.to(plan.device).train()
    optimiser = _optimiser(judge, plan.step)
    read = _resumed(judge, optimiser, checkpoint) if checkpoint.exists() else 0
    due = (read * JUDGED_EVERY // plan.budget + 1) * plan.budget // JUDGED_EVERY
    for passed, batch in _ahead(batches, plan, read):
        _step(judge, optimiser, batch, passed / plan.budget)
        progress("train", min(passed, plan.budget), plan.budget)
        if passed >= min(due, plan.budget):
            due += plan.budget // JUDGED_EVERY
            _saved(judge, optimiser, passed, checkpoint)
            yield passed, judged(judge, held_back, plan.device)


def _steps(batches: Batches, plan: Plan) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """The number of each step, the pieces read after it, and its windows, until the budget is spent."""
    step = passed = epoch = 0
    while passed < plan.budget:
        for rows in batches.order(plan.size, seed=plan.seed + epoch):
            step, passed = step + 1, passed + int(batches.lengths[rows].sum())
            yield step, passed, rows
            if passed >= plan.budget:
                break
        epoch += 1


def _ahead(batches: Batches, plan: Plan, read: int) -> Iterator[tuple[int, Batch]]:
    """The batches after `read` pieces, in order; some are made in threads while others are learned from."""
    due = ((step, passed, rows) for step, passed, rows in _steps(batches, plan) if passed > read)
    with ThreadPoolExecutor(plan.threads) as pool:
        waiting: deque[tuple[int, Future[Batch]]] = deque()
        for step, passed, rows in due:
            waiting.append((passed, pool.submit(batches.batch, rows, plan.device, forget=FORGOTTEN, seed=step)))
            if len(waiting) > plan.threads:
                first, made = waiting.popleft()
                yield first, made.result()
        yield from ((passed, made.result()) for passed, made in waiting)


def _optimiser(judge: Judge, step: float) -> torch.optim.AdamW:
    head = ("query.", "option.", "kind.", "bias.", "rates", "cases.")
    groups: dict[str, list[nn.Parameter]] = {"encoder": [], "head": []}
    for name, parameter in judge.named_parameters():
        groups["head" if name.startswith(head) else "encoder"].append(parameter)
    steps = {"encoder": step, "head": HEAD_STEP}
    named = [{"params": found, "lr": steps[name], "most": steps[name]} for name, found in groups.items()]
    return torch.optim.AdamW(named, weight_decay=DECAY)


def _step(judge: Judge, optimiser: torch.optim.AdamW, batch: Batch, done: float) -> None:
    if not len(batch.label):
        return
    for group in optimiser.param_groups:
        group["lr"] = group["most"] * max(0.0, min(done / WARM_UP, (1.0 - done) / (1.0 - WARM_UP)))
    with torch.autocast(batch.ids.device.type, dtype=torch.bfloat16):
        scores = logits(judge, batch)
    loss = functional.cross_entropy(scores, batch.label)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(judge.parameters(), CLIP)
    optimiser.step()


def keep(judge: Judge, path: Path) -> None:
    """Write a model's weights."""
    _write({name: value.contiguous() for name, value in judge.state_dict().items()}, path)


def take(judge: Judge, path: Path) -> None:
    """Read weights that were kept."""
    judge.load_state_dict(load_file(path))


def _write(tensors: dict[str, Tensor], path: Path, **about: str) -> None:
    partial = path.with_name(path.name + ".part")
    save_file(tensors, partial, metadata=about)
    partial.replace(path)


def _saved(judge: Judge, optimiser: torch.optim.AdamW, read: int, checkpoint: Path) -> None:
    tensors = {f"model.{name}": value for name, value in judge.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": torch.as_tensor(value) for name, value in state.items()}
    _write(tensors, checkpoint, read=str(read))


def _resumed(judge: Judge, optimiser: torch.optim.AdamW, checkpoint: Path) -> int:
    from safetensors import safe_open

    tensors = load_file(checkpoint)
    judge.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
    given: dict[str, Any] = optimiser.state_dict()
    given["state"] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, key = name.split(".")
            given["state"].setdefault(int(number), {})[key] = value
    optimiser.load_state_dict(given)
    with safe_open(checkpoint, framework="pt") as file:
        return int(file.metadata()["read"])


class Settings(NamedTuple):
    """The model's weight, then `Scales`."""

    weight: float = 0.6
    language: float = 0.5
    channel: float = 0.8
    keep: float = 0.6
    length: float = 0.0


# Tried one after the other and round again, each with the others at their best so far.
TRIED = (
    ("weight", (0.3, 0.45, 0.75, 0.9)),
    ("language", (0.3, 0.4, 0.6, 0.7)),
    ("channel", (0.4, 0.6, 1.0, 1.2)),
    ("keep", (0.3, 0.45, 0.8, 1.0)),
    ("length", (-0.4, -0.2, 0.2)),
    ("weight", (0.5, 0.6, 0.7)),
    ("language", (0.35, 0.45, 0.5, 0.55)),
)


@dataclass(frozen=True, slots=True)
class Tuned:
    """The bytes of a model's file, its settings, and the score it gets on what these were tuned on."""

    model: bytes
    settings: Settings
    score: Score


class _Remembering:
    """The ranker of a model at changing settings; what the model says of a text is asked once."""

    digest = "tuned"

    def __init__(self, ranker: NeuralRanker) -> None:
        self._ranker = ranker
        self._judged: dict[int, Floats] = {}
        self.settings = Settings()

    @property
    def scales(self) -> Scales:
        return Scales(*self.settings[1:])

    def score(self, context: Context) -> Floats:
        key = hash(tuple(token.text for token in context.tokens))
        if key not in self._judged:
            self._judged[key] = self._ranker.judge(context)
        return combined(context, self._ranker.base, self.settings.weight, self._judged[key])


def tuned(
    judge: Judge,
    pieces: Pieces,
    golds: Sequence[Gold],
    lexicon: Lexicon,
    language: LanguageModel,
    folder: Path,
    progress: Progress,
) -> Tuned:
    """The model's file with the settings that restore `golds` best; without golds, with the usual ones."""
    file = folder / "model.onnx"
    file.write_bytes(exported(judge, pieces, {"scales": Settings()}, folder))
    ranker = _Remembering(load(file, base=context_ranker()))

    def scored(settings: Settings) -> Score:
        ranker.settings = settings
        restored = (
            restore(gold.text, lexicon=lexicon, model=language, ranker=ranker, assume_spun=True) for gold in golds
        )
        return total(evaluate(gold, cleaned(found)) for gold, found in zip(golds, restored, strict=True))

    best, score = Settings(), scored(Settings())
    for step, (name, values) in enumerate(TRIED if golds else ()):
        for settings in (best._replace(**{name: value}) for value in values):
            if (found := scored(settings)).f05 > score.f05:
                best, score = settings, found
        progress("tune", step + 1, len(TRIED))
    return Tuned(exported(judge, pieces, {"scales": best}, folder), best, score)
