"""CriticMarkup, for Markdown: `{~~spun~>original~~}`, `{--repeated--}`, `{==held==}{>>why<<}`.

In comes a `Restoration`; out goes its text with the changes marked, exact to the last character. CriticMarkup has no
escapes, so where the text itself reads like a mark, one character of it becomes a numeric entity, which no tool takes
for a mark and Markdown shows as the character. Accepting or rejecting all changes and turning the four
entities back gives the cleaned text or the original one.
"""

from __future__ import annotations

import re
from typing import assert_never

from unspin.diff.pieces import Piece, Removed, pieces, readings, visible
from unspin.model import Edit, Held, Restoration

# What opens a mark, closes one, parts a substitution, or would be taken for one of our entities. An "&" at the end
# of a piece may meet a "#" when changes are accepted.
_MARKS = re.compile(r"\{(?=\+\+|--|~~|>>|==)|(?<=\+\+|--|~~|<<|==)\}|(?<=~)>|&(?=\#|\Z)")


def markdown(restoration: Restoration) -> str:
    """The text with its changes in CriticMarkup. Raises EditConflict."""
    return "".join(map(_marked, pieces(restoration)))


def _marked(piece: Piece) -> str:
    match piece:
        case str():
            return _plain(piece)
        case Held():
            why = f"held ({piece.reason}): {', '.join(readings(piece))}"
            return f"{{=={_plain(piece.candidate.before)}==}}{_comment(why)}"
        case Removed():
            gone, why = f"{{--{_plain(piece.edit.before)}--}}", _comment(str(piece))
            return gone + why if piece.parts[0] else why + gone  # beside the passage, not beyond its line breaks
        case Edit(before=before, after=after):
            if not before:
                return f"{{++{_plain(after)}++}}"
            return f"{{~~{_plain(before)}~>{_plain(after)}~~}}" if after else f"{{--{_plain(before)}--}}"
        case _:
            assert_never(piece)


def _comment(text: str) -> str:
    return f"{{>>{_plain(visible(text))}<<}}"


def _plain(text: str) -> str:
    return _MARKS.sub(lambda mark: f"&#{ord(mark.group())};", text)
