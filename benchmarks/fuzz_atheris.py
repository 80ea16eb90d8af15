"""The targets of `fuzz.py` under atheris, which looks for inputs that reach code no other has reached.

    python benchmarks/fuzz_atheris.py TARGET [--bytes 1000000] [OPTION OF LIBFUZZER...]

Needs atheris (`pip install atheris`; Linux, Python 3.11 to 3.13). It ends after so many bytes of input, or at the first
failure, which libFuzzer keeps as crash-... in the current folder; `-timeout=20 -rss_limit_mb=3000` set its limits.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import atheris

with atheris.instrument_imports(include=["unspin"]):
    from fuzz_targets import TARGETS, warm

    from unspin.errors import UnspinError


def main() -> None:
    _, name, *others = sys.argv
    most = 1_000_000
    if "--bytes" in others:
        place = others.index("--bytes")
        most = int(others[place + 1])
        del others[place : place + 2]
    target, folder = TARGETS[name], Path(mkdtemp(prefix="unspin-fuzz-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds()):
        (corpus / str(number)).write_bytes(seed)
    warm()
    given = inputs = 0

    def one(data: bytes) -> None:
        nonlocal given, inputs
        with suppress(UnspinError):
            target.feed(data, folder)
        given, inputs = given + len(data), inputs + 1
        if given >= most:
            print(f"{name}\t{inputs:,} inputs\t{given:,} bytes\tno failure", flush=True)
            os._exit(0)  # libFuzzer knows no limit in bytes

    atheris.Setup([sys.argv[0], "-timeout=20", "-rss_limit_mb=3000", *others, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
