"""Registers: lists of registers as vendors write them, CSV or a sheet of a workbook.

Which column is which is told by its heading, in English or Chinese; what stands in brackets is passed by. Columns that
are ours (``tag``, ``HH``, ``报警延时`` …) are taken as they are.
"""

import re
from collections.abc import Mapping
from typing import Final

from edge.load.heading import column_of, counted_in, in_seconds
from edge.load.register import WIDTHS
from edge.load.typeword import TYPES
from edge.load.words import COLUMNS, parse_number, parse_whole
from edge.tables.foreign import (
    TABLE_OF,
    Foreign,
    Line,
    is_whole_order,
    one_title,
    read_address,
    read_factor,
    read_order,
    read_type,
    write_number,
)

#: What vendors call a column, without blanks and in small letters; words parted by blanks.
HEADINGS: Final[Mapping[str, str]] = {
    "name": (
        "name tagname tag variable variablename parameter parametername point pointname signal "
        "symbol 变量名 变量名称 变量 参数名称 信号名称 点名 位号 点位 测点"
    ),
    "title": "description desc comment comments remark meaning 描述 说明 备注 注释 含义 名称",
    "address": (
        "address addr register registeraddress modbusaddress reg registerno registernumber regno "
        "plcaddress 地址 寄存器 寄存器地址 modbus地址 起始地址 通讯地址"
    ),
    "area": "table area registertype function functioncode fc readfunction 功能码 寄存器类型 寄存器区 数据区",
    "type": "type datatype format dataformat 类型 数据类型 数据格式",
    "order": "byteorder order endian endianness 字节序 字节顺序",
    "words": "wordorder registerorder 字序 寄存器顺序",
    "registers": "length len size registers words count quantity 长度 寄存器数 数量 字数",
    "bit": "bit bitno bitnumber 位 位序",
    "factor": "scale factor gain multiplier ratio scaling 系数 倍率 比例 比例系数",
    "divisor": "divisor divider div divideby 除数 分母",
    "decimals": "decimals decimalplaces decimaldigits dp 小数位 小数位数 小数点位数",
    "offset": "offset bias 偏移 偏移量",
    "eu": "unit units engunit engunits uom eu 单位 工程单位",
    "low": "min minimum rangelow low rangemin lowrange 量程下限 最小值 下量程",
    "high": "max maximum rangehigh high rangemax highrange 量程上限 最大值 上量程",
    "station": "slave slaveid unitid station stationno deviceid 站号 从站 从站地址 设备地址",
}
_ROLE: Final = {word: role for role, words in HEADINGS.items() for word in words.split()}
#: Words for a table, by the digit that a manual counts it with.
_AREAS: Final = {
    "0": "1 01 fc1 fc01 coil coils 0x 线圈 do",
    "1": "2 02 fc2 fc02 discrete discreteinput discreteinputs 1x 离散输入 输入状态 di",
    "3": "4 04 fc4 fc04 input inputregister inputregisters 3x 输入寄存器 ai",
    "4": "3 03 fc3 fc03 holding holdingregister holdingregisters 4x 保持寄存器 ao hr",
}
_AREA: Final = {word: TABLE_OF[digit] for digit, words in _AREAS.items() for word in words.split()}
_RANGE = re.compile(r"\s*(\S+?)\s*[-~–～至]\s*(\S+)\s*")
_BITS: Final = 16
DECIMALS_MOST: Final = 9
_FLOATING: Final = re.compile(r"float|real|double|single|浮点|单精度|双精度|f32|f64", re.IGNORECASE)
_HEX_HEADING = re.compile(r"hex|0x|(十六|16)进制", re.IGNORECASE)
_HEX_DIGITS = re.compile(r"[0-9a-fA-F]{1,4}(?:[.:/]\d{1,2})?", re.ASCII)
_LETTERS = re.compile(r"[A-Ha-h1-4 _-]+")
_LOW_FIRST: Final = {
    **dict.fromkeys(
        ("little", "littleendian", "low", "lowfirst", "lsw", "lswfirst", "swapped", "小端", "低字在前"), True
    ),
    **dict.fromkeys(("big", "bigendian", "high", "highfirst", "msw", "mswfirst", "normal", "大端", "高字在前"), False),
}
#: Words in the heading of a length, and how much of what it counts makes a register.
_STEPS: Final = ((2, re.compile(r"byte|octet|字节", re.IGNORECASE)), (16, re.compile(r"bit|比特", re.IGNORECASE)))
_OF_REGISTERS = re.compile(r"register|word|寄存器|字数", re.IGNORECASE)


