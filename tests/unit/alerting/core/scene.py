"""Random scenes for the core: tags with every kind of rule, and steps (scans and clock readings) over them.

Values and times lie on coarse grids, so that "equal to the setpoint", "exactly at the end of a delay" and "exactly when
it turns stale" happen often.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from alerting.model.blocks import LINES, Blocks
from alerting.model.drift import Drift
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.schedule import Schedule
from alerting.model.schedule import Span as DaySpan
from alerting.model.tier import Tier
from edge.model import Scan, Tag, TagTable

S = 1_000_000_000
GRID_NS = S // 10
START_NS = 1_700_000_000 * S

GOOD, UNCERTAIN, BAD = 0x00, 0x40, 0x80
TIMEOUT, RANGE, SENTINEL, SUBSTITUTED, CLOCK, RETAINED = 2, 5, 6, 10, 11, 12

LIMIT_TIERS = {Kind.L: Tier.YELLOW, Kind.LL: Tier.ORANGE, Kind.H: Tier.YELLOW, Kind.HH: Tier.ORANGE}


def make_rule(kind: Kind, setpoint: float, **more: object) -> Rule:
    tag = str(more.pop("tag", "t0"))
    tier = more.pop("tier", LIMIT_TIERS.get(kind, Tier.BLUE))
    return Rule(id=f"{tag}.{kind.name}", tag=tag, kind=kind, setpoint=setpoint, tier=tier, **more)  # type: ignore[arg-type]


def make_tags(count: int = 1, sources: int = 1) -> TagTable:
    return TagTable([Tag(name=f"t{n}", source=f"s{n % sources}", unit=f"u{n % 3}") for n in range(count)])


def make_table(*rules: Rule, tags: TagTable | None = None) -> RuleTable:
    return RuleTable(rules, tags or make_tags())


def make_scan(
    t_s: float,
    value: float,
    quality: int = GOOD,
    *,
    row: int = 0,
    received_s: float | None = None,
    number: int = 1,
    source: str = "s0",
) -> Scan:
    """One sample of one tag; times in seconds after the start."""
    return Scan(
        source=source,
        epoch=1,
        number=number,
        received_ns=at(t_s if received_s is None else received_s),
        rows=np.array([row], np.int32),
        values=np.array([value], np.float64),
        quality=np.array([quality], np.uint8),
        times_ns=np.array([at(t_s)], np.int64),
    )


def at(t_s: float) -> int:
    return START_NS + round(t_s * 1e9)


# ------------------------------------------------------------------------------------------------------ random scenes


def random_rules(rng: np.random.Generator, tags: TagTable) -> list[Rule]:
    """Give each tag a random set of kinds around the middle of its walk, 0."""

    def delay() -> float:
        return float(rng.choice([0.0, 0.0, 0.1, 0.2, 0.3, 0.5, 1.0]))

    rules = []
    for tag in tags:
        inner, outer = sorted(rng.choice([0.25, 0.5, 0.75, 1.0], 2, replace=False).tolist())
        setpoints = {
            Kind.L: -inner,
            Kind.LL: -outer,
            Kind.H: inner,
            Kind.HH: outer,
            Kind.RATE: float(rng.choice([0.25, 0.5, 1.0])),
            Kind.STALE: float(rng.choice([0.6, 2.0, 4.0, 8.0])),
            Kind.BAD: float(rng.choice([0.0, 0.1, 0.3, 1.0])),
            Kind.DEVIATION: float(rng.choice([0.5, 0.75, 1.0])),
            Kind.TREND: float(rng.choice([-1.75, -1.25, 1.25, 1.75])),
            Kind.STATE: 0.0,
            Kind.FROZEN: float(rng.choice([0.3, 0.5, 1.0])),
            Kind.RANGE: float(rng.choice([0.0, 0.1, 0.3])),
        }
        near = [tags[row % len(tags)].name for row in range(tags.row_of[tag.name] - 2, tags.row_of[tag.name] + 3)]
        rules += [
            make_rule(
                kind,
                setpoint,
                tag=tag.name,
                deadband=float(rng.choice([0.0, 0.0, 0.25, 0.5])),
                on_delay_s=delay(),
                off_delay_s=delay(),
                window_s=float(rng.choice([0.3, 0.5, 1.0, 2.0])),
                **more_of(kind, rng, [name for name in near if name != tag.name]),
            )
            for kind, setpoint in setpoints.items()
            if rng.random() < 0.8
        ]
    return rules


def more_of(kind: Kind, rng: np.random.Generator, near: list[str]) -> dict[str, Any]:
    """Give what only rules of some kind have; ``near`` are other tags, of the same source and of others."""
    if kind is Kind.DEVIATION and near:
        return {"reference": str(rng.choice(near)) if rng.random() < 0.7 else 0.25}
    if kind is Kind.TREND and rng.random() < 0.4:
        return {
            "is_falling": bool(rng.random() < 0.5),
            "horizon_s": float(rng.choice([5.0, 100.0])),
            "blocks": Blocks(
                block_s=float(rng.choice([0.3, 0.7, 2.0])), count=int(rng.choice([5, 9])), line=str(rng.choice(LINES))
            ),
            "gap_s": float(rng.choice([0.0, 2.0, 6.0])),
        }
    if kind is Kind.TREND:
        return {
            "is_falling": bool(rng.random() < 0.5),
            "horizon_s": float(rng.choice([5.0, 100.0])),
            "alpha": float(rng.choice([0.05, 0.5])),
            "samples_min": 5,
            "gap_s": float(rng.choice([0.0, 1.0, 6.0])),
        }
    if kind is Kind.STATE:
        if rng.random() < 0.5:
            return {"states": tuple(rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], 2, replace=False).tolist())}
        return {"mask": 2, "pattern": int(rng.choice([0, 2]))}
    if kind is Kind.FROZEN:
        activity = {"while_tag": str(rng.choice(near)), "while_above": 0.0} if near and rng.random() < 0.5 else {}
        return {"band": float(rng.choice([0.0, 0.5])), **activity}
    return {}


def with_enables(rng: np.random.Generator, rules: list[Rule], tags: TagTable) -> list[Rule]:
    """Give half of the rules an enable-condition over one tag, of any source, its own among them."""
    asks = ("{} > 0", "{} < 0.75", "not is_bad({})", 'quality({}) != "BAD" and {} >= -0.5', "is_stale({}) or {} != 0.5")
    enabled = []
    for rule in rules:
        name = tags[int(rng.integers(len(tags)))].name
        text = str(rng.choice(asks)).replace("{}", name)
        enabled.append(replace(rule, enable=text, enable_asked=(name,)) if rng.random() < 0.5 else rule)
    return enabled


#: By the wall clock in Shanghai a scene begins at 06:13:20 on a Wednesday.
SCHEDULES = (
    Schedule(spans=(DaySpan(days=(2,), from_s=22440, to_s=22500),), zone="Asia/Shanghai"),
    Schedule(
        spans=(DaySpan(days=(2, 3), from_s=0, to_s=22440), DaySpan(days=(2,), from_s=22500, to_s=22560)),
        zone="Asia/Shanghai",
    ),
)


def with_schedules(rng: np.random.Generator, rules: list[Rule], tags: TagTable) -> list[Rule]:
    """Give half of the rules a schedule, and some of these an enable-condition too."""
    return [
        replace(rule, schedule=pick(rng, SCHEDULES)) if rng.random() < 0.5 else rule
        for rule in with_enables(rng, rules, tags)
    ]


MOODS = ("good",) * 8 + ("bad", "bad", "nan", "inf", "uncertain", "retained", "silent")
STEPS = (-1.5, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1.5)


def pick(rng: np.random.Generator, among: Sequence[Any]) -> Any:  # noqa: ANN401
    """Choose one; much quicker than ``rng.choice``."""
    return among[int(rng.random() * len(among))]


@dataclass
class Walk:
    """What one tag does at present: walks over its limits, in bursts of bad quality, silence or retained messages."""

    last_ns: int
    value: float = 0.0
    mood: str = "good"

    def step(self, rng: np.random.Generator) -> tuple[float, int]:
        if rng.random() < 0.12:
            self.mood = pick(rng, MOODS)
        if rng.random() < 0.8:
            self.value = min(max(self.value + pick(rng, STEPS), -1.5), 1.5)
        match self.mood:
            case "bad":
                return pick(rng, (self.value, np.nan)), BAD | pick(rng, (TIMEOUT, TIMEOUT, RANGE, SENTINEL))
            case "nan":
                return np.nan, pick(rng, (GOOD, UNCERTAIN | CLOCK))
            case "inf":
                return pick(rng, (np.inf, -np.inf)), GOOD
            case "uncertain":
                return self.value, pick(rng, (UNCERTAIN | CLOCK, UNCERTAIN | SUBSTITUTED))
            case "retained":
                return self.value, UNCERTAIN | RETAINED
            case _:
                return self.value, GOOD


def random_steps(rng: np.random.Generator, tags: TagTable, steps: int, *, jitter: int = 8) -> Iterator[Scan | int]:
    """Give scans and clock readings (ns) as intake would let them through: per tag newer, receive time never back.

    Args:
        jitter: Most transit time in grid steps; with 0 the watermark is always right.
    """
    walks = [Walk(START_NS - 3 * S) for _ in tags]  # the first ones may come from before the start
    names = sorted({tag.source for tag in tags})
    rows_of = {name: tags.rows_of_source(name) for name in names}
    now_ns = START_NS
    for number in range(1, steps + 1):
        now_ns += GRID_NS * int(rng.choice([0, 1, 1, 2, 3, 5], p=[0.1, 0.3, 0.3, 0.15, 0.1, 0.05]))
        if rng.random() < 0.02:
            now_ns += GRID_NS * int(rng.integers(10, 40))  # a gap for everybody
        if rng.random() < 0.4:
            yield now_ns + int(rng.choice([0, 0, 1, GRID_NS // 2]))
            now_ns += GRID_NS
        source = str(rng.choice(names))
        rows, values, quality, times = [], [], [], []
        for row in rows_of[source].tolist():
            walk = walks[row]
            value, byte = walk.step(rng)
            time_ns = now_ns - GRID_NS * int(rng.random() * (jitter + 1))
            if rng.random() < 0.05:
                time_ns = now_ns + GRID_NS  # a clock ahead of ours
            if walk.mood == "silent" or min(time_ns, now_ns) <= walk.last_ns:
                continue
            walk.last_ns = min(time_ns, now_ns)
            rows.append(row)
            values.append(value)
            quality.append(byte)
            times.append(time_ns)
        yield Scan(
            source=source,
            epoch=1,
            number=number,
            received_ns=now_ns,
            rows=np.array(rows, np.int32),
            values=np.array(values, np.float64),
            quality=np.array(quality, np.uint8),
            times_ns=np.array(times, np.int64),
        )


CHANGED = ("setpoint", "setpoint", "deadband", "on_delay_s", "on_delay_s", "off_delay_s", "tier", "window_s", "band")


def change_rules(rng: np.random.Generator, rules: Sequence[Rule], tags: TagTable, share: float = 0.2) -> list[Rule]:
    """Give the rules after a change: most as they were, some otherwise, some gone, some come."""
    fresh = {rule.id: rule for rule in random_rules(rng, tags)}
    after = []
    for rule in rules:
        other = fresh.pop(rule.id, None)
        luck = rng.random()
        if luck < share * 0.2:
            continue
        if luck < share * 0.4 and other is not None:
            after.append(replace(other, revision=rule.revision + 1))
        elif luck < share:
            name = pick(rng, CHANGED)
            value = pick(rng, (0.0, 0.25, 0.5, 0.75, 1.0)) if name != "tier" else pick(rng, (Tier.BLUE, Tier.RED))
            if name in ("window_s", "setpoint") or rule.kind is Kind.TREND:
                value = getattr(rule if other is None else other, name)
            after.append(replace(rule, **{name: value}, revision=rule.revision + 1))
        else:
            after.append(rule)
    return after + [rule for rule in fresh.values() if rng.random() < share * 0.3]


TEXTS = (
    "{0} > 0 and {1} < 0.75",
    "not {0} >= 0.25 or {1} > 1",
    "is_bad({0}) or {1} > 0.5",
    "is_stale({1}) or {0} < -0.5",
    "{0} / {1} > 1",
    "vote(2, {0} > 0, {1} > 0, {0} < -0.5)",
    'quality({1}) == "BAD" or {0} + {1} >= 1',
)


def with_everything(rng: np.random.Generator, rules: list[Rule], tags: TagTable) -> list[Rule]:
    """Add DRIFTs and EXPRESSIONs to rules, and give half of all an enable-condition or a schedule, or both."""
    more = []
    for tag in tags:
        other = tags[int(rng.integers(len(tags)))].name
        delays = {"on_delay_s": pick(rng, (0.0, 0.0, 0.2, 0.5)), "off_delay_s": pick(rng, (0.0, 0.0, 0.3))}
        if rng.random() < 0.6:
            asked = tuple(dict.fromkeys((tag.name, other)))
            text = pick(rng, TEXTS if len(asked) > 1 else (*TEXTS[:1], *TEXTS[2:4])).format(tag.name, other)
            more.append(make_rule(Kind.EXPRESSION, np.nan, tag=tag.name, when=text, asked=asked, **delays))
        if rng.random() < 0.6:
            drift = Drift(
                detector=pick(rng, ("ewma", "cusum")), season="none", span_s=pick(rng, (0.5, 1.0)), base_s=4.0,
                warm_up_s=2.0,
            )  # fmt: skip
            setpoint = pick(rng, (0.5, 1.0, 2.0))
            more.append(make_rule(Kind.DRIFT, setpoint, tag=tag.name, drift=drift, **delays))
    return with_schedules(rng, [*rules, *more], tags)


def change_everything(
    rng: np.random.Generator, rules: Sequence[Rule], tags: TagTable, share: float = 0.2
) -> list[Rule]:
    """Change rules as ``change_rules`` does, and their conditions and schedules too."""
    others = {rule.id: rule for rule in with_everything(rng, random_rules(rng, tags), tags)}
    after = []
    for rule in change_rules(
        rng, [each for each in rules if each.kind not in (Kind.DRIFT, Kind.EXPRESSION)], tags, share
    ):
        other = others.get(rule.id)
        if other is None or rng.random() >= share:
            after.append(rule)
        else:
            hung = {name: getattr(other, name) for name in ("enable", "enable_asked", "schedule")}
            after.append(replace(rule, **hung, revision=rule.revision + 1))
    mine = {rule.id: rule for rule in rules if rule.kind in (Kind.DRIFT, Kind.EXPRESSION)}
    for name in dict.fromkeys((*mine, *others)):
        rule, other = mine.get(name), others.get(name)
        if (rule or other).kind not in (Kind.DRIFT, Kind.EXPRESSION):  # type: ignore[union-attr]
            continue
        is_moved = rng.random() < share
        chosen = (other if rng.random() < 0.8 else None) if is_moved else rule
        if chosen is not None:
            after.append(chosen)
    return after
