"""Where restorations still err: `python benchmarks/errors.py --pairs DEV.jsonl.gz [--limit N] [--ranker NAME]`.

Restores the first spun copies and prints, by kind of swap, how many places there are and what became of them, then
the most frequent confusions. A place counts as

- *unseen* if no entries of the lexicon lead from what stands there to what is accepted,
- *name* if it is capitalised inside a sentence,
- *function words* if both sides are words of the FREQUENT most frequent ones, else as
- *topic words*.
"""

from __future__ import annotations

import argparse
from collections import Counter
from itertools import islice
from pathlib import Path

from wordfreq import top_n_list

import unspin
from unspin.align import golds, read_pairs
from unspin.channel import matches
from unspin.evaluate import Outcome, Score, confusions, outcomes, score, total
from unspin.gold import Gold, GoldSpan
from unspin.lexicon import Lexicon
from unspin.neural.data import made
from unspin.rank import DEFAULT, load_ranker
from unspin.text import phrase, tokens

FREQUENT = 150
CONFUSIONS = 100
KINDS = ("unseen", "name", "function words", "topic words")


def explained(gold: Gold, lexicon: Lexicon) -> list[bool]:
    """Per span, do entries of the lexicon lead from what stands there to what is accepted first?"""
    found = list(tokens(gold.text))
    words = [token.norm for token in found]
    original, position = "", 0
    for span in gold.spans:
        original += gold.text[position : span.start] + span.accepted[0]
        position = span.end
    matched, _ = matches(words, lexicon)
    swaps = made(phrase(original + gold.text[position:]), words, matched, lexicon)
    covered = sorted((found[m.start].start, found[m.end - 1].end) for m in swaps)
    return [any(start < span.end and span.start < end for start, end in covered) for span in gold.spans]


def kind(text: str, span: GoldSpan, frequent: frozenset[str]) -> str:
    """One of KINDS, of a span that the lexicon explains."""
    spun = text[span.start : span.end]
    before = text[: span.start].rstrip(" \"'(\u201c\u2018")
    if spun != spun.lower() and before and before[-1] not in ".!?:\n":
        return "name"
    words = {*phrase(spun), *(word for accepted in span.accepted for word in phrase(accepted))}
    return "function words" if words <= frequent else "topic words"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--ranker", default=DEFAULT)
    arguments = parser.parse_args()
    lexicon, ranker = Lexicon.load(), load_ranker(arguments.ranker)
    frequent = frozenset(top_n_list("en", FREQUENT))
    counts: Counter[tuple[str, Outcome]] = Counter()
    scores: list[Score] = []
    for gold in golds(islice(read_pairs(arguments.pairs), arguments.limit)):
        output = unspin.cleaned(unspin.restore(gold.text, ranker=ranker))
        scores.append(score(gold, output))
        for span, known, outcome in zip(gold.spans, explained(gold, lexicon), outcomes(gold, output), strict=True):
            counts[kind(gold.text, span, frequent) if known else "unseen", outcome] += 1
    whole = total(scores)
    print("| kind | places | restored | wrong | missed |")
    print("|---|---:|---:|---:|---:|")
    for name in KINDS:
        made_, wrong, missed = (counts[name, o] for o in (Outcome.RESTORED, Outcome.WRONG, Outcome.MISSED))
        places = max(1, made_ + wrong + missed)
        print(f"| {name} | {places} | {made_ / places:.3f} | {wrong / places:.3f} | {missed / places:.3f} |")
    print(f"\nspurious changes: {whole.spurious}; F0.5 {whole.f05:.4f}\n")
    for row in confusions(whole.details)[:CONFUSIONS]:
        print(f"{row.count}\t{row.spun}\t-> {row.chosen}\taccepted: {' / '.join(row.accepted) or '(no change)'}")


if __name__ == "__main__":
    main()
