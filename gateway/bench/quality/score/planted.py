"""Faults that were planted into a recording without labels: F1 over rows, beside it events, delays and false episodes.

A row counts as in ``events``; what is really wrong in such a recording, unlabelled, counts as false where it is told.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from gateway.bench.quality import plant
from gateway.bench.quality.case import Case, Verdict
from gateway.bench.quality.score.count import Counts, stretches
from gateway.bench.quality.score.row import Row

DAY_NS = 86_400_000_000_000


def by(plan: plant.Plan) -> Callable[[Path, list[Case], list[Verdict]], Row]:
    """Give the scorer of a plan."""

    def score(folder: Path, cases: list[Case], verdicts: list[Verdict]) -> Row:
        """Score a detector against what was planted."""
        del folder  # The labels are the plan's.
        counts, always, events, delays, false, days = Counts(), Counts(), 0, [], 0, 0.0
        told = dict.fromkeys((sort.kind for sort in plan.sorts), 0)
        for case, verdict in zip(cases, verdicts, strict=True):
            truth, time_ns = plant.truth(plan, case), case.judge.time_ns
            counts += Counts.of(truth, verdict.alarm)
            always += Counts.of(truth, np.ones_like(truth))
            days += float(time_ns[-1] - time_ns[0]) / DAY_NS
            for fault in plant.faults(plan, len(case.judge), len(case.tags)):
                events += 1
                up = np.flatnonzero(verdict.alarm[fault.first : fault.end])
                if len(up):
                    told[fault.sort.kind] += 1
                    delays.append(float(time_ns[fault.first + int(up[0])] - time_ns[fault.first]) / 3600e9)
            false += sum(not truth[first:end].any() for first, end in stretches(verdict.alarm))
        return Row(
            score=counts.f1,
            name="F1 of planted faults",
            false_percent=counts.false_percent,
            missed_percent=counts.missed_percent,
            more={
                "faults": events,
                "detected": len(delays),
                "delay_h_median": float(np.median(delays)) if delays else None,
                "false_episodes_per_day": false / max(days, 1e-9),
            }
            | {"f1_always_up": always.f1}
            | {f"detected_{kind}": number for kind, number in told.items()},
        )

    return score
