"""Covers: which alarms the declared suppressions and the stops that run cover, as the rule table lies.

Flow: philosophy, rule table, units, stops -> [Covers] -> the desk asks it at each trip and each change of a state
Never: remembers. Whether a state holds stands in the memory of its hidden rule, whether a stop runs with the stop.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from alerting.core import Memory
from alerting.model.by_design import DesignSuppression
from alerting.model.rule import RuleTable
from alerting.model.stop import Stop, StopKind
from alerting.model.ticket_cover import TicketSuppression, of_work
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.model import Nature


class Cover(Protocol):
    """What keeps an alarm quiet by design: a state of the plant, or a declared stop."""

    @property
    def design(self) -> str:
        """What the alarm names."""
        ...

    @property
    def words(self) -> Mapping[str, str]:
        """Why, by language."""
        ...


class Covers:
    """Declared suppressions laid over a rule table.

    Attributes:
        is_gate: Rules that judge a state, bool (rules,).
        of_gate: Suppression by index of its hidden rule.
        of_place: Hidden rules whose suppression covers an alarm, by its place in ``table.alarms``.
        of_stop: Running stops that cover an alarm, by its place.
        place_of: Places of the alarms that any of them covers, by tag and group.
    """

    def __init__(
        self,
        declared: Sequence[DesignSuppression],
        table: RuleTable,
        units: Sequence[HazardUnit],
        stops: Sequence[Stop] = (),
        tier_most: Tier = Tier.ORANGE,
        tickets: Sequence[TicketSuppression] = (),
    ) -> None:
        self.is_gate: NDArray[np.bool_] = np.zeros(len(table), dtype=np.bool_)
        self.of_gate: dict[int, DesignSuppression] = {}
        self.of_place: dict[int, tuple[int, ...]] = {}
        self.of_stop: dict[int, tuple[Stop, ...]] = {}
        self.place_of: dict[tuple[str, str], int] = {}
        by_unit: dict[str, list[int]] = {}
        by_tag: dict[str, list[int]] = {}
        for each in declared:
            gate = table.index_of.get(each.gate)
            if gate is None:  # A recording from before it was declared.
                continue
            self.is_gate[gate] = True
            self.of_gate[gate] = each
            for unit in under(each.units, units):
                by_unit.setdefault(unit, []).append(gate)
            for tag in each.tags:
                by_tag.setdefault(tag, []).append(gate)
        if self.of_gate:
            self._lay(table, by_unit, by_tag)
        for stop in stops:
            if stop.kind is StopKind.TICKET:
                quiet = places_of_ticket(stop.work, stop.unit, stop.nature, tickets, table, units)
            else:
                names = tags_under(stop.unit, table, units) if stop.is_whole else stop.tags
                quiet, _ = places_of(names, table, stop.nature, tier_most)
            for place in quiet:
                self.of_stop[place] = (*self.of_stop.get(place, ()), stop)
                self.place_of[table.alarms[place]] = place

    def _lay(self, table: RuleTable, by_unit: dict[str, list[int]], by_tag: dict[str, list[int]]) -> None:
        natures = {gate: table.tags[int(table.row[gate])].nature for gate in self.of_gate}
        for place, (name, group) in enumerate(table.alarms):
            tag = table.tags[table.tags.row_of[name]]
            asked = dict.fromkeys((*by_unit.get(tag.unit, ()), *by_tag.get(name, ())))
            if not asked:
                continue
            first, end = table.alarm_first[place : place + 2].tolist()
            highest = Tier(int(table.tier[first:end].max()))
            over = tuple(
                gate for gate in asked if natures[gate] is tag.nature and _is_meant(self.of_gate[gate], group, highest)
            )
            if over and highest > Tier.NONE:
                self.of_place[place] = over
                self.place_of[name, group] = place

    def __bool__(self) -> bool:
        return bool(self.of_gate or self.of_stop)

    def over(self, place: int, memory: Memory) -> Cover | None:
        """Give the first suppression or stop that covers an alarm now, or None."""
        for gate in self.of_place.get(place, ()):
            if memory.is_active[gate]:
                return self.of_gate[gate]
        return next(iter(self.of_stop.get(place, ())), None)

    def count(self, gate: int) -> int:
        """Give how many alarms one of them covers."""
        return sum(gate in gates for gates in self.of_place.values())


def tags_under(unit: str, table: RuleTable, units: Sequence[HazardUnit]) -> list[str]:
    """Give the tags of a unit and of everything under it."""
    inside = set(under((unit,), units))
    return [tag.name for tag in table.tags if tag.unit in inside]


def places_of(
    names: Iterable[str], table: RuleTable, nature: Nature | None, tier_most: Tier
) -> tuple[list[int], list[int]]:
    """Give the places of the alarms of some tags: those that a stop keeps quiet, and those that are too grave.

    Args:
        nature: Of this one alone; None for all.
    """
    asked = set(names)
    quiet: list[int] = []
    grave: list[int] = []
    for place, (name, _) in enumerate(table.alarms):
        if name not in asked or nature not in (None, table.tags[table.tags.row_of[name]].nature):
            continue
        first, end = table.alarm_first[place : place + 2].tolist()
        highest = Tier(int(table.tier[first:end].max()))
        if highest > Tier.NONE:
            (quiet if highest <= tier_most else grave).append(place)
    return quiet, grave


def places_of_ticket(
    work: str,
    unit: str,
    nature: Nature,
    declared: Sequence[TicketSuppression],
    table: RuleTable,
    units: Sequence[HazardUnit],
) -> list[int]:
    """Give the places of the alarms that special work in a unit keeps quiet, as the site declares it for its kind."""
    inside = set(under((unit,), units))
    meant = [each for each in of_work(declared, work) if not each.units or unit in under(each.units, units)]
    quiet: list[int] = []
    for place, (name, group) in enumerate(table.alarms if meant else ()):
        tag = table.tags[table.tags.row_of[name]]
        if tag.nature is not nature:
            continue
        first, end = table.alarm_first[place : place + 2].tolist()
        highest = Tier(int(table.tier[first:end].max()))
        if highest > Tier.NONE and any(_is_of_work(each, name, tag.unit in inside, group, highest) for each in meant):
            quiet.append(place)
    return quiet


def _is_of_work(each: TicketSuppression, name: str, is_inside: bool, group: str, highest: Tier) -> bool:  # noqa: FBT001 - beside what it is of
    is_place = is_inside if not each.tags else name in each.tags and (is_inside or bool(each.units))
    return is_place and highest <= each.tier_most and _is_group(each.groups, group)


def _is_group(groups: Sequence[str], group: str) -> bool:
    return not groups or group.split(":", maxsplit=1)[0] in groups


def _is_meant(each: DesignSuppression, group: str, highest: Tier) -> bool:
    return highest <= each.tier_most and _is_group(each.groups, group)


def under(names: Iterable[str], units: Sequence[HazardUnit]) -> list[str]:
    """Give units and everything under them, the named ones first."""
    children: dict[str, list[str]] = {}
    for unit in units:
        children.setdefault(unit.parent, []).append(unit.id)
    found = list(dict.fromkeys(names))
    for name in found:  # It grows while it is walked; the loader refuses circles.
        found += [child for child in children.get(name, ()) if child not in found]
    return found
