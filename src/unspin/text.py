"""Text into paragraphs, sentences and tokens, losslessly.

In comes any string; out goes a `Document` whose units carry exact code-point spans into it. Nothing is
refused and nothing is changed: what stands between tokens is white space and invisible characters,
and the text can be rebuilt from the spans. Time is linear in the text, whatever its lines hold.

Tokens split where the spinner splits, at every boundary between letters, digits and punctuation:
"user-centered" is three tokens because the spinner swaps "user" alone, "3,000" is three because it
writes "three,000". A possessive "'s" is a token of its own, so that a swap's own word is found in
"heart's"; contractions ("it's", "don't", "we're") stay whole because the spinner swaps them whole.

Sentences follow the rules of Punkt (Kiss and Strunk 2006, section 4) with fixed lists of abbreviations
and of words that start sentences. They are read off the tokens, so that no token is ever cut.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import overload

from unspin.model import Document, Paragraph, Sentence, Token

# Soft hyphen, zero-width space / non-joiner / joiner, directions, word joiner, byte-order mark: they may
# stand inside a word and are no part of it.
INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
APOSTROPHES = "'\u2019\u2018\u02bc"

_STRAIGHT = str.maketrans(
    dict.fromkeys("\u2018\u2019\u02bc", "'") | dict.fromkeys("\u201c\u201d", '"') | dict.fromkeys(INVISIBLE, "")
)

# Combining marks, vowel signs and variation selectors, which `\w` leaves out: they belong to what they stand on.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0670\u0900-\u0963\u0966-\u1049"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
)
_PIECE = rf"[^\W_][^\W_{_MARKS}]*+(?:[{_MARKS}]++[^\W_]*+)*+"
_APOSTROPHE = f"[{APOSTROPHES}]"
# Words whose "'s" is a contraction (is, has, us), not a possessive, by length: a look-behind has one width.
_HOSTS = ("it|he", "she|who|let|how|why", "that|what|here|when", "there|where")
_CONTRACTED = "|".join(rf"(?<=\b(?:{hosts}){_APOSTROPHE})" for hosts in _HOSTS)

_NOT = re.compile(r"\b(?:not|no|never|none|nor|neither|nobody|nothing|cannot|without|with out)\b|\w't\b")
# Idioms that hold the word and deny nothing.
_NO_NEGATION = re.compile(
    r"\b(?:or not|no matter|(?:not|no) (?:less|fewer|more) than|not too long ago|not only|not solely)\b"
)

# Loops are possessive and none starts where an earlier try of it may have run, so that five megabytes of
# dots or "@" take time in proportion. The last one cannot backtrack anyway, and is not: Python 3.11.2 loses
# count of its groups there.
_TOKEN = re.compile(
    rf"""
      (?P<opaque> (?:https?://|www\.)[^\s<>"\u201c\u201d]*[^\s<>"\u201c\u201d\u2019.,;:!?')\]{INVISIBLE}]  # a URL
                | (?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++                           # an e-mail address
                | (?<!\w)[@\#]\w++ )                                                     # a handle, a hashtag
    | (?P<word>   (?:[^\W\d_]\.){{2,}}+                                                  # U.S.
                | [^\W\d_]\.[^\W\d_](?!\w)                                               # p.c
                | (?<=[\w.{_MARKS}{INVISIBLE}]){_APOSTROPHE}s\b                          # a clitic 's
                | {_PIECE}(?:[{INVISIBLE}]++{_PIECE})*+                                  # war, 28
                  (?:{_APOSTROPHE}(?:(?!s\b)|{_CONTRACTED})[^\W\d_]++)* )                # don't, it's
    | (?P<other>  [^\s{INVISIBLE}][{_MARKS}]*+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)

# A line break ends a paragraph; the separators are str.splitlines' own.
_BREAK = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")

LONG = 1_000_000  # code points; tokens take a hundred times the memory of what they stand for
LONGEST_SENTENCE = 2_000  # tokens; what has no full stop for so long is cut, so that blocks stay small
AHEAD = 3  # tokens that tell whether a sentence ends before them

_STOPS = ".!?\u2026"
_CLOSERS = "\"')]}\u2019\u201d\u00bb"
_ENDING = frozenset(_STOPS + _CLOSERS)
OPENERS = "\"'([{\u2018\u201c\u00ab"
_NEVER_FIRST = ",;:.!?\u2026)]}\u201d\u00bb%"
_ABBREVIATIONS = frozenset(
    "mr mrs ms messrs mme dr prof sr jr st mt ft gen lt col sgt capt cmdr maj adm rev hon gov sen sens rep reps "
    "pres supt det insp jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat "
    "sun inc corp co ltd llc bros dept univ assn ave blvd rd sq vs etc cf al approx est ed eds "
    "sec art feat yrs ph".split()
)
_BEFORE_NUMBERS = frozenset("no nos fig figs vol vols p pp ch para".split())  # "See No. 5", not "No. Yes"
_ALSO_WORDS = frozenset("art mar sat sun wed gen rep hon det sec".split())  # abbreviations only if capitalised
# After an abbreviation these begin a sentence ("the U.S. The"), while a name goes on with it ("Mr. Putin").
_STARTERS = frozenset(
    "the a an this that these those he she it we they i you his her its our their there here in on at for from with "
    "by but and as if when while after before since although though however what who why how where not no one some "
    "many most all both each under during according also so then now yet".split()
)


def normalise(text: str) -> str:
    """The form that language models and lexicons see: lower case, straight quotes, NFC, no invisible characters.

    >>> normalise("Don\u2019t")
    "don't"
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text.translate(_STRAIGHT).lower())


def tokens(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """The tokens of `text[start:end]`, in order, with spans into `text`.

    >>> [t.text for t in tokens("Moscow\u2014and U.S.-led, Putin's")]
    ['Moscow', '\u2014', 'and', 'U.S.', '-', 'led', ',', 'Putin', "'s"]
    """
    for match in _TOKEN.finditer(text, start, len(text) if end is None else end):
        word = match.group()
        norm = word.lower() if word.isascii() else normalise(word)
        yield Token(*match.span(), word, norm, match.lastgroup == "word")


def phrase(text: str) -> tuple[str, ...]:
    """The normal forms of a phrase's tokens: the key under which lexicons and decoders find it."""
    return tuple(token.norm for token in tokens(text))


@lru_cache(maxsize=1 << 12)
def is_negated(words: str) -> bool:
    """Does a phrase hold a negation?"""
    return _NOT.search(_NO_NEGATION.sub("", " ".join(phrase(words)))) is not None


def _is_abbreviation(word: Token, follower: Token) -> bool:
    if word.norm in _BEFORE_NUMBERS:
        return follower.text[0].isdigit()
    if word.norm in _ALSO_WORDS:
        return word.text[0].isupper()
    is_initial = len(word.text) == 1 and word.text.isalpha()
    return is_initial or word.text.endswith(".") or word.norm in _ABBREVIATIONS


def _ends(found: Sequence[Token], last: int) -> bool:
    """Does a sentence end with the token `last`, which some space parts from the next?"""
    stop = last  # step back over closing quotes and brackets: "war.")
    while stop and found[stop].text in _CLOSERS and found[stop - 1].end == found[stop].start:
        stop -= 1
    if found[stop].text[-1] not in _STOPS:
        return False
    follower = next((t for t in found[last + 1 : last + 4] if t.text not in OPENERS), found[last + 1])
    is_lower = follower.text[0].islower()
    if follower.text in _NEVER_FIRST or (is_lower and stop < last):  # "Why?" he asked
        return False
    if found[stop].text in "!?":
        return True
    before = found[stop] if found[stop].is_word else found[max(stop - 1, 0)]  # "U.S." holds its own full stop
    if not before.is_word:  # an ellipsis
        return not is_lower
    return not _is_abbreviation(before, follower) or (follower.norm in _STARTERS and not is_lower)


def _parted(found: Sequence[Token], size: int) -> bool:
    """Do the first `size` tokens make a sentence that ends before the next one?"""
    if size >= LONGEST_SENTENCE:
        return True
    last = found[size - 1]
    return last.text[-1] in _ENDING and last.end < found[size].start and _ends(found, size - 1)


def _sentences(stream: Iterable[Token]) -> Iterator[Sentence]:
    found: list[Token] = []
    size = 1
    for token in chain(stream, [None] * AHEAD):
        if token is not None:
            found.append(token)
            if len(found) < size + AHEAD:
                continue
        if size < len(found):
            if _parted(found, size):
                yield Sentence(found[0].start, found[size - 1].end, tuple(found[:size]))
                found, size = found[size:], 0
            size += 1
    if found:
        yield Sentence(found[0].start, found[-1].end, tuple(found))


class _Unread(Sequence[Sentence]):
    """The sentences of a stretch of text, found anew whenever they are asked for."""

    __slots__ = ("_end", "_start", "_text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text, self._start, self._end = text, start, end

    def __iter__(self) -> Iterator[Sentence]:
        return _sentences(tokens(self._text, self._start, self._end))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, index: int) -> Sentence: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sentence]: ...
    def __getitem__(self, index: int | slice) -> Sentence | Sequence[Sentence]:
        return tuple(self)[index]


def _lines(text: str) -> Iterator[tuple[int, int]]:
    position = 0
    for match in _BREAK.finditer(text):
        yield position, match.start()
        position = match.end()
    yield position, len(text)


def _paragraphs(text: str) -> Iterator[Paragraph]:
    is_long = len(text) > LONG
    for start, end in _lines(text):
        if any(True for _ in tokens(text, start, end)):
            found = _Unread(text, start, end)
            yield Paragraph(start, end, found if is_long else tuple(iter(found)))  # its length would read it once more


def segment(text: str) -> Document:
    """Split a text into paragraphs (at line breaks), sentences and tokens.

    A sentence runs from its first token to its last, and holds LONGEST_SENTENCE tokens at most; a line without tokens
    is no paragraph. Of a text longer than LONG, the tokens are not kept.

    >>> [p.end - p.start for p in segment("One.\\r\\n\\r\\nTwo three.").paragraphs]
    [4, 10]
    """
    return Document(text, tuple(_paragraphs(text)))
