"""A restoration as a list of proposals for a person to judge.

In come a restoration and, so that a person can choose, all candidates it was decided from; out come proposals in text
order that never overlap: removed passages first, then edits, then what was held. What only follows from other edits
("a" to "an" before a restored word) is no proposal: it is mended again when decisions are applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from unspin.decide import calibrated
from unspin.model import Candidate, DecidedBy, DuplicateGroup, Edit, Held, Option, Restoration
from unspin.review.model import MOST_CHOICES, Choice, Duplicate, Proposal

LEAST = 0.0005  # confidence of a choice that is worth a line


def proposals(restoration: Restoration, candidates: Iterable[Candidate] = ()) -> tuple[Proposal, ...]:
    """What a restoration changes and holds, with the choices that `candidates` offer at these places."""
    at = {(candidate.start, candidate.end): candidate for candidate in candidates}
    edits = [edit for edit in restoration.edits if edit.decided_by is not DecidedBy.AGREEMENT]
    ranked = (
        [_removal(restoration.original, group) for group in restoration.duplicates],
        [[_made(edit, at.get((edit.start, edit.end))) for edit in edits]],
        [[held for one in restoration.held if (held := _waiting(one))]],
    )
    found: list[Proposal] = []
    for groups in ranked:
        found = sorted([*found, *_free((p for group in groups for p in group), found)], key=lambda p: p.start)
    return tuple(found)


def _free(new: Iterable[Proposal], taken: Sequence[Proposal]) -> Iterator[Proposal]:
    """The proposals that meet none of those taken, nor one another; both in text order."""
    position = end = 0
    for proposal in sorted(new, key=lambda p: (p.start, p.end)):
        while position < len(taken) and taken[position].end <= proposal.start:
            position += 1
        meets = position < len(taken) and taken[position].start < proposal.end
        if proposal.start >= end and not meets:
            yield proposal
            end = proposal.end


def _removal(text: str, group: DuplicateGroup) -> list[Proposal]:
    return [
        Proposal(
            repeat.start,
            repeat.end,
            text[repeat.start : repeat.end],
            (Choice("", None, repeat.score),),
            1.0 - repeat.score,
            DecidedBy.DUPLICATE,
            Duplicate(group.start, group.end, repeat),
        )
        for repeat in group.repeats
    ]


def _choice(option: Option) -> Choice:
    """An option of the decoder's is as sure as its posterior, calibrated; one by rule as its rule says."""
    if option.entry is None:
        return Choice(option.after, None, option.posterior)
    prior = None if option.prior is None else calibrated(option.prior)
    return Choice(option.after, option.entry, calibrated(option.posterior), prior)


def _further(options: Iterable[Option], known: Iterable[str]) -> Iterator[Choice]:
    seen = set(known)
    for option in options:
        choice = _choice(option)
        if choice.after not in seen and choice.confidence >= LEAST:
            seen.add(choice.after)
            yield choice


def _made(edit: Edit, candidate: Candidate | None) -> Proposal:
    """An edit. Its own confidence counts: what decided may know more than the decoder."""
    options = candidate.options if candidate else ()
    same = next((_choice(option) for option in options if option.entry and option.entry == edit.entry), None)
    first = Choice(edit.after, edit.entry, edit.confidence, same.prior if same else None)
    choices = (first, *_further(options, (edit.before, edit.after)))[:MOST_CHOICES]
    alone = next((option.posterior for option in options if option.entry is None), 1.0 - edit.confidence)
    return Proposal(edit.start, edit.end, edit.before, choices, alone, edit.decided_by)


def _waiting(held: Held) -> Proposal | None:
    """What was held; None if nothing else could stand there."""
    at = held.candidate
    choices = tuple(_further(at.options, (at.before,)))[:MOST_CHOICES]
    if not choices:
        return None
    alone = next((option.posterior for option in at.options if option.after == at.before), 0.0)
    return Proposal(at.start, at.end, at.before, choices, alone, held.reason)
