"""A loop check-out on a whole gateway: what is injected is pushed to nobody, is written down, and all comes back."""

import asyncio
import base64
import csv
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sqlalchemy import select

from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.model import Scan, Tag, TagTable
from gateway.api import make_app
from gateway.app import Gateway
from gateway.auth import make_link
from gateway.config import Destination, Site
from gateway.store import schema
from tests.scripted import events_of, small_gateway, small_site

START_NS = 1_767_225_600_000_000_000
S = 1_000_000_000
SOURCE = Source(id="plc", protocol="mqtt", silent_after_s=60.0)
SECRET = "whsec_" + base64.b64encode(b"a signing key of this test only.").decode()


def site_in(folder: Path, setpoint: float = 8.0) -> Site:
    tags = TagTable([Tag(name="T.v", source="plc", unit="T", eu="m", range_lo=0.0, range_hi=10.0)])
    rules = [
        Rule(id="T.v.H", tag="T.v", kind=Kind.H, setpoint=setpoint, tier=Tier.ORANGE),
        Rule(id="T.v.L", tag="T.v", kind=Kind.L, setpoint=1.0, tier=Tier.YELLOW),
    ]
    destination = Destination(id="district", url="https://127.0.0.1:9/", secret=SECRET)
    return small_site(RuleTable(rules, tags), SOURCE, folder, destinations=(destination,))


def values(value_of: Callable[[int], float], seconds: int) -> list[Scan]:
    return [
        Scan(
            source="plc", epoch=1, number=at, received_ns=START_NS + at * S, rows=np.array([0], dtype=np.int32),
            values=np.array([value_of(at)]), quality=np.zeros(1, dtype=np.uint8),
            times_ns=np.array([START_NS + at * S], dtype=np.int64), nature=SOURCE.nature,
        )
        for at in range(1, seconds)
    ]  # fmt: skip


