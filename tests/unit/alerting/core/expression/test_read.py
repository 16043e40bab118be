"""Reading: what is right is understood, what is wrong is told with its column and a remedy; nothing else happens."""

# ruff: noqa: E501 - a table of whole sentences

import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerting.core.expression import Expression, ExpressionError, Inputs, State, compile_programs, read, run
from alerting.core.expression.fault import FAULTS_MAX
from alerting.core.expression.lexer import MEANT, TEXT_LENGTH_MAX
from tests.unit.alerting.core.expression.stage import NAMES, START_NS, TEXTS, UNITS

SITE = {
    "TK-101.level": "m",
    "TK-101.inlet_flow": "m³/h",
    "TK-102.level": "m",
    "runtime": "min",
    "valve.state": "",
    "a": "m",
    "b": "m",
    "101.x": "",
    "储罐 1.液位": "m",
}


def truth_of(expression: Expression, **values: float) -> int:
    """Judge once, all tags good."""
    ((_, program),) = compile_programs([expression], {name: row for row, name in enumerate(expression.tags)})
    yes = np.ones((1, len(expression.tags)), np.bool_)
    inputs = Inputs(
        value=np.array([[values.get(name, 0.0) for name in expression.tags]]),
        quality=np.zeros(yes.shape, np.uint8),
        is_known=yes,
        is_seen=yes,
        is_stale=~yes,
        is_new=yes,
    )
    return int(run(program, State.fresh(program), np.array([0]), inputs, np.array([START_NS])).truth[0])


