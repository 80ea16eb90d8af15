"""Decisions into a restoration.

In come a text's items and the text; out goes the restoration that they make, from which `unspin.cleaned` derives the
text and `unspin.diff` its diffs. The same source and the same decisions give the same restoration.

- What a person accepted or replaced is done, what he rejected is left alone.
- What nobody decided follows the automatic decision if that is as sure as `min_confidence`, and else stays as written.
  Held for its number, negation, name, status or as debris, it stays as written however sure it is.
- Articles ("a", "an") follow the restored words, save inside the words that a person typed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from unspin.edit import mend_articles
from unspin.model import (
    Candidate,
    DecidedBy,
    Document,
    DuplicateGroup,
    Edit,
    Held,
    HeldReason,
    Option,
    Repeat,
    Restoration,
    Signature,
    SpinEvidence,
)
from unspin.repeats import without_repeats
from unspin.review.model import Item, State
from unspin.text import segment


def applied(
    text: str, items: Sequence[Item], *, spin: SpinEvidence, signature: Signature, min_confidence: float
) -> Restoration:
    """The restoration of a text that its items' decisions make; `min_confidence` as for `is_made`."""
    done = [item for item in items if is_made(item, min_confidence=min_confidence)]
    groups = _groups(item for item in done if item.duplicate)
    made = [_edit(item) for item in done if not item.duplicate]
    starts = {edit.start for edit in made}
    held = [_held(item) for item in items if not (item.duplicate or item.state.is_decided or item.start in starts)]
    document = without_repeats(segment(text), groups)
    signed = _signed(signature, items, min_confidence=min_confidence)
    return Restoration(text, spin, groups, _mended(document, made), tuple(held), signed)


def _signed(signature: Signature, items: Sequence[Item], *, min_confidence: float) -> Signature:
    """The signature of what was restored, with the decisions that were made since."""
    told = [(i.start, i.end, i.entry and i.entry.spun, i.state, i.answer) for i in items if i.state.is_decided]
    decisions = hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    options = dict(signature.options) | {"min_confidence": repr(min_confidence), "decisions": decisions}
    return replace(signature, options=tuple(options.items()))


def is_made(item: Item, *, min_confidence: float) -> bool:
    """Does the text change at an item?

    `min_confidence` in [0, 1] is for swaps that nobody decided; what is more than 1 leaves all alone that nobody did.
    """
    match item.state:
        case State.ACCEPTED:
            return True
        case State.REPLACED:
            return item.answer != item.before
        case State.REJECTED:
            return False
        case _:
            if (
                item.duplicate
            ):  # their score says how alike they are; that it is enough was decided when they were found
                return min_confidence <= 1.0
            is_open = item.state is State.PROPOSED or item.why is HeldReason.CONFIDENCE
            return is_open and item.confidence >= min_confidence


def _groups(items: Iterable[Item]) -> tuple[DuplicateGroup, ...]:
    by_kept: defaultdict[tuple[int, int], list[Repeat]] = defaultdict(list)
    for item in items:
        assert item.duplicate
        by_kept[item.duplicate.start, item.duplicate.end].append(item.duplicate.repeat)
    return tuple(DuplicateGroup(*span, tuple(repeats)) for span, repeats in sorted(by_kept.items()))


def _edit(item: Item) -> Edit:
    after = item.answer if item.state is State.REPLACED else item.choices[0].after
    assert after is not None
    choice = next((choice for choice in item.choices if choice.after == after), None)
    if item.state.is_decided:
        by, confidence = DecidedBy.REVIEWER, 1.0
    else:
        by, confidence = item.why if isinstance(item.why, DecidedBy) else DecidedBy.DECODER, item.confidence
    return Edit(item.start, item.end, item.before, after, choice.entry if choice else None, confidence, by)


def _held(item: Item) -> Held:
    options = [Option(choice.after, choice.entry, choice.confidence) for choice in item.choices]
    options.append(Option(item.before, None, item.alone))
    candidate = Candidate(item.start, item.end, item.before, tuple(sorted(options, key=lambda o: -o.posterior)))
    reason = item.why if isinstance(item.why, HeldReason) else HeldReason.CONFIDENCE
    return Held(candidate, reason)


def _mended(document: Document, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The edits with articles agreeing; what a person wrote stays as he wrote it."""
    typed = {edit.start: edit.after for edit in edits if edit.decided_by is DecidedBy.REVIEWER}
    return tuple(
        replace(edit, after=typed[edit.start]) if edit.start in typed else edit
        for edit in mend_articles(document, edits)
    )
