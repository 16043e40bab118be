"""ThingsBoard: the Modbus connector's JSON of the ThingsBoard IoT gateway, versions 2 and 3.

Its keys are those of the gateway's documentation, "Modbus connector configuration": ``master.slaves[]`` with
``attributes`` and ``timeseries``, each with ``tag``, ``type``, ``functionCode``, ``objectsCount``, ``address`` (from 0)
and perhaps ``divider`` or ``multiplier``.
"""

import json
import re
from typing import Any, Final, TypeGuard

from edge.load.typeword import TYPES
from edge.tables.foreign import Foreign, Line, write_number

FUNCTIONS: Final = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
#: (byteOrder, wordOrder) of a slave. LITTLE swaps the bytes of a register, a LITTLE wordOrder the registers.
ORDERS: Final = {
    ("BIG", "BIG"): "ABCD",
    ("BIG", "LITTLE"): "CDAB",
    ("LITTLE", "BIG"): "BADC",
    ("LITTLE", "LITTLE"): "DCBA",
}
FACTOR_LEAST, FACTOR_MOST = 1e-30, 1e30  # Finite either way round.
_TAG = re.compile(r'"tag"\s*:')


def is_export(text: str) -> bool:
    """Tell whether a text looks like such a file."""
    return text.lstrip()[:1] == "{" and '"slaves"' in text


def convert(file: str, text: str, *, source: str, unit: str, order: str, prefix: str) -> Foreign:
    """Turn a connector's configuration into rows of a tag table.

    Args:
        source: Id of the source; ``{device}`` in it becomes the slave's deviceName.
        order: Byte order of all slaves; empty for the one that each slave names.
        prefix: Goes before each name; the slave's deviceName and a dot where it is empty.
    """
    foreign = Foreign(form="thingsboard", file=file)
    try:
        slaves = json.loads(text)["master"]["slaves"]
        assert isinstance(slaves, list)
    except (ValueError, KeyError, TypeError, AssertionError, RecursionError) as error:
        foreign.refuse(
            1, "file", f"It is no Modbus connector of ThingsBoard ({type(error).__name__}).", "Give modbus.json."
        )
        return foreign
    lines = _line_of_tags(text, slaves)
    named = [slave for slave in slaves if isinstance(slave, dict)]
    if len(named) > 1 and "{device}" not in source:
        foreign.refuse(
            1,
            "slaves",
            f"The file is of {len(named)} slaves, and source {source} is one.",
            "Give --source with {device} in it, and have a source for each.",
        )
        return foreign
    for slave in named:
        device = re.sub(r"\s+", "_", str(slave.get("deviceName", "device")))
        for kind in ("attributes", "timeseries"):
            for item in _items(slave, kind):
                line = lines.get(id(item), 1)
                made = _cells(foreign, line, slave, item, order)
                if made is None:
                    continue
                made["tag"] = (prefix or f"{device}.") + made["tag"]
                made["source"] = source.replace("{device}", device)
                if unit:
                    made["unit"] = unit
                foreign.lines.append(
                    Line(
                        line=line,
                        cells=made,
                        headings={"tag": "tag", "register": "address"},
                        station=str(slave.get("unitId", "")),
                    )
                )
        for kind in ("attributeUpdates", "rpc"):
            for _ in _items(slave, kind):
                foreign.leave_out(f"{kind}: the field is read only")
    return foreign


def _items(slave: dict[str, Any], kind: str) -> list[object]:
    """Give the entries of a kind; newer files keep those of RPC as an object."""
    found = slave.get(kind)
    return list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else []


def _line_of_tags(text: str, slaves: list[object]) -> dict[int, int]:
    """Give the line of each entry with a ``"tag":``, by its id; JSON itself forgets where a key stood."""
    numbers = iter([number for number, line in enumerate(text.split("\n"), start=1) for _ in _TAG.findall(line)])
    found: dict[int, int] = {}
    waiting: list[object] = [slaves]
    while waiting:  # In the order of the file, all kinds of entries.
        one = waiting.pop()
        if isinstance(one, dict):
            if "tag" in one:
                found[id(one)] = next(numbers, 1)
            waiting.extend(reversed(one.values()))
        elif isinstance(one, list):
            waiting.extend(reversed(one))
    return found


