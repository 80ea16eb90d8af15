"""Figures of quality, one per line: `name value`, tab-separated.

    python benchmarks/quality.py --pairs DEV.jsonl.gz --news NEWS.txt.gz --clean NEWS.txt.gz --clean SPEECHES.txt.gz

Pairs are rows of {"id", "original", "spun": [copy, ...]} whose lines correspond; news and clean files hold a
paragraph a line. The seed is always measured, the others where they are given: pairs as they were spun, news as
the shipped lexicon spins it, clean text as it stands.

Of news and clean files, only the last HELD_BACK of the lines is read: the shipped language model was compiled from
clean text without that part, and must not be measured on what it has seen.
"""

from __future__ import annotations

import argparse
import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import unspin
from unspin.align import Pair, read_pairs
from unspin.calibration import Judged, expected_calibration_error, judge, reliability, roc_auc
from unspin.decide import unsure
from unspin.edit import cleaned
from unspin.errors import FormatError
from unspin.evaluate import Outcome, Score, confusions, outcomes, score, total
from unspin.gold import Gold, markup_from_pair, parse_markup
from unspin.lexicon import Lexicon
from unspin.model import DecidedBy, Restoration, Token
from unspin.rank import written
from unspin.spin import markup, spin
from unspin.text import segment, tokens

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
HELD_BACK = 0.05  # of the lines of a clean file, at its end
DOCUMENT = 400  # words of clean text restored at a time: a short article
ARTICLE = 300  # words of news spun at a time: as long as a passage of the pairs
CONFUSIONS = 30


def main() -> None:
    """Measure what was asked for and print each figure as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, help="aligned pairs, JSON Lines, gzipped")
    parser.add_argument("--clean", type=Path, action="append", default=[], help="clean text, gzipped; repeatable")
    parser.add_argument("--limit", type=int, help="only the first so many pairs")
    parser.add_argument("--news", type=Path, help="clean text to spin, gzipped")
    parser.add_argument("--documents", type=int, default=100, help="of news to spin (default: %(default)s)")
    parser.add_argument("--words", type=int, default=200_000, help="words of clean text (default: %(default)s)")
    options = parser.parse_args()
    report("seed", seed())
    if options.pairs:
        report("pairs", pairs(islice(read_pairs(options.pairs), options.limit)))
    if options.news:
        report("news", news(options.news, options.documents))
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
    named: Counter[str] = Counter()
    judged: list[Judged] = []
    spun: list[float] = []
    plain: list[float] = []
    refused = 0
    for passage in passages:
        first, *others = map(unspin.restore, passage.spun)
        spun += (restoration.spin.evidence for restoration in (first, *others))
        plain.append(unspin.restore(passage.original).spin.evidence)
        try:
            gold = parse_markup(markup_from_pair(passage.original, passage.spun[0]), name="pair")
        except FormatError:
            refused += 1
            continue
        found.append(score(gold, cleaned(first)))
        named += names(gold, first)
        judged += judgements(gold, first)
    yield from scores(total(found))
    yield from of_names(named)
    yield "passages", len(found)
    yield "refused", refused
    yield "auc", roc_auc(spun, plain)
    yield from calibration(judged)
    yield from worst(found)


def news(path: Path, wanted: int) -> Iterator[tuple[str, float | str]]:
    """Clean articles, spun by the shipped lexicon with their numbers as seeds, against themselves."""
    lexicon = Lexicon.load()
    found: list[Score] = []
    named: Counter[str] = Counter()
    judged: list[Judged] = []
    refused = 0
    for number, article in enumerate(evenly(documents(path, ARTICLE), wanted)):
        try:
            gold = parse_markup(markup(spin(article, lexicon, seed=number)), name="news")
        except FormatError:
            refused += 1
            continue
        restoration = unspin.restore(gold.text)
        found.append(score(gold, cleaned(restoration)))
        named += names(gold, restoration)
        judged += judgements(gold, restoration)
    yield from scores(total(found))
    yield from of_names(named)
    yield from (("documents", len(found)), ("refused", refused), ("ece", expected_calibration_error(judged)))


def names(gold: Gold, restoration: Restoration) -> Counter[str]:
    """What became of the names: swaps inside a sentence, no title's, with a capital as they are spun or should read.

    Names are *spoilt* where an edit changes a capitalised word there that was no swap.
    """
    case = {token.start: (mark, token) for token, mark in inside_sentences(gold.text)}
    named = [start for start, (mark, token) in case.items() if mark > 0 and not is_pronoun(token)]
    capitals = [any(t.text[0].isupper() and not is_pronoun(t) for t in tokens(s.accepted[0])) for s in gold.spans]
    places = [
        (capital and span.start in case) or any(span.start <= start < span.end for start in named)
        for span, capital in zip(gold.spans, capitals, strict=True)
    ]
    found = Counter(
        kind.value for kind, place in zip(outcomes(gold, cleaned(restoration)), places, strict=True) if place
    )
    found["spoilt"] = sum(
        edit.decided_by is not DecidedBy.DUPLICATE
        and any(edit.start <= start < edit.end for start in named)
        and not any(edit.start < span.end and span.start < edit.end for span in gold.spans)
        for edit in restoration.edits
    )
    return found


def inside_sentences(text: str) -> Iterator[tuple[Token, int]]:
    """The words whose case tells something: 1 if they are capitalised, -1 if not."""
    for sentence in (sentence for paragraph in segment(text).paragraphs for sentence in paragraph.sentences):
        marks = written(sentence.tokens, [0]).tolist()
        yield from ((token, mark) for token, mark in zip(sentence.tokens, marks, strict=True) if mark)


def is_pronoun(token: Token) -> bool:
    """Is a word "I", or a contraction of it?"""
    return token.norm.split("'")[0] == "i"


def of_names(found: Counter[str]) -> Iterator[tuple[str, float | int]]:
    """How many names were spun, which share was restored, how many made wrong, how many others spoilt."""
    places = found["restored"] + found["wrong"] + found["missed"]
    yield from (("names.places", places), ("names.restored", found["restored"] / max(1, places)))
    yield from (("names.wrong", found["wrong"]), ("names.spoilt", found["spoilt"]))


def judgements(gold: Gold, restoration: Restoration) -> Iterator[Judged]:
    """Which edits were right, and which would have been, of those not made for want of confidence."""
    yield from judge(gold, restoration.edits)
    for edit in unsure(restoration):
        yield from judge(gold, [edit])


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
        for document in sample(documents(path, DOCUMENT), words // len(paths)):
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
    return evenly(texts, round(words / max(mean, 1)))


def evenly(texts: list[str], wanted: int) -> Iterator[str]:
    """So many of the texts, or all, at equal distances."""
    wanted = min(len(texts), wanted)
    return (texts[i * len(texts) // wanted] for i in range(wanted))


def documents(path: Path, words: int) -> list[str]:
    """Runs of consecutive lines of at least so many words, from the part of a file that is held back."""
    runs: list[str] = []
    run: list[str] = []
    size = 0
    for line in held_back(path):
        run.append(line)
        size += line.count(" ") + 1
        if size >= words:
            runs.append("\n".join(run))
            run, size = [], 0
    return runs or ["\n".join(run)]


def held_back(path: Path) -> Iterator[str]:
    """The last lines of a gzipped file, as many as no model was made from."""
    with gzip.open(path) as lines:
        count = sum(1 for _ in lines)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in islice(lines, count - int(count * HELD_BACK), None):
            yield line.rstrip("\n")


if __name__ == "__main__":
    main()
