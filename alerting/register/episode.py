"""Register entry: the episode of a hazard unit, opened and closed by its alarms.

Flow: events -> [open, join, close] -> commit
Why: an entry opens when the unit's tier leaves NONE and closes when all its alarms are NORMAL and the tier is NONE
    again, which may be a little later, because a tier stays for a stated time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from alerting.model.alarm import Alarm, State, digest
from alerting.model.tier import Tier
from edge.model import Nature


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One episode.

    Attributes:
        closed_ns: 0 while open.
        alarms: Alarm ids in order of their onset.
    """

    id: str
    nature: Nature
    unit: str
    opened_ns: int
    closed_ns: int = 0
    tier: Tier = Tier.NONE
    tier_max: Tier = Tier.NONE
    alarms: tuple[str, ...] = ()
    is_late: bool = False


class EntryBook:
    """The open entries of all units.

    Within a tick the alarms that join an entry are noted beside it and put into it once, by ``fill``: where all tags of
    a large unit fall silent at once, an entry that is written anew for each of them would stop the road for minutes.
    """

    def __init__(self, site: str) -> None:
        self._site = site
        self.open: dict[tuple[Nature, str], Entry] = {}
        self._alarms: dict[str, dict[str, None]] = {}  # of each open entry, in order of their onset

    def adopt(self, entries: Iterable[Entry]) -> None:
        """Take over open entries at start."""
        for entry in entries:
            self.open[entry.nature, entry.unit] = entry
            self._alarms[entry.id] = dict.fromkeys(entry.alarms)

    def fill(self, entries: dict[str, Entry]) -> None:
        """End a tick: put into its entries, by id, and into the open ones what joined them."""
        for name, entry in entries.items():
            alarms = self._alarms.get(name)
            if alarms is None or len(alarms) == len(entry.alarms):
                continue
            entries[name] = full = replace(entry, alarms=tuple(alarms))
            where = entry.nature, entry.unit
            if where in self.open and self.open[where].id == name:
                self.open[where] = full
        if len(self._alarms) > len(self.open):
            known = {entry.id for entry in self.open.values()}
            self._alarms = {name: alarms for name, alarms in self._alarms.items() if name in known}

    def tier_max(self, where: tuple[Nature, str]) -> Tier:
        """Give the highest tier of a unit's open entry; NONE where there is none."""
        entry = self.open.get(where)
        return Tier.NONE if entry is None else entry.tier_max

    def follow(
        self, where: tuple[Nature, str], tier: Tier, alarm: Alarm | None, cause: str, time_ns: int, *, has_alarms: bool
    ) -> Entry | None:
        """Let a unit's entry follow its tier and an alarm of it.

        Args:
            tier: The unit's tier now.
            alarm: The alarm that changed; None where the clock changed the tier.
            cause: Id of the event that made the change; the id of an entry hangs on the event that opened it.
            has_alarms: Any alarm of the unit is not NORMAL.

        Returns:
            The entry as it stands now, without the alarms that joined it in this tick; or None where there is none.
        """
        entry = self.open.get(where)
        if entry is None:
            if tier is Tier.NONE:
                return None
            entry = Entry(id=digest(self._site, *where, cause), nature=where[0], unit=where[1], opened_ns=time_ns)
        entry = replace(entry, tier=tier, tier_max=max(entry.tier_max, tier))
        alarms = self._alarms.setdefault(entry.id, {})
        if alarm is not None and alarm.state is not State.NORMAL:
            alarms.setdefault(alarm.id)
        if has_alarms or tier is not Tier.NONE:
            self.open[where] = entry
        else:
            entry = replace(entry, closed_ns=time_ns)
            self.open.pop(where, None)
        return entry
