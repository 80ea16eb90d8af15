"""`unspin language`: clean texts in; a language model out."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import click

from unspin.align import read_pairs
from unspin.commands import options, terminal
from unspin.commands.terminal import say
from unspin.errors import UnspinError
from unspin.files import chunks, write_atomic
from unspin.ngrams import compile_trigrams


@click.group("language")
def command() -> None:
    """Compile language models.

    \b
    Examples:
      unspin language compile news.txt.gz -o news.ngrams
    """


@command.command("compile")
@click.argument("texts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The model.")
@options.held_out_option
@click.option(
    "--until",
    type=click.FloatRange(0.0, 1.0, min_open=True),
    default=1.0,
    metavar="SHARE",
    help="Read only this share of each text's lines, and keep the rest for measuring.",
)
@options.force_option
def compile_command(
    texts: tuple[Path, ...], output: Path, held_out: tuple[Path, ...], until: float, force: bool
) -> None:
    """Count clean texts and pack a trigram model, for `--model`.

    TEXTS are UTF-8, gzipped (.gz) or not, a paragraph a line. They are streamed; the counts take about 30
    bytes of memory a word.

    \b
    Examples:
      unspin language compile news.txt.gz -o news.ngrams
      unspin language compile *.txt --held-out dev.jsonl.gz -o mine.ngrams
      unspin clean --model mine.ngrams scraped.txt
    """
    options.refuse_existing(output, force=force)
    withheld = (pair.original for pair in chain.from_iterable(map(read_pairs, held_out)))
    with terminal.progress("compile") as report:
        parts = (part for path in texts for part in chunks(path, stop=until) if part.strip())
        first = next(parts, None)
        if first is None:
            raise UnspinError(f"{output}: not written: there is no text to count")
        packed = compile_trigrams(chain([first], parts), held_out=withheld, progress=report)
    write_atomic(output, packed)
    say(f"{output}: {len(packed):,} bytes")
