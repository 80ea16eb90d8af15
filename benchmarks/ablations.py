"""What each part is worth: `python benchmarks/ablations.py --pairs DEV.jsonl.gz [--limit N]`.

Restores the seed and the first spun copies with one part after the other left out, and prints a Markdown table of
precision, recall and F0.5. Parts that do not earn their place should go.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import unspin
from unspin import decode, pipeline
from unspin.align import golds, read_pairs
from unspin.backoff import embedded
from unspin.evaluate import Score, score, total
from unspin.gold import parse_markup
from unspin.model import Edit, Restoration
from unspin.neural.ranker import NeuralRanker
from unspin.ngrams import load, shipped
from unspin.rank import UNRANKED, Ranker, VectorRanker, context_ranker, neural_ranker

SEED = Path(__file__).parent.parent / "seeds" / "seed.markup.txt"
Restore = Callable[[str], Restoration]


def context(**weights: float) -> VectorRanker:
    """The shipped word vectors at other weights."""
    given = context_ranker()
    changed = given.weights._replace(**weights)
    return VectorRanker(given.words, given.vectors, given.signs, given.capital, weights=changed)


def neural(base: Ranker | None = None, **scales: float) -> NeuralRanker:
    """The shipped transformer beside another ranker, or with the decoder's own scores at other scales."""
    ranker = copy(neural_ranker())
    assert isinstance(ranker, NeuralRanker)
    ranker.base, ranker.scales = base or ranker.base, ranker.scales._replace(**scales)
    return ranker


def ranked(make: Callable[[], Ranker]) -> Restore:
    return lambda text: unspin.restore(text, ranker=make())


@contextmanager
def free_keeping() -> Iterator[None]:
    """Leaving a head alone costs nothing, as if the spin rate were unknown and small."""
    with patch.object(decode, "keep_cost", lambda kept, spin_rate: kept * 0.0):
        yield


def as_given(edits: tuple[Edit, ...]) -> tuple[tuple[Edit, ...], tuple[()]]:
    return edits, ()


PARTS: dict[str, tuple[Restore, Callable[[], AbstractContextManager[object]]]] = {
    "all": (unspin.restore, nullcontext),
    "without any ranker": (ranked(lambda: UNRANKED), nullcontext),
    "`--ranker context`: without the neural model": (ranked(context), nullcontext),
    "context, its scores and the decoder's untempered": (
        ranked(lambda: context(language=1.0, channel=1.0, length=0.0)),
        nullcontext,
    ),
    "context without near words": (ranked(lambda: context(near=0.0)), nullcontext),
    "context without case (names)": (ranked(lambda: context(case=0.0)), nullcontext),
    "the neural model without word vectors": (ranked(lambda: neural(context(near=0.0))), nullcontext),
    "the neural model without learned case (names)": (ranked(lambda: neural(context(case=0.0))), nullcontext),
    "the neural model without the language models": (ranked(lambda: neural(language=0.0)), nullcontext),
    "without document consistency": (unspin.restore, lambda: patch.object(decode, "CONSISTENCY", 1e9)),
    "without keep costs (spin rate)": (unspin.restore, free_keeping),
    "without how it is written": (
        unspin.restore,
        lambda: patch.object(decode, "written", lambda tokens, starts, found, heads, lexicon, *, mixed: (found, heads)),
    ),
    "without mending debris": (
        unspin.restore,
        lambda: patch.object(pipeline, "mend", lambda document, edits, **options: as_given(edits)),
    ),
    "pocketsphinx's trigrams alone": (lambda text: unspin.restore(text, model=embedded()), nullcontext),
    "our trigrams alone": (lambda text: unspin.restore(text, model=load(shipped())), nullcontext),
}


def row(name: str, seed: Score, pairs: Score) -> str:
    figures = (getattr(one, field) for one in (seed, pairs) for field in ("precision", "recall", "f05"))
    return f"| {name} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    seed = parse_markup(SEED.read_text(encoding="utf-8"), name=SEED.name)
    texts = list(golds(islice(read_pairs(arguments.pairs), arguments.limit)))
    print("| | seed: P | seed: R | seed: F0.5 | pairs: P | pairs: R | pairs: F0.5 |")
    print("|---| ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, (restore, without) in PARTS.items():
        with without():
            one = score(seed, unspin.cleaned(restore(seed.text)))
            print(row(name, one, total(score(g, unspin.cleaned(restore(g.text))) for g in texts)), flush=True)


if __name__ == "__main__":
    main()
