"""Trials: what a changed rule would have done, counted by hand; one at a time, bounded, stopped, read from history."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock
from edge.model import Scan, Tag, TagTable
from gateway.api.small_house import SmallHouse
from gateway.historian.memory import MemoryHistorian
from gateway.load import load
from gateway.load.overlay import Overlay, written
from gateway.rules import trials as module
from gateway.rules.book import Asked, NotApplied
from gateway.rules.change import Change
from gateway.rules.trial import match, subject, try_rules
from gateway.rules.trials import Busy, State, Trial, Trials
from gateway.store.engine import open_store
from gateway.system import with_system
from tests.integration.test_rules_api import SITE, TAGS

S = 1_000_000_000
T0 = 1_767_225_600 * S
SITES = [Path("config/demo/site.toml"), *sorted(Path("tests/golden/core").rglob("site.toml"))]


def tables(before: float, after: float, **more: Any) -> tuple[RuleTable, RuleTable]:  # noqa: ANN401
    tags = TagTable([Tag(name="T.v", source="plc", eu="m"), Tag(name="T.w", source="plc")])
    other = Rule(id="T.w.H", tag="T.w", kind=Kind.H, setpoint=1.0, tier=Tier.BLUE)
    rules = [Rule(id="T.v.H", tag="T.v", kind=Kind.H, setpoint=x, tier=Tier.YELLOW, **more) for x in (before, after)]
    return RuleTable([rules[0], other], tags), RuleTable([rules[1], other], tags)


def tried(values: list[float], before: float, after: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """One value a second."""
    old, new = tables(before, after, **more)
    what = subject(old.tags, old, new, ["T.v.H"])
    n = len(values)
    for name, column in (
        ("times_ns", T0 + np.arange(n, dtype=np.int64) * S),
        ("rows", np.zeros(n, np.int32)),
        ("values", np.array(values)),
        ("quality", np.zeros(n, np.uint8)),
    ):
        object.__setattr__(what, name, column)
    shares: list[float] = []
    result = try_rules(what, shares.append)
    assert shares == sorted(shares)
    assert n == 0 or shares[-1] == 1.0
    return result


def test_only_the_tags_of_changed_rules_are_read() -> None:
    old, new = tables(5.0, 6.0)
    what = subject(old.tags, old, new, ["T.v.H"])

    assert [tag.name for tag in what.tags] == ["T.v"]
    assert [rule.id for rule in what.after] == ["T.v.H"]


def test_what_is_missed_what_is_new_and_how_much_later() -> None:
    """Humps of 5.5 (missed), of a ramp 4, 5, 6, 7 (two s later with 7 than with 5) and back."""
    values = [1.0] * 5 + [5.5] * 3 + [1.0] * 5 + [4.0, 5.0, 6.0, 7.0] + [1.0] * 5
    (rule,) = tried(values, before=5.0, after=7.0)["rules"]

    assert (rule["alarms"], rule["missed"], rule["added"]) == ([2, 1], 1, 0)
    assert (rule["later"], rule["earlier"], rule["shift_s_median"]) == (1, 0, 2.0)
    assert rule["active_s"] == [6.0, 1.0]
    assert [trip["is_in_both"] for trip in rule["trips"][0]] == [False, True]


def test_a_lower_limit_rings_earlier_and_more_often() -> None:
    values = [1.0] * 5 + [5.5] * 3 + [1.0] * 5 + [4.0, 5.0, 6.0, 7.0] + [1.0] * 5
    (rule,) = tried(values, before=7.0, after=5.0)["rules"]

    assert (rule["alarms"], rule["missed"], rule["added"], rule["shift_s_median"]) == ([1, 2], 0, 1, -2.0)


def test_delays_and_bad_values_are_judged_as_live() -> None:
    values = [1.0] * 3 + [9.0] * 4 + [float("nan")] * 3 + [9.0] * 3 + [1.0] * 3
    (rule,) = tried(values, before=5.0, after=5.0, on_delay_s=5.0)["rules"]

    assert rule["alarms"] == [1, 1]
    assert rule["trips"][0][0]["from_ms"] == T0 // 1_000_000 + 11_000, "four s, three that do not count, one more"


def test_nothing_recorded_is_nothing_said() -> None:
    assert tried([], 5.0, 6.0)["rules"] == []


def test_a_picture_keeps_the_extremes_and_leaves_gaps_open() -> None:
    (picture,) = tried([1.0] * 100 + [9.0] + [1.0] * 2000, 5.0, 6.0)["pictures"]

    assert len(picture["time_ms"]) <= 602
    assert max(value for value in picture["greatest"] if value is not None) == 9.0
    assert picture["limits"] == [[{"rule": "T.v.H", "kind": "H", "setpoint": 5.0}], [
        {"rule": "T.v.H", "kind": "H", "setpoint": 6.0}]]  # fmt: skip


def test_advice_from_the_tried_span_names_the_normal_stop() -> None:
    """Eight fills to 6 that rest there; the H in force is far away, the proposed one just above."""
    up = np.arange(2.0, 6.0, 0.02).tolist()
    values = (up + [6.0] * 150 + up[::-1] + [2.0] * 60) * 8
    result = tried(values, before=9.0, after=8.0)
    (advice,) = [each for each in result["advice"] if each["field"] == "setpoint"]

    assert (advice["rule"], advice["now"]) == ("T.v.H", 9.0)
    assert 6.0 < advice["proposed"] < 6.2
    assert advice["stop"]["stops"] == 8
    assert "normally stop at 6" in advice["reason"]["en"]


def test_little_history_gives_no_advice() -> None:
    assert tried([1.0, 9.0, 1.0], before=5.0, after=6.0)["advice"] == []


def test_excursions_that_only_touch_are_the_same() -> None:
    def spans(*pairs: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        start, end = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return start * S, end * S

    lost, new, shifts = match(spans((0, 5), (10, 20), (30, 40)), spans((5, 6), (12, 13), (15, 16), (50, 60)))
    assert (lost.tolist(), new.tolist(), shifts) == ([False, False, True], [False, False, False, True], [5.0, 2.0])


# ------------------------------------------------------------------------------------------------------ from a house


class Rig:
    """A small house with an hour of history: ten s above 4.1 in each minute."""

    def __init__(self, folder: Path) -> None:
        (folder / "site.toml").write_text(SITE, encoding="utf-8")
        (folder / "tags.csv").write_text(TAGS, encoding="utf-8")
        site = with_system(load(folder / "site.toml", environ={}))
        self.clock = ManualClock(T0 + 3600 * S)
        self.past = MemoryHistorian(site.tags)
        self.engine = open_store(f"sqlite:///{folder}/register.db")
        self.house = SmallHouse(
            site=site,
            engine=self.engine,
            clock=self.clock,
            historian=self.past,
            compile=lambda overlay, warnings: with_system(
                load(folder / "site.toml", environ={}, overlay=overlay, warnings=warnings)
            ),
        )
        self.trials = Trials(self.house)

    def fill(self, row: int = 0, seconds: int = 3600, **_: object) -> None:
        times_ns = T0 + np.arange(seconds, dtype=np.int64) * S
        values = np.where(np.arange(seconds) % 60 < 10, 4.1, 1.0)
        for at in range(0, seconds, 600):
            mine = slice(at, at + 600)
            n = len(values[mine])
            self.past.append(
                Scan(
                    source="plc", epoch=1, number=at + 1, received_ns=int(times_ns[mine][-1]),
                    rows=np.full(n, row, np.int32), values=values[mine], quality=np.zeros(n, np.uint8),
                    times_ns=times_ns[mine],
                )
            )  # fmt: skip

    async def start(self, rule: str = "TK.level.H", **keys: object) -> Trial:
        asked = Asked(changes=(Change(rule=rule, set=keys),))
        return await self.trials.start(asked, "li", T0, T0 + 3600 * S)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_a_trial_runs_beside_the_gateway(rig: Rig) -> None:
    rig.fill()
    begun = await rig.start(setpoint=4.5)
    with pytest.raises(Busy):
        await rig.start(setpoint=4.6)
    done = await rig.trials.wait()

    assert begun.state is State.RUNNING
    assert done is not None
    assert (done.state, done.share, done.message) == (State.DONE, 1.0, "")
    assert done.result is not None
    (rule,) = done.result["rules"]
    assert (rule["alarms"], rule["missed"]) == ([60, 0], 60)


async def test_a_trial_can_be_stopped_and_the_next_one_begun(rig: Rig) -> None:
    rig.fill()
    await rig.start(setpoint=4.5)
    rig.trials.cancel()
    stopped = await rig.trials.wait()
    assert stopped is not None
    assert stopped.state is State.CANCELLED
    assert (await rig.start(setpoint=4.5)).number == 2
    rig.trials.cancel()
    await rig.trials.wait()


@pytest.mark.parametrize(
    ("code", "prepare"),
    [
        ("no_samples", lambda rig, _: None),
        ("too_many", lambda rig, patch: (rig.fill(), patch.setattr(module, "SAMPLES_MAX", 1000))),
        ("thinned", lambda rig, patch: (rig.fill(), patch.setattr(module, "POINTS_MOST", 100))),
        ("too_long", lambda rig, patch: (rig.fill(), patch.setattr(module, "SECONDS_MAX", 0.0))),
    ],
)
async def test_what_cannot_be_tried_says_why(
    rig: Rig, code: str, prepare: Callable[[Rig, pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(rig, monkeypatch)
    await rig.start(setpoint=4.5)
    failed = await rig.trials.wait()

    assert failed is not None
    assert (failed.state, failed.code) == (State.FAILED, code)
    assert failed.message.endswith(".")


async def test_mistakes_are_told_before_anything_is_read(rig: Rig) -> None:
    with pytest.raises(NotApplied) as refused:
        await rig.start(setpoint=9.0)
    assert refused.value.code == "mistakes"
    assert rig.trials.last is None


async def test_a_child_that_dies_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.fill()
    monkeypatch.setattr(module.sys, "executable", "/bin/false")
    await rig.start(setpoint=4.5)
    failed = await rig.trials.wait()

    assert failed is not None
    assert failed.code == "failed"


# --------------------------------------------------------------------------------------------------- written and read


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.parent.name)
def test_every_rule_written_out_reads_back_as_itself(path: Path) -> None:
    """What the overlay holds is the rule; a key that a reader has and ``written`` forgets would change it unseen."""
    site = load(path)
    shown = [rule for rule in site.rules if not rule.is_hidden]
    again = load(path, overlay=Overlay({rule.id: written(rule) for rule in shown}))

    assert [repr(rule) for rule in again.rules if not rule.is_hidden] == [repr(rule) for rule in shown]
