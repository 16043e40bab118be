"""A scripted source and a whole gateway under the manual clock: the seam of simulations."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from alerting.model.rule import RuleTable
from alerting.model.unit import HazardUnit
from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.collect.door import Counters
from edge.config import Source
from edge.model import Link, Scan, TagTable
from gateway.app import Gateway, Parts
from gateway.config import Site
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.store import schema
from gateway.store.engine import open_store, store_url

Deliver = Callable[[Any, Any], None]
NS = 1_000_000_000


class Scripted:
    """Delivers given items at their receive times; acknowledged items are kept in ``acknowledged``."""

    def __init__(self, items: Sequence[Scan | Link], clock: Clock, epoch: int, deliver: Deliver) -> None:
        self.items, self.clock, self.epoch, self.deliver = items, clock, epoch, deliver
        self.counters = Counters()
        self.acknowledged: list[str] = []

    async def run(self) -> None:
        """Deliver everything that is still ahead, then wait."""
        number = 0
        self.deliver(Link(source="plc", is_up=True, received_ns=self.clock.wall_ns()), None)
        for item in self.items:
            wait_s = (item.received_ns - self.clock.wall_ns()) / NS
            if wait_s < 0:
                continue  # Before this start; a broker would have it, this source has not.
            await asyncio.sleep(wait_s)
            now_ns = self.clock.wall_ns()
            if isinstance(item, Link):
                self.deliver(replace(item, received_ns=now_ns), None)
                continue
            number += 1
            scan = replace(item, epoch=self.epoch, number=number, received_ns=now_ns)
            self.deliver(scan, lambda key=scan.key: self.acknowledged.append(key))
        await asyncio.Event().wait()


def small_site(table: RuleTable, source: Source, data: Path, **more: Any) -> Site:  # noqa: ANN401
    """A site of one source and one unit."""
    return Site(
        id="site",
        title={"en": "Site", "zh": "站点"},
        timezone="Asia/Shanghai",
        sources=(source,),
        tags=table.tags,
        units=(HazardUnit(id="T", kind="tank"),),
        rules=table,
        data=data,
        **more,
    )


def small_gateway(site: Site, clock: ManualClock, items: Sequence[Scan | Link], **more: Any) -> Gateway:  # noqa: ANN401
    """A whole gateway on the manual clock, with the source scripted."""

    def make(_source: Source, _tags: TagTable, at: Clock, epoch: int, deliver: Deliver) -> Scripted:
        return Scripted(items, at, epoch, deliver)

    return Gateway(
        site,
        clock,
        Parts(
            historian=MemoryHistorian(site.tags),
            writer=InlineExecutor(),
            reader=InlineExecutor(),
            compiler=InlineExecutor(),
            make_collector=make,  # type: ignore[arg-type]
            jitter_seed=1,
            **more,
        ),
    )


@asynccontextmanager
async def run_for(gateway: Gateway, seconds: float) -> AsyncIterator[Gateway]:
    """Run a gateway for some of its own seconds, then give it for a look before it ends."""
    async with gateway.running():
        await asyncio.sleep(seconds)
        yield gateway


def live(gateway: Gateway, seconds: float, clock: ManualClock) -> None:
    """Run a gateway from start to end."""

    async def main() -> None:
        async with run_for(gateway, seconds):
            pass

    run_manual(main(), clock)


def events_of(site: Site) -> list[Any]:
    """Read the events that a gateway left in its register."""
    engine = open_store(store_url(site.data))
    with engine.connect() as connection:
        rows = list(connection.execute(select(schema.event).order_by(schema.event.c.seq)))
    engine.dispose()
    return rows
