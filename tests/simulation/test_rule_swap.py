"""Rules change while a gateway runs: nothing is lost, what must ring rings at once, and a replay says the same."""

import asyncio
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from alerting.model.alarm import State
from alerting.model.command import Command, Verb
from edge.clock_manual import ManualClock, run_manual
from edge.model import Scan
from gateway.app import Gateway
from gateway.config import Site
from gateway.load import ConfigError, check_text, load
from gateway.record import EventLog
from gateway.replay import replay
from gateway.rules import revision as kept
from gateway.rules.book import Asked, By, NotApplied
from gateway.rules.change import Change, overlay_of_text, text_of_overlay
from gateway.rules.files import disk_of
from gateway.rules.folder import overlay_of
from gateway.why import why
from tests.scripted import events_of, run_for, small_gateway

S = 1_000_000_000
START_NS = 1_767_225_600 * S
SITE = """
[site]
id = "site"
title = { en = "Site", zh = "站点" }
timezone = "Asia/Shanghai"
tags = ["tags.csv"]

[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "127.0.0.1"

[[unit]]
id = "T"
kind = "tank"

[[rule]]
tag = "T.v"
kind = "RATE"
setpoint = 5
window_s = 3

[[rule]]
tag = "T.v"
kind = "EXPRESSION"
name = "both"
when = "T.v > 6 and T.w > 1 for 20 s"
"""
TAGS = """tag,source,unit,eu,register,type,period_s,H,HH,deadband,on_delay_s,stale_s,latching
T.v,plc,T,m,0,float32,1,7,9,0.5,10,60,
T.w,plc,T,m,2,float32,1,,,,,60,
"""
BY = By(who="li", reason="the pump was changed")


