"""Live picture: what is true now, and the cheapest way to tell many pages of it.

Flow: commit -> publish -> [picture] -> WebSocket clients, latest values
Why: the picture keeps values, a short ring keeps only *what* changed at each revision. A client that lags is told the
    latest of everything that changed since its last message; one that lags by more than the ring gets a new snapshot.
    So nothing is queued per client, and clients in step share one encoding.
Never: waits for a client, keeps a message per client, tells of what is not committed.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from alerting.core.swap import Exchange
from alerting.judge import ceiling
from alerting.model import ticket_cover
from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.flood import FloodState
from alerting.model.rule import Rule
from alerting.model.stop import PREFIX
from alerting.model.tier import Tier
from edge.few import places_of
from edge.model.nature import Nature
from edge.model.quality import Quality, Reason, encode
from edge.model.scan import QualityColumn, Rows, TimesNs, Values
from gateway.config import Site
from gateway.system import main_nature

#: Deltas that a client may miss and still resume without a snapshot; 12 s at the fastest turns (50 ms).
RING = 256

#: Shortest time between two messages to one client, s: four a second is as fast as a person reads.
BEAT_S = 0.25

#: Clients at once; each costs a task and a socket buffer.
CLIENTS_MAX = 256

#: Alarms in one message. A flood beyond that is read page by page over ``/alarms``; the counts are always whole.
ALARMS_MAX = 5_000

#: Encoded messages kept for clients in step.
CACHED = 8

NO_SAMPLE = encode(Quality.BAD, Reason.COMMS)

Columns: TypeAlias = tuple[Rows, Values, QualityColumn, TimesNs]


class TooManyClients(Exception):  # noqa: N818 - the sentence that a reader of the log needs
    """Raised when one more client would be over ``CLIENTS_MAX``."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What one revision touched; the values themselves stand in the picture."""

    revision: int
    rows: Rows
    keys: tuple[str, ...]
    gone: tuple[str, ...]
    units: tuple[str, ...]
    is_status: bool


def iso(time_ns: int) -> str | None:
    """Write a time as ISO 8601 in UTC to the ms, e.g. ``2026-01-01T00:00:00.000Z``; None for 0 (never)."""
    if not time_ns:
        return None
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns // 1_000_000 % 1000:03d}Z"


def is_listed(alarm: Alarm) -> bool:
    """Tell whether an alarm stands in the live list: not NORMAL, or kept quiet."""
    return alarm.state is not State.NORMAL or alarm.suppression is not Suppression.NONE


def describe_alarm(alarm: Alarm, site: Site) -> dict[str, Any]:
    """Give an alarm as the API and the page know it.

    ``id`` is the alarm's key while it never rang (a shelf may come before the first trip).
    """
    row = site.tags.row_of.get(alarm.tag)
    rule = site.rules.index_of.get(alarm.rule)
    highest, philosophy = ceiling(site.rules, alarm), site.philosophy
    return {
        "id": alarm.id or alarm.key,
        "key": alarm.key,
        "nature": alarm.nature,
        "tag": alarm.tag,
        "unit": alarm.unit,
        "group": alarm.group,
        "condition": alarm.condition,
        "rule": alarm.rule,
        "tier": alarm.tier.name,
        "tier_max": alarm.tier_max.name,
        "state": alarm.state,
        "is_active": alarm.is_active,
        "onset": iso(alarm.onset_ns),
        "raised": iso(alarm.raised_ns or alarm.onset_ns),
        "changed": iso(alarm.changed_ns),
        "value": alarm.value,
        "setpoint": alarm.setpoint,
        "eu": "" if row is None else site.tags[row].eu,
        "acked_by": alarm.acked_by,
        "acked": iso(alarm.acked_ns),
        "comment": alarm.comment,
        "silenced_by": alarm.silenced_by,
        "silenced": iso(alarm.silenced_ns),
        "suppression": alarm.suppression,
        "suppressed_until": iso(alarm.suppressed_until_ns),
        "suppressed_by": alarm.suppressed_by,
        "suppression_reason": alarm.suppression_reason,
        "suppressed": iso(alarm.suppressed_ns),
        "permit": alarm.permit,
        "design": _design(alarm, site),
        "is_one_shot": alarm.is_one_shot,
        "shelf_minutes_max": philosophy.shelving.most(highest),
        "service_hours_max": philosophy.absence.most_h(highest),
        "needs_permit": philosophy.absence.needs_permit(highest),
        "response": {} if rule is None else site.rules[rule].response,
        "rationale": None if rule is None else _rationale(site.rules[rule]),
        "ordinal": alarm.ordinal,
    }


