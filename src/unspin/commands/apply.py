"""`unspin apply`: a ledger in; the texts as its decisions make them, or their diffs, out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from unspin.commands import options
from unspin.commands.delivery import FOUND_WORK, Delivery, delivery_options
from unspin.commands.review_ledger import ledger_option, name_of, place_of
from unspin.commands.terminal import Failures
from unspin.errors import InputError
from unspin.files import Source, SourceText, exists, read
from unspin.review.ledger import Ledger
from unspin.review.model import Document
from unspin.sources import sources

NOTHING = 2.0  # a confidence that nothing has


def _source(name: str, ledger: str) -> Source:
    """The file that a document's name means; it may be gone. Below an output directory it keeps its folders."""
    inside = Path(name)
    place = Path(inside.name) if inside.is_absolute() or ".." in inside.parts else inside
    return Source(Path(os.path.relpath(place_of(ledger) / inside)), place)


def _wanted(ledger: Ledger, target: str, files: Sequence[str]) -> tuple[list[tuple[Source, str]], list[InputError]]:
    """The files to write, each with its name in the ledger: those given, or all."""
    known = {name for document in ledger.documents() for name, _ in document.names}
    if not files:
        return [(_source(name, target), name) for name in sorted(known)], []
    found: list[tuple[Source, str]] = []
    missing = [file for file in files if not exists(Path(file))]  # the ledger has their texts, perhaps
    listed, errors = sources([file for file in files if file not in missing])
    for source in [*listed, *(Source(Path(file), Path(Path(file).name)) for file in missing)]:
        assert source.path
        name = name_of(source.path, target)
        if name in known:
            found.append((source, name))
        else:
            errors.append(InputError(source.path, f"is not in {ledger.name}; `unspin review` it first"))
    return found, errors


def _text(ledger: Ledger, document: Document, source: Source, encoding: str) -> SourceText:
    """The text that the decisions were made for. Raises InputError if the file holds another by now."""
    text = ledger.text(document.id)
    if source.path and exists(source.path) and read(source).text != text:
        problem = "has changed since it was reviewed, so that its decisions are stale; `unspin review` it again"
        raise InputError(source.name, problem)
    return SourceText(text, encoding, False)


@click.command("apply")
@click.argument("files", nargs=-1, metavar="[FILES]...", shell_complete=options.complete_paths)
@ledger_option
@delivery_options
@options.confidence_option
@click.option("--decided-only", is_flag=True, help="Make only what a person accepted; the rest stays as written.")
@options.colour_option
@options.force_option
@options.quiet_option
def command(
    files: tuple[str, ...],
    ledger: str,
    delivery: Delivery,
    min_confidence: float,
    decided_only: bool,
) -> None:
    """Write texts as a review decided: all that are in the ledger, or FILES.

    What was accepted or replaced is done, what was rejected is left alone. Candidates that nobody decided follow the
    automatic decision where it is at least as sure as --min-confidence, and stay as written where it is not, or with
    --decided-only. The same texts and decisions always give the same result.

    A text that has changed since it was reviewed is refused; one whose file is gone is taken from the ledger. Output is
    as for `unspin clean`: standard output, or in place with --write, or to DIR.

    \b
    Examples:
      unspin apply -o reviewed
      unspin apply --diff unified articles/one.txt | less
      unspin apply --write --decided-only
    """
    changed = False
    with Ledger(ledger, create=False) as opened:
        found, errors = _wanted(opened, ledger, files)
        failures = Failures(errors)
        delivery.plan([source for source, _ in found])
        with delivery.reported(failures):
            for source, name in found:
                with failures.told():
                    document = opened.find(name=name)
                    assert document
                    text = _text(opened, document, source, dict(document.names)[name])
                    restoration = opened.restoration(
                        document.id, min_confidence=NOTHING if decided_only else min_confidence
                    )
                    changed |= delivery.deliver(source, text, restoration, several=len(found) > 1)
    failures.exit(FOUND_WORK if delivery.check and changed else 0)
