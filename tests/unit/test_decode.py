"""Decoding against the enumeration of every reading, and what the document as a whole decides."""

from __future__ import annotations

import gc
import itertools
import math
import time
import weakref
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin import decode as decoding
from unspin import regions
from unspin.channel import SPIN_RATES, Head, Match, keep_cost, matches, swap_cost
from unspin.decode import CONSISTENCY, HELD, Blocks, Decoding, Reading, decode
from unspin.language import START
from unspin.lattice import Floats, Ints
from unspin.lexicon import Lexicon
from unspin.model import Entry, Sentence
from unspin.rank import AS_THEY_ARE, UNRANKED, Context, Scales
from unspin.text import segment

BOTTOM = -math.inf


@dataclass
class Toy:
    """A language model in a table: trigrams, else bigrams, else words, else `rest`."""

    table: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    rest: float = -5.0
    digest: str = "toy"

    def one(self, far: str, near: str, word: str) -> float:
        found = (self.table.get(key) for key in ((far, near, word), (near, word), (word,)))
        return next((score for score in found if score is not None), self.rest)

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        rows = [tuple(words[n] if n >= 0 else "" for n in row) for row in trigrams.tolist()]
        return np.asarray([self.one(*row) for row in rows], dtype=np.float64)


class Fickle(Toy):
    """A language model whose scores hang on all three words, and on nothing else."""

    def one(self, far: str, near: str, word: str) -> float:
        return -(zlib.crc32(f"{far}|{near}|{word}".encode()) % 8000) / 1000


class Even:
    """A language model without opinion, and quick."""

    digest = "even"

    def score(self, words: Sequence[str], trigrams: Ints) -> Floats:
        return np.full(len(trigrams), -5.0)


# A reading is the swaps that it undoes, as numbers of matches; the rest is kept.
Swaps = tuple[int, ...]


