"""Dual-prevention exchange against a receiver of its own: sealed, parents first, receipts, resend, dry run."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from sqlalchemy import select

from alerting.push.profile import CodeList, ExchangeOptions, Profile, ReceiptRule
from edge.clock_system import SystemClock
from gateway.config import Destination
from gateway.exchange.follow import Exchange
from gateway.means import Means
from gateway.push.worker import PushWorker
from gateway.store import schema
from tests.integration.test_register_api import AT, HAZARD, INSPECTION, PLAN, PLANT, RISK_ROWS, UNIT, Desk, act, enter

pytestmark = pytest.mark.network

KEY, AES_KEY, VECTOR = b"k" * 32, b"0123456789abcdef", b"fedcba9876543210"
AT_PUSH = "/api/v1/push/exchange"
#: Which field of a row names its parent, and the table that it is in, as a receiver checks it.
PARENT = {
    "sec_security_risk_unit": (),
    "sec_security_risk_events": (("riskUnitId", "sec_security_risk_unit"),),
    "sec_security_risk_control_measures": (("riskEventId", "sec_security_risk_events"),),
    "sec_hidden_check_mission": (("riskMeasureId", "sec_security_risk_control_measures"),),
    "sec_hidden_check_record": (("checkTaskId", "sec_hidden_check_mission"),),
    "sec_hidden_danger_info": (
        ("riskMeasureId", "sec_security_risk_control_measures"), ("checkRecordId", "sec_hidden_check_record"),
    ),
}  # fmt: skip


@dataclass
class Receiver:
    """An authority: believes signatures, opens AES-CBC, refuses a row whose parent it does not have."""

    tables: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    order: list[tuple[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    never: set[str] = field(default_factory=set)  # names that it refuses for good

    def take(self, path: str, headers: Any, body: bytes) -> dict[str, Any]:  # noqa: ANN401 - of the standard library
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        signed = "v1," + base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == signed
        decryptor = Cipher(AES(AES_KEY), CBC(VECTOR)).decryptor()
        padded = decryptor.update(base64.b64decode(json.loads(body)["datas"])) + decryptor.finalize()
        rows: list[dict[str, Any]] = json.loads(padded[: -padded[-1]])
        table = path.rpartition("/")[2]
        for row in rows:
            for name, above in PARENT[table]:
                if row["deleted"] == "0" and row[name] and row[name] not in self.tables.get(above, {}):
                    self.refused.append(f"{table} {row['id']} without {above}")
                    return {"data": {"code": "404", "message": f"{name} is not known"}}
            if any(row.get(name) in self.never for name in ("riskEventName", "riskUnitName")):
                self.refused.append(str(row["id"]))
                return {"data": {"code": "500", "message": "never"}}
        for row in rows:
            self.tables.setdefault(table, {})[row["id"]] = row
            self.order.append((table, row["deleted"]))
        return {"data": {"code": "200"}}


class Authority:
    """The receiver on a socket, in a thread."""

    def __init__(self) -> None:
        self.receiver = receiver = Receiver()

        class Conversation(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = json.dumps(receiver.take(self.path, self.headers, body)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Conversation)
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@dataclass
class Office:
    """A gateway's register, and the authority that takes it."""

    desk: Desk
    authority: Authority
    li: httpx.AsyncClient
    exchange: Exchange
    push: PushWorker

    def states(self) -> list[str]:
        with self.desk.engine.connect() as connection:
            return list(connection.scalars(select(schema.outbox.c.state).order_by(schema.outbox.c.seq)))

    async def tell(self, done: Callable[[], bool] | None = None) -> None:
        """Tell what is new, and wait until all has arrived."""
        while await self.exchange.turn():
            pass
        ready = done or (lambda: "waiting" not in self.states())
        async with asyncio.timeout(10):
            while not ready():
                self.push.wake()
                await asyncio.sleep(0.02)

    async def fill(self) -> dict[str, dict[str, Any]]:
        """Enter a whole tree, from the enterprise down to a check that found something."""
        made = {"enterprises": await enter(self.li, "enterprises", {**PLANT, "company_code": "320700123"})}
        made["units"] = await enter(self.li, "units", {**UNIT, "hazard_code": "320700123001"})
        for ledger in ("risk_units", "risk_events", "control_measures"):
            made[ledger] = await enter(self.li, ledger, RISK_ROWS[ledger])
        task = {**INSPECTION, "measure": "CM-1", "duty": "technical", "task_number": 4, "cycle": "weeks", "every": 2}
        made["inspections"] = await enter(self.li, "inspections", task)
        at = f"{AT}/inspections/{made['inspections']['id']}/act"
        found = {"hazard": "密封泄漏 seal leaks", "place": "P-101"}
        done = await self.li.post(at, json={"act": "found", "values": found, "revision": 1})
        assert done.status_code == 200, done.text
        made["hidden_hazards"] = (await self.li.get(f"{AT}/hidden_hazards")).json()["records"][0]
        return made


