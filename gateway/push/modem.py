"""GSM modem: short messages by a SIM card of the plant's own, with the network's word that a telephone has them.

Flow: text, number -> [PDU a segment] -> AT+CMGS each -> references: handed over; status reports -> [heard] -> receipt
Why: when the plant's line to the outside is cut, this one is not.
Never: tries a PIN twice that was refused (three lock the card); begins a text in the middle; shows the PIN.
"""

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Final

import structlog

from alerting.push.message import Message, mobile
from gateway.config import Destination, ModemOptions
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.modem_line import ModemError, ModemLine
from gateway.push.pdu import octets, read_report, segments, submits

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

Heard = Callable[[bytes], None]


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
        self._line = ModemLine(self._options.serial, self._options.baudrate, self._reported)
        self._texts = itertools.count()
        self._is_pin_refused = False

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
        try:
            if not self._line.is_open:
                await self._begin()
            references = [await self._submit(pdu) for pdu in pdus]
        except TimeoutError:
            self._line.close()
            raise PushError(retry=True, reason="timeout", detail="the modem does not answer") from None
        except OSError as failure:
            self._line.close()
            raise PushError(retry=True, reason="connection", detail=str(failure)[:300]) from None
        except ModemError as failure:
            raise _failure(failure) from None
        said = f"{len(pdus)} segments with the network"
        return Receipt(status=0, id=" ".join(references), answer=said, is_proof=False)

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
        await ask("ATZ")
        await ask("ATE0")
        await ask("AT+CMEE=1")
        await self._unlock()
        state = next((line for line in await ask("AT+CREG?") if line.startswith("+CREG:")), "")
        if state.rpartition(",")[2].strip() not in _REGISTERED:
            raise PushError(retry=True, reason="no_network", detail=f"the modem is in no network ({state or 'silent'})")
        await ask("AT+CMGF=0")
        if self._options.centre:
            await ask(f'AT+CSCA="{self._options.centre}"')
        if self._options.is_reported:
            # Reports come by themselves as PDUs (TS 27.005, 3.4.1); with service 0 nobody needs to acknowledge them.
            await ask("AT+CSMS=0")
            await ask("AT+CNMI=2,0,0,1,0")

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

    def _reported(self, pdu: str) -> None:
        try:
            report = read_report(pdu)
        except ValueError as failure:
            log.warning("push.report_unreadable", destination=self._destination.id, reason=str(failure))
            return
        told = {"reference": report.reference, "number": report.number, "status": report.status}
        self._heard(json.dumps(told).encode())


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
