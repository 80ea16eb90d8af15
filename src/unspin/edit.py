"""Edits onto text: the sole changer of text.

In come a text and decided edits; out goes the changed text, the edits that undo it, or the edits that
follow from others: a mended article, the removal of a repeat. Refused, by `EditConflict`: edits that
overlap, start at one place, lie outside the text, or do not quote it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice, pairwise, zip_longest
from typing import NamedTuple

from unspin.errors import EditConflict
from unspin.model import DecidedBy, Document, DuplicateGroup, Edit, Restoration, Token
from unspin.text import OPENERS, normalise, tokens

JOINED = 1 << 14  # pieces of a text at a time


def _ordered(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits in text order. Two that overlap or share a start have no one reading and conflict."""
    ordered = tuple(sorted(edits, key=lambda edit: (edit.start, edit.end)))
    for left, right in pairwise(ordered):
        if right.start < left.end or right.start == left.start:
            raise EditConflict(right.start, right.end, f"it meets the edit at {left.start}:{left.end}; keep one")
    return ordered


def apply(text: str, edits: Iterable[Edit], *, start: int = 0, end: int | None = None) -> str:
    """The text with the edits made, in whatever order they come; linear in the text.

    `start`, `end`: only this stretch of the text is wanted, and holds all the edits.
    Raises `EditConflict` if edits overlap, share a start, lie outside the text or do not quote it.

    >>> apply("the struggle", [Edit(4, 12, "struggle", "war", None, 1.0, DecidedBy.DECODER)])
    'the war'
    """
    return _whole(_pieces(text, edits, start, end))


def _pieces(text: str, edits: Iterable[Edit], start: int, end: int | None) -> Iterator[str]:
    """What stands between the edits, and what they write, in turn."""
    position = start
    for edit in _ordered(edits):
        if edit.end > len(text):
            raise EditConflict(edit.start, edit.end, f"the text ends at {len(text)}; was it made for another text?")
        if not text.startswith(edit.before, edit.start):
            found = text[edit.start : edit.end]
            problem = f"it quotes {edit.before[:40]!r}, the text reads {found[:40]!r}; was it made for another text?"
            raise EditConflict(edit.start, edit.end, problem)
        yield text[position : edit.start]
        yield edit.after
        position = edit.end
    yield text[position:end]


def _whole(pieces: Iterator[str]) -> str:
    """Pieces joined; those of a long text, some at a time, for each takes more memory than what it holds."""
    joined: list[str] = []
    while some := list(islice(pieces, JOINED)):
        joined.append("".join(some))
    return "".join(joined)


