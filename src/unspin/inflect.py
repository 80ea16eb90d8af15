"""Missing inflections of a lexicon's swaps, proposed for review.

In come entries; out go proposals: if "proceed" stands for "continue" and "proceeds" for "continues", "proceeding"
may stand for "continuing". Both sides are inflected alike, a phrase at its head: a verb's first word, a noun's last.
Refused are names and whatever is not plain lower-case words; what the lexicon says in any status; what its own
evidence speaks against; and forms that hardly anyone writes.

Spinners keep a list of alternates per *form*, not per word, and many forms they do not touch at all. So a proposal
is a guess: `measured` says how good, and texts of which spun copies were learned from tell which forms are no heads.
Forms are lemminflect's (a dictionary; the optional extra "lexicon"), frequencies wordfreq's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from unspin.errors import UnspinError
from unspin.lexicon import Phrase, order
from unspin.model import Entry, Status
from unspin.text import phrase, tokens

PREFIX = "inflected: "  # of the source of a proposed entry
MIN_SEEN = 10  # of a learned entry that forms are derived from
MIN_RATE = 0.2
MOST_REPLACED = 0.9  # a head replaced at a higher rate has its alternates already
REFUTED = 5.0  # times that a swap would have been seen, if it existed at its rate; then it does not
RARE = 2.5  # Zipf frequency (log10 per thousand million words) below which a form is not proposed
FAR = 2.0  # how much rarer than its base a form may be: "warred" is English, but no war is meant
ENOUGH_WITNESSES = 2  # known forms that make any form of a pair likely
# What makes a proposal `auto`, set where the measured precision passes 0.5: other forms are too often no heads.
SURE_TAGS, SURE_RATE, SURE_ZIPF = frozenset({"VB", "JJR", "JJS"}), 0.6, 3.0


class Part(StrEnum):
    """The parts of speech that are inflected; values are Universal Dependencies' names."""

    NOUN = "NOUN"  # first: what can be read as noun and verb alike counts as noun
    VERB = "VERB"
    ADJECTIVE = "ADJ"


# Penn Treebank tags, the base first.
FORMS = {
    Part.NOUN: ("NN", "NNS"),
    Part.VERB: ("VB", "VBZ", "VBD", "VBN", "VBG"),
    Part.ADJECTIVE: ("JJ", "JJR", "JJS"),
}
_UNLIKELY = "JJ"  # "new <- high" from "newer <- higher": right in one case of five
_BE = "be"  # its forms agree in person, too: no other verb's do
# Words before a noun that make it more than a name of a thing: "a war" has no plural.
_NO_MODIFIERS = frozenset(
    "a an the this that these those some any no one each every all both such my your his her its our their who which "
    "to of in on at for by with from into about as than and or but not i you he she it we they there is are was were "
    "be been being do does did has have had can may will would should could must many much few several".split()
)


class Lexeme(NamedTuple):
    """A phrase whatever the form of its head: what stands before it, its lemma, what stands after."""

    before: str
    lemma: str
    after: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed entry, its part of speech, the Penn tag of its form, and how many known forms it rests on."""

    entry: Entry
    part: Part
    tag: str
    witnesses: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How proposals fare against hidden entries. `precision` and `recall` are in [0, 1], and 0 for nothing."""

    proposed: int
    right: int  # of these, entries that were hidden
    found: int  # of these, inflected ones
    hidden: int  # inflected entries that were there to be found

    @property
    def precision(self) -> float:
        return self.right / max(1, self.proposed)

    @property
    def recall(self) -> float:
        return self.found / max(1, self.hidden)


# forms


def _zipf(word: str) -> float:
    from wordfreq import zipf_frequency  # slow to import

    return float(zipf_frequency(word, "en"))


def _dictionary() -> ModuleType:
    try:
        return import_module("lemminflect")  # an optional extra, without types
    except ImportError as error:
        raise UnspinError("inflecting needs lemminflect: pip install 'unspin[lexicon]'") from error


@cache
def _forms(lemma: str, part: Part) -> dict[str, str]:
    """Per Penn tag, the likeliest form of a word."""
    found: dict[str, str] = {}
    for tag, forms in _dictionary().getAllInflections(lemma, upos=part.value).items():
        plain = [form for form in forms if form.isalpha()]  # the dictionary has "under going"
        if part is Part.NOUN and tag == "NNS":  # "wars", not the "war" of "man of war"
            plain = [form for form in plain if form != lemma] or plain
        if tag in FORMS[part] and plain:
            found[tag] = max(plain, key=_zipf)
    return found


@cache
def _readings(word: str, part: Part) -> frozenset[tuple[str, str]]:
    """The (tag, lemma) pairs that a form may have as a part of speech."""
    lemmas = _dictionary().getAllLemmas(word, upos=part.value).get(part.value, ())
    return frozenset(
        (tag, lemma) for lemma in lemmas if lemma != _BE for tag, form in _forms(lemma, part).items() if form == word
    )


