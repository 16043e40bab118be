"""Trial: a person tries a channel, or looks at what it would send.

Flow: person -> [try_channel, one transaction] -> row of the outbox -> lane -> what became of it
      person -> [draft] -> the messages, and the request without what opens the robot
Why: a channel that nobody ever tried is found out to be dead in the night on which it counts. A trial takes the way of
    every call, within the quota.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Connection, insert, select

from alerting.escalation.ladder import Call, Made
from alerting.model.alarm import Alarm, State, digest
from alerting.model.tier import Tier
from alerting.push.call import Addressee, call_body, trial_body
from alerting.push.message import Message, one_message, read_call
from alerting.push.message import digest as digest_of
from edge.model import Nature
from gateway.config import Destination, Reach, Site
from gateway.escalation.book import cause_of, since_of
from gateway.push.fallback import addressee
from gateway.push.forms import form_of
from gateway.push.route import request_of
from gateway.roster.book import contacts
from gateway.store import schema
from gateway.store.rows import alarm_of

#: What a draft shows: the text of a trial, one alarm, or all that nobody has acknowledged as a digest.
DraftOf: TypeAlias = Literal["trial", "alarm", "digest"]
ALARMS_MAX: Final = 256
#: Members of a request that open the robot, or prove that we are we.
_SECRET: Final = re.compile(r'"(sign|token|secret)":"[^"]*"')


def try_channel(connection: Connection, site: Site, channel: str, who: str, now_ns: int) -> str:
    """Put a trial into the outbox, inside the caller's transaction; give its key."""
    key = digest("test", channel, who, now_ns)
    to = _asker(connection, who, channel)
    connection.execute(
        insert(schema.outbox).values(
            key=key, destination=channel, chain=key, event="", nature=Nature.TEST.value, action="call",
            tier=int(Tier.NONE), is_late=False, created_ns=now_ns, body=trial_body(site, key, who, to, now_ns),
            state="waiting", attempts=0, next_ns=now_ns, last_error="", delivered_ns=0, receipt="", kind="test",
        )
    )  # fmt: skip
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a channel would send; nothing was sent.

    Attributes:
        alarms: How many alarms it tells of; ``left`` of how many the next message would.
        request: Body of the first request, without what opens the robot.
    """

    title: str
    parts: tuple[str, ...]
    alarms: int
    left: int
    request: str


def draft(
    connection: Connection, site: Site, channel: Destination, of: DraftOf, alarm: str, who: str, now_ns: int
) -> Draft | None:  # fmt: skip
    """Compose what a channel would send to the one who asks; None where there is no such alarm."""
    to = _asker(connection, who, channel.id)
    if of == "trial":
        bodies = [trial_body(site, "0" * 32, who, to, now_ns)]
    else:
        found = _alarms(connection, alarm if of == "alarm" else "")
        bodies = [_call(connection, site, each, channel.id, to, now_ns) for each in found]
    return drafted(channel, bodies, now_ns) if bodies else None


def drafted(channel: Destination, bodies: Sequence[str], now_ns: int) -> Draft:
    """Compose the first message of calls."""
    form = form_of(channel.reach or Reach(), channel.topic)
    if form is None:
        return Draft(title="", parts=(), alarms=1, left=len(bodies) - 1, request=bodies[0])
    calls = [read_call(body) for body in bodies]
    message: Message = one_message(calls[0], form) if len(calls) == 1 else digest_of(calls, form)
    request = request_of(channel, message, now_ns)
    return Draft(
        title=message.title,
        parts=message.parts,
        alarms=len(message.keys),
        left=len(calls) - len(message.keys),
        request=_SECRET.sub(r'"\1":"***"', request),
    )


def _asker(connection: Connection, who: str, channel: str) -> Addressee | None:
    return addressee(contacts(connection).get(who), who, channel)


def _alarms(connection: Connection, alarm: str) -> list[Alarm]:
    table = schema.alarm
    query = select(table).order_by(table.c.tier.desc(), table.c.raised_ns).limit(ALARMS_MAX)
    mine = table.c.id == alarm if alarm else table.c.state == State.UNACK.value
    return [alarm_of(dict(row)) for row in connection.execute(query.where(mine)).mappings()]


def _call(
    connection: Connection, site: Site, alarm: Alarm, channel: str, to: Addressee | None, now_ns: int
) -> str:  # fmt: skip
    call = Call(key=digest("draft", alarm.id), what=Made.CALL, person="", channel=channel, to="", round=0, step=0)
    cause, since_ns = cause_of(connection, alarm), since_of(connection, alarm)
    return call_body(site, alarm, call, to, cause=cause, since_ns=since_ns, now_ns=now_ns)


def trial(connection: Connection, channel: str, key: str) -> Mapping[str, Any] | None:
    """Tell what became of a trial; None where there is none."""
    table = schema.outbox
    row = connection.execute(
        select(table).where(table.c.key == key, table.c.destination == channel, table.c.kind == "test")
    ).one_or_none()
    if row is None:
        return None
    return {
        "key": row.key,
        "state": row.state,
        "attempts": row.attempts,
        "created_ns": row.created_ns,
        "next_ns": row.next_ns if row.state == "waiting" else 0,
        "delivered_ns": row.delivered_ns,
        "last_error": row.last_error,
        "receipt": json.loads(row.receipt) if row.receipt else None,
    }
