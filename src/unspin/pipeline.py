"""The whole story: segment, find repeats, decode, decide, mend what the spinner left around its swaps.

In comes a text; out goes a `Restoration` (what was found and decided) or an `Inspection` (everything that
could be). Nothing is read or written but the lexicon and the language model, once. Pure and thread-safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version

from unspin.channel import SPIN_RATES
from unspin.consensus import Sibling, Siblings, digest
from unspin.debris import mend
from unspin.decide import MIN_CONFIDENCE, candidates, decide, evidence
from unspin.decode import Decoding, Reading, decode
from unspin.edit import mend_articles
from unspin.language import LanguageModel, default_model
from unspin.lexicon import Lexicon
from unspin.model import Candidate, Document, DuplicateGroup, Progress, Restoration, Sentence, Signature, SpinEvidence
from unspin.rank import Ranker, default_ranker
from unspin.repeats import find_repeats, without_repeats
from unspin.siblings import Collection
from unspin.text import segment
from unspin.witness import overrule


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a text shows, with nothing decided. `gains` are log-likelihood gains in nats per spin rate."""

    document: Document
    spin: SpinEvidence
    gains: tuple[tuple[float, float], ...]
    candidates: tuple[Candidate, ...]
    duplicates: tuple[DuplicateGroup, ...]
    signature: Signature


@cache
def default_lexicon() -> Lexicon:
    """The shipped lexicon, read once."""
    return Lexicon.load()


@cache
def release() -> str:
    """The version of unspin."""
    try:
        return version("unspin")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0"


def _sentences(document: Document) -> list[Sentence]:
    return [sentence for paragraph in document.paragraphs for sentence in paragraph.sentences]


def _look(
    text: str,
    lexicon: Lexicon,
    model: LanguageModel,
    ranker: Ranker,
    *,
    keep_duplicates: bool = False,
    assume_spun: bool = False,
    gate: Callable[[Decoding], bool] | None = None,
) -> tuple[Document, tuple[DuplicateGroup, ...], Decoding]:
    document = segment(text)
    duplicates = () if keep_duplicates else find_repeats(document, lexicon=lexicon)
    sentences = _sentences(without_repeats(document, duplicates))
    return document, duplicates, decode(sentences, lexicon, model, ranker, assume_spun=assume_spun, gate=gate)


def _is_spun(decoding: Decoding) -> bool:
    return evidence(decoding, SPIN_RATES).is_spun


def restore(
    text: str,
    *,
    lexicon: Lexicon | None = None,
    model: LanguageModel | None = None,
    ranker: Ranker | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    keep_duplicates: bool = False,
    assume_spun: bool = False,
    siblings: Sequence[str | Sibling] = (),
) -> Restoration:
    """Undo the spinning of a text.

    Edits at or above `min_confidence`, in [0, 1], are made, the rest is held; in a text without spin evidence nothing
    is, unexpanded spintax excepted, unless `assume_spun` opens the gate. `keep_duplicates` leaves repeated
    paragraphs alone. `siblings` are copies of the same original, spun otherwise or not at all, as texts or
    read beforehand: all copies are read together, and an unspun one's words win. The cleaned text:
    `unspin.cleaned(restoration)`.
    """
    restoration, _ = _restored(
        text,
        lexicon=lexicon or default_lexicon(),
        model=model,
        ranker=ranker,
        min_confidence=min_confidence,
        keep_duplicates=keep_duplicates,
        assume_spun=assume_spun,
        siblings=siblings,
    )
    return restoration


def examine(
    text: str,
    *,
    lexicon: Lexicon | None = None,
    model: LanguageModel | None = None,
    ranker: Ranker | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    keep_duplicates: bool = False,
    assume_spun: bool = False,
    siblings: Sequence[str | Sibling] = (),
) -> tuple[Restoration, tuple[Candidate, ...]]:
    """Restore a text, as `restore` does, and return also all candidates that it was decided from, for a person to
    choose from; none for a text without spin evidence."""
    lexicon = lexicon or default_lexicon()
    restoration, readings = _restored(
        text,
        lexicon=lexicon,
        model=model,
        ranker=ranker,
        min_confidence=min_confidence,
        keep_duplicates=keep_duplicates,
        assume_spun=assume_spun,
        siblings=siblings,
    )
    return restoration, tuple(candidates(text, readings, lexicon))


