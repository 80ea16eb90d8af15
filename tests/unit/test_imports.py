"""Imports go one way. The layers are data; a new module must be given its place here."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import unspin

PACKAGE = Path(unspin.__file__).parent

# From the ground up: a module imports only from layers below its own. A package (`commands`) is one unit.
LAYERS = (
    ("model", "errors", "schemas", "processes", "heap"),
    ("remote",),
    ("text", "gold", "lattice", "files", "stretches"),
    ("trie",),
    ("sources", "words", "lexicon", "language", "edit", "evaluate", "pairing"),
    ("backoff", "canon"),
    ("ngrams", "arpa"),
    ("channel", "align", "calibration", "diff", "formats", "inflect", "spin", "fingerprint", "verbatim"),
    ("rank", "regions", "blocking", "units", "intersect", "findings"),
    ("learn", "match", "postings"),
    ("decode", "copies", "repeats", "store"),
    ("decide", "passages", "chains"),
    ("judge", "spill"),
    ("index",),
    ("debris", "ask", "consensus", "screen"),
    ("endpoint", "witness", "siblings"),
    ("pipeline",),
    ("explain", "replay", "doctor"),
    ("train", "neural", "review", "cases", "batch", "spark"),
    ("commands", "pytest_plugin"),
    ("cli",),
    ("__main__", "submit"),
)
# Upward, but only from inside a function, when it is first needed: a protocol that knows its default.
LAZY = {("language", "backoff"), ("language", "arpa"), ("language", "ngrams"), ("rank", "neural")}
# Who may talk to a terminal, or draw for one.
INTERFACE = {"commands", "cli", "__main__", "diff"}
TERMINAL = {"click", "rich"}

LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def unit(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_unit(name: str) -> bool:
    return (PACKAGE / f"{name}.py").is_file() or (PACKAGE / name / "__init__.py").is_file()


def imports(node: ast.AST, *, is_lazy: bool = False) -> Iterator[tuple[str, bool]]:
    """The dotted names that a module imports, each with whether only when a function runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, is_lazy) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            yield from ((f"{child.module}.{alias.name}", is_lazy) for alias in child.names)
        inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from imports(child, is_lazy=is_lazy or inside)


def used(path: Path) -> Iterator[tuple[str, bool]]:
    """The units of this package that a file imports from; "" is the door itself."""
    for name, is_lazy in imports(ast.parse(path.read_text(encoding="utf-8"))):
        root, *rest = name.split(".")
        if root == "unspin":
            yield (rest[0] if rest and is_unit(rest[0]) else ""), is_lazy


def test_every_module_has_its_layer_and_every_layer_its_module() -> None:
    found = {unit(path) for path in SOURCES}
    assert found <= LEVEL.keys(), "a new module: give it a layer"
    assert LEVEL.keys() - found <= {"__main__"}, "a layer names what is gone"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    me = unit(path)
    for other, is_lazy in used(path):
        if other == me or (is_lazy and (me, other) in LAZY):
            continue
        assert other, f"{me} imports from the door; import from the module that has it"
        assert LEVEL[other] < LEVEL[me], f"{me} imports from {other}, which stands no lower"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_interface_talks_to_a_terminal(path: Path) -> None:
    roots = {name.split(".")[0] for name, _ in imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert unit(path) in INTERFACE or roots.isdisjoint(TERMINAL)


def test_the_door_only_re_exports() -> None:
    """What type checkers are told, what is listed and what is found are the same names, from the same modules."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    told = {name.rpartition(".")[2]: name.split(".")[1] for name, _ in imports(tree) if name.startswith("unspin.")}
    assert sorted(unspin.__all__) == sorted(told)
    for name, module in told.items():
        assert getattr(unspin, name) is getattr(import_module(f"unspin.{module}"), name)
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        _ = unspin.nothing_of_ours


def test_the_door_opens_at_once() -> None:
    """The command line answers `--help` without what decoding needs."""
    source = (
        "import sys, unspin; sys.exit(bool({'numpy', 'nltk', 'xxhash', 'wordfreq', 'pocketsphinx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0


def test_the_reader_of_imports_sees_them_wherever_they_stand() -> None:
    source = "import a.b\nif x:\n    from c import d\ndef f():\n    import e\nclass G:\n    from h import i\n"
    assert list(imports(ast.parse(source))) == [("a.b", False), ("c.d", False), ("e", True), ("h.i", False)]
