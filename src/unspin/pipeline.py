"""The whole story: segment, find repeats, decode, decide, mend what the spinner left around its swaps.

In comes a text; out goes a `Restoration` (what was found and decided) or an `Inspection` (everything that
could be). Nothing is read or written but the lexicon and the language model, once. Pure and thread-safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from itertools import chain

from unspin.channel import SPIN_RATES
from unspin.consensus import Sibling, Siblings, digest
from unspin.debris import mend
from unspin.decide import MIN_CONFIDENCE, candidates, decide, evidence
from unspin.decode import Blocks
from unspin.edit import mend_articles
from unspin.language import LanguageModel, default_model
from unspin.lexicon import Lexicon
from unspin.model import (
    Candidate,
    Document,
    DuplicateGroup,
    Edit,
    Held,
    Progress,
    Restoration,
    Signature,
    SpinEvidence,
)
from unspin.rank import Ranker, default_ranker, runtime
from unspin.repeats import find_repeats, without_repeats
from unspin.screen import is_plain, screen, words_of
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


def _look(
    text: str, lexicon: Lexicon, *, keep_duplicates: bool = False, looks_clean: bool = False
) -> tuple[Document, tuple[DuplicateGroup, ...], Document]:
    """A document, its repeats, and the document without them; of a clean text that has none, not even tokens."""
    if looks_clean and is_plain(text):
        document = Document(text, ())
        return document, (), document
    document = segment(text)
    duplicates = () if keep_duplicates else find_repeats(document, lexicon=lexicon)
    return document, duplicates, without_repeats(document, duplicates)


def _words(document: Document) -> int:
    """How many words a clean document has, segmented or not."""
    segmented = sum(token.is_word for sentence in document.sentences for token in sentence.tokens)
    return segmented or len(words_of(document.text))


def restore(
    text: str,
    *,
    lexicon: Lexicon | None = None,
    model: LanguageModel | None = None,
    ranker: Ranker | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    keep_duplicates: bool = False,
    assume_spun: bool = False,
    screened: bool = False,
    siblings: Sequence[str | Sibling] = (),
) -> Restoration:
    """Undo the spinning of a text.

    Edits at or above `min_confidence`, in [0, 1], are made, the rest is held; in a text without spin evidence nothing
    is, unexpanded spintax excepted, unless `assume_spun` opens the gate. `keep_duplicates` leaves repeated
    paragraphs alone. `screened` passes a text whose words look clean without decoding it (`unspin.screen`), unless it
    is assumed to be spun or read with siblings. `siblings` are copies of the same original, spun otherwise or not at
    all, as texts or read beforehand: all copies are read together, and an unspun one's words win. The cleaned text:
    `unspin.cleaned(restoration)`.
    """
    return _restored(
        text,
        lambda candidates: None,
        lexicon=lexicon,
        model=model,
        ranker=ranker,
        min_confidence=min_confidence,
        keep_duplicates=keep_duplicates,
        assume_spun=assume_spun,
        screened=screened,
        siblings=siblings,
    )


def examine(
    text: str,
    *,
    lexicon: Lexicon | None = None,
    model: LanguageModel | None = None,
    ranker: Ranker | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    keep_duplicates: bool = False,
    assume_spun: bool = False,
    screened: bool = False,
    siblings: Sequence[str | Sibling] = (),
) -> tuple[Restoration, tuple[Candidate, ...]]:
    """Restore a text, as `restore` does, and return also all candidates that it was decided from, for a person to
    choose from; none for a text without spin evidence."""
    found: list[Candidate] = []
    restoration = _restored(
        text,
        found.extend,
        lexicon=lexicon,
        model=model,
        ranker=ranker,
        min_confidence=min_confidence,
        keep_duplicates=keep_duplicates,
        assume_spun=assume_spun,
        screened=screened,
        siblings=siblings,
    )
    return restoration, tuple(found)


def _restored(
    text: str,
    tell: Callable[[Iterator[Candidate]], None],
    *,
    lexicon: Lexicon | None,
    model: LanguageModel | None,
    ranker: Ranker | None,
    min_confidence: float,
    keep_duplicates: bool,
    assume_spun: bool,
    screened: bool,
    siblings: Sequence[str | Sibling],
) -> Restoration:
    """The restoration of a text; `tell` is given the candidates of one stretch of it after the other."""
    if not 0.0 <= min_confidence <= 1.0:
        raise ValueError(f"min_confidence {min_confidence} is not in [0, 1]")
    lexicon, model, ranker = lexicon or default_lexicon(), model or default_model(), ranker or default_ranker()
    copies = [Sibling(one, lexicon, model) if isinstance(one, str) else one for one in siblings]
    together = Siblings(ranker, copies)
    looks_clean = screened and not assume_spun and not copies and screen(lexicon, model).looks_clean(text)
    _, duplicates, kept = _look(text, lexicon, keep_duplicates=keep_duplicates, looks_clean=looks_clean)
    blocks = None if looks_clean else Blocks(lambda: kept.sentences, lexicon, model)
    spin = evidence(blocks, SPIN_RATES) if blocks else SpinEvidence(0.0, 0.0, _words(kept), False)
    if assume_spun:
        spin = replace(spin, is_spun=True)
    decided: list[Edit] = []
    waiting: list[Held] = []
    asked = together if copies else ranker
    for readings in blocks.readings(asked, assume_spun=assume_spun) if blocks and spin.is_spun else ():
        some, others = decide(text, readings, lexicon, min_confidence=min_confidence)
        decided += together.attested(some)
        waiting += others
        tell(candidates(text, readings, lexicon))
    edits, held = tuple(decided), tuple(waiting)
    if copies and spin.is_spun:
        edits, held = overrule(
            text, [*kept.sentences], edits, held, siblings=copies, lexicon=lexicon, min_confidence=min_confidence
        )
    edits, debris = mend(kept, edits, is_spun=spin.is_spun, min_confidence=min_confidence)
    return Restoration(
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
            screened=screened,
            siblings=copies,
        ),
        siblings=tuple(copy.name for copy in copies) if spin.is_spun else (),
    )


def sign(
    *,
    lexicon: Lexicon,
    model: LanguageModel,
    ranker: Ranker,
    min_confidence: float = MIN_CONFIDENCE,
    keep_duplicates: bool = False,
    assume_spun: bool = False,
    screened: bool = False,
    siblings: Sequence[Sibling] = (),
) -> Signature:
    """The signature of what `restore` makes of any text with these."""
    options = [
        *_ranked(ranker),
        ("min_confidence", repr(min_confidence)),
        ("keep_duplicates", str(keep_duplicates).lower()),
        ("assume_spun", str(assume_spun).lower()),
    ]
    if screened:
        options.append(("screened", "true"))
    if siblings:
        options.append(("siblings", ",".join(digest(sibling.text) for sibling in siblings)))
    return Signature(release(), lexicon.digest, model.digest, tuple(options))


def _ranked(ranker: Ranker) -> tuple[tuple[str, str], ...]:
    """A ranker in signatures, with what it runs on, if that matters."""
    named = runtime(ranker)
    return ("ranker", ranker.digest), *((("runtime", named),) if named else ())


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
    screened: bool = False,
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
        screened=screened,
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
    document, duplicates, kept = _look(text, lexicon)
    blocks = Blocks(lambda: kept.sentences, lexicon, model)
    return Inspection(
        document=document,
        spin=evidence(blocks, SPIN_RATES),
        gains=tuple(zip(SPIN_RATES, blocks.gains, strict=True)),
        candidates=tuple(chain.from_iterable(candidates(text, some, lexicon) for some in blocks.readings(ranker))),
        duplicates=duplicates,
        signature=Signature(release(), lexicon.digest, model.digest, _ranked(ranker)),
    )
