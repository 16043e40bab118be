"""Tuning advice: setpoints, deadbands and on-delays from normal operation, each with its reason. All of it is ours.

Flow: profile of normal operation, figures -> [advise] -> advice -> [apply] -> the advised rules, carried once more
Why: a static limit just above where the plant normally stops (``stops``) beats every trend on a slow fill, a deadband
    below the noise chatters, and an on-delay longer than the splashes keeps them quiet.
Never: changes a site. What the advice would do is measured on the same recording, and a person decides.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from alerting.model.rule import LIMITS, Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.nuisance import DEADBAND_SHARE, ON_DELAY_MOST, ON_DELAY_OTHER
from edge.model import Tag
from gateway.backtest.labels import Label, inside
from gateway.backtest.profile import Normal, Profile
from gateway.backtest.score import Heard
from gateway.backtest.stops import SPREAD_LEAST, NormalStop

SIGMAS_MARGIN = 1.0  # The setpoint stands that far from the normal extreme, which has the noise in it already,
SPAN_MARGIN = 0.02  # or that share of the normal span, or one resolution, whichever is most.
SIGMAS_DEADBAND = 6.0  # ±3 σ: noise about a setpoint does not cross both it and the deadband.
CLOSER_SHARE = 0.1  # A limit is advised to come closer only by more than this share of the normal span.
SHORT_LEAST, SHORT_SHARE = 3, 0.5  # Short excursions call for an on-delay when so many, and that share of all.
SIDES = ((Kind.H, Kind.HH, 1.0), (Kind.L, Kind.LL, -1.0))


@dataclass(slots=True, kw_only=True)
class Advice:
    """One piece of advice.

    Attributes:
        rule: Rule id; of a new rule where ``now`` is None.
        field: ``setpoint``, ``deadband``, ``on_delay_s``, or ``review`` where no number would help.
        now, proposed: In the tag's engineering unit, or s.
        reason: By language.
        alarms_now, alarms_expected: Trips of the rule on this recording as it is, and with all advice together.
        stop: Of a setpoint where the tag comes to rest in operation: the fields of ``stops.NormalStop``, ``goal``, what
            it must not reach, and ``lead_s``, ``lead_fast_s``, how long a normal and a fast fill take from the proposed
            setpoint to there. None where it has no normal stop.
    """

    rule: str
    tag: str
    kind: Kind
    field: str
    now: float | None
    proposed: float | None
    eu: str
    reason: dict[str, str]
    alarms_now: int
    alarms_expected: int | None = None
    stop: dict[str, float] | None = None

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {**asdict(self), "kind": self.kind.name, "status": "ours"}


def advise(table: RuleTable, profile: Profile, heard: Heard, labels: list[Label], end_ns: int) -> list[Advice]:
    """Give all advice, by tag in the order of the table."""
    found: list[Advice] = []
    for row, tag in enumerate(table.tags):
        normal = profile.normal(row)
        if normal is None:
            continue
        mine = [table[k] for k in range(int(table.first[row]), int(table.first[row + 1]))]
        limits = {rule.kind: rule for rule in mine if not rule.name and rule.kind in LIMITS}
        here: list[Advice] = []
        for inner, outer, sign in SIDES:
            stop = profile.stops.normal(row, sign, normal.high - normal.low)
            side = _Side(sign, limits.get(inner), limits.get(outer), _goal(mine, limits.get(outer), sign), stop)
            here += _setpoint(tag, normal, side, _Trips(table, heard, labels))
        for rule in limits.values():
            here += _deadband(tag, normal, rule, _Trips(table, heard, labels))
            if rule.kind in (Kind.L, Kind.H):
                here += _on_delay(tag, rule, _Trips(table, heard, labels), end_ns)
        found += _allowed(tag, normal, limits, here)
    return found


def apply(table: RuleTable, advice: Sequence[Advice]) -> RuleTable:
    """Give the rules with all advice in them, to be tried out."""
    rules = {rule.id: rule for rule in table}
    for each in advice:
        if each.proposed is None:
            continue
        if each.rule in rules:
            rules[each.rule] = replace(rules[each.rule], **{each.field: each.proposed})  # type: ignore[arg-type]
        else:
            outer = rules.get(f"{each.tag}.{'HH' if each.kind is Kind.H else 'LL'}")
            tier = Tier.YELLOW if outer is None else min(Tier.YELLOW, outer.tier)
            rules[each.rule] = Rule(id=each.rule, tag=each.tag, kind=each.kind, setpoint=each.proposed, tier=tier)
    return RuleTable(list(rules.values()), table.tags)


def expect(advice: Sequence[Advice], advised: RuleTable, heard: Heard) -> None:
    """Note what the advised rules did on the same recording."""
    for each in advice:
        if each.proposed is not None:
            each.alarms_expected = len(heard.trips.get(advised.index_of[each.rule], ()))


class _Trips:
    """How often rules tripped, in all and in normal operation."""

    def __init__(self, table: RuleTable, heard: Heard, labels: list[Label]) -> None:
        self._table, self._heard, self._labels = table, heard, labels

    def all(self, rule: Rule) -> int:
        return len(self._heard.trips.get(self._table.index_of[rule.id], ()))

    def normal(self, rule: Rule) -> int:
        times_ns = np.array(self._heard.trips.get(self._table.index_of[rule.id], ()), dtype=np.int64)
        return int(np.count_nonzero(~inside(times_ns, [each for each in self._labels if each.speaks_of(rule.tag)])))

    def normal_lengths_s(self, rule: Rule, end_ns: int) -> list[float]:
        start, end = self._heard.excursions(self._table.index_of[rule.id], end_ns)
        is_normal = ~inside(start, [each for each in self._labels if each.speaks_of(rule.tag)])
        return [float(length) for length in (end - start)[is_normal & (end < end_ns)] / 1e9]


def _allowed(tag: Tag, normal: Normal, limits: Mapping[Kind, Rule], advice: Sequence[Advice]) -> list[Advice]:
    """Leave out what ``fengsui check`` would refuse, and deadbands with which a limit would hardly let go.

    A setpoint stays inside the instrument's range; a deadband reaches neither the next limit nor the middle of normal
    operation.
    """
    middle = (normal.low + normal.high) / 2
    inside_range = [
        each
        for each in advice
        if each.field != "setpoint" or each.proposed is None or not _is_beyond(tag, each.proposed)
    ]
    setpoints = {kind: rule.setpoint for kind, rule in limits.items()}
    setpoints |= {
        each.kind: each.proposed for each in inside_range if each.field == "setpoint" and each.proposed is not None
    }
    order = [setpoints[kind] for kind in (Kind.LL, Kind.L, Kind.H, Kind.HH) if kind in setpoints]

    def fits(each: Advice) -> bool:
        if each.field != "deadband" or each.proposed is None:
            return True
        setpoint = setpoints[each.kind]
        place = order.index(setpoint) + (-1 if each.kind in (Kind.H, Kind.HH) else 1)
        sign = 1.0 if each.kind in (Kind.H, Kind.HH) else -1.0
        room = min(sign * (setpoint - middle), *(abs(setpoint - at) for at in order[max(place, 0) : place + 1]), np.inf)
        return each.proposed < room and not _is_beyond(tag, setpoint - sign * each.proposed)

    return [each for each in inside_range if fits(each)]


def _is_beyond(tag: Tag, value: float) -> bool:
    return value <= tag.range_lo or value >= tag.range_hi  # False where there is no range


@dataclass(frozen=True, slots=True)
class _Side:
    """One direction of a tag.

    Attributes:
        sign: +1 up, -1 down.
        inner, outer: H and HH, or L and LL.
        goal: What must not be reached: HH (LL), or what a TREND runs to; None where nobody wanted a limit here.
        stop: Where the tag normally stops.
    """

    sign: float
    inner: Rule | None
    outer: Rule | None
    goal: float | None
    stop: NormalStop | None


def _goal(rules: Sequence[Rule], outer: Rule | None, sign: float) -> float | None:
    if outer is not None:
        return outer.setpoint
    asked = [rule.setpoint for rule in rules if rule.kind is Kind.TREND and rule.is_falling is (sign < 0)]
    return sign * min(sign * each for each in asked) if asked else None


def _setpoint(tag: Tag, normal: Normal, side: _Side, trips: _Trips) -> list[Advice]:
    """Place the inner limit (H, L) of one direction just beyond the normal stop, or what normal operation reaches."""
    inner, outer, sign, stop = side.inner, side.outer, side.sign, side.stop
    span = normal.high - normal.low
    if stop is None:
        reach = normal.high if sign > 0 else normal.low
        margin = max(SIGMAS_MARGIN * normal.noise, SPAN_MARGIN * span, tag.resolution)
    else:
        reach = stop.farthest
        margin = max(stop.spread, SIGMAS_MARGIN * normal.noise, SPREAD_LEAST * span, tag.resolution)
    if span <= 0 or margin <= 0 or (inner is None and side.goal is None):
        return []  # It does not move, or nobody wanted a limit on this side.
    proposed = round_out(reach + sign * margin, margin, sign)
    kind = Kind.H if sign > 0 else Kind.L
    high, duan = ("high", "高") if sign > 0 else ("low", "低")
    figures = _of(reach, tag)
    make = partial(Advice, tag=tag.name, kind=kind, eu=tag.eu, stop=_told(side, proposed))
    if outer is not None and sign * proposed >= sign * outer.setpoint:
        if trips.normal(outer) == 0 and (inner is None or trips.normal(inner) == 0):
            return []
        return [
            make(
                rule=(inner or outer).id,
                field="review",
                now=(inner or outer).setpoint,
                proposed=None,
                reason={
                    "en": f"Normal operation reaches {figures}; with a margin of {_of(margin, tag)} no limit fits "
                    f"before {outer.kind.name} at {_of(outer.setpoint, tag)}. Check the instrument, the labels and "
                    f"{outer.id}.",
                    "zh": f"正常运行达到 {figures};留出余量 {_of(margin, tag)} 后,在 {outer.kind.name} 设定值 "
                    f"{_of(outer.setpoint, tag)} 之前放不下限值。请核对仪表、标注与 {outer.id}。",
                },
                alarms_now=trips.all(inner or outer),
            )
        ]
    just = (
        f"The normal {high} extreme is {figures} (99.9 % of {normal.buckets} stretches), "
        f"noise σ = {_of(normal.noise, tag)}; this setpoint stands {_of(abs(proposed - reach), tag)} beyond it."
    )
    zheng = (
        f"正常运行{duan}端极值 {figures}(取自 {normal.buckets} 个时段的 99.9% 分位),噪声 σ = {_of(normal.noise, tag)};"
        f"建议值在其外 {_of(abs(proposed - reach), tag)}。"
    )
    if stop is not None:
        just, zheng = _stop_words(tag, side, stop, proposed)
    if inner is None and outer is None and sign * proposed >= sign * (side.goal or 0.0):
        return []
    if inner is None:
        before = outer.kind.name if outer else _of(side.goal or 0.0, tag)
        reason = {
            "en": f"There is no {kind.name} before {before}. {just} A limit just beyond where the plant normally stops "
            "warns earliest on a slow change.",
            "zh": f"{before} 之前没有 {kind.name}。{zheng}紧靠正常停止位置的静态限值,对缓慢变化报得最早。",
        }
        rule = f"{tag.name}.{kind.name}"
        return [make(rule=rule, field="setpoint", now=None, proposed=proposed, reason=reason, alarms_now=0)]
    false, closer = trips.normal(inner), sign * (inner.setpoint - proposed)
    if false and closer < 0:
        reason = {
            "en": f"It rang {false} times in normal operation. {just} Stay inside the design limit of the equipment.",
            "zh": f"正常运行中误报 {false} 次。{zheng}不得超出设备设计限值。",
        }
    elif not false and closer > (margin if stop else max(margin, CLOSER_SHARE * span)):
        reason = {
            "en": f"It never rang in normal operation and stands far from it. {just} Closer, it warns earlier.",
            "zh": f"正常运行中从未报警且距离较远。{zheng}收紧后报警更早。",
        }
    else:
        return []
    return [
        make(
            rule=inner.id,
            field="setpoint",
            now=inner.setpoint,
            proposed=proposed,
            reason=reason,
            alarms_now=trips.all(inner),
        )
    ]


def _told(side: _Side, proposed: float) -> dict[str, float] | None:
    """Give the normal stop as data, with how long fills take from the proposed setpoint to what must not be reached."""
    if side.stop is None:
        return None
    told: dict[str, float] = asdict(side.stop)
    if side.goal is not None:
        way = max(side.sign * (side.goal - proposed), 0.0)
        told |= {"goal": side.goal, "lead_s": way / side.stop.rate, "lead_fast_s": way / side.stop.rate_fast}
    return told


def _stop_words(tag: Tag, side: _Side, stop: NormalStop, proposed: float) -> tuple[str, str]:
    """Say where it normally stops, and what a limit just beyond gives before a trend could (en, zh)."""
    fills, dong = ("fills", "上升") if side.sign > 0 else ("falls", "下降")
    en = (
        f"{stop.stops} {fills} normally stop at {_of(stop.middle, tag)} (spread {_of(stop.spread, tag)}, "
        f"farthest {_of(stop.farthest, tag)}); this setpoint stands {_of(abs(proposed - stop.farthest), tag)} beyond "
        "the farthest."
    )
    zh = (
        f"{stop.stops} 次{dong}正常停止于 {_of(stop.middle, tag)}(离散 {_of(stop.spread, tag)},"
        f"最远 {_of(stop.farthest, tag)});建议值在最远停止点之外 {_of(abs(proposed - stop.farthest), tag)}。"
    )
    if stop.beyond:
        en += f" {stop.beyond} of them went much farther and do not count as normal: look at them."
        zh += f"其中 {stop.beyond} 次明显更远,不计为正常,请核查。"
    if side.goal is not None and side.sign * (side.goal - proposed) > 0:
        way = side.sign * (side.goal - proposed)
        most = side.sign * (side.goal - stop.farthest) / stop.rate_fast / 60
        en += (
            f" From there to {_of(side.goal, tag)} a normal one takes {_n(way / stop.rate / 60)} min; a trend must not "
            f"warn sooner than {_n(most)} min before, or it rings at each fast one that stops."
        )
        zh += (
            f"由此到 {_of(side.goal, tag)} 正常需 {_n(way / stop.rate / 60)} 分钟;趋势预警时限不得超过 {_n(most)} 分钟,"
            "否则每次正常的快速变化都会误报。"
        )
    return en, zh


def _deadband(tag: Tag, normal: Normal, rule: Rule, trips: _Trips) -> list[Advice]:
    """Make the deadband wider than the noise, where the limit rings at all."""
    least = max(SIGMAS_DEADBAND * normal.noise, tag.resolution)
    if least <= 0 or rule.deadband >= least or trips.all(rule) == 0:
        return []
    usual = DEADBAND_SHARE.get(tag.kind, 0.0) * (tag.range_hi - tag.range_lo)
    has_usual = math.isfinite(usual) and usual > 0
    return [
        Advice(
            rule=rule.id,
            tag=tag.name,
            kind=rule.kind,
            field="deadband",
            now=rule.deadband,
            proposed=round_out(least, least, 1.0),
            eu=tag.eu,
            reason={
                "en": f"Noise σ of the detrended signal is {_of(normal.noise, tag)}; 6 σ keep it from crossing both "
                "the setpoint and the deadband."
                + (f" Usual for {tag.kind}: {_of(usual, tag)} (EEMUA 191, as quoted by exida)." if has_usual else ""),
                "zh": f"去趋势后噪声 σ 为 {_of(normal.noise, tag)};6 σ 的死区可避免噪声反复穿越。"
                + (f"{tag.kind} 常用值 {_of(usual, tag)}(EEMUA 191,exida 引用)。" if has_usual else ""),
            },
            alarms_now=trips.all(rule),
        )
    ]


def _on_delay(tag: Tag, rule: Rule, trips: _Trips, end_ns: int) -> list[Advice]:
    """Wait longer than the short excursions last, within what the kind of tag allows."""
    most = ON_DELAY_MOST.get(tag.kind, ON_DELAY_OTHER)
    lengths = trips.normal_lengths_s(rule, end_ns)
    room = most - rule.on_delay_s
    short = [length for length in lengths if length < room]
    if len(short) < SHORT_LEAST or len(short) < SHORT_SHARE * len(lengths):
        return []
    longest = max(short)
    proposed = min(most, rule.on_delay_s + math.floor(longest) + 1.0)
    return [
        Advice(
            rule=rule.id,
            tag=tag.name,
            kind=rule.kind,
            field="on_delay_s",
            now=rule.on_delay_s,
            proposed=proposed,
            eu="s",
            reason={
                "en": f"{len(short)} of {len(lengths)} excursions in normal operation lasted at most {_n(longest)} s; "
                f"at most {_n(most)} s are advised for {tag.kind or 'such a tag'}. A real alarm comes that much later.",
                "zh": f"正常运行中 {len(lengths)} 次越限有 {len(short)} 次不超过 {_n(longest)} 秒;"
                f"该类位号建议不超过 {_n(most)} 秒。真实报警将相应推迟。",
            },
            alarms_now=trips.all(rule),
        )
    ]


def round_out(value: float, margin: float, sign: float) -> float:
    """Round away from normal operation, to two digits of the margin."""
    step = 10.0 ** (math.floor(math.log10(margin)) - 1)
    places = max(0, -math.floor(math.log10(step)))
    steps = math.ceil(sign * value / step - 1e-9)
    return round(sign * steps * step, places)


def _n(value: float) -> str:
    return f"{value:.4g}"


def _of(value: float, tag: Tag) -> str:
    """Write a figure in the unit of its tag."""
    return f"{_n(value)} {tag.eu}".strip()
