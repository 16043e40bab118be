"""GSM modem: short messages by a SIM card of the plant's own, with the network's word that a telephone has them.

Flow: text, number -> [PDU a segment] -> AT+CMGS each -> references: handed over; status reports -> [heard] -> receipt
Why: when the plant's line to the outside is cut, this one is not. The modem stores reports and says that it did, so
    that none is lost while nobody listens; they are read at the start, before anything new takes their references.
Never: takes a report out of the modem that is not written down; touches texts that somebody sent to the card; tries
    a PIN twice that was refused (three lock the card); begins a text in the middle; shows the PIN.
"""

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Final

import structlog

from alerting.push.message import Message, mobile
from gateway.config import Destination, ModemOptions
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.modem_line import ModemError, ModemLine
from gateway.push.pdu import Report, is_report, octets, read_report, segments, submits

log = structlog.get_logger("push")

#: A modem asks its network before it answers; TS 27.005 names no time, vendors up to 60 s.
SENDING_S: Final = 60.0
_END: Final = "\x1a"  # TS 27.005, 4.3: Ctrl-Z
#: +CMS ERROR (TS 27.005, 3.2.5, from TS 24.011): the number is nobody's.
_NOBODY: Final = frozenset({1, 28})
#: The network is full.
_FULL: Final = frozenset({42})
#: +CREG (TS 27.007, 7.2): registered at home, or roaming.
_REGISTERED: Final = ("1", "5")

#: How often reports are looked for that nobody told of, and a modem that was gone, s.
LOOK_S: Final = 60.0
#: A memory of hundreds of texts is listed slowly.
LISTING_S: Final = 30.0
#: Reports are stored and told of (TS 27.005, 3.4.1: +CDSI); or, where a modem cannot, told as they come.
_STORING: Final = "AT+CNMI=2,0,0,2,0"
_TELLING: Final = "AT+CNMI=2,0,0,1,0"
_MEMORY: Final = re.compile('"([A-Z]{2})"')

#: Takes a report, as JSON; tells later whether it was written down, None where nobody writes.
Heard = Callable[[bytes], asyncio.Future[bool] | None]


