"""Ours: the product itself. A site is made of a recording's columns, and its rows are carried down the road.

Flow: learn part -> model, limits -> Site -> [one turn a row, as live and in a backtest] -> verdict
Never: computes a statistic or decides an alarm here. The derived tags and the rules of the core do.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from alerting.desk import Desk
from alerting.model.derivation import Derivation, source_of
from alerting.model.pca import PcaModel
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.config import Source
from edge.model import Quality, Reason, Scan, Tag, TagTable
from edge.model.quality import encode
from gateway.bench.quality.baseline import held
from gateway.bench.quality.case import Case, Flags, Floats, Part, Times, Verdict
from gateway.bench.quality.settings import Ours
from gateway.intake import Intake
from gateway.learn.pca import Shape, fit
from gateway.turn import take_turn

SOURCE, UNIT = "recording", "bench"
NO_VALUE = np.uint8(encode(Quality.BAD, Reason.NOT_A_NUMBER))
NEVER_S = 1e9
FOREVER = 1e18  # A setpoint that is never reached.


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A site: its tags, rules and derived tags. The score is the largest value of a scored tag over its setpoint."""

    tags: TagTable
    rules: RuleTable
    derived: tuple[Derivation, ...] = ()


def ours(case: Case, settings: Ours) -> Verdict:
    """Make a site from what may be learned, and carry the case."""
    makers = {"pca": by_pca, "unusual": by_unusual, "emission": by_emission, "frozen": by_frozen}
    return carry(case.judge, makers[settings.kind](case, settings))


def period_s(case: Case) -> float:
    """Give the usual time from row to row, s."""
    return max(float(np.median(np.diff(case.learn.time_ns if len(case.learn) > 1 else case.judge.time_ns))) / 1e9, 1e-3)


def by_pca(case: Case, settings: Ours) -> Made:
    """Learn a model of all columns; H rules on its T2 and Q at the learnt limits times the margin.

    With ``flat_margin`` each column has its FROZEN rule beside them.
    """
    shape = Shape(
        name=UNIT,
        tags=_names(case),
        period_s=period_s(case),
        lags=settings.lags,
        weight=settings.weight,
        variance=settings.variance,
        false_share=settings.false_share,
    )
    model = fit(shape, held(case.learn.values))
    derived = tuple(_statistic(model, name) for name in ("t2", "q"))
    rules = [_high(each.tag, settings.margin, settings.off_delay_s) for each in derived]
    return _made(case, rules + (_frozen(case, settings) if settings.flat_margin else []), derived)


def by_frozen(case: Case, settings: Ours) -> Made:
    """Tell what stands still longer than it ever did; with ``flat_while`` only while the next column moves."""
    return _made(case, _frozen(case, settings), ())


def by_unusual(case: Case, settings: Ours) -> Made:
    """Judge each column beside its own past and time of day; H rules at one setpoint."""
    derived = tuple(
        Derivation(
            tag=f"{name}.unusual",
            kind="unusual",
            inputs={"tag": (name,)},
            scales={"tag": ((1.0, 0.0),)},
            numbers={"window": float(settings.window)},
        )
        for name in _names(case)
    )
    return _made(case, [_high(each.tag, settings.setpoint, settings.off_delay_s) for each in derived], derived)


def by_emission(case: Case, settings: Ours) -> Made:
    """Say by an expression that a content rises faster than fresh air takes it away; the limit from the normal part."""
    column = case.tags.index(settings.tag)
    name, normal = _names(case)[column], held(case.learn.values)[:, column]
    fresh, per_s = float(np.median(normal)), settings.air_changes_per_h / 3600
    rise = _rates(case.learn.time_ns, normal, settings.window_s)
    known = (rise + per_s * (normal - fresh))[np.isfinite(rise)]
    limit = settings.margin * float(np.quantile(known, 1 - settings.false_share))
    when = f"rate({name}, {settings.window_s:g} s) + {per_s:.9f} * ({name} - {fresh:.6f}) > {limit:.9f}"
    rule = Rule(
        id=f"{name}.EXPRESSION",
        tag=name,
        kind=Kind.EXPRESSION,
        setpoint=0.0,
        tier=Tier.YELLOW,
        when=when,
        asked=(name,),
        off_delay_s=settings.off_delay_s,
    )
    return _made(case, [rule], ())


