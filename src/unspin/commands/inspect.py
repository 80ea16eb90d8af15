"""`unspin inspect`: texts in; what they show, with nothing decided, out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from unspin.commands import options, records, terminal
from unspin.commands.config import Configured
from unspin.commands.records import label
from unspin.commands.terminal import Failures, legible, product
from unspin.formats import Record
from unspin.lexicon import Lexicon
from unspin.model import Candidate, Entry, Option, SpinEvidence
from unspin.pipeline import Inspection
from unspin.pipeline import inspect as look

LEAST_SHOWN = 0.01  # posterior of an option that a table still shows
MOST_SHOWN = 4  # options of a candidate in a table


@dataclass(frozen=True, slots=True)
class _Finding:
    """A text's inspection, and how well each lexicon explains it alone, the best first."""

    name: str
    inspection: Inspection
    lexicons: tuple[tuple[str, SpinEvidence], ...]


def changing(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """The candidates whose best reading changes the text."""
    return (c for c in candidates if c.best.after != c.before)


def _find(name: str, record: Record, lexicons: Sequence[Lexicon], stages: options.Stages) -> _Finding:
    text = record.text
    inspection = look(text, **stages)
    if record.source is not text:
        standing = tuple(filter(None, map(record.prose.requoted, inspection.candidates)))
        inspection = replace(inspection, candidates=standing)
    alone = [(stages["lexicon"].name, inspection.spin)]
    if len(lexicons) > 1:
        model, ranker = stages["model"], stages["ranker"]
        alone = [(one.name, look(text, lexicon=one, model=model, ranker=ranker).spin) for one in lexicons]
    return _Finding(name, inspection, tuple(sorted(alone, key=lambda pair: -pair[1].evidence)))


# json


def _entry(entry: Entry | None) -> dict[str, Any] | None:
    return {key: getattr(entry, key) for key in ("spun", "original", "rate", "source")} if entry else None


def _spin(spin: SpinEvidence) -> dict[str, Any]:
    return {"is_spun": spin.is_spun, "rate": spin.rate, "evidence": spin.evidence, "words": spin.words}


def _option(option: Option) -> dict[str, Any]:
    return {"after": option.after, "posterior": option.posterior, "entry": _entry(option.entry)}


def _json(finding: _Finding, candidates: Iterable[Candidate]) -> str:
    seen = finding.inspection
    row = {
        "name": finding.name,
        "spin": _spin(seen.spin) | {"gains": [{"rate": rate, "gain": gain} for rate, gain in seen.gains]},
        "lexicons": [{"name": name} | _spin(spin) for name, spin in finding.lexicons],
        "candidates": [
            {"start": c.start, "end": c.end, "before": c.before, "options": [_option(o) for o in c.options]}
            for c in candidates
        ],
        "duplicates": [
            {
                "start": group.start,
                "end": group.end,
                "repeats": [{"start": r.start, "end": r.end, "kind": r.kind, "score": r.score} for r in group.repeats],
            }
            for group in seen.duplicates
        ],
        "signature": str(seen.signature),
    }
    return json.dumps(row) + "\n"


# table


def _readings(candidate: Candidate) -> str:
    shown = [o for o in candidate.options if o.posterior >= LEAST_SHOWN][:MOST_SHOWN] or [candidate.best]
    return " · ".join(f"{legible(o.after) if o.entry else '(as it is)'} {o.posterior:.2f}" for o in shown)


def candidate_table(candidates: Iterable[Candidate], *, colour: bool) -> str:
    """Candidates with their likeliest readings, as a table; empty for none."""
    made = terminal.table("#start", "#end", "text", "readings", title="Candidates")
    for candidate in candidates:
        made.add_row(str(candidate.start), str(candidate.end), legible(candidate.before), _readings(candidate))
    return terminal.drawn(made, colour=colour) if made.rows else ""


def _duplicate_table(inspection: Inspection, *, colour: bool) -> str:
    made = terminal.table("#start", "#end", "kind", "#score", "repeats", "text", title="Repeated paragraphs")
    for group in inspection.duplicates:
        for repeat in group.repeats:
            opening = legible(inspection.document.text[repeat.start : min(repeat.end, repeat.start + 50)])
            where = f"{group.start}-{group.end}"
            made.add_row(str(repeat.start), str(repeat.end), repeat.kind, f"{repeat.score:.2f}", where, opening + "…")
    return terminal.drawn(made, colour=colour) if made.rows else ""


def _headline(finding: _Finding) -> str:
    spin = finding.inspection.spin
    verdict = f"spun, at rate {spin.rate:.2f}" if spin.is_spun else "no spin evidence"
    lines = [f"{legible(finding.name)}: {verdict}; {spin.evidence:.2f} nats/word over {spin.words:,} words"]
    for name, alone in finding.lexicons:
        explains = f"explains {alone.evidence:.2f} nats/word at rate {alone.rate:.2f}"
        lines.append(f"lexicon {name} {explains if alone.is_spun else 'does not explain it'}")
    return "\n".join(lines) + "\n"


def _table(finding: _Finding, candidates: Sequence[Candidate], *, colour: bool) -> str:
    parts = [_headline(finding), candidate_table(candidates, colour=colour)]
    if candidates and not finding.inspection.spin.is_spun:
        parts.append("Without spin evidence, none of these would be restored.\n")
    parts.append(_duplicate_table(finding.inspection, colour=colour))
    return "\n".join(filter(None, parts))


@click.command("inspect", cls=Configured)
@options.inputs_options
@options.style_option("table", "json")
@options.schema_option("inspection", of="a line of --format json")
@click.option("--all", "every", is_flag=True, help="Show every candidate, not only those that would change the text.")
@options.stages_options
@options.colour_option
def command(
    inputs: options.Inputs,
    style: str,
    every: bool,
    lexicons: tuple[str, ...],
    model: Path | None,
    ranker: str,
    colour: bool | None,
) -> None:
    """Show what texts look like to unspin, and change nothing.

    For each text: the spin evidence and the spin rate, which lexicon explains it, the candidates with
    the posterior probability of each reading, and the repeated paragraphs. Spans are half-open, in code points.
    JSON is an object per line. FILES are what `unspin clean` takes.

    \b
    Examples:
      unspin inspect scraped.txt
      unspin inspect --all --lexicon mine.tsv scraped.txt
      unspin inspect --format json articles/ | jq -c '[.name, .spin.evidence]'
    """
    found, errors = inputs.found()
    failures = Failures(errors)
    stages = options.stages(lexicons, model, ranker)
    single = [Lexicon.load(name) for name in lexicons]
    coloured = terminal.wants_colour(colour)
    shown = 0
    for reader in records.opened(found, inputs.reading, failures):
        for one in records.records(reader, failures):
            with failures.told():
                finding = _find(label(reader, one), one, single, stages)
                candidates = finding.inspection.candidates
                wanted = list(candidates if every else changing(candidates))
                made = _json(finding, wanted) if style == "json" else _table(finding, wanted, colour=coloured)
                product(("\n" if shown and style != "json" else "") + made)
                shown += 1
    failures.exit()
