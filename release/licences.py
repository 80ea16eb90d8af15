"""The licence report: every package that comes with `unspin` or one of its extras, and what its licence says.

    python release/licences.py

In come the packages installed beside this Python; out goes a line for each. It fails on a licence that is not known to
go with Apache-2.0, and on a package that names none. What is not installed is said to be left out.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOOLS = {"bench", "dev"}  # extras that nobody gets with the product
# Licences under which something may come along, unchanged, with a work under Apache-2.0. Those of the GNU family that
# extend to the work are not among them; the Lesser one is, as long as the library can be exchanged.
ALLOWED = re.compile(
    r"\b(?:Apache|MIT|BSD|0BSD|ISC|PSF|Python|CNRI-Python|Zlib|Unlicense|HPND|CC0|BSL|MPL|Mozilla|LGPL|GNU Lesser)\b",
    re.IGNORECASE,
)
# Metadata that are wrong, and the first line of the licence that comes with the package.
READ = {"locate": "MIT License"}
# What only torch's build for one maker's GPUs brings along: not ours to pass on, and other builds go without.
ACCELERATOR = re.compile(r"(?:nvidia|cuda)-")


@dataclass(frozen=True, slots=True)
class Finding:
    """A package, what brought it in and what its metadata say of its licence."""

    name: str
    version: str
    extra: str  # "": it always comes along
    licence: str

    @property
    def is_allowed(self) -> bool:
        """Of alternatives one is enough; of what goes together all must be allowed.

        >>> [Finding("a", "1", "", told).is_allowed for told in ("MIT OR GPL-3.0", "MIT AND GPL-3.0", "GPLv3", "")]
        [True, False, False, False]
        """
        choices = re.split(r"\s+OR\s+", re.sub(r"[()]", " ", self.licence))
        return any(all(ALLOWED.search(part) for part in re.split(r"\s+AND\s+", choice)) for choice in choices)


def licence(found: Distribution) -> str:
    """The licence of a package: its SPDX expression, else its classifiers, else the first line of its field; or ""."""
    metadata, read = found.metadata, READ.get(canonicalize_name(found.name))
    if read and any(_begins(found, file, read) for file in metadata.get_all("License-File") or ()):
        return read
    if expression := metadata.get_all("License-Expression"):
        return str(expression[0])
    classifiers = metadata.get_all("Classifier") or []
    told = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: ")]
    if specific := [text for text in told if text != "OSI Approved"]:
        return " AND ".join(specific)
    lines = [line.strip() for line in "\n".join(metadata.get_all("License") or ()).splitlines() if line.strip()]
    return lines[0] if lines else ""


def _begins(found: Distribution, file: str, line: str) -> bool:
    """Whether a licence file of a package begins with a line."""
    texts = (found.read_text(name) for name in (file, f"licenses/{file}"))
    return any(text.lstrip().startswith(line + "\n") for text in texts if text)


def _needed(found: Distribution, extras: set[str]) -> Iterator[Requirement]:
    """What a package with extras needs here."""
    for requirement in map(Requirement, found.requires or ()):
        if not requirement.marker or any(requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield requirement


def _walk(root: Distribution, extra: str, seen: dict[str, Finding], missing: set[str]) -> None:
    waiting = [(root, {extra} if extra else set())]
    while waiting:
        found, extras = waiting.pop()
        for requirement in _needed(found, extras):
            name = canonicalize_name(requirement.name)
            if name in seen:
                continue
            try:
                below = distribution(name)
            except PackageNotFoundError:
                missing.add(f"{name} ({extra or 'always'})")
                continue
            seen[name] = Finding(name, below.version, extra, licence(below))
            waiting.append((below, requirement.extras))


def findings() -> tuple[list[Finding], set[str]]:
    """All packages that come along, and what is not installed here."""
    root, seen, missing = distribution("unspin"), dict[str, Finding](), set[str]()
    for extra in ["", *sorted(set(root.metadata.get_all("Provides-Extra") or ()) - TOOLS)]:
        _walk(root, extra, seen, missing)
    return sorted(seen.values(), key=lambda finding: finding.name), missing


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    found, missing = findings()
    for finding in found:
        sign = "  " if finding.is_allowed else "! "
        print(f"{sign}{finding.name:28} {finding.version:12} {finding.extra or '(always)':14} {finding.licence or '?'}")
    refused = [f.name for f in found if not f.is_allowed and not ACCELERATOR.match(f.name)]
    if missing:
        print(f"not installed here, and so not looked at: {', '.join(sorted(missing))}", file=sys.stderr)
    print(f"{len(found)} packages, {len(refused)} to look at", file=sys.stderr)
    sys.exit(f"not on the list: {', '.join(refused)}" if refused else 0)


if __name__ == "__main__":
    main()
