"""The demonstration has people on duty on whatever date it is played, and none of them can log in."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select

from alerting.roster.watch import clash
from gateway.auth import list_users
from gateway.demo_roster import seed_roster
from gateway.load import load
from gateway.roster.book import on_duty, watches
from gateway.store import schema
from gateway.store.engine import open_store, store_url

SITE = load(Path("config/demo/site.toml"), environ={})
ZONE = ZoneInfo(SITE.timezone)
S = 1_000_000_000


@pytest.mark.parametrize("at", ["2024-02-29T07:59", "2026-01-01T00:00", "2026-10-04T20:00", "2031-12-31T23:59"])
def test_both_posts_are_filled_now_and_nobody_is_at_two_places(tmp_path: Path, at: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=ZONE)
    now_ns = round(moment.timestamp()) * S
    engine = open_store(store_url(tmp_path))
    made = seed_roster(SITE, engine, now_ns)
    assert made == 47 * 2 * 2
    assert seed_roster(SITE, engine, now_ns) == 0, "once is enough"
    with engine.begin() as connection:
        assert [each.watch.post for each in on_duty(connection, SITE.roster, now_ns, ZONE)] == [
            "leader",
            "control-room",
        ]
        kept = watches(connection, moment.date(), moment.date())
        assert [clash(SITE.roster, [one for one in kept if one is not each], each, ZONE) for each in kept] == [None] * 4
        connection.execute(delete(schema.roster).where(schema.roster.c.number == kept[0].number))
        assert not any(connection.scalars(select(schema.user.c.password_hash)))
    assert seed_roster(SITE, engine, now_ns) == 1, "what is missing is filled, the rest stays"
    assert len(list_users(engine)) == 8
    engine.dispose()
