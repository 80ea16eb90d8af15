"""How many respun paragraphs `find_repeats` finds, and how many clean ones it would remove.

    python benchmarks/repeats.py --pairs PAIRS --clean FILE... [--lexicon-from PAIRS]

PAIRS is JSON Lines of `{"original": …, "spun": [copy, copy]}`, a clean file a paragraph a line; both may
be gzipped. Each pair is a document of two paragraphs; a clean file is read as documents of `--document`
lines. `--lexicon-from` learns a lexicon from other pairs; without it there is no lexicon.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click

from unspin.align import read_pairs
from unspin.learn import learn
from unspin.lexicon import Lexicon
from unspin.repeats import MIN_WORDS, find_repeats
from unspin.text import phrase, segment


def _lines(path: Path) -> Iterator[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line in file)


def _found(first: str, second: str, lexicon: Lexicon | None) -> str | None:
    """The kind under which the second paragraph is found; None where the rule does not look."""
    if any(len(segment(text).paragraphs) != 1 or len(phrase(text)) < MIN_WORDS for text in (first, second)):
        return None
    # a paragraph that is kept even when it is repeated word by word is no miss
    if not all(find_repeats(segment(f"{text}\n{text}")) for text in (first, second)):
        return None
    groups = find_repeats(segment(f"{first}\n{second}"), lexicon=lexicon)
    return groups[0].repeats[0].kind.value if groups else "missed"


def _recall(pairs: Path, lexicon: Lexicon | None) -> None:
    for title, first, second in (("original, spun", 0, 1), ("spun, original", 1, 0), ("spun, spun", 1, 2)):
        counts: Counter[str] = Counter()
        for pair in read_pairs(pairs):
            for texts in zip(*(text.split("\n") for text in (pair.original, *pair.spun)), strict=True):
                kind = _found(texts[first], texts[second], lexicon)
                counts.update([kind] if kind else [])
        total = counts.total()
        click.echo(f"{title:16} {total:6} pairs  recall {1 - counts['missed'] / total:.3f}  {dict(counts)}")


def _removed(path: Path, lexicon: Lexicon | None, lines: int, document: int, show: bool) -> None:
    source = islice(_lines(path), lines)
    counts: Counter[str] = Counter()
    while block := list(islice(source, document)):
        text = "\n".join(block)
        read = segment(text)
        counts["paragraphs"] += len(read.paragraphs)
        for group in find_repeats(read, lexicon=lexicon):
            for repeat in group.repeats:
                counts[repeat.kind.value] += 1
                if show and repeat.kind.value != "exact":
                    kept, gone = text[group.start : group.end], text[repeat.start : repeat.end]
                    click.echo(f"{repeat.kind.value} {repeat.score:.3f}\n  {kept}\n  {gone}")
    rate = 1e4 * (counts["near"] + counts["respun"]) / max(1, counts["paragraphs"])
    click.echo(f"{path.name:36} {rate:6.2f} near and respun in 10,000 paragraphs  {dict(counts)}")


@click.command()
@click.option("--pairs", type=click.Path(path_type=Path))
@click.option("--clean", type=click.Path(path_type=Path), multiple=True)
@click.option("--lexicon-from", type=click.Path(path_type=Path))
@click.option("--lines", default=40_000, show_default=True, help="Lines read of each clean file.")
@click.option("--document", default=100, show_default=True, help="Lines in a document.")
@click.option("--show", is_flag=True, help="Print what was removed, to judge it by eye.")
@click.argument("more_clean", type=click.Path(path_type=Path), nargs=-1)
def main(
    pairs: Path | None,
    clean: tuple[Path, ...],
    lexicon_from: Path | None,
    lines: int,
    document: int,
    show: bool,
    more_clean: tuple[Path, ...],
) -> None:
    """Print recall on spun pairs and removals in clean text."""
    lexicon = Lexicon(learn(read_pairs(lexicon_from))) if lexicon_from else None
    if pairs:
        _recall(pairs, lexicon)
    for path in (*clean, *more_clean):
        _removed(path, lexicon, lines, document, show)


if __name__ == "__main__":
    main()
