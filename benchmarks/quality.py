"""Figures of quality, one per line: `name value`, tab-separated.

    python benchmarks/quality.py --pairs DEV.jsonl.gz --clean NEWS.txt.gz --clean SPEECHES.txt.gz

Pairs are rows of {"id", "original", "spun": [copy, ...]} whose lines correspond; clean files hold a paragraph
a line. The seed is always measured; pairs and clean text where they are given.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import unspin
from unspin.calibration import Judged, expected_calibration_error, judge, reliability, roc_auc
from unspin.edit import cleaned
from unspin.errors import FormatError
from unspin.evaluate import Outcome, Score, confusions, score, total
from unspin.gold import markup_from_pair, parse_markup
from unspin.model import DecidedBy, Edit, HeldReason, Restoration

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
DOCUMENT = 400  # words of clean text restored at a time: a short article
CONFUSIONS = 30


class Pair(NamedTuple):
    """An aligned passage: its text and its spun copies."""

    original: str
    spun: list[str]


def main() -> None:
    """Measure what was asked for and print each figure as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, help="aligned pairs, JSON Lines, gzipped")
    parser.add_argument("--clean", type=Path, action="append", default=[], help="clean text, gzipped; repeatable")
    parser.add_argument("--limit", type=int, help="only the first so many pairs")
    parser.add_argument("--words", type=int, default=200_000, help="words of clean text (default: %(default)s)")
    options = parser.parse_args()
    report("seed", seed())
    if options.pairs:
        report("pairs", pairs(islice(read_pairs(options.pairs), options.limit)))
    if options.clean:
        report("clean", clean(options.clean, options.words))


def report(section: str, lines: Iterable[tuple[str, float | str]]) -> None:
    """Print `section.name`, a tab and the value."""
    for name, value in lines:
        print(
            f"{section}.{name}\t{value:.4f}" if isinstance(value, float) else f"{section}.{name}\t{value}", flush=True
        )


def seed() -> Iterator[tuple[str, float | str]]:
    """The seed article, restored as it arrived, against its gold."""
    gold = parse_markup((SEEDS / "seed.markup.txt").read_text(encoding="utf-8"), name="seed.markup.txt")
    restoration = unspin.restore((SEEDS / "seed.txt").read_text(encoding="utf-8"))
    yield from scores(score(gold, cleaned(restoration)))
    yield "duplicates_removed", sum(len(group.repeats) for group in restoration.duplicates)


def scores(found: Score) -> Iterator[tuple[str, float | str]]:
    """The ratios and counts of a score."""
    yield from (("f05", found.f05), ("precision", found.precision), ("recall", found.recall))
    yield from ((kind.value, getattr(found, kind)) for kind in Outcome)


def pairs(passages: Iterable[Pair]) -> Iterator[tuple[str, float | str]]:
    """First copies against their originals; all copies against the originals for spun-or-not."""
    found: list[Score] = []
    judged: list[Judged] = []
    spun: list[float] = []
    plain: list[float] = []
    refused = 0
    for original, copies in passages:
        first, *others = map(unspin.restore, copies)
        spun += (restoration.spin.evidence for restoration in (first, *others))
        plain.append(unspin.restore(original).spin.evidence)
        try:
            gold = parse_markup(markup_from_pair(original, copies[0]), name="pair")
        except FormatError:
            refused += 1
            continue
        found.append(score(gold, cleaned(first)))
        judged += judge(gold, first.edits)
        judged += (one for edit in unsure(first) for one in judge(gold, [edit]))
    yield from scores(total(found))
    yield "passages", len(found)
    yield "refused", refused
    yield "auc", roc_auc(spun, plain)
    yield from calibration(judged)
    yield from worst(found)


def unsure(restoration: Restoration) -> Iterator[Edit]:
    """What was held for its confidence alone, as edits: calibration must not see the sure ones only."""
    for held in restoration.held:
        if held.reason is HeldReason.CONFIDENCE:
            at, best = held.candidate, held.candidate.best
            yield Edit(at.start, at.end, at.before, best.after, best.entry, best.posterior, DecidedBy.DECODER)


def calibration(judged: list[Judged]) -> Iterator[tuple[str, float | str]]:
    """Expected calibration error and the reliability table."""
    yield "ece", expected_calibration_error(judged)
    for row in reliability(judged):
        yield (
            f"reliability.{row.lower:.1f}-{row.upper:.1f}",
            f"count {row.count}\tconfidence {row.confidence:.3f}\taccuracy {row.accuracy:.3f}",
        )


def worst(found: list[Score]) -> Iterator[tuple[str, str]]:
    """The most frequent confusions."""
    for row in confusions(total(found).details)[:CONFUSIONS]:
        accepted = " / ".join(row.accepted) or "(no change)"
        yield "confusion", f"{row.count}\t{row.spun}\t-> {row.chosen}\taccepted: {accepted}"


def clean(paths: list[Path], words: int) -> Iterator[tuple[str, float | str]]:
    """False edits: whatever is changed or removed in clean text."""
    edits = removed = flagged = read = 0
    for path in paths:
        for document in sample(documents(path), words // len(paths)):
            restoration = unspin.restore(document)
            edits += sum(edit.decided_by is not DecidedBy.DUPLICATE for edit in restoration.edits)
            removed += sum(len(group.repeats) for group in restoration.duplicates)
            flagged += restoration.spin.is_spun
            read += len(document.split())
    yield from (("words", read), ("edits", edits), ("documents_taken_for_spun", flagged))
    yield "edits_per_10000_words", 10_000 * edits / max(read, 1)
    yield "passages_removed", removed


def sample(texts: list[str], words: int) -> Iterator[str]:
    """Texts taken evenly, as many as make up so many words on average."""
    mean = sum(len(text.split()) for text in texts) / max(len(texts), 1)
    wanted = min(len(texts), round(words / max(mean, 1)))
    return (texts[i * len(texts) // wanted] for i in range(wanted))


def documents(path: Path) -> list[str]:
    """Runs of consecutive lines of at least `DOCUMENT` words."""
    runs: list[str] = []
    run: list[str] = []
    size = 0
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            run.append(line.rstrip("\n"))
            size += line.count(" ") + 1
            if size >= DOCUMENT:
                runs.append("\n".join(run))
                run, size = [], 0
    return runs or ["\n".join(run)]


def read_pairs(path: Path) -> Iterator[Pair]:
    """The pairs of a gzipped JSON Lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield Pair(row["original"], row["spun"])


if __name__ == "__main__":
    main()
