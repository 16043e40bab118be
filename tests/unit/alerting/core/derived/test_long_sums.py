"""Many updates of the integrals: what an old window says is what one that began late says, to the bit.

The ten million are in tests/long.
"""

import numpy as np
import pytest

from alerting.core.derived.balance import TankBalance
from alerting.core.derived.exposure import Twa
from alerting.core.derived.method import Column, Given, Method, State
from alerting.model.derivation import Derivation

S = 1_000_000_000
START_NS = 1_767_225_600 * S


def member(n: int, numbers: dict[str, float]) -> Derivation:
    return Derivation(tag=f"d{n}", kind="x", inputs={}, scales={}, numbers=numbers)


def column(value: np.ndarray, now_ns: np.ndarray) -> Column:
    there = np.ones((len(value), 1), dtype=np.bool_)
    return Column(value[:, None], there, there, ~there, now_ns[:, None])


def nothing(now_ns: np.ndarray) -> Column:
    empty = np.empty((len(now_ns), 0))
    return Column(empty, empty.astype(np.bool_), empty.astype(np.bool_), empty.astype(np.bool_), empty.astype(np.int64))


def drive(kind: type[Method], rows: int, steps: int) -> None:
    """Drive instances over uneven samples; young ones see the last 1,500, more than a window of 15 min.

    The 8 h of a Twa are longer than that, so it is compared with the integral taken by numpy at the end.
    """
    numbers = {"gap_s": 100.0, "window_s": 600.0, "pipe_volume_m3": 1e3}
    method = kind([member(n, numbers) for n in range(rows)])
    old, young = method.fresh(), method.fresh()
    every, dice = np.arange(rows), np.random.default_rng(3)
    now_ns = np.full(rows, START_NS)
    stock, exact, last = np.full(rows, 1e5), np.zeros(rows), np.zeros(rows)
    made = other = None
    for step in range(steps):
        passed_ns = dice.integers(S // 2, 3 * S // 2, rows)
        now_ns = now_ns + passed_ns
        rate = 50 + dice.normal(0, 1, rows)
        stock = stock + dice.normal(0, 0.01, rows)
        exact += (rate + last) / 2 * passed_ns / 1e9 if step else 0.0
        last = rate
        given = Given(now_ns, roles_of(method, rate, stock, now_ns))
        made = method.compute(every, given, old)
        if step >= steps - 1500:
            other = method.compute(every, given, young)
    assert made is not None
    assert other is not None
    if kind is Twa:
        assert steps < 25_000, "within its 8 h"
        assert made.value * 28_800 == pytest.approx(exact, rel=1e-12)
    else:
        assert (made.value == other.value).all()
        assert (made.quality == other.quality).all()
        assert not differing(old, young)


@pytest.mark.parametrize("kind", [Twa, TankBalance], ids=lambda kind: kind.__name__)
def test_old_sums_are_young_ones(kind: type[Method]) -> None:
    drive(kind, 10, 4000)


def roles_of(method: Method, rate: np.ndarray, stock: np.ndarray, now_ns: np.ndarray) -> dict[str, Column]:
    given = {"concentration": rate, "volume": stock, "in": rate, "out": rate - 1.0, "pressure": stock / 1e2}
    return {role: column(given[role], now_ns) if role in given else nothing(now_ns) for role in method.ROLES}


def differing(one: State, other: State) -> list[str]:
    """Columns that an old and a young memory do not share, but for when they began."""
    return [
        name
        for name in one
        if name not in ("first_ns", "amount", "covered_s")
        and not np.array_equal(one[name], other[name], equal_nan=True)
    ]
