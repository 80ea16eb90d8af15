"""How sure is sure: `python benchmarks/calibration.py --pairs DEV.jsonl.gz [--limit N] [--ranker NAME]`.

Restores the first spun copies with every reading of the best path made, judges each edit against the
original, and prints the logistic function of the posterior's log-odds that predicts best whether an edit is right
(`SLOPE` and `INTERCEPT` of `unspin.decide`), the expected calibration error, and precision, recall and F0.5
at several thresholds.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

import unspin
from unspin.align import golds, read_pairs
from unspin.calibration import Judged, expected_calibration_error, judge
from unspin.decide import INTERCEPT, MOST_ODDS, SLOPE
from unspin.evaluate import score, total
from unspin.rank import DEFAULT, load_ranker

THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def fitted(judged: Sequence[Judged]) -> tuple[float, float]:
    """Slope and intercept by Newton's method on the log-likelihood; the present ones are taken off first."""
    confidence = np.asarray([j.confidence for j in judged])
    right = np.asarray([j.correct for j in judged], dtype=float)
    odds = (np.log(confidence / (1.0 - confidence)) - INTERCEPT) / SLOPE
    columns = np.stack([odds, np.ones_like(odds)], axis=1)
    weights = np.zeros(2)
    for _ in range(25):
        predicted = 1.0 / (1.0 + np.exp(-columns @ weights))
        spread = (predicted * (1.0 - predicted))[:, None]
        weights += np.linalg.solve(columns.T @ (columns * spread), columns.T @ (right - predicted))
    return float(weights[0]), float(weights[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--ranker", default=DEFAULT)
    arguments = parser.parse_args()
    ranker = load_ranker(arguments.ranker)
    texts = list(golds(islice(read_pairs(arguments.pairs), arguments.limit)))
    every = [unspin.restore(gold.text, ranker=ranker, min_confidence=0.0) for gold in texts]
    judged = [j for gold, found in zip(texts, every, strict=True) for j in judge(gold, found.edits)]
    slope, intercept = fitted(judged)
    print(f"edits\t{len(judged)}")
    print(f"slope\t{slope:.3f}\tnow\t{SLOPE}\tat most {MOST_ODDS:g} of odds, {1 / (1 + math.exp(-MOST_ODDS)):.4f}")
    print(f"intercept\t{intercept:.3f}\tnow\t{INTERCEPT}")
    print(f"expected calibration error\t{expected_calibration_error(judged):.4f}")
    for threshold in THRESHOLDS:
        restored = (unspin.restore(gold.text, ranker=ranker, min_confidence=threshold) for gold in texts)
        found = total(score(g, unspin.cleaned(r)) for g, r in zip(texts, restored, strict=True))
        print(f"at {threshold}\tP {found.precision:.3f}\tR {found.recall:.3f}\tF0.5 {found.f05:.4f}", flush=True)


if __name__ == "__main__":
    main()
