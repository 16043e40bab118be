"""A look at the answers before pymodbus decodes them: what is torn becomes a failure of its own request. Pure.

Why: an answer whose byte count lies makes pymodbus raise inside the transport, which closes the connection and so
    costs every other request too. Here it costs only the request that it answers.
"""

from edge.model import Reason

HEADER = 7  # Transaction, protocol, length, unit: MBAP header of Modbus TCP.
MINIMUM = 2  # Unit and function: the least that the header may count.
READ_FUNCTIONS = (1, 2, 3, 4)
EXCEPTION_BIT = 0x80
DEVICE_FAILURE = 4


def mend(data: bytes, transaction: bytes) -> tuple[bytes, Reason | None]:
    """Put a harmless exception answer in place of each torn frame in received bytes.

    Args:
        data: One or more frames, the last perhaps not yet complete.
        transaction: The two bytes that name the outstanding request.

    Returns:
        The bytes, and why the outstanding request failed, if its answer was torn. A frame keeps its length, except
        that one without any data byte grows by one.
    """
    reason: Reason | None = None
    parts: list[bytes] = []
    start = 0
    while len(data) - start > HEADER:
        size = int.from_bytes(data[start + 4 : start + 6], "big")
        end = start + 6 + size
        if data[start + 2 : start + 4] != b"\0\0" or end > len(data) or size < MINIMUM:
            break
        pdu = data[start + HEADER : end]
        fault = _fault(pdu)
        if fault is None:
            parts.append(data[start:end])
        else:
            if data[start : start + 2] == transaction:
                reason = fault
            pdu = bytes([EXCEPTION_BIT | 3, DEVICE_FAILURE]).ljust(len(pdu), b"\0")
            parts.append(
                data[start : start + 4] + (len(pdu) + 1).to_bytes(2, "big") + data[start + 6 : start + 7] + pdu
            )
        start = end
    return b"".join([*parts, data[start:]]), reason


def _fault(pdu: bytes) -> Reason | None:
    """Tell what is wrong with an answer's function code and byte count."""
    function = pdu[0]
    if function & EXCEPTION_BIT:
        is_known = function & ~EXCEPTION_BIT in READ_FUNCTIONS
        return None if is_known and len(pdu) > 1 else Reason.MALFORMED
    if function not in READ_FUNCTIONS:
        return Reason.MALFORMED
    return None if len(pdu) > 1 and pdu[1] == len(pdu) - 2 else Reason.LENGTH
