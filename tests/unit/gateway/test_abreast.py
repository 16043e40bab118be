"""Judging scans of one moment side by side changes nothing but the time it takes."""

from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest

from alerting.core.family import Families
from alerting.desk import Desk
from alerting.model.derivation import Derivation
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.config import Source
from edge.model import Nature, Quality, Reason, Scan, Tag, TagTable
from edge.model.quality import encode
from gateway.intake import Intake
from gateway.turn import Turned, take_turn
from tests.unit.alerting.core.backends import assert_same

START_NS = 1_767_225_600_000_000_000
S = 1_000_000_000
BAD = encode(Quality.BAD, Reason.TIMEOUT)
#: Tanks on three sources, detectors with a vote on one, a pair of sources with a rule over both, a plain one.
TANKS, DETECTORS, PAIR, PLAIN = ("t0", "t1", "t2"), "g", ("p0", "p1"), "q"
SOURCES = (*TANKS, DETECTORS, *PAIR, PLAIN)


def limits(tag: str, *, delay_s: float = 0.0) -> list[Rule]:
    base = {"tag": tag, "tier": Tier.YELLOW, "deadband": 1.0}
    return [
        Rule(id=f"{tag}.H", kind=Kind.H, setpoint=60, on_delay_s=delay_s, off_delay_s=delay_s, **base),
        Rule(id=f"{tag}.HH", kind=Kind.HH, setpoint=70, **base),
        Rule(id=f"{tag}.L", kind=Kind.L, setpoint=40, **base),
        Rule(id=f"{tag}.STALE", tag=tag, kind=Kind.STALE, setpoint=4.0, tier=Tier.BLUE),
        Rule(id=f"{tag}.BAD", tag=tag, kind=Kind.BAD, setpoint=1.5, tier=Tier.BLUE),
    ]


def site() -> tuple[RuleTable, tuple[Source, ...], list[HazardUnit], list[Derivation]]:
    """A small plant: levels with volumes and masses, trends, frozen gauges, rates, a vote, a deviation."""
    tags, rules, derived = [], [], []
    for at, source in enumerate(TANKS):
        names = [f"{source}.{what}" for what in ("level", "inlet", "warm")]
        tags += [Tag(name=name, source=source, unit=source) for name in names]
        tags += [Tag(name=f"{source}.{what}", source=f"derived:{source}", unit=source) for what in ("volume", "mass")]
        rules += [rule for name in names for rule in limits(name, delay_s=float(at))]
        rules += limits(f"{source}.volume", delay_s=1.0) + limits(f"{source}.mass")
        rules += [
            Rule(
                id=f"{names[0]}.FROZEN", tag=names[0], kind=Kind.FROZEN, setpoint=20, tier=Tier.ORANGE,
                while_tag=names[1], while_above=45.0,
            ),
            Rule(
                id=f"{names[0]}.TREND", tag=names[0], kind=Kind.TREND, setpoint=70, horizon_s=60, alpha=0.1,
                samples_min=10, tier=Tier.BLUE,
            ),
            Rule(id=f"{names[2]}.RATE", tag=names[2], kind=Kind.RATE, setpoint=1.2, window_s=4.0, tier=Tier.BLUE),
        ]  # fmt: skip
        derived += [
            Derivation(
                tag=f"{source}.volume", kind="volume", inputs={"level": (names[0],)}, scales={},
                table=((0.0, 0.0), (100.0, 100.0)),
            ),
            Derivation(
                tag=f"{source}.mass", kind="mass", scales={},
                inputs={"volume": (f"{source}.volume",), "temperature": (names[2],)},
                numbers={"density_kg_m3": 1000.0, "density_slope": 0.0},
            ),
        ]  # fmt: skip
    members = []
    for n in range(3):
        tags.append(Tag(name=f"g.{n}", source=DETECTORS, unit="g"))
        rules += limits(f"g.{n}", delay_s=1.0)
        members.append(f"g.{n}.H")
    tags.append(Tag(name="g.vote", source="derived:g", unit="g"))
    rules.append(
        Rule(id="g.vote.VOTE", tag="g.vote", kind=Kind.VOTE, setpoint=1, members=tuple(members), tier=Tier.RED,
             on_delay_s=2.0)
    )  # fmt: skip
    for source in (*PAIR, PLAIN):
        for n in range(3):
            tags.append(Tag(name=f"{source}.{n}", source=source, unit=source))
            rules += limits(f"{source}.{n}", delay_s=float(n))
    rules.append(
        Rule(id="p0.0.DEVIATION", tag="p0.0", kind=Kind.DEVIATION, setpoint=12, reference="p1.0", tier=Tier.BLUE)
    )
    sources = tuple(Source(id=name, protocol="mqtt", silent_after_s=6.0) for name in SOURCES)
    units = [HazardUnit(id=name) for name in SOURCES]
    return RuleTable(rules, TagTable(tags)), sources, units, derived


