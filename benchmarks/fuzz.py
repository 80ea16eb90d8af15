"""Random bytes at everything that unspin reads: no crash, no hang, no unbounded memory.

    python benchmarks/fuzz.py [--bytes 10000000] [--seed 0] [--failures DIR] [TARGET...]

Each target (`fuzz_targets.py`) starts from inputs that it takes; they are mutated: bits turned, bytes put in, cut out,
doubled and moved, words of its format scattered. The bytes are shared out among the targets. Every input is given to a
process of its own kind, which is ended when one takes longer than `--seconds`, or more than `--memory` megabytes beyond
what was loaded before. An input that fails is kept in DIR, under its target's name, and is to become a case in
`tests/fuzz/regressions`. Exit code 1 if any failed. Linux only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from fuzz_targets import TARGETS, Target, warm

from unspin.errors import UnspinError

BATCH = 200  # inputs that one process is given
LONGEST = 6_000  # bytes of an input, unless a seed is longer
MOST_MUTATIONS = 8


@dataclass(slots=True)
class Tally:
    """What came of a target's inputs."""

    inputs: int = 0
    size: int = 0  # in bytes
    taken: int = 0
    slowest: float = 0.0
    memory: float = 0.0
    failures: list[tuple[str, bytes]] = field(default_factory=list)


def mutated(seed: bytes, words: tuple[bytes, ...], chance: random.Random) -> bytes:
    """A seed with some of its bytes changed."""
    data = bytearray(seed)
    for _ in range(chance.randint(0, MOST_MUTATIONS)):
        size = len(data)
        at = chance.randrange(size + 1)
        span = min(size - at, chance.choice((1, 2, 4, 16, 64, 400)))
        match chance.randrange(7):
            case 0 if at < size:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 8)))
            case 2:
                del data[at : at + span]
            case 3:
                data[at:at] = data[at : at + span] * chance.choice((1, 2, 20))
            case 4 if words:
                data[at:at] = chance.choice(words)
            case 5 if words:
                word = chance.choice(words)
                data[at : at + len(word)] = word
            case _:
                to = chance.randrange(size + 1)
                data[to:to] = data[at : at + span]
    return bytes(data[: max(LONGEST, 2 * len(seed))])


def inputs(target: Target, chance: random.Random) -> Iterator[bytes]:
    """Inputs for a target, without end."""
    seeds = target.seeds()
    yield b""
    yield from seeds
    while True:
        if chance.random() < 0.02:
            yield chance.randbytes(chance.randrange(300))
        else:
            yield mutated(chance.choice(seeds), target.words, chance)


class Hang(BaseException):
    """An input takes too long; not an Exception, so that nothing catches it."""


def _ring(*_: object) -> None:
    raise Hang


def _fed(target: Target, data: bytes, folder: Path, seconds: float) -> str:
    """What came of an input: "taken", "refused", or what went wrong."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        target.feed(data, folder)
    except UnspinError:
        return "refused"
    except Hang:
        return f"takes longer than {seconds:g} s"
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        place = next((f for f in reversed(frames) if "unspin" in f.filename and "fuzz" not in f.filename), frames[-1])
        return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {error}"[:200]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "taken"


def _work(target: Target, batch: list[bytes], folder: Path, limits: argparse.Namespace, report: int) -> None:
    """In a process of its own: one line for every input, as it is done."""
    signal.signal(signal.SIGALRM, _ring)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + limits.memory * 1_000_000,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number, data in enumerate(batch):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        outcome = _fed(target, data, folder, limits.seconds)
        seconds, grown = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        line = f"{number}\t{seconds:.4f}\t{grown / 1000:.1f}\t{' '.join(outcome.split())}\n"
        os.write(report, line.encode("utf-8", "replace"))


def _ran(target: Target, batch: list[bytes], folder: Path, limits: argparse.Namespace) -> list[list[str]]:
    """The lines of a process that is given a batch; fewer than inputs if it died."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 2)
        try:
            _work(target, batch, folder, limits, write)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as lines:
        signal.setitimer(signal.ITIMER_REAL, limits.seconds * 3 + len(batch))  # for what hangs outside Python
        try:
            found = [line.rstrip("\n").split("\t") for line in lines]
        except Hang:
            os.kill(child, signal.SIGKILL)
            found = []
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    os.waitpid(child, 0)
    return found


def fuzzed(target: Target, size: int, limits: argparse.Namespace) -> Tally:
    """Give a target `size` bytes of inputs."""
    tally = Tally()
    chance = random.Random(f"{limits.seed} {target.name}")
    stream = inputs(target, chance)
    with TemporaryDirectory() as name:
        while tally.size < size:
            batch = [next(stream) for _ in range(BATCH)]
            while batch:
                lines = _ran(target, batch, Path(name), limits)
                for data, (_, seconds, grown, outcome) in zip(batch, lines, strict=False):
                    _count(tally, data, float(seconds), float(grown), outcome)
                if len(lines) < len(batch):
                    _count(tally, batch[len(lines)], 0.0, 0.0, "the process died, or hangs outside Python")
                batch = batch[len(lines) + 1 :]
    return tally


def _count(tally: Tally, data: bytes, seconds: float, grown: float, outcome: str) -> None:
    tally.inputs += 1
    tally.size += len(data)
    tally.slowest, tally.memory = max(tally.slowest, seconds), max(tally.memory, grown)
    tally.taken += outcome == "taken"
    if outcome not in ("taken", "refused"):
        tally.failures.append((outcome, data))


def _keep(folder: Path, name: str, tally: Tally) -> None:
    for outcome, data in dict(reversed(tally.failures)).items():
        path = folder / name / hashlib.sha256(data).hexdigest()[:12]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        print(f"  {path}: {outcome}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--bytes", type=int, default=10_000_000, help="of input, for all targets together")
    parser.add_argument("--seconds", type=float, default=20.0, help="that one input may take")
    parser.add_argument("--memory", type=int, default=1_000, metavar="MB", help="that one input may take")
    parser.add_argument("--seed", default="0", help="another one makes other inputs")
    parser.add_argument("--failures", type=Path, default=Path("build/fuzz"), help="where inputs that fail are kept")
    limits = parser.parse_args()
    if unknown := set(limits.targets) - TARGETS.keys():
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    chosen = limits.targets or list(TARGETS)
    signal.signal(signal.SIGALRM, _ring)
    warm()
    print("target\tinputs\tbytes\ttaken\tslowest, s\tmemory, MB\tfailures", flush=True)
    failed = 0
    for name in chosen:
        tally = fuzzed(TARGETS[name], limits.bytes // len(chosen), limits)
        taken = f"{tally.taken / tally.inputs:.0%}"
        row = (name, f"{tally.inputs:,}", f"{tally.size:,}", taken, f"{tally.slowest:.2f}", f"{tally.memory:.0f}")
        print("\t".join((*row, str(len(tally.failures)))), flush=True)
        _keep(limits.failures, name, tally)
        failed += len(tally.failures)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
