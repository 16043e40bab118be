"""Running: three-valued truth, causes, and what windows remember, example by example."""

import numpy as np
import pytest

from alerting.core.expression import Unknown, read
from alerting.core.expression.program import CAUSE_SHIFT, by_shape, lower
from tests.unit.alerting.core.expression.stage import BAD, RETAINED, UNITS, Stage, at

NAN = float("nan")


def stage(text: str, stale_s: float = 1e6) -> Stage:
    return Stage([read(text, UNITS)], stale_s)


def told(one: Stage, t_s: float, **samples: float | tuple[float, int]) -> int:
    """Let samples come; give the truth then."""
    one.sample(at(t_s), {name: pair if isinstance(pair, tuple) else (pair, 0) for name, pair in samples.items()})
    return int(one.truth[0])


def looked(one: Stage, t_s: float) -> int:
    one.look(at(t_s))
    return int(one.truth[0])


def why(one: Stage) -> tuple[Unknown, str]:
    """Give the cause and the part of the text that it points at."""
    code, step = divmod(int(one.cause[0]), 1 << CAUSE_SHIFT)
    return Unknown(code), step_text(one, step)


def step_text(one: Stage, step: int) -> str:
    part = lower(one.expressions[0]).parts[step]
    return one.expressions[0].text[part.start : part.end]


KLEENE = {
    "and": {(1, 1): 1, (1, 0): 0, (0, 1): 0, (0, 0): 0, (-1, 1): -1, (1, -1): -1, (-1, 0): 0, (0, -1): 0, (-1, -1): -1},
    "or": {(1, 1): 1, (1, 0): 1, (0, 1): 1, (0, 0): 0, (-1, 1): 1, (1, -1): 1, (-1, 0): -1, (0, -1): -1, (-1, -1): -1},
}  # fmt: skip
SAMPLE = {1: (1.0, 0), 0: (0.0, 0), -1: (NAN, 0)}


@pytest.mark.parametrize("word", KLEENE)
def test_unknown_stays_unless_the_other_side_decides(word: str) -> None:
    """Kleene's strong logic, cell by cell (S. C. Kleene, Introduction to Metamathematics, 1952, §64)."""
    for (left, right), expected in KLEENE[word].items():
        assert told(stage(f"t0 == 1 {word} t1 == 1"), 1, t0=SAMPLE[left], t1=SAMPLE[right]) == expected, (left, right)


@pytest.mark.parametrize("sign", [">", ">=", "<", "<=", "==", "!="])
def test_nan_is_never_true_and_never_false(sign: str) -> None:
    one = stage(f"t0 {sign} t0")
    assert told(one, 1, t0=NAN) == -1
    assert told(stage(f"not t0 {sign} 1"), 1, t0=NAN) == -1


@pytest.mark.parametrize(
    ("text", "samples", "cause"),
    [
        ("t0 / t1 > 1", {"t0": 1.0, "t1": 0.0}, (Unknown.DIVISION, "t0 / t1")),
        ("t0 / t1 > 1", {"t0": 0.0, "t1": -0.0}, (Unknown.DIVISION, "t0 / t1")),
        ("2 > t0 * t0", {"t0": 1e300}, (Unknown.TOO_LARGE, "t0 * t0")),
        ("t0 - t1 > 1", {"t0": (1.0, BAD), "t1": 2.0}, (Unknown.BAD, "t0")),
        ("t0 - t1 > 1", {"t0": 1.0}, (Unknown.UNSEEN, "t1")),
        ("t0 - t1 > 1", {"t0": 1.0, "t1": (1.0, RETAINED)}, (Unknown.NOT_JUDGED, "t1")),
        ("t0 > 1 and (t1 > 1 for 1 s)", {"t0": 2.0, "t1": (1.0, BAD)}, (Unknown.BAD, "t1")),
        ("rate(t0, 1 s) > 1", {"t0": 1.0}, (Unknown.WINDOW, "rate(t0, 1 s)")),
        ("bit(t0, 1)", {"t0": 1.5}, (Unknown.NOT_WHOLE, "bit(t0, 1)")),
        ("bit(t0, 1)", {"t0": 2.0**53}, (Unknown.NOT_WHOLE, "bit(t0, 1)")),
        ('quality(t1) == "BAD"', {"t0": 1.0}, (Unknown.UNSEEN, 'quality(t1) == "BAD"')),
        ("1 / abs(t0 - t0) > 0", {"t0": 1.0}, (Unknown.DIVISION, "1 / abs(t0 - t0)")),
    ],
)
def test_what_cannot_be_judged_has_a_cause(
    text: str, samples: dict[str, float | tuple[float, int]], cause: tuple[Unknown, str]
) -> None:
    one = stage(text)
    assert told(one, 1, **samples) == -1
    assert why(one) == cause


def test_a_decided_result_has_no_cause() -> None:
    one = stage("t0 > 0 or t1 / t2 > 1")
    assert told(one, 1, t0=1.0, t1=1.0, t2=0.0) == 1
    assert one.cause[0] == 0
    assert told(one, 2, t0=0.0) == -1
    assert why(one) == (Unknown.DIVISION, "t1 / t2")


