"""`unspin train`: clean texts in; a context ranker and its model card out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

import click

from unspin.align import read_pairs
from unspin.commands import options, terminal
from unspin.commands.terminal import say
from unspin.commands.train_neural import DOCUMENT, JUDGED, READ, Task, train_neural
from unspin.evaluate import Score
from unspin.files import chunks, exists, write_atomic
from unspin.language import default_model, load_model
from unspin.lexicon import Lexicon, Phrase
from unspin.model import Progress
from unspin.ngrams import load as load_trigrams
from unspin.ngrams import shipped, withheld
from unspin.rank import CONTEXT, NEURAL, VectorRanker, load, save
from unspin.train import DIMENSIONS, WORDS, Counts, vectors
from unspin.train import tune as tune_vectors


@click.command("train")
@click.argument("texts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The ranker.")
@click.option("--lexicon", "lexicons", multiple=True, metavar="NAME|PATH", help="The swaps to undo; repeatable.")
@click.option("--model", type=click.Path(path_type=Path), help="The language model beside it.")
@options.held_out_option
@click.option("--seed", type=int, default=0, show_default=True, help="Of the spinning that weights are tuned on.")
@click.option("--documents", type=click.IntRange(1), default=120, show_default=True, help="How many to tune on.")
@click.option("--ranker", "kind", type=click.Choice([CONTEXT, NEURAL]), default=CONTEXT, show_default=True)
@click.option("--pairs", multiple=True, type=click.Path(path_type=Path), help="Neural: pairs to learn from, too.")
@click.option("--tune", multiple=True, type=click.Path(path_type=Path), help="Neural: pairs to tune its scales on.")
@click.option("--start", type=click.Path(path_type=Path), help="Neural: the folder of a BERT encoder to start from.")
@click.option("--layers", type=click.IntRange(1), default=6, show_default=True, help="Neural: of the transformer.")
@click.option("--budget", type=click.IntRange(1), default=12_000_000, show_default=True, help="Neural: pieces to read.")
@click.option("--device", default="cpu", show_default=True, help="Neural: cpu or cuda.")
@options.force_option
def command(
    texts: tuple[Path, ...],
    output: Path,
    lexicons: tuple[str, ...],
    model: Path | None,
    held_out: tuple[Path, ...],
    seed: int,
    documents: int,
    kind: str,
    pairs: tuple[Path, ...],
    tune: tuple[Path, ...],
    start: Path | None,
    layers: int,
    budget: int,
    device: str,
    force: bool,
) -> None:
    """Train a ranker from clean text: count it, spin it, learn to undo that.

    TEXTS are UTF-8, gzipped (.gz) or not, a paragraph a line. Of each, the first 93 % of the lines are counted,
    the next 2 % are spun with the lexicon to tune the weights, and the rest is never read, so that it can be
    used for measuring. Counts are kept beside the output until it is done: the same command, stopped and
    started again, goes on with the next text. Needs the extra "train".

    With --ranker neural, a transformer learns to undo spinning: of the clean texts as the lexicon spins them, and of
    --pairs as they were spun. It may start from the weights of a BERT encoder (a folder with vocab.txt, config.json
    and model.safetensors) and reads --budget pieces, on a processor or on a GPU. What it has prepared, and
    checkpoints, are kept beside the output until it is done: the same command goes on where it stopped. --tune
    names pairs on which its weight beside the language model is set. Needs the extra "neural-train".

    \b
    Examples:
      unspin train news.txt.gz blogs.txt.gz -o mine.vectors
      unspin train *.txt.gz --held-out dev.jsonl.gz -o mine.vectors
      unspin train --ranker neural *.txt.gz --pairs pairs.jsonl.gz --start minilm -o mine.onnx
      unspin clean --ranker mine.vectors scraped.txt
    """
    options.refuse_existing(output, force=force)
    lexicon = Lexicon.load(*lexicons)
    originals = (pair.original for pair in chain.from_iterable(map(read_pairs, held_out)))
    unseen = withheld(originals)
    language = load_model(model) if model else default_model()
    if kind == NEURAL:
        task = Task(texts, pairs, tune, start, output, lexicon, language, unseen, budget, layers, seed, device)
        with terminal.progress("train") as report:
            say(train_neural(task, report))
        return
    with terminal.progress("train") as report:
        counts = _counted(texts, output, unseen, report)
        spun = list(chain.from_iterable(_documents(path, documents // len(texts) + 1) for path in texts))
        ranker, found = tune_vectors(vectors(counts), spun, lexicon, language, seed=seed, progress=report)
    write_atomic(output, save(ranker))
    written = load(output)  # as it is after rounding
    write_atomic(output.with_name(f"{output.name}.md"), _card(written, found, texts, lexicon, seed).encode())
    _checkpoint(output).unlink(missing_ok=True)
    near, case = ranker.weights[:2]
    say(f"{output}: near {near:g}, case {case:g}; F0.5 {found.f05:.3f} on {len(spun)} spun texts")


def _checkpoint(output: Path) -> Path:
    return output.with_name(f"{output.name}.counts.npz")


def _counted(texts: tuple[Path, ...], output: Path, unseen: frozenset[Phrase], report: Progress) -> Counts:
    saved = _checkpoint(output)
    words = list(load_trigrams(shipped()).numbers)[1 : WORDS + 1]
    counts = Counts.load(saved) if exists(saved) else Counts.empty(words)
    for path in texts:
        name = f"{path.resolve()} without {len(unseen)} runs"  # counts of another task are not gone on from
        if name not in counts.done:
            parts = chunks(path, stop=READ)
            counts = counts.add(parts, name=name, held_out=unseen, progress=report)
            write_atomic(saved, counts.save())
    return counts


def _documents(path: Path, most: int) -> Iterator[str]:
    lines = [line for part in chunks(path, start=READ, stop=JUDGED) for line in part.splitlines()]
    step = max(DOCUMENT, len(lines) // max(1, most))
    return islice(("\n".join(lines[i : i + DOCUMENT]) for i in range(0, len(lines), step)), most)


def _card(ranker: VectorRanker, found: Score, texts: tuple[Path, ...], lexicon: Lexicon, seed: int) -> str:
    names = "\n".join(f"- {path.name}" for path in texts)
    near, case, language, channel, length = ranker.weights
    return f"""# Context ranker {ranker.digest}

Word vectors of the {len(ranker.words):,} most frequent words in {DIMENSIONS} dimensions, and how often each is
capitalised inside a sentence; weights: near context {near:g}, case {case:g}; beside them the language model's scores
count {language:g}, the channel's {channel:g}, and each word by which an original is longer {length:g} nats.
Made on {datetime.now(UTC):%Y-%m-%d} by

    unspin train TEXTS -o FILE --seed {seed}

from the first {READ:.0%} of the lines of

{names}

Weights were tuned on texts from the next {JUDGED - READ:.0%}, spun with the lexicon {lexicon.digest};
there it restores with precision {found.precision:.3f}, recall {found.recall:.3f} and F0.5 {found.f05:.3f}. The file
holds factors of counts, no text. It knows the English of its training texts; of words that it does not know it has
no opinion.
"""
