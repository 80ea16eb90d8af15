"""The reviewable table of swaps: read it, check it, write it, look phrases up in it.

In comes a TSV file (see `COLUMNS`), out go entries and an index over them. A malformed line is refused
with file, line and column. Comment lines (`#`) belong to the entry they stand before and survive every
rewrite.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unspin.errors import InputError, LexiconError
from unspin.files import exists
from unspin.model import Entry, Status
from unspin.text import phrase
from unspin.trie import Trie

COLUMNS = ("spun", "original", "rate", "seen", "status", "source", "note")
DEFAULT = "en-autoblog"
LONGEST = 7  # tokens in a phrase

Phrase = tuple[str, ...]

# The spinner carries a first capital over ("Individuals" was Americans) and no other: the United States became
# "america", the U.S. "the us", SEO "web optimization".
_LOWERED = re.compile(r"the\b.*|(?:[^\W\d_a-z]\.?){2,}")


@dataclass(frozen=True, slots=True)
class Line:
    """An entry with the comment lines above it; the last line of a file may have no entry."""

    comments: tuple[str, ...]
    entry: Entry | None


@cache
def _shipped() -> Path:
    """Where the wheel puts the lexicons; in a checkout, the top-level folder."""
    installed = Path(str(resources.files("unspin"))) / "lexicons"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "lexicons"


def shipped() -> list[str]:
    """The names of the lexicons that come with the package."""
    return sorted(path.stem for path in _shipped().glob("*.tsv") if not path.stem.endswith(".examples"))


def find(name: str | Path) -> Path:
    """The file of a lexicon given by path or, for shipped ones, by name ("en-autoblog").

    Raises InputError if it is neither; what is clearly meant as a path is left to reading, which says why it fails.
    """
    path = Path(name)
    if exists(path):
        return path
    known = _shipped() / f"{name}.tsv"
    if exists(known):
        return known
    if path.suffix == ".tsv" or len(path.parts) > 1:
        return path
    raise InputError(name, f"no such lexicon; shipped are: {', '.join(shipped())}")


def read(path: Path) -> tuple[str, tuple[Line, ...]]:
    """The leading comments with the header, and the lines of a lexicon file.

    Raises InputError if the file cannot be read as UTF-8 and LexiconError, with line and column, at the
    first malformed line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(path, f"cannot be read as UTF-8 ({error.reason} at byte {error.start})") from error
    head: list[str] = []
    comments: list[str] = []
    lines: list[Line] = []
    for number, row in enumerate(text.split("\n"), 1):
        row = row.removesuffix("\r")
        if row.startswith("#") or not row.strip():
            comments += [row] if row.strip() else []
        elif row.split("\t") == list(COLUMNS) and not lines:
            head, comments = [*comments, row], []
        elif not head:
            raise LexiconError(path, "the first line must name the columns: " + " ".join(COLUMNS), line=number)
        else:
            lines.append(Line(tuple(comments), _entry(path, number, row)))
            comments = []
    if not head:
        raise LexiconError(path, "empty: a lexicon starts with the line " + " ".join(COLUMNS))
    if comments:
        lines.append(Line(tuple(comments), None))
    return "\n".join(head), tuple(lines)


def _entry(path: Path, number: int, row: str) -> Entry:
    fields = row.split("\t")
    if len(fields) != len(COLUMNS):
        problem = f"{len(fields)} fields where {len(COLUMNS)} belong, divided by tabs"
        raise LexiconError(path, problem, line=number, column=len(row) + 1)
    columns = [1 + sum(len(f) + 1 for f in fields[:n]) for n in range(len(fields))]

    def refuse(field: int, problem: str) -> LexiconError:
        return LexiconError(path, f"{COLUMNS[field]}: {problem}", line=number, column=columns[field])

    spun, original, rate, seen, status, source, note = fields
    for field in (0, 1):
        size = len(phrase(fields[field]))
        if not 1 <= size <= LONGEST:
            raise refuse(field, f"{fields[field]!r} has {size} tokens; 1 to {LONGEST} are looked up")
        if fields[field] != unicodedata.normalize("NFC", " ".join(fields[field].split())):
            raise refuse(field, f"{fields[field]!r} is not in normal form (NFC, single spaces)")
    if phrase(spun) == phrase(original):
        raise refuse(1, f"{spun!r} is mapped to itself")
    try:
        chance = float(rate)
    except ValueError:
        raise refuse(2, f"{rate!r} is not a number") from None
    if not 0.0 < chance <= 1.0:
        raise refuse(2, f"{rate} is not in (0, 1]")
    if not (seen.isascii() and seen.isdigit()):
        raise refuse(3, f"{seen!r} is not a count")
    if status not in tuple(Status):
        raise refuse(4, f"{status!r} is none of {', '.join(Status)}")
    if not source:
        raise refuse(5, "empty: say where the entry comes from")
    return Entry(spun, original, chance, int(seen), Status(status), source, note, number)


