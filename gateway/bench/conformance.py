"""Our codecs against published vectors that are no part of the product: ``fengsui bench conformance --data DIR``.

Flow: files of vectors -> [check] -> what holds, what does not, what has no codec here
Why: who wrote a codec must not be the only one who wrote its examples. The folder is handed in and never needed.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, cast, get_args

import numpy as np

from edge.collect.modbus.address import FUNCTION
from edge.collect.modbus.frame import Asked, Failure, Framing, RtuFraming, TcpFraming, crc16, request
from edge.config import Table
from edge.decode.registers import Placement, RegisterDecoder
from edge.decode.wordtype import ORDERS
from gateway.bench.conformance_payload import check_hj212, check_senml

UNIT: Final = 17  # Of all examples.
ORDER_KEYS: Final = {
    "ABCD": "big_endian_ABCD",
    "CDAB": "word_swapped_CDAB",
    "BADC": "byte_swapped_BADC",
    "DCBA": "little_endian_DCBA",
}
SHOWN: Final = 20


@dataclass(slots=True, kw_only=True)
class Checked:
    """What one file of vectors showed.

    Attributes:
        held: Vectors that our codec agrees with, by group.
        failed: Those that it does not, each with what it said instead.
        has_codec: False where no codec of ours reads what the file is about.
    """

    file: str
    held: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    has_codec: bool = True


def check_folder(folder: Path) -> list[Checked]:
    """Check every file of vectors in a folder.

    Raises:
        OSError, ValueError: A file cannot be read, or is not what its name says.
    """
    found = []
    for path in sorted(folder.glob("*_vectors.json")):
        codec = CODECS.get(path.name.removesuffix("_vectors.json"))
        checked = Checked(file=path.name, has_codec=codec is not None)
        if codec is not None:
            vectors = json.loads(path.read_text("utf-8"))
            try:
                for group, name, fault in codec(vectors):
                    checked.held[group] = checked.held.get(group, 0) + (not fault)
                    if fault:
                        checked.failed.append(f"{group}: {name}: {fault}")
            except (KeyError, TypeError) as error:
                raise ValueError(f"{path.name} is not laid out as its vectors are: {error!r}.") from error
        found.append(checked)
    return found


def as_facts(found: list[Checked]) -> dict[str, Any]:
    """Give the result for JSON."""
    return {
        "ok": bool(found) and not any(one.failed for one in found),
        "held": sum(sum(one.held.values()) for one in found),
        "failed": sum(len(one.failed) for one in found),
        "files": [asdict(one) for one in found],
    }


def render(found: list[Checked]) -> str:
    """Give the result as text."""
    lines = []
    for one in found:
        if not one.has_codec:
            lines.append(f"{one.file}: no codec of ours reads this")
            continue
        groups = ", ".join(f"{group} {count}" for group, count in one.held.items())
        lines.append(f"{one.file}: {sum(one.held.values())} hold ({groups}), {len(one.failed)} fail")
        lines += [f"  {fault}" for fault in one.failed[:SHOWN]]
    return "\n".join(lines)


# --------------------------------------------------------------------------------------------------------- Modbus


def _check_modbus(vectors: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give (group, name, fault) of each vector; the fault is empty where we agree."""
    for example in vectors["examples"]:
        name = f"function {example['fc']}, {example['name']}"
        if example["fc"] in FUNCTION.values():
            yield "read", name, _check_read(example)
        else:
            yield "never", name, _check_never(example)
    for one in vectors["crc16"]:
        made = crc16(bytes.fromhex(one["data"])).to_bytes(2, "little").hex()
        yield "crc", one["data"], "" if made == one["crc_le"] else f"we make {made}"
    floats = vectors["float_orders"]
    for order in ORDERS:
        yield "order", f"float32 {order}", _check_words("float32", order, floats[order], floats["value"])
    for one in vectors["word_orders"]:
        value = math.nan if one["nan"] else one["value"]
        for order, key in ORDER_KEYS.items():
            yield "order", f"{one['type']} {value} {order}", _check_words(one["type"], order, one[key], value)


def _asked_of(pdu: bytes) -> Asked:
    table = next(table for table in get_args(Table) if FUNCTION[cast(Table, table)] == pdu[0])
    return Asked(UNIT, table, int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big"))


def _check_read(example: dict[str, str]) -> str:
    """Make the request in every framing, and read the answer back."""
    asked = _asked_of(bytes.fromhex(example["request_pdu"]))
    reply = bytes.fromhex(example["response_pdu"])
    if request(asked).hex() != example["request_pdu"]:
        return f"our request is {request(asked).hex()}"
    if asked.table in ("coil", "discrete"):
        bits = int.from_bytes(reply[2:], "little")
        want = [bits >> at & 1 for at in range(asked.count)]
    else:
        want = [int.from_bytes(reply[at : at + 2], "big") for at in range(2, len(reply), 2)]
    framings: tuple[tuple[str, Framing], ...] = (("tcp_tid1", TcpFraming()), ("rtu", RtuFraming()))
    for kind, framing in framings:
        made = framing.wrap(asked).hex()
        if made != example[f"request_{kind}_unit17"]:
            return f"our {kind} request is {made}"
        words = framing.feed(bytes.fromhex(example[f"response_{kind}_unit17"]))
        if not isinstance(words, np.ndarray) or words.tolist() != want:
            return f"we read {words} from its {kind} answer, not {want}"
    return ""


def _check_never(example: dict[str, str]) -> str:
    """What is no read is never taken for the answer to one: neither its request nor its answer."""
    for table in get_args(Table):
        for kind in ("tcp_tid1", "rtu"):
            for side in ("request", "response"):
                framing: Framing = TcpFraming() if kind == "tcp_tid1" else RtuFraming()
                framing.wrap(Asked(UNIT, cast(Table, table), 0, 1))
                found = framing.feed(bytes.fromhex(example[f"{side}_{kind}_unit17"]))
                if found is not None and not isinstance(found, Failure):
                    return f"its {kind} {side} is taken for {table} {found.tolist()}"
    return ""


def _check_words(kind: str, order: str, words: list[str], value: float) -> str:
    decoder = RegisterDecoder([Placement(start=0, answer=0, type=kind, order=order)])
    registers = np.array([int(word, 16) for word in words], dtype=np.uint16)
    values, _ = decoder.decode(registers, np.zeros(1, dtype=np.uint8))
    found = float(values[0])
    # A published float32 is printed with the digits that matter, not with all of them.
    want = float(np.float32(value)) if kind == "float32" else float(value)
    return "" if found == want or (math.isnan(found) and math.isnan(want)) else f"we read {found}"


#: What reads the vectors of ``<name>_vectors.json``: (group, name, fault) of each.
CODECS: Final[dict[str, Callable[[dict[str, Any]], Iterator[tuple[str, str, str]]]]] = {
    "modbus": _check_modbus,
    "hj212": check_hj212,
    "senml": check_senml,
}
