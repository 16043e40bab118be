"""Wiring: the demonstration's tag tables, read by the simulators' own few lines."""

from pathlib import Path

import numpy as np

from simulators.plant import Plant
from simulators.wiring import Limit, Point, read_wiring

WIRING = read_wiring(Path("config/demo/site.toml"))


def test_six_tanks_sit_in_two_devices() -> None:
    tanks = {device.source: {point.tag.split(".")[0] for point in device.points} for device in WIRING.devices}

    assert tanks == {"tankfarm-1": {"TK-101", "TK-102", "TK-103"}, "tankfarm-2": {"TK-201", "TK-202", "TK-203"}}


def test_placeholders_and_sums_are_filled() -> None:
    points = {point.tag: point for device in WIRING.devices for point in device.points}

    assert points["TK-202.inlet_flow"] == Point(
        tag="TK-202.inlet_flow", table="input", register=114, type="uint32", order="CDAB", scale=0.01
    )
    assert points["TK-103.hh_switch"] == Point(tag="TK-103.hh_switch", table="discrete", register=2, type="bit")


def test_no_two_points_share_a_register() -> None:
    for device in WIRING.devices:
        places = [(point.table, point.register, point.bit) for point in device.points]

        assert len(set(places)) == len(places)


def test_topics_carry_each_tag_once() -> None:
    topics = {topic.name: topic.tags for broker in WIRING.brokers for topic in broker.topics}

    assert topics == {
        "plant/gas/GD-311": ("GD-311.lel",),
        "plant/gas/GD-312": ("GD-312.lel",),
        "plant/gas/GD-313": ("GD-313.lel",),
        "plant/line/pressure": ("GL-301.pressure",),
        "plant/line/flow": ("GL-301.flow",),
        "plant/crowd/gates": ("GT-411.in", "GT-411.out", "GT-412.in", "GT-412.out", "GT-413.in", "GT-413.out"),
        "plant/crowd/zones": ("Z-401.occupancy", "Z-401.density", "Z-402.occupancy", "Z-402.density"),
    }


def test_the_plant_gives_exactly_the_tags_of_the_site() -> None:
    wired = {point.tag for device in WIRING.devices for point in device.points}
    wired |= {tag for broker in WIRING.brokers for topic in broker.topics for tag in topic.tags}

    assert wired == set(Plant(np.random.default_rng(1)).readings())


def test_a_limit_is_beyond_from_its_setpoint_on() -> None:
    high = Limit(tag="t", kind="HH", setpoint=5.0, on_delay_s=0)
    low = Limit(tag="t", kind="L", setpoint=1.0, on_delay_s=0)

    assert [high.is_beyond(value) for value in (4.999, 5.0, 5.1)] == [False, True, True]
    assert [low.is_beyond(value) for value in (1.001, 1.0, 0.9)] == [False, True, True]
