"""The safety commitment of today over the API: what is proposed, what was found, where they differ, who was told."""

from typing import Any

from fastapi import Response
from sqlalchemy import Connection

from alerting.register.commitment import contradictions
from gateway.api.answer import Json
from gateway.api.door import ALL, Doors
from gateway.api.house import House
from gateway.register import commitment, commitment_notice
from gateway.register.around import today_of


def open_commitment_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def today() -> Response:
        """Give today's safety commitment: as it stands, as it is proposed, and where it differs from what was found."""
        now_ns = house.clock.wall_ns()
        day = today_of(house.site, now_ns)

        def query(c: Connection) -> tuple[commitment.Gathered, list[dict[str, Any]]]:
            return commitment.gather(c, house.site, day, now_ns), commitment_notice.told(c, house.site, day.isoformat())

        gathered, told = await house.read(query)
        found = commitment.found_of(gathered, house.picture)
        mine, policy = gathered.mine, house.site.commitment
        return Json(
            {
                "day": day.isoformat(),
                "found": found,
                "proposed": commitment.proposed(gathered, found),
                "record": None
                if mine is None
                else {"id": mine.id, "code": mine.code, "revision": mine.revision, "values": mine.values},
                "contradictions": [] if mine is None else [each.both() for each in contradictions(mine.values, found)],
                "told": told,
                "is_asked": policy.is_asked,
                "by": f"{policy.by_s // 3600:02d}:{policy.by_s // 60 % 60:02d}",
                "signers": sorted(policy.signers),
            }
        )

    doors.open("GET", "/api/v1/register/commitment", ALL, today, tag="register")


async def found_now(house: House, now_ns: int) -> dict[str, Any]:
    """Give what was found just now, for an act to be checked against."""
    day = today_of(house.site, now_ns)
    gathered = await house.read(lambda c: commitment.gather(c, house.site, day, now_ns))
    return commitment.found_of(gathered, house.picture)
