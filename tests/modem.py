"""A GSM modem on the other end of a serial line, by 3GPP TS 27.005 and 27.007; its network says what a test wants."""

import os
import re
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from smspdudecoder.fields import SMSSubmit  # An independent reader of what we write.

READY = "READY"


@dataclass
class FakeModem:
    """It echoes until told not to, wants a PIN where one is set, numbers what it sends, and reports on it.

    Attributes:
        answers: Of AT+CMGS after the PDU, in turn: the error line to give instead of a reference.
        report: Status that the network tells of each segment; None for no report.
        refused: Commands that it does not know.
        stored: Its memories, with what lies where.
        put_at: The memory that reports are put into.
        texts: What telephones got: number, text, whole once all segments are there.
    """

    path: str
    pin: str = ""
    network: str = "+CREG: 0,1"
    answers: list[str] = field(default_factory=list)
    report: int | None = 0
    is_mute: bool = False
    refused: tuple[str, ...] = ()
    stored: dict[str, dict[int, str]] = field(default_factory=lambda: {"SM": {}, "SR": {}})
    put_at: str = "SR"
    memory: str = "SM"
    reference: int = 250
    commands: list[str] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    lengths: list[tuple[int, int]] = field(default_factory=list)
    _is_echoing: bool = True
    _is_open: bool = False
    _waits_for_pdu: int = 0
    _is_reporting: str = ""
    _ends: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[tuple[str, str]]:
        found: dict[tuple[str, int], dict[int, str]] = {}
        for number, sms in enumerate(self.sent):
            header = sms["user_data"].get("header")
            part = header["elements"][0]["data"] if header else {"reference": -number - 1, "part_number": 1}
            to = str(sms["recipient"]["number"])
            found.setdefault((to, part["reference"]), {})[part["part_number"]] = sms["user_data"]["data"]
        return [(to, "".join(parts[place] for place in sorted(parts))) for (to, _), parts in found.items()]

    def run(self) -> None:
        self._is_open = not self.pin
        handle = os.open(self.path, os.O_RDWR | os.O_NOCTTY)
        rest = ""
        try:
            while not self._ends.is_set():
                if not select.select([handle], [], [], 0.05)[0]:
                    continue
                raw = os.read(handle, 4096).decode("ascii")
                if self._is_echoing and not self.is_mute:
                    os.write(handle, raw.encode())
                rest += raw
                while (found := re.search("[\r\x1a]", rest)) is not None:
                    line, sign, rest = rest[: found.start()], found[0], rest[found.end() :]
                    if not self.is_mute:
                        os.write(handle, self._say(line.strip(), sign).encode())
        finally:
            os.close(handle)

    def _say(self, line: str, sign: str) -> str:
        if sign == "\x1a":
            return self._sent(line)
        self.commands.append(line)
        if line in self.refused:
            return _end("ERROR")
        if line == "ATQ0V1E0":
            self._is_echoing = False
        elif line == "AT+CPIN?":
            return _told(f"+CPIN: {READY if self._is_open else 'SIM PIN'}")
        elif line.startswith("AT+CPIN="):
            self._is_open = line == f'AT+CPIN="{self.pin}"'
            return _end("OK" if self._is_open else "+CME ERROR: 16")
        elif line == "AT+CREG?":
            return _told(self.network)
        elif line in ("AT+CNMI=2,0,0,1,0", "AT+CNMI=2,0,0,2,0"):
            self._is_reporting = "told" if line.endswith("1,0") else "stored"
        elif line.startswith(("AT+CPMS", "AT+CMGL", "AT+CMGD")):
            return self._kept(line)
        elif found := re.fullmatch(r"AT\+CMGS=(\d+)", line):
            self._waits_for_pdu = int(found[1])
            return "\r\n> "
        return _end("OK")

    def _kept(self, line: str) -> str:
        """What it says of its memories."""
        if line == "AT+CPMS=?":
            names = ",".join(f'"{one}"' for one in self.stored)
            return _told(f'+CPMS: ({names}),("SM"),("SM")')
        if line == "AT+CPMS?":
            return _told(f'+CPMS: "{self.memory}",1,20,"SM",1,20,"SM",1,20')
        held = self.stored[self.memory]
        if line == "AT+CMGL=4":
            lying = [f"+CMGL: {place},0,,{len(pdu) // 2 - 1}\r\n{pdu}" for place, pdu in held.items()]
            return _end("\r\n".join([*lying, "OK"]))
        if line.startswith("AT+CMGD="):
            del held[int(line.removeprefix("AT+CMGD="))]
        else:
            self.memory = line.partition('"')[2].rstrip('"')
        return _end("OK")

    def _sent(self, pdu: str) -> str:
        self.lengths.append((self._waits_for_pdu, len(pdu) // 2 - 1 - int(pdu[:2], 16)))
        if self.answers and (error := self.answers.pop(0)):
            return _end(error)
        reference = self.reference = (self.reference + 1) % 256
        self.sent.append(SMSSubmit.decode(StringIO(pdu)))
        told = _told(f"+CMGS: {reference}")
        if self.report is None or not self._is_reporting:
            return told
        report = report_of(reference, pdu, self.report)
        if self._is_reporting == "told":
            return f"{told}\r\n+CDS: {len(report) // 2 - 1}\r\n{report}\r\n"
        place = max(self.stored[self.put_at], default=0) + 1
        self.stored[self.put_at][place] = report
        return f'{told}\r\n+CDSI: "{self.put_at}",{place}\r\n'


def _told(line: str) -> str:
    return f"\r\n{line}\r\n\r\nOK\r\n"


def _end(line: str) -> str:
    return f"\r\n{line}\r\n"


def report_of(reference: int, pdu: str, status: int) -> str:
    """SMS-STATUS-REPORT, 9.2.2.3: the address is copied as it came; both times are 2026-01-01 08:00:00 +08:00."""
    digits = int(pdu[6:8], 16)
    address = pdu[6 : 10 + (digits + 1) // 2 * 2]
    stamp = "62101080000023"
    body = f"06{reference:02X}{address}{stamp}{stamp}{status:02X}"
    return f"00{body}"


@contextmanager
def fake_modem(path: str, **more: Any) -> Iterator[FakeModem]:  # noqa: ANN401 - any field
    """Run one in a thread."""
    one = FakeModem(path, **more)
    thread = threading.Thread(target=one.run, name="fake-modem")
    thread.start()
    try:
        yield one
    finally:
        one._ends.set()  # noqa: SLF001 - ours
        thread.join()
