"""Calls about an alarm that nobody answers, through the whole gateway in manual time; and over kill -9."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, select

from alerting.escalation.plan import Plan, Step
from alerting.model.command import Command, Verb
from alerting.model.tier import Tier
from alerting.register.ledgers import LEDGERS
from alerting.roster.plan import Post, RosterPlan, Shift
from edge.clock_manual import ManualClock, run_manual
from edge.model import Nature, Scan
from gateway.app import Gateway
from gateway.auth import Role, User, insert_user
from gateway.config import Destination, Site
from gateway.push.channel import Parcel, Receipt
from gateway.register.record import By
from gateway.register.records import make
from gateway.roster.book import Contact, put_contact
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from tests.scripted import small_gateway, small_site
from tests.time_matrix import SOURCE, START_NS, S
from tests.trouble import H0, scan, since_start_s, table

#: The story begins at 08:00 of 2026-01-01 in Shanghai.
DAY = Shift(id="day", title={}, from_s=8 * 3600, to_s=8 * 3600 + 15 * 60)
NEXT = Shift(id="next", title={}, from_s=8 * 3600 + 15 * 60, to_s=20 * 3600)
ROSTER = RosterPlan(
    shifts=(DAY, NEXT),
    posts=(
        Post(id="board", title={}, shifts=("day", "next")),
        Post(id="fire", title={}, shifts=("next",)),
        Post(id="boss", title={}, shifts=("day", "next"), is_leader=True),
    ),
)
WATCHES = [("day", "board", "li"), ("next", "board", "wang"), ("next", "fire", "sun")]
WATCHES += [("day", "boss", "zhao"), ("next", "boss", "zhao")]
PLAN = Plan(
    id="all",
    tiers=(Tier.RED, Tier.ORANGE, Tier.YELLOW),
    after_s=10,
    rounds=2,
    remind_s=60,
    steps=(
        Step(to="post:board", channel="sms", wait_s=30),
        Step(to="post:fire", channel="sms", wait_s=30),
        Step(to="leader", channel="voice", wait_s=40),
    ),
)
RISES = [scan(t, [t], [9.0 if t >= 2 else 5.0]) for t in range(1, 1_200)]
PHONE = "+86 138 0000 0000"


class Phone:
    """A channel that keeps what it is given."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.calls: list[tuple[float, str, dict[str, Any]]] = []

    async def send(self, parcel: Parcel) -> Receipt:
        self.calls.append((round(since_start_s(self._clock)), parcel.key, orjson.loads(parcel.body)))
        return Receipt(status=200)

    async def close(self) -> None:
        """Nothing is open."""


class Town:
    """A site whose people can be called."""

    def __init__(self, folder: Path, plan: Plan = PLAN) -> None:
        self.clock = ManualClock(START_NS)
        channels = tuple(Destination(id=name, url="https://x.example") for name in ("sms", "voice"))
        self.site = small_site(
            table(H0), SOURCE, folder / "before", channels=channels, escalations=(plan,), roster=ROSTER
        )
        self.phones = {name: Phone(self.clock) for name in ("sms", "voice")}
        self.site.data.mkdir(parents=True)
        engine = open_store(store_url(self.site.data))
        with engine.begin() as connection:
            for name in ("li", "wang", "sun", "zhao"):
                insert_user(connection, User(name=name, role=Role.OPERATOR, created_ns=1), "")
                put_contact(connection, Contact(person=name, phone=PHONE), "root", 1)
            for number, (shift, post, person) in enumerate(WATCHES, start=1):
                row = {"number": number, "date": date(2026, 1, 1).isoformat(), "shift": shift, "post": post}
                row |= {"person": person, "substitute": "", "reason": "", "changed_by": "root", "changed_ns": 1}
                connection.execute(insert(schema.roster).values(row))
        engine.dispose()

    def gateway(self, site: Site | None = None, items: Sequence[Scan] = RISES) -> Gateway:
        return small_gateway(site or self.site, self.clock, items, channels=self.phones)

    def run(self, seconds: float, asked: Mapping[float, Command] | None = None, items: Sequence[Scan] = RISES) -> None:
        async def main() -> None:
            gateway = self.gateway(items=items)
            async with gateway.running():
                for at_s, command in (asked or {}).items():
                    await asyncio.sleep(at_s - since_start_s(self.clock))
                    key = next(alarm.key for alarm in gateway.desk.alarms.values() if alarm.tag == "T.v")
                    answer = await gateway.command(replace(command, alarm=key))
                    assert answer.refused is None
                await asyncio.sleep(seconds - since_start_s(self.clock))

        run_manual(main(), self.clock)

    def told(self) -> list[tuple[float, str, str, str]]:
        """When who was called by which channel, and of which kind it was."""
        calls = [(at, name, body) for name, phone in self.phones.items() for at, _, body in phone.calls]
        return sorted((at, body["to"]["person"], name, body["kind"]) for at, name, body in calls)