@pytest.mark.parametrize(
    "text",
    [
        "TK-101.level > 4.5 and TK-101.inlet_flow > 0 for 10 s",
        "TK-101.level > 4.5 m and TK-101.inlet_flow > 10 m3/h",
        "TK-101.inlet_flow > 10 `m³/h`",
        "abs(TK-101.level - TK-102.level) > 0.2 for 1 min",
        "a - b > -0.5 m",
        "max(a, b) - avg(a, b) >= .5",
        "count(TK-101.level >= 4, 5 min) >= 3",
        "rate(TK-101.level, 60 s) > 0.001 m/s",
        "delta(`储罐 1.液位`, 1 h) <= -1.5 m",
        "bit(valve.state, 3) and not bit(valve.state, 0)",
        'quality(a) == "BAD" or is_bad(b) or is_stale(a)',
        "'UNCERTAIN' != quality(a)",
        "(a > 1 for 10 s) and (b > 1 for 500 ms)",
        "runtime > 300 s",
        "`101.x` == 3",
        "not not a > 1",
        "a\n  > 1\n  and b > 1",
        "a > 1 and true",
    ],
)
def test_right(text: str) -> None:
    assert read(text, SITE).tags


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["1: the expression is empty. Write a condition, e.g. TK-101.level > 4.5."]),
        ("a > 4 kPa", ['1: units do not fit: "m" and "kPa". Give the number the unit of the tag, or leave its unit out.']),
        ("a / 0 > 4", ["5: what is divided by 0 is never known. Divide by a number other than 0."]),
        ("4 / -0.0 < a", ["5: what is divided by 0 is never known. Divide by a number other than 0."]),
        ("a + runtime > 4", ['1: units do not fit: "m" and "min". Give the number the unit of the tag, or leave its unit out.']),
        ("TK-101.levl > 4", ['1: tag "TK-101.levl" does not exist. Did you mean "TK-101.level"?']),
        ("a-b > 1", ['1: tag "a-b" does not exist. To subtract, put spaces around the minus: a - b.']),
        ("1 < a < 3", ['7: a comparison has two sides. Join two with "and": 1 < x and x < 5.']),
        ("a > 1 for 10", ["11: a time needs its unit. Write 10 s, or min, h."]),
        ("a > 1 for 10 m", ['11: "m" is no unit of time. Did you mean min?']),
        ("a > 1 for 2 d", ["11: a time of 172800 s is not from 1 ms to one day. Write another time."]),
        ("a > 1 for b", ['11: "for" needs a time. Write it with s, min or h: for 10 s.']),
        (
            "a > 1 for 10 s and b > 2",
            ['16: "for" ends what it holds, and "and" follows. Put brackets around what must hold: (a > 1 for 10 s) and b > 2.'],
        ),
        ("a", ["1: the whole is a number; it must be a condition. Compare it: … > 4.5."]),
        ("not a", ['5: "not" needs a condition; this is a number. Compare it: a != 0.']),
        ("(a > 1) > 2", ['2: ">" compares numbers; this is a condition. Join conditions with and, or; put brackets around a comparison only where it stands alone.']),
        ("(a > 1) == (b > 1)", ["2: two conditions are compared. Join them with and, or, not."]),
        ("true and 1 > 0", ["1: no tag is named, so it is always the same. Name at least one tag."]),
        ("a > 1 or foo(b)", ['10: there is no function "foo". Known here: abs, avg, bit, count, delta, is_bad, is_stale, max, min, quality, rate, vote, ….']),
        ("cuont(a > 1, 1 s) > 2", ['1: there is no function "cuont". Did you mean "count"?']),
        ("rate > 1", ['1: tag "rate" does not exist. rate is a function: write rate(tag, 60 s).']),
        ("rate(a + b, 60 s) > 1", ["6: rate is asked of a tag, not of a calculation. Write rate(tag, 60 s)."]),
        ("rate(a) > 1", ["1: rate takes 2 arguments, here 1. Write rate(tag, 60 s)."]),
        ("count(a, 60 s) > 1", ['7: "count" needs a condition; this is a number. Compare it: a != 0.']),
        ("count(a > 1, 60 s) > 33", ["22: a count goes up to 32. Compare it with a smaller number."]),
        ("vote(1, a > 1)", ["1: vote takes 2 to 15 conditions, here 1. Write vote(2, condition, condition, condition)."]),
        ("vote(3, a > 1, b > 1)", ["6: how many of the 2 must be true is a whole number from 1 to 2. Write vote(2, condition, condition, condition)."]),
        ("vote_keep(0, a > 1, b > 1)", ["11: how many of the 2 must be true is a whole number from 1 to 2. Write vote_keep(2, condition, condition, condition)."]),
        ("vote(1.5, a > 1, b > 1)", ["6: how many of the 2 must be true is a whole number from 1 to 2. Write vote(2, condition, condition, condition)."]),
        ("vote(2, a > 1, b > 1, (a > 1))", ["9: this condition votes twice. Let each gauge vote once."]),
        ("vote(2, a > 1, b)", ['16: "vote" needs a condition; this is a number. Compare it: b != 0.']),
        ("min(a) > 1", ["1: min takes 2 to 16 numbers, here 1. Write min(x, y, …)."]),
        ("bit(valve.state, 53)", ["18: a bit has a number from 0 (lowest) to 52. Write bit(tag, 3)."]),
        ('quality(a) > "BAD"', ['1: a quality has no order, so ">" says nothing. Write == or !=.']),
        ('quality(a) == "bad"', ['15: "bad" is no quality. Write one of GOOD, UNCERTAIN, BAD.']),
        ('a == "BAD"', ['6: "==" compares numbers; this is a word in quotes. Write a tag, a number or a calculation.']),
        ("a > 1)", ['6: ")" has no partner. Remove it, or open it before.']),
        ("(a > 1", ['1: a bracket has no partner. Close it with ")".']),
        ("a > 1e999", ['5: the number "1e999" does not fit. Write one between 1e-300 and 1e300.']),
        ("a > 1e-999", ['5: the number "1e-999" does not fit. Write one between 1e-300 and 1e300.']),
        ("a AND b > 1", ['1: "and" needs a condition; this is a number. Compare it: a != 0.', '3: "AND" is a keyword in capitals. Write and.']),
        ("a = 1 && b ≥ 2", ['3: "=" is not used here. Write "==".', '7: "&&" is not used here. Write "and".', '12: "≥" is not used here. Write ">=".']),
        ("a > 1 且 b > 2", ['7: "且" is not used here. Write "and".']),
        ("液位 > 1", ['1: tag "液位" does not exist. Known here: 101.x, TK-101.inlet_flow, TK-101.level, TK-102.level, a, b, runtime, valve.state, 储罐 1.液位.', '1: the name "液位" has letters other than A to Z. Put it between backticks: `液位`.']),
        ("`a > 1", ["1: a backtick has no partner, or encloses nothing. Close the name: `name`."]),
        ("a^2 > 1", ["2: there is no power. Multiply: x * x.", '3: a sign is missing between "a" and "2". Write and, or, a comparison or + - * / between the two.']),
        (
            "a > 1 and > 2 or (b < ) and c > 1",
            [
                '11: a value is missing before ">". Write a tag, a number or a condition there.',
                '23: a value is missing before ")". Write a tag, a number or a condition there.',
                '29: tag "c" does not exist. Did you mean "a"?',
            ],
        ),
    ],
)  # fmt: skip
def test_wrong(text: str, faults: list[str]) -> None:
    with pytest.raises(ExpressionError) as error:
        read(text, SITE)
    found = [str(fault).removeprefix("column ") for fault in error.value.faults]
    if '29: tag "c"' in faults[-1]:
        assert found[:2] == faults[:2]
        assert found[2].startswith('29: tag "c" does not exist.')
    else:
        assert found == faults


