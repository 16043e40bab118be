"""An edge node, its gateway and a Mosquitto between them as real processes: restarts and kill -9 lose nothing."""

import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import Server, take_free_port
from tests.integration.test_node import NS, Device, Place, assert_whole, ending

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(150)]


@pytest.fixture
def device() -> Device:
    return Device()


def through(place: Place, broker: Server) -> Place:
    """Let node and gateway of a place meet at a broker; the gateway's HTTP port moves away from the node."""
    site = place.folder / "gateway/site.toml"
    text = site.read_text("utf-8").replace(f"port = {place.port}", f"port = {take_free_port()}")
    site.write_text(f'{text}[node_broker]\nhost = "127.0.0.1"\nport = {broker.port}\n', "utf-8")
    node = place.folder / "node/node.toml"
    text = node.read_text("utf-8")
    url = f'url = "http://127.0.0.1:{place.port}"'
    assert url in text
    node.write_text(text.replace(url, f'broker = "127.0.0.1"\nport = {broker.port}\ntimeout_s = 3'), "utf-8")
    return place


def test_restarts_of_broker_and_gateway_lose_and_double_nothing(
    tmp_path: Path, device: Device, mosquitto_alone: Server
) -> None:
    with ending(through(Place(tmp_path / "plant", device), mosquitto_alone)) as place:
        gateway, node = place.start_gateway(), place.start_node()
        place.await_settled()
        mosquitto_alone.kill()
        time.sleep(2.0)
        device.value = 950.0  # HH, while nothing gets through
        time.sleep(1.0)
        device.value = 20.0
        time.sleep(1.0)
        mosquitto_alone.start()
        place.await_settled(40.0)
        gateway.kill()
        time.sleep(2.0)
        gateway = place.start_gateway()
        status = place.await_settled(40.0)
        assert node.stop() == 0, node.last_words()
        assert gateway.stop() == 0, gateway.last_words()

        scans = assert_whole(place, "plc", 1)
        times, values = place.history("TK-1.level")
        assert len(times) == len(set(times)) == scans, "each scan once in the history"
        assert max(b - a for a, b in pairwise(times)) < 0.5 * NS, "no hole"
        assert sum(value == 950.0 for value in values) >= 5
        assert status["spool"]["dropped"] == {}
        rang = [row.condition for row in place.events() if row.what == "raised" and row.condition != "STALE"]
        assert rang == ["HH"], "once, though it came to an end while nothing got through"