def test_silence_makes_unknown_and_is_itself_known() -> None:
    one = stage("t0 > 0", stale_s=5)
    assert told(one, 1, t0=1.0) == 1
    assert looked(one, 5.9) == 1
    assert looked(one, 6) == -1
    assert why(one) == (Unknown.STALE, "t0")
    asked = stage("is_stale(t0)", stale_s=5)
    assert looked(asked, 4.9) == 0
    assert looked(asked, 5) == 1
    assert told(asked, 6, t0=1.0) == 0


def test_for_counts_pauses_and_starts_anew() -> None:
    one = stage("t0 > 0 for 5 s")
    assert told(one, 1, t0=1.0) == 0
    assert looked(one, 5.999) == 0
    assert looked(one, 6) == 1
    assert told(one, 7, t0=0.0) == 0
    assert told(one, 8, t0=1.0) == 0
    assert told(one, 11, t0=(1.0, BAD)) == -1  # 3 s are counted
    assert told(one, 20, t0=1.0) == 0
    assert looked(one, 21.999) == 0
    assert looked(one, 22) == 1


def test_for_inside_another() -> None:
    one = stage("(t0 > 0 for 2 s) and t1 > 0 for 3 s")
    told(one, 1, t0=1.0, t1=1.0)
    assert looked(one, 5.9) == 0
    assert looked(one, 6) == 1


def test_a_rule_that_is_looked_at_late_still_knows_when_it_changed() -> None:
    """A sample a day later finds what the values until then had come to."""
    one = stage("count((t0 > 0 for 1 s), 60 s) >= 1 for 10 s")
    told(one, 1, t0=0.0)
    told(one, 2, t0=1.0)
    one.look(at(3))
    assert one.truth[0] == 0
    one.look(at(13))
    assert one.truth[0] == 1
    assert looked(one, 62.9) == 1
    assert told(one, 86_400, t1=1.0) == 0  # the edge of 3 s left its window at 63 s
    assert one.parts[0][2].time_ns[0] == at(63)


def test_count_counts_rising_edges_of_its_window() -> None:
    one = stage("count(t0 > 0, 10 s) >= 2")
    assert told(one, 1, t0=1.0) == 0  # it was so already: no edge
    told(one, 2, t0=0.0)
    assert told(one, 3, t0=1.0) == 0
    told(one, 4, t0=(0.0, BAD))
    assert told(one, 5, t0=1.0) == 0  # true, unknown, true: no edge
    told(one, 6, t0=0.0)
    assert told(one, 7, t0=1.0) == 1
    assert looked(one, 12.9) == 1
    assert looked(one, 13) == 0  # (3 s, 13 s] holds one


def test_count_keeps_the_newest_32() -> None:
    one = stage("count(t0 > 0, 1 h) == 32")
    for n in range(100):
        told(one, 1 + n, t0=float(n % 2))
    assert one.truth[0] == 1


def test_rate_has_a_sign_and_a_window() -> None:
    one = stage("rate(t0, 2 s) < -0.4 and delta(t0, 2 s) == -1")
    assert told(one, 1, t0=5.0) == -1
    told(one, 2, t0=4.5)
    assert told(one, 3, t0=4.0) == 1
    assert told(one, 4, t1=0.0) == 1  # held until the next sample of the tag
    assert told(one, 10, t0=1.0) == -1  # a gap of more than two windows says nothing
    assert told(one, 11, t0=1.0) == -1
    assert told(one, 12, t0=1.0) == 0


def test_bits_of_negative_words() -> None:
    one = stage("bit(t0, 15) and not bit(t0, 14)")
    assert told(one, 1, t0=-32768.0) == 1
    assert told(one, 2, t0=32768.0) == 1
    assert told(one, 3, t0=16384.0) == 0


def test_devices_of_a_template_are_one_program_with_their_own_numbers() -> None:
    units = {f"TK-{n}.level": "m" for n in range(300)} | {f"TK-{n}.flow": "" for n in range(300)}
    texts = [f"TK-{n}.level > {n} m and TK-{n}.flow > 0 for {n + 1} s" for n in range(300)]
    expressions = [read(text, units) for text in texts]

    assert len(list(by_shape(expressions))) == 1
    one = Stage(expressions, names=tuple(units))
    one.sample(at(1), {name: (150.5 if name.endswith("level") else 1.0, 0) for name in units})
    one.look(at(101))
    assert np.flatnonzero(one.truth).tolist() == list(range(100))  # held for n + 1 s
    one.look(at(400))
    assert np.flatnonzero(one.truth).tolist() == list(range(151))


def test_nothing_is_judged_between_two_moments() -> None:
    one = stage("t0 > 0 for 5 s")
    told(one, 1, t0=1.0)
    one.look(at(100_000))
    assert one.moments == 1


def test_a_time_before_the_last_counts_as_that() -> None:
    """Two sources need not agree about time; a rule over both never goes back."""
    one = stage("t0 > 0 for 5 s")
    told(one, 10, t0=1.0)
    told(one, 9, t0=1.0)
    assert looked(one, 14.9) == 0
    assert looked(one, 15) == 1
