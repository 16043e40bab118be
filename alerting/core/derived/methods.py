"""Methods: which kinds of derived tags there are."""

from collections.abc import Mapping
from typing import Final

from alerting.core.derived.balance import LineBalance, TankBalance
from alerting.core.derived.exposure import Mac, Stel, Twa
from alerting.core.derived.gas import Gas
from alerting.core.derived.mass import Mass
from alerting.core.derived.method import Method
from alerting.core.derived.normal_flow import NormalFlow
from alerting.core.derived.occupancy import Occupancy
from alerting.core.derived.pca import Pca
from alerting.core.derived.plain import Density, Fill, Quantity, RoomLoad, Ullage
from alerting.core.derived.redundant import Median, Spread
from alerting.core.derived.unusual import Unusual
from alerting.core.derived.volume import Volume

#: Method of each kind, by the name that the configuration uses.
METHODS: Final[Mapping[str, type[Method]]] = {
    "volume": Volume,
    "mass": Mass,
    "tank_balance": TankBalance,
    "line_balance": LineBalance,
    "median": Median,
    "spread": Spread,
    "fill": Fill,
    "ullage": Ullage,
    "quantity": Quantity,
    "occupancy": Occupancy,
    "density": Density,
    "room_load": RoomLoad,
    "twa": Twa,
    "stel": Stel,
    "mac": Mac,
    "gas": Gas,
    "normal_flow": NormalFlow,
    "pca": Pca,
    "unusual": Unusual,
}
