"""Child of test_kill.py: append scans for ever and print the number of each one that is reported committed."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.clock_system import SystemClock
from edge.model import Scan, Tag, TagTable
from gateway.historian import file as history_file
from gateway.historian.embedded import EmbeddedHistorian
from gateway.historian.file import Retention

TAGS = TagTable([Tag(name=f"T-{row}", source="a") for row in range(600)])
ROWS = np.arange(600, dtype=np.int32)


def make_scan(number: int) -> Scan:
    """Give scan ``number``: time and value of each tag tell the number."""
    return Scan(
        source="a",
        epoch=1,
        number=number,
        received_ns=number,
        rows=ROWS,
        values=np.full(600, float(number)),
        quality=np.zeros(600, dtype=np.uint8),
        times_ns=np.full(600, number, dtype=np.int64),
    )


def make_done(number: int) -> Callable[[bool], None]:
    def say(is_kept: bool) -> None:
        assert is_kept
        print(number, flush=True)

    return say


async def main(path: Path, first: int) -> None:
    history_file.CHUNK_LEAST = 10  # Folds all the time, so that the kill falls into folding, too.
    # The times are the numbers of the scans, half a century ago: nothing may expire, however long this lives.
    historian = EmbeddedHistorian(path, TAGS, SystemClock(), retention=Retention(raw_ns=1 << 62, rollup_ns=1 << 62))
    number = first
    while True:
        historian.append(make_scan(number), make_done(number))
        number += 1
        await asyncio.sleep(0.0005)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
