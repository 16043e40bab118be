"""Time of a drill: it stands still while the drill is paused, so that no delay runs out and no instrument falls silent.

Why: what is kept must say when people saw it. So every time that leaves the drill is told by the wall again.
"""

from dataclasses import replace

from alerting.model.alarm import Alarm
from alerting.outcome import Outcome
from alerting.register.episode import Entry
from edge.clock import Clock


class DrillClock:
    """Receive time without the pauses, ns since 1970-01-01 UTC; a ``Clock`` for what plays the plant.

    Args:
        clock: The gateway's receive time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pauses: list[tuple[int, int]] = []  # (when, by this clock; how long, ns)
        self._stands_ns: int | None = None

    def wall_ns(self) -> int:
        """Give the time of the drill."""
        if self._stands_ns is not None:
            return self._stands_ns
        return self._clock.wall_ns() - self._paused_ns()

    def monotonic_ns(self) -> int:
        """Give the monotonic clock, ns."""
        return self._clock.monotonic_ns()

    @property
    def is_paused(self) -> bool:
        """Tell whether it stands."""
        return self._stands_ns is not None

    def pause(self) -> None:
        """Stand still from now on."""
        assert self._stands_ns is None, "it stands already"
        self._stands_ns = self.wall_ns()

    def resume(self) -> None:
        """Go on from where it stands."""
        assert self._stands_ns is not None, "it does not stand"
        length_ns = self._clock.wall_ns() - self._paused_ns() - self._stands_ns
        self._pauses.append((self._stands_ns, length_ns))
        self._stands_ns = None

    def to_wall(self, drill_ns: int) -> int:
        """Tell when by the gateway's receive time a moment of the drill was; 0 stays 0 (never)."""
        return drill_ns and drill_ns + sum(length_ns for at_ns, length_ns in self._pauses if at_ns < drill_ns)

    def from_wall(self, wall_ns: int) -> int:
        """Tell which moment of the drill it was at a receive time; all of a pause is one moment."""
        drill_ns = wall_ns
        for at_ns, length_ns in self._pauses:
            if drill_ns > at_ns:
                drill_ns = max(at_ns, drill_ns - length_ns)
        return drill_ns if self._stands_ns is None else min(drill_ns, self._stands_ns)

    def _paused_ns(self) -> int:
        return sum(length_ns for _, length_ns in self._pauses)


def on_wall(outcome: Outcome, clock: DrillClock) -> Outcome:
    """Give what a tick of a drill changed, with all its times by the wall; ids stay what they are."""
    at = clock.to_wall
    return replace(
        outcome,
        now_ns=at(outcome.now_ns),
        events=[
            replace(event, time_ns=at(event.time_ns), received_ns=at(event.received_ns)) for event in outcome.events
        ],
        alarms={key: alarm_on_wall(alarm, clock) for key, alarm in outcome.alarms.items()},
        entries={key: _entry(entry, clock) for key, entry in outcome.entries.items()},
        tasks=[replace(task, opened_ns=at(task.opened_ns), due_ns=at(task.due_ns)) for task in outcome.tasks],
        stops={},  # Stops are declared for the real plant alone.
        floods=[],  # Nobody is flooded by an exercise alone.
        disposals=[replace(each, opened_ns=at(each.opened_ns), due_ns=at(each.due_ns)) for each in outcome.disposals],
        requests={
            key: replace(
                each,
                asked_ns=at(each.asked_ns),
                expires_ns=at(each.expires_ns),
                ended_ns=at(each.ended_ns),
            )
            for key, each in outcome.requests.items()
        },
        standings=[],  # Of the drill alone; nothing of it is taken up again after a restart.
        delays=[],
        gone=[],
    )


def alarm_on_wall(alarm: Alarm, clock: DrillClock) -> Alarm:
    """Give an alarm of a drill with its times by the wall."""
    at = clock.to_wall
    return replace(
        alarm,
        onset_ns=at(alarm.onset_ns),
        raised_ns=at(alarm.raised_ns),
        changed_ns=at(alarm.changed_ns),
        acked_ns=at(alarm.acked_ns),
        suppressed_until_ns=at(alarm.suppressed_until_ns),
        suppressed_ns=at(alarm.suppressed_ns),
        silenced_ns=at(alarm.silenced_ns),
    )


def _entry(entry: Entry, clock: DrillClock) -> Entry:
    return replace(entry, opened_ns=clock.to_wall(entry.opened_ns), closed_ns=clock.to_wall(entry.closed_ns))