def scans_of(
    rng: np.random.Generator, table: RuleTable, now_ns: int, numbers: Counter[str], level: np.ndarray
) -> list[Scan]:
    """What arrives at one moment: nearly all sources, now and then with trouble."""
    scans = []
    for source in rng.permutation(SOURCES).tolist() if rng.random() < 0.2 else SOURCES:
        if rng.random() < 0.04:
            continue
        numbers[source] += 1 if rng.random() > 0.01 else 2
        rows = np.array(table.tags.rows_of_source(source), dtype=np.int32)
        if rng.random() < 0.1:
            rows = rows[rng.random(len(rows)) < 0.7]
        values = level[rows] + rng.normal(0, 0.3, len(rows))
        quality = np.zeros(len(rows), dtype=np.uint8)
        times = np.full(len(rows), now_ns - (int(rng.integers(0, S)) if rng.random() < 0.1 else 0))
        if rng.random() < 0.03 and len(rows):
            values[0] = np.nan
        if rng.random() < 0.03:
            quality[rng.random(len(rows)) < 0.5] = BAD
        if rng.random() < 0.01:
            times += 3600 * S
        if rng.random() < 0.02:
            times -= 20 * S
        late_ns = int(rng.integers(1, 1000)) if rng.random() < 0.05 else 0
        scans.append(
            Scan(
                source=source, epoch=1, number=numbers[source], received_ns=now_ns - late_ns, rows=rows, values=values,
                quality=quality, times_ns=times.astype(np.int64),
            )
        )  # fmt: skip
    return scans


def told(turned: Turned) -> list[list[list[object]]]:
    """Everything that entered, scan by scan, in order, with its key."""
    return [
        [
            [part.key, part.received_ns, repr(part.values.tolist())]
            + [column.tolist() for column in (part.rows, part.quality, part.times_ns)]
            for part in parts
        ]
        for parts in (*turned.entered, turned.shown, turned.outcome.made)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))])
def test_side_by_side_and_one_by_one_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    table, sources, units, derived = site()
    walks: list[int] = []
    take = Desk.take_abreast
    monkeypatch.setattr(Desk, "take_abreast", lambda *args: walks.append(len(args[2].scans)) or take(*args))
    desks = [Desk("site", table, units, [], START_NS, derived) for _ in range(2)]
    intakes = [Intake(sources, table.tags) for _ in desks]
    rng = np.random.default_rng(seed)
    level = rng.uniform(48, 52, len(table.tags))
    numbers: Counter[str] = Counter()
    now_ns, events = START_NS, Counter[str]()
    for _ in range(300):
        now_ns += int(rng.choice([S // 4, S, 7 * S], p=[0.2, 0.77, 0.03]))
        level = np.clip(level + rng.normal(0, 1.6, len(level)) + 0.02 * (50 - level), 35, 75)
        scans = scans_of(rng, table, now_ns, numbers, level)
        side, single = (
            take_turn(desk, intake, scans, [], now_ns, is_bulk=is_bulk)
            for desk, intake, is_bulk in zip(desks, intakes, (True, False), strict=True)
        )
        assert told(side) == told(single)
        assert replace(side.outcome, made=[]) == replace(single.outcome, made=[])
        for each in ("live", "late", "unjudged", "retained", "derived"):
            assert getattr(side, each) == getattr(single, each)
        events.update(event.condition for event in single.outcome.events)
        for nature, memory in desks[0].memories.items():
            assert_same(memory, desks[1].memories[nature], nature)
    assert len(walks) > 150, "else nothing was compared"
    assert sum(walks) > 3 * len(walks)
    assert {"H", "HH", "L", "STALE", "BAD", "RATE", "VOTE"} <= events.keys()
    assert intakes[0].state == intakes[1].state
    assert (intakes[0].refused, intakes[0].replaced) == (intakes[1].refused, intakes[1].replaced)
    for nature, state in desks[0].derived_states.items():
        other = desks[1].derived_states[nature]
        assert [getattr(state, each.name) for each in fields(state)][:2] == [other.epoch, other.number]


def test_who_has_to_do_with_whom() -> None:
    table, _, units, derived = site()
    desk = Desk("site", table, units, [], START_NS, derived)
    families = Families(table, desk.derived, desk.memory(Nature.ACTUAL))

    assert {name for name in SOURCES if not families.is_free[name]} == {DETECTORS}
    assert families.of["p0"] == families.of["p1"]
    assert families.of["t0"] == families.of["derived:t0"]
    assert len({families.of[name] for name in SOURCES}) == len(SOURCES) - 1
    assert [name for name in SOURCES if families.is_voting[name]] == [DETECTORS]
