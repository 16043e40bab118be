"""Taking samples in bulk changes nothing but the time it takes, on either backend."""

from dataclasses import replace

import numpy as np
import pytest

from alerting.core.backend import Backend
from alerting.desk import Desk
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.schedule import Schedule, Span
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from alerting.swap import prepare
from edge.config import Source
from edge.model import Nature, Quality, Reason, Scan, Tag, TagTable
from edge.model.quality import encode
from gateway.bulk import settle
from gateway.intake import Intake
from gateway.store.gaps import gap_rows
from gateway.turn import Turned, take_turn
from tests.unit.alerting.core.backends import assert_same

START_NS = 1_767_225_600_000_000_000
S = 1_000_000_000
SOURCES, TAGS = 6, 5
#: The first half of each of the first minutes of a run.
SCHEDULE = Schedule(
    spans=tuple(Span(days=(0, 1, 2, 3, 4, 5, 6), from_s=at, to_s=at + 30) for at in range(0, 300, 60)), zone="UTC"
)
BAD = encode(Quality.BAD, Reason.TIMEOUT)


def site(*, gated: bool = False) -> tuple[RuleTable, tuple[Source, ...], list[HazardUnit]]:
    """Six sources of five tags; most with plain limits, one tag of each source with a rule over two tags."""
    tags = [
        Tag(name=f"s{s}.t{t}", source=f"s{s}", unit=f"u{s}", nature=Nature.TEST if s == 5 else Nature.ACTUAL)
        for s in range(SOURCES)
        for t in range(TAGS)
    ]
    rules: list[Rule] = []
    for place, tag in enumerate(tags):
        base = {"tag": tag.name, "tier": Tier.YELLOW, "deadband": 2.0 if place % 2 else 0.0}
        on_s, off_s = float(place % 3), float(place % 4 == 1)
        rules += [
            Rule(id=f"{tag.name}.H", kind=Kind.H, setpoint=60, on_delay_s=on_s, off_delay_s=off_s, **base),
            Rule(id=f"{tag.name}.HH", kind=Kind.HH, setpoint=70, **base),
            Rule(id=f"{tag.name}.L", kind=Kind.L, setpoint=40, on_delay_s=on_s, **base),
            Rule(id=f"{tag.name}.STALE", tag=tag.name, kind=Kind.STALE, setpoint=3.0, tier=Tier.BLUE),
            Rule(id=f"{tag.name}.BAD", tag=tag.name, kind=Kind.BAD, setpoint=1.5, tier=Tier.BLUE),
        ]
        if place % 5 == 1:
            rules.append(Rule(id=f"{tag.name}.RATE", kind=Kind.RATE, setpoint=8, window_s=2.0, **base))
        if place % 5 == 2:
            other = tags[(place + TAGS) % len(tags)].name
            rules.append(Rule(id=f"{tag.name}.DEVIATION", kind=Kind.DEVIATION, setpoint=25, reference=other, **base))
        if gated and place % 5 in (0, 3):
            other = tags[(place + 1) % len(tags)]
            if other.nature is tag.nature:
                asks = {"enable": f"{other.name} < 55", "enable_asked": (other.name,)}
                rules[-5:] = [replace(rule, **asks) for rule in rules[-5:]]
    sources = tuple(Source(id=f"s{s}", protocol="mqtt", silent_after_s=4.0) for s in range(SOURCES))
    return RuleTable(rules, TagTable(tags)), sources, [HazardUnit(id=f"u{s}") for s in range(SOURCES)]


