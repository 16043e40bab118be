"""Event-wise figures of any labelled series: how many were told, how late, and how often wrongly."""

from pathlib import Path

import numpy as np

from gateway.bench.quality.case import Case, Verdict
from gateway.bench.quality.read import occupancy, sheet
from gateway.bench.quality.score.count import Counts, stretches
from gateway.bench.quality.score.row import Row

DAY_NS = 86_400_000_000_000


def score(folder: Path, cases: list[Case], verdicts: list[Verdict]) -> Row:
    """Score a detector against the column ``Occupancy``: F1 over rows, events, delays, false episodes a day."""
    counts, events, delays, false, days = Counts(), 0, [], 0, 0.0
    paths = {path.name: path for path in occupancy.files(folder)}
    for case, verdict in zip(cases, verdicts, strict=True):
        head, rows, whole = occupancy.span(paths[case.name])
        column = sheet.numbers(paths[case.name], rows, [head.index("Occupancy")])[:, 0] > 0
        truth = column[np.isin(whole.time_ns, case.judge.time_ns)]
        counts += Counts.of(truth, verdict.alarm)
        time_ns = case.judge.time_ns
        days += float(time_ns[-1] - time_ns[0]) / DAY_NS
        for first, end in stretches(truth):
            events += 1
            if verdict.alarm[first:end].any():
                delays.append(float(time_ns[first + int(np.argmax(verdict.alarm[first:end]))] - time_ns[first]) / 1e9)
        false += sum(not truth[first:end].any() for first, end in stretches(verdict.alarm))
    return Row(
        score=counts.f1,
        name="F1",
        false_percent=counts.false_percent,
        missed_percent=counts.missed_percent,
        more={
            "events": events,
            "detected": len(delays),
            "delay_s_median": float(np.median(delays)) if delays else None,
            "false_episodes_per_day": false / max(days, 1e-9),
        },
    )