@dataclass(frozen=True)
class Enumeration:
    """Every reading of some sentences, each sentence on its own, weighed word by word."""

    sentences: tuple[tuple[tuple[str, ...], list[Match], list[Head]], ...]
    lexicon: Lexicon
    model: Toy

    @classmethod
    def of(cls, sentences: Sequence[Sentence], lexicon: Lexicon, model: Toy) -> Enumeration:
        words = [tuple(token.norm for token in sentence.tokens) for sentence in sentences]
        return cls(tuple((w, *matches(w, lexicon)) for w in words), lexicon, model)

    def weighed(self, number: int, spin_rate: float, rates: Sequence[float]) -> Iterator[tuple[Swaps, float]]:
        words, found, heads = self.sentences[number]
        for size in range(len(found) + 1):
            for chosen in itertools.combinations(range(len(found)), size):
                spans = [(found[n].start, found[n].end) for n in chosen]
                if any(a[1] > b[0] for a, b in itertools.pairwise(spans)) or (chosen and not spin_rate):
                    continue
                yield chosen, self._weight(words, found, heads, chosen, spin_rate, rates)

    def _weight(
        self,
        words: tuple[str, ...],
        found: list[Match],
        heads: list[Head],
        chosen: Swaps,
        spin_rate: float,
        rates: Sequence[float],
    ) -> float:
        covered = {t: n for n in chosen for t in range(found[n].start, found[n].end)}
        read = ["", START]
        for place, word in enumerate(words):
            if place not in covered:
                read.append(word)
            elif found[covered[place]].start == place:
                read += self.lexicon.originals[found[covered[place]].entry]
        weight = sum(self.model.one(*read[i - 2 : i + 1]) for i in range(2, len(read)))
        for n in chosen:
            weight += float(swap_cost(np.asarray([rates[n]]), spin_rate)[0])
        for head in heads:
            if covered.keys().isdisjoint(range(head.start, head.end)):
                weight += float(keep_cost(np.asarray([head.kept]), spin_rate)[0])
        return weight

    def rates(self) -> list[list[float]]:
        return [[self.lexicon.active[m.entry].rate for m in found] for _, found, _ in self.sentences]

    def gain(self, spin_rate: float) -> float:
        def total(rate: float) -> float:
            return sum(
                float(np.logaddexp.reduce([weight for _, weight in self.weighed(n, rate, rates)]))
                for n, rates in enumerate(self.rates())
            )

        return total(spin_rate) - total(0.0)

    def posteriors(self, spin_rate: float, rates: list[list[float]]) -> tuple[list[float], list[bool], float]:
        """Per match its posterior and whether the heaviest reading holds it; and the margin of that reading."""
        shares: list[float] = []
        chosen: list[bool] = []
        margin = math.inf
        for number, (_, found, _) in enumerate(self.sentences):
            readings = list(self.weighed(number, spin_rate, rates[number]))
            total = float(np.logaddexp.reduce([weight for _, weight in readings]))
            sums = np.zeros(len(found))
            for swaps, weight in readings:
                sums[list(swaps)] += math.exp(weight - total)
            readings.sort(key=lambda reading: -reading[1])
            margin = min(margin, readings[0][1] - readings[1][1] if len(readings) > 1 else math.inf)
            shares += sums.tolist()
            chosen += [n in readings[0][0] for n in range(len(found))]
        return shares, chosen, margin

    def document_rates(self, posteriors: list[float], is_upper: list[bool]) -> list[list[float]]:
        """Each match's rate as all other matches of its head in the document show it."""
        entries = [m.entry for _, found, _ in self.sentences for m in found]
        made: defaultdict[tuple[int, bool], float] = defaultdict(float)
        all_made: defaultdict[tuple[tuple[str, ...], bool], float] = defaultdict(float)
        for entry, posterior, upper in zip(entries, posteriors, is_upper, strict=True):
            made[entry, upper] += posterior
            all_made[self.lexicon.originals[entry], upper] += posterior
        rates = []
        for entry, posterior, upper in zip(entries, posteriors, is_upper, strict=True):
            same = made[entry, upper] - posterior
            head = all_made[self.lexicon.originals[entry], upper] - posterior
            rates.append((same + CONSISTENCY * self.lexicon.active[entry].rate) / (head + CONSISTENCY))
        places = np.cumsum([0, *(len(found) for _, found, _ in self.sentences)]).tolist()
        return [rates[a:b] for a, b in itertools.pairwise(places)]


def sentences(text: str) -> list[Sentence]:
    return [s for paragraph in segment(text).paragraphs for s in paragraph.sentences]


def lexicon(*swaps: tuple[str, str, float]) -> Lexicon:
    return Lexicon(Entry(spun, original, rate) for spun, original, rate in swaps)


def compare(text: str, table: Lexicon, model: Toy) -> Decoding:
    """Decode a text, and hold every figure against the enumeration's."""
    found = decode(sentences(text), table, model)
    every = Enumeration.of(sentences(text), table, model)
    assert found.gains == pytest.approx([every.gain(rate) for rate in SPIN_RATES], abs=1e-6)
    best = SPIN_RATES[int(np.argmax(found.gains))]
    first, _, _ = every.posteriors(best, every.rates())
    is_upper = [reading.tokens[0].text[0].isupper() for reading in found.readings]
    posteriors, chosen, margin = every.posteriors(best, every.document_rates(first, is_upper))
    assert [r.posterior for r in found.readings] == pytest.approx(posteriors, abs=1e-6)
    if margin > 1e-6:
        assert [r.is_best for r in found.readings] == chosen
    return found


def best(found: Decoding, table: Lexicon) -> list[tuple[str, str]]:
    return [(" ".join(t.text for t in r.tokens), table.active[r.entry].original) for r in found.readings if r.is_best]


def posterior(found: Decoding, table: Lexicon, spun: str, original: str, *, nth: int = 0) -> float:
    hits = [
        r.posterior
        for r in found.readings
        if (" ".join(t.norm for t in r.tokens), table.active[r.entry].original) == (spun, original)
    ]
    return hits[nth]


