"""What a review's answers say, as changes to a lexicon.

In comes evidence (`unspin.review.evidence`) and a lexicon's entries; out come changed and new entries, each with its
reason and sentences, and what was not taken, with the rule that said so. Pure.

The rules:

- **auto**: an entry that waits for review is made unasked if people accepted it more often than not, surely.
- **review**: an automatic entry waits for people if they refused it more often than not, surely.
- **off**: an entry that nobody ever wanted and that is, surely, hardly ever right is proposed no more.
- **new**: what people typed becomes an entry, `auto` under the same rule and `review` until then.

*Surely*: the bound of a one-sided 95 % confidence interval is on that side, and there are enough answers. The interval
is Wilson's score interval (E. B. Wilson, "Probable inference", JASA 1927), which holds its promise for few answers and
shares near 0 and 1 (Brown, Cai and DasGupta, Statistical Science 2001). What is `off` stays off: a person said so.

An acceptance is an observation of the channel. For new entries, which nothing else is known of, `seen` counts them and
`rate` is the lower bound of their share of the original's occurrences in the texts as they read now: what was typed
once must not drive out what is known. Rates that were learned or curated stay: they rest on more text than a review,
and the share of answers does not tell them from wrong context.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from unspin.lexicon import Phrase, is_name
from unspin.model import Entry, Status
from unspin.review.evidence import Evidence, Key, Unfit
from unspin.review.overlay import key_of

ANSWERS = 3  # without so many, nothing is said of an entry
EVEN = 0.5  # the share of acceptances above which an entry does more good than harm; `unspin.decide` decides alike
SELDOM = 0.25  # ... and below which it is not worth a person's time
SURE = 1.645  # standard deviations: one-sided 95 %
SOURCE = "review"
LEAST_RATE = 0.01  # a rarer alternate would only make its original, wherever it stands, look swapped
MOST = 1.0005  # that the rates of an original may sum to: they are rounded (`unspin.lexicon.check`)
MAKES_ROOM = "makes room: another alternate of its original needs a share of the rate"

_TALLY = re.compile(r"(?:; )?review: \d+ of \d+\b")


@dataclass(frozen=True, slots=True)
class Change:
    """An entry as it shall be, and as it is in the lexicon (None: it is not there). `why` is a line for people."""

    entry: Entry
    before: Entry | None
    why: str
    sentences: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """By what the entry is known."""
        return key_of(self.entry.spun, self.entry.original)


@dataclass(frozen=True, slots=True)
class Refused:
    """A swap that people typed and that is not taken, and why."""

    spun: str
    original: str
    reason: Unfit


def lower_bound(part: int, whole: int) -> float:
    """The share that is surely reached, in [0, 1]: Wilson's lower bound, one-sided 95 %.

    >>> round(lower_bound(3, 3), 2), round(lower_bound(9, 10), 2), lower_bound(0, 0)
    (0.53, 0.65, 0.0)
    """
    return _bound(part, whole, -1) if whole else 0.0


def upper_bound(part: int, whole: int) -> float:
    """The share that is surely not exceeded, in [0, 1]: Wilson's upper bound, one-sided 95 %.

    >>> round(upper_bound(0, 3), 2), round(upper_bound(0, 9), 2), upper_bound(0, 0)
    (0.47, 0.23, 1.0)
    """
    return _bound(part, whole, 1) if whole else 1.0


def _bound(part: int, whole: int, side: int) -> float:
    share, square = part / whole, SURE * SURE / whole
    spread = SURE * math.sqrt(share * (1.0 - share) / whole + square / (4.0 * whole))
    return min(1.0, max(0.0, (share + square / 2.0 + side * spread) / (1.0 + square)))


def status_of(evidence: Evidence, now: Status, *, answers: int = ANSWERS) -> Status:
    """The status that an entry should have; `now` is what it has, `answers` how many there must be."""
    if now is Status.OFF:
        return now
    if evidence.asked >= answers and lower_bound(evidence.accepted, evidence.asked) >= EVEN:
        return Status.AUTO
    if evidence.accepted == 0 and evidence.unwanted >= answers and upper_bound(0, evidence.unwanted) < SELDOM:
        return Status.OFF
    if evidence.asked >= answers and upper_bound(evidence.accepted, evidence.asked) < EVEN:
        return Status.REVIEW
    return now


def suggest(
    evidence: Iterable[Evidence],
    entries: Iterable[Entry],
    occurrences: Mapping[Phrase, int],
    *,
    answers: int = ANSWERS,
    without: Container[Key] = (),
) -> tuple[tuple[Change, ...], tuple[Refused, ...]]:
    """The changes that evidence calls for, in the order of a lexicon, and what was typed and is not taken.

    `entries`: those of the lexicon that is to be changed. An entry of another lexicon that people reviewed with is
    added if its status changes: it overrules. `occurrences`: of the originals of new entries (`is_fresh`) in the texts.
    `without`: what is to stay as it is.
    """
    known = {key_of(entry.spun, entry.original): entry for entry in entries}
    taken: defaultdict[Phrase, float] = defaultdict(float)
    for key, entry in known.items():
        taken[key[1]] += entry.rate if entry.status is not Status.OFF else 0.0
    changes: dict[Key, Change] = {}
    refused: list[Refused] = []
    for one in (one for one in evidence if one.key not in without):
        if is_fresh(one, known.get(one.key)):
            found = occurrences.get(one.key[1], 0)
            reason = _unfit(one, known, taken.get(one.key[1], 0.0), found, answers=answers)
            if reason:
                refused.append(Refused(one.entry.spun, one.entry.original, reason))
                continue
            change = _fresh(one, known.get(one.key), found, answers=answers)
        else:
            change = _changed(one, known.get(one.key), answers=answers)
        if change:
            changes[change.key] = change
    changes |= _room(changes, known)
    return tuple(changes[key] for key in sorted(changes)), tuple(refused)


def is_fresh(one: Evidence, now: Entry | None) -> bool:
    """Is all that is known of an entry what reviewers typed and accepted?"""
    return (now or one.entry).source == SOURCE


def _unfit(one: Evidence, known: Mapping[Key, Entry], taken: float, found: int, *, answers: int) -> Unfit | None:
    """Why what was typed is not taken. `taken`: the sum of its original's rates; `found`: how often that stands."""
    now, reverse = known.get(one.key), known.get(one.key[::-1])
    if now:
        return Unfit.OFF if now.status is Status.OFF and one.is_typed else None
    if _rate(one.accepted, found) < LEAST_RATE:
        return Unfit.RARE
    if one.accepted < answers:
        if reverse and reverse.status is not Status.OFF:
            return Unfit.LOOP
        if taken > 1.0 - LEAST_RATE:
            return Unfit.FULL
    return None


