"""The pipe gallery by itself: its air goes one way, methane takes the room of oxygen, its story runs as told."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from simulators.plant.pipe_gallery import COMPARTMENTS, PipeGallery

STORY = Path("simulators/stories/gallery_methane.toml")


def gallery(seed: int = 1) -> PipeGallery:
    return PipeGallery(np.random.default_rng(seed))


def run(works: PipeGallery, lasts_s: float, step_s: float = 5.0) -> dict[str, float]:
    for _ in range(round(lasts_s / step_s)):
        works.step(step_s)
    return dict(zip(works.tags, works.true(), strict=True))


def test_a_quiet_gallery_breathes_and_is_within_its_limits() -> None:
    true = run(gallery(), 6 * 3600.0)

    assert all(true[f"{name}.ch4"] == 0.0 for name in COMPARTMENTS)
    assert all(true[f"{name}.o2"] == pytest.approx(20.95, abs=0.01) for name in COMPARTMENTS)
    assert true["FAN-601.running"] == 1.0
    assert 0.1 < true["GC-604.h2s"] < 2.0
    assert true["GC-604.humidity"] < 95.0
    assert true["GC-604.sump"] < 1.3


def test_oxygen_falls_by_what_methane_takes_and_the_fan_brings_it_back() -> None:
    works = gallery()
    works.do("air", "FAN-601", 0)
    works.do("leak", "GC-603", 30)
    true = run(works, 1500.0)

    methane = true["GC-603.ch4"] / 100 * 0.05
    assert true["GC-603.o2"] == pytest.approx(100 * 0.2095 * (1 - methane), rel=1e-6)
    assert true["GC-602.ch4"] == 0.0, "the air goes one way"
    assert 0.0 < true["GC-604.ch4"] < true["GC-603.ch4"]
    assert true["FAN-601.running"] == 0.0
    works.do("leak", "GC-603", 0)
    works.do("air", "FAN-601", 4)
    true = run(works, 1800.0)
    assert true["GC-603.ch4"] < 1.0
    assert true["GC-603.o2"] > 20.9
    assert true["FAN-601.running"] == 1.0


def test_a_sump_that_more_seeps_into_than_its_pump_takes_rises() -> None:
    works = gallery()
    works.do("seep", "GC-604", 15)

    assert run(works, 1200.0)["GC-604.sump"] > 1.5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_story_reaches_its_milestones_whatever_the_dice(seed: int) -> None:
    """By V·dc/dt = q − (q + Q)·c: 600/0.05·ln(1/(1 − 0.05·0.05/0.03)), 1,044 s after the leak at 120 s."""
    told = tomllib.loads(STORY.read_text("utf-8"))
    works, acts = gallery(seed), sorted(told["act"], key=lambda act: float(act["at_s"]))
    run(works, told["forward_s"])
    shift_s = works.time_s
    for number in range(round((told["lasts_s"] + told["after_s"]) / told["step_s"])):
        while acts and acts[0]["at_s"] <= number * told["step_s"]:
            act = acts.pop(0)
            works.do(act["verb"], act["unit"], act["amount"])
        works.step(told["step_s"])
    at_s = {name: found - shift_s for name, found in works.milestones.items()}

    assert at_s["GC-603 explosive"] == pytest.approx(1165, abs=40)
    assert at_s["GC-603 short of oxygen"] == pytest.approx(1590, abs=80)
    assert not [name for name in at_s if name.startswith(("GC-601", "GC-602"))]
