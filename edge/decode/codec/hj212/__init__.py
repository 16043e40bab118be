"""HJ 212-2017: frames that data loggers of environmental monitoring send.

A frame is ``##``, four digits with the length of the data segment in bytes, the segment, its CRC as four hexadecimal
digits, CR LF (§6.3.1). The segment is ``QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;CP=&&…&&`` (§6.3.2). The CRC is the standard's
own (appendix A): it is **not** that of Modbus. Times are Beijing time, without a zone in the frame.

Judged are real-time values (CN 2011): ``w01001-Rtd=7.1,w01001-Flag=N`` is the value ``w01001-Rtd``. Minute, hour and
day values and everything else that a logger sends by itself are answered where it asks for that, and passed by.

===========  ==========================================================
Flag         quality
===========  ==========================================================
N, none      GOOD
S            UNCERTAIN(substituted): set by hand
F, M, D, C   BAD(device): stopped, maintained, faulty, calibrated
T            BAD(range): beyond what the instrument measures
B            BAD(comms): the logger has lost the instrument
other        BAD(device)
===========  ==========================================================
"""

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from edge.decode.moment import NANOSECONDS_MAX
from edge.decode.payload import NO_TIME, Batch, Refusal, number_of
from edge.model import Quality, Reason
from edge.model.quality import encode

SEGMENT_MAX: Final = 9999  # Four digits; the standard's own limit is 1024 bytes.
HEAD: Final = 6  # "##" and the length
TAIL: Final = 6  # CRC, CR and LF
BEIJING: Final = timezone(timedelta(hours=8))
REAL_TIME: Final = "2011"
#: How fields of a code end that are values; ``Zs`` is the value under standard conditions.
ENDINGS: Final = ("-Rtd", "-ZsRtd")
WANTS_ANSWER: Final = 1  # Bit A of Flag
_QUALITY: Final = {
    "": int(Quality.GOOD),
    "N": int(Quality.GOOD),
    "S": encode(Quality.UNCERTAIN, Reason.SUBSTITUTED),
    "T": encode(Quality.BAD, Reason.RANGE),
    "B": encode(Quality.BAD, Reason.COMMS),
}
_BAD: Final = int(Quality.BAD)
_BAD_DEVICE: Final = encode(Quality.BAD, Reason.DEVICE)
_HEAD = re.compile(rb"##(\d{4})")
_TIME = re.compile(r"\d{14}", re.ASCII)


def _table() -> tuple[int, ...]:
    def shifted(value: int) -> int:
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
        return value

    return tuple(shifted(value) for value in range(256))


_TABLE: Final = _table()
_HIGH: Final = bytes(value >> 8 for value in _TABLE)


def crc_of(segment: bytes) -> int:
    """Compute the CRC of a data segment (HJ 212-2017 appendix A).

    Of the value so far only the high byte goes into the next one: its low byte is looked up once, at the end.
    """
    if not segment:
        return 0xFFFF
    high, table = 0xFF, _HIGH
    for byte in segment[:-1]:
        high = table[high ^ byte]
    return _TABLE[high ^ segment[-1]]


class Frame(NamedTuple):
    """A frame whose length and CRC are right.

    Attributes:
        request: QN, its number: when it was sent, 17 digits.
        system: ST, what is monitored.
        command: CN.
        password: PW, in the clear as the standard has it.
        station: MN, the logger.
        wants_answer: The sender waits for an answer and sends again without one.
        body: What stands between the ``&&``.
    """

    request: str
    system: str
    command: str
    password: str
    station: str
    wants_answer: bool
    body: str


def read_frame(payload: bytes) -> Frame | Refusal:
    """Read one whole frame, with or without CR LF at its end."""
    payload = payload.removesuffix(b"\r\n")
    if len(payload) < HEAD + 4 or not payload.startswith(b"##") or not payload[2:HEAD].isdigit():
        return Refusal.MALFORMED
    size = int(payload[2:HEAD])
    segment, crc = payload[HEAD : HEAD + size], payload[HEAD + size :]
    try:
        is_right = len(segment) == size and len(crc) == 4 and int(crc, 16) == crc_of(segment)  # noqa: PLR2004
    except ValueError:
        return Refusal.MALFORMED
    return read_segment(segment) if is_right else Refusal.MALFORMED


