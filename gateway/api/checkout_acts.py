"""What an engineer does in a check-out: begin it, note points, end it.

Flow: begin -> store, then alarms out of service -> points -> alarms back in service, then store
Why: each order is the safe one at a crash. After the first the check-out is known before an alarm is quiet; after the
    second the alarms ring again before the record is closed. And each suppression ends by its own time.
"""

import asyncio
import math
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from alerting.model.alarm import Suppression
from alerting.model.command import Command, Verb
from edge.model import Tag
from gateway.api.answer import ApiError
from gateway.api.checkout_shown import seen, suppression_of
from gateway.api.house import Act, House
from gateway.checkout import records
from gateway.checkout.loop import digests, error_percent, ringing
from gateway.checkout.records import Record
from gateway.live import iso

ANSWER_S_MAX: Final = 10.0
NS: Final = 1_000_000_000


HOURS_MAX: Final = 8  # A shift: whoever takes alarms out of service is there.


class Begin(BaseModel):
    """Which tag, for how long, why; further alarms that the injected value may ring, by key."""

    model_config = ConfigDict(extra="forbid")
    tag: str = Field(min_length=1, max_length=128)
    minutes: int = Field(default=30, ge=1, le=HOURS_MAX * 60)
    reason: str = Field(default="", max_length=500)
    others: list[str] = Field(default_factory=list, max_length=200)
    accept_active: bool = Field(default=False, description="Also where one of these alarms is active now.")


class Acts:
    """Acts on one gateway; one at a time, so that no tag is under two check-outs."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._turn = asyncio.Lock()

    async def begin(self, tag: Tag, who: str, asked: Begin) -> list[str]:
        """Write the check-out down and take its alarms out of service; give those that the core refused.

        Raises:
            ApiError: One goes on, an alarm is shelved, one is active and nobody said that it may be silenced, or one of
                ``others`` is none that the tag may ring.
        """
        house = self._house
        async with self._turn:
            now_ns = house.clock.wall_ns()
            if await self._going(tag, now_ns) is not None:
                raise ApiError(409, f"A check-out of {tag.name} goes on already; sign or abandon it first.")
            taken = self._alarms(tag, asked)
            record = Record(
                number=0,
                tag=tag.name,
                state=records.OPEN,
                digests=digests(house.site, house.rules, tag),
                begun_ns=now_ns,
                begun_by=who,
                until_ns=now_ns + asked.minutes * 60 * NS,
                reason=asked.reason,
                alarms=taken,
            )
            facts = {"tag": tag.name, "minutes": asked.minutes, "reason": asked.reason, "alarms": list(taken)}
            act = Act(who=who, what="checkout_begun", time_ns=now_ns, facts=facts)
            number = await house.write(lambda c: records.begin(c, record), act)
            house.checkouts.until_ns[tag.name] = record.until_ns
            house.picture.set_status(checkouts=house.checkouts.count(now_ns))
            said = f"loop check-out of {tag.name}" + (f": {asked.reason}" if asked.reason.strip() else "")
            permit = f"check-out {number}"  # It is a permit of its own: asked for, with an end, and signed.
            obeyed = [await self._obey(Verb.SUPPRESS, key, who, said, record.until_ns, permit) for key in taken]
            return [key for key, is_obeyed in zip(taken, obeyed, strict=True) if not is_obeyed]

    def _alarms(self, tag: Tag, asked: Begin) -> tuple[str, ...]:
        """Choose what goes out of service: what is so already stays as it is, with its own end."""
        there = ringing(self._house.site, self._house.rules, tag)
        unknown = set(asked.others) - {one.key for one in there}
        if unknown:
            raise ApiError(422, f"others: {min(unknown)[:64]!r} is no alarm that {tag.name} may ring.")
        now = {one.key: suppression_of(self._house, one.key) for one in there if one.is_own or one.key in asked.others}
        if set(now.values()) - {Suppression.NONE, Suppression.OUT_OF_SERVICE}:
            raise ApiError(409, "An alarm of the tag is shelved or suppressed by design; end that first.")
        taken = tuple(key for key, how in now.items() if how is Suppression.NONE)
        active = [alarm for key in taken if (alarm := self._house.picture.alarms.get(key)) and alarm.is_active]
        if active and not asked.accept_active:
            en = "One of these alarms is active now and would be silenced; make sure that it is not real, and say so."
            zh = "其中有报警正处于触发状态,停用后将不再报警;请先确认并非真实情况,并予以注明。"
            raise ApiError(409, en, code="active", details={"en": en, "zh": zh})
        return taken

    async def point(self, tag: Tag, who: str, injected: float | None, note: str) -> None:
        """Write down what is injected beside what is seen now.

        Raises:
            ApiError: None goes on, or it is full.
        """
        house = self._house
        async with self._turn:
            record = await self._must_go(tag)
            await house.settled()
            now = seen(house, tag)
            error = error_percent(injected, math.nan if now["value"] is None else now["value"], tag)
            told = {
                "time": iso(house.clock.wall_ns()),
                "by": who,
                "injected": injected,
                "note": note,
                "error_percent": None if error is None else round(error, 4),
                **{name: now[name] for name in ("value", "quality", "value_time", "raw")},
                "conditions": [one["rule"] for one in now["conditions"] if one["is_active"]],
            }
            if not await house.write(lambda c: records.add_point(c, record.number, told)):
                raise ApiError(409, f"A check-out has at most {records.POINTS_MAX} points; sign it.")

    async def end(self, tag: Tag, who: str, state: str, comment: str) -> None:
        """Put the alarms back in service, then sign or abandon.

        Raises:
            ApiError: None goes on.
        """
        house = self._house
        async with self._turn:
            record = await self._must_go(tag)
            for key in record.alarms:
                await self._obey(Verb.UNSUPPRESS, key, who)  # Refused where somebody did so by hand.
            now_ns = house.clock.wall_ns()
            facts = {"tag": tag.name, "result": state, "comment": comment, "number": record.number}
            what = "checkout_abandoned" if state == records.ABANDONED else "checkout_signed"
            act = Act(who=who, what=what, time_ns=now_ns, facts=facts)
            await house.write(
                lambda c: records.end(c, record.number, state=state, who=who, comment=comment, now_ns=now_ns), act
            )
            house.checkouts.until_ns.pop(tag.name, None)
            house.picture.set_status(checkouts=house.checkouts.count(now_ns))

    async def _going(self, tag: Tag, now_ns: int) -> Record | None:
        found = await self._house.read(lambda c: records.of_tag(c, tag.name))
        return next((one for one in found if one.is_open(now_ns)), None)

    async def _must_go(self, tag: Tag) -> Record:
        found = await self._going(tag, self._house.clock.wall_ns())
        if found is None:
            raise ApiError(409, f"No check-out of {tag.name} goes on; begin one. Its time may have run out.")
        return found

    async def _obey(
        self, verb: Verb, key: str, who: str, reason: str = "", until_ns: int = 0, permit: str = ""
    ) -> bool:
        house = self._house
        command = Command(
            verb=verb,
            alarm=key,
            who=who,
            received_ns=house.clock.wall_ns(),
            reason=reason,
            until_ns=until_ns,
            permit=permit,
        )
        try:
            answer = await asyncio.wait_for(house.command(command), ANSWER_S_MAX)
        except TimeoutError:
            raise ApiError(503, "The gateway did not answer in time; look whether it was done.") from None
        return answer.refused is None