class Plant:
    """A site of files, and a gateway on it under the manual clock that is told values second by second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "site.toml").write_text(SITE, encoding="utf-8")
        (folder / "tags.csv").write_text(TAGS, encoding="utf-8")
        self.clock = ManualClock(START_NS)
        self.site = self.load()

    def load(self) -> Site:
        return load(self.folder / "site.toml", environ={})

    def gateway(self, values: list[float], **more: Any) -> Gateway:  # noqa: ANN401
        base_ns = self.clock.wall_ns()
        items = [
            Scan(
                source="plc",
                epoch=1,
                number=n,
                received_ns=base_ns + n * S,
                rows=np.array([0, 1], np.int32),
                values=np.array([value, 2.0]),
                quality=np.zeros(2, np.uint8),
                times_ns=np.full(2, base_ns + n * S, np.int64),
            )
            for n, value in enumerate(values, start=1)
        ]
        return small_gateway(
            self.site,
            self.clock,
            items,
            compile=lambda overlay, warnings: load(
                self.folder / "site.toml", environ={}, overlay=overlay, warnings=warnings
            ),
            on_disk=disk_of(self.folder / "site.toml"),
            **more,
        )

    def run(self, values: list[float], acts: dict[float, Callable[[Gateway], Any]], **more: Any) -> Gateway:  # noqa: ANN401
        """Run for as long as there are values; ``acts`` are done at their seconds."""
        gateway = self.gateway(values, **more)

        async def main() -> None:
            async with gateway.running():
                at_s = 0.0
                for due_s, act in sorted(acts.items()):
                    await asyncio.sleep(due_s - at_s)
                    at_s = due_s
                    await act(gateway)
                await asyncio.sleep(len(values) + 0.6 - at_s)

        run_manual(main(), self.clock)
        return gateway

    def told(self, group: str = "high") -> list[tuple[str, str, float, int | None, int | None]]:
        """What happened to an alarm: event, condition, second, revision of the rule, revision that took over."""
        found = []
        for row in events_of(self.site):
            if row.rule_group == group:
                cause = orjson.loads(row.cause)
                at_s = round((row.time_ns - START_NS) / S, 3)
                found.append((row.what, row.condition, at_s, cause.get("revision"), cause.get("swap")))
        return found


def change(rule: str, **keys: object) -> Asked:
    return Asked(changes=(Change(rule=rule, set=keys),))


def apply(asked: Asked, expected: int | None = None) -> Callable[[Gateway], Any]:
    async def act(gateway: Gateway) -> None:
        await gateway.rulebook.apply(asked, BY, expected)

    return act


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path / "plant")


def test_a_running_on_delay_goes_on_counting(plant: Plant) -> None:
    """At 7.5 since second 1: with on_delay 10 the alarm comes at 11, swap or not."""
    plant.run([7.5] * 14, {5.4: apply(change("T.v.H", setpoint=7.2))})

    assert plant.told() == [("raised", "H", 11.0, 2, None)]


def test_a_shorter_delay_ends_at_the_swap(plant: Plant) -> None:
    plant.run([7.5] * 10, {6.4: apply(change("T.v.H", on_delay_s=3))})

    (what, condition, at_s, revision, swap), *rest = plant.told()
    assert (what, condition, revision, swap) == ("raised", "H", 2, 2)
    assert 6.4 <= at_s <= 6.7
    assert rest == []


def test_a_lower_setpoint_rings_without_another_sample(plant: Plant) -> None:
    """The last value is of second 4; nothing comes after it."""
    gateway = plant.run([6.0] * 4 + [], {4.2: apply(change("T.v.H", setpoint=5.5, on_delay_s=0))})

    assert [(what, swap) for what, _, _, _, swap in plant.told()] == [("raised", 2)]
    alarm = next(a for a in gateway.desk.alarms.values() if a.group == "high")
    assert (alarm.state, alarm.setpoint, alarm.value) == (State.UNACK, 5.5, 6.0)


def test_a_higher_setpoint_lets_go_and_the_identity_stays(plant: Plant) -> None:
    plant.run([7.5] * 20, {14.2: apply(change("T.v.H", setpoint=8.4))})

    told = plant.told()
    assert [what for what, *_ in told] == ["raised", "returned"]
    assert told[1][3:] == (2, 2)
    assert len({row.alarm for row in events_of(plant.site) if row.rule_group == "high"}) == 1


def test_an_alarm_that_stays_says_its_new_setpoint(plant: Plant) -> None:
    gateway = plant.run([7.5] * 20, {14.2: apply(change("T.v.H", setpoint=7.3))})

    assert [(what, swap) for what, _, _, _, swap in plant.told()] == [("raised", None), ("changed", 2)]
    assert next(a for a in gateway.desk.alarms.values() if a.group == "high").setpoint == 7.3


def test_another_tier_raises_the_unit(plant: Plant) -> None:
    gateway = plant.run([7.5] * 20, {14.2: apply(change("T.v.H", tier="ORANGE"))})

    assert [what for what, *_ in plant.told()] == ["raised", "escalated"]
    assert [tier.name for (_, unit), tier in gateway.desk.unit_tiers.items() if unit == "T"] == ["ORANGE"]


def test_a_removed_rule_ends_its_alarm_and_is_not_restored(plant: Plant) -> None:
    plant.run([7.5] * 20, {14.2: apply(Asked(changes=(Change(rule="T.v.H", is_removed=True),)))})

    assert [what for what, *_ in plant.told()] == ["raised", "returned"]
    last = [row for row in events_of(plant.site) if row.rule_group == "high"][-1]
    assert orjson.loads(last.cause)["reason"] == "the rule is no longer in the configuration"
    again = plant.run([7.5] * 3, {})
    assert "T.v.H" not in again.desk.table.index_of
    assert "T.v.H" in {rule.id for rule in plant.load().rules}, "the files still have it"


def test_an_outer_limit_that_goes_leaves_the_inner_one(plant: Plant) -> None:
    gateway = plant.run([9.5] * 20, {14.2: apply(Asked(changes=(Change(rule="T.v.HH", is_removed=True),)))})

    assert [(what, condition) for what, condition, *_ in plant.told()] == [("raised", "HH"), ("lowered", "H")]
    lowered = orjson.loads(next(row.cause for row in events_of(plant.site) if row.what == "lowered"))
    assert why({**lowered, "tier": "YELLOW"}).split(" (")[0].endswith("; the rule HH is no longer in the configuration")
    assert "高高报规则已不在配置中" in why({**lowered, "tier": "YELLOW"}, "zh")
    assert next(a for a in gateway.desk.alarms.values() if a.group == "high").tier.name == "YELLOW"


def test_an_expression_keeps_its_time_and_a_changed_one_is_asked_at_once(plant: Plant) -> None:
    plant.run([6.5] * 24, {10.2: apply(change("T.v.H", setpoint=7.2))})
    assert [(what, at_s) for what, _, at_s, _, _ in plant.told("expression:both")] == [("raised", 21.0)]

    when = "T.v > 6 and T.w > 2.5 for 20 s"
    other = Plant(plant.folder.parent / "other")
    other.run([6.5] * 24, {10.2: apply(change("T.v.EXPRESSION:both", when=when))})
    assert other.told("expression:both") == []


def test_a_rate_is_judged_anew_without_a_sample(plant: Plant) -> None:
    """2 m in a second over 3 s are 2/3 m/s: below 5, above 0.5."""
    plant.run([1.0, 1.0, 1.0, 1.0, 3.0], {5.2: apply(change("T.v.RATE", setpoint=0.5))})

    assert [(what, swap) for what, _, _, _, swap in plant.told("rate")] == [("raised", 2)]


def test_silence_is_measured_by_the_new_time(plant: Plant) -> None:
    plant.run([1.0] * 3 + [], {12.0: apply(change("T.v.STALE", setpoint=5))})

    told = plant.told("stale")
    assert [(what, swap) for what, _, _, _, swap in told] == [("raised", 2)]


def test_shelves_and_answers_live_through_a_swap(plant: Plant) -> None:
    async def shelve(gateway: Gateway) -> None:
        alarm = next(a for a in gateway.desk.alarms.values() if a.group == "high")
        until_ns = plant.clock.wall_ns() + 60 * S
        await gateway.command(
            Command(verb=Verb.SHELVE, alarm=alarm.id, who="op", reason="r", until_ns=until_ns, received_ns=0)
        )

    gateway = plant.run([7.5] * 20, {12.5: shelve, 14.2: apply(change("T.v.H", setpoint=7.1))})

    alarm = next(a for a in gateway.desk.alarms.values() if a.group == "high")
    assert (alarm.suppression.value, alarm.suppressed_by) == ("shelved", "op")


def test_a_recording_with_swaps_replays_to_the_same_events(plant: Plant, tmp_path: Path) -> None:
    record, live, again = tmp_path / "r.rec", io.BytesIO(), io.BytesIO()
    acts = {
        5.4: apply(change("T.v.H", setpoint=7.2)),
        8.4: apply(Asked(changes=(Change(add={"tag": "T.w", "kind": "H", "setpoint": 1.5, "tier": "RED"}),))),
        14.2: apply(change("T.v.EXPRESSION:both", when="T.v > 6 for 2 s")),
        17.2: apply(Asked(changes=(Change(rule="T.v.H", is_removed=True),))),
        18.3: apply(Asked(undo=2)),
    }
    plant.run([7.5] * 26, acts, record=record, event_log=EventLog(live, "live"))
    replay(plant.site, record, EventLog(again, "replay"))

    def lines(raw: bytes) -> list[dict[str, Any]]:
        return [{k: v for k, v in orjson.loads(line).items() if k != "run"} for line in raw.splitlines()]

    assert lines(again.getvalue()) == lines(live.getvalue())
    assert len({event["cause"].get("swap") for event in lines(live.getvalue())}) >= 3


# ------------------------------------------------------------------------------------------------- revisions, restart


def revisions(gateway: Gateway) -> list[kept.Revision]:
    with gateway.engine.connect() as connection:
        return kept.listed(connection, 100)


def test_a_revision_holds_over_a_restart_and_a_delay_too(plant: Plant) -> None:
    plant.run([7.5] * 6, {3.2: apply(change("T.v.H", setpoint=7.2))})
    gateway = plant.run([7.5] * 10, {})

    assert gateway.desk.table[gateway.desk.table.index_of["T.v.H"]].setpoint == 7.2
    assert gateway.rulebook.number == 2
    assert [each.number for each in revisions(gateway)] == [2, 1]
    told = plant.told()
    assert [what for what, *_ in told] == ["raised"]
    assert told[0][2] == pytest.approx(11.0, abs=0.7), "what was counted before the restart still counts"


def test_files_changed_underneath_are_a_revision_of_their_own(plant: Plant) -> None:
    plant.run([1.0] * 3, {2.2: apply(change("T.v.H", setpoint=7.2))})
    table = plant.folder / "tags.csv"
    table.write_text(TAGS.replace(",7,9,", ",7,9.5,"), encoding="utf-8")
    plant.site = plant.load()
    gateway = plant.run([1.0] * 3, {})

    newest = revisions(gateway)[0]
    assert (newest.number, newest.origin, [each.rule for each in newest.changes]) == (3, "files", ["T.v.HH"])
    setpoints = {rule.id: rule.setpoint for rule in gateway.desk.table if rule.tag == "T.v"}
    assert (setpoints["T.v.H"], setpoints["T.v.HH"]) == (7.2, 9.5)
    assert gateway.desk.table[gateway.desk.table.index_of["T.v.H"]].revision == 2
    assert gateway.desk.table[gateway.desk.table.index_of["T.v.HH"]].revision == 3


def test_undo_brings_back_everything_about_a_rule(plant: Plant) -> None:
    acts = {
        2.2: apply(change("T.v.H", setpoint=7.2, tier="ORANGE", deadband=0.1, response={"en": "Look", "zh": "看"})),
        3.2: apply(change("T.v.HH", setpoint=9.4)),
        4.2: apply(Asked(undo=1)),
    }
    gateway = plant.run([1.0] * 6, acts)

    files = {rule.id: rule for rule in plant.load().rules}
    for name in ("T.v.H", "T.v.HH"):
        rule = gateway.desk.table[gateway.desk.table.index_of[name]]
        assert (rule.setpoint, rule.tier, rule.deadband, rule.response, rule.on_delay_s) == (
            files[name].setpoint, files[name].tier, files[name].deadband, files[name].response, files[name].on_delay_s,
        )  # fmt: skip
        assert rule.revision == 4
    newest = revisions(gateway)[0]
    assert (newest.origin, newest.undoes, newest.who, newest.overlay.rules) == ("undo", 1, "li", {})


def test_who_changed_a_rule_and_who_approved_stands_on_what_it_rings(plant: Plant, tmp_path: Path) -> None:
    """Also after a restart, in a replay, and not on what another revision's rules ring."""
    record, live, again = tmp_path / "r.rec", io.BytesIO(), io.BytesIO()
    site = plant.load()
    both = By(who="li", reason="the pump was changed", approved_by="wang")

    async def act(gateway: Gateway) -> None:
        await gateway.rulebook.apply(change("T.v.H", setpoint=7.2, on_delay_s=2), both, None)

    plant.run([6.5, 1.0, 8.0, 8.0, 8.0, 8.0, 6.0], {0.5: act}, record=record, event_log=EventLog(live, "live"))
    plant.run([8.0] * 4 + [9.5] * 12, {})

    def causes(group: str) -> list[tuple[str, int, str | None, str | None]]:
        found = []
        for row in events_of(plant.site):
            if row.rule_group == group and row.what in ("raised", "escalated"):
                cause = orjson.loads(row.cause)
                found.append((row.condition, cause["revision"], cause.get("changed_by"), cause.get("approved_by")))
        return found

    assert causes("high") == [("H", 2, "li", "wang"), ("H", 2, "li", "wang"), ("HH", 1, None, None)]
    replay(site, record, EventLog(again, "replay"))
    without_run = [
        [
            {key: value for key, value in orjson.loads(line).items() if key != "run"}
            for line in log.getvalue().splitlines()
        ]
        for log in (live, again)
    ]
    assert without_run[0] == without_run[1]
    assert any(line["cause"].get("approved_by") == "wang" for line in without_run[1])
    raised = next(line for line in without_run[0] if line["event"] == "raised" and line["condition"] == "H")
    facts = {**raised["cause"], "what": raised["event"], "tier": raised["tier"], "value": raised["value"]}
    assert "rule of revision 2 by li, approved by wang" in why(facts)
    assert "规则第 2 版由 li 修改、wang 批准" in why(facts, "zh")


