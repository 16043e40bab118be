"""Crowd actions in the store: offered by a tier, confirmed or declined by whoever is in charge, ended by a person.

Flow: tier of a zone's unit -> [follow] -> offered, lapsed
      act of a person -> [decide, end] -> state, line of the incident's timeline, message to a system of the site
Why: a warning offers what people settled on a quiet day; who did it and when stands beside the incident.
Never: writes to a gate, a PLC or a lamp; takes back what a person confirmed: that ends by a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, update

from alerting.model.alarm import digest
from alerting.model.crowd_policy import CrowdAction, CrowdResponse
from alerting.model.tier import Tier
from alerting.push.crowd_call import CrowdCall, Do, crowd_body
from alerting.register.field import Words
from edge.model import Nature
from gateway.config import Site
from gateway.live import iso
from gateway.response.crowd_page import page
from gateway.response.incidents import SELF, Refused, open_of, say
from gateway.store.acts import Hand, note
from gateway.store.schema import crowd_action, outbox
from gateway.system import main_nature

OFFERED, CONFIRMED, DECLINED, LAPSED, ENDED = "offered", "confirmed", "declined", "lapsed", "ended"
#: States in which an action is not offered once more.
STANDS: Final = (OFFERED, CONFIRMED, DECLINED)
SHOWN_MAX: Final = 100
NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoned:
    """A zone as its actions need it.

    Attributes:
        tier: Of its unit; None where nothing was judged yet.
        facts: What is known now: head count, capacity in force, how many may be let in.
    """

    response: CrowdResponse
    name: str
    tier: Tier | None
    facts: Mapping[str, Any]


#: Made once, as the crowd watch asks each few seconds.
_STANDING: Final = select(crowd_action).where(
    crowd_action.c.state.in_(STANDS), crowd_action.c.nature == bindparam("nature")
)


def _standing(connection: Connection, nature: Nature) -> dict[tuple[str, str], RowMapping]:
    rows = connection.execute(_STANDING, {"nature": nature.value}).mappings()
    return {(row["zone"], row["action"]): row for row in rows}


def _wanted(every: Sequence[Zoned]) -> dict[tuple[str, str], tuple[Zoned, CrowdAction]]:
    return {
        (one.response.zone, action.id): (one, action)
        for one in every
        for action in one.response.actions
        if one.tier is not None and one.tier >= action.tier
    }


def _over(
    stands: Mapping[tuple[str, str], RowMapping], wanted: Mapping[tuple[str, str], object], every: Sequence[Zoned]
) -> list[RowMapping]:
    """Give what was offered or declined and is not asked for any more; of a zone that was not judged nothing."""
    unknown = {one.response.zone for one in every if one.tier is None}
    return [
        row for of, row in stands.items()
        if of not in wanted and row["state"] != CONFIRMED and row["zone"] not in unknown
    ]  # fmt: skip


def is_due(connection: Connection, site: Site, every: Sequence[Zoned]) -> bool:
    """Tell whether something is to be offered, or is not asked for any more."""
    stands, wanted = _standing(connection, main_nature(site)), _wanted(every)
    return bool(wanted.keys() - stands.keys()) or bool(_over(stands, wanted, every))


def follow(connection: Connection, site: Site, every: Sequence[Zoned], now_ns: int) -> tuple[int, bool]:
    """Offer what the tiers ask for and let lapse what they do not; give how many changed, and whether one is told."""
    nature = main_nature(site)
    stands, wanted = _standing(connection, nature), _wanted(every)
    over = _over(stands, wanted, every)
    for row in over:
        _set(connection, row, state=LAPSED, ended_ns=now_ns, ended_by=SELF)
    new = [both for of, both in wanted.items() if of not in stands]
    last = connection.scalar(select(func.max(crowd_action.c.number))) or 0
    for number, (one, action) in enumerate(new, start=last + 1):
        assert one.tier is not None
        there = open_of(connection, one.response.unit, nature)
        made = {
            "number": number, "nature": nature.value, "zone": one.response.zone, "unit": one.response.unit,
            "action": action.id, "measure": action.measure, "tier": int(one.tier), "state": OFFERED,
            "offered_ns": now_ns, "decided_ns": 0, "decided_by": "", "ended_ns": 0, "ended_by": "",
            "incident": there[0]["number"] if there else 0, "told": "", "untold": "",
            "facts": orjson.dumps(
                {
                    "name": one.name, "title": dict(action.title), "text": dict(action.text),
                    "channel": action.channel, "is_automatic": action.is_automatic, "who": action.who,
                    "paged": [], **one.facts,
                }
            ).decode(),
        }  # fmt: skip
        connection.execute(insert(crowd_action).values(**made))
    numbers = list(range(last + 1, last + 1 + len(new)))
    asked = [number for number, (_, action) in zip(numbers, new, strict=True) if not action.is_automatic]
    is_told = _page(connection, site, asked, "offered", SELF, now_ns)
    for number, (one, action) in zip(numbers, new, strict=True):
        assert one.tier is not None
        told = {"number": number, "zone": one.response.zone, "crowd_action": action.id, "tier": one.tier.name}
        note(connection, Hand(who=SELF, time_ns=now_ns), "crowd_offered", **told)
        _line(connection, get(connection, number), SELF, "crowd_offered", now_ns, "")
        if action.is_automatic:
            confirm(connection, site, number, SELF, "", now_ns)
            note(connection, Hand(who=SELF, time_ns=now_ns), "crowd_confirmed", **told)
            is_told = True
    return len(over) + len(new), is_told


def get(connection: Connection, number: int) -> RowMapping:
    """Give one.

    Raises:
        Refused: There is none.
    """
    row = connection.execute(select(crowd_action).where(crowd_action.c.number == number)).mappings().first()
    if row is None:
        raise Refused("not_there", Words(f"There is no crowd action {number}.", f"没有 {number} 号客流措施。"))
    return row


def confirm(connection: Connection, site: Site, number: int, who: str, reason: str, now_ns: int) -> None:
    """Confirm an action: it is done from now on, and a system of the site is told where one is named.

    Raises:
        Refused: It is not offered any more, or somebody decided already; nobody can be told.
    """
    row = _waiting(connection, number)
    key = _tell(connection, site, row, "begin", who, reason, now_ns)
    _set(connection, row, state=CONFIRMED, decided_ns=now_ns, decided_by=who, told=key)
    _page(connection, site, [number], "begin", who, now_ns)
    _line(connection, get(connection, number), who, "crowd_confirmed", now_ns, reason)


def decline(connection: Connection, number: int, who: str, reason: str, now_ns: int) -> None:
    """Decline an action, with a reason; it is offered again when the tier has come back and rises anew.

    Raises:
        Refused: It is not offered any more, or somebody decided already.
    """
    row = _waiting(connection, number)
    _set(connection, row, state=DECLINED, decided_ns=now_ns, decided_by=who)
    _line(connection, row, who, "crowd_declined", now_ns, reason)


def end(connection: Connection, site: Site, number: int, who: str, reason: str, now_ns: int) -> None:
    """End an action that goes on; who was told that it began is told that it ended.

    Raises:
        Refused: It does not go on.
    """
    row = get(connection, number)
    if row["state"] != CONFIRMED:
        raise Refused("not_on", Words(f"Action {number} does not go on.", f"{number} 号措施未在执行。"))
    key = _tell(connection, site, row, "end", who, reason, now_ns)
    _set(connection, row, state=ENDED, ended_ns=now_ns, ended_by=who, untold=key)
    _page(connection, site, [number], "end", who, now_ns)
    _line(connection, get(connection, number), who, "crowd_ended", now_ns, reason)


def _page(connection: Connection, site: Site, numbers: Sequence[int], do: Do, who: str, now_ns: int) -> bool:
    """Tell whoever carries actions out, and keep whom; tells whether there is a message."""
    rows = [get(connection, number) for number in numbers]
    found = page(connection, site, rows, do, who, now_ns) if rows else {}
    for row in rows:
        facts = orjson.loads(row["facts"])
        facts["paged"] += found[row["number"]]
        _set(connection, row, facts=orjson.dumps(facts).decode())
    return any(one["notice"] for paged in found.values() for one in paged)


def _waiting(connection: Connection, number: int) -> RowMapping:
    row = get(connection, number)
    if row["state"] == LAPSED:
        en = f"Action {number} lapsed: the tier that offered it is over."
        raise Refused("lapsed", Words(en, f"{number} 号措施已失效：触发它的预警已解除。"))
    if row["state"] != OFFERED:
        by, time = row["decided_by"], iso(row["decided_ns"])
        en = f"{by} decided on action {number} already, at {time}."
        raise Refused("decided", Words(en, f"{by} 已于 {time} 对 {number} 号措施作出决定。"))
    return row


def _set(connection: Connection, row: RowMapping, **values: str | int) -> None:
    done = connection.execute(
        update(crowd_action)
        .where(crowd_action.c.number == row["number"], crowd_action.c.state == row["state"])
        .values(**values)
    )
    assert done.rowcount == 1, "one writer, one transaction"


def _line(connection: Connection, row: RowMapping, who: str, what: str, now_ns: int, reason: str) -> None:
    """Say it in the timelines of the unit's open incidents."""
    facts = orjson.loads(row["facts"])
    told = {
        "number": row["number"], "zone": row["zone"], "name": facts["name"], "title": facts["title"],
        "measure": row["measure"], "head_count": facts["persons"], "takes": facts["takes"], "reason": reason,
    }  # fmt: skip
    do = {"crowd_offered": "offered", "crowd_confirmed": "begin", "crowd_ended": "end"}.get(what)
    if do is not None and (paged := [one for one in facts.get("paged", ()) if one["do"] == do]):
        names = [one["person"] for one in paged if one["person"]]
        told |= {"persons": names, "said": paged[0]["said"], "target": facts["who"]}
    for one in open_of(connection, row["unit"], Nature(row["nature"])):
        say(connection, one["number"], who, what, now_ns, told)


