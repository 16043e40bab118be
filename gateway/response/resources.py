"""Resources at an incident: what is nearest and free, reserved for it, used up, given back.

Flow: unit -> [near] -> resources by availability and distance;  act of a person -> [reserve, use, release: in its
    transaction] -> record under a new revision, hold, line of the timeline;  stand-down -> [release_all]
Why: of two who reach for one fire engine the second is told at once for which incident it went, and by whom.
Never: takes more of a material than is there.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from alerting.register.coordinates import Corner, NoOutline, read_place
from alerting.register.field import Values, Words
from alerting.register.ledger import STATE
from alerting.register.ledgers.resources import (
    AVAILABLE,
    MATERIAL,
    RESERVED,
    RESOURCES,
    ROUNDING,
    SORTS,
    STATES,
    free_of,
    is_expired,
    with_stock,
)
from alerting.response.zone.place import metres_between
from gateway.config import Site
from gateway.register.around import today_of
from gateway.register.reading import Wanted, get, of_codes, page
from gateway.register.record import By, Record
from gateway.register.records import put
from gateway.response.incidents import Refused, merged_of, root_of, say
from gateway.response.incidents import check_open as check_incident
from gateway.response.incidents import get as incident_of
from gateway.store.schema import resource_hold

HELD, RELEASED, USED = "held", "released", "used"
#: Resources looked through at once; of more the answer says that it is not whole.
LOOKED_MAX: Final = 2_000
SORT_WORDS: Final = {choice.code: choice.title for choice in SORTS}
STATE_WORDS: Final = {choice.code: choice.title for choice in STATES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A resource seen from a unit.

    Attributes:
        distance: Along the ellipsoid, m; None where a position is not known.
        is_free: An incident could have it now.
        is_expired: Past its last day; then it is not free, whatever its state says.
    """

    record: Record
    distance: float | None
    is_free: bool
    is_expired: bool


def place_of(values: Values) -> Corner | None:
    """Give the position of a record, longitude and latitude in degrees; None where it has none."""
    try:
        return read_place(values["position"]) if values.get("position") else None
    except NoOutline:  # pragma: no cover - the ledger reads it before it is kept
        return None


def unit_place(connection: Connection, unit: str) -> Corner | None:
    """Give the position of a unit of the site: that of the first of its dossiers that has one."""
    dossiers = page(connection, "units", limit=50, wanted=Wanted(unit=unit))
    return next((place for place in (place_of(one.values) for one in dossiers) if place is not None), None)


def near(connection: Connection, unit: str, sort: str, today: str) -> tuple[Corner | None, list[Near], bool]:
    """Give the resources of a sort, or all: what is free first, what is not past its day, then the nearest.

    Returns:
        Position of the unit, resources, and whether these are all there are.
    """
    place = unit_place(connection, unit) if unit else None
    records = page(connection, RESOURCES.id, limit=LOOKED_MAX + 1)
    found = [
        _seen(one, place, today) for one in records[:LOOKED_MAX] if not sort or one.values["sort"] == sort
    ]  # fmt: skip
    found.sort(
        key=lambda one: (not one.is_free, one.is_expired, one.distance is None, one.distance or 0.0, one.record.code)
    )
    return place, found, len(records) <= LOOKED_MAX


def _seen(one: Record, place: Corner | None, today: str) -> Near:
    own = place_of(one.values)
    expired = is_expired(one.values, today)
    is_there = one.values[STATE] == AVAILABLE and (one.values["sort"] != MATERIAL or free_of(one.values) > 0)
    return Near(
        record=one,
        distance=None if place is None or own is None else float(metres_between(place, [own])[0]),
        is_free=is_there and not expired,
        is_expired=expired,
    )