def roles_of(headings: list[str]) -> dict[str, str]:
    """Give heading → what it is: a role of ``HEADINGS``, or one of our own columns with ``=`` before it."""
    found: dict[str, str] = {}
    for heading in headings:
        plain = _plain(heading)
        role = _ROLE.get(plain, "")
        own = heading if heading in COLUMNS else column_of(heading)
        if role and role not in found.values():
            found[heading] = role
        elif own in COLUMNS and f"={own}" not in found.values():
            found[heading] = f"={own}"
    return found


def is_list(headings: list[str]) -> bool:
    """Tell whether headings are those of a list of registers."""
    roles = set(roles_of(headings).values())
    return {"name", "address"} <= roles


def convert(
    file: str, rows: list[tuple[int, dict[str, str]]], *, source: str, unit: str, order: str, first: int, prefix: str
) -> Foreign:
    """Turn a list of registers into rows of a tag table.

    Args:
        rows: (line, cells by heading).
        source: Id of the source; ``{station}`` in it becomes the row's station.
        unit: Id of the hazard unit where the list has none.
        order: Byte order where the list has none; empty to assume ABCD.
        first: Number of the first register where addresses are not counted as manuals count.
        prefix: Goes before each name.
    """
    foreign = Foreign(form="registers", file=file)
    roles = roles_of(list(rows[0][1])) if rows else {}
    heading_of = {role: heading for heading, role in roles.items()}
    step = _step(foreign, rows, heading_of)
    stations = {cells[heading_of["station"]] for _, cells in rows} if "station" in heading_of else set()
    for line, cells in rows:
        row = _Row(foreign, line, {role: cells[heading] for heading, role in roles.items()}, heading_of, step)
        made = row.cells(order, first)
        if made is None:
            continue
        station = row.get("station")
        if len(stations) > 1 and "{station}" not in source:
            row.refuse(
                "station",
                f"the list is of {len(stations)} stations, and source {source} is one.",
                "Give --source with {station} in it, e.g. plc-{station}, and have a source for each.",
            )
            continue
        made["tag"] = prefix + made["tag"]
        made.setdefault("unit", unit)
        made.setdefault("source", source.replace("{station}", station))
        headings = {column: heading_of[role] for column, role in _COLUMN_ROLES.items() if role in heading_of}
        headings |= {role[1:]: heading for role, heading in heading_of.items() if role.startswith("=")}
        foreign.lines.append(
            Line(
                line=line,
                cells=made,
                headings=one_title(headings, made),
                assumed=frozenset(row.assumed),
                station=station,
            )
        )
    for heading in rows[0][1] if rows else ():
        if heading not in roles:
            foreign.leave_out(f"column {heading}")
    return foreign


#: Columns of a tag table, and the role that they are made of.
_COLUMN_ROLES: Final = {
    "tag": "name",
    "register": "address",
    "table": "area",
    "type": "type",
    "order": "order",
    "bit": "bit",
    "scale": "factor",
    "offset": "offset",
    "eu": "eu",
    "range_lo": "low",
    "range_hi": "high",
    "title_en": "title",
    "title_zh": "title",
    "source": "station",
}


