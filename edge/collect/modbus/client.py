"""One Modbus TCP device, reading only. The only module that imports pymodbus' client.

Why one module: pymodbus changes its interface between minor versions; a contract test holds this adapter to it.
Never: writes to a device. There is no code here, or anywhere in the product, that sends another function than 1…4.

What is done otherwise than pymodbus would by itself:

* ``retries=0``: with its retries a silent device blocks each request for 12 s.
* Reconnecting is the collector's: pymodbus starts no reconnect after a refused first connection.
* A lost connection ends the outstanding request at once instead of after its time-out.
* A torn answer fails its own request only, see ``frame``.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from edge.collect.modbus.address import BIT_TABLES, FUNCTION
from edge.collect.modbus.frame import mend
from edge.config import ModbusOptions, Table
from edge.model import Reason

Words: TypeAlias = NDArray[np.uint16]

#: Requests in a row without an answer, after which the connection counts as half-open and is closed.
UNANSWERED_MAX = 3
#: Exceptions by which a device refuses an address or a count: illegal address, illegal value.
REFUSED_CODES = (2, 3)

# It logs each failed request as an error; failures are counted and become quality instead.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A read that gave no values.

    Attributes:
        reason: Why, as it stands in the quality of the tags concerned.
        code: Exception code of the device, 0 for none.
    """

    reason: Reason
    code: int = 0

    @property
    def is_refusal(self) -> bool:
        """The device does not have some register of the request."""
        return self.reason is Reason.EXCEPTION and self.code in REFUSED_CODES

    @property
    def is_answer(self) -> bool:
        """The device is there and said something."""
        return self.reason not in (Reason.COMMS, Reason.TIMEOUT)


class ModbusDevice:
    """A connection to one device; made on the event loop that uses it."""

    def __init__(self, options: ModbusOptions) -> None:
        self._options = options
        self._client: AsyncModbusTcpClient | None = None
        self._turn = asyncio.Lock()
        self._lost = asyncio.Event()
        self._lost.set()
        self._lost_reason = ""
        self._unanswered = 0
        self._transaction = b""
        self._torn: Reason | None = None

    @property
    def is_connected(self) -> bool:
        """The connection stands, as far as is known."""
        return not self._lost.is_set()

    async def connect(self) -> bool:
        """Try once to connect, at most for the time-out; the name is looked up anew."""
        self.close()
        self._unanswered = 0
        self._lost_reason = "connection closed by the device"
        # A new client each time: what still arrives for an old connection cannot reach the new one.
        client = AsyncModbusTcpClient(
            self._options.host,
            port=self._options.port,
            timeout=self._options.timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._look,
            trace_connect=self._connected,
        )
        client.set_max_no_responses(sys.maxsize)
        self._client = client
        return await client.connect()

    async def lost(self) -> str:
        """Wait until the connection is gone and tell why."""
        await self._lost.wait()
        return self._lost_reason

    def close(self, reason: str = "closed") -> None:
        """Close the connection, if there is one."""
        if self._client is None:
            return
        if self.is_connected:
            self._lost_reason = reason
        self._client.close()
        self._connected(is_up=False)
        self._client = None

    async def read(self, table: Table, address: int, count: int) -> Words | Failure:
        """Read registers, or bits as words of 0 and 1.

        One request is outstanding at a time; others wait for their turn.

        Returns:
            uint16 (count,), or why there are none.
        """
        async with self._turn:
            if self._client is None or not self.is_connected:
                return Failure(reason=Reason.COMMS)
            self._torn = None
            try:
                answer = await self._ask(self._client, table, address, count)
            except ConnectionException:
                return Failure(reason=Reason.COMMS)
            except ModbusException:
                return self._missed()
            self._unanswered = 0
            return self._words(answer, table, count)

    def _ask(self, client: AsyncModbusTcpClient, table: Table, address: int, count: int) -> Awaitable[ModbusPDU]:
        """Send one read; the four functions of ``FUNCTION`` and no others."""
        device_id = self._options.device_id
        match table:
            case "coil":
                return client.read_coils(address, count=count, device_id=device_id)
            case "discrete":
                return client.read_discrete_inputs(address, count=count, device_id=device_id)
            case "holding":
                return client.read_holding_registers(address, count=count, device_id=device_id)
            case "input":
                return client.read_input_registers(address, count=count, device_id=device_id)

    def _missed(self) -> Failure:
        """Note that no answer came in time; several in a row mean that nobody is there."""
        self._unanswered += 1
        if self._unanswered >= UNANSWERED_MAX:
            self.close("no answer")
        return Failure(reason=Reason.TIMEOUT)

    def _words(self, answer: ModbusPDU, table: Table, count: int) -> Words | Failure:
        """Check an answer and give its words."""
        if self._torn is not None:
            return Failure(reason=self._torn)
        if answer.isError():
            return Failure(reason=Reason.EXCEPTION, code=answer.exception_code)
        if answer.function_code != FUNCTION[table]:
            return Failure(reason=Reason.MALFORMED)
        if table in BIT_TABLES:
            if len(answer.bits) != (count + 7) // 8 * 8:  # Whole bytes on the wire, the rest padded.
                return Failure(reason=Reason.LENGTH)
            return np.array(answer.bits[:count], dtype=np.uint16)
        if len(answer.registers) != count:
            return Failure(reason=Reason.LENGTH)
        return np.array(answer.registers, dtype=np.uint16)

    def _look(self, is_sending: bool, packet: bytes) -> bytes:  # noqa: FBT001 - the hook's own signature
        """Remember what was sent; mend what was received."""
        if is_sending:
            self._transaction = packet[:2]
            return packet
        mended, torn = mend(packet, self._transaction)
        self._torn = self._torn if torn is None else torn
        return mended

    def _connected(self, is_up: bool) -> None:  # noqa: FBT001 - the hook's own signature
        """Note that the connection came or went; an outstanding request ends with it."""
        if is_up:
            self._lost.clear()
            return
        self._lost.set()
        if self._client is None:
            return
        outstanding = self._client.ctx.response_future
        if not outstanding.done():
            outstanding.set_exception(ConnectionException("Connection lost"))
            outstanding.exception()  # Seen: a future nobody waits for must not complain at exit.
