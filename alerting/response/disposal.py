"""Which alarms of a tick need a disposal: those that ring at a tier for which the site asks for one."""

from collections.abc import Iterable

from alerting.model.alarm import Suppression
from alerting.model.disposal import DisposalPolicy, Opening
from alerting.model.event import Event, What

RINGS = frozenset({What.RAISED, What.ESCALATED, What.REALARMED})
QUIET = frozenset({Suppression.BY_DESIGN.value, Suppression.OUT_OF_SERVICE.value})


def openings(policy: DisposalPolicy, events: Iterable[Event]) -> list[Opening]:
    """Give the disposals that events open or make due earlier; what is quiet or late opens none."""
    found = []
    for event in events:
        within_ns = policy.within_ns(event.tier)
        if event.what not in RINGS or not within_ns or event.is_late or event.suppression in QUIET:
            continue
        found.append(
            Opening(
                alarm=event.alarm,
                key=event.alarm_key,
                nature=event.nature,
                unit=event.unit,
                tag=event.tag,
                condition=event.condition,
                tier=event.tier,
                opened_ns=event.received_ns,
                due_ns=event.received_ns + within_ns,
            )
        )
    return found