def _tell(
    connection: Connection, site: Site, row: RowMapping, do: Literal["begin", "end"], who: str, reason: str, now_ns: int
) -> str:
    """Put the message into the outbox and give its key; empty where no system is named, or it takes no such nature."""
    facts, nature = orjson.loads(row["facts"]), Nature(row["nature"])
    channel = next((one for one in site.channels if one.id == facts["channel"]), None)
    if channel is None or nature not in channel.natures or (do == "end" and not row["told"]):
        return ""
    key = digest("crowd", channel.id, str(row["number"]), do)
    time = datetime.fromtimestamp(now_ns // NS, ZoneInfo(site.timezone)).isoformat(timespec="seconds")
    call = CrowdCall(
        number=row["number"], zone=row["zone"], name=facts["name"], unit=row["unit"], action=row["action"],
        measure=row["measure"], title=_words(facts["title"]), text=_words(facts["text"]), do=do,
        tier=Tier(row["tier"]).name, persons=facts["persons"], takes=facts["takes"], by=who, reason=reason,
    )  # fmt: skip
    body = crowd_body(
        call, key=key, site={"id": site.id, "title": dict(site.title)}, nature=nature.value, prefix=nature.prefix,
        time=time,
    )  # fmt: skip
    connection.execute(
        insert(outbox).values(
            key=key, destination=channel.id, chain=digest("crowd", channel.id, str(row["number"])), event="",
            nature=nature.value, action="call", tier=row["tier"], is_late=False, created_ns=now_ns, body=body,
            state="waiting", attempts=0, next_ns=now_ns, last_error="", delivered_ns=0, receipt="",
        )
    )  # fmt: skip
    return key


def _words(title: Mapping[str, str]) -> Words:
    return Words(title.get("en", ""), title.get("zh", ""))


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Give what stands, and of the others the newest, the newest first, with what became of their messages."""
    stands = connection.execute(select(crowd_action).where(crowd_action.c.state.in_(STANDS))).mappings().all()
    newest = connection.execute(select(crowd_action).order_by(crowd_action.c.number.desc()).limit(SHOWN_MAX)).mappings()
    rows = {row["number"]: row for row in (*newest, *stands)}
    keys = [key for row in rows.values() for key in (row["told"], row["untold"], *_paged_keys(row)) if key]
    proofs: dict[str, dict[str, Any]] = {}
    for at in range(0, len(keys), 500):
        found = connection.execute(select(outbox).where(outbox.c.key.in_(keys[at : at + 500]))).mappings()
        proofs |= {row["key"]: _proof(row) for row in found}
    return [_shown(row, proofs) for row in sorted(rows.values(), key=lambda row: -row["number"])]


def _paged_keys(row: RowMapping) -> list[str]:
    return [one["notice"] for one in orjson.loads(row["facts"]).get("paged", ())]


def _proof(row: RowMapping) -> dict[str, Any]:
    receipt = orjson.loads(row["receipt"]) if row["receipt"] else {}
    return {
        "channel": row["destination"], "state": row["state"], "attempts": row["attempts"],
        "delivered": iso(row["delivered_ns"]) if row["delivered_ns"] else None, "status": receipt.get("status"),
        "receipt": receipt.get("id", ""), "error": row["last_error"],
    }  # fmt: skip


def _shown(row: RowMapping, proofs: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    facts = orjson.loads(row["facts"])
    return {
        "number": row["number"], "zone": row["zone"], "name": facts["name"], "unit": row["unit"],
        "action": row["action"], "measure": row["measure"], "title": facts["title"], "text": facts["text"],
        "channel": facts["channel"], "is_automatic": facts["is_automatic"], "tier": Tier(row["tier"]).name,
        "state": row["state"], "persons": facts["persons"], "takes": facts["takes"],
        "offered": iso(row["offered_ns"]), "decided": iso(row["decided_ns"]) if row["decided_ns"] else None,
        "decided_by": row["decided_by"], "ended": iso(row["ended_ns"]) if row["ended_ns"] else None,
        "ended_by": row["ended_by"], "incident": row["incident"],
        "told": proofs.get(row["told"]), "untold": proofs.get(row["untold"]), "who": facts.get("who", ""),
        "paged": [
            {"do": one["do"], "person": one["person"], "said": one["said"], "notice": proofs.get(one["notice"])}
            for one in facts.get("paged", ())
        ],
    }  # fmt: skip


def going_on(connection: Connection, zones: Sequence[str], nature: Nature) -> list[dict[str, Any]]:
    """Give what goes on in zones: measure, titles and text, for whoever stands before a display."""
    query = select(crowd_action).where(
        crowd_action.c.state == CONFIRMED, crowd_action.c.zone.in_(zones), crowd_action.c.nature == nature.value
    )
    found = []
    for row in connection.execute(query.order_by(crowd_action.c.number)).mappings():
        facts = orjson.loads(row["facts"])
        found.append({"zone": row["zone"], "measure": row["measure"], "title": facts["title"], "text": facts["text"]})
    return found
