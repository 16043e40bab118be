"""Short messages by a modem on a real serial line (a pty pair), and what its network says of them afterwards."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerting.push.message import one_message
from gateway.config import Destination, ModemOptions, Reach
from gateway.push.channel import Parcel, PushError
from gateway.push.forms import form_of
from gateway.push.modem import Modem
from gateway.push.route import request_of
from tests.integration.test_modbus_serial import pty_pair
from tests.modem import fake_modem
from tests.robots import call

pytestmark = pytest.mark.network

TO = {"person": "li", "title": "", "phone": "+86 138 0000 0000", "email": "", "address": ""}


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[str, str]]:
    with pty_pair(tmp_path) as pair:
        yield pair


def channel(path: str, *, timeout_s: float = 3.0, **more: Any) -> Destination:  # noqa: ANN401 - any field
    reach = Reach(kind="modem", modem=ModemOptions(serial=path, settle_s=0.0, **more))
    return Destination(id="gsm", url="", timeout_s=timeout_s, reach=reach)


def parcel(**more: Any) -> Parcel:  # noqa: ANN401 - any member
    form = form_of(Reach(kind="modem"))
    assert form is not None
    message = one_message(call(to=TO) | more, form)
    return Parcel(key="k" * 32, chain="c", body=message.parts[0].encode(), message=message)


async def failure(one: Modem) -> PushError:
    with pytest.raises(PushError) as failed:
        await one.send(parcel())
    return failed.value


async def test_a_call_goes_as_segments_that_a_telephone_joins_and_the_network_reports(ends: tuple[str, str]) -> None:
    heard: list[dict[str, Any]] = []
    with fake_modem(ends[1], pin="1234") as modem:
        one = Modem(channel(ends[0], pin="1234"), lambda text: heard.append(json.loads(text)))
        sent = parcel()
        receipt = await one.send(sent)
        async with asyncio.timeout(5):
            while len(heard) < 2:  # noqa: ASYNC110 - reports come from a thread of another
                await asyncio.sleep(0.02)
        again = await one.send(parcel(clause={"zh": "短"}, todo={}, link=""))
        await one.close()
    assert modem.texts[0] == ("13800000000", sent.body.decode())
    assert len(sent.body.decode()) > 70
    assert all(said == real for said, real in modem.lengths), "the length that AT+CMGS is told"
    assert (receipt.id, receipt.is_proof) == ("251 252", False), "with the network is not on the telephone"
    assert heard[:2] == [
        {"reference": 251, "number": "13800000000", "status": 0},
        {"reference": 252, "number": "13800000000", "status": 0},
    ]
    assert again.id == "253"
    assert modem.commands.count("ATZ") == 1, "made ready once"
    assert 'AT+CPIN="1234"' in modem.commands


async def test_a_refused_pin_is_never_tried_again(ends: tuple[str, str]) -> None:
    with fake_modem(ends[1], pin="1234") as modem:
        one = Modem(channel(ends[0], pin="9999"), lambda _: None)
        first, second = await failure(one), await failure(one)
        await one.close()
    assert (first.reason, first.retry, second.reason) == ("sim_locked", True, "sim_locked")
    assert sum(line.startswith("AT+CPIN=") for line in modem.commands) == 1
    assert "9999" not in str(first) + str(second)


@pytest.mark.parametrize(
    ("more", "reason", "retry"),
    [
        ({"network": "+CREG: 0,2"}, "no_network", True),
        ({"network": "+CREG: 0,3"}, "no_network", True),
        ({"answers": ["+CMS ERROR: 1"]}, "refused", False),
        ({"answers": ["+CMS ERROR: 38"]}, "not_accepted", True),
        ({"answers": ["+CMS ERROR: 42"]}, "throttled", True),
        ({"answers": ["ERROR"]}, "not_accepted", True),
    ],
)
async def test_what_the_modem_says_counts(ends: tuple[str, str], more: Any, reason: str, retry: bool) -> None:  # noqa: ANN401
    with fake_modem(ends[1], **more):
        one = Modem(channel(ends[0]), lambda _: None)
        error = await failure(one)
        await one.close()
    assert (error.reason, error.retry, error.is_final) == (reason, retry, not retry)


async def test_a_modem_that_roams_sends_and_one_that_is_not_asked_reports_nothing(ends: tuple[str, str]) -> None:
    with fake_modem(ends[1], network="+CREG: 2,5") as modem:
        one = Modem(channel(ends[0], is_reported=False, centre="+8613800100500"), lambda _: None)
        await one.send(parcel())
        await one.close()
    assert 'AT+CSCA="+8613800100500"' in modem.commands
    assert not any(line.startswith("AT+CNMI") for line in modem.commands)
    assert not any(sms["header"]["srr"] for sms in modem.sent)


async def test_a_modem_that_is_silent_or_gone_is_trouble_and_one_that_is_back_is_used(ends: tuple[str, str]) -> None:
    one = Modem(channel(ends[0], timeout_s=0.5), lambda _: None)
    with fake_modem(ends[1]) as modem:
        await one.send(parcel())
        modem.is_mute = True
        silent = await failure(one)
        modem.is_mute = False
        assert (await one.send(parcel())).id
    await one.close()
    assert (silent.reason, silent.retry) == ("timeout", True)
    none = Modem(channel(f"{ends[0]}-none"), lambda _: None)
    gone = await failure(none)
    await none.close()
    assert (gone.reason, gone.retry) == ("connection", True)


async def test_who_has_no_number_is_not_tried() -> None:
    one = Modem(channel("/dev/none"), lambda _: None)
    with pytest.raises(PushError) as failed:
        await one.send(parcel(to=TO | {"phone": ""}))
    assert (failed.value.reason, failed.value.is_final) == ("no_number", True)


def test_a_dry_run_says_how_many_segments(ends: tuple[str, str]) -> None:
    sent = parcel()
    assert sent.message is not None
    told = json.loads(request_of(channel(ends[0]), sent.message, 0))
    assert (told["number"], told["segments"]) == ("13800000000", 2)