def order(entry: Entry) -> tuple[str, ...]:
    """The order of entries in a file."""
    return (entry.spun, entry.original)


def written(entry: Entry) -> str:
    """The entry as a line of a lexicon file."""
    rate = f"{entry.rate:.4g}"
    return "\t".join((entry.spun, entry.original, rate, str(entry.seen), entry.status, entry.source, entry.note))


def formatted(head: str, lines: Iterable[Line]) -> str:
    """A lexicon file's text with its entries in order; comments stay above their entry."""
    kept = sorted((line for line in lines if line.entry), key=lambda line: order(line.entry) if line.entry else ())
    last = [comment for line in lines if not line.entry for comment in line.comments]
    rows = [row for line in kept if line.entry for row in (*line.comments, written(line.entry))]
    return "\n".join([head or "\t".join(COLUMNS), *rows, *last]) + "\n"


@dataclass(frozen=True, slots=True)
class Problem:
    """What `check` found: where, what, and whether it makes the lexicon wrong or only merits a look."""

    line: int
    message: str
    is_error: bool


def check(lines: Sequence[Line]) -> Iterator[Problem]:
    """What reading cannot see line by line: order, repetition, impossible rates, loops and chains."""
    entries = [line.entry for line in lines if line.entry]
    for before, after in pairwise(entries):
        if order(after) < order(before):
            yield Problem(after.line, f"{after.spun!r} stands after {before.spun!r}: not sorted", True)
    first: dict[tuple[Phrase, Phrase], Entry] = {}
    total: defaultdict[Phrase, float] = defaultdict(float)
    for entry in entries:
        key = phrase(entry.spun), phrase(entry.original)
        if (other := first.setdefault(key, entry)) is not entry:
            message = f"{entry.spun!r} <- {entry.original!r} stands already in line {other.line}"
            yield Problem(entry.line, message, True)
        if entry.status != Status.OFF:
            total[key[1]] += entry.rate
            if total[key[1]] > 1.0005 >= total[key[1]] - entry.rate:
                message = f"the rates of {entry.original!r} sum to {total[key[1]]:.4f}, more than 1"
                yield Problem(entry.line, message, True)
    for (spun, original), entry in first.items():
        if (original, spun) in first and spun < original:
            message = f"loop: {entry.spun!r} and {entry.original!r} stand for each other; context decides"
            yield Problem(entry.line, message, False)


def is_name(entry: Entry) -> bool:
    """Is the original written with a capital wherever it stands ("United States")?"""
    return re.search(r"(?!I\b)[^\W\d_a-z]", entry.original) is not None


def keeps_capital(entry: Entry) -> bool:
    """Does the spinner write a name's alternate with a capital wherever it stands?"""
    return entry.spun != entry.spun.lower() or not _LOWERED.fullmatch(entry.original)


