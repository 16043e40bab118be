"""Receipts that come while one is being written go in one transaction, and nobody is told before it is durable."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from gateway.push.together import Together


class Store:
    """A writer that takes a while; ``writes`` has what each transaction held."""

    def __init__(self) -> None:
        self.writes: list[list[int]] = []
        self.trouble: Exception | None = None

    async def write(self, function: Callable[[Any], None]) -> None:
        held: list[int] = []
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        function(held)
        self.writes.append(held)


def put(n: int) -> Callable[[Any], None]:
    return lambda held: held.append(n)


async def test_what_comes_meanwhile_is_one_transaction() -> None:
    store = Store()
    together = Together(store.write)
    done: list[int] = []

    async def one(n: int) -> None:
        await together.do(put(n))
        assert any(n in held for held in store.writes), "not told before it is durable"
        done.append(n)

    await asyncio.gather(*(one(n) for n in range(8)))
    assert store.writes == [[0], [1, 2, 3, 4, 5, 6, 7]]
    assert sorted(done) == list(range(8))
    await one(9)
    assert store.writes[-1] == [9]


async def test_trouble_is_told_to_each_whose_write_it_was_and_ends_with_it() -> None:
    store = Store()
    together = Together(store.write)
    store.trouble = OperationalError("INSERT", {}, Exception("disk full"))
    found = await asyncio.gather(*(together.do(put(n)) for n in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [OperationalError] * 3
    store.trouble = None
    await together.do(put(4))
    assert store.writes == [[4]]


async def test_who_is_cancelled_leaves_nobody_waiting() -> None:
    store = Store()
    together = Together(store.write)
    first = asyncio.create_task(together.do(put(1)))
    second = asyncio.create_task(together.do(put(2)))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    with pytest.raises(asyncio.CancelledError):
        await second
    await together.do(put(3))
    assert store.writes == [[3]]
