"""Seconding: acts that wait for another person: asked for, confirmed, declined, withdrawn, expired.

Flow: Command -> [_ask_second] -> Request -> CONFIRM by another -> the act, in the name of both
Why: the request is checked as the act would be, so that what waits can be done; it is durable and ends by itself.
Never: lets one person stand for two.
"""

from dataclasses import replace

from alerting.covering import CoveringDesk
from alerting.judge import ceiling
from alerting.lifecycle import Refused
from alerting.model.alarm import Alarm, digest
from alerting.model.command import Command
from alerting.model.second_person import Request

NS_OF_MINUTE = 60_000_000_000


class Awaits(Exception):  # noqa: N818  # The answer to a person, not a failure.
    """A command that waits for a second person."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.id)
        self.request = request


class SecondingDesk(CoveringDesk):
    """What waits for a second person.

    Attributes:
        requests: Open ones by id.
    """

    requests: dict[str, Request]

    def _ask_second(self, command: Command, alarm: Alarm) -> None:
        """Let an act wait for another person where the site asks for one; all else about it is in order.

        Raises:
            Awaits: It waits now.
            Refused: The same waits already.
        """
        highest = ceiling(self.table, alarm)
        if command.confirmed_by or not self.philosophy.second.is_needed(command.verb, highest):
            return
        waiting = [one for one in self.requests.values() if (one.key, one.command.verb) == (alarm.key, command.verb)]
        if waiting:
            raise Refused(
                f"The same waits for a second person already, asked by {waiting[0].command.who}.",
                f"{waiting[0].command.who} 已提出同样的申请,正等待第二人确认。",
            )
        now_ns = self._outcome.now_ns
        raise Awaits(
            Request(
                id=digest(alarm.key, command.verb, command.who, now_ns),
                command=command,
                key=alarm.key,
                tag=alarm.tag,
                unit=alarm.unit,
                asked_ns=now_ns,
                expires_ns=now_ns + self.philosophy.second.minutes * NS_OF_MINUTE,
            )
        )

    def _keep_request(self, request: Request) -> None:
        if request.state == "open":
            self.requests[request.id] = request
        else:
            self.requests.pop(request.id, None)
        self._outcome.requests[request.id] = request

    def _end_request(self, request: Request, state: str, who: str) -> None:
        self._keep_request(replace(request, state=state, ended_by=who, ended_ns=self._outcome.now_ns))

    def _open_request(self, name: str) -> Request:
        request = self.requests.get(name)
        if request is None or request.expires_ns <= self._outcome.now_ns:
            raise Refused("This request is over.", "该申请已结束。")
        return request

    def _withdraw(self, command: Command) -> None:
        """Take back a request of one's own, or decline another's."""
        request = self._open_request(command.alarm)
        is_own = request.command.who == command.who
        self._end_request(request, "withdrawn" if is_own else "declined", command.who)

    def _expire_requests(self, now_ns: int) -> None:
        for request in [one for one in self.requests.values() if one.expires_ns <= now_ns]:
            self._end_request(request, "expired", "")
            self.remark("request_expired", id=request.id, who=request.command.who, action=request.command.verb.value)
