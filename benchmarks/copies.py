"""How many copies `dedupe` finds in a collection, and what it joins by mistake.

    python benchmarks/copies.py --clean FILE --pairs PAIRS... [--distractors 20000] [--planted 500]

PAIRS is JSON Lines of `{"original": …, "spun": [copy, copy]}`, the clean file a paragraph a line; both may be
gzipped. Paragraphs of 25 words or more are taken. Among the distractors, which are clean, stand the paragraphs of
the pairs with their copies, copies of other clean paragraphs made here, and texts that templates make of other facts.

Rates are over pairs that should stand in one group, as copies, of which one goes, or as overlaps, of which both
stay. Precision is over the copies found that belong to a planted text:
the kept one must be of the same original. Originals that share eight words in a row with another are copies of their
own making: clean ones are not planted, and where two of the pairs were joined, that is left out (and counted). Groups
of distractors alone are counted apart, by kind: whether these are copies only a reader can tell (`--show` prints
them). Words are swapped by WordNet's synonyms (`apt-get install wordnet-base`, `pip install lemminflect`) and for
others about as frequent, as by spinners whose thesaurus nobody knows: `swappers.py`. `scale.py` measures speed.
"""

from __future__ import annotations

import gzip
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

import click
from swappers import WORDNET, Strangers, Swapper, Synonyms

from unspin.align import read_pairs
from unspin.copies import dedupe
from unspin.lexicon import Lexicon
from unspin.model import DuplicateKind
from unspin.spin import spin
from unspin.text import segment

MIN_WORDS = 25
RUN = 8
NEW_WORDS = 12  # at least, in a paragraph that is half a copy
FIFTH = 5  # sentences, of which one is dropped
SEED = 5
TEMPLATES = (
    (
        "{name} reported earnings of {d2} cents a share for the quarter that ended in {month}, compared with {e2} "
        "cents a year earlier. Revenue {moved} {f2} percent to ${g3} million, while analysts polled by {other} had "
        "expected ${h3} million. Shares of the company closed at ${i2} on {day}."
    ),
    (
        "The {team} beat the {rival} {d2}-{e2} on {day} night behind {f2} points from {name}, who added {g1} rebounds "
        "and {h1} assists. {other} scored {i2} points for the {rival}, who have lost {j1} of their last {k2} games."
    ),
    (
        "{day} in {city} will be {sky} with a high near {d2} and a low of {e2} degrees. Winds will blow from the "
        "{direction} at {f1} to {g2} miles per hour, and the chance of rain is {h2} percent. On the next day expect a "
        "high near {i2} degrees."
    ),
    (
        "A {d2}-year-old man from {city} was arrested on {day} after police found {e1} stolen cars in a garage near "
        "{name} Street. He is charged with {f1} counts of theft and faces up to {g2} years in prison, said {other}, a "
        "spokesman for the police."
    ),
    (
        "{name} and {other} won the seats for district {d1} and district {e2} in {city} with {f2} and {g2} percent of "
        "the votes on {day}. Turnout was {h2} percent, the county clerk said, and {i3} ballots remain to be counted."
    ),
)
CHOICES = {
    "month": "January March June September December".split(),
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "moved": "rose fell increased declined dropped grew".split(),
    "sky": "sunny cloudy rainy windy foggy clear overcast".split(),
    "direction": "north south east west northwest southeast".split(),
    "team": "Ravens Falcons Tigers Sharks Comets Pirates Wolves Hornets".split(),
    "rival": "Lancers Titans Rockets Cougars Bulldogs Kings Spartans Owls".split(),
}
SYLLABLES = "ba den ford gar hol ik jen kov lin mar nor ol pet rad san ten ul vik wen yar zel".split()