def _rate(seen: int, found: int) -> float:
    """What the channel's rate surely reaches, of an alternate that was seen so often where its original stands."""
    return lower_bound(seen, max(found, seen))


def _fresh(one: Evidence, now: Entry | None, found: int, *, answers: int) -> Change | None:
    """An entry that reviewers brought up: new, or counted again."""
    base = now or replace(one.entry, status=Status.REVIEW, note="")
    if now and one.accepted + one.unwanted == 0:
        return None
    status = status_of(one, base.status, answers=answers)
    if status is Status.AUTO and base.status is not Status.AUTO and is_name(base) and len(one.key[1]) > 1:
        status = Status.REVIEW  # names of several words are whole titles as often as not
    seen = max(base.seen if now else 0, one.accepted)
    rate = max(LEAST_RATE, _rate(seen, found))
    entry = replace(base, status=status, seen=seen, rate=_down(rate), note=_noted(base.note, one))
    if now and (now.status, now.seen, now.note) == (entry.status, entry.seen, entry.note):
        return None
    return Change(entry, now, _why(one, _what(now, status)), _shown(one, status))


def _changed(one: Evidence, now: Entry | None, *, answers: int) -> Change | None:
    """An entry that was known; None if its status stays."""
    base = now or replace(one.entry, note="")
    status = status_of(one, base.status, answers=answers)
    if status is base.status:
        return None
    entry = replace(base, status=status, note=_noted(base.note, one))
    return Change(entry, now, _why(one, _what(base, status)), _shown(one, status))


def _what(before: Entry | None, status: Status) -> str:
    """A change of status in words."""
    if before is None:
        return "new"
    return f"{before.status} -> {status}" if before.status is not status else "counted again"


def _shown(one: Evidence, status: Status) -> tuple[str, ...]:
    """The sentences that speak for a status."""
    return one.speaking if status is Status.AUTO or not one.against else one.against


def _why(one: Evidence, what: str) -> str:
    parts = [f"accepted {one.accepted} of {one.asked}"]
    if one.unwanted:
        other = one.unwanted - one.left
        parts += [f"left alone {one.left}"] * bool(one.left) + [f"other words {other}"] * bool(other)
    return f"{what}: {', '.join(parts)}"


def _noted(note: str, one: Evidence) -> str:
    """A note with the counts, which take the place of earlier ones."""
    rest = _TALLY.sub("", note)
    return "; ".join(filter(None, (rest, f"review: {one.accepted} of {one.asked}")))


def _room(changes: Mapping[Key, Change], known: Mapping[Key, Entry]) -> dict[Key, Change]:
    """The changes that keep the rates of each original a probability: what is new takes from what is there."""
    after = dict(known) | {key: change.entry for key, change in changes.items()}
    by_head: defaultdict[Phrase, list[Key]] = defaultdict(list)
    for key, entry in after.items():
        if entry.status is not Status.OFF:
            by_head[key[1]].append(key)
    fitted: dict[Key, Change] = {}
    for head in sorted({key[1] for key in changes}):
        fitted |= dict(_fitted([(key, after[key]) for key in by_head[head]], changes, known))
    return fitted


def _fitted(
    alternates: list[tuple[Key, Entry]], changes: Mapping[Key, Change], known: Mapping[Key, Entry]
) -> Iterator[tuple[Key, Change]]:
    """Where one original's rates sum to more than 1: first what reviewers brought up gives way, then all alike."""
    total = sum(entry.rate for _, entry in alternates)
    if total <= MOST:
        return
    own = [(key, entry) for key, entry in alternates if entry.source == SOURCE]
    others = total - sum(entry.rate for _, entry in own)
    left = max(1.0 - others, LEAST_RATE * len(own))
    share = left / (total - others) if own else 0.0
    rest = min(1.0, (1.0 - left) / others) if others else 1.0
    for key, entry in alternates:
        rate = _down(entry.rate * (share if entry.source == SOURCE else rest if own else 1.0 / total))
        if rate != entry.rate:
            change = changes.get(key) or Change(
                entry, known.get(key), "makes room for another alternate of its original"
            )
            yield key, replace(change, entry=replace(change.entry, rate=rate))


def _down(rate: float) -> float:
    """To four digits, never up, so that sums stay below 1."""
    digits = 4 - math.ceil(math.log10(rate))
    return math.floor(round(rate * 10.0**digits, 6)) / 10.0**digits