def read_segment(segment: bytes) -> Frame | Refusal:
    """Read a data segment whose length and CRC were right."""
    at = segment.find(b"&")  # The first one is that of CP=&&.
    if not segment.startswith(b"CP=&&", at - 3) or not segment.endswith(b"&&") or len(segment) < at + 4:
        return Refusal.MALFORMED
    try:
        head, body = segment[: at - 3].decode("ascii"), segment[at + 2 : -2].decode("gb18030")
    except UnicodeDecodeError:
        return Refusal.MALFORMED
    fields: dict[str, str] = {}
    for part in head.split(";"):
        key, mark, value = part.partition("=")
        if mark and (key := key.strip()) not in fields:
            fields[key] = value.strip()
    flag = fields.get("Flag", "0")
    if not fields.get("MN") or not fields.get("CN") or not (flag.isascii() and flag.isdigit()):
        return Refusal.MALFORMED
    return Frame(
        request=fields.get("QN", ""),
        system=fields.get("ST", ""),
        command=fields["CN"],
        password=fields.get("PW", ""),
        station=fields["MN"],
        wants_answer=bool(int(flag[:4]) & WANTS_ANSWER),
        body=body,
    )


def values_of(frame: Frame) -> Batch | Refusal:
    """Give the real-time values of a frame; a frame of another command has none."""
    if frame.command != REAL_TIME:
        return Refusal.MALFORMED
    time_ns = NO_TIME
    names: list[str] = []
    values: list[float] = []
    quality: list[int] = []
    for group in frame.body.split(";"):
        if "Rtd" not in group and "DataTime" not in group:  # Neither a value nor their time.
            continue
        given: dict[str, str] = {}
        found: list[tuple[str, str]] = []
        for part in group.split(","):
            key, _, text = part.partition("=")
            key, text = key.strip(), text.strip()
            given[key] = text
            if key.endswith(ENDINGS):
                found.append((key, text))
        if "DataTime" in given:
            moment = _moment_ns(given["DataTime"])
            if moment is None:
                return Refusal.MALFORMED
            time_ns = moment
        for key, text in found:
            code = key[: key.rindex("-")]
            if not code:
                continue
            value, own = number_of(text) if "_" not in text else number_of([])
            flagged = _QUALITY.get(given.get(code + "-Flag", ""), _BAD_DEVICE)
            worst = max(own, flagged)
            names.append(key)
            values.append(value if worst < _BAD else np.nan)
            quality.append(worst)
    if not names:
        return Refusal.MALFORMED
    return Batch(
        names=names,
        values=np.array(values, dtype=np.float64),
        quality=np.array(quality, dtype=np.uint8),
        times_ns=np.array([time_ns] * len(names), dtype=np.int64),
    )


def read_hj212(payload: bytes) -> Batch | Refusal:
    """Read the real-time values of a whole frame, as a logger publishes it."""
    frame = read_frame(payload)
    return frame if isinstance(frame, Refusal) else values_of(frame)


def answer_of(frame: Frame) -> bytes:
    """Make the answer to data (CN 9014): that they have come, and nothing else."""
    segment = f"QN={frame.request};ST=91;CN=9014;PW={frame.password};MN={frame.station};Flag=4;CP=&&&&".encode("ascii")
    return b"##%04d%s%04X\r\n" % (len(segment), segment, crc_of(segment))


@lru_cache(1024)  # All values of a frame have one time, and so have the loggers of a district.
def _moment_ns(text: str) -> int | None:
    """Read ``yyyyMMddHHmmss`` of Beijing time."""
    if not _TIME.fullmatch(text):
        return None
    try:
        year, (month, day, hour, minute, second) = int(text[:4]), (int(text[at : at + 2]) for at in range(4, 14, 2))
        moment = datetime(year, month, day, hour, minute, second, tzinfo=BEIJING)
    except ValueError:
        return None
    stamp = int(moment.timestamp()) * 1_000_000_000
    return stamp if 0 <= stamp <= NANOSECONDS_MAX else None


class Unframer:
    """Cuts a stream into frames; what stands between them is counted and passed over.

    Attributes:
        stray: Bytes that belonged to no frame.
    """

    def __init__(self) -> None:
        self.stray = 0
        self._held = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes and give the frames that are whole, CR LF cut off. It holds less than one frame."""
        held = self._held + data
        frames: list[bytes] = []
        at = 0  # All before it has been looked at.
        while True:
            found = _HEAD.search(held, at)
            # Without one, what may be the beginning of a head stays: the last bytes.
            start = found.start() if found is not None else max(at, len(held) - HEAD + 1)
            self.stray += start - at
            at = start
            if found is None:
                break
            end = at + HEAD + int(found[1]) + TAIL
            if len(held) < end:
                break
            if held[end - 2 : end] != b"\r\n":  # The length is a lie: look for the next frame inside.
                self.stray += 1
                at += 1
                continue
            frames.append(held[at : end - 2])
            at = end
        self._held = held[at:]
        return frames
