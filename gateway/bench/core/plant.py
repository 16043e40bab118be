"""A plant to measure with: tags with seven rules each, and what its sources send.

Why: every case of the table meets the same rules and the same kind of trouble, so that their figures compare.
Never: reads a clock. What is random comes from a seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.config import Source
from edge.model import Quality, Scan, Tag, TagTable

START_NS = 1_767_225_600_000_000_000
S = 1_000_000_000
MIDDLE, BEYOND_H, BEYOND_HH = 50.0, 85.0, 95.0
RULES_A_TAG = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Shares of the samples of a tick that are not quiet.

    Attributes:
        waits: Beyond a limit whose on-delay it does not outlast: a delay begins, and ends with the next sample.
        trips: Beyond a limit without delay: an alarm rings, and returns with the next sample.
        spoilt: Not a number.
    """

    waits: float = 0.0
    trips: float = 0.0
    spoilt: float = 0.0


QUIET = Trouble()
#: One sample in a thousand is an exception; one in ten of these rings.
USUAL = Trouble(waits=0.0006, trips=0.0001, spoilt=0.0003)
ALL_RING = Trouble(trips=0.001)
#: One tag in ten changes its state in each tick: half of them ring, the others return.
CHANGING = Trouble(trips=0.05)
#: One tag in ten is beyond its outer limits; with the same values in each tick they stand there.
STANDING = Trouble(trips=0.1)


def rules_of(name: str) -> list[Rule]:
    """Give the seven rules of a tag: four limits, a rate, silence, bad quality."""
    limit = {"tag": name, "deadband": 1.0, "off_delay_s": 0.0}
    return [
        Rule(id=f"{name}.LL", kind=Kind.LL, setpoint=10.0, tier=Tier.ORANGE, **limit),  # type: ignore[arg-type]
        Rule(id=f"{name}.L", kind=Kind.L, setpoint=20.0, tier=Tier.YELLOW, on_delay_s=5.0, **limit),  # type: ignore[arg-type]
        Rule(id=f"{name}.H", kind=Kind.H, setpoint=80.0, tier=Tier.YELLOW, on_delay_s=5.0, **limit),  # type: ignore[arg-type]
        Rule(id=f"{name}.HH", kind=Kind.HH, setpoint=90.0, tier=Tier.ORANGE, **limit),  # type: ignore[arg-type]
        Rule(id=f"{name}.RATE", tag=name, kind=Kind.RATE, setpoint=5.0, deadband=0.5, window_s=60.0, tier=Tier.YELLOW),
        Rule(id=f"{name}.STALE", tag=name, kind=Kind.STALE, setpoint=60.0, tier=Tier.BLUE),
        Rule(id=f"{name}.BAD", tag=name, kind=Kind.BAD, setpoint=30.0, tier=Tier.BLUE),
    ]


def make_parts(tags: int, rows_per_scan: int) -> tuple[list[Rule], TagTable, tuple[Source, ...]]:
    """Make the rules, tags and sources of a plant whose sources have ``rows_per_scan`` tags each."""
    count = -(-tags // rows_per_scan)
    names = [f"T-{row:07d}" for row in range(tags)]
    table = TagTable(
        [Tag(name=name, source=f"s{row // rows_per_scan}", unit=f"u{row // 50}") for row, name in enumerate(names)]
    )
    sources = tuple(Source(id=f"s{place}", protocol="mqtt", silent_after_s=10.0) for place in range(count))
    return [rule for name in names for rule in rules_of(name)], table, sources


def make_plant(tags: int, rows_per_scan: int) -> tuple[RuleTable, tuple[Source, ...]]:
    """Make the rule table of a plant, and its sources."""
    rules, table, sources = make_parts(tags, rows_per_scan)
    return RuleTable(rules, table), sources


def values_of(dice: np.random.Generator, n: int, trouble: Trouble) -> NDArray[np.float64]:
    """Give the values of one tick, float64 (n,)."""
    values = dice.normal(MIDDLE, 0.5, n)
    left = dice.permutation(n) if trouble != QUIET else np.empty(0, np.int64)
    for share, value in ((trouble.waits, BEYOND_H), (trouble.trips, BEYOND_HH), (trouble.spoilt, np.nan)):
        picked, left = left[: round(share * n)], left[round(share * n) :]
        values[picked] = value
    return values


def scans_of_tick(
    dice: np.random.Generator, tags: int, rows_per_scan: int, number: int, trouble: Trouble
) -> Iterator[Scan]:
    """Give one scan of each source, one second after the last ones."""
    now_ns = START_NS + number * S
    values = values_of(dice, tags, trouble)
    rows = np.arange(tags, dtype=np.int32)
    for place, start in enumerate(range(0, tags, rows_per_scan)):
        mine = slice(start, min(start + rows_per_scan, tags))
        n = mine.stop - mine.start
        yield Scan(
            source=f"s{place}",
            epoch=1,
            number=number,
            received_ns=now_ns,
            rows=rows[mine].copy(),
            values=values[mine].copy(),
            quality=np.full(n, Quality.GOOD, dtype=np.uint8),
            times_ns=np.full(n, now_ns - int(dice.integers(0, S // 10)), dtype=np.int64),
        )
