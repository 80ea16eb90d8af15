"""The code blocks of Markdown pages, and the commands in them.

Commands are the lines of a `console` block that begin with `$`, and in any other block those that begin with the name
of a program that the pages speak of. A line that ends with a backslash goes on in the next one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"])
PROGRAMS = ("unspin", "python", "pip", "make", "apt-get", "ssh", "git", "pytest", "pre-commit", "eval", ".ci/run")
_PROMPT = "$ "


@dataclass(frozen=True, slots=True)
class Block:
    """A code block: `language` is "" where none is told."""

    page: Path
    line: int
    language: str
    content: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Command:
    """A command as somebody would type it, without what it is piped to and where its output goes."""

    words: tuple[str, ...]
    target: str = ""  # of `> target`
    piped_to: str = ""

    @property
    def typed(self) -> str:
        return shlex.join(self.words)


def blocks(page: Path) -> list[Block]:
    """All code blocks of a page, fenced or indented."""
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    return [
        Block(page, token.map[0] + 1, token.info.strip(), token.content)
        for token in tokens
        if token.type in ("fence", "code_block") and token.map
    ]


def _lines(block: Block) -> Iterator[str]:
    joined = re.sub(r"\\\n\s*", "", block.content)
    for line in joined.splitlines():
        if block.language == "console":
            if line.startswith(_PROMPT):
                yield line.removeprefix(_PROMPT)
        elif block.language == "yaml":  # steps of continuous integration
            if found := re.fullmatch(r"\s*- run: (unspin .*)", line):
                yield found[1]
        elif line.split(" ")[0] in PROGRAMS:
            yield line


def command(line: str) -> Command:
    """A command line: its comment goes, its redirection and its pipe are told apart.

    >>> command("unspin clean a.txt > b.txt  # restored")
    Command(words=('unspin', 'clean', 'a.txt'), target='b.txt', piped_to='')
    """
    parts = shlex.shlex(line, posix=True, punctuation_chars="|>")
    parts.whitespace_split = True
    parts.commenters = "#"
    words = list(parts)
    end = next((n for n, word in enumerate(words) if word in (">", "|")), len(words))
    rest = " ".join(words[end + 1 :])
    sign = words[end] if rest else ""
    return Command(tuple(words[:end]), rest if sign == ">" else "", rest if sign == "|" else "")


def commands(block: Block) -> list[Command]:
    """What a block tells to type."""
    return [command(line) for line in _lines(block)] if block.language != "python" else []
