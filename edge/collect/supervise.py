"""Keeps a collector's loop alive: a crash is logged, counted, and the loop begins again after a pause.

Why: the polling loop that dies of one unforeseen error and never comes back is the classic of gateways.
This is the one place on the field side that catches everything.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from edge.collect.backoff import BackOff
from edge.collect.door import Counters

RETRY_S_LEAST = 0.5
RETRY_S_MOST = 30.0
GOOD_RUN_S = 60.0  # A loop that lived so long begins again with the least pause.

_log = structlog.get_logger(__name__)


async def supervise(work: Callable[[], Awaitable[None]], source: str, counters: Counters) -> None:
    """Run ``work`` for ever, until cancelled; it never returns by itself."""
    loop = asyncio.get_running_loop()
    backoff = BackOff(RETRY_S_LEAST, RETRY_S_MOST)
    while True:
        began_s = loop.time()
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - see the module head
            counters.crashes += 1
            if loop.time() - began_s >= GOOD_RUN_S:
                backoff.reset()
            pause_s = backoff.pause_s()
            _log.error("collect.crashed", source=source, crashes=counters.crashes, pause_s=pause_s, exc_info=error)
            await asyncio.sleep(pause_s)
