"""Why a restoration reads as it does: for each change, all that it was decided from.

In comes a text; out go its restoration and, for every swap that was undone, held or could have been, each option with
what speaks for it: the channel, the language model, the ranker, the guards; and what siblings have there. What is
explained is decided once more on the way, as `restore` does it. Nothing is refused.

Terms are in nats, and compare an option with leaving the words alone. They do not add up to the posterior: that weighs
whole readings of the text, in which neighbours have their say, and what the document's other swaps show.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unspin.channel import LEAST_KEPT
from unspin.consensus import Sibling
from unspin.decide import MIN_CONFIDENCE, calibrated, guard
from unspin.edit import apply, removals
from unspin.formats import Prose
from unspin.language import START, LanguageModel, default_model
from unspin.lattice import Floats
from unspin.lexicon import Lexicon
from unspin.model import Candidate, DecidedBy, Edit, Entry, Held, HeldReason, Option, Repeat, Restoration, Sentence
from unspin.pipeline import default_lexicon, examine, inspect
from unspin.rank import Context, Ranker, Scales, default_ranker, runtime
from unspin.text import phrase, segment


@dataclass(frozen=True, slots=True)
class Weighed:
    """An option with what speaks for it, in nats, against leaving the words alone.

    `channel`: ln P(spun | original) - ln P(spun left alone), at the text's spin rate; `language`: the sentence's gain,
    its other edits made; `ranker`: what the context says, None where no ranker was asked. `confidence` in [0, 1] is the
    calibrated posterior, `guard` what keeps the option from being made unasked.
    """

    option: Option
    channel: float
    language: float
    ranker: float | None
    confidence: float
    guard: HeldReason | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A place of a text: what was decided there, and from what. `decided` None: the words were left alone.

    `[start, end)` is the place, `sentence` the span of the sentence around it; `options` fall in posterior, and are
    empty for what no lexicon entry stands behind. Of a paragraph that goes, `repeat` says how alike it is to the one
    that stays, at `kept`.
    """

    start: int
    end: int
    sentence: tuple[int, int]
    decided: Edit | Held | None
    options: tuple[Weighed, ...]
    repeat: Repeat | None = None
    kept: tuple[int, int] | None = None


class _Heard:
    """A ranker that keeps what it says of each swap, by span and entry."""

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker
        self.said: dict[tuple[int, int, Entry], float] = {}

    @property
    def digest(self) -> str:
        return self._ranker.digest

    @property
    def runtime(self) -> str:
        return runtime(self._ranker)

    @property
    def scales(self) -> Scales:
        return self._ranker.scales

    def score(self, context: Context) -> Floats:
        scores = self._ranker.score(context)
        for match, said in zip(context.found, scores[context.first].tolist(), strict=True):
            span = context.tokens[match.start].start, context.tokens[match.end - 1].end
            self.said[*span, context.lexicon.active[match.entry]] = said
        return scores


def explain(
    text: str,
    *,
    lexicon: Lexicon | None = None,
    model: LanguageModel | None = None,
    ranker: Ranker | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    keep_duplicates: bool = False,
    assume_spun: bool = False,
    siblings: Sequence[str | Sibling] = (),
) -> tuple[Restoration, tuple[Explanation, ...]]:
    """The restoration of a text, as `unspin.restore` makes it, with an explanation of every edit, of all that is held
    and of all that could have been undone and was not, in order."""
    lexicon, model = lexicon or default_lexicon(), model or default_model()
    heard = _Heard(ranker or default_ranker())
    restoration, candidates = examine(
        text,
        lexicon=lexicon,
        model=model,
        ranker=heard,
        min_confidence=min_confidence,
        keep_duplicates=keep_duplicates,
        assume_spun=assume_spun,
        siblings=siblings,
    )
    if not restoration.spin.is_spun:
        candidates = inspect(text, lexicon=lexicon, model=model, ranker=heard).candidates
    decided: dict[tuple[int, int], Edit | Held] = {(edit.start, edit.end): edit for edit in restoration.edits}
    decided |= {(held.candidate.start, held.candidate.end): held for held in restoration.held}
    found = [*_explained(restoration, candidates, decided, _Scales(lexicon, model, heard)), *_removed(restoration)]
    return restoration, tuple(sorted(found, key=lambda one: (one.start, one.end)))


