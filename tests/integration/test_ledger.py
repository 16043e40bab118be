"""The ledger: what was told, what was answered, sending again by hand, and a file that an inspector can verify."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from openpyxl import load_workbook
from sqlalchemy import insert, select
from typer.testing import CliRunner

from alerting.model.alarm import digest
from alerting.model.rule import RuleTable
from alerting.push.profile import FieldLine, Profile
from edge.clock_manual import ManualClock
from edge.model import TagTable
from gateway.api import make_app
from gateway.api.small_house import SmallHouse
from gateway.auth import add_user
from gateway.cli import app
from gateway.config import Destination, Site
from gateway.push import answers
from gateway.push.answers import Said, What
from gateway.push.inspection import inspect
from gateway.store import schema
from gateway.store.engine import open_store
from gateway.store.journal import Head

PASSWORD = "correct horse battery"
S = 1_000_000_000
CITY = Profile(id="city", envelope="mapped", fields=(FieldLine(to="warnLevel", source="tier"),))
BODY = {"key": "", "tag": "TK-1.level", "tier": "RED", "unit": {"id": "TK-1", "title": {}},
        "text": {"zh": "红色预警", "en": "RED"},
        "subject": "alarm", "event": {"id": "e", "what": "raised"}, "alarm": "a"}  # fmt: skip


class Office:
    """A gateway with notices in its outbox, and its people."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_store(f"sqlite:///{folder}/register.db")
        self.clock = ManualClock()
        tags = TagTable([])
        site = Site(
            id="demo", title={}, timezone="Asia/Shanghai", sources=(), tags=tags, units=(), rules=RuleTable([], tags),
            destinations=(Destination(id="district", url=""), Destination(id="city", url="", profile=CITY)),
        )  # fmt: skip
        self.house = SmallHouse(site=site, engine=self.engine, clock=self.clock)
        self.app = make_app(self.house, dist=folder / "dist")
        self.people: dict[str, httpx.AsyncClient] = {}

    async def as_role(self, role: str) -> httpx.AsyncClient:
        if role not in self.people:
            add_user(self.engine, self.clock, role, role, PASSWORD)
            transport = httpx.ASGITransport(self.app, client=("10.1.2.3", 5))
            one = httpx.AsyncClient(
                transport=transport, base_url="http://gateway:8080", headers={"X-Fengsui-Request": "1"}
            )
            answer = await one.post("/api/v1/login", json={"name": role, "password": PASSWORD})
            assert answer.status_code == 200
            self.people[role] = one
        return self.people[role]

    def put(self, name: str, chain: str, state: str = "waiting", **more: Any) -> str:  # noqa: ANN401 - any column
        key = digest(name)
        row = {
            "key": key, "destination": "district", "chain": chain, "event": digest("e", name), "nature": "actual",
            "action": "alert", "tier": 4, "is_late": False, "created_ns": self.clock.wall_ns(),
            "body": json.dumps(BODY | {"key": key}), "state": state, "attempts": 1, "next_ns": self.clock.wall_ns(),
            "last_error": "", "delivered_ns": 0, "receipt": "",
        }  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(insert(schema.outbox).values(row | more))
        return key

    def answer(self, key: str, what: What, text: str = "", status: int = 0, destination: str = "district") -> None:
        with self.engine.begin() as connection:
            answers.add(connection, self.clock.wall_ns(), key, destination, Said(what=what, text=text, status=status))

    def row(self, key: str) -> Any:  # noqa: ANN401 - a result row
        with self.engine.connect() as connection:
            return connection.execute(select(schema.outbox).where(schema.outbox.c.key == key)).one()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    yield made
    for one in made.people.values():
        await one.aclose()
    made.engine.dispose()


def fill(office: Office) -> dict[str, str]:
    """Put one confirmed notice, one chain in quarantine and one of another destination."""
    keys = {"a1": office.put("a1", "a", "delivered", delivered_ns=office.clock.wall_ns() + S,
                             receipt=json.dumps({"status": 200, "id": "R1", "answer": "=SUM(A1)"}))}  # fmt: skip
    office.answer(keys["a1"], What.RECEIPT, "=SUM(A1)", 200)
    for name in ("b1", "b2"):
        keys[name] = office.put(name, "b", "quarantined", destination="city", wire='{"level":"1"}')
        office.answer(keys[name], What.QUARANTINED, "status_422: no", 422, "city")
    head = Head(nature="actual", count=7, hash="ab" * 32, time_ns=1, signature="")
    with office.engine.begin() as connection:
        signed = replace(head, signature=office.house.sign(head.signed_text())[1])
        connection.execute(insert(schema.head).values(asdict(signed)))
    office.put("values", "v", kind="data")
    office.put("call", "c", action="call", body='{"to": {"phone": "13800000000"}}')
    return keys


