"""The field side over the API: probing through a source and by an address; who may, what is refused, what is kept."""

import json
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from alerting.model.rule import RuleTable
from edge.clock_manual import ManualClock
from edge.collect.modbus.collector import ModbusCollector
from edge.config import ModbusOptions, Source
from edge.model import Nature, Tag, TagTable
from gateway.api import make_app
from gateway.api.small_house import SmallHouse
from gateway.auth import Role, make_link
from gateway.config import Site
from gateway.probe import Asked, Probed, Prober, ProbeRefused
from gateway.store import schema
from gateway.store.engine import open_store
from tests.modbus_peers import Road, device_that, framed, running, until

UNSAFE = {"X-Fengsui-Request": "1"}


@dataclass
class Field:
    house: SmallHouse
    clients: dict[Role, httpx.AsyncClient]

    async def post(self, path: str, role: Role = Role.ENGINEER, **body: Any) -> tuple[int, Any]:  # noqa: ANN401
        answer = await self.clients[role].post(f"/api/v1/{path}", json=body)
        return answer.status_code, answer.json()

    def acts(self) -> list[dict[str, Any]]:
        with self.house.engine.connect() as connection:
            told = [json.loads(body) for body in connection.execute(select(schema.journal.c.body)).scalars()]
        return [act for act in told if act["action"] != "logged_in"]


def site_of(*sources: Source) -> Site:
    tags = TagTable([Tag(name="TK.level", source="plc", unit="TK", nature=Nature.TEST, address={"register": 0})])

    return Site(id="s", title={}, timezone="UTC", sources=sources, tags=tags, units=(), rules=RuleTable([], tags))


@pytest.fixture
async def field(tmp_path: Path) -> AsyncIterator[Field]:
    engine = open_store(f"sqlite:///{tmp_path}/register.db")
    site = site_of(
        Source(id="plc", protocol="modbus-tcp", modbus=ModbusOptions(host="127.0.0.1", registers_from=1)),
        Source(id="gas", protocol="mqtt"),
        Source(id="far", protocol="modbus-tcp", modbus=ModbusOptions(), node="north"),
    )
    house = SmallHouse(site=site, engine=engine, clock=ManualClock())
    app = make_app(house, dist=tmp_path / "dist")
    made: dict[Role, httpx.AsyncClient] = {}
    for role in (Role.ENGINEER, Role.OPERATOR):
        token = make_link(engine, f"the-{role}", role, house.clock)
        made[role] = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=("10.1.2.3", 5)), base_url="http://gateway", headers=UNSAFE
        )
        await made[role].get(f"/login/{token}")
    yield Field(house, made)
    for client in made.values():
        await client.aclose()
    engine.dispose()


def holding(first: int, words: list[int]) -> Any:  # noqa: ANN401 - an answerer of a device of bare sockets
    async def answer(request: bytes) -> bytes:
        at, count = int.from_bytes(request[8:10], "big"), int.from_bytes(request[10:12], "big")
        if not first <= at <= at + count <= first + len(words):
            return framed(request, bytes([request[7] | 0x80, 2]))
        said = words[at - first : at - first + count]
        return framed(request, bytes([request[7], 2 * count]) + b"".join(word.to_bytes(2, "big") for word in said))

    return answer


