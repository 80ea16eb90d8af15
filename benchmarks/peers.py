"""What a user could do instead, on the same texts and by the same scores, as a Markdown table.

    python benchmarks/peers.py [--pairs DEV.jsonl.gz] [--limit N] [--wordnet FOLDER]

In come the seed's gold markup and, if given, aligned pairs, whose first spun copies are repaired and scored against
their originals. Every tool makes all its corrections unasked. A tool that is not installed is reported with the line
that brings it, and no row is refused for the want of another. Scores take no notice of case, so that the baselines
of a few lines here do not carry it over.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib import import_module
from importlib.resources import files
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from wordfreq import zipf_frequency

import unspin
from unspin.align import read_pairs
from unspin.errors import FormatError, UnspinError
from unspin.evaluate import Score, score, total
from unspin.gold import Gold, markup_from_pair, parse_markup
from unspin.lexicon import LONGEST, Lexicon, Phrase
from unspin.model import Entry
from unspin.text import phrase, tokens

SEED = Path(__file__).resolve().parents[1] / "seeds" / "seed.markup.txt"
WORDNET = Path("/usr/share/wordnet")  # where Debian puts it
LEAST_SECONDS = 1.0  # of processor time, for a speed: the clock's step is a hundredth
DISTANCE = 2  # most edits between a word and SymSpell's correction: its own default

Correct = Callable[[Sequence[str]], list[str]]  # texts in, as many corrected texts out
Find = Callable[[Phrase], str | None]  # what a phrase is to become, None to leave it alone


class Peer(NamedTuple):
    """A way to correct texts. `load` raises ImportError or FileNotFoundError if `install` has not been run."""

    name: str
    load: Callable[[], Correct]
    install: str


class Texts(NamedTuple):
    """Gold texts under one name: a group of columns."""

    name: str
    golds: list[Gold]


def main() -> None:
    """Print the table, each row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, help="aligned pairs, JSON Lines, gzipped or not")
    parser.add_argument("--limit", type=int, help="only the first so many pairs")
    parser.add_argument("--wordnet", type=Path, default=WORDNET, help="WordNet's data files (default: %(default)s)")
    options = parser.parse_args()
    groups = [Texts("seed", [parse_markup(SEED.read_text(encoding="utf-8"), name=SEED.name)])]
    try:
        if options.pairs:
            groups.append(Texts("pairs", list(first_copies(options.pairs, options.limit))))
        for line in table(peers(options.wordnet), groups):
            print(line, flush=True)
    except UnspinError as error:
        parser.exit(3, f"{error}\n")


def first_copies(path: Path, limit: int | None) -> Iterator[Gold]:
    """The gold of each pair's first copy; pairs that markup cannot express are dropped."""
    for pair in islice(read_pairs(path), limit):
        try:
            yield parse_markup(markup_from_pair(pair.original, pair.spun[0]), name="pair")
        except FormatError:
            continue


def peers(wordnet: Path) -> tuple[Peer, ...]:
    """All that are compared, from the least fit for the task to unspin."""
    return (
        Peer("codespell", partial(program, "codespell", 65, "--write-changes"), "pip install codespell"),
        Peer("typos", partial(program, "typos", 2, "--write-changes", "--isolated"), "pip install typos"),
        Peer("SymSpell, word by word", symspell, "pip install symspellpy"),
        Peer("WordNet, most frequent synonym", partial(synonyms, wordnet), "apt-get install wordnet-base"),
        Peer("unspin's lexicon without context", bare_lexicon, ""),
        Peer("unspin", lambda: restored, ""),
    )


def table(compared: Iterable[Peer], groups: Sequence[Texts]) -> Iterator[str]:
    """The lines of the Markdown table; words a second are of processor time, over all texts, warm."""
    heads = [f"{texts.name}: {ratio}" for texts in groups for ratio in ("P", "R", "F0.5")]
    heads += ["changes", "words/s"]
    yield row("tool", *heads)
    yield row("---", *("---:" for _ in heads))
    for peer in compared:
        try:
            correct = peer.load()
        except (ImportError, FileNotFoundError):
            yield row(peer.name, f"not installed: `{peer.install}`", *("" for _ in heads[1:]))
        else:
            yield row(peer.name, *cells(correct, groups))


def row(*fields: str) -> str:
    return f"| {' | '.join(fields)} |"


def cells(correct: Correct, groups: Sequence[Texts]) -> Iterator[str]:
    """One row's figures."""
    golds = [gold for texts in groups for gold in texts.golds]
    spun = [gold.text for gold in golds]
    correct(spun[:1])  # what is loaded on first use is no part of the speed
    start, rounds = processor_seconds(), 0
    while (seconds := processor_seconds() - start) < LEAST_SECONDS:
        outputs = correct(spun)
        rounds += 1
    scores = map(score, golds, outputs)
    found = [total(islice(scores, len(texts.golds))) for texts in groups]
    for one in found:
        yield from (f"{ratio:.3f}" for ratio in (one.precision, one.recall, one.f05))
    yield f"{sum(map(changes, found)):,}"
    yield f"{round(rounds * sum(len(text.split()) for text in spun) / seconds, -3):,.0f}"


