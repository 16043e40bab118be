"""What a shared subscription does, for the link in memory and for paho against a real mosquitto, by both versions."""

import asyncio
import shutil
import socket
import struct
import threading
import uuid
from collections.abc import Callable

import pytest

from edge.collect.door import Counters
from edge.collect.mqtt.link import LinkChange, Message, MqttLink
from edge.collect.mqtt.loopback import LoopbackBroker, LoopbackLink
from edge.collect.mqtt.paho import PahoLink
from edge.config import MqttOptions
from tests.conftest import Server

WAIT_S = 8.0
OpenMember = Callable[[str], MqttLink]


async def hear(link: MqttLink, count: int, *, seconds: float = WAIT_S) -> list[str]:
    """Take and acknowledge so many payloads."""
    found: list[str] = []
    async with asyncio.timeout(seconds):
        while len(found) < count:
            for arrival in await link.receive(100, 1_000_000):
                if isinstance(arrival, Message):
                    found.append(arrival.payload.decode())
                    arrival.acknowledge()
    return found


async def until_up(link: MqttLink) -> None:
    async with asyncio.timeout(WAIT_S):
        while LinkChange(is_up=True) not in await link.receive(100, 1_000_000):
            pass


async def tell(open_member: OpenMember, publish: Callable[[int, int], None], grace_s: float) -> None:
    north, south = open_member("north"), open_member("south")
    for one in (north, south):
        await one.open()
        await until_up(one)
    await asyncio.sleep(grace_s)  # Subscribed a moment after connected.
    publish(0, 10)
    first = [await hear(north, 5), await hear(south, 5)]
    assert sorted(map(int, first[0] + first[1])) == list(range(10)), "each to one member"
    await south.close()
    publish(10, 20)
    while_away = await hear(north, 5)
    back = open_member("south")
    await back.open()
    waited = await hear(back, 5)
    assert sorted(map(int, while_away + waited)) == list(range(10, 20)), "what a member was dealt waits for it"
    await north.close()
    await back.close()


def test_in_memory() -> None:
    broker = LoopbackBroker()

    def publish(first: int, last: int) -> None:
        for n in range(first, last):
            broker.publish("t/x", str(n).encode())

    asyncio.run(tell(lambda name: LoopbackLink(broker, name, ["$share/g/t/+"]), publish, 0.0))


@pytest.mark.network
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_at_mosquitto(mosquitto: Server, version: str) -> None:
    prefix = uuid.uuid4().hex
    program = shutil.which("mosquitto_pub")
    assert program is not None, "it comes with the clients of mosquitto"

    def member(name: str) -> MqttLink:
        options = MqttOptions(host="127.0.0.1", port=mosquitto.port, version=version)  # type: ignore[arg-type]
        return PahoLink(options, f"{prefix}-{name}", [f"$share/g/{prefix}/+"], Counters())

    async def main() -> None:
        sent: list[tuple[int, int]] = []
        running: list[asyncio.Task[None]] = []

        async def send(first: int, last: int) -> None:
            process = await asyncio.create_subprocess_exec(
                program, "-p", str(mosquitto.port), "-t", f"{prefix}/x", "-q", "1", "-l", stdin=asyncio.subprocess.PIPE
            )
            await process.communicate("".join(f"{n}\n" for n in range(first, last)).encode())

        def publish(first: int, last: int) -> None:
            sent.append((first, last))
            running.append(asyncio.create_task(send(first, last)))

        await tell(member, publish, 0.3)
        await asyncio.gather(*running)

    asyncio.run(main())


@pytest.mark.network
@pytest.mark.parametrize("says", ["at once", "when asked"])
def test_a_broker_without_them_is_a_link_that_is_down_and_says_why(says: str) -> None:
    """The bytes of MQTT 5.0: CONNACK with property 42 = 0 (§3.2.2.3.13), SUBACK with reason code 0x9E (§3.9.3)."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.recv(65_536)
                peer.sendall(bytes([0x20, 5, 0, 0, 2, 42, 0]) if says == "at once" else bytes([0x20, 3, 0, 0, 0]))
                asked = peer.recv(65_536)
                if asked and asked[0] >> 4 == 8:
                    peer.sendall(struct.pack(">BBHBB", 0x90, 4, int.from_bytes(asked[2:4]), 0, 0x9E))
                    peer.recv(65_536)

    threading.Thread(target=serve, daemon=True).start()
    counters = Counters()

    async def main() -> list[LinkChange]:
        options = MqttOptions(host="127.0.0.1", port=listener.getsockname()[1])
        link = PahoLink(options, "north", ["$share/g/t/+"], counters)
        await link.open()
        changes: list[LinkChange] = []
        async with asyncio.timeout(WAIT_S):
            while not changes or changes[-1].is_up:
                changes += [one for one in await link.receive(100, 1_000_000) if isinstance(one, LinkChange)]
        await link.close()
        return changes

    changes = asyncio.run(main())
    listener.close()
    assert changes[-1] == LinkChange(is_up=False, reason="the broker does not offer shared subscriptions")
    assert counters.refused["subscription"] >= 1
