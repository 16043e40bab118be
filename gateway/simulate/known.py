"""Known: what a scenario's reader must know of a site to refuse what can never be met."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from alerting.covers import Covers
from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from edge.load.mistake import ConfigError, Mistake
from gateway.config import Site
from gateway.load import load
from gateway.system import with_system
from simulators.plant.port import PlantKind
from simulators.scenario import Flooding, Known, Tripping

SITES: Final = Path(__file__).parents[2] / "simulators" / "sites"
#: Where the demonstration's site is: in the wheel, and in the source tree.
DEMONSTRATIONS: Final = (Path(__file__).parents[1] / "demo_site", Path(__file__).parents[2] / "config" / "demo")
#: Kinds whose setpoint is the time, s, that they take before they can hold.
_TAKES_TIME: Final = frozenset({Kind.FROZEN, Kind.STALE, Kind.BAD, Kind.RANGE})


def site_of(named: Path | None, kind: PlantKind) -> Path:
    """Give the site file that a scenario is played on: the one it names, or its plant's own."""
    if named is not None:
        return named
    if kind.site:
        return SITES / kind.site / "site.toml"
    return next((folder for folder in DEMONSTRATIONS if folder.is_dir()), DEMONSTRATIONS[-1]) / "site.toml"


def load_site(path: Path, kind: PlantKind, tags: Iterable[str]) -> Site:
    """Load a site for a plant.

    Raises:
        ConfigError: It has mistakes, or does not have all that the plant measures, or is no demonstration.
    """
    site = load(path, environ={})
    missing = [tag for tag in tags if tag not in site.tags.row_of]
    if missing:
        sentence = f"The plant {kind.name} measures {', '.join(missing[:6])}, and the site has no such tag."
        raise ConfigError(
            [Mistake(file=str(path), line=1, path="tags", sentence=sentence, remedy="Add it to a tag table.")]
        )
    if not site.is_demonstration:
        raise ConfigError(
            [
                Mistake(
                    file=str(path), line=1, path="site.demonstration",
                    sentence="Site: a plant made of code is played on a site that says so, lest it be taken for real.",
                    remedy='Write demonstration = true, and nature = "test" at each source.',
                )
            ]
        )  # fmt: skip
    return replace(site, influx=None)


def known_of(site: Site, measured: Iterable[str], *, has_system: bool = True) -> Known:
    """Tell what is known of a site; what the gateway watches about itself, its links for one, can be expected as well.

    Args:
        measured: Tags that the plant gives; faults are for these only.
        has_system: False for the shadow of a site, which does not watch itself.
    """
    sources, site = site.sources, with_system(site) if has_system else site
    tags = site.tags
    rules = [_tripping(rule, tags[tags.row_of[rule.tag]].unit) for rule in site.rules if rule.kind < Kind.GATE]
    least = min((destination.tier_least for destination in site.destinations), default=None)
    return Known(
        ranges={tag: (float(tags.range_lo[row]), float(tags.range_hi[row])) for tag, row in _rows(site, measured)},
        sources=frozenset(source.id for source in sources),
        rules=tuple(rules),
        units={unit.id: _highest(site, unit.id).name for unit in site.units},
        told_from="" if least is None else least.name,
        flooding=Flooding(
            above=site.philosophy.flood.begins_above,
            window_s=site.philosophy.flood.window_s,
            alarms=len(site.rules.alarms),
        ),
        covered=_covered(site),
    )


def _covered(site: Site) -> frozenset[str]:
    """Give the rules whose alarm a declared suppression can keep quiet."""
    table = site.rules
    covers = Covers(site.philosophy.suppressions, table, site.units)
    return frozenset(
        table[index].id for place in covers.of_place for index in range(*table.alarm_first[place : place + 2].tolist())
    )


def _rows(site: Site, measured: Iterable[str]) -> list[tuple[str, int]]:
    return [(tag, site.tags.row_of[tag]) for tag in measured]


def _tripping(rule: Rule, unit: str) -> Tripping:
    return Tripping(
        rule=rule.id,
        tag=rule.tag,
        condition=rule.kind.name,
        unit=unit,
        tier=rule.tier.name,
        on_delay_s=rule.on_delay_s,
        least_s=rule.setpoint if rule.kind in _TAKES_TIME else 0.0,
    )


def _highest(site: Site, unit: str) -> Tier:
    """Give the highest tier that a unit can reach: of its rules, and of the tiering lines about it."""
    own = next(each for each in site.units if each.id == unit)
    of_rules = [rule.tier for rule in site.rules if site.tags[site.tags.row_of[rule.tag]].unit == unit]
    of_lines = [line.tier for line in site.tiering.lines if line.is_about(own)]
    return max([*of_rules, *of_lines], default=Tier.NONE)
