"""What is shown of check-outs: the list, one tag as it is now, records, and all of them as CSV."""

import csv
import io
import math
from typing import Any, Final

from alerting.core.memory import Phase
from alerting.model.alarm import Suppression
from alerting.model.derivation import DERIVED
from alerting.model.rule import Kind
from edge.model import Tag
from edge.model.quality import describe
from gateway.api.answer import ApiError, not_found
from gateway.api.house import House
from gateway.checkout import records
from gateway.checkout.loop import Ringing, Standing, digests, ringing, rules_of
from gateway.checkout.records import Record
from gateway.live import iso
from gateway.system import SOURCE


def known(house: House, name: str) -> Tag:
    """Give a tag that has an instrument behind it.

    Raises:
        ApiError: There is none, or it is computed.
    """
    row = house.site.tags.row_of.get(name)
    if row is None:
        raise not_found("tag", name)
    tag = house.site.tags[row]
    if not is_measured(tag):
        raise ApiError(409, f"{name} is computed; check out the tags that it is computed from.")
    return tag


def is_measured(tag: Tag) -> bool:
    """Tell whether an instrument stands behind a tag."""
    return tag.source != SOURCE and not tag.source.startswith(f"{DERIVED}:")


def list_tags(
    house: House, newest: dict[str, tuple[Record | None, Record | None]], now_ns: int
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Give all tags with an instrument and their states, and how many there are of each."""
    rows = []
    counts = dict.fromkeys((each.value for each in Standing), 0)
    site, rules = house.site, house.rules
    for tag in site.tags:
        if not is_measured(tag):
            continue
        signed, last = newest.get(tag.name, (None, None))
        standing, changed = records.stand(signed, digests(site, rules, tag)) if signed else (Standing.UNCHECKED, ())
        counts[standing] += 1
        rows.append(
            {
                "tag": tag.name,
                "title": dict(tag.title),
                "unit": tag.unit,
                "source": tag.source,
                "state": standing,
                "changed": list(changed),
                "is_open": last is not None and last.is_open(now_ns),
                "signed": None if signed is None else iso(signed.ended_ns),
                "signed_by": "" if signed is None else signed.ended_by,
                "comment": "" if signed is None else signed.comment,
            }
        )
    return rows, counts


def texts_of(row: dict[str, Any]) -> list[str]:
    """Give what a person may look a tag up by."""
    return [row["tag"], row["source"], *row["title"].values()]


async def tag_shown(house: House, tag: Tag) -> dict[str, Any]:
    """Give one tag: its state, what it shows now, its alarms, all its check-outs."""
    found = await house.read(lambda c: records.of_tag(c, tag.name))
    await house.settled()
    now_ns = house.clock.wall_ns()
    signed = next((one for one in found if one.state in (records.PASSED, records.FAILED)), None)
    standing, changed = records.stand(signed, digests(house.site, house.rules, tag))
    going = next((one for one in found if one.is_open(now_ns)), None)
    return {
        "tag": tag.name,
        "state": standing,
        "changed": list(changed),
        "open": None if going is None else record_shown(going, now_ns),
        "now": seen(house, tag),
        "range_lo": _number(tag.range_lo),
        "range_hi": _number(tag.range_hi),
        "eu": tag.eu,
        "alarms": [_ringing(house, each) for each in ringing(house.site, house.rules, tag)],
        "records": [record_shown(each, now_ns) for each in found],
    }


def seen(house: House, tag: Tag) -> dict[str, Any]:
    """Say what a tag shows now: the device's own words, value, quality, and each condition; once settled."""
    site, rules, picture = house.site, house.rules, house.picture
    row = site.tags.row_of[tag.name]
    memory, raw = house.memory(tag.nature), house.raw(tag.name)
    time_ns = int(picture.times_ns[row])
    return {
        "value": _number(float(picture.values[row])),
        "quality": describe(int(picture.quality[row])),
        "value_time": iso(time_ns),
        "raw": None
        if raw is None
        else {
            "table": raw.table,
            "register": raw.register,
            "hex": " ".join(f"{word:04X}" for word in raw.words),
            "words": list(raw.words),
            "time": iso(raw.time_ns),
        },
        "conditions": [
            {
                "rule": rules[index].id,
                "kind": Kind(rules[index].kind).name,
                "setpoint": _number(rules[index].setpoint),
                "tier": rules[index].tier.name,
                "is_active": bool(memory.is_active[index]),
                "is_waiting": int(memory.phase[index]) == Phase.ON and not bool(memory.is_active[index]),
            }
            for index in rules_of(rules, tag)
        ],
    }


def suppression_of(house: House, key: str) -> Suppression:
    """Tell how an alarm is kept quiet now."""
    alarm = house.picture.alarms.get(key)
    return Suppression.NONE if alarm is None else alarm.suppression


def _ringing(house: House, one: Ringing) -> dict[str, Any]:
    alarm = house.picture.alarms.get(one.key)
    return {
        "key": one.key,
        "tag": one.tag,
        "unit": one.unit,
        "group": one.group,
        "is_own": one.is_own,
        "is_active": alarm is not None and alarm.is_active,
        "suppression": Suppression.NONE if alarm is None else alarm.suppression,
        "suppressed_until": None if alarm is None else iso(alarm.suppressed_until_ns),
    }


def record_shown(record: Record, now_ns: int) -> dict[str, Any]:
    """Give a check-out for people."""
    return {
        "number": record.number,
        "tag": record.tag,
        "state": record.state_at(now_ns),
        "begun": iso(record.begun_ns),
        "begun_by": record.begun_by,
        "until": iso(record.until_ns),
        "reason": record.reason,
        "alarms": len(record.alarms),
        "points": list(record.points),
        "ended": iso(record.ended_ns),
        "ended_by": record.ended_by,
        "comment": record.comment,
    }


HEAD: Final = (
    "number", "tag", "result", "begun", "begun_by", "signed", "signed_by", "comment", "point_time", "injected", "raw",
    "value", "quality", "error_percent", "conditions", "note",
)  # fmt: skip


def csv_of(found: list[Record], now_ns: int) -> str:
    """Write check-outs as CSV: one row a point, or one row where there is none."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    for record in found:
        head = [
            record.number, record.tag, record.state_at(now_ns), iso(record.begun_ns), record.begun_by,
            iso(record.ended_ns), record.ended_by, record.comment,
        ]  # fmt: skip
        for point in record.points or ({},):
            raw = point.get("raw") or {}
            tail = [
                point.get("time"), point.get("injected"), raw.get("hex"), point.get("value"), point.get("quality"),
                point.get("error_percent"), "; ".join(point.get("conditions", ())), point.get("note"),
            ]  # fmt: skip
            writer.writerow([_cell(each) for each in (*head, *tail)])
    return out.getvalue()


def _cell(value: object) -> object:
    """Give a cell; a text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return "" if value is None else value


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