def test_edited_files_take_over_without_a_restart(plant: Plant) -> None:
    async def edit(gateway: Gateway) -> None:
        (plant.folder / "tags.csv").write_text(TAGS.replace(",7,9,", ",6,9,"), encoding="utf-8")
        await gateway.rulebook.apply(Asked(is_files=True), BY, None)

    gateway = plant.run([6.5] * 16, {2.2: edit})

    assert [what for what, *_ in plant.told()] == ["raised"]
    assert revisions(gateway)[0].origin == "files"


async def refusal(gateway: Gateway, asked: Asked, expected: int | None = None) -> NotApplied:
    with pytest.raises(NotApplied) as refused:
        await gateway.rulebook.apply(asked, BY, expected)
    return refused.value


REFUSED: dict[str, tuple[Asked, str, str]] = {
    "reversed limits": (change("T.v.H", setpoint=9.5), "mistakes", "HH (9) must be above H (9.5)"),
    "tier below": (change("T.v.HH", tier="BLUE"), "mistakes", "tier of HH (BLUE) is below that of H (YELLOW)"),
    "unknown rule": (change("T.v.L", setpoint=1), "mistakes", 'Rule "T.v.L" does not exist'),
    "the gateway's own": (change("fengsui.link.plc.L", setpoint=0), "mistakes", "is the gateway's own"),
    "identity": (change("T.v.H", kind="HH"), "mistakes", "kind is part of what the rule is"),
    "unknown key": (change("T.v.H", setpiont=5), "mistakes", 'key "setpiont" is not known'),
    "no number": (change("T.v.H", setpoint="5"), "mistakes", "must be a finite number"),
    "infinite": (change("T.v.H", setpoint=float("inf")), "mistakes", "must be a finite number"),
    "hostile text": (change("T.v.H", response={"en": "\ud800"}), "mistakes", "what no file could hold"),
    "hostile name": (
        Asked(changes=(Change(add={"tag": "T.v", "kind": "STATE", "name": "a\x1b[2J/..", "states": [1]}),)),
        "mistakes",
        "name is",
    ),
    "twice": (Asked(changes=(Change(add={"tag": "T.v", "kind": "H", "setpoint": 5}),)), "mistakes", "is there already"),
    "no data at all": (
        Asked(changes=(Change(rule="T.v.STALE", is_removed=True), Change(rule="T.v.BAD", is_removed=True))),
        "mistakes",
        "a tag without data would look normal",
    ),
    "nothing": (change("T.v.H", setpoint=7.0), "nothing", "Nothing would change"),
    "no such revision": (Asked(undo=7), "no_revision", "no revision 7"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_with_a_sentence(name: str, plant: Plant) -> None:
    asked, code, sentence = REFUSED[name]
    found: list[NotApplied] = []

    async def act(gateway: Gateway) -> None:
        found.append(await refusal(gateway, asked))

    gateway = plant.run([1.0] * 3, {1.2: act})

    assert (found[0].code, sentence in str(found[0])) == (code, True), str(found[0])
    assert gateway.rulebook.number == 1
    assert gateway.desk.table is gateway.site.rules


def test_all_mistakes_are_told_at_once(plant: Plant) -> None:
    found: list[NotApplied] = []
    asked = Asked(
        changes=(
            Change(rule="T.v.H", set={"setpoint": 9.5, "deadband": -1}),
            Change(rule="T.v.RATE", set={"window_s": 0.1}),
        )
    )

    async def act(gateway: Gateway) -> None:
        found.append(await refusal(gateway, asked))

    plant.run([1.0] * 3, {1.2: act})

    paths = {mistake.path for mistake in found[0].checked.mistakes}
    assert {"T.v.H deadband", "T.v.RATE window_s"} <= paths
    assert any("must be above" in mistake.sentence for mistake in found[0].checked.mistakes)


def test_two_engineers_at_once_and_one_is_told_what_changed(plant: Plant) -> None:
    results: list[object] = []

    async def act(gateway: Gateway) -> None:
        both = (change("T.v.H", setpoint=7.2), change("T.v.HH", setpoint=9.2))
        results.extend(await asyncio.gather(*(gateway.rulebook.apply(a, BY, 1) for a in both), return_exceptions=True))

    gateway = plant.run([1.0] * 3, {1.2: act})

    assert results[0] == 2
    refused = results[1]
    assert isinstance(refused, NotApplied)
    assert (refused.code, refused.since[0].changes[0].rule) == ("stale", "T.v.H")
    assert gateway.rulebook.number == 2


def test_an_undo_brings_the_files_of_its_time_back_too(plant: Plant) -> None:
    """The rule of revision 2 stands on a tag whose range the files have narrowed since: that comes back too."""
    acts = {1.2: apply(change("T.v.HH", setpoint=40.0)), 2.2: apply(change("T.v.HH", setpoint=9.0))}
    plant.run([1.0] * 3, acts)
    table = TAGS.replace(",period_s,", ",period_s,range_hi,").replace("float32,1,", "float32,1,20,")
    (plant.folder / "tags.csv").write_text(table, encoding="utf-8")
    plant.site = plant.load()

    gateway = plant.run([1.0] * 3, {1.2: apply(Asked(undo=2))})

    tag = gateway.site.tags[gateway.site.tags.row_of["T.v"]]
    assert math.isnan(tag.range_hi)
    assert gateway.desk.table[gateway.desk.table.index_of["T.v.HH"]].setpoint == 40.0
    assert list(gateway.rulebook.overlay.files) == ["tags.csv"]
    assert check_text(plant.folder / "site.toml", environ={}, kept=overlay_of)[1] == 0


def test_what_is_made_at_the_start_needs_a_restart(plant: Plant) -> None:
    found: list[NotApplied] = []

    async def act(gateway: Gateway) -> None:
        site = SITE.replace('host = "127.0.0.1"', 'host = "127.0.0.2"').replace("Asia/Shanghai", "UTC")
        (plant.folder / "site.toml").write_text(site + "\n[http]\nport = 8123\n")
        found.append(await refusal(gateway, Asked(is_files=True)))

    gateway = plant.run([1.0] * 3, {1.2: act})

    assert found[0].code == "needs_restart"
    assert found[0].checked.restart == ("timezone", "port")
    assert gateway.rulebook.number == 1
    assert gateway.collecting.started == {"plc": 1}


def test_a_gateway_without_files_says_so(plant: Plant) -> None:
    found: list[NotApplied] = []

    async def main() -> None:
        async with run_for(small_gateway(plant.site, plant.clock, []), 1.0) as gateway:
            found.append(await refusal(gateway, change("T.v.H", setpoint=7.2)))

    run_manual(main(), plant.clock)
    assert found[0].code == "no_files"


def test_a_whole_overlay_as_text_and_back(plant: Plant) -> None:
    text = """
removed = ["T.v.RATE"]

[[rule]]
tag = "T.v"
kind = "H"
setpoint = 6.5
tier = "ORANGE"
response = { en = "Say \\"stop\\"", zh = "停" }
"""
    gateway = plant.run([1.0] * 3, {1.2: apply(Asked(text=text))})

    rules = {rule.id: rule for rule in gateway.desk.table}
    assert "T.v.RATE" not in rules
    assert (rules["T.v.H"].setpoint, rules["T.v.H"].on_delay_s) == (6.5, 0.0), "the whole rule is as written"
    overlay = gateway.rulebook.overlay
    assert overlay_of_text(text_of_overlay(overlay)) == (overlay, [])


def test_check_judges_files_and_overlay_together(plant: Plant) -> None:
    """Files that are right by themselves may not fit what was changed on top of them; the start would refuse too."""
    plant.run([1.0] * 3, {1.2: apply(change("T.v.H", setpoint=8.0))})
    text, code = check_text(plant.folder / "site.toml", environ={}, kept=overlay_of)
    assert (code, "1 rules were changed while the gateway ran" in text) == (0, True), text

    (plant.folder / "tags.csv").write_text(TAGS.replace(",7,9,", ",7,7.8,"), encoding="utf-8")
    plant.site = plant.load()
    text, code = check_text(plant.folder / "site.toml", environ={}, kept=overlay_of)
    assert (code, "HH (7.8) must be above H (8)" in text) == (2, True), text
    with pytest.raises(ConfigError, match=r"HH \(7.8\) must be above H \(8\)"):
        plant.gateway([])
