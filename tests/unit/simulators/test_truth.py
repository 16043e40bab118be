"""Truth: crossings in, excursions out, whatever killed the writer."""

import json
from pathlib import Path

from simulators.truth import NS, Truth, read_excursions
from simulators.wiring import Limit

LIMITS = (
    Limit(tag="a", kind="H", setpoint=10.0, on_delay_s=2.0),
    Limit(tag="a", kind="HH", setpoint=20.0, on_delay_s=2.0),
    Limit(tag="b", kind="L", setpoint=1.0, on_delay_s=0.0),
)


def write(path: Path, *samples: tuple[float, dict[str, float]]) -> None:
    with path.open("w") as file:
        truth = Truth(LIMITS, file.write)
        for at_s, readings in samples:
            truth.observe(round(at_s * NS), readings)


def test_only_crossings_are_written(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    write(path, (0, {"a": 5, "b": 2}), (1, {"a": 12, "b": 2}), (2, {"a": 13, "b": 2}), (3, {"a": 9, "b": 0.5}))

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["time_ns"], line["tag"], line["kind"], line["is_beyond"]) for line in lines] == [
        (1 * NS, "a", "H", True),
        (3 * NS, "a", "H", False),
        (3 * NS, "b", "L", True),
    ]


def test_excursions_have_a_start_an_end_and_a_length(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    write(path, (1, {"a": 12}), (4, {"a": 21}), (6, {"a": 15}), (9, {"a": 3}), (12, {"b": 0}))

    found = [(item.tag, item.direction, item.kind, item.lasted_s(20 * NS)) for item in read_excursions(path)]
    assert found == [("a", "high", "H", 8.0), ("a", "high", "HH", 2.0), ("b", "low", "L", 8.0)]


def test_noise_at_the_setpoint_is_one_excursion(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    write(path, (1, {"a": 12}), (1.1, {"a": 9}), (1.2, {"a": 12}), (5, {"a": 9}), (8, {"a": 12}))

    assert [(item.from_ns, item.until_ns) for item in read_excursions(path)] == [(NS, 5 * NS), (8 * NS, None)]


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    write(path, (1, {"a": 12}), (4, {"b": 0}))
    path.write_text(path.read_text()[:-20])

    assert [item.tag for item in read_excursions(path)] == ["a"]
