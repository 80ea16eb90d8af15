"""`unspin spin`: clean texts in; spun texts, or their gold markup, out."""

from __future__ import annotations

import math

import click

from unspin.commands import options
from unspin.commands.terminal import Failures, counted, product, say
from unspin.lexicon import Lexicon
from unspin.sources import sources
from unspin.spin import markup, spin


@click.command("spin")
@options.texts_argument
@click.option("--seed", type=int, default=0, show_default=True, help="Of the first text; each next one counts on.")
@click.option(
    "--rate",
    type=click.FloatRange(0.0, 1.0),
    default=1.0,
    show_default=True,
    help="The spin rate: 1 spins as the spinner does, 0 changes nothing.",
)
@click.option("--markup", "marked", is_flag=True, help="Write every swap as [[spun|original]].")
@options.lexicon_option
def command(files: tuple[str, ...], seed: int, rate: float, marked: bool, lexicons: tuple[str, ...]) -> None:
    """Spin clean texts as the spinner does, for training, tests and benchmarks.

    FILES are texts, "-" (standard input), or directories. The spun texts go to standard output, one after the
    other, in UTF-8. Equal seeds give equal texts; other seeds draw other alternates. With --markup, what comes out
    is gold for `unspin evaluate`.

    \b
    Examples:
      unspin spin clean.txt > spun.txt
      unspin spin --seed 7 --rate 0.5 clean.txt
      unspin spin --markup clean.txt > gold.markup.txt
    """
    if math.isnan(rate):  # it lies in every range
        raise click.BadParameter("nan is no number", param_hint="--rate")
    found, errors = sources(files)
    failures = Failures(errors)
    lexicon = Lexicon.load(*lexicons)
    for number, source in enumerate(found):
        with failures.told():
            spun = spin(options.read_aloud(source).text, lexicon, seed=seed + number, rate=rate)
            product(markup(spun, name=source.name) if marked else spun.text)
            say(f"{source.name}: {counted(len(spun.edits), 'swap')} made")
    failures.exit()