def _is_clear(word: str, lemma: str) -> bool:
    """Is this the form of one word only? "leaves" is not: leaf, leave."""
    return {found for part in Part for _, found in _readings(word, part)} == {lemma}


def _lexemes(text: str, part: Part) -> Iterator[tuple[str, Lexeme]]:
    """The tags and lexemes that a phrase may have, if it may be a phrase of this kind at all."""
    words = text.split(" ")
    if not all(word.isalpha() and word.islower() for word in words):
        return
    if part is Part.NOUN and not _NO_MODIFIERS.intersection(words[:-1]):
        cut = len(words) - 1
    elif part is Part.VERB or len(words) == 1:
        cut = 0
    else:
        return
    before, after = " ".join([*words[:cut], ""]), " ".join(["", *words[cut + 1 :]])
    yield from ((tag, Lexeme(before, lemma, after)) for tag, lemma in _readings(words[cut], part))


# proposals


class _Paradigm(NamedTuple):
    part: Part
    spun: Lexeme
    original: Lexeme


def _paradigms(entries: Iterable[Entry]) -> dict[_Paradigm, dict[str, Entry]]:
    """Pairs of lexemes, each with the forms in which entries have them."""
    found: defaultdict[_Paradigm, dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        for part in Part:
            originals = list(_lexemes(entry.original, part))
            for tag, spun in _lexemes(entry.spun, part):
                for other, original in originals:
                    if tag == other and spun != original:
                        found[_Paradigm(part, spun, original)][tag] = entry
    return found


def _status(paradigm: _Paradigm, tag: str, *, witnesses: int, rate: float) -> Status:
    sides = [(_forms(lexeme.lemma, paradigm.part)[tag], lexeme.lemma) for lexeme in paradigm[1:]]
    is_usual = all(_zipf(form) >= SURE_ZIPF and _is_clear(form, lemma) for form, lemma in sides)
    is_sure = tag in SURE_TAGS and witnesses >= ENOUGH_WITNESSES and rate >= SURE_RATE
    return Status.AUTO if is_usual and is_sure else Status.REVIEW


def _is_likely(paradigm: _Paradigm, sources: Collection[Entry]) -> bool:
    """Is the evidence enough to ask a person? One learned form says little but of plain nouns and comparatives."""
    is_plain = all(lexeme.before == lexeme.after == "" for lexeme in paradigm[1:])
    is_curated = any(entry.seen == 0 for entry in sources)
    return is_curated or len(sources) >= ENOUGH_WITNESSES or (is_plain and paradigm.part is not Part.VERB)


def _is_written(lexeme: Lexeme, part: Part, tag: str) -> bool:
    forms = _forms(lexeme.lemma, part)
    is_plural = part is not Part.NOUN or tag == "NN" or forms.get(tag) != lexeme.lemma
    return tag in forms and is_plural and _zipf(forms[tag]) >= max(RARE, _zipf(lexeme.lemma) - FAR)


def _form(lexeme: Lexeme, part: Part, tag: str) -> str:
    return lexeme.before + _forms(lexeme.lemma, part)[tag] + lexeme.after


def _derived(paradigm: _Paradigm, known: dict[str, Entry]) -> Iterator[Proposal]:
    """All forms of a pair of lexemes that its entries with other heads lead to."""
    part, *sides = paradigm
    for tag in FORMS[part]:
        if tag == _UNLIKELY or not all(_is_written(lexeme, part, tag) for lexeme in sides):
            continue
        spun, original = (_form(lexeme, part, tag) for lexeme in sides)
        head = phrase(original)
        sources = {entry for entry in known.values() if phrase(entry.original) != head}
        if sources and phrase(spun) != head and _is_likely(paradigm, sources):
            best = max(sources, key=lambda entry: (entry.rate, entry.seen, order(entry)))
            status = _status(paradigm, tag, witnesses=len(sources), rate=best.rate)
            source = f"{PREFIX}{best.spun} <- {best.original}"
            yield Proposal(Entry(spun, original, best.rate, 0, status, source), part, tag, len(sources))


def _is_source(entry: Entry) -> bool:
    is_attested = entry.seen >= MIN_SEEN or (entry.seen == 0 and not entry.source.startswith(PREFIX))
    return is_attested and entry.status != Status.OFF and entry.rate >= MIN_RATE


class _Evidence:
    """What is known of heads: how much of each is replaced, and how often it was, or would have been, seen."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.known: set[tuple[Phrase, Phrase]] = set()
        self.replaced: defaultdict[Phrase, float] = defaultdict(float)
        self.seen: Counter[Phrase] = Counter()
        self.standing: Counter[Phrase] = Counter()
        for entry in entries:
            head = phrase(entry.original)
            self.known.add((phrase(entry.spun), head))
            if entry.status != Status.OFF:
                self.replaced[head] += entry.rate
                self.seen[head] += entry.seen

    def meet(self, originals: Iterable[str], heads: Iterable[Phrase]) -> None:
        """Count the texts in which each head stands."""
        wanted = set(heads)
        longest = max(map(len, wanted), default=0)
        for text in originals:
            words = [token.norm for token in tokens(text)]
            spans = ((start, start + size) for start in range(len(words)) for size in range(1, longest + 1))
            self.standing.update(wanted.intersection(tuple(words[start:end]) for start, end in spans))

    def allows(self, entry: Entry) -> bool:
        """Is a swap new, and might it have gone unseen?"""
        head = phrase(entry.original)
        met = max(self.standing[head], self.seen[head] / max(self.replaced[head], entry.rate))
        is_open = self.replaced[head] <= MOST_REPLACED and met * entry.rate < REFUTED
        return is_open and (phrase(entry.spun), head) not in self.known

    def judges(self, head: Phrase) -> bool:
        """Is a head met so often that what is not seen of it is not there?"""
        return max(self.seen[head], self.standing[head]) >= MIN_SEEN


def _candidates(entries: Iterable[Entry]) -> list[Proposal]:
    """Each swap once, from the pair of lexemes that most forms attest."""
    best: dict[tuple[str, ...], Proposal] = {}
    for paradigm, known in _paradigms(entry for entry in entries if _is_source(entry)).items():
        for proposal in _derived(paradigm, known):
            key = order(proposal.entry)
            if key not in best or best[key].witnesses < proposal.witnesses:
                best[key] = proposal
    return list(best.values())


def propose(entries: Sequence[Entry], *, originals: Iterable[str] = ()) -> tuple[Proposal, ...]:
    """Missing inflected forms of a lexicon's entries, in the order of lexicon files.

    Sources are active entries seen MIN_SEEN times, or curated, with a rate of at least MIN_RATE. A proposal takes
    its source's rate, scaled down where the active rates of one original would pass 1. `originals` are texts whose
    spun copies the lexicon was learned from: what stands in them often and was never seen swapped is no head.

    Raises UnspinError if lemminflect is not installed.
    """
    found, evidence = _candidates(entries), _Evidence(entries)
    evidence.meet(originals, (phrase(proposal.entry.original) for proposal in found))
    found = [proposal for proposal in found if evidence.allows(proposal.entry)]
    asked: defaultdict[Phrase, float] = defaultdict(float)
    for proposal in found:
        asked[phrase(proposal.entry.original)] += proposal.entry.rate
    fitted = []
    for proposal in found:
        head = phrase(proposal.entry.original)
        scale = min(1.0, (1.0 - evidence.replaced[head]) / asked[head])
        fitted.append(replace(proposal, entry=replace(proposal.entry, rate=proposal.entry.rate * scale)))
    return tuple(sorted(fitted, key=lambda proposal: order(proposal.entry)))


# measure


def measured(entries: Sequence[Entry], *, originals: Iterable[str] = ()) -> dict[tuple[Part, Status], Tally]:
    """How good proposals are, by part of speech and status, judged on heads that were met MIN_SEEN times.

    Each such head is hidden in turn with all its entries; what the others lead to for it is compared with them.
    Without `originals`, only heads of the lexicon are judged, so that what is no head at all does not count. Hidden
    entries are those whose sides are the same inflected form of a part of speech. Raises UnspinError if lemminflect
    is not installed.
    """
    found, evidence = _candidates(entries), _Evidence(entries)
    evidence.meet(originals, (phrase(proposal.entry.original) for proposal in found))
    hidden: defaultdict[Part, set[tuple[str, ...]]] = defaultdict(set)
    for paradigm, forms in _paradigms(entries).items():
        inflected = (entry for tag, entry in forms.items() if tag != FORMS[paradigm.part][0])
        hidden[paradigm.part] |= {order(entry) for entry in inflected if evidence.judges(phrase(entry.original))}
    tallies: defaultdict[tuple[Part, Status], Counter[str]] = defaultdict(Counter)
    for proposal in found:
        head = phrase(proposal.entry.original)
        if evidence.judges(head):
            is_right = (phrase(proposal.entry.spun), head) in evidence.known
            is_inflected = proposal.tag != FORMS[proposal.part][0]
            tally = tallies[proposal.part, proposal.entry.status]
            tally.update(proposed=1, right=is_right, found=is_right and is_inflected)
    return {key: Tally(**tallies[key], hidden=len(hidden[key[0]])) for key in sorted(tallies)}