def changes(found: Score) -> int:
    return found.restored + found.wrong + found.spurious


def processor_seconds() -> float:
    """Of this process and of the programs that it ran."""
    return sum(os.times()[:4])


def program(name: str, findings: int, *options: str) -> Correct:
    """A program that corrects the files of a folder in place; its status is 0, or `findings` if it leaves some."""
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if not (path := shutil.which(name, path=beside)):
        raise FileNotFoundError(name)

    def correct(texts: Sequence[str]) -> list[str]:
        with TemporaryDirectory() as folder:
            names = [Path(folder) / f"{number}.txt" for number in range(len(texts))]
            for file, text in zip(names, texts, strict=True):
                file.write_text(text, encoding="utf-8", newline="")
            run = subprocess.run([path, *options, "."], cwd=folder, capture_output=True, check=False)
            if run.returncode != findings:
                run.check_returncode()
            return [file.read_bytes().decode("utf-8") for file in names]

    return correct


def replacing(find: Find, *, longest: int = 1) -> Correct:
    """Replaces phrases of up to `longest` tokens from left to right, the longest match first, nothing twice."""

    def fix(text: str) -> str:
        found = tuple(tokens(text))
        norms = tuple(token.norm for token in found)
        pieces: list[str] = []
        position = i = 0
        while i < len(found):
            for end in range(min(i + longest, len(found)), i, -1):
                if (after := find(norms[i:end])) is not None:
                    pieces += text[position : found[i].start], after
                    position, i = found[end - 1].end, end
                    break
            else:
                i += 1
        return "".join([*pieces, text[position:]])

    return lambda texts: list(map(fix, texts))


def symspell() -> Correct:
    """SymSpell's likeliest correction of every word, by the frequency dictionary that it brings.

    Its `lookup_compound`, which also joins and parts words, scores no better and is dozens of times slower.
    """
    module = import_module("symspellpy")
    speller = module.SymSpell(max_dictionary_edit_distance=DISTANCE)
    dictionary = files("symspellpy") / "frequency_dictionary_en_82_765.txt"
    if not speller.load_dictionary(str(dictionary), term_index=0, count_index=1):
        raise FileNotFoundError(dictionary)

    def find(words: Phrase) -> str | None:
        best = speller.lookup(words[0], module.Verbosity.TOP, max_edit_distance=DISTANCE) if words[0].isalpha() else ()
        return str(best[0].term) if best and best[0].term != words[0] else None

    return replacing(find)


def synonyms(wordnet: Path) -> Correct:
    """The most frequent synonym in a word's first sense, of each part of speech, where it is the more frequent word.

    Frequencies are wordfreq's. On pairs, all senses score lower, and so do the counts that WordNet carries.
    """
    senses: dict[str, set[str]] = {}
    for part in ("noun", "verb", "adj", "adv"):
        synsets = {line[0]: line[4 : 4 + 2 * int(line[3], 16) : 2] for line in lines_of(wordnet / f"data.{part}")}
        for line in lines_of(wordnet / f"index.{part}"):
            first = line[-int(line[2])]  # it ends in the offsets of as many synsets, the commonest sense first
            plain = (word.partition("(")[0].replace("_", " ").lower() for word in synsets[first])  # "galore(ip)"
            senses.setdefault(line[0], set()).update(plain)

    def find(words: Phrase) -> str | None:
        frequency = {word: zipf_frequency(word, "en") for word in (words[0], *sorted(senses.get(words[0], ())))}
        best = max(frequency, key=frequency.__getitem__)  # among equals the word itself, which comes first
        return best if best != words[0] else None

    return replacing(find)


def lines_of(path: Path) -> Iterator[list[str]]:
    """The fields of a WordNet file's lines, but for the licence above them, which is indented."""
    with path.open(encoding="utf-8") as lines:
        yield from (line.split() for line in lines if not line.startswith(" "))


def bare_lexicon() -> Correct:
    """Every phrase of the lexicon becomes the original for which it was seen most often."""
    likeliest: dict[Phrase, Entry] = {}
    for entry in sorted(Lexicon.load().active, key=lambda entry: (entry.seen, entry.rate)):
        likeliest[phrase(entry.spun)] = entry
    originals = {spun: entry.original for spun, entry in likeliest.items()}
    return replacing(originals.get, longest=LONGEST)


def restored(texts: Sequence[str]) -> list[str]:
    """What `unspin clean` makes of each text."""
    return [unspin.cleaned(unspin.restore(text)) for text in texts]


if __name__ == "__main__":
    main()
