"""Reports over the API, and one that goes through a real mail server: who may, what is shown, files byte for byte."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from alerting.model.rule import RuleTable
from alerting.push.message import one_message, read_call
from alerting.report.plan import Due, ReportPlan
from edge.clock_manual import ManualClock
from edge.model import TagTable
from gateway.api import make_app
from gateway.api.small_house import SmallHouse
from gateway.auth import add_user
from gateway.config import Destination, MailOptions, Reach, Site
from gateway.push.apprise import ByApprise
from gateway.push.channel import Parcel
from gateway.push.forms import form_of
from gateway.report_mail.book import attached_to, make, run_id
from gateway.store import schema
from gateway.store.engine import open_store
from tests.mail_server import MailBox, mail_server

PASSWORD = "correct horse battery"
DAY_NS = 86_400 * 1_000_000_000
MAIL = Destination(
    id="mail", url="", timeout_s=5.0, is_loopback_allowed=True,
    reach=Reach(kind="mail", mail=MailOptions(host="localhost", port=1, security="none", sender="gw@plant.example")),
)  # fmt: skip
PLAN = ReportPlan(id="daily", span="day", channel="mail", to=("safety@plant.example", "boss@plant.example"))


class Office:
    """A gateway with a report that was made."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_store(f"sqlite:///{folder}/register.db")
        self.clock = ManualClock()
        tags = TagTable([])
        site = Site(
            id="demo", title={"en": "Demo", "zh": "演示"}, timezone="Asia/Shanghai", sources=(), tags=tags, units=(),
            rules=RuleTable([], tags), channels=(MAIL,), reports=(PLAN,), page_url="https://g.example",
        )  # fmt: skip
        self.house = SmallHouse(site=site, engine=self.engine, clock=self.clock)
        self.app = make_app(self.house, dist=folder / "dist")
        for name, role in (("safe", "safety_officer"), ("li", "operator")):
            add_user(self.engine, self.clock, name, role, PASSWORD)
        now_ns = self.clock.wall_ns()
        due = Due(from_ns=now_ns - DAY_NS, to_ns=now_ns, due_ns=now_ns)
        self.run = run_id(PLAN, due)
        with self.engine.begin() as connection:
            assert make(connection, site, PLAN, due, now_ns) == 2
        self.open: list[httpx.AsyncClient] = []

    async def enter(self, name: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("10.1.2.3", 5))
        person = httpx.AsyncClient(transport=transport, base_url="http://g:8080", headers={"X-Fengsui-Request": "1"})
        self.open.append(person)
        assert (await person.post("/api/v1/login", json={"name": name, "password": PASSWORD})).status_code == 200
        return person

    def set_state(self, state: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(schema.outbox).values(state=state))

    def told(self, table: Any) -> list[Any]:  # noqa: ANN401 - a table
        with self.engine.connect() as connection:
            return list(connection.execute(select(table)))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    yield made
    for person in made.open:
        await person.aclose()
    made.engine.dispose()


async def test_reports_are_listed_with_their_mails_and_files_come_byte_for_byte(office: Office) -> None:
    person = await office.enter("safe")
    told = (await person.get("/api/v1/reports")).json()
    assert [(one["id"], one["span"], one["to"]) for one in told["reports"]] == [("daily", "day", list(PLAN.to))]
    (run,) = told["runs"]
    assert [(mail["to"], mail["state"]) for mail in run["mails"]] == [(one, "waiting") for one in PLAN.to]
    assert len(run["files"]) == 2
    for file in run["files"]:
        got = await person.get(f"/api/v1/reports/{run['id']}/files/{file['name']}")
        assert hashlib.sha256(got.content).hexdigest() == file["sha256"]
        assert len(got.content) == file["bytes"]
        assert "attachment" in got.headers["content-disposition"]
    assert (await person.get(f"/api/v1/reports/{run['id']}/files/../x")).status_code == 404
    assert (await person.get(f"/api/v1/reports/{'0' * 32}/files/{run['files'][0]['name']}")).status_code == 404


async def test_once_more_by_hand_needs_a_reason_is_audited_and_stands_in_the_ledger(office: Office) -> None:
    person = await office.enter("safe")
    door = f"/api/v1/reports/{office.run}/send"
    assert (await person.post(door, json={"reason": "  "})).status_code == 422
    waits = await person.post(door, json={"reason": "again"})
    assert (waits.status_code, waits.json()["error"]["details"]["zh"]) == (409, "该报告已在等待发送。")
    office.set_state("handed")
    stranger = await person.post(door, json={"reason": "again", "to": "x@y.example"})
    assert stranger.status_code == 409
    assert (await person.post(door, json={"reason": "lost", "to": PLAN.to[0]})).json() == {"mails": 1}
    states = {json.loads(row.body)["to"]["email"]: row.state for row in office.told(schema.outbox)}
    assert states == {PLAN.to[0]: "waiting", PLAN.to[1]: "handed"}
    assert [(row.what, row.who, row.reason) for row in office.told(schema.push_answer)] == [("resent", "safe", "lost")]
    acts = [json.loads(row.body) for row in office.told(schema.journal)]
    assert [one["who"] for one in acts if one["action"] == "report_sent_again"] == ["safe"]
    ledger = (await person.get("/api/v1/push/ledger")).json()["notices"]
    assert {one["action"] for one in ledger} == {"report"}, "proof stands with that of the authorities"


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/x/send"), ("GET", "/x/files/y")])
async def test_operators_may_not(office: Office, method: str, path: str) -> None:
    person = await office.enter("li")
    answer = await person.request(method, f"/api/v1/reports{path}", json={"reason": "x"} if method == "POST" else None)
    assert answer.status_code == 403


async def test_a_report_arrives_in_a_mail_box_with_files_that_are_those_of_the_ledger(office: Office) -> None:
    with mail_server(MailBox()) as box:
        assert MAIL.reach is not None
        assert MAIL.reach.mail is not None
        to = replace(MAIL, reach=replace(MAIL.reach, mail=replace(MAIL.reach.mail, port=box.port)))
        form = form_of(to.reach or Reach())
        row = office.told(schema.outbox)[0]
        assert form is not None
        message = one_message(read_call(row.body), form)
        with office.engine.connect() as connection:
            files = attached_to(connection, office.run)
        one = ByApprise(to)
        receipt = await one.send(
            Parcel(key=row.key, chain=row.chain, body=message.parts[0].encode(), message=message, attached=files)
        )
        await one.close()
    assert not receipt.is_proof
    ((to_whom, mail),) = box.mails
    assert to_whom == (PLAN.to[0],)
    assert str(mail["subject"]).startswith("【日报】演示 ")
    got = {part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()}
    assert got == {file.name: file.content for file in files}