def lines(path: Path) -> Iterator[str]:
    """The paragraphs of a clean file that are long enough."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line in file if len(line.split()) >= MIN_WORDS)


@dataclass(slots=True)
class Planted:
    """Texts of one kind: an origin number for each, and the pairs of texts that should be found together.

    `stays` are the numbers of texts that say what no other one does, so that they must not go.
    """

    texts: list[str] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    stays: list[int] = field(default_factory=list)
    wanted: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, *texts: str) -> int:
        """Plant the copies of one text; returns the number of the first."""
        first = len(self.texts)
        self.texts += texts
        self.origins += [first] * len(texts)
        return first


def real(paths: Sequence[Path]) -> Planted:
    planted = Planted()
    for path in paths:
        for pair in read_pairs(path):
            for texts in zip(*(text.split("\n") for text in (pair.original, *pair.spun)), strict=True):
                if len(texts[0].split()) >= MIN_WORDS:
                    first = planted.add(*texts)
                    spun = range(first + 1, first + len(texts))
                    planted.wanted["original-spun"] += [(first, copy) for copy in spun]
                    planted.wanted["spun-spun"] += list(pairwise(spun))
    return planted


def sentences(text: str) -> list[str]:
    """A paragraph's sentences, without the white space between them."""
    return [text[one.start : one.end] for part in segment(text).paragraphs for one in part.sentences]


def _runs(text: str) -> set[int]:
    words = text.lower().split()
    return {hash(tuple(words[n : n + RUN])) for n in range(len(words) - RUN + 1)}


def _share(first: str, second: str) -> bool:
    """Do two texts share a run of words?"""
    return not _runs(first).isdisjoint(_runs(second))


def unrepeated(candidates: Sequence[str], background: Sequence[str]) -> list[str]:
    """The paragraphs that share no `RUN` words in a row with another one: news quotes news."""
    counts = Counter(run for text in candidates for run in _runs(text))
    for text in background:
        for run in _runs(text) & counts.keys():
            counts[run] += 1
    return [text for text in candidates if all(counts[run] == 1 for run in _runs(text))]


def made(
    clean: Iterator[str], count: int, ways: dict[str, Callable[[str], str | None]], *, stays: Sequence[int] = ()
) -> Planted:
    """Clean paragraphs with a copy each, of those that `ways` can make one of; as many of each way, `count` in all.

    `stays` says which of the two must not go: 0, the paragraph, or 1, its copy.
    """
    planted = Planted()
    for way, copy in ways.items():
        while len(planted.wanted[way]) < count // len(ways):
            text = next(clean)
            if (other := copy(text)) and other != text:
                first = planted.add(text, other)
                planted.wanted[way].append((first, first + 1))
                planted.stays += [first + number for number in stays]
    return planted


