"""Judge one alarm: compare it with its limits after a change, and say what happened.

Flow: Changes -> [judge_alarm] -> Event and Alarm -> units, episodes
Why: live and late lane fold changes into alarms in exactly one way.
Never: touches memory, units or the register.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from alerting.core import Changes, Memory
from alerting.core.derived import DerivedState, DerivedTable
from alerting.core.derived.told import told
from alerting.core.drift import Drifted
from alerting.core.memory import Phase, no_changes
from alerting.core.trend import Forecast
from alerting.core.vote import told_lost, told_vote
from alerting.lifecycle import Turn, step
from alerting.model.alarm import GONE, Alarm, State, digest
from alerting.model.event import Event, What
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Nature
from edge.model.quality import describe

#: Kinds that are told by the tag's value, setpoint and delays alone.
BY_VALUE = frozenset({Kind.LL, Kind.L, Kind.H, Kind.HH, Kind.RATE, Kind.STALE, Kind.BAD})
#: An alarm that rings anew, or worse, has been seen by nobody.
UNSEEN: Mapping[str, Any] = {"acked_by": "", "acked_ns": 0, "comment": "", "silenced_by": "", "silenced_ns": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Where a change is judged: the live lane of one nature, or one gap of the late lane.

    Attributes:
        book: Alarms by key, as they stand; the caller puts changed ones back.
        then: Changes that memory holds already but that came after the ones being judged.
        late: Name of the gap in the late lane; empty for live.
        derived, derived_state: How the derived tags are computed, and what they remember; None in the late lane.
        swap: Revision of the rules that takes over and is the cause; 0 for none.
    """

    site: str
    nature: Nature
    table: RuleTable
    memory: Memory
    book: Mapping[str, Alarm]
    then: Changes = field(default_factory=no_changes)
    late: str = ""
    derived: DerivedTable | None = None
    derived_state: DerivedState | None = None
    swap: int = 0


def judge_alarm(
    lane: Lane, changes: Changes, mine: Sequence[int], place: int, scan_key: str, now_ns: int
) -> tuple[Event, Alarm] | None:
    """Give the event and the alarm after a change of its limits, or None where nothing changed for it.

    Args:
        mine: Places in ``changes`` that belong to this alarm, ascending.
        place: The alarm's index in ``table.alarms``.
        scan_key: The scan that changed it; empty for a clock reading, which leans on the last scan of the tag's source.
    """
    table, nature = lane.table, lane.nature
    tag_name, group = table.alarms[place]
    tag = table.tags[table.tags.row_of[tag_name]]
    key = digest(lane.site, nature, tag_name, group)
    alarm = lane.book.get(key) or Alarm(key=key, nature=nature, tag=tag_name, unit=tag.unit, group=group)
    active = _active_rules(lane, place)
    outermost = active[-1] if active else -1
    scan_key = scan_key or lane.memory.last_scan(tag.source)
    decisive = mine[0]
    if len(mine) > 1:
        latest = max(mine, key=lambda m: (changes.time_ns[m], changes.rule[m]))
        decisive = next((m for m in mine if changes.rule[m] == outermost), latest)
    rule = table[outermost] if active else table[int(changes.rule[decisive])]
    tier = Tier(max(int(table.tier[k]) for k in active)) if active else Tier.NONE
    turn, what = _turn(alarm, tier, rule, is_active=bool(active), is_swap=lane.swap > 0)
    if what is None:
        return None
    time_ns = int(changes.time_ns[decisive])
    state = step(alarm.state, turn, is_latching=_is_latching(table, place)) if turn else alarm.state
    fresh: dict[str, Any] = {}
    if alarm.state is State.NORMAL:  # The first trip leaves NORMAL and begins a new episode.
        onset_ns = min((int(changes.time_ns[m]) for m in mine if changes.is_active[m]), default=time_ns)
        onset_ns = max(onset_ns, alarm.onset_ns + 1)  # A sample long on its way may trip where the clock had tripped.
        fresh = {"unit": tag.unit, "id": digest(key, onset_ns), "onset_ns": onset_ns, **UNSEEN}
    if state is State.UNACK and turn in (Turn.TRIP, Turn.RISE):  # What was acknowledged is not what rings now.
        fresh |= {"raised_ns": time_ns, **UNSEEN}
    value = float(changes.value[decisive])
    after = replace(
        alarm,
        state=state,
        tier=tier,
        tier_max=Tier.NONE if state is State.NORMAL else max(alarm.tier_max, tier),
        condition=rule.kind.name,
        rule=rule.id,
        changed_ns=time_ns,
        ordinal=1 if alarm.state is State.NORMAL else alarm.ordinal + 1,
        value=value if math.isfinite(value) else None,
        setpoint=rule.setpoint if math.isfinite(rule.setpoint) else None,
        **fresh,
    )
    if state is State.NORMAL:
        what = What.CLEARED
    facts = _facts(rule, tag.eu, after.value, describe(int(changes.quality[decisive])), scan_key)
    if table.authors:
        facts |= _authored(table, rule)
    facts |= _more_facts(lane, rule, changes, int(decisive), is_active=bool(active))
    if what in (What.ESCALATED, What.LOWERED, What.CHANGED):
        facts["from"] = alarm.condition
        facts |= _left(lane, alarm, changes, mine, active)
    disabled = facts.get("disabled")
    ended_by = f"{disabled} {facts[disabled]}" if disabled and not after.is_active else ""
    if ended_by != after.ended_by:
        after = replace(after, ended_by=ended_by)
    facts |= {name: cause for name, cause in (("gap", lane.late), ("swap", lane.swap)) if cause}
    return alarm_event(after, what, time_ns, now_ns, facts, late=lane.late), after


