"""Find the original that best explains a text: P(original) x P(text | original, spin rate), exactly.

In come sentences, a lexicon and a language model; out go the spin evidence, every possible swap with its
posterior, and the best reading. Nothing is refused: a text without a single match has one reading, itself.

Every way to undo swaps is a path through a lattice of words. The language model sees two words back, so the
lattice's nodes are pairs of neighbouring words and its arcs are trigrams; two unambiguous words in a row make
the pair certain, and there the lattice falls apart into short, independent *regions*. All trigrams
of all regions are scored at once, and all regions are summed (forward-backward) side by side. Within one
document the spinner gives a head one alternate everywhere, so the sums are taken twice: the second time
with the rates that the first found for this document, and with a ranker's view of the context that it restored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspin.channel import SPIN_RATES, find, is_mixed, keep_cost, rates_shown, swap_cost, written
from unspin.language import LanguageModel
from unspin.lattice import Floats, Ints, Lattice, join
from unspin.lexicon import Lexicon
from unspin.model import Sentence, Token
from unspin.rank import AS_THEY_ARE, UNRANKED, Context, Ranker, Scales
from unspin.regions import END, OPTION, Emissions, Words, emissions

BLOCK = 20_000  # tokens decoded together; bounds memory, and a spinner's choices are shared within it
HELD = 8  # blocks of a document, which take some ten megabytes each
CONSISTENCY = 1.0  # how many occurrences the lexicon's rates count for against the document's own


class Reading(NamedTuple):
    """A swap that could be undone: tokens `[start, end)` of `tokens`, entry of `Lexicon.active`."""

    tokens: tuple[Token, ...]
    entry: int
    posterior: float
    is_best: bool  # lies on the best path
    at_sentence_start: bool
    prior: float | None = None  # the posterior of the first pass: before a ranker, and the document's other swaps


@dataclass(frozen=True, slots=True)
class Decoding:
    """All readings of a text, and the log-likelihood gain over "not spun" per spin rate of SPIN_RATES."""

    readings: tuple[Reading, ...]
    gains: tuple[float, ...]
    words: int


class _Block:
    """Some sentences with everything that decoding needs, for any spin rate and any rates."""

    def __init__(self, sentences: Sequence[Sentence], lexicon: Lexicon, model: LanguageModel, *, mixed: bool) -> None:
        self.lexicon = lexicon
        self.tokens: list[Token] = [token for sentence in sentences for token in sentence.tokens]
        words = Words([[token.norm for token in sentence.tokens] for sentence in sentences], lexicon)
        self.starts = frozenset(words.starts.tolist())
        self.found, self.heads = written(
            self.tokens, self.starts, *find(words.known, words.stop, lexicon), lexicon, mixed=mixed
        )
        if self.found:
            self._link(words, emissions(words, self.found), model)

    def _link(self, words: Words, laid: Emissions, model: LanguageModel) -> None:
        """Join emissions into pairs (nodes) and pairs into trigrams (arcs), and score these."""
        word, token = laid.word, laid.token
        left, right = join(laid.end, laid.start, len(laid.depth))
        source, target = join(right, left, len(word))
        self.lattice = Lattice(source, target, laid.depth[laid.end[right]])
        self.first, self.begin, self.end = laid.first, laid.begin, laid.stop
        self.is_first = token >= 0
        self.is_first[self.first] = True
        self.emission = right[target]  # per arc, the emission it ends in
        is_option = token == OPTION
        self.is_unspun = ~(is_option[left[source]] | is_option[left[target]] | is_option[self.emission])
        self.words, self.word, self.size = words.words, word, len(word)
        self.score = self._score(np.stack([word[left[source]], word[left[target]], word[self.emission]], axis=1), model)
        self.begins = np.flatnonzero(np.bincount(target, minlength=len(left)) == 0)
        is_covered = np.zeros(len(words), dtype=bool)
        is_covered[laid.begin[laid.begin >= 0]] = True
        self.outside = ~is_covered[self.heads.end - 1]
        self._place_heads(np.stack([token[left[source]], token[left[target]], token[self.emission]], axis=1))
        table = self.lexicon.arrays
        self.rates = table.rate[self.found.entry]
        self.longer = table.size[self.found.entry] - (self.found.end - self.found.start)

    def _score(self, trigrams: Ints, model: LanguageModel) -> Floats:
        asked = trigrams[:, 2] != END
        size = len(self.words) + 1
        keys = ((trigrams[asked, 0] + 1) * size + trigrams[asked, 1] + 1) * size + trigrams[asked, 2] + 1
        unique, place = np.unique(keys, return_inverse=True)
        rows = np.stack([unique // size // size, unique // size % size, unique % size], axis=1) - 1
        scores = np.zeros(len(trigrams))
        scores[asked] = model.score(self.words, rows)[place]
        return scores

    def _place_heads(self, kept_by: Ints) -> None:
        """On which arcs each standing head must be paid for: where its last (three) words are all kept."""
        last = self.heads.end - 1
        size = np.minimum(3, self.heads.end - self.heads.start)
        candidates = np.flatnonzero(kept_by[:, 2] >= 0)
        number, row = join(last, kept_by[candidates, 2], len(self.tokens))
        arc = candidates[row]
        intact = ~self.outside[number]
        intact &= (size[number] < 2) | (kept_by[arc, 1] == last[number] - 1)
        intact &= (size[number] < 3) | (kept_by[arc, 0] == last[number] - 2)
        self.head_arcs, self.head_of_arc = arc[intact], number[intact]

    def _weights(
        self, spin_rates: Sequence[float], rates: Floats, scales: Scales = AS_THEY_ARE
    ) -> tuple[Floats, Floats]:
        """Log-weights per arc and spin rate, shape (arcs, n), and what the heads outside all regions cost."""
        costs = np.zeros((self.size, len(spin_rates)))
        keep = np.empty((len(self.heads.kept), len(spin_rates)))
        for column, spin_rate in enumerate(spin_rates):
            costs[self.first, column] = scales.channel * swap_cost(rates, spin_rate) + scales.length * self.longer
            keep[:, column] = scales.keep * keep_cost(self.heads.kept, spin_rate)
        weights = costs[self.emission]
        weights += scales.language * self.score[:, None]
        np.add.at(weights, self.head_arcs, keep[self.head_of_arc])
        return weights, keep[self.outside].sum(axis=0)

    def gains(self, spin_rates: Sequence[float]) -> Floats:
        """ln P(block | spin rate) - ln P(block | not spun), per spin rate above 0."""
        if not self.found:
            return np.asarray([float(keep_cost(self.heads.kept, rate).sum()) for rate in spin_rates])
        weights, outside = self._weights(spin_rates, self.rates)
        spun = self.lattice.backward(weights)[self.begins].sum(axis=0) + outside
        gains: Floats = spun - self.score[self.is_unspun].sum()
        return gains

    def decode(self, spin_rate: float, ranker: Ranker) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Per match its posterior after each of two passes, and whether it lies on the best path."""
        arcs = self.lattice.posteriors(self._weights([spin_rate], self.rates)[0][:, 0])
        prior = self._per_match(arcs)
        rates = self._document_rates(prior)
        weights = self._weights([spin_rate], rates, ranker.scales)[0][:, 0]
        weights += ranker.score(self._context(arcs))[self.emission]
        posterior = self._per_match(self.lattice.posteriors(weights))
        on_path = np.zeros(self.size, dtype=bool)
        on_path[self.emission[self.lattice.best(weights)]] = True
        return prior, posterior, on_path[self.first]

    def _context(self, arcs: Floats) -> Context:
        return Context(
            tokens=self.tokens,
            starts=sorted(self.starts),
            words=self.words,
            word=self.word,
            begin=self.begin,
            end=self.end,
            share=np.bincount(self.emission, weights=arcs, minlength=self.size).astype(np.float64),
            is_first=self.is_first,
            found=self.found,
            first=self.first,
            lexicon=self.lexicon,
        )

    def _per_match(self, arcs: Floats) -> Floats:
        return np.bincount(self.emission, weights=arcs, minlength=self.size)[self.first].astype(np.float64)

    def _document_rates(self, posterior: Floats) -> Floats:
        """The rates this document shows: a head that was given one alternate gets no other."""
        upper = np.asarray([self.tokens[start].text[:1].isupper() for start in self.found.start.tolist()])
        return rates_shown(self.found.entry, upper, posterior, self.lexicon, weight=CONSISTENCY)


