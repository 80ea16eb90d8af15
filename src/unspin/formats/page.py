"""Pages: their main text, or the words of all their text nodes, where they stand.

In comes HTML as browsers meet it; out goes a text, or a `Prose` in which every tag, comment, script, style and piece
of code is hidden or protected. Tags are told from text as the HTML standard's tokenizer tells them (WHATWG, section
13.2.5), with their places: the libraries that parse pages know none, or take quadratic time for damaged ones. A tag
or comment that nothing closes takes all that follows it, as in a browser. Nothing is refused. Time is linear.
"""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from html import unescape

from unspin.errors import UnspinError
from unspin.formats.prose import HIDDEN, Prose

_SPACE = r"[\t\n\f\r ]"
_MARKUP = re.compile(r"<(?=[A-Za-z/!?])")
_TAG = re.compile(
    rf"""<(?P<closing>/?)(?P<name>[A-Za-z][^\t\n\f\r />]*+)
      (?: [\t\n\f\r /]++
        | [^\t\n\f\r />][^\t\n\f\r />=]*+
          (?:{_SPACE}*+={_SPACE}*+(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r >"'][^\t\n\f\r >]*+|(?=>)))?+
      )*+>""",
    re.VERBOSE,
)
_BEGUN_TAG = re.compile(r"</?[A-Za-z]")
_COMMENT = re.compile(r"<!--(?:-?>|.*?--!?>)", re.DOTALL)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BREAK = re.compile(r"[\t\n\f\r]")
_CHARSET = re.compile(rb"""<meta\b[^>]*?\bcharset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_CHARSET_WITHIN = 4096  # bytes; the standard has it within 1,024

# Elements whose content is no markup, up to their closing tag.
_RAW = frozenset("script style textarea title xmp iframe noembed noframes".split())
# Elements whose content is no prose.
_NO_PROSE = frozenset("script style textarea xmp iframe noembed noframes template svg math select pre object".split())
_FOREIGN = frozenset(("svg", "math"))  # which alone can be closed by "/>"
_INLINE_CODE = frozenset("code kbd samp tt var".split())
# Elements that stand inside a line; any other begins and ends one.
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark nobr q rp rt ruby s samp "
    "small span strike strong sub sup time tt u var wbr".split()
)


def declared(data: bytes) -> str:
    """The encoding that a page says it is in, as Python calls it; "" if it says nothing that is known."""
    found = _CHARSET.search(data, 0, _CHARSET_WITHIN)
    return known_encoding(found[1].decode("ascii", "replace")) if found else ""


def known_encoding(label: str) -> str:
    """The encoding that browsers take a label for; "" if none.

    >>> known_encoding("ISO-8859-1"), known_encoding("x-unheard-of")
    ('cp1252', '')
    """
    with suppress(LookupError):
        name = codecs.lookup(label).name
        return "cp1252" if name in ("iso8859-1", "ascii") else name
    return ""


def main_text(page: str) -> str:
    """The main text of a page, without menus, comments and the like; "" if none is found."""
    try:
        from trafilatura import extract
    except ImportError as error:
        raise UnspinError("the main text of pages needs trafilatura: pip install 'unspin[formats]'") from error
    return extract(page, include_comments=False) or ""


class _Marked:
    """A page as it is read: the text of the same length, and what is protected."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.parts: list[str] = []
        self.protected: list[tuple[int, int]] = []
        self.inside = ""  # the element that hides, or protects, what is in it
        self.depth = 0

    def markup(self, start: int, end: int, *, breaks: bool = False) -> None:
        """Hide a stretch; `breaks`: a line ends there."""
        self.parts.append("\n" * breaks + HIDDEN * (end - start - breaks))

    def words(self, start: int, end: int) -> None:
        """Show a stretch of text, unless it is in something that hides it."""
        if self.inside in _NO_PROSE:
            self.markup(start, end)
            return
        if self.inside:
            self.protected.append((start, end))
        position = start
        for entity in _ENTITY.finditer(self.page, start, end):
            self.parts += _BREAK.sub(" ", self.page[position : entity.start()]), shown(entity.group())
            position = entity.end()
        self.parts.append(_BREAK.sub(" ", self.page[position:end]))

    def tag(self, match: re.Match[str]) -> str:
        """Read a tag; gives its name if what follows is raw."""
        name, is_closing = match["name"].lower(), bool(match["closing"])
        self.markup(*match.span(), breaks=name not in _INLINE)
        is_opening = not is_closing and not (name in _FOREIGN and match.group().endswith("/>"))
        if self.inside == name:
            self.depth += is_opening - is_closing
            self.inside = name if self.depth else ""
        elif not self.inside and is_opening and name in _NO_PROSE | _INLINE_CODE:
            self.inside, self.depth = name, 1
        return name if name in _RAW and not is_closing else ""


def shown(entity: str) -> str:
    """An entity as what it stands for, as long as it is itself; one that stands for nothing is what it is.

    >>> shown("&amp;").replace(HIDDEN, ".")
    '&....'
    """
    meant = unescape(entity)
    is_seen = meant.isprintable() or meant == "\u00a0"
    return (meant if is_seen else "").ljust(len(entity), HIDDEN)


def prose(page: str) -> Prose:
    """The words of a page's text nodes. Line breaks inside them are spaces, as for a browser; elements that begin a
    line do."""
    marked = _Marked(page)
    position = 0
    while found := _MARKUP.search(page, position):
        start = found.start()
        marked.words(position, start)
        position = _after_markup(page, start, marked)
    marked.words(position, len(page))
    return Prose(page, "".join(marked.parts), tuple(marked.protected), is_page=True)


def _after_markup(page: str, start: int, marked: _Marked) -> int:
    """Read the markup that begins at `start`; where it ends."""
    if tag := _TAG.match(page, start):
        raw = marked.tag(tag)
        return _after_raw(page, tag.end(), raw, marked) if raw else tag.end()
    end = _after_odd(page, start)
    marked.markup(start, end)
    return end


def _after_odd(page: str, start: int) -> int:
    """Where a comment, a declaration or what else begins with "<" ends."""
    if page.startswith("<!--", start):
        comment = _COMMENT.match(page, start)
        return comment.end() if comment else len(page)
    return len(page) if _BEGUN_TAG.match(page, start) else page.find(">", start) + 1 or len(page)


def _after_raw(page: str, start: int, name: str, marked: _Marked) -> int:
    closing = re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE).search(page, start)
    end = closing.start() if closing else len(page)
    marked.words(start, end)
    return end
