"""A trigram model in a few megabytes: compiled from clean text, packed, memory-mapped.

In comes clean text (to compile) or a packed file (to score); a file of another kind or version is
refused. The estimate is absolute discounting, interpolated; the trigrams and bigrams kept are those
whose loss would cost the training text most (Stolcke, "Entropy-based pruning of backoff language
models", 1998); probabilities are stored in a byte each, 1/16 nat apart.

Layout: MAGIC, a JSON header padded to 64 bytes, then the arrays it lists, little-endian, 8-byte aligned.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspin.backoff import BackoffTrigrams, Level, level_keys
from unspin.errors import FormatError, InputError
from unspin.language import START, UNKNOWN_SHARE
from unspin.lattice import Floats, Ints
from unspin.lexicon import Phrase
from unspin.model import Paragraph, Progress
from unspin.text import phrase, segment

MAGIC = b"unspin-ngrams-1\n"
STEP = 1 / 16  # nats between two stored values; 255 of them reach -15.9
VOCABULARY = 65_000  # words; numbers must fit 16 bits
BIGRAMS, TRIGRAMS = 600_000, 2_800_000  # what fits 15 MB
DISCOUNT = 0.75
HELD_OUT_RUN = 10  # tokens in a row that two texts share by copying, hardly by chance
BACKOFF_ZERO = 40  # a back-off weight may be a little above 1: 0 nats is stored as this
_ARRAYS = {
    "unigram": "<u1",  # per word: -ln P / STEP
    "unigram_backoff": "<u1",
    "bigram_start": "<u4",  # per word, its first bigram; one more than words
    "bigram_word": "<u2",
    "bigram": "<u1",
    "bigram_backoff": "<u1",
    "trigram_start": "<u4",  # per bigram, its first trigram; one more than bigrams
    "trigram_word": "<u2",
    "trigram": "<u1",
}


def shipped() -> Path:
    """The packed model that this package ships."""
    return Path(str(resources.files("unspin"))) / "models" / "en.ngrams"


def load(path: Path) -> BackoffTrigrams:
    """The model in a packed file; the file is mapped, not read, so that processes share it."""
    header, arrays = _map(path)
    try:
        bigrams = level_keys(arrays["bigram_start"], arrays["bigram_word"])
        trigrams = level_keys(arrays["trigram_start"], arrays["trigram_word"])
    except ValueError as error:
        raise FormatError(path, f"damaged packed trigram model: {error}") from error
    values = -STEP * np.arange(256.0)
    backoffs = values + STEP * BACKOFF_ZERO
    return BackoffTrigrams(
        digest=f"{path.stem}-{header['digest']}",
        numbers={word: number for number, word in enumerate(header["words"])},
        unigram=values[arrays["unigram"]],
        unigram_backoff=backoffs[arrays["unigram_backoff"]],
        bigram=Level(bigrams, arrays["bigram"], values),
        bigram_backoff=(arrays["bigram_backoff"], backoffs),
        trigram=Level(trigrams, arrays["trigram"], values),
    )


def _map(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r")
    except (OSError, ValueError) as error:
        raise InputError(path, f"cannot be read as a language model ({error})") from error
    start = len(MAGIC) + 8
    if data[: len(MAGIC)].tobytes() != MAGIC:
        raise FormatError(path, "not a packed trigram model of this version")
    size = int.from_bytes(data[len(MAGIC) : start].tobytes(), "little")
    try:
        header = json.loads(data[start : start + size].tobytes())
        if not (header.keys() >= {"words", "sizes", "digest"} and {*map(type, header["words"])} == {str}):
            raise ValueError("an incomplete header")
        arrays, place = {}, _aligned(start + size)
        for name, dtype in _ARRAYS.items():
            count = header["sizes"][name]
            end = place + count * np.dtype(dtype).itemsize
            arrays[name] = data[place:end].view(dtype)
            if len(arrays[name]) != count:
                raise ValueError(f"{name} is cut short")
            place = _aligned(end)
        _check(len(header["words"]), arrays)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(path, f"damaged packed trigram model: {error}") from error
    return header, arrays


def _check(words: int, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raises ValueError if the arrays of a model of so many words do not fit together."""
    sizes = {name: len(array) for name, array in arrays.items()}
    expected = {"unigram": words, "unigram_backoff": words, "bigram_start": words + 1}
    expected |= dict.fromkeys(("bigram", "bigram_backoff"), sizes["bigram_word"])
    expected |= {"trigram_start": sizes["bigram_word"] + 1, "trigram": sizes["trigram_word"]}
    if not words or any(sizes[name] != size for name, size in expected.items()):
        raise ValueError("its arrays do not fit together")


