"""Ledger: for each notice when, what, to whom and which answer; and what a person does about one.

Flow: outbox, answers -> [entries, one_entry] -> page, export; a person -> [again] -> waits once more
Never: changes what was sent under a key that somebody has acknowledged.
"""

import difflib
import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, select, update

from alerting.push.cap_check import findings
from alerting.push.envelope import Thread, wrap
from gateway.config import Destination, Site
from gateway.push import answers
from gateway.push.answers import Said, What
from gateway.push.counter import allot
from gateway.store.schema import outbox, push_answer

#: What a notice that may be changed is: nobody has acknowledged it, and nobody may have it without saying so.
UNSEEN: Final = ("quarantined",)
DIFF_MAX: Final = 400  # lines
STATES: Final = ("waiting", "delivered", "handed", "quarantined", "expired")


class LedgerError(Exception):
    """What was asked cannot be done; the sentence says why, in both languages.

    Attributes:
        zh: The sentence in Chinese.
    """

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which notices are looked for; None and 0 for all.

    Attributes:
        before: Sequence number that they are older than.
    """

    state: str | None = None
    destination: str | None = None
    from_ns: int = 0
    to_ns: int = 0
    before: int = 0


def chosen(asked: Asked) -> Select[Any]:
    """Give the query of what is asked, the last composed first; data and calls to people are other matters."""
    table = outbox
    query = select(table).where(table.c.kind != "data", table.c.action != "call").order_by(table.c.seq.desc())
    for column, wanted in ((table.c.state, asked.state), (table.c.destination, asked.destination)):
        if wanted is not None:
            query = query.where(column == wanted)
    if asked.from_ns:
        query = query.where(table.c.created_ns >= asked.from_ns)
    if asked.to_ns:
        query = query.where(table.c.created_ns < asked.to_ns)
    return query.where(table.c.seq < asked.before) if asked.before else query


def notice_of(connection: Connection, key: str) -> Row[Any] | None:
    """Give one notice to an authority; calls hold how people are reached, and are not shown here."""
    return connection.execute(select(outbox).where(outbox.c.key == key, outbox.c.action != "call")).first()


def answers_of(connection: Connection, keys: list[str]) -> dict[str, list[Row[Any]]]:
    """Give what was answered and done about notices, by key, in order."""
    found: dict[str, list[Row[Any]]] = {key: [] for key in keys}
    for start in range(0, len(keys), 500):
        query = select(push_answer).where(push_answer.c.key.in_(keys[start : start + 500]))
        for row in connection.execute(query.order_by(push_answer.c.number)):
            found[row.key].append(row)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A notice as it was kept, and as the profile in force would write it.

    Attributes:
        now: None where the profile has no place for it.
        diff: Lines that begin with a space, ``-`` or ``+``; none where nothing differs.
        wrong: What our own checks find in ``now``.
    """

    sent: str
    now: str | None
    diff: tuple[str, ...]
    wrong: tuple[str, ...]


def preview(connection: Connection, site: Site, key: str) -> Preview | None:
    """Compare a notice as it was kept with what the profile in force would write; changes nothing."""
    row = notice_of(connection, key)
    if row is None:
        return None
    destination = next((one for one in site.destinations if one.id == row.destination), None)
    sent = _lines(row.wire or row.body)
    if destination is None:
        return Preview(sent="\n".join(sent), now=None, diff=(), wrong=())
    number = row.reference.split(",")[1] if row.reference.count(",") else ""
    wire = wrap(destination.profile, json.loads(row.body), _thread(connection, row, number))
    if wire is None:
        return Preview(sent="\n".join(sent), now=None, diff=(), wrong=())
    text = wire.text or row.body
    now = _lines(text)
    diff = [line for line in difflib.ndiff(sent, now) if not line.startswith("?")]
    wrong = findings(text) if destination.profile.envelope == "cap" else []
    has_change = any(not line.startswith(" ") for line in diff)
    return Preview(
        sent="\n".join(sent), now="\n".join(now), diff=tuple(diff[:DIFF_MAX]) if has_change else (), wrong=tuple(wrong)
    )


def _thread(connection: Connection, row: Row[Any], number: str = "") -> Thread:
    """Give what its chain had told before a notice; its own identifier stays."""
    table = outbox
    earlier = select(table.c.reference, table.c.action).where(
        table.c.chain == row.chain, table.c.destination == row.destination, table.c.seq < row.seq
    )
    references: list[str] = []
    for reference, action in connection.execute(earlier.order_by(table.c.seq)):
        references = [] if action == "cancel" else [*references, reference] if reference else references
    return Thread(
        references=tuple(references),
        allot=lambda prefix: number or allot(connection, prefix, row.created_ns // 1_000_000_000),
    )


def _lines(text: str) -> list[str]:
    """Write a text so that lines can be compared: an element or a member each."""
    if text.startswith("<"):
        return text.replace("><", ">\n<").splitlines()
    return json.dumps(json.loads(text), ensure_ascii=False, indent=1, sort_keys=True).splitlines()


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A person's wish that a notice goes once more.

    Attributes:
        anew: Written by the profile in force; only where nobody can have it.
    """

    key: str
    who: str
    reason: str
    now_ns: int
    anew: bool = False


def again(connection: Connection, site: Site, asked: Again) -> int:
    """Let a notice go once more, out of quarantine with all that waits behind it; give how many wait again.

    Raises:
        LedgerError: It cannot go.
    """
    table = outbox
    row = notice_of(connection, asked.key)
    if row is None:
        raise LedgerError("There is no such notice.", "没有此通知。")
    destination = next((one for one in site.destinations if one.id == row.destination), None)
    if destination is None:
        raise LedgerError("Its destination is no longer in the configuration.", "其接收方已不在配置中。")
    if row.state == "expired":
        raise LedgerError("Periodic data that expired is not sent again.", "已过期的定时数据不再发送。")
    if asked.anew and row.state not in UNSEEN:
        raise LedgerError(
            "The receiver may have it under this key; written anew it would be another text under the same key.",
            "接收方可能已收到此幂等键的内容,不能以同一键发送不同内容。",
        )
    is_aside = row.state == "quarantined"
    same_chain = and_(
        table.c.destination == row.destination, table.c.chain == row.chain, table.c.state == "quarantined"
    )
    mine = same_chain if is_aside else table.c.key == row.key
    keys = connection.execute(select(table).where(mine).order_by(table.c.seq)).all()
    if asked.anew:
        for one in keys:
            _write_anew(connection, destination, one)
    values = {"state": "waiting", "next_ns": asked.now_ns, "refused_ns": 0, "handed_ns": 0, "last_error": ""}
    connection.execute(update(table).where(mine).values(**values))
    for one in keys:
        said = Said(what=What.RELEASED if is_aside else What.RESENT, who=asked.who, reason=asked.reason)
        answers.add(connection, asked.now_ns, one.key, row.destination, said)
    return len(keys) if row.state != "waiting" else 0


def _write_anew(connection: Connection, destination: Destination, row: Row[Any]) -> None:
    number = row.reference.split(",")[1] if row.reference.count(",") else ""
    wire = wrap(destination.profile, json.loads(row.body), _thread(connection, row, number))
    if wire is None:
        raise LedgerError("The profile in force has no place for such a notice.", "当前配置的格式无法表示此通知。")
    connection.execute(update(outbox).where(outbox.c.key == row.key).values(wire=wire.text, reference=wire.reference))
