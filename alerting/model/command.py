"""Command: what a person asks of an alarm. Commands are inputs of a tick, like scans."""

from dataclasses import dataclass
from enum import StrEnum

from alerting.model.stop import Plan
from alerting.model.tier import Tier


class Verb(StrEnum):
    """What is asked."""

    ACK = "ack"
    SILENCE = "silence"  # the horn, not the alarm
    RESET = "reset"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    SUPPRESS = "suppress"  # take out of service
    UNSUPPRESS = "unsuppress"  # return to service
    CONFIRM = "confirm"  # another person's request
    WITHDRAW = "withdraw"  # a request of one's own, or decline another's
    STOP = "stop"  # declare that a device is down
    EXTEND = "extend"  # give a declared stop another end
    RESUME = "resume"  # say that the device is back
    EMPTY = "empty"  # nobody is inside: set an occupancy to 0
    RELEARN = "relearn"  # take what comes next for normal


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One request by a named person.

    Attributes:
        alarm: Alarm id, or the alarm key for an alarm that never rang; for ``EMPTY`` the name of the tag, for
            ``RELEARN`` the rule's id, for ``CONFIRM`` and ``WITHDRAW`` the request's, for ``EXTEND`` and ``RESUME``
            the stop's; empty for ``STOP``.
        who: Name of the user.
        reason: Comment of an ack; required for shelve and suppress.
        until_ns: End of a shelf or of out of service; required for both, but for a one-shot shelf, which then ends at
            the longest time.
        is_one_shot: SHELVE until the alarm returns to normal, at the latest until its end.
        permit: Number of the permit that SUPPRESS is asked under; empty for none.
        batch: Shared by what one person asked of many alarms at once; empty for one.
        confirmed_by: The second person, once there was one.
        received_ns: When it was given, receive time.
        forget_season: RELEARN forgets season and noise too, else only the baseline.
        plan: What ``STOP`` declares.
        seen_tier: Tier that the person saw when acknowledging; a higher one since then refuses. None where not told.
    """

    verb: Verb
    alarm: str
    who: str
    received_ns: int
    reason: str = ""
    until_ns: int = 0
    seen_tier: Tier | None = None
    forget_season: bool = False
    is_one_shot: bool = False
    permit: str = ""
    batch: str = ""
    confirmed_by: str = ""
    plan: Plan | None = None
