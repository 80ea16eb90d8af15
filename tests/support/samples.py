"""Sample values of a review, for the tests that need a restoration with a bit of everything and no restoring."""

from __future__ import annotations

from unspin.model import (
    Candidate,
    DecidedBy,
    DuplicateGroup,
    DuplicateKind,
    Edit,
    Entry,
    Held,
    HeldReason,
    Option,
    Repeat,
    Restoration,
    Signature,
    SpinEvidence,
)

WAR = Entry("struggle", "war", 0.26, 347, source="learned")
FIGHT = Entry("struggle", "fight", 0.33, 270, source="learned")
FOUR = Entry("4", "four", 0.87, 970, source="learned")
MORE = Entry("extra", "more", 0.98, 8922, source="learned")
EXTRAORDINARY = Entry("unprecedented", "extraordinary", 0.4, 31, source="learned")
SIGNATURE = Signature("1", "a", "b", (("ranker", "c"),))
SPUN = SpinEvidence(0.9, 1.1, 30, True)


def span(text: str, words: str, *, nth: int = 0) -> tuple[int, int, str]:
    """Where words stand in a text for the nth time, from 0, and the words."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return start, start + len(words), words


def edit(text: str, entry: Entry, confidence: float, *, nth: int = 0) -> Edit:
    """The undoing of the nth occurrence of an entry's words."""
    return Edit(*span(text, entry.spun, nth=nth), entry.original, entry, confidence, DecidedBy.DECODER)


def candidate(at: tuple[int, int, str], *entries: Entry) -> Candidate:
    """A place with what it may have been, the first by far the likeliest, and itself."""
    options = [Option(entry.original, entry, 0.02 if n else 0.97) for n, entry in enumerate(entries)]
    return Candidate(*at, (*options, Option(at[2], None, 0.01)))


def held_number(text: str) -> Held:
    """The first 4 of a text, which waits, for it is a number."""
    return Held(Candidate(*span(text, "4"), (Option("four", FOUR, 0.6), Option("4", None, 0.4))), HeldReason.NUMBER)


def repeated(text: str, opening: str) -> DuplicateGroup:
    """The last of the paragraphs that open so, which goes, and the first."""
    places = text.index(opening), text.rindex(opening)
    (first, end), again = ((place, place + len(text[place:].partition("\n")[0])) for place in places)
    return DuplicateGroup(first, end, (Repeat(*again, DuplicateKind.EXACT, 1.0),))


def restoration(
    text: str, *edits: Edit, held: tuple[Held, ...] = (), repeats: tuple[DuplicateGroup, ...] = ()
) -> Restoration:
    """A text that was spun, with these edits."""
    return Restoration(text, SPUN, repeats, edits, held, SIGNATURE)
