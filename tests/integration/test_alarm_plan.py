"""What the lists of alarms read of a store that has many: asked of SQLite itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, event, insert, text
from sqlalchemy.engine import Engine

from alerting.model.tier import Tier
from gateway.api.queries import all_alarms, find_alarm
from gateway.store import schema
from gateway.store.engine import open_store

Call = Callable[[Connection], object]
FEW, MANY, PAGE = 5_000, 50_000, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A statement of a call, its plan, and the steps of SQLite's machine that its answer took."""

    statement: str
    plan: str
    steps: int


def store(folder: Path, n: int) -> Engine:
    """Make a store with so many alarms; every fifth stands, in 100 units, the tiers in turn."""
    engine = open_store(f"sqlite:///{folder}/{n}.db")
    plain = {column.name: plain_value(column) for column in schema.alarm.columns if column.server_default is None}
    rows = [
        plain
        | {"key": f"{k:032x}", "id": f"{k + n:032x}", "nature": "actual", "tag": f"T-{k}", "unit": f"U-{k % 100}"}
        | {
            "state": "NORMAL" if k % 5 else "UNACK",
            "tier_max": 1 + k % 4,
            "changed_ns": k * 7919 % n,
            "suppression": "none",
        }
        for k in range(n)
    ]
    with engine.begin() as connection:
        connection.execute(insert(schema.alarm), rows)
        connection.execute(text("ANALYZE"))
    return engine


def plain_value(column: Column[Any]) -> Any:  # noqa: ANN401 - of the column's own type
    """Give something that a column takes."""
    if column.nullable:
        return None
    return 0 if isinstance(column.type, Integer) else ""


def asked(engine: Engine, call: Call) -> Sequence[Asked]:
    """Tell what a real call asks, statement by statement."""
    said: list[tuple[str, Any]] = []
    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda _, __, sql, given, *___: said.append((sql, given)))
        call(connection)
    found = []
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for sql, given in said:
            plan = " ".join(row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {sql}", given))
            counted = [0]

            def count(counted: list[int] = counted) -> int:
                counted[0] += 1
                return 0

            driver.set_progress_handler(count, 1)
            driver.execute(sql, given).fetchall()
            driver.set_progress_handler(None, 1)
            found.append(Asked(statement=sql, plan=plan, steps=counted[0]))
    assert found, "nothing was asked"
    return found


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Engine]:
    folder = tmp_path_factory.mktemp("alarms")
    return store(folder, FEW), store(folder, MANY)


def page(unit: str | None = None, tiers: Sequence[Tier] = (), cursor: str | None = None) -> Call:
    return partial(all_alarms, unit=unit, tiers=tiers, limit=PAGE, cursor=cursor)


@pytest.mark.parametrize("unit", [None, "U-7"])
def test_a_page_of_alarms_of_any_state_reads_a_page_whatever_the_store_holds(
    stores: tuple[Engine, Engine], unit: str | None
) -> None:
    few, many = (asked(one, page(unit))[-1] for one in stores)
    with stores[1].connect() as connection:
        _, total, cursor = all_alarms(connection, unit, [], PAGE, None)
    next_one = asked(stores[1], page(unit, cursor=cursor))[-1]

    assert total == (MANY if unit is None else MANY // 100)
    for one in (few, many, next_one):
        assert "USING INDEX ix_alarm" in one.plan, one.plan
        assert "TEMP B-TREE" not in one.plan, one.plan
    assert many.steps <= few.steps * (1.1 if unit is None else 2.2)  # of U-7 the smaller store has half a page
    assert next_one.steps <= many.steps * 1.3


def test_alarms_are_counted_on_an_index_alone(stores: tuple[Engine, Engine]) -> None:
    for unit in (None, "U-7"):
        counting = asked(stores[1], page(unit))[0]
        assert "COVERING INDEX" in counting.plan, counting.plan


def test_a_tier_is_listed_without_sorting(stores: tuple[Engine, Engine]) -> None:
    assert "TEMP B-TREE" not in asked(stores[1], page(tiers=[Tier.RED]))[-1].plan


@pytest.mark.parametrize("name", [f"{7:032x}", f"{7 + MANY:032x}"])
def test_one_alarm_is_found_by_either_name_without_a_scan(stores: tuple[Engine, Engine], name: str) -> None:
    with stores[1].connect() as connection:
        assert find_alarm(connection, name) is not None
    for one in asked(stores[1], partial(find_alarm, name=name)):
        assert "SCAN" not in one.plan, one.plan
        assert one.steps < 1_000
