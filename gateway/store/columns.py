"""Columns: named arrays and what belongs to them as one piece of bytes.

Layout: length of the head (4 bytes, little endian), the head as JSON, then the arrays one after the other, each as it
lies in memory. The head names, types and shapes them in their order, and holds what else the writer gave.
Why: a thousand of them may be written in one tick; an ``npz`` takes a hundred times as long.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

LENGTH = 4


def dump(columns: Mapping[str, NDArray[Any]], more: Mapping[str, Any]) -> bytes:
    """Write columns; ``more`` is JSON values."""
    told = [(name, column.dtype.str, column.shape) for name, column in columns.items()]
    head = orjson.dumps({"columns": told, "more": more})
    arrays = [column.tobytes() for column in columns.values()]
    return b"".join([len(head).to_bytes(LENGTH, "little"), head, *arrays])


def load(content: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read what ``dump`` wrote: the columns, not to be written to, and the rest."""
    at = LENGTH + int.from_bytes(content[:LENGTH], "little")
    head = orjson.loads(content[LENGTH:at])
    columns = {}
    for name, of, shape in head["columns"]:
        dtype = np.dtype(of)
        count = int(np.prod(shape, dtype=np.int64))
        columns[name] = np.frombuffer(content, dtype, count, at).reshape(shape)
        at += count * dtype.itemsize
    return columns, head["more"]
