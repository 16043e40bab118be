"""Settings of all detectors, read from ``settings.toml`` beside this module: one table a collection."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.bench.quality.baseline import Usual

FILE = Path(__file__).with_name("settings.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our rules for one collection.

    Attributes:
        kind: ``pca``, T2 and Q of a learned model; ``unusual``, deviation from the recent past and the time of day;
            ``emission``, an expression: the content rises faster than fresh air takes it away; ``frozen``, columns
            that stand still.
        lags, weight, variance: Of the model.
        false_share: Share of the rows learned from that a limit lets pass.
        margin: Setpoint over what was learnt.
        off_delay_s: Off-delay of the rules, s.
        window: Samples of ``unusual``.
        setpoint: Of ``unusual``, standard deviations.
        tag, window_s, air_changes_per_h: Of ``emission``.
        flat_margin: FROZEN after so many times the longest flat stretch learnt; ``pca`` has it too, 0 for none.
        flat_while, flat_above: Only time counts in which the next column is above this.
    """

    kind: str
    lags: int = 2
    weight: float = 0.2
    variance: float = 0.97
    false_share: float = 0.01
    margin: float = 1.0
    off_delay_s: float = 0.0
    window: int = 1000
    setpoint: float = 8.0
    tag: str = ""
    window_s: float = 600.0
    air_changes_per_h: float = 0.5
    flat_margin: float = 0.0
    flat_while: bool = False
    flat_above: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is fixed beforehand for one collection."""

    usual: Usual
    ours: Ours
    told_once_rows: int = 0


def read(path: Path = FILE) -> dict[str, Settings]:
    """Read the settings of all collections by name."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        name: Settings(
            usual=Usual(**table["usual"]), ours=Ours(**table["ours"]), told_once_rows=table["told_once_rows"]
        )
        for name, table in tables.items()
    }
