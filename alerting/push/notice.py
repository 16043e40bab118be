"""Notice: what one destination is told about one event.

Flow: event -> [compose] -> outbox row, in the tick's transaction -> push
Why: each alarm is one chain of notices per destination: alert, updates, cancel. The body is made once, here; the
    same bytes are sent at every attempt, so the idempotency key always means the same text.
Never: does I/O, sends what a destination did not ask for, leaves an alerted chain without its end.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from alerting.model.alarm import Alarm, Suppression, digest
from alerting.model.event import Event, What
from alerting.model.rule import SILENT_GROUPS
from alerting.model.stop import Stop
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from alerting.obeying import STILL_STANDS
from alerting.push.stop_words import Action, stop_action, stop_body
from alerting.push.words import TIER_ZH, clause, ended
from edge.model import Nature, TagTable

#: How many notices each open chain has had, by (chain, destination).
Chains: TypeAlias = Mapping[tuple[str, str], int]

CHANGED = frozenset({What.RAISED, What.ESCALATED, What.LOWERED, What.CHANGED, What.REALARMED})
#: The gateway's own tags about a destination: how long it has not confirmed what waits, and what it never took.
OWN_TAGS = ("fengsui.unconfirmed", "fengsui.quarantined")
#: These leave alarm pushes out (design §3); a shelf does not.
QUIET = frozenset({Suppression.BY_DESIGN, Suppression.OUT_OF_SERVICE})


class Receiver(Protocol):
    """A destination as notices are composed for it."""

    @property
    def id(self) -> str:
        """Id in the site."""
        ...

    @property
    def tier_least(self) -> Tier:
        """A chain begins at this tier."""
        ...

    @property
    def natures(self) -> Sequence[Nature]:
        """Natures that it accepts."""
        ...


class SiteWords(Protocol):
    """A site as its notices speak of it."""

    @property
    def id(self) -> str:
        """Id of the site."""
        ...

    @property
    def title(self) -> Mapping[str, str]:
        """Its name by language."""
        ...

    @property
    def timezone(self) -> str:
        """IANA name of its time zone."""
        ...

    @property
    def tags(self) -> TagTable:
        """Its tags."""
        ...

    @property
    def units(self) -> Sequence[HazardUnit]:
        """Its hazard units."""
        ...

    @property
    def destinations(self) -> Sequence[Receiver]:
        """Who is told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The journal's last committed head, told with every notice so that a lost tail is seen from outside."""

    count: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice; the fields are columns of the table ``outbox``.

    Attributes:
        key: Idempotency key, hash of (event id, destination).
        chain: Alarm id; of late events and stop records a hash of its own, so that they never end a live chain.
        body: The plain notice, canonical JSON.
        wire: The exact text to send, in the form of the destination's profile; empty where it is ``body``.
        reference: How later notices of the chain name this one, in forms that do.
        state: ``waiting``, or ``quarantined`` behind one of its chain that is.
        kind: ``notice`` of an alarm, or ``data`` that may expire.
        expires_ns: When it is worthless; 0 for never, as with every warning.
    """

    key: str
    destination: str
    chain: str
    event: str
    nature: Nature
    action: Action
    tier: Tier
    is_late: bool
    created_ns: int
    body: str
    wire: str = ""
    reference: str = ""
    state: str = "waiting"
    kind: str = "notice"
    expires_ns: int = 0

    def row(self) -> dict[str, Any]:
        """Give the outbox row of a notice that was never sent."""
        return {
            **asdict(self),
            "nature": self.nature.value,
            "tier": int(self.tier),
            "attempts": 0,
            "next_ns": self.created_ns,
            "last_error": "",
            "delivered_ns": 0,
            "receipt": "",
            "handed_ns": 0,
            "refused_ns": 0,
        }


def _no_response(_: str) -> Mapping[str, str]:
    return {}


class Composer:
    """Composes the notices of one site.

    Args:
        response_of: Gives what a person must do when a rule trips, by language; nothing where none is known.
    """

    def __init__(self, site: SiteWords, response_of: Callable[[str], Mapping[str, str]] = _no_response) -> None:
        self._site = site
        self._response_of = response_of
        self._zone = ZoneInfo(site.timezone)
        self._units = {unit.id: unit for unit in site.units}

    def compose_all(
        self, events: Iterable[Event], alarms: Mapping[str, Alarm], chains: Chains, head: Head | None = None
    ) -> list[Notice]:
        """Compose the notices of one tick's events, in order.

        Args:
            events: Events as committed.
            alarms: Alarms by key as they stand after the tick; late events need none.
            chains: How many notices each open chain had before the tick; see ``follow``.
            head: Head of the journal before the tick.
        """
        seen = dict(chains)
        notices: list[Notice] = []
        for event in events:
            made = self.compose(event, alarms.get(event.alarm_key), seen, head)
            follow(seen, made)
            notices += made
        return notices

    def compose(self, event: Event, alarm: Alarm | None, chains: Chains, head: Head | None = None) -> list[Notice]:
        """Compose what each destination is told about one event."""
        if not event.alarm_key:
            return []  # A unit's tier follows from its alarms; each of those is a chain.
        if event.group.partition(":")[0] in SILENT_GROUPS:
            return []
        is_stop = event.what in (What.SUPPRESSED, What.UNSUPPRESSED)
        chain = chain_of(event)
        notices = []
        for receiver in self._site.destinations:
            if event.nature not in receiver.natures or event.tag in (f"{tag}.{receiver.id}" for tag in OWN_TAGS):
                continue  # That a destination does not answer is for those to know who can telephone.
            if is_stop and event.cause.get("by_design") and not chains.get((event.alarm, receiver.id)):
                continue  # A state of the plant, laid down beforehand: told only to who follows the alarm.
            told = chains.get((chain, receiver.id), 0)
            action = _stop_action(event, told) if is_stop else _action(event, told, receiver.tier_least)
            if action is not None:
                key = digest(event.id, receiver.id)
                body = self._body(event, alarm, key=key, chain=chain, action=action, sequence=told + 1, head=head)
                notices.append(
                    Notice(
                        key=key,
                        destination=receiver.id,
                        chain=chain,
                        event=event.id,
                        nature=event.nature,
                        action=action,
                        tier=event.tier,
                        is_late=event.is_late,
                        created_ns=event.received_ns,
                        body=body,
                    )
                )
        return notices

    def _body(
        self, event: Event, alarm: Alarm | None, *, key: str, chain: str, action: Action, sequence: int,
        head: Head | None,
    ) -> str:  # fmt: skip
        facts = self._facts(event)
        unit = self._units.get(event.unit)
        is_stop = event.what in (What.SUPPRESSED, What.UNSUPPRESSED)
        body: dict[str, Any] = {
            "key": key,
            "chain": chain,
            "sequence": sequence,
            "action": action,
            "subject": "out_of_service" if is_stop else "alarm",
            "site": {"id": self._site.id, "title": dict(self._site.title)},
            "nature": event.nature.value,
            "unit": {"id": event.unit, "title": dict(unit.title) if unit else {}, "grade": unit.grade if unit else 0},
            "alarm": event.alarm or event.alarm_key,
            "event": {"id": event.id, "what": event.what.value},
            "tag": event.tag,
            "condition": event.condition,
            "tier": event.tier.name,
            "state": event.state,
            "suppression": event.suppression,
            "value": _finite(event.value),
            "eu": facts["eu"],
            "setpoint": _finite(event.setpoint),
            "quality": facts.get("quality", ""),
            "time": self._time(event.time_ns),
            "since": self._time(alarm.onset_ns) if alarm is not None and alarm.onset_ns else self._time(event.time_ns),
            "ending": _ending(event) if action == "cancel" else "",
            "response": dict(self._response_of(str(event.cause.get("rule", "")))),
            "received": self._time(event.received_ns),
            "is_late": event.is_late,
            "head": None if head is None else {"count": head.count, "hash": head.hash},
            "text": {"zh": self._text_zh(event, facts, action), "en": self._text_en(event, facts, action)},
        }
        if is_stop:
            body["reason"] = event.cause.get("reason", "")
            body["who"] = event.cause.get("who", "")
            body["permit"] = event.cause.get("permit", "")
            until_ns = int(event.cause.get("until_ns", 0)) or (alarm.suppressed_until_ns if alarm else 0)
            body["until"] = self._time(until_ns) if until_ns else None
        return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))

    def _facts(self, event: Event) -> dict[str, Any]:
        row = self._site.tags.row_of.get(event.tag)
        eu = self._site.tags[row].eu if row is not None else ""
        facts = {"kind": event.condition, "value": event.value, "setpoint": event.setpoint, "eu": eu, **event.cause}
        facts["tag"] = event.tag
        if row is not None and self._site.tags[row].resolution > 0:
            facts.setdefault("decimals", decimals_of(self._site.tags[row].resolution))
        return facts

    def _text_zh(self, event: Event, facts: Mapping[str, Any], action: Action) -> str:
        tier, name = TIER_ZH[event.tier.name], self._name(event.unit, "zh")
        late = "(补报)" if event.is_late else ""
        about = {
            "alert": f"{tier}预警:{name},{clause(facts, 'zh')}",
            "update": f"预警更新为{tier}:{name},{clause(facts, 'zh')}",
            "cancel": f"预警解除:{name},{clause(facts, 'zh')}"
            if event.cause.get("disabled")
            else f"预警解除:{name},{ended(facts, 'zh')}"
            if event.cause.get("ended_by")
            else f"预警解除:{name},{event.tag} 已恢复正常" + ("并已确认" if event.cause.get("who") else ""),
        }[action]
        if event.what is What.SUPPRESSED:
            about = f"监测停用:{name},{event.tag},原因:{event.cause.get('reason', '')}"
        elif event.what is What.UNSUPPRESSED:
            about = f"监测恢复:{name},{event.tag}"
        return f"{event.nature.prefix}{about}{late}。{self._time(event.time_ns)}"

    def _text_en(self, event: Event, facts: Mapping[str, Any], action: Action) -> str:
        tier, name = event.tier.name, self._name(event.unit, "en")
        late = " (reported late)" if event.is_late else ""
        about = {
            "alert": f"{tier} early warning: {name}, {clause(facts, 'en')}",
            "update": f"Early warning now {tier}: {name}, {clause(facts, 'en')}",
            "cancel": f"Early warning cancelled: {name}, {clause(facts, 'en')}"
            if event.cause.get("disabled")
            else f"Early warning cancelled: {name}, {ended(facts, 'en')}"
            if event.cause.get("ended_by")
            else f"Early warning cancelled: {name}, {event.tag} is back to normal"
            + (" and was acknowledged" if event.cause.get("who") else ""),
        }[action]
        if event.what is What.SUPPRESSED:
            about = f"Out of service: {name}, {event.tag}, reason: {event.cause.get('reason', '')}"
        elif event.what is What.UNSUPPRESSED:
            about = f"Back in service: {name}, {event.tag}"
        return f"{event.nature.prefix}{about}{late}. {self._time(event.time_ns)}"

    def compose_stop(self, stop: Stop, now_ns: int, chains: Chains, head: Head | None = None) -> list[Notice]:
        """Compose what each destination is told about a declared stop that began, has another end, or is over."""
        chain = digest("stop", stop.id)
        notices = []
        for receiver in self._site.destinations:
            if stop.nature not in receiver.natures:
                continue
            told = chains.get((chain, receiver.id), 0)
            action = stop_action(stop, told)
            if action is None:
                continue
            key = digest(chain, stop.state, now_ns, receiver.id)
            body = stop_body(stop, self._units.get(stop.unit), now_ns, action, self._time) | {
                "key": key,
                "chain": chain,
                "sequence": told + 1,
                "site": {"id": self._site.id, "title": dict(self._site.title)},
                "head": None if head is None else {"count": head.count, "hash": head.hash},
            }
            notices.append(
                Notice(
                    key=key, destination=receiver.id, chain=chain, event=digest(chain, stop.state, now_ns),
                    nature=stop.nature, action=action, tier=Tier.NONE, is_late=False, created_ns=now_ns,
                    body=json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")),
                )
            )  # fmt: skip
        return notices

    def _name(self, unit_id: str, lang: str) -> str:
        unit = self._units.get(unit_id)
        return (unit.title.get(lang) if unit else "") or unit_id

    def _time(self, time_ns: int) -> str:
        """Write a time as ISO 8601 to the ms with the offset of the site's zone."""
        seconds, rest = divmod(time_ns, 1_000_000_000)
        moment = datetime.fromtimestamp(seconds, self._zone).replace(microsecond=rest // 1_000_000 * 1000)
        return moment.isoformat(timespec="milliseconds")


def chain_of(event: Event) -> str:
    """Name the chain that an event's notices belong to."""
    if event.what in (What.SUPPRESSED, What.UNSUPPRESSED):
        return digest("out of service", event.alarm_key)
    if event.is_late:
        return digest("late", event.alarm, event.cause.get("gap", ""))
    return event.alarm or event.alarm_key


def follow(chains: MutableMapping[tuple[str, str], int], notices: Iterable[Notice]) -> None:
    """Count committed notices into their chains."""
    for notice in notices:
        step(chains, (notice.chain, notice.destination), is_end=notice.action == "cancel")


def step(chains: MutableMapping[tuple[str, str], int], place: tuple[str, str], *, is_end: bool) -> None:
    """Count one notice into its chain; a cancel ends the chain."""
    if is_end:
        chains.pop(place, None)
    else:
        chains[place] = chains.get(place, 0) + 1


def decimals_of(resolution: float) -> int:
    """Give how many decimals show a resolution: 2 for 0.05, 0 for 5."""
    exponent = Decimal(repr(resolution)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _finite(number: float | None) -> float | None:
    """Give None for what JSON cannot say; a notice must never keep a tick from being committed."""
    return number if number is not None and math.isfinite(number) else None


def _action(event: Event, told: int, tier_least: Tier) -> Action | None:
    if event.what is What.CLEARED:
        return "cancel" if told else None  # Also while out of service: whoever was alerted is told of the end.
    if event.what not in CHANGED or event.suppression in QUIET or event.cause.get("reason") == STILL_STANDS:
        return None  # A reminder is for those who answered here.
    if told:
        return "update"
    return "alert" if event.tier >= tier_least else None


def _ending(event: Event) -> str:
    """Say whether what was told of came to its end, or is no longer maintained."""
    is_withdrawn = bool(event.cause.get("disabled") or event.cause.get("ended_by")) or event.suppression in QUIET
    return "withdrawn" if is_withdrawn and event.what is What.CLEARED else "returned"


def _stop_action(event: Event, told: int) -> Action | None:
    """Tell of monitoring that stops and comes back: a chain of its own, whatever the tier."""
    if event.what is What.UNSUPPRESSED:
        return "cancel" if told else None
    return "update" if told else "alert"