async def test_the_ledger_says_when_what_to_whom_and_which_answer(office: Office) -> None:
    keys = fill(office)
    viewer = await office.as_role("viewer")
    told = (await viewer.get("/api/v1/push/ledger")).json()["notices"]
    assert [one["key"] for one in told] == [keys["b2"], keys["b1"], keys["a1"]]  # no data, no call to a person
    assert [(one["what"], one["status"], one["text"]) for one in told[2]["answers"]] == [("receipt", 200, "=SUM(A1)")]
    some = (await viewer.get("/api/v1/push/ledger", params={"destination": "city", "limit": 1})).json()
    assert [one["key"] for one in some["notices"]] == [keys["b2"]]
    more = await viewer.get("/api/v1/push/ledger", params={"destination": "city", "cursor": some["next"]})
    assert [one["key"] for one in more.json()["notices"]] == [keys["b1"]]
    one = (await viewer.get(f"/api/v1/push/notices/{keys['b1']}")).json()
    assert (one["sent"], one["answers"][0]["what"]) == ('{"level":"1"}', "quarantined")
    assert (await viewer.get(f"/api/v1/push/notices/{digest('call')}")).status_code == 404


async def test_a_dry_run_shows_what_the_profile_in_force_would_write_and_sends_nothing(office: Office) -> None:
    keys = fill(office)
    viewer = await office.as_role("viewer")
    seen = (await viewer.get(f"/api/v1/push/notices/{keys['b1']}/preview")).json()
    assert "- " + ' "level": "1"' in seen["diff"]
    assert "+ " + ' "warnLevel": "RED"' in seen["diff"]
    assert (await viewer.get(f"/api/v1/push/notices/{keys['a1']}/preview")).json()["diff"] == []
    assert office.row(keys["b1"]).wire == '{"level":"1"}'


async def test_a_chain_leaves_quarantine_by_hand_with_a_reason_and_in_todays_form(office: Office) -> None:
    keys = fill(office)
    officer, operator = await office.as_role("safety_officer"), await office.as_role("operator")
    path = f"/api/v1/push/notices/{keys['b1']}/resend"
    assert (await operator.post(path, json={"reason": "x"})).status_code == 403
    assert (await officer.post(path, json={"reason": " "})).status_code == 422
    answer = await officer.post(path, json={"reason": "field map put right", "anew": True})
    assert answer.json() == {"key": keys["b1"], "notices": 2}
    assert [office.row(keys[name]).state for name in ("b1", "b2")] == ["waiting", "waiting"]
    assert json.loads(office.row(keys["b2"]).wire) == {"warnLevel": "RED"}
    assert office.house.push.waiting == 2
    told = (await officer.get(f"/api/v1/push/notices/{keys['b2']}")).json()["answers"][-1]
    assert (told["what"], told["who"], told["reason"]) == ("released", "safety_officer", "field map put right")
    with office.engine.connect() as connection:
        acts = [json.loads(body) for body in connection.scalars(select(schema.journal.c.body))]
    assert [act["reason"] for act in acts if act["action"] == "notice_resent"] == ["field map put right"]


async def test_what_somebody_has_under_a_key_is_never_another_text(office: Office) -> None:
    keys = fill(office)
    officer = await office.as_role("safety_officer")
    path = f"/api/v1/push/notices/{keys['a1']}/resend"
    refused = await officer.post(path, json={"reason": "again", "anew": True})
    assert refused.status_code == 409
    assert "同一键" in refused.json()["error"]["details"]["zh"]
    assert (await officer.post(path, json={"reason": "they lost it"})).json()["notices"] == 1
    row = office.row(keys["a1"])
    assert (row.state, json.loads(row.receipt)["id"]) == ("waiting", "R1")


