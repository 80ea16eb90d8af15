"""What executors need besides the rows: sent to each once, and loaded once in each of their processes.

A lexicon goes as a broadcast of its entries, a model or a ranker of your own as a file; the shipped ones are those that
are installed with unspin on the executor. Refused, by InputError: a file that is not there.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pyspark import Broadcast, SparkFiles
from pyspark.sql import SparkSession

from unspin.errors import InputError
from unspin.language import LanguageModel, default_model, load_model
from unspin.lexicon import Lexicon
from unspin.model import Entry
from unspin.pipeline import default_lexicon
from unspin.rank import CONTEXT, DEFAULT, NEURAL, UNRANKED, Ranker, load_ranker


class _Words(NamedTuple):
    """A lexicon on its way: its digest tells a process whether it has it already."""

    name: str
    digest: str
    entries: Broadcast[tuple[Entry, ...]]


class Shipped(NamedTuple):
    """What to load in an executor: without a lexicon or a model the shipped ones; models of your own by file name."""

    lexicon: _Words | None = None
    model: str | None = None
    ranker: str = DEFAULT
    own_ranker: bool = False


class Loaded(NamedTuple):
    """What `restore` takes by these names."""

    lexicon: Lexicon
    model: LanguageModel
    ranker: Ranker


def ship(
    spark: SparkSession, *, lexicon: Lexicon | None = None, model: Path | None = None, ranker: str = DEFAULT
) -> Shipped:
    """Send all of it on its way. Raises InputError."""
    words = None
    if lexicon is not None:
        words = _Words(lexicon.name, lexicon.digest, spark.sparkContext.broadcast(lexicon.entries))
    is_own = ranker not in (CONTEXT, NEURAL, UNRANKED.digest)
    return Shipped(
        words, _sent(spark, model) if model else None, _sent(spark, Path(ranker)) if is_own else ranker, is_own
    )


def _sent(spark: SparkSession, path: Path) -> str:
    """Send a file to all executors, under its own name: that is part of what models are called."""
    if not path.is_file():
        raise InputError(path, "is no file on the driver")
    spark.sparkContext.addFile(str(path.resolve()))
    return path.name


def load_lexicon(shipped: Shipped) -> Lexicon:
    """The lexicon, in an executor."""
    return _lexicon(shipped.lexicon.digest, shipped.lexicon) if shipped.lexicon else default_lexicon()


def load(shipped: Shipped) -> Loaded:
    """All of it, in an executor. Raises InputError or FormatError."""
    ranker = SparkFiles.get(shipped.ranker) if shipped.own_ranker else shipped.ranker
    return Loaded(load_lexicon(shipped), _model(shipped.model), _ranker(ranker))


_known: dict[str, Lexicon] = {}


def _lexicon(digest: str, words: _Words) -> Lexicon:
    if digest not in _known:
        _known.clear()  # processes outlive jobs
        _known[digest] = Lexicon(words.entries.value, name=words.name)
    return _known[digest]


@lru_cache(maxsize=1)
def _model(name: str | None) -> LanguageModel:
    return load_model(Path(SparkFiles.get(name))) if name else default_model()


@lru_cache(maxsize=1)
def _ranker(name: str) -> Ranker:
    return load_ranker(name)
