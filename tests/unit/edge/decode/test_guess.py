"""Guesses: the way in which a value was written is found first; the writer knows nothing of our decoder."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decode.guess import BEST_MAX, Expected, Guess, expected, guesses

FIRST = 99


def words_of(raw: bytes, order: str) -> list[int]:
    """Put big-endian bytes into registers as a device of that order does; A is the most significant byte."""
    words = [raw[at : at + 2] for at in range(0, len(raw), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [word[::-1] for word in words]
    return [int.from_bytes(word, "big") for word in words]


def look(words: list[int], wanted: str = "", *, asked: range = range(100, 102), first: int = FIRST) -> list[Guess]:
    column = np.array(words, dtype=np.uint16)
    return guesses(column, np.ones(len(column), dtype=np.bool_), first, asked, expected(wanted))


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
@pytest.mark.parametrize(
    ("form", "kind", "value"), [(">f", "float32", 4.317), (">i", "int32", -70_001), (">d", "float64", 83.25)]
)
def test_the_order_of_a_known_value_is_found(order: str, form: str, kind: str, value: float) -> None:
    written = words_of(struct.pack(form, value), order)
    noise = [0x1234, *written, 0x0BB8, 0x7777, 0x0001]

    best = look(noise, str(value))[0]

    assert (best.register, best.types[0], best.order, best.scale) == (100, kind, order, 1.0)
    assert best.value == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("away", [-1, 0, 1])
def test_a_value_one_register_beside_is_found_and_told(away: int) -> None:
    written = words_of(struct.pack(">f", 4.317), "CDAB")
    column = [0x0007] * 8
    column[1 + away : 3 + away] = written

    # The upper word alone is within 2 %, so the same value is also read with whatever stands behind it.
    found = look(column, "4.3", asked=range(100, 101))[:2]

    assert (100 + away, ("float32",), "CDAB") in [(one.register, one.types, one.order) for one in found]


def test_an_integer_that_is_sent_times_ten_says_its_scale() -> None:
    best = look([0, 432, 0, 0], "43.2", asked=range(100, 101))[0]

    assert (best.register, best.types, best.scale, best.value) == (100, ("uint16", "int16"), 0.1, 43.2)


def test_packed_decimal_is_found_where_the_plain_number_does_not_fit() -> None:
    best = look([0, 0x1234, 0, 0], "1234", asked=range(100, 101))[0]

    assert (best.types, best.value) == (("bcd16",), 1234.0)


def test_a_range_takes_whatever_lies_in_it_and_nothing_far_away() -> None:
    found = look([0, *words_of(struct.pack(">f", 3.2), "ABCD"), 0], "0..5")

    assert found[0].types == ("float32",)
    assert found[0].value == pytest.approx(3.2)
    assert all(one.value < 11 for one in found), "beyond a span's width nothing is offered"


def test_without_expectation_a_usual_float_stands_before_a_huge_integer() -> None:
    found = look([0, *words_of(struct.pack(">f", 21.5), "ABCD"), 0, 0, 0])

    assert (found[0].types[0], found[0].register) == ("float32", 100)


@pytest.mark.parametrize(("order", "form"), [("ABCD", "big"), ("BADC", "little")])
def test_texts_are_found_in_either_order_and_by_what_they_say(order: str, form: str) -> None:
    said = b"PT-101A "
    column = [0, *(int.from_bytes(said[at : at + 2], form) for at in range(0, 8, 2)), 0]  # type: ignore[arg-type]

    found = look(column, "pt-101", asked=range(100, 104))

    assert [(one.text, one.types, one.order, one.register) for one in found] == [("PT-101A", ("string",), order, 100)]


def test_chinese_text_is_found() -> None:
    said = "储罐液位".encode("gb2312")
    column = [0, *(int.from_bytes(said[at : at + 2], "big") for at in range(0, 8, 2)), 0]

    assert look(column, "储罐", asked=range(100, 104))[0].text == "储罐液位"


def test_what_was_not_read_takes_part_in_nothing() -> None:
    column = np.array([1, *words_of(struct.pack(">f", 4.3), "ABCD"), 9], dtype=np.uint16)
    known = np.array([True, True, False, True])

    found = guesses(column, known, FIRST, range(100, 102), Expected(lo=4.2, hi=4.4))

    assert not any(one.register <= 101 < one.register + one.words for one in found)


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=12), st.sampled_from(["", "4.2", "0..5", "abc", "-0"]))
def test_no_words_break_it_and_the_list_is_short_and_in_order(column: list[int], wanted: str) -> None:
    found = look(column, wanted, asked=range(100, 104))

    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert len(found) <= BEST_MAX
    assert all(0 < score <= 1 for score in scores)
    assert all(math.isfinite(one.value) or one.text for one in found)


@pytest.mark.parametrize("written", ["5..4", "1..inf", "nan", "1.2.3..4", "inf"])
def test_what_no_instrument_shows_is_refused_with_a_sentence(written: str) -> None:
    with pytest.raises(ValueError, match=r"range|value"):
        expected(written)


def test_what_is_expected_is_read() -> None:
    assert expected("  ") is None
    assert expected("-5..5") == Expected(lo=-5.0, hi=5.0)
    assert expected("100") == Expected(lo=98.0, hi=102.0)
    tank = expected("TK-101")
    assert tank is not None
    assert tank.text == "TK-101"
