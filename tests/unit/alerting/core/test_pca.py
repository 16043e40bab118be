"""Principal components: T2, Q and shares against an independent calculation, limits against published formulas."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import hankel, inv
from scipy.stats import chi2

from alerting.core import pca
from alerting.model.pca import ModelError, PcaModel, as_json, of_json
from gateway.learn.pca import FitError, Shape, fit, lagged, limits

TAGS = ("a", "b", "c", "d")


def plant(rows: int, seed: int = 1) -> np.ndarray:
    """Two hidden courses that four tags follow, each with noise of its own."""
    dice = np.random.default_rng(seed)
    hidden = np.cumsum(dice.normal(size=(rows, 2)), axis=0) * 0.1
    hidden -= np.linspace(0, 1, rows)[:, None] * hidden[-1]
    mix = np.array([[1.0, 0.5, 0.0, 2.0], [0.0, 1.0, -1.0, 0.5]])
    return 50 + hidden @ mix + 0.1 * dice.normal(size=(rows, 4))


def model_of(**more: object) -> PcaModel:
    return fit(Shape(name="m", tags=TAGS, period_s=1.0, **{"variance": 0.9, **more}), plant(600))  # type: ignore[arg-type]


def test_t2_and_q_are_what_covariance_algebra_gives() -> None:
    """Independent: eigenvectors of the covariance and an inverse instead of a singular value decomposition."""
    model = model_of(lags=0, weight=1.0)
    rows, met = plant(600), plant(50, seed=2)
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    values, vectors = np.linalg.eigh(np.cov(z, rowvar=False, bias=False))
    kept = len(model.variances)
    p = vectors[:, ::-1][:, :kept]
    new = (met - rows.mean(axis=0)) / rows.std(axis=0)
    t2 = np.einsum("ni,ij,nj->n", new @ p, inv(np.diag(values[::-1][:kept])), new @ p)
    q = ((new @ (np.eye(4) - p @ p.T)) ** 2).sum(axis=1)

    got_t2, got_q = pca.run(model, met)

    # The columns of z have mean 0, so the covariance is z'z / (n - 1) as in the fit.
    np.testing.assert_allclose(got_t2, t2, rtol=1e-9)
    np.testing.assert_allclose(got_q, q, rtol=1e-9)


def test_lagged_rows_stand_newest_first_as_hankel_matrices_have_them() -> None:
    rows = np.arange(12.0).reshape(6, 2)
    got = lagged(rows, 2)
    for tag in range(2):
        by_hankel = hankel(rows[:4, tag], rows[3:, tag])[:, ::-1]
        np.testing.assert_array_equal(got[:, tag::2], by_hankel)


def test_the_average_is_normalised_from_the_first_row_on() -> None:
    model = model_of(lags=0, weight=0.2)
    window = pca.Window.fresh(model)
    first = pca.step(model, window, model.centre + model.spread)
    assert first is not None
    np.testing.assert_allclose(first, np.ones(4))  # one row: its average is itself
    s = np.ones(4)
    for n in range(2, 40):
        got = pca.step(model, window, model.centre + model.spread)
        assert got is not None
        spread = np.sqrt(0.2 / 1.8 * (1 - 0.8 ** (2 * n)))
        np.testing.assert_allclose(got, (1 - 0.8**n) * s / spread)


def test_nothing_is_said_before_all_lags_are_there() -> None:
    t2, q = pca.run(model_of(lags=3), plant(10, seed=3))
    assert np.isnan(t2[:3]).all()
    assert np.isnan(q[:3]).all()
    assert np.isfinite(t2[3:]).all()


@pytest.mark.parametrize("statistic", ["t2", "q"])
def test_the_tag_that_leaves_the_pattern_brings_most(statistic: str) -> None:
    model = model_of(lags=1, weight=1.0)
    window = pca.Window.fresh(model)
    calm = plant(600)[300]
    pca.step(model, window, calm)
    wrong = calm.copy()
    wrong[2] += 40 * model.spread[2]
    features = pca.step(model, window, wrong)
    assert features is not None
    share = pca.shares(model, features, statistic)

    assert share.sum() == pytest.approx(1.0)
    assert int(np.argmax(share)) == 2
    assert (share >= 0).all()


def test_shares_of_nothing_are_nothing() -> None:
    model = model_of(lags=0, weight=1.0)
    assert pca.shares(model, np.zeros(4), "q").tolist() == [0.0] * 4


def test_limits_are_those_of_the_literature() -> None:
    """Jackson and Mudholkar's and Box's approximations against 10^6 draws; T2 against the tables of F."""
    variances = np.array([3.0, 1.5, 0.4, 0.3, 0.2, 0.1])
    t2, q, box = limits(variances, 2, 100, 0.05)
    dice = np.random.default_rng(7)
    drawn = (dice.normal(size=(1_000_000, 4)) ** 2 * variances[2:]).sum(axis=1)
    exact = float(np.quantile(drawn, 0.95))

    assert q == pytest.approx(exact, rel=0.01)
    assert box == pytest.approx(exact, rel=0.02)
    assert t2 == pytest.approx(2 * 9999 / (100 * 98) * 3.089, rel=1e-3)  # F(0.05; 2, 98) = 3.089
    assert limits(variances, 2, 10**7, 0.05)[0] == pytest.approx(float(chi2.isf(0.05, 2)), rel=1e-4)


def test_limits_on_unseen_blocks_hold_the_stated_share_on_new_rows() -> None:
    """Few rows and many features: limits from the rows learnt from would let far more new rows pass."""
    dice = np.random.default_rng(5)
    mix = dice.normal(size=(8, 8))
    names = tuple("abcdefgh")
    learnt, met = dice.normal(size=(150, 8)) @ mix, dice.normal(size=(20_000, 8)) @ mix
    shape = Shape(name="m", tags=names, period_s=1.0, lags=2, weight=1.0, variance=0.8, false_share=0.04)
    model = fit(shape, learnt)
    seen_t2, seen_q = pca.run(model, learnt)
    t2, q = pca.run(model, met)

    assert 0.005 < np.mean(q[2:] > model.q_limit) < 0.045  # half of 4 % for each of the two
    assert 0.005 < np.mean(t2[2:] > model.t2_limit) < 0.045
    assert np.mean(q[2:] > np.quantile(seen_q[2:], 0.98)) > 0.06
    assert np.mean(t2[2:] > np.quantile(seen_t2[2:], 0.98)) > 0.02


def test_a_model_survives_json() -> None:
    model = model_of()
    back = of_json(json.loads(json.dumps(as_json(model))), TAGS)
    assert back.digest == model.digest
    met = plant(30, seed=4)
    np.testing.assert_array_equal(pca.run(back, met)[1], pca.run(model, met)[1])


@pytest.mark.parametrize(
    ("change", "tags", "sentence"),
    [
        ({}, ("b", "a", "c", "d"), "another order"),
        ({}, ("a", "b", "c"), "other tags"),
        ({"method": "forest"}, TAGS, "method"),
        ({"axes": [[1.0]]}, TAGS, "does not fit together"),
        ({"spread": [0.0, 1.0, 1.0, 1.0]}, TAGS, "does not fit together"),
        ({"q_limit": float("nan")}, TAGS, "does not fit together"),
        ({"q_limit": -1.0}, TAGS, "does not fit together"),
        ({"weight": 0.0}, TAGS, "does not fit together"),
        ({"centre": "x"}, TAGS, "not whole"),
    ],
)
def test_a_model_that_does_not_belong_is_refused(
    change: dict[str, object], tags: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        of_json(as_json(model_of()) | change, tags)


def test_a_part_that_is_missing_is_refused() -> None:
    facts = as_json(model_of())
    del facts["t2_limit"]
    with pytest.raises(ModelError, match="not whole"):
        of_json(facts, TAGS)


@pytest.mark.parametrize(("rows", "sentence"), [(10, "rows of normal operation"), (0, "rows of normal operation")])
def test_too_few_rows_make_no_model(rows: int, sentence: str) -> None:
    with pytest.raises(FitError, match=sentence):
        fit(Shape(name="m", tags=TAGS, period_s=1.0), plant(600)[:rows])


def test_tags_that_never_move_make_no_model() -> None:
    with pytest.raises(FitError, match="None of its tags moves"):
        fit(Shape(name="m", tags=TAGS, period_s=1.0), np.full((600, 4), 3.0))


def test_one_tag_that_never_moves_is_not_judged_by_its_rounding() -> None:
    rows = plant(600)
    rows[:, 1] = 7.0
    model = fit(Shape(name="m", tags=TAGS, period_s=1.0), rows)
    assert model.spread[1] == 1.0


def test_another_model_has_another_digest() -> None:
    model = model_of()
    assert replace(model, q_limit=model.q_limit * 2).digest != model.digest
