"""The prose of a document: the words that may be restored, apart from the markup that they stand in.

In comes a source and a text of the same length, in which markup is hidden by invisible characters, so that offsets
into the one are offsets into the other. Out go restorations of the source.
"""

from __future__ import annotations

from dataclasses import dataclass

from unspin.model import Restoration


@dataclass(frozen=True, slots=True)
class Prose:
    """`text` is restored in place of `source`, at the same offsets; nothing is changed inside `protected` spans."""

    source: str
    text: str
    protected: tuple[tuple[int, int], ...] = ()

    @classmethod
    def plain(cls, text: str) -> Prose:
        """A text without markup."""
        return cls(text, text)

    def landed(self, restoration: Restoration) -> Restoration:
        """A restoration of `text` as one of `source`: what would change markup is left out."""
        if self.source is self.text:
            return restoration
        raise NotImplementedError
