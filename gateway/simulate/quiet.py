"""Quiet: what the gateway keeps of floods and what it lists as suppressed, as a scenario's judge takes it.

Flow: flood states, listed alarms -> [floods_of | Looks] -> Seen
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, create_engine

from alerting.model.alarm import Alarm, Suppression
from alerting.model.flood import FloodState
from gateway.store.engine import store_url
from gateway.store.floods import floods
from simulators.scenario import First, FloodSeen, Listed, Scenario, See

NS: Final = 1_000_000_000


def floods_of(states: Iterable[FloodState], second_of: Callable[[int], float]) -> tuple[FloodSeen, ...]:
    """Give floods, the first begun first.

    Args:
        second_of: From receive time, ns, to the second of the story.
    """
    return tuple(
        FloodSeen(
            began_s=second_of(state.began_ns),
            ended_s=second_of(state.ended_ns) if state.ended_ns else None,
            count=state.count,
            first=_first(state.told["first"]),
            units={share["unit"]: _first(share["first"]) for share in state.told["units"]},
        )
        for state in sorted(states, key=lambda state: state.began_ns)
    )


def kept_floods(connection: Connection, begins_ns: int) -> tuple[FloodSeen, ...]:
    """Give the floods that a store keeps, by the seconds of a story that began at a moment."""
    return floods_of(floods(connection, is_open=False), lambda ns: round((ns - begins_ns) / NS, 6))


def floods_in(data: Path, begins_ns: int) -> tuple[FloodSeen, ...]:
    """Give the floods that the store of a gateway which ended keeps."""
    engine = create_engine(store_url(data))
    try:
        with engine.connect() as connection:
            return kept_floods(connection, begins_ns)
    finally:
        engine.dispose()


def _first(said: dict[str, str]) -> First:
    return First(tag=said["tag"], condition=said["condition"])


def asks(scenario: Scenario, *kinds: See) -> bool:
    """Tell whether a scenario has an expectation of one of these kinds."""
    return any(each.see in kinds for each in scenario.expectations)


@dataclass(slots=True)
class Looks:
    """When each suppressed alarm was listed: at each look at which it had not been at the look before, and the last.

    Attributes:
        listed: In order of time.
    """

    listed: list[Listed] = field(default_factory=list)
    _before: frozenset[str] = frozenset()

    def look(self, time_s: float, alarms: Iterable[Alarm]) -> None:
        """Look at the alarms as the gateway lists them."""
        now = frozenset(alarm.id for alarm in alarms if alarm.suppression is not Suppression.NONE)
        self.listed += [Listed(time_s=time_s, alarm=name) for name in sorted(now - self._before)]
        self._before = now
