"""Call-out in the store: posts are called in order, answers are kept, and who does not answer is followed by the next.

Flow: open incidents -> [plan] -> lines;  lines that are due -> [step, one transaction] -> calls, timeline, outbox
      answer of a person -> [answer, in the act's transaction] -> call, line, timeline
Why: who was called, who said what and who said nothing must stand beside the incident, also after kill -9.
Never: waits for somebody who said no; calls one person twice on a line, unless a person asks for it.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, RowMapping, func, insert, select, update

from alerting.model.alarm import digest
from alerting.model.call_out import Answer, AnswerWay, CallLine, is_enough, is_hopeless, meant
from alerting.model.tier import Tier
from alerting.push.post_call import Envelope, Summons, help_body, summons_body
from alerting.register.field import Words
from edge.model import Nature
from gateway.config import Destination, Site
from gateway.duty.book import Reach
from gateway.live import iso
from gateway.response.headquarters import ACCIDENTS, UNKNOWN, words_of
from gateway.response.incidents import OPEN, SELF, Refused, check_open, get, root_of, say
from gateway.store.schema import call_line, incident, outbox, post_call

PLANNED, WAITING, ENOUGH, EXHAUSTED, OVER = "planned", "waiting", "enough", "exhausted", "over"
#: Lines in one look; the others come with the next, at once.
DUE_MAX: Final = 200
CHUNK: Final = 500
NS: Final = 1_000_000_000
#: Who enters what he heard says it in whole minutes, ns.
ROUNDING: Final = 60 * NS
#: Of an incident as its lines depend on it: type, highest tier, response grade.
Of = tuple[str, int, int]


def open_ones(connection: Connection) -> dict[int, Of]:
    """Give the open incidents, with what decides which lines they call."""
    query = select(incident.c.number, incident.c.kind, incident.c.tier_max, incident.c.grade)
    rows = connection.execute(query.where(incident.c.state == OPEN))
    return {row.number: (row.kind, row.tier_max, row.grade) for row in rows}


def next_due(connection: Connection) -> int | None:
    """Give when the next line is due; None where none is."""
    found: int | None = connection.scalar(select(func.min(call_line.c.due_ns)).where(call_line.c.due_ns > 0))
    return found


def plan(connection: Connection, site: Site, changed: Mapping[int, Of], now_ns: int) -> int:
    """Write down which lines incidents call from now on; a line is called once an incident. Gives how many are new."""
    numbers = sorted(changed)
    there: set[tuple[int, str]] = set()
    for at in range(0, len(numbers), CHUNK):
        query = select(call_line.c.incident, call_line.c.line).where(call_line.c.incident.in_(numbers[at : at + CHUNK]))
        there |= {(row.incident, row.line) for row in connection.execute(query)}
    new = [
        {
            "incident": number, "line": line.id, "state": PLANNED, "level": 0, "opened_ns": now_ns,
            "due_ns": now_ns + round(line.after_s * NS),
        }
        for number in numbers
        for kind, tier, grade in (changed[number],)
        for line in meant(site.call_out, kind, Tier(tier), grade)
        if (number, line.id) not in there
    ]  # fmt: skip
    if new:
        connection.execute(insert(call_line), new)
    return len(new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """What one look came to.

    Attributes:
        calls: Persons who were called.
        is_more: There was more than one look takes.
    """

    calls: int = 0
    is_more: bool = False


def step(connection: Connection, site: Site, now_ns: int) -> Stepped:
    """Take every line that is due: call whom it names, or the next where too few answered."""
    query = select(call_line).where(call_line.c.due_ns > 0, call_line.c.due_ns <= now_ns)
    rows = list(connection.execute(query.order_by(call_line.c.due_ns, call_line.c.incident).limit(DUE_MAX)).mappings())
    if not rows:
        return Stepped()
    calling = _Calling(connection, site, now_ns)
    for row in rows:
        calling.take(row)
    calling.send()
    return Stepped(calls=calling.calls, is_more=len(rows) == DUE_MAX)


class _Calling:
    """What all calls of one look share, read once; one message a person and channel."""

    def __init__(self, connection: Connection, site: Site, now_ns: int) -> None:
        self._connection, self._site, self._now_ns = connection, site, now_ns
        self._reach = Reach(connection, site, now_ns)
        self._lines = {line.id: line for line in site.call_out}
        self._channels = {each.id: each for each in site.channels}
        self._titles = {unit.id: unit.title for unit in site.units}
        self._bundles: defaultdict[tuple[str, Nature, str], list[tuple[str, Summons]]] = defaultdict(list)
        self.calls = 0

    def take(self, row: RowMapping) -> None:
        """Take one line one step on."""
        one, line = get(self._connection, row["incident"]), self._lines.get(row["line"])
        if one["state"] != OPEN or line is None:  # It is over, or the site's list has it no more.
            _set(self._connection, row, state=OVER, due_ns=0)
            return
        made = calls_of(self._connection, one["number"], line.id)
        if row["state"] == WAITING:
            missing = [each["person"] for each in made if each["person"] and not each["answer"]]
            if missing:
                facts = {"title": words_of(line.title, line.id).both(), "persons": missing}
                say(self._connection, one["number"], SELF, "call_unanswered", self._now_ns, facts)
        level = row["level"] + (row["state"] == WAITING)
        called = {each["person"] for each in made if not _is_again(row, each)}
        while level < len(line.targets):
            if self._call(one, line, level, called) and not is_hopeless(line, _answers(self._connection, one, line)):
                due_ns = self._now_ns + round(line.answer_s * NS)
                _set(self._connection, row, state=WAITING, level=level, due_ns=due_ns)
                return
            level += 1
        # Everybody of the list was called: nobody is left, but those who have not answered yet still may.
        facts = {"title": words_of(line.title, line.id).both()}
        say(self._connection, one["number"], SELF, "call_exhausted", self._now_ns, facts)
        _set(self._connection, row, state=EXHAUSTED, level=len(line.targets) - 1, due_ns=0)

    def _call(self, one: RowMapping, line: CallLine, level: int, called: set[str]) -> int:
        """Call whom a level names; gives how many are there and were not called before."""
        to = line.targets[level]
        names = [name for name in self._reach.names(to, "") if name not in called]
        channel = self._channels.get(line.channel or self._site.incident.channel)
        nature = Nature(one["nature"])
        is_told = channel is not None and nature in channel.natures
        place: int = self._connection.scalar(
            select(func.coalesce(func.max(post_call.c.place), 0)).where(post_call.c.incident == one["number"])
        ) or 0  # fmt: skip
        title = words_of(line.title, line.id)
        for at, name in enumerate(names or [""], start=place + 1):
            row = {
                "id": uuid.uuid4().hex, "incident": one["number"], "line": line.id, "place": at, "level": level,
                "to": to, "person": name, "channel": channel.id if name and is_told and channel else "", "notice": "",
                "called_ns": self._now_ns, "answer": "", "minutes": -1, "note": "", "answered_ns": 0,
                "answered_by": "", "answered_how": "",
            }  # fmt: skip
            self._connection.execute(insert(post_call).values(**row))
            if name and is_told and channel is not None:
                summons = Summons(
                    incident=one["number"], unit=words_of(self._titles.get(one["unit"], {}), one["unit"]),
                    accident=ACCIDENTS.get(one["kind"], UNKNOWN), tier=Tier(one["tier_max"]).name, task=title,
                    minutes=line.answer_s / 60,
                )  # fmt: skip
                self._bundles[name, nature, channel.id].append((str(row["id"]), summons))
        called |= set(names)
        self.calls += len(names)
        facts = {
            "title": title.both(), "target": to, "persons": names, "in_turn": level + 1,
            "said": "nobody" if not names else "told" if is_told else "page",
        }  # fmt: skip
        say(self._connection, one["number"], SELF, "post_called", self._now_ns, facts)
        return len(names)

    def send(self) -> None:
        """Write the messages, one a person, and their keys beside the calls."""
        for (person, nature, channel), both in self._bundles.items():
            summoned = [summons for _, summons in both]
            about = sorted(name for name, _ in both)
            key = digest("call_out", person, channel, nature, *about)
            to = self._reach.addressee(person, channel)
            number = min(each.incident for each in summoned)
            body = summons_body(summoned, to, envelope_of(self._site, nature, key, number, self._now_ns))
            put(self._connection, self._channels[channel], nature, key, body, self._now_ns)
            for at in range(0, len(about), CHUNK):
                mine = post_call.c.id.in_(about[at : at + CHUNK])
                self._connection.execute(update(post_call).where(mine).values(notice=key))


def _is_again(row: RowMapping, call: RowMapping) -> bool:
    """Tell whether a line that a person asked for anew may call somebody once more: who has not said that he comes."""
    return bool(row["state"] == PLANNED and call["answer"] != Answer.COMING)


def _answers(connection: Connection, one: RowMapping, line: CallLine) -> list[str]:
    """Give the last answer of each person who was called on a line."""
    last = {each["person"]: each["answer"] for each in calls_of(connection, one["number"], line.id) if each["person"]}
    return list(last.values())


def calls_of(connection: Connection, number: int, line: str = "") -> list[RowMapping]:
    """Give the calls of an incident, or of one of its lines, the first first."""
    query = select(post_call).where(post_call.c.incident == number).order_by(post_call.c.place)
    return list(connection.execute(query if not line else query.where(post_call.c.line == line)).mappings())


def _set(connection: Connection, row: RowMapping, **values: str | int) -> None:
    mine = (call_line.c.incident == row["incident"]) & (call_line.c.line == row["line"])
    connection.execute(update(call_line).where(mine).values(**values))


def envelope_of(site: Site, nature: Nature, key: str, number: int, now_ns: int) -> Envelope:
    """Give what every message of an incident has; no link where nobody said how the page is reached."""
    time = datetime.fromtimestamp(now_ns // NS, ZoneInfo(site.timezone)).isoformat(timespec="seconds")
    link = f"{site.page_url}/#/response?view=incidents&incident={number}" if site.page_url else ""
    about = {"id": site.id, "title": dict(site.title)}
    return Envelope(key=key, site=about, nature=nature.value, prefix=nature.prefix, time=time, link=link)


def put(connection: Connection, channel: Destination, nature: Nature, key: str, body: str, now_ns: int) -> None:
    """Put a message for a person into the outbox, in a chain of its own: one slow message holds up no other."""
    connection.execute(
        insert(outbox).values(
            key=key, destination=channel.id, chain=key, event="", nature=nature.value, action="call", tier=0,
            is_late=False, created_ns=now_ns, body=body, state="waiting", attempts=0, next_ns=now_ns, last_error="",
            delivered_ns=0, receipt="",
        )
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------- acts of people


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What somebody says who was called.

    Attributes:
        minutes: Until there, min; None where it was not said.
        how: By what it came: the page, or how whoever enters it heard it.
        heard_ns: When it was said, ns UTC.
    """

    answer: Answer
    minutes: int | None
    note: str
    how: AnswerWay
    heard_ns: int