def _rationale(rule: Rule) -> dict[str, Any] | None:
    """Say why an alarm is there, for whoever must act; None where nobody stated it."""
    why = rule.rationale
    if why is None:
        return None
    said = {"cause": why.text("cause"), "consequence": why.text("consequence")}
    return said | {"respond_min": why.respond_min or None}


def _design(alarm: Alarm, site: Site) -> dict[str, Any] | None:
    """Give the declared suppression or stop that keeps an alarm quiet, with its reason by language; None for none."""
    if not alarm.design:
        return None
    if alarm.design.startswith(PREFIX):
        said = alarm.suppression_reason
        return {"id": alarm.design, "reason": {"en": said, "zh": said}, "stop": alarm.design.removeprefix(PREFIX)}
    if alarm.design.startswith(ticket_cover.PREFIX):
        code = alarm.design.removeprefix(ticket_cover.PREFIX)
        title = alarm.suppression_reason.removeprefix(ticket_cover.words_of(code, "")["en"])
        return {"id": alarm.design, "reason": dict(ticket_cover.words_of(code, title)), "stop": None, "ticket": code}
    known = next((each for each in site.philosophy.suppressions if each.id == alarm.design), None)
    return {"id": alarm.design, "reason": {} if known is None else dict(known.reason), "stop": None}


#: Units of a flood in the top line; the rest is read from ``/floods``.
FLOOD_UNITS = 5


def describe_flood(state: FloodState) -> dict[str, Any]:
    """Give a flood as the API and the page know it."""

    def told(ring: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **{key: ring[key] for key in ("alarm", "unit", "tag", "condition", "tier")},
            "time": iso(ring["time_ns"]),
        }

    return {
        "id": state.id,
        "nature": state.nature.value,
        "began": iso(state.began_ns),
        "ended": iso(state.ended_ns),
        "count": state.count,
        "peak": state.peak,
        "first": told(state.told["first"]),
        "by_tier": state.told["by_tier"],
        "units": [{**unit, "first": told(unit["first"])} for unit in state.told["units"]],
    }


