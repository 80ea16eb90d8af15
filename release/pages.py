"""The documentation site takes in what stands elsewhere in the repository; mkdocs calls these hooks.

A paragraph that is a link to a heading of a page outside `docs`, such as `[Limits](../README.md#limits)`, becomes what
stands under that heading; elsewhere it is read as the link it is. Whole pages from outside are added as they are. Their
links are made to fit; those to what is not on the site become plain words.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
OUTSIDE = {
    "benchmarks/README.md": "benchmarks.md",
    "CONTRIBUTING.md": "contributing.md",
    "CODE_OF_CONDUCT.md": "conduct.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
HOMES = OUTSIDE | {"README.md": "index.md"}  # where links to them lead
_INCLUDE = re.compile(r"^\[[^\]]+\]\(\.\./([\w/]+\.md)#([\w-]+)\)$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)


def slug(heading: str) -> str:
    """What a heading is called in links.

    >>> slug("How it works, roughly")
    'how-it-works-roughly'
    """
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip())


def section(text: str, wanted: str) -> str | None:
    """What stands under a heading, up to the next one that is no lower than two; None if there is no such heading.

    >>> section("# A\\n\\none\\n\\n## B\\n\\ntwo\\n", "a")
    'one'
    """
    parts = re.split(r"^(#{1,2}) +(.+)$", _hidden(text), flags=re.MULTILINE)
    for heading, body in zip(parts[2::3], parts[3::3], strict=True):
        if slug(heading) == wanted:
            return _shown(body).strip()
    return None


def _hidden(text: str) -> str:
    """The text with the number signs in code made something else: they begin no heading."""
    return _FENCE.sub(lambda found: found[0].replace("#", "\0"), text)


def _shown(text: str) -> str:
    return text.replace("\0", "#")


def fitted(text: str, home: PurePosixPath) -> str:
    """A page's text with its links as they must be on the site. `home`: its folder in the repository."""

    def fit(link: re.Match[str]) -> str:
        words, target, anchor = link[1], normpath(home / link[2]), link[3] or ""
        if target in HOMES:
            return f"[{words}]({HOMES[target]}{anchor})"
        if target.startswith("docs/"):
            return f"[{words}]({target.removeprefix('docs/')}{anchor})"
        return words

    parts = _FENCE.split(text)
    return "".join(part if n % 2 else _LINK.sub(fit, part) for n, part in enumerate(parts))


def _included(link: re.Match[str]) -> str:
    source = ROOT / link[1]
    found = section(source.read_text(encoding="utf-8"), link[2])
    if found is None:
        raise PluginError(f"{link[1]} has no heading {link[2]}")
    title = "# unspin\n\n" if link[2] == "unspin" else ""
    return title + fitted(found, PurePosixPath(link[1]).parent)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside."""
    for source, name in OUTSIDE.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Take in what stands elsewhere, and make all links fit."""
    homes = {name: PurePosixPath(source).parent for source, name in OUTSIDE.items()}
    name = page.file.src_uri
    if name in homes:
        return fitted(markdown, homes[name])
    parts = _INCLUDE.split(markdown)
    kept = [fitted(part, PurePosixPath("docs")) for part in parts[::3]]
    taken = [_included(found) for found in _INCLUDE.finditer(markdown)]
    return "".join(text for both in zip(kept, [*taken, ""], strict=True) for text in both)
