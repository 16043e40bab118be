"""Type words: what lists of registers call types and byte orders, in English and Chinese.

Why: one table of words, for those who take lists over and for those who are told what a word of a list is here.

The names of types are those of IEC 61131-3 §6.4.2 (BOOL, INT, DINT, WORD, REAL, LREAL …), of C and of Modicon.
"""

import re
from collections.abc import Mapping
from typing import Final

#: Words for types that mean one thing wherever they stand, without blanks and in small letters. FLOAT, INT and the like
#: are decided by the width that the list gives, and by IEC 61131-3 §6.4.2 where it gives none.
TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("int16", "short", "s16", "i16", "16int", "sint16", "signed16", "16位有符号", "有符号16位"), "int16"
    ),
    **dict.fromkeys(("uint16", "word", "ushort", "u16", "16uint", "unsigned16", "16位无符号", "无符号16位"), "uint16"),
    **dict.fromkeys(
        ("int32", "dint", "s32", "i32", "32int", "signed32", "long32", "32位有符号", "有符号32位"), "int32"
    ),
    **dict.fromkeys(
        ("uint32", "dword", "udint", "u32", "32uint", "unsigned32", "ulong", "32位无符号", "无符号32位"), "uint32"
    ),
    **dict.fromkeys(("int64", "lint", "s64", "i64", "64int", "llong"), "int64"),
    **dict.fromkeys(("uint64", "lword", "ulint", "u64", "64uint", "qword"), "uint64"),
    **dict.fromkeys(("float32", "f32", "32float", "single", "real32", "32位浮点", "单精度浮点", "单精度"), "float32"),
    **dict.fromkeys(
        ("float64", "double", "lreal", "f64", "64float", "real64", "64位浮点", "双精度浮点", "双精度"), "float64"
    ),
    **dict.fromkeys(("bcd", "bcd16"), "bcd16"),
    **dict.fromkeys(("lbcd", "bcd32"), "bcd32"),
    **dict.fromkeys(("float16", "f16", "16float", "half"), "float16"),
    **dict.fromkeys(("bit", "bool", "boolean", "coil", "digital", "布尔", "开关量", "位"), "bit"),
}
#: Words that a list uses for one register or for several: type by number of registers, 0 where it says none.
BY_WIDTH: Final[Mapping[str, Mapping[int, str]]] = {
    word: kinds
    for words, kinds in (
        (("float", "real", "floating", "浮点", "浮点数"), {0: "float32", 2: "float32", 4: "float64"}),
        (("int", "integer", "signed", "整型", "有符号"), {0: "int16", 1: "int16", 2: "int32", 4: "int64"}),
        (("uint", "unsigned", "无符号"), {0: "uint16", 1: "uint16", 2: "uint32", 4: "uint64"}),
        (("long",), {0: "int32", 2: "int32", 4: "int64"}),
    )
    for word in words
}
ORDERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("abcd", "1234", "ab", "12", "bigendian", "big", "大端", "大端模式", "abcdefgh"), "ABCD"),
    **dict.fromkeys(("cdab", "3412", "littleendianbyteswap", "wordswap", "字交换", "ghefcdab"), "CDAB"),
    **dict.fromkeys(("badc", "2143", "ba", "21", "bigendianbyteswap", "byteswap", "字节交换", "badcfehg"), "BADC"),
    **dict.fromkeys(("dcba", "4321", "littleendian", "little", "小端", "小端模式", "hgfedcba"), "DCBA"),
}


def plain(text: str) -> str:
    """Give a word as it stands in these tables: small letters, without blanks, dashes, underscores, brackets."""
    return re.sub(r"[\s_(),（），-]+", "", text).casefold()
