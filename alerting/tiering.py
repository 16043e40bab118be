"""Tiering: the tier of each hazard unit, by the declared policy over its active alarms.

Flow: alarm changed, clock reading -> [TierBook] -> Change -> desk -> unit event, register entry, tasks
Why: a tier rises at once and falls only after a stated time, so that a unit does not flicker; every change says which
    line of the policy made it, of which conditions, and what comes next.
Never: reads a clock. Time is the receive time of the tick; what falls due between two ticks happens at its moment.

A line *holds* while enough alarms have what it asks for, each for as long as it asks. It is *in force* while it holds
and for ``lower_after_s`` after. The tier of the unit is the highest tier of the lines in force. Before the declared
lines stand four of our own: "an active alarm of this tier or a higher one", for each tier.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, nsmallest
from typing import Any, TypeAlias

from alerting.model.alarm import Alarm, Suppression
from alerting.model.rule import S_TO_NS, Kind
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering, TierLine
from alerting.model.unit import HazardUnit
from edge.model import Nature

Where: TypeAlias = tuple[Nature, str]

#: A shelf silences the horn only; by design and out of service leave the unit (design §3).
COUNTED = (Suppression.NONE, Suppression.SHELVED)
TREND = Kind.TREND.name
TOLD_MAX = 5  # Conditions that one event names; it says how many there are.
AT_ONCE_NS = 1
QUEUE_SPARE = 64
OWN_TIERS = tuple(tier for tier in Tier if tier is not Tier.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a unit stands, as it is committed and restored.

    Attributes:
        tier: Tier of the unit.
        changed_ns: When it last changed; 0 for never.
        due_ns: When the clock will next change something if no alarm does; 0 for never.
        lines: By identity of a line in force: since when it has held, and when it ceased to (0 while it holds).
        since: By identity of a line that asks for a time, by alarm key: since when the alarm has had it.
        near: By identity of a line that asks for a time to limit: keys of the alarms that are within it.
        facts: Which line decides, of which conditions, and what it waits for.
    """

    nature: Nature
    unit: str
    tier: Tier
    changed_ns: int
    due_ns: int
    lines: Mapping[str, tuple[int, int]]
    since: Mapping[str, Mapping[str, int]]
    near: Mapping[str, Sequence[str]]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A unit's tier changed.

    Attributes:
        at_ns: The moment, receive time.
        facts: What one sentence needs: the line, its conditions, what ended, what comes next.
    """

    where: Where
    old: Tier
    new: Tier
    at_ns: int
    facts: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class _Line:
    """A line in one unit.

    Attributes:
        number: Place in the policy from 1; 0 for an alarm's own tier.
        ripe: (when the alarm has had it long enough, alarm key), ascending.
        ripe_at: The same by alarm key.
        near: Alarms within the time to limit.
        since_ns, ceased_ns: See ``Standing.lines``; both 0 while it is not in force.
    """

    number: int
    key: str
    says: TierLine
    hold_ns: int
    lower_ns: int
    ripe: list[tuple[int, str]] = field(default_factory=list)
    ripe_at: dict[str, int] = field(default_factory=dict)
    near: set[str] = field(default_factory=set)
    since_ns: int = 0
    ceased_ns: int = 0

    @property
    def is_in_force(self) -> bool:
        return self.since_ns != 0

    @property
    def holds(self) -> bool:
        return self.since_ns != 0 and self.ceased_ns == 0

    def matches(self, alarm: Alarm) -> bool:
        says = self.says
        return (
            alarm.tier >= says.tier_least
            and says.names(alarm.condition)
            and (not says.time_to_limit_s or alarm.key in self.near)
        )

    def put(self, key: str, since_ns: int) -> None:
        """Let an alarm count from a time on; one that counts already keeps its own."""
        if key not in self.ripe_at:
            # Where no time is asked for, "since when" must not stand in the way of what fell due while we were away.
            self.ripe_at[key] = since_ns + self.hold_ns if self.hold_ns else AT_ONCE_NS
            insort(self.ripe, (self.ripe_at[key], key))

    def drop(self, key: str) -> None:
        at_ns = self.ripe_at.pop(key, None)
        if at_ns is not None:
            del self.ripe[bisect_left(self.ripe, (at_ns, key))]

    @property
    def ripe_ns(self) -> int:
        """When the line begins to hold with the alarms that there are; 0 for never."""
        return self.ripe[self.says.count - 1][0] if len(self.ripe) >= self.says.count else 0

    def settle(self, now_ns: int) -> bool:
        """Let the line hold, cease or end as of now; tell whether something changed."""
        before = (self.since_ns, self.ceased_ns)
        if 0 < self.ripe_ns <= now_ns:
            if not self.holds:
                self.since_ns, self.ceased_ns = now_ns, 0
        elif self.holds:
            self.ceased_ns = now_ns
        if self.ceased_ns and now_ns >= self.ceased_ns + self.lower_ns:
            self.since_ns = self.ceased_ns = 0
        return (self.since_ns, self.ceased_ns) != before

    @property
    def due_ns(self) -> int:
        """When the clock changes the line if no alarm does; 0 for never."""
        if self.holds:
            return 0
        ripe_ns = self.ripe_ns
        if not self.ceased_ns:
            return ripe_ns
        end_ns = self.ceased_ns + self.lower_ns
        return min(ripe_ns, end_ns) if ripe_ns else end_ns


@dataclass(slots=True, kw_only=True)
class _Unit:
    """A unit of one nature.

    Attributes:
        alarms: Active ones that count.
        facts: What was told of its last change of tier, while nothing has changed since; else empty.
    """

    unit: HazardUnit
    lines: list[_Line]
    asks_for_time_to_limit: bool
    alarms: dict[str, Alarm] = field(default_factory=dict)
    tier: Tier = Tier.NONE
    changed_ns: int = 0
    due_ns: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def decisive(self) -> _Line | None:
        """The line that gives the tier: one that holds before one that is only still in force, an earlier one first."""
        found = None
        for line in self.lines:
            if line.since_ns and line.says.tier is self.tier:
                if not line.ceased_ns:
                    return line
                found = found or line
        return found


class TierBook:
    """The tiers of all units."""

    def __init__(
        self, policy: Tiering, units: Iterable[HazardUnit], eu_of: Callable[[str], str] = lambda _: ""
    ) -> None:
        self.policy = policy
        self._eu_of = eu_of
        self._known = {unit.id: unit for unit in units}
        self._units: dict[Where, _Unit] = {}
        self._due: dict[Where, int] = {}
        self._queue: list[tuple[int, str, str, Where]] = []  # of ``_due``, the next one first; and what it was before
        self._near: dict[Where, set[str]] = {}  # active TRENDs of units that ask for a time to limit
        self._dirty: dict[Where, None] = {}

    # ------------------------------------------------------------------ asked

    def tier(self, where: Where) -> Tier:
        """Give a unit's tier."""
        unit = self._units.get(where)
        return Tier.NONE if unit is None else unit.tier

    def tiers(self) -> dict[Where, Tier]:
        """Give the tiers of all units that ever had an active alarm."""
        return {where: unit.tier for where, unit in self._units.items()}

    @property
    def next_due_ns(self) -> int | None:
        """When the clock will next change something if no alarm does; None for never."""
        due = self._next_due()
        return None if due is None else due[0]

    def approaching(self) -> Iterator[tuple[Where, Alarm]]:
        """Give the active TRENDs whose time to limit a line asks for."""
        for where, keys in self._near.items():
            for key in sorted(keys):
                yield where, self._units[where].alarms[key]

    def take_changed(self) -> list[Standing]:
        """Give how the units stand in which something changed since last asked."""
        changed = [self._standing(where) for where in sorted(self._dirty)]
        self._dirty.clear()
        return changed

    def standings(self) -> list[Standing]:
        """Give how all units stand."""
        return [self._standing(where) for where in sorted(self._units)]

    # ---------------------------------------------------------------- changes

    def note(self, alarm: Alarm, now_ns: int) -> Change | None:
        """Let an alarm that changed count, or no longer."""
        where = (alarm.nature, alarm.unit)
        unit = self._unit(where)
        if not self._place(where, unit, alarm, now_ns):
            return None
        return self._settle(where, unit, now_ns)

    def approach(self, where: Where, key: str, time_to_limit_s: float, now_ns: int) -> Change | None:
        """Take the present time to limit of an active TREND, s; infinite where it does not run there."""
        unit = self._units[where]
        alarm, is_moved = unit.alarms[key], False
        for line in unit.lines:
            if line.says.time_to_limit_s and (key in line.near) != (time_to_limit_s <= line.says.time_to_limit_s):
                line.near ^= {key}
                (line.put(key, now_ns) if line.matches(alarm) else line.drop(key))
                is_moved = True
        return self._settle(where, unit, now_ns) if is_moved else None

    def pass_time(self, until_ns: int) -> Iterator[Change]:
        """Let everything happen that falls due up to a time, each at its own moment, in order."""
        while (due := self._next_due()) is not None and due[0] <= until_ns:
            due_ns, where = due[0], due[3]
            change = self._settle(where, self._units[where], due_ns)
            if change is not None:
                yield change

    # ---------------------------------------------------------------- restart

    def adopt(self, alarms: Iterable[Alarm], standings: Iterable[Standing], now_ns: int) -> None:
        """Take over what was committed. A unit without a standing has the tier of its alarms, and has it since now."""
        kept = {(one.nature, one.unit): one for one in standings}
        for where, one in kept.items():
            unit = self._unit(where)
            unit.tier, unit.changed_ns = one.tier, one.changed_ns
            for line in unit.lines:
                line.since_ns, line.ceased_ns = one.lines.get(line.key, (0, 0))
                line.near = set(one.near.get(line.key, ()))
        for alarm in alarms:
            where = (alarm.nature, alarm.unit)
            self._place(where, self._unit(where), alarm, now_ns, kept.get(where))
        for where, unit in self._units.items():
            if where not in kept:
                self._settle(where, unit, now_ns)
            self._dirty.pop(where, None)
            self._plan(where, unit)

    def follow(self, policy: Tiering, units: Iterable[HazardUnit], alarms: Iterable[Alarm], now_ns: int) -> "TierBook":
        """Give a book of another policy and other units that goes on where this one stands."""
        book = TierBook(policy, units, self._eu_of)
        book.adopt(alarms, self.standings(), now_ns)
        book._dirty = dict(self._dirty)
        return book

    def settle_all(self, now_ns: int) -> Iterator[Change]:
        """Judge all units anew: what was adopted may meet another policy than the one that left it."""
        for where, unit in self._units.items():
            change = self._settle(where, unit, now_ns)
            if change is not None:
                yield change

    # ----------------------------------------------------------------- inside

    def _unit(self, where: Where) -> _Unit:
        unit = self._units.get(where)
        if unit is None:
            known = self._known.get(where[1]) or HazardUnit(id=where[1])
            declared, own_s = self.policy.of_unit(known)
            own = [TierLine(tier=tier, tier_least=tier, lower_after_s=own_s) for tier in OWN_TIERS]
            lines = [_line(0, f"own:{line.tier.name}", line) for line in own]
            lines += [_line(number, line.key, line) for number, line in declared]
            asks = any(line.says.time_to_limit_s for line in lines)
            unit = self._units[where] = _Unit(unit=known, lines=lines, asks_for_time_to_limit=asks)
        return unit

    def _place(self, where: Where, unit: _Unit, alarm: Alarm, now_ns: int, kept: Standing | None = None) -> bool:
        """Put an alarm where it counts; tell whether that could change anything."""
        was = unit.alarms.pop(alarm.key, None)
        counts = alarm.is_active and alarm.suppression in COUNTED
        if counts:
            unit.alarms[alarm.key] = alarm
        elif was is None:
            return False
        is_trend = counts and alarm.condition == TREND
        if unit.asks_for_time_to_limit:
            near = self._near.setdefault(where, set())
            (near.add if is_trend else near.discard)(alarm.key)
            if not near:
                del self._near[where]
        for line in unit.lines:
            if line.near and not is_trend:
                line.near.discard(alarm.key)
            if counts and line.matches(alarm):
                since = {} if kept is None else kept.since.get(line.key, {})
                line.put(alarm.key, since.get(alarm.key, now_ns))
            else:
                line.drop(alarm.key)
        self._dirty[where] = None
        return True

    def _settle(self, where: Where, unit: _Unit, now_ns: int) -> Change | None:
        """Judge all lines of a unit as of now."""
        unit.facts = {}
        before = unit.decisive
        ended = (before, before.ceased_ns) if before else None
        old, tier = unit.tier, Tier.NONE
        for line in unit.lines:
            if line.settle(now_ns):
                self._dirty[where] = None
            if line.since_ns and line.says.tier > tier:
                tier = line.says.tier
        unit.tier = tier
        self._plan(where, unit)
        if unit.tier is old:
            return None
        unit.changed_ns = now_ns
        self._dirty[where] = None
        unit.facts = self._facts(unit, now_ns)
        facts = {"from": old.name, **unit.facts}
        if unit.tier < old and ended is not None and ended[0] is not None:
            line, ceased_ns = ended
            facts["ended"] = {"line": line.number, **line.says.facts, "ceased_ns": ceased_ns or now_ns}
        return Change(where=where, old=old, new=unit.tier, at_ns=now_ns, facts=facts)

    def _plan(self, where: Where, unit: _Unit) -> None:
        least = 0
        for line in unit.lines:
            due_ns = line.due_ns
            if due_ns and not 0 < least <= due_ns:
                least = due_ns
        unit.due_ns = least
        if not unit.due_ns:
            self._due.pop(where, None)
        elif self._due.get(where) != unit.due_ns:
            self._due[where] = unit.due_ns
            heappush(self._queue, (unit.due_ns, where[0].value, where[1], where))

    def _next_due(self) -> tuple[int, str, str, Where] | None:
        """Give what falls due next, by unit where two do at once; None for nothing."""
        if len(self._queue) > QUEUE_SPARE + 2 * len(self._due):  # More of it is past than to come.
            self._queue = [(due, where[0].value, where[1], where) for where, due in self._due.items()]
            heapify(self._queue)
        while self._queue:
            due = self._queue[0]
            if self._due.get(due[3]) == due[0]:
                return due
            heappop(self._queue)
        return None

    def _facts(self, unit: _Unit, now_ns: int) -> dict[str, Any]:
        """Say which line decides, of which conditions, and what it waits for."""
        facts: dict[str, Any] = {
            "unit_kind": unit.unit.kind,
            "grade": unit.unit.grade,
            "at_ns": now_ns,
            "line": None,
        }
        line = unit.decisive
        if line is not None:
            facts |= {
                "line": line.number,
                "policy": line.says.facts,
                "since_ns": line.since_ns,
                "ceased_ns": line.ceased_ns,
                "count": len(line.ripe),
                "conditions": [self._condition(line, alarm) for alarm in _gravest(unit, line)],
            }
        facts["waits"] = _waits(unit)
        return facts

    def _condition(self, line: _Line, alarm: Alarm) -> dict[str, Any]:
        found: dict[str, Any] = {
            "alarm": alarm.id,
            "tag": alarm.tag,
            "kind": alarm.condition,
            "tier": alarm.tier.name,
            "value": alarm.value,
            "setpoint": alarm.setpoint,
            "eu": self._eu_of(alarm.tag),
        }
        if line.hold_ns:
            found["since_ns"] = line.ripe_at[alarm.key] - line.hold_ns
        return found

    def _standing(self, where: Where) -> Standing:
        unit = self._units[where]
        return Standing(
            nature=where[0],
            unit=where[1],
            tier=unit.tier,
            changed_ns=unit.changed_ns,
            due_ns=unit.due_ns,
            lines={line.key: (line.since_ns, line.ceased_ns) for line in unit.lines if line.is_in_force},
            since={
                line.key: {key: at_ns - line.hold_ns for key, at_ns in line.ripe_at.items()}
                for line in unit.lines
                if line.hold_ns and line.ripe_at
            },
            near={line.key: sorted(line.near) for line in unit.lines if line.near},
            facts=unit.facts or self._facts(unit, unit.changed_ns),
        )


