"""A node's files read again: what is refused and why, what is told, and that a look changes nothing."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from edge.changes import moved_rows, restarted
from edge.clock_manual import ManualClock
from edge.config import Hj212Options, OpcuaOptions, Source, SpoolBounds, UplinkOptions
from edge.load.mistake import ConfigError, Mistake
from edge.load.node import NodeSite
from edge.model import Tag, TagTable
from edge.model.wire import NAMES_MAX
from edge.reload import BOX, Reload

TAGS = TagTable([Tag(name="A.x", source="a"), Tag(name="B.x", source="b")])


class FakeNode:
    """Takes over what it is given, or fails as it is told."""

    def __init__(self, site: NodeSite) -> None:
        self.site, self.clock, self.names, self.reload_error = site, ManualClock(), 2, ""
        self.reload_code = ""
        self.failure: OSError | None = None

    async def take_over(self, site: NodeSite) -> None:
        if self.failure is not None:
            raise self.failure
        self.site = site


@pytest.fixture
def site(tmp_path: Path) -> NodeSite:
    return NodeSite(
        id="plant",
        sources=(Source(id="a", protocol="mqtt"), Source(id="b", protocol="mqtt")),
        tags=TAGS,
        revision="1" * 64,
        uplink=UplinkOptions(node="north", url="https://x"),
        spool=SpoolBounds(),
        data=tmp_path,
    )


def after(site: NodeSite, **changed: Any) -> NodeSite:  # noqa: ANN401 - any field
    return replace(site, revision="2" * 64, **changed)


def asked(node: FakeNode, new: NodeSite | ConfigError, **said: str) -> dict[str, Any]:
    """Ask as ``fengsui reload`` does; give the answer."""
    (node.site.data / BOX.asked).write_bytes(orjson.dumps({"ticket": "t", "who": "li", "reason": "", **said}))

    async def load(_: object) -> NodeSite:
        if isinstance(new, ConfigError):
            raise new
        return new

    reload = Reload(node, lambda: node.site, load)
    asyncio.run(reload())
    answer: dict[str, Any] = orjson.loads((node.site.data / BOX.answer).read_bytes())
    assert answer["ticket"] == "t"
    return answer


def test_what_changed_is_told_and_takes_over(site: NodeSite) -> None:
    node = FakeNode(site)
    tags = TagTable([Tag(name="A.x", source="a", eu="m"), Tag(name="B.x", source="b", period_s=5.0)])
    answer = asked(node, after(site, tags=tags))
    assert (answer["ok"], answer["code"], answer["revision"]) == (True, "applied", "2" * 12)
    assert answer["changes"] == {"parts": {"tag": {"changed": ["A.x", "B.x"]}}, "restarted": ["b"]}
    assert node.site.tags is tags


def test_a_look_changes_nothing(site: NodeSite) -> None:
    node = FakeNode(site)
    answer = asked(node, after(site, sources=site.sources[:1]), mode="look")
    assert (answer["ok"], answer["code"]) == (True, "looked")
    assert answer["changes"]["parts"] == {"source": {"removed": ["b"]}}
    assert node.site is site


def test_every_mistake_is_told_and_the_old_goes_on(site: NodeSite) -> None:
    node = FakeNode(site)
    mistakes = [
        Mistake(file="n.toml", line=line, path="source[0].port", sentence="port is 0.", remedy="Write 502.")
        for line in (3, 9)
    ]
    answer = asked(node, ConfigError(mistakes))
    assert (answer["ok"], answer["code"], len(answer["mistakes"])) == (False, "mistakes", 2)
    assert answer["mistakes"][0] == {
        "file": "n.toml", "line": 3, "path": "source[0].port", "sentence": "port is 0.", "remedy": "Write 502.",
    }  # fmt: skip
    assert (node.site is site, node.reload_error != "") == (True, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"uplink": UplinkOptions(node="north", url="https://y")}, "[uplink]"),
        ({"spool": SpoolBounds(sync_s=0.1)}, "[spool]"),
        ({"data": Path("elsewhere")}, "[site] data"),
        ({"id": "other"}, "[site] id"),
    ],
)
def test_what_takes_a_restart_is_refused_by_name(site: NodeSite, changed: dict[str, Any], said: str) -> None:
    node = FakeNode(site)
    answer = asked(node, after(site, sources=(), tags=TagTable([]), **changed))
    assert (answer["ok"], answer["code"]) == (False, "restart")
    assert answer["message"].startswith(f"{said} changed")
    assert node.site is site
    assert node.reload_error == answer["message"]


def test_names_without_end_and_a_medium_that_takes_nothing_are_refused(site: NodeSite) -> None:
    node = FakeNode(site)
    node.names = NAMES_MAX - 1
    assert asked(node, after(site))["code"] == "names"
    node.names, node.failure = 2, OSError("read-only")
    answer = asked(node, after(site, sources=site.sources[:1]))
    assert (answer["code"], "read-only" in answer["message"]) == ("medium", True)
    node.failure = None
    assert asked(node, after(site, sources=site.sources[:1]))["ok"]
    assert node.reload_error == ""
    assert asked(node, replace(node.site, revision="3"))["code"] == "nothing"


def test_a_source_begins_anew_for_all_that_its_collector_looks_at_and_for_nothing_else() -> None:
    tags = TagTable([Tag(name="T.x", source="s")])

    def again(before: Source, now: Source) -> bool:
        return restarted([before], tags, [now], tags) == {"s"}

    plc = Source(id="s", protocol="modbus-tcp")
    dcs = Source(id="s", protocol="opcua", opcua=OpcuaOptions(url="opc.tcp://a"))
    logger = Source(id="s", protocol="hj212", hj212=Hj212Options(port=1, station="m"))
    assert again(dcs, replace(dcs, opcua=OpcuaOptions(url="opc.tcp://b")))
    assert again(dcs, replace(dcs, lateness_s=30.0))
    assert not again(dcs, replace(dcs, silent_after_s=30.0))
    assert again(logger, replace(logger, silent_after_s=30.0))
    assert not again(plc, replace(plc, silent_after_s=30.0, lateness_s=5.0))
    assert restarted([], tags, [plc], tags) == frozenset(), "a new one begins, not anew"
    renamed = TagTable([Tag(name="T.y", source="s")])
    assert restarted([plc], tags, [plc], renamed) == {"s"}
    assert moved_rows(tags, renamed).tolist() == [-1]
