"""Readings into edits and held candidates.

In come a document's readings with their posteriors; out go edits that are sure enough to be made, and
candidates that wait for a person. Nothing that would change a number, a negation or the case pattern of a
name becomes an edit on its own, however sure the decoder is.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from sys import intern

from unspin.decode import Blocks, Decoding, Reading
from unspin.edit import carry_case
from unspin.lexicon import Lexicon
from unspin.model import Candidate, DecidedBy, Edit, Held, HeldReason, Option, Restoration, SpinEvidence, Status
from unspin.text import is_negated, phrase

MIN_CONFIDENCE = 0.5  # where F0.5 is highest, or nearly so
# Posteriors are overconfident, for the models' errors are not independent. Confidence is a logistic function of
# the posterior's log-odds, cut off at MOST_ODDS, fitted on aligned pairs (benchmarks/calibration.py).
SLOPE, INTERCEPT, MOST_ODDS = 0.71, -0.02, 6.0
EVIDENCE_PER_WORD = 0.4  # nats a word must gain for a document to count as spun; clean ones reach 0.2, spun ones 1 ...
EVIDENCE = 10.0  # ... and nats in all, so that a lucky short text does not

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth"
_SMALL = {word: value for value, word in enumerate(f"{_UNITS} seventeen eighteen nineteen".split())}
_SMALL |= {word: 10 * n for n, word in enumerate(_TENS.split(), 2)}
_SMALL |= {word: value for value, word in enumerate(_ORDINALS.split()) if value > 3}  # "second" is also a time
_SMALL |= {f"{word}th": value for word, value in _SMALL.items() if 14 <= value < 20}
_SMALL |= {f"{word[:-1]}ieth": value for word, value in _SMALL.items() if word.endswith("y")}
_LARGE = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
# The spinner writes some spans of time as others of the same length: "12 months" for "year".
_DURATIONS = {
    "12 months": "year", "twelve months": "year", "365 days": "year", "24 hours": "day", "7 days": "week",
    "seven days": "week", "60 minutes": "hour", "sixty minutes": "hour", "60 seconds": "minute",
    "sixty seconds": "minute", "two decades": "20 years", "two weeks": "14 days", "fortnight": "14 days",
}  # fmt: skip
_DURATION = re.compile(r"\b(?:" + "|".join(_DURATIONS) + r")\b")
# It writes the 1990s as "Nineties" or "Nineteen Nineties" (243 of 249 such decades in the pairs; 6 were 1890s).
_DECADES = {f"{word[:-1].capitalize()}ies": f"19{tens}0s" for tens, word in enumerate(_TENS.split(), 2)}
_DECADE = re.compile(r"\b(?:[Nn]ineteen )?(" + "|".join(_DECADES) + r")\b")
_DIGITS = re.compile(r"\d+")


@lru_cache(maxsize=1 << 12)
def quantities(words: str) -> Counter[int]:
    """The numbers a phrase states, in digits or words; "one" alone is a pronoun more often than a number.

    >>> quantities("4 years") == quantities("four years"), quantities("the one") == quantities("the only")
    (True, True)
    >>> quantities("17 two hundred") == quantities("seventeenth 200")
    True
    """
    found: list[int] = []
    is_open = False  # a number in words may go on
    dated = _DECADE.sub(lambda m: _DECADES[m[1]], words).lower()
    for token in phrase(_DURATION.sub(lambda m: _DURATIONS[m.group()], dated)):
        if token in _LARGE and is_open:
            found[-1] *= _LARGE[token]
        elif token in _SMALL and is_open and found[-1] % 10 == 0 and 0 < _SMALL[token] < 10:
            found[-1] += _SMALL[token]
        elif token in _SMALL or token in _LARGE:
            found.append(_SMALL.get(token, _LARGE.get(token, 0)))
        else:
            found += [int(digits) for digits in _DIGITS.findall(token)]
            is_open = bool(found) and (token.isdigit() or (is_open and token == "-"))
            continue
        is_open = True
    return Counter(value for value in found if value != 1)


def _keeps_name(before: str, option: str, after: str) -> bool:
    """Acronyms and inner capitals ("NATO", "iPhone") stay, unless the lexicon itself writes a name there."""
    patterned = [w for w in re.findall(r"\w+", before) if w[1:] != w[1:].lower()]
    return not patterned or option != option.lower() or after.isupper()


@lru_cache(maxsize=1 << 13)
def guard(before: str, option: str, after: str) -> HeldReason | None:
    """Why an edit may not be made on its own, if so. `option` is the lexicon's writing of `after`."""
    if quantities(before) != quantities(after):
        return HeldReason.NUMBER
    if is_negated(before) != is_negated(after):
        return HeldReason.NEGATION
    if not _keeps_name(before, option, after):
        return HeldReason.NAME
    return None


