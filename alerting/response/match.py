"""Match: which emergency plan fits what happens, the most specific first, and why.

Flow: what each plan is for, and the situation -> [fits] -> plans that fit, in order, each with its reasons
Why: a plan that opens by itself must be explained to whoever wonders why not the other one.
Never: does I/O, reads a clock.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from alerting.model.tier import Tier
from alerting.push.words import TIER_ZH, condition_said
from alerting.register.field import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a plan is for; empty means any.

    Attributes:
        substance: CAS number.
        tier: It fits from this one upwards.
    """

    code: str
    unit: str = ""
    substance: str = ""
    condition: str = ""
    tier: Tier

    @property
    def place(self) -> tuple[str, str, str, Tier]:
        """Give what two plans must not share: both would fit equally well."""
        return self.unit, self.substance, self.condition, self.tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What happens.

    Attributes:
        substances: Amount that the unit holds by CAS number, t.
        conditions: Conditions of the unit's alarms.
    """

    unit: str
    tier: Tier
    substances: Mapping[str, float] = field(default_factory=dict)
    conditions: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A plan that fits, and why."""

    scope: Scope
    reasons: tuple[Words, ...]


def fits(scopes: Iterable[Scope], now: Situation) -> list[Fit]:
    """Give the plans that fit, the best first.

    A plan of the unit goes before one for every unit, then one of its substance, then one of the condition, then the
    one that begins at the higher tier. Of plans of several substances of one unit, the larger amount goes first.
    """
    found = [scope for scope in scopes if misfit(scope, now) is None]
    found.sort(
        key=lambda one: (
            one.unit == "",
            one.substance == "",
            one.condition == "",
            -int(one.tier),
            -now.substances.get(one.substance, 0.0),
            one.code,
        )
    )
    return [Fit(scope=scope, reasons=_reasons(scope, now)) for scope in found]


def misfit(scope: Scope, now: Situation) -> Words | None:
    """Tell why a plan does not fit; None where it does."""
    if scope.unit not in ("", now.unit):
        return Words(f"it is for unit {scope.unit}", f"仅适用于单元 {scope.unit}")
    if scope.substance and scope.substance not in now.substances:
        return Words(f"the unit does not hold {scope.substance}", f"单元内没有登记物质 {scope.substance}")
    if scope.condition and scope.condition not in now.conditions:
        return _words("no alarm of the unit has the condition “{}”", "单元内没有“{}”条件的报警", scope.condition)
    if scope.tier > now.tier:
        return Words(f"it begins at {scope.tier.name}", f"{_zh(scope.tier)}及以上才适用")
    return None


def _words(en: str, zh: str, condition: str) -> Words:
    return Words(en.format(condition_said(condition, "en")), zh.format(condition_said(condition, "zh")))


def _reasons(scope: Scope, now: Situation) -> tuple[Words, ...]:
    said = [
        Words(f"for unit {scope.unit}", f"适用单元 {scope.unit}")
        if scope.unit
        else Words("for every unit", "适用所有单元")
    ]
    if scope.substance:
        amount = now.substances[scope.substance]
        said.append(
            Words(
                f"the unit holds {scope.substance}, {amount:g} t by its design maximum",
                f"单元内登记有 {scope.substance}，设计最大量 {amount:g} t",
            )
        )
    if scope.condition:
        said.append(_words("an alarm of the unit has the condition “{}”", "单元内有“{}”条件的报警", scope.condition))
    said.append(
        Words(
            f"from {scope.tier.name}; the unit is {now.tier.name}",
            f"{_zh(scope.tier)}起适用，单元当前为{_zh(now.tier)}",
        )
    )
    return tuple(said)


def _zh(tier: Tier) -> str:
    return TIER_ZH[tier.name]