@dataclass(frozen=True, slots=True)
class Arrays:
    """A lexicon's look-ups for all places of a text at once.

    Of all spun phrases and heads together, which `trie` finds and numbers: their active entries, the likeliest first,
    are `entry[first:first + count]`, and `kept` is the probability that the spinner leaves them alone, nan for what is
    no head. Per active entry: its `rate`, whether its original `is_name`, and the words of that, as the trie numbers
    them: `original[begin:begin + size]`.
    """

    trie: Trie
    entry: NDArray[np.int64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    kept: NDArray[np.float64]
    rate: NDArray[np.float64]
    is_name: NDArray[np.bool_]
    original: NDArray[np.int64]
    begin: NDArray[np.int64]
    size: NDArray[np.int64]


class Lexicon:
    """Entries with the look-ups that decoding needs. Immutable; share it between threads."""

    def __init__(self, entries: Iterable[Entry], *, name: str = "lexicon") -> None:
        self.name = name
        self.entries = tuple(sorted(entries, key=order))
        for entry in self.entries:
            if not (1 <= len(phrase(entry.spun)) <= LONGEST and 1 <= len(phrase(entry.original)) <= LONGEST):
                raise ValueError(f"{entry.spun!r} <- {entry.original!r}: phrases have 1 to {LONGEST} tokens")

    @classmethod
    def load(cls, *names: str | Path) -> Lexicon:
        """Read lexicons by path or shipped name (default: "en-autoblog"); later ones overrule earlier ones.

        Raises InputError or LexiconError.
        """
        merged: dict[tuple[Phrase, Phrase], Entry] = {}
        for name in names or (DEFAULT,):
            for line in read(find(name))[1]:
                if line.entry:
                    merged[phrase(line.entry.spun), phrase(line.entry.original)] = line.entry
        return cls(merged.values(), name="+".join(Path(n).stem for n in names or (DEFAULT,)))

    @cached_property
    def digest(self) -> str:
        """Names the content: equal entries, equal digest."""
        content = "\n".join(map(written, self.entries))
        return f"{self.name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"

    @cached_property
    def active(self) -> tuple[Entry, ...]:
        """The entries in use; indices below count these."""
        return tuple(e for e in self.entries if e.status != Status.OFF)

    @cached_property
    def by_spun(self) -> dict[Phrase, tuple[int, ...]]:
        """Per spun phrase its active entries, the likeliest first."""
        found: defaultdict[Phrase, list[int]] = defaultdict(list)
        for number, entry in enumerate(self.active):
            found[phrase(entry.spun)].append(number)
        return {key: tuple(sorted(numbers, key=lambda n: -self.active[n].rate)) for key, numbers in found.items()}

    @cached_property
    def originals(self) -> tuple[Phrase, ...]:
        """Per active entry, the tokens of its original."""
        return tuple(phrase(entry.original) for entry in self.active)

    @cached_property
    def head_numbers(self) -> NDArray[np.int64]:
        """Per active entry, a number for its original phrase: equal for the alternates of one head."""
        numbers: dict[Phrase, int] = {}
        return np.asarray([numbers.setdefault(head, len(numbers)) for head in self.originals], dtype=np.int64)

    @cached_property
    def names(self) -> dict[int, bool]:
        """The active entries whose original is a name, and whether the alternate keeps its capital."""
        return {n: keeps_capital(entry) for n, entry in enumerate(self.active) if is_name(entry)}

    @cached_property
    def kept(self) -> dict[Phrase, float]:
        """Per head (original phrase), the probability that the spinner leaves it alone."""
        total: defaultdict[Phrase, float] = defaultdict(float)
        for entry in self.active:
            total[phrase(entry.original)] += entry.rate
        return {head: max(0.0, 1.0 - rate) for head, rate in total.items()}

    @cached_property
    def arrays(self) -> Arrays:
        """What decoding looks up."""
        phrases = list(dict.fromkeys((*self.by_spun, *self.kept)))
        trie = Trie(phrases)
        entries = [self.by_spun.get(key, ()) for key in phrases]
        count, size = (np.asarray([*map(len, rows)], dtype=np.int64) for rows in (entries, self.originals))
        return Arrays(
            trie=trie,
            entry=np.asarray([*chain.from_iterable(entries)], dtype=np.int64),
            first=np.cumsum(count) - count,
            count=count,
            kept=np.asarray([self.kept.get(key, np.nan) for key in phrases]),
            rate=np.asarray([entry.rate for entry in self.active]),
            is_name=np.asarray([n in self.names for n in range(len(self.active))], dtype=bool),
            original=np.asarray([trie.numbers[word] for head in self.originals for word in head], dtype=np.int64),
            begin=np.cumsum(size) - size,
            size=size,
        )

    @cached_property
    def reach(self) -> dict[str, int]:
        """Per first token of a spun or original phrase, the length of the longest such phrase."""
        longest: dict[str, int] = {}
        for key in (*self.by_spun, *self.kept):
            longest[key[0]] = max(longest.get(key[0], 0), len(key))
        return longest

    def lookup(self, words: str) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
        """The entries that have a phrase as spun, and those that have it as original."""
        key = phrase(words)
        return (
            tuple(e for e in self.entries if phrase(e.spun) == key),
            tuple(e for e in self.entries if phrase(e.original) == key),
        )
