"""Acts on many alarms: one call, one transaction, an answer for each alarm."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request, Response

from alerting.model.command import Verb
from gateway.api.acting import Acting, absence, shelf
from gateway.api.asked import AcknowledgeMany, Many, QuietenMany, ShelveMany
from gateway.api.door import OPERATE, SUPPRESS, Doors

#: Acts that ask for nothing but the alarms, as their doors say it.
PLAIN: Final = {
    Verb.RESET: "Reset latched alarms",
    Verb.UNSHELVE: "End shelves",
    Verb.UNSUPPRESS: "Return alarms to service",
}


def open_acts_doors(doors: Doors) -> None:
    """Declare them."""
    acting = Acting(doors.house)

    async def ack_many(asked: AcknowledgeMany, request: Request) -> Response:
        """Acknowledge alarms in one transaction, with one comment; what rose since it was seen is refused."""
        said = {"reason": asked.comment, "batch": secrets.token_hex(4)}
        return await acting.obey_many(
            asked, lambda name, seen: acting.command(request, Verb.ACK, name, seen_tier=seen, **said)
        )

    async def silence_many(asked: Many, request: Request) -> Response:
        """Silence the horn for alarms, at every screen; they stay unacknowledged, and sound again when they rise."""
        batch = secrets.token_hex(4)
        return await acting.obey_many(
            asked, lambda name, seen: acting.command(request, Verb.SILENCE, name, seen_tier=seen, batch=batch)
        )

    async def shelve_many(asked: ShelveMany, request: Request) -> Response:
        """Shelve alarms in one transaction, with one reason and end."""
        said = {**shelf(asked), "batch": secrets.token_hex(4)}
        return await acting.obey_many(asked, lambda name, _: acting.command(request, Verb.SHELVE, name, **said))

    async def suppress_many(asked: QuietenMany, request: Request) -> Response:
        """Take alarms out of service in one transaction, with one reason, end and permit, or extend that."""
        said = {**absence(asked), "batch": secrets.token_hex(4)}
        return await acting.obey_many(asked, lambda name, _: acting.command(request, Verb.SUPPRESS, name, **said))

    def many(verb: Verb) -> Callable[[Many, Request], Awaitable[Response]]:
        async def act(asked: Many, request: Request) -> Response:
            batch = secrets.token_hex(4)
            return await acting.obey_many(asked, lambda name, _: acting.command(request, verb, name, batch=batch))

        act.__doc__ = f"{PLAIN[verb]} in one transaction; tell of each whether it was done, or why not."
        return act

    at = "/api/v1/acts"
    doors.open("POST", f"{at}/ack", OPERATE, ack_many, tag="alarms")
    doors.open("POST", f"{at}/silence", OPERATE, silence_many, tag="alarms")
    doors.open("POST", f"{at}/reset", OPERATE, many(Verb.RESET), tag="alarms")
    doors.open("POST", f"{at}/shelve", OPERATE, shelve_many, tag="alarms")
    doors.open("POST", f"{at}/unshelve", OPERATE, many(Verb.UNSHELVE), tag="alarms")
    doors.open("POST", f"{at}/suppress", SUPPRESS, suppress_many, tag="alarms")
    doors.open("POST", f"{at}/unsuppress", SUPPRESS, many(Verb.UNSUPPRESS), tag="alarms")