ARTICLE = lexicon(
    ("struggle", "war", 0.6),
    ("wrestle", "struggle", 0.8),
    ("in opposition to", "against", 0.9),
    ("actual property", "real estate", 0.7),
    ("actual", "real", 0.5),
    ("property", "estate", 0.5),
    ("offers", "deals", 0.5),
    ("enterprise offers", "trade fairs", 0.2),
    ("enterprise", "business", 0.9),
    ("is aware of", "knows", 0.9),
    ("find out how to", "how to", 0.9),
    ("yr", "calendar year", 0.3),
    ("yr", "year", 0.6),
    ("whereas", "while", 0.7),
)


@pytest.mark.parametrize(
    "text",
    [
        "struggle",
        "the struggle",
        "Struggle in opposition to actual property",  # every word from start to end in doubt
        "He is aware of find out how to struggle.",
        "The war was a struggle in opposition to a yr of wrestle and real estate.",
        "enterprise offers and actual property offers, for a yr",
        "A quiet man read his paper. Whereas the struggle went on, he read. And he read, whereas others did not.",
        "real estate war struggle",  # heads that stand side by side with swaps
        "how to win a war the struggle",
        "the how to struggle",  # a long head that ends where a swap begins
        "a calendar year struggle",
        "war struggle",  # a head that opens the text, just before a swap
        "War yr. War yr. A war yr",
        "nothing to see here, move along",
        "",
    ],
)
def test_every_figure_is_what_enumeration_finds(text: str) -> None:
    compare(text, ARTICLE, Fickle())


LETTERS = st.sampled_from("abcd")
PHRASES = st.lists(LETTERS, min_size=1, max_size=3).map(" ".join)
TABLES = st.dictionaries(
    st.tuples(PHRASES, PHRASES).filter(lambda swap: swap[0] != swap[1]),
    st.floats(0.05, 0.45),
    min_size=1,
    max_size=6,
).map(lambda table: lexicon(*((*swap, rate) for swap, rate in table.items())))


@settings(deadline=None, max_examples=150)
@given(st.lists(LETTERS, min_size=1, max_size=7), TABLES)
def test_any_sentence_with_any_table_is_decoded_exactly(words: list[str], table: Lexicon) -> None:
    if len(matches(words, table)[0]) <= 10:  # enumeration takes two to the power of it
        compare(" ".join(words), table, Fickle())


def test_a_head_next_to_a_region_is_paid_for_wherever_it_begins() -> None:
    """A long head stands, and its last word alone might be a swap: the region begins inside the head."""
    table = lexicon(("actual property", "real estate", 0.9), ("estate", "house", 0.2))
    inside = compare("a real estate there", table, Toy())
    outside = compare("a big estate there", table, Toy())
    assert inside.gains[-1] < outside.gains[-1] - 1.0


class Listener:
    """A ranker without opinion that remembers what it was told."""

    digest, scales = "listener", AS_THEY_ARE

    def __init__(self) -> None:
        self.heard: list[Context] = []

    def score(self, context: Context) -> Floats:
        self.heard.append(context)
        return np.zeros(len(context.word))


def test_a_ranker_is_told_what_every_word_stands_for() -> None:
    listener = Listener()
    text = "War struggle now. The war in opposition to a yr went on. No swap here. Yr enterprise offers"
    found = decode(sentences(text), ARTICLE, Fickle(), listener, assume_spun=True)
    (context,) = listener.heard
    told = zip(context.word.tolist(), context.begin.tolist(), context.end.tolist(), strict=True)
    kept, meant = set(), set()
    for word, begin, end in told:
        if begin < 0 or word < 0:
            assert (begin, end) == (-1, 0)  # before a region, or behind its last word
            continue
        if (begin, end, context.words[word]) == (begin, begin + 1, context.tokens[begin].norm):
            kept.add(begin)
        else:
            meant.add((begin, end, context.words[word]))
    assert meant == {
        (match.start, match.end, word) for match in context.found for word in ARTICLE.originals[match.entry]
    }
    assert kept >= {place for match in context.found for place in range(match.start, match.end)}
    assert [context.begin[n] for n in context.first] == [match.start for match in context.found]
    assert [context.tokens[m.start : m.end] for m in context.found] == [[*r.tokens] for r in found.readings]
    assert context.share[context.first] == pytest.approx([reading.prior for reading in found.readings])
    assert [context.tokens[start].text for start in context.starts] == ["War", "The", "No", "Yr"]
    assert context.lexicon is ARTICLE
    further = np.flatnonzero(~context.is_first & (context.begin >= 0))
    assert [context.words[context.word[n]] for n in further] == [
        word for match in context.found for word in ARTICLE.originals[match.entry][1:]
    ]


