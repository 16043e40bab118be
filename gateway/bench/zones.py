"""Zones on the bench: how far ours reach beside another model's, and how long one and fifty weather cases take.

Flow: file of endpoint distances -> [compare] -> ratio of each; [time_it] -> milliseconds
"""

import csv
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alerting.response.zone.material import material
from alerting.response.zone.release import Air, Source
from alerting.response.zone.screen import screen
from alerting.response.zone.substances import SUBSTANCES
from alerting.response.zone.weather import CLASSES, Case, Cases

FACTOR: Final = 2.0
#: Of the liquid in the cases of the file.
LIQUID_K: Final = 303.15
CHLORINE: Final = "7782-50-5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One case: ours and the other model's endpoint distance, m; ``smooth_m`` over smooth ground, short average."""

    name: str
    rate_kg_s: float
    stability: str
    wind_m_s: float
    ours_m: float
    other_m: float
    smooth_m: float

    @property
    def ratio(self) -> float:
        """Give ours by the other's."""
        return self.ours_m / self.other_m

    @property
    def is_far(self) -> bool:
        """Tell whether they are more than a factor of two apart."""
        return not 1 / FACTOR <= self.ratio <= FACTOR


def compare(path: Path) -> list[Beside]:
    """Work out each case of a file as ``tests/golden/zones/make_slabx.py`` makes it.

    Raises:
        OSError: It cannot be read.
        KeyError, ValueError: It is no such file.
    """
    with path.open(encoding="utf-8", newline="") as lines:
        return [_beside(row) for row in csv.DictReader(lines)]


def _beside(row: dict[str, str]) -> Beside:
    cas, level, rate = row["cas"], float(row["level"]), float(row["rate_kg_s"])
    source = Source(
        phase="liquid",
        temperature_k=LIQUID_K,
        pressure_pa=material(cas).vapour_pa(LIQUID_K),
        measured_kg_s=rate,
    )
    case = Case(wind_m_s=float(row["wind_m_s"]), stability=row["stability"], from_deg=270.0)
    zone = screen(cas, source, Cases(cases=(case,), assumed=(), is_calm=False), Air())
    reach = next(one for one in zone.reaches if math.isclose(one.level.fraction, level))
    return Beside(
        name=f"{SUBSTANCES[cas].en} {reach.level.name}",
        rate_kg_s=rate,
        stability=case.stability,
        wind_m_s=case.wind_m_s,
        ours_m=reach.distance_m or math.nan,
        other_m=float(row["slabx_m"]),
        smooth_m=float(row["smooth_m"]),
    )


def time_it() -> dict[str, float]:
    """Give the milliseconds of one release in one weather and in fifty, best of five, after one that loads tables."""
    source = Source(phase="liquid", temperature_k=293.15, pressure_pa=680_000.0)
    fifty = tuple(Case(wind_m_s=1.0 + 0.2 * at, stability=CLASSES[at % 6], from_deg=7.0 * at) for at in range(50))
    taken = {}
    for name, cases in (("one_ms", fifty[:1]), ("fifty_ms", fifty)):
        given = Cases(cases=cases, assumed=(), is_calm=False)
        rounds = []
        for _ in range(6):
            began = time.perf_counter()
            screen(CHLORINE, source, given, Air())
            rounds.append((time.perf_counter() - began) * 1_000)
        taken[name] = round(min(rounds[1:]), 2)
    return taken


def as_facts(rows: list[Beside], taken: dict[str, float]) -> dict[str, object]:
    """Give all figures as JSON."""
    return {
        "cases": [
            {
                "case": row.name,
                "rate_kg_s": row.rate_kg_s,
                "stability": row.stability,
                "wind_m_s": row.wind_m_s,
                "ours_m": round(row.ours_m, 1),
                "other_m": row.other_m,
                "smooth_m": row.smooth_m,
                "ratio": round(row.ratio, 2),
            }
            for row in rows
        ],
        "beyond_factor_two": sum(row.is_far for row in rows),
        **taken,
    }


def render(rows: list[Beside], taken: dict[str, float]) -> str:
    """Give a table for people."""
    lines = [f"{'case':28} {'kg/s':>8} class {'m/s':>4} {'ours m':>8} {'other m':>8} {'ratio':>6} {'smooth m':>9}"]
    lines += [
        f"{row.name:28} {row.rate_kg_s:8.2f} {row.stability:5} {row.wind_m_s:4.1f} {row.ours_m:8.0f} {row.other_m:8.0f}"
        f" {row.ratio:6.2f} {row.smooth_m:9.0f}{'  beyond a factor of 2' if row.is_far else ''}"
        for row in rows
    ]
    lines.append(f"one release: {taken['one_ms']:.1f} ms; fifty weather cases: {taken['fifty_ms']:.1f} ms")
    return "\n".join(lines)
