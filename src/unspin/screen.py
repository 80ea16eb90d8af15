"""A cheap look at a text, before it is decoded: can it be spun at all?

In come a lexicon and a language model, and then texts; out goes, per text, whether it is so surely clean that decoding
would change nothing in it. A naive Bayes classifier over single words: for each word, how much more often it stands in
text that this lexicon's spinner made than in text that the language model knows. Heads become rarer there, their
alternates more frequent; nothing is learned from texts. Nothing is refused.

The threshold favours decoding: a text that is taken for clean is never looked at again, while one that is not costs
only time (`benchmarks/screen.py` counts both).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from weakref import WeakKeyDictionary

import numpy as np

from unspin.language import LanguageModel
from unspin.lattice import Floats
from unspin.lexicon import Lexicon, Phrase
from unspin.text import phrase

THRESHOLD = -0.08  # nats a word; spun texts are above, the lowest of 15,368 that the pairs have by 0.04
DOUBT = 0.5  # nats; short texts vary more, and are decoded rather than passed
LEAST_LEFT = 0.05  # of a word's frequency: no head disappears, for quotations and WORDS IN CAPITALS are spared
MOST = 3.0  # nats that one word can count; an alternate that no clean text has must not decide alone
NEGLIGIBLE = 0.02
LINE = 20  # words; what has fewer is no paragraph that repeats (`unspin.repeats`)
COMPARED = 100  # such lines of which each is compared with each; of more, repeats are looked for, in linear time
ALIKE = 1 / 3  # of the longer line's words: the least of 10,945 repeats, both copies spun, shares more

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+")


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.lower().replace("\u2019", "'"))


class Screen:
    """Tells texts that are surely clean from all others. Immutable; share it between threads."""

    def __init__(self, lexicon: Lexicon, model: LanguageModel) -> None:
        self._weights = dict(_weights(lexicon, model))

    def score(self, text: str) -> float:
        """How much likelier the text's words are in spun text than in clean text, in nats a word, with an allowance
        for short texts; infinite for a text without words."""
        words = words_of(text)
        if not words:
            return math.inf
        total = sum(filter(None, map(self._weights.get, words)))
        return total / len(words) + DOUBT / math.sqrt(len(words))

    def looks_clean(self, text: str) -> bool:
        """Would decoding the text be a waste of time?"""
        return self.score(text) < THRESHOLD


def is_plain(text: str) -> bool:
    """Is there surely nothing else to be found in a clean text: no paragraph like another one, and no spintax?"""
    if "{" in text:
        return False
    found = map(words_of, text.splitlines())
    lines = [frozenset(words) for words in found if len(words) >= LINE]
    if len(lines) > COMPARED:
        return False
    return all(len(one & other) < ALIKE * max(len(one), len(other)) for one, other in combinations(lines, 2))


_made: WeakKeyDictionary[Lexicon, dict[str, Screen]] = WeakKeyDictionary()


def screen(lexicon: Lexicon, model: LanguageModel) -> Screen:
    """The screen of a lexicon and a language model, made once; it takes a fifth of a second."""
    known = _made.setdefault(lexicon, {})
    if model.digest not in known:
        known[model.digest] = Screen(lexicon, model)
    return known[model.digest]


def _weights(lexicon: Lexicon, model: LanguageModel) -> Iterator[tuple[str, float]]:
    """ln P(word in spun text) - ln P(word in clean text), of the words for which this is not next to nothing."""
    spun = [phrase(entry.spun) for entry in lexicon.active]
    heads = dict.fromkeys(lexicon.originals)
    numbers = {word: number for number, word in enumerate(dict.fromkeys(w for p in (*heads, *spun) for w in p))}
    clean, frequencies = _frequencies(heads, numbers, model)
    lost, won = np.zeros(len(numbers)), np.zeros(len(numbers))
    for entry, head, alternate in zip(lexicon.active, lexicon.originals, spun, strict=True):
        swapped = frequencies[head] * entry.rate
        lost[[numbers[word] for word in head]] += swapped
        won[[numbers[word] for word in alternate]] += swapped
    after = np.maximum(clean - lost, LEAST_LEFT * clean) + won
    weights = np.clip(np.log(after / clean), -MOST, MOST)
    for word, weight in zip(numbers, weights.tolist(), strict=True):
        if abs(weight) > NEGLIGIBLE:
            yield word, weight


def _frequencies(
    phrases: Iterable[Phrase], numbers: Mapping[str, int], model: LanguageModel
) -> tuple[Floats, dict[Phrase, float]]:
    """P(word) per word in the order of their numbers, and P(phrase), by the language model without a history."""
    rows = [(-1, -1, number) for number in range(len(numbers))]
    starts: dict[Phrase, int] = {}
    for words in phrases:
        starts[words] = len(rows)
        near = far = -1
        for word in words:
            rows.append((far, near, numbers[word]))
            far, near = near, numbers[word]
    scores = model.score(list(numbers), np.asarray(rows, dtype=np.int64).reshape(-1, 3))
    return np.exp(scores[: len(numbers)]), {
        words: math.exp(scores[start : start + len(words)].sum()) for words, start in starts.items()
    }
