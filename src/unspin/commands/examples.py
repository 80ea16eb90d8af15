"""The examples beside a lexicon: sentences that it must restore, and sentences that it must leave alone.

In comes `<name>.examples.tsv`: a sentence per line, either with `[[spun|original]]` markup, which must
be restored to exactly that, or without, which must stay as it is. `#` starts a comment. Out go the lines that
fail. Malformed markup is refused with file, line and column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unspin.edit import cleaned
from unspin.errors import FormatError
from unspin.evaluate import Detail, score
from unspin.files import read_text
from unspin.gold import Gold, parse_markup
from unspin.language import LanguageModel
from unspin.lexicon import Lexicon
from unspin.pipeline import restore
from unspin.rank import Ranker


@dataclass(frozen=True, slots=True)
class Example:
    """A line of an examples file; gold without spans must be left alone."""

    line: int
    gold: Gold


def beside(lexicon: Path) -> Path:
    """Where the examples of a lexicon file stand."""
    return lexicon.with_name(f"{lexicon.stem}.examples.tsv")


def read_examples(path: Path) -> Iterator[Example]:
    """The examples of a file. Raises InputError, or FormatError at malformed markup."""
    for number, row in enumerate(read_text(path).splitlines(), 1):
        if row.strip() and not row.startswith("#"):
            try:
                yield Example(number, parse_markup(row, name=str(path)))
            except FormatError as error:
                raise FormatError(path, error.problem, line=number, column=error.column) from error


def failures(path: Path, lexicon: Lexicon, model: LanguageModel, ranker: Ranker) -> Iterator[FormatError]:
    """What is wrong with each example that fails: a missed, a wrong or a needless swap."""
    for example in read_examples(path):
        for fault in faults(example.gold, lexicon, model, ranker):
            wanted = " or ".join(map(repr, fault.accepted)) or "it to be left alone"
            problem = f"{fault.kind}: {fault.context!r} gave {fault.chosen!r}, not {wanted}"
            yield FormatError(path, problem, line=example.line)


def faults(gold: Gold, lexicon: Lexicon, model: LanguageModel, ranker: Ranker) -> tuple[Detail, ...]:
    """What an example's sentence does not restore to.

    Marked sentences are restored as if known to be spun: a sentence alone never gives enough evidence.
    """
    is_marked = bool(gold.spans)
    restoration = restore(gold.text, lexicon=lexicon, model=model, ranker=ranker, assume_spun=is_marked)
    return score(gold, cleaned(restoration)).details
