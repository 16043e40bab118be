"""Tiering: the lines of the policy that gives hazard units their tiers.

Why: a line that can never hold, or never make a difference, is worse than none, because somebody relies on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from alerting.model.tiering import BEYOND, LOWER_AFTER_S, Tiering, TierLine
from alerting.model.unit import HazardUnit
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import keys_of
from gateway.load.draft import TIERS
from gateway.load.rule import TIER_DEFAULT
from gateway.load.unit import GRADES

DAY_S: Final = 86_400
DELAY: Final = Span(least=0, most=DAY_S)
AHEAD: Final = Span(above=0, most=DAY_S)
COUNT_MOST: Final = 1_000
NO_GRADE: Final = "none"
KINDS: Final = tuple(kind.name for kind in Kind if kind in TIER_DEFAULT or kind is Kind.VOTE)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A line, where it stands, and the units that it is about."""

    line: TierLine
    entry: Entry
    units: frozenset[str]

    @property
    def where(self) -> str:
        place = self.entry.place("tier" if self.entry.has("tier") else "lower_after_s")
        return f"{place.file}:{place.line}"


def read_tiering(entries: Sequence[Entry], units: Sequence[HazardUnit], rules: Iterable[Rule]) -> Tiering:
    """Read the lines of the policy.

    Args:
        rules: The rules of the site; a line about conditions that no rule can have is doubtful.
    """
    drafts = [_read(entry, units) for entry in entries]
    for place, draft in enumerate(drafts):
        if draft.units:
            _check_effect(draft, drafts[:place], drafts[place + 1 :])
    kinds = {rule.kind.name for rule in rules}
    for draft in drafts:
        _warn(draft, kinds)
    return Tiering(lines=tuple(draft.line for draft in drafts))


def _read(entry: Entry, units: Sequence[HazardUnit]) -> _Draft:
    entry.refuse_unknown(keys_of("tiering"))
    kinds = sorted({unit.kind for unit in units})
    unit_kind = entry.text("unit_kind", "*") or "*"
    if unit_kind not in ("*", *kinds):
        entry.wrong("unit_kind", f"no unit is of kind {show(unit_kind)}.", meant(unit_kind, kinds))
    unit = entry.text("unit")
    names = tuple(each.id for each in units)
    if entry.has("unit") and unit not in names:
        entry.wrong("unit", f"unit {show(unit)} does not exist.", meant(unit, names))
    grades = _grades(entry)
    says = _when(entry)
    tier = entry.choice("tier", TIERS, "") if entry.has("when") or entry.has("tier") else ""
    if entry.has("tier") and not entry.has("when"):
        entry.wrong(
            "when",
            "when is missing; a line with a tier says what must hold.",
            "Add when = { … }, or remove tier to say only how long the alarms' own tiers stay.",
        )
    if not entry.has("when") and not entry.has("tier") and not entry.has("lower_after_s"):
        entry.wrong("when", "when is missing; the line says nothing.", "Add when = { … } and tier, or lower_after_s.")
    line = TierLine(
        tier=Tier[tier or "NONE"],
        unit_kind=unit_kind,
        unit=unit,
        grades=grades,
        kinds=says.kinds,
        tier_least=says.tier_least,
        count=says.count,
        for_s=says.for_s,
        time_to_limit_s=says.time_to_limit_s,
        lower_after_s=entry.number("lower_after_s", LOWER_AFTER_S, DELAY),
    )
    return _Draft(line, entry, frozenset(each.id for each in units if line.is_about(each)))


def _grades(entry: Entry) -> tuple[int, ...]:
    """Read ``grade``: one of 1 to 4 or "none", or a list of these."""
    if not entry.has("grade"):
        return ()
    value = entry.values["grade"]
    given = value if isinstance(value, list) else [value]
    least, most = GRADES
    grades: list[int] = []
    for one in given:
        if one == NO_GRADE:
            grades.append(0)
        elif isinstance(one, int) and not isinstance(one, bool) and least <= one <= most:
            grades.append(one)
        else:
            entry.wrong(
                "grade",
                f'grade is {show(one)}; a grade is a whole number from {least} to {most}, or "{NO_GRADE}".',
                f'Write grade = [1, 2], or grade = "{NO_GRADE}" for units without one.',
            )
    if not given:
        entry.wrong("grade", "grade is an empty list; the line is about no unit.", "Name a grade, or remove grade.")
    return tuple(dict.fromkeys(grades))


