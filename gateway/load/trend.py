"""TREND rules: what the configuration says of times to limit, and what must hold for them.

Why: a trend to a limit that is not there, or with a horizon shorter than two samples, could never warn.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from alerting.model.blocks import BLOCKS_LEAST, BLOCKS_MOST, LINES, Blocks
from alerting.model.rule import LIMITS, Kind, Rule
from alerting.model.signal import signal_of
from alerting.model.tier import Tier
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import NAME_RULE, is_name
from edge.model import Tag
from gateway.load.drift import is_learned

#: Keys of a ``[[rule]]`` that only a TREND has.
TREND_KEYS: Final = (
    "to", "direction", "horizon_s", "method", "alpha", "samples_min", "block_s", "blocks", "line", "gap_s",
)  # fmt: skip
#: Names of the limits that a tag may run to.
GOALS: Final = tuple(kind.name for kind in LIMITS)
DIRECTIONS: Final = ("up", "down")
METHODS: Final = ("kalman", "blocks")
#: Keys that only one of the methods has.
METHOD_OF: Final = {
    "alpha": "kalman", "samples_min": "kalman", "block_s": "blocks", "blocks": "blocks", "line": "blocks",
}  # fmt: skip

DAY_S: Final = 86_400
HORIZON: Final = Span(above=0, most=DAY_S)  # A day ahead is planning, not an alarm.
ALPHA: Final = Span(least=0.001, most=0.5)  # From a memory of a thousand samples to one of two.
GAP: Final = Span(above=0, most=DAY_S)
SAMPLES_MIN: Final = 10
BLOCK: Final = Span(above=0, most=3600)
BLOCK_PERIODS: Final = 15.0  # Samples of a block where the rule says nothing.
BLOCKS: Final = 20


def trend_of_entry(entry: Entry, tag: str, tier: Tier) -> Rule | None:
    """Read a ``[[rule]]`` of kind TREND; what it runs to is settled when all limits are known."""
    for key, why in (("setpoint", "to says what it runs to"), ("deadband", "it has none"), ("window_s", "it has none")):
        if entry.has(key):
            entry.wrong(key, f"{key} is given for a TREND; {why}.", f"Remove {key}.")
    to, number, is_falling = _goal(entry)
    blocks = _blocks(entry)
    if not entry.has("horizon_s"):
        entry.wrong("horizon_s", "horizon_s is missing; it is how far ahead a TREND warns.", "Add horizon_s.")
    name = entry.required("name", NAME_RULE, is_name) if entry.has("name") else ""
    rule = Rule(
        id=f"{tag}.TREND" + (f":{name}" if name else ""),
        tag=tag,
        kind=Kind.TREND,
        name=name,
        setpoint=number or 0.0,
        tier=tier,
        to=to,
        is_falling=is_falling,
        horizon_s=_horizon_s(entry, "horizon_s"),
        alpha=entry.number_or_none("alpha", ALPHA) or 0.0,
        samples_min=0 if blocks else entry.whole("samples_min", SAMPLES_MIN, 5, 10_000),
        blocks=blocks,
        gap_s=entry.number_or_none("gap_s", GAP) or 0.0,
        on_delay_s=entry.number("on_delay_s", 0.0, Span(least=0, most=DAY_S)),
        off_delay_s=entry.number("off_delay_s", 0.0, Span(least=0, most=DAY_S)),
        is_latching=entry.flag("latching", default=False),
        response=entry.titles("response", ""),
    )
    return rule if to or number is not None else None


def trend_of_row(row: Entry, tag: str, tier: Tier) -> Rule | None:
    """Read the TREND of a tag table's row; None where it has none."""
    given = [column for column in ("trend_to", "trend_horizon_s", "trend_alpha", "tier_trend") if row.has(column)]
    if not given:
        return None
    for column in ("trend_to", "trend_horizon_s"):
        if not row.has(column):
            row.wrong(column, f"{given[0]} is given without {column}.", f"Add {column}, or leave {given[0]} empty.")
    to = row.choice("trend_to", GOALS, "HH") if row.has("trend_to") else ""
    if not to or not row.has("trend_horizon_s"):
        return None
    return Rule(
        id=f"{tag}.TREND",
        tag=tag,
        kind=Kind.TREND,
        setpoint=0.0,
        tier=tier,
        to=to,
        is_falling=to in ("L", "LL"),
        horizon_s=_horizon_s(row, "trend_horizon_s"),
        alpha=row.number_or_none("trend_alpha", ALPHA) or 0.0,
        samples_min=SAMPLES_MIN,
        response=row.titles("response", ""),
    )


