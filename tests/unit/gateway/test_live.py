"""The live picture: what a page holds after any mixture of snapshots and deltas is what the picture holds."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.clock_manual import DEFAULT_START_NS, ManualClock, run_manual
from edge.config import Source
from edge.model import Nature, Tag, TagTable
from gateway.config import Site
from gateway.live import BEAT_S, CLIENTS_MAX, RING, Columns, Picture, TooManyClients, describe_alarm, iso

NOW = DEFAULT_START_NS
S = 1_000_000_000


def make_site(n: int = 4) -> Site:
    tags = TagTable(
        [Tag(name=f"T{i}.level", source="s", unit=f"U{i % 2}", eu="m", nature=Nature.TEST) for i in range(n)]
    )
    rules = RuleTable(
        [
            Rule(id="T0.level.HH", tag="T0.level", kind=Kind.HH, setpoint=4.2, tier=Tier.ORANGE,
                 response={"en": "Stop the inlet", "zh": "停止进料"}),
        ],
        tags,
    )  # fmt: skip
    return Site(
        id="demo",
        title={"en": "Demo", "zh": "演示"},
        timezone="Asia/Shanghai",
        sources=(Source(id="s", protocol="modbus-tcp", nature=Nature.TEST),),
        tags=tags,
        units=(HazardUnit(id="U0"), HazardUnit(id="U1")),
        rules=rules,
        data=Path("var"),
        is_demonstration=True,
    )


def make_alarm(n: int = 0, **more: Any) -> Alarm:  # noqa: ANN401 - any field of an alarm
    told: dict[str, Any] = {
        "key": f"k{n}", "id": f"a{n}", "nature": Nature.TEST, "tag": f"T{n}.level", "unit": f"U{n % 2}",
        "group": "high", "condition": "HH", "rule": f"T{n}.level.HH", "state": State.UNACK, "tier": Tier.ORANGE,
        "tier_max": Tier.ORANGE, "onset_ns": NOW, "changed_ns": NOW, "value": 4.31, "setpoint": 4.2,
    }  # fmt: skip
    return Alarm(**(told | more))


def columns(*samples: tuple[int, float, int, int]) -> Columns:
    rows, v, q, t = zip(*samples, strict=True)
    return (
        np.array(rows, dtype=np.int32),
        np.array(v, dtype=np.float64),
        np.array(q, dtype=np.uint8),
        np.array(t, dtype=np.int64),
    )


class Page:
    """What a page would hold: it applies messages as the contract tells it to."""

    def __init__(self) -> None:
        self.rev: int | None = None
        self.alarms: dict[str, Any] = {}
        self.units: dict[str, Any] = {}
        self.values: dict[int, tuple[float | None, int, int]] = {}
        self.status: dict[str, Any] = {}
        self.kinds: list[str] = []

    def take(self, message: bytes) -> None:
        told = json.loads(message)
        self.kinds.append(told["kind"])
        if told["kind"] == "snapshot":
            self.alarms, self.units, self.values = {}, {}, {}
        assert self.rev is None or told["rev"] > self.rev or told["kind"] == "snapshot"
        self.rev = told["rev"]
        for gone in told.get("gone", ()):
            self.alarms.pop(gone, None)
        self.alarms |= {alarm["id"]: alarm for alarm in told.get("alarms", ())}
        self.units |= {unit["id"]: unit for unit in told.get("units", ())}
        self.status = told.get("status", self.status)
        v = told.get("values", {"rows": [], "v": [], "q": [], "t_ms": []})
        self.values |= {r: x for r, *x in zip(v["rows"], v["v"], v["q"], v["t_ms"], strict=True)}


def test_a_snapshot_tells_all_and_a_delta_only_what_changed() -> None:
    picture = Picture(make_site(), NOW)
    picture.publish(1, NOW, values=columns((0, 1.5, 0, NOW), (1, float("nan"), 0x82, NOW)))
    first = json.loads(picture.message(None))

    assert first["values"] == {"rows": [0, 1], "v": [1.5, None], "q": [0, 0x82], "t_ms": [NOW // 10**6] * 2}
    assert first["status"]["nature"] == "test"
    assert first["units"] == [{"id": "U0", "tier": "NONE", "alarms": 0}, {"id": "U1", "tier": "NONE", "alarms": 0}]

    picture.publish(2, NOW + S, values=columns((1, 2.0, 0, NOW + S)))
    delta = json.loads(picture.message(first["rev"]))

    assert delta == {
        "kind": "delta",
        "rev": first["rev"] + 1,
        "as_of": "2026-01-01T00:00:01.000Z",
        "values": {"rows": [1], "v": [2.0], "q": [0], "t_ms": [(NOW + S) // 10**6]},
    }


def test_a_large_turn_taken_in_parts_is_told_once_and_whole() -> None:
    """Between the parts somebody asks, and somebody else publishes: nothing is told twice, and nothing is left out."""
    picture, page = Picture(make_site(), NOW), Page()
    page.take(picture.message(None))
    picture.take_values(columns((3, 1.0, 0, NOW), (1, 1.0, 0, NOW), (3, 2.0, 0, NOW)))
    assert picture.revision == page.rev, "values alone move nothing on"
    picture.take_values(columns((0, 5.0, 0, NOW), (1, 0.5, 0, NOW - S)))
    picture.publish(1, NOW)
    delta = json.loads(picture.message(page.rev))
    assert (delta["values"]["rows"], delta["values"]["v"]) == ([0, 1, 3], [5.0, 1.0, 2.0]), "no value goes back in time"
    picture.publish(2, NOW, values=columns((2, 9.0, 0, NOW)))
    assert json.loads(picture.message(delta["rev"]))["values"]["rows"] == [2]


def test_an_alarm_comes_with_the_words_of_its_tag_and_rule() -> None:
    told = describe_alarm(make_alarm(), make_site())

    assert (told["eu"], told["response"]["zh"], told["tier"], told["is_active"]) == ("m", "停止进料", "ORANGE", True)
    assert told["acked"] is None
    assert describe_alarm(make_alarm(id="", state=State.NORMAL), make_site())["id"] == "k0"


def test_counts_leave_out_what_is_out_of_service_and_keep_what_is_shelved() -> None:
    picture = Picture(make_site(), NOW)
    shelf = {"suppression": Suppression.SHELVED, "suppressed_until_ns": NOW + S}
    picture.publish(
        1, NOW,
        alarms=[make_alarm(0), make_alarm(1, **shelf), make_alarm(2, suppression=Suppression.OUT_OF_SERVICE),
                make_alarm(3, state=State.RTN_UNACK, tier=Tier.NONE)],
    )  # fmt: skip
    status = picture.status()

    assert status["counts"] == {"RED": 0, "ORANGE": 2, "YELLOW": 0, "BLUE": 0}
    assert (status["unacked"], status["shelved"]) == (2, 1)


def test_alarms_of_a_drill_are_listed_last_and_are_in_no_count() -> None:
    picture = Picture(make_site(), NOW)
    drill = make_alarm(0, nature=Nature.EXERCISE, tier=Tier.RED)
    picture.show_exercise([drill])
    picture.publish(1, NOW, alarms=[make_alarm(1)])
    told = json.loads(picture.message(None))

    assert [alarm["nature"] for alarm in told["alarms"]] == ["test", "exercise"]
    assert (told["status"]["counts"]["RED"], told["status"]["unacked"]) == (0, 1)
    assert [unit["alarms"] for unit in told["units"]].count(0) == 1
    picture.set_drill({"number": 3})
    assert json.loads(picture.message(told["rev"]))["status"]["drill"] == {"number": 3}, "every page is told at once"


def test_a_cleared_alarm_is_gone_and_a_new_episode_replaces_the_old() -> None:
    picture, page = Picture(make_site(), NOW), Page()
    picture.publish(1, NOW, alarms=[make_alarm(0), make_alarm(1)])
    page.take(picture.message(None))
    picture.publish(2, NOW, alarms=[make_alarm(0, state=State.NORMAL, tier=Tier.NONE), make_alarm(1, id="later")])
    page.take(picture.message(page.rev))

    assert set(page.alarms) == {"later"}
    assert page.units["U0"]["alarms"] == 0
    assert page.units["U1"]["alarms"] == 1


def test_what_went_and_came_back_under_the_same_id_is_not_told_as_gone() -> None:
    """An alarm that never rang is known by its key; shelved, freed and shelved again it is simply there."""
    picture = Picture(make_site(), NOW)
    shelved = make_alarm(id="", state=State.NORMAL, tier=Tier.NONE, suppression=Suppression.SHELVED)
    free = make_alarm(id="", state=State.NORMAL, tier=Tier.NONE)
    picture.publish(1, NOW, alarms=[shelved])
    since = picture.revision
    picture.publish(2, NOW, alarms=[free])
    picture.publish(3, NOW, alarms=[shelved])
    delta = json.loads(picture.message(since))

    assert [alarm["id"] for alarm in delta["alarms"]] == ["k0"]
    assert "gone" not in delta


def test_an_older_sample_never_replaces_a_newer_one() -> None:
    picture = Picture(make_site(), NOW)
    picture.publish(1, NOW, values=columns((0, 5.0, 0, NOW)))
    picture.publish(2, NOW, values=columns((0, 1.0, 0, NOW - S)))

    assert picture.values[0] == 5.0


def test_nothing_new_makes_no_revision() -> None:
    picture = Picture(make_site(), NOW)
    before = picture.revision
    picture.publish(1, NOW, units={"U0": Tier.NONE})
    picture.set_status(links_up=0, push_waiting=0)
    picture.publish(2, NOW)

    assert picture.revision == before


def test_a_client_beyond_the_ring_or_from_before_a_restart_gets_a_snapshot() -> None:
    picture = Picture(make_site(), NOW)
    old = picture.revision
    for turn in range(RING + 1):
        picture.publish(turn, NOW + turn, values=columns((0, float(turn), 0, NOW + turn)))

    assert json.loads(picture.message(old))["kind"] == "snapshot"
    assert json.loads(picture.message(old + 1))["kind"] == "delta"
    assert json.loads(picture.message(picture.revision + 5))["kind"] == "snapshot"
    later = Picture(make_site(), NOW + 3600 * S)
    assert json.loads(later.message(picture.revision))["kind"] == "snapshot"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["value", "trip", "clear", "read"])), max_size=40))
def test_any_mixture_of_messages_leaves_the_page_with_the_picture(moves: list[tuple[int, str]]) -> None:
    picture, fast, slow = Picture(make_site(), NOW), Page(), Page()
    fast.take(picture.message(None))
    slow.take(picture.message(None))
    for turn, (n, move) in enumerate(moves):
        if move == "value":
            picture.publish(turn, NOW + turn, values=columns((n, float(turn), 0, NOW + turn)))
        elif move == "trip":
            picture.publish(turn, NOW, alarms=[make_alarm(n, id=f"a{n}-{turn}")], units={f"U{n % 2}": Tier.RED})
        elif move == "clear":
            picture.publish(turn, NOW, alarms=[make_alarm(n, state=State.NORMAL)])
        elif slow.rev != picture.revision:
            slow.take(picture.message(slow.rev))
        if fast.rev != picture.revision:
            fast.take(picture.message(fast.rev))
    if slow.rev != picture.revision:
        slow.take(picture.message(slow.rev))

    whole = Page()
    whole.take(picture.message(None))
    for page in (fast, slow):
        assert (page.alarms, page.units, page.values) == (whole.alarms, whole.units, whole.values)


async def read_until(messages: AsyncGenerator[bytes, None], told: list[tuple[float, bytes]], end_s: float) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(end_s):
            async for message in messages:
                told.append((loop.time(), message))  # noqa: PERF401 - the time-out must not lose what was read


def test_a_client_gets_at_most_four_a_second_and_misses_nothing() -> None:
    async def main() -> list[tuple[float, bytes]]:
        picture = Picture(make_site(), NOW)
        told: list[tuple[float, bytes]] = []
        reader = asyncio.create_task(read_until(picture.subscribe(), told, 10.5))
        for turn in range(100):  # ten a second for ten seconds
            await asyncio.sleep(0.0999)
            picture.publish(turn, NOW + turn, values=columns((turn % 4, float(turn), 0, NOW + turn)))
        await reader
        assert picture.clients == 0
        return told

    told = run_manual(main(), ManualClock())
    gaps = np.diff([at for at, _ in told[1:]])
    page = Page()
    for _, message in told:
        page.take(message)

    assert gaps.min() >= BEAT_S - 1e-6
    assert 36 <= len(told) <= 42
    assert [value[0] for _, value in sorted(page.values.items())] == [96.0, 97.0, 98.0, 99.0]


def test_a_first_change_after_silence_is_told_at_once() -> None:
    async def main() -> float:
        picture = Picture(make_site(), NOW)
        told: list[tuple[float, bytes]] = []
        reader = asyncio.create_task(read_until(picture.subscribe(), told, 20.0))
        await asyncio.sleep(5.0)
        picture.publish(1, NOW, alarms=[make_alarm()])
        await reader
        return told[1][0]

    assert run_manual(main(), ManualClock()) == pytest.approx(5.0, abs=1e-3)


def test_a_client_that_never_reads_slows_nobody_and_costs_nothing() -> None:
    async def main() -> tuple[int, int]:
        picture = Picture(make_site(), NOW)
        stuck = picture.subscribe()
        await anext(stuck)  # takes the snapshot and never comes back
        told: list[tuple[float, bytes]] = []
        reader = asyncio.create_task(read_until(picture.subscribe(), told, 60.0))
        for turn in range(600):
            await asyncio.sleep(0.0999)
            picture.publish(turn, NOW + turn, values=columns((0, float(turn), 0, NOW + turn)))
        await reader
        late = json.loads(await anext(stuck))  # when it wakes it is told the latest, not the history
        await stuck.aclose()
        assert late["kind"] == "snapshot"
        assert late["values"]["v"] == [599.0]
        return len(told), picture.dropped

    messages, dropped = run_manual(main(), ManualClock())
    assert messages >= 230
    assert dropped == 1


def test_clients_in_step_share_one_encoding() -> None:
    async def main() -> int:
        picture = Picture(make_site(), NOW)
        told: list[list[tuple[float, bytes]]] = [[] for _ in range(20)]
        readers = [asyncio.create_task(read_until(picture.subscribe(), mine, 5.0)) for mine in told]
        for turn in range(10):
            await asyncio.sleep(0.4)
            picture.publish(turn, NOW + turn, values=columns((0, float(turn), 0, NOW + turn)))
        await asyncio.gather(*readers)
        return len({id(message) for mine in told for _, message in mine})

    assert run_manual(main(), ManualClock()) == 11


def test_resuming_tells_only_what_was_missed() -> None:
    async def main() -> dict[str, Any]:
        picture = Picture(make_site(), NOW)
        picture.publish(1, NOW, values=columns((0, 1.0, 0, NOW)))
        since = picture.revision
        picture.publish(2, NOW, values=columns((1, 2.0, 0, NOW)))
        client = picture.subscribe(since)
        message: dict[str, Any] = json.loads(await anext(client))
        await client.aclose()
        return message

    message = run_manual(main(), ManualClock())
    assert (message["kind"], message["values"]["rows"]) == ("delta", [1])


def test_the_number_of_clients_is_bounded() -> None:
    async def main() -> None:
        picture = Picture(make_site(), NOW)
        clients = [picture.subscribe() for _ in range(CLIENTS_MAX)]
        for client in clients:
            await anext(client)
        with pytest.raises(TooManyClients):
            await anext(picture.subscribe())
        await clients[0].aclose()
        again = picture.subscribe()
        await anext(again)
        for client in (*clients[1:], again):
            await client.aclose()

    run_manual(main(), ManualClock())


def test_never_is_no_time() -> None:
    assert iso(0) is None
    assert iso(NOW + 7_000_000) == "2026-01-01T00:00:00.007Z"


def test_time_that_passes_tells_a_status_that_changed_and_nothing_else() -> None:
    picture = Picture(make_site(), NOW)
    before = picture.revision
    picture.pass_time(1, NOW + S)
    assert (picture.turn, picture.as_of_ns, picture.revision) == (1, NOW + S, before)
    picture.set_status(push_waiting=3)
    picture.pass_time(2, NOW + 2 * S)
    assert picture.revision == before + 1
    assert picture.status()["push"] == {"waiting": 3}
