"""Two edge nodes that share one topic at a real Mosquitto, before one gateway: nothing lost, nothing doubled.

One node ends in order, comes back, and is killed; what the broker dealt to it meanwhile waits there and comes late.
"""

import os
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from edge.clock_system import SystemClock
from gateway.nodes.credential import add_node
from gateway.store.engine import open_store, store_url
from simulators.child import Child
from tests.conftest import Server
from tests.integration.test_node import BASE_ONLY, NS, Device, Place, Publisher, ending

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(120)]

GAS = '[[source]]\nid = "gas"\nprotocol = "mqtt"'
WHOLE = '\n[[source.topic]]\npattern = "gas/{tag}"\ntag = "{tag}.lel"\n'


class Pair(Place):
    """A second node beside the first; both are members of one group, under the same source."""

    def __post_init__(self) -> None:
        super().__post_init__()
        site = self.folder / "gateway/site.toml"
        text = site.read_text("utf-8")
        at = text.index('id = "gas"')
        text = text[:at] + text[at:].replace('node = "north"', 'nodes = ["north", "south"]', 1)
        site.write_text(text, "utf-8")
        node = self.folder / "node/node.toml"
        north = node.read_text("utf-8").replace('"gas/{tag}"', '"$share/plant/gas/{tag}"')
        node.write_text(north, "utf-8")
        south = self.folder / "south"
        south.mkdir()
        (south / "gas.csv").write_text((self.folder / "node/gas.csv").read_text("utf-8"), "utf-8")
        plc, gas = north.index('[[source]]\nid = "plc"'), north.index(GAS)
        text = (north[:plc] + north[gas:]).replace('node = "north"', 'node = "south"').replace('"plc.csv", ', "")
        (south / "node.toml").write_text(text, "utf-8")
        engine = open_store(store_url(self.folder / "gateway/var"))
        self.south_token = add_node(engine, SystemClock(), "south")
        engine.dispose()

    def start_south(self) -> Child:
        arguments = [sys.executable, "-c", BASE_ONLY, "edge", str(self.folder / "south/node.toml")]
        environ = {**os.environ, "FENGSUI_NODE_TOKEN": self.south_token}
        return self.keep(Child("south", arguments, logs=self.folder, environ=environ))


def test_what_a_group_shares_arrives_whole_and_once(tmp_path: Path, mosquitto_alone: Server) -> None:
    device = Device()
    with ending(Pair(tmp_path / "plant", device, broker_port=mosquitto_alone.port)) as place:
        gateway, north, south = place.start_gateway(), place.start_node(), place.start_south()
        place.await_settled()
        time.sleep(1.5)  # Both are members.
        publisher = Publisher(mosquitto_alone.port, "gas/GD-1")
        publisher.start()
        time.sleep(1.5)
        assert south.stop() == 0, south.last_words()
        time.sleep(1.5)
        south = place.start_south()
        time.sleep(1.5)
        south.kill()
        time.sleep(1.0)
        south = place.start_south()
        time.sleep(1.5)
        publisher.stop.set()
        publisher.join()
        time.sleep(1.0)
        place.await_settled()
        assert south.stop() == north.stop() == 0, south.last_words()
        assert gateway.stop() == 0, gateway.last_words()

        times, values = place.history("GD-1.lel")
        assert publisher.sent > 200
        assert len(times) == len(set(times))
        assert sorted(int(value) for value in values) == list(range(1, publisher.sent + 1)), "each exactly once"
        assert all(before < after for before, after in pairwise(times))
        ranges = place.received()
        dealt = {name: sum(last - first + 1 for _, first, last in ranges[name]) for name in ("gas@north", "gas@south")}
        assert min(dealt.values()) > 20, "both had a part"
        level, _ = place.history("TK-1.level")
        assert max(b - a for a, b in pairwise(level)) < 0.5 * NS, "what north polls meanwhile is untouched"
    device.listener.close()