def settle_trend(rule: Rule, tag: Tag, limits: Mapping[Kind, Rule]) -> tuple[Rule, list[tuple[str, str, str]]]:
    """Give a TREND with its limit and gain, and its mistakes as (key, sentence, remedy)."""
    wrong: list[tuple[str, str, str]] = []
    setpoint = rule.setpoint
    if rule.to:
        goal = limits.get(Kind[rule.to])
        if goal is None:
            there = ", ".join(kind.name for kind in LIMITS if kind in limits) or "none"
            wrong.append(
                (
                    "to",
                    f"TREND runs to {rule.to}, which the tag has not (it has {there}).",
                    f"Add {rule.to}, or run to another.",
                )
            )
        else:
            setpoint = goal.setpoint
    elif setpoint < tag.range_lo or setpoint > tag.range_hi:
        wrong.append(
            ("to", f"TREND runs to {setpoint:g}, outside the instrument range.", "Run to a value that can be measured.")
        )
    for key, span_s in (("horizon_s", rule.horizon_s), ("gap_s", rule.gap_s)):
        if 0 < span_s < 2 * tag.period_s:
            wrong.append(
                (
                    key,
                    f"{key} of {span_s:g} s is shorter than two periods of {tag.period_s:g} s; no slope is seen in it.",
                    "Write at least two periods.",
                )
            )
    if rule.blocks is None:
        alpha = rule.alpha or signal_of(tag.kind).alpha(tag.period_s)
        return replace(rule, setpoint=setpoint, alpha=alpha), wrong
    block_s = rule.blocks.block_s or BLOCK_PERIODS * tag.period_s
    blocks = replace(rule.blocks, block_s=block_s)
    wrong += _wrong_blocks(rule, blocks, tag)
    return replace(rule, setpoint=setpoint, alpha=0.0, blocks=blocks), wrong


def _horizon_s(entry: Entry, key: str) -> float:
    """Read a horizon; NaN where it is left to the artefact, 0 where it is wrong."""
    return math.nan if is_learned(entry, key) else entry.number_or_none(key, HORIZON) or 0.0


def _blocks(entry: Entry) -> Blocks | None:
    """Read the keys of the method; a length of 0 is settled when the tag's period is known."""
    method = entry.choice("method", METHODS, METHODS[0])
    for key, needed in METHOD_OF.items():
        if entry.has(key) and method != needed:
            remedy = f"Remove {key}." if needed == "kalman" else f'Remove {key}, or write method = "blocks".'
            entry.wrong(key, f'{key} is given; a TREND with method = "{method}" has none.', remedy)
    if method != "blocks":
        return None
    return Blocks(
        block_s=entry.number_or_none("block_s", BLOCK) or 0.0,
        count=entry.whole("blocks", BLOCKS, BLOCKS_LEAST, BLOCKS_MOST),
        line=entry.choice("line", LINES, LINES[0]),
    )


def _wrong_blocks(rule: Rule, blocks: Blocks, tag: Tag) -> list[tuple[str, str, str]]:
    """Give what would keep a line from ever being drawn."""
    wrong: list[tuple[str, str, str]] = []
    if blocks.block_s < tag.period_s:
        wrong.append(
            (
                "block_s",
                f"block_s of {blocks.block_s:g} s is shorter than one period of {tag.period_s:g} s.",
                f"Write at least {tag.period_s:g}.",
            )
        )
    if blocks.span_s > DAY_S:
        wrong.append(
            (
                "blocks",
                f"{blocks.count} blocks of {blocks.block_s:g} s are more than a day; a line goes through one at most.",
                "Write fewer or shorter blocks.",
            )
        )
    if 0 < rule.gap_s < blocks.block_s:
        wrong.append(
            (
                "gap_s",
                f"gap_s of {rule.gap_s:g} s is shorter than a block of {blocks.block_s:g} s.",
                f"Write at least {blocks.block_s:g}, or leave it out for a quarter of the line's span.",
            )
        )
    return wrong


def _goal(entry: Entry) -> tuple[str, float | None, bool]:
    """Read ``to`` and ``direction``: (name, None, falls) or ("", number, falls); ("", None, False) where wrong."""
    if not entry.has("to"):
        entry.wrong("to", "to is missing; a TREND runs to a limit of the tag or to a number.", 'Add to = "HH".')
        return "", None, False
    value = entry.values["to"]
    if isinstance(value, str):
        if value.strip() not in GOALS:
            entry.wrong(
                "to", f"to is {show(value)}; it is one of {', '.join(GOALS)}, or a number.", meant(value, GOALS)
            )
            return "", None, False
        if entry.has("direction"):
            entry.wrong("direction", "direction is given; a TREND to a limit has the limit's.", "Remove direction.")
        return value.strip(), None, value.strip() in ("L", "LL")
    number = entry.number_or_none("to")
    direction = entry.choice("direction", DIRECTIONS, "")
    return "", number, direction == "down"