def _when(entry: Entry) -> TierLine:
    """Read what must hold."""
    when = entry.section("when")
    when.refuse_unknown(keys_of("tiering.when"))
    kinds: tuple[str, ...] = ()
    if when.has("kind"):
        kind = when.choice("kind", KINDS, "H")
        kinds = (kind,)
        if when.has("kinds"):
            when.wrong("kinds", "kind and kinds are both given.", "Leave one of them out.")
    elif when.has("kinds"):
        kinds = when.texts("kinds")
        for one in kinds:
            if one not in KINDS:
                when.wrong(
                    "kinds", f"kind {show(one)} is not known; it is one of {', '.join(KINDS)}.", meant(one, KINDS)
                )
        if when.values["kinds"] == []:
            when.wrong("kinds", "kinds is an empty list; nothing could hold.", "Name a kind, or remove kinds.")
    if when.flag("voted", default=False):
        if kinds:
            when.wrong(
                "voted",
                "voted is given beside kind or kinds; a vote is a condition of its own.",
                'Leave kind and kinds out, or name "VOTE" among the kinds.',
            )
        kinds = (Kind.VOTE.name,)
    for_s = when.number("for_s", 0.0, DELAY)
    near_s = when.number("time_to_limit_s", 0.0, AHEAD)
    if near_s and kinds and kinds != (Kind.TREND.name,):
        when.wrong(
            "time_to_limit_s",
            "time_to_limit_s is given beside other kinds than TREND; only a TREND runs to a limit.",
            'Write kinds = ["TREND"], or leave kinds out.',
        )
    if near_s and for_s:
        when.wrong(
            "for_s",
            "for_s and time_to_limit_s are both given; a time to limit counts as soon as it is short enough.",
            "Leave one of them out; a TREND has an on-delay of its own.",
        )
    return TierLine(
        kinds=(Kind.TREND.name,) if near_s else tuple(dict.fromkeys(kinds)),
        tier_least=Tier[when.choice("tier_least", TIERS, Tier.BLUE.name)],
        count=when.whole("count", 1, 1, COUNT_MOST),
        for_s=for_s,
        time_to_limit_s=near_s,
    )


def _check_effect(draft: _Draft, earlier: Sequence[_Draft], later: Sequence[_Draft]) -> None:
    """Refuse a line that never decides, because another holds whenever it does and says as much or more."""
    for other in earlier:
        if _shadows(other, draft):
            draft.entry.wrong(
                "when" if draft.line.tier else "lower_after_s",
                f"the line never decides: the one at {other.where} holds whenever it does and says "
                f"{_worth(other.line)}.",
                "Remove it, or ask for something that the other line does not cover.",
            )
            return
    for other in later:
        if draft.line.tier and _shadows(other, draft) and not _shadows(draft, other):
            draft.entry.wrong(
                "when",
                f"the line never decides: the one at {other.where} holds whenever it does and says "
                f"{_worth(other.line)}.",
                "Remove it, or give it a higher tier.",
            )
            return


def _worth(line: TierLine) -> str:
    return line.tier.name if line.tier else f"{line.lower_after_s:g} s"


def _shadows(other: _Draft, draft: _Draft) -> bool:
    """Tell whether one line makes another one pointless."""
    a, b = other.line, draft.line
    if not other.units or not draft.units <= other.units or bool(a.tier) is not bool(b.tier):
        return False
    if not a.tier:  # Both only say how long tiers stay, and the first that is about a unit says it.
        return True
    return (
        a.tier >= b.tier
        and a.lower_after_s >= b.lower_after_s
        and _covers(a.kinds, b.kinds)
        and a.tier_least <= b.tier_least
        and a.count <= b.count
        and a.for_s <= b.for_s
        and (not a.time_to_limit_s or 0 < b.time_to_limit_s <= a.time_to_limit_s)
    )


def _covers(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """Tell whether every condition that one line names is named by the other."""
    if not wide or not narrow:
        return not wide
    return all(kind in wide or BEYOND.get(kind) in wide for kind in narrow)


def _warn(draft: _Draft, kinds: set[str]) -> None:
    """Say what may be meant so, but holds of nothing in this site."""
    if not draft.units:
        draft.entry.warn(
            "grade" if draft.line.grades else "tier",
            "the line is about no unit of the site.",
            "Put unit, unit_kind or grade right, or leave it for units to come.",
        )
    named = draft.line.kinds
    beyond = {outer for outer, inner in BEYOND.items() if inner in named}
    if named and not (set(named) | beyond) & kinds:
        draft.entry.warn(
            ("when",),
            f"no rule of the site is of kind {' or '.join(named)}; the line cannot hold.",
            "Add such a rule, or leave the line for rules to come.",
        )