def check_answer(connection: Connection, number: int, which: str) -> RowMapping:
    """Give a call of an incident that goes on; of somebody who was called again on its line, the last.

    Raises:
        Refused: There is none, nobody was called by it, or the incident is over.
    """
    row = connection.execute(select(post_call).where(post_call.c.id == which)).mappings().first()
    if row is None or row["incident"] != number or not row["person"]:
        raise Refused("not_there", Words("This incident made no such call.", "本事件没有这次召集。"))
    check_open(root_of(connection, get(connection, number)))
    return next(each for each in reversed(calls_of(connection, number, row["line"])) if each["person"] == row["person"])


def answer(connection: Connection, site: Site, row: RowMapping, asked: Answered, who: str, now_ns: int) -> None:
    """Keep what somebody says; who cannot come is followed at once by the next of the line.

    Raises:
        Refused: It was said already, nobody says how it was heard, or it was said before the call or a later answer.
    """
    _check_heard(site, row, asked, who)
    if row["answer"] == asked.answer and (asked.minutes is None or asked.minutes == row["minutes"]) and not asked.note:
        time = _clock(site, row["answered_ns"])
        said = Words(f"That was answered already, at {time}.", f"已于 {time} 作出该答复。")
        raise Refused("done_already", said)
    minutes = -1 if asked.minutes is None else asked.minutes
    heard_ns = max(asked.heard_ns, row["called_ns"], row["answered_ns"])
    connection.execute(
        update(post_call)
        .where(post_call.c.id == row["id"])
        .values(
            answer=asked.answer.value, minutes=minutes, note=asked.note, answered_ns=heard_ns, answered_by=who,
            answered_how=asked.how.value,
        )
    )  # fmt: skip
    line = next((each for each in site.call_out if each.id == row["line"]), None)
    title = {} if line is None else {"title": words_of(line.title, line.id).both()}
    facts: dict[str, Any] = {**title, "person": row["person"], "reply": asked.answer.value, "note": asked.note}
    if asked.minutes is not None:
        facts["minutes"] = asked.minutes
    if asked.how is not AnswerWay.PAGE:
        facts |= {"way": asked.how.value, "heard_at": iso(heard_ns)}
    say(connection, row["incident"], who, "call_answered", now_ns, facts)
    if line is not None:
        _follow(connection, line, row["incident"], now_ns)
    if asked.answer is Answer.HELP:
        _call_help(connection, site, row, asked.note, now_ns)


