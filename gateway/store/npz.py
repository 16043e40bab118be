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
    members: list[bytes] = []
    directory: list[bytes] = []
    place = 0
    for name, column in columns.items():
        raw_name = f"{name}.npy".encode()
        body = _header(column.dtype.str, column.shape) + column.tobytes()
        facts = (_VERSION, 0x800, 0, 0, _DATE, crc32(body), len(body), len(body), len(raw_name))  # names are UTF-8
        members += (_LOCAL.pack(b"PK\x03\x04", *facts, 0), raw_name, body)
        directory += (_CENTRAL.pack(b"PK\x01\x02", _VERSION, *facts, 0, 0, 0, 0, 0, place), raw_name)
        place += _LOCAL.size + len(raw_name) + len(body)
    listed = b"".join(directory)
    end = _END.pack(b"PK\x05\x06", 0, 0, len(columns), len(columns), len(listed), place, 0)
    return b"".join((*members, listed, end))


@lru_cache(maxsize=1024)
def _header(descr: str, shape: tuple[int, ...]) -> bytes:
    """Give what stands before the bytes of a column; in C order, whatever order it lies in."""
    content = BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": descr, "fortran_order": False, "shape": shape})
    return content.getvalue()
