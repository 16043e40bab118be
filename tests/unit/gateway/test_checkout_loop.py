"""What a check-out holds for, and which alarms an injected value may ring."""

from dataclasses import replace

import pytest

from alerting.model.derivation import Derivation
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.schedule import Schedule, Span
from alerting.model.tier import Tier
from edge.config import ModbusOptions, MqttOptions, OpcuaOptions, Source, SparkplugOptions
from edge.model import Tag, TagTable
from gateway.checkout.loop import computed_from, digests, error_percent, ringing
from gateway.config import Site

LEVEL = Tag(
    name="TK.level", source="plc", unit="TK", eu="m", range_lo=0.0, range_hi=5.0,
    address={"table": "holding", "register": 0, "type": "float32", "order": "ABCD", "scale": 1.0},
)  # fmt: skip
FLOW = Tag(name="TK.flow", source="plc", unit="TK", eu="m3/h")
VOLUME = Tag(name="TK.volume", source="derived:plc", unit="TK", eu="m3")
RULES = (
    Rule(id="TK.level.H", tag="TK.level", kind=Kind.H, setpoint=4.0, tier=Tier.YELLOW),
    Rule(id="TK.level.HH", tag="TK.level", kind=Kind.HH, setpoint=4.5, tier=Tier.RED),
    Rule(id="TK.level.RATE", tag="TK.level", kind=Kind.RATE, setpoint=0.1, window_s=10.0, tier=Tier.BLUE),
    Rule(id="TK.flow.H", tag="TK.flow", kind=Kind.H, setpoint=90.0, tier=Tier.YELLOW),
    Rule(id="TK.flow.DEV", tag="TK.flow", kind=Kind.DEVIATION, setpoint=1.0, reference="TK.level", tier=Tier.BLUE),
    Rule(id="TK.volume.H", tag="TK.volume", kind=Kind.H, setpoint=900.0, tier=Tier.YELLOW),
)
BY_VOLUME = Derivation(tag="TK.volume", kind="volume", inputs={"level": ("TK.level",)}, scales={"level": ((1.0, 0.0),)})


def site(*, level: Tag = LEVEL, rules: tuple[Rule, ...] = RULES, **plc: object) -> Site:
    tags = TagTable([level, FLOW, VOLUME])
    options = ModbusOptions(host="10.0.0.5", **plc)  # type: ignore[arg-type]
    source = Source(id="plc", protocol="modbus-tcp", modbus=options)
    return Site(
        id="s", title={}, timezone="UTC", sources=(source,), tags=tags, units=(), rules=RuleTable(rules, tags),
        derived=(BY_VOLUME,),
    )  # fmt: skip


BEFORE = digests(site(), site().rules, LEVEL)


@pytest.mark.parametrize(
    "changed",
    [
        {"level": replace(LEVEL, range_hi=6.0)},
        {"level": replace(LEVEL, eu="mm")},
        {"level": replace(LEVEL, address={**LEVEL.address, "register": 1})},
        {"level": replace(LEVEL, address={**LEVEL.address, "order": "CDAB"})},
        {"host_of": "10.0.0.6"},
        {"device_id": 2},
    ],
)
def test_a_changed_way_from_the_instrument_is_seen(changed: dict[str, object]) -> None:
    after = site(**({"port": 503} if "host_of" in changed else changed))  # type: ignore[arg-type]
    now = digests(after, after.rules, after.tags[0])

    assert now.signal != BEFORE.signal
    assert now.limits == BEFORE.limits


@pytest.mark.parametrize(
    "changed",
    [
        {"setpoint": 4.1},
        {"on_delay_s": 3.0},
        {"tier": Tier.ORANGE},
        {"deadband": 0.2},
        {"schedule": Schedule(zone="UTC", spans=(Span(days=(0, 1), from_s=0, to_s=3600),))},
        {"samples_min": 30},
    ],
)
def test_a_changed_limit_is_seen_and_is_not_the_signal(changed: dict[str, object]) -> None:
    after = site(rules=(replace(RULES[0], **changed), *RULES[1:]))  # type: ignore[arg-type]
    now = digests(after, after.rules, LEVEL)

    assert (now.signal, now.limits != BEFORE.limits) == (BEFORE.signal, True)


def test_titles_polling_and_limits_of_other_tags_change_nothing() -> None:
    level = replace(LEVEL, title={"en": "Level"}, period_s=5.0, resolution=0.1)
    after = site(level=level, rules=(*RULES[:3], replace(RULES[3], setpoint=1.0), *RULES[4:]), timeout_s=2.0)
    told = replace(RULES[0], revision=9, response={"en": "Run"})
    retold = site(level=level, rules=(told, *RULES[1:]))

    assert digests(after, after.rules, level) == BEFORE
    assert digests(retold, retold.rules, level) == BEFORE


def test_an_injected_value_rings_the_tags_own_alarms_and_those_that_read_it() -> None:
    found = ringing(site(), site().rules, LEVEL)

    assert [(one.tag, one.group, one.is_own) for one in found] == [
        ("TK.level", "high", True), ("TK.level", "rate", True),
        ("TK.flow", "deviation", False), ("TK.volume", "high", False),
    ]  # fmt: skip
    assert len({one.key for one in found}) == len(found)


def test_what_is_computed_over_two_steps_moves_too() -> None:
    mass = Derivation(tag="TK.mass", kind="mass", inputs={"volume": ("TK.volume",)}, scales={})
    other = Derivation(tag="TK.other", kind="mass", inputs={"volume": ("TK.flow",)}, scales={})

    assert computed_from((mass, BY_VOLUME, other), "TK.level") == {"TK.level", "TK.volume", "TK.mass"}


def test_the_error_is_told_in_percent_of_the_range() -> None:
    assert error_percent(2.5, 2.55, LEVEL) == pytest.approx(1.0)
    assert error_percent(None, 2.5, LEVEL) is None
    assert error_percent(2.5, float("nan"), LEVEL) is None
    assert error_percent(2.5, 2.5, FLOW) is None


@pytest.mark.parametrize("moved", [{"opcua": True}, {"group": "G2"}, {"node_tag": "x.{name}"}])
def test_another_server_or_group_behind_the_same_tag_is_another_signal(moved: dict[str, object]) -> None:
    def signal(source: Source) -> str:
        return digests(replace(site(), sources=(source,)), site().rules, LEVEL).signal

    if "opcua" in moved:
        one = Source(id="plc", protocol="opcua", opcua=OpcuaOptions(url="opc.tcp://a:4840"))
        other = replace(one, opcua=OpcuaOptions(url="opc.tcp://b:4840"))
        secret = replace(one, opcua=OpcuaOptions(url="opc.tcp://a:4840", password="x"))
        assert signal(secret) == signal(one)
    else:
        options = SparkplugOptions(group="G", nodes=("N",), host_id="h")
        one = Source(id="plc", protocol="sparkplug", mqtt=MqttOptions(host="mq"), sparkplug=options)
        other = replace(one, sparkplug=replace(options, **moved))  # type: ignore[arg-type]
    assert signal(one) == signal(one)
    assert signal(one) != signal(other)
