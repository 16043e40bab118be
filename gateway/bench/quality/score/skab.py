"""The outlier rule of SKAB's leaderboard: F1, false and missed alarms over all rows after the 400th, files pooled.

An alarm that is always up reaches an F1 of about 0.70, so the false alarms stand beside it.
"""

from pathlib import Path

import numpy as np

from gateway.bench.quality.case import Case, Flags, Verdict
from gateway.bench.quality.read import sheet, skab
from gateway.bench.quality.score.count import Counts, stretches
from gateway.bench.quality.score.row import Row


def truths(folder: Path) -> dict[str, Flags]:
    """Open the labels: by name of the file, bool (rows,)."""
    found = {}
    for path in skab.files(folder):
        head, rows = sheet.table(path, ";")
        column = sheet.numbers(path, rows, [sheet.place(path, head, "anomaly")])[:, 0]
        found[path.relative_to(folder).as_posix()] = column > 0
    return found


def score(folder: Path, cases: list[Case], verdicts: list[Verdict]) -> Row:
    """Score a detector."""
    truth_of = truths(folder)
    counts, events, delays = Counts(), 0, []
    for case, verdict in zip(cases, verdicts, strict=True):
        truth, alarm = truth_of[case.name][case.skip :], verdict.alarm[case.skip :]
        counts += Counts.of(truth, alarm)
        time_ns = case.judge.time_ns[case.skip :]
        for first, end in stretches(truth):
            events += 1
            if alarm[first:end].any():
                delays.append(float(time_ns[first + int(np.argmax(alarm[first:end]))] - time_ns[first]) / 1e9)
    return Row(
        score=counts.f1,
        name="F1",
        false_percent=counts.false_percent,
        missed_percent=counts.missed_percent,
        more={
            "events": events,
            "detected": len(delays),
            "delay_s_median": float(np.median(delays)) if delays else None,
        },
    )