def _cells(foreign: Foreign, line: int, slave: dict[str, Any], item: object, order: str) -> dict[str, str] | None:
    if not isinstance(item, dict) or not isinstance(item.get("tag"), str) or not item["tag"].strip():
        foreign.refuse(line, "tag", f"Row {line}: it has no tag.", "Name it.")
        return None
    name = item["tag"].strip()
    who = f"Row {line} ({name})"
    function = item.get("functionCode")
    table = FUNCTIONS.get(function) if isinstance(function, int) else None
    address, count = item.get("address"), item.get("objectsCount", 1)
    kind = _type(str(item.get("type", "")), count)
    wrong = {
        "functionCode": table is None,
        "address": not isinstance(address, int) or isinstance(address, bool),
        "type": not kind,
        **{key: key in item and not _is_factor(item[key]) for key in ("divider", "multiplier")},
    }
    for key, is_wrong in wrong.items():
        if is_wrong:
            foreign.refuse(
                line,
                key,
                f"{who}: {key} “{item.get(key)}” has no place in a tag table.",
                "Leave the entry out, or write one that Modbus has (functions 1 to 4; a number of 16, 32 or 64 bits).",
            )
            return None
    assert table is not None, who
    made = {"tag": re.sub(r"\s+", "_", name), "table": table, "register": str(address), "type": kind}
    if table in ("coil", "discrete"):
        made["type"] = "bit"
    elif kind == "bit":
        made["bit"] = str(item.get("bit", 0))
        if "bit" not in item:
            foreign.assume("bit 0 of a register, where the file names none")
    else:
        made |= _order(foreign, slave, kind, order)
    for key in ("divider", "multiplier"):
        factor = item.get(key)
        if factor:
            made["scale"] = write_number(1 / factor if key == "divider" else float(factor))
    period = item.get("pollPeriod", slave.get("pollPeriod"))
    if _is_factor(period) and period > 0:
        made["period_s"] = write_number(min(max(period / 1000, 0.1), 3600.0))
    return made


def _order(foreign: Foreign, slave: dict[str, Any], kind: str, order: str) -> dict[str, str]:
    """Give the byte order of a number; of one register LITTLE bytes are swapped, too."""
    named = (str(slave.get("byteOrder", "BIG")).upper(), str(slave.get("wordOrder", "BIG")).upper())
    if kind in ("int16", "uint16"):
        is_swapped = order in ("BADC", "DCBA") if order else named[0] == "LITTLE"
        return {"order": "BADC"} if is_swapped else {}
    if not order and ("byteOrder" not in slave or "wordOrder" not in slave):
        foreign.assume(
            f"byte order {ORDERS.get(named, 'ABCD')}, where the file says only half: compare one known value"
        )
    return {"order": order or ORDERS.get(named, "ABCD")}


def _is_factor(found: object) -> TypeGuard[int | float]:
    """Tell whether something is a number that can be multiplied with and divided by."""
    return isinstance(found, int | float) and not isinstance(found, bool) and FACTOR_LEAST < abs(found) < FACTOR_MOST


def _type(word: str, count: object) -> str:
    """Give our type: ``16int``, ``32float`` … as they are, old words by the number of registers."""
    plain = word.strip().casefold()
    if plain in ("bits", "bit"):
        return "bit"
    if plain in ("int", "uint", "float", "long", "double"):
        family = {"long": "int", "double": "float"}.get(plain, plain)
        width = {1: "16", 2: "32", 4: "64"}.get(count if isinstance(count, int) else 0, "")
        plain = f"{family}{width}"
    return TYPES.get(plain, "")
