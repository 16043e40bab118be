"""A store with people, roster and ledgers, whose duties a test looks after in manual time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, Engine, create_engine, insert, select, update

from alerting.duty.plan import DutyPlan
from alerting.model.rule import RuleTable
from alerting.register.ledgers import LEDGERS
from alerting.roster.plan import Calendar, Post, RosterPlan, Shift
from edge.model import Nature, TagTable
from gateway.auth import Role, User, insert_user
from gateway.config import Destination, Site
from gateway.duty.book import Looked, look, next_due
from gateway.register import records
from gateway.register.record import By, Record
from gateway.roster.book import Contact, put_contact
from gateway.store import schema

ZONE = ZoneInfo("Asia/Shanghai")
NS = 1_000_000_000
ROSTER = RosterPlan(
    calendar=Calendar(country="CN"),
    shifts=(Shift(id="day", title={}, from_s=0, to_s=0),),
    posts=(Post(id="boss", title={}, shifts=("day",), is_leader=True), Post(id="board", title={}, shifts=("day",))),
)


def ns(text: str) -> int:
    """Give a moment of the site's clock, ns since 1970."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1e6) * 1000


def text_of(at_ns: int) -> str:
    return str(datetime.fromtimestamp(at_ns // NS, ZONE).replace(tzinfo=None))


class Town:
    """A site with users li, wang and zhao, of whom zhao leads every shift of 2026-01."""

    def __init__(self, *, duties: DutyPlan | None = None, channels: tuple[str, ...] = ("sms",)) -> None:
        self.engine: Engine = create_engine("sqlite://")
        schema.metadata.create_all(self.engine)
        tags = TagTable([])
        self.site = Site(
            id="plant", title={"en": "Plant", "zh": "厂区"}, timezone="Asia/Shanghai", sources=(), tags=tags, units=(),
            rules=RuleTable([], tags), roster=ROSTER, duties=duties or DutyPlan(channel="sms" if channels else ""),
            channels=tuple(Destination(id=name, url="https://x.example") for name in channels),
        )  # fmt: skip
        with self.engine.begin() as connection:
            for name in ("li", "wang", "zhao"):
                insert_user(connection, User(name=name, role=Role.OPERATOR, created_ns=1), "")
            put_contact(connection, Contact(person="wang", title="王工", phone="13800000000"), "root", 1)
            for day in range(1, 32):
                row = {"number": day, "date": f"2026-01-{day:02d}", "shift": "day", "post": "boss", "person": "zhao"}
                row |= {"substitute": "", "reason": "", "changed_by": "root", "changed_ns": 1}
                connection.execute(insert(schema.roster).values(row))

    @contextmanager
    def store(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            yield connection

    def put(self, ledger: str, values: Mapping[str, Any], at: str, had: Record | None = None) -> Record:
        by = By(who="li", time_ns=ns(at), reason="")
        changed = [] if had is None else [(had, dict(values))]
        with self.store() as connection:
            return records.put(connection, LEDGERS[ledger], [] if had else [dict(values)], changed, by)[0]

    def look(self, at: str) -> Looked:
        with self.store() as connection:
            return look(connection, self.site, Nature.ACTUAL, ns(at))

    def look_until(self, until: str) -> None:
        """Look whenever something is due, as the watch does."""
        end_ns = ns(until)
        while True:
            with self.store() as connection:
                at_ns = next_due(connection)
                if at_ns is None or at_ns > end_ns:
                    return
                self._now_ns = max(at_ns, getattr(self, "_now_ns", 0))
                look(connection, self.site, Nature.ACTUAL, self._now_ns)

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self.store() as connection:
            return [dict(row) for row in connection.execute(select(schema.metadata.tables[table])).mappings()]

    def steps(self) -> list[tuple[str, str, str, str]]:
        """Give when which step reached whom, and how."""
        return [(text_of(row["time_ns"]), row["what"], row["person"], row["said"]) for row in self.rows("duty_step")]

    def messages(self) -> list[dict[str, Any]]:
        return [orjson.loads(row["body"]) for row in self.rows("outbox")]

    def dispose(self, alarm: str, begins: str, ends: str) -> None:
        row = {
            "alarm": alarm, "key": alarm, "nature": "actual", "unit": "U-1", "tag": "T", "condition": "H", "tier": 3,
            "opened_ns": ns(begins), "due_ns": ns(ends), "state": "open", "done_ns": 0,
        }  # fmt: skip
        with self.store() as connection:
            connection.execute(insert(schema.disposal).values(row))

    def dispose_done(self, alarm: str, at: str) -> None:
        done = update(schema.disposal).where(schema.disposal.c.alarm == alarm)
        with self.store() as connection:
            connection.execute(done.values(state="done", done_ns=ns(at)))


def hazard(code: str, found_on: str, deadline: str, **more: object) -> dict[str, Any]:
    return {
        "code": code, "title": f"gauge {code}", "state": "rectifying", "source": "daily", "found_on": found_on,
        "deadline": deadline, "responsible": "li", **more,
    }  # fmt: skip