async def test_a_probe_counts_as_the_tags_of_its_source_and_is_written_down_before(field: Field) -> None:
    high, low = struct.unpack(">HH", struct.pack(">f", 4.317))
    async with device_that(holding(0, [low, high, 7, 7, 7, 7, 7]), device_id=1) as peer:
        peer.close()
        options = ModbusOptions(host="127.0.0.1", port=peer.options.port, registers_from=1)
        source = Source(id="plc", protocol="modbus-tcp", modbus=options)
        field.house.site = site_of(source)
        collector = ModbusCollector(source, field.house.site.tags, field.house.clock, 1, Road())
        field.house.prober = Prober({"plc": collector}, field.house.clock)
        async with running(collector):
            await until(lambda: collector.counters.scans > 0)
            status, told = await field.post("probe", source="plc", register=1, count=2, expect="4.3")
            again, busy = await field.post("probe", source="plc", register=1)

    assert status == 200, told
    best = told["guesses"][0]
    assert (best["register"], best["counted"], best["types"], best["order"]) == (0, 1, ["float32"], "CDAB")
    first = told["registers"][0]
    assert (first["counted"], first["notation"], first["uint16"], first["is_asked"]) == (1, "40001", low, True)
    assert (told["source"], told["function"], told["failure"]) == ("plc", 3, None)
    assert (again, busy["error"]["code"]) == (429, "busy")
    assert [(act["who"], act["action"], act["source"]) for act in field.acts()] == [
        ("the-engineer", "probed", "plc")
    ] * 2


async def test_an_address_without_a_source_is_asked_on_a_connection_of_its_own(field: Field) -> None:
    async with device_that(holding(10, [21, 22]), device_id=5) as peer:
        peer.close()
        asked: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": peer.options.port,
            "device_id": 5,
            "register": 10,
            "count": 2,
        }
        status, told = await field.post("probe", **asked)

    assert status == 200, told
    assert [one.get("uint16") for one in told["registers"] if one["is_asked"]] == [21, 22]
    assert told["registers"][0]["failure"] == {"reason": "exception", "code": 2}
    assert told["source"] == ""


@pytest.mark.parametrize(
    ("host", "networks", "is_let"),
    [
        ("127.0.0.2", (), False),
        ("127.0.0.2", ("10.0.0.0/8",), False),
        ("127.0.0.2", ("127.0.0.0/30",), True),
        ("localhost", ("::1/128",), True),  # Another name of a source's host.
        ("no-such-host.invalid", ("0.0.0.0/0", "::/0"), False),
        ("::1", ("0.0.0.0/0",), False),
        ("192.0.2.7", (), False),
    ],
)
async def test_a_typed_address_leads_to_hosts_of_sources_and_declared_networks_only(
    field: Field, host: str, networks: tuple[str, ...], is_let: bool
) -> None:
    field.house.site = replace(field.house.site, probe_allow=networks)
    asked: list[Asked] = []

    class Watching(Prober):
        async def probe(self, what: Asked) -> Probed:
            asked.append(what)
            raise ProbeRefused(429, {"en": "busy", "zh": "忙"})

    field.house.prober = Watching({}, field.house.clock)
    status, told = await field.post("probe", host=host, port=5020, register=1)

    assert (status, len(asked), len(field.acts())) == ((429, 1, 1) if is_let else (403, 0, 0)), told
    assert set(told["error"]["details"]) == {"en", "zh"}
    if is_let:
        assert asked[0].options is not None
        assert asked[0].options.host != "localhost", "the address that was judged, not a name to ask again"
    else:
        assert host in told["error"]["details"]["zh"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"source": "gas"}, 409), ({"source": "far"}, 409), ({"source": "nobody"}, 404), ({}, 422),
        ({"source": "plc", "host": "h"}, 422), ({"source": "plc", "expect": "5..4"}, 422),
        ({"source": "plc", "register": 0}, 422), ({"source": "plc", "count": 101}, 422),
        ({"host": "h", "table": "write"}, 422), ({"host": "h", "register": 65_536}, 422),
    ],
)  # fmt: skip
async def test_what_cannot_be_probed_is_refused_and_asks_nobody(
    field: Field, asked: dict[str, Any], status: int
) -> None:
    got, told = await field.post("probe", **({"register": 1} | asked))

    assert got == status, told
    assert told["error"]["message"]
    assert field.acts() == []


async def test_an_operator_may_not_probe(field: Field) -> None:
    status, _ = await field.post("probe", role=Role.OPERATOR, source="plc", register=1)

    assert status == 403
    assert field.acts() == []