def near_shown(one: Near) -> dict[str, Any]:
    """Write a resource for a list; amounts in the unit ``eu``, the distance in m."""
    values = one.record.values
    is_material = values["sort"] == MATERIAL
    return {
        "id": one.record.id,
        "code": one.record.code,
        "name": one.record.title,
        "sort": values["sort"],
        "state": values[STATE],
        "incident": values.get("incident"),
        "is_free": one.is_free,
        "is_expired": one.is_expired,
        "expires_on": values.get("expires_on"),
        "free": free_of(values) if is_material else None,
        "stock": values.get("stock"),
        "minimum": values.get("minimum"),
        "is_short": is_material and values["stock"] < values.get("minimum", 0.0),
        "eu": values.get("stock_eu", ""),
        "persons": values.get("persons"),
        "can": values.get("can", ""),
        "address": values.get("address", ""),
        "person": values["person"],
        "phone": values["phone"],
        "position": place_of(values),
        "distance_m": None if one.distance is None else round(one.distance, 1),
    }


# --------------------------------------------------------------------------------------------------- acts of people


def reserve(connection: Connection, site: Site, number: int, code: str, quantity: float | None, by: By) -> str:
    """Reserve a resource for an incident; of a material so much of it. Gives the hold's id.

    Raises:
        Refused: The incident is over, there is no such resource, it is not free or past its last day, or so much of
            it is not there.
    """
    check_incident(incident_of(connection, number))
    had = of_codes(connection, RESOURCES.id, [code]).get(code)
    if had is None:
        raise Refused("not_there", Words(f"There is no resource {code}.", f"没有应急资源 {code}。"))
    values = had.values
    _check_free(had)
    _check_usable(had, today_of(site, by.time_ns).isoformat())
    if values["sort"] == MATERIAL:
        amount = _check_amount(had, quantity)
        fresh = with_stock(values, stock=values["stock"], held=values.get("held", 0.0) + amount, today="")
    else:
        if quantity is not None:
            en = f"{had.title} is reserved as a whole; only a material has an amount."
            raise Refused("amount", Words(en, f"{had.title} 为整体调用，只有物资填写数量。"))
        amount = 0.0
        fresh = values | {STATE: RESERVED, "incident": number}
    put(connection, RESOURCES, [], [(had, fresh)], by, what="reserved")
    hold = {
        "id": uuid.uuid4().hex, "incident": number, "resource": had.id, "code": had.code, "name": had.title,
        "quantity": amount, "eu": values.get("stock_eu", "") if amount else "", "used": 0.0, "state": HELD,
        "held_ns": by.time_ns, "held_by": by.who, "ended_ns": 0, "ended_by": "",
    }  # fmt: skip
    connection.execute(insert(resource_hold).values(**hold))
    say(connection, number, by.who, "reserved", by.time_ns, _facts(hold, amount))
    return str(hold["id"])


def use(connection: Connection, site: Site, number: int, which: str, quantity: float, by: By) -> None:
    """Write down that so much of a reserved material is used up; the stock goes down by it.

    Raises:
        Refused: The incident is over, it is not reserved here, is no material, or less of it is left.
    """
    check_incident(incident_of(connection, number))
    hold = _hold_of(connection, number, which)
    if not hold["quantity"]:
        said = Words("Only a material is used up; release this one.", "只有物资可以消耗，该资源请归还。")
        raise Refused("amount", said)
    left = round(hold["quantity"] - hold["used"], 9)
    if quantity > left + ROUNDING:
        en = f"{left:g} {hold['eu']} of it are reserved here and not used; reserve more first."
        raise Refused("amount", Words(en, f"本事件尚余 {left:g} {hold['eu']} 未消耗，请先追加调用。"))
    had = get(connection, RESOURCES.id, hold["resource"])
    stock, held = had.values["stock"] - quantity, had.values["held"] - quantity
    today = today_of(site, by.time_ns).isoformat()
    fresh = with_stock(had.values, stock=max(stock, 0.0), held=max(held, 0.0), today=today)
    put(connection, RESOURCES, [], [(had, fresh)], by, what="used")
    used = round(hold["used"] + quantity, 9)
    is_over = used >= hold["quantity"] - ROUNDING
    ended = {"state": USED, "ended_ns": by.time_ns, "ended_by": by.who} if is_over else {}
    connection.execute(update(resource_hold).where(resource_hold.c.id == which).values(used=used, **ended))
    say(connection, number, by.who, "used", by.time_ns, _facts(hold, quantity))


