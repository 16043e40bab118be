"""Quality of warning: formats with their traps, labels that only the scorer opens, published rules, the command."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from gateway.bench.quality.baseline import BASELINES, Usual, held
from gateway.bench.quality.case import Case, Part, Verdict
from gateway.bench.quality.ours import ours, told_once
from gateway.bench.quality.read import batadal, nab, occupancy, skab, tep
from gateway.bench.quality.run import COLLECTIONS, DETECTORS, detect
from gateway.bench.quality.score import batadal as score_batadal
from gateway.bench.quality.score import events
from gateway.bench.quality.score import nab as score_nab
from gateway.bench.quality.score import skab as score_skab
from gateway.bench.quality.score import tep as score_tep
from gateway.bench.quality.settings import read
from gateway.cli import app
from gateway.recording import RecordingError
from tests.unit.gateway.bench import collections as made

MAKERS = {"skab": made.skab, "nab": made.nab, "batadal": made.batadal, "occupancy": made.occupancy}


def verdict(case: Case, *alarms: tuple[int, int], level: float = 1.0) -> Verdict:
    alarm = np.zeros(len(case.judge), dtype=np.bool_)
    for first, end in alarms:
        alarm[first:end] = True
    return Verdict(score=alarm * level, alarm=alarm)


# ---------------------------------------------------------------------------------------------------------- formats


def test_skab_is_read_by_semicolons_with_its_skipped_seconds(tmp_path: Path) -> None:
    made.skab(tmp_path)
    first, second = skab.cases(tmp_path / "skab")

    assert (first.name, second.name) == ("valve1/0.csv", "valve1/1.csv")
    assert first.tags == ("A", "B", "C", "Volume Flow RateRMS")
    assert (len(first.learn), len(first.judge), first.skip) == (400, 700, 400)
    assert set(np.diff(first.judge.time_ns) // 10**9) == {1, 3}


def test_tep_is_turned_upright(tmp_path: Path) -> None:
    made.tep(tmp_path)
    cases = tep.cases(tmp_path / "tep")

    assert [case.name for case in cases] == ["d00_te.dat", "d01_te.dat"]
    assert cases[0].learn.values.shape == (500, 52)
    whole = made.courses(900 + 960 + 960, 52, 4)
    np.testing.assert_allclose(cases[0].learn.values, whole[:500], rtol=1e-6)
    np.testing.assert_allclose(cases[0].judge.values, whole[900:1860], rtol=1e-6)


def test_tep_of_another_size_is_refused(tmp_path: Path) -> None:
    made.block(tmp_path / "d00.dat", np.ones((51, 40)))
    made.block(tmp_path / "d00_te.dat", np.ones((10, 52)))
    with pytest.raises(RecordingError, match="51 x 40"):
        tep.cases(tmp_path)


def test_batadal_heads_with_blanks_are_the_same_tags(tmp_path: Path) -> None:
    made.batadal(tmp_path)
    (case,) = batadal.cases(tmp_path / "batadal")

    assert case.tags == ("L_T1", "F_PU1", "S_PU1", "P_J280")
    assert (case.learn.values > -900).all()
    assert (case.judge.values > -900).all()
    assert set(np.diff(case.judge.time_ns)) == {3_600_000_000_000}
    assert str(case.judge.time_ns[0].astype("datetime64[ns]")) == "2020-05-01T00:00:00.000000000"  # day before month


def test_occupancy_learns_from_the_weekend(tmp_path: Path) -> None:
    made.occupancy(tmp_path)
    (case,) = occupancy.cases(tmp_path / "occupancy")

    assert len(case.learn) == 2 * 24 * 60
    assert case.tags == ("CO2", "Temperature", "Humidity", "HumidityRatio")
    assert str(case.judge.time_ns[0].astype("datetime64[ns]"))[:16] == "2015-02-09T00:00"
    assert case.learn.values[:, 0].max() < 700  # the right column: CO2, not light


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["datetime;A;anomaly", "2020-01-01 00:00:00;x;0"], "'x' is no number"),
        (["datetime;A;anomaly", "01.01.2020;1;0"], "is no time such as"),
        (["time;A;anomaly", "2020-01-01 00:00:00;1;0"], "no column 'datetime'"),
        (["datetime;A;B;C;anomaly", "2020-01-01 00:00:00;1"], "2 cells below 5 names"),
        (["datetime;A"], "no rows below a head"),
    ],
)
def test_a_broken_file_is_one_sentence(tmp_path: Path, lines: list[str], sentence: str) -> None:
    made.write(tmp_path / "valve1/0.csv", lines)
    with pytest.raises(RecordingError, match=sentence):
        skab.cases(tmp_path)


# -------------------------------------------------------------------------------------- labels stay with the scorer


@pytest.mark.parametrize("name", MAKERS)
def test_detectors_say_the_same_without_labels(tmp_path: Path, name: str) -> None:
    MAKERS[name](tmp_path / "with")
    MAKERS[name](tmp_path / "without", has_labels=False)
    collection, settings = COLLECTIONS[name], read()[name]
    with_labels = collection.read(tmp_path / "with" / name)
    without = collection.read(tmp_path / "without" / name)
    some = slice(0, 1)
    for detector in DETECTORS:
        one = detect(detector, with_labels[some], settings)
        other = detect(detector, without[some], settings)
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a.score, b.score)
            np.testing.assert_array_equal(a.alarm, b.alarm)


def test_what_is_judged_moves_no_threshold(tmp_path: Path) -> None:
    """Rows after the head of a file change nothing of what was said before them."""
    made.skab(tmp_path)
    settings = read()["skab"]
    (case, _) = skab.cases(tmp_path / "skab")
    judge = Part(time_ns=case.judge.time_ns, values=case.judge.values.copy())
    judge.values[560:] *= 3
    other = Case(name=case.name, tags=case.tags, learn=case.learn, judge=judge, skip=case.skip)
    for detector in DETECTORS:
        (one,), (two,) = detect(detector, [case], settings), detect(detector, [other], settings)
        np.testing.assert_array_equal(one.alarm[:560], two.alarm[:560])
        np.testing.assert_array_equal(one.score[:560], two.score[:560])


@pytest.mark.parametrize("name", ["skab", "batadal", "occupancy", "tep"])
def test_ours_finds_what_was_planted(tmp_path: Path, name: str) -> None:
    (made.tep if name == "tep" else MAKERS[name])(tmp_path)
    collection, settings = COLLECTIONS[name], read()[name]
    cases = collection.read(tmp_path / name)
    row = collection.score(tmp_path / name, cases, detect("ours", cases, settings))
    if row.is_more_better:
        assert row.score > 0.8
    else:
        assert row.score < 0.2


# ------------------------------------------------------------------------------------------------------------ scorers


def test_skab_counts_rows_after_the_learnt_ones(tmp_path: Path) -> None:
    made.skab(tmp_path)
    cases = skab.cases(tmp_path / "skab")
    verdicts = [verdict(cases[0], (0, 300), (560, 620)), verdict(cases[1], (540, 580))]
    row = score_skab.score(tmp_path / "skab", cases, verdicts)

    # file 0: 60 of 70 rows; file 1: 30 of 70, 10 wrongly
    assert row.score == pytest.approx(2 * 90 / (2 * 90 + 10 + 50))
    assert row.false_percent == pytest.approx(100 * 10 / (2 * 230))
    assert row.missed_percent == pytest.approx(100 * 50 / 140)
    assert (row.more["events"], row.more["detected"]) == (2, 2)


def test_tep_sets_the_threshold_on_the_normal_recording(tmp_path: Path) -> None:
    made.tep(tmp_path)
    cases = tep.cases(tmp_path / "tep")
    normal, fault = np.zeros(960), np.zeros(960)
    normal[:10] = np.arange(1, 11)  # the 10th highest is 1: 9 rows are above it
    fault[160:560] = 2.0
    verdicts = [Verdict(score=each, alarm=each > 5) for each in (normal, fault)]
    row = score_tep.score(tmp_path, cases, verdicts)

    assert row.score == pytest.approx(0.5)
    assert row.false_percent == pytest.approx(100 * 9 / 960)
    assert row.more["delay_min_median"] == 3


def test_tep_without_the_normal_recording_is_refused(tmp_path: Path) -> None:
    made.tep(tmp_path)
    (_, case) = tep.cases(tmp_path / "tep")
    with pytest.raises(RecordingError, match="d00_te"):
        score_tep.score(tmp_path, [case], [verdict(case)])


def test_batadal_is_half_time_to_detection_half_rows(tmp_path: Path) -> None:
    made.batadal(tmp_path)
    cases = batadal.cases(tmp_path / "batadal")
    row = score_batadal.score(tmp_path / "batadal", cases, [verdict(cases[0], (315, 375))])

    ttd = 1 - 15 / 60
    cm = (45 / 60 + 1 - 15 / 440) / 2
    assert row.more["S_TTD"] == pytest.approx(ttd)
    assert row.more["S_CM"] == pytest.approx(cm)
    assert row.score == pytest.approx((ttd + cm) / 2)
    assert score_batadal.score(tmp_path / "batadal", cases, [verdict(cases[0])]).score == pytest.approx(0.25)


def test_nab_counts_the_first_detection_in_a_window(tmp_path: Path) -> None:
    """Worked by hand from the benchmark's formula: sigmoid 2 / (1 + e^(5 y)) - 1 over its value at -1."""
    made.nab(tmp_path)
    cases = nab.cases(tmp_path / "nab")
    width = 640 - 580 + 1

    def sigmoid(y: float) -> float:
        return 2 / (1 + np.exp(5 * y)) - 1

    at_left = score_nab.score(tmp_path / "nab", cases, [verdict(cases[0], (580, 600))])
    assert at_left.score == pytest.approx(100.0)
    half = score_nab.score(tmp_path / "nab", cases, [verdict(cases[0], (610, 611))])
    gain = sigmoid(-(640 - 610 + 1) / width) / sigmoid(-1)
    assert half.score == pytest.approx(100 * (gain + 1) / 2)
    wrong = score_nab.score(tmp_path / "nab", cases, [verdict(cases[0], (300, 302), (580, 581))])
    assert wrong.score == pytest.approx(100 * (1 - 2 * 0.11 + 1) / 2)
    behind = score_nab.score(tmp_path / "nab", cases, [verdict(cases[0], (580, 581), (646, 647))])
    assert behind.score == pytest.approx(100 * (1 + 0.11 * sigmoid(6 / 60) + 1) / 2)
    silent = score_nab.score(tmp_path / "nab", cases, [verdict(cases[0])])
    assert silent.score == 0.0


