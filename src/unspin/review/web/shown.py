"""Text for a page: what hides, drives or reorders it stands there as a sign.

In comes any text; out go pieces, plain text and signs in turn, so that a page can box the signs. Nothing is refused.
"""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup, escape

# Control characters (tab and line feed apart), what sets or overrides directions, what takes no room, tags, lone
# surrogates (bytes of a file name that are no text). Joiners stay: scripts and emoji need them.
_HIDDEN = re.compile(
    "([\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f])"
)


def code(character: str) -> str:
    """What a character is called in a sign.

    >>> code(chr(0x202E))
    'U+202E'
    """
    return f"U+{ord(character):04X}"


def pieces(text: str) -> list[str]:
    """Plain text and the names of hidden characters, in turn, plain text first.

    >>> pieces("a" + chr(0x202E) + "b"), pieces("a")
    (['a', 'U+202E', 'b'], ['a'])
    """
    found = _HIDDEN.split(text.replace("\r\n", "\n"))
    found[1::2] = map(code, found[1::2])
    return found


def plain(text: str) -> str:
    """The same where no box can be: in titles and labels.

    >>> plain("a" + chr(0x202E) + "b")
    'a⟨U+202E⟩b'
    """
    return _HIDDEN.sub(lambda match: f"⟨{code(match.group())}⟩", text.replace("\r\n", "\n"))


def shown(text: str) -> Markup:
    """The same as HTML, escaped.

    >>> shown("<b>" + chr(0x202E))
    Markup('&lt;b&gt;<span class="sign" title="right-to-left override">U+202E</span>')
    """
    found = _HIDDEN.split(text.replace("\r\n", "\n"))
    return Markup("").join(_sign(part) if odd % 2 else escape(part) for odd, part in enumerate(found))


def _sign(character: str) -> Markup:
    name = unicodedata.name(character, "control character").lower()
    return Markup('<span class="sign" title="{}">{}</span>').format(name, code(character))
