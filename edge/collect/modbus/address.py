"""A tag's Modbus address, as typed values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, get_args

from edge.config import Table, WordOrder
from edge.decode.wordtype import ORDERS, TYPES, words_of
from edge.model import Tag

#: Read functions of the Modbus application protocol V1.1b3; there are no others in this product.
FUNCTION: dict[Table, int] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
BIT_TABLES = ("coil", "discrete")
ONCE_MAX: Final = 10_000  # Addresses that are read once for all devices that have them.


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterAddress:
    """Where a tag is at its device; the columns of the tag table, see README.md.

    Attributes:
        register: 0-based, as on the wire; 40001 of a manual is holding register 0.
        mask, shift: Bits of an unsigned value that count, and how far they are shifted down; mask 0 for all.
        length, texts: Bytes of a string, and what each of its texts means.
        has_loop: A 4-20 mA loop stands behind the value, whose ends are the instrument range.
    """

    table: Table = "holding"
    register: int
    type: str = "uint16"
    order: WordOrder = "ABCD"
    bit: int = 0
    mask: int = 0
    shift: int = 0
    length: int = 0
    texts: tuple[tuple[str, float], ...] = ()
    has_loop: bool = False
    scale: float = 1.0
    offset: float = 0.0
    sentinels: tuple[int | float | str, ...] = ()

    @property
    def words(self) -> int:
        """Registers that the value takes; a coil or discrete input counts as one."""
        return words_of(self.type, self.length)


def address_of(tag: Tag) -> RegisterAddress:
    """Read a tag's address; like devices have one object for like addresses.

    Raises:
        ValueError: A sentence for the person who wrote the tag table.
    """
    cells = tag.address
    try:
        try:
            return _read_once(tuple(cells.items()))
        except TypeError:  # A list where our tables have a tuple.
            return _read(cells)
    except ValueError as error:
        raise ValueError(f"{tag.name}: {error}") from None


@lru_cache(maxsize=ONCE_MAX)
def _read_once(said: tuple[tuple[str, Any], ...]) -> RegisterAddress:
    return _read(dict(said))


def _read(cells: Mapping[str, Any]) -> RegisterAddress:
    table = cells.get("table", "holding")
    if table not in get_args(Table):
        raise ValueError(f"table {table!r} is none of {', '.join(get_args(Table))}.")
    if "register" not in cells:
        raise ValueError("register is missing; give the 0-based register of the value.")
    is_bit_table = table in BIT_TABLES
    kind = cells.get("type", "bit" if is_bit_table else "uint16")
    if kind not in TYPES:
        raise ValueError(f"type {kind!r} is none of {', '.join(TYPES)}.")
    if is_bit_table and kind != "bit":
        raise ValueError(f"table {table} holds single bits; type must be bit, not {kind}.")
    order = cells.get("order", "ABCD")
    if order not in ORDERS:
        raise ValueError(f"order {order!r} is none of {', '.join(ORDERS)}.")
    address = RegisterAddress(
        table=table,
        register=int(cells["register"]),
        type=kind,
        order="ABCD" if is_bit_table else order,
        bit=0 if is_bit_table else int(cells.get("bit", 0)),
        mask=int(cells.get("mask", 0)),
        shift=int(cells.get("shift", 0)),
        length=int(cells.get("length", 0)),
        texts=tuple(cells.get("map", ())),
        has_loop=bool(cells.get("signal", "")),
        scale=float(cells.get("scale", 1.0)),
        offset=float(cells.get("offset", 0.0)),
        sentinels=tuple(cells.get("sentinel", ())),
    )
    if not 0 <= address.register <= 65_536 - address.words:
        raise ValueError(f"register {address.register} with {address.words} words is not within 0…65535.")
    return address