class Modem:
    """The channel of one modem.

    Args:
        heard: Takes each status report, as JSON, on the event loop.
    """

    def __init__(self, destination: Destination, heard: Heard) -> None:
        assert destination.reach is not None, destination.id
        assert destination.reach.modem is not None, destination.id
        self._destination, self._heard = destination, heard
        self._options: ModemOptions = destination.reach.modem
        self._line = ModemLine(self._options.serial, self._options.baudrate, self._reported, self._stored)
        self._turn = asyncio.Lock()  # Nothing may come between a command and its text.
        self._texts = itertools.count()
        self._is_pin_refused = self._is_storing = False
        self._memories: list[str] = []
        self._is_told = asyncio.Event()

    async def send(self, parcel: Parcel) -> Receipt:
        """Send one text; its id names the reference of each segment."""
        assert parcel.message is not None, parcel.key
        number = number_of(parcel.message)
        try:
            pdus = submits(
                number, parcel.body.decode(), reference=next(self._texts), is_report_wanted=self._options.is_reported
            )
        except ValueError as failure:
            raise PushError(retry=False, reason="no_number", detail=str(failure), is_final=True) from None
        async with self._turn:
            references = await self._handed(pdus)
        said = f"{len(pdus)} segments with the network"
        return Receipt(status=0, id=" ".join(references), answer=said, is_proof=False)

    async def _handed(self, pdus: list[str]) -> list[str]:
        try:
            if not self._line.is_open:
                await self._begin()
            return [await self._submit(pdu) for pdu in pdus]
        except TimeoutError:
            self._line.close()
            raise PushError(retry=True, reason="timeout", detail="the modem does not answer") from None
        except OSError as failure:
            self._line.close()
            raise PushError(retry=True, reason="connection", detail=str(failure)[:300]) from None
        except ModemError as failure:
            raise _failure(failure) from None

    async def listen(self) -> None:
        """Read what the modem stored while nobody listened, and what it stores from now on."""
        trouble = ""
        while self._options.is_reported:
            self._is_told.clear()
            try:
                async with self._turn:
                    if not self._line.is_open:
                        await self._begin()
                    else:
                        await self._collect()
                trouble = ""
            except (TimeoutError, OSError, ModemError, PushError) as failure:
                if not isinstance(failure, ModemError):
                    self._line.close()
                if str(failure) != trouble:  # Once, not each minute while a modem is unplugged.
                    trouble = str(failure)
                    log.warning("push.reports_unread", destination=self._destination.id, reason=trouble[:300])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._is_told.wait()

    async def close(self) -> None:
        """Let go of the port."""
        self._line.close()

    async def _begin(self) -> None:
        """Open the port and make the modem ready."""
        self._line.close()
        self._line.open()
        try:
            await self._prepare()
        except BaseException:
            self._line.close()
            raise

    async def _prepare(self) -> None:
        ask = self._line.ask
        await ask("ATQ0V1E0")  # And no ATZ: what arrived before reports are asked for anew would be stored nowhere.
        await ask("AT+CMEE=1")
        await self._unlock()
        state = next((line for line in await ask("AT+CREG?") if line.startswith("+CREG:")), "")
        if state.rpartition(",")[2].strip() not in _REGISTERED:
            raise PushError(retry=True, reason="no_network", detail=f"the modem is in no network ({state or 'silent'})")
        await ask("AT+CMGF=0")
        if self._options.centre:
            await ask(f'AT+CSCA="{self._options.centre}"')
        if self._options.is_reported:
            await ask("AT+CSMS=0")  # With service 0 nobody needs to acknowledge what comes (TS 27.005, 3.4.1).
            self._memories = await self._where()
            try:
                await ask(_STORING)
                self._is_storing = True
            except ModemError as failure:
                self._is_storing = False
                log.warning("push.reports_not_stored", destination=self._destination.id, reason=str(failure))
                await ask(_TELLING)
            await self._collect(is_earlier=True)

    async def _where(self) -> list[str]:
        """Give the memories that may hold reports: that of reports, and the one for what arrives (3.2.2)."""
        try:
            offered = _MEMORY.findall("".join(await self._line.ask("AT+CPMS=?")).partition(")")[0])
            used = _MEMORY.findall("".join(await self._line.ask("AT+CPMS?")))
        except ModemError:  # It has one, and no name for it.
            return [""]
        return list(dict.fromkeys([*(one for one in offered if one == "SR"), *used[-1:]])) or [""]

    async def _collect(self, *, is_earlier: bool = False) -> None:
        """Hand in what is stored, and take it out of the modem once it is written down."""
        if not self._is_storing:
            return
        for memory in self._memories:
            for index, report in await self._listed(memory):
                is_kept = self._hand_in(report, is_earlier=is_earlier)
                if is_kept is not None and await is_kept:
                    await self._line.ask(f"AT+CMGD={index}")

    async def _listed(self, memory: str) -> list[tuple[int, Report]]:
        """Read the reports in one memory, with their places."""
        if memory:
            await self._line.ask(f'AT+CPMS="{memory}"')
        lines = iter(await self._line.ask("AT+CMGL=4", wait_s=LISTING_S))  # all, read or not (4.1)
        return [(index, report) for index, pdu in _entries(lines) if (report := self._read(pdu)) is not None]

    async def _unlock(self) -> None:
        lines = await self._line.ask("AT+CPIN?")
        if "+CPIN: READY" in lines:
            return
        wanted = next((line.removeprefix("+CPIN: ") for line in lines if line.startswith("+CPIN:")), "nothing")
        if wanted != "SIM PIN" or not self._options.pin:
            raise PushError(retry=True, reason="sim_locked", detail=f"the card asks for {wanted}")
        if self._is_pin_refused:
            raise PushError(retry=True, reason="sim_locked", detail="the PIN was refused, and is not tried again")
        try:
            await self._line.ask(f'AT+CPIN="{self._options.pin}"', wait_s=20.0)
        except ModemError as failure:
            self._is_pin_refused = True
            raise PushError(retry=True, reason="sim_locked", detail=f"the PIN was refused: {failure}") from None
        await asyncio.sleep(self._options.settle_s)  # the card is read, and the network looked for

    async def _submit(self, pdu: str) -> str:
        """Send one segment and give its reference."""
        await self._line.ask(f"AT+CMGS={octets(pdu)}", wait_s=self._destination.timeout_s)
        lines = await self._line.ask(pdu, wait_s=SENDING_S, end=_END)
        found = next((line for line in lines if line.startswith("+CMGS:")), "")
        return found.removeprefix("+CMGS:").partition(",")[0].strip()

    def _stored(self, memory: str) -> None:
        if memory and memory not in self._memories:
            self._memories.append(memory)
        self._is_told.set()

    def _reported(self, pdu: str) -> None:
        report = self._read(pdu)
        if report is not None:
            self._hand_in(report, is_earlier=False)

    def _read(self, pdu: str) -> Report | None:
        try:
            return read_report(pdu) if is_report(pdu) else None
        except ValueError as failure:
            log.warning("push.report_unreadable", destination=self._destination.id, reason=str(failure))
            return None

    def _hand_in(self, report: Report, *, is_earlier: bool) -> asyncio.Future[bool] | None:
        told = {"reference": report.reference, "number": report.number, "status": report.status}
        return self._heard(json.dumps(told | ({"is_earlier": True} if is_earlier else {})).encode())


def _entries(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    """Give place and PDU of what AT+CMGL lists: ``+CMGL: <index>,<stat>,[<alpha>],<length>``, and the PDU below."""
    for line in lines:
        place = line.removeprefix("+CMGL:").partition(",")[0].strip()
        if line.startswith("+CMGL:") and place.isascii() and place.isdigit():
            yield int(place), next(lines, "")


def number_of(message: Message) -> str:
    """Give the number of the one who is called.

    Raises:
        PushError: He has none.
    """
    number = mobile(message.reader.phone)
    if not number:
        who = message.reader.person or "the group"
        raise PushError(retry=False, reason="no_number", detail=f"{who} has no phone number", is_final=True)
    return number


def shown_message(message: Message) -> str:
    """Write what would be sent to whom, and in how many segments."""
    try:
        number = number_of(message)
    except PushError as failure:
        number = str(failure)
    count = sum(len(segments(part)) for part in message.parts)
    return json.dumps({"number": number, "segments": count, "text": message.parts[0]}, ensure_ascii=False)


def _failure(failure: ModemError) -> PushError:
    if failure.code in _NOBODY and failure.said.startswith("+CMS"):
        return PushError(retry=False, reason="refused", detail=failure.said, is_final=True)
    reason = "throttled" if failure.code in _FULL else "not_accepted"
    return PushError(retry=True, reason=reason, detail=failure.said)
