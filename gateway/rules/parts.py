"""Parts: what of a site may change beside its rules while it runs, and what comes in force with a restart only.

Flow: running site, compiled site -> [fixed, parts_of, beside_of] -> sentences, differences, Beside -> swap
Why: who adds a tag on Friday night must not take the plant's warning away for it: what did not change is not touched.
Never: shows a secret. Of one that changed it says that it did.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from operator import attrgetter
from typing import Any, Final

from pydantic import TypeAdapter

from alerting.duty.kind import Kind
from alerting.duty.plan import DutyPlan
from alerting.escalation.plan import Plan
from alerting.model.commitment_policy import CommitmentPolicy
from alerting.model.crowd_policy import CrowdPolicy
from alerting.model.hazard_policy import HazardPolicy
from alerting.model.incident_policy import IncidentPolicy
from alerting.model.philosophy import Philosophy
from alerting.model.risk import RiskPolicy
from alerting.model.roll_call import RollPolicy
from alerting.model.tier import Tier
from alerting.model.tiering import lines_as_json
from alerting.roster.plan import RosterPlan
from alerting.swap import Beside, is_measured_alike
from edge.changes import restarted
from edge.config import Source
from edge.model import Tag
from edge.model.title import plain
from gateway.config import ApprovalPolicy, DrillOptions, Site
from gateway.system import SOURCE, main_nature

#: What is made once, at the start: what is listened on, what is written to, and who is told.
FIXED: Final = (
    *("id", "timezone", "data", "host", "port", "hosts", "page_url", "metrics_token", "raw_days", "is_demonstration"),
    *("probe_allow", "influx", "destinations", "channels", "learned", "node_broker"),
)
SECRET: Final = ("password", "token", "secret")
NAMED_MAX: Final = 20
_SOURCE: Final = TypeAdapter(Source)
_TAG_KEYS: Final = tuple(each.name for each in fields(Tag) if each.name != "name")
_NUMBERS: Final = ("range_lo", "range_hi", "resolution", "period_s")
_said: Final = attrgetter(*_TAG_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDifference:
    """One tag, source, unit or other part before and after, written out; None where it was not or is no more.

    Attributes:
        part: ``tag``, ``source``, ``unit``, ``derived``, ``tiering``, ``shelving``, ``philosophy``, ``task``,
            ``risk``, ``calendar``, ``shift``, ``approval``, ``drill``, ``post``, ``escalation``, ``duties`` or
            ``duty``.
    """

    part: str
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def keys(self) -> list[str]:
        """Keys with another value, in the order in which they are written."""
        before, after = self.before or {}, self.after or {}
        return [key for key in {**before, **after} if before.get(key) != after.get(key)]


#: Parts written out, by kind and name.
Parts = Mapping[str, Mapping[str, Mapping[str, Any]]]


class _Tags(Mapping[str, Mapping[str, Any]]):
    """Tags written out one by one when they are asked for: 100,000 of them at once would take 100 MB."""

    def __init__(self, tags: Mapping[str, Tag]) -> None:
        self._tags = tags

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        return _tag(self._tags[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._tags)

    def __len__(self) -> int:
        return len(self._tags)


def parts_of(site: Site) -> Parts:
    """Write out what may change beside the rules, without the gateway's own."""
    return {
        "source": {each.id: _source(each) for each in site.sources if each.id != SOURCE},
        "tag": _Tags({tag.name: tag for tag in site.tags if tag.source != SOURCE}),
        "unit": {unit.id: asdict(unit) for unit in site.units if unit.id != SOURCE},
        "derived": {
            each.tag: {
                "kind": each.kind,
                "inputs": {role: list(names) for role, names in each.inputs.items()},
                "numbers": dict(each.numbers),
                "words": dict(each.words),
                "table": [list(pair) for pair in each.table],
            }
            for each in site.derived
        },
        "tiering": {
            "tiering": {"lines": lines_as_json(site.tiering.lines), "lower_after_s": site.tiering.lower_after_s}
        },
        "shelving": {"max_minutes": site.philosophy.shelving.named()},
        "philosophy": _philosophy(site.philosophy),
        "risk": {} if site.risk == RiskPolicy() else {"risk": _risk(site.risk)},
        "approval": {} if site.approval == ApprovalPolicy() else {"approval": asdict(site.approval)},
        **_hazards(site.hazards),
        "report": {} if site.report_font is None else {"report": {"font": str(site.report_font)}},
        "commitment": {} if site.commitment == CommitmentPolicy() else {"commitment": _commitment(site.commitment)},
        "crowd": {} if site.crowd == CrowdPolicy() else {"crowd": _crowd(site.crowd)},
        "incident": {}
        if site.incident == IncidentPolicy()
        else {"incident": {"from_tier": site.incident.from_tier.name, "channel": site.incident.channel}},
        "quantity_share": {each.dossier: asdict(each) for each in site.quantities},
        "headquarters": {each.id: asdict(each) for each in site.headquarters},
        "call_out": {each.id: {**asdict(each), "from_tier": each.from_tier.name} for each in site.call_out},
        "roll_call": {} if site.roll_call == RollPolicy() else {"roll_call": asdict(site.roll_call)},
        "zone": {each.id: asdict(each) for each in site.zones},
        "drill": {} if site.drill == DrillOptions() else {"drill": _drill(site.drill)},
        "task": {
            f"{each.kind} {each.tier.name} {number}": {**asdict(each), "tier": each.tier.name}
            for number, each in enumerate(site.tasks, start=1)
        },
        **_roster(site.roster),
        "escalation": {each.id: _escalation(each) for each in site.escalations},
        **_duties(site.duties),
    }


