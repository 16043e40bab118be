"""Probe: reads some registers and their neighbours once, for a person who wants to know what a device really sends.

Flow: read (a running source's own station, or a line of our own) -> [probe] -> Survey -> edge.decode.guess
Why: off-by-one is found only where the neighbours are read too. One request takes all; where the device refuses it, it
    is cut in two until what it has is told from what it has not.
Never: asks on after a time-out or a lost connection, never sends more than ``REQUESTS_MAX`` requests, never writes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.collect.modbus.address import BIT_TABLES
from edge.collect.modbus.frame import Failure, Words
from edge.collect.modbus.line import Lines
from edge.config import ModbusOptions, Table
from edge.model import Reason

COUNT_MAX: Final = 100  # Registers in one survey: more than a screen shows, less than one request may have.
REQUESTS_MAX: Final = 16
BEFORE: Final = 1
BEHIND: Final = 4  # A value of 64 bits may begin one register behind the last.
REGISTERS: Final = 65_536
ILLEGAL_FUNCTION: Final = 1  # Exception code: the device has no such table (V1.1b3 §7).

#: Read registers: table, first register from 0, count.
Read: TypeAlias = Callable[[Table, int, int], Awaitable[Words | Failure]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the device said.

    Attributes:
        table: Which registers, and with it the function code, 1 to 4.
        asked: Registers that were asked for, from 0.
        first: Register of ``words[0]``; the neighbours are read too.
        words: uint16 (n,); a bit is a word of 0 or 1.
        known: bool (n,), false where none was read.
        failures: Why not, by register: the requests' failures.
        requests: How many were sent or tried.
    """

    table: Table
    asked: range
    first: int
    words: NDArray[np.uint16]
    known: NDArray[np.bool_]
    failures: dict[int, Failure]
    requests: int

    @property
    def failure(self) -> Failure | None:
        """Why none of the registers that were asked for came; None where one did."""
        if any(self.known[at - self.first] for at in self.asked):
            return None
        return self.failures.get(self.asked.start)


async def survey(read: Read, table: Table, register: int, count: int, at_once: int = 125) -> Survey:
    """Read registers and their neighbours.

    Args:
        read: Sends one request.
        register, count: Those that are asked for, from 0; at most ``COUNT_MAX``.
        at_once: Most registers that the device gives in one answer.
    """
    assert 0 <= register < REGISTERS, register
    assert 0 < count <= COUNT_MAX, count
    asked = range(register, min(register + count, REGISTERS))
    behind = 1 if table in BIT_TABLES else BEHIND
    first, stop = max(0, asked.start - BEFORE), min(asked.stop + behind, REGISTERS)
    words = np.zeros(stop - first, dtype=np.uint16)
    known = np.zeros(stop - first, dtype=np.bool_)
    failures: dict[int, Failure] = {}
    # What was asked for comes first: a device may refuse its neighbours and end the budget.
    parts = _cut(range(first, stop), at_once)
    if len(parts) > 1:
        parts = [*_cut(asked, at_once), range(first, asked.start), *_cut(range(asked.stop, stop), at_once)]
    todo = [part for part in parts if part]
    requests, is_whole = 0, len(todo) == 1
    while todo:
        part = todo.pop(0)
        if requests >= REQUESTS_MAX:
            failures.update(dict.fromkeys(part, Failure(reason=Reason.NONE)))
            continue
        requests += 1
        answer = await read(table, part.start, len(part))
        if not isinstance(answer, Failure):
            words[part.start - first : part.stop - first] = answer
            known[part.start - first : part.stop - first] = True
        elif not answer.is_answer or answer.code == ILLEGAL_FUNCTION:  # Asking on costs time-outs, or changes nothing.
            for rest in (part, *todo):
                failures.update(dict.fromkeys(rest, answer))
            break
        elif is_whole and len(part) > 1:
            todo = [each for each in (asked, range(first, asked.start), range(asked.stop, stop)) if each]
        elif len(part) > 1 and answer.reason is Reason.EXCEPTION:
            middle = part.start + len(part) // 2
            todo[:0] = [range(part.start, middle), range(middle, part.stop)]
        else:
            failures.update(dict.fromkeys(part, answer))
        is_whole = False
    return Survey(table=table, asked=asked, first=first, words=words, known=known, failures=failures, requests=requests)


def _cut(part: range, at_once: int) -> list[range]:
    return [part[at : at + at_once] for at in range(0, len(part), at_once)]


async def survey_address(
    options: ModbusOptions, table: Table, register: int, count: int, lines: Lines | None = None
) -> tuple[Survey, str]:
    """Connect, read once, and leave; for an address that no running source has.

    Returns:
        What it said, and why there is no connection where there is none.
    """
    line = (lines or Lines()).line(options)
    station = line.station(options.device_id)
    lost: list[str] = []
    station.watch(lost.append)

    async def read(table: Table, address: int, count: int) -> Words | Failure:
        _, answer = await station.read(table, address, count, options)
        return answer

    with line.used():
        await line.tried.wait()
        found = await survey(read, table, register, count, options.registers_max)
    station.unwatch(lost.append)
    return found, lost[0] if lost and not found.known.any() else ""
