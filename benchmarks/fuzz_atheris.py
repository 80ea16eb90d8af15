"""The targets of `fuzz.py` under atheris, which looks for inputs that reach code no other has reached.

    python benchmarks/fuzz_atheris.py TARGET [--bytes 1000000] [--seconds 180] [OPTION OF LIBFUZZER...]

Needs atheris (`pip install atheris`; Linux, Python 3.11 to 3.13). It ends after so many bytes of input, after so many
seconds, or at the first failure, which libFuzzer keeps as crash-... in the current folder; its limits are set by
`-timeout=20 -rss_limit_mb=3000`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import atheris

with atheris.instrument_imports(include=["unspin"]):
    from fuzz_targets import TARGETS, warm

    from unspin.errors import UnspinError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--bytes", type=int, default=1_000_000, help="end after so many [default: 1,000,000]")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="or after so long, if that is sooner")
    known, others = parser.parse_known_args()
    name, end = known.target, time.monotonic() + known.seconds
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
        if given >= known.bytes or time.monotonic() > end:
            print(f"{name}\t{inputs:,} inputs\t{given:,} bytes\tno failure", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)  # libFuzzer knows no limit in bytes

    atheris.Setup([sys.argv[0], "-timeout=20", "-rss_limit_mb=3000", *others, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
