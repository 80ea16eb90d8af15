"""`unspin lexicon suggest`: what a review's answers say about a lexicon, as a patch.

In come a ledger and a lexicon; out goes a patch of the lexicon and of the examples beside it, or, with --write, the
files as that patch makes them. What the examples contradict is not suggested, and no example is added that fails.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from unspin.commands import examples, options
from unspin.commands.options import Stages
from unspin.commands.terminal import counted, product, say
from unspin.diff.unified import patch
from unspin.edit import apply
from unspin.errors import OutputError
from unspin.files import exists, read_text, write_atomic
from unspin.gold import Gold, parse_markup
from unspin.lexicon import LONGEST, Lexicon, Phrase, find
from unspin.model import DecidedBy, Edit
from unspin.text import phrase

if TYPE_CHECKING:  # a database's driver, which the other commands of the group do without
    from unspin.review.evidence import Key, Settled
    from unspin.review.revision import Reviser, Revision

ANSWERS = 3  # of an entry before anything is said of it; as `unspin.review.suggest` has it
MOST_EXAMPLES = 2  # of an entry
HEADING = "# Settled in a review:"


class _Outcome(NamedTuple):
    """A file as it is ("" if it is not there), and the edits that make it what it shall be."""

    path: Path
    text: str
    edits: tuple[Edit, ...]


@click.command("suggest")
@click.argument("lexicon", required=False, shell_complete=options.complete_lexicons)
@click.option(
    "--from",
    "ledger",
    default="unspin.db",
    show_default=True,
    envvar="UNSPIN_LEDGER",
    metavar="FILE|URL",
    help="The ledger of the review.",
)
@click.option("--write", is_flag=True, help="Make the changes, instead of printing them.")
@click.option(
    "--answers",
    type=click.IntRange(1),
    default=ANSWERS,
    show_default=True,
    help="Say nothing of an entry with fewer answers.",
)
@click.option("--examples/--no-examples", "with_examples", default=True, help="Add sentences to the examples, too.")
@click.option("-v", "--verbose", is_flag=True, help="Name what reviewers typed and what is not taken, and why.")
@options.model_option
@options.ranker_option
def command(
    lexicon: str | None,
    ledger: str,
    write: bool,
    answers: int,
    with_examples: bool,
    verbose: bool,
    model: Path | None,
    ranker: str,
) -> None:
    """Suggest changes to a lexicon from what reviewers decided, as a patch.

    Entries that were accepted become auto, those that were refused review or off; swaps that reviewers typed become
    entries. Sentences about false alarms go to the examples (NAME.examples.tsv). Without LEXICON, the changes are for
    unspin.tsv beside the ledger, which `unspin review` reads over the other lexicons. A shipped lexicon is written only
    if it is given by its path.

    \b
    Examples:
      unspin lexicon suggest --from unspin.db
      unspin lexicon suggest lexicons/en-autoblog.tsv | git apply
      unspin lexicon suggest mine.tsv --write
    """
    from unspin.review.ledger import Ledger
    from unspin.review.revision import Reviser

    path = _lexicon(lexicon, ledger, write=write)
    with Ledger(ledger, create=False) as opened:
        reviser = Reviser(opened, path, answers=answers)
    stages = options.stages(model=model, ranker=ranker)
    revision = _agreed(reviser, stages)
    outcomes = [_of_lexicon(revision)]
    if with_examples:
        outcomes.append(_of_examples(reviser, revision, stages))
    if write:
        _write(outcomes)
    else:
        product("".join(map(_patch, outcomes)))
    _tell(reviser, revision, verbose=verbose)


def _lexicon(name: str | None, ledger: str, *, write: bool) -> Path:
    """The file that is to be changed."""
    from unspin.commands.review_ledger import place_of
    from unspin.review.overlay import NAME

    if name is None:
        own = place_of(ledger) / NAME
        return Path(NAME) if place_of(ledger) == Path.cwd() else own
    path = find(name)
    if write and path != Path(name):
        raise click.UsageError(f"--write changes {path} only if it is given by its path")
    return path


# what the examples say


def _agreed(reviser: Reviser, stages: Stages) -> Revision:
    """The revision without the changes that make an example fail that did not."""
    beside = examples.beside(reviser.path)
    known = list(examples.read_examples(beside)) if exists(beside) else []
    before = _outcome(reviser, None)
    without: set[Key] = set()
    while True:
        revision = reviser.revision(without=without)
        after = _outcome(reviser, revision)
        changed = {words for change in revision.changes for words in change.key}
        blamed: set[Key] = set()
        for example in known:
            held = _grams(example.gold.text) & changed
            held |= {words for span in example.gold.spans for a in span.accepted for words in _grams(a) & changed}
            if held and _fails(example.gold, after, stages) and not _fails(example.gold, before, stages):
                guilty = {change.key for change in revision.changes if held.intersection(change.key)}
                blamed |= guilty
                for spun, original in sorted(guilty - without):
                    say(f"{' '.join(spun)} <- {' '.join(original)}: stays as it is; {beside}:{example.line} needs it")
        if not blamed - without:
            return revision
        without |= blamed


def _outcome(reviser: Reviser, revision: Revision | None) -> Lexicon:
    """The lexicon alone, as `unspin lexicon check` reads it; with a revision made."""
    from unspin.review.overlay import key_of

    entries = {key_of(e.spun, e.original): e for line in reviser.lines if (e := line.entry)}
    entries |= {change.key: change.entry for change in revision.changes} if revision else {}
    return Lexicon(entries.values(), name=reviser.path.stem)


def _grams(text: str) -> set[Phrase]:
    words = phrase(text)
    return {words[at:end] for at in range(len(words)) for end in range(at + 1, min(at + LONGEST, len(words)) + 1)}


def _fails(gold: Gold, lexicon: Lexicon, stages: Stages) -> bool:
    return bool(examples.faults(gold, lexicon, stages["model"], stages["ranker"]))


def _kept(settled: Iterable[Settled], lexicon: Lexicon, stages: Stages, known: Collection[str]) -> Iterator[str]:
    """Sentences that the lexicon restores as people did, no more than MOST_EXAMPLES for an entry."""
    taken: Counter[Key] = Counter()
    seen = set(known)
    for one in settled:
        wanted = any(taken[key] < MOST_EXAMPLES for key in one.keys)
        if wanted and one.markup not in seen and not _fails(parse_markup(one.markup, name="review"), lexicon, stages):
            seen.add(one.markup)
            taken.update(one.keys)
            yield one.markup


# files


def _of_lexicon(revision: Revision) -> _Outcome:
    if exists(revision.path) or not revision.changes:
        return _Outcome(revision.path, revision.text, revision.edits)
    return _Outcome(revision.path, "", _added("", apply(revision.text, revision.edits)))


def _of_examples(reviser: Reviser, revision: Revision, stages: Stages) -> _Outcome:
    path = examples.beside(reviser.path)
    text = read_text(path) if exists(path) else ""
    rows = text.splitlines()
    found = list(_kept(reviser.heard.settled, _outcome(reviser, revision), stages, rows))
    if not found:
        return _Outcome(path, text, ())
    heading = [] if HEADING in rows else [*([""] if rows else []), HEADING]
    return _Outcome(path, text, _added(text, "".join(f"{line}\n" for line in (*heading, *found))))


def _added(text: str, more: str) -> tuple[Edit, ...]:
    """More at the end of a text, on lines of its own."""
    more = more if not text or text.endswith("\n") else f"\n{more}"
    return (Edit(len(text), len(text), "", more, None, 1.0, DecidedBy.REVIEWER),)


def _patch(outcome: _Outcome) -> str:
    """A patch, named by the path from the current folder."""
    name = os.path.relpath(outcome.path)
    name = str(outcome.path.absolute()) if name.startswith("..") else Path(name).as_posix()
    made = patch(outcome.text, outcome.edits, name=name)
    if made and not exists(outcome.path):
        made = "--- /dev/null\n" + made.partition("\n")[2]
    return made


def _write(outcomes: Iterable[_Outcome]) -> None:
    for path, text, edits in outcomes:
        if not edits:
            continue
        if text.encode() != (path.read_bytes() if exists(path) else b""):
            raise OutputError(path, "has changed meanwhile; nothing was written to it, run the command again")
        write_atomic(path, apply(text, edits).encode())


def _tell(reviser: Reviser, revision: Revision, *, verbose: bool) -> None:
    kinds = Counter(change.why.partition(":")[0] for change in revision.changes)
    told = ", ".join(f"{number:,} {kind}" for kind, number in sorted(kinds.items()))
    said = f"{counted(len(revision.changes), 'change')} ({told})" if told else "nothing to change"
    say(f"{revision.path}: {said}")
    off = [(one.spun, one.original, one.reason, 1) for one in revision.refused]
    refused = [*off, *reviser.heard.unfit]
    if refused:
        reasons = Counter[str]()
        for *_, reason, number in refused:
            reasons[reason] += number
        told = ", ".join(f"{reason} {number:,}" for reason, number in sorted(reasons.items()))
        say(f"typed by reviewers and not taken: {told}")
    if verbose:
        for spun, original, reason, number in refused:
            say(f"  {spun} <- {original}: {reason} ({number:,})")
