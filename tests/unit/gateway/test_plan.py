"""The plan: requests are exact, sums add up, and what needs a look is said."""

import json
from dataclasses import asdict

import pytest

from alerting.model.rule import RuleTable
from edge.config import ModbusOptions, MqttOptions, SerialOptions, Source, TopicOptions
from edge.model import Tag, TagTable
from gateway.config import Site
from gateway.plan import BYTES_EXACT, BYTES_RESOLUTION, DAY_S, Plan, plan, render


def make_site(tags: list[Tag], sources: list[Source], raw_days: int = 90) -> Site:
    table = TagTable(tags)
    return Site(
        id="demo",
        title={"en": "Demo"},
        timezone="Asia/Shanghai",
        sources=tuple(sources),
        tags=table,
        units=(),
        rules=RuleTable([], table),
        raw_days=raw_days,
    )


DEVICE = Source(id="d", protocol="modbus-tcp", modbus=ModbusOptions(host="192.0.2.1", device_id=3))
BROKER = Source(
    id="m",
    protocol="mqtt",
    mqtt=MqttOptions(
        host="192.0.2.2",
        topics=(
            TopicOptions(pattern="gas/{tag}", tag="{tag}.lel"),
            TopicOptions(pattern="gate/{tag}", format="json-batch", tags=("{tag}.in", "{tag}.out")),
        ),
    ),
)


@pytest.fixture
def made() -> Plan:
    return plan(
        make_site(
            [
                Tag(name="a", source="d", period_s=0.5, resolution=0.1, address={"register": 0, "type": "float32"}),
                Tag(name="b", source="d", period_s=0.5, address={"register": 4}),
                Tag(name="c", source="d", period_s=10.0, address={"register": 100}),
                Tag(name="s", source="d", period_s=10.0, address={"register": 7, "table": "discrete"}),
                Tag(name="GD-1.lel", source="m", period_s=2.0),
                Tag(name="GD-2.lel", source="m", period_s=2.0),
                Tag(name="G1.in", source="m", period_s=5.0),
                Tag(name="G1.out", source="m", period_s=5.0),
                Tag(name="lost", source="m", period_s=5.0),
            ],
            [DEVICE, BROKER],
        )
    )


def test_the_requests_of_each_cycle(made: Plan) -> None:
    (device,) = made.devices
    assert [(one.period_s, one.tags) for one in device.classes] == [(0.5, 2), (10.0, 2)]
    fast, slow = ([(r.function, r.address, r.count, r.unused, r.tags) for r in one.requests] for one in device.classes)
    assert fast == [(3, 0, 5, 2, 2)]
    assert slow == [(2, 7, 1, 0, 1), (3, 100, 1, 0, 1)]
    assert device.requests_per_s == pytest.approx(1 / 0.5 + 2 / 10)
    assert device.registers_per_s == pytest.approx(5 / 0.5 + 2 / 10)
    assert device.answer_ms_max == pytest.approx(1_000 / 2.2)


def test_the_topics_and_what_they_carry(made: Plan) -> None:
    (broker,) = made.brokers
    assert [(t.filter, t.tags, t.messages_per_s) for t in broker.topics] == [("gas/+", 2, 1.0), ("gate/+", 2, 0.2)]
    assert broker.unheard == ("lost",)
    assert made.notes == ("m: no topic can give 1 of its tags: lost.",)


def test_the_sums(made: Plan) -> None:
    assert made.samples_per_s == pytest.approx(2 / 0.5 + 2 / 10 + 2 / 2 + 3 / 5)
    assert made.messages_per_s == pytest.approx(1.2)
    assert made.scans_per_s == pytest.approx(2 + 0.1 + 1.2)
    resolved = DAY_S / 0.5 * BYTES_RESOLUTION
    exact = DAY_S * (1 / 0.5 + 2 / 10 + 2 / 2 + 3 / 5) * BYTES_EXACT
    assert made.disk_bytes_per_day == pytest.approx(resolved + exact)
    assert made.disk_bytes_kept > 90 * made.disk_bytes_per_day


def test_text_and_json(made: Plan) -> None:
    text = render(made)
    assert "function 3 holding      0 …     4    5 words, 2 unused, 2 tags" in text
    assert "Site demo: 9 tags, 1 Modbus device, 1 broker\n" in text
    assert "every 0.5 s: 2 tags, 1 request a cycle\n" in text
    assert "gas/+" in text
    assert "note: m: no topic" in text
    assert json.loads(json.dumps(asdict(made)))["devices"][0]["classes"][0]["requests"][0]["count"] == 5


def test_a_device_that_must_answer_too_quickly_is_pointed_out() -> None:
    tags = [Tag(name=f"t{n}", source="d", period_s=1.0, address={"register": n * 200}) for n in range(80)]
    made = plan(make_site(tags, [DEVICE]))
    (note,) = made.notes
    assert note.startswith("d: must answer within 12.5 ms on average; many devices do not.")
    assert "… and 56 more" in render(made)


def test_a_device_without_tags_is_pointed_out_and_its_plan_is_still_json() -> None:
    made = plan(make_site([Tag(name="x", source="elsewhere")], [DEVICE]))
    assert made.notes == ("d: no tag reads from this device.",)
    json.dumps(asdict(made), allow_nan=False)


def serial_device(unit: int, baudrate: int) -> Source:
    line = SerialOptions(path="/dev/ttyS1", baudrate=baudrate)
    return Source(
        id=f"u{unit}", protocol="modbus-rtu", modbus=ModbusOptions(device_id=unit, framing="rtu", serial=line, port=0)
    )


def test_devices_on_one_serial_line_share_its_time() -> None:
    """50 registers are 113 bytes with their request, each 10 bits with start and stop; and two gaps."""
    tags = [Tag(name=f"u{u}.{n}", source=f"u{u}", address={"register": n}) for u in (1, 2) for n in range(50)]
    made = plan(make_site(tags, [serial_device(1, 9600), serial_device(2, 9600)]))
    turn_ms = 113 * 10 / 9.6 + 2 * 35 / 9.6
    assert [device.answer_ms_max for device in made.devices] == [pytest.approx(500 - turn_ms)] * 2
    assert "Modbus u1 at /dev/ttyS1 (9600 8N1), device 1 (modbus-rtu)" in render(made)
    assert made.notes == ()


def test_a_line_that_cannot_carry_its_requests_is_pointed_out() -> None:
    tags = [Tag(name=f"{n}", source="u1", address={"register": n}) for n in range(100)]
    made = plan(make_site(tags, [serial_device(1, 1200)]))
    assert "its line (/dev/ttyS1 (1200 8N1)) is too slow for these requests by" in made.notes[0]
