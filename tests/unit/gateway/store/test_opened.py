"""A restart knows since when a disabled silence is watched again, and that a rule hangs on a shut gate."""

from sqlalchemy import Connection, create_engine

from alerting.desk import Desk
from alerting.model.rule import Kind, RuleTable
from edge.model import Nature, Tag, TagTable
from gateway.intake import Intake
from gateway.store import schema
from gateway.store.checkpoint import pack, unpack
from gateway.store.commit import _put_delays, delay_rows, restore
from tests.unit.alerting.core.scene import START_NS, at, make_rule, make_scan

TAGS = TagTable([Tag(name="t0", source="s0", unit="u"), Tag(name="t1", source="s1", unit="u")])
RULES = (
    make_rule(Kind.STALE, 10.0, tag="t0", enable="t1 == 1", enable_asked=("t1",)),
    make_rule(Kind.H, 80.0, tag="t0", enable="t1 == 1", enable_asked=("t1",)),
)


def fresh() -> Desk:
    return Desk("site", RuleTable(RULES, TAGS), (), (), START_NS)


def see(desk: Desk, connection: Connection, t_s: float, row: int, value: float) -> None:
    """One tick with one sample, committed."""
    desk.begin(at(t_s))
    desk.take(make_scan(t_s, value, row=row, number=round(t_s * 10), source=f"s{row}"))
    _put_delays(connection, delay_rows(desk, desk.finish()))


def reborn(desk: Desk, connection: Connection) -> Desk:
    """The desk after a kill -9: checkpoint and what was committed."""
    after = fresh()
    unpack(after, Nature.ACTUAL, pack(desk, Nature.ACTUAL))
    restore(connection, after, Intake((), TAGS), {})
    memory = after.memory(Nature.ACTUAL)
    memory.mark_received_ns[:] = desk.memory(Nature.ACTUAL).mark_received_ns
    return after


def silent_at(desk: Desk) -> list[float]:
    """Seconds at which the clock finds t0 silent, up to 60."""
    found = []
    for tenth in range(10, 600):
        desk.begin(at(tenth / 10))
        found += [(e.time_ns - START_NS) / 1e9 for e in desk.finish().events if e.group == "stale"]
    return found


def test_silence_counts_from_when_the_rule_was_enabled_after_a_kill_too() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        schema.metadata.create_all(connection)
        desk = fresh()
        see(desk, connection, 1, 0, 5.0)
        see(desk, connection, 2, 1, 0.0)  # disabled
        see(desk, connection, 30, 1, 1.0)  # enabled again; t0 was silent for 29 s by then
        after = reborn(desk, connection)
        index = after.table.index_of["t0.STALE"]
        assert after.memory(Nature.ACTUAL).opened_ns[index] == desk.memory(Nature.ACTUAL).opened_ns[index] == at(30)
        assert silent_at(after) == silent_at(desk) == [40.0]
    engine.dispose()


def test_what_hangs_on_a_shut_gate_is_known_and_not_written_for_each_rule() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        schema.metadata.create_all(connection)
        desk = fresh()
        see(desk, connection, 1, 0, 5.0)
        see(desk, connection, 2, 1, 0.0)
        after = reborn(desk, connection)
        assert [bool(each) for each in after.memory(Nature.ACTUAL).opened_ns < 0] == [
            bool(each) for each in desk.memory(Nature.ACTUAL).opened_ns < 0
        ]
        rows = [row.rule for row in connection.execute(schema.delay.select())]
        assert all(name.startswith("@enable.") for name in rows), rows
    engine.dispose()
