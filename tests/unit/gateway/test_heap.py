"""What was put away is read again from its file when it is called; giving back takes nothing that is in use."""

import gc
import re
import zlib
from pathlib import Path

import lxml.etree

from gateway.heap import give_back, hold, put_away, settle


def resident_kb(name: str) -> int:
    """Give how much of a library is in memory, as the machine counts it."""
    found, is_mine = 0, False
    for line in Path("/proc/self/smaps").read_text("utf-8", "replace").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            is_mine = name in line
        elif is_mine and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found


def test_a_library_that_was_put_away_still_works() -> None:
    text = b"<a>" + b"<b/>" * 1_000 + b"</a>"
    before = len(lxml.etree.fromstring(text))
    there = resident_kb("/etree.cpython")
    put_away(".so")  # Of all libraries: each must come back by itself.
    assert resident_kb("/etree.cpython") <= there
    assert len(lxml.etree.fromstring(text)) == before == 1_000
    kept = [bytes([n % 256]) * 4_096 for n in range(1_000)]
    give_back()
    assert zlib.crc32(b"".join(kept)) == zlib.crc32(b"".join(bytes([n % 256]) * 4_096 for n in range(1_000)))


def test_what_start_up_left_is_freed_and_what_stays_is_looked_through_no_more() -> None:
    hold()
    assert not gc.isenabled()
    left: list[object] = []
    left.append(left)
    at = id(left)
    del left
    frozen = gc.get_freeze_count()
    settle()
    try:
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
        assert all(id(one) != at or type(one) is not list for one in gc.get_objects())
    finally:
        gc.unfreeze()