def command(verb: Verb, **more: Any) -> Command:  # noqa: ANN401 - as Command takes them
    return Command(verb=verb, alarm="", who="li", received_ns=0, **more)


#: Raised at 2 s; ten seconds for the page; nobody is at the fire post before 08:15.
CLIMB = [
    (12, "li", "sms", "call"),
    (42, "zhao", "voice", "call"),
    (82, "li", "sms", "call"),
    (112, "zhao", "voice", "call"),
]


def test_people_are_called_one_after_the_other_and_in_rounds(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.run(250)

    assert town.told() == CLIMB
    at, _, body = town.phones["sms"].calls[0]
    assert (at, body["to"]["phone"], body["tier"], body["round"], body["step"]) == (12, PHONE, "YELLOW", 1, 1)
    assert "T.v" in body["text"]["zh"]
    assert "请登录确认" in body["text"]["zh"]
    assert "9" in body["text"]["en"]


def test_an_acknowledgement_ends_the_calls_and_begins_the_reminders(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.run(200, {50.2: command(Verb.ACK)})

    assert town.told() == [*CLIMB[:2], (110, "li", "sms", "reminder"), (170, "li", "sms", "reminder")]
    assert "li" in town.phones["sms"].calls[-1][2]["text"]["en"]


def test_a_return_ends_the_calls(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.run(200, items=[scan(t, [t], [9.0 if 2 <= t < 60 else 5.0]) for t in range(1, 200)])

    assert town.told() == CLIMB[:2]


def test_a_shelf_ends_the_calls_and_its_end_begins_them_anew(tmp_path: Path) -> None:
    town = Town(tmp_path)
    shelve = command(Verb.SHELVE, reason="test", until_ns=START_NS + 100 * S)
    town.run(130, {20.2: shelve})

    assert [(who, kind) for _, who, _, kind in town.told()] == [("li", "call")] * 2
    assert town.told()[1][0] == pytest.approx(110, abs=1)
    told = town.phones["sms"].calls[1][2]
    assert (told["since"][:19], told["minutes"]) == ("2026-01-01T08:00:02", 1), "not since the shelf ended"
    assert told["setpoint"] == 8.0, "and about the limit, not about the end of a shelf"


def test_who_is_called_is_who_is_on_duty_then(tmp_path: Path) -> None:
    """The shift changes at 08:15, 900 s after the start, while people are being called."""
    late = [scan(t, [t], [9.0 if t >= 860 else 5.0]) for t in range(1, 1_200)]
    town = Town(tmp_path)
    town.run(1_000, items=late)

    assert (
        town.told()
        == [
            (870, "li", "sms", "call"),
            (900, "sun", "sms", "call"),
            (930, "zhao", "voice", "call"),
            (970, "wang", "sms", "call"),
            (1_000, "sun", "sms", "call"),
        ][: len(town.told())]
    )
    assert len(town.told()) >= 4


def test_whoever_is_disabled_is_not_called(tmp_path: Path) -> None:
    town = Town(tmp_path)
    engine = open_store(store_url(town.site.data))
    with engine.begin() as connection:
        connection.execute(schema.user.update().where(schema.user.c.name == "li").values(is_active=False))
    engine.dispose()
    town.run(100)

    assert {who for _, who, _, _ in town.told()} == {"zhao"}


def test_calls_of_a_test_do_not_leave_by_a_channel_for_what_is_actual(tmp_path: Path) -> None:
    town = Town(tmp_path)
    source = replace(SOURCE, nature=Nature.TEST)
    tags = table(H0).tags
    assert tags[0].nature is Nature.ACTUAL
    quiet = tuple(replace(each, natures=(Nature.EXERCISE,)) for each in town.site.channels)
    town.site = replace(town.site, channels=quiet, sources=(source,))
    town.run(100)

    assert town.told() == []
    with town.gateway().engine.connect() as connection:
        made = connection.execute(select(schema.escalation_call.c.what)).scalars().all()
    assert made.count("call") >= 2, "the timeline tells of them all the same"


@pytest.mark.parametrize("killed_s", [2.05, 12.0, 12.3, 42.05, 60.0, 112.05])
def test_a_kill_at_any_moment_leaves_each_call_made_once(tmp_path: Path, killed_s: float) -> None:
    town = Town(tmp_path)
    after = replace(town.site, data=tmp_path / "after")

    async def first() -> None:
        gateway = town.gateway()
        async with gateway.running():
            await asyncio.sleep(killed_s - since_start_s(town.clock))
            shutil.copytree(town.site.data, after.data)
            heard = {name: len(phone.calls) for name, phone in town.phones.items()}
        for name, phone in town.phones.items():
            del phone.calls[heard[name] :]  # What a dead process would not have said.

    async def second() -> None:
        gateway = town.gateway(after)
        async with gateway.running():
            await asyncio.sleep(200)

    run_manual(first(), town.clock)
    run_manual(second(), town.clock)

    keys = [key for phone in town.phones.values() for _, key, _ in phone.calls]
    steps = [(who, body_kind) for _, who, _, body_kind in town.told()]
    assert len(set(keys)) == len(CLIMB)
    assert len(keys) - len(set(keys)) <= 1, "only what was on its way may be said again, under its key"
    assert steps[0] == ("li", "call")
    engine = open_store(store_url(after.data))
    with engine.connect() as connection:
        kept = connection.execute(select(schema.escalation_call.c.key)).scalars().all()
        sent = connection.execute(select(schema.outbox.c.key).where(schema.outbox.c.action == "call")).scalars().all()
    engine.dispose()
    assert sorted(set(keys)) == sorted(sent)
    assert set(sent) < set(kept)


def test_time_that_passed_while_it_was_down_takes_one_step_not_all(tmp_path: Path) -> None:
    town = Town(tmp_path)
    after = replace(town.site, data=tmp_path / "after")

    async def first() -> None:
        gateway = town.gateway()
        async with gateway.running():
            await asyncio.sleep(20)
            shutil.copytree(town.site.data, after.data)

    run_manual(first(), town.clock)
    town.clock.advance_ns(600 * S)

    async def second() -> None:
        gateway = town.gateway(after)
        async with gateway.running():
            await asyncio.sleep(20)

    run_manual(second(), town.clock)
    assert [(who, channel) for _, who, channel, _ in town.told()] == [("li", "sms"), ("zhao", "voice")]


#: While an event runs in zone Z1: another ladder at once, another leader, and the stage instead of the board.
EVENT_PLAN = replace(
    PLAN, id="crowd", after_s=0, rounds=9, is_for_events=True,
    steps=(Step(to="post:board", channel="sms", wait_s=30), Step(to="leader", channel="voice", wait_s=40)),
)  # fmt: skip
EVENT_POSTS = (
    Post(id="stage", title={}, shifts=("day",), roster="festival", instead_of="board"),
    Post(id="chief", title={}, shifts=("day",), roster="festival", is_leader=True),
)


def town_of_an_event(folder: Path, begins: str, ends: str) -> Town:
    """A town with an event in force in its unit between two minutes."""
    town = Town(folder)
    roster = replace(ROSTER, posts=(*ROSTER.posts, *EVENT_POSTS))
    town.site = replace(town.site, roster=roster, escalations=(EVENT_PLAN, PLAN))
    by = By(who="li", time_ns=1, reason="x")
    zone: dict[str, Any] = {"code": "Z1", "name": "plaza", "unit": "T", "at_once": 200}
    event: dict[str, Any] = {
        "code": "EV-1", "name": "festival", "state": "filed", "zones": "Z1", "from": f"2026-01-01T{begins}",
        "until": f"2026-01-01T{ends}", "approved": 500, "filed_at": "2025-12-01T08:00", "filing_number": "7",
        "roster": "festival", "escalation": "crowd",
    }  # fmt: skip
    engine = open_store(store_url(town.site.data))
    with engine.begin() as connection:
        make(connection, LEDGERS["crowd_zones"], zone, by)
        make(connection, LEDGERS["large_events"], event, by)
        for number, (post, person) in enumerate((("stage", "sun"), ("chief", "wang")), start=20):
            row = {"number": number, "date": "2026-01-01", "shift": "day", "post": post, "person": person}
            row |= {"substitute": "", "reason": "", "changed_by": "root", "changed_ns": 1}
            connection.execute(insert(schema.roster).values(row))
    engine.dispose()
    return town


#: Rings at 62 s and again at 242 s, with an end between.
TWICE = [scan(t, [t], [9.0 if 62 <= t < 200 or t >= 242 else 5.0]) for t in range(1, 400)]


def test_while_an_event_runs_its_people_are_called_by_its_ladder_and_afterwards_the_usual_ones(tmp_path: Path) -> None:
    """In force from 08:01 to 08:04, 60 s to 240 s after the start."""
    town = town_of_an_event(tmp_path, "08:01", "08:04")
    town.run(300, items=TWICE)

    assert town.told() == [
        (62, "sun", "sms", "call"), (92, "wang", "voice", "call"), (132, "sun", "sms", "call"),
        (162, "wang", "voice", "call"), (252, "li", "sms", "call"), (282, "zhao", "voice", "call"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("span", "told"),
    [(("08:01", "08:03"), ["sun", "wang", "li", "zhao"]), (("08:02", "08:30"), ["li", "zhao", "sun", "wang"])],
)
def test_a_ladder_that_climbs_keeps_its_steps_and_reaches_who_is_on_duty_then(
    tmp_path: Path, span: tuple[str, str], told: list[str]
) -> None:
    """The alarm rings at 62 s and stands; the event ends at 180 s, or begins at 120 s."""
    town = town_of_an_event(tmp_path, *span)
    town.site = replace(town.site, escalations=(EVENT_PLAN, replace(PLAN, rounds=9)))
    town.run(260, items=[scan(t, [t], [9.0 if t >= 62 else 5.0]) for t in range(1, 300)])

    assert list(dict.fromkeys(who for _, who, _, _ in town.told())) == told


def test_an_event_is_in_force_after_a_restart_and_ends_while_the_gateway_is_down(tmp_path: Path) -> None:
    town = town_of_an_event(tmp_path, "08:01", "08:04")
    after, again = replace(town.site, data=tmp_path / "after"), replace(town.site, data=tmp_path / "again")

    async def live(site: Site, until_s: float, then: Site | None) -> None:
        gateway = town.gateway(site, TWICE)
        async with gateway.running():
            await asyncio.sleep(until_s - since_start_s(town.clock))
            if then is not None:
                shutil.copytree(site.data, then.data)

    run_manual(live(town.site, 100, after), town.clock)
    run_manual(live(after, 150, again), town.clock)
    assert [who for _, who, _, _ in town.told()] == ["sun", "wang", "sun"]
    town.clock.advance_ns(150 * S)
    run_manual(live(again, 360, None), town.clock)
    assert [who for _, who, _, _ in town.told()][3:][:2] == ["zhao", "li"], "the ladder goes on, and reaches the usual"
