"""Instruments show what they should, faults do what they say, and each one's luck is its own."""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.instrument import LINE_KINDS, VALUE_KINDS, Bank, Fault, Faults, Instrument, SourceLine
from simulators.instrument.fault import labels

TAGS = ("A.level", "B.lel", "C.switch")
RANGES = {"A.level": (0.0, 16.0), "B.lel": (0.0, 100.0)}
TRUE = np.array([8.0, 20.0, 1.0])


def dice(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def sent(*faults: Fault, at_s: float, values: NDArray[np.float64] = TRUE) -> NDArray[np.float64]:
    return Faults(faults, TAGS, dice(), ranges=RANGES).apply(at_s, values)


def shown(instrument: Instrument, true: float, *, steps: int = 20_000, dt_s: float = 1.0) -> NDArray[np.float64]:
    bank = Bank([instrument], dice())
    return np.array([bank.step(dt_s, np.array([true]))[0] for _ in range(steps)])


# ---- instruments


def test_white_noise_has_its_size_and_no_memory() -> None:
    values = shown(Instrument(tag="x", noise=0.5), 10.0)

    assert values.mean() == pytest.approx(10.0, abs=0.02)
    assert values.std() == pytest.approx(0.5, rel=0.03)
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.03


@pytest.mark.parametrize("dt_s", [0.5, 5.0])
def test_slow_noise_has_its_size_and_memory_for_any_step(dt_s: float) -> None:
    values = shown(Instrument(tag="x", wander=0.5, wander_s=20.0), 10.0, dt_s=dt_s, steps=30_000)

    assert values.std() == pytest.approx(0.5, rel=0.1)
    assert np.corrcoef(values[:-1], values[1:])[0, 1] == pytest.approx(math.exp(-dt_s / 20), abs=0.03)


@pytest.mark.parametrize("dt_s", [0.1, 1.0, 10.0])
def test_lag_shows_63_percent_after_its_time_constant(dt_s: float) -> None:
    bank = Bank([Instrument(tag="x", lag_s=10.0)], dice())
    bank.step(dt_s, np.array([0.0]))
    for _ in range(round(10 / dt_s)):
        bank.step(dt_s, np.array([1.0]))

    assert bank.shown[0] == pytest.approx(1 - math.exp(-1))


def test_resolution_steps_and_a_loop_ends_at_its_currents() -> None:
    bank = Bank(
        [
            Instrument(tag="stepped", resolution=0.25),
            Instrument(tag="loop", low=0.0, high=16.0, is_loop=True),
            Instrument(tag="low", low=0.0, high=16.0, is_loop=True),
            Instrument(tag="free", low=0.0, high=16.0),
        ],
        dice(),
    )

    assert bank.step(1.0, np.array([1.37, 40.0, -9.0, 40.0])) == pytest.approx([1.25, 16.5, -0.2, 40.0])


def test_a_counter_is_whole_whatever_noise_it_has() -> None:
    bank = Bank([Instrument(tag="n", noise=3.0, lag_s=10.0, is_count=True)], dice())

    assert [bank.step(1.0, np.array([float(n)]))[0] for n in range(5)] == [0, 1, 2, 3, 4]


def test_the_same_seed_gives_the_same_instruments() -> None:
    one, same, other = (Bank([Instrument(tag="x", noise=1.0)], dice(seed)) for seed in (4, 4, 5))
    a, b, c = ([bank.step(1.0, np.array([0.0]))[0] for _ in range(5)] for bank in (one, same, other))

    assert a == b != c


# ---- faults of values


def test_nothing_is_wrong_before_and_after() -> None:
    for kind in VALUE_KINDS:
        fault = Fault(kind=kind, target="A.level", from_s=10.0, until_s=20.0, amount=1.0)
        for at_s in (0.0, 9.99, 20.0, 100.0):
            assert sent(fault, at_s=at_s) is TRUE


def test_each_fault_of_a_value_does_what_it_says() -> None:
    def with_(kind: str, amount: float = 0.0, target: str = "A.level") -> float:
        fault = Fault(kind=kind, target=target, from_s=0.0, amount=amount)
        return float(sent(fault, at_s=1800.0)[TAGS.index(target)])

    assert with_("drift", 0.2) == pytest.approx(8.1)
    later = Fault(kind="drift", target="A.level", from_s=900.0, amount=0.2)
    assert float(sent(later, at_s=1800.0)[TAGS.index("A.level")]) == pytest.approx(8.05), "it counts from its begin"
    weaker = Fault(kind="poisoned", target="B.lel", from_s=900.0, amount=0.2)
    assert float(sent(weaker, at_s=1800.0)[TAGS.index("B.lel")]) == pytest.approx(20 * math.exp(-0.05))
    assert with_("bias", -0.5) == pytest.approx(7.5)
    assert with_("poisoned", 0.2, "B.lel") == pytest.approx(20 * math.exp(-0.1))
    assert with_("stuck_at", 3.0) == 3.0
    assert with_("cut") == pytest.approx(-0.5)
    assert with_("short") == pytest.approx(17.5)
    assert math.isnan(with_("nan"))
    assert with_("failed_switch", target="C.switch") == 0.0
    # 8.0 is 0x41000000; 0x00004100 is a subnormal number.
    assert with_("swapped_words") == pytest.approx(2.3317e-41, rel=1e-3)
    assert {"frozen", "spike", "noise"} | {
        "drift", "bias", "poisoned", "stuck_at", "cut", "short", "nan", "failed_switch", "swapped_words",
    } == set(VALUE_KINDS)  # fmt: skip


def test_a_frozen_gauge_stays_where_it_was_and_comes_back() -> None:
    faults = Faults([Fault(kind="frozen", target="A.level", from_s=5.0, until_s=8.0)], TAGS, dice())
    seen = [float(faults.apply(float(t), TRUE + t)[0]) for t in range(10)]

    assert seen == [8, 9, 10, 11, 12, 13, 13, 13, 16, 17]


def test_spikes_are_single_and_noise_is_wide() -> None:
    spikes = Faults([Fault(kind="spike", target="A.level", from_s=0.0, amount=5.0)], TAGS, dice())
    values = np.array([spikes.apply(float(t), TRUE)[0] for t in range(4000)])
    noisy = Faults([Fault(kind="noise", target="A.level", from_s=0.0, amount=2.0)], TAGS, dice())
    wide = np.array([noisy.apply(float(t), TRUE)[0] for t in range(4000)])

    assert set(values) == {3.0, 8.0, 13.0}
    assert (values != 8.0).mean() == pytest.approx(0.05, abs=0.012)
    assert wide.std() == pytest.approx(2.0, rel=0.06)


def test_faults_compose_in_their_order_and_touch_nobody_else() -> None:
    bias = Fault(kind="bias", target="A.level", from_s=0.0, amount=1.0)
    frozen = Fault(kind="frozen", target="A.level", from_s=2.0)
    faults = Faults([bias, frozen], TAGS, dice())
    seen = [faults.apply(float(t), TRUE + t) for t in range(5)]

    assert [float(each[0]) for each in seen] == [9, 10, 11, 11, 11]
    assert [float(each[1]) for each in seen] == [20, 21, 22, 23, 24]
    assert TRUE.tolist() == [8, 20, 1], "what is true stays true"


def test_one_faults_luck_does_not_hang_on_the_faults_after_it() -> None:
    noise = Fault(kind="noise", target="A.level", from_s=0.0, amount=2.0)
    alone = Faults([noise], TAGS, dice())
    beside = Faults([noise, Fault(kind="noise", target="B.lel", from_s=0.0, amount=2.0)], TAGS, dice())

    assert [alone.apply(float(t), TRUE)[0] for t in range(9)] == [beside.apply(float(t), TRUE)[0] for t in range(9)]


# ---- faults of sources


ROWS = np.arange(3)


def sends(*faults: Fault, times: range = range(12)) -> list[tuple[float, bool | None, list[float], list[float]]]:
    line = SourceLine("plc", faults, dice())
    found = [each for t in times for each in line.send(float(t), ROWS, TRUE + t)]
    return [(each.at_s, each.link, each.times_s.tolist(), each.values.tolist()) for each in found]


def line_fault(kind: str, amount: float = 0.0, from_s: float = 4.0, until_s: float = 8.0) -> Fault:
    return Fault(kind=kind, target="plc", from_s=from_s, until_s=until_s, amount=amount)


def test_a_good_line_delivers_all_at_once_in_time() -> None:
    assert [(at, times) for at, _, times, _ in sends()] == [(float(t), [float(t)] * 3) for t in range(12)]
    assert sends(Fault(kind="dropout", target="other", from_s=0.0)) == sends()


def test_a_dropout_says_that_the_link_is_down_and_up_again() -> None:
    found = sends(line_fault("dropout"))

    assert [(at, link) for at, link, _, _ in found if link is not None] == [(4.0, False), (8.0, True)]
    assert [at for at, link, _, _ in found if link is None] == [0, 1, 2, 3, 8, 9, 10, 11]


def test_a_silent_source_says_nothing_and_counts_it() -> None:
    line = SourceLine("plc", [line_fault("silent")], dice())
    found = [each for t in range(12) for each in line.send(float(t), ROWS, TRUE)]

    assert [each.at_s for each in found] == [0, 1, 2, 3, 8, 9, 10, 11]
    assert line.withheld == {"silent": 12}


def test_clocks_go_wrong_but_not_the_order_of_arrival() -> None:
    shifted = sends(line_fault("shifted_clock", 28_800.0))
    assert [times[0] - at for at, _, times, _ in shifted] == [0] * 4 + [28_800] * 4 + [0] * 4

    jumping = sends(line_fault("jumping_stamps", 30.0, 0.0, math.inf), times=range(400))
    off = np.array([times[0] - at for at, _, times, _ in jumping])
    assert np.abs(off).max() <= 30
    assert off.std() == pytest.approx(30 / math.sqrt(3), rel=0.1)


def test_repeated_stamps_bring_the_last_time_once_more() -> None:
    found = sends(line_fault("repeated_stamps", 0.0, 4.0, 5.0))

    assert found[4][2] == [3.0] * 3 + [4.0] * 3
    assert len(found[5][2]) == 3


def test_a_slow_source_answers_late_with_true_times() -> None:
    found = sends(line_fault("slow", 2.5))

    assert [(at, times[0]) for at, _, times, _ in found][4:8] == [(6.5, 4.0), (7.5, 5.0), (8.5, 6.0), (9.5, 7.0)]


def test_a_flapping_link_comes_and_goes() -> None:
    found = sends(line_fault("flapping", 2.0))

    assert [link for _, link, _, _ in found if link is not None] == [False, True, False, True]


def test_one_register_off_gives_each_tag_its_neighbours_value() -> None:
    assert sends(line_fault("shifted_registers"))[4][3] == [24.0, 5.0, 12.0]


def test_every_kind_of_a_line_was_tried() -> None:
    tried = {"dropout", "silent", "shifted_clock", "jumping_stamps", "repeated_stamps", "slow", "flapping"}

    assert tried | {"shifted_registers"} == set(LINE_KINDS)


def test_labels_say_what_was_wrong_and_when() -> None:
    faults = [line_fault("dropout"), Fault(kind="frozen", target="A.level", from_s=2.0), line_fault("slow", 1, 50, 60)]

    assert labels(faults, 30.0) == [(2.0, 30.0, "A.level", "frozen"), (4.0, 8.0, "plc", "dropout")]


def test_the_page_lists_every_kind_with_its_words() -> None:
    page = Path("docs/simulators.md").read_text(encoding="utf-8")
    for target, kinds in (("tag", VALUE_KINDS), ("source", LINE_KINDS)):
        for name, kind in kinds.items():
            assert f"| `{name}` | {target} | {kind.means} | {kind.amount or '–'} |" in page
