"""`unspin doctor`: nothing in; what this installation consists of, and whether it works, out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

import click

from unspin.commands.terminal import FAILED, legible, product
from unspin.doctor import Checkup, Package, Part, examine
from unspin.schemas import schema


def _json(found: Checkup) -> str:
    rows = asdict(found) | {
        "variables": dict(found.variables),
        "paths": dict(found.paths),
        "extras": {extra: list(missing) for extra, missing in found.extras.items()},
        "is_well": not found.self_test,
    }
    return json.dumps(rows, indent=2) + "\n"


def _package(package: Package) -> str:
    there = package.version or "MISSING"
    return f"  {package.name} {there}" + (f", cannot be imported: {package.problem}" if package.problem else "")


def _part(part: Part) -> str:
    return f"  {part.name}: {part.digest or 'BROKEN: ' + part.problem}"


def _lines(found: Checkup) -> Iterator[str]:
    yield f"unspin {found.unspin}"
    yield f"python: {found.python}"
    yield f"platform: {found.platform}"
    yield f"encodings: {found.encodings}"
    yield from (f"{name}={value}" for name, value in found.variables)
    yield from (f"{name}: {path}" for name, path in found.paths)
    yield "dependencies:" + ("" if found.packages else " unknown, for unspin is not installed")
    yield from (_package(package) for package in found.packages if not package.extra)
    for extra, missing in found.extras.items():
        yield f"extra {extra}: " + (f"missing {', '.join(missing)}" if missing else "complete")
    yield "lexicons:"
    yield from map(_part, found.lexicons)
    yield "models:"
    yield from map(_part, found.models)
    yield f"signature: {found.signature or 'none'}"
    yield f"self-test: {'FAILED: ' + found.self_test if found.self_test else 'passed'}"


def _shown(line: str) -> str:
    """A line as `legible` shows it, indented as it was."""
    return " " * (len(line) - len(line.lstrip(" "))) + legible(line)


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="As an object of JSON.")
@click.option("--schema", "as_schema", is_flag=True, help="Print the JSON Schema of what --json prints, and exit.")
def command(as_json: bool, as_schema: bool) -> None:
    """Tell of this installation, and test it.

    Versions, dependencies, extras, paths, lexicons and models with their digests, and a self-test, which restores a
    built-in text and compares. Paste it into a bug report; paths may show your name. If the self-test fails, the exit
    code is 3.

    \b
    Examples:
      unspin doctor
      unspin doctor --json | jq .self_test
    """
    if as_schema:  # not by `options`, whose imports are among what may be broken
        product(schema("checkup"))
        return
    found = examine()
    product(_json(found) if as_json else "".join(_shown(line) + "\n" for line in _lines(found)))
    click.get_current_context().exit(FAILED if found.self_test else 0)