async def test_an_acknowledgement_comes_by_a_token_of_the_authority(office: Office) -> None:
    key = office.put("z", "z", handed_ns=office.clock.wall_ns())
    authority = await office.as_role("regulator")
    answer = await authority.post("/api/v1/push/ack/district", json={"key": key, "receipt": "R7"})
    assert answer.json() == {"verdict": "taken"}
    again = await authority.post("/api/v1/push/ack/district", json={"key": key})
    assert again.json() == {"verdict": "again"}
    assert (await authority.post("/api/v1/push/ack/city", json={"key": key})).status_code == 404
    assert (await authority.post("/api/v1/push/ack/nobody", json={"key": key})).status_code == 404
    assert (await authority.post("/api/v1/push/ack/district", content=b"<a")).status_code == 422
    assert json.loads(office.row(key).receipt)["id"] == "R7"


async def exported(office: Office) -> bytes:
    answer = await (await office.as_role("regulator")).get("/api/v1/push/ledger/export", params={"lang": "zh"})
    assert answer.headers["content-type"] == "application/zip"
    return answer.content


async def test_an_inspector_verifies_the_file_by_itself(office: Office, tmp_path: Path) -> None:
    keys = fill(office)
    content = await exported(office)
    public, _ = office.house.sign(b"")
    found = inspect(content, public)
    assert (found.findings, found.notices, found.answers, found.site) == ((), 3, 3, "demo")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        table = packed.read("ledger.csv").decode("utf-8-sig").splitlines()
        sheet = load_workbook(io.BytesIO(packed.read("ledger.xlsx"))).active
    assert table[0].startswith("生成时间,接收方")
    assert "'=SUM(A1)" in table[3]  # no spreadsheet takes an authority's answer for a formula
    assert sheet is not None
    assert sheet.cell(4, 15).value == "'=SUM(A1)"
    assert keys["a1"] in table[3]
    assert b"13800000000" not in content
    (tmp_path / "ledger.zip").write_bytes(content)
    done = CliRunner().invoke(app, ["ledger", "verify", str(tmp_path / "ledger.zip"), "--key", public])
    assert (done.exit_code, "Nothing was changed" in done.output) == (0, True)
    other = CliRunner().invoke(app, ["ledger", "verify", str(tmp_path / "ledger.zip"), "--key", "00" * 32])
    assert other.exit_code == 1


def changed(content: bytes, name: str, before: bytes, after: bytes) -> bytes:
    """Change one file inside, as somebody who knows ZIP does."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(out, "w") as made:
        for each in packed.namelist():
            text = packed.read(each)
            if each == name:
                assert before in text
                text = text.replace(before, after)
            made.writestr(each, text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "before", "after", "word"),
    [
        ("ledger.csv", "红色预警".encode(), "黄色预警".encode(), "ledger.csv"),
        ("notices.jsonl", b'"delivered"', b'"waiting"  ', "notices.jsonl"),
        ("answers.jsonl", b'"status":200', b'"status":500', "Answer 1 was changed"),
        ("manifest.json", b'"notices": 3', b'"notices": 2', "not signed"),
        ("manifest.sig", b"a", b"b", "not signed"),
    ],
)
async def test_whatever_is_changed_afterwards_is_named(
    office: Office, name: str, before: bytes, after: bytes, word: str
) -> None:
    fill(office)
    found = inspect(changed(await exported(office), name, before, after), office.house.sign(b"")[0])
    assert any(word in one for one in found.findings), found.findings


async def test_a_receipt_that_was_written_in_afterwards_has_no_answer_in_the_chain(office: Office) -> None:
    """Whoever can write the database, and exports and signs anew, still has no answer of the authority."""
    fill(office)
    key = office.put("late", "l", "delivered", delivered_ns=1, receipt='{"status": 200, "id": "R9"}')
    found = inspect(await exported(office), office.house.sign(b"")[0])
    assert any(key in one and "no receipt" in one for one in found.findings)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 100, orjson.dumps({})])
def test_what_is_no_ledger_is_said_to_be_none(content: bytes) -> None:
    assert "no exported ledger" in inspect(content).findings[0]


def test_a_destination_that_left_the_configuration_is_refused_in_both_languages(tmp_path: Path) -> None:
    from gateway.push.ledger import Again, LedgerError, again  # noqa: PLC0415 - beside its only use

    office = Office(tmp_path)
    key = office.put("x", "x", "quarantined")
    site = replace(office.house.site, destinations=())
    wish = Again(key=key, who="li", reason="r", now_ns=1)
    with office.engine.begin() as connection, pytest.raises(LedgerError) as caught:
        again(connection, site, wish)
    assert "接收方" in caught.value.zh
    office.engine.dispose()