def invert(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits that turn the edited text back: `apply(apply(t, e), invert(e)) == t`.

    A deletion turns into an insertion; where that would share its start with the next inverse, the two
    become one edit of the lower confidence. Raises `EditConflict` as `apply` does for overlaps.
    """
    inverses: list[Edit] = []
    shift = 0  # how far what stands left of an edit has moved it
    for edit in _ordered(edits):
        start = edit.start + shift
        back = replace(edit, start=start, end=start + len(edit.after), before=edit.after, after=edit.before)
        shift += len(edit.after) - len(edit.before)
        if inverses and inverses[-1].start == start:
            inverses[-1:] = _joined(inverses[-1], back)
        else:
            inverses.append(back)
    return tuple(inverses)


def _joined(left: Edit, right: Edit) -> Iterator[Edit]:
    """An insertion and the edit that starts where it does, as one edit, or none if they cancel out."""
    after = left.after + right.after
    if after != right.before:
        yield replace(right, after=after, entry=None, confidence=min(left.confidence, right.confidence))


# A word for the sake of case: letters, joined by apostrophes and full stops ("don't", "U.S").
_WORD = re.compile(r"(?<!\d)[^\W\d_]+(?:['\u2019.][^\W\d_]+)*")


def _is_shouted(phrase: str) -> bool:
    """Capitals throughout, four letters or more and two in a row; less is an abbreviation (US, SEO, U.S.A.)."""
    runs = re.findall(r"[^\W\d_]+", phrase)
    return phrase.isupper() and len(max(runs, key=len, default="")) > 1 and sum(map(len, runs)) > 3


def _capitalised(word: re.Match[str]) -> str:
    text = word.group()
    return text if text != text.lower() else text[0].title() + text[1:]  # iPhone, eBay stay


@lru_cache(maxsize=1 << 13)
def carry_case(before: str, after: str, *, sentence_start: bool) -> str:
    """The restored phrase `after` in the case pattern of the spun phrase `before`.

    - CAPITALS, four letters or more, give capitals.
    - Every Word Capitalised, of two or more, gives every word a capital.
    - A first capital gives a first capital and no more: the spinner matches the heads "make sure" and
      "Make sure" alone, so that even in mid-sentence "Ensure" was "Make sure".
    - Otherwise, and for an abbreviation ("US", "SEO") unless it starts the sentence, the case stays the
      lexicon's. A capital of the lexicon's ("United States", "I'm", "iPhone") is never lowered.

    >>> carry_case("Struggle", "war", sentence_start=True), carry_case("US", "United States", sentence_start=False)
    ('War', 'United States')
    """
    if _is_shouted(before):
        return after.upper()
    words = [w for w in _WORD.findall(before) if not re.match(r"I\b", w)]  # "I" is a capital always
    if len(words) > 1 and all(w[0].isupper() for w in words):
        return _WORD.sub(_capitalised, after)
    first = next((c for c in before if c.isalnum()), "")
    is_abbreviation = len(words) == 1 and len(words[0]) > 1 and before.isupper()
    if not first.isupper() or (is_abbreviation and not sentence_start):
        return after
    head = next((i for i, c in enumerate(after) if c.isalnum()), 0)
    word = _WORD.match(after, head)
    return after[:head] + _capitalised(word) + after[word.end() :] if word else after


_ARTICLES = frozenset(("a", "an"))
_HOLDS_ARTICLE = re.compile(r"\ban?\b", re.IGNORECASE)
_LETTER_VOWELS = "AEFHILMNORSX"  # letters whose names start with a vowel sound
_SPELLED = re.compile(  # said letter by letter, at least at the start
    r"""[^\W\d_](?:[.\d]|$)                                                # F-16, U.S., H1N1
      | [a-z][A-Z]                                                         # mRNA, eBay
      | NAACP
      | (?!(?:LAN|NAS|RAM|REIT|ROM|SAG|SIM)\b)
        (?!(?=[A-Z]{4})(?:[AEIO]|[FHLMNRS][AEIOU]|S[CHKLMNPTW][AEIOU]))     # NATO and SWAT are said as words
        [A-Z]{2,}(?:s?$|\d)                                                # FBI, HTML, MRIs, MP3
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"8|1[18](?:\d{2,3})?(?!\d)")  # eight.., eleven, eighteen, an 1800s house, 11000
_SILENT_H = re.compile(r"hour|hono(?!l)|honest|heir")
_GLIDE = re.compile(  # spelled with a vowel, said with "y" or "w"
    r"""eu|ewe|once\b|one(?:s|self|ness|time)?\b|ouija
      | u(?:ni(?![nm]|d(?!i))|nanim|s[aeu]|t[aeio]|r[aeiou]|k|biq|ga|fo|yg|ighur)""",
    re.VERBOSE,
)
HEARD = 4  # tokens behind an edit among which its follower is looked for
_EITHER = re.compile(r"histor|herb\b|homage")  # both "a" and "an" are in good use


def sounds_vowel(word: str) -> bool:
    """Does the word start with a vowel sound, so that "an" goes before it? False for what is no word.

    Follows the spelling, with rules for silent h, "you" and "won" sounds, initialisms and numbers; agrees
    with 99.9 % of the articles in 66,000 places of edited news.

    >>> [w for w in ("hour", "unit", "uninformed", "MRI", "NATO", "U.S.", "8", "one", "F-16") if sounds_vowel(w)]
    ['hour', 'uninformed', 'MRI', '8', 'F-16']
    """
    token = next((t for t in tokens(word) if t.is_word), None)
    if token is None:
        return False
    if _SPELLED.match(token.text):
        return token.text[0].upper() in _LETTER_VOWELS
    if token.norm[0].isdigit():
        return _NUMBER.match(token.norm) is not None
    plain = unicodedata.normalize("NFD", token.norm)
    if plain[0] in "xy":  # Xbox, Yvonne; but xenon, year
        return plain[1:2] not in ("", *"aeiou")
    return _SILENT_H.match(plain) is not None or (plain[0] in "aeiou" and _GLIDE.match(plain) is None)