def landed(
    prose: Prose, restoration: Restoration, found: Sequence[Explanation]
) -> tuple[Restoration, tuple[Explanation, ...]]:
    """What was explained of a document's text, as its source has it: what would change markup was left alone, and where
    a paragraph of a page goes, its words do."""
    if prose.source is prose.text:
        return restoration, tuple(found)
    inside = prose.landed(restoration)
    decided: dict[tuple[int, int], Edit | Held] = {(edit.start, edit.end): edit for edit in inside.edits}
    decided |= {(held.candidate.start, held.candidate.end): held for held in inside.held}
    removed = removals(inside.duplicates, inside.original) or inside.edits
    gone = [edit for edit in removed if edit.decided_by is DecidedBy.DUPLICATE]
    starts = [edit.start for edit in gone]
    made: list[Explanation] = []
    for one in found:
        if one.repeat:
            inner = gone[bisect_left(starts, one.start) : bisect_left(starts, one.end)]
            made += (replace(one, start=edit.start, end=edit.end, decided=edit) for edit in inner)
        else:
            made.append(replace(one, decided=decided.get((one.start, one.end))))
    return inside, tuple(made)


def _removed(restoration: Restoration) -> Iterator[Explanation]:
    repeats = sorted(
        ((repeat, group) for group in restoration.duplicates for repeat in group.repeats),
        key=lambda pair: pair[0].start,
    )
    gone = removals(restoration.duplicates, restoration.original)
    for edit, (repeat, group) in zip(gone, repeats, strict=True):
        yield Explanation(edit.start, edit.end, (edit.start, edit.end), edit, (), repeat, (group.start, group.end))


def _explained(
    restoration: Restoration,
    candidates: Sequence[Candidate],
    decided: dict[tuple[int, int], Edit | Held],
    scales: _Scales,
) -> Iterator[Explanation]:
    options = {(one.start, one.end): one for one in candidates}
    sentences = [*segment(restoration.original).sentences]
    starts = [sentence.start for sentence in sentences]
    for span in sorted({*decided, *options}):
        sentence = sentences[max(0, bisect_right(starts, span[0]) - 1)]
        weighed = tuple(scales.weighed(restoration, sentence, options[span])) if span in options else ()
        yield Explanation(*span, (sentence.start, max(sentence.end, span[1])), decided.get(span), weighed)


class _Scales:
    """What options are weighed with."""

    def __init__(self, lexicon: Lexicon, model: LanguageModel, heard: _Heard) -> None:
        self.lexicon, self.model, self.heard = lexicon, model, heard

    def weighed(self, restoration: Restoration, sentence: Sentence, candidate: Candidate) -> Iterator[Weighed]:
        """The options of a candidate, with what speaks for each."""
        inside = [edit for edit in restoration.edits if sentence.start <= edit.start and edit.end <= sentence.end]
        others = [edit for edit in inside if edit.end <= candidate.start or candidate.end <= edit.start]
        left, right = (
            phrase(
                apply(
                    restoration.original, [edit for edit in others if start <= edit.start < end], start=start, end=end
                )
            )
            for start, end in ((sentence.start, candidate.start), (candidate.end, sentence.end))
        )
        alone = self._likelihood(left, candidate.before, right)
        rate = max(restoration.spin.rate, 0.25)  # of a clean text: as if a little of it were spun
        for option in candidate.options:
            kept = option.entry is None
            guarded = None if option.entry is None else guard(candidate.before, option.entry.original, option.after)
            yield Weighed(
                option,
                0.0 if option.entry is None else self._channel(candidate, option.entry, rate),
                0.0 if kept else self._likelihood(left, option.after, right) - alone,
                0.0 if option.entry is None else self.heard.said.get((candidate.start, candidate.end, option.entry)),
                calibrated(option.posterior),
                guarded,
            )

    def _channel(self, candidate: Candidate, entry: Entry, rate: float) -> float:
        kept = max(self.lexicon.kept.get(phrase(candidate.before), 1.0), LEAST_KEPT)
        return math.log(entry.rate * rate) - math.log(1.0 - rate * (1.0 - kept))

    def _likelihood(self, left: Iterable[str], words: str, right: Iterable[str]) -> float:
        """ln P(the sentence), the words between the others."""
        running = [START, *left, *phrase(words), *right]
        numbers = {word: number for number, word in enumerate(dict.fromkeys(running))}
        places = np.asarray([-1, *(numbers[word] for word in running)], dtype=np.int64)
        rows = np.stack([places[:-2], places[1:-1], places[2:]], axis=1)
        return float(self.model.score(list(numbers), rows).sum())