def scans_of_turn(rng: np.random.Generator, now_ns: int, numbers: dict[str, int], level: np.ndarray) -> list[Scan]:
    """What arrives in one tick: most sources once, some twice or not at all, with every kind of trouble."""
    scans = []
    for s in range(SOURCES):
        for _ in range(int(rng.choice([0, 1, 1, 1, 2]))):
            name = f"s{s}"
            numbers[name] = numbers.get(name, 0) + int(rng.choice([1, 1, 1, 1, 2]))
            picked = np.sort(rng.choice(TAGS, size=int(rng.integers(1, TAGS + 1)), replace=bool(rng.random() < 0.1)))
            rows = (s * TAGS + picked).astype(np.int32)
            values = level[rows] + rng.normal(0, 1.5, len(rows))
            values[rng.random(len(rows)) < 0.02] = np.nan
            quality = np.zeros(len(rows), dtype=np.uint8)
            quality[rng.random(len(rows)) < 0.03] = BAD
            times = now_ns - rng.integers(0, S // 4, len(rows))
            trouble = rng.random(len(rows))
            times[trouble < 0.01] += 3600 * S
            times[(trouble >= 0.01) & (trouble < 0.02)] -= 2 * S
            times[(trouble >= 0.02) & (trouble < 0.03)] -= 300 * S
            if rng.random() < 0.02:
                rows = rows + (SOURCES * TAGS if rng.random() < 0.5 else -TAGS)
            scan = Scan(
                source=name,
                epoch=1,
                number=numbers[name],
                received_ns=now_ns - int(rng.integers(0, 1000)),
                rows=rows.astype(np.int32),
                values=values,
                quality=quality,
                times_ns=times.astype(np.int64),
                is_backfill=bool(rng.random() < 0.02),
                is_retained=bool(rng.random() < 0.02),
                nature=Nature.TEST if s == 5 else Nature.ACTUAL,
            )
            scans.append(scan if rng.random() > 0.02 else replace(scan, number=scan.number - 1))
    return scans


def settled(turned: Turned) -> list[dict[int, tuple[float, int, int]]]:
    """What entered, item by item, whatever parts it came in."""
    return [
        {
            int(row): (float(value) if value == value else -1.0, int(quality), int(time_ns))  # noqa: PLR0124
            for part in parts
            for row, value, quality, time_ns in zip(part.rows, part.values, part.quality, part.times_ns, strict=True)
        }
        for parts in turned.entered
    ]


@pytest.fixture(autouse=True)
def bulk_at_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site of 25 tags is below where bulk pays; here it is taken in bulk all the same."""
    monkeypatch.setattr("gateway.bulk.SAMPLES_MIN", 0)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 8))])
def test_bulk_and_one_by_one_agree(seed: int) -> None:
    compare_bulk(seed, gated=False)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2, 3))])
def test_they_agree_where_rules_are_gated(seed: int) -> None:
    compare_bulk(seed, gated=True)


@pytest.mark.parametrize("seed", [pytest.param(0, marks=pytest.mark.long), 1])
def test_they_agree_while_rules_change(seed: int) -> None:
    """Plain tags become others and back, in the middle of their delays."""
    compare_bulk(seed, gated=seed == 1, swaps=0.1)


def changed(rng: np.random.Generator, table: RuleTable, files: RuleTable) -> RuleTable:
    """Another revision: rules gone and back, other limits and delays, gates, rules over two tags, schedules."""
    rules = {rule.id: rule for rule in table if not rule.is_hidden}
    for rule in files:
        luck = rng.random()
        if rule.is_hidden or luck > 0.2:
            continue
        other = table.tags[int(rng.integers(len(table.tags)))]
        is_near = other.nature is table.tags[table.tags.row_of[rule.tag]].nature
        if luck < 0.04:
            rules.pop(rule.id, None)
        elif luck < 0.08 and is_near:
            rules[rule.id] = replace(rule, enable=f"{other.name} < 55", enable_asked=(other.name,))
        elif luck < 0.11:
            rules[rule.id] = replace(rule, schedule=SCHEDULE)
        elif luck < 0.15 and rule.kind in (Kind.H, Kind.HH, Kind.L):
            changes = {"setpoint": rule.setpoint + rng.normal(0, 5), "on_delay_s": float(rng.integers(4))}
            rules[rule.id] = replace(rule, **changes)
        elif luck < 0.16 and is_near and rule.tag != other.name:
            name = f"{rule.tag}.DEVIATION"
            rules[name] = Rule(
                id=name, tag=rule.tag, kind=Kind.DEVIATION, setpoint=20, reference=other.name, tier=Tier.RED
            )
        else:
            rules[rule.id] = rule
    return RuleTable(list(rules.values()), table.tags)


def compare_bulk(seed: int, *, gated: bool, swaps: float = 0.0) -> None:
    """The same outcomes, memory, refusals and sequence over 300 random ticks.

    Args:
        swaps: Share of the ticks that end with another revision of the rules.
    """
    table, sources, units = site(gated=gated)
    desks = [Desk("site", table, units, [], START_NS, backend=backend) for backend in (*Backend, Backend.NUMPY)]
    intakes = [Intake(sources, table.tags) for _ in desks]
    rng = np.random.default_rng(seed)
    level = rng.uniform(45, 55, SOURCES * TAGS)
    numbers: dict[str, int] = {}
    now_ns = START_NS
    events = 0
    for _ in range(300):
        now_ns += int(rng.choice([S // 4, S // 2, S, 6 * S], p=[0.4, 0.3, 0.29, 0.01]))
        level += rng.normal(0, 2.0, len(level))
        level = np.clip(level, 30, 80)
        scans = scans_of_turn(rng, now_ns, numbers, level)
        after = changed(rng, desks[0].table, table) if rng.random() < swaps else None
        *bulks, single = (
            take_turn(
                desk,
                intake,
                scans,
                [],
                now_ns,
                is_bulk=is_bulk,
                swap=None if after is None else prepare(desk.table, after, desk.memories, 2),
            )
            for desk, intake, is_bulk in zip(desks, intakes, (True, True, False), strict=True)
        )
        for bulk in bulks:
            assert bulk.outcome == single.outcome
            assert gap_rows(bulk.outcome.gaps) == gap_rows(single.outcome.gaps)
            assert settled(bulk) == settled(single)
        events += len(single.outcome.events)
    assert events > 200
    for desk, intake in zip(desks[:-1], intakes[:-1], strict=True):
        assert intake.refused == intakes[-1].refused
        assert intake.replaced == intakes[-1].replaced
        assert intake.state == intakes[-1].state
        for nature, memory in desk.memories.items():
            assert_same(memory, desks[-1].memories[nature], nature)


def test_most_samples_of_a_quiet_site_are_settled_in_bulk() -> None:
    """Else the comparison above would compare nothing."""
    table, sources, units = site()
    desk, intake = Desk("site", table, units, [], START_NS), Intake(sources, table.tags)
    rng = np.random.default_rng(1)
    for turn in range(1, 12):
        now_ns = START_NS + turn * S
        scans = [
            Scan(
                source=f"s{s}",
                epoch=1,
                number=turn,
                received_ns=now_ns,
                rows=np.arange(s * TAGS, (s + 1) * TAGS, dtype=np.int32),
                values=rng.normal(50, 0.1, TAGS),
                quality=np.zeros(TAGS, dtype=np.uint8),
                times_ns=np.full(TAGS, now_ns, dtype=np.int64),
            )
            for s in range(SOURCES - 1)
        ]
        if turn == 11:
            desk.begin(now_ns)
            quiet = settle(desk, intake, scans)
            # Ten of 25 tags look at another tag or are looked at by one.
            assert quiet.samples + sum(len(part.scan) for part in quiet.parts.values()) >= 15
        else:
            take_turn(desk, intake, scans, [], now_ns)
