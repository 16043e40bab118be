"""Short messages by a modem on a real serial line (a pty pair), and what its network says of them afterwards."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
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
from tests.modem import fake_modem, report_of
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


@dataclass
class Book:
    """What the gateway heard of the network, and whether it wrote that down.

    Attributes:
        is_kept: None where nobody writes, as for a trial from the command line.
    """

    heard: list[dict[str, Any]] = field(default_factory=list)
    is_kept: bool | None = True

    def hear(self, text: bytes) -> asyncio.Future[bool] | None:
        self.heard.append(json.loads(text))
        if self.is_kept is None:
            return None
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        kept.set_result(self.is_kept)
        return kept

    async def until(self, n: int) -> None:
        async with asyncio.timeout(5):
            while len(self.heard) < n:  # noqa: ASYNC110 - reports come from a thread of another
                await asyncio.sleep(0.02)


@asynccontextmanager
async def listening(one: Modem) -> AsyncIterator[None]:
    task = asyncio.create_task(one.listen())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def failure(one: Modem) -> PushError:
    with pytest.raises(PushError) as failed:
        await one.send(parcel())
    return failed.value


async def test_a_call_goes_as_segments_that_a_telephone_joins_and_the_network_reports(ends: tuple[str, str]) -> None:
    book = Book()
    with fake_modem(ends[1], pin="1234") as modem:
        one = Modem(channel(ends[0], pin="1234"), book.hear)
        async with listening(one):
            sent = parcel()
            receipt = await one.send(sent)
            await book.until(2)
            again = await one.send(parcel(clause={"zh": "短"}, todo={}, link=""))
            await book.until(3)
            await one.close()
    heard = book.heard
    assert modem.texts[0] == ("13800000000", sent.body.decode())
    assert len(sent.body.decode()) > 70
    assert all(said == real for said, real in modem.lengths), "the length that AT+CMGS is told"
    assert (receipt.id, receipt.is_proof) == ("251 252", False), "with the network is not on the telephone"
    assert heard[:2] == [
        {"reference": 251, "number": "13800000000", "status": 0},
        {"reference": 252, "number": "13800000000", "status": 0},
    ]
    assert again.id == "253"
    assert modem.commands.count("ATQ0V1E0") == 1, "made ready once"
    assert modem.stored["SR"] == {}, "what is written down is taken out"
    assert 'AT+CPIN="1234"' in modem.commands


async def test_what_came_while_the_gateway_was_down_is_read_before_anything_is_sent(ends: tuple[str, str]) -> None:
    to, text = "0004" + "0B81" + "3108000000F0" + "0008" + "62101080000023" + "026587", "SM"
    submit = "00310" + "00B81" + "3108000000F0"  # as the modem was given it: reference, then the address
    with fake_modem(ends[1]) as modem:
        modem.stored = {"SM": {4: to, 9: report_of(8, submit, 0x46)}, "SR": {1: report_of(7, submit, 0)}}
        trial = Book(is_kept=None)
        one = Modem(channel(ends[0]), trial.hear)
        await one.send(parcel(clause={"zh": "短"}, todo={}, link=""))
        await one.close()
        assert modem.stored[text].keys() == {4, 9}, "a trial from the command line takes nothing out"
        lost = Book(is_kept=False)
        one = Modem(channel(ends[0]), lost.hear)
        async with listening(one):
            await lost.until(3)
            await one.close()
        assert modem.stored["SR"].keys() == {1, 2}, "what the store did not take stays"
        book = Book()
        one = Modem(channel(ends[0]), book.hear)
        modem.report, at = None, len(modem.sent)
        async with listening(one):
            await one.send(parcel())
            assert len(modem.sent) == at + 2
            assert len(book.heard) == 3, "before the text"
            await one.close()
    assert modem.stored == {"SM": {4: to}, "SR": {}}, "what somebody wrote to the card is nobody's business here"
    assert [(each["reference"], each["status"], each["is_earlier"]) for each in book.heard] == [
        (7, 0, True), (251, 0, True), (8, 0x46, True),
    ]  # fmt: skip


@pytest.mark.parametrize("refused", [("AT+CNMI=2,0,0,2,0",), ("AT+CPMS=?",)])
async def test_a_modem_that_cannot_store_tells_and_one_without_names_for_memories_is_read(
    ends: tuple[str, str], refused: tuple[str, ...]
) -> None:
    book = Book()
    with fake_modem(ends[1], refused=refused, put_at="SM") as modem:
        one = Modem(channel(ends[0]), book.hear)
        async with listening(one):
            await one.send(parcel())
            await book.until(2)
            await one.close()
    assert [each["reference"] for each in book.heard[:2]] == [251, 252]
    assert modem.stored["SM"] == {}


async def test_a_refused_pin_is_never_tried_again(ends: tuple[str, str]) -> None:
    with fake_modem(ends[1], pin="1234") as modem:
        one = Modem(channel(ends[0], pin="9999"), Book().hear)
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
        one = Modem(channel(ends[0]), Book().hear)
        error = await failure(one)
        await one.close()
    assert (error.reason, error.retry, error.is_final) == (reason, retry, not retry)


async def test_a_modem_that_roams_sends_and_one_that_is_not_asked_reports_nothing(ends: tuple[str, str]) -> None:
    with fake_modem(ends[1], network="+CREG: 2,5") as modem:
        one = Modem(channel(ends[0], is_reported=False, centre="+8613800100500"), Book().hear)
        await one.send(parcel())
        await one.close()
    assert 'AT+CSCA="+8613800100500"' in modem.commands
    assert not any(line.startswith("AT+CNMI") for line in modem.commands)
    assert not any(sms["header"]["srr"] for sms in modem.sent)


async def test_a_modem_that_is_silent_or_gone_is_trouble_and_one_that_is_back_is_used(ends: tuple[str, str]) -> None:
    one = Modem(channel(ends[0], timeout_s=0.5), Book().hear)
    with fake_modem(ends[1]) as modem:
        await one.send(parcel())
        modem.is_mute = True
        silent = await failure(one)
        modem.is_mute = False
        assert (await one.send(parcel())).id
    await one.close()
    assert (silent.reason, silent.retry) == ("timeout", True)
    none = Modem(channel(f"{ends[0]}-none"), Book().hear)
    gone = await failure(none)
    await none.close()
    assert (gone.reason, gone.retry) == ("connection", True)


async def test_who_has_no_number_is_not_tried() -> None:
    one = Modem(channel("/dev/none"), Book().hear)
    with pytest.raises(PushError) as failed:
        await one.send(parcel(to=TO | {"phone": ""}))
    assert (failed.value.reason, failed.value.is_final) == ("no_number", True)


def test_a_dry_run_says_how_many_segments(ends: tuple[str, str]) -> None:
    sent = parcel()
    assert sent.message is not None
    told = json.loads(request_of(channel(ends[0]), sent.message, 0))
    assert (told["number"], told["segments"]) == ("13800000000", 2)