def release(connection: Connection, number: int, which: str, by: By) -> None:
    """Give back what is reserved and not used up.

    Raises:
        Refused: The incident is over, or it is not reserved here any more.
    """
    check_incident(incident_of(connection, number))
    _give_back(connection, number, _hold_of(connection, number, which), by)


def release_all(connection: Connection, number: int, by: By) -> None:
    """Give back all that an incident, and what was merged into it, still has; at stand-down."""
    for hold in holds_of(connection, [number, *merged_of(connection, number)]):
        if hold["state"] == HELD:
            _give_back(connection, number, hold, by)


def holds_of(connection: Connection, numbers: Sequence[int]) -> list[RowMapping]:
    """Give what incidents reserved, the first first; also what they gave back or used up."""
    query = select(resource_hold).where(resource_hold.c.incident.in_(numbers))
    return list(connection.execute(query.order_by(resource_hold.c.held_ns, resource_hold.c.code)).mappings())


def _give_back(connection: Connection, number: int, hold: RowMapping, by: By) -> None:
    had = get(connection, RESOURCES.id, hold["resource"])
    left = round(hold["quantity"] - hold["used"], 9)
    if hold["quantity"]:
        held = max(had.values["held"] - left, 0.0)
        fresh = with_stock(had.values, stock=had.values["stock"], held=held, today="")
    else:
        fresh = {name: value for name, value in had.values.items() if name != "incident"} | {STATE: AVAILABLE}
    put(connection, RESOURCES, [], [(had, fresh)], by, what="released")
    ended = {"state": RELEASED, "ended_ns": by.time_ns, "ended_by": by.who}
    connection.execute(update(resource_hold).where(resource_hold.c.id == hold["id"]).values(**ended))
    say(connection, number, by.who, "released", by.time_ns, _facts(hold, left))


def _facts(hold: RowMapping | dict[str, Any], amount: float) -> dict[str, Any]:
    return {"code": hold["code"], "name": hold["name"]} | ({"amount": f"{amount:g} {hold['eu']}"} if amount else {})


def _hold_of(connection: Connection, number: int, which: str) -> RowMapping:
    row = connection.execute(select(resource_hold).where(resource_hold.c.id == which)).mappings().first()
    there = None if row is None else root_of(connection, incident_of(connection, row["incident"]))
    if row is None or there is None or there["number"] != number:
        said = Words("This incident has not reserved it.", "本事件没有调用该资源。")
        raise Refused("not_there", said)
    if row["state"] != HELD:
        by = row["ended_by"]
        done = Words(f"{by} gave it back already.", f"{by} 已归还。")
        gone = Words(f"All of it is used up, says {by}.", f"{by} 已登记全部消耗。")
        raise Refused("done_already", gone if row["state"] == USED else done)
    return row


def _check_free(had: Record) -> None:
    state = had.values[STATE]
    if state == AVAILABLE:
        return
    if state == RESERVED:
        number, who = had.values["incident"], had.who
        en = f"{had.title} is reserved for incident {number} already, by {who}."
        raise Refused("taken", Words(en, f"{had.title} 已由 {who} 调用于 {number} 号事件。"))
    now = STATE_WORDS[state]
    raise Refused("not_free", Words(f"{had.title} is {now.en}.", f"{had.title} 当前状态为“{now.zh}”，不能调用。"))


def _check_usable(had: Record, today: str) -> None:
    if is_expired(had.values, today):
        day = had.values["expires_on"]
        en = f"{had.title} was usable until {day}; renew it, and enter the new day in the register."
        raise Refused("expired", Words(en, f"{had.title} 有效期至 {day}，已过期；请更换并在台账更新有效期后再调用。"))


def _check_amount(had: Record, quantity: float | None) -> float:
    free, eu = free_of(had.values), had.values["stock_eu"]
    if quantity is None:
        raise Refused("amount", Words(f"Say how much, in {eu}.", f"请填写数量（{eu}）。"))
    if quantity > free + ROUNDING:
        en = f"{free:g} {eu} of {had.title} are free; the rest is reserved or used."
        raise Refused("taken", Words(en, f"{had.title} 可调用 {free:g} {eu}，其余已调用或消耗。"))
    return quantity