@pytest.mark.parametrize("sign", MEANT)
def test_what_people_write_instead_is_told_with_what_is_meant(sign: str) -> None:
    if MEANT[sign] in (")", "(", ",", "not"):
        text = {")": f"(a > 1{sign}", "(": f"{sign}a > 1)", ",": f"max(a{sign} b) > 1"}.get(
            MEANT[sign], f"{sign} a > 1"
        )
    elif MEANT[sign] in ("and", "or"):
        text = f"a > 1 {sign} b > 1"
    elif MEANT[sign] == "for":
        text = f"a > 1 {sign} 10 s"
    else:
        text = f"a {sign} b" if MEANT[sign] in ("==", "!=", ">", "<", ">=", "<=") else f"a {sign} b > 1"
    with pytest.raises(ExpressionError) as error:
        read(text, SITE)

    (fault,) = error.value.faults
    assert fault.remedy == f'Write "{MEANT[sign]}".'


@pytest.mark.parametrize(
    "text",
    [
        "1 + 2 * 3 == 7 and a == 0",
        "2 - 3 - 4 == -5 and a == 0",
        "8 / 4 / 2 == 1 and a == 0",
        "-2 * -3 == 6 and a == 0",
        "not a == 1 and a == 0",
        "a == 1 or a == 0 and a == 1",
        "a == 0 or a == 0 and a == 1",
        "not a == 0 or a == 0",
        "1 - -1 > 1 and a == 0",
    ],
)
def test_precedence_is_that_of_python(text: str) -> None:
    assert truth_of(read(text, SITE), a=0.0) == int(eval(text, {"a": 0.0}))  # noqa: S307 - our own text


ARITHMETIC = st.recursive(
    st.sampled_from(["a", "b", "0.5", "2", "3", "7"]),
    lambda parts: (
        st.tuples(parts, st.sampled_from([" + ", " - ", " * "]), parts).map("".join)
        | parts.map(lambda p: f"({p})")
        | parts.map(lambda p: f"-({p})")
    ),
    max_leaves=12,
)
LOGIC = st.recursive(
    st.tuples(ARITHMETIC, st.sampled_from([" > ", " >= ", " < ", " <= ", " == ", " != "]), ARITHMETIC).map("".join),
    lambda parts: (
        st.tuples(parts, st.sampled_from([" and ", " or "]), parts).map("".join)
        | parts.map(lambda p: f"({p})")
        | parts.map(lambda p: f"not {p}")
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=LOGIC, a=st.sampled_from([-1.0, 0.0, 2.5]), b=st.sampled_from([0.5, 3.0]))
def test_any_sum_and_junction_means_what_it_means_to_python(text: str, a: float, b: float) -> None:
    """Python's own grammar is the check from outside."""
    try:
        expression = read(text, {"a": "", "b": ""})
    except ExpressionError as error:
        assert all("no tag" in f.sentence or "256" in f.sentence or "nests" in f.sentence for f in error.faults)  # noqa: PT017
        return
    assert truth_of(expression, a=a, b=b) == int(eval(text, {"a": a, "b": b}))  # noqa: S307 - our own text


PIECES = [
    *("a", "b", "TK-101.level", "`x y`", "`", '"', "'BAD'", "1", "4.5", "1e9", "10 s", "5 min", "%", "m3/h", "(", ")", "((", "))"),
    *(",", "+", "-", "*", "/", ">", ">=", "<", "<=", "==", "!=", "=", "&&", "!", "and", "or", "not", "for", "true", "false"),
    *("count(", "rate(", "min(", "bit(", "quality(", "is_bad(", "储", "且", "（", " ", "\n", "\t", "\0", "{", "}", "^", "\ud800"),
]  # fmt: skip


@settings(max_examples=500, deadline=None, derandomize=True)
@given(
    text=st.text(max_size=80)
    | st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join)
    | st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
)
@example(text="not " * 33 + "a > 1")
@example(text="a > 1 " * 20)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert truth_of(read(text, SITE)) in (-1, 0, 1)
    except ExpressionError as error:
        assert 1 <= len(error.faults) <= FAULTS_MAX  # noqa: PT017
        for fault in error.faults:
            assert 1 <= fault.column <= max(len(text), 1) + 1
            assert fault.sentence.isprintable()
            assert fault.remedy.isprintable()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=TEXTS, cuts=st.lists(st.tuples(st.integers(0, 200), st.sampled_from(PIECES)), min_size=1, max_size=3))
