"""What an installation consists of, and whether it works: for a bug report.

Nothing comes in; out goes a `Checkup`: versions, dependencies and extras, lexicons and models with their digests,
paths, and what came of a self-test, which restores a built-in text. What is broken is reported, not raised: everything
that could fail to be imported is imported inside the check that tells of it.
"""

from __future__ import annotations

import hashlib
import locale
import os
import platform
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path

SPUN = (
    "It is greater than a yr now. In keeping with officers, negotiations are anticipated to proceed, however there's "
    "little signal of peace. They additionally mentioned that extra troops would arrive inside weeks, and that it has "
    "price the federal government dearly."
)
RESTORED = (
    "It is more than a year now. According to officials, negotiations are expected to continue, but there's little "
    "sign of peace. They also said that more troops would arrive within weeks, and that it has cost the government "
    "dearly."
)
_VARIABLES = ("PYTHONHASHSEED", "OMP_NUM_THREADS", "LC_ALL", "LANG", "NO_COLOR", "UNSPIN_LEDGER")
_REQUIREMENT = re.compile(r"""([\w.-]+)[^;]*(?:;.*extra\s*==\s*['"]([\w.-]+)['"])?""")


@dataclass(frozen=True, slots=True)
class Package:
    """A package that unspin can use: its version, if it is there, and why it cannot be imported, if it cannot.

    `extra` is what asks for it; "" is unspin itself.
    """

    name: str
    extra: str
    version: str | None
    problem: str


@dataclass(frozen=True, slots=True)
class Part:
    """A lexicon or a model: what names its content, or why there is nothing."""

    name: str
    path: str
    digest: str
    problem: str


@dataclass(frozen=True, slots=True)
class Checkup:
    """All of it. `self_test` is empty if the built-in text came out as it must."""

    unspin: str
    python: str
    platform: str
    encodings: str
    variables: tuple[tuple[str, str], ...]
    paths: tuple[tuple[str, str], ...]
    packages: tuple[Package, ...]
    lexicons: tuple[Part, ...]
    models: tuple[Part, ...]
    signature: str
    self_test: str

    @property
    def extras(self) -> dict[str, tuple[str, ...]]:
        """Per extra, the packages that are missing."""
        names = dict.fromkeys(package.extra for package in self.packages if package.extra)
        return {
            extra: tuple(p.name for p in self.packages if p.extra == extra and p.version is None) for extra in names
        }


def examine() -> Checkup:
    """Look at everything. Never raises for what is broken."""
    signature, problem = _self_test()
    return Checkup(
        unspin=_version("unspin") or "0 (a source tree, not installed)",
        python=f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})",
        platform=f"{platform.platform()}, {os.cpu_count()} processors",
        encodings=f"files {sys.getfilesystemencoding()}, locale {locale.getpreferredencoding(False)}",
        variables=tuple((name, os.environ[name]) for name in _VARIABLES if name in os.environ),
        paths=tuple(_paths()),
        packages=tuple(_packages()),
        lexicons=tuple(_lexicons()),
        models=tuple(_models()),
        signature=signature,
        self_test=problem,
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _reason(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _paths() -> Iterator[tuple[str, str]]:
    yield "package", str(Path(__file__).parent)
    yield "working directory", str(Path.cwd())
    for name, found in (("lexicons", _lexicon_folder), ("cache", _cache)):
        try:
            yield name, str(found())
        except Exception as error:  # whatever is broken is to be told
            yield name, _reason(error)


def _lexicon_folder() -> Path:
    from unspin.lexicon import DEFAULT, find

    return find(DEFAULT).parent


def _cache() -> Path:
    from unspin.endpoint import cache_path

    return cache_path()


def _packages() -> Iterator[Package]:
    """What unspin asks for, in order of name, its own needs first."""
    try:
        wanted = requires("unspin") or []
    except PackageNotFoundError:
        wanted = []
    modules: dict[str, list[str]] = {}
    for module, names in packages_distributions().items():
        for name in names:
            modules.setdefault(name.lower().replace("_", "-"), []).append(module)
    found = {(match[2] or "", match[1]) for match in map(_REQUIREMENT.match, wanted) if match}
    for extra, name in sorted(found):
        if extra not in ("dev", "bench"):  # for those who work on unspin, not with it
            there = _version(name)
            needed = there is not None and not extra
            yield Package(name, extra, there, _import_problem(modules.get(name.lower(), [])) if needed else "")


def _import_problem(modules: list[str]) -> str:
    for module in modules:
        if module.isidentifier() and not module.startswith("_"):
            try:
                import_module(module)
            except Exception as error:  # whatever is broken is to be told
                return _reason(error)
    return ""


def _lexicons() -> Iterator[Part]:
    def digest(path: Path) -> str:
        from unspin.lexicon import Lexicon

        lexicon = Lexicon.load(path)
        return f"{lexicon.digest}, {len(lexicon.entries):,} entries"

    try:
        folder = _lexicon_folder()
    except Exception as error:  # whatever is broken is to be told
        yield Part("en-autoblog", "", "", _reason(error))
        return
    for path in sorted(folder.glob("*.tsv")):
        if not path.stem.endswith(".examples"):
            yield _part(path.stem, path, digest)


def _models() -> Iterator[Part]:
    for path in sorted((Path(__file__).parent / "models").glob("en.*")):
        if path.suffix != ".md":
            yield _part(path.name, path, lambda path: hashlib.sha256(path.read_bytes()).hexdigest())
    for name, digest in (("language model", _model), ("ranker", _ranker)):
        yield _part(name, Path(), digest)


def _model(path: Path) -> str:
    from unspin.language import default_model

    return default_model().digest


def _ranker(path: Path) -> str:
    from unspin.rank import default_ranker

    return default_ranker().digest


def _part(name: str, path: Path, digest: Callable[[Path], str]) -> Part:
    place = str(path) if path.name else ""
    try:
        return Part(name, place, digest(path), "")
    except Exception as error:  # whatever is broken is to be told
        return Part(name, place, "", _reason(error))


def _self_test() -> tuple[str, str]:
    """The signature by which the built-in text was restored, and what is wrong with it."""
    try:
        from unspin.edit import cleaned
        from unspin.pipeline import restore

        restoration = restore(SPUN)
        after = cleaned(restoration)
    except Exception as error:  # whatever is broken is to be told
        place = traceback.extract_tb(error.__traceback__)[-1]
        return "", f"{_reason(error)} ({Path(place.filename).name}, line {place.lineno})"
    return str(restoration.signature), "" if after == RESTORED else f"restored as {after!r}"
