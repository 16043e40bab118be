"""DEVIATION, STATE, FROZEN and RANGE rules: what a ``[[rule]]`` says of them, and what must hold for them.

Why: a rule that can never trip, or never clear, is worse than none, because somebody relies on it.
"""

import math
from collections.abc import Mapping
from typing import Final

from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import NAME_RULE, is_name, parse_number
from edge.model import Tag

CONDITIONS: Final = (Kind.DEVIATION, Kind.STATE, Kind.FROZEN, Kind.RANGE)
#: Keys of a ``[[rule]]`` that only some kinds have.
KEYS_OF: Final = {
    "reference": (Kind.DEVIATION,),
    "states": (Kind.STATE,),
    "mask": (Kind.STATE,),
    "pattern": (Kind.STATE,),
    "band": (Kind.FROZEN,),
    "while_tag": (Kind.FROZEN,),
    "while_above": (Kind.FROZEN,),
    "detector": (Kind.DRIFT,),
    "season": (Kind.DRIFT,),
    "span_s": (Kind.DRIFT,),
    "base_s": (Kind.DRIFT,),
    "warm_up_s": (Kind.DRIFT,),
    "allowance": (Kind.DRIFT,),
    "name": (Kind.DEVIATION, Kind.STATE, Kind.FROZEN, Kind.TREND, Kind.DRIFT, Kind.EXPRESSION),
    "when": (Kind.EXPRESSION,),
}

DAY_S: Final = 86_400
DELAY: Final = Span(least=0, most=DAY_S)
LASTING: Final = Span(above=0, most=7 * DAY_S)
STATES_MAX: Final = 64
BITS_MAX: Final = 2**53 - 1  # Larger whole numbers are not exact in float64.
SCANS_FLAT: Final = 3  # Between two samples every value is flat.


def refuse_foreign(entry: Entry, kind: str) -> None:
    """Note every key that the kind of rule does not have."""
    for key, kinds in KEYS_OF.items():
        if kind and entry.has(key) and Kind[kind] not in kinds:
            have = " or ".join(each.name for each in kinds)
            entry.wrong(key, f"{key} is given for {kind}; only {have} has one.", f"Remove {key}.")


def condition_of_entry(entry: Entry, kind: Kind, tag: str, tags: Mapping[str, Tag], tier: Tier) -> Rule | None:
    """Read a ``[[rule]]`` of one of these kinds; None where its tag does not exist."""
    for key in _keys_without_use(kind):
        if entry.has(key):
            entry.wrong(key, f"{key} is given; a {kind.name} has none.", f"Remove {key}.")
    name = entry.required("name", NAME_RULE, is_name) if entry.has("name") else ""
    setpoint = 0.0 if kind is Kind.STATE else _setpoint(entry, kind)
    reference = _reference(entry, tag, tags) if kind is Kind.DEVIATION else 0.0
    states, mask, pattern = _states(entry) if kind is Kind.STATE else ((), 0, 0)
    own = tags.get(tag)
    rule = Rule(
        id=f"{tag}.{kind.name}" + (f":{name}" if name else ""),
        tag=tag,
        kind=kind,
        name=name,
        setpoint=setpoint or 0.0,
        tier=tier,
        deadband=entry.number("deadband", 0.0, Span(least=0)) if kind is Kind.DEVIATION else 0.0,
        on_delay_s=entry.number("on_delay_s", 0.0, DELAY) if kind in (Kind.DEVIATION, Kind.STATE) else 0.0,
        off_delay_s=entry.number("off_delay_s", 0.0, DELAY),
        reference=reference,
        states=states,
        mask=mask,
        pattern=pattern,
        band=entry.number("band", own.resolution if own else 0.0, Span(least=0)) if kind is Kind.FROZEN else 0.0,
        while_tag=_other(entry, "while_tag", tag, tags) if kind is Kind.FROZEN else "",
        while_above=entry.number("while_above", 0.0) if kind is Kind.FROZEN else 0.0,
        is_latching=entry.flag("latching", default=False),
        response=entry.titles("response", ""),
    )
    if own is None:
        return None
    if setpoint is not None:
        _check(entry, rule, own)
    return rule


def _keys_without_use(kind: Kind) -> tuple[str, ...]:
    match kind:
        case Kind.DEVIATION:
            return ("window_s",)
        case Kind.STATE:
            return ("setpoint", "window_s", "deadband")
        case _:  # Their setpoint is the time that they must last.
            return ("window_s", "deadband", "on_delay_s")


def _setpoint(entry: Entry, kind: Kind) -> float | None:
    if not entry.has("setpoint"):
        what = (
            "how far the value may be from its reference" if kind is Kind.DEVIATION else "how long it must last, in s"
        )
        entry.wrong("setpoint", f"setpoint is missing; it is {what}.", "Add setpoint.")
        return None
    return entry.number_or_none("setpoint", Span(above=0) if kind is Kind.DEVIATION else LASTING)


