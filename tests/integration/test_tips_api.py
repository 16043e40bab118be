"""Reports by persons: taken up, checked, answered; and that nobody finds out who reported by any other way."""

import io
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from openpyxl import load_workbook
from sqlalchemy import inspect, select, text

from gateway.auth import add_user
from gateway.register.reporter import KEY, Reporter
from gateway.store import schema
from gateway.tokens import make_token
from tests.integration.test_dossier_api import act, duties
from tests.integration.test_register_api import AT, PASSWORD, TIP, Desk, enter, fill

NAME, PHONE, ANSWER = "赵举报 Zhao Jubao", "138-1234-5678", "zhao@example.net"
WHO = {"name": NAME, "phone": PHONE, "answer_to": ANSWER, "note": "夜班焊工 a welder of the night shift"}
#: Parts of it that nothing else may say, however it is written.
PARTS = ("赵举报", "Jubao", "13812345678", "138-1234-5678", "zhao@example", "夜班焊工")
TIPS = "/api/v1/register/tips"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    for name, role in (("admin", "administrator"), ("eng", "engineer"), ("view", "viewer"), ("reg", "regulator")):
        add_user(made.engine, made.clock, name, role, PASSWORD)
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


def said_of(texts: str | bytes) -> list[str]:
    said = texts.decode("utf-8", "replace") if isinstance(texts, bytes) else texts
    return [part for part in PARTS if part in said]


async def keep(who: httpx.AsyncClient, tip: dict[str, Any], **other: str) -> httpx.Response:
    return await who.post(f"{TIPS}/{tip['id']}/reporter", json={**WHO, **other})


async def test_what_is_so_becomes_a_hidden_hazard_and_the_answer_closes_it(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    tip = await enter(li, "tips", {**TIP, "dossier": "TK-1"})
    assert (tip["values"]["state"], tip["values"]["due"]) == ("received", "2026-02-28"), "60 days"
    assert await duties(li, "tips.due") == [("T-1", "2026-02-28")]
    assert (await act(li, tip, "founded", hazard="x", finding="y")).status_code == 422, "not taken up yet"
    assert (await act(li, tip, "take_up", responsible="wang")).status_code == 200
    told = (await act(li, tip, "founded", hazard="无票动火 no ticket", finding="seen at 23:00")).json()
    (hazard,) = told["opened"]
    assert (hazard["ledger"], hazard["values"]["source"], hazard["values"]["found_by"]) == (
        "hidden_hazards", "report", "li",
    )  # fmt: skip
    closed = (await act(li, tip, "answer", answer="answered by telephone")).json()["record"]["values"]
    assert (closed["state"], closed["answered_by"]) == ("closed", "li")
    assert await duties(li, "tips.due") == []
    again = (await act(li, tip, "reopen")).json()["record"]["values"]
    assert {"finding", "answer", "hazard"}.isdisjoint(again)


async def test_few_open_who_reported_each_time_with_a_reason_in_the_audit(desk: Desk) -> None:
    li = await desk.come("li")
    tip = await enter(li, "tips", TIP)
    at = f"{TIPS}/{tip['id']}/reporter"
    assert (await li.get(at)).json() == {"is_kept": False}
    assert (await li.post(f"{at}/open", json={"reason": "x"})).status_code == 404, "anonymous"
    assert (await keep(li, tip)).json() == {"is_kept": True}
    for name in ("admin", "wang"):
        answer = await (await desk.come(name)).post(f"{at}/open", json={"reason": "to answer"})
        assert (answer.json(), answer.headers["cache-control"]) == (WHO, "no-store")
    for name in ("op", "eng", "view", "reg"):
        browser = await desk.come(name)
        assert (await browser.get(at)).status_code == 403, name
        assert (await browser.post(f"{at}/open", json={"reason": "x"})).status_code == 403, name
        assert (await keep(browser, tip)).status_code == 403, name
        assert (await browser.post(f"{at}/forget", json={"reason": "x"})).status_code == 403, name
    assert (await li.post(f"{at}/open", json={"reason": ""})).status_code == 422
    acts = [
        (one["action"], one["who"], one.get("reason")) for one in desk.acts() if one["action"].startswith("reporter")
    ]
    assert acts == [("reporter_kept", "li", None)] + [("reporter_opened", n, "to answer") for n in ("admin", "wang")]
    assert (await li.post(f"{at}/forget", json={"reason": "a year over"})).json() == {"is_kept": False}
    assert (await li.post(f"{at}/open", json={"reason": "x"})).status_code == 404


async def test_a_token_opens_nothing_and_other_ledgers_have_no_reporter(desk: Desk) -> None:
    li = await desk.come("li")
    made = await fill(li)
    tip = await enter(li, "tips", TIP)
    await keep(li, tip)
    with desk.engine.begin() as connection:
        now_ns = desk.clock.wall_ns()
        _, secret = make_token(connection, "board", "safety_officer", "act", by="admin", now_ns=now_ns, days=1)
    headers = {"authorization": f"Bearer {secret}"}
    bare = httpx.AsyncClient(transport=httpx.ASGITransport(desk.app), base_url="http://gateway", headers=headers)
    desk.browsers.append(bare)
    assert (await bare.get(f"{AT}/tips")).status_code == 200, "the token is good"
    assert (await bare.post(f"{TIPS}/{tip['id']}/reporter/open", json={"reason": "x"})).status_code == 403
    assert (await keep(li, made["unit"])).status_code == 404


async def test_a_record_or_a_reason_that_names_the_person_is_refused(desk: Desk) -> None:
    li = await desk.come("li")
    for values in ({"note": "said by 赵举报 Zhao Jubao"}, {"content": "call 13812345678"}):
        tip = await enter(li, "tips", {**TIP, "code": f"T-{next(iter(values))}", **values})
        refused = await keep(li, tip)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "names_reporter")
        assert said_of(refused.content) == [], "the refusal repeats nothing"
    tip = await enter(li, "tips", TIP)
    assert (await keep(li, tip, name="", phone="")).status_code == 422
    await keep(li, tip)
    for doing in ("open", "forget"):
        reason = {"reason": "ring 138 1234 5678 back"}
        refused = await li.post(f"{TIPS}/{tip['id']}/reporter/{doing}", json=reason)
        assert refused.json()["error"]["code"] == "names_reporter"
    assert not [one for one in desk.acts() if one["action"] in {"reporter_opened", "reporter_forgotten"}]


