"""`unspin explain`: a text in; for every change, what it was decided from, out; or recorded edits, made again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from unspin import formats
from unspin.commands import options, terminal
from unspin.commands.records import is_called, label, refuse_whole, tell_guess
from unspin.commands.replaying import Replayed
from unspin.commands.terminal import Failures, counted, legible, product, say
from unspin.consensus import Sibling
from unspin.diff.json_lines import fields
from unspin.errors import InputError, UnspinError
from unspin.explain import Explanation, Weighed, explain, landed
from unspin.files import STDIN, read_text
from unspin.formats import Failure, Reader, Reading, Record
from unspin.model import DecidedBy, Edit, Entry, Held, HeldReason, Restoration
from unspin.replay import read_edits
from unspin.sources import sources
from unspin.text import phrase

_BY = {
    DecidedBy.DECODER: "the decoder's best reading",
    DecidedBy.AGREEMENT: "an article that follows the restored word beside it",
    DecidedBy.DUPLICATE: "a repeated passage",
    DecidedBy.DEBRIS: "what a spinner leaves around its swaps",
    DecidedBy.ENDPOINT: "an endpoint's choice",
    DecidedBy.SIBLING: "an unspun copy's words",
    DecidedBy.SPINNER: "a swap made",
    DecidedBy.REVIEWER: "a person's decision",
}
QUOTED = 60  # characters of a passage that goes
_WAITS = {
    HeldReason.CONFIDENCE: "not sure enough",
    HeldReason.DEBRIS: "authors write it, too",
    HeldReason.STATUS: "its entry is for review",
    HeldReason.NUMBER: "it would change a number",
    HeldReason.NEGATION: "it would change a negation",
    HeldReason.NAME: "it would change the case pattern of a name",
}


def _chosen(found: Sequence[Explanation], at: str | None, text: str) -> list[Explanation]:
    """What is asked for: what was decided, or all that meets an offset, or has a word. Raises UnspinError."""
    if at is None:
        return [one for one in found if one.decided]
    if at.isascii() and at.isdigit():
        chosen = [one for one in found if one.start <= int(at) < one.end]
        if int(at) >= len(text):
            raise click.BadParameter(f"the text ends at {len(text):,}", param_hint="--at")
    else:
        chosen = [one for one in found if phrase(at) in {phrase(text[one.start : one.end]), phrase(_after(one))}]
    if not chosen:
        raise UnspinError(f"nothing at {at!r} was changed, held or could have been a swap")
    return chosen


def _after(one: Explanation) -> str:
    match one.decided:
        case Edit(after=after):
            return after
        case Held(candidate=candidate):
            return candidate.best.after
        case None:
            return ""


# json


def _entry(entry: Entry | None) -> dict[str, Any] | None:
    keys = ("spun", "original", "rate", "seen", "status", "source", "note", "line")
    return {key: getattr(entry, key) for key in keys} if entry else None


def _option(weighed: Weighed) -> dict[str, Any]:
    option = weighed.option
    return {
        "after": option.after,
        "posterior": option.posterior,
        "prior": option.prior,
        "confidence": weighed.confidence,
        "channel": weighed.channel,
        "language": weighed.language,
        "ranker": weighed.ranker,
        "guard": weighed.guard,
        "entry": _entry(option.entry),
    }


def _json(restoration: Restoration, one: Explanation, *, record: str) -> str:
    spin = restoration.spin
    row: dict[str, Any] = {"record": record} if record else {}
    row |= {
        "start": one.start,
        "end": one.end,
        "before": restoration.original[one.start : one.end],
        "sentence": {"start": one.sentence[0], "end": one.sentence[1]},
        "edit": fields(one.decided) if isinstance(one.decided, Edit) else None,
        "held": one.decided.reason if isinstance(one.decided, Held) else None,
        "options": [_option(weighed) for weighed in one.options],
        "repeat": {"kind": one.repeat.kind, "score": one.repeat.score} if one.repeat else None,
        "kept": {"start": one.kept[0], "end": one.kept[1]} if one.kept else None,
        "spin": {"is_spun": spin.is_spun, "rate": spin.rate, "evidence": spin.evidence, "words": spin.words},
        "signature": str(restoration.signature),
    }
    return json.dumps(row) + "\n"


# text


def _headline(name: str, restoration: Restoration) -> str:
    spin = restoration.spin
    verdict = f"spun, at rate {spin.rate:.2f}" if spin.is_spun else "no spin evidence, so that no swap is undone"
    told = f"{legible(name)}: {verdict}; {spin.evidence:.2f} nats/word over {spin.words:,} words\n"
    return told + f"{restoration.signature}\n"


def _nats(value: float | None) -> str:
    return "" if value is None else f"{value:+.2f}"


def _table(one: Explanation, *, colour: bool) -> str:
    made = terminal.table("option", "#posterior", "#before the ranker", "#channel", "#language", "#ranker", "guard")
    for weighed in one.options:
        option = weighed.option
        prior = "" if option.prior is None else f"{option.prior:.3f}"
        numbers = _nats(weighed.channel), _nats(weighed.language), _nats(weighed.ranker)
        name = legible(option.after) if option.entry else "(as it is)"
        made.add_row(name, f"{option.posterior:.3f}", prior, *numbers, weighed.guard or "")
    return terminal.drawn(made, colour=colour) if one.options else ""


def _told(restoration: Restoration, one: Explanation, *, colour: bool) -> Iterator[str]:
    text, (start, end) = restoration.original, one.sentence
    before, after = legible(text[one.start : one.end]), legible(_after(one))
    if one.repeat and one.kept:
        yield f"\n{one.start}-{one.end}  [-{before[:QUOTED]}…-]\n"
        yield f"  removed: {one.repeat.kind} repeat of {one.kept[0]}-{one.kept[1]}, score {one.repeat.score:.3f}\n"
        return
    change = f"{before} -> {after or '(nothing)'}" if one.decided else before
    yield f"\n{one.start}-{one.end}  {change}\n"
    yield "  " + legible(f"in: {text[start : one.start]}[[{text[one.start : one.end]}]]{text[one.end : end]}") + "\n"
    match one.decided:
        case Edit() as edit:
            yield f"  edited: {_BY[edit.decided_by]}, confidence {edit.confidence:.3f}\n"
            for copy in edit.attested_by:
                yield f"  sibling {legible(copy.sibling)} has at {copy.start}-{copy.end}: {legible(copy.text)}\n"
        case Held(reason=reason):
            yield f"  held: {_WAITS[reason]}\n"
        case None:
            yield "  left alone\n"
    for entry in (weighed.option.entry for weighed in one.options):
        if entry:
            line = f", line {entry.line}" if entry.line else ""
            yield f"  entry: {entry.spun} <- {entry.original}, rate {entry.rate:g}, seen {entry.seen:,}, {entry.status}"
            yield f", {entry.source}{line}\n"
    yield _table(one, colour=colour)


# records


def _opened(file: str, reading: Reading) -> Reader:
    """The file. Raises InputError."""
    found, errors = sources([file])
    if errors:
        raise errors[0]
    if len(found) != 1:
        raise click.UsageError(f"{file} names {counted(len(found), 'file')}; give one")
    return formats.reader(found[0], reading)


def _records(reader: Reader, failures: Failures, wanted: str | None) -> Iterator[Record]:
    """The records of a file, or those that are called so. Raises InputError if there are none of this name."""
    is_there = wanted is None
    for one in reader:
        if isinstance(one, Failure):
            refuse_whole(reader, one)
            failures.add(one)
        elif wanted is None or is_called(reader, one, wanted):
            is_there = True
            tell_guess(reader, one)
            yield one
    if not is_there:
        raise InputError(reader.name, f"holds no record {wanted!r}")


@click.command("explain")
@click.argument("file", default=STDIN, metavar="[FILE|-]")
@click.option("--at", metavar="OFFSET|WORD", help="Only what stands at this code point, or has or had these words.")
@click.option(
    "--id", "wanted", metavar="ID", help="Of a file of several texts, only the record with this id, or #NUMBER."
)
@click.option(
    "--replay",
    "edits",
    type=click.Path(path_type=Path),
    metavar="EDITS",
    help="Make these edits of FILE again, lines of --diff json, and compare.",
)
@options.reading_options
@options.style_option("text", "json")
@options.schema_option("explanation", of="a line of --format json")
@options.confidence_option
@options.keep_duplicates_option
@options.siblings_option
@options.stages_options
@options.colour_option
def command(
    file: str,
    at: str | None,
    wanted: str | None,
    edits: Path | None,
    reading: Reading,
    style: str,
    min_confidence: float,
    keep_duplicates: bool,
    siblings: tuple[Path, ...],
    lexicons: tuple[str, ...],
    model: Path | None,
    ranker: str,
    colour: bool | None,
) -> None:
    """Show what every change of a text was decided from, or make recorded ones again.

    For each edit and all that is held: the lexicon's entries, the posterior of every option with and without the
    ranker, and what speaks for it, in nats against leaving the words alone; the guard that holds it; what siblings
    have there. With --at, also what was left alone. Terms do not add up to posteriors, which weigh whole
    readings of the text.

    FILE is what `unspin clean` takes. Of a file of several texts all are explained, or the one that --id names; offsets
    count in its text, and each is read alone, without its copies among the others.

    With --replay, the edits are made again from their signatures: by the same version, lexicon, models and options. An
    edit that comes out otherwise, or was made with something else, is told with the part that differs, and
    the exit code is 3. Another version of onnxruntime is told, and is no failure by itself.

    \b
    Examples:
      unspin explain scraped.txt
      unspin explain scraped.txt --at 1024 --format json
      unspin explain scrape.jsonl --id 17 --at yr
      unspin explain scraped.txt --replay edits.jsonl
    """
    if edits:
        _refuse("at", "wanted", "style", "min_confidence", "keep_duplicates")
    failures, reader = Failures(), _opened(file, reading)
    _refuse_many(reader, wanted, at=at is not None, siblings=bool(siblings) and not edits)
    stages = options.stages(lexicons, model, ranker)
    copies = [Sibling(read_text(path), stages["lexicon"], stages["model"], name=str(path)) for path in siblings]
    if edits:
        replayed = Replayed(list(read_edits(edits)), stages, copies)
        replayed.read(reader, _records(reader, failures, None))
        _tell(replayed, edits, failures)
        return
    how: dict[str, Any] = {"min_confidence": min_confidence, "keep_duplicates": keep_duplicates, "siblings": copies}
    coloured, between = terminal.wants_colour(colour), ""
    for record in _records(reader, failures, wanted):
        restoration, found = landed(record.prose, *explain(record.text, **stages, **how))
        chosen = _chosen(found, at, restoration.original)
        if style == "json":
            whose = "" if formats.is_single(reader.format) else record.id
            product("".join(_json(restoration, one, record=whose) for one in chosen))
        else:
            parts = ("".join(_told(restoration, one, colour=coloured)) for one in chosen)
            product("".join([between, _headline(label(reader, record), restoration), *parts]))
            between = "\n"
    failures.exit()


def _refuse_many(reader: Reader, wanted: str | None, *, at: bool, siblings: bool) -> None:
    """Refuses what is of one text where there are several, and the name of one of several where there is one."""
    is_single = formats.is_single(reader.format)
    if is_single and wanted is not None:
        raise click.UsageError(f"--id names one of several texts, and {reader.name} is one")
    if not is_single and wanted is None and (at or siblings):
        raise click.UsageError(f"--{'at' if at else 'siblings'} is of one text: say with --id which of them")


def _refuse(*names: str) -> None:
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = {"style": "format", "wanted": "id"}.get(name, name.replace("_", "-"))
            raise click.UsageError(f"--replay goes without --{option}: the signatures say how the edits were made")


def _tell(replayed: Replayed, path: Path, failures: Failures) -> None:
    outcomes = replayed.outcomes()
    failed = [outcome for outcome in outcomes if outcome.problem]
    for outcome in failed:
        place = f"{path}:{outcome.recorded.line}"
        product(legible(f"{place}: {outcome.recorded.change}: {outcome.problem}") + "\n")
    for rounding in replayed.roundings():
        say(f"{path}: {legible(rounding)}")
    say(f"{counted(len(outcomes) - len(failed), 'edit')} of {len(outcomes):,} made again")
    failures.exit(terminal.FAILED if failed else 0)
