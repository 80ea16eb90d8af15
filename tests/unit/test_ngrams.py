"""The packed trigram model: compiled, read back, and refused when damaged."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from unspin import ngrams
from unspin.errors import FormatError, InputError
from unspin.language import START, UNKNOWN_SHARE, LanguageModel, unknown
from unspin.ngrams import MAGIC, STEP, compile_trigrams, load

TEXT = """\
The old miller walks to the river. The river runs to the sea, and the sea is wide. The miller sees the sea.
An old boat lies by the river. The old boat is wide and the old miller is slow. The miller walks by the boat.
"""
WORDS = ("the", "old", "miller", "walks", "to", "river", ".", "runs", "sea", ",", "and", "is", "wide", "boat", "by")


@cache
def compiled() -> bytes:
    return compile_trigrams([TEXT] * 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "tiny.ngrams"
    target.write_bytes(compiled())
    return target


def model(path: Path, *texts: str, held_out: Sequence[str] = ()) -> LanguageModel:
    target = path / "m.ngrams"
    target.write_bytes(compile_trigrams(texts, held_out=held_out))
    return load(target)


def chances(of: LanguageModel, *contexts: tuple[str, str, str]) -> list[float]:
    """P(third | first, second); an empty word is no word."""
    words = sorted({word for context in contexts for word in context if word})
    rows = [[words.index(word) if word else -1 for word in context] for context in contexts]
    return [math.exp(score) for score in of.score(words, np.asarray(rows))]


@pytest.mark.parametrize("history", [
    ("", ""), ("", START), (START, "the"), ("the", "old"), ("old", "boat"), ("to", "the"), ("sea", "wide"),
    ("", "the"), ("unheard", "of"), ("unheard", "the"),
])  # fmt: skip
def test_the_words_of_a_history_share_one(path: Path, history: tuple[str, str]) -> None:
    """Up to what is left for unknown words, and to the byte that a probability is stored in."""
    words = json.JSONDecoder().raw_decode(compiled()[len(MAGIC) + 8 :].decode("latin-1"))[0]["words"]
    total = sum(chances(load(path), *((*history, word) for word in words if word != START)))
    assert total == pytest.approx(1.0, abs=STEP)


def test_what_was_read_is_likelier_than_what_was_not(path: Path) -> None:
    packed = load(path)
    seen, unseen = chances(packed, ("the", "old", "miller"), ("the", "old", "sea"))
    assert seen > 3 * unseen
    longer, shorter = chances(packed, ("the", "old", "boat"), ("", "", "boat"))
    assert longer > shorter
    first, inside = chances(packed, ("", START, "the"), ("by", "walks", "the"))
    assert first > inside


def test_a_longer_history_counts_where_it_was_seen(path: Path) -> None:
    packed = load(path)
    after_to, after_by = chances(packed, ("to", "the", "river"), ("by", "the", "boat"))
    anywhere, boat = chances(packed, ("", "the", "river"), ("", "the", "boat"))
    assert after_to > anywhere and after_by > boat


def test_unknown_words_fall_back_by_frequency(path: Path) -> None:
    packed = load(path)
    common, rare, none = chances(packed, ("", "", "government"), ("", "", "gubernatorial"), ("", "", "xqzzy"))
    assert common > rare > none > 0.0
    assert rare == pytest.approx(math.exp(unknown("gubernatorial")))
    assert common < math.exp(UNKNOWN_SHARE)
    (known,) = chances(packed, ("", "", "boat"))
    assert known > common


def test_an_unknown_history_is_no_history(path: Path) -> None:
    packed = load(path)
    none, unheard, far = chances(packed, ("", "", "boat"), ("", "xqzzy", "boat"), ("the", "xqzzy", "boat"))
    assert none == unheard == far


def test_scores_do_not_hang_on_the_order_or_company_of_rows(path: Path) -> None:
    packed = load(path)
    rows = [("the", "old", word) for word in WORDS]
    assert chances(packed, *rows) == [chances(packed, row)[0] for row in rows]
    assert chances(packed, *rows[::-1]) == chances(packed, *rows)[::-1]


def test_two_readers_of_one_file_agree_and_its_name_and_content_make_the_digest(path: Path, tmp_path: Path) -> None:
    first, second = load(path), load(path)
    row = ("the", "old", "miller")
    assert chances(first, row) == chances(second, row)
    assert first.digest == second.digest
    assert first.digest.startswith("tiny-")
    assert model(tmp_path, TEXT.replace("old", "new") * 3).digest.split("-")[1] != first.digest.split("-")[1]


def test_compiling_is_repeatable_whatever_the_cuts_between_texts() -> None:
    assert compile_trigrams([TEXT] * 3) == compiled()
    assert compile_trigrams([TEXT * 3]) == compiled()


def test_held_out_paragraphs_are_left_out(tmp_path: Path) -> None:
    other = "A fox jumps over the lazy dog and over the lazy cat and over the wall of the garden. " * 3
    spared = model(tmp_path, f"{TEXT}{other}\n" * 3, held_out=["So: " + other[:80]])
    same = model(tmp_path, TEXT * 3)
    rows = [("the", "lazy", "dog"), ("", "", "lazy"), ("the", "old", "miller")]
    assert chances(spared, *rows) == chances(same, *rows)
    full = model(tmp_path, f"{TEXT}{other}\n" * 3, held_out=["The old fox walks to the wall, and over."])
    assert chances(full, rows[0])[0] > 10 * chances(same, rows[0])[0]


@pytest.mark.parametrize("text", ["", "One.", "No word of this comes three times.", "a cat sat. a dog sat. a cow sat."])
def test_a_text_too_small_to_tell_anything_still_makes_a_model(tmp_path: Path, text: str) -> None:
    found = chances(model(tmp_path, text), ("", "", "cat"), ("", START, "the"), ("the", "cat", "sat"))
    assert all(0.0 < chance <= 1.0 for chance in found)


def test_no_rows_no_scores(path: Path) -> None:
    assert len(load(path).score(["the"], np.zeros((0, 3), dtype=np.int64))) == 0


def test_only_so_many_words_and_ngrams_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "TRIGRAMS", 3)
    monkeypatch.setattr(ngrams, "BIGRAMS", 10)
    small = compile_trigrams([TEXT] * 3)
    assert len(small) < len(compiled())
    monkeypatch.setattr(ngrams, "VOCABULARY", 5)
    assert len(compile_trigrams([TEXT] * 3)) < len(small)
    (tmp_path / "small.ngrams").write_bytes(small)
    assert sum(chances(load(tmp_path / "small.ngrams"), *(("", "the", w) for w in WORDS))) <= 1 + STEP


def test_progress_is_reported(tmp_path: Path) -> None:
    stages: list[str] = []
    compile_trigrams([TEXT] * 3, progress=lambda stage, done, total: stages.append(stage))
    assert stages[:3] == ["read"] * 3
    assert set(stages) == {"read", "bigrams", "trigrams"}


def damaged(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        load(path)
    assert caught.value.path == str(path)


def test_a_file_of_another_kind_or_version_is_refused(path: Path) -> None:
    damaged(path, b"\x00" * 1000)
    damaged(path, b"some text\n")
    damaged(path, MAGIC.replace(b"-1", b"-0") + compiled()[len(MAGIC) :])


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(path: Path, share: float) -> None:
    damaged(path, compiled()[: int(len(compiled()) * share)])


def test_a_file_cut_after_its_magic_is_refused(path: Path) -> None:
    for size in range(len(MAGIC), len(MAGIC) + 12):
        damaged(path, compiled()[:size])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"words"', b'{"w\xffrds"'),
        (b'{"words"', b'{"worms"'),
        (b'"sizes"', b'"sizzs"'),
        (b'"digest"', b'"digits"'),
        (b'"bigram_word": ', b'"bigram_word":-'),
        (b'{"words": [', b'["words", [['),
    ],
)
def test_a_damaged_header_is_refused(path: Path, old: bytes, new: bytes) -> None:
    assert old in compiled()
    damaged(path, compiled().replace(old, new, 1))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.ngrams").touch()
    for name in ("missing.ngrams", "empty.ngrams", "."):
        with pytest.raises(InputError, match="cannot be read"):
            load(tmp_path / name)
