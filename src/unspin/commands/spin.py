"""`unspin spin`: clean texts in; spun texts, or their gold markup, out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from unspin import formats
from unspin.commands import options
from unspin.commands.delivery import folder_for, refuse_targets
from unspin.commands.options import Inputs
from unspin.commands.outlet import Product, refuse_tables
from unspin.commands.records import label, opened, refuse_whole, tell_guess
from unspin.commands.terminal import Failures, counted, product, say
from unspin.edit import apply
from unspin.errors import FormatError
from unspin.formats import Failure, Reader, Record, Target, Writer
from unspin.lexicon import Lexicon
from unspin.spin import Spun, markup, spin


@dataclass(slots=True)
class _Spinner:
    """Spins texts, each with a seed of its own."""

    lexicon: Lexicon
    seed: int
    rate: float
    marked: bool
    quiet: bool

    def spun(self, record: Record, name: str) -> str:
        """What becomes of a text; markup in it stays. Raises FormatError if its swaps cannot be marked."""
        made = spin(record.text, self.lexicon, seed=self.seed, rate=self.rate)
        self.seed += 1
        edits = record.prose.placed(made.edits)
        made = Spun(apply(record.source, edits), edits)
        shown = markup(made, name=name) if self.marked else made.text
        if not self.quiet:
            say(f"{name}: {counted(len(edits), 'swap')} made")
        return shown

    def file(self, reader: Reader, writer: Writer | None, failures: Failures) -> None:
        """Spin the records of a file; without a writer, its text goes to standard output."""
        for one in reader:
            if isinstance(one, Failure):
                refuse_whole(reader, one)
                if writer:
                    writer.keep(one)
                failures.add(one)
                continue
            if not self.quiet:
                tell_guess(reader, one)
            if writer is None:
                product(self.spun(one, label(reader, one)))
            else:
                self._write(writer, reader, one, failures)

    def _write(self, writer: Writer, reader: Reader, record: Record, failures: Failures) -> None:
        try:
            writer.write(record, self.spun(record, label(reader, record)))
        except FormatError as error:
            if formats.is_single(reader.format):
                raise
            writer.leave_out()
            failures.add(error)


@contextmanager
def _opened(reader: Reader, output: Path | None, *, force: bool) -> Iterator[Writer | None]:
    """What takes the records of a file; none for a text that goes to standard output. Raises OutputError."""
    if output is None and formats.is_single(reader.format):
        yield None
        return
    product_stream: Any = Product()
    target: Target = product_stream
    if output:
        target = output / formats.target_place(reader)
        folder_for(target)
        options.refuse_existing(target, force=force)
    with formats.writer(target, reader) as writer:
        yield writer


@click.command("spin")
@options.inputs_options
@click.option("--seed", type=int, default=0, show_default=True, help="Of the first text; each next one counts on.")
@click.option(
    "--rate",
    type=click.FloatRange(0.0, 1.0),
    default=1.0,
    show_default=True,
    help="The spin rate: 1 spins as the spinner does, 0 changes nothing.",
)
@click.option("--markup", "marked", is_flag=True, help="Write every swap as [[spun|original]].")
@options.output_option("Write here, under the same names.")
@options.lexicon_option
@options.force_option
@options.quiet_option
def command(
    inputs: Inputs,
    seed: int,
    rate: float,
    marked: bool,
    output: Path | None,
    lexicons: tuple[str, ...],
    force: bool,
    quiet: bool,
) -> None:
    """Spin clean texts as the spinner does, for training, tests and benchmarks.

    FILES are what `unspin clean` takes. The spun texts go to standard output, one after the other, texts in UTF-8,
    records in the format they came in; or to DIR. Equal seeds give equal texts; other seeds draw other alternates. With
    --markup, what comes out is gold for `unspin evaluate`.

    \b
    Examples:
      unspin spin clean.txt > spun.txt
      unspin spin --seed 7 --rate 0.5 clean.txt
      unspin spin --markup clean.txt > gold.markup.txt
      unspin spin -o spun clean.jsonl.gz
    """
    if math.isnan(rate):  # it lies in every range
        raise click.BadParameter("nan is no number", param_hint="--rate")
    found, errors = inputs.found(skip=output)
    failures = Failures(errors)
    if output:
        places = (output / formats.expected_place(source, inputs.reading) for source in found)
        refuse_targets(found, places, force=force)
    else:
        refuse_tables(found, inputs)
    spinner = _Spinner(Lexicon.load(*lexicons), seed, rate, marked, quiet)
    for reader in opened(found, inputs.reading, failures, quiet=quiet):
        with failures.told(), _opened(reader, output, force=force) as writer:
            spinner.file(reader, writer, failures)
    failures.exit()
