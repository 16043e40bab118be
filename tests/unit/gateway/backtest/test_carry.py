"""Carrying with stops gives what replay gives: the same events byte for byte, and the same memory at the end."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerting.desk import Desk
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.schedule import Schedule, Span
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.config import MqttOptions, Source
from edge.model import Nature, Tag, TagTable
from gateway.backtest.carry import Carrier
from gateway.config import Site
from gateway.record import EventLog
from gateway.recording import steps
from gateway.replay import replay

PERIOD_S = 60
#: The dice; the rest in the long run.
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2, 3))]
START_S = 1_767_225_600
SOURCES = ("a", "b", "c")
#: Twenty minutes of every forty.
HOURS = Schedule(
    spans=tuple(Span(days=(0, 1, 2, 3, 4, 5, 6), from_s=2400 * k, to_s=2400 * k + 1200) for k in range(36)),
    zone="Asia/Shanghai",
)


def source(name: str, nature: Nature) -> Source:
    return Source(id=name, protocol="mqtt", nature=nature, mqtt=MqttOptions(host="127.0.0.1"))


def others(tag: str, other: str) -> list[Rule]:
    """Rules that need every sample of their inputs."""
    common: dict[str, Any] = {"tag": tag, "tier": Tier.YELLOW, "on_delay_s": 60.0}
    both = tuple(dict.fromkeys((tag, other)))
    return [
        Rule(id=f"{tag}.RATE", kind=Kind.RATE, setpoint=0.005, window_s=180, **common),
        Rule(id=f"{tag}.TREND", kind=Kind.TREND, setpoint=3.0, horizon_s=600.0, alpha=0.2, samples_min=5, **common),
        Rule(id=f"{tag}.DEVIATION", kind=Kind.DEVIATION, reference=other, setpoint=2.0, deadband=0.2, **common),
        Rule(id=f"{tag}.FROZEN", kind=Kind.FROZEN, setpoint=300.0, band=0.3, tag=tag, tier=Tier.YELLOW),
        Rule(id=f"{tag}.STATE", kind=Kind.STATE, setpoint=0.0, states=(0.5, 0.25), **common),
        Rule(
            id=f"{tag}.EXPRESSION",
            kind=Kind.EXPRESSION,
            setpoint=float("nan"),
            when=f"{tag} > 1 and {other} < 1",
            asked=both,
            **common,
        ),
    ]


def site(luck: np.random.Generator, tags: int, folder: Path, *, with_others: bool) -> Site:
    """A site of luck: limits in any combination, delays and silences that often fall on a sample's own time."""
    natures = dict(zip(SOURCES, (Nature.ACTUAL, Nature.ACTUAL, Nature.TEST), strict=True))
    table = TagTable(
        [
            Tag(name=f"T{t}", source=name, unit=f"U{t % 3}", nature=natures[name])
            for t in range(tags)
            for name in (SOURCES[int(luck.integers(3))],)
        ]
    )
    rules = []
    for tag in table:
        for kind, setpoint, tier in (
            (Kind.LL, -2.5, Tier.ORANGE),
            (Kind.L, -1.5, Tier.YELLOW),
            (Kind.H, 1.5, Tier.YELLOW),
            (Kind.HH, 2.5, Tier.RED),
        ):
            if luck.random() < 0.6:
                rules.append(
                    Rule(
                        id=f"{tag.name}.{kind.name}",
                        tag=tag.name,
                        kind=kind,
                        setpoint=setpoint,
                        tier=tier,
                        deadband=float(luck.choice([0.0, 0.1, 0.5])),
                        on_delay_s=float(luck.choice([0, 30, 60, 150])),
                        off_delay_s=float(luck.choice([0, 60, 90])),
                        is_latching=bool(luck.random() < 0.2),
                    )
                )
        if luck.random() < 0.8:
            setpoint = float(luck.choice([60, 90, 180, 600]))
            rules.append(Rule(id=f"{tag.name}.STALE", tag=tag.name, kind=Kind.STALE, setpoint=setpoint, tier=Tier.BLUE))
        if luck.random() < 0.7:
            setpoint = float(luck.choice([0, 60, 100]))
            rules.append(Rule(id=f"{tag.name}.BAD", tag=tag.name, kind=Kind.BAD, setpoint=setpoint, tier=Tier.BLUE))
        if luck.random() < 0.3:
            rules.append(Rule(id=f"{tag.name}.RANGE", tag=tag.name, kind=Kind.RANGE, setpoint=60.0, tier=Tier.YELLOW))
        rules += [rule for rule in others(tag.name, f"T{luck.integers(tags)}") if with_others and luck.random() < 0.15]
    return Site(
        id="luck",
        title={"en": "Luck", "zh": "运气"},
        timezone="UTC",
        sources=tuple(source(name, nature) for name, nature in natures.items()),
        tags=table,
        units=tuple(HazardUnit(id=f"U{u}") for u in range(3)),
        rules=RuleTable(rules, table),
        data=folder,
    )


