"""What stands around a span, for a person to read.

In comes a text and a span; out goes the sentence that holds it. Only what stands near is looked at, so that a long
text costs no more than a short one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from unspin.model import Sentence
from unspin.text import segment

REACH = 400  # code points to either side; some "sentences" are whole pages
_WINDOW = 5 * REACH  # so that long paragraphs cost no more than others
_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


@dataclass(frozen=True, slots=True)
class Context:
    """A sentence (or more, where the span runs over its end): `left + words + right`; spans count in the text."""

    left: str
    words: str
    right: str
    start: int
    end: int


def context(text: str, start: int, end: int) -> Context:
    """The sentences that hold `[start, end)` of a text, no more than REACH code points to either side.

    >>> context("All is well. The struggle ended. So it is.", 17, 25)
    Context(left='The ', words='struggle', right=' ended.', start=13, end=32)
    """
    first, last = _paragraph(text, start, end)
    held = [s for s in _sentences(text[first:last]) if first + s.start < end and start < first + s.end]
    left = min([start, *(first + s.start for s in held)])
    right = max([end, *(first + s.end for s in held)])
    left, right = max(left, start - REACH), min(right, end + REACH)
    return Context(text[left:start], text[start:end], text[end:right], left, right)


@lru_cache(maxsize=256)
def _sentences(paragraph: str) -> tuple[Sentence, ...]:
    return tuple(sentence for found in segment(paragraph).paragraphs for sentence in found.sentences)


def _paragraph(text: str, start: int, end: int) -> tuple[int, int]:
    """The lines that hold a span, as far as _WINDOW reaches."""
    begin, stop = max(0, start - _WINDOW), min(len(text), end + _WINDOW)
    first = max(begin, *(text.rfind(mark, begin, start) + 1 for mark in _BREAKS))
    ends = (text.find(mark, end, stop) for mark in _BREAKS)
    return first, min((position for position in ends if position >= 0), default=stop)
