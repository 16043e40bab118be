"""Robots over real sockets: a mock of each vendor's door that checks what it is sent as the vendor documents it."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from alerting.model.tier import Tier
from alerting.push.message import Message, Reader, digest, one_message
from edge.clock_manual import ManualClock
from edge.clock_system import SystemClock
from gateway.config import Destination, Reach
from gateway.push.channel import Parcel, PushError
from gateway.push.dingtalk import signed
from gateway.push.feishu import signed as feishu_signed
from gateway.push.forms import form_of
from gateway.push.robot import Robot
from gateway.push.route import dialect_of
from tests.robots import call

SECRET = "SECthis+is/a=secret"
TOKEN = "robot+token/1="
MESSAGE = Message(
    title="【红色预警】1号储罐", parts=("### 液位",), reader=Reader(), phones=("13800000000",), keys=("a",),
    tier=Tier.RED,
)  # fmt: skip
PARCEL = Parcel(key="a" * 32, chain="c", body="### 液位 4.31 m\n\n@13800000000".encode(), message=MESSAGE)
Answer = tuple[int, str] | Callable[[asyncio.StreamWriter], None]


@dataclass
class Vendor:
    """An HTTP server that keeps what it is sent and answers as told."""

    answer: Answer = (200, '{"errcode":0,"errmsg":"ok"}')
    headers: str = ""
    asked: list[tuple[str, dict[str, list[str]], dict[str, Any]]] = field(default_factory=list)
    port: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(
                next(line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length"))
            )
            body = await reader.readexactly(length)
            parts = urlsplit(head.split()[1])
            lines = [line.split(": ", 1) for line in head.splitlines()[1:] if ": " in line]
            self.heads.append({name.lower(): value for name, value in lines})
            self.bodies.append(body)
            self.asked.append((parts.path, parse_qs(parts.query), json.loads(body) if body[:1] == b"{" else {}))
            if callable(self.answer):
                self.answer(writer)
                return
            status, text = self.answer
            raw = text.encode()
            writer.write(
                f"HTTP/1.1 {status} X\r\n{self.headers}content-length: {len(raw)}\r\nconnection: close\r\n\r\n".encode()
                + raw
            )
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def vendor(**more: Any) -> AsyncIterator[Vendor]:  # noqa: ANN401 - any field
    one = Vendor(**more)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        for writer in one.writers:
            writer.close()
        server.close()
        await server.wait_closed()


def robot(port: int, kind: str = "dingtalk", path: str = "/robot/send", **more: Any) -> Robot:  # noqa: ANN401
    reach = Reach(**({"kind": kind, "token": TOKEN, "sign_secret": SECRET} | more))
    to = Destination(
        id="ding", url=f"http://127.0.0.1:{port}{path}", timeout_s=1.0, is_loopback_allowed=True, reach=reach
    )  # fmt: skip
    return Robot(to, dialect_of(reach), SystemClock())


async def failure(one: Robot) -> PushError:
    with pytest.raises(PushError) as failed:
        await one.send(PARCEL)
    await one.close()
    assert TOKEN not in str(failed.value), "what opens the robot stands in no error"
    assert SECRET not in str(failed.value)
    return failed.value


async def test_dingtalk_believes_the_signature_and_the_group_reads_the_text() -> None:
    async with vendor() as ding:
        one = robot(ding.port)
        receipt = await one.send(PARCEL)
        await one.close()
    path, query, body = ding.asked[0]
    assert path == "/robot/send"
    assert query["access_token"] == [TOKEN]
    # What the vendor does: base64(HmacSHA256(secret, timestamp + "\n" + secret)), not older than an hour.
    stamp = query["timestamp"][0]
    wanted = base64.b64encode(hmac.new(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), hashlib.sha256).digest())
    assert query["sign"] == [wanted.decode()]
    assert abs(int(stamp) / 1000 - SystemClock().wall_ns() / 1e9) < 60
    assert body == {
        "msgtype": "markdown",
        "markdown": {"title": "【红色预警】1号储罐", "text": "### 液位 4.31 m\n\n@13800000000"},
        "at": {"atMobiles": ["13800000000"], "isAtAll": False},
    }
    assert (receipt.status, receipt.id, receipt.answer) == (200, "0", '{"errcode":0,"errmsg":"ok"}')


def test_the_signature_is_that_of_the_vendors_own_example() -> None:
    """The Python example of DingTalk's page on security settings, written as it stands there."""
    secret, timestamp = "this is secret", "1577262236757"
    string_to_sign = f"{timestamp}\n{secret}"
    hmac_code = hmac.new(secret.encode("utf-8"), string_to_sign.encode("utf-8"), digestmod=hashlib.sha256).digest()
    sign = quote_plus(base64.b64encode(hmac_code))
    assert quote_plus(signed(secret, int(timestamp))["sign"]) == sign


