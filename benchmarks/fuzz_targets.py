"""What is fuzzed: every kind of file that unspin reads, with inputs to start from and what must hold of any bytes.

A target's `feed` takes bytes, and returns quietly or raises an `UnspinError`; whatever else it raises is a failure, and
so is an input that takes too long or too much memory. `Folder` is where it may write. Used by `fuzz.py`, by
`fuzz_atheris.py` and by the tests in `tests/fuzz`.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from unspin.align import Pair, read_pairs
from unspin.backoff import read_trie
from unspin.cases.reading import read_case
from unspin.diff import DiffStyle, render
from unspin.edit import apply, cleaned, invert, removals
from unspin.files import decode
from unspin.formats import Prose
from unspin.gold import parse_markup
from unspin.index import Index, describe
from unspin.language import LanguageModel, default_model, load_model
from unspin.learn import learn
from unspin.lexicon import Lexicon, check, formatted
from unspin.lexicon import read as read_lexicon
from unspin.model import NamedText
from unspin.ngrams import compile_trigrams
from unspin.pipeline import restore
from unspin.rank import UNRANKED, Ranker, VectorRanker, Weights, load_ranker, save
from unspin.replay import read_edits, replay
from unspin.review.ledger import Ledger
from unspin.review.model import ACCEPT, Filter, Reviewer

SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. Negotiations proceed, "
    "in keeping with a number of diplomats, however each side stays cautious."
)
MEMBERS = b"\n--member--\n"  # between the arrays of a ranker, so that mutations reach behind the archive's checksums
ARPA = b"""\\data\\
ngram 1=4
ngram 2=2
ngram 3=1

\\1-grams:
-1.0 </s>
-99 <s> -0.5
-0.7 struggle -0.3
-0.9 the -0.2

\\2-grams:
-0.3 <s> the -0.1
-0.4 the struggle -0.1

\\3-grams:
-0.2 <s> the struggle

\\end\\
"""
HEAD, BINS = 36, 12 << 16  # bytes of a packed trie before its tables, and of these: they are all 0, and left out
_NAMES = ("vectors", "scale", "signs", "words", "capital", "weights")


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads bytes. `seeds` are inputs that it takes, `words` what mutations put in."""

    name: str
    feed: Callable[[bytes, Path], None]
    seeds: Callable[[], list[bytes]]
    words: tuple[bytes, ...] = ()


@cache
def _lexicon() -> Lexicon:
    return Lexicon.load()


def _try(*, lexicon: Lexicon | None = None, model: LanguageModel | None = None, ranker: Ranker = UNRANKED) -> None:
    """Restores a spun sentence, so that everything that was read is used."""
    restoration = restore(SPUN, lexicon=lexicon or _lexicon(), model=model, ranker=ranker, assume_spun=True)
    cleaned(restoration)


# texts


def text(data: bytes, folder: Path) -> None:
    """A file as a text, restored: what is removed and edited can be put back."""
    found = decode(data, name="fuzz").text
    restoration = restore(found, lexicon=_lexicon(), ranker=load_ranker("context"), assume_spun=len(data) % 2 == 0)
    made = [*restoration.edits, *removals(restoration.duplicates, found)]
    after = cleaned(restoration)
    if apply(after, invert(made)) != found:
        raise AssertionError("the edits cannot be undone")


def _texts() -> list[bytes]:
    tricky = (
        "Hea\u200brt\u202e of the matter \ud55c\uae00 e\u0301 \U0001f468\u200d\U0001f469 {a|{b|c} d} it\u2019s 5%\n"
    )
    return [SPUN.encode(), f"{SPUN}\n\n{SPUN}\n".encode(), tricky.encode(), SPUN.encode("utf-16"), b"\xff\xfe\x00a"]


def markup(data: bytes, folder: Path) -> None:
    """Gold markup."""
    parse_markup(decode(data, name="fuzz").text, name="fuzz")


# tables and lines


def lexicon(data: bytes, folder: Path) -> None:
    """A lexicon: what is read is written, and read the same; and it restores."""
    path = folder / "fuzz.tsv"
    path.write_bytes(data)
    head, lines = read_lexicon(path)
    list(check(lines))
    path.write_text(formatted(head, lines), encoding="utf-8")
    again = read_lexicon(path)[1]
    if {line.entry for line in again} != {line.entry for line in lines}:
        differ = {line.entry for line in again} ^ {line.entry for line in lines}
        if any(entry and float(f"{entry.rate:.4g}") == entry.rate for entry in differ):  # rates are written short
            raise AssertionError(f"written otherwise than read: {differ}")
    _try(lexicon=Lexicon.load(path))


