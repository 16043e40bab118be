"""Lines as the protocol's own document describes them, read back by a parser that follows that document."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.historian.line import compose, escape, make_prefix


def parse(line: str) -> tuple[str, dict[str, str], dict[str, float | int], int]:
    r"""Read a line after docs.influxdata.com, "Line protocol": special characters count unless ``\`` stands before."""

    def split(text: str, mark: str, most: int = -1) -> list[str]:
        parts, part, k = [], "", 0
        while k < len(text):
            if text[k] == "\\" and k + 1 < len(text) and text[k + 1] in ",= ":
                part += text[k : k + 2]
                k += 2
                continue
            if text[k] == mark and most != 0:
                parts.append(part)
                part = ""
                most -= 1
            else:
                part += text[k]
            k += 1
        return [*parts, part]

    def unescape(text: str) -> str:
        for special in ",= ":
            text = text.replace("\\" + special, special)
        return text

    head, fields, stamp = split(line, " ")
    measurement, *labels = split(head, ",")
    values: dict[str, float | int] = {}
    for field in split(fields, ","):
        name, value = split(field, "=")
        values[name] = int(value[:-1]) if value.endswith("i") else float(value)
    pairs = [split(label, "=") for label in labels]
    return measurement, {unescape(key): unescape(value) for key, value in pairs}, values, int(stamp)


HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from(list(",= \\\"'\n\r\t#{}\x00罐一")), st.characters(codec="utf-8")), min_size=1
)


@given(HOSTILE, st.floats(), st.integers(0, 255), st.integers(0, 2**62))
def test_any_name_and_value_come_back(name: str, value: float, quality: int, time_ns: int) -> None:
    prefix = make_prefix({"tag": name, "site": "demo", "unit": ""})
    (raw,) = compose(
        [prefix],
        np.array([time_ns], dtype=np.int64),
        np.array([value]),
        np.array([quality], dtype=np.uint8),
    )
    line = raw.decode()
    measurement, labels, fields, stamp = parse(line)

    assert "\n" not in line
    assert (measurement, stamp, fields["quality"]) == ("fengsui", time_ns, quality)
    assert set(labels) == {"site", "tag"}
    if "\\" not in name and not any(ord(c) < 32 or ord(c) == 127 for c in name):
        assert labels["tag"] == name
    if math.isfinite(value):
        assert fields["value"] == value
    else:
        assert "value" not in fields


@given(HOSTILE, HOSTILE)
def test_distinct_names_stay_distinct(a: str, b: str) -> None:
    assert (a == b) == (escape(a) == escape(b))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("TK-101.level", "TK-101.level"),
        ("a b,c=d", r"a\ b\,c\=d"),
        ('"quoted"', '"quoted"'),
        ("储罐 一", "储罐\\ 一"),
    ],
)
def test_names_are_written_as_the_protocol_says(name: str, written: str) -> None:
    assert escape(name) == written


@pytest.mark.parametrize(("name", "begin"), [("ends with \\", "ends\\ with\\ _~"), ("two\nlines", "two_lines~")])
def test_what_cannot_be_written_is_replaced_and_told_apart_by_a_digest(name: str, begin: str) -> None:
    assert escape(name).startswith(begin)
    assert len(escape(name)) == len(begin) + 6


def test_a_line_looks_as_documented() -> None:
    prefix = make_prefix({"tag": "TK-101.level", "nature": "actual", "unit": "TK-101", "site": "demo"})
    times_ns = np.array([1_767_225_600_000_000_000] * 2, dtype=np.int64)
    lines = compose([prefix] * 2, times_ns, np.array([4.31, np.nan]), np.array([0, 0x82], dtype=np.uint8))

    assert lines == [
        b"fengsui,nature=actual,site=demo,tag=TK-101.level,unit=TK-101 value=4.31,quality=0i 1767225600000000000",
        b"fengsui,nature=actual,site=demo,tag=TK-101.level,unit=TK-101 quality=130i 1767225600000000000",
    ]
