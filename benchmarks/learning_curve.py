"""Does the lexicon learn from a review? F0.5 after each round, as a table and, with --plot, as a picture.

    python benchmarks/learning_curve.py --pairs DEV.jsonl.gz [--plot FILE.svg]

The passages of the pairs are split: ROUNDS rounds of SIZE are reviewed, the rest is held back, and is only measured. A
round examines its passages with the lexicon as it is; a scripted reviewer answers every candidate from the true
original (accepts, picks another choice, types what stood there, or rejects; where the original's words cross the edge
of a candidate, it leaves that open); then what `unspin lexicon suggest --write` would write is written. Curves:

    shipped    begins with the shipped lexicon
    thinned    with a random half of its entries removed
    unproven   with all entries, a random half of them waiting for review

Removed and waiting entries are drawn by a hash of their words. With --whole, all passages are measured as well, the
reviewed ones among them, which shows memory beside learning and takes four times as long.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from unspin.align import golds, read_pairs
from unspin.calibration import judge
from unspin.edit import apply, cleaned
from unspin.evaluate import score, total
from unspin.gold import Gold
from unspin.language import default_model
from unspin.lexicon import Lexicon, Line, find, formatted, read
from unspin.model import DecidedBy, Edit, Entry, Status
from unspin.pipeline import examine, restore
from unspin.rank import Ranker, load_ranker
from unspin.review.ledger import Ledger
from unspin.review.model import REJECT, Answer, Filter, Item, Reviewer
from unspin.review.revision import Reviser

SCRIPT = Reviewer("script")
CURVES = ("shipped", "thinned", "unproven")


class Point(NamedTuple):
    """After a round: F0.5, precision and recall of what is held back, F0.5 of the whole, and what the round did."""

    curve: str
    round: int
    f05: float
    precision: float
    recall: float
    whole: float | None
    answers: int
    open: int
    changes: str


def main() -> None:
    """Print each round as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="aligned pairs, JSON Lines, gzipped")
    parser.add_argument("--rounds", type=int, default=6, help="(default: %(default)s)")
    parser.add_argument("--size", type=int, default=40, help="passages of a round (default: %(default)s)")
    parser.add_argument("--limit", type=int, help="only the first so many passages")
    parser.add_argument("--ranker", default="context", help="(default: %(default)s)")
    parser.add_argument("--curve", action="append", choices=CURVES, help="repeatable (default: all)")
    parser.add_argument("--whole", action="store_true", help="measure all passages, too")
    parser.add_argument("--seed", type=int, default=1, help="of what is removed or waits (default: %(default)s)")
    parser.add_argument("--plot", type=Path, help="an .svg or .png; needs matplotlib")
    options = parser.parse_args()
    passages = list(islice(golds(read_pairs(options.pairs)), options.limit))
    reviewed = [passages[n :: options.rounds + 1][: options.size] for n in range(options.rounds)]
    seen = {gold.text for part in reviewed for gold in part}
    rest = [gold for gold in passages if gold.text not in seen]
    ranker = load_ranker(options.ranker)
    print(f"# {len(seen)} passages reviewed, {len(rest)} held back, ranker {options.ranker}, seed {options.seed}")
    print("\t".join(Point._fields), flush=True)
    points: list[Point] = []
    for curve in options.curve or CURVES:
        for point in measured(curve, reviewed, rest, ranker, options.seed, whole=options.whole):
            points.append(point)
            cells = (
                f"{value:.4f}" if isinstance(value, float) else str("" if value is None else value) for value in point
            )
            print("\t".join(cells), flush=True)
    if options.plot:
        draw(points, options.plot)
    sys.exit(report(points))


def report(points: Sequence[Point]) -> int:
    """Say whether what is held back never fell; 1 if it did."""
    falls = 0
    for curve in dict.fromkeys(point.curve for point in points):
        values = [point.f05 for point in points if point.curve == curve]
        steps = [later - earlier for earlier, later in pairwise(values)]
        falls += sum(step < 0 for step in steps)
        kinds = Counter("rises" if step > 0 else "falls" if step < 0 else "ties" for step in steps)
        print(f"# {curve}: {values[0]:.4f} to {values[-1]:.4f};", dict(kinds))
    return int(falls > 0)


