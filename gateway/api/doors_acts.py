"""Acts on one alarm: what a person may do to it. What is done to many at once stands in ``doors_acts_many``."""

from fastapi import Request, Response

from alerting.model.command import Verb
from alerting.model.tier import Tier
from gateway.api.acting import Acting, absence, shelf
from gateway.api.asked import Acknowledge, Id, Nothing, Quieten, Relearn, Shelve
from gateway.api.door import OPERATE, SUPPRESS, Doors


def open_act_doors(doors: Doors) -> None:
    """Declare them."""
    acting = Acting(doors.house)

    async def ack(alarm: Id, asked: Acknowledge, request: Request) -> Response:
        """Acknowledge: I have seen it."""
        seen = None if asked.seen_tier is None else Tier[asked.seen_tier]
        return await acting.obey(acting.command(request, Verb.ACK, alarm, reason=asked.comment, seen_tier=seen))

    async def silence(alarm: Id, request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """Silence the horn for an alarm, at every screen; it stays unacknowledged, and sounds again when it rises."""
        return await acting.obey(acting.command(request, Verb.SILENCE, alarm))

    async def reset(alarm: Id, request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """Reset a latched alarm."""
        return await acting.obey(acting.command(request, Verb.RESET, alarm))

    async def shelve(alarm: Id, asked: Shelve, request: Request) -> Response:
        """Silence an alarm until a time, or until it returns to normal, with a reason; pushes go on."""
        return await acting.obey(acting.command(request, Verb.SHELVE, alarm, **shelf(asked)))

    async def unshelve(alarm: Id, request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """End a shelf."""
        return await acting.obey(acting.command(request, Verb.UNSHELVE, alarm))

    async def suppress(alarm: Id, asked: Quieten, request: Request) -> Response:
        """Take an alarm out of service until a time, with a reason, or extend that; its pushes stop."""
        return await acting.obey(acting.command(request, Verb.SUPPRESS, alarm, **absence(asked)))

    async def unsuppress(alarm: Id, request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """Return an alarm to service."""
        return await acting.obey(acting.command(request, Verb.UNSUPPRESS, alarm))

    async def relearn(rule: Id, asked: Relearn, request: Request) -> Response:
        """Let a DRIFT rule take what comes next for normal; its alarm lets go."""
        return await acting.obey(
            acting.command(request, Verb.RELEARN, rule, reason=asked.reason, forget_season=asked.forget_season)
        )

    at = "/api/v1/alarms/{alarm}"
    doors.open("POST", f"{at}/ack", OPERATE, ack, tag="alarms")
    doors.open("POST", f"{at}/silence", OPERATE, silence, tag="alarms")
    doors.open("POST", f"{at}/reset", OPERATE, reset, tag="alarms")
    doors.open("POST", f"{at}/shelve", OPERATE, shelve, tag="alarms")
    doors.open("POST", f"{at}/unshelve", OPERATE, unshelve, tag="alarms")
    doors.open("POST", f"{at}/suppress", SUPPRESS, suppress, tag="alarms")
    doors.open("POST", f"{at}/unsuppress", SUPPRESS, unsuppress, tag="alarms")
    doors.open("POST", "/api/v1/rules/{rule:path}/relearn", SUPPRESS, relearn, tag="alarms")