def _line(number: int, key: str, says: TierLine) -> _Line:
    return _Line(
        number=number,
        key=key,
        says=says,
        hold_ns=round(says.for_s * S_TO_NS),
        lower_ns=round(says.lower_after_s * S_TO_NS),
    )


def _gravest(unit: _Unit, line: _Line) -> list[Alarm]:
    """Give the alarms that a line counts, the highest tiers and the oldest first; not more than are told."""
    mine = [unit.alarms[key] for key in line.ripe_at]
    if len(mine) <= 1:
        return mine
    return nsmallest(TOLD_MAX, mine, key=lambda alarm: (-alarm.tier, alarm.onset_ns, alarm.key))


def _waits(unit: _Unit) -> dict[str, Any] | None:
    """Say what the clock will do to the tier next if no alarm changes: to which tier, when, by which line."""
    moments = {due for line in unit.lines for due in _dues(line)}
    for at_ns in sorted(moments):
        tier, number = Tier.NONE, None
        for line in unit.lines:
            is_there = line.holds or (not line.holds and 0 < line.ripe_ns <= at_ns)
            is_left = line.ceased_ns != 0 and at_ns < line.ceased_ns + line.lower_ns
            if (is_there or is_left) and line.says.tier > tier:
                tier, number = line.says.tier, line.number
        if tier is not unit.tier:
            return {"tier": tier.name, "at_ns": at_ns, "line": number}
    return None


def _dues(line: _Line) -> tuple[int, ...]:
    if line.holds:
        return ()
    ripe_ns = line.ripe_ns
    ends = (line.ceased_ns + line.lower_ns,) if line.ceased_ns else ()
    return (ripe_ns, *ends) if ripe_ns else ends