def carry(judge: Part, made: Made) -> Verdict:
    """Carry rows down the road, one turn each; a value that is missing comes as BAD."""
    n, width = judge.values.shape
    source = Source(id=SOURCE, protocol="replay", silent_after_s=NEVER_S, lateness_s=NEVER_S)
    intake = Intake((source,), made.tags)
    desk = Desk("bench", made.rules, (HazardUnit(id=UNIT),), (), int(judge.time_ns[0]) - 1, made.derived)
    for memory in desk.memories.values():
        memory.is_watched[:] = False  # Silence is not what is asked here.
    judged = [k for k, rule in enumerate(made.rules) if rule.kind in (Kind.H, Kind.EXPRESSION, Kind.FROZEN)]
    plain = [k for k in judged if made.rules[k].kind is not Kind.H]  # These have no figure: they stand or do not.
    setpoint_of = {int(made.rules.row[k]): made.rules[k].setpoint for k in judged if made.rules[k].kind is Kind.H}
    rows = np.arange(width, dtype=np.int32)
    score: Floats = np.zeros(n)
    alarm: Flags = np.zeros(n, dtype=np.bool_)
    memory = next(iter(desk.memories.values()))
    for number in range(n):
        values, now_ns = judge.values[number], int(judge.time_ns[number])
        scan = Scan(
            source=SOURCE,
            epoch=1,
            number=number + 1,
            received_ns=now_ns,
            rows=rows,
            values=values,
            quality=np.where(np.isfinite(values), np.uint8(0), NO_VALUE),
            times_ns=np.full(width, now_ns, dtype=np.int64),
        )
        turned = take_turn(desk, intake, [scan], [], now_ns)
        for shown in turned.shown:
            for row, value in zip(shown.rows.tolist(), shown.values.tolist(), strict=True):
                if row in setpoint_of and value == value:  # noqa: PLR0124  # not NaN
                    score[number] = max(score[number], value / setpoint_of[row])
        alarm[number] = memory.is_active[judged].any()
        if memory.is_active[plain].any():
            score[number] = max(score[number], 1.0)
    return Verdict(score=score, alarm=alarm)


def _names(case: Case) -> tuple[str, ...]:
    """Name the tags so that an expression can be written with them."""
    return tuple("".join(sign if sign.isalnum() else "_" for sign in f"T_{name}") for name in case.tags)


def _made(case: Case, rules: list[Rule], derived: tuple[Derivation, ...]) -> Made:
    every_s = period_s(case)
    tags = [Tag(name=name, source=SOURCE, unit=UNIT, period_s=every_s) for name in _names(case)]
    own = source_of({SOURCE})
    tags += [Tag(name=each.tag, source=own, unit=UNIT, period_s=every_s) for each in derived]
    table = TagTable(tags)
    return Made(tags=table, rules=RuleTable(rules, table), derived=derived)


def _statistic(model: PcaModel, name: str) -> Derivation:
    return Derivation(
        tag=f"{UNIT}.pca_{name}",
        kind="pca",
        inputs={"tags": model.tags},
        scales={"tags": ((1.0, 0.0),) * len(model.tags)},
        words={"statistic": name},
        model=model,
    )


def _high(tag: str, setpoint: float, off_delay_s: float) -> Rule:
    return Rule(id=f"{tag}.H", tag=tag, kind=Kind.H, setpoint=setpoint, tier=Tier.BLUE, off_delay_s=off_delay_s)


def _frozen(case: Case, settings: Ours) -> list[Rule]:
    names, rules = _names(case), []
    for column, name in enumerate(names):
        following = (column + 1) % len(names)
        active = case.learn.values[:, following] > settings.flat_above if settings.flat_while else None
        longest_s = longest_flat_s(case.learn.time_ns, case.learn.values[:, column], active)
        rules.append(
            Rule(
                id=f"{name}.FROZEN",
                tag=name,
                kind=Kind.FROZEN,
                setpoint=settings.flat_margin * max(longest_s, period_s(case)),
                tier=Tier.BLUE,
                while_tag=names[following] if settings.flat_while else "",
                while_above=settings.flat_above,
            )
        )
    return rules


def longest_flat_s(time_ns: Times, values: Floats, active: Flags | None = None) -> float:
    """Give how long a column stood still at most, s.

    Args:
        time_ns: int64 (n,).
        values: float64 (n,); time beside a missing value does not count.
        active: Rows after which time counts, bool (n,); None for all.
    """
    longest = flat = 0
    for before, row in pairwise(np.flatnonzero(np.isfinite(values)).tolist()):
        counts = row == before + 1 and (active is None or bool(active[before]))
        passed = int(time_ns[row] - time_ns[before]) if counts else 0
        flat = flat + passed if values[row] == values[before] else 0
        longest = max(longest, flat)
    return longest / 1e9


def _rates(time_ns: np.ndarray[tuple[int], np.dtype[np.int64]], values: Floats, window_s: float) -> Floats:
    """Give the change per second against the newest sample at least so old, float64 (n,); NaN where there is none."""
    before = np.searchsorted(time_ns, time_ns - round(window_s * 1e9), side="right") - 1
    found: Floats = np.full(len(values), np.nan)
    there = before >= 0
    at = before[there]
    found[there] = (values[there] - values[at]) / ((time_ns[there] - time_ns[at]) / 1e9)
    return found


def told_once(verdict: Verdict, rows: int) -> Verdict:
    """Leave only scores that are higher than all of the last ``rows``; an alarm that stands is not raised again."""
    if rows == 0:
        return verdict
    score: Floats = np.zeros(len(verdict.score))
    recent: list[tuple[int, float]] = []  # falling scores, the highest first
    for number, value in enumerate(verdict.score.tolist()):
        while recent and recent[0][0] < number - rows:
            recent.pop(0)
        if not recent or value > recent[0][1]:
            score[number] = value
        while recent and recent[-1][1] <= value:
            recent.pop()
        recent.append((number, value))
    alarm = verdict.alarm & (score > 0)
    return replace(verdict, score=score, alarm=alarm)
