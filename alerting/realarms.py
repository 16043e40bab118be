"""Re-alarms: when acknowledged alarms that still stand are due to be announced again."""

from collections.abc import Iterable, Iterator

from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.realarm import Realarm

NEVER_NS = 2**63 - 1


class RealarmBook:
    """Due times by alarm key; a look at it costs nothing until the first is due."""

    def __init__(self) -> None:
        self.policy = Realarm()
        self._due_ns: dict[str, int] = {}
        self._next_ns = NEVER_NS

    def go_by(self, policy: Realarm, alarms: Iterable[Alarm]) -> None:
        """Go by another policy from now on."""
        self.policy = policy
        self._due_ns.clear()
        self._next_ns = NEVER_NS
        for alarm in alarms:
            self.follow(alarm)

    def follow(self, alarm: Alarm) -> None:
        """Follow a changed alarm."""
        due_ns = 0
        if alarm.state is State.ACKED and alarm.suppression is Suppression.NONE:
            due_ns = self.policy.due_ns(alarm.acked_ns, alarm.tier, alarm.rule)
        if due_ns:
            self._due_ns[alarm.key] = due_ns
            self._next_ns = min(self._next_ns, due_ns)
        else:
            self._due_ns.pop(alarm.key, None)

    @property
    def next_ns(self) -> int:
        """When the next may be due, or earlier."""
        return self._next_ns

    def take_due(self, now_ns: int) -> Iterator[tuple[str, int]]:
        """Give the keys that are due, the first due first."""
        if now_ns < self._next_ns:
            return
        due = sorted((due_ns, key) for key, due_ns in self._due_ns.items() if due_ns <= now_ns)
        for _, key in due:
            del self._due_ns[key]
        self._next_ns = min(self._due_ns.values(), default=NEVER_NS)
        yield from ((key, due_ns) for due_ns, key in due)