def moved(swap: Swapper, *, drop: bool) -> Callable[[str], str | None]:
    """30 % of the words swapped, and a fifth of the sentences dropped, or all of them shuffled."""

    def copy(text: str) -> str | None:
        parts = sentences(swap(text, 0.3))
        if len(parts) < (FIFTH if drop else 2):
            return None
        if drop:
            for _ in range(len(parts) // FIFTH):
                parts.pop(swap.random.randrange(len(parts)))
        else:
            swap.random.shuffle(parts)
        return " ".join(parts)

    return copy


def half(lexicon: Lexicon, chance: random.Random, around: Iterator[str] | None) -> Callable[[str], str | None]:
    """The first or second half of the sentences, spun; alone, or before or after half of another paragraph."""

    def copy(text: str) -> str | None:
        parts = sentences(text)
        if len(parts) < 4:
            return None
        middle = len(parts) // 2
        part = " ".join(parts[:middle] if chance.random() < 0.5 else parts[middle:])
        if len(part.split()) < MIN_WORDS:
            return None
        spun = spin(part, lexicon, seed=chance.randrange(10**6)).text
        if around is None:
            return spun
        other = sentences(next(around))
        new = " ".join(other[: max(1, len(other) // 2)])
        if len(new.split()) < NEW_WORDS:
            return None
        return f"{spun} {new}" if chance.random() < 0.5 else f"{new} {spun}"

    return copy


def extended(swap: Callable[[str], str], chance: random.Random, around: Iterator[str]) -> Callable[[str], str | None]:
    """Swapped, with a sentence of another paragraph put in."""

    def copy(text: str) -> str | None:
        parts = sentences(swap(text))
        new = min(sentences(next(around)), key=lambda part: abs(len(part.split()) - NEW_WORDS))
        if len(new.split()) < NEW_WORDS:
            return None
        parts.insert(chance.randint(0, len(parts)), new)
        return " ".join(parts)

    return copy


def templates(count: int) -> Planted:
    """Texts of few templates, each with facts of its own."""
    chance = random.Random(SEED)
    planted = Planted()

    def name() -> str:
        return "".join(chance.choices(SYLLABLES, k=chance.randint(2, 3))).title()

    def filling(key: str) -> str:
        if key in CHOICES:
            return chance.choice(CHOICES[key])
        if key[-1].isdigit():
            return str(chance.randint(10 ** (int(key[-1]) - 1), 10 ** int(key[-1]) - 1))
        return name()

    for number in range(count):
        template = TEMPLATES[number % len(TEMPLATES)]
        facts = {key: filling(key) for key in set(re.findall(r"{(\w+)}", template))}
        planted.add(template.format(**facts))
    return planted


def planted_in(
    source: Iterator[str], planted: int, swappers: dict[str, Swapper], lexicon: Lexicon
) -> dict[str, Planted]:
    """Copies made of clean paragraphs, and texts of templates."""
    chance = random.Random(SEED)
    sections = {}
    for name, swap in swappers.items():
        for share in (0.05, 0.15, 0.30):
            sections[f"{name} {share:.0%}"] = made(source, planted, {"in order": partial(swap, rate=share)})
        ways = {"sentences dropped": moved(swap, drop=True), "shuffled": moved(swap, drop=False)}
        sections[f"{name} 30%, moved"] = made(source, planted, ways)
    sections["half"] = made(source, planted, {"alone": half(lexicon, chance, None)})
    beside = {"beside another half": half(lexicon, chance, source)}
    sections["half in another"] = made(source, planted, beside, stays=(0, 1))
    ways = {f"{name} 15%": extended(partial(swap, rate=0.15), chance, source) for name, swap in swappers.items()}
    ways["known spinner"] = extended(
        lambda text: spin(text, lexicon, seed=chance.randrange(10**6)).text, chance, source
    )
    sections["new sentence"] = made(source, planted, ways, stays=(1,))
    sections["templates"] = templates(4 * planted)
    return sections


def report(sections: dict[str, Planted], distractors: Sequence[str], lexicon: Lexicon | None, *, show: bool) -> None:
    """One collection of all sections and the distractors; a line for each section."""
    texts: list[str] = []
    section_of: list[str] = []
    origin_of: list[int] = []
    starts: dict[str, int] = {}
    for name, planted in sections.items():
        starts[name] = len(texts)
        origin_of += [len(texts) + origin for origin in planted.origins]
        section_of += [name] * len(planted.texts)
        texts += planted.texts
    origin_of += range(len(texts), len(texts) + len(distractors))
    section_of += ["clean"] * len(distractors)
    texts += distractors
    group_of: dict[int, int] = {}
    gone: set[int] = set()
    overlaps: set[frozenset[int]] = set()
    right, wrong, right_overlaps, wrong_overlaps, quoting, clean = (Counter[str]() for _ in range(6))
    for number, group in enumerate(dedupe(texts, lexicon=lexicon)):
        kept = group.kept.text
        group_of[kept] = number
        overlaps |= {frozenset((kept, one.place.text)) for one in group.overlaps}
        for copy in (*group.copies, *group.overlaps):
            other = copy.place.text
            is_copy = copy.kind is not DuplicateKind.OVERLAP
            if is_copy:
                group_of[other] = number
                gone.add(other)
            is_right = origin_of[kept] == origin_of[other]
            names = {section_of[kept], section_of[other]}
            tally = (right if is_right else wrong) if is_copy else (right_overlaps if is_right else wrong_overlaps)
            if names == {"clean"}:
                clean[copy.kind.value] += 1
            elif not is_right and "templates" not in names and _share(texts[origin_of[kept]], texts[origin_of[other]]):
                quoting.update(names)
            else:
                tally.update(names)
            if show and not is_right and copy.kind.value not in ("exact", "normalised"):
                click.echo(f"{sorted(names)} {copy.kind} {copy.rule}\n  {texts[kept]}\n  {texts[other]}")
    for name, planted in sections.items():
        for title, wanted in planted.wanted.items():
            together = sum(group_of.get(starts[name] + a, -1) == group_of.get(starts[name] + b, -2) for a, b in wanted)
            shared = sum(frozenset((starts[name] + a, starts[name] + b)) in overlaps for a, b in wanted)
            rates = f"copies {together / len(wanted):.4f}  overlaps {shared / len(wanted):.4f}"
            click.echo(f"{name:20} {title:20} {len(wanted):6} pairs  {rates}")
        if planted.wanted:
            of_overlaps = _rate(right_overlaps[name], wrong_overlaps[name])
            precise = f"copies {_rate(right[name], wrong[name])}  overlaps {of_overlaps}"
            click.echo(f"{name:20} {'precision':33} {precise}  ({quoting[name]} quoting pairs left out)")
        if planted.stays:
            lost = sum(starts[name] + number in gone for number in planted.stays) / len(planted.stays)
            click.echo(f"{name:20} went, though they say what no other does {lost:.4f}")
        if not planted.wanted:
            share = wrong[name] / len(planted.texts)
            also = f"overlaps {wrong_overlaps[name] / len(planted.texts):.4f}"
            click.echo(f"{name:20} {len(planted.texts)} texts  merged by mistake {share:.4f}  {also}")
    click.echo(f"{len(distractors):,} distractors: {dict(clean)} joined with one another")


def _rate(right: int, wrong: int) -> str:
    return f"{right / (right + wrong):.4f}" if right + wrong else "none"


@click.command()
@click.option("--clean", type=click.Path(path_type=Path), required=True)
@click.option("--pairs", type=click.Path(path_type=Path), multiple=True)
@click.option("--distractors", default=20_000, show_default=True)
@click.option("--planted", default=500, show_default=True, help="Paragraphs copied in each way.")
@click.option("--wordnet", type=click.Path(path_type=Path), default=WORDNET, help="WordNet's data files.")
@click.option("--no-lexicon", is_flag=True, help="As for a spinner that no lexicon knows.")
@click.option("--show", is_flag=True, help="Print what was joined without being planted, to judge it by eye.")
def main(
    clean: Path,
    pairs: tuple[Path, ...],
    distractors: int,
    planted: int,
    wordnet: Path,
    no_lexicon: bool,
    show: bool,
) -> None:
    """Print recall and precision."""
    read = lines(clean)
    background = list(islice(read, distractors))
    swappers: dict[str, Swapper] = {"strangers": Strangers(background[:5000])}
    if wordnet.is_dir():
        swappers = {"WordNet": Synonyms(wordnet)} | swappers
    else:
        click.echo(f"no WordNet in {wordnet}: `apt-get install wordnet-base`, or --wordnet", err=True)
    source = iter(unrepeated(list(islice(read, 120 * planted)), background))
    lexicon = Lexicon.load()
    sections = {path.name.split(".")[0]: real([path]) for path in pairs} | planted_in(
        source, planted, swappers, lexicon
    )
    report(sections, background, None if no_lexicon else lexicon, show=show)


if __name__ == "__main__":
    main()
