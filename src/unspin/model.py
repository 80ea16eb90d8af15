"""The values that flow through unspin. No input, no output, no algorithms.

Spans are half-open `[start, end)` code-point offsets into the **original** text. Values are frozen;
those that a caller may build are checked at birth and refuse what makes no sense.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

# Tells who waits how far long work has come: a stage's name, the steps done, the steps in all (0: not known).
Progress = Callable[[str, int, int], None]


class Token(NamedTuple):
    """A word, a number, a clitic ("'s") or one piece of punctuation.

    `norm` is what language models and lexicons see: lower case, straight quotes, NFC.
    """

    start: int
    end: int
    text: str
    norm: str
    is_word: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """A run of tokens that a reader takes as one sentence; it never crosses a paragraph."""

    start: int
    end: int
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A run of text between line breaks, without them; never empty or only white space.

    Those of a long text are found anew whenever `sentences` are iterated over, so that it need not be held in tokens.
    """

    start: int
    end: int
    sentences: Sequence[Sentence]


@dataclass(frozen=True, slots=True)
class Document:
    """A text and its units. What stands between the paragraphs is line breaks and white space only."""

    text: str
    paragraphs: tuple[Paragraph, ...]

    @property
    def sentences(self) -> Iterator[Sentence]:
        """All sentences in reading order."""
        return (sentence for paragraph in self.paragraphs for sentence in paragraph.sentences)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """All tokens in reading order."""
        return tuple(token for sentence in self.sentences for token in sentence.tokens)


class Status(StrEnum):
    """What may be done with a lexicon entry."""

    AUTO = "auto"  # decided by the decoder
    REVIEW = "review"  # always held for a person
    OFF = "off"  # kept for the record, never used


@dataclass(frozen=True, slots=True)
class Entry:
    """One swap of a lexicon: the spinner writes `spun` where the author wrote `original`.

    `rate` is P(spun | original), in (0, 1]; `seen` how often it was observed (0 for curated entries);
    `line` its place in the file it came from (0 if from none).
    """

    spun: str
    original: str
    rate: float
    seen: int = 0
    status: Status = Status.AUTO
    source: str = ""
    note: str = ""
    line: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if not self.spun.strip() or not self.original.strip():
            raise ValueError("an entry needs a spun and an original phrase")
        if self.spun == self.original:
            raise ValueError(f"an entry cannot map {self.spun!r} to itself")
        if not 0.0 < self.rate <= 1.0:
            raise ValueError(f"rate {self.rate} is not in (0, 1]")
        if self.seen < 0:
            raise ValueError(f"seen {self.seen} is negative")


@dataclass(frozen=True, slots=True)
class Option:
    """One reading of a candidate: what would stand there, and its posterior. Without an `entry`, it is left as it is
    or, where debris is held, mended by rule. `prior` is the posterior before a ranker saw the context, if one did."""

    after: str
    entry: Entry | None
    posterior: float
    prior: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that could be a swap. `options` fall in posterior; leaving it alone is one of them."""

    start: int
    end: int
    before: str
    options: tuple[Option, ...]

    @property
    def best(self) -> Option:
        """The most probable option, which may be to leave the span alone."""
        return self.options[0]


class DecidedBy(StrEnum):
    """Who decided an edit."""

    DECODER = "decoder"  # the noisy channel's best reading
    AGREEMENT = "agreement"  # "a" and "an" follow the sound of a restored neighbour
    DUPLICATE = "duplicate"  # the removal of a repeated passage
    DEBRIS = "debris"  # what the spinner left around its swaps: `unspin.debris`
    ENDPOINT = "endpoint"  # a language model chose among the options of what was held: `unspin.endpoint`
    SIBLING = "sibling"  # an unspun copy has these words: `unspin.witness`
    SPINNER = "spinner"  # a swap made, not undone: `unspin.spin`
    REVIEWER = "reviewer"  # a person, in a review: `unspin.review`


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a sibling has where an edit is made: `text`, at code points `[start, end)` of the copy named `sibling`."""

    sibling: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A decided replacement. `before` quotes the text it replaces; `confidence` in [0, 1] is
    the probability that exactly this edit is right; `attested_by` is what siblings have there that spoke for it."""

    start: int
    end: int
    before: str
    after: str
    entry: Entry | None
    confidence: float
    decided_by: DecidedBy
    attested_by: tuple[Attestation, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"span {self.start}:{self.end} is not half-open and non-negative")
        if len(self.before) != self.end - self.start:
            raise ValueError(f"before {self.before!r} does not fill the span {self.start}:{self.end}")
        if self.before == self.after:
            raise ValueError(f"an edit must change something, not {self.before!r} to itself")
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence} is not in [0, 1]")


class HeldReason(StrEnum):
    """Why a candidate waits for a person."""

    CONFIDENCE = "confidence"  # below the threshold
    DEBRIS = "debris"  # what a spinner may have left, but authors write it, too
    STATUS = "status"  # its entry's status is `review`
    NUMBER = "number"  # it would change a number
    NEGATION = "negation"  # it would add or take away a negation
    NAME = "name"  # it would change the case pattern of a name


@dataclass(frozen=True, slots=True)
class Held:
    """A candidate whose best reading differs from the text and that waits for a person."""

    candidate: Candidate
    reason: HeldReason


class DuplicateKind(StrEnum):
    """How alike two passages are."""

    EXACT = "exact"  # the same characters, white space apart
    NORMALISED = "normalised"  # the same words, case and punctuation apart
    NEAR = "near"  # small edits
    RESPUN = "respun"  # the same original, spun differently
    CONTAINED = "contained"  # an excerpt of a longer text
    OVERLAP = "overlap"  # shares much with another text and says more: never removed


@dataclass(frozen=True, slots=True)
class Repeat:
    """A passage that says what an earlier one says. `score` in [0, 1]; 1 is identical."""

    start: int
    end: int
    kind: DuplicateKind
    score: float


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Passages that say the same: the kept one's span and the repeats that go."""

    start: int
    end: int
    repeats: tuple[Repeat, ...]

    def __post_init__(self) -> None:
        if not self.repeats:
            raise ValueError("a duplicate group needs a repeat")


