"""Ten million updates of each integral of derived tags: nothing wears out."""

import pytest

from alerting.core.derived.balance import LineBalance, TankBalance
from alerting.core.derived.exposure import Mac, Stel, Twa
from alerting.core.derived.method import Method
from tests.unit.alerting.core.derived.test_long_sums import drive


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("kind", "rows", "steps"),
    [(Stel, 100, 100_000), (Mac, 100, 100_000), (TankBalance, 100, 100_000), (LineBalance, 100, 100_000),
     (Twa, 500, 20_000)],
)  # fmt: skip
def test_ten_million_updates(kind: type[Method], rows: int, steps: int) -> None:
    drive(kind, rows, steps)