async def test_a_robot_without_a_signature_gets_none() -> None:
    async with vendor() as ding:
        one = robot(ding.port, sign_secret="")
        await one.send(PARCEL)
        await one.close()
    assert set(ding.asked[0][1]) == {"access_token"}


@pytest.mark.parametrize(
    ("answer", "retry", "reason", "is_final"),
    [
        ((200, '{"errcode":310000,"errmsg":"sign not match"}'), True, "code_310000", False),
        ((200, '{"errcode":300001,"errmsg":"token is not exist"}'), True, "code_300001", False),
        ((200, '{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}'), True, "throttled", False),
        ((200, '{"errcode":"410100","errmsg":"too fast"}'), True, "throttled", False),
        ((429, "slow down"), True, "throttled", False),
        ((200, '{"errcode":430102,"errmsg":"unsuitable"}'), False, "code_430102", True),
        ((200, ""), True, "no_receipt", False),
        ((200, "<html>log in to the hotel</html>"), True, "no_receipt", False),
        ((200, '{"ok":true}'), True, "no_receipt", False),
        ((200, '{"errcode":false}'), True, "no_receipt", False),
        ((500, '{"errcode":0}'), True, "code_0", False),
        ((502, "bad gateway"), True, "status_502", False),
        ((302, ""), True, "status_302", False),
    ],
)  # fmt: skip
async def test_what_the_body_says_counts_not_the_status(
    answer: Answer, retry: bool, reason: str, is_final: bool
) -> None:
    async with vendor(answer=answer) as ding:
        error = await failure(robot(ding.port))
    assert (error.retry, error.reason, error.is_final) == (retry, reason, is_final)


async def test_a_clock_that_differs_is_told_as_such() -> None:
    answer = (200, '{"errcode":310000,"errmsg":"invalid timestamp"}')
    async with vendor(answer=answer, headers="date: Thu, 01 Jan 2026 00:00:00 GMT\r\n") as ding:
        error = await failure(robot(ding.port))
    assert error.reason == "clock_skew"


@pytest.mark.parametrize(
    "break_off", [lambda writer: None, lambda writer: writer.transport.abort(), lambda writer: writer.close()]
)
async def test_a_door_that_hangs_resets_or_hangs_up_is_trouble(
    break_off: Callable[[asyncio.StreamWriter], None],
) -> None:
    async with vendor(answer=break_off) as ding:
        error = await failure(robot(ding.port))
    assert error.retry
    assert error.reason in ("timeout", "connection")


def test_the_signature_is_of_the_moment_of_the_attempt() -> None:
    clock = ManualClock(1_577_262_236_757 * 1_000_000)
    dialect = dialect_of(Reach(kind="dingtalk", token=TOKEN, sign_secret=SECRET))
    asked = dialect.ask("x", MESSAGE, clock.wall_ns())
    assert asked.query["timestamp"] == "1577262236757"
    assert TOKEN not in repr(asked)


# ------------------------------------------------------------------------------------------------------- WeCom, Feishu


async def test_wecom_is_told_by_text_that_rings_for_the_number_or_by_markdown() -> None:
    async with vendor() as wecom:
        for mention in (True, False):
            one = robot(wecom.port, "wecom", path="/cgi-bin/webhook/send", sign_secret="", mention=mention)
            await one.send(PARCEL)
            await one.close()
    (path, query, text), (_, _, markdown) = wecom.asked
    assert (path, query) == ("/cgi-bin/webhook/send", {"key": [TOKEN]})
    said = PARCEL.body.decode()
    assert text == {"msgtype": "text", "text": {"content": said, "mentioned_mobile_list": ["13800000000"]}}
    assert markdown == {"msgtype": "markdown", "markdown": {"content": said}}


