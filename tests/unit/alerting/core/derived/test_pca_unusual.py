"""T2, Q and unusual values as derived tags: grid of the model, gaps, missing models, what the cause says."""

from dataclasses import replace

import numpy as np
import pytest

from alerting.core import pca
from alerting.core.derived.told import told
from alerting.model.pca import PcaModel
from alerting.push.derived import computed_from
from edge.model import Nature
from gateway.learn.pca import Shape, fit
from tests.unit.alerting.core.derived.scene import Scene, derivation

NAMES = ("a", "b", "c")


def rows(n: int, seed: int = 1) -> np.ndarray:
    dice = np.random.default_rng(seed)
    course = np.sin(np.arange(n) / 7)[:, None] * np.array([1.0, 2.0, -1.0])
    return 10 + course + 0.05 * dice.normal(size=(n, 3))


@pytest.fixture(scope="module")
def model() -> PcaModel:
    return fit(Shape(name="m", tags=NAMES, period_s=1.0, lags=1, weight=0.5, variance=0.9), rows(400))


def of(model: PcaModel | None, statistic: str = "q", tag: str = "T.q") -> object:
    return derivation(tag, "pca", {"tags": NAMES}, words={"statistic": statistic, "model": "m"}, model=model)


@pytest.mark.parametrize("statistic", ["q", "t2"])
def test_it_is_the_statistic_of_the_model_over_its_limit(model: PcaModel, statistic: str) -> None:
    scene = Scene([of(model, statistic)], NAMES)  # type: ignore[list-item]
    met = rows(30, seed=2)
    t2, q = pca.run(model, met)
    wanted = q / model.q_limit if statistic == "q" else t2 / model.t2_limit
    for number, row in enumerate(met):
        scene.take(1.0 + number, dict(zip(NAMES, row.tolist(), strict=True)))
        if number == 0:
            assert scene.quality("T.q") == "BAD(incomplete)"
        else:
            assert scene.value("T.q") == wanted[number]


def test_inputs_in_scans_of_their_own_make_one_row_a_period(model: PcaModel) -> None:
    names = tuple(f"{name}/{name}" for name in NAMES)
    whole = replace(model, tags=names)
    scene = Scene([derivation("T.q", "pca", {"tags": names}, words={"statistic": "q"}, model=whole)], names)
    met = rows(20, seed=3)
    for number, row in enumerate(met):
        for place, name in enumerate(names):
            scene.take(1.0 + number + 0.1 * place, {name: float(row[place])})
    # A row is taken when the last of the three has come, so that none is half of this period and half of the last.
    assert scene.value("T.q") == (pca.run(model, met)[1] / model.q_limit)[-1]


def test_two_samples_within_a_period_are_one_row(model: PcaModel) -> None:
    scene = Scene([of(model)], NAMES)  # type: ignore[list-item]
    for number, row in enumerate(rows(5, seed=2)):
        scene.take(1.0 + number, dict(zip(NAMES, row.tolist(), strict=True)))
    before = scene.value("T.q")
    scene.take(5.2, dict.fromkeys(NAMES, 99.0))
    assert scene.value("T.q") == before


@pytest.mark.parametrize("trouble", ["gap", "bad"])
def test_after_a_gap_it_begins_anew(model: PcaModel, trouble: str) -> None:
    scene = Scene([of(model)], NAMES, stale_s=100.0)  # type: ignore[list-item]
    met = rows(12, seed=2)
    for number in range(6):
        scene.take(1.0 + number, dict(zip(NAMES, met[number].tolist(), strict=True)))
    if trouble == "bad":
        scene.take(7.0, {"a": float("nan"), "b": 1.0, "c": 1.0})
        assert scene.quality("T.q") == "BAD(input)"
    at = 20.0 if trouble == "gap" else 8.0
    scene.take(at, dict(zip(NAMES, met[6].tolist(), strict=True)))
    assert scene.quality("T.q") == "BAD(incomplete)"
    scene.take(at + 1, dict(zip(NAMES, met[7].tolist(), strict=True)))
    assert scene.value("T.q") == float((pca.run(model, met[6:8])[1] / model.q_limit)[-1])


