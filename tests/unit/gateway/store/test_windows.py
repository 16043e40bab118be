"""What a rate or delta inside an expression keeps outlives a kill -9 with every tick that keeps a sample."""

from sqlalchemy import Connection, create_engine

from alerting.desk import Desk
from alerting.model.rule import Kind, RuleTable
from edge.model import Nature, Tag, TagTable
from gateway.intake import Intake
from gateway.store import schema
from gateway.store.commit import _put_delays, delay_rows, restore
from tests.unit.alerting.core.scene import START_NS, at, make_rule, make_scan

TAGS = TagTable([Tag(name="t0", source="s0", unit="u")])
RULE = make_rule(Kind.EXPRESSION, float("nan"), when="delta(t0, 6 s) > 5 or rate(t0, 12 s) > 2", asked=("t0",))


def fresh() -> Desk:
    return Desk("site", RuleTable([RULE], TAGS), (), (), START_NS)


def see(desk: Desk, connection: Connection | None, second: int, value: float) -> list[tuple[str, float]]:
    desk.begin(at(second))
    desk.take(make_scan(second, value, number=second))
    outcome = desk.finish()
    if connection is not None:
        _put_delays(connection, delay_rows(desk, outcome))
    return [(e.what.value, (e.time_ns - START_NS) / 1e9) for e in outcome.events if e.alarm]


def course(second: int) -> float:
    return 0.0 if second < 20 else 0.9 * (second - 20)


def test_the_windows_are_exact_over_a_kill_at_any_second() -> None:
    whole = fresh()
    expected = [told for second in range(1, 40) for told in see(whole, None, second, course(second))]
    assert expected == [("raised", 26.0)]
    for killed in range(5, 27):
        engine = create_engine("sqlite://")
        with engine.begin() as connection:
            schema.metadata.create_all(connection)
            desk = fresh()
            found = [t for second in range(1, killed) for t in see(desk, connection, second, course(second))]
            after = fresh()  # No checkpoint at all: what the commit says is enough.
            restore(connection, after, Intake((), TAGS), {})
            formula, other = (
                after.memories[Nature.ACTUAL].formulas.parts[0],
                desk.memories[Nature.ACTUAL].formulas.parts[0],
            )
            assert formula.state.rate_ns.tolist() == other.state.rate_ns.tolist()
            found += [t for second in range(killed, 40) for t in see(after, connection, second, course(second))]
            assert found == expected, killed
        engine.dispose()