def test_nab_counts_a_window_once_whatever_comes_after(tmp_path: Path) -> None:
    """Scores that fall along the window, then rise a little: the first stays what counts."""
    made.nab(tmp_path)
    cases = nab.cases(tmp_path / "nab")
    level = np.zeros(1000)
    level[[590, 620, 600]] = 3.0, 2.0, 1.0
    only = np.zeros(1000)
    only[590] = 3.0
    one, other = (
        score_nab.score(tmp_path / "nab", cases, [Verdict(score=each, alarm=each > 0)]) for each in (level, only)
    )
    assert one.score == other.score


def test_nab_scores_nothing_of_the_first_rows(tmp_path: Path) -> None:
    made.nab(tmp_path)
    cases = nab.cases(tmp_path / "nab")
    row = score_nab.score(tmp_path / "nab", cases, [verdict(cases[0], (0, 150), (580, 581))])
    assert row.score == pytest.approx(100.0)


def test_occupancy_counts_rows_and_events(tmp_path: Path) -> None:
    made.occupancy(tmp_path)
    cases = occupancy.cases(tmp_path / "occupancy")
    perfect = verdict(cases[0], (540, 1020), (540 + 1440, 720 + 1440))
    row = events.score(tmp_path / "occupancy", cases, [perfect])
    assert (row.score, row.more["events"], row.more["detected"]) == (1.0, 2, 2)
    late = verdict(cases[0], (550, 1020))
    row = events.score(tmp_path / "occupancy", cases, [late])
    assert row.more["delay_s_median"] == 600.0
    assert row.false_percent == 0.0


