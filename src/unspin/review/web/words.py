"""What the page says of states and reasons, in one place: for the eye, for screen readers and for the script."""

from __future__ import annotations

from unspin.model import DecidedBy, DuplicateKind, HeldReason
from unspin.review.model import Item, State, Why
from unspin.review.web.shown import plain

STATES: dict[State, str] = {
    State.PROPOSED: "Proposed",
    State.HELD: "Held",
    State.ACCEPTED: "Accepted",
    State.REJECTED: "Rejected",
    State.REPLACED: "Replaced",
}

REASONS: dict[Why, str] = {
    DecidedBy.DECODER: "the most probable original of these words",
    DecidedBy.AGREEMENT: "“a” and “an” follow the next word",
    DecidedBy.DUPLICATE: "this paragraph says what an earlier one says",
    DecidedBy.DEBRIS: "what the spinner left around its swaps",
    DecidedBy.ENDPOINT: "a language model chose it",
    DecidedBy.SIBLING: "another copy of the article has these words",
    DecidedBy.SPINNER: "a swap",
    DecidedBy.REVIEWER: "a person decided",
    HeldReason.CONFIDENCE: "not sure enough to be made unasked",
    HeldReason.DEBRIS: "the spinner may have left it, but authors write it, too",
    HeldReason.STATUS: "the lexicon wants a person to look at this entry",
    HeldReason.NUMBER: "it would change a number",
    HeldReason.NEGATION: "it would add or take away a negation",
    HeldReason.NAME: "it would change the capitals of a name",
}

KINDS: dict[DuplicateKind, str] = {
    DuplicateKind.EXACT: "the same words",
    DuplicateKind.NORMALISED: "the same words, case and punctuation apart",
    DuplicateKind.NEAR: "nearly the same words",
    DuplicateKind.RESPUN: "the same original, spun differently",
    DuplicateKind.CONTAINED: "an excerpt of it",
    DuplicateKind.OVERLAP: "much in common with it",
}


def percent(share: float) -> str:
    """A probability for people; what is not certain is not shown as 100 %.

    >>> percent(0.934), percent(0.9999), percent(1.0), percent(0.001)
    ('93 %', '99 %', '100 %', '<1 %')
    """
    if 0.0 < share < 0.01:
        return "<1 %"
    return f"{round(100 * share) if share in (0.0, 1.0) else min(99, round(100 * share))} %"


def label(item: Item, after: str, *, repeats: int | None = None) -> str:
    """An item in a sentence, where colours and lines cannot be seen. `after`: what stands there as things are;
    `repeats`: the number of the paragraph that a duplicate repeats."""
    state = STATES[item.state]
    sure = f"{state}, {percent(item.confidence)} sure" if not item.state.is_decided else state
    if item.duplicate:
        fate = "removed" if after != item.before else "kept"
        return f"Paragraph {fate}: repeats paragraph {repeats}. {state}."
    before = plain(item.before)
    if after != item.before:
        return f"{before} becomes {plain(after) or 'nothing'}. {sure}."
    if item.state.is_decided:
        return f"{before} stays. {state}."
    return f"{before} stays for now; perhaps {plain(item.choices[0].after) or 'nothing'}. {sure}."