def _aligned(place: int) -> int:
    return -(-place // 8) * 8


def compile_trigrams(
    texts: Iterable[str],
    *,
    held_out: Iterable[str] = (),
    progress: Progress = lambda stage, done, total: None,
) -> bytes:
    """Count clean texts and pack a trigram model; returns the bytes of its file.

    `texts`: any number of texts of any length; about 30 bytes of memory are needed per word. Paragraphs that
    share a run of ten tokens with one of the `held_out` texts are left out, so that figures measured on those
    are honest.
    """
    running, words = _read(texts, withheld(held_out), progress)
    sizes, arrays = _estimate(running, len(words), progress)
    payload = b"".join(_padded(arrays[name].astype(dtype).tobytes()) for name, dtype in _ARRAYS.items())
    digest = hashlib.sha256("\n".join(words).encode() + payload).hexdigest()[:12]
    header = json.dumps({"words": words, "sizes": sizes, "digest": digest}, ensure_ascii=False).encode()
    start = MAGIC + len(header).to_bytes(8, "little")
    return _padded(start + header) + payload


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (_aligned(len(data)) - len(data))


def withheld(texts: Iterable[str]) -> frozenset[Phrase]:
    """The runs of HELD_OUT_RUN tokens in texts that must stay unseen."""
    return frozenset(run for text in texts for run in _runs(phrase(text)))


def _runs(words: Sequence[str]) -> Iterator[Phrase]:
    return (tuple(words[i : i + HELD_OUT_RUN]) for i in range(len(words) - HELD_OUT_RUN + 1))


def usable(text: str, held_out: Set[Phrase]) -> Iterator[Paragraph]:
    """The paragraphs of a text that share no run with what must stay unseen."""
    for paragraph in segment(text).paragraphs:
        words = [token.norm for sentence in paragraph.sentences for token in sentence.tokens] if held_out else []
        if held_out.isdisjoint(_runs(words)):
            yield paragraph


def _read(texts: Iterable[str], held_out: Set[Phrase], progress: Progress) -> tuple[Ints, list[str]]:
    """The running text as word numbers (0: START, -1: outside the vocabulary), and the words."""
    numbers: dict[str, int] = {START: 0}
    chunks: list[NDArray[np.int32]] = []
    for done, text in enumerate(texts):
        running: list[int] = []
        for paragraph in usable(text, held_out):
            for sentence in paragraph.sentences:
                running.append(0)
                running += [numbers.setdefault(token.norm, len(numbers)) for token in sentence.tokens]
        chunks.append(np.asarray(running, dtype=np.int32))
        progress("read", done + 1, 0)
    running_ = np.concatenate(chunks) if chunks else np.zeros(0, dtype=np.int32)
    counts = np.bincount(running_, minlength=len(numbers))
    common = np.argsort(-counts[1:], kind="stable")[: VOCABULARY - 1] + 1
    common = common[counts[common] >= 3]
    renumber = np.full(len(numbers), -1, dtype=np.int64)
    renumber[0], renumber[common] = 0, np.arange(1, len(common) + 1)
    names = list(numbers)
    return renumber[running_], [START, *(names[n] for n in common.tolist())]


@dataclass(slots=True)
class _Counted:
    """Distinct n-grams, sorted by key, with their counts and interpolated probabilities."""

    key: Ints
    count: Floats
    share: Floats


def _counted(key: Ints, lower: Callable[[Ints], Floats]) -> tuple[_Counted, Ints, Floats]:
    """Count keys (history << 16 | word) and interpolate with the lower order's probabilities.

    Also the distinct histories, and the weight each leaves to the lower order.
    """
    key, count = np.unique(key, return_counts=True)
    history, place = np.unique(key >> 16, return_inverse=True)
    total = np.bincount(place, weights=count)
    left = DISCOUNT * np.bincount(place) / total
    share = (count - DISCOUNT) / total[place] + left[place] * lower(key)
    return _Counted(key, count.astype(np.float64), share), history, left


def _heaviest(gain: Floats, most: int) -> NDArray[np.bool_]:
    """Which entries to keep: those whose removal costs most, `most` at the most, and none that costs nothing."""
    if len(gain) > most:
        return gain > max(0.0, float(np.partition(gain, -most)[-most]))
    return gain > 0.0


def _backoff(history: Ints, share: Floats, lower: Floats, size: int) -> Floats:
    """Per history, what is left for words not kept after it, over what the lower order gives them."""
    kept = np.bincount(history, weights=share, minlength=size)
    below = np.bincount(history, weights=lower, minlength=size)
    ratio: Floats = np.clip(1.0 - kept, 1e-6, 1.0) / np.clip(1.0 - below, 1e-6, 1.0)
    return ratio


def _estimate(running: Ints, size: int, progress: Progress) -> tuple[dict[str, int], dict[str, NDArray[Any]]]:
    word, near = running[1:], running[:-1]
    words = running[running > 0]
    unigram: Floats = np.bincount(words, minlength=size) * (1.0 - math.exp(UNKNOWN_SHARE)) / max(1, len(words))
    unigram = np.maximum(unigram, 1e-9)
    progress("bigrams", 0, 2)
    pairs, _, left = _counted((near << 16 | word)[(near >= 0) & (word > 0)], lambda key: unigram[key & 0xFFFF])
    first, second = pairs.key >> 16, pairs.key & 0xFFFF
    below = left[np.unique(first, return_inverse=True)[1]] * unigram[second]
    keep2 = _heaviest(pairs.count * np.log(pairs.share / below), BIGRAMS)
    backoff1 = _backoff(first[keep2], pairs.share[keep2], unigram[second[keep2]], size)
    progress("trigrams", 1, 2)
    far, near, word = running[:-2], running[1:-1], running[2:]
    usable = (far >= 0) & (near > 0) & (word > 0)
    pair = np.searchsorted(pairs.key, (far << 16 | near)[usable])

    def lower(key: Ints) -> Floats:
        share: Floats = pairs.share[np.searchsorted(pairs.key, second[key >> 16] << 16 | key & 0xFFFF)]
        return share

    triples, history, left = _counted(pair << 16 | word[usable], lower)
    pair, last = triples.key >> 16, triples.key & 0xFFFF
    below = left[np.searchsorted(history, pair)] * lower(triples.key)
    gain = triples.count * np.log(triples.share / below)
    gain[~keep2[pair] | (triples.count < 2)] = -1.0
    keep3 = _heaviest(gain, TRIGRAMS)
    number = np.cumsum(keep2) - 1  # a kept bigram's place among the kept
    place = np.searchsorted(pairs.key, second[pair[keep3]] << 16 | last[keep3])
    model2 = np.where(keep2[place], pairs.share[place], backoff1[second[pair[keep3]]] * unigram[last[keep3]])
    backoff2 = _backoff(number[pair[keep3]], triples.share[keep3], model2, int(keep2.sum()))
    progress("trigrams", 2, 2)
    arrays: dict[str, NDArray[Any]] = {
        "unigram": _code(unigram),
        "unigram_backoff": BACKOFF_ZERO + _code(backoff1),
        "bigram_start": np.searchsorted(first[keep2], np.arange(size + 1)),
        "bigram_word": second[keep2],
        "bigram": _code(pairs.share[keep2]),
        "bigram_backoff": BACKOFF_ZERO + _code(backoff2),
        "trigram_start": np.searchsorted(number[pair[keep3]], np.arange(int(keep2.sum()) + 1)),
        "trigram_word": last[keep3],
        "trigram": _code(triples.share[keep3]),
    }
    for name in arrays:
        if not name.endswith(("start", "word")):
            arrays[name] = np.clip(arrays[name], 0, 255)
    return {name: len(array) for name, array in arrays.items()}, arrays


def _code(share: Floats) -> Ints:
    return np.round(-np.log(share) / STEP).astype(np.int64)