def _first_word(found: Iterable[Token]) -> str | None:
    """The word that leads, opening quotes and brackets aside; "" if there is none, None if nothing is there."""
    leader = next((t for t in found if t.text not in OPENERS), None)
    return None if leader is None else leader.text if leader.is_word else ""


@lru_cache(maxsize=1 << 13)
def _first_spoken(phrase: str) -> str | None:
    return _first_word(tokens(phrase))


def _agreeing(article: str, word: str, *, shouted: bool) -> str:
    """The article as it must be before the word, in its own case."""
    norm, right = normalise(word), "an" if sounds_vowel(word) else "a"
    if not word or norm in _ARTICLES or _EITHER.match(norm) or normalise(article) == right:
        return article
    if article == "AN" or (article == "A" and shouted):
        return right.upper()
    return right.capitalize() if article[0].isupper() else right


class _Setting(NamedTuple):
    """An edit where it stands. Before it, brackets and quotes aside, is the token `leading`, and the token `previous`
    before that; `follower` is the first word behind it, "" if what stands there is none, None if that is the next edit;
    `limit` is where the edit before it lets go."""

    edit: Edit
    leading: Token | None
    previous: Token | None
    follower: str | None
    limit: int


def _settings(document: Document, edits: Sequence[Edit]) -> Iterator[_Setting]:
    """The edits in their places; of all the tokens around them, few are held at a time."""
    coming, ahead = _near(document, edits), deque[Token]()
    leading = previous = last = None
    limit = 0
    for edit, right in zip_longest(edits, islice(edits, 1, None)):
        while (token := ahead.popleft() if ahead else next(coming, None)) and token.start < edit.start:
            if token.text not in OPENERS:
                leading, previous = token, last
            last = token
        ahead.extendleft([token] if token else [])
        behind = [token for token in ahead if token.start >= edit.end]
        while len(behind) < HEARD and (token := next(coming, None)):
            ahead.append(token)
            behind += [token] if token.start >= edit.end else []
        follower = _first_word(word for word in behind[:HEARD] if right is None or word.end <= right.start)
        yield _Setting(edit, leading, previous, follower, limit)
        limit = max(edit.start + 1, edit.end)


def _leader(edit: Edit) -> str | None:
    """The first word that a reader meets in an edit, None if there is none."""
    spoken = edit.after  # in capitals the lexicon's spelling tells a word from an initialism
    if edit.entry and normalise(edit.entry.original) == normalise(spoken):
        spoken = edit.entry.original
    return _first_spoken(spoken)


def _article_before(document: Document, setting: _Setting, *, shouted: bool) -> Token | None:
    """The article that an edit follows, if it does. "A" after a word is a name: "Plan A"."""
    article, previous, position = setting.leading, setting.previous, setting.edit.start
    if article is None or article.norm not in _ARTICLES or article.start < setting.limit:
        return None
    if len(document.text[article.end : position + 1].splitlines()) > 1:  # the paragraph before ended in "a"
        return None
    if article.end > position or not document.text[article.end : article.end + 1].isspace():  # "A-list"
        return None
    if article.text != "A" or shouted or previous is None or not previous.is_word or previous.text.endswith("."):
        return article
    return article if "\n" in document.text[previous.end : article.start] else None


def _near(document: Document, edits: Sequence[Edit]) -> Iterator[Token]:
    """The tokens of the sentences that hold edits, of the one before each and of the two after it."""
    before: tuple[Token, ...] = ()
    number, left = 0, 0
    for sentence in document.sentences if edits else ():
        while number < len(edits) and edits[number].end < sentence.start:
            number += 1
        if number < len(edits) and edits[number].start <= sentence.end:
            yield from before
            before, left = (), 3
        if left:
            yield from sentence.tokens
            before, left = (), left - 1
        else:
            before = sentence.tokens


