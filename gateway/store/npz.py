"""Npz: columns as the bytes that ``numpy.load`` reads, written in one go.

Why: ``numpy.savez`` opens a file within a file for each column; of sixty small columns, every 10 s, that takes longer
    than all else of a quiet second's transactions.
Source: a zip archive of stored members (PKWARE APPNOTE 6.3.10, 4.3.7, 4.3.12 and 4.3.16), each an ``npy`` of format
    1.0 (NumPy Enhancement Proposal 1).
"""

import struct
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

BYTES_MAX: Final = 2**32 - 1  # Beyond, a zip needs wider fields; numpy knows them.
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_VERSION, _DATE = 20, 0x21  # 2.0; the first day that a zip can name, so that the same columns are the same bytes


def pack_npz(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """Write columns as an uncompressed ``npz``."""
    if sum(column.nbytes for column in columns.values()) > BYTES_MAX // 2:
        content = BytesIO()
        np.savez(content, allow_pickle=False, **columns)
        return content.getvalue()
    content = BytesIO()  # Each column once: those of 100,000 tags, copied three times, are what the process grows by.
    directory: list[bytes] = []
    for name, column in columns.items():
        place = content.tell()
        raw_name = f"{name}.npy".encode()
        header, values = _header(column.dtype.str, column.shape), _bytes_of(column)
        size, checksum = len(header) + len(values), crc32(values, crc32(header))
        facts = (_VERSION, 0x800, 0, 0, _DATE, checksum, size, size, len(raw_name))  # names are UTF-8
        content.writelines((_LOCAL.pack(b"PK\x03\x04", *facts, 0), raw_name, header, values))
        directory += (_CENTRAL.pack(b"PK\x01\x02", _VERSION, *facts, 0, 0, 0, 0, 0, place), raw_name)
    place, listed = content.tell(), b"".join(directory)
    content.write(listed)
    content.write(_END.pack(b"PK\x05\x06", 0, 0, len(columns), len(columns), len(listed), place, 0))
    return content.getvalue()


def _bytes_of(column: NDArray[Any]) -> memoryview:
    """Show the bytes of a column in C order, without a copy where it lies so."""
    flat = np.ascontiguousarray(column).reshape(-1)
    return flat.view(np.uint8).data if flat.size else memoryview(b"")


@lru_cache(maxsize=1024)
def _header(descr: str, shape: tuple[int, ...]) -> bytes:
    """Give what stands before the bytes of a column; in C order, whatever order it lies in."""
    content = BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": descr, "fortran_order": False, "shape": shape})
    return content.getvalue()