def to(port: int, **options: Any) -> Destination:  # noqa: ANN401 - options
    profile = Profile(
        id="dual", envelope="exchange", cipher="aes-cbc", vector="fixed", sealed_as="datas",
        receipt=ReceiptRule(code="data.code", ok=("200",), refused=("500",)),
        codes={"danger_source": CodeList(map={"patrol": "1"})}, exchange=ExchangeOptions(**options),
    )  # fmt: skip
    return Destination(
        id="city", url=f"http://127.0.0.1:{port}/dual", profile=profile, cipher_key=AES_KEY, vector=VECTOR,
        secret="whsec_" + base64.b64encode(KEY).decode(), is_loopback_allowed=True, timeout_s=2.0,
    )  # fmt: skip


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    desk, authority = Desk(tmp_path), Authority()
    desk.house.site = replace(desk.house.site, destinations=(to(authority.server.server_address[1], page=3),))
    house = desk.house
    clock = SystemClock()
    push = PushWorker(site=house.site, clock=clock, meter=house.meter, read=house.read, write=house.write, seed=1)
    means = Means(
        site=lambda: house.site, clock=desk.clock, meter=house.meter, read=house.read, write=house.write,
        wake_push=push.wake,
    )  # fmt: skip
    exchange = Exchange(means, taken_out=push.take_out)
    running = asyncio.create_task(push.run())
    made = Office(desk, authority, await desk.come("li"), exchange, push)
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    for browser in desk.browsers:
        await browser.aclose()
    desk.engine.dispose()
    authority.end()


async def test_a_tree_arrives_parents_first_with_the_codes_as_found_and_what_is_removed_goes_leaves_first(
    office: Office,
) -> None:
    made = await office.fill()
    wang = await office.desk.come("wang")
    assert (await act(office.li, made["hidden_hazards"], "class", **{"class": "general"})).status_code == 200
    await office.tell()
    got = office.authority.receiver
    assert got.refused == []
    assert [table for table, _ in got.order] == list(PARENT)
    unit = got.tables["sec_security_risk_unit"][made["risk_units"]["id"]]
    assert {name: unit[name] for name in ("companyCode", "hazardCode", "hazardDep", "deleted", "createBy")} == {
        "companyCode": "320700123", "hazardCode": "320700123001", "hazardDep": "store", "deleted": "0",
        "createBy": "li",
    }  # fmt: skip
    assert unit["createDate"] == "2026-01-01 08:00:00"
    measure = got.tables["sec_security_risk_control_measures"][made["control_measures"]["id"]]
    assert (measure["dataSrc"], measure["classify1"], measure["classify2"]) == ("1", "1", "1-4")
    task = got.tables["sec_hidden_check_mission"][made["inspections"]["id"]]
    wanted = {"checkCycle": 14, "checkCycleUnit": "天", "workDayType": "0", "workType": "2", "taskNum": 4,
              "taskStartTime": "2026-01-01 00:00:00"}  # fmt: skip
    assert {name: task[name] for name in wanted} == wanted
    (check,) = got.tables["sec_hidden_check_record"].values()
    assert (check["checkStatus"], check["checkTime"]) == ("1", "2026-01-01 08:00:00")
    danger = got.tables["sec_hidden_danger_info"][made["hidden_hazards"]["id"]]
    wanted = {"dangerState": "0", "dangerLevel": "0", "dangerSrc": "1", "hazardCategory": "2",
              "checkAcceptPerson": None, "checkRecordId": check["id"], "riskMeasureId": measure["id"]}  # fmt: skip
    assert {name: danger[name] for name in wanted} == wanted

    for name, values, who in (
        ("plan", PLAN, office.li), ("rectify", {"done": "new seal"}, office.li), ("accept", {"acceptance": "ok"}, wang),
    ):  # fmt: skip
        assert (await act(who, made["hidden_hazards"], name, **values)).status_code == 200
    await office.tell()
    danger = got.tables["sec_hidden_danger_info"][made["hidden_hazards"]["id"]]
    wanted = {"dangerState": "9", "checkAcceptPerson": "wang", "checkAcceptComment": "ok", "dangerManageType": "1",
              "dangerManageDeadline": "2026-01-20 23:59:59", "cost": 8000}  # fmt: skip
    assert {name: danger[name] for name in wanted} == wanted

    office.desk.clock.advance_ns(10**9)
    for ledger in ("hidden_hazards", "checks", "inspections", "control_measures"):
        one = (await office.li.get(f"{AT}/{ledger}")).json()["records"][0]
        gone = await office.li.post(
            f"{AT}/{ledger}/{one['id']}/remove", json={"revision": one["revision"], "reason": "x"}
        )
        assert gone.status_code == 200, gone.text
    got.order.clear()
    await office.tell()
    assert got.order == [(table, "1") for table in list(PARENT)[:1:-1]]
    assert got.refused == []