def test_a_right_text_with_a_wrong_piece_is_read_or_refused(text: str, cuts: list[tuple[int, str]]) -> None:
    for place, piece in cuts:
        text = text[: place % len(text)] + piece + text[place % len(text) + 1 :]
    try:
        read(text, UNITS)
    except ExpressionError as error:
        assert error.faults  # noqa: PT017


MANY = {f"TK-{n}.level": "m" for n in range(100_000)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("(" * 4000 + "a", "nests deeper than 32"),
        ("not " * 1000 + "a > 1", "nests deeper than 32"),
        ("-" * 4000 + "a > 1", "nests deeper than 32"),
        ("abs(" * 1000 + "a", "nests deeper than 32"),
        ("a + " * 500 + "a > 1", "a chain of more than 96 steps"),
        ("a > 1 and " * 200 + "a > 1", "more than 256 numbers"),
        ("a > 1 " * 600, "two sides"),
        ("9" * 4000 + " > a", "does not fit"),
        ("a" * 5000, "has 5000 characters"),
        ("((a) " * 800, "is missing"),
        (") " * 2000, "missing before"),
        ("`" * 4001, "backtick"),
        ("a--" * 1300 + "a > 1", "more than 256 numbers"),
        (" or ".join(f"XK-{n}.level > 1" for n in range(80)), "does not exist"),
        ("\0" * 4096, "is not known"),
        ("a.b-c:" * 682, "is missing|does not exist"),
    ],
)
def test_hostile_texts_are_refused_quickly(text: str, says: str) -> None:
    start = time.process_time()
    with pytest.raises(ExpressionError, match=says) as error:
        read(text, MANY | {"a": "m"})
    # An unknown name is looked for among 100,000; all else takes milliseconds.
    assert time.process_time() - start < 10.0
    assert len(error.value.faults) <= FAULTS_MAX


def test_limits_are_where_they_are_said_to_be() -> None:
    assert read("(" * 32 + "a > 1" + ")" * 32, SITE)
    assert read("a + " * 94 + "a > 1", SITE)
    assert read(" or ".join(["a > 1"] * 63), SITE)
    assert read("a > 1" + " " * (TEXT_LENGTH_MAX - 5), SITE)
    with pytest.raises(ExpressionError):
        read("a > 1" + " " * (TEXT_LENGTH_MAX - 4), SITE)


def test_times_of_literals_meet_tags_in_their_unit() -> None:
    assert truth_of(read("runtime >= 300 s", SITE), runtime=5.0) == 1
    assert truth_of(read("runtime >= 300 s", SITE), runtime=4.9) == 0
    assert truth_of(read("-5 min <= -runtime", SITE), runtime=5.0) == 1


def test_it_tells_whose_silence_it_asks() -> None:
    assert read("is_stale(a) or not is_stale(b) or a > is_one", {**SITE, "is_one": ""}).asks_silence_of() == ("a", "b")


def test_names_are_those_of_the_stage() -> None:
    assert set(UNITS) == set(NAMES)
