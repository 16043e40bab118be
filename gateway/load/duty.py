"""Duties: what ``[duties]`` and ``[[duty]]`` say of who is told when, and which rows of the table a site changes.

Why: a receiver that does not exist would be found out when a licence has ended.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

from alerting.duty.kind import HOLDER, STEPS, Counts, Kind, Step
from alerting.duty.plan import TO, DutyPlan
from alerting.duty.table import KINDS
from alerting.escalation.plan import LEADER, PERSON, POST
from alerting.model.disposal import TIERS
from alerting.roster.plan import DAY_S, RosterPlan
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import keys_of
from gateway.load.schedule import read_clock

TOLD_AT_S: Final = 8 * 3600
LEAD: Final = Span(least=0, most=366)
GRACE_MINUTES: Final = Span(least=0, most=7 * 1_440)
GRACE_MOST: Final = 60
REPEAT_MOST: Final = 90
ACK_MOST: Final = 1_440
RECEIVERS_MOST: Final = 8
LOTS_DAY_MOST: Final = 28  # Every month has it.
RULE: Final = f'a receiver is "{HOLDER}", "{LEADER}", "{POST}ID" or "{PERSON}NAME"'


def read_duties(root: Entry, roster: RosterPlan, channels: Collection[str]) -> DutyPlan:
    """Read both.

    Args:
        root: The site file.
        channels: Ids of the ways by which people are called.
    """
    section = root.section("duties")
    section.who = "Duties"
    section.refuse_unknown(keys_of("duties"))
    channel = section.text("channel")
    if channel and channel not in channels:
        section.wrong("channel", f"channel {show(channel)} does not exist.", meant(channel, tuple(channels)))
    told_at_s = read_clock(section, "told_at") if section.has("told_at") else TOLD_AT_S
    if told_at_s == DAY_S:
        section.wrong("told_at", 'told_at is "24:00"; a day begins at 00:00.', 'Write told_at = "08:00".')
    given = section.section("ack_minutes")
    given.refuse_unknown(keys_of("duties.ack_minutes"))
    minutes = {tier: given.whole_or_none(tier.name, 1, ACK_MOST) for tier in TIERS}
    return DutyPlan(
        channel=channel,
        told_at_s=TOLD_AT_S if told_at_s is None or told_at_s == DAY_S else told_at_s,
        to={**TO, **_receivers(section, roster)},
        ack_s={tier: number * 60.0 for tier, number in minutes.items() if number},
        five_lots_day=section.whole_or_none("five_lots_day", 1, LOTS_DAY_MOST) or 0,
        kinds=_kinds(root.sections("duty", "Duty"), roster),
    )


def _kinds(entries: Sequence[Entry], roster: RosterPlan) -> tuple[Kind, ...]:
    known = {kind.id: kind for kind in KINDS}
    seen: set[str] = set()
    for entry in entries:
        entry.refuse_unknown(keys_of("duty"))
        name = entry.required("kind", "it is the row of the table of duties that is meant")
        if name and name not in known:
            entry.wrong("kind", f"kind {show(name)} does not exist.", meant(name, tuple(known)))
            continue
        if name in seen:
            entry.wrong("kind", f"kind {show(name)} stands twice.", "Say all of a row in one [[duty]].")
        seen.add(name)
        if name:
            known[name] = _changed(entry, known[name], roster)
    return tuple(known.values())


def _changed(entry: Entry, kind: Kind, roster: RosterPlan) -> Kind:
    other, unit = ("grace_days", "days") if kind.is_timed else ("grace_minutes", "minutes")
    if entry.has(other):
        right = "grace_minutes" if kind.is_timed else "grace_days"
        due = "at a moment" if kind.is_timed else "on a day"
        entry.wrong(other, f"{kind.id} is due {due}; its grace is not in {unit}.", f"Write {right}.")
    values: dict[str, Any] = {
        "lead_days": entry.number_or_none("lead_days", LEAD) if entry.has("lead_days") else kind.lead_days,
        "grace_days": entry.whole("grace_days", kind.grace_days, 0, GRACE_MOST),
        "grace_s": entry.number("grace_minutes", kind.grace_s / 60, GRACE_MINUTES) * 60,
        "repeat_days": entry.whole("repeat_days", kind.repeat_days, 1, REPEAT_MOST),
        "counts": Counts(entry.choice("counts", tuple(Counts), kind.counts)),
        "to": {**kind.to, **_receivers(entry, roster)},
        "is_on": not entry.flag("off", default=not kind.is_on),
    }
    return replace(kind, **values)


def _receivers(entry: Entry, roster: RosterPlan) -> dict[Step, tuple[str, ...]]:
    found: dict[Step, tuple[str, ...]] = {}
    for step in STEPS:
        key = f"{step.value}_to"
        if not entry.has(key):
            continue
        names = entry.texts(key)
        if not 0 < len(names) <= RECEIVERS_MOST:
            entry.wrong(
                key, f"{key} has {len(names)} receivers; a step has 1 to {RECEIVERS_MOST}.", f"Name one; {RULE}."
            )
        for place, name in enumerate(names):
            _judge(entry, (key, place), name, roster)
        found[step] = tuple(dict.fromkeys(names))
    return found


def _judge(entry: Entry, path: tuple[str, int], name: str, roster: RosterPlan) -> None:
    posts = [post.id for post in roster.posts]
    if name.startswith(POST):
        if name.removeprefix(POST) not in posts:
            entry.wrong(
                path, f"post {show(name.removeprefix(POST))} does not exist.", meant(name.removeprefix(POST), posts)
            )
    elif name == LEADER:
        if not any(post.is_leader for post in roster.posts):
            entry.wrong(path, "no post has leader = true.", "Mark one, or name a post.")
    elif name != HOLDER and (not name.startswith(PERSON) or not name.removeprefix(PERSON)):
        entry.wrong(path, f"{path[0]} has {show(name)}; {RULE}.", "Write one of them.")
