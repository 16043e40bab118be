"""Run the bench: every detector on every collection that is there, to rows of figures.

Flow: folder -> [read without labels, fixed settings, detect, score] -> results -> table or JSON
Never: hands a label to a detector. Readers leave label columns out; scorers open them after all verdicts are there.
"""

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from gateway.backtest.run import quiet
from gateway.bench.quality.baseline import BASELINES
from gateway.bench.quality.case import Case, Verdict
from gateway.bench.quality.ours import ours, told_once
from gateway.bench.quality.read import airquality, auckland, calit2
from gateway.bench.quality.read import batadal as read_batadal
from gateway.bench.quality.read import nab as read_nab
from gateway.bench.quality.read import occupancy as read_occupancy
from gateway.bench.quality.read import skab as read_skab
from gateway.bench.quality.read import tep as read_tep
from gateway.bench.quality.score import batadal, events, nab, planted, skab, tep
from gateway.bench.quality.score.row import Row
from gateway.bench.quality.settings import Settings, read

OURS: Final = "ours"
DETECTORS: Final = (OURS, *BASELINES)

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """How one collection is read and scored; ``needs`` is a file or folder without which it is not there."""

    read: Callable[[Path], list[Case]]
    score: Callable[[Path, list[Case], list[Verdict]], Row]
    needs: str


COLLECTIONS: Final = {
    "skab": Collection(read=read_skab.cases, score=skab.score, needs="*/*.csv"),
    "nab": Collection(read=read_nab.cases, score=nab.score, needs="data/*/*.csv"),
    "tep": Collection(read=read_tep.cases, score=tep.score, needs="d00.dat"),
    "batadal": Collection(read=read_batadal.cases, score=batadal.score, needs="**/BATADAL_dataset03.csv"),
    "occupancy": Collection(read=read_occupancy.cases, score=events.score, needs="data*.txt"),
    "crowd_auckland": Collection(read=auckland.cases, score=planted.by(auckland.PLAN), needs="hourly_counts*.csv"),
    "crowd_calit2": Collection(read=calit2.cases, score=planted.by(calit2.PLAN), needs="*.data"),
    "gas_airquality": Collection(read=airquality.cases, score=planted.by(airquality.PLAN), needs="AirQuality*.csv"),
}


def bench(folder: Path, progress: Progress) -> dict[str, Any]:
    """Run all detectors on the collections below a folder, each in a folder of its name.

    Raises:
        RecordingError: A file of a collection is not of its form.
        OSError: A file cannot be read.
    """
    fixed = read()
    found: list[dict[str, Any]] = []
    absent = []
    for name, collection in COLLECTIONS.items():
        if next((folder / name).glob(collection.needs), None) is None:
            absent.append(name)
            continue
        found.append(_one(name, collection, folder / name, fixed[name], progress))
    return {
        "format": "fengsui-bench-quality/1",
        "python": platform.python_version(),
        "collections": found,
        "absent": absent,
    }


def detect(
    detector: str, cases: list[Case], settings: Settings, progress: Progress = quiet, name: str = ""
) -> list[Verdict]:
    """Let one detector judge all cases of a collection."""
    verdicts = []
    for number, case in enumerate(cases):
        found = ours(case, settings.ours) if detector == OURS else BASELINES[detector](case, settings.usual)
        verdicts.append(told_once(found, settings.told_once_rows))
        progress(f"{name} {detector}", (number + 1) / len(cases))
    return verdicts


def _one(name: str, collection: Collection, folder: Path, settings: Settings, progress: Progress) -> dict[str, Any]:
    cases = collection.read(folder)
    rows: dict[str, Row] = {}
    for detector in DETECTORS:
        verdicts = detect(detector, cases, settings, progress, name)
        rows[detector] = collection.score(folder, cases, verdicts)
    sign = 1 if rows[OURS].is_more_better else -1
    best = max(rows, key=lambda detector: sign * rows[detector].score)
    return {
        "collection": name,
        "recordings": len(cases),
        "figure": rows[OURS].name,
        "is_more_better": rows[OURS].is_more_better,
        "best": best,
        "detectors": [{"detector": detector, **asdict(row)} for detector, row in rows.items()],
        "settings": {"ours": asdict(settings.ours), "usual": asdict(settings.usual)},
    }


def table(result: dict[str, Any]) -> str:
    """Give the results as text: a table a collection, the best row marked."""
    lines = []
    for one in result["collections"]:
        direction = "more is better" if one["is_more_better"] else "less is better"
        number = one["recordings"]
        lines += [
            f"{one['collection']}: {number} recording{'' if number == 1 else 's'}; {one['figure']}, {direction}",
            f"  {'':<10}{'score':>9}{'false %':>9}{'missed %':>10}  more",
        ]
        for row in one["detectors"]:
            more = ", ".join(f"{key} {_shown(value)}" for key, value in row["more"].items())
            mark = "*" if row["detector"] == one["best"] else " "
            lines.append(
                f"{mark} {row['detector']:<10}{row['score']:>9.3f}{_shown(row['false_percent']):>9}"
                f"{_shown(row['missed_percent']):>10}  {more}"
            )
        lines.append("")
    if result["absent"]:
        lines.append(f"Not there: {', '.join(result['absent'])}.")
    return "\n".join(lines).rstrip()


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3g}"
