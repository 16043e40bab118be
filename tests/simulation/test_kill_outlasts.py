"""What must outlast kill -9 in the middle of something: outages of a source, timers inside an expression."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from alerting.model.command import Command
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock, run_manual
from edge.model import Link, Scan
from gateway.auth import add_user
from gateway.config import Site
from gateway.store import schema
from gateway.store.acts import Hand
from gateway.store.engine import open_store, store_url
from tests.scripted import events_of, live, small_gateway, small_site
from tests.time_matrix import SOURCE, START_NS, S, tag_table
from tests.trouble import H0, scan, since_start_s, table, two_tags, what_happened

DOWN_S, UP_S = 11, 130
NOTHING: Mapping[float, Command] = {}


def kill_at(
    site: Site, clock: ManualClock, items: Sequence[Scan | Link], at_s: float, asked: Mapping[float, Command] = NOTHING
) -> Site:
    """Run until then, with commands at their seconds, and give the site as kill -9 at that moment would leave it."""
    after = replace(site, data=site.data.with_name("after"))

    async def main() -> None:
        gateway = small_gateway(site, clock, items)
        async with gateway.running():
            for due_s, command in asked.items():
                await asyncio.sleep(due_s - since_start_s(clock))
                assert (await gateway.command(command)).refused is None
            await asyncio.sleep(at_s - since_start_s(clock))
            shutil.copytree(site.data, after.data)

    run_manual(main(), clock)
    return after


def system_remarks(site: Site) -> list[bytes]:
    engine = open_store(store_url(site.data))
    with engine.connect() as connection:
        bodies = connection.scalars(select(schema.journal.c.body).where(schema.journal.c.kind == "system"))
        told = [str(body).encode() for body in bodies]
    engine.dispose()
    return told


@pytest.mark.parametrize(
    "killed_s", [UP_S - 20.0, UP_S + 0.5, UP_S + 5.5], ids=["in the outage", "as it ends", "draining"]
)
def test_the_rest_of_a_backlog_is_late_after_a_kill(killed_s: float, tmp_path: Path) -> None:
    """Thirty seconds of backlog above the limit, drained a sample a second; the gateway dies in the middle of it.

    It is judged late, by the gateway that died and by the one that came after it; none of it is ever live.
    """
    clock = ManualClock(START_NS)
    items: list[Scan | Link] = [
        *(scan(t, [t], [5.0]) for t in range(1, 11)),
        Link(source="plc", is_up=False, received_ns=START_NS + DOWN_S * S),
        Link(source="plc", is_up=True, received_ns=START_NS + UP_S * S),
        *(scan(UP_S + 1 + i, [20 + i], [9.0]) for i in range(30)),
        *(scan(UP_S + 1.5 + i, [UP_S + 1.5 + i], [5.0]) for i in range(35)),
    ]
    items.sort(key=lambda item: item.received_ns)
    site = small_site(table(H0), SOURCE, tmp_path / "before")
    after = kill_at(site, clock, items, killed_s)
    gateway = small_gateway(after, clock, items)

    async def rest() -> dict[str, int]:
        async with gateway.running():
            await asyncio.sleep(UP_S + 40 - since_start_s(clock))
            return dict(gateway.intake.replaced)

    assert run_manual(rest(), clock)["wrong_clock"] == 0
    assert what_happened(after, is_late=False) == []
    assert b"late_not_judged" not in b"".join(system_remarks(after))
    assert what_happened(after, is_late=True)[0] == "raised"


def inner(when: str) -> RuleTable:
    rule = Rule(
        id="T.v.EXPRESSION",
        tag="T.v",
        kind=Kind.EXPRESSION,
        setpoint=float("nan"),
        when=when,
        asked=("T.v",),
        tier=Tier.ORANGE,
    )
    return RuleTable([rule], tag_table())


@pytest.mark.parametrize(
    ("when", "values", "right_s"),
    [
        # Above 8 from 12 s on: full at 24 s.
        ("(T.v > 8 for 12 s) and T.v < 100", lambda t: 9.0 if t >= 12 else 5.0, 24.0),
        # A rising edge every 4 s from 11 s on: the third at 19 s.
        ("count(T.v > 8, 60 s) >= 3", lambda t: 9.0 if t >= 11 and (t - 11) % 4 == 0 else 5.0, 19.0),
    ],
    ids=["for", "count"],
)
def test_a_timer_inside_an_expression_goes_on_after_a_kill(
    when: str, values: object, right_s: float, tmp_path: Path
) -> None:
    """The last checkpoint is of 10 s; what began afterwards is in the transactions of the ticks."""
    clock = ManualClock(START_NS)
    items = [scan(t, [t], [values(t)]) for t in range(1, 40)]  # type: ignore[operator]
    site = small_site(inner(when), SOURCE, tmp_path / "before")
    after = kill_at(site, clock, items, 16.6)
    live(small_gateway(after, clock, items), 20.0, clock)

    raised = [(row.time_ns - START_NS) / S for row in events_of(after) if row.tag == "T.v" and row.what == "raised"]
    assert len(raised) == 1
    assert right_s - 0.1 <= raised[0] <= right_s + 1.5, raised


@pytest.mark.parametrize(
    ("when", "is_met"),
    [('quality(B.v) == "GOOD"', False), ('quality(B.v) != "BAD"', False), ("is_stale(B.v)", True), ("T.v > 4", True)],
)
def test_a_tag_that_never_came_is_as_unknown_after_a_restart(when: str, is_met: bool, tmp_path: Path) -> None:
    """Its source's other tag speaks, so that the mark of the source is known; it falls silent at 60 s."""
    rule = Rule(
        id="T.v.EXPRESSION", tag="T.v", kind=Kind.EXPRESSION, setpoint=float("nan"), when=when, asked=("T.v", "B.v"),
        tier=Tier.ORANGE,
    )  # fmt: skip
    silence = Rule(id="B.v.STALE", tag="B.v", kind=Kind.STALE, setpoint=60.0, tier=Tier.BLUE)
    clock = ManualClock(START_NS)
    items = [scan(t, [t], [5.0]) for t in range(1, 120)]
    site = small_site(RuleTable([rule, silence], two_tags()), SOURCE, tmp_path / "before")
    after = kill_at(site, clock, items, 23.6)
    live(small_gateway(after, clock, items), 70.0, clock)

    assert ("raised" in what_happened(after)) is is_met


def test_what_is_done_at_the_command_line_is_in_the_audit_chain(tmp_path: Path) -> None:
    """While the gateway runs and while it does not; in the order in which it was done, each act once."""
    clock = ManualClock(START_NS)
    site = small_site(table(H0), SOURCE, tmp_path)

    def act(name: str) -> None:
        engine = open_store(store_url(site.data))
        hand = Hand(who="command line (root)", time_ns=clock.wall_ns())
        add_user(engine, clock, name, "operator", "correct horse battery", by=hand)
        engine.dispose()

    act("li")
    gateway = small_gateway(site, clock, [])

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(2)
            act("wang")
            await asyncio.sleep(2)

    run_manual(main(), clock)
    live(small_gateway(site, clock, []), 2.0, clock)

    engine = open_store(store_url(site.data))
    with engine.connect() as connection:
        rows = connection.scalars(select(schema.journal.c.body).where(schema.journal.c.kind == "audit")).all()
        left = connection.execute(select(schema.act)).all()
    engine.dispose()
    told = [orjson.loads(row) for row in rows]
    assert [(one["who"], one["action"], one["user"]) for one in told] == [
        ("command line (root)", "user_added", "li"),
        ("command line (root)", "user_added", "wang"),
    ]
    assert left == []