def calibrated(posterior: float) -> float:
    """The probability that an edit is exactly right, from the decoder's posterior; both in [0, 1]."""
    inside = min(max(posterior, 1e-9), 1.0 - 1e-9)
    odds = min(max(math.log(inside / (1.0 - inside)), -MOST_ODDS), MOST_ODDS)
    return 1.0 / (1.0 + math.exp(-(SLOPE * odds + INTERCEPT)))


def evidence(decoding: Decoding | Blocks, rates: Sequence[float]) -> SpinEvidence:
    """The verdict spun or not, from the log-likelihood gains per spin rate of `rates`."""
    gain, rate = max(zip((0.0, *decoding.gains), (0.0, *rates), strict=True), key=lambda found: found[0])
    if gain < 1e-6:  # noise of the sums, not evidence
        gain = rate = 0.0
    per_word = gain / max(1, decoding.words)
    return SpinEvidence(rate, per_word, decoding.words, gain >= EVIDENCE and per_word >= EVIDENCE_PER_WORD)


def _option(text: str, reading: Reading, lexicon: Lexicon) -> Option:
    entry = lexicon.active[reading.entry]
    start, end = reading.tokens[0].start, reading.tokens[-1].end
    before = text[start:end]
    after = carry_case(before, entry.original, sentence_start=reading.at_sentence_start)
    if after[0].isalnum() and not before[0].isalnum() and text[max(0, start - 1) : start].isalnum():
        after = f" {after}"  # "5%" was "5 percent"
    return Option(after, entry, reading.posterior, reading.prior)


def candidates(text: str, readings: Iterable[Reading], lexicon: Lexicon) -> Iterator[Candidate]:
    """The readings gathered by span, leaving the span alone among the options, in reading order."""
    spans: defaultdict[tuple[int, int], list[Option]] = defaultdict(list)
    for reading in readings:
        spans[reading.tokens[0].start, reading.tokens[-1].end].append(_option(text, reading, lexicon))
    for (start, end), options in sorted(spans.items()):
        before = text[start:end]
        rest = max(0.0, 1.0 - sum(option.posterior for option in options))
        options.append(Option(before, None, rest))
        yield Candidate(start, end, before, tuple(sorted(options, key=lambda o: (-o.posterior, o.after))))


def decide(
    text: str, readings: Sequence[Reading], lexicon: Lexicon, *, min_confidence: float
) -> tuple[tuple[Edit, ...], tuple[Held, ...]]:
    """The best path's swaps: those sure enough and unguarded as edits, the others held."""
    edits: list[Edit] = []
    held: list[Held] = []
    chosen = [reading for reading in readings if reading.is_best]
    places = {(r.tokens[0].start, r.tokens[-1].end) for r in chosen}
    rivals: defaultdict[tuple[int, int], list[Reading]] = defaultdict(list)
    for reading in readings:
        if (place := (reading.tokens[0].start, reading.tokens[-1].end)) in places:
            rivals[place].append(reading)
    for reading in chosen:
        start, end = reading.tokens[0].start, reading.tokens[-1].end
        option, before = _option(text, reading, lexicon), intern(text[start:end])  # the same few, in a long text
        if option.after == before or option.entry is None:
            continue
        confidence = calibrated(option.posterior)
        rest = 1.0 - sum(rival.posterior for rival in rivals[start, end])
        if confidence < min_confidence and option.posterior < rest:
            continue  # leaving it alone is likelier, though the best path as a whole says otherwise
        reason = guard(before, option.entry.original, option.after)
        if reason is None and option.entry.status == Status.REVIEW:
            reason = HeldReason.STATUS
        if reason is None and confidence < min_confidence:
            reason = HeldReason.CONFIDENCE
        if reason is None:
            edits.append(Edit(start, end, before, option.after, option.entry, confidence, DecidedBy.DECODER))
        else:
            (candidate,) = candidates(text, rivals[start, end], lexicon)
            held.append(Held(candidate, reason))
    return tuple(edits), tuple(held)


def unsure(restoration: Restoration) -> Iterator[Edit]:
    """What was held for its confidence alone, as edits: to judge confidences, one must not see the sure ones only."""
    for held in restoration.held:
        if held.reason is HeldReason.CONFIDENCE:
            at, best = held.candidate, next(option for option in held.candidate.options if option.entry is not None)
            confidence = calibrated(best.posterior)
            yield Edit(at.start, at.end, at.before, best.after, best.entry, confidence, DecidedBy.DECODER)