def alarm_event(
    alarm: Alarm, what: What, time_ns: int, received_ns: int, cause: dict[str, Any], *, late: str = ""
) -> Event:
    """Make the event of an alarm as it stands after the change."""
    name = (alarm.id or alarm.key, alarm.ordinal)
    return Event(
        id=digest(*name, "late", late) if late else digest(*name),
        what=what,
        time_ns=time_ns,
        received_ns=received_ns,
        nature=alarm.nature,
        unit=alarm.unit,
        alarm=alarm.id,
        alarm_key=alarm.key,
        tag=alarm.tag,
        group=alarm.group,
        condition=alarm.condition,
        tier=alarm.tier,
        state=alarm.state.value,
        value=alarm.value,
        setpoint=alarm.setpoint,
        suppression=alarm.suppression.value,
        is_late=bool(late),
        cause=cause,
    )


def rules_of(table: RuleTable, alarm: Alarm) -> list[Rule]:
    """Give the rules of an alarm; none where the configuration no longer has them."""
    row = table.tags.row_of.get(alarm.tag)
    if row is None:
        return []
    mine = range(int(table.first[row]), int(table.first[row + 1]))
    return [table[k] for k in mine if table[k].group == alarm.group]


def ceiling(table: RuleTable, alarm: Alarm) -> Tier:
    """Give the highest tier that an alarm can reach; that which it reached where its rules are no more."""
    known = table.index_of.get(alarm.rule)
    if known is None:  # It never rang, or the rule that rang last is gone.
        tiers = [int(rule.tier) for rule in rules_of(table, alarm)]
    else:
        place = int(table.alarm[known])
        tiers = table.tier[int(table.alarm_first[place]) : int(table.alarm_first[place + 1])].tolist()
    return Tier(max(tiers, default=int(alarm.tier_max)))


def is_latching(table: RuleTable, alarm: Alarm) -> bool:
    """Tell whether any rule of the alarm latches."""
    return any(rule.is_latching for rule in rules_of(table, alarm))


def _is_latching(table: RuleTable, place: int) -> bool:
    """Tell whether any rule of an alarm latches."""
    first, end = table.alarm_first[place : place + 2].tolist()
    return any(table.is_latching[first:end].tolist())


def _active_rules(lane: Lane, place: int) -> list[int]:
    """Give the alarm's tripped rules that ring, outermost last, as they stood before ``lane.then``."""
    first, end = lane.table.alarm_first[place : place + 2].tolist()
    is_active = lane.memory.is_active[first:end].tolist()
    if len(lane.then):
        for rule, active in zip(lane.then.rule.tolist(), lane.then.is_active.tolist(), strict=True):
            if first <= rule < end:
                is_active[rule - first] = not active
    if not any(is_active):
        return []
    tiers = lane.table.tier[first:end].tolist()
    return [first + at for at, active in enumerate(is_active) if active and tiers[at] > Tier.NONE]


