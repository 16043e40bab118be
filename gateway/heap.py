"""Heap: what the C library's allocator is told, so that memory that was needed once goes back to the machine.

Why: reading a site of 100,000 tags takes much for a moment. Each thread would keep an arena of its own, and what lies
    free between two things in use stays with the process unless somebody asks for it: 60 MB of 620 there.
Never: needed. Where the C library has no such calls (musl, macOS), nothing happens.
"""

import ctypes
import gc
from pathlib import Path
from typing import Final

_M_ARENA_MAX: Final = -8  # malloc.h of glibc
_MADV_PAGEOUT: Final = 21  # mman.h of Linux, from 5.4; elsewhere it is refused and nothing happens


def one_arena() -> None:
    """Let all threads take from one arena; before the first of them starts. They take turns anyway."""
    call = getattr(ctypes.CDLL(None), "mallopt", None)
    if call is not None:
        call(_M_ARENA_MAX, 1)


def hold() -> None:
    """Let nobody look for what refers to itself until ``settle``.

    A large site is a million things that stay, and looking through them again and again takes half of a start.
    """
    gc.disable()


def settle() -> None:
    """Free what start-up left, keep what is there out of every later look, and give free pages back.

    Tags and rules stay; looking through them again and again would stop the road each time.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
    give_back()


def give_back() -> None:
    """Give free pages back to the machine; takes some 10 ms, in which no other thread can take memory."""
    call = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if call is not None:
        call(0)


def put_away(library: str) -> None:
    """Let go of the pages of a library that has done its work; what is called again is read from its file again.

    Args:
        library: The end of its file's name.
    """
    advise = getattr(ctypes.CDLL(None), "madvise", None)
    maps = Path("/proc/self/maps")
    if advise is None or not maps.is_file():
        return
    for line in maps.read_text("utf-8", "replace").splitlines():
        if line.endswith(library) and line.split(" ", 2)[1].startswith("r-"):  # What it may not write.
            begin, end = (int(number, 16) for number in line.split(" ", 1)[0].split("-"))
            advise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_PAGEOUT)
