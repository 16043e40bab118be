"""Pedestrian counters of Auckland's centre (Heart of the City, 2019 to 2022): persons an hour and street, hourly.

There are no labels, so counters are made to fail (``PLAN``). January to June 2019 are learned from, July 2019 to
February 2020 are judged; what came then was the pandemic, when nobody knows which hours are normal. A counter that gave
nothing in the last week of what is learned from is out of service and is left out, as are empty columns. A day of the
file runs from 6:00 to the 5:59 of the next morning under one date: New Year's crowd at 0:00 stands under 31 December.
"""

from pathlib import Path

import numpy as np

from gateway.bench.quality.case import Case, Part
from gateway.bench.quality.plant import Plan, Sort, planted
from gateway.bench.quality.read import sheet

PLAN = Plan(
    seed=20190701,
    count=20,
    sorts=(
        Sort(kind="dead", rows=(12, 36)),
        Sort(kind="frozen", rows=(12, 36)),
        Sort(kind="weak", rows=(24, 48), size=0.4),  # a beam half covered
        Sort(kind="drift", rows=(36, 72), size=0.2),  # a lens that grows dirty
    ),
)
LEARN_FROM, JUDGE_FROM, JUDGE_TO = "2019-01-01 6", "2019-07-01 0", "2020-03-01 0"
TIME_FORM = "%Y-%m-%d %H"
NO_TAGS = ("date", "hour", "year")
WEEK_ROWS = 168
DAY_NS, DAY_BEGINS_NS = 86_400_000_000_000, 6 * 3_600_000_000_000


def files(folder: Path) -> list[Path]:
    """Give the files, in order of name."""
    return sorted(folder.glob("hourly_counts*.csv"))


def cases(folder: Path) -> list[Case]:
    """Read the recording, with faults in what is judged.

    Raises:
        RecordingError: A file is not of this form.
    """
    return [_case(path) for path in files(folder)]


def _case(path: Path) -> Case:
    head, rows = sheet.table(path)
    day, hour = sheet.place(path, head, "date"), sheet.place(path, head, "hour")
    time_ns = sheet.times_ns(path, [f"{row[day]} {row[hour].split(':')[0]}" for row in rows], TIME_FORM)
    time_ns = np.where(time_ns % DAY_NS < DAY_BEGINS_NS, time_ns + DAY_NS, time_ns)
    order = np.argsort(time_ns, kind="stable")
    columns = [number for number, name in enumerate(head) if name not in NO_TAGS]
    whole = Part(time_ns=time_ns[order], values=sheet.numbers(path, rows, columns)[order])
    edges = np.searchsorted(whole.time_ns, sheet.times_ns(path, [LEARN_FROM, JUDGE_FROM, JUDGE_TO], TIME_FORM))
    learn, judge = whole[int(edges[0]) : int(edges[1])], whole[int(edges[1]) : int(edges[2])]
    works = np.nan_to_num(learn.values[-WEEK_ROWS:]).sum(axis=0) > 0
    judge = planted(PLAN, Part(time_ns=judge.time_ns, values=judge.values[:, works]))
    return Case(
        name=path.name,
        tags=tuple(head[column] for column, does in zip(columns, works.tolist(), strict=True) if does),
        learn=Part(time_ns=learn.time_ns, values=learn.values[:, works]),
        judge=judge,
    )
