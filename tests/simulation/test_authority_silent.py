"""An authority that does not confirm, and one that refuses for good: one alarm each, with whom to call."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from alerting.model.alarm import Alarm
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.model import Nature, Scan, Tag, TagTable
from gateway.config import Destination, Site
from gateway.push.channel import Parcel, PushError, Receipt
from tests.scripted import small_gateway, small_site

S = 1_000_000_000
START_NS = 1_780_000_000 * S
PLC = Source(id="plc", protocol="modbus-tcp")
TAGS = TagTable([Tag(name=f"T.{n}", source="plc", unit="T", nature=Nature.ACTUAL) for n in range(3)])
RULES = RuleTable(
    [
        Rule(id=f"T.{n}.{kind.name}", tag=f"T.{n}", kind=kind, setpoint=setpoint, tier=tier)
        for n in range(3)
        for kind, setpoint, tier in ((Kind.H, 8.0, Tier.YELLOW), (Kind.HH, 9.0, Tier.ORANGE))
    ],
    TAGS,
)
CITY = Destination(
    id="city", url="https://city.example", phones=("区应急局 025-12345",), confirm_min=2.0, quarantine_min=60.0
)
PARK = Destination(id="park", url="https://park.example", confirm_min=2.0)


@dataclass
class Authority:
    """Answers as told; keeps what it took."""

    answer: Callable[[dict[str, Any]], None] = field(default=lambda _: None)
    taken: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, parcel: Parcel) -> Receipt:
        await asyncio.sleep(0.01)
        body = orjson.loads(parcel.body)
        self.answer(body)
        self.taken.append(body)
        return Receipt(status=200, id=parcel.key)

    async def close(self) -> None:
        """Nothing is open."""

    def tags(self) -> set[str]:
        return {body["tag"] for body in self.taken}


def down(_: dict[str, Any]) -> None:
    raise PushError(retry=True, reason="connection", detail="down")


def picky(body: dict[str, Any]) -> None:
    if body["tag"] == "T.0":
        raise PushError(retry=False, reason="status_400", detail="never", is_final=True)


def scans(value_of: Callable[[int], list[float]], seconds: int) -> list[Scan]:
    return [
        Scan(
            source="plc", epoch=1, number=at, received_ns=START_NS + at * S, nature=Nature.ACTUAL,
            rows=np.arange(3, dtype=np.int32), values=np.array(value_of(at)), quality=np.zeros(3, np.uint8),
            times_ns=np.full(3, START_NS + at * S),
        )
        for at in range(1, seconds)
    ]  # fmt: skip


def site_in(folder: Path) -> Site:
    return small_site(RULES, PLC, folder, destinations=(CITY, PARK))


def test_an_authority_that_does_not_confirm_rings_once_with_whom_to_call_and_not_to_itself(tmp_path: Path) -> None:
    clock, city, park = ManualClock(START_NS), Authority(answer=down), Authority()
    seen: list[tuple[int, bool]] = []

    async def run() -> None:
        gateway = small_gateway(
            site_in(tmp_path), clock, scans(lambda at: [8.5 if at > 5 else 5.0] * 3, 900),
            channels={"city": city, "park": park},
        )  # fmt: skip

        def own() -> list[Alarm]:
            return [a for a in gateway.picture.alarms.values() if a.tag.startswith("fengsui.unconfirmed")]

        async with gateway.running():
            for at in range(10, 600, 10):
                await asyncio.sleep(10)
                seen.append((at, any(alarm.is_active for alarm in own())))
                assert {alarm.tag for alarm in own()} <= {"fengsui.unconfirmed.city"}, "park confirms"
                if at == 400:
                    city.answer = lambda _: None
            (rule,) = [r for r in gateway.site.rules if r.id == "fengsui.unconfirmed.city.H"]
            assert "区应急局 025-12345" in rule.response["zh"]
            assert "区应急局 025-12345" in rule.response["en"]

    run_manual(run(), clock)
    rings = [at for at, is_active in seen if is_active]
    assert 5 + 120 <= rings[0] <= 5 + 120 + 70, "two minutes, and at most two looks"
    assert rings == list(range(rings[0], rings[-1] + 10, 10)), "once"
    assert 400 < rings[-1] < 560, "over once it confirms"
    assert {f"T.{n}" for n in range(3)} <= city.tags(), "nothing is lost"
    assert "fengsui.unconfirmed.city" in park.tags(), "others may know"
    assert not any(tag.startswith("fengsui.unconfirmed.city") for tag in city.tags())


def test_what_is_refused_for_good_takes_its_chain_along_and_rings_while_the_rest_goes_on(tmp_path: Path) -> None:
    clock, city, park = ManualClock(START_NS), Authority(answer=picky), Authority()

    async def run() -> None:
        gateway = small_gateway(
            site_in(tmp_path), clock, scans(lambda at: [5.0 if at < 6 else 8.5 if at < 60 else 9.5] * 3, 300),
            channels={"city": city, "park": park},
        )  # fmt: skip
        async with gateway.running():
            await asyncio.sleep(200)
            own = {a.tag: a for a in gateway.picture.alarms.values() if a.tag.startswith("fengsui.quarantined")}
            assert set(own) == {"fengsui.quarantined.city"}
            assert own["fengsui.quarantined.city"].is_active
            value = gateway.picture.values[gateway.site.tags.row_of["fengsui.quarantined.city"]]
            assert value == 2.0, "the alert, and the rise that stands behind it"

    run_manual(run(), clock)
    told = [(body["tag"], body["tier"]) for body in city.taken if body["tag"].startswith("T.")]
    assert sorted(told) == [("T.1", "ORANGE"), ("T.1", "YELLOW"), ("T.2", "ORANGE"), ("T.2", "YELLOW")]
    assert {"T.0", "fengsui.quarantined.city"} <= park.tags()