# ---------------------------------------------------------------------------------------------------------- detectors


def test_a_missing_value_is_held() -> None:
    nan = float("nan")
    got = held(np.array([[nan, nan], [1.0, nan], [nan, nan], [2.0, nan]]))
    assert got.tolist() == [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [2.0, 0.0]]


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_finds_a_plain_shift_and_is_quiet_before(name: str) -> None:
    dice = np.random.default_rng(9)
    values = dice.normal(size=(3000, 3))
    values[2500:, 1] += 4
    time_ns = np.arange(3000, dtype=np.int64) * 10**9
    whole = Part(time_ns=time_ns, values=values)
    case = Case(name="x", tags=("a", "b", "c"), learn=whole[:1500], judge=whole[1500:])
    found = BASELINES[name](case, Usual(gaussian_recent=5))

    assert found.alarm[1010:].mean() > 0.5
    assert found.alarm[:1000].mean() < 0.05


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_bears_a_normal_part_that_never_moved(name: str) -> None:
    values = np.full((300, 1), 5.0)
    values[200:] = 6.0
    whole = Part(time_ns=np.arange(300, dtype=np.int64) * 10**9, values=values)
    found = BASELINES[name](Case(name="x", tags=("a",), learn=whole[:100], judge=whole), Usual())
    assert np.isfinite(found.score).all()
    assert not found.alarm[:200].any()


