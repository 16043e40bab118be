"""ThingsBoard: the Modbus connector's JSON of the ThingsBoard IoT gateway, versions 2 and 3.

Its keys are those of the gateway's documentation, "Modbus connector configuration": ``master.slaves[]`` with
``attributes`` and ``timeseries``, each with ``tag``, ``type``, ``functionCode``, ``objectsCount``, ``address`` (from 0)
and perhaps ``divider`` or ``multiplier``.
"""

import json
import re
from typing import Any, Final

from edge.tables.foreign import TYPES, Foreign, Line, write_number

FUNCTIONS: Final = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
#: (byteOrder, wordOrder) of a slave. LITTLE swaps the bytes of a register, a LITTLE wordOrder the registers.
ORDERS: Final = {
    ("BIG", "BIG"): "ABCD",
    ("BIG", "LITTLE"): "CDAB",
    ("LITTLE", "BIG"): "BADC",
    ("LITTLE", "LITTLE"): "DCBA",
}
BYTES_MAX: Final = 64 * 1024 * 1024


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
    lines = _line_of_tags(text)
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
            for item in slave.get(kind) or ():
                line = next(lines, 1)
                made = _cells(foreign, line, slave, item, order)
                if made is None:
                    continue
                made["tag"] = (prefix or f"{device}.") + made["tag"]
                made["source"] = source.replace("{device}", device)
                if unit:
                    made["unit"] = unit
                foreign.lines.append(Line(line=line, cells=made, headings={"tag": "tag", "register": "address"}))
        for kind in ("attributeUpdates", "rpc"):
            for _ in slave.get(kind) or ():
                foreign.leave_out(f"{kind}: the field is read only")
    return foreign


def _line_of_tags(text: str) -> Any:  # noqa: ANN401  # an iterator of lines
    """Give the line of each ``"tag":`` in order; JSON itself forgets where a key stood."""
    return iter(
        [number for number, line in enumerate(text.splitlines(), start=1) for _ in re.findall(r'"tag"\s*:', line)]
    )


def _cells(foreign: Foreign, line: int, slave: dict[str, Any], item: object, order: str) -> dict[str, str] | None:
    if not isinstance(item, dict) or not isinstance(item.get("tag"), str) or not item["tag"].strip():
        foreign.refuse(line, "tag", f"Row {line}: it has no tag.", "Name it.")
        return None
    name = item["tag"].strip()
    who = f"Row {line} ({name})"
    table = FUNCTIONS.get(item.get("functionCode", 0))
    address, count = item.get("address"), item.get("objectsCount", 1)
    kind = _type(str(item.get("type", "")), count)
    wrong = {
        "functionCode": table is None,
        "address": not isinstance(address, int) or isinstance(address, bool),
        "type": not kind,
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
    elif kind not in ("int16", "uint16"):
        named = (str(slave.get("byteOrder", "BIG")).upper(), str(slave.get("wordOrder", "BIG")).upper())
        made["order"] = order or ORDERS.get(named, "ABCD")
        if not order and ("byteOrder" not in slave or "wordOrder" not in slave):
            foreign.assume(f"byte order {made['order']}, where the file says only half: compare one known value")
    for key in ("divider", "multiplier"):
        factor = item.get(key)
        if isinstance(factor, int | float) and factor:
            made["scale"] = write_number(1 / factor if key == "divider" else float(factor))
    period = item.get("pollPeriod", slave.get("pollPeriod"))
    if isinstance(period, int | float) and period > 0:
        made["period_s"] = write_number(min(max(period / 1000, 0.1), 3600.0))
    return made


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
