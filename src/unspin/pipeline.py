"""The whole story: segment, find repeats, decode, decide, mend what the spinner left around its swaps.

In comes a text; out goes a `Restoration` (what was found and decided) or an `Inspection` (everything that
could be). Nothing is read or written but the lexicon and the language model, once. Pure and thread-safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from unspin.channel import SPIN_RATES
from unspin.debris import mend
from unspin.decide import MIN_CONFIDENCE, candidates, decide, evidence
from unspin.decode import Decoding, decode
from unspin.edit import mend_articles
from unspin.language import LanguageModel, default_model
from unspin.lexicon import Lexicon
from unspin.model import Candidate, Document, DuplicateGroup, Restoration, Signature, SpinEvidence
from unspin.rank import Ranker, default_ranker
from unspin.repeats import find_repeats
from unspin.text import segment


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


def _version() -> str:
    try:
        return version("unspin")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0"


def _kept(document: Document, duplicates: Sequence[DuplicateGroup]) -> Document:
    """The document without the paragraphs that go: nothing is decided there."""
    removed = {repeat.start for group in duplicates for repeat in group.repeats}
    return Document(document.text, tuple(p for p in document.paragraphs if p.start not in removed))


def _look(
    text: str, lexicon: Lexicon, model: LanguageModel, ranker: Ranker, *, keep_duplicates: bool
) -> tuple[Document, tuple[DuplicateGroup, ...], Decoding]:
    document = segment(text)
    duplicates = () if keep_duplicates else find_repeats(document, variants=lexicon.variants)
    sentences = [sentence for paragraph in _kept(document, duplicates).paragraphs for sentence in paragraph.sentences]
    return document, duplicates, decode(sentences, lexicon, model, ranker)


def restore(
    text: str,
    *,
    lexicon: Lexicon | None = None,
    model: LanguageModel | None = None,
    ranker: Ranker | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    keep_duplicates: bool = False,
    assume_spun: bool = False,
) -> Restoration:
    """Undo the spinning of a text.

    Edits at or above `min_confidence`, in [0, 1], are made, the rest is held; in a text without spin evidence nothing
    is, unexpanded spintax excepted, unless `assume_spun` opens the gate. `keep_duplicates` leaves repeated
    paragraphs alone. The cleaned text: `unspin.cleaned(restoration)`.
    """
    if not 0.0 <= min_confidence <= 1.0:
        raise ValueError(f"min_confidence {min_confidence} is not in [0, 1]")
    lexicon, model, ranker = lexicon or default_lexicon(), model or default_model(), ranker or default_ranker()
    document, duplicates, decoding = _look(text, lexicon, model, ranker, keep_duplicates=keep_duplicates)
    spin = evidence(decoding, SPIN_RATES)
    if assume_spun:
        spin = replace(spin, is_spun=True)
    readings = decoding.readings if spin.is_spun else ()
    edits, held = decide(text, readings, lexicon, min_confidence=min_confidence)
    kept = _kept(document, duplicates)
    edits, debris = mend(kept, edits, is_spun=spin.is_spun, min_confidence=min_confidence)
    options = (
        ("ranker", ranker.digest),
        ("min_confidence", f"{min_confidence:g}"),
        ("keep_duplicates", str(keep_duplicates).lower()),
        ("assume_spun", str(assume_spun).lower()),
    )
    return Restoration(
        original=text,
        spin=spin,
        duplicates=duplicates,
        edits=mend_articles(kept, edits),
        held=tuple(sorted((*held, *debris), key=lambda one: (one.candidate.start, one.candidate.end))),
        signature=Signature(_version(), lexicon.digest, model.digest, options),
    )


def inspect(
    text: str,
    *,
    lexicon: Lexicon | None = None,
    model: LanguageModel | None = None,
    ranker: Ranker | None = None,
) -> Inspection:
    """All that `restore` decides on: the spin evidence, every candidate with its posteriors, the repeats."""
    lexicon, model, ranker = lexicon or default_lexicon(), model or default_model(), ranker or default_ranker()
    document, duplicates, decoding = _look(text, lexicon, model, ranker, keep_duplicates=False)
    return Inspection(
        document=document,
        spin=evidence(decoding, SPIN_RATES),
        gains=tuple(zip(SPIN_RATES, decoding.gains, strict=True)),
        candidates=tuple(candidates(text, decoding.readings, lexicon)),
        duplicates=duplicates,
        signature=Signature(_version(), lexicon.digest, model.digest, (("ranker", ranker.digest),)),
    )
