"""The rules of an OPC UA collector about time, silence and return, in virtual time, with a server by hand."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from edge.clock_manual import ManualClock
from edge.model import Tag, TagTable
from tests.opcua_peers import OPTIONS, URI, HandServer, S, Told, collector, in_virtual_time, running, table


def test_what_does_not_change_is_told_every_period() -> None:
    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0, "b": 5.0})
        server.set("a", 4.5)
        server.set("b", 7.0)
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            await asyncio.sleep(61)
        for name, value, count in (("a", 4.5, 60), ("b", 7.0, 12)):
            samples = told.samples(tags, name)
            assert {sample[:2] for sample in samples} == {(value, "GOOD")}
            assert abs(len(samples) - count) <= 1
            times = [time for _, _, time in samples]
            assert times == sorted(set(times))
        assert told.links == [(True, "")]

    in_virtual_time(story)


def test_a_change_keeps_its_own_time_and_goes_after_every_repetition() -> None:
    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0})
        server.latency_s = 0.4
        server.set("a", 0.0)
        stamps = []
        async with running(collector(tags, clock, told, server.connect, OPTIONS)) as _:
            for k in range(1, 40):
                await asyncio.sleep(0.7 + 0.13 * (k % 5))
                server.set("a", float(k))
                stamps.append((float(k), "GOOD", server.now_ns()))
            await asyncio.sleep(2)
        samples = told.samples(tags, "a")
        assert [sample for sample in samples if sample in stamps] == stamps
        times = [time for _, _, time in samples]
        assert times == sorted(set(times)), "no repetition before a change that it did not know"
        assert told.items[1:]

    in_virtual_time(story)


@pytest.mark.parametrize("behind_s", [3, 20])
def test_a_source_whose_clock_is_behind_its_servers(behind_s: int) -> None:
    """Its changes are never before what was told; after the first, repetitions keep back and its times are kept."""

    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0})
        server.set("a", 0.0, time_ns=server.now_ns() - behind_s * S)
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            for k in range(1, 20):
                await asyncio.sleep(5)
                server.set("a", float(k), time_ns=server.now_ns() - behind_s * S)
            await asyncio.sleep(3)
        samples = told.samples(tags, "a")
        times = [time for _, _, time in samples]
        assert times == sorted(set(times))
        assert next(quality for value, quality, _ in samples if value == 1.0) == "UNCERTAIN(clock)"
        assert {quality for value, quality, _ in samples if value > 10} == {"GOOD"}
        assert [value for value, _, _ in samples][-1] == 19.0
        assert {int(value) for value, _, _ in samples} == set(range(20))

    in_virtual_time(story)


def test_changes_of_one_publication_keep_what_lies_between_them() -> None:
    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0})
        server.set("a", 0.0)
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            await asyncio.sleep(5.5)
            for k in (1, 2, 3):
                server.set("a", float(k), time_ns=server.now_ns() - 9 * S + k * S // 10)
            await asyncio.sleep(1)
        times = [time for value, _, time in told.samples(tags, "a") if value in (1.0, 2.0, 3.0)][:3]
        assert [later - earlier for earlier, later in pairwise(times)] == [S // 10, S // 10]

    in_virtual_time(story)


def test_an_old_value_at_the_start_is_the_value_of_now() -> None:
    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0})
        server.set("a", 4.5, time_ns=server.now_ns() - 86_400 * S)
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            await asyncio.sleep(3)
        value, quality, time_ns = told.samples(tags, "a")[0]
        assert (value, quality) == (4.5, "GOOD")
        assert time_ns > clock.wall_ns() - 4 * S
        assert told.samples(tags, "a", is_backfill=True) == []

    in_virtual_time(story)


def test_a_return_brings_what_was_missed_as_backfill_and_the_value_of_now() -> None:
    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0})
        server.set("a", 1.0)
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            await asyncio.sleep(5)
            server.cut()
            server.is_there = False
            missed = []
            for k in (10, 11, 12):
                await asyncio.sleep(3)
                server.set("a", float(k))
                missed.append((float(k), "GOOD", server.now_ns()))
            await asyncio.sleep(1)
            assert told.links[-1][0] is False
            server.is_there = True
            await asyncio.sleep(8)
        assert told.links == [(True, ""), (False, "the connection broke"), (True, "")]
        late = told.samples(tags, "a", is_backfill=True)
        assert late == missed[:2]
        now = told.samples(tags, "a")
        assert missed[2] in now, "the last of them is the value of now, with its own time"
        assert {sample[:2] for sample in now[-5:]} == {(12.0, "GOOD")}
        assert len(server.subscriptions) == 1, "taken over, not made anew"
        times = [time for _, _, time in told.samples(tags, "a")]
        assert times == sorted(set(times))

    in_virtual_time(story)


def test_a_server_that_takes_nothing_over_gets_new_subscriptions() -> None:
    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0})
        server.can_transfer = False
        server.set("a", 1.0)
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            await asyncio.sleep(5)
            server.cut()
            server.set("a", 2.0)
            await asyncio.sleep(5)
        assert len(server.subscriptions) == 2
        assert told.samples(tags, "a")[-1][:2] == (2.0, "GOOD")

    in_virtual_time(story)


def test_a_server_that_falls_silent_is_a_link_that_is_down() -> None:
    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0})
        server.set("a", 1.0)
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            await asyncio.sleep(5)
            server.is_mute = True
            await asyncio.sleep(4)
            assert told.links[-1][0] is False
            assert "no sign of life" in told.links[-1][1]
            count = len(told.scans)
            await asyncio.sleep(60)
            assert len(told.scans) == count, "nothing is repeated for which no server vouches"
            server.is_mute = False
            await asyncio.sleep(20)
        assert told.links[-1] == (True, "")

    in_virtual_time(story)


def test_tries_to_connect_grow_farther_apart() -> None:
    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0})
        server.is_there = False
        one = collector(tags, clock, told, server.connect, OPTIONS)
        async with running(one):
            await asyncio.sleep(60)
        assert 15 <= server.connects <= 19  # 0.5, 1, 2, then 4 s
        assert told.links == [(False, "connection refused")]
        assert one.counters.failures["comms"] == server.connects

    in_virtual_time(story)


def test_a_lost_publication_is_asked_for_again() -> None:
    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0})
        server.set("a", 0.0)
        server.lost = {3, 6}
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            for k in range(1, 9):
                await asyncio.sleep(1)
                server.set("a", float(k))
            await asyncio.sleep(2)
            assert server.sessions[0].republished == [3, 6]
        values = {value for value, _, _ in told.samples(tags, "a") + told.samples(tags, "a", is_backfill=True)}
        assert values == set(map(float, range(9)))

    in_virtual_time(story)


def test_a_node_that_is_not_there_is_bad_and_asked_for_again() -> None:
    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0, "b": 1.0})
        server.set("a", 1.0)
        server.set("b", 2.0)
        server.missing = {"b"}
        one = collector(tags, clock, told, server.connect, OPTIONS)
        async with running(one):
            await asyncio.sleep(30)
            assert {sample[1] for sample in told.samples(tags, "b")} == {"BAD(exception)"}
            assert len(told.samples(tags, "b")) > 25
            server.missing = set()
            await asyncio.sleep(60)
        assert told.samples(tags, "b")[-1][:2] == (2.0, "GOOD")
        assert one.counters.refused["0x80340000"] == 1
        assert {sample[1] for sample in told.samples(tags, "a")} == {"GOOD"}

    in_virtual_time(story)


def test_codes_that_nobody_knows_share_a_counter() -> None:
    async def story(clock: ManualClock) -> None:
        server, told = HandServer(clock), Told()
        tags = table({f"t{k}": 1.0 for k in range(50)})
        server.missing = set(tags.names)
        server.codes = {name: 0x8F00_0000 + (k << 16) for k, name in enumerate(tags.names)}
        one = collector(tags, clock, told, server.connect, OPTIONS)
        async with running(one):
            await asyncio.sleep(3)
        assert one.counters.refused == {"node_refused": 50}
        assert {sample[1] for sample in told.samples(tags, "t7")} == {"BAD(device)"}

    in_virtual_time(story)


def test_big_classes_are_split() -> None:
    async def story(clock: ManualClock) -> None:
        server, told = HandServer(clock), Told()
        tags = table({f"t{k}": 1.0 for k in range(250)})
        for name in tags.names:
            server.set(name, 1.0)
        async with running(collector(tags, clock, told, server.connect, replace(OPTIONS, items_max=100))):
            await asyncio.sleep(10)
        assert [len(one.items) for one in server.subscriptions.values()] == [100, 100, 50]
        assert sum(len(scan) for scan in told.scans) == pytest.approx(250 * 10, abs=500)

    in_virtual_time(story)


def test_a_namespace_that_the_server_lacks_makes_its_tags_bad_and_no_others() -> None:
    async def story(clock: ManualClock) -> None:
        server, told = HandServer(clock), Told()
        tags = table({"a": 1.0})
        server.uris = ["http://opcfoundation.org/UA/"]
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            await asyncio.sleep(3)
        assert told.links == [(False, "the server has none of the tags' namespaces")]

    in_virtual_time(story)


def test_the_servers_clock_may_be_wrong_without_a_change_being_refused() -> None:
    """Samples of one tag are in order of the server's clock; what its stamps are worth is intake's matter."""

    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0})
        server.offset_ns = -3_600 * S
        server.set("a", 0.0)
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            for k in range(1, 10):
                await asyncio.sleep(3)
                server.set("a", float(k))
            await asyncio.sleep(2)
        times = [time for _, _, time in told.samples(tags, "a")]
        assert times == sorted(set(times))
        assert all(abs(time - clock.wall_ns() + 3_600 * S) < 60 * S for time in times)

    in_virtual_time(story)


@pytest.mark.parametrize("ahead_s", [3_600, 86_400 * 365 * 80])
def test_a_stamp_far_ahead_blinds_nobody(ahead_s: int) -> None:
    """One wrong stamp, and a server whose clock is set back: the value is told every period all the same."""

    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0, "b": 1.0})
        server.set("a", 1.0)
        server.set("b", 1.0)
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            await asyncio.sleep(5)
            server.set("a", 2.0, time_ns=server.now_ns() + ahead_s * S)
            await asyncio.sleep(15)
            assert len([one for one in told.samples(tags, "a") if one[0] == 2.0]) > 8
            server.set("a", 3.0)
            await asyncio.sleep(5)
            assert told.samples(tags, "a")[-1][:2] == (3.0, "GOOD")
            server.offset_ns = -1_800 * S
            count = len(told.samples(tags, "b"))
            await asyncio.sleep(20)
        assert len(told.samples(tags, "b")) > count + 15

    in_virtual_time(story)


def test_a_server_that_says_that_its_queue_was_full_is_counted() -> None:
    async def story(clock: ManualClock) -> None:
        server, told, tags = HandServer(clock), Told(), table({"a": 1.0})
        server.set("a", 1.0)
        one = collector(tags, clock, told, server.connect, OPTIONS)
        async with running(one):
            await asyncio.sleep(3)
            server.set("a", 2.0, status=0x0000_0480)  # Good, InfoType DataValue, Overflow: OPC 10000-4 7.38.1
            await asyncio.sleep(2)
        assert one.counters.refused == {"queue_overflow": 1}
        assert told.samples(tags, "a")[-1][:2] == (2.0, "GOOD")

    in_virtual_time(story)


def test_scale_offset_range_and_texts() -> None:
    async def story(clock: ManualClock) -> None:
        server, told = HandServer(clock), Told()
        tags = TagTable(
            [
                Tag(
                    name=name,
                    source="dcs",
                    range_lo=0.0,
                    range_hi=100.0,
                    address={"node_id": f"nsu={URI};s={name}"} | more,
                )
                for name, more in (("a", {"scale": 0.1, "offset": -5.0}), ("b", {"map": (("RUN", 1.0), ("STOP", 0.0))}))
            ]
        )
        server.set("a", 250.0)
        server.set("b", "RUN")
        async with running(collector(tags, clock, told, server.connect, OPTIONS)):
            await asyncio.sleep(3)
            server.set("a", 5_000.0)
            server.set("b", "TRIP")
            await asyncio.sleep(2)
        assert {sample[:2] for sample in told.samples(tags, "a")[:2]} == {(20.0, "GOOD")}
        assert told.samples(tags, "a")[-1][1] == "BAD(range)"
        assert {sample[:2] for sample in told.samples(tags, "b")[:2]} == {(1.0, "GOOD")}
        assert told.samples(tags, "b")[-1][1] == "BAD(unmapped)"

    in_virtual_time(story)