def _reference(entry: Entry, tag: str, tags: Mapping[str, Tag]) -> float | str:
    """Read the reference of a DEVIATION: a number, or the name of another tag."""
    if not entry.has("reference"):
        entry.wrong(
            "reference",
            "reference is missing; a DEVIATION is measured from a number or from another tag.",
            "Add reference.",
        )
        return 0.0
    value = entry.values["reference"]
    if isinstance(value, str) and not (entry.is_expanded and parse_number(value, is_expanded=True) is not None):
        return _other(entry, "reference", tag, tags) or 0.0
    number = entry.number_or_none("reference")
    if number is None:
        return 0.0
    own = tags.get(tag)
    if own is not None and (number < own.range_lo or number > own.range_hi):
        entry.wrong(
            "reference",
            f"reference {number:g} is outside the instrument range of tag {tag}.",
            "Put the reference or the range right.",
        )
    return number


def _other(entry: Entry, key: str, tag: str, tags: Mapping[str, Tag]) -> str:
    """Read the name of another tag of the same nature; empty where there is none or it is wrong."""
    name = entry.text(key)
    if not name:
        return ""
    if name not in tags:
        entry.wrong(key, f"{key}: tag {show(name)} does not exist.", meant(name, tuple(tags)))
        return ""
    if name == tag:
        entry.wrong(key, f"{key} is the rule's own tag.", "Name another tag.")
        return ""
    if tag in tags and tags[name].nature is not tags[tag].nature:
        entry.wrong(
            key,
            f"{key}: tag {name} is of nature {tags[name].nature}, tag {tag} of nature {tags[tag].nature}; natures "
            "never mix.",
            "Name a tag of the same nature.",
        )
        return ""
    return name


def _states(entry: Entry) -> tuple[tuple[float, ...], int, int]:
    """Read the states of a STATE, or its mask and pattern."""
    if entry.has("states") == entry.has("mask"):
        entry.wrong(
            "states",
            "states and mask are both given." if entry.has("states") else "states is missing, and mask too.",
            "Write states = [1, 3], or mask and pattern for bits.",
        )
        return (), 0, 0
    if entry.has("mask"):
        mask = entry.whole_or_none("mask", 1, BITS_MAX) or 0
        if not entry.has("pattern"):
            entry.wrong("pattern", "pattern is missing; it is what the bits under the mask must be.", "Add pattern.")
        pattern = entry.whole_or_none("pattern", 0, BITS_MAX) or 0
        if mask and pattern & ~mask:
            entry.wrong(
                "pattern",
                f"pattern {pattern} has bits that mask {mask} has not; it could never be met.",
                "Put pattern or mask right.",
            )
        return (), mask, pattern
    if entry.has("pattern"):
        entry.wrong("pattern", "pattern is given without mask.", "Add mask, or remove pattern.")
    value = entry.values["states"]
    numbers = value if isinstance(value, list) else []
    states = [
        float(n) for n in numbers if isinstance(n, int | float) and not isinstance(n, bool) and abs(n) <= BITS_MAX
    ]
    if not isinstance(value, list) or len(states) != len(numbers) or not 0 < len(states) <= STATES_MAX:
        entry.wrong(
            "states",
            f"states is {show(value)}; it must be a list of 1 to {STATES_MAX} numbers.",
            "Write states = [1, 3].",
        )
        return (), 0, 0
    return tuple(states), 0, 0


def _check(entry: Entry, rule: Rule, tag: Tag) -> None:
    """Note what would keep a rule from ever tripping or clearing."""
    if rule.kind is Kind.DEVIATION and rule.deadband >= rule.setpoint > 0:
        entry.wrong(
            "deadband",
            f"deadband {rule.deadband:g} is not smaller than the setpoint {rule.setpoint:g}; the deviation could never "
            "clear.",
            f"Make the deadband smaller than {rule.setpoint:g}.",
        )
    if rule.kind is Kind.FROZEN:
        if 0 < rule.setpoint < SCANS_FLAT * tag.period_s:
            entry.wrong(
                "setpoint",
                f"FROZEN after {rule.setpoint:g} s is shorter than three periods of {tag.period_s:g} s; every value is "
                "flat between two samples.",
                f"Write at least {SCANS_FLAT * tag.period_s:g}.",
            )
        if entry.has("while_above") and not entry.has("while_tag"):
            entry.wrong("while_tag", "while_above is given without while_tag.", "Add while_tag, or remove while_above.")
        span = tag.range_hi - tag.range_lo
        if math.isfinite(span) and rule.band >= span:
            entry.wrong(
                "band",
                f"band {rule.band:g} is as wide as the instrument range; the value could never leave it.",
                "Make the band smaller: a few times the noise of the instrument.",
            )
    has_ends = not (math.isnan(tag.range_lo) and math.isnan(tag.range_hi)) and not tag.address.get("signal")
    if rule.kind is Kind.RANGE and not has_ends:
        if tag.address.get("sentinel"):
            return
        if tag.address.get("signal"):
            entry.wrong(
                "kind",
                f"RANGE is given, but tag {tag.name} is a 4-20 mA loop: beyond its range it measures or has failed, "
                "and fill values it has none; it could never trip.",
                "Remove the rule: the BAD rule tells a failed loop. Or remove signal, and its range is judged as such.",
            )
            return
        entry.wrong(
            "kind",
            f"RANGE is given, but tag {tag.name} has neither an instrument range nor fill values; it could never trip.",
            "Add range_lo, range_hi or sentinel to the tag, or remove the rule.",
        )