class Partial(Listener):
    """A ranker that likes one word, and weighs the decoder's scores as it is told."""

    def __init__(self, word: str, *, scales: Scales = AS_THEY_ARE) -> None:
        super().__init__()
        self.word, self.scales = word, scales

    def score(self, context: Context) -> Floats:
        liked = context.words.index(self.word) if self.word in context.words else -1
        scores = super().score(context)
        scores[context.word == liked] = 6.0
        return scores


def test_a_ranker_is_listened_to() -> None:
    table = lexicon(("struggle", "war", 0.3), ("struggle", "fight", 0.3))
    for word in ("war", "fight"):
        assert best(decode(sentences("a struggle there"), table, Toy(), Partial(word)), table) == [("struggle", word)]


def test_a_ranker_weighs_what_the_decoder_says() -> None:
    table = lexicon(("yr", "calendar year", 0.4), ("yr", "year", 0.3), ("a bit of", "some", 0.5))
    model = Toy({("year",): -2.0, ("calendar",): -0.1})

    def shares(scales: Scales) -> list[float]:
        found = decode(sentences("one yr and a bit of it"), table, model, Partial("", scales=scales), assume_spun=True)
        return [r.posterior for r in sorted(found.readings, key=lambda r: table.active[r.entry].original)]

    calendar, some, year = shares(AS_THEY_ARE)
    longer = shares(Scales(length=2.0))  # of "calendar year" a word more than stands there, of "some" two fewer
    assert longer[0] > calendar and longer[1] < some and longer[2] < year
    assert shares(Scales(length=-2.0))[0] < calendar
    assert shares(Scales(channel=3.0))[0] / shares(Scales(channel=3.0))[2] > calendar / year
    assert shares(Scales(language=3.0))[0] / shares(Scales(language=3.0))[2] < calendar / year


CLEAN = "The war against the man who knows how to trade was a war. " * 4
SPUN = "The struggle in opposition to the man who is aware of find out how to commerce. " * 4


def test_only_blocks_that_look_spun_are_ranked_unless_all_are_taken_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BLOCK", 60)
    table = Lexicon([*ARTICLE.entries, Entry("war", "wars", 0.01)])
    for text, assume_spun, heard in ((CLEAN, False, 0), (CLEAN, True, 1), (SPUN, False, 2), (CLEAN + SPUN, False, 2)):
        listener = Listener()
        decode(sentences(text), table, Even(), listener, assume_spun=assume_spun)
        assert len(listener.heard) == heard, text
    listener = Listener()
    decode(sentences(CLEAN), table, Even(), listener)
    assert not listener.heard


