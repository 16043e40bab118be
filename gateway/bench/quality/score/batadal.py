"""The rule of the BATADAL competition (Taormina et al., J. Water Resour. Plann. Manage. 144(8), 2018, 04018048).

S = (S_TTD + S_CM) / 2 with S_TTD = 1 - mean(time to detection / duration), an attack that was not told while it ran
counting as its whole duration, and S_CM = (TPR + TNR) / 2 over the hours. When the attacks were stands in
``attacks*.csv``: ``ATT_FLAG`` of dataset 04 holds only what was known then.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gateway.bench.quality.case import Case, Flags, Verdict
from gateway.bench.quality.read import batadal, sheet
from gateway.bench.quality.score.count import Counts, stretches
from gateway.bench.quality.score.row import Row
from gateway.recording import RecordingError

TIME_FORM = "%d/%m/%Y %H"


def attacks(folder: Path, which: str) -> list[tuple[int, int]]:
    """Open the labels: first and last hour of each attack of a set, ns.

    Raises:
        RecordingError: No table has attacks of this set.
    """
    found = []
    for path in sorted(folder.rglob("attacks*.csv")):
        head, rows = sheet.table(path)
        at = [sheet.place(path, head, name) for name in ("set", "start", "end")]
        found += [(_ns(row[at[1]]), _ns(row[at[2]])) for row in rows if row[at[0]].strip() == which]
    if not found:
        raise RecordingError(f"{folder}: no table attacks*.csv has the attacks of {which!r}.")
    return sorted(set(found))


def _ns(cell: str) -> int:
    return round(datetime.strptime(cell.strip(), TIME_FORM).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def score(folder: Path, cases: list[Case], verdicts: list[Verdict]) -> Row:
    """Score a detector; several sets count by their attacks and hours together."""
    counts, told, shares, false = Counts(), 0, [], 0
    for case, verdict in zip(cases, verdicts, strict=True):
        truth: Flags = np.zeros(len(case.judge), dtype=np.bool_)
        for start_ns, end_ns in attacks(folder, batadal.SETS[case.name]):
            mine = np.flatnonzero((case.judge.time_ns >= start_ns) & (case.judge.time_ns <= end_ns))
            truth[mine] = True
            heard = np.flatnonzero(verdict.alarm[mine])
            told += len(heard) > 0
            shares.append(int(heard[0]) / len(mine) if len(heard) else 1.0)
        counts += Counts.of(truth, verdict.alarm)
        false += sum(not truth[first:end].any() for first, end in stretches(verdict.alarm))
    s_ttd = 1 - float(np.mean(shares))
    s_cm = 1 - (counts.false_percent + counts.missed_percent) / 200
    return Row(
        score=(s_ttd + s_cm) / 2,
        name="S",
        false_percent=counts.false_percent,
        missed_percent=counts.missed_percent,
        more={"S_TTD": s_ttd, "S_CM": s_cm, "attacks": len(shares), "detected": told, "false_episodes": false},
    )