def _lexicons() -> list[bytes]:
    rows = [b"spun\toriginal\trate\tseen\tstatus\tsource\tnote", b"struggle\twar\t0.26\t347\tauto\tlearned\t"]
    rows += ["# é\ngreater than\tmore than\t1\t0\treview\tcurated\tno\u2019te".encode(), b"yr\tyear\t.9\t2\toff\tx\ty"]
    return [b"\n".join(rows) + b"\n", b"\xef\xbb\xbf" + b"\r\n".join(rows)]


def pairs(data: bytes, folder: Path) -> None:
    """Aligned pairs, learned from."""
    path = folder / "fuzz.jsonl"
    path.write_bytes(data)
    learn(read_pairs(path), seen=1, source="fuzz")


def _pairs() -> list[bytes]:
    pair = Pair(
        "The war lasted more than a year.\nIt is over.", ("The struggle lasted greater than a yr.\nIt is over.",)
    )
    row = json.dumps({"original": pair.original, "spun": list(pair.spun)}).encode()
    return [row + b"\n" + row + b"\n", b'{"original": "a b", "spun": "a c"}\n']


def exchange(data: bytes, folder: Path) -> None:
    """A ledger's exported lines, taken in and exported again."""
    lines = data.decode("utf-8", "replace").splitlines(keepends=True)
    path = folder / "fuzz.db"
    path.unlink(missing_ok=True)
    with Ledger(path) as ledger:
        ledger.take_in(lines, name="fuzz")
        list(ledger.exported())


@cache
def _exchanges() -> list[bytes]:
    found = restore(f"{SPUN} 4 of them.\n\n{SPUN} 4 of them.\n", ranker=UNRANKED)
    with TemporaryDirectory() as folder, Ledger(Path(folder, "a.db")) as ledger:
        ledger.add("a.txt", found)
        ledger.decide_all(Filter(), ACCEPT, by=Reviewer("ann"))
        return ["".join(ledger.exported()).encode()]


def case(data: bytes, folder: Path) -> None:
    """A golden case."""
    path = folder / "fuzz.case.toml"
    path.write_bytes(data)
    read_case(path)


def _cases() -> list[bytes]:
    folder = Path(__file__).parents[1] / "tests" / "cases" / "synthetic"
    return [path.read_bytes() for path in sorted(folder.glob("*.case.toml"))[:3]]


def edits(data: bytes, folder: Path) -> None:
    """Recorded edits, made again as far as their signatures allow."""
    path = folder / "fuzz.jsonl"
    path.write_bytes(data)
    found = list(read_edits(path))
    list(replay(Prose.plain(SPUN), found, lexicon=_lexicon(), model=default_model(), ranker=UNRANKED))


def _edits() -> list[bytes]:
    return [render(restore(SPUN, ranker=UNRANKED), style=DiffStyle.JSON).encode()]


# models


def ngrams(data: bytes, folder: Path) -> None:
    """A packed language model, or whatever else is given as one; asked for a sentence."""
    path = folder / "fuzz.ngrams"
    path.write_bytes(data)
    _try(model=load_model(path))


def _ngrams() -> list[bytes]:
    return [compile_trigrams([f"{SPUN}\n" * 4]), compile_trigrams(["a b c d. " * 9]), ARPA]


def trie(data: bytes, folder: Path) -> None:
    """A model as pocketsphinx packs it."""
    path = folder / "fuzz.bin"
    path.write_bytes(data[:HEAD] + bytes(BINS) + data[HEAD:])
    _try(model=read_trie(path, nats=1e-4))


def _tries() -> list[bytes]:
    head = b"Trie Language Model\x03" + np.asarray([2, 1, 1, 0], "<u4").tobytes()
    assert len(head) == HEAD
    grams = np.asarray([(-9.0, 0.0, 0), (-9.0, 0.0, 1), (0.0, 0.0, 1)], [("a", "<f4"), ("b", "<f4"), ("c", "<u4")])
    words = b"the\0struggle\0"
    return [head + grams.tobytes() + bytes(30) + len(words).to_bytes(4, "little") + words]