class Picture:
    """The latest committed value of everything, with a revision that rises at each change.

    All methods belong to one event loop.

    Args:
        site: Tags, units and titles.
        start_ns: Receive time of the start. The first revision is made from it, so that a revision that a page
            kept over a restart of the gateway is never taken for one of ours.

    Attributes:
        values: float64 (tags,), NaN where no sample came yet.
        quality: uint8 (tags,), BAD(comms) where no sample came yet.
        times_ns: int64 (tags,), 0 where no sample came yet.
        alarms: Live alarms by alarm key.
        tiers: Worst tier by hazard unit.
        layout: Another one when tags, limits or units are others than before, so that a page reads them anew.
        revision: Rises by one with each publication that changed something.
        dropped: How often a client was so far behind that it got a snapshot in place of its deltas.
    """

    def __init__(self, site: Site, start_ns: int) -> None:
        tags = len(site.tags)
        self.site = site
        self.values: NDArray[np.float64] = np.full(tags, np.nan)
        self.quality: NDArray[np.uint8] = np.full(tags, NO_SAMPLE, dtype=np.uint8)
        self.times_ns: NDArray[np.int64] = np.zeros(tags, dtype=np.int64)
        self._is_new: NDArray[np.bool_] = np.zeros(tags, dtype=np.bool_)  # taken in and not published yet
        self.alarms: dict[str, Alarm] = {}
        self.tiers: dict[str, Tier] = {unit.id: Tier.NONE for unit in site.units}
        self.revision = self.layout = start_ns // 1_000_000
        self.turn = 0
        self.as_of_ns = start_ns
        self.dropped = 0
        self.clients = 0
        self._oldest = self.revision  # the smallest revision that the ring can resume from
        self._ring: deque[_Change] = deque()
        self._fragments: dict[str, orjson.Fragment] = {}
        self._unit_alarms: Counter[str] = Counter()
        self._links = {"up": 0, "total": len(site.sources)}
        self._push_waiting = 0
        self._checkouts = 0
        self._drill: dict[str, Any] | None = None
        self._requests = 0
        self._flood: dict[str, Any] | None = None
        self._status_changed = False
        self._nature = main_nature(site)
        self._cache: OrderedDict[tuple[int | None, int], bytes] = OrderedDict()
        self._beat: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last_beat_s = float("-inf")

    # ----------------------------------------------------------------------------------------------- filled by the road

    def publish(
        self,
        turn_number: int,
        now_ns: int,
        *,
        values: Columns | None = None,
        alarms: Iterable[Alarm] = (),
        units: Mapping[str, Tier] | None = None,
    ) -> None:
        """Take in what a turn committed.

        Args:
            turn_number: Number of the turn, for the log.
            now_ns: Receive time of the turn.
            values: Rows int32, values float64, quality uint8, source times int64, all (n,). A row may appear more
                than once; the last one holds. Values never go back in time: an older sample of a row is left out.
            alarms: Alarms that changed, in their new state.
            units: Units whose tier changed.
        """
        self.turn = turn_number
        self.as_of_ns = now_ns
        if values is not None:
            self.take_values(values)
        rows = places_of(self._is_new).astype(np.int32)  # Each once, in order.
        self._is_new[rows] = False
        keys, gone, touched = self._take_alarms(alarms)
        for unit, tier in (units or {}).items():
            if self.tiers.get(unit) != tier:
                self.tiers[unit] = tier
                touched.add(unit)
        is_status = self._status_changed or bool(keys) or bool(gone)
        if not (len(rows) or keys or gone or touched or is_status):
            return
        self._status_changed = False
        self.revision += 1
        self._ring.append(
            _Change(self.revision, rows, tuple(keys), tuple(gone), tuple(sorted(touched)), is_status),
        )
        if len(self._ring) > RING:
            self._oldest = self._ring.popleft().revision
        self._stir()

    def pass_time(self, turn_number: int, now_ns: int) -> None:
        """Take in a turn in which nothing changed; what was said of the status meanwhile is told."""
        self.turn = turn_number
        self.as_of_ns = now_ns
        if self._status_changed:
            self.publish(turn_number, now_ns)

    def show_exercise(self, alarms: Iterable[Alarm]) -> None:
        """Take in alarms of a drill; they stand below those of the plant and are in none of its counts."""
        self.publish(self.turn, self.as_of_ns, alarms=alarms)

    def is_exercise(self, alarm: Alarm) -> bool:
        """Tell whether an alarm is of a drill, and none of the site's own."""
        return alarm.nature is Nature.EXERCISE and self._nature is not Nature.EXERCISE

    def set_drill(self, drill: dict[str, Any] | None) -> None:
        """Say how the drill stands, as JSON values; every page shows it at once."""
        self._drill, self._status_changed = drill, True
        self.publish(self.turn, self.as_of_ns)

    def adopt(self, site: Site) -> None:
        """Go by other rules from now on; tags, units and sources are the same."""
        self.site = site
        self.layout += 1
        self._status_changed = True
        self._fragments.clear()

    def follow(self, site: Site, exchange: Exchange) -> None:
        """Go by another site from now on; what tags said last stays. Every page gets a new snapshot."""
        self.adopt(site)
        values, quality, times_ns = self.values, self.quality, self.times_ns
        tags, here, there = len(site.tags), exchange.row_here, exchange.row_there
        self.values = np.full(tags, np.nan)
        self.quality = np.full(tags, NO_SAMPLE, dtype=np.uint8)
        self.times_ns = np.zeros(tags, dtype=np.int64)
        self._is_new = np.zeros(tags, dtype=np.bool_)
        self.values[here], self.quality[here], self.times_ns[here] = values[there], quality[there], times_ns[there]
        self.tiers = {unit.id: self.tiers.get(unit.id, Tier.NONE) for unit in site.units}
        self._cache.clear()
        self._ring.clear()
        self.revision += 1
        self._oldest = self.revision
        self._stir()

    def set_status(
        self,
        *,
        links_up: int | None = None,
        links_total: int | None = None,
        push_waiting: int | None = None,
        checkouts: int | None = None,
        requests: int | None = None,
    ) -> None:
        """Say how links, push, check-outs and requests for a second person stand; told with the next publication."""
        before = (*self._links.values(), self._push_waiting, self._checkouts, self._requests)
        if links_up is not None:
            self._links["up"] = links_up
        if links_total is not None:
            self._links["total"] = links_total
        if push_waiting is not None:
            self._push_waiting = push_waiting
        if checkouts is not None:
            self._checkouts = checkouts
        if requests is not None:
            self._requests = requests
        self._status_changed |= before != (
            *self._links.values(),
            self._push_waiting,
            self._checkouts,
            self._requests,
        )

    def set_flood(self, state: FloodState | None) -> None:
        """Say that a flood goes on, or that none does; told with the next publication."""
        shown = None
        if state is not None:
            shown = {**describe_flood(state), "units": describe_flood(state)["units"][:FLOOD_UNITS]}
        self._status_changed |= shown != self._flood
        self._flood = shown

    def take_values(self, columns: Columns) -> None:
        """Take in a part of what a turn committed, as ``values`` of ``publish``, which then tells of all of it."""
        rows, values, quality, times_ns = columns
        is_newer = times_ns >= self.times_ns[rows]
        rows = rows[is_newer]
        # With equal rows NumPy keeps the last assignment, which is the newest sample of the turn.
        self.values[rows] = values[is_newer]
        self.quality[rows] = quality[is_newer]
        self.times_ns[rows] = times_ns[is_newer]
        self._is_new[rows] = True

    def _take_alarms(self, alarms: Iterable[Alarm]) -> tuple[list[str], list[str], set[str]]:
        keys: dict[str, None] = {}
        gone: list[str] = []
        touched: set[str] = set()
        for alarm in alarms:
            before = self.alarms.pop(alarm.key, None)
            self._fragments.pop(alarm.key, None)
            if not self.is_exercise(alarm):
                self._unit_alarms[alarm.unit] += int(alarm.is_active) - int(before is not None and before.is_active)
                touched.add(alarm.unit)
            if before is not None and (before.id or before.key) != (alarm.id or alarm.key):
                gone.append(before.id or before.key)  # a new episode replaces the listed one
            if is_listed(alarm):
                self.alarms[alarm.key] = alarm
                keys[alarm.key] = None
            elif before is not None:
                gone.append(alarm.id or alarm.key)
                keys.pop(alarm.key, None)
        return list(keys), gone, touched

    # -------------------------------------------------------------------------------------------------- read by the API

    def status(self) -> dict[str, Any]:
        """Give the top line of the page.

        ``counts`` are active alarms by tier without those by design or out of service; ``unacked`` are alarms that
        still want an answer and are not suppressed. Alarms of a drill are in no number.
        """
        counts: Counter[str] = Counter()
        unacked = 0
        kept: Counter[Suppression] = Counter()
        for alarm in self.alarms.values():
            if self.is_exercise(alarm):
                continue
            is_quiet = alarm.suppression in (Suppression.BY_DESIGN, Suppression.OUT_OF_SERVICE)
            counts[alarm.tier.name] += alarm.is_active and not is_quiet
            unacked += alarm.state in (State.UNACK, State.RTN_UNACK) and alarm.suppression is Suppression.NONE
            kept[alarm.suppression] += 1
        return {
            "site": {"id": self.site.id, "title": self.site.title},
            "nature": self._nature,
            "now": iso(self.as_of_ns),
            "timezone": self.site.timezone,
            "counts": {tier.name: counts[tier.name] for tier in (Tier.RED, Tier.ORANGE, Tier.YELLOW, Tier.BLUE)},
            "unacked": unacked,
            "shelved": kept[Suppression.SHELVED],
            "by_design": kept[Suppression.BY_DESIGN],
            "out_of_service": kept[Suppression.OUT_OF_SERVICE],
            "requests": self._requests,
            "flood": self._flood,
            "links": dict(self._links),
            "push": {"waiting": self._push_waiting},
            "checkouts": self._checkouts,
            "drill": self._drill,
            "is_demonstration": self.site.is_demonstration,
            "layout": self.layout,
        }

    def unit_rows(self, units: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Give units with their worst tier and number of active alarms."""
        return [
            {"id": unit, "tier": self.tiers.get(unit, Tier.NONE).name, "alarms": self._unit_alarms[unit]}
            for unit in (self.tiers if units is None else units)
        ]

    async def subscribe(self, since: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield messages as JSON bytes: a snapshot, or the deltas after ``since`` where the ring still holds them.

        At most one message every ``BEAT_S``; the consumer's own speed decides how much each one merges.

        Raises:
            TooManyClients: when ``CLIENTS_MAX`` clients listen already.
        """
        if self.clients >= CLIENTS_MAX:
            raise TooManyClients(f"{self.clients} clients listen already; {CLIENTS_MAX} is the bound")
        self.clients += 1
        try:
            at: int | None = since if since is not None and self._can_resume(since) else None
            if at is None or at < self.revision:
                message, at = self.message(at), self.revision
                yield message
            while True:
                await self._next_beat(at)
                if at < self.revision:
                    message, at = self.message(at), self.revision
                    yield message
        finally:
            self.clients -= 1

    def message(self, since: int | None) -> bytes:
        """Encode what a client that stands at a revision must be told now; None for a client that knows nothing."""
        if since is not None and not self._can_resume(since):
            self.dropped += 1
            since = None
        cached = self._cache.get((since, self.revision))
        if cached is None:
            cached = self._encode_snapshot() if since is None else self._encode_delta(since)
            self._cache[since, self.revision] = cached
            if len(self._cache) > CACHED:
                self._cache.popitem(last=False)
        return cached

    # ------------------------------------------------------------------------------------------------------- encoding

    def _can_resume(self, since: int) -> bool:
        return self._oldest <= since <= self.revision

    def _encode_snapshot(self) -> bytes:
        seen = np.flatnonzero(self.times_ns).astype(np.int32)
        most_urgent = sorted(
            self.alarms.values(),
            key=lambda alarm: (
                self.is_exercise(alarm),
                alarm.state is not State.UNACK,
                -alarm.tier,
                -alarm.onset_ns,
                alarm.key,
            ),
        )[:ALARMS_MAX]
        return self._dump(
            {
                "kind": "snapshot",
                "rev": self.revision,
                "as_of": iso(self.as_of_ns),
                "status": self.status(),
                "alarms": [self.encoded(alarm.key) for alarm in most_urgent],
                "alarms_total": len(self.alarms),
                "units": self.unit_rows(),
                "values": self._columns(seen),
            }
        )

    def _encode_delta(self, since: int) -> bytes:
        changes = [change for change in self._ring if change.revision > since]
        keys = dict.fromkeys(key for change in changes for key in change.keys)  # in order of change, once each
        if len(keys) > ALARMS_MAX:
            return self._encode_snapshot()
        listed = {self.alarms[key].id or key for key in keys if key in self.alarms}
        gone = [id_ for id_ in dict.fromkeys(id_ for c in changes for id_ in c.gone) if id_ not in listed]
        units = dict.fromkeys(unit for change in changes for unit in change.units)
        rows = [change.rows for change in changes if len(change.rows)]
        delta: dict[str, Any] = {"kind": "delta", "rev": self.revision, "as_of": iso(self.as_of_ns)}
        if any(change.is_status for change in changes):
            delta["status"] = self.status()
        if listed:
            delta["alarms"] = [self.encoded(key) for key in keys if key in self.alarms]
        if gone:
            delta["gone"] = gone
        if units:
            delta["units"] = self.unit_rows(units)
        if rows:
            merged = rows[0] if len(rows) == 1 else np.unique(np.concatenate(rows))
            delta["values"] = self._columns(merged)
        return self._dump(delta)

    def _columns(self, rows: Rows) -> dict[str, Any]:
        # orjson writes NaN and Inf as null, which is what the page shows as "no value".
        return {
            "rows": rows,
            "v": self.values[rows],
            "q": self.quality[rows],
            "t_ms": self.times_ns[rows] // 1_000_000,
        }

    def encoded(self, key: str) -> orjson.Fragment:
        """Give a listed alarm as JSON, encoded once for all messages and lists until it changes."""
        fragment = self._fragments.get(key)
        if fragment is None:
            fragment = self._fragments[key] = orjson.Fragment(
                orjson.dumps(describe_alarm(self.alarms[key], self.site)),
            )
        return fragment

    def _dump(self, message: Mapping[str, Any]) -> bytes:
        return orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY)

    # ----------------------------------------------------------------------------------------------------- keeping step

    async def _next_beat(self, at: int) -> None:
        if self._beat is None or self._beat.done():
            self._beat = asyncio.get_running_loop().create_future()
        if at < self.revision:
            self._stir()
        await asyncio.shield(self._beat)  # one future for all; a client that leaves must not cancel it

    def _stir(self) -> None:
        """See that those who wait are woken, together and not before the last beat is old enough."""
        beat = self._beat
        if beat is None or beat.done() or self._timer is not None:
            return
        loop = beat.get_loop()
        wait_s = max(0.0, self._last_beat_s + BEAT_S - loop.time())
        self._timer = loop.call_later(wait_s, self._strike)

    def _strike(self) -> None:
        self._timer = None
        if self._beat is not None and not self._beat.done():
            self._last_beat_s = self._beat.get_loop().time()
            self._beat.set_result(None)
