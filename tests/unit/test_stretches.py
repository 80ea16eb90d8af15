"""Which stretches of a text are copied, and which are new."""

from __future__ import annotations

import pytest

from unspin.stretches import ALIGNED, ALIGNS, FUNCTION, aligned, copied, gaps, new, realigned

TEXT = "".join(map(chr, range(1000, 1060)))
OTHER = "".join(map(chr, range(5000, 5060)))
PLAIN = bytes(60)  # content words only


def codes(*parts: tuple[int, int]) -> bytes:
    return b"".join(bytes([code]) * count for code, count in parts)


def in_both(first: str, second: str) -> list[bytearray]:
    return aligned([first, second], [bytes(len(text)) for text in (first, second)])


def test_gaps_lie_between_equal_runs() -> None:
    assert list(gaps("abcdef", "abXdefY")) == [(2, 3, 2, 3), (6, 6, 6, 7)]
    assert list(gaps("ab", "ab")) == []
    assert list(gaps("", "ab")) == [(0, 0, 0, 2)]


def test_symbols_that_align_in_both() -> None:
    first, second = in_both(TEXT, TEXT[:20] + OTHER[:3] + TEXT[23:])
    assert list(first) == list(second) == [1] * 20 + [0] * 3 + [1] * 37
    assert in_both("", TEXT) == [bytearray(), bytearray(60)]


def test_what_aligns_stays_a_function_word() -> None:
    (codes, _) = aligned([TEXT[:6], TEXT[:6]], [bytes([FUNCTION, 0] * 3)] * 2)
    assert list(codes) == [ALIGNS | FUNCTION, ALIGNS] * 3


def test_short_runs_far_from_others_align_by_chance() -> None:
    scattered = "".join(TEXT[n] + OTHER[n : n + 11] for n in range(0, 40, 4))
    assert not any(in_both(TEXT, scattered)[0])
    assert sum(in_both(TEXT, OTHER + TEXT[8:12])[0]) == 4  # a longer one needs no other beside it


def test_long_texts_are_compared_by_pairs_of_symbols() -> None:
    long = "".join(chr(1000 + n % 50_000) for n in range(ALIGNED + 1))
    assert sum(in_both(long, long[::-1])[0]) == 0
    assert sum(in_both(long, long[5000:] + long[:5000])[0]) == len(long)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_what_was_moved_is_found(order: tuple[int, int, int]) -> None:
    parts = TEXT[:20], TEXT[20:40], TEXT[40:]
    found, stretches = realigned([TEXT, "".join(parts[n] for n in order)], [PLAIN, PLAIN])
    assert [sum(side) for side in found] == [60, 60]
    assert all(sum(end - start for start, end, _ in side) == 60 for side in stretches)


def test_unlike_texts_have_no_stretches() -> None:
    found, stretches = realigned([TEXT, OTHER], [PLAIN, PLAIN])
    assert not any(map(any, found)) and stretches == [[], []]


def test_stretches_are_told_by_what_aligns_in_them() -> None:
    kinds = codes((ALIGNS, 12), (0, 20), (ALIGNS | FUNCTION, 12))
    assert [(start, end) for start, end, _ in copied(kinds)] == [(0, 12), (32, 44)]
    assert [(start, end) for start, end, _ in new(kinds, list(copied(kinds)))] == [(12, 32)]
    assert all(evidence > 6 for *_, evidence in copied(kinds))


def test_function_words_that_do_not_align_tell_most() -> None:
    assert not list(new(codes((ALIGNS, 20), (0, 4), (ALIGNS, 20)), []))
    assert list(new(codes((ALIGNS, 20), (FUNCTION, 6), (ALIGNS, 20)), []))


def test_what_is_swapped_now_and_then_is_one_stretch() -> None:
    ((start, end, _),) = copied(codes(*[(ALIGNS, 1), (0, 1), (ALIGNS | FUNCTION, 1)] * 10))
    assert (start, end) == (0, 30)
    assert not list(new(codes(*[(ALIGNS, 1), (0, 1), (ALIGNS | FUNCTION, 1)] * 10), []))


def test_what_is_new_in_a_short_text_may_be_chance_in_a_long_one() -> None:
    copied_run = (ALIGNS, 12), (ALIGNS | FUNCTION, 8)
    between = codes((0, 16))
    short, long = (codes(*copied_run * times) for times in (1, 40))
    assert [(start, end) for start, end, _ in new(short + between + short, [])] == [(20, 36)]
    assert not list(new(long + between + long, []))
