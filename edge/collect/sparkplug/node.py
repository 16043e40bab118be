"""Node: what a host application knows of one edge node, from its birth to its death. Pure: time is handed in.

Flow: message -> [order, births] -> samples; doubt -> wish for a rebirth
Never: takes a dead node for a live one. A death that does not fit to the birth may be an older one that came late, so
    the node is asked; who does not answer in time is dead.

Paragraphs are those of Sparkplug 3.0.0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from edge.collect.mqtt.link import Message
from edge.collect.sparkplug.order import Order
from edge.collect.sparkplug.samples import Samples
from edge.collect.sparkplug.topic import Kind
from edge.decode.codec.sparkplug import Metric, Payload, bdseq_of, reading_of
from edge.decode.payload import BAD_MALFORMED, Refusal

NAN = float("nan")
#: First parts of metrics that are for commands and descriptions; that no tag has their names is no news.
_OWN = ("bdSeq", "Node Control/", "Node Info/", "Device Control/", "Device Info/", "Properties/")


class State(Enum):
    """Whether it lives."""

    UNKNOWN = "unknown"
    ALIVE = "alive"
    DEAD = "dead"


class Heard(NamedTuple):
    """One message of a node.

    Attributes:
        device: Empty for the node itself.
        message: As it came.
    """

    kind: Kind
    device: str
    payload: Payload
    message: Message


class Now(NamedTuple):
    """A moment by both clocks, ns."""

    wall_ns: int
    mono_ns: int


class Desk(Protocol):
    """What a node asks of its source."""

    samples: Samples

    def row_of(self, node: str, device: str, metric: str) -> int:
        """Give the row of a metric's tag, the node's from now on; -1 for none, -2 where another node has it."""
        ...

    def release(self, row: int) -> None:
        """Let another node have the row."""
        ...

    def refuse(self, reason: str, heard: Heard, count: int = 1) -> None:
        """Count what went no further."""
        ...

    def done(self, heard: Heard) -> None:
        """Let the message be acknowledged with what has been read so far."""
        ...

    def count(self, what: str) -> None:
        """Count what went wrong without a message being refused."""
        ...

    def wish(self, node: str, now: Now) -> None:
        """Have the node tell all anew."""
        ...

    def fulfil(self, node: str) -> None:
        """Need no rebirth any more."""
        ...


@dataclass(frozen=True, slots=True)
class _Known:
    row: int  # -1: a metric that is no tag
    datatype: int


class _Birth:
    """The metrics of a node or of one of its devices."""

    def __init__(self) -> None:
        self.by_alias: dict[int, _Known] = {}
        self.by_name: dict[str, _Known] = {}

    def find(self, metric: Metric) -> _Known | None:
        return self.by_name.get(metric.name) if metric.name else self.by_alias.get(metric.alias)

    @property
    def rows(self) -> set[int]:
        return {known.row for known in self.by_name.values() if known.row >= 0}


class EdgeNode:
    """The session of one edge node.

    Args:
        name: Its edge node id.
        wait_ns: How long a message waits for an earlier one.
        birth_ns: How long a birth may take to come.
    """

    def __init__(self, name: str, desk: Desk, *, wait_ns: int, birth_ns: int) -> None:
        self.name = name
        self.state = State.UNKNOWN
        self._desk = desk
        self._birth_ns = birth_ns
        self._order: Order[Heard] = Order(wait_ns)
        self._births: dict[str, _Birth] = {}  # By device; the node's own under "".
        self._bdseq = -1
        self._owed: set[int] = set()  # Rows that devices had before the node was born again.
        self._owed_due_ns = 0
        self._doubt_due_ns: int | None = None

    # ------------------------------------------------------------------------------------------------ what happens

    def hear(self, heard: Heard, now: Now) -> None:
        """Take one message."""
        if heard.kind is Kind.NDEATH:
            self._die(heard, now)
            self._desk.done(heard)
        elif heard.payload.seq < 0:
            self._drop(Refusal.MALFORMED, heard)  # §6.4.3: all but deaths of nodes have one.
        elif heard.kind is Kind.NBIRTH:
            self._be_born(heard, now)
            self._desk.done(heard)
            ready, left = self._order.begin(heard.payload.seq)
            for old in left:
                self._drop("unborn", old)
            self._read(ready, now)
        else:
            self._read(self._order.offer(heard.payload.seq, heard, now.mono_ns), now)
        self.pulse(now)

    def _drop(self, reason: str, heard: Heard) -> None:
        self._desk.refuse(reason, heard)
        self._desk.done(heard)

    def pulse(self, now: Now) -> None:
        """Look at what is overdue."""
        overdue = self._order.give_up(now.mono_ns)
        if overdue is not None:
            is_alive = self.state is State.ALIVE
            self._desk.count("sequence_gap" if is_alive else "birth_missing")
            self._read(overdue.later, now)
            for heard in overdue.earlier:
                self._drop("out_of_order" if is_alive else "unborn", heard)
            self._desk.wish(self.name, now)
        if self._owed and now.mono_ns >= self._owed_due_ns:
            self._lose(self._owed, now)
        if self._doubt_due_ns is not None and now.mono_ns >= self._doubt_due_ns:
            self._desk.count("birth_missing")
            self._end(State.DEAD, now)

    @property
    def due_ns(self) -> int | None:
        """When ``pulse`` is due, by the clock that never goes back; None for not at all."""
        times = (self._order.due_ns, self._owed_due_ns if self._owed else None, self._doubt_due_ns)
        return min((time for time in times if time is not None), default=None)

    def part(self, now: Now) -> None:
        """Lose sight of it: the link is down, and what happens meanwhile is not heard."""
        self._end(State.UNKNOWN, now)

    # ------------------------------------------------------------------------------------------- births and deaths

    def _be_born(self, heard: Heard, now: Now) -> None:
        self.state = State.ALIVE
        self._bdseq = bdseq_of(heard.payload)
        self._doubt_due_ns = None
        self._desk.fulfil(self.name)
        for device, birth in self._births.items():
            self._owed |= birth.rows if device else set()
        self._owed_due_ns = now.mono_ns + self._birth_ns
        self._births = {"": self._births[""]} if "" in self._births else {}
        self._meet(heard, now)

    def _meet(self, heard: Heard, now: Now) -> None:
        """Take a birth: learn its metrics, tell their values, lose the tags that it no longer has."""
        before = self._births.get(heard.device, _Birth()).rows
        birth = self._births[heard.device] = _Birth()
        taken = {row for device, other in self._births.items() if device != heard.device for row in other.rows}
        unknown = 0
        for metric in heard.payload.metrics:
            row = self._desk.row_of(self.name, heard.device, metric.name)
            is_twice = metric.name in birth.by_name or metric.alias in birth.by_alias
            if not metric.name or is_twice or row in taken or row < -1:
                self._desk.refuse("ambiguous", heard)
                continue
            unknown += row < 0 and not metric.name.startswith(_OWN)
            known = birth.by_name[metric.name] = _Known(row, metric.datatype)
            if metric.alias >= 0:
                birth.by_alias[metric.alias] = known
            if row >= 0:
                taken.add(row)
                self._tell(metric, known, heard.payload.time_ms, heard, now)
        if unknown:
            self._desk.refuse(Refusal.UNKNOWN_TAG, heard, unknown)
        self._owed -= taken
        self._lose(before - taken, now)

    def _die(self, heard: Heard, now: Now) -> None:
        bdseq = bdseq_of(heard.payload)
        if self.state is State.ALIVE and bdseq >= 0 and self._bdseq >= 0 and bdseq != self._bdseq:
            # §5.4: a will of an earlier connection may come after the birth of the next.
            self._desk.refuse("stale_death", heard)
            self._doubt_due_ns = now.mono_ns + self._birth_ns
            self._desk.wish(self.name, now)
            return
        if self.state is not State.DEAD:
            self._desk.count("node_death")
        if self.state is State.ALIVE:  # One that we never knew may have died before it was born as what it is now.
            self._desk.fulfil(self.name)
        self._end(State.DEAD, now)

    def _end(self, state: State, now: Now) -> None:
        self.state = state
        self._doubt_due_ns = None
        for heard in self._order.end():
            self._drop("unborn", heard)
        for birth in self._births.values():
            self._lose(birth.rows, now)
        self._births.clear()
        self._lose(self._owed, now)

    def _lose(self, rows: set[int], now: Now) -> None:
        for row in sorted(rows):
            self._desk.samples.lose(row, now.wall_ns)
            self._desk.release(row)
        rows.clear()

    # ---------------------------------------------------------------------------------------------------- in order

    def _read(self, ready: list[Heard], now: Now) -> None:
        readers: dict[Kind, Callable[[Heard, Now], None]] = {
            Kind.DBIRTH: self._meet,
            Kind.DDEATH: self._device_dies,
        }
        for heard in ready:
            self._doubt_due_ns = None
            readers.get(heard.kind, self._take)(heard, now)
            self._desk.done(heard)

    def _device_dies(self, heard: Heard, now: Now) -> None:
        birth = self._births.pop(heard.device, None)
        if birth is not None:
            self._desk.count("device_death")
            self._lose(birth.rows, now)

    def _take(self, heard: Heard, now: Now) -> None:
        """Take data: metrics by alias or name, with the types that their birth gave them."""
        birth = self._births.get(heard.device)
        if birth is None:
            self._desk.refuse("unborn", heard)
            self._desk.wish(self.name, now)
            return
        for metric in heard.payload.metrics:
            known = birth.find(metric)
            if known is None:
                self._desk.refuse("unknown_metric", heard)
                self._desk.wish(self.name, now)
            elif known.row >= 0:
                self._tell(metric, known, metric.time_ms or heard.payload.time_ms, heard, now)

    def _tell(self, metric: Metric, known: _Known, time_ms: int, heard: Heard, now: Now) -> None:
        if metric.is_historical:
            reading = reading_of(metric, known.datatype)
            self._desk.samples.keep(known.row, reading, metric.time_ms or heard.payload.time_ms, now.wall_ns)
            return
        if metric.datatype in (0, known.datatype):
            reading = reading_of(metric, known.datatype)
        else:  # §6.4.9: its type is that of the birth; another one means that we have missed a birth.
            reading = (NAN, BAD_MALFORMED)
            self._desk.count("type_changed")
            self._desk.wish(self.name, now)
        self._desk.samples.add(known.row, reading, time_ms, now.wall_ns)