def _commitment(policy: CommitmentPolicy) -> dict[str, Any]:
    return {
        "is_asked": policy.is_asked, "by_s": policy.by_s, "on": policy.on, "signers": sorted(policy.signers)
    }  # fmt: skip


def _crowd(policy: CrowdPolicy) -> dict[str, Any]:
    shares = {each.zone: each.unit for each in policy.shares}
    return {
        "is_watched": policy.is_watched, "busy_pct": policy.busy_pct, "busy_s": policy.busy_s, "shares": shares,
        "responses": {each.zone: asdict(each) for each in policy.responses},
    }  # fmt: skip


def _hazards(policy: HazardPolicy) -> dict[str, dict[str, dict[str, Any]]]:
    """Write out what a site says of hidden hazards."""
    is_plain = policy.repeat_days == HazardPolicy().repeat_days
    return {
        "hidden_hazards": {} if is_plain else {"hidden_hazards": {"repeat_days": policy.repeat_days}},
        "hazard_opening": {
            each.id: {
                "tiers": sorted(tier.name for tier in each.tiers),
                "conditions": sorted(each.conditions),
                "units": sorted(each.units),
                "after_s": each.after_s,
                "causes": sorted(cause.value for cause in each.causes),
                "type": each.type,
            }
            for each in policy.openings
        },
    }


def _duties(plan: DutyPlan) -> dict[str, dict[str, dict[str, Any]]]:
    """Write out what a site says of duties; rows that are as they ship are left out."""
    plain = DutyPlan()
    own = [kind for kind in plan.kinds if kind != plain.kind(kind.id)]
    whole = {
        "channel": plan.channel,
        "told_at_s": plan.told_at_s,
        "to": {step.value: list(names) for step, names in plan.to.items()},
        "ack_s": {tier.name: seconds for tier, seconds in plan.ack_s.items()},
    }
    return {
        "duties": {} if replace(plan, kinds=plain.kinds) == plain else {"duties": whole},
        "duty": {kind.id: _row(kind) for kind in own},
    }


def _row(kind: Kind) -> dict[str, Any]:
    return {
        "lead_days": kind.lead_days,
        "grace_days": kind.grace_days,
        "grace_s": kind.grace_s,
        "repeat_days": kind.repeat_days,
        "counts": kind.counts.value,
        "to": {step.value: list(names) for step, names in kind.to.items()},
        "is_on": kind.is_on,
    }


def _escalation(plan: Plan) -> dict[str, Any]:
    schedule = None if plan.schedule is None else plan.schedule.words()
    return {**asdict(plan), "tiers": [tier.name for tier in plan.tiers], "schedule": schedule}


def _risk(policy: RiskPolicy) -> dict[str, Any]:
    return {**asdict(policy), "alarm_steps": {tier.name: steps for tier, steps in policy.alarm_steps.items()}}


def _roster(plan: RosterPlan) -> dict[str, dict[str, dict[str, Any]]]:
    calendar = plan.calendar
    days = {"rest": [on.isoformat() for on in calendar.rest], "work": [on.isoformat() for on in calendar.work]}
    return {
        "calendar": {"calendar": {"country": calendar.country, **days}},
        "shift": {each.id: {**asdict(each), "on": each.on.value} for each in plan.shifts},
        "post": {each.id: asdict(each) for each in plan.posts},
    }


def _philosophy(philosophy: Philosophy) -> dict[str, dict[str, Any]]:
    """Write out what somebody laid down; what nobody did is as it always is."""
    plain, found = Philosophy(), {}
    for part in fields(Philosophy):
        mine = getattr(philosophy, part.name)
        if part.name != "shelving" and mine != getattr(plain, part.name):
            whole = {each.id: asdict(each) for each in mine} if isinstance(mine, tuple) else asdict(mine)
            found[part.name] = {str(key): _named(value) for key, value in whole.items()}
    return found


