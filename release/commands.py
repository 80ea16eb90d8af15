"""`docs/commands.md`, made of what every command says of itself: `python release/commands.py`.

With --check it writes nothing, and fails if the page says something else than the commands do.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

from unspin.cli import unspin

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """# Commands

What `--help` says, on one page. This page is made of it by `make commands`.
"""
_EXAMPLES = "Examples:"
_UNNAMED = "start"  # the command of a group that needs not be named
_KEEP = "\b"  # click's mark of a paragraph whose lines stay as they are


def walk(command: click.Command, parent: click.Context | None, name: str) -> Iterator[click.Context]:
    """A command and all below it, each in its context."""
    context = click.Context(command, info_name=name, parent=parent)
    yield context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found
            yield from walk(found, context, below)


def _paragraph(text: str) -> str:
    """A paragraph of a help text in Markdown: examples become what one would type."""
    lines = text.removeprefix(_KEEP).strip().splitlines()
    if lines and lines[0].strip() == _EXAMPLES:
        typed = "\n".join(line.strip() for line in lines[1:])
        return f"Examples:\n\n```text\n{typed}\n```"
    return re.sub(r"([*_<])", r"\\\1", " ".join(line.strip() for line in lines))


def _option(option: click.Option) -> str:
    """A row of the table. Put together here, because click writes it in another way in every other version."""
    names = ", ".join(sorted(option.opts, key=len)) + "".join(f" / {name}" for name in option.secondary_opts)
    choices = f"[{'|'.join(option.type.choices)}]" if isinstance(option.type, click.Choice) else ""
    value = "" if option.is_flag else option.metavar or choices or option.type.name.split()[0].upper()
    default = f" [default: {option.default}]" if option.show_default else ""
    cells = f"`{names} {value}".rstrip() + "`", f"{option.help or ''}{default}".strip()
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def section(context: click.Context) -> str:
    """What a command says of itself."""
    command = context.command
    shown = command.commands.get(_UNNAMED, command) if isinstance(command, click.Group) else command
    usage = " ".join([context.command_path, *shown.collect_usage_pieces(context)])
    told = cleandoc(shown.help or "").replace("\b\n", _KEEP)
    body = "\n\n".join(_paragraph(part) for part in re.split(r"\n\s*\n", told))
    rows = [_option(option) for option in shown.params if isinstance(option, click.Option)]
    table = ["", "| option | |", "|---|---|", *rows] if rows else []
    level = "##" if context.parent is None or context.parent.parent is None else "###"
    return "\n".join([f"{level} {context.command_path}", "", f"```text\n{usage}\n```", "", body, *table])


def _is_named(context: click.Context) -> bool:
    return context.info_name != _UNNAMED


def page() -> str:
    """The whole page."""
    return (
        "\n\n".join(
            [HEAD.strip(), *(section(context) for context in walk(unspin, None, "unspin") if _is_named(context))]
        )
        + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        sys.exit(PAGE.read_text(encoding="utf-8") != page() and f"{PAGE} is out of date: make commands")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