def _turn(alarm: Alarm, tier: Tier, rule: Rule, *, is_active: bool, is_swap: bool) -> tuple[Turn | None, What | None]:
    """Name what happened between the alarm as it stands and its limits now; a swap may move a limit that stays so."""
    if not alarm.is_active:
        return (Turn.TRIP, What.RAISED) if is_active else (None, None)
    if not is_active:
        return Turn.CLEAR, What.RETURNED
    if tier > alarm.tier:
        return Turn.RISE, What.ESCALATED
    if tier < alarm.tier:
        return Turn.FALL, What.LOWERED
    setpoint = rule.setpoint if math.isfinite(rule.setpoint) else None
    is_other = rule.kind.name != alarm.condition or (is_swap and setpoint != alarm.setpoint)
    return (None, What.CHANGED) if is_other else (None, None)


def _facts(rule: Rule, eu: str, value: float | None, quality: str, scan_key: str) -> dict[str, Any]:
    """Collect what one sentence needs to say why this rang (design §3, Cause)."""
    kind, setpoint = rule.kind, rule.setpoint
    facts: dict[str, Any] = {
        "scan": scan_key,
        "tag": rule.tag,
        "value": value,
        "eu": eu,
        "quality": quality,
        "kind": kind.name,
        "setpoint": setpoint if math.isfinite(setpoint) else None,
        "deadband": rule.deadband,
        "rule": rule.id,
        "revision": rule.revision,
        "on_delay_s": rule.on_delay_s,
        "off_delay_s": rule.off_delay_s,
    }
    if kind is Kind.RATE:
        facts["window_s"] = rule.window_s
    if kind in BY_VALUE:
        return facts
    if kind is Kind.DEVIATION:
        facts["reference"] = rule.reference
    if kind is Kind.STATE:
        facts |= {"mask": rule.mask, "pattern": rule.pattern} if rule.mask else {"states": list(rule.states)}
    if kind is Kind.FROZEN:
        facts["band"] = rule.band
        facts["while_above"] = rule.while_above if rule.while_tag else None
    return facts


def _left(
    lane: Lane, alarm: Alarm, changes: Changes, mine: Sequence[int], active: Sequence[int]
) -> dict[str, float | str]:
    """Say of an alarm that stays which limit it no longer has, and what but the value ended that."""
    k = lane.table.index_of.get(alarm.rule)
    if k is None:
        return {"left_by": GONE}
    if k in active:
        return {}
    rule = lane.table[k]
    facts: dict[str, float | str] = {"left": rule.setpoint}
    for m in mine:
        if changes.rule[m] == k:
            gate = _enabled(lane, rule, int(changes.time_ns[m]), is_active=False)
            if disabled := gate.get("disabled"):
                facts["left_by"] = f"{disabled} {gate[disabled]}"
    return facts


def _authored(table: RuleTable, rule: Rule) -> dict[str, str]:
    """Say who made the revision that a rule stands in, and who approved of it, where a person did."""
    author = table.authors.get(rule.revision)
    if author is None:
        return {}
    return {"changed_by": author.who} | ({"approved_by": author.approved_by} if author.approved_by else {})


def _more_facts(lane: Lane, rule: Rule, changes: Changes, decisive: int, *, is_active: bool) -> dict[str, Any]:
    """Collect what only some kinds of rules, or rules of some tags, have to say."""
    facts: dict[str, Any] = {}
    if rule.kind in BY_VALUE:
        return facts | _enabled_and_derived(lane, rule, changes, decisive, is_active=is_active)
    if rule.kind in (Kind.TREND, Kind.DRIFT):
        facts |= _forecast(lane, rule) if rule.kind is Kind.TREND else _drifted(lane, rule)
    if rule.kind is Kind.EXPRESSION:
        facts |= _asked(lane, rule, is_active=bool(changes.is_active[decisive]))
        lost = told_lost(lane.table, lane.memory, lane.table.index_of[rule.id])
        facts |= {"lost": lost} if lost else {}
    if rule.kind is Kind.VOTE:
        facts |= told_vote(lane.table, lane.memory, lane.table.index_of[rule.id])
    if rule.other:
        tags = lane.table.tags
        facts["other"] = rule.other
        facts["other_value"] = float(changes.other[decisive]) if np.isfinite(changes.other[decisive]) else None
        facts["other_eu"] = tags[tags.row_of[rule.other]].eu
    if rule.kind in (Kind.DEVIATION, Kind.STATE, Kind.FROZEN, Kind.RANGE, Kind.EXPRESSION, Kind.DRIFT, Kind.VOTE):
        facts["holds"] = is_active
    return facts | _enabled_and_derived(lane, rule, changes, decisive, is_active=is_active)


