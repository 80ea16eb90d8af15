"""`unspin learn`: aligned pairs in; a lexicon out."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import click

from unspin.align import read_pairs
from unspin.commands import options, terminal
from unspin.commands.terminal import counted, say
from unspin.errors import UnspinError
from unspin.files import write_atomic
from unspin.learn import learn
from unspin.lexicon import Line, formatted


@click.command("learn")
@click.argument("pairs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The lexicon.")
@click.option(
    "--seen", type=click.IntRange(1), default=3, show_default=True, help="Swaps seen less often are left out."
)
@click.option("--source", default="learned", show_default=True, metavar="TEXT", help="What the source column says.")
@options.schema_option("pair", of="a row of PAIRS")
@options.force_option
def command(pairs: tuple[Path, ...], output: Path, seen: int, source: str, force: bool) -> None:
    """Learn a lexicon from originals and their spun copies.

    PAIRS are JSON Lines, gzipped or not: {"original": TEXT, "spun": [COPY, ...]}, where the lines of each
    copy correspond to those of the original. Two million words take some minutes and about 4 GB of memory.

    \b
    Examples:
      unspin learn pairs.jsonl.gz -o mine.tsv
      unspin learn --seen 2 --source "forum 2024" a.jsonl b.jsonl -o mine.tsv
      unspin lexicon check mine.tsv
    """
    source = " ".join(source.split())
    if not source:
        raise click.UsageError("--source must say where the entries come from")
    options.refuse_existing(output, force=force)
    with terminal.progress("learn") as report:
        entries = learn(chain.from_iterable(map(read_pairs, pairs)), seen=seen, source=source, progress=report)
    if not entries:
        raise UnspinError(f"{output}: not written: no swap was seen often enough to be learned (--seen {seen})")
    write_atomic(output, formatted("", [Line((), entry) for entry in entries]).encode())
    say(f"{output}: {counted(len(entries), 'entry', 'entries')} learned")
