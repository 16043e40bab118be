"""DRIFT rules: what a ``[[rule]]`` says of them, and what must hold for them.

Why: a baseline as quick as the average that is compared with it, or a warm-up shorter than a season, finds nothing.
"""

import math
from collections.abc import Mapping
from typing import Final

from alerting.model.drift import ALLOWANCE, BIN_S, SEASON_S, SETPOINT, WARM_UP_S, Drift
from alerting.model.rule import Kind, Rule
from alerting.model.signal import signal_of
from alerting.model.tier import Tier
from edge.load.entry import Entry, Span
from edge.load.words import NAME_RULE, is_name
from edge.model import Tag

#: Keys of a ``[[rule]]`` that only a DRIFT has.
DRIFT_KEYS: Final = ("detector", "season", "span_s", "base_s", "warm_up_s", "allowance")
DIRECTIONS: Final = ("both", "up", "down")
LEARNED: Final = "learned"  # Instead of a number: what the artefact of fengsui learn says.

DAY_S: Final = 86_400
SPANS_BASE: Final = 4  # The baseline is at least that much slower than what is compared with it.
SETPOINTS: Final = Span(least=2, most=1000)
SPAN: Final = Span(above=0, most=DAY_S)
BASE: Final = Span(above=0, most=30 * DAY_S)
WARM_UP: Final = Span(above=0, most=60 * DAY_S)
ALLOWANCES: Final = Span(above=0, most=100)


def is_learned(entry: Entry, key: str) -> bool:
    """Tell whether a number is left to the artefact."""
    value = entry.values.get(key)
    return isinstance(value, str) and value.strip() == LEARNED


def drift_of_entry(entry: Entry, tag: str, tags: Mapping[str, Tag], tier: Tier) -> Rule | None:
    """Read a ``[[rule]]`` of kind DRIFT; None where its tag does not exist. A learned setpoint is NaN until settled."""
    for key in (
        "window_s",
        "deadband",
        "to",
        "horizon_s",
        "method",
        "alpha",
        "samples_min",
        "block_s",
        "blocks",
        "line",
    ):
        if entry.has(key):
            entry.wrong(key, f"{key} is given; a DRIFT has none.", f"Remove {key}.")
    if tier is not Tier.BLUE:
        entry.wrong(
            "tier",
            f"tier is {tier.name}; what a DRIFT says alone is a silent BLUE.",
            "Remove tier, and give the tag a limit or a TREND for what must be heard.",
        )
    name = entry.required("name", NAME_RULE, is_name) if entry.has("name") else ""
    own = tags.get(tag)
    usual = signal_of(own.kind if own else "")
    detector = entry.choice("detector", tuple(SETPOINT), usual.detector)
    season = entry.choice("season", tuple(SEASON_S), usual.season)
    span_s = entry.number("span_s", max(usual.span_s, own.period_s if own else 0.0), SPAN)
    base_s = entry.number("base_s", max(usual.base_s, SPANS_BASE * span_s), BASE)
    drift = Drift(
        detector=detector,
        season=season,
        direction=entry.choice("direction", DIRECTIONS, "both"),
        span_s=span_s,
        base_s=base_s,
        warm_up_s=entry.number("warm_up_s", WARM_UP_S.get(season, base_s), WARM_UP),
        allowance=entry.number("allowance", ALLOWANCE, ALLOWANCES),
    )
    setpoint = math.nan
    if not is_learned(entry, "setpoint"):
        setpoint = entry.number("setpoint", SETPOINT[detector], SETPOINTS)
    rule = Rule(
        id=f"{tag}.DRIFT" + (f":{name}" if name else ""),
        tag=tag,
        kind=Kind.DRIFT,
        name=name,
        setpoint=setpoint,
        tier=tier,
        gap_s=entry.number("gap_s", 0.0, SPAN),
        on_delay_s=entry.number("on_delay_s", 0.0, Span(least=0, most=DAY_S)),
        off_delay_s=entry.number("off_delay_s", 0.0, Span(least=0, most=DAY_S)),
        drift=drift,
        is_latching=entry.flag("latching", default=False),
        response=entry.titles("response", ""),
    )
    if own is None:
        return None
    _check(entry, rule, drift, own)
    return rule


def _check(entry: Entry, rule: Rule, drift: Drift, tag: Tag) -> None:
    """Note what would keep a DRIFT from ever finding anything."""
    if drift.detector != "cusum" and entry.has("allowance"):
        entry.wrong("allowance", "allowance is given; only a CUSUM has one.", 'Remove it, or detector = "cusum".')
    if drift.season != "none" and tag.period_s > BIN_S:
        entry.wrong(
            "season",
            f"season is {drift.season}, and tag {tag.name} comes every {tag.period_s:g} s; a profile has a step each "
            f"{BIN_S} s.",
            'Write season = "none".',
        )
    for key, span_s, periods in (("span_s", drift.span_s, 1), ("gap_s", rule.gap_s, 2)):
        if 0 < span_s < periods * tag.period_s:
            entry.wrong(
                key,
                f"{key} of {span_s:g} s is shorter than {periods} period{'s' * (periods > 1)} of {tag.period_s:g} s.",
                f"Write at least {periods * tag.period_s:g}.",
            )
    if drift.base_s < SPANS_BASE * drift.span_s:
        entry.wrong(
            "base_s",
            f"base_s of {drift.base_s:g} s is shorter than four times span_s ({drift.span_s:g} s); the baseline would "
            "follow what it is to find.",
            f"Write at least {SPANS_BASE * drift.span_s:g}.",
        )
    least_s = max(float(SEASON_S[drift.season]), drift.base_s / 2)
    if drift.warm_up_s < least_s:
        entry.wrong(
            "warm_up_s",
            f"warm_up_s of {drift.warm_up_s:g} s is shorter than what must be learnt: one {drift.season}, and half of "
            "base_s."
            if drift.season != "none"
            else f"warm_up_s of {drift.warm_up_s:g} s is shorter than half of base_s.",
            f"Write at least {least_s:g}.",
        )