def _named(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _named(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_named(each) for each in value]
    return value.name if isinstance(value, Tier) else value


def part_differences(before: Parts, after: Parts) -> tuple[PartDifference, ...]:
    """Give what differs between two states, by part and name."""
    found = []
    for part in {**before, **after}:
        was, now = before.get(part, {}), after.get(part, {})
        found += [
            PartDifference(part=part, name=name, before=was.get(name), after=now.get(name))
            for name in sorted({*was, *now})
            if was.get(name) != now.get(name)
        ]
    return tuple(found)


def changed_secrets(old: Site, new: Site) -> tuple[PartDifference, ...]:
    """Say which sources have another secret and are alike to the eye else."""
    before = {each.id: each for each in old.sources}
    return tuple(
        PartDifference(part="source", name=each.id, before={"secret": "before"}, after={"secret": "another"})
        for each in new.sources
        if each.id in before and before[each.id] != each and _source(before[each.id]) == _source(each)
    )


def _source(source: Source) -> dict[str, Any]:
    shown: dict[str, Any] = _SOURCE.dump_python(source, mode="json")
    return _without_secrets(shown)


def _without_secrets(shown: dict[str, Any]) -> dict[str, Any]:
    return {
        key: "***" if key in SECRET and value else _without_secrets(value) if isinstance(value, dict) else value
        for key, value in shown.items()
    }


def _drill(options: DrillOptions) -> dict[str, Any]:
    folder = options.stories
    return {"refused_from": options.refused_from.name, "stories": None if folder is None else str(folder)}


def _tag(tag: Tag) -> dict[str, Any]:
    shown = dict(zip(_TAG_KEYS, _said(tag), strict=True))  # Not asdict: it copies each text, seconds for 100k tags.
    for key in _NUMBERS:
        if shown[key] != shown[key]:
            del shown[key]
    shown["title"], shown["address"], shown["nature"] = plain(tag.title), dict(tag.address), tag.nature.value
    return shown


# ------------------------------------------------------------------------------------------------------------ judged


def fixed(old: Site, new: Site) -> tuple[str, ...]:
    """Say what differs that comes in force with a restart only."""
    found = []
    for part in FIXED:
        one, other = getattr(old, part), getattr(new, part)
        if repr(one) == repr(other) and one == other:
            continue
        if not isinstance(one, tuple) or part in ("hosts", "probe_allow"):
            found.append(part)
            continue
        before, after = ({each.id: each for each in each_of} for each_of in (one, other))
        found.append(f"{part}: {_some(name for name in {**before, **after} if before.get(name) != after.get(name))}")
    was, now = ({each.id: each.nodes for each in site.sources} for site in (old, new))
    moved = [name for name, node in was.items() if now.get(name, node) != node]
    if moved:
        found.append(f"node of sources: {_some(moved)}")
    if main_nature(old) is not main_nature(new):
        found.append("nature of the site")
    return tuple(found)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - NAMED_MAX} more" if len(listed) > NAMED_MAX else ""
    return ", ".join(listed[:NAMED_MAX]) + more if listed else "another order"


def beside_of(old: Site, new: Site) -> Beside | None:
    """Give what changes beside the rules; None where nothing does."""
    is_same = (
        old.sources == new.sources
        and old.units == new.units
        and old.tasks == new.tasks
        and old.tiering == new.tiering
        and old.philosophy == new.philosophy
        and old.risk == new.risk
        and old.roster == new.roster
        and old.drill == new.drill
        and old.approval == new.approval
        and old.escalations == new.escalations
        and old.duties == new.duties
        and old.title == new.title
        and [each.identity for each in old.derived] == [each.identity for each in new.derived]
        and repr(old.tags.tags) == repr(new.tags.tags)  # No number equals itself here.
    )
    if is_same:
        return None
    local = [tuple(each for each in site.sources if not each.node and each.id != SOURCE) for site in (old, new)]
    unlike = {
        tag.name
        for tag in new.tags
        if tag.name in old.tags.row_of and not is_measured_alike(old.tags[old.tags.row_of[tag.name]], tag)
    }
    return Beside(
        sources=new.sources,
        derived=new.derived,
        units=new.units,
        tiering=new.tiering,
        philosophy=new.philosophy,
        tasks=new.tasks,
        restarted=restarted(local[0], old.tags, local[1], new.tags),
        unlike=frozenset(unlike),
    )