def test_an_alarm_that_stands_is_told_once() -> None:
    score = np.array([0.0, 1.0, 3.0, 2.0, 3.0, 4.0, 1.0, 1.0, 1.0, 2.0])
    got = told_once(Verdict(score=score, alarm=score > 0.5), 3)
    assert got.score.tolist() == [0.0, 1.0, 3.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 2.0]
    assert got.alarm.tolist() == (got.score > 0.5).tolist()


def test_ours_hears_a_missing_value_as_bad(tmp_path: Path) -> None:
    made.skab(tmp_path)
    (case, _) = skab.cases(tmp_path / "skab")
    case.judge.values[450, 0] = np.nan
    found = ours(case, read()["skab"].ours)
    assert found.score[450] == 0.0
    assert found.score[460] > 0.0


# -------------------------------------------------------------------------------------------------------- the command


def test_the_command_prints_a_table_and_json(tmp_path: Path) -> None:
    made.nab(tmp_path)
    made.batadal(tmp_path)
    shown = CliRunner().invoke(app, ["bench", "quality", "--data", str(tmp_path)])
    assert "batadal: 1 recording; S, more is better" in shown.output
    assert "Not there: skab, tep, occupancy, crowd_auckland, crowd_calit2, gas_airquality" in shown.output
    got = CliRunner().invoke(app, ["bench", "quality", "--data", str(tmp_path), "--json"])
    result = json.loads(got.output)
    assert [one["collection"] for one in result["collections"]] == ["nab", "batadal"]
    best = [one["best"] for one in result["collections"]]
    assert got.exit_code == shown.exit_code == (0 if best == ["ours", "ours"] else 1)
    for one in result["collections"]:
        assert [row["detector"] for row in one["detectors"]] == list(DETECTORS)


@pytest.mark.parametrize("what", ["empty", "absent"])
def test_a_folder_without_collections_is_refused(tmp_path: Path, what: str) -> None:
    folder = tmp_path if what == "empty" else tmp_path / "absent"
    got = CliRunner().invoke(app, ["bench", "quality", "--data", str(folder)])
    assert got.exit_code == 2
    assert str(folder) in got.output
