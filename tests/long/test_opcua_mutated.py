"""A recorded conversation whose server tells it wrong, a byte at a time: values or a lost link, never a crash."""

import asyncio
import json
import resource
from dataclasses import replace

import pytest

from edge.collect.opcua.client import connector
from tests.integration.test_opcua import RECORDING, options_for, peer_tags
from tests.mutator import mutated
from tests.opcua_peers import StandingClock, Told, collector, recorded, replaying, running

pytestmark = pytest.mark.network
TALKS = 2_000


async def mutated_talks(count: int, seed: int) -> tuple[int, int]:
    """Have so many conversations; give how many ended up and how many lost, of those that did not end by themselves."""
    lines = recorded(RECORDING)
    at_ns = json.loads(RECORDING.with_suffix(".expected.json").read_text("utf-8"))["at_ns"]
    up = down = 0
    for talk in range(count):
        place = (talk * 7 + seed) % len(lines)
        message = bytes.fromhex(lines[place]["message"])
        (wrong,) = mutated([message], seed + talk, 1)
        told = Told()
        mine = [*lines[:place], lines[place] | {"message": wrong.hex()}, *lines[place + 1 :]]
        async with replaying(mine) as port:
            options = replace(options_for(port), timeout_s=0.1)
            one = collector(peer_tags(), StandingClock(at_ns), told, connector(StandingClock(at_ns)), options)
            async with running(one):
                await asyncio.sleep(0.12)
        assert one.counters.crashes == 0, (place, wrong.hex())
        is_up = any(is_up for is_up, _ in told.links)
        up, down = up + is_up, down + (not is_up)
    return up, down


@pytest.mark.timeout(0)
async def test_a_conversation_that_goes_wrong_anywhere() -> None:
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    up, down = await mutated_talks(TALKS, 18218)
    print(f"{up} conversations gave values all the same, {down} were given up")
    assert min(up, down) > TALKS // 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 100_000