async def test_feishu_believes_the_signature_in_the_body() -> None:
    message = replace(MESSAGE, reader=Reader(person="李 & 王", address="ou_1"))
    parcel = replace(PARCEL, body='液位 < 4.31 m <at user_id="all">'.encode(), message=message)
    async with vendor(answer=(200, '{"code":0,"msg":"success"}')) as feishu:
        one = robot(feishu.port, "feishu", path="/open-apis/bot/v2/hook", token="0123-abcd")
        receipt = await one.send(parcel)
        await one.close()
    path, query, body = feishu.asked[0]
    assert (path, query) == ("/open-apis/bot/v2/hook/0123-abcd", {})
    # What the vendor does: base64(HmacSHA256(key = timestamp + "\n" + secret, nothing)), not older than an hour.
    wanted = hmac.new(f"{body['timestamp']}\n{SECRET}".encode(), digestmod=hashlib.sha256).digest()
    assert body["sign"] == base64.b64encode(wanted).decode()
    assert abs(int(body["timestamp"]) - SystemClock().wall_ns() / 1e9) < 60
    assert body["msg_type"] == "text"
    assert body["content"]["text"] == (
        '液位 &lt; 4.31 m &lt;at user_id="all"&gt;\n<at user_id="ou_1">李 &amp; 王</at>'
    ), "nothing that stands in a name rings for everybody"
    assert receipt.id == "0"


def test_the_signature_of_feishu_is_that_of_its_own_example() -> None:
    """The Python example of Feishu's page, written as it stands there."""
    timestamp, secret = 1_599_360_473, "demo"
    string_to_sign = f"{timestamp}\n{secret}"
    hmac_code = hmac.new(string_to_sign.encode("utf-8"), digestmod=hashlib.sha256).digest()
    assert feishu_signed(secret, timestamp) == {
        "timestamp": str(timestamp), "sign": base64.b64encode(hmac_code).decode("utf-8"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text", "retry", "reason"),
    [
        ("wecom", '{"errcode":45009,"errmsg":"api freq out of limit"}', True, "throttled"),
        ("wecom", '{"errcode":93000,"errmsg":"invalid webhook url"}', True, "code_93000"),
        ("wecom", '{"errcode":40058,"errmsg":"markdown.content exceed max length 4096"}', False, "code_40058"),
        ("feishu", '{"code":11232,"msg":"frequency limited psm"}', True, "throttled"),
        ("feishu", '{"code":9499,"msg":"too many request","data":{}}', True, "throttled"),
        ("feishu", '{"code":9499,"msg":"Bad Request","data":{}}', False, "code_9499"),
        ("feishu", '{"code":19024,"msg":"Key Words Not Found"}', True, "code_19024"),
        ("feishu", '{"StatusCode":19001,"StatusMessage":"token invalid"}', True, "code_19001"),
    ],
)
async def test_every_vendors_refusal_within_200_is_a_failure(kind: str, text: str, retry: bool, reason: str) -> None:
    async with vendor(answer=(200, text)) as one:
        error = await failure(robot(one.port, kind, sign_secret="", token="0123"))
    assert (error.retry, error.reason, error.status) == (retry, reason, 200)


@pytest.mark.parametrize("mention", [True, False])
@pytest.mark.parametrize(("kind", "most"), [("dingtalk", 20_000), ("wecom", 4096), ("feishu", 20 * 1024)])
def test_what_is_sent_stays_below_the_vendors_bytes_however_much_waits(kind: str, most: int, mention: bool) -> None:
    reach = Reach(kind=kind, token=TOKEN, sign_secret=SECRET, mention=mention, tongue="both")  # type: ignore[arg-type]
    form = form_of(reach)
    assert form is not None
    to = {"person": "li", "title": "", "phone": "13800000000", "email": "", "address": "ou_1"}
    calls = [call(n, to=to, todo={"zh": '<关阀> & "退守"\n' * 400, "en": "x"}) for n in range(300)]
    for message in (one_message(calls[0], form), digest(calls, form)):
        for part in message.parts:
            asked = dialect_of(reach).ask(part, message, 0)
            body = json.loads(asked.body)
            if kind == "wecom":
                assert len(body[body["msgtype"]]["content"].encode()) <= (2048 if mention else most)
            else:
                assert len(asked.body) <= most
    assert len(digest(calls, form).keys) > 5