def _enabled_and_derived(lane: Lane, rule: Rule, changes: Changes, decisive: int, *, is_active: bool) -> dict[str, Any]:
    """Say how a derived tag is computed, and what enables a rule."""
    facts: dict[str, Any] = {}
    if lane.derived is not None and lane.derived_state is not None and len(lane.derived):
        facts |= told(lane.derived, lane.derived_state, lane.memory, rule.tag)
    if rule.enable or rule.schedule is not None:
        facts |= _enabled(lane, rule, int(changes.time_ns[decisive]), is_active=is_active)
    return facts


def _asked(lane: Lane, rule: Rule, *, is_active: bool) -> dict[str, Any]:
    """Say what an EXPRESSION asks, and which of its parts were true with which values when it tripped or let go."""
    tags = lane.table.tags
    parts = lane.memory.formulas.explain(lane.table.index_of[rule.id], is_active=is_active)
    for part in parts:
        for value in part["values"]:
            value["eu"] = tags[tags.row_of[value["text"]]].eu if value.pop("is_tag") else ""
    return {"when": rule.when, "parts": parts}


def _enabled(lane: Lane, rule: Rule, time_ns: int, *, is_active: bool) -> dict[str, Any]:
    """Say what enables a rule, and whether that is known; of one that was let go because it is not, that it was."""
    memory, k = lane.memory, lane.table.index_of[rule.id]
    gate, cell = (int(place) for place in lane.table.gates.of[k])
    if not is_active and memory.opened_ns[k] == -time_ns:
        if rule.schedule is not None and memory.is_active[cell]:
            return {"schedule": rule.schedule.words(), "disabled": "schedule"}
        return {"enable": rule.enable, "disabled": "enable"}
    if gate < 0:
        return {}
    doubt = memory.formulas.doubts(gate)
    is_known = memory.phase[gate] == Phase.REST and memory.formulas.is_met(gate)
    facts: dict[str, Any] = {"enable": rule.enable, "enable_is": "true" if is_known else "unknown"}
    if not is_known:
        facts["enable_doubt"], facts["enable_part"] = doubt or ("unseen", rule.enable_asked[0])
    return facts


def _forecast(lane: Lane, rule: Rule) -> dict[str, Any]:
    """Say where the tag runs to and how fast; ``time_to_limit_s`` is None where it does not run to the limit."""
    now = Forecast(lane.table, lane.memory, np.array([lane.table.index_of[rule.id]]))
    time_s = float(now.time_to_limit_s[0])
    return {
        "to": rule.to,
        "is_falling": rule.is_falling,
        "horizon_s": rule.horizon_s,
        "blocks": None if rule.blocks is None else asdict(rule.blocks),
        "level": float(now.level[0]),
        "slope": float(now.slope[0]),
        "time_to_limit_s": time_s if np.isfinite(time_s) else None,
    }


def _drifted(lane: Lane, rule: Rule) -> dict[str, Any]:
    """Say where the tag usually is at this time, how far it is from there, and by what that was measured."""
    now = Drifted(lane.table, lane.memory, np.array([lane.table.index_of[rule.id]]))
    assert rule.drift is not None, rule.id
    return {
        "detector": rule.drift.detector,
        "season": rule.drift.season,
        "span_s": rule.drift.span_s,
        "usual": float(now.usual[0]),
        "away": float(now.away[0]),
        "sigma": float(now.sigma[0]),
        "score": float(now.score[0]),
        "is_learning": bool(now.waits[0]),
    }
