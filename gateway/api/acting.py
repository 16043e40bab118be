"""Acting: what a person asked of alarms, put before the core, and its answers as JSON.

Flow: request -> Command, one an alarm -> the next tick -> answer of each
Why: many are put before the core together, so that one tick carries them and one commit holds them: nobody finds half
    of a list acknowledged after a crash. What is refused is said alarm by alarm, and the others are done.
Never: decides. The core does, in the tick.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Request as HttpRequest
from fastapi import Response

from alerting.desk import Answer
from alerting.model.command import Command, Verb
from alerting.model.second_person import Request
from alerting.model.tier import Tier
from gateway.api.answer import ApiError, Json
from gateway.api.asked import Many, Quieten, QuietenMany, Shelve, ShelveMany, when
from gateway.api.door import user_of
from gateway.api.house import House
from gateway.live import describe_alarm, iso

#: A command is answered by the next turn of the core, 250 ms at most; a gateway that takes longer is in trouble.
ANSWER_S_MAX = 10.0

#: Makes the command for one alarm: what is asked, by its name and the tier that was seen.
Make = Callable[[str, Tier | None], Command]


class Acting:
    """Puts acts before the core of a house."""

    def __init__(self, house: House) -> None:
        self._house = house

    def command(self, request: HttpRequest, verb: Verb, alarm: str = "", **said: Any) -> Command:  # noqa: ANN401 - fields of Command
        """Make a command in the name of whom the door let in."""
        now_ns = self._house.clock.wall_ns()
        return Command(verb=verb, alarm=alarm, who=user_of(request).name, received_ns=now_ns, **said)

    async def ask(self, commands: Sequence[Command]) -> Sequence[Answer]:
        """Put commands before the core together.

        Raises:
            ApiError: The core did not answer in time.
        """
        try:
            return await asyncio.wait_for(self._house.command_all(commands), ANSWER_S_MAX)
        except TimeoutError:
            raise ApiError(503, "The gateway did not answer in time; look whether it was done.") from None

    async def obey(self, asked: Command) -> Response:
        """Carry out one act; a refusal is 409 with the sentence in each language."""
        (answer,) = await self.ask([asked])
        if answer.refused is not None:
            said = answer.refused
            raise ApiError(409, said.get("en") or next(iter(said.values()), "Refused."), details=said)
        return Json({"alarm": self._shown(answer), "request": shown_request(answer.request)})

    async def obey_many(self, asked: Many, make: Make) -> Response:
        """Carry out one act on many alarms in one transaction; tell of each whether it was done, or why not."""
        names = [one.alarm for one in asked.alarms]
        if len(set(names)) < len(names):
            raise ApiError(422, "alarms: an alarm is named twice.")
        commands = [make(one.alarm, None if one.seen_tier is None else Tier[one.seen_tier]) for one in asked.alarms]
        answers = await self.ask(commands)
        results = [
            {
                "asked": name,
                "is_done": _is_done(answer),
                "request": shown_request(answer.request),
                "refused": answer.refused,
                "alarm": self._shown(answer),
            }
            for name, answer in zip(names, answers, strict=True)
        ]
        done = sum(_is_done(answer) for answer in answers)
        waiting = sum(answer.request is not None for answer in answers)
        refused = len(answers) - done - waiting
        return Json({"done": done, "refused": refused, "waiting": waiting, "results": results})

    def _shown(self, answer: Answer) -> dict[str, Any] | None:
        return None if answer.alarm is None else describe_alarm(answer.alarm, self._house.site)


def _is_done(answer: Answer) -> bool:
    return answer.refused is None and answer.request is None


def shown_request(request: Request | None) -> dict[str, Any] | None:
    """Give what waits for a second person, or did, as JSON values; None for none."""
    if request is None:
        return None
    asked = request.command
    return {
        "id": request.id,
        "state": request.state,
        "action": asked.verb.value,
        "alarm": request.key,
        "tag": request.tag,
        "unit": request.unit,
        "who": asked.who,
        "reason": asked.reason,
        "permit": asked.permit,
        "until": iso(asked.until_ns),
        "one_shot": asked.is_one_shot,
        "asked": iso(request.asked_ns),
        "expires": iso(request.expires_ns),
        "ended_by": request.ended_by,
        "ended": iso(request.ended_ns),
    }


def shelf(asked: Shelve | ShelveMany) -> dict[str, Any]:
    """Give what a command says of a shelf."""
    if asked.until is None and not asked.one_shot:
        raise ApiError(422, "until is missing; say when the shelf ends, or one_shot.")
    until_ns = 0 if asked.until is None else when(asked.until, "until")
    return {"reason": asked.reason, "until_ns": until_ns, "is_one_shot": asked.one_shot}


def absence(asked: Quieten | QuietenMany) -> dict[str, Any]:
    """Give what a command says of a time out of service."""
    return {"reason": asked.reason, "until_ns": when(asked.until, "until"), "permit": asked.permit.strip()}
