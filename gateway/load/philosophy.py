"""Alarm philosophy of a site: what its file lays down about how alarms are handled.

Why: one section each, one mistake each; what is not written takes a default that asks for nothing more than before.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from alerting.model.absence import HOURS_MOST, TIERS, Absence
from alerting.model.by_design import DesignSuppression
from alerting.model.command import Verb
from alerting.model.disposal import MINUTES_MOST as DISPOSAL_MOST
from alerting.model.disposal import DisposalPolicy
from alerting.model.flood import BEGINS_ABOVE, ENDS_BELOW, WINDOW_S, FloodPolicy
from alerting.model.philosophy import Philosophy
from alerting.model.realarm import MINUTES_MOST, Realarm
from alerting.model.rule import Rule
from alerting.model.second_person import ACTS, SecondPerson
from alerting.model.second_person import MINUTES_MOST as WAIT_MOST
from alerting.model.stop import DAYS_MOST, StopPolicy
from alerting.model.tier import Tier
from edge.load.entry import Entry
from edge.load.mistake import meant, show
from edge.load.words import keys_of
from gateway.load.shelving import read_shelving
from gateway.load.tier_limits import read_falling

#: Key of each act in ``[second_person]``.
KEY_OF: Mapping[Verb, str] = {Verb.SUPPRESS: "out_of_service", Verb.SHELVE: "shelve", Verb.RESET: "reset"}
FLOOD_MOST = 1_000
TIER_NAMES = tuple(tier.name for tier in TIERS)


def read_philosophy(root: Entry, rules: Iterable[Rule], suppressions: tuple[DesignSuppression, ...]) -> Philosophy:
    """Read all of it.

    Args:
        root: The site file.
        rules: The rules of the site.
        suppressions: Those that were read.
    """
    return Philosophy(
        shelving=read_shelving(root),
        absence=_read_absence(root),
        realarm=_read_realarm(root, rules),
        second=_read_second(root),
        stop=_read_stop(root),
        disposal=_read_disposal(root),
        flood=_read_flood(root),
        suppressions=suppressions,
    )


def _read_realarm(root: Entry, rules: Iterable[Rule]) -> Realarm:
    section = root.section("realarm")
    section.who = "Re-alarm"
    section.refuse_unknown(keys_of("realarm"))
    given = section.section("after_minutes")
    given.refuse_unknown(TIER_NAMES)
    minutes = tuple(given.whole_or_none(name, 0, MINUTES_MOST) or 0 for name in TIER_NAMES)
    for lighter, graver in pairwise(TIER_NAMES):
        before, now = minutes[TIER_NAMES.index(lighter)], minutes[TIER_NAMES.index(graver)]
        if before and (not now or now > before):
            given.wrong(
                lighter,
                f"{lighter} is announced again after {before} minutes, {graver} {f'after {now}' if now else 'never'}; "
                "a graver alarm may not wait for longer.",
                f"Give {graver} at most {before}.",
            )
    of_rules = section.section("rules")
    known = {rule.id for rule in rules if not rule.is_hidden}
    named: dict[str, int] = {}
    for name in of_rules.values:
        if name not in known:
            of_rules.wrong(name, f"rule {show(name)} does not exist.", meant(name, sorted(known)))
        found = of_rules.whole_or_none(name, 0, MINUTES_MOST)
        if found is not None:
            named[name] = found
    return Realarm(minutes=minutes, rules=named)


def _read_flood(root: Entry) -> FloodPolicy:
    section = root.section("flood")
    section.who = "Flood"
    section.refuse_unknown(keys_of("flood"))
    begins = section.whole("begins_above", BEGINS_ABOVE, 0, FLOOD_MOST)
    ends = section.whole("ends_below", min(ENDS_BELOW, begins + 1) or 1, 1, FLOOD_MOST)
    if begins and ends > begins + 1:
        section.wrong(
            "ends_below" if section.has("ends_below") else "begins_above",
            f"a flood begins above {begins} alarms and would end below {ends}; it would end as it begins.",
            f"Write ends_below = {begins + 1} at most.",
        )
    minutes = section.whole("minutes", WINDOW_S // 60, 1, 60)
    return FloodPolicy(begins_above=begins, ends_below=ends, window_s=minutes * 60)


def _read_stop(root: Entry) -> StopPolicy:
    section = root.section("stop")
    section.who = "Stop"
    section.refuse_unknown(keys_of("stop"))
    return StopPolicy(
        tier_most=Tier[section.choice("tier_most", TIER_NAMES, "ORANGE")],
        days_most=section.whole("max_days", DAYS_MOST, 1, 366),
        needs_permit=section.flag("needs_permit", default=False),
    )


def _read_disposal(root: Entry) -> DisposalPolicy:
    section = root.section("disposal")
    section.who = "Disposal"
    section.refuse_unknown(keys_of("disposal"))
    given = section.section("within_minutes")
    given.refuse_unknown(TIER_NAMES)
    minutes = [given.whole_or_none(name, 0, DISPOSAL_MOST) or 0 for name in TIER_NAMES]
    for (lighter, before), (graver, now) in pairwise(zip(TIER_NAMES, minutes, strict=True)):
        if before and now > before:
            given.wrong(
                graver,
                f"{graver} has {now} minutes, which is longer than the {before} of {lighter}; "
                "a graver alarm may not be left for longer.",
                f"Write at most {before}, or give {lighter} more.",
            )
    return DisposalPolicy(minutes=tuple(minutes), keeps_location=section.flag("keep_location", default=False))


def _read_second(root: Entry) -> SecondPerson:
    section = root.section("second_person")
    section.who = "Second person"
    section.refuse_unknown(keys_of("second_person"))
    tiers = {act: Tier[section.choice(KEY_OF[act], TIER_NAMES, "RED")] for act in ACTS if section.has(KEY_OF[act])}
    if not tiers and section.values:
        section.wrong(
            "minutes" if section.has("minutes") else next(iter(section.values)),
            "no act is named that needs a second person.",
            'Write e.g. out_of_service = "RED", or remove the section.',
        )
    return SecondPerson(minutes=section.whole("minutes", 15, 1, WAIT_MOST), tiers=tiers)


def _read_absence(root: Entry) -> Absence:
    section = root.section("out_of_service")
    section.who = "Out of service"
    section.refuse_unknown(keys_of("out_of_service"))
    given = section.section("max_hours")
    given.refuse_unknown(keys_of("out_of_service.max_hours"))
    hours = read_falling(given, dict.fromkeys(TIERS, HOURS_MOST), HOURS_MOST, "hours", "be out of service")
    permit_from = Tier.NONE
    if section.has("permit_from"):
        permit_from = Tier[section.choice("permit_from", TIER_NAMES, "RED")]
    return Absence(hours=hours, permit_from=permit_from)