def _restored(
    text: str,
    *,
    lexicon: Lexicon,
    model: LanguageModel | None,
    ranker: Ranker | None,
    min_confidence: float,
    keep_duplicates: bool,
    assume_spun: bool,
    siblings: Sequence[str | Sibling],
) -> tuple[Restoration, Sequence[Reading]]:
    """A restoration and, of a spun text, all readings that it was decided from."""
    if not 0.0 <= min_confidence <= 1.0:
        raise ValueError(f"min_confidence {min_confidence} is not in [0, 1]")
    model, ranker = model or default_model(), ranker or default_ranker()
    copies = [Sibling(one, lexicon, model) if isinstance(one, str) else one for one in siblings]
    together = Siblings(ranker, copies)
    document, duplicates, decoding = _look(
        text,
        lexicon,
        model,
        together if copies else ranker,
        keep_duplicates=keep_duplicates,
        assume_spun=assume_spun,
        gate=None if assume_spun else _is_spun,
    )
    spin = evidence(decoding, SPIN_RATES)
    if assume_spun:
        spin = replace(spin, is_spun=True)
    readings = decoding.readings if spin.is_spun else ()
    edits, held = decide(text, readings, lexicon, min_confidence=min_confidence)
    edits = tuple(together.attested(edits))
    kept = without_repeats(document, duplicates)
    if spin.is_spun:
        edits, held = overrule(
            text, _sentences(kept), edits, held, siblings=copies, lexicon=lexicon, min_confidence=min_confidence
        )
    edits, debris = mend(kept, edits, is_spun=spin.is_spun, min_confidence=min_confidence)
    restoration = Restoration(
        original=text,
        spin=spin,
        duplicates=duplicates,
        edits=mend_articles(kept, edits),
        held=tuple(sorted((*held, *debris), key=lambda one: (one.candidate.start, one.candidate.end))),
        signature=sign(
            lexicon=lexicon,
            model=model,
            ranker=ranker,
            min_confidence=min_confidence,
            keep_duplicates=keep_duplicates,
            assume_spun=assume_spun,
            siblings=copies,
        ),
        siblings=tuple(copy.name for copy in copies) if spin.is_spun else (),
    )
    return restoration, readings


def sign(
    *,
    lexicon: Lexicon,
    model: LanguageModel,
    ranker: Ranker,
    min_confidence: float = MIN_CONFIDENCE,
    keep_duplicates: bool = False,
    assume_spun: bool = False,
    siblings: Sequence[Sibling] = (),
) -> Signature:
    """The signature of what `restore` makes of any text with these."""
    options = [
        ("ranker", ranker.digest),
        ("min_confidence", f"{min_confidence:g}"),
        ("keep_duplicates", str(keep_duplicates).lower()),
        ("assume_spun", str(assume_spun).lower()),
    ]
    if siblings:
        options.append(("siblings", ",".join(digest(sibling.text) for sibling in siblings)))
    return Signature(release(), lexicon.digest, model.digest, tuple(options))


def restore_all(
    texts: Sequence[str],
    *,
    names: Sequence[str] = (),
    lexicon: Lexicon | None = None,
    model: LanguageModel | None = None,
    ranker: Ranker | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    keep_duplicates: bool = False,
    assume_spun: bool = False,
    progress: Progress | None = None,
) -> Iterator[Restoration]:
    """Undo the spinning of a collection: each text as `restore` does, read together with its copies among the others.

    The restorations come in the order of the texts, one at a time, and do not depend on it. `names` is what edits call
    the texts as siblings (default: their digests); `progress` hears of the search for copies. The texts, and for
    the time of that search about a dozen times as much, are held in memory. Raises ValueError for names that are
    not one a text.
    """
    if names and len(names) != len(texts):
        raise ValueError(f"{len(names)} names for {len(texts)} texts")
    lexicon, model = lexicon or default_lexicon(), model or default_model()
    collection = Collection(texts, lexicon, model, names=names, progress=progress)
    restored = partial(
        restore,
        lexicon=lexicon,
        model=model,
        ranker=ranker,
        min_confidence=min_confidence,
        keep_duplicates=keep_duplicates,
        assume_spun=assume_spun,
    )
    return (restored(text, siblings=collection.siblings(number)) for number, text in enumerate(texts))


def inspect(
    text: str,
    *,
    lexicon: Lexicon | None = None,
    model: LanguageModel | None = None,
    ranker: Ranker | None = None,
) -> Inspection:
    """All that `restore` decides on: the spin evidence, every candidate with its posteriors, the repeats."""
    lexicon, model, ranker = lexicon or default_lexicon(), model or default_model(), ranker or default_ranker()
    document, duplicates, decoding = _look(text, lexicon, model, ranker)
    return Inspection(
        document=document,
        spin=evidence(decoding, SPIN_RATES),
        gains=tuple(zip(SPIN_RATES, decoding.gains, strict=True)),
        candidates=tuple(candidates(text, decoding.readings, lexicon)),
        duplicates=duplicates,
        signature=Signature(release(), lexicon.digest, model.digest, (("ranker", ranker.digest),)),
    )