def _clock(site: Site, time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // NS, ZoneInfo(site.timezone)).isoformat(sep=" ", timespec="seconds")


def _check_heard(site: Site, row: RowMapping, asked: Answered, who: str) -> None:
    if row["person"] == who and asked.how is not AnswerWay.PAGE:
        said = Words("Who answers for himself answers here and now.", "本人答复即为当前页面答复,不填方式和时间。")
        raise Refused("own", said)
    if row["person"] != who and asked.how is AnswerWay.PAGE:
        en = f"Say how {row['person']} was heard: telephone, sms, radio or spoken."
        zh = f"请注明 {row['person']} 的答复方式:电话、短信、对讲机或当面。"
        raise Refused("no_way", Words(en, zh))
    if asked.heard_ns + ROUNDING <= row["called_ns"]:
        time = _clock(site, row["called_ns"])
        said = Words(f"That is before the call, of {time}.", f"答复时间早于召集时间 {time}。")
        raise Refused("before_call", said)
    if row["answer"] and asked.heard_ns + ROUNDING <= row["answered_ns"]:
        time = _clock(site, row["answered_ns"])
        said = Words(f"A later answer stands, of {time}.", f"已有更晚的答复,时间 {time}。")
        raise Refused("older", said)


def _follow(connection: Connection, line: CallLine, number: int, now_ns: int) -> None:
    """Let a line follow an answer: enough come, or the next are called at once."""
    mine = (call_line.c.incident == number) & (call_line.c.line == line.id)
    stand = connection.execute(select(call_line).where(mine)).mappings().one()
    answers = _answers(connection, get(connection, number), line)
    if is_enough(line, answers):
        _set(connection, stand, state=ENOUGH, due_ns=0)
    elif is_hopeless(line, answers) and stand["state"] in (WAITING, ENOUGH):
        _set(connection, stand, state=WAITING, due_ns=now_ns)
    elif stand["state"] == ENOUGH:
        _set(connection, stand, state=WAITING, due_ns=now_ns + round(line.answer_s * NS))


def _call_help(connection: Connection, site: Site, row: RowMapping, note: str, now_ns: int) -> None:
    """Tell whoever commands, or leads the shift, that somebody needs help; the timeline says whom."""
    one = root_of(connection, get(connection, row["incident"]))
    reach, nature = Reach(connection, site, now_ns), Nature(one["nature"])
    names = reach.names(f"person:{one['commander']}", "") if one["commander"] else []
    names = names or reach.names("leader", "")
    channel = next((each for each in site.channels if each.id == site.incident.channel), None)
    is_told = channel is not None and nature in channel.natures
    facts = {
        "person": row["person"], "note": note, "persons": names,
        "said": "nobody" if not names else "told" if is_told else "page",
    }  # fmt: skip
    say(connection, one["number"], SELF, "help_asked", now_ns, facts)
    for name in names if is_told and channel is not None else ():
        assert channel is not None
        key = digest("needs_help", name, channel.id, nature, row["id"], now_ns)
        envelope = envelope_of(site, nature, key, one["number"], now_ns)
        body = help_body(one["number"], row["person"], note, reach.addressee(name, channel.id), envelope)
        put(connection, channel, nature, key, body, now_ns)


def call_again(connection: Connection, site: Site, number: int, which: str, who: str, reason: str, now_ns: int) -> None:
    """Call a line of the list now, whatever tier and grade say; who has not said that he comes is called once more.

    Raises:
        Refused: The incident is over, there is no such line, or enough come already.
    """
    check_open(get(connection, number))
    line = next((each for each in site.call_out if each.id == which), None)
    if line is None:
        raise Refused("not_there", Words(f"There is no line {which} in the call-out.", f"召集名单中没有 {which}。"))
    mine = (call_line.c.incident == number) & (call_line.c.line == which)
    stand = connection.execute(select(call_line).where(mine)).mappings().first()
    if stand is not None and stand["state"] == ENOUGH:
        said = Words("So many as must have said that they come.", "答复能到的人数已满足要求。")
        raise Refused("done_already", said)
    if stand is None:
        row = {"incident": number, "line": which, "state": PLANNED, "level": 0, "due_ns": now_ns, "opened_ns": now_ns}
        connection.execute(insert(call_line).values(**row))
    else:
        _set(connection, stand, state=PLANNED, level=0, due_ns=now_ns)
    facts = {"title": words_of(line.title, line.id).both(), "reason": reason}
    say(connection, number, who, "call_by_hand", now_ns, facts)


def end_calls(connection: Connection, numbers: Sequence[int]) -> None:
    """Call nobody further for incidents that are over."""
    mine = call_line.c.incident.in_(numbers) & call_line.c.state.in_((PLANNED, WAITING))
    connection.execute(update(call_line).where(mine).values(state=OVER, due_ns=0))


# ------------------------------------------------------------------------------------------------------------ shown


def mine(connection: Connection, person: str) -> list[dict[str, Any]]:
    """Give the calls of a person that wait for an answer, of incidents that go on, the newest first."""
    query = (
        select(post_call, incident.c.unit, incident.c.title, incident.c.kind)
        .join(incident, incident.c.number == post_call.c.incident)
        .where(post_call.c.person == person, post_call.c.answer == "", incident.c.state == OPEN)
        .order_by(post_call.c.called_ns.desc(), post_call.c.place)
        .limit(CHUNK)
    )
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault((row["incident"], row["line"]), {
            "id": row["id"], "incident": row["incident"], "line": row["line"], "unit": row["unit"],
            "title": row["title"], "kind": row["kind"], "called": iso(row["called_ns"]),
        })  # fmt: skip
    return list(found.values())


def shown(connection: Connection, site: Site, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Give the lines of incidents with their calls, answers and what became of the messages, in the order called."""
    lines = {line.id: line for line in site.call_out}
    stands = connection.execute(
        select(call_line).where(call_line.c.incident.in_(numbers)).order_by(call_line.c.opened_ns)
    ).mappings().all()  # fmt: skip
    calls: defaultdict[tuple[int, str], list[RowMapping]] = defaultdict(list)
    query = select(post_call).where(post_call.c.incident.in_(numbers)).order_by(post_call.c.place)
    every = connection.execute(query).mappings().all()
    for row in every:
        calls[row["incident"], row["line"]].append(row)
    proofs = receipts(connection, [row["notice"] for row in every if row["notice"]])
    order = {line.id: place for place, line in enumerate(sorted(site.call_out, key=lambda one: one.after_s))}
    in_order = sorted(stands, key=lambda one: (one["incident"], order.get(one["line"], len(order))))
    return [
        {
            "incident": one["incident"],
            "line": one["line"],
            "title": words_of(lines[one["line"]].title, one["line"]).both()
            if one["line"] in lines
            else {"en": one["line"], "zh": one["line"]},
            "persons": lines[one["line"]].persons if one["line"] in lines else 1,
            "state": one["state"],
            "due": iso(one["due_ns"]) if one["due_ns"] else None,
            "calls": [_shown(row, proofs) for row in calls[one["incident"], one["line"]]],
        }
        for one in in_order
    ]


def receipts(connection: Connection, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give what became of messages, by key."""
    every, found = list(dict.fromkeys(keys)), {}
    for at in range(0, len(every), CHUNK):
        for row in connection.execute(select(outbox).where(outbox.c.key.in_(every[at : at + CHUNK]))).mappings():
            receipt = orjson.loads(row["receipt"]) if row["receipt"] else {}
            found[row["key"]] = {
                "channel": row["destination"], "state": row["state"], "attempts": row["attempts"],
                "delivered": iso(row["delivered_ns"]) if row["delivered_ns"] else None,
                "receipt": receipt.get("id", ""), "error": row["last_error"],
            }  # fmt: skip
    return found


def _shown(row: RowMapping, proofs: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "level": row["level"],
        "to": row["to"],
        "person": row["person"],
        "called": iso(row["called_ns"]),
        "notice": proofs.get(row["notice"]),
        "answer": row["answer"],
        "minutes": row["minutes"] if row["minutes"] >= 0 else None,
        "note": row["note"],
        "answered": iso(row["answered_ns"]) if row["answered_ns"] else None,
        "answered_by": row["answered_by"],
        "answered_how": row["answered_how"],
    }
