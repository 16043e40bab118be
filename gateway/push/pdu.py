"""PDU: short messages as telephone networks carry them (3GPP TS 23.040), and what they say of one that was sent.

Flow: number, text -> [submits] -> one PDU a segment; PDU of a status report -> [read_report] -> Report
Why UCS2 alone: what is told is Chinese, or holds signs such as ≥ that the alphabet of 7 bits has not.
Never: does I/O; cuts a sign in two.
"""

from dataclasses import dataclass
from typing import Final

#: UTF-16 units of a message alone, and of each of several, whose header takes 6 of 140 bytes (9.2.3.24.1).
ALONE: Final = 70
EACH: Final = 67
SEGMENTS_MAX: Final = 255
#: First octet of SMS-SUBMIT (9.2.2.2): its kind, a relative time of validity, a report wanted, a header in the text.
_SUBMIT: Final = 0x01
_VALIDITY_RELATIVE: Final = 0x10
_REPORT_WANTED: Final = 0x20
_HEADER: Final = 0x40
#: 9.2.3.12.1: 24 hours; a call that is older helps nobody.
_VALIDITY: Final = 0xA7
_UCS2: Final = 0x08  # TS 23.038, 4
#: Type of number and numbering plan (9.1.2.5): international or not known, both as in telephony.
_INTERNATIONAL: Final = 0x91
_UNKNOWN: Final = 0x81
_STATUS_REPORT: Final = 0x02
_KIND: Final = 0x03
DIGITS_MAX: Final = 20  # 9.1.2.5: ten octets
#: Status (9.2.3.15): done; tried again by the network; given up.
_DONE_MAX: Final = 0x1F
_TRYING_MAX: Final = 0x3F


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the network says of a segment that was sent.

    Attributes:
        reference: The modem's number of it, 0 to 255.
        status: As 9.2.3.15 lists them.
    """

    reference: int
    number: str
    status: int

    @property
    def is_done(self) -> bool:
        """The telephone has it, or the network cannot know more."""
        return self.status <= _DONE_MAX

    @property
    def is_over(self) -> bool:
        """The network tries no longer."""
        return self.is_done or self.status > _TRYING_MAX


def submits(number: str, text: str, *, reference: int, is_report_wanted: bool) -> list[str]:
    """Write the PDUs of a text, hexadecimal; before each stands the length 0: the modem's own service centre.

    Args:
        number: Digits, with ``+`` where it is international.
        reference: By which a telephone knows the segments of one text, 0 to 255.

    Raises:
        ValueError: It is no number, or the text needs more than 255 segments.
    """
    pieces = segments(text)
    if len(pieces) > SEGMENTS_MAX:
        raise ValueError(f"The text needs {len(pieces)} segments; {SEGMENTS_MAX} are the most.")
    to = _address(number)
    first = _SUBMIT | _VALIDITY_RELATIVE | (_REPORT_WANTED if is_report_wanted else 0)
    found = []
    for place, piece in enumerate(pieces, start=1):
        head = bytes((0x05, 0x00, 0x03, reference & 0xFF, len(pieces), place)) if len(pieces) > 1 else b""
        data = head + piece.encode("utf-16-be")
        kind = first | (_HEADER if head else 0)
        whole = bytes((0x00, kind, 0x00)) + to + bytes((0x00, _UCS2, _VALIDITY, len(data))) + data
        found.append(whole.hex().upper())
    return found


def octets(pdu: str) -> int:
    """Give the length that ``AT+CMGS`` is told: without the service centre (3GPP TS 27.005, 4.3)."""
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)


def segments(text: str) -> list[str]:
    """Cut a text into what one segment holds each; a sign of two units stays whole."""
    if len(text.encode("utf-16-be")) // 2 <= ALONE:
        return [text]
    pieces, piece, units = [], "", 0
    for sign in text:
        size = 2 if ord(sign) > 0xFFFF else 1  # noqa: PLR2004 - beyond the basic plane
        if units + size > EACH:
            pieces.append(piece)
            piece, units = "", 0
        piece, units = piece + sign, units + size
    return [*pieces, piece]


def is_report(pdu: str) -> bool:
    """Tell whether it is an SMS-STATUS-REPORT at all (9.2.3.1), and not a text that somebody sent.

    Raises:
        ValueError: It is not hexadecimal, or nothing stands behind the service centre.
    """
    raw = bytes.fromhex(pdu)
    if not raw or len(raw) <= 1 + raw[0]:
        raise ValueError("the message is cut short")
    return raw[1 + raw[0]] & _KIND == _STATUS_REPORT


def read_report(pdu: str) -> Report:
    """Read an SMS-STATUS-REPORT (9.2.2.3).

    Raises:
        ValueError: It is none, or not whole.
    """
    raw = bytes.fromhex(pdu)
    try:
        at = 1 + raw[0]
        if raw[at] & _KIND != _STATUS_REPORT:
            raise ValueError("no status report")
        reference, digits, kind = raw[at + 1], raw[at + 2], raw[at + 3]
        end = at + 4 + (digits + 1) // 2
        swapped = "".join(f"{octet & 0x0F:x}{octet >> 4:x}" for octet in raw[at + 4 : end])[:digits]
        status = raw[end + 14]  # after the times of the centre and of the telephone, 7 octets each
    except IndexError:
        raise ValueError("the status report is cut short") from None
    number = f"+{swapped}" if kind & 0x70 == _INTERNATIONAL & 0x70 else swapped
    return Report(reference=reference, number=number, status=status)


def _address(number: str) -> bytes:
    digits = number.removeprefix("+")
    if not digits.isascii() or not digits.isdigit() or len(digits) > DIGITS_MAX:
        raise ValueError(f"{number!r} is no telephone number.")
    padded = digits + "F" * (len(digits) % 2)
    swapped = bytes.fromhex("".join(padded[at + 1] + padded[at] for at in range(0, len(padded), 2)))
    return bytes((len(digits), _INTERNATIONAL if number.startswith("+") else _UNKNOWN)) + swapped
