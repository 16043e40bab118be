"""Rivals: what a record may not be because another one is: two plans that fit equally well, a substance nobody holds.

Flow: rows that would be written -> [wrongs, at the look and in the transaction] -> code and what is wrong
Why: which plan opens must be known before it happens; two officers who write at once are told by the transaction.
"""

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, select

from alerting.register.field import Values, Words, Wrong
from gateway.store.schema import record

#: Fields that make a plan more specific; two plans with the same of all of them fit equally well.
PLACE = ("unit", "substance", "condition", "tier")


def wrongs(connection: Connection, ledger: str, rows: Sequence[Values]) -> list[tuple[str, Wrong]]:
    """Give what other records, or other rows, make wrong in rows of a ledger that are right by themselves."""
    if ledger != "plans" or not rows:
        return []
    found: list[tuple[str, Wrong]] = []
    mine = {str(values["code"]) for values in rows}
    places = {
        _place(values): str(values["code"]) for values in _bodies(connection, "plans") if values["code"] not in mine
    }
    held: set[str] | None = None
    for values in rows:
        code = str(values["code"])
        other = places.setdefault(_place(values), code)
        if other != code:
            rule = Words(
                f"plan {other} fits equally well: the same unit, substance, condition and tier",
                f"预案 {other} 匹配度相同：单元、物质、条件和预警级别均一致",
            )
            remedy = Words("Make one of the two more specific, or remove it.", "请使其中一个更具体，或删除其一。")
            found.append((code, Wrong(field="tier", value=str(values["tier"]), rule=rule, remedy=remedy)))
        cas = values.get("substance")
        if cas:
            held = {str(one.get("cas", "")) for one in _bodies(connection, "holdings")} if held is None else held
            if cas not in held:
                rule = Words("no unit holds this substance by the register", "台账中没有单元登记该物质")
                remedy = Words(
                    "Enter it in Holdings first, or correct the number.",
                    "请先在“危险化学品存量”中登记，或更正 CAS 号。",
                )
                found.append((code, Wrong(field="substance", value=str(cas), rule=rule, remedy=remedy)))
    return found


def _place(values: Values) -> tuple[str, ...]:
    return tuple(str(values.get(name, "")) for name in PLACE)


def _bodies(connection: Connection, ledger: str) -> list[Values]:
    query = select(record.c.body).where(record.c.ledger == ledger, record.c.is_removed.is_(False))
    return [orjson.loads(body) for body in connection.scalars(query)]