async def test_a_record_cannot_come_to_name_the_person_by_form_act_list_or_reason(desk: Desk) -> None:
    li = await desk.come("li")
    tip = await enter(li, "tips", TIP)
    await keep(li, tip)
    at = f"{AT}/tips/{tip['id']}"
    form = await li.post(at, json={"values": {**TIP, "note": "tel 138 1234 5678"}, "revision": 1, "reason": "x"})
    reason = await li.post(at, json={"values": {**TIP, "note": "n"}, "revision": 1, "reason": "zhao jubao rang"})
    done = await act(li, tip, "take_up", responsible=NAME)
    sheet = (await li.get(f"{AT}/tips/export?form=csv&lang=en")).text.replace("rack 3", "by 赵举报 Zhao Jubao", 1)
    looked = (await li.post(f"{AT}/tips/look?name=a.csv", content=sheet.encode())).json()
    taken = await li.post(f"{AT}/tips/take", json={"ticket": looked["ticket"], "reason": "x"})
    for answer in (form, reason, done, taken):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "names_reporter"), answer.text
    assert (await li.get(at)).json()["record"]["revision"] == 1, "nothing of it was written"
    assert (await li.post(at, json={"values": {**TIP, "note": "n"}, "revision": 1, "reason": "x"})).status_code == 200


async def test_who_reported_is_nowhere_else(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Lists, records, revisions, search, exports, audit, logs, hazards, duties, every row of the store, every file."""
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        li, wang = await desk.come("li"), await desk.come("wang")
        await fill(li)
        tip = await enter(li, "tips", TIP)
        assert (await keep(li, tip)).status_code == 200
        await li.post(f"{TIPS}/{tip['id']}/reporter/open", json={"reason": "to answer"})
        await act(li, tip, "take_up", responsible="wang")
        (hazard,) = (await act(li, tip, "founded", hazard="no ticket", finding="seen")).json()["opened"]
        await act(li, tip, "answer", answer="done")
        answers: list[str | bytes] = []
        looks = [
            f"{AT}/tips", f"{AT}/tips/{tip['id']}", f"{AT}/hidden_hazards/{hazard['id']}", f"{AT}/hidden_hazards",
            "/api/v1/duties?state=closed", "/api/v1/duties", "/api/v1/audit", f"{AT}/tips/export?form=csv",
            "/api/v1/register/ledgers", f"{TIPS}/{tip['id']}/reporter", "/metrics", "/api/v1/flow",
        ]  # fmt: skip
        for look in looks:
            found = await wang.get(look)
            assert found.status_code == 200, look
            answers.append(found.content)
        book = load_workbook(io.BytesIO((await wang.get(f"{AT}/tips/export?form=xlsx")).content))
        answers += [str(cell) for sheet in book for row in sheet.values for cell in row]
        for ledger in ("tips", "hidden_hazards"):
            for asked in ("赵举", "举报人", "Jubao", "13812345678", "1381234", "zhao"):
                hits = (await wang.get(f"{AT}/{ledger}", params={"q": asked})).json()["records"]
                assert hits == [], asked
        assert [answer for answer in answers if said_of(answer)] == []
    assert said_of(repr(lines)) == []
    ours = [
        one.getMessage() for one in caplog.records if not one.name.startswith("http")
    ]  # The client logs its questions.
    assert said_of(repr(ours)) == []
    assert said_of(repr(Reporter(**WHO))) == []
    with desk.engine.connect() as connection:
        for table in inspect(desk.engine).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).all()  # noqa: S608 - names of our own tables
            assert said_of(repr(rows)) == [], table
        assert connection.scalar(select(schema.reporter.c.sealed)), "but it is kept"
    desk.engine.dispose()
    folder = desk.house.site.data
    for path in folder.rglob("*"):
        if path.is_file():
            assert said_of(path.read_bytes()) == [], path.name
    assert (folder / KEY).stat().st_mode & 0o077 == 0, "the key is the gateway's alone"


async def test_without_its_key_it_stays_shut_and_another_record_cannot_take_it_over(desk: Desk) -> None:
    li = await desk.come("li")
    tip, other = await enter(li, "tips", TIP), await enter(li, "tips", {**TIP, "code": "T-2"})
    await keep(li, tip)
    with desk.engine.begin() as connection:
        row = connection.execute(select(schema.reporter)).one()
        connection.execute(schema.reporter.insert().values(record=other["id"], sealed=row.sealed, kept_ns=1))
    moved = await li.post(f"{TIPS}/{other['id']}/reporter/open", json={"reason": "x"})
    assert (moved.status_code, moved.json()["error"]["code"]) == (409, "no_key")
    (desk.house.site.data / KEY).write_bytes(b"k" * 32)
    lost = await li.post(f"{TIPS}/{tip['id']}/reporter/open", json={"reason": "x"})
    assert lost.json()["error"]["code"] == "no_key"
    (desk.house.site.data / KEY).write_bytes(b"short")
    assert (await keep(li, tip)).status_code == 409