def gated(luck: np.random.Generator, here: Site) -> Site:
    """The same site; a third of the rules, also STALE and BAD ones, have an enable-condition over some tag."""
    rules = []
    for rule in here.rules:
        nature = here.tags[here.tags.row_of[rule.tag]].nature
        names = [tag.name for tag in here.tags if tag.nature is nature]
        name = names[int(luck.integers(len(names)))]
        text = str(luck.choice([f"{name} < 0.5", f"not is_bad({name})", f"{name} > -1 for 2 min"]))
        gated = replace(rule, enable=text, enable_asked=(name,)) if luck.random() < 0.35 else rule
        rules.append(replace(gated, schedule=HOURS) if luck.random() < 0.25 else gated)
    return replace(here, rules=RuleTable(rules, here.tags))


def recording(luck: np.random.Generator, names: list[str], n: int, gaps: float) -> str:
    """Quiet walks that cross their limits now and then, with holes, NaN and pauses."""
    values = np.cumsum(luck.normal(0, 0.25, (n, len(names))), axis=0)
    values = np.abs((values + 3) % 12 - 6) - 3
    at = START_S + np.cumsum(np.where(luck.random(n) < 0.02, luck.integers(2, 30, n), 1)) * PERIOD_S
    cells = np.vectorize("{:.3f}".format)(values).astype(object)
    cells[luck.random(cells.shape) < gaps] = ""
    for t in range(len(names)):  # Whole stretches without samples, and stretches that are BAD.
        for word in ("", "nan"):
            first = int(luck.integers(n))
            cells[first : first + int(luck.integers(60)), t] = word
    if gaps == 0:
        cells[cells == ""] = "0.5"
    lines = [",".join([str(t), *row]) for t, row in zip(at, cells, strict=True)]
    return "\n".join([",".join(["time", *names]), *lines]) + "\n"


def carry(here: Site, path: Path, log: EventLog) -> tuple[Carrier, Desk]:
    carrier = Carrier(here, log.write, lambda _nature, _changes: None)
    for chunk in steps(path, here.tags):
        carrier.take(chunk)
    carrier.end()
    assert carrier.desk is not None
    return carrier, carrier.desk


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("gaps", [0.0, 0.5])
def test_carrying_gated_rules_gives_the_events_of_replay(seed: int, gaps: float, tmp_path: Path) -> None:
    luck = np.random.default_rng([9, seed, int(gaps * 100)])
    here = gated(luck, site(luck, 7, tmp_path, with_others=seed % 2 == 0))
    path = tmp_path / "r.csv"
    path.write_text(recording(luck, [*here.tags.names], 450, gaps), encoding="utf-8")
    replayed, carried = io.BytesIO(), io.BytesIO()

    replay(here, path, EventLog(replayed, "run"))
    carry(here, path, EventLog(carried, "run"))

    assert b'"disabled":"enable"' in replayed.getvalue()
    assert b'"disabled":"schedule"' in replayed.getvalue()
    assert carried.getvalue().splitlines() == replayed.getvalue().splitlines()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("gaps", [0.0, 0.02, 0.5])
def test_carrying_gives_the_events_of_replay(
    seed: int, gaps: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    luck = np.random.default_rng([seed, int(gaps * 100)])
    here = site(luck, 7, tmp_path, with_others=seed % 3 == 0)
    path = tmp_path / "r.csv"
    path.write_text(recording(luck, [*here.tags.names], 450, gaps), encoding="utf-8")
    replayed, carried = io.BytesIO(), io.BytesIO()

    done = replay(here, path, EventLog(replayed, "run"))
    monkeypatch.setattr("gateway.recording.CELLS_MAX", 7 * 61)  # Several chunks, none of them a round number.
    carrier, desk = carry(here, path, EventLog(carried, "run"))

    assert done.events > 30
    assert carried.getvalue().splitlines() == replayed.getvalue().splitlines()
    assert carrier.done.samples == done.samples
    assert carrier.done.stops <= done.ticks - (0 if seed % 3 == 0 else 20)
    assert desk.ticks == carrier.done.stops


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_reasons_of_bad_quality_are_those_of_the_recording(seed: int, tmp_path: Path) -> None:
    """A value that is no number is out of range where the long form says so, in replay and in a backtest alike."""
    luck = np.random.default_rng([8, seed])
    here = site(luck, 7, tmp_path, with_others=False)
    head, *lines = [line.split(",") for line in recording(luck, [*here.tags.names], 450, 0.02).splitlines()]
    words = ("BAD(range)", "BAD(range)", "BAD(timeout)", "")
    cells = [
        f"{line[0]},{name},{'' if word else cell},{word}"
        for line in lines
        for name, cell in zip(head[1:], line[1:], strict=True)
        if cell
        for word in [str(luck.choice(words)) if cell == "nan" else ""]
    ]
    path = tmp_path / "r.csv"
    path.write_text("\n".join(["time,tag,value,quality", *cells]) + "\n", encoding="utf-8")
    replayed, carried = io.BytesIO(), io.BytesIO()

    replay(here, path, EventLog(replayed, "run"))
    carry(here, path, EventLog(carried, "run"))

    assert b'"condition":"RANGE"' in replayed.getvalue()
    assert carried.getvalue().splitlines() == replayed.getvalue().splitlines()
