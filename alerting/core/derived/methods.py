"""Methods: which kinds of derived tags there are."""

from collections.abc import Mapping
from typing import Final

from alerting.core.derived.balance import LineBalance, TankBalance
from alerting.core.derived.mass import Mass
from alerting.core.derived.method import Method
from alerting.core.derived.redundant import Median, Spread
from alerting.core.derived.volume import Volume

#: Method of each kind, by the name that the configuration uses.
METHODS: Final[Mapping[str, type[Method]]] = {
    "volume": Volume,
    "mass": Mass,
    "tank_balance": TankBalance,
    "line_balance": LineBalance,
    "median": Median,
    "spread": Spread,
}