async def test_what_hangs_on_nothing_is_held_back_with_the_reason_and_goes_once_it_is_whole(office: Office) -> None:
    li = office.li
    plant = await enter(li, "enterprises", PLANT)
    await enter(li, "units", {**UNIT, "hazard_code": "320700123001"})
    await enter(li, "risk_units", RISK_ROWS["risk_units"])
    await enter(li, "inspections", INSPECTION)
    await enter(li, "hidden_hazards", HAZARD)
    await office.tell()
    assert office.states() == []
    told = (await li.get(AT_PUSH)).json()["destinations"][0]
    why = {one["code"]: (one["why"]["en"], one["why"]["zh"]) for one in told["held"]}
    assert "enterprise has no code" in why["RU-1"][0]
    assert "未填写登记系统企业编码" in why["RU-1"][1]
    assert "“Control measure” is not filled in" in why["I1"][0]
    assert why["H1"] == ("it is not classed yet", "尚未定级")
    office.desk.clock.advance_ns(10**9)
    put_right = {"values": {**PLANT, "company_code": "320700123"}, "revision": 1, "reason": "registered"}
    assert (await li.post(f"{AT}/enterprises/{plant['id']}", json=put_right)).status_code == 200
    await office.tell()
    assert list(office.authority.receiver.tables) == ["sec_security_risk_unit"]
    tables = (await li.get(AT_PUSH)).json()["destinations"][0]["tables"]
    table = next(one for one in tables if one["ledger"] == "risk_units")
    assert (table["confirmed"], table["held"], table["untold"], table["path"]) == (1, 0, 0, "sec_security_risk_unit")


async def test_what_is_refused_stops_its_own_hazard_unit_until_it_is_put_right_and_then_all_of_it_goes(
    office: Office,
) -> None:
    li, got = office.li, office.authority.receiver
    got.never.add("release")
    made = await office.fill()
    await enter(li, "units", {**UNIT, "code": "TK-2", "unit": "", "hazard_code": "320700123002"})
    await enter(li, "risk_units", {**RISK_ROWS["risk_units"], "code": "RU-2", "dossier": "TK-2"})
    await office.tell()
    assert len(got.tables["sec_security_risk_unit"]) == 2  # the other hazard unit is not stopped
    assert "sec_security_risk_events" not in got.tables
    assert office.states().count("quarantined") == 4  # the event and what waits behind it
    office.desk.clock.advance_ns(10**9)
    better = {"values": {**RISK_ROWS["risk_events"], "name": "chlorine escapes"}, "revision": 1, "reason": "named"}
    assert (await li.post(f"{AT}/risk_events/{made['risk_events']['id']}", json=better)).status_code == 200
    await office.tell()
    assert list(got.tables) == list(PARENT)[:5]  # the hidden hazard is not classed
    assert "quarantined" not in office.states()


async def test_a_dry_run_sends_nothing_and_telling_all_again_is_a_persons_audited_act(office: Office) -> None:
    li, got = office.li, office.authority.receiver
    port = office.authority.server.server_address[1]
    office.desk.house.site = replace(office.desk.house.site, destinations=(to(port, is_dry=True),))
    await office.fill()
    await office.tell()
    assert (office.states(), got.tables) == ([], {})
    dry = (await li.get(f"{AT_PUSH}/city/look")).json()
    assert [one["path"] for one in dry["notices"]] == list(PARENT)[:5]
    assert dry["notices"][1]["rows"][0]["riskEventName"] == "release"
    assert (await li.get(f"{AT_PUSH}/nobody/look")).status_code == 404

    office.desk.house.site = replace(office.desk.house.site, destinations=(to(port),))
    await office.tell()
    assert len(got.order) == 5
    op = await office.desk.come("op")
    at = f"{AT_PUSH}/city/again"
    assert (await op.post(at, json={"reason": "x"})).status_code == 403
    assert (await li.post(at, json={"reason": " "})).status_code == 422
    assert (await li.post(at, json={"reason": "x", "ledger": "tickets"})).status_code == 404
    again = await li.post(at, json={"reason": "they lost their disk", "ledger": "checks"})
    assert again.json()["records"] == 1
    await office.tell()
    assert [table for table, _ in got.order[5:]] == ["sec_hidden_check_record"]
    acts = [one for one in office.desk.acts() if one["action"] == "exchange_again"]
    assert [(one["who"], one["reason"]) for one in acts] == [("li", "they lost their disk")]
    listed = (await li.get("/api/v1/push/ledger")).json()["notices"]
    assert {one["state"] for one in listed} == {"delivered"}
    assert "登记" in listed[0]["body"]["text"]["zh"] or "检查" in listed[0]["body"]["text"]["zh"]
