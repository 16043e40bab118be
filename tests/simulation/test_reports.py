"""Reports by mail through the whole gateway in manual time: made once, sent with their files, and heard of when not."""

import asyncio
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection, select

from alerting.model.alarm import State
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.report.plan import ReportPlan
from edge.clock_manual import ManualClock, run_manual
from edge.model import Tag, TagTable
from gateway.config import Destination, MailOptions, Reach, Site
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.forms import LIMITS
from gateway.report_mail.book import LATE_S, Again, ReportError, send_again, unsent
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from tests.scripted import small_gateway, small_site
from tests.time_matrix import SOURCE, START_NS

TO = ("safety@plant.example", "boss@plant.example")
MAIL = MailOptions(host="mail.example", port=587, security="starttls", sender="gw@plant.example")


@dataclass
class Post:
    """A mail server: takes what ``refuses`` gives no error for."""

    refuses: Callable[[Parcel], PushError | None] = field(default=lambda _: None)
    parcels: list[Parcel] = field(default_factory=list)

    async def send(self, parcel: Parcel) -> Receipt:
        await asyncio.sleep(0.1)
        if error := self.refuses(parcel):
            raise error
        self.parcels.append(parcel)
        return Receipt(status=0, answer="handed over", is_proof=False)

    async def close(self) -> None:
        """Nothing is open."""


def plant(
    folder: Path, forms: Sequence[str] = ("html", "xlsx"), fallback: str = "", lang: Literal["zh", "en"] = "zh"
) -> Site:
    """Its day is reported a minute after the start."""
    now = datetime.fromtimestamp(START_NS // 1_000_000_000, ZoneInfo("Asia/Shanghai"))
    at_s = (now - now.replace(hour=0, minute=0, second=0)).total_seconds() + 60
    tags = TagTable([Tag(name="P-1.v", source=SOURCE.id, unit="T", period_s=60.0)])
    rules = RuleTable([Rule(id="r", tag="P-1.v", kind=Kind.H, setpoint=8.0, tier=Tier.RED)], tags)
    reach = Reach(kind="mail", mail=MAIL, limits=LIMITS["mail"], fallback=fallback)
    other = Destination(id="other", url="", reach=Reach(kind="mail", mail=MAIL))
    plan = ReportPlan(id="daily", span="day", channel="mail", to=TO, at_s=at_s, forms=tuple(forms), lang=lang)
    channels = (Destination(id="mail", url="", reach=reach), other)
    return small_site(rules, SOURCE, folder, channels=channels, reports=(plan,))


def run(site: Site, clock: ManualClock, post: Post, seconds: float) -> list[Any]:
    """Run for some time; give the alarms that stand then."""
    found: list[Any] = []

    async def main() -> None:
        gateway = small_gateway(site, clock, [], channels={"mail": post, "other": Post()})
        async with gateway.running():
            await asyncio.sleep(seconds)
            found.extend(await gateway.store.read(lambda c: c.execute(select(schema.alarm)).all()))

    run_manual(main(), clock)
    return found


def rows(site: Site, table: Any) -> list[Any]:  # noqa: ANN401 - a table
    engine = open_store(store_url(site.data))
    try:
        with engine.connect() as connection:
            return list(connection.execute(select(table)))
    finally:
        engine.dispose()


def made_in(connection: Connection) -> str:
    name: str = connection.execute(select(schema.report_run.c.id)).scalar_one()
    return name


def test_a_day_is_reported_once_to_each_with_files_that_open(tmp_path: Path) -> None:
    site, clock, post = plant(tmp_path), ManualClock(START_NS), Post()
    run(site, clock, post, 50)
    assert post.parcels == [], "not before its time"
    run(site, clock, post, 80)
    run(site, clock, post, 60)  # a restart makes none again
    messages = [parcel.message for parcel in post.parcels]
    assert [one.reader.email for one in messages if one] == list(TO)
    title = messages[0].title if messages[0] else ""
    assert title.startswith("【日报】站点 ")
    assert "00:00 至" in title
    html, xlsx = post.parcels[0].attached
    assert (html.name.startswith("daily-"), html.media, html.name.isascii()) == (True, "text/html", True)
    assert "报警统计报告" in html.content.decode()
    sheet = load_workbook(io.BytesIO(xlsx.content)).active
    assert sheet is not None
    assert "报警统计报告" in str(sheet.cell(1, 1).value)
    text = post.parcels[0].body.decode()
    assert hashlib.sha256(html.content).hexdigest() in text, "who got a file can prove which"
    assert post.parcels[0].attached == post.parcels[1].attached
    (made,) = rows(site, schema.report_run)
    assert made.to_ns - made.from_ns == 86_400 * 1_000_000_000
    assert [row.state for row in rows(site, schema.outbox)] == ["handed", "handed"]
    assert [row.what for row in rows(site, schema.push_answer)] == ["handed", "handed"]


def test_a_report_in_another_language_than_its_channel_comes_with_words_of_its_own(tmp_path: Path) -> None:
    post = Post()
    run(plant(tmp_path, forms=["html"], lang="en"), ManualClock(START_NS), post, 80)
    message = post.parcels[0].message
    assert message is not None
    assert message.title.startswith("[Day report] ")
    assert "Enclosed: daily-" in post.parcels[0].body.decode()
    assert "报" not in message.title + post.parcels[0].body.decode()


@pytest.mark.parametrize("is_final", [True, False])
def test_a_mail_that_cannot_go_rings_goes_to_no_other_channel_and_is_sent_again_by_hand(
    tmp_path: Path, is_final: bool
) -> None:
    site, clock = plant(tmp_path, fallback="other"), ManualClock(START_NS)
    down = PushError(retry=not is_final, reason="refused", detail="550", is_final=is_final)
    post = Post(refuses=lambda parcel: down if parcel.message and parcel.message.reader.email == TO[0] else None)
    alarms = run(site, clock, post, 150)
    if not is_final:  # A server that is away for a moment is no alarm; one that is away for an hour is.
        engine = open_store(store_url(site.data))
        with engine.connect() as connection:
            late_ns = clock.wall_ns() + round(LATE_S * 1e9)
            assert (unsent(connection, clock.wall_ns()), unsent(connection, late_ns)) == (0, 2)
            with pytest.raises(ReportError, match="waits to be sent"):
                send_again(connection, Again(run=made_in(connection), to=TO[0], who="safe", reason="x", now_ns=1))
        engine.dispose()
        return
    ringing = [(row.tag, row.state) for row in alarms if row.tag.startswith("fengsui.reports")]
    assert ringing == [("fengsui.reports_unsent", State.UNACK.value)]
    states = {json.loads(row.body)["to"]["email"]: row.state for row in rows(site, schema.outbox)}
    assert states == {TO[0]: "quarantined", TO[1]: "handed"}, "one bad address stops nobody else"
    engine = open_store(store_url(site.data))
    with engine.begin() as connection:
        asked = Again(run=made_in(connection), to=TO[0], who="safe", reason="mail box made", now_ns=clock.wall_ns())
        assert send_again(connection, asked) == 1
    engine.dispose()
    mended = Post()
    alarms = run(site, clock, mended, 60)
    assert [row.state for row in alarms if row.tag == "fengsui.reports_unsent"] == [State.RTN_UNACK.value]
    assert [parcel.message.reader.email for parcel in mended.parcels if parcel.message] == [TO[0]]
    assert [(row.what, row.who, row.reason) for row in rows(site, schema.push_answer)][-2:] == [
        ("released", "safe", "mail box made"), ("handed", "", ""),
    ]  # fmt: skip