class Level(StrEnum):
    """What is compared across texts."""

    DOCUMENT = "document"
    PARAGRAPH = "paragraph"
    SENTENCE = "sentence"
    PASSAGE = "passage"  # runs of words, wherever they start and end


class Keep(StrEnum):
    """Which of several copies stays; equals are told apart by what stands higher here, then by their characters."""

    ORIGINAL = "original"  # the least spin evidence, then the earliest date, then the longest
    FIRST = "first"  # in the order given
    LONGEST = "longest"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Place:
    """A passage of a collection: the number of its text, counted from 0, and its span there."""

    text: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Copy:
    """A passage that says what the kept one of its group says. `score` in [0, 1]; 1 is identical.

    `rule` says in words what makes it a copy.
    """

    place: Place
    kind: DuplicateKind
    score: float
    rule: str


@dataclass(frozen=True, slots=True)
class CopyGroup:
    """Passages of a collection that say the same: the kept one, and its copies in the order of their places.

    `overlaps` share much with the kept passage and say more than it: they stay, and may be of other groups too. Every
    copy and overlap was compared with the kept passage itself. `weakest` are the least similar two of all, and
    `weakest_score` is their share of equal words, in [0, 1].
    """

    kept: Place
    copies: tuple[Copy, ...]
    weakest: tuple[Place, Place]
    weakest_score: float
    overlaps: tuple[Copy, ...] = ()

    def __post_init__(self) -> None:
        if not self.copies and not self.overlaps:
            raise ValueError("a group of copies needs a copy or an overlap")
        if any((copy.kind is DuplicateKind.OVERLAP) for copy in self.copies):
            raise ValueError("an overlap is no copy")


@dataclass(frozen=True, slots=True)
class NamedText:
    """A text for an index. The name tells people and later additions where it is from; `date`: greater is newer."""

    name: str
    text: str
    date: float = 0.0


@dataclass(frozen=True, slots=True)
class KnownPassage:
    """A passage that an index keeps, or `is_incoming`: one of the same scrape that came earlier."""

    name: str
    start: int
    end: int
    date: float
    text: str
    is_incoming: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What an index says of an incoming passage: `place` counts the incoming texts from 0.

    Without `kept` it is new. An overlap is new, too: it shares much with `kept` and says more. Any other `kind` says
    how the passage is a copy of `kept`; `score` and `rule` are those of a `Copy`.
    """

    place: Place
    kept: KnownPassage | None = None
    kind: DuplicateKind | None = None
    score: float = 0.0
    rule: str = ""

    @property
    def is_copy(self) -> bool:
        """Does the passage say nothing that the kept one does not?"""
        return self.kind is not None and self.kind is not DuplicateKind.OVERLAP


@dataclass(frozen=True, slots=True)
class SpinEvidence:
    """Was this text spun? `rate` is the maximum-likelihood spin rate (0: clean), `evidence` the
    log-likelihood gain in nats per word of that rate over 0, `words` the number of words it rests on."""

    rate: float
    evidence: float
    words: int
    is_spun: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """What a restoration depends on besides the text; equal signatures give equal restorations."""

    version: str
    lexicon: str
    model: str
    options: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        options = "".join(f"|{k}:{v}" for k, v in self.options)
        return f"unspin:{self.version}|lexicon:{self.lexicon}|model:{self.model}{options}"

    @classmethod
    def parse(cls, text: str) -> Signature:
        """The signature that was written as `text`. Raises ValueError.

        >>> str(Signature.parse("unspin:1|lexicon:a|model:b|ranker:c")), Signature.parse("unspin:1|lexicon:a|model:b")
        ('unspin:1|lexicon:a|model:b|ranker:c', Signature(version='1', lexicon='a', model='b', options=()))
        """
        (_, version), (_, lexicon), (_, model), *options = (
            (key, value) for key, _, value in (part.partition(":") for part in text.split("|"))
        )
        return cls(version, lexicon, model, tuple(options))


@dataclass(frozen=True, slots=True)
class Restoration:
    """What was found and decided for one text. The cleaned text is derived: `unspin.edit.cleaned`.

    `siblings` names the copies that it was read with; a text without spin evidence is read alone.
    """

    original: str
    spin: SpinEvidence
    duplicates: tuple[DuplicateGroup, ...]
    edits: tuple[Edit, ...]
    held: tuple[Held, ...]
    signature: Signature
    siblings: tuple[str, ...] = ()
