"""The framework: when a derived tag is computed, with which time and quality, and that it is judged like any other."""

import numpy as np
import pytest

from alerting.core.derived import DerivedTable
from alerting.core.derived.methods import METHODS
from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from gateway.load.derived.kinds import KINDS
from tests.unit.alerting.core.derived.scene import BAD, UNCERTAIN, Scene, derivation

LINE = ((0.0, 0.0), (10.0, 100.0))
VOLUME = derivation("V", "volume", {"level": "h"}, table=LINE)
MASS = derivation("M", "mass", {"volume": "V", "temperature": "T"}, numbers={"density_kg_m3": 800.0})
MASS_OF_TWO = derivation("M", "mass", {"volume": "V", "temperature": "b/T"}, numbers={"density_kg_m3": 800.0})


def test_every_kind_has_its_method_with_the_same_roles() -> None:
    assert set(KINDS) == set(METHODS)
    assert {kind: tuple(spec.roles) for kind, spec in KINDS.items()} == {
        kind: method.ROLES for kind, method in METHODS.items()
    }


def test_a_chain_is_computed_with_the_scan_that_carries_its_input() -> None:
    scene = Scene([MASS, VOLUME], ["h", "T"])
    scene.feed(1.0, h=5.0, T=20.0)

    assert (scene.value("V"), scene.value("M")) == (50.0, 40_000.0)
    assert (scene.quality("M"), scene.time_s("M")) == ("GOOD", 1.0)
    assert [made.key.split("/")[0] for made in scene.made] == ["derived:plc", "derived:plc"]


def test_a_tag_that_is_no_input_computes_nothing() -> None:
    scene = Scene([VOLUME], ["h", "T"])
    scene.feed(1.0, T=20.0)

    assert scene.made == []


def test_its_limits_trip_in_the_same_tick() -> None:
    rule = Rule(id="M.H", tag="M", kind=Kind.H, setpoint=39_000.0, tier=Tier.RED)
    scene = Scene([MASS, VOLUME], ["h", "T"], rules=[rule])
    scene.desk.begin(0)
    scene.feed(1.0, h=5.0, T=20.0)

    alarm = next(iter(scene.desk.alarms.values()))
    assert (alarm.tag, alarm.tier, alarm.value) == ("M", Tier.RED, 40_000.0)


@pytest.mark.parametrize("bad", [(float("nan"), BAD), (5.0, BAD), (float("inf"), 0), (float("nan"), 0)])
def test_a_bad_input_makes_it_bad_never_zero(bad: tuple[float, int]) -> None:
    scene = Scene([MASS, VOLUME], ["h", "T"])
    scene.feed(1.0, h=5.0, T=20.0)
    scene.feed(2.0, h=bad[0], quality=bad[1])

    assert scene.quality("V") == scene.quality("M") == "BAD(input)"
    assert np.isnan(scene.value("V"))
    memory = scene.desk.memory(scene.tags[0].nature)
    assert memory.value[scene.tags.row_of["V"]] == 50.0, "the last judged value stays what it was"


def test_an_uncertain_input_is_judged_and_said() -> None:
    scene = Scene([VOLUME], ["h"])
    scene.feed(1.0, h=5.0, quality=UNCERTAIN)

    assert (scene.value("V"), scene.quality("V")) == (50.0, "UNCERTAIN(input)")


def test_an_input_that_fell_silent_makes_it_bad() -> None:
    """The level stops at 1 s and is stale after 5 s; temperatures of another source go on."""
    scene = Scene([VOLUME, MASS_OF_TWO], ["h", "b/T"], stale_s=5.0)
    scene.feed(1.0, h=5.0)
    for second in (2.0, 3.0, 4.0, 5.0):
        scene.feed(second, b__T=20.0)
        assert scene.quality("M") == "GOOD", second
    scene.feed(6.5, b__T=20.0)

    assert scene.quality("M") == "BAD(input)"
    assert "derived:b+plc" in {tag.source for tag in scene.tags}


def test_an_input_that_never_came_makes_it_bad() -> None:
    scene = Scene([VOLUME, MASS], ["h", "T"])
    scene.feed(1.0, h=5.0)

    assert (scene.quality("V"), scene.quality("M")) == ("GOOD", "BAD(input)")


def test_two_sources_with_one_stamp_give_two_samples_in_order() -> None:
    scene = Scene([VOLUME, MASS_OF_TWO], ["h", "b/T"])
    scene.feed(1.0, h=5.0)
    first_ns = scene.desk.memory(scene.tags[0].nature).last_ns[scene.tags.row_of["M"]]
    scene.feed(1.0, b__T=20.0)

    assert scene.desk.memory(scene.tags[0].nature).last_ns[scene.tags.row_of["M"]] == first_ns + 1
    assert scene.value("M") == 40_000.0


def test_a_source_whose_clock_is_ahead_makes_no_other_derived_tag_stale() -> None:
    """A's clock is 4 s ahead; V hangs on the other source alone and comes each second."""
    ahead = derivation("A", "volume", {"level": "a/h"}, table=LINE)
    scene = Scene([VOLUME, ahead], ["h", "a/h"], stale_s=3.0)
    for second in range(1, 20):
        scene.feed(float(second), h=5.0)
        scene.take(second + 4.0, {"a/h": 5.0}, received_s=second + 0.1)

    assert [alarm.tag for alarm in scene.desk.alarms.values()] == []


def test_a_result_outside_its_range_is_bad() -> None:
    scene = Scene([VOLUME], ["h"], ranges={"V": (0.0, 40.0)})
    scene.feed(1.0, h=5.0)

    assert scene.quality("V") == "BAD(range)"


def test_absurd_numbers_are_bad_not_infinite() -> None:
    scene = Scene([derivation("M", "mass", {"volume": "v"}, numbers={"density_kg_m3": 1e4})], ["v"])
    scene.feed(1.0, v=1e308)

    assert scene.quality("M") == "BAD(not_a_number)"


def test_a_diamond_is_computed_once_with_both_sides_new() -> None:
    """``M`` hangs on ``h`` through two tags; it must not be seen with one side old."""
    left = derivation("L", "volume", {"level": "h"}, table=LINE)
    right = derivation("R", "volume", {"level": "h"}, table=((0.0, 0.0), (10.0, 10.0)))
    mass = derivation("M", "mass", {"volume": "L", "temperature": "R"}, numbers={"density_kg_m3": 1.0})
    scene = Scene([left, right, mass], ["h"])
    scene.feed(1.0, h=5.0)

    assert [len(made) for made in scene.made] == [2, 1]


def test_a_gap_says_which_derived_tags_are_not_judged_late() -> None:
    scene = Scene([VOLUME, MASS], ["h", "T"])
    scene.feed(1.0, h=5.0, T=20.0)
    scene.desk.begin(0)
    scene.desk.open_gap("plc", scene.tags[0].nature, scene.desk.start_ns + 60 * 10**9)

    remark = next(r for r in scene.desk.finish().remarks if r["kind"] == "late_derived_left_out")
    assert remark["tags"] == ["V", "M"]


def test_the_table_orders_chains_however_they_are_written() -> None:
    table = DerivedTable([MASS, VOLUME], Scene([MASS, VOLUME], ["h", "T"]).tags)

    assert table.level.tolist() == [1, 0]
    assert table.hanging_on(np.array([0], dtype=np.int32)) == ["M", "V"]