def mend_articles(document: Document, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits in text order, with "a" and "an" made to agree where an edit changed the next word.

    An article that stands just before an edit gets an edit of its own, as confident as its neighbour;
    one inside or at the end of an edit's `after` is put right there. Other articles are left alone,
    and so is one before a word that takes both ("an historic"). `EditConflict` as in `invert`.
    """
    mended: list[Edit] = []
    run: list[_Setting] = []  # edits with nothing between them: each is followed by the next one's first word
    for setting in _settings(document, _ordered(edits)):
        run.append(setting)
        if setting.follower is not None:
            mended += _agreed(document, run)
            run = []
    return (*mended, *_agreed(document, run))


def _agreed(document: Document, run: Sequence[_Setting]) -> Iterator[Edit]:
    mended: list[Edit] = []
    word = ""
    for setting in reversed(run):
        edit, follower = setting.edit, word if setting.follower is None else setting.follower
        leader = _leader(edit)
        word = follower if leader is None else leader
        shouted = _is_shouted(edit.before)
        after = _inner_articles_agree(edit.after, follower, shouted=shouted)
        if after != edit.before:
            mended.append(edit if after == edit.after else replace(edit, after=after))
        if article := _article_before(document, setting, shouted=shouted):
            right = _agreeing(article.text, word, shouted=shouted)
            if right != article.text:
                span = article.start, article.end, article.text
                mended.append(Edit(*span, right, None, edit.confidence, DecidedBy.AGREEMENT))
    return reversed(mended)


def _inner_articles_agree(after: str, follower: str, *, shouted: bool) -> str:
    """A replacement whose articles agree with the words after them; `follower` comes after the whole."""
    if not _HOLDS_ARTICLE.search(after):
        return after
    found = tuple(tokens(after))
    parts: list[str] = []
    position = 0
    for index, token in enumerate(found):
        if token.norm in _ARTICLES:
            inside = _first_word(found[index + 1 :])
            word = follower if inside is None else inside
            parts += after[position : token.start], _agreeing(token.text, word, shouted=shouted)
            position = token.end
    return "".join([*parts, after[position:]])


_LINE_END = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_TO_NEXT_LINE = re.compile(rf"\s*[{_LINE_END}]")


def _gap_before(text: str, start: int) -> int:
    """Where the line breaks before a paragraph begin; blanks that trail the paragraph before stay with it."""
    position = start
    while position and text[position - 1].isspace():
        position -= 1
    return next((i for i in range(position, start) if text[i] in _LINE_END), start)


def _gap_after(text: str, end: int, limit: int) -> int:
    """Where the line breaks after a paragraph end; blanks that lead the next paragraph stay with it."""
    gap = _TO_NEXT_LINE.match(text, end, limit)
    return gap.end() if gap else end


def _lines(gap: str) -> int:
    return len(gap.splitlines())


def removals(duplicates: Iterable[DuplicateGroup], text: str) -> tuple[Edit, ...]:
    """One deletion per repeat, in text order: the paragraph and the line breaks that follow it.

    Where fewer stand before it, those go instead, and so at the end of the text: a blank line that parts
    two other paragraphs stays, none is doubled, and the text ends as it did. Linear in the text.
    """
    repeats = sorted((r for group in duplicates for r in group.repeats), key=lambda repeat: repeat.start)
    removed: list[Edit] = []
    limit, backwards = len(text), True  # where the removal behind begins, and which way it went
    for repeat in reversed(repeats):
        start, end = _gap_before(text, repeat.start), _gap_after(text, repeat.end, limit)
        is_wide = _lines(text[repeat.end : end]) > _lines(text[start : repeat.start])
        backwards = is_wide or (backwards and not text[repeat.end : limit].strip())
        if backwards and start < repeat.start:
            end = repeat.end
        else:
            start = repeat.start
        removed.append(Edit(start, end, text[start:end], "", None, repeat.score, DecidedBy.DUPLICATE))
        limit = start
    return tuple(reversed(removed))


def cleaned(restoration: Restoration) -> str:
    """The text a restoration stands for: its original with the repeats removed and the edits made.

    Raises `EditConflict` if an edit lies in a passage that goes.
    """
    original = restoration.original
    return apply(original, [*restoration.edits, *removals(restoration.duplicates, original)])
