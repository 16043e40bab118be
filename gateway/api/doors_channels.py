"""Channels over the API: how each stands, a trial, a look at what it would send."""

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from gateway.api import queries
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Id, Nothing
from gateway.api.door import ALL, CHANNEL, Doors, user_of
from gateway.api.house import Act, House
from gateway.config import Destination, Reach
from gateway.live import iso
from gateway.push.trial import DraftOf, draft, trial, try_channel

Name = Annotated[str, Path(max_length=64)]
#: Trials of one person that may wait at one channel: a quota is not for playing.
TRIAL_S = 10.0


def open_channel_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house
    tried: dict[str, int] = {}

    async def channels() -> Response:
        """Tell how each channel to people stands: kind, quota, what waits, its last trouble, who uses it."""
        now_ns = house.clock.wall_ns()
        counts = {
            one["id"]: one for one in await house.read(lambda c: queries.push_summary(c, house.site, now_ns))
        }  # fmt: skip
        return Json({"channels": [_shown(house, each, counts[each.id]) for each in house.site.channels]})

    async def test(channel: Name, asked: Nothing, request: Request) -> Response:  # noqa: ARG001 - an empty body
        """Send a trial by a channel, to the one who asks or to the group; it takes the way of every call."""
        _found(house, channel)
        who, now_ns = user_of(request).name, house.clock.wall_ns()
        if now_ns - tried.get(channel, 0) < TRIAL_S * 1e9:
            en = f"It was tried less than {TRIAL_S:g} s ago; its quota is for alarms."
            zh = f"{TRIAL_S:g} 秒内已测试过;渠道额度应留给报警。"
            raise ApiError(429, en, code="too_soon", details={"en": en, "zh": zh})
        tried[channel] = now_ns
        act = Act(who=who, what="channel_tested", time_ns=now_ns, facts={"channel": channel})
        key = await house.write(lambda c: try_channel(c, house.site, channel, who, now_ns), act)
        house.wake_push()
        return Json({"key": key})

    async def tested(channel: Name, key: Id) -> Response:
        """Tell what became of a trial."""
        found = await house.read(lambda c: trial(c, channel, key))
        if found is None:
            raise not_found("trial", key)
        times = {name: iso(found[f"{name}_ns"]) for name in ("created", "next", "delivered")}
        return Json({**{name: value for name, value in found.items() if not name.endswith("_ns")}, **times})

    async def look(
        channel: Name,
        request: Request,
        of: DraftOf = "trial",
        alarm: Annotated[str, Query(max_length=160)] = "",
    ) -> Response:
        """Show what a channel would send to the one who asks; sends nothing."""
        to, who, now_ns = _found(house, channel), user_of(request).name, house.clock.wall_ns()
        found = await house.read(lambda c: draft(c, house.site, to, of, alarm, who, now_ns))
        if found is None:
            raise not_found("alarm", alarm or "unacknowledged")
        shown = {"title": found.title, "parts": list(found.parts), "alarms": found.alarms, "left": found.left}
        return Json({**shown, "request": found.request})

    doors.open("GET", "/api/v1/channels", ALL, channels, tag="channels")
    doors.open("POST", "/api/v1/channels/{channel}/test", CHANNEL, test, tag="channels")
    doors.open("GET", "/api/v1/channels/{channel}/tests/{key}", CHANNEL, tested, tag="channels")
    doors.open("GET", "/api/v1/channels/{channel}/draft", CHANNEL, look, tag="channels")


def _found(house: House, channel: str) -> Destination:
    found = next((each for each in house.site.channels if each.id == channel), None)
    if found is None:
        raise not_found("channel", channel)
    return found


def _shown(house: House, channel: Destination, count: dict[str, Any]) -> dict[str, Any]:
    reach = channel.reach or Reach()
    stands = house.push.standing_of(channel.id)
    plans = [plan.id for plan in house.site.escalations if any(step.channel == channel.id for step in plan.steps)]
    return {
        **count,
        "kind": reach.kind,
        "language": reach.tongue,
        "message": reach.template.id if reach.template else "",
        "limits": [{"most": limit.most, "window_s": limit.window_s} for limit in reach.limits],
        "free": stands.free if stands else None,
        "failures": stands.failures if stands else 0,
        "last_error": (stands.last_error if stands else "") or count["last_error"],
        "fallback": reach.fallback,
        "fallback_s": reach.fallback_s,
        "natures": [nature.value for nature in channel.natures],
        "escalations": plans,
    }
