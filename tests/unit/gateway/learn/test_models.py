"""Models from a recording: rows as the road takes them, nothing wrong learnt, the artefact accepted by the site."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alerting.core import pca
from alerting.model.learned import Learned, digest_of_tags
from alerting.model.pca import of_json
from gateway.backtest.labels import Label
from gateway.config import Site
from gateway.learn.artefact import write
from gateway.learn.models import Collector, Fitted, Models
from gateway.learn.pca import Shape, fit
from gateway.load import ConfigError, load
from gateway.recording import Steps, steps

START_NS = 1_767_225_600_000_000_000
S = 1_000_000_000
TAGS = ("a.v", "b.v", "c.v")
SITE = """
[site]
id = "plant"
timezone = "Asia/Shanghai"
tags = ["tags.csv"]
{learn}
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "192.0.2.10"

[[unit]]
id = "U"

[[derived]]
tag = "U.pca_q"
kind = "pca"
unit = "U"
model = "U"
inputs = {{ tags = [{inputs}] }}
lags = {lags}
weight = 0.5
H = 1
tier_H = "BLUE"
"""


def fit_models(site: Site, recording: Path, labels: Sequence[Label] = ()) -> Fitted:
    """Show all models of a site a recording, then fit them, as ``gateway.learn.run`` does."""
    models = Models(site, labels)
    for chunk in steps(recording, site.tags):
        models.take(chunk)
    return models.fit()


def plant(n: int, seed: int = 1) -> np.ndarray:
    dice = np.random.default_rng(seed)
    course = np.sin(np.arange(n) / 7)[:, None] * np.array([1.0, 2.0, -1.0])
    return (10 + course + 0.05 * dice.normal(size=(n, 3))).round(4)


def site_in(folder: Path, learn: str = "", inputs: tuple[str, ...] = TAGS, lags: int = 1) -> Site:
    folder.mkdir(exist_ok=True)
    (folder / "tags.csv").write_text(
        "tag,source,unit,period_s,register,type\n"
        + "".join(f"{name},plc,U,1,{2 * place},float32\n" for place, name in enumerate(TAGS))
    )
    text = SITE.format(learn=learn, inputs=", ".join(f'"{name}"' for name in inputs), lags=lags)
    (folder / "site.toml").write_text(text)
    return load(folder / "site.toml", environ={})


def write_csv(path: Path, values: np.ndarray, at_s: np.ndarray | None = None) -> Path:
    times = np.arange(len(values)) if at_s is None else at_s
    lines = ["time," + ",".join(TAGS)]
    for second, row in zip(times, values, strict=True):
        cells = ("" if np.isnan(cell) else f"{cell:.4f}" for cell in row)
        lines.append(f"{START_NS // S + int(second)}," + ",".join(cells))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_it_learns_what_a_fit_of_the_same_rows_learns(tmp_path: Path) -> None:
    site = site_in(tmp_path / "site")
    found = fit_models(site, write_csv(tmp_path / "r.csv", plant(500)))
    assert found.refused == {}
    got = of_json(found.models[0], TAGS)
    wanted = fit(Shape(name="U", tags=TAGS, period_s=1.0, lags=1, weight=0.5), plant(500))
    assert got.digest == wanted.digest


def test_what_a_label_calls_wrong_is_not_learnt(tmp_path: Path) -> None:
    """With and without the wrong rows in the recording the model is the same."""
    site = site_in(tmp_path / "site")
    values = plant(600)
    values[200:260, 1] += 50
    label = Label(start_ns=START_NS + 200 * S, end_ns=START_NS + 259 * S)
    with_label = fit_models(site, write_csv(tmp_path / "r.csv", values), [label])
    times = np.r_[0:200, 260:600]
    without = fit_models(site, write_csv(tmp_path / "s.csv", values[times], times))
    assert with_label.models == without.models
    assert fit_models(site, write_csv(tmp_path / "r.csv", values)).models != without.models


def test_no_row_looks_back_over_a_pause(tmp_path: Path) -> None:
    rows = plant(400)
    rows[200:] = (rows[200:] + 100).round(
        4
    )  # Other level after a pause: with a lag over it there would be one row that never was.
    starts = (0, 200)
    shape = Shape(name="U", tags=TAGS, period_s=1.0, lags=1, weight=1.0)
    apart, through = fit(shape, rows, starts), fit(shape, rows)
    assert apart.digest != through.digest
    site = site_in(tmp_path / "site")
    times = np.r_[0:200, 300:500]
    found = of_json(fit_models(site, write_csv(tmp_path / "r.csv", rows, times)).models[0], TAGS)
    assert found.digest == fit(replace(shape, weight=0.5), rows, starts).digest


def test_bad_samples_end_a_stretch() -> None:
    values = plant(30)
    values[10, 1] = np.nan
    collector = Collector(row_of=np.arange(3), period_ns=S)
    chunk = Steps(
        times_ns=START_NS + S * np.arange(30),
        rows=np.arange(3, dtype=np.int32),
        values=values,
        present=None,
        quality=None,
        numbers=np.arange(1, 31),
        share=1.0,
    )
    collector.take(chunk, np.zeros(30, dtype=np.bool_))
    rows, starts = collector.rows()
    assert starts == (0, 10)
    np.testing.assert_array_equal(rows, np.delete(values, 10, axis=0))


def test_inputs_that_come_one_by_one_make_one_row(tmp_path: Path) -> None:
    """As in the road: a row is taken when each input has a newer sample."""
    values = plant(40)
    present = np.zeros((120, 3), dtype=np.bool_)
    spread = np.full((120, 3), np.nan)
    for step in range(120):
        present[step, step % 3] = True
        spread[step, step % 3] = values[step // 3, step % 3]
    times = START_NS + S * (np.arange(120) // 3) + S // 10 * (np.arange(120) % 3)
    collector = Collector(row_of=np.arange(3), period_ns=S)
    chunk = Steps(
        times_ns=times,
        rows=np.arange(3, dtype=np.int32),
        values=spread,
        present=present,
        quality=None,
        numbers=np.arange(1, 121),
        share=1.0,
    )
    collector.take(chunk, np.zeros(120, dtype=np.bool_))
    rows, _ = collector.rows()
    np.testing.assert_array_equal(rows, values)


def test_a_long_recording_keeps_its_memory(tmp_path: Path) -> None:
    collector = Collector(row_of=np.arange(1), period_ns=S)
    for part in range(5):
        n = 20_000
        chunk = Steps(
            times_ns=START_NS + S * (np.arange(n) + part * n),
            rows=np.zeros(1, dtype=np.int32),
            values=np.arange(n, dtype=np.float64)[:, None] + part * n,
            present=None,
            quality=None,
            numbers=np.arange(n),
            share=1.0,
        )
        collector.take(chunk, np.zeros(n, dtype=np.bool_))
    rows, starts = collector.rows()
    assert 15_000 < len(rows) <= 41_000
    assert rows[-1, 0] > 90_000  # the end is known as well as the beginning
    assert len(starts) == len(rows) // 1000


def test_too_little_is_refused_with_a_sentence(tmp_path: Path) -> None:
    found = fit_models(site_in(tmp_path / "site"), write_csv(tmp_path / "r.csv", plant(8)))
    assert found.models == ()
    assert "rows of normal operation" in found.refused["U"]["en"]


def test_the_site_takes_the_artefact_and_refuses_it_after_a_change(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    site = site_in(folder)
    found = fit_models(site, write_csv(tmp_path / "r.csv", plant(500)))
    artefact = Learned(
        site=site.id, config=site.revision, tags=digest_of_tags(list(site.tags)), recording="r.csv",
        from_ns=START_NS, to_ns=START_NS + 500 * S, seed=1, per_year=1.0, models=found.models,
    )  # fmt: skip
    write(folder / "learned.json", artefact)
    learn = '[learn]\nartefact = "learned.json"\n'
    ready = site_in(folder, learn)
    model = ready.derived[0].model
    assert model is not None
    assert np.isfinite(pca.run(model, plant(30, seed=2))[1][1:]).all()

    with pytest.raises(ConfigError, match="another order"):
        site_in(folder, learn, inputs=(TAGS[1], TAGS[0], TAGS[2]))
    with pytest.raises(ConfigError, match="other lags"):
        site_in(folder, learn, lags=2)
