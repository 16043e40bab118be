"""Signals: within the instrument, the same for a seed, states that are walked through."""

import numpy as np

from simulators.devices.signal import Moving, Signals, moving_of

TAGS = [Moving(tag="a", lo=0.0, hi=10.0), Moving(tag="b", lo=-5.0, hi=5.0), Moving(tag="s", states=(0.0, 1.0, 7.0))]


def test_values_move_and_stay_within_the_instrument() -> None:
    signals = Signals(TAGS, 7)
    over_time = np.array([signals.values(second) for second in range(0, 1300, 5)])
    for place, tag in enumerate(TAGS[:2]):
        assert tag.lo < over_time[:, place].min() < over_time[:, place].max() < tag.hi
        assert np.ptp(over_time[:, place]) > 0.7 * (tag.hi - tag.lo), "a whole period"
    assert set(over_time[:, 2].tolist()) == {0.0, 1.0, 7.0}


def test_the_same_seed_gives_the_same_and_another_does_not() -> None:
    assert Signals(TAGS, 7).readings(12.5) == Signals(TAGS, 7).readings(12.5)
    assert Signals(TAGS, 7).readings(12.5) != Signals(TAGS, 8).readings(12.5)


def test_tables_say_how_a_tag_moves() -> None:
    rows = [
        {"tag": "t", "range_lo": "2", "range_hi": "4"},
        {"tag": "none"},
        {"tag": "bit", "type": "bit"},
        {"tag": "coil", "table": "coil"},
        {"tag": "text", "type": "string", "map": "RUN=1;STOP=0;FAULT=2"},
    ]
    assert moving_of(rows) == [
        Moving(tag="t", lo=2.0, hi=4.0),
        Moving(tag="none"),
        Moving(tag="bit", states=(0.0, 1.0)),
        Moving(tag="coil", states=(0.0, 1.0)),
        Moving(tag="text", states=(1.0, 0.0, 2.0)),
    ]
