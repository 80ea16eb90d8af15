"""Which texts of a collection are copies of one original, and worth reading together.

In come texts; out go, for each, the others that say the same or a part of it, the most useful first. Copies are those
of `unspin.copies`, as whole texts and, where texts share no more than that, by paragraph; copies with the same words
are none here, for they have nothing to add. Nothing is refused. What comes out depends on the texts, not on their
order. Of a crowd of copies, only some speak for all, so that time grows with the texts and not with their pairs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from unspin.consensus import Sibling, digest
from unspin.copies import dedupe
from unspin.language import LanguageModel
from unspin.lexicon import Lexicon
from unspin.model import CopyGroup, Level, Place, Progress

LEAST_WORDS = {Level.DOCUMENT: 0, Level.PARAGRAPH: 12}  # shorter paragraphs are headings, and repeat by chance
MOST = 6  # siblings of a text; every one more still gains, and costs (`benchmarks/consensus.py`)
KEPT = 2  # how much more the least spun of a group of copies counts than the others
AT_HAND = 32  # siblings kept after they were read; it bounds memory


class Collection:
    """For each text of a collection, its siblings among the others."""

    def __init__(
        self,
        texts: Sequence[str],
        lexicon: Lexicon,
        model: LanguageModel,
        *,
        names: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> None:
        """`names` is what edits call the texts as siblings; without them, they are called by their digests."""
        self._related = related(texts, lexicon, progress=progress)
        called = names or [""] * len(texts)
        self._sibling = lru_cache(AT_HAND)(lambda n: Sibling(texts[n], lexicon, model, name=called[n]))

    def siblings(self, number: int) -> list[Sibling]:
        """What to read a text together with, the most useful first."""
        return [self._sibling(other) for other in self._related[number]]


def related(texts: Sequence[str], lexicon: Lexicon, *, progress: Progress | None = None) -> tuple[tuple[int, ...], ...]:
    """Per text, the numbers of those that share most with it, MOST at most, the most first.

    >>> said = "He said that it was over, and left the house on the hill for good."
    >>> related([said, "Nothing.", said.replace("that it", "it")], Lexicon(()))
    ((2,), (), (0,))
    """
    shared: list[Counter[int]] = [Counter() for _ in texts]
    digests = [digest(text) for text in texts]
    for level, least in LEAST_WORDS.items():
        found: list[Counter[int]] = [Counter() for _ in texts]
        for group in dedupe(texts, level=level, lexicon=lexicon, min_words=least, progress=progress):
            for number, other, size in links(group, lambda p: texts[p.text][p.start : p.end], digests):
                found[number][other] += size
        for here, more in zip(shared, found, strict=True):
            here |= more  # a paragraph of two copies is no news
    return tuple(tuple(sorted(here, key=lambda n: (-here[n], digests[n], n))[:MOST]) if here else () for here in shared)


def links(
    group: CopyGroup, quoted: Callable[[Place], str], digests: Sequence[str] | Mapping[int, str]
) -> Iterator[tuple[int, int, int]]:
    """Texts of a group with those that speak for it, and how much the two share, in code points.

    `quoted` is what stands at a place, `digests` name the content of each text.
    """
    places = [group.kept, *(copy.place for copy in (*group.copies, *group.overlaps))]
    words = {place: _words(quoted(place)) for place in places}
    kept = words[group.kept]
    speakers: dict[bytes, Place] = {}
    for place in sorted(
        places, key=lambda p: (words[p] != kept, p.start - p.end, words[p], digests[p.text], p.text, p.start)
    ):
        speakers.setdefault(words[place], place)
    chosen = list(speakers.items())[: MOST + 1]
    for place in places:
        for key, other in chosen:
            if key != words[place] and place.text != other.text:
                size = min(place.end - place.start, other.end - other.start)
                yield place.text, other.text, size * (KEPT if key == kept else 1)


def _words(text: str) -> bytes:
    """The same for passages of the same characters, white space and case apart."""
    return hashlib.sha256("".join(text.split()).casefold().encode("utf-8", "surrogatepass")).digest()