def test_without_a_model_it_is_incomplete_and_says_which() -> None:
    scene = Scene([of(None)], NAMES)  # type: ignore[list-item]
    scene.take(1.0, dict.fromkeys(NAMES, 1.0))
    assert scene.quality("T.q") == "BAD(incomplete)"
    desk = scene.desk
    memory = desk.memory(Nature.ACTUAL)
    assert told(desk.derived, desk.derived_states[Nature.ACTUAL], memory, "T.q")["computed"] == {"model": "m"}


def test_the_cause_names_the_tag_that_brings_most(model: PcaModel) -> None:
    scene = Scene([of(model)], NAMES)  # type: ignore[list-item]
    met = rows(10, seed=2)
    met[8:, 1] += 3.0
    for number, row in enumerate(met):
        scene.take(1.0 + number, dict(zip(NAMES, row.tolist(), strict=True)))
    desk = scene.desk
    facts = told(desk.derived, desk.derived_states[Nature.ACTUAL], desk.memory(Nature.ACTUAL), "T.q")

    assert facts["computed"]["shares"][0]["tag"] == "b"
    assert facts["computed"]["amount"] == pytest.approx(scene.value("T.q") * model.q_limit)
    english, chinese = computed_from(facts, "en"), computed_from(facts, "zh")
    assert english.startswith(" (Q ")
    assert "its learned limit" in english
    assert "mostly b " in english
    assert "主要来自 b " in chinese


def test_models_that_differ_have_other_identities(model: PcaModel) -> None:
    one, other = of(model), of(replace(model, q_limit=2 * model.q_limit))
    assert one.identity != other.identity  # type: ignore[attr-defined]


def unusual_scene(**numbers: float) -> Scene:
    return Scene([derivation("T.u", "unusual", {"tag": "v"}, numbers=numbers)], ["v"], stale_s=1e6)


def test_unusual_is_the_distance_from_what_came_before() -> None:
    scene = unusual_scene(window=50)
    dice = np.random.default_rng(3)
    values = dice.normal(size=60) * 2 + 5
    values[59] = 30.0
    for number, value in enumerate(values.tolist()):
        scene.take(1.0 + number, {"v": value})
    past = values[9:59]
    assert scene.value("T.u") == pytest.approx(abs(30.0 - past.mean()) / past.std())


def test_unusual_knows_the_time_of_day() -> None:
    """A morning that does not rise is no unusual value of the day, only of the hour."""
    scene = unusual_scene(window=500, season_s=9600.0)
    dice = np.random.default_rng(3)
    quiet, found = 0.0, 0.0
    for day in range(6):
        for part in range(96):
            value = 10 * (30 <= part < 60) + 0.1 * dice.normal()
            is_wrong = day == 5 and 35 <= part < 40
            scene.take(1.0 + 100 * (96 * day + part), {"v": 0.0 if is_wrong else value})
            if day == 4:
                quiet = max(quiet, scene.value("T.u"))
            if is_wrong:
                found = max(found, scene.value("T.u"))
    assert found > 2 * quiet


def test_unusual_says_nothing_of_a_first_handful() -> None:
    scene = unusual_scene()
    for number in range(11):
        scene.take(1.0 + number, {"v": float(number)})
        assert scene.quality("T.u") == "BAD(incomplete)"
    scene.take(13.0, {"v": 5.0})
    assert scene.quality("T.u") == "GOOD"


def test_unusual_of_a_value_that_never_moved_stays_finite() -> None:
    scene = unusual_scene()
    for number in range(20):
        scene.take(1.0 + number, {"v": 4.0})
    assert scene.value("T.u") == 0.0
    scene.take(30.0, {"v": 5.0})
    assert 1e5 < scene.value("T.u") < 1e7
