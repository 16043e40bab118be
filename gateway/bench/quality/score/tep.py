"""The rule of Russell, Chiang and Braatz (Chemometrics and Intelligent Laboratory Systems 51, 2000, 81-93).

The threshold of every detector is its 10th highest score on the normal test recording ``d00_te``, about 1 % false
alarms; a row is an alarm above it. The figure is the share of rows from the 161st on without alarm, averaged over the
faults, but for 3, 9 and 15, which nobody sees. Delay: first of six alarms in a row.
"""

from pathlib import Path

import numpy as np

from gateway.bench.quality.case import Case, Flags, Verdict
from gateway.bench.quality.score.row import Row
from gateway.recording import RecordingError

NORMAL = "d00_te.dat"
FAULT_ROW = 160
FALSE_SHARE = 0.01
UNSEEN = (3, 9, 15)
IN_A_ROW = 6
PERIOD_MIN = 3


def score(folder: Path, cases: list[Case], verdicts: list[Verdict]) -> Row:
    """Score a detector.

    Raises:
        RecordingError: The normal recording is missing, so that no threshold can be set.
    """
    by_name = dict(zip([case.name for case in cases], verdicts, strict=True))
    if NORMAL not in by_name:
        raise RecordingError(f"{folder}: there is no {NORMAL} to set thresholds on.")
    normal = by_name[NORMAL].score
    threshold = np.sort(normal)[::-1][round(FALSE_SHARE * len(normal)) - 1]
    faults = {int(name[1:3]): verdict for name, verdict in by_name.items() if name != NORMAL}
    missed = {n: float(np.mean(~(verdict.score[FAULT_ROW:] > threshold))) for n, verdict in faults.items()}
    counted = [miss for n, miss in missed.items() if n not in UNSEEN]
    delays = {n: _delay_min(verdict.score[FAULT_ROW:] > threshold) for n, verdict in faults.items()}
    heard = [delay for delay in delays.values() if delay is not None]
    return Row(
        score=float(np.mean(counted)),
        name="mean miss without 3, 9, 15",
        is_more_better=False,
        false_percent=100 * float(np.mean(normal > threshold)),
        missed_percent=100 * float(np.mean(counted)),
        more={
            "mean_miss_all": float(np.mean(list(missed.values()))),
            "detected": len(heard),
            "faults": len(faults),
            "delay_min_median": float(np.median(heard)) if heard else None,
            "false_percent_own_threshold": 100 * float(np.mean(by_name[NORMAL].alarm)),
            "miss_own_threshold": float(
                np.mean([np.mean(~v.alarm[FAULT_ROW:]) for n, v in faults.items() if n not in UNSEEN])
            ),
        }
        | {f"miss_{n:02d}": miss for n, miss in missed.items()},
    )


def _delay_min(alarm: Flags) -> int | None:
    run = 0
    for number, up in enumerate(alarm.tolist()):
        run = run + 1 if up else 0
        if run == IN_A_ROW:
            return (number - IN_A_ROW + 2) * PERIOD_MIN
    return None
