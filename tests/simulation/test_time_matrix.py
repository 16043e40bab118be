"""The time matrix against the running gateway, under the manual clock, with its store on disk."""

from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from edge.clock_manual import ManualClock
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from tests.scripted import events_of, live, small_gateway, small_site
from tests.time_matrix import (
    LAST_S,
    RIGHT,
    SOURCE,
    START_NS,
    TROUBLES,
    Row,
    S,
    Trouble,
    arrivals,
    as_items,
    judge_cell,
    name_of,
    rule_table,
)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.name)
@pytest.mark.parametrize("kind", list(RIGHT), ids=name_of)
def test_cell(kind: Row, trouble: Trouble, tmp_path: Path) -> None:
    """Each cell: judged right, or said within three scans that it is not, and all of it in the register."""
    site = small_site(rule_table(kind), SOURCE, tmp_path)
    clock = ManualClock(START_NS)
    items = list(as_items(arrivals(kind, trouble)))
    if trouble.restart_s is not None:
        live(small_gateway(site, clock, items), trouble.restart_s, clock)
    left_s = LAST_S + 3 - (clock.wall_ns() - START_NS) / S
    live(small_gateway(site, clock, items), left_s, clock)

    seen = [
        (row.what, row.rule_group, row.condition, (row.time_ns - START_NS) / S)
        for row in events_of(site)
        if row.tag == "T.v" and not row.is_late
    ]
    engine = open_store(store_url(site.data))
    with engine.connect() as connection:
        bodies = connection.scalars(select(schema.journal.c.body).where(schema.journal.c.kind == "system"))
        remarks = [orjson.loads(body)["kind"] for body in bodies]
    engine.dispose()
    assert judge_cell(kind, trouble, seen, remarks) == [], seen