class Engineer:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(self, act: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401
        answer = await self.client.post(f"/api/v1/checkout/{act}", json={"tag": "T.v"} | body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def refused(self, act: str, **body: Any) -> tuple[int, str]:  # noqa: ANN401
        answer = await self.client.post(f"/api/v1/checkout/{act}", json={"tag": "T.v"} | body)
        return answer.status_code, answer.json()["error"]["message"]

    async def get(self, path: str, **asked: Any) -> Any:  # noqa: ANN401
        answer = await self.client.get(f"/api/v1/{path}", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()


def played(
    folder: Path,
    story: Callable[[Gateway, Engineer], Awaitable[None]],
    *,
    setpoint: float = 8.0,
    role: str = "engineer",
) -> Site:
    """Inject 9 m from the 20th to the 40th second, and let the story happen meanwhile."""
    clock = ManualClock(START_NS)
    site = site_in(folder, setpoint)
    gateway = small_gateway(site, clock, values(lambda at: 9.0 if 20 <= at < 40 else 5.0, 200))

    async def main() -> None:
        async with gateway.running():
            app = make_app(gateway, dist=folder / "dist")
            transport = httpx.ASGITransport(app, client=("10.1.2.3", 5))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://g", headers={"X-Fengsui-Request": "1"}
            ) as client:
                await client.get(f"/login/{make_link(gateway.engine, 'chen', role, clock)}")
                await story(gateway, Engineer(client))

    run_manual(main(), clock)
    return site


def test_an_injected_trip_is_seen_signed_and_pushed_to_nobody(tmp_path: Path) -> None:
    async def story(gateway: Gateway, engineer: Engineer) -> None:
        await asyncio.sleep(10.2)
        before = await engineer.get("checkout")
        assert (before["tags"][0]["state"], before["counts"]["unchecked"]) == ("unchecked", 1)
        begun = await engineer.post("begin", minutes=5, reason="commissioning")
        assert begun["refused"] == []
        assert {one["suppression"] for one in begun["alarms"]} == {"out_of_service"}
        assert (await engineer.refused("begin"))[0] == 409
        await asyncio.sleep(2)
        assert gateway.picture.status()["checkouts"] == 1, "everybody sees that a check-out goes on"
        await engineer.post("point", injected=5.0)
        await asyncio.sleep(12)  # 9 m is injected since the 20th second
        tripped = await engineer.post("point", injected=9.05, note="four decades box")
        (alarm,) = [one for one in tripped["alarms"] if one["group"] == "high"]
        assert alarm["is_active"], "it goes on being judged and listed"
        assert gateway.picture.tiers["T"] is Tier.NONE, "but moves no unit"
        await asyncio.sleep(20)  # the signal is taken away
        signed = await engineer.post("sign", result="passed", comment="0, 50, 90 %")
        assert (signed["state"], signed["open"]) == ("checked", None)
        assert {one["suppression"] for one in signed["alarms"]} == {"none"}
        assert gateway.picture.status()["checkouts"] == 0
        first, second = signed["records"][0]["points"]
        assert (first["injected"], first["value"], first["error_percent"], first["conditions"]) == (5.0, 5.0, 0.0, [])
        assert (second["value"], second["error_percent"], second["conditions"]) == (9.0, -0.5, ["T.v.H"])
        assert (signed["records"][0]["ended_by"], signed["records"][0]["comment"]) == ("chen", "0, 50, 90 %")
        with gateway.engine.connect() as connection:
            sent = connection.execute(select(schema.outbox.c.tier, schema.outbox.c.action)).all()
            acts = [json.loads(body) for body in connection.execute(select(schema.journal.c.body)).scalars()]
        assert [row for row in sent if row.action == "alert" and row.tier >= Tier.YELLOW] == []
        assert [act["action"] for act in acts if str(act.get("action", "")).startswith("checkout")] == [
            "checkout_begun", "checkout_signed",
        ]  # fmt: skip
        text = (await engineer.client.get("/api/v1/checkout/export")).text.lstrip("\ufeff")
        table = list(csv.DictReader(io.StringIO(text)))
        assert [(row["tag"], row["result"], row["injected"], row["conditions"]) for row in table] == [
            ("T.v", "passed", "5.0", ""), ("T.v", "passed", "9.05", "T.v.H"),
        ]  # fmt: skip

    site = played(tmp_path, story)
    assert "raised" in [event.what for event in events_of(site)], "and the journal has it"


def test_the_same_trip_without_a_check_out_is_pushed(tmp_path: Path) -> None:
    """The counterpart, without which the test above could not fail."""

    async def story(gateway: Gateway, engineer: Engineer) -> None:
        await asyncio.sleep(30)
        assert gateway.picture.tiers["T"] is Tier.ORANGE
        with gateway.engine.connect() as connection:
            sent = connection.execute(select(schema.outbox.c.tier, schema.outbox.c.action)).all()
        assert [tuple(row) for row in sent] == [(Tier.ORANGE, "alert")]

    played(tmp_path, story)


def test_what_nobody_signs_is_over_by_itself_and_the_alarm_is_back(tmp_path: Path) -> None:
    async def story(gateway: Gateway, engineer: Engineer) -> None:
        await asyncio.sleep(5)
        await engineer.post("begin", minutes=1)
        await asyncio.sleep(62)
        now = await engineer.get("checkout/tag", tag="T.v")
        assert (now["open"], now["records"][0]["state"], now["state"]) == (None, "expired", "unchecked")
        assert {one["suppression"] for one in now["alarms"]} == {"none"}
        assert gateway.picture.status()["checkouts"] == 0
        assert await engineer.refused("sign", result="passed") == (
            409, "No check-out of T.v goes on; begin one. Its time may have run out.",
        )  # fmt: skip
        again = await engineer.post("begin", minutes=1)
        assert [one["state"] for one in again["records"]] == ["open", "expired"]
        await engineer.post("abandon", comment="rain")

    played(tmp_path, story)


def test_a_signal_still_injected_at_the_signature_rings_then(tmp_path: Path) -> None:
    async def story(gateway: Gateway, engineer: Engineer) -> None:
        await asyncio.sleep(5)
        await engineer.post("begin", minutes=5)
        await asyncio.sleep(20)
        assert gateway.picture.tiers["T"] is Tier.NONE
        await engineer.post("sign", result="failed", comment="reads 10 % high")
        await asyncio.sleep(1)
        assert gateway.picture.tiers["T"] is Tier.ORANGE, "the alarm is in service again and rings"

    played(tmp_path, story)


def test_a_restart_keeps_records_and_goes_on_and_a_changed_limit_asks_for_a_new_check(tmp_path: Path) -> None:
    async def sign(gateway: Gateway, engineer: Engineer) -> None:
        await asyncio.sleep(5)
        await engineer.post("begin", minutes=5)
        await engineer.post("sign", result="passed")
        await engineer.post("begin", minutes=60)

    async def look(gateway: Gateway, engineer: Engineer) -> None:
        await asyncio.sleep(2)
        now = await engineer.get("checkout/tag", tag="T.v")
        assert now["state"] == "checked"
        assert now["open"] is not None
        assert gateway.picture.status()["checkouts"] == 1
        assert {one["suppression"] for one in now["alarms"]} == {"out_of_service"}
        await engineer.post("abandon")

    async def look_again(gateway: Gateway, engineer: Engineer) -> None:
        await asyncio.sleep(2)
        now = await engineer.get("checkout/tag", tag="T.v")
        assert (now["state"], now["changed"]) == ("changed", ["limits"])
        assert (await engineer.get("checkout", state="changed"))["total"] == 1

    played(tmp_path, sign)
    played(tmp_path, look)
    played(tmp_path, look_again, setpoint=8.5)


def test_a_shelf_a_foreign_alarm_and_a_wrong_tag_are_refused(tmp_path: Path) -> None:
    async def story(gateway: Gateway, engineer: Engineer) -> None:
        await asyncio.sleep(5)
        keys = [one["key"] for one in (await engineer.get("checkout/tag", tag="T.v"))["alarms"]]
        assert (await engineer.refused("begin", others=["nothing"]))[0] == 422
        assert (await engineer.refused("begin", tag="nothing"))[0] == 404
        assert (await engineer.refused("begin", tag="fengsui.store_waiting"))[0] == 409
        assert (await engineer.refused("begin", minutes=481))[0] == 422
        assert (await engineer.refused("sign", result="failed"))[0] == 422
        until = f"{START_NS + 3600 * S}"
        shelf = {"reason": "horn", "until": until}
        assert (await engineer.client.post(f"/api/v1/alarms/{keys[0]}/shelve", json=shelf)).status_code == 200
        status, said = await engineer.refused("begin")
        assert (status, "shelved" in said) == (409, True)
        assert (await engineer.get("checkout/tag", tag="T.v"))["records"] == []

    played(tmp_path, story)


def test_an_alarm_that_is_active_is_silenced_only_on_purpose(tmp_path: Path) -> None:
    async def story(gateway: Gateway, engineer: Engineer) -> None:
        await asyncio.sleep(25)  # 9 m is there, and nobody injects it
        status, said = await engineer.refused("begin")
        assert (status, "active" in said) == (409, True)
        assert gateway.picture.tiers["T"] is Tier.ORANGE
        now = await engineer.post("begin", accept_active=True)
        assert {one["group"]: (one["is_active"], one["suppression"]) for one in now["alarms"]} == {
            "high": (True, "out_of_service"), "low": (False, "out_of_service"),
        }  # fmt: skip
        assert gateway.picture.status()["counts"]["ORANGE"] == 0

    played(tmp_path, story)


def test_what_is_out_of_service_already_stays_so_after_the_signature(tmp_path: Path) -> None:
    async def story(gateway: Gateway, engineer: Engineer) -> None:
        await asyncio.sleep(5)
        alarms = (await engineer.get("checkout/tag", tag="T.v"))["alarms"]
        key = next(one["key"] for one in alarms if one["group"] == "low")
        permit = {"reason": "permit 7", "until": f"{START_NS + 3600 * S}"}
        await engineer.client.post(f"/api/v1/alarms/{key}/suppress", json=permit)
        await engineer.post("begin")
        now = await engineer.post("sign", result="passed")
        assert {one["group"]: one["suppression"] for one in now["alarms"]} == {"low": "out_of_service", "high": "none"}

    played(tmp_path, story)


def test_only_engineers_check_out_and_all_may_look(tmp_path: Path) -> None:
    async def story(gateway: Gateway, engineer: Engineer) -> None:
        assert (await engineer.refused("begin"))[0] == 403
        assert (await engineer.get("checkout/tag", tag="T.v"))["records"] == []

    played(tmp_path, story, role="safety_officer")