def vectors(data: bytes, folder: Path) -> None:
    """A ranker's arrays, or an archive of them."""
    path = folder / "fuzz.vectors"
    path.write_bytes(data if data.startswith(b"PK") else _archive(data.split(MEMBERS)))
    _try(ranker=load_ranker(str(path)))


def _archive(members: Sequence[bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, member in zip(_NAMES, members, strict=False):
            archive.writestr(f"{name}.npy", member)
    return file.getvalue()


def _vectors() -> list[bytes]:
    words = ("the", "war", "struggle", "year", "yr")
    numbers = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    ranker = VectorRanker(words, numbers, np.ones(4, np.float32), np.zeros(5, np.float32), weights=Weights(1.0, 1.0))
    whole = save(ranker)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return [whole, MEMBERS.join(archive.read(f"{name}.npy") for name in _NAMES)]


def onnx(data: bytes, folder: Path) -> None:
    """A neural ranker."""
    path = folder / "fuzz.onnx"
    path.write_bytes(data)
    _try(ranker=load_ranker(str(path)))


def _onnx() -> list[bytes]:
    """A tiny one (`fuzz_models.py`): few mutations of megabytes would reach what matters."""
    return [(Path(__file__).parents[1] / "tests" / "fuzz" / "tiny.onnx").read_bytes()]


# folders


def index(data: bytes, folder: Path) -> None:
    """A folder of an index, one of whose files is exchanged: the first byte says which."""
    path = folder / "index"
    shutil.rmtree(path, ignore_errors=True)
    files = list(_index())
    wrong = (data[0] if data else 0) % len(files)
    for number, (name, content) in enumerate(files):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data[1:] if number == wrong else content)
    describe(path, check=True)
    with Index.open(path) as opened:
        list(opened.query([NamedText("b", SPUN)]))


@cache
def _index() -> tuple[tuple[str, bytes], ...]:
    """The files of an index, the same in one process."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "index")
        Index.build(path, [NamedText("a", SPUN), NamedText("c", SPUN.replace("struggle", "war"))])
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return tuple((str(file.relative_to(path)), file.read_bytes()) for file in files)


def _indexes() -> list[bytes]:
    return [bytes([number]) + content for number, (_, content) in enumerate(_index())]


_TAB = (b"\t", b"0", b"1e-9", b"nan", b"inf", b"auto", b"off", b"\r\n", b"#", b"\xcc\x81", b"'s")
_JSON = (
    b'"',
    b"{",
    b"}",
    b"null",
    b"-1",
    b"1e999",
    b"NaN",
    b"\\ud800",
    b"\\u0000",
    b"9" * 5000,
    b"\n",
    b"true",
    b"[" * 2000,
)
_TEXT = tuple(
    t.encode() for t in ("\n", "\n\n", ". ", "\u200b", "\u202e", "\u2019", "{a|b}", "U.S.", "@", "\u0301", " the ")
)
_NUMBERS = (b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", bytes(8), b"\xff" * 8, b"\x7f\xff", b"{", b'"')

TARGETS = {
    target.name: target
    for target in (
        Target("text", text, _texts, _TEXT),
        Target("markup", markup, lambda: [b"a [[struggle|war|]] b [[yr|year]]"], (b"[[", b"]]", b"|", b"[[]]", b"\n")),
        Target("lexicon", lexicon, _lexicons, _TAB),
        Target("pairs", pairs, _pairs, _JSON),
        Target("exchange", exchange, _exchanges, _JSON),
        Target(
            "case", case, _cases, (b"[", b"]", b'"""', b"=", b"\n", b"nan", b"-1", b"1979-05-27", b"\\u", b"." * 500)
        ),
        Target("edits", edits, _edits, _JSON),
        Target("ngrams", ngrams, _ngrams, _NUMBERS),
        Target("trie", trie, _tries, _NUMBERS),
        Target("vectors", vectors, _vectors, (*_NUMBERS, MEMBERS, b"|O8", b"<f4", b"<u1", b"(5, 4)", b"(-1,)")),
        Target("onnx", onnx, _onnx, _NUMBERS),
        Target("index", index, _indexes, _NUMBERS),
    )
}


def warm() -> None:
    """Load what all targets use, so that it counts for no input."""
    default_model()
    load_ranker("context")
    _try()
