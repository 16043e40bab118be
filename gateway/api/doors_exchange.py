"""Exchange of the register with authorities: how far each has it, what would go next, telling all of it again."""

from typing import Annotated

from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from alerting.push.exchange import TABLES
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.door import ALL, RESEND, Doors, user_of
from gateway.api.house import Act
from gateway.config import Destination
from gateway.exchange import shown
from gateway.exchange.follow import tell_again
from gateway.exchange.plan import exchanging

Name = Annotated[str, Path(max_length=64)]


class Again(BaseModel):
    """Why a destination is told all again, or one ledger of it."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)
    ledger: str | None = Field(default=None, max_length=24)


def open_exchange_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    def named(name: str) -> Destination:
        found = next((one for one in exchanging(house.site) if one.id == name), None)
        if found is None:
            raise not_found("destination that takes the register", name)
        return found

    async def overview() -> Response:
        """Tell how far each authority has the register, table by table, and what is held back and why."""
        now_ns = house.clock.wall_ns()
        found = await house.read(lambda c: shown.overview(c, house.site, now_ns))
        return Json({"destinations": found})

    async def look(destination: Name) -> Response:
        """Give what would be sent next, word for word and in order; sends nothing."""
        to, now_ns = named(destination), house.clock.wall_ns()
        return Json(await house.read(lambda c: shown.dry_run(c, house.site, to, now_ns)))

    async def again(destination: Name, asked: Again, request: Request) -> Response:
        """Let a destination be told everything again, or one ledger; what it has it knows by the id of each row."""
        to = named(destination)
        if not asked.reason.strip():
            raise ApiError(422, "reason: say why.")
        if asked.ledger is not None and asked.ledger not in TABLES:
            raise not_found("ledger", asked.ledger)
        who = user_of(request).name
        facts = {"destination": to.id, "ledger": asked.ledger or "", "reason": asked.reason}
        act = Act(who=who, what="exchange_again", time_ns=house.clock.wall_ns(), facts=facts)
        n = await house.write(lambda c: tell_again(c, to.id, asked.ledger), act)
        return Json({"destination": to.id, "records": n})

    at = "/api/v1/push/exchange"
    doors.open("GET", at, ALL, overview, tag="push")
    doors.open("GET", f"{at}/{{destination}}/look", ALL, look, tag="push")
    doors.open("POST", f"{at}/{{destination}}/again", RESEND, again, tag="push")