@pytest.mark.parametrize(
    ("block", "sizes"), [(1, [4, 4, 4, 4, 4]), (7, [4, 4, 4, 4, 4]), (8, [8, 8, 4]), (11, [8, 8, 4]), (12, [12, 8])]
)
def test_blocks_are_as_many_whole_sentences_as_fit(
    monkeypatch: pytest.MonkeyPatch, block: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(decoding, "BLOCK", block)
    made = [
        sum(len(sentence.tokens) for sentence in group) for group in decoding._blocks(sentences("One two three. " * 5))
    ]
    assert made == sizes


def test_names_are_known_by_their_capitals_but_not_at_a_sentences_start() -> None:
    table = lexicon(("america", "the United States", 0.5), ("invoice", "Bill", 0.5))
    found = decode(
        sentences("It is so. America wins. In America we win. Invoice went, invoice and Invoice."), table, Even()
    )
    assert [(r.tokens[0].text, table.active[r.entry].original) for r in found.readings] == [
        ("America", "the United States"),
        ("Invoice", "Bill"),
        ("Invoice", "Bill"),
    ]


def test_in_a_mixed_text_apostrophes_tell_who_wrote_a_word() -> None:
    table = lexicon(("it's", "it is", 0.5))
    straight, mixed = (decode(sentences(text), table, Even()) for text in ("Don't, it's", "Don\u2019t, it's"))
    assert mixed.gains[-1] < straight.gains[-1]


def test_the_language_model_chooses_between_originals() -> None:
    table = lexicon(("commerce", "trade", 0.3), ("commerce", "business", 0.3))
    talks = Toy({("trade", "talks"): -1.0, ("business", "lunch"): -1.0})
    assert best(decode(sentences("the commerce talks"), table, talks), table) == [("commerce", "trade")]
    assert best(decode(sentences("the commerce lunch"), table, talks), table) == [("commerce", "business")]


def test_the_model_sees_across_a_restored_word_in_both_directions() -> None:
    table = lexicon(("b", "x", 0.5), ("c", "y", 0.5))
    both = Toy({("x", "y"): 0.0, ("a", "x", "y"): 0.0, ("x", "y", "d"): 0.0, ("b", "y"): -20.0, ("x", "c"): -20.0})
    assert best(decode(sentences("a b c d"), table, both), table) == [("b", "x"), ("c", "y")]


def test_rates_choose_where_the_model_does_not() -> None:
    table = lexicon(("struggle", "war", 0.2), ("struggle", "fight", 0.6))
    found = decode(sentences("a struggle there"), table, Toy())
    assert posterior(found, table, "struggle", "fight") > posterior(found, table, "struggle", "war")


def test_a_standing_head_is_evidence_that_it_came_from_elsewhere() -> None:
    """Were "struggle" original, a spinner that always replaces it would have done so."""
    spun = [("is aware of", "knows", 0.9), ("in opposition to", "against", 0.9), ("find out how to", "how to", 0.9)]
    alone = lexicon(*spun, ("struggle", "war", 0.3))
    headed = lexicon(*spun, ("struggle", "war", 0.3), ("wrestle", "struggle", 0.95))
    text = sentences("a struggle there is aware of find out how to go on for a yr in opposition to all")
    without = posterior(decode(text, alone, Toy()), alone, "struggle", "war")
    assert posterior(decode(text, headed, Toy()), headed, "struggle", "war") > without + 0.2


def test_nothing_is_restored_twice() -> None:
    """ "b" was "a" and "c" was "b": "c" is read as "b" and never as "a", however well "a" fits."""
    table = lexicon(("b", "a", 0.9), ("c", "b", 0.9))
    found = compare("x c y", table, Toy({("a",): 0.0}))
    assert [(r.tokens[0].text, table.active[r.entry].original) for r in found.readings] == [("c", "b")]


def test_a_long_swap_beats_the_two_that_lie_in_it_if_it_explains_more() -> None:
    market = Toy({("real", "estate"): -0.1, ("estate", "market"): -2.0})
    found = compare("the actual property market", ARTICLE, market)
    assert best(found, ARTICLE) == [("actual property", "real estate")]


def test_readings_say_where_a_sentence_starts() -> None:
    found = decode(sentences("Struggle on. The struggle."), ARTICLE, Toy())
    assert [r.at_sentence_start for r in found.readings] == [True, False]


def test_a_name_is_restored_only_where_a_capital_stands() -> None:
    """The spinner carries capitals over: "US" may have been "United States", "us" was not."""
    table = lexicon(("us", "United States", 0.9), ("yankee", "American", 0.9))
    found = decode(sentences("They told us that the US had Yankee rigour, not yankee luck."), table, Toy())
    assert [r.tokens[0].text for r in found.readings] == ["US", "Yankee"]


def test_spans_are_those_of_the_text() -> None:
    assert decode(sentences("He stood in opposition\nto it."), ARTICLE, Toy()).readings == ()  # two paragraphs
    text = "He stood\u2014in\u00a0opposition  to it."
    (reading,) = decode(sentences(text), ARTICLE, Toy()).readings
    assert text[reading.tokens[0].start : reading.tokens[-1].end] == "in\u00a0opposition  to"


USUAL = Toy(dict.fromkeys([(word,) for entry in ARTICLE.entries for word in entry.original.split()], -2.0))


def test_a_clean_text_gains_nothing_from_having_been_spun() -> None:
    found = decode(sentences("He knows how to stand against war, while real estate is up this year."), ARTICLE, USUAL)
    assert max(found.gains) < 0.0
    assert list(found.gains) == sorted(found.gains, reverse=True)


def test_a_spun_text_gains_most_at_a_high_rate() -> None:
    text = "He is aware of find out how to stand in opposition to struggle, whereas actual property is up this yr."
    found = decode(sentences(text), ARTICLE, USUAL)
    assert int(np.argmax(found.gains)) == len(SPIN_RATES) - 1
    assert found.gains[-1] > 10.0


def test_blocks_are_held_or_made_again_and_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BLOCK", 50)
    whole = decode(sentences(LONG), ARTICLE, Fickle())
    monkeypatch.setattr(decoding, "HELD", 0)
    assert decode(sentences(LONG), ARTICLE, Fickle()) == whole
    monkeypatch.setattr(decoding, "HELD", 99)
    assert decode(sentences(LONG), ARTICLE, Fickle()) == whole


def test_held_blocks_are_let_go_as_they_are_read_and_made_again_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BLOCK", 50)
    blocks = Blocks(lambda: sentences(LONG), ARTICLE, Fickle())
    held = [weakref.ref(block) for block in blocks._held]
    first = []
    for number, some in enumerate(blocks.readings(UNRANKED)):
        first.append(some)
        assert sum(block() is not None for block in held) == max(0, len(held) - number)
    assert len(first) > len(held) == HELD
    assert list(blocks.readings(UNRANKED)) == first


def test_a_text_without_a_match_has_one_reading_and_loses_by_its_heads() -> None:
    heads = lexicon(("struggle", "war", 0.6), ("fray", "war", 0.3))
    found = compare("the war and the war", heads, Toy())
    assert found.readings == ()
    assert found.gains[-1] == pytest.approx(2 * math.log(0.1))


def test_a_text_of_heads_alone() -> None:
    text = " ".join(["war", "real estate", "against", "business"] * 500)
    found = decode(sentences(text), ARTICLE, Toy())
    assert found.readings == ()
    assert found.words == 2500
    assert np.isfinite(found.gains).all() and max(found.gains) < 0.0


def test_an_empty_document() -> None:
    assert decode([], ARTICLE, Toy()) == Decoding((), (0.0,) * len(SPIN_RATES), 0)
    assert decode([], Lexicon([]), Toy()).readings == ()


def test_words_are_counted_and_punctuation_is_not() -> None:
    assert decode(sentences("One, two... three! (Four)"), ARTICLE, Toy()).words == 4


SIDES = lexicon(("aspect", "side", 0.4), ("flank", "side", 0.4), ("aspect", "facet", 0.4), ("angle", "facet", 0.4))
EVEN_SIDES = Toy({("one", "side"): -1.0, ("one", "facet"): -1.0, ("his", "side"): 0.0, ("his", "flank"): -9.0})


def chance_of_side(context: str, ambiguous: str = "look at one aspect now.") -> float:
    found = compare(f"{context} {ambiguous}".strip(), SIDES, EVEN_SIDES)
    return [r.posterior for r in found.readings if SIDES.active[r.entry].original == "side"][-1]


def test_a_document_gives_a_head_one_alternate() -> None:
    alone = chance_of_side("")
    assert chance_of_side("keep his aspect up.") > alone + 0.05
    assert chance_of_side("keep his aspect up. take his aspect in.") > chance_of_side("keep his aspect up.")
    assert chance_of_side("keep his flank up.") < alone - 0.05


def test_a_capitalised_head_chooses_for_itself() -> None:
    lower, upper = "look at one aspect now.", "look at one Aspect now."
    assert chance_of_side("keep his flank up.", upper) == pytest.approx(chance_of_side("", upper))
    assert chance_of_side("keep his Flank up.", upper) < chance_of_side("", upper) - 0.05
    assert chance_of_side("keep his Flank up.", lower) == pytest.approx(chance_of_side("", lower))


def test_a_match_does_not_confirm_itself() -> None:
    """Seen once, an alternate has the lexicon's rate, whatever its own posterior."""
    table = lexicon(("struggle", "war", 0.1), ("struggle", "fight", 0.1))
    model = Toy({("war",): -4.0})
    every = Enumeration.of(sentences("a struggle there"), table, model)
    found = decode(sentences("a struggle there"), table, model)
    at = SPIN_RATES[int(np.argmax(found.gains))]
    assert [r.posterior for r in found.readings] == pytest.approx(every.posteriors(at, every.rates())[0])


LONG = "The struggle in opposition to actual property is aware of no yr. " * 40


def test_blocks_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    # What a document shares is shared within a block only.
    monkeypatch.setattr(decoding._Block, "_document_rates", lambda block, posterior: block.rates)
    whole = decode(sentences(LONG), ARTICLE, Fickle())
    monkeypatch.setattr(decoding, "BLOCK", 50)
    parts = decode(sentences(LONG), ARTICLE, Fickle())
    assert parts.words == whole.words
    assert parts.gains == pytest.approx(whole.gains)
    assert [(r.tokens, r.entry, r.is_best) for r in parts.readings] == [
        (r.tokens, r.entry, r.is_best) for r in whole.readings
    ]
    assert [r.posterior for r in parts.readings] == pytest.approx([r.posterior for r in whole.readings])


def test_a_sentence_longer_than_a_block_is_decoded_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    text = LONG.replace(".", ",")
    whole = decode(sentences(text), ARTICLE, Fickle())
    monkeypatch.setattr(decoding, "BLOCK", 5)
    assert decode(sentences(text), ARTICLE, Fickle()) == whole


def test_long_runs_of_candidates_are_cut_with_little_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    text = sentences(" ".join(["struggle", "yr", "actual property", "and", "enterprise offers"] * 60))
    cut = decode(text, ARTICLE, Fickle())
    monkeypatch.setattr(regions, "LONGEST_REGION", 10**9)
    whole = decode(text, ARTICLE, Fickle())
    away = [abs(a.posterior - b.posterior) for a, b in zip(cut.readings, whole.readings, strict=True)]
    assert float(np.mean(away)) < 0.01
    agree = [a.is_best == b.is_best for a, b in zip(cut.readings, whole.readings, strict=True)]
    assert sum(agree) > 0.98 * len(agree)


@pytest.mark.parametrize("text", ["struggle ", "The struggle of the enterprise offers. ", "quiet words go by ", "war "])
def test_time_is_linear_in_the_text(text: str) -> None:
    def seconds(copies: int) -> float:
        given = sentences(text * copies)
        gc.collect()
        gc.disable()
        began = time.process_time()
        decode(given, ARTICLE, Even())
        taken = time.process_time() - began
        gc.enable()
        return taken

    few = 8_000 // len(text.split())
    seconds(few)
    assert min(seconds(8 * few) for _ in range(2)) < 8 * 3 * max(0.01, min(seconds(few) for _ in range(3)))


def test_decoding_is_repeatable() -> None:
    first: tuple[Reading, ...] = decode(sentences(LONG), ARTICLE, Fickle()).readings
    assert decode(sentences(LONG), ARTICLE, Fickle()).readings == first
