"""`unspin evaluate`: gold in; scores of what unspin, or anyone, makes of it, out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click

from unspin.align import read_pairs
from unspin.calibration import Judged, expected_calibration_error, judge, reliability
from unspin.commands import options, terminal
from unspin.commands.plot import drawn, style_of
from unspin.commands.terminal import counted, legible, product, say
from unspin.decide import unsure
from unspin.edit import cleaned
from unspin.errors import FormatError
from unspin.evaluate import Outcome, Score, confusions, score, total
from unspin.files import read_text, write_atomic
from unspin.gold import Gold, markup_from_pair, parse_markup
from unspin.model import Restoration
from unspin.pipeline import restore

CONFUSIONS = 20  # shown, unless all are asked for


@dataclass(slots=True)
class _Report:
    """Scores by name, and how sure each edit was and whether it was right."""

    scores: dict[str, Score] = field(default_factory=dict)
    judged: list[Judged] = field(default_factory=list)

    def add(self, name: str, gold: Gold, restoration: Restoration) -> None:
        self.scores[name] = score(gold, cleaned(restoration))
        self.judged += judge(gold, restoration.edits)
        # What was held for want of confidence counts, too: else only the sure ones would be judged.
        self.judged += (one for edit in unsure(restoration) for one in judge(gold, [edit]))

    @property
    def total(self) -> Score:
        return total(self.scores.values())


def _score_markup(report: _Report, paths: Sequence[Path], restored: Callable[[str], Restoration]) -> None:
    with terminal.progress("evaluate", shown=len(paths) > terminal.MANY) as told:
        for done, path in enumerate(paths):
            told("texts", done, len(paths))
            gold = parse_markup(read_text(path), name=str(path))
            report.add(str(path), gold, restored(gold.text))


def _score_pairs(report: _Report, path: Path, restored: Callable[[str], Restoration]) -> None:
    """First copies against their originals; all rows of a file make one score."""
    rows = _Report(judged=report.judged)
    refused = 0
    with terminal.progress("evaluate") as told:
        for number, pair in enumerate(read_pairs(path), 1):
            told(str(path), number, 0)
            try:
                gold = parse_markup(markup_from_pair(pair.original, pair.spun[0]), name=f"{path}:{number}")
            except (FormatError, IndexError):  # markup cannot express the pair, or it has no copy
                refused += 1
                continue
            rows.add(str(number), gold, restored(pair.spun[0]))
    report.scores[str(path)] = rows.total
    say(f"{path}: {counted(len(rows.scores), 'pair')} scored, {refused:,} refused by markup")


# json


def _figures(made: Score) -> dict[str, Any]:
    counts = {kind.value: getattr(made, kind) for kind in Outcome}
    return counts | {"tokens": made.tokens, "precision": made.precision, "recall": made.recall, "f05": made.f05}


def _json(report: _Report) -> str:
    return (
        json.dumps(
            {
                "files": [{"name": name} | _figures(made) for name, made in report.scores.items()],
                "total": _figures(report.total),
                "ece": expected_calibration_error(report.judged),
                "reliability": [
                    {key: getattr(row, key) for key in ("lower", "upper", "count", "confidence", "accuracy")}
                    for row in reliability(report.judged)
                ],
                "confusions": [
                    {"spun": row.spun, "chosen": row.chosen, "accepted": row.accepted, "count": row.count}
                    for row in confusions(report.total.details)
                ],
            },
            indent=2,
        )
        + "\n"
    )


# table


def _scores(report: _Report, *, colour: bool) -> str:
    made = terminal.table(
        "text", "#restored", "#wrong", "#missed", "#spurious", "#kept", "#precision", "#recall", "#F0.5"
    )
    rows = [*report.scores.items()]
    if len(rows) > 1:
        rows.append(("total", report.total))
    for name, one in rows:
        counts = (one.restored, one.wrong, one.missed, one.spurious, one.optional_kept)
        ratios = (one.precision, one.recall, one.f05)
        made.add_row(legible(name), *(f"{n:,}" for n in counts), *(f"{ratio:.3f}" for ratio in ratios))
    return terminal.drawn(made, colour=colour)


def _calibration(report: _Report, *, colour: bool) -> str:
    if not report.judged:
        return ""
    error = expected_calibration_error(report.judged)
    made = terminal.table("confidence", "#edits", "#mean", "#right", title=f"Calibration: expected error {error:.3f}")
    for row in reliability(report.judged):
        made.add_row(
            f"{row.lower:.1f}-{row.upper:.1f}", f"{row.count:,}", f"{row.confidence:.3f}", f"{row.accuracy:.3f}"
        )
    return terminal.drawn(made, colour=colour)


def _confusions(report: _Report, *, colour: bool, most: int | None) -> str:
    every = confusions(report.total.details)
    title = "Confusions" + (f": the first {most} of {len(every):,}; -v shows all" if most and len(every) > most else "")
    made = terminal.table("#times", "spun", "chosen", "accepted", title=title)
    for row in every[:most]:
        made.add_row(str(row.count), legible(row.spun), legible(row.chosen), legible(" | ".join(row.accepted)))
    return terminal.drawn(made, colour=colour) if every else ""


def _faults(report: _Report, *, colour: bool) -> str:
    made = terminal.table("fault", "chosen", "accepted", "context", title="Faults")
    for one in report.total.details:
        made.add_row(one.kind.value, legible(one.chosen), legible(" | ".join(one.accepted)), legible(one.context))
    return terminal.drawn(made, colour=colour) if made.rows else ""


def _table(report: _Report, *, colour: bool, verbose: bool) -> str:
    parts = [_scores(report, colour=colour), _calibration(report, colour=colour)]
    parts.append(_confusions(report, colour=colour, most=None if verbose else CONFUSIONS))
    if verbose:
        parts.append(_faults(report, colour=colour))
    return "\n".join(filter(None, parts))


@click.command("evaluate")
@click.argument("markup", nargs=-1, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Score this restored text instead.")
@click.option("--pairs", multiple=True, type=click.Path(path_type=Path), help="Score aligned pairs; repeatable.")
@options.style_option("table", "json")
@options.schema_option("scores", of="what --format json prints")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw the reliability table (.png, .svg); needs the extra plot.",
)
@click.option("-v", "--verbose", is_flag=True, help="List every confusion and every fault.")
@options.confidence_option
@options.stages_options
@options.colour_option
@options.force_option
def command(
    markup: tuple[Path, ...],
    output: Path | None,
    pairs: tuple[Path, ...],
    style: str,
    plot: Path | None,
    verbose: bool,
    min_confidence: float,
    lexicons: tuple[str, ...],
    model: Path | None,
    ranker: str,
    colour: bool | None,
    force: bool,
) -> None:
    """Score restorations against gold.

    MARKUP is spun text whose swaps are written [[spun|accepted|accepted...]]. unspin restores the spun
    text, and each span counts once: restored, wrong, missed, or kept where that is accepted; a change
    outside spans is spurious. Case and curly quotes do not count. --pairs scores the first spun copy of each row of
    JSON Lines against its original; rows that markup cannot express are counted and left out.

    \b
    Examples:
      unspin evaluate article.markup.txt
      unspin evaluate -v --output mine.txt article.markup.txt
      unspin evaluate --pairs dev.jsonl.gz --format json
      unspin evaluate --pairs dev.jsonl.gz --plot reliability.svg
    """
    if not markup and not pairs:
        raise click.UsageError("give MARKUP or --pairs")
    if output and (len(markup) != 1 or pairs):
        raise click.UsageError("--output is scored against one MARKUP")
    if plot:
        style_of(plot)
        options.refuse_existing(plot, force=force)
    report = _Report()
    if output:
        gold = parse_markup(read_text(markup[0]), name=str(markup[0]))
        report.scores[str(output)] = score(gold, read_text(output))
    else:
        restored = partial(restore, **options.stages(lexicons, model, ranker), min_confidence=min_confidence)
        _score_markup(report, markup, restored)
        for path in pairs:
            _score_pairs(report, path, restored)
    coloured = terminal.wants_colour(colour)
    if plot:
        write_atomic(plot, drawn(report.judged, style=style_of(plot)))
    product(_json(report) if style == "json" else _table(report, colour=coloured, verbose=verbose))