def measured(
    curve: str, reviewed: Sequence[Sequence[Gold]], rest: Sequence[Gold], ranker: Ranker, seed: int, *, whole: bool
) -> Iterator[Point]:
    """The points of a curve, the first before any review."""
    with TemporaryDirectory() as folder, Ledger(Path(folder) / "unspin.db") as ledger:
        path = Path(folder) / "lexicon.tsv"
        every = [gold for part in reviewed for gold in part] if whole else []
        path.write_text(formatted("", begun(curve, seed)), encoding="utf-8")
        yield point(curve, 0, path, rest, every, ranker, Counter(), Counter())
        for number, golds_ in enumerate(reviewed, 1):
            answers = review(ledger, golds_, Lexicon.load(path), ranker)
            revision = Reviser(ledger, path).revision()
            path.write_bytes(apply(revision.text, revision.edits).encode())
            kinds = Counter(change.why.partition(":")[0] for change in revision.changes)
            yield point(curve, number, path, rest, every, ranker, answers, kinds)


def begun(curve: str, seed: int) -> Iterator[Line]:
    """The lines of the lexicon that a curve begins with."""
    for line in read(find("en-autoblog"))[1]:
        drawn = line.entry is not None and is_drawn(line.entry, seed)
        if curve == "shipped" or not drawn:
            yield line
        elif curve == "unproven" and line.entry:
            status = Status.REVIEW if line.entry.status is Status.AUTO else line.entry.status
            yield replace(line, entry=replace(line.entry, status=status))


def is_drawn(entry: Entry, seed: int) -> bool:
    """Is it of the random half?"""
    return hashlib.sha256(f"{seed}\t{entry.spun}\t{entry.original}".encode()).digest()[0] < 128


def review(ledger: Ledger, passages: Iterable[Gold], lexicon: Lexicon, ranker: Ranker) -> Counter[str]:
    """Examine passages and answer what is proposed; how many answers of each kind."""
    found: Counter[str] = Counter()
    for gold in passages:
        found_here = examine(gold.text, lexicon=lexicon, model=default_model(), ranker=ranker)
        document = ledger.add(hashlib.sha256(gold.text.encode()).hexdigest(), *found_here).document
        for item in ledger.items(Filter(document=document), undecided=True):
            said = answer(gold, item)
            found[said.state.value if said else "open"] += 1
            if said:
                ledger.decide(item.id, said, by=SCRIPT)
    return found


def answer(gold: Gold, item: Item) -> Answer | None:
    """What the true original says to a candidate; None where it cannot be told."""
    if item.entry is None:
        return None
    touched = [span for span in gold.spans if span.start < item.end and item.start < span.end]
    if not touched:
        return REJECT
    for choice in item.choices:
        made = Edit(item.start, item.end, item.before, choice.after, choice.entry, 1.0, DecidedBy.REVIEWER)
        if judge(gold, [made])[0].correct:
            return item.saying(choice.after)
    if touched[0].start < item.start or item.end < touched[-1].end:
        return None
    parts: list[str] = []
    position = item.start
    for span in touched:
        parts += gold.text[position : span.start], span.accepted[0]
        position = span.end
    return item.saying("".join([*parts, gold.text[position : item.end]]))


def point(
    curve: str,
    number: int,
    path: Path,
    rest: Sequence[Gold],
    reviewed: Sequence[Gold],
    ranker: Ranker,
    answers: Counter[str],
    kinds: Counter[str],
) -> Point:
    """What a lexicon restores."""
    lexicon = Lexicon.load(path)
    restored = (cleaned(restore(gold.text, lexicon=lexicon, ranker=ranker)) for gold in (*rest, *reviewed))
    scores = [score(gold, text) for gold, text in zip((*rest, *reviewed), restored, strict=True)]
    held_back, whole = total(scores[: len(rest)]), total(scores).f05 if reviewed else None
    decided = sum(answers.values()) - answers["open"]
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    ratios = held_back.f05, held_back.precision, held_back.recall, whole
    return Point(curve, number, *ratios, decided, answers["open"], told)


def draw(points: Sequence[Point], path: Path) -> None:
    """The curves: held back as lines, the whole dashed."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 4.5), layout="constrained")
    chart = figure.subplots()
    for curve, colour in zip(CURVES, ("#1f5fa8", "#b8460e", "#2e7d32"), strict=True):
        own = [point for point in points if point.curve == curve]
        if own:
            rounds = [point.round for point in own]
            chart.plot(rounds, [point.f05 for point in own], marker="o", color=colour, label=f"{curve}, held back")
            whole = [point.whole for point in own if point.whole is not None]
            if whole:
                chart.plot(rounds, whole, linestyle="--", color=colour, label=f"{curve}, the whole")
    chart.set(xlabel="rounds of review", ylabel="F0.5", title="What the lexicon learns from reviewers")
    chart.legend(frameon=False, fontsize="small")
    chart.spines[["top", "right"]].set_visible(False)
    with rc_context({"svg.hashsalt": "unspin"}):  # else ids are random
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
