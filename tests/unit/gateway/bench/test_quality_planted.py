"""Quality of warning without labels: the formats, the planted faults, their scorer, and who may see them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.bench.quality import plant
from gateway.bench.quality.case import Case, Part, Verdict
from gateway.bench.quality.ours import longest_flat_s
from gateway.bench.quality.plant import KINDS, Fault, Plan, Sort
from gateway.bench.quality.read import airquality, auckland, calit2
from gateway.bench.quality.run import COLLECTIONS, DETECTORS, detect
from gateway.bench.quality.score import planted
from gateway.bench.quality.settings import read
from gateway.recording import RecordingError
from tests.unit.gateway.bench import collections as made

MAKERS = {"crowd_auckland": made.auckland, "crowd_calit2": made.calit2, "gas_airquality": made.airquality}
PLANS = {"crowd_auckland": auckland.PLAN, "crowd_calit2": calit2.PLAN, "gas_airquality": airquality.PLAN}
HOUR_NS = 3_600_000_000_000
TWO = Plan(seed=5, count=2, sorts=(Sort(kind="weak", rows=(10, 10), size=0.5), Sort(kind="dead", rows=(5, 5))))


def recording(values: np.ndarray) -> Part:
    return Part(time_ns=np.arange(1, len(values) + 1, dtype=np.int64) * HOUR_NS, values=values)


def case_of(name: str, folder: Path) -> Case:
    MAKERS[name](folder)
    (case,) = COLLECTIONS[name].read(folder / name)
    return case


# ---------------------------------------------------------------------------------------------------------- formats


def test_a_day_of_auckland_ends_the_next_morning(tmp_path: Path) -> None:
    case = case_of("crowd_auckland", tmp_path)

    assert case.tags == ("1 Lane", "2 Quay (EW)")  # neither the empty one nor the one that died
    assert str(case.learn.time_ns[0].astype("datetime64[ns]"))[:13] == "2019-06-01T06"
    assert str(case.judge.time_ns[0].astype("datetime64[ns]"))[:13] == "2019-07-01T00"
    assert set(np.diff(np.concatenate((case.learn.time_ns, case.judge.time_ns)))) == {HOUR_NS}
    assert case.learn.values[:, 0].max() > case.learn.values[:, 1].max()


def test_calit2_has_no_head_and_one_row_for_two_gates(tmp_path: Path) -> None:
    case = case_of("crowd_calit2", tmp_path)

    assert case.tags == ("in", "out")
    assert (len(case.learn), len(case.judge)) == (48 * 28, 48 * 14)
    lines = (tmp_path / "crowd_calit2/CalIt2.data").read_text(encoding="utf-8").splitlines()
    assert case.learn.values[20].tolist() == [float(lines[41].split(",")[3]), float(lines[40].split(",")[3])]


def test_air_quality_reads_commas_and_minus_200(tmp_path: Path) -> None:
    case = case_of("gas_airquality", tmp_path)

    assert case.tags == ("PT08.S1(CO)", "PT08.S2(NMHC)", "T", "AH")
    assert (len(case.learn), len(case.judge)) == (480, 480)
    assert np.flatnonzero(np.isnan(case.learn.values[:, 0])).tolist() == [50, 150, 250, 350, 450]
    assert np.isfinite(case.learn.values[:, 1:]).all()
    np.testing.assert_allclose(case.learn.values[:50], made.courses(960, 4, 9)[:50], atol=1e-4)


def test_too_short_and_broken_files_are_one_sentence(tmp_path: Path) -> None:
    made.write(tmp_path / "a/x.data", ["7,07/24/05,00:00:00,0"])
    with pytest.raises(RecordingError, match="four weeks"):
        calit2.cases(tmp_path / "a")
    made.write(tmp_path / "b/x.data", ["7,07/24/05,00:00:00"])
    with pytest.raises(RecordingError, match="row 1: 3 cells; 4 are expected"):
        calit2.cases(tmp_path / "b")
    made.write(tmp_path / "c/AirQualityUCI.csv", ["Date;Time;PT08.S1(CO)", "10/03/2004;18.00.00;1,5"])
    with pytest.raises(RecordingError, match="six months"):
        airquality.cases(tmp_path / "c")


# ---------------------------------------------------------------------------------------------------- what is planted


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_plan_gives_each_slot_one_fault_and_always_the_same(plan: Plan) -> None:
    found = plant.faults(plan, 5000, 7)

    assert found == plant.faults(plan, 5000, 7)
    assert found != plant.faults(replace(plan, seed=plan.seed + 1), 5000, 7)
    assert [fault.sort for fault in found] == [plan.sorts[n % len(plan.sorts)] for n in range(plan.count)]
    for number, fault in enumerate(found):
        slot = 5000 / plan.count
        assert number * slot - 1 < fault.first < fault.end <= (number + plant.LATEST_END) * slot
        assert 0 <= fault.tag < 7


def test_the_dice_fall_as_they_are_published() -> None:
    """The first numbers of the Mersenne twister for this seed, as CPython documents them to stay."""
    (first, second) = plant.faults(TWO, 100, 4)
    assert (first.first, first.end, first.tag) == (7, 17, 2)
    assert (second.first, second.end, second.tag) == (57, 62, 3)


def test_only_rows_and_tag_of_a_fault_change_and_missing_stays_missing() -> None:
    values = np.full((100, 4), 8.0)
    values[10, 2] = np.nan
    got = plant.planted(TWO, recording(values)).values
    (weak, dead) = plant.faults(TWO, 100, 4)

    expected = values.copy()
    expected[weak.first : weak.end, weak.tag] = 4.0
    expected[dead.first : dead.end, dead.tag] = 0.0
    expected[10, 2] = np.nan
    np.testing.assert_array_equal(got, expected)
    assert values[weak.first + 1, weak.tag] == 8.0  # the recording itself is left alone


@pytest.mark.parametrize(
    ("kind", "size", "column", "becomes"),
    [
        ("dead", 0.0, 0, [1, 2, 0, 0, 0, 0, 7]),
        ("frozen", 0.0, 0, [1, 2, 2, 2, 2, 2, 7]),
        ("weak", 0.5, 0, [1, 2, 1.5, 2, 2.5, 3, 7]),
        ("drift", 0.4, 0, [1, 2, 3, 3.2, 3, 2.4, 7]),
        ("crowd", 20.0, 0, [1, 2, 13, 14, 5, 6, 7]),
        ("crowd", 20.0, 1, [1, 2, 3, 4, 15, 16, 7]),
    ],
)
def test_kinds_worked_by_hand(kind: str, size: float, column: int, becomes: list[float]) -> None:
    values = np.repeat(np.arange(1.0, 8.0)[:, None], 2, axis=1)
    KINDS[kind](values, Fault(sort=Sort(kind=kind, rows=(4, 4), size=size), tag=0, first=2, end=6), size)
    np.testing.assert_allclose(values[:, column], becomes)


# ------------------------------------------------------------------------------------- labels stay with the scorer


@pytest.mark.parametrize("name", MAKERS)
def test_detectors_say_the_same_when_plan_and_names_are_taken_away(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, settings = case_of(name, tmp_path), read()[name]
    before = {detector: detect(detector, [case], settings)[0] for detector in DETECTORS}

    def taken_away(*_: object) -> list[Fault]:
        raise AssertionError("the plan was opened")

    monkeypatch.setattr(plant, "faults", taken_away)
    renamed = replace(case, name="renamed")
    for detector in DETECTORS:
        (after,) = detect(detector, [renamed], settings)
        np.testing.assert_array_equal(before[detector].score, after.score)
        np.testing.assert_array_equal(before[detector].alarm, after.alarm)
    with pytest.raises(AssertionError, match="the plan was opened"):
        COLLECTIONS[name].score(tmp_path, [case], [before["ours"]])


# ------------------------------------------------------------------------------------------------- scorer and rules


def test_the_scorer_counts_rows_faults_and_delays() -> None:
    case = Case(
        name="x", tags=("a", "b", "c", "d"), learn=recording(np.zeros((9, 4))), judge=recording(np.zeros((100, 4)))
    )
    alarm = np.zeros(100, dtype=np.bool_)
    alarm[10:20] = True  # weak is 7 to 17: 7 rows right, 3 wrong, 3 h late
    alarm[80:83] = True  # nothing there; dead, 57 to 62, is missed
    row = planted.by(TWO)(Path(), [case], [Verdict(score=alarm * 1.0, alarm=alarm)])

    assert row.score == pytest.approx(2 * 7 / (2 * 7 + 6 + 8))
    assert (row.more["faults"], row.more["detected"], row.more["delay_h_median"]) == (2, 1, 3.0)
    assert (row.more["detected_weak"], row.more["detected_dead"]) == (1, 0)
    assert row.more["false_episodes_per_day"] == pytest.approx(1 / (99 / 24))
    assert row.more["f1_always_up"] == pytest.approx(2 * 15 / (2 * 15 + 85))


def test_the_longest_flat_stretch_breaks_at_what_is_missing() -> None:
    nan = float("nan")
    time_ns = np.arange(9, dtype=np.int64) * 10**9
    values = np.array([5.0, 5.0, 5.0, 1.0, 2.0, nan, 2.0, 2.0, 3.0])
    assert longest_flat_s(time_ns, values) == 2.0
    active = np.array([True, False, True, True, True, True, True, True, True])
    assert longest_flat_s(time_ns, values, active) == 1.0


@pytest.mark.parametrize("name", ["crowd_auckland", "gas_airquality"])
def test_ours_tells_every_counter_that_stands_still(tmp_path: Path, name: str) -> None:
    case, settings = case_of(name, tmp_path), read()[name]
    row = COLLECTIONS[name].score(tmp_path, [case], detect("ours", [case], settings))
    asked = sum(PLANS[name].sorts[n % len(PLANS[name].sorts)].kind == "frozen" for n in range(PLANS[name].count))
    assert row.more["detected_frozen"] == asked
