"""Loop: what a check-out proves of a tag, and which alarms an injected value may ring. Pure.

Why: a record holds for the tag as it was configured then. Two digests are kept with it, of the way from instrument to
    value and of the tag's limits; where one differs now, the tag has changed since its check.
"""

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from alerting.model.alarm import digest
from alerting.model.derivation import Derivation
from alerting.model.rule import Rule, RuleTable
from edge.config import Source
from edge.model import Tag
from gateway.config import Site

#: Parts of a rule that do not shape when it trips. All others do, so that a part that rules are given later is not
#: forgotten here.
NOT_SHAPING: Final = frozenset({"id", "tag", "revision", "response", "rationale"})
SHAPING: Final = tuple(part.name for part in fields(Rule) if part.name not in NOT_SHAPING)


class Standing(StrEnum):
    """How a tag stands."""

    UNCHECKED = "unchecked"
    FAILED = "failed"
    CHECKED = "checked"
    CHANGED = "changed"  # since it was checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """What a record holds for: the way of the signal, and the limits."""

    signal: str
    limits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringing:
    """An alarm that an injected value may ring.

    Attributes:
        is_own: Of the tag itself; else of a rule that reads it, or of a tag computed from it.
    """

    key: str
    tag: str
    unit: str
    group: str
    is_own: bool


def digests(site: Site, rules: RuleTable, tag: Tag) -> Digests:
    """Give what a check-out of a tag holds for."""
    source = next((one for one in site.sources if one.id == tag.source), None)
    signal = (
        tag.source,
        _way(source),
        sorted((key, repr(value)) for key, value in tag.address.items()),
        tag.eu,
        repr(tag.range_lo),
        repr(tag.range_hi),
    )
    limits = sorted(
        repr((rule.id, [(name, _said(getattr(rule, name))) for name in SHAPING])) for rule in _of_tag(rules, tag)
    )
    return Digests(signal=_digest(signal), limits=_digest(limits))


def _way(source: Source | None) -> object:
    """Give where a source's values come from; never a password."""
    if source is None:
        return ""
    by = source.nodes if source.is_merged else source.node
    if source.modbus is not None:
        return (source.protocol, by, source.modbus.line, source.modbus.device_id)
    if source.sparkplug is not None and source.mqtt is not None:
        named = source.sparkplug
        return (
            source.protocol,
            by,
            source.mqtt.host,
            source.mqtt.port,
            named.group,
            named.tag,
            named.node_tag,
        )
    if source.mqtt is not None:
        return (source.protocol, by, source.mqtt.host, source.mqtt.port, repr(source.mqtt.topics))
    if source.hj212 is not None:
        return (source.protocol, by, source.hj212.port, source.hj212.station, source.hj212.tag)
    if source.opcua is not None:
        return (source.protocol, by, source.opcua.url)
    return (source.protocol, by)


def _said(value: object) -> str:
    """Write a value the same way in every version: a word by its name, a number as a number."""
    name = getattr(value, "name", None)
    if isinstance(name, str):
        return name
    return repr(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)


def _digest(what: object) -> str:
    return blake2b(repr(what).encode(), digest_size=12).hexdigest()


def _of_tag(rules: RuleTable, tag: Tag) -> list[Rule]:
    row = rules.tags.row_of[tag.name]
    mine = (rules[index] for index in range(int(rules.first[row]), int(rules.first[row + 1])))
    return [rule for rule in mine if not rule.is_hidden]


def rules_of(rules: RuleTable, tag: Tag) -> list[int]:
    """Give the indexes of the tag's own rules that people see."""
    row = rules.tags.row_of[tag.name]
    return [k for k in range(int(rules.first[row]), int(rules.first[row + 1])) if not rules[k].is_hidden]


def ringing(site: Site, rules: RuleTable, tag: Tag) -> list[Ringing]:
    """Give the alarms that an injected value may ring: the tag's own first, then of all that reads it."""
    moved = computed_from(site.derived, tag.name)
    found: dict[str, Ringing] = {}
    for index, rule in enumerate(rules):
        if rule.is_hidden or not (moved.intersection(rule.inputs) or rule.tag in moved):
            continue
        name, group = rules.alarms[int(rules.alarm[index])]
        of = rules.tags[rules.tags.row_of[name]]
        key = digest(site.id, of.nature, name, group)
        found.setdefault(key, Ringing(key=key, tag=name, unit=of.unit, group=group, is_own=name == tag.name))
    return sorted(found.values(), key=lambda one: (not one.is_own, one.tag, one.group))


def computed_from(derived: tuple[Derivation, ...], tag: str) -> set[str]:
    """Give a tag and all that is computed from it, over any number of steps."""
    moved = {tag}
    grows = True
    while grows:
        more = {each.tag for each in derived if moved.intersection(each.asked)} - moved
        grows = bool(more)
        moved |= more
    return moved


def error_percent(injected: float | None, value: float, tag: Tag) -> float | None:
    """Give how far the value is from what was injected, in percent of the instrument range; None where it has none."""
    span = tag.range_hi - tag.range_lo
    if injected is None or not math.isfinite(value) or not (math.isfinite(span) and span > 0):
        return None
    return 100.0 * (value - injected) / span