def _blocks(sentences: Iterable[Sentence]) -> Iterator[list[Sentence]]:
    block: list[Sentence] = []
    size = 0
    for sentence in sentences:
        if block and size + len(sentence.tokens) > BLOCK:
            yield block
            block, size = [], 0
        block.append(sentence)
        size += len(sentence.tokens)
    if block:
        yield block


class Blocks:
    """A document in blocks: how much each gains at each spin rate, and what it may have read as.

    `gains` and `words` are those of the whole. Most documents are one block; of those that are more, only the first
    ones are held, until their readings are asked for; the others are made again then. `sentences` gives the same ones
    each time.
    """

    def __init__(self, sentences: Callable[[], Iterable[Sentence]], lexicon: Lexicon, model: LanguageModel) -> None:
        self._sentences, self._stages = sentences, (lexicon, model)
        self._mixed = is_mixed(token for sentence in sentences() for token in sentence.tokens)
        self._held: list[_Block] = []
        self._gains: list[Floats] = []  # of each block
        total = np.zeros(len(SPIN_RATES))
        self.words = 0
        for number, block in enumerate(self._made()):
            self.words += sum(token.is_word for token in block.tokens)
            self._gains.append(block.gains(SPIN_RATES))
            total += self._gains[-1]
            if number < HELD:
                self._held.append(block)
        self.gains: tuple[float, ...] = tuple(total.tolist())

    def _made(self, first: int = 0) -> Iterator[_Block]:
        for group in islice(_blocks(self._sentences()), first, None):
            yield _Block(group, *self._stages, mixed=self._mixed)

    def _again(self) -> Iterator[_Block]:
        """All blocks once more; those that were held are let go, one after the other."""
        held, self._held = self._held[::-1], []
        first = len(held)
        while held:
            yield held.pop()
        yield from self._made(first)

    def readings(self, ranker: Ranker, *, assume_spun: bool = False) -> Iterator[tuple[Reading, ...]]:
        """The readings of each block in turn, at its own best rate.

        A block that does not look spun at all is not ranked, for most text is clean, unless `assume_spun` denies that.
        """
        for block, gain in zip(self._again(), self._gains, strict=True):
            if block.found:
                asked = ranker if assume_spun or gain.max() > 0.0 else UNRANKED
                yield tuple(_readings(block, *block.decode(SPIN_RATES[int(np.argmax(gain))], asked)))


def _readings(block: _Block, prior: Floats, posterior: Floats, is_best: NDArray[np.bool_]) -> Iterator[Reading]:
    columns = (prior.tolist(), posterior.tolist(), is_best.tolist())
    for (start, end, entry), before, after, chosen in zip(block.found, *columns, strict=True):
        tokens = tuple(block.tokens[start:end])
        yield Reading(tokens, entry, min(1.0, after), chosen, start in block.starts, min(1.0, before))


def decode(
    sentences: Sequence[Sentence],
    lexicon: Lexicon,
    model: LanguageModel,
    ranker: Ranker = UNRANKED,
    *,
    assume_spun: bool = False,
) -> Decoding:
    """Decode a document: its gains at each spin rate, and all readings, as `Blocks` gives them."""
    blocks = Blocks(lambda: sentences, lexicon, model)
    readings = chain.from_iterable(blocks.readings(ranker, assume_spun=assume_spun))
    return Decoding(tuple(readings), blocks.gains, blocks.words)