def _step(foreign: Foreign, rows: list[tuple[int, dict[str, str]]], heading_of: Mapping[str, str]) -> int:
    """Tell what a length counts, by its heading or by types of one width only: 1 registers, 2 bytes, 16 bits."""
    heading = heading_of.get("registers", "")
    for step, word in _STEPS:
        if word.search(heading):
            return step
    if not heading or _OF_REGISTERS.search(heading):
        return 1
    found: set[int] = set()
    doubtful = 0
    for _, cells in rows:
        number = parse_whole(cells[heading]) or 0
        kind = TYPES.get(_plain(cells[heading_of["type"]])) if "type" in heading_of else None
        if kind is None:
            doubtful += number in (2, 4)
        elif number and kind != "bit":
            found.add(number // WIDTHS[kind] if number % WIDTHS[kind] == 0 else 0)
    if len(found) == 1 and found <= {2, 16}:
        foreign.assume(f"{heading} counted in {'bytes' if found == {2} else 'bits'}, as the types show")
        return found.pop()
    if doubtful and not found:
        foreign.notes[f"{heading} counted in registers, which the list does not say"] = doubtful
    return 1


class _Row:
    """One row of a list of registers."""

    def __init__(
        self, foreign: Foreign, line: int, values: Mapping[str, str], heading_of: Mapping[str, str], step: int
    ) -> None:
        self.foreign = foreign
        self.line = line
        self.values = values
        self.heading_of = heading_of
        self.name = values.get("name", "").strip()
        self.step = step
        self.is_hex = bool(_HEX_HEADING.search(heading_of.get("address", "")))
        self.assumed: set[str] = set()

    def get(self, role: str) -> str:
        return self.values.get(role, "").strip()

    def refuse(self, role: str, sentence: str, remedy: str) -> None:
        who = f"Row {self.line} ({self.name})" if self.name else f"Row {self.line}"
        self.foreign.refuse(self.line, self.heading_of.get(role, role), f"{who}: {sentence}", remedy)

    def cells(self, order: str, first: int) -> dict[str, str] | None:
        """Give the row's cells, or None where it cannot be read; what is wrong is told."""
        if not self.name:
            self.refuse("name", "it has no name.", "Name the tag.")
            return None
        made = {
            role[1:]: value.strip() for role, value in self.values.items() if role.startswith("=") and value.strip()
        }
        for column, cell in made.items():
            if column.endswith("_s"):
                made[column] = in_seconds(cell, counted_in(self.heading_of[f"={column}"]))
        made["tag"] = re.sub(r"\s+", "_", self.name)
        placed = self._place(first)
        kind = self._kind(placed[1] if placed else 0, placed[0].get("bit") if placed else None)
        numbers = self._numbers()
        if placed is None or kind is None or numbers is None:
            return None
        made |= placed[0] | kind | numbers
        if placed[0]["table"] in ("coil", "discrete"):
            made.pop("order", None)
            if made["type"] != "bit":
                self.refuse("type", f"a {placed[0]['table']} holds one bit, not {made['type']}.", "Put the type right.")
                return None
        elif made["type"] != "bit" and not made.get("order"):
            made["order"] = order or "ABCD"
            self.assumed |= set() if order else {"order"}
            self.foreign.assume(f"byte order {made['order']}, which the list does not say: compare one known value")
        if self.get("title"):
            language = "title_zh" if re.search(r"[\u4e00-\u9fff]", self.get("title")) else "title_en"
            made.setdefault(language, self.get("title"))
        if self.get("eu"):
            made["eu"] = self.get("eu")
        return made

    def _place(self, first: int) -> tuple[dict[str, str], int] | None:
        """Read where it is: cells, and how many registers the list says it takes (0: it does not say)."""
        area = ""
        if self.get("area"):
            area = _AREA.get(_plain(self.get("area")), "")
            if not area:
                self.refuse(
                    "area", f"“{self.get('area')}” is no table of Modbus.", "Write holding, input, coil or discrete."
                )
                return None
        text, last = self.get("address"), ""
        spanned = _RANGE.fullmatch(text)
        if spanned:
            text, last = spanned[1], spanned[2]
        if self.is_hex:
            text, last = (f"0x{one}" if _HEX_DIGITS.fullmatch(one) else one for one in (text, last))
        address = read_address(text, area, first)
        end = read_address(last, area, first) if last else None
        if address is None or (last and end is None):
            self.refuse(
                "address",
                f"“{self.get('address')}” is no address.",
                "Write 40001, 4x0001, 0x1A, 1AH or a plain number.",
            )
            return None
        registers = end.register - address.register + 1 if end else self._registers()
        if address.is_manual:
            self.foreign.assume(f"address counted as manuals count, from {text[0]}…1")
        elif self.is_hex:
            self.foreign.assume("address hexadecimal, as its heading says, counted from 0")
        else:
            self.foreign.assume(f"address counted from {first}")
        if not address.table:
            self.assumed.add("table")
            self.foreign.assume("table holding, which the list does not say")
        made = {"table": address.table or "holding", "register": str(address.register)}
        bit = self.get("bit") or ("" if address.bit is None else str(address.bit))
        if bit:
            number = parse_whole(bit)
            if number is None or not 0 <= number < _BITS:
                self.refuse(
                    "bit" if self.get("bit") else "address",
                    f"bit “{bit}” is none of 0 to 15.",
                    "Write the bit, 0 for the lowest.",
                )
                return None
            made["bit"] = str(number)
        return made, registers

    def _kind(self, registers: int, bit: str | None) -> dict[str, str] | None:
        """Read type and byte order."""
        order = self._order()
        if order is None:
            return None
        area = _AREA.get(_plain(self.get("area")), "")
        text = self.get("type")
        if not text and (bit is not None or area in ("coil", "discrete") or self.get("address")[:1] in ("0", "1")):
            return {"type": "bit"}
        if bit is not None and text and TYPES.get(_plain(text)) in (None, "uint16", "int16", "bit"):
            return {"type": "bit"}
        read = read_type(text, registers) if text else None
        if read is None:
            what = f"type “{text}” is none that we know" if text else "it has no type"
            where = f" with {registers} registers" if text and registers else ""
            self.refuse(
                "type", f"{what}{where}.", "Write int16, uint16, int32, uint32, int64, uint64, float32, float64 or bit."
            )
            return None
        kind, own_order, is_assumed = read
        if is_assumed:
            self.foreign.assume(f"“{text}” taken for {kind}")
        if registers and kind != "bit" and WIDTHS[kind] != registers:
            self.refuse(
                "registers" if self.get("registers") else "address",
                f"{kind} takes {WIDTHS[kind]} registers, and the list says {registers}.",
                "Put the type or the number of registers right.",
            )
            return None
        if self.get("order") and not is_whole_order(self.get("order"), kind):
            self.refuse(
                "order",
                f"“{self.get('order')}” does not say which register of {kind} comes first.",
                "Write ABCD, CDAB, BADC or DCBA.",
            )
            return None
        return {"type": kind} | ({"order": own_order or order} if (own_order or order) and kind != "bit" else {})

    def _registers(self) -> int:
        """Read how many registers the list says, 0 where it does not."""
        number = parse_whole(self.get("registers")) or 0
        return number // self.step if number % self.step == 0 and number // self.step in (1, 2, 4) else 0

    def _order(self) -> str | None:
        """Read the byte order, empty where the list says none; None where it cannot be read, which is told."""
        text, words = self.get("order"), self.get("words")
        order = read_order(text) if text else ""
        if order is None:
            self.refuse("order", f"“{text}” is no byte order.", "Write ABCD, CDAB, BADC or DCBA.")
            return None
        if text and not _LETTERS.fullmatch(text):
            self.foreign.assume(f"byte order “{text}” taken for {order}: compare one known value")
        if not words:
            return order
        if _LETTERS.fullmatch(words):
            said = read_order(words)
        else:
            is_low_first = _LOW_FIRST.get(_plain(words))
            # What is little of the bytes alone swaps those of each register: of words something else is said.
            swapped = {"ABCD": "CDAB", "": "CDAB", "DCBA": "DCBA", "BADC": "DCBA"}
            kept = {"ABCD": "ABCD", "": "ABCD", "DCBA": "BADC", "BADC": "BADC"}
            said = None if is_low_first is None else (swapped if is_low_first else kept).get(order)
        if said is None or (_LETTERS.fullmatch(text) and said != order):
            self.refuse(
                "words", f"“{words}” is no order of registers beside “{text}”.", "Write ABCD, CDAB, BADC or DCBA."
            )
            return None
        self.foreign.assume(f"order of registers “{words}” taken for {said}: compare one known value")
        return said

    def _numbers(self) -> dict[str, str] | None:
        """Read scale, offset and range."""
        made: dict[str, str] = {}
        for role, column in (("factor", "scale"), ("offset", "offset"), ("low", "range_lo"), ("high", "range_hi")):
            if not self.get(role):
                continue
            number = read_factor(self.get(role))
            if number is None:
                self.refuse(role, f"“{self.get(role)}” is no number.", "Write a number, the decimal mark as a point.")
                return None
            made[column] = write_number(number)
        return made if self._divide(made) else None

    def _divide(self, made: dict[str, str]) -> bool:
        """Let a divisor, or a number of decimals, make the scale; tell whether they can be read."""
        divisor = self.get("divisor")
        if divisor:
            number = parse_number(divisor)
            if not number:
                self.refuse("divisor", f"“{divisor}” divides nothing.", "Write a number other than 0, e.g. 10.")
                return False
            made["scale"] = write_number(float(made.get("scale", "1")) / number)
        decimals = self.get("decimals")
        if not decimals or "scale" in made or _FLOATING.search(self.get("type")):
            return True  # Beside a factor, and of a float, they say how a value is shown.
        places = parse_whole(decimals)
        if places is None or not 0 <= places <= DECIMALS_MOST:
            self.refuse("decimals", f"“{decimals}” is no number of decimals.", f"Write 0 to {DECIMALS_MOST}.")
            return False
        if places:
            self.foreign.assume(f"decimals are part of the raw number: 123 with {places} is {123 / 10**places:g}")
            made["scale"] = write_number(1 / 10**places)
        return True


def _plain(text: str) -> str:
    return re.sub(r"[(（\[【][^)）\]】]*[)）\]】]|[\s_.:：*#-]+", "", text).casefold()
