"""Which registers to read in which requests: few requests, no value torn apart. Pure.

Flow: addresses -> [plan] -> requests of a cycle -> client
Why: one request per tag is what makes gateways crawl; a request costs the same for 1 register as for 125. A value
    that is spread over two requests may be read half before and half after a change, so that never happens.

A request never reads more than ``gap_max`` unused registers in a row. The greedy walk over the sorted addresses is
then the shortest plan there is: the lowest register not yet read must be the start of some request.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.collect.modbus.address import BIT_TABLES, FUNCTION, RegisterAddress, address_of
from edge.config import ModbusOptions, Table
from edge.decode.registers import Placement, RegisterDecoder
from edge.model import TagTable

REGISTERS_MAX = 125  # Modbus application protocol V1.1b3, 6.3: quantity of registers 1…0x7D.
BITS_MAX = 2_000  # The same, 6.1: quantity of coils 1…0x7D0.


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One read: ``count`` registers (or bits) of a table from ``address``."""

    table: Table
    address: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPlan:
    """The reads of one scan class of one device.

    Attributes:
        period_s: How often, s.
        requests: In the order in which they are sent.
        rows: Tag rows, ascending, int32 (n,).
        addresses: Address of each tag, n long.
        request_of: Index of the request that reads each tag, int64 (n,).
        starts: First word of each request's answer in the concatenated answers, int64 (requests + 1,); the last
            is the number of all words.
    """

    period_s: float
    requests: tuple[Request, ...]
    rows: NDArray[np.int32]
    addresses: tuple[RegisterAddress, ...]
    request_of: NDArray[np.int64]
    starts: NDArray[np.int64]

    def decoder(self, tags: TagTable) -> RegisterDecoder:
        """Compile the decoder of this plan's concatenated answers."""
        placements = []
        for row, address, answer in zip(self.rows, self.addresses, self.request_of, strict=True):
            start = int(self.starts[answer]) + address.register - self.requests[answer].address
            placements.append(
                Placement(
                    start=start,
                    answer=int(answer),
                    type=address.type,
                    order=address.order,
                    bit=address.bit,
                    mask=address.mask,
                    shift=address.shift,
                    length=address.length,
                    texts=address.texts,
                    has_loop=address.has_loop,
                    scale=address.scale,
                    offset=address.offset,
                    sentinels=address.sentinels,
                    range_lo=tags[int(row)].range_lo,
                    range_hi=tags[int(row)].range_hi,
                )
            )
        return RegisterDecoder(placements)

    def can_split(self, request: int) -> bool:
        """Tell whether a request reads more than one place, so that one bad place may spoil the others."""
        mine = np.flatnonzero(self.request_of == request).tolist()
        return len({(self.addresses[m].register, self.addresses[m].words) for m in mine}) > 1

    def split(self, request: int) -> "ReadPlan":
        """Give the plan with one request cut in two, at the boundary between values nearest to its middle.

        A device that refuses one register refuses the whole request that touches it. Cutting such a request
        again and again leaves the refusal with the tags that deserve it.
        """
        mine = sorted(np.flatnonzero(self.request_of == request).tolist(), key=lambda m: self.addresses[m].register)
        places = sorted({self.addresses[m].register for m in mine})
        if len(places) > 1:
            cut = places[len(places) // 2]
            halves = [[m for m in mine if self.addresses[m].register < cut]]
            halves.append([m for m in mine if self.addresses[m].register >= cut])
        else:  # The same first register in several widths: the narrow ones may be readable alone.
            narrow = min(self.addresses[m].words for m in mine)
            halves = [[m for m in mine if self.addresses[m].words == narrow]]
            halves.append([m for m in mine if self.addresses[m].words != narrow])
        groups = [np.flatnonzero(self.request_of == r).tolist() for r in range(len(self.requests))]
        groups[request : request + 1] = halves
        return _assemble(self.period_s, self.rows, self.addresses, groups)


def plan_device(tags: TagTable, source: str, options: ModbusOptions) -> tuple[ReadPlan, ...]:
    """Plan all reads of one device, one plan per scan class, fastest first.

    Raises:
        ValueError: A tag's address cannot be read, or a value is wider than ``registers_max``.
    """
    by_period: dict[float, list[int]] = {}
    for row in tags.rows_of_source(source):
        by_period.setdefault(tags[int(row)].period_s, []).append(int(row))
    return tuple(
        plan_class(period_s, rows, [address_of(tags[row]) for row in rows], options)
        for period_s, rows in sorted(by_period.items())
    )


def plan_class(
    period_s: float, rows: Sequence[int], addresses: Sequence[RegisterAddress], options: ModbusOptions
) -> ReadPlan:
    """Plan the reads of one scan class; ``rows`` and ``addresses`` belong together.

    Raises:
        ValueError: A value is wider than ``registers_max``.
    """
    groups: list[list[int]] = []
    by_table: dict[Table, list[int]] = {}
    for member, address in enumerate(addresses):
        by_table.setdefault(address.table, []).append(member)
    for table in sorted(by_table, key=FUNCTION.__getitem__):
        groups.extend(_group(by_table[table], addresses, table, options))
    return _assemble(period_s, np.array(rows, dtype=np.int32), tuple(addresses), groups)


def _group(
    members: list[int], addresses: Sequence[RegisterAddress], table: Table, options: ModbusOptions
) -> list[list[int]]:
    """Walk one table's values by register and begin a new request where one must."""
    if table in BIT_TABLES:
        # As many bits as the allowed registers hold cost as many bytes on the wire.
        count_max, gap_max = min(options.registers_max * 16, BITS_MAX), options.gap_max * 16
    else:
        count_max, gap_max = min(options.registers_max, REGISTERS_MAX), options.gap_max
    groups: list[list[int]] = []
    first = end = 0
    for member in sorted(members, key=lambda m: (addresses[m].register, addresses[m].words)):
        register, words = addresses[member].register, addresses[member].words
        if words > count_max:
            raise ValueError(
                f"register {register} holds {words} words, but registers_max is {count_max}; "
                f"a value is never read in two requests, so registers_max must be at least {words}."
            )
        fits = max(end, register + words) - first <= count_max
        if not groups or register > end + gap_max or not fits:
            groups.append([])
            first, end = register, register + words
        groups[-1].append(member)
        end = max(end, register + words)
    return groups


def _assemble(
    period_s: float,
    rows: NDArray[np.int32],
    addresses: tuple[RegisterAddress, ...],
    groups: Sequence[Sequence[int]],
) -> ReadPlan:
    """Make requests of groups of tags."""
    requests: list[Request] = []
    request_of = np.zeros(len(addresses), dtype=np.int64)
    for group in groups:
        first = min(addresses[m].register for m in group)
        end = max(addresses[m].register + addresses[m].words for m in group)
        request_of[list(group)] = len(requests)
        requests.append(Request(table=addresses[group[0]].table, address=first, count=end - first))
    starts = np.concatenate([[0], np.cumsum([request.count for request in requests])]).astype(np.int64)
    return ReadPlan(
        period_s=period_s,
        requests=tuple(requests),
        rows=rows,
        addresses=addresses,
        request_of=request_of,
        starts=starts,
    )
