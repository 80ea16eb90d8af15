"""`unspin report`: a batch's output in, one stand-alone page about it out."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from unspin.batch.report.facts import gather
from unspin.batch.report.page import page
from unspin.commands import options
from unspin.commands.delivery import save
from unspin.commands.terminal import is_terminal, product


@click.command("report")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write here.")
@options.force_option
def command(folder: Path, output: Path | None, force: bool) -> None:
    """Show what a batch did.

    DIR is the output of `unspin batch`, finished or not. Out comes one page for a browser, which loads nothing: how
    many documents were spun, and at what rate, the swaps undone most often, duplicates, what is held, errors,
    throughput; and a list of the documents, each with its changes. Needs pygal: pip install 'unspin[report]'.

    \b
    Examples:
      unspin report cleaned > report.html
      unspin report -o report.html cleaned
    """
    if output is None and is_terminal(sys.stdout):
        raise click.UsageError("a page is no text for a terminal: give -o FILE, or write it to a file with >")
    if output is not None:
        options.refuse_existing(output, force=force)
    made = page(gather(folder), folder.resolve().name)
    if output is None:
        product(made)
    else:
        save(output, made)
