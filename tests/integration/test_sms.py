"""Short messages over real sockets: templates as gateways want them, answers as gateways give them."""

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from alerting.push.message import digest, one_message
from gateway.config import Destination, Reach, SmsOptions
from gateway.push.channel import Parcel, PushError
from gateway.push.forms import form_of, utf16_units
from gateway.push.route import request_of
from gateway.push.sms import Sms
from tests.integration.test_robots import MESSAGE, Answer, vendor
from tests.robots import call

TOKEN = "hunter2+/="
TO = {"person": "li", "title": "", "phone": "+86 138 0000 0000", "email": "", "address": ""}
OPTIONS = SmsOptions(
    fields={"to.number": "{phone}", "to.name": "n", "msg": "【某公司】{text}", "id": "{key}"},
    headers={"Authorization": "Bearer {token}"}, code="result.code", ok=("0",), throttled=("isv.LIMIT",),
    refused=("BLACK",),
)  # fmt: skip


def channel(port: int, **more: Any) -> Destination:  # noqa: ANN401 - any field
    reach = Reach(kind="sms", token=TOKEN, sms=replace(OPTIONS, **more))
    return Destination(
        id="sms", url=f"http://127.0.0.1:{port}/send", timeout_s=1.0, is_loopback_allowed=True, reach=reach
    )  # fmt: skip


def parcel(text: str = "液位 {token} 4.31 m", **more: Any) -> Parcel:  # noqa: ANN401 - any member
    form = form_of(Reach(kind="sms", sms=OPTIONS))
    assert form is not None
    message = one_message(call(to=TO) | more, form)
    return Parcel(key="k" * 32, chain="c", body=text.encode(), message=message)


async def failure(to: Destination, what: Parcel) -> PushError:
    one = Sms(to)
    with pytest.raises(PushError) as failed:
        await one.send(what)
    await one.close()
    assert TOKEN not in str(failed.value)
    return failed.value


async def test_a_template_is_filled_in_once_and_accepted_is_no_receipt() -> None:
    async with vendor(answer=(200, '{"result":{"code":0,"id":"77"}}')) as gateway:
        one = Sms(channel(gateway.port))
        receipt = await one.send(parcel())
        await one.close()
    assert gateway.asked[0][2] == {
        "to": {"number": "13800000000", "name": "n"}, "msg": "【某公司】液位 {token} 4.31 m", "id": "k" * 32,
    }, "what stands in the text is not filled in"  # fmt: skip
    assert gateway.heads[0]["authorization"] == f"Bearer {TOKEN}"
    assert (receipt.is_proof, receipt.id) == (False, "0")


async def test_a_form_is_filled_in_too() -> None:
    async with vendor(answer=(200, '{"result":{"code":"0"}}')) as gateway:
        one = Sms(channel(gateway.port, content="form", fields={"m": "{phone}", "t": "{text}&x=1"}))
        await one.send(parcel())
        await one.close()
    assert parse_qs(gateway.bodies[0].decode()) == {"m": ["13800000000"], "t": ["液位 {token} 4.31 m&x=1"]}
    assert gateway.heads[0]["content-type"].startswith("application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("answer", "retry", "reason", "is_final"),
    [
        ((200, '{"result":{"code":"isv.LIMIT"}}'), True, "throttled", False),
        ((429, ""), True, "throttled", False),
        ((200, '{"result":{"code":"BLACK"}}'), False, "refused", True),
        ((200, '{"result":{"code":"NO_BALANCE"}}'), True, "not_accepted", False),
        ((200, "ok"), True, "not_accepted", False),
        ((200, "{}"), True, "not_accepted", False),
        ((503, '{"result":{"code":0}}'), True, "status_503", False),
        (lambda writer: writer.transport.abort(), True, "connection", False),
        (lambda writer: None, True, "timeout", False),
    ],
)
async def test_what_the_gateway_says_counts(answer: Answer, retry: bool, reason: str, is_final: bool) -> None:
    async with vendor(answer=answer) as gateway:
        error = await failure(channel(gateway.port), parcel())
    assert (error.retry, error.reason, error.is_final) == (retry, reason, is_final)


async def test_who_has_no_number_is_not_tried_again() -> None:
    error = await asyncio.wait_for(failure(channel(9), replace(parcel(), message=MESSAGE)), 5)
    assert (error.retry, error.reason, error.is_final) == (False, "no_number", True)


def test_many_calls_to_one_person_are_short_messages_that_fit_and_the_draft_hides_the_token() -> None:
    to = channel(9, fields={"to": "{phone}", "text": "{text}", "app": "{token}"})
    assert to.reach is not None
    form = form_of(to.reach)
    assert form is not None
    message = digest([call(n, to=TO, clause={"zh": f"T{n} 高报"}) for n in range(100)], form)
    assert 5 < len(message.keys) < 100
    assert all(utf16_units(part) <= 300 for part in message.parts)
    request = request_of(to, message, 0)
    assert TOKEN not in request
    assert '"app": "***"' in request
